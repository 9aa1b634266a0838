//! Which mails are learned again, and what is kept of it.

use proptest::prelude::*;

use super::*;
use crate::{bayes::Limits, tokens::of_mail};

const NOW: Timestamp = Timestamp::from_secs(1_795_000_000);

fn at(second: u64) -> Timestamp {
    Timestamp::from_secs(NOW.as_secs() + second)
}

fn mail(text: &str) -> Tokens {
    of_mail(format!("From: <a@example.com>\r\nSubject: x\r\n\r\n{text}\r\n").as_bytes())
}

/// Some mails, of both classes.
fn some() -> Learned {
    let mut learned = Learned::new();
    for (second, (mail, class)) in (0..).zip([(7, Class::Ham), (3, Class::Spam), (9, Class::Ham)]) {
        learned.learn(mail, class, at(second));
    }
    learned
}

#[test]
fn a_mail_is_learned_once() {
    let mut learned = Learned::new();
    assert_eq!(learned.learn(5, Class::Spam, NOW), Lesson::New);
    assert_eq!(learned.learn(5, Class::Spam, at(1)), Lesson::Known);
    assert_eq!((learned.len(), learned.class_of(5)), (1, Some(Class::Spam)));
    assert_eq!(learned.class_of(6), None);
}

#[test]
fn a_mail_that_was_learned_wrongly_is_taken_back_before_it_is_learned() {
    let (mut learned, mut model) = (Learned::new(), Model::new(Limits::default()));
    let tokens = mail("cheap words of strangers");
    let mut teach = |class| {
        let lesson = learned.learn(tokens.mail_hash(), class, NOW);
        lesson.teach(&mut model, &tokens, class);
        (lesson, model.mails().ham, model.mails().spam)
    };
    assert_eq!(teach(Class::Ham), (Lesson::New, 1, 0));
    assert_eq!(teach(Class::Ham), (Lesson::Known, 1, 0));
    assert_eq!(teach(Class::Spam), (Lesson::Corrected, 0, 1));
    assert_eq!(teach(Class::Spam), (Lesson::Known, 0, 1));
}

#[test]
fn what_is_forgotten_is_new_again() {
    let mut learned = some();
    assert_eq!(learned.forget(3), Some(Class::Spam));
    assert_eq!(learned.forget(3), None);
    assert_eq!(learned.learn(3, Class::Ham, NOW), Lesson::New);
}

#[test]
fn no_more_than_so_many_are_remembered_and_the_first_go_first() {
    let mut learned = Learned::new();
    for number in 0..MOST_LEARNED as u64 + 10 {
        learned.learn(number, Class::Ham, at(number));
    }
    assert_eq!(learned.len(), MOST_LEARNED);
    assert_eq!((learned.class_of(9), learned.class_of(10)), (None, Some(Class::Ham)));
    assert_eq!(learned.since(), Some(NOW), "what is forgotten was learned all the same");
}

#[test]
fn they_are_the_same_after_they_were_bytes_and_what_follows_is_left() {
    for learned in [Learned::new(), some()] {
        let mut bytes = learned.to_bytes();
        assert_eq!(bytes.len(), 30 + 17 * learned.len());
        bytes.extend_from_slice(b"model");
        let (again, behind) = Learned::from_bytes(&bytes).unwrap();
        assert_eq!(behind, b"model");
        assert_eq!(again.since(), learned.since());
        let all = |learned: &Learned| [3, 7, 9].map(|mail| learned.class_of(mail));
        assert_eq!(all(&again), all(&learned));
        assert_eq!(again.to_bytes(), bytes[..bytes.len() - 5]);
    }
}

#[test]
fn bytes_that_are_damaged_are_none() {
    let bytes = some().to_bytes();
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x10;
        assert!(Learned::from_bytes(&damaged).is_err(), "{at}");
        assert!(Learned::from_bytes(&bytes[..at]).is_err(), "{at}");
    }
    let errors = [
        (&b"MWBayes\0"[..], LearnedError::Unknown),
        (b"", LearnedError::Unknown),
        (b"MWLearn\0\x09\0", LearnedError::Version(9)),
        (b"MWLearn\0\x01", LearnedError::Damaged),
    ];
    for (bytes, error) in errors {
        assert_eq!(Learned::from_bytes(bytes).unwrap_err(), error);
    }
}

#[test]
fn the_form_is_the_one_that_is_written_down() {
    let mut learned = Learned::new();
    learned.learn(0x0102_0304_0506_0708, Class::Spam, Timestamp::from_micros(0x11));
    let mut expected = b"MWLearn\0\x01\0\x11\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0".to_vec();
    expected.extend_from_slice(b"\x08\x07\x06\x05\x04\x03\x02\x01\x11\0\0\0\0\0\0\0\x01");
    let checksum = crc32fast::hash(&expected);
    expected.extend_from_slice(&checksum.to_le_bytes());
    assert_eq!(learned.to_bytes(), expected);
}

proptest! {
    #[test]
    fn no_bytes_panic(version in 0_u8..3, count in any::<u64>(), rest in prop::collection::vec(any::<u8>(), 0..80)) {
        let mut bytes = b"MWLearn\0".to_vec();
        bytes.extend_from_slice(&[version, 0]);
        bytes.extend_from_slice(&[0; 8]);
        bytes.extend_from_slice(&count.to_le_bytes());
        bytes.extend_from_slice(&rest);
        let _ = Learned::from_bytes(&bytes);
        let _ = Learned::from_bytes(&rest);
    }
}
