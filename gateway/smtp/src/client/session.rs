//! A connection that is set up: one mail after the other, the next one's commands ahead of the
//! answer to the last one's content.
//!
//! Replies come in the order of commands, so they belong to the mail whose end is awaited, if
//! there is one, and else to the mail whose envelope or content is under way.

use mailweir_mail::{QueueId, Reply};

use super::{
    commands::{self, put},
    outcome::{Attempt, Cause, Closed},
    outgoing::Outgoing,
    phase::Phase,
    settings::Pipelining,
    transaction::{Breakdown, Ending, Envelope, Familiarity, Ledger, Remains, Terms, Told, Turn},
};

/// Mails on their way over one connection.
pub(super) struct Session {
    terms: Terms,
    /// The mail whose content is sent.
    ending: Option<Ending>,
    /// The mail after it.
    active: Active,
    remains: Remains,
    familiarity: Familiarity,
    farewell: Farewell,
}

/// The mail that commands and content are written for.
#[derive(Default)]
enum Active {
    #[default]
    None,
    Envelope(Envelope),
    LoneDot(Ledger),
    Content(Ledger),
}

/// How far leaving has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Farewell {
    NotMeant,
    /// QUIT is to be sent when no mail is left.
    Meant,
    /// QUIT is sent; its reply is not waited for.
    Said,
}

/// What a session produces: bytes for the peer, and word about mails for the driver.
#[derive(Default)]
pub(super) struct Outbox {
    pub(super) bytes: Vec<u8>,
    pub(super) told: std::collections::VecDeque<Told>,
}

/// What a session waits for.
pub(super) enum Wait {
    Reply,
    Content(QueueId),
    Mail,
    /// For nothing more: it is over.
    Nothing,
}

impl Session {
    pub(super) const fn new(terms: Terms) -> Self {
        Self {
            terms,
            ending: None,
            active: Active::None,
            remains: Remains::Nothing,
            familiarity: Familiarity::Fresh,
            farewell: Farewell::NotMeant,
        }
    }

    pub(super) const fn terms(&self) -> &Terms {
        &self.terms
    }

    pub(super) fn wait(&self) -> Wait {
        match (&self.active, &self.ending) {
            (Active::Content(ledger), _) => Wait::Content(ledger.mail().id()),
            (Active::Envelope(_) | Active::LoneDot(_), _) | (_, Some(_)) => Wait::Reply,
            (Active::None, None) if self.farewell == Farewell::Said => Wait::Nothing,
            (Active::None, None) => Wait::Mail,
        }
    }

    /// What the next reply answers.
    pub(super) fn phase(&self) -> Phase {
        match (&self.ending, &self.active) {
            (Some(_), _) | (None, Active::LoneDot(_)) => Phase::EndOfData,
            (None, Active::Envelope(envelope)) => envelope.phase(),
            (None, Active::Content(_)) => Phase::Content,
            (None, Active::None) => Phase::Idle,
        }
    }

    /// Whether a mail that is given now is begun now.
    pub(super) fn may_start(&self) -> bool {
        let ahead = self.terms.pipelining == Pipelining::Lookahead;
        let free = matches!(self.active, Active::None) && (ahead || self.ending.is_none());
        free && self.farewell != Farewell::Said
    }

    /// Whether a mail may be given now: it is begun at once, or ahead of the answer to the content
    /// of the one before.
    pub(super) fn has_room(&self) -> bool {
        let ahead = self.terms.pipelining == Pipelining::Lookahead;
        self.farewell == Farewell::NotMeant && (ahead || self.may_start())
    }

    /// Takes a reply. Bytes held back until the content is sent must not come here before.
    pub(super) fn reply(&mut self, reply: Reply, out: &mut Outbox) -> Result<(), Breakdown> {
        if let Some(ending) = self.ending.take() {
            return self.end_answered(ending, reply, out);
        }
        match std::mem::take(&mut self.active) {
            Active::Envelope(envelope) => self.envelope_answered(envelope, reply, out),
            Active::LoneDot(ledger) => {
                out.told.push_back(Told::Finished(ledger.finish()));
                or_shutdown(reply, Phase::EndOfData)
            }
            content @ Active::Content(_) => {
                self.active = content;
                Err(Breakdown::UNSOLICITED)
            }
            Active::None if reply.code == 421 => Err(Breakdown::Said(reply, Phase::Idle)),
            Active::None => Err(Breakdown::UNSOLICITED),
        }
    }

    /// The final dot is written.
    pub(super) fn content_sent(&mut self) {
        match std::mem::take(&mut self.active) {
            Active::Content(ledger) => self.ending = Some(Ending::new(ledger)),
            other => self.active = other,
        }
    }

