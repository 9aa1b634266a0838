//! What directories keep of a password, in the `{SCHEME}text` form that Dovecot, LDAP servers and
//! password files share.
//!
//! One module reads and checks one family of schemes; [`Record`] is all that a directory knows of
//! one user, and [`Verifier`] makes a check of nobody look like a check of somebody.

pub(crate) mod argon2id;
pub(crate) mod cram_md5;
mod crypt;
mod digest;
mod md5_crypt;
mod pbkdf2;
pub(crate) mod scheme;
#[cfg(test)]
mod tests;
pub(crate) mod verifier;

use std::{fmt, sync::Arc};

use argon2::password_hash;
use zeroize::Zeroizing;

use crate::{
    Checks, CramMd5Keys, Decoys, Denial, DirectoryError, Password, ScramHash, ScramKeys, UserName,
    secrets::{
        argon2id::StoredPassword,
        crypt::Crypt,
        digest::SaltedDigest,
        pbkdf2::Pbkdf2,
        scheme::{Digest, Encoding, Family, Salting, Scheme},
    },
};

/// What is known of one user's password: one or several secrets, each in a scheme of its own.
///
/// The secrets are wiped when the last copy is dropped, and `Debug` shows none. A record without
/// any belongs to a user who cannot log in.
#[derive(Clone, Default)]
pub struct Record {
    secrets: Vec<Arc<StoredSecret>>,
    nobody: bool,
}

/// One secret, read and found usable.
enum StoredSecret {
    Argon2(StoredPassword),
    Crypt(Crypt),
    Digest(SaltedDigest),
    Pbkdf2(Pbkdf2),
    Clear(Password),
    Scram(ScramKeys),
    CramMd5(CramMd5Keys),
}

