//! A store in memory, for tests: it keeps the contract except that it forgets with the process.

use std::{
    collections::BTreeMap,
    ops::ControlFlow,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;

use super::{Batch, Key, Operation, Space, Storage, StoreError, Visit};

/// A store in memory.
#[derive(Debug, Default)]
pub struct MemoryStore {
    entries: Mutex<Entries>,
}

type Entries = BTreeMap<(Space, Key), Bytes>;

impl MemoryStore {
    /// A store with the same entries, as found after a restart.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self { entries: Mutex::new(self.lock().clone()) }
    }

    /// Overwrites a value behind the queue's back: bit rot, for tests.
    pub fn damage(&self, space: Space, key: Key, value: impl Into<Bytes>) {
        self.lock().insert((space, key), value.into());
    }

    /// The number of entries in a keyspace.
    #[must_use]
    pub fn len(&self, space: Space) -> usize {
        self.lock().keys().filter(|(found, _)| *found == space).count()
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Storage for MemoryStore {
    fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        let mut entries = self.lock();
        for operation in batch.into_operations() {
            match operation {
                Operation::Put { space, key, value } => entries.insert((space, key), value),
                Operation::Delete { space, key } => entries.remove(&(space, key)),
            };
        }
        Ok(())
    }

    fn get(&self, space: Space, key: Key) -> Result<Option<Bytes>, StoreError> {
        Ok(self.lock().get(&(space, key)).cloned())
    }

    fn last(&self, space: Space) -> Result<Option<(Key, Bytes)>, StoreError> {
        let entries = self.lock();
        let last = entries.range((space, [0; 12])..=(space, LAST_KEY)).next_back();
        Ok(last.map(|((_, key), value)| (*key, value.clone())))
    }

    fn scan(&self, space: Space, from: Key, visit: &mut Visit<'_>) {
        // Copied, so that `visit` may use the store.
        let entries: Vec<_> = self
            .lock()
            .range((space, from)..=(space, LAST_KEY))
            .map(|((_, key), value)| (*key, value.clone()))
            .collect();
        for (key, value) in entries {
            if visit(Ok((&key, &value))) == ControlFlow::Break(()) {
                return;
            }
        }
    }
}

const LAST_KEY: Key = [0xff; 12];
