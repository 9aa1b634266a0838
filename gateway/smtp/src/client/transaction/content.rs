//! The content on its way: the driver sends it, and the peer has nothing to say.
//!
//! A peer that has heard enough of it may say why and hang up. What it says before the final dot
//! can refuse the mail; it cannot accept it.

use mailweir_mail::{Reply, ReplyClass};

use super::{Breakdown, Ending, Ledger, Told};
use crate::client::{
    outcome::{Attempt, Cause},
    phase::Phase,
    reply::{ReplyError, ReplyParser},
};

/// A transaction from the answer to DATA to the final dot.
#[derive(Debug)]
pub(in crate::client) struct Content {
    ledger: Ledger,
    /// What came meanwhile.
    early: Vec<u8>,
}

impl Content {
    pub(in crate::client) const fn new(ledger: Ledger) -> Self {
        Self { ledger, early: Vec::new() }
    }

    /// Whether everybody gets it.
    pub(in crate::client) fn is_for_all(&self) -> bool {
        self.ledger.is_for_all()
    }

    /// Keeps what the peer says before the final dot. A whole reply ends it: the rest of the content,
    /// and above all the dot, must not follow a refusal that counts.
    pub(in crate::client) fn hold_back(&mut self, bytes: &[u8]) -> Result<(), Breakdown> {
        self.early.extend_from_slice(bytes);
        match self.early_reply() {
            Ok(None) => Ok(()),
            Ok(Some(_)) => Err(Breakdown::UNSOLICITED),
            Err(error) => Err(error.into()),
        }
    }

    /// The final dot is written. With half a reply before it nobody knows whether another answer
    /// follows: the connection is of no more use.
    pub(in crate::client) fn sent(self) -> (Ending, Result<(), Breakdown>) {
        let heard = if self.early.is_empty() { Ok(()) } else { Err(Breakdown::UNSOLICITED) };
        (Ending::new(self.ledger), heard)
    }

    /// It cannot be sent to its end, by our fault.
    pub(in crate::client) fn fail(mut self, reply: &Reply) -> Told {
        self.ledger.settle_rest(&Attempt::Deferred { reply: reply.clone(), cause: Cause::Local });
        Told::Finished(self.ledger.finish())
    }

    /// The end of the connection before the final dot.
    pub(super) fn break_off(mut self, why: &Breakdown, peer: &str) -> Told {
        self.hear_refusal();
        let (reply, cause) = why.during(Phase::Content, peer);
        self.ledger.settle_rest(&Attempt::Deferred { reply, cause });
        Told::Finished(self.ledger.finish())
    }

    fn hear_refusal(&mut self) {
        let Ok(Some(reply)) = self.early_reply() else { return };
        match reply.class() {
            ReplyClass::Success | ReplyClass::Intermediate => {}
            ReplyClass::Transient | ReplyClass::Permanent => {
                self.ledger.settle_rest(&Attempt::refused(reply, Cause::Replied(Phase::Content)));
            }
        }
    }

    fn early_reply(&self) -> Result<Option<Reply>, ReplyError> {
        ReplyParser::default().read(&mut &*self.early)
    }
}
