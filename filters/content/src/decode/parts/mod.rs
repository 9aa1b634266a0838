//! The parts of a mail with their bytes decoded, as mail programs find them (RFC 2045, RFC 2046).
//!
//! A mail that programs read in different ways is read in all of them, within bounds: every boundary
//! that a Content-Type may mean parts the mail; a part with two types or two encodings is several
//! parts with the same bytes; a multipart in doubt is also one text with all its lines. What was
//! doubtful is told (`Ambiguity`), so that a rule may refuse it. Memory does not grow with the mail.
//!
//! What the text of a part is, is `text`; what a file is, `attachment`.

mod block;
mod boundaries;
mod description;
mod entity;
mod leaf;
mod lines;
mod machine;
mod opening;
#[cfg(test)]
mod tests;
mod uu;

use std::collections::BTreeSet;

use super::charset::Charset;
use super::headers::HeaderDecoder;
use machine::Machine;

/// Reads a mail in pieces and says what is in it.
pub struct PartReader {
    shared: Shared,
    machine: Machine,
}

impl PartReader {
    /// A reader at the start of a mail's content. Names of attachments are decoded by `decoder`.
    #[must_use]
    pub fn new(limits: PartLimits, decoder: HeaderDecoder) -> Self {
        let shared =
            Shared { limits, decoder, parts: 0, readings: 0, layers: 0, told: BTreeSet::new() };
        Self { shared, machine: Machine::new(0) }
    }

    /// Takes the next piece of the content, with CRLF or LF line ends. How the content is split
    /// changes only how the bytes of a part are split.
    pub fn feed(&mut self, content: &[u8], events: &mut dyn FnMut(Event<'_>)) {
        self.machine.feed(content, &mut Context { shared: &mut self.shared, events });
    }

    /// The mail is over: ends all parts.
    pub fn finish(mut self, events: &mut dyn FnMut(Event<'_>)) {
        self.machine.finish(&mut Context { shared: &mut self.shared, events });
    }
}

/// Bounds on what is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartLimits {
    /// How deep parts may stand in each other; a deeper multipart or mail is opaque. Postfix's
    /// `mime_nesting_limit`.
    pub depth: usize,
    /// How many parts a mail may have, all readings counted; later boundaries part nothing.
    pub parts: u32,
}

impl Default for PartLimits {
    fn default() -> Self {
        Self { depth: 100, parts: 10_000 }
    }
}

/// What comes next in a mail.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// A header field, `Name: value` with folds as LF and blank, at most 128 KiB of it. Of the mail
    /// itself (depth 0), of a part, or of an attached mail, even if that is in base64.
    Header {
        /// How many multiparts and mails it stands in.
        depth: usize,
        /// Without the last line end.
        text: &'a [u8],
    },
    /// A part begins.
    Start(&'a Part),
    /// Decoded bytes of a part that has begun. Several parts may be open side by side.
    Data {
        /// Whose bytes.
        part: PartId,
        /// Never empty.
        bytes: &'a [u8],
    },
    /// A part is over. Each part that starts ends.
    End(PartId),
    /// Mail programs read this mail differently. Told once for each kind.
    Ambiguous(Ambiguity),
}

/// Tells the parts of one mail apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartId(u32);

impl PartId {
    /// How many parts of the mail began before it.
    #[must_use]
    pub fn number(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// One reading of one part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Which.
    pub id: PartId,
    /// How many multiparts and mails it stands in.
    pub depth: usize,
    /// Multipart and attached mail are containers: the bytes of a container are what stands before,
    /// between and behind its parts.
    pub is_container: bool,
    /// `type/subtype` in lower case; `text/plain` if nothing is said.
    pub content_type: String,
    /// What Content-Type says of the charset, if it says something of 8-bit bytes.
    pub charset: Option<Charset>,
    /// `format=flowed` (RFC 3676).
    pub is_flowed: bool,
    /// `delsp=yes` (RFC 3676): the blank of a soft line break is not text.
    pub deletes_space: bool,
    /// `inline`, `attachment` and the like, in lower case.
    pub disposition: Option<String>,
    /// Every name that a mail program may save the part under, decoded, in the form of `visible`.
    pub names: Vec<String>,
}

/// Why programs may read a mail differently, or why it was not read to its depth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Ambiguity {
    /// A multipart has more than one boundary, by two parameters, two headers or odd quotes.
    Boundaries,
    /// A part has several different Content-Types.
    ContentTypes,
    /// A part has several different Content-Transfer-Encodings.
    Encodings,
    /// A part has an encoding that nobody knows.
    UnknownEncoding,
    /// A multipart or an attached mail claims to be encoded (RFC 2045 section 6.4 forbids it).
    EncodedContainer,
    /// A header has a line that is none; programs skip it, or take it for the start of the body.
    GarbledHeader,
    /// A multipart without a usable boundary.
    MissingBoundary,
    /// A line that begins like a delimiter and goes on.
    Delimiter,
    /// A multipart whose end does not come.
    MissingEnd,
    /// A part behind the end of its multipart.
    PartAfterEnd,
    /// Deeper than `PartLimits::depth`, or than eight encoded mails.
    TooDeep,
    /// More than `PartLimits::parts`.
    TooManyParts,
    /// More ways to read the mail than are followed.
    TooManyReadings,
}

/// What all layers of one mail share.
struct Shared {
    limits: PartLimits,
    decoder: HeaderDecoder,
    parts: u32,
    /// Further readings that are open: they stand inside each other too, so only a bound on all of
    /// them bounds the work.
    readings: usize,
    /// Encoded mails that are open, one inside the other.
    layers: usize,
    told: BTreeSet<Ambiguity>,
}

/// What a step needs besides its own state.
struct Context<'a> {
    shared: &'a mut Shared,
    events: &'a mut dyn FnMut(Event<'_>),
}

impl Context<'_> {
    fn tell(&mut self, ambiguity: Ambiguity) {
        if self.shared.told.insert(ambiguity) {
            (self.events)(Event::Ambiguous(ambiguity));
        }
    }

    /// Whether one more part may begin.
    fn has_room(&mut self) -> bool {
        let has_room = self.shared.parts < self.shared.limits.parts;
        if !has_room {
            self.tell(Ambiguity::TooManyParts);
        }
        has_room
    }

    /// Whether one more reading of a part may begin, which takes a place until it ends.
    fn take_reading(&mut self) -> bool {
        let has_room = self.has_room() && self.shared.readings < MOST_READINGS;
        if has_room {
            self.shared.readings += 1;
        } else {
            self.tell(Ambiguity::TooManyReadings);
        }
        has_room
    }

    /// Begins a part under a number of its own.
    fn start(&mut self, mut part: Part) -> PartId {
        part.id = PartId(self.shared.parts);
        self.shared.parts = self.shared.parts.saturating_add(1);
        (self.events)(Event::Start(&part));
        part.id
    }

    fn data(&mut self, part: PartId, bytes: &[u8]) {
        if !bytes.is_empty() {
            (self.events)(Event::Data { part, bytes });
        }
    }

    fn end(&mut self, part: PartId) {
        (self.events)(Event::End(part));
    }
}

/// How many encoded mails may stand in each other: each decodes all bytes of those within once more.
const MOST_LAYERS: usize = 8;

/// How many readings besides the first are followed at a time.
const MOST_READINGS: usize = 8;
