//! From acceptance to removal.

use std::time::Duration;

use mailweir_mail::{Notify, Stage};

use super::harness::*;
use crate::{
    Body, ChangeError, Content, Disposition, Place, Recorded, ReportKind, Work,
    store::{Space, Storage},
};

#[tokio::test(start_paused = true)]
async fn a_mail_is_handed_on_in_memory_and_gone_after_delivery() {
    let it = Fixture::new();
    let id = it.accept(mail(1)).await;
    let claim = it.claim().await;
    assert_eq!((claim.id, claim.attempt, claim.size), (id, 1, CONTENT.len() as u64));
    assert!(matches!(&claim.body, Body::Memory(content) if &content[..] == CONTENT));
    assert_eq!(it.record_all(&claim, delivered()).await, Recorded::Removed);
    assert!(it.is_empty());
    assert_eq!(it.events(), ["removed"]);
}

#[tokio::test(start_paused = true)]
async fn a_deferred_mail_comes_back_when_its_back_off_is_over() {
    let it = Fixture::new();
    it.accept(mail(1)).await;
    let claim = it.claim().await;
    let recorded = it.record_all(&claim, deferred()).await;
    assert_eq!(recorded, Recorded::Kept(Place::Ready));
    it.expect_quiet(Duration::from_secs(299)).await;
    let again = it.claim().await;
    assert_eq!(again.attempt, 2);
    let Content::Memory(content) = it.queue.body(again.id, &again.body).await.unwrap() else {
        panic!("small content is in the store");
    };
    assert_eq!(&content[..], CONTENT);
}

#[tokio::test(start_paused = true)]
async fn each_recipient_has_its_own_result() {
    let it = Fixture::new();
    it.accept(notifying(mail(3), Notify::Never)).await;
    let claim = it.claim().await;
    let first = it.queue.record(&claim, vec![(nth(0), delivered())]).await.unwrap();
    assert_eq!(first, Recorded::Underway);
    let rest = vec![(nth(1), deferred()), (nth(2), failed())];
    let rest = it.queue.record(&claim, rest).await.unwrap();
    assert_eq!(rest, Recorded::Kept(Place::Ready));
    drop(claim);
    assert_eq!(it.claim().await.pending, [nth(1)]);
}

