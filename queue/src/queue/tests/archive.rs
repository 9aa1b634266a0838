//! What the archive is owed: handed out, taken, and gone then. What a crash does to it is in
//! `archive_crash.rs`.

use std::{collections::HashMap, sync::Arc, time::Duration};

use mailweir_mail::{HoldReason, Stage};

use super::{super::archive::MOST_KEPT, harness::*};
use crate::{
    Annex, ArchivePart, Body, ChangeError, Disposition, Filter, IntakeError, LONGEST_NOTE, Listed,
    NewMail, Place, Queue, Recorded, When, Work,
    progress::{MOST_DECISIONS, Outcome, RecipientStatus},
    store::Space,
};

#[tokio::test(start_paused = true)]
async fn a_relayed_mail_is_handed_out_once_whole_from_memory_and_gone_when_the_archive_has_it() {
    let it = Fixture::new();
    let id = it.accept(archived(mail(2))).await;
    let claim = it.claim().await;
    assert_eq!(it.record_all(&claim, delivered()).await, Recorded::Kept(Place::Archiving));
    drop(claim);
    let owed = it.debt().await;
    assert_eq!((owed.id, owed.part, owed.size), (id, ArchivePart::Both, CONTENT.len() as u64));
    assert!(matches!(&owed.body, Body::Memory(content) if &content[..] == CONTENT));
    assert_eq!((&owed.note[..], &*owed.origin), (NOTE.as_bytes(), &origin()));
    assert_eq!(owed.envelope.recipients.len(), 2);
    let ending = owed.ending.as_ref().unwrap();
    assert_eq!(ending.outcome, Outcome::Delivered);
    let is_delivered = |it: &RecipientStatus| matches!(it, RecipientStatus::Delivered { .. });
    assert!(ending.recipients.len() == 2 && ending.recipients.iter().all(is_delivered));
    assert!(it.queue.next_to_archive(9).await.is_empty(), "it is handed out");
    assert!(it.events().is_empty());
    it.queue.archived(vec![owed]).await.unwrap();
    assert!(it.is_empty());
    assert_eq!(it.events(), ["removed"]);
    it.expect_nothing_left();
}

#[tokio::test(start_paused = true)]
async fn a_mail_that_waits_is_captured_first_and_its_outcome_follows() {
    let it = Fixture::new();
    let id = it.accept(archived(mail(1))).await;
    let claim = it.claim().await;
    it.record_all(&claim, deferred()).await;
    drop(claim);
    let owed = it.debt().await;
    assert_eq!((owed.part, &owed.ending), (ArchivePart::Capture, &None));
    it.queue.archived(vec![owed]).await.unwrap();
    let it = it.restart().await;
    assert!(it.queue.next_to_archive(9).await.is_empty(), "nothing new is known");
    assert_eq!(it.deliver().await, id);
    let owed = it.debt().await;
    assert_eq!((owed.id, owed.part), (id, ArchivePart::Outcome));
    assert_eq!(owed.ending.as_ref().unwrap().outcome, Outcome::Delivered);
    it.queue.archived(vec![owed]).await.unwrap();
    assert!(it.is_empty());
    it.expect_nothing_left();
}

#[tokio::test(start_paused = true)]
async fn a_mail_that_ends_while_the_archive_takes_it_owes_its_outcome_then() {
    let it = Fixture::new();
    let id = it.accept(archived(mail(1))).await;
    let captured = it.debt().await;
    assert_eq!(captured.part, ArchivePart::Capture);
    assert_eq!(it.deliver().await, id);
    assert!(it.queue.next_to_archive(9).await.is_empty(), "it is handed out");
    it.queue.archived(vec![captured]).await.unwrap();
    let owed = it.debt().await;
    assert_eq!((owed.id, owed.part), (id, ArchivePart::Outcome));
    it.queue.archived(vec![owed]).await.unwrap();
    it.expect_nothing_left();
}

