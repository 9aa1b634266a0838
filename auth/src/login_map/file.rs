//! A [`LoginMap`] in a file, which is read again when it has changed.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{task::spawn_blocking, time::Instant};

use super::{LoginMap, MapProblem};
use crate::store::file::{self, Stamp};

/// A file of sender addresses and their owners.
///
/// The file is looked at when somebody asks, at most once a second, and read again when it has
/// changed. While it cannot be read, what it said last stays in force: a file that is about to be
/// replaced must neither let everybody use every address nor keep all mail out.
pub struct LoginMapFile {
    path: PathBuf,
    tell: Box<dyn Fn(String) + Send + Sync>,
    known: Mutex<Known>,
}

struct Known {
    map: Arc<LoginMap>,
    stamp: Option<Stamp>,
    looked: Instant,
    /// Whether it was said that the file cannot be read.
    told: bool,
}

impl LoginMapFile {
    /// Reads the file. `tell` hears of lines with mistakes, and of a file that cannot be read
    /// later on. Blocks.
    ///
    /// # Errors
    /// The file cannot be read, or is larger than 64 MiB.
    pub fn open(
        path: impl Into<PathBuf>,
        tell: impl Fn(String) + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let path = path.into();
        let (map, problems, stamp) = read(&path)?;
        let known = Known { map: Arc::new(map), stamp, looked: Instant::now(), told: false };
        let opened = Self { path, tell: Box::new(tell), known: Mutex::new(known) };
        opened.tell_all(&problems);
        Ok(opened)
    }

    /// What the file says, as of at most a second ago.
    pub async fn current(&self) -> Arc<LoginMap> {
        let (map, stamp) = {
            let mut known = self.lock();
            let now = Instant::now();
            if now < known.looked + LOOK_EVERY {
                return Arc::clone(&known.map);
            }
            // One session looks; those that come meanwhile go on with what is known.
            known.looked = now;
            (Arc::clone(&known.map), known.stamp)
        };
        let path = self.path.clone();
        let found = spawn_blocking(move || match file::stamp(&path)? {
            same if same == stamp && same.is_some() => Ok(None),
            _ => read(&path).map(Some),
        });
        match found.await.unwrap_or_else(|error| Err(io::Error::other(error))) {
            Ok(None) => map,
            Ok(Some((map, problems, stamp))) => self.adopt(map, &problems, stamp),
            Err(error) => {
                self.tell_once(&error);
                map
            }
        }
    }

    fn adopt(&self, map: LoginMap, problems: &[MapProblem], stamp: Option<Stamp>) -> Arc<LoginMap> {
        self.tell_all(problems);
        let map = Arc::new(map);
        let mut known = self.lock();
        (known.map, known.stamp, known.told) = (Arc::clone(&map), stamp, false);
        map
    }

    fn tell_all(&self, problems: &[MapProblem]) {
        let path = self.path.display();
        for problem in problems.iter().take(MOST_TOLD) {
            (self.tell)(format!("{path}: {problem}"));
        }
        if let more @ 1.. = problems.len().saturating_sub(MOST_TOLD) {
            (self.tell)(format!("{path}: {more} more lines have mistakes"));
        }
    }

    fn tell_once(&self, error: &io::Error) {
        let told = std::mem::replace(&mut self.lock().told, true);
        if !told {
            let path = self.path.display();
            (self.tell)(format!(
                "{path} cannot be read, what it said last stays in force: {error}"
            ));
        }
    }

    /// What the lock guards is replaced as a whole, so a panic elsewhere leaves it sound.
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for LoginMapFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LoginMapFile").field("path", &self.path).finish_non_exhaustive()
    }
}

fn read(path: &Path) -> io::Result<(LoginMap, Vec<MapProblem>, Option<Stamp>)> {
    let (text, stamp) = file::read(path)?;
    if stamp.is_none() {
        return Err(io::ErrorKind::NotFound.into());
    }
    let (map, problems) = LoginMap::parse(&text);
    Ok((map, problems, stamp))
}

const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Of a file that is no table at all, not every line is named.
const MOST_TOLD: usize = 20;
