//! What a character is for search.

use unicode_normalization::char::is_combining_mark;

/// What a character is for search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// A letter or digit of a script that separates words.
    Spaced,
    /// A letter of a script that does not, or where parts of words are what people look for.
    Unspaced,
    /// A mark on the character before it; nothing by itself.
    Mark,
    /// Not to be seen; as if it were not there.
    Unseen,
    /// Ends a run.
    Break,
}

pub(super) fn class(c: char) -> Class {
    if c.is_ascii() {
        return if c.is_ascii_alphanumeric() { Class::Spaced } else { Class::Break };
    }
    if is_unseen(c) {
        Class::Unseen
    } else if is_combining_mark(c) {
        Class::Mark
    } else if !c.is_alphanumeric() {
        Class::Break
    } else if is_unspaced(c) {
        Class::Unspaced
    } else {
        Class::Spaced
    }
}

/// Whether letters of the block of `c` stand together without spaces between words, or, for Hangul,
/// carry particles that nobody types.
pub(super) fn is_unspaced(c: char) -> bool {
    matches!(u32::from(c),
        0x0E00..=0x0FFF             // Thai, Lao, Tibetan
        | 0x1000..=0x109F           // Myanmar
        | 0x1100..=0x11FF           // Hangul jamo that compose to no syllable
        | 0x1780..=0x17FF           // Khmer
        | 0x2E80..=0x2FDF           // radicals
        | 0x3005..=0x3007           // 々 〆 〇
        | 0x3021..=0x3029 | 0x3031..=0x3035 | 0x3038..=0x303C
        | 0x3041..=0x31FF           // Kana with ー ゝ ヽ, Bopomofo
        | 0x3400..=0x4DBF | 0x4E00..=0x9FFF
        | 0xA000..=0xA4CF           // Yi
        | 0xA960..=0xA97F | 0xAC00..=0xD7FF
        | 0xF900..=0xFAFF | 0xFF66..=0xFF9F
        | 0x16FE0..=0x18CFF | 0x1AFF0..=0x1B16F
        | 0x20000..=0x3FFFF)
}

/// Default ignorables that turn up in mail.
fn is_unseen(c: char) -> bool {
    matches!(u32::from(c),
        0x00AD | 0x034F | 0x061C | 0x115F | 0x1160 | 0x180B..=0x180F | 0x200B..=0x200F | 0x202A..=0x202E
        | 0x2060..=0x206F | 0x3164 | 0xFE00..=0xFE0F | 0xFEFF | 0xFFA0 | 0xE0000..=0xE0FFF)
}

#[cfg(test)]
mod tests {
    use super::{Class, class};

    #[test]
    fn characters_are_what_readers_take_them_for() {
        for c in "aÉß9яλע".chars() {
            assert_eq!(class(c), Class::Spaced, "{c}");
        }
        for c in "漢ひカー々ゝヽ〆〇가ㄱ𠮷ไ".chars() {
            assert_eq!(class(c), Class::Unspaced, "{c}");
        }
        for c in " '’・、。「（-_@€♥".chars() {
            assert_eq!(class(c), Class::Break, "{c}");
        }
        assert_eq!(class('\u{3099}'), Class::Mark);
        assert_eq!(class('\u{301}'), Class::Mark);
        assert_eq!(class('\u{200B}'), Class::Unseen);
        assert_eq!(class('\u{FE0F}'), Class::Unseen);
    }
}
