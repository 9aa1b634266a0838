//! What the clock has to say about a case, and when.

use std::time::Duration;

use mailweir_mail::Timestamp;

use super::{AtExpiry, Case, Expiry, Progress, State};

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Release,
    Escalation,
    Warning,
    Expiry(AtExpiry),
    Reminder,
}

pub(super) fn due(case: &Case) -> Option<Timestamp> {
    next(case).map(|(at, _)| at)
}

/// Whether what is due hangs on a time that is not there yet.
pub(super) fn is_ahead(case: &Case, now: Timestamp) -> bool {
    let Progress { state, opened, asked, warned, .. } = &case.progress;
    let reminds = case.plan.remind_every.is_some() && *asked > now;
    let is_warned = warned.is_some_and(|warned| warned > now);
    *state == State::Pending && (*opened > now || reminds || is_warned)
}

/// What is due first. Of what is due at the same time a reminder comes last: nobody is reminded of
/// what is over.
pub(super) fn next(case: &Case) -> Option<(Timestamp, Due)> {
    match &case.progress.state {
        State::Closed(_) => None,
        State::Scheduled { at, .. } => Some((*at, Due::Release)),
        State::Pending => {
            let candidates = [escalation(case), end(case), reminder(case)];
            candidates.into_iter().flatten().min_by_key(|(at, _)| *at)
        }
    }
}

fn escalation(case: &Case) -> Option<(Timestamp, Due)> {
    let escalation = case.plan.escalation.as_ref().filter(|_| !case.progress.escalated)?;
    Some((escalation.at, Due::Escalation))
}

/// The warning, and after it the expiry. Whoever was warned late, since the gateway did not run, has
/// as long as anybody else.
fn end(case: &Case) -> Option<(Timestamp, Due)> {
    let Expiry { at, warning, action } = case.plan.expiry?;
    let Some(warning) = warning.filter(|warning| *warning < at) else {
        return Some((at, Due::Expiry(action)));
    };
    match case.progress.warned {
        None => Some((warning, Due::Warning)),
        Some(warned) => Some((at.max(warned.plus(at.since(warning))), Due::Expiry(action))),
    }
}

/// When it expires as things stand; `None`: it does not, or it waits for nobody any more.
pub(super) fn expires(case: &Case) -> Option<Timestamp> {
    let Expiry { at, .. } = case.plan.expiry?;
    match (&case.progress.state, end(case)?) {
        (State::Pending, (_, Due::Warning)) => Some(at),
        (State::Pending, (end, _)) => Some(end),
        (State::Scheduled { .. } | State::Closed(_), _) => None,
    }
}

/// Counted from the last time that people were asked, so that nobody gets ten at once.
fn reminder(case: &Case) -> Option<(Timestamp, Due)> {
    let every = case.plan.remind_every.filter(|seconds| *seconds > 0)?;
    Some((case.progress.asked.plus(Duration::from_secs(u64::from(every))), Due::Reminder))
}
