//! The one place where a queued mail changes: pure, so that every rule can be tested without a
//! disk and a clock.
//!
//! [`apply`] takes what is stored and a change, and gives what is to be stored and the effects
//! that follow once it is durable. It knows no store, no index and no task. `FORMAT.md` has the
//! same rules as a table.

use mailweir_mail::{
    Delays, DeliveryReport, Envelope, HeldBy, HoldReason, MailEvent, QueueId, Reply, Stage,
    Timestamp,
};

use crate::{
    progress::{
        AttemptResult, FailureCause, LastReply, Notice, Order, Outcome, Place, Progress,
        RecipientIndex, RecipientStatus, ReportDuty, ReportKind, State,
    },
    schedule::Schedule,
};

/// What of a mail never changes, and the rules it lives by.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// The mail.
    pub id: QueueId,
    /// Its envelope.
    pub envelope: &'a Envelope,
    /// When to try again, and when to give up.
    pub schedule: &'a Schedule,
}

/// Something that happens to a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A stage is done with it; [`Stage::Route`] means it may be delivered.
    Pass {
        /// The stage that looks next.
        next: Stage,
    },
    /// A delivery attempt begins.
    Claim,
    /// The attempt brought these results. It is over when every pending recipient has one.
    Results(Vec<(RecipientIndex, AttemptResult)>),
    /// The attempt ends early; recipients without a result were not tried.
    Abandon,
    /// The mail was found in the store at start.
    Restart,
    /// An operator, or a stage, wants it held.
    Hold(HoldReason),
    /// A named person lets it go on.
    Release(Box<str>),
    /// A named person wants it treated as if it had just come.
    Requeue(Box<str>),
    /// A named person deletes it. Nothing is reported.
    Delete(Box<str>),
    /// A named person wants it tried now.
    Flush,
    /// A named person wants it returned to its sender now.
    Expire,
    /// A report was queued, or waived.
    Settle {
        /// What it reported.
        kind: ReportKind,
        /// About whom.
        recipients: Vec<RecipientIndex>,
        /// The report, unless it was waived.
        report: Option<QueueId>,
    },
    /// What is stored was found unreadable; the words say what.
    Damage(Box<str>),
}

/// What follows from a change, once it is durable. After a crash the effects are repeated: they
/// can be read off the stored progress.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Effects {
    /// Nothing is left to do: envelope, state, body and spool file go.
    pub remove: bool,
    /// Reports that became due.
    pub owed: Vec<ReportKind>,
    /// What to log and count.
    pub events: Vec<MailEvent>,
}

/// A change that the state of the mail does not allow. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IllegalChange {
    /// The rules have no such step.
    #[error("the mail is {place}: it cannot be {wish}")]
    NotFrom {
        /// Where the mail stands.
        place: Place,
        /// What was asked for.
        wish: &'static str,
    },
    /// The recipient has its result already, or does not exist.
    #[error("recipient {} has no result outstanding in this attempt", .0.0)]
    NotPending(RecipientIndex),
    /// Nobody waits for this report.
    #[error("no {} report is owed for this mail", .0.as_str())]
    NotOwed(ReportKind),
}

/// Applies `change` to `progress` at time `now`.
///
/// # Errors
/// The state does not allow the change; see the table in `FORMAT.md`.
pub fn apply(
    terms: Terms<'_>,
    progress: &Progress,
    change: Change,
    now: Timestamp,
) -> Result<(Progress, Effects), IllegalChange> {
    let mut step = Step { terms, now, progress: progress.clone(), effects: Effects::default() };
    step.take(change)?;
    Ok(step.finish())
}

/// One application of a change: the copy being changed, and the effects gathered so far.
struct Step<'a> {
    terms: Terms<'a>,
    now: Timestamp,
    progress: Progress,
    effects: Effects,
}

