//! Encoded words (RFC 2047): UTF-8 only, which is what nearly all mail uses.
//!
//! A Subject in another character set is left out of a report; the original is attached.

use base64::{Engine, engine::general_purpose::STANDARD};

/// The text of an unstructured field; `None` if it cannot be read.
#[must_use]
pub fn decode(field: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(field).ok()?;
    let mut out = String::new();
    let mut after_encoded = false;
    for word in text.split_ascii_whitespace() {
        let encoded = word.strip_prefix("=?").and_then(|word| word.strip_suffix("?="));
        // White space between two encoded words is no part of the text.
        let joined = after_encoded && encoded.is_some();
        if !(out.is_empty() || joined) {
            out.push(' ');
        }
        match encoded {
            Some(encoded) => out.push_str(&decode_word(encoded)?),
            None => out.push_str(word),
        }
        after_encoded = encoded.is_some();
    }
    (!out.is_empty()).then_some(out)
}

/// A text as encoded words, each at most 75 characters long, the first at most `first`. A space belongs
/// between them, which is no part of the text. No character is cut in two. None for an empty text.
#[must_use]
pub fn encode(text: &str, first: usize) -> Vec<String> {
    let room = |width: usize| (width.min(MAX_WORD).saturating_sub(FRAME) / 4 * 3).max(4);
    let (mut words, mut rest) = (Vec::new(), text);
    while !rest.is_empty() {
        let room = room(if words.is_empty() { first } else { MAX_WORD });
        let (piece, behind) = rest.split_at(rest.floor_char_boundary(room));
        words.push(format!("=?UTF-8?B?{}?=", STANDARD.encode(piece)));
        rest = behind;
    }
    words
}

/// Characters of an encoded word (RFC 2047 section 2).
const MAX_WORD: usize = 75;

/// Characters of it that are not text.
const FRAME: usize = "=?UTF-8?B??=".len();

/// What stands between `=?` and `?=`.
fn decode_word(word: &str) -> Option<String> {
    let mut parts = word.splitn(3, '?');
    let (charset, encoding, text) = (parts.next()?, parts.next()?, parts.next()?);
    let (charset, _language) = charset.split_once('*').unwrap_or((charset, ""));
    if !["utf-8", "us-ascii"].iter().any(|known| charset.eq_ignore_ascii_case(known)) {
        return None;
    }
    let bytes = match encoding {
        "B" | "b" => STANDARD.decode(text).ok()?,
        "Q" | "q" => decode_q(text.as_bytes())?,
        _ => return None,
    };
    // Some senders cut a character in two between words.
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn decode_q(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        out.push(match byte {
            b'_' => b' ',
            b'=' => {
                let (hex, tail) = rest.split_at_checked(2)?;
                rest = tail;
                u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()?
            }
            _ => byte,
        });
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(field: &str) -> Option<String> {
        decode(field.as_bytes())
    }

    #[test]
    fn encoded_words_are_read_and_joined() {
        assert_eq!(decoded("plain  text").as_deref(), Some("plain text"));
        assert_eq!(
            decoded("=?utf-8?q?caf=C3=A9_ol=C3=A9?= =?UTF-8?B?ISE=?= x").as_deref(),
            Some("café olé!! x")
        );
        assert_eq!(
            decoded("=?UTF-8?B?7ZWc6rWt?=\r\n =?UTF-8*ko?B?7Ja0?=").as_deref(),
            Some("한국어")
        );
    }

    #[test]
    fn what_cannot_be_read_is_left_out() {
        for bad in [
            "=?iso-2022-jp?B?GyRC?=",
            "=?utf-8?B?!?=",
            "=?utf-8?q?=C?=",
            "=?utf-8?x?a?=",
            "=?a?=",
            "",
        ] {
            assert_eq!(decoded(bad), None, "{bad}");
        }
        assert_eq!(decode(b"\xff"), None);
    }
}
