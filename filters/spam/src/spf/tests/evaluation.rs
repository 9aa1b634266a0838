//! What mechanisms match. Most of it the suite of openspf.org has too, which is not at hand everywhere.

use proptest::prelude::*;

use super::{ask, expect};
use crate::{dns::table::Table, spf::SpfResult};

fn result(table: &Table, client: &str) -> SpfResult {
    ask(table, client, "s.example").result
}

fn recorded(terms: &str) -> Table {
    Table::default().txt("s.example", &[&format!("v=spf1 {terms}")])
}

#[test]
fn networks_match_by_their_first_bits_and_their_family() {
    for (terms, client, expected) in [
        ("ip4:192.0.2.0/24 -all", "192.0.2.255", SpfResult::Pass),
        ("ip4:192.0.2.0/24 -all", "192.0.3.0", SpfResult::Fail),
        ("ip4:192.0.2.1 -all", "192.0.2.1", SpfResult::Pass),
        ("ip4:192.0.2.1 -all", "192.0.2.0", SpfResult::Fail),
        ("ip4:192.0.2.1/0 -all", "203.0.113.1", SpfResult::Pass),
        ("ip4:0.0.0.0/0 -all", "2001:db8::1", SpfResult::Fail),
        ("ip6:2001:db8::/33 -all", "2001:db8:7fff::", SpfResult::Pass),
        ("ip6:2001:db8::/33 -all", "2001:db8:8000::", SpfResult::Fail),
        ("ip6:::/0 -all", "2001:db8::1", SpfResult::Pass),
        ("ip6:::/0 -all", "192.0.2.1", SpfResult::Fail),
        // An IPv4 client in IPv6 clothes.
        ("ip6:::/0 -all", "::ffff:192.0.2.1", SpfResult::Fail),
        ("ip4:192.0.2.1 -all", "::ffff:192.0.2.1", SpfResult::Pass),
        ("ip6:::ffff:192.0.2.1 -all", "::ffff:192.0.2.1", SpfResult::Fail),
    ] {
        assert_eq!(result(&recorded(terms), client), expected, "{terms} {client}");
    }
}

#[test]
fn qualifiers_make_the_result_and_the_first_match_counts() {
    for (terms, expected) in [
        ("", SpfResult::Neutral),
        ("?all", SpfResult::Neutral),
        ("~all", SpfResult::SoftFail),
        ("-all", SpfResult::Fail),
        ("all", SpfResult::Pass),
        ("+ALL -all", SpfResult::Pass),
        ("~ip4:192.0.2.1 +all", SpfResult::SoftFail),
        ("-all redirect=none.example", SpfResult::Fail),
        ("redirect=none.example -all", SpfResult::Fail),
    ] {
        assert_eq!(result(&recorded(terms), "192.0.2.1"), expected, "{terms}");
    }
}

#[test]
fn a_and_mx_look_at_addresses_of_the_clients_family() {
    let table = |terms: &str| {
        let table = recorded(terms).a("s.example", &["203.0.113.1", "192.0.2.1"]);
        table
            .aaaa("s.example", &["2001:db8::1"])
            .mx("s.example", &["", "none.example", "s.example"])
    };
    for terms in [
        "a -all",
        "A:S.Example -all",
        "mx -all",
        "mx:%{d} -all",
        "a/24//64 -all",
        "mx/32//128 -all",
    ] {
        assert_eq!(result(&table(terms), "192.0.2.1"), SpfResult::Pass, "{terms}");
        assert_eq!(result(&table(terms), "2001:db8::1"), SpfResult::Pass, "{terms}");
        assert_eq!(result(&table(terms), "198.51.100.1"), SpfResult::Fail, "{terms}");
    }
    assert_eq!(result(&table("a/24//64 -all"), "192.0.2.77"), SpfResult::Pass);
    assert_eq!(result(&table("a/24//64 -all"), "2001:db8::77"), SpfResult::Pass);
    assert_eq!(result(&table("a/24 -all"), "2001:db8::77"), SpfResult::Fail);
    assert_eq!(result(&table("a//64 -all"), "192.0.2.77"), SpfResult::Fail);
}

