//! The payload of a record: a summary and, behind it, content; compressed as one, since the summary says
//! again what stands in the header of the content.

use std::{
    fmt,
    io::{self, Read, Write},
    sync::LazyLock,
};

use zstd::dict::{DecoderDictionary, EncoderDictionary};

use crate::{
    cipher::{self, Decrypt},
    frame::{Head, Packing},
    keys::RecordKey,
};

/// A payload that is ready to be written.
#[derive(Debug)]
pub struct Packed {
    summary: u32,
    form: Form,
}

enum Form {
    /// Packed.
    Whole { unpacked: u64, packed: Vec<u8> },
    /// Packed when it is written, so that it is never in memory as a whole.
    Pieces { summary: Vec<u8>, content: Box<dyn Read + Send> },
}

impl Packed {
    /// A summary, and content that is read and packed when the record is written.
    ///
    /// # Errors
    /// [`PackError::TooLong`].
    pub fn later(summary: Vec<u8>, content: impl Read + Send + 'static) -> Result<Self, PackError> {
        let len = u32::try_from(summary.len()).map_err(|_| PackError::TooLong)?;
        Ok(Self { summary: len, form: Form::Pieces { summary, content: Box::new(content) } })
    }

    /// Bytes of the summary.
    pub(crate) const fn summary(&self) -> u32 {
        self.summary
    }

    /// Writes it as it is stored. Gives the number of its bytes before they were packed.
    pub(crate) fn write<W: Write>(self, mut out: W) -> Result<(u64, W), CopyError> {
        match self.form {
            Form::Whole { unpacked, packed } => {
                out.write_all(&packed)?;
                Ok((unpacked, out))
            }
            Form::Pieces { summary, content } => {
                let mut out =
                    zstd::stream::write::Encoder::with_prepared_dictionary(out, &COMPRESS)?;
                out.write_all(&summary)?;
                let copied = copy(content, &mut out)?;
                Ok((summary.len() as u64 + copied, out.finish()?))
            }
        }
    }
}

impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Whole { .. } => "Whole",
            Self::Pieces { .. } => "Pieces",
        })
    }
}

/// A payload is not written.
#[derive(Debug)]
pub(crate) enum CopyError {
    /// Its content cannot be read.
    Content(io::Error),
    /// It cannot be written.
    Write(io::Error),
}

impl From<io::Error> for CopyError {
    fn from(error: io::Error) -> Self {
        Self::Write(error)
    }
}

/// As [`io::copy`], and says which of the two has failed.
fn copy(mut from: impl Read, to: &mut impl Write) -> Result<u64, CopyError> {
    let (mut buffer, mut copied) = (vec![0; PIECE], 0);
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(copied),
            Ok(read) => {
                to.write_all(&buffer[..read])?;
                copied += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(CopyError::Content(error)),
        }
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
        let packed = self.compressor.compress(&self.whole).map_err(PackError::Compress)?;
        let unpacked = self.whole.len() as u64;
        if self.whole.capacity() > KEPT {
            self.whole = Vec::new();
        }
        let summary = u32::try_from(summary.len()).map_err(|_| PackError::TooLong)?;
        Ok(Packed { summary, form: Form::Whole { unpacked, packed } })
    }
}

/// What is stored is not what a payload looks like.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// It cannot be unpacked, or is longer or shorter than its head says.
    #[error("the payload of a record is damaged")]
    Damaged,
    /// It is encrypted, and no key was given.
    #[error("it is encrypted, and no key file is given")]
    NoKey,
    /// It cannot be read.
    #[error("the payload of a record cannot be read: {0}")]
    Io(#[from] io::Error),
}

/// Reads a payload piece by piece: first its summary, then its content.
pub struct Unpacker<R: Read> {
    inner: zstd::stream::read::Decoder<'static, io::BufReader<Clear<R>>>,
    /// Bytes that the head says are still to come.
    left: u64,
    summary: usize,
}

impl<R: Read> Unpacker<R> {
    /// Reads what `head` says of `stored`, if it is not encrypted.
    ///
    /// # Errors
    /// [`UnpackError`].
    pub fn new(head: &Head, stored: R) -> Result<Self, UnpackError> {
        Self::with_key(head, stored, None)
    }

    pub(crate) fn with_key(
        head: &Head,
        stored: R,
        key: Option<RecordKey>,
    ) -> Result<Self, UnpackError> {
        let stored = match (head.packing, key) {
            (Packing::Zstd, _) => Clear::Stored(stored),
            (Packing::Encrypted, Some(key)) => {
                let of = cipher::Record { seq: head.seq, kind: head.kind };
                Clear::Encrypted(Decrypt::new(stored, key, of, head.stored))
            }
            (Packing::Encrypted, None) => return Err(UnpackError::NoKey),
        };
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

/// What is stored, without its encryption.
enum Clear<R> {
    Stored(R),
    Encrypted(Decrypt<R>),
}

impl<R: Read> Read for Clear<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Stored(stored) => stored.read(buffer),
            Self::Encrypted(stored) => stored.read(buffer),
        }
    }
}

