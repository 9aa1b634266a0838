//! Small files that are there whole or not at all, whatever a crash comes into.

use std::{fs, io, io::Write as _, path::Path};

use crate::archive::{private, sync_directory};

/// Writes a file in the place of the one that is there, and has it synced. What a crash leaves is the one or the other.
///
/// # Errors
/// The disk failed. What was there may be there still.
pub fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut file = private().write(true).create(true).truncate(true).open(&new)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
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
