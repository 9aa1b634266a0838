//! Mails of strangers, with all that name servers say about them.

use mailweir_mail::Timestamp;

use super::*;
use crate::{
    arc::{
        ArcSet,
        tests::{RESULTS, Sealed},
    },
    dkim::tests::{read, signer::TestSigner},
    dns::{
        Budget,
        table::{Table, at_once},
    },
};

/// When the mails are read: 2026-11-20.
const NOW: Timestamp = Timestamp::from_secs(1_795_210_205);

const MAIL: &str =
    "From: Ann <ann@author.example>\r\nTo: bob@own.example\r\nSubject: x\r\n\r\ntext\r\n";

fn stranger() -> Stranger<'static> {
    Stranger {
        client: "192.0.2.1".parse().unwrap(),
        helo: "mx.author.example",
        mail_from: Some("ann@author.example"),
        ours: "gate.own.example",
    }
}

/// A domain that asks for this if its mail is not authorised.
fn zone(policy: &str) -> Table {
    Table::default()
        .ptr("192.0.2.1", &["mx.author.example"])
        .a("mx.author.example", &["192.0.2.1"])
        .txt("author.example", &["v=spf1 a:mx.author.example -all"])
        .txt("_dmarc.author.example", &[&format!("v=DMARC1; p={policy}")])
}

fn find(stranger: &Stranger<'_>, mail: &[u8], dns: &impl Dns) -> Authentication {
    find_within(100, stranger, mail, dns)
}

/// What is found out if the sender's questions may be so many.
fn find_within(most: u32, stranger: &Stranger<'_>, mail: &[u8], dns: &impl Dns) -> Authentication {
    let sender = Budget::new(dns, most);
    at_once(Authentication::of(stranger, &read(&[mail]), None, &sender, dns, NOW))
}

fn nobody(_: &Domain) -> bool {
    false
}

fn author() -> Domain {
    "author.example".parse().unwrap()
}

#[test]
fn mail_of_a_host_that_may_send_is_authorised() {
    let found = find(&stranger(), MAIL.as_bytes(), &zone("reject"));
    assert_eq!(found.ruling(nobody), Ruling::Accept);
    assert_eq!(
        found.summary(),
        "iprev=pass spf=pass (author.example) dkim=none dmarc=pass (author.example)"
    );
    let results = found.results(AuthservId::parse("gate.own.example").unwrap(), &stranger());
    let field = results.field().replace("\r\n\t", " ");
    assert_eq!(
        field,
        "Authentication-Results: gate.own.example; iprev=pass (mx.author.example) \
         policy.iprev=192.0.2.1; spf=pass (a:mx.author.example of author.example matches) \
         smtp.mailfrom=ann@author.example; dkim=none; dmarc=pass (aligned by SPF) \
         header.from=author.example policy.dmarc=reject\r\n"
    );
}

#[test]
fn mail_that_nobody_authorised_ends_as_its_author_s_domain_asks() {
    let forger = Stranger { client: "198.51.100.9".parse().unwrap(), ..stranger() };
    for (policy, ruling) in [
        ("none", Ruling::Accept),
        ("quarantine", Ruling::Quarantine(author())),
        ("reject", Ruling::Refuse(author())),
    ] {
        assert_eq!(find(&forger, MAIL.as_bytes(), &zone(policy)).ruling(nobody), ruling);
    }
}

#[test]
fn a_signature_authorises_what_comes_by_way_of_others() {
    let signer = TestSigner::of("author.example");
    let dns = zone("reject").txt(&signer.key_name(), &[&signer.record()]);
    let forwarder = Stranger {
        client: "198.51.100.9".parse().unwrap(),
        mail_from: Some("srs0=x@other.example"),
        ..stranger()
    };
    let signed = signer.sign(MAIL.as_bytes());
    let found = find(&forwarder, &signed, &dns);
    assert_eq!(found.ruling(nobody), Ruling::Accept, "{}", found.summary());
    let changed = String::from_utf8(signed).unwrap().replace("text", "spam");
    let found = find(&forwarder, changed.as_bytes(), &dns);
    assert_eq!(found.ruling(nobody), Ruling::Refuse(author()));
    assert!(found.summary().contains("dkim=fail (author.example)"), "{}", found.summary());
}