impl Record {
    /// Reads secrets such as `{SSHA}...`, `{SCRAM-SHA-256}4096,salt,...` and `{PLAIN}...`.
    ///
    /// A text without `{SCHEME}` is in the `default` scheme, if there is one; without a default it
    /// must begin with `$`, as the hashes of crypt(3) do. An empty secret, or one of crypt that
    /// begins with `!` or `*`, locks the user: the record then has no secrets at all.
    ///
    /// # Errors
    /// One of them is malformed, too dear to check, or in a scheme that is not known; what it is
    /// is not quoted.
    pub fn parse<'a>(
        texts: impl IntoIterator<Item = &'a str>,
        default: Option<Scheme>,
    ) -> Result<Self, UnreadableSecret> {
        let mut record = Self::default();
        let mut locked = false;
        for text in texts {
            match StoredSecret::parse(text, default).map_err(UnreadableSecret)? {
                Some(secret) => record.secrets.push(Arc::new(secret)),
                None => locked = true,
            }
        }
        Ok(if locked { Self::default() } else { record })
    }

    /// Whether there is nothing that a claim could be checked against: the user is locked, or has
    /// no password.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.secrets.is_empty()
    }

    /// Whether `password` is the user's: it fits one of the secrets. Keys of SCRAM and CRAM-MD5
    /// are only looked at, and only the first, where there is nothing else.
    ///
    /// # Errors
    /// [`Denial::WrongPassword`], [`Denial::NoPassword`] if the record is empty,
    /// [`Denial::UnknownUser`] for [`Self::nobody`], or the check cannot be made now.
    pub async fn verify(&self, password: &Password, checks: &Checks) -> Result<(), DirectoryError> {
        if self.secrets.is_empty() {
            return Err(self.denial(Denial::NoPassword).into());
        }
        let mut turn = checks.turn().await?;
        for secret in self.checked() {
            let (secret, password) = (Arc::clone(secret), password.clone());
            let (fits, given_back) = checks.make(turn, move || secret.fits(&password)).await?;
            if fits && !self.nobody {
                return Ok(());
            }
            turn = given_back;
        }
        Err(self.denial(Denial::WrongPassword).into())
    }

    /// The keys of `user` for a SCRAM mechanism: those that are stored, or else made of a password
    /// in clear, with the salt that `user` has as a decoy, so that they are the same each time and
    /// look like those of nobody. Making them is slow and one of the `checks`.
    ///
    /// # Errors
    /// [`Denial::NoKeys`], [`Denial::NoPassword`] if the record is empty, [`Denial::UnknownUser`]
    /// for [`Self::nobody`], or the keys cannot be made now.
    pub async fn keys(
        &self,
        hash: ScramHash,
        user: &UserName,
        decoys: &Decoys,
        checks: &Checks,
    ) -> Result<ScramKeys, DirectoryError> {
        let keys = match (self.stored_keys(hash), self.clear()) {
            (Some(keys), _) => keys.clone(),
            (None, Some(password)) => {
                let (decoy, password) = (decoys.keys(hash, user), password.clone());
                let derive = move || {
                    let (salt, iterations) = (decoy.salt(), decoy.iterations());
                    Ok::<_, fmt::Error>(ScramKeys::derive(hash, &password, salt, iterations))
                };
                checks.make(checks.turn().await?, derive).await?.0
            }
            (None, None) if self.secrets.is_empty() => {
                return Err(self.denial(Denial::NoPassword).into());
            }
            (None, None) => return Err(self.denial(Denial::NoKeys).into()),
        };
        if self.nobody { Err(Denial::UnknownUser.into()) } else { Ok(keys) }
    }

    /// What CRAM-MD5 (RFC 2195) checks the user against: what is stored, or made of a password in
    /// clear.
    ///
    /// # Errors
    /// [`Denial::NoCramMd5Keys`], [`Denial::NoPassword`] if the record is empty, or
    /// [`Denial::UnknownUser`] for [`Self::nobody`].
    pub fn cram_md5(&self) -> Result<CramMd5Keys, Denial> {
        if self.nobody {
            return Err(Denial::UnknownUser);
        }
        if self.secrets.is_empty() {
            return Err(Denial::NoPassword);
        }
        let stored = self.secrets.iter().find_map(|secret| match &**secret {
            StoredSecret::CramMd5(keys) => Some(keys.clone()),
            _ => None,
        });
        stored.or_else(|| self.clear().map(CramMd5Keys::of)).ok_or(Denial::NoCramMd5Keys)
    }

    /// A record of nobody: nothing fits it, and checking something against it costs what checking
    /// it against this record costs, for it holds the same hashes.
    #[must_use]
    pub fn nobody(&self) -> Self {
        Self { nobody: true, ..self.clone() }
    }

    /// The record of which there are most of equal cost among those that are not empty; the first
    /// of them.
    #[must_use]
    pub fn most_common<'a>(records: impl IntoIterator<Item = &'a Self>) -> Option<&'a Self> {
        let mut counts: Vec<(Vec<Cost>, usize, &Self)> = Vec::new();
        for record in records.into_iter().filter(|record| !record.is_empty()) {
            let costs: Vec<Cost> = record.secrets.iter().map(|secret| secret.cost()).collect();
            match counts.iter().position(|(known, ..)| *known == costs) {
                Some(at) => counts[at].1 += 1,
                None if counts.len() < MAX_COSTS => counts.push((costs, 1, record)),
                None => {}
            }
        }
        let most = counts.into_iter().rev().max_by_key(|(_, count, _)| *count);
        most.map(|(.., record)| record)
    }

    /// The secrets that a password in clear is checked against.
    fn checked(&self) -> impl Iterator<Item = &Arc<StoredSecret>> {
        let has_password = self.secrets.iter().any(|secret| !secret.is_keys());
        let most = if has_password { usize::MAX } else { 1 };
        self.secrets.iter().filter(move |secret| !(has_password && secret.is_keys())).take(most)
    }

    fn stored_keys(&self, hash: ScramHash) -> Option<&ScramKeys> {
        self.secrets.iter().find_map(|secret| match &**secret {
            StoredSecret::Scram(keys) if keys.hash() == hash => Some(keys),
            _ => None,
        })
    }

    fn clear(&self) -> Option<&Password> {
        self.secrets.iter().find_map(|secret| match &**secret {
            StoredSecret::Clear(password) => Some(password),
            _ => None,
        })
    }

    const fn denial(&self, of_somebody: Denial) -> Denial {
        if self.nobody { Denial::UnknownUser } else { of_somebody }
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("secrets", &self.secrets.len())
            .field("nobody", &self.nobody)
            .finish()
    }
}

/// What decides over the time of a check. Secrets of equal cost take equally long.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cost {
    Argon2((u32, u32, u32)),
    Crypt((crypt::Id, u64)),
    Digest,
    Pbkdf2(u32),
    Clear,
    Scram(ScramHash, u32),
    CramMd5,
}

