//! The rules of RFC 9989 as a table (`rows`), and what the table cannot say.

mod parsing;
mod rows;

use std::collections::BTreeSet;

use self::rows::{ROWS, Row};
use super::*;
use crate::{
    author::Author,
    dns::{
        Budget,
        table::{Table, at_once},
    },
};

#[test]
fn f7_every_rule_of_the_table_holds() {
    let wrong: Vec<String> = ROWS.iter().filter_map(Row::what_is_wrong).collect();
    assert!(wrong.is_empty(), "{} of {} rows:\n{}", wrong.len(), ROWS.len(), wrong.join("\n"));
}

#[test]
fn the_table_has_more_than_eighty_rules_and_each_once() {
    let rules: BTreeSet<&str> = ROWS.iter().map(|row| row.rule).collect();
    assert_eq!(rules.len(), ROWS.len());
    assert!(ROWS.len() >= 80, "{}", ROWS.len());
}

/// Name servers by lines: `name TXT text`, `name A` for a name that exists, `name ?` for one of which nobody knows the texts,
/// `name A?` for one of which nobody knows whether it exists.
fn zone(lines: &[&str]) -> Table {
    let mut texts: Vec<(&str, Vec<&str>)> = Vec::new();
    let mut table = Table::default();
    for line in lines {
        let (name, rest) = line.split_once(' ').unwrap();
        table = match (rest, rest.strip_prefix("TXT ")) {
            ("A", _) => table.a(name, &["192.0.2.1"]),
            ("MX", _) => table.mx(name, &["mx.example"]),
            ("?", _) => table.unclear_txt(name),
            ("A?", _) => table.unclear_a(name),
            (_, Some(text)) => {
                match texts.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, texts)) => texts.push(text),
                    None => texts.push((name, vec![text])),
                }
                table
            }
            _ => panic!("{line}"),
        };
    }
    texts.iter().fold(table, |table, (name, texts)| table.txt(name, texts))
}

/// Identifiers by words: a domain that passed, or `?` and one that is unclear.
fn identifiers<'a>(mechanism: Mechanism, words: &'a str) -> impl Iterator<Item = Identifier<'a>> {
    words.split_whitespace().map(move |word| match word.strip_prefix('?') {
        Some(domain) => Identifier { mechanism, domain, standing: Standing::TempError },
        None => Identifier { mechanism, domain: word, standing: Standing::Pass },
    })
}

fn judged(table: &Table, from: &str, spf: &str, dkim: &str) -> Outcome {
    let author = Author::read(format!("From: {from}\r\n\r\n").as_bytes());
    let found: Vec<_> =
        identifiers(Mechanism::Spf, spf).chain(identifiers(Mechanism::Dkim, dkim)).collect();
    at_once(evaluate(&author, &found, table))
}

impl Row {
    fn what_is_wrong(&self) -> Option<String> {
        let outcome = judged(&zone(self.zone), self.from, self.spf, self.dkim);
        let is_right = (outcome.result, outcome.policy) == (self.result, self.policy);
        (!is_right).then(|| format!("{} (section {}): {outcome:?}", self.rule, self.section))
    }
}

#[test]
fn the_outcome_tells_which_record_applies_and_why() {
    let table =
        zone(&["_dmarc.example.com TXT v=DMARC1; p=reject; sp=quarantine", "a.example.com A"]);
    let outcome = judged(&table, "x@a.example.com", "", "b.example.com");
    assert_eq!(outcome.cause, Cause::Aligned(Mechanism::Dkim));
    let published = outcome.published.unwrap();
    assert_eq!(
        (&*published.domain, published.source),
        ("example.com", Source::OrganizationalDomain)
    );
    let table = zone(&["_dmarc.com TXT v=DMARC1; p=reject; psd=y"]);
    let outcome = judged(&table, "x@a.example.com", "", "");
    assert_eq!(outcome.cause, Cause::NotAligned);
    assert_eq!(outcome.published.map(|published| published.source), Some(Source::PublicSuffix));
    let outcome = judged(&Table::default(), "x@a.example.com", "", "");
    assert_eq!((outcome.cause, outcome.published), (Cause::NoRecord, None));
    let outcome = judged(&Table::default(), "x@[192.0.2.1]", "", "");
    assert_eq!(outcome.cause, Cause::AddressLiteral);
}

