//! The one thread that writes: it gathers what many tasks wait for into one batch and one sync.
//!
//! While a sync runs, the next group gathers; so the more wait, the larger the groups, and a
//! single mail never waits for others. After a failed commit nothing is ever written again
//! (`attacks.md` J4): everybody hears [`StoreError`], at once and from then on.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc,
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use crate::store::{Batch, Storage, StoreError};

/// Called once with the fate of a batch, on the committer's thread: must not wait.
pub(crate) type Done = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// Takes batches from any thread and has them written in the order they came.
pub(crate) struct Committer {
    jobs: Mutex<Option<mpsc::Sender<Job>>>,
    stopped: Arc<AtomicBool>,
    syncs: Arc<SyncCounter>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// A batch that nobody will write.
#[must_use]
pub(crate) struct Unsent(Done, StoreError);

impl Unsent {
    /// Tells whoever waits for it.
    pub(crate) fn refuse(self) {
        (self.0)(Err(self.1));
    }
}

struct Job {
    batch: Batch,
    done: Done,
}

impl Committer {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(crate) fn start(storage: Arc<dyn Storage>) -> std::io::Result<Self> {
        let (jobs, waiting) = mpsc::channel();
        let stopped = Arc::new(AtomicBool::new(false));
        let syncs = Arc::new(SyncCounter::default());
        let writer = Writer { storage, waiting, stopped: stopped.clone(), syncs: syncs.clone() };
        let thread = std::thread::Builder::new().name("committer".into());
        let thread = thread.stack_size(STACK).spawn(move || writer.run())?;
        Ok(Self { jobs: Mutex::new(Some(jobs)), stopped, syncs, thread: Mutex::new(Some(thread)) })
    }

    /// Has a batch written. Never waits. `done` hears what became of it.
    ///
    /// # Errors
    /// The thread has ended, on request or not: the caller is to refuse the batch once it holds no
    /// lock.
    pub(crate) fn submit(&self, batch: Batch, done: Done) -> Result<(), Unsent> {
        let job = Job { batch, done };
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(jobs) = &*jobs else {
            let why = if self.is_stopped() { StoreError::Stopped } else { StoreError::Closed };
            return Err(Unsent(job.done, why));
        };
        jobs.send(job).map_err(|mpsc::SendError(job)| {
            self.stopped.store(true, Ordering::Release);
            Unsent(job.done, StoreError::Stopped)
        })
    }

    /// Whether a write failed.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    /// How often the store was synced, and how long that took.
    pub(crate) fn syncs(&self) -> SyncTimes {
        self.syncs.read()
    }

    /// Writes what waits and ends the thread. Waits for it.
    pub(crate) fn finish(&self) {
        drop(self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        // The last clone of the queue may be dropped by a job, on the committer's own thread.
        if let Some(thread) = thread
            && thread.thread().id() != std::thread::current().id()
        {
            let _ = thread.join();
        }
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        self.finish();
    }
}

/// How often the store was synced since the start, and how long that took in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SyncTimes {
    /// Number of syncs.
    pub count: u64,
    /// Time they took together.
    pub total: Duration,
}

#[derive(Debug, Default)]
struct SyncCounter {
    count: AtomicU64,
    micros: AtomicU64,
}

impl SyncCounter {
    fn add(&self, span: Duration) {
        let micros = u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
        self.count.fetch_add(1, Ordering::Relaxed);
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }

    fn read(&self) -> SyncTimes {
        SyncTimes {
            count: self.count.load(Ordering::Relaxed),
            total: Duration::from_micros(self.micros.load(Ordering::Relaxed)),
        }
    }
}

struct Writer {
    storage: Arc<dyn Storage>,
    waiting: mpsc::Receiver<Job>,
    stopped: Arc<AtomicBool>,
    syncs: Arc<SyncCounter>,
}

impl Writer {
    #[expect(clippy::disallowed_methods, reason = "the committer's own thread; see GATHER")]
    fn run(self) {
        let mut answers = Vec::new();
        let mut company = 0;
        while let Ok(first) = self.waiting.recv() {
            if company > 1 {
                std::thread::sleep(GATHER);
            }
            let group = self.gather(first, &mut answers);
            company = answers.len();
            let fate = self.write(group);
            for done in answers.drain(..) {
                done(fate.clone());
            }
        }
    }

    fn gather(&self, first: Job, answers: &mut Vec<Done>) -> Batch {
        let mut size = first.batch.size();
        let mut group = first.batch;
        answers.push(first.done);
        while size < GROUP_BYTES
            && answers.len() < GROUP_JOBS
            && let Ok(job) = self.waiting.try_recv()
        {
            size += job.batch.size();
            group.append(job.batch);
            answers.push(job.done);
        }
        group
    }

    fn write(&self, group: Batch) -> Result<(), StoreError> {
        if self.stopped.load(Ordering::Acquire) {
            return Err(StoreError::Stopped);
        }
        if group.is_empty() {
            return Ok(());
        }
        let began = Instant::now();
        let fate = self.storage.commit(group);
        self.syncs.add(began.elapsed());
        if fate.is_err() {
            self.stopped.store(true, Ordering::Release);
        }
        fate
    }
}

/// How long a group gathers, if the one before it had company: a sync and a wake-up for many cost
/// the machine far less than for each (PostgreSQL's `commit_delay`). A mail that comes alone does
/// not wait.
const GATHER: Duration = Duration::from_micros(300);

/// A group is closed at this size, so that nobody waits for an endless one.
const GROUP_BYTES: usize = 8 * 1024 * 1024;
const GROUP_JOBS: usize = 2_048;

const STACK: usize = 1024 * 1024;

#[cfg(test)]
mod tests;
