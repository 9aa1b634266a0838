//! Stories of access tables.

use super::world::{Session, World, stranger};
use crate::restrictions::*;

fn recipient_table(world: &World) -> String {
    world.recipient_list("check_recipient_access hash:/t", &stranger())
}

#[test]
fn a_table_says_what_becomes_of_an_address() {
    for (lines, says) in [
        ("b@b.example OK", "permit"),
        ("b@b.example RELAY", "permit"),
        ("b@b.example 12345", "permit"),
        ("b@b.example DUNNO\nb.example REJECT", "permit"),
        ("b.example REJECT", "554 5.7.1 <b@b.example>: Recipient address rejected: Access denied"),
        ("b@ reject Gone", "554 5.7.1 <b@b.example>: Recipient address rejected: Gone"),
        ("example REJECT 5.1.7 Bad", "554 5.1.3 <b@b.example>: Recipient address rejected: Bad"),
        ("b@b.example DEFER", "450 4.7.1 <b@b.example>: Recipient address rejected: Access denied"),
        (
            "b@b.example DEFER 4.3.2 Later",
            "450 4.3.2 <b@b.example>: Recipient address rejected: Later",
        ),
        ("b@b.example 421 4.3.2 Bye", "421 4.3.2 <b@b.example>: Recipient address rejected: Bye"),
        ("b@b.example 550 4.1.1 No", "550 5.1.1 <b@b.example>: Recipient address rejected: No"),
        ("b@b.example 450 No", "450 4.7.1 <b@b.example>: Recipient address rejected: No"),
        (
            "b@b.example defer_if_permit Wait",
            "450 4.7.1 <b@b.example>: Recipient address rejected: Wait",
        ),
        (
            "b@b.example defer_if_permit",
            "450 4.7.1 <b@b.example>: Recipient address rejected: Service unavailable",
        ),
        ("b@b.example defer_if_reject", "permit"),
        (
            "b@b.example permit_mynetworks, reject",
            "554 5.7.1 <b@b.example>: Recipient address rejected: Access denied",
        ),
        ("b@b.example check_helo_access hash:/x", "451 4.3.5 Server configuration error"),
        ("b@b.example permit_nobody", "451 4.3.5 Server configuration error"),
        ("b@b.example reject_unknown_nonsense, reject", "451 4.3.5 Server configuration error"),
    ] {
        // A table's text lives as long as the world.
        let world = World::default().table("hash:/t", Box::leak(lines.to_owned().into_boxed_str()));
        assert_eq!(recipient_table(&world), says, "{lines}");
    }
}

#[test]
fn a_table_that_cannot_answer_makes_the_mail_wait() {
    assert_eq!(
        World::default().recipient_list("check_recipient_access fail:/t", &stranger()),
        "451 4.3.5 <b@b.example>: Recipient address rejected: Server configuration error"
    );
}

#[test]
fn one_table_speaks_of_hosts_senders_and_recipients() {
    let world = World::default().table(
        "hash:/t",
        "a.example REJECT 5.1.1 No\nb.example REJECT 5.1.1 No\npc.example REJECT 5.1.1 No\n192.0.2 REJECT 5.1.1 No\n<> REJECT 5.1.1 No",
    );
    for (list, says) in [
        ("check_client_access hash:/t", "554 5.0.0 <unknown[192.0.2.1]>: Client host rejected: No"),
        ("check_helo_access hash:/t", "554 5.0.0 <pc.example>: Helo command rejected: No"),
        ("check_sender_access hash:/t", "554 5.1.7 <a@a.example>: Sender address rejected: No"),
        (
            "check_recipient_access hash:/t",
            "554 5.1.1 <b@b.example>: Recipient address rejected: No",
        ),
        (
            "check_reverse_client_hostname_access hash:/t",
            "554 5.0.0 <unknown>: Unverified Client host rejected: No",
        ),
    ] {
        assert_eq!(world.recipient_list(list, &stranger()), says, "{list}");
    }
    let report = Transaction { sender: Some(""), ..stranger() };
    assert_eq!(
        world.recipient_list("check_sender_access hash:/t", &report),
        "554 5.1.7 <>: Sender address rejected: No"
    );
}

#[test]
fn a_clients_name_is_looked_up_before_its_address() {
    let world =
        World::default().table("hash:/t", "c.example DUNNO\n192.0.2.1 REJECT\nunknown REJECT Who?");
    let named = Transaction { name: HostName::Known("host.c.example"), ..stranger() };
    assert_eq!(world.recipient_list("check_client_access hash:/t", &named), "permit");
    assert_eq!(
        world.recipient_list("check_client_access hash:/t", &stranger()),
        "554 5.7.1 <unknown[192.0.2.1]>: Client host rejected: Who?"
    );
}

