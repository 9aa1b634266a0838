//! The one thread that writes: it gathers what many tasks wait for into one batch and one sync.
//!
//! While a sync runs, the next group gathers; so the more wait, the larger the groups, and a
//! single mail never waits for others. What nobody waits for rides along. After a failed commit
//! nothing is ever written again (`attacks.md` J4): everybody hears [`StoreError`], at once and
//! from then on.

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

/// Whether somebody waits for a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// Somebody does: a client for its reply, or mail that would be sent twice if this were lost.
    Urgent,
    /// Nobody does. It is written with the next urgent batch, or alone after [`RIDE`]: under load
    /// its sync costs nothing.
    Idle,
}

struct Job {
    batch: Batch,
    urgency: Urgency,
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
    pub(crate) fn submit(&self, batch: Batch, urgency: Urgency, done: Done) -> Result<(), Unsent> {
        let job = Job { batch, urgency, done };
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
        let mut company = 0;
        while let Ok(first) = self.waiting.recv() {
            let mut group = Group::of(first);
            self.await_urgent(&mut group);
            if company > 1 {
                std::thread::sleep(GATHER);
            }
            while group.has_room()
                && let Ok(job) = self.waiting.try_recv()
            {
                group.take(job);
            }
            company = group.urgent;
            let fate = self.write(group.batch);
            for done in group.answers {
                done(fate.clone());
            }
        }
    }

    /// Waits for company for a group that is in no hurry.
    fn await_urgent(&self, group: &mut Group) {
        let latest = Instant::now() + RIDE;
        while group.urgent == 0
            && group.has_room()
            && let left = latest.saturating_duration_since(Instant::now())
            && let Ok(job) = self.waiting.recv_timeout(left)
        {
            group.take(job);
        }
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

/// What is written with one sync.
#[derive(Default)]
struct Group {
    batch: Batch,
    size: usize,
    urgent: usize,
    answers: Vec<Done>,
}

impl Group {
    fn of(first: Job) -> Self {
        let mut group = Self::default();
        group.take(first);
        group
    }

    fn take(&mut self, job: Job) {
        self.size += job.batch.size();
        self.urgent += usize::from(job.urgency == Urgency::Urgent);
        self.batch.append(job.batch);
        self.answers.push(job.done);
    }

    fn has_room(&self) -> bool {
        self.size < GROUP_BYTES && self.answers.len() < GROUP_JOBS
    }
}

/// How long a group gathers, if the one before it had company: a sync and a wake-up for many cost
/// the machine far less than for each (PostgreSQL's `commit_delay`). A mail that comes alone does
/// not wait.
const GATHER: Duration = Duration::from_micros(300);

/// The longest that what nobody waits for waits for company.
const RIDE: Duration = Duration::from_millis(20);

/// A group is closed at this size, so that nobody waits for an endless one.
const GROUP_BYTES: usize = 8 * 1024 * 1024;
const GROUP_JOBS: usize = 2_048;

const STACK: usize = 1024 * 1024;

#[cfg(test)]
mod tests;
