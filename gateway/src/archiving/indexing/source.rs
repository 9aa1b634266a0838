//! The records of the archive as the index takes them: up to the last one that counts, from wherever it is. Blocks.

use std::io::{self, Read as _};

use bytes::Bytes;
use mailweir_archive::{
    Place, ReadError, Reader,
    entry::{self, Capture, Erased, Erasure},
    frame::{Head, Kind, Seq},
    payload::UnpackError,
    records::Records,
};

use super::filler::Trouble;

/// Where records come from.
pub(super) struct Source {
    archive: Reader,
    records: Option<Records>,
    /// The last record that was taken.
    taken: Option<(Head, Place)>,
}

/// A record on its way.
pub(super) enum Step {
    /// A mail; what is in it is being read.
    Mail { head: Head, capture: Box<Capture>, content: Bytes, is_whole: bool },
    /// One that cannot be read.
    Unreadable(Head),
    /// A mail is gone.
    Erased { head: Head, seq: Seq, at_once: bool },
    /// Nothing for the index.
    Other(Head),
}

impl Source {
    /// Goes on behind a record.
    pub(super) const fn new(archive: Reader, taken: Option<(Head, Place)>) -> Self {
        Self { archive, records: None, taken }
    }

    /// The next record up to `last`; of content no more than `most` bytes.
    pub(super) fn next(&mut self, last: Seq, most: u64) -> Result<Option<Step>, Trouble> {
        let Some(record) = self.take(last)? else { return Ok(None) };
        let step = self.read(record, most)?;
        self.taken = Some(record);
        Ok(Some(step))
    }

    fn take(&mut self, last: Seq) -> Result<Option<(Head, Place)>, Trouble> {
        let behind = self.taken.map_or(0, |(head, _)| head.seq);
        if behind >= last {
            return Ok(None);
        }
        // Those that are being read end where the archive ended when they were begun.
        if let Some(records) = self.records.take() {
            let next = self.next_of(records, last)?;
            if next.is_some() {
                return Ok(next);
            }
        }
        let records = match self.taken {
            Some(taken) => Records::behind(self.archive.places(), taken)?,
            None => Records::from(self.archive.places(), 0)?,
        };
        self.next_of(records, last)
    }

    fn next_of(
        &mut self,
        mut records: Records,
        last: Seq,
    ) -> Result<Option<(Head, Place)>, Trouble> {
        // What is behind `last` was not promised yet: it, or another one, is read again then.
        let next = records.next().transpose()?.filter(|(head, _)| head.seq <= last);
        if next.is_some() {
            self.records = Some(records);
        }
        Ok(next)
    }

    fn read(&self, (head, place): (Head, Place), most: u64) -> Result<Step, Trouble> {
        let step = match head.kind {
            Kind::Capture => read_mail(&self.archive, head, place, most),
            Kind::Erased => {
                let at_once = !is_expired(&self.archive, place);
                return Ok(Step::Erased { head, seq: head.about, at_once });
            }
            Kind::Outcome | Kind::Hold | Kind::Lifted | Kind::Access => {
                return Ok(Step::Other(head));
            }
        };
        match step {
            Ok(step) => Ok(step),
            // The record that says so comes later.
            Err(ReadError::Erased { .. }) => Ok(Step::Other(head)),
            Err(error) if is_lasting(&error) => Ok(Step::Unreadable(head)),
            Err(error) => Err(error.into()),
        }
    }
}

fn read_mail(archive: &Reader, head: Head, place: Place, most: u64) -> Result<Step, ReadError> {
    let mut record = archive.read(place)?;
    let summary = record.payload.summary()?;
    let Ok(capture) = entry::decode::<Capture>(&summary) else { return Ok(Step::Unreadable(head)) };
    let mut content = Vec::new();
    let read = record.payload.take(most).read_to_end(&mut content);
    let is_whole = match read {
        Ok(_) => true,
        Err(error) if error.raw_os_error().is_some_and(|code| code != EIO) => {
            return Err(UnpackError::Io(error).into());
        }
        Err(_) => false,
    };
    Ok(Step::Mail { head, capture: Box::new(capture), content: content.into(), is_whole })
}

/// Whether a mail went because its time was over, and not because somebody asked.
fn is_expired(archive: &Reader, place: Place) -> bool {
    let summary = archive.read(place).map(|mut record| record.payload.summary());
    let erased = summary.ok().and_then(Result::ok).and_then(|it| entry::decode::<Erased>(&it).ok());
    erased.is_some_and(|erased| erased.why == Erasure::Expired)
}

/// Whether it will be the same the next time: damage, and not a disk that is out of reach.
fn is_lasting(error: &ReadError) -> bool {
    let lasts = |error: &io::Error| {
        error.kind() == io::ErrorKind::NotFound
            || error.raw_os_error().is_none_or(|code| code == EIO)
    };
    match error {
        ReadError::NoRecord { .. }
        | ReadError::Changed { .. }
        | ReadError::Erased { .. }
        | ReadError::KeyLost { .. } => true,
        // Whoever keeps the keys can put it there.
        ReadError::OtherKey { .. } => false,
        ReadError::Io { error, .. } | ReadError::Payload(UnpackError::Io(error)) => lasts(error),
        ReadError::Payload(UnpackError::Damaged) => true,
        ReadError::Payload(UnpackError::NoKey) => false,
    }
}

const EIO: i32 = rustix::io::Errno::IO.raw_os_error();
