//! What the files of the archive say of mails, for the eyes of somebody. Blocks.

use std::io::{self, Read as _};

use bytes::Bytes;
use mailweir_archive::{
    Places, ReadError, Reader,
    catalogue::{Row, Rows},
    entry::{self, Capture, Outcome, Source},
    frame::{Kind, Seq},
    holds::Holds,
    import::envelope::{self, MOST_HEADER},
    payload::UnpackError,
};
use mailweir_extract::Extracted;
use mailweir_mail::QueueId;
use mailweir_search::query::Status;
use tokio::sync::mpsc;

use super::{
    indexing::Sight,
    room::RoomError,
    sight, status,
    words::{Line, Shown, Told},
};
use crate::extraction::header_alone;

/// Files of the archive, open for one question.
pub(super) struct Reading {
    rows: Rows,
    reader: Reader,
}

/// The content of a mail.
pub(crate) struct Payload(Box<dyn std::io::Read + Send>);

impl std::io::Read for Payload {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Reading {
    pub(super) fn new(places: &Places, reader: Reader) -> Result<Self, RoomError> {
        let rows = Rows::open(&places.catalogue())?;
        Ok(Self { rows, reader })
    }

    /// Whether a mail is to be found: it is there, and stands as is asked for.
    pub(super) fn has_status(&self, seq: Seq, wanted: &[Status]) -> bool {
        // What the catalogue does not know cannot be said to be gone.
        let Ok(Some(row)) = self.rows.look(seq) else { return wanted.is_empty() };
        row.erased.is_none() && status::fits(&row, wanted)
    }

    /// Who used the archive, the latest first.
    pub(super) fn accesses(&self, limit: usize) -> Result<Vec<Told>, RoomError> {
        let mut accesses = Vec::new();
        for seq in (1..self.rows.next()?).rev() {
            if accesses.len() == limit {
                break;
            }
            let Some(row) = self.rows.look(seq)?.filter(|row| row.kind == Kind::Access) else {
                continue;
            };
            let mut record = self.reader.read_sound(row.place)?;
            let summary = record.payload.summary().map_err(ReadError::from)?;
            let (at, id, access) = (row.at, row.queue_id(), entry::decode(&summary)?);
            accesses.push(Told::Access { at, id, access });
        }
        Ok(accesses)
    }

    /// Mails behind a record.
    pub(super) fn mails_behind(&self, reached: Seq) -> Result<u64, RoomError> {
        let mut mails = 0;
        for row in self.rows.from(reached + 1) {
            mails += u64::from(row?.kind == Kind::Capture);
        }
        Ok(mails)
    }

    /// A line for each mail. What cannot be read has a line, too.
    pub(super) fn lines(
        &self,
        seqs: &[Seq],
        sight: &Sight,
        holds: &Holds,
    ) -> Result<Vec<Line>, RoomError> {
        let mut lines = Vec::with_capacity(seqs.len());
        for seq in seqs {
            if let Some(row) = self.rows.get(*seq)? {
                lines.extend(self.line(&row, sight, holds));
            }
        }
        Ok(lines)
    }

    fn line(&self, row: &Row, sight: &Sight, holds: &Holds) -> Option<Line> {
        let id = row.queue_id()?;
        let Ok((capture, header)) = self.capture(row) else {
            return matches!(sight, Sight::WithBcc).then(|| damaged(row, id));
        };
        if !sight::may_see(sight, &capture) {
            return None;
        }
        let seen = sight::recipients(sight, &capture.envelope.recipients, &header);
        Some(Line {
            seq: row.seq,
            id,
            at: row.at,
            status: status::of(row).into(),
            direction: capture.note.direction.as_str().into(),
            sender: capture.envelope.sender.as_str().into(),
            recipients: seen.map(|one| one.address.as_str().into()).collect(),
            subject: header.subject.lines().next().unwrap_or_default().into(),
            size: capture.size,
            holds: match sight::shows_hidden(sight) {
                true => holds.of(row.seq, &capture).map(Into::into).collect(),
                false => Vec::new(),
            },
        })
    }

    /// All about a mail, and the row that it is known by; `None`: there is none that may be seen.
    pub(super) fn gather(
        &self,
        id: QueueId,
        sight: &Sight,
        holds: &Holds,
    ) -> Result<Option<(Row, Shown)>, RoomError> {
        let Some(first) = self.rows.of_mail(id)? else { return Ok(None) };
        let mut shown = Shown {
            id,
            seq: (first.kind == Kind::Capture).then_some(first.seq),
            capture: None,
            outcomes: Vec::new(),
            erased: None,
            keep_until: first.mail.keep_until,
            holds: Vec::new(),
            accesses: Vec::new(),
            damage: Vec::new(),
        };
        for row in self.rows.from(first.seq) {
            let row = row?;
            if row.queue_id() != Some(id) || row.erased.is_some() {
                continue;
            }
            if let Err(error) = self.add(&mut shown, &first, &row) {
                shown.damage.push(format!("record {}: {error}", row.seq).into());
            }
        }
        match &shown.capture {
            Some(capture) if !sight::may_see(sight, capture) => return Ok(None),
            // Whose it is nobody can tell.
            None if !sight::shows_hidden(sight) => return Ok(None),
            Some(capture) => shown.holds = holds.of(first.seq, capture).map(Into::into).collect(),
            None => {}
        }
        let header = self.capture(&first).map(|(_, header)| header).unwrap_or_default();
        sight::veil(sight, &mut shown, &header);
        Ok(Some((first, shown)))
    }

