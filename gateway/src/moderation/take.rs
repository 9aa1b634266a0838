//! What somebody wants done to a case, and the write that makes it true.

use std::sync::Arc;

use mailweir_mail::{HoldReason, QueueId};
use mailweir_moderation::{
    case::{Actor, Case, Command, Fate, Outcome, QueueDeed, Refused, State},
    case_file::CaseFile,
};
use mailweir_queue::{Annex, BodyError, ChangeError, RecipientIndex, store::StoreError};

use super::{Fingerprint, Moderation};
use crate::clock;

/// Why something was not done. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum TakeError {
    /// Nobody has to decide about such a mail.
    #[error("there is no case {0}")]
    NoCase(QueueId),
    /// It may not be done; of a case that was decided, by whom and when.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The mail has left the hold in the meantime, and its case did not hear of it.
    #[error("the mail is on hold no more: it was released or deleted in the queue")]
    Gone,
    /// The mail or its content is damaged, missing or another. It is not released, and its case is over.
    #[error("what is stored is not what was held: the mail is not released")]
    Altered,
    /// The content cannot be read just now, and so not be compared.
    #[error("the stored content cannot be read: the mail is not released")]
    Unreadable,
    /// The queue could not do it.
    #[error(transparent)]
    Queue(ChangeError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The case has no form that could be stored: a mistake of ours.
    #[error("the case cannot be written: {0}")]
    Unwritable(#[from] serde_json::Error),
    /// The gateway stops.
    #[error("the gateway stops")]
    Stopping,
}

impl TakeError {
    /// Why, with all that is known: of a case that is decided, by whom and when.
    #[must_use]
    pub fn in_full(&self) -> String {
        match self {
            Self::Refused(Refused::Closed(closing)) => {
                format!("{self}: {closing}, {}", closing.at.rfc5322())
            }
            Self::Refused(Refused::Scheduled { at }) => format!("{self}: {}", at.rfc5322()),
            Self::Refused(Refused::VotedAlready { at }) => format!("{self}: {}", at.rfc5322()),
            error => error.to_string(),
        }
    }
}

impl Moderation {
    /// Does what `command` says about a case: case, journal and mail are changed in one commit, or
    /// not at all. Goes on to its end even if the caller does not wait for it.
    ///
    /// # Errors
    /// It was not done, and why; of a case that is decided, by whom and when.
    pub async fn take(
        self: &Arc<Self>,
        id: QueueId,
        command: Command,
    ) -> Result<Outcome, TakeError> {
        if self.end.is_cancelled() {
            return Err(TakeError::Stopping);
        }
        let this = Arc::clone(self);
        let taken = self.tasks.spawn(async move { this.take_in_turn(id, &command).await });
        taken.await.unwrap_or(Err(TakeError::Stopping))
    }

    async fn take_in_turn(&self, id: QueueId, command: &Command) -> Result<Outcome, TakeError> {
        let _turn = self.turn(id).await;
        let before = self.case(id).ok_or(TakeError::NoCase(id))?;
        let (mut after, outcome) = before.take(command, clock::now())?;
        if outcome.case == before.case {
            return Ok(outcome);
        }
        if after.waits_for_operator() {
            after.keep_from_sender();
        }
        match self.make_true(id, &before, &after, &outcome.fate).await {
            Ok(()) => self.keep(id, after),
            Err(error) => {
                match error {
                    TakeError::Gone => self.close_without_mail(id, &before).await,
                    TakeError::Altered => self.condemn(id, &before).await,
                    _ => {}
                }
                return Err(error);
            }
        }
        Ok(outcome)
    }

    /// Writes a case, and what becomes of its mail.
    async fn make_true(
        &self,
        id: QueueId,
        before: &CaseFile,
        after: &CaseFile,
        fate: &Fate,
    ) -> Result<(), TakeError> {
        let mut annex = annex(id, after, Some(&before.case))?;
        let by = closer(&after.case);
        match fate {
            Fate::Released(only) => {
                let mail = self.queue.pin(id).await.map_err(refused)?;
                self.compare(id, after).await?;
                self.remember(after, only.as_deref(), &mut annex);
                let only = only.as_ref();
                let only = only.map(|some| some.iter().copied().map(RecipientIndex).collect());
                match &after.also_held {
                    None => self.queue.release_with(&mail, &by, only, annex).await,
                    // An operator has the last word, about those whom people let it go to.
                    Some(other) => {
                        self.log(format!("{id}: approved ({by}), still on hold: {other}"));
                        let reason = HoldReason::new(other);
                        self.queue.keep_held_with(&mail, reason, only, annex).await
                    }
                }
                .map_err(refused)?;
            }
            Fate::Dropped => {
                let mail = self.queue.pin(id).await.map_err(refused)?;
                self.queue.delete_with(&mail, &by, annex).await.map_err(refused)?;
            }
            Fate::Stays => self.queue.write(annex).await?,
        }
        Ok(())
    }

    /// Only what people have seen is released.
    async fn compare(&self, id: QueueId, file: &CaseFile) -> Result<(), TakeError> {
        let content = self.queue.content(id).await.map_err(unreadable)?.ok_or(TakeError::Gone)?;
        if Fingerprint::read(&content).await.map_err(unreadable)? == file.case.plan.content {
            return Ok(());
        }
        Err(TakeError::Altered)
    }

    /// Nothing is left to decide. Those who were asked hear it.
    async fn close_without_mail(&self, id: QueueId, before: &CaseFile) {
        let Some((after, annex)) = self.lost(id, before, &Command::Lose) else { return };
        match self.queue.write(annex).await {
            Ok(()) => self.keep(id, after),
            Err(error) => self.put_off(id, &error.to_string()),
        }
    }

    /// Nobody can decide about what they have not seen: the mail stays where it is, for an operator, and
    /// those who were asked hear that it is over.
    async fn condemn(&self, id: QueueId, before: &CaseFile) {
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
        let annex = annex(id, &after, Some(&before.case));
        let annex = annex.map_err(|error| self.warn(format!("{id}: {error}"))).ok()?;
        Some((after, annex))
    }

    /// Has an operator change the mail of a case in the queue, past those who decide; they hear of it.
    /// `change` writes what it is given in the same commit.
    ///
    /// # Errors
    /// Those of `change`. Nothing was done then.
    pub(crate) async fn overtake<T, E, F>(
        &self,
        id: QueueId,
        deed: QueueDeed,
        by: &str,
        change: impl FnOnce(Annex) -> F,
    ) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
    {
        if self.case(id).is_none() {
            return change(Annex::default()).await;
        }
        let _turn = self.turn(id).await;
        let Some((after, annex)) = self.operated(id, deed, by) else {
            return change(Annex::default()).await;
        };
        let changed = change(annex).await?;
        self.keep(id, after);
        Ok(changed)
    }

    /// A case once an operator has done this. `None`: it is no news to it. A mail that was decided about
    /// long ago may be on hold for other reasons.
    fn operated(&self, id: QueueId, deed: QueueDeed, by: &str) -> Option<(CaseFile, Annex)> {
        let before = self.case(id)?;
        let after = before.operated(deed, by, clock::now()).ok()?;
        let annex = annex(id, &after, Some(&before.case));
        let mut annex = annex.map_err(|error| self.warn(format!("{id}: {error}"))).ok()?;
        if deed == QueueDeed::Released {
            self.remember(&after, after.case.progress.only.as_deref(), &mut annex);
        }
        Some((after, annex))
    }

    /// A case as it is on the disk from now on.
    pub(super) fn keep(&self, id: QueueId, file: CaseFile) {
        self.registry().put(id, Arc::new(file));
        self.changed.send_replace(());
    }
}

/// A case and what the journal says of its new steps.
pub(crate) fn annex(
    id: QueueId,
    file: &CaseFile,
    before: Option<&Case>,
) -> Result<Annex, serde_json::Error> {
    let mut annex = Annex::default();
    add_to(&mut annex, id, file, before)?;
    Ok(annex)
}

/// One more case for the same commit.
pub(super) fn add_to(
    annex: &mut Annex,
    id: QueueId,
    file: &CaseFile,
    before: Option<&Case>,
) -> Result<(), serde_json::Error> {
    annex.put_case(id, &file.to_json()?);
    for entry in file.journal(id, before) {
        annex.append(entry.to_json()?);
    }
    Ok(())
}

fn unreadable(error: BodyError) -> TakeError {
    match error {
        BodyError::Store(error) => TakeError::Store(error),
        BodyError::Damaged => TakeError::Altered,
        _ => TakeError::Unreadable,
    }
}

/// The queue has another opinion of the mail than the case.
fn refused(error: ChangeError) -> TakeError {
    match error {
        ChangeError::NotFound(_) | ChangeError::Illegal(_) => TakeError::Gone,
        ChangeError::Corrupt { .. } => TakeError::Altered,
        ChangeError::Store(error) => TakeError::Store(error),
        error => TakeError::Queue(error),
    }
}

/// Who closed the case, for the log of the queue.
fn closer(case: &Case) -> String {
    let State::Closed(closing) = &case.progress.state else { return "moderation".to_owned() };
    match &closing.by.who {
        Actor::Clock => "moderation: its time has come".to_owned(),
        who => who.to_string(),
    }
}
