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
fn what_nobody_waits_for_leaves_with_what_is_urgent_or_after_a_while() {
    let inbox = Inbox::default();
    let job = |urgency| Job { batch: Batch::default(), urgency, done: Box::new(|_| {}) };
    for urgency in [Urgency::Idle, Urgency::Urgent, Urgency::Idle] {
        assert!(inbox.put(job(urgency)).is_ok());
    }
    assert!(inbox.wait());
    let group = inbox.take();
    assert_eq!((group.answers.len(), group.urgent), (3, 1));
    assert!(inbox.put(job(Urgency::Idle)).is_ok());
    assert!(inbox.wait(), "it does not wait for ever");
    let group = inbox.take();
    assert_eq!((group.answers.len(), group.urgent), (1, 0));
    inbox.close();
    assert!(inbox.put(job(Urgency::Urgent)).is_err());
    assert!(!inbox.wait());
}

#[test]
fn a_committer_that_panics_leaves_nobody_waiting() {
    struct Panicking;
    impl Storage for Panicking {
        fn commit(&self, _: Batch) -> Result<(), StoreError> {
            panic!("an engine that breaks the contract");
        }
        fn get(&self, _: Space, _: Key) -> Result<Option<Bytes>, StoreError> {
            Ok(None)
        }
        fn scan(&self, _: Space, _: Key, _: &mut Visit<'_>) {}
    }
    let committer = Committer::start(Arc::new(Panicking)).unwrap();
    let (sender, fates) = mpsc::channel();
    submit(&committer, 0, &sender);
    committer.finish();
    submit(&committer, 1, &sender);
    drop(sender);
    assert!(matches!(fates.iter().collect::<Vec<_>>()[..], [Err(StoreError::Stopped)]));
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
        self.inner.commit(batch)
    }

    fn get(&self, space: Space, key: Key) -> Result<Option<Bytes>, StoreError> {
        self.inner.get(space, key)
    }

    fn scan(&self, space: Space, from: Key, visit: &mut Visit<'_>) {
        self.inner.scan(space, from, visit);
    }
}
