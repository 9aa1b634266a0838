//! Erasing on request, and at the end of the time for which mail is kept.

use mailweir_archive::{
    Place, ReadError,
    catalogue::{Facts, Row},
    entry::{self, Erased, Erasure},
    erase::{self, Erase, EraseError, Target},
    frame::{Kind, Seq},
    hash::Hash,
    retention::{self, Free, Over},
};
use mailweir_mail::Timestamp;

use super::{Shelf, ShelfError};

/// What became of a mail that was to be erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is erased; the record that says so.
    Erased(Seq),
    /// It was erased before.
    Already,
    /// It was erased before, as this record says, and was there again: its segment was put back. It is gone.
    Again(Seq),
    /// This record says that it is erased, and it or a copy of it may still be there, and why. It is tried again.
    Left(Seq, Box<str>),
    /// It is not, and why.
    Kept(Box<str>),
}

impl Shelf {
    /// Erases mails, and what became of them. Nothing that a legal hold means.
    pub(crate) fn erase(
        &mut self,
        wanted: &[Seq],
        why: &Erasure,
        by: Option<&str>,
        now: Timestamp,
    ) -> Result<Vec<Fate>, ShelfError> {
        let mut group = Vec::new();
        // Of a mail that is to be erased now: the first of its records in the group.
        let mut planned: Vec<Result<usize, Fate>> = Vec::with_capacity(wanted.len());
        for seq in wanted {
            let records = self.plan_erasing(*seq, now)?;
            planned.push(records.map(|Records { content, rows }| {
                let at = group.len();
                group.extend(rows.iter().map(|row| erase(row, content, why, by)));
                at
            }));
        }
        if group.is_empty() {
            return Ok(planned.into_iter().filter_map(Result::err).collect());
        }
        let done = self.archive.erase(&group, now)?;
        let noted: Vec<_> = done.written.iter().map(|written| (*written, Facts::Nothing)).collect();
        self.catalogue.note(&noted).map_err(ShelfError::Catalogue)?;
        let fate = |(mail, planned): (&Seq, Result<usize, Fate>)| match planned {
            Err(fate) => fate,
            Ok(at) => {
                let said = done.written.get(at).map_or(0, |written| written.head.seq);
                match done.left.as_ref().filter(|_| self.is_left(*mail)) {
                    Some(error) => Fate::Left(said, error.to_string().into()),
                    None => Fate::Erased(said),
                }
            }
        };
        Ok(wanted.iter().zip(planned).map(fate).collect())
    }

    /// Whether something of a mail that was erased now is still there, after a failure.
    fn is_left(&self, mail: Seq) -> bool {
        let left = self.archive.unreleased();
        let row = self.catalogue.rows().get(mail).ok().flatten();
        let ended = row.and_then(|row| row.mail.ended);
        let is_of_it = |seq| seq == mail || ended.is_some_and(|(end, _)| end == seq);
        left.targets().any(|target| is_of_it(target.seq))
            || row.is_some_and(|row| left.may_have_copies(row.id))
    }

    /// A mail that is said to be erased: it is there again if its segment was put back from a backup. Gives the record
    /// of its end if that could not be erased with it, and can be now.
    fn erase_again(&mut self, row: &Row, said: Seq) -> Result<Result<Records, Fate>, ShelfError> {
        let end = row.mail.ended.map(|(end, _)| self.catalogue.rows().get(end)).transpose();
        let end = end.map_err(ShelfError::Catalogue)?.flatten();
        let presence: Vec<_> =
            [Some(*row), end].iter().flatten().map(|row| self.presence(row.place)).collect();
        let is_gone = presence.iter().all(|presence| *presence == Presence::Gone);
        if !is_gone && let Some(kept) = self.held(row)? {
            return Ok(Err(kept));
        }
        // Also what is gone: its key may have been put back.
        let again = [Some(*row), end.filter(|end| end.erased.is_some())];
        let targets = again.iter().flatten().map(|row| Target { seq: row.seq, place: row.place });
        let mut places = Vec::new();
        for said in again.iter().flatten().filter_map(|row| row.erased) {
            let said = self.catalogue.rows().get(said).map_err(ShelfError::Catalogue)?;
            places.extend(said.map(|said| said.place));
        }
        let fate = match self.archive.erase_again(targets, places) {
            Err(error) if self.is_left(row.seq) => {
                return Ok(Err(Fate::Left(said, error.to_string().into())));
            }
            _ if presence.contains(&Presence::There) => Fate::Again(said),
            _ => Fate::Already,
        };
        Ok(match end.filter(|end| end.erased.is_none()) {
            Some(end) => self.late_end(end, said).and_then(|late| late.ok_or(fate)),
            None => Err(fate),
        })
    }

    /// The record of an end that was not erased with its mail, if it can be now. `said`: the record that says that the
    /// mail is erased.
    fn late_end(&self, end: Row, said: Seq) -> Result<Option<Records>, Fate> {
        match self.can_be_erased(&end) {
            Ok(()) => {}
            Err(error) if error.is_lost() => return Ok(None),
            Err(error) => return Err(kept(&error.to_string())),
        }
        let content = self.content_of_erased(said).map_err(|why| kept(&why))?;
        Ok(Some(Records { content, rows: vec![end] }))
    }

