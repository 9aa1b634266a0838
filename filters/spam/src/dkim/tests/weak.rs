//! Signatures that hold and are worth less, and those that are told apart by their result (RFC 8601).

use base64::{Engine as _, prelude::BASE64_STANDARD};
use proptest::prelude::*;

use super::{
    super::{DkimResult, KeyFault, Outcome, Weakness},
    signer::TestSigner,
    *,
};

const MAIL: &[u8] =
    b"From: ann@a.example\r\nTo: bob@b.example\r\nSubject: Hello\r\n\r\nHi  Bob.\r\n\r\n";

fn signer() -> TestSigner {
    let fields = "from:to:subject:from:to:subject".to_owned();
    TestSigner { fields, ..TestSigner::of("a.example") }
}

fn keys() -> Table {
    Table::default().txt(&signer().key_name(), &[&signer().record()])
}

fn outcome(mail: &[u8], keys: &Table) -> Outcome {
    verify(mail, keys).outcomes.remove(0)
}

#[test]
fn a_strong_signature_passes_without_weakness() {
    let found = outcome(&signer().sign(MAIL), &keys());
    assert_eq!((found.result(), found.weaknesses.as_slice()), (DkimResult::Pass, &[][..]));
    assert!(found.is_pass() && found.covers("subject") && !found.covers("date"));
    let claims = found.claims;
    assert_eq!(claims.domain, Some(name("a.example")));
    assert_eq!(claims.selector.as_deref(), Some("k"));
    assert_eq!(claims.agent.as_deref(), Some("@a.example"));
    assert_eq!(claims.algorithm.as_deref(), Some("ed25519-sha256"));
    assert_eq!(claims.beginning.len(), 8);
}

#[test]
fn each_combination_of_forms_is_verified() {
    for forms in ["simple/simple", "simple/relaxed", "relaxed/simple", "relaxed/relaxed"] {
        let signed = TestSigner { forms, ..signer() }.sign(MAIL);
        assert!(outcome(&signed, &keys()).is_pass(), "{forms}");
        let mut changed = latin_replace(&signed, "Hi  Bob", "Hi Bob");
        assert_eq!(outcome(&changed, &keys()).is_pass(), forms.ends_with("relaxed"), "{forms}");
        changed = latin_replace(&signed, "Subject: Hello", "Subject:  Hello");
        assert_eq!(outcome(&changed, &keys()).is_pass(), forms.starts_with("relaxed"), "{forms}");
    }
}

fn latin_replace(mail: &[u8], what: &str, with: &str) -> Vec<u8> {
    let changed = String::from_utf8(mail.to_vec()).unwrap().replace(what, with).into_bytes();
    assert_ne!(changed, mail, "{what}");
    changed
}

#[test]
fn f4_half_a_line_end_is_no_white_space() {
    let mail = latin_replace(MAIL, "Subject: Hello", "Subject: Hello From: x@x.example");
    let signed = signer().sign(&mail);
    assert!(outcome(&signed, &keys()).is_pass());
    assert!(outcome(&latin_replace(&signed, "Hello From", "Hello\r\n From"), &keys()).is_pass());
    for end in ["Hello\nFrom", "Hello\rFrom", "Hello \nFrom", "Hello\r \nFrom"] {
        let found = outcome(&latin_replace(&signed, "Hello From", end), &keys());
        assert_eq!(found.cause, Some(Fault::HeaderChanged), "{end:?}");
    }
}

#[test]
fn f3_what_is_added_behind_a_signed_part_is_counted() {
    let part = TestSigner { limit: Some(4), ..signer() };
    let found = outcome(&part.sign(MAIL), &keys());
    assert_eq!(found.weaknesses, [Weakness::PartOfBody { unsigned: 5 }]);
    assert!(found.is_pass());
    let more = [&part.sign(MAIL)[..], b"Buy now!\r\n"].concat();
    let found = outcome(&more, &keys());
    assert!(found.is_pass());
    assert_eq!(found.weaknesses, [Weakness::PartOfBody { unsigned: 17 }]);
    let whole = TestSigner { limit: Some(9), ..signer() }.sign(MAIL);
    assert_eq!(outcome(&whole, &keys()).weaknesses, [Weakness::PartOfBody { unsigned: 0 }]);
    let cut = latin_replace(&whole, "Hi  Bob.", "Hi");
    assert_eq!(outcome(&cut, &keys()).cause, Some(Fault::BodyTooShort));
    let changed = latin_replace(&part.sign(MAIL), "Hi", "Ho");
    assert_eq!(outcome(&changed, &keys()).cause, Some(Fault::BodyChanged));
    assert!(matches!(outcome(&more, &keys()).checked().result, Err(Doubt::Weak(_))));
}

