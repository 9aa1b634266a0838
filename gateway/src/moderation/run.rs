//! What the service does by itself: what time asks of cases, and the notices that are owed.
//!
//! Two loops, of which neither waits for the other. In each there is so much work side by side, and
//! what takes long, such as a table on another server, keeps nothing else waiting.

use std::{collections::HashSet, hash::Hash, sync::Arc, time::Duration};

use futures_util::{FutureExt as _, StreamExt as _, stream::FuturesUnordered};
use mailweir_mail::{QueueId, Timestamp};
use mailweir_moderation::case::Command;
use mailweir_queue::Annex;
use tokio::{sync::watch, time::sleep};

use super::{Moderation, TakeError, pace::Key};
use crate::clock;

/// What time asks of a case.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Chore {
    /// Its time has come: a reminder, the end of a delay.
    Tick(QueueId),
    /// It was decided long ago.
    Forget(QueueId),
}

/// What people are to be told.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Errand {
    /// What was gathered.
    Digest(Key),
    /// What a case owes.
    Notices(QueueId),
}

impl Moderation {
    /// Does what time asks for, and sends what is owed, until the end. What is under way then comes
    /// to its end.
    pub(crate) async fn run(self: Arc<Self>) {
        let chores = keep_up(
            self.changed.subscribe(),
            |busy| self.chores(busy),
            || self.next_chore(),
            |chore| self.do_chore(chore),
        );
        let errands = keep_up(
            self.changed.subscribe(),
            |busy| self.errands(busy),
            || self.next_errand(),
            |errand| self.run_errand(errand),
        );
        let both = async { tokio::join!(chores, errands) };
        let _ = self.end.run_until_cancelled(both).await;
        self.tasks.close();
        self.tasks.wait().await;
    }

    fn chores(&self, busy: &HashSet<Chore>) -> Vec<Chore> {
        let (now, most) = (clock::now(), 2 * SIDE_BY_SIDE);
        let keep = self.settings.load().rules.keep_cases;
        let mut registry = self.registry();
        registry.look_at_clock(now);
        let due = registry.due(now, most).into_iter().map(Chore::Tick);
        let old = registry.old(now, keep, most).into_iter().map(Chore::Forget);
        due.chain(old).filter(|chore| !busy.contains(chore)).collect()
    }

    pub(super) fn next_chore(&self) -> Option<Timestamp> {
        let keep = self.settings.load().rules.keep_cases;
        self.registry().next(keep)
    }

    async fn do_chore(self: &Arc<Self>, chore: Chore) {
        match chore {
            Chore::Tick(id) => self.tick(id).await,
            Chore::Forget(id) => self.forget(id).await,
        }
    }

    /// Digests first, since they are few: what goes by itself could take all room of every minute.
    fn errands(&self, busy: &HashSet<Errand>) -> Vec<Errand> {
        let now = clock::now();
        self.pace().limit(&self.settings.load().limits(), now);
        if self.full_until(now).is_some() {
            return Vec::new();
        }
        let is_new = |errand: &Errand| !busy.contains(errand);
        let digests = busy.iter().filter(|errand| matches!(errand, Errand::Digest(_))).count();
        let due = self.pace().due(now).into_iter().map(Errand::Digest).filter(is_new);
        let mut errands: Vec<_> = due.take(DIGESTS.saturating_sub(digests)).collect();
        let mut registry = self.registry();
        registry.look_at_clock(now);
        let owing = registry.owing(now, 2 * SIDE_BY_SIDE);
        errands.extend(owing.into_iter().map(Errand::Notices).filter(is_new));
        errands
    }

    /// When somebody is to be told something, and there is room for it.
    fn next_errand(&self) -> Option<Timestamp> {
        let now = clock::now();
        let next = self.registry().next_owed().into_iter().chain(self.pace().next()).min()?;
        let full = self.full_until(now);
        if let Some(until) = full {
            self.tell_full(until, now);
        }
        Some(full.map_or(next, |until| until.max(next)))
    }

