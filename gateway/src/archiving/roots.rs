//! Brings the roots of sealed segments to other places: a file elsewhere, and people. Whoever can change the
//! archive cannot change those, and so not make it anew unseen.
//!
//! What could not be brought is tried again, and nothing is left out: the file says what it has, and what was
//! sent by mail stands in the archive's directory.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwap;
use mailweir_archive::{
    Places,
    roots::{self, Root},
    whole,
};
use mailweir_filters::rewriting::RewriteError;
use mailweir_mail::{
    Address, BodyType, Domain, Envelope, Origin, QueueId, ReversePath, SessionEvent,
};
use mailweir_queue::{Disposition, IntakeError, NewMail, Queue};
use tokio::{
    sync::Notify,
    task::{JoinError, JoinHandle},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::{
    Archiver,
    daily::{Letter, Mailed},
};
use crate::{
    clock, config, egress,
    observe::Observer,
    own_mail::{OwnMail, Prepared},
    rewriting::LiveRewriting,
};

/// The one who brings them.
pub(crate) struct RootsCourier {
    settings: config::Archive,
    queue: Queue,
    observer: Observer,
    post: ArcSwap<Post>,
    /// Told when a segment was sealed.
    sealed: Arc<Notify>,
    /// What this process has sent: the file may not say it, if the disk takes nothing.
    mailed: Mutex<Option<Mailed>>,
    end: CancellationToken,
}

/// How mail of ours is sent. A reload changes it.
pub(crate) struct Post {
    /// The name of this gateway.
    pub(crate) hostname: Domain,
    /// What becomes of the addresses of our own mail.
    pub(crate) rewriting: Arc<LiveRewriting>,
    /// What else becomes of it.
    pub(crate) own: OwnMail,
}

/// Roots did not come to where they should.
#[derive(Debug, thiserror::Error)]
enum NotBrought {
    #[error("{path}: {error}")]
    Io { path: PathBuf, error: io::Error },
    #[error(transparent)]
    Intake(#[from] IntakeError),
    #[error(transparent)]
    Address(#[from] RewriteError),
    #[error("{0}: it does not answer")]
    Silent(PathBuf),
    #[error("it came to no end")]
    Lost,
}

/// Roots on their way to the copy. No thread can be taken back from a disk that does not answer, so there is one at most.
type Copying = Option<JoinHandle<io::Result<usize>>>;

impl RootsCourier {
    /// `None`: they are to be brought nowhere.
    pub(crate) fn new(
        settings: config::Archive,
        archiver: &Archiver,
        post: Post,
        end: CancellationToken,
    ) -> Option<Self> {
        let is_wanted = settings.roots_copy.is_some() || !settings.roots_to.is_empty();
        let (queue, observer) = (archiver.queue.clone(), archiver.observer.clone());
        let (post, sealed) = (ArcSwap::from_pointee(post), Arc::clone(&archiver.sealed));
        is_wanted.then_some(Self {
            settings,
            queue,
            observer,
            post,
            sealed,
            mailed: Mutex::default(),
            end,
        })
    }

    /// Sends what is sent from now on like this.
    pub(crate) fn change(&self, post: Post) {
        self.post.store(Arc::new(post));
    }

    /// Brings what is new, until the end. That waits for nothing: a crash would cost no more.
    pub(crate) async fn run(self: Arc<Self>) {
        self.end.run_until_cancelled(self.bring()).await;
    }

    async fn bring(&self) {
        let (mut trouble, mut copying) = ([None, None], None);
        loop {
            // At once: the mail must not wait for another machine.
            let outcomes: [_; 2] = tokio::join!(self.copy(&mut copying), self.mail()).into();
            for (before, outcome) in trouble.iter_mut().zip(outcomes) {
                self.tell_trouble(before, outcome);
            }
            let pause = if trouble.iter().any(Option::is_some) { AGAIN } else { LOOK };
            let _ = timeout(pause, self.sealed.notified()).await;
        }
    }

    /// Each trouble is told once, and its end.
    fn tell_trouble(&self, before: &mut Option<String>, outcome: Result<(), NotBrought>) {
        let now = outcome.err().map(|error| error.to_string());
        if *before != now {
            self.warn(match &now {
                Some(reason) => {
                    format!("ALARM: roots did not leave the machine: {reason}; they will")
                }
                None => "roots leave the machine again".to_owned(),
            });
        }
        *before = now;
    }

    /// Adds what the copy lacks.
    async fn copy(&self, copying: &mut Copying) -> Result<(), NotBrought> {
        let Some(path) = &self.settings.roots_copy else { return Ok(()) };
        if copying.is_some() {
            // What was sealed since it began, it does not know.
            self.copied(path, copying).await?;
        }
        let (list, to) = (self.places().roots(), path.clone());
        *copying = Some(tokio::task::spawn_blocking(move || roots::copy(&list, &to)));
        self.copied(path, copying).await
    }

    /// Waits for what is on its way. It stays there if that takes too long.
    async fn copied(&self, path: &Path, copying: &mut Copying) -> Result<(), NotBrought> {
        let Some(work) = copying else { return Ok(()) };
        let done = timeout(SILENCE, work).await;
        let done = done.map_err(|_| NotBrought::Silent(path.to_owned()))?;
        *copying = None;
        let copied = ended(path.to_owned(), done)?;
        if copied > 0 {
            self.log(format!("{copied} roots copied"));
        }
        Ok(())
    }

    /// Sends what is due, in as many mails as that needs.
    async fn mail(&self) -> Result<(), NotBrought> {
        if self.settings.roots_to.is_empty() {
            return Ok(());
        }
        let (list, memory) = (self.places().roots(), self.memory());
        let (known, read) = (list.clone(), memory.clone());
        let known = blocking(known, move || roots::read(&list)).await?;
        let known: Vec<Root> = known.into_iter().flatten().collect();
        let stored = blocking(read, move || remembered(&memory)).await?;
        let mailed = self.mailed().unwrap_or(stored);
        let now = clock::now();
        for owed in mailed.owed(&known, now).chunks(MOST_ROOTS) {
            let Some(segment) = owed.last().map(|root| root.segment) else { continue };
            let id = self.post(owed).await?;
            self.log(format!("roots up to segment {segment} sent by mail: {id}"));
            let (path, sent) = (self.memory(), Mailed { segment, at: now });
            *self.mailed.lock().unwrap_or_else(PoisonError::into_inner) = Some(sent);
            blocking(path.clone(), move || remember(&path, sent)).await?;
        }
        Ok(())
    }

    async fn post(&self, owed: &[Root]) -> Result<QueueId, NotBrought> {
        let post = self.post.load_full();
        let (hostname, to) = (&post.hostname, &self.settings.roots_to);
        let letter = Letter { hostname, to, roots: owed, now: clock::now(), seed: egress::seed() };
        let content = letter.compose();
        // With a null sender: nobody answers it (RFC 3834).
        let envelope =
            to.iter().cloned().fold(Envelope::from_sender(ReversePath::Null), Envelope::to);
        let warn = |text| self.warn(format!("roots: {text}"));
        let mut envelope = egress::addressed(&post.rewriting, envelope, &warn).await?;
        if to.iter().any(Address::needs_smtputf8) {
            (envelope.smtputf8, envelope.body) = (true, BodyType::EightBitMime);
        }
        let prepared = post.own.prepare(&envelope, &[content.as_bytes()], warn).await?;
        let Prepared { note: archive, top } = prepared;
        let mut intake = self.queue.intake(content.len() as u64)?;
        intake.write(&top).await?;
        intake.write(content.as_bytes()).await?;
        let origin = Origin { listener: "archive".into(), ..egress::own_origin(hostname) };
        let mail = NewMail { envelope, origin, disposition: Disposition::Ready, archive };
        Ok(intake.commit(mail).await?.queue_id())
    }

    fn mailed(&self) -> Option<Mailed> {
        *self.mailed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn places(&self) -> Places {
        Places::new(&self.settings.directory)
    }

    /// Where it stands what was sent.
    fn memory(&self) -> PathBuf {
        self.settings.directory.join("roots.mailed")
    }

    fn log(&self, text: String) {
        self.observer.session(&SessionEvent::Notice { part: "archive", text: text.into() });
    }

    fn warn(&self, text: String) {
        self.observer.session(&SessionEvent::Warning { part: "archive", text: text.into() });
    }
}

async fn blocking<T: Send + 'static>(
    path: PathBuf,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, NotBrought> {
    ended(path, tokio::task::spawn_blocking(work).await)
}

fn ended<T>(path: PathBuf, done: Result<io::Result<T>, JoinError>) -> Result<T, NotBrought> {
    done.map_err(|_| NotBrought::Lost)?.map_err(|error| NotBrought::Io { path, error })
}

fn remembered(path: &Path) -> io::Result<Mailed> {
    match fs::read_to_string(path) {
        Ok(line) => Ok(Mailed::read(&line)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Mailed::NOTHING),
        Err(error) => Err(error),
    }
}

/// If a crash loses it, some are sent twice.
fn remember(path: &Path, sent: Mailed) -> io::Result<()> {
    whole::write(path, sent.to_line().as_bytes())
}

/// Roots in one mail: about 400 KB.
const MOST_ROOTS: usize = 2_000;

/// After which a copy that says nothing has failed. A list has some hundred KB at most.
const SILENCE: Duration = Duration::from_secs(10);

/// After which what could not be brought is tried again.
const AGAIN: Duration = Duration::from_secs(60);

/// After which it is looked whether a day has begun, if nothing was sealed.
const LOOK: Duration = Duration::from_secs(600);
