//! Other copies of mail that is erased: what a crash or a failed sync has left of groups that never counted.
//!
//! Of most bytes there a head says whose they are. A large mail has no head before it is written to its end: so what
//! has none goes with the next mail that is erased, whose ever it was. It was never promised, and whoever has brought
//! it has brought it again. Heads stay, as they do everywhere.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File, OpenOptions},
    io::{self, BufReader, Read as _, Seek as _, SeekFrom},
    path::Path,
};

use super::release;
use crate::{
    archive::{Places, sync_directory},
    frame::{Head, Packing, SegmentHead, Seq, Unread},
    hash::Hash,
    keys,
    scan::{Item, Look, Part, Scan},
    torn::{self, Torn},
};

/// Queue ids of mails, as heads have them.
pub(super) type Ids = BTreeSet<[u8; 12]>;

/// Releases them. `erased`: the segments whose records were erased, and the mails that these are of.
pub(super) fn forget(places: &Places, erased: &BTreeMap<u64, Ids>) -> io::Result<()> {
    let all: Ids = erased.values().flatten().copied().collect();
    if erased.is_empty() {
        return Ok(());
    }
    forget_torn(places, &all)?;
    for (segment, ids) in erased {
        forget_abandoned(places, *segment, ids)?;
    }
    Ok(())
}

/// Files of bytes that were put aside. What is of other mails stays, and a file with it.
fn forget_torn(places: &Places, ids: &Ids) -> io::Result<()> {
    for Torn { segment, path } in torn::all(places)? {
        let (_, mut scan) = Scan::open(&path, Look::AtHeads)?;
        let mut rest = Rest::default();
        while let Some(part) = scan.next_part()? {
            rest.add(part);
        }
        let others = rest.split_off(ids);
        if rest.is_empty() {
            continue;
        }
        let destroyed = torn::destroy_keys(places, segment, rest.heads());
        let file = rest.release(&path)?;
        destroyed?;
        if others.iter().all(|(head, at)| is_released(&file, head, *at)) {
            fs::remove_file(&path)?;
            sync_directory(&places.all_torn())?;
        }
    }
    Ok(())
}

/// Whether nothing of a payload is there. What cannot be read may be there.
fn is_released(file: &File, head: &Head, at: u64) -> bool {
    let mut file = file;
    let payload = file.seek(SeekFrom::Start(at + Head::LEN as u64)).map(|_| file.take(head.stored));
    payload.is_ok_and(|payload| {
        let mut bytes = BufReader::new(payload).bytes();
        bytes.all(|byte| byte.is_ok_and(|byte| byte == 0))
    })
}

/// A segment that was left after a failed sync may have what the next one has again. Whether it was can be
/// seen by its successor, which has no root before it.
fn forget_abandoned(places: &Places, mut segment: u64, ids: &Ids) -> io::Result<()> {
    while segment > 1 {
        let next = head_of(places, segment)?;
        segment -= 1;
        let path = places.segment(segment);
        let (Ok(next), true) = (next, path.is_file()) else { return Ok(()) };
        if next.root_before != Hash::ZERO {
            return Ok(());
        }
        let mut rest = behind(&path, &next)?;
        rest.split_off(ids);
        if rest.is_empty() {
            continue;
        }
        let destroyed = destroy(places, segment, rest.heads());
        rest.release(&path)?;
        destroyed?;
    }
    Ok(())
}

/// What a segment has behind the place where the next one goes on.
fn behind(path: &Path, next: &SegmentHead) -> io::Result<Rest> {
    let (head, mut scan) = Scan::open(path, Look::AtHeads)?;
    let end = (next.first, next.chain);
    let mut is_behind = head.is_ok_and(|head| (head.first, head.chain) == end);
    let mut rest = Rest::default();
    while let Some(part) = scan.next_part()? {
        match &part.item {
            Item::Mark(mark) => is_behind |= (mark.next, mark.chain) == end,
            Item::Record { head, .. } if head.seq < next.first => {}
            Item::Record { .. } => rest.add(part),
            Item::Damage { .. } if is_behind => rest.add(part),
            // That of records that count, or nobody can tell.
            Item::Damage { .. } | Item::Seal(_) => {}
        }
    }
    Ok(rest)
}

/// What stands in bytes that never counted.
#[derive(Default)]
struct Rest {
    /// Records by their heads, and where they begin.
    records: Vec<(Head, u64)>,
    /// Other bytes that may be of a mail: where they begin, and how many.
    stray: Vec<(u64, u64)>,
}

impl Rest {
    fn add(&mut self, Part { at, item }: Part) {
        match item {
            Item::Record { head, .. } => self.records.push((head, at)),
            // No byte of a mail stands where a head would, which may be a mark that is damaged.
            Item::Damage { bytes, .. } if bytes > Head::LEN as u64 => self.stray.push((at, bytes)),
            Item::Damage { .. } | Item::Mark(_) | Item::Seal(_) => {}
        }
    }

    fn is_empty(&self) -> bool {
        self.records.is_empty() && self.stray.is_empty()
    }

    fn heads(&self) -> impl Iterator<Item = &Head> {
        self.records.iter().map(|(head, _)| head)
    }

    /// Keeps what is of these mails, or may be, and gives the other records.
    fn split_off(&mut self, ids: &Ids) -> Vec<(Head, u64)> {
        let records = std::mem::take(&mut self.records);
        let (theirs, others) = records.into_iter().partition(|(head, _)| ids.contains(&head.id));
        self.records = theirs;
        others
    }

    /// Releases all of it in its file.
    fn release(&self, path: &Path) -> io::Result<File> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        for (head, at) in &self.records {
            release(&file, at + Head::LEN as u64, head.stored)?;
        }
        for (at, bytes) in &self.stray {
            release(&file, *at, *bytes)?;
        }
        file.sync_all()?;
        Ok(file)
    }
}

/// Destroys the keys of those that have one.
fn destroy<'a>(
    places: &Places,
    segment: u64,
    heads: impl Iterator<Item = &'a Head>,
) -> io::Result<()> {
    let encrypted = heads.filter(|head| head.packing == Packing::Encrypted);
    let encrypted: Vec<Seq> = encrypted.map(|head| head.seq).collect();
    if encrypted.is_empty() { Ok(()) } else { keys::destroy(places, segment, &encrypted) }
}

/// The head of a segment, if it is there and can be read.
fn head_of(places: &Places, segment: u64) -> io::Result<Result<SegmentHead, Unread>> {
    match Scan::open(&places.segment(segment), Look::AtHeads) {
        Ok((head, _)) => Ok(head),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Err(Unread::Damaged)),
        Err(error) => Err(error),
    }
}
