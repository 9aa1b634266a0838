//! What a queue does with records and content that cannot be read.

use std::{sync::Arc, time::Duration};

use mailweir_mail::HoldReason;

use super::harness::*;
use crate::{
    ChangeError, Filter, OpenError, Queue,
    store::{Space, Storage},
};

#[tokio::test(start_paused = true)]
async fn a_report_is_paid_once_although_its_mail_is_damaged() {
    let it = Fixture::with(|options| options.handover_cache = 0);
    let id = it.accept(mail(1)).await;
    let claim = it.claim().await;
    it.record_all(&claim, failed()).await;
    let mut record = it.store.get(Space::Bodies, id.to_key()).unwrap().unwrap().to_vec();
    record[20] ^= 1;
    it.store.damage(Space::Bodies, id.to_key(), record);
    let owed = it.report().await;
    for _ in 0..3 {
        assert!(it.queue.body(id, &owed.body).await.is_err());
    }
    let intake = it.queue.intake(0).unwrap();
    let report = intake.id();
    it.queue.commit_report(owed, intake, from_null(mail(1))).await.unwrap();
    assert_eq!(it.deliver().await, report);
    assert_eq!(it.events(), ["corrupt", "reported", "removed"]);
    let it = it.restart().await;
    it.expect_quiet(Duration::from_secs(9_999)).await;
    assert_eq!(it.queue.stats().corrupt, 1);
    assert_eq!(it.store.len(Space::Envelopes), 1);
}

#[tokio::test(start_paused = true)]
async fn a_mail_that_the_engine_cannot_read_just_now_is_tried_later() {
    let it = Fixture::new();
    let id = it.accept(mail(1)).await;
    let (it, disk) = it.restart_on_bad_disk().await;
    disk.set(true);
    it.expect_quiet(Duration::from_secs(299)).await;
    assert!(matches!(it.queue.flush_one(id).await, Err(ChangeError::Store(_))));
    assert!(it.queue.show(id).await.is_err());
    assert_eq!((it.queue.stats().ready, it.queue.stats().corrupt), (1, 0));
    disk.set(false);
    assert_eq!(it.deliver().await, id);
    assert_eq!(it.events(), ["removed"]);
    assert_eq!(it.queue.stats(), crate::Stats::default());
}

#[tokio::test(start_paused = true)]
async fn a_mail_whose_record_is_damaged_is_counted_as_corrupt_once() {
    let it = Fixture::new();
    let id = it.accept(mail(1)).await;
    let it = it.restart().await;
    it.store.damage(Space::Envelopes, id.to_key(), "garbage");
    it.expect_quiet(Duration::from_secs(9_999)).await;
    assert!(it.queue.flush_one(id).await.is_err());
    assert_eq!((it.queue.stats().ready, it.queue.stats().corrupt), (0, 1));
    assert_eq!(it.events(), ["corrupt"]);
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_attempt_whose_envelope_is_damaged_is_reported_at_start() {
    let it = Fixture::new();
    let id = it.accept(mail(2)).await;
    let claim = it.claim().await;
    it.queue.record(&claim, vec![(nth(0), failed())]).await.unwrap();
    it.store.damage(Space::Envelopes, id.to_key(), "garbage");
    let it = it.restart().await;
    drop(claim);
    assert_eq!(it.events(), ["corrupt"]);
    assert_eq!((it.queue.stats().corrupt, it.queue.stats().delivering), (1, 0));
    it.expect_quiet(Duration::from_secs(9_999)).await;
    assert_eq!((it.store.len(Space::States), it.events().len()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn what_a_restart_decides_is_told() {
    let it = Fixture::new();
    let (deleted, expired) = (it.accept(mail(1)).await, it.accept(mail(1)).await);
    let held = it.accept(mail(1)).await;
    let claims = [it.claim().await, it.claim().await, it.claim().await];
    it.queue.delete(deleted, "operator").await.unwrap();
    it.queue.expire(expired).await.unwrap();
    it.queue.hold(held, HoldReason::new("operator")).await.unwrap();
    assert!(it.events().is_empty());
    let it = it.restart().await;
    drop(claims);
    assert_eq!(it.events(), ["deleted", "removed", "expired", "held"]);
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_names_the_same_damage_for_ever_hangs_neither_start_nor_list() {
    let it = Fixture::new();
    it.accept(mail(1)).await;
    let (it, disk) = it.restart_on_bad_disk().await;
    disk.set(true);
    assert!(it.queue.list(Filter::default(), 10).await.is_err());
    let directory = tempfile::tempdir().unwrap();
    let options = options(directory.path(), &it.events);
    let opened = Queue::open_on(disk, options, it.clock.clone());
    assert!(matches!(opened.err(), Some(OpenError::Store(_))));
}

#[tokio::test(start_paused = true)]
async fn a_start_that_cannot_read_what_was_interrupted_fails_and_changes_nothing() {
    let it = Fixture::new();
    let id = it.accept(mail(2)).await;
    let claim = it.claim().await;
    it.queue.record(&claim, vec![(nth(0), delivered())]).await.unwrap();
    let before = it.store.get(Space::States, id.to_key()).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let disk = Arc::new(ListsOnly(Arc::new(it.store.copy())));
    let options = options(directory.path(), &it.events);
    let opened = Queue::open_on(disk.clone(), options, it.clock.clone());
    assert!(matches!(opened.err(), Some(OpenError::Store(_))));
    assert_eq!(disk.0.get(Space::States, id.to_key()).unwrap(), before);
}