    /// The hash of the content that an erased mail had, by the record that says that it is erased.
    fn content_of_erased(&self, said: Seq) -> Result<Hash, Box<str>> {
        let row = self.catalogue.rows().get(said).map_err(|error| error.to_string())?;
        let row = row.ok_or_else(|| format!("record {said}, which says that it is, is missing"))?;
        let mut record = self.reader.read_sound(row.place).map_err(|error| error.to_string())?;
        let summary = record.payload.summary().map_err(|error| error.to_string())?;
        let erased = entry::decode::<Erased>(&summary).map_err(|error| error.to_string())?;
        Ok(erased.content)
    }

    fn presence(&self, place: Place) -> Presence {
        match self.reader.read_sound(place) {
            Ok(_) => Presence::There,
            Err(error) => match error {
                ReadError::Changed { .. }
                | ReadError::KeyLost { .. }
                | ReadError::OtherKey { .. }
                | ReadError::Payload(_) => Presence::There,
                ReadError::Io { .. } => Presence::OutOfReach,
                ReadError::NoRecord { .. } | ReadError::Erased { .. } => Presence::Gone,
            },
        }
    }

    /// Why a mail is kept that was erased, and may be there again. What of it is damaged is erased as it was before; what
    /// may be whole, and cannot be read now, is not while any legal hold may mean it.
    fn held(&self, row: &Row) -> Result<Option<Fate>, ShelfError> {
        let holds = match self.holds() {
            Ok(holds) => holds,
            Err(error) => return Ok(Some(kept(&error))),
        };
        let rows = self.catalogue.rows();
        let judged = retention::judge(rows, &self.reader, &holds, *row);
        Ok(match judged.map_err(ShelfError::Catalogue)? {
            Over::Held { cases, .. } => Some(kept_by(&cases)),
            Over::Unreadable { why, is_out_of_reach: true, .. } if holds.cases().len() > 0 => {
                Some(kept_in_doubt(&why))
            }
            Over::Free(_) | Over::Unreadable { .. } => None,
        })
    }

    /// The records of a mail that are to be erased now. One that cannot be keeps no other mail from it.
    fn plan_erasing(
        &mut self,
        seq: Seq,
        now: Timestamp,
    ) -> Result<Result<Records, Fate>, ShelfError> {
        let rows = self.catalogue.rows();
        let row = rows.get(seq).map_err(ShelfError::Catalogue)?;
        let Some(row) = row.filter(|row| row.kind == Kind::Capture) else {
            return Ok(Err(kept("the archive has no such mail")));
        };
        if let Some(said) = row.erased {
            return self.erase_again(&row, said);
        }
        if retention::is_waited_for(&row, now) {
            return Ok(Err(kept("it has not ended yet: see mailweir queue show")));
        }
        let holds = match self.holds() {
            Ok(holds) => holds,
            Err(error) => return Ok(Err(kept(&error))),
        };
        let judged = retention::judge(rows, &self.reader, &holds, row);
        Ok(match judged.map_err(ShelfError::Catalogue)? {
            Over::Free(free) => self.records_of(&free),
            Over::Held { cases, .. } => Err(kept_by(&cases)),
            Over::Unreadable { why, .. } => Err(kept_in_doubt(&why)),
        })
    }

    /// What of a mail can be erased.
    fn records_of(&self, mail: &Free) -> Result<Records, Fate> {
        self.can_be_erased(&mail.capture).map_err(|error| kept(&error.to_string()))?;
        let mut rows = vec![mail.capture];
        if let Some(outcome) = mail.outcome {
            match self.can_be_erased(&outcome) {
                Ok(()) => rows.push(outcome),
                // `verify` names it; once it is back it is erased with the mail again.
                Err(error) if error.is_lost() => {}
                Err(error) => return Err(kept(&error.to_string())),
            }
        }
        Ok(Records { content: mail.content, rows })
    }

    fn can_be_erased(&self, row: &Row) -> Result<(), EraseError> {
        erase::check(self.archive.places(), Target { seq: row.seq, place: row.place })
    }
}

/// Whether a record that is said to be erased has its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Presence {
    /// It has one, sound or not.
    There,
    /// It has none.
    Gone,
    /// The disk does not say, or its segment is not there.
    OutOfReach,
}

/// What is to be erased of a mail.
struct Records {
    /// The hash of its content.
    content: Hash,
    /// The first says of the mail that it is erased.
    rows: Vec<Row>,
}

fn erase(row: &Row, content: Hash, why: &Erasure, by: Option<&str>) -> Erase {
    let (why, by) = (why.clone(), by.map(Into::into));
    Erase { seq: row.seq, place: row.place, why, by, content }
}

fn kept(why: &str) -> Fate {
    Fate::Kept(why.into())
}

fn kept_in_doubt(why: &str) -> Fate {
    kept(&format!("whether a legal hold means it cannot be told: {why}"))
}

fn kept_by(cases: &[Box<str>]) -> Fate {
    kept(&format!("legal hold {}", cases.join(", ")))
}
