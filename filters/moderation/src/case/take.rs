//! The rules of a case, each in one function.

use std::time::Duration;

use mailweir_mail::{Address, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    Actor, AtExpiry, By, Case, Closing, Command, Decision, Deed, Entry, Kind, MOST_DAYS, Moderator,
    Owed, OwnMail, Plan, Progress, Refused, State, Step, To, Vote, Word,
    timetable::{self, Due},
};

/// What comes of a command. Case and fate are made durable together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The case from now on.
    pub case: Case,
    /// What becomes of the mail.
    pub fate: Fate,
    /// Whether further mail of the log-in passes the rule for a while.
    pub trust: Option<Trust>,
}

/// What becomes of the mail of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Nothing new.
    Stays,
    /// It goes on, to these recipients; `None`: to all.
    Released(Option<Vec<u32>>),
    /// It is not sent. Whether the sender hears of it stands in the case.
    Dropped,
}

/// Whoever logged in to hand in the mail is trusted from now on, as far as its rule goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trust {
    /// Until then.
    pub until: Timestamp,
}

pub(super) fn open(plan: Plan, now: Timestamp) -> Case {
    let mut act = begin(plan, Step::Opened, now);
    if act.case.plan.tells_sender.of_waiting() && act.case.plan.kind != Kind::Confirmation {
        act.owe(To::Sender, Word::Held);
    }
    act.ask_level();
    act.case
}

pub(super) fn passed(plan: Plan, readers: &[Address], now: Timestamp) -> Case {
    let told = u32::try_from(readers.len()).unwrap_or(u32::MAX);
    let mut act = begin(plan, Step::Passed(told), now);
    let (decision, words) = (Decision::Expired(AtExpiry::Release), "".into());
    act.case.progress.state = State::Closed(Closing { decision, by: By::clock(), at: now, words });
    readers.iter().for_each(|one| act.owe(To::Moderator(one.clone()), Word::Decided));
    act.case
}

fn begin(plan: Plan, step: Step, now: Timestamp) -> Act {
    let progress = Progress {
        version: 1,
        opened: now,
        state: State::Pending,
        at_level: 0,
        levels: plan.levels.clone(),
        votes: Vec::new(),
        only: None,
        not_before: None,
        least_trust: None,
        asked: now,
        escalated: false,
        warned: None,
        history: Vec::new(),
        owed: Vec::new(),
        next_owed: 0,
    };
    let mut act = Act { case: Case { plan, progress }, now, trust: None };
    act.note(&By::clock(), step, "");
    act
}

pub(super) fn take(case: &Case, command: &Command, now: Timestamp) -> Result<Outcome, Refused> {
    let mut act = Act { case: case.clone(), now, trust: None };
    let fate = act.take(command)?;
    if act.case != *case {
        act.case.progress.version = act.case.progress.version.saturating_add(1);
    }
    Ok(Outcome { case: act.case, fate, trust: act.trust })
}

/// One command at work: the copy that is being changed.
struct Act {
    case: Case,
    now: Timestamp,
    trust: Option<Trust>,
}

impl Act {
    fn take(&mut self, command: &Command) -> Result<Fate, Refused> {
        match command {
            Command::Settle { owed } => self.settle(*owed),
            Command::Clock => Ok(self.clock()),
            Command::Approve { by, comment, only, at, trust_days } => {
                self.approve(by, comment, only.as_deref(), *at, *trust_days)
            }
            Command::Reject { by, reason } => self.end(by, Decision::Rejected, reason),
            Command::Return { by, reason } => {
                said(reason)?;
                self.end(by, Decision::Returned, reason)
            }
            Command::Discard { by, reason } => self.end(by, Decision::Discarded, reason),
            Command::Comment { by, text } => self.comment(by, text),
            Command::Forward { by, to } => self.forward(by, to),
            Command::Cancel { by } => self.cancel(by),
            Command::Distrust { by } => self.distrust(by),
            Command::Follow { by, deed } => Ok(self.follow(by, *deed)),
            Command::Overtake { by, deed } => self.overtake(by, *deed),
            Command::Lose => self.lose(),
        }
    }

