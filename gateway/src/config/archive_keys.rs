//! `archive.key_file`: with what the archive is encrypted.

use std::path::{Path, PathBuf};

use mailweir_archive::{Encryption, MasterKeys};

use super::{
    Surroundings, check::read_file, problem::Problems, raw::RawTable, schema::ArchiveSection,
};

/// Reads the key file, if there is one. `None`: an error was reported.
pub(super) fn check(
    table: &RawTable,
    section: &ArchiveSection,
    around: &Surroundings<'_>,
    problems: &mut Problems<'_>,
) -> Option<Encryption> {
    let Some(path) = &section.key_file else {
        if table.has("encrypt") && section.encrypt {
            problems
                .error(table, "key_file", "missing; there is no key to encrypt with")
                .help("a key is made by: openssl rand -hex 32");
        }
        return Some(Encryption::Never);
    };
    let keys = read(table, path, around, problems)?;
    Some(if section.encrypt { Encryption::On(keys) } else { Encryption::NoLonger(keys) })
}

fn read(
    table: &RawTable,
    path: &Path,
    around: &Surroundings<'_>,
    problems: &mut Problems<'_>,
) -> Option<MasterKeys> {
    let content = read_file(table, "key_file", path, around, problems)?;
    let keys = std::str::from_utf8(&content).ok().map(MasterKeys::parse);
    let message = match keys {
        Some(Ok(keys)) => return Some(keys),
        Some(Err(error)) => format!("{}: {error}", path.display()),
        None => format!("{} is not text in UTF-8", path.display()),
    };
    problems.error(table, "key_file", message);
    None
}

/// The key file, if others than its owner may read it.
#[must_use]
pub(crate) fn read_by_others(path: Option<&PathBuf>) -> Option<&Path> {
    use std::os::unix::fs::PermissionsExt as _;
    let path = path?;
    let mode = std::fs::metadata(path).ok()?.permissions().mode();
    (mode & 0o077 != 0).then_some(path)
}
