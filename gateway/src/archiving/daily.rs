//! What happens once a day: the segment of the day before is sealed, and its root is sent. Pure: the time is
//! an argument.

use std::{fmt::Write as _, time::Duration};

use mailweir_archive::roots::Root;
use mailweir_mail::{Address, Domain, Timestamp};

/// The last roots that were sent by mail, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mailed {
    /// The number of the segment whose root was sent last; 0: none was sent.
    pub(super) segment: u64,
    pub(super) at: Timestamp,
}

impl Mailed {
    /// None was sent yet.
    pub(super) const NOTHING: Self = Self { segment: 0, at: Timestamp::from_secs(0) };

    /// Reads what [`Mailed::to_line`] wrote. What makes no sense is nothing: all roots are sent again, and
    /// none is left out.
    pub(super) fn read(line: &str) -> Self {
        let read = line.trim_end().split_once(' ').and_then(|(segment, micros)| {
            let at = Timestamp::from_micros(micros.parse().ok()?);
            Some(Self { segment: segment.parse().ok()?, at })
        });
        read.unwrap_or(Self::NOTHING)
    }

    pub(super) fn to_line(self) -> String {
        format!("{} {}\n", self.segment, self.at.as_micros())
    }

    /// The roots that are to be sent now: those of the days before, once a day. A clock that was set back
    /// makes no day wait for ever. A segment may be sealed behind later ones: it is the order of the list that counts.
    pub(super) fn owed(self, roots: &[Root], now: Timestamp) -> &[Root] {
        let last = roots.iter().rposition(|root| root.segment == self.segment);
        // Of another list than the one that was sent.
        let later = || roots.iter().position(|root| root.segment > self.segment);
        let new = last.map(|last| last + 1).or_else(later);
        match new.and_then(|new| roots.get(new..)) {
            Some(new) if self.segment == 0 || day(self.at) != day(now) => new,
            _ => &[],
        }
    }
}

/// The mail that brings roots.
pub(super) struct Letter<'a> {
    pub(super) hostname: &'a Domain,
    pub(super) to: &'a [Address],
    pub(super) roots: &'a [Root],
    pub(super) now: Timestamp,
    /// Makes its Message-ID unlike all others.
    pub(super) seed: u64,
}

impl Letter<'_> {
    /// Header and text.
    pub(super) fn compose(&self) -> String {
        let Self { hostname, to, roots, now, seed } = self;
        let to: Vec<&str> = to.iter().map(Address::as_str).collect();
        let (to, date) = (to.join(",\r\n "), now.rfc5322());
        let (host, day) = (hostname.as_ascii(), now.rfc3339());
        let day = day.get(..10).unwrap_or_default();
        let mut text = format!(
            "From: Archive <MAILER-DAEMON@{host}>\r\n\
             To: {to}\r\n\
             Subject: Roots of the archive of {host}, {day}\r\n\
             Date: {date}\r\n\
             Message-ID: <roots.{}.{seed:016x}@{host}>\r\n\
             Auto-Submitted: auto-generated\r\n\
             MIME-Version: 1.0\r\n\
             Content-Type: text/plain; charset=utf-8\r\n\
             Content-Transfer-Encoding: 8bit\r\n\
             \r\n",
            now.as_micros()
        );
        text.push_str(EXPLANATION);
        for root in *roots {
            let _ = write!(text, "{root}\r\n");
        }
        text
    }
}

/// How long it is until the next day begins, in UTC.
pub(super) fn until_next_day(now: Timestamp) -> Duration {
    let day = u64::from(DAY) * 1_000_000;
    Duration::from_micros(day - now.as_micros() % day)
}

/// The day of a time in UTC, counted from 1970.
pub(super) fn day(at: Timestamp) -> u32 {
    u32::try_from(at.as_secs() / u64::from(DAY)).unwrap_or(u32::MAX)
}

/// Seconds of a day.
pub(super) const DAY: u32 = 86_400;

const EXPLANATION: &str = "\
Each line below stands for a part of the archive that is finished: number of the\r\n\
segment, of its first record, of its records; root; chain; time.\r\n\
\r\n\
Keep this mail where nobody who can change the archive can change it. Whether the\r\n\
archive is still the one that it was is found out with a file that has these lines\r\n\
and nothing else, of one day or of many:\r\n\
\r\n    mailweir archive verify --roots FILE\r\n\
\r\n";