impl Step<'_> {
    fn take(&mut self, change: Change) -> Result<(), IllegalChange> {
        match change {
            Change::Damage(reason) => {
                self.damage(reason);
                Ok(())
            }
            _ if self.progress.state == State::Corrupt => Err(self.not(wish(&change))),
            Change::Pass { next } => self.pass(next),
            Change::Claim => self.claim(),
            Change::Results(results) => self.results(results),
            Change::Abandon => self.abandon(),
            Change::Restart => {
                self.restart();
                Ok(())
            }
            Change::Hold(reason) => self.hold(reason),
            Change::Release(by) => self.release(by),
            Change::Requeue(by) => self.requeue(by),
            Change::Delete(by) => self.delete(by),
            Change::Flush => self.flush(),
            Change::Expire => self.expire(),
            Change::Settle { kind, recipients, report } => self.settle(kind, &recipients, report),
        }
    }

    fn finish(mut self) -> (Progress, Effects) {
        if self.progress.is_over() {
            self.effects.remove = true;
            self.effects.events.push(MailEvent::Removed { id: self.terms.id });
        }
        (self.progress, self.effects)
    }

    fn pass(&mut self, next: Stage) -> Result<(), IllegalChange> {
        match self.progress.state {
            State::Screening { next: current } if next > current => {
                self.resume(next);
                Ok(())
            }
            _ => Err(self.not("passed on by a stage")),
        }
    }

    fn claim(&mut self) -> Result<(), IllegalChange> {
        let State::Ready { .. } = self.progress.state else {
            return Err(self.not("tried"));
        };
        let attempt = self.progress.attempts.saturating_add(1);
        self.progress.state = State::Delivering { attempt, order: None };
        Ok(())
    }

    fn results(
        &mut self,
        results: Vec<(RecipientIndex, AttemptResult)>,
    ) -> Result<(), IllegalChange> {
        let State::Delivering { attempt, .. } = self.progress.state else {
            return Err(self.not("given delivery results"));
        };
        for (index, result) in results {
            self.result(attempt, index, result)?;
        }
        if !self.progress.recipients.iter().any(|status| awaits(status, attempt)) {
            self.end_attempt();
        }
        Ok(())
    }

    fn result(
        &mut self,
        attempt: u32,
        index: RecipientIndex,
        result: AttemptResult,
    ) -> Result<(), IllegalChange> {
        let at = self.now;
        let heard = |reply, relay| LastReply { reply, relay, at, attempt };
        let wanted = |kind: ReportKind| self.notice(kind, index);
        let status = match result {
            AttemptResult::Delivered { reply, relay, duty } => RecipientStatus::Delivered {
                last: heard(reply, relay),
                report: match duty {
                    ReportDuty::Ours => wanted(ReportKind::Success),
                    ReportDuty::PassedOn => Notice::NotDue,
                },
            },
            AttemptResult::Deferred { reply, relay } => {
                RecipientStatus::Pending { last: Some(heard(reply, relay)) }
            }
            AttemptResult::Failed { reply, relay } => RecipientStatus::Failed {
                last: heard(reply, relay),
                cause: FailureCause::Refused,
                report: wanted(ReportKind::Failure),
            },
        };
        match self.progress.recipients.get_mut(index.as_usize()) {
            Some(slot) if awaits(slot, attempt) => *slot = status,
            _ => return Err(IllegalChange::NotPending(index)),
        }
        Ok(())
    }

    fn abandon(&mut self) -> Result<(), IllegalChange> {
        let State::Delivering { .. } = self.progress.state else {
            return Err(self.not("abandoned"));
        };
        self.end_attempt();
        Ok(())
    }

    /// The attempt is over: obey the order, give up what is too old, schedule the rest.
    fn end_attempt(&mut self) {
        let State::Delivering { attempt, order } = self.progress.state.clone() else { return };
        self.progress.attempts = attempt;
        let too_old = self.age() >= self.terms.schedule.lifetime(&self.terms.envelope.sender);
        match order {
            Some(Order::Delete(by)) => return self.remove_for(by),
            Some(Order::Expire) => self.expire_pending(),
            Some(Order::Hold(_) | Order::Requeue(_)) => {}
            None if too_old => self.expire_pending(),
            None => {}
        }
        self.owe();
        if self.progress.pending().next().is_none() {
            return self.finish_all();
        }
        match order {
            Some(Order::Hold(reason)) => self.hold_at(reason, Stage::Route),
            Some(Order::Requeue(by)) => self.start_anew(by),
            Some(Order::Delete(_) | Order::Expire) | None => self.retry_later(),
        }
    }

    fn retry_later(&mut self) {
        let not_before = self.terms.schedule.next_try(self.progress.alive_since, self.now);
        self.progress.state = State::Ready { not_before };
        let late = self.terms.schedule.is_late(self.age());
        let wanted = self
            .progress
            .pending()
            .any(|index| self.notice(ReportKind::Delay, index) != Notice::NotDue);
        if late && wanted && self.progress.delay == Notice::NotDue {
            self.progress.delay = Notice::Owed;
            self.effects.owed.push(ReportKind::Delay);
        }
    }

    /// Reports that waited for the end of the attempt become due.
    fn owe(&mut self) {
        for status in &mut self.progress.recipients {
            let (kind, report) = match status {
                RecipientStatus::Pending { .. } => continue,
                RecipientStatus::Delivered { report, .. } => (ReportKind::Success, report),
                RecipientStatus::Failed { report, .. } => (ReportKind::Failure, report),
            };
            if *report == Notice::AfterAttempt {
                *report = Notice::Owed;
                if !self.effects.owed.contains(&kind) {
                    self.effects.owed.push(kind);
                }
            }
        }
    }

    fn finish_all(&mut self) {
        let delivered =
            |status: &RecipientStatus| matches!(status, RecipientStatus::Delivered { .. });
        let all = self.progress.recipients.iter().all(delivered);
        let outcome = if all { Outcome::Delivered } else { Outcome::Failed };
        self.progress.state = State::Finished(outcome);
    }

    /// What a crash interrupted goes on: an attempt is made again, unless an operator wanted
    /// something else. A stored back-off is kept (`attacks.md` K5), but never one that only a
    /// clock set back can explain (J9).
    fn restart(&mut self) {
        match self.progress.state.clone() {
            State::Delivering { attempt, order: None } => {
                self.progress.attempts = attempt;
                self.owe();
                self.progress.state = State::Ready { not_before: self.now };
            }
            State::Delivering { order: Some(_), .. } => self.end_attempt(),
            State::Ready { not_before } => {
                let latest = self.now.plus(self.terms.schedule.maximal_backoff_time);
                self.progress.state = State::Ready { not_before: not_before.min(latest) };
            }
            State::Screening { .. } | State::Held { .. } | State::Finished(_) | State::Corrupt => {}
        }
    }

    fn hold(&mut self, reason: HoldReason) -> Result<(), IllegalChange> {
        match self.progress.state {
            State::Screening { next } => self.hold_at(reason, next),
            State::Ready { .. } => self.hold_at(reason, Stage::Route),
            State::Delivering { .. } => self.order(Order::Hold(reason)),
            State::Held { .. } | State::Finished(_) | State::Corrupt => {
                return Err(self.not("put on hold"));
            }
        }
        Ok(())
    }

    fn hold_at(&mut self, reason: HoldReason, resume: Stage) {
        let held = MailEvent::Held {
            id: self.terms.id,
            reason: reason.clone(),
            by: HeldBy::Person("an operator".into()),
        };
        self.progress.state = State::Held { reason, since: self.now, resume };
        self.effects.events.push(held);
    }

    /// Release goes to the stage after the hold. The lifetime counts anew, since the sender is not
    /// to pay for the time a person took; the arrival stays.
    fn release(&mut self, by: Box<str>) -> Result<(), IllegalChange> {
        match self.progress.state {
            State::Held { resume, .. } => {
                self.progress.alive_since = self.now;
                self.resume(resume);
            }
            State::Delivering { attempt, order: Some(Order::Hold(_)) } => {
                self.progress.state = State::Delivering { attempt, order: None };
            }
            _ => return Err(self.not("released")),
        }
        self.effects.events.push(MailEvent::Released { id: self.terms.id, by });
        Ok(())
    }

    fn requeue(&mut self, by: Box<str>) -> Result<(), IllegalChange> {
        match self.progress.state {
            State::Screening { .. } | State::Held { .. } | State::Ready { .. } => {
                self.start_anew(by);
            }
            State::Delivering { .. } => self.order(Order::Requeue(by)),
            State::Finished(_) | State::Corrupt => return Err(self.not("requeued")),
        }
        Ok(())
    }

    /// All stages look again, as after `postsuper -r`: a requeue must not lead around a hold.
    fn start_anew(&mut self, by: Box<str>) {
        self.progress.attempts = 0;
        self.progress.alive_since = self.now;
        self.progress.delay = Notice::NotDue;
        for status in &mut self.progress.recipients {
            if let RecipientStatus::Pending { last: Some(last) } = status {
                last.attempt = 0;
            }
        }
        self.resume(Stage::Filter);
        self.effects.events.push(MailEvent::Requeued { id: self.terms.id, by });
    }

    fn delete(&mut self, by: Box<str>) -> Result<(), IllegalChange> {
        match self.progress.state {
            State::Delivering { .. } => self.order(Order::Delete(by)),
            State::Screening { .. }
            | State::Held { .. }
            | State::Ready { .. }
            | State::Finished(_) => self.remove_for(by),
            State::Corrupt => return Err(self.not("deleted")),
        }
        Ok(())
    }

    fn remove_for(&mut self, by: Box<str>) {
        self.progress.delay = Notice::Settled;
        for status in &mut self.progress.recipients {
            match status {
                RecipientStatus::Pending { .. } => {}
                RecipientStatus::Delivered { report, .. }
                | RecipientStatus::Failed { report, .. } => *report = Notice::Settled,
            }
        }
        self.progress.state = State::Finished(Outcome::Deleted);
        self.effects.owed.clear();
        self.effects.events.push(MailEvent::Deleted { id: self.terms.id, by });
    }

    fn flush(&mut self) -> Result<(), IllegalChange> {
        match self.progress.state {
            State::Ready { .. } => self.progress.state = State::Ready { not_before: self.now },
            State::Screening { .. } | State::Delivering { .. } => {}
            State::Held { .. } | State::Finished(_) | State::Corrupt => {
                return Err(self.not("flushed"));
            }
        }
        Ok(())
    }

    fn expire(&mut self) -> Result<(), IllegalChange> {
        match self.progress.state {
            State::Delivering { .. } => self.order(Order::Expire),
            State::Screening { .. } | State::Held { .. } | State::Ready { .. } => {
                self.expire_pending();
                self.owe();
                self.finish_all();
            }
            State::Finished(_) | State::Corrupt => return Err(self.not("expired")),
        }
        Ok(())
    }

    fn expire_pending(&mut self) {
        let pending: Vec<_> = self.progress.pending().collect();
        for index in pending {
            let report = self.notice(ReportKind::Failure, index);
            let Some(status) = self.progress.recipients.get_mut(index.as_usize()) else { continue };
            let last = match status.last() {
                Some(last) => last.clone(),
                None => never_tried(self.now),
            };
            let event = expired(self.terms, index, &last, self.now);
            *status = RecipientStatus::Failed { last, cause: FailureCause::Expired, report };
            self.effects.events.extend(event);
        }
    }

    fn settle(
        &mut self,
        kind: ReportKind,
        recipients: &[RecipientIndex],
        report: Option<QueueId>,
    ) -> Result<(), IllegalChange> {
        let owed: Vec<_> =
            self.progress.owed(kind).filter(|index| recipients.contains(index)).collect();
        let delay_is_owed = kind == ReportKind::Delay && self.progress.delay == Notice::Owed;
        if owed.is_empty() && !delay_is_owed {
            return Err(IllegalChange::NotOwed(kind));
        }
        if delay_is_owed {
            self.progress.delay = Notice::Settled;
        }
        for index in owed {
            match self.progress.recipients.get_mut(index.as_usize()) {
                Some(
                    RecipientStatus::Delivered { report, .. }
                    | RecipientStatus::Failed { report, .. },
                ) => *report = Notice::Settled,
                Some(RecipientStatus::Pending { .. }) | None => {}
            }
        }
        let id = self.terms.id;
        self.effects.events.extend(report.map(|report| MailEvent::Reported { id, report, kind }));
        Ok(())
    }

    fn damage(&mut self, reason: Box<str>) {
        self.progress.state = State::Corrupt;
        self.effects.events.push(MailEvent::Corrupt { id: self.terms.id, reason });
    }

    fn resume(&mut self, next: Stage) {
        self.progress.state = match next {
            Stage::Route => State::Ready { not_before: self.now },
            Stage::Filter | Stage::Moderate | Stage::Archive | Stage::Sign => {
                State::Screening { next }
            }
        };
    }

    fn order(&mut self, wanted: Order) {
        if let State::Delivering { order, .. } = &mut self.progress.state {
            *order = Some(wanted);
        }
    }

    fn notice(&self, kind: ReportKind, index: RecipientIndex) -> Notice {
        let recipient = self.terms.envelope.recipients.get(index.as_usize());
        match recipient {
            Some(it) if kind.is_wanted(&self.terms.envelope.sender, it.notify) => {
                Notice::AfterAttempt
            }
            _ => Notice::NotDue,
        }
    }

    fn age(&self) -> std::time::Duration {
        self.now.since(self.progress.alive_since)
    }

    fn not(&self, wish: &'static str) -> IllegalChange {
        IllegalChange::NotFrom { place: self.progress.state.place(), wish }
    }
}

