//! Chains that are sealed by code written apart, and what becomes of them when anything is changed.

use std::fmt::Write as _;

use mailweir_mail::Timestamp;
use proptest::prelude::*;

use super::{ArcFault, ArcOutcome, ArcResult, verify};
use crate::{
    dkim::{
        Fault,
        tests::{
            read,
            signer::{TestSigner, bytes, canonical_field, latin},
        },
    },
    dns::{
        Budget, Dns,
        table::{Table, at_once},
    },
};

const NOW: u64 = 1_795_210_205;

const MAIL: &str = "From: ann@a.example\r\nTo: list@l.example\r\nSubject: Hello\r\n\r\nHi all.\r\n";

/// A mail and the sets on top of it.
#[derive(Clone)]
pub(crate) struct Sealed {
    /// The three fields of each set, the oldest first, each with its line end.
    sets: Vec<[String; 3]>,
    mail: String,
}

pub(crate) const RESULTS: usize = 0;
const MESSAGE: usize = 1;
const SEAL: usize = 2;

impl Sealed {
    pub(crate) fn new() -> Self {
        Self { sets: Vec::new(), mail: MAIL.to_owned() }
    }

    /// With one more set, of a host that found a good chain.
    pub(crate) fn by(self, host: &str) -> Self {
        let value = if self.sets.is_empty() { "none" } else { "pass" };
        self.sealed(host, value, "")
    }

    fn sealed(mut self, host: &str, value: &str, tags: &str) -> Self {
        let mut signer = TestSigner::of(host);
        signer.tags = tags.to_owned();
        let instance = self.sets.len() + 1;
        let results = format!(
            "ARC-Authentication-Results: i={instance}; {host};\r\n spf=pass n={instance}\r\n"
        );
        let number = format!("i={instance};");
        let message = signer.field("ARC-Message-Signature", &number, self.mail.as_bytes());
        let open = format!(
            "ARC-Seal: i={instance}; a=ed25519-sha256; t=12345; cv={value};\r\n d={host}; s=k; b="
        );
        let mut signed = String::new();
        for field in self.sets.iter().flatten().chain([&results, &message]) {
            signed += &canonical_field(field.trim_end_matches("\r\n"), "relaxed");
            signed += "\r\n";
        }
        signed += &canonical_field(&open, "relaxed");
        let seal = format!("{open}{}\r\n", signer.signature(&bytes(&signed)));
        self.sets.push([results, message, seal]);
        self
    }

    /// As it arrives: each set above the one before it.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for [results, message, seal] in self.sets.iter().rev() {
            write!(text, "{seal}{message}{results}").unwrap();
        }
        text + &self.mail
    }

    /// With one field changed.
    pub(crate) fn with(
        mut self,
        instance: usize,
        part: usize,
        change: impl Fn(&str) -> String,
    ) -> Self {
        let field = &mut self.sets[instance - 1][part];
        *field = change(field);
        self
    }

    fn check(&self) -> ArcOutcome {
        check(&self.text(), &keys())
    }

    fn fault(&self) -> ArcFault {
        fault(&self.check())
    }
}

fn fault(outcome: &ArcOutcome) -> ArcFault {
    match &outcome.result {
        ArcResult::Fail(fault) => fault.clone(),
        other => panic!("{other:?}"),
    }
}

fn check(mail: &str, keys: &Table) -> ArcOutcome {
    check_by(mail, keys)
}

fn check_by(mail: &str, keys: &impl Dns) -> ArcOutcome {
    at_once(verify(&read(&[mail.as_bytes()]), keys, Timestamp::from_secs(NOW)))
}

fn keys() -> Table {
    let hosts = ["one.example", "two.example", "three.example", "four.example"];
    hosts.iter().fold(Table::default(), |table, host| {
        let signer = TestSigner::of(host);
        table.txt(&signer.key_name(), &[&signer.record()])
    })
}

fn three() -> Sealed {
    Sealed::new().by("one.example").by("two.example").by("three.example")
}

fn replaced(what: &str, with: &str) -> impl Fn(&str) -> String {
    move |field| {
        let changed = field.replace(what, with);
        assert_ne!(changed, field, "{what}");
        changed
    }
}

