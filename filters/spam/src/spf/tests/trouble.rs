//! Trouble with name servers, and limits.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{NOW, ask, expect};
use crate::{
    dns::{
        Answer, Budget, Dns,
        table::{Table, at_once},
    },
    spf::{Limits, Question, SpfResult, check},
};

/// Knows what a table knows, but nobody knows the names of addresses.
struct NoReverse(Table);

impl Dns for NoReverse {
    async fn txt(&self, name: &str) -> Answer<Box<str>> {
        Dns::txt(&self.0, name).await
    }

    async fn a(&self, name: &str) -> Answer<Ipv4Addr> {
        Dns::a(&self.0, name).await
    }

    async fn aaaa(&self, name: &str) -> Answer<Ipv6Addr> {
        Dns::aaaa(&self.0, name).await
    }

    async fn mx(&self, name: &str) -> Answer<Box<str>> {
        Dns::mx(&self.0, name).await
    }

    async fn ptr(&self, _: IpAddr) -> Answer<Box<str>> {
        Answer::Unclear
    }
}

fn result_by(dns: &impl Dns, limits: Limits) -> SpfResult {
    let client = "192.0.2.1".parse().unwrap();
    let question = Question { client, helo: "h.example", mail_from: Some("a@s.example"), ours: "" };
    at_once(check(&question, limits, dns, NOW)).result
}

#[test]
fn f8_an_answer_that_nobody_has_is_a_temporary_error() {
    expect(
        &Table::default().unclear_txt("s.example"),
        "192.0.2.1",
        SpfResult::TempError,
        "no answer about s.example",
    );
    for record in ["a:x.example", "mx:m.example", "exists:x.example"] {
        let record = format!("v=spf1 {record} +all");
        let table = Table::default()
            .txt("s.example", &[&record])
            .mx("m.example", &["x.example"])
            .unclear_a("x.example");
        expect(&table, "192.0.2.1", SpfResult::TempError, "no answer about x.example");
    }
    for record in ["include:x.example -all", "redirect=x.example", "-include:x.example +all"] {
        let record = format!("v=spf1 {record}");
        let table = Table::default().txt("s.example", &[&record]).unclear_txt("x.example");
        expect(&table, "192.0.2.1", SpfResult::TempError, "no answer about x.example");
    }
}

#[test]
fn f8_what_matches_before_the_trouble_counts() {
    let table = Table::default()
        .txt("s.example", &["v=spf1 ip4:192.0.2.1 a:x.example -all"])
        .unclear_a("x.example");
    expect(&table, "192.0.2.1", SpfResult::Pass, "ip4:192.0.2.1 of s.example matches");
}

#[test]
fn f8_without_the_names_of_the_client_nobody_fails_and_nobody_passes_by_them() {
    for (record, expected) in [
        ("v=spf1 ptr -all", SpfResult::TempError),
        ("v=spf1 ptr ~all", SpfResult::TempError),
        ("v=spf1 -ptr +all", SpfResult::Pass),
        ("v=spf1 ptr", SpfResult::TempError),
        ("v=spf1 ptr ip4:192.0.2.1 -all", SpfResult::Pass),
        ("v=spf1 include:i.example ip4:192.0.2.1 -all", SpfResult::Pass),
        ("v=spf1 include:i.example -all", SpfResult::TempError),
        ("v=spf1 include:j.example -all", SpfResult::Pass),
        ("v=spf1 exists:%{p}.x.example -all", SpfResult::Pass),
        ("v=spf1 exists:%{p}.y.example -all", SpfResult::TempError),
        ("v=spf1 redirect=%{p}.x.example", SpfResult::TempError),
        ("v=spf1 ip4:192.0.2.2 -all exp=%{p}.x.example", SpfResult::Fail),
    ] {
        let table = Table::default()
            .txt("s.example", &[record])
            .txt("i.example", &["v=spf1 ptr -all"])
            .txt("j.example", &["v=spf1 -ptr ip4:192.0.2.1 -all"])
            .a("unknown.x.example", &["127.0.0.2"]);
        assert_eq!(result_by(&NoReverse(table), Limits::default()), expected, "{record}");
    }
}

#[test]
fn f8_a_name_of_the_client_that_nobody_knows_the_address_of_is_passed_over() {
    let table = Table::default()
        .txt("s.example", &["v=spf1 ptr -all"])
        .ptr("192.0.2.1", &["a.s.example", "b.s.example"])
        .unclear_a("a.s.example");
    expect(&table, "192.0.2.1", SpfResult::TempError, "no answer about 192.0.2.1");
    let table = table.a("b.s.example", &["192.0.2.1"]);
    expect(&table, "192.0.2.1", SpfResult::Pass, "ptr of s.example matches");
}

