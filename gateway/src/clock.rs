//! The clocks of the shells. Pure code receives what these read.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use mailweir_mail::Timestamp;

/// Wall-clock time now; the epoch itself if the machine's clock stands before it.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
pub fn now() -> Timestamp {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX))
}

/// Monotonic time now. Follows the runtime's clock, so that tests can stop it.
#[must_use]
pub fn monotonic() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// The wall clock as the queue asks for it.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl mailweir_queue::Clock for SystemClock {
    fn now(&self) -> Timestamp {
        now()
    }
}
