//! Other copies of mail that is erased: what a crash or a failed sync has left of groups that never counted.
//!
//! Of most bytes there a head says whose they are. A large mail has no head before it is written to its end: so what
//! has none goes with the next mail that is erased, whose ever it was. It was never promised, and whoever has brought
//! it has brought it again.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    fs::{self, OpenOptions},
    io,
    path::Path,
};

use super::release;
use crate::{
    archive::{Places, sync_directory},
    frame::{Head, Packing, SegmentHead, Seq, Unread},
    hash::Hash,
    keys,
    scan::{Item, Look, Part, Scan},
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

/// Files of bytes that were put aside.
fn forget_torn(places: &Places, ids: &Ids) -> io::Result<()> {
    let directory = places.all_torn();
    let files = match fs::read_dir(&directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        files => files?,
    };
    for file in files {
        let path = file?.path();
        let (_, mut scan) = Scan::open(&path, Look::AtHeads)?;
        let mut rest = Rest::default();
        while let Some(part) = scan.next_part()? {
            rest.add(part);
        }
        if rest.stray.is_empty() && !rest.records.iter().any(|(head, _)| ids.contains(&head.id)) {
            continue;
        }
        destroy_torn(places, &path, &rest)?;
        fs::remove_file(&path)?;
        sync_directory(&directory)?;
    }
    Ok(())
}

/// What was put aside has kept its keys, in case it had been promised.
fn destroy_torn(places: &Places, torn: &Path, rest: &Rest) -> io::Result<()> {
    let name = torn.file_name().and_then(OsStr::to_str).and_then(|name| name.split_once('-'));
    let Some(segment) = name.and_then(|(number, _)| number.parse::<u64>().ok()) else {
        return Ok(());
    };
    // A segment that was begun again has other records of these numbers.
    let Ok(next) = head_of(places, segment + 1)? else { return Ok(()) };
    let behind = rest.records.iter().map(|(head, _)| head).filter(|head| head.seq >= next.first);
    destroy(places, segment, behind)
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
        let Rest { mut records, stray } = behind(&path, &next)?;
        records.retain(|(head, _)| ids.contains(&head.id));
        if records.is_empty() && stray.is_empty() {
            continue;
        }
        destroy(places, segment, records.iter().map(|(head, _)| head))?;
        let file = OpenOptions::new().write(true).open(&path)?;
        for (head, at) in records {
            release(&file, at + Head::LEN as u64, head.stored)?;
        }
        for (at, bytes) in stray {
            release(&file, at, bytes)?;
        }
        file.sync_all()?;
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
