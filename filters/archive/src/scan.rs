//! Reads a segment from its first byte to its last, whatever was done to it.
//!
//! What bears another brand than the segment is no part of it: a mail may have brought it. If the head of the
//! segment cannot be read, the mark or seal at its very end says which brand it is: behind a mail there always
//! is one. If there is none either, the first part that can be read says it.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom},
    path::Path,
};

use crate::{
    disk::Disk,
    frame::{Begins, Brand, Head, Mark, Seal, SegmentHead, Unread},
    hash::Hasher,
};

/// A part of a segment, and where it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Bytes from the beginning of the file.
    pub at: u64,
    /// What stands there.
    pub item: Item,
}

/// What stands in a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A record.
    Record {
        /// Its head.
        head: Head,
        /// Whether its payload is what was written.
        payload: Payload,
    },
    /// The mark behind a group.
    Mark(Mark),
    /// The seal.
    Seal(Seal),
    /// Bytes that are nothing, up to what can be read again, or to the end.
    Damage {
        /// How many.
        bytes: u64,
        /// What is wrong with the first of them.
        why: Unread,
    },
}

/// What of a payload is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload {
    /// What was written.
    Sound,
    /// Nothing but zeros: it was erased, or never reached the disk. Other records say which.
    Zeros,
    /// Something else.
    Changed,
    /// The file ends in it.
    Cut,
    /// It was not looked at.
    Skipped,
}

/// Whether payloads are compared with their hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// All bytes are read.
    Everywhere,
    /// Payloads are skipped.
    AtHeads,
}

/// A part whose checksum and brand are right.
enum Sound {
    Record(Head),
    Mark(Mark),
    Seal(Seal),
}

/// Reads the parts of a segment in their order.
pub struct Scan<R: Read + Seek = File> {
    file: BufReader<Disk<R>>,
    /// What its parts bear; absent: none is known yet.
    brand: Option<Brand>,
    /// Which byte the file is at.
    place: u64,
    /// Where the next part begins.
    at: u64,
    len: u64,
    look: Look,
}

impl Scan {
    /// Opens a segment. Gives its head, if it can be read, and reads what follows.
    ///
    /// # Errors
    /// The disk failed.
    pub fn open(path: &Path, look: Look) -> io::Result<(Result<SegmentHead, Unread>, Self)> {
        Self::of(File::open(path)?, look)
    }
}

impl<R: Read + Seek> Scan<R> {
    /// As [`Scan::open`] does, of a segment that is open.
    ///
    /// # Errors
    /// The disk failed.
    pub fn of(mut file: R, look: Look) -> io::Result<(Result<SegmentHead, Unread>, Self)> {
        let len = file.seek(SeekFrom::End(0))?;
        file.rewind()?;
        let file = BufReader::with_capacity(BUFFER, Disk::new(file));
        let mut scan = Self { file, brand: None, place: 0, at: 0, len, look };
        let head = match scan.bytes::<{ SegmentHead::LEN }>()? {
            Some(bytes) => SegmentHead::decode(&bytes),
            None => Err(Unread::Damaged),
        };
        match head {
            Ok(head) => scan.brand = Some(head.brand),
            Err(_) => scan.brand_of_end()?,
        }
        scan.at = len.min(SegmentHead::LEN as u64);
        Ok((head, scan))
    }

    /// Goes on at a byte where a part begins.
    #[must_use]
    pub(crate) fn starting_at(self, at: u64) -> Self {
        Self { at, ..self }
    }

