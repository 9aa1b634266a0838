//! The queue as the rest of the gateway sees it.
//!
//! A thin face: what may happen to a mail is decided in `state.rs`, how it becomes durable in
//! `queue/change.rs`, what is handed out in `queue/dispatch.rs`.

mod annexed;
mod archive;
mod change;
mod dispatch;
mod due;
mod listing;
mod load;
mod open;
mod registry;

use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use mailweir_mail::{Envelope, HoldReason, MailEvent, QueueId, Stage, Timestamp};
use tokio::{
    sync::{Notify, oneshot},
    task::JoinHandle,
};

pub(crate) use self::dispatch::Lease;
pub(crate) use self::open::Directory;
pub use self::{
    annexed::{Composed, ComposedPair, Pinned, StoredCases},
    listing::{Details, Filter, Listed, Listing, Stats},
    open::OpenError,
};
use self::{
    change::Wanted,
    dispatch::Step,
    registry::{Phase, Registry},
};
use crate::{
    body::{Body, BodyError, Content},
    committer::Committer,
    committer::SyncTimes,
    intake::{Intake, IntakeError, NewMail, Prepared, Receipt},
    options::{Clock, Options},
    progress::{AttemptResult, Place, RecipientIndex},
    rescue::{self, RescueReport},
    space::FreeSpace,
    spool::Spool,
    state::{Change, IllegalChange},
    store::{Space, Storage, StoreError},
    work::{Claim, OwedReport, Screening, Work},
};

/// Accepted mail. Cheap to clone; all clones are one queue.
#[derive(Clone)]
pub struct Queue {
    shared: Arc<Shared>,
}

/// What all clones of a queue share.
pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) space: FreeSpace,
    pub(crate) spool: Spool,
    storage: Arc<dyn Storage>,
    committer: Committer,
    registry: Mutex<Registry>,
    /// Told whenever there may be something new to hand out.
    wake: Notify,
    /// Told whenever the archive may be owed something new.
    archive_wake: Notify,
    /// Held by the one who reads mails into memory.
    loads: tokio::sync::Mutex<()>,
    /// Sets spool files aside that no record names.
    tidying: Mutex<Option<JoinHandle<std::io::Result<()>>>>,
    /// Unlocked last.
    _directory: Directory,
}

impl Queue {
    /// Opens the queue in `options.directory`, and finds out what waits in it. Must be called
    /// within a tokio runtime; blocks for as long as the disk needs.
    ///
    /// # Errors
    /// Another instance has it open, the disk fails, or a newer version wrote it.
    pub fn open(options: Options, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let directory = Directory::lock(&options.directory)?;
        directory.check_format(options.engine)?;
        let storage = directory.open_store(options.engine)?;
        Self::open_locked(directory, storage, options, clock)
    }

    /// The same on any store; spool files lie in `options.directory`.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_on(
        storage: Arc<dyn Storage>,
        options: Options,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, OpenError> {
        let directory = Directory::lock(&options.directory)?;
        Self::open_locked(directory, storage, options, clock)
    }

    fn open_locked(
        directory: Directory,
        storage: Arc<dyn Storage>,
        options: Options,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, OpenError> {
        let spool_threshold = options.spool_threshold.clamp(1, LARGEST_RECORD);
        let options = Options { spool_threshold, ..options };
        let spool = directory.spool()?;
        let recovered = open::recover(&*storage, &options, &*clock)?;
        let first = recovered.registry.last_id;
        let committer = Committer::start(storage.clone())
            .map_err(|error| StoreError::engine("start its thread", error))?;
        let shared = Arc::new(Shared {
            space: FreeSpace::new(&options.directory, options.queue_minfree),
            options,
            clock,
            spool,
            storage,
            committer,
            registry: Mutex::new(recovered.registry),
            wake: Notify::new(),
            archive_wake: Notify::new(),
            loads: tokio::sync::Mutex::new(()),
            tidying: Mutex::new(None),
            _directory: directory,
        });
        shared.tell_of_restart(&recovered.events);
        let (storage, spool) = (shared.storage.clone(), shared.spool.clone());
        let known = recovered.known;
        // Whatever cannot be set aside now is found again at the next start.
        let tidy = move || open::set_orphans_aside(&storage, &spool, first, &known);
        *shared.tidying.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(tokio::task::spawn_blocking(tidy));
        Ok(Self { shared })
    }

    /// Begins to take a mail in. `expected_size` is what the peer announced (SIZE), or 0.
    ///
    /// # Errors
    /// There is too little space, or the store has stopped.
    pub fn intake(&self, expected_size: u64) -> Result<Intake, IntakeError> {
        self.check_space(expected_size)?;
        let shared = &self.shared;
        let id = shared.new_id()?;
        Ok(Intake::new(shared.clone(), id, expected_size))
    }

    /// Whether a mail of this size would be taken in, for those who announce it (SIZE).
    ///
    /// # Errors
    /// There is too little space, or the store has stopped.
    pub fn check_space(&self, expected_size: u64) -> Result<(), IntakeError> {
        if self.is_stopped() {
            return Err(StoreError::Stopped.into());
        }
        self.shared.space.check(expected_size).map_err(|free| IntakeError::NoSpace { free })
    }

    pub(crate) fn storage(&self) -> Arc<dyn Storage> {
        self.shared.storage.clone()
    }

    /// Whether the store failed: nothing is taken in or delivered any more.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.shared.committer.is_stopped()
    }

