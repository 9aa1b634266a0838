//! What stands in a segment: its head, records, the marks behind groups, and the seal at its end. Pure.
//!
//! Everything has a fixed length but the payload of a record, and a checksum of its own, so that a
//! reader finds its way again behind damage. All parts of a segment bear its brand, so that nothing
//! that a mail brings is taken for one of them. What is chained is the head of a record; the head has
//! the hash of the payload. So a payload can be erased, and the chain stays whole.

use mailweir_mail::{QueueId, Timestamp};

use crate::{
    hash::{Chain, Hash},
    merkle,
};

/// The number of a record in the archive, from 1, without gaps.
pub type Seq = u64;

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Kind {
    /// A mail as it was accepted.
    Capture = 1,
    /// What became of a mail, or the next that became of it.
    Outcome = 2,
    /// The payload of another record was erased.
    Erased = 3,
    /// A legal hold begins.
    Hold = 4,
    /// A legal hold ends.
    Lifted = 5,
    /// Somebody searched, looked or exported.
    Access = 6,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 6] =
        [Self::Capture, Self::Outcome, Self::Erased, Self::Hold, Self::Lifted, Self::Access];

    const fn to_byte(self) -> u8 {
        self as u8
    }

    pub(crate) fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.to_byte() == byte)
    }

    /// The word for reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Capture => "capture",
            Self::Outcome => "outcome",
            Self::Erased => "erased",
            Self::Hold => "hold",
            Self::Lifted => "lifted",
            Self::Access => "access",
        }
    }
}

/// How a payload is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Packing {
    /// Compressed (RFC 8878).
    Zstd = 1,
    /// Compressed, then encrypted with a key of its own.
    Encrypted = 2,
}

impl Packing {
    fn from_byte(byte: u8) -> Option<Self> {
        [Self::Zstd, Self::Encrypted].into_iter().find(|packing| *packing as u8 == byte)
    }
}

/// What all parts of a segment bear, and nobody outside knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Brand([u8; 8]);

impl Brand {
    /// These bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    /// That of a part, by its bytes.
    pub(crate) fn of_part(part: &[u8]) -> Self {
        Self(In(part.get(RECORD.len()..).unwrap_or_default()).bytes())
    }

    /// One that nobody can guess.
    pub(crate) fn random() -> std::io::Result<Self> {
        let mut bytes = [0; 8];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }
}

/// The head of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The brand of its segment.
    pub brand: Brand,
    /// What it is.
    pub kind: Kind,
    /// How its payload is stored.
    pub packing: Packing,
    /// Its number.
    pub seq: Seq,
    /// The record that it is about: of a capture, itself; 0: none.
    pub about: Seq,
    /// The mail that it is about, as [`QueueId::to_key`] has it; zeros: none.
    pub id: [u8; 12],
    /// When it was written.
    pub at: Timestamp,
    /// Bytes of the unpacked payload that come before the content.
    pub summary: u32,
    /// Bytes of the whole payload, unpacked.
    pub unpacked: u64,
    /// Bytes of the payload as it is stored.
    pub stored: u64,
    /// The hash of the payload as it is stored.
    pub payload: Hash,
    /// Of a capture, what binds it to the content ([`crate::commit`]); of others, zeros.
    pub commitment: Hash,
}

impl Head {
    /// Bytes of a head.
    pub const LEN: usize = PART + 1 + 1 + 4 + 8 + 8 + 8 + 8 + 8 + 12 + 32 + 32 + CHECKSUM;

    /// As it is stored.
    #[must_use]
    pub fn encode(&self) -> [u8; Self::LEN] {
        let mut out = Out::<{ Self::LEN }>::part(RECORD, self.brand);
        out.put(&[self.kind.to_byte(), self.packing as u8]);
        out.put(&self.summary.to_le_bytes());
        for number in [self.unpacked, self.stored, self.seq, self.about, self.at.as_micros()] {
            out.put(&number.to_le_bytes());
        }
        out.put(&self.id);
        out.put(self.payload.as_bytes());
        out.put(self.commitment.as_bytes());
        out.finish()
    }

    /// Reads what [`Self::encode`] wrote.
    ///
    /// # Errors
    /// It is damaged, or a newer version wrote it.
    pub fn decode(bytes: &[u8; Self::LEN]) -> Result<Self, Unread> {
        let (brand, mut input) = In::part(bytes, RECORD)?;
        let [kind, packing] = input.bytes::<2>();
        Ok(Self {
            brand,
            kind: Kind::from_byte(kind).ok_or(Unread::Newer)?,
            packing: Packing::from_byte(packing).ok_or(Unread::Newer)?,
            summary: u32::from_le_bytes(input.bytes()),
            unpacked: input.number(),
            stored: input.number(),
            seq: input.number(),
            about: input.number(),
            at: Timestamp::from_micros(input.number()),
            id: input.bytes(),
            payload: Hash::from_bytes(input.bytes()),
            commitment: Hash::from_bytes(input.bytes()),
        })
    }

