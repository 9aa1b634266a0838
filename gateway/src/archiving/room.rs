//! What people do in the archive: search, look, hold, erase. Whatever they do leaves a record, and they see
//! nothing before it is written.

use std::{
    io,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use mailweir_archive::{
    OpenError, Places, ReadError, Reader,
    catalogue::{Row, Rows},
    entry::{Access, AccessDeed, Erasure, LegalHold, Lifted, SummaryError},
    frame::{Kind, Seq},
    retention::{self, Over},
};
use mailweir_mail::QueueId;
use mailweir_search::index::{Count, Page};
use tokio::sync::mpsc;

pub(crate) use super::reading::Payload;
use super::{
    Archiver, NotNow,
    indexing::{FindError, Finder, Sight, search_files},
    reading::{Reading, status},
    shelf::{Fate, Shelf, ShelfError},
    sight,
    words::{Ask, Found, HeldCase, Hold, Line, Search, Shown, Told},
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
    /// The server that runs.
    Running(Arc<Archiver>),
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
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Summary(#[from] SummaryError),
    #[error(transparent)]
    Find(#[from] FindError),
    #[error("{0}: the archive has no such mail")]
    NoSuchMail(QueueId),
    #[error("{0}")]
    Refused(Box<str>),
}

/// Whoever asked has gone.
#[derive(Debug)]
pub(crate) struct Gone;

type Answers = mpsc::Sender<Told>;

impl Room {
    /// That of a server that runs.
    pub(crate) fn of_server(archiver: Arc<Archiver>, finder: Option<Finder>) -> Self {
        let places = Places::new(&archiver.settings.directory);
        let reader = archiver.settings.reader();
        Self { keeper: Keeper::Running(archiver), places, reader, finder }
    }

    /// That of an archive that no server writes.
    ///
    /// # Errors
    /// It cannot be opened, or somebody writes it.
    pub(crate) fn of_files(settings: &config::Archive) -> Result<Self, OpenError> {
        let (shelf, _) = Shelf::open(settings, clock::now())?;
        let places = Places::new(&settings.directory);
        let reader = shelf.reader().clone();
        let keeper = Keeper::Resting(Arc::new(Mutex::new(shelf)));
        Ok(Self { keeper, places, reader, finder: None })
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
            Ask::Holds => return self.holds(answers).await,
            Ask::Hold(hold) => self.hold(visitor, hold).await,
            Ask::Lift { case, reason } => self.lift(visitor, case, reason).await,
            Ask::Erase { ids, reason } => {
                return self.erase(visitor, &ids, &reason, answers).await;
            }
            Ask::Purge { dry_run } => return self.purge(today(), dry_run, answers).await,
        };
        tell(answers, done.unwrap_or_else(|error| failed(&error))).await
    }

    /// Does something with the archive, as the one who writes it.
    pub(super) async fn with<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Shelf) -> T + Send + 'static,
    ) -> Result<T, RoomError> {
        match &self.keeper {
            Keeper::Running(archiver) => Ok(archiver.with(job).await?),
            Keeper::Resting(shelf) => {
                let shelf = Arc::clone(shelf);
                read(move || Ok(job(&mut shelf.lock().unwrap_or_else(PoisonError::into_inner))))
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

    /// Reads without holding up anything else.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Reading) -> Result<T, RoomError> + Send + 'static,
    ) -> Result<T, RoomError> {
        let (places, reader) = (self.places.clone(), self.reader.clone());
        read(move || work(&Reading::new(places, reader)?)).await
    }

    async fn tell_found(
        &self,
        visitor: &Visitor,
        search: Search,
        answers: &Answers,
    ) -> Result<(), Gone> {
        match self.search(visitor, search).await {
            Ok((mails, found)) => {
                for mail in mails {
                    tell(answers, Told::Mail(Box::new(mail))).await?;
                }
                tell(answers, Told::Found(found)).await
            }
            Err(error) => tell(answers, failed(&error)).await,
        }
    }

    /// Finds mails that somebody may see.
    ///
    /// # Errors
    /// [`RoomError`]; of [`RoomError::Find`] the sentence is for who asked.
    pub(crate) async fn search(
        &self,
        visitor: &Visitor,
        search: Search,
    ) -> Result<(Vec<Line>, Found), RoomError> {
        let (query, sight) = (search.query.clone(), visitor.sight.clone());
        let (seqs, found) = self.find(search, &sight).await?;
        let holds = self.with(|shelf| shelf.holds().cloned()).await?.unwrap_or_default();
        let mails = self.read(move |reading| reading.lines(&seqs, &sight, &holds)).await?;
        let deed = AccessDeed::Searched { query, found: found.count };
        self.note(visitor, deed, None).await?;
        Ok((mails, found))
    }

    async fn find(&self, search: Search, sight: &Sight) -> Result<(Vec<Seq>, Found), RoomError> {
        let Search { query, before, limit, utc_offset } = search;
        status::check(&query)?;
        let count_to = MOST_COUNTED.max(limit as u64);
        let page = Page { size: limit, before, count_to, utc_offset };
        let reading = Reading::new(self.places.clone(), self.reader.clone())?;
        let keep = move |seq, wanted: &[_]| reading.has_status(seq, wanted);
        let (found, behind) = match &self.finder {
            Some(finder) => {
                let found = finder.search(&query, sight.clone(), page, keep).await?;
                (found, finder.lag().behind)
            }
            None => {
                let (directory, sight) = (self.places.directory().to_owned(), sight.clone());
                let found =
                    read(move || Ok(search_files(&directory, &query, &sight, &page, &keep)?));
                (found.await?, 0)
            }
        };
        let (count, or_more) = match found.count {
            Count::Exactly(count) => (count, false),
            Count::MoreThan(count) => (count, true),
        };
        Ok((found.seqs, Found { count, or_more, next: found.next, behind }))
    }

    /// All that the archive has of a mail, as far as somebody may see it.
    ///
    /// # Errors
    /// There is none that they may see, it cannot be read, or that they look cannot be written down.
    pub(crate) async fn show(&self, visitor: &Visitor, id: QueueId) -> Result<Shown, RoomError> {
        let holds = self.with(|shelf| shelf.holds().cloned()).await?.unwrap_or_default();
        let sight = visitor.sight.clone();
        let found = self.read(move |reading| reading.gather(id, &sight, &holds)).await?;
        let (row, shown) = found.ok_or_else(|| no_such_mail(id))?;
        let hidden = sight::shows_hidden(&visitor.sight);
        self.note(visitor, AccessDeed::Viewed { hidden }, Some(row)).await?;
        Ok(shown)
    }

    /// The size and the content of a mail that somebody may see.
    ///
    /// # Errors
    /// As those of [`Self::show`].
    pub(crate) async fn content(
        &self,
        visitor: &Visitor,
        id: QueueId,
    ) -> Result<(u64, Payload), RoomError> {
        let sight = visitor.sight.clone();
        let opened = self.read(move |reading| reading.open(id, &sight)).await?;
        let (row, size, payload) = opened.ok_or_else(|| no_such_mail(id))?;
        let deed = AccessDeed::Exported { form: "eml".into(), mails: 1 };
        self.note(visitor, deed, Some(row)).await?;
        Ok((size, payload))
    }

    async fn holds(&self, answers: &Answers) -> Result<(), Gone> {
        let holds = match self.with(|shelf| shelf.holds().cloned()).await {
            Ok(Ok(holds)) => holds,
            Ok(Err(error)) => return tell(answers, failed(&RoomError::Refused(error))).await,
            Err(error) => return tell(answers, failed(&error)).await,
        };
        for (case, hold) in holds.cases() {
            let held = HeldCase {
                case: case.into(),
                since: hold.since,
                by: hold.by.clone(),
                reason: hold.reason.clone(),
                mails: hold.mails.len(),
                people: hold.people.iter().cloned().collect(),
            };
            tell(answers, Told::Hold(held)).await?;
        }
        Ok(())
    }

    async fn hold(&self, visitor: &Visitor, asked: Hold) -> Result<Told, RoomError> {
        let Hold { case, reason, ids, query, people } = asked;
        let mut mails = self.captures(ids).await?;
        if let Some(query) = query {
            mails.extend(self.find_all(query, &visitor.sight).await?);
        }
        if mails.is_empty() && people.is_empty() {
            return Err(RoomError::Refused("it means no mail and nobody".into()));
        }
        let (number, persons) = (mails.len(), people.len());
        let hold = LegalHold { case: case.clone(), by: visitor.by.clone(), reason, mails, people };
        self.with(move |shelf| shelf.hold(hold, clock::now())).await??;
        let text = format!("{case}: {number} mails and all mail of {persons} people are held");
        Ok(Told::Done { text: text.into() })
    }

    async fn lift(
        &self,
        visitor: &Visitor,
        case: Box<str>,
        reason: Box<str>,
    ) -> Result<Told, RoomError> {
        let lifted = Lifted { case: case.clone(), by: visitor.by.clone(), reason };
        let done = self.with(move |shelf| {
            if !shelf
                .holds()
                .map_err(RoomError::Refused)?
                .cases()
                .any(|(name, _)| *name == *lifted.case)
            {
                return Err(RoomError::Refused(
                    format!("there is no legal hold {}", lifted.case).into(),
                ));
            }
            Ok(shelf.lift(&lifted, clock::now())?)
        });
        done.await??;
        Ok(Told::Done { text: format!("{case}: the legal hold has ended").into() })
    }

    /// Waits until the index has what is archived now, and not for long.
    async fn wait_for_index(&self) -> Result<(), RoomError> {
        let Some(finder) = &self.finder else { return Ok(()) };
        let wanted = finder.last();
        let reached = async {
            while finder.last().saturating_sub(finder.lag().behind) < wanted {
                tokio::time::sleep(LOOK).await;
            }
        };
        let behind = tokio::time::timeout(PATIENCE, reached).await;
        behind.map_err(|_| {
            let behind = finder.lag().behind;
            let reason = format!("{behind} records are not in the index yet: try again later");
            RoomError::Refused(reason.into())
        })
    }

    /// All mails that are found.
    async fn find_all(&self, query: Box<str>, sight: &Sight) -> Result<Vec<Seq>, RoomError> {
        self.wait_for_index().await?;
        let (mut all, mut before) = (Vec::new(), None);
        loop {
            let search = Search { query: query.clone(), before, limit: PAGE, utc_offset: 0 };
            let (seqs, found) = self.find(search, sight).await?;
            all.extend(seqs);
            before = found.next;
            if before.is_none() {
                return Ok(all);
            }
        }
    }

    /// The captures of mails.
    async fn captures(&self, ids: Vec<QueueId>) -> Result<Vec<Seq>, RoomError> {
        let places = self.places.clone();
        read(move || {
            let rows = Rows::open(&places.catalogue())?;
            ids.into_iter().map(|id| capture(&rows, id).map(|row| row.seq)).collect()
        })
        .await
    }

    async fn erase(
        &self,
        visitor: &Visitor,
        ids: &[QueueId],
        reason: &str,
        answers: &Answers,
    ) -> Result<(), Gone> {
        for id in ids {
            let told = match self.erase_one(visitor, *id, reason).await {
                Ok(Fate::Erased(record)) => Told::Erased { id: *id, record: Some(record) },
                Ok(Fate::Kept(why)) => Told::Kept { id: Some(*id), why },
                Err(error) => Told::Kept { id: Some(*id), why: error.to_string().into() },
            };
            tell(answers, told).await?;
        }
        Ok(())
    }

    async fn erase_one(
        &self,
        visitor: &Visitor,
        id: QueueId,
        reason: &str,
    ) -> Result<Fate, RoomError> {
        let captures = self.captures(vec![id]).await?;
        let (why, by) = (Erasure::Requested { reason: reason.into() }, visitor.by.clone());
        let fates = self.with(move |shelf| shelf.erase(&captures, &why, Some(&by), clock::now()));
        fates.await??.pop().ok_or_else(|| no_such_mail(id))
    }

    /// Erases what has been kept for long enough on a day, counted from 1970: in groups, so that new mail need
    /// not wait.
    pub(crate) async fn purge(
        &self,
        today: u32,
        dry_run: bool,
        answers: &Answers,
    ) -> Result<(), Gone> {
        let (mut after, mut erased, mut kept) = (0, 0_u64, 0_u64);
        loop {
            let group = match self.over(after, today).await {
                Ok(group) => group,
                Err(error) => return tell(answers, failed(&error)).await,
            };
            let Some(last) = group.last() else { break };
            after = seq(last);
            for told in self.purge_group(group, dry_run).await {
                match &told {
                    Told::Erased { .. } => erased += 1,
                    _ => kept += 1,
                }
                tell(answers, told).await?;
            }
        }
        let word = if dry_run { "would be" } else { "are" };
        let text =
            format!("{erased} mails {word} erased, {kept} are kept though their time is over");
        tell(answers, Told::Done { text: text.into() }).await
    }

    /// Some of the mails whose time is over, behind a number.
    async fn over(&self, after: Seq, today: u32) -> Result<Vec<Over>, RoomError> {
        let holds = self.with(|shelf| shelf.holds().cloned()).await?.map_err(RoomError::Refused)?;
        let (places, reader) = (self.places.clone(), self.reader.clone());
        read(move || {
            let rows = Rows::open(&places.catalogue())?;
            let over = retention::over(&rows, &reader, &holds, after + 1, today);
            over.take(GROUP).map(|over| over.map_err(RoomError::Io)).collect()
        })
        .await
    }

    async fn purge_group(&self, group: Vec<Over>, dry_run: bool) -> Vec<Told> {
        let mut told = Vec::with_capacity(group.len());
        let mut free = Vec::new();
        for over in group {
            match over {
                Over::Free(mail) => {
                    free.extend(mail.capture.queue_id().map(|id| (id, mail.capture.seq)))
                }
                Over::Held { id, cases, .. } => {
                    let why = format!("legal hold {}", cases.join(", ")).into();
                    told.push(Told::Kept { id, why });
                }
                Over::Unreadable { id, why, .. } => told.push(Told::Kept { id, why }),
            }
        }
        if dry_run {
            told.extend(free.iter().map(|(id, _)| Told::Erased { id: *id, record: None }));
            return told;
        }
        let seqs: Vec<_> = free.iter().map(|(_, seq)| *seq).collect();
        let fates = self
            .with(move |shelf| shelf.erase(&seqs, &Erasure::Expired, None, clock::now()))
            .await
            .and_then(|fates| Ok(fates?));
        match fates {
            Ok(fates) => told.extend(free.iter().zip(fates).map(|((id, _), fate)| match fate {
                Fate::Erased(record) => Told::Erased { id: *id, record: Some(record) },
                Fate::Kept(why) => Told::Kept { id: Some(*id), why },
            })),
            Err(error) => told.extend(
                free.iter()
                    .map(|(id, _)| Told::Kept { id: Some(*id), why: error.to_string().into() }),
            ),
        }
        told
    }
}

const fn seq(over: &Over) -> Seq {
    match over {
        Over::Free(mail) => mail.capture.seq,
        Over::Held { seq, .. } | Over::Unreadable { seq, .. } => *seq,
    }
}

/// Counted from 1970.
pub(super) fn today() -> u32 {
    u32::try_from(clock::now().as_secs() / DAY).unwrap_or(u32::MAX)
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

fn capture(rows: &Rows, id: QueueId) -> Result<Row, RoomError> {
    let row = rows.of_mail(id)?.filter(|row| row.kind == Kind::Capture);
    row.ok_or_else(|| no_such_mail(id))
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

/// How long the index is waited for, where no mail may be missed.
const PATIENCE: Duration = Duration::from_secs(10);

const LOOK: Duration = Duration::from_millis(50);

/// Mails that are asked for at once.
const PAGE: usize = 1_000;

/// How far found mails are counted.
const MOST_COUNTED: u64 = 1_000;

/// Mails that are erased together.
const GROUP: usize = 256;

const DAY: u64 = 86_400;
