//! Languages, and how they write dates and sizes.

use std::{fmt, str::FromStr};

use mailweir_mail::Timestamp;
use serde::{Deserialize, Serialize};

/// A language that notices are written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Korean.
    Ko,
    /// Japanese.
    Ja,
    /// French.
    Fr,
}

/// How far local time is ahead of UTC around some time; with daylight saving, also when that changed
/// last and changes next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Zone {
    minutes: i16,
    /// When it became so, and what it was before.
    last: Option<Change>,
    /// When it becomes something else, and what.
    next: Option<Change>,
}

/// A change of the clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// When. The time itself is behind the change.
    pub at: Timestamp,
    /// How many minutes local time is ahead of UTC on the other side of it.
    pub minutes: i16,
}

/// This is no language that notices are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("known languages are en, ko, ja and fr")]
pub struct UnknownLanguage;

impl Language {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::En, Self::Ko, Self::Ja, Self::Fr];

    /// Its tag (RFC 5646), as in a Content-Language field.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ko => "ko",
            Self::Ja => "ja",
            Self::Fr => "fr",
        }
    }

    /// A time to the minute, with the zone: `Fri 20 Nov 2026, 21:30 (UTC+09:00)`.
    #[must_use]
    pub fn time(self, time: Timestamp, zone: Zone) -> String {
        let zone = zone.at(time);
        let civil = zone.local(time).civil();
        let (year, month, day) = (civil.year, civil.month, civil.day);
        let name = |names: [&'static str; 7]| names[civil.weekday % 7];
        let of_month = |names: [&'static str; 12]| names[(month + 11) % 12];
        let clock = format!("{:02}:{:02}", civil.hour, civil.minute);
        match self {
            Self::En => {
                let (weekday, month) = (name(EN_DAYS), of_month(EN_MONTHS));
                format!("{weekday} {day} {month} {year}, {clock} ({zone})")
            }
            Self::Ko => {
                format!("{year}년 {month}월 {day}일({}) {clock} ({zone})", name(KO_DAYS))
            }
            Self::Ja => {
                format!("{year}年{month}月{day}日({}) {clock} ({zone})", name(JA_DAYS))
            }
            Self::Fr => {
                let (weekday, month) = (name(FR_DAYS), of_month(FR_MONTHS));
                let first = if day == 1 { "er" } else { "" };
                let (hour, minute) = (civil.hour, civil.minute);
                format!(
                    "{weekday} {day}{first} {month} {year} à {hour}\u{a0}h\u{a0}{minute:02} ({zone})"
                )
            }
        }
    }

    /// A size in bytes, in decimal units.
    #[must_use]
    pub fn size(self, bytes: u64) -> String {
        let units = match self {
            Self::En => ["\u{a0}bytes", "\u{a0}kB", "\u{a0}MB", "\u{a0}GB"],
            Self::Ko => ["바이트", "KB", "MB", "GB"],
            Self::Ja => ["バイト", "\u{a0}KB", "\u{a0}MB", "\u{a0}GB"],
            Self::Fr => ["\u{a0}octets", "\u{a0}ko", "\u{a0}Mo", "\u{a0}Go"],
        };
        if bytes < 1000 {
            let one = match self {
                Self::En => bytes == 1,
                Self::Fr => bytes < 2,
                Self::Ko | Self::Ja => false,
            };
            let unit = if one { units[0].trim_end_matches('s') } else { units[0] };
            return format!("{bytes}{unit}");
        }
        let rounded = |unit: u64| bytes.saturating_add(unit / 2) / unit;
        let (mut unit, mut scale) = (1, 1000);
        while unit < 3 && rounded(scale) >= 1000 {
            unit += 1;
            scale *= 1000;
        }
        let point = match self {
            Self::En | Self::Ko | Self::Ja => '.',
            Self::Fr => ',',
        };
        match rounded(scale / 10) {
            100.. => format!("{}{}", rounded(scale), units[unit]),
            tenths => format!("{}{point}{}{}", tenths / 10, tenths % 10, units[unit]),
        }
    }
}

impl FromStr for Language {
    type Err = UnknownLanguage;

    /// Reads a tag; what stands behind the language (`ko-KR`, `fr_CA`) does not matter.
    fn from_str(text: &str) -> Result<Self, UnknownLanguage> {
        let tag = text.split(['-', '_']).next().unwrap_or_default();
        let known = Self::ALL.into_iter().find(|language| language.tag().eq_ignore_ascii_case(tag));
        known.ok_or(UnknownLanguage)
    }
}

impl Zone {
    /// The zone so many minutes ahead of UTC, at most a day.
    #[must_use]
    pub const fn from_minutes(minutes: i16) -> Option<Self> {
        if minutes.unsigned_abs() < 24 * 60 {
            Some(Self { minutes, last: None, next: None })
        } else {
            None
        }
    }

    /// The same, with the changes before and behind the time that it is for.
    #[must_use]
    pub const fn with_changes(self, last: Option<Change>, next: Option<Change>) -> Self {
        Self { last, next, ..self }
    }

    /// What it is at a time, without changes.
    fn at(self, time: Timestamp) -> Self {
        let before = self.last.filter(|last| time < last.at);
        let behind = self.next.filter(|next| time >= next.at);
        let minutes = before.or(behind).map_or(self.minutes, |change| change.minutes);
        Self { minutes, last: None, next: None }
    }

    /// The time at which clocks here show what clocks in UTC show at `shown`.
    #[must_use]
    pub fn universal(self, shown: Timestamp) -> Timestamp {
        Timestamp::from_secs(shown.as_secs().saturating_add_signed(-i64::from(self.minutes) * 60))
    }

    /// The time whose UTC is local time here.
    fn local(self, time: Timestamp) -> Timestamp {
        Timestamp::from_secs(time.as_secs().saturating_add_signed(i64::from(self.minutes) * 60))
    }
}

/// `UTC+09:00`.
impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self.minutes.unsigned_abs();
        match self.minutes {
            0 => f.write_str("UTC"),
            minutes => {
                let sign = if minutes < 0 { '-' } else { '+' };
                write!(f, "UTC{sign}{:02}:{:02}", size / 60, size % 60)
            }
        }
    }
}

