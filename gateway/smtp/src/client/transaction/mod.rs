//! One mail over a connection that is set up: the envelope, the content, and its answer.
//!
//! [`Envelope`] sends MAIL, RCPT and DATA and sorts their replies; [`Content`] lasts while the
//! driver sends it; [`Ending`] waits for the answer to the final dot. Each hands on a [`Ledger`],
//! which has one slot per recipient. Which mail comes when is the session's business.

mod breakdown;
mod content;
mod ending;
mod envelope;
mod ledger;

pub(super) use breakdown::{Breakdown, SHUTTING_DOWN};
pub(super) use content::Content;
pub(super) use ending::Ending;
pub(super) use envelope::{Before, Envelope, Turn};
pub(super) use ledger::Ledger;

use super::{capabilities::Capabilities, outcome::Attempt, phase::Phase, settings::Dialect};

/// What holds for all transactions of a connection.
pub(super) struct Terms {
    /// The peer as `name[address]`, for our own words.
    pub(super) peer: Box<str>,
    pub(super) dialect: Dialect,
    pub(super) capabilities: Capabilities,
}

/// How far a mail has come.
#[derive(Debug)]
pub(super) enum Transaction {
    Envelope(Envelope),
    Content(Content),
    Ending(Ending),
}

impl Transaction {
    /// What the next reply answers.
    pub(super) fn phase(&self) -> Phase {
        match self {
            Self::Envelope(envelope) => envelope.phase(),
            Self::Content(_) => Phase::Content,
            Self::Ending(_) => Phase::EndOfData,
        }
    }

    /// The end of the connection.
    pub(super) fn break_off(self, why: &Breakdown, peer: &str) -> Told {
        match self {
            Self::Envelope(envelope) => envelope.break_off(why, peer),
            Self::Content(content) => content.break_off(why, peer),
            Self::Ending(ending) => ending.break_off(why, peer),
        }
    }
}

/// What is told to the driver about a mail.
pub(super) enum Told {
    /// One outcome per recipient.
    Finished(Vec<Attempt>),
    /// It was not tried.
    Returned,
}
