//! When the peer must have done something.
//!
//! A whole command must arrive within the time limit, however slowly it drips; content extends
//! its deadline by what it brings (Postfix `smtpd_per_request_deadline`, `smtpd_min_data_rate`;
//! `attacks.md` A16).

use std::time::{Duration, Instant};

use super::Limits;

#[derive(Debug)]
pub(super) struct Clock {
    deadline: Instant,
    wait: Wait,
}

/// What the peer has done since the deadline was set.
#[derive(Debug)]
enum Wait {
    /// All we waited for: the next wait begins anew.
    Over,
    /// So many bytes of content.
    Going { received: u64 },
}

impl Clock {
    pub(super) fn new(limits: &Limits, now: Instant) -> Self {
        Self { deadline: now + limits.timeout, wait: Wait::Over }
    }

    pub(super) const fn deadline(&self) -> Instant {
        self.deadline
    }

    /// The peer did what we waited for.
    pub(super) fn rest(&mut self) {
        self.wait = Wait::Over;
    }

    /// Content came.
    pub(super) fn credit(&mut self, bytes: usize) {
        if let Wait::Going { received } = &mut self.wait {
            *received = received.saturating_add(bytes as u64);
        }
    }

    /// From now on it is the peer's turn.
    pub(super) fn wait(&mut self, limits: &Limits, now: Instant) {
        let full = now + limits.timeout;
        self.deadline = match self.wait {
            Wait::Over => full,
            Wait::Going { received } => full.min(self.deadline + earned(received, limits)),
        };
        self.wait = Wait::Going { received: 0 };
    }

    /// The peer has a last moment to read our farewell.
    pub(super) fn last_moment(&mut self, now: Instant) {
        self.deadline = now + FAREWELL;
        self.wait = Wait::Going { received: 0 };
    }
}

fn earned(bytes: u64, limits: &Limits) -> Duration {
    let rate = u64::from(limits.min_data_rate.max(1));
    Duration::from_millis(bytes.saturating_mul(1000) / rate).min(limits.timeout)
}

const FAREWELL: Duration = Duration::from_secs(10);

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "a test begins at some moment; later ones are reckoned from it"
)]
mod tests {
    use super::*;

    #[test]
    fn a_dripping_command_does_not_extend_its_deadline() {
        let (limits, start) = (Limits::default(), Instant::now());
        let mut clock = Clock::new(&limits, start);
        clock.wait(&limits, start);
        for second in 1..200 {
            clock.wait(&limits, start + Duration::from_secs(second));
        }
        assert_eq!(clock.deadline(), start + limits.timeout);
        clock.rest();
        clock.wait(&limits, start + Duration::from_secs(200));
        assert_eq!(clock.deadline(), start + Duration::from_secs(200) + limits.timeout);
    }

    #[test]
    fn content_earns_time_by_its_bytes_but_never_more_than_the_limit() {
        let (limits, start) = (Limits::default(), Instant::now());
        let mut clock = Clock::new(&limits, start);
        clock.wait(&limits, start);
        clock.credit(5000);
        clock.wait(&limits, start + Duration::from_secs(100));
        assert_eq!(clock.deadline(), start + limits.timeout + Duration::from_secs(10));
        clock.credit(usize::MAX);
        clock.wait(&limits, start + Duration::from_secs(101));
        assert_eq!(clock.deadline(), start + Duration::from_secs(101) + limits.timeout);
    }
}
