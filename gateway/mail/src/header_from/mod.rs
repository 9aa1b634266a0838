//! Whom a mail says it is from: every address that any reader could take its From header for.
//!
//! Mail clients read odd From headers in many ways, and each way is somebody's (USENIX Security
//! 2020, "Composition Kills", and its tool espoofer). This does not choose one. It finds every
//! address that stands anywhere in the header, in display names and comments too, and refuses
//! what cannot be read beyond doubt: who may use all addresses that are found may use the header.
//!
//! [`HeaderFrom`] takes the header as it flows past; [`addresses`] reads the value. Both are pure.

mod encoded_words;
mod structure;
#[cfg(test)]
mod tests;

use crate::Address;

/// Finds the From header of a mail that comes in pieces of any size, with CRLF line ends. Keeps no
/// more than [`MOST_BYTES`] of it.
#[derive(Debug, Default)]
pub struct HeaderFrom {
    part: Part,
    /// The name of the field under way, as long as it can be `From`.
    name: Vec<u8>,
    /// The value of the From field, without line ends.
    value: Option<Vec<u8>>,
    doubt: Option<FromDoubt>,
    /// The last byte.
    last: u8,
}

/// What the next byte belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Part {
    /// The first line: nothing goes on with what is not there.
    #[default]
    First,
    /// A line that may go on with the field before.
    Line(Within),
    Field(Within),
    Body,
}

/// A part of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Within {
    Name,
    /// White space between name and colon (RFC 5322 section 4.5).
    Gap,
    From,
    Other,
}

impl HeaderFrom {
    /// Takes the next piece of the mail. Nothing behind the header is looked at.
    pub fn feed(&mut self, piece: &[u8]) {
        let mut rest = piece;
        while self.part != Part::Body {
            rest = self.alike(rest);
            let Some((&byte, behind)) = rest.split_first() else { return };
            self.byte(byte);
            self.last = byte;
            rest = behind;
        }
    }

    /// Whether the header is at its end.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.part == Part::Body
    }

    /// Every address that a reader could find in the From header, once the mail is complete.
    ///
    /// # Errors
    /// Why a reader might take it for somebody else.
    pub fn addresses(&self) -> Result<Vec<Address>, FromDoubt> {
        // A name without a colon is a line that is no field.
        if let Part::Field(Within::Name | Within::Gap) | Part::Line(Within::Name | Within::Gap) =
            self.part
        {
            return Err(FromDoubt::NoField);
        }
        match (self.doubt, &self.value) {
            (Some(doubt), _) => Err(doubt),
            (None, None) => Err(FromDoubt::Missing),
            (None, Some(value)) => addresses(value),
        }
    }

    /// Takes the bytes that are within the same as the one before; gives those behind.
    fn alike<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let Part::Field(within) = self.part else { return bytes };
        let end = match within {
            _ if self.last == b'\r' => 0,
            Within::Name => bytes.iter().position(|&byte| !is_of_name(byte)).unwrap_or(bytes.len()),
            Within::Gap => 0,
            Within::From | Within::Other => memchr::memchr(b'\r', bytes).unwrap_or(bytes.len()),
        };
        let (alike, behind) = bytes.split_at(end);
        match within {
            Within::Name => self.name(alike),
            Within::From => self.keep(alike),
            Within::Gap | Within::Other => {}
        }
        self.last = alike.last().copied().unwrap_or(self.last);
        behind
    }

    fn byte(&mut self, byte: u8) {
        if byte == b'\n' && self.last == b'\r' {
            return self.line_ends();
        }
        if byte == b'\r' {
            return;
        }
        if self.last == b'\r' {
            // Never from a session, which passes line ends only.
            self.doubt(FromDoubt::ControlCharacter);
        }
        let within = match self.part {
            Part::Field(within) => within,
            Part::First => self.field_begins(),
            Part::Line(within) if is_space(byte) => within,
            Part::Line(within) => {
                self.field_ends(within);
                self.field_begins()
            }
            Part::Body => return,
        };
        let within = self.field(within, byte);
        self.part = Part::Field(within);
    }

    fn line_ends(&mut self) {
        self.part = match self.part {
            Part::Field(within) => Part::Line(within),
            Part::Line(within) => {
                self.field_ends(within);
                Part::Body
            }
            Part::First | Part::Body => Part::Body,
        };
    }

    fn field_begins(&mut self) -> Within {
        self.name.clear();
        Within::Name
    }

    fn field_ends(&mut self, within: Within) {
        if matches!(within, Within::Name | Within::Gap) {
            self.doubt(FromDoubt::NoField);
        }
    }

    fn field(&mut self, within: Within, byte: u8) -> Within {
        match (within, byte) {
            (Within::Name | Within::Gap, b':') if self.name.is_empty() => self.no_field(),
            (Within::Name | Within::Gap, b':') => self.value_begins(),
            (Within::Name | Within::Gap, b' ' | b'\t') if !self.name.is_empty() => Within::Gap,
            (Within::Name, _) if is_of_name(byte) => {
                self.name(&[byte]);
                Within::Name
            }
            (Within::Name | Within::Gap, _) => self.no_field(),
            (Within::From, _) => {
                self.keep(&[byte]);
                Within::From
            }
            (Within::Other, _) => Within::Other,
        }
    }

    /// Takes more of the name; of one that is longer than `From` the beginning.
    fn name(&mut self, more: &[u8]) {
        let room = (FROM.len() + 1).saturating_sub(self.name.len());
        self.name.extend_from_slice(more.get(..room).unwrap_or(more));
    }

    /// Some readers take such a line for the end of the header, others skip it, and a NUL or a
    /// space in a name may or may not hide it.
    fn no_field(&mut self) -> Within {
        self.doubt(FromDoubt::NoField);
        Within::Other
    }

    fn value_begins(&mut self) -> Within {
        if !self.name.eq_ignore_ascii_case(FROM) {
            return Within::Other;
        }
        if self.value.is_some() {
            self.doubt(FromDoubt::Twice);
        }
        self.value.get_or_insert_default();
        Within::From
    }

    fn keep(&mut self, more: &[u8]) {
        let Some(value) = &mut self.value else { return };
        let room = MOST_BYTES - value.len();
        value.extend_from_slice(more.get(..room).unwrap_or(more));
        if more.len() > room {
            self.doubt(FromDoubt::TooLong);
        }
    }

    /// The first doubt is the one that is told.
    fn doubt(&mut self, doubt: FromDoubt) {
        self.doubt.get_or_insert(doubt);
    }
}

