//! What operators do to a mail. While an attempt is under way, they leave an order.

use mailweir_mail::{Enhanced, HeldBy, HoldReason, MailEvent, Reply, Stage};

use super::{IllegalChange, Step};
use crate::progress::{
    FailureCause, LastReply, Notice, Order, Outcome, RecipientIndex, RecipientStatus, State,
};

impl Step<'_> {
    pub(super) fn hold(&mut self, reason: HoldReason) -> Result<(), IllegalChange> {
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

    pub(super) fn hold_after_attempt(&mut self, reason: HoldReason) -> Result<(), IllegalChange> {
        match self.progress.state {
            State::Delivering { order: None, .. } => self.order(Order::Hold(reason)),
            State::Delivering { order: Some(_), .. } => {}
            State::Screening { .. }
            | State::Held { .. }
            | State::Ready { .. }
            | State::Finished(_)
            | State::Corrupt => return Err(self.not("put on hold")),
        }
        Ok(())
    }

    pub(super) fn hold_at(&mut self, reason: HoldReason, resume: Stage) {
        let held = MailEvent::Held { id: self.terms.id, reason: reason.clone(), by: HeldBy::Order };
        self.progress.state = State::Held { reason, since: self.now, resume };
        self.effects.events.push(held);
    }

    pub(super) fn release(&mut self, by: Box<str>) -> Result<(), IllegalChange> {
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

    pub(super) fn release_for(
        &mut self,
        by: Box<str>,
        only: &[RecipientIndex],
    ) -> Result<(), IllegalChange> {
        match self.progress.state {
            State::Held { .. } if !only.is_empty() => {}
            _ => return Err(self.not("released")),
        }
        self.give_up_others(only)?;
        self.release(by)
    }

    pub(super) fn stay_held(
        &mut self,
        because: HoldReason,
        only: Option<&[RecipientIndex]>,
    ) -> Result<(), IllegalChange> {
        if !matches!(self.progress.state, State::Held { .. }) || only.is_some_and(<[_]>::is_empty) {
            return Err(self.not("kept on hold"));
        }
        only.map_or(Ok(()), |only| self.give_up_others(only))?;
        if let State::Held { reason, .. } = &mut self.progress.state {
            *reason = because;
        }
        Ok(())
    }

    /// Gives up all recipients but these.
    fn give_up_others(&mut self, only: &[RecipientIndex]) -> Result<(), IllegalChange> {
        let is_pending = |index: &RecipientIndex| {
            self.progress.recipients.get(index.as_usize()).is_some_and(RecipientStatus::is_pending)
        };
        if let Some(missing) = only.iter().find(|index| !is_pending(index)) {
            return Err(IllegalChange::NotPending(*missing));
        }
        let (now, attempt) = (self.now, self.progress.attempts);
        for (index, status) in (0..).map(RecipientIndex).zip(&mut self.progress.recipients) {
            if status.is_pending() && !only.contains(&index) {
                let last = LastReply { reply: NOT_RELEASED, relay: None, at: now, attempt };
                let (cause, report) = (FailureCause::Refused, Notice::Settled);
                *status = RecipientStatus::Failed { last, cause, report };
            }
        }
        Ok(())
    }

    pub(super) fn requeue(&mut self, by: Box<str>) -> Result<(), IllegalChange> {
        match self.progress.state {
            State::Screening { .. } | State::Held { .. } | State::Ready { .. } => {
                self.start_anew(by);
            }
            State::Delivering { .. } => self.order(Order::Requeue(by)),
            State::Finished(_) | State::Corrupt => return Err(self.not("requeued")),
        }
        Ok(())
    }

    pub(super) fn start_anew(&mut self, by: Box<str>) {
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

    pub(super) fn delete(&mut self, by: Box<str>) -> Result<(), IllegalChange> {
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

    pub(super) fn remove_for(&mut self, by: Box<str>) {
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

    pub(super) fn flush(&mut self) -> Result<(), IllegalChange> {
        match self.progress.state {
            State::Ready { .. } => self.progress.state = State::Ready { not_before: self.now },
            State::Screening { .. } | State::Delivering { .. } => {}
            State::Held { .. } | State::Finished(_) | State::Corrupt => {
                return Err(self.not("flushed"));
            }
        }
        Ok(())
    }

    pub(super) fn expire(&mut self) -> Result<(), IllegalChange> {
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

    pub(super) fn order(&mut self, wanted: Order) {
        if let State::Delivering { order, .. } = &mut self.progress.state {
            *order = Some(wanted);
        }
    }
}

/// What `show` says of a recipient whom a moderator left out.
const NOT_RELEASED: Reply = Reply::new(550, Enhanced(5, 7, 1), "not released for this recipient");
