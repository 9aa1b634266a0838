//! Text in words: one form for each, whatever the case, the accents and the tricks.
//!
//! - Numbers are told by their length alone: which ones they are is of one day or one mail.
//! - Words with many digits are names of things and not words: their length is told.
//! - Scripts without blanks are told in pairs of characters.
//! - Marks like `!` and `$` are words of their own, in rows of up to four.
//! - Letters one by one (`f r e e`, `f.r.e.e`) are told as the word that they spell, too.
//! - In a word of several alphabets Greek and Cyrillic letters are the Latin ones that they look like.

use super::script::{Alphabet, Class, fold, latin_twin};

/// Something in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// A word, a number or a row of marks.
    Word(&'a str),
    /// A word of at least three capitals, in lower case all the same.
    Capitals(&'a str),
    /// Two characters of a script without blanks, or one that stands alone. Not a neighbour of words.
    Pair(&'a str),
    /// Letters one by one, as a word.
    Spelled(&'a str),
    /// A word whose letters are of several alphabets.
    Disguised(&'a str),
}

/// Takes text apart. Keeps its memory from line to line.
#[derive(Clone, Debug, Default)]
pub(super) struct Splitter {
    word: String,
    spelled: String,
    letters: usize,
    capitals: usize,
    digits: usize,
    has_latin: bool,
    has_twin: bool,
    mark: Option<(char, u8)>,
    paired: Option<(char, bool)>,
}

impl Splitter {
    /// Tells the pieces of a text; a word does not go on in the next text.
    pub(super) fn split(&mut self, text: &str, take: &mut impl FnMut(Piece<'_>)) {
        let mut rest = text;
        while let Some(first) = rest.as_bytes().first() {
            if matches!(KINDS[usize::from(*first)], LETTER | CAPITAL)
                && self.is_between_words()
                && let Some(Letters { word, capitals, behind }) = Letters::of(rest)
            {
                self.plain_word(word, capitals, take);
                rest = behind;
                continue;
            }
            let Some(character) = rest.chars().next() else { break };
            self.character(character, take);
            rest = rest.get(character.len_utf8()..).unwrap_or_default();
        }
        self.end_word(take);
        self.end_pairs(take);
        self.end_mark(take);
        self.end_spelled(take);
    }

    fn character(&mut self, character: char, take: &mut impl FnMut(Piece<'_>)) {
        let class = Class::of(character);
        if self.paired.is_some() && !matches!(class, Class::Paired | Class::Silent) {
            self.end_pairs(take);
        }
        if self.mark.is_some_and(|(mark, _)| mark != character) {
            self.end_mark(take);
        }
        match class {
            Class::Letter => self.letter(character),
            Class::Digit => self.digit(character),
            Class::Silent => {}
            Class::Paired => {
                self.end_word(take);
                self.pair(character, take);
            }
            Class::Mark => {
                self.end_word(take);
                let count = self.mark.map_or(0, |(_, count)| count);
                self.mark = Some((character, count.saturating_add(1)));
            }
            Class::Border => self.end_word(take),
        }
    }

    const fn is_between_words(&self) -> bool {
        self.letters == 0 && self.digits == 0
    }

    /// A whole word as most are, of ASCII letters alone: it is told without a copy if it is in lower case.
    fn plain_word(&mut self, word: &str, capitals: usize, take: &mut impl FnMut(Piece<'_>)) {
        self.end_pairs(take);
        self.end_mark(take);
        if word.len() > 1 {
            self.end_spelled(take);
        } else if self.spelled.len() < LONGEST_WORD {
            self.spelled.push_str(word);
            self.spelled.make_ascii_lowercase();
        }
        if word.len() > LONGEST_PLAIN {
            return take(Piece::Word(LONG_WORD));
        }
        if capitals == 0 {
            return take(Piece::Word(word));
        }
        self.word.push_str(word);
        self.word.make_ascii_lowercase();
        match capitals >= LEAST_CAPITALS && capitals == word.len() {
            true => take(Piece::Capitals(&self.word)),
            false => take(Piece::Word(&self.word)),
        }
        self.word.clear();
    }

    fn letter(&mut self, letter: char) {
        self.letters = self.letters.saturating_add(1);
        if letter.is_ascii_lowercase() {
            self.has_latin = true;
            return self.push(letter);
        }
        self.capitals = self.capitals.saturating_add(usize::from(letter.is_uppercase()));
        match Alphabet::of(letter) {
            Alphabet::Latin => self.has_latin = true,
            Alphabet::Twin => self.has_twin = true,
            Alphabet::Other => {}
        }
        if letter.is_ascii() {
            self.push(letter.to_ascii_lowercase());
        } else {
            fold(letter).for_each(|letter| self.push(letter));
        }
    }

    fn digit(&mut self, digit: char) {
        self.digits = self.digits.saturating_add(1);
        self.push(if digit.is_ascii() { digit } else { '0' });
    }

    fn push(&mut self, character: char) {
        if self.word.len() < LONGEST_WORD {
            self.word.push(character);
        }
    }

    fn end_word(&mut self, take: &mut impl FnMut(Piece<'_>)) {
        if self.is_between_words() {
            return;
        }
        if self.letters == 1 && self.digits == 0 {
            if self.spelled.len() < LONGEST_WORD {
                self.spelled.push_str(&self.word);
            }
        } else {
            self.end_spelled(take);
        }
        self.tell_word(take);
        self.word.clear();
        (self.letters, self.capitals, self.digits) = (0, 0, 0);
        (self.has_latin, self.has_twin) = (false, false);
    }

    fn tell_word(&mut self, take: &mut impl FnMut(Piece<'_>)) {
        let length = self.letters + self.digits;
        if self.letters == 0 {
            let shape = "000000";
            return take(Piece::Word(shape.get(..length).unwrap_or(shape)));
        }
        if self.digits > MOST_DIGITS || length > LONGEST_PLAIN {
            let size = if length > LONGEST_PLAIN { "long" } else { "short" };
            self.word.clear();
            self.word.push_str(if self.digits > 0 { "x9-" } else { "x-" });
            self.word.push_str(size);
            return take(Piece::Word(&self.word));
        }
        if self.has_latin && self.has_twin {
            let word: String = self.word.chars().map(latin_twin).collect();
            return take(Piece::Disguised(&word));
        }
        match self.capitals >= LEAST_CAPITALS && self.capitals == self.letters {
            true => take(Piece::Capitals(&self.word)),
            false => take(Piece::Word(&self.word)),
        }
    }

    fn end_spelled(&mut self, take: &mut impl FnMut(Piece<'_>)) {
        if self.spelled.is_empty() {
            return;
        }
        if self.spelled.chars().count() >= SHORTEST_SPELLED {
            take(Piece::Spelled(&self.spelled));
        }
        self.spelled.clear();
    }

    fn pair(&mut self, character: char, take: &mut impl FnMut(Piece<'_>)) {
        if let Some((before, _)) = self.paired {
            let mut pair = [0; 8];
            let length = before.encode_utf8(&mut pair).len();
            let (_, rest) = pair.split_at_mut(length);
            let length = length + character.encode_utf8(rest).len();
            take_bytes(pair.get(..length), take);
        }
        self.paired = Some((character, self.paired.is_some()));
    }

    fn end_pairs(&mut self, take: &mut impl FnMut(Piece<'_>)) {
        if let Some((character, false)) = self.paired.take() {
            take(Piece::Pair(character.encode_utf8(&mut [0; 4])));
        }
    }

    fn end_mark(&mut self, take: &mut impl FnMut(Piece<'_>)) {
        let Some((mark, count)) = self.mark.take() else { return };
        let mut row = [0; 16];
        let mut length = 0;
        for _ in 0..count.min(LONGEST_ROW) {
            let (_, rest) = row.split_at_mut(length);
            length += mark.encode_utf8(rest).len();
        }
        let row = row.get(..length).and_then(|row| std::str::from_utf8(row).ok());
        take(Piece::Word(row.unwrap_or_default()));
    }
}

/// A word of ASCII letters that nothing else belongs to.
struct Letters<'t> {
    word: &'t str,
    capitals: usize,
    /// What stands behind the word and the borders that follow it.
    behind: &'t str,
}

impl<'t> Letters<'t> {
    /// What a text begins with, if it is one.
    fn of(text: &'t str) -> Option<Self> {
        let mut capitals = 0;
        let letters = text.bytes().take_while(|byte| {
            let kind = KINDS[usize::from(*byte)];
            capitals += usize::from(kind == CAPITAL);
            matches!(kind, LETTER | CAPITAL)
        });
        let (word, behind) = text.split_at_checked(letters.count())?;
        let kind = |byte: u8| KINDS[usize::from(byte)];
        let borders = behind.bytes().take_while(|byte| kind(*byte) == BORDER).count();
        let is_whole = borders > 0 || behind.bytes().next().is_none_or(|byte| kind(byte) == MARK);
        is_whole.then_some(Self { word, capitals, behind: behind.get(borders..)? })
    }
}

/// What a byte of ASCII is to words, as `Class` has it.
const KINDS: [u8; 256] = {
    let mut kinds = [OTHER; 256];
    let mut byte = 0;
    while byte < 128 {
        kinds[byte] = match Class::of_ascii(byte as u8) {
            Class::Letter if (byte as u8).is_ascii_uppercase() => CAPITAL,
            Class::Letter => LETTER,
            Class::Border => BORDER,
            Class::Mark => MARK,
            Class::Digit | Class::Paired | Class::Silent => OTHER,
        };
        byte += 1;
    }
    kinds
};

const OTHER: u8 = 0;
const LETTER: u8 = 1;
const CAPITAL: u8 = 3;
const BORDER: u8 = 4;
const MARK: u8 = 8;

fn take_bytes(pair: Option<&[u8]>, take: &mut impl FnMut(Piece<'_>)) {
    if let Some(pair) = pair.and_then(|pair| std::str::from_utf8(pair).ok()) {
        take(Piece::Pair(pair));
    }
}

/// Bytes of a word that are kept.
const LONGEST_WORD: usize = 96;

/// Characters of a word that is told as it is; hardly any language has longer ones that come twice.
const LONGEST_PLAIN: usize = 30;

/// What a longer one is told as.
const LONG_WORD: &str = "x-long";

/// Capitals of a word in capitals: abbreviations of two are none.
const LEAST_CAPITALS: usize = 3;

/// Digits in a word: `mp3`, `v1agra`, `365days`.
const MOST_DIGITS: usize = 3;

/// Letters one by one before they are read as a word: initials are fewer.
const SHORTEST_SPELLED: usize = 4;

/// Of the same mark; more of them say no more.
const LONGEST_ROW: u8 = 4;
