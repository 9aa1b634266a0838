//! What bytes a text is made of, told of many at once: there is no way out in between, and no question but for the least and the
//! greatest, which need one instruction for each sixteen bytes.

use memchr::{memchr, memchr2};

/// Whether all are printable ASCII, blanks among them.
pub(crate) fn are_printable(text: &[u8]) -> bool {
    let Range { least, most, .. } = Range::of(text);
    text.is_empty() || least >= b' ' && most <= b'~'
}

/// Whether all are printable ASCII or of line ends.
pub(crate) fn are_printable_lines(text: &[u8]) -> bool {
    let Range { least, most, least_behind_ends } = Range::of(text);
    let has_no_control = least >= b'\n' && least_behind_ends >= b' ' - CONTROLS;
    text.is_empty() || has_no_control && most <= b'~' && memchr2(0x0b, 0x0c, text).is_none()
}

/// Whether none is a binary data byte (MIME Sniffing Standard, section 3): a control character other than tab, LF, FF, CR and ESC.
pub(crate) fn are_text(text: &[u8]) -> bool {
    let Range { least, least_behind_ends, .. } = Range::of(text);
    if text.is_empty() || least >= b'\t' && least_behind_ends >= b' ' - CONTROLS {
        return memchr(0x0b, text).is_none();
    }
    !text.iter().any(|byte| matches!(byte, 0..=8 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f))
}

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
    use super::*;

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
                        assert_eq!(are_printable_lines(&text), is_of_lines, "{byte:#x}");
                        assert_eq!(are_text(&text), !is_binary, "{byte:#x} {length} {at}");
                        text[length - 1 - at] = 0x1b;
                        assert_eq!(are_text(&text), !is_binary || text[at] == 0x1b, "{byte:#x}");
                    }
                }
            }
        }
        assert!(are_printable(b"") && are_printable_lines(b"") && are_text(b""));
    }
}
