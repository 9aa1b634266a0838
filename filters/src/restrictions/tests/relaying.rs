//! Stories of who may send to whom.

use super::world::{Session, World, stranger};
use crate::restrictions::*;

const DENIED: &str = "554 5.7.1 <c@c.example>: Relay access denied";

fn to(recipient: &str) -> Transaction<'_> {
    Transaction { recipient: Some(recipient), ..stranger() }
}

fn says(world: &World, relay: &str, transaction: &Transaction<'_>) -> String {
    world.rcpt(&ListTexts { relay, ..ListTexts::default() }, transaction)
}

#[test]
fn strangers_may_write_to_us_and_not_through_us() {
    let (world, list) = (World::default(), "reject_unauth_destination");
    for ours in ["b@b.example", "b@here.example", "b@boxes.example"] {
        assert_eq!(says(&world, list, &to(ours)), "permit", "{ours}");
    }
    assert_eq!(says(&world, list, &to("c@c.example")), DENIED);
    assert_eq!(
        says(&world, "defer_unauth_destination", &to("c@c.example")),
        "454 4.7.1 <c@c.example>: Relay access denied"
    );
    assert_eq!(
        says(&world, list, &to("c%c.example@b.example")),
        "554 5.7.1 <c%c.example@b.example>: Relay access denied"
    );
    assert_eq!(
        says(&world, list, &to("b@broken.example")),
        "451 4.3.0 <b@broken.example>: Temporary lookup failure"
    );
}

#[test]
fn whom_we_trust_may_write_through_us() {
    let world = World::default().trusts("192.0.2.0/24");
    assert_eq!(says(&world, "permit_mynetworks reject", &to("c@c.example")), "permit");
    let far = Transaction { address: "198.51.100.1".parse().unwrap(), ..to("c@c.example") };
    assert_eq!(says(&world, "permit_mynetworks reject_unauth_destination", &far), DENIED);
    let unclear = Transaction { name: HostName::Known("broken.example"), ..to("c@c.example") };
    assert_eq!(
        says(&world, "permit_mynetworks reject", &unclear),
        "451 4.3.0 <c@c.example>: Temporary lookup failure"
    );
    let ours = Transaction { address: "192.0.2.99".parse().unwrap(), ..to("c@c.example") };
    assert_eq!(says(&World::default(), "permit_inet_interfaces reject", &ours), "permit");
}

#[test]
fn who_logged_in_or_has_a_certificate_may_write_through_us() {
    let world = World::default().table("hash:/certs", "AA:BB laptop\nCC:DD key");
    let user = Transaction { login: Some("bob"), ..to("c@c.example") };
    assert_eq!(says(&world, "permit_sasl_authenticated reject", &user), "permit");
    let certs = Settings {
        relay_clientcerts: vec![mailweir_tables::Spec::parse("hash:/certs").unwrap()],
        ..Settings::default()
    };
    let with = |list: &str, fingerprint, key_fingerprint, trusted| {
        let certificate =
            Some(Certificate { fingerprint, key_fingerprint, name: "pc", issuer: "", trusted });
        let relay = &format!("{list} reject_unauth_destination");
        let texts = ListTexts { relay, ..ListTexts::default() };
        Session::with(&world, &texts, certs.clone())
            .rcpt(&Transaction { certificate, ..to("c@c.example") })
    };
    assert_eq!(with("permit_tls_clientcerts", "AA:BB", "", false), "permit");
    assert_eq!(with("permit_tls_clientcerts", "", "CC:DD", false), "permit");
    assert_eq!(with("permit_tls_clientcerts", "EE:FF", "EE:00", true), DENIED);
    assert_eq!(with("permit_tls_all_clientcerts", "EE:FF", "EE:00", true), "permit");
    assert_eq!(with("permit_tls_all_clientcerts", "EE:FF", "EE:00", false), DENIED);
}

#[test]
fn a_naked_address_as_greeting_is_permitted_where_the_administrator_still_wants_it() {
    let list = "permit_naked_ip_address reject_unauth_destination";
    let greets = |helo| Transaction { helo: Some(helo), ..to("c@c.example") };
    assert_eq!(says(&World::default(), list, &greets("192.0.2.1")), "permit");
    assert_eq!(says(&World::default(), list, &greets("pc.example")), DENIED);
}

