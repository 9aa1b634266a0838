use super::*;
use crate::symbols::{Finding, Symbol, Weights};

/// A score of so many tenths.
fn scored(tenths: i32) -> Score {
    let weights = Weights::with_file("symbol.MALWARE.weight = 10").unwrap();
    let strength = tenths as f32 / 100.0;
    weights.score([Finding::new(Symbol::Malware, "").with_strength(strength)])
}

const FACTS: Facts<'static> = Facts {
    client: Client::Waits,
    malware: None,
    author: &Ruling::Accept,
    answers: Answers::Complete,
    attempt: Attempt::Again,
};
const STRICT: Policy = Policy {
    greylist: Some(Points::from_tenths(40)),
    reject: Some(Points::from_tenths(150)),
    ..Policy::INBOUND
};
const CLIENTS: [Client; 2] = [Client::Waits, Client::SpokeToRelay];

fn author() -> Domain {
    "author.example".parse().unwrap()
}

/// What is decided, in the words of the log.
fn decided(policy: &Policy, tenths: i32, facts: Facts<'_>) -> String {
    decide(policy, &scored(tenths), &facts).to_string()
}

const HELD: &str = "quarantine: it fails the DMARC policy of author.example";
const REJECTED: &str = "reject: it fails the DMARC policy of author.example";
const PUT_OFF: &str = "defer: name servers do not tell what its author's domain wants";
const NOBODY: &str = "quarantine: it has no From field that names anybody";

#[test]
fn thresholds_are_reached_exactly() {
    for (tenths, action) in [
        (-20, "pass"),
        (0, "pass"),
        (49, "pass"),
        (50, "tag"),
        (79, "tag"),
        (80, "quarantine: it looks like spam (8.0 points)"),
        (149, "quarantine: it looks like spam (14.9 points)"),
        (150, "reject: it looks like spam (15.0 points)"),
        (400, "reject: it looks like spam (40.0 points)"),
    ] {
        assert_eq!(decided(&STRICT, tenths, FACTS), action, "{tenths}");
    }
}

#[test]
fn a_direction_without_thresholds_passes_everything_that_is_no_malware() {
    let none = Policy { quarantine: None, ..Policy::OUTBOUND };
    assert_eq!(decided(&none, 400, FACTS), "pass");
    let facts = Facts { malware: Some("Eicar-Test"), ..FACTS };
    assert_eq!(decided(&none, 0, facts), "reject: it has known malware (Eicar-Test)");
}

#[test]
fn a_mail_is_put_off_once_and_only_while_its_client_waits() {
    let first = Facts { attempt: Attempt::First, ..FACTS };
    for (tenths, action) in [
        (39, "pass"),
        (40, "greylist"),
        (79, "greylist"),
        (80, "quarantine: it looks like spam (8.0 points)"),
    ] {
        assert_eq!(decided(&STRICT, tenths, first), action, "{tenths}");
    }
    assert_eq!(decided(&STRICT, 45, FACTS), "pass");
    let brought = Facts { client: Client::SpokeToRelay, ..first };
    assert_eq!(decided(&STRICT, 60, brought), "tag");
}

#[test]
fn malware_comes_before_everything_else() {
    let refused = Ruling::Refuse(author());
    let held = "quarantine: it has known malware (Eicar-Test)";
    for (setting, actions) in [
        (OnMalware::Discard, ["discard: it has known malware (Eicar-Test)"; 2]),
        (OnMalware::Quarantine, [held; 2]),
        (OnMalware::Reject, ["reject: it has known malware (Eicar-Test)", held]),
    ] {
        let dmarc = DmarcPolicy::Obey;
        let policy = Policy { malware: setting, dmarc, if_unclear: IfUnclear::Defer, ..STRICT };
        for (client, action) in CLIENTS.into_iter().zip(actions) {
            let facts = Facts { client, malware: Some("Eicar-Test"), author: &refused, ..FACTS };
            for tenths in [0, 400] {
                assert_eq!(decided(&policy, tenths, facts), action, "{setting:?} {client:?}");
            }
        }
    }
}