#[test]
fn a_mail_without_sets_has_no_chain() {
    let found = check(MAIL, &keys());
    assert_eq!((found.result, found.sets.len(), found.oldest_pass), (ArcResult::None, 0, None));
}

#[test]
fn a_chain_that_nobody_broke_passes_and_tells_its_sealers() {
    let keys = keys();
    let found = check(&three().text(), &keys);
    assert_eq!((&found.result, found.instances()), (&ArcResult::Pass, 3));
    let sealers: Vec<_> = found.sealers().map(mailweir_mail::Domain::as_str).collect();
    assert_eq!(sealers, ["three.example", "two.example", "one.example"]);
    assert_eq!(&*found.sets[2].results, "one.example;\r\n spf=pass n=1");
    assert_eq!((found.sets[2].instance, found.oldest_pass, found.seals_checked), (1, Some(1), 3));
    assert_eq!(keys.asked(), 3, "each key once");
    assert_eq!(check(&Sealed::new().by("one.example").text(), &keys).result, ArcResult::Pass);
}

#[test]
fn what_servers_do_to_white_space_and_to_the_order_of_fields_does_no_harm() {
    let mail = three().text().replace("\r\n spf=pass", "  \r\n\tspf=pass");
    assert_eq!(check(&mail, &keys()).result, ArcResult::Pass);
    let Sealed { sets, mail } = three();
    let mixed: String = (0..3).flat_map(|part| sets.iter().map(move |set| &*set[part])).collect();
    assert_eq!(check(&(mixed + &mail), &keys()).result, ArcResult::Pass);
}

#[test]
fn a_list_that_changes_the_mail_breaks_only_the_message_signatures_before_it() {
    let mut sealed = Sealed::new().by("one.example").by("two.example");
    sealed.mail = sealed.mail.replace("Subject: Hello", "Subject: [list] Hello");
    let found = sealed.clone().by("three.example").check();
    assert_eq!((found.result, found.oldest_pass), (ArcResult::Pass, Some(3)));
    let found = sealed.clone().by("three.example").by("four.example").check();
    assert_eq!((found.result, found.oldest_pass), (ArcResult::Pass, Some(3)));
    // What the first host signed is there again, but not what the second did.
    let mut sealed = Sealed::new().by("one.example");
    sealed.mail = sealed.mail.replace("Hello", "[list] Hello");
    sealed = sealed.by("two.example");
    sealed.mail = sealed.mail.replace("[list] Hello", "Hello");
    let found = sealed.by("three.example").check();
    assert_eq!((found.result, found.oldest_pass), (ArcResult::Pass, Some(3)));
}

#[test]
fn the_newest_message_signature_must_hold() {
    let mut sealed = three();
    sealed.mail = sealed.mail.replace("Hi all", "Hi you");
    let found = sealed.check();
    assert_eq!(fault(&found), ArcFault::Message(Fault::BodyChanged));
    assert_eq!(found.seals_checked, 0);
    let mut sealed = three();
    sealed.mail = sealed.mail.replace("Hello", "Buy");
    assert_eq!(sealed.fault(), ArcFault::Message(Fault::HeaderChanged));
    let mut sealed = Sealed::new().sealed("one.example", "none", "x=5;");
    assert_eq!(sealed.fault(), ArcFault::Message(Fault::Expired));
    sealed =
        Sealed::new().by("one.example").with(1, MESSAGE, replaced("h=from", "h=arc-seal:from"));
    assert!(matches!(sealed.fault(), ArcFault::Message(Fault::Malformed(_))));
}

#[test]
fn a_change_anywhere_in_any_set_is_seen() {
    for instance in 1..=3 {
        for (part, what, with) in [
            (RESULTS, "spf=pass", "spf=fail"),
            (RESULTS, "example;", "exampls;"),
            (SEAL, "t=12345", "t=12346"),
            (SEAL, "d=", "t2=1; d="),
            (MESSAGE, "c=relaxed/relaxed", "c=relaxed/relaxed; z=x"),
        ] {
            let found = three().with(instance, part, replaced(what, with)).check();
            let broken = match fault(&found) {
                ArcFault::Seal { instance, fault: Fault::HeaderChanged } => instance,
                // It is in the scope of the newest message signature.
                ArcFault::Message(Fault::HeaderChanged) if part == MESSAGE && instance == 3 => 3,
                other => panic!("{instance} {what}: {other}"),
            };
            // All later seals cover it, and the newest is looked at first.
            assert_eq!(broken, 3, "{instance} {what}");
        }
    }
}

