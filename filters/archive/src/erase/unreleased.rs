//! What is said to be erased, and may be there still: it is tried again until it is gone, also by later starts.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek},
    path::{Path, PathBuf},
};

use mailweir_mail::QueueId;

use super::{
    EraseError, head_of,
    leftovers::{Copies, Ids, Strays},
    release,
};
use crate::{
    archive::{Place, Places},
    disk::{Disk, is_bad_block},
    frame::{Head, Packing, Seq},
    keys,
    read::ReadError,
    whole,
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
    /// Payloads and keys.
    targets: BTreeSet<Key>,
    /// Those of segments that are not there, and may be put back.
    away: BTreeSet<Key>,
    /// What a crash may have left of mails whose payloads are gone.
    copies: Copies,
    /// The records that say so, and of what. None: what it says cannot be read now.
    said: BTreeMap<Place, BTreeSet<Key>>,
    /// What later starts know of them.
    noted: Noted,
}

/// The segment, number and place of a [`Target`].
type Key = (u64, Seq, u64);

impl Unreleased {
    /// Whether all of it is gone that is there.
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

    /// What earlier starts have left, of which nothing is known yet but where the records are that say so.
    pub(super) fn of(noted: Noted) -> Self {
        Self { noted, ..Self::default() }
    }

    /// A start has found a record that says that these are erased; none: what it says cannot be read now. No mail is
    /// erased by that: what is nobody's stays.
    pub(super) fn find(&mut self, said: Place, targets: impl IntoIterator<Item = Target>) {
        let targets: BTreeSet<Key> = targets.into_iter().map(key).collect();
        self.targets.extend(&targets);
        self.said.entry(said).or_default().extend(targets);
    }

    /// These are erased now. Until all of them are gone, each of the records that say so is [noted](Self::note).
    pub(super) fn add(&mut self, targets: &[Target], said: impl IntoIterator<Item = Place>) {
        self.targets.extend(targets.iter().copied().map(key));
        for said in said {
            self.find(said, targets.iter().copied());
        }
        self.copies.strays = Strays::Release;
    }

    /// Releases all of it, and keeps what could not be. The first error; a segment that is not there is none.
    pub(super) fn release(&mut self, places: &Places) -> io::Result<()> {
        self.targets.append(&mut self.away);
        let mut segments = BTreeMap::<u64, Vec<Target>>::new();
        for target in self.targets() {
            segments.entry(target.place.segment).or_default().push(target);
        }
        let mut left = Left::default();
        for (segment, targets) in segments {
            // One that fails keeps no other from being released.
            match release_in(places, segment, &targets, &mut left) {
                Ok(ids) => self.copies.add(segment, ids),
                Err(error) => left.fail(&targets, error),
            }
        }
        (self.targets, self.away) = (left.failed, left.away);
        let forgotten = self.copies.forget(places);
        left.error.map_or(forgotten, Err)
    }

    /// Has later starts release what of it is left, and what they can read then.
    pub(super) fn note(&mut self, places: &Places) -> io::Result<()> {
        let mut said = std::mem::take(&mut self.said);
        said.retain(|_, targets| targets.is_empty() || targets.iter().any(|it| self.may_be(it)));
        self.said = said;
        let left: BTreeSet<Place> = self.said.keys().copied().collect();
        if self.noted.is_damaged {
            whole::replace(&places.unreleased(), &lines(&left))?;
        } else if self.noted.places == left {
            return Ok(());
        }
        if left.is_empty() {
            whole::remove(&places.unreleased())?;
        } else {
            whole::write(&places.unreleased(), &lines(&left))?;
        }
        self.noted = Noted { places: left, ..Noted::default() };
        Ok(())
    }

    /// Whether this may be there still, or once its segment is, or a copy of it.
    fn may_be(&self, key: &Key) -> bool {
        self.targets.contains(key) || self.away.contains(key) || self.copies.may_be_in(key.0)
    }

    /// The file that had more of it, if the disk has lost some.
    pub(crate) fn damaged(&self, places: &Places) -> Option<PathBuf> {
        if self.noted.is_damaged {
            return Some(places.unreleased());
        }
        let aside = whole::damaged(&places.unreleased());
        aside.exists().then_some(aside)
    }
}

const fn key(Target { seq, place: Place { segment, at } }: Target) -> Key {
    (segment, seq, at)
}

/// What could not be released.
#[derive(Default)]
struct Left {
    /// To be tried again.
    failed: BTreeSet<Key>,
    /// Their segment is not there.
    away: BTreeSet<Key>,
    error: Option<io::Error>,
}

