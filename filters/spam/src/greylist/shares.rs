//! A bounded table of what belongs to somebody: when it is full, whoever has most of it makes room.
//!
//! So a flood of one owner costs that owner, and nobody who has less than it. Times are those of [`Aged`].

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use mailweir_mail::Timestamp;

use crate::aged::Aged;

/// Hashes, each with a time and an owner.
#[derive(Clone, Debug)]
pub(super) struct Shares {
    owners: Aged<u64>,
    /// The same by their owners, the oldest of each in front.
    order: BTreeSet<(u64, Timestamp, u64)>,
    counts: BTreeMap<u64, usize>,
    /// The owners by how many they have.
    largest: BTreeSet<(usize, u64)>,
    most: usize,
}

impl Shares {
    /// An empty table of at most so many entries, and of one at least.
    pub(super) fn new(most: usize) -> Self {
        let most = most.max(1);
        Self {
            // It is never full before this table is.
            owners: Aged::new(usize::MAX),
            order: BTreeSet::new(),
            counts: BTreeMap::new(),
            largest: BTreeSet::new(),
            most,
        }
    }

    /// Has room for another number of entries from now on.
    pub(super) fn change(&mut self, most: usize) {
        self.most = most.max(1);
        while self.len() > self.most {
            self.make_room(None);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.owners.len()
    }

    pub(super) fn time_of(&self, key: u64) -> Option<Timestamp> {
        self.owners.time_of(key)
    }

    /// Whose an entry is.
    pub(super) fn owner_of(&self, key: u64) -> Option<u64> {
        self.owners.get(key).map(|(_, owner)| *owner)
    }

    /// Puts an entry in the place of that with the same key.
    pub(super) fn put(&mut self, key: u64, time: Timestamp, owner: u64) {
        self.remove(key);
        while self.len() >= self.most {
            self.make_room(Some(owner));
        }
        self.owners.put(key, time, owner);
        self.order.insert((owner, time, key));
        self.resize(owner, |count| count.saturating_add(1));
    }

    pub(super) fn remove(&mut self, key: u64) {
        let Some((time, &owner)) = self.owners.get(key) else { return };
        self.owners.remove(key);
        self.order.remove(&(owner, time, key));
        self.resize(owner, |count| count.saturating_sub(1));
    }

    /// Removes what is older than `longest`, at most so many of it, and says how many.
    pub(super) fn expire(&mut self, now: Timestamp, longest: Duration, most: usize) -> usize {
        let mut removed = 0;
        while let Some(key) = self.owners.oldest_before(now, longest).filter(|_| removed < most) {
            self.remove(key);
            removed += 1;
        }
        removed
    }

    /// All entries, in no order that means anything.
    pub(super) fn entries(&self) -> impl Iterator<Item = (u64, Timestamp, &u64)> {
        self.owners.entries()
    }

    /// The oldest of whoever has most goes; of those with as many, of `coming`.
    fn make_room(&mut self, coming: Option<u64>) {
        let Some(&(most, largest)) = self.largest.last() else { return };
        let has_most = |one: &u64| self.counts.get(one) == Some(&most);
        let owner = coming.filter(has_most).unwrap_or(largest);
        let oldest = self.order.range((owner, EARLIEST, 0)..).next();
        if let Some(&(_, _, key)) = oldest {
            self.remove(key);
        }
    }

    fn resize(&mut self, owner: u64, change: impl FnOnce(usize) -> usize) {
        let before = self.counts.get(&owner).copied().unwrap_or_default();
        self.largest.remove(&(before, owner));
        match change(before) {
            0 => {
                self.counts.remove(&owner);
            }
            count => {
                self.counts.insert(owner, count);
                self.largest.insert((count, owner));
            }
        }
    }
}

const EARLIEST: Timestamp = Timestamp::from_micros(0);