#[test]
fn tables_of_patterns_see_the_whole_key_only() {
    let world = World::default().table("pcre:/t", "b.example REJECT\nb@ REJECT");
    assert_eq!(world.recipient_list("check_recipient_access pcre:/t", &stranger()), "permit");
}

#[test]
fn certificates_are_looked_up_by_fingerprint() {
    let world = World::default().table("hash:/t", "AA:BB REJECT\nCC:DD OK");
    let says = |fingerprint, key_fingerprint| {
        let certificate = Certificate {
            fingerprint,
            key_fingerprint,
            name: "laptop",
            issuer: "",
            trusted: false,
        };
        let mail = Transaction { certificate: Some(certificate), ..stranger() };
        world.recipient_list("check_ccert_access hash:/t reject", &mail)
    };
    assert_eq!(says("AA:BB", ""), "554 5.7.1 <laptop>: Client certificate rejected: Access denied");
    assert_eq!(says("EE:FF", "CC:DD"), "permit");
    assert_eq!(
        says("EE:FF", ""),
        "554 5.7.1 <b@b.example>: Recipient address rejected: Access denied"
    );
}

#[test]
fn ok_for_a_name_that_anybody_can_make_up_is_a_mistake() {
    let world = World::default()
        .table("hash:/t", "192.0.2.7 OK\nforged.example OK\nns.a.example OK")
        .address("a.example", "192.0.2.7")
        .name_server("a.example", "ns.a.example");
    let forged = Transaction { reverse_name: HostName::Known("forged.example"), ..stranger() };
    for list in [
        "check_reverse_client_hostname_access hash:/t",
        "check_sender_a_access hash:/t",
        "check_sender_mx_access hash:/t",
        "check_sender_ns_access hash:/t",
    ] {
        assert_eq!(
            world.recipient_list(list, &forged),
            "451 4.3.5 Server configuration error",
            "{list}"
        );
    }
}

#[test]
fn the_servers_of_a_domain_can_be_refused() {
    let world = World::default()
        .table("hash:/t", "mx.bad.example REJECT MX\n198.51.100 REJECT Net\nns.bad.example REJECT NS\n192.0.2.1 REJECT Literal")
        .exchanger("a.example", 10, "mx.bad.example")
        .exchanger("far.example", 10, "mx.far.example")
        .address("mx.far.example", "198.51.100.7")
        .address("only-a.example", "198.51.100.8")
        .exchanger("null.example", 0, "")
        .name_server("a.example", "ns.bad.example");
    let says = |list: &str, sender| {
        let mail = Transaction { sender: Some(sender), ..stranger() };
        world.recipient_list(&format!("{list} hash:/t"), &mail)
    };
    let no = |sender, why| format!("554 5.7.1 <{sender}>: Sender address rejected: {why}");
    for (list, sender, why) in [
        ("check_sender_mx_access", "a@a.example", "MX"),
        ("check_sender_mx_access", "a@far.example", "Net"),
        ("check_sender_mx_access", "a@only-a.example", "Net"),
        ("check_sender_mx_access", "a@[192.0.2.1]", "Literal"),
        ("check_sender_a_access", "a@only-a.example", "Net"),
        ("check_sender_a_access", "a@[192.0.2.1]", "Literal"),
        ("check_sender_ns_access", "a@deep.down.a.example", "NS"),
    ] {
        assert_eq!(says(list, sender), no(sender, why), "{list} {sender}");
    }
    for (list, sender) in [
        ("check_sender_mx_access", "a@null.example"),
        ("check_sender_mx_access", "a@none.example"),
        ("check_sender_mx_access", ""),
        ("check_sender_a_access", "a@a.example"),
        ("check_sender_ns_access", "a@[192.0.2.1]"),
        ("check_sender_ns_access", "a@none.example"),
    ] {
        assert_eq!(says(list, sender), "permit", "{list} {sender}");
    }
}

#[test]
fn a_client_without_a_name_has_no_servers() {
    let world = World::default().table("hash:/t", "unknown REJECT");
    for list in ["check_client_mx_access", "check_reverse_client_hostname_a_access"] {
        assert_eq!(world.recipient_list(&format!("{list} hash:/t"), &stranger()), "permit");
    }
}

