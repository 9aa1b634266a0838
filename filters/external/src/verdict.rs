//! What a filter says of a mail that is not in the queue yet, in the words that all filters share.

use mailweir_mail::{Address, Reply, ReversePath};

/// What a filter says of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What becomes of the mail.
    pub decision: Decision,
    /// What it changes in the mail, in the order in which it said so.
    pub edits: Vec<Edit>,
    /// Why, on one line, for the log.
    pub reason: Box<str>,
}

impl Verdict {
    /// The mail goes on as it is.
    #[must_use]
    pub fn nothing(reason: &str) -> Self {
        Self { decision: Decision::Pass, edits: Vec::new(), reason: reason.into() }
    }
}

/// What becomes of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It goes on.
    Pass,
    /// It goes on hold.
    Hold,
    /// The client hears this reply, which is a 4xx or a 5xx.
    Refuse(Reply),
    /// The client hears that it is taken, and nothing is kept of it.
    Discard,
}

/// A change of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// A field below all others.
    Append {
        /// Without the colon.
        name: Box<str>,
        /// What follows the colon, white space and folds included, without the last end of line.
        value: Box<[u8]>,
    },
    /// A field with this many fields above it, as the header is then; below all if there are fewer. Our own fields are not
    /// counted, here and for the rest: it stands below those that stand above the field that it is put above.
    Insert {
        /// How many fields stand above.
        above: usize,
        /// Without the colon.
        name: Box<str>,
        /// What follows the colon.
        value: Box<[u8]>,
    },
    /// Another value for a field; below all others if there is none such.
    Change {
        /// Without the colon; letter case does not count.
        name: Box<str>,
        /// Which of the fields of this name, from 1 on, as the header is then.
        nth: usize,
        /// What follows the colon.
        value: Box<[u8]>,
    },
    /// A field is taken out, if it is there.
    Remove {
        /// Without the colon; letter case does not count.
        name: Box<str>,
        /// Which of the fields of this name, from 1 on, as the header is then; `None`: all.
        nth: Option<usize>,
    },
    /// The body is this one.
    Body(Box<[u8]>),
    /// The envelope's sender is this one.
    Sender(ReversePath),
    /// One more recipient.
    AddRecipient(Address),
    /// This recipient gets no copy.
    RemoveRecipient(Address),
}
