//! What words look like: letters of other scripts, and other forms of letters, as the Latin ones they resemble.
//!
//! After the skeletons of UTS #39, with a table of our own. It covers the letters of Cyrillic, Greek, Armenian and
//! Cherokee that look like Latin ones in most fonts; Latin letters with marks, with strokes and in other forms;
//! full-width and mathematical letters (by NFKD); `0`, `1`, `rn` and `vv`. It does not cover other scripts, signs, or
//! words that are alike only in meaning or sound. A skeleton is for comparing with other skeletons, never for people.

use unicode_normalization::UnicodeNormalization as _;

/// Scripts whose letters may be taken for each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Script {
    /// As here.
    Latin,
    /// Кириллица.
    Cyrillic,
    /// Ελληνικό.
    Greek,
    /// Հայոց.
    Armenian,
    /// ᏣᎳᎩ.
    Cherokee,
}

/// What a text looks like: two texts that people take for each other have the same skeleton. Case does not count.
#[must_use]
pub fn skeleton(text: &str) -> String {
    let capitals = text.chars().map(|letter| find(&CAPITALS, letter).unwrap_or(letter));
    let lower = capitals.flat_map(char::to_lowercase).collect::<String>();
    let letters = lower.nfkd().filter(|character| !is_mark(*character));
    let same = |letter| same_in_latin(letter).or_else(|| find(&NEARLY, letter)).unwrap_or(letter);
    let latin: String = letters.map(same).map(fold).collect();
    latin.replace("rn", "m").replace("vv", "w")
}

/// The script of a letter, if it is of one whose letters may be taken for others.
#[must_use]
pub const fn script(character: char) -> Option<Script> {
    match character {
        'a'..='z'
        | 'A'..='Z'
        | '\u{c0}'..='\u{d6}'
        | '\u{d8}'..='\u{f6}'
        | '\u{f8}'..='\u{2af}'
        | '\u{1e00}'..='\u{1eff}' => Some(Script::Latin),
        '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}' => Some(Script::Greek),
        '\u{400}'..='\u{52f}'
        | '\u{1c80}'..='\u{1c8f}'
        | '\u{2de0}'..='\u{2dff}'
        | '\u{a640}'..='\u{a69f}' => Some(Script::Cyrillic),
        '\u{531}'..='\u{58f}' => Some(Script::Armenian),
        '\u{13a0}'..='\u{13ff}' | '\u{ab70}'..='\u{abbf}' => Some(Script::Cherokee),
        _ => None,
    }
}

/// Whether a word has letters of several scripts and those of one of them are all there only for their looks. So
/// `Раypal` with two Cyrillic letters is a disguise, and `USBшный` is a word.
#[must_use]
pub fn is_disguised(word: &str) -> bool {
    let letters = || word.chars().filter_map(|letter| Some((letter, script(letter)?)));
    let latin =
        || letters().filter(|(_, script)| *script == Script::Latin).map(|(letter, _)| letter);
    let foreign = || letters().filter(|(_, script)| *script != Script::Latin);
    let (latins, foreigns) = (latin().count(), foreign().count());
    if latins == 0 || foreigns == 0 || latins + foreigns < SHORTEST_WORD {
        return false;
    }
    foreign().all(|(letter, _)| poses_as_latin(letter))
        || foreign().all(|(_, script)| script == Script::Cyrillic)
            && latin().all(|letter| AS_IN_CYRILLIC.contains(letter))
}

/// Whether all letters of a word are of one script other than Latin, and each looks like a Latin one.
#[must_use]
pub fn looks_latin(word: &str) -> bool {
    let mut letters = word
        .chars()
        .flat_map(char::to_lowercase)
        .filter(|letter| letter.is_alphabetic())
        .peekable();
    let first = letters.peek().copied().and_then(script).filter(|script| *script != Script::Latin);
    first.is_some()
        && letters.all(|letter| script(letter) == first && same_in_latin(letter).is_some())
}

/// Whether a letter of another script looks like a Latin one, as it is written: a small one or a capital.
fn poses_as_latin(letter: char) -> bool {
    same_in_latin(letter).is_some() || find(&CAPITALS, letter).is_some()
}

/// The Latin letter that a small letter of another script, or another form of a Latin one, looks like.
fn same_in_latin(letter: char) -> Option<char> {
    if letter.is_ascii() { None } else { find(&ALIKE, letter) }
}

fn find(table: &[(&str, char)], letter: char) -> Option<char> {
    if letter.is_ascii() {
        return None;
    }
    table.iter().find(|(letters, _)| letters.contains(letter)).map(|(_, same)| *same)
}

