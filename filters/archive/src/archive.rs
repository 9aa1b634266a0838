//! The archive as the one who writes it sees it: records come in groups, each group is on the disk
//! before its numbers are given, and nothing that is there is ever written again.
//!
//! # When the disk fails
//! A group whose numbers were not given is no part of the archive. What of it reached the disk is cut off,
//! and the next group is written in its place. If it cannot be cut off, or a sync has failed, nothing is
//! written to that segment any more (a sync is never repeated and believed): the next segment begins where
//! the last whole group ended, and says so in its head.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use mailweir_mail::{QueueId, Timestamp};
use rustix::fs::{FlockOperation, flock};

use crate::{
    frame::{Head, Kind, Mark, Packing, Seal, SegmentHead, Seq},
    hash::{Chain, Hash},
    merkle::Tree,
    payload::Packed,
    recover::{self, Left},
    roots::{self, Root},
};

/// The one who writes.
pub struct Archive {
    places: Places,
    options: Options,
    /// Where the archive ends.
    end: End,
    open: Option<Open>,
    sealed: Vec<Root>,
    /// Roots that could not be written to the list yet.
    unlisted: Vec<Root>,
    _lock: File,
}

/// How the archive is kept.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// A segment that has grown to so many bytes is sealed.
    pub segment_size: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { segment_size: 256 << 20 }
    }
}

/// Where the files are.
#[derive(Clone, Debug)]
pub struct Places {
    directory: PathBuf,
}

/// Where the archive ends: what the next segment says in its head.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End {
    /// The number of the next segment.
    pub(crate) segment: u64,
    /// The number of the next record.
    pub(crate) next: Seq,
    pub(crate) chain: Chain,
    pub(crate) root: Hash,
}

/// The segment that is written to.
struct Open {
    file: File,
    number: u64,
    begun: Timestamp,
    /// Bytes up to the last mark.
    len: u64,
    first: Seq,
    tree: Tree,
}

/// A record that is to be written.
#[derive(Debug)]
pub struct Draft {
    /// What it is.
    pub kind: Kind,
    /// The record that it is about.
    pub about: About,
    /// The mail that it is about, if it is about one.
    pub id: Option<QueueId>,
    /// What it says.
    pub payload: Packed,
}

/// Which record another one is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// None.
    Nothing,
    /// Itself.
    Itself,
    /// One that is in the archive.
    Record(Seq),
    /// One of the same group, by its place.
    OfGroup(usize),
}

/// Where a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The number of the segment.
    pub segment: u64,
    /// The first byte of its head.
    pub at: u64,
}

/// A record that is on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// Its head, with its number.
    pub head: Head,
    /// Where it is.
    pub place: Place,
}

/// The archive cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it open.
    #[error("another process writes the archive in {0}")]
    InUse(PathBuf),
    /// A file cannot be read or made.
    #[error("{path}: {error}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// A group is not written. None of it is in the archive.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The disk failed or is full.
    #[error("the archive cannot be written: {0}")]
    Io(#[from] io::Error),
}

