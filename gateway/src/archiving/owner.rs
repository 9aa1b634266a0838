//! Whose the files of the archive are.

use std::{fs, os::unix::fs::MetadataExt as _, path::Path};

use anyhow::bail;

/// Whether this process may write the archive: files of another user would keep the server from its own.
///
/// # Errors
/// It is another user's.
pub(crate) fn check_owner(directory: &Path, data_dir: &Path) -> anyhow::Result<()> {
    let Some((place, data)) = [directory, data_dir]
        .into_iter()
        .find_map(|place| fs::metadata(place).ok().map(|data| (place, data)))
    else {
        return Ok(());
    };
    if data.uid() != rustix::process::geteuid().as_raw() {
        let (place, uid) = (place.display(), data.uid());
        bail!("{place} belongs to user {uid}: run this as that user, as the server runs");
    }
    Ok(())
}
