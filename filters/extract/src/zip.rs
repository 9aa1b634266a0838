//! Zip archives (PKWARE APPNOTE.TXT) as office programs read them: by the directory at the end. Where
//! there is none, or it is damaged, by the headers of the members.
//!
//! What an archive may be to other readers of the world is the matter of
//! `mailweir_content::attachment`; here the text of documents is looked for. Sizes and places that
//! an archive claims are cut to what is there.

use std::borrow::Cow;
use std::collections::BTreeSet;

use mailweir_content::decode::visible;

use crate::file::{self, Blob};
use crate::harvest::{Harvest, LONGEST_NAME};
use crate::mail::fallbacks;
use crate::unpack::{Form, inflate};
use crate::{File, Reason};

/// An archive whose members are known.
pub(crate) struct Archive<'a> {
    bytes: &'a [u8],
    members: Vec<Member>,
}

/// A file in an archive.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    /// With its folders.
    pub(crate) name: String,
    flags: u16,
    method: u16,
    packed: u64,
    size: u64,
    /// Where its header is.
    header: usize,
}

impl<'a> Archive<'a> {
    /// Reads the names of the members.
    pub(crate) fn open(bytes: &'a [u8], harvest: &mut Harvest<'_>) -> Self {
        let most = harvest.limits().files;
        let mut members = directory(bytes).map_or_else(Vec::new, |at| listed(bytes, at, most));
        if members.is_empty() && bytes.starts_with(LOCAL) {
            members = found(bytes, most);
            harvest.mark(Reason::Damaged);
        }
        if members.len() > most {
            members.truncate(most);
            harvest.mark(Reason::TooLarge);
        }
        harvest.work(members.len().saturating_mul(HEADER));
        Self { bytes, members }
    }

    /// The members in the order of the archive.
    pub(crate) fn members(&self) -> &[Member] {
        &self.members
    }

    /// The bytes of a member; `None` if it takes a password, or is packed in a way that is not undone
    /// here. What is missing is marked.
    pub(crate) fn unpack(
        &self,
        member: &Member,
        harvest: &mut Harvest<'_>,
    ) -> Option<Cow<'a, [u8]>> {
        if member.is_encrypted() {
            harvest.mark(Reason::Encrypted);
            return None;
        }
        let data = self.data(member);
        let claimed = usize::try_from(member.packed).unwrap_or(usize::MAX);
        let Some(data) = data else {
            harvest.mark(Reason::Damaged);
            return None;
        };
        let packed = data.get(..claimed).unwrap_or_else(|| {
            harvest.mark(Reason::Damaged);
            data
        });
        match member.method {
            0 => {
                let most = harvest.unpack_room();
                if packed.len() > most {
                    harvest.mark(Reason::TooLarge);
                }
                let stored = packed.get(..most).unwrap_or(packed);
                harvest.unpacked(stored.len());
                Some(Cow::Borrowed(stored))
            }
            8 => Some(Cow::Owned(inflate(packed, Form::Bare, harvest))),
            _ => {
                harvest.mark(Reason::Unsupported);
                None
            }
        }
    }

    /// Names all members and reads the text in them.
    pub(crate) fn read_all(&self, harvest: &mut Harvest<'_>) {
        for member in self.members.iter().filter(|member| !member.name.ends_with('/')) {
            if !harvest.work(HEADER) {
                return;
            }
            self.read(member, harvest);
        }
    }

    /// Names a member and reads the text in it.
    pub(crate) fn read(&self, member: &Member, harvest: &mut Harvest<'_>) {
        let (name, size) = (member.name.clone(), member.size);
        if member.is_encrypted() || !matches!(member.method, 0 | 8) {
            let reason =
                if member.is_encrypted() { Reason::Encrypted } else { Reason::Unsupported };
            harvest.mark_inside(&name, reason);
            harvest.file(File { name, size, ..File::default() });
            return;
        }
        // What is marked while it is unpacked is said of the member.
        let at = harvest.path_len();
        harvest.enter(&name);
        let bytes = self.unpack(member, harvest);
        harvest.leave(at);
        let Some(bytes) = bytes else {
            harvest.file(File { name, size, ..File::default() });
            return;
        };
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        file::read(File { name, size, ..File::default() }, &Blob::new(&bytes), harvest);
    }

    /// What stands behind the header of a member.
    fn data(&self, member: &Member) -> Option<&'a [u8]> {
        let header = self.bytes.get(member.header..)?;
        if !header.starts_with(LOCAL) {
            return None;
        }
        let length = 30 + usize::from(word(header, 26)?) + usize::from(word(header, 28)?);
        header.get(length..)
    }
}

impl Member {
    /// Bit 0: takes a password. Method 99: by AES.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.flags & 1 != 0 || self.method == 99
    }

    /// A header of the directory, and how long it is.
    fn listed(header: &[u8], in_front: usize) -> Option<(Self, usize)> {
        let (name_length, extra_length) =
            (usize::from(word(header, 28)?), usize::from(word(header, 30)?));
        let name = header.get(46..46 + name_length)?;
        let extra = header.get(46 + name_length..)?;
        let extra = extra.get(..extra_length).unwrap_or(extra);
        let (packed, size, at) = (long(header, 20)?, long(header, 24)?, long(header, 42)?);
        let [size, packed, at] = wide([size, packed, at], extra);
        let flags = word(header, 8)?;
        let member = Self {
            name: name_of(name, extra, flags),
            flags,
            method: word(header, 10)?,
            packed,
            size,
            header: usize::try_from(at).ok()?.saturating_add(in_front),
        };
        let comment = usize::from(word(header, 32)?);
        Some((member, 46 + name_length + extra_length + comment))
    }

    /// A header in front of a member, and where its data would end.
    fn local(bytes: &[u8], at: usize) -> Option<(Self, usize)> {
        let header = bytes.get(at..)?;
        let (name_length, extra_length) =
            (usize::from(word(header, 26)?), usize::from(word(header, 28)?));
        let name = header.get(30..30 + name_length)?;
        let extra = header.get(30 + name_length..30 + name_length + extra_length)?;
        let flags = word(header, 6)?;
        let (packed, size) = (long(header, 18)?, long(header, 22)?);
        let data = at + 30 + name_length + extra_length;
        let end = data.saturating_add(usize::try_from(packed).ok()?);
        // Sizes of 0 in front of data of some size: it goes to wherever it ends.
        let packed = if flags & 8 != 0 { u64::try_from(bytes.len() - data).ok()? } else { packed };
        let name = name_of(name, extra, flags);
        let member = Self { name, flags, method: word(header, 8)?, packed, size, header: at };
        Some((member, end))
    }
}

