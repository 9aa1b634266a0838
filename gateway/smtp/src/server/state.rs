//! Where a conversation stands. Each state holds what is true then and nothing else.

use mailweir_mail::{Envelope, Recipient};

use super::{
    Answer, Question, Unfinished,
    auth::{self, Exchange, Prompt},
    chunking::{self, Chunk, Chunked, Discard},
    content::{Complete, Content},
    dialog::Dialog,
    greeting,
    transaction::{self, Addressed, Opening, Transaction},
};
use crate::replies::Refusal;

/// Where a conversation stands.
#[derive(Debug)]
pub(super) enum State {
    /// The driver has to answer.
    Asked(Asked),
    /// The client is welcome, but was not told yet.
    Greeting,
    /// Commands, without a transaction.
    Ready,
    /// Commands, after MAIL.
    Transaction(Transaction),
    /// Content, after DATA.
    Content(Content),
    /// Commands, between two chunks of a mail.
    Chunked(Chunked),
    /// Content, after BDAT.
    Chunk(Chunk),
    /// Bytes of a chunk that nobody wants.
    Discard(Discard),
    /// A response in a log-in.
    Auth(Exchange),
    /// TLS comes next.
    StartTls,
    /// Nothing comes any more.
    Closing,
}

/// What the driver has to answer, with all that is needed to go on.
#[derive(Debug)]
pub(super) enum Asked {
    Connect,
    Hello,
    Sender(Transaction),
    Recipient(Transaction, Recipient),
    Intake(Addressed, Opening),
    EndOfData(Complete),
    Auth(Exchange, Prompt),
}

/// What a state wants.
#[derive(Debug)]
pub(super) enum Effect<'a> {
    /// Another turn.
    Continue,
    Read,
    Ask(Question),
    Content(&'a [u8]),
    StartTls,
    Close,
}

impl State {
    /// The envelope of the transaction, if there is one.
    pub(super) fn envelope(&self) -> Option<&Envelope> {
        match self {
            Self::Transaction(transaction) => Some(transaction.envelope()),
            Self::Content(content) => Some(content.envelope()),
            Self::Chunked(chunked) => Some(chunked.envelope()),
            Self::Chunk(chunk) => Some(chunk.envelope()),
            Self::Asked(asked) => asked.envelope(),
            Self::Greeting
            | Self::Ready
            | Self::Discard(_)
            | Self::Auth(_)
            | Self::StartTls
            | Self::Closing => None,
        }
    }

    /// What MAIL said about the size.
    pub(super) fn declared_size(&self) -> Option<u64> {
        match self {
            Self::Transaction(transaction)
            | Self::Asked(Asked::Sender(transaction) | Asked::Recipient(transaction, _)) => {
                transaction.declared_size()
            }
            Self::Asked(Asked::Intake(addressed, _)) => addressed.declared_size(),
            _ => None,
        }
    }

    /// Bytes of content so far.
    pub(super) fn content_bytes(&self) -> u64 {
        match self {
            Self::Content(content) => content.received(),
            Self::Chunked(chunked) => chunked.received(),
            Self::Chunk(chunk) => chunk.received(),
            Self::Asked(Asked::EndOfData(complete)) => complete.received(),
            _ => 0,
        }
    }

    /// Whether the driver holds an intake that will never be committed if this state is left.
    fn has_open_intake(&self) -> bool {
        match self {
            Self::Content(content) => content.is_kept(),
            Self::Chunked(_) => true,
            Self::Chunk(chunk) => chunk.is_kept(),
            _ => false,
        }
    }

    /// The transaction is over, however it ended: no other way leads out of one (`attacks.md` A8).
    pub(super) fn transaction_over(self, dialog: &mut Dialog) -> Self {
        if self.has_open_intake() {
            dialog.abandoned = Some(Unfinished::Content);
        }
        dialog.forwarded = None;
        Self::Ready
    }
}

impl Asked {
    pub(super) fn question(&self) -> Question {
        match self {
            Self::Connect => Question::Connect,
            Self::Hello => Question::Hello,
            Self::Sender(_) => Question::Sender,
            Self::Recipient(_, recipient) => Question::Recipient(recipient.clone()),
            Self::Intake(..) => Question::Content,
            Self::EndOfData(_) => Question::EndOfData,
            Self::Auth(exchange, prompt) => prompt.question(exchange),
        }
    }

    pub(super) fn answer(self, answer: Answer, dialog: &mut Dialog) -> State {
        let answer = if self.fits(&answer) { answer } else { Answer::Refuse(Refusal::Internal) };
        match self {
            Self::Connect => greeting::connect_answered(&answer, dialog),
            Self::Hello => greeting::hello_answered(&answer, dialog),
            Self::Sender(transaction) => transaction.sender_answered(&answer, dialog),
            Self::Recipient(transaction, recipient) => {
                transaction.recipient_answered(recipient, &answer, dialog)
            }
            Self::Intake(addressed, Opening::Data) => {
                transaction::data_answered(addressed, &answer, dialog)
            }
            Self::Intake(addressed, Opening::Chunk(size)) => {
                chunking::opened(addressed, size, &answer, dialog)
            }
            Self::EndOfData(complete) => complete.answered(&answer, dialog),
            Self::Auth(exchange, _) => auth::answered(exchange, answer, dialog),
        }
    }

    /// Whether the answer is one of those that [`Question`] names.
    fn fits(&self, answer: &Answer) -> bool {
        match answer {
            Answer::Refuse(_) => true,
            Answer::Proceed => !matches!(self, Self::EndOfData(_) | Self::Auth(..)),
            Answer::Accepted(_)
            | Answer::Held(_)
            | Answer::Split { .. }
            | Answer::ReplyTaken(_)
            | Answer::Judged
            | Answer::HandedBack(_)
            | Answer::Discarded(_) => matches!(self, Self::EndOfData(_)),
            Answer::Challenge(_) | Answer::LoggedIn(_) => matches!(self, Self::Auth(..)),
        }
    }

    fn envelope(&self) -> Option<&Envelope> {
        match self {
            Self::Sender(transaction) | Self::Recipient(transaction, _) => {
                Some(transaction.envelope())
            }
            Self::Intake(addressed, _) => Some(addressed.envelope()),
            Self::EndOfData(complete) => complete.envelope(),
            Self::Connect | Self::Hello | Self::Auth(..) => None,
        }
    }
}
