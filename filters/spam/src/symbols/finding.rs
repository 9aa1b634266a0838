//! One thing that was noticed about a mail, with what was seen of it.
//!
//! What was seen comes from strangers: it is made one short line without control characters here, once, so that
//! nobody who shows it has to think of that (`attacks.md` E8, H13).

use super::Symbol;

/// Something that was noticed about a mail.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    symbol: Symbol,
    strength: f32,
    evidence: Box<str>,
}

impl Finding {
    /// A finding of strength 1. The evidence may be foreign text of any length: it becomes one line of at most 160
    /// characters; what cannot be seen is escaped as in Rust (`\u{202e}`).
    #[must_use]
    pub fn new(symbol: Symbol, evidence: &str) -> Self {
        Self { symbol, strength: 1.0, evidence: one_line(evidence) }
    }

    /// The same with another strength, which multiplies the weight of the symbol: from 0 to [`MOST_STRENGTH`]; what
    /// is no number is 0.
    #[must_use]
    pub fn with_strength(mut self, strength: f32) -> Self {
        self.strength = if strength.is_nan() { 0.0 } else { strength.clamp(0.0, MOST_STRENGTH) };
        self
    }

    /// What was noticed.
    #[must_use]
    pub const fn symbol(&self) -> Symbol {
        self.symbol
    }

    /// What multiplies the weight of the symbol.
    #[must_use]
    pub const fn strength(&self) -> f32 {
        self.strength
    }

    /// What was seen: printable text on one line.
    #[must_use]
    pub fn evidence(&self) -> &str {
        &self.evidence
    }
}

/// The text on one line, runs of blanks as one space, what has no ink escaped, and cut where it is too long.
fn one_line(text: &str) -> Box<str> {
    let mut line = String::new();
    let mut length = 0;
    let mut characters = text.trim().chars().peekable();
    while let Some(character) = characters.next() {
        if character.is_whitespace() && characters.peek().is_some_and(|next| next.is_whitespace()) {
            continue;
        }
        let width = width(character);
        if length + width > LONGEST - 1 && (characters.peek().is_some() || length + width > LONGEST)
        {
            line.push('\u{2026}');
            break;
        }
        length += width;
        show(character, &mut line);
    }
    line.into_boxed_str()
}

fn show(character: char, line: &mut String) {
    match character {
        blank if blank.is_whitespace() => line.push(' '),
        unseen if is_unseen(unseen) => line.extend(unseen.escape_unicode()),
        seen => line.push(seen),
    }
}

fn width(character: char) -> usize {
    let is_escaped = !character.is_whitespace() && is_unseen(character);
    if is_escaped { character.escape_unicode().count() } else { 1 }
}

/// Control characters, and those that `visible` would take away: directions, zero width, fillers.
fn is_unseen(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_control();
    }
    mailweir_content::decode::visible(character.encode_utf8(&mut [0; 4])).is_empty()
}

/// How many times its weight a finding may count at most: so a list that is believed twice as much as the others, or
/// a scanner that is far beyond its threshold, has its say, but not every say.
pub const MOST_STRENGTH: f32 = 4.0;

/// Characters of evidence. Enough for a name, a host and a few words; ten findings still fit into a header.
const LONGEST: usize = 160;
