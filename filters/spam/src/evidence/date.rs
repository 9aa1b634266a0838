//! Dates of header fields (RFC 5322 section 3.3, with what section 4.3 still allows).
//!
//! Bounded and without recursion, however deep comments stand in each other (`attacks.md` E6).

use mailweir_mail::Timestamp;

/// The time that a value says, or none if it is no date. What is before 1970 is 1970.
#[must_use]
pub fn read(value: &str) -> Option<Timestamp> {
    let value = value.get(..value.floor_char_boundary(LONGEST)).unwrap_or(value);
    let plain = without_comments(value);
    // The name of the day adds nothing, and some write it in their own language.
    let date = plain.split_once(',').map_or(plain.as_str(), |(_, date)| date);
    let mut words = date.split_whitespace();
    let first = words.next()?;
    // Some leave out the comma behind the name of the day.
    let day =
        if first.bytes().all(|byte| byte.is_ascii_alphabetic()) { words.next()? } else { first };
    let (month, year) = (month(words.next()?)?, year(words.next()?)?);
    let time = words.next()?;
    let east = words.next().map_or(Some(0), zone)?;
    let mut parts = time.split(':').map(|part| number(part, 2));
    let (hour, minute) = (parts.next()??, parts.next()??);
    let second = parts.next().unwrap_or(Some(0))?;
    if parts.next().is_some() {
        return None;
    }
    if year < 1970 {
        return Some(Timestamp::from_secs(0));
    }
    let day = number(day, 2)?;
    let time: Timestamp =
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z").parse().ok()?;
    let seconds = i64::try_from(time.as_secs()).ok()?.saturating_sub(east);
    Some(Timestamp::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

fn without_comments(value: &str) -> String {
    let mut depth = 0_usize;
    let mut plain = String::new();
    for character in value.chars() {
        match character {
            '(' => depth += 1,
            ')' => {
                depth = depth.saturating_sub(1);
                plain.push(' ');
            }
            other if depth == 0 => plain.push(other),
            _ => {}
        }
    }
    plain
}

fn number(text: &str, most: usize) -> Option<u32> {
    let is_number =
        (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

fn month(name: &str) -> Option<usize> {
    let short = name.get(..3)?;
    MONTHS.iter().position(|month| month.eq_ignore_ascii_case(short)).map(|index| index + 1)
}

/// Years of two and three digits are years of the last century, or of this one up to 49 (RFC 5322 section 4.3).
fn year(text: &str) -> Option<u32> {
    let year = number(text, 4)?;
    Some(match text.len() {
        1 | 2 if year < 50 => year + 2000,
        1..=3 => year + 1900,
        _ => year,
    })
}

/// Seconds east of Greenwich. Names that nobody knows mean nothing (RFC 5322 section 4.3).
fn zone(text: &str) -> Option<i64> {
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => {
            let name = text.to_ascii_uppercase();
            let known = ZONES.iter().find(|(known, _)| **known == *name);
            return Some(known.map_or(0, |(_, hours)| hours * 3600));
        }
    };
    let digits = number(text.get(1..)?, 4).filter(|_| text.len() == 5)?;
    let (hours, minutes) = (digits / 100, digits % 100);
    (minutes < 60).then_some(sign * (i64::from(hours) * 3600 + i64::from(minutes) * 60))
}

/// Bytes of a value that are looked at: a date has about 31, and comments add a zone's name.
const LONGEST: usize = 256;
const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
/// Hours east of Greenwich of the names of RFC 5322 section 4.3.
const ZONES: [(&str, i64); 8] = [
    ("EDT", -4),
    ("EST", -5),
    ("CDT", -5),
    ("CST", -6),
    ("MDT", -6),
    ("MST", -7),
    ("PDT", -7),
    ("PST", -8),
];
