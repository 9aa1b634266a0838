//! One form for what readers take for the same: width, case, accents.

use std::borrow::Cow;

use unicode_normalization::char::decompose_canonical;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

use super::MAX_TEXT;

/// `text` in NFKC, at most [`MAX_TEXT`] characters of it.
pub(super) fn normalised(text: &str) -> Cow<'_, str> {
    let text = first_characters(text);
    if text.is_ascii() || is_nfkc_quick(text.chars()) == IsNormalized::Yes {
        return Cow::Borrowed(text);
    }
    // Some characters become eighteen.
    Cow::Owned(text.nfkc().take(MAX_TEXT).collect())
}

fn first_characters(text: &str) -> &str {
    if text.len() <= MAX_TEXT {
        return text;
    }
    match text.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}

/// What is compared as a whole and not in words (addresses, identifiers): NFKC and lower case.
pub(crate) fn folded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in normalised(text).chars() {
        lower(c, |c| out.push(c));
    }
    out
}

/// Lower case, character by character, so that a part folds to a part of the whole.
pub(super) fn lower(c: char, mut out: impl FnMut(char)) {
    match c {
        'a'..='z' | '0'..='9' => out(c),
        'A'..='Z' => out(c.to_ascii_lowercase()),
        'ß' | 'ẞ' => {
            out('s');
            out('s');
        }
        'ς' => out('σ'),
        _ => c.to_lowercase().for_each(out),
    }
}

/// A character in lower case without its accents. Only of Latin and Greek: elsewhere a mark makes
/// another letter (`й`, `が`).
pub(super) fn plain(c: char, mut out: impl FnMut(char)) {
    match c {
        '\0'..='\x7F' => out(c),
        'œ' => "oe".chars().for_each(out),
        'æ' => "ae".chars().for_each(out),
        'þ' => "th".chars().for_each(out),
        'ø' => out('o'),
        'ł' => out('l'),
        'đ' | 'ð' => out('d'),
        'ı' => out('i'),
        '\u{300}'..='\u{36F}' => {}
        '\u{C0}'..='\u{24F}' | '\u{370}'..='\u{3FF}' | '\u{1E00}'..='\u{1FFF}' => {
            decompose_canonical(c, |part| {
                if !matches!(part, '\u{300}'..='\u{36F}') {
                    out(part);
                }
            });
        }
        _ => out(c),
    }
}

#[cfg(test)]
mod tests {
    use super::{folded, lower, normalised, plain};

    fn plained(text: &str) -> String {
        let mut out = String::new();
        for c in text.chars() {
            lower(c, |c| plain(c, |c| out.push(c)));
        }
        out
    }

    #[test]
    fn width_case_and_compatibility_forms_are_one() {
        assert_eq!(folded("ＡＢＣ"), "abc");
        assert_eq!(folded("ｶﾞｯｺｳ"), "ガッコウ");
        assert_eq!(folded("㈱"), "(株)");
        assert_eq!(folded("\u{1112}\u{1161}\u{11AB}"), "한");
        assert_eq!(folded("STRASSE"), folded("Straße"));
        assert_eq!(folded("ΟΔΟΣ"), folded("οδος"));
    }

    #[test]
    fn accents_go_where_they_are_accents() {
        assert_eq!(plained("Élève À l'Œuvre Smørrebrød"), "eleve a l'oeuvre smorrebrod");
        assert_eq!(plained("ά"), "α");
        assert_eq!(plained("йが"), "йが");
    }

    #[test]
    fn a_text_of_expanding_characters_stays_bounded() {
        let text = "\u{FDFA}".repeat(200_000);
        assert!(normalised(&text).chars().count() <= super::MAX_TEXT);
    }
}
