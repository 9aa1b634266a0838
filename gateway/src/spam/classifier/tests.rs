//! What is learned is kept, once, and by one process.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use mailweir_spam::tokens::of_mail;

use super::*;

fn mail(text: &str) -> Tokens {
    of_mail(format!("From: <a@example.com>\r\nSubject: {text}\r\n\r\n{text}\r\n").as_bytes())
}

fn word(number: usize) -> String {
    number.to_string().bytes().map(|digit| char::from(b'a' + digit - b'0')).collect()
}

/// Enough of each for it to judge.
fn train(classifier: &Classifier) {
    for number in 0..200 {
        let word = word(number);
        classifier.learn(&mail(&format!("meeting agenda {word}")), Class::Ham).unwrap();
        classifier.learn(&mail(&format!("lottery winner {word}")), Class::Spam).unwrap();
    }
}

#[test]
fn what_is_learned_outlives_the_process_and_nobody_else_reads_it() {
    let place = tempfile::tempdir().unwrap();
    let directory = place.path().join("spam");
    let classifier = Classifier::open(&directory);
    assert!(!classifier.standing().is_trained && classifier.standing().since.is_none());
    train(&classifier);
    let (good, bad) = (mail("meeting agenda"), mail("lottery winner"));
    let judged = [&good, &bad].map(|mail| classifier.judge(mail).probability);
    assert!(judged[0] < 0.1 && judged[1] > 0.9, "{judged:?}");
    classifier.store().unwrap();
    let standing = classifier.standing();
    drop(classifier);
    let again = Classifier::open(&directory);
    assert_eq!([&good, &bad].map(|mail| again.judge(mail).probability), judged);
    let Standing { ham, spam, mails, is_trained, .. } = standing;
    assert_eq!((ham, spam, mails, is_trained), (200, 200, 400, true));
    // A table that has grown elsewhere may have other room.
    let known = |standing: Standing| Standing { bytes: 0, ..standing };
    assert_eq!(known(again.standing()), known(standing));
    let mode =
        |name: &str| fs::metadata(directory.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(""), mode("classifier"), mode("lock")), (0o700, 0o600, 0o600));
}

#[test]
fn no_mail_is_learned_twice_also_after_a_restart() {
    let place = tempfile::tempdir().unwrap();
    let classifier = Classifier::open(place.path());
    let tokens = mail("x");
    assert_eq!(classifier.learn(&tokens, Class::Ham).unwrap(), Lesson::New);
    classifier.store().unwrap();
    drop(classifier);
    let classifier = Classifier::open(place.path());
    assert_eq!(classifier.learn(&tokens, Class::Ham).unwrap(), Lesson::Known);
    assert_eq!(classifier.learn(&tokens, Class::Spam).unwrap(), Lesson::Corrected);
    let Standing { ham, spam, mails, .. } = classifier.standing();
    assert_eq!((ham, spam, mails), (0, 1, 1));
    assert_eq!(classifier.class_of(&tokens), Some(LearnedClass::Spam));
    assert_eq!(classifier.forget(&tokens).unwrap(), Some(Class::Spam));
    assert_eq!(classifier.forget(&tokens).unwrap(), None);
    assert_eq!(classifier.standing().spam, 0);
}

#[test]
fn who_only_judges_disturbs_nobody_and_writes_nothing() {
    let place = tempfile::tempdir().unwrap();
    let directory = place.path().join("spam");
    let none = Classifier::to_judge(&directory);
    assert!((none.judge(&mail("lottery")).probability - 0.5).abs() < f64::EPSILON);
    assert!(!directory.exists());
    let classifier = Classifier::open(&directory);
    train(&classifier);
    classifier.store().unwrap();
    let other = Classifier::to_judge(&directory);
    assert!(other.judge(&mail("lottery winner")).probability > 0.9);
    assert!(matches!(other.learn(&mail("x"), Class::Ham), Err(Trouble::ReadOnly)));
    assert!(matches!(other.try_again(), Err(Trouble::ReadOnly)));
    assert_eq!(classifier.learn(&mail("x"), Class::Ham).unwrap(), Lesson::New);
}

#[test]
fn what_has_not_changed_is_not_written() {
    let place = tempfile::tempdir().unwrap();
    let classifier = Classifier::open(place.path());
    classifier.store().unwrap();
    let file = place.path().join("classifier");
    assert!(!file.exists());
    classifier.learn(&mail("x"), Class::Ham).unwrap();
    classifier.store().unwrap();
    fs::remove_file(&file).unwrap();
    classifier.learn(&mail("x"), Class::Ham).unwrap();
    classifier.store().unwrap();
    assert!(!file.exists());
    // What a crash left half-way is in nobody's way.
    fs::write(place.path().join("classifier.new"), "half").unwrap();
    classifier.learn(&mail("y"), Class::Ham).unwrap();
    classifier.store().unwrap();
    assert!(file.exists());
    assert!(!place.path().join("classifier.new").exists());
}

