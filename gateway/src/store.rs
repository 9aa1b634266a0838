//! The store in a data directory: what a configuration says of it, and how it is opened.
//!
//! The server opens it, and so do commands while no server runs.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use mailweir_mail::MailEvent;
use mailweir_queue::{Engine, Options, Queue, Schedule};

use crate::{
    clock::SystemClock,
    config::{self, Config},
};

/// The store in a data directory, open or not.
#[derive(Clone, Debug)]
pub struct Store {
    data_dir: PathBuf,
    engine: config::Engine,
    schedule: Schedule,
    limits: StoreLimits,
}

#[derive(Clone, Copy, Debug)]
struct StoreLimits {
    minfree: u64,
    spool_threshold: usize,
    active: usize,
}

impl Store {
    /// The store that `config` names.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        let queue = &config.queue;
        let largest =
            config.listeners.iter().map(|rules| rules.limits.message_size_limit.bytes()).max();
        let schedule = Schedule {
            minimal_backoff_time: queue.minimal_backoff_time,
            maximal_backoff_time: queue.maximal_backoff_time,
            maximal_queue_lifetime: queue.maximal_queue_lifetime,
            bounce_queue_lifetime: queue.bounce_queue_lifetime,
            delay_warning_time: queue.delay_warning_time,
            ..Schedule::default()
        };
        let limits = StoreLimits {
            minfree: queue.queue_minfree.bytes().max(largest.unwrap_or_default() / 2 * 3),
            spool_threshold: queue.spool_threshold.bytes() as usize,
            active: queue.active_limit.get() as usize,
        };
        Self { data_dir: config.server.data_dir.clone(), engine: queue.engine, schedule, limits }
    }

    /// The store in a directory, with Postfix's limits.
    #[must_use]
    pub fn in_dir(data_dir: &Path) -> Self {
        let limits = StoreLimits { minfree: 0, spool_threshold: 64 * 1024, active: 20_000 };
        Self {
            data_dir: data_dir.to_owned(),
            engine: config::Engine::Fjall,
            schedule: Schedule::default(),
            limits,
        }
    }

    /// Opens it. `observe` hears what happens to mail.
    ///
    /// # Errors
    /// Another process has it open, or it cannot be read.
    pub fn open(
        &self,
        observe: impl Fn(&MailEvent) + Send + Sync + 'static,
    ) -> anyhow::Result<Queue> {
        let mut options = Options::new(self.data_dir.join("queue"));
        options.schedule = self.schedule.clone();
        options.queue_minfree = self.limits.minfree;
        options.spool_threshold = self.limits.spool_threshold;
        options.qmgr_message_active_limit = self.limits.active;
        options.observer = Arc::new(observe);
        options.engine = engine(self.engine.as_str())?;
        Ok(Queue::open(options, Arc::new(SystemClock))?)
    }

    /// Where a running server listens for operators.
    #[must_use]
    pub fn control_socket(&self) -> PathBuf {
        self.data_dir.join("control.sock")
    }

    /// The data directory.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }
}

/// The store engine of this name.
///
/// # Errors
/// This program was built without it.
pub fn engine(name: &str) -> anyhow::Result<Engine> {
    match name {
        "fjall" => Ok(Engine::Fjall),
        #[cfg(feature = "engine-sled")]
        "sled" => Ok(Engine::Sled),
        _ => anyhow::bail!("this program was built without the store engine {name:?}"),
    }
}
