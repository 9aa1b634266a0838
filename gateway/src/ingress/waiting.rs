//! Mail that a filter has while its client waits. What the filter hands back finds the session here.
//!
//! Nothing of it is durable: until the client has its answer the mail is the client's, and the session gives the answer. So what
//! nobody waits for is refused to the filter, as is what comes a second time.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Mutex, MutexGuard, PoisonError},
};

use mailweir_mail::{Envelope, HoldReason, QueueId};
use mailweir_smtp::replies::NotAwaited;
use tokio::sync::oneshot;

use super::incoming::Incoming;

/// All of it, whatever configuration the sessions follow.
#[derive(Default)]
pub(crate) struct Waiting {
    places: Mutex<HashMap<QueueId, Place>>,
    /// No filter can reach us: a gateway on which rules are tried.
    is_supposed: bool,
}

/// A mail as a filter has handed it back.
pub(super) struct Handed {
    pub(super) incoming: Incoming,
    /// Sender and recipients as the filter has named them.
    pub(super) came_for: Envelope,
    /// Sender and recipients of now, which a rule of the listener where it came back may have changed.
    pub(super) envelope: Envelope,
    /// A rule of the listener where it came back holds it.
    pub(super) hold: Option<HoldReason>,
}

struct Place {
    /// Who has the mail.
    filter: Box<str>,
    back: Back,
}

enum Back {
    Awaited(oneshot::Sender<Box<Handed>>),
    Came,
    CameAgain,
}

/// A session that waits for its mail. When it is dropped, it waits no more.
pub(super) struct Awaited<'w> {
    waiting: &'w Waiting,
    id: QueueId,
    handed: oneshot::Receiver<Box<Handed>>,
}

/// What has come back by the time that the filter has said yes.
pub(super) enum Came {
    /// Nothing: the filter has it for itself.
    Nothing,
    Once(Box<Handed>),
    /// Nobody can tell which of them is the mail.
    Again,
}

impl Waiting {
    /// Where nothing ever comes back.
    pub(crate) fn supposed() -> Self {
        Self { is_supposed: true, ..Self::default() }
    }

    /// Whether nothing ever comes back.
    pub(super) const fn is_supposed(&self) -> bool {
        self.is_supposed
    }

    /// Begins to wait for a mail that goes to this filter.
    pub(super) fn wait_for(&self, id: QueueId, filter: &str) -> Awaited<'_> {
        let (handed_to, handed) = oneshot::channel();
        let place = Place { filter: filter.into(), back: Back::Awaited(handed_to) };
        self.places().insert(id, place);
        Awaited { waiting: self, id, handed }
    }

    /// Hands the mail that had this name over to the session that waits for it.
    ///
    /// # Errors
    /// None does.
    pub(super) fn hand_over(
        &self,
        id: QueueId,
        filter: &str,
        handed: Box<Handed>,
    ) -> Result<(), NotAwaited> {
        let mut places = self.places();
        let Entry::Occupied(mut place) = places.entry(id) else { return Err(NotAwaited::Over) };
        let place = place.get_mut();
        // A slip of the filter before.
        if *place.filter != *filter {
            return Err(NotAwaited::Over);
        }
        match std::mem::replace(&mut place.back, Back::Came) {
            Back::Awaited(session) => session.send(handed).map_err(|_| NotAwaited::Over),
            Back::Came | Back::CameAgain => {
                place.back = Back::CameAgain;
                Err(NotAwaited::Twice)
            }
        }
    }

    fn places(&self) -> MutexGuard<'_, HashMap<QueueId, Place>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Awaited<'_> {
    /// What has come back. Later nothing can.
    pub(super) fn came(mut self) -> Came {
        let place = self.waiting.places().remove(&self.id);
        match (place.map(|place| place.back), self.handed.try_recv()) {
            (Some(Back::CameAgain), _) => Came::Again,
            (_, Ok(handed)) => Came::Once(handed),
            (_, Err(_)) => Came::Nothing,
        }
    }
}

impl Drop for Awaited<'_> {
    fn drop(&mut self) {
        self.waiting.places().remove(&self.id);
    }
}
