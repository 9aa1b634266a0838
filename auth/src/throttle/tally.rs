//! Failures by key, in bounded memory.

use std::{collections::HashMap, hash::Hash, time::Instant};

use crate::throttle::Limit;

/// Failures of up to [`MAX_ENTRIES`] keys. When it is full, the quarter that matters least goes.
#[derive(Debug)]
pub(super) struct Tally<K> {
    entries: HashMap<K, Entry>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    started: Instant,
    failures: u32,
    last: Instant,
}

impl<K> Default for Tally<K> {
    fn default() -> Self {
        Self { entries: HashMap::new() }
    }
}

impl<K: Eq + Hash> Tally<K> {
    /// When the pause of `key` ends; `None` if it has none.
    pub(super) fn pause_end(&self, key: &K, limit: &Limit) -> Option<Instant> {
        let entry = self.entries.get(key)?;
        let over = entry.failures.checked_sub(limit.free)?.checked_sub(1)?;
        let factor = 1_u32.checked_shl(over).unwrap_or(u32::MAX);
        Some(entry.last + limit.first_pause.saturating_mul(factor).min(limit.longest_pause))
    }

    /// Counts a failure of `key`.
    pub(super) fn add_failure(&mut self, key: K, now: Instant, limit: &Limit) {
        self.make_room();
        let fresh = Entry { started: now, failures: 0, last: now };
        let entry = self.entries.entry(key).or_insert(fresh);
        if now.saturating_duration_since(entry.last) >= limit.forget_after {
            entry.failures = 0;
        }
        entry.failures = entry.failures.saturating_add(1);
        entry.last = now;
    }

    /// Notes `key` as known from `now` on, without a failure.
    pub(super) fn start_over(&mut self, key: K, now: Instant) {
        self.make_room();
        self.entries.insert(key, Entry { started: now, failures: 0, last: now });
    }

    /// When `key` was last noted by [`Self::start_over`] (or had its first failure).
    pub(super) fn started(&self, key: &K) -> Option<Instant> {
        self.entries.get(key).map(|entry| entry.started)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Drops the entries with the fewest and oldest failures, a quarter at a time: a flood of new
    /// keys then costs O(log n) each and drives out other newcomers, not those with long pauses.
    fn make_room(&mut self) {
        if self.entries.len() < MAX_ENTRIES {
            return;
        }
        let mut ranks: Vec<_> = self.entries.values().map(Entry::rank).collect();
        let (_, &mut bar, _) = ranks.select_nth_unstable(MAX_ENTRIES / 4);
        self.entries.retain(|_, entry| entry.rank() > bar);
    }
}

impl Entry {
    const fn rank(&self) -> (u32, Instant) {
        (self.failures, self.last)
    }
}

/// Some 2 MB at the usual length of a user name.
pub(super) const MAX_ENTRIES: usize = 16_384;