#[test]
fn f3_fields_that_somebody_added_are_told() {
    let once = TestSigner::of("a.example").sign(MAIL);
    assert_eq!(outcome(&once, &keys()).weaknesses, []);
    // On top of the signed one, where many programs look first.
    let added = [b"Subject: Buy now\r\n", &once[..]].concat();
    let found = outcome(&added, &keys());
    assert!(found.is_pass());
    let open = Weakness::OpenField { field: "Subject", present: 2, signed: 1 };
    assert_eq!(found.weaknesses, [open]);
    let two = [b"From: boss@a.example\r\nContent-Type: text/html\r\n", &once[..]].concat();
    let from = Weakness::OpenField { field: "From", present: 2, signed: 1 };
    let content = Weakness::OpenField { field: "Content-Type", present: 1, signed: 0 };
    assert_eq!(outcome(&two, &keys()).weaknesses, [from, content]);
    // Who signs once more than there is cannot be added to.
    let added = [b"Subject: Buy now\r\n", &signer().sign(MAIL)[..]].concat();
    assert_eq!(outcome(&added, &keys()).cause, Some(Fault::HeaderChanged));
}

#[test]
fn f3_a_signature_that_leaves_out_from_is_a_permanent_error() {
    let signed = TestSigner { fields: "to:subject".to_owned(), ..signer() }.sign(MAIL);
    let found = outcome(&signed, &keys());
    assert_eq!((found.result(), found.cause), (DkimResult::PermError, Some(Fault::FromNotSigned)));
}

#[test]
fn what_we_do_not_take_is_policy_and_no_failure() {
    let tags = |tags: &str| TestSigner { tags: tags.to_owned(), ..signer() }.sign(MAIL);
    let found = outcome(&tags("t=5; x=6;"), &keys());
    assert_eq!((found.result(), found.cause), (DkimResult::Policy, Some(Fault::Expired)));
    let sha1 = latin_replace(&tags(""), "a=ed25519-sha256", "a=rsa-sha1");
    let found = outcome(&sha1, &keys());
    assert_eq!((found.result(), found.cause), (DkimResult::Policy, Some(Fault::Sha1)));
    assert_eq!(found.claims.algorithm.as_deref(), Some("rsa-sha1"));
    let unknown = latin_replace(&tags(""), "a=ed25519-sha256", "a=rot13");
    assert_eq!(outcome(&unknown, &keys()).result(), DkimResult::Neutral);
    assert!(outcome(&tags(&format!("x={};", NOW + 1)), &keys()).is_pass());
}

#[test]
fn a_signature_from_the_future_is_told() {
    let made = |at: u64| TestSigner { tags: format!("t={at};"), ..signer() }.sign(MAIL);
    assert_eq!(outcome(&made(NOW + 300), &keys()).weaknesses, []);
    let found = outcome(&made(NOW + 301), &keys());
    assert!(found.is_pass());
    assert_eq!(found.weaknesses, [Weakness::FromTheFuture { seconds: 301 }]);
}

#[test]
fn keys_under_test_and_several_keys_pass_with_a_note() {
    let (signed, record) = (signer().sign(MAIL), signer().record());
    let with = |records: &[&str]| {
        let keys = Table::default().txt(&signer().key_name(), records);
        outcome(&signed, &keys)
    };
    let testing = with(&[&format!("{record}; t=y:s")]);
    assert!(testing.is_pass());
    assert_eq!(testing.weaknesses, [Weakness::TestingKey]);
    let other = TestSigner::of("other.example").record();
    let several = with(&[&other, &record]);
    assert!(several.is_pass());
    assert_eq!(several.weaknesses, [Weakness::SeveralKeys]);
    assert_eq!(with(&[&other, &other]).cause, Some(Fault::HeaderChanged));
    assert_eq!(with(&["v=DKIM1; k=ed25519; p="]).cause, Some(KeyFault::Revoked.into()));
}

