//! BDAT: content in counted chunks (RFC 3030).
//!
//! Whatever is wrong, the declared bytes are read and thrown away, since commands stand after
//! them. Every error ends the transaction: nobody can tell what a mail with a missing chunk was.
//! What a session remembers does not grow with the number of chunks (`attacks.md` A5 to A10).

use mailweir_mail::{Envelope, Reply};

use super::{
    Answer, Cause, Refused,
    command::Command,
    content::{Ending, Incoming, replies_to},
    dialog::Dialog,
    framing::{Framing, Piece},
    state::{Asked, Effect, State},
    transaction::{Addressed, Opening},
};
use crate::replies::{Fault, Positive};

/// What BDAT announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ChunkSize {
    bytes: u64,
    order: Order,
}

/// Whether more chunks come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    More,
    Last,
}

/// Between two chunks of a mail.
#[derive(Debug)]
pub(super) struct Chunked(Incoming);

/// In a chunk.
#[derive(Debug)]
pub(super) struct Chunk {
    mail: Incoming,
    size: ChunkSize,
    remaining: u64,
}

/// In a chunk that is refused already.
#[derive(Debug)]
pub(super) struct Discard {
    remaining: u64,
    refused: Refused,
    replies: usize,
}

/// BDAT.
pub(super) fn bdat(state: State, command: Command<'_>, dialog: &mut Dialog) -> State {
    let Some(size) = ChunkSize::parse(command.arguments) else {
        // Where the chunk ends is unknown: what follows must not be read as commands. Postfix
        // closes as well.
        let state = state.transaction_over(dialog);
        return dialog.refuse(&Fault::BdatSyntax, state);
    };
    match state {
        State::Transaction(transaction) => match transaction.addressed() {
            Ok(addressed) if is_too_large(0, size, dialog) => {
                discard(size, Rejected::Mail(addressed), &Fault::ChunkTooLarge, dialog)
            }
            Ok(addressed) => State::Asked(Asked::Intake(addressed, Opening::Chunk(size))),
            Err(transaction) => {
                let state = State::Transaction(transaction);
                discard(size, Rejected::Other(state), &Fault::NoRecipients, dialog)
            }
        },
        State::Chunked(Chunked(mail)) if is_too_large(mail.received, size, dialog) => {
            let state = State::Chunked(Chunked(mail));
            discard(size, Rejected::Other(state), &Fault::ChunkTooLarge, dialog)
        }
        State::Chunked(Chunked(mail)) => State::Chunk(Chunk::new(mail, size)),
        other => discard(size, Rejected::Other(other), &Fault::NeedRcpt, dialog),
    }
}

/// The driver has opened an intake, or cannot.
pub(super) fn opened(
    addressed: Addressed,
    size: ChunkSize,
    answer: &Answer,
    dialog: &mut Dialog,
) -> State {
    if let Answer::Refuse(refusal) = answer {
        let reply = refusal.reply(dialog.hostname());
        let rejected = Rejected::Mail(addressed);
        return rejected.discard(size, reply, Cause::Policy, dialog);
    }
    State::Chunk(Chunk::new(Incoming::new(addressed, Framing::Counted), size))
}

impl ChunkSize {
    /// Reads `count [LAST]`.
    fn parse(arguments: &str) -> Option<Self> {
        let mut words = arguments.split_ascii_whitespace();
        let count = words.next().filter(|word| word.bytes().all(|b| b.is_ascii_digit()))?;
        let bytes = count.parse().ok()?;
        let order = match words.next() {
            None => Order::More,
            Some(word) if word.eq_ignore_ascii_case("LAST") => Order::Last,
            Some(_) => return None,
        };
        words.next().is_none().then_some(Self { bytes, order })
    }
}

impl Chunked {
    pub(super) fn envelope(&self) -> &Envelope {
        self.0.envelope()
    }

    pub(super) fn received(&self) -> u64 {
        self.0.received
    }
}

impl Chunk {
    fn new(mail: Incoming, size: ChunkSize) -> Self {
        Self { mail, size, remaining: size.bytes }
    }

