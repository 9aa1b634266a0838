//! Opening a queue on a directory that a crash left behind.

use std::{fs, os::unix::fs::PermissionsExt as _, sync::Arc};

use mailweir_mail::{QueueId, Timestamp};

use super::harness::TestClock;
use crate::{
    Options, Queue,
    queue::open::set_orphans_aside,
    spool::Spool,
    store::{Storage, memory::MemoryStore},
};

/// Row J1 of `attacks.md`: the process dies while the store is being made.
#[tokio::test]
async fn a_store_that_was_only_half_made_is_made_again() {
    let directory = tempfile::tempdir().unwrap();
    let half = directory.path().join("store.new");
    fs::create_dir_all(half.join("keyspaces")).unwrap();
    fs::write(half.join("0.jnl"), b"").unwrap();
    let queue = Queue::open(Options::new(directory.path()), TestClock::new()).unwrap();
    assert!(directory.path().join("store").is_dir());
    assert!(!half.exists());
    queue.shutdown().await;
}

#[tokio::test]
async fn a_new_queue_is_for_its_owner_alone() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("data/queue");
    let queue = Queue::open(Options::new(&place), TestClock::new()).unwrap();
    for path in [place.parent().unwrap(), &place, &place.join("store"), &place.join("spool")] {
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o700, "{path:?}");
    }
    queue.shutdown().await;
}

#[test]
fn the_file_of_a_mail_that_is_delivered_meanwhile_is_no_orphan() {
    let directory = tempfile::tempdir().unwrap();
    let spool = Spool::open(directory.path()).unwrap();
    let [orphan, delivered, new] = [1, 2, 3].map(|n| QueueId::new(Timestamp::from_secs(9), n));
    for id in [orphan, delivered, new] {
        spool.create(id).unwrap().finish().unwrap().keep();
    }
    let storage: Arc<dyn Storage> = Arc::new(MemoryStore::default());
    set_orphans_aside(&storage, &spool, new, &[delivered]).unwrap();
    assert!(!spool.path(orphan).exists());
    assert!(spool.path(delivered).exists() && spool.path(new).exists());
}
