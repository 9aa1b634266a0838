//! A sliding window of counts, in buckets.

use std::collections::VecDeque;

/// How many buckets divide the window.
pub(super) const BUCKETS: u64 = 60;

/// Mails and recipients. Saturates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) messages: u32,
    pub(super) recipients: u32,
}

impl Sent {
    pub(super) const fn and(self, more: Self) -> Self {
        Self {
            messages: self.messages.saturating_add(more.messages),
            recipients: self.recipients.saturating_add(more.recipients),
        }
    }

    const fn without(self, less: Self) -> Self {
        Self {
            messages: self.messages.saturating_sub(less.messages),
            recipients: self.recipients.saturating_sub(less.recipients),
        }
    }
}

/// The buckets that hold something, oldest first: the one under way and the [`BUCKETS`] before it.
#[derive(Clone, Debug, Default)]
pub(super) struct Window(VecDeque<(u64, Sent)>);

impl Window {
    /// All that counts in the bucket `now`.
    pub(super) fn sum(&self, now: u64) -> Sent {
        let counting = self.0.iter().filter(|(number, _)| counts(*number, now));
        counting.fold(Sent::default(), |sum, (_, sent)| sum.and(*sent))
    }

    /// Counts something in the bucket `now`, and drops what counts no more.
    pub(super) fn add(&mut self, now: u64, sent: Sent) {
        while self.0.front().is_some_and(|(number, _)| !counts(*number, now)) {
            self.0.pop_front();
        }
        match self.0.back_mut() {
            // Two sessions may come in another order than their times were taken.
            Some((number, last)) if *number >= now => *last = last.and(sent),
            _ => self.0.push_back((now, sent)),
        }
    }

    /// Takes back what was added in the bucket `then`.
    pub(super) fn remove(&mut self, then: u64, sent: Sent) {
        if let Some((_, counted)) = self.0.iter_mut().find(|(number, _)| *number >= then) {
            *counted = counted.without(sent);
        }
    }

    /// How many buckets are kept.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

const fn counts(number: u64, now: u64) -> bool {
    number.saturating_add(BUCKETS) >= now
}
