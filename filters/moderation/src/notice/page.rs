//! What a page says, for whoever writes it as HTML.

pub use super::document::{Fact, Tone, Value};

use mailweir_mail::{Address, Timestamp};

use super::{About, Language, Zone, document::Block, say};
use crate::token::Purpose;

/// A case as one person may see it.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The case and its mail.
    pub about: About<'a>,
    /// Whose page it is.
    pub person: &'a Address,
    /// What their link is good for.
    pub purpose: Purpose,
    /// Their language.
    pub language: Language,
    /// Their zone.
    pub zone: Zone,
    /// The time.
    pub now: Timestamp,
}

/// What a page says. All strings are clean, none is escaped.
#[derive(Clone, Debug)]
pub struct Page {
    /// The title of the window.
    pub title: String,
    /// Its colour.
    pub tone: Tone,
    /// A word or two above everything else.
    pub tag: &'static str,
    /// The first sentence.
    pub opening: String,
    /// What follows, in order.
    pub parts: Vec<Part>,
    /// The small print.
    pub footer: Vec<String>,
}

/// A part of a page.
#[derive(Clone, Debug)]
pub enum Part {
    /// A sentence.
    Note(String),
    /// Names and values.
    Facts(Vec<Fact>),
    /// Names and values that matter less.
    Details(Vec<Fact>),
    /// Foreign lines.
    Quote {
        /// What they are.
        label: &'static str,
        /// They.
        lines: Vec<String>,
    },
}

impl View<'_> {
    /// What the page says; not what can be done ([`crate::page::choices`]).
    #[must_use]
    pub fn page(&self) -> Page {
        let document = say::page::document(self);
        let parts = document.blocks.into_iter().filter_map(|block| match block {
            Block::Note(sentence) => Some(Part::Note(sentence)),
            Block::Facts(facts) => Some(Part::Facts(facts)),
            Block::Details(facts) => Some(Part::Details(facts)),
            Block::Quote { label, lines } => Some(Part::Quote { label, lines }),
            // A page has forms where notices have links.
            Block::Entry { .. } | Block::Buttons(_) | Block::Links { .. } => None,
        });
        Page {
            title: document.subject,
            tone: document.tone,
            tag: document.tag,
            opening: document.opening,
            parts: parts.collect(),
            footer: document.footer,
        }
    }
}
