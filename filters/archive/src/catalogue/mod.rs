//! The catalogue: where each record is and how each mail stands, so that nobody has to read segments for it.
//!
//! One file of rows, that of record N behind N rows; before the first one, where the checkpoint would be. What
//! is known up to the *checkpoint* is on the disk; all behind it is read from the segments again at each
//! start. So nothing is synced for each group, and whatever a crash leaves of the rows behind the checkpoint,
//! a start mends it. All of it can be made anew from the segments, and is, if it fits them no longer, or stands on a
//! bad block: in another file, so that nothing is written to that block.

mod keyless;
pub mod lost;
mod row;
mod rows;
#[cfg(test)]
pub(crate) mod tests;

use std::{collections::BTreeMap, fs::File, io, mem, os::unix::fs::FileExt, path::Path};

use mailweir_mail::Timestamp;

pub use self::{
    keyless::NeededKey,
    row::{Facts, Noted, Row, Standing},
    rows::Rows,
};
use self::{
    row::take,
    rows::{There, offset},
};
use crate::{
    archive::{Place, Places, Written, private, sync_directory},
    disk::{self, is_bad_block},
    entry::{self, Capture, Outcome},
    frame::{Kind, SegmentHead, Seq},
    hash::{Chain, Hash},
    payload::UnpackError,
    read::{ReadError, Reader},
    records::Records,
    scan::{Look, Scan},
    span::Span,
    whole,
};

/// Writes the catalogue: beside the one who writes the archive.
#[derive(Debug)]
pub struct Catalogue {
    reader: Reader,
    places: Places,
    file: File,
    rows: Rows,
    checkpoint: Checkpoint,
    /// The last legal hold, or end of one.
    last_hold: Seq,
    /// The number that the next record of the archive will have, as far as it was told.
    next: Seq,
    /// See [`Self::missing`].
    missing: Vec<Span>,
    /// Whether something could not be written, and the rows behind the checkpoint are to be made anew.
    is_behind: bool,
}

/// What a start has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Records that were known and are not in the archive any more: the last that there is, the last that was
    /// known. The archive was cut off, or put back to what it was once.
    pub lost: Option<(Seq, Seq)>,
    /// Records that were lost, now or before, and nobody has answered for: see [`lost`].
    pub unanswered: Vec<Span>,
    /// Rows that were made from segments.
    pub made: u64,
    /// Keys that the key file does not have, and without which nobody knows how mails stand: these are kept for ever,
    /// until a start that has them.
    pub needed_keys: Vec<NeededKey>,
}

/// Up to where the rows are on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Checkpoint {
    /// The first segment whose records may have no rows on the disk.
    segment: u64,
    /// The number of its first record.
    first: Seq,
    /// The chain before it: it shows that the catalogue is of this archive.
    chain: Chain,
    /// The last legal hold before it, or end of one; 0: there is none.
    last_hold: Seq,
}

impl Catalogue {
    /// Opens the catalogue of an archive that was opened for writing, and has it know all of it. `next`: the number
    /// that its next record will have. `progress` is told of rows that are made.
    ///
    /// # Errors
    /// It cannot be read or written, or segments cannot be read.
    pub fn open(
        places: &Places,
        reader: Reader,
        next: Seq,
        progress: &mut dyn FnMut(u64),
    ) -> io::Result<(Self, Found)> {
        let (file, rows) = open(&places.catalogue())?;
        sync_directory(places.directory())?;
        let stored = Checkpoint::read(&file)?;
        let mut catalogue = Self {
            reader,
            places: places.clone(),
            file,
            rows,
            checkpoint: stored.unwrap_or(Checkpoint::START),
            last_hold: 0,
            next,
            missing: Vec::new(),
            is_behind: true,
        };
        let last = next - 1;
        let lost = catalogue.last_known()?.filter(|known| *known > last).map(|known| (last, known));
        let unanswered = catalogue.unanswered(last, lost)?;
        // If records are lost, rows before the checkpoint may say what came later, and is not there any more.
        let is_sound = lost.is_none() && stored.is_some();
        if !is_sound || !catalogue.is_whole()? || !catalogue.checkpoint.fits(places)? {
            catalogue.begin_anew()?;
        }
        let made = catalogue.make_up(progress)?;
        let needed_keys = catalogue.read_keyless()?;
        Ok((catalogue, Found { lost, unanswered, made, needed_keys }))
    }

