//! When a mail is tried again: Postfix's retry schedule, and the index of what is due.
//!
//! Pure: time is an argument. A held mail is in no index; putting it on hold takes it out, and
//! only release puts it back.

use std::{collections::BTreeSet, time::Duration};

use mailweir_mail::{QueueId, ReversePath, Timestamp};

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

/// The mails that wait for a time, ordered by it. 24 bytes each: a million fit in small memory.
#[derive(Debug, Default)]
pub struct DueIndex {
    by_time: BTreeSet<(Timestamp, QueueId)>,
}

impl DueIndex {
    /// Adds a mail. It must not be in the index yet at another time.
    pub fn insert(&mut self, at: Timestamp, id: QueueId) {
        self.by_time.insert((at, id));
    }

    /// Takes a mail out; whether it was there.
    pub fn remove(&mut self, at: Timestamp, id: QueueId) -> bool {
        self.by_time.remove(&(at, id))
    }

    /// Takes out the mail that has been due longest at `now`.
    pub fn due(&mut self, now: Timestamp) -> Option<QueueId> {
        let (at, _) = self.by_time.first()?;
        if *at > now {
            return None;
        }
        self.by_time.pop_first().map(|(_, id)| id)
    }

    /// The time at which the next mail is due.
    #[must_use]
    pub fn next(&self) -> Option<Timestamp> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// Makes every mail due at `at` at the latest: a flush, or a clock that was set back
    /// (`attacks.md` J9). Gives the number of mails that moved.
    pub fn hasten(&mut self, at: Timestamp) -> usize {
        let last = QueueId::new(Timestamp::from_micros(u64::MAX), u32::MAX);
        let mut late = self.by_time.split_off(&(at, last));
        late.remove(&(at, last));
        let moved = late.len();
        self.by_time.extend(late.into_iter().map(|(_, id)| (at, id)));
        moved
    }

    /// The number of mails that wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_time.len()
    }

    /// Whether no mail waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_time.is_empty()
    }
}

const FIVE_DAYS: Duration = Duration::from_secs(5 * 24 * 60 * 60);

#[cfg(test)]
mod tests {
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
        assert_eq!(index.due(Timestamp::from_secs(9)), None);
        assert_eq!(index.due(Timestamp::from_secs(25)), Some(id(2)));
        assert_eq!(index.due(Timestamp::from_secs(25)), Some(id(3)));
        assert_eq!(index.due(Timestamp::from_secs(25)), None);
        assert_eq!(index.next(), Some(Timestamp::from_secs(30)));
    }

    #[test]
    fn hastening_moves_only_what_is_later() {
        let mut index = DueIndex::default();
        for (at, serial) in [(10, 1), (20, 2), (30, 3)] {
            index.insert(Timestamp::from_secs(at), id(serial));
        }
        assert_eq!(index.hasten(Timestamp::from_secs(20)), 1);
        assert_eq!(index.len(), 3);
        assert_eq!(index.due(Timestamp::from_secs(10)), Some(id(1)));
        assert_eq!(index.due(Timestamp::from_secs(20)), Some(id(2)));
        assert_eq!(index.due(Timestamp::from_secs(20)), Some(id(3)));
    }

    #[test]
    fn a_million_mails_are_found_in_order() {
        let mut index = DueIndex::default();
        for serial in 0..1_000_000_u32 {
            let at = Timestamp::from_secs(u64::from(serial.wrapping_mul(2_654_435_761) % 5_000));
            index.insert(at, id(serial));
        }
        let due = std::iter::from_fn(|| index.due(Timestamp::from_secs(2_499))).count();
        assert_eq!(due + index.len(), 1_000_000);
        assert!(index.next().is_some_and(|at| at >= Timestamp::from_secs(2_500)));
    }

    fn id(serial: u32) -> QueueId {
        QueueId::new(Timestamp::from_secs(1), serial)
    }
}
