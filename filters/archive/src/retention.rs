//! What may be erased because its time is over.

use std::{io, time::Duration};

use mailweir_mail::{QueueId, Timestamp};

use crate::{
    catalogue::{Row, Rows},
    entry::{self, Capture, SummaryError},
    frame::{Kind, Seq},
    hash::Hash,
    holds::Holds,
    read::{ReadError, Reader},
};

/// A mail whose time is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Over {
    /// It may be erased.
    Free(Box<Free>),
    /// A legal hold means it.
    Held {
        /// Its capture.
        seq: Seq,
        /// Its name.
        id: Option<QueueId>,
        /// The names of the cases.
        cases: Vec<Box<str>>,
    },
    /// It cannot be read, and nobody can say whether a hold means it.
    Unreadable {
        /// Its capture.
        seq: Seq,
        /// Its name.
        id: Option<QueueId>,
        /// Why.
        why: Box<str>,
        /// Whether it may be whole: see [`ReadError::is_out_of_reach`].
        is_out_of_reach: bool,
    },
}

/// A mail that may be erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Free {
    /// Its capture.
    pub capture: Row,
    /// The record of its end.
    pub outcome: Option<Row>,
    /// The hash of its content.
    pub content: Hash,
    /// Bytes of its content.
    pub size: u64,
}

/// The mails, from a number on, whose time is over on a day, counted from 1970: kept long enough, and ended, or not heard
/// of for another month.
pub fn over<'a>(
    rows: &'a Rows,
    reader: &'a Reader,
    holds: &'a Holds,
    from: Seq,
    today: u32,
) -> impl Iterator<Item = io::Result<Over>> + 'a {
    let over =
        rows.from(from).filter(move |row| row.as_ref().map_or(true, |row| is_over(row, today)));
    over.map(move |row| judge(rows, reader, holds, row?))
}

/// What may become of a mail that somebody wants erased.
///
/// # Errors
/// The disk failed.
pub fn judge(rows: &Rows, reader: &Reader, holds: &Holds, row: Row) -> io::Result<Over> {
    let (seq, id) = (row.seq, row.queue_id());
    let named: Vec<Box<str>> = holds.naming(seq).map(Into::into).collect();
    if !named.is_empty() {
        return Ok(Over::Held { seq, id, cases: named });
    }
    let capture = match read(reader, &row) {
        Ok(capture) => capture,
        Err(Unread { why, is_out_of_reach }) => {
            return Ok(Over::Unreadable { seq, id, why, is_out_of_reach });
        }
    };
    let cases: Vec<Box<str>> = holds.of(seq, &capture).map(Into::into).collect();
    if !cases.is_empty() {
        return Ok(Over::Held { seq, id, cases });
    }
    let outcome = row.mail.ended.map(|(seq, _)| rows.get(seq)).transpose()?.flatten();
    let free = Free { capture: row, outcome, content: capture.content, size: capture.size };
    Ok(Over::Free(Box::new(free)))
}

fn read(reader: &Reader, row: &Row) -> Result<Capture, Unread> {
    let mut record = reader.read_sound(row.place)?;
    let summary = record.payload.summary().map_err(ReadError::from)?;
    Ok(entry::decode(&summary)?)
}

/// A capture cannot be read.
struct Unread {
    why: Box<str>,
    is_out_of_reach: bool,
}

impl From<ReadError> for Unread {
    fn from(error: ReadError) -> Self {
        Self { why: error.to_string().into(), is_out_of_reach: error.is_out_of_reach() }
    }
}

impl From<SummaryError> for Unread {
    fn from(error: SummaryError) -> Self {
        Self { why: error.to_string().into(), is_out_of_reach: false }
    }
}

fn is_over(row: &Row, today: u32) -> bool {
    let days = if has_no_end_to_come(row) { 0 } else { WAIT };
    let is_over = |until: u32| until.saturating_add(days) <= today;
    row.kind == Kind::Capture && row.erased.is_none() && row.mail.keep_until().is_some_and(is_over)
}