/// Where the directory begins, and how many bytes in front of the archive are not counted by it.
fn directory(bytes: &[u8]) -> Option<(usize, usize)> {
    let from = bytes.len().saturating_sub(22 + usize::from(u16::MAX));
    let tail = bytes.get(from..)?;
    let end = memchr::memmem::rfind(tail, b"PK\x05\x06")? + from;
    let record = bytes.get(end..)?;
    let (size, at) = (long(record, 12)?, long(record, 16)?);
    if at == u64::from(u32::MAX) || size == u64::from(u32::MAX) {
        return wide_directory(bytes, end);
    }
    let (size, at) = (usize::try_from(size).ok()?, usize::try_from(at).ok()?);
    let begin = end.checked_sub(size)?;
    let is_there = |at: usize| bytes.get(at..).is_some_and(|from| from.starts_with(LISTED));
    match begin.checked_sub(at) {
        Some(in_front) if is_there(begin) => Some((begin, in_front)),
        _ => is_there(at).then_some((at, 0)),
    }
}

/// The directory of zip64 (APPNOTE.TXT 4.3.14, 4.3.15).
fn wide_directory(bytes: &[u8], end: usize) -> Option<(usize, usize)> {
    let locator = bytes.get(end.checked_sub(20)?..end)?;
    let record = bytes.get(usize::try_from(longer(locator, 8)?).ok()?..)?;
    let is_there = locator.starts_with(b"PK\x06\x07") && record.starts_with(b"PK\x06\x06");
    let at = usize::try_from(longer(record, 48)?).ok()?;
    is_there.then_some((at, 0))
}

/// The members that the directory lists; of one place in the archive the first.
fn listed(bytes: &[u8], (begin, in_front): (usize, usize), most: usize) -> Vec<Member> {
    let mut members: Vec<Member> = Vec::new();
    let mut places = BTreeSet::new();
    let mut at = begin;
    while let Some(header) = bytes.get(at..).filter(|from| from.starts_with(LISTED)) {
        let Some((member, length)) = Member::listed(header, in_front) else { break };
        at += length;
        if places.insert(member.header) {
            members.push(member);
        }
        if members.len() > most {
            break;
        }
    }
    members
}

/// The members whose headers are found.
fn found(bytes: &[u8], most: usize) -> Vec<Member> {
    let mut members = Vec::new();
    let mut from = 0;
    while let Some(at) = bytes.get(from..).and_then(|rest| memchr::memmem::find(rest, LOCAL)) {
        let at = from + at;
        from = at + LOCAL.len();
        if let Some((member, end)) = Member::local(bytes, at) {
            from = if end < bytes.len() { end.max(from) } else { from };
            members.push(member);
        }
        if members.len() > most {
            break;
        }
    }
    members
}

/// The name in Unicode if the archive tells it (bit 11, or field 0x7075), else its likeliest reading.
fn name_of(raw: &[u8], extra: &[u8], flags: u16) -> String {
    let unicode = field(extra, 0x7075).and_then(|content| content.get(5..));
    let raw = unicode.unwrap_or(raw);
    let raw = raw.get(raw.len().saturating_sub(LONGEST_NAME)..).unwrap_or(raw);
    let text = match std::str::from_utf8(raw) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) if flags & 1 << 11 != 0 => String::from_utf8_lossy(raw),
        Err(_) => Cow::Owned(fallbacks().best(raw, None)),
    };
    visible(&text).replace('\\', "/")
}

/// What zip64 says where the fields are full (APPNOTE.TXT 4.5.3): size, packed size, place.
fn wide([size, packed, at]: [u64; 3], extra: &[u8]) -> [u64; 3] {
    let mut content = field(extra, 1).unwrap_or_default();
    [size, packed, at].map(|short| match longer(content, 0) {
        Some(wide) if short == u64::from(u32::MAX) => {
            content = content.get(8..).unwrap_or_default();
            wide
        }
        _ => short,
    })
}

/// The content of an extra field.
fn field(mut extra: &[u8], wanted: u16) -> Option<&[u8]> {
    loop {
        let (id, length) = (word(extra, 0)?, usize::from(word(extra, 2)?));
        let content = extra.get(4..4 + length)?;
        if id == wanted {
            return Some(content);
        }
        extra = extra.get(4 + length..)?;
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|chunk| u16::from_le_bytes(*chunk))
}

fn long(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|chunk| u32::from_le_bytes(*chunk).into())
}

fn longer(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|chunk| u64::from_le_bytes(*chunk))
}

const LOCAL: &[u8] = b"PK\x03\x04";
const LISTED: &[u8] = b"PK\x01\x02";
/// What a member costs, however small it is.
const HEADER: usize = 64;
