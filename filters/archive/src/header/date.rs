//! Dates as mail has them: RFC 5322 section 3.3 with its obsolete forms, and those of `From ` lines.

use mailweir_mail::Timestamp;

/// A date, as it was written: `Fri, 20 Nov 2026 21:30:05 +0900` or `Fri Nov 20 21:30:05 2026`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Date<'a> {
    day: u8,
    month: u8,
    year: u16,
    /// `21:30:05` or `21:30`.
    time: &'a str,
    /// Minutes east of Greenwich.
    zone: i16,
}

impl<'a> Date<'a> {
    /// Reads a date. A comment, and whatever stands behind it, is passed over.
    pub(crate) fn read(text: &'a str) -> Option<Self> {
        let text = text.split('(').next()?;
        let is_gap = |c: char| c.is_whitespace() || c == ',';
        let (mut day, mut month, mut year, mut time, mut zone) = (None, None, None, None, None);
        let words = text.split(is_gap).filter(|word| !word.is_empty()).take(MOST_WORDS);
        for word in words {
            let number = word.parse::<u16>().ok().filter(|_| is_digits(word));
            match number {
                Some(number) if word.len() <= 2 && day.is_none() => day = u8::try_from(number).ok(),
                Some(number) => year = year.or(full_year(number, word.len())),
                None if is_time(word) => time = time.or(Some(word)),
                None if month.is_none() && month_of(word).is_some() => month = month_of(word),
                None => zone = zone.or(zone_of(word)),
            }
        }
        let zone = zone.unwrap_or(0);
        Some(Self { day: day?, month: month?, year: year?, time: time?, zone })
    }

    /// The time; `None`: there is no such day or hour, or it was before 1970.
    pub(crate) fn time(self) -> Option<Timestamp> {
        let Self { day, month, year, time, zone } = self;
        let sign = if zone < 0 { '-' } else { '+' };
        let (hours, minutes) = (zone.unsigned_abs() / 60, zone.unsigned_abs() % 60);
        let (hour, rest) = time.split_once(':')?;
        let text =
            format!("{year:04}-{month:02}-{day:02}T{hour:0>2}:{rest}{sign}{hours:02}:{minutes:02}");
        text.parse().ok()
    }
}

/// Whether a text is a date as `From ` lines have it: a day of the week, and all else.
pub(crate) fn is_shape(text: &str) -> bool {
    let weekday = text.split_whitespace().next().and_then(|word| word.get(..3));
    weekday.is_some_and(|word| WEEKDAYS.contains(&word)) && Date::read(text).is_some()
}

fn is_digits(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_digit())
}

/// RFC 5322 section 4.3: years of two and three digits.
fn full_year(number: u16, digits: usize) -> Option<u16> {
    match digits {
        2 if number < 50 => Some(2_000 + number),
        2 | 3 => Some(1_900 + number),
        4 => Some(number),
        _ => None,
    }
}

fn is_time(word: &str) -> bool {
    let mut parts = word.split(':');
    let is_part = |part: &str| (1..=2).contains(&part.len()) && is_digits(part);
    word.contains(':') && word.len() <= 8 && parts.all(is_part)
}

fn month_of(word: &str) -> Option<u8> {
    let begin = word.get(..3)?;
    (1..).zip(MONTHS).find(|(_, month)| month.eq_ignore_ascii_case(begin)).map(|(number, _)| number)
}

/// Minutes east of Greenwich. Other letters than these say nothing (RFC 5322 section 4.3).
fn zone_of(word: &str) -> Option<i16> {
    if let Some(digits) = word.strip_prefix(['+', '-']) {
        let number =
            digits.parse::<i16>().ok().filter(|_| digits.len() == 4 && is_digits(digits))?;
        let minutes = number / 100 * 60 + number % 100;
        let is_zone = minutes < 24 * 60 && number % 100 < 60;
        return is_zone.then_some(if word.starts_with('-') { -minutes } else { minutes });
    }
    ZONES.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)).map(|(_, hours)| hours * 60)
}

const MOST_WORDS: usize = 12;

const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const ZONES: [(&str, i16); 13] = [
    ("GMT", 0),
    ("UT", 0),
    ("UTC", 0),
    ("Z", 0),
    ("EST", -5),
    ("EDT", -4),
    ("CST", -6),
    ("CDT", -5),
    ("MST", -7),
    ("MDT", -6),
    ("PST", -8),
    ("PDT", -7),
    ("CET", 1),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_time_is_read_in_every_form_that_mail_has() {
        for text in [
            "Fri, 20 Nov 2026 21:30:05 +0000",
            "20 Nov 2026 21:30:05 GMT",
            "Fri, 20 nov 26 21:30:05 -0000 (a comment)",
            "Sat, 21 Nov 2026 06:30:05 +0900 (JST)",
            "Fri, 20 Nov 2026 16:00:05 -0530",
            "Fri Nov 20 21:30:05 2026",
            "Fri Nov 20 13:30:05 PST 2026",
            "Fri Nov 20 21:30:05 2026 +0000",
        ] {
            let time = Date::read(text).and_then(Date::time);
            assert_eq!(time, Some(Timestamp::from_secs(1_795_210_205)), "{text}");
        }
        let minutes = Date::read("1 Mar 2026 9:05 +0100").and_then(Date::time).unwrap();
        assert_eq!(minutes.rfc3339(), "2026-03-01T08:05:00.000000Z");
    }

    #[test]
    fn what_is_no_time_gives_none() {
        for text in [
            "",
            "Fri, 20 Nov 2026",
            "20 Nob 2026 21:30:05",
            "31 Feb 2026 21:30:05",
            "20 Nov 2026 25:30:05",
            "20 Nov 1969 21:30:05",
            "20 Nov 20260 21:30:05",
            "20 Nov 2026 21:30:05:06",
            "é Nov",
        ] {
            assert_eq!(Date::read(text).and_then(Date::time), None, "{text}");
        }
    }

    #[test]
    fn a_comment_without_end_is_not_descended_into() {
        let deep = "(".repeat(1 << 20);
        let date = "Fri, 20 Nov 2026 21:30:05 +0000";
        let time = |text: &str| Date::read(text).and_then(Date::time);
        assert_eq!(time(&format!("{date} {deep}")), time(date));
        assert_eq!(time(&format!("{deep} {date}")), None);
        let closed = format!("{deep}{} {date}", ")".repeat(deep.len()));
        assert_eq!(time(&closed), None, "what stands behind a comment is not looked at");
        assert!(!is_shape(&closed));
    }

    #[test]
    fn the_dates_of_from_lines_are_known_by_their_day_of_the_week() {
        for (text, is) in [
            ("Fri Nov 20 21:30:05 2026", true),
            ("Mon Sep  9 17:17:09 1996", true),
            ("Wed May 06 11:39:44 +0000 2015", true),
            ("Thu, 01 Jan 1960 00:00:00", true),
            ("joe Fri Nov 20 21:30:05 2026", false),
            ("Nov 20 21:30:05 2026", false),
            ("Friday is a day of November", false),
            ("", false),
        ] {
            assert_eq!(is_shape(text), is, "{text}");
        }
    }
}
