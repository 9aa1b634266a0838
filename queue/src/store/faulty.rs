//! A disk that fails on purpose: it dies at the n-th durable step, for the crash tests.
//!
//! "Dies" means that nothing after that step becomes durable and nobody hears `Ok` any more.
//! What a restart would find is [`FaultyDisk::survivors`].

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use bytes::Bytes;

use super::{Batch, Key, Space, Storage, StoreError, Visit, memory::MemoryStore};

/// A store that dies at its n-th commit.
#[derive(Debug)]
pub struct FaultyDisk {
    durable: Arc<MemoryStore>,
    commits: AtomicUsize,
    dies_at: usize,
    fate: Fate,
}

/// What becomes of the batch in whose commit the disk dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is lost.
    Lost,
    /// It is durable, but nobody was told.
    AnswerLost,
}

impl FaultyDisk {
    /// A disk on top of `durable` that dies at commit number `n`, counted from 1.
    #[must_use]
    pub fn dies_at(durable: Arc<MemoryStore>, n: usize, fate: Fate) -> Self {
        Self { durable, commits: AtomicUsize::new(0), dies_at: n, fate }
    }

    /// Whether the disk has died.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.commits.load(Ordering::SeqCst) >= self.dies_at
    }

    /// What a restart finds.
    #[must_use]
    pub fn survivors(&self) -> MemoryStore {
        self.durable.copy()
    }
}

impl Storage for FaultyDisk {
    fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        let number = self.commits.fetch_add(1, Ordering::SeqCst) + 1;
        if number < self.dies_at {
            return self.durable.commit(batch);
        }
        if number == self.dies_at && self.fate == Fate::AnswerLost {
            self.durable.commit(batch)?;
        }
        Err(StoreError::engine("sync", "the disk died on purpose"))
    }

    fn get(&self, space: Space, key: Key) -> Result<Option<Bytes>, StoreError> {
        self.durable.get(space, key)
    }

    fn last(&self, space: Space) -> Result<Option<(Key, Bytes)>, StoreError> {
        self.durable.last(space)
    }

    fn scan(&self, space: Space, from: Key, visit: &mut Visit<'_>) {
        self.durable.scan(space, from, visit);
    }
}