#[tokio::test(start_paused = true)]
async fn what_was_dropped_is_owed_again_with_what_is_known_by_then() {
    let it = Fixture::new();
    let id = it.accept(archived(mail(1))).await;
    drop(it.debt().await);
    let again = it.debt().await;
    assert_eq!((again.id, again.part), (id, ArchivePart::Capture));
    it.deliver().await;
    drop(again);
    let again = it.debt().await;
    assert_eq!((again.id, again.part), (id, ArchivePart::Both));
    drop(again);
    let it = it.restart().await;
    assert_eq!(it.debt().await.part, ArchivePart::Both);
}

#[tokio::test(start_paused = true)]
async fn what_the_archive_is_being_given_is_owed_until_it_has_it() {
    let it = Fixture::new();
    let first = it.accept(archived(mail(1))).await;
    let given = it.debt().await;
    tokio::time::advance(Duration::from_secs(10)).await;
    let second = it.accept(archived(mail(1))).await;
    assert_eq!(it.queue.oldest_owed_to_archive(), Some(first.arrival()));
    it.queue.archived(vec![given]).await.unwrap();
    assert_eq!(it.queue.oldest_owed_to_archive(), Some(second.arrival()));
    it.queue.archived(vec![it.debt().await]).await.unwrap();
    assert_eq!(it.queue.oldest_owed_to_archive(), None);
}

#[tokio::test(start_paused = true)]
async fn a_held_mail_is_captured_and_its_deletion_is_an_outcome() {
    let it = Fixture::new();
    let disposition = Disposition::Held(HoldReason::new("rule"));
    let id = it.accept(archived(NewMail { disposition, ..mail(1) })).await;
    let owed = it.debt().await;
    assert_eq!((owed.id, owed.part), (id, ArchivePart::Capture));
    assert!(matches!(&owed.body, Body::Memory(content) if &content[..] == CONTENT));
    it.queue.archived(vec![owed]).await.unwrap();
    assert_eq!(it.queue.delete(id, "moderator").await.unwrap(), When::Now);
    let owed = it.debt().await;
    let ending = owed.ending.as_ref().unwrap();
    assert_eq!((owed.part, ending.outcome), (ArchivePart::Outcome, Outcome::Deleted));
    assert!(ending.recipients[0].is_pending(), "nobody got it");
    it.queue.archived(vec![owed]).await.unwrap();
    assert_eq!(it.events(), ["deleted", "removed"]);
    assert!(it.is_empty());
}

/// FORMAT.md, "What the archive is owed".
#[tokio::test(start_paused = true)]
async fn who_decided_comes_with_the_outcome_in_the_order_in_which_they_did() {
    let it = Fixture::new();
    let disposition = Disposition::Held(HoldReason::new("rule"));
    let held = |mail| NewMail { disposition: disposition.clone(), ..mail };
    let id = it.accept(held(archived(mail(1)))).await;
    let other = it.accept(held(mail(1))).await;
    it.queue.archived(vec![it.debt().await]).await.unwrap();
    let told = |word: &'static str| {
        let mut annex = Annex::default();
        annex.tell_archive(word.into());
        annex
    };
    let pinned = it.queue.pin(id).await.unwrap();
    let reason = HoldReason::new("a table");
    it.queue.keep_held_with(&pinned, reason, None, told("approved")).await.unwrap();
    let refused = it.queue.release_with(&pinned, "x", Some(vec![]), told("never")).await;
    assert!(refused.is_err());
    it.queue.release_with(&pinned, "x", None, told("released")).await.unwrap();
    drop(pinned);
    let it = it.restart().await;
    let claim = it.claim().await;
    let pinned = it.queue.pin(id).await.unwrap();
    let when = it.queue.delete_with(&pinned, "x", told("deleted")).await.unwrap();
    assert_eq!(when, When::AfterAttempt);
    drop(pinned);
    it.record_all(&claim, deferred()).await;
    drop(claim);
    let it = it.restart().await;
    let owed = it.debt().await;
    let ending = owed.ending.as_ref().unwrap();
    assert_eq!((owed.id, ending.outcome), (id, Outcome::Deleted));
    assert_eq!(ending.decisions, ["approved", "released", "deleted"]);
    it.queue.archived(vec![owed]).await.unwrap();
    // Nobody hears of mail that is not kept.
    let pinned = it.queue.pin(other).await.unwrap();
    it.queue.delete_with(&pinned, "x", told("deleted")).await.unwrap();
    assert!(it.queue.next_to_archive(9).await.is_empty());
    drop(pinned);
    assert!(it.is_empty());
    it.expect_nothing_left();
}

