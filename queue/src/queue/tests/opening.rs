//! Opening a queue on a directory that a crash left behind.

use std::fs;

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