    /// The content will not be sent to its end, by our fault or by the peer's refusal. Nothing may
    /// be written after half of it. `false` if no content is due.
    pub(super) fn refuse_content(&mut self, reply: &Reply, cause: Cause, out: &mut Outbox) -> bool {
        match std::mem::take(&mut self.active) {
            Active::Content(mut ledger) => {
                let attempt = match cause {
                    Cause::Local => Attempt::Deferred { reply: reply.clone(), cause },
                    Cause::Replied(_) | Cause::Broken(_) => Attempt::refused(reply.clone(), cause),
                };
                ledger.settle_rest(&attempt);
                out.told.push_back(Told::Finished(ledger.finish()));
                true
            }
            other => {
                self.active = other;
                false
            }
        }
    }

    /// Leaves when no mail is left.
    pub(super) fn quit(&mut self) {
        if self.farewell == Farewell::NotMeant {
            self.farewell = Farewell::Meant;
        }
    }

    /// Begins the waiting mail, or says good-bye, as soon as the order of commands allows it.
    /// `true` if no answer was outstanding before: time counts from now.
    pub(super) fn advance(&mut self, waiting: &mut Option<Outgoing>, out: &mut Outbox) -> bool {
        let idle = matches!(self.wait(), Wait::Mail);
        while self.may_start()
            && let Some(mail) = waiting.take()
        {
            self.start(mail, out);
        }
        if self.farewell == Farewell::Meant && self.may_start() {
            put(&mut out.bytes, &[commands::QUIT]);
            self.farewell = Farewell::Said;
        }
        idle
    }

    /// The end of the connection: every mail gets its outcome, or comes back.
    pub(super) fn break_off(self, why: &Breakdown, out: &mut Outbox) -> Closed {
        let (reply, cause) = why.during(self.phase(), &self.terms.peer);
        let peer = &*self.terms.peer;
        if let Some(ending) = self.ending {
            out.told.push_back(Told::Finished(ending.break_off(why, peer)));
        }
        match self.active {
            Active::None => {}
            Active::Envelope(envelope) => out.told.push_back(envelope.break_off(why, peer)),
            Active::LoneDot(ledger) => out.told.push_back(Told::Finished(ledger.finish())),
            Active::Content(mut ledger) => {
                let (reply, cause) = why.during(Phase::Content, peer);
                ledger.settle_rest(&Attempt::Deferred { reply, cause });
                out.told.push_back(Told::Finished(ledger.finish()));
            }
        }
        Closed::Faulty { reply, cause }
    }

    fn start(&mut self, mail: Outgoing, out: &mut Outbox) {
        let ledger = Ledger::new(mail, &self.terms);
        if ledger.is_settled() {
            out.told.push_back(Told::Finished(ledger.finish()));
            return;
        }
        let remains = std::mem::replace(&mut self.remains, Remains::Nothing);
        let familiarity = std::mem::replace(&mut self.familiarity, Familiarity::Reused);
        let mut envelope = Envelope::new(ledger, remains, familiarity);
        envelope.write_group(&self.terms, &mut out.bytes);
        self.active = Active::Envelope(envelope);
    }

    fn end_answered(
        &mut self,
        mut ending: Ending,
        reply: Reply,
        out: &mut Outbox,
    ) -> Result<(), Breakdown> {
        let answered = ending.reply(reply, &self.terms);
        match answered {
            Ok(true) => out.told.push_back(Told::Finished(ending.finish())),
            Ok(false) | Err(_) => self.ending = Some(ending),
        }
        answered.map(drop)
    }

    fn envelope_answered(
        &mut self,
        mut envelope: Envelope,
        reply: Reply,
        out: &mut Outbox,
    ) -> Result<(), Breakdown> {
        let turn = envelope.reply(reply, &self.terms, &mut out.bytes);
        match turn {
            Ok(Turn::Going) | Err(_) => self.active = Active::Envelope(envelope),
            Ok(Turn::Content) => self.active = Active::Content(envelope.into_ledger()),
            Ok(Turn::LoneDot) => {
                put(&mut out.bytes, &[commands::LONE_DOT]);
                self.active = Active::LoneDot(envelope.into_ledger());
            }
            Ok(Turn::Over(remains)) => {
                self.remains = remains;
                out.told.push_back(Told::Finished(envelope.into_ledger().finish()));
            }
        }
        turn.map(drop)
    }
}

fn or_shutdown(reply: Reply, phase: Phase) -> Result<(), Breakdown> {
    if reply.code == 421 { Err(Breakdown::Said(reply, phase)) } else { Ok(()) }
}
