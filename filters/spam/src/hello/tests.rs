use super::*;
use crate::dns::{
    Budget,
    table::{Table, at_once},
};

/// What is asked of by all of these: our name is `gate.own.example`, our domain `own.example`.
fn check_as(client: &str, said: &str, proven: Option<&str>, dns: &impl Dns) -> Helo {
    let domains = OwnDomains::new(["own.example"]);
    let address = Some("198.51.100.1".parse().unwrap());
    let ours = Ourselves { name: "gate.own.example", address, domains: &domains };
    let hello = Hello { client: client.parse().unwrap(), said, proven };
    at_once(Helo::check(&hello, &ours, dns))
}

fn check(client: &str, said: &str, dns: &impl Dns) -> Helo {
    check_as(client, said, None, dns)
}

fn table() -> Table {
    Table::default()
        .a("mx.other.example", &["192.0.2.9", "192.0.2.1"])
        .a("four.other.example", &["192.0.2.9"])
        .aaaa("six.other.example", &["2001:db8::1"])
        .mx("mail.other.example", &["mx.other.example"])
        .txt("text.other.example", &["x"])
        .a("laptop.own.example", &["192.0.2.1"])
        .a("www.own.example", &["192.0.2.2"])
        .unclear_a("silent.example")
        .unclear_a("silent.own.example")
}

#[test]
fn a_name_fits_only_if_it_leads_to_the_client() {
    for (client, said, expected) in [
        ("192.0.2.1", "mx.other.example", Helo::Fits),
        ("::ffff:192.0.2.1", "MX.other.example.", Helo::Fits),
        ("2001:db8::1", "six.other.example", Helo::Fits),
        ("192.0.2.1", "four.other.example", Helo::Other),
        ("192.0.2.1", "six.other.example", Helo::Other),
        ("2001:db8::2", "four.other.example", Helo::Other),
        ("192.0.2.1", "mail.other.example", Helo::Other),
        ("192.0.2.1", "text.other.example", Helo::Unknown),
        ("192.0.2.1", "nowhere.example", Helo::Unknown),
        ("192.0.2.1", "localhost.localdomain", Helo::Unknown),
    ] {
        assert_eq!(check(client, said, &table()), expected, "{client} {said}");
    }
}

#[test]
fn what_is_no_name_is_an_address_in_brackets_or_nothing_at_all() {
    let table = table();
    for (said, expected) in [
        ("[192.0.2.1]", Helo::Address),
        ("[IPv6:2001:db8::1]", Helo::Address),
        ("[2001:db8::1]", Helo::Address),
        ("[127.0.0.1]", Helo::Address),
        ("192.0.2.1", Helo::NotAName),
        ("2001:db8::1", Helo::NotAName),
        ("[999.0.0.1]", Helo::NotAName),
        ("[mx.other.example]", Helo::NotAName),
        ("localhost", Helo::NotAName),
        ("WIN-4T7UQ2", Helo::NotAName),
        ("other.example.77", Helo::NotAName),
        ("a b.example", Helo::NotAName),
        ("-x.example", Helo::NotAName),
        ("x..example", Helo::NotAName),
        (".", Helo::NotAName),
        ("\u{202e}.example", Helo::NotAName),
        ("", Helo::Unclear),
        (" ", Helo::Unclear),
    ] {
        assert_eq!(check("192.0.2.1", said, &table), expected, "{said:?}");
    }
    assert_eq!(
        check("192.0.2.1", &format!("{}.example", "x.".repeat(150)), &table),
        Helo::NotAName
    );
    assert_eq!(table.asked(), 0);
}

#[test]
fn names_of_ours_that_do_not_lead_to_the_client_are_forged() {
    for (said, expected) in [
        ("gate.own.example", Helo::OurName),
        ("GATE.own.example.", Helo::OurName),
        ("[198.51.100.1]", Helo::OurName),
        ("[::ffff:198.51.100.1]", Helo::OurName),
        ("own.example", Helo::OurName),
        ("www.own.example", Helo::OurName),
        ("nowhere.own.example", Helo::OurName),
        ("laptop.own.example", Helo::Fits),
        ("notown.example", Helo::Unknown),
    ] {
        assert_eq!(check("192.0.2.1", said, &table()), expected, "{said}");
    }
    assert_eq!(check("198.51.100.1", "[198.51.100.1]", &table()), Helo::Address);
}

#[test]
fn f8_name_servers_that_do_not_tell_say_nothing_of_a_name() {
    for said in ["silent.example", "silent.own.example"] {
        assert_eq!(check("192.0.2.1", said, &table()), Helo::Unclear, "{said}");
    }
    let silent = table();
    let silent = Budget::new(&silent, 0);
    assert_eq!(check("192.0.2.1", "mx.other.example", &silent), Helo::Unclear);
    assert_eq!(check("192.0.2.1", "gate.own.example", &silent), Helo::OurName, "nobody is asked");
}

#[test]
fn g4_a_name_costs_three_look_ups_and_a_proven_one_none() {
    let table = table();
    assert_eq!(check("192.0.2.1", "text.other.example", &table), Helo::Unknown);
    assert_eq!(table.asked(), 3);
    let proven = Some("mx.third.example");
    assert_eq!(check_as("192.0.2.1", "MX.Third.Example", proven, &table), Helo::Fits);
    assert_eq!(table.asked(), 3);
}

proptest::proptest! {
    #[test]
    fn nothing_that_a_client_says_makes_it_panic(said in "(?s).{0,300}", client: u128) {
        let client = std::net::Ipv6Addr::from_bits(client).to_string();
        let _ = check(&client, &said, &table());
    }
}
