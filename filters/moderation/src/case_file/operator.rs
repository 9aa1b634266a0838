//! What operators have to do with a case: mail that waits for them too, and what they do in the queue.

use mailweir_mail::Timestamp;
use serde::{Deserialize, Serialize};

use super::CaseFile;
use crate::case::{
    Actor, By, Closing, Command, Decision, Owed, Proof, QueueDeed, Refused, State, To, Word,
};

/// What an operator did with the mail of a case in the queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operated {
    /// What.
    pub deed: QueueDeed,
    /// Who.
    pub by: Box<str>,
    /// When.
    pub at: Timestamp,
}

impl CaseFile {
    /// How it stands, on one line, also if an operator has a say.
    #[must_use]
    pub fn standing(&self) -> String {
        match (&self.case.progress.state, &self.operator) {
            (State::Closed(closing), Some(Operated { deed, by, .. })) if self.is_left(closing) => {
                let deed = match deed {
                    QueueDeed::Released => "released",
                    QueueDeed::Deleted => "deleted",
                };
                format!("{}, {deed} by operator {by}", left(closing))
            }
            (State::Closed(closing), None) if self.is_left(closing) => {
                format!("{}, waits for an operator", left(closing))
            }
            _ => self.case.standing(),
        }
    }

    /// How it stands, in one word; `approved` while an operator has the last word.
    #[must_use]
    pub fn state_name(&self) -> &'static str {
        match (&self.case.progress.state, &self.operator) {
            (State::Closed(closing), operator) if self.is_left(closing) => match operator {
                None if closing.decision.sends() => "approved",
                None => closing.decision.as_str(),
                Some(Operated { deed: QueueDeed::Released, .. }) => Decision::Released.as_str(),
                Some(Operated { deed: QueueDeed::Deleted, .. }) => Decision::Discarded.as_str(),
            },
            (state, _) => state.as_str(),
        }
    }

    /// Whether the mail is on hold though people have said their last word, or can say none: an operator
    /// has it.
    #[must_use]
    pub fn waits_for_operator(&self) -> bool {
        let State::Closed(closing) = &self.case.progress.state else { return false };
        self.operator.is_none() && self.is_left(closing)
    }

    /// Whether the end of the case left the mail to an operator: people let it go, and it was held for
    /// another reason as well; or it is damaged.
    fn is_left(&self, closing: &Closing) -> bool {
        let is_damaged = closing.decision == Decision::Damaged;
        is_damaged || (self.also_held.is_some() && closing.decision.sends())
    }

    /// The sender hears only once the mail is really sent.
    pub fn keep_from_sender(&mut self) {
        let is_news = |owed: &Owed| owed.to == To::Sender && owed.word == Word::Decided;
        self.case.progress.owed.retain(|owed| !is_news(owed));
    }

    /// An operator has released or deleted the mail in the queue.
    ///
    /// # Errors
    /// That is no news: the case was closed before, and the mail had left it.
    pub fn operated(&self, deed: QueueDeed, by: &str, now: Timestamp) -> Result<Self, Refused> {
        let who =
            By { who: Actor::Administrator(by.into()), proof: Proof::CommandLine, from: None };
        let command = match self.waits_for_operator() {
            true => Command::Follow { by: who, deed },
            false => Command::Overtake { by: who, deed },
        };
        let (after, _) = self.take(&command, now)?;
        let operator = Some(Operated { deed, by: by.into(), at: now });
        Ok(Self { operator, ..after })
    }
}

fn left(closing: &Closing) -> String {
    match &closing.by.who {
        _ if closing.decision == Decision::Damaged => closing.to_string(),
        Actor::Clock => "its time had come".to_owned(),
        who => format!("approved by {who}"),
    }
}
