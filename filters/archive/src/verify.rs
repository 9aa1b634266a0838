//! Whether the archive is what was written: read from its first byte to its last, without the program that
//! wrote it, and compared with lists of roots.
//!
//! What is found is shown with its place, and the rest is read on. Nothing is changed.

mod erasures;
mod finding;
mod numbers;

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

use mailweir_mail::Timestamp;

use self::erasures::{Erasures, Key};
pub use self::finding::{Finding, What};
use crate::{
    archive::{Place, Places},
    frame::{Head, Mark, Packing, Seal, SegmentHead, Seq, Unread},
    hash::{Chain, Hash},
    keys::{MasterKeys, Slot, Slots, Wrapping},
    merkle::Tree,
    roots::{self, NoRoot, Root},
    scan::{Item, Look, Part, Payload, Scan},
};

/// What was read, and what is wrong with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Segments that are there.
    pub segments: u64,
    /// Records that can be read.
    pub records: u64,
    /// Those of them whose payloads were erased, and which say so.
    pub erased: u64,
    /// Bytes that were read.
    pub bytes: u64,
    /// The number of the last record.
    pub last: Seq,
    /// What is wrong, in the order of places.
    pub findings: Vec<Finding>,
    /// Bytes behind the last group: it is being written at this moment, or never was to its end. They
    /// were never promised.
    pub torn: u64,
}

impl Report {
    /// Whether everything is what was written.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }
}

/// What the archive is compared with, besides its own list of roots.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known<'a> {
    /// Roots that were kept elsewhere.
    pub roots: &'a [Root],
    /// The number of a record that is known to have been written.
    pub last: Seq,
    /// What is asked of the keys of encrypted records.
    pub keys: Keys<'a>,
}

/// What is asked of the keys of encrypted records.
#[derive(Clone, Copy, Debug, Default)]
pub enum Keys<'a> {
    /// Each record has one.
    #[default]
    There,
    /// Each record has one, and it can be read with these.
    Fit(&'a MasterKeys),
    /// Nothing: whoever verifies has a copy of the archive that was made without them.
    NotAsked,
}

/// Reads the whole archive. `progress` is told how many of all bytes were read.
///
/// # Errors
/// The disk failed.
pub fn verify(
    places: &Places,
    known: Known<'_>,
    progress: &mut dyn FnMut(u64, u64),
) -> io::Result<Report> {
    // Read first: what is sealed meanwhile is in no list yet.
    let listed = roots::read(&places.roots())?;
    let numbers = places.numbers()?;
    let size = |number: &u64| std::fs::metadata(places.segment(*number)).map(|it| it.len());
    let total: u64 = numbers.iter().map(size).sum::<io::Result<u64>>()?;
    let mut check = Check { asked: known.keys, ..Check::default() };
    let last = numbers.last().copied();
    for number in numbers {
        check
            .segment((number, Some(number) == last), places, &mut |bytes| progress(bytes, total))?;
    }
    check.lists(&listed, known.roots);
    check.unlisted(places)?;
    check.erasures(places)?;
    Ok(check.finish(known.last))
}

/// What is known while the archive is read.
#[derive(Default)]
struct Check<'a> {
    report: Report,
    asked: Keys<'a>,
    /// Where the archive ends so far.
    end: Option<Ended>,
    erasures: Erasures,
    /// By number.
    segments: BTreeMap<u64, Closing>,
}

/// What a segment has at its end.
enum Closing {
    Seal(Root),
    /// No seal. What it would say by the records, but for the time; `None`: not all of them can be read.
    Records(Option<Root>),
}

/// How a segment ended.
struct Ended {
    segment: u64,
    next: Seq,
    chain: Chain,
    seal: Option<Seal>,
    /// What a seal would say, but for the time, if all up to the last mark can be read.
    by_records: Option<Seal>,
    marks: Marks,
    /// Bytes behind its last mark.
    torn: u64,
    /// A list has its root.
    is_listed: bool,
    /// What is wrong, as far as it counts: that is for the next segment to say.
    findings: Vec<Finding>,
}

/// The beginning of a segment and its marks: the number of the next record there, with the chain, and the
/// first byte behind it.
type Marks = BTreeMap<Seq, (Chain, u64)>;

