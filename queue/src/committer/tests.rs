use std::sync::{atomic::AtomicUsize, mpsc};

use bytes::Bytes;
use mailweir_mail::{QueueId, Timestamp};

use super::*;
use crate::store::{
    Key, Space, Visit,
    faulty::{Fate, FaultyDisk},
    memory::MemoryStore,
};

#[test]
fn what_waits_during_a_sync_is_written_in_one_group() {
    let disk = Arc::new(Gated::default());
    let committer = Committer::start(disk.clone()).unwrap();
    let (sender, fates) = mpsc::channel();
    submit(&committer, 0, &sender);
    disk.wait_for_entry();
    for serial in 1..100 {
        submit(&committer, serial, &sender);
    }
    disk.open();
    for _ in 0..100 {
        fates.recv().unwrap().unwrap();
    }
    assert_eq!(disk.commits.load(Ordering::SeqCst), 2);
    assert_eq!(disk.inner.len(Space::States), 100);
}

#[test]
fn after_a_failed_sync_nothing_is_written_again_j4() {
    let disk = FaultyDisk::dies_at(Arc::default(), 2, Fate::Lost);
    let disk = Arc::new(disk);
    let committer = Committer::start(disk.clone()).unwrap();
    let (sender, fates) = mpsc::channel();
    for serial in 0..4 {
        submit(&committer, serial, &sender);
        let fate = fates.recv().unwrap();
        assert_eq!(fate.is_ok(), serial == 0, "{serial}");
        assert_eq!(committer.is_stopped(), serial > 0);
    }
    assert_eq!(disk.survivors().len(Space::States), 1);
}

#[test]
fn what_is_idle_leaves_with_what_is_urgent() {
    let inbox = waiting_with_an_idle_job();
    assert!(inbox.0.put(job(Urgency::Urgent)).is_ok());
    assert!(inbox.1.join().unwrap());
    assert_eq!(inbox.0.take().len(), 2);
    assert!(inbox.0.put(job(Urgency::Idle)).is_ok());
    assert!(inbox.0.lock().until.unwrap() > Instant::now(), "a new ride");
}

#[test]
fn what_can_wait_a_little_takes_along_what_can_wait_longer() {
    let inbox = waiting_with_an_idle_job();
    assert!(inbox.0.put(job(Urgency::Soon)).is_ok());
    assert!(inbox.1.join().unwrap());
    assert_eq!(inbox.0.take().len(), 2);
    let rides = [Urgency::Urgent, Urgency::Soon, Urgency::Idle].map(Urgency::ride);
    assert!(rides[0].is_zero() && rides.is_sorted_by(|short, long| short < long));
}

#[test]
fn what_is_idle_leaves_alone_when_its_time_is_over_or_the_inbox_closes() {
    let inbox = Inbox::new(|_| Duration::ZERO);
    assert!(inbox.put(job(Urgency::Idle)).is_ok());
    assert!(inbox.wait());
    let inbox = waiting_with_an_idle_job();
    inbox.0.close();
    assert!(inbox.1.join().unwrap());
    assert_eq!(inbox.0.take().len(), 1);
    assert!(inbox.0.put(job(Urgency::Urgent)).is_err());
    assert!(!inbox.0.wait());
}

/// A committer that would wait for an hour.
fn waiting_with_an_idle_job() -> (Arc<Inbox>, JoinHandle<bool>) {
    let ride = |urgency| if urgency == Urgency::Idle { HOUR } else { Duration::ZERO };
    let inbox = Arc::new(Inbox::new(ride));
    assert!(inbox.put(job(Urgency::Idle)).is_ok());
    let waiting = inbox.clone();
    let waiter = std::thread::spawn(move || waiting.wait());
    listens(&inbox, Listening::ForNews);
    (inbox, waiter)
}

/// Waits until the committer does.
fn listens(inbox: &Inbox, listening: Listening) {
    while inbox.lock().listening != listening {
        std::thread::yield_now();
    }
}

