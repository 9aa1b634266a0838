//! What every store engine must do: the contract of `Storage`, run against each of them.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::{ops::ControlFlow, path::Path, sync::Arc};

use mailweir_mail::{QueueId, Timestamp};
use mailweir_queue::store::{
    Batch, FIRST_KEY, FjallStore, Space, Storage,
    faulty::{Fate, FaultyDisk},
    memory::MemoryStore,
};

/// Opens the same store again and again, or a kept one if it lives in memory.
type Open = Box<dyn Fn() -> Arc<dyn Storage>>;

#[test]
fn memory_keeps_the_contract() {
    let store = Arc::new(MemoryStore::default());
    keeps_the_contract(|| {
        let store = Arc::new(store.copy());
        Box::new(move || store.clone())
    });
}

#[test]
fn a_faulty_disk_keeps_the_contract_until_it_dies() {
    keeps_the_contract(|| {
        let disk = Arc::new(FaultyDisk::dies_at(Arc::default(), usize::MAX, Fate::Lost));
        Box::new(move || disk.clone())
    });
}

#[test]
fn fjall_keeps_the_contract() {
    on_disk(|path| Arc::new(FjallStore::open(path).unwrap()));
}

#[cfg(feature = "engine-sled")]
#[test]
fn sled_keeps_the_contract() {
    on_disk(|path| Arc::new(mailweir_queue::store::SledStore::open(path).unwrap()));
}

fn on_disk(open: fn(&Path) -> Arc<dyn Storage>) {
    let mut directories = Vec::new();
    keeps_the_contract(|| {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store");
        directories.push(directory);
        Box::new(move || open(&path))
    });
}

fn keeps_the_contract(mut fresh: impl FnMut() -> Open) {
    a_new_store_is_empty(&fresh());
    a_batch_is_read_back_from_every_keyspace(&fresh());
    later_operations_of_a_batch_win(&fresh());
    a_scan_goes_in_order_from_its_key_and_stops_when_told(&fresh());
    what_was_committed_is_there_after_reopening(&fresh());
    values_of_any_bytes_and_size_are_kept(&fresh());
    removing_what_is_not_there_is_no_error(&fresh());
    an_empty_batch_is_no_error(&fresh());
    readers_and_the_writer_do_not_disturb_each_other(&fresh());
}

fn a_new_store_is_empty(open: &Open) {
    let store = open();
    for space in Space::ALL {
        assert_eq!(scan(&*store, space, FIRST_KEY), []);
        assert_eq!(store.get(space, id(1).to_key()).unwrap(), None);
    }
}

fn a_batch_is_read_back_from_every_keyspace(open: &Open) {
    let store = open();
    let mut batch = Batch::default();
    for space in Space::ALL {
        batch.put(space, id(1), space.name());
    }
    store.commit(batch).unwrap();
    for space in Space::ALL {
        let value = store.get(space, id(1).to_key()).unwrap().unwrap();
        assert_eq!(value, space.name().as_bytes());
        assert_eq!(store.get(space, id(2).to_key()).unwrap(), None);
    }
}

fn later_operations_of_a_batch_win(open: &Open) {
    let store = open();
    let mut batch = Batch::default();
    batch.put(Space::States, id(1), "old");
    batch.put(Space::States, id(1), "new");
    batch.put(Space::States, id(2), "gone");
    batch.delete(Space::States, id(2));
    batch.delete(Space::States, id(3));
    batch.put(Space::States, id(3), "back");
    store.commit(batch).unwrap();
    let found = scan(&*store, Space::States, FIRST_KEY);
    assert_eq!(found, [(id(1), b"new".to_vec()), (id(3), b"back".to_vec())]);
}

fn a_scan_goes_in_order_from_its_key_and_stops_when_told(open: &Open) {
    let store = open();
    for serial in [5, 1, 4, 2, 3] {
        let mut batch = Batch::default();
        batch.put(Space::Bodies, id(serial), "body");
        batch.put(Space::States, id(serial + 100), "another keyspace");
        store.commit(batch).unwrap();
    }
    let ids = |from| {
        let found = scan(&*store, Space::Bodies, from);
        found.into_iter().map(|(id, _)| id).collect::<Vec<_>>()
    };
    assert_eq!(ids(FIRST_KEY), [1, 2, 3, 4, 5].map(id));
    assert_eq!(ids(id(3).to_key()), [3, 4, 5].map(id));
    let mut seen = 0;
    store.scan(Space::Bodies, FIRST_KEY, &mut |_| {
        seen += 1;
        if seen == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert_eq!(seen, 2);
}

fn what_was_committed_is_there_after_reopening(open: &Open) {
    for round in 0..3 {
        let store = open();
        assert_eq!(scan(&*store, Space::Envelopes, FIRST_KEY).len(), round as usize);
        let mut batch = Batch::default();
        batch.put(Space::Envelopes, id(round), "kept");
        batch.put(Space::Bodies, id(round), "removed below");
        store.commit(batch).unwrap();
        let mut batch = Batch::default();
        batch.delete(Space::Bodies, id(round));
        store.commit(batch).unwrap();
    }
    assert_eq!(scan(&*open(), Space::Bodies, FIRST_KEY), []);
}

fn values_of_any_bytes_and_size_are_kept(open: &Open) {
    let values = [vec![], vec![0; 1], (0..=255).collect(), vec![0xa5; 1024 * 1024]];
    let store = open();
    let mut batch = Batch::default();
    for (serial, value) in (0..).zip(&values) {
        batch.put(Space::Bodies, id(serial), value.clone());
    }
    store.commit(batch).unwrap();
    drop(store);
    let store = open();
    for (serial, value) in (0..).zip(&values) {
        assert_eq!(store.get(Space::Bodies, id(serial).to_key()).unwrap().unwrap(), value);
    }
}

fn removing_what_is_not_there_is_no_error(open: &Open) {
    let mut batch = Batch::default();
    batch.delete(Space::States, id(9));
    open().commit(batch).unwrap();
}

fn an_empty_batch_is_no_error(open: &Open) {
    open().commit(Batch::default()).unwrap();
}

fn readers_and_the_writer_do_not_disturb_each_other(open: &Open) {
    let store = open();
    std::thread::scope(|threads| {
        let writer = threads.spawn(|| {
            for serial in 0..200 {
                let mut batch = Batch::default();
                batch.put(Space::States, id(serial), "state");
                batch.put(Space::Envelopes, id(serial), "envelope");
                store.commit(batch).unwrap();
            }
        });
        while !writer.is_finished() {
            let states = scan(&*store, Space::States, FIRST_KEY);
            assert!(states.iter().all(|(_, value)| value == b"state"));
        }
    });
    // What has been committed is seen whole.
    for space in [Space::States, Space::Envelopes] {
        assert_eq!(scan(&*store, space, FIRST_KEY).len(), 200);
    }
}

fn scan(store: &dyn Storage, space: Space, from: [u8; 12]) -> Vec<(QueueId, Vec<u8>)> {
    let mut found = Vec::new();
    store.scan(space, from, &mut |entry| {
        let (key, value) = entry.unwrap();
        found.push((QueueId::from_key(key).unwrap(), value.to_vec()));
        ControlFlow::Continue(())
    });
    found
}

fn id(serial: u32) -> QueueId {
    QueueId::new(Timestamp::from_secs(1_795_210_205), serial)
}
