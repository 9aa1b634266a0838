//! The content of a mail on its way into the archive: in memory, or read from a file piece by piece.

use std::{
    fs::File,
    io::{self, Read},
    os::unix::fs::FileExt as _,
    path::Path,
    sync::Arc,
};

use bytes::{Buf as _, Bytes};
use mailweir_archive::{
    hash::{Hash, Hasher},
    payload::{PackError, Packed, Packer},
};
use mailweir_queue::{self as queue, Body, BodyError, Queue, ToArchive};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    sync::{OwnedSemaphorePermit, Semaphore},
};

use super::{room::GROUP_BYTES, shelf};

/// What the archive takes of a mail.
pub(crate) enum Content {
    /// All of it; nothing, if it has that already.
    Memory(Bytes),
    /// A file of the queue that was what it should be when it was read once.
    File { file: queue::Content, hash: Hash },
    /// A file without a name that was written for this, and goes with this.
    Spooled { file: Arc<File>, size: u64, hash: Hash, _room: OwnedSemaphorePermit },
}

/// Room on the disk for contents that are on their way into the archive: it is the disk of the queue.
pub(crate) struct SpoolRoom(Arc<Semaphore>);

impl SpoolRoom {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(MOST_SPOOLED as usize)))
    }

    /// Waits until there is room. A content that needs more than there can be has it almost alone.
    async fn take(&self, size: u64) -> io::Result<OwnedSemaphorePermit> {
        let share = u32::try_from(size).unwrap_or(u32::MAX).min(LARGEST_SHARE);
        Arc::clone(&self.0).acquire_many_owned(share).await.map_err(io::Error::other)
    }
}

/// Nothing is left of a mail: it could not be read to its end, or not kept meanwhile.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotReceived {
    #[error("its content breaks off: {0}")]
    Read(io::Error),
    #[error("it cannot be kept in {place} meanwhile: {error}")]
    Spool {
        place: Box<Path>,
        #[source]
        error: io::Error,
    },
}

impl Content {
    /// That of a mail that is owed. A file is read to its end, since what the record says of it stands before it.
    ///
    /// # Errors
    /// It is damaged, or cannot be read now.
    pub(super) async fn of(queue: &Queue, mail: &ToArchive) -> Result<Self, BodyError> {
        if !shelf::takes_content(mail) {
            return Ok(Self::Memory(Bytes::new()));
        }
        if let Body::Memory(bytes) = &mail.body {
            return Ok(Self::Memory(bytes.clone()));
        }
        match queue.body(mail.id, &mail.body).await? {
            queue::Content::Memory(bytes) => Ok(Self::Memory(bytes)),
            file @ queue::Content::Spool(_) => {
                let (mut reader, mut hasher) = (file.reader(), Hasher::new());
                while let Some(piece) = reader.next().await? {
                    hasher.update(&piece);
                }
                Ok(Self::File { file, hash: hasher.finish() })
            }
        }
    }

    /// That of a mail that somebody sends. Of a large one no more than a piece is in memory; a file for it is made in
    /// `place`, once there is `room`.
    ///
    /// # Errors
    /// [`NotReceived`].
    pub(crate) async fn receive(
        from: &mut (impl AsyncRead + Unpin),
        size: u64,
        place: &Path,
        room: &SpoolRoom,
    ) -> Result<Self, NotReceived> {
        if size <= MOST_IN_MEMORY {
            let mut bytes = vec![0; size as usize];
            from.read_exact(&mut bytes).await.map_err(NotReceived::Read)?;
            return Ok(Self::Memory(bytes.into()));
        }
        let not_spooled = |error| NotReceived::Spool { place: place.into(), error };
        let room = room.take(size).await.map_err(not_spooled)?;
        let file = tempfile::tempfile_in(place).map_err(not_spooled)?;
        let mut file = tokio::fs::File::from_std(file);
        let (mut hasher, mut left, mut piece) = (Hasher::new(), size, vec![0; PIECE]);
        while left > 0 {
            let part = piece.len().min(left as usize);
            let part = &mut piece[..part];
            from.read_exact(part).await.map_err(NotReceived::Read)?;
            hasher.update(part);
            file.write_all(part).await.map_err(not_spooled)?;
            left -= part.len() as u64;
        }
        file.flush().await.map_err(not_spooled)?;
        let file = Arc::new(file.into_std().await);
        Ok(Self::Spooled { file, size, hash: hasher.finish(), _room: room })
    }

    pub(super) fn size(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::Spooled { size, .. } => *size,
            Self::File { file, .. } => file.size(),
        }
    }

    pub(super) fn hash(&self) -> Hash {
        match self {
            Self::Memory(bytes) => Hash::of(bytes),
            Self::File { hash, .. } | Self::Spooled { hash, .. } => *hash,
        }
    }

    /// Behind the summary of its record. A file that cannot be read any more has the group fail; it is looked
    /// at anew with the next one.
    pub(super) fn pack(&self, summary: Vec<u8>, packer: &mut Packer) -> Result<Packed, PackError> {
        match self {
            Self::Memory(bytes) if bytes.len() as u64 <= MOST_IN_MEMORY => {
                packer.pack(&summary, bytes)
            }
            // It is there once, and needs no room for a copy.
            Self::Memory(bytes) => Packed::later(summary, bytes.clone().reader()),
            Self::File { file, .. } => Packed::later(summary, file.blocking_reader()),
            Self::Spooled { file, .. } => {
                Packed::later(summary, FromStart { file: Arc::clone(file), at: 0 })
            }
        }
    }
}

impl From<Bytes> for Content {
    fn from(bytes: Bytes) -> Self {
        Self::Memory(bytes)
    }
}

/// Reads a file from its beginning, however often it was read.
struct FromStart {
    file: Arc<File>,
    at: u64,
}

impl Read for FromStart {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

/// Bytes of content that are kept in memory, and not in a file.
const MOST_IN_MEMORY: u64 = 1 << 20;

/// Bytes that are read at once.
const PIECE: usize = 256 << 10;

/// Bytes that wait in files; one content may have more.
const MOST_SPOOLED: u32 = 64 << 20;

/// What one content takes of them at most. A group that is not full has less than the rest of them, and waits for the
/// next mail: that must find room.
const LARGEST_SHARE: u32 = MOST_SPOOLED - GROUP_BYTES as u32;

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    const LARGE: u64 = 64 << 20;

    #[tokio::test]
    async fn what_waits_in_files_has_little_room_on_the_disk() {
        let (place, room) = (tempfile::tempdir().unwrap(), SpoolRoom::new());
        let receive =
            async |from: &mut &[u8], size| Content::receive(from, size, place.path(), &room).await;
        let bytes = vec![b'x'; LARGE as usize];
        let small = receive(&mut &bytes[..], GROUP_BYTES - 1).await.unwrap();
        let large = receive(&mut &bytes[..], LARGE).await.unwrap();
        assert_eq!(
            (small.size(), large.size()),
            (GROUP_BYTES - 1, LARGE),
            "no full group: no waiting"
        );

        let mut from = &bytes[..];
        assert!(receive(&mut from, LARGE).now_or_never().is_none());
        assert_eq!(from.len(), bytes.len(), "nothing of it is read before there is room");
        drop(large);
        assert_eq!(receive(&mut from, LARGE).await.unwrap().size(), LARGE);
    }
}
