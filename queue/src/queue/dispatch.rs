//! What is handed out next, and what becomes of it when its holder dies.
//!
//! Picking looks at memory only. A mail that is due and not in memory is read first, outside the
//! lock, and stays in its index meanwhile: a dropped `next_work` loses nothing.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use mailweir_mail::{QueueId, Timestamp};

use super::{
    Shared,
    registry::{Phase, Registry, Task},
};
use crate::{
    progress::{Place, ReportKind, State},
    schedule::DueIndex,
    state::{Change, apply},
    work::{Claim, OwedReport, Screening, Work},
};

/// What [`super::Queue::next_work`] is to do.
pub(super) enum Step {
    Hand(Work),
    Load(Vec<QueueId>),
    Wait(Duration),
    End,
}

impl Shared {
    pub(super) fn pick(self: &Arc<Self>) -> Step {
        let now = self.clock.now();
        let registry = &mut *self.lock();
        if registry.phase == Phase::Closing || self.committer.is_stopped() {
            return Step::End;
        }
        self.notice_clock(registry, now);
        while let Some((id, kind)) = registry.due.reports.peek(now) {
            if !registry.mails.contains_key(&id) {
                return Step::Load(absent(registry, &registry.due.reports, now, |(id, _)| id));
            }
            registry.due.reports.pop(now);
            if let Some(owed) = self.lease_report(registry, id, kind) {
                return Step::Hand(Work::Report(owed));
            }
            registry.evict(id);
        }
        while let Some(id) = registry.due.screening.peek(now) {
            if !registry.mails.contains_key(&id) {
                return Step::Load(absent(registry, &registry.due.screening, now, |id| id));
            }
            registry.due.screening.pop(now);
            if let Some(screening) = self.lease_screening(registry, id) {
                return Step::Hand(Work::Screen(screening));
            }
            registry.evict(id);
        }
        while registry.stats.delivering < self.options.qmgr_message_active_limit
            && let Some(id) = registry.due.ready.peek(now)
        {
            if !registry.mails.contains_key(&id) {
                return Step::Load(absent(registry, &registry.due.ready, now, |id| id));
            }
            registry.due.ready.pop(now);
            if let Some(claim) = self.lease_attempt(registry, id, now) {
                return Step::Hand(Work::Deliver(claim));
            }
            registry.evict(id);
        }
        Step::Wait(self.pause(registry, now))
    }

    /// A clock that was set back must not make mail wait for its old time (`attacks.md` J9).
    pub(super) fn notice_clock(&self, registry: &mut Registry, now: Timestamp) {
        if now < registry.seen {
            let schedule = &self.options.schedule;
            let again = now.plus(schedule.minimal_backoff_time);
            registry.due.ready.hasten(now.plus(schedule.maximal_backoff_time));
            registry.due.screening.hasten(again);
            registry.due.reports.hasten(again);
            registry.due.archive.hasten(again);
        }
        registry.seen = now;
    }

    /// How long nothing will be due; the clock may jump, so never longer than `queue_run_delay`.
    fn pause(&self, registry: &Registry, now: Timestamp) -> Duration {
        let full = registry.stats.delivering >= self.options.qmgr_message_active_limit;
        let ready = if full { None } else { registry.due.ready.next(now) };
        let next = [ready, registry.due.screening.next(now), registry.due.reports.next(now)];
        self.pause_until(next.into_iter().flatten().min(), now)
    }

    pub(super) fn pause_until(&self, next: Option<Timestamp>, now: Timestamp) -> Duration {
        let longest = self.options.schedule.queue_run_delay.max(SHORTEST);
        next.map_or(longest, |at| at.since(now).clamp(SHORTEST, longest))
    }

    fn lease_attempt(
        self: &Arc<Self>,
        registry: &mut Registry,
        id: QueueId,
        now: Timestamp,
    ) -> Option<Claim> {
        let number = registry.new_lease();
        let entry = registry.mails.get_mut(&id)?;
        let terms = entry.terms(id, &self.options.schedule);
        let (progress, _) = apply(terms, &entry.progress, Change::Claim, now).ok()?;
        let State::Delivering { attempt, .. } = progress.state else { return None };
        entry.progress = progress;
        entry.task = Task::Leased(number);
        let claim = Claim {
            id,
            envelope: entry.envelope.clone(),
            origin: entry.origin.clone(),
            arrival: entry.origin.arrival,
            attempt,
            size: entry.body.size,
            body: entry.body(id, &self.spool),
            pending: entry.progress.pending().collect(),
            claimed_at: now,
            _lease: Arc::new(self.lease(id, Purpose::Attempt, number)),
        };
        registry.count(Some(Place::Ready), Some(Place::Delivering));
        Some(claim)
    }

