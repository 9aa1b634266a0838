//! What binds the head of a record to the content of its mail, and tells nothing of it.
//!
//! Heads can be read by whoever reads the files, and stay when a mail is erased. A plain hash there would tell
//! everybody who has a copy of some mail that it was here. Behind a salt it tells nothing; whoever is given the
//! salt with the mail, as by an export, can see that this head is about this content. The salt is in the payload,
//! and goes with it.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::hash::{Hash, Hasher, digits};

/// Random bytes that only the payload of the record has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Salt([u8; 16]);

impl Salt {
    /// These bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// One that nobody can guess.
    ///
    /// # Errors
    /// The machine has no random numbers.
    pub fn random() -> std::io::Result<Self> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// What the head has for content with this hash.
    #[must_use]
    pub fn commit(self, content: Hash) -> Hash {
        let mut hasher = Hasher::new();
        hasher.update(&self.0);
        hasher.update(content.as_bytes());
        hasher.finish()
    }
}

impl Serialize for Salt {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        digits::serialize(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for Salt {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        digits::deserialize(deserializer).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_content_or_another_salt_is_bound_to_another_head() {
        let [one, two] = [Salt::from_bytes([1; 16]), Salt::from_bytes([2; 16])];
        let [yes, no] = [Hash::of(b"yes"), Hash::of(b"no")];
        assert_eq!(one.commit(yes), one.commit(yes));
        assert_ne!(one.commit(yes), one.commit(no));
        assert_ne!(one.commit(yes), two.commit(yes));
        assert_ne!(Salt::random().unwrap(), Salt::random().unwrap());
    }

    #[test]
    fn a_salt_is_read_as_it_was_written_and_nothing_else_is() {
        let salt = Salt::from_bytes(*b"sixteen bytes it");
        let text = serde_json::to_string(&salt).unwrap();
        assert_eq!(serde_json::from_str::<Salt>(&text).unwrap(), salt);
        for bad in ["\"\"", "\"00\"", "7", "\"0000000000000000000000000000000g\""] {
            assert!(serde_json::from_str::<Salt>(bad).is_err(), "{bad}");
        }
    }
}