/// RFC 5322 section 2.2: a name is printable ASCII without space, and a colon ends it.
const fn is_of_name(byte: u8) -> bool {
    matches!(byte, b'!'..=b'~') && byte != b':'
}

/// Every address that a reader could find in the value of a From header, which is unfolded: the
/// line ends are gone. At least one.
///
/// # Errors
/// Why a reader might take it for somebody else.
pub fn addresses(value: &[u8]) -> Result<Vec<Address>, FromDoubt> {
    let text = std::str::from_utf8(value).map_err(|_| FromDoubt::NotUtf8)?;
    if text.chars().any(|c| c.is_control() && c != '\t') {
        return Err(FromDoubt::ControlCharacter);
    }
    if text.contains(AT_SIGNS) {
        return Err(FromDoubt::Unclear);
    }
    encoded_words::check(text)?;
    structure::check(text)?;
    let found = text.match_indices('@').map(|(at, _)| around(text, at));
    match found.collect::<Result<Vec<_>, _>>()? {
        none if none.is_empty() => Err(FromDoubt::NoAddress),
        found => Ok(found),
    }
}

/// The address around an `@`. One that might be longer or shorter than it looks is none: spaces
/// and comments may stand around its dots (RFC 5322 section 4.4), and not every reader knows that;
/// some drop spaces wherever they stand.
fn around(text: &str, at: usize) -> Result<Address, FromDoubt> {
    let (before, behind) = (&text[..at], &text[at + 1..]);
    let start = before.rfind(|c| !is_atom(c)).map_or(0, |end| end + width(before, end));
    let end = at + 1 + behind.find(|c| !is_atom(c)).unwrap_or(behind.len());
    let joins = |c: char| matches!(c, '.' | '@');
    let outside = |c: char| c == ' ' || c == '\t';
    let more = |c: char| joins(c) || is_atom(c);
    if text[..start].trim_end_matches(outside).ends_with(more)
        || text[end..].trim_start_matches(outside).starts_with(more)
        || text[..start].ends_with(['\\', ')', ']'])
        || text[end..].starts_with(['\\', '(', '[', ':'])
        || ["=?", "?="].iter().any(|mark| text[start..end].contains(mark))
    {
        return Err(FromDoubt::Unclear);
    }
    let word = &text[start..end];
    let word = word.strip_prefix('\'').and_then(|word| word.strip_suffix('\'')).unwrap_or(word);
    Address::parse(word).map_err(|_| FromDoubt::Unclear)
}

/// What an address without quotes is made of; `@` ends it.
fn is_atom(c: char) -> bool {
    let is_sign = matches!(c, '.' | '!' | '#'..='\'' | '*' | '+' | '-' | '/' | '=' | '?' | '^'..='`' | '{'..='~');
    c.is_ascii_alphanumeric() || is_sign || !c.is_ascii()
}

/// How long the character at this place is.
fn width(text: &str, at: usize) -> usize {
    text[at..].chars().next().map_or(1, char::len_utf8)
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// Why it is not beyond doubt whom a mail says it is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FromDoubt {
    /// There is none: readers then show the Sender, or something else.
    #[error("it is missing")]
    Missing,
    /// There are several.
    #[error("it stands there twice")]
    Twice,
    /// A line of the header is no field, so that readers differ in where the header ends.
    #[error("another line of the header is no header field")]
    NoField,
    /// It names nobody.
    #[error("it names no address")]
    NoAddress,
    /// Over [`MOST_BYTES`].
    #[error("it is too long")]
    TooLong,
    /// A NUL, or another control character.
    #[error("it has a control character in it")]
    ControlCharacter,
    /// Bytes over 127 that are not UTF-8.
    #[error("it has bytes in it that are not UTF-8")]
    NotUtf8,
    /// Readers may differ in whom it names.
    #[error("whom it names can be read in more than one way")]
    Unclear,
}

/// What else may become an `@`: full-width and small commercial at.
const AT_SIGNS: [char; 2] = ['\u{ff20}', '\u{fe6b}'];

/// As much of a From header as is kept, in bytes. A longer one is refused.
pub const MOST_BYTES: usize = 8 * 1024;

const FROM: &[u8] = b"from";
