//! How a queue is opened: where it lies, its limits, its clock, and who hears what happens.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use mailweir_mail::{MailEvent, Timestamp};

#[cfg(feature = "engine-sled")]
use crate::store::SledStore;
use crate::{
    schedule::Schedule,
    store::{FjallStore, Storage, StoreError},
};

/// Tells the time. The gateway gives the system's clock, tests their own.
pub trait Clock: Send + Sync {
    /// The wall-clock time.
    fn now(&self) -> Timestamp;
}

/// Hears what happens to mail, after it is durable, in order for each mail. Called on the
/// committer's thread: it must not wait.
pub type Observer = Arc<dyn Fn(&MailEvent) + Send + Sync>;

/// The store engines that are built in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Engine {
    /// The default.
    #[default]
    Fjall,
    /// Only with the cargo feature `engine-sled`.
    #[cfg(feature = "engine-sled")]
    Sled,
}

impl Engine {
    /// The name, as in the configuration and in the queue's `FORMAT` file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fjall => "fjall",
            #[cfg(feature = "engine-sled")]
            Self::Sled => "sled",
        }
    }

    /// Opens or creates a store of this kind.
    ///
    /// # Errors
    /// The directory cannot be used, or the store in it is damaged.
    pub fn open(self, path: &Path) -> Result<Arc<dyn Storage>, StoreError> {
        Ok(match self {
            Self::Fjall => Arc::new(FjallStore::open(path)?),
            #[cfg(feature = "engine-sled")]
            Self::Sled => Arc::new(SledStore::open(path)?),
        })
    }
}

/// Where a queue lies and what it may use.
#[derive(Clone)]
pub struct Options {
    /// The directory of the queue; created if it is missing.
    pub directory: PathBuf,
    /// The store engine; a queue keeps the one it was created with.
    pub engine: Engine,
    /// When to try again and when to give up.
    pub schedule: Schedule,
    /// Free space that the file system must keep, in bytes, beyond the mail that wants in
    /// (Postfix `queue_minfree`). Below it, mail is refused with 452.
    pub queue_minfree: u64,
    /// Bodies up to this size, in bytes, stay in memory and in the store; larger ones are streamed
    /// to a spool file through one buffer of this size. At most 16 MiB.
    pub spool_threshold: usize,
    /// Bodies of new mail kept in memory for their first delivery, in bytes altogether.
    pub handover_cache: usize,
    /// Mails under delivery at once (Postfix `qmgr_message_active_limit`).
    pub qmgr_message_active_limit: usize,
    /// A mail that the archive is to keep is offered to it when it has ended, waits, or is this old.
    /// Most mail has ended by then, and the archive gets all of it at once. Zero: offered when it is
    /// accepted.
    pub archive_patience: Duration,
    /// Who hears what happens.
    pub observer: Observer,
}

impl Options {
    /// A queue in `directory` with Postfix's defaults, heard by nobody.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            engine: Engine::default(),
            schedule: Schedule::default(),
            queue_minfree: 128 * MIB,
            spool_threshold: 256 * 1024,
            handover_cache: 32 * 1024 * 1024,
            qmgr_message_active_limit: 20_000,
            archive_patience: Duration::from_secs(1),
            observer: Arc::new(|_| {}),
        }
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("directory", &self.directory).finish_non_exhaustive()
    }
}

const MIB: u64 = 1024 * 1024;
