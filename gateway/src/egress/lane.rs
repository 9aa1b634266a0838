//! The mails that wait for one destination, and how many couriers may work on them.
//!
//! The lock is held for moments, never across an await. Whether one more delivery may start is
//! decided by [`Concurrency`]; here its answer is obeyed. A courier holds a [`Post`]: whatever ends
//! it, also a panic, frees the place and ends the delivery that was announced.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use mailweir_queue::{Claim, RecipientIndex};
use tokio::{sync::Notify, time::timeout};

use super::{
    concurrency::{Admission, Concurrency},
    destination::Destination,
    route::LiveRoute,
};
use crate::clock;

/// A mail's recipients at one destination.
#[derive(Debug)]
pub(super) struct Batch {
    /// The mail. All batches of one mail share it.
    pub(super) claim: Arc<Claim>,
    /// Who of it goes here; never empty.
    pub(super) recipients: Vec<RecipientIndex>,
}

/// What a courier does next.
#[derive(Debug)]
pub(super) enum Job {
    /// Deliver this, then say how it went.
    Deliver(Batch),
    /// The destination is dead: put these off without trying.
    PutOff {
        /// All that waited.
        batches: Vec<Batch>,
        /// What the last delivery met with.
        reason: Box<str>,
    },
}

/// The queue of one destination.
pub(super) struct Lane {
    destination: Destination,
    route: Arc<LiveRoute>,
    state: Mutex<State>,
    /// Woken when there is work for an idle courier.
    arrived: Notify,
}

struct State {
    waiting: VecDeque<Batch>,
    concurrency: Concurrency,
    couriers: Couriers,
}

/// The tasks that work for a lane.
#[derive(Clone, Copy, Debug, Default)]
struct Couriers {
    /// How many there are.
    employed: u32,
    /// How many of them wait for work.
    idle: u32,
}

impl Lane {
    pub(super) fn new(destination: Destination, route: Arc<LiveRoute>) -> Arc<Self> {
        let state = State {
            waiting: VecDeque::new(),
            concurrency: Concurrency::new(route.concurrency),
            couriers: Couriers::default(),
        };
        Arc::new(Self { destination, route, state: Mutex::new(state), arrived: Notify::new() })
    }

    pub(super) const fn destination(&self) -> &Destination {
        &self.destination
    }

    pub(super) const fn route(&self) -> &Arc<LiveRoute> {
        &self.route
    }

    /// Adds work. A post that comes back is to be filled by a new courier.
    #[must_use]
    pub(super) fn push(self: &Arc<Self>, batch: Batch) -> Option<Post> {
        self.lock().waiting.push_back(batch);
        self.staff()
    }

    /// The post for one more courier, if there is work for one; wakes an idle one instead.
    #[must_use]
    pub(super) fn staff(self: &Arc<Self>) -> Option<Post> {
        let mut state = self.lock();
        if state.waiting.is_empty() {
            return None;
        }
        if state.couriers.idle > 0 {
            drop(state);
            self.arrived.notify_one();
            return None;
        }
        state.hire().then(|| Post { lane: Arc::clone(self), duty: Duty::Free })
    }

    /// Tries a dead destination again at once (`queue flush`).
    pub(super) fn revive(&self) {
        self.lock().concurrency.revive();
    }

    /// Whether nothing is lost if the lane is forgotten.
    pub(super) fn is_forgettable(&self) -> bool {
        let state = self.lock();
        state.waiting.is_empty()
            && state.couriers.employed == 0
            && state.concurrency.is_forgettable(clock::monotonic())
    }

    /// What is counted and queued is whole at every step, so a panic elsewhere leaves it sound.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Counts one more courier in, if one may start.
    fn hire(&mut self) -> bool {
        let wanted = match self.concurrency.may_start(clock::monotonic()) {
            Admission::Yes => true,
            // Somebody has to put the mail off.
            Admission::Dead { .. } => self.couriers.employed == 0,
            Admission::Wait => false,
        };
        self.couriers.employed += u32::from(wanted);
        wanted
    }

