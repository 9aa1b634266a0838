//! What whoever answered a notice is told: done, too late and who was first, or how to answer.

use std::sync::{MutexGuard, PoisonError};

use mailweir_moderation::{
    case::To,
    notice::{About, Notice},
};
use mailweir_queue::Annex;

use super::{Answering, Answers, Outcome};
use crate::{
    clock, egress,
    moderation::{
        Moderation,
        outbox::{NotSent, Original, Written},
    },
};

impl Moderation {
    /// Tells the reader of the notice, and nobody else, whoever wrote the answer.
    ///
    /// # Errors
    /// The notice is not durable.
    pub(super) async fn answer(
        &self,
        Answering { case, grant, code }: &Answering<'_>,
        outcome: &Outcome,
    ) -> Result<(), NotSent> {
        let (case, person) = (*case, &grant.person);
        let is_proven = !matches!(outcome, Outcome::NotProven);
        if !self.answers().admit(case, person, is_proven, clock::now()) {
            return Ok(());
        }
        // As it is now.
        let Some(file) = self.case(case) else { return Ok(()) };
        let settings = self.settings.load_full();
        let Some(reader) = settings.reader(&To::Moderator(person.clone()), &file) else {
            return Ok(());
        };
        // The links stand in the notice that was answered; of the code none can be made.
        let answer = Some((*code).clone());
        let original = Original::NOTHING;
        let letter = Written { settings: &settings, reader, token: None, answer, original };
        let about = About { id: case, case: &file.case, mail: &file.mail };
        let notice = Notice::Answered { result: outcome.answered(), about };
        let composed = letter.compose(case, &file, &notice, number());
        let Written { settings, reader, .. } = letter;
        let sent = self.post(settings, &reader, &composed, &[], Annex::default()).await;
        if sent.is_err() {
            self.answers().withdraw(case, person, is_proven);
        }
        sent.map(|_| ())
    }

    /// What the lock guards is changed by single calls, so a panic elsewhere leaves it sound.
    pub(in crate::moderation) fn answers(&self) -> MutexGuard<'_, Answers> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// In the names of these notices. What a case owes has the small numbers.
fn number() -> u32 {
    u32::try_from(egress::seed() >> 33).unwrap_or(0) | 1 << 31
}
