//! Sizes and durations: `"25 MiB"`, `"5 min"`.
//!
//! A duration needs its unit: Postfix reads a bare number as seconds for some parameters and as
//! days for others, and a guess could return all mail at once. A bare size is bytes everywhere.

use std::{fmt, time::Duration};

use super::{
    setting::{Refusal, Setting},
    value::{RawValue, Value},
};

/// A number of bytes; in the file a whole number, or `"25 MiB"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(pub u64);

impl ByteSize {
    /// The number of bytes.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        self.0
    }

    fn parse(text: &str) -> Result<Self, Unreadable> {
        let (number, unit) = split_unit(text.trim())?;
        let scale = SIZES.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit));
        let Some((_, scale)) = scale else {
            return Err(Unreadable { meant: size_meant(number, unit) });
        };
        number.checked_mul(*scale).map(Self).ok_or(Unreadable::UNKNOWN)
    }
}

impl fmt::Display for ByteSize {
    /// In the largest unit that divides it, as the file may write it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exact = SIZES.iter().rev().find(|(_, scale)| self.0.is_multiple_of(*scale));
        match exact {
            Some((name, scale)) if self.0 != 0 => write!(f, "{} {name}", self.0 / scale),
            _ => f.write_str("0 B"),
        }
    }
}

impl Setting for ByteSize {
    const ALLOWED: &'static str = "a size: a whole number of bytes, or one with B, kB, MB, GB, TB, KiB, MiB, GiB or TiB, such as \"25 MiB\"";
    const EXAMPLE: &'static str = "\"25 MiB\"";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        match &value.value {
            Value::Text(text) | Value::Loose(text) => {
                Self::parse(text).or_else(|error| error.refusal(value, text).alone())
            }
            Value::Number(_)
            | Value::Fraction(_)
            | Value::Flag(_)
            | Value::List(_)
            | Value::Table(_)
            | Value::Other(_) => value.number().map(Self),
        }
    }
}

impl Setting for Duration {
    const ALLOWED: &'static str =
        "a duration with its unit: ms, s, min (or m), h, d or w, such as \"5 min\" or \"1h 30m\"";
    const EXAMPLE: &'static str = "\"5 min\"";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        match &value.value {
            Value::Text(text) | Value::Loose(text) => {
                parse_duration(text).or_else(|error| error.refusal(value, text).alone())
            }
            Value::Number(0) => Ok(Self::ZERO),
            Value::Number(number) => {
                Refusal::new(value, format_args!("{number} has no unit")).alone()
            }
            Value::Fraction(_)
            | Value::Flag(_)
            | Value::List(_)
            | Value::Table(_)
            | Value::Other(_) => value.number().map(Self::from_secs),
        }
    }
}

/// A duration as the file may write it: `1 d 2 h`, `90 s`.
pub(super) fn shown(duration: Duration) -> String {
    let millis = duration.as_millis();
    let exact = DURATIONS.iter().rev().find(|(name, scale)| {
        millis != 0 && *name != "w" && millis.is_multiple_of(u128::from(*scale))
    });
    match exact {
        Some((name, scale)) => format!("{} {name}", millis / u128::from(*scale)),
        None => "0 s".to_owned(),
    }
}

/// One or more numbers with units, which are added: `1h 30m`.
fn parse_duration(text: &str) -> Result<Duration, Unreadable> {
    let mut rest = text.trim();
    if rest == "0" {
        return Ok(Duration::ZERO);
    }
    let mut millis = 0_u64;
    while !rest.is_empty() {
        let end = rest.find(char::is_alphabetic).unwrap_or(rest.len());
        let after =
            rest[end..].find(|c: char| !c.is_alphabetic()).map_or(rest.len(), |at| end + at);
        let (number, unit) = split_unit(&rest[..after])?;
        let Some(scale) = duration_unit(unit) else {
            return Err(Unreadable::UNKNOWN);
        };
        let part = number.checked_mul(scale).ok_or(Unreadable::UNKNOWN)?;
        millis = millis.checked_add(part).ok_or(Unreadable::UNKNOWN)?;
        rest = rest[after..].trim_start();
    }
    Ok(Duration::from_millis(millis))
}

