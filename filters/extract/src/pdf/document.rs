//! Where the objects of a file are. The tables of a file that say so are not read: they lie, loop and
//! break. All objects are looked for, and of two with one number the later counts, as it does
//! for programs that repair a file.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use super::filter;
use super::object::{Dict, Object, Parser, is_space};
use crate::Reason;
use crate::harvest::Harvest;

/// A file whose objects are known.
pub(super) struct Document<'a> {
    bytes: &'a [u8],
    places: BTreeMap<u32, Place>,
    /// Streams that hold objects, unpacked.
    packed: Vec<Vec<u8>>,
    /// What trailers say, the later over the earlier.
    trailer: Dict,
    /// Pages in the order of the file, for files without a tree of pages.
    pages: Vec<u32>,
    catalog: Option<u32>,
}

#[derive(Clone, Copy)]
enum Place {
    Plain(usize),
    Packed { stream: usize, at: usize },
}

impl<'a> Document<'a> {
    /// Looks for the objects of a file.
    pub(super) fn open(bytes: &'a [u8], harvest: &mut Harvest<'_>) -> Self {
        let mut document = Self {
            bytes,
            places: BTreeMap::new(),
            packed: Vec::new(),
            trailer: Dict::new(),
            pages: Vec::new(),
            catalog: None,
        };
        let mut at = 0;
        while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memmem::find(rest, b"obj"))
        {
            if !harvest.work(found + 3) {
                break;
            }
            let word = at + found;
            at = word + 3;
            if let Some(number) = number_before(bytes, word) {
                at = document.note(number, at, harvest).max(at);
            }
        }
        document.read_trailers(harvest);
        document
    }

    /// Whether the file takes a password, if only to print it.
    pub(super) fn is_encrypted(&self) -> bool {
        self.trailer.contains_key(b"Encrypt".as_slice())
    }

    /// A field of the trailer.
    pub(super) fn trailer(&self, name: &[u8], harvest: &mut Harvest<'_>) -> Object {
        self.field(&self.trailer, name, harvest)
    }

    /// What the catalog says, or the last that looks like one.
    pub(super) fn catalog(&self, harvest: &mut Harvest<'_>) -> Dict {
        let root = self.trailer(b"Root", harvest).into_dict();
        match self.catalog {
            Some(number) if !root.contains_key(b"Pages".as_slice()) => {
                self.get(number, harvest).into_dict()
            }
            _ => root,
        }
    }

    /// The pages that were met.
    pub(super) fn stray_pages(&self) -> &[u32] {
        &self.pages
    }

    /// The numbers of all objects.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> {
        self.places.keys().copied()
    }

    /// The object with this number; `Null` if there is none.
    pub(super) fn get(&self, number: u32, harvest: &mut Harvest<'_>) -> Object {
        self.parsed(number, harvest).map_or(Object::Null, |(object, _)| object)
    }

    /// The object itself, where another is only referred to.
    pub(super) fn resolve(&self, object: &Object, harvest: &mut Harvest<'_>) -> Object {
        let Object::Reference(number) = object else {
            harvest.work(object.parts().saturating_mul(COST));
            return object.clone();
        };
        let mut object = self.get(*number, harvest);
        for _ in 0..MOST_REFERENCES {
            let Object::Reference(number) = object else { return object };
            object = self.get(number, harvest);
        }
        Object::Null
    }

    /// A field of a dictionary.
    pub(super) fn field(&self, dict: &Dict, name: &[u8], harvest: &mut Harvest<'_>) -> Object {
        dict.get(name).map_or(Object::Null, |object| self.resolve(object, harvest))
    }

    /// A dictionary in a dictionary, which is not copied if it stands there itself.
    pub(super) fn dict<'d>(
        &self,
        dict: &'d Dict,
        name: &[u8],
        harvest: &mut Harvest<'_>,
    ) -> Cow<'d, Dict> {
        match dict.get(name) {
            Some(Object::Dict(dict)) => Cow::Borrowed(dict),
            _ => Cow::Owned(self.field(dict, name, harvest).into_dict()),
        }
    }

    /// A stream with this number: what its dictionary says, and its data unpacked.
    pub(super) fn stream(&self, number: u32, harvest: &mut Harvest<'_>) -> Option<(Dict, Vec<u8>)> {
        let (object, behind) = self.parsed(number, harvest)?;
        let Object::Dict(mut dict) = object else { return None };
        let data = self.data(&dict, behind?, harvest)?;
        for name in [b"Filter".as_slice(), b"DecodeParms"] {
            if let Some(Object::Reference(_)) = dict.get(name) {
                let resolved = self.field(&dict, name, harvest);
                dict.insert(name.to_vec(), resolved);
            }
        }
        let data = filter::decode(&dict, self.bytes.get(data)?, harvest)?;
        Some((dict, data))
    }

    /// An object, and where in the file what follows it begins if it stands in the file itself.
    fn parsed(&self, number: u32, harvest: &mut Harvest<'_>) -> Option<(Object, Option<usize>)> {
        let (bytes, at, is_plain) = match *self.places.get(&number)? {
            Place::Plain(at) => (self.bytes, at, true),
            Place::Packed { stream, at } => (self.packed.get(stream)?.as_slice(), at, false),
        };
        let mut parser = Parser::new(bytes, at);
        let object = parser.next()?;
        let is_allowed = harvest.work(parser.at.saturating_sub(at) + COST);
        is_allowed.then_some((object, is_plain.then_some(parser.at)))
    }

    /// An object begins here. Returns where to look for the next.
    fn note(&mut self, number: u32, at: usize, harvest: &mut Harvest<'_>) -> usize {
        if self.places.len() >= MOST_OBJECTS {
            harvest.mark(Reason::TooLarge);
            return at;
        }
        self.places.insert(number, Place::Plain(at));
        let mut parser = Parser::new(self.bytes, at);
        let object = parser.next();
        if !harvest.work(parser.at.saturating_sub(at)) {
            return self.bytes.len();
        }
        let Some(Object::Dict(dict)) = object else { return at };
        let behind = parser.at;
        match dict.get(b"Type".as_slice()).and_then(Object::name) {
            Some(b"Page") => self.pages.push(number),
            Some(b"Catalog") => self.catalog = Some(number),
            _ => {}
        }
        let Some(data) = self.data(&dict, behind, harvest) else {
            return if parser.passes(b"endobj") { parser.at } else { at };
        };
        let end = data.end;
        match dict.get(b"Type".as_slice()).and_then(Object::name) {
            Some(b"ObjStm") => self.unpack(&dict, data, harvest),
            Some(b"XRef") => self.add_trailer(dict),
            _ => {}
        }
        end
    }

    /// Where the data of a stream is whose dictionary ends here. A length is believed if the end is
    /// where it says.
    fn data(&self, dict: &Dict, behind: usize, harvest: &mut Harvest<'_>) -> Option<Range<usize>> {
        let mut parser = Parser::new(self.bytes, behind);
        if !parser.passes(b"stream") {
            return None;
        }
        let begin = match parser.rest() {
            [b'\r', b'\n', ..] => parser.at + 2,
            [b'\r' | b'\n', ..] => parser.at + 1,
            _ => parser.at,
        };
        let length = dict.get(b"Length".as_slice()).and_then(Object::count);
        if let Some(end) = length.and_then(|length| begin.checked_add(length))
            && end <= self.bytes.len()
            && Parser::new(self.bytes, end).passes(b"endstream")
        {
            return Some(begin..end);
        }
        let rest = self.bytes.get(begin..)?;
        let length = memchr::memmem::find(rest, b"endstream").unwrap_or(rest.len());
        harvest.work(length);
        Some(begin..begin + length)
    }

    /// A stream that holds objects (7.5.7).
    fn unpack(&mut self, dict: &Dict, data: Range<usize>, harvest: &mut Harvest<'_>) {
        let data = self.bytes.get(data).unwrap_or_default();
        let Some(bytes) = filter::decode(dict, data, harvest) else { return };
        let count = |name: &[u8]| dict.get(name).and_then(Object::count).unwrap_or(0);
        let first = count(b"First");
        let mut numbers = Parser::of_content(bytes.get(..first).unwrap_or_default());
        let stream = self.packed.len();
        for _ in 0..count(b"N").min(MOST_OBJECTS) {
            let (Some(number), Some(at)) = (numbers.next(), numbers.next()) else { break };
            let number = number.count().and_then(|number| u32::try_from(number).ok());
            let at = at.count().and_then(|at| first.checked_add(at));
            if let Some((number, at)) = number.zip(at)
                && self.places.len() < MOST_OBJECTS
            {
                self.places.insert(number, Place::Packed { stream, at });
            }
        }
        harvest.work(numbers.at);
        self.packed.push(bytes);
    }

    fn read_trailers(&mut self, harvest: &mut Harvest<'_>) {
        let word = b"trailer";
        for at in memchr::memmem::find_iter(self.bytes, word) {
            let from = at + word.len();
            let mut parser = Parser::new(self.bytes, from);
            let trailer = parser.next().unwrap_or(Object::Null).into_dict();
            if !harvest.work(parser.at.saturating_sub(from)) {
                return;
            }
            self.add_trailer(trailer);
        }
    }

    fn add_trailer(&mut self, trailer: Dict) {
        let known = [b"Root".as_slice(), b"Info", b"Encrypt"];
        let fields = trailer.into_iter().filter(|(name, _)| known.contains(&name.as_slice()));
        self.trailer.extend(fields);
    }
}

/// The number of the object that begins with the `obj` at this place: `12 0 obj`.
fn number_before(bytes: &[u8], obj: usize) -> Option<u32> {
    let before = bytes.get(obj.saturating_sub(LONGEST_HEADING)..obj)?;
    let before = without_space(before)?;
    let before = without_space(without_digits(before)?)?;
    let digits = before.get(without_digits(before)?.len()..)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Without the digits at the end, of which there must be one.
fn without_digits(text: &[u8]) -> Option<&[u8]> {
    let length = text.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    text.get(..text.len() - length).filter(|_| length > 0)
}

fn without_space(text: &[u8]) -> Option<&[u8]> {
    let length = text.iter().rev().take_while(|byte| is_space(**byte)).count();
    text.get(..text.len() - length).filter(|_| length > 0)
}

/// `4294967295 65535 ` and some blanks.
const LONGEST_HEADING: usize = 40;
const MOST_OBJECTS: usize = 500_000;
/// References to references, which no honest file has.
const MOST_REFERENCES: usize = 8;
/// What looking up an object costs besides reading it.
const COST: usize = 16;