    fn approve(
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

    /// One who decides ends it.
    fn end(&mut self, by: &By, decision: Decision, words: &str) -> Result<Fate, Refused> {
        match (&self.case.progress.state, &by.who) {
            (State::Scheduled { .. }, Actor::Administrator(_)) => {}
            _ => self.still_pending()?,
        }
        self.seat(by)?;
        Ok(self.close(by, decision, words))
    }

    fn cancel(&mut self, by: &By) -> Result<Fate, Refused> {
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

    /// The mail is where an operator has brought it, whatever was still to be decided.
    fn overtake(&mut self, by: &By, deed: Deed) -> Result<Fate, Refused> {
        self.still_open()?;
        self.note(by, Step::InQueue(deed), "");
        let decision = match deed {
            Deed::Released => Decision::Released,
            Deed::Deleted => Decision::Discarded,
        };
        // All of it was done to all of them, whomever moderators had meant.
        self.case.progress.only = None;
        self.close(by, decision, "");
        Ok(Fate::Stays)
    }

    /// Nothing is left to decide. Nobody is named, since nobody is known.
    fn lose(&mut self) -> Result<Fate, Refused> {
        self.still_open()?;
        Ok(self.close(&By::clock(), Decision::Gone, ""))
    }

    /// The last word about a mail that is approved: its sender hears of it only if it was sent.
    fn follow(&mut self, by: &By, deed: Deed) -> Fate {
        self.note(by, Step::InQueue(deed), "");
        if deed == Deed::Released && self.case.plan.tells_sender.of_outcome() {
            self.owe(To::Sender, Word::Decided);
        }
        Fate::Stays
    }

    fn comment(&mut self, by: &By, text: &str) -> Result<Fate, Refused> {
        self.still_open()?;
        said(text)?;
        let may = match &by.who {
            Actor::Sender(address) => self.case.is_from(address),
            Actor::Moderator(address) => self.case.is_for(address),
            Actor::Administrator(_) => true,
            Actor::Clock => false,
        };
        if !may {
            return Err(Refused::NotTheirs);
        }
        self.has_room()?;
        self.note(by, Step::Commented, text);
        Ok(Fate::Stays)
    }

    fn forward(&mut self, by: &By, to: &Moderator) -> Result<Fate, Refused> {
        self.still_pending()?;
        let seat = self.seat(by)?;
        if let Some(seat) = &seat {
            self.case.not_voted(seat)?;
        }
        self.case.may_decide(to)?;
        self.has_room()?;
        let Some(level) =
            self.case.progress.levels.get_mut(usize::from(self.case.progress.at_level))
        else {
            return Err(Refused::NotTheirs);
        };
        if level.moderators.iter().any(|known| known.address == to.address) {
            return Err(Refused::DecidesAlready);
        }
        match seat {
            Some(seat) => {
                let place = level.moderators.iter_mut().find(|known| **known == seat);
                place.map(|place| *place = to.clone()).ok_or(Refused::NotTheirs)?;
            }
            // An administrator finds one more who decides.
            None => level.moderators.push(to.clone()),
        }
        self.note(by, Step::Forwarded(to.address.clone()), "");
        self.owe(To::Moderator(to.address.clone()), Word::Forwarded);
        Ok(Fate::Stays)
    }

    fn distrust(&mut self, by: &By) -> Result<Fate, Refused> {
        let Actor::Administrator(_) = by.who else { return Err(Refused::NotTheirs) };
        self.note(by, Step::Distrusted, "");
        Ok(Fate::Stays)
    }

    fn settle(&mut self, number: u32) -> Result<Fate, Refused> {
        let owed = &mut self.case.progress.owed;
        let place = owed.iter().position(|owed| owed.number == number).ok_or(Refused::NotOwed)?;
        owed.remove(place);
        Ok(Fate::Stays)
    }

    fn clock(&mut self) -> Fate {
        while let Some((at, due)) = timetable::next(&self.case) {
            if at > self.now {
                break;
            }
            match due {
                Due::Release => {
                    let State::Scheduled { by, .. } = self.case.progress.state.clone() else {
                        break;
                    };
                    return self.close(&by, Decision::Released, "");
                }
                Due::Expiry(action) => return self.expire(action),
                Due::Warning => self.warn(),
                Due::Escalation => self.escalate(),
                Due::Reminder => self.remind(),
            }
        }
        Fate::Stays
    }

    /// Nobody decided. What is sent then goes to those, and not before the time, that who approved it said.
    fn expire(&mut self, action: AtExpiry) -> Fate {
        match (action, self.case.progress.not_before) {
            (AtExpiry::Release, Some(at)) if at > self.now => {
                self.drop_questions();
                self.note(&By::clock(), Step::Scheduled(at), "");
                self.case.progress.state = State::Scheduled { at, by: By::clock() };
                Fate::Stays
            }
            _ => self.close(&By::clock(), Decision::Expired(action), ""),
        }
    }

    fn warn(&mut self) {
        self.case.progress.warned = Some(self.now);
        self.note(&By::clock(), Step::Warned, "");
        self.owe_deciders(Word::ExpiryWarning);
        if self.case.plan.tells_sender.of_waiting() {
            self.owe(To::Sender, Word::ExpiryWarning);
        }
    }

    fn escalate(&mut self) {
        let Case { plan, progress } = &mut self.case;
        progress.escalated = true;
        let Some(escalation) = &plan.escalation else { return };
        let Some(level) = progress.levels.get_mut(usize::from(progress.at_level)) else { return };
        let known = |to: &Moderator| level.moderators.iter().any(|one| one.address == to.address);
        let others: Vec<Moderator> =
            escalation.to.iter().filter(|to| !known(to)).cloned().collect();
        level.moderators.extend(others.iter().cloned());
        self.note(&By::clock(), Step::Escalated, "");
        for one in others {
            if self.case.may_decide(&one).is_ok() {
                self.owe(To::Moderator(one.address), Word::Escalation);
            }
        }
    }

    fn remind(&mut self) {
        self.case.progress.asked = self.now;
        self.note(&By::clock(), Step::Reminded, "");
        self.owe_deciders(Word::Reminder);
    }

    /// Asks those of the level that is due now. If too few of them may decide, somebody must hear
    /// of it: the mail would wait for ever.
    fn ask_level(&mut self) {
        self.case.progress.asked = self.now;
        self.owe_deciders(Word::Request);
        let level = self.case.progress.level();
        let mut able: Vec<&Address> = level
            .into_iter()
            .flat_map(|level| &level.moderators)
            .filter(|one| self.case.may_decide(one).is_ok())
            .map(Moderator::principal)
            .collect();
        able.sort_unstable_by(|a, b| a.as_str().cmp(b.as_str()));
        able.dedup();
        // A mail that goes by itself needs nobody.
        let waits = self.case.plan.kind != Kind::Delay;
        if waits && level.is_none_or(|level| able.len() < usize::from(level.needed)) {
            self.owe(To::Administrators, Word::NoModerator);
        }
    }

    /// Tells those who may still decide at this level.
    fn owe_deciders(&mut self, word: Word) {
        if self.case.plan.kind == Kind::Delay {
            return;
        }
        let deciders: Vec<Moderator> =
            self.case.progress.level().map_or_else(Vec::new, |level| level.moderators.clone());
        for one in deciders {
            if self.case.may_decide(&one).is_ok() && self.case.not_voted(&one).is_ok() {
                self.owe(To::Moderator(one.address), word);
            }
        }
    }

    /// The one way to the end.
    fn close(&mut self, by: &By, decision: Decision, words: &str) -> Fate {
        self.drop_questions();
        self.note(by, Step::Closed(decision), words);
        let (by, words, at) = (by.clone(), words.into(), self.now);
        self.tell_of_end(&by, decision);
        self.case.progress.state = State::Closed(Closing { decision, by, at, words });
        match decision {
            Decision::Released | Decision::Expired(AtExpiry::Release) => {
                Fate::Released(self.case.progress.only.clone())
            }
            Decision::Gone => Fate::Stays,
            Decision::Rejected
            | Decision::Returned
            | Decision::Discarded
            | Decision::Cancelled
            | Decision::Expired(AtExpiry::Reject | AtExpiry::Discard) => Fate::Dropped,
        }
    }

    /// Whoever was asked hears that it is over, but for the one who ended it.
    fn tell_of_end(&mut self, by: &By, decision: Decision) {
        let is_silent =
            matches!(decision, Decision::Discarded | Decision::Expired(AtExpiry::Discard));
        if self.case.plan.tells_sender.of_outcome()
            && !is_silent
            && !matches!(by.who, Actor::Sender(_))
        {
            self.owe(To::Sender, Word::Decided);
        }
        if self.case.plan.kind != Kind::Approval {
            return;
        }
        let asked = usize::from(self.case.progress.at_level) + 1;
        let levels = self.case.progress.levels.iter().take(asked);
        let mut told: Vec<Address> = Vec::new();
        for one in levels.flat_map(|level| &level.moderators) {
            let ended = matches!(&by.who, Actor::Moderator(address) if *address == one.address);
            if !ended && self.case.may_decide(one).is_ok() && !told.contains(&one.address) {
                told.push(one.address.clone());
            }
        }
        told.into_iter().for_each(|address| self.owe(To::Moderator(address), Word::Decided));
    }

    /// Questions that were not asked yet need not be: nothing is left to decide.
    fn drop_questions(&mut self) {
        self.case.progress.owed.retain(|owed| match owed.word {
            Word::Request
            | Word::Reminder
            | Word::Escalation
            | Word::Forwarded
            | Word::ExpiryWarning
            | Word::NoModerator => false,
            Word::Held | Word::Decided => true,
        });
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
    fn seat(&self, by: &By) -> Result<Option<Moderator>, Refused> {
        match &by.who {
            Actor::Moderator(address) => {
                let level = self.case.progress.level().ok_or(Refused::NotTheirs)?;
                let seat = level.moderators.iter().find(|one| one.address == *address);
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
        self.case.plan.senders.iter().any(|one| one.as_str() == administrator)
    }

    fn has_enough(&self) -> bool {
        let needed = self.case.progress.level().map_or(1, |level| level.needed);
        self.case.progress.votes.len() >= usize::from(needed)
    }

    fn still_open(&self) -> Result<(), Refused> {
        match &self.case.progress.state {
            State::Closed(closing) => Err(Refused::Closed(closing.clone())),
            State::Pending | State::Scheduled { .. } => Ok(()),
        }
    }

    fn still_pending(&self) -> Result<(), Refused> {
        match self.case.progress.state {
            State::Scheduled { at, .. } => Err(Refused::Scheduled { at }),
            State::Pending | State::Closed(_) => self.still_open(),
        }
    }

    fn has_room(&self) -> Result<(), Refused> {
        if self.case.progress.history.len() < MAX_HISTORY { Ok(()) } else { Err(Refused::Full) }
    }

    fn note(&mut self, by: &By, step: Step, words: &str) {
        let entry = Entry { at: self.now, by: by.clone(), step, words: words.into() };
        self.case.progress.history.push(entry);
    }

    fn owe(&mut self, to: To, word: Word) {
        let number = self.case.progress.next_owed;
        self.case.progress.next_owed = number.wrapping_add(1);
        self.case.progress.owed.push(Owed { number, to, word });
    }
}

fn said(words: &str) -> Result<(), Refused> {
    if words.trim().is_empty() { Err(Refused::NoWords) } else { Ok(()) }
}

const SECONDS_OF_A_DAY: u64 = 86_400;

/// Whoever says "now" may have a clock that is a little late, or a long way to us.
const CLOCKS_DIFFER: Duration = Duration::from_secs(60);

/// What people say about one mail ends somewhere; what decides is always kept.
const MAX_HISTORY: usize = 200;
