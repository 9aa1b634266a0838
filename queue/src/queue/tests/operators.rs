//! What operators do to mail, also while it is under delivery.

use std::time::Duration;

use mailweir_mail::{Envelope, HoldReason, Stage, Transport};

use super::harness::*;
use crate::{
    ChangeError, Disposition, Filter, NewMail, Options, Place, Queue, When, Work, queue::OpenError,
};

#[tokio::test(start_paused = true)]
async fn a_held_mail_is_not_sent_until_it_is_released_and_then_has_a_new_lifetime() {
    let it = Fixture::new();
    let reason = HoldReason::new("external attachments");
    let held = NewMail { disposition: Disposition::Held(reason), ..mail(1) };
    let id = it.accept(held).await;
    it.expect_quiet(Duration::from_secs(10 * 24 * 3_600)).await;
    let it = it.restart().await;
    assert_eq!(it.queue.flush(), 0);
    it.expect_quiet(Duration::from_secs(9_999)).await;
    assert_eq!(it.queue.release(id, "moderator").await.unwrap(), When::Now);
    let claim = it.claim().await;
    assert_eq!(claim.arrival, origin().arrival);
    it.record_all(&claim, deferred()).await;
    assert_eq!(it.queue.stats().ready, 1, "it must not expire at its first attempt");
}

#[tokio::test(start_paused = true)]
async fn a_waiting_mail_that_is_held_leaves_the_schedule() {
    let it = Fixture::new();
    let id = it.accept(mail(1)).await;
    it.queue.hold(id, HoldReason::new("operator")).await.unwrap();
    it.expect_quiet(Duration::from_secs(9_999)).await;
    it.queue.release(id, "operator").await.unwrap();
    assert_eq!(it.deliver().await, id);
    assert_eq!(it.events(), ["held", "released", "removed"]);
}

#[tokio::test(start_paused = true)]
async fn holding_a_mail_under_delivery_takes_effect_after_the_attempt_also_over_a_crash() {
    let it = Fixture::new();
    let id = it.accept(mail(1)).await;
    let claim = it.claim().await;
    let when = it.queue.hold(id, HoldReason::new("operator")).await.unwrap();
    assert_eq!(when, When::AfterAttempt);
    let it = it.restart().await;
    drop(claim);
    it.expect_quiet(Duration::from_secs(9_999)).await;
    assert_eq!(it.queue.stats().held, 1);
}

#[tokio::test(start_paused = true)]
async fn deleting_a_mail_under_delivery_leaves_nothing_but_what_was_delivered() {
    let it = Fixture::new();
    let id = it.accept(mail(2)).await;
    let claim = it.claim().await;
    assert_eq!(it.queue.delete(id, "operator").await.unwrap(), When::AfterAttempt);
    it.record_all(&claim, deferred()).await;
    assert!(it.is_empty());
    assert_eq!(it.events(), ["deleted", "removed"]);
}

#[tokio::test(start_paused = true)]
async fn a_deleted_mail_is_gone_at_once_and_owes_nothing() {
    let it = Fixture::new();
    let id = it.accept(mail(1)).await;
    let claim = it.claim().await;
    it.record_all(&claim, failed()).await;
    let owed = it.report().await;
    assert_eq!(it.queue.delete(id, "operator").await.unwrap(), When::Now);
    assert!(it.is_empty());
    assert!(it.queue.waive_report(owed).await.is_err());
    assert!(matches!(it.queue.delete(id, "operator").await, Err(ChangeError::NotFound(_))));
    it.expect_quiet(Duration::from_secs(9_999)).await;
}

#[tokio::test(start_paused = true)]
async fn a_requeued_mail_passes_all_stages_again() {
    let it = Fixture::new();
    let id = it.accept(mail(1)).await;
    it.queue.requeue(id, "operator").await.unwrap();
    let screening = it.screening().await;
    assert_eq!(screening.stage, Stage::Filter);
}

