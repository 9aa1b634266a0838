//! The payload of a record: a summary and, behind it, content; compressed as one, since the summary says
//! again what stands in the header of the content.

use std::{
    io::{self, Read},
    sync::LazyLock,
};

use zstd::dict::{DecoderDictionary, EncoderDictionary};

use crate::{
    frame::{Head, Packing},
    hash::Hash,
};

/// A payload that is ready to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    pub(crate) summary: u32,
    pub(crate) unpacked: u64,
    pub(crate) stored: Vec<u8>,
    pub(crate) hash: Hash,
}

impl Packed {
    /// Bytes as they will be stored.
    #[must_use]
    pub const fn stored(&self) -> usize {
        self.stored.len()
    }

    /// Bytes before they were packed.
    #[must_use]
    pub const fn unpacked(&self) -> u64 {
        self.unpacked
    }
}

/// A payload cannot be packed.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// It cannot be compressed: the machine has no memory left.
    #[error("the payload of a record cannot be compressed: {0}")]
    Compress(io::Error),
    /// A summary is longer than 4 GiB. None is.
    #[error("the summary of a record is too long")]
    TooLong,
}

/// Packs payloads. Keeps its memory between them; each thread has its own.
pub struct Packer {
    compressor: zstd::bulk::Compressor<'static>,
    whole: Vec<u8>,
}

impl Packer {
    /// A packer.
    ///
    /// # Errors
    /// The machine has no memory left.
    pub fn new() -> Result<Self, PackError> {
        let compressor = zstd::bulk::Compressor::with_prepared_dictionary(&COMPRESS);
        let compressor = compressor.map_err(PackError::Compress)?;
        Ok(Self { compressor, whole: Vec::new() })
    }

    /// Packs a summary and content.
    ///
    /// # Errors
    /// [`PackError`].
    pub fn pack(&mut self, summary: &[u8], content: &[u8]) -> Result<Packed, PackError> {
        self.whole.clear();
        self.whole.extend_from_slice(summary);
        self.whole.extend_from_slice(content);
        let stored = self.compressor.compress(&self.whole).map_err(PackError::Compress)?;
        let unpacked = self.whole.len() as u64;
        if self.whole.capacity() > KEPT {
            self.whole = Vec::new();
        }
        let summary = u32::try_from(summary.len()).map_err(|_| PackError::TooLong)?;
        Ok(Packed { summary, unpacked, hash: Hash::of(&stored), stored })
    }
}

/// What is stored is not what a payload looks like.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// It cannot be unpacked, or is longer or shorter than its head says.
    #[error("the payload of a record is damaged")]
    Damaged,
    /// It is encrypted, and there is no key.
    #[error("the payload of a record is encrypted, and its key is not there")]
    NoKey,
    /// It cannot be read.
    #[error("the payload of a record cannot be read: {0}")]
    Io(#[from] io::Error),
}

/// Reads a payload piece by piece: first its summary, then its content.
pub struct Unpacker<R: Read> {
    inner: zstd::stream::read::Decoder<'static, io::BufReader<R>>,
    /// Bytes that the head says are still to come.
    left: u64,
    summary: usize,
}

impl<R: Read> Unpacker<R> {
    /// Reads what `head` says of `stored`.
    ///
    /// # Errors
    /// [`UnpackError`].
    pub fn new(head: &Head, stored: R) -> Result<Self, UnpackError> {
        if head.packing == Packing::Encrypted {
            return Err(UnpackError::NoKey);
        }
        let stored = io::BufReader::new(stored);
        let mut inner = zstd::stream::read::Decoder::with_prepared_dictionary(stored, &DECOMPRESS)?;
        inner.window_log_max(WINDOW_LOG)?;
        let summary = usize::try_from(head.summary).map_err(|_| UnpackError::Damaged)?;
        Ok(Self { inner: inner.single_frame(), left: head.unpacked, summary })
    }

    /// The summary. To be read first.
    ///
    /// # Errors
    /// [`UnpackError`].
    pub fn summary(&mut self) -> Result<Vec<u8>, UnpackError> {
        let wanted = std::mem::take(&mut self.summary);
        let mut summary = Vec::new();
        // Grows with what is there, not with what the head claims.
        self.by_ref().take(wanted as u64).read_to_end(&mut summary).map_err(damaged)?;
        if summary.len() == wanted { Ok(summary) } else { Err(UnpackError::Damaged) }
    }

    /// All of the content that is left, if it is no more than `most` bytes.
    ///
    /// # Errors
    /// [`UnpackError`]; also if there is more.
    pub fn content(&mut self, most: u64) -> Result<Vec<u8>, UnpackError> {
        if self.left > most {
            return Err(UnpackError::Damaged);
        }
        let mut content = Vec::new();
        self.read_to_end(&mut content).map_err(damaged)?;
        Ok(content)
    }
}

