//! The arguments of actions, which header_checks(5) and access(5) share: the verb, the enhanced
//! status code in front of a text, `transport:destination`, an address, a header line.
//!
//! Everything is taken as Postfix takes it. What an action does is decided by those who ask.

use std::borrow::Cow;

use mailweir_mail::{Address, Enhanced, Transport};

/// An action's verb, up to the first blank, and its text, from the first character that is none.
#[must_use]
pub fn split_verb(value: &[u8]) -> (&[u8], &[u8]) {
    let end = value.iter().position(|b| matches!(b, b' ' | b'\t')).unwrap_or(value.len());
    let (verb, text) = value.split_at(end);
    (verb, without_leading_space(text))
}

/// The enhanced status code that leads `text`, and what comes behind it (`4.7.1 not today`). The
/// class is 2, 4 or 5, and the code ends at white space or with the text (Postfix `dsn_split`).
#[must_use]
pub fn enhanced_prefix(text: &[u8]) -> (Option<Enhanced>, &[u8]) {
    let end = text.iter().position(is_space).unwrap_or(text.len());
    let (code, rest) = text.split_at(end);
    match std::str::from_utf8(code).ok().and_then(|code| code.parse().ok()) {
        Some(code) => (Some(code), without_leading_space(rest)),
        None => (None, text),
    }
}

/// The argument of FILTER. `None` if it is not `transport:next hop`.
#[must_use]
pub fn transport(text: &[u8]) -> Option<Transport> {
    Transport::parse(std::str::from_utf8(text).ok()?)
}

/// The argument of REDIRECT and BCC. `None` if it is not `user@domain`.
#[must_use]
pub fn address(text: &[u8]) -> Option<Address> {
    Address::parse(std::str::from_utf8(text).ok()?).ok()
}

/// The name of a header line: printable ASCII up to a colon, blanks in between allowed. `None` if
/// `line` is no header (Postfix `is_header`).
#[must_use]
pub fn header_name(line: &[u8]) -> Option<&[u8]> {
    let colon = line.iter().position(|&b| b == b':')?;
    let name = &line[..line[..colon].iter().rposition(|b| !matches!(b, b' ' | b'\t'))? + 1];
    name.iter().all(u8::is_ascii_graphic).then_some(name)
}

/// `text` for people: in replies, logs and pages. What is not UTF-8 or not printable becomes `?`,
/// as in Postfix's log.
#[must_use]
pub fn printable(text: &[u8]) -> Box<str> {
    let text = String::from_utf8_lossy(text);
    let odd = |c: char| c.is_control() || c == char::REPLACEMENT_CHARACTER;
    match text {
        Cow::Borrowed(text) if !text.contains(odd) => text.into(),
        text => text.replace(odd, "?").into(),
    }
}

/// The first `most` bytes of a text for people, or fewer by a character that would be cut.
#[must_use]
pub fn printable_start(text: &[u8], most: usize) -> Box<str> {
    let is_inside = |&end: &usize| text.get(end).is_some_and(|byte| byte & 0xc0 == 0x80);
    let end = (most.saturating_sub(3)..=most).rev().find(|end| !is_inside(end)).unwrap_or(most);
    printable(text.get(..end).unwrap_or(text))
}

fn without_leading_space(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|b| !is_space(b)).unwrap_or(text.len());
    &text[start..]
}

/// As C's `isspace`.
fn is_space(b: &u8) -> bool {
    matches!(b, b' ' | b'\t'..=b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verb_ends_at_the_first_blank() {
        let split = |value: &'static str| {
            let (verb, text) = split_verb(value.as_bytes());
            (std::str::from_utf8(verb).unwrap(), std::str::from_utf8(text).unwrap())
        };
        assert_eq!(split("REJECT"), ("REJECT", ""));
        assert_eq!(split("REJECT \t  no"), ("REJECT", "no"));
        assert_eq!(split("REJECT\nno"), ("REJECT\nno", ""));
        assert_eq!(split(" x"), ("", "x"));
    }

    #[test]
    fn an_enhanced_status_code_leads_a_text_or_does_not() {
        let code = |text: &'static str| {
            let (code, rest) = enhanced_prefix(text.as_bytes());
            (code.map(|code| code.to_string()), std::str::from_utf8(rest).unwrap())
        };
        assert_eq!(code("4.7.1 not today"), (Some("4.7.1".into()), "not today"));
        assert_eq!(code("5.7.111"), (Some("5.7.111".into()), ""));
        for text in ["5.7.1x", "3.7.1 a", "5.7", "554 no", "5.1234.1 a", "", "no"] {
            assert_eq!(code(text), (None, text));
        }
    }

    #[test]
    fn a_header_has_a_printable_name_and_a_colon() {
        assert_eq!(header_name(b"X-Seen: yes"), Some(&b"X-Seen"[..]));
        assert_eq!(header_name(b"Subject \t: x"), Some(&b"Subject"[..]));
        for bad in [&b"no header"[..], b": x", b" X: y", b"X y: z", b"X\n: y", b"\xea\xb4: y", b""]
        {
            assert_eq!(header_name(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn what_is_shown_has_no_control_characters() {
        assert_eq!(&*printable("제목\r\n\tx".as_bytes()), "제목???x");
        assert_eq!(&*printable(b"a\xffb"), "a?b");
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        for (most, expected) in [(9, "가나다"), (8, "가나"), (7, "가나"), (6, "가나"), (0, "")]
        {
            assert_eq!(&*printable_start("가나다".as_bytes(), most), expected, "{most}");
        }
        assert_eq!(&*printable_start(&[0xb1; 9], 4), "????");
    }
}
