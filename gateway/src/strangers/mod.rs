//! What is remembered of strangers from one session to the next, for what is asked before their content is taken.
//!
//! All of it is bounded. The greylist survives a restart, all else is forgotten. Nothing is decided here.

mod file;
mod greeted;
mod rates;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    net::IpAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use mailweir_mail::{SessionEvent, Timestamp};
use mailweir_spam::greylist::{Answer, Greylist, Key, Snapshot, Table};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

pub(crate) use self::rates::{Excess, Rate};
use self::{greeted::Greeted, rates::Rates};
use crate::{clock, config::BeforeData, observe::Observer, whole_file};

/// What is remembered of strangers.
#[derive(Debug)]
pub(crate) struct Strangers {
    greylist: Mutex<Remembered>,
    greeted: Mutex<Greeted>,
    rates: Mutex<Rates>,
    /// When the log has heard that a list does not tell. There are no more of them than were ever written.
    told: Mutex<HashMap<Box<str>, Instant>>,
    observer: Observer,
}

/// The greylist, and where it is kept.
#[derive(Debug, Default)]
struct Remembered {
    /// Absent as long as no mail of strangers is looked at: then everybody passes, and nobody is known.
    list: Option<Greylist>,
    /// Absent: nowhere.
    file: Option<PathBuf>,
    has_changed: bool,
}

impl Strangers {
    /// Nobody is known, and nobody has to come again until [`Self::change`].
    pub(crate) fn new(observer: Observer) -> Self {
        Self {
            greylist: Mutex::default(),
            greeted: Mutex::default(),
            rates: Mutex::new(Rates::new(clock::monotonic())),
            told: Mutex::default(),
            observer,
        }
    }

    /// Goes by other rules from now on. What is remembered in `directory` is read when it is needed first, which blocks.
    pub(crate) fn change(&self, rules: Option<&BeforeData>, directory: &Path) {
        let Some(rules) = rules else { return };
        // Our own people's correspondents are remembered even where nobody is greylisted.
        let settings = rules.greylisting.map(|it| it.settings).unwrap_or_default();
        let mut remembered = lock(&self.greylist);
        if let Some(list) = &mut remembered.list {
            return list.change(settings);
        }
        let opened = file::open(directory, settings, &|text| self.warn(text));
        let (list, file) = opened;
        *remembered = Remembered { list: Some(list), file, has_changed: false };
    }

    /// Whether a mail may pass the greylist.
    pub(crate) fn ask(&self, key: &Key<'_>, now: Timestamp) -> Answer {
        let mut remembered = lock(&self.greylist);
        let Some(list) = &mut remembered.list else { return Answer::Pass { after: None } };
        let answer = list.ask(key, now);
        remembered.has_changed = true;
        answer
    }

    /// One of our own people, `by`, has written to these addresses.
    pub(crate) fn note_correspondents<'a>(
        &self,
        addresses: impl IntoIterator<Item = &'a str>,
        by: &str,
        now: Timestamp,
    ) {
        let mut remembered = lock(&self.greylist);
        let Remembered { list: Some(list), has_changed, .. } = &mut *remembered else { return };
        for address in addresses {
            list.note_correspondent(address, by, now);
            *has_changed = true;
        }
    }

    /// Whether one of our own people has written to this address.
    pub(crate) fn is_correspondent(&self, address: &str, now: Timestamp) -> bool {
        let remembered = lock(&self.greylist);
        remembered.list.as_ref().is_some_and(|list| list.is_correspondent(address, now))
    }

    /// Whether a client has waited for a greeting lately.
    pub(crate) fn has_waited(&self, client: IpAddr) -> bool {
        lock(&self.greeted).has(client, clock::monotonic())
    }

    /// A client has waited for its greeting.
    pub(crate) fn note_patience(&self, client: IpAddr) {
        lock(&self.greeted).note(client, clock::monotonic());
    }

    /// Whether a mail stays within these rates. Counts nothing.
    ///
    /// # Errors
    /// The rate that it exceeds.
    pub(crate) fn check(&self, rates: &[Rate]) -> Result<(), Excess> {
        lock(&self.rates).check(rates, clock::monotonic())
    }

    /// Counts a mail.
    ///
    /// # Errors
    /// The rate that it exceeds. Nothing is counted then.
    pub(crate) fn count(&self, rates: &[Rate]) -> Result<(), Excess> {
        lock(&self.rates).count(rates, clock::monotonic())
    }

    /// A list does not tell. Whether that is news to the log.
    pub(crate) fn is_news(&self, zone: &str) -> bool {
        let (mut told, now) = (lock(&self.told), clock::monotonic());
        let is_old = |at: &Instant| now.saturating_duration_since(*at) >= BETWEEN_WARNINGS;
        let is_news = told.get(zone).is_none_or(is_old);
        if is_news {
            told.insert(zone.into(), now);
        }
        is_news
    }

    /// Keeps the file current until the end, and once more then.
    pub(crate) async fn keep(self: Arc<Self>, end: CancellationToken) {
        loop {
            let has_ended = timeout(BETWEEN_WRITES, end.cancelled()).await.is_ok();
            let this = Arc::clone(&self);
            if let Err(error) = tokio::task::spawn_blocking(move || this.write(clock::now())).await
            {
                self.warn(format!("the greylist is not written: {error}"));
            }
            if has_ended {
                return;
            }
        }
    }

    /// Writes what has changed since it was last written. Blocks.
    fn write(&self, now: Timestamp) {
        let Some((path, snapshot)) = self.take_changed(now) else { return };
        if let Err(error) = whole_file::write(&path, &snapshot.into_bytes()) {
            lock(&self.greylist).has_changed = true;
            self.warn(format!("{}: not written: {error}", path.display()));
        }
    }

    /// What is to be stored, if it has changed. Whoever asks the greylist meanwhile waits for one step at most.
    fn take_changed(&self, now: Timestamp) -> Option<(PathBuf, Snapshot)> {
        let (path, mut snapshot) = {
            let mut remembered = lock(&self.greylist);
            let Remembered { list: Some(list), file: Some(path), has_changed } = &mut *remembered
            else {
                return None;
            };
            if !std::mem::take(has_changed) {
                return None;
            }
            (path.clone(), list.begin_snapshot())
        };
        while !lock(&self.greylist).list.as_mut()?.expire(now, STEP) {}
        for table in Table::ALL {
            snapshot.copy(table, lock(&self.greylist).list.as_ref()?);
        }
        Some((path, snapshot))
    }

    fn warn(&self, text: String) {
        self.observer.session(&SessionEvent::Warning { part: "greylist", text: text.into() });
    }
}

/// What the locks guard is changed by single calls, so a panic elsewhere leaves it sound.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// As much of the last triples a crash may cost: their senders wait once more.
const BETWEEN_WRITES: Duration = Duration::from_secs(300);

/// A list that fails in between fails for the same reason.
const BETWEEN_WARNINGS: Duration = Duration::from_secs(3_600);

/// Entries that expire while nobody can ask: less than a millisecond.
const STEP: usize = 500;