#[test]
fn a_seal_by_another_key_does_not_hold() {
    let other = |field: &str| field.replace("d=two.example", "d=four.example");
    let found = three().with(2, SEAL, other).check();
    assert!(matches!(fault(&found), ArcFault::Seal { instance: 3, .. }));
    // The set of an older host is exchanged, and the newest host seals that.
    let mut forged = Sealed::new().by("one.example").by("two.example");
    forged = forged.with(1, RESULTS, replaced("spf=pass", "spf=fail")).by("three.example");
    let found = forged.check();
    let broken = ArcFault::Seal { instance: 2, fault: Fault::HeaderChanged };
    assert_eq!((fault(&found), found.seals_checked), (broken, 2));
}

#[test]
fn f9_gaps_doubles_and_missing_parts_fail() {
    for part in [RESULTS, MESSAGE, SEAL] {
        for instance in 1..=3 {
            let without = three().with(instance, part, |_| String::new());
            let wanted = ArcFault::Incomplete { instance: instance as u64 };
            assert_eq!(without.fault(), wanted, "{part}");
            let twice = three().with(instance, part, |field| format!("{field}{field}"));
            assert_eq!(twice.fault(), ArcFault::Twice { instance: instance as u64 }, "{part}");
        }
    }
    let mut gap = three();
    gap.sets.remove(1);
    assert_eq!(gap.fault(), ArcFault::Incomplete { instance: 2 });
    let mut headless = three();
    headless.sets.remove(0);
    assert_eq!(headless.fault(), ArcFault::Incomplete { instance: 1 });
}

#[test]
fn f9_sets_that_change_places_fail() {
    let exchanged = |one: &'static str, other: &'static str| {
        let mut sealed = three();
        for field in sealed.sets.iter_mut().flatten() {
            *field = match (field.contains(one), field.contains(other)) {
                (true, _) => field.replace(one, other),
                (_, true) => field.replace(other, one),
                _ => continue,
            };
        }
        sealed
    };
    assert!(matches!(exchanged("i=1;", "i=2;").fault(), ArcFault::ChainValue { .. }));
    let found = exchanged("i=2;", "i=3;").check();
    assert!(matches!(found.result, ArcResult::Fail(ArcFault::Message(_) | ArcFault::Seal { .. })));
}

#[test]
fn f9_fifty_sets_are_checked_and_not_one_more() {
    let hosts = ["one.example", "two.example", "three.example"];
    let long = |count: usize| {
        hosts.iter().cycle().take(count).fold(Sealed::new(), |sealed, host| sealed.by(host))
    };
    let keys = keys();
    let found = check(&long(50).text(), &keys);
    assert_eq!((&found.result, found.seals_checked), (&ArcResult::Pass, 50));
    assert_eq!((found.oldest_pass, keys.asked()), (Some(40), 3));
    let found = check(&long(51).text(), &keys);
    assert!(matches!(fault(&found), ArcFault::NoInstance | ArcFault::TooManySets));
    assert_eq!((found.seals_checked, keys.asked()), (0, 3), "nothing more was asked");
}

#[test]
fn f9_a_chain_of_fifty_hosts_costs_no_fifty_look_ups() {
    let sealed = (0..50).fold(Sealed::new(), |sealed, host| sealed.by(&format!("n{host}.example")));
    let keys = keys();
    let found = check(&sealed.text(), &keys);
    assert_eq!(fault(&found), ArcFault::TooManyKeys { most: 20 });
    assert_eq!(keys.asked(), 0);
}

#[test]
fn f9_instances_that_are_none_fail() {
    for bad in ["i=0;", "i=51;", "i=x;", "i=;", "i=18446744073709551616;", "j=1;"] {
        for part in [RESULTS, MESSAGE, SEAL] {
            let sealed = Sealed::new().by("one.example").with(1, part, replaced("i=1;", bad));
            assert_eq!(sealed.fault(), ArcFault::NoInstance, "{bad} {part}");
        }
    }
}