impl Left {
    fn fail(&mut self, targets: &[Target], error: io::Error) {
        self.failed.extend(targets.iter().copied().map(key));
        self.error.get_or_insert(error);
    }
}

/// Gives the mails whose payloads were released. Of an error, all are to be tried again.
fn release_in(
    places: &Places,
    segment: u64,
    targets: &[Target],
    left: &mut Left,
) -> io::Result<Ids> {
    let file = OpenOptions::new().read(true).write(true).open(places.segment(segment));
    let file = match file {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // Somebody may have a copy of it, or put it back; `verify` says that it is missing.
            destroy(places, segment, targets, left);
            left.away.extend(targets.iter().copied().map(key));
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
                left.fail(&[*target], error);
            }
            Err(_) => {}
        }
    }
    // First what it can be read with, so that no copy of the segment can be read either; if that fails, at least
    // the segment cannot.
    destroy(places, segment, &keyed, left);
    let mut ids = Ids::new();
    for (head, target) in heads {
        match release(&file, target.place.at + Head::LEN as u64, head.stored) {
            Ok(()) => ids.extend(head.queue_id().map(QueueId::to_key)),
            Err(error) => left.fail(&[target], error),
        }
    }
    file.sync_all().map(|()| ids)
}

/// Destroys keys, if there are any.
fn destroy(places: &Places, segment: u64, targets: &[Target], left: &mut Left) {
    let records: Vec<Seq> = targets.iter().map(|target| target.seq).collect();
    if !records.is_empty()
        && let Err(error) = keys::destroy(places, segment, &records)
    {
        left.fail(targets, error);
    }
}

/// Where the records are that a start is to look for, by the file `unreleased`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Noted {
    /// What the file has, as far as it can be read.
    places: BTreeSet<Place>,
    /// What one has that was put aside before, as far as it can be read by now.
    aside: BTreeSet<Place>,
    /// The disk has lost some of the file.
    is_damaged: bool,
}

impl Noted {
    /// Reads it. Lines that make no sense, or stand on a bad block, are passed over.
    ///
    /// # Errors
    /// The disk failed otherwise.
    pub(crate) fn read(places: &Places) -> io::Result<Self> {
        let path = places.unreleased();
        let (places, is_damaged) = read(&path)?;
        let (aside, _) = read(&whole::damaged(&path)).unwrap_or_default();
        Ok(Self { places, aside, is_damaged })
    }

    /// All of them.
    pub(super) fn all(&self) -> BTreeSet<Place> {
        self.places.union(&self.aside).copied().collect()
    }
}

/// Gives whether the disk has lost some of it, too.
fn read(path: &Path) -> io::Result<(BTreeSet<Place>, bool)> {
    match fs::read(path) {
        Ok(lines) => Ok((decode(&lines), false)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok((BTreeSet::new(), false)),
        Err(error) if is_bad_block(&error) => {
            let file = File::open(path)?;
            let len = file.metadata()?.len();
            Ok((decode(&readable(file, len)?), true))
        }
        Err(error) => Err(error),
    }
}

/// What of a file can be read, and zeros, which no line has.
fn readable(file: impl Read + Seek, len: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    Disk::new(file).take(len).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn lines(places: &BTreeSet<Place>) -> Vec<u8> {
    let mut lines = String::new();
    for Place { segment, at } in places {
        let _ = writeln!(lines, "{segment} {at}");
    }
    lines.into_bytes()
}

fn decode(lines: &[u8]) -> BTreeSet<Place> {
    let place = |line: &str| {
        let (segment, at) = line.split_once(' ')?;
        Some(Place { segment: segment.parse().ok()?, at: at.parse().ok()? })
    };
    String::from_utf8_lossy(lines).lines().filter_map(place).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::disk::tests::Bad;

    #[test]
    fn lines_on_a_bad_block_are_lost_and_all_others_are_not() {
        let all: BTreeSet<Place> = (1000..3000).map(|at| Place { segment: 12, at }).collect();
        let bytes = lines(&all);
        assert_eq!(decode(&bytes), all);
        let len = bytes.len() as u64;
        for block in [0, 1, len / 4_096] {
            let bad = Bad { inner: Cursor::new(bytes.clone()), blocks: vec![block] };
            let left = decode(&readable(bad, len).unwrap());
            assert!(left.is_subset(&all), "block {block}");
            assert!((1000..2000).contains(&left.len()), "block {block}: {}", left.len());
        }
    }
}
