//! Records by their places, for whoever knows these.

use std::{
    fs::File,
    io::{self, BufReader, Read as _, Seek, SeekFrom, Take},
    os::unix::fs::FileExt as _,
};

use crate::{
    archive::{Place, Places},
    frame::{Head, Packing, Seq, Unread},
    keys::{KeyId, MasterKeys, RecordKey, Slot, Slots, Wrapping},
    payload::{UnpackError, Unpacker},
    scan::{Payload, compare},
};

/// A record that is read.
pub struct Record {
    /// Its head.
    pub head: Head,
    /// Its payload.
    pub payload: Unpacker<Take<File>>,
}

/// Reads records.
#[derive(Clone, Debug)]
pub struct Reader {
    places: Places,
    keys: Option<MasterKeys>,
}

/// A record cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The disk failed, or the segment is not there.
    #[error("segment {segment}: {error}")]
    Io {
        /// The number of the segment.
        segment: u64,
        /// Why.
        error: io::Error,
    },
    /// No record begins there, or it is damaged.
    #[error("segment {segment}, byte {at}: {why}")]
    NoRecord {
        /// The number of the segment.
        segment: u64,
        /// The byte.
        at: u64,
        /// Why.
        why: Unread,
    },
    /// Its payload is not what was written.
    #[error("segment {segment}, byte {at}: record {seq} was changed")]
    Changed {
        /// The number of the segment.
        segment: u64,
        /// The byte.
        at: u64,
        /// The number of the record.
        seq: Seq,
    },
    /// Its payload was erased: a record about it says why.
    #[error("segment {segment}, byte {at}: record {seq} was erased")]
    Erased {
        /// The number of the segment.
        segment: u64,
        /// The byte.
        at: u64,
        /// The number of the record.
        seq: Seq,
    },
    /// It is encrypted, and its own key is missing or damaged: nobody can read it any more.
    #[error("segment {segment}, byte {at}: the key of record {seq} is missing or damaged")]
    KeyLost {
        /// The number of the segment.
        segment: u64,
        /// The byte.
        at: u64,
        /// The number of the record.
        seq: Seq,
    },
    /// It is encrypted, and the key file does not have the key that its own key was wrapped with.
    #[error(
        "segment {segment}, byte {at}: record {seq} needs the key {id}, and the key file does not have it"
    )]
    OtherKey {
        /// The number of the segment.
        segment: u64,
        /// The byte.
        at: u64,
        /// The number of the record.
        seq: Seq,
        /// The name of the key.
        id: KeyId,
    },
    /// Its payload cannot be read.
    #[error(transparent)]
    Payload(#[from] UnpackError),
}

impl ReadError {
    /// Whether the record may be whole: the disk does not give it now, or it needs a key that somebody may put back.
    #[must_use]
    pub const fn is_out_of_reach(&self) -> bool {
        match self {
            Self::Io { .. } | Self::KeyLost { .. } | Self::OtherKey { .. } => true,
            Self::Payload(why) => matches!(why, UnpackError::Io(_) | UnpackError::NoKey),
            Self::NoRecord { .. } | Self::Changed { .. } | Self::Erased { .. } => false,
        }
    }
}

impl Reader {
    /// Reads the archive in these places.
    #[must_use]
    pub const fn new(places: Places) -> Self {
        Self { places, keys: None }
    }

    /// Reads what is encrypted, too.
    #[must_use]
    pub fn with_keys(self, keys: Option<MasterKeys>) -> Self {
        Self { keys, ..self }
    }

    /// The keys that it reads with.
    #[must_use]
    pub const fn keys(&self) -> Option<&MasterKeys> {
        self.keys.as_ref()
    }

    /// Where the archive is.
    #[must_use]
    pub const fn places(&self) -> &Places {
        &self.places
    }

    /// What there is to read the records of a segment with, if they are encrypted.
    pub(crate) fn keys_of(&self, segment: u64) -> io::Result<KeysOf> {
        let Some(slots) = Slots::open(&self.places, segment)? else { return Ok(KeysOf::Missing) };
        let Ok(slots) = slots else { return Ok(KeysOf::Missing) };
        let has = |id| self.keys.as_ref().is_some_and(|keys| keys.has(id));
        Ok(match slots.master() {
            Some(id) if !has(id) => KeysOf::Other(id),
            // Without a name each is tried.
            Some(_) | None => KeysOf::There,
        })
    }

