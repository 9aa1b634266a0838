//! What a scanner says, made fit for a log line and for a header field: it never ends either.

use mailweir_mail::compose::one_line;

/// Foreign bytes on one line, for an error.
pub(super) fn quoted(said: &[u8]) -> String {
    let start = &said[..said.len().min(4 * MOST_QUOTED)];
    one_line(&String::from_utf8_lossy(start), MOST_QUOTED)
}

/// A text as the value of a header field: what follows the colon, without the last end of line.
///
/// Each end of a line in it becomes a fold; an empty line, which would end the header, goes; a line that is too long for
/// SMTP is folded; control characters become question marks. What is a rightly folded value stays as it is, since it may
/// be signed. `None`: it is longer than [`MOST_VALUE`].
pub(super) fn field_value(text: &str) -> Option<Box<[u8]>> {
    if text.len() > MOST_VALUE {
        return None;
    }
    let lines = text.split(['\r', '\n']).filter(|line| line.contains(|c| !is_blank(c)));
    let mut value = String::with_capacity(text.len() + 1);
    for line in lines.flat_map(short_lines) {
        match value.is_empty() {
            true => value.push(' '),
            false if line.starts_with(is_blank) => value.push_str("\r\n"),
            false => value.push_str("\r\n\t"),
        }
        value.push_str(&line);
    }
    Some(value.into_bytes().into())
}

/// A line without control characters, as several where it is too long: between its words, or within one that is longer
/// than a line. None of them is empty.
fn short_lines(line: &str) -> Vec<String> {
    let line = line.replace(|c: char| c.is_control() && c != '\t', "?");
    if line.len() <= MOST_LINE {
        return vec![line];
    }
    let mut lines = vec![String::new()];
    for mut word in line.split(is_blank).filter(|word| !word.is_empty()) {
        while let Some(last) = lines.last_mut() {
            let gap = usize::from(!last.is_empty());
            let room = MOST_LINE.saturating_sub(last.len() + gap);
            if word.len() <= room {
                last.push_str(&" "[..gap]);
                last.push_str(word);
                break;
            }
            if last.is_empty() {
                let (start, rest) = word.split_at(word.floor_char_boundary(room));
                last.push_str(start);
                word = rest;
            }
            lines.push(String::new());
        }
    }
    lines.retain(|line| !line.is_empty());
    lines
}

const fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t')
}

/// Characters of the longest quotation.
const MOST_QUOTED: usize = 200;

/// Bytes of the longest value of a field.
pub(super) const MOST_VALUE: usize = 64 * 1024;

/// Bytes of a line of a value; RFC 5322 section 2.1.1 has 998 for the whole line, and the name stands before the first.
const MOST_LINE: usize = 800;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value(text: &str) -> String {
        String::from_utf8(field_value(text).unwrap().into()).unwrap()
    }

    #[test]
    fn a_folded_value_stays_as_it_is_and_everything_else_becomes_one() {
        for (text, expected) in [
            ("yes", " yes"),
            ("v=1; b=a\r\n\t b", " v=1; b=a\r\n\t b"),
            (
                "a\n b\rc\r\nBcc: x@y.example\r\n\r\nbody",
                " a\r\n b\r\n\tc\r\n\tBcc: x@y.example\r\n\tbody",
            ),
            ("a\r\n \t\r\n b", " a\r\n b"),
            ("a\0b\u{1b}c", " a?b?c"),
            ("\u{fc}", " \u{fc}"),
            ("", ""),
            ("\r\n", ""),
        ] {
            assert_eq!(value(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_line_too_long_for_smtp_is_folded() {
        let words = "word ".repeat(400);
        let folded = value(&words);
        assert_eq!(folded.split_whitespace().count(), 400);
        assert!(folded.split("\r\n").all(|line| (100..=MOST_LINE + 1).contains(&line.len())));
        let long = format!("a {} b", "\u{e9}".repeat(1_000));
        assert_eq!(value(&long).replace("\r\n\t", "").replace(' ', ""), long.replace(' ', ""));
        assert_eq!(value(&format!("a{}b", " ".repeat(5_000))), " a b");
        assert_eq!(field_value(&"x".repeat(MOST_VALUE + 1)), None);
    }

    proptest! {
        #[test]
        fn no_text_ends_a_header_or_a_line_of_the_log(
            text in proptest::collection::vec(
                prop_oneof![Just('\r'), Just('\n'), Just(' '), Just('\t'), Just('\0'), any::<char>()], 0..3_000)
        ) {
            let text: String = text.into_iter().collect();
            prop_assert!(!quoted(text.as_bytes()).contains(char::is_control));
            let value = value(&text);
            for (at, line) in value.split("\r\n").enumerate() {
                prop_assert!(!line.contains(|c: char| c.is_control() && c != '\t'), "{:?}", line);
                prop_assert!(at == 0 || line.starts_with([' ', '\t']), "{:?}", line);
                prop_assert!(value.is_empty() || !line.trim_matches([' ', '\t']).is_empty(), "{:?}", value);
                prop_assert!(line.len() <= MOST_LINE + 1);
            }
        }
    }
}
