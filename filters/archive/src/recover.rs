//! The start: where the archive ends, whatever a crash or a failing disk left there.
//!
//! What was promised ends with a mark. Bytes behind the last mark of the last segment were never promised;
//! they are put aside and cut off, and the segment is sealed. A segment that is damaged before its last mark, or
//! cannot be read everywhere, stays as it is: nothing is written to it, and the next one goes on behind that mark.
//! What was left without a seal before is sealed once the next segment says where it ended (`unsealed`).

mod unsealed;

use std::{
    collections::BTreeSet,
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use mailweir_mail::Timestamp;

use crate::{
    archive::{End, LAST_SEGMENT, OpenError, Places},
    frame::{Brand, Kind, Mark, Seal, SegmentHead, Unread},
    hash::{Chain, Hash},
    keys,
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
    /// The last segment is damaged, or is not there: what was promised may be missing. [`crate::verify`] says what.
    pub damaged: Option<PathBuf>,
    /// The seal of the last segment was damaged. It was written again as the list of roots has it: nothing is
    /// missing.
    pub seal: Option<PathBuf>,
    /// The list of roots, if some of it cannot be read: what was sealed may stand there no longer.
    pub list: Option<PathBuf>,
    /// What could not be released before, if some of that file cannot be read: it may be there still, and nobody tries
    /// again. [`crate::verify`] says what.
    pub unreleased: Option<PathBuf>,
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
    head: Result<SegmentHead, Unread>,
    /// What stands before it was promised.
    mark: Option<(Mark, u64)>,
    seal: Option<Seal>,
    state: State,
    /// Whether they count or not.
    has_records: bool,
    tree: Tree,
}

/// What of a segment can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    /// All of it up to its last mark.
    Whole,
    /// What was promised may be missing.
    Damaged,
    /// As that, and what seems to be missing may be there again.
    Unreadable,
}

/// Nothing is changed in an archive that a newer version has written to.
pub(crate) fn refuse_newer(places: &Places) -> Result<(), OpenError> {
    let numbers = places.numbers().map_err(failed(places.segments()))?;
    for number in numbers.iter().rev().take(LAST_SEGMENTS) {
        let path = places.segment(*number);
        let opened = Scan::open(&path, Look::AtHeads);
        if let (Err(Unread::Newer), _) = opened.map_err(failed(path.clone()))? {
            return Err(OpenError::Newer(path));
        }
    }
    Ok(())
}

/// Those that were written to last: a crash may have come while the last one was begun.
const LAST_SEGMENTS: usize = 2;

fn failed(path: PathBuf) -> impl FnOnce(io::Error) -> OpenError {
    |error| OpenError::Io { path, error }
}

/// Finds where the archive ends.
pub(crate) fn recover(places: &Places, now: Timestamp) -> Result<Recovered, OpenError> {
    let sync = |path: &Path| File::open(path)?.sync_all();
    recover_from(|path| File::open(path), &sync, places, now)
}

fn recover_from<R: Read + Seek>(
    open: impl Fn(&Path) -> io::Result<R>,
    sync: &dyn Fn(&Path) -> io::Result<()>,
    places: &Places,
    now: Timestamp,
) -> Result<Recovered, OpenError> {
    let numbers = places.numbers().map_err(failed(places.segments()))?;
    let listed = roots::read_opened(open(&places.roots())).map_err(failed(places.roots()))?;
    let list = listed.iter().any(Result::is_err).then(|| places.roots());
    let listed: Vec<Root> = listed.into_iter().flatten().collect();
    let gone = gone(places, &numbers, &listed)?;
    let reusable_from = gone.last().map_or(1, |last| last + 1);
    let (left, sealed) = (Left { list, ..Left::default() }, Vec::new());
    let mut start = Start { places, sync, now, listed, reusable_from, left, sealed };
    let mut found = None;
    for number in numbers.iter().rev() {
        let path = places.segment(*number);
        let last = open(&path).and_then(|file| Last::read(*number, file));
        let last = last.map_err(failed(path.clone()))?;
        if last.head == Err(Unread::Newer) {
            return Err(OpenError::Newer(path));
        }
        found = start.close(&last).map_err(failed(path))?;
        if found.is_some() {
            break;
        }
    }
    unsealed::seal(&mut start, &numbers);
    // None has anything that was promised: what was begun is begun again.
    let segment = numbers.first().copied().unwrap_or(1);
    let nothing = End { segment, next: 1, chain: Chain::START, root: Hash::ZERO };
    let end = start.go_on(found.unwrap_or(nothing), &gone);
    let Start { left, sealed, .. } = start;
    Ok(Recovered { end, left, sealed })
}

