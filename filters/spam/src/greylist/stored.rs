//! A greylist as bytes: `MWGL`, version, the mark of the key, four tables with their lengths, the CRC-32 of all that.
//!
//! Numbers are little-endian; times are microseconds since 1970. Tables stand with the oldest entry first, so one that
//! is read into less room loses what would have gone first. `filters/spam/FORMAT.md` has the bytes. Settings are not stored.

use mailweir_mail::Timestamp;

use super::{Greylist, HashKey, Passes, Settings, shares::Shares};
use crate::aged::Aged;

/// Why bytes are no greylist that can be used. It is safe to begin with an empty one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoredError {
    /// It does not begin as one does.
    #[error("not a greylist")]
    NotOne,
    /// It is of another version.
    #[error("a greylist of version {0}")]
    Version(u8),
    /// Bytes are missing, too many, or not those that were written.
    #[error("a damaged greylist")]
    Damaged,
    /// Its hashes were made with another key.
    #[error("a greylist of another key")]
    OtherKey,
}

/// One of the tables of a greylist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// Triples that have to come again.
    Waiting,
    /// Triples that did.
    Passed,
    /// Networks of those.
    Networks,
    /// To whom our own people have written.
    Correspondents,
}

impl Table {
    /// All, in the order in which they are to be copied: a triple that passes meanwhile is in both tables rather than in none.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Passed, Self::Networks, Self::Correspondents];
}

/// What is to be stored of a greylist, copied table by table, so that nobody who asks it waits for more than a copy of one.
#[derive(Clone, Debug)]
pub struct Snapshot {
    mark: u64,
    waiting: Vec<(u64, Timestamp, u64)>,
    passed: Vec<(u64, Timestamp, ())>,
    networks: Vec<(u64, Timestamp, Passes)>,
    correspondents: Vec<(u64, Timestamp, u64)>,
}

impl Snapshot {
    /// Copies a table as it is now.
    pub fn copy(&mut self, table: Table, of: &Greylist) {
        match table {
            Table::Waiting => self.waiting = copied(of.waiting.entries()),
            Table::Passed => self.passed = copied(of.passed.entries()),
            Table::Networks => self.networks = copied(of.networks.entries()),
            Table::Correspondents => self.correspondents = copied(of.correspondents.entries()),
        }
    }

    /// What was copied as bytes, which takes its time.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        let Self { mark, waiting, passed, networks, correspondents } = self;
        let owned = waiting.len() + correspondents.len();
        let size = FRAME + passed.len() * ENTRY + owned * OWNED + networks.len() * (ENTRY + PASSES);
        let mut out = Vec::with_capacity(size);
        out.extend_from_slice(MAGIC);
        out.push(VERSION);
        out.extend_from_slice(&mark.to_le_bytes());
        write(&mut out, waiting, write_owner);
        write(&mut out, passed, |_, ()| {});
        write(&mut out, networks, |out, passes| {
            out.extend_from_slice(&passes.count.to_le_bytes());
            out.extend_from_slice(&passes.counted.as_micros().to_le_bytes());
        });
        write(&mut out, correspondents, write_owner);
        let checksum = crc32fast::hash(&out);
        out.extend_from_slice(&checksum.to_le_bytes());
        out
    }
}

impl Greylist {
    /// A snapshot with nothing in it yet.
    #[must_use]
    pub fn begin_snapshot(&self) -> Snapshot {
        Snapshot {
            mark: self.hash.mark(),
            waiting: Vec::new(),
            passed: Vec::new(),
            networks: Vec::new(),
            correspondents: Vec::new(),
        }
    }

