//! What somebody wants done to a case, and the write that makes it true.

use std::sync::Arc;

use mailweir_mail::QueueId;
use mailweir_moderation::{
    case::{Actor, By, Case, Command, Fate, Outcome, Proof, Refused, State},
    case_file::CaseFile,
};
use mailweir_queue::{Annex, ChangeError, RecipientIndex, store::StoreError};

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
    /// An operator has released or deleted the mail in the meantime.
    #[error("an operator has released or deleted the mail")]
    Gone,
    /// The content is not what was held. It is not released.
    #[error("the stored content is not what was held: the mail is not released")]
    Altered,
    /// The content cannot be read, and so not be compared.
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
        let outcome = before.case.take(command, clock::now())?;
        if outcome.case == before.case {
            return Ok(outcome);
        }
        let after = CaseFile {
            case: outcome.case.clone(),
            trust: outcome.trust.or(before.trust),
            ..(*before).clone()
        };
        match self.make_true(id, &before, &after, &outcome.fate).await {
            Ok(()) => self.keep(id, after),
            Err(error) => {
                if matches!(error, TakeError::Gone) {
                    self.close_without_mail(id, &before).await;
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
            Fate::Released(only) if after.also_held.is_none() => {
                let mail = self.queue.pin(id).await.map_err(refused)?;
                self.compare(id, after).await?;
                self.remember(after, only.as_deref(), &mut annex);
                let only = only.as_ref();
                let only = only.map(|some| some.iter().copied().map(RecipientIndex).collect());
                self.queue.release_with(&mail, &by, only, annex).await.map_err(refused)?;
            }
            Fate::Dropped => {
                let mail = self.queue.pin(id).await.map_err(refused)?;
                self.queue.delete_with(&mail, &by, annex).await.map_err(refused)?;
            }
            // An operator has the last word about a mail that is held for another reason, too.
            Fate::Stays | Fate::Released(_) => self.queue.write(annex).await?,
        }
        Ok(())
    }

    /// Only what people have seen is released.
    async fn compare(&self, id: QueueId, file: &CaseFile) -> Result<(), TakeError> {
        let content = self.queue.show(id).await?.ok_or(TakeError::Gone)?.content;
        let content = content.ok_or(TakeError::Unreadable)?;
        let hashed = tokio::task::spawn_blocking(move || Fingerprint::of(&content)).await;
        if hashed.map_err(|_| TakeError::Stopping)? == file.case.plan.content {
            return Ok(());
        }
        self.warn(format!("{id}: ALARM: {}", TakeError::Altered));
        Err(TakeError::Altered)
    }

    /// Nothing is left to decide. Those who were asked hear it.
    async fn close_without_mail(&self, id: QueueId, before: &CaseFile) {
        let reason = TakeError::Gone.to_string().into();
        let who = Actor::Administrator("operator".into());
        let by = By { who, proof: Proof::CommandLine, from: None };
        let Ok(outcome) = before.case.take(&Command::Discard { by, reason }, clock::now()) else {
            return;
        };
        let after = CaseFile { case: outcome.case, ..before.clone() };
        let Ok(annex) = annex(id, &after, Some(&before.case)) else { return };
        match self.queue.write(annex).await {
            Ok(()) => self.keep(id, after),
            Err(error) => self.put_off(id, &error.to_string()),
        }
    }

    /// A case as it is on the disk from now on.
    pub(super) fn keep(&self, id: QueueId, file: CaseFile) {
        self.registry().put(id, Arc::new(file));
        self.changed.notify_one();
    }
}

/// A case and what the journal says of its new steps.
pub(crate) fn annex(
    id: QueueId,
    file: &CaseFile,
    before: Option<&Case>,
) -> Result<Annex, serde_json::Error> {
    let mut annex = Annex::default();
    annex.put_case(id, &file.to_json()?);
    for entry in file.journal(id, before) {
        annex.append(entry.to_json()?);
    }
    Ok(annex)
}

/// The queue has another opinion of the mail than the case.
fn refused(error: ChangeError) -> TakeError {
    match error {
        ChangeError::NotFound(_) | ChangeError::Illegal(_) => TakeError::Gone,
        ChangeError::Store(error) => TakeError::Store(error),
        error => TakeError::Queue(error),
    }
}

/// Who closed the case, for the log of the queue.
fn closer(case: &Case) -> String {
    let State::Closed(closing) = &case.progress.state else { return "moderation".to_owned() };
    match &closing.by.who {
        Actor::Moderator(address) => format!("moderator {address}"),
        Actor::Sender(address) => format!("sender {address}"),
        Actor::Administrator(name) => format!("administrator {name}"),
        Actor::Clock => "moderation: its time has come".to_owned(),
    }
}
