//! What people ask of the archive, and what they are told: on the control socket, and in the API.

use mailweir_archive::{
    entry::{Access, AccessDeed, Capture, Direction, Erased, Lift, Lifted, Outcome},
    frame::Seq,
    holds::Person,
    span::Span,
};
use mailweir_mail::{Address, Envelope, QueueId, Timestamp};
use serde::{Deserialize, Serialize};

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// Find mails, the newest first.
    Search(Search),
    /// Tell all about a mail, but its content.
    Show {
        /// The mail.
        id: QueueId,
    },
    /// Write down that somebody is about to use the archive by reading its files.
    Note {
        /// For what.
        deed: AccessDeed,
    },
    /// List who used the archive, the latest first.
    Accesses {
        /// At most so many.
        limit: usize,
    },
    /// List legal holds.
    Holds,
    /// Begin a legal hold, or have one mean more.
    Hold(Hold),
    /// End a legal hold.
    Lift {
        /// Which.
        what: Lift,
        /// Why.
        reason: Box<str>,
    },
    /// Erase mails.
    Erase {
        /// Which.
        ids: Vec<QueueId>,
        /// Why.
        reason: Box<str>,
    },
    /// Have a mail sent again. For a running server.
    Restore {
        /// The mail.
        id: QueueId,
        /// To whom.
        to: Vec<Address>,
    },
    /// Erase what has been kept for long enough.
    Purge {
        /// Only say what would be erased.
        dry_run: bool,
    },
}

/// What is looked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Search {
    /// As people write it.
    pub query: Box<str>,
    /// Only older ones than this: what [`Told::Found`] gave as the next page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Seq>,
    /// At most so many.
    pub limit: usize,
    /// Seconds that the clocks of who asks are ahead of UTC: when a day begins.
    #[serde(default)]
    pub utc_offset: i32,
    /// How far the index must be.
    #[serde(default)]
    pub reach: Reach,
}

/// How far the index must be that is searched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// As far as it is: mail that came just now may be missed.
    #[default]
    AsItIs,
    /// No mail may be missed that is archived now: the index is waited for, or the search is refused.
    Whole,
}

/// Which mails a legal hold means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// The name of the case.
    pub case: Box<str>,
    /// Why.
    pub reason: Box<str>,
    /// These.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<QueueId>,
    /// Those that are found by this now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<Box<str>>,
    /// Seconds that the clocks of who asks are ahead of UTC: when a day of the query begins.
    #[serde(default)]
    pub utc_offset: i32,
    /// All mail of these people, of yesterday and of tomorrow.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<Person>,
}

/// What becomes of mail that is brought in and was before: that is there, or was erased here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Doubles {
    /// It is left out.
    LeaveOut,
    /// It is archived all the same.
    TakeIn,
}

/// A mail that is brought in from a file. Its content goes beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Brought {
    /// Where it was found.
    pub from: Box<str>,
    /// Who sent it and who got it, as far as that is known.
    pub envelope: Envelope,
    /// When it arrived; absent: nothing says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrival: Option<Timestamp>,
    /// Which way it went.
    pub direction: Direction,
    /// The rule that has it kept; absent: none, and it is kept as all others are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Box<str>>,
    /// For how many days it is kept from its record on; absent: for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_days: Option<u32>,
}

impl Brought {
    /// Whether it is short enough to be sent. Not if it names very many recipients.
    #[must_use]
    pub fn is_short(&self) -> bool {
        serde_json::to_vec(self).is_ok_and(|line| line.len() as u64 <= LONGEST_BROUGHT)
    }
}

/// What an import has done so far. All of it is on the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    /// Mails that were archived.
    pub mails: u64,
    /// Bytes of their contents.
    pub bytes: u64,
    /// Mails that were there already.
    pub known: u64,
    /// Mails that were erased here once.
    pub erased: u64,
}

