use std::time::Duration;

use mailweir_mail::Timestamp;

use super::*;
use crate::{
    case::{Actor, AtExpiry, By, Command, Expiry, Proof, QueueDeed},
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
    let all = Query { state: StateFilter::All, ..mine("boss@own.example") };
    assert!(!finds(&all, &file));
}

#[test]
fn nobody_is_shown_their_own_mail_as_theirs_to_decide() {
    let mut file = file();
    file.case.plan.senders = vec!["boss@own.example".parse().unwrap()];
    let query = Query { mine: Some("boss@own.example".parse().unwrap()), ..Query::default() };
    assert!(!finds(&query, &file));
}

/// What a case is said to be is what finds it: there is no other word for it, and none finds nothing.
#[test]
fn each_state_that_is_shown_is_found_by_its_name_alone() {
    for (told, file, is_open) in each() {
        assert_eq!(file.state_name(), told);
        let is_closed = matches!(file.case.progress.state, State::Closed(_));
        let found = STATES
            .into_iter()
            .filter(|state| finds(&Query { state: *state, ..Query::default() }, &file));
        let named = found.map(StateFilter::as_str).collect::<Vec<_>>();
        let wanted = STATES.map(StateFilter::as_str).into_iter().filter(|name| match *name {
            "open" => is_open,
            "decided" => is_closed,
            name => name == "all" || name == told,
        });
        assert_eq!(named, wanted.collect::<Vec<_>>(), "{told}: {}", file.standing());
    }
    for state in STATES {
        assert_eq!(state.as_str().parse(), Ok(state));
        assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
        assert!(each().iter().any(|(_, file, _)| state.is_of(file)), "{state:?}");
        assert!(NoStateFilter.to_string().contains(state.as_str()), "{state:?}");
    }
    assert_eq!("sent".parse::<StateFilter>(), Err(NoStateFilter));
}

/// A case for each end, with and without an operator: what it is said to be, and whether somebody is
/// to do something about it.
fn each() -> Vec<(&'static str, CaseFile, bool)> {
    let at = Timestamp::from_secs(1_795_210_300);
    let by =
        || By { who: Actor::Administrator("root".into()), proof: Proof::CommandLine, from: None };
    let sender = By { who: Actor::Sender("ann@own.example".parse().unwrap()), ..by() };
    let approve =
        |at| Command::Approve { by: by(), comment: "".into(), only: None, at, trust_days: 0 };
    let after = |file: &CaseFile, command: &Command| file.take(command, at).unwrap().0;
    let timed = |action| {
        let mut file = file();
        file.case.plan.expiry = Some(Expiry { at, warning: None, action });
        after(&file, &Command::Clock)
    };
    let twice = CaseFile { also_held: Some("header_checks".into()), ..file() };
    let approved = after(&twice, &approve(None));
    let damaged = after(&file(), &Command::Condemn);
    let reason = || "as it is".into();
    let operated = |file: &CaseFile, deed| file.operated(deed, "root", at).unwrap();
    vec![
        ("waiting", file(), true),
        ("scheduled", after(&file(), &approve(Some(at.plus(Duration::from_secs(60))))), true),
        ("released", after(&file(), &approve(None)), false),
        ("released", timed(AtExpiry::Release), false),
        ("released", operated(&file(), QueueDeed::Released), false),
        ("rejected", after(&file(), &Command::Reject { by: by(), reason: reason() }), false),
        ("returned", after(&file(), &Command::Return { by: by(), reason: reason() }), false),
        ("discarded", after(&file(), &Command::Discard { by: by(), reason: reason() }), false),
        ("cancelled", after(&file(), &Command::Cancel { by: sender }), false),
        ("expired", timed(AtExpiry::Reject), false),
        ("expired", timed(AtExpiry::Discard), false),
        ("approved", approved.clone(), true),
        ("released", operated(&approved, QueueDeed::Released), false),
        ("discarded", operated(&approved, QueueDeed::Deleted), false),
        ("gone", after(&file(), &Command::Lose), false),
        ("gone", damaged.clone(), true),
        ("released", operated(&damaged, QueueDeed::Released), false),
        ("discarded", operated(&damaged, QueueDeed::Deleted), false),
    ]
}

#[test]
fn the_rule_is_meant_by_its_whole_name() {
    let rule = |name: &str| Query { rule: Some(name.into()), ..Query::default() };
    assert!(finds(&rule("outside"), &file()) && !finds(&rule("out"), &file()));
}
