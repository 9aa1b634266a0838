//! What a queue does with records and content that cannot be read.

use std::time::Duration;

use super::harness::*;
use crate::store::{Space, Storage};

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