impl StoredSecret {
    /// Reads a secret; `None` if it locks the user.
    fn parse(text: &str, default: Option<Scheme>) -> Result<Option<Self>, &'static str> {
        if text.len() > MAX_BYTES {
            return Err("it is longer than 4096 bytes");
        }
        let (scheme, text) = match split_scheme(text) {
            Some((name, text)) => (name.parse().map_err(|_| "the scheme is not known")?, text),
            None => match default {
                Some(scheme) => (scheme, text),
                None if text.is_empty() || text.starts_with(['$', '!', '*']) => {
                    (Scheme::CRYPT, text)
                }
                None => return Err("it has no {SCHEME}, and there is no default scheme"),
            },
        };
        let locked = matches!(scheme.family, Family::Crypt) && text.starts_with(['!', '*']);
        if text.is_empty() || locked {
            return Ok(None);
        }
        Self::parse_as(scheme, text).map(Some)
    }

    fn parse_as(scheme: Scheme, text: &str) -> Result<Self, &'static str> {
        let encoding = scheme.encoding;
        match scheme.family {
            Family::CramMd5 => return CramMd5Keys::parse(encoding, text).map(Self::CramMd5),
            Family::Digest(digest, salting) => {
                return SaltedDigest::parse(digest, salting, encoding, text).map(Self::Digest);
            }
            Family::Md5 if !text.starts_with('$') => {
                let md5 = SaltedDigest::parse(Digest::Md5, Salting::Unsalted, encoding, text);
                return md5.map(Self::Digest);
            }
            _ => {}
        }
        let text = decode(encoding, text)?;
        match scheme.family {
            Family::Clear => clear(&text).map(Self::Clear),
            Family::Pbkdf2 => Pbkdf2::parse(&text).map(Self::Pbkdf2),
            Family::Scram(hash) => scram(hash, &text).map(Self::Scram),
            Family::Argon2 => StoredPassword::parse_any(&text).map(Self::Argon2),
            Family::Crypt if text.starts_with("$argon2") => {
                StoredPassword::parse_any(&text).map(Self::Argon2)
            }
            Family::Crypt | Family::Md5 | Family::Digest(..) | Family::CramMd5 => {
                Crypt::parse(&text).map(Self::Crypt)
            }
        }
    }

    fn fits(&self, password: &Password) -> Result<bool, password_hash::Error> {
        Ok(match self {
            Self::Argon2(stored) => stored.matches(password)?,
            Self::Crypt(stored) => stored.matches(password)?,
            Self::Digest(stored) => stored.matches(password),
            Self::Pbkdf2(stored) => stored.matches(password),
            Self::Clear(stored) => stored.is(password),
            Self::Scram(keys) => keys.matches(password),
            Self::CramMd5(keys) => keys.matches(password),
        })
    }

    const fn is_keys(&self) -> bool {
        matches!(self, Self::Scram(_) | Self::CramMd5(_))
    }

    fn cost(&self) -> Cost {
        match self {
            Self::Argon2(stored) => Cost::Argon2(stored.cost()),
            Self::Crypt(stored) => Cost::Crypt(stored.cost()),
            Self::Digest(_) => Cost::Digest,
            Self::Pbkdf2(stored) => Cost::Pbkdf2(stored.rounds()),
            Self::Clear(_) => Cost::Clear,
            Self::Scram(keys) => Cost::Scram(keys.hash(), keys.iterations()),
            Self::CramMd5(_) => Cost::CramMd5,
        }
    }
}

/// Why a stored secret cannot be used. Never quotes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the stored password cannot be used: {0}")]
pub struct UnreadableSecret(&'static str);

impl UnreadableSecret {
    /// What is wrong with it.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        self.0
    }
}

fn split_scheme(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix('{')?.split_once('}')
}

fn decode(encoding: Option<Encoding>, text: &str) -> Result<Zeroizing<String>, &'static str> {
    let Some(encoding) = encoding else { return Ok(Zeroizing::new(text.into())) };
    let bytes = encoding.decode(text).ok_or("it is not in the encoding that its scheme names")?;
    let text = std::str::from_utf8(&bytes).map_err(|_| "it is no text")?;
    Ok(Zeroizing::new(text.into()))
}

fn clear(text: &str) -> Result<Password, &'static str> {
    Password::new(text).map_err(|_| "it is too long for a password, or SASLprep forbids it")
}

fn scram(hash: ScramHash, text: &str) -> Result<ScramKeys, &'static str> {
    let keys = ScramKeys::parse(hash, text)?;
    match keys.iterations() {
        ..=pbkdf2::MAX_ROUNDS => Ok(keys),
        _ => Err("the SCRAM keys are too dear to check"),
    }
}

const MAX_BYTES: usize = 4_096;
/// Kinds of cost that are told apart.
const MAX_COSTS: usize = 64;