const EN_DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const EN_MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const KO_DAYS: [&str; 7] = ["일", "월", "화", "수", "목", "금", "토"];
const JA_DAYS: [&str; 7] = ["日", "月", "火", "水", "木", "金", "土"];
const FR_DAYS: [&str; 7] =
    ["dimanche", "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi"];
const FR_MONTHS: [&str; 12] = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
];

#[cfg(test)]
mod tests {
    use super::*;

    const FRIDAY: Timestamp = Timestamp::from_secs(1_795_210_205);

    #[test]
    fn times_are_in_the_form_of_the_language_with_their_zone() {
        let seoul = Zone::from_minutes(540).unwrap();
        let paris = Zone::from_minutes(60).unwrap();
        for (language, zone, expected) in [
            (Language::En, Zone::default(), "Fri 20 Nov 2026, 21:30 (UTC)"),
            (Language::En, Zone::from_minutes(-210).unwrap(), "Fri 20 Nov 2026, 18:00 (UTC-03:30)"),
            (Language::Ko, seoul, "2026년 11월 21일(토) 06:30 (UTC+09:00)"),
            (Language::Ja, seoul, "2026年11月21日(土) 06:30 (UTC+09:00)"),
            (Language::Fr, paris, "vendredi 20 novembre 2026 à 22\u{a0}h\u{a0}30 (UTC+01:00)"),
        ] {
            assert_eq!(language.time(FRIDAY, zone), expected);
        }
        let first = FRIDAY.plus(std::time::Duration::from_secs(11 * 86_400));
        assert!(Language::Fr.time(first, paris).starts_with("mardi 1er décembre 2026"));
        assert_eq!(Zone::from_minutes(24 * 60), None);
    }

    #[test]
    fn sizes_are_in_the_units_of_the_language() {
        for (bytes, en, fr) in [
            (0, "0\u{a0}bytes", "0\u{a0}octet"),
            (1, "1\u{a0}byte", "1\u{a0}octet"),
            (999, "999\u{a0}bytes", "999\u{a0}octets"),
            (1_000, "1.0\u{a0}kB", "1,0\u{a0}ko"),
            (9_949, "9.9\u{a0}kB", "9,9\u{a0}ko"),
            (9_950, "10\u{a0}kB", "10\u{a0}ko"),
            (999_499, "999\u{a0}kB", "999\u{a0}ko"),
            (999_500, "1.0\u{a0}MB", "1,0\u{a0}Mo"),
            (2_400_000, "2.4\u{a0}MB", "2,4\u{a0}Mo"),
            (25_000_000_000, "25\u{a0}GB", "25\u{a0}Go"),
        ] {
            assert_eq!((&*Language::En.size(bytes), &*Language::Fr.size(bytes)), (en, fr));
        }
        assert!(Language::Ko.size(u64::MAX).ends_with("GB"));
    }

    #[test]
    fn a_language_is_named_by_its_tag() {
        assert_eq!("ko-KR".parse(), Ok(Language::Ko));
        assert_eq!("FR_ca".parse(), Ok(Language::Fr));
        assert_eq!("de".parse::<Language>(), Err(UnknownLanguage));
        assert_eq!(serde_json::to_string(&Language::Ja).unwrap(), "\"ja\"");
    }
}
