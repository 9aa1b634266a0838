use super::{ask, ask_as, expect};
use crate::{
    dns::table::Table,
    spf::{Cause, Identity, SpfResult},
};

#[test]
fn each_result_has_its_keyword() {
    let keywords = [
        (SpfResult::None, "none"),
        (SpfResult::Neutral, "neutral"),
        (SpfResult::Pass, "pass"),
        (SpfResult::Fail, "fail"),
        (SpfResult::SoftFail, "softfail"),
        (SpfResult::TempError, "temperror"),
        (SpfResult::PermError, "permerror"),
    ];
    for (result, keyword) in keywords {
        assert_eq!(result.to_string(), keyword);
    }
}

#[test]
fn the_cause_names_the_mechanism_and_whose_record_it_stands_in() {
    let table = Table::default()
        .txt("s.example", &["v=spf1 include:_spf.example -all"])
        .txt("_spf.example", &["v=spf1 ip4:192.0.2.0/24 ~all"]);
    expect(&table, "192.0.2.1", SpfResult::Pass, "ip4:192.0.2.0/24 of _spf.example matches");
    expect(&table, "203.0.113.1", SpfResult::Fail, "-all of s.example matches");
    let table = Table::default().txt("s.example", &["v=spf1 ip4:192.0.2.1"]);
    expect(&table, "203.0.113.1", SpfResult::Neutral, "nothing in the record matches");
    expect(&Table::default(), "192.0.2.1", SpfResult::None, "no record");
}

#[test]
fn a_wrong_record_is_named_with_its_mistake() {
    let long = format!("v=spf1 {}-all", "ip4:192.0.2.1 ".repeat(2_000));
    for (texts, expected) in [
        (&["v=spf1 -all", "V=SPF1 +all"][..], "the record of s.example: two records"),
        (
            &["v=spf1 ip4:192.0.2.0/33"],
            "the record of s.example: bad prefix length in ip4:192.0.2.0/33",
        ),
        (&["v=spf1 include:none.example"], "the record of s.example: no record at none.example"),
        (&["v=spf1 redirect=none.example"], "the record of s.example: no record at none.example"),
        (&["v=spf1 redirect=s.example"], "the record of s.example: too many look-ups"),
        (&[long.as_str()], "the record of s.example: too long"),
    ] {
        let table = Table::default().txt("s.example", texts);
        expect(&table, "192.0.2.9", SpfResult::PermError, expected);
    }
}

#[test]
fn the_sender_is_checked_and_without_one_the_name_of_the_helo() {
    let table = Table::default()
        .txt("s.example", &["v=spf1 ip4:192.0.2.1 -all exp=exp.example"])
        .txt("mx.sender.example", &["v=spf1 ip4:192.0.2.2 -all exp=exp.example"])
        .txt("exp.example", &["%{s} from %{h}"]);
    let outcome = ask(&table, "192.0.2.2", "S.Example.");
    assert_eq!((outcome.identity, &*outcome.domain), (Identity::MailFrom, "s.example"));
    assert_eq!(outcome.explanation.as_deref(), Some("user@s.example from mx.sender.example"));
    let outcome = ask_as(&table, "192.0.2.1", "MX.sender.example", None);
    assert_eq!((outcome.identity, &*outcome.domain), (Identity::Helo, "mx.sender.example"));
    assert_eq!(
        outcome.explanation.as_deref(),
        Some("postmaster@mx.sender.example from MX.sender.example")
    );
    let outcome = ask_as(&table, "192.0.2.9", "h.example", Some("@s.example"));
    assert_eq!(outcome.explanation.as_deref(), Some("postmaster@s.example from h.example"));
    let outcome = ask_as(&table, "192.0.2.9", "h.example", Some("\"a@b.example\"@s.example"));
    assert_eq!(outcome.explanation.as_deref(), Some("\"a@b.example\"@s.example from h.example"));
}

#[test]
fn a_domain_in_unicode_is_asked_for_in_ascii() {
    let table = Table::default().txt("xn--bcher-kva.example", &["v=spf1 ip4:192.0.2.1 -all"]);
    let outcome = ask(&table, "192.0.2.1", "b\u{fc}cher.example");
    assert_eq!((outcome.result, &*outcome.domain), (SpfResult::Pass, "xn--bcher-kva.example"));
}

#[test]
fn f5_what_is_no_domain_has_no_record_and_nobody_is_asked() {
    let label = "a".repeat(64);
    let long = [&label[1..]; 4].join(".");
    for bad in [
        "",
        "single",
        "[192.0.2.1]",
        "[IPv6:2001:db8::1]",
        "192.0.2.1",
        "a..example",
        ".example.com",
        "s.example\0.evil.example",
        "\"s.example\"",
        "evil.example(.s.example",
        "evil.example,s.example",
        "s.example>",
        "s example",
        &format!("{label}.example"),
        &long[..254],
    ] {
        let table = Table::default().txt("s.example", &["v=spf1 +all"]);
        for outcome in [ask(&table, "192.0.2.1", bad), ask_as(&table, "192.0.2.1", bad, None)] {
            assert_eq!(
                (outcome.result, outcome.cause),
                (SpfResult::None, Cause::NoDomain),
                "{bad}"
            );
            assert_eq!(&*outcome.domain, "", "{bad}");
        }
        assert_eq!(table.asked(), 0, "{bad}");
    }
    let table = Table::default();
    assert_eq!(ask_as(&table, "192.0.2.1", "h.example", Some("s.example")).cause, Cause::NoDomain);
}

#[test]
fn f5_the_text_of_a_cause_is_printable_and_cannot_end_a_comment() {
    let table =
        Table::default().txt("s.example", &["v=spf1 include:%{l}.evil\")\\;(.example -all"]);
    let outcome = ask_as(&table, "192.0.2.1", "h.example", Some("a\r\nb\u{fc}@s.example"));
    let text = outcome.cause.to_string();
    assert_eq!(outcome.result, SpfResult::PermError);
    assert_eq!(text, "the record of s.example: no record at a??b?.evil?????.example");
}
