//! What whoever answered a notice is told: done, too late and who was first, or how to answer.

use std::sync::{MutexGuard, PoisonError};

use mailweir_mail::QueueId;
use mailweir_moderation::{case::To, case_file::CaseFile, notice::Notice, token::AnswerCode};
use mailweir_queue::Annex;

use super::{Answering, Answers, Outcome};
use crate::{
    clock, egress,
    moderation::{
        Moderation, Settings,
        letter::{Enclosed, Original},
        outbox::NotSent,
        reader::Reader,
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
        let sent = self.send_answer(&settings, reader, (case, &file), code, outcome).await;
        if sent.is_err() {
            self.answers().withdraw(case, person, is_proven);
        }
        sent
    }

    async fn send_answer(
        &self,
        settings: &Settings,
        reader: Reader,
        (id, file): (QueueId, &CaseFile),
        code: &AnswerCode,
        outcome: &Outcome,
    ) -> Result<(), NotSent> {
        let to = self.addressee(settings, reader).await?;
        // The links stand in the notice that was answered; of the code none can be made.
        let answer = Some(code.clone());
        let enclosed = Enclosed { token: None, answer, original: Original::NOTHING };
        let about = file.about(id);
        let notice = Notice::Answered { result: outcome.answered(), about };
        let thread = file.sent_to(&to.reader.address);
        let composed = to.compose(&notice, (id, number()), thread, &enclosed);
        self.post(to, &composed, &[], Annex::default()).await.map(drop)
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