#[test]
fn f3_a_signature_that_lets_anybody_add_text_authorises_nothing() {
    let signer = TestSigner { limit: Some(6), ..TestSigner::of("author.example") };
    let dns = zone("reject").txt(&signer.key_name(), &[&signer.record()]);
    let forwarder = Stranger { client: "198.51.100.9".parse().unwrap(), ..stranger() };
    let mut signed = signer.sign(MAIL.as_bytes());
    assert_eq!(find(&forwarder, &signed, &dns).ruling(nobody), Ruling::Accept);
    signed.extend_from_slice(b"buy pills\r\n");
    let found = find(&forwarder, &signed, &dns);
    assert_eq!(found.ruling(nobody), Ruling::Refuse(author()));
    let results = found.results(AuthservId::parse("gate.example").unwrap(), &forwarder).field();
    assert!(results.contains("dkim=policy"), "{results}");
}

#[test]
fn f3_a_second_author_makes_a_signature_worthless() {
    let signer = TestSigner::of("author.example");
    let dns = zone("none").txt(&signer.key_name(), &[&signer.record()]);
    let mut two = b"From: boss@bank.example\r\n".to_vec();
    two.extend_from_slice(&signer.sign(MAIL.as_bytes()));
    let found = find(&stranger(), &two, &dns);
    assert!(found.dkim.outcomes[0].is_pass(), "the signature holds");
    let results = found.results(AuthservId::parse("gate.example").unwrap(), &stranger()).field();
    assert!(results.contains("dkim=policy"), "{results}");
}

#[test]
fn f4_two_authors_are_never_authorised() {
    let two = MAIL.replace("To:", "From: boss@bank.example\r\nTo:");
    let dns = zone("reject").txt("_dmarc.bank.example", &["v=DMARC1; p=reject"]);
    let found = find(&stranger(), two.as_bytes(), &dns);
    assert_eq!(found.ruling(nobody), Ruling::Refuse("bank.example".parse().unwrap()));
    let found = find(&stranger(), two.as_bytes(), &zone("reject"));
    assert_ne!(found.dmarc.result, DmarcResult::Pass);
}

#[test]
fn f4_lines_that_are_no_fields_hide_no_author() {
    for from in [
        " From: <boss@bank.example>\r\nFrom: <ann@author.example>",
        "Fr\0om: <boss@bank.example>\r\nFrom: <ann@author.example>",
        "Fr om: <boss@bank.example>\r\nFrom: <ann@author.example>",
        "From: <boss@bank.example>\r\nFr\0om: <ann@author.example>",
        "From : <boss@bank.example>\r\nFrom: <ann@author.example>",
    ] {
        let mail = MAIL.replace("From: Ann <ann@author.example>", from);
        let found = find(&stranger(), mail.as_bytes(), &zone("reject"));
        assert_ne!(found.dmarc.result, DmarcResult::Pass, "{from:?}");
        assert_ne!(found.ruling(nobody), Ruling::Accept, "{from:?}");
    }
}

#[test]
fn what_spf_has_said_before_is_asked_again_only_if_it_was_an_error() {
    let table = zone("reject");
    let of = |spf| {
        let mail = read(&[MAIL.as_bytes()]);
        let before = table.asked();
        let found = at_once(Authentication::of(&stranger(), &mail, spf, &table, &table, NOW));
        (found.spf, table.asked() - before)
    };
    let (spf, asked) = of(None);
    assert_eq!(spf.result, SpfResult::Pass);
    // The record, and the host that it names.
    assert_eq!(of(Some(spf.clone())), (spf.clone(), asked - 2));
    for result in [SpfResult::TempError, SpfResult::PermError] {
        assert_eq!(of(Some(spf::Outcome { result, ..spf.clone() })), (spf.clone(), asked));
    }
}

