//! How busy the machine is with other work, by the counters of proc(5).

use std::{fs, time::Duration};

use crate::wait;

/// The share of all processors' time, 0 to 1, that was not idle during the last half second. To be
/// called while we do nothing ourselves. 0 where the counters cannot be read.
pub(super) fn busy_share() -> f64 {
    let before = times();
    wait::pause(Duration::from_millis(500));
    let after = times();
    let (Some((busy_before, all_before)), Some((busy, all))) = (before, after) else { return 0.0 };
    let all = all.saturating_sub(all_before).max(1);
    busy.saturating_sub(busy_before) as f64 / all as f64
}

/// Busy and all ticks since the machine started.
fn times() -> Option<(u64, u64)> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    let line = stat.lines().next()?.strip_prefix("cpu ")?;
    let ticks: Vec<u64> = line.split_whitespace().filter_map(|tick| tick.parse().ok()).collect();
    let all = ticks.iter().take(8).sum();
    let idle: u64 = ticks.iter().skip(3).take(2).sum();
    Some((all - idle, all))
}
