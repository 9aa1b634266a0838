//! An element of HTML with its attributes.

use super::listener::LONGEST_LINK;
use super::reference::{Context, decode};

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
    may_have_looks: bool,
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

    /// Whether it may have an attribute that says how its text looks: `hidden`, `style`, or one of colours.
    pub(super) const fn may_have_looks(&self) -> bool {
        self.may_have_looks
    }

    /// Makes it one of which nothing is known.
    pub(super) fn open(&mut self) {
        self.text.clear();
        self.ends.clear();
        self.name = 0;
        self.is_whole = false;
        self.may_have_looks = false;
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
            self.may_have_looks |= may_be_of_looks(name.text.as_bytes());
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

/// Whether a name may be one of `hidden`, `style`, `color`, `text`, `bgcolor` and `background`, by its ends. Asked of all
/// attributes, of which few are.
const fn may_be_of_looks(name: &[u8]) -> bool {
    matches!(
        name,
        [b'h' | b'H', _, _, _, _, b'n' | b'N']
            | [b's' | b'S', _, _, _, b'e' | b'E']
            | [b'c' | b'C', _, _, _, b'r' | b'R']
            | [b't' | b'T', _, _, b't' | b'T']
            | [b'b' | b'B', _, _, _, _, _, b'r' | b'R']
            | [b'b' | b'B', _, _, _, _, _, _, _, _, b'd' | b'D']
    )
}

/// A name as it stands.
#[derive(Clone, Copy)]
pub(super) struct Name<'s> {
    pub(super) text: &'s str,
    pub(super) has_capitals: bool,
}

/// No element of HTML has so many of its own.
pub const MOST_ATTRIBUTES: usize = 64;
