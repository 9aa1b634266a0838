//! A delivery attempt: begun, answered for each recipient, and over.

use mailweir_mail::{Delays, DeliveryReport, Enhanced, MailEvent, Reply, Stage, Timestamp};

use super::{IllegalChange, Step, Terms};
use crate::progress::{
    AttemptResult, FailureCause, LastReply, Notice, Order, Outcome, RecipientIndex,
    RecipientStatus, ReportDuty, ReportKind, State,
};

impl Step<'_> {
    pub(super) fn claim(&mut self) -> Result<(), IllegalChange> {
        let State::Ready { .. } = self.progress.state else {
            return Err(self.not("tried"));
        };
        let attempt = self.progress.attempts.saturating_add(1);
        self.progress.state = State::Delivering { attempt, order: None };
        Ok(())
    }

    pub(super) fn results(
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

    pub(super) fn result(
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
                    ReportDuty::PassedOn | ReportDuty::Nobody => Notice::NotDue,
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

    pub(super) fn abandon(&mut self) -> Result<(), IllegalChange> {
        let State::Delivering { .. } = self.progress.state else {
            return Err(self.not("abandoned"));
        };
        self.end_attempt();
        Ok(())
    }

    pub(super) fn end_attempt(&mut self) {
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

    pub(super) fn retry_later(&mut self) {
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

    pub(super) fn owe(&mut self) {
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

    pub(super) fn finish_all(&mut self) {
        let delivered =
            |status: &RecipientStatus| matches!(status, RecipientStatus::Delivered { .. });
        let all = self.progress.recipients.iter().all(delivered);
        let outcome = if all { Outcome::Delivered } else { Outcome::Failed };
        self.progress.state = State::Finished(outcome);
    }

    pub(super) fn expire_pending(&mut self) {
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
    let reply =
        Reply::new(451, Enhanced(4, 4, 7), "The mail was returned before it was ever tried");
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
        original: recipient.original.clone(),
        relay: last.relay.clone(),
        delays: Delays { in_queue: now.since(terms.id.arrival()), ..Delays::default() },
        dsn: last.reply.enhanced_or_general(),
        text: last.reply.to_string().into(),
    }))
}
