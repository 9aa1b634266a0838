//! Notices: the mails that tell people of a case, in their language.
//!
//! A pure function from a [`Notice`] to a mail. Each tells one person, since links and reply address are
//! that person's. It is made in three steps: what it says (`say`: a list of facts and sentences, the
//! words from [`words`]), how that looks (`text`, `html`), and how it travels (`mime`). Whatever comes
//! from a mail is cleaned and bounded when it is said, and escaped when it is written (`attacks.md` E8,
//! H6). The envelope sender is null: that is for whoever sends it.

pub mod clean;
mod document;
mod html;
mod language;
mod mime;
pub mod page;
mod say;
mod summary;
mod text;
pub mod words;

pub use html::escaped;
pub use language::{Change, Language, UnknownLanguage, Zone};
pub use mime::{Attached, Composed, MessageId, Octets};
pub use say::MOST_IN_DIGEST;
pub use summary::{Attachment, Recipient, Summary};

use mailweir_mail::{Address, QueueId, Timestamp};

use crate::{
    case::{Case, Refused, To, Word},
    case_file::LastWord,
};

/// What is to be told.
#[derive(Clone, Copy, Debug)]
pub enum Notice<'a> {
    /// What a case owes to somebody ([`crate::case::Owed`]).
    Owed {
        /// What.
        word: Word,
        /// To whom.
        to: &'a To,
        /// Of which case.
        about: About<'a>,
    },
    /// What came of an answer by mail.
    Answered {
        /// What.
        result: Answered<'a>,
        /// Of which case, as it is now.
        about: About<'a>,
    },
    /// Many notices of one kind in one mail.
    Digest {
        /// Of what kind.
        kind: Gathered,
        /// Those that are shown: at most [`MOST_IN_DIGEST`], others are left out.
        shown: &'a [Waiting<'a>],
        /// How many there are in all.
        count: usize,
    },
}

/// Notices that are told together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Gathered {
    /// To a moderator: please decide, the first time or once more.
    Requests,
    /// To a moderator: it is decided.
    News,
    /// To administrators: too few can decide.
    Alerts,
}

/// A case and its mail.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// Its name.
    pub id: QueueId,
    /// The case as it is now.
    pub case: &'a Case,
    /// What is known of its mail.
    pub mail: &'a Summary,
    /// Whether an operator has the last word.
    pub last_word: LastWord,
}

/// What came of an answer by mail.
#[derive(Clone, Copy, Debug)]
pub enum Answered<'a> {
    /// It may mean anything: nothing was done.
    Unclear,
    /// It may be somebody else's: nothing was done.
    NotProven,
    /// It could not be done.
    Refused(&'a Refused),
    /// It was done.
    Done,
}

/// One case among many.
#[derive(Clone, Copy, Debug)]
pub struct Waiting<'a> {
    /// The case.
    pub about: About<'a>,
    /// The page of this person and this case.
    pub open: Option<&'a str>,
}

/// All of a mail but what it says.
#[derive(Clone, Debug)]
pub struct Letter<'a> {
    /// The language of the reader.
    pub language: Language,
    /// The zone of the reader.
    pub zone: Zone,
    /// The display name of the gateway.
    pub from_name: &'a str,
    /// Its address.
    pub from: &'a Address,
    /// The reader.
    pub to: &'a Address,
    /// The address with the reader's token; `None`: answers by mail decide nothing.
    pub reply_to: Option<&'a Address>,
    /// The pages of the reader.
    pub links: Links<'a>,
    /// When it is sent.
    pub date: Timestamp,
    /// Its own name.
    pub id: MessageId,
    /// Earlier notices of this case to this reader, oldest first. Not for requests, which open a thread.
    pub thread: &'a [MessageId],
    /// Any random number: no mail can hold a boundary made of it but by chance.
    pub seed: u64,
    /// What the caller attaches.
    pub attached: Attached,
}

/// Addresses of pages, `https://` or `http://`; anything else is left out. Opening one changes nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Links<'a> {
    /// Shows the case.
    pub open: Option<&'a str>,
    /// The same, ready to approve.
    pub approve: Option<&'a str>,
    /// The same, ready to refuse.
    pub reject: Option<&'a str>,
    /// The same, ready to be taken back by the sender.
    pub cancel: Option<&'a str>,
}

/// The notice as a mail.
#[must_use]
pub fn compose(notice: &Notice<'_>, letter: &Letter<'_>) -> Composed {
    let document = say::document(notice, letter);
    let title = &document.subject;
    let plain = text::render(&document);
    let html = html::render(&document, letter.language);
    mime::assemble(letter, title, &plain, &html)
}
