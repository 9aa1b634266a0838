//! Header fields that we write: ASCII, folded near 76 characters, one field whatever is in it.

use super::encoded_words;

/// A field of free text such as Subject, with CRLF. What is not plain ASCII is written as encoded
/// words (RFC 2047). Control characters become spaces.
#[must_use]
pub fn unstructured(name: &str, text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut field = format!("{name}:");
    let words = if is_plain(&text) {
        text.split(' ').map(str::to_owned).collect()
    } else {
        encoded_words(&text, MAX_WIDTH.saturating_sub(name.len() + 2))
    };
    fold(&mut field, &words);
    field.push_str("\r\n");
    field
}

/// A field that names one mailbox, such as From, with CRLF. `address` stands in it as it is: it is
/// ASCII, unless the mail goes by SMTPUTF8. An empty `display` is left out.
#[must_use]
pub fn mailbox(name: &str, display: &str, address: &str) -> String {
    let display: String = display.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let display = display.trim();
    let is_atoms = |text: &str| {
        text.chars().all(|c| c.is_ascii_alphanumeric() || " !#$%&'*+-/=?^_`{|}~".contains(c))
    };
    let mut words = if display.is_empty() {
        Vec::new()
    } else if is_plain(display) && is_atoms(display) {
        display.split(' ').map(str::to_owned).collect()
    } else if is_plain(display) {
        let quoted = display.replace('\\', "\\\\").replace('"', "\\\"");
        format!("\"{quoted}\"").split(' ').map(str::to_owned).collect()
    } else {
        encoded_words(display, MAX_WIDTH.saturating_sub(name.len() + 2))
    };
    words.push(format!("<{address}>"));
    let mut field = format!("{name}:");
    fold(&mut field, &words);
    field.push_str("\r\n");
    field
}

/// Whether the text can stand as it is: it reads the same after folding and unfolding, and nobody
/// takes a part of it for an encoded word.
fn is_plain(text: &str) -> bool {
    let is_short = |word: &str| (1..=MAX_WORD).contains(&word.len());
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
        && !text.contains("=?")
        && text.split(' ').all(is_short)
}

/// Words behind the name of a field, on as many lines as they need.
fn fold(field: &mut String, words: &[String]) {
    let mut width = field.len();
    for (at, word) in words.iter().enumerate() {
        if at > 0 && width + 1 + word.len() > MAX_WIDTH {
            field.push_str("\r\n");
            width = 0;
        }
        field.push(' ');
        field.push_str(word);
        width += 1 + word.len();
    }
}

/// Characters of a line (RFC 5322 section 2.1.1, RFC 2047 section 2).
const MAX_WIDTH: usize = 76;

/// Longer words are encoded, since nothing could fold them.
const MAX_WORD: usize = 60;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::compose::decode_unstructured;

    #[test]
    fn plain_text_is_folded_at_spaces() {
        assert_eq!(unstructured("Subject", "Hello world"), "Subject: Hello world\r\n");
        let long = unstructured("Subject", &["word"; 40].join(" "));
        assert!(long.lines().all(|line| line.len() <= MAX_WIDTH) && long.lines().count() == 3);
        assert_eq!(long.replace("\r\n", ""), format!("Subject: {}", ["word"; 40].join(" ")));
    }

    #[test]
    fn names_are_atoms_quoted_or_encoded() {
        for (display, field) in [
            ("", "From: <a@b.example>\r\n"),
            ("Mail Gate", "From: Mail Gate <a@b.example>\r\n"),
            ("Gate, \"the\" one", "From: \"Gate, \\\"the\\\" one\" <a@b.example>\r\n"),
            ("x@y.example", "From: \"x@y.example\" <a@b.example>\r\n"),
            ("=?x?=", "From: =?UTF-8?B?PT94Pz0=?= <a@b.example>\r\n"),
            ("승인", "From: =?UTF-8?B?7Iq57J24?= <a@b.example>\r\n"),
            ("a\r\nBcc: x", "From: =?UTF-8?B?YSAgQmNjOiB4?= <a@b.example>\r\n"),
        ] {
            assert_eq!(mailbox("From", display, "a@b.example"), field);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_one_field_and_reads_back(text in "\\PC{0,300}|(.|[\r\n\0\u{1b}]){0,300}|[a-z ]{0,2000}") {
            let field = unstructured("Subject", &text);
            prop_assert!(field.is_ascii() && field.ends_with("\r\n"));
            let lines: Vec<&str> = field.strip_suffix("\r\n").unwrap().split("\r\n").collect();
            prop_assert!(lines.iter().all(|line| line.len() <= MAX_WIDTH), "{field:?}");
            prop_assert!(lines.iter().skip(1).all(|line| line.starts_with(' ') && line.trim() != ""));
            prop_assert!(!field.replace("\r\n", "").contains(|c: char| c.is_control()));
            let value = field.strip_prefix("Subject:").unwrap();
            let seen: String =
                text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            let read = decode_unstructured(value.as_bytes()).unwrap_or_default();
            prop_assert_eq!(read, seen);
        }
    }
}
