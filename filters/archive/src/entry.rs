//! What records say: their summaries, as MessagePack with the names of all fields, so that they can be read
//! by whoever has no Mailweir any more.

use std::net::IpAddr;

use mailweir_mail::{Envelope, Origin, QueueId, Reply, Timestamp};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{commit::Salt, frame::Seq, hash::Hash, holds::Person, span::Span};

/// A mail as it was accepted. The content stands behind it, as it was stored in the queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capture {
    /// Its name in the queue; of an imported mail, one that no other mail has.
    pub id: QueueId,
    /// Who sent it and who gets it, whatever its header says.
    pub envelope: Envelope,
    /// Where it came from.
    pub origin: Origin,
    /// What was decided when it was accepted.
    pub note: Note,
    /// The hash of the content.
    pub content: Hash,
    /// What the head of its record has that hash behind.
    pub salt: Salt,
    /// Bytes of content.
    pub size: u64,
}

/// What is decided of a mail when it is accepted, for its record in the archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Which way it goes.
    pub direction: Direction,
    /// The rule that has it kept; absent: none, and it is kept as all others are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Box<str>>,
    /// For how many days it is kept from its record on; absent: for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_days: Option<u32>,
    /// Why it was put on hold, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Box<str>>,
    /// How it came here.
    #[serde(default, skip_serializing_if = "Source::is_accepted")]
    pub source: Source,
}

/// Which way a mail goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From elsewhere to domains that are served here.
    Inbound,
    /// From people or hosts of ours to elsewhere.
    Outbound,
    /// From people or hosts of ours to domains that are served here.
    Internal,
    /// Of the gateway itself: reports and notices.
    Own,
}

impl Direction {
    /// Every direction.
    pub const ALL: [Self; 4] = [Self::Inbound, Self::Outbound, Self::Internal, Self::Own];

    /// The word for configuration, searches and lists.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::Outbound => "outbound",
            Self::Internal => "internal",
            Self::Own => "own",
        }
    }
}

/// How a mail came into the archive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The gateway accepted it.
    #[default]
    Accepted,
    /// Somebody brought it from a file. Its envelope is what its header says.
    Imported {
        /// Who.
        by: Box<str>,
        /// The file.
        from: Box<str>,
    },
}

impl Source {
    const fn is_accepted(&self) -> bool {
        matches!(self, Self::Accepted)
    }
}

/// What became of a mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Its name in the queue.
    pub id: QueueId,
    /// How it ended.
    pub end: Ending,
    /// How each recipient of the envelope fared, in its order.
    pub recipients: Vec<Fared>,
    /// Who decided about it, in order: of several who had to agree each one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<Decided>,
}

/// How a mail ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Every recipient got it.
    Delivered,
    /// At least one recipient did not.
    Failed,
    /// A moderator rejected it, or a named person deleted it: nobody who had not got it before gets it.
    Deleted,
}

impl Ending {
    /// The word for searches and lists.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Deleted => "deleted",
        }
    }
}

/// How a recipient fared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fared {
    /// Whether the mail was delivered, or relayed.
    pub delivered: bool,
    /// The next hop as `name[address]:port`; absent: none was reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relay: Option<Box<str>>,
    /// What it said last, or what we said in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<Reply>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

/// A decision about a mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    /// What, in one word: `approved` (and others were asked, too), `released`, `rejected`, `returned`,
    /// `discarded`, `cancelled`, `expired`, `damaged`; of operators `released`, `requeued`, `deleted`.
    pub decision: Box<str>,
    /// Who: `moderator kim@own.example`, `sender ann@own.example`, `administrator root`, `operator root`;
    /// `nobody`: time had passed.
    pub by: Box<str>,
    /// How that is known: `login`, `link`, `reply`, `api`, `command_line`, `clock`.
    pub proof: Box<str>,
    /// When.
    pub at: Timestamp,
    /// The rule for which they were asked; absent: an operator decided by themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Box<str>>,
}

/// Why the payload of a record is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erased {
    /// Why.
    pub why: Erasure,
    /// Who asked for it; absent: nobody, its time was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Box<str>>,
    /// The hash of the content that it had.
    pub content: Hash,
    /// The number of the segment that it was in.
    pub segment: u64,
    /// The first byte of its record there.
    pub at: u64,
}

