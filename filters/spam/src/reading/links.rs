//! Addresses of the web in text: what mail programs make clickable.
//!
//! Found by `://` behind a scheme, and by `www.` at the beginning of a word. Linear in the line.

use std::ops::Range;

/// Finds links. Keeps its memory from line to line.
#[derive(Default)]
pub(super) struct Links {
    found: Vec<Range<usize>>,
}

impl Links {
    /// Whether `find` may find any in these lines: to pass over most lines of most mails at once.
    pub(super) fn may_be_in(lines: &str) -> bool {
        begin(lines.as_bytes(), 0).is_some()
    }

    /// The links of a line, in order, none within another; at most `MOST_LINKS`.
    pub(super) fn find(&mut self, line: &str) -> &[Range<usize>] {
        self.found.clear();
        let bytes = line.as_bytes();
        let mut from = 0;
        while self.found.len() < MOST_LINKS
            && let Some(Range { start, end: mark }) = begin(bytes, from)
        {
            let end = end(bytes, start, mark);
            from = end.max(mark);
            // Both ends are at ASCII characters or the end of the line.
            if end > mark && line.get(start..end).is_some() {
                self.found.push(start..end);
            }
        }
        &self.found
    }
}

/// Where the next link may begin, and where what it is known by ends.
fn begin(line: &[u8], from: usize) -> Option<Range<usize>> {
    let rest = line.get(from..)?;
    memchr::memchr2_iter(b':', b'.', rest).find_map(|at| {
        let at = from + at;
        let before = line.get(from..at)?;
        if line.get(at) == Some(&b':') {
            let scheme = scheme_length(before);
            let is_link = scheme > 0 && line.get(at..at + 3) == Some(b"://");
            return is_link.then(|| at - scheme..at + 3);
        }
        let word = before.get(before.len().checked_sub(3)?..)?;
        let start = at - 3;
        let is_inside =
            start.checked_sub(1).and_then(|before| line.get(before)).is_some_and(is_letter);
        let is_link = word.eq_ignore_ascii_case(b"www") && !is_inside;
        is_link.then(|| start..at + 1)
    })
}

const fn is_letter(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || *byte >= 0x80
}

/// How many letters stand at the end of a text.
fn scheme_length(before: &[u8]) -> usize {
    let letters = before.iter().rev().take(LONGEST_SCHEME);
    letters.take_while(|byte| byte.is_ascii_alphabetic()).count()
}

/// Where a link ends: at a blank or bracket, and before what ends a sentence.
fn end(line: &[u8], start: usize, mark: usize) -> usize {
    let rest = line.get(mark..).unwrap_or_default();
    let room = super::LONGEST_LINK.saturating_sub(mark - start);
    let rest = rest.get(..room).unwrap_or(rest);
    let is_end = |byte: &u8| {
        *byte <= b' '
            || matches!(byte, b'<' | b'>' | b'"' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' | 0x7f)
    };
    let length = rest.iter().position(is_end).unwrap_or(rest.len());
    let link = rest.get(..length).unwrap_or_default();
    let is_mark = |byte: &&u8| {
        matches!(byte, b'.' | b',' | b';' | b':' | b'!' | b'?' | b')' | b']' | b'\'' | b'*' | b'_')
    };
    mark + length - link.iter().rev().take_while(is_mark).count()
}

/// More links of one line tell nothing more.
const MOST_LINKS: usize = 64;

/// `javascript` has ten letters.
const LONGEST_SCHEME: usize = 12;
