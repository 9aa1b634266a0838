//! One mail over a connection that is set up: the envelope, the content, and its answer.
//!
//! [`Envelope`] sends MAIL, RCPT and DATA and sorts their replies; [`Ending`] waits for the answer
//! to the final dot. Both write into a [`Ledger`], which has one slot per recipient. Which mail
//! comes when is the session's business.

mod breakdown;
mod ending;
mod envelope;
mod ledger;

pub(super) use breakdown::{Breakdown, Nonsense};
pub(super) use ending::Ending;
pub(super) use envelope::{Envelope, Familiarity, Remains, Turn};
pub(super) use ledger::Ledger;

use super::{
    capabilities::Capabilities,
    settings::{Dialect, Pipelining},
};

/// What holds for all transactions of a connection.
pub(super) struct Terms {
    /// The peer as `name[address]`, for our own words.
    pub(super) peer: Box<str>,
    pub(super) dialect: Dialect,
    /// What we want and the peer offers.
    pub(super) pipelining: Pipelining,
    pub(super) capabilities: Capabilities,
}

/// What is told to the driver about a mail.
pub(super) enum Told {
    Finished(super::outcome::Finished),
    Returned(super::outgoing::Outgoing),
}
