//! Small files that are there whole or not at all, whatever a crash comes into.

use std::{
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
};

use crate::archive::{private, sync_directory};

/// Writes a file in the place of the one that is there, and has it synced. What a crash leaves is the one or the other.
///
/// # Errors
/// The disk failed. What was there may be there still.
pub fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let new = make(path, content)?;
    put_in_place(&new, path)
}

/// As [`write`], in the place of a file of which the disk has lost some. That one stays beside it, [`damaged`]: the disk may
/// give the rest some day. One that was put aside before stays instead: it has more of it.
///
/// # Errors
/// The disk failed, or the old file cannot be kept. It may be there still, under the one name or the other.
pub(crate) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    replace_with(|from, to| fs::hard_link(from, to), path, content)
}

fn replace_with(
    link: impl FnOnce(&Path, &Path) -> io::Result<()>,
    path: &Path,
    content: &[u8],
) -> io::Result<()> {
    let new = make(path, content)?;
    let damaged = damaged(path);
    match link(path, &damaged) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        // Not every file system has a second name for a file. If the machine stops here, the new one is whole, under its
        // first name.
        Err(_) => fs::rename(path, &damaged)?,
    }
    put_in_place(&new, path)
}

/// Where the old file is that was [replaced](replace).
pub(crate) fn damaged(path: &Path) -> PathBuf {
    beside(path, ".damaged")
}

/// A whole file, beside the one whose place it is to have.
fn make(path: &Path, content: &[u8]) -> io::Result<PathBuf> {
    let new = beside(path, ".new");
    let mut file = private().write(true).create(true).truncate(true).open(&new)?;
    file.write_all(content)?;
    file.sync_all()?;
    Ok(new)
}

/// No two files have the same one there: `roots` and `roots.mailed` are written at the same time.
fn beside(path: &Path, end: &str) -> PathBuf {
    let mut beside = path.to_owned();
    beside.as_mut_os_string().push(end);
    beside
}

fn put_in_place(new: &Path, path: &Path) -> io::Result<()> {
    fs::rename(new, path)?;
    path.parent().map_or(Ok(()), sync_directory)
}

/// Removes a file, if it is there, for good.
///
/// # Errors
/// The disk failed. It may be there still.
pub fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => path.parent().map_or(Ok(()), sync_directory),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_file_is_kept_also_where_a_file_has_one_name_only() {
        let no_links = |_: &Path, _: &Path| Err(io::ErrorKind::PermissionDenied.into());
        for has_links in [true, false] {
            let place = tempfile::tempdir().unwrap();
            let path = place.path().join("file");
            fs::write(&path, "old").unwrap();
            if has_links {
                replace(&path, b"new").unwrap();
            } else {
                replace_with(no_links, &path, b"new").unwrap();
            }
            let damaged = damaged(&path);
            assert_eq!([&path, &damaged].map(|path| fs::read(path).unwrap()), [b"new", b"old"]);
            replace(&path, b"newer").unwrap();
            assert_eq!(fs::read(&path).unwrap(), b"newer");
            assert_eq!(fs::read(&damaged).unwrap(), b"old", "it has more of it");
        }
    }

    #[test]
    fn files_that_are_written_at_the_same_time_are_not_mixed_up() {
        let place = tempfile::tempdir().unwrap();
        let [one, two] = ["roots", "roots.mailed"].map(|name| place.path().join(name));
        let new = make(&one, b"one").unwrap();
        write(&two, b"two").unwrap();
        put_in_place(&new, &one).unwrap();
        assert_eq!([one, two].map(|path| fs::read(path).unwrap()), [b"one", b"two"]);
    }

    #[test]
    fn an_old_file_that_cannot_be_kept_is_not_replaced() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("file");
        fs::write(&path, "old").unwrap();
        let fails = |_: &Path, damaged: &Path| {
            fs::create_dir(damaged)?;
            Err(io::ErrorKind::PermissionDenied.into())
        };
        replace_with(fails, &path, b"new").unwrap_err();
        assert_eq!(fs::read(&path).unwrap(), b"old");
    }
}
