//! Which mails were learned, and as what: so that none is learned twice, and one that was learned as the wrong class is
//! taken back first.
//!
//! A mail is its number (`Tokens::mail_hash`), with the class and the time. Of more mails than are remembered, the one goes first
//! that was learned the longest time ago: the model keeps what it taught, and could learn it once more.

mod stored;
#[cfg(test)]
mod tests;

pub use stored::LearnedError;

use mailweir_mail::Timestamp;

use super::{Class, Model};
use crate::{aged::Aged, tokens::Tokens};

/// The mails that a model has learned.
#[derive(Clone, Debug)]
pub struct Learned {
    mails: Aged<Class>,
    since: Option<Timestamp>,
}

/// What is to be done about a mail that somebody wants learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lesson {
    /// It was not known.
    New,
    /// It was known as a mail of the other class.
    Corrected,
    /// It was known.
    Known,
}

impl Learned {
    /// None as yet; at most [`MOST_LEARNED`].
    #[must_use]
    pub const fn new() -> Self {
        Self { mails: Aged::new(MOST_LEARNED), since: None }
    }

    /// Remembers a mail, and says what it is to the model: see [`Lesson::teach`].
    pub fn learn(&mut self, mail: u64, class: Class, now: Timestamp) -> Lesson {
        let lesson = match self.class_of(mail) {
            Some(known) if known == class => return Lesson::Known,
            Some(_) => Lesson::Corrected,
            None => Lesson::New,
        };
        self.mails.put(mail, now, class);
        self.since.get_or_insert(now);
        lesson
    }

    /// Forgets a mail, and says what it was learned as: that is for the model to unlearn.
    pub fn forget(&mut self, mail: u64) -> Option<Class> {
        self.mails.remove(mail)
    }

    /// What a mail was learned as.
    #[must_use]
    pub fn class_of(&self, mail: u64) -> Option<Class> {
        self.mails.get(mail).map(|(_, class)| *class)
    }

    /// When the first mail was learned, remembered or not.
    #[must_use]
    pub const fn since(&self) -> Option<Timestamp> {
        self.since
    }

    /// How many mails are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.mails.len()
    }

    /// Whether none is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Default for Learned {
    fn default() -> Self {
        Self::new()
    }
}

impl Lesson {
    /// Has a model learn a mail of this class as far as it does not know it.
    pub fn teach(self, model: &mut Model, tokens: &Tokens, class: Class) {
        match self {
            Self::Known => return,
            Self::Corrected => model.unlearn(tokens, class.other()),
            Self::New => {}
        }
        model.learn(tokens, class);
    }
}

/// As many as a model counts at a time, of both classes. Some ten megabytes of memory.
pub const MOST_LEARNED: usize = 120_000;
