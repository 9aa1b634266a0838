//! The suite of openspf.org (release 2014.04), through the public face. It is data of its own; where it is not at
//! hand, the test says so and passes.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    path::{Path, PathBuf},
    str::FromStr,
};

use super::{
    NOW,
    suite_reader::{Case, Entry, Scenario, scenarios},
};
use crate::{
    dns::{Answer, Dns, is_name, table::at_once},
    spf::{Limits, Question, check},
};

#[test]
#[expect(
    clippy::disallowed_macros,
    reason = "whoever runs it sees how many cases there were, or that none were"
)]
#[expect(clippy::disallowed_methods, reason = "the suite is a file")]
fn the_suite_of_rfc_7208_comes_out_as_it_should() {
    let Some(path) = suite() else {
        println!("skipped: there is no spf-rfc7208/rfc7208-tests.yml");
        return;
    };
    let text = std::fs::read_to_string(path).unwrap();
    let scenarios = scenarios(&text);
    let cases = || scenarios.iter().flat_map(|of| of.cases.iter().map(move |case| (of, case)));
    let failures: Vec<String> = cases().filter_map(|(of, case)| failure(of, case)).collect();
    let count = cases().count();
    println!("{} of {count} as expected", count - failures.len());
    assert_eq!(failures, Vec::<String>::new());
    assert_eq!(count, 203);
}

fn failure(scenario: &Scenario, case: &Case) -> Option<String> {
    let question = Question {
        client: case.host.parse().unwrap(),
        helo: &case.helo,
        mail_from: Some(case.mail_from.as_str()).filter(|sender| !sender.is_empty()),
        ours: "receiver.example",
    };
    let outcome = at_once(check(&question, Limits::default(), &Zone::of(scenario), NOW));
    let is_right = case.results.iter().any(|result| result == outcome.result.keyword());
    let explanation = outcome.explanation.as_deref().unwrap_or("DEFAULT");
    let is_explained = case.explanation.as_deref().is_none_or(|expected| expected == explanation);
    (!is_right || !is_explained).then(|| format!("{}: {case:?}\n  {outcome:?}\n", case.name))
}

/// The names of a scenario, without regard to case.
struct Zone<'s>(&'s BTreeMap<String, Vec<Entry>>);

impl<'s> Zone<'s> {
    fn of(scenario: &'s Scenario) -> Self {
        Self(&scenario.names)
    }

    fn answer<T>(&self, name: &str, kind: &str, read: impl Fn(&[String]) -> T) -> Answer<T> {
        // Only `%_` makes a name with blanks, and DNS has them.
        assert!(is_name(&name.replace(' ', "_")), "asked for {name:?}");
        self.follow(&name.to_ascii_lowercase(), kind, &read, 0)
    }

    fn follow<T>(
        &self,
        name: &str,
        kind: &str,
        read: &dyn Fn(&[String]) -> T,
        depth: u8,
    ) -> Answer<T> {
        let Some(entries) = self.0.get(name) else {
            return Answer::NoSuchName;
        };
        if let Some(alias) = values(entries, "CNAME").next() {
            let alias = alias[0].trim_end_matches('.').to_ascii_lowercase();
            return if depth > 8 {
                Answer::Unclear
            } else {
                self.follow(&alias, kind, read, depth + 1)
            };
        }
        let has_own_texts = values(entries, "TXT").next().is_some();
        // What is published as SPF stands for TXT too, unless there is TXT, or `TXT: NONE`.
        let kind = if kind == "TXT" && !has_own_texts { "SPF" } else { kind };
        let found: Vec<T> = values(entries, kind).filter(|of| *of != ["NONE"]).map(read).collect();
        match entries.iter().any(|entry| matches!(entry, Entry::Timeout)) {
            _ if !found.is_empty() => Answer::Found(found),
            true => Answer::Unclear,
            false => Answer::NoRecords,
        }
    }
}

fn values<'e>(entries: &'e [Entry], kind: &str) -> impl Iterator<Item = &'e [String]> {
    entries.iter().filter_map(move |entry| match entry {
        Entry::Record(of, value) if of == kind => Some(value.as_slice()),
        Entry::Record(..) | Entry::Timeout => None,
    })
}

impl Dns for Zone<'_> {
    async fn txt(&self, name: &str) -> Answer<Box<str>> {
        self.answer(name, "TXT", |strings| strings.concat().into())
    }

    async fn a(&self, name: &str) -> Answer<Ipv4Addr> {
        self.answer(name, "A", |value| Ipv4Addr::from_str(&value[0]).unwrap())
    }

    async fn aaaa(&self, name: &str) -> Answer<Ipv6Addr> {
        self.answer(name, "AAAA", |value| Ipv6Addr::from_str(&value[0]).unwrap())
    }

    async fn mx(&self, name: &str) -> Answer<Box<str>> {
        self.answer(name, "MX", |value| value[1].as_str().into())
    }

    async fn ptr(&self, address: IpAddr) -> Answer<Box<str>> {
        let name = match address {
            IpAddr::V4(address) => {
                let [a, b, c, d] = address.octets();
                format!("{d}.{c}.{b}.{a}.in-addr.arpa")
            }
            IpAddr::V6(address) => {
                let digits = format!("{:032x}", address.to_bits());
                let reversed: Vec<String> = digits.chars().rev().map(String::from).collect();
                format!("{}.ip6.arpa", reversed.join("."))
            }
        };
        self.answer(&name, "PTR", |value| value[0].trim_end_matches('.').into())
    }
}

/// Beside the checkout, or where an environment variable says.
#[expect(
    clippy::disallowed_methods,
    reason = "where the suite is, is the setting of whoever runs the test"
)]
fn suite() -> Option<PathBuf> {
    const NAME: &str = "spf-rfc7208/rfc7208-tests.yml";
    let given = std::env::var_os("MAILWEIR_TESTDATA").map(|folder| Path::new(&folder).join(NAME));
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let beside = above.map(|folder| folder.join("shared/testdata").join(NAME));
    given.into_iter().chain(beside).find(|path| path.exists())
}
