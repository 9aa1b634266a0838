use mailweir_mail::SpamAction;

use super::*;

fn now() -> Timestamp {
    Timestamp::from_secs(1_795_210_205)
}

fn explained(scale: &Scale, mail: &str) -> Explanation {
    scale.explain(mail.as_bytes(), Err("nobody has learned anything"), now())
}

fn scale(file: &str) -> Scale {
    let weights = Arc::new(Weights::with_file(file).unwrap());
    Scale { weights, of: WeightsOf::Configuration, ..Scale::default() }
}

const MAIL: &str = "From: a@far.example\nTo: b@own.example\nMessage-ID: <1@far.example>\n\
                    Date: Fri, 20 Nov 2026 21:30:05 +0000\nSubject: hello\n\nsee http://192.0.2.1/\n";

#[test]
fn what_a_mail_shows_is_added_up_by_the_weights() {
    let told = explained(&Scale::default(), MAIL);
    let [noticed] = &*told.symbols else { panic!("{told:?}") };
    assert_eq!((&*noticed.symbol, &*noticed.seen), ("URL_ADDRESS", "192.0.2.1"));
    assert_eq!((noticed.adds, &*noticed.group), (told.score, "links"));
    assert_eq!((told.action, told.weights), (SpamAction::Pass, WeightsOf::Program));
    assert_eq!(told.classifier.trouble.as_deref(), Some("nobody has learned anything"));
    let told = explained(&scale("[symbol.URL_ADDRESS]\non = false"), MAIL);
    assert_eq!((told.score, told.symbols), (Points::ZERO, vec![]));
}

#[test]
fn what_becomes_of_it_follows_from_the_thresholds() {
    let with = |weight: f64| {
        let file =
            format!("[symbol.URL_ADDRESS]\nweight = {weight}\ngroup = \"malware\"\nalone = \"x\"");
        explained(&scale(&file), MAIL).action
    };
    assert_eq!(with(4.9), SpamAction::Pass);
    assert_eq!(with(5.0), SpamAction::Tag);
    assert_eq!(with(8.0), SpamAction::Quarantine);
    let policy = Policy { reject: Some(Points::ZERO), ..Policy::INBOUND };
    let strict = Scale { policy, ..Scale::default() };
    assert_eq!(explained(&strict, MAIL).action, SpamAction::Reject);
}

#[test]
fn a_date_is_held_against_when_the_last_host_took_the_mail() {
    let old = MAIL.replace("2026", "2002");
    let names = |mail: &str| {
        let told = explained(&Scale::default(), mail);
        told.symbols.iter().map(|noticed| noticed.symbol.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(&old), ["URL_ADDRESS".into(), "DATE_PAST".into()] as [Box<str>; 2]);
    let received = "X: y\r\nrECEIVED: from a.example (a.example; [192.0.2.7])\r\n\tby b.example; \
                    Fri,\r\n 20 Nov 2002 21:31:00 +0000 (UTC)\r\n";
    assert_eq!(names(&format!("{received}{old}")), ["URL_ADDRESS".into()] as [Box<str>; 1]);
}

#[test]
fn only_a_field_of_the_header_says_when_a_mail_came_and_none_says_the_future() {
    let late = "Received: x; Fri, 20 Nov 2099 21:30:05 +0000\n";
    assert_eq!(explained(&Scale::default(), &format!("{late}{MAIL}")).arrival, now());
    let date = "Received: x; Fri, 20 Nov 2002 21:30:05 +0000\n";
    let below = format!("{date}Received: x; Thu, 01 Jan 1998 21:30:05 +0000\n{MAIL}");
    let noted = noted_arrival(below.as_bytes()).unwrap();
    assert_eq!(noted.rfc5322(), "Wed, 20 Nov 2002 21:30:05 +0000");
    for mail in [&*format!("{MAIL}{date}"), "", "Received", "Received:", "Received: x; y", "\n"] {
        assert_eq!(noted_arrival(mail.as_bytes()), None, "{mail:?}");
    }
}

#[test]
fn every_symbol_stands_in_its_group_once() {
    let told = Scale::default().catalogue();
    let listed = told.groups.iter().flat_map(|group| &group.symbols);
    let mut listed: Vec<_> = listed.map(|entry| &*entry.symbol).collect();
    listed.sort_unstable();
    let mut all: Vec<_> = Symbol::ALL.iter().map(|symbol| symbol.name()).collect();
    all.sort_unstable();
    assert_eq!(listed, all);
    assert!(told.groups.iter().all(|group| group.built_in.is_none()));
    let entries = || told.groups.iter().flat_map(|group| &group.symbols);
    assert!(entries().all(|entry| entry.is_on && entry.built_in.is_none()));
    assert!(entries().all(|entry| !entry.description.is_empty()));
}

#[test]
fn what_was_changed_says_what_is_built_in() {
    let file = "[group.links]\nmost = 6.5\n[group.own]\nmost = 1.0\n\
                [symbol.URL_ADDRESS]\nweight = 2.4\ngroup = \"own\"\n[symbol.MACROS]\non = false";
    let told = scale(file).catalogue();
    let group = |name: &str| told.groups.iter().find(|group| *group.group == *name).unwrap();
    assert_eq!(group("links").built_in.map(|it| it.most), Some(Points::from_tenths(50)));
    assert_eq!(group("links").limits.most, Points::from_tenths(65));
    let [moved] = &*group("own").symbols else { panic!("{told:?}") };
    assert_eq!((&*moved.symbol, moved.weight), ("URL_ADDRESS", Points::from_tenths(24)));
    let built_in = moved.built_in.as_ref().unwrap();
    assert_eq!((built_in.weight, &*built_in.group), (Points::from_tenths(20), "links"));
    assert!(group("own").built_in.is_none());
    let off = group("attachments").symbols.iter().filter(|entry| !entry.is_on);
    assert_eq!(off.map(|entry| &*entry.symbol).collect::<Vec<_>>(), ["MACROS"]);
}

#[test]
fn what_is_told_is_the_same_after_its_way_through_json() {
    let told = explained(&Scale::default(), MAIL);
    let json = serde_json::to_value(&told).unwrap();
    assert_eq!((&json["score"], &json["action"]), (&2.0.into(), &"pass".into()));
    assert_eq!(json["from"], serde_json::json!({ "tag": 5.0, "quarantine": 8.0 }));
    assert_eq!(serde_json::from_value::<Explanation>(json).unwrap(), told);
    let told = scale("[symbol.MACROS]\non = false\n[group.links]\nleast = -0.3").catalogue();
    let json = serde_json::to_value(&told).unwrap();
    assert_eq!(serde_json::from_value::<Catalogue>(json).unwrap(), told);
}
