//! The mails of RFC 8463 and others that other programs signed, and what becomes of them if anything is
//! changed.

use proptest::prelude::*;

use super::*;
use crate::egress::resolve::{Trouble, table::TableResolver};

/// Signed with Ed25519 and with RSA, relaxed (RFC 8463, appendix A).
const RELAXED: &str = include_str!("tests/rfc8463.eml");

/// Signed with RSA, simple, `i=` below `d=`, key without algorithm in the form of PKCS #1.
const SIMPLE: &str = include_str!("tests/simple.eml");

/// Soundly signed with 768 bits.
const WEAK: &str = include_str!("tests/weak.eml");

const ED25519: &str = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

const RSA: &str = "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB";

const PKCS1: &str = "v=DKIM1; p=MIGJAoGBALVI635dLK4cJJAH3Lx6upo3X/Lm1tQz3mezcWTA3BUBnyIsdnRf57aD5BtNmhPrYYDlWlzw3UgnKisIxktkk5+iMQMlFtAS10JB8L3YadXNJY+JBcbeSi5TgJe4WFzNgW95FWDAuSTRXSWZfA/8xjflbTLDx0euFZOM7C4T0GwLAgMBAAE=";

const SHORT: &str = "v=DKIM1; k=rsa; p=MHwwDQYJKoZIhvcNAQEBBQADawAwaAJhAN0S3sUoU7PKvKvow7Tjnnp4hc5a0UfXySGirlupr6Ayp6/nL08WhIxA4jhfDKj1CRIUEvVq76FX6VYTVZ5TDd5MajYpoZ8Lret73IWxCj7do9mhqImwUHMOR09fhhCgHQIDAQAB";

const ED25519_NAME: &str = "brisbane._domainkey.football.example.com";
const RSA_NAME: &str = "test._domainkey.football.example.com";

fn name(text: &str) -> Domain {
    text.parse().unwrap()
}

fn keys() -> TableResolver {
    TableResolver::new()
        .txt(name(ED25519_NAME), ED25519)
        .txt(name(RSA_NAME), RSA)
        .txt(name("newengland._domainkey.example.com"), PKCS1)
        .txt(name("k._domainkey.weak.example"), SHORT)
}

fn read(pieces: &[&[u8]]) -> SignedMail {
    let mut reader = SignatureReader::default();
    pieces.iter().for_each(|piece| reader.feed(piece));
    reader.finish()
}

/// What is found of a mail that is written with LF.
async fn check(mail: &str, keys: &TableResolver) -> Vec<Result<Proof, Fault>> {
    let wire = mail.replace('\n', "\r\n");
    let now = Timestamp::from_secs(1_795_210_205);
    let checked = read(&[wire.as_bytes()]).verify(|_| true, keys, now).await;
    checked.into_iter().map(|one| one.result).collect()
}

fn is_proof(result: &Result<Proof, Fault>) -> bool {
    result.is_ok()
}

#[tokio::test]
async fn what_others_signed_is_proven() {
    let found = check(RELAXED, &keys()).await;
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(is_proof), "{found:?}");
    let found = check(SIMPLE, &keys()).await;
    let [Ok(proof)] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((proof.domain.as_str(), &*proof.selector), ("example.com", "newengland"));
    assert!(proof.covers("from") && proof.covers("to") && !proof.covers("cc"));
    // What mail servers do on the way.
    let moved = RELAXED.replace("Subject: Is dinner ready?", "SUBJECT:   Is\n\tdinner ready?  ");
    let moved = format!("Received: from x\n by y\n{moved}\n\n\n").replace("Joe.\n", "Joe. \t\n");
    let found = check(&moved, &keys()).await;
    assert!(found.iter().all(is_proof), "{found:?}");
}

#[tokio::test]
async fn whatever_is_changed_is_proven_no_more() {
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
            .txt(name("brisbane._domainkey.example.com"), ED25519)
            .txt(name("test._domainkey.example.com"), RSA);
        let found = check(&changed, &all).await;
        assert!(!found.iter().any(is_proof), "{what}: {found:?}");
    }
    let found = check(&SIMPLE.replace("Subject: Is", "Subject:  Is"), &keys()).await;
    assert_eq!(found, [Err(Fault::HeaderChanged)]);
}

#[tokio::test]
async fn a_signature_that_leaves_doubt_is_none() {
    let fault = async |what: &str, with: &str| {
        let changed = RELAXED.replace(what, with);
        assert_ne!(changed, RELAXED, "{what}");
        check(&changed, &keys()).await.remove(0).unwrap_err()
    };
    assert_eq!(fault("q=dns/txt;", "l=40;").await, Fault::PartOfBody);
    assert_eq!(fault("q=dns/txt;", "x=1795210205;").await, Fault::Expired);
    assert_eq!(fault("a=ed25519-sha256", "a=rsa-sha1").await, Fault::Algorithm("rsa-sha1".into()));
    for (what, with) in [
        ("v=1;", "v=2;"),
        ("v=1;", ""),
        ("v=1;", "v=1; v=1;"),
        ("q=dns/txt;", "q=http;"),
        ("i=@football.example.com", "i=@soccer.example.com"),
        ("d=football.example.com;", "d=com;"),
        ("s=brisbane;", "s=../x;"),
        ("s=brisbane;", ""),
        ("bh=2jUS", "bh=2jU"),
        ("t=1528637909", "t=yesterday"),
        ("t=1528637909", "t=5; x=4"),
        ("c=relaxed/relaxed", "c=nowsp"),
    ] {
        let fault = fault(what, with).await;
        assert!(matches!(fault, Fault::Malformed(_)), "{with}: {fault}");
    }
}

