//! Text that claims a charset which it is not in.
//!
//! Bytes read in a wrong charset give letters that no language has so many of. Nothing is concluded from text in
//! ASCII, whatever it claims, nor from UTF-8, which has all scripts.

use crate::symbols::{Finding, Symbol};

/// Whether the text of a part shows that its label is wrong.
#[derive(Clone, Debug)]
pub struct CharsetEvidence {
    family: Family,
    label: Box<str>,
    /// Letters of ASCII.
    letters: usize,
    foreign: usize,
    at_home: usize,
    /// Characters that are still looked at.
    left: usize,
}

impl CharsetEvidence {
    /// Of a part whose text claims this charset. None if nothing can be wrong about it.
    #[must_use]
    pub fn new(label: &str) -> Option<Self> {
        let family = Family::of(label)?;
        let label = label.into();
        Some(Self { family, label, letters: 0, foreign: 0, at_home: 0, left: LONGEST })
    }

    /// Takes text of the part, decoded as its label says.
    pub fn text(&mut self, text: &str) {
        if text.is_ascii() {
            let text = text.get(..self.left).unwrap_or(text);
            self.left -= text.len();
            self.letters += text.bytes().filter(u8::is_ascii_alphabetic).count();
            return;
        }
        for character in text.chars().take(self.left) {
            self.left -= 1;
            match character {
                letter if letter.is_ascii_alphabetic() => self.letters += 1,
                ascii if ascii.is_ascii() => {}
                other => {
                    self.foreign += 1;
                    self.at_home += usize::from(self.family.has(other));
                }
            }
        }
    }

    /// What was found in the part, which is over.
    #[must_use]
    pub fn finding(&self) -> Option<Finding> {
        let Self { letters, foreign, at_home, .. } = *self;
        if foreign < FEWEST {
            return None;
        }
        let is_wrong = match self.family {
            // Its letters beyond ASCII are those of Europe, and stand among others.
            Family::Latin => foreign * 2 > letters + foreign,
            Family::Cyrillic | Family::Greek | Family::EastAsian => at_home * 2 < foreign,
        };
        is_wrong.then(|| Finding::new(Symbol::CharsetOtherScript, &self.label))
    }
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
