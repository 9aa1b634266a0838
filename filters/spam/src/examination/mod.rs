//! All that a mail shows by itself, in one pass over its content.
//!
//! [`Examiner`] is fed the content as it comes and gives [`Examined`]: tokens for a classifier, findings with names, and
//! links that lists can be asked about. Nothing is asked of anybody here and nothing is decided. Memory is bounded whatever
//! comes, the work is linear in the content, and how it is divided changes nothing.

mod gathering;
mod parts;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use mailweir_content::decode::charset::Fallbacks;
use mailweir_mail::Timestamp;

use crate::{
    evidence::{Own, of_links},
    links::Links,
    reading::{Limits, Reader},
    symbols::Finding,
    tokens::{Tokenizer, Tokens},
};
use gathering::Gathering;

/// Examines one mail.
///
/// ```
/// use std::sync::Arc;
///
/// use mailweir_mail::Timestamp;
/// use mailweir_spam::{evidence::Own, examination::Examiner, symbols::Symbol};
///
/// let mut examiner = Examiner::new(Arc::new(Own::default()), Timestamp::from_secs(1_795_210_205));
/// examiner.feed(b"From: a@example.com\r\nDate: Fri, 20 Nov 2026 21:30:05 +0000\r\nTo: b@example.org\r\n");
/// examiner.feed(b"Subject: hello\r\n\r\nsee http://192.0.2.1/\r\n");
/// let examined = examiner.finish();
/// let symbols: Vec<_> = examined.findings.iter().map(|finding| finding.symbol()).collect();
/// assert_eq!(symbols, [Symbol::MissingMessageId, Symbol::UrlAddress]);
/// ```
pub struct Examiner {
    reader: Reader,
    heard: Heard,
    own: Arc<Own>,
    arrival: Timestamp,
}

/// Whoever listens. Each hears all, and none knows of the others.
type Heard = (Tokenizer, (Gathering, Links));

/// What a mail shows.
#[derive(Debug)]
pub struct Examined {
    /// What a classifier learns of it, or judges it by.
    pub tokens: Tokens,
    /// What was noticed: each symbol at most once, with what was seen first, in the order of
    /// [`Symbol::ALL`](crate::symbols::Symbol::ALL).
    pub findings: Vec<Finding>,
    /// Where it leads: [`Links::to_ask`] says what lists of domains are to be asked about.
    pub links: Links,
}

impl Examiner {
    /// Of a mail of which nothing came yet. `arrival` is when it comes, which its Date is compared with.
    #[must_use]
    pub fn new(own: Arc<Own>, arrival: Timestamp) -> Self {
        let links = Links::new(Arc::clone(own.domains()));
        let heard = (Tokenizer::new(), (Gathering::new(), links));
        Self { reader: Reader::new(Limits::default(), Fallbacks::default()), heard, own, arrival }
    }

    /// Takes the next piece of the content, with CRLF or LF line ends.
    pub fn feed(&mut self, piece: &[u8]) {
        self.reader.feed(piece, &mut self.heard);
    }

    /// The mail is over: what was found in it.
    #[must_use]
    pub fn finish(self) -> Examined {
        let Self { reader, mut heard, own, arrival } = self;
        reader.finish(&mut heard);
        let (tokenizer, (mut gathering, links)) = heard;
        gathering.note(of_links(&links));
        Examined { tokens: tokenizer.finish(), findings: gathering.finish(arrival, &own), links }
    }
}
