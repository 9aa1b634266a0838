//! The start: where the archive ends, whatever a crash or a failing disk left there.
//!
//! What was promised ends with a mark. Bytes behind the last mark of the last segment were never promised;
//! they are put aside and cut off, and the segment is sealed. A segment that is damaged before its last mark, or
//! cannot be read everywhere, stays as it is: nothing is written to it, and the next one goes on behind that mark.

use std::{
    collections::BTreeSet,
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::{DirBuilderExt, FileExt},
    path::{Path, PathBuf},
};

use mailweir_mail::Timestamp;

use crate::{
    archive::{End, Places, private, sync_directory},
    frame::{Kind, Mark, Seal, SegmentHead, Seq},
    hash::{Chain, Hash},
    merkle::Tree,
    roots::{self, Root},
    scan::{Item, Look, Part, Payload, Scan},
};

/// What a start has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// Bytes of a group that was never promised, and the file that has them now.
    pub torn: Option<(u64, PathBuf)>,
    /// The last segment is damaged: what was promised may be missing. [`crate::verify`] says what.
    pub damaged: Option<PathBuf>,
}

/// The last segment.
struct Last {
    number: u64,
    /// Absent if it cannot be read.
    head: Option<SegmentHead>,
    /// What stands before it was promised.
    mark: Option<(Mark, u64)>,
    seal: Option<Seal>,
    is_damaged: bool,
    /// Some of it cannot be read now: what seems to be missing may be there.
    has_bad_blocks: bool,
    tree: Tree,
    size: u64,
}

/// Where the archive ends. Of an error, the file.
pub(crate) fn recover(
    places: &Places,
    now: Timestamp,
) -> Result<(End, Left), (PathBuf, io::Error)> {
    recover_by(Last::read, places, now)
}

fn recover_by(
    read: impl Fn(u64, &Path) -> io::Result<Last>,
    places: &Places,
    now: Timestamp,
) -> Result<(End, Left), (PathBuf, io::Error)> {
    let start = End { segment: 1, next: 1, chain: Chain::START, root: Hash::ZERO };
    let numbers = places.numbers().map_err(|error| (places.segments(), error))?;
    let mut left = Left::default();
    // No segment that has something is begun again.
    let mut free = 1;
    for number in numbers.iter().rev() {
        let path = places.segment(*number);
        let failed = |error| (path.clone(), error);
        let last = read(*number, &path).map_err(failed)?;
        if last.has_bad_blocks {
            free = free.max(number + 1);
        }
        if let Some(end) = last.close(places, now, &mut left).map_err(failed)? {
            return Ok((End { segment: end.segment.max(free), ..end }, left));
        }
    }
    // None has anything that was promised.
    let segment = numbers.last().map_or(1, |last| last + 1);
    Ok((End { segment, ..start }, left))
}

impl Last {
    fn read(number: u64, path: &Path) -> io::Result<Self> {
        let (head, mut scan) = Scan::open(path, Look::Everywhere)?;
        let (head, size) = (head.ok(), scan.size());
        let mut last = Self {
            number,
            head,
            mark: None,
            seal: None,
            is_damaged: head.is_none(),
            has_bad_blocks: false,
            tree: Tree::default(),
            size,
        };
        // What came behind the last mark counts once there is another one.
        let (mut tree, mut is_torn) = (Tree::default(), false);
        // Payloads that are not what was written, and those that may be: they were erased.
        let (mut odd, mut said, mut erased) = (BTreeSet::new(), Vec::new(), BTreeSet::new());
        while let Some(Part { at, item }) = scan.next_part()? {
            match item {
                Item::Record { head, payload } => {
                    tree.push(head.leaf());
                    match payload {
                        Payload::Sound | Payload::Skipped => {
                            said.extend((head.kind == Kind::Erased).then_some(head.about));
                        }
                        Payload::Zeros | Payload::Changed => {
                            odd.insert(head.seq);
                        }
                        Payload::Cut => is_torn = true,
                    }
                }
                Item::Damage { .. } => is_torn = true,
                Item::Mark(mark) => {
                    last.mark = Some((mark, at + Mark::LEN as u64));
                    last.tree = tree.clone();
                    last.is_damaged |= is_torn;
                    erased.extend(said.drain(..));
                }
                Item::Seal(seal) => {
                    last.is_damaged |= is_torn;
                    last.seal = Some(seal);
                }
            }
        }
        let promised = last.mark.map_or(0, |(mark, _)| mark.next);
        last.is_damaged |= odd.range(..promised).any(|seq| !erased.contains(seq));
        last.has_bad_blocks = scan.has_bad_blocks();
        last.is_damaged |= last.has_bad_blocks;
        Ok(last)
    }

