//! The sample score of the manual is what this mail would have on top.

use mailweir_mail::Timestamp;

use super::*;
use crate::{
    authentication::{Authentication, Stranger},
    dkim::tests::read,
    dns::{
        Budget,
        table::{Table, at_once},
    },
};

#[test]
fn the_sample_score_of_the_manual_is_that_of_such_a_mail() {
    let score = Weights::default().score(findings());
    let field = format!("X-Mailweir-Spam: {}", score.header_value().replace("\r\n", "\n"));
    assert!(MANUAL.contains(&format!("```\n{field}\n```")), "docs/spam.md should say:\n{field}");
}

/// Of a mail without Date and signature, from where its domain says that it comes from.
fn findings() -> Vec<Finding> {
    let stranger = Stranger {
        client: "192.0.2.7".parse().unwrap(),
        helo: "mx.other.example",
        mail_from: Some("x@other.example"),
        ours: "gate.example.org",
    };
    let dns = Table::default()
        .ptr("192.0.2.7", &["mx.other.example"])
        .a("mx.other.example", &["192.0.2.7"])
        .txt("other.example", &["v=spf1 ip4:192.0.2.7 -all"])
        .txt("_dmarc.other.example", &["v=DMARC1; p=reject"]);
    let mail =
        b"From: x@other.example\r\nTo: ann@example.org\r\nSubject: urgent\r\n\r\nfree money\r\n";
    let now = Timestamp::from_secs(1_795_210_205);
    let read = read(&[&mail[..]]);
    let found =
        at_once(Authentication::of(&stranger, &read, None, &Budget::new(&dns, 100), &dns, now));
    let clue = |text: &str| Clue { text: text.into(), probability: 0.99 };
    let spam = vec![clue("free money"), clue("subject:urgent")];
    let opinion = Opinion { probability: 1.0, known: 20, spam, ham: Vec::new() };
    let mut findings = of_authentication(&found, &found.ruling(|_| false), &stranger);
    findings.extend(of_opinion(&opinion));
    findings.push(Finding::new(Symbol::MissingDate, ""));
    findings
}

const MANUAL: &str = include_str!("../../../../../docs/spam.md");
