//! What a lookup in a table of patterns costs, with 10, 1,000 and 10,000 rules.
//!
//! `cargo run --release -p mailweir-tables --example rules [rules] [lookups]`; with arguments, one
//! table is asked so many times and nothing is measured, for `valgrind --tool=callgrind`.
#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    reason = "an example measures and prints; the crate that it measures is pure"
)]

use std::{error::Error, hint::black_box, path::Path, time::Instant};

use mailweir_tables::{Matching, Spec, Step, Table};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    if let (Some(rules), Some(lookups)) = (arguments.next(), arguments.next()) {
        let table = load("pcre", &pcre(rules.parse()?))?;
        ask(&table, &keys(), lookups.parse()?);
        return Ok(());
    }
    for rules in [10, 1_000, 10_000] {
        report("pcre", &pcre(rules), rules)?;
        report("regexp", &regexp(rules), rules)?;
    }
    Ok(())
}

fn report(kind: &str, source: &str, rules: usize) -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    let table = load(kind, source)?;
    let loading = start.elapsed();
    let keys = keys();
    ask(&table, &keys, keys.len() * 10);
    let lookups = 200_000;
    let start = Instant::now();
    let found = ask(&table, &keys, lookups);
    let each = start.elapsed().as_nanos() / u128::try_from(lookups)?;
    println!("{kind}: {rules} rules: load {loading:?}, {each} ns each, {found} found");
    Ok(())
}

fn load(kind: &str, source: &str) -> Result<Table, Box<dyn Error>> {
    let spec = Spec::parse(&format!("{kind}:/rules"))?;
    let mut read = |_: &Path| Ok(source.as_bytes().to_vec());
    let loaded = Table::load(&spec, Matching::Bytes, &mut read)?;
    assert_eq!(loaded.warnings, []);
    Ok(loaded.table)
}

fn ask(table: &Table, keys: &[String], lookups: usize) -> usize {
    let mut found = 0;
    for key in keys.iter().cycle().take(lookups) {
        if let Step::Done(Ok(Some(_))) = table.lookup(black_box(key.as_bytes())) {
            found += 1;
        }
    }
    found
}

/// Header checks of the kinds that administrators collect.
fn pcre(rules: usize) -> String {
    let rule = |number: usize| match number % 8 {
        0 => format!("/^Subject: .*cheap product{number} now/ REJECT spam {number}\n"),
        1 => format!("/^From: .*@host{number}\\.example\\.(com|net)>?$/ REJECT {number}\n"),
        2 => format!("/^Received: from mail{number}\\.example\\.org \\((.*)\\)/ WARN $1\n"),
        3 => format!("/^X-Mailer:\\s*Agent {number}\\b/ HOLD\n"),
        4 => format!("/^Content-Type: .*name=\"?[^\"]*{number}\\.(exe|scr|pif)\"?/ REJECT\n"),
        5 => format!("/^(?!X-)List-Id: <list{number}\\./ DUNNO\n"),
        6 => format!("/^To: <?user{number}@/ REDIRECT a@b\n"),
        _ => format!("/(viagra|cialis|pills){number}[a-z]{{2,5}}/ REJECT\n"),
    };
    (0..rules).map(rule).collect()
}

fn regexp(rules: usize) -> String {
    let rule = |number: usize| match number % 3 {
        0 => format!("/^Subject: .*cheap product{number} now/ REJECT spam {number}\n"),
        1 => format!("/^From: (.*)@host{number}\\.example\\.(com|net)>?$/ REJECT $1\n"),
        _ => format!("/[[:space:]]word{number}[[:alpha:]]{{2,5}}/ REJECT\n"),
    };
    (0..rules).map(rule).collect()
}

/// Headers of a usual mail; nearly none is in a table.
fn keys() -> Vec<String> {
    let headers = [
        "Received: from mail.example.net (mail.example.net [192.0.2.1])\n\tby mx.example.org",
        "From: \"A. Person\" <person@example.net>",
        "To: <someone@example.org>, Somebody Else <else@example.org>",
        "Subject: Minutes of the meeting on Thursday, and what is next",
        "Date: Thu, 1 Jan 2026 10:00:00 +0100",
        "Message-ID: <20260101090000.12345@mail.example.net>",
        "MIME-Version: 1.0",
        "Content-Type: multipart/mixed; boundary=\"=_0123456789abcdef\"",
        "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.net; s=sel;\n\th=from",
        "X-Mailer: Agent 3 of the year",
    ];
    headers.map(str::to_owned).to_vec()
}
