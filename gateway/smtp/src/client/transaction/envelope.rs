//! MAIL, RCPT and DATA: written in groups if the peer allows it, answered one by one. For a probe
//! there is no DATA.
//!
//! The commands of a transaction have a fixed order, so two places in it say all: which command is
//! written next, which is answered next. A new group begins when the last one is answered, so
//! that neither side's buffers can fill while both write.

use mailweir_mail::{Enhanced, Reply, ReplyClass};

use super::{Breakdown, Ledger, SHUTTING_DOWN, Terms, Told};
use crate::client::{
    commands::{self, put},
    outcome::{Attempt, Cause},
    phase::Phase,
    settings::Dialect,
};

/// A transaction up to the answer to DATA.
#[derive(Debug)]
pub(in crate::client) struct Envelope {
    ledger: Ledger,
    /// The recipients to ask for.
    asked: Vec<usize>,
    /// The commands XFORWARD.
    forwards: Vec<Box<[u8]>>,
    before: Before,
    sender: Sender,
    to_write: Option<Command>,
    to_answer: Option<Command>,
}

/// What a group consists of. A recipient is a place in [`Envelope::asked`], and what is forwarded one in
/// [`Envelope::forwards`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Command {
    Rset,
    Forward(usize),
    Mail,
    Rcpt(usize),
    Data,
}

/// What became of MAIL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sender {
    Unanswered,
    Accepted,
    Refused,
}

/// What went over the connection before a mail. A peer may close a connection that carried mail at
/// any time, which says nothing about the next mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::client) enum Before {
    /// No mail.
    Nothing,
    /// A transaction that has ended.
    Ended,
    /// A transaction that was aborted: RSET has to come before the next MAIL.
    Aborted,
}

/// Where a reply leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::client) enum Turn {
    /// More replies are due.
    Going,
    /// The peer waits for the content.
    Content,
    /// The peer waits for a content that nobody gets (RFC 2920 section 3.1).
    LoneDot,
    /// All recipients are settled.
    Over(Before),
}

impl Envelope {
    pub(in crate::client) fn new(ledger: Ledger, before: Before, terms: &Terms) -> Self {
        let from = ledger.mail().came_from();
        let forwards = from.map(|from| commands::xforward(from, &terms.capabilities));
        let forwards = forwards.unwrap_or_default();
        let first = match before {
            Before::Aborted => Command::Rset,
            Before::Nothing | Before::Ended => forward_or_mail(0, &forwards),
        };
        Self {
            asked: ledger.open(),
            forwards,
            ledger,
            before,
            sender: Sender::Unanswered,
            to_write: Some(first),
            to_answer: Some(first),
        }
    }

    /// Writes the next group, if the last one is answered.
    pub(in crate::client) fn write_group(&mut self, terms: &Terms, out: &mut Vec<u8>) {
        if self.to_write != self.to_answer {
            return;
        }
        let most = if terms.capabilities.pipelining { MAX_GROUP } else { 1 };
        for _ in 0..most {
            let Some(command) = self.to_write else { return };
            self.write(command, terms, out);
            self.to_write = self.after(command);
        }
    }

    /// Takes the answer to the oldest command and writes what it allows.
    pub(in crate::client) fn reply(
        &mut self,
        reply: Reply,
        terms: &Terms,
        out: &mut Vec<u8>,
    ) -> Result<Turn, Breakdown> {
        let Some(command) = self.to_answer else { return Err(Breakdown::UNSOLICITED) };
        if reply.code == SHUTTING_DOWN {
            return Err(Breakdown::Said(reply, phase_of(command)));
        }
        match command {
            Command::Rset => reset_answered(reply)?,
            Command::Forward(_) => forward_answered(&reply)?,
            Command::Mail => self.mail_answered(reply)?,
            Command::Rcpt(nth) => self.rcpt_answered(nth, reply)?,
            Command::Data => return self.data_answered(reply, terms),
        }
        self.to_answer = self.after(command);
        if self.to_answer != self.to_write {
            return Ok(Turn::Going);
        }
        if self.to_write.is_none() || self.is_pointless() {
            return Ok(Turn::Over(self.leaves()));
        }
        self.write_group(terms, out);
        Ok(Turn::Going)
    }