#[tokio::test(start_paused = true)]
async fn a_requeued_mail_may_go_another_way_and_does_so_after_a_restart() {
    let it = Fixture::new();
    let id = it.accept(mail(1)).await;
    it.queue.requeue(id, "operator").await.unwrap();
    let screening = it.screening().await;
    let was = screening.envelope.clone();
    let anew = Envelope {
        ahead: vec!["virus".into()],
        filter: Transport::parse("virus:"),
        ..(*was).clone()
    };
    it.queue.pass_as(&screening, Stage::Route, anew.clone()).await.unwrap();
    drop(screening);
    assert_eq!(*it.claim().await.envelope, anew);
    let it = it.restart().await;
    let claim = it.claim().await;
    assert_eq!((claim.id, &*claim.envelope), (id, &anew));
}

#[tokio::test(start_paused = true)]
async fn a_flush_tries_what_waits_and_not_what_is_held() {
    let it = Fixture::new();
    let (waiting, held) = (it.accept(mail(1)).await, it.accept(mail(1)).await);
    for _ in 0..2 {
        let claim = it.claim().await;
        it.record_all(&claim, deferred()).await;
    }
    it.queue.hold(held, HoldReason::new("operator")).await.unwrap();
    assert_eq!(it.queue.flush(), 1);
    let claim = it.claim().await;
    assert_eq!(claim.id, waiting);
    it.record_all(&claim, deferred()).await;
    assert_eq!(it.queue.flush_one(waiting).await.unwrap(), When::Now);
    assert_eq!(it.claim().await.id, waiting);
    it.expect_quiet(Duration::from_secs(250)).await;
}

#[tokio::test(start_paused = true)]
async fn a_flush_reaches_a_mail_whose_deferral_is_not_durable_yet() {
    let it = Fixture::new();
    let id = it.accept(mail(1)).await;
    let claim = it.claim().await;
    let recorded = it.queue.record(&claim, vec![(nth(0), deferred())]);
    assert_eq!(it.queue.flush(), 1);
    recorded.await.unwrap();
    let again = it.claim().await;
    assert_eq!((again.id, again.attempt), (id, 2));
    assert_eq!(it.queue.flush(), 0, "it is on its way");
}

#[tokio::test(start_paused = true)]
async fn a_flush_hides_no_report_that_is_owed() {
    let it = Fixture::new();
    let id = it.accept(mail(2)).await;
    let claim = it.claim().await;
    let results = vec![(nth(0), failed()), (nth(1), deferred())];
    let recorded = it.queue.record(&claim, results);
    assert_eq!(it.queue.flush(), 1);
    recorded.await.unwrap();
    let owed = it.report().await;
    assert_eq!((owed.id, owed.recipients.len()), (id, 1));
    assert_eq!(it.claim().await.id, id);
}

#[tokio::test(start_paused = true)]
async fn a_flushed_mail_that_is_held_before_its_turn_is_not_sent() {
    let it = Fixture::new();
    let id = it.accept(mail(1)).await;
    let claim = it.claim().await;
    it.record_all(&claim, deferred()).await;
    it.queue.flush();
    it.queue.hold(id, HoldReason::new("operator")).await.unwrap();
    it.expect_quiet(Duration::from_secs(9_999)).await;
}

#[tokio::test(start_paused = true)]
async fn an_expired_mail_goes_back_to_its_sender() {
    let it = Fixture::new();
    let id = it.accept(mail(1)).await;
    it.queue.expire(id).await.unwrap();
    let owed = it.report().await;
    assert_eq!((owed.id, it.queue.stats().finished), (id, 1));
    assert_eq!(it.events(), ["expired"]);
}

#[tokio::test(start_paused = true)]
async fn a_list_says_where_each_mail_stands_page_by_page() {
    let it = Fixture::new();
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(it.accept(mail(1)).await);
    }
    let claim = it.claim().await;
    it.queue.hold(ids[1], HoldReason::new("operator")).await.unwrap();
    let places = |list: Vec<crate::Listing>| {
        list.iter().map(|line| (line.id, line.mail.place())).collect::<Vec<_>>()
    };
    let all = places(it.queue.list(Filter::default(), 10).await.unwrap());
    let expected = [Place::Delivering, Place::Held, Place::Ready];
    assert_eq!(all, ids.iter().copied().zip(expected).collect::<Vec<_>>());
    let page = Filter { after: Some(ids[0]), ..Filter::default() };
    assert_eq!(places(it.queue.list(page, 1).await.unwrap()), [(ids[1], Place::Held)]);
    let held = Filter { place: Some(Place::Held), after: None };
    assert_eq!(places(it.queue.list(held, 10).await.unwrap()), [(ids[1], Place::Held)]);
    let stats = it.queue.stats();
    assert_eq!((stats.delivering, stats.held, stats.ready), (1, 1, 1));
    drop(claim);
}

