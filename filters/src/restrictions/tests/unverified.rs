//! Stories of addresses that are tried out before they are accepted.

use super::world::{Session, World, stranger};
use crate::{
    restrictions::*,
    verification::Status::{self, Deferred, InProgress, Undeliverable},
};

const RECIPIENT: &str = "reject_unverified_recipient";
const SENDER: &str = "reject_unverified_sender";
const NO: &str = "host mx.b.example[192.0.2.25] said: 550 5.1.1 no such user";

fn world(status: Status) -> World {
    World::default().verified("b@b.example", status, NO).verified("a@a.example", status, NO)
}

fn says(world: &World, list: &str, settings: Settings) -> String {
    let relay = "reject_unauth_destination";
    let texts = ListTexts { relay, recipient: list, ..ListTexts::default() };
    Session::with(world, &texts, settings).rcpt(&stranger())
}

fn with(unverified: &Unverified) -> Settings {
    Settings {
        unverified_recipient: unverified.clone(),
        unverified_sender: unverified.clone(),
        ..Settings::default()
    }
}

#[test]
fn an_address_that_takes_mail_is_let_pass() {
    for list in [RECIPIENT, SENDER] {
        assert_eq!(says(&World::default(), list, Settings::default()), "permit");
    }
}

#[test]
fn by_default_the_client_is_asked_to_come_again() {
    for (status, why) in [(Undeliverable, NO), (Deferred, NO), (InProgress, NO)] {
        let world = world(status);
        assert_eq!(
            says(&world, RECIPIENT, Settings::default()),
            format!(
                "450 4.1.1 <b@b.example>: Recipient address rejected: unverified address: {why}"
            )
        );
        assert_eq!(
            says(&world, SENDER, Settings::default()),
            format!("450 4.1.7 <a@a.example>: Sender address rejected: unverified address: {why}")
        );
    }
}

#[test]
fn the_code_says_whether_it_is_for_ever() {
    let hard = Unverified { reject_code: 550, ..Unverified::default() };
    assert_eq!(
        says(&world(Undeliverable), RECIPIENT, with(&hard)),
        format!("550 5.1.1 <b@b.example>: Recipient address rejected: undeliverable address: {NO}")
    );
    assert_eq!(
        says(&world(Undeliverable), SENDER, with(&hard)),
        format!("550 5.1.7 <a@a.example>: Sender address rejected: undeliverable address: {NO}")
    );
    assert!(says(&world(Deferred), RECIPIENT, with(&hard)).starts_with("450 4.1.1 "));
    let hard = Unverified { defer_code: 554, ..Unverified::default() };
    assert_eq!(
        says(&world(InProgress), RECIPIENT, with(&hard)),
        format!("554 5.1.1 <b@b.example>: Recipient address rejected: undeliverable address: {NO}")
    );
}

#[test]
fn a_code_of_250_lets_pass() {
    let soft = Unverified { reject_code: 250, defer_code: 250, ..Unverified::default() };
    for status in [Undeliverable, Deferred, InProgress] {
        for list in [RECIPIENT, SENDER] {
            assert_eq!(says(&world(status), list, with(&soft)), "permit");
        }
    }
}

#[test]
fn the_administrators_reason_stands_instead_of_the_next_hops_words() {
    let reason = Unverified { reason: "not here".into(), ..Unverified::default() };
    assert_eq!(
        says(&world(InProgress), RECIPIENT, with(&reason)),
        "450 4.1.1 <b@b.example>: Recipient address rejected: unverified address: not here"
    );
    let hard = Unverified { reject_code: 550, ..reason };
    assert_eq!(
        says(&world(Undeliverable), SENDER, with(&hard)),
        "550 5.1.7 <a@a.example>: Sender address rejected: undeliverable address: not here"
    );
}

#[test]
fn a_refusal_for_now_waits_for_one_for_ever_unless_it_must_not() {
    let list = format!("{RECIPIENT}, reject");
    let both = |settings| says(&world(Deferred), &list, settings);
    let denied = "554 5.7.1 <b@b.example>: Recipient address rejected: Access denied";
    assert_eq!(both(Settings::default()), denied);
    let at_once = Unverified { waits: false, ..Unverified::default() };
    assert!(both(with(&at_once)).starts_with("450 4.1.1 "));
    let permits = format!("{RECIPIENT}, permit");
    assert!(says(&world(Deferred), &permits, Settings::default()).starts_with("450 4.1.1 "));
}

#[test]
fn the_null_sender_is_not_tried_out() {
    let world = World::default();
    let report = Transaction { sender: Some(""), ..stranger() };
    assert_eq!(world.recipient_list(SENDER, &report), "permit");
    assert!(world.asked.lock().unwrap().is_empty());
}

#[test]
fn before_there_is_an_address_nothing_is_tried_out() {
    let world = world(Undeliverable);
    let both = format!("{SENDER}, {RECIPIENT}");
    let relay = "reject_unauth_destination";
    let texts = ListTexts { relay, client: &both, helo: &both, ..ListTexts::default() };
    let settings = Settings { delay_reject: false, ..Settings::default() };
    let mut session = Session::with(&world, &texts, settings);
    let begin = Transaction { sender: None, recipient: None, ..stranger() };
    assert_eq!(session.at(ProtocolState::Connect, &begin), "permit");
    assert_eq!(session.at(ProtocolState::Helo, &begin), "permit");
    assert!(world.asked.lock().unwrap().is_empty());
}

#[test]
fn where_refusals_only_warn_the_log_says_so() {
    let world = world(Undeliverable);
    let relay = "reject_unauth_destination";
    let recipient = &format!("warn_if_reject {RECIPIENT}");
    let mut session = Session::new(&world, &ListTexts { relay, recipient, ..ListTexts::default() });
    assert_eq!(session.rcpt(&stranger()), "permit");
    let expected =
        format!("450 4.1.1 <b@b.example>: Recipient address rejected: unverified address: {NO}");
    assert_eq!(session.log(), [format!("reject_warning: {expected}")]);
}
