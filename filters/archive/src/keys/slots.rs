//! The file with the keys of the records of a segment: a head, then a slot for each record, in their order.
//!
//! Keys are made ahead of use, many at once, and are on the disk before a record needs them: so a group of
//! records still costs one sync. A slot of zeros had a key that was destroyed.

use std::{
    collections::VecDeque,
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt as _, FileExt as _},
    path::Path,
};

use zeroize::Zeroizing;

use super::{KEY, KeyId, Master, MasterKeys, NONCE, RecordKey, Wrapped, Wrapping};
use crate::{
    archive::{Places, private, sync_directory},
    disk,
    frame::{KeysHead, Seq, Unread},
    scan::{Item, Look, Part, Scan},
    whole,
};

/// Makes the keys of the segment that is written to.
pub(crate) struct Wrapper {
    masters: MasterKeys,
    open: Option<Open>,
    /// The segment whose file of keys was made last.
    begun: Option<u64>,
}

struct Open {
    file: File,
    head: KeysHead,
    /// Slots that are on the disk.
    made: u64,
    /// The keys of the last of them, for records that are not written yet.
    ready: VecDeque<RecordKey>,
}

impl Wrapper {
    pub(crate) const fn new(masters: MasterKeys) -> Self {
        Self { masters, open: None, begun: None }
    }

    /// The keys of so many records from `next` on. They are on the disk. `first`: the first record of the
    /// segment.
    pub(crate) fn keys(
        &mut self,
        places: &Places,
        (segment, first): (u64, Seq),
        next: Seq,
        count: usize,
    ) -> io::Result<Vec<RecordKey>> {
        let master = self.masters.first().ok_or(io::ErrorKind::NotFound)?;
        let mut open = match self.open.take() {
            Some(open) if open.head.segment == segment => open,
            // Never in the place of one whose keys have records.
            _ if next == first => {
                let file = create(places, segment, self.begun == Some(segment))?;
                self.begun = Some(segment);
                Open::begin(file, places, KeysHead { segment, first, master: master.id.0 })?
            }
            _ => return Err(io::ErrorKind::AlreadyExists.into()),
        };
        open.forget(next);
        while open.ready.len() < count {
            // If it fails the file is left: the next group begins another segment, with a file of its own.
            let ahead = usize::try_from(open.made).unwrap_or(MOST).clamp(FEWEST, MOST);
            open.make(master, count.max(ahead))?;
        }
        let keys = open.ready.iter().take(count).cloned().collect();
        self.open = Some(open);
        Ok(keys)
    }

    /// The segment has no more records than those before `next`: destroys keys that none has.
    pub(crate) fn end(&mut self, next: Seq) {
        if let Some(Open { file, head, .. }) = self.open.take() {
            // If not, they stay until the next start; if another segment is begun before it, for ever: keys of nothing.
            let _ = cut(&file, head.first, next);
        }
    }
}

/// The file of a segment. If there is one, it is somebody else's, unless `is_again`: it was made before, and no
/// record has any of its keys.
fn create(places: &Places, segment: u64, is_again: bool) -> io::Result<File> {
    let directory = places.keys();
    if !directory.is_dir() {
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&directory);
        made.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => io::ErrorKind::NotADirectory.into(),
            _ => error,
        })?;
        sync_directory(places.directory())?;
    }
    private()
        .write(true)
        .create(is_again)
        .truncate(is_again)
        .create_new(!is_again)
        .open(places.keys_of(segment))
}

impl Open {
    fn begin(file: File, places: &Places, head: KeysHead) -> io::Result<Self> {
        file.write_all_at(&head.encode(), 0)?;
        file.sync_all()?;
        sync_directory(&places.keys())?;
        Ok(Self { file, head, made: 0, ready: VecDeque::new() })
    }

    /// Forgets the keys of records before `next`.
    fn forget(&mut self, next: Seq) {
        let waiting = (self.head.first + self.made).saturating_sub(next);
        let used = (self.ready.len() as u64).saturating_sub(waiting);
        self.ready.drain(..usize::try_from(used).unwrap_or(usize::MAX).min(self.ready.len()));
    }

