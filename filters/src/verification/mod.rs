//! What is known of addresses by deliveries on trial, and what to do with it (verify(8),
//! ADDRESS_VERIFICATION_README).
//!
//! [`ask`] says what a client hears of an address and whether it is to be probed; [`learn`] takes
//! what a probe has brought. Time is an argument. Who probes, who waits and where records are kept
//! is decided elsewhere.

mod record;
#[cfg(test)]
mod tests;

use std::time::Duration;

use mailweir_mail::Timestamp;

pub use self::record::{Record, RecordError, Status};

/// How long what probes have brought is believed. Names in brackets are Postfix's parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// A good address is forgotten after it (`address_verify_positive_expire_time`).
    pub positive_expire: Duration,
    /// It is probed anew after it (`address_verify_positive_refresh_time`).
    pub positive_refresh: Duration,
    /// Whether anything is remembered of an address that is no good, or not yet known to be
    /// (`address_verify_negative_cache`).
    pub negative_cache: bool,
    /// Any other address is forgotten after it (`address_verify_negative_expire_time`).
    pub negative_expire: Duration,
    /// It is probed anew after it (`address_verify_negative_refresh_time`).
    pub negative_refresh: Duration,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self {
            positive_expire: Duration::from_secs(31 * DAY),
            positive_refresh: Duration::from_secs(7 * DAY),
            negative_cache: true,
            negative_expire: Duration::from_secs(3 * DAY),
            negative_refresh: Duration::from_secs(3 * HOUR),
        }
    }
}

/// What a client hears of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What is known.
    pub status: Status,
    /// Why: what the next hop said. One line.
    pub text: Box<str>,
}

impl Answer {
    /// Nothing is known yet.
    #[must_use]
    pub fn in_progress() -> Self {
        Self { status: Status::InProgress, text: IN_PROGRESS.into() }
    }
}

/// What a question about an address comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Asked {
    /// For the client.
    pub answer: Answer,
    /// What is to be remembered if the address is not probed now.
    pub keep: Keep,
    /// If the address should be probed now: what is to be remembered while that lasts.
    pub probe: Option<Keep>,
}

/// What becomes of the record of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keep {
    /// It stays as it is, if there is one.
    Unchanged,
    /// This is remembered.
    Record(Record),
    /// Nothing is remembered.
    Nothing,
}

/// What to say of an address of which `known` is known, and whether to probe it. A probe that is
/// under way is taken for lost after [`PROBE_LIFETIME`].
pub fn ask(known: Option<&Record>, lifetimes: &Lifetimes, now: Timestamp) -> Asked {
    let now = now.as_secs();
    let usable = known.filter(|record| record.is_probed(now) || !record.is_over(lifetimes, now));
    let keep = match (usable, known) {
        (None, Some(_)) if !lifetimes.negative_cache => Keep::Nothing,
        _ => Keep::Unchanged,
    };
    let Some(record) = usable else {
        let answer = Answer::in_progress();
        let begun = lifetimes.negative_cache.then(|| Record::begun(now));
        let while_probed = begun.map_or_else(|| keep.clone(), Keep::Record);
        return Asked { answer, keep, probe: Some(while_probed) };
    };
    let is_due = !record.is_probed(now) && record.is_stale(lifetimes, now);
    Asked {
        answer: Answer { status: record.status, text: record.text.clone() },
        keep,
        probe: is_due.then(|| Keep::Record(Record { probed: now, ..record.clone() })),
    }
}

/// What to remember once a probe has ended. A failure does not make a good address a bad one before
/// that expires: then the record stays as it is. Without a negative cache it always does, and clients
/// never hear of the failure.
#[must_use]
pub fn learn(
    known: Option<&Record>,
    result: &Answer,
    lifetimes: &Lifetimes,
    now: Timestamp,
) -> Keep {
    let is_good = |record: &Record| record.status == Status::Deliverable;
    let counts = match result.status {
        Status::Deliverable => true,
        Status::Deferred | Status::Undeliverable => {
            lifetimes.negative_cache && !known.is_some_and(is_good)
        }
        Status::InProgress => false,
    };
    match counts {
        true => Keep::Record(Record::learnt(result.status, &result.text, now.as_secs())),
        false => Keep::Unchanged,
    }
}

/// What to remember once a probe has ended without anybody asked: as if it had not begun, so that the
/// next question makes another.
#[must_use]
pub fn give_up(known: Option<&Record>) -> Keep {
    match known {
        Some(record) if record.status == Status::InProgress => Keep::Nothing,
        Some(record) if record.probed != 0 => Keep::Record(Record { probed: 0, ..record.clone() }),
        Some(_) | None => Keep::Unchanged,
    }
}

/// So long a probe is waited for before another is made (Postfix `PROBE_TTL`).
pub const PROBE_LIFETIME: Duration = Duration::from_secs(1_000);

const IN_PROGRESS: &str = "Address verification in progress";
const DAY: u64 = 86_400;
const HOUR: u64 = 3_600;
