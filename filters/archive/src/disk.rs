//! A disk with bad blocks: what cannot be read of it is read as if it had never been written.
//!
//! So a block that has gone bad damages what stands in it and nothing else: what is looked for behind it is
//! found, and what it held shows as changed.
//!
//! Where zeros mean something themselves, as in keys that were destroyed, it is read as what nobody writes: see [`read_at`].

use std::{
    io::{self, Read, Seek, SeekFrom},
    os::unix::fs::FileExt,
};

/// Reads zeros where the disk gives nothing.
#[derive(Debug)]
pub(crate) struct Disk<R> {
    inner: R,
    has_bad_blocks: bool,
}

impl<R: Read + Seek> Disk<R> {
    /// Whether something could not be read so far.
    pub(crate) const fn has_bad_blocks(&self) -> bool {
        self.has_bad_blocks
    }

    pub(crate) const fn new(inner: R) -> Self {
        Self { inner, has_bad_blocks: false }
    }
}

impl<R: Read + Seek> Read for Disk<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.inner.read(buffer) {
            Err(error) if is_bad_block(&error) => {
                self.has_bad_blocks = true;
                let at = self.inner.stream_position()?;
                let left = usize::try_from(BLOCK - at % BLOCK).unwrap_or(buffer.len());
                let bytes = left.min(buffer.len());
                self.inner.seek(SeekFrom::Start(at + bytes as u64))?;
                buffer[..bytes].fill(0);
                Ok(bytes)
            }
            read => read,
        }
    }
}

impl<R: Seek> Seek for Disk<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

/// What was read at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ReadAt {
    /// How many bytes; if the last block is bad, all of it counts.
    pub(crate) bytes: usize,
    /// Whether some of them are [`LOST`].
    pub(crate) has_bad_blocks: bool,
}

/// Reads as many bytes as there are, and [`LOST`] where the disk gives nothing.
///
/// # Errors
/// The disk failed otherwise.
pub(crate) fn read_at(file: &impl FileExt, bytes: &mut [u8], at: u64) -> io::Result<ReadAt> {
    let (mut read, mut has_bad_blocks) = (0, false);
    while read < bytes.len() {
        let here = at.saturating_add(read as u64);
        match file.read_at(&mut bytes[read..], here) {
            Ok(0) => break,
            Ok(more) => read += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // Behind what a file may have.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => break,
            Err(error) if is_bad_block(&error) => {
                has_bad_blocks = true;
                let left = usize::try_from(BLOCK - here % BLOCK).unwrap_or(usize::MAX);
                let end = read.saturating_add(left).min(bytes.len());
                bytes[read..end].fill(LOST);
                read = end;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(ReadAt { bytes: read, has_bad_blocks })
}

/// Bytes that the disk has lost: many of them are neither a row, a key or a head, nor what was destroyed or never written.
const LOST: u8 = 0xff;

/// The disk works, and has lost what is asked for.
pub(crate) fn is_bad_block(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error())
}

/// A file is read in pages, and a failed read leaves the file where the page began that could not be read.
const BLOCK: u64 = 4_096;

#[cfg(test)]
pub(crate) mod tests {
    use std::io::{BufReader, Cursor};

    use super::*;

    /// Whoever comes to a byte of these blocks gets nothing.
    pub(crate) struct Bad {
        pub(crate) inner: Cursor<Vec<u8>>,
        pub(crate) blocks: Vec<u64>,
    }

    impl Read for Bad {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let at = self.inner.position();
            if self.blocks.contains(&(at / BLOCK)) {
                return Err(rustix::io::Errno::IO.into());
            }
            let next = self.blocks.iter().map(|block| block * BLOCK).filter(|bad| *bad > at).min();
            let most = next.map_or(u64::MAX, |bad| bad - at);
            self.inner.by_ref().take(most).read(buffer)
        }
    }

    impl Seek for Bad {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.inner.seek(to)
        }
    }

    #[test]
    fn a_bad_block_is_zeros_and_all_others_are_what_they_were() {
        let whole = vec![7; 5 * 4_096 + 100];
        let mut expected = whole.clone();
        expected[4_096..3 * 4_096].fill(0);
        expected[5 * 4_096..].fill(0);
        for capacity in [1, 700, 4_096, 1 << 20] {
            let bad = Bad { inner: Cursor::new(whole.clone()), blocks: vec![1, 2, 5] };
            let mut read = Vec::new();
            let most = whole.len() as u64;
            let disk = BufReader::with_capacity(capacity, Disk::new(bad));
            disk.take(most).read_to_end(&mut read).unwrap();
            assert!(read == expected, "with a buffer of {capacity}");
        }
    }

    /// As [`Bad`], for whoever asks for places: a read ends before a bad block.
    struct BadAt {
        bytes: Vec<u8>,
        blocks: Vec<u64>,
    }

    impl FileExt for BadAt {
        fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
            let inner = Cursor::new(self.bytes.clone());
            let mut bad = Bad { inner, blocks: self.blocks.clone() };
            bad.seek(SeekFrom::Start(at))?;
            bad.read(buffer)
        }

        fn write_at(&self, _: &[u8], _: u64) -> io::Result<usize> {
            Err(io::ErrorKind::Unsupported.into())
        }
    }

    #[test]
    fn at_a_place_a_bad_block_is_what_nobody_writes_and_all_else_is_what_it_was() {
        let file = BadAt { bytes: vec![7; 3 * 4_096 + 100], blocks: vec![1, 2] };
        for (at, bytes, found, has_bad_blocks) in [
            (0, 4_096, vec![(7, 4_096)], false),
            (4_000, 10_000, vec![(7, 96), (LOST, 8_192), (7, 100)], true),
            (5_000, 8, vec![(LOST, 8)], true),
            (3 * 4_096, 500, vec![(7, 100)], false),
            (u64::MAX, 8, vec![], false),
        ] {
            let mut read = vec![0; bytes];
            let done = read_at(&file, &mut read, at).unwrap();
            let found: Vec<u8> = found.into_iter().flat_map(|(it, n)| vec![it; n]).collect();
            assert_eq!(done, ReadAt { bytes: found.len(), has_bad_blocks }, "at {at}");
            assert!(read[..done.bytes] == found, "at {at}");
        }
    }

    #[test]
    fn another_trouble_is_told() {
        struct Gone;
        impl Read for Gone {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(rustix::io::Errno::STALE.into())
            }
        }
        impl Seek for Gone {
            fn seek(&mut self, _: SeekFrom) -> io::Result<u64> {
                Ok(0)
            }
        }
        assert!(Disk::new(Gone).read(&mut [0; 10]).is_err());
    }
}
