//! The third field of a user's line: `key=value` pairs, divided by `;`.
//!
//! Pairs that this version does not know are kept as they are.

use std::fmt;

use crate::{CramMd5Keys, Mechanism, ScramHash, ScramKeys};

/// The third field, or none.
#[derive(Default)]
pub(super) struct Fields {
    /// What are no keys, as it was found.
    others: Vec<Box<str>>,
    keys: Vec<ScramKeys>,
    cram_md5: Option<CramMd5Keys>,
    /// The field as it was found. `None`: it has been changed.
    found: Option<Box<str>>,
}

impl Fields {
    /// Reads the field, its leading `:` included; empty if there is none.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let mut fields = Self { found: Some(text.into()), ..Self::default() };
        let pairs = text.strip_prefix(':').into_iter().flat_map(|text| text.split(';'));
        for pair in pairs.filter(|pair| !pair.is_empty()) {
            let hash = |key| ScramHash::ALL.into_iter().find(|&hash| key_of(hash) == key);
            if let Some(text) = pair.strip_prefix(CRAM_MD5) {
                fields.cram_md5 = Some(CramMd5Keys::from_text(text)?);
                continue;
            }
            match pair.split_once('=').and_then(|(key, value)| Some((hash(key)?, value))) {
                Some((hash, value)) => fields.keys.push(ScramKeys::parse(hash, value)?),
                None => fields.others.push(pair.into()),
            }
        }
        Ok(fields)
    }

    /// The keys for this hash.
    pub(super) fn keys(&self, hash: ScramHash) -> Option<&ScramKeys> {
        self.keys.iter().find(|keys| keys.hash() == hash)
    }

    /// The keys for CRAM-MD5.
    pub(super) const fn cram_md5(&self) -> Option<&CramMd5Keys> {
        self.cram_md5.as_ref()
    }

    /// Puts these keys in the place of all there are.
    pub(super) fn set_keys(&mut self, keys: Vec<ScramKeys>, cram_md5: Option<CramMd5Keys>) {
        (self.keys, self.cram_md5) = (keys, cram_md5);
        self.found = None;
    }
}

impl fmt::Display for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(found) = &self.found {
            return f.write_str(found);
        }
        let others = self.others.iter().map(ToString::to_string);
        let keys =
            self.keys.iter().map(|keys| format!("{}={}", key_of(keys.hash()), keys.to_text()));
        let cram_md5 = self.cram_md5.iter().map(|keys| format!("{CRAM_MD5}{}", *keys.to_text()));
        let pairs: Vec<String> = others.chain(keys).chain(cram_md5).collect();
        match pairs.is_empty() {
            true => Ok(()),
            false => write!(f, ":{}", pairs.join(";")),
        }
    }
}

fn key_of(hash: ScramHash) -> String {
    Mechanism::Scram(hash).as_str().to_ascii_lowercase()
}

const CRAM_MD5: &str = "cram-md5=";
