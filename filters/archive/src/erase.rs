//! Erasing: the payload of a record goes, and another record says so.
//!
//! What says so is on the disk first; then the key is destroyed, if there is one, and the bytes are released: what was stored is zeros from then on, and
//! its blocks are free where the file system can do that. Head, chain and tree stay as they are, so all other
//! records are as provable as before. Erasing again what was erased does no harm: so what a crash came into is
//! done once more at the next start.
//!
//! Whether a record may be erased is for others to know: retention, and legal holds that win over it.

mod leftovers;

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io,
    os::unix::fs::FileExt as _,
};

use mailweir_mail::{QueueId, Timestamp};
use rustix::fs::{FallocateFlags, fallocate};

use self::leftovers::Ids;
use crate::{
    archive::{About, Archive, Draft, Place, Places, WriteError, Written},
    disk::is_bad_block,
    entry::{self, Erased, Erasure, SummaryError},
    frame::{Head, Kind, Packing, Seq},
    hash::Hash,
    keys,
    payload::{PackError, Packer},
    read::{self, ReadError, Reader},
    records::Records,
};

/// A record whose payload is to be erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erase {
    /// Its number.
    pub seq: Seq,
    /// Where it is.
    pub place: Place,
    /// Why.
    pub why: Erasure,
    /// Who asked for it; absent: nobody, its time was over.
    pub by: Option<Box<str>>,
    /// The hash of the content that it has.
    pub content: Hash,
}

/// What was erased.
#[must_use]
#[derive(Debug)]
pub struct Done {
    /// The records that say so, in the order of what was asked for.
    pub written: Vec<Written>,
    /// Why payloads are still there, if they are. [`Archive::release`] tries again, and so do the next erasing and
    /// the next start.
    pub left: Option<io::Error>,
}

/// Nothing was erased.
#[derive(Debug, thiserror::Error)]
pub enum EraseError {
    /// The record cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Another record stands there.
    #[error("record {wanted} is not in its place: record {found} is there")]
    Misplaced {
        /// The number that was asked for.
        wanted: Seq,
        /// The number of what is there.
        found: Seq,
    },
    /// It is none of those that are erased.
    #[error("record {seq} is of the kind \"{}\", and only mails and their outcomes are erased", kind.as_str())]
    Kept {
        /// Its number.
        seq: Seq,
        /// What it is.
        kind: Kind,
    },
    /// What is to be said of it cannot be written down. No case is known.
    #[error(transparent)]
    Summary(#[from] SummaryError),
    /// As [`EraseError::Summary`].
    #[error(transparent)]
    Pack(#[from] PackError),
    /// The records that say so cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// A payload that is to be released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// The number of its record.
    pub seq: Seq,
    /// Where the record is.
    pub place: Place,
}

impl From<&Erase> for Target {
    fn from(Erase { seq, place, .. }: &Erase) -> Self {
        Self { seq: *seq, place: *place }
    }
}

impl EraseError {
    /// Whether nothing that could be erased is found there: its head is damaged, or its segment is gone. Either may be
    /// put back.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        match self {
            Self::Read(ReadError::Io { error, .. }) => {
                error.kind() == io::ErrorKind::NotFound || is_bad_block(error)
            }
            Self::Read(ReadError::NoRecord { .. }) | Self::Misplaced { .. } => true,
            Self::Read(_)
            | Self::Kept { .. }
            | Self::Summary(_)
            | Self::Pack(_)
            | Self::Write(_) => false,
        }
    }
}

