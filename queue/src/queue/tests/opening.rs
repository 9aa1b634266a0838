//! Opening a queue on a directory that a crash left behind.

use std::{fs, os::unix::fs::PermissionsExt as _};

use super::harness::TestClock;
use crate::{Options, Queue};

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
    assert_eq!(fs::metadata(&place).unwrap().permissions().mode() & 0o777, 0o700);
    queue.shutdown().await;
}
