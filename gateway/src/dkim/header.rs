//! The header of a mail as it came, field by field.

/// Gathers a header from pieces of any size.
#[derive(Default)]
pub(super) struct HeaderReader {
    bytes: Vec<u8>,
    is_complete: bool,
    is_cut: bool,
}

/// A header. Empty if it was too long: what is not seen whole proves nothing.
#[derive(Debug, Default)]
pub(crate) struct Header {
    bytes: Vec<u8>,
    /// Where its fields end.
    ends: Vec<usize>,
    /// Whether it was too long to be kept.
    is_cut: bool,
}

/// One field, with its folds and without its last line end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Field<'a> {
    raw: &'a [u8],
    colon: usize,
}

impl HeaderReader {
    /// Takes a piece, and gives what of it stands behind the header.
    pub(super) fn feed<'p>(&mut self, mut piece: &'p [u8]) -> &'p [u8] {
        while !self.is_complete && !piece.is_empty() {
            let end = memchr::memchr(b'\n', piece).map_or(piece.len(), |at| at + 1);
            let (line, rest) = piece.split_at(end);
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
            bytes.truncate(bytes.len() - 2);
        }
        let mut ends = Vec::new();
        for at in memchr::memmem::find_iter(&bytes, b"\r\n") {
            if !matches!(bytes.get(at + 2), Some(b' ' | b'\t')) {
                ends.push(at);
            }
        }
        if !bytes.is_empty() && !bytes.ends_with(b"\r\n") {
            ends.push(bytes.len());
        }
        let is_cut = ends.len() > MOST_FIELDS;
        if is_cut { Header { is_cut, ..Header::default() } } else { Header { bytes, ends, is_cut } }
    }
}

impl Header {
    /// Whether there was more of it than is looked at. Then it is empty here.
    pub(crate) const fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// All fields from the top. Lines that are none are left out.
    pub(crate) fn fields(&self) -> impl DoubleEndedIterator<Item = Field<'_>> {
        let begins = std::iter::once(0).chain(self.ends.iter().map(|end| end + 2));
        let lines: Vec<_> = begins.zip(&self.ends).collect();
        lines.into_iter().filter_map(|(from, to)| Field::of(self.bytes.get(from..*to)?))
    }

    /// The fields of a name in lower case, from the top.
    pub(crate) fn named<'h>(&'h self, name: &'h str) -> impl Iterator<Item = Field<'h>> {
        self.fields().filter(move |field| field.is(name))
    }
}

impl<'a> Field<'a> {
    fn of(raw: &'a [u8]) -> Option<Self> {
        let colon = memchr::memchr(b':', raw)?;
        let field = Self { raw, colon };
        let name = field.name();
        (!name.is_empty() && name.iter().all(u8::is_ascii_graphic)).then_some(field)
    }

    pub(crate) fn is(self, name: &str) -> bool {
        self.name().eq_ignore_ascii_case(name.as_bytes())
    }

    /// Without white space before the colon, which was allowed once.
    pub(super) fn name(self) -> &'a [u8] {
        self.raw.get(..self.colon).unwrap_or_default().trim_ascii_end()
    }

    /// All behind the colon.
    pub(crate) fn value(self) -> &'a [u8] {
        self.raw.get(self.colon + 1..).unwrap_or_default()
    }

    /// As it came.
    pub(super) const fn raw(self) -> &'a [u8] {
        self.raw
    }
}

/// The last line and the empty one.
const END: &[u8] = b"\r\n\r\n";

/// Twice what the longest headers have that large providers write. It is kept while a mail comes in.
const MOST_BYTES: usize = 64 * 1024;

const MOST_FIELDS: usize = 2_000;