    async fn run_errand(self: &Arc<Self>, errand: Errand) {
        match errand {
            Errand::Digest(key) => self.pay_together(&key).await,
            Errand::Notices(id) => self.pay(id).await,
        }
    }

    fn tell_full(&self, until: Timestamp, now: Timestamp) {
        let limits = self.settings.load().limits();
        if self.pace().is_newly_full(&limits, now) {
            let (most, until) = (limits.a_minute, until.rfc5322());
            self.warn(format!("{most} notices within a minute: further ones wait until {until}"));
        }
    }

    /// Until when nobody is told anything, since so many were told of late.
    fn full_until(&self, now: Timestamp) -> Option<Timestamp> {
        let limits = self.settings.load().limits();
        self.pace().full_until(&limits, now)
    }

    /// The time of a case has come.
    pub(super) async fn tick(self: &Arc<Self>, id: QueueId) {
        match self.take(id, Command::Clock).await {
            Ok(_) | Err(TakeError::Gone | TakeError::Altered | TakeError::NoCase(_)) => {
                self.registry().looked_at(id);
            }
            Err(error) => self.put_off(id, &error.to_string()),
        }
    }

    /// Nobody asks about it any more, unless somebody did something with it meanwhile.
    pub(super) async fn forget(&self, id: QueueId) {
        let _turn = self.turn(id).await;
        let keep = self.settings.load().rules.keep_cases;
        if !self.registry().is_old(id, clock::now(), keep) {
            return self.registry().calm(id);
        }
        let mut annex = Annex::default();
        annex.remove_case(id);
        match self.queue.write(annex).await {
            Ok(()) => {
                self.registry().remove(id);
                self.answers().forget(id);
            }
            Err(error) => self.put_off(id, &error.to_string()),
        }
    }

    /// What could not be done is tried again. Notices are put off by themselves.
    pub(super) fn put_off(&self, id: QueueId, reason: &str) {
        let again = self.registry().postpone(id, clock::now()).rfc5322();
        self.warn(format!("{id}: {reason}; tried again {again}"));
    }
}

/// Does what is due whenever something changed or the time has come, each piece of work once at a
/// time, and goes on with others while one takes long.
async fn keep_up<K, F>(
    mut changed: watch::Receiver<()>,
    due: impl Fn(&HashSet<K>) -> Vec<K>,
    next: impl Fn() -> Option<Timestamp>,
    work: impl Fn(K) -> F,
) where
    K: Clone + Eq + Hash,
    F: Future<Output = ()>,
{
    let (mut busy, mut at_work) = (HashSet::new(), FuturesUnordered::new());
    loop {
        // What changes from here on is seen at the end of this round.
        changed.borrow_and_update();
        if busy.len() < SIDE_BY_SIDE {
            let room = SIDE_BY_SIDE - busy.len();
            for one in due(&busy).into_iter().take(room) {
                busy.insert(one.clone());
                at_work.push(work(one.clone()).map(|()| one));
            }
        }
        tokio::select! {
            Some(done) = at_work.next() => {
                busy.remove(&done);
                while let Some(Some(done)) = at_work.next().now_or_never() {
                    busy.remove(&done);
                }
            }
            _ = changed.changed() => {}
            () = sleep(pause(next(), !busy.is_empty())) => {}
        }
    }
}

/// How long there is nothing to do. The wall clock may jump: an hour is enough.
fn pause(next: Option<Timestamp>, is_busy: bool) -> Duration {
    let pause = next.map_or(LONGEST_PAUSE, |at| at.since(clock::now()).min(LONGEST_PAUSE));
    // What is late is what is at work, most likely; its end is heard of.
    if pause.is_zero() && is_busy { LATE } else { pause }
}

/// So many changes share a commit at best.
const SIDE_BY_SIDE: usize = 32;

/// So many of these may be digests.
const DIGESTS: usize = 8;

const LONGEST_PAUSE: Duration = Duration::from_secs(3_600);

/// Others that have become due meanwhile wait no longer.
const LATE: Duration = Duration::from_secs(1);