#[test]
fn we_are_a_backup_if_the_domain_names_us_but_not_first() {
    let list = "permit_mx_backup reject_unauth_destination";
    let backup = World::default()
        .exchanger("c.example", 20, "here.example")
        .exchanger("c.example", 10, "mx.c.example")
        .address("mx.c.example", "198.51.100.1");
    assert_eq!(says(&backup, list, &to("c@c.example")), "permit");
    assert_eq!(says(&backup, list, &to("b@b.example")), "permit");

    let by_address = World::default()
        .exchanger("c.example", 10, "mx.c.example")
        .exchanger("c.example", 20, "backup.c.example")
        .address("mx.c.example", "198.51.100.1")
        .address("backup.c.example", "192.0.2.99");
    assert_eq!(says(&by_address, list, &to("c@c.example")), "permit");

    let first = World::default().exchanger("c.example", 10, "here.example");
    assert_eq!(says(&first, list, &to("c@c.example")), DENIED);
    assert_eq!(says(&World::default(), list, &to("c@c.example")), DENIED);

    let unclear = World::default().silent("c.example");
    assert_eq!(
        says(&unclear, list, &to("c@c.example")),
        "450 4.4.4 <c@c.example>: Recipient address rejected: Unable to look up mail exchanger \
         information: Host not found, try again"
    );
}

#[test]
fn the_first_exchangers_must_be_where_the_administrator_says() {
    let world = World::default()
        .exchanger("c.example", 20, "here.example")
        .exchanger("c.example", 10, "mx.c.example")
        .address("mx.c.example", "198.51.100.1");
    for (network, expected) in [("198.51.100.0/24", "permit"), ("203.0.113.0/24", DENIED)] {
        let mx_backup_networks = vec![network.parse().unwrap()];
        let settings = Settings { mx_backup_networks, ..Settings::default() };
        let relay = "permit_mx_backup reject_unauth_destination";
        let texts = ListTexts { relay, ..ListTexts::default() };
        let mut session = Session::with(&world, &texts, settings);
        assert_eq!(session.rcpt(&to("c@c.example")), expected);
    }
}

#[test]
fn unknown_users_are_refused_at_the_end_even_if_no_list_says_so() {
    let world = World::default();
    let list = "reject_unauth_destination";
    assert_eq!(
        says(&world, list, &to("nobody@b.example")),
        "550 5.1.1 <nobody@b.example>: Recipient address rejected: User unknown in relay recipient \
         table"
    );
    let trusted = World::default().trusts("192.0.2.0/24");
    assert_eq!(
        says(&trusted, "permit_mynetworks reject", &to("nobody@here.example")),
        "550 5.1.1 <nobody@here.example>: Recipient address rejected: User unknown in local \
         recipient table"
    );
    let texts = ListTexts { relay: list, ..ListTexts::default() };
    let off = Settings { reject_unlisted_recipient: false, ..Settings::default() };
    assert_eq!(Session::with(&world, &texts, off).rcpt(&to("nobody@b.example")), "permit");
    let from = Transaction { sender: Some("nobody@here.example"), ..stranger() };
    let on = Settings { reject_unlisted_sender: true, ..Settings::default() };
    assert_eq!(
        Session::with(&world, &texts, on).rcpt(&from),
        "550 5.1.0 <nobody@here.example>: Sender address rejected: User unknown in local recipient \
         table"
    );
    assert_eq!(
        world.recipient_list("reject_unlisted_sender", &from),
        "550 5.1.0 <nobody@here.example>: Sender address rejected: User unknown in local recipient \
         table"
    );
}

#[test]
fn the_postmaster_is_reached_whatever_the_lists_say() {
    assert_eq!(says(&World::default(), "reject", &to("Postmaster")), "permit");
}

#[test]
fn reports_to_many_are_refused() {
    let list = "reject_multi_recipient_bounce";
    let world = World::default();
    let report = |recipients| Transaction { sender: Some(""), recipients, ..stranger() };
    assert_eq!(world.recipient_list(list, &report(0)), "permit");
    assert_eq!(
        world.recipient_list(list, &report(1)),
        "550 5.5.3 <b@b.example>: Recipient address rejected: Multi-recipient bounce"
    );
    let texts =
        ListTexts { data: list, relay: "reject_unauth_destination", ..ListTexts::default() };
    let mut session = Session::new(&world, &texts);
    assert_eq!(session.at(ProtocolState::Data, &report(1)), "permit");
    assert_eq!(
        session.at(ProtocolState::Data, &report(2)),
        "550 5.5.3 <DATA>: Data command rejected: Multi-recipient bounce"
    );
}
