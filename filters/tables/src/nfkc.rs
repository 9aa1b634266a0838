//! Keys and patterns for text that is in NFKC: what is not in it itself is never found there.
//!
//! The decoded checks look up text in which full-width letters are plain ones and composed letters
//! are one character (UAX #15). Whoever copies a pattern from a mail or types it on a system that
//! decomposes letters sees no difference.

use unicode_normalization::{UnicodeNormalization as _, is_nfkc};

/// What to write instead of a pattern that is not in NFKC. Characters that become special ones of
/// patterns are escaped: they stand for themselves as before. `None` if the pattern is in NFKC, or
/// no text.
pub(crate) fn pattern(pattern: &[u8]) -> Option<String> {
    let text = outside(pattern)?;
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        match character.is_ascii() {
            true => plain.push(character),
            false => std::iter::once(character).nfkc().for_each(|character| {
                if SPECIAL.contains(character) {
                    plain.push('\\');
                }
                plain.push(character);
            }),
        }
    }
    Some(plain.nfkc().collect())
}

/// What to write instead of a key that is not in NFKC. `None` if it is, or is no text.
pub(crate) fn key(key: &[u8]) -> Option<String> {
    outside(key).map(|text| text.nfkc().collect())
}

/// What a warning says of it.
pub(crate) fn warning(what: &str, instead: &str) -> String {
    format!(
        "this {what} is not in NFKC, as the text is that it is compared with, and so never fits; \
         write \"{instead}\""
    )
}

fn outside(text: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(text).ok()?;
    (!text.is_ascii() && !is_nfkc(text)).then_some(text)
}

/// What has a meaning of its own in a pattern, and the usual delimiter.
const SPECIAL: &str = "\\^$.[]|()*+?{}/";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_write_is_found_in_text_as_it_is_compared() {
        for (written, instead) in [
            ("ＡＢＣ", Some("ABC")),
            ("^cafe\u{301}$", Some("^café$")),
            ("\u{1112}\u{1161}\u{11ab}글", Some("한글")),
            ("（광고）", Some("\\(광고\\)")),
            ("①+", Some("1+")),
            ("[광고]", None),
            ("plain", None),
        ] {
            assert_eq!(pattern(written.as_bytes()).as_deref(), instead, "{written}");
        }
        assert_eq!(key("ｖｉｒｕｓ．exe".as_bytes()).as_deref(), Some("virus.exe"));
        assert_eq!(pattern(b"\xff"), None);
    }
}
