use super::*;
use crate::symbols::{Finding, Symbol, Weights};

/// A score of so many tenths.
fn scored(tenths: i32) -> Score {
    let weights = Weights::with_file("symbol.MALWARE.weight = 10").unwrap();
    let strength = tenths as f32 / 100.0;
    weights.score([Finding::new(Symbol::Malware, "").with_strength(strength)])
}

const FACTS: Facts = Facts {
    client: Client::Waits,
    malware: Malware::NoneKnown,
    author: AuthorsWish::Nothing,
    answers: Answers::Complete,
    attempt: Attempt::Again,
};
const STRICT: Policy = Policy { reject: Some(Points::from_tenths(150)), ..Policy::INBOUND };
const BY_SCORE: Action = Action::Quarantine { reason: Reason::Score };
const BY_WISH: Action = Action::Quarantine { reason: Reason::AuthorsWish };

fn decided(policy: &Policy, tenths: i32, facts: Facts) -> Action {
    decide(policy, &scored(tenths), &facts)
}

#[test]
fn thresholds_are_reached_exactly() {
    for (tenths, action) in [
        (0, Action::Pass),
        (49, Action::Pass),
        (50, Action::Tag),
        (79, Action::Tag),
        (80, BY_SCORE),
        (149, BY_SCORE),
        (150, Action::Reject { reason: Reason::Score }),
        (400, Action::Reject { reason: Reason::Score }),
    ] {
        assert_eq!(decided(&STRICT, tenths, FACTS), action, "{tenths}");
    }
}

#[test]
fn a_direction_without_thresholds_passes_everything_that_is_no_malware() {
    let none = Policy { quarantine: None, ..Policy::OUTBOUND };
    assert_eq!(decided(&none, 400, FACTS), Action::Pass);
    let facts = Facts { malware: Malware::Known, ..FACTS };
    assert_eq!(decided(&none, 0, facts), Action::Reject { reason: Reason::Malware });
}

#[test]
fn a_mail_is_put_off_once_and_only_while_its_client_waits() {
    let first = Facts { attempt: Attempt::First, ..FACTS };
    for (tenths, action) in
        [(39, Action::Pass), (40, Action::Greylist), (79, Action::Greylist), (80, BY_SCORE)]
    {
        assert_eq!(decided(&STRICT, tenths, first), action, "{tenths}");
    }
    assert_eq!(decided(&STRICT, 45, FACTS), Action::Pass);
    assert_eq!(decided(&STRICT, 60, Facts { client: Client::IsGone, ..first }), Action::Tag);
}

#[test]
fn d7_a_mail_whose_client_is_gone_is_held_and_never_rejected() {
    let gone = Facts { client: Client::IsGone, ..FACTS };
    assert_eq!(decided(&STRICT, 400, gone), BY_SCORE);
    let obey = Policy { author: OnAuthorsWish::Obey, ..STRICT };
    assert_eq!(decided(&obey, 0, Facts { author: AuthorsWish::Reject, ..gone }), BY_WISH);
    let told = Policy { malware: OnMalware::Reject, ..STRICT };
    let malware = Facts { malware: Malware::Known, ..gone };
    assert_eq!(decided(&told, 0, malware), Action::Quarantine { reason: Reason::Malware });
}

#[test]
fn malware_comes_before_everything_else() {
    let known = Facts {
        malware: Malware::Known,
        author: AuthorsWish::Reject,
        answers: Answers::Unclear,
        ..FACTS
    };
    for (setting, action) in [
        (OnMalware::Discard, Action::Discard),
        (OnMalware::Quarantine, Action::Quarantine { reason: Reason::Malware }),
        (OnMalware::Reject, Action::Reject { reason: Reason::Malware }),
    ] {
        let policy = Policy {
            malware: setting,
            unclear: OnUnclear::Defer,
            author: OnAuthorsWish::Obey,
            ..STRICT
        };
        for tenths in [0, 400] {
            assert_eq!(decided(&policy, tenths, known), action);
        }
    }
}

