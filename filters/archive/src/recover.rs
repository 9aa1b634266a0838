//! The start: where the archive ends, whatever a crash or a failing disk left there.
//!
//! What was promised ends with a mark. Bytes behind the last mark of the last segment were never promised;
//! they are put aside and cut off, and the segment is sealed. A segment that is damaged before its last mark, or
//! cannot be read everywhere, stays as it is: nothing is written to it, and the next one goes on behind that mark.
//! What was left without a seal before is sealed once the next segment says where it ended (`unsealed`).

mod unsealed;

use std::{
    collections::BTreeSet,
    fs::OpenOptions,
    io::{self, Read, Seek, SeekFrom},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use mailweir_mail::Timestamp;

use crate::{
    archive::{End, Places},
    frame::{Brand, Kind, Mark, Seal, SegmentHead, Seq},
    hash::{Chain, Hash},
    merkle::Tree,
    roots::{self, Root},
    scan::{Item, Look, Part, Payload, Scan},
    torn,
};

/// What a start has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// Bytes of a group that was never promised, and the file that has them now.
    pub torn: Option<(u64, PathBuf)>,
    /// The last segment is damaged: what was promised may be missing. [`crate::verify`] says what.
    pub damaged: Option<PathBuf>,
    /// The seal of the last segment was damaged. It was written again as the list of roots has it: nothing is
    /// missing.
    pub seal: Option<PathBuf>,
}

/// What a start makes of what is there.
pub(crate) struct Recovered {
    /// Where the archive ends.
    pub(crate) end: End,
    pub(crate) left: Left,
    /// Segments that were sealed, and whose roots were listed, at this start.
    pub(crate) sealed: Vec<Root>,
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
    /// Whether they count or not.
    has_records: bool,
    tree: Tree,
}

/// Finds where the archive ends. Of an error, the file.
pub(crate) fn recover(places: &Places, now: Timestamp) -> Result<Recovered, (PathBuf, io::Error)> {
    recover_by(Last::read, places, now)
}

fn recover_by(
    read: impl Fn(u64, &Path) -> io::Result<Last>,
    places: &Places,
    now: Timestamp,
) -> Result<Recovered, (PathBuf, io::Error)> {
    let numbers = places.numbers().map_err(|error| (places.segments(), error))?;
    let listed = roots::read(&places.roots()).map_err(|error| (places.roots(), error))?;
    let listed = listed.into_iter().flatten().collect();
    let (left, sealed) = (Left::default(), Vec::new());
    let mut start = Start { places, now, listed, free: 1, left, sealed };
    let mut found = None;
    for number in numbers.iter().rev() {
        let path = places.segment(*number);
        let failed = |error| (path.clone(), error);
        let last = read(*number, &path).map_err(failed)?;
        if last.has_bad_blocks {
            start.free = start.free.max(number + 1);
        }
        found = start.close(&last).map_err(failed)?;
        if let Some(end) = &mut found {
            if end.segment < start.free {
                (end.segment, end.root) = (start.free, Hash::ZERO);
            }
            break;
        }
    }
    unsealed::seal(&mut start, &numbers);
    // None has anything that was promised.
    let segment = numbers.last().map_or(1, |last| last + 1);
    let nothing = End { segment, next: 1, chain: Chain::START, root: Hash::ZERO };
    let Start { left, sealed, .. } = start;
    Ok(Recovered { end: found.unwrap_or(nothing), left, sealed })
}

