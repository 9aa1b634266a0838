//! Who a header field says has authenticated the mail: is it us? (RFC 8601 section 5.)
//!
//! A program behind us believes fields with our id. It may read comments, quotes and blanks in its own way, so a field is
//! somebody else's only if its id is plain; in doubt it is nobody's, and better gone.

use super::{AuthservId, FIELD};

/// What a header field claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// It is another field. ARC-Authentication-Results is one too: its chain says whose it is.
    OtherField,
    /// It has the results of somebody else: they are kept.
    Other,
    /// It claims to be ours. Unless we have just written it, it is forged or from an earlier pass: to be removed.
    Ours,
    /// It cannot be read beyond doubt who claims to have written it: to be removed.
    Unreadable,
}

impl Claim {
    /// Reads a whole field, `Name: value`, with or without its line ends. Linear in what stands before the first
    /// result.
    #[must_use]
    pub fn of(field: &[u8], ours: &[AuthservId]) -> Self {
        let Some(at) = field.iter().position(|&byte| byte == b':') else {
            return Self::OtherField;
        };
        let (name, rest) = field.split_at_checked(at).unwrap_or_default();
        // White space in a name, NULs too: some programs see the field, and some do not.
        let visible = || name.iter().filter(|byte| byte.is_ascii_graphic());
        if !visible()
            .map(u8::to_ascii_lowercase)
            .eq(FIELD.bytes().map(|byte| byte.to_ascii_lowercase()))
        {
            return Self::OtherField;
        }
        Self::of_value(rest.get(1..).unwrap_or_default(), ours)
    }

    fn of_value(value: &[u8], ours: &[AuthservId]) -> Self {
        let Some(words) = words(value) else {
            return Self::Unreadable;
        };
        let is_ours = |word: &Word| ours.iter().any(|id| id.is_meant_by(&word.plain));
        if words.iter().any(is_ours) {
            return Self::Ours;
        }
        // The id, and a version behind it (section 2.2).
        match words.as_slice() {
            [id] if id.is_plain => Self::Other,
            [id, version]
                if id.is_plain && version.plain.bytes().all(|byte| byte.is_ascii_digit()) =>
            {
                Self::Other
            }
            _ => Self::Unreadable,
        }
    }
}

/// A word before the first semicolon.
#[derive(Debug)]
struct Word {
    /// Without quotes.
    plain: String,
    /// Whether every program reads it in the same way.
    is_plain: bool,
}

/// The words before the first semicolon that is in no comment and in no quotes; nothing, if a comment or quotes do not end,
/// or there is too much of it.
fn words(value: &[u8]) -> Option<Vec<Word>> {
    let mut words = Vec::new();
    let mut rest = value;
    while let Some((&byte, behind)) = rest.split_first() {
        rest = match byte {
            b';' => break,
            b'(' => comment(behind)?,
            b' ' | b'\t' | b'\r' | b'\n' => behind,
            _ => {
                let (word, behind) = word(rest)?;
                words.push(word);
                behind
            }
        };
        if words.len() > MOST_WORDS {
            return None;
        }
    }
    Some(words)
}

/// What stands behind a comment; comments nest (RFC 5322 section 3.2.2).
fn comment(text: &[u8]) -> Option<&[u8]> {
    let mut depth = 1_usize;
    let mut bytes = text.iter().enumerate();
    while let Some((at, &byte)) = bytes.next() {
        match byte {
            b'\\' => {
                bytes.next();
            }
            b'(' => depth = depth.saturating_add(1),
            b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return text.get(at.saturating_add(1)..);
        }
    }
    None
}

/// The next word and what stands behind it. Quotes within a word are left out of it, as some programs do.
fn word(text: &[u8]) -> Option<(Word, &[u8])> {
    let mut plain = Vec::new();
    let mut is_plain = true;
    let mut rest = text;
    while let Some((&byte, behind)) = rest.split_first() {
        rest = match byte {
            b';' | b'(' | b' ' | b'\t' | b'\r' | b'\n' => break,
            b'"' => {
                is_plain &= rest.len() == text.len();
                let (inner, behind) = quoted(behind)?;
                plain.extend_from_slice(&inner);
                behind
            }
            _ => {
                plain.push(byte);
                behind
            }
        };
    }
    let plain = String::from_utf8_lossy(&plain).into_owned();
    let is_of_id = |c: char| {
        c.is_ascii_alphanumeric() || "-_.".contains(c) || (!c.is_ascii() && c.is_alphanumeric())
    };
    is_plain &= !plain.is_empty() && plain.chars().all(is_of_id);
    // Bytes that nobody can see are dropped by some.
    let seen = plain.chars().filter(|c| !c.is_control() && *c != '\u{fffd}').collect();
    Some((Word { plain: seen, is_plain }, rest))
}

/// The content of a quoted string, and what stands behind it.
fn quoted(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut inner = Vec::new();
    let mut bytes = text.iter().enumerate();
    while let Some((at, &byte)) = bytes.next() {
        match byte {
            b'"' => return Some((inner, text.get(at.saturating_add(1)..)?)),
            b'\\' => inner.extend(bytes.next().map(|(_, &byte)| byte)),
            b'\r' | b'\n' => {}
            _ => inner.push(byte),
        }
    }
    None
}

/// An id and a version are two; more has no honest field.
const MOST_WORDS: usize = 16;
