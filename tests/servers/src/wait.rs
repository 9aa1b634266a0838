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

/// As [`until`], for something in this process that no event announces: others go on meanwhile.
///
/// # Panics
/// If it does not come true within [`PATIENCE`].
pub async fn until_true(what: &str, look: impl AsyncFnMut() -> bool) {
    assert!(within_patience(look).await, "waited {PATIENCE:?} for {what}");
}

/// As [`until_true`], but says whether it came true.
pub async fn within_patience(mut look: impl AsyncFnMut() -> bool) -> bool {
    let end = Instant::now() + PATIENCE;
    while !look().await {
        if Instant::now() >= end {
            return false;
        }
        let_others_run().await;
    }
    true
}

#[expect(clippy::disallowed_methods, reason = "the one place where tests wait between two looks")]
async fn let_others_run() {
    tokio::time::sleep(BETWEEN_LOOKS).await;
}

const BETWEEN_LOOKS: Duration = Duration::from_millis(2);
