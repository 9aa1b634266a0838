//! Stories of lists that leave something for each other.

use super::world::{Session, World, stranger};
use crate::restrictions::{ProtocolState::*, *};

const RELAY: &str = "reject_unauth_destination";
const DENIED: &str = "554 5.7.1 <b@b.example>: Recipient address rejected: Access denied";

#[test]
fn permit_ends_its_own_list_and_no_other() {
    let world = World::default();
    let texts = ListTexts {
        client: "permit",
        helo: "permit",
        sender: "permit",
        relay: "permit",
        recipient: "reject",
        ..ListTexts::default()
    };
    assert_eq!(world.rcpt(&texts, &stranger()), DENIED);
}

#[test]
fn client_greeting_and_sender_are_judged_at_the_recipient_in_this_order() {
    let world = World::default();
    let all = ListTexts {
        client: "reject",
        helo: "reject",
        sender: "reject",
        relay: "reject",
        recipient: "reject",
        ..ListTexts::default()
    };
    let mut session = Session::new(&world, &all);
    for state in [Connect, Helo, Mail] {
        assert_eq!(session.at(state, &stranger()), "permit");
    }
    let client = "554 5.7.1 <unknown[192.0.2.1]>: Client host rejected: Access denied";
    assert_eq!(session.rcpt(&stranger()), client);
    let helo = ListTexts { client: "", ..all };
    assert!(world.rcpt(&helo, &stranger()).contains("Helo command"));
    let sender = ListTexts { helo: "", ..helo };
    assert!(world.rcpt(&sender, &stranger()).contains("Sender address"));
    let relay = ListTexts { sender: "", relay: "reject_unauth_destination", ..sender };
    let elsewhere = Transaction { recipient: Some("c@c.example"), ..stranger() };
    assert!(world.rcpt(&relay, &elsewhere).contains("Relay access denied"));
}

#[test]
fn without_delay_each_list_is_judged_at_its_command() {
    let world = World::default();
    let texts = ListTexts {
        client: "permit",
        helo: "reject_non_fqdn_helo_hostname",
        sender: "reject",
        relay: RELAY,
        ..ListTexts::default()
    };
    let settings = Settings { delay_reject: false, ..Settings::default() };
    let mut session = Session::with(&world, &texts, settings);
    let t = Transaction { helo: Some("pc"), ..stranger() };
    assert_eq!(session.at(Connect, &t), "permit");
    assert!(session.at(Helo, &t).starts_with("504 5.5.2 <pc>"));
    assert!(session.at(Mail, &t).starts_with("554 5.7.1 <a@a.example>: Sender"));
    assert_eq!(session.rcpt(&t), "permit");
}

#[test]
fn without_delay_nothing_can_be_done_to_a_mail_that_is_not_there() {
    let world = World::default().table("hash:/t", "unknown HOLD");
    let texts = ListTexts { client: "hash:/t", relay: RELAY, ..ListTexts::default() };
    let settings = Settings { delay_reject: false, ..Settings::default() };
    let mut session = Session::with(&world, &texts, settings);
    let t = Transaction { helo: None, sender: None, recipient: None, ..stranger() };
    assert_eq!(session.at(Connect, &t), "permit");
    assert_eq!(*session.memory.effects(), Effects::default());
    assert_eq!(session.log().len(), 1);
}

#[test]
fn a_relay_list_comes_first_unless_told_otherwise() {
    let world = World::default();
    let texts = ListTexts { relay: "defer", recipient: "reject", ..ListTexts::default() };
    assert!(world.rcpt(&texts, &stranger()).starts_with("450 4.3.2"));
    let settings = Settings { relay_before_recipient: false, ..Settings::default() };
    assert_eq!(Session::with(&world, &texts, settings).rcpt(&stranger()), DENIED);
}

#[test]
fn warn_if_reject_is_for_the_next_restriction_only() {
    let world = World::default();
    assert_eq!(world.recipient_list("warn_if_reject reject, permit", &stranger()), "permit");
    assert_eq!(world.recipient_list("warn_if_reject reject, reject", &stranger()), DENIED);
    assert_eq!(
        world.recipient_list("warn_if_reject warn_if_reject reject, reject", &stranger()),
        DENIED
    );
    assert_eq!(world.recipient_list("warn_if_reject", &stranger()), "permit");
    assert_eq!(
        world.recipient_list("warn_if_reject permit_mynetworks, reject", &stranger()),
        DENIED
    );
}

#[test]
fn warn_if_reject_is_for_all_of_a_class() {
    let world = World::default();
    let says = |recipient| {
        let texts = ListTexts {
            recipient,
            relay: RELAY,
            classes: &[("strict", "reject, defer"), ("open", "warn_if_reject")],
            ..ListTexts::default()
        };
        let mut session = Session::new(&world, &texts);
        let said = session.rcpt(&stranger());
        (said, session.log().len())
    };
    assert_eq!(says("warn_if_reject strict"), ("permit".to_owned(), 2));
    assert_eq!(says("warn_if_reject strict, reject").0, DENIED);
    assert_eq!(says("open reject").0, DENIED);
}

