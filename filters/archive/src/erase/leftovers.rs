//! Other copies of mail that is erased: what a crash or a failed sync has left of groups that never counted.
//!
//! Of most bytes there a head says whose they are. A large mail has no head before it is written to its end: so what
//! has none, the *strays*, goes with the next mail that is erased, whose ever it was. It was never promised, and whoever has
//! brought it has brought it again. Heads stay, as they do everywhere.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File, OpenOptions},
    io::{self, BufReader, Read, Seek, SeekFrom},
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

/// Copies that there may be of mails that are erased.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Copies {
    /// The segments whose records were erased, and the mails that these are of.
    of: BTreeMap<u64, Ids>,
    pub(super) strays: Strays,
}

/// What becomes of bytes of which nobody can tell whose they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Strays {
    /// They stay: no mail is erased now.
    #[default]
    Keep,
    /// They are released.
    Release,
}

impl Copies {
    pub(super) fn is_empty(&self) -> bool {
        self.of.is_empty()
    }

    pub(super) fn may_be_of(&self, id: [u8; 12]) -> bool {
        self.of.values().any(|ids| ids.contains(&id))
    }

    /// Whether there may be some of records that were erased in a segment.
    pub(super) fn may_be_in(&self, segment: u64) -> bool {
        self.of.contains_key(&segment)
    }

    /// Records of a segment were erased, and are of these mails.
    pub(super) fn add(&mut self, segment: u64, ids: Ids) {
        self.of.entry(segment).or_default().extend(ids);
    }

    /// Releases them.
    ///
    /// # Errors
    /// Some may be there still: those are kept here. The first error.
    pub(super) fn forget(&mut self, places: &Places) -> io::Result<()> {
        if self.is_empty() {
            return Ok(());
        }
        let all: Ids = self.of.values().flatten().copied().collect();
        let mut forgotten = forget_torn(places, &all, self.strays);
        // Nobody can tell which of them has more copies there.
        let is_any_left = forgotten.is_err();
        let strays = self.strays;
        self.of.retain(|segment, ids| {
            let abandoned = forget_abandoned(places, *segment, ids, strays);
            let is_left = is_any_left || abandoned.is_err();
            if forgotten.is_ok() {
                forgotten = abandoned;
            }
            is_left
        });
        if self.is_empty() {
            self.strays = Strays::Keep;
        }
        forgotten
    }
}

/// Files of bytes that were put aside. What is of other mails stays, and a file with it. One that fails keeps no other
/// from being looked through.
fn forget_torn(places: &Places, ids: &Ids, strays: Strays) -> io::Result<()> {
    let mut forgotten = Ok(());
    for torn in torn::all(places)? {
        forgotten = forgotten.and(forget_file(places, &torn, ids, strays));
    }
    forgotten
}

fn forget_file(places: &Places, torn: &Torn, ids: &Ids, strays: Strays) -> io::Result<()> {
    let Torn { segment, path } = torn;
    let (_, scan) = Scan::open(path, Look::AtHeads)?;
    let mut rest = Rest::of(scan, strays)?;
    rest.keep_others(ids);
    if rest.is_empty() {
        return Ok(());
    }
    let destroyed = torn::destroy_keys(places, *segment, rest.heads());
    let file = rest.release(path)?;
    destroyed?;
    if rest.kept.iter().all(|(at, bytes)| is_released(&file, *at, *bytes)) {
        fs::remove_file(path)?;
        sync_directory(&places.all_torn())?;
    }
    Ok(())
}

/// Whether nothing but zeros is there. What cannot be read may be something else.
fn is_released(file: &File, at: u64, bytes: u64) -> bool {
    let mut file = file;
    let there = file.seek(SeekFrom::Start(at)).map(|_| file.take(bytes));
    there.is_ok_and(|there| {
        let mut bytes = BufReader::new(there).bytes();
        bytes.all(|byte| byte.is_ok_and(|byte| byte == 0))
    })
}

