//! What the archive is owed, and the disk: files, damage, errors and engines.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;

use super::harness::*;
use crate::{
    ArchivePart, Body, Engine, Options, Queue, ToArchive, Work,
    spool::Spool,
    store::{Batch, Key, Space, Storage, StoreError, Visit, memory::MemoryStore},
};

#[tokio::test(start_paused = true)]
async fn a_large_mail_keeps_its_file_until_the_archive_has_it() {
    let it = Fixture::with(|options| options.spool_threshold = 10);
    it.accept(archived(mail(1))).await;
    it.deliver().await;
    let it = it.restart().await;
    let owed = it.debt().await;
    let Body::Spool(file) = owed.body.clone() else { panic!("{owed:?}") };
    assert_eq!(content(&it.queue, &owed).await, CONTENT);
    it.queue.archived(vec![owed]).await.unwrap();
    assert!(!file.path.exists());
    assert!(it.is_empty());
}

#[tokio::test(start_paused = true)]
async fn content_that_proves_damaged_makes_the_mail_corrupt_and_the_archive_is_not_asked_again() {
    let it = Fixture::with(|options| options.handover_cache = 0);
    let id = it.accept(archived(mail(1))).await;
    it.deliver().await;
    it.store.damage(Space::Bodies, id.to_key(), "rot");
    let owed = it.debt().await;
    assert!(it.queue.body(id, &owed.body).await.is_err());
    let stats = crate::Stats { corrupt: 1, ..crate::Stats::default() };
    assert_eq!(it.queue.stats(), stats);
    it.queue.archived(vec![owed]).await.unwrap();
    assert_eq!((it.queue.stats(), it.events()), (stats, vec!["corrupt"]));
    assert!(it.queue.next_to_archive(9).await.is_empty());
    let it = it.restart().await;
    assert!(it.queue.next_to_archive(9).await.is_empty());
    assert_eq!((it.store.len(Space::Envelopes), it.queue.stats()), (1, stats));
}