impl Archive {
    /// Opens the archive in a directory, and makes it if it is not there. Says what a crash left.
    ///
    /// # Errors
    /// [`OpenError`]. Damage is no error: what is left goes on behind it, and [`crate::verify`] shows it.
    pub fn open(
        directory: &Path,
        options: Options,
        now: Timestamp,
    ) -> Result<(Self, Left), OpenError> {
        let places = Places::new(directory);
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |error| OpenError::Io { path, error }
        };
        let segments = places.segments();
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true).mode(0o700).create(&segments).map_err(failed(&segments))?;
        let lock_path = places.lock();
        let lock = private().write(true).create(true).truncate(false).open(&lock_path);
        let lock = lock.map_err(failed(&lock_path))?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive).map_err(|error| match error {
            rustix::io::Errno::WOULDBLOCK => OpenError::InUse(directory.to_owned()),
            error => failed(&lock_path)(error.into()),
        })?;
        sync_directory(directory).map_err(failed(directory))?;
        let (end, left) = recover::recover(&places, now)
            .map_err(|(path, error)| OpenError::Io { path, error })?;
        Ok((
            Self {
                places,
                options,
                end,
                open: None,
                sealed: Vec::new(),
                unlisted: Vec::new(),
                _lock: lock,
            },
            left,
        ))
    }

    /// Where its files are.
    #[must_use]
    pub const fn places(&self) -> &Places {
        &self.places
    }

    /// The number that the next record will have.
    #[must_use]
    pub const fn next(&self) -> Seq {
        self.end.next
    }

    /// Writes a group. With its numbers given, all of it is on the disk.
    ///
    /// # Errors
    /// [`WriteError`]. The group may be offered again.
    pub fn append(
        &mut self,
        group: Vec<Draft>,
        now: Timestamp,
    ) -> Result<Vec<Written>, WriteError> {
        if group.is_empty() {
            return Ok(Vec::new());
        }
        self.list()?;
        self.turn_over(now)?;
        let (end, places) = (self.end, &self.places);
        let mut open = match self.open.take() {
            Some(open) => open,
            None => Open::begin(places, end, now)?,
        };
        self.end.segment = open.number + 1;
        let encoded = Encoded::of(group, &open, end, now);
        match open.write(&encoded) {
            Ok(()) => self.open = Some(open),
            Err(Failure { error, usable }) => {
                self.open = usable.then_some(open);
                return Err(error.into());
            }
        }
        self.end = End { next: encoded.mark.next, chain: encoded.mark.chain, ..self.end };
        Ok(encoded.written)
    }

    /// Seals the segment that is written to if its day is over, also if nothing more comes, and writes what of
    /// the list of roots could not be written before.
    ///
    /// # Errors
    /// [`WriteError`]. It is tried again with the next group.
    pub fn end_day(&mut self, now: Timestamp) -> Result<(), WriteError> {
        self.list()?;
        self.turn_over(now)
    }

    /// Seals the segment that is written to, if it has any records. Its root is in the list of roots then.
    ///
    /// # Errors
    /// [`WriteError`]. It is tried again with the next group.
    pub fn seal(&mut self, now: Timestamp) -> Result<Option<Root>, WriteError> {
        let Some(open) = self.open.take() else { return Ok(None) };
        let seal = Seal {
            records: open.tree.leaves(),
            root: open.tree.root(),
            chain: self.end.chain,
            at: now,
        };
        let root = Root { segment: open.number, first: open.first, seal };
        let sealed =
            open.file.write_all_at(&seal.encode(), open.len).and_then(|()| open.file.sync_data());
        if let Err(error) = sealed {
            // Without a seal it ends where its last group does; the next segment goes on from there.
            let _ = open.file.set_len(open.len);
            self.end.root = Hash::ZERO;
            return Err(error.into());
        }
        self.end.root = seal.root;
        self.sealed.push(root);
        self.unlisted.push(root);
        self.list()?;
        Ok(Some(root))
    }

    /// The segments that were sealed since this was asked last.
    pub fn take_sealed(&mut self) -> Vec<Root> {
        std::mem::take(&mut self.sealed)
    }

    /// As after a failed sync.
    #[cfg(test)]
    pub(crate) fn abandon(&mut self) {
        self.open = None;
        self.end.root = Hash::ZERO;
    }

    /// Writes the roots that are not in the list yet.
    fn list(&mut self) -> io::Result<()> {
        while let Some(root) = self.unlisted.first() {
            roots::add(&self.places.roots(), root)?;
            self.unlisted.remove(0);
        }
        Ok(())
    }

    /// Seals what has grown large, or was begun on another day.
    fn turn_over(&mut self, now: Timestamp) -> Result<(), WriteError> {
        let is_due =
            |open: &Open| open.len >= self.options.segment_size || day(open.begun) != day(now);
        if self.open.as_ref().is_some_and(is_due) {
            self.seal(now)?;
        }
        Ok(())
    }
}

impl Places {
    /// Those of the archive in a directory.
    #[must_use]
    pub fn new(directory: &Path) -> Self {
        Self { directory: directory.to_owned() }
    }

    /// A segment.
    #[must_use]
    pub fn segment(&self, number: u64) -> PathBuf {
        self.segments().join(format!("{number:010}.seg"))
    }

    /// All segments.
    #[must_use]
    pub fn segments(&self) -> PathBuf {
        self.directory.join("segments")
    }

    /// The list of the roots of sealed segments.
    #[must_use]
    pub fn roots(&self) -> PathBuf {
        self.directory.join("roots")
    }

