//! Time zones: how far local time is ahead of UTC, and when that changes.
//!
//! Their rules are those of this machine (`/usr/share/zoneinfo`), or a copy within the program where
//! it has none, as in a small container. Pure code gets what these say.

use std::{fmt, str::FromStr, time::Duration};

use jiff::tz;
use mailweir_mail::{Date, Timestamp};
use mailweir_moderation::{
    notice::{Change, Zone},
    rule::{LocalTime, Weekday},
};

/// A time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeZone {
    name: Box<str>,
    rules: tz::TimeZone,
}

/// There is no such zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no time zone has this name; names are those of the IANA database")]
pub struct UnknownZone;

impl TimeZone {
    /// That of this machine: the variable `TZ`, else `/etc/localtime`, else UTC.
    #[must_use]
    pub fn of_machine() -> Self {
        let Ok(rules) = tz::TimeZone::try_system() else { return Self::default() };
        let name = rules.iana_name().unwrap_or("that of this machine").into();
        Self { name, rules }
    }

    /// Seconds that its clocks are ahead of UTC at a time.
    #[must_use]
    pub fn offset(&self, at: Timestamp) -> i32 {
        i32::from(self.minutes(at)) * 60
    }

    /// What a clock on the wall shows.
    #[must_use]
    pub fn local(&self, at: Timestamp) -> LocalTime {
        let civil = self.wall(at).civil();
        let day = match civil.weekday {
            1 => Weekday::Monday,
            2 => Weekday::Tuesday,
            3 => Weekday::Wednesday,
            4 => Weekday::Thursday,
            5 => Weekday::Friday,
            6 => Weekday::Saturday,
            _ => Weekday::Sunday,
        };
        LocalTime { day, minute: u16::try_from(civil.hour * 60 + civil.minute).unwrap_or(0) }
    }

    /// The day of the calendar.
    #[must_use]
    pub fn date(&self, at: Timestamp) -> Date {
        Date::of(self.wall(at))
    }

    /// What it says around a time: for what is told at that time of others before and behind it.
    #[must_use]
    pub fn around(&self, now: Timestamp) -> Zone {
        let zone = Zone::from_minutes(self.minutes(now)).unwrap_or_default();
        let at = instant(now);
        let moment = |change: tz::TimeZoneTransition<'_>| {
            u64::try_from(change.timestamp().as_second()).ok().map(Timestamp::from_secs)
        };
        // The change itself belongs to what follows it.
        let behind = at.checked_add(SECOND).unwrap_or(at);
        let last = self.rules.preceding(behind).next().and_then(moment).map(|at| {
            let before = Timestamp::from_micros(at.as_micros().saturating_sub(1_000_000));
            Change { at, minutes: self.minutes(before) }
        });
        let next = self.rules.following(at).next().and_then(moment);
        let next = next.map(|at| Change { at, minutes: self.minutes(at) });
        zone.with_changes(last, next)
    }

    /// The time whose UTC is local time here.
    fn wall(&self, at: Timestamp) -> Timestamp {
        let ahead = Duration::from_secs(u64::from(self.minutes(at).unsigned_abs()) * 60);
        if self.minutes(at) < 0 {
            let ahead = u64::try_from(ahead.as_micros()).unwrap_or(0);
            Timestamp::from_micros(at.as_micros().saturating_sub(ahead))
        } else {
            at.plus(ahead)
        }
    }

    fn minutes(&self, at: Timestamp) -> i16 {
        let seconds = self.rules.to_offset(instant(at)).seconds();
        i16::try_from(seconds.div_euclid(60)).unwrap_or(0)
    }
}

/// A time out of the calendar of the database counts as its end.
fn instant(at: Timestamp) -> jiff::Timestamp {
    let seconds = i64::try_from(at.as_secs()).ok();
    let at = seconds.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    at.unwrap_or(LAST)
}

/// UTC.
impl Default for TimeZone {
    fn default() -> Self {
        Self { name: "UTC".into(), rules: tz::TimeZone::UTC }
    }
}

impl FromStr for TimeZone {
    type Err = UnknownZone;

    fn from_str(name: &str) -> Result<Self, UnknownZone> {
        let rules = tz::TimeZone::get(name).map_err(|_| UnknownZone)?;
        let name = rules.iana_name().unwrap_or(name).into();
        Ok(Self { name, rules })
    }
}

/// `Asia/Seoul`.
impl fmt::Display for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

const SECOND: jiff::SignedDuration = jiff::SignedDuration::from_secs(1);

