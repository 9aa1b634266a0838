//! Where the issuer's keys come from, and the ones that are known.

use std::{
    fmt,
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use tokio::{
    sync,
    task::{JoinHandle, spawn_blocking},
};

use crate::{
    DirectoryError,
    backends::oauth::{
        JwksSource, OAuthError,
        fetch::{Fetched, Fetcher, MAX_BODY},
        keys::KeySet,
        schedule::Schedule,
    },
    lock::lock,
    store::file::{self, Stamp},
};

/// What a session looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// The keys that are known, unless they are old.
    Any,
    /// A key that is not among them.
    New,
}

/// A place with keys.
pub(super) enum Source {
    File(KeyFile),
    Url(Arc<KeyPlace>),
}

/// Keys in a file. What cannot be read is temporary, until it can.
pub(super) struct KeyFile {
    path: PathBuf,
    known: Mutex<KnownFile>,
}

/// Keys at the issuer's. Those that are known stay until there are others.
pub(super) struct KeyPlace {
    fetcher: Fetcher,
    known: Mutex<KnownPlace>,
    /// Held by the one who asks; the others wait here.
    asking: Arc<sync::Mutex<()>>,
}

struct KnownFile {
    keys: Arc<KeySet>,
    stamp: Option<Stamp>,
    looked: Option<Instant>,
}

#[derive(Default)]
struct KnownPlace {
    keys: Option<Arc<KeySet>>,
    schedule: Schedule,
    problem: Option<Box<str>>,
}

impl Source {
    pub(super) fn open(source: &JwksSource, ca_file: Option<&Path>) -> Result<Self, OAuthError> {
        Ok(match source {
            JwksSource::File(path) => Self::File(KeyFile::open(path)?),
            JwksSource::Url(url) => Self::Url(Arc::new(KeyPlace {
                fetcher: Fetcher::new(url.clone(), ca_file)?,
                known: Mutex::default(),
                asking: Arc::default(),
            })),
        })
    }

    /// The keys as of `now`, from wherever they are.
    pub(super) async fn keys(
        &self,
        wanted: Wanted,
        now: Instant,
    ) -> Result<Arc<KeySet>, DirectoryError> {
        match self {
            // What is known of a file is at most a second old, whatever is wanted of it.
            Self::File(file) => file.keys(now).await,
            Self::Url(place) => place.keys(wanted, now).await,
        }
    }

    /// Why the keys could not be renewed when that was last tried.
    pub(super) fn problem(&self) -> Option<Box<str>> {
        match self {
            Self::File(_) => None,
            Self::Url(place) => lock(&place.known).problem.clone(),
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => f.debug_tuple("File").field(&file.path).finish(),
            Self::Url(_) => f.write_str("Url(..)"),
        }
    }
}

impl KeyFile {
    fn open(path: &Path) -> Result<Self, OAuthError> {
        let failed = |reason| OAuthError::Jwks { path: path.to_owned(), reason };
        let (keys, stamp) = read(path).map_err(failed)?;
        let known = Mutex::new(KnownFile { keys: Arc::new(keys), stamp, looked: None });
        Ok(Self { path: path.to_owned(), known })
    }

    async fn keys(&self, now: Instant) -> Result<Arc<KeySet>, DirectoryError> {
        let (keys, stamp) = {
            let mut known = lock(&self.known);
            let fresh = |then| now.saturating_duration_since(then) < LOOK_EVERY;
            if known.looked.is_some_and(fresh) {
                return Ok(Arc::clone(&known.keys));
            }
            known.looked = Some(now);
            (Arc::clone(&known.keys), known.stamp)
        };
        let path = self.path.clone();
        let look = move || match file::stamp(&path) {
            Ok(found) if found.is_some() && found == stamp => Ok(None),
            Ok(_) => read(&path).map(Some),
            Err(error) => Err(error.to_string().into()),
        };
        let found = spawn_blocking(look).await.unwrap_or_else(|e| Err(e.to_string().into()));
        match found {
            Ok(None) => Ok(keys),
            Ok(Some((keys, stamp))) => {
                let keys = Arc::new(keys);
                let mut known = lock(&self.known);
                (known.keys, known.stamp) = (Arc::clone(&keys), stamp);
                Ok(keys)
            }
            Err(reason) => Err(self.failed(&reason)),
        }
    }

