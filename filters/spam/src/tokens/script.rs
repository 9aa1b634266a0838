//! What a character is to words: scripts without blanks, marks that say something, letters that look like others.

use unicode_normalization::char::decompose_canonical;

/// What a character is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Of a word.
    Letter,
    /// Of a number, or of a word with letters.
    Digit,
    /// Of a script whose words no blank parts, or, as in Korean, have endings without number: read in pairs.
    Paired,
    /// Says something by itself, and in a row.
    Mark,
    /// Belongs to what it stands behind, and is left out.
    Silent,
    /// Parts words.
    Border,
}

impl Class {
    pub(super) fn of(character: char) -> Self {
        if character.is_ascii() {
            return Self::of_ascii(character as u8);
        }
        match character {
            '\u{2018}' | '\u{2019}' => Self::Silent,
            '\u{300}'..='\u{36f}' => Self::Silent,
            '\u{0e00}'..='\u{0eff}'
            | '\u{1000}'..='\u{109f}'
            | '\u{1100}'..='\u{11ff}'
            | '\u{1780}'..='\u{17ff}'
            | '\u{3005}'..='\u{3007}'
            | '\u{3041}'..='\u{318f}'
            | '\u{31f0}'..='\u{31ff}'
            | '\u{3400}'..='\u{4dbf}'
            | '\u{4e00}'..='\u{9fff}'
            | '\u{ac00}'..='\u{d7a3}'
            | '\u{f900}'..='\u{faff}'
            | '\u{20000}'..='\u{3ffff}' => Self::Paired,
            _ if character.is_alphabetic() => Self::Letter,
            _ if character.is_numeric() => Self::Digit,
            // Currencies, arrows, drawings, emoji.
            '\u{a2}'..='\u{a5}' | '\u{20a0}'..='\u{20cf}' | '\u{2190}'..='\u{2bff}' => Self::Mark,
            '\u{1f000}'..='\u{1faff}' => Self::Mark,
            _ => Self::Border,
        }
    }

    /// What a byte of ASCII is.
    pub(super) const fn of_ascii(byte: u8) -> Self {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => Self::Letter,
            b'0'..=b'9' => Self::Digit,
            b'!' | b'$' | b'%' | b'?' | b'*' | b'#' | b'>' | b'|' | b'=' | b'+' | b'@' | b'~'
            | b'_' => Self::Mark,
            b'\'' | b'`' => Self::Silent,
            _ => Self::Border,
        }
    }
}

/// A letter in lower case and without accents: mails drop them, and spam adds them.
pub(super) fn fold(letter: char) -> impl Iterator<Item = char> {
    let is_latin = matches!(letter, '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}');
    let mut base = None;
    if is_latin {
        decompose_canonical(letter, |part| {
            base.get_or_insert(part);
        });
    }
    base.unwrap_or(letter).to_lowercase()
}

/// The alphabets in which one letter looks like one of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alphabet {
    Latin,
    /// Greek and Cyrillic.
    Twin,
    Other,
}

impl Alphabet {
    pub(super) const fn of(letter: char) -> Self {
        match letter {
            'a'..='z' | 'A'..='Z' | '\u{c0}'..='\u{24f}' => Self::Latin,
            '\u{370}'..='\u{3ff}' | '\u{400}'..='\u{52f}' => Self::Twin,
            _ => Self::Other,
        }
    }
}

/// The Latin letter that a Greek or Cyrillic one in lower case looks like (UTS #39, those in use).
pub(super) const fn latin_twin(letter: char) -> char {
    match letter {
        'а' | 'α' => 'a',
        'в' | 'β' => 'b',
        'с' | 'ϲ' => 'c',
        'ԁ' => 'd',
        'е' | 'є' | 'ε' => 'e',
        'һ' | 'н' | 'η' => 'h',
        'і' | 'ї' | 'ι' => 'i',
        'ј' => 'j',
        'к' | 'κ' => 'k',
        'ӏ' => 'l',
        'м' | 'μ' => 'm',
        'п' => 'n',
        'о' | 'ο' | 'σ' => 'o',
        'р' | 'ρ' => 'p',
        'г' => 'r',
        'ѕ' => 's',
        'т' | 'τ' => 't',
        'υ' | 'ц' => 'u',
        'ν' | 'ѵ' => 'v',
        'ѡ' | 'ω' => 'w',
        'х' | 'χ' => 'x',
        'у' | 'ү' | 'γ' => 'y',
        other => other,
    }
}
