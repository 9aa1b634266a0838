//! Reading the catalogue, also beside a process that writes it.

use std::{cell::RefCell, fs::File, io, os::unix::fs::FileExt, path::Path};

use mailweir_mail::{QueueId, Timestamp};

use super::{Checkpoint, row::Row};
use crate::{
    disk,
    frame::{Kind, Seq},
};

/// Reads rows. Each has a block of them in memory: neighbours are found at once.
#[derive(Debug)]
pub struct Rows {
    file: File,
    block: RefCell<Block>,
}

/// Rows that were read together.
#[derive(Debug, Default)]
struct Block {
    /// The number of the first.
    first: Seq,
    bytes: Vec<u8>,
    /// Some of them the disk does not give.
    has_bad_blocks: bool,
}

impl Rows {
    /// Opens the catalogue in a file.
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self::of(File::open(path)?))
    }

    pub(super) fn of(file: File) -> Self {
        Self { file, block: RefCell::default() }
    }

    /// The number that the next record will have.
    ///
    /// # Errors
    /// The disk failed.
    pub fn next(&self) -> io::Result<Seq> {
        Ok((self.file.metadata()?.len() / Row::LEN as u64).max(1))
    }

    /// What is known of a record as it is now; `None`: nothing.
    ///
    /// # Errors
    /// The disk failed.
    pub fn get(&self, seq: Seq) -> io::Result<Option<Row>> {
        let mut bytes = [0; Row::LEN];
        match self.file.read_exact_at(&mut bytes, offset(seq)) {
            Ok(()) => Ok(Row::decode(seq, &bytes).filter(|_| seq != 0)),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// As [`Self::get`], from the block that was read last: good for many rows of one question.
    ///
    /// # Errors
    /// The disk failed.
    pub fn look(&self, seq: Seq) -> io::Result<Option<Row>> {
        let mut block = self.block.borrow_mut();
        let row = block.of(&self.file, seq)?.and_then(|bytes| Row::decode(seq, bytes));
        if row.is_none() && block.has_bad_blocks {
            return self.get(seq);
        }
        Ok(row.filter(|_| seq != 0))
    }

    /// What was read together may be something else by now.
    pub(super) fn forget(&self) {
        self.block.borrow_mut().bytes.clear();
    }

    /// What is at the place of a row.
    pub(super) fn there(&self, seq: Seq) -> io::Result<There> {
        let mut block = self.block.borrow_mut();
        Ok(match block.of(&self.file, seq)? {
            Some(bytes) if Row::decode(seq, bytes).is_some() => There::Row,
            Some(bytes) if bytes.iter().any(|byte| *byte != 0) => There::Damage,
            Some(_) | None => There::Nothing,
        })
    }

    /// Every row from a number on.
    pub fn from(&self, seq: Seq) -> impl Iterator<Item = io::Result<Row>> + '_ {
        self.forget();
        let next = self.next();
        let (end, error) = match next {
            Ok(next) => (next, None),
            Err(error) => (0, Some(Err(error))),
        };
        let rows = (seq.max(1)..end).filter_map(|seq| self.look(seq).transpose());
        error.into_iter().chain(rows)
    }

    /// The captures of a mail: more than one only if the first was damaged, and the queue brought it again.
    ///
    /// # Errors
    /// The disk failed.
    pub fn captures_of(&self, id: QueueId) -> io::Result<Vec<Row>> {
        let Some(first) = self.of_mail(id)? else { return Ok(Vec::new()) };
        let is_capture = |row: &io::Result<Row>| {
            row.as_ref().map_or(true, |row| row.kind == Kind::Capture && row.id == first.id)
        };
        self.from(first.seq).filter(is_capture).collect()
    }

    /// The capture of a mail; or, if it is not there, another record about it.
    ///
    /// # Errors
    /// The disk failed.
    pub fn of_mail(&self, id: QueueId) -> io::Result<Option<Row>> {
        let key = id.to_key();
        let from = self.not_before(id.arrival())?;
        let mut other = None;
        // It is written after it came, but for a clock that was set back.
        for from in [from, 1] {
            for row in self.from(from) {
                let row = row?;
                match row.kind {
                    Kind::Capture if row.id == key => return Ok(Some(row)),
                    _ if row.id == key => other = other.or(Some(row)),
                    _ => {}
                }
            }
            if other.is_some() || from == 1 {
                break;
            }
        }
        Ok(other)
    }

    /// A row before which there is none that is written later than shortly before `at`.
    fn not_before(&self, at: Timestamp) -> io::Result<Seq> {
        let at = Timestamp::from_micros(at.as_micros().saturating_sub(SLACK));
        let (mut low, mut high) = (1, self.next()?);
        while high - low > BLOCK {
            let middle = low + (high - low) / 2;
            // Rows may be missing where records are.
            let mut there = None;
            for seq in middle..high.min(middle + BLOCK) {
                there = self.get(seq)?;
                if there.is_some() {
                    break;
                }
            }
            match there {
                Some(row) if row.at < at => low = middle,
                _ => high = middle,
            }
        }
        Ok(low)
    }

    /// The records of legal holds and their ends, the oldest first.
    ///
    /// # Errors
    /// The disk failed, or there is no sound catalogue.
    pub fn holds(&self) -> io::Result<Vec<Row>> {
        let Some(checkpoint) = Checkpoint::read(&self.file)? else {
            return Err(io::ErrorKind::InvalidData.into());
        };
        let mut holds = Vec::new();
        let mut next = checkpoint.last_hold;
        while next != 0 {
            let row = self.get(next)?.filter(is_of_hold);
            // Each is about one before it. A missing one is damage, and not the end.
            let Some(row) = row.filter(|row| row.about < next) else {
                return Err(io::ErrorKind::InvalidData.into());
            };
            next = row.about;
            holds.push(row);
        }
        holds.reverse();
        for row in self.from(checkpoint.first) {
            let row = row?;
            if is_of_hold(&row) && row.seq > checkpoint.last_hold {
                holds.push(row);
            }
        }
        Ok(holds)
    }
}

