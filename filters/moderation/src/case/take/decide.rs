//! Words that count: who may say them, and what comes of them.

use std::time::Duration;

use mailweir_mail::Timestamp;

use super::{Act, Fate, Trust, is_short};
use crate::case::{
    Actor, By, Decision, Kind, MOST_DAYS, Moderator, OwnMail, Refused, State, Step, Vote,
};

impl Act {
    pub(super) fn approve(
        &mut self,
        by: &By,
        comment: &str,
        only: Option<&[u32]>,
        at: Option<Timestamp>,
        trust_days: u16,
    ) -> Result<Fate, Refused> {
        self.still_pending()?;
        let seat = self.seat(by)?;
        if let Some(seat) = &seat {
            self.case.not_voted(seat)?;
        }
        is_short(comment)?;
        self.may_trust(by, seat.as_ref(), trust_days)?;
        if at.is_some_and(|at| at.plus(CLOCKS_DIFFER) < self.now) {
            return Err(Refused::Past);
        }
        self.narrow(only)?;
        let progress = &mut self.case.progress;
        progress.not_before = progress.not_before.max(at);
        let Some(seat) = seat else {
            // An administrator's word stands for all that are missing.
            return Ok(self.release(by, comment, trust_days));
        };
        let principal = seat.principal().clone();
        progress.votes.push(Vote { by: by.clone(), principal, at: self.now, trust_days });
        if !self.has_enough() {
            self.note(by, Step::Approved, comment);
            return Ok(Fate::Stays);
        }
        if usize::from(self.case.progress.at_level) + 1 >= self.case.progress.levels.len() {
            let trusted = self.least_trust();
            return Ok(self.release(by, comment, trusted));
        }
        self.note(by, Step::Approved, comment);
        self.case.progress.least_trust = Some(self.least_trust());
        self.case.progress.at_level += 1;
        self.case.progress.votes.clear();
        self.note(&By::clock(), Step::NextLevel, "");
        self.ask_level();
        Ok(Fate::Stays)
    }

    /// One who decides ends it.
    pub(super) fn end(
        &mut self,
        by: &By,
        decision: Decision,
        words: &str,
    ) -> Result<Fate, Refused> {
        match (&self.case.progress.state, &by.who) {
            (State::Scheduled { .. }, Actor::Administrator(_)) => {}
            _ => self.still_pending()?,
        }
        self.seat(by)?;
        is_short(words)?;
        Ok(self.close(by, decision, words))
    }

    pub(super) fn cancel(&mut self, by: &By) -> Result<Fate, Refused> {
        self.still_open()?;
        match &by.who {
            Actor::Sender(address) if self.case.is_from(address) => {}
            // In the name of the sender, who hears of it.
            Actor::Administrator(_) => {}
            Actor::Sender(_) | Actor::Moderator(_) | Actor::Clock => {
                return Err(Refused::NotTheirs);
            }
        }
        Ok(self.close(by, Decision::Cancelled, ""))
    }

    /// Whether further mail of the sender may be let go by this one's word: that lifts a rule which
    /// others wrote, and so nobody does it for themselves.
    fn may_trust(&self, by: &By, seat: Option<&Moderator>, days: u16) -> Result<(), Refused> {
        if days == 0 {
            return Ok(());
        }
        let is_own = match (seat, &by.who) {
            (Some(seat), _) => {
                self.case.is_from(&seat.address) || self.case.is_from(seat.principal())
            }
            (None, Actor::Administrator(name)) => self.is_sender(name),
            (None, _) => true,
        };
        if is_own || self.case.plan.kind != Kind::Approval {
            return Err(Refused::NoTrust);
        }
        if days > MOST_DAYS { Err(Refused::TrustTooLong) } else { Ok(()) }
    }

    /// The days that all wish who approved, at whatever level.
    fn least_trust(&self) -> u16 {
        let votes = self.case.progress.votes.iter().map(|vote| vote.trust_days);
        votes.chain(self.case.progress.least_trust).min().unwrap_or(0)
    }

    /// The last word is said: it is sent now, or when its time has come. Its sender is trusted for as
    /// many days as all wish who approved; or as the administrator says who needs nobody else.
    fn release(&mut self, by: &By, words: &str, trust_days: u16) -> Fate {
        let span = Duration::from_secs(u64::from(trust_days) * SECONDS_OF_A_DAY);
        self.trust = (trust_days > 0).then(|| Trust { until: self.now.plus(span) });
        if let Some(Trust { until }) = self.trust {
            self.note(by, Step::Trusted(until), "");
        }
        match self.case.progress.not_before {
            Some(at) if at > self.now => {
                self.drop_questions();
                self.note(by, Step::Scheduled(at), words);
                self.case.progress.state = State::Scheduled { at, by: by.clone() };
                Fate::Stays
            }
            _ => self.close(by, Decision::Released, words),
        }
    }

    /// The recipients who get it are those whom everybody wants to.
    fn narrow(&mut self, only: Option<&[u32]>) -> Result<(), Refused> {
        let Some(only) = only else { return Ok(()) };
        if only.iter().any(|&index| index >= self.case.plan.recipients) {
            return Err(Refused::NoSuchRecipient);
        }
        let before = self.case.progress.only.as_deref();
        let is_left = |index: &u32| before.is_none_or(|before| before.contains(index));
        let mut left: Vec<u32> = only.iter().copied().filter(|index| is_left(index)).collect();
        left.sort_unstable();
        left.dedup();
        if left.is_empty() {
            return Err(Refused::NoSuchRecipient);
        }
        self.case.progress.only = Some(left);
        Ok(())
    }

    /// The seat that somebody decides from; `None` for an administrator, who needs none.
    pub(super) fn seat(&self, by: &By) -> Result<Option<Moderator>, Refused> {
        match &by.who {
            Actor::Moderator(address) => {
                let level = self.case.progress.level().ok_or(Refused::NotTheirs)?;
                let seat = level.moderators.iter().find(|one| one.is(address));
                let seat = seat.ok_or(Refused::NotTheirs)?;
                self.case.may_decide(seat)?;
                Ok(Some(seat.clone()))
            }
            Actor::Administrator(name) => {
                if self.is_sender(name) && self.case.plan.own_mail == OwnMail::Never {
                    return Err(Refused::OwnMail);
                }
                Ok(None)
            }
            Actor::Sender(_) | Actor::Clock => Err(Refused::NotTheirs),
        }
    }

    /// Whether an administrator of this name sent it.
    fn is_sender(&self, administrator: &str) -> bool {
        let administrator = administrator.to_lowercase();
        self.case.plan.senders.iter().any(|one| one.as_str().to_lowercase() == administrator)
    }

    fn has_enough(&self) -> bool {
        let needed = self.case.progress.level().map_or(1, |level| level.needed);
        self.case.progress.votes.len() >= usize::from(needed)
    }
}

const SECONDS_OF_A_DAY: u64 = 86_400;

/// Whoever says "now" may have a clock that is a little late, or a long way to us.
const CLOCKS_DIFFER: Duration = Duration::from_secs(60);