    /// How often the store was synced, and how long that took.
    #[must_use]
    pub fn syncs(&self) -> SyncTimes {
        self.shared.committer.syncs()
    }

    /// The next thing to do; waits until there is one. `None` after [`Self::shutdown`], or after
    /// the store failed: nothing may be delivered whose result cannot be recorded. Cancel safe.
    pub async fn next_work(&self) -> Option<Work> {
        loop {
            match self.shared.pick() {
                Step::Hand(work) => {
                    // There may be more, for another who waits.
                    self.shared.wake.notify_one();
                    return Some(work);
                }
                Step::Load(ids) => self.shared.load(ids).await,
                Step::Wait(pause) => {
                    let _ = tokio::time::timeout(pause, self.shared.wake.notified()).await;
                }
                Step::End => {
                    self.shared.wake.notify_one();
                    return None;
                }
            }
        }
    }

    /// Loads the content of a mail that was handed out. A spool file is not read yet; see
    /// [`Content::reader`].
    ///
    /// # Errors
    /// It cannot be read. If it is damaged, the mail is marked corrupt and is out of hand.
    pub async fn body(&self, id: QueueId, body: &Body) -> Result<Content, BodyError> {
        match body {
            Body::Memory(bytes) => return Ok(Content::Memory(bytes.clone())),
            Body::Spool(file) => return Ok(Content::Spool(file.clone())),
            Body::Stored => {}
        }
        let shared = self.shared.clone();
        let read = tokio::task::spawn_blocking(move || shared.read_body(id)).await;
        let content = read.map_err(|error| std::io::Error::other(error.to_string()))?;
        if let Err(BodyError::Damaged) = content {
            let _ = self.damaged(id, "the stored content is damaged").await;
        }
        content
    }

