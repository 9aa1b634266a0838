//! Searching the archive, for whoever may: pages, the API, the command line.

use std::{
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwapOption;
use mailweir_archive::frame::Seq;
use mailweir_search::{
    index::{Found, Index, Opened, Page, Scope, SearchError, Searcher},
    query::{Query, QueryError, Status},
};
use tokio::sync::{Notify, Semaphore, watch};

use super::directories::Directories;

/// Finds mail. Cheap to clone.
#[derive(Clone)]
pub struct Finder {
    served: Arc<Served>,
    /// One for each search that may run now.
    permits: Arc<Semaphore>,
}

/// What those who fill the index and those who search it share.
pub(super) struct Served {
    searcher: ArcSwapOption<Searcher>,
    /// Seen as a whole: of an index that was made nobody hears that it is still being made.
    stand: Mutex<Stand>,
    /// The last record of the archive; `None`: that is not known yet.
    written: watch::Receiver<Option<Seq>>,
    /// How often another index was wished for.
    wishes: watch::Sender<u64>,
    /// How many wait until it is further.
    awaiting: AtomicUsize,
    /// Called when another index has taken its place.
    moved: Notify,
}

/// How the index stands.
#[derive(Clone, Copy, Debug, Default)]
struct Stand {
    /// The last record that the index knows which is searched.
    reached: Seq,
    /// The last record that another one knows which is being made; `None`: none is.
    making: Option<Seq>,
    /// How many were made and have taken their place.
    made: u64,
    /// Nobody fills it any more.
    is_over: bool,
}

/// Whose eyes the archive is searched with; see [`Scope`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sight {
    /// Every mail, and recipients in Bcc.
    WithBcc,
    /// Mail of these addresses and log-ins.
    Own(Vec<String>),
}

/// Somebody waits for the index: it does not rest meanwhile.
#[must_use]
pub(crate) struct Awaiting(Arc<Served>);

impl Drop for Awaiting {
    fn drop(&mut self) {
        self.0.awaiting.fetch_sub(1, Ordering::AcqRel);
    }
}

/// How far the index is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lag {
    /// Records of the archive that searches do not see yet.
    pub behind: Seq,
    /// Records that another index has which is being made, and that it is to have.
    pub making: Option<(Seq, Seq)>,
}

/// A search has no answer. Sentences are for who asked.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// The question makes no sense.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// It is not allowed, or too broad.
    #[error("{0}")]
    Refused(SearchError),
    /// There is no index yet.
    #[error("The index of the archive is being made. Try again later.")]
    NotYet,
    /// There is none, and nobody makes one.
    #[error("The archive has no index; mailweir archive reindex makes one.")]
    Absent,
    /// Others search.
    #[error("Too many searches run at once. Try again in a moment.")]
    Busy,
    /// The index is damaged. Another one is made.
    #[error("The index of the archive is damaged and is made anew. Try again later.")]
    Damaged,
}

impl Finder {
    /// Also gives what is told to whoever fills the index.
    pub(super) fn new(written: watch::Receiver<Option<Seq>>) -> (Self, Arc<Served>) {
        let served = Arc::new(Served {
            searcher: ArcSwapOption::empty(),
            stand: Mutex::default(),
            written,
            wishes: watch::Sender::new(0),
            awaiting: AtomicUsize::new(0),
            moved: Notify::new(),
        });
        let permits = Arc::new(Semaphore::new(AT_ONCE));
        (Self { served: Arc::clone(&served), permits }, served)
    }

