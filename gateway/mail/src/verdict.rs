//! What becomes of a mail, and where it is on its way.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Reply;

/// What was decided about a mail at end of data. Exactly one, never a pair of flags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Queue it and pass it on.
    Accept,
    /// Queue it where the scheduler does not look, until a person or a deadline decides.
    Hold(HoldReason),
    /// Refuse it for good: 5yz. Nothing is kept.
    Reject(Reply),
    /// Refuse it for now: 4yz. Nothing is kept.
    Defer(Reply),
    /// Claim success and keep nothing.
    Discard,
}

/// Why a mail is held, in words for people: the rule that matched, or the operator who asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HoldReason(Box<str>);

impl HoldReason {
    /// A reason; control characters become spaces, since it is logged and shown.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.replace(char::is_control, " ").into())
    }

    /// The reason.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for HoldReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The stages between acceptance and delivery, in the order mail passes them. The next one is
/// stored with the mail, so that a restart resumes where the mail stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Stage {
    /// External filters look at it.
    Filter,
    /// Moderation rules look at it.
    Moderate,
    /// The archive takes it.
    Archive,
    /// It is signed.
    Sign,
    /// It is on its way to its next hops.
    Route,
}