impl<R: Read> Read for Unpacker<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        if most == 0 {
            // Nothing may come behind what the head says.
            return match self.inner.read(&mut [0])? {
                0 => Ok(0),
                _ => Err(io::ErrorKind::InvalidData.into()),
            };
        }
        let read = self.inner.read(&mut buffer[..most])?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= read as u64;
        Ok(read)
    }
}

fn damaged(error: io::Error) -> UnpackError {
    match error.raw_os_error() {
        Some(_) => UnpackError::Io(error),
        None => UnpackError::Damaged,
    }
}

/// What stands in most mails, so that it need not be stored with each. It is part of the format: what was
/// stored with it is read with it (`zstd -D`).
const DICTIONARY: &[u8] = include_bytes!("dictionary_1.txt");

static COMPRESS: LazyLock<EncoderDictionary<'static>> =
    LazyLock::new(|| EncoderDictionary::copy(DICTIONARY, LEVEL));

static DECOMPRESS: LazyLock<DecoderDictionary<'static>> =
    LazyLock::new(|| DecoderDictionary::copy(DICTIONARY));

/// What costs a few microseconds for each KiB and leaves less than half of most text.
const LEVEL: i32 = 3;

/// Bytes of memory that are kept for the next payload.
const KEPT: usize = 1 << 20;

/// A frame may ask for windows of 8 MiB and no more (RFC 8878 section 3.1.1.1.2).
const WINDOW_LOG: u32 = 23;

#[cfg(test)]
mod tests {
    use mailweir_mail::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::frame::Kind;

    fn head(packed: &Packed) -> Head {
        Head {
            kind: Kind::Capture,
            packing: Packing::Zstd,
            seq: 1,
            about: 1,
            id: [0; 12],
            at: Timestamp::from_secs(0),
            summary: packed.summary,
            unpacked: packed.unpacked,
            stored: packed.stored.len() as u64,
            payload: packed.hash,
        }
    }

    fn unpack(head: &Head, stored: &[u8]) -> Result<(Vec<u8>, Vec<u8>), UnpackError> {
        let mut unpacker = Unpacker::new(head, stored)?;
        let summary = unpacker.summary()?;
        Ok((summary, unpacker.content(1 << 20)?))
    }

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(
            summary in prop::collection::vec(any::<u8>(), 0..600),
            content in prop::collection::vec(0u8..4, 0..9_000),
        ) {
            let packed = Packer::new().unwrap().pack(&summary, &content).unwrap();
            prop_assert_eq!(packed.hash, Hash::of(&packed.stored));
            let found = unpack(&head(&packed), &packed.stored).unwrap();
            prop_assert_eq!(found, (summary, content));
        }

        #[test]
        fn what_was_changed_is_damaged_or_something_else_and_no_panic(
            place in any::<prop::sample::Index>(), by in 1u8.., cut in any::<prop::sample::Index>(),
        ) {
            let content = b"Subject: text\r\n\r\nsome text, and some text again\r\n".repeat(40);
            let packed = Packer::new().unwrap().pack(b"summary", &content).unwrap();
            let mut changed = packed.stored.clone();
            let place = place.index(changed.len());
            changed[place] ^= by;
            let _ = unpack(&head(&packed), &changed);
            let short = &packed.stored[..cut.index(packed.stored.len())];
            prop_assert!(unpack(&head(&packed), short).is_err());
        }
    }

    #[test]
    fn a_head_that_lies_about_lengths_is_not_believed() {
        let content = vec![0; 1 << 20];
        let packed = Packer::new().unwrap().pack(b"summary", &content).unwrap();
        let sound = head(&packed);
        assert!(unpack(&sound, &packed.stored).is_ok());
        let unpacked = sound.unpacked;
        for head in [
            Head { summary: u32::MAX, ..sound },
            Head { summary: 99, unpacked: 98, ..sound },
            Head { unpacked: unpacked - 1, ..sound },
            Head { unpacked: unpacked + 1, ..sound },
            Head { unpacked: u64::MAX, ..sound },
        ] {
            assert!(unpack(&head, &packed.stored).is_err(), "{head:?}");
        }
    }

    #[test]
    fn text_and_its_summary_take_less_than_half() {
        let mut content = String::from("From: Ann <ann@own.example>\r\nSubject: the offer\r\n\r\n");
        for number in 0..60 {
            content += &format!("Line {number} of a letter that says what letters say.\r\n");
        }
        let summary = b"ann@own.example the offer";
        let packed = Packer::new().unwrap().pack(summary, content.as_bytes()).unwrap();
        assert!(packed.stored() * 2 < content.len(), "{} of {}", packed.stored(), content.len());
    }
}
