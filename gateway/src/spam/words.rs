//! What people ask of the spam checks, and what they are told: on the control socket, and as JSON of the command line.

pub mod score;

use mailweir_mail::Timestamp;
use mailweir_spam::bayes::{self, Class, Opinion};
use serde::{Deserialize, Serialize};

use self::score::{Catalogue, Explanation};

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// How much the classifier has learned.
    Status,
    /// Learn mails, or take back what was learned of them. They come behind the request.
    Teach(Wish),
    /// What a mail comes to by what it shows by itself. It comes behind the request.
    Check,
    /// What all symbols weigh.
    Symbols,
}

/// What is to be done with mails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wish {
    /// Learn them as this.
    Learn(LearnedClass),
    /// Take back what was learned of them.
    Forget,
}

/// What a mail is learned as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LearnedClass {
    /// Mail that somebody wants.
    Ham,
    /// Mail that nobody asked for.
    Spam,
}

/// What is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// How much the classifier has learned.
    Status(Standing),
    /// What has come of mails, all of them so far. It is stored.
    Taught(Taught),
    /// What a mail comes to, and why.
    Judged(Box<Explanation>),
    /// What all symbols weigh.
    Symbols(Catalogue),
    /// Why it is not done, and what to do.
    Failed {
        /// In words.
        reason: Box<str>,
    },
}

/// What has come of mails that somebody taught.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taught {
    /// Mails that were learned, or taken back.
    pub changed: u64,
    /// Of those, mails that were learned as the other class before.
    pub corrected: u64,
    /// Mails of which it was known already, or that were never learned.
    pub unchanged: u64,
}

/// How much the classifier has learned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Good mails that count now.
    pub ham: u32,
    /// Spam that counts now.
    pub spam: u32,
    /// How many of each it needs to judge mail.
    pub needed: u32,
    /// Whether it judges mail.
    pub is_trained: bool,
    /// Words and other marks that it knows.
    pub tokens: u64,
    /// Bytes of memory that they take.
    pub bytes: u64,
    /// Mails that are remembered, so that they are not learned twice.
    pub mails: u64,
    /// When it learned the first mail; in JSON microseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Why it can neither learn nor judge, and what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<Box<str>>,
}

/// What the classifier thinks of a mail, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// Whether the classifier has learned enough to say anything.
    pub is_trained: bool,
    /// How likely the mail is spam.
    pub probability: Likelihood,
    /// How many words and other marks of the mail are known.
    pub known: u64,
    /// What the mail was learned as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learned: Option<LearnedClass>,
    /// What speaks for spam, the strongest first.
    pub spam: Vec<Clue>,
    /// What speaks for good mail, likewise.
    pub ham: Vec<Clue>,
    /// Why nothing of what was learned is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<Box<str>>,
}

/// Something that a mail has, and what it says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clue {
    /// What it is: `free money`, `subject:re`.
    pub text: Box<str>,
    /// How likely a mail with it is spam, all else unknown.
    pub probability: Likelihood,
}

/// Between 0 and 1, to six digits; a number in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "f64", into = "f64")]
pub struct Likelihood(u32);

impl From<f64> for Likelihood {
    fn from(probability: f64) -> Self {
        Self((probability.clamp(0.0, 1.0) * MILLION).round() as u32)
    }
}

impl From<Likelihood> for f64 {
    fn from(Likelihood(millionths): Likelihood) -> Self {
        Self::from(millionths) / MILLION
    }
}

impl From<LearnedClass> for Class {
    fn from(class: LearnedClass) -> Self {
        match class {
            LearnedClass::Ham => Self::Ham,
            LearnedClass::Spam => Self::Spam,
        }
    }
}

impl From<Class> for LearnedClass {
    fn from(class: Class) -> Self {
        match class {
            Class::Ham => Self::Ham,
            Class::Spam => Self::Spam,
        }
    }
}

impl LearnedClass {
    /// As people say it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ham => "ham",
            Self::Spam => "spam",
        }
    }
}

impl Judgement {
    /// What is told of an opinion.
    #[must_use]
    pub fn of(opinion: &Opinion, is_trained: bool, learned: Option<LearnedClass>) -> Self {
        let clue = |clue: &bayes::Clue| Clue {
            text: clue.text.as_str().into(),
            probability: clue.probability.into(),
        };
        Self {
            is_trained,
            probability: opinion.probability.into(),
            known: opinion.known as u64,
            learned,
            spam: opinion.spam.iter().map(clue).collect(),
            ham: opinion.ham.iter().map(clue).collect(),
            trouble: None,
        }
    }

    /// That of a classifier that knows nothing, for this reason.
    #[must_use]
    pub fn silent(reason: &str) -> Self {
        let trouble = Some(reason.into());
        Self { trouble, ..Self::of(&Opinion::unknown(), false, None) }
    }
}

/// Bytes of a mail that is taught or judged: it is in memory as a whole.
pub const MOST_TAUGHT: u64 = 64 << 20;

const MILLION: f64 = 1e6;
