//! What is remembered of one address, and its form in a file: that of verify(8),
//! `status:probed:updated:text`.

use std::{fmt, str::FromStr, time::Duration};

use super::{IN_PROGRESS, Lifetimes, PROBE_LIFETIME};

/// What is remembered of one address. Times are in seconds since 1970, and 0 for never.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// What is known of it.
    pub status: Status,
    /// When the probe that is under way began; 0: none is.
    pub probed: u64,
    /// When a probe brought what is known; 0: nothing is known.
    pub updated: u64,
    /// Why: what the next hop said. At most [`Self::MAX_TEXT`] bytes, no control characters.
    pub text: Box<str>,
}

/// What is known of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// Its next hop takes mail for it.
    Deliverable,
    /// The next hop cannot tell now, or cannot be reached.
    Deferred,
    /// Mail for it would be returned.
    Undeliverable,
    /// It is being probed for the first time.
    InProgress,
}

/// A record that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no record of an address: status:probed:updated:text is expected")]
pub struct RecordError;

impl Record {
    /// More of a text is not kept: no reply has room for it.
    pub const MAX_TEXT: usize = 500;

    /// A first probe has begun.
    pub(super) fn begun(now: u64) -> Self {
        Self { status: Status::InProgress, probed: now, updated: 0, text: IN_PROGRESS.into() }
    }

    /// A probe has ended.
    pub(super) fn learnt(status: Status, text: &str, now: u64) -> Self {
        Self { status, probed: 0, updated: now, text: one_line(text) }
    }

    /// Whether nothing is known any more. What was learnt in the future is not believed for longer
    /// than what was learnt in the past: a clock may have been wrong.
    pub(super) fn is_over(&self, lifetimes: &Lifetimes, now: u64) -> bool {
        let lifetime = match self.status {
            Status::Deliverable => lifetimes.positive_expire,
            _ => lifetimes.negative_expire,
        };
        is_past(self.updated, lifetime, now)
    }

    /// Whether a probe should bring something newer.
    pub(super) fn is_stale(&self, lifetimes: &Lifetimes, now: u64) -> bool {
        let lifetime = match self.status {
            Status::Deliverable => lifetimes.positive_refresh,
            _ => lifetimes.negative_refresh,
        };
        is_past(self.updated, lifetime, now)
    }

    /// Whether a probe is under way.
    pub(super) fn is_probed(&self, now: u64) -> bool {
        self.probed != 0 && !is_past(self.probed, PROBE_LIFETIME, now)
    }

    /// The record as it is after a restart, which no probe survives; `None` if nothing is left.
    #[must_use]
    pub fn restored(self, lifetimes: &Lifetimes, now: mailweir_mail::Timestamp) -> Option<Self> {
        let known = self.status != Status::InProgress && !self.is_over(lifetimes, now.as_secs());
        known.then_some(Self { probed: 0, ..self })
    }
}

fn is_past(then: u64, span: Duration, now: u64) -> bool {
    now.abs_diff(then) > span.as_secs()
}

impl Status {
    /// Its number in verify(8) (`DEL_RCPT_STAT_...`).
    const fn number(self) -> u8 {
        match self {
            Self::Deliverable => 0,
            Self::Deferred => 1,
            Self::Undeliverable => 2,
            Self::InProgress => 3,
        }
    }

    const ALL: [Self; 4] =
        [Self::Deliverable, Self::Deferred, Self::Undeliverable, Self::InProgress];
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, probed, updated, text } = self;
        write!(f, "{}:{probed}:{updated}:{text}", status.number())
    }
}

impl FromStr for Record {
    type Err = RecordError;

    fn from_str(text: &str) -> Result<Self, RecordError> {
        let mut fields = text.splitn(4, ':');
        let mut number = || fields.next().and_then(digits).ok_or(RecordError);
        let (status, probed, updated) = (number()?, number()?, number()?);
        let text = one_line(fields.next().ok_or(RecordError)?);
        let status = Status::ALL.into_iter().find(|known| u64::from(known.number()) == status);
        // Such are never written.
        if probed == 0 && updated == 0 {
            return Err(RecordError);
        }
        Ok(Self { status: status.ok_or(RecordError)?, probed, updated, text })
    }
}

fn digits(text: &str) -> Option<u64> {
    let all_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    all_digits.then(|| text.parse().ok()).flatten()
}

fn one_line(text: &str) -> Box<str> {
    let mut text = text.replace(char::is_control, " ");
    text.truncate(text.floor_char_boundary(Record::MAX_TEXT));
    text.into()
}
