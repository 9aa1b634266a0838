//! Stories of block lists and permit lists in DNS.

use super::world::{Session, World, stranger};
use crate::restrictions::*;

fn listed(answer: &str) -> World {
    World::default().address("1.2.0.192.bl.example", answer)
}

const BLOCKED: &str =
    "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using bl.example";

#[test]
fn a_listed_client_is_refused_with_what_the_list_says() {
    let world = listed("127.0.0.2");
    assert_eq!(world.recipient_list("reject_rbl_client bl.example", &stranger()), BLOCKED);
    let world =
        world.text("1.2.0.192.bl.example", "open relay").text("1.2.0.192.bl.example", "see x");
    assert_eq!(
        world.recipient_list("reject_rbl_client bl.example", &stranger()),
        format!("{BLOCKED}; open relay / see x")
    );
}

#[test]
fn only_the_answers_asked_for_count() {
    let list = "reject_rbl_client bl.example=127.0.0.[2..11]";
    assert_eq!(listed("127.0.0.9").recipient_list(list, &stranger()), BLOCKED);
    assert_eq!(listed("127.0.0.12").recipient_list(list, &stranger()), "permit");
}

#[test]
fn a_list_that_does_not_answer_blocks_nobody() {
    let world = World::default().silent("1.2.0.192.bl.example");
    assert_eq!(world.recipient_list("reject_rbl_client bl.example", &stranger()), "permit");
}

#[test]
fn a_list_that_answers_with_an_error_code_blocks_nobody() {
    let world = listed("127.255.255.254");
    let texts = ListTexts {
        client: "reject_rbl_client bl.example",
        relay: "reject_unauth_destination",
        ..ListTexts::default()
    };
    let mut session = Session::new(&world, &texts);
    assert_eq!(session.rcpt(&stranger()), "permit");
    assert_eq!(
        session.log(),
        ["warning: 1.2.0.192.bl.example: the list answers with the error code 127.255.255.254"]
    );
    assert_eq!(
        world.recipient_list("permit_dnswl_client bl.example, reject", &stranger()),
        "554 5.7.1 <b@b.example>: Recipient address rejected: Access denied"
    );
}

#[test]
fn domains_are_asked_for_clients_greetings_and_addresses() {
    let world = World::default().address("bad.example.bl.example", "127.0.0.2");
    let blocked = |class: &str, what: &str| {
        format!("554 5.7.1 Service unavailable; {class} [{what}] blocked using bl.example")
    };
    let says =
        |list: &str, t: Transaction<'_>| world.recipient_list(&format!("{list} bl.example"), &t);
    let bad = HostName::Known("bad.example");
    let t = stranger();
    assert_eq!(
        says("reject_rhsbl_client", Transaction { name: bad, ..t }),
        blocked("Client host", "bad.example")
    );
    assert_eq!(
        says("reject_rhsbl_reverse_client", Transaction { reverse_name: bad, ..t }),
        blocked("Unverified Client host", "bad.example")
    );
    assert_eq!(
        says("reject_rhsbl_helo", Transaction { helo: Some("bad.example"), ..t }),
        blocked("Helo command", "bad.example")
    );
    assert_eq!(
        says("reject_rhsbl_sender", Transaction { sender: Some("a@bad.example"), ..t }),
        blocked("Sender address", "a@bad.example")
    );
    for sender in ["", "a@[192.0.2.1]", "a@192.0.2.1", "a@good.example"] {
        let mail = Transaction { sender: Some(sender), ..t };
        assert_eq!(says("reject_rhsbl_sender", mail), "permit", "{sender}");
    }
    assert_eq!(says("reject_rhsbl_client", t), "permit");
}

#[test]
fn a_permit_list_is_no_licence_to_relay() {
    let world = listed("127.0.0.1");
    let relay = "permit_dnswl_client bl.example, reject_unauth_destination";
    let texts = ListTexts { relay, ..ListTexts::default() };
    let to = |recipient| Transaction { recipient: Some(recipient), ..stranger() };
    assert_eq!(world.rcpt(&texts, &to("b@b.example")), "permit");
    assert_eq!(
        world.rcpt(&texts, &to("c@c.example")),
        "554 5.7.1 <c@c.example>: Relay access denied"
    );
}

#[test]
fn a_permit_list_that_does_not_answer_makes_refusals_wait() {
    let named = Transaction { name: HostName::Known("c.example"), ..stranger() };
    let world = World::default().silent("1.2.0.192.bl.example").silent("c.example.bl.example");
    for (list, what) in [("permit_dnswl_client", "192.0.2.1"), ("permit_rhswl_client", "c.example")]
    {
        let list = format!("{list} bl.example, reject");
        assert_eq!(
            world.recipient_list(&list, &named),
            format!("450 4.7.1 <{what}>: Client host rejected: Service unavailable")
        );
    }
}

#[test]
fn a_list_can_have_its_own_reply() {
    let world = listed("127.0.0.2").table(
        "hash:/replies",
        "bl.example $rbl_code 5.1.1 Sorry, $rbl_what\nodd.example ${rbl_code",
    );
    let rbl_reply_maps = vec![mailweir_tables::Spec::parse("hash:/replies").unwrap()];
    let settings = Settings { rbl_reply_maps, ..Settings::default() };
    let texts = ListTexts {
        client: "reject_rbl_client bl.example=127.0.0.2",
        relay: "reject_unauth_destination",
        ..ListTexts::default()
    };
    let mut session = Session::with(&world, &texts, settings);
    // A status about addresses makes no sense of a host.
    assert_eq!(session.rcpt(&stranger()), "554 5.0.0 Sorry, 192.0.2.1");
}

#[test]
fn dns_is_asked_once_for_each_mail() {
    let world = listed("127.0.0.2");
    let texts = ListTexts {
        client: "warn_if_reject reject_rbl_client bl.example, warn_if_reject reject_rbl_client \
                 bl.example=127.0.0.2",
        relay: "reject_unauth_destination",
        ..ListTexts::default()
    };
    let mut session = Session::new(&world, &texts);
    for _ in 0..3 {
        assert_eq!(session.rcpt(&stranger()), "permit");
    }
    let asked = ["A 1.2.0.192.bl.example", "Txt 1.2.0.192.bl.example"];
    assert_eq!(*world.asked.lock().unwrap(), asked);
    session.memory.end_transaction();
    assert_eq!(session.rcpt(&stranger()), "permit");
    assert_eq!(world.asked.lock().unwrap().len(), 4);
}
