//! Random operators and deliveries against a simple model, restarts included.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use mailweir_mail::{HoldReason, QueueId, Stage};
use proptest::prelude::*;

use super::{
    super::{archive::Keep, registry::Entry},
    harness::*,
};
use crate::{
    ArchivePart, Claim, Disposition, Filter, NewMail, Place, ToArchive, Work, progress::ArchiveDebt,
};

/// What the model believes of one mail. What it has not here is done, and gone unless the archive is
/// owed it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mail {
    place: Place,
    /// Whether each recipient still waits.
    waits: Vec<bool>,
    /// What is done once the attempt is over.
    order: Option<Operation>,
    debt: ArchiveDebt,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Hold,
    Release,
    Requeue,
    Delete,
}

#[derive(Clone, Debug)]
enum Step {
    Accept {
        recipients: usize,
        held: bool,
        archive: bool,
    },
    /// Takes the next work; mail is delivered as the results say, one bit for each recipient.
    Work {
        results: u8,
        keep: bool,
    },
    /// Ends a claim that was kept.
    Finish {
        results: u8,
    },
    Operate {
        mail: usize,
        operation: Operation,
    },
    /// The archive is handed some mail.
    Archive {
        most: usize,
        fate: GroupFate,
    },
    /// It has a group that it kept for a while, or not.
    Archived {
        taken: bool,
    },
    Flush,
    Wait,
    Restart,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum GroupFate {
    Taken,
    Dropped,
    Kept,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn the_queue_does_what_the_model_does(steps in prop::collection::vec(step(), 1..40)) {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().unwrap();
        runtime.block_on(run(steps));
    }
}

async fn run(steps: Vec<Step>) {
    let mut world = World {
        it: Fixture::new(),
        model: BTreeMap::new(),
        done: BTreeMap::new(),
        claims: Vec::new(),
        groups: Vec::new(),
    };
    for step in steps {
        world = world.take(step).await;
        world.compare().await;
    }
    world.work_off().await;
}

struct World {
    it: Fixture,
    model: BTreeMap<QueueId, Mail>,
    /// What is kept for the archive alone.
    done: BTreeMap<QueueId, ArchiveDebt>,
    claims: Vec<Claim>,
    /// What the archive has in hand.
    groups: Vec<Vec<ToArchive>>,
}

impl World {
    async fn take(mut self, step: Step) -> Self {
        match step {
            Step::Accept { recipients, held, archive } => {
                self.accept(recipients, held, archive).await;
            }
            Step::Work { results, keep } => self.work(results, keep).await,
            Step::Finish { results } => {
                if let Some(claim) = self.claims.pop() {
                    self.finish(&claim, results).await;
                }
            }
            Step::Operate { mail, operation } => self.operate(mail, operation).await,
            Step::Archive { most, fate } => self.archive(most, fate).await,
            Step::Archived { taken } => match self.groups.pop() {
                Some(group) if taken => self.archived(group).await,
                Some(_) | None => {}
            },
            Step::Flush => {
                self.it.queue.flush();
            }
            Step::Wait => tokio::time::sleep(Duration::from_secs(4_001)).await,
            Step::Restart => return self.restart().await,
        }
        self
    }

    async fn accept(&mut self, recipients: usize, held: bool, archive: bool) {
        let disposition = match held {
            true => Disposition::Held(HoldReason::new("rule")),
            false => Disposition::Ready,
        };
        let mut mail = from_null(NewMail { disposition, ..mail(recipients) });
        mail.archive = archive.then(|| NOTE.into());
        let id = self.it.accept(mail).await;
        let place = if held { Place::Held } else { Place::Ready };
        let debt = if archive { ArchiveDebt::Capture } else { ArchiveDebt::Nothing };
        self.model.insert(id, Mail { place, waits: vec![true; recipients], order: None, debt });
    }

    async fn work(&mut self, results: u8, keep: bool) {
        let work = tokio::time::timeout(Duration::from_millis(1), self.it.queue.next_work()).await;
        match work.ok().flatten() {
            None => {}
            Some(Work::Screen(screening)) => {
                let mail = self.model.get_mut(&screening.id).expect("it is in the model");
                assert_eq!(mail.place, Place::Screening);
                self.it.queue.pass(&screening, Stage::Route).await.unwrap();
                mail.place = Place::Ready;
            }
            Some(Work::Deliver(claim)) => {
                let mail = self.model.get_mut(&claim.id).expect("it is in the model");
                assert_eq!(mail.place, Place::Ready, "only ready mail is tried");
                let waits: Vec<_> = (0..).map(nth).zip(&mail.waits).collect();
                let waits = waits.into_iter().filter(|(_, waits)| **waits).map(|(at, _)| at);
                assert_eq!(claim.pending, waits.collect::<Vec<_>>());
                mail.place = Place::Delivering;
                if keep { self.claims.push(claim) } else { self.finish(&claim, results).await }
            }
            Some(Work::Report(owed)) => panic!("the null sender gets no report: {owed:?}"),
        }
    }