fn duration_unit(unit: &str) -> Option<u64> {
    let unit = unit.to_ascii_lowercase();
    let short = match unit.as_str() {
        "m" | "minute" | "minutes" | "mins" => "min",
        "sec" | "secs" | "second" | "seconds" => "s",
        "hour" | "hours" => "h",
        "day" | "days" => "d",
        "week" | "weeks" => "w",
        other => other,
    };
    DURATIONS.iter().find(|(name, _)| *name == short).map(|(_, scale)| *scale)
}

/// `25 MiB`: a whole number, and letters.
fn split_unit(text: &str) -> Result<(u64, &str), Unreadable> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number = text[..end].parse().map_err(|_| Unreadable::UNKNOWN)?;
    Ok((number, text[end..].trim()))
}

/// A lone letter is 1000 to some and 1024 to others.
fn size_meant(number: u64, unit: &str) -> Option<String> {
    let letter = unit.chars().next().filter(|_| unit.len() == 1)?.to_ascii_uppercase();
    "KMGT".contains(letter).then(|| format!("\"{number} {letter}iB\""))
}

/// A text that is no size or duration.
struct Unreadable {
    meant: Option<String>,
}

impl Unreadable {
    const UNKNOWN: Self = Self { meant: None };

    fn refusal(self, value: &RawValue, text: &str) -> Refusal {
        Refusal::new(value, format_args!("{text:?} is not allowed")).maybe(self.meant)
    }
}

/// Units by their value, smallest first.
const SIZES: [(&str, u64); 10] = [
    ("", 1),
    ("B", 1),
    ("kB", 1000),
    ("KiB", 1 << 10),
    ("MB", 1_000_000),
    ("MiB", 1 << 20),
    ("GB", 1_000_000_000),
    ("GiB", 1 << 30),
    ("TB", 1_000_000_000_000),
    ("TiB", 1 << 40),
];

/// Units in milliseconds, smallest first.
const DURATIONS: [(&str, u64); 6] = [
    ("ms", 1),
    ("s", 1000),
    ("min", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
    ("w", 604_800_000),
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn size(text: &str) -> Option<u64> {
        ByteSize::parse(text).ok().map(ByteSize::bytes)
    }

    fn duration(text: &str) -> Option<Duration> {
        parse_duration(text).ok()
    }

    #[test]
    fn sizes_are_numbers_with_units() {
        for (text, bytes) in [
            ("0", 0),
            ("10240000", 10_240_000),
            ("25 MiB", 25 << 20),
            ("25MiB", 25 << 20),
            ("1 kb", 1000),
            ("2 TiB", 2 << 40),
        ] {
            assert_eq!(size(text), Some(bytes), "{text}");
        }
        for text in ["", "MiB", "-1", "1.5 MiB", "25 M", "25 MiB x", "99999999999 TiB", "½"] {
            assert_eq!(size(text), None, "{text}");
        }
        assert_eq!(size_meant(25, "m").as_deref(), Some("\"25 MiB\""));
    }

    #[test]
    fn durations_are_sums_of_numbers_with_units() {
        for (text, seconds) in [
            ("0", 0),
            ("300s", 300),
            ("5 min", 300),
            ("5m", 300),
            ("1h 30m", 5400),
            ("1d2h", 93_600),
            ("2 weeks", 1_209_600),
        ] {
            assert_eq!(duration(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(duration("250 ms"), Some(Duration::from_millis(250)));
        for text in ["s", "5", "5 parsecs", "1h 30", "-5s", "1.5h", "99999999999999 w"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_shown_is_short_and_exact() {
        assert_eq!(ByteSize(10_240_000).to_string(), "10000 KiB");
        assert_eq!(ByteSize(25 << 20).to_string(), "25 MiB");
        assert_eq!(ByteSize(0).to_string(), "0 B");
        assert_eq!(shown(Duration::from_secs(5400)), "90 min");
        assert_eq!(shown(Duration::from_secs(4000)), "4000 s");
        assert_eq!(shown(Duration::from_secs(432_000)), "5 d");
        assert_eq!(shown(Duration::ZERO), "0 s");
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(bytes in any::<u64>(), millis in any::<u64>()) {
            prop_assert_eq!(size(&ByteSize(bytes).to_string()), Some(bytes));
            let time = Duration::from_millis(millis);
            prop_assert_eq!(duration(&shown(time)), Some(time));
        }

        #[test]
        fn no_text_makes_the_parsers_panic(text in "[0-9 a-zµ½-]{0,12}|\\PC{0,12}") {
            let _ = (size(&text), duration(&text));
        }
    }
}