/// Segments that are not there, though the list has their roots, or their keys are there, or what was put aside of
/// them. No crash does that: a segment is on the disk before anything is of it.
fn gone(places: &Places, numbers: &[u64], listed: &[Root]) -> Result<BTreeSet<u64>, OpenError> {
    let keyed = places.keyed().map_err(failed(places.keys()))?;
    let torn = torn::all(places).map_err(failed(places.all_torn()))?;
    let known = listed.iter().map(|root| root.segment).chain(keyed);
    let known = known.chain(torn.into_iter().map(|torn| torn.segment));
    let is_gone = |number: &u64| numbers.binary_search(number).is_err() && *number < LAST_SEGMENT;
    Ok(known.filter(is_gone).collect())
}

impl Last {
    fn read(number: u64, file: impl Read + Seek) -> io::Result<Self> {
        let (head, mut scan) = Scan::of(file, Look::Everywhere)?;
        let mut last = Self {
            number,
            head,
            mark: None,
            seal: None,
            state: if head.is_ok() { State::Whole } else { State::Damaged },
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
                    last.damaged_if(is_torn);
                    erased.extend(said.drain(..));
                }
                Item::Seal(seal) => {
                    last.damaged_if(is_torn);
                    last.seal = Some(seal);
                }
            }
        }
        let promised = last.mark.map_or(0, |(mark, _)| mark.next);
        last.damaged_if(odd.range(..promised).any(|seq| !erased.contains(seq)));
        if scan.has_bad_blocks() {
            last.state = State::Unreadable;
        }
        Ok(last)
    }

    fn damaged_if(&mut self, it_is: bool) {
        self.state = self.state.max(if it_is { State::Damaged } else { State::Whole });
    }
}

/// A start.
struct Start<'a> {
    places: &'a Places,
    sync: &'a dyn Fn(&Path) -> io::Result<()>,
    now: Timestamp,
    /// The archive's own list of roots.
    listed: Vec<Root>,
    /// No segment before it is begun again: one has something, or had.
    reusable_from: u64,
    left: Left,
    sealed: Vec<Root>,
}

