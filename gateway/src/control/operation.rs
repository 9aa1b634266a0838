//! What operators ask, and what they are told: the words of the control socket.
//!
//! One JSON value per line, both ways. A request is one line; the answer is a line for each thing that
//! is told (a mail, a case, an entry of the journal), and a last one that says that this was all. Behind the request
//! of an import come mails.

use mailweir_mail::{Envelope, HoldReason, Network, Origin, QueueId, Timestamp};
use mailweir_moderation::{case_file::CaseFile, deed::Deed, search::Query};
use serde::{Deserialize, Serialize};

use crate::{
    archiving,
    spam::{quarantine, words},
};

/// One request: who asks for what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The person or program that asks; logged with every change.
    pub by: Box<str>,
    /// What is asked.
    pub operation: Operation,
}

/// What can be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// List mails, oldest first.
    List {
        /// Only those in this place.
        place: Option<Place>,
        /// At most so many.
        limit: usize,
    },
    /// Tell all about one mail.
    Show {
        /// The mail.
        id: QueueId,
    },
    /// Put on hold.
    Hold {
        /// Which mails.
        mails: Selection,
        /// Why; who asked is added to it.
        reason: HoldReason,
    },
    /// Take off hold.
    Release {
        /// Which mails.
        mails: Selection,
    },
    /// Start over, under today's rules.
    Requeue {
        /// Which mails.
        mails: Selection,
    },
    /// Delete for good.
    Delete {
        /// Which mails.
        mails: Selection,
    },
    /// Try all deferred mails now.
    Flush,
    /// List who failed to log in, who has to wait longest first. For a running server.
    Bans {
        /// Also those who need not wait.
        all: bool,
    },
    /// Forget failed log-ins. For a running server.
    Lift {
        /// Whose.
        whom: Culprit,
    },
    /// List mail that waits for people, oldest first. For a running server.
    Cases {
        /// Which.
        query: Query,
        /// At most so many.
        limit: usize,
    },
    /// Tell all about one case. For a running server.
    Case {
        /// Its mail.
        id: QueueId,
    },
    /// Decide about a case, in the name of the administrator who asks. For a running server.
    Decide {
        /// Its mail.
        id: QueueId,
        /// What.
        #[serde(rename = "decision")]
        deed: Deed,
    },
    /// List whose mail passes which rule for a while. For a running server.
    Trusted,
    /// End that. For a running server.
    Distrust {
        /// The log-in.
        login: Box<str>,
        /// As far as this rule goes; `None`: all.
        rule: Option<Box<str>>,
    },
    /// Show the journal of what people did, and whether it is whole.
    Journal {
        /// Only the entries of this case.
        id: Option<QueueId>,
        /// Only whether it is whole.
        verdict: bool,
    },
    /// Something about the archive.
    Archive(archiving::words::Ask),
    /// Archive mails. They come behind the request: each a line, and its content as it is. For a running server.
    Import {
        /// What becomes of those that are there already, or were erased.
        doubles: archiving::words::Doubles,
    },
    /// Make the index of the archive anew. For a running server.
    Reindex,
    /// Something about the spam checks. Mails come behind the request, if it is about some. For a running server.
    Spam(words::Ask),
    /// Something about quarantined mail.
    Quarantine(quarantine::Ask),
}

impl Operation {
    /// Why a server must run for it; `None`: the store is enough.
    #[must_use]
    pub const fn needs_server(&self) -> Option<&'static str> {
        match self {
            Self::Bans { .. } | Self::Lift { .. } => {
                Some("failed log-ins are counted by a running one, and forgotten at its end")
            }
            Self::Cases { .. }
            | Self::Case { .. }
            | Self::Decide { .. }
            | Self::Trusted
            | Self::Distrust { .. } => Some(
                "a running one alone knows what waits for people, and tells them what comes of it",
            ),
            Self::Reindex => Some("mailweir archive reindex makes the index without one"),
            Self::Import { .. } => Some("mailweir archive import opens the archive itself then"),
            Self::Spam(_) => Some("mailweir spam opens what was learned itself then"),
            Self::List { .. }
            | Self::Show { .. }
            | Self::Hold { .. }
            | Self::Release { .. }
            | Self::Requeue { .. }
            | Self::Delete { .. }
            | Self::Flush
            | Self::Journal { .. }
            | Self::Archive(_)
            | Self::Quarantine(_) => None,
        }
    }
}

/// Whose failed log-ins are meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Culprit {
    /// Everybody's.
    All,
    /// Those from an address or a network.
    Network(Network),
    /// Those for an account. Not checked yet.
    Account(Box<str>),
}

/// Which mails an operation is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Selection {
    /// All mails in the queue.
    All,
    /// These mails.
    Ids(Vec<QueueId>),
}

/// Where in the queue a mail is, by the names of Postfix's queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// Being checked, before it is ready.
    Incoming,
    /// Ready, or being delivered.
    Active,
    /// Waiting for its next try.
    Deferred,
    /// On hold.
    Hold,
    /// Done, and kept until the archive has it.
    Archiving,
    /// Unreadable; kept for `rescue`.
    Corrupt,
}

impl Place {
    /// Postfix's name of the queue.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Incoming => "incoming",
            Self::Active => "active",
            Self::Deferred => "deferred",
            Self::Hold => "hold",
            Self::Archiving => "archiving",
            Self::Corrupt => "corrupt",
        }
    }
}