/// A part of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// A mail that was found.
    Mail(Box<Line>),
    /// How many mails were found.
    Found(Found),
    /// All about a mail.
    Shown(Box<Shown>),
    /// Somebody used the archive.
    Access {
        /// When.
        at: Timestamp,
        /// The mail, if it was about one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<QueueId>,
        /// Who, and what for.
        access: Access,
    },
    /// Records that cannot be read, and may say who used the archive.
    UnreadAccess {
        /// Which.
        records: Span,
        /// Why.
        why: Box<str>,
    },
    /// A legal hold.
    Hold(HeldCase),
    /// Records that cannot be read, and may be legal holds: nothing is erased.
    Unread {
        /// Which.
        records: Span,
        /// Why, and what to do.
        why: Box<str>,
    },
    /// Records that were lost, and may have been legal holds: nothing is erased.
    Lost {
        /// Which. Others may have these numbers since.
        records: Span,
        /// Why, and what to do.
        why: Box<str>,
    },
    /// Somebody has answered for records that could not be read, or were lost: whatever holds they were, they have
    /// ended.
    Lifted {
        /// When.
        at: Timestamp,
        /// Which, who, and why.
        lifted: Lifted,
    },
    /// A mail was erased, or would be.
    Erased {
        /// The mail.
        id: QueueId,
        /// The record that says so; absent: it was only asked what would be erased.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        record: Option<Seq>,
    },
    /// A mail was not erased.
    Kept {
        /// The mail; absent: its record has no name.
        id: Option<QueueId>,
        /// Why.
        why: Box<str>,
    },
    /// How far an import is that looks what is there.
    Remembering {
        /// Records that were read.
        done: u64,
        /// Records of the archive.
        all: u64,
    },
    /// What an import has done so far.
    Imported(Imported),
    /// It is done, and what came of it in a sentence.
    Done {
        /// The sentence.
        text: Box<str>,
    },
    /// It cannot be done, or not now.
    Failed {
        /// Why, and what to do.
        reason: Box<str>,
    },
}

/// A mail in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The number of its capture.
    pub seq: Seq,
    /// Its name in the queue.
    pub id: QueueId,
    /// When it was archived.
    pub at: Timestamp,
    /// How it stands: `waiting`, `delivered`, `failed`, `deleted` or `imported`; `damaged`: nobody can tell any more.
    pub status: Box<str>,
    /// Which way it went.
    pub direction: Box<str>,
    /// The sender of the envelope; empty for the null sender.
    pub sender: Box<str>,
    /// The recipients of the envelope, as far as who asks may know them.
    pub recipients: Vec<Box<str>>,
    /// The subject, decoded.
    pub subject: Box<str>,
    /// Bytes of content.
    pub size: u64,
    /// The cases of legal holds that mean it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub legal_holds: Vec<Box<str>>,
}

/// How many were found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// So many.
    pub count: u64,
    /// Whether there may be more.
    pub or_more: bool,
    /// Where the next page begins, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Seq>,
    /// Mails that the index does not know yet: they are not found yet.
    #[serde(default)]
    pub behind: u64,
}

/// What the archive has of a mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// Its name in the queue.
    pub id: QueueId,
    /// The number of its capture; absent: the archive has its end alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<Seq>,
    /// The mail as it was accepted; absent: it is erased, or damaged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capture: Option<Capture>,
    /// What became of it.
    pub outcomes: Vec<Outcome>,
    /// Why it is gone, and since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erased: Option<(Timestamp, Erased)>,
    /// The day, counted from 1970, from which on its time is over; absent: it is kept for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_until: Option<u32>,
    /// The cases of legal holds that mean it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub legal_holds: Vec<Box<str>>,
    /// Why there may be others, so that it may not be erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legal_hold_doubt: Option<Box<str>>,
    /// Who looked at it, and had it sent again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accesses: Vec<(Timestamp, Access)>,
    /// What of it cannot be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub damage: Vec<Box<str>>,
}

/// A legal hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldCase {
    /// The name of the case.
    pub case: Box<str>,
    /// When it began.
    pub since: Timestamp,
    /// Who asked for it.
    pub by: Box<str>,
    /// Why.
    pub reason: Box<str>,
    /// How many mails it names.
    pub mails: usize,
    /// Whose mail it means.
    pub people: Vec<Person>,
}

/// Bytes of a mail that is brought in: whoever brings it has it in memory.
pub const MOST_BROUGHT: u64 = 512 << 20;

/// Bytes of what is known of such a mail, as it is sent: enough for all recipients of a journal report.
pub const LONGEST_BROUGHT: u64 = 16 << 20;

#[cfg(test)]
mod tests {
    use mailweir_mail::{Recipient, ReversePath};

    use super::*;

    #[test]
    fn what_names_very_many_recipients_is_not_short() {
        assert!(naming(50_000).is_short());
        assert!(!naming(200_000).is_short());
    }

    fn naming(recipients: usize) -> Brought {
        let mut envelope = Envelope::from_sender(ReversePath::Null);
        let names = (0..recipients).map(|number| format!("user{number}@own.example"));
        envelope.recipients.extend(names.map(|name| Recipient::new(name.parse().unwrap())));
        let (from, direction) = ("file".into(), Direction::Inbound);
        Brought { from, envelope, arrival: None, direction, rule: None, keep_days: None }
    }
}
