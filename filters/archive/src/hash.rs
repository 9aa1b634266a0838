//! SHA-256 of what is stored, and the chain that binds every record to all before it.

use std::{fmt, str::FromStr};

use aws_lc_rs::digest;
use mailweir_mail::hex;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash([u8; 32]);

impl Hash {
    /// What stands for "nothing before this".
    pub const ZERO: Self = Self([0; 32]);

    /// A hash as it is stored.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The hash of bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let mut hasher = Hasher::new();
        hasher.update(bytes);
        hasher.finish()
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a hash has 64 hexadecimal digits")]
pub struct NoHash;

impl FromStr for Hash {
    type Err = NoHash;

    fn from_str(text: &str) -> Result<Self, NoHash> {
        let bytes = hex::decode(text).and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or(NoHash)
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        digits::serialize(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        digits::deserialize(deserializer).map(Self)
    }
}

/// Bytes as hexadecimal digits for people, and as they are in records.
pub(crate) mod digits {
    use std::fmt;

    use mailweir_mail::hex;
    use serde::{
        Deserialize as _, Deserializer, Serializer,
        de::{Error, Visitor},
    };

    pub(crate) fn serialize<S: Serializer, const N: usize>(
        bytes: &[u8; N],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(&hex::encode(bytes))
        } else {
            serializer.serialize_bytes(bytes)
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>, const N: usize>(
        deserializer: D,
    ) -> Result<[u8; N], D::Error> {
        if deserializer.is_human_readable() {
            let text = String::deserialize(deserializer)?;
            let bytes = hex::decode(&text).and_then(|bytes| bytes.try_into().ok());
            bytes.ok_or_else(|| D::Error::custom(format_args!("no {} hexadecimal digits", 2 * N)))
        } else {
            deserializer.deserialize_bytes(Bytes)
        }
    }

    struct Bytes<const N: usize>;

    impl<const N: usize> Visitor<'_> for Bytes<N> {
        type Value = [u8; N];

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{N} bytes")
        }

        fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<[u8; N], E> {
            bytes.try_into().map_err(|_| E::invalid_length(bytes.len(), &self))
        }
    }
}

/// Hashes bytes that come in pieces.
pub struct Hasher(digest::Context);

impl Hasher {
    /// Nothing was hashed yet.
    #[must_use]
    pub fn new() -> Self {
        Self(digest::Context::new(&digest::SHA256))
    }

    /// The next piece.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The hash of all pieces.
    #[must_use]
    pub fn finish(self) -> Hash {
        let mut hash = [0; 32];
        let digest = self.0.finish();
        hash.iter_mut().zip(digest.as_ref()).for_each(|(to, from)| *to = *from);
        Hash(hash)
    }
}

impl Default for Hasher {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hasher")
    }
}

/// Where the chain of records stands: a hash over all records so far, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chain(Hash);

impl Chain {
    /// Before the first record.
    pub const START: Self = Self(Hash::ZERO);

    /// A state of the chain as it is stored.
    #[must_use]
    pub const fn from_hash(hash: Hash) -> Self {
        Self(hash)
    }

    /// Its hash.
    #[must_use]
    pub const fn hash(self) -> Hash {
        self.0
    }

    /// The chain with one more record.
    #[must_use]
    pub fn then(self, record: Hash) -> Self {
        let mut hasher = Hasher::new();
        hasher.update(&self.0.0);
        hasher.update(&record.0);
        Self(hasher.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_sha_256_and_reads_as_it_is_written() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Hash::of(b"abc").to_string(), abc);
        assert_eq!(abc.parse(), Ok(Hash::of(b"abc")));
        for bad in ["", "ba", &abc[1..], &format!("{abc}00"), &abc.replace('f', "g")] {
            assert_eq!(bad.parse::<Hash>(), Err(NoHash), "{bad}");
        }
        let mut pieces = Hasher::new();
        pieces.update(b"a");
        pieces.update(b"bc");
        assert_eq!(pieces.finish(), Hash::of(b"abc"));
    }

    #[test]
    fn a_chain_knows_the_order_and_the_number_of_its_records() {
        let [one, two] = [Hash::of(b"1"), Hash::of(b"2")];
        let chain = Chain::START.then(one).then(two);
        assert_ne!(chain, Chain::START.then(two).then(one));
        assert_ne!(chain, Chain::START.then(one));
        assert_eq!(Chain::from_hash(chain.hash()), chain);
    }
}