    fn make(&mut self, master: &Master, count: usize) -> io::Result<()> {
        let mut chance = Zeroizing::new(vec![0; count * (KEY + NONCE)]);
        getrandom::fill(&mut chance)?;
        let (mut slots, mut keys) = (Vec::with_capacity(count * SLOT), Vec::with_capacity(count));
        let from = self.head.first + self.made;
        for (seq, mut chance) in (from..).zip(chance.chunks_exact(KEY + NONCE)) {
            let (Some(key), Some(nonce)) = (take::<KEY>(&mut chance), take::<NONCE>(&mut chance))
            else {
                continue;
            };
            let key = RecordKey::new(key);
            let of = Wrapping { segment: self.head.segment, seq };
            let wrapped = master.wrap(&key, nonce, of).ok_or(io::ErrorKind::InvalidData)?;
            slots.extend_from_slice(&wrapped);
            slots.extend_from_slice(&checksum(&wrapped, of));
            keys.push(key);
        }
        self.file.write_all_at(&slots, place(self.made))?;
        self.file.sync_data()?;
        self.made += keys.len() as u64;
        self.ready.extend(keys);
        Ok(())
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*taken)
}

/// Reads the keys of a segment.
pub(crate) struct Slots {
    file: File,
    segment: u64,
    /// The record that has the first slot.
    first: Seq,
    /// Absent: the head of the file is damaged, and the segment says where the slots are.
    master: Option<KeyId>,
    /// Slots that were read together, and the place of the first.
    window: (u64, Vec<u8>),
}

/// What is there of the key of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    /// It is, wrapped.
    Whole(Wrapped),
    /// It was destroyed.
    Destroyed,
    /// Something else, or the disk does not give it.
    Damaged,
    /// Nothing.
    Missing,
}

impl Slots {
    /// Opens the file of a segment. `Ok(None)`: it has none. Within: a newer version has written it; or its head is
    /// damaged, and so is the beginning of the segment: nobody can tell whose a slot is.
    pub(crate) fn open(places: &Places, segment: u64) -> io::Result<Option<Result<Self, Unread>>> {
        let file = match File::open(places.keys_of(segment)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let order = order(places, &file, segment)?;
        let window = (0, Vec::new());
        Ok(Some(order.map(|(first, master)| Self { file, segment, first, master, window })))
    }

    /// The name of the key that has wrapped them. `None`: the head of the file is damaged.
    pub(crate) const fn master(&self) -> Option<KeyId> {
        self.master
    }

    /// What is there of the key of a record.
    pub(crate) fn of(&mut self, seq: Seq, window: usize) -> io::Result<Slot> {
        let Some(number) = seq.checked_sub(self.first) else { return Ok(Slot::Missing) };
        let of = Wrapping { segment: self.segment, seq };
        if let Some(slot) = self.known(number) {
            return Ok(read_slot(&slot, of));
        }
        let mut slots = vec![0; window.max(1) * SLOT];
        let read = disk::read_at(&self.file, &mut slots, place(number))?.bytes;
        slots.truncate(read - read % SLOT);
        self.window = (number, slots);
        Ok(self.known(number).map_or(Slot::Missing, |slot| read_slot(&slot, of)))
    }

    fn known(&self, number: u64) -> Option<[u8; SLOT]> {
        let (first, slots) = &self.window;
        let index = usize::try_from(number.checked_sub(*first)?).ok()?;
        slots.get(index.checked_mul(SLOT)?..)?.first_chunk().copied()
    }
}

/// Destroys the keys of records of a segment. What is not there is destroyed; `verify` says that it is missing.
///
/// # Errors
/// The disk failed; or nobody can tell which keys are theirs, and none was destroyed.
pub(crate) fn destroy(places: &Places, segment: u64, records: &[Seq]) -> io::Result<()> {
    let path = places.keys_of(segment);
    let file = match OpenOptions::new().read(true).write(true).open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let first = match order(places, &file, segment)? {
        Ok((first, _)) => first,
        Err(why) => return Err(not_ours(&path, why)),
    };
    let len = file.metadata()?.len();
    for number in records.iter().filter_map(|seq| seq.checked_sub(first)) {
        // Of a slot that is cut off, too.
        if place(number) < len {
            file.write_all_at(&[0; SLOT], place(number))?;
        }
    }
    file.sync_all()
}

/// Nobody can tell where in the file a key is.
fn not_ours(path: &Path, why: Unread) -> io::Error {
    let why = match why {
        Unread::Newer => "a newer version of Mailweir has written it, and it is left as it is",
        Unread::Damaged => {
            "its head is damaged, and so is the beginning of the segment: nobody can tell whose a key is"
        }
    };
    io::Error::new(io::ErrorKind::InvalidData, format!("{}: {why}", path.display()))
}

/// A segment has no more records than those before `next`, and its first is `first`: destroys keys that none has.
pub(crate) fn trim(places: &Places, segment: u64, first: Seq, next: Seq) -> io::Result<()> {
    let path = places.keys_of(segment);
    let file = match OpenOptions::new().read(true).write(true).open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    match head(&file)? {
        Err(Unread::Newer) => Err(not_ours(&path, Unread::Newer)),
        Ok(_) | Err(Unread::Damaged) => cut(&file, first, next),
    }
}

/// Whether a segment has any keys.
pub(crate) fn are_there(places: &Places, segment: u64) -> bool {
    places.keys_of(segment).exists()
}

/// A segment has no record, nor ever had: removes its keys.
pub(crate) fn remove(places: &Places, segment: u64) -> io::Result<()> {
    if are_there(places, segment) { whole::remove(&places.keys_of(segment)) } else { Ok(()) }
}

/// The last segment that has keys, and the name of the key that has wrapped them; or that a newer version has written
/// them. Those whose head is damaged say nothing.
pub(crate) fn latest(places: &Places) -> io::Result<Option<(u64, Result<KeyId, Unread>)>> {
    for segment in places.keyed()?.into_iter().rev() {
        let found = match Slots::open(places, segment)? {
            Some(Ok(slots)) => slots.master().map(Ok),
            Some(Err(Unread::Newer)) => Some(Err(Unread::Newer)),
            Some(Err(Unread::Damaged)) | None => None,
        };
        if let Some(master) = found {
            return Ok(Some((segment, master)));
        }
    }
    Ok(None)
}

fn cut(file: &File, first: Seq, next: Seq) -> io::Result<()> {
    let used = place(next.saturating_sub(first));
    if file.metadata()?.len() > used { file.set_len(used) } else { Ok(()) }
}

/// Which record has the first slot, and the name of the key that has wrapped them, if the head of the file says it:
/// the segment knows its first record, too.
fn order(
    places: &Places,
    file: &File,
    segment: u64,
) -> io::Result<Result<(Seq, Option<KeyId>), Unread>> {
    match head(file)? {
        Ok(head) if head.segment == segment => {
            return Ok(Ok((head.first, Some(KeyId(head.master)))));
        }
        Err(Unread::Newer) => return Ok(Err(Unread::Newer)),
        Ok(_) | Err(Unread::Damaged) => {}
    }
    let (head, mut scan) = match Scan::open(&places.segment(segment), Look::AtHeads) {
        Ok(segment) => segment,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Err(Unread::Damaged)),
        Err(error) => return Err(error),
    };
    if let Ok(head) = head
        && head.number == segment
    {
        return Ok(Ok((head.first, None)));
    }
    Ok(match scan.next_part()? {
        Some(Part { item: Item::Record { head, .. }, .. }) => Ok((head.seq, None)),
        _ => Err(Unread::Damaged),
    })
}

