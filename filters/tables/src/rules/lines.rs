//! Logical lines: what Postfix reads as one line of a table (regexp_table(5), "multi-line text").
//!
//! A line that starts with white space continues the one before, across comments and blank lines
//! between them. White space at the end is not part of a line.

/// A line and the number, from 1, of its first physical line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LogicalLine {
    pub(super) number: u32,
    pub(super) text: Vec<u8>,
}

/// Something between the rules of a table that is not a rule.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Text that may be a rule.
    Text(LogicalLine),
    /// Text that continues nothing; it is ignored, with all that continues it.
    Orphan(LogicalLine),
}

/// Whether C calls it white space.
pub(super) fn is_space(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0b
}

/// The logical lines of `source`, in order.
pub(super) fn logical_lines(source: &[u8]) -> impl Iterator<Item = Line> {
    let mut physical = source.split(|&byte| byte == b'\n').zip(1..).peekable();
    std::iter::from_fn(move || {
        let mut line: Option<LogicalLine> = None;
        while let Some((text, number)) = physical.next() {
            if is_text(text) {
                let line = line.get_or_insert(LogicalLine { number, text: Vec::new() });
                line.text.extend_from_slice(text);
            }
            let goes_on = physical.peek().is_some_and(|(next, _)| continues(next));
            if !goes_on && let Some(line) = line.take() {
                return Some(finish(line));
            }
        }
        line.map(finish)
    })
}

fn is_text(physical: &[u8]) -> bool {
    physical.iter().find(|&&byte| !is_space(byte)).is_some_and(|&byte| byte != b'#')
}

/// Whether a physical line can belong to the text before: it starts with white space, or it is
/// empty or a comment and what comes after decides.
fn continues(physical: &[u8]) -> bool {
    physical.first().is_none_or(|&byte| byte == b'#' || is_space(byte))
}

fn finish(mut line: LogicalLine) -> Line {
    // Postfix's strings end at a NUL.
    if let Some(end) = memchr::memchr(0, &line.text) {
        line.text.truncate(end);
    }
    let kept = line.text.iter().rposition(|&byte| !is_space(byte)).map_or(0, |last| last + 1);
    line.text.truncate(kept);
    if line.text.first().is_some_and(|&byte| is_space(byte)) {
        return Line::Orphan(line);
    }
    Line::Text(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(source: &str) -> Vec<(u32, String)> {
        let text = |line| match line {
            Line::Text(line) => (line.number, String::from_utf8(line.text).unwrap()),
            Line::Orphan(line) => (0, String::from_utf8(line.text).unwrap()),
        };
        logical_lines(source.as_bytes()).map(text).collect()
    }

    #[test]
    fn a_line_is_continued_by_white_space_across_comments_and_blank_lines() {
        let found = lines("# c\n\n/a/ one\n# c\n\n  two\n\t\n/b/ x  \n#end");
        assert_eq!(found, [(3, "/a/ one  two".into()), (8, "/b/ x".into())]);
    }

    #[test]
    fn text_that_continues_nothing_is_an_orphan_with_its_continuations() {
        assert_eq!(lines(" /a/ x\n y\n/b/ z"), [(0, " /a/ x y".into()), (3, "/b/ z".into())]);
    }

    #[test]
    fn the_last_line_needs_no_newline_and_nothing_is_no_line() {
        assert_eq!(lines("/a/ x"), [(1, "/a/ x".into())]);
        assert_eq!(lines(""), []);
        assert_eq!(lines("\n \n#"), []);
    }
}
