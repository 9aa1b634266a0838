//! The process dies at every durable step; a restart must keep the promises.
//!
//! One story touches every kind of step: accept, hold, deliver, fail, report, release, defer,
//! delete. It is told again and again on a disk that dies at its first, second, ... commit, once
//! losing the batch and once losing only the answer. What the story was told is durable is noted;
//! after the restart the rest of the mail is worked off and compared with the notes.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use mailweir_mail::{HoldReason, QueueId};

use super::harness::*;
use crate::{
    AttemptResult, Claim, Disposition, NewMail, Queue, RecipientIndex, ReportKind, Work,
    store::{
        Space, StoreError,
        faulty::{Fate, FaultyDisk},
        memory::MemoryStore,
    },
};

/// FORMAT.md, crash points 1 to 9.
#[tokio::test(start_paused = true)]
async fn whatever_was_promised_survives_a_crash_at_every_durable_step_j1() {
    for fate in [Fate::Lost, Fate::AnswerLost] {
        for step in 1.. {
            if !crash_at(step, fate).await {
                assert!(step > 10, "the story has more durable steps than that");
                break;
            }
        }
    }
}

/// Whether the disk died within the story.
async fn crash_at(step: usize, fate: Fate) -> bool {
    let directory = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let disk = Arc::new(FaultyDisk::dies_at(Arc::default(), step, fate));
    let mut notes = Notes::default();
    let queue = Queue::open_on(disk.clone(), quiet(directory.path()), clock.clone()).unwrap();
    let told_to_the_end = tell(&queue, &mut notes).await.is_some();
    queue.shutdown().await;
    drop(queue);

    let store = Arc::new(disk.survivors());
    let queue = Queue::open_on(store.clone(), quiet(directory.path()), clock).unwrap();
    work_off(&queue, &mut notes, &store).await;
    notes.check(&format!("crash at step {step}, {fate:?}"));
    queue.shutdown().await;
    !told_to_the_end
}

/// The story. `None` when the disk died on the way.
async fn tell(queue: &Queue, notes: &mut Notes) -> Option<()> {
    let split = accept(queue, Disposition::Ready, 3, notes).await?;
    let held = accept(queue, Disposition::Held(HoldReason::new("rule")), 1, notes).await?;
    notes.held.insert(held, Certainty::Known);
    one_of_each_result(queue, notes).await?;
    one_report(queue, notes, split).await?;
    release_and_defer(queue, notes, held).await?;
    notes.held.insert(split, Certainty::Unknown);
    queue.hold(split, HoldReason::new("operator")).await.ok()?;
    notes.held.insert(split, Certainty::Known);
    notes.deleted.insert(held, Certainty::Unknown);
    queue.delete(held, "operator").await.ok()?;
    notes.deleted.insert(held, Certainty::Known);
    Some(())
}

async fn one_of_each_result(queue: &Queue, notes: &mut Notes) -> Option<()> {
    let claim = claim(queue).await?;
    notes.send(queue, &claim, nth(0), delivered()).await?;
    notes.send(queue, &claim, nth(1), failed()).await?;
    notes.send(queue, &claim, nth(2), deferred()).await
}

async fn one_report(queue: &Queue, notes: &mut Notes, about: QueueId) -> Option<()> {
    assert_eq!(report(queue, notes).await?, about);
    let report = claim(queue).await?;
    notes.send(queue, &report, nth(0), delivered()).await
}

async fn release_and_defer(queue: &Queue, notes: &mut Notes, held: QueueId) -> Option<()> {
    notes.held.insert(held, Certainty::Unknown);
    queue.release(held, "moderator").await.ok()?;
    notes.held.remove(&held);
    let released = claim(queue).await?;
    assert_eq!(released.id, held);
    notes.send(queue, &released, nth(0), deferred()).await
}