/// A segment that is being read.
struct Reading {
    segment: u64,
    slots: KeysOf,
    first: Seq,
    next: Seq,
    chain: Chain,
    tree: Tree,
    seal: Option<Seal>,
    marks: Marks,
    /// Bytes were lost, so the chain is not known until the next mark, nor the tree until the end.
    is_chain_lost: bool,
    is_tree_lost: bool,
    /// What a seal would say at the last mark, but for the time.
    by_records: Option<Seal>,
    /// The end of the last mark.
    marked: u64,
    findings: Vec<Finding>,
}

impl Check<'_> {
    fn segment(
        &mut self,
        (number, is_last): (u64, bool),
        places: &Places,
        progress: &mut dyn FnMut(u64),
    ) -> io::Result<()> {
        let (head, mut scan) = Scan::open(&places.segment(number), Look::Everywhere)?;
        let before = self.end.take();
        if head.is_err() && is_last && scan.size() <= SegmentHead::LEN as u64 {
            // It was begun, and no more.
            self.report.torn = scan.size();
            self.end = before;
            return Ok(());
        }
        let mut reading = self.begin(number, head, before);
        reading.slots = match self.asked {
            Keys::NotAsked => KeysOf::Unknown,
            Keys::There | Keys::Fit(_) => KeysOf::of(places, number)?,
        };
        let done = self.report.bytes;
        let mut said = 0;
        while let Some(part) = scan.next_part()? {
            self.part(&mut reading, part)?;
            if scan.position() - said >= STEP {
                said = scan.position();
                progress(done + said);
            }
        }
        self.report.segments += 1;
        self.report.bytes = done + scan.size();
        progress(self.report.bytes);
        let first = reading.first;
        let end = reading.end(scan.size());
        let root = |seal| Root { segment: number, first, seal };
        let by_records = || Closing::Records(end.by_records.map(root));
        let closing = end.seal.map_or_else(by_records, |seal| Closing::Seal(root(seal)));
        self.segments.insert(number, closing);
        self.end = Some(end);
        Ok(())
    }

    /// Compares the head of a segment with the end of the one before it.
    fn begin(
        &mut self,
        segment: u64,
        head: Result<SegmentHead, Unread>,
        before: Option<Ended>,
    ) -> Reading {
        let expected = before.as_ref().map_or(1, |before| before.segment + 1);
        if expected < segment {
            self.find(expected, None, What::NoSegment { last: segment - 1 });
        }
        let mut next = before.as_ref().map_or(1, |before| before.next);
        let mut chain = before.as_ref().map_or(Chain::START, |before| before.chain);
        match head {
            Ok(head) => {
                if head.number != segment {
                    self.find(segment, Some(0), What::NotBound);
                }
                self.follow(segment, &head, before, expected == segment);
                (next, chain) = (head.first, head.chain);
            }
            Err(why) => {
                self.find(segment, Some(0), What::Head(why));
                self.report.findings.extend(before.into_iter().flat_map(|before| before.findings));
            }
        }
        let marked = SegmentHead::LEN as u64;
        Reading {
            segment,
            slots: KeysOf::Unknown,
            first: next,
            next,
            chain,
            tree: Tree::default(),
            seal: None,
            marks: Marks::from([(next, (chain, marked))]),
            is_chain_lost: false,
            is_tree_lost: false,
            by_records: None,
            marked,
            findings: Vec::new(),
        }
    }

    fn follow(&mut self, segment: u64, head: &SegmentHead, before: Option<Ended>, is_next: bool) {
        let Some(before) = before else {
            if is_next && (head.first, head.chain) != (1, Chain::START) {
                self.find(segment, Some(0), What::NotBound);
            }
            return;
        };
        if head.first > before.next {
            let missing = What::Missing { first: before.next, last: head.first - 1 };
            self.find(before.segment, None, missing);
        }
        let root = before.seal.map_or(Hash::ZERO, |seal| seal.root);
        let goes_on = before.marks.get(&head.first).filter(|(chain, _)| *chain == head.chain);
        let uncounted = goes_on.filter(|_| is_next).and_then(|_| before.behind(head.first));
        match (is_next, before.seal) {
            // Where the one before it ends, nobody can tell.
            (false, _) => {}
            (true, None) if head.root_before != Hash::ZERO => {
                self.find(before.segment, None, What::NotSealed);
            }
            // It has no root of a segment that was sealed later: the chain binds it.
            (true, _) if ![root, Hash::ZERO].contains(&head.root_before) || goes_on.is_none() => {
                self.find(segment, Some(0), What::NotBound);
            }
            (true, _) => {}
        }
        // Of a segment that could not be written to any more, what stands behind the place where the next
        // one goes on was never promised.
        let end = goes_on.filter(|_| before.seal.is_none()).map_or(u64::MAX, |(_, end)| *end);
        self.erasures.settle(|place| (place.segment, place.at) < (before.segment, end));
        let counts = |found: &Finding| found.at.is_none_or(|at| at < end);
        self.report.findings.extend(before.findings.into_iter().filter(counts));
        self.report.findings.extend(uncounted);
    }

    fn part(&mut self, reading: &mut Reading, Part { at, item }: Part) -> io::Result<()> {
        if reading.seal.is_some() {
            reading.find(at, What::BehindSeal);
            return Ok(());
        }
        match item {
            Item::Record { head, payload } => {
                let key = self.key(reading, &head, payload)?;
                self.record(reading, at, (&head, payload, key));
            }
            Item::Mark(mark) => reading.mark(at, mark),
            Item::Seal(seal) => reading.sealed(at, seal),
            Item::Damage { bytes, why } => {
                reading.find(at, What::Unreadable { bytes, why });
                reading.lose();
            }
        }
        Ok(())
    }

    /// Whether an encrypted record has a key. That it is its own can be seen only with the key file.
    fn key(&mut self, reading: &mut Reading, head: &Head, payload: Payload) -> io::Result<Key> {
        if head.packing == Packing::Zstd {
            return Ok(Key::NotAsked);
        }
        let segment = reading.segment;
        let masters = match self.asked {
            Keys::Fit(masters) => Some(masters),
            Keys::There | Keys::NotAsked => None,
        };
        let (slots, is_first) = match &mut reading.slots {
            KeysOf::Unknown => return Ok(Key::NotAsked),
            KeysOf::None { why, is_said } => {
                return Ok(match (payload, why) {
                    (Payload::Zeros, NoKeys::Missing) => Key::NotAsked,
                    (Payload::Zeros, NoKeys::Unreadable) => Key::Lost,
                    (_, why) => {
                        if !std::mem::replace(is_said, true) {
                            self.find(segment, None, why.said());
                        }
                        Key::NotAsked
                    }
                });
            }
            KeysOf::There { slots, is_asked } => (slots, !std::mem::replace(is_asked, true)),
        };
        let has = |id| masters.is_none_or(|masters| masters.has(id));
        let key = match (slots.of(head.seq, SLOTS)?, masters) {
            (Slot::Whole(wrapped), Some(masters)) if slots.master().is_none_or(has) => {
                match masters.unwrap(&wrapped, Wrapping { segment, seq: head.seq }) {
                    Some(_) => Key::There,
                    None => Key::Lost,
                }
            }
            (Slot::Whole(_), _) => Key::There,
            (Slot::Destroyed | Slot::Missing, _) => Key::Gone,
            (Slot::Damaged, _) => Key::Lost,
        };
        let wrong = match slots.master() {
            None => Some(What::KeysHead),
            Some(id) => (!has(id)).then_some(What::OtherKey { id }),
        };
        if let Some(what) = wrong.filter(|_| is_first) {
            self.find(segment, None, what);
        }
        Ok(key)
    }

    fn record(
        &mut self,
        reading: &mut Reading,
        at: u64,
        (head, payload, key): (&Head, Payload, Key),
    ) {
        self.report.records += 1;
        reading.record(at, head);
        self.erasures.record(head, payload, key, Place { segment: reading.segment, at });
        if payload == Payload::Cut {
            reading.find(at, What::Cut { seq: head.seq });
        }
    }

    /// Compares the seals with the archive's own list, and with others.
    fn lists(&mut self, own: &[Result<Root, NoRoot>], others: &[Root]) {
        let mut roots = others.to_vec();
        for line in own {
            match line {
                Ok(root) => roots.push(*root),
                Err(line) => self.find(0, None, What::List(line.to_string())),
            }
        }
        let mut said = BTreeSet::new();
        for root in roots {
            if let Some(end) = self.end.as_mut().filter(|end| end.segment == root.segment) {
                end.is_listed = true;
            }
            let wrong = self.compare(&root);
            if wrong.is_some() && said.insert((root.segment, root.seal.root)) {
                wrong.into_iter().for_each(|what| self.find(root.segment, None, what));
            }
        }
    }

    /// What is wrong with a segment that a list has.
    fn compare(&self, root: &Root) -> Option<What> {
        let listed = root.seal.root;
        match self.segments.get(&root.segment) {
            Some(Closing::Seal(found)) if found == root => None,
            Some(Closing::Seal(found)) => Some(What::Root { listed, found: Some(found.seal.root) }),
            Some(Closing::Records(found)) => {
                let seal = Seal { at: NEVER, ..root.seal };
                let is_whole = *found == Some(Root { seal, ..*root });
                Some(What::SealLost { listed, is_whole })
            }
            None => Some(What::Root { listed, found: None }),
        }
    }

    /// Looks for sealed segments that are in no list.
    fn unlisted(&mut self, places: &Places) -> io::Result<()> {
        let listed = roots::read(&places.roots())?.into_iter().flatten();
        let listed: BTreeSet<u64> = listed.map(|root| root.segment).collect();
        let sealed = self.segments.iter().filter(|(_, it)| matches!(it, Closing::Seal(_)));
        let unlisted = sealed.map(|(segment, _)| *segment).filter(|it| !listed.contains(it));
        for segment in unlisted.collect::<Vec<_>>() {
            self.find(segment, None, What::NotListed);
        }
        Ok(())
    }

    /// Says which payloads were erased, and which were not.
    fn erasures(&mut self, places: &Places) -> io::Result<()> {
        let mut erasures = std::mem::take(&mut self.erasures);
        let next = self.end.as_ref().map_or(1, |end| end.next);
        if let Some(end) = &self.end {
            let counts = |place: &Place| place.segment != end.segment || end.counts(place.at);
            erasures.settle(counts);
        }
        let (erased, findings) = erasures.finish(places, next)?;
        self.report.erased += erased;
        self.report.findings.extend(findings);
        Ok(())
    }

    fn finish(mut self, known: Seq) -> Report {
        let (mut next, mut segment) = (1, 1);
        if let Some(end) = self.end.take() {
            (next, segment) = (end.next, end.segment);
            self.report.torn += end.open_from().map_or(0, |_| end.torn);
            let counts = |found: &&Finding| found.at.is_none_or(|at| end.counts(at));
            self.report.findings.extend(end.findings.iter().filter(counts).cloned());
        }
        self.report.last = next - 1;
        if known >= next {
            self.find(segment, None, What::Missing { first: next, last: known });
        }
        self.report.findings.sort_by_key(|finding| (finding.segment, finding.at));
        self.report
    }

    fn find(&mut self, segment: u64, at: Option<u64>, what: What) {
        self.report.findings.push(Finding { segment, at, what });
    }
}

