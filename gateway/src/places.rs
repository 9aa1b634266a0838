//! Places that are listened at, and how a reload exchanges them.
//!
//! All that can fail is in [`Places::prepare`]; [`Places::install`] makes the change as a whole.

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use arc_swap::ArcSwap;
use tokio_util::sync::CancellationToken;

/// Open sockets by their places (`P`), each with whoever answers there (`S`).
pub(crate) struct Places<P, S>(Mutex<HashMap<P, Open<S>>>);

/// A place that is open.
pub(crate) struct Open<S> {
    /// Who answers from now on.
    pub(crate) current: Arc<ArcSwap<S>>,
    /// Ends it.
    pub(crate) close: CancellationToken,
}

/// What [`Places::install`] needs. Dropping it changes nothing.
pub(crate) struct Prepared<P, B, S> {
    kept: Vec<(P, Arc<S>)>,
    fresh: Vec<(P, B, Arc<S>)>,
}

impl<P: Clone + Eq + Hash, S> Places<P, S> {
    /// Opens those of the `wanted` places that are not open yet. `bind` does it, is told which are open,
    /// and says where it is then.
    ///
    /// # Errors
    /// Those of `bind`.
    pub(crate) fn prepare<B>(
        &self,
        wanted: impl IntoIterator<Item = (P, Arc<S>)>,
        bind: impl Fn(&P, &S, &HashSet<P>) -> anyhow::Result<(P, B)>,
    ) -> anyhow::Result<Prepared<P, B, S>> {
        let open: HashSet<P> = self.lock().keys().cloned().collect();
        let (mut kept, mut fresh) = (Vec::new(), Vec::new());
        for (place, server) in wanted {
            if open.contains(&place) {
                kept.push((place, server));
                continue;
            }
            let (place, bound) = bind(&place, &server, &open)?;
            fresh.push((place, bound, server));
        }
        Ok(Prepared { kept, fresh })
    }

    /// Answers at what was prepared, and nowhere else from now on. `keep` hears of each place that stays
    /// open before it is handed over; `listen` runs a new one until it is closed, or until `stop`.
    pub(crate) fn install<B>(
        &self,
        prepared: Prepared<P, B, S>,
        stop: &CancellationToken,
        keep: impl Fn(&P, &S),
        listen: impl Fn(&P, B, Open<S>),
    ) {
        let mut places = self.lock();
        let kept: HashSet<&P> = prepared.kept.iter().map(|(place, _)| place).collect();
        places.retain(|place, open| {
            let stays = kept.contains(place);
            if !stays {
                open.close.cancel();
            }
            stays
        });
        for (place, server) in prepared.kept {
            if let Some(open) = places.get(&place) {
                keep(&place, &server);
                open.current.store(server);
            }
        }
        for (place, bound, server) in prepared.fresh {
            let current = Arc::new(ArcSwap::new(server));
            let open = Open { current, close: stop.child_token() };
            listen(&place, bound, open.clone());
            places.insert(place, open);
        }
    }

    /// Shows each place and who answers there.
    pub(crate) fn map<T>(&self, mut show: impl FnMut(&P, &S) -> T) -> Vec<T> {
        self.lock().iter().map(|(place, open)| show(place, &open.current.load())).collect()
    }

    /// What the lock guards is changed by single calls, so a panic elsewhere leaves it sound.
    fn lock(&self) -> MutexGuard<'_, HashMap<P, Open<S>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<P, S> Default for Places<P, S> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<S> Clone for Open<S> {
    fn clone(&self) -> Self {
        Self { current: Arc::clone(&self.current), close: self.close.clone() }
    }
}
