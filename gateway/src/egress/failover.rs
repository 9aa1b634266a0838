//! Which candidate is tried next, and which addresses were found dead a moment ago.
//!
//! One delivery tries a few addresses of its destination, not all (Postfix
//! `smtp_mx_address_limit`, `smtp_mx_session_limit`). Addresses that failed lately are tried last,
//! so that the next mails do not wait for the same black hole (`attacks.md` K3). Pure: time is an
//! argument.

use std::{
    collections::{HashMap, VecDeque},
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

use super::resolve::Candidate;

/// How much one delivery tries, by Postfix's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// `smtp_mx_address_limit`: how many addresses are connected to.
    pub addresses: usize,
    /// `smtp_mx_session_limit`: in how many sessions the mail is offered, if the peer refuses it
    /// for now.
    pub sessions: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { addresses: 5, sessions: 2 }
    }
}

/// The candidates of one delivery that are still to be tried.
#[derive(Clone, Debug)]
pub struct Failover {
    rest: VecDeque<Candidate>,
    sessions: usize,
}

impl Failover {
    /// Orders candidates: those that failed lately come last, otherwise the order stays. Both
    /// address families have a turn if both exist.
    #[must_use]
    pub fn new(
        candidates: Vec<Candidate>,
        port: u16,
        failures: &Failures,
        now: Instant,
        limits: Limits,
    ) -> Self {
        let dead = |c: &Candidate| failures.contains(SocketAddr::new(c.address, port), now);
        let (last, first): (Vec<_>, Vec<_>) = candidates.into_iter().partition(dead);
        let all: Vec<Candidate> = first.into_iter().chain(last).collect();
        let rest = both_families(all, limits.addresses.max(1)).into();
        Self { rest, sessions: limits.sessions.max(1) }
    }

    /// The next address to connect to; `None` if the delivery has to be put off.
    pub fn next_candidate(&mut self) -> Option<Candidate> {
        if self.sessions == 0 {
            return None;
        }
        self.rest.pop_front()
    }

    /// A session was opened and the mail offered in it. After a few of them the rest is not tried.
    pub fn offered(&mut self) {
        self.sessions = self.sessions.saturating_sub(1);
    }
}

/// The first `limit` candidates, the last of them exchanged if that brings in the other family.
fn both_families(mut all: Vec<Candidate>, limit: usize) -> Vec<Candidate> {
    let rest = if all.len() > limit { all.split_off(limit) } else { Vec::new() };
    let Some(first) = all.first() else { return all };
    let is_v4 = first.address.is_ipv4();
    let of_one_family = all.iter().all(|c| c.address.is_ipv4() == is_v4);
    let other = rest.into_iter().find(|c| c.address.is_ipv4() != is_v4);
    if let Some(other) = other.filter(|_| of_one_family && limit > 1) {
        all.pop();
        all.push(other);
    }
    all
}

/// The addresses that could not be reached lately. Bounded: the oldest failure is forgotten first.
#[derive(Clone, Debug)]
pub struct Failures {
    until: HashMap<SocketAddr, Instant>,
    rest: Duration,
    most: usize,
}

impl Failures {
    /// Remembers failures for `rest`, at most `most` of them.
    #[must_use]
    pub fn new(rest: Duration, most: usize) -> Self {
        Self { until: HashMap::new(), rest, most: most.max(1) }
    }

    /// An address could not be reached.
    pub fn insert(&mut self, address: SocketAddr, now: Instant) {
        if self.until.len() >= self.most && !self.until.contains_key(&address) {
            self.make_room(now);
        }
        self.until.insert(canonical(address), now + self.rest);
    }

    /// An address was reached.
    pub fn remove(&mut self, address: SocketAddr) {
        self.until.remove(&canonical(address));
    }

    /// Whether an address could not be reached lately.
    #[must_use]
    pub fn contains(&self, address: SocketAddr, now: Instant) -> bool {
        self.until.get(&canonical(address)).is_some_and(|until| now < *until)
    }

    fn make_room(&mut self, now: Instant) {
        self.until.retain(|_, until| now < *until);
        if self.until.len() < self.most {
            return;
        }
        let oldest = self.until.iter().min_by_key(|(_, until)| **until);
        if let Some(oldest) = oldest.map(|(address, _)| *address) {
            self.until.remove(&oldest);
        }
    }
}

impl Default for Failures {
    /// Five minutes, 1,024 addresses.
    fn default() -> Self {
        Self::new(Duration::from_secs(300), 1_024)
    }
}

fn canonical(address: SocketAddr) -> SocketAddr {
    let ip: IpAddr = address.ip().to_canonical();
    SocketAddr::new(ip, address.port())
}

#[cfg(test)]
mod tests;