#[test]
fn a_strict_key_is_not_for_names_below_its_domain() {
    let strict =
        Table::default().txt(&signer().key_name(), &[&format!("{}; t=s", signer().record())]);
    let by = |agent: &str| {
        let tags = format!("i={agent};");
        outcome(&TestSigner { tags, ..signer() }.sign(MAIL), &strict)
    };
    let own = by("ann@A.example");
    assert!(own.is_pass(), "{own:?}");
    assert_eq!(own.claims.agent.as_deref(), Some("ann@A.example"));
    assert_eq!(by("ann@sales.a.example").cause, Some(KeyFault::NotBelow.into()));
}

#[test]
fn f8_unclear_is_a_temporary_error_and_no_key_a_permanent_one() {
    let signed = signer().sign(MAIL);
    let unclear = Table::default().unclear_txt(&signer().key_name());
    assert_eq!(outcome(&signed, &unclear).result(), DkimResult::TempError);
    assert_eq!(outcome(&signed, &Table::default()).result(), DkimResult::PermError);
}

#[test]
fn f5_what_would_mean_something_else_in_a_header_field_is_not_repeated() {
    for (what, with) in [
        ("d=a.example", "d=a.example(.b.example"),
        ("d=a.example", "d=a.example\"@b.example"),
        ("s=k", "s=k\0.b"),
        ("s=k", "s=\"k\""),
        ("t=1;", "i=\"ann\"@a.example;"),
        ("t=1;", "i=ann\u{1}@a.example;"),
        ("a=ed25519-sha256", "a=x y(z)"),
    ] {
        let signed = TestSigner { tags: "t=1;".to_owned(), ..signer() }.sign(MAIL);
        let found = outcome(&latin_replace(&signed, what, with), &keys());
        assert!(!found.is_pass(), "{with}");
        let claims = found.claims;
        let texts = [claims.selector, claims.agent, claims.algorithm];
        let domain = claims.domain.as_ref().map(Domain::as_ascii);
        let texts = texts.iter().flatten().map(|text| &**text).chain(domain);
        for text in texts {
            assert!(
                text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.@+=".contains(&byte)),
                "{text}"
            );
        }
    }
}

/// A record with an RSA key of so many bits that nobody has the other half of.
fn rsa_record(bits: usize) -> String {
    let element = |tag: u8, content: &[u8]| {
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[tag, 0x82][..], &length, content].concat()
    };
    let modulus = element(2, &[&[0][..], &vec![0xff; bits / 8]].concat());
    let key = element(0x30, &[modulus, vec![2, 3, 1, 0, 1]].concat());
    format!("v=DKIM1; k=rsa; p={}", BASE64_STANDARD.encode(key))
}

#[test]
fn f2_keys_that_are_too_short_or_too_long_are_not_calculated_with() {
    let signed = latin_replace(&signer().sign(MAIL), "a=ed25519-sha256", "a=rsa-sha256");
    let cause = |bits| {
        let keys = Table::default().txt(&signer().key_name(), &[&rsa_record(bits)]);
        let found = outcome(&signed, &keys);
        (found.result(), found.cause.unwrap())
    };
    let policy = |fault: KeyFault| (DkimResult::Policy, Fault::Key(fault));
    assert_eq!(cause(16_384), policy(KeyFault::TooLong { bits: 16_384 }));
    assert_eq!(cause(4_104), policy(KeyFault::TooLong { bits: 4_104 }));
    assert_eq!(cause(512), policy(KeyFault::TooShort { bits: 512 }));
    assert_eq!(cause(1_016), policy(KeyFault::TooShort { bits: 1_016 }));
    for bits in [1_024, 2_048, 4_096] {
        assert_eq!(cause(bits), (DkimResult::Fail, Fault::HeaderChanged), "{bits}");
    }
}

proptest! {
    #[test]
    fn no_record_is_trouble(record in "(v=DKIM1; )?(k=rsa; )?p=[A-Za-z0-9+/]{0,80}={0,2}(; t=[ys:]{0,4})?") {
        let signed = latin_replace(&signer().sign(MAIL), "a=ed25519-sha256", "a=rsa-sha256");
        let keys = Table::default().txt(&signer().key_name(), &[&record]);
        prop_assert!(!outcome(&signed, &keys).is_pass());
    }
}