#[test]
fn our_own_trouble_is_no_warning() {
    let to_broken = Transaction { recipient: Some("b@broken.example"), ..stranger() };
    assert_eq!(
        World::default().recipient_list("warn_if_reject reject_unauth_destination", &to_broken),
        "451 4.3.0 <b@broken.example>: Temporary lookup failure"
    );
}

#[test]
fn a_doubt_makes_a_permit_wait() {
    let world = World::default().silent("pc.example");
    let doubt = "450 4.7.1 <pc.example>: Helo command rejected: Host not found";
    let says = |helo, recipient| {
        let texts = ListTexts { helo, recipient, relay: RELAY, ..ListTexts::default() };
        world.rcpt(&texts, &stranger())
    };
    assert_eq!(says("reject_unknown_helo_hostname", ""), doubt);
    assert_eq!(says("reject_unknown_helo_hostname", "permit"), doubt);
    assert_eq!(says("reject_unknown_helo_hostname", "reject"), DENIED);
    assert_eq!(says("", "reject_unknown_helo_hostname, permit"), doubt);
    assert_eq!(says("", "warn_if_reject reject_unknown_helo_hostname"), "permit");
}

#[test]
fn a_doubt_refuses_at_once_if_the_administrator_wants_it() {
    let world = World::default().silent("pc.example");
    let texts = ListTexts {
        recipient: "reject_unknown_helo_hostname, reject",
        relay: RELAY,
        ..ListTexts::default()
    };
    let settings = Settings { unknown_helo_waits: false, ..Settings::default() };
    assert_eq!(
        Session::with(&world, &texts, settings).rcpt(&stranger()),
        "450 4.7.1 <pc.example>: Helo command rejected: Host not found"
    );
}

#[test]
fn a_doubt_about_a_permit_makes_a_refusal_wait_within_its_list() {
    let world = World::default();
    let doubt = "450 4.7.0 <b@b.example>: Recipient address rejected: defer_if_reject requested";
    assert_eq!(world.recipient_list("defer_if_reject, reject", &stranger()), doubt);
    assert_eq!(world.recipient_list("defer_if_reject, permit", &stranger()), "permit");
    assert_eq!(
        world.recipient_list("defer_if_reject, defer", &stranger()),
        "450 4.3.2 <b@b.example>: Recipient address rejected: Try again later"
    );
    let texts = ListTexts {
        sender: "defer_if_reject",
        recipient: "reject",
        relay: RELAY,
        ..ListTexts::default()
    };
    assert_eq!(world.rcpt(&texts, &stranger()), DENIED);
    // The relay and the recipient list are one in this.
    let texts = ListTexts { relay: "defer_if_reject", recipient: "reject", ..ListTexts::default() };
    assert_eq!(world.rcpt(&texts, &stranger()), doubt);
}

#[test]
fn with_both_doubts_nothing_else_is_asked() {
    let world = World::default();
    assert_eq!(
        world.recipient_list("defer_if_permit, defer_if_reject, reject", &stranger()),
        "450 4.7.0 <b@b.example>: Recipient address rejected: defer_if_permit requested"
    );
}

#[test]
fn a_doubt_about_one_recipient_is_none_about_the_next() {
    let world = World::default().table("hash:/t", "b@b.example defer_if_permit\n");
    let texts = ListTexts { recipient: "hash:/t", relay: RELAY, ..ListTexts::default() };
    let mut session = Session::new(&world, &texts);
    assert!(session.rcpt(&stranger()).starts_with("450"));
    let other = Transaction { recipient: Some("c@relay.example"), ..stranger() };
    assert_eq!(session.rcpt(&other), "permit");
    assert_eq!(session.at(Data, &other), "permit");
}

#[test]
fn classes_are_lists_by_name_and_may_be_named_by_tables() {
    let world = World::default().table("hash:/t", "b@b.example strict\na.example lenient, reject");
    let says = |recipient: &str| {
        let texts = ListTexts {
            recipient,
            relay: RELAY,
            classes: &[("strict", "reject_non_fqdn_helo_hostname, reject"), ("lenient", "permit")],
            ..ListTexts::default()
        };
        world.rcpt(&texts, &stranger())
    };
    assert_eq!(says("strict"), DENIED);
    assert_eq!(says("lenient, reject"), "permit");
    assert_eq!(says("check_recipient_access hash:/t"), DENIED);
    assert_eq!(says("check_sender_access hash:/t, reject"), "permit");
}