#[tokio::test(start_paused = true)]
async fn of_very_many_decisions_the_last_are_kept() {
    let it = Fixture::new();
    let id = it.accept(archived(mail(1))).await;
    for number in 0..=MOST_DECISIONS {
        let pinned = it.queue.pin(id).await.unwrap();
        let mut annex = Annex::default();
        annex.tell_archive(number.to_string().into());
        it.queue.requeue_with(&pinned, "x", annex).await.unwrap();
        drop(pinned);
        let Work::Screen(screening) = it.queue.next_work().await.unwrap() else {
            panic!("a mail to screen")
        };
        it.queue.pass(&screening, Stage::Route).await.unwrap();
    }
    it.deliver().await;
    let owed = it.debt().await;
    let kept = &owed.ending.as_ref().unwrap().decisions;
    assert_eq!((kept.len(), &kept[0][..]), (MOST_DECISIONS, &b"1"[..]));
}

#[tokio::test(start_paused = true)]
async fn mail_whose_sender_is_owed_a_report_has_not_ended() {
    let it = Fixture::new();
    let id = it.accept(archived(mail(1))).await;
    let claim = it.claim().await;
    it.record_all(&claim, failed()).await;
    drop(claim);
    let captured = it.debt().await;
    assert_eq!(captured.part, ArchivePart::Capture);
    let report = it.report().await;
    it.queue.archived(vec![captured]).await.unwrap();
    assert!(it.queue.next_to_archive(9).await.is_empty());
    it.queue.waive_report(report).await.unwrap();
    let owed = it.debt().await;
    assert_eq!((owed.id, owed.ending.as_ref().unwrap().outcome), (id, Outcome::Failed));
}

#[tokio::test(start_paused = true)]
async fn for_all_others_a_mail_that_only_the_archive_keeps_is_gone() {
    let it = Fixture::new();
    let id = it.accept(archived(mail(1))).await;
    it.deliver().await;
    let it = it.restart().await;
    let stats = crate::Stats { to_archive: 1, ..crate::Stats::default() };
    assert_eq!((it.queue.stats(), it.queue.oldest()), (stats, None));
    assert!(it.queue.list(Filter::default(), 9).await.unwrap().is_empty());
    assert!(it.queue.find(id).await.unwrap().is_none());
    assert!(it.queue.content(id).await.unwrap().is_none());
    assert!(matches!(it.queue.pin(id).await.map(drop), Err(ChangeError::NotFound(_))));
    let reason = HoldReason::new("operator");
    assert!(matches!(it.queue.hold(id, reason).await, Err(ChangeError::NotFound(_))));
    assert!(matches!(it.queue.delete(id, "operator").await, Err(ChangeError::NotFound(_))));
    it.expect_quiet(Duration::from_secs(9_999)).await;
    // Who asks for it sees it.
    let archiving = Filter { place: Some(Place::Archiving), after: None };
    let listed = it.queue.list(archiving, 9).await.unwrap();
    assert!(matches!(&listed[..], [line] if line.id == id));
    let shown = it.queue.show(id).await.unwrap().unwrap();
    assert_eq!((shown.mail.place(), shown.content.as_deref()), (Place::Archiving, Some(CONTENT)));
    assert!(matches!(shown.mail, Listed::Sound { .. }));
    it.queue.archived(vec![it.debt().await]).await.unwrap();
    assert!(it.queue.show(id).await.unwrap().is_none());
    it.expect_nothing_left();
}