#[test]
fn a_domain_is_not_its_own_mail_exchanger() {
    let table = recorded("mx -all").a("s.example", &["192.0.2.1"]);
    assert_eq!(result(&table, "192.0.2.1"), SpfResult::Fail);
}

#[test]
fn exists_asks_for_an_ipv4_address_whatever_the_client_has() {
    let table = recorded("exists:%{ir}.%{v}.l.example -all")
        .a("1.2.0.192.in-addr.l.example", &["127.0.0.2"]);
    assert_eq!(result(&table, "192.0.2.1"), SpfResult::Pass);
    assert_eq!(result(&table, "192.0.2.2"), SpfResult::Fail);
    let six = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.B.D.0.1.0.0.2.ip6.l.example";
    let table = recorded("exists:%{ir}.%{v}.l.example -all").a(six, &["127.0.0.2"]);
    assert_eq!(result(&table, "2001:db8::1"), SpfResult::Pass);
}

#[test]
fn a_ptr_matches_names_at_or_below_its_target_that_lead_back() {
    let table = |terms: &str, name: &str| {
        let table = recorded(terms)
            .ptr("192.0.2.1", &["x.other.example", name])
            .ptr("2001:db8::1", &[name]);
        table
            .a("x.other.example", &["192.0.2.1"])
            .a("mx.s.example", &["192.0.2.1"])
            .a("s.example", &["192.0.2.1"])
            .a("mxs.example", &["192.0.2.1"])
    };
    for name in ["mx.s.example", "MX.S.Example", "s.example"] {
        assert_eq!(result(&table("ptr -all", name), "192.0.2.1"), SpfResult::Pass, "{name}");
        assert_eq!(
            result(&table("ptr:S.EXAMPLE -all", name), "192.0.2.1"),
            SpfResult::Pass,
            "{name}"
        );
    }
    for name in ["mxs.example", "forged.s.example", "s.example.evil.example", ""] {
        assert_eq!(result(&table("ptr -all", name), "192.0.2.1"), SpfResult::Fail, "{name}");
    }
    assert_eq!(result(&table("ptr -all", "mx.s.example"), "2001:db8::1"), SpfResult::Fail);
    let six = table("ptr -all", "mx.s.example").aaaa("mx.s.example", &["2001:db8::1"]);
    assert_eq!(result(&six, "2001:db8::1"), SpfResult::Pass);
}

#[test]
fn the_name_of_a_client_is_rather_that_of_the_domain() {
    for (names, expected) in [
        (&["a.other.example", "mx.s.example", "s.example"][..], "s.example"),
        (&["a.other.example", "mx.s.example"], "mx.s.example"),
        (&["a.other.example", "forged.s.example"], "a.other.example"),
        (&["forged.s.example"], "unknown"),
        (&[], "unknown"),
    ] {
        let table =
            recorded("-all exp=e.example").txt("e.example", &["%{p}"]).ptr("192.0.2.1", names);
        let table = ["a.other.example", "mx.s.example", "s.example"]
            .iter()
            .fold(table, |table, name| table.a(name, &["192.0.2.1"]));
        assert_eq!(ask(&table, "192.0.2.1", "s.example").explanation.as_deref(), Some(expected));
    }
}

#[test]
fn an_include_matches_only_what_the_other_record_passes() {
    for (other, expected) in [
        ("v=spf1 +all", SpfResult::Fail),
        ("v=spf1 -all", SpfResult::Pass),
        ("v=spf1 ~all", SpfResult::Pass),
        ("v=spf1 ?all", SpfResult::Pass),
        ("v=spf1", SpfResult::Pass),
        ("v=spf1 redirect=all.example", SpfResult::Fail),
        ("v=spf1 include:all.example", SpfResult::Fail),
        ("v=spf1 -include:all.example", SpfResult::Pass),
        ("v=spf1 -include:all.example +all", SpfResult::Pass),
        ("v=spf1 ip5:x", SpfResult::PermError),
        ("v=spf2", SpfResult::PermError),
    ] {
        let table = recorded("-include:i.example +all")
            .txt("i.example", &[other])
            .txt("all.example", &["v=spf1 all"]);
        assert_eq!(result(&table, "192.0.2.1"), expected, "{other}");
    }
}

