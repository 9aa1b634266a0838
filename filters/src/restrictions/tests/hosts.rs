//! Stories of names: of clients, in HELO, of domains.

use super::world::{World, stranger};
use crate::restrictions::*;

fn helo(world: &World, list: &str, name: &str) -> String {
    let texts =
        ListTexts { helo: list, relay: "reject_unauth_destination", ..ListTexts::default() };
    world.rcpt(&texts, &Transaction { helo: Some(name), ..stranger() })
}

#[test]
fn a_greeting_must_be_a_name_or_an_address_in_brackets() {
    let world = World::default();
    for (list, name, says) in [
        ("reject_invalid_helo_hostname", "pc", "permit"),
        ("reject_invalid_helo_hostname", "pc.example.", "permit"),
        ("reject_invalid_helo_hostname", "192.0.2.1", "permit"),
        ("reject_invalid_helo_hostname", "[192.0.2.1]", "permit"),
        ("reject_invalid_helo_hostname", "[IPv6:2001:db8::1]", "permit"),
        (
            "reject_invalid_helo_hostname",
            "pc..example",
            "501 5.5.2 <pc..example>: Helo command rejected: Invalid name",
        ),
        (
            "reject_invalid_helo_hostname",
            "[pc]",
            "501 5.5.2 <[pc]>: Helo command rejected: invalid ip address",
        ),
        (
            "reject_non_fqdn_helo_hostname",
            "pc",
            "504 5.5.2 <pc>: Helo command rejected: need fully-qualified hostname",
        ),
        (
            "reject_non_fqdn_helo_hostname",
            "192.0.2.1",
            "504 5.5.2 <192.0.2.1>: Helo command rejected: need fully-qualified hostname",
        ),
        ("reject_non_fqdn_helo_hostname", "pc.example.", "permit"),
        ("reject_non_fqdn_helo_hostname", "[192.0.2.1]", "permit"),
    ] {
        assert_eq!(helo(&world, list, name), says, "{list} {name}");
    }
}

#[test]
fn a_client_that_did_not_greet_is_not_judged_by_its_greeting() {
    let texts =
        ListTexts { helo: "reject", relay: "reject_unauth_destination", ..ListTexts::default() };
    let silent = Transaction { helo: None, ..stranger() };
    assert_eq!(World::default().rcpt(&texts, &silent), "permit");
}

#[test]
fn a_greeting_that_dns_does_not_know_is_refused_for_now() {
    let world = World::default()
        .address("four.example", "192.0.2.7")
        .address("six.example", "2001:db8::7")
        .exchanger("mail.example", 10, "four.example")
        .exchanger("null.example", 0, "")
        .failing("odd.example", DnsError::Malformed);
    for known in ["four.example", "six.example", "mail.example", "null.example", "[192.0.2.1]"] {
        assert_eq!(helo(&world, "reject_unknown_helo_hostname", known), "permit", "{known}");
    }
    assert_eq!(
        helo(&world, "reject_unknown_helo_hostname", "none.example"),
        "450 4.7.1 <none.example>: Helo command rejected: Host not found"
    );
    assert_eq!(
        helo(&world, "reject_unknown_helo_hostname", "odd.example"),
        "450 4.7.1 <odd.example>: Helo command rejected: Malformed DNS server reply"
    );
}

#[test]
fn a_client_without_a_name_is_refused_and_one_whose_name_is_unclear_for_now() {
    let says = |list: &str, name, reverse_name| {
        let texts =
            ListTexts { client: list, relay: "reject_unauth_destination", ..ListTexts::default() };
        let codes = Codes { unknown_client: 550, ..Codes::default() };
        let world = World::default();
        let settings = Settings { codes, ..Settings::default() };
        let mut session = super::world::Session::with(&world, &texts, settings);
        session.rcpt(&Transaction { name, reverse_name, ..stranger() })
    };
    use HostName::{Known, Unclear, Unknown};
    let (name, reverse) = ("reject_unknown_client", "reject_unknown_reverse_client_hostname");
    let no_name = "Client host rejected: cannot find your hostname, [192.0.2.1]";
    let no_reverse = "Client host rejected: cannot find your reverse hostname, [192.0.2.1]";
    assert_eq!(says(name, Known("c.example"), Known("c.example")), "permit");
    assert_eq!(says(name, Unknown, Known("c.example")), format!("550 5.7.25 {no_name}"));
    assert_eq!(says(name, Unclear, Unclear), format!("450 4.7.25 {no_name}"));
    assert_eq!(says(reverse, Unknown, Known("c.example")), "permit");
    assert_eq!(says(reverse, Unknown, Unknown), format!("550 5.7.1 {no_reverse}"));
    assert_eq!(says(reverse, Unknown, Unclear), format!("450 4.7.1 {no_reverse}"));
}