#[test]
fn actions_on_the_mail_are_kept_and_the_list_goes_on() {
    let world = World::default().table(
        "hash:/t",
        "a@a.example HOLD look at it
         b@b.example PREPEND X-First: 1
         pc.example FILTER smtp:[127.0.0.1]:10025
         unknown REDIRECT c@c.example
         192.0.2.1 BCC d@d.example",
    );
    let texts = ListTexts {
        client: "hash:/t",
        helo: "hash:/t",
        sender: "hash:/t hash:/t",
        recipient: "hash:/t, warn_if_reject reject",
        relay: "reject_unauth_destination",
        ..ListTexts::default()
    };
    let mut session = Session::new(&world, &texts);
    assert_eq!(session.rcpt(&stranger()), "permit");
    let said = |wish: &Option<Wish>| wish.as_ref().map(|wish| wish.text.to_string());
    let effects = session.memory.effects();
    assert_eq!(said(&effects.hold).as_deref(), Some("look at it"));
    assert_eq!(said(&effects.filter).as_deref(), Some("smtp:[127.0.0.1]:10025"));
    assert_eq!(said(&effects.redirect).as_deref(), Some("c@c.example"));
    assert_eq!(effects.prepend.len(), 1);
    assert_eq!(effects.discard, None);
    assert_eq!(
        session.log(),
        [
            "redirect: <unknown[192.0.2.1]>: Client host triggers REDIRECT c@c.example",
            "filter: <pc.example>: Helo command triggers FILTER smtp:[127.0.0.1]:10025",
            "hold: <a@a.example>: Sender address look at it",
            "prepend: X-First: 1",
            "reject_warning: 554 5.7.1 <b@b.example>: Recipient address rejected: Access denied",
        ]
    );
    let place = session.decisions[2].place.as_ref().map(ToString::to_string);
    assert_eq!(place.as_deref(), Some("hash:/t, line 1"));

    // They hold for the mail, whichever recipient they were found for; and for no other mail.
    let refused = Transaction { recipient: Some("c@c.example"), ..stranger() };
    assert!(session.rcpt(&refused).starts_with("554"));
    assert!(session.memory.effects().hold.is_some());
    session.memory.end_transaction();
    assert_eq!(*session.memory.effects(), Effects::default());
}

#[test]
fn copies_are_asked_for_once_and_headers_for_each_recipient() {
    let world = World::default()
        .table("hash:/bcc", "a@a.example BCC d@d.example")
        .table("hash:/header", "a@a.example PREPEND X: 1");
    let texts = ListTexts {
        sender: "hash:/bcc hash:/header",
        relay: "reject_unauth_destination",
        ..ListTexts::default()
    };
    let mut session = Session::new(&world, &texts);
    for _ in 0..Effects::MAX_OF_A_KIND + 5 {
        assert_eq!(session.rcpt(&stranger()), "permit");
    }
    assert_eq!(session.memory.effects().bcc.len(), 1);
    assert_eq!(session.memory.effects().prepend.len(), Effects::MAX_OF_A_KIND);
}

#[test]
fn what_an_action_needs_must_be_there() {
    for (value, complaint) in [
        ("FILTER nonsense", "requires transport:destination"),
        ("REDIRECT nobody", "requires user@domain"),
        ("BCC nobody", "requires user@domain"),
        ("PREPEND no header", "requires header: text"),
    ] {
        let line = format!("a@a.example {value}");
        let world = World::default().table("hash:/t", Box::leak(line.into_boxed_str()));
        let texts = ListTexts {
            sender: "hash:/t",
            relay: "reject_unauth_destination",
            ..ListTexts::default()
        };
        let mut session = Session::new(&world, &texts);
        assert_eq!(session.rcpt(&stranger()), "permit");
        assert_eq!(
            session.log(),
            [format!("warning: access table hash:/t, line 1: {complaint}")],
            "{value}"
        );
        assert_eq!(*session.memory.effects(), Effects::default());
    }
}

#[test]
fn a_header_cannot_be_put_on_top_of_what_was_received() {
    let world = World::default().table("hash:/t", "a@a.example PREPEND X: 1");
    let texts = ListTexts {
        end_of_data: "check_sender_access hash:/t",
        relay: "reject_unauth_destination",
        ..ListTexts::default()
    };
    let mut session = Session::new(&world, &texts);
    assert_eq!(session.at(ProtocolState::EndOfMessage, &stranger()), "permit");
    assert_eq!(*session.memory.effects(), Effects::default());
}

#[test]
fn discard_ends_all_checks_and_claims_success() {
    let world = World::default().table("hash:/t", "a@a.example DISCARD");
    let texts = ListTexts {
        sender: "hash:/t",
        relay: "reject_unauth_destination",
        recipient: "reject",
        data: "reject",
        ..ListTexts::default()
    };
    let mut session = Session::new(&world, &texts);
    let elsewhere = Transaction { recipient: Some("nobody@c.example"), ..stranger() };
    assert_eq!(session.rcpt(&elsewhere), "permit");
    assert_eq!(session.at(ProtocolState::Data, &elsewhere), "permit");
    assert!(session.memory.effects().discard.is_some());
    assert_eq!(session.log(), ["discard: <a@a.example>: Sender address triggers DISCARD action"]);
}
