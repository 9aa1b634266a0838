//! The queue as the rest of the gateway sees it.

use std::{path::Path, sync::Arc};

use mailweir_mail::{Envelope, HoldReason, Origin, QueueId, Stage, Timestamp};

use crate::{
    body::{BodyError, Content},
    intake::{Intake, IntakeError, NewMail, Receipt},
    options::{Clock, Options},
    progress::{AttemptResult, Place, Progress, RecipientIndex},
    rescue::RescueReport,
    state::IllegalChange,
    store::{Storage, StoreError},
    work::{OwedReport, Work},
};

/// Accepted mail. Cheap to clone; all clones are one queue.
#[derive(Clone)]
pub struct Queue {
    shared: Arc<()>,
}

/// Gives work back when dropped.
#[derive(Debug)]
pub(crate) struct Lease;

impl Queue {
    /// Opens the queue in `options.directory` on the default engine, and finds out what waits in
    /// it. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// Another instance has it open, the disk fails, or a newer version wrote it.
    pub fn open(options: Options, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let _ = (options, clock);
        todo!()
    }

    /// The same on any store.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_on(
        storage: Arc<dyn Storage>,
        options: Options,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, OpenError> {
        let _ = (storage, options, clock);
        todo!()
    }

    /// Begins to take a mail in. `expected_size` is what the peer announced (SIZE), or 0.
    ///
    /// # Errors
    /// There is too little space, or the store has stopped.
    pub fn intake(&self, expected_size: u64) -> Result<Intake, IntakeError> {
        let _ = expected_size;
        todo!()
    }

    /// The next thing to do; waits until there is one. `None` after [`Self::shutdown`], or after
    /// the store failed: nothing may be delivered whose result cannot be recorded. Cancel safe.
    pub async fn next_work(&self) -> Option<Work> {
        todo!()
    }

    /// Loads the content of a claimed mail.
    ///
    /// # Errors
    /// It cannot be read. If it is damaged, the mail is marked corrupt and its claim is over.
    pub async fn body(&self, id: QueueId, body: &crate::Body) -> Result<Content, BodyError> {
        let _ = (id, body);
        todo!()
    }

    /// Records what an attempt brought. Durable when it returns; begun at once and brought to its
    /// end even if the future is dropped. When the last pending recipient of the claim has its
    /// result, the attempt is over.
    ///
    /// # Errors
    /// The mail is not under delivery, a recipient has its result already, or the store failed.
    pub fn record(
        &self,
        id: QueueId,
        results: Vec<(RecipientIndex, AttemptResult)>,
    ) -> impl Future<Output = Result<Recorded, ChangeError>> + Send + 'static {
        let _ = (id, results);
        async { todo!() }
    }

    /// Gives a claim back; recipients without a result were not tried.
    ///
    /// # Errors
    /// As [`Self::record`].
    pub async fn abandon(&self, id: QueueId) -> Result<Recorded, ChangeError> {
        let _ = id;
        todo!()
    }

    /// A stage is done with a mail; `next` looks at it now, [`Stage::Route`] delivers it.
    ///
    /// # Errors
    /// The mail is not in screening at an earlier stage, or the store failed.
    pub async fn pass(&self, id: QueueId, next: Stage) -> Result<(), ChangeError> {
        let _ = (id, next);
        todo!()
    }

    /// Queues a report and clears its debt, in one batch.
    ///
    /// # Errors
    /// The report is no longer owed (the mail was deleted), or it cannot be queued; then it is
    /// handed out again later.
    pub async fn commit_report(
        &self,
        owed: OwedReport,
        intake: Intake,
        report: NewMail,
    ) -> Result<Receipt, ReportError> {
        let _ = (owed, intake, report);
        todo!()
    }

    /// Clears a debt without a report.
    ///
    /// # Errors
    /// As [`Self::commit_report`].
    pub async fn waive_report(&self, owed: OwedReport) -> Result<(), ChangeError> {
        let _ = owed;
        todo!()
    }

    /// The content of a mail proved unreadable: it becomes corrupt, and stays.
    ///
    /// # Errors
    /// The mail is not here, or the store failed.
    pub async fn damaged(&self, id: QueueId, reason: &str) -> Result<(), ChangeError> {
        let _ = (id, reason);
        todo!()
    }

    /// Puts a mail on hold. A mail under delivery is held after its attempt, if anything is left.
    ///
    /// # Errors
    /// There is no such mail, its state does not allow it, or the store failed.
    pub async fn hold(&self, id: QueueId, reason: HoldReason) -> Result<When, ChangeError> {
        let _ = (id, reason);
        todo!()
    }

    /// Lets a held mail go on to the stage after the hold; its lifetime counts anew.
    ///
    /// # Errors
    /// As [`Self::hold`].
    pub async fn release(&self, id: QueueId, by: &str) -> Result<When, ChangeError> {
        let _ = (id, by);
        todo!()
    }

    /// Treats a mail as if it had just come: all stages look again.
    ///
    /// # Errors
    /// As [`Self::hold`].
    pub async fn requeue(&self, id: QueueId, by: &str) -> Result<When, ChangeError> {
        let _ = (id, by);
        todo!()
    }

    /// Deletes a mail; nobody gets a report. A mail under delivery is deleted after its attempt.
    ///
    /// # Errors
    /// As [`Self::hold`]; a corrupt mail is never deleted.
    pub async fn delete(&self, id: QueueId, by: &str) -> Result<When, ChangeError> {
        let _ = (id, by);
        todo!()
    }

    /// Returns a mail to its sender now. A mail under delivery is returned after its attempt.
    ///
    /// # Errors
    /// As [`Self::hold`].
    pub async fn expire(&self, id: QueueId) -> Result<When, ChangeError> {
        let _ = id;
        todo!()
    }

    /// Tries one mail now.
    ///
    /// # Errors
    /// As [`Self::hold`].
    pub async fn flush_one(&self, id: QueueId) -> Result<When, ChangeError> {
        let _ = id;
        todo!()
    }

    /// Tries all waiting mail now; gives their number. Held mail stays held. Not stored: after a
    /// crash the back-off counts again.
    pub fn flush(&self) -> usize {
        todo!()
    }

    /// The mails in the queue by arrival, at most `limit`.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn list(&self, filter: Filter, limit: usize) -> Result<Vec<Listing>, StoreError> {
        let _ = (filter, limit);
        todo!()
    }

    /// All about one mail; `None` if it is not here.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn show(&self, id: QueueId) -> Result<Option<Details>, StoreError> {
        let _ = id;
        todo!()
    }

    /// How many mails are where.
    #[must_use]
    pub fn stats(&self) -> Stats {
        todo!()
    }

    /// Writes every readable mail to `out`, as [`crate::rescue`] does, without stopping the queue.
    ///
    /// # Errors
    /// `out` cannot be written.
    pub async fn rescue(&self, out: &Path) -> Result<RescueReport, std::io::Error> {
        let _ = out;
        todo!()
    }

    /// Stops handing out work and taking mail in, waits until what was begun is durable, and closes
    /// the store.
    pub async fn shutdown(&self) {
        let _ = &self.shared;
        todo!()
    }
}

