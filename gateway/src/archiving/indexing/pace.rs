//! When the index rests: while mail comes in numbers, and not for long. Pure: the time is an argument.

use std::time::{Duration, Instant};

use mailweir_archive::frame::Seq;

/// How fast records come.
pub(super) struct Pace {
    looked: Instant,
    /// The last record then.
    last: Seq,
    rest: Rest,
}

#[derive(Clone, Copy)]
enum Rest {
    /// They do not come fast.
    No,
    /// They do, since then.
    Since(Instant),
}

impl Pace {
    pub(super) const fn new(now: Instant, last: Seq) -> Self {
        Self { looked: now, last, rest: Rest::No }
    }

    /// How long to rest now; `None`: go on. `last`: the last record that there is. `is_awaited`: somebody waits for
    /// the index, and not for long.
    pub(super) fn rest(&mut self, now: Instant, last: Seq, is_awaited: bool) -> Option<Duration> {
        let window = now.duration_since(self.looked);
        if window < WINDOW {
            return None;
        }
        let came = last.saturating_sub(self.last);
        (self.looked, self.last) = (now, last);
        if came < FAST * u64::try_from(window.as_millis()).unwrap_or(u64::MAX) / 1_000 {
            self.rest = Rest::No;
            return None;
        }
        let since = match self.rest {
            Rest::No => now,
            Rest::Since(since) => since,
        };
        self.rest = Rest::Since(since);
        (!is_awaited && now.duration_since(since) < LONGEST_REST).then_some(WINDOW)
    }
}

/// Between two looks, and at once.
const WINDOW: Duration = Duration::from_millis(100);

/// Records a second: two for each mail.
const FAST: u64 = 2_000;

/// After which it goes on, however fast they come.
const LONGEST_REST: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said at each look, with so many records between two of them.
    fn looks(pace: &mut Pace, from: Instant, records: &[u64]) -> Vec<bool> {
        let mut last = pace.last;
        let look = |(number, came): (u32, &u64)| {
            last += came;
            pace.rest(from + (number + 1) * WINDOW, last, false).is_some()
        };
        (0..).zip(records).map(look).collect()
    }

    #[test]
    fn it_rests_while_mail_comes_in_numbers_and_half_a_minute_at_most() {
        let now = Instant::now();
        let mut pace = Pace::new(now, 7);
        assert_eq!(
            looks(&mut pace, now, &[0, 199, 200, 5_000, 100, 0]),
            [false, false, true, true, false, false]
        );
        let mut pace = Pace::new(now, 0);
        let rests = looks(&mut pace, now, &[900; 400]);
        assert!(rests[..300].iter().all(|rests| *rests));
        assert!(rests[300..].iter().all(|rests| !rests), "it goes on, though slowly");
    }

    #[test]
    fn it_does_not_rest_while_somebody_waits_for_it() {
        let now = Instant::now();
        let mut pace = Pace::new(now, 0);
        let at = |looks: u32| now + looks * WINDOW;
        assert_eq!(pace.rest(at(1), 1_000, false), Some(WINDOW));
        assert_eq!(pace.rest(at(2), 2_000, true), None);
        assert_eq!(pace.rest(at(3), 3_000, false), Some(WINDOW));
    }

    #[test]
    fn many_records_behind_a_long_pause_are_no_stream() {
        let now = Instant::now();
        let mut pace = Pace::new(now, 0);
        assert_eq!(
            pace.rest(now + Duration::from_millis(50), 10_000, false),
            None,
            "too early to say"
        );
        assert_eq!(pace.rest(now + Duration::from_secs(10), 10_000, false), None);
    }
}
