//! Cases that end past those who decide: their mail is gone or damaged, or an operator was faster.

use mailweir_mail::{HoldReason, QueueId};
use mailweir_moderation::{
    case::{Command, QueueDeed},
    case_file::CaseFile,
};
use mailweir_queue::{Annex, store::StoreError};

use super::{
    Moderation, TakeError,
    take::{decision, refused},
};
use crate::clock;

impl Moderation {
    /// Nothing is left to decide. Those who were asked hear it.
    pub(super) async fn close_without_mail(&self, id: QueueId, before: &CaseFile) {
        let Some((after, annex)) = self.lost(id, before, &Command::Lose) else { return };
        match self.queue.write(annex).await {
            Ok(()) => self.keep(id, after),
            Err(error) => self.put_off(id, &error.to_string()),
        }
    }

    /// Nobody can decide about what they have not seen: the mail stays where it is, for an operator, and
    /// those who were asked hear that it is over.
    pub(super) async fn condemn(&self, id: QueueId, before: &CaseFile) {
        self.warn(format!("{id}: ALARM: {}", TakeError::Altered));
        let Some((after, annex)) = self.lost(id, before, &Command::Condemn) else { return };
        let written = match self.queue.pin(id).await {
            Ok(mail) => {
                let reason = HoldReason::new("ALARM: what is stored is not what was held");
                let kept = self.queue.keep_held_with(&mail, reason, None, annex).await;
                kept.map(drop).map_err(|error| error.to_string())
            }
            // What cannot be read cannot be changed either; the queue keeps it aside.
            Err(_) => self.queue.write(annex).await.map_err(|error| error.to_string()),
        };
        match written {
            Ok(()) => self.keep(id, after),
            Err(reason) => self.put_off(id, &reason),
        }
    }

    /// A case that ends without a decision, and what is written of it.
    fn lost(&self, id: QueueId, before: &CaseFile, command: &Command) -> Option<(CaseFile, Annex)> {
        let (after, _) = before.take(command, clock::now()).ok()?;
        let annex = decision(id, &after, &before.case);
        let annex = annex.map_err(|error| self.warn(format!("{id}: {error}"))).ok()?;
        Some((after, annex))
    }

    /// Has an operator change the mail of a case in the queue, past those who decide; they hear of it.
    /// `change` writes what it is given in the same commit.
    ///
    /// # Errors
    /// Those of `change`, or the case cannot be written. Nothing was done then.
    pub(crate) async fn overtake<T, E, F>(
        &self,
        id: QueueId,
        deed: QueueDeed,
        by: &str,
        change: impl FnOnce(Annex) -> F,
    ) -> Result<T, E>
    where
        E: From<StoreError>,
        F: Future<Output = Result<T, E>>,
    {
        if self.case(id).is_none() {
            return change(self.past_all_cases(id, deed).await).await;
        }
        let _turn = self.turn(id).await;
        let Some((after, annex)) = self.operated(id, deed, by).await? else {
            return change(self.past_all_cases(id, deed).await).await;
        };
        let changed = change(annex).await?;
        self.keep(id, after);
        Ok(changed)
    }

    /// What is written of a mail that was on hold for other reasons than a rule of moderation. Whom an
    /// approval left out, the mail does not go to.
    async fn past_all_cases(&self, id: QueueId, deed: QueueDeed) -> Annex {
        let mut annex = Annex::default();
        match self.case(id) {
            _ if deed != QueueDeed::Released => {}
            Some(file) => {
                self.remember(&file, file.case.progress.only.as_deref(), &mut annex).await;
            }
            None => self.remember_queued(id, &mut annex).await,
        }
        annex
    }

    /// A case once an operator has done this. `None`: it is no news to it. A mail that was decided about
    /// long ago may be on hold for other reasons.
    async fn operated(
        &self,
        id: QueueId,
        deed: QueueDeed,
        by: &str,
    ) -> Result<Option<(CaseFile, Annex)>, StoreError> {
        let Some(before) = self.case(id) else { return Ok(None) };
        let Ok(after) = before.operated(deed, by, clock::now()) else { return Ok(None) };
        let annex = decision(id, &after, &before.case);
        let mut annex = annex.map_err(|error| StoreError::engine("write the case", error))?;
        if deed == QueueDeed::Released {
            self.remember(&after, after.case.progress.only.as_deref(), &mut annex).await;
        }
        Ok(Some((after, annex)))
    }

    /// Whether there is anything that people could be reminded of.
    ///
    /// # Errors
    /// The mail is gone or damaged, or the store cannot say.
    pub(super) async fn expect_mail(&self, id: QueueId) -> Result<(), TakeError> {
        self.queue.pin(id).await.map(drop).map_err(refused)
    }
}