    /// Finds what `text` asks for and `sight` allows, of what `keep` keeps: it hears the number of a mail, and which
    /// states were asked for. A search that nobody waits for any more goes on to its end.
    ///
    /// # Errors
    /// [`FindError`].
    pub async fn search(
        &self,
        text: &str,
        sight: Sight,
        page: Page,
        keep: impl Fn(Seq, &[Status]) -> bool + Send + 'static,
    ) -> Result<Found, FindError> {
        let query = Query::parse(text)?;
        let permit = Arc::clone(&self.permits).acquire_owned();
        let Ok(Ok(permit)) = tokio::time::timeout(PATIENCE, permit).await else {
            return Err(FindError::Busy);
        };
        let searcher = self.served.searcher.load_full().ok_or(FindError::NotYet)?;
        let found = tokio::task::spawn_blocking(move || {
            let found = search(&searcher, &query, &sight, &page, &keep);
            drop(permit);
            found
        });
        let found = found.await.unwrap_or(Err(FindError::Damaged));
        if matches!(found, Err(FindError::Damaged)) {
            self.remake();
        }
        found
    }

    /// How far the index is.
    #[must_use]
    pub fn lag(&self) -> Lag {
        // Asked first: the index may be further by now, and is never shown further behind than it was.
        let last = self.last();
        let Stand { reached, making, .. } = *self.served.stand();
        Lag {
            behind: last.saturating_sub(reached),
            making: making.map(|known| (known.min(last), last)),
        }
    }

    /// The number of the last record of the archive.
    pub(crate) fn last(&self) -> Seq {
        self.served.written.borrow().unwrap_or(0)
    }

    /// The number of the last record that searches see; 0: none.
    pub(crate) fn reached(&self) -> Seq {
        self.served.stand().reached
    }

    /// How many indices were made since the start, and have taken their place.
    pub(crate) fn made(&self) -> u64 {
        self.served.stand().made
    }

    /// Whether nobody fills the index any more.
    pub(crate) fn is_over(&self) -> bool {
        self.served.stand().is_over
    }

    /// From now on, and until what this gives is dropped, somebody waits for the index.
    pub(crate) fn await_index(&self) -> Awaiting {
        self.served.awaiting.fetch_add(1, Ordering::AcqRel);
        Awaiting(Arc::clone(&self.served))
    }

    /// Has another index made, which then takes the place of the one that is there.
    pub fn remake(&self) {
        self.served.wishes.send_modify(|wishes| *wishes += 1);
    }

    /// Waits until an index that was made has taken its place, and for a second at most.
    pub(crate) async fn moved(&self) {
        let _ = tokio::time::timeout(Duration::from_secs(1), self.served.moved.notified()).await;
    }
}

impl std::fmt::Debug for Finder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Finder").field("lag", &self.lag()).finish_non_exhaustive()
    }
}

impl Served {
    /// From now on, this is searched. It knows the archive up to `reached`.
    pub(super) fn serve(&self, searcher: Searcher, reached: Seq) {
        self.searcher.store(Some(Arc::new(searcher)));
        self.set_reached(reached);
    }

    pub(super) fn set_reached(&self, reached: Seq) {
        self.stand().reached = reached;
    }

    /// How far another one is that is being made; `None`: none is.
    pub(super) fn set_making(&self, making: Option<Seq>) {
        self.stand().making = making;
    }

    /// An index that was made has taken its place, and is searched.
    pub(super) fn count_made(&self) {
        {
            let mut stand = self.stand();
            (stand.made, stand.making) = (stand.made + 1, None);
        }
        self.moved.notify_waiters();
    }

    /// Nobody fills it any more.
    pub(super) fn end(&self) {
        self.stand().is_over = true;
        self.moved.notify_waiters();
    }

    /// Whether somebody waits until it is further.
    pub(super) fn is_awaited(&self) -> bool {
        self.awaiting.load(Ordering::Acquire) > 0
    }

    /// What the lock guards is changed by single assignments, so a panic elsewhere leaves it sound.
    fn stand(&self) -> MutexGuard<'_, Stand> {
        self.stand.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn wishes(&self) -> watch::Receiver<u64> {
        self.wishes.subscribe()
    }

    pub(super) fn written(&self) -> watch::Receiver<Option<Seq>> {
        self.written.clone()
    }
}

