//! The list of the roots of sealed segments: one line each. A copy of it, kept where whoever can change
//! the archive cannot change it, proves what the archive was.

use std::{
    collections::HashSet,
    fmt, fs, io,
    io::{Read, Write},
    path::Path,
    slice,
    str::FromStr,
};

use mailweir_mail::Timestamp;

use crate::{
    archive::{private, sync_directory},
    frame::{Seal, Seq},
    hash::{Chain, Hash},
};

/// A sealed segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Root {
    /// Its number.
    pub segment: u64,
    /// The number of its first record.
    pub first: Seq,
    /// Its seal.
    pub seal: Seal,
}

impl fmt::Display for Root {
    /// One line, its parts divided by spaces: number of the segment, of the first record, of records; root;
    /// chain; microseconds since 1970; and the time for people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { segment, first, seal: Seal { records, root, chain, at } } = self;
        let (chain, micros, time) = (chain.hash(), at.as_micros(), at.rfc3339());
        write!(f, "{segment} {first} {records} {root} {chain} {micros} {time}")
    }
}

/// A line that is none of the list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no line of a list of roots: {0:?}")]
pub struct NoRoot(String);

impl FromStr for Root {
    type Err = NoRoot;

    fn from_str(line: &str) -> Result<Self, NoRoot> {
        parse(line).ok_or_else(|| NoRoot(line.chars().take(200).collect()))
    }
}

fn parse(line: &str) -> Option<Root> {
    let parts: Vec<&str> = line.split(' ').collect();
    let [segment, first, records, root, chain, micros, _time] = parts.as_slice() else {
        return None;
    };
    let seal = Seal {
        records: records.parse().ok()?,
        root: root.parse().ok()?,
        chain: Chain::from_hash(chain.parse::<Hash>().ok()?),
        at: Timestamp::from_micros(micros.parse().ok()?),
    };
    let root = Root { segment: segment.parse().ok()?, first: first.parse().ok()?, seal };
    // One root has one spelling.
    (root.to_string() == line).then_some(root)
}

/// Adds a line to the list.
pub(crate) fn add(list: &Path, root: &Root) -> io::Result<()> {
    append(list, slice::from_ref(root))
}

fn append(list: &Path, roots: &[Root]) -> io::Result<()> {
    let mut file = private().read(true).append(true).create(true).open(list)?;
    // A line that a crash left unfinished would spoil this one.
    let mut text = Vec::new();
    file.read_to_end(&mut text)?;
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    if whole < text.len() {
        file.set_len(whole as u64)?;
    }
    let lines: String = roots.iter().map(|root| format!("{root}\n")).collect();
    file.write_all(lines.as_bytes())?;
    file.sync_all()?;
    list.parent().map_or(Ok(()), sync_directory)
}

/// Adds to a copy of a list, kept elsewhere, what it lacks, and has that synced. Says how many lines.
///
/// # Errors
/// The list cannot be read, or the copy cannot be read or written.
pub fn copy(list: &Path, to: &Path) -> io::Result<usize> {
    let has: HashSet<String> = read(to)?.iter().flatten().map(Root::to_string).collect();
    let all = read(list)?.into_iter().flatten();
    let lacks: Vec<Root> = all.filter(|root| !has.contains(&root.to_string())).collect();
    if !lacks.is_empty() {
        append(to, &lacks)?;
    }
    Ok(lacks.len())
}

/// Reads a list. Of a line that makes no sense, the error; an unfinished line at the end is left out:
/// a crash made it.
///
/// # Errors
/// The file cannot be read.
pub fn read(list: &Path) -> io::Result<Vec<Result<Root, NoRoot>>> {
    let text = match fs::read(list) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let text = String::from_utf8_lossy(&text);
    let whole = text.rsplit_once('\n').map_or("", |(whole, _unfinished)| whole);
    Ok(whole.lines().map(str::parse).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_as_it_was_written_but_for_an_unfinished_line() {
        let place = tempfile::tempdir().unwrap();
        let list = place.path().join("roots");
        assert_eq!(read(&list).unwrap(), []);
        add(&list, &root(1)).unwrap();
        add(&list, &root(2)).unwrap();
        assert_eq!(read(&list).unwrap(), [Ok(root(1)), Ok(root(2))]);
        let text = fs::read_to_string(&list).unwrap();
        assert!(text.starts_with("1 100 100 ") && text.contains("2026-11-20T"), "{text}");
        fs::write(&list, format!("{}x\n{}", text, root(3))).unwrap();
        let lines = read(&list).unwrap();
        assert_eq!(lines[..2], [Ok(root(1)), Ok(root(2))]);
        assert_eq!(lines[2..], [Err(NoRoot("x".into()))]);
        add(&list, &root(4)).unwrap();
        assert_eq!(read(&list).unwrap()[3..], [Ok(root(4))], "the unfinished line is gone");
    }

    #[test]
    fn a_copy_gets_what_it_lacks_and_keeps_what_it_has() {
        let place = tempfile::tempdir().unwrap();
        let (list, to) = (place.path().join("roots"), place.path().join("copy"));
        assert_eq!(copy(&list, &to).unwrap(), 0);
        assert!(!to.exists(), "there is nothing to keep");
        (1..=2).for_each(|segment| add(&list, &root(segment)).unwrap());
        assert_eq!((copy(&list, &to).unwrap(), copy(&list, &to).unwrap()), (2, 0));
        assert_eq!(fs::read(&to).unwrap(), fs::read(&list).unwrap());
        // Somebody makes the archive anew, and then it goes on.
        fs::remove_file(&list).unwrap();
        let other = Root { first: 7, ..root(2) };
        [root(1), other, root(3)].iter().for_each(|root| add(&list, root).unwrap());
        fs::write(&to, format!("{}3 300", fs::read_to_string(&to).unwrap())).unwrap();
        assert_eq!(copy(&list, &to).unwrap(), 2);
        let kept = [root(1), root(2), other, root(3)].map(Ok);
        assert_eq!(read(&to).unwrap(), kept);
        assert!(copy(&list, &place.path().join("gone/copy")).is_err());
    }

    fn root(segment: u64) -> Root {
        let seal = Seal {
            records: 100,
            root: Hash::of(b"root"),
            chain: Chain::START.then(Hash::of(b"x")),
            at: Timestamp::from_micros(1_795_210_205_000_001),
        };
        Root { segment, first: segment * 100, seal }
    }
}
