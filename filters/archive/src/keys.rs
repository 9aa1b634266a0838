//! Keys: those of the key file, and one for each record, wrapped by them.
//!
//! The key of a record lies apart from the record (`slots`), so that it can be destroyed: then nobody reads
//! the payload any more, not even in a copy of the segment.

mod slots;

use std::{fmt, sync::Arc};

use chacha20poly1305::{AeadInOut as _, KeyInit as _, Tag, XChaCha20Poly1305, XNonce};
use mailweir_mail::hex;
use zeroize::Zeroizing;

pub(crate) use self::slots::{Slot, Slots, Wrapper, are_there, destroy, latest, remove, trim};
use crate::{frame::Seq, hash::Hash};

/// Whether what is written is encrypted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Encryption {
    /// It is not, and never was.
    #[default]
    Never,
    /// Not any more; what was encrypted can be read with these keys.
    NoLonger(MasterKeys),
    /// It is. The first of the keys wraps those of new records.
    On(MasterKeys),
}

impl Encryption {
    /// What encrypted records are read with.
    #[must_use]
    pub const fn keys(&self) -> Option<&MasterKeys> {
        match self {
            Self::Never => None,
            Self::NoLonger(keys) | Self::On(keys) => Some(keys),
        }
    }
}

/// The keys of a key file. They wrap the keys of records.
#[derive(Clone)]
pub struct MasterKeys(Arc<[Master]>);

struct Master {
    id: KeyId,
    cipher: XChaCha20Poly1305,
}

/// The name of a key: the first bytes of its SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; 8]);

/// Text that is no key file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFileError {
    /// It has no key.
    #[error("it has no key; `openssl rand -hex 32` makes one")]
    Empty,
    /// A line is no key. What stands there is not shown.
    #[error(
        "line {line} is no key: a key is 64 hexadecimal digits; `openssl rand -hex 32` makes one"
    )]
    NoKey {
        /// Its number, from 1.
        line: usize,
    },
}

impl MasterKeys {
    /// Reads a key file: a key on each line, as 64 hexadecimal digits. Empty lines and those that begin with `#`
    /// mean nothing. The first key wraps the keys of new records; all are tried for reading.
    ///
    /// # Errors
    /// [`KeyFileError`].
    pub fn parse(text: &str) -> Result<Self, KeyFileError> {
        let mut keys = Vec::new();
        for (line, text) in (1..).zip(text.lines().map(str::trim)) {
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            let bytes = hex::decode(text).map(Zeroizing::new);
            let key = bytes.as_ref().and_then(|bytes| <&[u8; 32]>::try_from(bytes.as_slice()).ok());
            keys.push(Master::new(key.ok_or(KeyFileError::NoKey { line })?));
        }
        if keys.is_empty() { Err(KeyFileError::Empty) } else { Ok(Self(keys.into())) }
    }

    /// Whether the keys of records that this key has wrapped can be read.
    #[must_use]
    pub fn has(&self, id: KeyId) -> bool {
        self.0.iter().any(|master| master.id == id)
    }

    /// The key that wraps those of new records.
    fn first(&self) -> Option<&Master> {
        self.0.first()
    }

    /// The key of a record, as it was before it was wrapped. `None`: none of these keys has wrapped it for this
    /// record.
    pub(crate) fn unwrap(&self, wrapped: &Wrapped, of: Wrapping) -> Option<RecordKey> {
        self.0.iter().find_map(|master| master.unwrap(wrapped, of))
    }
}

/// The same keys in the same order have the same names.
impl PartialEq for MasterKeys {
    fn eq(&self, other: &Self) -> bool {
        let names = |keys: &Self| keys.0.iter().map(|master| master.id).collect::<Vec<_>>();
        names(self) == names(other)
    }
}

impl Eq for MasterKeys {}

impl fmt::Debug for MasterKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|master| master.id)).finish()
    }
}

/// The record whose key is wrapped.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wrapping {
    pub(crate) segment: u64,
    pub(crate) seq: Seq,
}

impl Wrapping {
    fn to_bytes(self) -> [u8; 16] {
        (u128::from(self.segment) | u128::from(self.seq) << 64).to_le_bytes()
    }
}

/// A nonce, a key of a record that is encrypted, and its tag.
pub(crate) type Wrapped = [u8; NONCE + KEY + TAG];

