//! A model as bytes.
//!
//! All numbers have the lowest byte first: `MWBayes` and a zero; the version of this form, and that of the tokens, two bytes
//! each; mails learned ever, eight bytes; good and spam mails that count, four bytes each; how many tokens, eight bytes; for each 12 bytes:
//! tag, upper bits, good, spam, epoch; and the CRC-32 of all before.

use thiserror::Error;

use super::table::{Key, Table};
use super::{Limits, MOST_MAILS, Mails, Model};
use crate::tokens::VERSION as TOKENS_VERSION;

/// Why bytes are no model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ModelError {
    /// They do not begin as a model does.
    #[error("this is no Bayesian model")]
    Unknown,
    /// Another program wrote it, an older or a newer one.
    #[error(
        "the model has version {found}.{tokens}, this program needs {VERSION}.{TOKENS_VERSION}"
    )]
    Version {
        /// Of the form.
        found: u16,
        /// Of the tokens.
        tokens: u16,
    },
    /// It is cut, or has changed since it was written.
    #[error("the model is damaged")]
    Damaged,
}

impl Model {
    /// The model as bytes: 40, and 12 for each token.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEAD + self.table.len() * ENTRY + CHECKSUM);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&TOKENS_VERSION.to_le_bytes());
        bytes.extend_from_slice(&self.learned.to_le_bytes());
        bytes.extend_from_slice(&self.mails.ham.to_le_bytes());
        bytes.extend_from_slice(&self.mails.spam.to_le_bytes());
        bytes.extend_from_slice(&(self.table.len() as u64).to_le_bytes());
        for (key, entry) in self.table.iter() {
            let (upper, tag) = key.parts();
            bytes.extend_from_slice(&tag.to_le_bytes());
            for number in [upper, entry.counts.ham, entry.counts.spam, entry.seen] {
                bytes.extend_from_slice(&number.to_le_bytes());
            }
        }
        let checksum = crc32fast::hash(&bytes);
        bytes.extend_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// The model that was made these bytes. If it has more tokens than it may have now, the least valuable are forgotten.
    ///
    /// # Errors
    /// If they are none, of another version, or not all as they were.
    pub fn from_bytes(bytes: &[u8], limits: Limits) -> Result<Self, ModelError> {
        let mut rest = bytes.strip_prefix(MAGIC).ok_or(ModelError::Unknown)?;
        let versions = (u16::from_le_bytes(take(&mut rest)?), u16::from_le_bytes(take(&mut rest)?));
        if versions != (VERSION, TOKENS_VERSION) {
            return Err(ModelError::Version { found: versions.0, tokens: versions.1 });
        }
        let (all, mut checksum) = bytes
            .split_last_chunk::<CHECKSUM>()
            .map(|(all, end)| (all, end.as_slice()))
            .ok_or(ModelError::Damaged)?;
        if crc32fast::hash(all) != u32::from_le_bytes(take(&mut checksum)?) {
            return Err(ModelError::Damaged);
        }
        let learned = u64::from_le_bytes(take(&mut rest)?);
        let ham = u32::from_le_bytes(take(&mut rest)?);
        let spam = u32::from_le_bytes(take(&mut rest)?);
        let count = u64::from_le_bytes(take(&mut rest)?);
        let size =
            count.checked_mul(ENTRY as u64).and_then(|size| size.checked_add(CHECKSUM as u64));
        if size != Some(rest.len() as u64) || ham > MOST_MAILS || spam > MOST_MAILS {
            return Err(ModelError::Damaged);
        }
        // As many as there are bytes for.
        let table = Table::with_room(limits.tokens, rest.len() / ENTRY);
        let mails = Mails { ham, spam };
        let mut model = Self { table, mails, learned, least: limits.least_mails };
        while rest.len() >= ENTRY {
            read_entry(&mut rest, &mut model.table, model.mails)?;
        }
        Ok(model)
    }
}

fn read_entry(rest: &mut &[u8], table: &mut Table, mails: Mails) -> Result<(), ModelError> {
    let tag = u32::from_le_bytes(take(rest)?);
    let mut number = || take(rest).map(u16::from_le_bytes);
    let (upper, ham, spam, seen) = (number()?, number()?, number()?, number()?);
    // More than all mails have it only if a mail was unlearned that was never learned.
    let (ham, spam) = (most(ham, mails.ham), most(spam, mails.spam));
    if ham == 0 && spam == 0 {
        return Ok(());
    }
    if let Some(entry) = table.entry(Key::from_parts(upper, tag)) {
        (entry.counts.ham, entry.counts.spam, entry.seen) = (ham, spam, seen);
    }
    Ok(())
}

fn most(count: u16, mails: u32) -> u16 {
    count.min(u16::try_from(mails).unwrap_or(u16::MAX))
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], ModelError> {
    let (taken, later) = rest.split_first_chunk::<N>().ok_or(ModelError::Damaged)?;
    *rest = later;
    Ok(*taken)
}

const MAGIC: &[u8; 8] = b"MWBayes\0";

/// Of the form. Another one gets another number.
const VERSION: u16 = 1;

/// Bytes before the tokens.
const HEAD: usize = 36;

const ENTRY: usize = 12;

const CHECKSUM: usize = 4;
