//! How mail is written down: framed records with kind, version, length, checksum and end mark.
//!
//! A hand-made encoding, since it is on the path of every mail. `FORMAT.md` shows it byte by byte.
//! Bytes from the disk become values only here; what cannot be read is an error that says why, and
//! never a panic.

mod codec;
mod envelope;
mod progress;

use bytes::Bytes;

pub(crate) use self::envelope::encode as encode_envelope;
pub use self::envelope::{BodyLocation, BodyRecord, EnvelopeRecord};

/// The newest record format that this version reads.
pub const FORMAT: u8 = FORWARDED_FORMAT;

/// The format of every record that needs nothing newer.
pub(crate) const FIRST_FORMAT: u8 = 1;

/// The format of envelopes that were rewritten, or sent by way of a filter.
pub(crate) const REWRITING_FORMAT: u8 = 2;

/// The format of what belongs to mail that the archive is to keep.
pub(crate) const ARCHIVE_FORMAT: u8 = 3;

/// The format of envelopes of mail that has filters of other people ahead of it or behind it.
pub(crate) const FILTERS_FORMAT: u8 = 4;

/// The format of envelopes of mail of which a relay has said where it came from.
pub(crate) const FORWARDED_FORMAT: u8 = 5;

/// Builds the record of a small body while the body flows in, so that it is never copied.
#[derive(Debug)]
pub(crate) struct BodyWriter {
    bytes: Vec<u8>,
}

impl BodyWriter {
    /// A record whose content will have about `expected` bytes.
    pub(crate) fn new(expected: usize) -> Self {
        let mut bytes = Vec::with_capacity(codec::HEADER + expected + codec::END.len());
        bytes.resize(codec::HEADER, 0);
        bytes[0] = Kind::Body.tag();
        Self { bytes }
    }

    pub(crate) fn push(&mut self, content: &[u8]) {
        self.bytes.extend_from_slice(content);
    }

    /// The content so far.
    pub(crate) fn content(&self) -> &[u8] {
        &self.bytes[codec::HEADER..]
    }

    /// Forgets so many bytes of the beginning of the content.
    pub(crate) fn remove_first(&mut self, bytes: usize) {
        let end = codec::HEADER.saturating_add(bytes).min(self.bytes.len());
        self.bytes.drain(codec::HEADER..end);
    }

    /// Forgets the content but keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.bytes.truncate(codec::HEADER);
    }

    /// The record. `checksum` is the CRC-32 of the content.
    pub(crate) fn finish(mut self, checksum: u32) -> Bytes {
        codec::seal_with(&mut self.bytes, checksum);
        self.bytes.into()
    }
}

/// The content inside the record of a body that was just built.
pub(crate) fn content_of(record: &Bytes) -> Bytes {
    record.slice(codec::HEADER..record.len() - codec::END.len())
}

/// Reads the record of a body; the content shares its memory.
///
/// # Errors
/// Says what is wrong with the bytes.
pub fn decode_body(record: &Bytes) -> Result<Bytes, RecordError> {
    let (_, payload) = codec::open(record, Kind::Body)?;
    Ok(record.slice_ref(payload))
}

/// The record of a case, whose content is opaque here.
pub(crate) fn seal_case(content: &[u8]) -> Vec<u8> {
    seal(Kind::Case, content)
}

/// The content of the record of a case.
///
/// # Errors
/// Says what is wrong with the bytes.
pub(crate) fn open_case(record: &[u8]) -> Result<&[u8], RecordError> {
    codec::open(record, Kind::Case).map(|(_, content)| content)
}

/// The record of an entry of the journal.
pub(crate) fn seal_journal(content: &[u8]) -> Vec<u8> {
    seal(Kind::Journal, content)
}

/// The content of the record of an entry of the journal.
///
/// # Errors
/// Says what is wrong with the bytes.
pub(crate) fn open_journal(record: &[u8]) -> Result<&[u8], RecordError> {
    codec::open(record, Kind::Journal).map(|(_, content)| content)
}

/// The record of the day on which a pair of people wrote last.
pub(crate) fn seal_acquaintance(day: u32) -> Vec<u8> {
    seal(Kind::Acquaintance, &day.to_le_bytes())
}

/// The day in the record of a pair of people.
///
/// # Errors
/// Says what is wrong with the bytes.
pub(crate) fn open_acquaintance(record: &[u8]) -> Result<u32, RecordError> {
    let (_, day) = codec::open(record, Kind::Acquaintance)?;
    day.try_into().map(u32::from_le_bytes).map_err(|_| RecordError::Malformed)
}

fn seal(kind: Kind, content: &[u8]) -> Vec<u8> {
    let mut writer = codec::Writer::new(kind, content.len());
    writer.raw(content);
    writer.finish(FIRST_FORMAT)
}

/// What a record is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Envelope,
    State,
    Body,
    Case,
    Journal,
    Acquaintance,
}

impl Kind {
    const fn tag(self) -> u8 {
        match self {
            Self::Envelope => b'E',
            Self::State => b'S',
            Self::Body => b'B',
            Self::Case => b'C',
            Self::Journal => b'J',
            Self::Acquaintance => b'A',
        }
    }
}

/// A stored record cannot be read. It is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The frame is not whole: too short, or without its end mark.
    #[error("the record is torn")]
    Torn,
    /// It is no record of this kind.
    #[error("the record is of another kind")]
    NotThis,
    /// A newer version wrote it.
    #[error("the record has format {0}, this version reads up to {FORMAT}; use the newer version")]
    UnknownVersion(u8),
    /// The content is not what was written.
    #[error("the checksum of the record is wrong")]
    Checksum,
    /// The checksum is right and the content makes no sense: a bug of the writer.
    #[error("the record makes no sense")]
    Malformed,
}

#[cfg(test)]
mod tests;
