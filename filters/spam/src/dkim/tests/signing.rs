//! What we sign, our own verifier takes; what is changed afterwards, it does not.

use std::time::Duration;

use mailweir_mail::Timestamp;
use proptest::{collection::vec, prelude::*, sample::select, strategy::Union};

use super::{
    super::{
        Algorithm, Outcome,
        sign::{BadField, Coverage, KeyError, SignError, Signer, SigningKey},
    },
    keys::{CURVE, ED25519, ENCRYPTED, PKCS1, RSA, SHORT},
    *,
};

const MAIL: &[u8] =
    b"From: ann@a.example\r\nTo: bob@b.example\r\nSubject: Hello\r\n\r\nHi Bob.\r\n";

fn key(selector: &str, pem: &[u8]) -> SigningKey {
    SigningKey::from_pem(&name("a.example"), selector, pem).unwrap()
}

fn both() -> Vec<SigningKey> {
    vec![key("rsa", &RSA), key("ed", &ED25519)]
}

fn published() -> Table {
    both().iter().fold(Table::default(), |table, key| {
        let record = key.record();
        table.txt(&record.name, &[&record.text])
    })
}

fn fields(mail: &[u8], coverage: Coverage) -> Result<Vec<Vec<u8>>, SignError> {
    let mut reader = SignatureReader::for_signing();
    reader.feed(mail);
    let read = reader.finish();
    let (now, lifetime) = (Timestamp::from_secs(NOW), Some(Duration::from_secs(600)));
    Signer::new(both(), coverage).sign(read.header(), read.body_hash().unwrap(), now, lifetime)
}

fn sign(mail: &[u8]) -> Vec<u8> {
    let fields = fields(mail, Coverage::default()).unwrap();
    [&fields.concat(), mail].concat()
}

#[test]
fn both_algorithms_sign_without_weakness() {
    let found = verify(&sign(MAIL), &published());
    let algorithms: Vec<_> =
        found.outcomes.iter().map(|one| one.claims.algorithm.clone()).collect();
    assert_eq!(algorithms, [Some("rsa-sha256".into()), Some("ed25519-sha256".into())]);
    assert!(found.outcomes.iter().all(Outcome::is_pass), "{found:?}");
    assert!(found.outcomes.iter().all(|one| one.weaknesses.is_empty()), "{found:?}");
}

#[test]
fn a_signature_expires_with_its_lifetime() {
    let mail = read(&[&sign(MAIL)]);
    let at = |seconds| {
        let found = at_once(mail.verify(&published(), Timestamp::from_secs(NOW + seconds)));
        found.outcomes.iter().all(Outcome::is_pass)
    };
    assert!(at(599) && !at(600));
}

#[test]
fn lines_have_at_most_78_characters() {
    for field in fields(MAIL, Coverage::default()).unwrap() {
        let field = String::from_utf8(field).unwrap();
        assert!(field.ends_with("\r\n") && !field.contains("\r\n\r\n"));
        assert!(field.split("\r\n").all(|line| line.len() <= 78), "{field}");
        let folds = field.trim_end().split("\r\n").skip(1);
        assert!(folds.into_iter().all(|line| line.starts_with(' ')), "{field}");
    }
}

#[test]
fn f3_nobody_can_add_a_field_that_a_reader_is_shown() {
    let signed = sign(MAIL);
    for added in [
        "From: x@x.example",
        "Subject: x",
        "To: x",
        "Cc: x",
        "Date: x",
        "Reply-To: x",
        "Content-Type: x",
    ] {
        let found = verify(&[added.as_bytes(), b"\r\n", &signed].concat(), &published());
        assert!(!found.outcomes.iter().any(Outcome::is_pass), "{added}");
    }
    // What a list or a server adds does no harm.
    for added in ["Received: x", "List-Id: <x>", "Sender: x", "Resent-From: x", "X-Spam: no"] {
        let found = verify(&[added.as_bytes(), b"\r\n", &signed].concat(), &published());
        assert!(found.outcomes.iter().all(Outcome::is_pass), "{added}");
    }
}

