//! Compound files (MS-CFB): folders and streams in one file. Every chain of sectors is followed for at
//! most as many steps as there are sectors, and every entry of the directory is visited once.

use std::collections::BTreeSet;

use crate::Reason;
use crate::harvest::Harvest;

/// A compound file whose streams are known.
pub(super) struct Storage<'a> {
    bytes: &'a [u8],
    sector: usize,
    /// For each sector the next.
    table: Vec<u32>,
    /// The same for the small sectors, which lie in `small`.
    small_table: Vec<u32>,
    small: Vec<u8>,
    streams: Vec<Entry>,
}

/// A stream.
pub(super) struct Entry {
    /// With its folders, in capital letters, as names are compared: `BODYTEXT/SECTION0`.
    pub(super) path: String,
    start: u32,
    size: usize,
}

/// An entry of the directory as it stands.
struct Raw {
    name: String,
    kind: u8,
    left: u32,
    right: u32,
    child: u32,
    start: u32,
    size: usize,
}

impl<'a> Storage<'a> {
    /// Reads the directory; `None` if there is none.
    pub(super) fn open(bytes: &'a [u8], harvest: &mut Harvest<'_>) -> Option<Self> {
        let shift = u32::from(*bytes.get(30)?);
        let sector = 1_usize.checked_shl(shift).filter(|_| matches!(shift, 9 | 12))?;
        let (streams, small) = (Vec::new(), Vec::new());
        let (table, small_table) = (Vec::new(), Vec::new());
        let mut storage = Self { bytes, sector, table, small_table, small, streams };
        storage.table = storage.read_table(harvest);
        let directory = storage.chain(long(bytes, 48)?, usize::MAX, harvest);
        let entries: Vec<Raw> = directory.chunks_exact(ENTRY).filter_map(Raw::read).collect();
        let root = entries.first().filter(|root| root.kind == ROOT)?;
        storage.small = storage.chain(root.start, root.size, harvest);
        let small_table = storage.chain(long(bytes, 60)?, usize::MAX, harvest);
        storage.small_table = longs(&small_table);
        storage.streams = walk(&entries, root.child, harvest);
        Some(storage)
    }

    /// The streams in the order of their names.
    pub(super) fn streams(&self) -> &[Entry] {
        &self.streams
    }

    /// Whether there is such a stream.
    pub(super) fn has(&self, path: &str) -> bool {
        self.streams.iter().any(|entry| entry.path == path)
    }

    /// The bytes of the stream with this path; none if it is not there.
    pub(super) fn find(&self, path: &str, harvest: &mut Harvest<'_>) -> Vec<u8> {
        let entry = self.streams.iter().find(|entry| entry.path == path);
        entry.map_or_else(Vec::new, |entry| self.read(entry, harvest))
    }

    /// The bytes of a stream, as many as are there.
    pub(super) fn read(&self, entry: &Entry, harvest: &mut Harvest<'_>) -> Vec<u8> {
        if entry.size >= SMALL {
            return self.chain(entry.start, entry.size, harvest);
        }
        let bytes = follow(&self.small_table, entry.start, entry.size, SMALL_SECTOR, |at| {
            self.small.get(at * SMALL_SECTOR..).map(|from| from.get(..SMALL_SECTOR).unwrap_or(from))
        });
        harvest.work(bytes.len() + ENTRY);
        bytes
    }

    /// What lies in a chain of sectors.
    fn chain(&self, start: u32, size: usize, harvest: &mut Harvest<'_>) -> Vec<u8> {
        let most = harvest.unpack_room();
        let bytes = follow(&self.table, start, size.min(most), self.sector, |at| self.sector(at));
        if bytes.len() >= most && size > most {
            harvest.mark(Reason::TooLarge);
        }
        harvest.unpacked(bytes.len());
        harvest.work(bytes.len() + ENTRY);
        bytes
    }

