//! Opening: the lock against a second instance, the format, and what a crash left to take up.
//!
//! Only states are read, so that a hundred thousand mails cost well under a second. Spool files
//! that no record names are looked for in the background.

use std::{
    fs::{self, DirBuilder, File},
    io::{self, Write},
    ops::ControlFlow,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use mailweir_mail::{MailEvent, QueueId, Timestamp};
use rustix::fs::{FlockOperation, flock};

use super::{
    archive::ArchiveIndex,
    registry::{Registry, next_id},
};
use crate::{
    options::{Clock, Engine, Options},
    progress::{Place, Progress, State},
    record::EnvelopeRecord,
    schedule::Schedule,
    spool::{Spool, sync_directory},
    state::{Change, Effects, Terms, apply},
    store::{Batch, FIRST_KEY, SCAN_FAILURES, Space, Storage, StoreError},
};

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
        source: io::Error,
    },
    /// A newer version, or another engine, wrote it.
    #[error("the queue is of the kind `{found}`, this version opens `{expected}`")]
    UnknownFormat {
        /// What was found.
        found: Box<str>,
        /// What can be opened.
        expected: Box<str>,
    },
    /// The store cannot be opened.
    #[error("cannot open the store; `mailweir rescue` saves what is readable")]
    Store(#[from] StoreError),
}

/// The directory of a queue, locked for this process as long as the value lives.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    _lock: File,
}

impl Directory {
    /// Creates the directory if it is missing, for its owner alone since it holds people's mail,
    /// and locks it (`attacks.md` J11).
    pub(crate) fn lock(path: &Path) -> Result<Self, OpenError> {
        create_durably(path).map_err(unusable(path))?;
        let lock_path = path.join("lock");
        let mut lock = File::options();
        let lock = lock.create(true).truncate(false).write(true).mode(0o600).open(&lock_path);
        let lock = lock.map_err(unusable(&lock_path))?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(OpenError::Locked(path.into())),
            Err(error) => Err(unusable(&lock_path)(error.into())),
        }
    }

    /// Refuses a directory that a newer version or another engine wrote (`attacks.md` K7).
    pub(crate) fn check_format(&self, engine: Engine) -> Result<(), OpenError> {
        let path = self.path.join("FORMAT");
        let expected = format!("mailweir-queue {LAYOUT} {}", engine.name());
        match fs::read_to_string(&path) {
            Ok(found) if found.trim_end() == expected => Ok(()),
            Ok(found) => Err(OpenError::UnknownFormat {
                found: found.trim_end().into(),
                expected: expected.into(),
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.write_format(&path, &expected).map_err(unusable(&path))
            }
            Err(error) => Err(unusable(&path)(error)),
        }
    }

    fn write_format(&self, path: &Path, text: &str) -> io::Result<()> {
        let new = self.path.join("FORMAT.new");
        let mut file = File::create(&new)?;
        writeln!(file, "{text}")?;
        file.sync_all()?;
        fs::rename(new, path)?;
        sync_directory(&self.path)
    }

    pub(crate) fn spool(&self) -> Result<Spool, OpenError> {
        Spool::open(&self.path).map_err(unusable(&self.path))
    }

    /// Opens the store. A new one is made beside its place and moved there when it is whole, so
    /// that a crash in the middle leaves nothing that an engine stumbles over.
    pub(crate) fn open_store(&self, engine: Engine) -> Result<Arc<dyn Storage>, OpenError> {
        let place = self.store();
        if !place.try_exists().map_err(unusable(&place))? {
            let new = self.path.join("store.new");
            match fs::remove_dir_all(&new) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(unusable(&new)(error));
                }
                Ok(()) | Err(_) => {}
            }
            DirBuilder::new().mode(0o700).create(&new).map_err(unusable(&new))?;
            drop(engine.open(&new)?);
            fs::rename(&new, &place).map_err(unusable(&place))?;
            sync_directory(&self.path).map_err(unusable(&self.path))?;
        }
        Ok(engine.open(&place)?)
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.path.join("store")
    }
}

/// Creates a directory and those above it for the owner alone, and makes their names durable.
fn create_durably(path: &Path) -> io::Result<()> {
    let missing: Vec<_> = path.ancestors().take_while(|path| !path.exists()).collect();
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    for parent in missing.iter().filter_map(|path| path.parent()) {
        let here = Path::new(".");
        sync_directory(if parent.as_os_str().is_empty() { here } else { parent })?;
    }
    Ok(())
}

fn unusable(path: &Path) -> impl FnOnce(io::Error) -> OpenError {
    let path = path.into();
    move |source| OpenError::Directory { path, source }
}

/// What was found in the store at start.
pub(super) struct Recovered {
    pub(super) registry: Registry,
    /// The mails that had a state, in order.
    pub(super) known: Vec<QueueId>,
    /// What is damaged, and what the restart led to. All of it is durable.
    pub(super) events: Vec<MailEvent>,
}

/// Reads all states, takes up what a crash interrupted, and writes that down.
pub(super) fn recover(
    storage: &dyn Storage,
    options: &Options,
    clock: &dyn Clock,
) -> Result<Recovered, StoreError> {
    let now = clock.now();
    let mut found = Findings::new(now);
    found.registry.due.archive = ArchiveIndex::new(options.archive_patience);
    // New mail needs the rest.
    found.registry.kept.most_bytes = options.handover_cache / 2;
    storage.scan(Space::States, FIRST_KEY, &mut |entry| found.see(entry));
    if let Some(error) = found.gave_up {
        return Err(error);
    }
    let Findings { mut registry, known, interrupted, mut events, .. } = found;
    registry.last_id = next_id(known.last().copied().unwrap_or(NO_MAIL), now);
    let after = take_up(storage, &mut registry, &options.schedule, interrupted, now)?;
    events.extend(after);
    // A stored time that is further away than any back-off comes from a clock that ran ahead.
    registry.due.ready.hasten(now.plus(options.schedule.maximal_backoff_time));
    Ok(Recovered { registry, known, events })
}

