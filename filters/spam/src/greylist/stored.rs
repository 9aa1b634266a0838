//! A greylist as bytes: `MWGL`, version, the mark of the key, three tables with their lengths, the CRC-32 of all that.
//!
//! Numbers are little-endian; times are microseconds since 1970. Tables stand with the oldest entry first, so one that
//! is read into less room loses what would have gone first. Settings are not stored.

use mailweir_mail::Timestamp;

use super::{Greylist, HashKey, Passes, Settings, aged::Aged};

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

impl Greylist {
    /// All of it but its settings and its key.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.stored_size());
        out.extend_from_slice(MAGIC);
        out.push(VERSION);
        out.extend_from_slice(&self.hash.mark().to_le_bytes());
        write(&mut out, &self.waiting, |_, ()| {});
        write(&mut out, &self.passed, |_, ()| {});
        write(&mut out, &self.networks, |out, passes| {
            out.extend_from_slice(&passes.count.to_le_bytes());
            out.extend_from_slice(&passes.counted.as_micros().to_le_bytes());
        });
        let checksum = crc32fast::hash(&out);
        out.extend_from_slice(&checksum.to_le_bytes());
        out
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
            let waiting = reader.table(settings.most, |_| Some(()))?;
            let passed = reader.table(settings.most, |_| Some(()))?;
            let networks = reader.table(settings.most, Reader::passes)?;
            reader.0.is_empty().then_some((waiting, passed, networks))
        };
        let (waiting, passed, networks) = read().ok_or(StoredError::Damaged)?;
        Ok(Self { settings, hash, waiting, passed, networks })
    }

    fn stored_size(&self) -> usize {
        let counts = self.counts();
        FRAME + (counts.waiting + counts.passed) * ENTRY + counts.networks * (ENTRY + PASSES)
    }
}

fn write<V>(out: &mut Vec<u8>, table: &Aged<V>, value: impl Fn(&mut Vec<u8>, &V)) {
    out.extend_from_slice(&(table.len() as u64).to_le_bytes());
    for (key, time, of) in table.iter() {
        out.extend_from_slice(&key.to_le_bytes());
        out.extend_from_slice(&time.as_micros().to_le_bytes());
        value(out, of);
    }
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

/// Everything but entries: magic, version, mark, three lengths, checksum.
const FRAME: usize = 4 + 1 + 8 + 3 * 8 + 4;

/// Key and time.
const ENTRY: usize = 16;

/// Count and time.
const PASSES: usize = 12;
