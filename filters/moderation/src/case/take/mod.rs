//! The rules of a case, each in one function.

mod clock;
mod close;
mod decide;
mod notices;
mod people;

use mailweir_mail::{Address, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    AtExpiry, By, Case, Closing, Command, Decision, Entry, Kind, MOST_WORDS, Plan, Progress,
    Refused, State, Step, To, Word,
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
        steps: 0,
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
            Command::Lose => self.lose(Decision::Gone),
            Command::Condemn => self.lose(Decision::Damaged),
        }
    }

    fn settle(&mut self, number: u32) -> Result<Fate, Refused> {
        let owed = &mut self.case.progress.owed;
        let place = owed.iter().position(|owed| owed.number == number).ok_or(Refused::NotOwed)?;
        owed.remove(place);
        Ok(Fate::Stays)
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

    fn note(&mut self, by: &By, step: Step, words: &str) {
        let entry = Entry { at: self.now, by: by.clone(), step, words: words.into() };
        let progress = &mut self.case.progress;
        let steps = u32::try_from(progress.all_steps()).unwrap_or(u32::MAX);
        progress.steps = steps.saturating_add(1);
        progress.history.push(entry);
    }
}

fn said(words: &str) -> Result<(), Refused> {
    if words.trim().is_empty() { Err(Refused::NoWords) } else { is_short(words) }
}

fn is_short(words: &str) -> Result<(), Refused> {
    if words.chars().nth(MOST_WORDS).is_some() { Err(Refused::TooLong) } else { Ok(()) }
}
