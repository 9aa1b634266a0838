//! Text in the one form that rules are written for: NFKC (UAX #15), and nothing that is there but
//! cannot be seen.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

use crate::bytes::are_printable;

/// The text as it is matched.
///
/// - NFKC: full-width and half-width forms, ligatures, circled letters and composed or decomposed
///   Hangul become one form.
/// - Tab, CR and LF become a space; other control characters vanish.
/// - What has no ink vanishes: zero-width spaces and joiners, directions (bidi), soft hyphens,
///   Hangul fillers, variation selectors, tags (Default_Ignorable_Code_Point). So a joined emoji is
///   matched as its parts.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    // ASCII that is seen is in that form already.
    if are_printable(text.as_bytes()) {
        return Cow::Borrowed(text);
    }
    let seen = text.chars().map(blank).filter(|character| !is_invisible(*character));
    // Normalising may bring forth fillers: U+3164 becomes U+1160.
    Cow::Owned(seen.nfkc().filter(|character| !is_invisible(*character)).collect())
}

/// `visible`, of at most `limit` bytes: the rest is cut at a character.
pub(super) fn visible_within(text: &str, limit: usize) -> Cow<'_, str> {
    // NFKC never makes more than 18 characters of one, so a little more than the limit is enough
    // input; cutting here keeps the work within bounds.
    match visible(text.get(..text.floor_char_boundary(limit)).unwrap_or(text)) {
        Cow::Borrowed(text) => Cow::Borrowed(text),
        Cow::Owned(mut text) => {
            text.truncate(text.floor_char_boundary(limit));
            Cow::Owned(text)
        }
    }
}

fn blank(character: char) -> char {
    match character {
        '\t' | '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => ' ',
        _ => character,
    }
}

fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}