    pub(super) fn envelope(&self) -> &Envelope {
        self.mail.envelope()
    }

    pub(super) fn received(&self) -> u64 {
        self.mail.received
    }

    pub(super) fn is_kept(&self) -> bool {
        self.mail.is_kept()
    }

    pub(super) fn turn<'a>(
        mut self,
        input: &mut &'a [u8],
        dialog: &mut Dialog,
    ) -> (State, Effect<'a>) {
        if self.remaining == 0 {
            return self.end(dialog);
        }
        let mut within = start_of(input, self.remaining);
        if within.is_empty() {
            return (State::Chunk(self), Effect::Read);
        }
        let before = within.len();
        let piece = self.mail.decoder.decode(&mut within);
        let taken = before - within.len();
        self.remaining -= taken as u64;
        *input = &input[taken..];
        dialog.clock.credit(taken);
        let effect = match piece {
            Piece::Content(bytes) => self.mail.admit(bytes, dialog),
            Piece::More | Piece::End => Effect::Continue,
        };
        (State::Chunk(self), effect)
    }

    /// All bytes of the chunk are here.
    fn end<'a>(mut self, dialog: &mut Dialog) -> (State, Effect<'a>) {
        dialog.clock.rest();
        if self.size.order == Order::Last {
            if let Some(owed) = self.mail.decoder.finish() {
                let effect = self.mail.admit(owed, dialog);
                return (State::Chunk(self), effect);
            }
            return (self.mail.end(Ending::LastChunk, dialog), Effect::Continue);
        }
        if !self.mail.is_kept() {
            return (self.mail.end(Ending::BrokenChunk, dialog), Effect::Continue);
        }
        dialog.succeed(Positive::ChunkOk(self.size.bytes));
        (State::Chunked(Chunked(self.mail)), Effect::Continue)
    }
}

impl Discard {
    pub(super) fn turn<'a>(
        mut self,
        input: &mut &'a [u8],
        dialog: &mut Dialog,
    ) -> (State, Effect<'a>) {
        if self.remaining == 0 {
            dialog.clock.rest();
            for _ in 1..self.replies {
                dialog.outbox.put_reply(&self.refused.reply);
            }
            return (dialog.put_refused(self.refused, State::Ready), Effect::Continue);
        }
        let unwanted = start_of(input, self.remaining);
        if unwanted.is_empty() {
            return (State::Discard(self), Effect::Read);
        }
        self.remaining -= unwanted.len() as u64;
        dialog.clock.credit(unwanted.len());
        *input = &input[unwanted.len()..];
        (State::Discard(self), Effect::Continue)
    }
}

/// What a refused chunk belongs to.
enum Rejected {
    Mail(Addressed),
    Other(State),
}

impl Rejected {
    /// Ends the transaction, throws the chunk away, then replies.
    fn discard(self, size: ChunkSize, reply: Reply, cause: Cause, dialog: &mut Dialog) -> State {
        let state = match self {
            Self::Mail(addressed) => State::Asked(Asked::Intake(addressed, Opening::Chunk(size))),
            Self::Other(state) => state,
        };
        let replies = match state.envelope() {
            Some(envelope) if size.order == Order::Last => replies_to(envelope, dialog).max(1),
            _ => 1,
        };
        let refused = dialog.refused(reply, cause, &state);
        state.transaction_over(dialog);
        State::Discard(Discard { remaining: size.bytes, refused, replies })
    }
}

fn discard(size: ChunkSize, rejected: Rejected, fault: &Fault, dialog: &mut Dialog) -> State {
    let reply = fault.reply(dialog.hostname());
    rejected.discard(size, reply, Cause::Protocol, dialog)
}

fn is_too_large(received: u64, size: ChunkSize, dialog: &Dialog) -> bool {
    let limit = dialog.settings.limits.message_size;
    limit > 0 && received.saturating_add(size.bytes) > limit
}

/// The part of `input` that belongs to a chunk with so many bytes to come.
fn start_of(input: &[u8], remaining: u64) -> &[u8] {
    let length = usize::try_from(remaining).map_or(input.len(), |all| all.min(input.len()));
    &input[..length]
}
