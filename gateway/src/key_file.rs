//! Keys of 32 random bytes that are made once, and kept where nobody else reads them.

use std::{fs, io, path::Path};

use aws_lc_rs::rand;

use crate::whole_file;

/// The key of this file; it is made if there is none.
///
/// # Errors
/// It can be neither read nor made, or the file is none of ours.
pub(crate) fn read_or_make(path: &Path) -> io::Result<[u8; LENGTH]> {
    read(path).or_else(|error| match error.kind() {
        io::ErrorKind::NotFound => make(path),
        _ => Err(error),
    })
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
    whole_file::write(path, &key)?;
    Ok(key)
}

const LENGTH: usize = 32;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_nobody_else_reads_it() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("one.key");
        let made = read_or_make(&path).unwrap();
        assert_eq!(read_or_make(&path).unwrap(), made);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_ne!(read_or_make(&place.path().join("other")).unwrap(), made);
        fs::write(&path, "short").unwrap();
        assert_eq!(read_or_make(&path).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