#[tokio::test(start_paused = true)]
async fn mail_without_a_note_is_never_owed() {
    let it = Fixture::new();
    it.accept(mail(1)).await;
    assert!(it.queue.next_to_archive(9).await.is_empty());
    assert!(it.queue.shared.lock().due.archive.is_empty());
    it.deliver().await;
    assert!(it.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_note_has_a_limit_and_may_be_empty() {
    let it = Fixture::new();
    let with_note = |size: usize| NewMail { archive: Some(vec![b'n'; size].into()), ..mail(1) };
    for size in [0, LONGEST_NOTE] {
        it.accept(with_note(size)).await;
        let owed = it.debt().await;
        assert_eq!(owed.note.len(), size);
        it.deliver().await;
        it.queue.archived(vec![owed]).await.unwrap();
        it.queue.archived(vec![it.debt().await]).await.unwrap();
    }
    let intake = it.queue.intake(0).unwrap();
    let refused = intake.commit(with_note(LONGEST_NOTE + 1)).await;
    assert!(matches!(refused, Err(IntakeError::LongNote { size: 65_537 })), "{refused:?}");
    assert!(it.is_empty());
}

#[tokio::test(start_paused = true)]
async fn new_mail_is_offered_when_it_ends_or_waits_or_patience_is_over() {
    let it = Fixture::with(|options| options.archive_patience = Duration::from_secs(5));
    let [delivered, waits] =
        [it.accept(archived(mail(1))).await, it.accept(archived(mail(1))).await];
    assert!(it.queue.next_to_archive(9).await.is_empty());
    assert_eq!(it.deliver().await, delivered);
    assert_eq!(it.debt().await.part, ArchivePart::Both, "it is dropped, and owed again at once");
    it.queue.archived(vec![it.debt().await]).await.unwrap();
    let claim = it.claim().await;
    assert!(it.queue.next_to_archive(9).await.is_empty(), "it is under way");
    let before = tokio::time::Instant::now();
    assert!(it.queue.archive_is_owed().await);
    let waited = before.elapsed();
    assert!(waited > Duration::from_secs(4) && waited < Duration::from_secs(6), "{waited:?}");
    let owed = it.debt().await;
    assert_eq!((owed.id, owed.part), (waits, ArchivePart::Capture));
    drop((owed, claim));
}

#[tokio::test(start_paused = true)]
async fn a_deferred_mail_is_offered_although_it_is_fresh() {
    let it = Fixture::with(|options| options.archive_patience = Duration::from_secs(5));
    it.accept(archived(mail(1))).await;
    let claim = it.claim().await;
    it.record_all(&claim, deferred()).await;
    assert_eq!(it.debt().await.part, ArchivePart::Capture);
}

/// In real time: a paused clock goes on whenever everybody waits, and would wake them.
#[tokio::test]
async fn who_waits_for_debts_is_woken_by_each_way_to_one_and_by_the_end() {
    let it = Fixture::new();
    let woken = async |what: &str| {
        let woken = tokio::time::timeout(LONG, it.queue.archive_is_owed()).await;
        woken.unwrap_or_else(|_| panic!("nobody was woken: {what}"))
    };
    let nothing = tokio::time::timeout(Duration::ZERO, it.queue.archive_is_owed());
    assert!(nothing.await.is_err());
    let (owed, id) = tokio::join!(woken("accepted"), it.accept(archived(mail(1))));
    assert!(owed);
    let captured = it.debt().await;
    let (owed, ()) = tokio::join!(woken("dropped"), async { drop(captured) });
    assert!(owed);
    let captured = it.debt().await;
    it.deliver().await;
    let (owed, taken) = tokio::join!(woken("ended meanwhile"), it.queue.archived(vec![captured]));
    assert!(owed && taken.is_ok());
    let outcome = it.debt().await;
    assert_eq!((outcome.id, outcome.part), (id, ArchivePart::Outcome));
    let (owed, ()) = tokio::join!(woken("shut down"), it.queue.shutdown());
    assert!(!owed);
    assert!(it.queue.next_to_archive(9).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_oldest_come_first_group_by_group_and_one_batch_clears_a_group() {
    let it = Fixture::with(|options| options.handover_cache = 0);
    let mut ids = Vec::new();
    for _ in 0..10 {
        ids.push(it.accept(archived(mail(1))).await);
        it.deliver().await;
    }
    let it = it.restart().await;
    let first = it.queue.next_to_archive(4).await;
    let second = it.queue.next_to_archive(100).await;
    let order: Vec<_> = first.iter().chain(&second).map(|owed| owed.id).collect();
    assert_eq!((first.len(), order), (4, ids));
    let before = it.queue.syncs().count;
    it.queue.archived(second).await.unwrap();
    assert_eq!((it.queue.syncs().count - before, it.store.len(Space::States)), (1, 4));
    it.queue.archived(first).await.unwrap();
    it.expect_nothing_left();
}

/// A flush, and a next attempt, are not put off by an archive that takes its time.
#[tokio::test(start_paused = true)]
async fn clearing_a_debt_moves_no_mail_in_the_schedule() {
    let it = Fixture::new();
    let id = it.accept(archived(mail(1))).await;
    let claim = it.claim().await;
    it.record_all(&claim, deferred()).await;
    drop(claim);
    let captured = it.debt().await;
    assert_eq!(it.queue.flush(), 1);
    let clearing = it.queue.archived(vec![captured]);
    let claim = it.claim().await;
    assert_eq!((claim.id, claim.attempt), (id, 2));
    clearing.await.unwrap();
    it.record_all(&claim, deferred()).await;
    drop(claim);
    it.expect_quiet(Duration::from_secs(299)).await;
    assert_eq!(it.claim().await.attempt, 3, "once, and not twice");
    it.expect_quiet(Duration::from_secs(1)).await;
}

#[tokio::test(start_paused = true)]
async fn an_archive_that_takes_nothing_costs_ids_and_no_mail_its_place() {
    let it = Fixture::with(|options| {
        options.handover_cache = 100 * CONTENT.len();
        options.qmgr_message_active_limit = 10;
    });
    let many = MOST_KEPT + 50;
    for _ in 0..many {
        it.accept(archived(mail(1))).await;
        let claim = it.claim().await;
        assert!(matches!(claim.body, Body::Memory(_)), "new mail has its place in memory");
        it.record_all(&claim, delivered()).await;
    }
    {
        let registry = it.queue.shared.lock();
        assert_eq!((registry.mails.len(), registry.due.archive.len()), (MOST_KEPT, many));
        assert_eq!(registry.cached, 50 * CONTENT.len());
    }
    assert_eq!(it.queue.stats().to_archive, many);
    let mut taken = 0;
    while taken < many {
        let group = it.queue.next_to_archive(300).await;
        assert!(!group.is_empty() && group.len() <= 300);
        taken += group.len();
        it.queue.archived(group).await.unwrap();
    }
    assert!(it.is_empty());
    it.expect_nothing_left();
}

/// Who accepts, delivers and archives, each on threads of its own: everything comes to the archive
/// once, and nothing is left.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_lost_or_told_twice_where_all_work_at_once() {
    const MAILS: usize = 2_000;
    let it = Arc::new(Fixture::with(|options| {
        options.archive_patience = Duration::from_millis(1);
        options.handover_cache = 50 * CONTENT.len();
        options.qmgr_message_active_limit = 100;
    }));
    let accepting = it.clone();
    let accepting = tokio::spawn(async move {
        let mut commits = tokio::task::JoinSet::new();
        for _ in 0..MAILS {
            let queue = accepting.queue.clone();
            commits.spawn(async move { accept(&queue, archived(mail(1))).await });
        }
        commits.join_all().await
    });
    let delivering = tokio::spawn(deliver_all(it.queue.clone(), MAILS));
    let mut parts: HashMap<_, Vec<ArchivePart>> = HashMap::new();
    let mut ended = 0;
    while ended < MAILS {
        assert!(it.queue.archive_is_owed().await);
        let mut group = it.queue.next_to_archive(100).await;
        // Some are given back.
        group.truncate(90);
        for owed in &group {
            parts.entry(owed.id).or_default().push(owed.part);
            ended += usize::from(owed.ending.is_some());
        }
        it.queue.archived(group).await.unwrap();
    }
    delivering.await.unwrap();
    let accepted = accepting.await.unwrap();
    assert_eq!((accepted.len(), parts.len()), (MAILS, MAILS));
    for id in accepted {
        let whole: &[_] = &[ArchivePart::Both];
        let in_two: &[_] = &[ArchivePart::Capture, ArchivePart::Outcome];
        assert!([whole, in_two].contains(&&parts[&id][..]), "{:?}", parts[&id]);
    }
    it.expect_nothing_left();
}

async fn deliver_all(queue: Queue, mails: usize) {
    for _ in 0..mails {
        let Some(Work::Deliver(claim)) = queue.next_work().await else { panic!("no mail") };
        let queue = queue.clone();
        tokio::spawn(async move {
            queue.record(&claim, vec![(nth(0), delivered())]).await.unwrap();
        });
    }
}

impl Fixture {
    /// Nothing is left of any mail, on the disk or in memory.
    fn expect_nothing_left(&self) {
        assert!(self.is_empty());
        assert_eq!(self.queue.stats(), crate::Stats::default());
        let registry = self.queue.shared.lock();
        assert!(registry.mails.is_empty() && registry.due.archive.is_empty());
        assert_eq!((registry.cached, registry.kept.counts()), (0, (0, 0)));
    }
}

/// The queue looks at the clock more seldom than that.
const LONG: Duration = Duration::from_secs(60);

/// Whatever of it is in a file by then.
#[tokio::test(start_paused = true)]
async fn what_stands_above_the_content_stays_or_is_taken_off_whole() {
    const TOP: &[u8] = b"X-Top: yes\r\n";
    for threshold in [4, TOP.len(), TOP.len() + 8, 1 << 20] {
        for stays in [true, false] {
            let it = Fixture::with(|options| options.spool_threshold = threshold);
            let mut intake = it.queue.intake(0).unwrap();
            intake.put_on_top(TOP).await.unwrap();
            for piece in CONTENT.chunks(5) {
                intake.write(piece).await.unwrap();
            }
            if !stays {
                intake.take_off_top().await.unwrap();
                intake.take_off_top().await.unwrap();
            }
            let expected = if stays { [TOP, CONTENT].concat() } else { CONTENT.to_vec() };
            assert_eq!(intake.size(), expected.len() as u64);
            let receipt = intake.commit(archived(mail(1))).await.unwrap();
            let it = it.restart().await;
            let owed = it.debt().await;
            assert_eq!((owed.id, owed.size), (receipt.queue_id(), expected.len() as u64));
            let mut reader = it.queue.body(owed.id, &owed.body).await.unwrap().reader();
            let mut read = Vec::new();
            // The checksum is compared as it is read.
            while let Some(piece) = reader.next().await.unwrap() {
                read.extend_from_slice(&piece);
            }
            assert!(read == expected, "{threshold}, {stays}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_taken_in_is_read_and_may_be_written_anew() {
    const TOP: &[u8] = b"X-Top: yes\r\n";
    for threshold in [4, TOP.len() + 8, 1 << 20] {
        let it = Fixture::with(|options| options.spool_threshold = threshold);
        let mut intake = it.queue.intake(0).unwrap();
        intake.put_on_top(TOP).await.unwrap();
        intake.write(CONTENT).await.unwrap();
        let whole = [TOP, CONTENT].concat();
        assert_eq!(all_of(&intake.taken_in().await.unwrap()).await, whole);
        let former = intake.begin_anew().await.unwrap();
        assert_eq!((former.top(), intake.size()), (TOP.len() as u64, 0));
        let another = b"X-More: yes\r\n";
        intake.put_on_top(another).await.unwrap();
        intake.write(&all_of(former.content()).await).await.unwrap();
        drop(former);
        intake.take_off_top().await.unwrap();
        let receipt = intake.commit(archived(mail(1))).await.unwrap();
        let it = it.restart().await;
        let owed = it.debt().await;
        assert_eq!((owed.id, owed.size), (receipt.queue_id(), whole.len() as u64));
        let body = it.queue.body(owed.id, &owed.body).await.unwrap();
        assert_eq!(all_of(&body).await, whole, "{threshold}");
    }
}

async fn all_of(content: &crate::Content) -> Vec<u8> {
    let (mut reader, mut read) = (content.reader(), Vec::new());
    while let Some(piece) = reader.next().await.unwrap() {
        read.extend_from_slice(&piece);
    }
    read
}
