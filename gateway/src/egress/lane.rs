//! The mails that wait for one destination, and how many couriers may work on them.
//!
//! The lock is held for moments, never across an await. Whether one more delivery may start is
//! decided by [`Concurrency`]; here its answer is obeyed.

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

/// The queue of one destination.
#[derive(Debug)]
pub(super) struct Lane {
    destination: Destination,
    state: Mutex<State>,
    /// Woken when there is work for an idle courier.
    arrived: Notify,
}

#[derive(Debug)]
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

/// Whether the lane needs another courier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Staff {
    /// Those there are will do.
    Enough,
    /// Start one more; it counts as employed already.
    Hire,
}

impl Lane {
    pub(super) fn new(destination: Destination, concurrency: Concurrency) -> Self {
        let state = State { waiting: VecDeque::new(), concurrency, couriers: Couriers::default() };
        Self { destination, state: Mutex::new(state), arrived: Notify::new() }
    }

    pub(super) fn destination(&self) -> &Destination {
        &self.destination
    }

    /// Adds work.
    pub(super) fn push(&self, batch: Batch) -> Staff {
        let mut state = self.lock();
        state.waiting.push_back(batch);
        if state.couriers.idle > 0 {
            drop(state);
            self.arrived.notify_one();
            return Staff::Enough;
        }
        state.hire()
    }

    /// The next job of a courier; `None` if there was none for `patience`, and the courier is
    /// dismissed.
    pub(super) async fn next_job(&self, patience: Duration) -> Option<Job> {
        if let Some(job) = self.take_job() {
            return Some(job);
        }
        self.lock().couriers.idle += 1;
        // Work that came before the courier counted as idle woke nobody.
        loop {
            if let Some(job) = self.take_job() {
                self.lock().couriers.idle -= 1;
                return Some(job);
            }
            if timeout(patience, self.arrived.notified()).await.is_err() {
                return self.dismiss();
            }
        }
    }

    /// Whether another courier should start, now that one has taken work.
    pub(super) fn staff(&self) -> Staff {
        let mut state = self.lock();
        if state.waiting.is_empty() || state.couriers.idle > 0 {
            return Staff::Enough;
        }
        state.hire()
    }

    /// A delivery reached the destination.
    pub(super) fn succeeded(&self) {
        self.lock().concurrency.succeeded();
    }

    /// A delivery did not get as far as talking about the mail.
    pub(super) fn failed(&self, reason: &str) {
        self.lock().concurrency.failed(clock::monotonic(), reason);
    }

    /// A delivery ended by our own fault.
    pub(super) fn abandoned(&self) {
        self.lock().concurrency.abandoned(clock::monotonic());
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

    fn take_job(&self) -> Option<Job> {
        let mut state = self.lock();
        if state.waiting.is_empty() {
            return None;
        }
        let reason: Box<str> = match state.concurrency.may_start(clock::monotonic()) {
            Admission::Wait => return None,
            Admission::Yes => {
                let batch = state.waiting.pop_front()?;
                state.concurrency.started();
                return Some(Job::Deliver(batch));
            }
            Admission::Dead { reason, .. } => reason.into(),
        };
        Some(Job::PutOff { batches: state.waiting.drain(..).collect(), reason })
    }

    /// Counts a courier out, unless work came in the last moment.
    fn dismiss(&self) -> Option<Job> {
        let job = self.take_job();
        let mut state = self.lock();
        state.couriers.idle -= 1;
        if job.is_none() {
            state.couriers.employed -= 1;
        }
        job
    }

    /// What is counted and queued is whole at every step, so a panic elsewhere leaves it sound.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn hire(&mut self) -> Staff {
        let wanted = match self.concurrency.may_start(clock::monotonic()) {
            Admission::Yes => true,
            // Somebody has to put the mail off.
            Admission::Dead { .. } => self.couriers.employed == 0,
            Admission::Wait => false,
        };
        if !wanted {
            return Staff::Enough;
        }
        self.couriers.employed += 1;
        Staff::Hire
    }
}
