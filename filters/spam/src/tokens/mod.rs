//! What a mail is made of, for a classifier: words and pairs of words, and how the mail is made.
//!
//! [`Tokenizer`] listens to a [`Reader`](crate::reading::Reader) and gives [`Tokens`]: hashes that are the same in every
//! process, with their text for who explains a judgement. What is true of one day, one path or one mailbox alone is no
//! token: dates, Received lines, recipients, marks of filters and of mail stores.

mod address;
mod bag;
mod hash;
mod header;
mod kind;
mod script;
mod structure;
#[cfg(test)]
mod tests;
mod text;
mod words;

pub use bag::{MOST_TOKENS, Token, Tokens};
pub use hash::VERSION;

use mailweir_content::decode::{charset::Fallbacks, parts::Part};

use crate::reading::{Element, Field, Limits, Link, Listener, Text, Trouble, read};
use header::Header;
pub(crate) use kind::Kind;
use structure::Structure;
use text::Body;

/// Makes tokens of what is read of one mail.
#[derive(Default)]
pub struct Tokenizer {
    tokens: Tokens,
    header: Header,
    structure: Structure,
    body: Body,
}

impl Tokenizer {
    /// Of a mail of which nothing is read yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The mail is over: what it has, and what it lacks.
    #[must_use]
    pub fn finish(self) -> Tokens {
        let Self { mut tokens, header, structure, body } = self;
        header.finish(&mut tokens);
        structure.finish(&mut tokens);
        body.finish(&mut tokens);
        tokens
    }
}

/// The tokens of a mail that is in memory.
#[must_use]
pub fn of_mail(mail: &[u8]) -> Tokens {
    let mut tokenizer = Tokenizer::new();
    read(mail, Limits::default(), Fallbacks::default(), &mut tokenizer);
    tokenizer.finish()
}

impl Listener for Tokenizer {
    fn field(&mut self, field: &Field<'_>) {
        self.structure.field(field, &mut self.tokens);
        if field.depth == 0 {
            self.body.field(field);
            self.header.field(field, &mut self.tokens);
        }
    }

    fn part(&mut self, part: &Part) {
        self.body.begin_part(&mut self.tokens);
        self.structure.part(part, &mut self.tokens);
    }

    fn text(&mut self, text: &Text<'_>) {
        self.body.text(text, &mut self.tokens);
    }

    fn element(&mut self, element: &Element) {
        self.structure.element(element, &mut self.tokens);
    }

    fn comment(&mut self, _: &str) {
        self.tokens.add(Kind::Html, "comment");
    }

    fn link(&mut self, link: &Link<'_>) {
        self.structure.link(link, &mut self.tokens);
    }

    fn trouble(&mut self, trouble: Trouble) {
        let text = match trouble {
            Trouble::Ambiguous(ambiguity) => format!("{ambiguity:?}"),
            Trouble::TooManyFields | Trouble::LongText | Trouble::TooManyTexts => {
                format!("{trouble:?}")
            }
        };
        self.tokens.add(Kind::Trouble, &text);
    }
}
