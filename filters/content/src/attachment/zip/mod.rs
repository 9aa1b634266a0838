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
    kind::Kind,
    ledger::{Heading, View},
};

/// Looks for a zip archive in a stream.
#[derive(Debug)]
pub(super) struct Zip {
    depth: u8,
    /// Whether any byte went past.
    has_begun: bool,
    /// The last bytes, in which a signature may have begun.
    tail: Vec<u8>,
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
        let (tail, open) = (Vec::new(), Vec::new());
        Self { depth, has_begun: false, tail, open, contents: Contents::default() }
    }

    pub(super) fn feed(&mut self, mut bytes: &[u8], view: &mut View<'_>) {
        self.begin_in_tail(bytes, view);
        let all = bytes;
        while !bytes.is_empty() {
            let covered = self.covered().min(bytes.len());
            let found = if covered > 0 { covered } else { signature_in(bytes) };
            let (before, from) = bytes.split_at(found);
            self.hand_on(before, view);
            bytes = from;
            if covered > 0 || bytes.is_empty() || self.covered() > 0 {
                continue;
            }
            self.begin(bytes, !self.has_begun && bytes.len() == all.len(), view);
            let (signature, rest) = bytes.split_at(SIGNATURE);
            self.hand_on(signature, view);
            bytes = rest;
        }
        self.has_begun |= !all.is_empty();
        self.keep_tail(all);
    }

    /// There is no more. Says what the archive is, and whether it is one.
    pub(super) fn finish(&mut self, view: &mut View<'_>) -> bool {
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

    /// A signature that began in the bytes before.
    fn begin_in_tail(&mut self, bytes: &[u8], view: &mut View<'_>) {
        let mut seam = std::mem::take(&mut self.tail);
        let before = seam.len();
        seam.extend(bytes.iter().take(SIGNATURE - 1));
        if self.covered() > 0 {
            return;
        }
        for at in 0..before {
            if is_signature(&seam[at..]) && self.begin(&seam[at..], false, view) {
                self.hand_to_last(&seam[at..before], view);
            }
        }
    }

    fn keep_tail(&mut self, bytes: &[u8]) {
        if self.covered() == 0 {
            self.tail.extend_from_slice(&bytes[bytes.len().saturating_sub(SIGNATURE - 1)..]);
        }
    }

    /// A signature stands here: a member without a known end has ended. True if a header begins.
    fn begin(&mut self, from: &[u8], is_first: bool, view: &mut View<'_>) -> bool {
        let (ended, open) = std::mem::take(&mut self.open).into_iter().partition(Entry::is_overdue);
        self.open = open;
        for entry in ended {
            entry.finish(view);
        }
        let Some(part) = Part::begun_by(from) else { return false };
        if self.open.len() >= ENTRIES {
            view.reached(Limit::Overlap);
            return false;
        }
        let Some(permit) = view.permit_header() else { return false };
        let standing = match () {
            () if is_first => Standing::First,
            () if self.is_inside() => Standing::Inside,
            () => Standing::Behind,
        };
        self.open.push(Entry::Header(Box::new(Header::new(part, standing, permit))));
        true
    }

    fn hand_on(&mut self, bytes: &[u8], view: &mut View<'_>) {
        if bytes.is_empty() {
            return;
        }
        for entry in std::mem::take(&mut self.open) {
            let kept = self.hand(entry, bytes, view);
            self.open.extend(kept);
        }
    }

    fn hand_to_last(&mut self, bytes: &[u8], view: &mut View<'_>) {
        if let Some(entry) = self.open.pop() {
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
        if header.is_encrypted() && self.contents.note_encrypted() {
            view.is(Kind::ENCRYPTED);
        }
        self.contents.note(header);
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

/// Where the next signature is, or how long the bytes are.
fn signature_in(bytes: &[u8]) -> usize {
    let mut places = memchr::memmem::find_iter(bytes, b"PK");
    places.find(|&at| is_signature(&bytes[at..])).unwrap_or(bytes.len())
}

/// Whether these four bytes or more begin a header of any sort: of a member, of the directory, of
/// its end, or behind the data of a member.
fn is_signature(bytes: &[u8]) -> bool {
    matches!(bytes, [b'P', b'K', 1, 2, ..] | [b'P', b'K', 3, 4, ..])
        || matches!(bytes, [b'P', b'K', 5, 6, ..] | [b'P', b'K', 6, 6, ..] | [b'P', b'K', 7, 8, ..])
}

const SIGNATURE: usize = 4;

/// How many headers and members are open at a time in one archive. An honest one has one member,
/// and perhaps something in it that looks like a header.
const ENTRIES: usize = 8;
