//! Greylisting: a sender that nobody knows is asked to come again, which mail servers do and most senders of spam do not.
//!
//! A triple of network, sender and recipient waits once; a network whose mails came again often enough waits no more.
//! To whom our own people have written is remembered beside it. Who is not asked to wait at all (SPF pass, those
//! correspondents, permit lists, clients that are logged in) is the caller's part: whoever asks here is greylisted.
//! Nothing is known here of addresses but their keyed hashes, and time is an argument.

mod key;
mod shares;
mod stored;

use std::time::Duration;

use mailweir_mail::Timestamp;

use self::shares::Shares;
pub use self::{
    key::{HashKey, Key},
    stored::{Snapshot, StoredError, Table},
};
use crate::aged::Aged;

/// Who has come before, and when. Never holds more than [`Settings::most`] of each kind.
#[derive(Clone, Debug)]
pub struct Greylist {
    settings: Settings,
    hash: HashKey,
    /// Triples that came and have to come again, by their first time, and the sites of their clients.
    waiting: Shares,
    /// Triples that came again in time, by their last time.
    passed: Aged<()>,
    /// Networks of which triples passed, by the last time that this counted for something.
    networks: Aged<Passes>,
    /// Addresses that our own people have written to, by the last time, and who wrote there first.
    correspondents: Shares,
}

/// How long to wait, and what is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How long after its first time a triple has to wait (Postgrey `--delay`).
    pub delay: Duration,
    /// How long after its first time it may come again (`--retry-window`). Later it is new.
    pub retry_window: Duration,
    /// How long a triple or a network is known after its last time (`--max-age`), and a correspondent after the last
    /// mail to it.
    pub keep: Duration,
    /// How many triples of a network have to pass until all of it may (`--auto-whitelist-clients`); 0: never.
    pub passes: u32,
    /// Of the triples of a network that pass within this time one counts: five recipients of one mail prove no more
    /// than one does.
    pub count_every: Duration,
    /// How many first bits of an IPv4 address are its network; 32 at most.
    pub ip4_prefix: u8,
    /// How many first bits of an IPv6 address are its network; 128 at most.
    pub ip6_prefix: u8,
    /// How many triples that wait, triples that passed, networks and correspondents are kept, each; at least 1. If there are more,
    /// the one goes first whose time, as above, is longest ago; but of those that wait, one of the site (IPv4 /24, IPv6 /48) that has
    /// most of them, and of the correspondents one of whoever has written to most of them. So a flood of strangers makes no sender
    /// new again that has passed, and one from few places costs nobody else the first time.
    pub most: usize,
}

/// What becomes of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is too early.
    Wait {
        /// When the triple came first.
        since: Timestamp,
        /// From when on it passes.
        until: Timestamp,
    },
    /// It need not wait any more.
    Pass {
        /// How long the triple had to wait, if this is the first time that it passes.
        after: Option<Duration>,
    },
}

/// How much is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Triples that have to come again.
    pub waiting: usize,
    /// Triples that did.
    pub passed: usize,
    /// Networks of those, allowed or not.
    pub networks: usize,
    /// Addresses that our own people have written to.
    pub correspondents: usize,
}

/// What a network has shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Passes {
    /// How many of its triples passed and counted.
    count: u32,
    /// When the last of them did.
    counted: Timestamp,
}

impl Greylist {
    /// An empty one, whose hashes depend on a key.
    #[must_use]
    pub fn new(settings: Settings, hash: HashKey) -> Self {
        let most = settings.most;
        Self {
            settings,
            hash,
            waiting: Shares::new(most),
            passed: Aged::new(most),
            networks: Aged::new(most),
            correspondents: Shares::new(most),
        }
    }

    /// Goes by other settings from now on. What is remembered stays, as far as there is room for it.
    pub fn change(&mut self, settings: Settings) {
        self.settings = settings;
        self.waiting.change(settings.most);
        self.passed.change(settings.most);
        self.networks.change(settings.most);
        self.correspondents.change(settings.most);
    }

