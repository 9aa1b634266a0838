//! Rspamd's `/checkv2` (its protocol, by HTTP/1.1): what it wants done with a mail.

mod answer;
mod changes;
mod request;

pub use answer::{Action, Answer};
pub use request::{About, Options};

use super::{Fault, Program, Wrong, head::Head, hearing::Exchange, text};

/// A mail on its way to Rspamd, and what comes back. One connection is for one mail.
#[derive(Debug)]
pub struct Check(Exchange);

impl Check {
    /// A mail of so many bytes, and what is known about it.
    #[must_use]
    pub fn new(size: u64, about: &About<'_>, options: &Options) -> Self {
        let head = request::head(size, about, options);
        Self(Exchange::new(Program::Rspamd, head, size, MOST_ANSWER))
    }

    /// Adds what comes before the mail.
    pub fn head(&mut self, out: &mut Vec<u8>) {
        self.0.head(out);
    }

    /// Adds the next piece of the mail. What is more than its size is left out.
    pub fn piece(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        self.0.piece(piece, out);
    }

    /// Takes what Rspamd sends. Whether the answer is whole: then nothing may follow.
    ///
    /// # Errors
    /// It is too long.
    pub fn receive(&mut self, piece: &[u8]) -> Result<bool, Fault> {
        self.0.receive(piece)
    }

    /// The answer, when no more comes.
    ///
    /// # Errors
    /// There is none, or more than one, or one that says nothing of the mail, or wants what cannot be done.
    pub fn end(self) -> Result<Answer, Fault> {
        self.0.end(answer)
    }
}

fn answer(said: &[u8]) -> Result<Answer, Wrong> {
    let head = Head::read(said)?.ok_or(Wrong::CutShort)?;
    succeeded(head.first)?;
    for name in ["Transfer-Encoding", "Content-Encoding"] {
        if let Some(coding) = head.field(name)? {
            return Err(Wrong::unclear(name, coding.as_bytes()));
        }
    }
    Answer::read(head.body(said)?)
}

/// Whether the status line is `HTTP/1.1 200 OK`.
fn succeeded(line: &str) -> Result<(), Wrong> {
    let status = line.strip_prefix("HTTP/1.1 ").or_else(|| line.strip_prefix("HTTP/1.0 "));
    let status = status.ok_or_else(|| Wrong::unclear("no HTTP", line.as_bytes()))?;
    match status.split_once(' ').map_or(status, |(code, _)| code) {
        "200" => Ok(()),
        _ => Err(Wrong::Failed(text::quoted(status.as_bytes()).into())),
    }
}

/// Bytes of the longest answer.
const MOST_ANSWER: usize = 4 * 1024 * 1024;

#[cfg(test)]
mod tests;
