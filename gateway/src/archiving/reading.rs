//! What the files of the archive say of mails, for the eyes of somebody. Blocks.

use std::{
    collections::BTreeSet,
    fmt::Display,
    io::{self, Read as _},
};

use bytes::Bytes;
use mailweir_archive::{
    Places, ReadError, Reader, Record,
    catalogue::{Row, Rows},
    entry::{self, Capture, Outcome, Source},
    frame::{Kind, Seq},
    holds::Holds,
    import::envelope::{self, MOST_HEADER},
    payload::UnpackError,
    span::Span,
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

    /// Who used the archive, the latest first. What cannot be read has a line, too. `last`: the last record of all, which
    /// the catalogue does not know if it is damaged.
    pub(super) fn accesses(&self, limit: usize, last: Seq) -> Result<Vec<Told>, RoomError> {
        let mut told = Vec::new();
        // The one that was looked at before.
        let mut later = last + 1;
        for seq in (1..=last).rev() {
            let row = self.rows.look(seq)?;
            if row.is_none() && seq > 1 {
                continue;
            }
            let first = seq + u64::from(row.is_some());
            if first < later {
                told.push(unread(Span::between(first, later - 1), &GAP));
            }
            if told.len() >= limit {
                break;
            }
            later = seq;
            if let Some(row) = row.filter(|row| row.kind == Kind::Access) {
                let access = self.access(&row);
                told.push(access.unwrap_or_else(|error| unread(Span::of(seq), &error)));
            }
        }
        told.truncate(limit);
        Ok(told)
    }

    fn access(&self, row: &Row) -> Result<Told, RoomError> {
        let mut record = self.reader.read_sound(row.place)?;
        let summary = record.payload.summary().map_err(ReadError::from)?;
        Ok(Told::Access { at: row.at, id: row.queue_id(), access: entry::decode(&summary)? })
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
            return sight::shows_hidden(sight).then(|| damaged(row, id, holds));
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
            legal_holds: match sight::shows_hidden(sight) {
                true => holds.of(row.seq, &capture).map(Into::into).collect(),
                false => Vec::new(),
            },
        })
    }

    /// All about a mail, and the row that it is known by; `None`: there is none that may be seen. `doubt`: why there may
    /// be other legal holds than these.
    pub(super) fn gather(
        &self,
        id: QueueId,
        sight: &Sight,
        holds: &Holds,
        doubt: Option<Box<str>>,
    ) -> Result<Option<(Row, Shown)>, RoomError> {
        let Some(first) = self.rows.of_mail(id)? else { return Ok(None) };
        let mut shown = Shown {
            id,
            seq: (first.kind == Kind::Capture).then_some(first.seq),
            capture: None,
            outcomes: Vec::new(),
            erased: None,
            keep_until: first.mail.keep_until(),
            legal_holds: Vec::new(),
            legal_hold_doubt: None,
            accesses: Vec::new(),
            damage: Vec::new(),
        };
        let mut captures = Vec::new();
        for row in self.rows.from(first.seq) {
            let row = row?;
            if row.queue_id() != Some(id) || row.erased.is_some() {
                continue;
            }
            captures.extend((row.kind == Kind::Capture).then_some(row));
            if let Err(error) = self.add(&mut shown, &first, &row) {
                shown.damage.push(format!("record {}: {error}", row.seq).into());
            }
        }
        match &shown.capture {
            Some(capture) if !sight::may_see(sight, capture) => return Ok(None),
            // Whose it is nobody can tell.
            None if !sight::shows_hidden(sight) => return Ok(None),
            Some(_) | None => {}
        }
        shown.legal_hold_doubt = doubt.filter(|_| !captures.is_empty());
        shown.legal_holds = meaning(holds, &captures, shown.capture.as_ref());
        let of_shown = captures.iter().find(|row| Some(row.seq) == shown.seq);
        let header = of_shown.and_then(|row| self.capture(row).ok());
        let header = header.map(|(_, header)| header).unwrap_or_default();
        sight::veil(sight, &mut shown, &header);
        Ok(Some((first, shown)))
    }

    /// Adds what a record says.
    fn add(&self, shown: &mut Shown, first: &Row, row: &Row) -> Result<(), RoomError> {
        let mut record = self.reader.read_sound(row.place)?;
        let summary = record.payload.summary().map_err(ReadError::from)?;
        match row.kind {
            // The first that can be read.
            Kind::Capture if shown.capture.is_none() => {
                shown.capture = Some(entry::decode::<Capture>(&summary)?);
                (shown.seq, shown.keep_until) = (Some(row.seq), row.mail.keep_until());
            }
            Kind::Outcome => shown.outcomes.push(entry::decode::<Outcome>(&summary)?),
            // What became of it is erased with it, and says the same.
            Kind::Erased if row.about == first.seq => {
                shown.erased = Some((row.at, entry::decode(&summary)?));
            }
            Kind::Access => shown.accesses.push((row.at, entry::decode(&summary)?)),
            Kind::Capture | Kind::Erased | Kind::Hold | Kind::Lifted => {}
        }
        Ok(())
    }

    /// A mail and its content; `None`: there is none that may be seen.
    pub(super) fn open(
        &self,
        id: QueueId,
        sight: &Sight,
    ) -> Result<Option<(Row, Capture, Payload)>, RoomError> {
        let (row, mut record) = match self.sound_capture(id) {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(None),
            // Whose it is nobody can tell.
            Err(_) if !sight::shows_hidden(sight) => return Ok(None),
            Err(error) => return Err(error),
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

    /// The first capture of a mail that can be read: of a damaged one the queue may have brought it again.
    fn sound_capture(&self, id: QueueId) -> Result<Option<(Row, Record)>, RoomError> {
        let first = self.rows.of_mail(id)?.filter(|row| row.kind == Kind::Capture);
        let Some(first) = first else { return Ok(None) };
        let why = match self.reader.read_sound(first.place) {
            Ok(record) => return Ok(Some((first, record))),
            Err(why) => why,
        };
        let others = self.rows.captures_of(id)?.into_iter().filter(|row| row.seq != first.seq);
        let mut sound =
            others.filter_map(|row| Some((row, self.reader.read_sound(row.place).ok()?)));
        sound.next().map_or_else(|| Err(why.into()), |found| Ok(Some(found)))
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

/// The legal holds that mean a mail with these captures; one that cannot be read only by its number.
fn meaning(holds: &Holds, captures: &[Row], capture: Option<&Capture>) -> Vec<Box<str>> {
    let mut cases = BTreeSet::new();
    for row in captures {
        match capture {
            Some(capture) => cases.extend(holds.of(row.seq, capture)),
            None => cases.extend(holds.naming(row.seq)),
        }
    }
    cases.into_iter().map(Into::into).collect()
}

/// Records that may say who used the archive.
fn unread(records: Span, why: &impl Display) -> Told {
    Told::UnreadAccess { records, why: format!("record {records} cannot be read: {why}").into() }
}

/// What is known of a mail that cannot be read.
fn damaged(row: &Row, id: QueueId, holds: &Holds) -> Line {
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
        legal_holds: holds.naming(row.seq).map(Into::into).collect(),
    }
}

/// What is true of records between others.
const GAP: &str = "damaged or missing; it may say who used the archive";

/// Bytes that are read at once.
const PART: usize = 64 * 1_024;

/// Parts that may wait for a slow reader.
const WAITING: usize = 4;

/// Bytes of a header that are read.
const LONGEST_HEADER: u64 = 256 * 1_024;
