//! How a name in an archive may be read by the program that unpacks it.
//!
//! Archives say their names in bytes, often without a charset; unpackers differ in what they do
//! with a NUL or a line end. A rule must meet the name that the victim gets, so all are given.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization as _;

use crate::decode::charset::Fallbacks;

/// Says each reading of a raw name once per charset it may be in: those of `fallbacks`, and that of
/// the first zip program.
pub(super) fn readings(raw: &[u8], fallbacks: &Fallbacks, say: &mut dyn FnMut(&str)) {
    if raw.is_ascii() && !raw.iter().any(u8::is_ascii_control) {
        // Most names: nothing to guess.
        return shapes(&String::from_utf8_lossy(raw), say);
    }
    let mut texts = fallbacks.readings(raw, None);
    if str::from_utf8(raw).is_err() {
        let text = cp437(raw);
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    texts.iter().for_each(|text| shapes(text, say));
}

/// The likeliest reading of a raw name, or its end: what stands in a path.
pub(super) fn first_reading(raw: &[u8], fallbacks: &Fallbacks) -> String {
    let best = fallbacks.best(raw, None);
    let name = visible(&best);
    let from = name.ceil_char_boundary(name.len().saturating_sub(IN_PATH));
    name[from..].to_owned()
}

/// Adds to a raw name of which the end is kept, since it tells what a file is. True if it was cut.
pub(super) fn keep_end(name: &mut Vec<u8>, more: &[u8]) -> bool {
    name.extend_from_slice(more);
    let over = name.len().saturating_sub(LONGEST);
    name.drain(..over);
    over > 0
}

/// One decoded name: as it stands, cut at NUL, and as Windows keeps it.
fn shapes(text: &str, say: &mut dyn FnMut(&str)) {
    let visible = visible(text);
    say(&visible);
    let (before_nul, _) = text.split_once('\0').unwrap_or((text, ""));
    if before_nul.len() < text.len() && !before_nul.is_empty() {
        say(&self::visible(before_nul));
    }
    let kept = as_windows_keeps(before_nul);
    if kept.len() < before_nul.len() && !kept.is_empty() {
        say(&self::visible(kept));
    }
}

/// NFKC, and control characters as their pictures.
fn visible(text: &str) -> Cow<'_, str> {
    if text.is_ascii() && !text.bytes().any(|byte| byte.is_ascii_control()) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.nfkc().map(picture).collect())
}

fn picture(character: char) -> char {
    match character {
        '\0'..='\x1f' => char::from_u32(0x2400 + character as u32).unwrap_or('\u{fffd}'),
        '\x7f' => '\u{2421}',
        '\u{80}'..='\u{9f}' => '\u{fffd}',
        other => other,
    }
}

/// Without what Windows drops at the end of a file name, and without the name of a data stream.
fn as_windows_keeps(text: &str) -> &str {
    let unseen =
        |character: char| character == '.' || character.is_whitespace() || character.is_control();
    let kept = text.trim_end_matches(unseen);
    let file = kept.rfind(['/', '\\']).map_or(0, |slash| slash + 1);
    match kept[file..].find(':') {
        Some(colon) if colon > 1 => kept[..file + colon].trim_end_matches(unseen),
        _ => kept,
    }
}

/// The charset of the first zip program, and of every one that does not say otherwise.
fn cp437(raw: &[u8]) -> String {
    let character = |&byte: &u8| match byte {
        0..=0x7f => char::from(byte),
        _ => CP437.get(usize::from(byte - 0x80)).copied().unwrap_or('\u{fffd}'),
    };
    raw.iter().map(character).collect()
}

/// How much is kept of a raw name.
pub(super) const LONGEST: usize = 1024;
/// How much of a name is kept in a path.
const IN_PATH: usize = 1024;

/// The upper half of code page 437.
const CP437: [char; 128] = [
    'Ç', 'ü', 'é', 'â', 'ä', 'à', 'å', 'ç', 'ê', 'ë', 'è', 'ï', 'î', 'ì', 'Ä', 'Å', 'É', 'æ', 'Æ',
    'ô', 'ö', 'ò', 'û', 'ù', 'ÿ', 'Ö', 'Ü', '¢', '£', '¥', '₧', 'ƒ', 'á', 'í', 'ó', 'ú', 'ñ', 'Ñ',
    'ª', 'º', '¿', '⌐', '¬', '½', '¼', '¡', '«', '»', '░', '▒', '▓', '│', '┤', '╡', '╢', '╖', '╕',
    '╣', '║', '╗', '╝', '╜', '╛', '┐', '└', '┴', '┬', '├', '─', '┼', '╞', '╟', '╚', '╔', '╩', '╦',
    '╠', '═', '╬', '╧', '╨', '╤', '╥', '╙', '╘', '╒', '╓', '╫', '╪', '┘', '┌', '█', '▄', '▌', '▐',
    '▀', 'α', 'ß', 'Γ', 'π', 'Σ', 'σ', 'µ', 'τ', 'Φ', 'Θ', 'Ω', 'δ', '∞', 'φ', 'ε', '∩', '≡', '±',
    '≥', '≤', '⌠', '⌡', '÷', '≈', '°', '∙', '·', '√', 'ⁿ', '²', '■', '\u{a0}',
];
