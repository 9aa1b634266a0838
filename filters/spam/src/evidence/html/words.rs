//! Words that are whole to people and broken to filters: `Vi<!-- x -->ag<zz>ra`.

use super::count::count;
use crate::reading::elements::{Layout, Name};

/// Counts words with something unseen in them.
#[derive(Debug, Default)]
pub(super) struct Words {
    broken: usize,
    all: usize,
    before: Before,
    /// The name of the tag that was begun last, if nothing came since.
    opened: Option<Name>,
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

/// What a tag is to its element.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Edge {
    Begin,
    End,
    /// Behind its beginning, with nothing between.
    EndOfNothing,
}

impl Words {
    /// Text that is seen.
    pub(super) fn text(&mut self, text: &str) {
        self.opened = None;
        self.all = self.all.saturating_add(words(text));
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
        self.edge(name, Edge::Begin);
        self.opened = Some(Name::of(name));
    }

    /// An end tag. An element with nothing in it is not seen.
    pub(super) fn end_tag(&mut self, name: &str) {
        let is_empty = self.opened.take() == Some(Name::of(name));
        self.edge(name, if is_empty { Edge::EndOfNothing } else { Edge::End });
    }

    fn edge(&mut self, name: &str, edge: Edge) {
        match (Layout::of(name), edge) {
            (Some(Layout::Block | Layout::Apart), _) => self.before = Before::Blank,
            (None, _) | (Some(Layout::Inline), Edge::EndOfNothing) => self.unseen(),
            (Some(Layout::Inline), Edge::Begin | Edge::End) => {}
        }
    }

    /// How many are broken, if they are more than slips of programs.
    pub(super) fn broken(&self) -> Option<usize> {
        (self.broken >= FEWEST && self.broken * SHARE >= self.all).then_some(self.broken)
    }
}

/// How many words a text has.
fn words(text: &str) -> usize {
    if !text.is_ascii() {
        return text.split_whitespace().count();
    }
    let bytes = text.as_bytes();
    let first = bytes.first().is_some_and(|byte| *byte > b' ');
    let behind = bytes.get(1..).unwrap_or_default();
    usize::from(first) + count(bytes, behind, |before, byte| (before <= b' ') & (byte > b' '))
}

/// Broken words: programs that write HTML break one here and there.
const FEWEST: usize = 5;
/// One in so many words.
const SHARE: usize = 100;
