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
            Self::Memory(bytes) => Source::Memory(bytes.clone()),
            Self::Spool(file) => Source::Closed(file.clone()),
        })
    }

    /// As [`Self::reader`], where waiting for a disk is allowed.
    #[must_use]
    pub fn blocking_reader(&self) -> BlockingReader {
        let ContentReader(source) = self.reader();
        BlockingReader { source, piece: Bytes::new() }
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
    Memory(Bytes),
    Closed(SpoolFile),
    Open(OpenSpool),
    End,
    /// It could not be read, or nobody waited for what was read: it does not come to its end.
    Failed,
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
    /// outside the runtime's own threads. Not cancel safe: after a dropped call, as after an error, each fails.
    ///
    /// # Errors
    /// The file cannot be read, or is not what was accepted. The mail must then not be sent to
    /// its end; tell the queue by [`crate::Queue::damaged`].
    pub async fn next(&mut self) -> Result<Option<Bytes>, BodyError> {
        let source = std::mem::replace(&mut self.0, Source::Failed);
        let read = if source.is_on_disk() {
            let read = tokio::task::spawn_blocking(move || source.read());
            read.await.map_err(|error| io::Error::other(error.to_string()))?
        } else {
            source.read()
        };
        let (source, piece) = read?;
        self.0 = source;
        Ok(piece)
    }
}

/// Reads content where waiting for a disk is allowed. What is not whole fails at the latest at its end; the
/// error is a [`BodyError`].
#[derive(Debug)]
pub struct BlockingReader {
    source: Source,
    piece: Bytes,
}

impl Read for BlockingReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            let source = std::mem::replace(&mut self.source, Source::Failed);
            let (source, piece) = source.read().map_err(|error| match error {
                BodyError::Io(error) => error,
                error => io::Error::new(io::ErrorKind::InvalidData, error),
            })?;
            self.source = source;
            match piece {
                Some(piece) => self.piece = piece,
                None => return Ok(0),
            }
        }
        let most = buffer.len().min(self.piece.len());
        buffer[..most].copy_from_slice(&self.piece.split_to(most));
        Ok(most)
    }
}

impl Source {
    const fn is_on_disk(&self) -> bool {
        match self {
            Self::Closed(_) | Self::Open(_) => true,
            Self::Memory(_) | Self::End | Self::Failed => false,
        }
    }

    fn read(self) -> Result<(Self, Option<Bytes>), BodyError> {
        match self {
            Self::Memory(bytes) => Ok((Self::End, (!bytes.is_empty()).then_some(bytes))),
            Self::Closed(spool) => Self::Open(OpenSpool::open(spool)?).read(),
            Self::Open(mut spool) => {
                let piece = spool.read()?;
                Ok((if piece.is_some() { Self::Open(spool) } else { Self::End }, piece))
            }
            Self::End => Ok((Self::End, None)),
            Self::Failed => Err(io::Error::other("it could not be read before").into()),
        }
    }
}

impl OpenSpool {
    fn open(spool: SpoolFile) -> Result<Self, BodyError> {
        let file = File::open(&spool.path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => BodyError::Damaged,
            _ => BodyError::Io(error),
        })?;
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
    #[error("the stored content is damaged or is missing")]
    Damaged,
    /// The content cannot be read just now.
    #[error("the stored content cannot be read")]
    Io(#[from] io::Error),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
}

const PIECE: u64 = 256 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_wait_for_a_disk_reads_the_same_and_hears_of_damage() {
        let (_directory, file, content) = spool_file(700_000);
        let read = |content: &Content| {
            let mut read = Vec::new();
            content.blocking_reader().read_to_end(&mut read).map(|_| read)
        };
        let spool = Content::Spool(file.clone());
        assert!(read(&spool).unwrap() == content);
        assert_eq!(read(&Content::Memory("in memory".into())).unwrap(), b"in memory");
        assert_eq!(read(&Content::Memory(Bytes::new())).unwrap(), b"");
        std::fs::write(&file.path, &content[1..]).unwrap();
        assert_eq!(read(&spool).unwrap_err().kind(), io::ErrorKind::InvalidData);
        let mut reader = spool.blocking_reader();
        let [first, next] = [(); 2].map(|()| reader.read_to_end(&mut Vec::new()));
        assert!(first.is_err() && next.is_err(), "it must not end as what is whole: {next:?}");
        std::fs::remove_file(&file.path).unwrap();
        assert_eq!(read(&spool).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    #[tokio::test]
    async fn a_spool_file_is_read_in_pieces_up_to_its_end() {
        let (_directory, file, content) = spool_file(700_000);
        let mut reader = Content::Spool(file).reader();
        let mut read = Vec::new();
        while let Some(piece) = reader.next().await.unwrap() {
            assert!(piece.len() as u64 <= PIECE);
            read.extend_from_slice(&piece);
        }
        assert!(read == content);
        assert!(reader.next().await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_spool_file_that_changed_is_noticed_before_its_end_j12() {
        let (_directory, file, content) = spool_file(300_000);
        let damages: [fn(&mut Vec<u8>); 4] =
            [|c| c[150_000] ^= 1, |c| c.truncate(299_999), |c| c.push(0), Vec::clear];
        for (number, damage) in damages.iter().enumerate() {
            let mut content = content.clone();
            damage(&mut content);
            std::fs::write(&file.path, content).unwrap();
            let mut reader = Content::Spool(file.clone()).reader();
            let end = loop {
                match reader.next().await {
                    Ok(Some(_)) => {}
                    end => break end,
                }
            };
            assert!(matches!(end, Err(BodyError::Damaged)), "damage {number}: {end:?}");
            let next = reader.next().await;
            assert!(next.is_err(), "damage {number}: it must not end as what is whole: {next:?}");
        }
    }

    #[tokio::test]
    async fn a_spool_file_that_is_missing_is_damage_and_not_empty_content() {
        let (directory, file, _) = spool_file(1);
        drop(directory);
        let read = Content::Spool(file).reader().next().await;
        assert!(matches!(read, Err(BodyError::Damaged)), "{read:?}");
    }

    #[tokio::test]
    async fn content_in_memory_is_one_piece_and_empty_content_none() {
        let content = Content::Memory(Bytes::from_static(b"content"));
        assert_eq!(content.size(), 7);
        let mut reader = content.reader();
        assert_eq!(reader.next().await.unwrap().as_deref(), Some(&b"content"[..]));
        assert!(reader.next().await.unwrap().is_none());
        assert!(Content::Memory(Bytes::new()).reader().next().await.unwrap().is_none());
    }

    fn spool_file(size: usize) -> (tempfile::TempDir, SpoolFile, Vec<u8>) {
        let directory = tempfile::tempdir().unwrap();
        let content: Vec<u8> = (0..=250).cycle().take(size).collect();
        let path: Arc<Path> = directory.path().join("file").into();
        std::fs::write(&path, &content).unwrap();
        let checksum = crc32fast::hash(&content);
        (directory, SpoolFile { path, size: size as u64, checksum }, content)
    }
}