#[test]
fn f8_each_kind_of_trouble_has_its_cause() {
    let record = "_dmarc.example.com TXT v=DMARC1; p=reject; np=none";
    for (lines, spf, dkim, cause) in [
        (vec!["_dmarc.a.example.com ?"], "", "", Cause::RecordUnclear),
        (vec![record, "_dmarc.b.example.com ?"], "b.example.com", "", Cause::AlignmentUnclear),
        (vec![record], "?example.com", "", Cause::IdentifierUnclear(Mechanism::Spf)),
        (vec![record], "", "?example.com", Cause::IdentifierUnclear(Mechanism::Dkim)),
        (vec![record, "a.example.com A?"], "", "", Cause::ExistenceUnclear),
    ] {
        let outcome = judged(&zone(&lines), "x@a.example.com", spf, dkim);
        assert_eq!((outcome.result, outcome.cause), (DmarcResult::TempError, cause));
    }
}

#[test]
fn g4_a_walk_costs_eight_look_ups_at_most_and_none_is_made_twice() {
    let deep = format!("{}.example.com", vec!["a"; 100].join("."));
    let table = Table::default();
    judged(&table, &format!("x@{deep}"), "", "");
    assert_eq!(table.asked(), 8);
    // A name that is too long with `_dmarc` in front of it is not asked for.
    let label = "a".repeat(63);
    let table = Table::default();
    judged(&table, &format!("x@{label}.{label}.{label}.{}", "b".repeat(57)), "", "");
    assert_eq!(table.asked(), 3);
    let table = zone(&["_dmarc.example.com TXT v=DMARC1; p=none"]);
    let outcome =
        judged(&table, "x@news.example.com", "b.example.com", "c.example.com b.example.com");
    assert_eq!(outcome.result, DmarcResult::Pass);
    // news, example.com, com; then c, whose organization is known above.
    assert_eq!(table.asked(), 4);
}

#[test]
fn g4_an_identifier_of_a_stranger_costs_no_look_up() {
    let table = zone(&["_dmarc.example.com TXT v=DMARC1; p=none"]);
    let strangers = "a.example.net b.other.com c.example.com.evil.com badexample.com";
    assert_eq!(
        judged(&table, "x@example.com", "d.example.org", strangers).result,
        DmarcResult::Fail
    );
    // example.com and com.
    assert_eq!(table.asked(), 2);
}

#[test]
fn f2_of_a_thousand_signatures_ten_count_and_spf_beside_them() {
    let table = zone(&["_dmarc.example.com TXT v=DMARC1; p=none"]);
    let many: String = (0..1_000).map(|i| format!("d{i}.example.com.evil.com ")).collect();
    assert_eq!(
        judged(&table, "x@example.com", "", &format!("{many} example.com")).result,
        DmarcResult::Fail
    );
    assert_eq!(judged(&table, "x@example.com", "example.com", &many).result, DmarcResult::Pass);
}

#[test]
fn f8_without_a_budget_nothing_passes_and_nothing_fails() {
    let table = zone(&["_dmarc.example.com TXT v=DMARC1; p=reject"]);
    let author = Author::read(b"From: x@example.com\r\n\r\n");
    let found: Vec<_> = identifiers(Mechanism::Dkim, "example.com").collect();
    let outcome = at_once(evaluate(&author, &found, &Budget::new(&table, 0)));
    assert_eq!((outcome.result, outcome.policy), (DmarcResult::TempError, Policy::None));
}

