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
    /// When the last pause of `key` ends or ended; `None` if it had none, or all is forgotten.
    pub(super) fn pause_end(&self, key: &K, now: Instant, limit: &Limit) -> Option<Instant> {
        let entry = self.entries.get(key)?;
        entry.counts(now, limit).then(|| entry.pause_end(limit)).flatten()
    }

    /// Counts a failure of `key`. Returns the entry if `key` has to wait now and had not before.
    pub(super) fn add_failure(&mut self, key: K, now: Instant, limit: &Limit) -> Option<Entry> {
        self.make_room_for(&key);
        let entry = self.entries.entry(key).or_insert(Entry::fresh(now));
        let waited = entry.waits(now, limit);
        if now.saturating_duration_since(entry.last) >= limit.forget_after {
            entry.failures = 0;
        }
        entry.failures = entry.failures.saturating_add(1);
        // Attempts do not end in the order in which they began.
        entry.last = entry.last.max(now);
        (!waited && entry.waits(now, limit)).then_some(*entry)
    }

    /// When `key` was last noted by `start_over` (or had its first failure).
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
    fn make_room_for(&mut self, key: &K) {
        if !self.is_full_for(key) {
            return;
        }
        let mut ranks: Vec<_> = self.entries.values().map(Entry::rank).collect();
        let (_, &mut bar, _) = ranks.select_nth_unstable(MAX_ENTRIES / 4);
        self.entries.retain(|_, entry| entry.rank() > bar);
    }

    fn is_full_for(&self, key: &K) -> bool {
        self.entries.len() >= MAX_ENTRIES && !self.entries.contains_key(key)
    }
}

impl<P: Eq + Hash, A: Clone + Eq + Hash> Tally<(P, A)> {
    /// Notes an account as known at a place from `now` on, without a failure.
    ///
    /// When the tally is full, accounts with many places make room first: whoever has one account
    /// and many addresses drives out nobody else.
    pub(super) fn start_over(&mut self, key: (P, A), now: Instant) {
        if self.is_full_for(&key) {
            self.drop_many_places();
        }
        self.make_room_for(&key);
        self.entries.insert(key, Entry::fresh(now));
    }

    /// Leaves accounts that are known at [`MANY_PLACES`] or more half of that, where they were
    /// noted last. So it takes many new places of an account until it is done for it again.
    fn drop_many_places(&mut self) {
        let mut noted: HashMap<&A, Vec<Instant>> = HashMap::new();
        for ((_, account), entry) in &self.entries {
            noted.entry(account).or_default().push(entry.started);
        }
        noted.retain(|_, times| times.len() >= MANY_PLACES);
        let bars = noted.into_iter().map(|(account, mut times)| {
            let nth = times.len() - MANY_PLACES / 2 - 1;
            (account.clone(), *times.select_nth_unstable(nth).1)
        });
        let bars: HashMap<A, Instant> = bars.collect();
        self.entries
            .retain(|(_, account), entry| bars.get(account).is_none_or(|&bar| entry.started > bar));
    }
}

impl Entry {
    const fn fresh(now: Instant) -> Self {
        Self { started: now, failures: 0, last: now }
    }

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

/// More than the networks that one person logs in from in a month.
const MANY_PLACES: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    /// A clock that goes on by a second with each reading, so that no two notes are as old.
    struct Clock(Instant);

    impl Clock {
        fn next(&mut self) -> Instant {
            self.0 += Duration::from_secs(1);
            self.0
        }
    }

    #[test]
    fn c2_one_account_at_many_places_drives_out_none_but_its_own_oldest() {
        let mut clock = Clock(Instant::now());
        let mut tally = Tally::default();
        let others = MAX_ENTRIES - MANY_PLACES;
        for account in 1..=others {
            tally.start_over((0, account), clock.next());
        }
        let places = MANY_PLACES * 10;
        for place in 1..=places {
            tally.start_over((place, 0), clock.next());
            tally.start_over((0, 0), clock.next());
        }
        assert!((1..=others).all(|account| tally.started(&(0, account)).is_some()));
        let known = |place: usize| tally.started(&(place, 0)).is_some();
        assert!((places + 2 - MANY_PLACES / 2..=places).all(known), "its latest");
        assert!(known(0), "one of old that it comes from still");
        assert!(!(1..places - MANY_PLACES).any(known), "its oldest");
    }

    #[test]
    fn c2_who_came_to_many_places_while_there_was_room_goes_before_others() {
        let mut clock = Clock(Instant::now());
        let mut tally = Tally::default();
        for account in 1..=MAX_ENTRIES / 2 {
            tally.start_over((0, account), clock.next());
        }
        for place in 1..=MAX_ENTRIES / 2 {
            tally.start_over((place, 0), clock.next());
        }
        assert_eq!(tally.len(), MAX_ENTRIES);
        tally.start_over((1, 1), clock.next());
        assert_eq!(tally.len(), MAX_ENTRIES / 2 + MANY_PLACES / 2 + 1);
        assert!((1..=MAX_ENTRIES / 2).all(|account| tally.started(&(0, account)).is_some()));
    }

    #[test]
    fn who_is_in_already_drives_out_nobody() {
        let limit = crate::ThrottleLimits::default().per_account;
        let mut clock = Clock(Instant::now());
        let mut tally = Tally::default();
        for account in 0..MAX_ENTRIES {
            tally.start_over((0, account), clock.next());
        }
        tally.start_over((0, 0), clock.next());
        tally.add_failure((0, 1), clock.next(), &limit);
        assert_eq!(tally.len(), MAX_ENTRIES);
        tally.add_failure((0, MAX_ENTRIES), clock.next(), &limit);
        assert!(tally.len() < MAX_ENTRIES);
    }
}
