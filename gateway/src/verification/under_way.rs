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
    pub(super) ours: Class,
    pub(super) foreign: Class,
}

/// Whose an address is. Anybody may have as many domains as he likes that answer slowly: they leave
/// room for those that we serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// Of a domain that we serve.
    Ours,
    /// Of any other.
    Foreign,
}

/// What the domains of one kind have under way together.
pub(super) struct Class {
    at_once: usize,
    /// A permit for each probe that runs.
    room: Arc<Semaphore>,
    pub(super) under_way: usize,
    /// What each domain has of it: one that answers slowly leaves room for the others.
    pub(super) domains: HashMap<Domain, OfOneDomain>,
}

pub(super) struct OfOneDomain {
    /// A permit for each probe that runs.
    room: Arc<Semaphore>,
    under_way: usize,
}

/// What a probe has to wait for, in this order: who waits for its domain keeps no other waiting.
pub(super) struct Place {
    pub(super) of_domain: Arc<Semaphore>,
    pub(super) of_class: Arc<Semaphore>,
}

impl State {
    /// Nothing under way. With `session_limit` connections to all next hops together probes leave
    /// three quarters of them to mail.
    pub(super) fn new(cache: Cache, session_limit: usize) -> Self {
        let at_once = (session_limit / 4 / 2).clamp(1, MOST_AT_ONCE);
        let (ours, foreign) = (Class::new(at_once), Class::new(at_once));
        Self { cache, under_way: HashMap::new(), ours, foreign }
    }

    /// Gives the address its place among those that are probed. `None`: there is none.
    pub(super) fn begin(
        &mut self,
        address: &Address,
        whose: Whose,
        ending: &watch::Receiver<()>,
    ) -> Option<Place> {
        let place = self.class(whose).begin(address.domain())?;
        self.under_way.insert(address.clone(), ending.clone());
        Some(place)
    }

    pub(super) fn end(&mut self, address: &Address, whose: Whose) {
        self.under_way.remove(address);
        self.class(whose).end(address.domain());
    }

    pub(super) fn ask(&mut self, address: &Address, lifetimes: &Lifetimes) -> Asked {
        verification::ask(self.cache.get(address), lifetimes, clock::now())
    }

    const fn class(&mut self, whose: Whose) -> &mut Class {
        match whose {
            Whose::Ours => &mut self.ours,
            Whose::Foreign => &mut self.foreign,
        }
    }
}

impl Class {
    fn new(at_once: usize) -> Self {
        let room = Arc::new(Semaphore::new(at_once));
        Self { at_once, room, under_way: 0, domains: HashMap::new() }
    }

    fn begin(&mut self, domain: &Domain) -> Option<Place> {
        if self.under_way >= MOST_UNDER_WAY {
            return None;
        }
        let half = (self.at_once / 2).max(1);
        let none = || OfOneDomain { room: Arc::new(Semaphore::new(half)), under_way: 0 };
        let domain = self.domains.entry(domain.clone()).or_insert_with(none);
        if domain.under_way >= MOST_UNDER_WAY / 2 {
            return None;
        }
        domain.under_way += 1;
        self.under_way += 1;
        Some(Place { of_domain: Arc::clone(&domain.room), of_class: Arc::clone(&self.room) })
    }

    fn end(&mut self, domain: &Domain) {
        let Some(of_domain) = self.domains.get_mut(domain) else { return };
        self.under_way -= 1;
        of_domain.under_way -= 1;
        if of_domain.under_way == 0 {
            self.domains.remove(domain);
        }
    }
}

/// More probes of addresses of one kind do not run at once, ...
pub(super) const MOST_AT_ONCE: usize = 20;

/// ... and more do not run or wait: their clients come again, and by then there may be room. One
/// domain takes half of either at most.
pub(super) const MOST_UNDER_WAY: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probes_take_a_quarter_of_all_connections_and_at_least_one_each() {
        for (session_limit, at_once, of_one_domain) in
            [(1, 1, 1), (8, 1, 1), (32, 4, 2), (100, 12, 6), (10_000, MOST_AT_ONCE, 10)]
        {
            let mut state = State::new(Cache::new(1), session_limit);
            let (_ended, ending) = watch::channel(());
            let address = "a@a.example".parse().unwrap();
            for whose in [Whose::Ours, Whose::Foreign] {
                let place = state.begin(&address, whose, &ending).unwrap();
                assert_eq!(place.of_class.available_permits(), at_once, "{session_limit}");
                assert_eq!(place.of_domain.available_permits(), of_one_domain, "{session_limit}");
            }
        }
    }
}
