//! Wall-clock time as a value. The shells read the clock; everything else receives this.

use std::{str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};

use crate::Date;

/// A point in wall-clock time: microseconds since 1970-01-01T00:00:00Z.
///
/// Used for what people see (headers, logs, expiry). Deadlines inside a session use monotonic
/// time, so that a clock that jumps harms no conversation (`attacks.md` J9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The time `micros` microseconds after the epoch.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// The time `seconds` seconds after the epoch.
    #[must_use]
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds.saturating_mul(MICROS_PER_SECOND))
    }

    /// Microseconds since the epoch.
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// Whole seconds since the epoch.
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.0 / MICROS_PER_SECOND
    }

    /// The part below one second, in microseconds.
    #[must_use]
    pub const fn subsec_micros(self) -> u32 {
        (self.0 % MICROS_PER_SECOND) as u32
    }

    /// How long after `earlier` this is; zero if `earlier` is later (a clock may step back).
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }

    /// This time plus `span`; the far end of time if that overflows.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        let micros = u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(micros))
    }

    /// The date in the form of RFC 5322 section 3.3, in UTC: `Fri, 20 Nov 2026 21:30:00 +0000`.
    #[must_use]
    pub fn rfc5322(self) -> String {
        let civil = self.civil();
        format!(
            "{}, {:02} {} {:04} {:02}:{:02}:{:02} +0000",
            WEEKDAYS[civil.weekday],
            civil.day,
            MONTHS[civil.month - 1],
            civil.year,
            civil.hour,
            civil.minute,
            civil.second
        )
    }

    /// The date in the form of RFC 3339, in UTC, with microseconds: `2026-11-20T21:30:00.000000Z`.
    #[must_use]
    pub fn rfc3339(self) -> String {
        let civil = self.civil();
        format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z",
            civil.year,
            civil.month,
            civil.day,
            civil.hour,
            civil.minute,
            civil.second,
            self.subsec_micros()
        )
    }

    /// The date as `postqueue -p` and classic syslog print it, in UTC: `Nov 20 21:30:00`.
    #[must_use]
    pub fn syslog(self) -> String {
        let civil = self.civil();
        format!(
            "{} {:2} {:02}:{:02}:{:02}",
            MONTHS[civil.month - 1],
            civil.day,
            civil.hour,
            civil.minute,
            civil.second
        )
    }

    /// The day of the week, as `postqueue -p` prints it: `Fri`.
    #[must_use]
    pub fn weekday(self) -> &'static str {
        WEEKDAYS[self.civil().weekday]
    }

    /// The date and time of day, in UTC.
    #[must_use]
    pub fn civil(self) -> Civil {
        // The "civil from days" algorithm over the 400-year era that starts on 0000-03-01.
        let seconds = self.as_secs();
        let (days, rest) = (seconds / SECONDS_PER_DAY, seconds % SECONDS_PER_DAY);
        let shifted = days + DAYS_FROM_ERA_TO_EPOCH;
        let era = shifted / DAYS_PER_ERA;
        let day_of_era = shifted % DAYS_PER_ERA;
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        let year = year_of_era + era * 400 + u64::from(month <= 2);
        Civil {
            year,
            month: month as usize,
            day,
            weekday: ((days + 4) % 7) as usize,
            hour: rest / 3_600,
            minute: rest % 3_600 / 60,
            second: rest % 60,
        }
    }
}

/// This is no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a time is written 2026-12-24T08:00Z, or with a zone 2026-12-24T08:00+01:00")]
pub struct NotATime;

/// Reads a time as RFC 3339 writes it; seconds may be left out, a space may stand for the `T`, and a
/// fraction of a second does not count.
impl FromStr for Timestamp {
    type Err = NotATime;

    fn from_str(text: &str) -> Result<Self, NotATime> {
        let (day, rest) = text.split_at_checked(10).ok_or(NotATime)?;
        let day: Date = day.parse().map_err(|_| NotATime)?;
        let rest = rest.strip_prefix(['T', 't', ' ']).ok_or(NotATime)?;
        let zone = rest.find(['Z', 'z', '+', '-']).ok_or(NotATime)?;
        let (time, zone) = rest.split_at(zone);
        let (time, _) = time.split_once('.').unwrap_or((time, ""));
        let seconds = day.days().ok_or(NotATime)? * SECONDS_PER_DAY + time_of_day(time)?;
        let east = match zone.split_at_checked(1).ok_or(NotATime)? {
            ("Z" | "z", "") => 0,
            (sign, distance) => {
                let distance = i64::try_from(time_of_day(distance)?).map_err(|_| NotATime)?;
                if sign == "-" { -distance } else { distance }
            }
        };
        seconds.checked_add_signed(-east).map(Self::from_secs).ok_or(NotATime)
    }
}

