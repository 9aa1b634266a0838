//! Whether a back end answers, and when to ask one that does not. Pure: time is an argument.

use std::time::Duration;

use tokio::time::Instant;

/// How a back end has answered lately.
///
/// One failure may be about one user or one lost connection. After [`PATIENCE`] in a row the back
/// end is down: nobody waits for it any more, until a single attempt after a pause finds it well.
///
/// A back end may let those wait who guess, as Dovecot and PAM do. So a question that was not
/// answered counts only if no other was answered since it was put: whoever makes a server slow for
/// himself does not make it look down to the others.
#[derive(Clone, Debug, Default)]
pub(super) struct Pulse {
    answers: u64,
    failures: u32,
    down: Option<Down>,
}

/// When a question was put.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    answers: u64,
    is_probe: bool,
}

#[derive(Clone, Debug)]
struct Down {
    reason: Box<str>,
    next_try: Instant,
}

impl Pulse {
    /// Puts a question, unless the back end need not be asked now; then why. When the pause is
    /// over, the one that asks first is let through, and the others go on to be refused until it
    /// knows more.
    pub(super) fn ask(&mut self, now: Instant) -> Result<Asked, Box<str>> {
        let (pause, asked) =
            (self.pause(), Asked { answers: self.answers, is_probe: self.down.is_some() });
        match &mut self.down {
            Some(down) if now < down.next_try => Err(down.reason.clone()),
            Some(down) => {
                down.next_try = now + pause;
                Ok(asked)
            }
            None => Ok(asked),
        }
    }

    /// It has answered, whatever it said. Whether that is news.
    pub(super) fn answered(&mut self) -> bool {
        self.answers = self.answers.wrapping_add(1);
        self.failures = 0;
        self.down.take().is_some()
    }

    /// It has failed to answer what was `asked`. Whether that makes it down.
    pub(super) fn failed(&mut self, asked: Asked, reason: &str, now: Instant) -> bool {
        if self.answers != asked.answers || self.is_stale(asked) {
            return false;
        }
        self.failures = self.failures.saturating_add(1);
        if self.failures < PATIENCE {
            return false;
        }
        let next_try = now + self.pause();
        self.down.replace(Down { reason: reason.into(), next_try }).is_none()
    }

    /// Whether it was asked before it went down: that it is down is known since.
    const fn is_stale(&self, asked: Asked) -> bool {
        self.down.is_some() && !asked.is_probe
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
        assert!(!fails(&mut pulse, "refused", start) && !fails(&mut pulse, "refused", start));
        assert!(!pulse.answered(), "two failures are no news, and forgotten");
        for last in [false, false, true] {
            assert_eq!(fails(&mut pulse, "refused", start), last);
        }
        assert_eq!(refusal(&mut pulse, start), Some("refused".into()));
        let probe = pulse.ask(after(1)).unwrap();
        assert_eq!(refusal(&mut pulse, after(1)), Some("refused".into()), "one may try, not two");
        assert!(!pulse.failed(probe, "timed out", after(1)), "still down is no news");
        assert_eq!(refusal(&mut pulse, after(2)), Some("timed out".into()));
        assert_eq!(refusal(&mut pulse, after(3)), None);
        assert!(pulse.answered());
        assert_eq!((refusal(&mut pulse, after(3)), pulse.reason()), (None, None));
    }

    #[test]
    fn who_is_made_to_wait_while_others_are_answered_does_not_make_it_look_down() {
        let now = Instant::now();
        let mut pulse = Pulse::default();
        for _ in 0..100 {
            let slow = pulse.ask(now).unwrap();
            let other = pulse.ask(now);
            assert!(other.is_ok() && !pulse.answered());
            assert!(!pulse.failed(slow, "no answer", now));
        }
        assert_eq!(pulse.reason(), None);
    }

    #[test]
    fn the_pause_is_bounded() {
        let start = Instant::now();
        let mut pulse = Pulse::default();
        for _ in 0..3 {
            fails(&mut pulse, "refused", start);
        }
        let mut now = start;
        for _ in 0..100 {
            now += LONGEST_PAUSE;
            fails(&mut pulse, "refused", now);
        }
        assert!(pulse.ask(now + LONGEST_PAUSE).is_ok());
    }

    #[test]
    fn what_was_asked_before_it_went_down_does_not_make_the_pause_longer() {
        let start = Instant::now();
        let mut pulse = Pulse::default();
        let many: Vec<_> = (0..20).map(|_| pulse.ask(start).unwrap()).collect();
        let news = many.into_iter().filter(|&asked| pulse.failed(asked, "refused", start)).count();
        assert_eq!(news, 1);
        assert!(pulse.ask(start + FIRST_PAUSE).is_ok());
    }

    fn fails(pulse: &mut Pulse, reason: &str, now: Instant) -> bool {
        let asked = pulse.ask(now).unwrap();
        pulse.failed(asked, reason, now)
    }

    fn refusal(pulse: &mut Pulse, now: Instant) -> Option<Box<str>> {
        pulse.ask(now).err()
    }
}
