//! The number that a token is known by, in every model that is on a disk.
//!
//! FNV-1a of 64 bits over the number of the kind and the bytes of the text, stirred by the last step of MurmurHash3. It has
//! no key, since it must be the same tomorrow and in another process; who makes two words collide has gained no more
//! than by writing the other word. Tables that find tokens by it bound how long they look. A change of anything here, of
//! `Kind`, or of how words are made is a new [`VERSION`].

/// Of tokens and their hashes. What was learned under one version means nothing under another.
pub const VERSION: u16 = 1;

/// Of a text that comes in parts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hash(u64);

impl Hash {
    /// Of a text of the kind with this number, of which nothing came yet.
    pub(super) const fn of(kind: u8) -> Self {
        Self(step(OFFSET, kind))
    }

    /// With the part that comes next.
    pub(super) fn with(self, part: &str) -> Self {
        let (fours, rest) = part.as_bytes().as_chunks::<4>();
        let four = |hash, &[a, b, c, d]: &[u8; 4]| step(step(step(step(hash, a), b), c), d);
        let hash = fours.iter().fold(self.0, four);
        Self(rest.iter().fold(hash, |hash, &byte| step(hash, byte)))
    }

    /// Of all that came.
    pub(super) const fn finish(self) -> u64 {
        stir(self.0)
    }
}

/// Of two tokens, the second behind the first.
pub(super) const fn pair(first: u64, second: u64) -> u64 {
    stir(first.rotate_left(21).wrapping_add(second.wrapping_mul(PRIME)))
}

/// The last step of MurmurHash3: each bit of the result depends on all bits.
pub(super) const fn stir(hash: u64) -> u64 {
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

const fn step(hash: u64, byte: u8) -> u64 {
    (hash ^ byte as u64).wrapping_mul(PRIME)
}

const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0100_0000_01b3;
