//! Text in the one form that rules are written for: NFKC (UAX #15), and nothing that is there but
//! cannot be seen.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

use crate::bytes::printable_length;

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
    let settled = settled_length(text);
    if settled == text.len() {
        return Cow::Borrowed(text);
    }
    let mut seen = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let (settled, behind) = split(rest, settled_length(rest));
        seen.push_str(settled);
        rest = push_next(behind, &mut seen);
    }
    Cow::Owned(seen)
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

/// Appends what a text begins with up to what is settled, in the form of `visible`. Gives what stands behind it.
///
/// What is settled parts a text in pieces that are normalised for themselves: but a mark may join what stands before it.
fn push_next<'t>(text: &'t str, seen: &mut String) -> &'t str {
    if let Some(blank) = text.chars().next().filter(|character| is_blank(*character)) {
        seen.push(' ');
        return split(text, blank.len_utf8()).1;
    }
    let is_end = |character: char| is_settled(character) || is_blank(character);
    let (piece, behind) = split(text, text.find(is_end).unwrap_or(text.len()));
    if !piece.chars().all(is_invisible) {
        let before = seen.pop();
        let piece = piece.chars().filter(|character| !is_invisible(*character));
        // Normalising may bring forth fillers: U+3164 becomes U+1160.
        let normal = before.into_iter().chain(piece).nfkc();
        seen.extend(normal.filter(|character| !is_invisible(*character)));
    }
    behind
}

/// The length of what a text begins with that is in the form of `visible`, whatever stands behind it.
fn settled_length(text: &str) -> usize {
    let mut length = 0;
    loop {
        let (_, rest) = split(text, length);
        length += printable_length(rest.as_bytes());
        let (_, rest) = split(text, length);
        let others = rest.find(|next: char| next.is_ascii() || !is_settled(next));
        let others = others.unwrap_or(rest.len());
        if others == 0 {
            return length;
        }
        length += others;
    }
}

fn split(text: &str, at: usize) -> (&str, &str) {
    text.split_at_checked(at).unwrap_or((text, ""))
}

/// Characters that NFKC leaves as they are and that join nothing before them (`NFKC_Quick_Check=Yes`, combining class 0), as far
/// as they are frequent: ASCII, letters of Western and Eastern Europe, Cyrillic, Hebrew and Arabic ones, kana,
/// Chinese characters, Hangul, dashes and quotation marks.
fn is_settled(character: char) -> bool {
    matches!(character,
        ' '..='~' | '\u{a1}' | '\u{a7}' | '\u{a9}' | '\u{ab}' | '\u{ae}' | '\u{b0}' | '\u{b7}'
        | '\u{bb}' | '\u{bf}'..='\u{131}' | '\u{14c}'..='\u{17e}' | '\u{391}'..='\u{3a1}'
        | '\u{3ac}'..='\u{3ce}' | '\u{400}'..='\u{481}' | '\u{5d0}'..='\u{5ea}'
        | '\u{621}'..='\u{64a}' | '\u{2012}'..='\u{2016}' | '\u{2018}'..='\u{2023}' | '\u{20ac}'
        | '\u{3001}'..='\u{3003}' | '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fb}'
        | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}')
}

/// What becomes a space: ends of lines, and what NFKC makes one.
fn is_blank(character: char) -> bool {
    matches!(
        character,
        '\t' | '\n' | '\r' | '\u{85}' | '\u{a0}' | '\u{2000}'
            ..='\u{200a}' | '\u{2028}' | '\u{2029}' | '\u{202f}' | '\u{205f}' | '\u{3000}'
    )
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unicode_normalization::{IsNormalized, char::canonical_combining_class, is_nfkc_quick};

    use super::*;

    /// What `visible` means, the whole text at once.
    fn defined(text: &str) -> String {
        let blank = |next: char| match next {
            '\t' | '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => ' ',
            _ => next,
        };
        let seen = text.chars().map(blank).filter(|next| !is_invisible(*next));
        seen.nfkc().filter(|next| !is_invisible(*next)).collect()
    }

    #[test]
    fn each_character_is_what_it_means() {
        for character in '\0'..=char::MAX {
            for text in [
                format!("{character}"),
                format!("e{character}x"),
                format!("\u{ac00}{character}\u{301}"),
            ] {
                assert_eq!(visible(&text), defined(&text), "{}", text.escape_unicode());
            }
            if is_settled(character) {
                let class = canonical_combining_class(character);
                let quick = is_nfkc_quick(std::iter::once(character));
                assert!((class, quick) == (0, IsNormalized::Yes), "{}", character.escape_unicode());
            }
        }
    }

    proptest! {
        #[test]
        fn a_text_is_the_same_in_pieces_as_at_once(
            text in "([a-e \t\r\n\u{1}]{0,20}|[\u{a0}-\u{ff}]|[\u{300}-\u{330}]|[\u{1100}-\u{11ff}]|[\u{ac00}-\u{ac20}]|[\u{3041}-\u{30ff}]|[\u{3130}-\u{318f}]|[\u{ff00}-\u{ffef}]|[\u{200b}-\u{2030}]|[\u{600}-\u{680}]|\\PC){0,12}",
        ) {
            prop_assert_eq!(visible(&text), defined(&text));
        }

        #[test]
        fn any_text_is_the_same_in_pieces_as_at_once(text in ".{0,40}") {
            prop_assert_eq!(visible(&text), defined(&text));
        }
    }
}