    /// Adds what a record says.
    fn add(&self, shown: &mut Shown, first: &Row, row: &Row) -> Result<(), RoomError> {
        let mut record = self.reader.read_sound(row.place)?;
        let summary = record.payload.summary().map_err(ReadError::from)?;
        match row.kind {
            Kind::Capture => shown.capture = Some(entry::decode::<Capture>(&summary)?),
            Kind::Outcome => shown.outcomes.push(entry::decode::<Outcome>(&summary)?),
            // What became of it is erased with it, and says the same.
            Kind::Erased if row.about == first.seq => {
                shown.erased = Some((row.at, entry::decode(&summary)?));
            }
            Kind::Access => shown.accesses.push((row.at, entry::decode(&summary)?)),
            Kind::Erased | Kind::Hold | Kind::Lifted => {}
        }
        Ok(())
    }

    /// A mail and its content; `None`: there is none that may be seen.
    pub(super) fn open(
        &self,
        id: QueueId,
        sight: &Sight,
    ) -> Result<Option<(Row, Capture, Payload)>, RoomError> {
        let row = self.rows.of_mail(id)?.filter(|row| row.kind == Kind::Capture);
        let Some(row) = row else { return Ok(None) };
        let mut record = match self.reader.read_sound(row.place) {
            Err(_) if !sight::shows_hidden(sight) => return Ok(None),
            read => read?,
        };
        let summary = record.payload.summary().map_err(ReadError::from)?;
        let capture: Capture = entry::decode(&summary)?;
        if !sight::may_see(sight, &capture) {
            return Ok(None);
        }
        let mut begin = Vec::new();
        if matches!(capture.note.source, Source::Imported { .. }) {
            let read = record.payload.by_ref().take(MOST_HEADER as u64).read_to_end(&mut begin);
            read.map_err(UnpackError::from).map_err(ReadError::from)?;
            if !sight::may_see_content(sight, &envelope::beside(&begin)) {
                return Err(RoomError::NamesHidden(id));
            }
        }
        let content = io::Cursor::new(begin).chain(record.payload);
        Ok(Some((row, capture, Payload(Box::new(content)))))
    }

    /// A mail, and what its header says.
    fn capture(&self, row: &Row) -> Result<(Capture, Extracted), RoomError> {
        let mut record = self.reader.read(row.place)?;
        let summary = record.payload.summary().map_err(ReadError::from)?;
        let capture = entry::decode(&summary)?;
        let mut head = Vec::new();
        let read = record.payload.by_ref().take(LONGEST_HEADER).read_to_end(&mut head);
        read.map_err(UnpackError::from).map_err(ReadError::from)?;
        Ok((capture, header_alone(&head)))
    }
}

/// The parts of content, in order. Read as fast as they are taken.
pub(super) fn parts(payload: Payload) -> mpsc::Receiver<io::Result<Bytes>> {
    let (parts, waiting) = mpsc::channel(WAITING);
    tokio::task::spawn_blocking(move || pass_on(payload, &parts));
    waiting
}

/// Reads until the end, an error, or until nobody listens any more.
fn pass_on(mut payload: Payload, parts: &mpsc::Sender<io::Result<Bytes>>) {
    loop {
        let mut part = vec![0; PART];
        let part = match payload.read(&mut part) {
            Ok(0) => return,
            Ok(read) => {
                part.truncate(read);
                Ok(part.into())
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
        };
        let is_over = part.is_err();
        if parts.blocking_send(part).is_err() || is_over {
            return;
        }
    }
}

/// What is known of a mail that cannot be read.
fn damaged(row: &Row, id: QueueId) -> Line {
    Line {
        seq: row.seq,
        id,
        at: row.at,
        status: "damaged".into(),
        direction: "".into(),
        sender: "".into(),
        recipients: Vec::new(),
        subject: "".into(),
        size: 0,
        holds: Vec::new(),
    }
}

/// Bytes that are read at once.
const PART: usize = 64 * 1_024;

/// Parts that may wait for a slow reader.
const WAITING: usize = 4;

/// Bytes of a header that are read.
const LONGEST_HEADER: u64 = 256 * 1_024;
