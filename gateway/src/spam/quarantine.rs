//! Quarantined mail: what people ask of it, and what they are told. It is mail on hold whose reason begins with
//! [`PREFIX`], and waits for nobody but an operator.

use mailweir_mail::{HoldReason, QueueId};
use serde::{Deserialize, Serialize};

use super::words::LearnedClass;
use crate::control::operation::Entry;

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// List it, oldest first.
    List,
    /// Show one mail, as far as a person needs to judge it.
    Show {
        /// The mail.
        id: QueueId,
    },
    /// Let mails go on, or delete them.
    Decide {
        /// Which mails.
        ids: Vec<QueueId>,
        /// What becomes of them.
        verdict: Verdict,
        /// Whether the classifier hears of it.
        lesson: Teaching,
    },
}

/// What becomes of a quarantined mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It goes on: somebody wants it.
    Release,
    /// It is deleted for good: nobody does.
    Delete,
}

/// Whether a verdict teaches the classifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Teaching {
    /// The mail is learned as what it was taken for.
    Learn,
    /// It is not.
    Leave,
}

/// What is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// One mail of a list.
    Entry(Entry),
    /// One mail, and what is in it.
    Shown(Box<Shown>),
    /// A verdict was carried out.
    Decided {
        /// The mail.
        id: QueueId,
        /// What the classifier has heard of it.
        learned: Learned,
    },
}

/// What the classifier has heard of a verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Learned {
    /// Nothing: nobody wanted it to.
    Left,
    /// It has learned the mail.
    As(LearnedClass),
    /// It knew the mail as this.
    Known(LearnedClass),
    /// Nothing: it could not.
    Failed {
        /// Why, and what to do.
        reason: Box<str>,
    },
}

/// One quarantined mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// As in a list.
    pub entry: Entry,
    /// Who handed it in: address and name.
    pub client: Box<str>,
    /// How that introduced itself.
    pub helo: Box<str>,
    /// All recipients.
    pub recipients: Vec<Box<str>>,
    /// What is in it.
    pub preview: Preview,
}

/// What a person reads of a mail. Nothing of it can command a terminal, and nothing was fetched for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preview {
    /// Names and values of the header fields that people read.
    pub fields: Vec<(Box<str>, Box<str>)>,
    /// The text, line by line.
    pub lines: Vec<Box<str>>,
    /// The parts that are no text: names and types.
    pub attachments: Vec<Box<str>>,
    /// There is more of it.
    pub is_cut: bool,
}

impl Verdict {
    /// What a mail was of which this is said.
    #[must_use]
    pub const fn class(self) -> LearnedClass {
        match self {
            Self::Release => LearnedClass::Ham,
            Self::Delete => LearnedClass::Spam,
        }
    }
}

/// Whether mail that is held for this reason is in quarantine.
#[must_use]
pub fn is_quarantine(reason: &HoldReason) -> bool {
    reason.as_str().starts_with(PREFIX)
}

/// What the reasons of quarantined mail begin with.
pub const PREFIX: &str = "quarantine: ";
