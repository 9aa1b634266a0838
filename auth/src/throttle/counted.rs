//! What a throttle has counted, for those who run the gateway: who failed, who waits, and how a
//! wait is lifted.

use std::{
    cmp::Reverse,
    fmt,
    time::{Duration, Instant},
};

use mailweir_mail::Network;

use super::{Throttle, ThrottleLimits, tally::Entry};
use crate::UserName;

/// Somebody whose failures are counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// Who it is.
    pub who: Subject,
    /// Failed log-ins that are not forgotten yet; at least one.
    pub failures: u32,
    /// How long it has to wait from now on; `None` if it need not.
    pub pause: Option<Duration>,
}

/// Whom failures are counted for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// An IPv4 address or an IPv6 /64, with all accounts that are strange there.
    Address(Network),
    /// An account, from wherever it is strange.
    Account(UserName),
    /// An account where it has logged in before.
    Familiar(Network, UserName),
}

/// Whose failures are to be forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whom {
    /// Everybody's.
    All,
    /// Those of an address or of all addresses in a network, and of the accounts familiar there.
    Network(Network),
    /// Those of an account, from wherever.
    Account(UserName),
}

/// How many have to wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Addresses and IPv6 networks.
    pub addresses: usize,
    /// Accounts, and accounts at places where they are familiar.
    pub accounts: usize,
}

impl Throttle {
    /// Everybody whose failures are counted: who has to wait longest first, then who failed most.
    /// At most some 50,000.
    #[must_use]
    pub fn list(&self, now: Instant) -> Vec<Counted> {
        let mut list: Vec<_> = self.counted(now).collect();
        list.sort_by(|a, b| rank(a).cmp(&rank(b)));
        list
    }

    /// How many have to wait.
    #[must_use]
    pub fn waiting(&self, now: Instant) -> Waiting {
        let ThrottleLimits { per_address, per_account, per_familiar, .. } = &self.limits;
        let addresses = self.addresses.counted(now, per_address);
        let accounts = self.accounts.counted(now, per_account);
        let pairs = self.counted_pairs(now);
        Waiting {
            addresses: addresses.filter(|(_, it)| it.waits(now, per_address)).count(),
            accounts: accounts.filter(|(_, it)| it.waits(now, per_account)).count()
                + pairs.filter(|(_, it)| it.waits(now, per_familiar)).count(),
        }
    }

    /// Forgets failures, and with them the wait. Familiar accounts stay familiar. Returns how many
    /// addresses, accounts and familiar pairs had failures.
    pub fn lift(&mut self, now: Instant, whom: &Whom) -> usize {
        let had_failures = self.counted(now).filter(|counted| whom.means(&counted.who)).count();
        self.addresses.forgive(|network| whom.means_network(network));
        self.accounts.forgive(|account| whom.means_account(account));
        self.familiar.forgive(|(network, account)| {
            whom.means_network(network) || whom.means_account(account)
        });
        had_failures
    }

    fn counted(&self, now: Instant) -> impl Iterator<Item = Counted> {
        let ThrottleLimits { per_address, per_account, per_familiar, .. } = &self.limits;
        let addresses = self.addresses.counted(now, per_address).map(move |(network, entry)| {
            entry.counted(Subject::Address(*network), now, per_address)
        });
        let accounts = self.accounts.counted(now, per_account).map(move |(account, entry)| {
            entry.counted(Subject::Account(account.clone()), now, per_account)
        });
        let pairs = self.counted_pairs(now).map(move |((network, user), entry)| {
            entry.counted(Subject::Familiar(*network, user.clone()), now, per_familiar)
        });
        addresses.chain(accounts).chain(pairs)
    }

    fn counted_pairs(&self, now: Instant) -> impl Iterator<Item = (&(Network, UserName), &Entry)> {
        let pairs = self.familiar.counted(now, &self.limits.per_familiar);
        pairs.filter(move |(_, entry)| self.is_familiar(now, entry.started()))
    }
}

impl Whom {
    fn means(&self, who: &Subject) -> bool {
        match who {
            Subject::Address(network) => self.means_network(network),
            Subject::Account(account) => self.means_account(account),
            Subject::Familiar(network, account) => {
                self.means_network(network) || self.means_account(account)
            }
        }
    }

    fn means_network(&self, counted: &Network) -> bool {
        match self {
            Self::All => true,
            // An IPv6 address stands for its /64, and a network for all that is counted in it.
            Self::Network(meant) => {
                meant.contains(counted.address()) || counted.contains(meant.address())
            }
            Self::Account(_) => false,
        }
    }

    fn means_account(&self, counted: &UserName) -> bool {
        match self {
            Self::All => true,
            Self::Network(_) => false,
            Self::Account(meant) => meant == counted,
        }
    }
}

impl fmt::Display for Subject {
    /// `192.0.2.1`, `ann`, or `ann at 192.0.2.1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(network) => network.fmt(f),
            Self::Account(account) => account.fmt(f),
            Self::Familiar(network, account) => write!(f, "{account} at {network}"),
        }
    }
}

fn rank(counted: &Counted) -> (Reverse<Option<Duration>>, Reverse<u32>, &Subject) {
    (Reverse(counted.pause), Reverse(counted.failures), &counted.who)
}
