//! Results of deliveries that may be on their way to the disk: a crash has those deliveries made again, so they are few (decision
//! 0028).

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Those of one connection or program.
pub(super) struct Unrecorded(Arc<Semaphore>);

/// One of them, until it is dropped.
pub(super) struct Unwritten {
    /// There is one, since the semaphore is never closed.
    _permit: Option<OwnedSemaphorePermit>,
}

impl Unrecorded {
    pub(super) fn none() -> Self {
        Self(Arc::new(Semaphore::new(MOST)))
    }

    /// Takes one more on, as soon as there is room for it.
    pub(super) async fn add(&self) -> Unwritten {
        Unwritten { _permit: Arc::clone(&self.0).acquire_owned().await.ok() }
    }
}

/// Mails that a crash sends again at most.
const MOST: usize = 16;
