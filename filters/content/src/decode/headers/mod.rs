//! Headers as a person reads them: unfolded, encoded words (RFC 2047) and parameters (RFC 2231)
//! decoded, raw 8-bit text understood, in UTF-8 and in the one form of `visible`.
//!
//! Encoded words are decoded wherever they stand, inside quoted strings too, since mail programs do
//! so. All work is linear in the field, and the result bounded.

mod params;
#[cfg(test)]
mod tests;
mod words;

use std::borrow::Cow;

pub(super) use params::{Param, Parsed, parse};

use super::charset::{Charset, Fallbacks};
use super::visible::visible_within;
use crate::bytes::are_printable;

/// Decodes header fields of one mail.
#[derive(Clone, Debug, Default)]
pub struct HeaderDecoder {
    fallbacks: Fallbacks,
    declared: Option<Charset>,
}

impl HeaderDecoder {
    /// A decoder that reads raw 8-bit text by these fallbacks.
    #[must_use]
    pub fn new(fallbacks: Fallbacks) -> Self {
        Self { fallbacks, declared: None }
    }

    /// The same, for a mail whose text declares this charset: raw 8-bit headers are most likely in
    /// it too.
    #[must_use]
    pub fn with_declared(mut self, charset: Option<Charset>) -> Self {
        self.declared = charset;
        self
    }

    /// The readings of a field, `Name: value` with its folds, the most likely first. There is one,
    /// and more only if the field has 8-bit bytes that are not UTF-8 (`Fallbacks::readings`).
    ///
    /// Only the first 128 KiB of a field are looked at, and each reading ends after 256 KiB.
    #[must_use]
    pub fn field(&self, text: &[u8]) -> Vec<String> {
        if let Some(reading) = Self::plain(text) {
            return vec![reading.into_owned()];
        }
        let text = unfold(text.get(..LONGEST_FIELD).unwrap_or(text));
        let colon = memchr::memchr(b':', &text).map_or(0, |at| at + 1);
        let (name, value) = text.split_at(colon);
        let has_params = may_have_params(name);
        let name = String::from_utf8_lossy(name);
        self.value(value, has_params)
            .into_iter()
            .map(|value| visible_within(&format!("{name}{value}"), LONGEST_READING).into_owned())
            .collect()
    }

    /// The one reading of a field in which nothing is encoded and all is ASCII, as nearly all are: what `field` gives, without
    /// its cost.
    #[must_use]
    pub fn plain(text: &[u8]) -> Option<Cow<'_, str>> {
        let mut text = unfold(text.get(..LONGEST_FIELD).unwrap_or(text));
        if may_be_encoded(&text) {
            return None;
        }
        if memchr::memchr(b'\t', &text).is_some() {
            let blank = |&byte: &u8| if byte == b'\t' { b' ' } else { byte };
            text = text.iter().map(blank).collect();
        }
        if !are_printable(&text) {
            return None;
        }
        match text {
            Cow::Borrowed(text) => std::str::from_utf8(text).ok().map(Cow::Borrowed),
            Cow::Owned(text) => String::from_utf8(text).ok().map(Cow::Owned),
        }
    }

    /// The readings of a text as it stands in headers, not yet `visible`.
    pub(super) fn texts(&self, text: &[u8]) -> Vec<String> {
        words::decode(text, &self.fallbacks, self.declared)
    }

    fn value(&self, value: &[u8], has_params: bool) -> Vec<String> {
        let is_candidate = has_params && value.contains(&b'*');
        let parsed = is_candidate.then(|| parse(value));
        match parsed.filter(|parsed| parsed.params.iter().any(Param::is_extended)) {
            Some(parsed) => self.texts(&parsed.in_plain(&self.fallbacks)),
            None => self.texts(value),
        }
    }
}

/// The text without its line ends; the blanks that the folded lines begin with stay.
fn unfold(text: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr2(b'\r', b'\n', text).is_none() {
        return Cow::Borrowed(text);
    }
    let mut unfolded = Vec::with_capacity(text.len());
    let mut begin = 0;
    for end in memchr::memchr2_iter(b'\r', b'\n', text) {
        unfolded.extend_from_slice(text.get(begin..end).unwrap_or_default());
        begin = end + 1;
    }
    unfolded.extend_from_slice(text.get(begin..).unwrap_or_default());
    Cow::Owned(unfolded)
}

/// Whether an unfolded field may have more in it than what stands there.
fn may_be_encoded(text: &[u8]) -> bool {
    let has_words = memchr::memchr_iter(b'=', text).any(|at| text.get(at + 1) == Some(&b'?'));
    has_words || may_have_params(text) && memchr::memchr(b'*', text).is_some()
}

fn may_have_params(field: &[u8]) -> bool {
    field.get(..8).is_some_and(|name| name.eq_ignore_ascii_case(b"content-"))
}

/// Postfix cuts headers at 102,400 bytes (`header_size_limit`); this is beyond.
const LONGEST_FIELD: usize = 128 * 1024;
/// A byte of a one-byte charset takes up to three in UTF-8.
const LONGEST_READING: usize = 256 * 1024;
