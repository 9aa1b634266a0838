//! What is known of addresses, and which of them are being probed: all that one lock guards.

use std::{collections::HashMap, sync::Arc};

use mailweir_filters::verification::{self, Asked, Lifetimes};
use mailweir_mail::{Address, Domain};
use tokio::sync::{Semaphore, watch};

use super::cache::Cache;
use crate::clock;

/// The answers, and the questions under way.
pub(super) struct State {
    pub(super) cache: Cache,
    /// The addresses that are being probed or wait for it. The channel closes when that is over.
    pub(super) under_way: HashMap<Address, watch::Receiver<()>>,
    /// What they have of each domain: one that answers slowly leaves room for the others.
    pub(super) domains: HashMap<Domain, OfOneDomain>,
}

pub(super) struct OfOneDomain {
    /// A permit for each probe that runs.
    room: Arc<Semaphore>,
    under_way: usize,
}

impl State {
    pub(super) fn new(cache: Cache) -> Self {
        Self { cache, under_way: HashMap::new(), domains: HashMap::new() }
    }

    /// Gives the address its place among those that are probed; what it has to wait for first.
    /// `None`: there is no place.
    pub(super) fn begin(
        &mut self,
        address: &Address,
        ending: &watch::Receiver<()>,
    ) -> Option<Arc<Semaphore>> {
        if self.under_way.len() >= MOST_UNDER_WAY {
            return None;
        }
        let none =
            || OfOneDomain { room: Arc::new(Semaphore::new(MOST_AT_ONCE / 2)), under_way: 0 };
        let domain = self.domains.entry(address.domain().clone()).or_insert_with(none);
        if domain.under_way >= MOST_UNDER_WAY / 2 {
            return None;
        }
        domain.under_way += 1;
        self.under_way.insert(address.clone(), ending.clone());
        Some(Arc::clone(&domain.room))
    }

    pub(super) fn end(&mut self, address: &Address) {
        self.under_way.remove(address);
        if let Some(domain) = self.domains.get_mut(address.domain()) {
            domain.under_way -= 1;
            if domain.under_way == 0 {
                self.domains.remove(address.domain());
            }
        }
    }

    pub(super) fn ask(&mut self, address: &Address, lifetimes: &Lifetimes) -> Asked {
        verification::ask(self.cache.get(address), lifetimes, clock::now())
    }
}

/// More probes do not run at once, ...
pub(super) const MOST_AT_ONCE: usize = 20;

/// ... and more do not run or wait: their clients come again, and by then there may be room. One
/// domain takes half of either at most.
pub(super) const MOST_UNDER_WAY: usize = 1_000;
