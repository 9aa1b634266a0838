//! The logical lines of a table's source, as postmap(1) and all tables of patterns read them.
//!
//! A line that begins with white space continues the one before it; blank lines and lines whose
//! first character is `#` are as if they were not there, inside a continued line too.

use std::borrow::Cow;

use crate::text::{is_space, printable};

/// One piece of a source.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line<'s> {
    /// A logical line and where it begins, from 1. Never empty, and begins with no white space.
    Logical(u32, Cow<'s, [u8]>),
    /// A continuation that continues nothing; it is skipped. What postmap says of it.
    Stray(u32, String),
}

/// Iterates over the logical lines of a source.
#[derive(Clone, Debug)]
pub(crate) struct Lines<'s> {
    rest: &'s [u8],
    /// How many lines were read.
    line: u32,
}

impl<'s> Lines<'s> {
    pub(crate) fn new(source: &'s [u8]) -> Self {
        Self { rest: source, line: 0 }
    }

    /// The next line of the file, without its newline.
    fn physical(&mut self) -> Option<&'s [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        self.line = self.line.saturating_add(1);
        let end = memchr::memchr(b'\n', self.rest);
        let line = &self.rest[..end.unwrap_or(self.rest.len())];
        self.rest = end.map_or(&[], |end| &self.rest[end + 1..]);
        Some(line)
    }

    /// Whether the next line belongs to this one, if only by being a comment or blank.
    fn goes_on(&self) -> bool {
        self.rest.first().is_some_and(|&byte| byte == b'#' || is_space(byte))
    }

    /// The first line with something on it, and its number.
    fn first(&mut self) -> Option<(u32, &'s [u8])> {
        loop {
            let line = self.physical()?;
            if !is_blank(line) {
                return Some((self.line, line));
            }
        }
    }
}

impl<'s> Iterator for Lines<'s> {
    type Item = Line<'s>;

    fn next(&mut self) -> Option<Line<'s>> {
        let (number, first) = self.first()?;
        let mut text = Cow::Borrowed(first);
        while self.goes_on() {
            let Some(line) = self.physical() else { break };
            if !is_blank(line) {
                text.to_mut().extend_from_slice(line);
            }
        }
        if !first.first().copied().is_some_and(is_space) {
            return Some(Line::Logical(number, text));
        }
        let (shown, more) = match text.get(..SHOWN) {
            Some(shown) if text.len() > SHOWN => (shown, "..."),
            _ => (&*text, ""),
        };
        let shown = printable(shown);
        let said = format!("logical line must not start with whitespace: \"{shown}{more}\"");
        Some(Line::Stray(number, said))
    }
}

fn is_blank(line: &[u8]) -> bool {
    line.iter().copied().find(|&byte| !is_space(byte)).is_none_or(|byte| byte == b'#')
}

/// How much of a stray line a warning shows.
const SHOWN: usize = 30;

#[cfg(test)]
mod tests {
    use super::*;

    fn logical(source: &str) -> Vec<(u32, String)> {
        let lines = Lines::new(source.as_bytes()).filter_map(|line| match line {
            Line::Logical(number, text) => {
                Some((number, String::from_utf8_lossy(&text).into_owned()))
            }
            Line::Stray(..) => None,
        });
        lines.collect()
    }

    #[test]
    fn a_line_that_begins_with_white_space_continues_the_one_before() {
        let lines = logical("a b\n  c\n\td\ne f");
        assert_eq!(lines, [(1, "a b  c\td".to_owned()), (4, "e f".to_owned())]);
    }

    #[test]
    fn comments_and_blank_lines_do_not_end_a_logical_line() {
        let lines = logical("# first\na b\n# between\n\n   # indented\n  c\n\ne f\n");
        assert_eq!(lines, [(2, "a b  c".to_owned()), (8, "e f".to_owned())]);
    }

    #[test]
    fn a_continuation_of_nothing_is_skipped_and_said() {
        let mut lines =
            Lines::new(b"# c\n  x y this is a long logical line which does not fit\nq r");
        let said =
            "logical line must not start with whitespace: \"  x y this is a long logical l...\"";
        assert_eq!(lines.next(), Some(Line::Stray(2, said.to_owned())));
        assert_eq!(lines.next(), Some(Line::Logical(3, b"q r".as_slice().into())));
        assert_eq!(lines.next(), None);
    }
}
