//! Each piece of evidence, by its name and in the words that people read; and that every symbol is made somewhere.

mod authentication;
mod every_symbol;
mod manual;

use std::{net::IpAddr, time::Duration};

use super::*;
use crate::{
    bayes::{Clue, Opinion},
    hello::{Hello, Helo},
    lists::{List, Listing, Trouble, Verdict},
    symbols::{Finding, Points, Symbol, Weights},
};

/// Each as `SYMBOL strength evidence`.
fn shown<'f>(findings: impl IntoIterator<Item = &'f Finding>) -> Vec<String> {
    let text = |finding: &Finding| {
        format!("{} {} {}", finding.symbol(), finding.strength(), finding.evidence())
    };
    findings.into_iter().map(text).collect()
}

fn client() -> IpAddr {
    "192.0.2.1".parse().unwrap()
}

/// What a list of this setting says if it answers so.
fn verdict(setting: &str, code: [u8; 4]) -> Verdict {
    let list = List::parse(setting).unwrap();
    list.judge(&crate::dns::Answer::Found(vec![code.into()]))
}

/// What comes of what lists say.
fn of_lists<'a>(said: impl IntoIterator<Item = (Asked<'a>, &'a Verdict)>) -> Vec<Finding> {
    of_listings(said.into_iter().flat_map(|(asked, verdict)| {
        let listings: &[Listing] = match verdict {
            Verdict::Listed(listings) => listings,
            Verdict::NotListed | Verdict::NotAsked(_) | Verdict::Unclear(_) => &[],
        };
        listings.iter().map(move |listing| (asked, listing))
    }))
}

/// One of each use of a list.
fn lists() -> Vec<Finding> {
    let bad = verdict("bl.example=127.0.0.[2..9]*1.5", [127, 0, 0, 4]);
    let good = verdict("wl.example*-2", [127, 0, 4, 2]);
    of_lists([
        (Asked::Client(client()), &bad),
        (Asked::Client(client()), &good),
        (Asked::Sender("evil.example"), &bad),
        (Asked::Link("www.evil.example"), &bad),
    ])
}

/// All that is found out about a client itself.
fn connection() -> Vec<Finding> {
    let hello = Hello { client: client(), said: "mx.other.example", proven: None };
    let helos =
        [Helo::Other, Helo::Unknown, Helo::Address, Helo::NotAName, Helo::OurName, Helo::Fits];
    let mut findings: Vec<Finding> =
        helos.into_iter().filter_map(|helo| of_helo(helo, &hello)).collect();
    findings.extend(of_reverse_name("host-192-0-2-1.provider.example", client()));
    findings.extend(of_reverse_name("dsl-192-0-2-1.provider.example", client()));
    findings.extend(of_reverse_name("mx.own.example", client()));
    findings.push(greylisted(Duration::from_secs(360)));
    findings.push(known_correspondent("ann@example.org"));
    findings
}

/// What the classifier and scanners say.
fn judges() -> Vec<Finding> {
    let clue = |text: &str| Clue { text: text.to_owned(), probability: 0.9 };
    let opinion = |probability| Opinion {
        probability,
        known: 9,
        spam: vec![clue("free money"), clue("subject:viagra")],
        ham: vec![clue("minutes"), clue("list:debian")],
    };
    let opinions = [0.0001, 0.1, 0.5, 0.85, 0.96, 0.9999].map(opinion);
    let mut findings: Vec<Finding> = opinions.iter().filter_map(of_opinion).collect();
    findings.extend(of_scanner(Scanner::Rspamd, 22.5, 15.0));
    findings.extend(of_scanner(Scanner::SpamAssassin, 2.5, 5.0));
    findings.push(malware("Eicar-Test-Signature"));
    findings.push(malware("Heuristics.Phishing.Email.SpoofedDomain"));
    findings.extend(forged_results(2));
    findings
}

