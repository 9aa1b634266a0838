//! The list of the roots of sealed segments: one line each. A copy of it, kept where whoever can change
//! the archive cannot change it, proves what the archive was.

use std::{
    collections::HashSet,
    fmt,
    fs::File,
    io,
    io::{Read, Seek, Write},
    path::Path,
    slice,
    str::FromStr,
};

use mailweir_mail::Timestamp;

use crate::{
    archive::{private, sync_directory},
    disk::Disk,
    frame::{Seal, Seq},
    hash::{Chain, Hash},
    whole,
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
    let lines: String = roots.iter().map(|root| format!("{root}\n")).collect();
    let Stored { text, has_bad_blocks } = Stored::read(&file)?;
    if has_bad_blocks {
        return replace(list, text, &lines);
    }
    // A line that a crash left unfinished would spoil this one.
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    if whole < text.len() {
        file.set_len(whole as u64)?;
    }
    file.write_all(lines.as_bytes())?;
    file.sync_all()?;
    list.parent().map_or(Ok(()), sync_directory)
}

/// Writes a list anew with what of it can be read: a bad block may take nothing, either. The old one stays beside it.
fn replace(list: &Path, mut text: Vec<u8>, lines: &str) -> io::Result<()> {
    if text.last() != Some(&b'\n') {
        text.push(b'\n');
    }
    text.extend_from_slice(lines.as_bytes());
    whole::replace(list, &text)
}

/// What stands in a list.
struct Stored {
    /// With [`LOST`] for what the disk does not give.
    text: Vec<u8>,
    has_bad_blocks: bool,
}

impl Stored {
    fn read(file: impl Read + Seek) -> io::Result<Self> {
        let (mut disk, mut text) = (Disk::new(file), Vec::new());
        disk.read_to_end(&mut text)?;
        let has_bad_blocks = disk.has_bad_blocks();
        if has_bad_blocks {
            text.dedup_by(|one, other| (*one, *other) == (0, 0));
            text.iter_mut().filter(|byte| **byte == 0).for_each(|byte| *byte = LOST);
        }
        Ok(Self { text, has_bad_blocks })
    }

    fn lines(&self) -> Vec<Result<Root, NoRoot>> {
        let text = String::from_utf8_lossy(&self.text);
        let (whole, unfinished) = text.rsplit_once('\n').unwrap_or(("", &text));
        // There may have been whole ones, if a bad block is there.
        let is_damaged = self.has_bad_blocks && unfinished.contains(char::REPLACEMENT_CHARACTER);
        let unfinished = is_damaged.then_some(unfinished);
        whole.lines().chain(unfinished).map(str::parse).collect()
    }
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

/// Reads a list. Of a line that makes no sense, or stands on a bad block, the error; an unfinished line at the end is
/// left out: a crash made it.
///
/// # Errors
/// The file cannot be read.
pub fn read(list: &Path) -> io::Result<Vec<Result<Root, NoRoot>>> {
    read_opened(File::open(list))
}

/// As [`read`], of a list that was opened.
pub(crate) fn read_opened(
    list: io::Result<impl Read + Seek>,
) -> io::Result<Vec<Result<Root, NoRoot>>> {
    match list {
        Ok(list) => Ok(Stored::read(list)?.lines()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// For bytes that cannot be read, however many: no text has it.
const LOST: u8 = 0xff;

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::disk::tests::Bad;

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

    #[test]
    fn what_stands_on_a_bad_block_is_one_line_that_makes_no_sense() {
        let place = tempfile::tempdir().unwrap();
        let list = place.path().join("roots");
        (1..=50).for_each(|segment| add(&list, &root(segment)).unwrap());
        let whole = fs::read(&list).unwrap();
        let last = whole.len() as u64 / 4_096;
        for (blocks, damaged) in [(vec![0], 0), (vec![1], 1), (vec![last], 2), (vec![0, 1], 0)] {
            let bad = Bad { inner: io::Cursor::new(whole.clone()), blocks: blocks.clone() };
            let lines = read_opened(Ok(bad)).unwrap();
            let places: Vec<_> = lines.iter().map(Result::is_ok).collect();
            assert_eq!(places.iter().filter(|is_ok| !**is_ok).count(), 1, "{blocks:?}");
            let at = places.iter().position(|is_ok| !is_ok).unwrap();
            let expected = [0, lines_before(&whole, 4_096), lines_before(&whole, last * 4_096)];
            assert_eq!(at, expected[damaged], "{blocks:?}");
            assert!((5..50).contains(&(lines.len() - 1)), "the others are read: {blocks:?}");
        }
    }

    fn lines_before(list: &[u8], end: u64) -> usize {
        let end = usize::try_from(end).unwrap();
        list[..end].iter().filter(|byte| **byte == b'\n').count()
    }

    #[test]
    fn behind_a_bad_block_a_list_goes_on_in_another_file() {
        let place = tempfile::tempdir().unwrap();
        let list = place.path().join("roots");
        (1..=50).for_each(|segment| add(&list, &root(segment)).unwrap());
        let whole = fs::read(&list).unwrap();
        let last = whole.len() as u64 / 4_096;
        let bad = Bad { inner: io::Cursor::new(whole.clone()), blocks: vec![last] };
        let stored = Stored::read(bad).unwrap();
        let before = stored.lines();
        assert!(stored.has_bad_blocks && before.last().unwrap().is_err());
        replace(&list, stored.text, &format!("{}\n", root(51))).unwrap();
        let lines = read(&list).unwrap();
        assert_eq!(lines[..before.len()], before, "what was lost is missed still");
        assert_eq!(lines[before.len()..], [Ok(root(51))]);
        assert_eq!(fs::read(list.with_extension("damaged")).unwrap(), whole);
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