#[test]
fn the_first_host_found_nothing_and_all_others_a_good_chain() {
    let one = |value| Sealed::new().sealed("one.example", value, "");
    assert_eq!(one("pass").fault(), ArcFault::ChainValue { instance: 1 });
    let two = |value| one("none").sealed("two.example", value, "");
    assert_eq!(two("none").fault(), ArcFault::ChainValue { instance: 2 });
    assert_eq!(two("fail").fault(), ArcFault::ChainValue { instance: 2 });
    // Somebody goes on behind a host that found it broken.
    let on = two("fail").sealed("three.example", "pass", "");
    assert_eq!(on.fault(), ArcFault::ChainValue { instance: 2 });
    assert!(matches!(one("maybe").fault(), ArcFault::Malformed { instance: 1, .. }));
}

#[test]
fn a_seal_that_says_what_it_covers_is_malformed() {
    for (what, with) in [
        ("s=k;", "s=k; h=from;"),
        ("s=k;", "s=../k;"),
        ("d=one.example", "d=example"),
        ("a=ed25519-sha256", "a=rsa-sha1"),
        ("t=12345", "t=today"),
        ("b=", "b=?"),
    ] {
        let sealed = Sealed::new().by("one.example").with(1, SEAL, replaced(what, with));
        assert!(matches!(sealed.fault(), ArcFault::Malformed { instance: 1, .. }), "{with}");
    }
}

#[test]
fn f8_a_key_that_nobody_tells_is_a_temporary_error_unless_the_chain_is_broken() {
    let unclear = || keys().unclear_txt("k._domainkey.two.example");
    let found = check(&three().text(), &unclear());
    assert_eq!((found.result, found.oldest_pass), (ArcResult::TempError, None));
    let newest = keys().unclear_txt("k._domainkey.three.example");
    assert_eq!(check(&three().text(), &newest).result, ArcResult::TempError);
    let broken = Sealed::new()
        .by("one.example")
        .with(1, RESULTS, replaced("spf=pass", "spf=fail"))
        .by("two.example");
    assert_eq!(
        fault(&check(&broken.text(), &unclear())),
        ArcFault::Seal { instance: 1, fault: Fault::HeaderChanged }
    );
    let gone = Sealed::new().by("nowhere.example");
    assert!(matches!(gone.fault(), ArcFault::Message(Fault::NoKey(_))));
}

#[test]
fn g4_a_chain_with_a_key_beyond_the_budget_proves_nothing() {
    let keys = keys();
    let within = |most| check_by(&three().text(), &Budget::new(&keys, most));
    assert_eq!(within(3).result, ArcResult::Pass);
    assert!(matches!(within(2).result, ArcResult::Fail(_)), "{:?}", within(2).result);
}

#[test]
fn keys_under_test_and_parts_of_bodies_prove_nothing() {
    let signer = TestSigner::of("one.example");
    let testing = format!("{}; t=y", signer.record());
    let testing = Table::default().txt(&signer.key_name(), &[&testing]);
    let one = Sealed::new().by("one.example");
    assert_eq!(fault(&check(&one.text(), &testing)), ArcFault::TestingKey);
    let mut part = Sealed::new();
    part.mail = part.mail.replace("Hi all.\r\n", "");
    let mut part = part.sealed("one.example", "none", "l=0;");
    assert_eq!(part.check().result, ArcResult::Pass);
    part.mail += "Buy now!\r\n";
    assert_eq!(part.fault(), ArcFault::PartOfBody);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn whoever_changes_a_byte_of_a_set_breaks_the_chain(at: proptest::sample::Index) {
        let mail = three().text();
        let header = mail.find("From:").unwrap();
        let is_signed = |at: &usize| {
            // The name of a field and white space may be written in another way, and base64 may be too.
            !mail.as_bytes()[*at].is_ascii_whitespace()
        };
        let places: Vec<usize> = (0..header).filter(is_signed).collect();
        let place = *at.get(&places);
        let mut changed = mail.into_bytes();
        changed[place] = if changed[place] == b'!' { b'?' } else { b'!' };
        let found = check(&latin(&changed), &keys());
        prop_assert!(found.result != ArcResult::Pass, "{}", latin(&changed));
    }

    #[test]
    fn no_bytes_are_trouble(text in "(ARC-(Seal|Message-Signature|Authentication-Results): ?(i=[0-9]{1,2};)?[ -~]{0,40}\r\n){0,8}") {
        drop(check(&text, &keys()));
    }
}
