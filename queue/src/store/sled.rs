//! The second engine: sled 0.34, behind the cargo feature `engine-sled`.
//!
//! Slower and larger on disk than the default (`ARCHITECTURE.md`, Storage). All keyspaces share
//! one tree, told apart by the first byte of the key, since only one tree can be written
//! atomically without a transaction's cost.

use std::{ops::ControlFlow, path::Path, time::Duration};

use ::sled::{Config, Db};
use bytes::Bytes;

use super::{Batch, Key, Operation, Space, Storage, StoreError, Visit};

/// A sled database in one directory.
pub struct SledStore {
    database: Db,
}

impl SledStore {
    /// Opens the database, or creates it.
    ///
    /// # Errors
    /// The directory cannot be read or written, or the database in it is damaged.
    #[expect(
        clippy::disallowed_methods,
        reason = "opening blocks anyway; nothing tells when sled lets go"
    )]
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let config = Config::new().path(path).cache_capacity(CACHE).flush_every_ms(None);
        let mut tries = LOCK_TRIES;
        loop {
            match config.open() {
                Ok(database) => return Ok(Self { database }),
                // A database that was just closed: its threads hold the lock a moment longer. A
                // second instance never comes this far; the queue's own lock keeps it out.
                Err(::sled::Error::Io(error)) if is_lock(&error) && tries > 0 => {
                    tries -= 1;
                    std::thread::sleep(LOCK_PAUSE);
                }
                Err(error) => return Err(StoreError::engine("open", error)),
            }
        }
    }
}

fn is_lock(error: &std::io::Error) -> bool {
    error.to_string().contains("could not acquire lock")
}

impl Storage for SledStore {
    fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        let mut write = ::sled::Batch::default();
        for operation in batch.into_operations() {
            match operation {
                Operation::Put { space, key, value } => {
                    write.insert(&prefixed(space, key), value.as_ref());
                }
                Operation::Delete { space, key } => write.remove(&prefixed(space, key)),
            }
        }
        let written = self.database.apply_batch(write).and_then(|()| self.database.flush());
        written.map(drop).map_err(|error| StoreError::engine("write", error))
    }

    fn get(&self, space: Space, key: Key) -> Result<Option<Bytes>, StoreError> {
        let value = self.database.get(prefixed(space, key));
        let value = value.map_err(|error| StoreError::engine("read", error))?;
        Ok(value.map(|value| Bytes::copy_from_slice(&value)))
    }

    fn last(&self, space: Space) -> Result<Option<(Key, Bytes)>, StoreError> {
        let Some(entry) = self.database.scan_prefix([prefix(space)]).next_back() else {
            return Ok(None);
        };
        let (found, value) = entry.map_err(|error| StoreError::engine("read", error))?;
        Ok(Some((key(&found)?, Bytes::copy_from_slice(&value))))
    }

    fn scan(&self, space: Space, from: Key, visit: &mut Visit<'_>) {
        let (from, end) = (prefixed(space, from), [prefix(space) + 1]);
        for entry in self.database.range(&from[..]..&end[..]) {
            let flow = match entry {
                Ok((key, value)) => visit(Ok((key.get(1..).unwrap_or_default(), &value))),
                Err(error) => visit(Err(StoreError::engine("read", error))),
            };
            if flow == ControlFlow::Break(()) {
                return;
            }
        }
    }
}

fn key(bytes: &[u8]) -> Result<Key, StoreError> {
    let key = bytes.get(1..).and_then(|key| key.try_into().ok());
    key.ok_or_else(|| StoreError::engine("read", "the key has another length"))
}

fn prefixed(space: Space, key: Key) -> [u8; 13] {
    let mut prefixed = [prefix(space); 13];
    prefixed[1..].copy_from_slice(&key);
    prefixed
}

const fn prefix(space: Space) -> u8 {
    match space {
        Space::Envelopes => b'e',
        Space::States => b's',
        Space::Bodies => b'b',
        Space::Cases => b'c',
        Space::Journal => b'j',
        Space::Acquaintances => b'a',
    }
}

/// How often, and after what pauses, a lock is asked for: for two seconds in all.
const LOCK_TRIES: u32 = 100;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

const CACHE: u64 = 8 * 1024 * 1024;
