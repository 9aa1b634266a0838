//! From what the queue owes to records. Blocks.

mod days;
mod erasing;
mod holds;
#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, HashSet},
    io,
    time::{Duration, Instant},
};

use mailweir_archive::{
    About, Archive, Draft, Left, OpenError, Reader, WriteError, Written,
    catalogue::{Catalogue, Facts, Found, Row, Rows},
    commit::Salt,
    entry::{self, Access, Capture, Direction, Ending, Fared, Note, Outcome, Source, SummaryError},
    erase::EraseError,
    frame::{Head, Kind, Seq},
    payload::{PackError, Packer},
    records::Records,
    roots::Root,
    span::Span,
};
use mailweir_mail::{QueueId, Timestamp};
use mailweir_queue::{ArchivePart, ToArchive, progress};

pub(crate) use self::days::LastDay;
pub(crate) use self::erasing::Fate;
pub(crate) use self::holds::{KnownHolds, said_of_lost};
use super::{Item, content::Content, decided};
use crate::{clock, config};

/// The archive, and what of the queue's mail it has.
pub(crate) struct Shelf {
    archive: Archive,
    catalogue: Catalogue,
    reader: Reader,
    known_holds: KnownHolds,
    /// Records that were lost, and nobody has answered for.
    lost: Vec<Span>,
    last_day: LastDay,
    packer: Packer,
    /// Mails that the queue may bring again, by their captures: those whose end is not known yet, and at the
    /// start those of the last segments.
    captured: HashMap<QueueId, Seq>,
    /// Mails of which nothing more is written, and the queue may not know it: a crash may have had it forget.
    ended: HashSet<QueueId>,
    /// Before this nothing is tried again.
    retry_at: Instant,
}

/// What a start has found.
pub(crate) struct Opened {
    /// In the segments.
    pub(crate) left: Left,
    /// Beside them.
    pub(crate) found: Found,
}

