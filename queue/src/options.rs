//! How a queue is opened: where it lies, its limits, its clock, and who hears what happens.

use std::{path::PathBuf, sync::Arc};

use mailweir_mail::{MailEvent, Timestamp};

use crate::schedule::Schedule;

/// Tells the time. The gateway gives the system's clock, tests their own.
pub trait Clock: Send + Sync {
    /// The wall-clock time.
    fn now(&self) -> Timestamp;
}

/// Hears what happens to mail, after it is durable, in order for each mail. Called on the
/// committer's thread: it must not wait.
pub type Observer = Arc<dyn Fn(&MailEvent) + Send + Sync>;

/// Where a queue lies and what it may use.
#[derive(Clone)]
pub struct Options {
    /// The directory of the queue; created if it is missing.
    pub directory: PathBuf,
    /// When to try again and when to give up.
    pub schedule: Schedule,
    /// Free space that the file system must keep, in bytes, beyond the mail that wants in
    /// (Postfix `queue_minfree`). Below it, mail is refused with 452.
    pub queue_minfree: u64,
    /// Bodies up to this size, in bytes, stay in memory and in the store; larger ones are streamed
    /// to a spool file through one buffer of this size.
    pub spool_threshold: usize,
    /// Bodies of new mail kept in memory for their first delivery, in bytes altogether.
    pub handover_cache: usize,
    /// Mails under delivery at once (Postfix `qmgr_message_active_limit`).
    pub qmgr_message_active_limit: usize,
    /// Who hears what happens.
    pub observer: Observer,
}

impl Options {
    /// A queue in `directory` with Postfix's defaults, heard by nobody.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            schedule: Schedule::default(),
            queue_minfree: 128 * MIB,
            spool_threshold: 256 * 1024,
            handover_cache: 32 * 1024 * 1024,
            qmgr_message_active_limit: 20_000,
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
