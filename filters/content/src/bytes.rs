//! What bytes a text is made of, told of many at once: there is no way out in between, and each question needs one or two
//! instructions for sixteen bytes.

use memchr::{memchr, memchr_iter, memrchr};

/// Whether all are printable ASCII, blanks among them.
pub(crate) fn are_printable(text: &[u8]) -> bool {
    let Range { least, most, .. } = Range::of(text);
    text.is_empty() || least >= b' ' && most <= b'~'
}

/// How many bytes at the beginning are printable ASCII.
pub(crate) fn printable_length(text: &[u8]) -> usize {
    length(text, is_printable)
}

/// How many bytes at the beginning are printable ASCII or of line ends.
pub(crate) fn printable_lines_length(text: &[u8]) -> usize {
    length(text, |byte| is_printable(byte) | (byte == b'\r') | (byte == b'\n'))
}

const fn is_printable(byte: u8) -> bool {
    byte.wrapping_sub(b' ') <= b'~' - b' '
}

/// How many bytes at the beginning are such, by a question without branches.
fn length(text: &[u8], is_such: impl Fn(u8) -> bool) -> usize {
    let (blocks, _) = text.as_chunks::<BLOCK>();
    let others = |block: &[u8; BLOCK]| {
        block.iter().fold(0, |others, &byte| others | u8::from(!is_such(byte)))
    };
    let whole = blocks.iter().take_while(|block| others(block) == 0).count() * BLOCK;
    let rest = text.get(whole..).unwrap_or_default();
    whole + rest.iter().take_while(|&&byte| is_such(byte)).count()
}

/// Whether none is a binary data byte (MIME Sniffing Standard, section 3): a control character other than tab, LF, FF, CR and ESC.
pub(crate) fn are_text(text: &[u8]) -> bool {
    let Range { least, least_behind_ends, .. } = Range::of(text);
    if text.is_empty() || least >= b'\t' && least_behind_ends >= b' ' - CONTROLS {
        return memchr(0x0b, text).is_none();
    }
    !text.iter().any(|byte| matches!(byte, 0..=8 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f))
}

/// What whole lines come to without their ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lines {
    pub(crate) count: usize,
    pub(crate) bytes: usize,
    /// Whether a line of these begins or ends with a blank. True or false, it means nothing where there are tabs or other
    /// control characters.
    pub(crate) have_blanks_around: bool,
}

impl Lines {
    /// Of lines that end with LF or CRLF, all of them, and have at most `longest` bytes, their ends included. `None`: there are
    /// others, or a CR elsewhere.
    pub(crate) fn of(lines: &[u8], longest: usize) -> Option<Self> {
        let are_whole = lines.is_empty() || lines.ends_with(b"\n");
        if !are_whole || !are_no_longer(lines, longest) {
            return None;
        }
        let pairs = pairs(lines);
        if pairs & LONE_RETURN != 0 {
            return None;
        }
        let count = memchr_iter(b'\n', lines).count();
        let returns = match pairs & BARE_END {
            0 => count,
            _ => memchr_iter(b'\r', lines).count(),
        };
        let have_blanks_around = pairs & BLANK_AT_EDGE != 0;
        Some(Self { count, bytes: lines.len() - count - returns, have_blanks_around })
    }
}

/// Whether each line ends within so many bytes. A step goes over as many lines as end within them.
fn are_no_longer(lines: &[u8], longest: usize) -> bool {
    let mut rest = lines;
    while let Some(next) = rest.get(..longest)
        && next.len() < rest.len()
    {
        let Some(end) = memrchr(b'\n', next) else { return false };
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    true
}

/// What two bytes next to each other say of lines, put together of all of them.
fn pairs(lines: &[u8]) -> u8 {
    let of = |one: u8, next: u8| {
        let returns = one == b'\r';
        let ends = next == b'\n';
        // Of two white bytes one ends a line, and the other does not.
        let is_edge = (one.max(next) <= b' ') & ((one ^ next) & b' ' != 0);
        let lone = if returns & !ends { LONE_RETURN } else { 0 };
        let bare = if ends & !returns { BARE_END } else { 0 };
        lone | bare | if is_edge { BLANK_AT_EDGE } else { 0 }
    };
    let first = match lines.first() {
        Some(b'\n') => BARE_END,
        Some(b' ') => BLANK_AT_EDGE,
        _ => 0,
    };
    let next = lines.get(1..).unwrap_or_default();
    lines.iter().zip(next).fold(first, |found, (&one, &next)| found | of(one, next))
}

/// Bytes that are looked at together.
const BLOCK: usize = 32;

/// A CR without an LF behind it.
const LONE_RETURN: u8 = 1;

/// An LF without a CR before it.
const BARE_END: u8 = 2;

/// A blank at the beginning or end of a line.
const BLANK_AT_EDGE: u8 = 4;

/// The least and greatest of some bytes.
struct Range {
    least: u8,
    most: u8,
    /// The least distance from the first control character behind CR, with those before it last.
    least_behind_ends: u8,
}

impl Range {
    fn of(bytes: &[u8]) -> Self {
        let (mut least, mut most, mut least_behind_ends) = (u8::MAX, 0, u8::MAX);
        for &byte in bytes {
            least = least.min(byte);
            most = most.max(byte);
            least_behind_ends = least_behind_ends.min(byte.wrapping_sub(CONTROLS));
        }
        Self { least, most, least_behind_ends }
    }
}

/// The first control character behind CR.
const CONTROLS: u8 = 0x0e;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn lines_together_are_what_each_of_them_is(text in "[a \r\n]{0,40}", longest in 0_usize..12) {
            let lines: Vec<&str> = text.split_inclusive('\n').collect();
            let bare = |line: &&str| {
                line.strip_suffix("\r\n").or(line.strip_suffix('\n')).map(str::to_owned)
            };
            let bare: Option<Vec<String>> = lines.iter().map(bare).collect();
            let bare = bare.filter(|bare| !bare.iter().any(|line| line.contains('\r')));
            let bare = bare.filter(|_| lines.iter().all(|line| line.len() <= longest));
            let expected = bare.as_ref().map(|bare| Lines {
                count: bare.len(),
                bytes: bare.iter().map(String::len).sum(),
                have_blanks_around: bare.iter().any(|line| line.trim() != line),
            });
            prop_assert_eq!(Lines::of(text.as_bytes(), longest), expected);
        }
    }

    #[test]
    fn each_byte_is_what_it_is_wherever_it_stands() {
        for byte in 0..=u8::MAX {
            let is_printable = matches!(byte, 0x20..=0x7e);
            let is_of_lines = is_printable || matches!(byte, b'\r' | b'\n');
            let is_binary = matches!(byte, 0..=8 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f);
            for length in [1, 15, 16, 17, 100] {
                for at in [0, length / 2, length - 1] {
                    for others in [b'a', b'~', b' '] {
                        let mut text = vec![others; length];
                        text[at] = byte;
                        assert_eq!(are_printable(&text), is_printable, "{byte:#x} {length} {at}");
                        let printable = if is_printable { length } else { at };
                        assert_eq!(printable_length(&text), printable, "{byte:#x} {length} {at}");
                        let of_lines = if is_of_lines { length } else { at };
                        assert_eq!(printable_lines_length(&text), of_lines, "{byte:#x}");
                        assert_eq!(are_text(&text), !is_binary, "{byte:#x} {length} {at}");
                        text[length - 1 - at] = 0x1b;
                        assert_eq!(are_text(&text), !is_binary || text[at] == 0x1b, "{byte:#x}");
                    }
                }
            }
        }
        assert!(are_printable(b"") && are_text(b""));
    }
}
