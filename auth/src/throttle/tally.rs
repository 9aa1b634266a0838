//! Failures by key, in bounded memory.

use std::{
    collections::HashMap,
    hash::Hash,
    time::{Duration, Instant},
};

use crate::throttle::{Counted, Limit, Subject};

/// Failures of up to [`MAX_ENTRIES`] keys. When it is full, the quarter that matters least goes.
#[derive(Debug)]
pub(super) struct Tally<K> {
    entries: HashMap<K, Entry>,
}

/// What is known of one key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
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
        self.entries.get(key)?.pause_end(limit)
    }

    /// Counts a failure of `key`. Returns the entry if `key` has to wait now and had not before.
    pub(super) fn add_failure(&mut self, key: K, now: Instant, limit: &Limit) -> Option<Entry> {
        self.make_room();
        let fresh = Entry { started: now, failures: 0, last: now };
        let entry = self.entries.entry(key).or_insert(fresh);
        let waited = entry.waits(now, limit);
        if now.saturating_duration_since(entry.last) >= limit.forget_after {
            entry.failures = 0;
        }
        entry.failures = entry.failures.saturating_add(1);
        entry.last = now;
        (!waited && entry.waits(now, limit)).then_some(*entry)
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

    /// All keys whose failures are not forgotten yet.
    pub(super) fn counted(
        &self,
        now: Instant,
        limit: &Limit,
    ) -> impl Iterator<Item = (&K, &Entry)> {
        let counts = move |(_, entry): &(&K, &Entry)| entry.counts(now, limit);
        self.entries.iter().filter(counts)
    }

    /// Forgets the failures of all keys that `is_meant`, and nothing else of them.
    pub(super) fn forgive(&mut self, is_meant: impl Fn(&K) -> bool) {
        for (_, entry) in self.entries.iter_mut().filter(|(key, _)| is_meant(key)) {
            entry.failures = 0;
        }
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
    /// This entry as others see it, of whom it is known.
    pub(super) fn counted(&self, who: Subject, now: Instant, limit: &Limit) -> Counted {
        Counted { who, failures: self.failures, pause: self.pause(now, limit) }
    }

    /// How long the key has to wait; `None` if it has not.
    pub(super) fn pause(&self, now: Instant, limit: &Limit) -> Option<Duration> {
        let left = self.pause_end(limit)?.saturating_duration_since(now);
        (!left.is_zero()).then_some(left)
    }

    /// Whether the key has to wait.
    pub(super) fn waits(&self, now: Instant, limit: &Limit) -> bool {
        self.pause(now, limit).is_some()
    }

    /// As [`Tally::started`].
    pub(super) const fn started(&self) -> Instant {
        self.started
    }

    /// Whether it has failures that the next one would be added to, or that it waits for.
    fn counts(&self, now: Instant, limit: &Limit) -> bool {
        let is_recent = now.saturating_duration_since(self.last) < limit.forget_after;
        self.failures > 0 && (is_recent || self.waits(now, limit))
    }

    fn pause_end(&self, limit: &Limit) -> Option<Instant> {
        let over = self.failures.checked_sub(limit.free)?.checked_sub(1)?;
        let factor = 1_u32.checked_shl(over).unwrap_or(u32::MAX);
        Some(self.last + limit.first_pause.saturating_mul(factor).min(limit.longest_pause))
    }

    const fn rank(&self) -> (u32, Instant) {
        (self.failures, self.last)
    }
}

/// Some 2 MB at the usual length of a user name.
pub(super) const MAX_ENTRIES: usize = 16_384;
