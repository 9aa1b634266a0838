//! What somebody wants done to a case, and the write that makes it true.

use std::sync::Arc;

use mailweir_mail::{HoldReason, QueueId};
use mailweir_moderation::{
    case::{Actor, Case, Command, Fate, Outcome, Refused, State},
    case_file::{CaseFile, Unwritable},
};
use mailweir_queue::{Annex, BodyError, ChangeError, RecipientIndex, store::StoreError};

use super::{Fingerprint, Moderation};
use crate::{archiving, clock};

/// Why something was not done. After [`Self::Gone`] and [`Self::Altered`] the case is closed; after all
/// else nothing was changed.
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
    #[error(transparent)]
    Unwritable(#[from] Unwritable),
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
        // A reminder touches no mail: look whether it is still there.
        let is_here = match command {
            Command::Clock => self.expect_mail(id).await,
            _ => Ok(()),
        };
        let done = match is_here {
            Ok(()) => self.make_true(id, &before, &after, &outcome.fate).await,
            Err(error) => Err(error),
        };
        match done {
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
        let mut annex = decision(id, after, &before.case)?;
        let by = closer(&after.case);
        match fate {
            Fate::Released(only) => {
                let mail = self.queue.pin(id).await.map_err(refused)?;
                self.compare(id, after).await?;
                let some = only.as_deref();
                let only = only.as_ref();
                let only = only.map(|some| some.iter().copied().map(RecipientIndex).collect());
                match &after.also_held {
                    None => {
                        self.remember(after, some, &mut annex).await;
                        self.queue.release_with(&mail, &by, only, annex).await
                    }
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
) -> Result<Annex, Unwritable> {
    let mut annex = Annex::default();
    add_to(&mut annex, id, file, before)?;
    Ok(annex)
}

/// The same, written with what it makes of the mail: the archive hears who decided.
pub(crate) fn decision(id: QueueId, file: &CaseFile, before: &Case) -> Result<Annex, Unwritable> {
    let mut annex = annex(id, file, Some(before))?;
    archiving::tell(&mut annex, before, file);
    Ok(annex)
}

/// One more case for the same commit.
pub(super) fn add_to(
    annex: &mut Annex,
    id: QueueId,
    file: &CaseFile,
    before: Option<&Case>,
) -> Result<(), Unwritable> {
    annex.put_case(id, &file.to_bytes()?);
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
pub(super) fn refused(error: ChangeError) -> TakeError {
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
