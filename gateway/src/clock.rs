//! The clocks of the shells. Pure code receives what these read.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use mailweir_mail::Timestamp;
use mailweir_moderation::rule::{LocalTime, Weekday};

/// Wall-clock time now; the epoch itself if the machine's clock stands before it.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
pub fn now() -> Timestamp {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX))
}

/// The time of the week at `time`. In UTC as yet: the zone of the machine is not read.
#[must_use]
pub fn local(time: Timestamp) -> LocalTime {
    let civil = time.civil();
    let day = match civil.weekday {
        1 => Weekday::Monday,
        2 => Weekday::Tuesday,
        3 => Weekday::Wednesday,
        4 => Weekday::Thursday,
        5 => Weekday::Friday,
        6 => Weekday::Saturday,
        _ => Weekday::Sunday,
    };
    LocalTime { day, minute: u16::try_from(civil.hour * 60 + civil.minute).unwrap_or(0) }
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
