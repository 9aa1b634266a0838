//! What operators have to do with a case: mail that waits for them too, and what they do in the queue.

use mailweir_mail::{QueueId, Timestamp};
use serde::{Deserialize, Serialize};

use super::CaseFile;
use crate::{
    case::{
        Actor, By, Closing, Command, Decision, Owed, Proof, QueueDeed, Refused, State, To, Word,
    },
    notice::About,
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

/// Who has the last word about a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastWord {
    /// Those who decide; they may not have said it yet.
    People,
    /// An operator, who has not said it: the mail is on hold.
    Awaited,
    /// An operator, who has.
    Said(QueueDeed),
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
        match (&self.case.progress.state, self.last_word()) {
            (State::Closed(closing), LastWord::Awaited) if closing.decision.sends() => "approved",
            (_, LastWord::Said(QueueDeed::Released)) => Decision::Released.as_str(),
            (_, LastWord::Said(QueueDeed::Deleted)) => Decision::Discarded.as_str(),
            (state, LastWord::People | LastWord::Awaited) => state.as_str(),
        }
    }

    /// Who has the last word about the mail.
    #[must_use]
    pub fn last_word(&self) -> LastWord {
        match (&self.case.progress.state, &self.operator) {
            (State::Closed(closing), operator) if self.is_left(closing) => operator
                .as_ref()
                .map_or(LastWord::Awaited, |operated| LastWord::Said(operated.deed)),
            _ => LastWord::People,
        }
    }

    /// What notices and pages say of it.
    #[must_use]
    pub fn about(&self, id: QueueId) -> About<'_> {
        About { id, case: &self.case, mail: &self.mail, last_word: self.last_word() }
    }

    /// Whether the mail is on hold though people have said their last word, or can say none: an operator
    /// has it.
    #[must_use]
    pub fn waits_for_operator(&self) -> bool {
        self.last_word() == LastWord::Awaited
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