/// Releases what is held and delivers everything, until nothing is left.
async fn work_off(queue: &Queue, notes: &mut Notes, store: &MemoryStore) {
    for listing in queue.list(crate::Filter::default(), 100).await.unwrap() {
        let is_held = listing.mail.place() == crate::Place::Held;
        match notes.held.get(&listing.id) {
            Some(Certainty::Known) => assert!(is_held, "a durable hold was lost"),
            Some(Certainty::Unknown) => {}
            None => assert!(!is_held || !notes.accepted.contains_key(&listing.id)),
        }
        if is_held {
            queue.release(listing.id, "operator").await.unwrap();
        }
    }
    while store.len(Space::Envelopes) > 0 {
        match queue.next_work().await.unwrap() {
            Work::Deliver(claim) => {
                for index in claim.pending.clone() {
                    notes.send(queue, &claim, index, delivered()).await.unwrap();
                }
            }
            Work::Report(owed) => {
                write(queue, owed, notes).await.unwrap();
            }
            Work::Screen(_) => unreachable!("nothing is screened in this story"),
        }
    }
    for space in Space::ALL {
        assert_eq!(store.len(space), 0, "nothing may be left in {space:?}");
    }
}

async fn accept(
    queue: &Queue,
    disposition: Disposition,
    recipients: usize,
    notes: &mut Notes,
) -> Option<QueueId> {
    let intake = queue.intake(0).ok()?;
    let id = intake.id();
    let new = NewMail { disposition, ..mail(recipients) };
    intake.commit(new).await.ok()?;
    notes.accepted.insert(id, recipients);
    Some(id)
}

async fn claim(queue: &Queue) -> Option<Claim> {
    match queue.next_work().await? {
        Work::Deliver(claim) => Some(claim),
        other => panic!("expected a mail to deliver, got {other:?}"),
    }
}

async fn report(queue: &Queue, notes: &mut Notes) -> Option<QueueId> {
    match queue.next_work().await? {
        Work::Report(owed) => write(queue, owed, notes).await,
        other => panic!("expected a report to write, got {other:?}"),
    }
}

