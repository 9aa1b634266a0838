//! What a start has put aside: bytes behind the last mark of a segment, in case they had been promised.
//!
//! Whole mails may be there, if a mark was damaged. Their keys stay where they were, behind those of the records
//! that count; which these are is known here and nowhere else.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use crate::{
    archive::{Places, private, sync_directory},
    frame::{Head, Packing, SegmentHead, Seq},
    keys,
    roots::Root,
    scan::{Item, Look, Part, Scan},
};

/// A file of such bytes.
pub(crate) struct Torn {
    /// The number of the segment that had them.
    pub(crate) segment: u64,
    pub(crate) path: PathBuf,
}

/// All of them. What has another name is somebody else's.
pub(crate) fn all(places: &Places) -> io::Result<Vec<Torn>> {
    let files = match fs::read_dir(places.all_torn()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        files => files?,
    };
    let mut all = Vec::new();
    for file in files {
        let path = file?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let number = name.and_then(|name| name.split_once('-')).map(|(number, _)| number.parse());
        if let Some(Ok(segment)) = number.filter(|_| path.is_file()) {
            all.push(Torn { segment, path });
        }
    }
    Ok(all)
}

/// Cuts off what stands behind `end` of a segment, once there is a copy of it. Gives how many bytes that were, and the
/// copy.
pub(crate) fn put_aside(
    places: &Places,
    segment: u64,
    end: u64,
) -> io::Result<Option<(u64, PathBuf)>> {
    let path = places.segment(segment);
    let bytes = fs::metadata(&path)?.len().saturating_sub(end);
    if bytes == 0 {
        return Ok(None);
    }
    let directory = places.all_torn();
    DirBuilder::new().recursive(true).mode(0o700).create(&directory)?;
    sync_directory(places.directory())?;
    let (copy, mut to) = create(&places.torn(segment, end))?;
    if let Err(error) = copy_behind(&path, end, &mut to) {
        // On a full disk each start would leave one.
        let _ = fs::remove_file(&copy);
        return Err(error);
    }
    sync_directory(&directory)?;
    let file = OpenOptions::new().write(true).open(&path)?;
    file.set_len(end)?;
    file.sync_all()?;
    Ok(Some((bytes, copy)))
}

/// Whether a segment has records there, by their heads.
pub(crate) fn has_records(places: &Places, segment: u64) -> io::Result<bool> {
    last(places, segment).map(|last| last.is_some())
}

/// Destroys the keys of a sealed segment that no record has, neither in it nor there.
pub(crate) fn trim_keys(places: &Places, Root { segment, first, seal }: &Root) -> io::Result<()> {
    let next = last(places, *segment)?.map_or(0, |last| last.saturating_add(1));
    keys::trim(places, *segment, *first, next.max(first + seal.records))
}

/// Destroys the keys of records there.
pub(crate) fn destroy_keys<'a>(
    places: &Places,
    segment: u64,
    heads: impl Iterator<Item = &'a Head>,
) -> io::Result<()> {
    let mut encrypted = heads.filter(|head| head.packing == Packing::Encrypted).peekable();
    if encrypted.peek().is_none() {
        return Ok(());
    }
    let Some(next) = next_of(places, segment)? else { return Ok(()) };
    let theirs: Vec<Seq> = encrypted.map(|head| head.seq).filter(|seq| *seq >= next).collect();
    keys::destroy(places, segment, &theirs)
}

/// The last record that a segment has there.
fn last(places: &Places, segment: u64) -> io::Result<Option<Seq>> {
    let mut last = None;
    for torn in all(places)?.iter().filter(|torn| torn.segment == segment) {
        let (_, mut scan) = Scan::open(&torn.path, Look::AtHeads)?;
        while let Some(Part { item, .. }) = scan.next_part()? {
            if let Item::Record { head, .. } = item {
                last = last.max(Some(head.seq));
            }
        }
    }
    Ok(last)
}

/// The number behind the records of a segment that count: keys before it are theirs. `None`: nobody can tell.
fn next_of(places: &Places, segment: u64) -> io::Result<Option<Seq>> {
    if let Some((Ok(next), _)) = open(&places.segment(segment + 1))? {
        return Ok(Some(next.first));
    }
    let Some((head, mut scan)) = open(&places.segment(segment))? else { return Ok(None) };
    let mut next = head.ok().map(|head| head.first);
    while let Some(Part { item, .. }) = scan.next_part()? {
        if let Item::Mark(mark) = item {
            next = Some(mark.next);
        }
    }
    Ok(next)
}

type Opened = (Result<SegmentHead, crate::frame::Unread>, Scan);

fn open(path: &Path) -> io::Result<Option<Opened>> {
    match Scan::open(path, Look::AtHeads) {
        Ok(opened) => Ok(Some(opened)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// A new file of this name; if there is one, with a number behind it.
fn create(path: &Path) -> io::Result<(PathBuf, File)> {
    let mut copy = path.to_owned();
    for number in 2_u64.. {
        match private().write(true).create_new(true).open(&copy) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            file => return Ok((copy, file?)),
        }
        copy = path.to_owned();
        copy.as_mut_os_string().push(format!("-{number}"));
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// With the head of the segment, it is read like one.
fn copy_behind(path: &Path, end: u64, to: &mut File) -> io::Result<()> {
    let mut from = File::open(path)?;
    io::copy(&mut (&from).take(end.min(SegmentHead::LEN as u64)), to)?;
    from.seek(SeekFrom::Start(end))?;
    io::copy(&mut from, to)?;
    to.sync_all()
}
