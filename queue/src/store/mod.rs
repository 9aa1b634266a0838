//! The seam to a store engine: an ordered map in some keyspaces, written in atomic, durable batches.
//!
//! # Contract of [`Storage`]
//! - [`Storage::commit`] makes the whole batch durable (it survives power loss) before it gives
//!   `Ok`, or gives an error. After an error it is unknown whether the batch will be found at the
//!   next start: all of it or nothing. The store is then not written to again; a sync that failed
//!   is never repeated and believed (`attacks.md` J4).
//! - Later operations of a batch win over earlier ones on the same key.
//! - [`Storage::get`] and [`Storage::scan`] see every batch whose commit gave `Ok` before they
//!   were called; of a batch that is being written they may see a part. `scan` goes in the order of
//!   the keys.
//! - Only one thread commits. Any thread reads at any time.
//! - No method panics, whatever is on the disk. Bytes are returned as stored; whether they make
//!   sense is for `record.rs` to say.

use std::{fmt, ops::ControlFlow};

use bytes::Bytes;
use mailweir_mail::QueueId;

pub mod faulty;
mod fjall;
pub mod memory;
#[cfg(feature = "engine-sled")]
mod sled;

pub use self::fjall::FjallStore;
#[cfg(feature = "engine-sled")]
pub use self::sled::SledStore;

/// A store engine. The module says what each method promises.
pub trait Storage: Send + Sync {
    /// Writes the batch, atomically and durably.
    ///
    /// # Errors
    /// The batch may or may not be found at the next start; the store must not be used for writing
    /// any more.
    fn commit(&self, batch: Batch) -> Result<(), StoreError>;

    /// Reads one value.
    ///
    /// # Errors
    /// The engine cannot read it.
    fn get(&self, space: Space, key: Key) -> Result<Option<Bytes>, StoreError>;

    /// Shows every entry with a key of at least `from` to `visit`, in order, until it breaks.
    /// An entry that cannot be read is shown as an error; the scan goes on behind it if it can.
    fn scan(&self, space: Space, from: Key, visit: &mut Visit<'_>);

    /// The entry with the last key.
    ///
    /// # Errors
    /// The engine cannot read it.
    fn last(&self, space: Space) -> Result<Option<(Key, Bytes)>, StoreError>;
}

/// Sees one entry of a scan: its key and value.
pub type Visit<'a> = dyn FnMut(Result<(&[u8], &[u8]), StoreError>) -> ControlFlow<()> + 'a;

/// A key: [`QueueId::to_key`], or what the keyspace says.
pub type Key = [u8; 12];

/// The first key of all.
pub const FIRST_KEY: Key = [0; 12];

/// Read errors after which a scan is given up: an engine may name the same damage again and again.
pub(crate) const SCAN_FAILURES: usize = 1_000;

/// The keyspaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Space {
    /// What of a mail never changes: envelope, origin, where the body lies.
    Envelopes,
    /// What changes: state and recipients.
    States,
    /// Small bodies.
    Bodies,
    /// What moderation keeps of a mail, also after the mail is gone.
    Cases,
    /// What people did to mail. The key is the number of the entry.
    Journal,
    /// Who has had mail of whom. The key is a hash of both.
    Acquaintances,
}

impl Space {
    /// Every keyspace.
    pub const ALL: [Self; 6] = [
        Self::Envelopes,
        Self::States,
        Self::Bodies,
        Self::Cases,
        Self::Journal,
        Self::Acquaintances,
    ];

    /// Those that have nothing of a mail once it is gone.
    pub const OF_MAIL: [Self; 3] = [Self::Envelopes, Self::States, Self::Bodies];

    /// The name in the engine.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Envelopes => "envelopes",
            Self::States => "states",
            Self::Bodies => "bodies",
            Self::Cases => "cases",
            Self::Journal => "journal",
            Self::Acquaintances => "acquaintances",
        }
    }
}

/// Changes that are written together or not at all.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    operations: Vec<Operation>,
    /// Entries of the journal that have no number yet: the one who writes gives it.
    journal: Vec<Bytes>,
}

impl Batch {
    /// Sets a value.
    pub fn put(&mut self, space: Space, id: QueueId, value: impl Into<Bytes>) {
        self.put_at(space, id.to_key(), value);
    }

    /// Sets the value of a key that is no queue id.
    pub fn put_at(&mut self, space: Space, key: Key, value: impl Into<Bytes>) {
        self.operations.push(Operation::Put { space, key, value: value.into() });
    }

    /// Removes a value, if it is there.
    pub fn delete(&mut self, space: Space, id: QueueId) {
        self.delete_at(space, id.to_key());
    }

    /// Removes the value of a key that is no queue id.
    pub fn delete_at(&mut self, space: Space, key: Key) {
        self.operations.push(Operation::Delete { space, key });
    }

    /// Appends an entry to the journal.
    pub fn append_journal(&mut self, entry: impl Into<Bytes>) {
        self.journal.push(entry.into());
    }

    /// The entries of the journal that have no number yet.
    pub(crate) fn take_journal(&mut self) -> Vec<Bytes> {
        std::mem::take(&mut self.journal)
    }

    /// Appends all operations of another batch.
    pub fn append(&mut self, mut other: Self) {
        self.operations.append(&mut other.operations);
        self.journal.append(&mut other.journal);
    }

    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty() && self.journal.is_empty()
    }

    /// Bytes of values, for the size of a group.
    #[must_use]
    pub fn size(&self) -> usize {
        let journal: usize = self.journal.iter().map(Bytes::len).sum();
        journal + self.operations.iter().map(Operation::size).sum::<usize>()
    }

    /// The operations, in order.
    #[must_use]
    pub fn into_operations(self) -> Vec<Operation> {
        self.operations
    }
}

/// One change of a batch.
#[derive(Clone, Debug)]
pub enum Operation {
    /// Sets a value.
    Put {
        /// Where.
        space: Space,
        /// The key.
        key: Key,
        /// The value.
        value: Bytes,
    },
    /// Removes a value.
    Delete {
        /// Where.
        space: Space,
        /// The key.
        key: Key,
    },
}

impl Operation {
    fn size(&self) -> usize {
        match self {
            Self::Put { value, .. } => value.len(),
            Self::Delete { .. } => 0,
        }
    }
}

/// The store failed. The fault is the disk's or ours, never a peer's: peers hear 451.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The engine or the disk reported an error.
    #[error("the store cannot {action}: {reason}")]
    Engine {
        /// What was tried.
        action: &'static str,
        /// What the engine said.
        reason: Box<str>,
    },
    /// An earlier write failed; nothing is accepted until a restart.
    #[error("the store stopped after a failed write; check the disk and restart")]
    Stopped,
    /// The queue was shut down; what came later is not written.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    /// An error of the engine, in its own words.
    pub fn engine(action: &'static str, reason: impl fmt::Display) -> Self {
        Self::Engine { action, reason: reason.to_string().into() }
    }
}
