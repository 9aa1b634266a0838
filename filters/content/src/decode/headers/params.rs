//! Parameters of MIME headers (RFC 2045 section 5.1), with continuations and charsets (RFC 2231).
//!
//! Programs disagree about blanks, comments and what stands behind a quoted string, so a parameter
//! has several values where it is malformed.

use std::collections::BTreeMap;

use super::super::charset::{Charset, Fallbacks};
use super::super::transfer::hex;
use super::HeaderDecoder;

/// What a MIME header says.
#[derive(Debug)]
pub(in crate::decode) struct Parsed {
    /// What stands before the first `;`, comments removed.
    pub(in crate::decode) main: Vec<u8>,
    /// In the order in which their names appear first.
    pub(in crate::decode) params: Vec<Param>,
    /// There were more values of a parameter than are kept.
    pub(in crate::decode) is_cut: bool,
}

/// A parameter with all that was said of it.
#[derive(Debug, Default)]
pub(in crate::decode) struct Param {
    /// In lower case, without the `*0*` of RFC 2231.
    pub(in crate::decode) name: String,
    /// The values of `name=value`, as different programs read them.
    pub(in crate::decode) plain: Vec<Vec<u8>>,
    /// The segments of `name*0*=...` by their numbers: of two with one number the first.
    sections: Sections,
    /// The same, but of two with one number the last.
    later_sections: Sections,
}

type Sections = BTreeMap<u32, Section>;

#[derive(Clone, Debug)]
struct Section {
    is_encoded: bool,
    value: Vec<u8>,
}

impl Param {
    /// It was said in the way of RFC 2231.
    pub(in crate::decode) fn is_extended(&self) -> bool {
        !self.sections.is_empty()
    }

    /// The bytes of what RFC 2231 says, with the label of their charset.
    pub(in crate::decode) fn extended(&self) -> Option<(Vec<u8>, Vec<u8>)> {
        joined(self.sections.values())
    }

    /// The same in every way that programs put it together: some take the last of two sections with
    /// one number, some stop where a number is missing.
    pub(in crate::decode) fn all_extended(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let counted = (0..).zip(&self.sections);
        let until_gap = counted.take_while(|(wanted, (number, _))| wanted == *number);
        let until_gap = joined(until_gap.map(|(_, (_, section))| section));
        let later = joined(self.later_sections.values());
        [self.extended(), later, until_gap].into_iter().flatten().collect()
    }

    /// All readings of the value as text, the one of RFC 2231 first; not yet `visible`.
    pub(in crate::decode) fn texts(&self, decoder: &HeaderDecoder) -> Vec<String> {
        let mut texts = Vec::new();
        for (label, bytes) in self.all_extended() {
            match Charset::for_label(&label) {
                Some(charset) => texts.push(charset.decode(&bytes)),
                // A program that does not know it may look for encoded words too.
                None => texts.extend(decoder.texts(&bytes)),
            }
        }
        for value in &self.plain {
            texts.extend(decoder.texts(value));
        }
        texts
    }
}

impl Parsed {
    /// The header with its RFC 2231 parameters as plain ones, in UTF-8.
    pub(super) fn in_plain(&self, fallbacks: &Fallbacks) -> Vec<u8> {
        let mut text = [b" ", self.main.as_slice()].concat();
        for param in &self.params {
            let extended = param.extended().map(|(label, bytes)| {
                let charset = Charset::for_label(&label);
                charset
                    .map_or_else(|| fallbacks.best(&bytes, None), |charset| charset.decode(&bytes))
            });
            let values = param.plain.iter().take(1).map(Vec::as_slice);
            for value in extended.as_ref().map(String::as_bytes).into_iter().chain(values) {
                text.extend_from_slice(b"; ");
                text.extend_from_slice(param.name.as_bytes());
                text.extend_from_slice(b"=\"");
                text.extend_from_slice(value);
                text.push(b'"');
            }
        }
        text
    }
}

/// The bytes of sections in their order, with the label of their charset.
fn joined<'s>(sections: impl Iterator<Item = &'s Section>) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut sections = sections.peekable();
    let has_label = sections.peek()?.is_encoded;
    let mut label = Vec::new();
    let mut bytes = Vec::new();
    for (place, section) in sections.enumerate() {
        let mut value = section.value.as_slice();
        if place == 0 && has_label {
            let mut quotes = memchr::memchr_iter(b'\'', value);
            if let (Some(charset_end), Some(language_end)) = (quotes.next(), quotes.next()) {
                label = value.get(..charset_end).unwrap_or_default().to_vec();
                value = value.get(language_end + 1..).unwrap_or_default();
            }
        }
        match section.is_encoded {
            true => decode_percent(value, &mut bytes),
            false => bytes.extend_from_slice(value),
        }
    }
    Some((label, bytes))
}

/// Reads the value of a header, folded or not.
pub(in crate::decode) fn parse(value: &[u8]) -> Parsed {
    let mut items = split(value).into_iter();
    let main = without_comments(items.next().unwrap_or_default());
    let mut params: Vec<Param> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut is_cut = false;
    for item in items {
        let Some(equals) = memchr::memchr(b'=', item) else { continue };
        let (name, value) = item.split_at(equals);
        let name = String::from_utf8_lossy(&without_comments(name)).trim().to_ascii_lowercase();
        let value = value.get(1..).unwrap_or_default();
        let (base, number, is_encoded) = numbered(&name);
        let at = *places.entry(base.to_owned()).or_insert_with(|| {
            params.push(Param { name: base.to_owned(), ..Param::default() });
            params.len() - 1
        });
        let Some(param) = params.get_mut(at) else { continue };
        let mut values = values(value);
        match number {
            Some(number) if !values.is_empty() => {
                let section = Section { is_encoded, value: values.swap_remove(0) };
                param.later_sections.insert(number, section.clone());
                param.sections.entry(number).or_insert(section);
            }
            Some(_) => {}
            None => values.into_iter().for_each(|value| is_cut |= !add(&mut param.plain, value)),
        }
    }
    Parsed { main, params, is_cut }
}