    /// All of it but its settings and its key, at once.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut snapshot = self.begin_snapshot();
        Table::ALL.iter().for_each(|table| snapshot.copy(*table, self));
        snapshot.into_bytes()
    }

    /// Reads what [`Greylist::to_bytes`] wrote.
    ///
    /// # Errors
    /// If any of it is not as it was written, or the key is another.
    pub fn from_bytes(
        bytes: &[u8],
        settings: Settings,
        hash: HashKey,
    ) -> Result<Self, StoredError> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(StoredError::NotOne)?;
        match rest.first() {
            Some(&VERSION) => {}
            Some(&other) => return Err(StoredError::Version(other)),
            None => return Err(StoredError::Damaged),
        }
        let (body, checksum) = bytes.split_last_chunk().ok_or(StoredError::Damaged)?;
        if crc32fast::hash(body) != u32::from_le_bytes(*checksum) {
            return Err(StoredError::Damaged);
        }
        let mut reader = Reader(body.get(MAGIC.len() + 1..).unwrap_or_default());
        if reader.u64().ok_or(StoredError::Damaged)? != hash.mark() {
            return Err(StoredError::OtherKey);
        }
        let mut read = || {
            let waiting = reader.shares(settings.most)?;
            let passed = reader.table(settings.most, |_| Some(()))?;
            let networks = reader.table(settings.most, Reader::passes)?;
            let correspondents = reader.shares(settings.most)?;
            reader.0.is_empty().then_some((waiting, passed, networks, correspondents))
        };
        let (waiting, passed, networks, correspondents) = read().ok_or(StoredError::Damaged)?;
        Ok(Self { settings, hash, waiting, passed, networks, correspondents })
    }
}

fn copied<'v, V: Copy + 'v>(
    table: impl Iterator<Item = (u64, Timestamp, &'v V)>,
) -> Vec<(u64, Timestamp, V)> {
    table.map(|(key, time, value)| (key, time, *value)).collect()
}

fn write<V>(
    out: &mut Vec<u8>,
    mut table: Vec<(u64, Timestamp, V)>,
    value: impl Fn(&mut Vec<u8>, V),
) {
    table.sort_unstable_by_key(|(key, time, _)| (*time, *key));
    out.extend_from_slice(&(table.len() as u64).to_le_bytes());
    for (key, time, of) in table {
        out.extend_from_slice(&key.to_le_bytes());
        out.extend_from_slice(&time.as_micros().to_le_bytes());
        value(out, of);
    }
}

fn write_owner(out: &mut Vec<u8>, owner: u64) {
    out.extend_from_slice(&owner.to_le_bytes());
}

/// What is left to read.
struct Reader<'b>(&'b [u8]);

impl Reader<'_> {
    fn table<V>(&mut self, most: usize, value: impl Fn(&mut Self) -> Option<V>) -> Option<Aged<V>> {
        let mut table = Aged::new(most);
        // A length that is not true runs out of bytes; no room is made for it ahead.
        for _ in 0..self.u64()? {
            let (key, time) = (self.u64()?, self.time()?);
            let value = value(self)?;
            table.put(key, time, value);
        }
        Some(table)
    }

    fn shares(&mut self, most: usize) -> Option<Shares> {
        let mut table = Shares::new(most);
        for _ in 0..self.u64()? {
            let (key, time) = (self.u64()?, self.time()?);
            table.put(key, time, self.u64()?);
        }
        Some(table)
    }

    fn passes(&mut self) -> Option<Passes> {
        let count = u32::from_le_bytes(self.bytes()?);
        Some(Passes { count, counted: self.time()? })
    }

    fn time(&mut self) -> Option<Timestamp> {
        self.u64().map(Timestamp::from_micros)
    }

    fn u64(&mut self) -> Option<u64> {
        self.bytes().map(u64::from_le_bytes)
    }

    fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*bytes)
    }
}

const MAGIC: &[u8] = b"MWGL";

/// Another one when the bytes, or what is hashed, change.
const VERSION: u8 = 1;

/// Everything but entries: magic, version, mark, four lengths, checksum.
const FRAME: usize = 4 + 1 + 8 + 4 * 8 + 4;

/// Key and time.
const ENTRY: usize = 16;

/// The same, and an owner.
const OWNED: usize = ENTRY + 8;

/// Count and time.
const PASSES: usize = 12;