/// Seconds of `08:00` or `08:00:00`.
fn time_of_day(text: &str) -> Result<u64, NotATime> {
    let number = |text: Option<&str>, end: u64| {
        let text = text.filter(|text| text.len() == 2).ok_or(NotATime)?;
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|number| is_number && *number < end);
        number.ok_or(NotATime)
    };
    let mut parts = text.split(':');
    let (hour, minute) = (number(parts.next(), 24)?, number(parts.next(), 60)?);
    let second = match parts.next() {
        Some(second) => number(Some(second), 61)?,
        None => 0,
    };
    if parts.next().is_some() {
        return Err(NotATime);
    }
    Ok(hour * 3_600 + minute * 60 + second)
}

/// A date of the Gregorian calendar and a time of day, for those who write dates in other forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    /// The year.
    pub year: u64,
    /// The month, from 1.
    pub month: usize,
    /// The day of the month, from 1.
    pub day: u64,
    /// The day of the week, from 0 for Sunday.
    pub weekday: usize,
    /// The hour, below 24.
    pub hour: u64,
    /// The minute, below 60.
    pub minute: u64,
    /// The second, below 60.
    pub second: u64,
}

const MICROS_PER_SECOND: u64 = 1_000_000;
const SECONDS_PER_DAY: u64 = 86_400;
const DAYS_PER_ERA: u64 = 146_097;
const DAYS_FROM_ERA_TO_EPOCH: u64 = 719_468;
const WEEKDAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_printed_as_the_rfcs_say() {
        let date = Timestamp::from_micros(1_795_210_205_000_042);
        assert_eq!(date.rfc5322(), "Fri, 20 Nov 2026 21:30:05 +0000");
        assert_eq!(date.rfc3339(), "2026-11-20T21:30:05.000042Z");
        assert_eq!(date.syslog(), "Nov 20 21:30:05");
        assert_eq!(date.weekday(), "Fri");
    }

    #[test]
    fn leap_days_and_the_epoch_are_right() {
        assert_eq!(Timestamp::from_secs(0).rfc5322(), "Thu, 01 Jan 1970 00:00:00 +0000");
        assert_eq!(Timestamp::from_secs(951_782_400).rfc5322(), "Tue, 29 Feb 2000 00:00:00 +0000");
        assert_eq!(
            Timestamp::from_secs(4_107_542_399).rfc5322(),
            "Sun, 28 Feb 2100 23:59:59 +0000"
        );
        assert_eq!(
            Timestamp::from_secs(4_107_542_400).rfc5322(),
            "Mon, 01 Mar 2100 00:00:00 +0000"
        );
    }

    #[test]
    fn a_time_reads_back_and_knows_zones() {
        let time = Timestamp::from_secs(1_795_210_205);
        for same in [
            "2026-11-20T21:30:05Z",
            "2026-11-20 21:30:05.999z",
            "2026-11-21T06:30:05+09:00",
            "2026-11-20T16:00:05-05:30",
        ] {
            assert_eq!(same.parse(), Ok(time), "{same}");
        }
        assert_eq!(time.rfc3339().parse(), Ok(time));
        for date in ["2000-02-29", "2028-12-31", "9999-03-01", "1970-01-01"] {
            let time: Timestamp = format!("{date}T00:00:00Z").parse().unwrap();
            assert!(time.rfc3339().starts_with(&format!("{date}T00:00:00.")), "{date}");
        }
        let minute = "2026-11-20T21:30Z".parse();
        assert_eq!(minute, Ok(Timestamp::from_secs(1_795_210_200)));
        for bad in [
            "",
            "2026-11-20",
            "2026-11-20T21:30",
            "2026-11-20T24:00Z",
            "2026-11-20T21:60Z",
            "2026-11-20T+1:30Z",
            "2026-02-30T21:30Z",
            "2026-11-20T21:30:05+0900",
            "2026-11-20T21:30Zz",
            "1970-01-01T00:00+01:00",
            "1969-12-31T23:59Z",
            "2026-11-2ü",
        ] {
            assert_eq!(bad.parse::<Timestamp>(), Err(NotATime), "{bad}");
        }
    }

    #[test]
    fn a_clock_that_steps_back_gives_no_negative_age() {
        let (early, late) = (Timestamp::from_secs(5), Timestamp::from_secs(9));
        assert_eq!(early.since(late), Duration::ZERO);
        assert_eq!(late.since(early), Duration::from_secs(4));
    }
}
