//! What all checks and rules of moderation cost together for a small mail, as the load of the bench has it: microseconds each.
//!
//! ```text
//! cargo run --release -p mailweir-filters --example mail_cost -- 20000     (mails)
//! ```
//!
//! Behind the number, words choose what is on: `header`, `body`, `subject`, `text`, `name`, `type`, `rules`; without any, all.
//! Under `valgrind --tool=callgrind`, the instructions.

#![expect(clippy::unwrap_used, reason = "a tool of the benches")]

use std::{
    env,
    fmt::Write as _,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Instant,
};

use mailweir_filters::{
    RemoteAnswer, RemoteMaps,
    checks::{ChecksRules, ContentChecks, Fate, Output},
};
use mailweir_moderation::{
    case::RuleName,
    numbers::NumberKind,
    rule::{Rule, Rules, What, Who, Whom},
};
use mailweir_tables::{Matching, RemoteMap, Spec, Table};

fn main() {
    let mut words = env::args().skip(1);
    let mails: u32 = words.next().map_or(1, |word| word.parse().unwrap());
    let words: Vec<String> = words.collect();
    let is_on = |word: &str| words.is_empty() || words.iter().any(|one| one == word);
    let checks = Arc::new(checks(&is_on));
    let rules = is_on("rules").then(rules);
    let mail = mail();
    let began = Instant::now();
    for _ in 0..mails {
        now(check(Arc::clone(&checks), rules.as_ref(), &mail));
    }
    println!("{:6.2} µs a mail", began.elapsed().as_secs_f64() * 1e6 / f64::from(mails));
}

/// A hundred patterns of each kind; none matches.
fn checks(is_on: &dyn Fn(&str) -> bool) -> ChecksRules {
    let list = |kind: &str, matching, patterns: &[&str]| {
        let mut source = String::new();
        for number in 0..100_usize {
            let pattern = patterns[number % patterns.len()].replace("{n}", &number.to_string());
            writeln!(source, "/{pattern}/ REJECT {number}").unwrap();
        }
        let spec = Spec::parse("pcre:/rules").unwrap();
        let loaded = Table::load(&spec, matching, &mut |_| Ok(source.clone().into_bytes()));
        if is_on(kind) { vec![Arc::new(loaded.unwrap().table)] } else { Vec::new() }
    };
    let headers = [
        "^Subject:.*cheap offer {n}\\b",
        "^From:.*@shop{n}\\.example>?$",
        "^Received:.*\\[198\\.51\\.0\\.{n}\\]",
        "^X-Mailer:.*Blaster {n}(\\.\\d+)?",
        "^Subject: *(re|fwd): *prize {n}$",
    ];
    ChecksRules {
        header: list("header", Matching::Bytes, &headers),
        mime_header: Some(Vec::new()),
        nested_header: Some(Vec::new()),
        body: list("body", Matching::Bytes, &["cheap pills {n}\\b"]),
        decoded_header: list("subject", Matching::Text, &["^Subject: *\\[offer {n}\\]"]),
        text_body: list("text", Matching::Text, &["\\b(win|won) prize {n}\\b"]),
        attachment_name: list("name", Matching::Text, &["offer{n}\\.(exe|scr|js|vbs|lnk|iso)$"]),
        attachment_type: list("type", Matching::Text, &["^application/x-offer-{n}$"]),
        ..ChecksRules::default()
    }
}

fn rules() -> Rules {
    let patterns = |list: &[&str]| list.iter().map(|one| What::pattern(one).unwrap()).collect();
    let what = [
        What {
            subject: patterns(&["\\bconfidential\\b", "\\[internal\\]", "대외비"]),
            ..What::default()
        },
        What {
            text: patterns(&["\\bnot for release\\b", "\\bproject (falcon|heron)\\b", "대외비"]),
            ..What::default()
        },
        What {
            numbers: vec![
                NumberKind::KrResidentNumber,
                NumberKind::JpMyNumber,
                NumberKind::FrNir,
                NumberKind::CardNumber,
                NumberKind::Iban,
            ],
            numbers_at_least: 3,
            ..What::default()
        },
        What {
            attachment_type: patterns(&["^image/vnd\\.(dwg|dxf)$"]),
            attachment_name: patterns(&["\\.(dwg|dxf|step)$"]),
            ..What::default()
        },
    ];
    let rule = |what| Rule {
        name: RuleName { name: "rule".into(), place: "here".into() },
        who: Who::default(),
        whom: Whom::default(),
        what,
        when: Vec::new(),
    };
    Rules::new(what.into_iter().map(rule).collect()).unwrap()
}

/// As `smtp-source -l 4096` makes it.
fn mail() -> Vec<u8> {
    let mut mail = b"From: <source@sender.example>\r\nTo: <sink@recipient.example>\r\n\
        Date: Mon, 23 Nov 2026 03:48:00 +0000 (UTC)\r\nMessage-Id: <4a1.2b3@host.example>\r\n\
        Subject: from 12345\r\n\r\n"
        .to_vec();
    for line in 1..=52 {
        write!(&mut Text(&mut mail), "{}", line % 10).unwrap();
        mail.extend_from_slice(&[b'X'; 77]);
        mail.extend_from_slice(b"\r\n");
    }
    mail
}

struct Text<'a>(&'a mut Vec<u8>);

impl std::fmt::Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

async fn check(checks: Arc<ChecksRules>, rules: Option<&Rules>, mail: &[u8]) {
    let watch = rules.map(Rules::watch);
    let Some(mut checks) = ContentChecks::watched(checks, watch) else { return };
    let mut out = Count(0);
    let received = b"Received: from host (host [127.0.0.1])\r\n\tby bench.test.example with ESMTP id 4jXsPK0WyKz1\r\n\
        \tfor <sink@recipient.example>; Mon, 23 Nov 2026 03:48:53 +0000\r\n";
    checks.own_header(received, &mut out, &Nobody).await;
    checks.feed(mail, &mut out, &Nobody).await;
    let outcome = checks.finish(&mut out, &Nobody).await;
    assert_eq!(outcome.fate, Fate::Accept);
    assert_eq!(out.0, mail.len() + received.len(), "no rule matches this mail");
}

struct Count(usize);

impl Output for Count {
    async fn write(&mut self, bytes: &[u8]) {
        self.0 += bytes.len();
    }
}

struct Nobody;

impl RemoteMaps for Nobody {
    fn ask<'a>(&'a self, _map: &'a RemoteMap, _key: &'a [u8]) -> RemoteAnswer<'a> {
        Box::pin(async { Ok(None) })
    }
}

fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return done;
        }
    }
}
