//! Zip archives (PKWARE APPNOTE.TXT), read as everyone reads them at once.
//!
//! One program goes by the headers of the members, the next by the directory at the end, one from
//! the front, one from behind, one skips what is in front and one does not. So each header that
//! stands anywhere counts, and the content behind each header of a member is looked into. Sizes are
//! believed only where nothing else tells the end. Where headers and directory differ, the archive
//! is also `application/x-ambiguous-archive`.

mod contents;
mod extra;
mod header;
mod member;

use contents::Contents;
use header::{Header, Part, Progress, Standing};
use member::Member;

use super::{
    Limit,
    budget::{Heading, View},
    kind::Kind,
};

/// Looks for a zip archive in a stream.
#[derive(Debug)]
pub(super) struct Zip {
    depth: u8,
    /// Whether any byte went past.
    has_begun: bool,
    /// The last bytes, if a signature may have begun with them.
    waiting: Vec<u8>,
    open: Vec<Entry>,
    contents: Contents,
}

/// Something that a signature began.
#[derive(Debug)]
enum Entry {
    Header(Box<Header>),
    Member(Member),
}

impl Zip {
    pub(super) fn new(depth: u8) -> Self {
        let (waiting, open) = (Vec::new(), Vec::new());
        Self { depth, has_begun: false, waiting, open, contents: Contents::default() }
    }

    pub(super) fn feed(&mut self, bytes: &[u8], view: &mut View<'_>) {
        if self.waiting.is_empty() {
            return self.read(bytes, view);
        }
        let mut joined = std::mem::take(&mut self.waiting);
        joined.extend_from_slice(bytes);
        self.read(&joined, view);
    }

    /// There is no more. Says what the archive is, and whether it is one.
    pub(super) fn finish(&mut self, view: &mut View<'_>) -> bool {
        let last = std::mem::take(&mut self.waiting);
        self.hand_on(&last, view);
        let is_cut = self.is_inside();
        for entry in self.open.drain(..) {
            entry.finish(view);
        }
        self.contents.say(is_cut, view)
    }

    pub(super) fn buffered(&self) -> usize {
        let of = |entry: &Entry| match entry {
            Entry::Header(header) => header.buffered(),
            Entry::Member(member) => member.buffered(),
        };
        self.open.iter().map(of).sum()
    }

    /// How many of the next bytes are looked at by the stream of a member, and not here.
    fn covered(&self) -> usize {
        let of = |entry: &Entry| match entry {
            Entry::Header(_) => 0,
            Entry::Member(member) => member.covers(),
        };
        self.open.iter().map(of).max().unwrap_or(0)
    }

    /// Whether deflated data goes past. A header in it is one to some readers; to most it is content
    /// that was not worth packing, and the stream of the member sees it as well.
    fn is_inside(&self) -> bool {
        self.open.iter().any(|entry| matches!(entry, Entry::Member(member) if member.is_deflated()))
    }

    fn read(&mut self, mut bytes: &[u8], view: &mut View<'_>) {
        while !bytes.is_empty() {
            let covered = self.covered().min(bytes.len());
            let found = if covered > 0 { covered } else { signature_in(bytes) };
            let (before, from) = bytes.split_at(found);
            self.hand_on(before, view);
            bytes = from;
            if covered > 0 || bytes.is_empty() || self.covered() > 0 {
                continue;
            }
            if bytes.len() < SIGNATURE {
                self.waiting = bytes.to_vec();
                return;
            }
            self.begin(bytes, view);
            let (signature, rest) = bytes.split_at(SIGNATURE);
            self.hand_on(signature, view);
            bytes = rest;
        }
    }

    /// A signature stands here: a member without a known end has ended, a header begins.
    fn begin(&mut self, from: &[u8], view: &mut View<'_>) {
        if self.open.iter().any(Entry::is_overdue) {
            let all = std::mem::take(&mut self.open);
            let (ended, open): (Vec<_>, _) = all.into_iter().partition(Entry::is_overdue);
            self.open = open;
            ended.into_iter().for_each(|entry| entry.finish(view));
        }
        let Some(part) = Part::begun_by(from) else { return };
        if self.open.len() >= ENTRIES {
            return view.reached(Limit::Overlap);
        }
        let Some(permit) = view.permit_header() else { return };
        let standing = match () {
            () if !self.has_begun => Standing::First,
            () if self.is_inside() => Standing::Inside,
            () => Standing::Behind,
        };
        self.open.push(Entry::Header(Box::new(Header::new(part, standing, permit))));
    }

    fn hand_on(&mut self, bytes: &[u8], view: &mut View<'_>) {
        if bytes.is_empty() {
            return;
        }
        self.has_begun = true;
        for entry in std::mem::take(&mut self.open) {
            let kept = self.hand(entry, bytes, view);
            self.open.extend(kept);
        }
    }

    /// Hands bytes to an entry, and says what is left of it.
    fn hand(&mut self, entry: Entry, bytes: &[u8], view: &mut View<'_>) -> Option<Entry> {
        let mut header = match entry {
            Entry::Member(member) => return member.feed(bytes, view).map(Entry::Member),
            Entry::Header(header) => header,
        };
        match header.feed(bytes) {
            Progress::More => Some(Entry::Header(header)),
            Progress::Nothing => None,
            Progress::Whole(used) => {
                self.note(&header, view);
                let member = Member::behind(&header, self.depth + 1, view)?;
                member.feed(bytes.get(used..)?, view).map(Entry::Member)
            }
        }
    }

    /// A header is complete: its names are said, and the archive is what they make it.
    fn note(&mut self, header: &Header, view: &mut View<'_>) {
        let heading = match (header.standing(), header.part()) {
            (Standing::Inside, _) => Heading::Inside,
            (_, Part::Local) => Heading::Member,
            (_, Part::Central) => Heading::Directory,
        };
        header.names().for_each(|name| view.name(heading, name));
        if header.is_cut() {
            view.reached(Limit::NameLength);
        }
        if self.contents.note(header) {
            view.is(Kind::ENCRYPTED);
        }
    }
}

impl Entry {
    fn is_overdue(&self) -> bool {
        matches!(self, Entry::Member(member) if member.is_overdue())
    }

    fn finish(self, view: &mut View<'_>) {
        if let Entry::Member(member) = self {
            member.finish(view);
        }
    }
}

/// Where the next signature is, or may begin at the end, or how long the bytes are.
fn signature_in(bytes: &[u8]) -> usize {
    let mut places = memchr::memchr_iter(b'P', bytes);
    places.find(|&at| may_be_signature(&bytes[at..])).unwrap_or(bytes.len())
}

/// Whether these bytes begin a header of any sort: of a member, of the directory, of its end, or
/// behind the data of a member.
fn may_be_signature(bytes: &[u8]) -> bool {
    let known = [b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06", b"PK\x06\x06", b"PK\x07\x08"];
    let begin = bytes.get(..SIGNATURE).unwrap_or(bytes);
    known.iter().any(|signature| signature.starts_with(begin))
}

const SIGNATURE: usize = 4;

/// How many headers and members are open at a time in one archive. An honest one has one member,
/// and perhaps something in it that looks like a header.
const ENTRIES: usize = 8;
