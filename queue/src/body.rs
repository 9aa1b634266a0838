//! The content of a mail on its way out: in memory, or in a spool file read piece by piece.
//!
//! The checksum is compared as the content flows. A reader learns of damage at the latest at the
//! end, before it may send the final dot (`attacks.md` J12).

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
    sync::Arc,
};

use bytes::Bytes;

/// Where the content of a claimed mail is.
#[derive(Clone, Debug)]
pub enum Body {
    /// Here.
    Memory(Bytes),
    /// In a file of its own.
    Spool(SpoolFile),
    /// In the store: [`crate::Queue::body`] loads it.
    Stored,
}

/// A spool file: the content of one mail and nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpoolFile {
    /// Where it is.
    pub path: Arc<Path>,
    /// Its size in bytes.
    pub size: u64,
    /// The CRC-32 of its content.
    pub checksum: u32,
}

/// Content that is ready to be read.
#[derive(Clone, Debug)]
pub enum Content {
    /// All of it.
    Memory(Bytes),
    /// A file to be read piece by piece.
    Spool(SpoolFile),
}

impl Content {
    /// Starts to read from the beginning. Every delivery reads on its own.
    #[must_use]
    pub fn reader(&self) -> ContentReader {
        ContentReader(match self {
            Self::Memory(bytes) => Source::Memory(Some(bytes.clone())),
            Self::Spool(file) => Source::Closed(file.clone()),
        })
    }

    /// The size in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::Spool(file) => file.size,
        }
    }
}

/// Reads content piece by piece; at most one piece is in memory.
#[derive(Debug)]
pub struct ContentReader(Source);

#[derive(Debug)]
enum Source {
    Memory(Option<Bytes>),
    Closed(SpoolFile),
    Open(OpenSpool),
    End,
}

#[derive(Debug)]
struct OpenSpool {
    file: File,
    spool: SpoolFile,
    read: u64,
    hasher: crc32fast::Hasher,
}

impl ContentReader {
    /// The next piece; `None` after the last, and only if the content is whole. Files are read
    /// outside the runtime's own threads. Not cancel safe: a dropped call loses its piece.
    ///
    /// # Errors
    /// The file cannot be read, or is not what was accepted. The mail must then not be sent to
    /// its end; tell the queue by [`crate::Queue::damaged`].
    pub async fn next(&mut self) -> Result<Option<Bytes>, BodyError> {
        let source = std::mem::replace(&mut self.0, Source::End);
        if let Source::Memory(bytes) = source {
            return Ok(bytes.filter(|bytes| !bytes.is_empty()));
        }
        let read = tokio::task::spawn_blocking(move || source.read());
        let (source, piece) = read.await.map_err(|error| io::Error::other(error.to_string()))??;
        self.0 = source;
        Ok(piece)
    }
}

impl Source {
    fn read(self) -> Result<(Self, Option<Bytes>), BodyError> {
        match self {
            Self::Memory(bytes) => Ok((Self::End, bytes)),
            Self::Closed(spool) => Self::Open(OpenSpool::open(spool)?).read(),
            Self::Open(mut spool) => {
                let piece = spool.read()?;
                Ok((if piece.is_some() { Self::Open(spool) } else { Self::End }, piece))
            }
            Self::End => Ok((Self::End, None)),
        }
    }
}

impl OpenSpool {
    fn open(spool: SpoolFile) -> Result<Self, BodyError> {
        let file = File::open(&spool.path)?;
        Ok(Self { file, spool, read: 0, hasher: crc32fast::Hasher::new() })
    }

    fn read(&mut self) -> Result<Option<Bytes>, BodyError> {
        let rest = self.spool.size.saturating_sub(self.read);
        let mut piece = vec![0; rest.min(PIECE) as usize];
        if piece.is_empty() {
            return self.check().map(|()| None);
        }
        self.file.read_exact(&mut piece).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => BodyError::Damaged,
            _ => BodyError::Io(error),
        })?;
        self.hasher.update(&piece);
        self.read += piece.len() as u64;
        Ok(Some(piece.into()))
    }

    fn check(&mut self) -> Result<(), BodyError> {
        let longer = self.file.read(&mut [0])? > 0;
        let checksum = self.hasher.clone().finalize();
        if longer || checksum != self.spool.checksum { Err(BodyError::Damaged) } else { Ok(()) }
    }
}

/// The content of a mail cannot be had. The fault is the disk's or ours.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BodyError {
    /// The content is not what was accepted, or is missing: the mail is corrupt.
    #[error("the stored content is damaged")]
    Damaged,
    /// The content cannot be read just now.
    #[error("the stored content cannot be read")]
    Io(#[from] io::Error),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
}

const PIECE: u64 = 256 * 1024;
