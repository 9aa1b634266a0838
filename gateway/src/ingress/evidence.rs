//! What a mail brings along to be believed: its signatures, and what it says if it answers a notice. Read
//! as it flows past, before any rule changes it.

use mailweir_spam::dkim::{SignatureReader, SignedMail};

use crate::moderation::{ReplyReader, ReplyText};

/// Reads a mail whose signatures may matter.
#[derive(Default)]
pub(super) struct EvidenceReader {
    signatures: SignatureReader,
    /// Absent where it answers nothing.
    reply: Option<ReplyReader>,
}

/// What was read.
pub(super) struct Evidence {
    pub(super) signed: SignedMail,
    pub(super) reply: Option<ReplyText>,
}

impl EvidenceReader {
    /// `answers`: whether a recipient is the address of an answer.
    pub(super) fn new(answers: bool) -> Self {
        let reply = answers.then(ReplyReader::default);
        Self { reply, ..Self::default() }
    }

    /// Takes the next piece of what the client sends.
    pub(super) fn feed(&mut self, piece: &[u8]) {
        self.signatures.feed(piece);
        if let Some(reply) = &mut self.reply {
            reply.feed(piece);
        }
    }

    pub(super) fn finish(self) -> Evidence {
        let reply = self.reply.map(ReplyReader::finish);
        Evidence { signed: self.signatures.finish(), reply }
    }
}