/// The keys of the records of a segment.
enum KeysOf {
    /// They are not asked for.
    Unknown,
    None {
        why: NoKeys,
        /// Once is enough.
        is_said: bool,
    },
    There {
        slots: Slots,
        /// Whether a record was looked for in them.
        is_asked: bool,
    },
}

/// Why a segment has none.
#[derive(Clone, Copy)]
enum NoKeys {
    /// There is no file. What is erased needs none.
    Missing,
    /// Nobody can tell whose a slot is, or could have destroyed one.
    Unreadable,
    /// This version does not know what they are.
    Newer,
}

impl NoKeys {
    const fn said(self) -> What {
        match self {
            Self::Missing | Self::Unreadable => What::NoKeys,
            Self::Newer => What::NewerKeys,
        }
    }
}

impl KeysOf {
    fn of(places: &Places, segment: u64) -> io::Result<Self> {
        let none = |why| Self::None { why, is_said: false };
        Ok(match Slots::open(places, segment)? {
            None => none(NoKeys::Missing),
            Some(Err(Unread::Damaged)) => none(NoKeys::Unreadable),
            Some(Err(Unread::Newer)) => none(NoKeys::Newer),
            Some(Ok(slots)) => Self::There { slots, is_asked: false },
        })
    }
}

impl Reading {
    fn find(&mut self, at: u64, what: What) {
        self.findings.push(Finding { segment: self.segment, at: Some(at), what });
    }