/// A segment that was left after a failed sync may have what the next one has again. Whether it was can be
/// seen by its successor, which has no root before it.
fn forget_abandoned(places: &Places, segment: u64, ids: &Ids, strays: Strays) -> io::Result<()> {
    let mut next = segment;
    while next > 1 {
        let before = next - 1;
        let path = places.segment(before);
        let (Ok(head), true) = (head_of(places, next)?, path.is_file()) else { return Ok(()) };
        if head.root_before != Hash::ZERO {
            return Ok(());
        }
        let (begin, scan) = Scan::open(&path, Look::AtHeads)?;
        let mut rest = Rest::behind(begin, scan, &head, strays)?;
        rest.keep_others(ids);
        if !rest.is_empty() {
            let destroyed = destroy(places, before, rest.heads());
            rest.release(&path)?;
            destroyed?;
        }
        next = before;
    }
    Ok(())
}

/// What stands in bytes that never counted.
#[derive(Debug, Default)]
struct Rest {
    /// Records by their heads, and where they begin.
    records: Vec<(Head, u64)>,
    /// Other bytes that may be of a mail: where they begin, and how many.
    stray: Vec<(u64, u64)>,
    /// What of both is not released.
    kept: Vec<(u64, u64)>,
}

impl Rest {
    /// What a file has.
    fn of<R: Read + Seek>(mut scan: Scan<R>, strays: Strays) -> io::Result<Self> {
        let mut rest = Self::default();
        while let Some(part) = scan.next_part()? {
            rest.add(part);
        }
        rest.keep_strays(&scan, strays);
        Ok(rest)
    }

    /// What a segment has behind the place where the next one goes on.
    fn behind<R: Read + Seek>(
        head: Result<SegmentHead, Unread>,
        mut scan: Scan<R>,
        next: &SegmentHead,
        strays: Strays,
    ) -> io::Result<Self> {
        let end = (next.first, next.chain);
        let mut is_behind = head.is_ok_and(|head| (head.first, head.chain) == end);
        let mut rest = Self::default();
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
        rest.keep_strays(&scan, strays);
        Ok(rest)
    }

    fn add(&mut self, Part { at, item }: Part) {
        match item {
            Item::Record { head, .. } => self.records.push((head, at)),
            // No byte of a mail stands where a head would, which may be a mark that is damaged.
            Item::Damage { bytes, .. } if bytes > Head::LEN as u64 => self.stray.push((at, bytes)),
            Item::Damage { .. } | Item::Mark(_) | Item::Seal(_) => {}
        }
    }

    /// A head on a bad block may be there again one day, and say whose bytes these are.
    fn keep_strays<R: Read + Seek>(&mut self, scan: &Scan<R>, strays: Strays) {
        if strays == Strays::Keep || scan.has_bad_blocks() {
            self.kept.append(&mut self.stray);
        }
    }

    /// Keeps the records of other mails.
    fn keep_others(&mut self, ids: &Ids) {
        let records = std::mem::take(&mut self.records);
        let (theirs, others): (Vec<_>, Vec<_>) =
            records.into_iter().partition(|(head, _)| ids.contains(&head.id));
        self.records = theirs;
        let payloads = others.iter().map(|(head, at)| (at + Head::LEN as u64, head.stored));
        self.kept.extend(payloads);
    }

    fn is_empty(&self) -> bool {
        self.records.is_empty() && self.stray.is_empty()
    }

    fn heads(&self) -> impl Iterator<Item = &Head> {
        self.records.iter().map(|(head, _)| head)
    }

    /// Releases the rest of it in its file.
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

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::disk::tests::Bad;

    /// The head of a record stands there, and may say whose the bytes behind it are.
    #[test]
    fn what_stands_behind_a_bad_block_is_no_stray() {
        let bytes = vec![7; 3 * 4_096];
        let strays = |blocks, strays| {
            let bad = Bad { inner: Cursor::new(bytes.clone()), blocks };
            let (_, scan) = Scan::of(bad, Look::AtHeads).unwrap();
            let Rest { stray, kept, .. } = Rest::of(scan, strays).unwrap();
            (stray.len(), kept.len())
        };
        assert_eq!(strays(vec![], Strays::Release), (1, 0));
        assert_eq!(strays(vec![1], Strays::Release), (0, 1));
        assert_eq!(strays(vec![], Strays::Keep), (0, 1));
    }
}
