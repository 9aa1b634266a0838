//! What people do in the archive: search, look, hold, erase. Whatever they do leaves a record, and they see
//! nothing before it is written.

mod erase;
mod find;
mod holds;
mod import;
mod restore;

use std::{
    io,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use mailweir_archive::{
    OpenError, Places, ReadError, Reader,
    catalogue::{Row, Rows},
    entry::{Access, AccessDeed, SummaryError},
    frame::Seq,
};
use mailweir_mail::{Domain, QueueId};
use mailweir_queue::IntakeError;
use tokio::sync::mpsc;

pub(super) use self::{erase::Purge, import::GROUP_BYTES};
pub(crate) use super::reading::Payload;
use super::{
    Archiver, NotNow, daily,
    indexing::{FindError, Finder, Sight},
    reading::Reading,
    shelf::{Opened, Shelf, ShelfError},
    sight,
    words::{Ask, Shown, Told},
};
use crate::{clock, config};

/// The archive, for people.
#[derive(Clone)]
pub struct Room {
    keeper: Keeper,
    places: Places,
    reader: Reader,
    /// Absent: nobody fills an index now.
    finder: Option<Finder>,
}

/// Who writes.
#[derive(Clone)]
enum Keeper {
    /// The server that runs, and its name.
    Running(Arc<Archiver>, Domain),
    /// No server does: the archive is ours.
    Resting(Arc<Mutex<Shelf>>),
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Visitor {
    /// Their name.
    pub(crate) by: Box<str>,
    /// From where; absent: on this machine.
    pub(crate) from: Option<IpAddr>,
    /// What they may see.
    pub(crate) sight: Sight,
}

/// Something cannot be done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RoomError {
    #[error(transparent)]
    NotNow(#[from] NotNow),
    #[error(transparent)]
    Shelf(#[from] ShelfError),
    #[error("the archive cannot be read: {0}")]
    Io(#[from] io::Error),
    #[error("the day cannot be written down: {0}")]
    Day(io::Error),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Summary(#[from] SummaryError),
    #[error(transparent)]
    Find(#[from] FindError),
    #[error("the mail cannot be queued: {0}")]
    Intake(#[from] IntakeError),
    #[error("{0}: the archive has no such mail")]
    NoSuchMail(QueueId),
    #[error(
        "{0}: it was imported, and its header names somebody who is hidden from you: ask an auditor for its content"
    )]
    NamesHidden(QueueId),
    #[error("{0}")]
    Refused(Box<str>),
}

/// Whoever asked has gone.
#[derive(Debug)]
pub(crate) struct Gone;

type Answers = mpsc::Sender<Told>;

impl Room {
    /// That of a server that runs.
    pub(crate) fn of_server(
        archiver: Arc<Archiver>,
        finder: Option<Finder>,
        hostname: Domain,
    ) -> Self {
        let places = Places::new(&archiver.settings.directory);
        let reader = archiver.settings.reader();
        Self { keeper: Keeper::Running(archiver, hostname), places, reader, finder }
    }

    /// That of an archive that no server writes, and what was found there: somebody must hear it now, for the server
    /// will not find it again.
    ///
    /// # Errors
    /// It cannot be opened, or somebody writes it.
    pub(crate) fn of_files(settings: &config::Archive) -> Result<(Self, Opened), OpenError> {
        let (shelf, opened) = Shelf::open(settings, clock::now())?;
        let places = Places::new(&settings.directory);
        let reader = shelf.reader().clone();
        let keeper = Keeper::Resting(Arc::new(Mutex::new(shelf)));
        Ok((Self { keeper, places, reader, finder: None }, opened))
    }

    /// Does what is asked, and tells of it part by part.
    ///
    /// # Errors
    /// Whoever asked has gone. What was done stays done.
    pub(crate) async fn ask(
        &self,
        visitor: &Visitor,
        ask: Ask,
        answers: &Answers,
    ) -> Result<(), Gone> {
        let done = match ask {
            Ask::Search(search) => return self.tell_found(visitor, search, answers).await,
            Ask::Show { id } => self.show(visitor, id).await.map(|it| Told::Shown(Box::new(it))),
            Ask::Note { deed } => self.note(visitor, deed, None).await.map(|()| done("noted")),
            Ask::Accesses { limit } => return self.accesses(limit, answers).await,
            Ask::Holds => return self.holds(answers).await,
            Ask::Hold(hold) => self.hold(visitor, hold).await,
            Ask::Lift { what, reason } => self.lift(visitor, what, reason).await,
            Ask::Erase { ids, reason } => {
                return self.erase(visitor, &ids, &reason, answers).await;
            }
            Ask::Restore { id, to } => self.restore(visitor, id, to).await,
            Ask::Purge { dry_run } => {
                let wish = if dry_run { Purge::DryRun } else { Purge::AskedBy(visitor.by.clone()) };
                return self.purge(today(), wish, answers).await;
            }
        };
        tell(answers, done.unwrap_or_else(|error| failed(&error))).await
    }

    /// Does something with the archive, as the one who writes it.
    pub(super) async fn with<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Shelf) -> T + Send + 'static,
    ) -> Result<T, RoomError> {
        match &self.keeper {
            Keeper::Running(archiver, _) => Ok(archiver.with(job).await?),
            Keeper::Resting(shelf) => {
                let shelf = Arc::clone(shelf);
                read(move || {
                    let mut shelf = shelf.lock().unwrap_or_else(PoisonError::into_inner);
                    let done = job(&mut shelf);
                    // Nobody is told of them, and they are in the list of roots.
                    shelf.take_sealed();
                    Ok(done)
                })
                .await
            }
        }
    }

    async fn note(
        &self,
        Visitor { by, from, .. }: &Visitor,
        deed: AccessDeed,
        about: Option<Row>,
    ) -> Result<(), RoomError> {
        let access = Access { by: by.clone(), from: *from, deed };
        let noted =
            self.with(move |shelf| shelf.note_access(&access, about.as_ref(), clock::now()));
        Ok(noted.await??)
    }

    async fn accesses(&self, limit: usize, answers: &Answers) -> Result<(), Gone> {
        let accesses = async {
            let last = self.with(|shelf| shelf.last()).await?;
            self.read(move |reading| reading.accesses(limit, last)).await
        };
        match accesses.await {
            Ok(accesses) => {
                for access in accesses {
                    tell(answers, access).await?;
                }
                Ok(())
            }
            Err(error) => tell(answers, failed(&error)).await,
        }
    }

    /// Reads without holding up anything else.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Reading) -> Result<T, RoomError> + Send + 'static,
    ) -> Result<T, RoomError> {
        let (places, reader) = (self.places.clone(), self.reader.clone());
        let permit = match &self.keeper {
            Keeper::Running(archiver, _) => {
                Arc::clone(&archiver.readers).acquire_owned().await.ok()
            }
            Keeper::Resting(_) => None,
        };
        read(move || {
            let done = work(&Reading::new(&places, reader)?);
            drop(permit);
            done
        })
        .await
    }

    /// All that the archive has of a mail, as far as somebody may see it.
    ///
    /// # Errors
    /// There is none that they may see, it cannot be read, or that they look cannot be written down.
    pub(crate) async fn show(&self, visitor: &Visitor, id: QueueId) -> Result<Shown, RoomError> {
        let known = |shelf: &mut Shelf| (shelf.known_holds().holds.clone(), shelf.holds().err());
        let (holds, doubt) = self.with(known).await?;
        let sight = visitor.sight.clone();
        let found = self.read(move |reading| reading.gather(id, &sight, &holds, doubt)).await?;
        let (row, shown) = found.ok_or_else(|| no_such_mail(id))?;
        let hidden = sight::shows_hidden(&visitor.sight);
        self.note(visitor, AccessDeed::Viewed { hidden }, Some(row)).await?;
        Ok(shown)
    }

    /// The size and the content of a mail that somebody may see.
    ///
    /// # Errors
    /// As those of [`Self::show`]; and [`RoomError::NamesHidden`].
    pub(crate) async fn content(
        &self,
        visitor: &Visitor,
        id: QueueId,
    ) -> Result<(u64, Payload), RoomError> {
        let sight = visitor.sight.clone();
        let opened = self.read(move |reading| reading.open(id, &sight)).await?;
        let (row, capture, payload) = opened.ok_or_else(|| no_such_mail(id))?;
        let deed = AccessDeed::Exported { form: "eml".into(), mails: 1 };
        self.note(visitor, deed, Some(row)).await?;
        Ok((capture.size, payload))
    }

    /// The captures of mails.
    async fn captures(&self, ids: Vec<QueueId>) -> Result<Vec<Seq>, RoomError> {
        // A group reaches its segment before the catalogue: whoever saw a mail there finds it here.
        self.with(|_| ()).await?;
        let places = self.places.clone();
        read(move || {
            let rows = Rows::open(&places.catalogue())?;
            let mut captures = Vec::with_capacity(ids.len());
            for id in ids {
                let found = rows.captures_of(id)?;
                if found.is_empty() {
                    return Err(no_such_mail(id));
                }
                captures.extend(found.iter().map(|row| row.seq));
            }
            Ok(captures)
        })
        .await
    }
}

/// Counted from 1970.
pub(super) fn today() -> u32 {
    daily::day(clock::now())
}

/// Reads without holding up anything else.
async fn read<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, RoomError> + Send + 'static,
) -> Result<T, RoomError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(io::Error::other(error).into()),
    }
}

const fn no_such_mail(id: QueueId) -> RoomError {
    RoomError::NoSuchMail(id)
}

fn done(text: &str) -> Told {
    Told::Done { text: text.into() }
}

fn failed(error: &RoomError) -> Told {
    Told::Failed { reason: error.to_string().into() }
}

async fn tell(answers: &Answers, told: Told) -> Result<(), Gone> {
    answers.send(told).await.map_err(|_| Gone)
}

#[cfg(test)]
mod tests;
