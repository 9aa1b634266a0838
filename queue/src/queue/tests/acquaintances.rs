//! Who has had mail of whom: durable with the mail, or not at all.

use std::sync::Arc;

use super::harness::*;
use crate::{
    Annex, Page, Pair, Queue,
    record::RecordError,
    store::{
        Space,
        faulty::{Fate, FaultyDisk},
    },
};

fn pair(number: u32) -> Pair {
    let mut pair = [0; 12];
    pair[..4].copy_from_slice(&number.to_be_bytes());
    pair
}

fn annex(pairs: impl IntoIterator<Item = (u32, u32)>) -> Annex {
    let mut annex = Annex::default();
    assert!(annex.is_empty());
    pairs.into_iter().for_each(|(number, day)| annex.put_acquaintance(pair(number), day));
    annex
}

async fn days<const N: usize>(queue: &Queue, numbers: [u32; N]) -> Vec<Option<u32>> {
    queue.acquaintances(numbers.map(pair).to_vec()).await.unwrap()
}

async fn accept_with(queue: &Queue, annex: Annex) -> bool {
    let Ok(mut intake) = queue.intake(0) else { return false };
    intake.write(CONTENT).await.unwrap();
    let Ok(mail) = queue.compose(intake, mail(1)).await else { return false };
    queue.commit_with(mail, annex).await.is_ok()
}

#[tokio::test(start_paused = true)]
async fn a_pair_is_known_from_its_mail_on_also_after_a_restart_until_it_is_forgotten() {
    let it = Fixture::new();
    assert!(accept_with(&it.queue, annex([(1, 20_000), (2, 20_001)])).await);
    assert_eq!(days(&it.queue, [2, 3, 1]).await, [Some(20_001), None, Some(20_000)]);
    it.deliver().await;
    let it = it.restart().await;
    assert_eq!(days(&it.queue, [1]).await, [Some(20_000)], "the mail is gone, the pair is not");
    it.queue.write(annex([(1, 20_002)])).await.unwrap();
    let mut forget = Annex::default();
    forget.remove_acquaintance(pair(2));
    it.queue.write(forget).await.unwrap();
    assert_eq!(days(&it.queue, [1, 2]).await, [Some(20_002), None]);
}

#[tokio::test(start_paused = true)]
async fn a_crash_loses_mail_and_pair_or_neither() {
    for fate in [Fate::Lost, Fate::AnswerLost] {
        let Fixture { queue, clock, store, directory, events } = Fixture::new();
        queue.shutdown().await;
        drop(queue);
        let disk = Arc::new(FaultyDisk::dies_at(store, 1, fate));
        let on = |storage| {
            Queue::open_on(storage, options(directory.path(), &events), clock.clone()).unwrap()
        };
        let queue = on(disk.clone());
        assert!(!accept_with(&queue, annex([(1, 7)])).await);
        queue.shutdown().await;
        drop(queue);
        let queue = on(Arc::new(disk.survivors()));
        let there = fate == Fate::AnswerLost;
        assert_eq!(queue.stats().ready, usize::from(there));
        assert_eq!(days(&queue, [1]).await, [there.then_some(7)]);
        queue.shutdown().await;
    }
}

#[tokio::test(start_paused = true)]
async fn all_pairs_are_read_page_by_page() {
    let it = Fixture::new();
    it.queue.write(annex((0..25).map(|number| (number, number)))).await.unwrap();
    let (mut first, mut seen) = (Some(pair(0)), Vec::new());
    while let Some(from) = first {
        let Page { pairs, next } = it.queue.all_acquaintances(from, 10).unwrap();
        assert!(pairs.len() <= 10);
        seen.extend(pairs);
        first = next;
    }
    let expected: Vec<_> = (0..25).map(|number| (pair(number), Ok(number))).collect();
    assert_eq!(seen, expected);
}

#[tokio::test(start_paused = true)]
async fn a_damaged_record_counts_as_none_and_is_kept() {
    let it = Fixture::new();
    it.queue.write(annex([(1, 7)])).await.unwrap();
    it.store.damage(Space::Acquaintances, pair(1), "rot");
    assert_eq!(days(&it.queue, [1]).await, [None]);
    let page = it.queue.all_acquaintances(pair(0), 10).unwrap();
    assert_eq!(page.pairs, [(pair(1), Err(RecordError::Torn))]);
    assert_eq!(it.store.len(Space::Acquaintances), 1);
}