impl Archive {
    /// Erases payloads of captures and outcomes. Nothing is erased before the records that say so are on the
    /// disk; with `left` absent, all of it is done.
    ///
    /// # Errors
    /// [`EraseError`]: nothing was erased, and nothing says so.
    pub fn erase(&mut self, wanted: &[Erase], now: Timestamp) -> Result<Done, EraseError> {
        let mut packer = Packer::new()?;
        let mut drafts = Vec::with_capacity(wanted.len());
        for one in wanted {
            let head = erasable(self.places(), one.into())?;
            let Erase { seq, place, why, by, content } = one;
            let summary = entry::encode(&Erased {
                why: why.clone(),
                by: by.clone(),
                content: *content,
                segment: place.segment,
                at: place.at,
            })?;
            let (id, payload) = (head.queue_id(), packer.pack(&summary, b"")?);
            drafts.push(Draft::new(Kind::Erased, About::Record(*seq), id, payload));
        }
        let written = self.append(drafts, now)?;
        self.unreleased.extend(wanted.iter().map(Target::from));
        Ok(Done { written, left: self.release().err() })
    }

    /// Releases what is said to be erased and could not be released before.
    ///
    /// # Errors
    /// The disk failed, or keys cannot be destroyed. It may be tried again, and is, for those that are left.
    pub fn release(&mut self) -> io::Result<()> {
        if self.unreleased.is_empty() {
            return Ok(());
        }
        let finished = finish(self.places(), &self.unreleased);
        let (left, error) = finished.err().map(|it| (it.targets, it.error)).unzip();
        self.unreleased = left.unwrap_or_default();
        error.map_or(Ok(()), Err)
    }
}

/// Whether a record can be erased as it lies there now.
///
/// # Errors
/// [`EraseError`]: it cannot, and no group that it is in.
pub fn check(places: &Places, target: Target) -> Result<(), EraseError> {
    erasable(places, target).map(|_| ())
}

/// Some of what is said to be erased may be there still.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct Unfinished {
    /// Which of what was asked for.
    pub targets: Vec<Target>,
    /// Why, of the first.
    pub error: io::Error,
}

/// Releases payloads of which records say already that they were erased, and what a crash or a failed sync has
/// left of the same mails. What is not, or not any more, the
/// capture or outcome of that number is left alone.
///
/// # Errors
/// The disk failed, or keys cannot be destroyed. It may be tried again for those that are left.
pub fn finish(places: &Places, targets: &[Target]) -> Result<(), Unfinished> {
    let mut segments = BTreeMap::<u64, Vec<Target>>::new();
    for target in targets {
        segments.entry(target.place.segment).or_default().push(*target);
    }
    let mut erased = BTreeMap::<u64, Ids>::new();
    let mut failed = Failed::default();
    for (segment, targets) in segments {
        // One that fails keeps no other from being released.
        match finish_in(places, segment, &targets, &mut failed) {
            Ok(ids) => drop(erased.insert(segment, ids)),
            Err(error) => failed.note(&targets, error),
        }
    }
    // Nobody can tell which of them has more copies.
    if let Err(error) = leftovers::forget(places, &erased) {
        failed.note(targets, error);
    }
    let Failed { targets, error } = failed;
    error.map_or(Ok(()), |error| Err(Unfinished { targets, error }))
}

/// Those that are to be tried again.
#[derive(Default)]
struct Failed {
    targets: Vec<Target>,
    error: Option<io::Error>,
}

impl Failed {
    fn note(&mut self, targets: &[Target], error: io::Error) {
        for target in targets {
            if !self.targets.contains(target) {
                self.targets.push(*target);
            }
        }
        self.error.get_or_insert(error);
    }
}

/// Gives the mails whose payloads were released. Of an error, all are to be tried again.
fn finish_in(
    places: &Places,
    segment: u64,
    targets: &[Target],
    failed: &mut Failed,
) -> io::Result<Ids> {
    let file = OpenOptions::new().read(true).write(true).open(places.segment(segment));
    let file = match file {
        Ok(file) => file,
        // Nothing is there to be released; `verify` says that it is missing.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Ids::new()),
        Err(error) => return Err(error),
    };
    let mut heads = Vec::with_capacity(targets.len());
    for target in targets {
        match head_of(&file, *target) {
            Ok(head) => heads.push((head, *target)),
            Err(EraseError::Read(ReadError::Io { error, .. })) => failed.note(&[*target], error),
            Err(_) => {}
        }
    }
    // First what it can be read with, so that no copy of the segment can be read either; if that fails, at least
    // the segment cannot.
    let encrypted = heads.iter().filter(|(head, _)| head.packing == Packing::Encrypted);
    let (encrypted, keyed): (Vec<Seq>, Vec<Target>) =
        encrypted.map(|(head, target)| (head.seq, *target)).unzip();
    if !encrypted.is_empty()
        && let Err(error) = keys::destroy(places, segment, &encrypted)
    {
        failed.note(&keyed, error);
    }
    let mut ids = Ids::new();
    for (head, target) in heads {
        match release(&file, target.place.at + Head::LEN as u64, head.stored) {
            Ok(()) => ids.extend(head.queue_id().map(QueueId::to_key)),
            Err(error) => failed.note(&[target], error),
        }
    }
    file.sync_all().map(|()| ids)
}