    async fn finish(&mut self, claim: &Claim, results: u8) {
        let result = |index: u32| match results >> index & 1 {
            1 => delivered(),
            _ => deferred(),
        };
        for index in &claim.pending {
            self.it.queue.record(claim, vec![(*index, result(index.0))]).await.unwrap();
        }
        let mail = self.model.get_mut(&claim.id).expect("it is in the model");
        for index in &claim.pending {
            mail.waits[index.as_usize()] = results >> index.0 & 1 == 0;
        }
        self.end_attempt(claim.id);
    }

    fn end_attempt(&mut self, id: QueueId) {
        let mail = self.model.get_mut(&id).expect("it is in the model");
        mail.place = match mail.order.take() {
            Some(Operation::Hold) => Place::Held,
            Some(Operation::Requeue) => Place::Screening,
            Some(Operation::Delete) => Place::Finished,
            Some(Operation::Release) | None => Place::Ready,
        };
        if mail.place == Place::Finished || !mail.waits.contains(&true) {
            self.end(id);
        }
    }

    fn end(&mut self, id: QueueId) {
        let mail = self.model.remove(&id).expect("it is in the model");
        if mail.debt != ArchiveDebt::Nothing {
            self.done.insert(id, mail.debt);
        }
    }

    async fn archive(&mut self, most: usize, fate: GroupFate) {
        let group = self.it.queue.next_to_archive(most).await;
        let found: Vec<_> = group.iter().map(|owed| (owed.id, owed.part)).collect();
        assert_eq!(found, self.owed().into_iter().take(most).collect::<Vec<_>>());
        for owed in &group {
            assert_eq!(self.it.queue.body(owed.id, &owed.body).await.unwrap().size(), owed.size);
        }
        match fate {
            GroupFate::Taken => self.archived(group).await,
            GroupFate::Dropped => drop(group),
            GroupFate::Kept => self.groups.push(group),
        }
    }

    /// What the archive is owed and has not in hand, the oldest first.
    fn owed(&self) -> BTreeMap<QueueId, ArchivePart> {
        let in_hand: BTreeSet<_> = self.groups.iter().flatten().map(|owed| owed.id).collect();
        let under_way = self.model.iter().filter(|(_, mail)| mail.debt == ArchiveDebt::Capture);
        let under_way = under_way.map(|(id, _)| (*id, ArchivePart::Capture));
        let done = self.done.iter().map(|(id, debt)| match debt {
            ArchiveDebt::Capture => (*id, ArchivePart::Both),
            ArchiveDebt::Outcome | ArchiveDebt::Nothing => (*id, ArchivePart::Outcome),
        });
        under_way.chain(done).filter(|(id, _)| !in_hand.contains(id)).collect()
    }

    async fn archived(&mut self, group: Vec<ToArchive>) {
        for owed in &group {
            if owed.part != ArchivePart::Capture {
                self.done.remove(&owed.id);
            } else if let Some(mail) = self.model.get_mut(&owed.id) {
                mail.debt = ArchiveDebt::Outcome;
            } else {
                self.done.insert(owed.id, ArchiveDebt::Outcome);
            }
        }
        self.it.queue.archived(group).await.unwrap();
    }

    async fn operate(&mut self, number: usize, operation: Operation) {
        let Some(id) = self.model.keys().copied().nth(number % self.model.len().max(1)) else {
            return;
        };
        let queue = &self.it.queue;
        let done = match operation {
            Operation::Hold => queue.hold(id, HoldReason::new("operator")).await.is_ok(),
            Operation::Release => queue.release(id, "operator").await.is_ok(),
            Operation::Requeue => queue.requeue(id, "operator").await.is_ok(),
            Operation::Delete => queue.delete(id, "operator").await.is_ok(),
        };
        let mail = self.model.get_mut(&id).expect("it was found there");
        let expected = match (operation, mail.place) {
            (Operation::Hold, place) => place != Place::Held,
            (Operation::Release, Place::Held) => true,
            (Operation::Release, _) => mail.order == Some(Operation::Hold),
            (Operation::Requeue | Operation::Delete, _) => true,
        };
        assert_eq!(done, expected, "{operation:?} on {mail:?}");
        match (operation, mail.place) {
            _ if !done => {}
            (Operation::Release, Place::Delivering) => mail.order = None,
            (_, Place::Delivering) => mail.order = Some(operation),
            (Operation::Hold, _) => mail.place = Place::Held,
            (Operation::Release, _) => mail.place = Place::Ready,
            (Operation::Requeue, _) => mail.place = Place::Screening,
            (Operation::Delete, _) => self.end(id),
        }
        // A mail held while it was screened goes back to the screening.
        if operation == Operation::Release && done {
            self.refresh_released(id).await;
        }
    }

