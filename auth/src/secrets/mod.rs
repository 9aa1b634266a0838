//! What directories keep of a password, in the `{SCHEME}text` form that Dovecot, LDAP servers and
//! password files share.

pub(crate) mod argon2id;

use std::sync::Arc;

use crate::{
    Checks, Denial, DirectoryError, Mechanism, Password, ScramHash, ScramKeys,
    secrets::argon2id::StoredPassword,
};

/// What is known of one user's password: one or several secrets, each in a scheme of its own.
#[derive(Clone, Debug, Default)]
pub struct Record {
    passwords: Vec<StoredSecret>,
    keys: Vec<ScramKeys>,
}

/// A secret that a password in clear can be checked against.
#[derive(Clone, Debug)]
enum StoredSecret {
    Argon2id(Arc<StoredPassword>),
}

impl Record {
    /// Reads secrets such as `{ARGON2ID}$argon2id$...` and `{SCRAM-SHA-256}4096,salt,...`.
    ///
    /// # Errors
    /// One of them is malformed or in a scheme that is not known; what it is is not quoted.
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, UnreadableSecret> {
        let mut record = Self::default();
        for text in texts {
            let (scheme, value) = split_scheme(text).ok_or(UnreadableSecret("no {SCHEME}"))?;
            let scram = ScramHash::ALL
                .into_iter()
                .find(|&hash| Mechanism::Scram(hash).as_str().eq_ignore_ascii_case(scheme));
            match scram {
                Some(hash) => {
                    record.keys.push(ScramKeys::parse(hash, value).map_err(UnreadableSecret)?);
                }
                None if scheme.eq_ignore_ascii_case("ARGON2ID") => {
                    let stored = StoredPassword::parse(value).map_err(UnreadableSecret)?;
                    record.passwords.push(StoredSecret::Argon2id(Arc::new(stored)));
                }
                None => return Err(UnreadableSecret("the scheme is not known")),
            }
        }
        Ok(record)
    }

    /// Whether `password` is the user's: it fits one of the secrets.
    ///
    /// # Errors
    /// [`Denial::WrongPassword`], [`Denial::NoPassword`] if there is nothing to check it against,
    /// or the check cannot be made now.
    pub async fn verify(&self, password: &Password, checks: &Checks) -> Result<(), DirectoryError> {
        if self.passwords.is_empty() {
            return Err(Denial::NoPassword.into());
        }
        let mut turn = checks.turn().await?;
        for secret in &self.passwords {
            let (secret, password) = (secret.clone(), password.clone());
            let (fits, given_back) = checks.make(turn, move || secret.fits(&password)).await?;
            if fits {
                return Ok(());
            }
            turn = given_back;
        }
        Err(Denial::WrongPassword.into())
    }

    /// The keys for a SCRAM mechanism.
    ///
    /// # Errors
    /// [`Denial::NoKeys`].
    pub fn keys(&self, hash: ScramHash) -> Result<ScramKeys, DirectoryError> {
        let keys = self.keys.iter().find(|keys| keys.hash() == hash);
        keys.cloned().ok_or_else(|| Denial::NoKeys.into())
    }
}

impl StoredSecret {
    fn fits(&self, password: &Password) -> Result<bool, argon2::password_hash::Error> {
        match self {
            Self::Argon2id(stored) => stored.matches(password),
        }
    }
}

/// Why a stored secret cannot be used. Never quotes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the stored password cannot be used: {0}")]
pub struct UnreadableSecret(&'static str);

fn split_scheme(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix('{')?.split_once('}')
}
