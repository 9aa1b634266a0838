//! A bounded table of what has a time: when it is full, the oldest entry goes.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use mailweir_mail::Timestamp;

/// Values by hashes, each with a time.
#[derive(Clone, Debug)]
pub(crate) struct Aged<V> {
    entries: BTreeMap<u64, (Timestamp, V)>,
    /// The same, by their times.
    order: BTreeSet<(Timestamp, u64)>,
    most: usize,
}

impl<V> Aged<V> {
    /// An empty table of at most so many entries, and of one at least.
    pub(crate) const fn new(most: usize) -> Self {
        Self { entries: BTreeMap::new(), order: BTreeSet::new(), most }
    }

    /// Has room for another number of entries from now on: the oldest go that have none.
    pub(crate) fn change(&mut self, most: usize) {
        self.most = most;
        while self.entries.len() > most.max(1) {
            self.remove_oldest();
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn get(&self, key: u64) -> Option<(Timestamp, &V)> {
        self.entries.get(&key).map(|(time, value)| (*time, value))
    }

    pub(crate) fn time_of(&self, key: u64) -> Option<Timestamp> {
        self.get(key).map(|(time, _)| time)
    }

    /// Puts an entry in the place of that with the same key, or of the oldest if there is no room.
    pub(crate) fn put(&mut self, key: u64, time: Timestamp, value: V) {
        self.remove(key);
        while self.entries.len() >= self.most && !self.entries.is_empty() {
            self.remove_oldest();
        }
        self.entries.insert(key, (time, value));
        self.order.insert((time, key));
    }

    /// Gives an entry another time.
    pub(crate) fn touch(&mut self, key: u64, time: Timestamp) {
        if let Some(value) = self.remove(key) {
            self.put(key, time, value);
        }
    }

    pub(crate) fn remove(&mut self, key: u64) -> Option<V> {
        let (time, value) = self.entries.remove(&key)?;
        self.order.remove(&(time, key));
        Some(value)
    }

    fn remove_oldest(&mut self) {
        if let Some((_, oldest)) = self.order.pop_first() {
            self.entries.remove(&oldest);
        }
    }

    /// Removes what is older than `longest`, at most so many of it, and says how many. What lies in the future stays.
    pub(crate) fn expire(&mut self, now: Timestamp, longest: Duration, most: usize) -> usize {
        let mut removed = 0;
        while let Some(key) = self.oldest_before(now, longest).filter(|_| removed < most) {
            self.remove(key);
            removed += 1;
        }
        removed
    }

    /// The oldest entry, if it is older than `longest`.
    pub(crate) fn oldest_before(&self, now: Timestamp, longest: Duration) -> Option<u64> {
        let (time, key) = self.order.first()?;
        (now.since(*time) > longest).then_some(*key)
    }

    /// All entries, in no order that means anything: the fastest way to read them.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (u64, Timestamp, &V)> {
        self.entries.iter().map(|(key, (time, value))| (*key, *time, value))
    }

    /// All entries, the oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, Timestamp, &V)> {
        self.order.iter().filter_map(|(time, key)| {
            let (_, value) = self.entries.get(key)?;
            Some((*key, *time, value))
        })
    }
}
