//! What moderation keeps beside mail: with a change of the queue, or not at all.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use mailweir_mail::{HoldReason, QueueId};

use super::harness::*;
use crate::{
    Annex, ChangeError, Disposition, Filter, Listed, NewMail, Queue, RecipientIndex, StoredCases,
    When,
    journal::Broken,
    progress::State,
    store::{
        Space,
        faulty::{Fate, FaultyDisk},
    },
};

fn held(recipients: usize) -> NewMail {
    let disposition = Disposition::Held(HoldReason::new("rule"));
    NewMail { disposition, ..mail(recipients) }
}

fn annex(id: QueueId, case: &str) -> Annex {
    let mut annex = Annex::default();
    annex.put_case(id, case.as_bytes());
    annex.append(format!("{case} of a mail"));
    annex
}

async fn hold(queue: &Queue, mail: NewMail) -> Option<QueueId> {
    let mut intake = queue.intake(0).ok()?;
    intake.write(CONTENT).await.ok()?;
    let id = intake.id();
    let composed = queue.compose(intake, mail).await.ok()?;
    queue.commit_with(composed, annex(id, "opened")).await.ok().map(|receipt| receipt.queue_id())
}

async fn release(
    queue: &Queue,
    id: QueueId,
    only: Option<Vec<RecipientIndex>>,
) -> Result<When, ChangeError> {
    let pinned = queue.pin(id).await?;
    queue.release_with(&pinned, "moderator", only, annex(id, "released")).await
}

fn cases(queue: &Queue) -> Vec<(QueueId, Bytes)> {
    let StoredCases { cases, failures } = queue.cases();
    assert!(failures.is_empty(), "{failures:?}");
    cases.into_iter().map(|(id, case)| (id, case.unwrap())).collect()
}

fn journal(queue: &Queue) -> Result<Vec<Bytes>, Broken> {
    let mut entries = Vec::new();
    queue.read_journal(1, &mut |entry| {
        entries.push(entry.content);
        true
    })?;
    Ok(entries)
}

#[tokio::test(start_paused = true)]
async fn a_case_is_there_with_its_mail_and_stays_when_the_mail_is_gone() {
    let it = Fixture::new();
    let id = hold(&it.queue, held(1)).await.unwrap();
    let it = it.restart().await;
    assert_eq!(cases(&it.queue), [(id, Bytes::from("opened"))]);
    it.expect_quiet(Duration::from_secs(9_999)).await;
    assert_eq!(release(&it.queue, id, None).await.unwrap(), When::Now);
    assert_eq!(it.deliver().await, id);
    let it = it.restart().await;
    assert_eq!((cases(&it.queue), it.queue.stats().held), (vec![(id, "released".into())], 0));
    assert_eq!(journal(&it.queue).unwrap(), ["opened of a mail", "released of a mail"]);
    let mut annex = Annex::default();
    annex.remove_case(id);
    it.queue.write(annex).await.unwrap();
    assert_eq!(cases(&it.queue), []);
}

#[tokio::test(start_paused = true)]
async fn cases_that_cannot_be_read_are_told_and_never_taken_for_none() {
    let it = Fixture::new();
    let id = hold(&it.queue, held(1)).await.unwrap();
    it.queue.write(annex(id, "opened")).await.unwrap();
    let (it, disk) = it.restart_on_bad_disk().await;
    disk.set(true);
    let StoredCases { cases: read, failures } = it.queue.cases();
    assert!(read.is_empty() && !failures.is_empty());
    disk.set(false);
    assert_eq!(cases(&it.queue), [(id, Bytes::from("opened"))]);
    it.store.damage(Space::Cases, id.to_key(), "rot");
    let StoredCases { cases: read, failures } = it.queue.cases();
    assert!(matches!(&read[..], [(_, Err(_))]) && failures.is_empty(), "{read:?}");
}

#[tokio::test(start_paused = true)]
async fn it_is_released_to_some_and_the_others_are_given_up_without_a_report() {
    let it = Fixture::new();
    let id = hold(&it.queue, held(3)).await.unwrap();
    for nobody in [vec![RecipientIndex(3)], Vec::new()] {
        let refused = release(&it.queue, id, Some(nobody)).await;
        assert!(matches!(refused, Err(ChangeError::Illegal(_))), "{refused:?}");
    }
    assert_eq!(cases(&it.queue), [(id, Bytes::from("opened"))], "what is refused changes nothing");
    release(&it.queue, id, Some(vec![RecipientIndex(1)])).await.unwrap();
    let claim = it.claim().await;
    assert_eq!(claim.pending, [RecipientIndex(1)]);
    it.record_all(&claim, delivered()).await;
    it.expect_quiet(Duration::from_secs(9_999)).await;
    assert_eq!(it.queue.stats().held, 0);
    assert_eq!(it.events(), ["released", "removed"]);
}