impl Master {
    fn new(key: &[u8; KEY]) -> Self {
        let [a, b, c, d, e, f, g, h, ..] = *Hash::of(key).as_bytes();
        Self { id: KeyId([a, b, c, d, e, f, g, h]), cipher: XChaCha20Poly1305::new(key.into()) }
    }

    /// `nonce` is never given twice.
    fn wrap(&self, key: &RecordKey, nonce: [u8; NONCE], of: Wrapping) -> Option<Wrapped> {
        let mut wrapped = [0; NONCE + KEY + TAG];
        let (to, rest) = wrapped.split_first_chunk_mut::<NONCE>()?;
        *to = nonce;
        let (text, tag) = rest.split_first_chunk_mut::<KEY>()?;
        *text = *key.bytes();
        let made = self.cipher.encrypt_inout_detached(
            &XNonce::from(nonce),
            &of.to_bytes(),
            text.as_mut_slice().into(),
        );
        tag.copy_from_slice(&made.ok()?);
        Some(wrapped)
    }

    fn unwrap(&self, wrapped: &Wrapped, of: Wrapping) -> Option<RecordKey> {
        let (nonce, rest) = wrapped.split_first_chunk::<NONCE>()?;
        let (text, tag) = rest.split_first_chunk::<KEY>()?;
        let (mut key, tag) = (RecordKey::new(*text), Tag::try_from(tag).ok()?);
        let opened = self.cipher.decrypt_inout_detached(
            &XNonce::from(*nonce),
            &of.to_bytes(),
            key.0.as_mut_slice().into(),
            &tag,
        );
        opened.ok().map(|()| key)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The key of a record. Leaves no copy in memory.
#[derive(Clone)]
pub(crate) struct RecordKey(Zeroizing<[u8; KEY]>);

impl RecordKey {
    pub(crate) fn new(key: [u8; KEY]) -> Self {
        Self(Zeroizing::new(key))
    }

    pub(crate) fn bytes(&self) -> &[u8; KEY] {
        &self.0
    }
}

const KEY: usize = 32;
const NONCE: usize = 24;
const TAG: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_has_keys_and_says_which_line_is_none() {
        let [one, two] = ["11".repeat(32), "aB".repeat(32)];
        let keys = MasterKeys::parse(&format!("# of 2026\n{one}\n\n {two}\r\n")).unwrap();
        assert_eq!(keys.0.len(), 2);
        let id = Hash::of(&[0x11; 32]).to_string()[..16].to_owned();
        assert_eq!(keys.first().unwrap().id.to_string(), id);
        assert_eq!(format!("{keys:?}"), format!("[{id}, {}]", keys.0[1].id), "no key is shown");
        assert_eq!(MasterKeys::parse("\n# none\n").unwrap_err(), KeyFileError::Empty);
        for bad in [&one[1..], &format!("{one}00"), &one.replace('1', "g"), "secret"] {
            let text = format!("{two}\n{bad}\n");
            assert_eq!(MasterKeys::parse(&text).unwrap_err(), KeyFileError::NoKey { line: 2 });
        }
    }

    #[test]
    fn a_wrapped_key_opens_for_its_record_by_whichever_key_has_wrapped_it() {
        let [one, two] = [["11".repeat(32)], ["22".repeat(32)]].map(|it| it.concat());
        let (first, second) = (MasterKeys::parse(&one).unwrap(), MasterKeys::parse(&two).unwrap());
        let both = MasterKeys::parse(&format!("{two}\n{one}")).unwrap();
        let of = Wrapping { segment: 3, seq: 9 };
        let key = RecordKey::new([5; KEY]);
        let wrapped = first.first().unwrap().wrap(&key, [7; NONCE], of).unwrap();
        for keys in [&first, &both] {
            assert_eq!(keys.unwrap(&wrapped, of).unwrap().bytes(), key.bytes());
        }
        assert!(second.unwrap(&wrapped, of).is_none());
        for other in [Wrapping { segment: 4, ..of }, Wrapping { seq: 10, ..of }] {
            assert!(both.unwrap(&wrapped, other).is_none(), "{other:?}");
        }
        for bit in 0..8 * wrapped.len() {
            let mut flipped = wrapped;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(both.unwrap(&flipped, of).is_none(), "bit {bit}");
        }
    }
}