#[tokio::test]
async fn an_unsigned_from_is_anybodys() {
    let unsigned = RELAXED.replace("h=from : to :\n subject : date : message-id : from", "h=to");
    let found = check(&unsigned, &keys()).await;
    assert_eq!(found[0], Err(Fault::FromNotSigned));
}

#[tokio::test]
async fn a_key_must_be_there_be_strong_and_be_meant_for_it() {
    let with = async |record: &str| {
        let keys = TableResolver::new().txt(name(ED25519_NAME), record);
        check(RELAXED, &keys).await.remove(0)
    };
    let key = ED25519.rsplit("p=").next().unwrap();
    for sound in [
        ED25519.to_owned(),
        format!("k=ed25519; p={key}; s=email:other; h=sha1 : sha256; t=s; n=note"),
        format!("v=DKIM1;k=ed25519;p={};", key.trim_end_matches('=')),
    ] {
        assert!(is_proof(&with(&sound).await), "{sound}: {:?}", with(&sound).await);
    }
    for bad in [
        "v=DKIM1; k=ed25519; p=".to_owned(),
        format!("v=DKIM1; p={key}"),
        format!("v=DKIM1; k=ed25519; p={key}; t=y"),
        format!("v=DKIM1; k=ed25519; p={key}; s=tlsrpt"),
        format!("v=DKIM1; k=ed25519; p={key}; h=sha1"),
        "v=DKIM1; k=ed25519; p=AAAA".to_owned(),
    ] {
        let found = with(&bad).await;
        assert!(matches!(found, Err(Fault::Key(_))), "{bad}: {found:?}");
    }
    for none in ["v=spf1 -all", "v=DKIM2; k=ed25519; p=AAAA", "k=ed25519; v=DKIM1; p=AAAA", ""] {
        assert!(matches!(with(none).await, Err(Fault::NoKey(_))), "{none}");
    }
    // What else stands under the name says nothing; of two keys nobody knows which.
    let both = keys().txt(name(ED25519_NAME), "v=spf1 -all");
    assert!(is_proof(&check(RELAXED, &both).await[0]));
    let twice = keys().txt(name(ED25519_NAME), PKCS1);
    assert!(matches!(check(RELAXED, &twice).await[0], Err(Fault::Key(_))));
    assert_eq!(check(WEAK, &keys()).await, [Err(Fault::HeaderChanged)], "768 bits");
}

#[tokio::test]
async fn a_name_server_that_cannot_tell_proves_nothing() {
    let trouble = Trouble::Timeout;
    let keys = keys().trouble(name(ED25519_NAME), trouble);
    let found = check(RELAXED, &keys).await;
    assert_eq!(found[0], Err(Fault::Unclear));
    assert!(is_proof(&found[1]), "the other key is there");
}

#[tokio::test]
async fn only_wanted_domains_are_asked_about_and_not_many_signatures() {
    let mail = RELAXED.replace('\n', "\r\n");
    let now = Timestamp::from_secs(0);
    let other = name("example.com");
    let found = read(&[mail.as_bytes()]).verify(|domain| *domain == other, &keys(), now).await;
    assert_eq!(found, []);
    let junk = "DKIM-Signature: v=1\n".repeat(MOST_SIGNATURES);
    let found = check(&format!("{junk}{RELAXED}"), &keys()).await;
    assert!(found.len() == MOST_SIGNATURES && !found.iter().any(is_proof), "{found:?}");
}

#[tokio::test]
async fn a_header_beyond_all_measure_proves_nothing() {
    let long = format!("X: {}\n{RELAXED}", "x".repeat(300_000));
    assert_eq!(check(&long, &keys()).await, []);
    let many = format!("{}{RELAXED}", "X: x\n".repeat(3_000));
    assert_eq!(check(&many, &keys()).await, []);
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
    let names: Vec<_> = mail.header().fields().map(header::Field::name_text).collect();
    assert_eq!(names, ["A", "FROM"]);
    assert_eq!(mail.header().named("a").next().unwrap().value(), b" 1\r\n b");
    assert_eq!(read(&[b"\r\nA: body\r\n"]).header().fields().count(), 0);
    assert_eq!(read(&[b"A: x"]).header().fields().count(), 1);
    assert_eq!(read(&[]).header().fields().count(), 0);
}

impl<'a> header::Field<'a> {
    fn name_text(self) -> &'a str {
        std::str::from_utf8(self.name()).unwrap()
    }
}

proptest! {
    #[test]
    fn how_the_mail_is_split_does_not_matter(at in 0..1_700_usize, and in 0..1_700_usize) {
        let mail = RELAXED.replace('\n', "\r\n").into_bytes();
        let (at, and) = (at.min(mail.len()), and.min(mail.len()));
        let (first, second) = (at.min(and), at.max(and));
        let split = read(&[&mail[..first], &mail[first..second], &mail[second..]]);
        let whole = read(&[&mail]);
        prop_assert_eq!(split.relaxed, whole.relaxed);
        prop_assert!(split.relaxed.is_some() && split.simple.is_none());
        prop_assert_eq!(split.header.fields().count(), whole.header.fields().count());
    }

    #[test]
    fn no_bytes_are_trouble(mail: Vec<u8>, field: String) {
        let mail = [b"DKIM-Signature: ", field.as_bytes(), b"\r\n", &mail].concat();
        drop(read(&[&mail]));
        drop(Key::read(&field));
    }
}
