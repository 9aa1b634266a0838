//! A connection that is set up: one mail after the other, at most one in hand.

use mailweir_mail::Reply;

use super::{
    commands::{self, put},
    outcome::Closed,
    outgoing::Outgoing,
    phase::Phase,
    transaction::{
        Before, Breakdown, Content, Ending, Envelope, Ledger, SHUTTING_DOWN, Terms, Told,
        Transaction, Turn,
    },
};

/// Mails over one connection.
pub(super) struct Session {
    terms: Terms,
    before: Before,
    /// The mail in hand.
    mail: Option<Transaction>,
}

/// What a session produces: bytes for the peer, and word about the mail for the driver.
#[derive(Default)]
pub(super) struct Outbox {
    pub(super) bytes: Vec<u8>,
    pub(super) told: Option<Told>,
}

impl Session {
    pub(super) const fn new(terms: Terms) -> Self {
        Self { terms, before: Before::Nothing, mail: None }
    }

    /// The mail in hand.
    pub(super) const fn mail(&self) -> Option<&Transaction> {
        self.mail.as_ref()
    }

    /// The content, while it is due.
    pub(super) const fn content(&mut self) -> Option<&mut Content> {
        match &mut self.mail {
            Some(Transaction::Content(content)) => Some(content),
            Some(Transaction::Envelope(_) | Transaction::Ending(_)) | None => None,
        }
    }

    /// What the next reply answers.
    pub(super) fn phase(&self) -> Phase {
        self.mail.as_ref().map_or(Phase::Idle, Transaction::phase)
    }

    /// Begins a mail. It comes back if there is one in hand, or word about one is not fetched yet.
    pub(super) fn begin(&mut self, mail: Outgoing, out: &mut Outbox) -> Result<(), Outgoing> {
        if self.mail.is_some() || out.told.is_some() {
            return Err(mail);
        }
        let ledger = Ledger::new(mail, &self.terms);
        if ledger.is_settled() {
            out.told = Some(Told::Finished(ledger.finish()));
            return Ok(());
        }
        let mut envelope = Envelope::new(ledger, self.before, &self.terms);
        envelope.write_group(&self.terms, &mut out.bytes);
        self.mail = Some(Transaction::Envelope(envelope));
        Ok(())
    }

    /// Takes a reply. Bytes held back until the content is sent must not come here before.
    pub(super) fn reply(&mut self, reply: Reply, out: &mut Outbox) -> Result<(), Breakdown> {
        match self.mail.take() {
            Some(Transaction::Envelope(envelope)) => self.envelope_answered(envelope, reply, out),
            Some(Transaction::Ending(ending)) => self.end_answered(ending, reply, out),
            content @ Some(Transaction::Content(_)) => {
                self.mail = content;
                Err(Breakdown::UNSOLICITED)
            }
            None if reply.code == SHUTTING_DOWN => Err(Breakdown::Said(reply, Phase::Idle)),
            None => Err(Breakdown::UNSOLICITED),
        }
    }

    /// The final dot is written. `None` if no content is due.
    pub(super) fn content_sent(&mut self) -> Option<Result<(), Breakdown>> {
        let (ending, heard) = self.take_content()?.sent();
        self.mail = Some(Transaction::Ending(ending));
        Some(heard)
    }

    /// The content will not be sent to its end, by our fault. Nothing may be written after half of
    /// it. `None` if no content is due.
    pub(super) fn content_failed(&mut self, reply: &Reply) -> Option<Told> {
        self.take_content().map(|content| content.fail(reply))
    }

    /// The end of the connection: the mail in hand gets its outcome, or comes back.
    pub(super) fn break_off(self, why: &Breakdown, out: &mut Outbox) -> Closed {
        let peer = &*self.terms.peer;
        let (reply, cause) = why.during(self.phase(), peer);
        if let Some(mail) = self.mail {
            out.told = Some(mail.break_off(why, peer));
        }
        Closed::Faulty { reply, cause }
    }

    fn take_content(&mut self) -> Option<Content> {
        match self.mail.take() {
            Some(Transaction::Content(content)) => Some(content),
            other => {
                self.mail = other;
                None
            }
        }
    }

    fn envelope_answered(
        &mut self,
        mut envelope: Envelope,
        reply: Reply,
        out: &mut Outbox,
    ) -> Result<(), Breakdown> {
        let turn = envelope.reply(reply, &self.terms, &mut out.bytes);
        match turn {
            Ok(Turn::Going) | Err(_) => self.mail = Some(Transaction::Envelope(envelope)),
            Ok(Turn::Content) => {
                self.mail = Some(Transaction::Content(Content::new(envelope.into_ledger())));
            }
            Ok(Turn::LoneDot) => {
                put(&mut out.bytes, &[commands::LONE_DOT]);
                self.mail = Some(Transaction::Ending(Ending::new(envelope.into_ledger())));
            }
            Ok(Turn::Over(before)) => {
                self.before = before;
                out.told = Some(Told::Finished(envelope.into_ledger().finish()));
            }
        }
        turn.map(drop)
    }

    fn end_answered(
        &mut self,
        mut ending: Ending,
        reply: Reply,
        out: &mut Outbox,
    ) -> Result<(), Breakdown> {
        let answered = ending.reply(reply, &self.terms);
        match answered {
            Ok(true) => {
                self.before = Before::Ended;
                out.told = Some(Told::Finished(ending.finish()));
            }
            Ok(false) | Err(_) => self.mail = Some(Transaction::Ending(ending)),
        }
        answered.map(drop)
    }
}
