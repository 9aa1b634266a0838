//! Encoded words (RFC 2047, with the language of RFC 2231 section 5).
//!
//! Words that follow each other in one charset are one text: programs split them in the middle of
//! a character, though they must not.

use super::super::charset::{Charset, Fallbacks};
use super::super::transfer::{Base64, hex};

/// The readings of an unfolded text: more than one only if what is not encoded has 8-bit bytes.
pub(super) fn decode(text: &[u8], fallbacks: &Fallbacks, declared: Option<Charset>) -> Vec<String> {
    let segments = segments(text, fallbacks, declared);
    // All raw segments are one text in one charset. No LF is left inside of them.
    let raw: Vec<&[u8]> = segments.iter().filter_map(Segment::raw).collect();
    let readings = fallbacks.readings(&raw.join(&b'\n'), declared);
    readings
        .iter()
        .map(|reading| {
            let mut lines = reading.split('\n');
            let texts = segments.iter().map(|segment| match segment {
                Segment::Raw(_) => lines.next().unwrap_or_default(),
                Segment::Decoded(text) => text,
            });
            texts.collect()
        })
        .collect()
}

enum Segment<'a> {
    Raw(&'a [u8]),
    Decoded(String),
}

impl<'a> Segment<'a> {
    fn raw(&self) -> Option<&'a [u8]> {
        match self {
            Self::Raw(bytes) => Some(bytes),
            Self::Decoded(_) => None,
        }
    }
}

fn segments<'a>(
    text: &'a [u8],
    fallbacks: &Fallbacks,
    declared: Option<Charset>,
) -> Vec<Segment<'a>> {
    let mut segments = Vec::new();
    let mut open: Option<Open<'a>> = None;
    let (mut done, mut from, mut next_end) = (0, 0, 0);
    while let Some(start) = find(text, from, b"=?") {
        // Each end is looked for once, and without one there is no word further on: linear.
        if next_end < start + 2 {
            let Some(end) = find(text, start + 2, b"?=") else { break };
            next_end = end;
        }
        let Some(word) = Word::parse(text, start) else {
            from = start + 2;
            continue;
        };
        let gap = text.get(done..start).unwrap_or_default();
        let is_next = open.as_ref().is_some_and(|open| open.label.eq_ignore_ascii_case(word.label));
        let is_gap_dropped = open.is_some() && gap.iter().all(u8::is_ascii_whitespace);
        if !(is_next && is_gap_dropped) {
            segments.extend(open.take().map(|open| open.close(fallbacks, declared)));
        }
        if !is_gap_dropped && !gap.is_empty() {
            segments.push(Segment::Raw(gap));
        }
        let open = open.get_or_insert_with(|| Open { label: word.label, bytes: Vec::new() });
        word.decode(&mut open.bytes);
        (done, from) = (word.end, word.end);
    }
    segments.extend(open.map(|open| open.close(fallbacks, declared)));
    segments.extend(text.get(done..).filter(|rest| !rest.is_empty()).map(Segment::Raw));
    segments
}

/// Words of one charset whose text is not complete yet.
struct Open<'a> {
    label: &'a [u8],
    bytes: Vec<u8>,
}

impl Open<'_> {
    fn close<'a>(self, fallbacks: &Fallbacks, declared: Option<Charset>) -> Segment<'a> {
        Segment::Decoded(match Charset::for_label(self.label) {
            Some(charset) => charset.decode(&self.bytes),
            None => fallbacks.best(&self.bytes, declared),
        })
    }
}

/// `=?label?B?text?=` or `=?label?Q?text?=`.
struct Word<'a> {
    label: &'a [u8],
    is_base64: bool,
    text: &'a [u8],
    end: usize,
}

impl<'a> Word<'a> {
    fn parse(text: &'a [u8], start: usize) -> Option<Self> {
        let label_at = start + 2;
        let window = text.get(label_at..)?;
        let label_end = memchr::memchr(b'?', window.get(..LONGEST_LABEL).unwrap_or(window))?;
        let label = window.get(..label_end).filter(|label| is_label(label))?;
        let [encoding, b'?', ..] = window.get(label_end + 1..)? else { return None };
        let is_base64 = match encoding {
            b'B' | b'b' => true,
            b'Q' | b'q' => false,
            _ => return None,
        };
        let text_at = label_at + label_end + 3;
        // Base64 has no question mark; the Q encoding should have none, but programs leave it.
        let text_end = match is_base64 {
            true => find(text, text_at, b"?").filter(|&at| text.get(at + 1) == Some(&b'='))?,
            false => find(text, text_at, b"?=")?,
        };
        let encoded = text.get(text_at..text_end)?;
        Some(Self { label, is_base64, text: encoded, end: text_end + 2 })
    }

    fn decode(&self, bytes: &mut Vec<u8>) {
        if self.is_base64 {
            Base64::default().feed(self.text, bytes);
        } else {
            decode_q(self.text, bytes);
        }
    }
}

/// RFC 2047 section 4.2.
fn decode_q(text: &[u8], bytes: &mut Vec<u8>) {
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        let escaped = match tail {
            [high, low, ..] if *first == b'=' => hex(*high).zip(hex(*low)),
            _ => None,
        };
        if let Some((high, low)) = escaped {
            bytes.push(high << 4 | low);
            rest = tail.get(2..).unwrap_or_default();
        } else {
            bytes.push(if *first == b'_' { b' ' } else { *first });
            rest = tail;
        }
    }
}

fn is_label(label: &[u8]) -> bool {
    !label.is_empty() && label.iter().all(u8::is_ascii_graphic)
}

fn find(text: &[u8], from: usize, what: &[u8]) -> Option<usize> {
    memchr::memmem::find(text.get(from..)?, what).map(|at| from + at)
}

/// With a language tag. Longer ones are no label.
const LONGEST_LABEL: usize = 96;