    /// What was written and never promised: kept, in case it was.
    #[must_use]
    pub fn torn(&self, segment: u64, at: u64) -> PathBuf {
        self.directory.join("torn").join(format!("{segment:010}-{at}"))
    }

    /// The numbers of all segments that are there, in order.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn numbers(&self) -> io::Result<Vec<u64>> {
        let mut numbers = Vec::new();
        for entry in fs::read_dir(self.segments())? {
            let name = entry?.file_name();
            let number = name.to_str().and_then(|name| name.strip_suffix(".seg"));
            let number = number.filter(|number| number.len() == DIGITS);
            numbers.extend(number.and_then(|number| number.parse::<u64>().ok()));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    fn lock(&self) -> PathBuf {
        self.directory.join("lock")
    }
}

/// A write has failed.
struct Failure {
    error: io::Error,
    /// Whether the segment is as it was before.
    usable: bool,
}

impl Open {
    fn begin(places: &Places, end: End, now: Timestamp) -> io::Result<Self> {
        let path = places.segment(end.segment);
        // Of a start that failed: it has no group, or it would count.
        let file = private().write(true).create(true).truncate(true).open(&path)?;
        let head = SegmentHead {
            number: end.segment,
            first: end.next,
            chain: end.chain,
            root_before: end.root,
            at: now,
        };
        (&file).write_all(&head.encode())?;
        file.sync_all()?;
        sync_directory(&places.segments())?;
        let (number, len) = (end.segment, SegmentHead::LEN as u64);
        Ok(Self { file, number, begun: now, len, first: end.next, tree: Tree::default() })
    }

    fn write(&mut self, encoded: &Encoded) -> Result<(), Failure> {
        if let Err(error) = self.file.write_all_at(&encoded.bytes, self.len) {
            let usable = self.file.set_len(self.len).and_then(|()| self.file.sync_all()).is_ok();
            return Err(Failure { error, usable });
        }
        if let Err(error) = self.file.sync_data() {
            // What the kernel still has of it must not be found and believed at the next start.
            let _ = self.file.set_len(self.len);
            return Err(Failure { error, usable: false });
        }
        self.len += encoded.bytes.len() as u64;
        self.tree = encoded.tree.clone();
        Ok(())
    }
}

/// A group as it is written.
struct Encoded {
    bytes: Vec<u8>,
    written: Vec<Written>,
    mark: Mark,
    tree: Tree,
}

impl Encoded {
    fn of(group: Vec<Draft>, open: &Open, end: End, now: Timestamp) -> Self {
        let heads = group.len() * Head::LEN + Mark::LEN;
        let size = heads + group.iter().map(|draft| draft.payload.stored.len()).sum::<usize>();
        let mut bytes = Vec::with_capacity(size);
        let mut written = Vec::with_capacity(group.len());
        let (mut chain, mut tree) = (end.chain, open.tree.clone());
        for (seq, draft) in (end.next..).zip(group) {
            let head = draft.head(seq, end.next, now);
            let leaf = head.leaf();
            chain = chain.then(leaf);
            tree.push(leaf);
            let place = Place { segment: open.number, at: open.len + bytes.len() as u64 };
            written.push(Written { head, place });
            bytes.extend_from_slice(&head.encode());
            bytes.extend_from_slice(&draft.payload.stored);
        }
        let mark = Mark { next: end.next + written.len() as Seq, chain };
        bytes.extend_from_slice(&mark.encode());
        Self { bytes, written, mark, tree }
    }
}

impl Draft {
    fn head(&self, seq: Seq, first: Seq, now: Timestamp) -> Head {
        let about = match self.about {
            About::Nothing => 0,
            About::Itself => seq,
            About::Record(about) => about,
            About::OfGroup(place) => first + place as Seq,
        };
        let Packed { summary, unpacked, stored, hash } = &self.payload;
        Head {
            kind: self.kind,
            packing: Packing::Zstd,
            seq,
            about,
            id: self.id.map(QueueId::to_key).unwrap_or_default(),
            at: now,
            summary: *summary,
            unpacked: *unpacked,
            stored: stored.len() as u64,
            payload: *hash,
        }
    }
}

/// Options of files that nobody else reads.
pub(crate) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

/// Makes the names in a directory durable.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Of the number in the name of a segment.
const DIGITS: usize = 10;

const fn day(at: Timestamp) -> u64 {
    at.as_secs() / 86_400
}
