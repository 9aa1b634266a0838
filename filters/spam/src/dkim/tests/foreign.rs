//! The mails of RFC 8463 and others that other programs signed, and what becomes of them if anything is
//! changed. What they prove is as narrow as moderation needs it.

use mailweir_mail::Timestamp;
use proptest::prelude::*;

use super::{
    super::{KeyFault, SignatureReader, Weakness, header::Field, is_aligned, key::Key},
    *,
};

/// Signed with Ed25519 and with RSA, relaxed (RFC 8463, appendix A).
const RELAXED: &str = include_str!("rfc8463.eml");

/// Signed with RSA, simple, `i=` below `d=`, key without algorithm in the form of PKCS #1.
const SIMPLE: &str = include_str!("simple.eml");

/// Soundly signed with 768 bits.
const WEAK: &str = include_str!("weak.eml");

const ED25519: &str = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

const RSA: &str = "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB";

const PKCS1: &str = "v=DKIM1; p=MIGJAoGBALVI635dLK4cJJAH3Lx6upo3X/Lm1tQz3mezcWTA3BUBnyIsdnRf57aD5BtNmhPrYYDlWlzw3UgnKisIxktkk5+iMQMlFtAS10JB8L3YadXNJY+JBcbeSi5TgJe4WFzNgW95FWDAuSTRXSWZfA/8xjflbTLDx0euFZOM7C4T0GwLAgMBAAE=";

const SHORT: &str = "v=DKIM1; k=rsa; p=MHwwDQYJKoZIhvcNAQEBBQADawAwaAJhAN0S3sUoU7PKvKvow7Tjnnp4hc5a0UfXySGirlupr6Ayp6/nL08WhIxA4jhfDKj1CRIUEvVq76FX6VYTVZ5TDd5MajYpoZ8Lret73IWxCj7do9mhqImwUHMOR09fhhCgHQIDAQAB";

const ED25519_NAME: &str = "brisbane._domainkey.football.example.com";
const RSA_NAME: &str = "test._domainkey.football.example.com";

fn keys() -> Table {
    Table::default()
        .txt(ED25519_NAME, &[ED25519])
        .txt(RSA_NAME, &[RSA])
        .txt("newengland._domainkey.example.com", &[PKCS1])
        .txt("k._domainkey.weak.example", &[SHORT])
}

#[test]
fn what_others_signed_is_proven() {
    let found = check(RELAXED, &keys());
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(is_proof), "{found:?}");
    let found = check(SIMPLE, &keys());
    let [Ok(proof)] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((proof.domain.as_str(), &*proof.selector), ("example.com", "newengland"));
    assert!(proof.covers("from") && proof.covers("to") && !proof.covers("cc"));
    // What mail servers do on the way.
    let moved = RELAXED.replace("Subject: Is dinner ready?", "SUBJECT:   Is\n\tdinner ready?  ");
    let moved = format!("Received: from x\n by y\n{moved}\n\n\n").replace("Joe.\n", "Joe. \t\n");
    let found = check(&moved, &keys());
    assert!(found.iter().all(is_proof), "{found:?}");
}

#[test]
fn a_key_of_1024_bits_passes_with_a_note() {
    let found = verify(RELAXED.replace('\n', "\r\n").as_bytes(), &keys()).outcomes;
    let weaknesses: Vec<_> = found.iter().map(|outcome| &*outcome.weaknesses).collect();
    assert_eq!(weaknesses, [&[][..], &[Weakness::ShortKey { bits: 1_024 }]]);
    // It signs the other fields twice.
    let open = |mail: &str| {
        let mail = mail.replace('\n', "\r\n");
        verify(mail.as_bytes(), &keys()).outcomes.remove(1).weaknesses
    };
    let added = open(&RELAXED.replace("From: Joe", "Message-ID: <x>\nFrom: Joe"));
    let twice = Weakness::OpenField { field: "Message-ID", present: 2, signed: 1 };
    assert_eq!(added, [twice, Weakness::ShortKey { bits: 1_024 }]);
}