fn is_of_hold(row: &Row) -> bool {
    matches!(row.kind, Kind::Hold | Kind::Lifted)
}

/// What is at the place of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum There {
    /// A row.
    Row,
    /// Nothing was ever written.
    Nothing,
    /// Something that is no row of this number, or what the disk does not give.
    Damage,
}

impl Block {
    /// What stands at the place of a row; `None`: the file ends before it.
    fn of(&mut self, file: &impl FileExt, seq: Seq) -> io::Result<Option<&[u8]>> {
        let first = seq - seq % BLOCK;
        let from = (seq - first) as usize * Row::LEN;
        // What was behind the end may be there now.
        if self.first != first || self.bytes.len() < from + Row::LEN {
            self.read(file, first)?;
        }
        Ok(self.bytes.get(from..from + Row::LEN))
    }

    fn read(&mut self, file: &impl FileExt, first: Seq) -> io::Result<()> {
        self.first = first;
        self.bytes.clear();
        let mut bytes = vec![0; BLOCK as usize * Row::LEN];
        let read = disk::read_at(file, &mut bytes, offset(first))?;
        bytes.truncate(read.bytes);
        (self.bytes, self.has_bad_blocks) = (bytes, read.has_bad_blocks);
        Ok(())
    }
}

/// Where a row is; of a number that no record can have, where no file has anything.
pub(super) fn offset(seq: Seq) -> u64 {
    seq.saturating_mul(Row::LEN as u64).min(i64::MAX as u64 / 2)
}

/// Rows that are read together.
const BLOCK: u64 = 1_024;

/// Microseconds by which a clock may have been set back between a mail's arrival and its record.
const SLACK: u64 = 3_600 * 1_000_000;
