//! A bounded table of what has a time: when it is full, the oldest entry goes.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use mailweir_mail::Timestamp;

/// Values by hashes, each with a time.
#[derive(Clone, Debug)]
pub(super) struct Aged<V> {
    entries: BTreeMap<u64, (Timestamp, V)>,
    /// The same, by their times.
    order: BTreeSet<(Timestamp, u64)>,
    most: usize,
}

impl<V> Aged<V> {
    /// An empty table of at most so many entries, and of one at least.
    pub(super) fn new(most: usize) -> Self {
        Self { entries: BTreeMap::new(), order: BTreeSet::new(), most }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn get(&self, key: u64) -> Option<(Timestamp, &V)> {
        self.entries.get(&key).map(|(time, value)| (*time, value))
    }

    pub(super) fn time_of(&self, key: u64) -> Option<Timestamp> {
        self.get(key).map(|(time, _)| time)
    }

    /// Puts an entry in the place of that with the same key, or of the oldest if there is no room.
    pub(super) fn put(&mut self, key: u64, time: Timestamp, value: V) {
        self.remove(key);
        while self.entries.len() >= self.most {
            let Some((_, oldest)) = self.order.pop_first() else {
                break;
            };
            self.entries.remove(&oldest);
        }
        self.entries.insert(key, (time, value));
        self.order.insert((time, key));
    }

    /// Gives an entry another time.
    pub(super) fn touch(&mut self, key: u64, time: Timestamp) {
        if let Some(value) = self.remove(key) {
            self.put(key, time, value);
        }
    }

    pub(super) fn remove(&mut self, key: u64) -> Option<V> {
        let (time, value) = self.entries.remove(&key)?;
        self.order.remove(&(time, key));
        Some(value)
    }

    /// Removes what is older than `longest`. What lies in the future stays.
    pub(super) fn expire(&mut self, now: Timestamp, longest: Duration) {
        while let Some((time, key)) = self.order.first().copied() {
            if now.since(time) <= longest {
                return;
            }
            self.order.pop_first();
            self.entries.remove(&key);
        }
    }

    /// All entries, the oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, Timestamp, &V)> {
        self.order.iter().filter_map(|(time, key)| {
            let (_, value) = self.entries.get(key)?;
            Some((*key, *time, value))
        })
    }
}