#[test]
fn a_table_alone_in_a_class_looks_up_what_the_list_is_about() {
    let world = World::default().table("hash:/t", "pc.example REJECT\na@a.example REJECT");
    let classes = &[("bare", "hash:/t")];
    let helo = ListTexts { helo: "bare", relay: RELAY, classes, ..ListTexts::default() };
    assert!(world.rcpt(&helo, &stranger()).contains("<pc.example>: Helo command"));
    let sender = ListTexts { sender: "bare", relay: RELAY, classes, ..ListTexts::default() };
    assert!(world.rcpt(&sender, &stranger()).contains("<a@a.example>: Sender address"));
    let data = ListTexts { data: "bare", relay: RELAY, classes, ..ListTexts::default() };
    assert_eq!(
        Session::new(&world, &data).at(Data, &stranger()),
        "451 4.3.5 Server configuration error"
    );
}

#[test]
fn a_class_that_contains_itself_comes_to_an_end() {
    let world = World::default();
    let texts = ListTexts {
        recipient: "loop",
        relay: RELAY,
        classes: &[("loop", "permit_mynetworks, loop")],
        ..ListTexts::default()
    };
    assert_eq!(world.rcpt(&texts, &stranger()), "451 4.3.5 Server configuration error");
    let world = World::default().table("hash:/t", "b@b.example again");
    let texts = ListTexts {
        recipient: "again",
        relay: RELAY,
        classes: &[("again", "check_recipient_access hash:/t")],
        ..ListTexts::default()
    };
    assert_eq!(world.rcpt(&texts, &stranger()), "451 4.3.5 Server configuration error");
}

#[test]
fn at_the_end_of_the_mail_all_recipients_are_meant() {
    let world = World::default().table("hash:/t", "b@b.example REJECT");
    let texts = ListTexts {
        end_of_data: "check_recipient_access hash:/t",
        data: "reject_unauth_pipelining",
        relay: RELAY,
        ..ListTexts::default()
    };
    let mut session = Session::new(&world, &texts);
    let mail = |recipients| Transaction { recipients, ..stranger() };
    assert_eq!(session.at(EndOfMessage, &mail(1)), DENIED);
    assert_eq!(session.at(EndOfMessage, &mail(2)), "permit");
    let texts = ListTexts { end_of_data: "reject", relay: RELAY, ..ListTexts::default() };
    assert_eq!(
        Session::new(&world, &texts).at(EndOfMessage, &mail(1)),
        "554 5.7.1 <END-OF-MESSAGE>: End-of-data rejected: Access denied"
    );
}

#[test]
fn a_refusal_names_the_restriction_and_the_rule() {
    let world =
        World::default().table("hash:/t", "b.example REJECT\na.example Reject_Plaintext_Session");
    let texts = ListTexts {
        recipient: "Check_Recipient_Access hash:/t",
        relay: RELAY,
        ..ListTexts::default()
    };
    let mut session = Session::new(&world, &texts);
    session.rcpt(&stranger());
    let refusal = session.last.unwrap().ruling.refusal().cloned().unwrap();
    assert_eq!(&*refusal.restriction, "Check_Recipient_Access");
    assert_eq!(refusal.place.unwrap().to_string(), "hash:/t, line 1");

    let texts = ListTexts { sender: "hash:/t", relay: RELAY, ..ListTexts::default() };
    let mut session = Session::new(&world, &texts);
    session.rcpt(&stranger());
    let refusal = session.last.unwrap().ruling.refusal().cloned().unwrap();
    assert_eq!(&*refusal.restriction, "Reject_Plaintext_Session");
    assert_eq!(refusal.place.unwrap().to_string(), "hash:/t, line 2");

    let texts = ListTexts { recipient: "reject", relay: RELAY, ..ListTexts::default() };
    let mut session = Session::new(&world, &texts);
    session.rcpt(&stranger());
    let refusal = session.last.unwrap().ruling.refusal().cloned().unwrap();
    assert_eq!((&*refusal.restriction, refusal.place), ("reject", None));
}

#[test]
fn sleep_is_a_wait_before_the_reply() {
    let world = World::default();
    let texts = ListTexts { client: "sleep 2, sleep 3", relay: RELAY, ..ListTexts::default() };
    let mut session = Session::new(&world, &texts);
    assert_eq!(session.rcpt(&stranger()), "permit");
    assert_eq!(session.last.unwrap().delay, 5);
}

#[test]
fn the_log_of_one_command_has_an_end() {
    let world = World::default();
    let list = "warn_if_reject reject ".repeat(Outcome::MAX_DECISIONS * 2);
    let texts = ListTexts { recipient: &list, relay: RELAY, ..ListTexts::default() };
    let mut session = Session::new(&world, &texts);
    assert_eq!(session.rcpt(&stranger()), "permit");
    assert_eq!(session.log().len(), Outcome::MAX_DECISIONS);
}
