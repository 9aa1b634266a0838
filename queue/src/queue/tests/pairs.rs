//! Two mails of one content: both are there, or neither.

use std::sync::Arc;

use mailweir_mail::{HoldReason, QueueId};

use super::harness::*;
use crate::{
    Annex, Body, Disposition, IntakeError, Options, Queue,
    store::{
        Space,
        faulty::{Fate, FaultyDisk},
    },
};

/// One that is sent at once and one that waits.
async fn split(queue: &Queue, content: &[u8]) -> Result<[QueueId; 2], IntakeError> {
    let mut intake = queue.intake(0)?;
    intake.write(content).await?;
    let expected = [intake.id(), intake.other_id()?];
    assert_eq!(intake.other_id()?, expected[1]);
    let mut waits = mail(1);
    waits.disposition = Disposition::Held(HoldReason::new("rule"));
    let pair = queue.compose_two(intake, [mail(2), waits]).await?;
    let [sent, held] = pair.ids();
    assert_eq!([sent, held], expected);
    let mut annex = Annex::default();
    annex.put_case(held, b"opened");
    let receipts = queue.commit_two_with(pair, annex).await?;
    let ids = receipts.each_ref().map(crate::Receipt::queue_id);
    assert_eq!(ids, [sent, held]);
    assert!(receipts.iter().all(|receipt| receipt.size() == content.len() as u64));
    Ok(ids)
}

fn small_and_large() -> [fn(&mut Options); 2] {
    [|_| {}, |options| options.spool_threshold = 10]
}

#[tokio::test(start_paused = true)]
async fn each_has_all_of_the_content_also_when_the_other_is_gone_and_after_a_restart() {
    for adjust in small_and_large() {
        let it = Fixture::with(adjust);
        let [sent, held] = split(&it.queue, CONTENT).await.unwrap();
        assert_eq!(it.deliver().await, sent);
        assert!(it.queue.show(sent).await.unwrap().is_none());
        let it = it.restart().await;
        assert_eq!(it.queue.stats().held, 1);
        it.queue.release(held, "moderator").await.unwrap();
        let claim = it.claim().await;
        assert_eq!((claim.id, claim.envelope.recipients.len()), (held, 1));
        let content = it.queue.body(held, &claim.body).await.unwrap();
        let mut reader = content.reader();
        assert_eq!(reader.next().await.unwrap().as_deref(), Some(CONTENT));
        let file = match &claim.body {
            Body::Spool(file) => Some(file.path.clone()),
            Body::Memory(_) | Body::Stored => None,
        };
        it.record_all(&claim, delivered()).await;
        assert!(file.is_none_or(|path| !path.exists()));
        assert_eq!(it.store.len(Space::Bodies), 0);
        assert_eq!(it.store.len(Space::Cases), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_pair_of_which_one_has_no_recipient_is_refused_and_leaves_nothing() {
    let it = Fixture::with(|options| options.spool_threshold = 10);
    for mails in [[mail(1), mail(0)], [mail(0), mail(1)]] {
        let mut intake = it.queue.intake(0).unwrap();
        intake.write(CONTENT).await.unwrap();
        let refused = it.queue.compose_two(intake, mails).await.map(drop);
        assert!(matches!(refused, Err(IntakeError::NoRecipient)), "{refused:?}");
    }
    let mut intake = it.queue.intake(0).unwrap();
    intake.write(CONTENT).await.unwrap();
    drop(it.queue.compose_two(intake, [mail(1), mail(1)]).await.unwrap());
    let it = it.restart().await;
    assert!(it.is_empty());
    assert!(!it.directory.path().join("spool/orphans").exists());
}

/// Whatever the disk does to the commit: both mails and the case, or none of them.
#[tokio::test(start_paused = true)]
async fn both_or_neither_survive_a_crash_in_the_commit() {
    for (fate, adjust) in [Fate::Lost, Fate::AnswerLost]
        .into_iter()
        .flat_map(|fate| small_and_large().map(|adjust| (fate, adjust)))
    {
        let Fixture { queue, clock, store, directory, events } = Fixture::new();
        queue.shutdown().await;
        drop(queue);
        let disk = Arc::new(FaultyDisk::dies_at(store, 1, fate));
        let on = |storage| {
            let mut options = options(directory.path(), &events);
            adjust(&mut options);
            Queue::open_on(storage, options, clock.clone()).unwrap()
        };
        let queue = on(disk.clone());
        let promised = split(&queue, CONTENT).await;
        assert!(matches!(promised, Err(IntakeError::Store(_))), "{promised:?}");
        queue.shutdown().await;
        drop(queue);
        let queue = on(Arc::new(disk.survivors()));
        let (stats, cases) = (queue.stats(), queue.cases().cases.len());
        let found = (stats.ready, stats.held, cases);
        let all = if fate == Fate::Lost { (0, 0, 0) } else { (1, 1, 1) };
        assert_eq!(found, all, "{fate:?}");
        queue.shutdown().await;
    }
}