#[test]
fn f4_whom_nobody_can_tell_nobody_is_taken_for() {
    let long = format!("From:{} <boss@bank.example>", format!("\r\n{}", " ".repeat(950)).repeat(9));
    let many = format!("{}From: boss@bank.example", "From: a@other.example\r\n".repeat(8));
    for (from, doubt) in [
        ("Sender: boss@bank.example", Doubt::Missing),
        ("From: undisclosed:;", Doubt::Missing),
        (&long, Doubt::Unreadable),
        (&many, Doubt::Unreadable),
        ("From: <boss@ bank.example>", Doubt::Unreadable),
        ("From: <boss@(x)bank.example>", Doubt::Unreadable),
        ("From: <boss@bank .example>", Doubt::Unreadable),
        (
            "From: <@a.example,@b.example,@c.example,@d.example:boss@bank.example>",
            Doubt::Unreadable,
        ),
        ("From: a@a.example, a@b.example, a@c.example, a@d.example, a@e.example", Doubt::TooMany),
    ] {
        let mail = MAIL.replace("From: Ann <ann@author.example>", from);
        let found = find(&stranger(), mail.as_bytes(), &zone("reject"));
        assert_eq!(found.ruling(nobody), Ruling::NoAuthor(doubt), "{from}");
    }
}

#[test]
fn f4_the_policy_of_a_decoy_hides_no_other_author() {
    let dns = || {
        zone("reject")
            .txt("_dmarc.evil.example", &["v=DMARC1; p=none"])
            .unclear_txt("_dmarc.silent.example")
    };
    let four = "x@evil.example, b@b.example, c@c.example, d@d.example";
    for (from, ruling) in [
        (format!("From: {four}, ann@author.example"), Ruling::NoAuthor(Doubt::TooMany)),
        (format!("From: {four}\r\nFrom: ann@author.example"), Ruling::NoAuthor(Doubt::Unreadable)),
        (
            "From: x@evil.example\r\nFrom: y@evil.example".into(),
            Ruling::NoAuthor(Doubt::Unreadable),
        ),
        ("From: x@evil.example, ann@author.example".into(), Ruling::Refuse(author())),
        ("From: x@silent.example, ann@author.example".into(), Ruling::Refuse(author())),
        ("From: x@silent.example, y@evil.example".into(), Ruling::NoAuthor(Doubt::Several)),
        ("From: x@evil.example, y@none.example".into(), Ruling::Accept),
    ] {
        let mail = MAIL.replace("From: Ann <ann@author.example>", &from);
        let forger = Stranger { client: "198.51.100.9".parse().unwrap(), ..stranger() };
        let found = find(&forger, mail.as_bytes(), &dns());
        assert_eq!(found.ruling(nobody), ruling, "{from}: {}", found.summary());
    }
}

#[test]
fn f4_a_header_too_long_to_be_read_is_not_taken_for_one_without_an_author() {
    let long = format!("X-Pad: {}\r\n{MAIL}", "x".repeat(300 * 1024));
    let found = find(&stranger(), long.as_bytes(), &zone("reject"));
    assert_eq!(found.ruling(nobody), Ruling::NoAuthor(Doubt::Header));
}

#[test]
fn f8_name_servers_that_do_not_tell_make_no_pass_and_no_refusal() {
    let forger = Stranger { client: "198.51.100.9".parse().unwrap(), ..stranger() };
    for (dns, ruling) in [
        (zone("reject").unclear_txt("author.example"), Ruling::Unclear(author())),
        (zone("quarantine").unclear_txt("author.example"), Ruling::Unclear(author())),
        (zone("none").unclear_txt("author.example"), Ruling::Accept),
        (zone("reject").unclear_txt("_dmarc.author.example"), Ruling::Unknown),
    ] {
        let found = find(&forger, MAIL.as_bytes(), &dns);
        assert_eq!(found.ruling(nobody), ruling, "{}", found.summary());
        assert!(!found.summary().contains("pass"), "{}", found.summary());
    }
}

#[test]
fn f8_a_trusted_seal_that_cannot_be_checked_now_leaves_no_refusal() {
    let forwarder = Stranger { client: "198.51.100.9".parse().unwrap(), ..stranger() };
    let is_list = |domain: &Domain| domain.as_ascii() == "list.example";
    for (policy, asked) in
        [("quarantine", Ruling::Quarantine(author())), ("reject", Ruling::Refuse(author()))]
    {
        let mut found = find(&forwarder, MAIL.as_bytes(), &zone(policy));
        let sealer = "list.example".parse().unwrap();
        let set = ArcSet { instance: 1, sealer, results: "list.example; dmarc=pass".into() };
        let result = ArcResult::TempError;
        found.arc = ArcOutcome { result, sets: vec![set], oldest_pass: None, seals_checked: 1 };
        assert_eq!(found.ruling(is_list), Ruling::Unclear(author()));
        assert_eq!(found.ruling(nobody), asked);
    }
}

