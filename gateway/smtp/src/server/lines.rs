//! Command lines out of a stream of bytes, in constant memory.
//!
//! A line that lies whole in the input is used in place; only a line that is divided over several
//! reads is copied. Of a line that is too long nothing is kept (`attacks.md` A13).

use std::fmt;

use memchr::memchr;

use super::step::Hidden;

/// What is left of the last read. `Debug` does not show it: it may be a log-in.
#[derive(Default)]
pub(super) struct LineBuffer {
    partial: Vec<u8>,
    condition: Condition,
}

/// A whole line, without its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// It ended in CRLF.
    Whole(&'a [u8]),
    /// It ended in LF alone.
    BareNewline(&'a [u8]),
    /// It was longer than the limit and is gone.
    TooLong,
}

/// What `partial` holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Condition {
    /// The start of a line, or nothing.
    #[default]
    Collecting,
    /// A line that was handed out.
    Spent,
    /// Nothing: the line is too long, and its end is looked for.
    Skipping,
}

impl fmt::Debug for LineBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LineBuffer")
            .field("partial", &Hidden(&self.partial))
            .field("condition", &self.condition)
            .finish()
    }
}

impl LineBuffer {
    /// Takes the next line from `input`, or all of `input` if no line ends there.
    pub(super) fn take<'l, 'i: 'l>(
        &'l mut self,
        input: &mut &'i [u8],
        limit: Limit,
    ) -> Option<Line<'l>> {
        self.recycle();
        let Some(end) = memchr(b'\n', input) else {
            self.keep(std::mem::take(input), limit);
            return None;
        };
        let (line, rest) = input.split_at(end + 1);
        *input = rest;
        if self.condition == Condition::Collecting && self.partial.is_empty() {
            return Some(limit.check(line));
        }
        self.keep(line, limit);
        if self.condition == Condition::Skipping {
            self.condition = Condition::Collecting;
            return Some(Line::TooLong);
        }
        self.condition = Condition::Spent;
        Some(limit.check(&self.partial))
    }

    /// Drops everything: what came before TLS, or after the end.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Bytes of memory in use.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.partial.capacity()
    }

    fn keep(&mut self, bytes: &[u8], limit: Limit) {
        if self.condition == Condition::Skipping {
            return;
        }
        let room = (LONGEST + 2).saturating_sub(self.partial.len());
        if bytes.len() <= room {
            self.partial.extend_from_slice(bytes);
        }
        if bytes.len() > room || self.partial.len() > limit.of(&self.partial) + 2 {
            self.partial = Vec::new();
            self.condition = Condition::Skipping;
        }
    }

    fn recycle(&mut self) {
        if self.condition == Condition::Spent {
            self.partial = Vec::new();
            self.condition = Condition::Collecting;
        }
    }
}

/// How long a line may be, in bytes without its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    /// A command; AUTH may be as long as an AUTH response.
    Command(usize),
    /// A response in an AUTH exchange (RFC 4954 section 4).
    AuthResponse,
}

impl Limit {
    fn of(self, line: &[u8]) -> usize {
        let is_auth = || line.get(..5).is_some_and(|verb| verb.eq_ignore_ascii_case(b"AUTH "));
        match self {
            Self::Command(limit) if !is_auth() => limit.min(LONGEST),
            Self::Command(_) | Self::AuthResponse => LONGEST,
        }
    }

    /// `line` ends in LF.
    fn check(self, line: &[u8]) -> Line<'_> {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let (text, found) = match text.strip_suffix(b"\r") {
            Some(text) => (text, Line::Whole(text)),
            None => (text, Line::BareNewline(text)),
        };
        if text.len() > self.of(text) { Line::TooLong } else { found }
    }
}

/// RFC 4954 section 4: the longest line of all.
const LONGEST: usize = 12_288;

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Limit = Limit::Command(10);

    fn lines(pieces: &[&[u8]]) -> Vec<String> {
        let mut buffer = LineBuffer::default();
        let mut found = Vec::new();
        for piece in pieces {
            let mut input = *piece;
            while let Some(line) = buffer.take(&mut input, LIMIT) {
                found.push(match line {
                    Line::Whole(text) => String::from_utf8_lossy(text).into_owned(),
                    Line::BareNewline(text) => format!("{} bare", String::from_utf8_lossy(text)),
                    Line::TooLong => "too long".to_owned(),
                });
            }
            assert!(input.is_empty());
        }
        found
    }

    #[test]
    fn lines_are_the_same_however_the_input_is_divided() {
        let sent = b"NOOP\r\n\r\nQUIT\n0123456789\r\n01234567890\r\nAUTH 0123456789\r\nx\r\r\n";
        let expected =
            ["NOOP", "", "QUIT bare", "0123456789", "too long", "AUTH 0123456789", "x\r"];
        assert_eq!(lines(&[sent]), expected);
        assert_eq!(lines(&sent.chunks(1).collect::<Vec<_>>()), expected);
        for at in 0..sent.len() {
            let (a, b) = sent.split_at(at);
            assert_eq!(lines(&[a, b]), expected, "divided at {at}");
        }
    }

    #[test]
    fn a_line_without_end_is_skipped_in_constant_memory() {
        let mut buffer = LineBuffer::default();
        for _ in 0..1000 {
            let mut input: &[u8] = &[b'a'; 4096];
            assert_eq!(buffer.take(&mut input, LIMIT), None);
            assert!(buffer.capacity() <= 2 * LONGEST);
        }
        let mut input: &[u8] = b"a\r\nNOOP\r\n";
        assert_eq!(buffer.take(&mut input, LIMIT), Some(Line::TooLong));
        assert_eq!(buffer.take(&mut input, LIMIT), Some(Line::Whole(b"NOOP")));
    }
}