#[tokio::test(start_paused = true)]
async fn a_second_release_is_refused_with_all_that_belongs_to_it() {
    let it = Fixture::new();
    let id = hold(&it.queue, held(1)).await.unwrap();
    let pinned = it.queue.pin(id).await.unwrap();
    let first = it.queue.release_with(&pinned, "ann", None, annex(id, "by ann"));
    let second = it.queue.release_with(&pinned, "bob", None, annex(id, "by bob"));
    first.await.unwrap();
    assert!(matches!(second.await, Err(ChangeError::Illegal(_))));
    assert_eq!(cases(&it.queue), [(id, Bytes::from("by ann"))]);
    assert_eq!(journal(&it.queue).unwrap(), ["opened of a mail", "by ann of a mail"]);
}

#[tokio::test(start_paused = true)]
async fn a_deletion_takes_the_mail_and_leaves_the_case() {
    let it = Fixture::new();
    let id = hold(&it.queue, held(1)).await.unwrap();
    let pinned = it.queue.pin(id).await.unwrap();
    it.queue.delete_with(&pinned, "moderator", annex(id, "rejected")).await.unwrap();
    drop(pinned);
    assert_eq!((it.queue.show(id).await.unwrap().is_none(), it.queue.stats().held), (true, 0));
    assert_eq!(cases(&it.queue), [(id, Bytes::from("rejected"))]);
}

/// Whatever the step at which the disk dies: mail, case and journal tell the same story.
#[tokio::test(start_paused = true)]
async fn mail_case_and_journal_agree_after_a_crash_at_every_step() {
    for step in 1..=3 {
        for fate in [Fate::Lost, Fate::AnswerLost] {
            let it = Fixture::new();
            let Fixture { queue, clock, store, directory, events } = it;
            queue.shutdown().await;
            drop(queue);
            let disk = Arc::new(FaultyDisk::dies_at(store, step, fate));
            let on = |storage| {
                Queue::open_on(storage, options(directory.path(), &events), clock.clone()).unwrap()
            };
            let queue = on(disk.clone());
            if let Some(id) = hold(&queue, held(1)).await {
                let _ = release(&queue, id, None).await;
            }
            queue.shutdown().await;
            drop(queue);
            let queue = on(Arc::new(disk.survivors()));
            let (stats, entries) = (queue.stats(), journal(&queue).unwrap());
            let case = cases(&queue).pop().map(|(_, case)| case);
            let expected: (usize, usize, Option<&str>, usize) = match (step, fate) {
                (1, Fate::Lost) => (0, 0, None, 0),
                (1, Fate::AnswerLost) | (2, Fate::Lost) => (1, 0, Some("opened"), 1),
                _ => (0, 1, Some("released"), 2),
            };
            let found = (stats.held, stats.ready, case.as_deref(), entries.len());
            let (held, ready, case, entries) = expected;
            assert_eq!(found, (held, ready, case.map(str::as_bytes), entries), "{step} {fate:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_mail_that_stays_on_hold_for_some_goes_to_no_others_when_it_is_released() {
    let it = Fixture::new();
    let id = hold(&it.queue, held(3)).await.unwrap();
    let pinned = it.queue.pin(id).await.unwrap();
    let stay = |only: Option<Vec<RecipientIndex>>| {
        let reason = HoldReason::new("another rule");
        it.queue.keep_held_with(&pinned, reason, only, annex(id, "approved"))
    };
    for nobody in [vec![RecipientIndex(3)], Vec::new()] {
        let refused = stay(Some(nobody)).await;
        assert!(matches!(refused, Err(ChangeError::Illegal(_))), "{refused:?}");
    }
    stay(Some(vec![RecipientIndex(0), RecipientIndex(2)])).await.unwrap();
    drop(pinned);
    let it = it.restart().await;
    it.expect_quiet(Duration::from_secs(9_999)).await;
    let listed = it.queue.list(Filter::default(), 9).await.unwrap();
    let Listed::Sound { progress, .. } = &listed[0].mail else { panic!("{listed:?}") };
    let State::Held { reason, .. } = &progress.state else { panic!("{progress:?}") };
    assert_eq!(reason.as_str(), "another rule");
    it.queue.release(id, "operator").await.unwrap();
    assert_eq!(it.claim().await.pending, [RecipientIndex(0), RecipientIndex(2)]);
}

#[tokio::test(start_paused = true)]
async fn content_is_read_piece_by_piece_wherever_it_is() {
    let it = Fixture::new();
    let id = hold(&it.queue, held(1)).await.unwrap();
    let content = it.queue.content(id).await.unwrap().unwrap();
    assert_eq!(content.size(), CONTENT.len() as u64);
    assert_eq!(content.reader().next().await.unwrap().as_deref(), Some(CONTENT));
    release(&it.queue, id, None).await.unwrap();
    it.deliver().await;
    assert!(it.queue.content(id).await.unwrap().is_none(), "it is gone");
}