    /// What the reply that is due answers.
    pub(super) fn phase(&self) -> Phase {
        self.to_answer.map_or(Phase::Data, phase_of)
    }

    pub(in crate::client) fn into_ledger(self) -> Ledger {
        self.ledger
    }

    /// The end of the connection in the middle of the envelope.
    ///
    /// Over a connection that carried mail before, a reply too many to that mail may have come late,
    /// been taken for the answer to MAIL and shifted all after it (`attacks.md` K1). So what a mail
    /// that comes to nothing has heard there counts for nobody; and what looks as if it refused DATA,
    /// and may have refused the last recipient, only ends the connection.
    pub(super) fn break_off(mut self, why: &Breakdown, peer: &str) -> Told {
        let data_refused = matches!(why, Breakdown::Said(_, Phase::Data));
        if self.is_reused() && (self.sender == Sender::Unanswered || data_refused) {
            return Told::Returned;
        }
        let (reply, cause) = why.during(self.phase(), peer);
        let attempt = Attempt::Deferred { reply, cause };
        if self.is_reused() || matches!(why, Breakdown::Nonsense(_)) {
            self.ledger.unsettle(&attempt);
        } else {
            self.ledger.settle_rest(&attempt);
        }
        Told::Finished(self.ledger.finish())
    }

    fn write(&self, command: Command, terms: &Terms, out: &mut Vec<u8>) {
        let mail = self.ledger.mail();
        match command {
            Command::Rset => put(out, &[commands::RSET]),
            Command::Forward(nth) => {
                self.forwards.get(nth).into_iter().for_each(|line| out.extend_from_slice(line));
            }
            Command::Mail => commands::mail(mail, &terms.capabilities, out),
            Command::Rcpt(nth) => {
                let recipient = self.asked.get(nth).and_then(|&place| mail.recipient(place));
                recipient.into_iter().for_each(|to| commands::rcpt(to, &terms.capabilities, out));
            }
            Command::Data => put(out, &[commands::DATA]),
        }
    }

    fn after(&self, command: Command) -> Option<Command> {
        let next = match command {
            Command::Rset => return Some(forward_or_mail(0, &self.forwards)),
            Command::Forward(nth) => return Some(forward_or_mail(nth + 1, &self.forwards)),
            Command::Mail => 0,
            Command::Rcpt(nth) => nth + 1,
            Command::Data => return None,
        };
        match next < self.asked.len() {
            true => Some(Command::Rcpt(next)),
            false if self.ledger.mail().is_probe() => None,
            false => Some(Command::Data),
        }
    }

    /// Whether nothing can come of the commands that are not written yet.
    fn is_pointless(&self) -> bool {
        let nobody = self.to_write == Some(Command::Data) && !self.ledger.has_accepted();
        self.sender == Sender::Refused || nobody
    }

    fn mail_answered(&mut self, reply: Reply) -> Result<(), Breakdown> {
        match reply.class() {
            ReplyClass::Success => self.sender = Sender::Accepted,
            ReplyClass::Intermediate => return Err(Breakdown::UNEXPECTED),
            ReplyClass::Transient | ReplyClass::Permanent => {
                self.sender = Sender::Refused;
                self.ledger.settle_rest(&Attempt::refused(reply, Cause::Replied(Phase::Mail)));
            }
        }
        Ok(())
    }

    fn rcpt_answered(&mut self, nth: usize, reply: Reply) -> Result<(), Breakdown> {
        let Some(&place) = self.asked.get(nth) else { return Err(Breakdown::UNSOLICITED) };
        match (self.sender, reply.class()) {
            (_, ReplyClass::Intermediate) => return Err(Breakdown::UNEXPECTED),
            // Who took MAIL has no bad sequence here: it was another reply that took it.
            (Sender::Accepted, _) if reply.code == BAD_SEQUENCE && self.is_reused() => {
                return Err(Breakdown::UNEXPECTED);
            }
            (Sender::Refused | Sender::Unanswered, _) => {}
            (Sender::Accepted, ReplyClass::Success) if self.ledger.mail().is_probe() => {
                self.ledger.settle(place, Attempt::Accepted { reply });
            }
            (Sender::Accepted, ReplyClass::Success) => self.ledger.accept(place),
            (Sender::Accepted, ReplyClass::Transient | ReplyClass::Permanent) => {
                let attempt = self.rcpt_refused(reply);
                self.ledger.settle(place, attempt);
            }
        }
        Ok(())
    }

