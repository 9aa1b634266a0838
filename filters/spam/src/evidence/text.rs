//! Text whose words are made to look like others.

use crate::{
    links::skeleton::is_disguised,
    reading::{Listener, Text},
    symbols::{Finding, Symbol},
};

/// What the text of a mail shows, of all its parts.
#[derive(Clone, Debug, Default)]
pub struct TextEvidence {
    disguised: usize,
    first: Option<Box<str>>,
}

impl TextEvidence {
    /// What was found.
    #[must_use]
    pub fn findings(self) -> Vec<Finding> {
        let first = self.first.filter(|_| self.disguised >= FEWEST_WORDS);
        let found = first.map(|word| {
            Finding::new(Symbol::TextHomograph, &format!("{} words, {word}", self.disguised))
        });
        found.into_iter().collect()
    }
}

impl Listener for TextEvidence {
    fn text(&mut self, text: &Text<'_>) {
        if text.line.is_ascii() {
            return;
        }
        let words = text.line.split(|character: char| !character.is_alphanumeric());
        for word in words.filter(|word| !word.is_ascii() && is_disguised(word)) {
            self.disguised = self.disguised.saturating_add(1);
            self.first.get_or_insert_with(|| word.into());
        }
    }
}

/// Words: formulas and names have one or two.
const FEWEST_WORDS: usize = 3;