impl Start<'_> {
    /// Where the archive goes on if `end` is where it ends by the segments that are there.
    fn go_on(&mut self, end: End, gone: &BTreeSet<u64>) -> End {
        let Some(first) = gone.range(end.segment..).next() else { return self.reusable(end) };
        self.damaged(*first);
        let listed = self.listed.iter().filter(|root| gone.contains(&root.segment)).map(behind);
        let listed = listed.max_by_key(|listed| listed.next);
        // Its records have no other ones in their place, so that they are missed: holds may be among them.
        self.reusable(listed.filter(|listed| listed.next > end.next).unwrap_or(end))
    }

    const fn reusable(&self, end: End) -> End {
        if end.segment < self.reusable_from {
            End { segment: self.reusable_from, root: Hash::ZERO, ..end }
        } else {
            end
        }
    }

    /// Where the archive ends, if this segment can say it. Puts aside what was never promised, and seals
    /// what is whole.
    ///
    /// | head | mark | seal | the next record is | the next segment is |
    /// |---|---|---|---|---|
    /// | yes | | yes | as the seal says | another one, with its root |
    /// | no | yes | yes | as the mark says, or the list | another one, with its root |
    /// | yes | yes | no | as the mark says, or the list | another one; with its root if all is whole: it is sealed |
    /// | no | yes | no | as the mark says, or the list | another one, without a root |
    /// | yes | no | no | as the head says, or the list | this one, if it never had any record |
    /// | no | no | | for the segment before it to say | this one, if it never had any record |
    fn close(&mut self, last: &Last) -> io::Result<Option<End>> {
        let segment = last.number;
        // If only the process ended, a group or a seal may be in memory alone; and whoever hears that a mail is archived
        // has it no longer.
        if last.mark.is_some() || last.seal.is_some() {
            (self.sync)(&self.places.segment(segment))?;
        }
        match last.state {
            State::Whole => {}
            State::Damaged if last.mark.is_none() => {}
            State::Damaged => self.damaged(segment),
            State::Unreadable => self.leave(segment),
        }
        match (last.head.ok(), last.mark, last.seal) {
            (Some(head), _, Some(seal)) => {
                let root = Root { segment, first: head.first, seal };
                // If not, they stay: keys of nothing.
                let _ = torn::trim_keys(self.places, &root);
                self.note(root)?;
                Ok(Some(behind(&root)))
            }
            (None, Some((mark, _)), Some(seal)) => {
                Ok(Some(End { root: seal.root, ..self.unsealed(segment, mark) }))
            }
            (Some(head), Some((mark, end)), None) if last.state == State::Whole => {
                let (records, root) = (last.tree.leaves(), last.tree.root());
                let seal = Seal { records, root, chain: mark.chain, at: self.now };
                let Some(root) = self.as_listed(Root { segment, first: head.first, seal }) else {
                    // It was sealed, and had something else: whoever looks for that finds it as it is.
                    self.damaged(segment);
                    return Ok(Some(self.unsealed(segment, mark)));
                };
                self.seal(root, head.brand, end)?;
                Ok(Some(behind(&root)))
            }
            (_, Some((mark, _)), None) => Ok(Some(self.unsealed(segment, mark))),
            (head, None, _) => self.begun(last, head),
        }
    }

    /// Where the archive ends if no group of its last segment can be seen.
    fn begun(&mut self, last: &Last, head: Option<SegmentHead>) -> io::Result<Option<End>> {
        if let Some(listed) = self.listed(last.number) {
            // It had some.
            self.leave(last.number);
            return Ok(Some(behind(&listed)));
        }
        match (head, last.state) {
            (None, State::Unreadable) => Ok(None),
            (None, State::Whole | State::Damaged) => self.headless(last).map(|()| None),
            (Some(head), State::Unreadable) => Ok(Some(next_to(last.number, &head))),
            (Some(head), State::Whole | State::Damaged) => self.empty(last.number, &head).map(Some),
        }
    }

    /// It has neither a head nor a group: a crash came while it was begun, or nothing in it can be told.
    fn headless(&mut self, Last { number, has_records, .. }: &Last) -> io::Result<()> {
        let has_something = *has_records
            || keys::are_there(self.places, *number)
            || torn::has_records(self.places, *number)?;
        if has_something {
            self.leave(*number);
            return Ok(());
        }
        self.put_aside(*number, 0)
    }

    /// It has a head and no group.
    fn empty(&mut self, segment: u64, head: &SegmentHead) -> io::Result<End> {
        self.put_aside(segment, SegmentHead::LEN as u64)?;
        let next = next_to(segment, head);
        if torn::has_records(self.places, segment)? {
            return Ok(next);
        }
        // Its keys are of no record.
        keys::remove(self.places, segment)?;
        Ok(End { segment, root: head.root_before, ..next })
    }

    /// Where the archive ends behind a segment that gets no seal. No number is given again that its list of roots
    /// knows.
    fn unsealed(&self, segment: u64, Mark { next, chain }: Mark) -> End {
        match self.listed(segment) {
            Some(listed) if behind(&listed).next > next => behind(&listed),
            _ => End { segment: segment + 1, next, chain, root: Hash::ZERO },
        }
    }

    /// The root of a segment, if it was sealed before: of several, that of the most records.
    fn listed(&self, segment: u64) -> Option<Root> {
        let listed = self.listed.iter().filter(|listed| listed.segment == segment);
        listed.max_by_key(|listed| behind(listed).next).copied()
    }

    /// It has something: neither it nor any before it is begun again.
    fn leave(&mut self, segment: u64) {
        self.damaged(segment);
        self.reusable_from = self.reusable_from.max(segment + 1);
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

/// Where the archive goes on behind a segment that was begun and is left.
const fn next_to(segment: u64, head: &SegmentHead) -> End {
    End { segment: segment + 1, next: head.first, chain: head.chain, root: Hash::ZERO }
}

/// Where the archive goes on behind a sealed segment.
const fn behind(Root { segment, first, seal }: &Root) -> End {
    let next = first.saturating_add(seal.records);
    End { segment: segment.saturating_add(1), next, chain: seal.chain, root: seal.root }
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, fs};

    use tempfile::TempDir;

    use super::*;
    use crate::{About, Archive, Draft, Options, disk::tests::Bad, frame::Head, payload::Packer};

    #[test]
    fn a_segment_with_bad_blocks_is_left_as_it_is() {
        // Behind the last mark; before any mark; at the head.
        for (begin, zeros, bad, next) in
            [(None, 5_000, 1, 3), (Some(108), 5_000, 1, 2), (None, 0, 0, 2)]
        {
            let place = TempDir::new().unwrap();
            let places = Places::new(place.path());
            write(place.path(), "one");
            write(place.path(), "two");
            fs::remove_file(places.roots()).unwrap();
            let path = places.segment(2);
            let mut bytes = fs::read(&path).unwrap();
            bytes.truncate(begin.unwrap_or(bytes.len() - Seal::LEN));
            bytes.extend(vec![0; zeros]);
            fs::write(&path, &bytes).unwrap();
            let found = recover_from(with_bad_block(&path, bad), &SYNC, &places, NOW).unwrap();
            let case = format!("{begin:?} {bad}");
            assert_eq!((found.end.segment, found.end.next), (3, next), "{case}");
            let damaged = Left { damaged: Some(path.clone()), ..Left::default() };
            assert_eq!(found.left, damaged, "{case}");
            assert_eq!(fs::read(&path).unwrap(), bytes, "{case}");
        }
    }

    /// From some byte on, for ever; or all of it, now.
    #[test]
    fn behind_what_cannot_be_read_no_number_is_given_again_that_the_list_knows() {
        for readable in [Some(0), Some(20), Some(SegmentHead::LEN), None] {
            let place = TempDir::new().unwrap();
            let places = Places::new(place.path());
            write(place.path(), "one");
            write(place.path(), "two");
            let path = places.segment(2);
            let mut bytes = fs::read(&path).unwrap();
            let from = readable.unwrap_or(bytes.len());
            bytes[from..].fill(0);
            fs::write(&path, &bytes).unwrap();
            let bad = if readable.is_some() { 9 } else { 0 };
            let found = recover_from(with_bad_block(&path, bad), &SYNC, &places, NOW).unwrap();
            assert_eq!((found.end.segment, found.end.next), (3, 3), "{readable:?}");
            let damaged = Left { damaged: Some(path.clone()), ..Left::default() };
            assert_eq!(found.left, damaged, "{readable:?}");
            assert_eq!(fs::read(&path).unwrap(), bytes, "{readable:?}");
            let root = roots::read(&places.roots()).unwrap().pop().unwrap().unwrap();
            assert_eq!((found.end.chain, found.end.root), (root.seal.chain, root.seal.root));
        }
    }

    #[test]
    fn a_list_of_roots_on_a_bad_block_keeps_no_archive_closed() {
        let place = TempDir::new().unwrap();
        let places = Places::new(place.path());
        write(place.path(), "one");
        write(place.path(), "two");
        let list = places.roots();
        let found = recover_from(with_bad_block(&list, 0), &SYNC, &places, NOW).unwrap();
        assert_eq!((found.end.segment, found.end.next), (3, 3));
        assert_eq!(found.left, Left { list: Some(list), ..Left::default() });
    }

    /// The process was killed before a sync: a start finds what is in memory alone.
    #[test]
    fn nothing_counts_before_it_is_synced() {
        let payload = SegmentHead::LEN + Head::LEN + 3;
        for (has_seal, changed) in
            [(true, None), (false, None), (false, Some(payload)), (true, Some(20))]
        {
            let place = TempDir::new().unwrap();
            let places = Places::new(place.path());
            write(place.path(), "one");
            fs::remove_file(places.roots()).unwrap();
            let path = places.segment(1);
            let mut bytes = fs::read(&path).unwrap();
            bytes.truncate(bytes.len() - if has_seal { 0 } else { Seal::LEN });
            if let Some(at) = changed {
                bytes[at] ^= 1;
            }
            fs::write(&path, &bytes).unwrap();
            let case = format!("{has_seal} {changed:?}");
            let fails = |_: &Path| Err(io::Error::other("the disk fails"));
            let found = recover_from(|path| File::open(path), &fails, &places, NOW);
            assert!(matches!(found, Err(OpenError::Io { path: of, .. }) if of == path), "{case}");
            assert!(!places.roots().exists(), "{case}");
            assert_eq!(fs::read(&path).unwrap(), bytes, "{case}");

            let synced = RefCell::new(Vec::new());
            let sync = |path: &Path| {
                synced.borrow_mut().push(path.to_owned());
                Ok(())
            };
            let found = recover_from(|path| File::open(path), &sync, &places, NOW).unwrap();
            assert_eq!((found.end.next, synced.into_inner()), (2, vec![path]), "{case}");
        }
    }

    const SYNC: fn(&Path) -> io::Result<()> = |_| Ok(());

    fn with_bad_block(of: &Path, block: u64) -> impl Fn(&Path) -> io::Result<Bad> {
        move |path| {
            let blocks = if path == of { vec![block] } else { Vec::new() };
            Ok(Bad { inner: io::Cursor::new(fs::read(path)?), blocks })
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