#[test]
fn one_process_teaches_at_a_time_and_the_other_may_try_again() {
    let place = tempfile::tempdir().unwrap();
    let first = Classifier::open(place.path());
    let second = Classifier::open(place.path());
    let refused = second.learn(&mail("x"), Class::Ham).unwrap_err();
    assert!(matches!(refused, Trouble::InUse(_)), "{refused}");
    assert!(second.try_again().is_err());
    first.learn(&mail("x"), Class::Ham).unwrap();
    first.store().unwrap();
    drop(first);
    second.tend(false).unwrap();
    assert_eq!(second.learn(&mail("x"), Class::Ham).unwrap(), Lesson::Known);
}

#[test]
fn what_cannot_be_read_is_told_and_kept_and_mail_is_judged_by_nobody() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("classifier");
    let classifier = Classifier::open(place.path());
    train(&classifier);
    classifier.store().unwrap();
    drop(classifier);
    let whole = fs::read(&file).unwrap();
    let mut newer = whole.clone();
    newer[8] = 2;
    let mut long = whole.clone();
    long.push(0);
    for (bytes, told) in [
        (&newer, "it has version 2, this program needs 1"),
        (&whole[..100].to_vec(), "the list of learned mails is damaged"),
        (&whole[..whole.len() - 1].to_vec(), "the model is damaged"),
        (&long, "the model is damaged"),
        (&b"something".to_vec(), "this is not what a classifier has learned"),
        (&Vec::new(), "this is not what a classifier has learned"),
    ] {
        fs::write(&file, bytes).unwrap();
        let classifier = Classifier::open(place.path());
        let trouble = classifier.standing().trouble.unwrap();
        let what_to_do = "move the file away, and teach anew by `mailweir spam learn`";
        assert!(trouble.contains(told) && trouble.ends_with(what_to_do), "{trouble}");
        assert!((classifier.judge(&mail("lottery")).probability - 0.5).abs() < f64::EPSILON);
        assert!(classifier.learn(&mail("x"), Class::Ham).is_err());
        assert!(classifier.store().is_err() && classifier.try_again().is_err());
        assert_eq!(&fs::read(&file).unwrap(), bytes);
        fs::remove_file(&file).unwrap();
        classifier.try_again().unwrap();
        assert_eq!(classifier.learn(&mail("x"), Class::Ham).unwrap(), Lesson::New);
    }
}

#[test]
fn a_disk_that_fails_loses_nothing_that_was_learned() {
    let place = tempfile::tempdir().unwrap();
    let directory = place.path().join("spam");
    let classifier = Classifier::open(&directory);
    classifier.learn(&mail("x"), Class::Ham).unwrap();
    fs::rename(&directory, place.path().join("elsewhere")).unwrap();
    assert!(matches!(classifier.store(), Err(Trouble::Disk(..))));
    fs::rename(place.path().join("elsewhere"), &directory).unwrap();
    classifier.store().unwrap();
    drop(classifier);
    assert_eq!(Classifier::open(&directory).standing().ham, 1);
}

#[test]
fn at_the_end_it_is_stored_and_another_process_may_have_it() {
    let place = tempfile::tempdir().unwrap();
    let classifier = Classifier::open(place.path());
    classifier.learn(&mail("x"), Class::Spam).unwrap();
    classifier.tend(true).unwrap();
    assert!(matches!(classifier.learn(&mail("y"), Class::Spam), Err(Trouble::Closed)));
    assert!(matches!(classifier.try_again(), Err(Trouble::Closed)));
    assert_eq!(Classifier::open(place.path()).standing().spam, 1);
}

#[test]
fn many_judge_while_one_learns_and_stores() {
    let place = tempfile::tempdir().unwrap();
    let classifier = Classifier::open(place.path());
    train(&classifier);
    let (bad, is_over) = (mail("lottery winner"), AtomicBool::new(false));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    assert!(classifier.judge(&bad).probability > 0.9);
                }
            });
        }
        for number in 0..20 {
            let text = format!("lottery winner again {}", word(number));
            classifier.learn(&mail(&text), Class::Spam).unwrap();
            classifier.store().unwrap();
        }
        is_over.store(true, Ordering::Relaxed);
    });
    drop(classifier);
    assert_eq!(Classifier::open(place.path()).standing().spam, 220);
}
