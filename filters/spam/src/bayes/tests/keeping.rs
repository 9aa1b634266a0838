//! What is kept of a model: as bytes, and when it is full.

use proptest::prelude::*;

use super::*;
use crate::bayes::table::{Entry, Key, Table};

fn model() -> Model {
    taught(FEW, (10, &["good words of friends"]), (10, &["bad words of strangers"]))
}

#[test]
fn a_model_is_the_same_after_it_was_bytes() {
    let model = model();
    let bytes = model.to_bytes();
    assert_eq!(bytes.len(), 40 + 12 * model.tokens());
    let again = Model::from_bytes(&bytes, FEW).unwrap();
    let (one, other) = (mail("x", "bad words"), mail("x", "good words"));
    assert_eq!(again.judge(&one), model.judge(&one));
    assert_eq!(again.judge(&other), model.judge(&other));
    assert_eq!((again.mails(), again.tokens()), (model.mails(), model.tokens()));
    assert_eq!(again.to_bytes(), bytes);
}

#[test]
fn a_large_model_forgets_nothing_when_it_was_bytes() {
    let limits = Limits { tokens: 100_000, least_mails: 5 };
    let mut model = Model::new(limits);
    for number in 0..200 {
        let words: Vec<_> = (0..100).map(|place| word(number * 100 + place)).collect();
        let class = if number % 2 == 0 { Class::Ham } else { Class::Spam };
        model.learn(&mail("x", &words.join(" ")), class);
    }
    assert!(model.tokens() > 20_000, "{}", model.tokens());
    let bytes = model.to_bytes();
    let again = Model::from_bytes(&bytes, limits).unwrap();
    assert_eq!((again.tokens(), again.size()), (model.tokens(), model.size()));
    assert_eq!(again.to_bytes(), bytes);
    // With less room the least valuable go.
    let few = Model::from_bytes(&bytes, Limits { tokens: 8_000, least_mails: 5 }).unwrap();
    assert!((4_000..=8_000).contains(&few.tokens()), "{}", few.tokens());
}

#[test]
fn an_empty_model_is_bytes_too() {
    let bytes = Model::new(FEW).to_bytes();
    assert_eq!(Model::from_bytes(&bytes, FEW).unwrap().tokens(), 0);
}

#[test]
fn bytes_that_are_damaged_are_no_model() {
    let bytes = model().to_bytes();
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x10;
        assert!(Model::from_bytes(&damaged, FEW).is_err(), "{at}");
        assert!(Model::from_bytes(&bytes[..at], FEW).is_err(), "{at}");
    }
    let error = Model::from_bytes(b"something else", FEW).unwrap_err();
    assert_eq!(error, ModelError::Unknown);
}

#[test]
fn a_model_of_another_version_is_told_from_a_damaged_one() {
    let mut bytes = model().to_bytes();
    bytes[8] = 9;
    let error = Model::from_bytes(&bytes, FEW).unwrap_err();
    assert_eq!(error, ModelError::Version { found: 9, tokens: crate::tokens::VERSION });
}

#[test]
fn no_token_is_in_more_mails_than_there_are() {
    let mut bytes = model().to_bytes();
    for token in bytes[36..].as_chunks_mut::<12>().0 {
        // In how many good mails.
        token[6..8].copy_from_slice(&u16::MAX.to_le_bytes());
    }
    let end = bytes.len() - 4;
    let checksum = crc32fast::hash(&bytes[..end]).to_le_bytes();
    bytes[end..].copy_from_slice(&checksum);
    let model = Model::from_bytes(&bytes, FEW).unwrap();
    assert!(model.table.iter().all(|(_, entry)| entry.counts.ham == 10));
}

