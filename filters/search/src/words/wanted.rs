//! What a text looked for asks of the index: the other side of [`Terms`](super::Terms).

use super::class::{Class, class};
use super::fold::normalised;
use super::terms::Run;
use super::{MAX_TERM, PAIR};

/// What must be in one field for a text to be found there. All parts must be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Terms with their positions, counted from the first: a phrase.
    pub phrase: Vec<(usize, String)>,
    /// Single characters of scripts without word breaks: each begins some term.
    pub singles: Vec<char>,
    /// A part of a word. Never empty.
    pub pattern: Option<(Pattern, String)>,
}

/// Where in a word its known part stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    /// `word*`
    Begins,
    /// `*word`
    Ends,
    /// `*word*`
    Within,
}

impl Pattern {
    /// Whether `term` has `part` where this says.
    pub fn matches(self, part: &[u8], term: &[u8]) -> bool {
        match self {
            Self::Begins => term.starts_with(part),
            Self::Ends => term.ends_with(part),
            Self::Within => match part.split_first() {
                // Terms are short; the first byte rules most of them out.
                Some((first, rest)) => term
                    .iter()
                    .enumerate()
                    .any(|(index, byte)| byte == first && term[index + 1..].starts_with(rest)),
                None => true,
            },
        }
    }
}

impl Wanted {
    /// Whether nothing is asked for: there was no letter or digit in the text.
    pub fn is_empty(&self) -> bool {
        self.phrase.is_empty() && self.singles.is_empty() && self.pattern.is_none()
    }
}

/// What `text` asks for. A word with accents is looked for with them, one without is found either way.
pub fn wanted(text: &str) -> Wanted {
    let text = normalised(text);
    let mut wanted = Wanted::default();
    let mut run = Run::default();
    let mut chars = Vec::new();
    let (mut at, mut position) = (0, 0);
    while let Some(end) = run.read(&text, at) {
        at = end;
        if run.unspaced {
            run.plain(&mut chars);
            wanted.pairs(&chars, position);
            position += chars.len();
        } else {
            for piece in run.exact.chunks(MAX_TERM) {
                wanted.phrase.push((position, piece.iter().collect()));
                position += 1;
            }
        }
    }
    wanted.start_at_zero();
    wanted
}

impl Wanted {
    /// Whether all of it is of scripts with word breaks.
    pub fn is_words(&self) -> bool {
        self.singles.is_empty()
            && self
                .phrase
                .iter()
                .all(|(_, term)| term.chars().all(|c| c != PAIR && class(c) != Class::Unspaced))
    }

    /// The same, but the last word is known in part only. `None` if it is not of a script with word
    /// breaks (there every part is found as it is), or if more than one word stands under a pattern
    /// that leaves the beginning open.
    pub fn with_pattern(mut self, pattern: Pattern) -> Option<Self> {
        if !self.is_words() || (pattern != Pattern::Begins && self.phrase.len() > 1) {
            return None;
        }
        let (_, last) = self.phrase.pop()?;
        self.pattern = Some((pattern, last));
        Some(self)
    }

    fn pairs(&mut self, chars: &[(char, usize)], position: usize) {
        if let [(only, _)] = chars {
            self.singles.push(*only);
        }
        for (index, pair) in chars.windows(2).enumerate() {
            let marker = pair.iter().all(|(c, _)| class(*c) == Class::Spaced).then_some(PAIR);
            self.phrase.push((
                position + index,
                marker.into_iter().chain(pair.iter().map(|(c, _)| *c)).collect(),
            ));
        }
    }

    fn start_at_zero(&mut self) {
        let first = self.phrase.first().map_or(0, |(position, _)| *position);
        for (position, _) in &mut self.phrase {
            *position -= first;
        }
    }
}