#[tokio::test(start_paused = true)]
async fn a_second_result_for_one_recipient_is_refused() {
    let it = Fixture::new();
    it.accept(mail(2)).await;
    let claim = it.claim().await;
    it.queue.record(&claim, vec![(nth(0), deferred())]).await.unwrap();
    for index in [nth(0), nth(7)] {
        let again = it.queue.record(&claim, vec![(index, delivered())]).await;
        assert!(matches!(again, Err(ChangeError::Illegal(_))), "{again:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn partial_results_survive_a_restart_and_only_the_rest_is_tried_again() {
    let it = Fixture::new();
    it.accept(mail(2)).await;
    let claim = it.claim().await;
    it.queue.record(&claim, vec![(nth(0), delivered())]).await.unwrap();
    let it = it.restart().await;
    drop(claim);
    let again = it.claim().await;
    assert_eq!((again.pending.as_slice(), again.attempt), (&[nth(1)][..], 2));
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_is_dropped_comes_back() {
    let it = Fixture::new();
    let id = it.accept(mail(1)).await;
    drop(it.claim().await);
    assert_eq!(it.claim().await.id, id);
}

#[tokio::test(start_paused = true)]
async fn a_back_off_is_kept_over_restarts_k5() {
    let it = Fixture::new();
    it.accept(mail(1)).await;
    let claim = it.claim().await;
    it.record_all(&claim, deferred()).await;
    let mut it = it;
    for _ in 0..5 {
        it = it.restart().await;
        it.expect_quiet(Duration::from_secs(50)).await;
    }
    it.claim().await;
}

#[tokio::test(start_paused = true)]
async fn a_clock_set_back_does_not_make_mail_wait_j9() {
    let it = Fixture::new();
    it.accept(mail(1)).await;
    let claim = it.claim().await;
    it.record_all(&claim, deferred()).await;
    it.clock.set_back(Duration::from_secs(30 * 24 * 3_600));
    let found = tokio::time::timeout(Duration::from_secs(301), it.queue.next_work()).await;
    assert!(matches!(found, Ok(Some(Work::Deliver(_)))));
}

#[tokio::test(start_paused = true)]
async fn a_clock_set_back_makes_neither_screening_nor_reports_wait_j9() {
    let it = Fixture::new();
    it.accept(mail(1)).await;
    let claim = it.claim().await;
    it.record_all(&claim, failed()).await;
    let screened = Disposition::Screening(Stage::Filter);
    it.accept(crate::NewMail { disposition: screened, ..mail(1) }).await;
    drop((it.report().await, it.screening().await));
    it.expect_quiet(Duration::from_secs(1)).await;
    it.clock.set_back(Duration::from_secs(30 * 24 * 3_600));
    let soon = Duration::from_secs(301);
    let found = tokio::time::timeout(soon, it.queue.next_work()).await;
    assert!(matches!(found, Ok(Some(Work::Report(_)))));
    let found = tokio::time::timeout(soon, it.queue.next_work()).await;
    assert!(matches!(found, Ok(Some(Work::Screen(_)))));
}

#[tokio::test(start_paused = true)]
async fn no_more_mail_is_under_delivery_than_the_limit_allows() {
    let it = Fixture::with(|options| options.qmgr_message_active_limit = 2);
    for _ in 0..3 {
        it.accept(mail(1)).await;
    }
    let first = it.claim().await;
    let _second = it.claim().await;
    it.expect_quiet(Duration::from_secs(1)).await;
    it.record_all(&first, delivered()).await;
    it.claim().await;
}

#[tokio::test(start_paused = true)]
async fn a_refused_recipient_is_reported_once_and_the_debt_survives_a_restart() {
    let it = Fixture::new();
    let id = it.accept(mail(2)).await;
    let claim = it.claim().await;
    it.record_all(&claim, failed()).await;
    let it = it.restart().await;
    let owed = it.report().await;
    assert_eq!((owed.id, owed.kind, owed.recipients.len()), (id, ReportKind::Failure, 2));
    let intake = it.queue.intake(0).unwrap();
    let report = intake.id();
    it.queue.commit_report(owed, intake, from_null(mail(1))).await.unwrap();
    assert_eq!(it.deliver().await, report);
    assert!(it.is_empty());
    assert_eq!(it.events(), ["reported", "removed", "removed"]);
}

#[tokio::test(start_paused = true)]
async fn a_report_is_never_answered_by_a_report_d6() {
    let it = Fixture::new();
    let wants_all = Notify::On { success: true, failure: true, delay: true };
    it.accept(notifying(from_null(mail(1)), wants_all)).await;
    let claim = it.claim().await;
    assert_eq!(it.record_all(&claim, failed()).await, Recorded::Removed);
    it.expect_quiet(Duration::from_secs(1)).await;
}

#[tokio::test(start_paused = true)]
async fn a_report_that_nobody_wrote_is_handed_out_again() {
    let it = Fixture::new();
    let id = it.accept(mail(1)).await;
    let claim = it.claim().await;
    it.record_all(&claim, failed()).await;
    drop(it.report().await);
    it.expect_quiet(Duration::from_secs(299)).await;
    let owed = it.report().await;
    assert_eq!(owed.id, id);
    it.queue.waive_report(owed).await.unwrap();
    assert!(it.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_mail_that_grew_too_old_goes_back_to_its_sender_after_a_last_attempt() {
    let it = Fixture::new();
    it.accept(mail(1)).await;
    let mut attempts = 0;
    let owed = loop {
        match it.queue.next_work().await.unwrap() {
            Work::Deliver(claim) => {
                attempts += 1;
                it.record_all(&claim, deferred()).await;
            }
            Work::Report(owed) => break owed,
            Work::Screen(_) => unreachable!("it is not screened"),
        }
    };
    assert_eq!(owed.kind, ReportKind::Failure);
    assert_eq!(attempts, 113);
    assert_eq!(it.events(), ["expired"]);
}

#[tokio::test(start_paused = true)]
async fn the_sender_is_told_once_that_the_mail_is_late() {
    let late = Duration::from_secs(3_600);
    let it = Fixture::with(|options| options.schedule.delay_warning_time = late);
    it.accept(mail(1)).await;
    let mut delays = 0;
    for _ in 0..20 {
        match it.queue.next_work().await.unwrap() {
            Work::Deliver(claim) => {
                it.record_all(&claim, deferred()).await;
            }
            Work::Report(owed) => {
                assert_eq!(owed.kind, ReportKind::Delay);
                delays += 1;
                it.queue.waive_report(owed).await.unwrap();
            }
            Work::Screen(_) => unreachable!("it is not screened"),
        }
    }
    assert_eq!(delays, 1);
}

#[tokio::test(start_paused = true)]
async fn a_screened_mail_passes_its_stages_and_resumes_at_the_stored_one() {
    let it = Fixture::new();
    let id =
        it.accept(crate::NewMail { disposition: Disposition::Screening(Stage::Filter), ..mail(1) });
    let id = id.await;
    let screening = it.screening().await;
    assert_eq!((screening.id, screening.stage), (id, Stage::Filter));
    it.queue.pass(&screening, Stage::Archive).await.unwrap();
    drop(screening);
    let it = it.restart().await;
    let screening = it.screening().await;
    assert_eq!(screening.stage, Stage::Archive);
    it.queue.pass(&screening, Stage::Route).await.unwrap();
    drop(screening);
    assert_eq!(it.deliver().await, id);
}

#[tokio::test(start_paused = true)]
async fn a_large_mail_flows_through_a_spool_file() {
    let it = Fixture::with(|options| options.spool_threshold = 1_000);
    let piece = [b'x'; 333];
    let mut intake = it.queue.intake(0).unwrap();
    for _ in 0..10 {
        intake.write(&piece).await.unwrap();
    }
    let receipt = intake.commit(mail(1)).await.unwrap();
    assert_eq!(receipt.size(), 3_330);
    assert_eq!(it.store.len(Space::Bodies), 0);
    let it = it.restart().await;
    let claim = it.claim().await;
    let content = it.queue.body(claim.id, &claim.body).await.unwrap();
    let mut reader = content.reader();
    let mut read = Vec::new();
    while let Some(piece) = reader.next().await.unwrap() {
        read.extend_from_slice(&piece);
    }
    assert_eq!(read, [b'x'; 3_330]);
    let Body::Spool(file) = &claim.body else { panic!("it is in a spool file") };
    it.record_all(&claim, delivered()).await;
    assert!(!file.path.exists());
}

#[tokio::test(start_paused = true)]
async fn content_of_exactly_the_threshold_stays_in_the_store() {
    let it = Fixture::with(|options| options.spool_threshold = 1_000);
    for (size, bodies) in [(1_000, 1), (1_001, 1)] {
        let mut intake = it.queue.intake(size as u64).unwrap();
        intake.write(&vec![b'x'; size]).await.unwrap();
        intake.commit(mail(1)).await.unwrap();
        assert_eq!(it.store.len(Space::Bodies), bodies);
    }
}

#[tokio::test(start_paused = true)]
async fn damaged_content_is_found_before_the_final_dot_and_the_mail_is_kept_j12() {
    let it = Fixture::with(|options| options.handover_cache = 0);
    let id = it.accept(mail(1)).await;
    let mut record = it.store.get(Space::Bodies, id.to_key()).unwrap().unwrap().to_vec();
    record[20] ^= 1;
    it.store.damage(Space::Bodies, id.to_key(), record);
    let claim = it.claim().await;
    assert!(it.queue.body(id, &claim.body).await.is_err());
    drop(claim);
    assert_eq!(it.queue.stats().corrupt, 1);
    assert_eq!(it.events(), ["corrupt"]);
    assert!(it.queue.delete(id, "operator").await.is_err());
    let it = it.restart().await;
    it.expect_quiet(Duration::from_secs(9_999)).await;
    assert_eq!(it.store.len(Space::Envelopes), 1);
}

#[tokio::test(start_paused = true)]
async fn a_state_that_cannot_be_read_is_shown_and_kept_j3() {
    let it = Fixture::new();
    let id = it.accept(mail(1)).await;
    let sound = it.accept(mail(1)).await;
    it.store.damage(Space::States, id.to_key(), "garbage");
    let it = it.restart().await;
    assert_eq!(it.deliver().await, sound);
    assert_eq!(it.queue.stats().corrupt, 1);
    let list = it.queue.list(crate::Filter::default(), 10).await.unwrap();
    assert_eq!(list.iter().map(|line| line.mail.place()).collect::<Vec<_>>(), [Place::Corrupt]);
    assert_eq!(it.store.len(Space::Envelopes), 1);
}

#[tokio::test(start_paused = true)]
async fn an_envelope_that_cannot_be_read_is_reported_when_the_mail_is_due_j12() {
    let it = Fixture::new();
    let id = it.accept(mail(1)).await;
    let sound = it.accept(mail(1)).await;
    it.store.damage(Space::Envelopes, id.to_key(), "garbage");
    let it = it.restart().await;
    assert_eq!(it.deliver().await, sound);
    it.expect_quiet(Duration::from_secs(9_999)).await;
    assert_eq!(it.events(), ["corrupt", "removed"]);
    assert_eq!(it.store.len(Space::States), 1);
    let held = it.queue.hold(id, mailweir_mail::HoldReason::new("operator")).await;
    assert!(matches!(held, Err(ChangeError::Corrupt { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_mail_without_recipients_is_refused() {
    let it = Fixture::new();
    let intake = it.queue.intake(0).unwrap();
    let refused = intake.commit(mail(0)).await;
    assert!(matches!(refused, Err(crate::IntakeError::NoRecipient)));
}

#[tokio::test(start_paused = true)]
async fn more_mail_than_fits_in_memory_is_read_back_in_its_turn() {
    let it = Fixture::with(|options| {
        options.qmgr_message_active_limit = 3;
        options.handover_cache = CONTENT.len();
    });
    let mut ids = std::collections::BTreeSet::new();
    for _ in 0..10 {
        ids.insert(it.accept(mail(1)).await);
    }
    while !ids.is_empty() {
        let claim = it.claim().await;
        assert!(ids.remove(&claim.id));
        assert_eq!(it.queue.body(claim.id, &claim.body).await.unwrap().size(), claim.size);
        it.record_all(&claim, delivered()).await;
    }
    assert!(it.is_empty());
}