    /// Something is not there.
    const fn lose(&mut self) {
        (self.is_chain_lost, self.is_tree_lost) = (true, true);
    }

    fn record(&mut self, at: u64, head: &Head) {
        if head.seq < self.next {
            self.find(at, What::Misplaced { seq: head.seq });
        } else if head.seq > self.next {
            self.find(at, What::Missing { first: self.next, last: head.seq - 1 });
        }
        if head.seq != self.next {
            self.lose();
        }
        self.next = self.next.max(head.seq.saturating_add(1));
        let leaf = head.leaf();
        self.chain = self.chain.then(leaf);
        self.tree.push(leaf);
    }

    fn mark(&mut self, at: u64, mark: Mark) {
        if mark.next > self.next {
            self.find(at, What::Missing { first: self.next, last: mark.next - 1 });
            self.lose();
        }
        if !self.is_chain_lost && (mark.next, mark.chain) != (self.next, self.chain) {
            self.find(at, What::NotChained { before: mark.next.saturating_sub(1) });
        }
        (self.next, self.chain, self.is_chain_lost) = (mark.next, mark.chain, false);
        let (records, root) = (self.tree.leaves(), self.tree.root());
        let seal = Seal { records, root, chain: mark.chain, at: NEVER };
        self.by_records = (!self.is_tree_lost).then_some(seal);
        self.marked = at + Mark::LEN as u64;
        self.marks.insert(mark.next, (mark.chain, self.marked));
    }

