//! SCRAM keys of nobody, so that who does not exist looks like who does (`attacks.md` C1).

use std::{fmt, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{ScramHash, ScramKeys, UserName, store::file};

/// Makes the SCRAM keys of users that have none: the same ones for a name at all times, made of a
/// secret, so that nobody can tell them from real ones. `Debug` shows no secret.
#[derive(Clone)]
pub struct Decoys([u8; 32]);

impl Decoys {
    /// The decoys of a gateway, whose random secret stands in a file of its own: `users.decoys`
    /// for a `path` that ends in `users`. Where it cannot be kept, it lasts as long as the value.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn open(path: &Path) -> Result<Self, getrandom::Error> {
        // Two processes may open a new store at once.
        let _only_writer = file::lock(path);
        let path = file::beside(path, ".decoys");
        let kept = file::read(&path);
        let known = kept.as_ref().ok().and_then(|(text, _)| STANDARD.decode(text.trim()).ok());
        if let Some(secret) = known.and_then(|bytes| bytes.try_into().ok()) {
            return Ok(Self(secret));
        }
        let mut secret = [0; 32];
        getrandom::fill(&mut secret)?;
        // One that cannot be read now may be readable later: it is not replaced.
        if kept.is_ok() {
            let _ = file::write(&path, &format!("{}\n", STANDARD.encode(secret)));
        }
        Ok(Self(secret))
    }

    /// Decoys that last as long as the value, for a look at the back ends that nobody logs in by.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn fresh() -> Result<Self, getrandom::Error> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret)?;
        Ok(Self(secret))
    }

    /// The keys for this name.
    #[must_use]
    pub fn keys(&self, hash: ScramHash, user: &UserName) -> ScramKeys {
        ScramKeys::decoy(hash, &self.0, user.as_str())
    }
}

impl fmt::Debug for Decoys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Decoys(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c1_a_decoy_is_the_same_after_a_restart_and_another_elsewhere() {
        let (here, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let keys = |home: &tempfile::TempDir, user: &str| {
            let decoys = Decoys::open(&home.path().join("users")).unwrap();
            decoys.keys(ScramHash::Sha256, &user.parse().unwrap())
        };
        let first = keys(&here, "ann");
        assert_eq!(first, keys(&here, "ann"));
        assert_ne!(first, keys(&here, "bob"));
        assert_ne!(first, keys(&elsewhere, "ann"));
    }
}
