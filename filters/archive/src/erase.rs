//! Erasing: the payload of a record goes, and another record says so.
//!
//! What says so is on the disk first; then the key is destroyed, if there is one, and the bytes are released: what was stored is zeros from then on, and
//! its blocks are free where the file system can do that. Head, chain and tree stay as they are, so all other
//! records are as provable as before. Erasing again what was erased does no harm: so what a crash came into is
//! done once more at the next start.
//!
//! Whether a record may be erased is for others to know: retention, and legal holds that win over it.

mod leftovers;
mod unreleased;

use std::{collections::BTreeSet, fs::File, io, os::unix::fs::FileExt as _};

use mailweir_mail::Timestamp;
use rustix::fs::{FallocateFlags, fallocate};

pub(crate) use self::unreleased::Noted;
pub use self::unreleased::{Target, Unreleased};
use crate::{
    archive::{About, Archive, Draft, Place, Places, WriteError, Written},
    disk::is_bad_block,
    entry::{self, Erased, Erasure, SummaryError},
    frame::{Head, Kind, Seq},
    hash::Hash,
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
        for (one, said) in wanted.iter().zip(&written) {
            self.unreleased.add(&[one.into()], [said.place]);
        }
        Ok(Done { left: self.release().err(), written })
    }

    /// Releases what is said to be erased and is there again, or its key is: it was put back from a backup. `said`: where the
    /// records are that say so.
    ///
    /// # Errors
    /// As those of [`Archive::release`].
    pub fn erase_again(
        &mut self,
        targets: impl IntoIterator<Item = Target>,
        said: impl IntoIterator<Item = Place>,
    ) -> io::Result<()> {
        let targets: Vec<Target> = targets.into_iter().collect();
        self.unreleased.add(&targets, said);
        self.release()
    }

    /// Releases what is said to be erased and could not be released before.
    ///
    /// # Errors
    /// The disk failed, or keys cannot be destroyed. It may be tried again, and is, for what is left, also by later starts.
    pub fn release(&mut self) -> io::Result<()> {
        if self.unreleased.is_empty() {
            return Ok(());
        }
        let released = self.unreleased.release(&self.places);
        // If it fails, a start knows what the last segments say.
        let _ = self.unreleased.note(&self.places);
        released
    }
}

/// Whether a record can be erased as it lies there now.
///
/// # Errors
/// [`EraseError`]: it cannot, and no group that it is in.
pub fn check(places: &Places, target: Target) -> Result<(), EraseError> {
    erasable(places, target).map(|_| ())
}

/// Releases payloads of which records say already that they were erased, and what a crash or a failed sync has
/// left of the same mails. What is not, or not any more, the
/// capture or outcome of that number is left alone, but for its key if no head is there.
///
/// # Errors
/// The disk failed, or keys cannot be destroyed: the first error. It may be tried again.
pub fn finish(places: &Places, targets: &[Target]) -> io::Result<()> {
    let mut unreleased = Unreleased::default();
    unreleased.add(targets, []);
    unreleased.release(places)
}

/// Does what the last records about erasing speak of: a crash may have come before it was done; and what could not be
/// done before. Gives what is left, which later starts hear of, too.
///
/// # Errors
/// The last segments cannot be read.
pub(crate) fn finish_recent(reader: &Reader, noted: Noted) -> io::Result<Unreleased> {
    let places = reader.places();
    let said: BTreeSet<Place> = recent(places)?.into_iter().chain(noted.all()).collect();
    let mut unreleased = Unreleased::of(noted);
    for said in said {
        match target_of(reader, said) {
            Ok(None) => {}
            Ok(target) => unreleased.find(said, target),
            Err(_) => unreleased.find(said, []),
        }
    }
    // If only the process ended, what says so may not be on the disk yet.
    if !unreleased.is_empty() && sync_last(places).is_ok() {
        // What fails is kept, and tried again.
        let _ = unreleased.release(places);
    }
    // If it fails, a start knows what the last segments say.
    let _ = unreleased.note(places);
    Ok(unreleased)
}

fn sync_last(places: &Places) -> io::Result<()> {
    let numbers = places.numbers()?;
    let mut last = numbers.iter().rev().take(LAST_SEGMENTS);
    last.try_for_each(|number| File::open(places.segment(*number))?.sync_all())
}

fn recent(places: &Places) -> io::Result<Vec<Place>> {
    let mut said = Vec::new();
    for record in Records::of_last(places, LAST_SEGMENTS)? {
        let (head, place) = record?;
        said.extend((head.kind == Kind::Erased).then_some(place));
    }
    Ok(said)
}

/// What a record says to be erased, if it says so.
///
/// # Errors
/// It cannot be read now. Its segment or its key may be put back.
fn target_of(reader: &Reader, said: Place) -> Result<Option<Target>, ReadError> {
    let mut record = reader.read_sound(said)?;
    if record.head.kind != Kind::Erased {
        return Ok(None);
    }
    let Ok(Erased { segment, at, .. }) = entry::decode(&record.payload.summary()?) else {
        return Ok(None);
    };
    Ok(Some(Target { seq: record.head.about, place: Place { segment, at } }))
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
