//! A mail that waits for people: what was frozen with it, what they did, and what comes of it.
//!
//! Pure: [`Case::open`] and [`Case::take`] get the time as an argument, and give what is to be stored
//! together with what follows from it. Both are stored in one commit; what is owed to people stands
//! in the case until it was sent, so that a crash loses no notice and repeats none that is settled.
//!
//! ```text
//!              approve, enough for the level          approve, enough for the last level
//!   Pending ───────────────────────────────> Pending ─────────────────────────────────> Closed
//!    level 0                                  level 1         \ with a time             Released
//!      │                                                       `──> Scheduled ──────────────^
//!      │  reject, return, discard (one is enough), cancel, expiry        │
//!      `───────────────────────────────────────────────────────────> Closed
//! ```
//! There is exactly one way into [`State::Closed`], and none out of it.

mod command;
mod plan;
mod progress;
mod seats;
mod take;
mod timetable;
mod words;

pub use command::{Actor, By, Command, MOST_DAYS, MOST_WORDS, Proof, Refused};
pub use plan::{
    AtExpiry, Escalation, Expiry, Kind, Level, Moderator, OwnMail, Plan, RuleName, TellsSender,
};
pub use progress::{
    Closing, Decision, Entry, Owed, Progress, QueueDeed, State, Step, To, Vote, Word,
};
pub use take::{Fate, Outcome, Trust};

use mailweir_mail::{Address, Timestamp};
use serde::{Deserialize, Serialize};

/// A case. Its name is the queue id of its mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// What was frozen when the mail came.
    pub plan: Plan,
    /// What happened since.
    pub progress: Progress,
}

impl Case {
    /// Opens a case: the mail waits from now on, and those who are to decide are owed a request.
    #[must_use]
    pub fn open(plan: Plan, now: Timestamp) -> Self {
        take::open(plan, now)
    }

    /// A mail that goes at once, and of which these people hear.
    #[must_use]
    pub fn passed(plan: Plan, readers: &[Address], now: Timestamp) -> Self {
        take::passed(plan, readers, now)
    }

    /// Does what `command` says.
    ///
    /// # Errors
    /// It may not be done. Nothing was changed, and whoever asked is told why; of a case that is
    /// closed, by whom and when.
    pub fn take(&self, command: &Command, now: Timestamp) -> Result<Outcome, Refused> {
        take::take(self, command, now)
    }

    /// When the clock has something to say next ([`Command::Clock`]); `None`: never.
    #[must_use]
    pub fn due(&self) -> Option<Timestamp> {
        timetable::due(self)
    }

    /// Whether people were asked or warned at a time that is not there yet: the clock was set back since.
    /// [`Command::Clock`] takes `now` for it, so that nobody waits until it is there.
    #[must_use]
    pub fn is_ahead(&self, now: Timestamp) -> bool {
        timetable::is_ahead(self, now)
    }

    /// When it expires as things stand ([`Plan::expiry`], or later if the warning was late); `None`: it
    /// does not, or it waits for nobody any more.
    #[must_use]
    pub fn expires(&self) -> Option<Timestamp> {
        timetable::expires(self)
    }

    /// Those whose word counts now, deputies among them.
    #[must_use]
    pub fn deciders(&self) -> &[Moderator] {
        match self.progress.state {
            State::Pending => self.progress.level().map_or(&[], |level| &level.moderators),
            State::Scheduled { .. } | State::Closed(_) => &[],
        }
    }
}

#[cfg(test)]
mod tests;
