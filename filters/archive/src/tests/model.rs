//! Whatever was written, erased, and in which order with starts in between: what is there can be read, what was
//! erased cannot, and all of it is sound.

use proptest::prelude::*;

use super::{
    encryption::{encrypted, keys, read_with},
    erasing::wanted,
    *,
};
use crate::Encryption;

#[derive(Clone, Debug)]
enum Step {
    /// A group of so many mails.
    Write(usize),
    /// Some of those that were written.
    Erase(Vec<prop::sample::Index>),
    Seal,
    /// Whether what is written then is encrypted.
    Restart(bool),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1_usize..5).prop_map(Step::Write),
        2 => prop::collection::vec(any::<prop::sample::Index>(), 1..4).prop_map(Step::Erase),
        1 => Just(Step::Seal),
        1 => any::<bool>().prop_map(Step::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn what_is_there_is_read_and_what_was_erased_is_gone(
        steps in prop::collection::vec(any_step(), 1..20), size in 500_u64..5_000,
    ) {
        let mut home = Home::with(Options { segment_size: size, ..encrypted(1) });
        let mut mails: Vec<(Written, String, bool)> = Vec::new();
        for step in steps {
            match step {
                Step::Write(count) => {
                    let from = mails.len();
                    let texts: Vec<_> =
                        (from..from + count).map(|number| format!("mail {number}")).collect();
                    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
                    let written = home.write(&texts).into_iter().zip(texts);
                    mails.extend(written.map(|(record, text)| (record, text.to_owned(), false)));
                }
                Step::Erase(which) if !mails.is_empty() => {
                    let which: Vec<_> = which.iter().map(|one| one.index(mails.len())).collect();
                    let erase: Vec<_> = which.iter().map(|one| wanted(&mails[*one].0)).collect();
                    prop_assert!(home.archive().erase(&erase, now()).unwrap().left.is_none());
                    which.into_iter().for_each(|one| mails[one].2 = true);
                }
                Step::Erase(_) => {}
                Step::Seal => {
                    home.archive().seal(now()).unwrap();
                }
                Step::Restart(is_encrypted) => {
                    home.options.encryption = match is_encrypted {
                        true => Encryption::On(keys(1)),
                        false => Encryption::NoLonger(keys(1)),
                    };
                    home.restart();
                }
            }
        }
        let report = home.verify();
        prop_assert_eq!(report.findings, vec![]);
        let gone = mails.iter().filter(|(_, _, is_erased)| *is_erased).count();
        prop_assert_eq!(report.erased, gone as u64);
        for (record, text, is_erased) in mails {
            match read_with(&home, Some(keys(1)), record.place) {
                Ok(found) => prop_assert!(!is_erased && found == text, "{:?}", record.head),
                Err(ReadError::Erased { .. }) => prop_assert!(is_erased, "{:?}", record.head),
                Err(error) => prop_assert!(false, "{error}"),
            }
        }
    }
}
