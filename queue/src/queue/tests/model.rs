//! Random operators and deliveries against a simple model, restarts included.

use std::{collections::BTreeMap, time::Duration};

use mailweir_mail::{HoldReason, QueueId, Stage};
use proptest::prelude::*;

use super::harness::*;
use crate::{Claim, Disposition, NewMail, Place, Work};

/// What the model believes of one mail. What it has not here is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mail {
    place: Place,
    /// Whether each recipient still waits.
    waits: Vec<bool>,
    /// What is done once the attempt is over.
    order: Option<Operation>,
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
    Flush,
    Wait,
    Restart,
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
    let mut world = World { it: Fixture::new(), model: BTreeMap::new(), claims: Vec::new() };
    for step in steps {
        world = world.take(step).await;
        world.compare().await;
    }
    world.work_off().await;
}

struct World {
    it: Fixture,
    model: BTreeMap<QueueId, Mail>,
    claims: Vec<Claim>,
}

impl World {
    async fn take(mut self, step: Step) -> Self {
        match step {
            Step::Accept { recipients, held } => self.accept(recipients, held).await,
            Step::Work { results, keep } => self.work(results, keep).await,
            Step::Finish { results } => {
                if let Some(claim) = self.claims.pop() {
                    self.finish(&claim, results).await;
                }
            }
            Step::Operate { mail, operation } => self.operate(mail, operation).await,
            Step::Flush => {
                self.it.queue.flush();
            }
            Step::Wait => tokio::time::sleep(Duration::from_secs(4_001)).await,
            Step::Restart => return self.restart().await,
        }
        self
    }

    async fn accept(&mut self, recipients: usize, held: bool) {
        let disposition = match held {
            true => Disposition::Held(HoldReason::new("rule")),
            false => Disposition::Ready,
        };
        let id = self.it.accept(from_null(NewMail { disposition, ..mail(recipients) })).await;
        let place = if held { Place::Held } else { Place::Ready };
        self.model.insert(id, Mail { place, waits: vec![true; recipients], order: None });
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
            self.model.remove(&id);
        }
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
            (Operation::Delete, _) => drop(self.model.remove(&id)),
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
        self.it = self.it.restart().await;
        for claim in open {
            self.end_attempt(claim.id);
        }
        self
    }

    /// The list says what the model says.
    async fn compare(&self) {
        let list = self.it.queue.list(crate::Filter::default(), 1_000).await.unwrap();
        let found: Vec<_> = list.iter().map(|line| (line.id, line.mail.place())).collect();
        let model: Vec<_> = self.model.iter().map(|(id, mail)| (*id, mail.place)).collect();
        assert_eq!(found, model);
        let stats = self.it.queue.stats();
        let count = |place| self.model.values().filter(|mail| mail.place == place).count();
        assert_eq!(stats.ready, count(Place::Ready));
        assert_eq!(stats.held, count(Place::Held));
        assert_eq!(stats.screening, count(Place::Screening));
        assert_eq!(stats.delivering, count(Place::Delivering));
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
        assert!(self.it.is_empty());
        assert_eq!(self.it.queue.stats(), crate::Stats::default());
        let registry = self.it.queue.shared.lock();
        assert!(registry.mails.is_empty() && registry.due.ready.is_empty());
        assert_eq!(registry.cached, 0);
    }
}

fn step() -> impl Strategy<Value = Step> {
    let operation = prop::sample::select(vec![
        Operation::Hold,
        Operation::Release,
        Operation::Requeue,
        Operation::Delete,
    ]);
    prop_oneof![
        3 => (1..4_usize, any::<bool>())
            .prop_map(|(recipients, held)| Step::Accept { recipients, held }),
        5 => any::<(u8, bool)>().prop_map(|(results, keep)| Step::Work { results, keep }),
        2 => any::<u8>().prop_map(|results| Step::Finish { results }),
        4 => (any::<usize>(), operation)
            .prop_map(|(mail, operation)| Step::Operate { mail, operation }),
        1 => Just(Step::Flush),
        1 => Just(Step::Wait),
        1 => Just(Step::Restart),
    ]
}