    /// 452 may mean "not in this transaction" (RFC 5321 section 4.5.3.1.10). Only if somebody else was
    /// accepted: else the next transaction would end the same way.
    fn rcpt_refused(&self, reply: Reply) -> Attempt {
        let refused = Attempt::refused_rcpt(reply);
        let reply = refused.reply();
        let too_many = matches!(reply.enhanced, None | Some(Enhanced(_, 5, 3)));
        if reply.code == 452 && too_many && self.ledger.has_accepted() {
            return Attempt::Postponed { reply: reply.clone() };
        }
        refused
    }

    fn data_answered(&mut self, reply: Reply, terms: &Terms) -> Result<Turn, Breakdown> {
        if reply.code == 354 {
            return self.content_asked(terms);
        }
        match reply.class() {
            ReplyClass::Success | ReplyClass::Intermediate => Err(Breakdown::UNEXPECTED),
            ReplyClass::Transient | ReplyClass::Permanent
                if self.is_reused() && self.ledger.has_accepted() =>
            {
                Err(Breakdown::Said(reply, Phase::Data))
            }
            ReplyClass::Transient | ReplyClass::Permanent => {
                self.ledger.settle_rest(&Attempt::refused(reply, Cause::Replied(Phase::Data)));
                Ok(Turn::Over(self.leaves()))
            }
        }
    }

    /// An LMTP server has no reply for a content that nobody gets: it must not ask for one
    /// (RFC 2033 section 4.2).
    fn content_asked(&self, terms: &Terms) -> Result<Turn, Breakdown> {
        match (self.ledger.has_accepted(), terms.dialect) {
            (true, _) => Ok(Turn::Content),
            (false, Dialect::Smtp) => Ok(Turn::LoneDot),
            (false, Dialect::Lmtp) => Err(Breakdown::UNEXPECTED),
        }
    }

    fn is_reused(&self) -> bool {
        self.before != Before::Nothing
    }

    /// What the next mail finds if this one gets no content.
    const fn leaves(&self) -> Before {
        match self.sender {
            Sender::Accepted => Before::Aborted,
            Sender::Refused | Sender::Unanswered => Before::Ended,
        }
    }
}

fn reset_answered(reply: Reply) -> Result<(), Breakdown> {
    match reply.class() {
        ReplyClass::Success => Ok(()),
        ReplyClass::Intermediate => Err(Breakdown::UNEXPECTED),
        ReplyClass::Transient | ReplyClass::Permanent => Err(Breakdown::Said(reply, Phase::Rset)),
    }
}

const fn forward_or_mail(nth: usize, forwards: &[Box<[u8]>]) -> Command {
    if nth < forwards.len() { Command::Forward(nth) } else { Command::Mail }
}

/// A peer that does not want to hear it takes the mail all the same.
fn forward_answered(reply: &Reply) -> Result<(), Breakdown> {
    match reply.class() {
        ReplyClass::Intermediate => Err(Breakdown::UNEXPECTED),
        ReplyClass::Success | ReplyClass::Transient | ReplyClass::Permanent => Ok(()),
    }
}

const fn phase_of(command: Command) -> Phase {
    match command {
        Command::Rset => Phase::Rset,
        Command::Forward(_) => Phase::Forward,
        Command::Mail => Phase::Mail,
        Command::Rcpt(_) => Phase::Rcpt,
        Command::Data => Phase::Data,
    }
}

/// RFC 5321 section 4.2.3.
const BAD_SEQUENCE: u16 = 503;

/// At most so many commands wait for their replies. Their replies fit any socket's buffer.
const MAX_GROUP: usize = 100;
