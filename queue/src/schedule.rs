//! When a mail is tried again: Postfix's retry schedule, and the index of what is due.
//!
//! Pure: time is an argument. A held mail is in no index; putting it on hold takes it out, and
//! only release puts it back.

use std::{collections::BTreeSet, time::Duration};

use mailweir_mail::{ReversePath, Timestamp};

/// Postfix's retry parameters, by their names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The shortest time between two attempts. Postfix's default: 300 s.
    pub minimal_backoff_time: Duration,
    /// The longest time between two attempts. Postfix's default: 4000 s.
    pub maximal_backoff_time: Duration,
    /// After this age an undelivered mail goes back to its sender. Postfix's default: 5 days.
    pub maximal_queue_lifetime: Duration,
    /// The same for mail from the null sender, which is dropped then. Postfix's default: 5 days.
    pub bounce_queue_lifetime: Duration,
    /// After this age the sender is told that the mail is late; zero is never. Postfix's default: 0.
    pub delay_warning_time: Duration,
    /// The queue looks at the clock at least this often. Postfix's default: 300 s.
    pub queue_run_delay: Duration,
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            minimal_backoff_time: Duration::from_secs(300),
            maximal_backoff_time: Duration::from_secs(4_000),
            maximal_queue_lifetime: FIVE_DAYS,
            bounce_queue_lifetime: FIVE_DAYS,
            delay_warning_time: Duration::ZERO,
            queue_run_delay: Duration::from_secs(300),
        }
    }
}

impl Schedule {
    /// When to try again after an attempt that ended at `now`: the mail waits as long as it is old,
    /// within the two backoff times, so that the waiting time doubles.
    #[must_use]
    pub fn next_try(&self, alive_since: Timestamp, now: Timestamp) -> Timestamp {
        let age = now.since(alive_since);
        now.plus(age.max(self.minimal_backoff_time).min(self.maximal_backoff_time))
    }

    /// How old a mail of this sender may become.
    #[must_use]
    pub const fn lifetime(&self, sender: &ReversePath) -> Duration {
        match sender {
            ReversePath::Null => self.bounce_queue_lifetime,
            ReversePath::Mailbox(_) => self.maximal_queue_lifetime,
        }
    }

    /// Whether the sender of a mail of this age is to be told that it is late.
    #[must_use]
    pub fn is_late(&self, age: Duration) -> bool {
        !self.delay_warning_time.is_zero() && age >= self.delay_warning_time
    }
}

/// What waits for a time, ordered by it: mails, by their ids. A small entry each, so that a million
/// fit in memory.
#[derive(Debug)]
pub struct DueIndex<K> {
    by_time: BTreeSet<(Timestamp, K)>,
    /// What waits for nothing: new mail, and mail that was flushed.
    at_once: BTreeSet<K>,
    /// Whose turn it is, so that neither new nor old mail starves the other.
    turn: Turn,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    AtOnce,
    ByTime,
}

impl<K> Default for DueIndex<K> {
    fn default() -> Self {
        Self { by_time: BTreeSet::new(), at_once: BTreeSet::new(), turn: Turn::AtOnce }
    }
}

impl<K: Ord + Copy> DueIndex<K> {
    /// Adds what is due at `at`. It must not wait for another time already.
    pub fn insert(&mut self, at: Timestamp, key: K) {
        self.by_time.insert((at, key));
    }

    /// Adds what is due now.
    pub fn insert_at_once(&mut self, key: K) {
        self.at_once.insert(key);
    }

    /// Takes out what was inserted for `at`, also if it was hastened since; whether it was there.
    pub fn remove(&mut self, at: Timestamp, key: K) -> bool {
        self.by_time.remove(&(at, key)) || self.at_once.remove(&key)
    }

    /// What is due at `now` and next in turn; it stays in the index.
    #[must_use]
    pub fn peek(&self, now: Timestamp) -> Option<K> {
        let by_time = self.by_time.first().filter(|(at, _)| *at <= now).map(|(_, key)| *key);
        let at_once = self.at_once.first().copied();
        match self.turn {
            Turn::AtOnce => at_once.or(by_time),
            Turn::ByTime => by_time.or(at_once),
        }
    }

    /// Takes out what is due at `now` and next in turn.
    pub fn pop(&mut self, now: Timestamp) -> Option<K> {
        let key = self.peek(now)?;
        if self.at_once.first() == Some(&key) && self.at_once.remove(&key) {
            self.turn = Turn::ByTime;
        } else {
            self.by_time.pop_first();
            self.turn = Turn::AtOnce;
        }
        Some(key)
    }

    /// Up to `limit` entries that are due at `now`; they stay in the index.
    #[must_use]
    pub fn upcoming(&self, now: Timestamp, limit: usize) -> Vec<K> {
        let due = self.by_time.iter().take_while(|(at, _)| *at <= now).map(|(_, key)| *key);
        let mut found: Vec<K> = self.at_once.iter().copied().take(limit).collect();
        found.extend(due.take(limit));
        found
    }

    /// Takes out an entry that is due at `now`; whether it was there.
    pub fn discard(&mut self, now: Timestamp, key: K) -> bool {
        let found = self.by_time.iter().take_while(|(at, _)| *at <= now).find(|(_, k)| *k == key);
        let found = found.copied();
        found.is_some_and(|entry| self.by_time.remove(&entry)) || self.at_once.remove(&key)
    }

