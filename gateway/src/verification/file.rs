//! The file in which records survive a restart: a line for each address, as `postmap -s` shows the
//! `verify_cache` of a Postfix.

use std::{
    fmt::Write as _,
    fs::File,
    io::{self, BufRead as _, BufReader, Read as _},
    path::Path,
};

use mailweir_filters::verification::{Lifetimes, Record};
use mailweir_mail::{Address, Timestamp};

use super::cache::{Cache, Known};
use crate::whole_file;

/// Puts what the file holds into the cache. A file that is not there holds nothing; what cannot be
/// read is told once, and made anew by probes.
pub(super) fn load(
    path: &Path,
    cache: &mut Cache,
    lifetimes: &Lifetimes,
    now: Timestamp,
    warn: &dyn Fn(String),
) {
    let content = match read(path) {
        Ok(content) => content,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return,
        Err(error) => return warn(format!("{}: cannot be read: {error}", path.display())),
    };
    let lines = content.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    let mut damaged = 0_usize;
    for line in lines.filter(|line| !line.starts_with(POSTFIX_NOTE)) {
        match parse(line) {
            Some((address, record)) => {
                if let Some(record) = record.restored(lifetimes, now) {
                    cache.restore(&address, record);
                }
            }
            None => damaged += 1,
        }
    }
    if damaged > 0 {
        warn(format!("{}: {damaged} lines cannot be read, and are passed over", path.display()));
    }
}

fn parse(line: &[u8]) -> Option<(Address, Record)> {
    let (address, record) = std::str::from_utf8(line).ok()?.rsplit_once('\t')?;
    Some((address.parse().ok()?, record.parse().ok()?))
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    File::open(path)?.take(MAX_BYTES).read_to_end(&mut content)?;
    Ok(content)
}

/// What the file is to hold: all that may outlive a restart.
pub(super) fn text(known: &[Known], lifetimes: &Lifetimes, now: Timestamp) -> String {
    let mut text = String::new();
    for (address, record) in known {
        if let Some(record) = Record::clone(record).restored(lifetimes, now) {
            // A string takes whatever is written to it.
            let _ = writeln!(text, "{address}\t{record}");
        }
    }
    text
}

/// Why the file is not written.
#[derive(Debug, thiserror::Error)]
pub(super) enum WriteError {
    /// What stands there was written by somebody else, and may be all that there is of it.
    #[error("no line of it is what is known of an address, so it is another file")]
    Another,
    /// It cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Puts the text in place whole and durably, for the owner's eyes only. A file that is not ours is
/// left alone.
pub(super) fn write(path: &Path, text: &str) -> Result<(), WriteError> {
    if is_another(path)? {
        return Err(WriteError::Another);
    }
    Ok(whole_file::write(path, text.as_bytes())?)
}

/// Whether something stands there, and not one line of it is ours.
fn is_another(path: &Path) -> io::Result<bool> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        file => file?,
    };
    let mut something = false;
    for line in BufReader::new(file.take(MAX_BYTES)).split(b'\n') {
        let line = line?;
        if line.starts_with(POSTFIX_NOTE) || parse(&line).is_some() {
            return Ok(false);
        }
        something |= !line.is_empty();
    }
    Ok(something)
}

/// More than as many records as are remembered can have.
const MAX_BYTES: u64 = 128 << 20;

/// A line that Postfix keeps among the records.
const POSTFIX_NOTE: &[u8] = b"_LAST_CACHE_CLEANUP_COMPLETED_";

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, fs, os::unix::fs::PermissionsExt as _, sync::Arc};

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn loaded(content: &[u8]) -> (Cache, Vec<String>) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("verify_cache");
        fs::write(&path, content).unwrap();
        let (mut cache, warnings) = (Cache::new(10), RefCell::default());
        let warn = |text| RefCell::<Vec<String>>::borrow_mut(&warnings).push(text);
        load(&path, &mut cache, &Lifetimes::default(), NOW, &warn);
        (cache, warnings.into_inner())
    }

    fn known(cache: &mut Cache, address: &str) -> Option<String> {
        cache.get(&address.parse().unwrap()).map(ToString::to_string)
    }

    #[test]
    fn what_postmap_shows_of_a_verify_cache_is_taken_over() {
        let (mut cache, warnings) = loaded(
            b"a@a.example\t0:0:1799999999:250 2.1.5 Ok\n\
              _LAST_CACHE_CLEANUP_COMPLETED_\t1799999999\n\
              b@a.example\t2:1799999999:1799999990:host mx[192.0.2.1] said: 550 no\n\
              old@a.example\t2:0:1:host mx[192.0.2.1] said: 550 no\n",
        );
        assert!(warnings.is_empty(), "{warnings:?}");
        assert!(known(&mut cache, "a@a.example").unwrap().starts_with("0:0:"));
        assert!(known(&mut cache, "b@a.example").unwrap().starts_with("2:0:1799999990:"));
        assert_eq!(known(&mut cache, "old@a.example"), None);
    }

    #[test]
    fn damaged_lines_are_passed_over_and_counted_in_one_warning() {
        let (mut cache, warnings) = loaded(
            b"a@a.example 0:0:1799999999:ok\n\xff\xfe\tx\nb@a.example\t0:0:1799999999:ok\n\
              nobody\t0:0:1799999999:ok\nc@a.example\t0:0:17999999",
        );
        assert!(known(&mut cache, "b@a.example").is_some());
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].ends_with("verify_cache: 4 lines cannot be read, and are passed over"));
    }

    #[test]
    fn a_file_that_is_not_there_holds_nothing() {
        let mut cache = Cache::new(10);
        let absent = Path::new("/nonexistent/verify_cache");
        let warn = |text: String| panic!("{text}");
        load(absent, &mut cache, &Lifetimes::default(), NOW, &warn);
    }

    #[test]
    fn what_is_over_or_only_begun_is_not_written() {
        let line = "a@a.example\t0:0:1799999999:250 2.1.5 Ok\n";
        let known: Vec<Known> = [
            ("a@a.example", "0:1800000000:1799999999:250 2.1.5 Ok"),
            ("b@a.example", "3:1800000000:0:Address verification in progress"),
            ("c@a.example", "2:0:1:no"),
        ]
        .map(|(address, record)| {
            (Arc::new(address.parse().unwrap()), Arc::new(record.parse().unwrap()))
        })
        .to_vec();
        assert_eq!(text(&known, &Lifetimes::default(), NOW), line);
    }

    #[test]
    fn the_file_is_replaced_whole_and_is_nobody_elses() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("verify_cache");
        let line = "a@a.example\t0:0:1799999999:250 2.1.5 Ok\n";
        for text in ["", line, "", &line.repeat(2)] {
            write(&path, text).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_holds_something_else_is_left_as_it_is() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("users");
        for (content, is_another) in [
            ("ann:$argon2id$v=19$x\n", true),
            ("\n# a comment", true),
            ("a@a.example 0:0:1799999999:ok\n", true),
            ("damaged\na@a.example\t0:0:1:an old record\n", false),
            ("_LAST_CACHE_CLEANUP_COMPLETED_\t1799999999\n", false),
            ("\n", false),
        ] {
            fs::write(&path, content).unwrap();
            let written = write(&path, "");
            assert_eq!(matches!(written, Err(WriteError::Another)), is_another, "{content:?}");
            let left = if is_another { content } else { "" };
            assert_eq!(fs::read_to_string(&path).unwrap(), left);
        }
        assert!(matches!(write(directory.path(), ""), Err(WriteError::Io(_))));
    }
}
