//! The journal: what was done to mail by people, each entry bound to the one before it.
//!
//! An entry names its number and the hash of the entry before, and its own hash is over all of it; so
//! nobody can change, remove or insert an entry without changing all that come after. Numbers
//! and hashes are given by the one thread that writes, in the order in which entries become durable;
//! an entry is in one batch with what it tells of. What entries say is opaque here.

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use crate::{
    record::{RecordError, open_journal, seal_journal},
    store::{Batch, Key, Space, Storage, StoreError},
};

/// An entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number, from 1.
    pub number: u64,
    /// The hash of the entry before it; of the first, zeros.
    pub before: Hash,
    /// What it says.
    pub content: Bytes,
}

/// SHA-256.
pub type Hash = [u8; 32];

/// The journal is not what was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Broken {
    /// An entry cannot be read.
    #[error("entry {number} of the journal cannot be read: {reason}")]
    Unreadable {
        /// The number that it should have.
        number: u64,
        /// What is wrong with it.
        reason: RecordError,
    },
    /// An entry is missing, or stands in another's place.
    #[error("entry {number} of the journal is missing")]
    Missing {
        /// The number that is missing.
        number: u64,
    },
    /// An entry does not follow from the one before it: one of both was changed.
    #[error("entry {number} of the journal does not follow from the one before it")]
    Unbound {
        /// The later one.
        number: u64,
    },
}

impl Entry {
    /// The hash that the next entry names: over number, hash and content.
    #[must_use]
    pub fn hash(&self) -> Hash {
        Sha256::digest(self.encode()).into()
    }

    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER + self.content.len());
        bytes.extend_from_slice(&self.number.to_le_bytes());
        bytes.extend_from_slice(&self.before);
        bytes.extend_from_slice(&self.content);
        bytes
    }

    fn decode(record: &[u8]) -> Result<Self, RecordError> {
        let payload = open_journal(record)?;
        let (number, rest) = payload.split_first_chunk::<8>().ok_or(RecordError::Malformed)?;
        let (before, content) = rest.split_first_chunk::<32>().ok_or(RecordError::Malformed)?;
        let number = u64::from_le_bytes(*number);
        Ok(Self { number, before: *before, content: Bytes::copy_from_slice(content) })
    }
}

/// Where the journal ends, for the one who writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tail {
    next: u64,
    hash: Hash,
}

impl Tail {
    /// The end of what is stored. Of a last entry that cannot be read the bytes count as they are: the
    /// chain shows the damage there, and goes on.
    pub(crate) fn find(storage: &dyn Storage) -> Result<Self, StoreError> {
        let Some((key, record)) = storage.last(Space::Journal)? else {
            return Ok(Self { next: 1, hash: [0; 32] });
        };
        let hash = match Entry::decode(&record) {
            Ok(entry) => entry.hash(),
            Err(_) => Sha256::digest(&record).into(),
        };
        Ok(Self { next: number(key).saturating_add(1), hash })
    }

    /// Gives the entries of a batch their places.
    pub(crate) fn place(&mut self, batch: &mut Batch) {
        for content in batch.take_journal() {
            let entry = Entry { number: self.next, before: self.hash, content };
            let encoded = entry.encode();
            batch.put_at(Space::Journal, key(self.next), seal_journal(&encoded));
            self.hash = Sha256::digest(&encoded).into();
            self.next += 1;
        }
    }
}