#[test]
fn only_fields_that_stay_are_signed() {
    let trace = b"Return-Path: <a@a.example>\r\nReceived: x\r\nAuthentication-Results: x\r\n";
    let mail = [trace, MAIL].concat();
    let fields = fields(&mail, Coverage::default()).unwrap();
    let text = String::from_utf8(fields[0].clone()).unwrap().replace("\r\n ", "");
    let names = text.split("h=").nth(1).unwrap().split(';').next().unwrap();
    assert!(names.starts_with("from:from:reply-to:to:to:"), "{names}");
    for name in ["received", "return-path", "authentication-results"] {
        assert!(!names.split(':').any(|signed| signed == name), "{names}");
        let refused = Coverage::new(&[name], &[]);
        assert_eq!(refused, Err(BadField::NeverSigned(name.into())));
    }
    let seal = Coverage::new(&[], &["ARC-Seal"]);
    assert_eq!(seal, Err(BadField::NeverSigned("arc-seal".into())));
    for bad in ["", "a:b", "a;b", "a b"] {
        assert!(matches!(Coverage::new(&[], &[bad]), Err(BadField::NoName(_))), "{bad}");
    }
}

#[test]
fn a_coverage_of_ones_own_has_from_and_what_it_names() {
    let coverage = Coverage::new(&["Subject", "X-Own"], &["To"]).unwrap();
    let field = String::from_utf8(fields(MAIL, coverage).unwrap().remove(1)).unwrap();
    assert!(field.contains("h=from:from:to:to:subject;"), "{field}");
}

#[test]
fn mail_that_cannot_be_signed_is_told_from_a_machine_that_cannot_sign() {
    let without = b"To: bob@b.example\r\n\r\n";
    assert_eq!(fields(without, Coverage::default()), Err(SignError::NoFrom));
    let many = [&b"To: x\r\n".repeat(150)[..], MAIL].concat();
    assert_eq!(fields(&many, Coverage::default()), Err(SignError::TooManyFields));
    let long = [&b"X: x\r\n".repeat(3_000)[..], MAIL].concat();
    assert_eq!(fields(&long, Coverage::default()), Err(SignError::HeaderTooLong));
}

#[test]
fn keys_that_cannot_be_used_say_why() {
    let error = |selector: &str, pem: &[u8]| {
        SigningKey::from_pem(&name("a.example"), selector, pem).map(|key| key.algorithm())
    };
    assert_eq!(error("s", &RSA), Ok(Algorithm::RsaSha256));
    assert_eq!(error("s", &PKCS1), Ok(Algorithm::RsaSha256));
    assert_eq!(error("s", &ED25519), Ok(Algorithm::Ed25519Sha256));
    assert_eq!(error("s", &SHORT), Err(KeyError::TooShort));
    assert_eq!(error("s", &CURVE), Err(KeyError::OtherKind));
    assert_eq!(error("s", &ENCRYPTED), Err(KeyError::Encrypted));
    assert_eq!(error("s", b"no key"), Err(KeyError::NoKey));
    let broken = RSA.iter().filter(|byte| **byte != b'A').copied().collect::<Vec<_>>();
    assert!(error("s", &broken).is_err());
    assert_eq!(error("a b", &RSA), Err(KeyError::Selector));
    assert_eq!(error("", &RSA), Err(KeyError::Selector));
    let top = SigningKey::from_pem(&name("example"), "s", &RSA).map(|key| key.algorithm());
    assert_eq!(top, Err(KeyError::Domain));
    assert!(!format!("{:?}", key("rsa", &RSA)).contains("MII"));
}

#[test]
fn both_forms_of_an_rsa_key_are_one_key() {
    assert_eq!(key("rsa", &RSA).record(), key("rsa", &PKCS1).record());
}

#[test]
fn a_record_fits_into_the_strings_of_a_zone() {
    let record = key("ed", &ED25519).record();
    assert_eq!(&*record.name, "ed._domainkey.a.example");
    assert!(record.text.starts_with("v=DKIM1; k=ed25519; p="));
    assert_eq!(record.strings().collect::<Vec<_>>(), [&*record.text]);
    let record = key("rsa", &RSA).record();
    let strings: Vec<_> = record.strings().collect();
    assert_eq!(strings.concat(), *record.text);
    assert!(strings.len() == 2 && strings.iter().all(|string| string.len() <= 255));
    let line = record.zone_line();
    let (first, second) = (strings[0], strings[1]);
    assert_eq!(line, format!("rsa._domainkey.a.example. IN TXT ( \"{first}\" \"{second}\" )"));
}