#[tokio::test(start_paused = true)]
async fn a_record_that_cannot_be_read_is_counted_and_kept_and_the_others_go_on() {
    for space in [Space::Envelopes, Space::States] {
        let it = Fixture::new();
        let id = it.accept(archived(mail(1))).await;
        let sound = it.accept(archived(mail(1))).await;
        let claims = [it.claim().await, it.claim().await];
        for claim in &claims {
            it.record_all(claim, delivered()).await;
        }
        drop(claims);
        let it = it.restart().await;
        it.store.damage(space, id.to_key(), "garbage");
        let owed = it.debt().await;
        assert_eq!(owed.id, sound);
        it.queue.archived(vec![owed]).await.unwrap();
        let stats = crate::Stats { corrupt: 1, ..crate::Stats::default() };
        assert_eq!(
            (it.queue.stats(), it.events()),
            (stats, vec!["corrupt", "removed"]),
            "{space:?}"
        );
        assert_eq!(it.store.len(Space::Bodies), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_engine_cannot_read_just_now_is_offered_later() {
    let it = Fixture::new();
    let id = it.accept(archived(mail(1))).await;
    it.deliver().await;
    let (it, disk) = it.restart_on_bad_disk().await;
    disk.set(true);
    assert!(it.queue.next_to_archive(9).await.is_empty());
    disk.set(false);
    assert!(it.queue.next_to_archive(9).await.is_empty());
    assert!(it.queue.archive_is_owed().await);
    assert_eq!(it.debt().await.id, id);
    assert_eq!(it.events(), Vec::<&str>::new());
}

#[tokio::test(start_paused = true)]
async fn nothing_is_handed_out_or_gone_before_it_is_durable() {
    let directory = tempfile::tempdir().unwrap();
    let disk = Arc::new(SlowDisk::default());
    let options = options(directory.path(), &Arc::default());
    let queue = Queue::open_on(disk.clone(), options, TestClock::new()).unwrap();
    let id = accept(&queue, archived(mail(1))).await;
    let Some(Work::Deliver(claim)) = queue.next_work().await else { panic!("no mail") };
    disk.is_busy.store(true, Ordering::SeqCst);
    let recorded = queue.record(&claim, vec![(nth(0), delivered())]);
    assert!(queue.next_to_archive(9).await.is_empty(), "it may never have ended");
    disk.is_busy.store(false, Ordering::SeqCst);
    recorded.await.unwrap();
    let owed = queue.next_to_archive(9).await;
    assert!(matches!(&owed[..], [owed] if owed.id == id && owed.part == ArchivePart::Both));
    disk.is_busy.store(true, Ordering::SeqCst);
    let taken = queue.archived(owed);
    assert!(queue.next_to_archive(9).await.is_empty(), "the archive has it");
    assert_eq!(disk.store.len(Space::Bodies), 1, "and may be asked to take it again");
    disk.is_busy.store(false, Ordering::SeqCst);
    taken.await.unwrap();
    assert_eq!(disk.store.len(Space::Bodies), 0);
}

/// Both engines, on a disk: with small and large content, over a restart.
#[tokio::test]
async fn the_debt_outlives_the_process_on_every_engine() {
    for &engine in ENGINES {
        let directory = tempfile::tempdir().unwrap();
        let options = || Options {
            engine,
            queue_minfree: 0,
            spool_threshold: 100,
            archive_patience: Duration::ZERO,
            ..Options::new(directory.path())
        };
        let clock = TestClock::new();
        let queue = Queue::open(options(), clock.clone()).unwrap();
        for size in [10, 1_000] {
            let mut intake = queue.intake(0).unwrap();
            intake.write(&vec![b'x'; size]).await.unwrap();
            intake.commit(archived(mail(1))).await.unwrap();
            let Some(Work::Deliver(claim)) = queue.next_work().await else { panic!("no mail") };
            queue.record(&claim, vec![(nth(0), delivered())]).await.unwrap();
        }
        queue.shutdown().await;
        drop(queue);
        let queue = Queue::open(options(), clock.clone()).unwrap();
        assert_eq!(queue.stats().to_archive, 2, "{engine:?}");
        let owed = queue.next_to_archive(9).await;
        for (owed, size) in owed.iter().zip([10, 1_000]) {
            assert_eq!((&owed.note[..], owed.part), (NOTE.as_bytes(), ArchivePart::Both));
            assert_eq!(content(&queue, owed).await, vec![b'x'; size]);
        }
        queue.archived(owed).await.unwrap();
        queue.shutdown().await;
        drop(queue);
        let queue = Queue::open(options(), clock).unwrap();
        assert_eq!(queue.stats(), crate::Stats::default());
        let files = Spool::open(directory.path()).unwrap().files().unwrap();
        assert!(files.is_empty());
        let storage: Arc<dyn Storage> = queue.storage();
        for space in Space::ALL {
            assert!(storage.last(space).unwrap().is_none(), "{space:?}");
        }
        queue.shutdown().await;
    }
}

async fn content(queue: &Queue, owed: &ToArchive) -> Vec<u8> {
    let mut reader = queue.body(owed.id, &owed.body).await.unwrap().reader();
    let mut content = Vec::new();
    while let Some(piece) = reader.next().await.unwrap() {
        content.extend_from_slice(&piece);
    }
    content
}

const ENGINES: &[Engine] = &[
    Engine::Fjall,
    #[cfg(feature = "engine-sled")]
    Engine::Sled,
];

/// A disk whose commits wait while it is busy.
#[derive(Default)]
struct SlowDisk {
    store: Arc<MemoryStore>,
    is_busy: AtomicBool,
}

impl Storage for SlowDisk {
    fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        while self.is_busy.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
        self.store.commit(batch)
    }

    fn get(&self, space: Space, key: Key) -> Result<Option<Bytes>, StoreError> {
        self.store.get(space, key)
    }

    fn scan(&self, space: Space, from: Key, visit: &mut Visit<'_>) {
        self.store.scan(space, from, visit);
    }

    fn last(&self, space: Space) -> Result<Option<(Key, Bytes)>, StoreError> {
        self.store.last(space)
    }
}
