//! Lookup tables at work: each is read once, whoever uses it, and read again when it has changed.
//!
//! What a table says is decided in `mailweir-tables`; here are the files. A reload of the
//! configuration asks for its tables anew and finds those that are in use.

mod derived;
mod live;
mod remote;
mod stamp;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use mailweir_filters::RemoteMaps;
use mailweir_mail::SessionEvent;
use mailweir_tables::{Matching, Spec, TableError};
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

pub use self::live::LiveTable;
pub(crate) use self::{derived::Derived, remote::RemoteServers, stamp::read as read_file};
use crate::observe::Observer;

/// All tables in use.
pub struct Tables {
    known: Mutex<HashMap<(Spec, Matching), Weak<LiveTable>>>,
    /// How often a table has changed.
    changes: AtomicU64,
    remote: RemoteServers,
    observer: Observer,
}

impl Tables {
    /// No tables yet. `observer` hears of lines that do not count and of files that cannot be read.
    #[must_use]
    pub fn new(observer: Observer) -> Arc<Self> {
        Arc::new(Self {
            known: Mutex::default(),
            changes: AtomicU64::new(0),
            remote: RemoteServers::default(),
            observer,
        })
    }

    /// The table that `spec` names: the one in use, or a new one. Reads its files, and blocks
    /// meanwhile.
    ///
    /// # Errors
    /// A file cannot be read, or the table as a whole cannot be used.
    pub fn open(&self, spec: &Spec, matching: Matching) -> Result<Arc<LiveTable>, TableError> {
        let key = (spec.clone(), matching);
        if let Some(known) = self.lock().get(&key).and_then(Weak::upgrade) {
            return Ok(known);
        }
        let table = Arc::new(LiveTable::open(spec, matching, &|text| self.warn(text))?);
        let mut known = self.lock();
        known.retain(|_, table| table.strong_count() > 0);
        known.insert(key, Arc::downgrade(&table));
        Ok(table)
    }

    /// Those who can ask the tables of other servers.
    pub fn remote(&self) -> &dyn RemoteMaps {
        &self.remote
    }

    /// A number that is another one after every change of a table.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// Looks after the files of all tables until `end` is cancelled. A change counts after two
    /// looks that saw the same, so that a file that is being written is not taken half.
    pub async fn watch(self: Arc<Self>, end: CancellationToken) {
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while end.run_until_cancelled(ticks.tick()).await.is_some() {
            let used = self.used();
            if used.is_empty() {
                continue;
            }
            let tables = Arc::clone(&self);
            let looked = spawn_blocking(move || {
                for table in used {
                    if table.look(&|text| tables.notice(text), &|text| tables.warn(text)) {
                        tables.changes.fetch_add(1, Ordering::Release);
                    }
                }
            });
            // A panic in there has been reported by the runtime; the next look is made all the same. A file system
            // that does not answer keeps no server from its end.
            let _ = end.run_until_cancelled(looked).await;
        }
    }

    fn used(&self) -> Vec<Arc<LiveTable>> {
        self.lock().values().filter_map(Weak::upgrade).collect()
    }

    fn warn(&self, text: String) {
        self.observer.session(&SessionEvent::Warning { part: "tables", text: text.into() });
    }

    fn notice(&self, text: String) {
        self.observer.session(&SessionEvent::Notice { part: "tables", text: text.into() });
    }

    /// What the lock guards is changed by single calls, so a panic elsewhere leaves it sound.
    fn lock(&self) -> MutexGuard<'_, HashMap<(Spec, Matching), Weak<LiveTable>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Two looks and the reading of a table fit into the second in which a change counts.
const LOOK_EVERY: Duration = Duration::from_millis(250);