    /// All that were lost, these among them: once the catalogue is begun anew, nothing else says so.
    fn unanswered(&self, last: Seq, lost: Option<(Seq, Seq)>) -> io::Result<Vec<Span>> {
        let mut unanswered = lost::read(&self.places, last)?;
        if let Some((last, known)) = lost {
            let new = Span::between(last + 1, known).without(&unanswered);
            unanswered.extend(new);
            lost::write(&self.places, &unanswered)?;
        }
        Ok(unanswered)
    }

    /// Whether all rows before the checkpoint are what was written.
    fn is_whole(&self) -> io::Result<bool> {
        if self.rows.next()? < self.checkpoint.first {
            return Ok(false);
        }
        self.rows.forget();
        for seq in 1..self.checkpoint.first {
            if self.rows.there(seq)? == There::Damage {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn begin_anew(&mut self) -> io::Result<()> {
        let path = self.places.catalogue();
        whole::write(&path, &Checkpoint::START.encode())?;
        (self.file, self.rows) = open(&path)?;
        self.checkpoint = Checkpoint::START;
        Ok(())
    }

    /// Takes in a group that was written.
    ///
    /// # Errors
    /// The disk failed. The archive has the group nevertheless, and the next call takes in what is missing.
    pub fn note(&mut self, group: &[(Written, Facts)]) -> io::Result<()> {
        let behind = group.last().map(|(written, _)| written.head.seq + 1);
        self.next = self.next.max(behind.unwrap_or(0));
        if self.is_behind {
            return self.make_up(&mut |_| {}).map(|_| ());
        }
        self.is_behind = true;
        let mut changes = Changes::default();
        for (written, facts) in group {
            self.put(Row::new(written, *facts), *facts, &mut changes)?;
        }
        changes.write(&self.file)?;
        self.is_behind = false;
        Ok(())
    }

    /// All records before the segment that is written to now are on the disk, and their rows with this call.
    ///
    /// # Errors
    /// The disk failed. It is done again with the next segment.
    pub fn keep(&mut self) -> io::Result<()> {
        if self.is_behind {
            self.make_up(&mut |_| {})?;
        }
        let Some(last) = self.places.numbers()?.pop() else { return Ok(()) };
        let (head, _) = Scan::open(&self.places.segment(last), Look::AtHeads)?;
        let Ok(head) = head else { return Ok(()) };
        let last_hold = match self.last_hold {
            hold if hold < head.first => hold,
            _ => self.last_hold_before(head.first)?,
        };
        let checkpoint =
            Checkpoint { segment: last, first: head.first, chain: head.chain, last_hold };
        if checkpoint != self.checkpoint {
            self.file.sync_all()?;
            checkpoint.write(&self.file)?;
            self.file.sync_all()?;
            self.checkpoint = checkpoint;
        }
        Ok(())
    }

    /// What is known.
    #[must_use]
    pub const fn rows(&self) -> &Rows {
        &self.rows
    }

    /// Records that have no row though the archive had them: they are damaged, and nobody knows what they said. If there
    /// are more gaps than [`MOST_GAPS`], the first ones, and one more than that. It may have more after each call that
    /// writes: also while the archive is open rows are made anew, and what rotted meanwhile gets none.
    #[must_use]
    pub fn missing(&self) -> &[Span] {
        &self.missing
    }

    fn last_hold_before(&self, first: Seq) -> io::Result<Seq> {
        let mut hold = self.last_hold;
        while hold >= first {
            let row = self.rows.get(hold)?.filter(|row| row.about < hold);
            hold = row.ok_or(io::ErrorKind::InvalidData)?.about;
        }
        Ok(hold)
    }

    /// The last record that there is a row of.
    fn last_known(&self) -> io::Result<Option<Seq>> {
        let next = self.rows.next()?;
        for seq in (1..next).rev().take(STRAY) {
            if self.rows.there(seq)? == There::Row {
                return Ok(Some(seq));
            }
        }
        Ok(None)
    }

    /// Makes the rows behind the checkpoint, or all of them if the disk does not give those any more. Says how many.
    fn make_up(&mut self, progress: &mut dyn FnMut(u64)) -> io::Result<u64> {
        match self.catch_up(progress) {
            Err(error) if is_bad_block(&error) => {
                self.begin_anew()?;
                self.catch_up(progress)
            }
            made => made,
        }
    }

    /// Makes the rows behind the checkpoint. Says how many.
    fn catch_up(&mut self, progress: &mut dyn FnMut(u64)) -> io::Result<u64> {
        self.last_hold = self.checkpoint.last_hold;
        let mut made = 0;
        let mut changes = Changes::default();
        for record in Records::from(&self.places, self.checkpoint.first)? {
            let (head, place) = record?;
            let written = Written { head, place };
            let facts = self.facts((head.kind, head.at), place)?;
            self.put(Row::new(&written, facts), facts, &mut changes)?;
            made += 1;
            if made % MOST_CHANGES == 0 {
                mem::take(&mut changes).write(&self.file)?;
                progress(made);
            }
        }
        changes.write(&self.file)?;
        progress(made);
        self.missing = self.without_rows()?;
        self.is_behind = false;
        Ok(made)
    }

    fn without_rows(&self) -> io::Result<Vec<Span>> {
        self.rows.forget();
        let mut gaps = Vec::<Span>::new();
        let end = self.rows.next()?;
        for seq in 1..end {
            if self.rows.look(seq)?.is_some() {
                continue;
            }
            let is_full = gaps.len() > MOST_GAPS;
            match gaps.last_mut() {
                Some(last) if last.is_just_before(seq) => last.grow_to(seq),
                _ if is_full => break,
                _ => gaps.push(Span::of(seq)),
            }
        }
        if end < self.next {
            match gaps.last_mut() {
                Some(last) if last.is_just_before(end) => last.grow_to(self.next - 1),
                _ => gaps.push(Span::between(end, self.next - 1)),
            }
        }
        Ok(gaps)
    }

    /// What a record says. If it is damaged, on a bad block or erased, nothing is known: what is there of it is kept for
    /// ever.
    fn facts(&self, (kind, at): (Kind, Timestamp), place: Place) -> io::Result<Facts> {
        if !matches!(kind, Kind::Capture | Kind::Outcome) {
            return Ok(Facts::Nothing);
        }
        let read = self.reader.read(place).and_then(|mut record| Ok(record.payload.summary()?));
        // Of a lost key, too: somebody may put it back.
        if let Err(
            ReadError::OtherKey { .. }
            | ReadError::KeyLost { .. }
            | ReadError::Payload(UnpackError::NoKey),
        ) = read
        {
            return Ok(Facts::NoKey);
        }
        let Some(summary) = there(read)? else { return Ok(Facts::Nothing) };
        Ok(match kind {
            Kind::Capture => entry::decode::<Capture>(&summary)
                .map_or(Facts::Nothing, |capture| Facts::of_capture(&capture.note, at)),
            _ => entry::decode::<Outcome>(&summary)
                .map_or(Facts::Nothing, |outcome| Facts::Outcome(outcome.end)),
        })
    }

    /// Adds a row, and what it means for the one that it is about.
    fn put(&mut self, mut row: Row, facts: Facts, changes: &mut Changes) -> io::Result<()> {
        let about = row.about;
        match (row.kind, facts) {
            (Kind::Hold | Kind::Lifted, _) => {
                row.about = self.last_hold;
                self.last_hold = row.seq;
            }
            (Kind::Outcome, Facts::Outcome(ending)) => {
                if let Some(capture) = changes.of(about, &self.rows)? {
                    capture.mail.ended = Some((row.seq, ending));
                }
            }
            (Kind::Erased, _) => {
                if let Some(record) = changes.of(about, &self.rows)? {
                    record.erased = Some(row.seq);
                }
            }
            (Kind::Capture | Kind::Outcome | Kind::Access, _) => {}
        }
        changes.0.insert(row.seq, row);
        Ok(())
    }
}

fn open(path: &Path) -> io::Result<(File, Rows)> {
    let file = private().read(true).write(true).create(true).truncate(false).open(path)?;
    let rows = Rows::of(file.try_clone()?);
    Ok((file, rows))
}

/// What was read, if it is there.
///
/// # Errors
/// It may be there the next time.
fn there<T>(read: Result<T, ReadError>) -> io::Result<Option<T>> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(ReadError::Io { error, .. } | ReadError::Payload(UnpackError::Io(error)))
            if !is_bad_block(&error) =>
        {
            Err(error)
        }
        Err(_) => Ok(None),
    }
}

/// Rows that are not written yet. Neighbours are written together.
#[derive(Default)]
struct Changes(BTreeMap<Seq, Row>);

impl Changes {
    /// The row of a record, to be changed. Only what is there can be: records may be lost by damage.
    fn of(&mut self, seq: Seq, rows: &Rows) -> io::Result<Option<&mut Row>> {
        if !self.0.contains_key(&seq) {
            self.0.extend(rows.get(seq)?.map(|row| (seq, row)));
        }
        Ok(self.0.get_mut(&seq))
    }

