//! What is frozen when a mail is held: a change of the configuration does not redirect it.

use mailweir_mail::{Address, Timestamp};
use serde::{Deserialize, Serialize};

use crate::person::is_same;

/// What was decided when the mail came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The rule that held it.
    pub rule: RuleName,
    /// All other rules that matched, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<RuleName>,
    /// What kind of waiting this is, for the words of notices.
    pub kind: Kind,
    /// Who decides, one level after the other. At least one.
    pub levels: Vec<Level>,
    /// Who sent it, under every name that is known: envelope, login, From.
    pub senders: Vec<Address>,
    /// How many recipients it has; they are numbered from 0.
    pub recipients: u32,
    /// SHA-256 of the content as stored. It is checked before the mail is released.
    #[serde(with = "crate::digits")]
    pub content: [u8; 32],
    /// Whether a sender may decide about their own mail.
    pub own_mail: OwnMail,
    /// How many seconds pass between reminders. `None`: nobody is reminded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remind_every: Option<u32>,
    /// Who else is asked if nobody decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalation: Option<Escalation>,
    /// What becomes of it if nobody decides. `None`: it waits for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiry: Option<Expiry>,
    /// What the sender hears of it.
    pub tells_sender: TellsSender,
}

/// What a sender hears of a mail that is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TellsSender {
    /// That it is held, that its time is nearly over, and what came of it.
    Always,
    /// What came of it.
    Outcome,
    /// Nothing.
    Never,
}

/// A rule, by its name and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleName {
    /// Its `name`.
    pub name: Box<str>,
    /// The file and line that it stands in.
    pub place: Box<str>,
}

/// What kind of waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Moderators approve.
    Approval,
    /// It goes by itself after a while, unless the sender takes it back.
    Delay,
    /// The sender confirms it.
    Confirmation,
}

/// Some people, of whom enough must approve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    /// They.
    pub moderators: Vec<Moderator>,
    /// How many of them must approve; at least 1. One who refuses is enough to refuse.
    pub needed: u8,
}

/// Somebody who decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moderator {
    /// Where notices go, and who it is.
    pub address: Address,
    /// Whose deputy it is, if it is one. A deputy's word is that of the one who is away: both
    /// together count once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deputy_of: Option<Address>,
}

/// Whether a sender may decide about their own mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OwnMail {
    /// Never, also not as a deputy.
    Never,
    /// The rule allows it.
    Allowed,
}

/// Who else is asked, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Escalation {
    /// When.
    pub at: Timestamp,
    /// They join those of the level that is due then.
    pub to: Vec<Moderator>,
}

/// The end of waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expiry {
    /// When.
    pub at: Timestamp,
    /// When everybody is told that it is near.
    pub warning: Option<Timestamp>,
    /// What happens then.
    pub action: AtExpiry,
}

/// What happens to a mail about which nobody decided in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AtExpiry {
    /// It is refused, and the sender hears it.
    Reject,
    /// It is sent.
    Release,
    /// It is thrown away; the log and the record know.
    Discard,
}

impl Plan {
    /// Who sent it is not certain: nobody is written to in the belief that it was they. They do not
    /// confirm it either; then nobody is left to decide, which administrators hear.
    #[must_use]
    pub fn of_uncertain_sender(mut self) -> Self {
        self.tells_sender = TellsSender::Never;
        if self.kind == Kind::Confirmation {
            self.levels.iter_mut().for_each(|level| level.moderators.clear());
        }
        self
    }
}

impl TellsSender {
    /// Whether they hear how the mail fares before anything came of it.
    #[must_use]
    pub const fn of_waiting(self) -> bool {
        match self {
            Self::Always => true,
            Self::Outcome | Self::Never => false,
        }
    }

    /// Whether they hear what came of it.
    #[must_use]
    pub const fn of_outcome(self) -> bool {
        match self {
            Self::Always | Self::Outcome => true,
            Self::Never => false,
        }
    }
}

impl Moderator {
    /// One who decides in their own name.
    #[must_use]
    pub const fn new(address: Address) -> Self {
        Self { address, deputy_of: None }
    }

    /// Whether it is this one, whatever the case of the letters of their address.
    #[must_use]
    pub fn is(&self, address: &Address) -> bool {
        is_same(&self.address, address)
    }

    /// In whose name the word counts.
    #[must_use]
    pub fn principal(&self) -> &Address {
        self.deputy_of.as_ref().unwrap_or(&self.address)
    }
}