#[test]
fn f8_g4_nothing_that_a_forger_publishes_keeps_the_author_s_domain_from_being_asked() {
    let mut terms = String::new();
    let mut dns = zone("reject");
    for nth in 0..10 {
        let hosts: Vec<String> =
            (0..10).map(|host| format!("h{host}.m{nth}.evil.example")).collect();
        let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
        dns = dns.mx(&format!("m{nth}.evil.example"), &hosts);
        terms += &format!(" mx:m{nth}.evil.example");
    }
    let dns = dns.txt("evil.example", &[&format!("v=spf1{terms} -all")]);
    let forger = Stranger {
        client: "198.51.100.9".parse().unwrap(),
        mail_from: Some("x@evil.example"),
        ..stranger()
    };
    let found = find(&forger, MAIL.as_bytes(), &dns);
    assert_eq!(found.ruling(nobody), Ruling::Refuse(author()), "{}", found.summary());
    // Even the signature of the author's own domain is then not proven, and no reason to wait.
    let mail = TestSigner::of("author.example").sign(MAIL.as_bytes());
    let found = find_within(0, &forger, &mail, &dns);
    assert_eq!(found.ruling(nobody), Ruling::Refuse(author()), "{}", found.summary());
}

#[test]
fn f9_g4_a_mail_that_asks_too_much_cannot_wait_for_a_trusted_seal_for_ever() {
    let is_list = |domain: &Domain| domain.as_ascii() == "list.example";
    let passed = |field: &str| field.replace("spf=pass", "dmarc=pass");
    let mail = Sealed::new().by("list.example").with(1, RESULTS, passed).text();
    let dns = || Table::default().txt("_dmarc.a.example", &["v=DMARC1; p=reject"]);
    let forger = Stranger { client: "198.51.100.9".parse().unwrap(), ..stranger() };
    let refused = Ruling::Refuse("a.example".parse().unwrap());
    // Its name and SPF have used up what it may ask.
    let found = find_within(2, &forger, mail.as_bytes(), &dns());
    assert_eq!(found.ruling(is_list), refused, "{}", found.summary());
    // The one that may be asked about knows of no key.
    let found = find(&forger, mail.as_bytes(), &dns());
    assert_eq!(found.ruling(is_list), refused, "{}", found.summary());
    let key = TestSigner::of("list.example").key_name();
    let found = find(&forger, mail.as_bytes(), &dns().unclear_txt(&key));
    assert!(matches!(found.ruling(is_list), Ruling::Unclear(_)), "{}", found.summary());
}

#[test]
fn g4_a_mail_that_asked_for_as_much_as_it_may_and_no_more_has_lost_nothing() {
    let forger = Stranger { client: "198.51.100.9".parse().unwrap(), ..stranger() };
    let dns = || zone("reject").unclear_txt("author.example");
    // The name of the client, and the record of the sender.
    let found = find_within(2, &forger, MAIL.as_bytes(), &dns());
    assert_eq!(found.ruling(nobody), Ruling::Unclear(author()), "{}", found.summary());
    let found = find_within(1, &forger, MAIL.as_bytes(), &dns());
    assert_eq!(found.ruling(nobody), Ruling::Refuse(author()), "{}", found.summary());
}

#[test]
fn g4_what_one_mail_asks_for_is_bounded() {
    let mut mail = Vec::new();
    for n in 0..1_000 {
        let signer = TestSigner::of(&format!("s{n}.example"));
        mail.extend_from_slice(signer.field("DKIM-Signature", "v=1;", MAIL.as_bytes()).as_bytes());
    }
    mail.extend_from_slice(MAIL.as_bytes());
    let table = zone("reject");
    let found = find(&stranger(), &mail, &table);
    assert_eq!((found.dkim.outcomes.len(), found.dkim.not_looked_at), (10, 990));
    assert!(table.asked() < 30, "{}", table.asked());
    let results = found.results(AuthservId::parse("gate.example").unwrap(), &stranger()).field();
    assert!(results.contains("990 more signatures were not looked at"), "{results}");
}
