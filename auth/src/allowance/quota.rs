//! Limits on what one login may send.

use std::{fmt, num::NonZeroU32};

use super::window::Sent;

/// All limits on one login. By default there are none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quotas {
    /// Mails within an hour.
    pub messages_per_hour: Quota,
    /// Mails within a day.
    pub messages_per_day: Quota,
    /// Recipients of all mails within an hour.
    pub recipients_per_hour: Quota,
    /// Recipients of all mails within a day.
    pub recipients_per_day: Quota,
}

/// A limit that holds mail, and one that refuses it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quota {
    /// What goes over this is accepted and held. `None`: nothing.
    pub soft: Option<NonZeroU32>,
    /// What goes over this is refused for now. `None`: nothing.
    pub hard: Option<NonZeroU32>,
}

/// A limit that a mail goes over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exceeded {
    /// What is limited.
    pub measure: Measure,
    /// To how much.
    pub limit: NonZeroU32,
}

/// What is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Mails within an hour.
    MessagesPerHour,
    /// Mails within a day.
    MessagesPerDay,
    /// Recipients within an hour.
    RecipientsPerHour,
    /// Recipients within a day.
    RecipientsPerDay,
}

impl Quotas {
    /// Whether there is no limit at all.
    #[must_use]
    pub fn are_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn hard(&self, hour: Sent, day: Sent) -> Option<Exceeded> {
        self.exceeded(hour, day, |quota| quota.hard)
    }

    pub(super) fn soft(&self, hour: Sent, day: Sent) -> Option<Exceeded> {
        self.exceeded(hour, day, |quota| quota.soft)
    }

    fn exceeded(
        &self,
        hour: Sent,
        day: Sent,
        limit: impl Fn(Quota) -> Option<NonZeroU32>,
    ) -> Option<Exceeded> {
        [
            (Measure::MessagesPerHour, self.messages_per_hour, hour.messages),
            (Measure::RecipientsPerHour, self.recipients_per_hour, hour.recipients),
            (Measure::MessagesPerDay, self.messages_per_day, day.messages),
            (Measure::RecipientsPerDay, self.recipients_per_day, day.recipients),
        ]
        .into_iter()
        .find_map(|(measure, quota, sent)| {
            let limit = limit(quota).filter(|limit| sent > limit.get())?;
            Some(Exceeded { measure, limit })
        })
    }
}

impl Measure {
    /// The key of `[auth.limits]`, without `_soft` or `_hard`.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::MessagesPerHour => "messages_per_hour",
            Self::MessagesPerDay => "messages_per_day",
            Self::RecipientsPerHour => "recipients_per_hour",
            Self::RecipientsPerDay => "recipients_per_day",
        }
    }
}

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, time) = match self.measure {
            Measure::MessagesPerHour => ("messages", "an hour"),
            Measure::MessagesPerDay => ("messages", "a day"),
            Measure::RecipientsPerHour => ("recipients", "an hour"),
            Measure::RecipientsPerDay => ("recipients", "a day"),
        };
        write!(f, "more than {} {what} in {time}", self.limit)
    }
}