#[test]
fn a_listing_is_as_strong_as_the_administrator_believes_the_list() {
    assert_eq!(
        shown(&lists()),
        [
            "DNSBL 1.5 192.0.2.1 is on bl.example=127.0.0.[2..9]*1.5 (127.0.0.4)",
            "DNSWL 2 192.0.2.1 is on wl.example*-2 (127.0.4.2)",
            "RHSBL 1.5 evil.example is on bl.example=127.0.0.[2..9]*1.5 (127.0.0.4)",
            "URIBL 1.5 www.evil.example is on bl.example=127.0.0.[2..9]*1.5 (127.0.0.4)",
        ]
    );
    let total = |weight| {
        let verdict = verdict(weight, [127, 0, 0, 2]);
        let found = of_lists([(Asked::Client(client()), &verdict)]);
        Weights::default().score(found).total().to_string()
    };
    assert_eq!(["x.example", "x.example*0.5", "x.example*0"].map(total), ["4.0", "2.0", "0.0"]);
}

#[test]
fn what_one_list_says_of_several_names_counts_once() {
    let bad = verdict("bl.example", [127, 0, 0, 2]);
    let other = verdict("other.example", [127, 0, 0, 2]);
    let names = ["a.evil.example", "b.evil.example", "c.evil.example"];
    let found = of_lists(names.map(|name| (Asked::Link(name), &bad)));
    assert_eq!(shown(&found), ["URIBL 1 a.evil.example is on bl.example (127.0.0.2)"]);
    let two = of_lists([(Asked::Sender("a.example"), &bad), (Asked::Sender("a.example"), &other)]);
    assert_eq!(two.len(), 2);
}

#[test]
fn a_name_that_is_well_thought_of_speaks_for_nobody_who_writes_it() {
    let good = verdict("wl.example*-2", [127, 0, 0, 2]);
    assert_eq!(of_lists([(Asked::Sender("bank.example"), &good)]), []);
    assert_eq!(of_lists([(Asked::Link("bank.example"), &good)]), []);
}

#[test]
fn f8_a_list_that_does_not_tell_says_nothing() {
    let silent = [
        Verdict::Unclear(Trouble::NoAnswer),
        verdict("bl.example", [127, 255, 255, 254]),
        verdict("bl.example", [192, 0, 2, 1]),
        Verdict::NotListed,
    ];
    assert_eq!(of_lists(silent.iter().map(|verdict| (Asked::Client(client()), verdict))), []);
}

#[test]
fn what_is_found_out_about_a_client_is_said_in_a_line() {
    assert_eq!(
        shown(&connection()),
        [
            "HELO_OTHER 1 mx.other.example is not 192.0.2.1",
            "HELO_UNKNOWN 1 192.0.2.1 said mx.other.example",
            "HELO_ADDRESS 1 192.0.2.1 said mx.other.example",
            "HELO_NOT_A_NAME 1 192.0.2.1 said mx.other.example",
            "HELO_OUR_NAME 1 192.0.2.1 said mx.other.example",
            "RDNS_GENERIC 1 host-192-0-2-1.provider.example",
            "RDNS_DYNAMIC 1 dsl-192-0-2-1.provider.example",
            "GREYLISTED 1 it came again after 6 minutes",
            "KNOWN_CORRESPONDENT 1 ann@example.org",
        ]
    );
    let waited = |seconds| greylisted(Duration::from_secs(seconds)).evidence().to_owned();
    assert_eq!(waited(1), "it came again after 1 second");
    assert_eq!(waited(119), "it came again after 119 seconds");
    assert_eq!(waited(3 * 86_400), "it came again after 3 days");
}

