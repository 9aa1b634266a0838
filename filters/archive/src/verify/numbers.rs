//! Numbers of records, many of them: a bit for each where they stand close together.

use std::collections::BTreeMap;

use crate::frame::Seq;

/// A set of numbers.
#[derive(Debug, Default)]
pub(super) struct Numbers(BTreeMap<u64, u64>);

impl Numbers {
    pub(super) fn insert(&mut self, seq: Seq) {
        *self.0.entry(seq / BITS).or_default() |= 1 << (seq % BITS);
    }

    pub(super) fn has(&self, seq: Seq) -> bool {
        self.word(seq / BITS) & 1 << (seq % BITS) != 0
    }

    /// How many are in both.
    pub(super) fn both(&self, others: &Self) -> u64 {
        let both = self.0.iter().map(|(at, word)| word & others.word(*at));
        both.map(|word| u64::from(word.count_ones())).sum()
    }

    /// Those that are not among others, in order.
    pub(super) fn but(&self, others: &Self) -> impl Iterator<Item = Seq> {
        self.0.iter().flat_map(|(at, word)| {
            let (at, word) = (*at, word & !others.word(*at));
            (0..BITS).filter(move |bit| word & 1 << bit != 0).map(move |bit| at * BITS + bit)
        })
    }

    fn word(&self, at: u64) -> u64 {
        self.0.get(&at).copied().unwrap_or(0)
    }
}

const BITS: u64 = 64;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn numbers() -> impl Strategy<Value = BTreeSet<Seq>> {
        let number = prop_oneof![0_u64..200, any::<u64>()];
        prop::collection::btree_set(number, 0..60)
    }

    proptest! {
        #[test]
        fn they_are_a_set(one in numbers(), two in numbers()) {
            let of = |set: &BTreeSet<Seq>| {
                let mut numbers = Numbers::default();
                set.iter().for_each(|seq| numbers.insert(*seq));
                numbers
            };
            let (first, second) = (of(&one), of(&two));
            prop_assert!(first.but(&second).eq(one.difference(&two).copied()));
            prop_assert_eq!(first.both(&second), one.intersection(&two).count() as u64);
            prop_assert!(two.iter().all(|seq| first.has(*seq) == one.contains(seq)));
        }
    }
}