/// Why a payload is erased.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Erasure {
    /// It was kept as long as its rule said.
    Expired,
    /// Somebody has a right to it.
    Requested {
        /// Their words, or the number of their request.
        reason: Box<str>,
    },
}

/// A legal hold begins, or means more mail from now on. Nothing that it means is erased.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegalHold {
    /// The name of the case.
    pub case: Box<str>,
    /// Who asked for it.
    pub by: Box<str>,
    /// Why.
    pub reason: Box<str>,
    /// These mails, by the numbers of their captures.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mails: Vec<Seq>,
    /// All mail of these people, of yesterday and of tomorrow.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<Person>,
}

/// A legal hold ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lifted {
    /// Which.
    pub what: Lift,
    /// Who ended it.
    pub by: Box<str>,
    /// Why.
    pub reason: Box<str>,
}

/// What of legal holds ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lift {
    /// The hold of this name.
    Case(Box<str>),
    /// Whatever holds records are that cannot be read.
    Unread(Span),
    /// Whatever holds records were that were lost behind the end that the archive had then. Not those that have these
    /// numbers since.
    Lost(Span),
}

/// Somebody used the archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// Who.
    pub by: Box<str>,
    /// From where; absent: on this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<IpAddr>,
    /// What they did.
    pub deed: AccessDeed,
}

/// What somebody did in the archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessDeed {
    /// Searched.
    Searched {
        /// For what, as they wrote it.
        query: Box<str>,
        /// How many mails they were shown or told of.
        found: u64,
    },
    /// Looked at a mail.
    Viewed {
        /// Whether they saw all recipients.
        hidden: bool,
    },
    /// Took mails out.
    Exported {
        /// As what, and where.
        form: Box<str>,
        /// How many.
        mails: u64,
    },
    /// Had a mail sent again.
    Restored {
        /// Its name in the queue.
        sent_as: QueueId,
        /// To whom.
        to: Box<str>,
    },
}

/// A summary that makes no sense.
#[derive(Debug, thiserror::Error)]
pub enum SummaryError {
    /// It cannot be read.
    #[error("the summary of a record cannot be read: {0}")]
    Read(#[from] rmp_serde::decode::Error),
    /// It cannot be written. None is known.
    #[error("the summary of a record cannot be written: {0}")]
    Write(#[from] rmp_serde::encode::Error),
}

/// A summary as it is stored.
///
/// # Errors
/// None that is known: all of them have a form in MessagePack.
pub fn encode(summary: &impl Serialize) -> Result<Vec<u8>, SummaryError> {
    Ok(rmp_serde::to_vec_named(summary)?)
}

/// Reads what [`encode`] wrote.
///
/// # Errors
/// It is something else.
pub fn decode<S: DeserializeOwned>(stored: &[u8]) -> Result<S, SummaryError> {
    Ok(rmp_serde::from_slice(stored)?)
}

#[cfg(test)]
mod tests {
    use mailweir_mail::Recipient;

    use super::*;
    use crate::sample;

    fn capture() -> Capture {
        let mut capture = sample::capture();
        let list = Recipient {
            original: Some("list@own.example".parse().unwrap()),
            ..Recipient::new("them@far.example".parse().unwrap())
        };
        capture.envelope.recipients.push(list);
        capture.note.rule = Some("contracts".into());
        capture.note.keep_days = Some(3_650);
        capture
    }

    #[test]
    fn a_summary_is_read_as_it_was_written_and_nothing_else_is() {
        let capture = capture();
        let stored = encode(&capture).unwrap();
        assert_eq!(decode::<Capture>(&stored).unwrap(), capture);
        let names = String::from_utf8_lossy(&stored);
        assert!(names.contains("direction") && names.contains("outbound"), "{names}");
        assert!(!names.contains("source"), "what says nothing is left out");
        // It is so in all mail of archives from before there were filters.
        assert!(!names.contains("ahead"), "{names}");
        for cut in 0..stored.len() {
            assert!(decode::<Capture>(&stored[..cut]).is_err(), "cut at {cut}");
        }
        assert!(decode::<Outcome>(&stored).is_err());
    }

    #[test]
    fn a_word_is_the_same_in_records_and_for_people() {
        for direction in Direction::ALL {
            let stored = encode(&direction).unwrap();
            assert_eq!(decode::<String>(&stored).unwrap(), direction.as_str());
        }
    }
}
