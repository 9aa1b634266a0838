//! How many deliveries may run to one destination at once, and when to leave it alone.
//!
//! The scheme of Postfix's queue manager (SCHEDULER_README) in its simple form, with feedback
//! `1/concurrency` both ways: a window of as many successes grows by one, a window of as many
//! failures shrinks by one, and a whole window of failures without a success in between declares
//! the destination dead. Its mail is then deferred without trying; later one probe finds out
//! whether it lives. Pure: time is an argument, and who waits for what is the caller's business.

use std::time::{Duration, Instant};

/// The numbers, by Postfix's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// `initial_destination_concurrency`: the window at first, and after a rest.
    pub initial: u32,
    /// `default_destination_concurrency_limit`: the widest window.
    pub most: u32,
    /// `minimal_backoff_time`: how long a dead destination is left alone.
    pub rest: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { initial: 5, most: 20, rest: Duration::from_secs(300) }
    }
}

/// The state of one destination.
///
/// Each delivery is announced by [`started`](Self::started) and ended by exactly one of
/// [`succeeded`](Self::succeeded), [`failed`](Self::failed) and [`abandoned`](Self::abandoned).
#[derive(Clone, Debug)]
pub struct Concurrency {
    limits: Limits,
    running: u32,
    state: State,
}

/// Whether one more delivery may start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission<'a> {
    /// Now.
    Yes,
    /// When one that runs has ended.
    Wait,
    /// Not at all: defer the mail with this reason.
    Dead {
        /// When a probe may start.
        until: Instant,
        /// What the last delivery met with.
        reason: &'a str,
    },
}

#[derive(Clone, Debug)]
enum State {
    Alive(Window),
    Dead { until: Instant, reason: Box<str> },
    Probing { reason: Box<str> },
}

impl Concurrency {
    /// A destination nobody has tried yet.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, running: 0, state: State::Alive(Window::new(limits)) }
    }

    /// Whether one more delivery may start.
    #[must_use]
    pub fn may_start(&self, now: Instant) -> Admission<'_> {
        match &self.state {
            State::Alive(window) if self.running < window.size => Admission::Yes,
            State::Dead { until, reason } if now < *until => {
                Admission::Dead { until: *until, reason }
            }
            State::Dead { .. } if self.running == 0 => Admission::Yes,
            State::Alive(_) | State::Dead { .. } | State::Probing { .. } => Admission::Wait,
        }
    }

    /// A delivery starts. The first one after a rest is the probe.
    pub fn started(&mut self) {
        self.running += 1;
        if let State::Dead { reason, .. } = &mut self.state {
            self.state = State::Probing { reason: std::mem::take(reason) };
        }
    }

    /// A delivery reached the destination, whatever that said about the mail.
    pub fn succeeded(&mut self) {
        self.ended();
        match &mut self.state {
            State::Alive(window) => window.succeeded(self.limits.most),
            State::Dead { .. } | State::Probing { .. } => {
                self.state = State::Alive(Window::new(self.limits));
            }
        }
    }

    /// A delivery did not get as far as talking about the mail: no connection, no greeting, the
    /// session was refused.
    pub fn failed(&mut self, now: Instant, reason: &str) {
        self.ended();
        let dead = match &mut self.state {
            State::Alive(window) => window.failed(),
            State::Probing { .. } => true,
            State::Dead { .. } => false,
        };
        if dead {
            self.state = State::Dead { until: now + self.limits.rest, reason: reason.into() };
        }
    }

    /// A delivery ended without a verdict on the destination: it was cancelled, or our side failed.
    pub fn abandoned(&mut self, now: Instant) {
        self.ended();
        if let State::Probing { reason } = &mut self.state {
            self.state = State::Dead { until: now, reason: std::mem::take(reason) };
        }
    }

    /// Ends the rest of a dead destination at once (`queue flush`).
    pub fn revive(&mut self) {
        if let State::Dead { .. } = self.state {
            self.state = State::Alive(Window::new(self.limits));
        }
    }

    /// How many deliveries are running.
    #[must_use]
    pub const fn running(&self) -> u32 {
        self.running
    }

    /// Whether nothing would be lost by forgetting this destination.
    #[must_use]
    pub fn is_forgettable(&self, now: Instant) -> bool {
        let resting = matches!(self.state, State::Dead { until, .. } if now < until);
        self.running == 0 && !resting
    }

    fn ended(&mut self) {
        self.running = self.running.saturating_sub(1);
    }
}

/// How many may run, and what happened since that last changed.
#[derive(Clone, Debug)]
struct Window {
    size: u32,
    /// Successes since the window grew.
    gained: u32,
    /// Failures since the window shrank.
    lost: u32,
    /// The failures since the last success, counted against the window when they began.
    cohort: Option<Cohort>,
}

#[derive(Clone, Debug)]
struct Cohort {
    failed: u32,
    of: u32,
}

impl Window {
    fn new(limits: Limits) -> Self {
        let size = limits.initial.clamp(1, limits.most.max(1));
        Self { size, gained: 0, lost: 0, cohort: None }
    }

    fn succeeded(&mut self, most: u32) {
        self.cohort = None;
        self.gained += 1;
        if self.gained >= self.size {
            self.gained = 0;
            self.size = self.size.saturating_add(1).min(most.max(1));
        }
    }

    /// Counts a failure; `true` if a whole cohort has failed.
    fn failed(&mut self) -> bool {
        let cohort = self.cohort.get_or_insert(Cohort { failed: 0, of: self.size });
        cohort.failed += 1;
        let dead = cohort.failed >= cohort.of;
        self.lost += 1;
        if self.lost >= self.size {
            self.lost = 0;
            self.size = self.size.saturating_sub(1).max(1);
        }
        dead
    }
}

#[cfg(test)]
mod tests;
