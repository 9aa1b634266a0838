//! What the evaluation of lists came to.

use std::sync::Arc;

use mailweir_mail::Reply;
use mailweir_tables::Place;

/// What was decided, and what the log should hear.
#[derive(Clone, Debug)]
#[must_use]
pub struct Outcome {
    /// Whether the command is accepted.
    pub ruling: Ruling,
    /// What was decided on the way, in order. At most [`Outcome::MAX_DECISIONS`].
    pub decisions: Vec<Decision>,
    /// What ended lists early by permitting, in order: `permit_mynetworks`, an OK of a table.
    pub permissions: Vec<Permission>,
    /// How long to wait before the reply (restriction `sleep`), in seconds.
    pub delay: u64,
}

impl Outcome {
    /// More decisions of one evaluation than these are not kept.
    pub const MAX_DECISIONS: usize = 100;
}

/// Why the rest of a list was not asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permission {
    /// The restriction that permitted, as it was written.
    pub restriction: Arc<str>,
    /// The rule, if a table said it.
    pub place: Option<Place>,
}

/// Whether a command is accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// It is.
    Permit,
    /// Never: 5yz. After 521 the connection is closed.
    Reject(Refusal),
    /// Not now: 4yz. After 421 the connection is closed.
    Defer(Refusal),
}

impl Ruling {
    /// The refusal, if it is one.
    #[must_use]
    pub const fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Permit => None,
            Self::Reject(refusal) | Self::Defer(refusal) => Some(refusal),
        }
    }
}

/// Who refused, and in which words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The reply.
    pub reply: Reply,
    /// The restriction that refused, as it was written.
    pub restriction: Arc<str>,
    /// The rule, if a table said it.
    pub place: Option<Place>,
}

/// Something for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What was done.
    pub kind: DecisionKind,
    /// In Postfix's words: what stands behind `RCPT from name[address]: `.
    pub text: Box<str>,
    /// The restriction that decided, as it was written.
    pub restriction: Arc<str>,
    /// The rule, if a table said it.
    pub place: Option<Place>,
}

/// What was done, as Postfix's log names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DecisionKind {
    /// Refused.
    Reject,
    /// Would have been refused without `warn_if_reject`.
    RejectWarning,
    /// FILTER.
    Filter,
    /// HOLD.
    Hold,
    /// DISCARD.
    Discard,
    /// REDIRECT.
    Redirect,
    /// BCC.
    Bcc,
    /// PREPEND. Postfix does not log it.
    Prepend,
    /// INFO.
    Info,
    /// WARN.
    Warn,
    /// Something is wrong with a table, a list or a name server. Postfix logs it as `warning:`.
    Trouble,
}

impl DecisionKind {
    /// The word of Postfix's log.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Reject => "reject",
            Self::RejectWarning => "reject_warning",
            Self::Filter => "filter",
            Self::Hold => "hold",
            Self::Discard => "discard",
            Self::Redirect => "redirect",
            Self::Bcc => "bcc",
            Self::Prepend => "prepend",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Trouble => "warning",
        }
    }
}
