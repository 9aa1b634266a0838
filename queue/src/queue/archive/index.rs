//! Which mails the archive is owed: ids and nothing else, so that a hundred thousand of them take a
//! few megabytes while it cannot be reached.

use std::{collections::BTreeSet, time::Duration};

use mailweir_mail::{QueueId, Timestamp};

use crate::progress::{Progress, State};

/// The mails of which the archive is owed something, and to whom nobody gives it just now.
#[derive(Default)]
pub(in crate::queue) struct ArchiveIndex {
    /// To be handed out, the oldest first.
    owed: BTreeSet<QueueId>,
    /// Accepted a moment ago and under way: most of them end before `patience` is over.
    fresh: BTreeSet<QueueId>,
    /// Cannot be read just now.
    postponed: BTreeSet<(Timestamp, QueueId)>,
    patience: Duration,
}

impl ArchiveIndex {
    pub(in crate::queue) fn new(patience: Duration) -> Self {
        Self { patience, ..Self::default() }
    }

    /// Puts in a mail of which something is owed. Whether that is news to somebody who waits for the
    /// first.
    pub(in crate::queue) fn insert(&mut self, id: QueueId, progress: &Progress) -> bool {
        let index = match !self.patience.is_zero() && is_fresh(progress) {
            true => &mut self.fresh,
            false => &mut self.owed,
        };
        index.insert(id) && index.first() == Some(&id)
    }

    /// Takes a mail out; whether it was in.
    pub(in crate::queue) fn remove(&mut self, id: QueueId) -> bool {
        let found = self.fresh.remove(&id) || self.owed.remove(&id);
        found || {
            let entry = self.postponed.iter().find(|(_, found)| *found == id).copied();
            entry.is_some_and(|entry| self.postponed.remove(&entry))
        }
    }

    /// Puts off a mail that cannot be read.
    pub(in crate::queue) fn postpone(&mut self, id: QueueId, until: Timestamp) {
        if self.owed.remove(&id) {
            self.postponed.insert((until, id));
        }
    }

    /// Has what was put off for a time later than `after` handed out: a clock that was set back must
    /// not make it wait (`attacks.md` J9).
    pub(in crate::queue) fn hasten(&mut self, after: Timestamp) {
        while let Some(entry) = self.postponed.last().copied().filter(|(at, _)| *at > after) {
            self.postponed.remove(&entry);
            self.owed.insert(entry.1);
        }
    }

    /// Has what waited for a time until `now` handed out.
    pub(super) fn advance(&mut self, now: Timestamp) {
        while let Some(id) = self.ripe(now) {
            self.fresh.remove(&id);
            self.owed.insert(id);
        }
        while let Some(entry) = self.postponed.first().copied().filter(|(at, _)| *at <= now) {
            self.postponed.remove(&entry);
            self.owed.insert(entry.1);
        }
    }

    /// What is to be handed out, the oldest first.
    pub(super) fn owed(&self) -> impl Iterator<Item = QueueId> + '_ {
        self.owed.iter().copied()
    }

    /// The oldest mail, handed out soon or not.
    pub(in crate::queue) fn oldest(&self) -> Option<QueueId> {
        let postponed = self.postponed.iter().map(|(_, id)| id).min();
        [self.owed.first(), self.fresh.first(), postponed].into_iter().flatten().min().copied()
    }

    /// When there is something to be handed out; `now` if there is.
    pub(super) fn next(&self, now: Timestamp) -> Option<Timestamp> {
        if !self.owed.is_empty() || self.ripe(now).is_some() {
            return Some(now);
        }
        let fresh = self.fresh.first().map(|id| id.arrival().plus(self.patience));
        let postponed = self.postponed.first().map(|(at, _)| *at);
        fresh.into_iter().chain(postponed).min()
    }

    /// A mail with which there is no patience any more. Nor with one of the future: the clock was set
    /// back since, and may be so for long.
    fn ripe(&self, now: Timestamp) -> Option<QueueId> {
        let first = self.fresh.first().filter(|id| id.arrival().plus(self.patience) <= now);
        let last = || self.fresh.last().filter(|id| id.arrival() > now.plus(self.patience));
        first.or_else(last).copied()
    }

    #[cfg(test)]
    pub(in crate::queue) fn len(&self) -> usize {
        self.owed.len() + self.fresh.len() + self.postponed.len()
    }

    #[cfg(test)]
    pub(in crate::queue) fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Whether the end of a mail is likely to come soon: nothing has put it off yet.
const fn is_fresh(progress: &Progress) -> bool {
    let is_under_way = matches!(
        progress.state,
        State::Screening { .. } | State::Ready { .. } | State::Delivering { .. }
    );
    is_under_way && progress.attempts == 0
}

