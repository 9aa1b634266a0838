//! Changes of mail that are written together with what moderation keeps of it.
//!
//! A caller decides under a lock of its own and begins the write under it: [`Queue::pin`] has the mail
//! ready, so that nothing has to be waited for in between, and what was begun first is durable
//! first.

use bytes::Bytes;
use mailweir_mail::{HoldReason, QueueId};
use tokio::sync::oneshot;

use super::{ChangeError, Queue, When, change::Wanted, load::Pin};
use crate::{
    annex::Annex,
    committer::{Done, Unsent, Urgency},
    intake::{Intake, IntakeError, NewMail, Prepared, Receipt},
    journal::{self, Broken, Entry},
    progress::{Place, RecipientIndex},
    record::{RecordError, open_case},
    state::Change,
    store::{FIRST_KEY, SCAN_FAILURES, Space, StoreError},
};

/// A mail that is ready to be changed, until this is dropped.
#[must_use]
pub struct Pinned {
    id: QueueId,
    _pin: Pin,
}

/// A new mail whose content is safe, and which is not promised yet.
#[must_use = "a mail that is not committed is thrown away"]
pub struct Composed(Prepared);

/// Two new mails that have one content: both are promised, or none.
#[must_use = "mails that are not committed are thrown away"]
pub struct ComposedPair([Prepared; 2]);

/// Cases as they are stored.
#[derive(Debug, Default)]
pub struct StoredCases {
    /// Them, by the arrival of their mail; of a damaged one, what is wrong.
    pub cases: Vec<(QueueId, Result<Bytes, RecordError>)>,
    /// What the store could not read. Cases are missing then.
    pub failures: Vec<StoreError>,
}

impl Composed {
    /// The name that the mail will have.
    #[must_use]
    pub const fn id(&self) -> QueueId {
        self.0.ticket.id
    }
}

impl ComposedPair {
    /// The names that the mails will have. The first is that of the intake.
    #[must_use]
    pub const fn ids(&self) -> [QueueId; 2] {
        let [one, other] = &self.0;
        [one.ticket.id, other.ticket.id]
    }
}

impl Queue {
    /// Makes a mail ready to be changed.
    ///
    /// # Errors
    /// There is no such mail, or it cannot be read.
    pub async fn pin(&self, id: QueueId) -> Result<Pinned, ChangeError> {
        Ok(Pinned { id, _pin: self.shared.pin(id).await? })
    }

