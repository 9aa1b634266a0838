//! The archive at work: it takes what the queue owes it, in groups, and new mail hears whether it can.
//!
//! Which mail is kept is for [`mailweir_filters::archiving`] to say, when the mail is accepted; from then on
//! the queue owes it to the archive, and nothing of it goes before the archive has it. So a disk that is
//! full, slow or absent loses nothing.

pub(crate) mod api;
mod content;
mod daily;
mod decided;
pub(crate) mod indexing;
mod known;
mod note;
mod opened;
mod owner;
pub(crate) mod purge;
mod reading;
pub(crate) mod room;
mod roots;
#[cfg(test)]
pub(crate) mod sample;
pub(crate) mod shelf;
mod sight;
mod status;
#[cfg(test)]
mod tests;
mod turns;
pub mod words;

use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use mailweir_archive::{OpenError, WriteError, frame::Seq, roots::Root};
use mailweir_mail::SessionEvent;
use mailweir_queue::{BodyError, Queue, ToArchive};
use tokio::sync::{Notify, Semaphore, mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

pub use self::indexing::{FindError, Finder, Lag, Sight, search_files};
pub(crate) use self::{
    content::{Content, SpoolRoom},
    decided::{tell, tell_of_operator},
    note::{ListenerArchive, Mail, direction, judge},
    owner::check_owner,
    roots::{Post, RootsCourier},
};
use self::{
    shelf::{Shelf, ShelfError},
    turns::Turns,
};
use crate::{
    clock,
    config::{self, archive_keys},
    count::counted,
    observe::{ArchiveGauges, Observer},
};

/// The one who takes mail into the archive.
pub(crate) struct Archiver {
    settings: config::Archive,
    queue: Queue,
    observer: Observer,
    /// Why it cannot be written, while that is so.
    trouble: Mutex<Option<Box<str>>>,
    /// Mails whose content could not be read, and when: they hold up no others, and are owed again later.
    unread: Mutex<Vec<(Instant, ToArchive)>>,
    jobs: mpsc::Sender<Job>,
    /// One for each question of people for which files may be read now.
    readers: Arc<Semaphore>,
    /// Whose import runs now.
    imports: Turns,
    /// Until it runs.
    waiting: Mutex<Option<Jobs>>,
    /// Told when a segment was sealed.
    sealed: Arc<Notify>,
    /// The number of the last record; `None`: the archive is not open yet.
    written: watch::Sender<Option<Seq>>,
    /// Cancelled when nothing is to be begun any more.
    end: CancellationToken,
}

/// What people want done.
struct Jobs(mpsc::Receiver<Job>);

/// Something that is done with the archive.
type Job = Box<dyn FnOnce(&mut Shelf) + Send>;

/// What is to be done next.
enum Next {
    Open,
    Job(Job),
    Group,
}

/// When the next group is taken. Both are times and not pauses: what people want done meanwhile puts nothing off.
#[derive(Clone, Copy)]
struct Due {
    /// Not before, whatever is owed: nobody waits for that, and a larger group costs less for each mail.
    earliest: Instant,
    /// Then, though nothing is owed.
    latest: Instant,
}

impl Due {
    /// Behind a group. A clock may be set, and a machine may sleep: the clock is looked at now and then.
    fn after_group() -> Self {
        let (now, next_day) = (clock::monotonic(), daily::until_next_day(clock::now()));
        Self { earliest: now + GATHERING, latest: now + next_day.min(LOOK) }
    }
}

/// The archive cannot do it now, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the archive cannot be used now: {0}")]
pub(crate) struct NotNow(Box<str>);

/// A mail to archive, and its content if that is to be taken.
pub(super) struct Item {
    mail: ToArchive,
    content: Content,
}

/// What is owed cannot be taken now.
#[derive(Debug, thiserror::Error)]
enum NotTaken {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Shelf(#[from] ShelfError),
    #[error("the queue cannot be written: {0}")]
    Queue(#[from] mailweir_queue::store::StoreError),
    #[error("{LOST}")]
    Lost,
}

impl From<WriteError> for NotTaken {
    fn from(error: WriteError) -> Self {
        Self::Shelf(error.into())
    }
}

impl Jobs {
    /// Nothing can be done for so long.
    async fn refuse(&mut self, pause: Duration) {
        let refuse = async {
            while let Some(job) = self.0.recv().await {
                drop(job);
            }
        };
        // All who could ask may have gone.
        let (_, _) = tokio::join!(tokio::time::timeout(pause, refuse), tokio::time::sleep(pause));
    }
}

impl Archiver {
    pub(crate) fn new(
        settings: config::Archive,
        queue: Queue,
        observer: Observer,
        end: CancellationToken,
    ) -> Self {
        let (trouble, unread, sealed) = <_>::default();
        let (jobs, waiting) = mpsc::channel(MOST_JOBS);
        let waiting = Mutex::new(Some(Jobs(waiting)));
        let readers = Arc::new(Semaphore::new(MOST_READERS));
        let written = watch::Sender::new(None);
        Self {
            settings,
            queue,
            observer,
            trouble,
            written,
            unread,
            jobs,
            readers,
            imports: Turns::default(),
            waiting,
            sealed,
            end,
        }
    }

    /// What is true of it now.
    pub(crate) fn gauges(&self) -> ArchiveGauges {
        let last = self.written.borrow().unwrap_or(0);
        let oldest = self.queue.oldest_owed_to_archive();
        ArchiveGauges {
            waiting: self.queue.stats().to_archive as u64,
            lag: oldest.map_or(Duration::ZERO, |oldest| clock::now().since(oldest)),
            is_writable: self.trouble().is_none(),
            last_record: (last > 0).then_some(last),
            not_indexed: None,
        }
    }

    /// Follows the number of the last record; `None`: the archive is not open yet.
    pub(crate) fn written(&self) -> watch::Receiver<Option<Seq>> {
        self.written.subscribe()
    }

    /// Whether new mail may be accepted that is to be kept.
    ///
    /// # Errors
    /// Not now, and why.
    pub(crate) fn ready(&self) -> Result<(), Box<str>> {
        if self.settings.if_unwritable == config::IfUnwritable::Accept {
            return Ok(());
        }
        let owed = self.queue.stats().to_archive;
        match &*self.trouble() {
            Some(reason) => Err(reason.clone()),
            None if owed > MOST_OWED => Err(format!("it is {owed} mails behind").into()),
            None => Ok(()),
        }
    }

    /// Does something with the archive, between two groups.
    ///
    /// # Errors
    /// It cannot be opened, the server ends, or the job came to no end. It may have been done nevertheless.
    pub(crate) async fn with<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Shelf) -> T + Send + 'static,
    ) -> Result<T, NotNow> {
        let (answer, waiting) = oneshot::channel();
        let job: Job = Box::new(move |shelf| {
            // Whoever asked may have gone.
            let _ = answer.send(job(shelf));
        });
        self.jobs.send(job).await.map_err(|_| self.not_now())?;
        waiting.await.map_err(|_| self.not_now())
    }

    /// Why nobody answers for a job.
    fn not_now(&self) -> NotNow {
        match self.end.is_cancelled() {
            true => NotNow(ENDS.into()),
            // Of a job that came to no end whoever asked may hear before it is known here.
            false => NotNow(self.trouble().clone().unwrap_or_else(|| LOST.into())),
        }
    }

    /// Takes what is owed, until the end. Once.
    ///
    /// | what | when |
    /// |---|---|
    /// | the archive is opened | at once, as long as it is not |
    /// | what people want done | at once, between two groups |
    /// | what is owed | at once, but for `GATHERING` behind the group before it |
    /// | a group though nothing is owed: a day has its end | at midnight (UTC), and after `LOOK` at the latest |
    /// | mail whose content could not be read | after `UNREAD_PAUSE` |
    /// | what is said to be erased and may be there, legal holds that may not be known | every `RETRY_PAUSE` |
    /// | anything, when a group or the opening has failed | after `SHORTEST_PAUSE`, up to `LONGEST_PAUSE` |
    pub(crate) async fn run(self: Arc<Self>) {
        let jobs = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut jobs) = jobs else { return };
        if let Some(path) = archive_keys::read_by_others(self.settings.key_file.as_ref()) {
            let path = path.display();
            self.warn(format!("archive: {path} can be read by others than its owner: chmod 600"));
        }
        let mut shelf = None;
        let mut pause = SHORTEST_PAUSE;
        let mut due = Due::after_group();
        let end = self.end.clone();
        loop {
            let due_now = shelf.as_ref().map(|shelf| self.due(due, shelf));
            let next = end.run_until_cancelled(self.wait(due_now, &mut jobs)).await;
            let Some(Some(next)) = next else { return };
            let is_job = matches!(next, Next::Job(_));
            match self.take(shelf.take(), next).await {
                Ok(kept) => {
                    self.written.send_replace(Some(kept.last()));
                    shelf = Some(kept);
                    // A job says nothing of whether the disk takes anything.
                    if !is_job {
                        pause = SHORTEST_PAUSE;
                        due = Due::after_group();
                        self.works();
                    }
                }
                Err((kept, error)) => {
                    shelf = kept;
                    self.fails(&error);
                    let _ = end.run_until_cancelled(jobs.refuse(pause)).await;
                    pause = (2 * pause).min(LONGEST_PAUSE);
                }
            }
        }
    }

    /// What is to be done next; `None`: nothing any more. An archive that is not open yet, and so has nothing due, is
    /// opened at once, so that its state is known; and what failed is tried again, though nothing is owed.
    async fn wait(&self, due: Option<Due>, jobs: &mut Jobs) -> Option<Next> {
        let Some(due) = due else { return Some(Next::Open) };
        // Neither of them keeps the other waiting for long: it is chance who comes first.
        tokio::select! {
            Some(job) = jobs.0.recv() => Some(Next::Job(job)),
            is_owed = self.owed(due) => is_owed.then_some(Next::Group),
        }
    }

    /// Waits until a group is to be taken. `false`: there are none any more.
    async fn owed(&self, Due { earliest, latest }: Due) -> bool {
        if self.trouble().is_some() {
            return true;
        }
        let owed = tokio::time::timeout_at(latest.into(), self.queue.archive_is_owed()).await;
        tokio::time::sleep_until(earliest.into()).await;
        owed.unwrap_or(true)
    }

    /// As `due`, or sooner if something is to be tried again.
    fn due(&self, due: Due, shelf: &Shelf) -> Due {
        // What was put aside is owed again once its time has come.
        let unread = self.unread().iter().map(|(since, _)| *since + UNREAD_PAUSE).min();
        let again = [unread, shelf.retry_at()].into_iter().flatten();
        Due { latest: again.fold(due.latest, Instant::min), ..due }
    }

    /// Does what is next. Gives the shelf back, unless it cannot be told what became of it.
    async fn take(
        &self,
        shelf: Option<Shelf>,
        next: Next,
    ) -> Result<Shelf, (Option<Shelf>, NotTaken)> {
        match (shelf, next) {
            (None, _) => self.open().await.map_err(|error| (None, error)),
            (Some(shelf), Next::Open) => Ok(shelf),
            (Some(mut shelf), Next::Job(job)) => {
                let done = tokio::task::spawn_blocking(move || {
                    job(&mut shelf);
                    shelf
                });
                let shelf = done.await.map_err(|_| (None, NotTaken::Lost))?;
                Ok(self.tell_all_sealed(shelf))
            }
            (Some(shelf), Next::Group) => self.take_group(shelf).await,
        }
    }

    async fn take_group(&self, shelf: Shelf) -> Result<Shelf, (Option<Shelf>, NotTaken)> {
        let (mut shelf, kept) = self.keep_group(shelf).await.map_err(|error| (None, error))?;
        if shelf.is_retry_due(clock::monotonic()) {
            // No mail waits for it: the queue has heard of the group.
            let tried = tokio::task::spawn_blocking(move || {
                shelf.retry(clock::monotonic());
                shelf
            });
            shelf = tried.await.map_err(|_| (None, NotTaken::Lost))?;
        }
        match kept {
            Ok(()) => Ok(shelf),
            Err(error) => Err((Some(shelf), error)),
        }
    }

    /// Keeps a group, and has the queue know.
    ///
    /// # Errors
    /// It came to no end. Within: the group is not kept, or the queue does not know.
    async fn keep_group(&self, shelf: Shelf) -> Result<(Shelf, Result<(), NotTaken>), NotTaken> {
        let group = self.next_group().await;
        let kept = tokio::task::spawn_blocking(move || {
            let mut shelf = shelf;
            let now = clock::now();
            let kept = shelf.end_day(now).and_then(|()| shelf.keep(&group, now));
            (shelf, group, kept)
        });
        let (shelf, group, kept) = kept.await.map_err(|_| NotTaken::Lost)?;
        let mut shelf = self.tell_all_sealed(shelf);
        if let Err(error) = kept {
            return Ok((shelf, Err(error.into())));
        }
        let ids: Vec<_> = group.iter().map(|item| item.mail.id).collect();
        let mails = group.into_iter().map(|item| item.mail).collect();
        let heard = self.queue.archived(mails).await;
        if heard.is_ok() {
            shelf.settle(ids);
        }
        Ok((shelf, heard.map_err(NotTaken::from)))
    }

    async fn open(&self) -> Result<Shelf, NotTaken> {
        let settings = self.settings.clone();
        let opened = tokio::task::spawn_blocking(move || Shelf::open(&settings, clock::now()));
        let (shelf, opened) = opened.await.map_err(|_| NotTaken::Lost)??;
        opened.said().into_iter().for_each(|text| self.warn(text));
        // Roots may be owed since long.
        self.sealed.notify_one();
        Ok(self.tell_all_sealed(shelf))
    }

    /// What is owed next, with its content. What cannot be read is left out: it is owed again later, or the
    /// queue has marked it as damaged.
    async fn next_group(&self) -> Vec<Item> {
        let now = clock::monotonic();
        self.unread().retain(|(since, _)| now.duration_since(*since) < UNREAD_PAUSE);
        let mut group: Vec<Item> = Vec::new();
        let mut bytes = 0;
        for mail in self.queue.next_to_archive(MOST_MAILS).await {
            // What is left out here is owed again.
            if bytes + mail.size > MOST_BYTES && !group.is_empty() {
                break;
            }
            match Content::of(&self.queue, &mail).await {
                Ok(content) => {
                    bytes += content.size();
                    group.push(Item { mail, content });
                }
                Err(BodyError::Damaged) => {
                    self.warn(format!("ALARM: archive: {}: its content is damaged", mail.id));
                    // It stays as it is, for an operator, and is not owed any more.
                    if let Err(error) = self.queue.damaged(mail.id, DAMAGED).await {
                        self.put_aside(mail, &error);
                    }
                }
                Err(error) => self.put_aside(mail, &error),
            }
        }
        group
    }

    /// It holds up no other mail.
    fn put_aside(&self, mail: ToArchive, error: &dyn std::fmt::Display) {
        let (id, pause) = (mail.id, UNREAD_PAUSE.as_secs());
        let text =
            format!("archive: {id}: its content cannot be read: {error}; again in {pause} s");
        self.warn(text);
        self.unread().push((clock::monotonic(), mail));
    }

    fn works(&self) {
        if mem::take(&mut *self.trouble()).is_some() {
            self.warn("archive: it can be written again".to_owned());
        }
    }

    fn fails(&self, error: &NotTaken) {
        let reason: Box<str> = error.to_string().into();
        let before = self.trouble().replace(reason.clone());
        if before.as_ref() != Some(&reason) {
            let then = match self.settings.if_unwritable {
                config::IfUnwritable::Defer => "new mail is deferred",
                config::IfUnwritable::Accept => "new mail is accepted and waits for it",
            };
            self.warn(format!("ALARM: archive: {reason}; {then}"));
        }
    }

    fn tell_all_sealed(&self, mut shelf: Shelf) -> Shelf {
        self.tell_sealed(&shelf.take_sealed());
        shelf
    }

    fn tell_sealed(&self, roots: &[Root]) {
        for Root { segment, first, seal } in roots {
            let (records, root) = (counted(seal.records, "record"), seal.root);
            let text = format!("segment {segment} sealed: {records} from {first}, root {root}");
            self.observer.session(&SessionEvent::Notice { part: "archive", text: text.into() });
        }
        if !roots.is_empty() {
            self.sealed.notify_one();
        }
    }

    fn warn(&self, text: String) {
        self.observer.session(&SessionEvent::Warning { part: "archive", text: text.into() });
    }

    fn unread(&self) -> MutexGuard<'_, Vec<(Instant, ToArchive)>> {
        self.unread.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the lock guards is changed by single calls, so a panic elsewhere leaves it sound.
    fn trouble(&self) -> MutexGuard<'_, Option<Box<str>>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the queue says of a mail whose content the archive could not take.
const DAMAGED: &str = "the stored content is damaged";

/// What [`NotNow`] says when nothing is wrong.
const ENDS: &str = "the server ends";

const LOST: &str =
    "something came to no end; that is a fault of this program, and its log says more";

/// Questions for which files are read at once; a question may read all of the catalogue.
const MOST_READERS: usize = 4;

/// Jobs that may wait; more wait outside.
const MOST_JOBS: usize = 16;

/// After which content that could not be read is tried again.
const UNREAD_PAUSE: Duration = Duration::from_secs(60);

/// The longest time without a look at the clock.
const LOOK: Duration = Duration::from_secs(600);

/// For so long mails are gathered behind a group.
const GATHERING: Duration = Duration::from_millis(25);

/// Mails in a group.
const MOST_MAILS: usize = 1_024;

/// Bytes of content in a group; one mail may have more.
const MOST_BYTES: u64 = 32 << 20;

/// Mails that wait for the archive alone before new ones are put off.
const MOST_OWED: usize = 100_000;

const SHORTEST_PAUSE: Duration = Duration::from_millis(200);

const LONGEST_PAUSE: Duration = Duration::from_secs(10);