    /// The record at a place, once its payload has proven to be what was written.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn read_sound(&self, place: Place) -> Result<Record, ReadError> {
        let Place { segment, at } = place;
        let failed = |error| ReadError::Io { segment, error };
        let (head, stored) = self.open(place)?;
        let mut stored = BufReader::with_capacity(64 * 1024, stored);
        match compare(&head, &mut stored).map_err(failed)? {
            Payload::Sound => self.read(place),
            Payload::Zeros => Err(ReadError::Erased { segment, at, seq: head.seq }),
            Payload::Changed | Payload::Cut | Payload::Skipped => {
                Err(ReadError::Changed { segment, at, seq: head.seq })
            }
        }
    }

    /// The record at a place.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn read(&self, place: Place) -> Result<Record, ReadError> {
        let (head, mut stored) = self.open(place)?;
        let Place { segment, at } = place;
        let failed = |error| ReadError::Io { segment, error };
        // Whatever is stored begins with something else.
        let mut begin = Vec::new();
        stored.by_ref().take(BEGIN).read_to_end(&mut begin).map_err(failed)?;
        if !begin.is_empty() && begin.iter().all(|byte| *byte == 0) {
            return Err(ReadError::Erased { segment, at, seq: head.seq });
        }
        let behind = at + Head::LEN as u64;
        stored.get_mut().seek(SeekFrom::Start(behind)).map_err(failed)?;
        stored.set_limit(head.stored);
        let key = match head.packing {
            Packing::Zstd => None,
            Packing::Encrypted => Some(self.key(head.seq, place)?),
        };
        Ok(Record { head, payload: Unpacker::with_key(&head, stored, key)? })
    }

    /// The key of a record.
    fn key(&self, seq: Seq, Place { segment, at }: Place) -> Result<RecordKey, ReadError> {
        let keys = self.keys.as_ref().ok_or(UnpackError::NoKey)?;
        let failed = |error| ReadError::Io { segment, error };
        let lost = || ReadError::KeyLost { segment, at, seq };
        let slots = Slots::open(&self.places, segment).map_err(failed)?;
        let mut slots = slots.and_then(Result::ok).ok_or_else(lost)?;
        match slots.of(seq, 1).map_err(failed)? {
            Slot::Whole(wrapped) => {
                let key = keys.unwrap(&wrapped, Wrapping { segment, seq });
                let other = slots.master().filter(|id| !keys.has(*id));
                key.ok_or_else(|| match other {
                    Some(id) => ReadError::OtherKey { segment, at, seq, id },
                    None => lost(),
                })
            }
            Slot::Destroyed => Err(ReadError::Erased { segment, at, seq }),
            Slot::Damaged | Slot::Missing => Err(lost()),
        }
    }

    fn open(&self, place: Place) -> Result<(Head, Take<File>), ReadError> {
        let Place { segment, at } = place;
        let failed = |error| ReadError::Io { segment, error };
        let mut file = File::open(self.places.segment(segment)).map_err(failed)?;
        let head = head(&file, place)?;
        file.seek(SeekFrom::Start(at + Head::LEN as u64)).map_err(failed)?;
        Ok((head, file.take(head.stored)))
    }
}

/// What there is to read the records of a segment with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeysOf {
    /// Keys of their own, and the key file may have the one that wrapped them.
    There,
    /// Keys of their own, wrapped with this one, and the key file does not have it.
    Other(KeyId),
    /// Nothing.
    Missing,
}

/// The head of the record at a place of an open segment.
pub(crate) fn head(file: &File, Place { segment, at }: Place) -> Result<Head, ReadError> {
    let mut bytes = [0; Head::LEN];
    let wrong = |why| ReadError::NoRecord { segment, at, why };
    match file.read_exact_at(&mut bytes, at) {
        Ok(()) => Head::decode(&bytes).map_err(wrong),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(wrong(Unread::Damaged)),
        Err(error) => Err(ReadError::Io { segment, error }),
    }
}

/// So many bytes of a payload are never all zeros.
const BEGIN: u64 = 16;