#[cfg(test)]
mod tests {
    use mailweir_mail::{Envelope, HoldReason, ReversePath, Stage};

    use super::*;
    use crate::progress::Outcome;

    #[test]
    fn what_has_ended_or_waits_is_owed_at_once_and_what_is_under_way_after_a_while() {
        let ready = State::Ready { not_before: NOW };
        let held =
            State::Held { reason: HoldReason::new("rule"), since: NOW, resume: Stage::Route };
        for (state, attempts, at_once) in [
            (ready.clone(), 0, false),
            (State::Screening { next: Stage::Filter }, 0, false),
            (State::Delivering { attempt: 1, order: None }, 0, false),
            (ready, 1, true),
            (State::Delivering { attempt: 2, order: None }, 1, true),
            (held, 0, true),
            (State::Finished(Outcome::Delivered), 1, true),
        ] {
            let mut index = ArchiveIndex::new(PATIENCE);
            assert!(index.insert(nth(1), &progress(state.clone(), attempts)));
            index.advance(NOW);
            let at = if at_once { NOW } else { NOW.plus(PATIENCE) };
            assert_eq!((index.next(NOW), index.owed().count() == 1), (Some(at), at_once));
            index.advance(NOW.plus(PATIENCE));
            assert_eq!(index.owed().collect::<Vec<_>>(), [nth(1)], "{state:?}");
        }
    }

    #[test]
    fn the_oldest_comes_first_and_only_the_first_is_news() {
        let mut index = ArchiveIndex::new(Duration::ZERO);
        let ready = progress(State::Ready { not_before: NOW }, 0);
        let news = [3, 1, 2, 2].map(|number| index.insert(nth(number), &ready));
        assert_eq!(news, [true, true, false, false]);
        assert_eq!(index.owed().collect::<Vec<_>>(), [1, 2, 3].map(nth));
        assert_eq!(index.oldest(), Some(nth(1)));
        assert!(index.remove(nth(2)) && !index.remove(nth(2)));
        assert_eq!(index.owed().collect::<Vec<_>>(), [1, 3].map(nth));
    }

    #[test]
    fn what_cannot_be_read_waits_and_keeps_nobody_waiting() {
        let mut index = ArchiveIndex::new(Duration::ZERO);
        let ready = progress(State::Ready { not_before: NOW }, 0);
        for number in [1, 2] {
            index.insert(nth(number), &ready);
        }
        let later = NOW.plus(Duration::from_secs(300));
        index.postpone(nth(1), later);
        assert_eq!(index.owed().collect::<Vec<_>>(), [nth(2)]);
        assert!(index.remove(nth(2)));
        assert_eq!((index.next(NOW), index.oldest()), (Some(later), Some(nth(1))));
        index.advance(later);
        assert_eq!(index.owed().collect::<Vec<_>>(), [nth(1)]);
        index.postpone(nth(1), later);
        assert!(index.remove(nth(1)));
        assert_eq!((index.next(NOW), index.oldest(), index.len()), (None, None, 0));
    }

    #[test]
    fn a_clock_set_back_makes_nothing_wait_j9() {
        let mut index = ArchiveIndex::new(PATIENCE);
        let ready = progress(State::Ready { not_before: NOW }, 0);
        for number in [1, 2] {
            index.insert(nth(number), &ready);
        }
        index.advance(NOW.plus(PATIENCE));
        index.postpone(nth(1), NOW.plus(PATIENCE));
        index.insert(nth(3), &ready);
        let back = Timestamp::from_secs(NOW.as_secs() - 3_600);
        index.hasten(back);
        assert_eq!(index.owed().collect::<Vec<_>>(), [1, 2].map(nth));
        assert_eq!(index.next(back), Some(back));
        index.advance(back);
        assert_eq!(index.owed().collect::<Vec<_>>(), [1, 2, 3].map(nth));
    }

    #[test]
    fn two_clocks_that_are_read_a_moment_apart_do_not_end_the_patience() {
        let mut index = ArchiveIndex::new(PATIENCE);
        index.insert(nth(1), &progress(State::Ready { not_before: NOW }, 0));
        let before = Timestamp::from_micros(NOW.as_micros() - 1_000);
        index.advance(before);
        assert_eq!((index.owed().count(), index.next(before)), (0, Some(NOW.plus(PATIENCE))));
    }

    fn progress(state: State, attempts: u32) -> Progress {
        let envelope = Envelope::from_sender(ReversePath::Null).to("r@b.example".parse().unwrap());
        Progress { attempts, ..Progress::new(state, &envelope, NOW) }
    }

    const fn nth(number: u32) -> QueueId {
        QueueId::new(NOW, number)
    }

    const NOW: Timestamp = Timestamp::from_secs(1_795_210_205);
    const PATIENCE: Duration = Duration::from_secs(1);
}
