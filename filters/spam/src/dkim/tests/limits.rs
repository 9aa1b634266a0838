//! What a mail can make us do, however it is signed.

use super::{
    super::{Outcome, Weakness, reader::MOST_SIGNATURES},
    signer::TestSigner,
    *,
};

const MAIL: &[u8] = b"From: ann@a.example\r\nTo: bob@b.example\r\nSubject: Hello\r\n\r\nHi.\r\n";

#[test]
fn f2_of_a_thousand_signatures_ten_are_looked_at() {
    let (mut mail, mut keys) = (MAIL.to_vec(), Table::default());
    for number in (0..1_000).rev() {
        let signer = TestSigner::of(&format!("n{number}.example"));
        keys = keys.txt(&signer.key_name(), &[&signer.record()]);
        let field = signer.field("DKIM-Signature", "v=1;", MAIL);
        mail = [field.as_bytes(), &mail].concat();
    }
    let found = verify(&mail, &keys);
    assert_eq!((found.outcomes.len(), found.not_looked_at), (MOST_SIGNATURES, 990));
    assert!(found.outcomes.iter().all(Outcome::is_pass));
    let first = found.outcomes[0].claims.domain.clone().unwrap();
    assert_eq!(first, name("n0.example"));
    assert_eq!(keys.asked(), 10);
}

#[test]
fn f2_junk_costs_no_look_up() {
    let junk = b"DKIM-Signature: v=1\r\n".repeat(MOST_SIGNATURES);
    let signer = TestSigner::of("a.example");
    let keys = Table::default().txt(&signer.key_name(), &[&signer.record()]);
    let mail = [junk, signer.sign(MAIL)].concat();
    let found = verify(&mail, &keys);
    assert_eq!((found.outcomes.len(), found.not_looked_at, keys.asked()), (10, 1, 0));
    assert!(!found.outcomes.iter().any(Outcome::is_pass));
    let changed = [&signer.sign(MAIL)[..], b"more\r\n"].concat();
    assert_eq!(verify(&changed, &keys).outcomes[0].cause, Some(Fault::BodyChanged));
    assert_eq!(keys.asked(), 0);
}

#[test]
fn f2_a_list_of_too_many_fields_is_malformed() {
    let with = |count: usize| {
        let fields = vec!["from"; count].join(":");
        let signer = TestSigner { fields, ..TestSigner::of("a.example") };
        let keys = Table::default().txt(&signer.key_name(), &[&signer.record()]);
        verify(&signer.sign(MAIL), &keys).outcomes.remove(0)
    };
    assert!(with(200).is_pass());
    assert!(matches!(with(201).cause, Some(Fault::Malformed(_))));
    assert!(matches!(with(20_000).cause, Some(Fault::Malformed(_))));
}

#[test]
fn f2_each_signature_may_cover_another_part_of_the_body() {
    let (mut mail, mut keys) = (MAIL.to_vec(), Table::default());
    for limit in 0..6 {
        let domain = format!("n{limit}.example");
        let signer = TestSigner { limit: Some(limit), ..TestSigner::of(&domain) };
        keys = keys.txt(&signer.key_name(), &[&signer.record()]);
        mail = signer.sign(&mail);
    }
    let found = verify(&mail, &keys);
    let parts: Vec<_> = found.outcomes.iter().map(|outcome| &*outcome.weaknesses).collect();
    let part = |unsigned| [Weakness::PartOfBody { unsigned }];
    assert_eq!(parts, [part(0), part(1), part(2), part(3), part(4), part(5)]);
    assert!(found.outcomes.iter().all(Outcome::is_pass));
}

#[test]
fn a_mail_without_signature_has_no_outcome() {
    let found = verify(MAIL, &Table::default());
    assert_eq!((found.outcomes.len(), found.not_looked_at), (0, 0));
}