#[test]
fn a_group_gathers_until_enough_have_come_or_the_inbox_closes() {
    let gathering = || {
        let inbox = Arc::new(Inbox::new(Urgency::ride));
        assert!(inbox.put(job(Urgency::Urgent)).is_ok());
        let gathering = inbox.clone();
        let expected = Gathering { span: HOUR, enough: 3 };
        let gatherer = std::thread::spawn(move || gathering.gather(expected));
        listens(&inbox, Listening::ForCompany(3));
        (inbox, gatherer)
    };
    let (inbox, gatherer) = gathering();
    for urgency in [Urgency::Idle, Urgency::Soon, Urgency::Urgent] {
        assert!(inbox.put(job(urgency)).is_ok());
        assert_eq!(inbox.lock().listening, Listening::ForCompany(3), "{urgency:?}");
    }
    assert!(inbox.put(job(Urgency::Urgent)).is_ok());
    gatherer.join().unwrap();
    assert_eq!(inbox.take().len(), 5);
    let (inbox, gatherer) = gathering();
    inbox.close();
    gatherer.join().unwrap();
    assert_eq!(inbox.take().len(), 1);
    // It comes to an end without company, and does not begin where there is enough.
    let inbox = Inbox::new(Urgency::ride);
    inbox.gather(Gathering { span: Duration::from_millis(1), enough: 3 });
    inbox.gather(Gathering { span: HOUR, enough: 0 });
}

fn job(urgency: Urgency) -> Job {
    Job { batch: Batch::default(), urgency, done: Box::new(|_| {}) }
}

#[test]
fn a_committer_that_panics_leaves_nobody_waiting() {
    let disk = Arc::new(Gated { panics: true, ..Gated::default() });
    let committer = Committer::start(disk.clone()).unwrap();
    let (sender, fates) = mpsc::channel();
    submit(&committer, 0, &sender);
    disk.wait_for_entry();
    submit(&committer, 1, &sender);
    disk.open();
    drop(sender);
    assert_eq!(fates.iter().count(), 0, "both are dropped, in the group and in the inbox");
    let (sender, fates) = mpsc::channel();
    submit(&committer, 2, &sender);
    assert!(matches!(fates.recv(), Ok(Err(StoreError::Stopped))));
}

#[test]
fn finishing_writes_what_waits_and_refuses_what_comes_later() {
    let store = Arc::new(MemoryStore::default());
    let committer = Committer::start(store.clone()).unwrap();
    let (sender, fates) = mpsc::channel();
    for serial in 0..50 {
        submit(&committer, serial, &sender);
    }
    committer.finish();
    assert_eq!(store.len(Space::States), 50);
    submit(&committer, 50, &sender);
    assert!(matches!(fates.iter().nth(50), Some(Err(StoreError::Closed))));
    assert!(!committer.is_stopped(), "no write failed");
}

fn submit(committer: &Committer, serial: u32, fates: &mpsc::Sender<Result<(), StoreError>>) {
    let mut batch = Batch::default();
    batch.put(Space::States, QueueId::new(Timestamp::from_secs(1), serial), "state");
    let fates = fates.clone();
    let done = Box::new(move |fate| fates.send(fate).unwrap());
    if let Err(unsent) = committer.submit(batch, Urgency::Urgent, done) {
        unsent.refuse();
    }
}

/// A store whose commits wait until a gate is opened.
#[derive(Default)]
struct Gated {
    inner: MemoryStore,
    commits: AtomicUsize,
    open: Mutex<bool>,
    changed: Condvar,
    /// Breaks the contract of a store.
    panics: bool,
}

impl Gated {
    fn open(&self) {
        *self.open.lock().unwrap() = true;
        self.changed.notify_all();
    }

    fn wait_for_entry(&self) {
        let open = self.open.lock().unwrap();
        let entered = |_: &mut bool| self.commits.load(Ordering::SeqCst) == 0;
        drop(self.changed.wait_while(open, entered).unwrap());
    }
}

impl Storage for Gated {
    fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        let open = self.open.lock().unwrap();
        self.commits.fetch_add(1, Ordering::SeqCst);
        self.changed.notify_all();
        drop(self.changed.wait_while(open, |open| !*open).unwrap());
        assert!(!self.panics, "a disk that panics");
        self.inner.commit(batch)
    }

    fn get(&self, space: Space, key: Key) -> Result<Option<Bytes>, StoreError> {
        self.inner.get(space, key)
    }

    fn scan(&self, space: Space, from: Key, visit: &mut Visit<'_>) {
        self.inner.scan(space, from, visit);
    }

    fn last(&self, space: Space) -> Result<Option<(Key, Bytes)>, StoreError> {
        self.inner.last(space)
    }
}

const HOUR: Duration = Duration::from_secs(3_600);
