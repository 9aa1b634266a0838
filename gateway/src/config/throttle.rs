//! `[auth.throttle]`: how many failed log-ins are borne, and how long whoever fails more must wait.

use std::time::Duration;

use mailweir_auth::{Limit, ThrottleLimits};

use super::{check::Written, problem::Problems, schema::ThrottleSection, units::shown};

/// Checks the section and makes the limits of it.
pub(super) fn check(
    written: &Written<ThrottleSection>,
    problems: &mut Problems<'_>,
) -> ThrottleLimits {
    let Written { section, .. } = written;
    check_failures(written, problems);
    check_pauses(written, problems);
    let per_account = Limit {
        free: section.failures_per_account,
        first_pause: section.first_pause,
        longest_pause: section.longest_pause_account,
        forget_after: section.forget_after,
    };
    ThrottleLimits {
        per_address: Limit {
            free: section.failures_per_address,
            longest_pause: section.longest_pause_address,
            ..per_account
        },
        per_account,
        per_familiar: per_account,
        exempt: section.exempt.clone(),
        ..ThrottleLimits::default()
    }
}

fn check_failures(written: &Written<ThrottleSection>, problems: &mut Problems<'_>) {
    let Written { table, section } = written;
    for (key, failures) in [
        ("failures_per_address", section.failures_per_address),
        ("failures_per_account", section.failures_per_account),
    ] {
        if failures == 0 {
            problems
                .error(table, key, "0 would make people wait for their first slip")
                .allowed("a whole number from 1")
                .help("the throttle cannot be switched off; `exempt` lists addresses that need not wait");
        }
    }
}

fn check_pauses(written: &Written<ThrottleSection>, problems: &mut Problems<'_>) {
    let Written { table, section } = written;
    if section.first_pause.is_zero() {
        problems.error(table, "first_pause", "must be longer than zero").help(
            "the throttle cannot be switched off; `exempt` lists addresses that need not wait",
        );
    }
    if section.forget_after > LONGEST_MEMORY {
        problems.error(table, "forget_after", "too long").allowed("at most 30 d");
    }
    for (key, longest) in [
        ("longest_pause_address", section.longest_pause_address),
        ("longest_pause_account", section.longest_pause_account),
    ] {
        if longest < section.first_pause {
            let message =
                format!("shorter than the first pause, which is {}", shown(section.first_pause));
            problems.error(table, key, message).help("make `first_pause` shorter, or this longer");
        } else if longest > section.forget_after {
            let message = format!(
                "longer than failures are remembered, which is {}",
                shown(section.forget_after)
            );
            problems.error(table, key, message).help("make `forget_after` longer, or this shorter");
        }
    }
}

const LONGEST_MEMORY: Duration = Duration::from_secs(30 * 86_400);