    fn write(self, file: &File) -> io::Result<()> {
        let (mut first, mut bytes) = (0, Vec::new());
        for (seq, row) in self.0 {
            if seq != first + (bytes.len() / Row::LEN) as Seq {
                file.write_all_at(&bytes, offset(first))?;
                bytes.clear();
            }
            if bytes.is_empty() {
                first = seq;
            }
            bytes.extend_from_slice(&row.encode());
        }
        file.write_all_at(&bytes, offset(first))
    }
}

impl Checkpoint {
    const START: Self = Self { segment: 1, first: 1, chain: Chain::START, last_hold: 0 };

    /// `None`: there is none, it is damaged, or the disk does not give it.
    fn read(file: &File) -> io::Result<Option<Self>> {
        let mut bytes = [0; Row::LEN];
        let read = disk::read_at(file, &mut bytes, 0)?;
        Ok(if read.bytes == bytes.len() { Self::decode(&bytes) } else { None })
    }

    fn write(&self, file: &File) -> io::Result<()> {
        file.write_all_at(&self.encode(), 0)
    }

    fn encode(&self) -> [u8; Row::LEN] {
        let mut bytes = Vec::with_capacity(Row::LEN);
        bytes.extend_from_slice(MAGIC);
        for number in [self.segment, self.first, self.last_hold] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(self.chain.hash().as_bytes());
        bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
        let mut row = [0; Row::LEN];
        row.copy_from_slice(&bytes);
        row
    }