    /// The mail that it is about, if it is about one.
    #[must_use]
    pub fn queue_id(&self) -> Option<QueueId> {
        mail_of(self.id)
    }

    /// What chain and tree have of the record.
    #[must_use]
    pub fn leaf(&self) -> Hash {
        merkle::leaf(&self.encode())
    }
}

/// The mail of a key as heads and the catalogue have it; zeros are none.
pub(crate) fn mail_of(id: [u8; 12]) -> Option<QueueId> {
    QueueId::from_key(&id).filter(|_| id != [0; 12])
}

/// The head of a segment: where it goes on from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentHead {
    /// What all parts of it bear.
    pub brand: Brand,
    /// Its number, from 1.
    pub number: u64,
    /// The number of its first record.
    pub first: Seq,
    /// The chain before it.
    pub chain: Chain,
    /// The root of the segment before it; of the first, and behind a segment that was never sealed, zeros.
    pub root_before: Hash,
    /// When it was begun.
    pub at: Timestamp,
}

impl SegmentHead {
    /// Bytes of a head.
    pub const LEN: usize = 8 + 8 + 8 + 8 + 32 + 32 + 8 + CHECKSUM;

    /// As it is stored.
    #[must_use]
    pub fn encode(&self) -> [u8; Self::LEN] {
        let mut out = Out::<{ Self::LEN }>::file(SEGMENT);
        out.put(&self.brand.0);
        out.put(&self.number.to_le_bytes());
        out.put(&self.first.to_le_bytes());
        out.put(self.chain.hash().as_bytes());
        out.put(self.root_before.as_bytes());
        out.put(&self.at.as_micros().to_le_bytes());
        out.finish()
    }

    /// Reads what [`Self::encode`] wrote.
    ///
    /// # Errors
    /// It is damaged, or a newer version wrote it.
    pub fn decode(bytes: &[u8; Self::LEN]) -> Result<Self, Unread> {
        let mut input = In::file(bytes, SEGMENT)?;
        Ok(Self {
            brand: Brand(input.bytes()),
            number: input.number(),
            first: input.number(),
            chain: Chain::from_hash(Hash::from_bytes(input.bytes())),
            root_before: Hash::from_bytes(input.bytes()),
            at: Timestamp::from_micros(input.number()),
        })
    }
}

/// The mark behind a group of records: what stands before it was written as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The number of the next record.
    pub next: Seq,
    /// The chain up to here.
    pub chain: Chain,
}

impl Mark {
    /// Bytes of a mark.
    pub const LEN: usize = PART + 8 + 32 + CHECKSUM;

    /// As it is stored.
    #[must_use]
    pub fn encode(&self, brand: Brand) -> [u8; Self::LEN] {
        let mut out = Out::<{ Self::LEN }>::part(MARK, brand);
        out.put(&self.next.to_le_bytes());
        out.put(self.chain.hash().as_bytes());
        out.finish()
    }

    /// Reads what [`Self::encode`] wrote.
    ///
    /// # Errors
    /// It is damaged.
    pub fn decode(bytes: &[u8; Self::LEN]) -> Result<(Brand, Self), Unread> {
        let (brand, mut input) = In::part(bytes, MARK)?;
        let next = input.number();
        Ok((brand, Self { next, chain: Chain::from_hash(Hash::from_bytes(input.bytes())) }))
    }
}

/// The seal at the end of a segment. Nothing is written behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seal {
    /// How many records the segment has.
    pub records: u64,
    /// The root of the tree of all of them.
    pub root: Hash,
    /// The chain at its end.
    pub chain: Chain,
    /// When it was sealed.
    pub at: Timestamp,
}

impl Seal {
    /// Bytes of a seal.
    pub const LEN: usize = PART + 8 + 32 + 32 + 8 + CHECKSUM;

    /// As it is stored.
    #[must_use]
    pub fn encode(&self, brand: Brand) -> [u8; Self::LEN] {
        let mut out = Out::<{ Self::LEN }>::part(SEAL, brand);
        out.put(&self.records.to_le_bytes());
        out.put(self.root.as_bytes());
        out.put(self.chain.hash().as_bytes());
        out.put(&self.at.as_micros().to_le_bytes());
        out.finish()
    }

    /// Reads what [`Self::encode`] wrote.
    ///
    /// # Errors
    /// It is damaged.
    pub fn decode(bytes: &[u8; Self::LEN]) -> Result<(Brand, Self), Unread> {
        let (brand, mut input) = In::part(bytes, SEAL)?;
        let seal = Self {
            records: input.number(),
            root: Hash::from_bytes(input.bytes()),
            chain: Chain::from_hash(Hash::from_bytes(input.bytes())),
            at: Timestamp::from_micros(input.number()),
        };
        Ok((brand, seal))
    }
}