#[test]
fn the_wish_of_the_authors_domain_is_obeyed_softened_or_scored() {
    use AuthorsWish::{Nothing, Quarantine, Reject};
    let rejected = Action::Reject { reason: Reason::AuthorsWish };
    for (setting, wish, action) in [
        (OnAuthorsWish::Obey, Nothing, Action::Pass),
        (OnAuthorsWish::Obey, Quarantine, BY_WISH),
        (OnAuthorsWish::Obey, Reject, rejected),
        (OnAuthorsWish::Quarantine, Nothing, Action::Pass),
        (OnAuthorsWish::Quarantine, Quarantine, BY_WISH),
        (OnAuthorsWish::Quarantine, Reject, BY_WISH),
        (OnAuthorsWish::Score, Nothing, Action::Pass),
        (OnAuthorsWish::Score, Quarantine, Action::Pass),
        (OnAuthorsWish::Score, Reject, Action::Pass),
    ] {
        let policy = Policy { author: setting, ..STRICT };
        assert_eq!(
            decided(&policy, 10, Facts { author: wish, ..FACTS }),
            action,
            "{setting:?} {wish:?}"
        );
    }
    let softened = Facts { author: Reject, ..FACTS };
    assert_eq!(decided(&STRICT, 200, softened), Action::Reject { reason: Reason::Score });
}

#[test]
fn f8_what_is_unclear_is_neutral_or_put_off_and_rejects_nothing() {
    let unclear = Facts { answers: Answers::Unclear, ..FACTS };
    let defer = Policy { unclear: OnUnclear::Defer, ..STRICT };
    for (tenths, neutral, deferred) in [
        (-30, Action::Pass, Action::Defer),
        (0, Action::Pass, Action::Defer),
        (60, Action::Tag, Action::Defer),
        (80, BY_SCORE, BY_SCORE),
        (400, BY_SCORE, BY_SCORE),
    ] {
        assert_eq!(decided(&STRICT, tenths, unclear), neutral, "{tenths}");
        assert_eq!(decided(&defer, tenths, unclear), deferred, "{tenths}");
    }
    // Nobody can be put off any more: it goes by what is known.
    assert_eq!(decided(&defer, 0, Facts { client: Client::IsGone, ..unclear }), Action::Pass);
}

#[test]
fn thresholds_in_the_wrong_order_are_mistakes_with_a_text() {
    assert_eq!(Policy::INBOUND.mistakes(), [""; 0]);
    assert_eq!(Policy::OUTBOUND.mistakes(), [""; 0]);
    assert_eq!(STRICT.mistakes(), [""; 0]);
    let at = |tenths| Some(Points::from_tenths(tenths));
    let late = Policy { greylist: at(60), ..STRICT };
    assert_eq!(late.mistakes(), [""; 0]);
    let wrong = Policy { tag: at(90), reject: at(80), ..STRICT };
    assert_eq!(
        wrong.mistakes(),
        [
            "tag is 9.0 and quarantine is 8.0: expected tag below quarantine, else it is never reached",
            "tag is 9.0 and reject is 8.0: expected tag below reject, else it is never reached",
            "quarantine is 8.0 and reject is 8.0: expected quarantine below reject, else it is never reached",
        ]
    );
    let below = Policy { quarantine: at(0), tag: None, greylist: None, ..STRICT };
    assert_eq!(
        below.mistakes(),
        [
            "quarantine is 0.0, but a mail of which nothing is known scores 0.0: expected more than 0.0"
        ]
    );
}

#[test]
fn every_reason_has_a_text_of_its_own() {
    let texts =
        [Reason::Score, Reason::AuthorsWish, Reason::Malware].map(|reason| reason.to_string());
    let distinct: std::collections::BTreeSet<_> = texts.iter().collect();
    assert_eq!(distinct.len(), texts.len());
}
