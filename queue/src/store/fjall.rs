//! The default engine: fjall, a log-structured store with one journal for all keyspaces.
//!
//! Its own default durability is the operating system's buffer, so every batch asks for a sync of
//! its data. Buffers are small: an idle gateway must fit in 30 MB.

use std::{ops::ControlFlow, path::Path};

use ::fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};
use bytes::Bytes;

use super::{Batch, Key, Operation, Space, Storage, StoreError, Visit};

/// A fjall database in one directory.
pub struct FjallStore {
    database: Database,
    envelopes: Keyspace,
    states: Keyspace,
    bodies: Keyspace,
    cases: Keyspace,
    journal: Keyspace,
    acquaintances: Keyspace,
}

impl FjallStore {
    /// Opens the database, or creates it. Reads back the journal; that is all the recovery it needs.
    ///
    /// # Errors
    /// The directory cannot be read or written, or the database in it is damaged.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let failed = |error: ::fjall::Error| StoreError::engine("open", error);
        let database = Database::builder(path)
            .cache_size(CACHE)
            .max_journaling_size(JOURNAL)
            .worker_threads(WORKERS)
            .open()
            .map_err(failed)?;
        let keyspace = |space: Space, memtable: u64| {
            let options = || KeyspaceCreateOptions::default().max_memtable_size(memtable);
            database.keyspace(space.name(), options).map_err(failed)
        };
        let envelopes = keyspace(Space::Envelopes, MEMTABLE_SMALL)?;
        let states = keyspace(Space::States, MEMTABLE_SMALL)?;
        let bodies = keyspace(Space::Bodies, MEMTABLE_LARGE)?;
        let cases = keyspace(Space::Cases, MEMTABLE_LARGE)?;
        let journal = keyspace(Space::Journal, MEMTABLE_SMALL)?;
        let acquaintances = keyspace(Space::Acquaintances, MEMTABLE_SMALL)?;
        Ok(Self { database, envelopes, states, bodies, cases, journal, acquaintances })
    }

    const fn keyspace(&self, space: Space) -> &Keyspace {
        match space {
            Space::Envelopes => &self.envelopes,
            Space::States => &self.states,
            Space::Bodies => &self.bodies,
            Space::Cases => &self.cases,
            Space::Journal => &self.journal,
            Space::Acquaintances => &self.acquaintances,
        }
    }
}

impl Storage for FjallStore {
    fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        let operations = batch.into_operations();
        let mut write =
            ::fjall::OwnedWriteBatch::with_capacity(self.database.clone(), operations.len())
                .durability(Some(PersistMode::SyncData));
        for operation in operations {
            match operation {
                Operation::Put { space, key, value } => {
                    write.insert(self.keyspace(space), key, value.as_ref());
                }
                Operation::Delete { space, key } => write.remove(self.keyspace(space), key),
            }
        }
        write.commit().map_err(|error| StoreError::engine("write", error))
    }

    fn get(&self, space: Space, key: Key) -> Result<Option<Bytes>, StoreError> {
        let value = self.keyspace(space).get(key);
        let value = value.map_err(|error| StoreError::engine("read", error))?;
        Ok(value.map(|value| Bytes::copy_from_slice(&value)))
    }

    fn scan(&self, space: Space, from: Key, visit: &mut Visit<'_>) {
        for entry in self.keyspace(space).range(from..) {
            let flow = match entry.into_inner() {
                Ok((key, value)) => visit(Ok((&key, &value))),
                Err(error) => visit(Err(StoreError::engine("read", error))),
            };
            if flow == ControlFlow::Break(()) {
                return;
            }
        }
    }

    fn last(&self, space: Space) -> Result<Option<(Key, Bytes)>, StoreError> {
        let Some(entry) = self.keyspace(space).last_key_value() else { return Ok(None) };
        let (found, value) =
            entry.into_inner().map_err(|error| StoreError::engine("read", error))?;
        Ok(Some((key(&found)?, Bytes::copy_from_slice(&value))))
    }
}

fn key(bytes: &[u8]) -> Result<Key, StoreError> {
    bytes.try_into().map_err(|_| StoreError::engine("read", "the key has another length"))
}

/// Blocks read back: only deferred mail is ever read, so little is enough.
const CACHE: u64 = 4 * 1024 * 1024;

/// The least that the engine allows. A start reads back at most this much.
const JOURNAL: u64 = 64 * 1024 * 1024;

/// One flushes while two compact. Never one alone: while it compacts nothing is flushed, and when
/// its own inbox is full it waits for itself. With two, the first, which never compacts, hands
/// compactions back to itself, round and round, until the second is free: a tenth of the processor
/// time of a mail. The third takes them.
const WORKERS: usize = 3;

const MEMTABLE_SMALL: u64 = 2 * 1024 * 1024;

/// Of bodies and cases, which are a thousand times as long: a table of each is written as seldom.
const MEMTABLE_LARGE: u64 = 8 * 1024 * 1024;
