//! The key that slips are sealed with: made once, and kept in the data directory.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use anyhow::Context as _;
use aws_lc_rs::rand;
use mailweir_external::slip::Key;

use crate::config::{Config, Listener, Mode};

/// The key, if there are filters that mail goes to with a slip, or listeners where they may hand back what they had before a
/// reload.
///
/// # Errors
/// It can be neither read nor made.
pub(crate) fn of(config: &Config) -> anyhow::Result<Option<Key>> {
    let takes_back = |listener: &Listener| matches!(listener.mode, Mode::Filter | Mode::Lmtp);
    if config.filters.all.is_empty() && !config.listeners.iter().any(takes_back) {
        return Ok(None);
    }
    let path = config.server.data_dir.join(FILE);
    let key = read(&path).or_else(|error| match error.kind() {
        io::ErrorKind::NotFound => make(&path),
        _ => Err(error),
    });
    let key = key.with_context(|| format!("the key of filters, {}", path.display()))?;
    Ok(Some(Key::new(key)))
}

fn read(path: &Path) -> io::Result<[u8; LENGTH]> {
    let bytes = fs::read(path)?;
    let wrong = |_| {
        io::Error::new(
            io::ErrorKind::InvalidData,
            "it has not 32 bytes: remove it, and it is made anew",
        )
    };
    bytes.as_slice().try_into().map_err(wrong)
}

fn make(path: &Path) -> io::Result<[u8; LENGTH]> {
    let mut key = [0; LENGTH];
    rand::fill(&mut key).map_err(|_| io::Error::other("the system gives no random numbers"))?;
    let new = path.with_extension("new");
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    file.write_all(&key)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    Ok(key)
}

/// In the data directory.
const FILE: &str = "slips.key";

const LENGTH: usize = 32;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_nobody_else_reads_it() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join(FILE);
        let made = make(&path).unwrap();
        assert_eq!(read(&path).unwrap(), made);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_ne!(make(&place.path().join("other")).unwrap(), made);
        fs::write(&path, "short").unwrap();
        assert_eq!(read(&path).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
