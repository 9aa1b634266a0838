//! What may be asked of a case, by whom, and why it may be refused.

use std::net::IpAddr;

use mailweir_mail::{Address, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Closing, Moderator, QueueDeed};

/// Something that somebody wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// A moderator approves.
    Approve {
        /// Who, and how that is known.
        by: By,
        /// For others to read; may be empty.
        comment: Box<str>,
        /// For these recipients only; the others do not get it. `None`: for all.
        only: Option<Vec<u32>>,
        /// It is sent then, which is not over. `None`: at once.
        at: Option<Timestamp>,
        /// For how many days further mail of the log-in passes the rule that holds this one; 0 for
        /// none, [`MOST_DAYS`] at most.
        trust_days: u16,
    },
    /// A moderator refuses; the sender is told.
    Reject {
        /// Who.
        by: By,
        /// For the sender; may be empty.
        reason: Box<str>,
    },
    /// A moderator gives it back to be corrected and sent again.
    Return {
        /// Who.
        by: By,
        /// What is to be corrected. Not empty.
        reason: Box<str>,
    },
    /// A moderator throws it away; the sender hears nothing.
    Discard {
        /// Who.
        by: By,
        /// For the record; may be empty.
        reason: Box<str>,
    },
    /// Somebody says something, and nothing is decided.
    Comment {
        /// Who.
        by: By,
        /// What. Not empty.
        text: Box<str>,
    },
    /// A moderator hands the decision to somebody else; an administrator asks somebody else as well.
    Forward {
        /// Who.
        by: By,
        /// To whom.
        to: Moderator,
    },
    /// The sender takes the mail back, also while a release waits for its time; or an administrator
    /// does it for them.
    Cancel {
        /// Who.
        by: By,
    },
    /// An operator has released or deleted the mail in the queue: nothing is left to decide.
    Overtake {
        /// Who.
        by: By,
        /// What became of the mail.
        deed: QueueDeed,
    },
    /// The mail is held no more, and nobody told the case what became of it.
    Lose,
    /// What is stored of the mail is not what was held: nobody can decide about it any more.
    Condemn,
    /// An operator has released or deleted a mail that people have no say in any more: it was approved
    /// and on hold for another reason as well, or is damaged.
    Follow {
        /// Who.
        by: By,
        /// What.
        deed: QueueDeed,
    },
    /// An administrator ends the trust that came of it.
    Distrust {
        /// Who.
        by: By,
    },
    /// Time has passed: reminders, escalation, warning, expiry, a release whose time has come.
    Clock,
    /// A notice was sent, or given up.
    Settle {
        /// Its number.
        owed: u32,
    },
}

/// A month: longer trust stands in the configuration, where others see it.
pub const MOST_DAYS: u16 = 31;

/// Characters of a comment or a reason; more are refused, wherever they come from.
pub const MOST_WORDS: usize = 4_000;

/// Who does something, and how that is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct By {
    /// Who.
    pub who: Actor,
    /// How that is known.
    pub proof: Proof,
    /// From where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<IpAddr>,
}

/// Who does something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// A moderator, whether of this case or not.
    Moderator(Address),
    /// The sender of the mail.
    Sender(Address),
    /// An administrator, who may do what a moderator may. It is always shown as such.
    Administrator(Box<str>),
    /// Nobody: time has passed.
    Clock,
}

/// How it is known who does something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// The token of a link in a notice.
    Link,
    /// A reply to a notice, by somebody who is proven to be its recipient.
    Reply,
    /// A log-in at the web pages.
    Login,
    /// A token of the programming interface.
    Api,
    /// The command line of the gateway.
    CommandLine,
    /// The gateway itself.
    Gateway,
}

/// Why something may not be done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// It was decided before.
    #[error("it was decided before")]
    Closed(Closing),
    /// It is approved already, and waits for its time; only the sender or an administrator can
    /// stop it.
    #[error("it is approved already and waits for its time")]
    Scheduled {
        /// When it is sent.
        at: Timestamp,
    },
    /// Whoever asks does not decide about it, or not at this level.
    #[error("the decision is not theirs")]
    NotTheirs,
    /// Nobody decides about their own mail.
    #[error("nobody decides about their own mail")]
    OwnMail,
    /// Their word was counted, or that of the one whose deputy they are.
    #[error("their word is counted already")]
    VotedAlready {
        /// When.
        at: Timestamp,
    },
    /// The other one decides about it already.
    #[error("they decide about it already")]
    DecidesAlready,
    /// More was said about it than a case can hold.
    #[error("more was said about it than is kept")]
    Full,
    /// A reason is needed, or there is nothing to say.
    #[error("words are missing")]
    NoWords,
    /// More was said at once than is kept.
    #[error("{MOST_WORDS} characters can be said at once")]
    TooLong,
    /// There is no such recipient, or none is left.
    #[error("there is no such recipient")]
    NoSuchRecipient,
    /// No such notice is owed.
    #[error("no such notice is owed")]
    NotOwed,
    /// The time at which it is to be sent is over.
    #[error("the time at which it is to be sent is over")]
    Past,
    /// Nobody frees their own mail from a rule.
    #[error("only moderators who are not its sender let further mail go, of what they approve")]
    NoTrust,
    /// Trust is asked for too long.
    #[error("further mail can be let go for {MOST_DAYS} days at most")]
    TrustTooLong,
    /// Nobody would be known again.
    #[error("further mail can be let go only of somebody who logged in to hand in this one")]
    NoLogIn,
}
