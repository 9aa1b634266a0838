//! One queue on a store in memory, under tokio's paused clock.

use std::{
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use mailweir_mail::{
    Client, Enhanced, Envelope, MailEvent, Notify, Origin, Protocol, QueueId, Reply, ReversePath,
    Timestamp,
};
use tempfile::TempDir;
use tokio::time::Instant;

use crate::{
    AttemptResult, Claim, Clock, Disposition, NewMail, Options, OwedReport, Queue, RecipientIndex,
    Recorded, ReportDuty, Screening, ToArchive, Work,
    store::{Batch, Key, Space, Storage, StoreError, Visit, memory::MemoryStore},
};

/// Wall-clock time that follows tokio's clock, and can be set to jump.
pub(crate) struct TestClock {
    start: Instant,
    base: Mutex<Timestamp>,
}

impl TestClock {
    pub(crate) fn new() -> Arc<Self> {
        let base = Mutex::new(Timestamp::from_secs(1_795_210_205));
        Arc::new(Self { start: Instant::now(), base })
    }

    pub(crate) fn set_back(&self, by: Duration) {
        let mut base = self.base.lock().unwrap();
        let micros = u64::try_from(by.as_micros()).unwrap();
        *base = Timestamp::from_micros(base.as_micros() - micros);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        self.base.lock().unwrap().plus(self.start.elapsed())
    }
}

pub(crate) struct Fixture {
    pub(crate) queue: Queue,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) directory: TempDir,
    pub(crate) events: Arc<Mutex<Vec<MailEvent>>>,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(adjust: impl FnOnce(&mut Options)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (clock, store) = (TestClock::new(), Arc::new(MemoryStore::default()));
        let events = Arc::new(Mutex::new(Vec::new()));
        let mut options = options(directory.path(), &events);
        adjust(&mut options);
        let queue = Queue::open_on(store.clone(), options, clock.clone()).unwrap();
        Self { queue, clock, store, directory, events }
    }

    /// A restart on what is durable. The clock goes on.
    pub(crate) async fn restart(self) -> Self {
        let Self { queue, clock, store, directory, events } = self;
        queue.shutdown().await;
        drop(queue);
        let options = options(directory.path(), &events);
        let storage: Arc<dyn Storage> = store.clone();
        let queue = Queue::open_on(storage, options, clock.clone()).unwrap();
        Self { queue, clock, store, directory, events }
    }

    /// A restart on a disk that now and then cannot be read.
    pub(crate) async fn restart_on_bad_disk(self) -> (Self, Arc<BadDisk>) {
        let Self { queue, clock, store, directory, events } = self;
        queue.shutdown().await;
        drop(queue);
        let disk = Arc::new(BadDisk { store: store.clone(), is_bad: AtomicBool::new(false) });
        let options = options(directory.path(), &events);
        let queue = Queue::open_on(disk.clone(), options, clock.clone()).unwrap();
        (Self { queue, clock, store, directory, events }, disk)
    }

    pub(crate) async fn accept(&self, mail: NewMail) -> QueueId {
        accept(&self.queue, mail).await
    }

    pub(crate) async fn claim(&self) -> Claim {
        match self.queue.next_work().await {
            Some(Work::Deliver(claim)) => claim,
            other => panic!("expected a mail to deliver, got {other:?}"),
        }
    }

    pub(crate) async fn screening(&self) -> Screening {
        match self.queue.next_work().await {
            Some(Work::Screen(screening)) => screening,
            other => panic!("expected a mail to screen, got {other:?}"),
        }
    }

    pub(crate) async fn report(&self) -> OwedReport {
        match self.queue.next_work().await {
            Some(Work::Report(owed)) => owed,
            other => panic!("expected a report to write, got {other:?}"),
        }
    }

    /// Gives all pending recipients of the claim the same result.
    pub(crate) async fn record_all(&self, claim: &Claim, result: AttemptResult) -> Recorded {
        let results = claim.pending.iter().map(|index| (*index, result.clone())).collect();
        self.queue.record(claim, results).await.unwrap()
    }

    /// What the archive is owed; must be one mail.
    pub(crate) async fn debt(&self) -> ToArchive {
        let mut owed = self.queue.next_to_archive(9).await;
        assert_eq!(owed.len(), 1, "{owed:?}");
        owed.remove(0)
    }

    pub(crate) async fn deliver(&self) -> QueueId {
        let claim = self.claim().await;
        self.record_all(&claim, delivered()).await;
        claim.id
    }

    /// Nothing is handed out for `span`.
    pub(crate) async fn expect_quiet(&self, span: Duration) {
        let work = tokio::time::timeout(span, self.queue.next_work()).await;
        assert!(work.is_err(), "nothing was to be handed out, got {work:?}");
    }

    pub(crate) fn events(&self) -> Vec<&'static str> {
        self.events.lock().unwrap().iter().map(name).collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        crate::store::Space::ALL.into_iter().all(|space| self.store.len(space) == 0)
    }
}

/// A disk of which nothing can be read while it is bad. Its engine then names one damage for ever.
pub(crate) struct BadDisk {
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) is_bad: AtomicBool,
}

