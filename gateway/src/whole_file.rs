//! Files that are replaced whole and durably, for the owner's eyes only: whoever reads one sees the old content or the new one, and
//! after a crash, too. Who may write it, and when, is decided elsewhere.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

/// Puts the content in the place of what was there. Its directory must be there.
///
/// # Errors
/// The disk fails, is full, or nobody gave the right. What was there is there still, unless the disk fails at the very end.
pub(crate) fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    write_parts(path, &[content])
}

/// The same, of content that lies in several places.
///
/// # Errors
/// As those of [`write`].
pub(crate) fn write_parts(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    let directory = match path.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => directory,
        Some(_) | None => Path::new("."),
    };
    let mut name = path.file_name().unwrap_or_default().to_owned();
    // One name, so that crashes leave one file behind at most.
    name.push(".new");
    let new = directory.join(name);
    let replaced = write_new(&new, parts).and_then(|()| fs::rename(&new, path));
    if replaced.is_err() {
        // It may have taken the last of the room.
        let _ = fs::remove_file(&new);
    }
    replaced?;
    // Else a crash may take back the new name.
    File::open(directory)?.sync_all()
}

fn write_new(new: &Path, parts: &[&[u8]]) -> io::Result<()> {
    match fs::remove_file(new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = File::options().create_new(true).write(true).mode(0o600).open(new)?;
    for part in parts {
        file.write_all(part)?;
    }
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_nobody_else_reads_it() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("one");
        write(&path, b"a long first content").unwrap();
        // As a crash leaves it behind.
        fs::write(place.path().join("one.new"), "half, and longer than what comes").unwrap();
        write_parts(&path, &[&b"one"[..], b" two"]).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"one two");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1, "nothing is left behind");
    }

    #[test]
    fn what_cannot_be_replaced_stays_and_nothing_is_left_behind() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("directory");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("kept"), "").unwrap();
        write(&path, b"content").unwrap_err();
        assert!(path.join("kept").exists());
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
        write(&place.path().join("absent/one"), b"content").unwrap_err();
    }
}
