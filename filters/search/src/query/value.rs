//! Values of fields: days and sizes.

/// Days from 1970-01-01: of `2026`, `2026-01` or `2026-01-15` the first, and the first one behind it.
pub(super) fn days(text: &str) -> Option<(i64, i64)> {
    let mut parts = text.split(['-', '/', '.']).map(number);
    let (year, month, day) = (parts.next()??, parts.next(), parts.next());
    if parts.next().is_some() || !(1970..=9999).contains(&year) {
        return None;
    }
    match (month, day) {
        (None, _) => Some((day_number(year, 1, 1), day_number(year + 1, 1, 1))),
        (Some(month), None) => {
            let month = month.filter(|month| (1..=12).contains(month))?;
            let (next_year, next) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
            Some((day_number(year, month, 1), day_number(next_year, next, 1)))
        }
        (Some(month), Some(day)) => {
            let (first, behind) = days(&format!("{year}-{}", month?))?;
            let day = first + day.filter(|day| (1..=31).contains(day))? - 1;
            (day < behind).then_some((day, day + 1))
        }
    }
}

/// `from..to` or one of them; what [`days`] says for both ends.
pub(super) fn range(text: &str) -> Option<(Option<i64>, Option<i64>)> {
    let Some((from, to)) = text.split_once("..") else {
        let (from, behind) = days(text)?;
        return Some((Some(from), Some(behind)));
    };
    let from = if from.is_empty() { None } else { Some(days(from)?.0) };
    let behind = if to.is_empty() { None } else { Some(days(to)?.1) };
    (from.is_some() || behind.is_some()).then_some((from, behind))
}

/// Bytes: `100`, `20K`, `5M`, `1G` of 1024 each.
pub(super) fn size(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" => 1 << 10,
        "m" | "mb" => 1 << 20,
        "g" | "gb" => 1 << 30,
        _ => return None,
    };
    number(digits)?.unsigned_abs().checked_mul(unit)
}

/// At most twelve digits and nothing else.
fn number(text: &str) -> Option<i64> {
    let is_number = (1..=12).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

/// The day of the Gregorian calendar, counted from 1970-01-01.
fn day_number(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March, so that the day that is not always there is the last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year / 4 - year / 100 + year / 400;
    year * 365 + leap_days + (month * 153 + 2) / 5 + day - 719_469
}

#[cfg(test)]
mod tests {
    use super::{days, range, size};

    #[test]
    fn days_are_those_of_the_calendar() {
        assert_eq!(days("1970-01-01"), Some((0, 1)));
        assert_eq!(days("2026-01-15"), Some((20_468, 20_469)));
        assert_eq!(days("2024-02"), Some((19_754, 19_783)), "a leap year");
        assert_eq!(days("2026"), Some((20_454, 20_819)));
        assert_eq!(days("2026/12"), Some((20_788, 20_819)));
        for none in [
            "",
            "26-01-01",
            "2026-13",
            "2026-00",
            "2026-02-29",
            "2026-1-1-1",
            "x",
            "2026-01-32",
            "２０２６",
        ] {
            assert_eq!(days(none), None, "{none}");
        }
    }

    #[test]
    fn ranges_may_be_open() {
        assert_eq!(range("2026-01..2026-03"), Some((Some(20_454), Some(20_544))));
        assert_eq!(range("2026.."), Some((Some(20_454), None)));
        assert_eq!(range("..2025"), Some((None, Some(20_454))));
        assert_eq!(range(".."), None);
        assert_eq!(range("2026..x"), None);
    }

    #[test]
    fn sizes_have_units() {
        assert_eq!(size("20K"), Some(20_480));
        assert_eq!(size("5mb"), Some(5 << 20));
        assert_eq!(size("7"), Some(7));
        for none in ["", "K", "-5", "5x", "1.5M", "99999999999999999999", "999999999999G0"] {
            assert_eq!(size(none), None, "{none}");
        }
        assert_eq!(size("999999999999G"), None, "more than 64 bits");
    }
}
