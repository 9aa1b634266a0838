//! The last day that the archive knows of, which says whether a clock has jumped. It stands in a file beside the
//! records: mail that comes while a clock is not believed has that clock's day, and makes it no better.

use std::{fs, io, path::PathBuf};

use mailweir_archive::{Places, catalogue::Rows, frame::Seq, whole};
use mailweir_mail::Timestamp;

use super::{super::daily, Shelf};

/// The last day that was believed, counted from 1970 (UTC).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LastDay {
    /// There was none: the archive is empty, and any clock is believed.
    None,
    /// This one.
    Day(u32),
    /// Nobody can tell: no clock is believed.
    Unknown,
}

impl LastDay {
    /// As the file says; without one, as the records do, which are asked before any is written at this start. `next`:
    /// the number that the next one will have.
    ///
    /// # Errors
    /// The catalogue cannot be read, or the file not be written.
    pub(super) fn read(places: &Places, rows: &Rows, next: Seq) -> io::Result<Self> {
        match fs::read(path(places)) {
            Ok(line) => Ok(decode(&line).map_or(Self::Unknown, Self::Day)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let last = Self::of_records(rows, next)?;
                if let Self::Day(day) = last {
                    write(places, day)?;
                }
                Ok(last)
            }
            Err(_) => Ok(Self::Unknown),
        }
    }

    fn of_records(rows: &Rows, next: Seq) -> io::Result<Self> {
        let mut last = if next == 1 { Self::None } else { Self::Unknown };
        for row in rows.from(next.saturating_sub(LAST)) {
            last = Self::Day(daily::day(row?.at));
        }
        Ok(last)
    }
}

impl Shelf {
    /// The last day that was believed.
    pub(crate) const fn last_day(&self) -> LastDay {
        self.last_day
    }

    /// A day is believed from now on, also by later starts, unless a later one is: a clock that is behind for a while makes
    /// the right one no jump.
    ///
    /// # Errors
    /// As those of [`Self::believe`].
    pub(crate) fn go_on_to(&mut self, day: u32) -> io::Result<()> {
        match self.last_day {
            LastDay::Day(known) if day <= known => Ok(()),
            LastDay::None | LastDay::Day(_) | LastDay::Unknown => self.believe(day),
        }
    }

    /// A day is believed from now on, also by later starts: somebody has said that it is right.
    ///
    /// # Errors
    /// It cannot be written down: then it is not believed.
    pub(crate) fn believe(&mut self, day: u32) -> io::Result<()> {
        if self.last_day != LastDay::Day(day) {
            write(self.archive.places(), day)?;
            self.last_day = LastDay::Day(day);
        }
        Ok(())
    }
}

fn write(places: &Places, day: u32) -> io::Result<()> {
    whole::write(&path(places), encode(day).as_bytes())
}

/// Twice, for machines and for people: a damaged line is none.
fn encode(day: u32) -> String {
    let date = Timestamp::from_secs(u64::from(day) * u64::from(daily::DAY)).rfc3339();
    format!("{day} {}\n", date.get(..10).unwrap_or_default())
}

fn decode(line: &[u8]) -> Option<u32> {
    let line = str::from_utf8(line).ok()?;
    let day = line.split_once(' ')?.0.parse().ok()?;
    (encode(day) == line).then_some(day)
}

fn path(places: &Places) -> PathBuf {
    places.directory().join("day")
}

/// Records of which the last is looked for: some may be damaged.
const LAST: Seq = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_read_as_it_was_written_and_nothing_else_is() {
        assert_eq!(encode(20_779), "20779 2026-11-22\n");
        for day in [0, 20_779, 200_000_000] {
            assert_eq!(decode(encode(day).as_bytes()), Some(day));
        }
        for rot in ["", "20779", "20779 2026-11-23\n", "20779 2026-11-22", "x 2026-11-22\n"] {
            assert_eq!(decode(rot.as_bytes()), None, "{rot:?}");
        }
        assert_eq!(decode(b"20779 2026-11-\xff\n"), None);
    }
}
