//! Content as it comes in, and what is said at its end.

use mailweir_mail::{Address, Envelope, QueueId, Reply};

use super::{
    Answer, BareNewline, Cause, Mode, Unfinished,
    dialog::Dialog,
    framing::{Decoder, Framing, Piece},
    state::{Asked, Effect, State},
    transaction::Addressed,
};
use crate::replies::{Fault, Next, Positive, Refusal};

/// After DATA: bytes up to the final dot.
#[derive(Debug)]
pub(super) struct Content(Incoming);

impl Content {
    pub(super) fn new(addressed: Addressed, dialog: &Dialog) -> Self {
        let framing = match dialog.bare_newline() {
            BareNewline::No => Framing::DotsAfterAnyNewline,
            BareNewline::Normalize | BareNewline::Note | BareNewline::Reject => Framing::Dots,
        };
        Self(Incoming::new(addressed, framing))
    }

    pub(super) fn envelope(&self) -> &Envelope {
        self.0.envelope()
    }

    pub(super) fn received(&self) -> u64 {
        self.0.received
    }

    pub(super) fn is_kept(&self) -> bool {
        self.0.is_kept()
    }

    pub(super) fn turn<'a>(
        mut self,
        input: &mut &'a [u8],
        dialog: &mut Dialog,
    ) -> (State, Effect<'a>) {
        let before = input.len();
        let piece = self.0.decoder.decode(input);
        dialog.clock.credit(before - input.len());
        match piece {
            Piece::Content(bytes) => {
                let effect = self.0.admit(bytes, dialog);
                (State::Content(self), effect)
            }
            Piece::More => (State::Content(self), Effect::Read),
            Piece::End => {
                dialog.clock.rest();
                (self.0.end(Ending::Dot, dialog), Effect::Continue)
            }
        }
    }
}

/// A mail whose content is coming in.
#[derive(Debug)]
pub(super) struct Incoming {
    addressed: Addressed,
    pub(super) decoder: Decoder,
    /// Every byte of content counts, also those that are thrown away.
    pub(super) received: u64,
    fate: Fate,
}

/// What will become of it.
#[derive(Debug)]
enum Fate {
    /// It goes to the driver.
    Kept,
    /// It is read to its end and then refused (Postfix does so too: many clients hear nothing
    /// before they have said all).
    Refused(Fault),
}

/// What ended the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// The final dot.
    Dot,
    /// `BDAT ... LAST`.
    LastChunk,
    /// A chunk that spoiled the mail before its last one.
    BrokenChunk,
}

impl Incoming {
    pub(super) fn new(addressed: Addressed, framing: Framing) -> Self {
        Self { addressed, decoder: Decoder::new(framing), received: 0, fate: Fate::Kept }
    }

    pub(super) fn envelope(&self) -> &Envelope {
        self.addressed.envelope()
    }

    pub(super) fn is_kept(&self) -> bool {
        matches!(self.fate, Fate::Kept)
    }

    /// Passes a piece on, as long as the mail is wanted.
    pub(super) fn admit<'a>(&mut self, bytes: &'a [u8], dialog: &mut Dialog) -> Effect<'a> {
        self.received = self.received.saturating_add(bytes.len() as u64);
        if !self.is_kept() {
            return Effect::Continue;
        }
        match self.fault(dialog) {
            None => Effect::Content(bytes),
            Some(fault) => {
                self.fate = Fate::Refused(fault);
                dialog.abandoned = Some(Unfinished::Content);
                Effect::Continue
            }
        }
    }

    fn fault(&self, dialog: &Dialog) -> Option<Fault> {
        let limit = dialog.settings.limits.message_size;
        if limit > 0 && self.received > limit {
            return Some(Fault::ContentTooLarge);
        }
        let rejects = dialog.bare_newline() == BareNewline::Reject;
        (rejects && self.decoder.saw_bare_newline()).then_some(Fault::BareNewline)
    }

    /// All content is here.
    pub(super) fn end(self, ending: Ending, dialog: &mut Dialog) -> State {
        let replies = match ending {
            Ending::Dot | Ending::LastChunk => replies_to(self.envelope(), dialog),
            Ending::BrokenChunk => 1,
        };
        dialog.stage = END_OF_MESSAGE;
        let complete = Complete {
            replies,
            bare_newline: self.decoder.saw_bare_newline(),
            received: self.received,
            envelope: Some(self.addressed.into_envelope()),
            ending,
        };
        match self.fate {
            Fate::Kept => State::Asked(Asked::EndOfData(complete)),
            Fate::Refused(fault) => complete.refuse(&fault, dialog),
        }
    }
}