/// Does what the last records about erasing speak of: a crash may have come before it was done. Gives what is left.
pub(crate) fn finish_recent(reader: &Reader) -> io::Result<Vec<Target>> {
    let targets = recent(reader)?;
    // If only the process ended, what says so may not be on the disk yet.
    if targets.is_empty() || sync_last(reader.places()).is_err() {
        return Ok(targets);
    }
    Ok(finish(reader.places(), &targets).map_or_else(|left| left.targets, |()| Vec::new()))
}

fn sync_last(places: &Places) -> io::Result<()> {
    let numbers = places.numbers()?;
    let mut last = numbers.iter().rev().take(LAST_SEGMENTS);
    last.try_for_each(|number| File::open(places.segment(*number))?.sync_all())
}

fn recent(reader: &Reader) -> io::Result<Vec<Target>> {
    let mut targets = Vec::new();
    for record in Records::of_last(reader.places(), LAST_SEGMENTS)? {
        let (head, place) = record?;
        if head.kind != Kind::Erased {
            continue;
        }
        // What cannot be read says nothing; `verify` shows it.
        let Ok(mut record) = reader.read_sound(place) else { continue };
        let Ok(summary) = record.payload.summary() else { continue };
        let Ok(Erased { segment, at, .. }) = entry::decode(&summary) else { continue };
        targets.push(Target { seq: head.about, place: Place { segment, at } });
    }
    Ok(targets)
}

fn erasable(places: &Places, target: Target) -> Result<Head, EraseError> {
    let segment = target.place.segment;
    let file = File::open(places.segment(segment));
    let file = file.map_err(|error| ReadError::Io { segment, error })?;
    head_of(&file, target)
}

/// The head of a record that may be erased, if it is where it is said to be.
fn head_of(file: &File, Target { seq, place }: Target) -> Result<Head, EraseError> {
    let head = read::head(file, place)?;
    if head.seq != seq {
        return Err(EraseError::Misplaced { wanted: seq, found: head.seq });
    }
    match head.kind {
        Kind::Capture | Kind::Outcome => Ok(head),
        kind @ (Kind::Erased | Kind::Hold | Kind::Lifted | Kind::Access) => {
            Err(EraseError::Kept { seq, kind })
        }
    }
}

/// From now on these bytes are zeros.
fn release(file: &File, from: u64, len: u64) -> io::Result<()> {
    let end = file.metadata()?.len();
    let len = len.min(end.saturating_sub(from));
    if len == 0 {
        return Ok(());
    }
    // Blocks that are only in part within the range are filled with zeros there (fallocate(2)).
    let punched =
        fallocate(file, FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE, from, len);
    punched.or_else(|_| overwrite(file, from, len))
}

/// For file systems that cannot free blocks within a file.
fn overwrite(file: &File, mut from: u64, len: u64) -> io::Result<()> {
    let zeros = [0; 16 * 1024];
    let end = from + len;
    while from < end {
        let most = usize::try_from(end - from).unwrap_or(usize::MAX).min(zeros.len());
        file.write_all_at(&zeros[..most], from)?;
        from += most as u64;
    }
    Ok(())
}

/// Those that records about erasing are looked for in at a start: the one that a crash came into, and the one
/// before it, which may have been sealed just then.
const LAST_SEGMENTS: usize = 2;
