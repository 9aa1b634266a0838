//! Randomness as an argument: a seed goes in, the same order comes out.
//!
//! SplitMix64, which is enough to spread load over equal hosts. Nothing secret depends on it.

pub(super) struct Dice(u64);

impl Dice {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Brings the items into a random order (Fisher and Yates).
    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }

    /// Heads or tails.
    pub(super) fn coin(&mut self) -> bool {
        self.next() & 1 == 0
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn shuffled(seed: u64) -> Vec<u8> {
        let mut items: Vec<u8> = (0..3).collect();
        Dice::new(seed).shuffle(&mut items);
        items
    }

    #[test]
    fn the_same_seed_gives_the_same_order_and_all_orders_occur() {
        assert_eq!(shuffled(7), shuffled(7));
        let orders: HashSet<_> = (0..100).map(shuffled).collect();
        assert_eq!(orders.len(), 6);
    }
}