#[test]
fn f8_an_explanation_that_cannot_be_had_leaves_the_fail() {
    for exp in [
        "unclear.example",
        "%{p}.example",
        "a..example",
        "single%{d1}",
        "absent.example",
        "two.example",
        "odd.example",
    ] {
        let record = format!("v=spf1 -all exp={exp}");
        let table = Table::default()
            .txt("s.example", &[&record])
            .txt("two.example", &["one", "two"])
            .txt("odd.example", &["%{x} b\u{fc}cher"])
            .unclear_txt("unclear.example");
        let dns = NoReverse(table);
        let question = Question {
            client: "192.0.2.1".parse().unwrap(),
            helo: "h.example",
            mail_from: Some("a@s.example"),
            ours: "",
        };
        let outcome = at_once(check(&question, Limits::default(), &dns, NOW));
        assert_eq!((outcome.result, outcome.explanation), (SpfResult::Fail, None), "{exp}");
    }
}

#[test]
fn g4_a_spent_budget_is_the_fault_of_the_record() {
    let table =
        Table::default().txt("s.example", &["v=spf1 a mx -all"]).a("s.example", &["203.0.113.1"]);
    assert_eq!(result_by(&Budget::new(&table, 2), Limits::default()), SpfResult::PermError);
    assert_eq!(result_by(&Budget::new(&table, 3), Limits::default()), SpfResult::Fail);
}

#[test]
fn f1_ten_terms_may_ask_and_the_eleventh_is_a_permanent_error() {
    let asking = |count: usize| {
        let record = format!("v=spf1 {}-all", "a ".repeat(count));
        Table::default().txt("s.example", &[&record]).a("s.example", &["203.0.113.1"])
    };
    expect(&asking(10), "192.0.2.1", SpfResult::Fail, "-all of s.example matches");
    expect(
        &asking(11),
        "192.0.2.1",
        SpfResult::PermError,
        "the record of s.example: too many look-ups",
    );
    assert_eq!(asking(0).asked(), 0);
    let few = Limits { lookups: 1, ..Limits::default() };
    assert_eq!(result_by(&asking(1), few), SpfResult::Fail);
    assert_eq!(result_by(&asking(2), few), SpfResult::PermError);
}

#[test]
fn f1_each_kind_of_term_that_asks_is_counted() {
    for term in ["a", "mx", "ptr", "exists:s.example", "include:i.example", "redirect=i.example"] {
        let table = Table::default()
            .txt("s.example", &[&format!("v=spf1 {term}")])
            .txt("i.example", &["v=spf1 ?all"])
            .a("s.example", &["203.0.113.1"]);
        let none = Limits { lookups: 0, void_lookups: 2 };
        assert_eq!(result_by(&table, none), SpfResult::PermError, "{term}");
        assert_eq!(table.asked(), 1, "{term}: only the record");
        assert_ne!(
            result_by(&table, Limits { lookups: 1, ..none }),
            SpfResult::PermError,
            "{term}"
        );
    }
    for term in ["all", "ip4:203.0.113.1", "ip6:::1", "exp=e.example", "x=y"] {
        let table = Table::default().txt("s.example", &[&format!("v=spf1 {term} ?all")]);
        assert_ne!(
            result_by(&table, Limits { lookups: 0, void_lookups: 0 }),
            SpfResult::PermError,
            "{term}"
        );
    }
}

#[test]
fn f1_two_terms_may_ask_for_what_does_not_exist() {
    let table = |terms: &str| {
        let record = format!("v=spf1 {terms} -all");
        let table = Table::default()
            .txt("s.example", &[&record])
            .mx("m.example", &["p.example", "q.example", "r.example"]);
        table.aaaa("b.example", &["2001:db8::1"])
    };
    let void = "the record of s.example: too many look-ups of what does not exist";
    expect(
        &table("a:x.example b=c mx:y.example"),
        "192.0.2.1",
        SpfResult::Fail,
        "-all of s.example matches",
    );
    expect(
        &table("a:x.example exists:y.example mx:z.example"),
        "192.0.2.1",
        SpfResult::PermError,
        void,
    );
    // A name without addresses of the client's family is one.
    expect(&table("a:b.example a:b.example a:b.example"), "192.0.2.1", SpfResult::PermError, void);
    expect(
        &table("a:b.example a:b.example a:b.example"),
        "2001:db8::2",
        SpfResult::Fail,
        "-all of s.example matches",
    );
    // However many hosts of an mx have no address, it is one term.
    expect(
        &table("mx:m.example mx:m.example"),
        "192.0.2.1",
        SpfResult::Fail,
        "-all of s.example matches",
    );
    expect(
        &table("mx:m.example mx:m.example mx:m.example"),
        "192.0.2.1",
        SpfResult::PermError,
        void,
    );
    let none = Limits { void_lookups: 0, ..Limits::default() };
    assert_eq!(result_by(&table("a:x.example"), none), SpfResult::PermError);
    assert_eq!(result_by(&table("a:x..example"), none), SpfResult::Fail, "nobody was asked");
}