/// What recording results led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// Other recipients still have no result in this attempt.
    Underway,
    /// The attempt is over; the mail is tried again, or waits for something else.
    Kept(Place),
    /// The mail is done and gone.
    Removed,
}

/// When an operator's wish takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// It has.
    Now,
    /// When the attempt that is under way is over. It is stored; a crash does not lose it.
    AfterAttempt,
}

/// Which mails to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only those that stand there.
    pub place: Option<Place>,
    /// Only those after this one, to list page by page.
    pub after: Option<QueueId>,
}

/// One line of a list.
#[derive(Clone, Debug)]
pub struct Listing {
    /// The mail.
    pub id: QueueId,
    /// What is known of it.
    pub mail: Listed,
}

/// What a list knows of a mail.
#[derive(Clone, Debug)]
pub enum Listed {
    /// It is sound.
    Sound {
        /// Who sent it and who gets it.
        envelope: Arc<Envelope>,
        /// When it arrived.
        arrival: Timestamp,
        /// Bytes of content.
        size: u64,
        /// Where it stands.
        progress: Progress,
    },
    /// It cannot be read.
    Corrupt {
        /// What is wrong.
        reason: Box<str>,
    },
}

/// All about one mail.
#[derive(Clone, Debug)]
pub struct Details {
    /// The mail.
    pub id: QueueId,
    /// As in a list.
    pub mail: Listed,
    /// Where it came from, if that can be read.
    pub origin: Option<Arc<Origin>>,
    /// Its content, if that can be read.
    pub content: Option<Content>,
}

/// How many mails are where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// At a stage between acceptance and delivery.
    pub screening: usize,
    /// On hold.
    pub held: usize,
    /// Waiting for an attempt.
    pub ready: usize,
    /// Under delivery.
    pub delivering: usize,
    /// Done but for a report.
    pub finished: usize,
    /// Unreadable.
    pub corrupt: usize,
}

/// The queue cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process has it open.
    #[error("another instance uses the queue in {0}; stop it first")]
    Locked(Box<Path>),
    /// The directory cannot be used.
    #[error("cannot use the queue directory {path}")]
    Directory {
        /// The directory or file.
        path: Box<Path>,
        /// Why.
        source: std::io::Error,
    },
    /// A newer version wrote it.
    #[error("the queue has format {found}, this version reads up to {}; use the newer version", crate::record::FORMAT)]
    UnknownFormat {
        /// What was found.
        found: Box<str>,
    },
    /// The store cannot be opened.
    #[error("cannot open the store; `mailweir rescue` saves what is readable")]
    Store(#[from] StoreError),
}

/// A mail cannot be changed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeError {
    /// There is no such mail.
    #[error("there is no mail {0} in the queue")]
    NotFound(QueueId),
    /// Its state does not allow it.
    #[error(transparent)]
    Illegal(#[from] IllegalChange),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is stored cannot be read.
    #[error("the mail {id} is corrupt: {reason}")]
    Corrupt {
        /// The mail.
        id: QueueId,
        /// What is wrong.
        reason: Box<str>,
    },
}

/// A report cannot be queued.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The mail that it is about does not allow it.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// The report itself cannot be taken in.
    #[error(transparent)]
    Intake(#[from] IntakeError),
}