    /// Bytes of the segment.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.len
    }

    /// Whether some of what was read so far cannot be read: it was taken for zeros, and may be there again.
    pub(crate) fn has_bad_blocks(&self) -> bool {
        self.file.get_ref().has_bad_blocks()
    }

    /// Bytes that were read or passed over.
    #[must_use]
    pub const fn position(&self) -> u64 {
        self.at
    }

    /// The next part; `None` at the end.
    ///
    /// # Errors
    /// The disk failed.
    pub fn next_part(&mut self) -> io::Result<Option<Part>> {
        if self.at >= self.len {
            return Ok(None);
        }
        let at = self.at;
        let item = match self.read_item()? {
            Ok((item, end)) => {
                self.at = end;
                item
            }
            Err(why) => self.pass_over(why)?,
        };
        Ok(Some(Part { at, item }))
    }

    /// What begins here, and where it ends.
    fn read_item(&mut self) -> io::Result<Result<(Item, u64), Unread>> {
        let Some(begin) = self.peek()? else { return Ok(Err(Unread::Damaged)) };
        let at = self.at;
        let part = match self.sound(begin)? {
            Ok(part) => part,
            Err(why) => return Ok(Err(why)),
        };
        Ok(Ok(match part {
            Sound::Record(head) => {
                let end = (at + Head::LEN as u64).saturating_add(head.stored);
                let payload = self.payload(&head, end)?;
                (Item::Record { head, payload }, end.min(self.len))
            }
            Sound::Mark(mark) => (Item::Mark(mark), at + Mark::LEN as u64),
            Sound::Seal(seal) => (Item::Seal(seal), at + Seal::LEN as u64),
        }))
    }

    /// What begins here and is a part of this segment.
    fn sound(&mut self, begin: Begins) -> io::Result<Result<Sound, Unread>> {
        let ours = self.brand;
        // What a newer version has written in another archive is nothing here.
        let decode = |bytes: [u8; Head::LEN]| {
            let is_ours = ours.is_none_or(|ours| ours == Brand::of_part(&bytes));
            Head::decode(&bytes).map_err(|why| if is_ours { why } else { Unread::Damaged })
        };
        let decoded = match begin {
            Begins::Record => self
                .bytes::<{ Head::LEN }>()?
                .ok_or(Unread::Damaged)
                .and_then(decode)
                .map(|head| (head.brand, Sound::Record(head))),
            Begins::Mark => self
                .bytes::<{ Mark::LEN }>()?
                .ok_or(Unread::Damaged)
                .and_then(|bytes| Mark::decode(&bytes))
                .map(|(brand, mark)| (brand, Sound::Mark(mark))),
            Begins::Seal => self
                .bytes::<{ Seal::LEN }>()?
                .ok_or(Unread::Damaged)
                .and_then(|bytes| Seal::decode(&bytes))
                .map(|(brand, seal)| (brand, Sound::Seal(seal))),
        };
        Ok(decoded.and_then(|(brand, sound)| {
            let is_ours = *self.brand.get_or_insert(brand) == brand;
            if is_ours { Ok(sound) } else { Err(Unread::Damaged) }
        }))
    }

    /// Takes the brand of the mark or seal that ends where the file ends, if there is one.
    fn brand_of_end(&mut self) -> io::Result<()> {
        for (end, bytes) in [(Begins::Seal, Seal::LEN), (Begins::Mark, Mark::LEN)] {
            let Some(at) = self.len.checked_sub(bytes as u64) else { continue };
            self.at = at;
            if self.peek()? == Some(end) && self.sound(end)?.is_ok() {
                break;
            }
        }
        self.go_to(self.len.min(SegmentHead::LEN as u64))
    }

    /// What begins at the next part, if anything.
    fn peek(&mut self) -> io::Result<Option<Begins>> {
        self.go_to(self.at)?;
        let bytes = self.bytes::<2>()?;
        self.go_to(self.at)?;
        Ok(bytes.and_then(Begins::of))
    }

    fn payload(&mut self, head: &Head, end: u64) -> io::Result<Payload> {
        if end > self.len {
            return Ok(Payload::Cut);
        }
        if self.look == Look::AtHeads {
            return Ok(Payload::Skipped);
        }
        let found = compare(head, &mut self.file)?;
        self.place = match found {
            Payload::Cut => self.len,
            Payload::Sound | Payload::Zeros | Payload::Changed | Payload::Skipped => end,
        };
        Ok(found)
    }

    /// Goes on to the next place where something sound begins.
    fn pass_over(&mut self, why: Unread) -> io::Result<Item> {
        let from = self.at;
        self.at += 1;
        while self.at < self.len {
            match self.next_candidate()? {
                Some(at) => self.at = at,
                None => {
                    self.at = self.len;
                    break;
                }
            }
            if self.is_sound_here()? {
                break;
            }
            self.at += 1;
        }
        Ok(Item::Damage { bytes: self.at - from, why })
    }

    /// The next place at which two bytes could begin something.
    fn next_candidate(&mut self) -> io::Result<Option<u64>> {
        self.go_to(self.at)?;
        let mut before = None;
        loop {
            let there = self.file.fill_buf()?;
            if there.is_empty() {
                return Ok(None);
            }
            // The first of two bytes may have been the last of the piece before.
            let across = before.and_then(|before| Begins::of([before, there[0]]));
            let within = || there.windows(2).position(|two| Begins::of([two[0], two[1]]).is_some());
            let found = match across {
                Some(_) => Some(self.place - 1),
                None => within().map(|place| self.place + place as u64),
            };
            if found.is_some() {
                return Ok(found);
            }
            before = there.last().copied();
            let most = there.len();
            self.consume(most);
        }
    }

    /// Also if a newer version has written it.
    fn is_sound_here(&mut self) -> io::Result<bool> {
        let Some(begin) = self.peek()? else { return Ok(false) };
        Ok(!matches!(self.sound(begin)?, Err(Unread::Damaged)))
    }

    /// The next bytes; `None`: there are not so many.
    fn bytes<const N: usize>(&mut self) -> io::Result<Option<[u8; N]>> {
        let mut bytes = [0; N];
        if self.len.saturating_sub(self.place) < N as u64 {
            return Ok(None);
        }
        self.file.read_exact(&mut bytes)?;
        self.place += N as u64;
        Ok(Some(bytes))
    }

    fn consume(&mut self, bytes: usize) {
        self.file.consume(bytes);
        self.place += bytes as u64;
    }

    /// Keeps what was read ahead, where it can.
    fn go_to(&mut self, at: u64) -> io::Result<()> {
        let back = || io::Error::from(io::ErrorKind::InvalidData);
        let to = i64::try_from(at).map_err(|_| back())?;
        let from = i64::try_from(self.place).map_err(|_| back())?;
        self.file.seek_relative(to - from)?;
        self.place = at;
        Ok(())
    }
}

/// What the next bytes are of the payload that a head speaks of. Reads no more than these.
///
/// # Errors
/// The disk failed.
pub(crate) fn compare(head: &Head, stored: &mut impl BufRead) -> io::Result<Payload> {
    let (mut hasher, mut zeros, mut left) = (Hasher::new(), true, head.stored);
    while left > 0 {
        let there = stored.fill_buf()?;
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(there.len());
        if most == 0 {
            return Ok(Payload::Cut);
        }
        zeros = zeros && there[..most].iter().all(|byte| *byte == 0);
        hasher.update(&there[..most]);
        stored.consume(most);
        left -= most as u64;
    }
    Ok(match (hasher.finish() == head.payload, zeros) {
        (true, _) => Payload::Sound,
        (false, true) => Payload::Zeros,
        (false, false) => Payload::Changed,
    })
}

const BUFFER: usize = 256 * 1024;
