//! The greylist on the disk, and the key that its hashes depend on.

use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use aws_lc_rs::rand;
use mailweir_spam::greylist::{Greylist, HashKey, Settings};

use crate::key_file;

/// The greylist of a directory, and the file to keep it in; none, if that cannot be: then it lasts as long as the program. What cannot be
/// read is told, and begins anew: that costs strangers a wait, and nothing else.
pub(super) fn open(
    directory: &Path,
    settings: Settings,
    warn: &dyn Fn(String),
) -> (Greylist, Option<PathBuf>) {
    let path = directory.join(FILE);
    let key = match make_directory(directory)
        .and_then(|()| key_file::read_or_make(&directory.join(KEY)))
    {
        Ok(key) => HashKey::new(key),
        Err(error) => {
            let place = directory.join(KEY);
            warn(format!("{}: {error}: the greylist lasts until a stop", place.display()));
            return (Greylist::new(settings, passing_key()), None);
        }
    };
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) => {
            if error.kind() != io::ErrorKind::NotFound {
                warn(format!("{}: cannot be read, it begins anew: {error}", path.display()));
            }
            return (Greylist::new(settings, key), Some(path));
        }
    };
    let list = Greylist::from_bytes(&bytes, settings, key.clone()).unwrap_or_else(|error| {
        warn(format!("{}: {error}: it begins anew", path.display()));
        Greylist::new(settings, key)
    });
    (list, Some(path))
}

fn make_directory(directory: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory)
}

/// A key for as long as the program runs. Without randomness it could be guessed, which tells nobody anything that is not stored.
fn passing_key() -> HashKey {
    let mut key = [0; 32];
    let _ = rand::fill(&mut key);
    HashKey::new(key)
}

const FILE: &str = "greylist";

const KEY: &str = "greylist.key";
