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
    io,
    os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use mailweir_mail::{QueueId, Timestamp};
use rustix::fs::{FlockOperation, flock};

use crate::{
    entry::Capture,
    erase::{self, Noted, Unreleased},
    frame::{Head, Kind, Seal, Seq},
    hash::{Chain, Hash},
    keys::{self, Encryption, KeyId, Wrapper},
    payload::Packed,
    read::Reader,
    recover::{self, Left, Recovered},
    roots::{self, Root},
    write::{Failure, Open},
};

/// The one who writes.
pub struct Archive {
    pub(crate) places: Places,
    segment_size: u64,
    /// Makes the keys of records, if they are encrypted.
    wrapper: Option<Wrapper>,
    /// Where the archive ends.
    end: End,
    open: Option<Open>,
    sealed: Vec<Root>,
    /// Roots that could not be written to the list yet.
    unlisted: Vec<Root>,
    /// What is said to be erased, and may still be there.
    pub(crate) unreleased: Unreleased,
    _lock: File,
}

/// How the archive is kept.
#[derive(Clone, Debug)]
pub struct Options {
    /// A segment that has grown to so many bytes is sealed.
    pub segment_size: u64,
    /// Whether what is written is encrypted.
    pub encryption: Encryption,
}

impl Default for Options {
    fn default() -> Self {
        Self { segment_size: 256 << 20, encryption: Encryption::Never }
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

/// A record that is to be written.
#[derive(Debug)]
pub struct Draft {
    /// What it is.
    pub kind: Kind,
    /// The record that it is about.
    pub about: About,
    /// The mail that it is about, if it is about one.
    pub id: Option<QueueId>,
    /// What binds its head to the content of a mail ([`crate::commit`]); zeros: it has none.
    pub commitment: Hash,
    /// What it says.
    pub payload: Packed,
}

impl Draft {
    /// A mail as it was accepted. `payload`: that, and the content.
    #[must_use]
    pub fn of_capture(capture: &Capture, payload: Packed) -> Self {
        let commitment = capture.salt.commit(capture.content);
        Self { commitment, ..Self::new(Kind::Capture, About::Itself, Some(capture.id), payload) }
    }

    /// A record without content.
    #[must_use]
    pub const fn new(kind: Kind, about: About, id: Option<QueueId>, payload: Packed) -> Self {
        Self { kind, about, id, commitment: Hash::ZERO, payload }
    }
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
    /// It is encrypted, and nobody has said with which key.
    #[error("the archive in {0} is encrypted, and no key file is given")]
    NoKey(PathBuf),
    /// It is encrypted with another key.
    #[error("{path} was encrypted with the key {id}, and the key file does not have that one")]
    OtherKey {
        /// The newest file of wrapped keys.
        path: PathBuf,
        /// The name of the key.
        id: KeyId,
    },
    /// A newer version has written a segment or a file of keys. Nothing was changed.
    #[error("{0} was written by a newer version of Mailweir: start that one")]
    Newer(PathBuf),
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
    /// The content of a mail cannot be read; see [`crate::payload::Packed::later`].
    #[error("the content of a mail cannot be read: {error}")]
    Content {
        /// The place of its record in the group.
        place: usize,
        /// Why.
        error: io::Error,
    },
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
        let Options { segment_size, encryption } = options;
        check_key(&places, &encryption, directory)?;
        recover::refuse_newer(&places)?;
        let reader = Reader::new(places.clone()).with_keys(encryption.keys().cloned());
        // What a crash came into. What cannot be released is tried again; `verify` shows it. Before anything is put
        // aside: that is nothing of these mails, and stays until the next is erased.
        let noted = Noted::read(&places).map_err(failed(&places.unreleased()))?;
        let unreleased = erase::finish_recent(&reader, noted).map_err(failed(&segments))?;
        let Recovered { end, mut left, sealed } = recover::recover(&places, now)?;
        left.unreleased = unreleased.damaged(&places);
        let archive = Self {
            places,
            segment_size,
            wrapper: match encryption {
                Encryption::On(keys) => Some(Wrapper::new(keys)),
                Encryption::Never | Encryption::NoLonger(_) => None,
            },
            end,
            open: None,
            sealed,
            unlisted: Vec::new(),
            unreleased,
            _lock: lock,
        };
        Ok((archive, left))
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
        let keys = self
            .wrapper
            .as_mut()
            .map(|wrapper| wrapper.keys(places, (open.number, open.first), end.next, group.len()));
        let written = match keys.transpose() {
            Ok(keys) => open.write(group, keys.as_deref(), end, now),
            // Of a segment that has no records yet, the keys are begun again, unless they are somebody else's.
            Err(error) => {
                let usable = open.is_empty() && error.kind() != io::ErrorKind::AlreadyExists;
                Err(Failure { error: error.into(), usable })
            }
        };
        match written {
            Ok((written, mark)) => {
                self.open = Some(open);
                self.end = End { next: mark.next, chain: mark.chain, ..self.end };
                Ok(written)
            }
            Err(Failure { error, usable: true }) => {
                self.open = Some(open);
                Err(error)
            }
            Err(Failure { error, usable: false }) => {
                self.abandon();
                Err(error)
            }
        }
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

    /// What is said to be erased, and could not be released yet.
    #[must_use]
    pub const fn unreleased(&self) -> &Unreleased {
        &self.unreleased
    }

    /// Seals the segment that is written to, if it has any records. Its root is in the list of roots then.
    ///
    /// # Errors
    /// [`WriteError`]. It is tried again with the next group.
    pub fn seal(&mut self, now: Timestamp) -> Result<Option<Root>, WriteError> {
        let Some(open) = self.open.take_if(|open| !open.is_empty()) else { return Ok(None) };
        let seal = Seal {
            records: open.tree.leaves(),
            root: open.tree.root(),
            chain: self.end.chain,
            at: now,
        };
        let root = Root { segment: open.number, first: open.first, seal };
        let sealed = open
            .file
            .write_all_at(&seal.encode(open.brand), open.len)
            .and_then(|()| open.file.sync_data());
        if let Err(error) = sealed {
            // Without a seal it ends where its last group does; the next segment goes on from there.
            let _ = open.file.set_len(open.len);
            self.abandon();
            return Err(error.into());
        }
        if let Some(wrapper) = &mut self.wrapper {
            wrapper.end(self.end.next);
        }
        self.end.root = seal.root;
        self.sealed.push(root);
        self.unlisted.push(root);
        self.list()?;
        Ok(Some(root))
    }

    /// The segments that were sealed since this was asked last, or at the start.
    pub fn take_sealed(&mut self) -> Vec<Root> {
        std::mem::take(&mut self.sealed)
    }

    /// The segment can be written to no longer: the next one goes on behind its last mark.
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
        let is_due = |open: &Open| open.len >= self.segment_size || day(open.begun) != day(now);
        if self.open.as_ref().is_some_and(|open| !open.is_empty() && is_due(open)) {
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

    /// The keys of the records of a segment.
    #[must_use]
    pub fn keys_of(&self, segment: u64) -> PathBuf {
        self.keys().join(format!("{segment:010}.keys"))
    }

    /// The keys of all records.
    #[must_use]
    pub fn keys(&self) -> PathBuf {
        self.directory.join("keys")
    }

    /// The list of the roots of sealed segments.
    #[must_use]
    pub fn roots(&self) -> PathBuf {
        self.directory.join("roots")
    }

    /// The catalogue: which records there are, made from the segments.
    #[must_use]
    pub fn catalogue(&self) -> PathBuf {
        self.directory.join("catalogue")
    }

    /// Records that were lost, and nobody has answered for.
    pub(crate) fn lost(&self) -> PathBuf {
        self.directory.join("lost")
    }

    /// Where the records are that say that something is erased which could not be released.
    pub(crate) fn unreleased(&self) -> PathBuf {
        self.directory.join("unreleased")
    }

    /// The archive's own directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// What was written and never promised: kept, in case it was.
    #[must_use]
    pub fn torn(&self, segment: u64, at: u64) -> PathBuf {
        self.all_torn().join(format!("{segment:010}-{at}"))
    }

    /// All of that.
    pub(crate) fn all_torn(&self) -> PathBuf {
        self.directory.join("torn")
    }

    /// The numbers of all segments that are there, in order.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn numbers(&self) -> io::Result<Vec<u64>> {
        numbers(&self.segments(), ".seg")
    }

    /// The numbers of all segments that have keys, in order.
    pub(crate) fn keyed(&self) -> io::Result<Vec<u64>> {
        match numbers(&self.keys(), ".keys") {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            numbers => numbers,
        }
    }

    fn lock(&self) -> PathBuf {
        self.directory.join("lock")
    }
}

fn numbers(directory: &Path, end: &str) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(end));
        let number = number.filter(|number| number.len() == DIGITS);
        numbers.extend(number.and_then(|number| number.parse::<u64>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Whoever has encrypted mail goes on only with the key to read it.
fn check_key(places: &Places, encryption: &Encryption, directory: &Path) -> Result<(), OpenError> {
    let failed = |error| OpenError::Io { path: places.keys(), error };
    match (keys::latest(places).map_err(failed)?, encryption.keys()) {
        (None, _) => Ok(()),
        (Some((segment, Err(_))), _) => Err(OpenError::Newer(places.keys_of(segment))),
        (Some(_), None) => Err(OpenError::NoKey(directory.to_owned())),
        (Some((_, Ok(id))), Some(keys)) if keys.has(id) => Ok(()),
        (Some((segment, Ok(id))), Some(_)) => {
            Err(OpenError::OtherKey { path: places.keys_of(segment), id })
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

/// No segment has a higher number.
pub(crate) const LAST_SEGMENT: u64 = 9_999_999_999;

const fn day(at: Timestamp) -> u64 {
    at.as_secs() / 86_400
}
