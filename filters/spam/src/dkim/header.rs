//! The header of a mail as it came, field by field.
//!
//! Nothing is decoded and nothing unfolded: signatures are about bytes.

use std::cmp::Ordering;

/// Gathers a header from pieces of any size.
#[derive(Default)]
pub(crate) struct HeaderReader {
    bytes: Vec<u8>,
    is_complete: bool,
    is_cut: bool,
}

/// A header. Empty if it was too long: what is not seen whole proves nothing.
#[derive(Debug, Default)]
pub struct Header {
    bytes: Vec<u8>,
    /// The fields, from the top.
    spans: Vec<Span>,
    /// Whether it was too long to be kept.
    is_cut: bool,
}

/// Where a field stands: its first byte, its colon, the end of what it says.
#[derive(Clone, Copy, Debug)]
struct Span {
    from: usize,
    colon: usize,
    to: usize,
}

/// One field, with its folds and without its last line end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    raw: &'a [u8],
    colon: usize,
}

/// The fields of a header by their names: signatures ask for many of them.
pub(crate) struct FieldsByName<'h>(Vec<Field<'h>>);

impl HeaderReader {
    /// Takes a piece, and gives what of it stands behind the header.
    pub(super) fn feed<'p>(&mut self, mut piece: &'p [u8]) -> &'p [u8] {
        while !self.is_complete && !piece.is_empty() {
            let end = memchr::memchr(b'\n', piece).map_or(piece.len(), |at| at + 1);
            let (line, rest) = piece.split_at_checked(end).unwrap_or((piece, &[]));
            self.is_cut |= self.bytes.len() + line.len() > MOST_BYTES;
            self.bytes.extend_from_slice(line);
            self.is_complete = self.bytes == b"\r\n" || self.bytes.ends_with(END);
            if self.is_cut {
                // Only the end is looked for.
                let behind = self.bytes.len().saturating_sub(END.len());
                self.bytes.drain(..behind);
            }
            piece = rest;
        }
        piece
    }

    pub(super) const fn is_complete(&self) -> bool {
        self.is_complete
    }

    pub(super) fn finish(self) -> Header {
        let Self { mut bytes, is_complete, is_cut } = self;
        if is_cut {
            return Header { is_cut, ..Header::default() };
        }
        if is_complete {
            bytes.truncate(bytes.len().saturating_sub(2));
        }
        let spans: Vec<Span> = spans(&bytes).take(MOST_FIELDS + 1).collect();
        let is_cut = spans.len() > MOST_FIELDS;
        if is_cut {
            Header { is_cut, ..Header::default() }
        } else {
            Header { bytes, spans, is_cut }
        }
    }
}

impl Header {
    /// Whether there was more of it than is looked at (256 KiB, 2,000 fields). Then it is empty here.
    #[must_use]
    pub const fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// The header as it came, up to the empty line, with lines that are no fields.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// All fields from the top. Lines that are none are left out.
    pub fn fields(&self) -> impl DoubleEndedIterator<Item = Field<'_>> {
        self.spans.iter().filter_map(|span| {
            let raw = self.bytes.get(span.from..span.to)?;
            Some(Field { raw, colon: span.colon })
        })
    }

    /// The fields of a name, in any case, from the top.
    pub fn named<'h>(&'h self, name: &'h str) -> impl DoubleEndedIterator<Item = Field<'h>> {
        self.fields().filter(move |field| field.is(name))
    }

    pub(crate) fn by_name(&self) -> FieldsByName<'_> {
        let mut fields: Vec<_> = self.fields().collect();
        // A stable sort: those of one name stay in the order of the header.
        fields.sort_by(|one, other| compare(one.name(), other.name()));
        FieldsByName(fields)
    }
}

impl<'h> FieldsByName<'h> {
    /// The fields of a name, in any case, from the top.
    pub(crate) fn named(&self, name: &str) -> &[Field<'h>] {
        let name = name.as_bytes();
        let from = self.0.partition_point(|field| compare(field.name(), name).is_lt());
        let behind = self.0.get(from..).unwrap_or_default();
        let count = behind.partition_point(|field| compare(field.name(), name).is_eq());
        behind.get(..count).unwrap_or_default()
    }
}

impl<'a> Field<'a> {
    /// Whether it has this name, in any case.
    #[must_use]
    pub fn is(self, name: &str) -> bool {
        self.name().eq_ignore_ascii_case(name.as_bytes())
    }

    /// Its name, without white space before the colon, which was allowed once.
    #[must_use]
    pub fn name(self) -> &'a [u8] {
        self.raw.get(..self.colon).unwrap_or_default().trim_ascii_end()
    }

    /// All behind the colon, with its folds.
    #[must_use]
    pub fn value(self) -> &'a [u8] {
        self.raw.get(self.colon + 1..).unwrap_or_default()
    }

    /// As it came, without the last line end.
    #[must_use]
    pub const fn raw(self) -> &'a [u8] {
        self.raw
    }
}

/// The fields of these lines: a line end that no white space follows ends one.
fn spans(bytes: &[u8]) -> impl Iterator<Item = Span> {
    let is_end = |at: &usize| !matches!(bytes.get(at + 2), Some(b' ' | b'\t'));
    let ends = memchr::memmem::find_iter(bytes, b"\r\n").filter(is_end);
    let last = (!bytes.is_empty() && !bytes.ends_with(b"\r\n")).then_some(bytes.len());
    let mut from = 0;
    ends.chain(last).filter_map(move |to| {
        let raw = bytes.get(from..to)?;
        let begin = std::mem::replace(&mut from, to + 2);
        let colon = memchr::memchr(b':', raw)?;
        let name = raw.get(..colon)?.trim_ascii_end();
        let is_name = !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
        is_name.then_some(Span { from: begin, colon, to })
    })
}

fn compare(one: &[u8], other: &[u8]) -> Ordering {
    let lower = u8::to_ascii_lowercase;
    one.iter().map(lower).cmp(other.iter().map(lower))
}

/// The last line and the empty one.
const END: &[u8] = b"\r\n\r\n";

/// Some 2,000 addresses in To, or 40 hosts that each left a set of ARC. It is kept while a mail comes in.
const MOST_BYTES: usize = 256 * 1024;

const MOST_FIELDS: usize = 2_000;