    /// Records what an attempt brought. The claim stays with the caller, since dropping its last
    /// copy gives up what has no result yet. Durable when the future is ready; begun at once and brought
    /// to its end even if the future is dropped. When the last pending recipient of the claim has
    /// its result, the attempt is over.
    ///
    /// # Errors
    /// The mail is not under delivery, a recipient has its result already, or the store failed.
    pub fn record(
        &self,
        claim: &Claim,
        results: Vec<(RecipientIndex, AttemptResult)>,
    ) -> impl Future<Output = Result<Recorded, ChangeError>> + Send + 'static + use<> {
        self.record_and_tell(claim, results, Vec::new())
    }

    /// As [`Self::record`]. `told` is what the caller has to tell of the results: the observer
    /// hears it once they are durable, before what follows from them.
    ///
    /// # Errors
    /// As [`Self::record`].
    pub fn record_and_tell(
        &self,
        claim: &Claim,
        results: Vec<(RecipientIndex, AttemptResult)>,
        told: Vec<MailEvent>,
    ) -> impl Future<Output = Result<Recorded, ChangeError>> + Send + 'static + use<> {
        let (answer, fate) = oneshot::channel();
        let begun = self.shared.change(
            self.shared.lock(),
            Wanted { told, ..(claim.id, Change::Results(results)).into() },
            |_, _| {},
            move |changed| drop(answer.send(changed.map(|changed| changed.recorded()))),
        );
        async move {
            begun?;
            Ok(fate.await.map_err(|_| StoreError::Stopped)??)
        }
    }

    /// Gives a claim back; recipients without a result were not tried.
    ///
    /// # Errors
    /// As [`Self::record`].
    pub async fn abandon(&self, claim: Claim) -> Result<Recorded, ChangeError> {
        let changed = self.shared.change_and_wait(claim.id, Change::Abandon).await?;
        Ok(changed.recorded())
    }

    /// A stage is done with a mail; `next` looks at it now, [`Stage::Route`] delivers it. The
    /// screening stays with the caller until then.
    ///
    /// # Errors
    /// The mail is not in screening at an earlier stage, or the store failed.
    pub async fn pass(&self, screening: &Screening, next: Stage) -> Result<(), ChangeError> {
        self.operate(screening.id, Change::Pass { next }).await.map(drop)
    }

    /// The same, of a mail that is to go another way: with another [`Envelope::filter`], or with other filters ahead of it. The
    /// rest of the envelope must be as it was.
    ///
    /// # Errors
    /// As [`Self::pass`].
    pub async fn pass_as(
        &self,
        screening: &Screening,
        next: Stage,
        envelope: Envelope,
    ) -> Result<(), ChangeError> {
        let id = screening.id;
        let _pin = self.shared.pin(id).await?;
        let (answer, fate) = oneshot::channel();
        self.shared.change(
            self.shared.lock(),
            (id, Change::Pass { next }),
            |registry, batch| {
                if let Some(entry) = registry.mails.get_mut(&id) {
                    entry.envelope = Arc::new(envelope);
                    batch.put(Space::Envelopes, id, entry.envelope_record());
                }
            },
            |changed| drop(answer.send(changed.map(drop))),
        )?;
        Ok(fate.await.map_err(|_| StoreError::Stopped)??)
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
        let Prepared { newcomer, ticket, batch } = intake.prepare(report).await?;
        let change = settlement(&owed, Some(ticket.id));
        let (answer, fate) = oneshot::channel();
        let (id, entering, admitting) = (ticket.id, self.shared.clone(), self.shared.clone());
        self.shared.change(
            self.shared.lock(),
            (owed.id, change),
            move |registry, all| {
                entering.enter(registry, id, newcomer);
                all.append(batch);
            },
            move |changed| drop(answer.send(admitting.admit(ticket, changed.map(drop)))),
        )?;
        let receipt = fate.await.map_err(|_| IntakeError::Store(StoreError::Stopped))?;
        Ok(receipt.map_err(IntakeError::Store)?)
    }

    /// Clears a debt without a report.
    ///
    /// # Errors
    /// As [`Self::commit_report`].
    pub async fn waive_report(&self, owed: OwedReport) -> Result<(), ChangeError> {
        self.shared.change_and_wait(owed.id, settlement(&owed, None)).await.map(drop)
    }

    /// The content of a mail proved unreadable: it becomes corrupt, and stays.
    ///
    /// # Errors
    /// The mail is not here, or the store failed.
    pub async fn damaged(&self, id: QueueId, reason: &str) -> Result<(), ChangeError> {
        let _pin = self.shared.pin_any(id).await?;
        self.shared.change_and_wait(id, Change::Damage(reason.into())).await.map(drop)
    }

    /// Puts a mail on hold. A mail under delivery is held after its attempt, if anything is left.
    ///
    /// # Errors
    /// There is no such mail, its state does not allow it, or the store failed.
    pub async fn hold(&self, id: QueueId, reason: HoldReason) -> Result<When, ChangeError> {
        self.operate(id, Change::Hold(reason)).await
    }

    /// Holds a mail under delivery after its attempt, if anything is left, and nobody has ordered something else meanwhile: an
    /// order that is there stands.
    ///
    /// # Errors
    /// There is no such mail, it is not under delivery, or the store failed.
    pub async fn hold_after_attempt(
        &self,
        id: QueueId,
        reason: HoldReason,
    ) -> Result<When, ChangeError> {
        self.operate(id, Change::HoldAfterAttempt(reason)).await
    }

    /// Lets a held mail go on to the stage after the hold; its lifetime counts anew.
    ///
    /// # Errors
    /// As [`Self::hold`].
    pub async fn release(&self, id: QueueId, by: &str) -> Result<When, ChangeError> {
        self.operate(id, Change::Release(by.into())).await
    }

    /// Treats a mail as if it had just come: all stages look again.
    ///
    /// # Errors
    /// As [`Self::hold`].
    pub async fn requeue(&self, id: QueueId, by: &str) -> Result<When, ChangeError> {
        self.operate(id, Change::Requeue(by.into())).await
    }

    /// Deletes a mail; nobody gets a report. A mail under delivery is deleted after its attempt.
    ///
    /// # Errors
    /// As [`Self::hold`]; a corrupt mail is never deleted.
    pub async fn delete(&self, id: QueueId, by: &str) -> Result<When, ChangeError> {
        self.operate(id, Change::Delete(by.into())).await
    }

    /// Returns a mail to its sender now. A mail under delivery is returned after its attempt.
    ///
    /// # Errors
    /// As [`Self::hold`].
    pub async fn expire(&self, id: QueueId) -> Result<When, ChangeError> {
        self.operate(id, Change::Expire).await
    }

    /// Tries one mail now.
    ///
    /// # Errors
    /// As [`Self::hold`].
    pub async fn flush_one(&self, id: QueueId) -> Result<When, ChangeError> {
        self.operate(id, Change::Flush).await
    }

    /// Tries all waiting mail now; gives the number that had to wait. Held mail stays held. Not
    /// stored: after a crash the back-off counts again.
    pub fn flush(&self) -> usize {
        let now = self.shared.clock.now();
        let moved = self.shared.lock().flush(now);
        self.shared.wake.notify_one();
        moved
    }

    /// The mails in the queue by arrival, at most `limit`.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn list(&self, filter: Filter, limit: usize) -> Result<Vec<Listing>, StoreError> {
        let shared = self.shared.clone();
        let list = tokio::task::spawn_blocking(move || shared.list(&filter, limit)).await;
        list.map_err(|error| StoreError::engine("list", error))?
    }

    /// All about one mail; `None` if it is not here. Its content is read into memory.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn show(&self, id: QueueId) -> Result<Option<Details>, StoreError> {
        let shared = self.shared.clone();
        let show = tokio::task::spawn_blocking(move || shared.show(id)).await;
        show.map_err(|error| StoreError::engine("show", error))?
    }

    /// What a list knows of one mail; `None` if it is not here, or kept for the archive alone. Its
    /// content is not read.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn find(&self, id: QueueId) -> Result<Option<Listed>, StoreError> {
        let shared = self.shared.clone();
        let found = tokio::task::spawn_blocking(move || shared.find(id)).await;
        found.map_err(|error| StoreError::engine("find", error))?
    }

    /// The content of a mail, to be read piece by piece; `None` if the mail is not here, or kept for
    /// the archive alone.
    ///
    /// # Errors
    /// The mail or its content cannot be read.
    pub async fn content(&self, id: QueueId) -> Result<Option<Content>, BodyError> {
        let shared = self.shared.clone();
        let content = tokio::task::spawn_blocking(move || shared.content(id)).await;
        content.map_err(|error| std::io::Error::other(error.to_string()))?
    }

    /// How many mails are where.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.shared.lock().stats
    }

    /// When the oldest mail arrived that is neither on hold nor done.
    #[must_use]
    pub fn oldest(&self) -> Option<Timestamp> {
        self.shared.lock().oldest()
    }

    /// When the oldest mail arrived of which the archive is owed something, also if it is being given it
    /// just now.
    #[must_use]
    pub fn oldest_owed_to_archive(&self) -> Option<Timestamp> {
        self.shared.lock().oldest_owed_to_archive()
    }

    /// Writes every readable mail to `out`, as [`crate::rescue`] does, without stopping the queue.
    ///
    /// # Errors
    /// `out` cannot be written.
    pub async fn rescue(&self, out: &Path) -> std::io::Result<RescueReport> {
        let (shared, out) = (self.shared.clone(), out.to_owned());
        let rescue = move || rescue::save_all(Some(&*shared.storage), &shared.spool, &out);
        tokio::task::spawn_blocking(rescue).await.map_err(std::io::Error::other)?
    }

    /// Stops handing out work and taking mail in, and waits until what was begun is durable. The
    /// store is closed and unlocked when the last clone is dropped.
    pub async fn shutdown(&self) {
        self.shared.lock().phase = Phase::Closing;
        self.shared.wake.notify_one();
        self.shared.archive_wake.notify_one();
        let tidying = self.shared.tidying.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(tidying) = tidying {
            let _ = tidying.await;
        }
        let shared = self.shared.clone();
        let _ = tokio::task::spawn_blocking(move || shared.committer.finish()).await;
    }

    async fn operate(&self, id: QueueId, change: Change) -> Result<When, ChangeError> {
        let _pin = self.shared.pin(id).await?;
        let changed = self.shared.change_and_wait(id, change).await?;
        Ok(if changed.place == Place::Delivering { When::AfterAttempt } else { When::Now })
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell_of_restart(&self, events: &[MailEvent]) {
        for event in events {
            if let MailEvent::Removed { id } = event {
                self.spool.remove(*id);
            }
        }
        self.tell(events);
    }
}

fn settlement(owed: &OwedReport, report: Option<QueueId>) -> Change {
    let recipients = owed.recipients.iter().map(|(index, _)| *index).collect();
    Change::Settle { kind: owed.kind, recipients, report }
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

/// Bodies in the store are read and written whole.
const LARGEST_RECORD: usize = 16 * 1024 * 1024;

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::harness;
