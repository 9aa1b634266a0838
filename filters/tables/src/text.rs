//! Bytes as Postfix sees them: white space, what a log may show, and when two keys are the same.

use std::borrow::Cow;

/// White space in the C locale.
pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

/// `text` without white space at either end.
pub(crate) fn trim(text: &[u8]) -> &[u8] {
    let text = trim_start(text);
    let end = text.iter().rposition(|&byte| !is_space(byte)).map_or(0, |last| last + 1);
    &text[..end]
}

/// `text` without white space in front.
pub(crate) fn trim_start(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|&byte| !is_space(byte)).unwrap_or(text.len());
    &text[start..]
}

/// `text` with `?` for whatever is not printable, as Postfix logs it.
pub(crate) fn printable(text: &[u8]) -> String {
    let mut shown = String::with_capacity(text.len());
    for chunk in text.utf8_chunks() {
        shown.extend(chunk.valid().chars().map(|c| if c.is_ascii_control() { '?' } else { c }));
        shown.extend(chunk.invalid().iter().map(|_| '?'));
    }
    shown
}

/// The form of a key in which letters have no case: two keys are the same if these are.
/// `None` if the key is not UTF-8: no table has such a key (Postfix with `smtputf8_enable = yes`).
pub(crate) fn folded(key: &[u8]) -> Option<Cow<'_, [u8]>> {
    if key.is_ascii() {
        let folded = match key.iter().any(u8::is_ascii_uppercase) {
            true => Cow::Owned(key.to_ascii_lowercase()),
            false => Cow::Borrowed(key),
        };
        return Some(folded);
    }
    let text = std::str::from_utf8(key).ok()?;
    let mut folded = String::with_capacity(text.len());
    text.chars().for_each(|c| fold_char(c, &mut folded));
    Some(Cow::Owned(folded.into_bytes()))
}

/// A key whose case counts. `None` if it is not UTF-8, as of [`folded`].
pub(crate) fn as_written(key: &[u8]) -> Option<Cow<'_, [u8]>> {
    std::str::from_utf8(key).ok().map(|_| Cow::Borrowed(key))
}

/// Full case folding (Unicode's `CaseFolding.txt`, C and F) in what the standard library has:
/// lower, upper, lower again takes `ẞ` by `ß` and `SS` to `ss`.
fn fold_char(c: char, folded: &mut String) {
    if c.is_ascii() {
        folded.push(c.to_ascii_lowercase());
    } else if KEEPS_ITS_CASE.contains(&c) {
        folded.push(c);
    } else {
        let upper = c.to_lowercase().flat_map(char::to_uppercase);
        folded.extend(upper.flat_map(char::to_lowercase));
    }
}

/// `ı` (dotless): its capital is `I`, but it is not the same letter as `i`.
const KEEPS_ITS_CASE: [char; 1] = ['ı'];

#[cfg(test)]
mod tests {
    use super::*;

    fn same(one: &str, other: &str) -> bool {
        folded(one.as_bytes()) == folded(other.as_bytes())
    }

    #[test]
    fn keys_that_differ_in_case_alone_are_the_same() {
        assert!(same("User@Example.COM", "user@example.com"));
        assert!(same("ÜNÏ@例え.example", "ünï@例え.example"));
        assert!(same("STRASSE", "straße") && same("STRAẞE", "straße"));
        assert!(same("ΣΑΣ", "σας"));
        assert!(!same("ı", "i") && !same("o", "ö"));
    }

    #[test]
    fn a_key_that_is_no_utf8_is_in_no_table() {
        assert_eq!(folded(b"caf\xe9"), None);
    }

    #[test]
    fn a_folded_key_without_capitals_is_lent() {
        assert!(matches!(folded(b"user@example.com"), Some(Cow::Borrowed(_))));
    }

    #[test]
    fn what_is_not_printable_is_shown_as_a_question_mark() {
        assert_eq!(printable(b"a\xffb\tc\x7f \xc3\xa9"), "a?b?c? é");
    }

    #[test]
    fn trimming_takes_all_white_space_of_the_c_locale() {
        assert_eq!(trim(b" \t\x0b\x0ca b\r\n"), b"a b");
        assert_eq!(trim(b" \r\n"), b"");
    }
}