    async fn refresh_released(&mut self, id: QueueId) {
        let details = self.it.queue.show(id).await.unwrap().expect("it was released");
        let place = details.mail.place();
        assert!(matches!(place, Place::Ready | Place::Screening | Place::Delivering));
        self.model.get_mut(&id).expect("it was found there").place = place;
    }

    async fn restart(mut self) -> Self {
        let open = std::mem::take(&mut self.claims);
        self.groups.clear();
        self.it = self.it.restart().await;
        for claim in open {
            self.end_attempt(claim.id);
        }
        self
    }

    /// The list says what the model says.
    async fn compare(&self) {
        let list = self.it.queue.list(Filter::default(), 1_000).await.unwrap();
        let found: Vec<_> = list.iter().map(|line| (line.id, line.mail.place())).collect();
        let model: Vec<_> = self.model.iter().map(|(id, mail)| (*id, mail.place)).collect();
        assert_eq!(found, model);
        let stats = self.it.queue.stats();
        let count = |place| self.model.values().filter(|mail| mail.place == place).count();
        assert_eq!(stats.ready, count(Place::Ready));
        assert_eq!(stats.held, count(Place::Held));
        assert_eq!(stats.screening, count(Place::Screening));
        assert_eq!(stats.delivering, count(Place::Delivering));
        assert_eq!((stats.to_archive, stats.finished), (self.done.len(), 0));
        let archiving = Filter { place: Some(Place::Archiving), after: None };
        let list = self.it.queue.list(archiving, 1_000).await.unwrap();
        assert!(list.iter().map(|line| &line.id).eq(self.done.keys()));
        self.count_again();
    }

    /// What is counted in memory is what is there.
    fn count_again(&self) {
        let registry = self.it.queue.shared.lock();
        let size = |entry: &Entry| entry.content.as_ref().map_or(0, bytes::Bytes::len);
        let kept = || registry.mails.values().filter(|entry| entry.keep != Keep::No);
        assert_eq!(registry.kept.counts(), (kept().count(), kept().map(size).sum()));
        assert_eq!(registry.cached, registry.mails.values().map(size).sum::<usize>());
    }

    /// Releases and delivers everything: nothing may be left, in the store or in memory.
    async fn work_off(mut self) {
        while let Some(claim) = self.claims.pop() {
            self.finish(&claim, u8::MAX).await;
        }
        while !self.model.is_empty() {
            for number in 0..self.model.len() {
                self.operate(number, Operation::Release).await;
            }
            self.work(u8::MAX, false).await;
            tokio::time::sleep(Duration::from_secs(600)).await;
        }
        self.groups.clear();
        while !self.done.is_empty() {
            self.archive(3, GroupFate::Taken).await;
        }
        assert!(self.it.is_empty());
        assert_eq!(self.it.queue.stats(), crate::Stats::default());
        let registry = self.it.queue.shared.lock();
        assert!(registry.mails.is_empty() && registry.due.ready.is_empty());
        assert!(registry.due.archive.is_empty());
        assert_eq!((registry.cached, registry.kept.counts()), (0, (0, 0)));
    }
}

fn step() -> impl Strategy<Value = Step> {
    let operation = prop::sample::select(vec![
        Operation::Hold,
        Operation::Release,
        Operation::Requeue,
        Operation::Delete,
    ]);
    let fates = vec![GroupFate::Taken, GroupFate::Dropped, GroupFate::Kept];
    let fate = prop::sample::select(fates);
    prop_oneof![
        3 => (1..4_usize, any::<(bool, bool)>())
            .prop_map(|(recipients, (held, archive))| Step::Accept { recipients, held, archive }),
        3 => (1..4_usize, fate).prop_map(|(most, fate)| Step::Archive { most, fate }),
        1 => any::<bool>().prop_map(|taken| Step::Archived { taken }),
        5 => any::<(u8, bool)>().prop_map(|(results, keep)| Step::Work { results, keep }),
        2 => any::<u8>().prop_map(|results| Step::Finish { results }),
        4 => (any::<usize>(), operation)
            .prop_map(|(mail, operation)| Step::Operate { mail, operation }),
        1 => Just(Step::Flush),
        1 => Just(Step::Wait),
        1 => Just(Step::Restart),
    ]
}
