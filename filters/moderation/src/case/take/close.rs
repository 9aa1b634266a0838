//! The one way to the end, and what operators do past the case.

use super::{Act, Fate};
use crate::case::{AtExpiry, By, Closing, Decision, QueueDeed, Refused, State, Step, To, Word};

impl Act {
    /// The one way to the end.
    pub(super) fn close(&mut self, by: &By, decision: Decision, words: &str) -> Fate {
        self.drop_questions();
        // An approval that was taken back makes nobody trusted.
        if !decision.sends() && self.is_trusted() {
            self.note(by, Step::Distrusted, "");
        }
        self.note(by, Step::Closed(decision), words);
        let (by, words, at) = (by.clone(), words.into(), self.now);
        self.tell_of_end(&by, decision);
        self.case.progress.state = State::Closed(Closing { decision, by, at, words });
        match decision {
            Decision::Released | Decision::Expired(AtExpiry::Release) => {
                Fate::Released(self.case.progress.only.clone())
            }
            Decision::Gone | Decision::Damaged => Fate::Stays,
            Decision::Rejected
            | Decision::Returned
            | Decision::Discarded
            | Decision::Cancelled
            | Decision::Expired(AtExpiry::Reject | AtExpiry::Discard) => Fate::Dropped,
        }
    }

    /// Whether trust came of it, and was not ended.
    fn is_trusted(&self) -> bool {
        let steps = self.case.progress.history.iter().rev().map(|entry| &entry.step);
        let mut steps = steps.filter(|one| matches!(one, Step::Trusted(_) | Step::Distrusted));
        matches!(steps.next(), Some(Step::Trusted(_)))
    }

    /// The mail is where an operator has brought it, whatever was still to be decided.
    pub(super) fn overtake(&mut self, by: &By, deed: QueueDeed) -> Result<Fate, Refused> {
        self.still_open()?;
        self.note(by, Step::InQueue(deed), "");
        let decision = match deed {
            QueueDeed::Released => Decision::Released,
            QueueDeed::Deleted => Decision::Discarded,
        };
        // All of it was done to all of them, whomever moderators had meant.
        self.case.progress.only = None;
        self.close(by, decision, "");
        Ok(Fate::Stays)
    }

    /// Nothing is left to decide. Nobody is named, since nobody is known.
    pub(super) fn lose(&mut self, how: Decision) -> Result<Fate, Refused> {
        self.still_open()?;
        Ok(self.close(&By::clock(), how, ""))
    }

    /// The last word about a mail that an operator decides about: its sender hears of it only if it was
    /// sent.
    pub(super) fn follow(&mut self, by: &By, deed: QueueDeed) -> Fate {
        // Nor does a mail that was never sent.
        if deed == QueueDeed::Deleted && self.is_trusted() {
            self.note(by, Step::Distrusted, "");
        }
        self.note(by, Step::InQueue(deed), "");
        if deed == QueueDeed::Released && self.case.plan.tells_sender.of_outcome() {
            self.owe(To::Sender, Word::Decided);
        }
        Fate::Stays
    }
}