    fn decode(bytes: &[u8; Row::LEN]) -> Option<Self> {
        let (content, checksum) = bytes.split_at(Row::LEN - 4);
        if crc32fast::hash(content).to_le_bytes() != *checksum {
            return None;
        }
        let mut rest = content.strip_prefix(MAGIC)?;
        Some(Self {
            segment: u64::from_le_bytes(take(&mut rest)?),
            first: u64::from_le_bytes(take(&mut rest)?),
            last_hold: u64::from_le_bytes(take(&mut rest)?),
            chain: Chain::from_hash(Hash::from_bytes(take(&mut rest)?)),
        })
    }

    /// Whether the archive has the segment that it names.
    fn fits(&self, places: &Places) -> io::Result<bool> {
        if *self == Self::START {
            return Ok(true);
        }
        match Scan::open(&places.segment(self.segment), Look::AtHeads) {
            Ok((Ok(SegmentHead { number, first, chain, .. }), _)) => {
                Ok((number, first, chain) == (self.segment, self.first, self.chain))
            }
            Ok((Err(_), _)) => Ok(false),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// Rows that are written at once when the catalogue is made.
const MOST_CHANGES: u64 = 4_096;

/// Before the content of a checkpoint.
const MAGIC: &[u8] = b"MWC\x02";

/// Gaps that are told one by one. What has more is not this archive any more.
pub const MOST_GAPS: usize = 10_000;

/// Rows that may be missing at the end before none is believed to be there.
const STRAY: usize = 100_000;
