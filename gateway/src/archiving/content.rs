//! The content of a mail on its way into the archive: in memory, or read from the queue's file piece by piece.

use bytes::Bytes;
use mailweir_archive::{
    hash::{Hash, Hasher},
    payload::{PackError, Packed, Packer},
};
use mailweir_queue::{self as queue, Body, BodyError, Queue, ToArchive};

use super::shelf;

/// What the archive takes of a mail.
pub(super) enum Content {
    /// All of it; nothing, if it has that already.
    Memory(Bytes),
    /// A file that was what it should be when it was read once.
    File { file: queue::Content, hash: Hash },
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

    pub(super) fn size(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::File { file, .. } => file.size(),
        }
    }

    pub(super) fn hash(&self) -> Hash {
        match self {
            Self::Memory(bytes) => Hash::of(bytes),
            Self::File { hash, .. } => *hash,
        }
    }

    /// Behind the summary of its record. A file that cannot be read any more has the group fail; it is looked
    /// at anew with the next one.
    pub(super) fn pack(&self, summary: Vec<u8>, packer: &mut Packer) -> Result<Packed, PackError> {
        match self {
            Self::Memory(bytes) => packer.pack(&summary, bytes),
            Self::File { file, .. } => Packed::later(summary, file.blocking_reader()),
        }
    }
}
