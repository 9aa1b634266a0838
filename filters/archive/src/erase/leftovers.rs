//! Other copies of mail that is erased: what a crash or a failed sync has left of groups that never counted.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File, OpenOptions},
    io,
};

use super::release;
use crate::{
    archive::{Places, sync_directory},
    frame::{Head, Packing, Seq},
    hash::Hash,
    keys,
    scan::{Item, Look, Part, Scan},
};

/// Queue ids of mails, as heads have them.
pub(super) type Ids = BTreeSet<[u8; 12]>;

/// Releases them. `erased`: the segments whose records were erased, and the mails that these are of.
pub(super) fn forget(places: &Places, erased: &BTreeMap<u64, Ids>) -> io::Result<()> {
    let all: Ids = erased.values().flatten().copied().collect();
    forget_torn(places, &all)?;
    for (segment, ids) in erased {
        forget_abandoned(places, *segment, ids)?;
    }
    Ok(())
}

/// Bytes that were put aside were never promised: whoever has brought those mails has brought them again.
fn forget_torn(places: &Places, ids: &Ids) -> io::Result<()> {
    let directory = places.all_torn();
    let files = match fs::read_dir(&directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        files => files?,
    };
    for file in files {
        let path = file?.path();
        let (_, scan) = Scan::open(&path, Look::AtHeads)?;
        if records(scan.starting_at(0), |head| ids.contains(&head.id))?.is_empty() {
            continue;
        }
        fs::remove_file(&path)?;
        sync_directory(&directory)?;
    }
    Ok(())
}

/// A segment that was left after a failed sync may have what the next one has again. Whether it was can be
/// seen by its successor, which has no root before it.
fn forget_abandoned(places: &Places, mut segment: u64, ids: &Ids) -> io::Result<()> {
    while segment > 1 {
        let (head, _) = Scan::open(&places.segment(segment), Look::AtHeads)?;
        segment -= 1;
        let path = places.segment(segment);
        let (Ok(head), true) = (head, path.is_file()) else { return Ok(()) };
        if head.root_before != Hash::ZERO {
            return Ok(());
        }
        let (_, scan) = Scan::open(&path, Look::AtHeads)?;
        let found = records(scan, |left| left.seq >= head.first && ids.contains(&left.id))?;
        if found.is_empty() {
            continue;
        }
        let encrypted = found.iter().filter(|(head, _)| head.packing == Packing::Encrypted);
        let encrypted: Vec<Seq> = encrypted.map(|(head, _)| head.seq).collect();
        keys::destroy(places, segment, &encrypted)?;
        let file: File = OpenOptions::new().write(true).open(&path)?;
        for (head, at) in found {
            release(&file, at + Head::LEN as u64, head.stored)?;
        }
        file.sync_all()?;
    }
    Ok(())
}

/// The heads of such records, and where they begin.
fn records(mut scan: Scan, is_meant: impl Fn(&Head) -> bool) -> io::Result<Vec<(Head, u64)>> {
    let mut found = Vec::new();
    while let Some(Part { at, item }) = scan.next_part()? {
        if let Item::Record { head, .. } = item {
            found.extend(is_meant(&head).then_some((head, at)));
        }
    }
    Ok(found)
}
