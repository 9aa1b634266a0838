use std::{
    net::{Ipv4Addr, Ipv6Addr},
    num::NonZeroU32,
    sync::Mutex,
};

use mailweir_spam::{
    dns::{Answer, Budget},
    greylist,
    links::OwnDomains,
    lists::List,
    symbols::Symbol,
};

use super::*;
use crate::config::{Greylisted, Greylisting};

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

/// Everything that is asked for, and a listing of each name that begins so.
#[derive(Default)]
struct Listing {
    of: &'static [&'static str],
    asked: Mutex<Vec<String>>,
}

impl Listing {
    fn of(of: &'static [&'static str]) -> Self {
        Self { of, asked: Mutex::default() }
    }

    fn note(&self, name: &str) {
        self.asked.lock().unwrap().push(name.to_owned());
    }

    fn take_asked(&self) -> Vec<String> {
        let mut asked = std::mem::take(&mut *self.asked.lock().unwrap());
        asked.sort();
        asked
    }
}

impl Dns for Listing {
    async fn txt(&self, name: &str) -> Answer<Box<str>> {
        self.note(&format!("TXT {name}"));
        match name {
            "vouches.test" => Answer::Found(vec!["v=spf1 ip4:192.0.2.1 -all".into()]),
            _ => Answer::NoSuchName,
        }
    }

    async fn a(&self, name: &str) -> Answer<Ipv4Addr> {
        self.note(name);
        match self.of.contains(&name) {
            true => Answer::Found(vec![Ipv4Addr::new(127, 0, 0, 2)]),
            false => Answer::NoSuchName,
        }
    }

    async fn aaaa(&self, _: &str) -> Answer<Ipv6Addr> {
        Answer::NoSuchName
    }

    async fn mx(&self, _: &str) -> Answer<Box<str>> {
        Answer::NoSuchName
    }

    async fn ptr(&self, _: IpAddr) -> Answer<Box<str>> {
        Answer::NoSuchName
    }
}

fn rules(client: &[&str], domain: &[&str]) -> BeforeData {
    BeforeData {
        client_lists: List::all(client.iter().copied()).unwrap(),
        domain_lists: List::all(domain.iter().copied()).unwrap(),
        greylisting: None,
        greet_wait: std::time::Duration::ZERO,
        network_rate: None,
        sender_rate: None,
    }
}

const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

/// Whose name nobody asks about.
const PRIVATE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 2, 1));

fn impression(reverse: &str) -> Impression {
    Impression::new(CLIENT, &ClientName::Unconfirmed(reverse.parse().unwrap()), None)
}

async fn complete(
    known: &mut Impression,
    stranger: &Stranger<'_>,
    rules: &BeforeData,
    dns: &impl Dns,
) -> News {
    let domains = OwnDomains::new(["local.example"]);
    let ours = Ourselves { name: "gate.example", address: None, domains: &domains };
    let terms = Terms { rules, ours: &ours, correspondent: None };
    known.complete(stranger, &terms, dns, NOW).await
}

const fn stranger<'a>(helo: &'a str, mail_from: Option<&'a str>) -> Stranger<'a> {
    Stranger { client: CLIENT, helo, mail_from, ours: "gate.example" }
}

#[tokio::test]
async fn the_client_is_asked_about_once_in_a_session_and_the_sender_once_for_a_mail() {
    let (dns, rules) = (Listing::default(), rules(&["bl.test", "wl.test*-1"], &["dbl.test"]));
    let mut known = impression("MX.client.test");
    let ann = stranger("helo.test", Some("ann@Author.test"));
    complete(&mut known, &ann, &rules, &dns).await;
    let all = [
        "1.2.0.192.bl.test",
        "1.2.0.192.wl.test",
        "author.test.dbl.test",
        "helo.test",
        "helo.test.dbl.test",
        "mx.client.test.dbl.test",
    ];
    assert_eq!(dns.take_asked(), all);
    assert!(known.is_complete());
    complete(&mut known, &ann, &rules, &dns).await;
    assert!(dns.take_asked().is_empty());
    known.forget_mail();
    assert!(!known.is_complete());
    complete(&mut known, &stranger("helo.test", Some("bob@other.test")), &rules, &dns).await;
    assert_eq!(dns.take_asked(), ["helo.test", "helo.test.dbl.test", "other.test.dbl.test"]);
}

