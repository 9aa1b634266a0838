//! What good mail and spam are made of, learned from mail that people have judged: a naive Bayesian classifier.
//!
//! A [`Model`] counts in how many good and how many spam mails each token was, and judges mail by them
//! ([`Opinion`]). It is bytes that somebody else keeps. It knows no mail, only hashes of what mails have in common,
//! and says nothing until it has learned enough of both classes. How evidence is put together is `combine`.

mod combine;
mod learned;
mod opinion;
mod stored;
mod table;
#[cfg(test)]
mod tests;

pub use learned::{Learned, LearnedError, Lesson, MOST_LEARNED};
pub use opinion::{Clue, MOST_CLUES, Opinion};
pub use stored::ModelError;

use crate::tokens::{Token, Tokens};
use table::{Counts, Key, Table};

/// What was learned.
#[derive(Clone, Debug)]
pub struct Model {
    table: Table,
    mails: Mails,
    /// Mails that were learned ever: the time of the table.
    learned: u64,
    least: u32,
}

/// What a mail is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Mail that somebody wants.
    Ham,
    /// Mail that nobody asked for.
    Spam,
}

/// How many mails of each class count now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mails {
    /// Good ones.
    pub ham: u32,
    /// Others.
    pub spam: u32,
}

/// What a model may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Tokens that are known at most; 12 bytes each.
    pub tokens: usize,
    /// Mails of each class that are learned before the model says anything.
    pub least_mails: u32,
}

/// 1,500,000 tokens are 18 MB, and what some 20,000 mails teach; 200 mails are what SpamAssassin and Rspamd ask for.
impl Default for Limits {
    fn default() -> Self {
        Self { tokens: 1_500_000, least_mails: 200 }
    }
}

impl Model {
    /// One that has learned nothing.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let table = Table::new(limits.tokens);
        Self { table, mails: Mails::default(), learned: 0, least: limits.least_mails }
    }

    /// Learns a mail. That none is learned twice is up to the caller, who has [`Learned`] for it.
    pub fn learn(&mut self, tokens: &Tokens, class: Class) {
        if *self.mails.of(class) >= MOST_MAILS {
            self.fade(class);
        }
        *self.mails.of(class) += 1;
        self.learned = self.learned.saturating_add(1);
        let now = epoch(self.learned);
        for token in tokens.as_slice() {
            let Some(entry) = self.table.entry(Key::of(token.hash())) else { continue };
            let count = entry.counts.of(class);
            *count = count.saturating_add(1);
            entry.seen = now;
        }
    }

    /// Takes back what was learned of a mail. Nothing happens if no mail of the class is known. What was forgotten since
    /// stays forgotten.
    pub fn unlearn(&mut self, tokens: &Tokens, class: Class) {
        let Some(fewer) = self.mails.of(class).checked_sub(1) else { return };
        *self.mails.of(class) = fewer;
        let most = u16::try_from(fewer).unwrap_or(u16::MAX);
        for token in tokens.as_slice() {
            let Some(entry) = self.table.get_mut(Key::of(token.hash())) else { continue };
            let count = entry.counts.of(class);
            *count = count.saturating_sub(1).min(most);
        }
    }

    /// What the model thinks of a mail.
    #[must_use]
    pub fn judge(&self, tokens: &Tokens) -> Opinion {
        if !self.is_trained() {
            return Opinion::unknown();
        }
        let counts = |token: &Token| self.table.get(Key::of(token.hash()));
        combine::judge(tokens, self.mails, counts)
    }

    /// Whether it has learned enough of both classes to say anything.
    #[must_use]
    pub const fn is_trained(&self) -> bool {
        let Mails { ham, spam } = self.mails;
        ham > 0 && spam > 0 && ham >= self.least && spam >= self.least
    }

    /// How many mails of each class count.
    #[must_use]
    pub const fn mails(&self) -> Mails {
        self.mails
    }

    /// How many tokens are known.
    #[must_use]
    pub const fn tokens(&self) -> usize {
        self.table.len()
    }

    /// Bytes of memory that it takes.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.table.size()
    }

    /// Halves what is known of a class: what is new counts more than what is old, and no count outgrows its place.
    fn fade(&mut self, class: Class) {
        *self.mails.of(class) /= 2;
        self.table.change(|counts| *counts.of(class) /= 2);
    }
}

impl Class {
    /// What a mail is that is not this.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Ham => Self::Spam,
            Self::Spam => Self::Ham,
        }
    }
}

impl Mails {
    const fn of(&mut self, class: Class) -> &mut u32 {
        match class {
            Class::Ham => &mut self.ham,
            Class::Spam => &mut self.spam,
        }
    }
}

impl Counts {
    const fn of(&mut self, class: Class) -> &mut u16 {
        match class {
            Class::Ham => &mut self.ham,
            Class::Spam => &mut self.spam,
        }
    }
}

/// The time of the table, in steps of 64 mails: enough for four million.
fn epoch(learned: u64) -> u16 {
    u16::try_from(learned / 64).unwrap_or(u16::MAX)
}

/// Mails of a class. A token is counted once in a mail, so its counts fit 16 bits.
const MOST_MAILS: u32 = 60_000;