    /// One of our own people, `by` (a name or an address in one spelling), has written to this address.
    pub fn note_correspondent(&mut self, address: &str, by: &str, now: Timestamp) {
        let address = self.hash.address(address);
        // Else one could make those of others its own, and have them go.
        let owner = self.correspondents.owner_of(address);
        let owner = owner.unwrap_or_else(|| self.hash.owner(by));
        self.correspondents.put(address, now, owner);
    }

    /// Whether one of our own people has written to this address. Case does not count, and nothing else is folded.
    #[must_use]
    pub fn is_correspondent(&self, address: &str, now: Timestamp) -> bool {
        let last = self.correspondents.time_of(self.hash.address(address));
        last.is_some_and(|last| now.since(last) <= self.settings.keep)
    }

    /// Whether a mail may pass, and remembers that it came.
    ///
    /// At exactly the end of the delay it passes; at exactly the end of the window it still does. A clock that goes
    /// back makes nobody wait longer than the delay from then on.
    pub fn ask(&mut self, key: &Key<'_>, now: Timestamp) -> Answer {
        let network = self.hash.network(key, &self.settings);
        if self.is_allowed(network, now) {
            self.networks.touch(network, now);
            return Answer::Pass { after: None };
        }
        let triple = self.hash.triple(key, network);
        if self.passed.time_of(triple).is_some_and(|last| now.since(last) <= self.settings.keep) {
            self.passed.touch(triple, now);
            return Answer::Pass { after: None };
        }
        let window = self.settings.retry_window;
        let is_known = |since: &Timestamp| *since <= now && now.since(*since) <= window;
        let since = self.waiting.time_of(triple).filter(is_known).unwrap_or(now);
        let waited = now.since(since);
        if waited < self.settings.delay {
            self.waiting.put(triple, since, self.hash.site(key.client));
            return Answer::Wait { since, until: since.plus(self.settings.delay) };
        }
        self.waiting.remove(triple);
        self.passed.put(triple, now, ());
        self.count(network, now);
        Answer::Pass { after: Some(waited) }
    }

    /// Forgets what is too old to matter, at most so many of each kind. Whether that was all.
    #[must_use]
    pub fn expire(&mut self, now: Timestamp, most: usize) -> bool {
        let Settings { retry_window, keep, .. } = self.settings;
        let removed = [
            self.waiting.expire(now, retry_window, most),
            self.passed.expire(now, keep, most),
            self.networks.expire(now, keep, most),
            self.correspondents.expire(now, keep, most),
        ];
        removed.iter().all(|removed| *removed < most)
    }

    /// How much is remembered.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts {
            waiting: self.waiting.len(),
            passed: self.passed.len(),
            networks: self.networks.len(),
            correspondents: self.correspondents.len(),
        }
    }

    fn is_allowed(&self, network: u64, now: Timestamp) -> bool {
        let needed = self.settings.passes;
        let known = self.network(network, now);
        needed > 0 && known.is_some_and(|passes| passes.count >= needed)
    }

    /// What is known of a network, unless it is too old.
    fn network(&self, network: u64, now: Timestamp) -> Option<Passes> {
        let (last, passes) = self.networks.get(network)?;
        (now.since(last) <= self.settings.keep).then_some(*passes)
    }

    /// One more triple of a network has passed.
    fn count(&mut self, network: u64, now: Timestamp) {
        let count = match self.network(network, now) {
            Some(Passes { counted, .. })
                if counted <= now && now.since(counted) < self.settings.count_every =>
            {
                return;
            }
            Some(Passes { count, .. }) => count.saturating_add(1),
            None => 1,
        };
        self.networks.put(network, now, Passes { count, counted: now });
    }
}

impl Default for Settings {
    /// As Postgrey has them, and 100,000 of each kind: some 40 megabytes if all are full.
    fn default() -> Self {
        Self {
            delay: Duration::from_secs(300),
            retry_window: Duration::from_secs(2 * DAY),
            keep: Duration::from_secs(35 * DAY),
            passes: 5,
            count_every: Duration::from_secs(3_600),
            ip4_prefix: 24,
            ip6_prefix: 64,
            most: 100_000,
        }
    }
}

const DAY: u64 = 86_400;

#[cfg(test)]
mod tests;
