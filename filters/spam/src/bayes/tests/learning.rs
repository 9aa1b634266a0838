//! What is learned, and when the model says something.

use super::*;

const HAM: &[&str] = &[
    "the meeting about the budget is moved to the small room",
    "please look at my patch for the parser before the release",
    "shall we have lunch with the others after the review",
];
const SPAM: &[&str] = &[
    "claim your free prize money now limited offer click",
    "cheap pills without prescription order now and save",
    "earn money from home guaranteed income click now",
];

#[test]
fn a_model_that_has_learned_too_little_says_that_it_cannot_tell() {
    let spam = mail("free", SPAM[0]);
    let cases = [(0, 0), (4, 100), (100, 4), (0, 100), (100, 0)];
    for (ham, bad) in cases {
        let model = taught(FEW, (ham, HAM), (bad, SPAM));
        assert!(!model.is_trained());
        assert_eq!(model.judge(&spam), Opinion::unknown(), "{ham} {bad}");
    }
    assert_eq!(Limits::default().least_mails, 200);
    let none = Model::new(Limits { least_mails: 0, ..FEW });
    assert_eq!(none.judge(&spam), Opinion::unknown());
}

#[test]
fn a_mail_of_which_nothing_is_known_could_be_either() {
    let model = taught(FEW, (20, HAM), (20, SPAM));
    let opinion = model.judge(&Tokens::new());
    assert!((opinion.probability - 0.5).abs() < 1e-9);
    assert_eq!(opinion.known, 0);
}

#[test]
fn what_was_learned_is_found_again_with_its_reasons() {
    let model = taught(FEW, (30, HAM), (30, SPAM));
    let spam = model.judge(&mail("hello", "order your free pills now and earn money"));
    assert!(spam.probability > 0.95, "{spam:?}");
    assert!(spam.spam.iter().any(|clue| clue.text.contains("money")), "{spam:?}");
    let ham = model.judge(&mail("hello", "the review of the parser is moved to the small room"));
    assert!(ham.probability < 0.05, "{ham:?}");
    assert!(ham.ham.iter().any(|clue| clue.text.contains("review")), "{ham:?}");
    for opinion in [&spam, &ham] {
        assert!(opinion.known > 0);
        assert!(opinion.spam.len() <= MOST_CLUES && opinion.ham.len() <= MOST_CLUES);
        assert!(opinion.spam.iter().all(|clue| clue.probability > 0.5));
        assert!(opinion.ham.iter().all(|clue| clue.probability < 0.5));
    }
}

#[test]
fn more_mails_of_one_class_are_no_evidence_for_it() {
    // A word that is in each mail, and one that is in half the mails of each.
    let texts: &[&str] = &["common often", "common"];
    for (ham, spam) in [(2_000, 20), (20, 2_000), (300, 300)] {
        let model = taught(FEW, (ham, texts), (spam, texts));
        let opinion = model.judge(&mail("hello", "common often"));
        assert!((opinion.probability - 0.5).abs() < 0.1, "{ham} {spam} {opinion:?}");
    }
}

#[test]
fn spam_among_much_good_mail_is_found_and_good_mail_among_much_spam() {
    for (ham, spam) in [(2_000, 30), (30, 2_000)] {
        let model = taught(FEW, (ham, HAM), (spam, SPAM));
        assert!(model.judge(&mail("hello", SPAM[1])).probability > 0.95, "{ham} {spam}");
        assert!(model.judge(&mail("hello", HAM[1])).probability < 0.05, "{ham} {spam}");
    }
}

#[test]
fn good_words_in_a_spam_mail_leave_it_in_doubt_and_do_not_make_it_good() {
    let model = taught(FEW, (60, HAM), (60, SPAM));
    let both = format!("{} {} {}", SPAM.join(" "), HAM[0], HAM[1]);
    let opinion = model.judge(&mail("hello", &both));
    assert!(opinion.probability > 0.3, "{opinion:?}");
}

#[test]
fn what_is_unlearned_was_never_learned() {
    let mut model = taught(FEW, (20, HAM), (20, SPAM));
    let before = (model.judge(&mail("hello", SPAM[0])), model.mails());
    let wrong = mail("prize", "claim your free prize money");
    model.learn(&wrong, Class::Ham);
    assert_ne!(model.judge(&mail("hello", SPAM[0])), before.0);
    model.unlearn(&wrong, Class::Ham);
    let after = (model.judge(&mail("hello", SPAM[0])), model.mails());
    assert!((after.0.probability - before.0.probability).abs() < 1e-9);
    assert_eq!(after.1, before.1);
}

#[test]
fn what_was_never_learned_can_be_unlearned_without_harm() {
    let mut model = Model::new(FEW);
    model.unlearn(&mail("hello", SPAM[0]), Class::Spam);
    assert_eq!(model.mails(), Mails::default());
    let mut model = taught(FEW, (5, HAM), (5, SPAM));
    for _ in 0..10 {
        model.unlearn(&mail("hello", HAM[0]), Class::Spam);
    }
    assert_eq!(model.mails(), Mails { ham: 5, spam: 0 });
    assert_eq!(model.judge(&mail("hello", SPAM[0])), Opinion::unknown());
}

#[test]
fn counts_fit_their_places_however_many_mails_are_learned() {
    let mut model = Model::new(FEW);
    let (ham, spam) = (mail("hello", HAM[0]), mail("hello", SPAM[0]));
    for _ in 0..130_000 {
        model.learn(&spam, Class::Spam);
    }
    for _ in 0..10 {
        model.learn(&ham, Class::Ham);
    }
    assert!(model.mails().spam <= MOST_MAILS);
    let opinion = model.judge(&spam);
    assert!(opinion.probability > 0.9, "{opinion:?}");
    assert!(model.judge(&ham).probability < 0.1);
    assert!(Model::from_bytes(&model.to_bytes(), FEW).is_ok());
}
