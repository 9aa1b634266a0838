//! What may be wrong with an archive, and the words for it.

use std::fmt;

use crate::{
    frame::{Seq, Unread},
    hash::Hash,
    keys::KeyId,
};

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The number of the segment.
    pub segment: u64,
    /// Bytes from its beginning, if it is about one place.
    pub at: Option<u64>,
    /// What.
    pub what: What,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Segments are not there.
    NoSegment {
        /// The number of the last of them.
        last: u64,
    },
    /// The head of the segment is not what was written.
    Head(Unread),
    /// The segment does not go on where the one before it ends.
    NotBound,
    /// Bytes that are nothing.
    Unreadable {
        /// How many.
        bytes: u64,
        /// What is wrong with the first of them.
        why: Unread,
    },
    /// Records are missing.
    Missing {
        /// The first of them.
        first: Seq,
        /// The last of them.
        last: Seq,
    },
    /// A record is not in its place.
    Misplaced {
        /// Its number.
        seq: Seq,
    },
    /// Groups that were written to their end, and the next segment begins before them: they do not count. It was begun
    /// while this one was not there, or their sync failed.
    NotCounted {
        /// The number of their first record.
        first: Seq,
        /// The number of their last record.
        last: Seq,
    },
    /// The payload of a record is not what was written, and no record says that it was erased.
    Changed {
        /// The number of the record.
        seq: Seq,
    },
    /// A record says that the payload of this one was erased, and it is there, or a part of it.
    NotErased {
        /// The number of the record.
        seq: Seq,
    },
    /// A record is encrypted, and its key is missing or damaged: nobody can read it.
    KeyLost {
        /// The number of the record.
        seq: Seq,
    },
    /// As [`What::KeyLost`], of more than one record of the segment.
    KeysLost {
        /// The first of them.
        first: Seq,
        /// The last of them.
        last: Seq,
        /// How many.
        records: u64,
    },
    /// The segment has encrypted records that are not erased, and the file with their keys is missing, or nobody
    /// can tell which key is whose.
    NoKeys,
    /// A newer version has written the file with the keys of the segment.
    NewerKeys,
    /// The head of the file with the keys of the segment is damaged. They are found without it.
    KeysHead,
    /// The keys of the segment were wrapped with one that the key file does not have.
    OtherKey {
        /// Its name.
        id: KeyId,
    },
    /// The file ends in a record.
    Cut {
        /// The number of the record.
        seq: Seq,
    },
    /// Records do not follow from those before them: a head was changed together with its checksum.
    NotChained {
        /// The number of the last of them.
        before: Seq,
    },
    /// The seal does not fit the records.
    Seal,
    /// The segment has no seal, though another one comes behind it that says what it was.
    NotSealed,
    /// Something stands behind the seal.
    BehindSeal,
    /// A list of roots says something else of the segment.
    Root {
        /// What the list says.
        listed: Hash,
        /// What the seal says; absent: the segment is not there.
        found: Option<Hash>,
    },
    /// The segment has no seal, though a list of roots says what it was.
    SealLost {
        /// What the list says.
        listed: Hash,
        /// The records are what the list says: nothing else is missing.
        is_whole: bool,
    },
    /// The segment is sealed, and is not in the archive's own list of roots.
    NotListed,
    /// A line of the archive's own list of roots makes no sense.
    List(String),
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSegment { last } => {
                write!(f, "the segment is missing, and all others up to number {last}")
            }
            Self::Head(why) => write!(f, "the head of the segment: {why}"),
            Self::NotBound => {
                f.write_str("the segment does not go on where the one before it ends")
            }
            Self::Unreadable { bytes, why: Unread::Damaged } => {
                write!(f, "{bytes} bytes are damaged")
            }
            Self::Unreadable { bytes, why: Unread::Newer } => {
                write!(f, "{bytes} bytes: a newer version of Mailweir has written them")
            }
            Self::Missing { first, last } if first == last => {
                write!(f, "record {first} is missing")
            }
            Self::Missing { first, last } => write!(f, "records {first} to {last} are missing"),
            Self::Misplaced { seq } => write!(f, "record {seq} is not in its place"),
            Self::NotCounted { first, last } if first == last => write!(
                f,
                "record {first} stands here and does not count: the next segment begins with this number"
            ),
            Self::NotCounted { first, last } => write!(
                f,
                "records {first} to {last} stand here and do not count: the next segment begins with number {first}"
            ),
            Self::Changed { seq } => write!(f, "record {seq} was changed"),
            Self::NotErased { seq } => {
                write!(f, "record {seq} is said to be erased, and is there")
            }
            Self::KeyLost { seq } => {
                write!(f, "the key of record {seq} is missing or damaged: nobody can read it")
            }
            Self::KeysLost { first, last, records } => write!(
                f,
                "the keys of {records} records from {first} to {last} are missing or damaged: nobody can read them"
            ),
            Self::NoKeys => f.write_str(
                "the file with the keys of its records is missing or damaged: nobody can read them",
            ),
            Self::NewerKeys => f.write_str(
                "the file with the keys of its records: a newer version of Mailweir has written it",
            ),
            Self::KeysHead => f.write_str(
                "the head of the file with the keys of its records is damaged; the keys are not",
            ),
            Self::OtherKey { id } => {
                write!(f, "its records need the key {id}, and the key file does not have it")
            }
            Self::Cut { seq } => write!(f, "record {seq} is cut off"),
            Self::NotChained { before } => {
                write!(f, "records up to {before} do not follow from those before them")
            }
            Self::Seal => f.write_str("the seal does not fit the records"),
            Self::NotSealed => f.write_str("the segment was sealed, and its seal is missing"),
            Self::BehindSeal => f.write_str("something stands behind the seal"),
            Self::Root { listed, found: Some(found) } => {
                write!(f, "the root is {found}; the list of roots says {listed}")
            }
            Self::Root { listed, found: None } => {
                write!(f, "the segment is missing; the list of roots has its root, {listed}")
            }
            Self::SealLost { is_whole: true, .. } => f.write_str(
                "the seal is missing or damaged; the list of roots has the root, and it is that of the records",
            ),
            Self::SealLost { listed, is_whole: false } => write!(
                f,
                "the seal is missing or damaged; the list of roots has the root, and it is not that of the records: {listed}"
            ),
            Self::NotListed => f.write_str("the segment is sealed and not in the list of roots"),
            Self::List(line) => {
                write!(f, "the list of roots has a line that makes no sense: {line:?}")
            }
        }
    }
}
