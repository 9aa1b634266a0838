use super::*;
use crate::{
    case::{Actor, By, Command, Proof},
    case_file::tests::{approve, file, id},
};

fn finds(query: &Query, file: &CaseFile) -> bool {
    Search::new(query).finds(file, &text(id(), file))
}

fn words(words: &str) -> Query {
    Query { words: words.into(), ..Query::default() }
}

#[test]
fn words_are_found_in_what_people_know_of_a_mail_in_any_case_and_order() {
    let file = file();
    let id = id().to_string();
    for found in
        ["", "ANN@own", "them@other.example", "대외비", "OUTSIDE", &id, "other 대외 ann", "ＡＮＮ"]
    {
        assert!(finds(&words(found), &file), "{found}");
    }
    for other in ["bob", "ann bob", "two", "mailweir.toml"] {
        assert!(!finds(&words(other), &file), "{other}");
    }
}

#[test]
fn a_sender_is_an_address_or_a_domain_under_any_of_the_names() {
    let file = file();
    for (sender, found) in [
        ("Ann@Own.example", true),
        ("@own.example", true),
        ("ann", true),
        ("nn@own.example", false),
        ("own.example", false),
        ("them@other.example", false),
    ] {
        let query = Query { sender: Some(sender.into()), ..Query::default() };
        assert_eq!(finds(&query, &file), found, "{sender}");
    }
}

#[test]
fn a_case_is_a_moderators_while_it_waits_for_their_word() {
    let mut file = file();
    let mine = |who: &str| Query { mine: Some(who.parse().unwrap()), ..Query::default() };
    assert!(finds(&mine("boss@own.example"), &file));
    assert!(!finds(&mine("ann@own.example"), &file));
    file.case = approve(&file);
    let all = Query { standing: StateFilter::All, ..mine("boss@own.example") };
    assert!(!finds(&all, &file));
}

#[test]
fn nobody_is_shown_their_own_mail_as_theirs_to_decide() {
    let mut file = file();
    file.case.plan.senders = vec!["boss@own.example".parse().unwrap()];
    let query = Query { mine: Some("boss@own.example".parse().unwrap()), ..Query::default() };
    assert!(!finds(&query, &file));
}

#[test]
fn each_standing_finds_the_cases_that_stand_so() {
    let by = By { who: Actor::Administrator("root".into()), proof: Proof::CommandLine, from: None };
    let waiting = file();
    let released = CaseFile { case: approve(&waiting), ..waiting.clone() };
    let at = mailweir_mail::Timestamp::from_secs(1_795_210_300);
    let reject = Command::Reject { by, reason: "".into() };
    let rejected =
        CaseFile { case: waiting.case.take(&reject, at).unwrap().case, ..waiting.clone() };
    let timed = |action| {
        let mut case = waiting.case.clone();
        case.plan.expiry = Some(crate::case::Expiry { at, warning: None, action });
        CaseFile { case: case.take(&Command::Clock, at).unwrap().case, ..waiting.clone() }
    };
    let (gone, expired) = (timed(AtExpiry::Release), timed(AtExpiry::Reject));
    for (name, found) in [
        ("open", [true, false, false, false, false]),
        ("waiting", [true, false, false, false, false]),
        ("scheduled", [false, false, false, false, false]),
        ("decided", [false, true, true, true, true]),
        ("released", [false, true, false, true, false]),
        ("rejected", [false, false, true, false, false]),
        ("expired", [false, false, false, false, true]),
        ("all", [true, true, true, true, true]),
    ] {
        let query = Query { standing: name.parse().unwrap(), ..Query::default() };
        let seen =
            [&waiting, &released, &rejected, &gone, &expired].map(|file| finds(&query, file));
        assert_eq!(seen, found, "{name}");
    }
    assert_eq!("sent".parse::<StateFilter>(), Err(NoStateFilter));
}

#[test]
fn the_rule_is_meant_by_its_whole_name() {
    let rule = |name: &str| Query { rule: Some(name.into()), ..Query::default() };
    assert!(finds(&rule("outside"), &file()) && !finds(&rule("out"), &file()));
}
