//! The one thread that writes: it gathers what many tasks wait for into one batch and one sync.
//!
//! While a sync runs, the next group gathers, and then some more as long as others are expected
//! ([`Company`]); so the more wait, the larger the groups, and a single mail never waits for others.
//! What is in no such hurry rides along. After a failed commit
//! nothing is ever written again (`attacks.md` J4): everybody hears [`StoreError`], at once and
//! from then on.

mod company;

use std::{
    collections::VecDeque,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use self::company::{Company, Gathering};
use crate::{
    journal::Tail,
    store::{Batch, Storage, StoreError},
    threads::give_way,
};

/// Called once with the fate of a batch, on the committer's thread: must not wait.
pub(crate) type Done = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// Takes batches from any thread and has them written in the order they came.
pub(crate) struct Committer {
    inbox: Arc<Inbox>,
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

/// Whether a batch can wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// It cannot: a client waits for its reply.
    Urgent,
    /// A little: mail would be sent twice if this were lost. It is written with the next urgent batch, or after
    /// [`SHORT_RIDE`]. Where mail comes and goes, its sync costs nothing.
    Soon,
    /// It can: nobody minds [`RIDE`].
    Idle,
}

impl Urgency {
    /// The longest that it waits for what is urgent.
    const fn ride(self) -> Duration {
        match self {
            Self::Urgent => Duration::ZERO,
            Self::Soon => SHORT_RIDE,
            Self::Idle => RIDE,
        }
    }
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
    /// The system gives no thread, or the end of the journal cannot be read.
    pub(crate) fn start(storage: Arc<dyn Storage>) -> std::io::Result<Self> {
        let journal = Tail::find(&*storage).map_err(std::io::Error::other)?;
        let inbox = Arc::new(Inbox::new(Urgency::ride));
        let stopped = Arc::new(AtomicBool::new(false));
        let syncs = Arc::new(SyncCounter::default());
        let writer = Writer {
            storage,
            inbox: inbox.clone(),
            stopped: stopped.clone(),
            syncs: syncs.clone(),
            journal,
        };
        let thread = std::thread::Builder::new().name("committer".into());
        let thread = thread.stack_size(STACK).spawn(move || writer.run())?;
        Ok(Self { inbox, stopped, syncs, thread: Mutex::new(Some(thread)) })
    }

    /// Has a batch written. Never waits. `done` hears what became of it.
    ///
    /// # Errors
    /// The thread has ended, on request or not: the caller is to refuse the batch once it holds no
    /// lock.
    pub(crate) fn submit(&self, batch: Batch, urgency: Urgency, done: Done) -> Result<(), Unsent> {
        self.inbox.put(Job { batch, urgency, done }).map_err(|job| {
            let why = if self.is_stopped() { StoreError::Stopped } else { StoreError::Closed };
            Unsent(job.done, why)
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
        self.inbox.close();
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

/// What waits to be written, in order.
struct Inbox {
    /// The longest that something waits for something urgent.
    ride: fn(Urgency) -> Duration,
    waiting: Mutex<Waiting>,
    news: Condvar,
}

#[derive(Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    /// How many of them are urgent.
    urgent: usize,
    /// When the jobs are to be written; absent where there is none.
    until: Option<Instant>,
    closed: bool,
    listening: Listening,
}

/// What the committer wants to hear of. A call that nobody hears costs as much as any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Listening {
    /// It is at work.
    #[default]
    No,
    /// That something is to be written sooner than it knew.
    ForNews,
    /// That this many wait for it.
    ForCompany(usize),
}

impl Inbox {
    fn new(ride: fn(Urgency) -> Duration) -> Self {
        Self { ride, waiting: Mutex::default(), news: Condvar::new() }
    }

    /// Gives the job back if the inbox is closed.
    fn put(&self, job: Job) -> Result<(), Job> {
        let mut waiting = self.lock();
        if waiting.closed {
            return Err(job);
        }
        let until = Instant::now() + (self.ride)(job.urgency);
        // The first begins the ride; one that can wait less shortens it.
        let is_news = waiting.until.is_none_or(|before| until < before);
        if is_news {
            waiting.until = Some(until);
        }
        waiting.urgent += usize::from(job.urgency == Urgency::Urgent);
        waiting.jobs.push_back(job);
        let call = match waiting.listening {
            Listening::No => false,
            Listening::ForNews => is_news,
            Listening::ForCompany(enough) => waiting.urgent >= enough,
        };
        if call {
            waiting.listening = Listening::No;
        }
        drop(waiting);
        if call {
            self.news.notify_one();
        }
        Ok(())
    }

    /// What is in it is still taken out.
    fn close(&self) {
        self.lock().closed = true;
        self.news.notify_one();
    }

    /// Waits until something is to be written: something urgent, or something that has waited long enough. `false`: it
    /// is empty and closed.
    fn wait(&self) -> bool {
        let mut waiting = self.lock();
        while !waiting.closed {
            let now = Instant::now();
            waiting.listening = Listening::ForNews;
            waiting = match waiting.until {
                None => self.news.wait(waiting).unwrap_or_else(PoisonError::into_inner),
                Some(until) if until <= now => break,
                Some(until) => {
                    let woken = self.news.wait_timeout(waiting, until - now);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        waiting.listening = Listening::No;
        !waiting.jobs.is_empty()
    }

    /// Waits for the company that is expected.
    fn gather(&self, Gathering { span, enough }: Gathering) {
        let end = Instant::now() + span;
        let mut waiting = self.lock();
        while !waiting.closed && waiting.urgent < enough {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            waiting.listening = Listening::ForCompany(enough);
            let woken = self.news.wait_timeout(waiting, left);
            waiting = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
        waiting.listening = Listening::No;
    }

    /// Takes out everything.
    fn take(&self) -> VecDeque<Job> {
        let mut waiting = self.lock();
        waiting.until = None;
        waiting.urgent = 0;
        std::mem::take(&mut waiting.jobs)
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Writer {
    storage: Arc<dyn Storage>,
    inbox: Arc<Inbox>,
    stopped: Arc<AtomicBool>,
    syncs: Arc<SyncCounter>,
    /// Where the journal ends, with all that is being written.
    journal: Tail,
}

impl Drop for Writer {
    /// However the thread ends, nobody waits for it in vain.
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.stopped.store(true, Ordering::Release);
        }
        self.inbox.close();
        drop(self.inbox.take());
    }
}

impl Writer {
    fn run(mut self) {
        give_way();
        let mut backlog = VecDeque::new();
        let mut company = Company::default();
        while !backlog.is_empty() || self.inbox.wait() {
            if backlog.is_empty()
                && let Some(expected) = company.expected()
            {
                self.inbox.gather(expected);
            }
            backlog.append(&mut self.inbox.take());
            let group = Group::from(&mut backlog);
            let began = Instant::now();
            let fate = self.write(group.batch);
            company.met(group.urgent, began.elapsed());
            for done in group.answers {
                done(fate.clone());
            }
        }
    }

    fn write(&mut self, mut group: Batch) -> Result<(), StoreError> {
        if self.stopped.load(Ordering::Acquire) {
            return Err(StoreError::Stopped);
        }
        if group.is_empty() {
            return Ok(());
        }
        self.journal.place(&mut group);
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
    /// As much of the backlog as belongs into one group.
    fn from(backlog: &mut VecDeque<Job>) -> Self {
        let mut group = Self::default();
        while group.size < GROUP_BYTES
            && group.answers.len() < GROUP_JOBS
            && let Some(job) = backlog.pop_front()
        {
            group.size += job.batch.size();
            group.urgent += usize::from(job.urgency == Urgency::Urgent);
            group.batch.append(job.batch);
            group.answers.push(job.done);
        }
        group
    }
}

/// The longest that something idle waits for company.
const RIDE: Duration = Duration::from_millis(20);

/// The longest that the result of a delivery does. Who dies within that time sends the mail again.
const SHORT_RIDE: Duration = Duration::from_millis(5);

/// A group is closed at this size, so that nobody waits for an endless one.
const GROUP_BYTES: usize = 8 * 1024 * 1024;
const GROUP_JOBS: usize = 2_048;

const STACK: usize = 1024 * 1024;

#[cfg(test)]
mod tests;
