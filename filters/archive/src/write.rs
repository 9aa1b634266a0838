//! Writes groups of records behind the last mark of a segment.
//!
//! Payloads go through one buffer: small ones reach the disk together, a large one is packed, encrypted and written
//! piece by piece, and never is in memory as a whole. Its head, which has its length and hash, is written
//! last, before it. What fails is cut off again.

use std::{
    fs::File,
    io::{self, Write},
    os::unix::fs::FileExt as _,
};

use mailweir_mail::{QueueId, Timestamp};

use crate::{
    archive::{About, Draft, End, Place, Places, WriteError, Written, private, sync_directory},
    cipher::{Encrypt, Record},
    frame::{Brand, Head, Mark, Packing, SegmentHead, Seq},
    hash::{Hash, Hasher},
    keys::RecordKey,
    merkle::Tree,
    payload::{CopyError, Packed},
};

/// The segment that is written to.
pub(crate) struct Open {
    pub(crate) file: File,
    /// What all parts of it bear.
    pub(crate) brand: Brand,
    pub(crate) number: u64,
    pub(crate) begun: Timestamp,
    /// Bytes up to the last mark.
    pub(crate) len: u64,
    pub(crate) first: Seq,
    pub(crate) tree: Tree,
}

/// A write has failed.
pub(crate) struct Failure {
    pub(crate) error: WriteError,
    /// Whether the segment is as it was before.
    pub(crate) usable: bool,
}

impl Open {
    pub(crate) fn begin(places: &Places, end: End, now: Timestamp) -> io::Result<Self> {
        let path = places.segment(end.segment);
        let file = private().write(true).create(true).truncate(false).open(&path)?;
        // Of a start that failed it has no more than a head. More was put there since.
        if file.metadata()?.len() > SegmentHead::LEN as u64 {
            let text = format!("{} was not there when the archive was opened", path.display());
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, text));
        }
        file.set_len(0)?;
        let brand = Brand::random()?;
        let head = SegmentHead {
            brand,
            number: end.segment,
            first: end.next,
            chain: end.chain,
            root_before: end.root,
            at: now,
        };
        (&file).write_all(&head.encode())?;
        file.sync_all()?;
        sync_directory(&places.segments())?;
        let (number, len) = (end.segment, SegmentHead::LEN as u64);
        Ok(Self { file, brand, number, begun: now, len, first: end.next, tree: Tree::default() })
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.len == SegmentHead::LEN as u64
    }

    /// Writes a group, with one sync. `keys`: one for each record, if they are to be encrypted.
    pub(crate) fn write(
        &mut self,
        group: Vec<Draft>,
        keys: Option<&[RecordKey]>,
        end: End,
        now: Timestamp,
    ) -> Result<(Vec<Written>, Mark), Failure> {
        let Group { written, mark, tree, end } = match self.put(group, keys, end, now) {
            Ok(group) => group,
            Err(error) => {
                let cut = self.file.set_len(self.len).and_then(|()| self.file.sync_all());
                return Err(Failure { error, usable: cut.is_ok() });
            }
        };
        if let Err(error) = self.file.sync_data() {
            // What the kernel still has of it must not be found and believed at the next start.
            let _ = self.file.set_len(self.len);
            return Err(Failure { error: error.into(), usable: false });
        }
        self.len = end;
        self.tree = tree;
        Ok((written, mark))
    }

    fn put(
        &self,
        group: Vec<Draft>,
        keys: Option<&[RecordKey]>,
        end: End,
        now: Timestamp,
    ) -> Result<Group, WriteError> {
        let mut tail = Tail { file: &self.file, at: self.len, buffer: Vec::new() };
        let mut written = Vec::with_capacity(group.len());
        let (mut chain, mut tree) = (end.chain, self.tree.clone());
        let mut keys = keys.map(<[RecordKey]>::iter);
        for (place, (seq, draft)) in (end.next..).zip(group).enumerate() {
            let key = match &mut keys {
                None => None,
                // Never in the clear by mistake.
                Some(keys) => Some(keys.next().ok_or(io::Error::from(io::ErrorKind::NotFound))?),
            };
            let at = tail.position();
            let head = draft.describe(self.brand, (seq, end.next), now);
            let head = tail.record(head, draft.payload, key).map_err(|error| match error {
                CopyError::Content(error) => WriteError::Content { place, error },
                CopyError::Write(error) => WriteError::Io(error),
            })?;
            let leaf = head.leaf();
            chain = chain.then(leaf);
            tree.push(leaf);
            written.push(Written { head, place: Place { segment: self.number, at } });
        }
        let mark = Mark { next: end.next + written.len() as Seq, chain };
        tail.put(&mark.encode(self.brand))?;
        tail.flush()?;
        Ok(Group { written, mark, tree, end: tail.position() })
    }
}