/// What the scan of the states has found so far.
struct Findings {
    registry: Registry,
    known: Vec<QueueId>,
    /// Attempts that a crash interrupted, and what is over.
    interrupted: Vec<(QueueId, Progress)>,
    events: Vec<MailEvent>,
    failures: usize,
    /// The rest of the mail is unknown: a queue without it must not be opened.
    gave_up: Option<StoreError>,
}

impl Findings {
    fn new(now: Timestamp) -> Self {
        Self {
            registry: Registry::new(NO_MAIL, now),
            known: Vec::new(),
            interrupted: Vec::new(),
            events: Vec::new(),
            failures: 0,
            gave_up: None,
        }
    }

    fn see(&mut self, entry: Result<(&[u8], &[u8]), StoreError>) -> ControlFlow<()> {
        let (key, value) = match entry {
            Ok(entry) => entry,
            Err(error) => {
                self.failures += 1;
                self.damaged(None, error.to_string());
                if self.failures < SCAN_FAILURES {
                    return ControlFlow::Continue(());
                }
                self.gave_up = Some(error);
                return ControlFlow::Break(());
            }
        };
        match (QueueId::from_key(key), Progress::decode(value)) {
            (None, _) => self.damaged(None, "the key is no queue id".to_owned()),
            (Some(id), Err(error)) => self.damaged(Some(id), error.to_string()),
            (Some(id), Ok(progress)) => self.sound(id, progress),
        }
        ControlFlow::Continue(())
    }

    fn damaged(&mut self, id: Option<QueueId>, reason: String) {
        self.registry.count(None, Some(Place::Corrupt));
        self.known.extend(id);
        // What has no name is told by the name of the mail before it.
        let id = id.or(self.known.last().copied()).unwrap_or(NO_MAIL);
        self.events.push(MailEvent::Corrupt { id, reason: reason.into() });
    }

    fn sound(&mut self, id: QueueId, progress: Progress) {
        self.known.push(id);
        if progress.is_over() || progress.place() == Place::Delivering {
            self.interrupted.push((id, progress));
        } else {
            self.registry.list_found(id, &progress);
        }
    }
}

/// Attempts that a crash interrupted end, and what should have been removed is removed. Gives what
/// is to be told of it.
fn take_up(
    storage: &dyn Storage,
    registry: &mut Registry,
    schedule: &Schedule,
    interrupted: Vec<(QueueId, Progress)>,
    now: Timestamp,
) -> Result<Vec<MailEvent>, StoreError> {
    let mut batch = Batch::default();
    let mut events = Vec::new();
    for (id, progress) in interrupted {
        let progress = match restarted(storage, schedule, id, &progress, now)? {
            Restarted::Same => progress,
            Restarted::Changed(progress, effects) => {
                events.extend(effects.events);
                batch.put(Space::States, id, progress.encode());
                progress
            }
            Restarted::Damaged(reason) => {
                registry.count(None, Some(Place::Corrupt));
                events.push(MailEvent::Corrupt { id, reason });
                continue;
            }
        };
        if progress.is_over() {
            Space::OF_MAIL.into_iter().for_each(|space| batch.delete(space, id));
            continue;
        }
        registry.list_found(id, &progress);
    }
    if !batch.is_empty() {
        storage.commit(batch)?;
    }
    Ok(events)
}

/// What a restart makes of a mail.
enum Restarted {
    Same,
    Changed(Progress, Effects),
    /// The attempt cannot be taken up; nothing is changed.
    Damaged(Box<str>),
}

fn restarted(
    storage: &dyn Storage,
    schedule: &Schedule,
    id: QueueId,
    progress: &Progress,
    now: Timestamp,
) -> Result<Restarted, StoreError> {
    let State::Delivering { .. } = progress.state else { return Ok(Restarted::Same) };
    let Some(record) = storage.get(Space::Envelopes, id.to_key())? else {
        return Ok(Restarted::Damaged("the envelope is missing".into()));
    };
    let record = match EnvelopeRecord::decode(&record) {
        Ok(record) => record,
        Err(error) => return Ok(Restarted::Damaged(error.to_string().into())),
    };
    let terms = Terms { id, envelope: &record.envelope, schedule };
    Ok(match apply(terms, progress, Change::Restart, now) {
        Ok((progress, effects)) => Restarted::Changed(progress, effects),
        Err(error) => Restarted::Damaged(error.to_string().into()),
    })
}

/// Looks for spool files that no record names and sets them aside. Blocks; files of mail that
/// arrived since `first` are not looked at, nor those of `known` mail, which may be delivered and
/// gone meanwhile.
pub(super) fn set_orphans_aside(
    storage: &Arc<dyn Storage>,
    spool: &Spool,
    first: QueueId,
    known: &[QueueId],
) -> io::Result<()> {
    for (id, path) in spool.files()? {
        let is_unnamed = |space| matches!(storage.get(space, id.to_key()), Ok(None));
        let is_old = id < first && known.binary_search(&id).is_err();
        if is_old && is_unnamed(Space::Envelopes) && is_unnamed(Space::States) {
            spool.set_aside(&path)?;
        }
    }
    Ok(())
}

/// Earlier than every mail.
const NO_MAIL: QueueId = QueueId::new(Timestamp::from_micros(0), 0);

/// How the spaces of the store are laid out. Records have formats of their own.
const LAYOUT: u8 = 1;
