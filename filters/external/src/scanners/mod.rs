//! Scanners of other people, each asked about a mail over a connection of its own: clamd, spamd and Rspamd.
//!
//! All have the same shape. `head`, `piece` and, for clamd, `finish` write the bytes to send; what comes back goes to
//! `receive`, which says whether an answer is whole, and `end` gives the answer once no more bytes come or are waited
//! for. An answer becomes a [`Verdict`](crate::verdict::Verdict) as the administrator wants it.
//!
//! A scanner answers once, when it has the whole mail, and within a bound. Everything else is a [`Fault`], which says
//! nothing of the mail. clamd answers early and closes when a mail is too large for it: whoever cannot send any more
//! must still read.

pub mod clamd;
mod head;
mod hearing;
mod replies;
pub mod rspamd;
pub mod spamd;
mod text;

use std::fmt;

/// What becomes of a mail that a scanner finds bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    /// The client hears a 5xx.
    Reject,
    /// It goes on hold.
    Hold,
    /// The client hears that it is taken, and nothing is kept of it.
    Discard,
}

/// A scanner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// ClamAV.
    Clamd,
    /// SpamAssassin.
    Spamd,
    /// Rspamd.
    Rspamd,
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Clamd => "clamd",
            Self::Spamd => "spamd",
            Self::Rspamd => "Rspamd",
        })
    }
}

/// A scanner has said nothing that counts. What becomes of the mail is for the administrator to say.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{program} {wrong}")]
pub struct Fault {
    /// Whose fault it is.
    pub program: Program,
    /// What it did.
    pub wrong: Wrong,
}

/// What a scanner did wrong. What is quoted of it is one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// It cannot know what it says.
    #[error("answered before it had the whole mail")]
    Early,
    /// More than this many bytes came.
    #[error("answered with more than {0} bytes")]
    TooLong(usize),
    /// More came behind a whole answer.
    #[error("went on after its answer")]
    Twice,
    /// No byte came.
    #[error("closed the connection without an answer")]
    Silent,
    /// The answer is not whole.
    #[error("closed the connection within its answer")]
    CutShort,
    /// No answer to what was asked, or none that is known here.
    #[error("gave an answer that cannot be used: {0}")]
    Unclear(Box<str>),
    /// It could not look at the mail, in its own words.
    #[error("failed: {0}")]
    Failed(Box<str>),
    /// The mail is larger than it takes.
    #[error("does not take mails of this size; raise its limit, or let larger mails pass")]
    TooLarge,
}

impl Wrong {
    const fn by(self, program: Program) -> Fault {
        Fault { program, wrong: self }
    }

    /// Quotes what cannot be used, behind what is wrong with it.
    fn unclear(what: &str, said: &[u8]) -> Self {
        let what = text::quoted(what.as_bytes());
        Self::Unclear(format!("{what}: \"{}\"", text::quoted(said)).into())
    }
}