/// The head of the file with the keys of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeysHead {
    /// The number of the segment.
    pub(crate) segment: u64,
    /// The number of its first record.
    pub(crate) first: Seq,
    /// The name of the key that has wrapped them.
    pub(crate) master: [u8; 8],
}

impl KeysHead {
    /// Bytes of a head.
    pub(crate) const LEN: usize = 8 + 8 + 8 + 8 + CHECKSUM;

    /// As it is stored.
    pub(crate) fn encode(&self) -> [u8; Self::LEN] {
        let mut out = Out::<{ Self::LEN }>::file(KEYS);
        out.put(&self.segment.to_le_bytes());
        out.put(&self.first.to_le_bytes());
        out.put(&self.master);
        out.finish()
    }

    /// Reads what [`Self::encode`] wrote.
    pub(crate) fn decode(bytes: &[u8; Self::LEN]) -> Result<Self, Unread> {
        let mut input = In::file(bytes, KEYS)?;
        Ok(Self { segment: input.number(), first: input.number(), master: input.bytes() })
    }
}

/// What begins at some place of a segment, by its first two bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begins {
    /// A record.
    Record,
    /// A mark.
    Mark,
    /// A seal.
    Seal,
}

impl Begins {
    /// What these bytes begin, if anything.
    #[must_use]
    pub fn of(bytes: [u8; 2]) -> Option<Self> {
        match &bytes {
            RECORD => Some(Self::Record),
            MARK => Some(Self::Mark),
            SEAL => Some(Self::Seal),
            _ => None,
        }
    }
}

/// Bytes that are not what they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    /// They are not what was written.
    #[error("it is damaged")]
    Damaged,
    /// They are sound, and this program does not know what they mean.
    #[error("a newer version of Mailweir has written it")]
    Newer,
}

/// Bytes that are put together.
struct Out<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Out<N> {
    fn new(magic: &[u8]) -> Self {
        let mut out = Self { bytes: [0; N], len: 0 };
        out.put(magic);
        out
    }

    fn file(letters: &[u8]) -> Self {
        let mut out = Self::new(letters);
        out.put(&FORMAT);
        out
    }

    fn part(magic: &[u8], brand: Brand) -> Self {
        let mut out = Self::new(magic);
        out.put(&brand.0);
        out
    }

    fn put(&mut self, bytes: &[u8]) {
        let room = self.bytes.iter_mut().skip(self.len);
        room.zip(bytes).for_each(|(to, from)| *to = *from);
        self.len += bytes.len();
    }

    /// With the checksum of all before it.
    fn finish(mut self) -> [u8; N] {
        debug_assert_eq!(self.len + CHECKSUM, N, "every field has its place");
        let checksum = crc32fast::hash(&self.bytes[..self.len]);
        self.put(&checksum.to_le_bytes());
        self.bytes
    }
}

/// Bytes whose checksum is right.
struct In<'a>(&'a [u8]);

impl<'a> In<'a> {
    fn open(bytes: &'a [u8], magic: &[u8]) -> Result<Self, Unread> {
        let (fields, checksum) = bytes.split_last_chunk::<CHECKSUM>().ok_or(Unread::Damaged)?;
        let is_sound = crc32fast::hash(fields).to_le_bytes() == *checksum;
        let fields = fields.strip_prefix(magic).filter(|_| is_sound);
        fields.map(Self).ok_or(Unread::Damaged)
    }

    /// In every format the head of a file has as many bytes, its letters, and its checksum at the end.
    fn file(bytes: &'a [u8], letters: &[u8]) -> Result<Self, Unread> {
        let mut input = Self::open(bytes, letters)?;
        if input.bytes() == FORMAT { Ok(input) } else { Err(Unread::Newer) }
    }

    fn part(bytes: &'a [u8], magic: &[u8]) -> Result<(Brand, Self), Unread> {
        let mut input = Self::open(bytes, magic)?;
        Ok((Brand(input.bytes()), input))
    }

    /// The next bytes; behind the end, zeros.
    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let Some((bytes, rest)) = self.0.split_first_chunk::<N>() else { return [0; N] };
        self.0 = rest;
        *bytes
    }

    fn number(&mut self) -> u64 {
        u64::from_le_bytes(self.bytes())
    }
}

const RECORD: &[u8; 2] = b"MR";
const MARK: &[u8; 2] = b"MM";
const SEAL: &[u8; 2] = b"MS";
const SEGMENT: &[u8; 6] = b"MWARCH";
const KEYS: &[u8; 6] = b"MWKEYS";
/// Behind these letters.
const FORMAT: [u8; 2] = [0, 1];
const CHECKSUM: usize = 4;
/// What every part begins with: two letters and the brand.
const PART: usize = 2 + 8;

