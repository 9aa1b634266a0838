//! What happened to a case.

use mailweir_mail::{Address, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Actor, AtExpiry, By, Level};

/// What changes of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Counts every change, from 1.
    pub version: u32,
    /// When it was opened.
    pub opened: Timestamp,
    /// Where it stands.
    pub state: State,
    /// Which level decides, from 0.
    pub at_level: u8,
    /// Who decides at each level: as planned, but for forwards and escalation.
    pub levels: Vec<Level>,
    /// What counted at this level.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub votes: Vec<Vote>,
    /// The recipients who get it; none of the others. `None`: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<Vec<u32>>,
    /// When people were reminded last, or first asked at this level.
    pub asked: Timestamp,
    /// Whether others were asked too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub escalated: bool,
    /// When people were warned of the expiry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warned: Option<Timestamp>,
    /// Before this it is not sent: the latest of what those who approved asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// The days of trust that all wish who approved at earlier levels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least_trust: Option<u16>,
    /// What happened, for those who look at it. Bounded in length: of many reminders the first and the
    /// last stand in it.
    pub history: Vec<Entry>,
    /// How many steps there were; the journal has them all.
    pub steps: u32,
    /// What people are to be told.
    pub owed: Vec<Owed>,
    /// The number of the next notice.
    pub next_owed: u32,
}

/// Where a case stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The level decides.
    Pending,
    /// It is approved, and is sent at a time.
    Scheduled {
        /// When.
        at: Timestamp,
        /// Who had the last word.
        by: By,
    },
    /// It is decided, once and for all.
    Closed(Closing),
}

/// The end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    /// What was decided.
    pub decision: Decision,
    /// By whom.
    pub by: By,
    /// When.
    pub at: Timestamp,
    /// The words that belong to it; may be empty.
    pub words: Box<str>,
}

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It may go. It was sent, unless it is held for another reason as well.
    Released,
    /// It was refused.
    Rejected,
    /// It was given back to be corrected.
    Returned,
    /// It was thrown away.
    Discarded,
    /// The sender took it back.
    Cancelled,
    /// Nobody decided in time.
    Expired(AtExpiry),
    /// It had left the queue, and the case did not hear how.
    Gone,
    /// What is stored of it is not what was held, or cannot be read: it is in the queue still, for an
    /// operator.
    Damaged,
}

/// What an operator does with a mail in the queue, past its case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueueDeed {
    /// It is sent.
    Released,
    /// It is thrown away.
    Deleted,
}

/// A word that counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vote {
    /// Who approved.
    pub by: By,
    /// In whose name.
    pub principal: Address,
    /// When.
    pub at: Timestamp,
    /// For how many days the sender is trusted, as far as this word goes.
    pub trust_days: u16,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: By,
    /// What.
    pub step: Step,
    /// The words that belong to it; may be empty.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub words: Box<str>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// It was opened.
    Opened,
    /// Somebody approved, and it was not the last word.
    Approved,
    /// The next level decides from now on.
    NextLevel,
    /// It was approved, and waits for its time.
    Scheduled(Timestamp),
    /// Somebody said something.
    Commented,
    /// Somebody else decides: instead of the moderator who did it, besides all others if it was an
    /// administrator.
    Forwarded(Address),
    /// People were reminded.
    Reminded,
    /// People were reminded so many times, for the last time then. The journal has each of them.
    RemindedTimes(u32),
    /// Others were asked too.
    Escalated,
    /// People were warned of the expiry.
    Warned,
    /// An operator did this with the mail in the queue, past its case.
    InQueue(QueueDeed),
    /// The end.
    Closed(Decision),
    /// It went at once, and so many people hear of it.
    Passed(u32),
    /// Further mail of its log-in passes its rule until then.
    Trusted(Timestamp),
    /// The trust that came of it is over, earlier than was said.
    Distrusted,
}

/// A notice that is to be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owed {
    /// Its number in this case.
    pub number: u32,
    /// To whom.
    pub to: To,
    /// What it says.
    pub word: Word,
}

/// Who is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum To {
    /// Somebody who decides, or did.
    Moderator(Address),
    /// The sender.
    Sender,
    /// Those who run the gateway.
    Administrators,
}

/// What a notice says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// Please decide.
    Request,
    /// Please decide, still.
    Reminder,
    /// Please decide, since others did not.
    Escalation,
    /// Please decide, since somebody gave it to you.
    Forwarded,
    /// It expires soon.
    ExpiryWarning,
    /// Too few can decide: somebody must be found.
    NoModerator,
    /// Your mail is held.
    Held,
    /// It is decided.
    Decided,
}

impl Progress {
    /// The level that decides.
    #[must_use]
    pub fn level(&self) -> Option<&Level> {
        self.levels.get(usize::from(self.at_level))
    }

    /// How many steps there were, all told.
    #[must_use]
    pub fn all_steps(&self) -> usize {
        self.steps as usize
    }
}

impl By {
    /// The gateway, as time passes.
    #[must_use]
    pub const fn clock() -> Self {
        Self { who: Actor::Clock, proof: super::Proof::Gateway, from: None }
    }
}