#[test]
fn the_target_of_a_redirect_speaks_for_the_domain_in_all() {
    let table = recorded("exp=first.example redirect=r.example")
        .txt("r.example", &["v=spf1 a include:i.example -all exp=second.example"])
        .txt("i.example", &["v=spf1 -all exp=first.example"])
        .txt("first.example", &["first"])
        .txt("second.example", &["%{d} for %{o}"])
        .a("r.example", &["192.0.2.1"]);
    assert_eq!(result(&table, "192.0.2.1"), SpfResult::Pass);
    let outcome = ask(&table, "192.0.2.2", "s.example");
    assert_eq!(outcome.result, SpfResult::Fail);
    assert_eq!(outcome.explanation.as_deref(), Some("r.example for s.example"));
}

#[test]
fn a_mistake_anywhere_in_a_record_is_found_before_anything_is_asked() {
    let table = recorded("a mx +all moo");
    expect(
        &table,
        "192.0.2.1",
        SpfResult::PermError,
        "the record of s.example: no such mechanism in moo",
    );
    assert_eq!(table.asked(), 1);
}

#[test]
fn names_with_a_space_are_asked_for_and_names_that_are_none_match_nothing() {
    let table = recorded("a:a%_b.example -all").a("a b.example", &["192.0.2.1"]);
    assert_eq!(result(&table, "192.0.2.1"), SpfResult::Pass);
    for target in ["a:x..example", "mx:x..example", "exists:x..example", "a:.example"] {
        let table = recorded(&format!("{target} -all"));
        assert_eq!(result(&table, "192.0.2.1"), SpfResult::Fail, "{target}");
        assert_eq!(table.asked(), 1, "{target}");
    }
    for target in ["include:x..example", "redirect=x..example"] {
        assert_eq!(result(&recorded(target), "192.0.2.1"), SpfResult::PermError, "{target}");
    }
}

fn term() -> impl Strategy<Value = String> {
    prop_oneof![
        "[-+~?]?(a|mx|ptr|exists|include)(:(%\\{[slodiphv]r?\\}\\.)?(s|t|u)\\.example)?(/[0-9]{1,2})?",
        "(redirect|exp)=(s|t|u)\\.example",
        "[-+~?]?(all|ip4:192\\.0\\.2\\.[0-9]/2[0-9]|ip6:::/0)",
    ]
}

proptest! {
    #[test]
    fn whatever_is_published_a_check_ends_within_its_limits(
        records in prop::collection::vec(prop::collection::vec(term(), 0..6), 3),
        names in prop::collection::vec("[stu]\\.example|[a-z]{0,3}", 0..12),
        local_part in any::<String>(),
    ) {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut table = Table::default().mx("t.example", &names).a("t.example", &["192.0.2.1"]).ptr("192.0.2.1", &names);
        for (domain, terms) in ["s.example", "t.example", "u.example"].iter().zip(&records) {
            table = table.txt(domain, &[&format!("v=spf1 {}", terms.join(" "))]);
        }
        let sender = format!("{local_part}@s.example");
        let outcome = super::ask_as(&table, "192.0.2.1", &local_part, Some(&sender));
        prop_assert!(table.asked() <= 1 + 10 * 11 + 11 + 1);
        prop_assert!(outcome.explanation.is_none() || outcome.result == SpfResult::Fail);
        prop_assert!(outcome.cause.to_string().bytes().all(|byte| byte.is_ascii_graphic() || byte == b' '));
    }
}
