//! What changes when a file is replaced or written to.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    os::unix::fs::MetadataExt as _,
    path::Path,
};

/// The state of a file, as far as a look without reading shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stamp {
    /// It is there.
    File { device: u64, inode: u64, size: u64, seconds: i64, nanoseconds: i64 },
    /// It cannot be looked at.
    Absent,
}

impl Stamp {
    /// The file as it is now.
    pub(super) fn of(path: &Path) -> Self {
        match fs::metadata(path) {
            Ok(file) => Self::File {
                device: file.dev(),
                inode: file.ino(),
                size: file.size(),
                seconds: file.mtime(),
                nanoseconds: file.mtime_nsec(),
            },
            Err(_) => Self::Absent,
        }
    }
}

impl Stamp {
    /// How many looks must see `now` until a file that was like this counts as whole.
    pub(super) fn looks_until_whole(&self, now: &Self) -> u32 {
        let (
            Self::File { device, inode, size, .. },
            Self::File { device: new_device, inode: new_inode, size: new_size, .. },
        ) = (self, now)
        else {
            return REPLACED;
        };
        match (device, inode) == (new_device, new_inode) {
            false if *new_size > 0 || *size == 0 => REPLACED,
            true if *new_size >= *size / 2 && *new_size > 0 => WRITTEN,
            true | false => EMPTIED,
        }
    }
}

/// Looks until a file that was renamed into place is taken, until one that was written in place is,
/// and until one that has lost the most of itself is.
const REPLACED: u32 = 1;
const WRITTEN: u32 = 2;
const EMPTIED: u32 = 20;

/// Reads a file that is no larger than a table may be.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    if size > MOST_BYTES {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "the file is over 1 GiB"));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0).saturating_add(1));
    file.take(MOST_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Several million lines; what is larger is no table.
const MOST_BYTES: u64 = 1 << 30;
