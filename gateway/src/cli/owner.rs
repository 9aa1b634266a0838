//! Whose the files are that commands make: root often gives a command, and the gateway runs as another user.
//!
//! What root makes belongs to whom the directory belongs that it is made in. Where root may give nothing away (a container without that
//! right) it stays root's.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, fchown},
    path::Path,
};

use rustix::{fs::OFlags, process::geteuid};

/// Makes a directory for its owner alone, unless it is there.
///
/// # Errors
/// The directory above it is missing, or gives no right.
pub(super) fn make_directory(path: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(error),
        Ok(()) => {
            // The owner of the directory above could put a link in its place.
            let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW;
            let flags = flags.bits().cast_signed();
            let made = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
            give_to_owner(&made, path)
        }
    }
}

/// Gives what was just made at this path to whom its directory belongs, if root has made it.
///
/// # Errors
/// The directory or the file cannot be looked at, or the file system does not know owners.
pub(super) fn give_to_owner(made: &File, path: &Path) -> io::Result<()> {
    let owner = fs::metadata(directory_of(path))?;
    if !geteuid().is_root() || made.metadata()?.uid() == owner.uid() {
        return Ok(());
    }
    match fchown(made, Some(owner.uid()), Some(owner.gid())) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        given => given,
    }
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        Some(_) | None => Path::new("."),
    }
}
