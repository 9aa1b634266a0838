//! Records by their places, for whoever knows these.

use std::{
    fs::File,
    io::{self, Read as _, Seek, SeekFrom, Take},
};

use crate::{
    archive::{Place, Places},
    frame::{Head, Seq, Unread},
    hash::Hasher,
    payload::{UnpackError, Unpacker},
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
    /// Its payload cannot be read.
    #[error(transparent)]
    Payload(#[from] UnpackError),
}

impl Reader {
    /// Reads the archive in these places.
    #[must_use]
    pub const fn new(places: Places) -> Self {
        Self { places }
    }

    /// The record at a place, once its payload has proven to be what was written.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn read_sound(&self, place: Place) -> Result<Record, ReadError> {
        let Place { segment, at } = place;
        let failed = |error| ReadError::Io { segment, error };
        let (head, mut stored) = self.open(place)?;
        let mut hasher = Hasher::new();
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match stored.read(&mut buffer).map_err(failed)? {
                0 => break,
                read => hasher.update(&buffer[..read]),
            }
        }
        match hasher.finish() == head.payload {
            true => self.read(place),
            false => Err(ReadError::Changed { segment, at, seq: head.seq }),
        }
    }

    /// The record at a place.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn read(&self, place: Place) -> Result<Record, ReadError> {
        let (head, stored) = self.open(place)?;
        Ok(Record { head, payload: Unpacker::new(&head, stored)? })
    }

    fn open(&self, Place { segment, at }: Place) -> Result<(Head, Take<File>), ReadError> {
        let failed = |error| ReadError::Io { segment, error };
        let mut file = File::open(self.places.segment(segment)).map_err(failed)?;
        file.seek(SeekFrom::Start(at)).map_err(failed)?;
        let mut bytes = [0; Head::LEN];
        let wrong = |why| ReadError::NoRecord { segment, at, why };
        match file.read_exact(&mut bytes) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(wrong(Unread::Damaged));
            }
            Err(error) => return Err(failed(error)),
        }
        let head = Head::decode(&bytes).map_err(wrong)?;
        Ok((head, file.take(head.stored)))
    }
}
