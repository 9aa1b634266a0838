//! Text that claims a charset which it is not in.
//!
//! Bytes read in a wrong charset give letters that no language has so many of. Nothing is concluded from text in
//! ASCII, whatever it claims, nor from UTF-8, which has all scripts.

use crate::symbols::{Finding, Symbol};

/// Whether a text that was decoded as its label says shows that the label is wrong.
#[must_use]
pub fn of_charset(label: &str, text: &str) -> Option<Finding> {
    let family = Family::of(label)?;
    let (mut letters, mut foreign, mut at_home) = (0_usize, 0_usize, 0_usize);
    for character in text.chars().take(LONGEST) {
        match character {
            letter if letter.is_ascii_alphabetic() => letters += 1,
            ascii if ascii.is_ascii() => {}
            other => {
                foreign += 1;
                at_home += usize::from(family.has(other));
            }
        }
    }
    if foreign < FEWEST {
        return None;
    }
    let is_wrong = match family {
        // Its letters beyond ASCII are those of Europe, and stand among others.
        Family::Latin => foreign * 2 > letters + foreign,
        Family::Cyrillic | Family::Greek | Family::EastAsian => at_home * 2 < foreign,
    };
    is_wrong.then(|| Finding::new(Symbol::CharsetOtherScript, label))
}

/// What a charset is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Latin,
    Cyrillic,
    Greek,
    EastAsian,
}

impl Family {
    fn of(label: &str) -> Option<Self> {
        let label = label.trim().to_ascii_lowercase();
        let is_one_of = |names: &[&str]| names.iter().any(|name| label == *name);
        let begins = |names: &[&str]| names.iter().any(|name| label.starts_with(name));
        if is_one_of(&[
            "iso-8859-1",
            "iso-8859-15",
            "latin1",
            "windows-1252",
            "cp1252",
            "us-ascii",
            "ascii",
        ]) {
            return Some(Self::Latin);
        }
        if begins(&["koi8"]) || is_one_of(&["windows-1251", "cp1251", "iso-8859-5"]) {
            return Some(Self::Cyrillic);
        }
        if is_one_of(&["iso-8859-7", "windows-1253"]) {
            return Some(Self::Greek);
        }
        let east = [
            "euc-",
            "ks_c",
            "cp949",
            "iso-2022-",
            "shift",
            "sjis",
            "gb",
            "big5",
            "windows-949",
            "windows-31j",
        ];
        begins(&east).then_some(Self::EastAsian)
    }

    fn has(self, character: char) -> bool {
        match self {
            Self::Latin => matches!(character, '\u{a0}'..='\u{24f}'),
            // With the boxes and quotes that these charsets have as well.
            Self::Cyrillic => {
                matches!(character, '\u{400}'..='\u{52f}' | '\u{2010}'..='\u{25ff}' | '\u{a0}'..='\u{bf}')
            }
            Self::Greek => {
                matches!(character, '\u{370}'..='\u{3ff}' | '\u{2010}'..='\u{20ff}' | '\u{a0}'..='\u{bf}')
            }
            Self::EastAsian => {
                matches!(character, '\u{1100}'..='\u{11ff}' | '\u{2010}'..='\u{d7ff}' | '\u{f900}'..='\u{ffef}'
                | '\u{20000}'..='\u{3ffff}')
            }
        }
    }
}

/// Characters of a text that are looked at.
const LONGEST: usize = 20_000;
/// Characters beyond ASCII that tell something: fewer are names and quotes.
const FEWEST: usize = 30;