    /// The next session looks again, not the one in a second.
    fn failed(&self, reason: &str) -> DirectoryError {
        lock(&self.known).looked = None;
        let error = OAuthError::Jwks { path: self.path.clone(), reason: reason.into() };
        DirectoryError::Unavailable(error.to_string().into())
    }
}

impl KeyPlace {
    async fn keys(
        self: &Arc<Self>,
        wanted: Wanted,
        now: Instant,
    ) -> Result<Arc<KeySet>, DirectoryError> {
        let (schedule, has_keys, is_failing) = {
            let known = lock(&self.known);
            (known.schedule, known.keys.is_some(), known.problem.is_some())
        };
        if schedule.is_wanting(wanted, now) {
            match wanted {
                Wanted::Any if !schedule.is_outdated(now) => self.renew(now),
                // The last renewal was waited for, in vain.
                Wanted::Any if has_keys && is_failing => self.renew(now),
                Wanted::Any | Wanted::New => self.ask(wanted, now).await,
            }
        }
        let known = lock(&self.known);
        match (&known.keys, &known.problem) {
            (Some(keys), _) => Ok(Arc::clone(keys)),
            (None, Some(problem)) => Err(DirectoryError::Unavailable(problem.clone())),
            (None, None) => {
                Err(DirectoryError::Unavailable("the issuer's keys are not known yet".into()))
            }
        }
    }

    /// One asks, if it is time to; the others wait for the answer. It comes whether or not the one who asked stays:
    /// sessions that hang up can neither make us ask more often nor keep us from the keys.
    async fn ask(self: &Arc<Self>, wanted: Wanted, now: Instant) {
        let only = Arc::clone(&self.asking).lock_owned().await;
        if let Some(asked) = self.begin(only, wanted, now) {
            // It ends by itself; if it panicked, the keys are as they were.
            let _ = asked.await;
        }
    }

    /// Asks, if it is time to and nobody does so already; nobody waits for the answer.
    fn renew(self: &Arc<Self>, now: Instant) {
        if let Ok(only) = Arc::clone(&self.asking).try_lock_owned() {
            self.begin(only, Wanted::Any, now);
        }
    }

    fn begin(
        self: &Arc<Self>,
        only: sync::OwnedMutexGuard<()>,
        wanted: Wanted,
        now: Instant,
    ) -> Option<JoinHandle<()>> {
        {
            let mut known = lock(&self.known);
            if !known.schedule.is_due(wanted, now) {
                return None;
            }
            known.schedule.begin(now);
        }
        let this = Arc::clone(self);
        Some(tokio::spawn(async move {
            let fetched = this.fetcher.fetch().await;
            this.adopt(fetched, now);
            drop(only);
        }))
    }

    fn adopt(&self, fetched: Result<Fetched, Box<str>>, now: Instant) {
        let mut known = lock(&self.known);
        match fetched {
            Ok((keys, max_age)) => {
                known.schedule.succeed(now, max_age);
                (known.keys, known.problem) = (Some(Arc::new(keys)), None);
            }
            Err(problem) => known.problem = Some(problem),
        }
    }
}

/// The keys in a file.
fn read(path: &Path) -> Result<(KeySet, Option<Stamp>), Box<str>> {
    let read = || {
        // The stamp comes first: a change while we read is then seen as a change later.
        let stamp = file::stamp(path)?;
        let mut text = Vec::new();
        let limit = u64::try_from(MAX_BODY).unwrap_or(u64::MAX);
        File::open(path)?.take(limit).read_to_end(&mut text)?;
        Ok((text, stamp))
    };
    let (text, stamp) = read().map_err(|error: std::io::Error| error.to_string())?;
    Ok((KeySet::read(&text).map_err(|error| error.to_string())?, stamp))
}

const LOOK_EVERY: Duration = Duration::from_secs(1);