fn head(file: &File) -> io::Result<Result<KeysHead, Unread>> {
    let mut bytes = [0; KeysHead::LEN];
    let is_whole = disk::read_at(file, &mut bytes, 0)?.bytes == bytes.len();
    Ok(if is_whole { KeysHead::decode(&bytes) } else { Err(Unread::Damaged) })
}

fn read_slot(slot: &[u8; SLOT], of: Wrapping) -> Slot {
    if slot.iter().all(|byte| *byte == 0) {
        return Slot::Destroyed;
    }
    match (slot.first_chunk(), slot.last_chunk()) {
        (Some(wrapped), Some(sum)) if *sum == checksum(wrapped, of) => Slot::Whole(*wrapped),
        _ => Slot::Damaged,
    }
}

/// Slots that changed places are damaged.
fn checksum(wrapped: &Wrapped, of: Wrapping) -> [u8; 4] {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&of.to_bytes());
    hasher.update(wrapped);
    hasher.finalize().to_le_bytes()
}

/// The first byte of a slot.
const fn place(number: u64) -> u64 {
    (KeysHead::LEN as u64).saturating_add(number.saturating_mul(SLOT as u64))
}

/// Bytes of a slot: a wrapped key and a checksum.
const SLOT: usize = NONCE + KEY + super::TAG + 4;

/// Keys that are made at once: as many as the segment has, so that there are few syncs and not many keys too many.
const FEWEST: usize = 64;
const MOST: usize = 4_096;
