//! Legal holds: records of them, and what they come to. While it is not certain that all of them are known, nothing
//! is erased.

use std::sync::Arc;

use mailweir_archive::{
    About, Draft, Reader,
    catalogue::{Catalogue, Facts, MOST_GAPS, Row, lost},
    entry::{self, LegalHold, Lift, Lifted},
    frame::Kind,
    holds::{Holds, Standing, Unread},
    span::Span,
};
use mailweir_mail::Timestamp;

use super::{RETRY_PAUSE, Shelf, ShelfError};
use crate::count::counted;

/// What is known of legal holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct KnownHolds {
    /// Those that can be read.
    pub(crate) holds: Arc<Holds>,
    /// What cannot be read, and may be a hold.
    pub(crate) unread: Vec<Unread>,
    /// Records that were lost, and may have been holds.
    pub(crate) lost: Vec<Span>,
    /// What could not be read, or was lost, and is no hold any more, as somebody has said; and when.
    pub(crate) passed: Vec<(Timestamp, Lifted)>,
    /// Why there may be more that nobody can name.
    pub(crate) doubt: Option<Box<str>>,
}

impl KnownHolds {
    pub(super) fn read(catalogue: &Catalogue, reader: &Reader, lost: &[Span]) -> Self {
        match catalogue.rows().holds() {
            Ok(rows) => Self::of(&rows, reader, catalogue.missing(), lost),
            Err(error) => {
                let doubt = Some(doubt_for(&ShelfError::Catalogue(error)));
                Self { doubt, lost: lost.to_vec(), ..Self::default() }
            }
        }
    }

    /// By the records of holds, those that are missing, and those that were lost.
    pub(super) fn of(rows: &[Row], reader: &Reader, missing: &[Span], lost: &[Span]) -> Self {
        // So many cannot be named, and nobody can answer for them one by one.
        let (missing, doubt) = match missing.len() > MOST_GAPS {
            true => (&[][..], Some(too_many_gaps())),
            false => (missing, None),
        };
        let Standing { holds, unread, passed } = Standing::read(rows, reader, missing);
        Self { holds: Arc::new(holds), unread, lost: lost.to_vec(), passed, doubt }
    }

    /// All of them.
    ///
    /// # Errors
    /// There may be others: nothing may be erased, and what to do.
    pub(super) fn all(&self) -> Result<Arc<Holds>, Box<str>> {
        if let Some(doubt) = &self.doubt {
            return Err(doubt.clone());
        }
        let lost = self.lost.iter().map(|records| said_of_lost(*records));
        let mut open = lost.chain(self.unread.iter().map(ToString::to_string));
        match (open.next(), open.count()) {
            (None, _) => Ok(Arc::clone(&self.holds)),
            (Some(one), 0) => Err(one.into()),
            (Some(one), others) => {
                let others = counted(others, "other");
                Err(format!("{one} (and so with {others}: mailweir archive hold list)").into())
            }
        }
    }
}

/// What is true of records that were lost, and what to do.
pub(crate) fn said_of_lost(records: Span) -> String {
    format!(
        "record {records} was lost and may have been a legal hold, so nothing is erased: the archive was cut off, or put \
         back to an older state; add again the legal holds that are missing, then mailweir archive hold lift --lost \
         {records} ends what it was"
    )
}

fn doubt_for(error: &ShelfError) -> Box<str> {
    let pause = RETRY_PAUSE.as_secs();
    format!(
        "a legal hold may not be known, so nothing is erased: {error}; once that is mended the server reads them again \
         within {pause} s, or at its start"
    )
    .into()
}

fn too_many_gaps() -> Box<str> {
    format!(
        "the archive is damaged in more than {MOST_GAPS} places, and legal holds may have been there: put it back from a \
         backup"
    )
    .into()
}

impl Shelf {
    /// A legal hold begins, or means more.
    pub(crate) fn hold(&mut self, hold: LegalHold, now: Timestamp) -> Result<(), ShelfError> {
        let added = self.add_about_holds(Kind::Hold, &entry::encode(&hold)?, now);
        if let Err(error) = added {
            // With the catalogue behind, it may be written; then it counts.
            if matches!(error, ShelfError::Catalogue(_)) {
                self.known_holds.doubt = Some(doubt_for(&error));
            }
            return Err(error);
        }
        match self.known_holds.doubt {
            Some(_) => self.read_holds(),
            None => Arc::make_mut(&mut self.known_holds.holds).begin(hold, now),
        }
        Ok(())
    }

    /// A legal hold ends, or what of records that cannot be read, or were lost, may be one.
    pub(crate) fn lift(&mut self, lifted: &Lifted, now: Timestamp) -> Result<(), ShelfError> {
        self.add_about_holds(Kind::Lifted, &entry::encode(lifted)?, now)?;
        match &lifted.what {
            Lift::Case(case) => {
                Arc::make_mut(&mut self.known_holds.holds).lift(case);
            }
            Lift::Unread(_) => self.read_holds(),
            Lift::Lost(records) => {
                self.answer(*records)?;
                self.read_holds();
            }
        }
        Ok(())
    }

    /// Somebody has answered for records that were lost.
    fn answer(&mut self, records: Span) -> Result<(), ShelfError> {
        let left: Vec<_> = self.lost.iter().flat_map(|lost| lost.without(&[records])).collect();
        lost::write(self.archive.places(), &left).map_err(ShelfError::Lost)?;
        self.lost = left;
        Ok(())
    }

    /// What could not be read before may be there again.
    pub(crate) fn read_holds(&mut self) {
        // A hold that was written may have no row yet.
        self.known_holds = match self.catalogue.note(&[]) {
            Ok(()) => KnownHolds::read(&self.catalogue, &self.reader, &self.lost),
            Err(error) => {
                let doubt = Some(doubt_for(&ShelfError::Catalogue(error)));
                KnownHolds { doubt, ..std::mem::take(&mut self.known_holds) }
            }
        };
    }

    /// Whether not all may be known, and reading them again can tell.
    pub(super) fn may_settle_doubt(&self) -> bool {
        self.known_holds.doubt.is_some() && self.catalogue.missing().len() <= MOST_GAPS
    }

    /// What is known of legal holds, whether that is all of them or not.
    pub(crate) const fn known_holds(&self) -> &KnownHolds {
        &self.known_holds
    }

    /// All legal holds.
    ///
    /// # Errors
    /// There may be others: nothing may be erased, and what to do.
    pub(crate) fn holds(&self) -> Result<Arc<Holds>, Box<str>> {
        self.known_holds.all()
    }

    fn add_about_holds(
        &mut self,
        kind: Kind,
        summary: &[u8],
        now: Timestamp,
    ) -> Result<(), ShelfError> {
        let payload = self.packer.pack(summary, b"")?;
        let draft = Draft::new(kind, About::Nothing, None, payload);
        self.add(vec![(draft, Facts::Nothing)], now).map(|_| ())
    }
}
