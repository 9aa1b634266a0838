mod causes;
mod evaluation;
mod expansion;
mod records;
mod suite;
mod suite_reader;
mod trouble;

use std::net::IpAddr;

use mailweir_mail::Timestamp;

use super::{Limits, Outcome, Question, SpfResult, check};
use crate::dns::table::{Table, at_once};

/// Asks about `user@` a domain.
fn ask(table: &Table, client: &str, domain: &str) -> Outcome {
    let sender = format!("user@{domain}");
    ask_as(table, client, "mx.sender.example", Some(&sender))
}

fn ask_as(table: &Table, client: &str, helo: &str, mail_from: Option<&str>) -> Outcome {
    let client: IpAddr = client.parse().unwrap();
    let question = Question { client, helo, mail_from, ours: "mx.ours.example" };
    at_once(check(&question, Limits::default(), table, NOW))
}

/// What a record says of a client, and why.
#[track_caller]
fn expect(table: &Table, client: &str, result: SpfResult, cause: &str) {
    let outcome = ask(table, client, "s.example");
    assert_eq!((outcome.result, outcome.cause.to_string().as_str()), (result, cause));
}

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
