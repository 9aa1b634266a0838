//! What is said to be erased, and may be there still: it is tried again until it is gone, also by later starts.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs::{self, OpenOptions},
    io::{self, Write as _},
    mem,
};

use mailweir_mail::QueueId;

use super::{
    EraseError, head_of,
    leftovers::{Copies, Ids, Strays},
    release,
};
use crate::{
    archive::{Place, Places, private, sync_directory},
    frame::{Head, Packing, Seq},
    keys,
    read::ReadError,
};

/// A payload that is to be released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// The number of its record.
    pub seq: Seq,
    /// Where the record is.
    pub place: Place,
}

/// What is said to be erased, and may be there still.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unreleased {
    /// Payloads and keys, by their segments, numbers and places.
    targets: BTreeSet<(u64, Seq, u64)>,
    /// What a crash may have left of mails whose payloads are gone.
    copies: Copies,
}

impl Unreleased {
    /// Whether all of it is gone.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty() && self.copies.is_empty()
    }

    /// Payloads that may be there still, or their keys.
    pub fn targets(&self) -> impl Iterator<Item = Target> {
        self.targets.iter().map(|&(segment, seq, at)| Target { seq, place: Place { segment, at } })
    }

    /// Whether there may be copies of a mail still, of which its records have this id.
    #[must_use]
    pub fn may_have_copies(&self, id: [u8; 12]) -> bool {
        self.copies.may_be_of(id)
    }

    /// What a start is to release. No mail is erased by that: what is nobody's stays.
    pub(super) fn at_a_start(targets: impl IntoIterator<Item = Target>) -> Self {
        let targets = targets.into_iter().map(key).collect();
        Self { targets, copies: Copies::default() }
    }

    /// These are erased now.
    pub(super) fn add(&mut self, targets: impl IntoIterator<Item = Target>) {
        self.targets.extend(targets.into_iter().map(key));
        self.copies.strays = Strays::Release;
    }

    /// Releases all of it, and keeps what could not be. The first error.
    pub(super) fn release(&mut self, places: &Places) -> io::Result<()> {
        let mut segments = BTreeMap::<u64, Vec<Target>>::new();
        for target in self.targets() {
            segments.entry(target.place.segment).or_default().push(target);
        }
        let mut failed = Failed::default();
        for (segment, targets) in segments {
            // One that fails keeps no other from being released.
            match release_in(places, segment, &targets, &mut failed) {
                Ok(ids) => self.copies.add(segment, ids),
                Err(error) => failed.note(&targets, error),
            }
        }
        self.targets = mem::take(&mut failed.targets);
        let forgotten = self.copies.forget(places);
        failed.error.map_or(forgotten, Err)
    }
}

const fn key(Target { seq, place: Place { segment, at } }: Target) -> (u64, Seq, u64) {
    (segment, seq, at)
}

/// Those that are to be tried again.
#[derive(Default)]
struct Failed {
    targets: BTreeSet<(u64, Seq, u64)>,
    error: Option<io::Error>,
}

impl Failed {
    fn note(&mut self, targets: &[Target], error: io::Error) {
        self.targets.extend(targets.iter().copied().map(key));
        self.error.get_or_insert(error);
    }
}

/// Gives the mails whose payloads were released. Of an error, all are to be tried again.
fn release_in(
    places: &Places,
    segment: u64,
    targets: &[Target],
    failed: &mut Failed,
) -> io::Result<Ids> {
    let file = OpenOptions::new().read(true).write(true).open(places.segment(segment));
    let file = match file {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // Somebody may have a copy of it; `verify` says that it is missing.
            destroy(places, segment, targets, failed);
            return Ok(Ids::new());
        }
        Err(error) => return Err(error),
    };
    let (mut heads, mut keyed) = (Vec::with_capacity(targets.len()), Vec::new());
    for target in targets {
        match head_of(&file, *target) {
            Ok(head) => {
                keyed.extend(Some(*target).filter(|_| head.packing == Packing::Encrypted));
                heads.push((head, *target));
            }
            // Nothing of it is found here any more; a copy of the segment may have it.
            Err(EraseError::Read(ReadError::NoRecord { .. })) => keyed.push(*target),
            Err(EraseError::Read(ReadError::Io { error, .. })) => {
                keyed.push(*target);
                failed.note(&[*target], error);
            }
            Err(_) => {}
        }
    }
    // First what it can be read with, so that no copy of the segment can be read either; if that fails, at least
    // the segment cannot.
    destroy(places, segment, &keyed, failed);
    let mut ids = Ids::new();
    for (head, target) in heads {
        match release(&file, target.place.at + Head::LEN as u64, head.stored) {
            Ok(()) => ids.extend(head.queue_id().map(QueueId::to_key)),
            Err(error) => failed.note(&[target], error),
        }
    }
    file.sync_all().map(|()| ids)
}

/// Destroys keys, if there are any.
fn destroy(places: &Places, segment: u64, targets: &[Target], failed: &mut Failed) {
    let records: Vec<Seq> = targets.iter().map(|target| target.seq).collect();
    if !records.is_empty()
        && let Err(error) = keys::destroy(places, segment, &records)
    {
        failed.note(targets, error);
    }
}

/// Has later starts release what these records say to be erased.
pub(super) fn note(places: &Places, said: impl IntoIterator<Item = Place>) -> io::Result<()> {
    // Behind a line that a crash has cut off.
    let mut lines = "\n".to_owned();
    for Place { segment, at } in said {
        let _ = writeln!(lines, "{segment} {at}");
    }
    if lines.len() == 1 {
        return Ok(());
    }
    let mut file = private().append(true).create(true).open(places.unreleased())?;
    file.write_all(lines.as_bytes())?;
    file.sync_all()?;
    sync_directory(places.directory())
}

/// The records that [`note`] was given. Lines that make no sense are passed over, and so is what is no such record.
pub(super) fn noted(places: &Places) -> io::Result<Vec<Place>> {
    let lines = match fs::read(places.unreleased()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        lines => lines?,
    };
    let place = |line: &str| {
        let (segment, at) = line.split_once(' ')?;
        Some(Place { segment: segment.parse().ok()?, at: at.parse().ok()? })
    };
    Ok(String::from_utf8_lossy(&lines).lines().filter_map(place).collect())
}