/// A group that was written.
struct Group {
    written: Vec<Written>,
    mark: Mark,
    tree: Tree,
    /// The first byte behind it.
    end: u64,
}

/// What stands behind the last mark, the last bytes of it in memory.
struct Tail<'a> {
    file: &'a File,
    /// The place of the first byte in memory.
    at: u64,
    buffer: Vec<u8>,
}

impl Tail<'_> {
    const fn position(&self) -> u64 {
        self.at + self.buffer.len() as u64
    }

    /// Gives the head as it was written.
    fn record(
        &mut self,
        head: Head,
        payload: Packed,
        key: Option<&RecordKey>,
    ) -> Result<Head, CopyError> {
        let at = self.position();
        self.put(&[0; Head::LEN])?;
        let stored = Stored { tail: self, hasher: Hasher::new(), len: 0 };
        let (packing, (unpacked, stored)) = match key {
            None => (Packing::Zstd, payload.write(stored)?),
            Some(key) => {
                let of = Record { seq: head.seq, kind: head.kind };
                let (unpacked, encrypted) = payload.write(Encrypt::new(stored, key, of)?)?;
                (Packing::Encrypted, (unpacked, encrypted.finish()?))
            }
        };
        let (len, hash) = (stored.len, stored.hasher.finish());
        let head = Head { packing, unpacked, stored: len, payload: hash, ..head };
        self.put_back(at, &head.encode())?;
        Ok(head)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.buffer.len() + bytes.len() > BUFFER {
            self.flush()?;
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    /// Writes what room was left for.
    fn put_back(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        let there = at.checked_sub(self.at).and_then(|from| usize::try_from(from).ok());
        match there.and_then(|from| self.buffer.get_mut(from..from + bytes.len())) {
            Some(there) => there.copy_from_slice(bytes),
            None => self.file.write_all_at(bytes, at)?,
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.write_all_at(&self.buffer, self.at)?;
        self.at += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}

/// A payload on its way to the disk.
struct Stored<'a, 'f> {
    tail: &'a mut Tail<'f>,
    hasher: Hasher,
    len: u64,
}

impl Write for Stored<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.tail.put(bytes)?;
        self.hasher.update(bytes);
        self.len += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Draft {
    /// Its head, but for what is known once the payload is written.
    fn describe(&self, brand: Brand, (seq, first): (Seq, Seq), now: Timestamp) -> Head {
        let about = match self.about {
            About::Nothing => 0,
            About::Itself => seq,
            About::Record(about) => about,
            About::OfGroup(place) => first + place as Seq,
        };
        Head {
            brand,
            kind: self.kind,
            packing: Packing::Zstd,
            seq,
            about,
            id: self.id.map(QueueId::to_key).unwrap_or_default(),
            at: now,
            summary: self.payload.summary(),
            unpacked: 0,
            stored: 0,
            payload: Hash::ZERO,
            commitment: self.commitment,
        }
    }
}

/// Bytes that reach the file together.
const BUFFER: usize = 1 << 20;
