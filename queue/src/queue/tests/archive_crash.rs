//! The process dies at every durable step of mail that the archive is to keep: a mail is either not
//! accepted, or owed until the archive said that it has it.
//!
//! One story, told again and again on a disk that dies at its first, second, ... commit, once losing
//! the batch and once losing only the answer; with content in the store, and in spool files. After
//! the restart the rest is worked off, and the archive must have all that was promised.

use std::{collections::HashMap, path::Path, sync::Arc, time::Duration};

use mailweir_mail::{HoldReason, QueueId};

use super::harness::*;
use crate::{
    Annex, ArchivePart, AttemptResult, Disposition, Filter, NewMail, Options, Place, Queue, Work,
    progress::Outcome,
    spool::Spool,
    store::{
        Space, Storage,
        faulty::{Fate, FaultyDisk},
    },
};

/// FORMAT.md, crash points 16 to 19.
#[tokio::test(start_paused = true)]
async fn the_archive_gets_all_that_was_promised_whatever_step_the_disk_dies_at() {
    for fate in [Fate::Lost, Fate::AnswerLost] {
        for step in 1.. {
            if !crash_at(step, fate).await {
                assert!(step > 12, "the story has more durable steps than that");
                break;
            }
        }
    }
}

/// Whether the disk died within the story.
async fn crash_at(step: usize, fate: Fate) -> bool {
    let directory = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let open = |storage: Arc<dyn Storage>| {
        let options = options(directory.path(), &Arc::default());
        let options = Options { spool_threshold: SMALL.len(), ..options };
        Queue::open_on(storage, options, clock.clone()).unwrap()
    };
    let disk = Arc::new(FaultyDisk::dies_at(Arc::default(), step, fate));
    let mut archive = Archive::default();
    let queue = open(disk.clone());
    let told_to_the_end = tell(&queue, &mut archive).await.is_some();
    queue.shutdown().await;
    drop(queue);
    tokio::time::advance(Duration::from_secs(1)).await;

    let when = format!("crash at step {step}, {fate:?}");
    let store = Arc::new(disk.survivors());
    let queue = open(store.clone());
    work_off(&queue, &mut archive).await;
    archive.check(&when);
    for space in Space::ALL {
        assert_eq!(store.len(space), 0, "{when}: something is left in {space:?}");
    }
    assert_eq!(queue.stats(), crate::Stats::default(), "{when}");
    queue.shutdown().await;
    assert_eq!(files(directory.path()), 0, "{when}: a file is left");
    !told_to_the_end
}

/// The story. `None` when the disk died on the way.
async fn tell(queue: &Queue, archive: &mut Archive) -> Option<()> {
    let relayed = [
        accept(queue, archived(mail(1)), CONTENT, archive).await?,
        accept(queue, archived(mail(1)), SMALL, archive).await?,
    ];
    let held = Disposition::Held(HoldReason::new("rule"));
    let held = NewMail { disposition: held, ..archived(mail(1)) };
    let held = accept(queue, held, SMALL, archive).await?;
    let late = accept(queue, archived(mail(1)), CONTENT, archive).await?;
    accept(queue, mail(1), CONTENT, archive).await?;
    for result in [delivered(), delivered(), deferred(), delivered()] {
        attempt(queue, result).await?;
    }
    archive.take_all(queue).await?;
    archive.expect_known(&relayed, (true, true));
    archive.expect_known(&[held, late], (true, false));
    reject(queue, held).await?;
    queue.flush();
    attempt(queue, failed()).await?;
    archive.take_all(queue).await?;
    archive.expect_known(&[held], (true, true));
    archive.expect_known(&[late], (true, false));
    report(queue).await?;
    archive.take_all(queue).await?;
    archive.expect_known(&[late], (true, true));
    Some(())
}

async fn accept(
    queue: &Queue,
    mut mail: NewMail,
    content: &'static [u8],
    archive: &mut Archive,
) -> Option<QueueId> {
    let mut intake = queue.intake(0).ok()?;
    intake.write(content).await.ok()?;
    // So that the archive knows what the content must be.
    mail.archive = mail.archive.map(|_| content.into());
    let is_to_be_kept = mail.archive.is_some();
    let id = intake.commit(mail).await.ok()?.queue_id();
    archive.promised.extend(is_to_be_kept.then_some(id));
    Some(id)
}

