//! Words that are whole to people and broken to filters: `Vi<!-- x -->ag<zz>ra`.

use super::elements;

/// Counts words with something unseen in them.
#[derive(Debug, Default)]
pub(super) struct Words {
    broken: usize,
    all: usize,
    before: Before,
    /// The tag that was begun last, if nothing came since.
    opened: Option<Box<str>>,
}

/// What stands in front of the next text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Before {
    /// No letter.
    #[default]
    Blank,
    /// A letter.
    Letter,
    /// A letter, and then something that is not seen.
    LetterAndUnseen,
}

impl Words {
    /// Text that is seen.
    pub(super) fn text(&mut self, text: &str) {
        self.opened = None;
        self.all = self.all.saturating_add(text.split_whitespace().count());
        let starts_with_letter = text.starts_with(char::is_alphabetic);
        if self.before == Before::LetterAndUnseen && starts_with_letter {
            self.broken = self.broken.saturating_add(1);
        }
        self.before =
            if text.ends_with(char::is_alphabetic) { Before::Letter } else { Before::Blank };
    }

    /// Something that is not seen: a comment, or hidden text.
    pub(super) fn unseen(&mut self) {
        if self.before == Before::Letter {
            self.before = Before::LetterAndUnseen;
        }
    }

    /// A start tag. Those that do not exist are not seen; those of blocks end a word.
    pub(super) fn tag(&mut self, name: &str) {
        if elements::ends_word(name) {
            self.before = Before::Blank;
        } else if !elements::is_known(name) {
            self.unseen();
        }
        self.opened = Some(name.into());
    }

    /// An end tag. An element with nothing in it is not seen.
    pub(super) fn end_tag(&mut self, name: &str) {
        let is_empty = self.opened.take().is_some_and(|opened| *opened == *name);
        if elements::ends_word(name) {
            self.before = Before::Blank;
        } else if is_empty || !elements::is_known(name) {
            self.unseen();
        }
    }

    /// How many are broken, if they are more than slips of programs.
    pub(super) fn broken(&self) -> Option<usize> {
        (self.broken >= FEWEST && self.broken * SHARE >= self.all).then_some(self.broken)
    }
}

/// Broken words: programs that write HTML break one here and there.
const FEWEST: usize = 5;
/// One in so many words.
const SHARE: usize = 100;