/// Whether the recipient has no result yet in this attempt.
fn awaits(status: &RecipientStatus, attempt: u32) -> bool {
    match status {
        RecipientStatus::Pending { last } => {
            last.as_ref().is_none_or(|last| last.attempt != attempt)
        }
        RecipientStatus::Delivered { .. } | RecipientStatus::Failed { .. } => false,
    }
}

fn never_tried(now: Timestamp) -> LastReply {
    let reply = Reply::new(
        451,
        mailweir_mail::Enhanced(4, 4, 7),
        "The mail was returned before it was ever tried",
    );
    LastReply { reply, relay: None, at: now, attempt: 0 }
}

fn expired(
    terms: Terms<'_>,
    index: RecipientIndex,
    last: &LastReply,
    now: Timestamp,
) -> Option<MailEvent> {
    let recipient = terms.envelope.recipients.get(index.as_usize())?;
    Some(MailEvent::Expired(DeliveryReport {
        id: terms.id,
        to: recipient.address.clone(),
        relay: last.relay.clone(),
        delays: Delays { in_queue: now.since(terms.id.arrival()), ..Delays::default() },
        dsn: last.reply.enhanced_or_general(),
        text: last.reply.to_string().into(),
    }))
}

const fn wish(change: &Change) -> &'static str {
    match change {
        Change::Pass { .. } => "passed on by a stage",
        Change::Claim => "tried",
        Change::Results(_) => "given delivery results",
        Change::Abandon => "abandoned",
        Change::Restart => "taken up again",
        Change::Hold(_) => "put on hold",
        Change::Release(_) => "released",
        Change::Requeue(_) => "requeued",
        Change::Delete(_) => "deleted; `mailweir rescue` saves what is readable",
        Change::Flush => "flushed",
        Change::Expire => "expired",
        Change::Settle { .. } => "reported on",
        Change::Damage(_) => "marked as damaged",
    }
}

#[cfg(test)]
mod tests;