#[tokio::test]
async fn a_name_is_asked_about_once_wherever_it_stands_and_an_address_is_no_name() {
    let (dns, rules) = (Listing::default(), rules(&[], &["dbl.test"]));
    complete(&mut impression("one.test"), &stranger("ONE.test", None), &rules, &dns).await;
    assert_eq!(dns.take_asked(), ["one.test", "one.test.dbl.test"]);
    let mut nameless = Impression::new(PRIVATE, &ClientName::Unknown, None);
    for helo in ["[192.0.2.1]", "192.0.2.1", "-", "", "localhost"] {
        nameless.forget_mail();
        complete(&mut nameless, &stranger(helo, None), &rules, &dns).await;
    }
    assert!(dns.take_asked().is_empty());
    let mut told = Impression::new(CLIENT, &ClientName::Unknown, Some("told.test"));
    complete(&mut told, &stranger("told.test", Some("a@told.test")), &rules, &dns).await;
    assert_eq!(dns.take_asked(), ["told.test.dbl.test"]);
}

#[tokio::test]
async fn listings_are_evidence_as_strong_as_their_weights() {
    let dns = Listing::of(&["1.2.0.192.bl.test", "1.2.0.192.wl.test", "author.test.dbl.test"]);
    let rules = rules(&["bl.test*2", "wl.test*-2.5", "none.test*0"], &["dbl.test*0.5"]);
    let mut known = impression("mx.client.test");
    let news = complete(&mut known, &stranger("x.test", Some("a@author.test")), &rules, &dns).await;
    assert_eq!(news.listed.len(), 3);
    let found: Vec<_> = known
        .evidence()
        .map(|one| (one.symbol(), one.strength(), one.evidence().to_owned()))
        .collect();
    let expected = [
        (Symbol::Dnsbl, 2.0, "192.0.2.1 is on bl.test*2 (127.0.0.2)".to_owned()),
        (Symbol::Dnswl, 2.5, "192.0.2.1 is on wl.test*-2.5 (127.0.0.2)".to_owned()),
        (Symbol::Rhsbl, 0.5, "author.test is on dbl.test*0.5 (127.0.0.2)".to_owned()),
        (Symbol::HeloUnknown, 1.0, "192.0.2.1 said x.test".to_owned()),
    ];
    assert_eq!(found, expected);
    assert!(known.is_welcome(), "more speaks for it than against it");
    known.note(Finding::new(Symbol::KnownCorrespondent, "a@author.test"));
    known.note(Finding::new(Symbol::KnownCorrespondent, "a@author.test"));
    assert_eq!(known.evidence().count(), 5, "each symbol once");
    known.forget_mail();
    assert_eq!(known.evidence().count(), 2);
}

#[tokio::test]
async fn the_sender_s_domain_is_asked_only_where_somebody_needs_it() {
    let (dns, mut rules) = (Listing::default(), rules(&[], &[]));
    let ann = stranger("helo.test", Some("ann@author.test"));
    complete(&mut impression("x.test"), &ann, &rules, &dns).await;
    assert_eq!(dns.take_asked(), ["helo.test"]);
    let settings = greylist::Settings::default();
    rules.greylisting = Some(Greylisting { whom: Greylisted::Everybody, settings });
    let mut known = impression("x.test");
    complete(&mut known, &ann, &rules, &dns).await;
    assert_eq!(dns.take_asked(), ["TXT author.test", "helo.test"]);
    assert_eq!(known.spf().unwrap().result, SpfResult::None);
    let to_come: Vec<_> = known.evidence_to_come(CLIENT).map(|one| one.symbol()).collect();
    assert_eq!(to_come, [Symbol::SpfNone]);
    let found: Vec<_> = known.evidence().map(|one| one.symbol()).collect();
    assert_eq!(found, [Symbol::HeloUnknown], "the rest is asked again when the mail is there");
    (rules.greylisting, rules.sender_rate) = (None, Some(NonZeroU32::MIN));
    complete(&mut impression("x.test"), &ann, &rules, &dns).await;
    assert_eq!(dns.take_asked(), ["TXT author.test", "helo.test"]);
}

