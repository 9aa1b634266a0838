//! Names whose text turns its direction, so that `gpj.exe` looks like `exe.jpg`.
//!
//! Decoded names are without such marks, since rules are written for what is seen; so they are looked for in the
//! header as it stands, in every encoding that names have: as they are, RFC 2231, and both of RFC 2047.

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};

/// Whether a header has a mark that turns the direction of what follows (U+202A to U+202E, U+2066 to U+2069).
#[must_use]
pub fn turns_direction(raw_header: &[u8]) -> bool {
    let raw = raw_header.get(..LONGEST).unwrap_or(raw_header);
    // As nearly all headers are: in ASCII, with nothing encoded.
    let is_plain = raw.is_ascii() && memchr::memchr2(b'%', b'?', raw).is_none();
    if is_plain {
        return false;
    }
    has_mark(raw) || has_mark(&unescaped(raw)) || words(raw).any(|word| has_mark(&word))
}

/// In UTF-8. In other charsets there are none.
fn has_mark(bytes: &[u8]) -> bool {
    bytes
        .windows(3)
        .any(|mark| matches!(mark, [0xe2, 0x80, 0xaa..=0xae] | [0xe2, 0x81, 0xa6..=0xa9]))
}

/// With `%E2` and `=E2` undone.
fn unescaped(raw: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((first, behind)) = rest.split_first() {
        let digits = behind.split_at_checked(2).filter(|_| matches!(first, b'%' | b'='));
        match digits.and_then(|(digits, behind)| Some((hex(digits)?, behind))) {
            Some((byte, behind)) => {
                plain.push(byte);
                rest = behind;
            }
            None => {
                plain.push(*first);
                rest = behind;
            }
        }
    }
    plain
}

fn hex(digits: &[u8]) -> Option<u8> {
    let text = std::str::from_utf8(digits)
        .ok()
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    u8::from_str_radix(text, 16).ok()
}

/// The encoded words in base64, decoded.
fn words(raw: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let parts: Vec<&[u8]> = raw.split(|byte| *byte == b'?').collect();
    let mut texts = Vec::new();
    for pair in parts.windows(2) {
        if let [b"b" | b"B", text] = pair {
            let text = text.strip_suffix(b"==").or_else(|| text.strip_suffix(b"=")).unwrap_or(text);
            texts.extend(STANDARD_NO_PAD.decode(text).ok());
        }
    }
    texts.into_iter()
}

/// Bytes of a header that are looked at: names are at most 1 kB, and three times that where they are escaped.
const LONGEST: usize = 16 * 1024;