#[test]
fn whatever_is_changed_is_proven_no_more() {
    for (what, with) in [
        ("hungry", "angry"),
        ("Joe.\n", "Joe.\nP.S.\n"),
        ("Hi.\n", ""),
        ("\n\nWe lost", "\nWe lost"),
        ("From: Joe SixPack <joe@", "From: Joe SixPack <jim@"),
        ("To: Suzie", "To: Susie"),
        ("Subject: Is dinner ready?\n", ""),
        // The signature covers that there is no second one.
        ("Date: Fri", "Subject: Another\nDate: Fri"),
        ("t=1528637909", "t=1528637910"),
        ("d=football.example.com", "d=example.com"),
        ("i=@football", "i=@field.football"),
        ("c=relaxed/relaxed", "c=relaxed/simple"),
        ("h=from : to", "h=from"),
    ] {
        let changed = RELAXED.replace(what, with);
        assert_ne!(changed, RELAXED, "{what}");
        let all = keys()
            .txt("brisbane._domainkey.example.com", &[ED25519])
            .txt("test._domainkey.example.com", &[RSA]);
        let found = check(&changed, &all);
        assert!(!found.iter().any(is_proof), "{what}: {found:?}");
    }
    let found = check(&SIMPLE.replace("Subject: Is", "Subject:  Is"), &keys());
    assert_eq!(found, [Err(Fault::HeaderChanged.into())]);
}

#[test]
fn a_signature_that_leaves_doubt_is_none() {
    let doubt = |what: &str, with: &str| {
        let changed = RELAXED.replace(what, with);
        assert_ne!(changed, RELAXED, "{what}");
        check(&changed, &keys()).remove(0).unwrap_err()
    };
    let part = doubt("q=dns/txt;", "l=40;");
    assert_eq!(part, Doubt::Weak(Weakness::PartOfBody { unsigned: 0 }));
    assert_eq!(doubt("q=dns/txt;", "x=1795210205;"), Fault::Expired.into());
    assert_eq!(doubt("a=ed25519-sha256", "a=rsa-sha1"), Fault::Sha1.into());
    assert_eq!(doubt("a=ed25519-sha256", "a=x"), Fault::Algorithm("x".into()).into());
    for (what, with) in [
        ("v=1;", "v=2;"),
        ("v=1;", ""),
        ("v=1;", "v=1; v=1;"),
        ("q=dns/txt;", "q=http;"),
        ("q=dns/txt;", "l=-1;"),
        ("i=@football.example.com", "i=@soccer.example.com"),
        ("i=@football.example.com", "i=@example.com"),
        ("i=@football.example.com", "i=football.example.com"),
        ("d=football.example.com;", "d=com;"),
        ("s=brisbane;", "s=../x;"),
        ("s=brisbane;", ""),
        ("bh=2jUS", "bh=2jU"),
        ("t=1528637909", "t=yesterday"),
        ("t=1528637909", "t=5; x=4"),
        ("c=relaxed/relaxed", "c=nowsp"),
    ] {
        let doubt = doubt(what, with);
        assert!(matches!(doubt, Doubt::Fault(Fault::Malformed(_))), "{with}: {doubt}");
    }
}

#[test]
fn an_unsigned_from_is_anybodys() {
    let unsigned = RELAXED.replace("h=from : to :\n subject : date : message-id : from", "h=to");
    let found = check(&unsigned, &keys());
    assert_eq!(found[0], Err(Fault::FromNotSigned.into()));
}

#[test]
fn a_key_must_be_there_be_strong_and_be_meant_for_it() {
    let with = |record: &str| {
        let keys = Table::default().txt(ED25519_NAME, &[record]);
        check(RELAXED, &keys).remove(0)
    };
    let key = ED25519.rsplit("p=").next().unwrap();
    for sound in [
        ED25519.to_owned(),
        format!("k=ed25519; p={key}; s=email:other; h=sha1 : sha256; t=s; n=note; g="),
        format!("v=DKIM1;k=ed25519;p={};", key.trim_end_matches('=')),
    ] {
        assert!(is_proof(&with(&sound)), "{sound}: {:?}", with(&sound));
    }
    for (bad, why) in [
        ("v=DKIM1; k=ed25519; p=".to_owned(), KeyFault::Revoked),
        (format!("v=DKIM1; p={key}"), KeyFault::OtherKind),
        (format!("v=DKIM1; k=dsa; p={key}"), KeyFault::OtherKind),
        (format!("v=DKIM1; k=ed25519; p={key}; s=tlsrpt"), KeyFault::OtherUse),
        (format!("v=DKIM1; k=ed25519; p={key}; h=sha1"), KeyFault::OtherUse),
        ("v=DKIM1; k=ed25519; p=AAAA".to_owned(), KeyFault::Unreadable),
    ] {
        assert_eq!(fault_of(with(&bad)), Fault::Key(why), "{bad}");
    }
    let testing = with(&format!("v=DKIM1; k=ed25519; p={key}; t=y"));
    assert_eq!(testing, Err(Doubt::Weak(Weakness::TestingKey)));
    for none in ["v=spf1 -all", "v=DKIM2; k=ed25519; p=AAAA", "k=ed25519; v=DKIM1; p=AAAA", ""] {
        assert!(matches!(fault_of(with(none)), Fault::NoKey(_)), "{none}");
    }
    // What else stands under the name says nothing; of two keys nobody knows which.
    let both = keys().txt(ED25519_NAME, &[ED25519, "v=spf1 -all"]);
    assert!(is_proof(&check(RELAXED, &both)[0]));
    let twice = keys().txt(ED25519_NAME, &[PKCS1, ED25519]);
    assert_eq!(check(RELAXED, &twice)[0], Err(Doubt::Weak(Weakness::SeveralKeys)));
    let short = Fault::Key(KeyFault::TooShort { bits: 768 });
    assert_eq!(check(WEAK, &keys()), [Err(short.into())]);
}