/// A disk whose states can be listed and of which nothing else can be read.
pub(crate) struct ListsOnly(pub(crate) Arc<MemoryStore>);

impl Storage for ListsOnly {
    fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        self.0.commit(batch)
    }

    fn get(&self, _: Space, _: Key) -> Result<Option<Bytes>, StoreError> {
        Err(StoreError::engine("read", "bad on purpose"))
    }

    fn scan(&self, space: Space, from: Key, visit: &mut Visit<'_>) {
        self.0.scan(space, from, visit);
    }

    fn last(&self, space: Space) -> Result<Option<(Key, Bytes)>, StoreError> {
        self.0.last(space)
    }
}

impl BadDisk {
    pub(crate) fn set(&self, is_bad: bool) {
        self.is_bad.store(is_bad, Ordering::SeqCst);
    }

    fn check(&self) -> Result<(), StoreError> {
        let is_bad = self.is_bad.load(Ordering::SeqCst);
        if is_bad { Err(StoreError::engine("read", "bad on purpose")) } else { Ok(()) }
    }
}

impl Storage for BadDisk {
    fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        self.store.commit(batch)
    }

    fn get(&self, space: Space, key: Key) -> Result<Option<Bytes>, StoreError> {
        self.check()?;
        self.store.get(space, key)
    }

    fn scan(&self, space: Space, from: Key, visit: &mut Visit<'_>) {
        while let Err(error) = self.check() {
            if visit(Err(error)).is_break() {
                return;
            }
        }
        self.store.scan(space, from, visit);
    }

    fn last(&self, space: Space) -> Result<Option<(Key, Bytes)>, StoreError> {
        self.store.last(space)
    }
}

pub(crate) fn options(directory: &Path, events: &Arc<Mutex<Vec<MailEvent>>>) -> Options {
    let events = events.clone();
    Options {
        queue_minfree: 0,
        archive_patience: Duration::ZERO,
        observer: Arc::new(move |event| events.lock().unwrap().push(event.clone())),
        ..Options::new(directory)
    }
}

pub(crate) async fn accept(queue: &Queue, mail: NewMail) -> QueueId {
    let mut intake = queue.intake(0).unwrap();
    intake.write(CONTENT).await.unwrap();
    intake.commit(mail).await.unwrap().queue_id()
}

/// A mail from one sender to the recipients `r0`, `r1`, ...
pub(crate) fn mail(recipients: usize) -> NewMail {
    let sender = ReversePath::Mailbox("sender@a.example".parse().unwrap());
    let envelope = (0..recipients).fold(Envelope::from_sender(sender), |envelope, number| {
        envelope.to(format!("r{number}@b.example").parse().unwrap())
    });
    let (origin, disposition) = (origin(), Disposition::Ready);
    NewMail { envelope, origin, disposition, archive: None }
}

/// The archive is to keep it.
pub(crate) fn archived(mut mail: NewMail) -> NewMail {
    mail.archive = Some(NOTE.into());
    mail
}

pub(crate) fn from_null(mut mail: NewMail) -> NewMail {
    mail.envelope.sender = ReversePath::Null;
    mail
}

pub(crate) fn notifying(mut mail: NewMail, notify: Notify) -> NewMail {
    mail.envelope.recipients.iter_mut().for_each(|recipient| recipient.notify = notify);
    mail
}

pub(crate) fn origin() -> Origin {
    Origin {
        listener: "mx".into(),
        client: Client::unnamed("192.0.2.1:4711".parse().unwrap()),
        helo: "client.example".into(),
        protocol: Protocol::Esmtp,
        login: None,
        tls: None,
        forwarded: None,
        arrival: Timestamp::from_secs(1_795_210_205),
    }
}

pub(crate) fn delivered() -> AttemptResult {
    let reply = Reply::new(250, Enhanced(2, 0, 0), "taken");
    AttemptResult::Delivered { reply, relay: None, duty: ReportDuty::Ours }
}

pub(crate) fn deferred() -> AttemptResult {
    AttemptResult::Deferred { reply: Reply::new(450, Enhanced(4, 2, 0), "later"), relay: None }
}

pub(crate) fn failed() -> AttemptResult {
    AttemptResult::Failed { reply: Reply::new(550, Enhanced(5, 1, 1), "never"), relay: None }
}

pub(crate) const fn nth(number: u32) -> RecipientIndex {
    RecipientIndex(number)
}

fn name(event: &MailEvent) -> &'static str {
    match event {
        MailEvent::Held { .. } => "held",
        MailEvent::Released { .. } => "released",
        MailEvent::Requeued { .. } => "requeued",
        MailEvent::Deleted { .. } => "deleted",
        MailEvent::Expired(_) => "expired",
        MailEvent::Reported { .. } => "reported",
        MailEvent::Removed { .. } => "removed",
        MailEvent::Corrupt { .. } => "corrupt",
        _ => "other",
    }
}

pub(crate) const NOTE: &str = "keep for seven years";
pub(crate) const CONTENT: &[u8] = b"Subject: test\r\n\r\nBody\r\n";
