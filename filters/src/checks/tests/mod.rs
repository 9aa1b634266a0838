//! Stories of mails and tables, and what is always true.

mod actions;
mod cost;
mod decoded;
mod korean;
mod precedence;
mod read;
mod untouched;
mod watched;

use std::{
    future::Future,
    pin::pin,
    sync::Arc,
    task::{Context as TaskContext, Poll, Waker},
};

use mailweir_tables::{LookupError, Matching, RemoteMap, Spec, Table};

use super::*;
use crate::{RemoteAnswer, RemoteMaps};

/// What came out of a mail, and what it came to.
struct Result {
    content: String,
    outcome: Outcome,
}

/// Sends `mail` through header checks and body checks, in Postfix's own notation.
fn check(header: &str, body: &str, mail: &str) -> Result {
    check_under(rules(header, body), mail)
}

fn check_under(rules: ChecksRules, mail: &str) -> Result {
    let (content, outcome) = run(Arc::new(rules), [mail.as_bytes()]);
    Result { content: String::from_utf8(content).unwrap(), outcome }
}

fn run<'p>(
    rules: Arc<ChecksRules>,
    pieces: impl IntoIterator<Item = &'p [u8]>,
) -> (Vec<u8>, Outcome) {
    now(async {
        let mut checks = ContentChecks::new(rules).unwrap();
        let mut out = Vec::new();
        for piece in pieces {
            checks.feed(piece, &mut out, &Nobody).await;
        }
        let outcome = checks.finish(&mut out, &Nobody).await;
        (out, outcome)
    })
}

fn rules(header: &str, body: &str) -> ChecksRules {
    ChecksRules { header: list(header), body: list(body), ..ChecksRules::default() }
}

/// A list of one table; of none if there is nothing in it.
fn list(source: &str) -> Vec<Arc<Table>> {
    if source.is_empty() { Vec::new() } else { vec![table("regexp:/checks", source)] }
}

fn table(name: &str, source: &str) -> Arc<Table> {
    load(name, source.as_bytes(), Matching::Bytes)
}

/// A table without any mistake.
fn load(name: &str, source: &[u8], matching: Matching) -> Arc<Table> {
    let spec = Spec::parse(name).unwrap();
    let loaded = Table::load(&spec, matching, &mut |_| Ok(source.to_vec())).unwrap();
    assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
    Arc::new(loaded.table)
}

impl Result {
    /// `reject: header Subject: x: 5.7.1 no`, one line for each.
    fn told(&self) -> Vec<String> {
        let line = |decision: &Decision| {
            let Decision { context, line, action, text, .. } = decision;
            match action {
                Ok(verb) => {
                    let word = verb.word().to_lowercase();
                    let text = if text.is_empty() { String::new() } else { format!(": {text}") };
                    format!("{word}: {} {line}{text}", context.log_word())
                }
                Err(error) => format!("error: {error}"),
            }
        };
        self.outcome.decisions.iter().map(line).collect()
    }

    fn bcc(&self) -> Vec<&str> {
        self.outcome.bcc.iter().map(mailweir_mail::Address::as_str).collect()
    }
}

/// The result of what need not wait.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut TaskContext::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a table in memory does not wait"),
    }
}

/// Other servers, none of which is there.
struct Nobody;

impl RemoteMaps for Nobody {
    fn ask<'a>(&'a self, map: &'a RemoteMap, _key: &'a [u8]) -> RemoteAnswer<'a> {
        let error = LookupError::Remote {
            table: format!("{map:?}").into(),
            reason: "nobody is there".into(),
        };
        Box::pin(std::future::ready(Err(error)))
    }
}
