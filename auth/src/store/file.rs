//! The users file on disk: reading, replacing it whole, and noticing that it was replaced.

use std::{
    fs::{self, File, Metadata, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown},
    path::{Path, PathBuf},
};

use tempfile::Builder;

/// What changes when a file is replaced or written to. `None` stands for "no file".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    inode: u64,
    size: u64,
    seconds: i64,
    nanoseconds: i64,
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            inode: metadata.ino(),
            size: metadata.size(),
            seconds: metadata.mtime(),
            nanoseconds: metadata.mtime_nsec(),
        }
    }
}

/// The stamp of the file as it is now.
pub(crate) fn stamp(path: &Path) -> io::Result<Option<Stamp>> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(Stamp::of(&metadata))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reads the file; one that does not exist is empty.
pub(crate) fn read(path: &Path) -> io::Result<(String, Option<Stamp>)> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((String::new(), None)),
        Err(error) => return Err(error),
    };
    // The stamp comes first: a change while we read is then seen as a change later.
    let stamp = Stamp::of(&file.metadata()?);
    if stamp.size > MAX_BYTES {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "the file is over 64 MiB"));
    }
    let mut text = String::new();
    file.take(MAX_BYTES).read_to_string(&mut text)?;
    Ok((text, Some(stamp)))
}

/// Replaces the file, durably and at once: readers see the old text or the new, never a mixture.
///
/// The file belongs to the owner of its directory: `mailweir user add`, run by root, must not take
/// the file away from a gateway that runs as somebody else.
pub(crate) fn write(path: &Path, text: &str) -> io::Result<Option<Stamp>> {
    let directory = directory_of(path);
    let mut new =
        Builder::new().prefix(".users-").permissions(owner_only()).tempfile_in(directory)?;
    new.write_all(text.as_bytes())?;
    give_to_owner(new.as_file(), directory)?;
    new.as_file().sync_all()?;
    let file = new.persist(path).map_err(|error| error.error)?;
    File::open(directory)?.sync_all()?;
    Ok(Some(Stamp::of(&file.metadata()?)))
}

/// Waits until no other process is changing the file. The lock ends when the value is dropped.
pub(crate) fn lock(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(OWNER_ONLY)
        .open(beside(path, ".lock"))?;
    give_to_owner(&file, directory_of(path))?;
    file.lock()?;
    Ok(file)
}

fn give_to_owner(file: &File, directory: &Path) -> io::Result<()> {
    let owner = fs::metadata(directory)?;
    if file.metadata()?.uid() == owner.uid() {
        return Ok(());
    }
    fchown(file, Some(owner.uid()), Some(owner.gid()))
}

pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        Some(_) | None => Path::new("."),
    }
}

fn owner_only() -> fs::Permissions {
    fs::Permissions::from_mode(OWNER_ONLY)
}

const OWNER_ONLY: u32 = 0o600;
const MAX_BYTES: u64 = 64 * 1_024 * 1_024;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::chown;

    use super::*;

    #[test]
    fn c7_the_file_is_for_its_owner_only_and_nothing_else_is_left_behind() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("users");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let stamp = write(&path, "new").unwrap();
        assert_eq!(read(&path).unwrap(), ("new".to_owned(), stamp));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, OWNER_ONLY);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_missing_file_is_empty_and_one_that_is_replaced_has_another_stamp() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("users");
        assert_eq!(read(&path).unwrap(), (String::new(), None));
        assert_eq!(stamp(&path).unwrap(), None);
        let first = write(&path, "same size").unwrap();
        assert_eq!(stamp(&path).unwrap(), first);
        let second = write(&path, "SAME SIZE").unwrap();
        assert_ne!(first, second);
    }

    #[test]
    fn what_root_writes_belongs_to_the_owner_of_the_directory() {
        const SOMEBODY: u32 = 10_001;
        let directory = tempfile::tempdir().unwrap();
        if chown(directory.path(), Some(SOMEBODY), Some(SOMEBODY)).is_err() {
            return; // Only root can give a directory away, and only root is what this is about.
        }
        let path = directory.path().join("users");
        drop(lock(&path).unwrap());
        write(&path, "text").unwrap();
        for entry in fs::read_dir(directory.path()).unwrap() {
            let metadata = entry.unwrap().metadata().unwrap();
            assert_eq!((metadata.uid(), metadata.mode() & 0o777), (SOMEBODY, OWNER_ONLY));
        }
    }

    #[test]
    fn a_failed_write_leaves_the_old_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("users");
        fs::create_dir(&path).unwrap();
        assert!(write(&path, "new").is_err());
        assert!(path.is_dir());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn bytes_that_are_no_text_are_an_error_and_not_an_empty_store() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("users");
        fs::write(&path, b"ann:\xff\n").unwrap();
        assert_eq!(read(&path).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