impl Last {
    fn read(number: u64, path: &Path) -> io::Result<Self> {
        let (head, mut scan) = Scan::open(path, Look::Everywhere)?;
        let head = head.ok();
        let mut last = Self {
            number,
            head,
            mark: None,
            seal: None,
            is_damaged: head.is_none(),
            has_bad_blocks: false,
            has_records: false,
            tree: Tree::default(),
        };
        // What came behind the last mark counts once there is another one.
        let (mut tree, mut is_torn) = (Tree::default(), false);
        // Payloads that are not what was written, and those that may be: they were erased.
        let (mut odd, mut said, mut erased) = (BTreeSet::new(), Vec::new(), BTreeSet::new());
        while let Some(Part { at, item }) = scan.next_part()? {
            match item {
                Item::Record { head, payload } => {
                    tree.push(head.leaf());
                    last.has_records = true;
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
}

/// A start.
struct Start<'a> {
    places: &'a Places,
    now: Timestamp,
    /// The archive's own list of roots.
    listed: Vec<Root>,
    /// No segment before it is begun again: it has something.
    free: u64,
    left: Left,
    sealed: Vec<Root>,
}

impl Start<'_> {
    /// Where the archive ends, if this segment can say it. Puts aside what was never promised, and seals
    /// what is whole.
    fn close(&mut self, last: &Last) -> io::Result<Option<End>> {
        let segment = last.number;
        if last.has_bad_blocks || (last.is_damaged && last.mark.is_some()) {
            self.damaged(segment);
        }
        let behind = |next: Seq, chain, root| End { segment: segment + 1, next, chain, root };
        let unsealed = |mark: Mark| behind(mark.next, mark.chain, Hash::ZERO);
        match (last.head, last.mark, last.seal) {
            (Some(head), _, Some(seal)) => {
                let root = Root { segment, first: head.first, seal };
                // If not, they stay: keys of nothing.
                let _ = torn::trim_keys(self.places, &root);
                self.note(root)?;
                Ok(Some(behind(head.first + seal.records, seal.chain, seal.root)))
            }
            (None, Some((mark, _)), Some(seal)) => {
                Ok(Some(behind(mark.next, seal.chain, seal.root)))
            }
            (None, Some((mark, _)), None) => Ok(Some(unsealed(mark))),
            (Some(_), Some((mark, _)), None) if last.is_damaged => Ok(Some(unsealed(mark))),
            (Some(head), Some((mark, end)), None) => {
                let (records, root) = (last.tree.leaves(), last.tree.root());
                let seal = Seal { records, root, chain: mark.chain, at: self.now };
                let Some(root) = self.as_listed(Root { segment, first: head.first, seal }) else {
                    // It was sealed, and had something else: whoever looks for that finds it as it is.
                    self.damaged(segment);
                    return Ok(Some(unsealed(mark)));
                };
                self.seal(root, head.brand, end)?;
                Ok(Some(behind(mark.next, mark.chain, root.seal.root)))
            }
            (Some(head), None, None) if last.has_bad_blocks => {
                Ok(Some(behind(head.first, head.chain, Hash::ZERO)))
            }
            (None, None, _) if last.has_bad_blocks => Ok(None),
            (Some(head), None, None) => {
                self.put_aside(segment, SegmentHead::LEN as u64)?;
                let (next, chain) = (head.first, head.chain);
                // With keys of its own, in the place of those that it had.
                let again = End { segment, next, chain, root: head.root_before };
                let is_kept = torn::has_records(self.places, segment)?;
                Ok(Some(if is_kept { behind(next, chain, Hash::ZERO) } else { again }))
            }
            (None, None, _) if last.has_records || torn::has_records(self.places, segment)? => {
                self.damaged(segment);
                self.free = self.free.max(segment + 1);
                Ok(None)
            }
            (None, None, _) => {
                self.put_aside(segment, 0)?;
                Ok(None)
            }
        }
    }

    fn damaged(&mut self, segment: u64) {
        self.left.damaged.get_or_insert_with(|| self.places.segment(segment));
    }

    /// A root as the list has it, if it has it: then it was sealed before. `None`: the list says something else.
    fn as_listed(&self, root: Root) -> Option<Root> {
        let is_it = |listed: &Root| {
            let seal = Seal { at: root.seal.at, ..listed.seal };
            Root { seal, ..*listed } == root
        };
        let mut listed = self.listed.iter().filter(|listed| listed.segment == root.segment);
        let Some(first) = listed.next() else { return Some(root) };
        (is_it(first) && listed.all(is_it)).then_some(*first)
    }

    /// Seals a segment behind its last mark, which ends at `end`.
    fn seal(&mut self, root: Root, brand: Brand, end: u64) -> io::Result<()> {
        let Root { segment, seal, .. } = root;
        let path = self.places.segment(segment);
        let was_listed = self.listed.contains(&root);
        let (encoded, mut old) = (seal.encode(brand), Vec::new());
        let mut file = OpenOptions::new().read(true).write(true).open(&path)?;
        file.seek(SeekFrom::Start(end))?;
        (&file).take(Seal::LEN as u64 + 1).read_to_end(&mut old)?;
        let was_seal = old == encoded || was_listed && old.len() <= Seal::LEN;
        if !was_seal {
            self.put_aside(segment, end)?;
        }
        // Written and synced also where it is: a sync before may have failed.
        file.write_all_at(&encoded, end)?;
        file.sync_all()?;
        // If not, they stay: keys of nothing.
        let _ = torn::trim_keys(self.places, &root);
        if was_listed {
            self.left.seal.get_or_insert(path);
        }
        self.note(root)
    }

    /// Cuts off what stands behind `end`, once there is a copy of it.
    fn put_aside(&mut self, segment: u64, end: u64) -> io::Result<()> {
        if let Some(torn) = torn::put_aside(self.places, segment, end)? {
            self.left.torn.get_or_insert(torn);
        }
        Ok(())
    }

    /// Adds a root to the list, unless a crash came after that.
    fn note(&mut self, root: Root) -> io::Result<()> {
        if self.listed.iter().any(|listed| listed.segment == root.segment) {
            return Ok(());
        }
        roots::add(&self.places.roots(), &root)?;
        self.listed.push(root);
        self.sealed.push(root);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

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
            let found = recover_by(with_bad_blocks_in(2), &places, NOW).unwrap();
            assert_eq!((found.end.segment, found.end.next), (3, next), "cut at {len:?}");
            let damaged = Left { damaged: Some(path.clone()), ..Left::default() };
            assert_eq!(found.left, damaged, "cut at {len:?}");
            assert_eq!(fs::read(&path).unwrap(), bytes, "cut at {len:?}");
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