#[tokio::test]
async fn g4_what_is_not_asked_for_is_no_evidence_and_no_trouble_of_a_list() {
    let dns = Listing::default();
    let spent = Budget::new(&dns, 0);
    let rules = rules(&["bl.test"], &["dbl.test"]);
    let mut known = impression("x.test");
    let news = complete(&mut known, &stranger("x.test", Some("a@a.test")), &rules, &spent).await;
    assert!(dns.take_asked().is_empty());
    assert_eq!((news.troubled.len(), news.listed.len()), (0, 0));
    assert_eq!(known.evidence().count(), 0);
    assert!(known.is_complete() && !known.is_welcome() && !known.is_vouched_for());
}

#[tokio::test]
async fn the_name_in_helo_and_that_of_the_address_are_evidence() {
    let (dns, rules) = (Listing::of(&["there.test"]), rules(&[], &[]));
    let proven = ClientName::Verified("mx.client.test".parse().unwrap());
    let nameless = Impression::new(CLIENT, &ClientName::Unknown, None);
    let unanswered = Impression::new(CLIENT, &ClientName::Unanswered, None);
    let mut symbols = Vec::new();
    for (mut known, helo) in [
        (Impression::new(CLIENT, &proven, None), "MX.client.test"),
        (Impression::new(CLIENT, &ClientName::Unknown, Some("told.test")), "told.test"),
        (nameless, "there.test"),
        (unanswered, "gate.example"),
        (impression("192-0-2-1.dyn.isp.test"), "pc"),
    ] {
        complete(&mut known, &stranger(helo, Some("a@a.test")), &rules, &dns).await;
        let both = known.evidence().chain(known.evidence_to_come(CLIENT));
        symbols.push(both.map(|one| one.symbol()).collect::<Vec<_>>());
    }
    let expected: [&[Symbol]; 5] = [
        &[],
        &[],
        &[Symbol::HeloOther, Symbol::RdnsNone],
        &[Symbol::HeloOurName],
        &[Symbol::HeloNotAName, Symbol::RdnsDynamic],
    ];
    assert_eq!(symbols, expected);
    assert_eq!(dns.take_asked(), ["there.test"], "a proven name is not asked for");
}

#[tokio::test]
async fn names_of_private_networks_are_not_asked_for() {
    let (dns, rules) = (Listing::default(), rules(&["bl.test"], &[]));
    let mut known = Impression::new(PRIVATE, &ClientName::Unknown, None);
    let printer = Stranger { client: PRIVATE, ..stranger("printer", Some("a@a.test")) };
    complete(&mut known, &printer, &rules, &dns).await;
    assert!(dns.take_asked().is_empty());
    assert_eq!(known.evidence().chain(known.evidence_to_come(PRIVATE)).count(), 0);
}

#[tokio::test]
async fn a_correspondent_counts_if_the_domain_vouches_for_the_client_and_nobody_is_greylisted() {
    let (dns, rules) = (Listing::default(), rules(&[], &[]));
    let domains = OwnDomains::new(["local.example"]);
    let ours = Ourselves { name: "gate.example", address: None, domains: &domains };
    let mut counting = Vec::new();
    for sender in ["ann@vouches.test", "ann@author.test"] {
        let terms = Terms { rules: &rules, ours: &ours, correspondent: Some(sender) };
        let mut known = impression("x.test");
        known.complete(&stranger("[192.0.2.1]", Some(sender)), &terms, &dns, NOW).await;
        assert!(known.is_known());
        let counts = known.evidence().any(|one| one.symbol() == Symbol::KnownCorrespondent);
        counting.push((sender, counts));
    }
    assert_eq!(counting, [("ann@vouches.test", true), ("ann@author.test", false)]);
}

#[tokio::test]
async fn what_is_known_is_weighed_once_and_anew_when_more_is() {
    let (dns, rules) = (Listing::default(), rules(&[], &[]));
    let mut known = impression("x.test");
    complete(&mut known, &stranger("x.test", Some("ann@author.test")), &rules, &dns).await;
    let weights = Weights::default();
    let before = known.points(CLIENT, &weights);
    assert_eq!(known.of_mail.as_ref().unwrap().points, Some(before));
    known.note(Finding::new(Symbol::KnownCorrespondent, "ann@author.test"));
    assert!(known.points(CLIENT, &weights) < before);
}
