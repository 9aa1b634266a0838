//! The brake on guessing passwords: by address and by account, on by default (`attacks.md` C2).
//!
//! Pure: time is an argument, and nothing here waits. Some failures are free; each further one
//! makes the pause before the next attempt twice as long. Memory is bounded.
//!
//! A pause on an account would let anybody lock its owner out. So an account that has logged in
//! from a network is *familiar* there: its attempts from there have a count of their own, and
//! neither strangers who guess at the account nor neighbours behind the same address hinder it.
//! For the same reason a success forgives nothing but the familiar pair's own failures: whoever
//! owns one account could otherwise buy new guesses at others with it.

mod counted;
mod tally;
#[cfg(test)]
mod tests;

use std::{
    net::IpAddr,
    time::{Duration, Instant},
};

use mailweir_mail::Network;

pub use self::counted::{Counted, Subject, Waiting, Whom};
use crate::{
    UserName,
    throttle::tally::{Entry, Tally},
};

/// Who failed how often lately.
#[derive(Debug)]
pub struct Throttle {
    limits: ThrottleLimits,
    addresses: Tally<Network>,
    accounts: Tally<UserName>,
    familiar: Tally<(Network, UserName)>,
}

/// Whether an attempt may be made now.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Check {
    /// It may.
    Allowed,
    /// It may, and no other of these until it is known to have failed or not: after a pause one
    /// guess is due, not as many as can be made at once.
    AllowedAlone(Vec<Subject>),
    /// Not before this time. The credentials must not be looked at.
    Refused {
        /// When the pause ends.
        until: Instant,
    },
}

/// How many failures are borne, and what comes then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Failures without consequence.
    pub free: u32,
    /// The pause after the first failure that is not free; it doubles with each further one.
    pub first_pause: Duration,
    /// No pause is longer.
    pub longest_pause: Duration,
    /// After this time without a failure all is forgotten.
    pub forget_after: Duration,
}

/// The limits of a [`Throttle`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThrottleLimits {
    /// For an IPv4 address or an IPv6 /64. Default: 20 free, 30 s to 1 h, forgotten after 4 h.
    pub per_address: Limit,
    /// For an account, from wherever. Default: 20 free, 30 s to 15 min, forgotten after 4 h.
    pub per_account: Limit,
    /// For an account from a network where it is familiar. Default: as `per_account`.
    pub per_familiar: Limit,
    /// How long an account stays familiar after its last success. Default: 30 days.
    pub familiar_for: Duration,
    /// Addresses that failures are not counted for, such as that of a webmail server, whose users
    /// all come from it. The limits of accounts hold there too. Default: none.
    pub exempt: Vec<Network>,
}

impl Default for ThrottleLimits {
    fn default() -> Self {
        let per_account = Limit {
            free: 20,
            first_pause: Duration::from_secs(30),
            longest_pause: Duration::from_secs(15 * 60),
            forget_after: Duration::from_secs(4 * 3_600),
        };
        Self {
            per_address: Limit { longest_pause: Duration::from_secs(3_600), ..per_account },
            per_account,
            per_familiar: per_account,
            familiar_for: Duration::from_secs(30 * 86_400),
            exempt: Vec::new(),
        }
    }
}

impl Throttle {
    /// A throttle that has seen nothing yet.
    #[must_use]
    pub fn new(limits: ThrottleLimits) -> Self {
        Self {
            limits,
            addresses: Tally::default(),
            accounts: Tally::default(),
            familiar: Tally::default(),
        }
    }

    /// Whether `account` may be tried from `address` now.
    ///
    /// Before the first pause, attempts that are made at the same moment are all allowed.
    pub fn check(&self, now: Instant, address: IpAddr, account: &UserName) -> Check {
        let network = network_of(address);
        let pauses = match self.familiar_pair(now, network, account) {
            Some(pair) => {
                let end = self.familiar.pause_end(&pair, now, &self.limits.per_familiar);
                vec![(Subject::Familiar(network, account.clone()), end)]
            }
            None => {
                let by_address = self.addresses.pause_end(&network, now, &self.limits.per_address);
                let by_account = self.accounts.pause_end(account, now, &self.limits.per_account);
                vec![
                    (Subject::Address(network), by_address),
                    (Subject::Account(account.clone()), by_account),
                ]
            }
        };
        match pauses.iter().filter_map(|(_, end)| *end).max() {
            Some(until) if now < until => Check::Refused { until },
            Some(_) => {
                let paused = pauses.into_iter().filter(|(_, end)| end.is_some());
                Check::AllowedAlone(paused.map(|(who, _)| who).collect())
            }
            None => Check::Allowed,
        }
    }

    /// Counts a failed attempt. An attempt that [`Self::check`] refused is not one.
    ///
    /// Returns who did not have to wait until now, and has to now.
    pub fn failed(&mut self, now: Instant, address: IpAddr, account: &UserName) -> Vec<Counted> {
        let network = network_of(address);
        if let Some(pair) = self.familiar_pair(now, network, account) {
            let who = Subject::Familiar(network, account.clone());
            let limit = &self.limits.per_familiar;
            let entry = self.familiar.add_failure(pair, now, limit);
            return entry.map(|entry| entry.counted(who, now, limit)).into_iter().collect();
        }
        let by_address = self.failed_from(now, address, network);
        let limit = &self.limits.per_account;
        let by_account = self.accounts.add_failure(account.clone(), now, limit);
        let of_account =
            |entry: Entry| entry.counted(Subject::Account(account.clone()), now, limit);
        by_address.into_iter().chain(by_account.map(of_account)).collect()
    }

    /// Notes that `account` has logged in from `address`: it is familiar there from now on.
    pub fn succeeded(&mut self, now: Instant, address: IpAddr, account: &UserName) {
        self.familiar.start_over((network_of(address), account.clone()), now);
    }

    fn failed_from(&mut self, now: Instant, address: IpAddr, network: Network) -> Option<Counted> {
        if self.limits.exempt.iter().any(|exempt| exempt.contains(address)) {
            return None;
        }
        let limit = &self.limits.per_address;
        let entry = self.addresses.add_failure(network, now, limit)?;
        Some(entry.counted(Subject::Address(network), now, limit))
    }

    fn familiar_pair(
        &self,
        now: Instant,
        network: Network,
        account: &UserName,
    ) -> Option<(Network, UserName)> {
        let pair = (network, account.clone());
        let since = self.familiar.started(&pair)?;
        self.is_familiar(now, since).then_some(pair)
    }

    fn is_familiar(&self, now: Instant, since: Instant) -> bool {
        now.saturating_duration_since(since) < self.limits.familiar_for
    }
}

impl Default for Throttle {
    fn default() -> Self {
        Self::new(ThrottleLimits::default())
    }
}

/// What one attacker has for free: one IPv4 address, or 2^64 IPv6 addresses.
fn network_of(address: IpAddr) -> Network {
    let host = Network::host(address);
    match host.address() {
        IpAddr::V4(_) => host,
        IpAddr::V6(address) => Network::around(address.into(), 64).unwrap_or(host),
    }
}
