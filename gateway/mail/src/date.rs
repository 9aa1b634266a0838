//! A day of the calendar, for what ends on one.

use std::{fmt, str::FromStr};

use crate::Timestamp;

/// A day in UTC. `Display` and `FromStr` are the full-date of RFC 3339: `2026-12-31`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl Date {
    /// The last day that can be written.
    pub const MAX: Self = Self { year: 9_999, month: 12, day: 31 };

    /// The day that this time is on.
    #[must_use]
    pub fn of(time: Timestamp) -> Self {
        let text = time.rfc3339();
        text.get(..LENGTH).and_then(|day| day.parse().ok()).unwrap_or(Self::MAX)
    }

    /// Days since 1970-01-01; `None` for one before.
    pub(crate) fn days(self) -> Option<u64> {
        // The "days from civil" algorithm, with years that begin in March.
        let (month, day) = (u64::from(self.month), u64::from(self.day));
        let year = u64::from(self.year).checked_sub(u64::from(month <= 2))?;
        let (era, year_of_era) = (year / 400, year % 400);
        let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        (era * 146_097 + day_of_era).checked_sub(719_468)
    }
}

impl FromStr for Date {
    type Err = NotADate;

    fn from_str(text: &str) -> Result<Self, NotADate> {
        let mut parts = text.split('-');
        let (Some(year), Some(month), Some(day), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(NotADate);
        };
        let (year, month, day) = (number(year, 4)?, number(month, 2)?, number(day, 2)?);
        let date = Self {
            year,
            month: u8::try_from(month).map_err(|_| NotADate)?,
            day: u8::try_from(day).map_err(|_| NotADate)?,
        };
        let exists = (1..=days_of(year, month)).contains(&day);
        exists.then_some(date).ok_or(NotADate)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// A text is no day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no date; expected year, month and day, such as 2026-12-31")]
pub struct NotADate;

fn number(text: &str, digits: usize) -> Result<u16, NotADate> {
    let fits = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    if fits { text.parse().map_err(|_| NotADate) } else { Err(NotADate) }
}

const fn days_of(year: u16, month: u16) -> u16 {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        _ => 0,
    }
}

const LENGTH: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_of_the_calendar_are_read_as_they_are_written_and_others_are_refused() {
        for good in ["2026-07-24", "2028-02-29", "2000-02-29", "9999-12-31", "0001-01-01"] {
            assert_eq!(good.parse::<Date>().unwrap().to_string(), good);
        }
        for bad in [
            "",
            "2026",
            "2026-7-24",
            "2026-13-01",
            "2026-00-01",
            "2026-04-31",
            "2027-02-29",
            "2100-02-29",
            "2026-01-00",
            "+026-01-01",
            "2026-01-01-",
            "2026-01-01T00:00",
            "24.07.2026",
        ] {
            assert_eq!(bad.parse::<Date>(), Err(NotADate), "{bad:?}");
        }
    }

    #[test]
    fn a_day_begins_and_ends_in_utc_and_days_are_in_order() {
        let day = |seconds| Date::of(Timestamp::from_secs(seconds)).to_string();
        assert_eq!(day(1_798_761_599), "2026-12-31");
        assert_eq!(day(1_798_761_600), "2027-01-01");
        assert_eq!(day(u64::MAX), "9999-12-31", "no later day can be written");
        let dates =
            ["2026-12-31", "2027-01-01", "2027-02-01"].map(|text| text.parse::<Date>().unwrap());
        assert!(dates.is_sorted());
    }
}
