//! What a person types into the search field.
//!
//! ```text
//! invoice offer           both words                 "annual report"    a phrase
//! invoice OR offer        either; binds tighter      -draft             not this
//! (a b) OR c              parentheses                subject:(a OR b)   all of it in the subject
//! invo*  *voic*  *ices    parts of words             見積               any part, without stars
//! from: to: cc: bcc:      words of a name or address; whole: hans@example.com; domain: @example.com
//! subject: text: file:    the subject; body and attachments; names of attachments
//! login: ip: message-id: id: direction: status:      as they are; ip:192.0.2.* too
//! date:2026-01..2026-03   a day, month or year, or from..to, each end may be missing
//! after:2026-01-15        that day and later         before:2026-02     earlier than that month
//! larger:5M smaller:20K   bytes, K, M or G           has:attachment  has:unread
//! ```
//!
//! Colons, quotation marks, parentheses, stars and minus signs of Japanese, Korean, Chinese and French
//! keyboards mean the same. Letters before a colon that name no field are words (`Re: offer`).
//!
//! Parsing is total: every text is a query or an error with its place. Nothing here knows the index.

mod lexer;
mod parser;
mod value;

use crate::words::Wanted;

/// Characters of a query.
pub const MAX_LENGTH: usize = 4_096;
/// Parentheses within parentheses.
pub const MAX_DEPTH: usize = 16;
/// Words, phrases and fields in a query.
pub const MAX_CLAUSES: usize = 64;
/// Parts of words, and single characters of scripts without word breaks, in a query: each may stand for
/// thousands of terms in each field.
pub const MAX_PARTS: usize = 16;

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// What the index can answer.
    pub clause: Clause,
    /// What only the catalogue knows; all of it is asked for besides [`clause`](Self::clause).
    pub status: Vec<Status>,
}

impl Query {
    /// What `text` asks for. Without any word it is every mail.
    ///
    /// # Errors
    /// A sentence for who typed it, and where.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        parser::parse(text)
    }
}

/// `status:value` or `-status:value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// In lower case; what values there are is the catalogue's business.
    pub value: String,
    /// Whether mail of this status is to be left out.
    pub excluded: bool,
}

/// A condition on a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Clause {
    /// All of them; none: every mail.
    All(Vec<Clause>),
    /// At least one of them.
    Any(Vec<Clause>),
    /// Not this.
    Not(Box<Clause>),
    /// Words, a phrase or a part of a word.
    Words(Place, Wanted),
    /// A whole address or a domain.
    Address(Place, Address),
    /// A value that is no text.
    Exact(Key, Value),
    /// Taken into the archive within these days, counted from 1970-01-01: from the first, before the second.
    Days(Option<i64>, Option<i64>),
    /// Of at least so many bytes.
    Larger(u64),
    /// Of fewer bytes.
    Smaller(u64),
    /// With an attachment.
    Attachment,
    /// With something that could not be read: a password is missing, it is damaged, there is no reader.
    Unread,
}

/// Where words are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In all the others; in `Bcc` as far as the reader may.
    Anywhere,
    /// Sender: name and address.
    From,
    /// Recipients in the header's To.
    To,
    /// Recipients in the header's Cc.
    Cc,
    /// Recipients of the envelope that the header does not name.
    Bcc,
    /// The subject.
    Subject,
    /// The body, and the text of attachments.
    Text,
    /// Names of attachments.
    File,
}

/// A part of an address that is compared as a whole, in one form of width and case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// `local@domain`
    Whole(String),
    /// `domain`, and what is below it.
    Domain(String),
}

/// Values that are compared as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// Who was logged in.
    Login,
    /// The client's IP address.
    Ip,
    /// Message-ID, without its brackets.
    MessageId,
    /// The queue's identifier.
    Id,
    /// `in`, `out`, `internal` or `own`.
    Direction,
}

/// A value, in one form of width and case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// The whole.
    Whole(String),
    /// Its beginning.
    Begins(String),
}

/// Why a text is no query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} (at character {at})")]
pub struct QueryError {
    /// Where, in characters counted from 1.
    pub at: usize,
    /// A sentence for who typed it.
    pub message: String,
}

#[cfg(test)]
mod tests;