/// A field with some value, folded anywhere, in ASCII and beyond.
fn field() -> impl Strategy<Value = Vec<u8>> {
    let names =
        ["To", "Cc", "Subject", "subject", "Date", "X-Own", "List-Id", "Received", "Content-Type "];
    let words =
        ["a", "b:c", "=?utf-8?q?x?=", "\u{fc}\u{4e00}", " ", "\t", "\r\n ", "\r\n\t", ";", "  "];
    let value = vec(select(words.to_vec()), 0..12).prop_map(|words| words.concat());
    (select(names.to_vec()), value)
        .prop_map(|(name, value)| format!("{name}:{value}x\r\n").into_bytes())
}

fn line() -> impl Strategy<Value = Vec<u8>> {
    let plain = vec(select(vec![b'a', b'Z', b' ', b'\t', b'.', 0xe9, 0]), 0..30);
    let long = (any::<u8>(), 900..999_usize).prop_map(|(byte, length)| {
        let byte = if byte == b'\r' || byte == b'\n' { b'x' } else { byte };
        vec![byte; length]
    });
    Union::new_weighted(vec![(8, plain.boxed()), (1, long.boxed()), (2, Just(Vec::new()).boxed())])
}

fn mail() -> impl Strategy<Value = Vec<u8>> {
    let end = select(vec![&b""[..], b"\r\n", b"\r\n\r\n\r\n"]);
    (vec(field(), 0..8), vec(field(), 0..8), vec(line(), 0..8), end).prop_map(
        |(above, below, lines, end)| {
            let body = [&lines.join(&b"\r\n"[..]), end].concat();
            let from = b"From: Ann <ann@a.example>\r\n";
            [&above.concat(), &from[..], &below.concat(), b"\r\n", &body].concat()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_we_sign_holds(mail in mail()) {
        let found = verify(&sign(&mail), &published());
        prop_assert_eq!(found.outcomes.len(), 2);
        for outcome in found.outcomes {
            prop_assert_eq!((outcome.cause, outcome.weaknesses), (None, vec![]));
        }
    }

    #[test]
    fn whoever_changes_a_signed_byte_breaks_it(mail in mail(), at: proptest::sample::Index) {
        let signed = sign(&mail);
        let places = signed_places(&signed, signed.len() - mail.len());
        let place = *at.get(&places);
        let mut changed = signed;
        changed[place] = if changed[place] == b'x' { b'y' } else { b'x' };
        let found = verify(&changed, &published());
        for outcome in found.outcomes {
            prop_assert!(!outcome.is_pass(), "{}", String::from_utf8_lossy(&changed));
        }
    }

    #[test]
    fn no_pem_is_trouble(pem: Vec<u8>, selector: String) {
        drop(SigningKey::from_pem(&name("a.example"), &selector, &pem));
        drop(SigningKey::from_pkcs8(&name("a.example"), &selector, &pem));
    }
}

/// Where bytes stand that a signature covers and that are no white space: in the values of From, To and
/// Subject, and in the body.
fn signed_places(mail: &[u8], from: usize) -> Vec<usize> {
    let body = mail.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap() + 4;
    let (mut places, mut is_signed) = (Vec::new(), false);
    let mut at = from;
    for line in mail[from..body].split_inclusive(|byte| *byte == b'\n') {
        let lower = line.to_ascii_lowercase();
        if !line.starts_with(b" ") && !line.starts_with(b"\t") {
            is_signed =
                [&b"from:"[..], b"to:", b"subject:"].iter().any(|name| lower.starts_with(name));
            let colon = line.iter().position(|byte| *byte == b':').map_or(line.len(), |at| at + 1);
            places.extend((at + colon..at + line.len()).filter(|_| is_signed));
        } else {
            places.extend((at..at + line.len()).filter(|_| is_signed));
        }
        at += line.len();
    }
    places.extend(body..mail.len());
    places.retain(|at| !b" \t\r\n".contains(&mail[*at]));
    places
}