/// A mail that waits for the driver to commit it.
#[derive(Debug)]
pub(super) struct Complete {
    /// Until the driver takes it.
    envelope: Option<Envelope>,
    replies: usize,
    received: u64,
    bare_newline: bool,
    ending: Ending,
}

impl Complete {
    pub(super) fn envelope(&self) -> Option<&Envelope> {
        self.envelope.as_ref()
    }

    pub(super) fn take_envelope(&mut self) -> Option<Envelope> {
        self.envelope.take()
    }

    pub(super) fn drop_recipients(&mut self, is_meant: impl Fn(&Address) -> bool) -> usize {
        let Some(envelope) = &mut self.envelope else { return 0 };
        envelope.recipients.retain(|recipient| !is_meant(&recipient.address));
        envelope.recipients.len()
    }

    pub(super) fn received(&self) -> u64 {
        self.received
    }

    pub(super) fn saw_bare_newline(&self) -> bool {
        self.bare_newline
    }

    /// The driver has committed the mail, or has not.
    pub(super) fn answered(self, answer: &Answer, dialog: &mut Dialog) -> State {
        match answer {
            Answer::Accepted(id) | Answer::Discarded(id) => self.queued(*id, Next::Sent, dialog),
            Answer::Held(id) => self.queued(*id, Next::Approval, dialog),
            Answer::Split { sent, held } => self.queued(*sent, Next::Split(*held), dialog),
            Answer::ReplyTaken(id) => self.accept(Positive::ReplyTaken(*id), dialog),
            Answer::Judged => self.accept(Positive::Ok, dialog),
            Answer::HandedBack(id) => self.accept(Positive::HandedBack(*id), dialog),
            Answer::Refuse(refusal) => {
                let reply = refusal.reply(dialog.hostname());
                self.put_refused(reply, Cause::Policy, dialog)
            }
            Answer::Proceed | Answer::Challenge(_) | Answer::LoggedIn(_) => {
                let reply = Refusal::Internal.reply(dialog.hostname());
                self.put_refused(reply, Cause::Policy, dialog)
            }
        }
    }

    fn queued(self, id: QueueId, next: Next, dialog: &mut Dialog) -> State {
        let positive = match self.ending {
            Ending::Dot => Positive::Queued(id, next),
            Ending::LastChunk | Ending::BrokenChunk => {
                Positive::QueuedChunks(id, self.received, next)
            }
        };
        self.accept(positive, dialog)
    }

    fn accept(self, positive: Positive<'_>, dialog: &mut Dialog) -> State {
        for _ in 1..self.replies {
            dialog.say(positive);
        }
        dialog.succeed(positive);
        dialog.forgive();
        State::Asked(Asked::EndOfData(self)).transaction_over(dialog)
    }

    fn refuse(self, fault: &Fault, dialog: &mut Dialog) -> State {
        let cause = match fault {
            Fault::BareNewline => Cause::BareNewline,
            _ => Cause::Protocol,
        };
        let reply = fault.reply(dialog.hostname());
        self.put_refused(reply, cause, dialog)
    }

    fn put_refused(self, reply: Reply, cause: Cause, dialog: &mut Dialog) -> State {
        for _ in 1..self.replies {
            dialog.outbox.put_reply(&reply);
        }
        let state = State::Asked(Asked::EndOfData(self));
        let refused = dialog.refused(reply, cause, &state);
        let state = state.transaction_over(dialog);
        dialog.put_refused(refused, state)
    }
}

/// LMTP answers the end of data once per recipient (RFC 2033 section 4.2).
pub(super) fn replies_to(envelope: &Envelope, dialog: &Dialog) -> usize {
    match dialog.settings.mode {
        Mode::Lmtp => envelope.recipients.len(),
        Mode::Mx | Mode::Submission | Mode::Filter => 1,
    }
}

/// Postfix's name for the end of data in log lines.
const END_OF_MESSAGE: &str = "END-OF-MESSAGE";