    /// The time at which the next entry is due; `now` if one is.
    #[must_use]
    pub fn next(&self, now: Timestamp) -> Option<Timestamp> {
        let by_time = self.by_time.first().map(|(at, _)| *at);
        if self.at_once.is_empty() { by_time } else { Some(now) }
    }

    /// Makes all that waits for a time later than `after` due at once: everything on a flush, what
    /// only a clock set back can explain otherwise (`attacks.md` J9). Gives the number that moved.
    pub fn hasten(&mut self, after: Timestamp) -> usize {
        let first = self.by_time.iter().rev().take_while(|(at, _)| *at > after).last().copied();
        let Some(first) = first else { return 0 };
        let late = self.by_time.split_off(&first);
        let moved = late.len();
        self.at_once.extend(late.into_iter().map(|(_, key)| key));
        moved
    }

    /// The first of all keys, due or not. Looks at every entry.
    #[must_use]
    pub fn least(&self) -> Option<K> {
        let by_time = self.by_time.iter().map(|(_, key)| *key).min();
        self.at_once.first().copied().into_iter().chain(by_time).min()
    }

    /// The number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_time.len() + self.at_once.len()
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

const FIVE_DAYS: Duration = Duration::from_secs(5 * 24 * 60 * 60);

#[cfg(test)]
mod tests {
    use mailweir_mail::QueueId;

    use super::*;

    #[test]
    fn the_waiting_time_doubles_between_postfix_s_two_limits() {
        let schedule = Schedule::default();
        let mut now = Timestamp::from_secs(1_000_000);
        let arrival = now;
        let waits: Vec<u64> = (0..7)
            .map(|_| {
                let next = schedule.next_try(arrival, now);
                let wait = next.since(now).as_secs();
                now = next;
                wait
            })
            .collect();
        assert_eq!(waits, [300, 300, 600, 1_200, 2_400, 4_000, 4_000]);
    }

    #[test]
    fn a_clock_set_back_gives_the_shortest_wait() {
        let schedule = Schedule::default();
        let (arrival, now) = (Timestamp::from_secs(9_000), Timestamp::from_secs(10));
        assert_eq!(schedule.next_try(arrival, now), Timestamp::from_secs(310));
    }

    #[test]
    fn mail_is_due_in_the_order_of_its_time_and_not_before() {
        let mut index = DueIndex::default();
        for (at, serial) in [(30, 1), (10, 2), (20, 3)] {
            index.insert(Timestamp::from_secs(at), id(serial));
        }
        assert_eq!(index.pop(Timestamp::from_secs(9)), None);
        assert_eq!(index.upcoming(Timestamp::from_secs(25), 9), [id(2), id(3)]);
        assert_eq!(index.pop(Timestamp::from_secs(25)), Some(id(2)));
        assert_eq!(index.pop(Timestamp::from_secs(25)), Some(id(3)));
        assert_eq!(index.pop(Timestamp::from_secs(25)), None);
        assert_eq!(index.next(Timestamp::from_secs(25)), Some(Timestamp::from_secs(30)));
    }

    #[test]
    fn what_is_hastened_is_due_at_once_and_is_still_found_by_its_time() {
        let mut index = DueIndex::default();
        for (at, serial) in [(10, 1), (20, 2), (30, 3), (40, 4)] {
            index.insert(Timestamp::from_secs(at), id(serial));
        }
        assert_eq!(index.hasten(Timestamp::from_secs(20)), 2);
        assert_eq!(index.len(), 4);
        assert!(index.remove(Timestamp::from_secs(30), id(3)));
        assert!(index.remove(Timestamp::from_secs(20), id(2)));
        assert_eq!(index.next(Timestamp::from_secs(5)), Some(Timestamp::from_secs(5)));
        assert_eq!(index.pop(Timestamp::from_secs(5)), Some(id(4)));
        assert_eq!(index.pop(Timestamp::from_secs(5)), None);
    }

    #[test]
    fn new_and_old_mail_take_turns() {
        let mut index = DueIndex::default();
        for serial in 0..3 {
            index.insert_at_once(id(serial));
            index.insert(Timestamp::from_secs(1), id(10 + serial));
        }
        let order: Vec<_> = std::iter::from_fn(|| index.pop(Timestamp::from_secs(9))).collect();
        assert_eq!(order, [0, 10, 1, 11, 2, 12].map(id));
    }

    #[test]
    fn a_million_mails_are_found_in_order() {
        let mut index = DueIndex::default();
        for serial in 0..1_000_000_u32 {
            let at = Timestamp::from_secs(u64::from(serial.wrapping_mul(2_654_435_761) % 5_000));
            index.insert(at, id(serial));
        }
        let due = std::iter::from_fn(|| index.pop(Timestamp::from_secs(2_499))).count();
        assert_eq!(due + index.len(), 1_000_000);
        let now = Timestamp::from_secs(2_499);
        assert!(index.next(now).is_some_and(|at| at >= Timestamp::from_secs(2_500)));
    }

    fn id(serial: u32) -> QueueId {
        QueueId::new(Timestamp::from_secs(1), serial)
    }
}