#[tokio::test(start_paused = true)]
async fn a_mail_is_shown_with_its_content() {
    let it = Fixture::new();
    let id = it.accept(mail(1)).await;
    let details = it.queue.show(id).await.unwrap().unwrap();
    assert_eq!(details.content.as_deref(), Some(CONTENT));
    assert_eq!(details.origin.as_deref(), Some(&origin()));
    it.deliver().await;
    assert!(it.queue.show(id).await.unwrap().is_none());
}

#[tokio::test]
async fn a_queue_on_the_disk_goes_on_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let options =
        || Options { queue_minfree: 0, spool_threshold: 100, ..Options::new(directory.path()) };
    let clock = TestClock::new();
    let queue = Queue::open(options(), clock.clone()).unwrap();
    let mut sizes = vec![10, 100, 101, 1_000];
    for size in &sizes {
        let mut intake = queue.intake(0).unwrap();
        intake.write(&vec![b'x'; *size]).await.unwrap();
        intake.commit(mail(1)).await.unwrap();
    }
    queue.shutdown().await;
    drop(queue);
    let queue = Queue::open(options(), clock).unwrap();
    while !sizes.is_empty() {
        let Some(Work::Deliver(claim)) = queue.next_work().await else { panic!("mail is left") };
        let mut reader = queue.body(claim.id, &claim.body).await.unwrap().reader();
        let content = reader.next().await.unwrap().unwrap();
        assert_eq!(reader.next().await.unwrap(), None);
        sizes.retain(|size| *size != content.len());
        queue.record(&claim, vec![(nth(0), delivered())]).await.unwrap();
    }
    assert_eq!(queue.stats(), crate::Stats::default());
    assert!(queue.list(Filter::default(), 10).await.unwrap().is_empty());
    queue.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_second_instance_is_refused_j11() {
    let it = Fixture::new();
    let options = options(it.directory.path(), &it.events);
    let second = Queue::open_on(it.store.clone(), options, it.clock.clone());
    assert!(matches!(second.err(), Some(OpenError::Locked(_))));
}

#[tokio::test(start_paused = true)]
async fn a_queue_of_a_newer_format_is_refused_k7() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("FORMAT"), "mailweir-queue 2 fjall\n").unwrap();
    let opened = Queue::open(crate::Options::new(directory.path()), TestClock::new());
    let Some(OpenError::UnknownFormat { found, .. }) = opened.err() else {
        panic!("it must be refused");
    };
    assert_eq!(&*found, "mailweir-queue 2 fjall");
}

#[tokio::test(start_paused = true)]
async fn a_full_disk_refuses_mail_and_delivers_on_j5() {
    let it = Fixture::new();
    it.accept(mail(1)).await;
    let full = Fixture::with(|options| options.queue_minfree = u64::MAX);
    assert!(matches!(full.queue.intake(0), Err(crate::IntakeError::NoSpace { .. })));
    it.deliver().await;
}

#[tokio::test(start_paused = true)]
async fn ids_stay_unique_and_ordered_when_the_clock_steps_back() {
    let it = Fixture::new();
    let first = it.accept(mail(1)).await;
    it.clock.set_back(Duration::from_secs(3_600));
    let second = it.accept(mail(1)).await;
    assert!(second > first);
    let it = it.restart().await;
    it.clock.set_back(Duration::from_secs(3_600));
    assert!(it.accept(mail(1)).await > second);
}

#[tokio::test(start_paused = true)]
async fn after_shutdown_nothing_comes_in_and_nothing_goes_out() {
    let it = Fixture::new();
    it.accept(mail(1)).await;
    let late = it.queue.intake(0).unwrap();
    it.queue.shutdown().await;
    assert!(it.queue.next_work().await.is_none());
    assert!(matches!(it.queue.intake(0), Err(crate::IntakeError::Closed)));
    assert!(matches!(late.commit(mail(1)).await, Err(crate::IntakeError::Closed)));
}