    /// Lets a held mail go on, to `only` these recipients if they are given; the others are given up
    /// without a report. The write is begun at once.
    ///
    /// # Errors
    /// The mail is not held, a recipient does not exist, or the store failed.
    pub fn release_with(
        &self,
        mail: &Pinned,
        by: &str,
        only: Option<Vec<RecipientIndex>>,
        annex: Annex,
    ) -> impl Future<Output = Result<When, ChangeError>> + Send + 'static + use<> {
        let change = match only {
            None => Change::Release(by.into()),
            Some(only) => Change::ReleaseFor { by: by.into(), only },
        };
        self.change_with(mail, change, annex)
    }

    /// Keeps a held mail on hold for another reason, for `only` these recipients if they are given; the
    /// others are given up without a report. The write is begun at once.
    ///
    /// # Errors
    /// The mail is not held, a recipient does not exist, or the store failed.
    pub fn keep_held_with(
        &self,
        mail: &Pinned,
        reason: HoldReason,
        only: Option<Vec<RecipientIndex>>,
        annex: Annex,
    ) -> impl Future<Output = Result<When, ChangeError>> + Send + 'static + use<> {
        self.change_with(mail, Change::StayHeld { reason, only }, annex)
    }

    /// Deletes a mail; nobody gets a report. The write is begun at once.
    ///
    /// # Errors
    /// The mail cannot be deleted, or the store failed.
    pub fn delete_with(
        &self,
        mail: &Pinned,
        by: &str,
        annex: Annex,
    ) -> impl Future<Output = Result<When, ChangeError>> + Send + 'static + use<> {
        self.change_with(mail, Change::Delete(by.into()), annex)
    }

    /// Treats a mail as if it had just come. The write is begun at once.
    ///
    /// # Errors
    /// The mail is done, or the store failed.
    pub fn requeue_with(
        &self,
        mail: &Pinned,
        by: &str,
        annex: Annex,
    ) -> impl Future<Output = Result<When, ChangeError>> + Send + 'static + use<> {
        self.change_with(mail, Change::Requeue(by.into()), annex)
    }

    fn change_with(
        &self,
        mail: &Pinned,
        change: Change,
        mut annex: Annex,
    ) -> impl Future<Output = Result<When, ChangeError>> + Send + 'static + use<> {
        let (answer, fate) = oneshot::channel();
        let begun = self.shared.change(
            self.shared.lock(),
            Wanted { decision: annex.take_decision(), ..(mail.id, change).into() },
            |_, batch| batch.append(annex.into_batch()),
            move |changed| drop(answer.send(changed.map(|changed| changed.place))),
        );
        async move {
            begun?;
            let place = fate.await.map_err(|_| StoreError::Stopped)??;
            Ok(if place == Place::Delivering { When::AfterAttempt } else { When::Now })
        }
    }

    /// Writes what moderation keeps, without a change of a mail. The write is begun at once.
    ///
    /// # Errors
    /// The store failed.
    pub fn write(
        &self,
        annex: Annex,
    ) -> impl Future<Output = Result<(), StoreError>> + Send + 'static + use<> {
        let (answer, fate) = oneshot::channel();
        let done: Done = Box::new(move |written| drop(answer.send(written)));
        let refused = self.shared.committer.submit(annex.into_batch(), Urgency::Urgent, done);
        refused.unwrap_or_else(Unsent::refuse);
        async move { fate.await.map_err(|_| StoreError::Stopped)? }
    }

    /// Brings the content of a new mail to the disk if it belongs there. Nothing is promised yet.
    ///
    /// # Errors
    /// The disk is full or failed.
    pub async fn compose(&self, intake: Intake, mail: NewMail) -> Result<Composed, IntakeError> {
        intake.prepare(mail).await.map(Composed)
    }

    /// Makes a new mail durable together with what moderation keeps. The write is begun at once.
    ///
    /// # Errors
    /// The mail is not promised; after a store error it may yet be found at the next start.
    pub fn commit_with(
        &self,
        mail: Composed,
        annex: Annex,
    ) -> impl Future<Output = Result<Receipt, IntakeError>> + Send + 'static + use<> {
        let committed = self.shared.commit_together([mail.0], annex.into_batch());
        async move { committed.await.map(|[receipt]| receipt) }
    }

    /// As [`Self::compose`], for two mails that have the content of one intake.
    ///
    /// # Errors
    /// The disk is full or failed, or the queue is closing.
    pub async fn compose_two(
        &self,
        intake: Intake,
        mails: [NewMail; 2],
    ) -> Result<ComposedPair, IntakeError> {
        intake.prepare_two(mails).await.map(ComposedPair)
    }

    /// Makes two new mails durable together with what moderation keeps, in one commit. The write is
    /// begun at once.
    ///
    /// # Errors
    /// Neither is promised; after a store error both may yet be found at the next start, never one.
    pub fn commit_two_with(
        &self,
        mails: ComposedPair,
        annex: Annex,
    ) -> impl Future<Output = Result<[Receipt; 2], IntakeError>> + Send + 'static + use<> {
        self.shared.commit_together(mails.0, annex.into_batch())
    }

    /// What is stored of the case of a mail. Reads outside the runtime's own threads.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn case(
        &self,
        id: QueueId,
    ) -> Result<Option<Result<Bytes, RecordError>>, StoreError> {
        let storage = self.storage();
        let read = tokio::task::spawn_blocking(move || storage.get(Space::Cases, id.to_key()));
        let record = read.await.map_err(|error| StoreError::engine("read", error))??;
        Ok(record.map(|record| open_case(&record).map(Bytes::copy_from_slice)))
    }

    /// Every case. Reads all of them, and blocks meanwhile: for the start.
    #[must_use]
    pub fn cases(&self) -> StoredCases {
        let mut stored = StoredCases::default();
        self.shared.storage.scan(Space::Cases, FIRST_KEY, &mut |entry| {
            let read = entry.and_then(|(key, record)| {
                let id = QueueId::from_key(key).ok_or_else(no_queue_id)?;
                Ok((id, open_case(record).map(Bytes::copy_from_slice)))
            });
            match read {
                Ok(case) => stored.cases.push(case),
                Err(error) => stored.failures.push(error),
            }
            match stored.failures.len() < SCAN_FAILURES {
                true => std::ops::ControlFlow::Continue(()),
                false => std::ops::ControlFlow::Break(()),
            }
        });
        stored
    }

    /// Shows the entries of the journal from number `first` on, in order, until `visit` says that this
    /// is enough, and checks that each follows from the one before. Blocks.
    ///
    /// # Errors
    /// The first entry that is not what was written.
    pub fn read_journal(
        &self,
        first: u64,
        visit: &mut dyn FnMut(Entry) -> bool,
    ) -> Result<(), Broken> {
        journal::read(&*self.shared.storage, first, visit)
    }
}

fn no_queue_id() -> StoreError {
    StoreError::engine("read a case", "its key is no queue id")
}