/// Something is not kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ShelfError {
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error(transparent)]
    Pack(#[from] PackError),
    #[error(transparent)]
    Summary(#[from] SummaryError),
    #[error("the catalogue of the archive: {0}")]
    Catalogue(io::Error),
    #[error("which records were lost cannot be written down: {0}")]
    Lost(io::Error),
    #[error(transparent)]
    Erase(#[from] EraseError),
}

/// A record that is to be written, and what the catalogue keeps of it.
type Planned = (Draft, Facts);

impl Shelf {
    pub(crate) fn open(
        settings: &config::Archive,
        now: Timestamp,
    ) -> Result<(Self, Opened), OpenError> {
        let directory = &settings.directory;
        let options = settings.options();
        let (archive, left) = Archive::open(directory, options, now)?;
        let failed = |error| OpenError::Io { path: directory.clone(), error };
        let packer = Packer::new().map_err(|error| failed(io::Error::other(error)))?;
        let reader = settings.reader();
        let path = archive.places().catalogue();
        let failed = |error| OpenError::Io { path: path.clone(), error };
        let (catalogue, found) =
            Catalogue::open(archive.places(), reader.clone(), archive.next(), &mut |_| {})
                .map_err(failed)?;
        let lost = found.unanswered.clone();
        let known_holds = KnownHolds::read(&catalogue, &reader, &lost);
        let last_day = LastDay::read(archive.places(), catalogue.rows(), archive.next());
        let mut shelf = Self {
            last_day: last_day.map_err(failed)?,
            archive,
            catalogue,
            reader,
            known_holds,
            lost,
            packer,
            captured: HashMap::new(),
            ended: HashSet::new(),
            retry_at: clock::monotonic(),
        };
        shelf.remember().map_err(failed)?;
        Ok((shelf, Opened { left, found }))
    }

    /// Remembers which mails the last segments have. Only what counts and is sound: all else the queue still
    /// has, and brings again.
    fn remember(&mut self) -> std::io::Result<()> {
        for record in Records::sound_of_last(self.archive.places(), LAST_SEGMENTS)? {
            let (head, _) = record?;
            self.has(&head);
        }
        Ok(())
    }

    /// The queue may bring this mail again, or its end.
    fn has(&mut self, head: &Head) {
        let Some(id) = head.queue_id() else { return };
        match head.kind {
            Kind::Capture => {
                self.captured.insert(id, head.seq);
            }
            Kind::Outcome => {
                self.ended.insert(id);
            }
            Kind::Erased | Kind::Hold | Kind::Lifted | Kind::Access => {}
        }
    }

    /// Seals what was begun on another day, though nothing comes any more.
    pub(super) fn end_day(&mut self, now: Timestamp) -> Result<(), ShelfError> {
        Ok(self.archive.end_day(now)?)
    }

    /// Tries again, now and then, to release what is said to be erased, and to read legal holds that may not be known.
    /// Whoever had it erased has heard why it could not be; mail does not wait for it.
    pub(super) fn retry(&mut self, now: Instant) {
        if self.is_retry_due(now) {
            self.retry_at = now + RETRY_PAUSE;
            let _ = self.archive.release();
            if self.may_settle_doubt() {
                self.read_holds();
            }
        }
    }

    /// Whether there is something to try again, and it is time.
    pub(super) fn is_retry_due(&self, now: Instant) -> bool {
        self.retry_at().is_some_and(|at| at <= now)
    }

    /// When something is to be tried again; `None`: there is nothing.
    pub(super) fn retry_at(&self) -> Option<Instant> {
        (self.has_unreleased() || self.may_settle_doubt()).then_some(self.retry_at)
    }

    /// Whether something that is said to be erased may be there still.
    pub(super) fn has_unreleased(&self) -> bool {
        !self.archive.unreleased().is_empty()
    }

    /// Writes what is owed and not there yet. Once this gives `Ok`, all of it is on the disk.
    pub(super) fn keep(&mut self, group: &[Item], now: Timestamp) -> Result<(), ShelfError> {
        let mut planned = Vec::with_capacity(2 * group.len());
        for Item { mail, content } in group {
            self.plan(mail, content, now, &mut planned)?;
        }
        self.add(planned, now).map(|_| ())
    }

    /// The queue knows now what was kept, and does not bring again what has ended.
    pub(super) fn settle(&mut self, mails: impl IntoIterator<Item = QueueId>) {
        for id in mails {
            if self.ended.remove(&id) {
                self.captured.remove(&id);
            }
        }
    }

    fn plan(
        &mut self,
        mail: &ToArchive,
        content: &Content,
        now: Timestamp,
        planned: &mut Vec<Planned>,
    ) -> Result<(), ShelfError> {
        let id = mail.id;
        let known = self.known(id, takes_content(mail))?;
        let mut about = known.map_or(About::Nothing, |(seq, _)| About::Record(seq));
        if takes_content(mail) && known.is_none() {
            let capture = capture(mail, content, Salt::random().map_err(WriteError::Io)?);
            let payload = content.pack(entry::encode(&capture)?, &mut self.packer)?;
            about = About::OfGroup(planned.len());
            let facts = Facts::of_capture(&capture.note, now);
            planned.push((Draft::of_capture(&capture, payload), facts));
        }
        let is_closed = known.is_some_and(|(_, is_closed)| is_closed) || self.ended.contains(&id);
        if is_closed {
            self.ended.insert(id);
        }
        if let Some(outcome) = outcome(mail).filter(|_| !is_closed) {
            let payload = self.packer.pack(&entry::encode(&outcome)?, b"")?;
            let draft = Draft::new(Kind::Outcome, about, Some(id), payload);
            planned.push((draft, Facts::Outcome(outcome.end)));
        }
        Ok(())
    }

    /// The capture of a mail, if there is one, and whether it has all that is written of the mail: its end is there,
    /// too, or it is erased, and what becomes of it now would stay. `is_offered`: the mail itself comes, perhaps again.
    fn known(&self, id: QueueId, is_offered: bool) -> Result<Option<(Seq, bool)>, ShelfError> {
        let rows = self.catalogue.rows();
        let row = match self.captured.get(&id) {
            Some(seq) => rows.get(*seq).map(|row| row.map_or((*seq, false), closed)).map(Some),
            None if is_offered => return Ok(None),
            // It was taken before this start, perhaps long ago.
            None => {
                rows.of_mail(id).map(|row| row.filter(|row| row.kind == Kind::Capture).map(closed))
            }
        };
        let row = row.map_err(ShelfError::Catalogue)?;
        Ok(row.map(|(seq, is_closed)| (seq, is_closed || self.ended.contains(&id))))
    }

    /// Takes in mails that the queue does not know. Once this gives `Ok`, all of them are on the disk.
    pub(crate) fn bring(
        &mut self,
        mails: &[(Capture, Content)],
        now: Timestamp,
    ) -> Result<Vec<Written>, ShelfError> {
        let mut planned = Vec::with_capacity(mails.len());
        for (capture, content) in mails {
            let payload = content.pack(entry::encode(capture)?, &mut self.packer)?;
            let facts = Facts::of_capture(&capture.note, now);
            planned.push((Draft::of_capture(capture, payload), facts));
        }
        let written = self.add(planned, now)?;
        // The queue will not bring them again.
        for (capture, _) in mails {
            self.captured.remove(&capture.id);
        }
        Ok(written)
    }

    /// Seals what was begun, so that all of it has its proof.
    pub(crate) fn seal(&mut self, now: Timestamp) -> Result<(), ShelfError> {
        self.archive.seal(now)?;
        Ok(())
    }

    /// Somebody used the archive. `about`: the mail that they looked at.
    pub(crate) fn note_access(
        &mut self,
        access: &Access,
        about: Option<&Row>,
        now: Timestamp,
    ) -> Result<(), ShelfError> {
        let payload = self.packer.pack(&entry::encode(access)?, b"")?;
        let of = about.map_or(About::Nothing, |row| About::Record(row.seq));
        let draft = Draft::new(Kind::Access, of, about.and_then(Row::queue_id), payload);
        self.add(vec![(draft, Facts::Nothing)], now).map(|_| ())
    }

    /// Writes records. Once this gives `Ok`, all of them are on the disk, and the catalogue knows them.
    fn add(&mut self, planned: Vec<Planned>, now: Timestamp) -> Result<Vec<Written>, ShelfError> {
        let (drafts, facts): (Vec<_>, Vec<_>) = planned.into_iter().unzip();
        let written = self.archive.append(drafts, now)?;
        written.iter().for_each(|written| self.has(&written.head));
        let noted: Vec<_> = written.iter().copied().zip(facts).collect();
        self.catalogue.note(&noted).map_err(ShelfError::Catalogue)?;
        Ok(written)
    }

    /// The number of the last record; 0: there is none.
    pub(crate) const fn last(&self) -> u64 {
        self.archive.next() - 1
    }

    /// The segments that were sealed since this was asked last.
    pub(super) fn take_sealed(&mut self) -> Vec<Root> {
        let sealed = self.archive.take_sealed();
        if !sealed.is_empty() {
            // If it fails, a start reads more of the segments.
            let _ = self.catalogue.keep();
        }
        sealed
    }

    /// What the catalogue has of records.
    pub(super) const fn rows(&self) -> &Rows {
        self.catalogue.rows()
    }

    /// What records say.
    pub(crate) const fn reader(&self) -> &Reader {
        &self.reader
    }
}

fn closed(capture: Row) -> (Seq, bool) {
    (capture.seq, capture.mail.ended.is_some() || capture.erased.is_some())
}

/// Whether the archive is to get the mail itself.
pub(super) const fn takes_content(mail: &ToArchive) -> bool {
    match mail.part {
        ArchivePart::Capture | ArchivePart::Both => true,
        ArchivePart::Outcome => false,
    }
}

fn capture(mail: &ToArchive, content: &Content, salt: Salt) -> Capture {
    // Of another version: kept for ever, so that it stands in nobody's way.
    let note = entry::decode(&mail.note).unwrap_or(Note {
        direction: Direction::Inbound,
        rule: None,
        keep_days: None,
        held: None,
        source: Source::Accepted,
    });
    Capture {
        id: mail.id,
        envelope: (*mail.envelope).clone(),
        origin: (*mail.origin).clone(),
        note,
        content: content.hash(),
        salt,
        size: content.size(),
    }
}

fn outcome(mail: &ToArchive) -> Option<Outcome> {
    let ending = mail.ending.as_ref()?;
    let fared = |status: &progress::RecipientStatus| {
        let last = status.last();
        Fared {
            delivered: matches!(status, progress::RecipientStatus::Delivered { .. }),
            relay: last.and_then(|last| last.relay.clone()),
            reply: last.map(|last| last.reply.clone()),
            at: last.map(|last| last.at),
        }
    };
    Some(Outcome {
        id: mail.id,
        end: match ending.outcome {
            progress::Outcome::Delivered => Ending::Delivered,
            progress::Outcome::Failed => Ending::Failed,
            progress::Outcome::Deleted => Ending::Deleted,
        },
        recipients: ending.recipients.iter().map(fared).collect(),
        decisions: decided::read(&ending.decisions),
    })
}

/// After which something is tried again.
const RETRY_PAUSE: Duration = Duration::from_secs(60);

/// What the archive had taken when the queue last heard of it is not older than these.
const LAST_SEGMENTS: usize = 2;