/// Shows all entries from `first` on to `visit`, in order, until it says that this is enough.
///
/// # Errors
/// The first that is not what was written. Before it, all were shown.
pub(crate) fn read(
    storage: &dyn Storage,
    first: u64,
    visit: &mut dyn FnMut(Entry) -> bool,
) -> Result<(), Broken> {
    let (mut expected, mut before, mut fate) = (first, None, Ok(()));
    storage.scan(Space::Journal, key(first), &mut |found| {
        let result = found
            .map_err(|_| RecordError::Torn)
            .and_then(|(found, record)| Ok((found.to_vec(), Entry::decode(record)?)));
        let broken = match result {
            Err(reason) => Broken::Unreadable { number: expected, reason },
            Ok((found, entry)) if found != key(expected) || entry.number != expected => {
                Broken::Missing { number: expected }
            }
            Ok((_, entry)) if before.is_some_and(|before| before != entry.before) => {
                Broken::Unbound { number: expected }
            }
            Ok((_, entry)) => {
                before = Some(entry.hash());
                expected += 1;
                return match visit(entry) {
                    true => std::ops::ControlFlow::Continue(()),
                    false => std::ops::ControlFlow::Break(()),
                };
            }
        };
        fate = Err(broken);
        std::ops::ControlFlow::Break(())
    });
    fate
}

fn key(number: u64) -> Key {
    let mut key = [0; 12];
    key[..8].copy_from_slice(&number.to_be_bytes());
    key
}

fn number(key: Key) -> u64 {
    let mut number = [0; 8];
    number.copy_from_slice(&key[..8]);
    u64::from_be_bytes(number)
}

/// Number and hash.
const HEADER: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::memory::MemoryStore;

    fn journal(contents: &[&'static str]) -> MemoryStore {
        let store = MemoryStore::default();
        for content in contents {
            append(&store, content);
        }
        store
    }

    /// As after a restart.
    fn append(store: &MemoryStore, content: &'static str) {
        let mut tail = Tail::find(store).unwrap();
        let mut batch = Batch::default();
        batch.append_journal(content);
        tail.place(&mut batch);
        store.commit(batch).unwrap();
    }

    fn contents(store: &MemoryStore, first: u64) -> (Vec<Bytes>, Result<(), Broken>) {
        let mut contents = Vec::new();
        let fate = read(store, first, &mut |entry| {
            contents.push(entry.content);
            true
        });
        (contents, fate)
    }

    #[test]
    fn entries_read_back_in_order_from_any_place_also_after_a_restart() {
        let store = journal(&["one", "two", "three"]);
        assert_eq!(contents(&store, 1).0, ["one", "two", "three"]);
        assert_eq!(contents(&store, 3), (vec![Bytes::from("three")], Ok(())));
        assert_eq!(contents(&store, 4), (Vec::new(), Ok(())));
        assert_eq!(contents(&MemoryStore::default(), 1), (Vec::new(), Ok(())));
    }

    #[test]
    fn an_entry_that_was_changed_shows_at_the_one_after_it() {
        let store = journal(&["one", "two", "three"]);
        let forged = Entry { number: 2, before: [0; 32], content: Bytes::from("2") };
        let mut before = [0; 32];
        read(&store, 1, &mut |entry| {
            before = entry.hash();
            false
        })
        .unwrap();
        let forged = Entry { before, ..forged };
        store.damage(Space::Journal, key(2), seal_journal(&forged.encode()));
        let (seen, fate) = contents(&store, 1);
        assert_eq!((seen.len(), fate), (2, Err(Broken::Unbound { number: 3 })));
    }

    #[test]
    fn an_entry_that_is_gone_or_damaged_is_named() {
        let store = journal(&["one", "two", "three"]);
        let mut batch = Batch::default();
        batch.delete_at(Space::Journal, key(2));
        store.commit(batch).unwrap();
        assert_eq!(contents(&store, 1).1, Err(Broken::Missing { number: 2 }));
        store.damage(Space::Journal, key(2), "rot");
        let (_, fate) = contents(&store, 1);
        assert!(matches!(fate, Err(Broken::Unreadable { number: 2, .. })), "{fate:?}");
    }

    #[test]
    fn after_damage_at_the_end_the_journal_goes_on_and_the_damage_shows() {
        let store = journal(&["one", "two"]);
        store.damage(Space::Journal, key(2), "rot");
        append(&store, "three");
        assert!(matches!(contents(&store, 1).1, Err(Broken::Unreadable { number: 2, .. })));
        assert_eq!(contents(&store, 3).0, ["three"]);
    }
}
