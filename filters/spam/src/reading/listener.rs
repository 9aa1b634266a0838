//! What is heard of a mail while it is read, and who hears it.
//!
//! A mail is read once, however many want to know of it: two listeners are one, as a pair. Nothing that is told
//! outlives the call.

use std::ops::Range;

use mailweir_content::decode::parts::{Ambiguity, Part};

use super::reference::{Context, decode};

/// Hears what is in a mail, in the order in which it stands there: but HTML is read where its part ends, and a link is
/// told behind the text that it stands in. What a listener has no use for it need not take.
pub trait Listener {
    /// A header field, of the mail or of a part or mail within.
    fn field(&mut self, _field: &Field<'_>) {}

    /// A part begins, before anything of it.
    fn part(&mut self, _part: &Part) {}

    /// A line of text.
    fn text(&mut self, _text: &Text<'_>) {}

    /// An element of HTML begins, before its text.
    fn element(&mut self, _element: &Element) {}

    /// A comment in HTML, without its marks.
    fn comment(&mut self, _comment: &str) {}

    /// A link.
    fn link(&mut self, _link: &Link<'_>) {}

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

    fn text(&mut self, text: &Text<'_>) {
        self.0.text(text);
        self.1.text(text);
    }

    fn element(&mut self, element: &Element) {
        self.0.element(element);
        self.1.element(element);
    }

    fn comment(&mut self, comment: &str) {
        self.0.comment(comment);
        self.1.comment(comment);
    }

    fn link(&mut self, link: &Link<'_>) {
        self.0.link(link);
        self.1.link(link);
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
}

impl Field<'_> {
    /// Whether it is a field of this name, in any case.
    #[must_use]
    pub const fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

/// A line of text, in the form of `mailweir_content::decode::visible`, without blanks around. Never empty.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a> {
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

/// An element of HTML with its attributes. Names are in lower case, values have their character references decoded.
#[derive(Clone, Debug, Default)]
pub struct Element {
    text: String,
    name: usize,
    /// Where the name and the value of each attribute end.
    ends: Vec<(usize, usize)>,
    /// The last attribute was one too many.
    is_full: bool,
    is_whole: bool,
}

impl Element {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.text.get(..self.name).unwrap_or_default()
    }

    /// Names and values of the first [`MOST_ATTRIBUTES`]; of each value at most [`LONGEST_LINK`] bytes.
    pub fn attributes(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut begin = self.name;
        self.ends.iter().map(move |&(name, value)| {
            let attribute = (self.text.get(begin..name), self.text.get(name..value));
            begin = value;
            (attribute.0.unwrap_or_default(), attribute.1.unwrap_or_default())
        })
    }

    /// The value of an attribute. Of two with one name browsers take the first.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// Makes it one of which nothing is known.
    pub(super) fn open(&mut self) {
        self.text.clear();
        self.ends.clear();
        self.name = 0;
        self.is_whole = false;
    }

    /// Its tag has ended.
    pub(super) const fn close(&mut self) {
        self.is_whole = true;
    }

    /// Whether its tag has ended.
    pub(super) const fn is_whole(&self) -> bool {
        self.is_whole
    }

    pub(super) fn begin(&mut self, name: &Name<'_>) {
        self.push_name(name);
        self.name = self.text.len();
    }

    pub(super) fn add_attribute(&mut self, name: &Name<'_>) {
        if self.ends.len() < MOST_ATTRIBUTES {
            self.push_name(name);
            self.ends.push((self.text.len(), self.text.len()));
            self.is_full = false;
        } else {
            self.is_full = true;
        }
    }

    /// The value of the attribute that was added last, with its references.
    pub(super) fn set_value(&mut self, value: &str) {
        if self.is_full {
            return;
        }
        let Some((name, end)) = self.ends.last_mut() else { return };
        let value = value.get(..value.floor_char_boundary(LONGEST_LINK)).unwrap_or(value);
        match memchr::memchr(b'&', value.as_bytes()) {
            Some(_) => decode(value, Context::Attribute, &mut self.text),
            None => self.text.push_str(value),
        }
        *end = self.text.len().max(*name);
    }

    fn push_name(&mut self, name: &Name<'_>) {
        let begin = self.text.len();
        let end = name.text.floor_char_boundary(LONGEST_LINK);
        self.text.push_str(name.text.get(..end).unwrap_or(name.text));
        if name.has_capitals
            && let Some(name) = self.text.get_mut(begin..)
        {
            name.make_ascii_lowercase();
        }
    }
}

/// A name as it stands.
#[derive(Clone, Copy)]
pub(super) struct Name<'s> {
    pub(super) text: &'s str,
    pub(super) has_capitals: bool,
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

/// No element of HTML has so many of its own.
pub const MOST_ATTRIBUTES: usize = 64;