#[test]
fn a_smaller_model_keeps_what_many_mails_have() {
    let mut model = Model::new(Limits { tokens: 100_000, least_mails: 5 });
    for number in 0..300 {
        let (ham, spam) =
            (format!("friends {}", word(number)), format!("strangers {}", word(number + 500)));
        model.learn(&mail("hello", &ham), Class::Ham);
        model.learn(&mail("hello", &spam), Class::Spam);
    }
    let small = Limits { tokens: 320, least_mails: 5 };
    let small = Model::from_bytes(&model.to_bytes(), small).unwrap();
    assert!(small.tokens() <= 320 && model.tokens() > 600);
    assert!(small.judge(&mail("x", "strangers")).probability > 0.6);
    assert!(small.judge(&mail("x", "friends")).probability < 0.4);
}

#[test]
fn a_token_takes_twelve_bytes_and_the_table_no_more_than_it_may() {
    assert_eq!(size_of::<Entry>() + size_of::<u32>(), 12);
    let mut table = Table::new(160_000);
    for number in 0..1_000_000_u64 {
        count(&mut table, number, 0);
    }
    assert_eq!(table.size(), 160_000 * 12);
    assert!(table.len() > 159_000 && table.len() <= 160_000, "{}", table.len());
}

/// Counts a mail with this token.
fn count(table: &mut Table, number: u64, epoch: u16) {
    let entry = table.entry(key(number)).unwrap();
    entry.counts.spam += 1;
    entry.seen = epoch;
}

fn key(number: u64) -> Key {
    Key::of(
        number
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(17)
            .wrapping_mul(0xff51_afd7_ed55_8ccd),
    )
}

#[test]
fn rare_and_old_tokens_are_forgotten_first() {
    let mut table = Table::new(16_000);
    for number in 0..4_000 {
        (0..3).for_each(|_| count(&mut table, number, 1));
    }
    for number in 4_000..100_000 {
        count(&mut table, number, 2 + u16::try_from(number / 10_000).unwrap());
    }
    let known = |range: std::ops::Range<u64>| {
        range.filter(|number| table.get(key(*number)).is_some()).count()
    };
    assert_eq!(known(0..4_000), 4_000, "what three mails had stays");
    assert!(known(4_000..50_000) < 1_000, "{}", known(4_000..50_000));
    assert!(known(95_000..100_000) > 4_000, "{}", known(95_000..100_000));
}

#[test]
fn tokens_that_a_sender_makes_collide_cost_one_bucket() {
    let mut table = Table::new(16_000);
    count(&mut table, 7, 0);
    for low in 0..100_000_u64 {
        // The same upper bits: the same bucket, whatever the number of buckets.
        let entry = table.entry(Key::of(0xabcd_ef01_0000_0000 | low << 16)).unwrap();
        entry.counts.spam = 1;
    }
    assert!(table.len() <= 17 + 16, "{}", table.len());
    assert!(table.get(key(7)).is_some());
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), is_sealed in any::<bool>()) {
        let mut all = model().to_bytes();
        all.truncate(36);
        all.extend_from_slice(&bytes);
        if is_sealed {
            let checksum = crc32fast::hash(&all);
            all.extend_from_slice(&checksum.to_le_bytes());
        }
        let _ = Model::from_bytes(&all, FEW);
        let _ = Model::from_bytes(&bytes, FEW);
    }

    #[test]
    fn what_is_learned_and_unlearned_in_any_order_stays_within_bounds(
        steps in proptest::collection::vec((any::<bool>(), any::<bool>(), 0_usize..6), 0..60),
    ) {
        let mut model = Model::new(Limits { tokens: 64, least_mails: 1 });
        for (is_learned, is_spam, number) in steps {
            let class = if is_spam { Class::Spam } else { Class::Ham };
            let tokens = mail("hello", &format!("{} words", word(number)));
            if is_learned { model.learn(&tokens, class) } else { model.unlearn(&tokens, class) }
            let opinion = model.judge(&tokens);
            prop_assert!((0.0..=1.0).contains(&opinion.probability), "{:?}", opinion);
            let again = Model::from_bytes(&model.to_bytes(), Limits { tokens: 64, least_mails: 1 });
            prop_assert_eq!(again.map(|model| model.mails()), Ok(model.mails()));
        }
    }
}
