//! What is heard of a mail while it is read, and who hears it.
//!
//! A mail is read once, however many want to know of it: two listeners are one, as a pair. Nothing that is told
//! outlives the call.

use std::ops::Range;

use mailweir_content::decode::parts::{Ambiguity, Part, PartId};

use super::Element;
use super::sight::Sight;

/// Hears what is in a mail, in the order in which it stands there: but HTML is read where its part ends, and a link is
/// told behind the text that it stands in. What a listener has no use for it need not take.
pub trait Listener {
    /// A header field, of the mail or of a part or mail within.
    fn field(&mut self, _field: &Field<'_>) {}

    /// A part begins, before anything of it.
    fn part(&mut self, _part: &Part) {}

    /// Bytes of a part, its transfer encoding undone: of all of it, whatever of its text is told.
    fn data(&mut self, _part: PartId, _bytes: &[u8]) {}

    /// A line of text.
    fn text(&mut self, _text: &Text<'_>) {}

    /// An element of HTML begins, before its text.
    fn element(&mut self, _element: &Element) {}

    /// An element of this name ends, if one is open: an end tag.
    fn end_element(&mut self, _name: &str) {}

    /// Text of HTML as it stands between two tags, before the line that it is part of.
    fn run(&mut self, _run: &Run<'_>) {}

    /// A comment in HTML, without its marks.
    fn comment(&mut self, _comment: &str) {}

    /// A link.
    fn link(&mut self, _link: &Link<'_>) {}

    /// A part is over, and all of it was told. Each part that begins ends.
    fn end_part(&mut self, _part: PartId) {}

    /// Something is wrong with the mail, or some of it is not read.
    fn trouble(&mut self, _trouble: Trouble) {}
}

/// Both hear the same.
impl<A: Listener, B: Listener> Listener for (A, B) {
    fn field(&mut self, field: &Field<'_>) {
        self.0.field(field);
        self.1.field(field);
    }

    fn part(&mut self, part: &Part) {
        self.0.part(part);
        self.1.part(part);
    }

    fn data(&mut self, part: PartId, bytes: &[u8]) {
        self.0.data(part, bytes);
        self.1.data(part, bytes);
    }

    fn text(&mut self, text: &Text<'_>) {
        self.0.text(text);
        self.1.text(text);
    }

    fn element(&mut self, element: &Element) {
        self.0.element(element);
        self.1.element(element);
    }

    fn end_element(&mut self, name: &str) {
        self.0.end_element(name);
        self.1.end_element(name);
    }

    fn run(&mut self, run: &Run<'_>) {
        self.0.run(run);
        self.1.run(run);
    }

    fn comment(&mut self, comment: &str) {
        self.0.comment(comment);
        self.1.comment(comment);
    }

    fn link(&mut self, link: &Link<'_>) {
        self.0.link(link);
        self.1.link(link);
    }

    fn end_part(&mut self, part: PartId) {
        self.0.end_part(part);
        self.1.end_part(part);
    }

    fn trouble(&mut self, trouble: Trouble) {
        self.0.trouble(trouble);
        self.1.trouble(trouble);
    }
}

/// A header field.
#[derive(Clone, Copy, Debug)]
pub struct Field<'a> {
    /// How many multiparts and mails it stands in: 0 for the mail itself.
    pub depth: usize,
    /// As it stands, without blanks around.
    pub name: &'a str,
    /// Unfolded, decoded, in the form of `mailweir_content::decode::visible`, without blanks around. Of several
    /// readings the most likely.
    pub value: &'a str,
    /// The value as it came, with its folds and blanks.
    pub raw: &'a [u8],
}

impl<'a> Field<'a> {
    /// Whether it is a field of this name, in any case.
    #[must_use]
    pub const fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The value of a parameter, as programs write it.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&'a str> {
        let lower = self.value.to_ascii_lowercase();
        let value = memchr::memmem::find_iter(lower.as_bytes(), name).find_map(|at| {
            self.value.get(at + name.len()..)?.trim_start().strip_prefix('=').map(str::trim_start)
        })?;
        let value = value.trim_start_matches('"');
        let end = value.find(['"', ';', ' ']).unwrap_or(value.len());
        value.get(..end)
    }
}

/// A line of text, in the form of `mailweir_content::decode::visible`, without blanks around. Never empty.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a> {
    /// The part that it stands in.
    pub part: PartId,
    /// Where it comes from.
    pub source: Source,
    /// The line.
    pub line: &'a str,
    /// Where in it addresses of the web stand, in order. Each is told as a link too.
    pub links: &'a [Range<usize>],
}

impl<'a> Text<'a> {
    /// What stands before, between and behind the links.
    pub fn between_links(&self) -> impl Iterator<Item = &'a str> {
        let line = self.line;
        let begins = std::iter::once(0).chain(self.links.iter().map(|link| link.end));
        let ends = self.links.iter().map(|link| link.start).chain(std::iter::once(line.len()));
        begins.zip(ends).filter_map(move |(begin, end)| line.get(begin..end))
    }
}

/// Where text comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Text that is no HTML.
    Plain,
    /// HTML, as it is shown.
    Html,
    /// HTML of which the mail itself says that it is not to be seen.
    Hidden,
}

/// Text of HTML between two tags or comments, with its character references decoded and its blanks as they are written.
/// What stands in script, style and title is none.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// The part that it stands in.
    pub part: PartId,
    /// The text. Never empty.
    pub text: &'a str,
    /// Whether it is seen.
    pub sight: Sight,
}

/// A link, as it stands, with character references decoded.
#[derive(Clone, Copy, Debug)]
pub struct Link<'a> {
    /// What refers to it.
    pub origin: Origin,
    /// At most [`LONGEST_LINK`] bytes of the address.
    pub address: &'a str,
    /// The text that an anchor has, at most [`LONGEST_SHOWN`] bytes of it, in the form of `visible`. Empty for others.
    pub shown: &'a str,
}

/// What a link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It stands in the text.
    Text,
    /// A click goes there: `<a href>`, `<area href>`.
    Anchor,
    /// Shown with the mail: `<img src>`, `background`.
    Image,
    /// What is typed goes there: `<form action>`.
    Form,
    /// Anything else: frames, style sheets, `<base href>`.
    Other,
}

/// What is wrong with a mail, or what of it is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Programs read it differently.
    Ambiguous(Ambiguity),
    /// It has more fields than are told.
    TooManyFields,
    /// A text is longer than what is told of it.
    LongText,
    /// It has more texts than are read.
    TooManyTexts,
}

/// Bytes of an address, or of any other value of an attribute, that are told. Browsers take more; what tells a host and a
/// path stands in front.
pub const LONGEST_LINK: usize = 2048;

/// Bytes of the text of an anchor that are told with it: enough for the address that it may pretend to be.
pub const LONGEST_SHOWN: usize = 256;
