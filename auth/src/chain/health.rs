//! Whether a back end answers, and when to ask one that does not. Pure: time is an argument.

use std::time::Duration;

use tokio::time::Instant;

/// How a back end has answered lately.
///
/// One failure may be about one user or one lost connection. After [`PATIENCE`] in a row the back
/// end is down: nobody waits for it any more, until a single attempt after a pause finds it well.
#[derive(Clone, Debug, Default)]
pub(super) struct Pulse {
    failures: u32,
    down: Option<Down>,
}

#[derive(Clone, Debug)]
struct Down {
    reason: Box<str>,
    next_try: Instant,
}

impl Pulse {
    /// Why the back end need not be asked now, if it need not. When the pause is over, the one
    /// that asks first is let through, and the others go on to be refused until it knows more.
    pub(super) fn refusal(&mut self, now: Instant) -> Option<Box<str>> {
        let pause = self.pause();
        let down = self.down.as_mut()?;
        if now < down.next_try {
            return Some(down.reason.clone());
        }
        down.next_try = now + pause;
        None
    }

    /// It has answered, whatever it said. Whether that is news.
    pub(super) fn answered(&mut self) -> bool {
        self.failures = 0;
        self.down.take().is_some()
    }

    /// It has failed to answer. Whether that makes it down.
    pub(super) fn failed(&mut self, reason: &str, now: Instant) -> bool {
        self.failures = self.failures.saturating_add(1);
        if self.failures < PATIENCE {
            return false;
        }
        let next_try = now + self.pause();
        self.down.replace(Down { reason: reason.into(), next_try }).is_none()
    }

    /// Why it is down, if it is.
    pub(super) fn reason(&self) -> Option<&str> {
        self.down.as_ref().map(|down| &*down.reason)
    }

    fn pause(&self) -> Duration {
        let doublings = self.failures.saturating_sub(PATIENCE).min(10);
        (FIRST_PAUSE * 2_u32.pow(doublings)).min(LONGEST_PAUSE)
    }
}

const PATIENCE: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_down_after_three_failures_in_a_row_and_asked_once_after_each_pause() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut pulse = Pulse::default();
        assert!(!pulse.failed("refused", start) && !pulse.failed("refused", start));
        assert!(!pulse.answered(), "two failures are no news, and forgotten");
        for last in [false, false, true] {
            assert_eq!(pulse.refusal(start), None);
            assert_eq!(pulse.failed("refused", start), last);
        }
        assert_eq!(pulse.refusal(start).as_deref(), Some("refused"));
        assert_eq!(pulse.refusal(after(1)), None, "one may try");
        assert_eq!(pulse.refusal(after(1)).as_deref(), Some("refused"), "not two");
        assert!(!pulse.failed("timed out", after(1)), "still down is no news");
        assert_eq!(pulse.refusal(after(2)).as_deref(), Some("timed out"));
        assert_eq!(pulse.refusal(after(3)), None);
        assert!(pulse.answered());
        assert_eq!((pulse.refusal(after(3)), pulse.reason()), (None, None));
    }

    #[test]
    fn the_pause_is_bounded() {
        let start = Instant::now();
        let mut pulse = Pulse::default();
        for _ in 0..100 {
            pulse.failed("refused", start);
        }
        assert!(pulse.refusal(start + LONGEST_PAUSE).is_none());
    }
}
