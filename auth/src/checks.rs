//! Slow password checks, a bounded number at a time (`attacks.md` C3).
//!
//! Each check takes 19 MiB and a core. At most [`HashLimits::at_once`] run, on the runtime's
//! blocking threads; a bounded number waits its turn; the next one is told that we are busy.

use std::{
    fmt,
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::spawn_blocking,
    time::timeout,
};

use crate::DirectoryError;

/// How much password checking may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashLimits {
    /// Checks that run at the same time. Default: the number of cores.
    pub at_once: NonZeroUsize,
    /// Checks that wait for their turn. Default: 32 for each that runs, which at some 25 ms a
    /// check is a wait of under a second.
    pub waiting: usize,
}

impl Default for HashLimits {
    fn default() -> Self {
        let cores = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Self { at_once: cores, waiting: 32 * cores.get() }
    }
}

/// The bounded place where passwords are checked. One for all directories of a gateway.
#[derive(Debug)]
pub struct Checks {
    admitted: Arc<Semaphore>,
    running: Arc<Semaphore>,
    done: AtomicU64,
}

impl Checks {
    /// How long anybody waits for a turn.
    pub const PATIENCE: Duration = Duration::from_secs(5);

    /// A place with these bounds.
    #[must_use]
    pub fn new(limits: HashLimits) -> Self {
        let at_once = limits.at_once.get().min(Semaphore::MAX_PERMITS);
        let admitted = at_once.saturating_add(limits.waiting).min(Semaphore::MAX_PERMITS);
        Self {
            admitted: Arc::new(Semaphore::new(admitted)),
            running: Arc::new(Semaphore::new(at_once)),
            done: AtomicU64::new(0),
        }
    }

    /// Waits for the right to make one check, but not for longer than [`Self::PATIENCE`]: whoever
    /// waits for a back end gives it some time to answer, and a queue of ours must not use that up.
    ///
    /// # Errors
    /// [`DirectoryError::Busy`]: too many wait already, or for too long.
    pub async fn turn(&self) -> Result<Turn, DirectoryError> {
        let admitted =
            Arc::clone(&self.admitted).try_acquire_owned().map_err(|_| DirectoryError::Busy)?;
        let running = timeout(Self::PATIENCE, Arc::clone(&self.running).acquire_owned()).await;
        let running = running.map_err(|_| DirectoryError::Busy)?;
        Ok(Turn { _running: running.map_err(|_| DirectoryError::Busy)?, _admitted: admitted })
    }

    /// Makes one slow check, off the async threads, and gives the turn back with the answer.
    ///
    /// The turn goes into the blocking thread: a session that gives up meanwhile does not let
    /// another check in before this one has ended.
    ///
    /// # Errors
    /// [`DirectoryError::Unavailable`]: the check could not be made, for want of memory say.
    pub async fn make<T, E>(
        &self,
        turn: Turn,
        check: impl FnOnce() -> Result<T, E> + Send + 'static,
    ) -> Result<(T, Turn), DirectoryError>
    where
        T: Send + 'static,
        E: fmt::Display,
    {
        self.done.fetch_add(1, Ordering::Relaxed);
        let made = spawn_blocking(move || check().map_err(failed).map(|answer| (answer, turn)));
        made.await.map_err(failed)?
    }

    /// How many checks were begun.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }
}

/// The right to make one check. Giving it back is dropping it.
#[derive(Debug)]
#[must_use]
pub struct Turn {
    _running: OwnedSemaphorePermit,
    _admitted: OwnedSemaphorePermit,
}

fn failed(cause: impl fmt::Display) -> DirectoryError {
    DirectoryError::Unavailable(format!("the password check failed: {cause}").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn c3_one_check_runs_one_waits_and_the_third_is_told_busy() {
        let at_once = NonZeroUsize::MIN;
        let checks = Checks::new(HashLimits { at_once, waiting: 1 });
        let running = checks.turn().await.unwrap();
        let mut waiting = Box::pin(checks.turn());
        assert!(is_pending(&mut waiting).await);
        assert!(matches!(checks.turn().await, Err(DirectoryError::Busy)));
        drop(running);
        let second = waiting.await.unwrap();
        drop(second);
        assert!(checks.turn().await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn c3_nobody_waits_for_a_turn_for_ever() {
        let checks = Checks::new(HashLimits { at_once: NonZeroUsize::MIN, waiting: 1 });
        let running = checks.turn().await.unwrap();
        let start = tokio::time::Instant::now();
        assert!(matches!(checks.turn().await, Err(DirectoryError::Busy)));
        assert_eq!(start.elapsed(), Checks::PATIENCE);
        drop(running);
        assert!(checks.turn().await.is_ok());
    }

    #[tokio::test]
    async fn c3_a_session_that_stops_waiting_gives_its_place_back() {
        let checks = Checks::new(HashLimits { at_once: NonZeroUsize::MIN, waiting: 1 });
        let running = checks.turn().await.unwrap();
        let mut waiting = Box::pin(checks.turn());
        assert!(is_pending(&mut waiting).await);
        drop(waiting);
        let mut again = Box::pin(checks.turn());
        assert!(is_pending(&mut again).await, "the place is free again: this one waits");
        drop(running);
        assert!(again.await.is_ok());
    }

    /// Polls once; whether the future still waits.
    async fn is_pending<F: Future + Unpin>(future: &mut F) -> bool {
        std::future::poll_fn(|cx| {
            std::task::Poll::Ready(std::pin::Pin::new(&mut *future).poll(cx).is_pending())
        })
        .await
    }
}