    /// Where the archive ends, if this segment can say it. Puts aside what was never promised, and seals
    /// what is whole.
    fn close(self, places: &Places, now: Timestamp, left: &mut Left) -> io::Result<Option<End>> {
        if self.has_bad_blocks || (self.is_damaged && self.mark.is_some()) {
            left.damaged.get_or_insert_with(|| places.segment(self.number));
        }
        let behind = |next: Seq, chain, root| End { segment: self.number + 1, next, chain, root };
        let unsealed = |mark: Mark| behind(mark.next, mark.chain, Hash::ZERO);
        match (self.head, self.mark, self.seal) {
            (Some(head), _, Some(seal)) => {
                let root = Root { segment: self.number, first: head.first, seal };
                note(&places.roots(), &root)?;
                Ok(Some(behind(head.first + seal.records, seal.chain, seal.root)))
            }
            (None, Some((mark, _)), Some(seal)) => {
                Ok(Some(behind(mark.next, seal.chain, seal.root)))
            }
            (None, Some((mark, _)), None) => Ok(Some(unsealed(mark))),
            (Some(_), Some((mark, _)), None) if self.is_damaged => Ok(Some(unsealed(mark))),
            (Some(head), Some((mark, end)), None) => {
                self.put_aside(places, end, left)?;
                let seal = Seal {
                    records: self.tree.leaves(),
                    root: self.tree.root(),
                    chain: mark.chain,
                    at: now,
                };
                let file = OpenOptions::new().write(true).open(places.segment(self.number))?;
                file.write_all_at(&seal.encode(head.brand), end)?;
                file.sync_all()?;
                note(&places.roots(), &Root { segment: self.number, first: head.first, seal })?;
                Ok(Some(behind(mark.next, mark.chain, seal.root)))
            }
            (Some(head), None, None) if self.has_bad_blocks => {
                Ok(Some(behind(head.first, head.chain, Hash::ZERO)))
            }
            (None, None, _) if self.has_bad_blocks => Ok(None),
            (Some(head), None, None) => {
                // Begun, and no group was promised: begun again.
                self.put_aside(places, SegmentHead::LEN as u64, left)?;
                let (next, chain) = (head.first, head.chain);
                Ok(Some(End { segment: self.number, next, chain, root: head.root_before }))
            }
            (None, None, _) => {
                self.put_aside(places, 0, left)?;
                Ok(None)
            }
        }
    }

    /// Cuts off what stands behind `end`, once there is a copy of it.
    fn put_aside(&self, places: &Places, end: u64, left: &mut Left) -> io::Result<()> {
        let bytes = self.size.saturating_sub(end);
        if bytes == 0 {
            return Ok(());
        }
        let (path, copy) = (places.segment(self.number), places.torn(self.number, end));
        if let Some(directory) = copy.parent() {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
            let mut from = File::open(&path)?;
            from.seek(SeekFrom::Start(end))?;
            let mut to = private().write(true).create(true).truncate(true).open(&copy)?;
            io::copy(&mut from.take(bytes), &mut to)?;
            to.flush()?;
            to.sync_all()?;
            sync_directory(directory)?;
        }
        let file = OpenOptions::new().write(true).open(&path)?;
        file.set_len(end)?;
        file.sync_all()?;
        left.torn.get_or_insert((bytes, copy));
        Ok(())
    }
}

/// Adds a root to the list, unless a crash came after that.
fn note(list: &Path, root: &Root) -> io::Result<()> {
    let is_there =
        |known: &Result<Root, _>| known.as_ref().is_ok_and(|known| known.segment == root.segment);
    if roots::read(list)?.iter().any(is_there) { Ok(()) } else { roots::add(list, root) }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::{About, Archive, Draft, Options, payload::Packer};

    #[test]
    fn a_segment_with_bad_blocks_is_left_as_it_is() {
        // Behind the last mark; before any mark; before the end of the head.
        for (len, next) in [(None, 3), (Some(SegmentHead::LEN), 2), (Some(20), 2)] {
            let place = TempDir::new().unwrap();
            let places = Places::new(place.path());
            write(place.path(), "one");
            write(place.path(), "two");
            let path = places.segment(2);
            let mut bytes = fs::read(&path).unwrap();
            match len {
                Some(len) => bytes.truncate(len),
                None => {
                    bytes.truncate(bytes.len() - Seal::LEN);
                    bytes.extend([0; 500]);
                }
            }
            fs::write(&path, &bytes).unwrap();
            let (end, left) = recover_by(with_bad_blocks_in(2), &places, NOW).unwrap();
            assert_eq!((end.segment, end.next), (3, next), "cut at {len:?}");
            let damaged = Left { torn: None, damaged: Some(path.clone()) };
            assert_eq!((left, fs::read(&path).unwrap()), (damaged, bytes), "cut at {len:?}");
        }
    }

    fn with_bad_blocks_in(bad: u64) -> impl Fn(u64, &Path) -> io::Result<Last> {
        move |number, path| {
            let last = Last::read(number, path)?;
            let has_bad_blocks = number == bad;
            Ok(Last { has_bad_blocks, is_damaged: last.is_damaged || has_bad_blocks, ..last })
        }
    }

    /// A segment with one record.
    fn write(directory: &Path, text: &str) {
        let (mut archive, _) = Archive::open(directory, Options::default(), NOW).unwrap();
        let payload = Packer::new().unwrap().pack(text.as_bytes(), b"").unwrap();
        let draft = Draft::new(Kind::Access, About::Nothing, None, payload);
        archive.append(vec![draft], NOW).unwrap();
        archive.seal(NOW).unwrap();
    }

    const NOW: Timestamp = Timestamp::from_secs(1_795_210_205);
}