/// What the author's domain wants, if_unclear, and what becomes of it under "quarantine", "obey" and "note".
type Row = (Ruling, IfUnclear, [&'static str; 3]);

/// The table of docs/spam.md, for clients that wait.
fn table() -> Vec<Row> {
    use IfUnclear::{Accept, Defer};
    let vouched = || Ruling::Vouched { sealer: "list.example".parse().unwrap() };
    let mut rows = Vec::new();
    for if_unclear in [Accept, Defer] {
        rows.extend([
            (Ruling::Accept, if_unclear, ["pass"; 3]),
            (vouched(), if_unclear, ["pass"; 3]),
            (Ruling::Quarantine(author()), if_unclear, [HELD, HELD, "pass"]),
            (Ruling::Refuse(author()), if_unclear, [HELD, REJECTED, "pass"]),
            (Ruling::Unclear(author()), if_unclear, [PUT_OFF, PUT_OFF, "pass"]),
            (Ruling::NoAuthor(Doubt::Missing), if_unclear, [NOBODY, NOBODY, "pass"]),
        ]);
    }
    rows.push((Ruling::Unknown, Accept, ["pass"; 3]));
    rows.push((Ruling::Unknown, Defer, [PUT_OFF, PUT_OFF, "pass"]));
    rows
}

/// What is decided under each policy.
fn under_each(if_unclear: IfUnclear, tenths: i32, facts: Facts<'_>) -> [String; 3] {
    [DmarcPolicy::Quarantine, DmarcPolicy::Obey, DmarcPolicy::Note].map(|dmarc| {
        let policy = Policy { dmarc, if_unclear, ..Policy::INBOUND };
        decided(&policy, tenths, facts)
    })
}

#[test]
fn the_author_s_domain_gets_what_the_administrator_grants() {
    for (ruling, if_unclear, expected) in table() {
        let facts = Facts { author: &ruling, ..FACTS };
        assert_eq!(under_each(if_unclear, 0, facts), expected, "{ruling:?} {if_unclear:?}");
    }
}

#[test]
fn d7_what_a_relay_of_ours_has_taken_is_marked_or_held_for_its_score_and_for_nothing_else() {
    for (ruling, if_unclear, _) in table() {
        let client = Client::SpokeToRelay;
        let facts = Facts { author: &ruling, client, attempt: Attempt::First, ..FACTS };
        for (tenths, action) in [
            (0, "pass"),
            (45, "pass"),
            (60, "tag"),
            (93, "quarantine: it looks like spam (9.3 points)"),
        ] {
            let expected = [action; 3].map(str::to_owned);
            assert_eq!(under_each(if_unclear, tenths, facts), expected, "{ruling:?} {tenths}");
        }
        let held = "quarantine: it looks like spam (40.0 points)";
        assert_eq!(decided(&STRICT, 400, facts), held);
    }
}

#[test]
fn each_doubt_about_the_author_is_told() {
    for doubt in [Doubt::Header, Doubt::Missing, Doubt::Unreadable, Doubt::TooMany, Doubt::Several]
    {
        let ruling = Ruling::NoAuthor(doubt);
        let expected = format!("quarantine: {doubt}");
        assert_eq!(decided(&STRICT, 0, Facts { author: &ruling, ..FACTS }), expected);
    }
}

#[test]
fn the_author_s_domain_is_told_before_the_score_and_a_score_that_rejects_before_a_hold() {
    let quarantined = Ruling::Quarantine(author());
    let facts = Facts { author: &quarantined, ..FACTS };
    assert_eq!(decided(&STRICT, 93, facts), HELD);
    assert_eq!(decided(&STRICT, 200, facts), "reject: it looks like spam (20.0 points)");
    let obey = Policy { dmarc: DmarcPolicy::Obey, ..STRICT };
    let refused = Ruling::Refuse(author());
    assert_eq!(decided(&obey, 200, Facts { author: &refused, ..FACTS }), REJECTED);
}

#[test]
fn f8_what_is_unclear_rejects_nothing_and_holds_nothing() {
    let answers = Answers::Unclear;
    for (tenths, expected) in [
        (-30, "pass"),
        (0, "pass"),
        (60, "tag"),
        (80, "quarantine: it looks like spam (8.0 points)"),
        (400, "quarantine: it looks like spam (40.0 points)"),
    ] {
        assert_eq!(decided(&STRICT, tenths, Facts { answers, ..FACTS }), expected, "{tenths}");
    }
    // It is put off, unless what is known is enough to hold it.
    let unclear = Ruling::Unclear(author());
    let facts = Facts { answers, author: &unclear, attempt: Attempt::First, ..FACTS };
    for (tenths, expected) in
        [(0, PUT_OFF), (60, PUT_OFF), (400, "quarantine: it looks like spam (40.0 points)")]
    {
        assert_eq!(decided(&STRICT, tenths, facts), expected, "{tenths}");
    }
    // A threshold of rejection alone still holds what is unclear.
    let only = Policy { quarantine: None, ..STRICT };
    let held = "quarantine: it looks like spam (15.0 points)";
    assert_eq!(decided(&only, 150, Facts { answers, ..FACTS }), held);
}

#[test]
fn no_mail_of_our_own_people_is_held_for_what_the_classifier_alone_says() {
    let score = Weights::default().score([Finding::new(Symbol::BayesSureSpam, "")]);
    assert_eq!(decide(&Policy::OUTBOUND, &score, &FACTS), Action::Pass);
    assert_eq!(decided(&Policy::OUTBOUND, 99, FACTS), "pass");
    let held = "quarantine: it looks like spam (10.0 points)";
    assert_eq!(decided(&Policy::OUTBOUND, 100, FACTS), held);
}