#[test]
fn addresses_need_a_full_domain() {
    let world = World::default();
    for (sender, says) in [
        ("a@a.example", "permit"),
        ("", "permit"),
        ("a@[192.0.2.1]", "permit"),
        ("a@pc", "504 5.5.2 <a@pc>: Sender address rejected: need fully-qualified address"),
        ("a", "504 5.5.2 <a>: Sender address rejected: need fully-qualified address"),
        ("a@pc..x", "504 5.5.2 <a@pc..x>: Sender address rejected: need fully-qualified address"),
        (
            "ü@bücher.example",
            "504 5.5.2 <ü@bücher.example>: Sender address rejected: need fully-qualified address",
        ),
    ] {
        let mail = Transaction { sender: Some(sender), ..stranger() };
        assert_eq!(world.recipient_list("reject_non_fqdn_sender", &mail), says);
    }
    let mail = Transaction { sender: Some("ü@bücher.example"), smtputf8: true, ..stranger() };
    assert_eq!(world.recipient_list("reject_non_fqdn_sender", &mail), "permit");
    let mail = Transaction { recipient: Some("b@b"), ..stranger() };
    assert_eq!(
        world.trusts("192.0.2.0/24").recipient_list("reject_non_fqdn_recipient", &mail),
        "504 5.5.2 <b@b>: Recipient address rejected: need fully-qualified address"
    );
}

#[test]
fn a_domain_must_be_able_to_take_mail() {
    let world = World::default()
        .exchanger("mail.example", 10, "mx.example")
        .address("host.example", "192.0.2.7")
        .exchanger("null.example", 0, "")
        .address("null.example", "192.0.2.7")
        .exchanger("xn--bcher-kva.example", 10, "mx.example")
        .failing("odd.example", DnsError::Malformed)
        .silent("silent.example")
        .trusts("192.0.2.0/24");
    for (address, sender_says, recipient_says) in [
        ("a@mail.example", "permit", "permit"),
        ("a@host.example", "permit", "permit"),
        ("a@here.example", "permit", "permit"),
        ("a@[192.0.2.1]", "permit", "permit"),
        ("ü@bücher.example", "permit", "permit"),
        (
            "a@none.example",
            "450 4.1.8 <a@none.example>: Sender address rejected: Domain not found",
            "450 4.1.2 <a@none.example>: Recipient address rejected: Domain not found",
        ),
        (
            "a@null.example",
            "550 5.7.27 <a@null.example>: Sender address rejected: Domain null.example does not accept mail (nullMX)",
            "556 5.1.10 <a@null.example>: Recipient address rejected: Domain null.example does not accept mail (nullMX)",
        ),
        (
            "a@odd.example",
            "450 4.1.8 <a@odd.example>: Sender address rejected: Malformed DNS server reply",
            "450 4.1.2 <a@odd.example>: Recipient address rejected: Malformed DNS server reply",
        ),
        (
            "a@silent.example",
            "450 4.1.8 <a@silent.example>: Sender address rejected: Domain not found",
            "450 4.1.2 <a@silent.example>: Recipient address rejected: Domain not found",
        ),
    ] {
        let mail = Transaction { sender: Some(address), ..stranger() };
        assert_eq!(world.recipient_list("reject_unknown_sender_domain", &mail), sender_says);
        let mail = Transaction { recipient: Some(address), ..stranger() };
        assert_eq!(world.recipient_list("reject_unknown_recipient_domain", &mail), recipient_says);
    }
    let report = Transaction { sender: Some(""), ..stranger() };
    assert_eq!(world.recipient_list("reject_unknown_sender_domain", &report), "permit");
}