#[test]
fn f4_no_author_that_cannot_be_read_passes_and_one_that_asks_for_refusal_gets_it() {
    let table = zone(&[
        "_dmarc.bank.example TXT v=DMARC1; p=reject",
        "_dmarc.evil.example TXT v=DMARC1; p=none",
    ]);
    for header in [
        "From: <first@evil.example>\r\nFrom: <admin@bank.example>\r\n",
        " From: <first@evil.example>\r\nFrom: <admin@bank.example>\r\n",
        "From: <first@evil.example>\r\nFrom : <admin@bank.example>\r\n",
        "From\r\n : <first@evil.example>\r\nFrom: <admin@bank.example>\r\n",
        "From: <first@evil.example>, <admin@bank.example>\r\n",
        "From: =?utf-8?B?PGFkbWluQGJhbmsuZXhhbXBsZT4=?=,<second@evil.example>\r\n",
        "From: <@evil.example,@any.example:admin@bank.example>\r\n",
        "From: <admin@bank.example>\\,<second@evil.example>\r\n",
        "From: admin@bank.example,<second@evil.example>\r\n",
        "From: <any@evil.example>admin@bank.example\r\n",
    ] {
        let author = Author::read(header.as_bytes());
        let found: Vec<_> = identifiers(Mechanism::Dkim, "evil.example").collect();
        let outcome = at_once(evaluate(&author, &found, &table));
        assert_eq!(
            (outcome.result, outcome.policy),
            (DmarcResult::Fail, Policy::Reject),
            "{header:?}"
        );
    }
    for header in [
        "From\r\n : <x@evil.example>\r\nSender: <a@bank.example>\r\n",
        "From: x@evil.example\r\nFrom: x@evil.example\r\n",
    ] {
        let author = Author::read(header.as_bytes());
        let found: Vec<_> = identifiers(Mechanism::Dkim, "evil.example").collect();
        assert_eq!(
            at_once(evaluate(&author, &found, &table)).result,
            DmarcResult::PermError,
            "{header:?}"
        );
    }
}

#[test]
fn the_result_is_written_with_author_policy_and_reason() {
    use crate::results::{AuthservId, Results};
    let table = zone(&["_dmarc.example.com TXT v=DMARC1; p=reject", "_dmarc.net ?"]);
    for (from, dkim, line) in [
        (
            "x@example.com",
            "example.com",
            "dmarc=pass (aligned by DKIM) header.from=example.com policy.dmarc=reject",
        ),
        (
            "x@example.com",
            "",
            "dmarc=fail reason=\"neither SPF nor DKIM is aligned\" header.from=example.com policy.dmarc=reject",
        ),
        ("x@example.org", "", "dmarc=none reason=\"no record\" header.from=example.org"),
        (
            "x@example.net",
            "",
            "dmarc=temperror reason=\"the record cannot be looked up\" header.from=example.net",
        ),
        ("x", "", "dmarc=permerror reason=\"there is no From field that names anybody\""),
        ("x@", "", "dmarc=permerror reason=\"From: it names no address\""),
    ] {
        let mut results = Results::new(AuthservId::parse("mx.example").unwrap());
        results.add(judged(&table, from, "", dkim).method());
        assert_eq!(
            results.field().replace("\r\n\t", " ").trim_end(),
            format!("Authentication-Results: mx.example; {line}")
        );
    }
}

#[test]
fn a_mail_can_be_judged_on_any_thread() {
    fn on_any_thread<T: Send>(future: T) -> T {
        future
    }
    let table = zone(&["_dmarc.example.com TXT v=DMARC1; p=reject"]);
    let author = Author::read(b"From: x@example.com\r\n\r\n");
    let outcome = at_once(on_any_thread(evaluate(&author, &[], &table)));
    assert_eq!(outcome.result, DmarcResult::Fail);
    let client = "192.0.2.1".parse().unwrap();
    let checked = at_once(on_any_thread(crate::iprev::Iprev::check(client, &table)));
    assert_eq!(checked, crate::iprev::Iprev::PermError);
}
