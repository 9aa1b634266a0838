//! Times of the week.

use std::str::FromStr;

use super::BadPattern;

/// A time of the week, where the administrator lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalTime {
    /// The day.
    pub day: Weekday,
    /// Minutes since midnight, below 1440.
    pub minute: u16,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "everybody knows them")]
pub enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

/// Days and a span of the day: `Mon-Fri 09:00-18:00`, `Sat,Sun`, `22:00-06:00`. A span that ends before
/// it begins goes over midnight and belongs to the day it begins on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    /// A bit for each day, Monday the lowest.
    days: u8,
    /// The first minute of the span.
    from: u16,
    /// The first minute behind it.
    to: u16,
}

impl Hours {
    /// Whether the time is in them.
    #[must_use]
    pub const fn contain(&self, time: LocalTime) -> bool {
        let today = self.days >> (time.day as u8) & 1 == 1;
        let yesterday = self.days >> ((time.day as u8 + 6) % 7) & 1 == 1;
        if self.from < self.to {
            return today && self.from <= time.minute && time.minute < self.to;
        }
        today && self.from <= time.minute || yesterday && time.minute < self.to
    }
}

impl FromStr for Hours {
    type Err = BadPattern;

    fn from_str(text: &str) -> Result<Self, BadPattern> {
        let bad = |reason: &str| BadPattern { text: text.into(), reason: reason.into() };
        let mut hours = Self { days: 0b111_1111, from: 0, to: MINUTES };
        let mut words = text.split_whitespace().peekable();
        if let Some(word) = words.next_if(|word| !word.contains(':')) {
            hours.days = days(word).ok_or_else(|| bad("days are written Mon-Fri or Sat,Sun"))?;
        } else if words.peek().is_none() {
            return Err(bad("nothing is written"));
        }
        if let Some(word) = words.next() {
            let span = span(word).ok_or_else(|| bad("a span is written 09:00-18:00"))?;
            (hours.from, hours.to) = span;
        }
        if words.next().is_some() {
            return Err(bad("more is written than days and a span"));
        }
        Ok(hours)
    }
}

fn days(word: &str) -> Option<u8> {
    word.split(',').try_fold(0, |days, part| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (day(first)?, day(last)?);
        let length = (last + 7 - first) % 7;
        Some((0..=length).fold(days, |days, step| days | 1 << ((first + step) % 7)))
    })
}

fn day(word: &str) -> Option<u8> {
    let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let place = names.iter().position(|name| word.eq_ignore_ascii_case(name))?;
    u8::try_from(place).ok()
}

fn span(word: &str) -> Option<(u16, u16)> {
    let (from, to) = word.split_once('-')?;
    let (from, to) = (minute(from)?, minute(to)?);
    (from != to && from < MINUTES).then_some((from, to))
}

fn minute(word: &str) -> Option<u16> {
    let (hour, minute) = word.split_once(':')?;
    let is_number =
        |part: &str| (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    if !is_number(hour) || !is_number(minute) {
        return None;
    }
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    let time = hour * 60 + minute;
    (minute < 60 && time <= MINUTES).then_some(time)
}

/// Of a day.
const MINUTES: u16 = 24 * 60;