    fn lease_screening(
        self: &Arc<Self>,
        registry: &mut Registry,
        id: QueueId,
    ) -> Option<Screening> {
        let number = registry.new_lease();
        let entry = registry.mails.get_mut(&id)?;
        let State::Screening { next: stage } = entry.progress.state else { return None };
        if let Task::Leased(_) = entry.task {
            return None;
        }
        entry.task = Task::Leased(number);
        Some(Screening {
            id,
            stage,
            envelope: entry.envelope.clone(),
            origin: entry.origin.clone(),
            size: entry.body.size,
            body: entry.body(id, &self.spool),
            _lease: Arc::new(self.lease(id, Purpose::Screening, number)),
        })
    }

    fn lease_report(
        self: &Arc<Self>,
        registry: &mut Registry,
        id: QueueId,
        kind: ReportKind,
    ) -> Option<OwedReport> {
        let number = registry.new_lease();
        let entry = registry.mails.get_mut(&id)?;
        let envelope = entry.envelope.clone();
        let wanted = |at: usize| {
            let recipient = envelope.recipients.get(at);
            recipient.is_some_and(|it| kind.is_wanted(&envelope.sender, it.notify))
        };
        let recipients: Vec<_> = entry
            .progress
            .owed(kind)
            .filter(|index| wanted(index.as_usize()))
            .filter_map(|index| {
                let status = entry.progress.recipients.get(index.as_usize())?;
                Some((index, status.clone()))
            })
            .collect();
        if recipients.is_empty() || entry.reporting.iter().any(|(found, _)| *found == kind) {
            return None;
        }
        entry.reporting.push((kind, number));
        let lifetime = self.options.schedule.lifetime(&envelope.sender);
        Some(OwedReport {
            id,
            kind,
            origin: entry.origin.clone(),
            arrival: entry.origin.arrival,
            retry_until: entry.progress.alive_since.plus(lifetime),
            size: entry.body.size,
            body: entry.body(id, &self.spool),
            envelope,
            recipients,
            _lease: Arc::new(self.lease(id, Purpose::Report(kind), number)),
        })
    }

    pub(super) fn lease(self: &Arc<Self>, id: QueueId, purpose: Purpose, number: u64) -> Lease {
        Lease { shared: Arc::downgrade(self), id, purpose, number }
    }

    /// A lease is over. If its work is not done, it is given out again: an attempt counts as made,
    /// screening and reports are tried again after `minimal_backoff_time`. The archive is owed at
    /// once what it did not take: it alone knows when it can.
    fn give_back(self: &Arc<Self>, lease: &Lease) {
        let mut registry = self.lock();
        if let Purpose::Archive = lease.purpose {
            return self.give_back_debt(&mut registry, lease.id, lease.number);
        }
        let again = self.clock.now().plus(self.options.schedule.minimal_backoff_time);
        let Some(entry) = registry.mails.get_mut(&lease.id) else { return };
        let is_its_task = entry.task == Task::Leased(lease.number);
        match lease.purpose {
            Purpose::Attempt if is_its_task => {
                let change = (lease.id, Change::Abandon);
                // Only a closed queue refuses; then the next start tries again.
                let _ = self.change(registry, change, |_, _| {}, drop);
            }
            Purpose::Screening if is_its_task => {
                entry.task = Task::Idle;
                registry.due.screening.insert(again, lease.id);
                registry.evict(lease.id);
            }
            Purpose::Report(kind) if entry.reporting.contains(&(kind, lease.number)) => {
                entry.reporting.retain(|held| *held != (kind, lease.number));
                registry.due.reports.insert(again, (lease.id, kind));
                registry.evict(lease.id);
            }
            Purpose::Attempt | Purpose::Screening | Purpose::Report(_) | Purpose::Archive => {}
        }
    }
}

/// Gives work back when the last copy of it is dropped too early.
#[derive(Debug)]
pub(crate) struct Lease {
    shared: Weak<Shared>,
    id: QueueId,
    purpose: Purpose,
    number: u64,
}

impl Lease {
    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    /// Its work is done: nothing is given back.
    pub(super) fn end(mut self) {
        self.shared = Weak::new();
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose {
    Attempt,
    Screening,
    Report(ReportKind),
    Archive,
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(shared) = self.shared.upgrade() {
            shared.give_back(self);
        }
    }
}

/// Mails that are due soon and not in memory.
fn absent<K: Ord + Copy>(
    registry: &Registry,
    index: &DueIndex<K>,
    now: Timestamp,
    id: impl Fn(K) -> QueueId,
) -> Vec<QueueId> {
    let ids = index.upcoming(now, READ_AHEAD).into_iter().map(id);
    ids.filter(|id| !registry.mails.contains_key(id)).collect()
}

/// Mails read at once.
const READ_AHEAD: usize = 32;

/// Timers are no finer than this.
const SHORTEST: Duration = Duration::from_millis(1);