async fn reject(queue: &Queue, id: QueueId) -> Option<()> {
    let pinned = queue.pin(id).await.ok()?;
    let mut annex = Annex::default();
    annex.tell_archive(REJECTED.into());
    queue.delete_with(&pinned, "moderator", annex).await.ok().map(drop)
}

async fn report(queue: &Queue) -> Option<()> {
    match queue.next_work().await? {
        Work::Report(owed) => queue.waive_report(owed).await.ok(),
        other => panic!("expected a report to write, got {other:?}"),
    }
}

async fn attempt(queue: &Queue, result: AttemptResult) -> Option<()> {
    let Work::Deliver(claim) = queue.next_work().await? else { panic!("a mail is to be tried") };
    queue.record(&claim, vec![(nth(0), result)]).await.ok().map(drop)
}

/// Delivers everything and archives everything, until nothing is left.
async fn work_off(queue: &Queue, archive: &mut Archive) {
    loop {
        archive.take_all(queue).await.unwrap();
        let left = queue.list(Filter::default(), 100).await.unwrap();
        for held in left.iter().filter(|line| line.mail.place() == Place::Held) {
            queue.release(held.id, "operator").await.unwrap();
        }
        if left.is_empty() {
            return;
        }
        match queue.next_work().await.unwrap() {
            Work::Deliver(claim) => {
                queue.record(&claim, vec![(nth(0), delivered())]).await.unwrap();
            }
            Work::Report(owed) => queue.waive_report(owed).await.unwrap(),
            Work::Screen(_) => unreachable!("nothing is screened in this story"),
        }
    }
}

fn files(directory: &Path) -> usize {
    Spool::open(directory).unwrap().files().unwrap().len()
}

/// What an archive has, and what it was told that the queue knows of that.
#[derive(Default)]
struct Archive {
    promised: Vec<QueueId>,
    kept: HashMap<QueueId, Kept>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Kept {
    is_captured: bool,
    outcome: Option<Outcome>,
    /// What the queue said it knows, for good.
    known: (bool, bool),
}

impl Archive {
    /// Takes what is owed, group by group. `None` when the disk died.
    async fn take_all(&mut self, queue: &Queue) -> Option<()> {
        loop {
            let group = queue.next_to_archive(9).await;
            if group.is_empty() {
                return (!queue.is_stopped()).then_some(());
            }
            for owed in &group {
                let has = self.kept.entry(owed.id).or_default();
                if owed.part != ArchivePart::Outcome {
                    let mut reader = queue.body(owed.id, &owed.body).await.unwrap().reader();
                    assert_eq!(reader.next().await.unwrap().as_deref(), Some(&owed.note[..]));
                    assert!(reader.next().await.unwrap().is_none());
                    assert!(!has.known.0, "{owed:?} was handed out again");
                    has.is_captured = true;
                }
                assert!(has.is_captured, "an outcome before its mail");
                if let Some(ending) = &owed.ending {
                    assert!(!has.known.1, "{owed:?} was handed out again");
                    assert!(has.outcome.is_none_or(|outcome| outcome == ending.outcome));
                    has.outcome = Some(ending.outcome);
                    // Who decided is known if it was done, and only then.
                    let decided = ending.decisions == [REJECTED];
                    assert!(decided || ending.decisions.is_empty(), "{ending:?}");
                    assert_eq!(decided, ending.outcome == Outcome::Deleted, "{ending:?}");
                }
            }
            let parts: Vec<_> = group.iter().map(|owed| (owed.id, owed.part)).collect();
            queue.archived(group).await.ok()?;
            for (id, part) in parts {
                let has = self.kept.entry(id).or_default();
                has.known = (true, has.known.1 || part != ArchivePart::Capture);
            }
        }
    }

    fn expect_known(&self, ids: &[QueueId], known: (bool, bool)) {
        for id in ids {
            assert_eq!(self.kept.get(id).map(|has| has.known), Some(known), "{id}");
        }
    }

    fn check(&self, when: &str) {
        for id in &self.promised {
            assert!(self.kept.contains_key(id), "{when}: {id} never came to the archive");
        }
        for (id, has) in &self.kept {
            assert!(has.is_captured && has.outcome.is_some(), "{when}: {id}: {has:?}");
        }
    }
}

const REJECTED: &str = "rejected by a moderator";

/// Stays in the store; what is longer has a file.
const SMALL: &[u8] = b"Subject: small\r\n\r\n";