/// Digits and letters that are told apart only side by side.
const fn fold(letter: char) -> char {
    match letter {
        '0' => 'o',
        '1' | 'i' | '|' => 'l',
        other => other,
    }
}

const fn is_mark(character: char) -> bool {
    matches!(character, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}')
}

/// Small letters and the Latin one that they look like: Latin in other forms, Cyrillic, Greek, Armenian, Cherokee.
const ALIKE: [(&str, char); 26] = [
    ("\u{251}\u{430}\u{3b1}\u{4d9}\u{ab7a}", 'a'),
    ("\u{253}\u{180}\u{44c}\u{3b2}\u{13fc}", 'b'),
    ("\u{188}\u{441}\u{3f2}\u{1d04}\u{abaf}", 'c'),
    ("\u{111}\u{256}\u{257}\u{501}\u{ab70}", 'd'),
    ("\u{247}\u{435}\u{3b5}\u{1d07}\u{4bd}\u{ab7c}", 'e'),
    ("\u{192}\u{3dd}", 'f'),
    ("\u{261}\u{260}\u{1e5}\u{581}\u{50d}\u{ab90}", 'g'),
    ("\u{127}\u{266}\u{4bb}\u{570}\u{ab8b}", 'h'),
    ("\u{131}\u{268}\u{456}\u{3b9}\u{26a}\u{ab75}", 'i'),
    ("\u{237}\u{249}\u{458}\u{3f3}\u{575}\u{ab7b}", 'j'),
    ("\u{199}\u{3ba}\u{138}\u{abb6}", 'k'),
    ("\u{142}\u{19a}\u{26b}\u{4cf}\u{56c}\u{abae}", 'l'),
    ("\u{271}\u{1d0d}\u{ab87}", 'm'),
    ("\u{14b}\u{272}\u{273}\u{43f}\u{3b7}\u{578}\u{57c}", 'n'),
    ("\u{f8}\u{275}\u{43e}\u{3bf}\u{3c3}\u{585}\u{1d0f}", 'o'),
    ("\u{1a5}\u{440}\u{3c1}\u{584}\u{abb2}", 'p'),
    ("\u{24b}\u{51b}\u{563}\u{566}", 'q'),
    ("\u{24d}\u{27d}\u{433}\u{280}\u{ab71}", 'r'),
    ("\u{282}\u{455}\u{a731}\u{abaa}", 's'),
    ("\u{167}\u{1ad}\u{288}\u{3c4}\u{1d1b}\u{ab72}", 't'),
    ("\u{289}\u{28b}\u{3c5}\u{57d}\u{446}\u{1d1c}", 'u'),
    ("\u{475}\u{3bd}\u{1d20}\u{aba9}", 'v'),
    ("\u{26f}\u{461}\u{51d}\u{3c9}\u{561}\u{ab83}", 'w'),
    ("\u{445}\u{3c7}\u{4b3}", 'x'),
    ("\u{1b4}\u{28f}\u{443}\u{4af}\u{3b3}\u{ab79}", 'y'),
    ("\u{1b6}\u{225}\u{290}\u{1d22}\u{ab93}", 'z'),
];

/// Small Cyrillic letters that look like Latin capitals, which is enough for a name but proves no disguise.
const NEARLY: [(&str, char); 5] =
    [("\u{43d}", 'h'), ("\u{43a}", 'k'), ("\u{43c}", 'm'), ("\u{442}", 't'), ("\u{432}", 'b')];

/// Capitals whose small letters look otherwise: of Cyrillic and Greek.
const CAPITALS: [(&str, char); 19] = [
    ("\u{410}\u{391}", 'A'),
    ("\u{412}\u{392}", 'B'),
    ("\u{421}", 'C'),
    ("\u{415}\u{395}", 'E'),
    ("\u{41d}\u{397}", 'H'),
    ("\u{406}\u{399}", 'I'),
    ("\u{408}\u{37f}", 'J'),
    ("\u{41a}\u{39a}", 'K'),
    ("\u{41c}\u{39c}", 'M'),
    ("\u{39d}", 'N'),
    ("\u{41e}\u{39f}", 'O'),
    ("\u{420}\u{3a1}", 'P'),
    ("\u{405}", 'S'),
    ("\u{422}\u{3a4}", 'T'),
    ("\u{425}\u{3a7}", 'X'),
    ("\u{423}\u{4ae}\u{3a5}", 'Y'),
    ("\u{396}", 'Z'),
    ("\u{51c}", 'W'),
    ("\u{51a}", 'Q'),
];

/// Latin letters that look like Cyrillic ones.
const AS_IN_CYRILLIC: &str = "aceiopxyABCEHKMOPTX";
/// Letters of a word that can be a disguise: two are a formula or a unit.
const SHORTEST_WORD: usize = 3;