#[test]
fn f8_a_name_server_that_cannot_tell_proves_nothing() {
    let keys = keys().unclear_txt(ED25519_NAME);
    let found = check(RELAXED, &keys);
    assert_eq!(found[0], Err(Fault::Unclear.into()));
    assert!(is_proof(&found[1]), "the other key is there");
}

#[test]
fn only_wanted_domains_are_asked_about() {
    let mail = RELAXED.replace('\n', "\r\n");
    let (keys, other) = (keys(), name("example.com"));
    let now = Timestamp::from_secs(0);
    let found = at_once(read(&[mail.as_bytes()]).prove(|domain| *domain == other, &keys, now));
    assert_eq!(found, []);
    assert_eq!(keys.asked(), 0);
}

#[test]
fn a_header_beyond_all_measure_proves_nothing() {
    let long = format!("X: {}\n{RELAXED}", "x".repeat(300_000));
    assert_eq!(check(&long, &keys()), []);
    let many = format!("{}{RELAXED}", "X: x\n".repeat(3_000));
    assert_eq!(check(&many, &keys()), []);
    assert!(read(&[many.replace('\n', "\r\n").as_bytes()]).header().is_cut());
}

#[test]
fn a_domain_answers_for_itself_and_for_what_is_below_it() {
    let aligned = |signer: &str, author: &str| is_aligned(&name(signer), &author.parse().unwrap());
    assert!(aligned("x.example", "a@X.example."));
    assert!(aligned("x.example", "a@news.x.example"));
    assert!(!aligned("news.x.example", "a@x.example"));
    assert!(!aligned("x.example", "a@ax.example"));
    assert!(!aligned("other.example", "a@x.example"));
}

#[test]
fn fields_are_found_whatever_is_around_them() {
    let mail =
        read(&[b"A: 1\r\n b\r\nno field\r\nFROM : x\r\n: y\r\nb c: z\r\n\r\nFrom: body\r\n"]);
    let names: Vec<_> = mail.header().fields().map(Field::name).collect();
    assert_eq!(names, [&b"A"[..], b"FROM"]);
    assert_eq!(mail.header().named("a").next().unwrap().value(), b" 1\r\n b");
    assert_eq!(mail.header().by_name().named("From").len(), 1);
    assert_eq!(mail.header().by_name().named("fro").len(), 0);
    assert_eq!(read(&[b"\r\nA: body\r\n"]).header().fields().count(), 0);
    assert_eq!(read(&[b"A: x"]).header().fields().count(), 1);
    assert_eq!(read(&[]).header().fields().count(), 0);
}

#[test]
fn what_is_asked_of_name_servers_can_be_waited_for_anywhere() {
    fn is_send<T: Send>(_: &T) {}
    let (mail, keys) = (read(&[]), keys());
    is_send(&mail.verify(&keys, Timestamp::from_secs(NOW)));
    is_send(&SignatureReader::default());
    is_send(&crate::arc::verify(&mail, &keys, Timestamp::from_secs(NOW)));
}

proptest! {
    #[test]
    fn how_the_mail_is_split_does_not_matter(at in 0..1_700_usize, and in 0..1_700_usize) {
        let mail = RELAXED.replace('\n', "\r\n").into_bytes();
        let (at, and) = (at.min(mail.len()), and.min(mail.len()));
        let (first, second) = (at.min(and), at.max(and));
        let split = read(&[&mail[..first], &mail[first..second], &mail[second..]]);
        let whole = read(&[&mail]);
        prop_assert_eq!(split.body().forms(), whole.body().forms());
        let (simple, relaxed) = split.body().forms();
        prop_assert!(relaxed.is_some() && simple.is_none());
        prop_assert_eq!(split.header().fields().count(), whole.header().fields().count());
    }

    #[test]
    fn no_bytes_are_trouble(mail: Vec<u8>, field: String) {
        let mail = [b"DKIM-Signature: ", field.as_bytes(), b"\r\n", &mail].concat();
        drop(at_once(read(&[&mail]).verify(&keys(), Timestamp::from_secs(NOW))));
        drop(Key::read(&field));
    }
}
