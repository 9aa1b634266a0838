//! The mails that were learned, as bytes; a model follows them in the same file, so that neither is ever older than the other.
//!
//! All numbers have the lowest byte first: `MWLearn` and a zero; the version of this form, two bytes; when the first mail was
//! learned, or 0, eight bytes; how many mails, eight bytes; for each, the one that was learned first in front, 17 bytes: number,
//! time, and 0 for ham or 1 for spam; and the CRC-32 of all before. Times are microseconds since 1970.

use mailweir_mail::Timestamp;
use thiserror::Error;

use super::{Class, Learned};

/// Why bytes do not begin with mails that were learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LearnedError {
    /// They do not begin so.
    #[error("this is not what a classifier has learned")]
    Unknown,
    /// Another program wrote it, an older or a newer one.
    #[error("it has version {0}, this program needs {VERSION}")]
    Version(u16),
    /// It is cut, or has changed since it was written.
    #[error("the list of learned mails is damaged")]
    Damaged,
}

impl Learned {
    /// They as bytes: 30, and 17 for each mail.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEAD + self.len() * ENTRY + CHECKSUM);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&self.since.map_or(0, Timestamp::as_micros).to_le_bytes());
        bytes.extend_from_slice(&(self.len() as u64).to_le_bytes());
        for (mail, time, class) in self.mails.iter() {
            bytes.extend_from_slice(&mail.to_le_bytes());
            bytes.extend_from_slice(&time.as_micros().to_le_bytes());
            bytes.push(match class {
                Class::Ham => 0,
                Class::Spam => 1,
            });
        }
        let checksum = crc32fast::hash(&bytes);
        bytes.extend_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// The mails that bytes begin with, and the bytes behind them. If there are more than are remembered now, the first are
    /// forgotten.
    ///
    /// # Errors
    /// If there are none, of another version, or not all as they were.
    pub fn from_bytes(bytes: &[u8]) -> Result<(Self, &[u8]), LearnedError> {
        let mut rest = bytes.strip_prefix(MAGIC).ok_or(LearnedError::Unknown)?;
        let version = u16::from_le_bytes(take(&mut rest)?);
        if version != VERSION {
            return Err(LearnedError::Version(version));
        }
        let since = u64::from_le_bytes(take(&mut rest)?);
        let count = u64::from_le_bytes(take(&mut rest)?);
        let (all, behind) = usize::try_from(count)
            .ok()
            .and_then(|count| count.checked_mul(ENTRY)?.checked_add(HEAD))
            .and_then(|length| bytes.split_at_checked(length))
            .ok_or(LearnedError::Damaged)?;
        let (checksum, behind) =
            behind.split_first_chunk::<CHECKSUM>().ok_or(LearnedError::Damaged)?;
        if crc32fast::hash(all) != u32::from_le_bytes(*checksum) {
            return Err(LearnedError::Damaged);
        }
        let mut learned = Self::new();
        learned.since = (since > 0).then(|| Timestamp::from_micros(since));
        for _ in 0..count {
            let mail = u64::from_le_bytes(take(&mut rest)?);
            let time = Timestamp::from_micros(u64::from_le_bytes(take(&mut rest)?));
            let class = match take(&mut rest)? {
                [0] => Class::Ham,
                [1] => Class::Spam,
                [_] => return Err(LearnedError::Damaged),
            };
            learned.mails.put(mail, time, class);
        }
        Ok((learned, behind))
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], LearnedError> {
    let (taken, later) = rest.split_first_chunk::<N>().ok_or(LearnedError::Damaged)?;
    *rest = later;
    Ok(*taken)
}

const MAGIC: &[u8; 8] = b"MWLearn\0";

/// Of the form. Another one gets another number.
const VERSION: u16 = 1;

/// Bytes before the mails.
const HEAD: usize = 26;

const ENTRY: usize = 17;

const CHECKSUM: usize = 4;
