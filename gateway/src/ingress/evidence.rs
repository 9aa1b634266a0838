//! What a mail says of itself: its signatures, what it answers if it answers a notice, and what makes it look like spam. Read as it
//! flows past, before any rule changes it.

use mailweir_spam::{
    dkim::{SignatureReader, SignedMail},
    examination::{Examined, Examiner},
};

use crate::moderation::{ReplyReader, ReplyText};

/// Reads a mail.
pub(super) struct EvidenceReader {
    /// Absent where nobody asks who signed it.
    signatures: Option<SignatureReader>,
    /// Absent where it answers nothing.
    reply: Option<ReplyReader>,
    /// Absent where nobody asks what it is.
    examiner: Option<Examiner>,
}

/// What was read.
pub(super) struct Evidence {
    pub(super) signed: Option<SignedMail>,
    pub(super) reply: Option<ReplyText>,
    pub(super) examined: Option<Examined>,
}

impl EvidenceReader {
    /// `signatures`: whether anybody asks who signed it. `answers`: whether a recipient is the address of an answer, whose
    /// signatures are then asked for, too. `None`: nobody asks anything.
    pub(super) fn new(signatures: bool, answers: bool, examiner: Option<Examiner>) -> Option<Self> {
        let signatures = (signatures || answers).then(SignatureReader::default);
        let reply = answers.then(ReplyReader::default);
        let is_idle = signatures.is_none() && examiner.is_none();
        (!is_idle).then_some(Self { signatures, reply, examiner })
    }

    /// Whether it may be an answer.
    pub(super) const fn answers(&self) -> bool {
        self.reply.is_some()
    }

    /// Takes the next piece of what the client sends.
    pub(super) fn feed(&mut self, piece: &[u8]) {
        if let Some(signatures) = &mut self.signatures {
            signatures.feed(piece);
        }
        if let Some(examiner) = &mut self.examiner {
            examiner.feed(piece);
        }
        if let Some(reply) = &mut self.reply {
            reply.feed(piece);
        }
    }

    pub(super) fn finish(self) -> Evidence {
        let Self { signatures, reply, examiner } = self;
        Evidence {
            signed: signatures.map(SignatureReader::finish),
            reply: reply.map(ReplyReader::finish),
            examined: examiner.map(Examiner::finish),
        }
    }
}
