//! The answer to the final dot: one for all recipients, or in LMTP one for each accepted one.
//!
//! From here on the peer may have the mail. Without its answer, who was accepted is
//! [`Attempt::Uncertain`] (`attacks.md`, promise 2). After a lone dot nobody is accepted, and the
//! answer changes nothing.

use mailweir_mail::{Reply, ReplyClass};

use super::{Breakdown, Ledger, SHUTTING_DOWN, Terms, Told, ledger};
use crate::client::{
    outcome::{Attempt, Cause},
    phase::Phase,
    settings::Dialect,
};

/// A transaction from the final dot to the last reply to it.
#[derive(Debug)]
pub(in crate::client) struct Ending {
    ledger: Ledger,
    /// Who is accepted and not answered, the last first.
    unanswered: Vec<usize>,
}

impl Ending {
    pub(in crate::client) fn new(ledger: Ledger) -> Self {
        let mut unanswered = ledger.accepted();
        unanswered.reverse();
        Self { ledger, unanswered }
    }

    /// Takes a reply to the final dot. `true`: it was the last.
    pub(in crate::client) fn reply(
        &mut self,
        reply: Reply,
        terms: &Terms,
    ) -> Result<bool, Breakdown> {
        let attempt = match reply.class() {
            ReplyClass::Intermediate => return Err(Breakdown::UNEXPECTED),
            ReplyClass::Success => {
                Attempt::Delivered { reply: reply.clone(), reports: ledger::reports(terms) }
            }
            ReplyClass::Transient | ReplyClass::Permanent => {
                Attempt::refused(reply.clone(), Cause::Replied(Phase::EndOfData))
            }
        };
        match terms.dialect {
            Dialect::Smtp => self.settle_all(&attempt),
            Dialect::Lmtp => self.settle_one(attempt),
        }
        if reply.code == SHUTTING_DOWN {
            return Err(Breakdown::Said(reply, Phase::EndOfData));
        }
        Ok(self.unanswered.is_empty())
    }

    pub(in crate::client) fn finish(self) -> Vec<Attempt> {
        self.ledger.finish()
    }

    /// The end of the connection before the last reply.
    pub(super) fn break_off(mut self, why: &Breakdown, peer: &str) -> Told {
        let (reply, _) = why.during(Phase::EndOfData, peer);
        self.ledger.settle_rest(&Attempt::Uncertain { reply });
        Told::Finished(self.ledger.finish())
    }

    fn settle_all(&mut self, attempt: &Attempt) {
        self.unanswered.clear();
        self.ledger.settle_rest(attempt);
    }

    fn settle_one(&mut self, attempt: Attempt) {
        if let Some(place) = self.unanswered.pop() {
            self.ledger.settle(place, attempt);
        }
    }
}