    fn take_job(&mut self) -> Option<Job> {
        if self.waiting.is_empty() {
            return None;
        }
        let reason: Box<str> = match self.concurrency.may_start(clock::monotonic()) {
            Admission::Wait => return None,
            Admission::Yes => {
                let batch = self.waiting.pop_front()?;
                self.concurrency.started();
                return Some(Job::Deliver(batch));
            }
            Admission::Dead { reason, .. } => reason.into(),
        };
        Some(Job::PutOff { batches: self.waiting.drain(..).collect(), reason })
    }
}

/// A courier's place at a lane.
#[must_use = "a post that nobody fills leaves its work waiting"]
pub(super) struct Post {
    lane: Arc<Lane>,
    duty: Duty,
}

/// What the courier at a post is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Duty {
    /// Nothing that has been announced.
    Free,
    /// Waiting for work.
    Idle,
    /// A delivery that was announced as started.
    Delivering,
    /// It has left.
    Left,
}

impl Post {
    pub(super) const fn lane(&self) -> &Arc<Lane> {
        &self.lane
    }

    /// The next job; `None` if there was none for `patience`: the courier has left then.
    pub(super) async fn next_job(&mut self, patience: Duration) -> Option<Job> {
        loop {
            if let Some(job) = self.take() {
                return Some(job);
            }
            let lane = Arc::clone(&self.lane);
            if timeout(patience, lane.arrived.notified()).await.is_err() {
                return self.take_or_leave();
            }
        }
    }

    /// The delivery reached the destination.
    pub(super) fn succeeded(&mut self) {
        if self.end_delivery() {
            self.lane.lock().concurrency.succeeded();
        }
    }

    /// The delivery did not get as far as talking about the mail.
    pub(super) fn failed(&mut self, reason: &str) {
        if self.end_delivery() {
            self.lane.lock().concurrency.failed(clock::monotonic(), reason);
        }
    }

    /// The delivery ended by our own fault.
    pub(super) fn abandoned(&mut self) {
        if self.end_delivery() {
            self.lane.lock().concurrency.abandoned(clock::monotonic());
        }
    }

    fn end_delivery(&mut self) -> bool {
        let delivering = self.duty == Duty::Delivering;
        if delivering {
            self.duty = Duty::Free;
        }
        delivering
    }

    /// Takes a job, or counts the courier as idle: in one step, so that work that comes then wakes
    /// it.
    fn take(&mut self) -> Option<Job> {
        let mut state = self.lane.lock();
        let job = state.take_job();
        let next = match &job {
            Some(Job::Deliver(_)) => Duty::Delivering,
            Some(Job::PutOff { .. }) => Duty::Free,
            None => Duty::Idle,
        };
        state.couriers.idle -= u32::from(self.duty == Duty::Idle);
        state.couriers.idle += u32::from(next == Duty::Idle);
        drop(state);
        self.duty = next;
        job
    }

    /// Takes a job, or leaves: in one step, so that work that comes then hires another courier.
    fn take_or_leave(&mut self) -> Option<Job> {
        let mut state = self.lane.lock();
        let job = state.take_job();
        state.couriers.idle -= u32::from(self.duty == Duty::Idle);
        self.duty = match &job {
            Some(Job::Deliver(_)) => Duty::Delivering,
            Some(Job::PutOff { .. }) => Duty::Free,
            None => Duty::Left,
        };
        if job.is_none() {
            state.couriers.employed -= 1;
        }
        job
    }
}

impl Drop for Post {
    fn drop(&mut self) {
        self.abandoned();
        if self.duty == Duty::Left {
            return;
        }
        let mut state = self.lane.lock();
        state.couriers.idle -= u32::from(self.duty == Duty::Idle);
        state.couriers.employed -= 1;
    }
}