/// Whether the end of a mail is waited for before somebody may have it erased.
#[must_use]
pub fn is_waited_for(row: &Row, now: Timestamp) -> bool {
    !has_no_end_to_come(row) && row.at.plus(Duration::from_secs(u64::from(WAIT) * 86_400)) > now
}

fn has_no_end_to_come(row: &Row) -> bool {
    row.mail.ended.is_some() || row.mail.noted.is_some_and(|noted| noted.is_imported)
}

/// Days for which the end of a mail is waited for. Most queues have given up long before. People may leave one on hold for
/// longer: what becomes of that one is not archived any more once it is erased.
const WAIT: u32 = 30;

#[cfg(test)]
mod tests {
    use std::{fs::OpenOptions, os::unix::fs::FileExt};

    use super::*;
    use crate::{
        catalogue::tests::{Home, now},
        entry::{Ending, LegalHold},
    };

    fn today() -> u32 {
        u32::try_from(now().as_secs() / 86_400).unwrap()
    }

    /// The captures that are free, held and unreadable on a day.
    fn asked(home: &mut Home, holds: &Holds, day: u32) -> [Vec<Seq>; 3] {
        let reader = Reader::new(home.places());
        let mut found = [vec![], vec![], vec![]];
        for over in over(home.catalogue().rows(), &reader, holds, 1, day) {
            match over.unwrap() {
                Over::Free(free) => found[0].push(free.capture.seq),
                Over::Held { seq, .. } => found[1].push(seq),
                Over::Unreadable { seq, .. } => found[2].push(seq),
            }
        }
        found
    }

    #[test]
    fn a_mail_is_kept_for_as_many_whole_days_as_its_rule_said_and_until_it_has_ended() {
        let mut home = Home::new();
        let short = home.capture(1, Some(1));
        let long = home.capture(2, Some(10));
        let forever = home.capture(3, None);
        let open = home.capture(4, Some(1));
        for (seq, serial) in [(short, 1), (long, 2), (forever, 3)] {
            home.end(seq, serial, Ending::Delivered);
        }
        let none = Holds::default();
        assert!(asked(&mut home, &none, today() + 1)[0].is_empty());
        assert_eq!(asked(&mut home, &none, today() + 2)[0], [short]);
        assert_eq!(asked(&mut home, &none, today() + 10)[0], [short]);
        assert_eq!(asked(&mut home, &none, today() + 11)[0], [short, long]);
        assert_eq!(asked(&mut home, &none, today() + 31)[0], [short, long]);
        assert_eq!(asked(&mut home, &none, today() + 32)[0], [short, long, open]);
        let day = |days: u64| Timestamp::from_secs(now().as_secs() + days * 86_400);
        let mut waits = |seq, days| {
            is_waited_for(&home.catalogue().rows().get(seq).unwrap().unwrap(), day(days))
        };
        assert!(waits(open, 29) && !waits(open, 30) && !waits(short, 0));
    }

    #[test]
    fn what_is_held_or_cannot_be_read_is_not_free() {
        let mut home = Home::new();
        for serial in 1..4 {
            let seq = home.capture(serial, Some(1));
            home.end(seq, serial, Ending::Delivered);
        }
        let (first, third) = (1, 5);
        let mut holds = Holds::default();
        let hold = LegalHold {
            case: "case".into(),
            by: "Ann".into(),
            reason: "a court asked".into(),
            mails: vec![first],
            people: Vec::new(),
        };
        holds.begin(hold, now());
        let place = home.catalogue().rows().get(third).unwrap().unwrap().place;
        let segment = home.places().segment(place.segment);
        let file = OpenOptions::new().write(true).open(segment).unwrap();
        file.write_all_at(&[0xff; 8], place.at + 100).unwrap();
        assert_eq!(asked(&mut home, &holds, u32::MAX), [vec![3], vec![first], vec![third]]);
    }
}