fn damaged(error: io::Error) -> UnpackError {
    match error.raw_os_error() {
        Some(_) => UnpackError::Io(error),
        None => UnpackError::Damaged,
    }
}

/// What stands in most mails, and in the summaries of records, so that it need not be stored with each. It is part of the format: what was
/// stored with it is read with it (`zstd -D`).
const DICTIONARY: &[u8] = include_bytes!("dictionary_1.bin");

static COMPRESS: LazyLock<EncoderDictionary<'static>> =
    LazyLock::new(|| EncoderDictionary::copy(DICTIONARY, LEVEL));

static DECOMPRESS: LazyLock<DecoderDictionary<'static>> =
    LazyLock::new(|| DecoderDictionary::copy(DICTIONARY));

/// What costs a few microseconds for each KiB and leaves about half of most text. Less takes half of the time and
/// leaves a fiftieth more.
const LEVEL: i32 = 3;

/// Bytes of content that are read at once.
const PIECE: usize = 64 * 1024;

/// Bytes of memory that are kept for the next payload.
const KEPT: usize = 1 << 20;

/// A frame may ask for windows of 8 MiB and no more (RFC 8878 section 3.1.1.1.2).
const WINDOW_LOG: u32 = 23;

#[cfg(test)]
mod tests {
    use mailweir_mail::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::{
        frame::{Brand, Kind},
        hash::Hash,
    };

    /// As it is stored, with its head.
    fn stored(packed: Packed) -> (Head, Vec<u8>) {
        let summary = packed.summary();
        let (unpacked, stored) = packed.write(Vec::new()).unwrap();
        let head = Head {
            brand: Brand::from_bytes(*b"branded!"),
            kind: Kind::Capture,
            packing: Packing::Zstd,
            seq: 1,
            about: 1,
            id: [0; 12],
            at: Timestamp::from_secs(0),
            summary,
            unpacked,
            stored: stored.len() as u64,
            payload: Hash::of(&stored),
            commitment: Hash::ZERO,
        };
        (head, stored)
    }

    fn pack(summary: &[u8], content: &[u8]) -> (Head, Vec<u8>) {
        stored(Packer::new().unwrap().pack(summary, content).unwrap())
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
            let (head, whole) = pack(&summary, &content);
            prop_assert_eq!(unpack(&head, &whole).unwrap(), (summary.clone(), content.clone()));
            let later = Packed::later(summary.clone(), io::Cursor::new(content.clone())).unwrap();
            let (head, pieces) = stored(later);
            prop_assert_eq!(unpack(&head, &pieces).unwrap(), (summary, content));
        }

        #[test]
        fn what_was_changed_is_damaged_or_something_else_and_no_panic(
            place in any::<prop::sample::Index>(), by in 1u8.., cut in any::<prop::sample::Index>(),
        ) {
            let content = b"Subject: text\r\n\r\nsome text, and some text again\r\n".repeat(40);
            let (head, stored) = pack(b"summary", &content);
            let mut changed = stored.clone();
            let place = place.index(changed.len());
            changed[place] ^= by;
            let _ = unpack(&head, &changed);
            let short = &stored[..cut.index(stored.len())];
            prop_assert!(unpack(&head, short).is_err());
        }
    }

    #[test]
    fn a_head_that_lies_about_lengths_is_not_believed() {
        let content = vec![0; 1 << 20];
        let (sound, stored) = pack(b"summary", &content);
        assert!(unpack(&sound, &stored).is_ok());
        let unpacked = sound.unpacked;
        for head in [
            Head { summary: u32::MAX, ..sound },
            Head { summary: 99, unpacked: 98, ..sound },
            Head { unpacked: unpacked - 1, ..sound },
            Head { unpacked: unpacked + 1, ..sound },
            Head { unpacked: u64::MAX, ..sound },
        ] {
            assert!(unpack(&head, &stored).is_err(), "{head:?}");
        }
    }

    #[test]
    fn text_and_its_summary_take_less_than_half() {
        let mut content = String::from("From: Ann <ann@own.example>\r\nSubject: the offer\r\n\r\n");
        for number in 0..60 {
            content += &format!("Line {number} of a letter that says what letters say.\r\n");
        }
        let (_, stored) = pack(b"ann@own.example the offer", content.as_bytes());
        assert!(stored.len() * 2 < content.len(), "{} of {}", stored.len(), content.len());
    }
}