/// `name*1*` is name, 1 and encoded; `name*` is section 0, encoded; `name` has no number.
fn numbered(name: &str) -> (&str, Option<u32>, bool) {
    let Some((base, rest)) = name.split_once('*') else { return (name, None, false) };
    let (digits, is_encoded) = match rest.strip_suffix('*') {
        Some(digits) => (digits, true),
        None => (rest, rest.is_empty()),
    };
    match digits.parse() {
        Ok(number) => (base.trim_end(), Some(number), is_encoded),
        Err(_) if digits.is_empty() => (base.trim_end(), Some(0), true),
        Err(_) => (name, None, false),
    }
}

/// The items between semicolons that are neither quoted nor in a comment.
fn split(value: &[u8]) -> Vec<&[u8]> {
    let mut items = Vec::new();
    let mut scanner = Scanner::default();
    let mut start = 0;
    for (at, &byte) in value.iter().enumerate() {
        if scanner.next(byte) == Place::Outside && byte == b';' {
            items.push(value.get(start..at).unwrap_or_default());
            start = at + 1;
        }
    }
    items.push(value.get(start..).unwrap_or_default());
    items
}

fn without_comments(text: &[u8]) -> Vec<u8> {
    let mut scanner = Scanner::default();
    let kept = text.iter().copied().filter(|&byte| scanner.next(byte) != Place::Comment);
    let kept: Vec<u8> = kept.filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
    kept.trim_ascii().to_vec()
}

/// The values of what stands behind `=`: as the standard has it first.
fn values(text: &[u8]) -> Vec<Vec<u8>> {
    let text = text.trim_ascii();
    let mut values = Vec::new();
    if let Some(quoted) = text.strip_prefix(b"\"") {
        let (inner, behind) = unquote(quoted);
        if !behind.is_empty() {
            add(&mut values, [inner.as_slice(), behind].concat());
        }
        values.insert(0, inner);
        return values;
    }
    let plain = without_comments(text);
    let token = plain.split(u8::is_ascii_whitespace).next().unwrap_or_default();
    add(&mut values, plain.clone());
    add(&mut values, token.to_vec());
    add(&mut values, text.iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect());
    values
}

/// The content of a quoted string whose opening quote is gone, and what stands behind it.
fn unquote(text: &[u8]) -> (Vec<u8>, &[u8]) {
    let mut inner = Vec::with_capacity(text.len());
    let mut is_escaped = false;
    for (at, &byte) in text.iter().enumerate() {
        match byte {
            b'\r' | b'\n' => {}
            _ if std::mem::take(&mut is_escaped) => inner.push(byte),
            b'\\' => is_escaped = true,
            b'"' => return (inner, text.get(at + 1..).unwrap_or_default().trim_ascii()),
            _ => inner.push(byte),
        }
    }
    (inner, b"")
}

/// False if a value had to go. Of many, programs take the first or the last.
fn add(values: &mut Vec<Vec<u8>>, value: Vec<u8>) -> bool {
    if values.contains(&value) {
        return true;
    }
    let has_room = values.len() < MOST_VALUES;
    if !has_room {
        values.pop();
    }
    values.push(value);
    has_room
}

fn decode_percent(text: &[u8], bytes: &mut Vec<u8>) {
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        let escaped = match tail {
            [high, low, ..] if *first == b'%' => hex(*high).zip(hex(*low)),
            _ => None,
        };
        rest = if escaped.is_some() { tail.get(2..).unwrap_or_default() } else { tail };
        bytes.push(escaped.map_or(*first, |(high, low)| high << 4 | low));
    }
}

/// Where a byte stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Outside,
    Quoted,
    Comment,
}

/// Follows quoted strings and comments (RFC 5322 section 3.2).
#[derive(Default)]
struct Scanner {
    is_quoted: bool,
    is_escaped: bool,
    comments: usize,
}

impl Scanner {
    fn next(&mut self, byte: u8) -> Place {
        let is_escaped = std::mem::take(&mut self.is_escaped);
        let is_inside = self.is_quoted || self.comments > 0;
        if is_escaped {
            // Stands for itself.
        } else if byte == b'\\' && is_inside {
            self.is_escaped = true;
        } else if self.comments > 0 {
            match byte {
                b'(' => self.comments += 1,
                b')' => self.comments -= 1,
                _ => {}
            }
            return Place::Comment;
        } else if byte == b'"' {
            self.is_quoted = !self.is_quoted;
            return Place::Quoted;
        } else if byte == b'(' && !self.is_quoted {
            self.comments = 1;
        }
        match (self.is_quoted, self.comments > 0) {
            (true, _) => Place::Quoted,
            (false, true) => Place::Comment,
            (false, false) => Place::Outside,
        }
    }
}

/// More values of one parameter are not kept.
const MOST_VALUES: usize = 8;