/// One line behind a request that brings mails.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Sent {
    /// A mail. Its content follows, as it is.
    Mail {
        /// What is known of it.
        brought: Box<archiving::words::Brought>,
        /// Bytes of content.
        size: u64,
    },
    /// A mail of which nothing else is known. Its content follows, as it is.
    Content {
        /// Bytes of content.
        size: u64,
    },
    /// Nothing yet: they are still looked for.
    Wait,
    /// That was all.
    End,
}

/// One line that the server says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line {
    /// A part of the answer.
    Answer(Answer),
    /// That was all. Without it the server died before it was done.
    End,
}

/// One part of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// One mail of a list.
    Entry(Entry),
    /// All about one mail.
    Details(Box<Details>),
    /// A change was made.
    Changed {
        /// The mail.
        id: QueueId,
    },
    /// Nothing was done to this mail.
    Refused {
        /// The mail.
        id: QueueId,
        /// Why.
        reason: Box<str>,
    },
    /// Of all mails, so many were left alone: they wait for people.
    Skipped {
        /// How many.
        mails: usize,
    },
    /// So many deferred mails will be tried now.
    Flushed {
        /// How many.
        mails: usize,
    },
    /// One of those who failed to log in.
    Ban(Ban),
    /// Failed log-ins were forgotten.
    Lifted {
        /// Of how many addresses, accounts, and accounts where they are familiar.
        bans: usize,
    },
    /// A case, without what proves who somebody is.
    Case {
        /// Its mail.
        id: QueueId,
        /// All about it.
        file: Box<CaseFile>,
    },
    /// A log-in whose mail passes a rule for a while.
    Trusted(Trusted),
    /// That is over.
    Distrusted {
        /// The mails that it came of.
        mails: Vec<QueueId>,
    },
    /// An entry of the journal.
    JournalEntry(Box<JournalEntry>),
    /// Whether the journal is what was written.
    JournalVerdict(JournalVerdict),
    /// Of the archive.
    Archive(archiving::words::Told),
    /// Of the spam checks.
    Spam(words::Told),
    /// Of quarantined mail.
    Quarantine(quarantine::Told),
    /// How far the index of the archive is that is being made.
    Reindexing {
        /// Records that are in it.
        done: u64,
        /// Records of the archive.
        all: u64,
        /// Whether it has taken the place of the old one.
        is_made: bool,
    },
    /// The request could not be carried out at all.
    Failed {
        /// Why, and what to do.
        reason: Box<str>,
    },
}

/// A log-in whose mail passes a rule for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trusted {
    /// The log-in.
    pub login: Box<str>,
    /// The name of the rule.
    pub rule: Box<str>,
    /// Until then.
    pub until: Timestamp,
}

/// An entry of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalEntry {
    /// Its number, from 1.
    pub number: u64,
    /// Its SHA-256, in hexadecimal digits.
    pub hash: Box<str>,
    /// That of the entry before it.
    pub before: Box<str>,
    /// What it says, in JSON.
    pub text: Box<str>,
}

/// Whether the journal is what was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalVerdict {
    /// How many entries follow each from the one before it.
    pub entries: u64,
    /// The SHA-256 of the last of them, for whoever keeps it elsewhere.
    pub last: Option<Box<str>>,
    /// Why the next one does not.
    pub broken: Option<Box<str>>,
    /// Cases that know of more steps than stand in the journal.
    pub missing: Vec<QueueId>,
}

/// One mail of a list: the members of `postqueue -j`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Where it is.
    pub queue_name: Place,
    /// Its id.
    pub queue_id: QueueId,
    /// When it arrived, in seconds since the epoch.
    pub arrival_time: u64,
    /// Bytes of content.
    pub message_size: u64,
    /// Always false here: mail does not expire by force.
    pub forced_expire: bool,
    /// Envelope sender; empty for the null sender.
    pub sender: Box<str>,
    /// The recipients that are not done.
    pub recipients: Vec<EntryRecipient>,
    /// Why it is on hold.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hold_reason: Option<HoldReason>,
}

/// A recipient that is not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryRecipient {
    /// The address.
    pub address: Box<str>,
    /// What the last attempt came to.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub delay_reason: Option<Box<str>>,
}

/// Somebody whose failed log-ins are counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ban {
    /// What the count is kept for.
    pub kind: BanKind,
    /// The IPv4 address or IPv6 /64.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub address: Option<Network>,
    /// The account.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub account: Option<Box<str>>,
    /// How many failures are not forgotten yet.
    pub failures: u32,
    /// How long it has to wait, in seconds, rounded up; 0: not at all.
    pub wait_seconds: u64,
}

/// What failures are counted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BanKind {
    /// An address, with all accounts that are strange there.
    Address,
    /// An account, from wherever it is strange.
    Account,
    /// An account at an address where it has logged in before.
    Familiar,
}

/// All about one mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// As in a list.
    pub entry: Entry,
    /// Where it came from.
    pub origin: Origin,
    /// The envelope as accepted.
    pub envelope: Envelope,
    /// When it is tried next.
    pub next_attempt: Option<Timestamp>,
    /// The content, decoded as UTF-8 as far as it is; at most the first part of a large mail.
    pub content: Box<str>,
}
