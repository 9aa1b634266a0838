//! Erasing on request, and at the end of the time for which mail is kept.

use std::time::Duration;

use mailweir_archive::{
    Place, ReadError,
    catalogue::{Facts, Row},
    entry::Erasure,
    erase::{self, Erase, EraseError, Target},
    frame::{Kind, Seq},
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
    /// This record says that it is erased, and it is still there, and why. It is tried again.
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
            let free = self.may_be_erased(*seq, now)?;
            planned.push(free.and_then(|free| {
                let records = self.records_of(&free, why, by)?;
                let at = group.len();
                group.extend(records);
                Ok(at)
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

    /// The records of a mail that are to be erased, its capture first. One that cannot be erased keeps no other mail.
    fn records_of(&self, mail: &Free, why: &Erasure, by: Option<&str>) -> Result<Vec<Erase>, Fate> {
        let erase = |row: &Row| {
            let (seq, place, content) = (row.seq, row.place, mail.content);
            Erase { seq, place, why: why.clone(), by: by.map(Into::into), content }
        };
        let places = self.archive.places();
        let kept = |error: EraseError| Fate::Kept(error.to_string().into());
        let capture = erase(&mail.capture);
        capture.check(places).map_err(kept)?;
        let mut records = vec![capture];
        if let Some(outcome) = mail.outcome.as_ref().map(erase) {
            match outcome.check(places) {
                Ok(()) => records.push(outcome),
                // `verify` names it; once it is back it can be erased.
                Err(error) if error.is_lost() => {}
                Err(error) => return Err(kept(error)),
            }
        }
        Ok(records)
    }

    /// Whether something of a mail that was erased now is still there, after a failure.
    fn is_left(&self, mail: Seq) -> bool {
        let left = self.archive.unreleased();
        let ended = self.catalogue.rows().get(mail).ok().flatten().and_then(|row| row.mail.ended);
        let is_of_it = |seq| seq == mail || ended.is_some_and(|(end, _)| end == seq);
        // If it is none that failed, it is what a crash has left of any of them.
        left.is_empty() || left.iter().any(|target| is_of_it(target.seq))
    }

    /// A mail that is said to be erased: it is there again if its segment was put back from a backup.
    fn erase_again(&self, row: &Row, said: Seq) -> Result<Fate, ShelfError> {
        let end = row.mail.ended.map(|(end, _)| self.catalogue.rows().get(end)).transpose();
        let end = end.map_err(ShelfError::Catalogue)?.flatten().filter(|end| end.erased.is_some());
        let target = |row: &Row| Target { seq: row.seq, place: row.place };
        let targets: Vec<_> =
            [Some(target(row)), end.as_ref().map(target)].into_iter().flatten().collect();
        let is_there = targets.iter().any(|target| self.is_there(target.place));
        if is_there && let Some(kept) = self.held(row)? {
            return Ok(kept);
        }
        // Also of one that is gone: its key may have been put back.
        Ok(match erase::finish(self.archive.places(), &targets) {
            Err(error) => Fate::Left(said, error.to_string().into()),
            Ok(()) if is_there => Fate::Again(said),
            Ok(()) => Fate::Already,
        })
    }

    /// Whether a record has its payload, sound or not.
    fn is_there(&self, place: Place) -> bool {
        match self.reader.read_sound(place) {
            Ok(_) => true,
            Err(error) => match error {
                ReadError::Changed { .. }
                | ReadError::KeyLost { .. }
                | ReadError::OtherKey { .. }
                | ReadError::Payload(_) => true,
                ReadError::Io { .. } | ReadError::NoRecord { .. } | ReadError::Erased { .. } => {
                    false
                }
            },
        }
    }

    /// Why a mail is kept that was erased, and is there again. What of it cannot be read is erased as it was before.
    fn held(&self, row: &Row) -> Result<Option<Fate>, ShelfError> {
        let kept = |why: &str| Ok(Some(Fate::Kept(why.into())));
        let holds = match self.holds() {
            Ok(holds) => holds,
            Err(error) => return kept(&error),
        };
        let rows = self.catalogue.rows();
        match retention::judge(rows, &self.reader, &holds, *row).map_err(ShelfError::Catalogue)? {
            Over::Held { cases, .. } => kept(&format!("legal hold {}", cases.join(", "))),
            Over::Free(_) | Over::Unreadable { .. } => Ok(None),
        }
    }

    fn may_be_erased(
        &self,
        seq: Seq,
        now: Timestamp,
    ) -> Result<Result<Box<Free>, Fate>, ShelfError> {
        let kept = |why: &str| Ok(Err(Fate::Kept(why.into())));
        let rows = self.catalogue.rows();
        let row = rows.get(seq).map_err(ShelfError::Catalogue)?;
        let Some(row) = row.filter(|row| row.kind == Kind::Capture) else {
            return kept("the archive has no such mail");
        };
        if let Some(said) = row.erased {
            return Ok(Err(self.erase_again(&row, said)?));
        }
        if row.mail.ended.is_none() && !row.mail.is_imported && row.at.plus(LONGEST_WAY) > now {
            // What becomes of it would be written behind it, and stay.
            return kept("it has not ended yet: see mailweir queue show");
        }
        let holds = match self.holds() {
            Ok(holds) => holds,
            Err(error) => return kept(&error),
        };
        match retention::judge(rows, &self.reader, &holds, row).map_err(ShelfError::Catalogue)? {
            Over::Free(free) => Ok(Ok(free)),
            Over::Held { cases, .. } => kept(&format!("legal hold {}", cases.join(", "))),
            Over::Unreadable { why, .. } => {
                kept(&format!("whether a legal hold means it cannot be told: {why}"))
            }
        }
    }
}

/// For so long a mail may wait in a queue; one that has no end later is not heard of any more.
const LONGEST_WAY: Duration = Duration::from_secs(30 * 86_400);