    fn sealed(&mut self, at: u64, seal: Seal) {
        let tree = (self.tree.leaves(), self.tree.root());
        let fits = self.is_tree_lost || tree == (seal.records, seal.root);
        if !fits || seal.chain != self.chain {
            self.find(at, What::Seal);
        }
        self.seal = Some(seal);
        self.marked = at + Seal::LEN as u64;
    }

    fn end(mut self, size: u64) -> Ended {
        let torn = size.saturating_sub(self.marked);
        // What no mark stands behind does not count.
        if let (None, Some((next, (chain, _)))) = (self.seal, self.marks.last_key_value()) {
            (self.next, self.chain) = (*next, *chain);
        }
        let Self { segment, next, chain, seal, by_records, marks, findings, .. } = self;
        Ended { segment, next, chain, seal, by_records, marks, torn, is_listed: false, findings }
    }
}

impl Ended {
    /// What stands behind the place where the next segment goes on with this number, and was promised.
    ///
    /// No more than one group is written behind what counts, the one whose sync failed. That is cut off, or put aside by a
    /// start: but not where nothing before it counts, so nobody can tell whether such a group was promised.
    fn behind(&self, next: Seq) -> Option<Finding> {
        let (_, at) = self.marks.get(&next)?;
        let mut behind = self.marks.range(next + 1..).map(|(seq, _)| seq);
        let last = behind.next_back()?;
        let is_first = self.marks.first_key_value().is_some_and(|(first, _)| *first == next);
        let was_promised = is_first || behind.next().is_some();
        let what = What::NotCounted { first: next, last: last - 1 };
        was_promised.then_some(Finding { segment: self.segment, at: Some(*at), what })
    }

    /// Of what never was sealed, the first byte behind the last mark: from there on nothing counts.
    fn open_from(&self) -> Option<u64> {
        let was_sealed = self.is_listed || self.seal.is_some();
        let marked = self.marks.last_key_value().map_or(0, |(_, (_, end))| *end);
        (!was_sealed).then_some(marked)
    }

    /// Whether what stands at a byte of it counts.
    fn counts(&self, at: u64) -> bool {
        self.open_from().is_none_or(|open| at < open)
    }
}

/// The time of a seal that was never made.
const NEVER: Timestamp = Timestamp::from_micros(0);

/// Keys that are looked at together.
const SLOTS: usize = 1_024;

/// Bytes after which progress is told.
const STEP: u64 = 8 << 20;