#[test]
fn f1_names_that_the_client_made_up_are_no_void_look_ups_of_the_domain() {
    let table = Table::default()
        .txt("s.example", &["v=spf1 ptr ptr:x.example -all"])
        .ptr("192.0.2.1", &["a.s.example", "b.s.example", "c.x.example", "d.x.example"]);
    expect(&table, "192.0.2.1", SpfResult::Fail, "-all of s.example matches");
    expect(&table, "192.0.2.2", SpfResult::Fail, "-all of s.example matches");
}

#[test]
fn f5_what_is_no_name_is_not_asked_for_whoever_says_it() {
    let table = Table::default()
        .txt("s.example", &["v=spf1 ptr:%{d1} mx -all"])
        .mx("s.example", &["", "a..example"])
        .ptr("192.0.2.1", &["", "a..example", "b\0.example"]);
    expect(&table, "192.0.2.1", SpfResult::Fail, "-all of s.example matches");
    assert_eq!(table.asked(), 3, "the record, the names, the exchangers");
}

#[test]
fn f1_loops_end_at_the_limit() {
    for (one, other) in [
        ("include:s.example", "-all"),
        ("include:t.example", "include:s.example"),
        ("redirect=t.example", "redirect=s.example"),
        ("include:t.example", "redirect=s.example"),
    ] {
        let table = Table::default()
            .txt("s.example", &[&format!("v=spf1 {one}")])
            .txt("t.example", &[&format!("v=spf1 {other}")]);
        assert_eq!(
            ask(&table, "192.0.2.1", "s.example").result,
            SpfResult::PermError,
            "{one} {other}"
        );
        assert_eq!(table.asked(), 11, "{one} {other}");
    }
}

#[test]
fn f1_an_mx_has_ten_hosts_at_most_and_of_the_names_of_a_client_ten_count() {
    let hosts: Vec<String> = (0..11).map(|n| format!("h{n}.example")).collect();
    let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
    let table = |count: usize| {
        let table =
            Table::default().txt("s.example", &["v=spf1 mx -all"]).mx("s.example", &hosts[..count]);
        hosts.iter().fold(table, |table, host| table.a(host, &["203.0.113.9"]))
    };
    expect(&table(10), "192.0.2.1", SpfResult::Fail, "-all of s.example matches");
    expect(
        &table(11),
        "192.0.2.1",
        SpfResult::PermError,
        "the record of s.example: too many mail exchangers",
    );
    let ptr = |place: usize| {
        let mut names = vec!["other.example"; 11];
        names[place] = "n.s.example";
        let table = Table::default().txt("s.example", &["v=spf1 ptr -all"]);
        table.ptr("192.0.2.1", &names).a("n.s.example", &["192.0.2.1"])
    };
    expect(&ptr(9), "192.0.2.1", SpfResult::Pass, "ptr of s.example matches");
    expect(&ptr(10), "192.0.2.1", SpfResult::Fail, "-all of s.example matches");
}

#[test]
fn f1_a_check_asks_a_bounded_number_of_questions_whatever_is_published() {
    let hosts: Vec<String> = (0..10).map(|n| format!("h{n}.example")).collect();
    let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
    let terms = "mx ".repeat(9) + "ptr:%{p}.example %{p} -all exp=%{p}.example";
    let table = Table::default()
        .txt("s.example", &[&format!("v=spf1 {}", terms.replace(" %{p} ", " "))])
        .mx("s.example", &hosts)
        .ptr("192.0.2.1", &hosts);
    let table = hosts.iter().fold(table, |table, host| table.a(host, &["203.0.113.9"]));
    assert_eq!(ask(&table, "192.0.2.1", "s.example").result, SpfResult::Fail);
    // The record, nine times an mx and its ten hosts, the names and ten proofs of them, and the explanation.
    assert_eq!(table.asked(), 1 + 9 * 11 + 11 + 1);
}

#[test]
fn a_check_can_wait_on_any_thread() {
    fn assert_send<T: Send>(_: T) {}
    let table = Table::default();
    let question =
        Question { client: [192, 0, 2, 1].into(), helo: "h.example", mail_from: None, ours: "" };
    assert_send(check(&question, Limits::default(), &table, NOW));
}
