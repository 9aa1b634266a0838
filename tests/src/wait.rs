//! Waiting for other processes. The only place that sleeps between two looks.
//!
//! Within one process nothing needs this: there, an event says that it happened.

use std::time::{Duration, Instant};

/// How long the tools wait for a peer before they give up. Far above what any of them needs.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Looks again and again until `look` finds something.
///
/// # Panics
/// If it finds nothing within `limit`; `what` then stands in the message.
pub fn until<T>(what: &str, limit: Duration, look: impl FnMut() -> Option<T>) -> T {
    within(limit, look).unwrap_or_else(|| panic!("waited {limit:?} for {what}"))
}

/// As [`until`], but `None` when the time is up.
pub fn within<T>(limit: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + limit;
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if Instant::now() >= end {
            return None;
        }
        pause(BETWEEN_LOOKS);
    }
}

/// Lets other processes run.
#[expect(clippy::disallowed_methods, reason = "another process cannot wake this one")]
pub fn pause(time: Duration) {
    std::thread::sleep(time);
}

const BETWEEN_LOOKS: Duration = Duration::from_millis(2);