/// In the year 9999.
const LAST: jiff::Timestamp = jiff::Timestamp::MAX;

#[cfg(test)]
mod tests {
    use mailweir_moderation::notice::Language;

    use super::*;

    fn zone(name: &str) -> TimeZone {
        name.parse().unwrap()
    }

    fn at(text: &str) -> Timestamp {
        let at: jiff::Timestamp = text.parse().unwrap();
        Timestamp::from_secs(u64::try_from(at.as_second()).unwrap())
    }

    #[test]
    fn days_and_hours_are_those_of_the_place_with_its_summer_time() {
        for (name, utc, day, minute, date) in [
            ("Asia/Seoul", "2026-11-20T15:00:00Z", Weekday::Saturday, 0, "2026-11-21"),
            ("Asia/Seoul", "2026-11-20T14:59:59Z", Weekday::Friday, 1439, "2026-11-20"),
            ("America/New_York", "2026-11-20T04:30:00Z", Weekday::Thursday, 1410, "2026-11-19"),
            ("Europe/Paris", "2026-07-01T08:00:00Z", Weekday::Wednesday, 600, "2026-07-01"),
            ("Europe/Paris", "2026-12-01T08:00:00Z", Weekday::Tuesday, 540, "2026-12-01"),
            // The night in which an hour is left out, and that in which one comes twice.
            ("Europe/Paris", "2026-03-29T00:59:59Z", Weekday::Sunday, 119, "2026-03-29"),
            ("Europe/Paris", "2026-03-29T01:00:00Z", Weekday::Sunday, 180, "2026-03-29"),
            ("Europe/Paris", "2026-10-25T00:30:00Z", Weekday::Sunday, 150, "2026-10-25"),
            ("Europe/Paris", "2026-10-25T01:30:00Z", Weekday::Sunday, 150, "2026-10-25"),
            ("Asia/Kathmandu", "2026-01-01T00:00:00Z", Weekday::Thursday, 345, "2026-01-01"),
            ("UTC", "2026-01-01T00:00:00Z", Weekday::Thursday, 0, "2026-01-01"),
        ] {
            let (zone, at) = (zone(name), at(utc));
            assert_eq!(zone.local(at), LocalTime { day, minute }, "{name} {utc}");
            assert_eq!(zone.date(at).to_string(), date, "{name} {utc}");
        }
    }

    #[test]
    fn a_notice_before_the_change_of_the_clocks_names_a_time_behind_it_as_it_will_be() {
        let (now, later) = (at("2026-10-24T12:00:00Z"), at("2026-10-25T12:00:00Z"));
        let (en, paris) = (Language::En, zone("Europe/Paris"));
        for told in [now, later, at("2026-10-25T01:00:00Z"), at("2026-10-25T00:59:59Z")] {
            let zone = paris.around(told);
            assert_eq!(en.time(now, zone), "Sat 24 Oct 2026, 14:00 (UTC+02:00)");
            assert_eq!(en.time(later, zone), "Sun 25 Oct 2026, 13:00 (UTC+01:00)");
            assert_eq!(
                en.time(at("2026-10-25T00:59:59Z"), zone),
                "Sun 25 Oct 2026, 02:59 (UTC+02:00)"
            );
            assert_eq!(
                en.time(at("2026-10-25T01:00:00Z"), zone),
                "Sun 25 Oct 2026, 02:00 (UTC+01:00)"
            );
        }
    }

    #[test]
    fn no_time_is_too_late_or_too_early() {
        for name in ["America/New_York", "Asia/Tokyo", "UTC"] {
            for time in [Timestamp::from_secs(0), Timestamp::from_micros(u64::MAX)] {
                let zone = zone(name);
                let _ = (zone.local(time), zone.date(time), zone.around(time));
            }
        }
    }

    #[test]
    fn zones_are_named_as_in_the_database() {
        assert_eq!(zone("asia/seoul").to_string(), "Asia/Seoul");
        assert_eq!(TimeZone::default().to_string(), "UTC");
        for none in ["", "KST9", "Nowhere/City", "../../etc/passwd", "/etc/localtime"] {
            assert_eq!(none.parse::<TimeZone>(), Err(UnknownZone), "{none:?}");
        }
    }

    #[test]
    fn the_program_has_the_database_within_itself() {
        let bundled = tz::TimeZoneDatabase::bundled();
        for name in ["Asia/Seoul", "Asia/Tokyo", "Europe/Paris", "America/New_York"] {
            assert!(bundled.get(name).is_ok(), "{name}");
        }
    }
}