#[test]
fn judges_say_how_sure_they_are_and_why() {
    assert_eq!(
        shown(&judges()),
        [
            "BAYES_SURE_HAM 1 0.0 %: minutes, list:debian",
            "BAYES_HAM 1 10.0 %: minutes, list:debian",
            "BAYES_LIKELY_SPAM 1 85.0 %: free money, subject:viagra",
            "BAYES_SPAM 1 96.0 %: free money, subject:viagra",
            "BAYES_SURE_SPAM 1 100.0 %: free money, subject:viagra",
            "RSPAMD 1.5 22.5, spam from 15.0 on",
            "SPAMASSASSIN 0.5 2.5, spam from 5.0 on",
            "MALWARE 1 Eicar-Test-Signature",
            "MALWARE_SUSPECTED 1 Heuristics.Phishing.Email.SpoofedDomain",
            "FORGED_RESULTS 1 2 fields",
        ]
    );
    assert_eq!(forged_results(0), None);
}

#[test]
fn only_what_a_scanner_knows_is_malware_and_what_it_suspects_is_held_by_default() {
    for (name, symbol) in [
        ("Eicar-Test-Signature", Symbol::Malware),
        ("Win.Test.EICAR_HDB-1", Symbol::Malware),
        ("Win.Trojan.Agent-6404", Symbol::Malware),
        ("Win.Trojan.SpamBot-1", Symbol::Malware),
        ("Sanesecurity.Malware.26012.JsHeur.UNOFFICIAL", Symbol::Malware),
        ("Sanesecurity.Trojan.1.UNOFFICIAL", Symbol::Malware),
        ("Porcupine.Malware.56042.UNOFFICIAL", Symbol::Malware),
        ("", Symbol::Malware),
        ("Heuristics.Phishing.Email.SpoofedDomain", Symbol::MalwareSuspected),
        ("Heuristics.Encrypted.Zip", Symbol::MalwareSuspected),
        ("heuristics.Limits.Exceeded", Symbol::MalwareSuspected),
        ("PUA.Win.Packer.Upx-28", Symbol::MalwareSuspected),
        ("Html.Phishing.Bank-1", Symbol::MalwareSuspected),
        ("Email.Phishing-7", Symbol::MalwareSuspected),
        ("winnow.phish.ts.1.UNOFFICIAL", Symbol::MalwareSuspected),
        ("winnow.spam.ts.xmailer.2.UNOFFICIAL", Symbol::MalwareSuspected),
        ("Sanesecurity.Junk.1.UNOFFICIAL", Symbol::MalwareSuspected),
        ("Sanesecurity.Phishing.Fake.1.UNOFFICIAL", Symbol::MalwareSuspected),
    ] {
        assert_eq!(malware(name).symbol(), symbol, "{name}");
    }
    let suspected = Weights::default().score([malware("PUA.Win.Packer.Upx-28")]);
    assert!(suspected.total() >= Points::QUARANTINE);
}

#[test]
fn a_scanner_that_keeps_a_mail_back_by_more_than_its_score_quarantines_by_default() {
    let found = |score| of_objecting_scanner(Scanner::Rspamd, "reject", score, 15.0).unwrap();
    assert_eq!(found(2.0).evidence(), "reject, 2.0, spam from 15.0 on");
    for score in [-5.0, 2.0, 15.0, 19.9] {
        let total = Weights::default().score([found(score)]).total();
        assert_eq!(total, Points::QUARANTINE, "{score}");
    }
    assert_eq!(found(30.0).strength().to_bits(), 2.0_f32.to_bits());
    assert_eq!(of_objecting_scanner(Scanner::Rspamd, "reject", 2.0, 0.0), None);
}

#[test]
fn a_scanner_without_numbers_to_go_by_says_nothing_and_none_speaks_for_a_mail() {
    for (score, threshold) in
        [(f64::NAN, 5.0), (f64::INFINITY, 5.0), (5.0, 0.0), (5.0, -1.0), (5.0, f64::NAN)]
    {
        assert_eq!(of_scanner(Scanner::Rspamd, score, threshold), None, "{score} {threshold}");
    }
    let good = of_scanner(Scanner::SpamAssassin, -3.0, 5.0).unwrap();
    assert_eq!(Weights::default().score([good]).total().tenths(), 0);
}
