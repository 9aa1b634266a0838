//! Who fails again and again is left alone for a while, so that nobody waits for nothing.

use std::time::Duration;

use tokio::time::Instant;

/// How a filter has fared.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    /// In a row.
    failures: u32,
    /// Until then it is left alone.
    until: Option<Instant>,
}

impl Breaker {
    /// How often it has failed in a row, if it is left alone now. When that time is over one question is let through
    /// to see how it fares.
    pub(super) fn refuses(&mut self, now: Instant) -> Option<u32> {
        match self.until {
            Some(until) if now < until => Some(self.failures),
            Some(_) => {
                self.until = Some(now + PAUSE);
                None
            }
            None => None,
        }
    }

    /// It is heard of again, and has not said yet what it is asked for: all may ask it, and one more failure is one too many.
    pub(super) fn is_back(&mut self) {
        if self.until.take().is_some() {
            self.failures = MOST_FAILURES - 1;
        }
    }

    /// Whether it is left alone, or has been until now.
    pub(super) const fn is_open(&self) -> bool {
        self.until.is_some()
    }

    pub(super) fn succeeded(&mut self) {
        *self = Self::default();
    }

    pub(super) fn failed(&mut self, now: Instant) {
        self.failures = self.failures.saturating_add(1);
        if self.failures >= MOST_FAILURES {
            self.until = Some(now + PAUSE);
        }
    }
}

/// Why one that has failed so often was not asked.
pub(super) fn left_alone(times: u32) -> String {
    format!("it was not asked, for it has failed {times} times in a row")
}

/// After so many failures in a row it is left alone.
const MOST_FAILURES: u32 = 5;

/// For so long.
const PAUSE: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_fails_again_and_again_is_left_alone_and_then_asked_once() {
        let (mut breaker, begin) = (Breaker::default(), Instant::now());
        for _ in 1..MOST_FAILURES {
            breaker.failed(begin);
            assert_eq!(breaker.refuses(begin), None);
        }
        breaker.failed(begin);
        assert_eq!(breaker.refuses(begin), Some(MOST_FAILURES));
        let later = begin + PAUSE;
        assert_eq!(breaker.refuses(later), None, "one is let through");
        assert_eq!(breaker.refuses(later), Some(MOST_FAILURES), "and only one");
        breaker.failed(later);
        assert_eq!(breaker.refuses(later), Some(MOST_FAILURES + 1));
        breaker.succeeded();
        assert_eq!(breaker.refuses(later), None);
        breaker.failed(later);
        assert_eq!(breaker.refuses(later), None, "it begins anew");
    }

    #[test]
    fn who_is_back_is_asked_by_all_and_fails_once_more() {
        let (mut breaker, begin) = (Breaker::default(), Instant::now());
        breaker.failed(begin);
        breaker.is_back();
        for _ in 1..MOST_FAILURES {
            assert_eq!(breaker.refuses(begin), None);
            breaker.failed(begin);
        }
        assert_eq!(breaker.refuses(begin), Some(MOST_FAILURES));
        let later = begin + PAUSE;
        assert_eq!(breaker.refuses(later), None);
        breaker.is_back();
        assert_eq!(breaker.refuses(later), None);
        assert_eq!(breaker.refuses(later), None);
        breaker.failed(later);
        assert_eq!(breaker.refuses(later), Some(MOST_FAILURES));
    }
}
