//! The one place where a queued mail changes: pure, so that every rule can be tested without a
//! disk and a clock.
//!
//! [`apply`] takes what is stored and a change, and gives what is to be stored and the effects
//! that follow once it is durable. It knows no store, no index and no task. `FORMAT.md` has the
//! same rules as a table.

mod delivery;
mod operators;

use mailweir_mail::{Envelope, HoldReason, MailEvent, QueueId, Stage, Timestamp};

use crate::{
    progress::{
        ArchiveDebt, ArchivePart, AttemptResult, Notice, Place, Progress, RecipientIndex,
        RecipientStatus, ReportKind, State,
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
    /// What went wrong in the attempt under way wants it held behind that, unless there is an order: the people who gave that
    /// knew what they wanted.
    HoldAfterAttempt(HoldReason),
    /// A named person lets it go on.
    Release(Box<str>),
    /// A named person lets it go on to these recipients alone.
    ReleaseFor {
        /// Who.
        by: Box<str>,
        /// The recipients. All others are given up, and nobody gets a report of them.
        only: Vec<RecipientIndex>,
    },
    /// It stays on hold for another reason, for these recipients alone. All others are given up, and
    /// nobody gets a report of them.
    StayHeld {
        /// Why it is still on hold.
        reason: HoldReason,
        /// The recipients; `None`: all.
        only: Option<Vec<RecipientIndex>>,
    },
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
    /// The archive has this of it.
    Archived(ArchivePart),
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
            // Senders hear of what was delivered or refused, even if nothing else can be done.
            Change::Settle { kind, recipients, report } => self.settle(kind, &recipients, report),
            _ if self.progress.state == State::Corrupt => Err(self.not(wish(&change))),
            Change::Archived(part) => self.archived(part),
            Change::Restart => {
                self.restart();
                Ok(())
            }
            // The archive is told how it ended: from here on that is so.
            _ if self.progress.is_done() => Err(self.not(wish(&change))),
            Change::Pass { next } => self.pass(next),
            Change::Claim => self.claim(),
            Change::Results(results) => self.results(results),
            Change::Abandon => self.abandon(),
            Change::Hold(reason) => self.hold(reason),
            Change::HoldAfterAttempt(reason) => self.hold_after_attempt(reason),
            Change::Release(by) => self.release(by),
            Change::ReleaseFor { by, only } => self.release_for(by, &only),
            Change::StayHeld { reason, only } => self.stay_held(reason, only.as_deref()),
            Change::Requeue(by) => self.requeue(by),
            Change::Delete(by) => self.delete(by),
            Change::Flush => self.flush(),
            Change::Expire => self.expire(),
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

    fn archived(&mut self, part: ArchivePart) -> Result<(), IllegalChange> {
        let is_done = self.progress.is_done();
        self.progress.archive = match (self.progress.archive, part) {
            (ArchiveDebt::Capture, ArchivePart::Capture) => ArchiveDebt::Outcome,
            (ArchiveDebt::Capture, ArchivePart::Both)
            | (ArchiveDebt::Outcome, ArchivePart::Outcome)
                if is_done =>
            {
                ArchiveDebt::Nothing
            }
            _ => return Err(self.not("archived")),
        };
        Ok(())
    }

    /// Found again and again by whoever reads the mail; told once.
    fn damage(&mut self, reason: Box<str>) {
        if self.progress.state == State::Corrupt {
            return;
        }
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
        IllegalChange::NotFrom { place: self.progress.place(), wish }
    }
}

const fn wish(change: &Change) -> &'static str {
    match change {
        Change::Pass { .. } => "passed on by a stage",
        Change::Claim => "tried",
        Change::Results(_) => "given delivery results",
        Change::Abandon => "abandoned",
        Change::Restart => "taken up again",
        Change::Hold(_) | Change::HoldAfterAttempt(_) => "put on hold",
        Change::Release(_) | Change::ReleaseFor { .. } => "released",
        Change::StayHeld { .. } => "kept on hold",
        Change::Requeue(_) => "requeued",
        Change::Delete(_) => "deleted; `mailweir rescue` saves what is readable",
        Change::Flush => "flushed",
        Change::Expire => "expired",
        Change::Settle { .. } => "reported on",
        Change::Archived(_) => "archived",
        Change::Damage(_) => "marked as damaged",
    }
}

#[cfg(test)]
mod tests;