#[cfg(test)]
mod tests {
    use mailweir_archive::{
        frame::Seal,
        hash::{Chain, Hash},
    };

    use super::*;

    #[test]
    fn roots_are_sent_once_a_day_and_none_is_left_out() {
        let roots: Vec<Root> = (1..=5).map(root).collect();
        let numbers = |mailed: Mailed, roots: &[Root], now| {
            mailed.owed(roots, now).iter().map(|root| root.segment).collect::<Vec<_>>()
        };
        let never = Mailed::NOTHING;
        assert_eq!(numbers(never, &[], NOON), [0_u64; 0]);
        assert_eq!(numbers(never, &roots[..2], NOON), [1, 2], "the first are sent at once");
        let mailed = Mailed { segment: 2, at: NOON };
        let later = |hours: u64| NOON.plus(Duration::from_secs(hours * 3_600));
        assert_eq!(numbers(mailed, &roots, later(11)), [0_u64; 0], "today some were sent");
        assert_eq!(numbers(mailed, &roots, later(12)), [3, 4, 5]);
        assert_eq!(numbers(mailed, &roots[..2], later(12)), [0_u64; 0], "there is nothing new");
        let late = [1, 2, 4, 3, 5].map(root);
        let next_day = later(12);
        assert_eq!(numbers(mailed, &late, next_day), [4, 3, 5], "one was sealed late");
        assert_eq!(numbers(Mailed { segment: 4, ..mailed }, &late[..4], next_day), [3]);
        assert_eq!(numbers(Mailed { segment: 3, ..mailed }, &late, next_day), [5]);
        assert_eq!(numbers(mailed, &late[2..], next_day), [4, 3, 5], "another list");
        let back = Timestamp::from_secs(NOON.as_secs() - 86_400);
        assert_eq!(numbers(mailed, &roots, back), [3, 4, 5], "the clock was set back");
    }

    #[test]
    fn what_was_sent_is_remembered_as_it_was_written_and_nothing_else_is() {
        let mailed = Mailed { segment: 7, at: NOON };
        assert_eq!(Mailed::read(&mailed.to_line()), mailed);
        for rot in ["", "7", "x y", "7 -1", "99999999999999999999999 1"] {
            assert_eq!(Mailed::read(rot), Mailed::NOTHING, "{rot:?}");
        }
    }

    #[test]
    fn a_day_begins_at_midnight_in_utc() {
        assert_eq!(until_next_day(NOON), Duration::from_secs(12 * 3_600));
        let before = Timestamp::from_micros(MIDNIGHT.as_micros() - 1);
        assert_eq!(until_next_day(before), Duration::from_micros(1));
        assert_eq!(until_next_day(MIDNIGHT), Duration::from_secs(86_400));
    }

    #[test]
    fn the_mail_says_what_it_is_and_has_the_lines_as_they_are() {
        let to = ["audit@example.org".parse().unwrap(), "lee@example.org".parse().unwrap()];
        let roots = [root(1), root(2)];
        let (hostname, now) = ("mx.example.org".parse().unwrap(), NOON);
        let letter = Letter { hostname: &hostname, to: &to, roots: &roots, now, seed: 7 };
        let text = letter.compose();
        let (header, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(header.contains("\r\nTo: audit@example.org,\r\n lee@example.org\r\n"), "{header}");
        assert!(
            header.contains("\r\nSubject: Roots of the archive of mx.example.org, 2026-11-22\r\n")
        );
        let read: Vec<Root> = body.lines().filter_map(|line| line.parse().ok()).collect();
        assert_eq!(read, roots);
        assert!(body.contains("mailweir archive verify --roots FILE"));
        assert!(text.split("\r\n").all(|line| !line.contains(['\r', '\n']) && line.len() < 998));
    }

    fn root(segment: u64) -> Root {
        let chain = Chain::START.then(Hash::of(b"x"));
        let seal = Seal { records: 1, root: Hash::of(b"root"), chain, at: NOON };
        Root { segment, first: segment, seal }
    }

    const MIDNIGHT: Timestamp = Timestamp::from_secs(1_795_305_600);
    const NOON: Timestamp = Timestamp::from_secs(1_795_348_800);
}