/// Searches an index that somebody else fills, or nobody does: as the files are now. Says also up to which record it
/// knows the archive; 0: nothing of it.
///
/// # Errors
/// [`FindError`].
pub fn search_files(
    archive: &Path,
    text: &str,
    sight: &Sight,
    page: &Page,
    keep: &dyn Fn(Seq, &[Status]) -> bool,
) -> Result<(Found, Seq), FindError> {
    let query = Query::parse(text)?;
    let directories = Directories::new(archive);
    let places = [directories.index(), directories.new_one()];
    let index = places.iter().find_map(|place| match Index::open(place) {
        Opened::Ready(index) => Some(index),
        Opened::Absent | Opened::OtherFormat | Opened::Damaged(_) => None,
    });
    let index = index.ok_or(FindError::Absent)?;
    let reached = index.indexed_up_to().map_err(|_| FindError::Damaged)?;
    let found = search(&index.searcher(), &query, sight, page, keep)?;
    Ok((found, reached.unwrap_or(0)))
}

fn search(
    searcher: &Searcher,
    query: &Query,
    sight: &Sight,
    page: &Page,
    keep: &dyn Fn(Seq, &[Status]) -> bool,
) -> Result<Found, FindError> {
    let keep = |seq| keep(seq, &query.status);
    let found = match sight {
        Sight::WithBcc => searcher.search(query, &Scope::WithBcc, page, &keep),
        Sight::Own(own) => {
            let own: Vec<&str> = own.iter().map(String::as_str).collect();
            searcher.search(query, &Scope::Addresses(&own), page, &keep)
        }
    };
    found.map_err(|error| match error {
        SearchError::Damaged(_) => FindError::Damaged,
        other => FindError::Refused(other),
    })
}

/// Searches that run at once. Each may keep a processor busy for a while.
const AT_ONCE: usize = 4;

/// How long a search waits for others.
const PATIENCE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_is_awaited_as_long_as_somebody_waits() {
        let (finder, served) = Finder::new(watch::channel(None).1);
        assert!(!served.is_awaited());
        let (one, other) = (finder.await_index(), finder.await_index());
        drop(one);
        assert!(served.is_awaited());
        drop(other);
        assert!(!served.is_awaited());
    }

    #[test]
    fn an_index_that_was_made_is_being_made_no_longer() {
        let (written, watching) = watch::channel(Some(9));
        let (finder, served) = Finder::new(watching);
        served.set_making(Some(20));
        assert_eq!(finder.lag(), Lag { behind: 9, making: Some((9, 9)) });
        served.set_reached(7);
        served.count_made();
        assert_eq!((finder.lag(), finder.made()), (Lag { behind: 2, making: None }, 1));
        assert!(!finder.is_over());
        served.end();
        assert!(finder.is_over());
        drop(written);
    }

    #[tokio::test(start_paused = true)]
    async fn who_finds_as_many_searches_running_as_may_run_waits_and_is_told_to_come_again() {
        let (finder, _served) = Finder::new(watch::channel(None).1);
        let search =
            async || finder.search("x", Sight::WithBcc, Page::default(), |_, _| true).await;
        let mut running: Vec<_> =
            (0..AT_ONCE).map(|_| finder.permits.clone().try_acquire_owned().unwrap()).collect();
        let begun = tokio::time::Instant::now();
        let busy = search().await.unwrap_err();
        assert!(matches!(busy, FindError::Busy), "{busy}");
        assert_eq!(begun.elapsed(), PATIENCE);
        // A question that makes no sense has its answer at once.
        let senseless = finder.search("(x", Sight::WithBcc, Page::default(), |_, _| true).await;
        assert!(matches!(senseless, Err(FindError::Query(_))));
        assert_eq!(begun.elapsed(), PATIENCE);
        // Its turn comes when one of them ends, and there is no index here.
        let ends = async {
            tokio::time::sleep(PATIENCE / 2).await;
            drop(running.pop());
        };
        let (found, ()) = tokio::join!(search(), ends);
        assert!(matches!(found, Err(FindError::NotYet)), "{found:?}");
        assert!(matches!(search().await, Err(FindError::NotYet)), "its place is free again");
    }
}