#[cfg(test)]
mod tests {
    use super::*;

    fn head() -> Head {
        Head {
            brand: BRAND,
            kind: Kind::Outcome,
            packing: Packing::Zstd,
            seq: 12,
            about: 7,
            id: *b"twelve bytes",
            at: Timestamp::from_secs(1_795_210_205),
            summary: 300,
            unpacked: 4_000,
            stored: 1_000,
            payload: Hash::of(b"payload"),
            commitment: Hash::of(b"commitment"),
        }
    }

    const BRAND: Brand = Brand(*b"branded!");

    #[test]
    fn what_is_written_is_read() {
        let at = Timestamp::from_secs(1_795_210_205);
        let chain = Chain::START.then(Hash::of(b"x"));
        assert_eq!(Head::decode(&head().encode()), Ok(head()));
        let segment = SegmentHead {
            brand: BRAND,
            number: 3,
            first: 9,
            chain,
            root_before: Hash::of(b"r"),
            at,
        };
        assert_eq!(SegmentHead::decode(&segment.encode()), Ok(segment));
        let mark = Mark { next: 13, chain };
        assert_eq!(Mark::decode(&mark.encode(BRAND)), Ok((BRAND, mark)));
        let seal = Seal { records: 4, root: Hash::of(b"r"), chain, at };
        assert_eq!(Seal::decode(&seal.encode(BRAND)), Ok((BRAND, seal)));
        for kind in Kind::ALL {
            let head = Head { kind, packing: Packing::Encrypted, ..head() };
            assert_eq!(Head::decode(&head.encode()), Ok(head));
        }
    }

    #[test]
    fn a_record_about_no_mail_has_no_name_of_one() {
        let id = QueueId::new(Timestamp::from_secs(1_795_210_205), 7);
        assert_eq!(Head { id: id.to_key(), ..head() }.queue_id(), Some(id));
        assert_eq!(Head { id: [0; 12], ..head() }.queue_id(), None);
    }

    #[test]
    fn every_flipped_bit_is_found() {
        let sound = head().encode();
        for bit in 0..8 * sound.len() {
            let mut flipped = sound;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Head::decode(&flipped), Err(Unread::Damaged), "bit {bit}");
        }
    }

    #[test]
    fn what_is_sound_and_unknown_is_of_a_newer_version() {
        let mut newer = head().encode();
        newer[PART] = 200;
        let end = Head::LEN - CHECKSUM;
        let checksum = crc32fast::hash(&newer[..end]).to_le_bytes();
        newer[end..].copy_from_slice(&checksum);
        assert_eq!(Head::decode(&newer), Err(Unread::Newer));
    }

    #[test]
    fn a_file_of_another_format_is_of_a_newer_version_if_its_checksum_is_right() {
        let chain = Chain::START;
        let (at, root_before) = (Timestamp::from_secs(0), Hash::ZERO);
        let head = SegmentHead { brand: BRAND, number: 3, first: 9, chain, root_before, at };
        let keys = KeysHead { segment: 3, first: 9, master: [7; 8] };
        let (mut segment, mut keys) = (head.encode(), keys.encode());
        segment[7] = 2;
        keys[7] = 2;
        assert_eq!(SegmentHead::decode(&segment), Err(Unread::Damaged));
        assert_eq!(KeysHead::decode(&keys), Err(Unread::Damaged));
        sum(&mut segment);
        sum(&mut keys);
        assert_eq!(SegmentHead::decode(&segment), Err(Unread::Newer));
        assert_eq!(KeysHead::decode(&keys), Err(Unread::Newer));
        segment[0] = b'X';
        sum(&mut segment);
        assert_eq!(SegmentHead::decode(&segment), Err(Unread::Damaged), "it is no segment");
    }

    fn sum(bytes: &mut [u8]) {
        let (fields, checksum) = bytes.split_last_chunk_mut::<CHECKSUM>().unwrap();
        *checksum = crc32fast::hash(fields).to_le_bytes();
    }

    #[test]
    fn each_begins_in_its_own_way() {
        let begins = |bytes: &[u8]| Begins::of([bytes[0], bytes[1]]);
        assert_eq!(begins(&head().encode()), Some(Begins::Record));
        let chain = Chain::START;
        assert_eq!(begins(&Mark { next: 1, chain }.encode(BRAND)), Some(Begins::Mark));
        let seal = Seal { records: 0, root: Hash::ZERO, chain, at: Timestamp::from_secs(0) };
        assert_eq!(begins(&seal.encode(BRAND)), Some(Begins::Seal));
        assert_eq!(Begins::of(*b"xx"), None);
    }
}