async fn write(queue: &Queue, owed: crate::OwedReport, notes: &mut Notes) -> Option<QueueId> {
    assert_eq!(owed.kind, ReportKind::Failure);
    let about = owed.id;
    let intake = queue.intake(0).ok()?;
    // Noted before the answer: a report that survives a crash is known by its id.
    notes.reports.entry(about).or_default().insert(intake.id());
    queue.commit_report(owed, intake, from_null(mail(1))).await.ok()?;
    Some(about)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Certainty {
    Known,
    /// The disk died before the answer.
    Unknown,
}

/// What the story was told, and what it did to the world.
#[derive(Default)]
struct Notes {
    /// Mails with a receipt, and their number of recipients.
    accepted: HashMap<QueueId, usize>,
    /// How often a recipient got a mail, and whether the first time was recorded.
    sent: HashMap<(QueueId, RecipientIndex), (usize, Certainty)>,
    /// Recipients that were refused, and whether that was recorded.
    failed: HashMap<(QueueId, RecipientIndex), Certainty>,
    held: HashMap<QueueId, Certainty>,
    deleted: HashMap<QueueId, Certainty>,
    /// The reports that were begun about a mail.
    reports: HashMap<QueueId, HashSet<QueueId>>,
}

impl Notes {
    async fn send(
        &mut self,
        queue: &Queue,
        claim: &Claim,
        index: RecipientIndex,
        result: AttemptResult,
    ) -> Option<()> {
        let key = (claim.id, index);
        let is_sent = matches!(result, AttemptResult::Delivered { .. });
        let is_failed = matches!(result, AttemptResult::Failed { .. });
        if is_sent {
            let (times, recorded) = self.sent.entry(key).or_insert((0, Certainty::Unknown));
            assert_eq!((*times > 0, *recorded), (*times > 0, Certainty::Unknown), "sent again");
            *times += 1;
        }
        if is_failed {
            self.failed.insert(key, Certainty::Unknown);
        }
        queue.record(claim, vec![(index, result)]).await.ok()?;
        if is_sent {
            self.sent.entry(key).and_modify(|(_, recorded)| *recorded = Certainty::Known);
        }
        if is_failed {
            self.failed.insert(key, Certainty::Known);
        }
        Some(())
    }

    fn check(&self, when: &str) {
        for (id, recipients) in &self.accepted {
            for index in (0..u32::try_from(*recipients).unwrap()).map(RecipientIndex) {
                self.check_recipient(*id, index, when);
            }
        }
        for (id, index) in self.failed.keys() {
            // A refusal that was not recorded is forgotten: the recipient is tried again.
            let expected = usize::from(!self.sent.contains_key(&(*id, *index)));
            let reports = self.reports.get(id).into_iter().flatten();
            let arrived = reports.filter(|report| self.sent.contains_key(&(**report, nth(0))));
            assert_eq!(arrived.count(), expected, "{when}: reports about {id}");
        }
    }

    fn check_recipient(&self, id: QueueId, index: RecipientIndex, when: &str) {
        let is_sent = self.sent.contains_key(&(id, index));
        let failed = self.failed.get(&(id, index));
        assert!(!is_sent || failed != Some(&Certainty::Known), "{when}: {id} was refused");
        match self.deleted.get(&id) {
            Some(Certainty::Known) => assert!(!is_sent, "{when}: {id} was deleted"),
            Some(Certainty::Unknown) => {}
            None => assert!(is_sent || failed.is_some(), "{when}: {id} is lost for {index:?}"),
        }
    }
}

fn quiet(directory: &std::path::Path) -> crate::Options {
    options(directory, &Arc::default())
}

/// FORMAT.md, crash point 10: the disk says no, and then yes.
#[tokio::test(start_paused = true)]
async fn after_a_failed_sync_nothing_is_accepted_or_handed_out_j4() {
    let directory = tempfile::tempdir().unwrap();
    let disk = Arc::new(FaultyDisk::dies_at(Arc::default(), 3, Fate::Lost));
    let queue = Queue::open_on(disk, quiet(directory.path()), TestClock::new()).unwrap();
    for _ in 0..2 {
        super::harness::accept(&queue, mail(1)).await;
    }
    let late = queue.intake(0).unwrap();
    let claim = claim(&queue).await.unwrap();
    assert!(queue.record(&claim, vec![(nth(0), delivered())]).await.is_err());
    assert!(matches!(late.commit(mail(1)).await, Err(crate::IntakeError::Store(_))));
    assert!(matches!(queue.intake(0), Err(crate::IntakeError::Store(_))));
    assert!(queue.next_work().await.is_none());
    assert!(queue.list(crate::Filter::default(), 9).await.is_ok(), "people can still look");
}

/// FORMAT.md, crash point 11.
#[tokio::test(start_paused = true)]
async fn a_spool_file_without_a_record_is_set_aside_at_start() {
    let it = Fixture::with(|options| options.spool_threshold = 10);
    let mut intake = it.queue.intake(0).unwrap();
    intake.write(CONTENT).await.unwrap();
    let id = intake.id();
    let prepared = intake.prepare(mail(1)).await.unwrap();
    // The process dies between the rename and the commit: nobody removes the file.
    let _ = prepared.ticket.redeem(Err(StoreError::Stopped));
    let path = it.directory.path().join("spool/orphans").join(id.to_string());
    tokio::time::advance(Duration::from_secs(1)).await;
    let it = it.restart().await;
    for _ in 0..1_000 {
        // Time stands still while the background task runs.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(path.exists());
    assert!(it.queue.show(id).await.unwrap().is_none());
}

/// FORMAT.md, crash point 12.
#[tokio::test(start_paused = true)]
async fn an_intake_that_is_dropped_at_any_point_leaves_nothing() {
    let it = Fixture::with(|options| options.spool_threshold = 10);
    for pieces in 0..5 {
        let mut intake = it.queue.intake(0).unwrap();
        for _ in 0..pieces {
            intake.write(b"123456789").await.unwrap();
        }
        drop(intake);
    }
    let files = std::fs::read_dir(it.directory.path().join("spool/tmp")).unwrap();
    assert_eq!(files.count(), 0);
    assert!(it.is_empty());
    it.expect_quiet(Duration::from_secs(1)).await;
}

/// FORMAT.md, crash point 13: the peer leaves after its final dot.
#[tokio::test(start_paused = true)]
async fn a_commit_that_was_begun_is_brought_to_its_end() {
    let it = Fixture::new();
    let intake = it.queue.intake(0).unwrap();
    let id = intake.id();
    let commit = intake.commit(mail(1));
    let mut commit = Box::pin(commit);
    let waker = std::task::Waker::noop();
    let _ = commit.as_mut().poll(&mut std::task::Context::from_waker(waker));
    drop(commit);
    assert_eq!(it.deliver().await, id);
}