    /// The bytes of a sector. The header is the one before the first.
    fn sector(&self, number: usize) -> Option<&'a [u8]> {
        let at = number.checked_add(1)?.checked_mul(self.sector)?;
        let from = self.bytes.get(at..).filter(|from| !from.is_empty())?;
        Some(from.get(..self.sector).unwrap_or(from))
    }

    /// The table of sectors: its own are listed in the header, and in sectors that the header begins.
    fn read_table(&self, harvest: &mut Harvest<'_>) -> Vec<u32> {
        let most = self.bytes.len() / self.sector + 1;
        let mut places = longs(self.bytes.get(76..512).unwrap_or_default());
        let mut next = long(self.bytes, 68).unwrap_or(u32::MAX);
        for _ in 0..most {
            let Some(sector) = usize::try_from(next).ok().and_then(|at| self.sector(at)) else {
                break;
            };
            let mut more = longs(sector);
            next = more.pop().unwrap_or(u32::MAX);
            places.extend(more);
        }
        let mut table = Vec::new();
        for place in places.into_iter().take(most) {
            let Some(sector) = usize::try_from(place).ok().and_then(|at| self.sector(at)) else {
                continue;
            };
            table.extend(longs(sector));
            if table.len() >= most {
                break;
            }
        }
        harvest.work(table.len() * 4);
        table
    }
}

impl Raw {
    fn read(entry: &[u8]) -> Option<Self> {
        let length = usize::from(u16::from_le_bytes([*entry.get(64)?, *entry.get(65)?]));
        let name = entry.get(..length.saturating_sub(2).min(62))?;
        let units = name.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]]));
        let name: String =
            char::decode_utf16(units).map(|unit| unit.unwrap_or('\u{fffd}')).collect();
        Some(Self {
            name: name.to_uppercase(),
            kind: *entry.get(66)?,
            left: long(entry, 68)?,
            right: long(entry, 72)?,
            child: long(entry, 76)?,
            start: long(entry, 116)?,
            size: usize::try_from(long(entry, 120)?).ok()?,
        })
    }
}

/// The streams of the directory, which is a tree of folders of trees of entries.
fn walk(entries: &[Raw], root: u32, harvest: &mut Harvest<'_>) -> Vec<Entry> {
    let mut streams = Vec::new();
    let mut seen = BTreeSet::new();
    let mut open = vec![(root, String::new())];
    while let Some((number, folder)) = open.pop() {
        let entry = usize::try_from(number).ok().and_then(|at| entries.get(at));
        let Some(entry) = entry.filter(|_| seen.insert(number)) else { continue };
        let path =
            if folder.is_empty() { entry.name.clone() } else { format!("{folder}/{}", entry.name) };
        if !harvest.work(path.len() + ENTRY) || path.len() > LONGEST_PATH {
            continue;
        }
        open.push((entry.right, folder.clone()));
        if entry.kind == FOLDER {
            open.push((entry.child, path));
        } else if entry.kind == STREAM {
            streams.push(Entry { path, start: entry.start, size: entry.size });
        }
        open.push((entry.left, folder));
    }
    streams
}

/// Follows a chain until it has given `size` bytes, ends, or must be a circle.
fn follow<'b>(
    table: &[u32],
    start: u32,
    size: usize,
    sector: usize,
    bytes_of: impl Fn(usize) -> Option<&'b [u8]>,
) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut next = start;
    for _ in 0..table.len().min(size.div_ceil(sector)) {
        let Some(at) = usize::try_from(next).ok() else { break };
        let (Some(piece), Some(then)) = (bytes_of(at), table.get(at)) else { break };
        bytes.extend_from_slice(piece);
        next = *then;
    }
    bytes.truncate(size);
    bytes
}

/// A number of four bytes.
pub(super) fn long(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|chunk| u32::from_le_bytes(*chunk))
}

fn longs(bytes: &[u8]) -> Vec<u32> {
    let long = |chunk: &[u8]| Some(u32::from_le_bytes(*chunk.first_chunk()?));
    bytes.chunks_exact(4).filter_map(long).collect()
}

const ENTRY: usize = 128;
const ROOT: u8 = 5;
const STREAM: u8 = 2;
const FOLDER: u8 = 1;
/// Smaller streams lie in small sectors.
const SMALL: usize = 4096;
const SMALL_SECTOR: usize = 64;
const LONGEST_PATH: usize = 512;
