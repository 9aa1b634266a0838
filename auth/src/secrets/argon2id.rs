//! What is kept instead of a password: an argon2id hash (RFC 9106) in the PHC string format.
//! Directories of others may hold argon2i too.
//!
//! Hashing and checking cost tens of milliseconds and megabytes on purpose; callers run them
//! through [`Checks`](crate::Checks), never on an async thread.

use std::fmt;

use argon2::{
    Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version,
    password_hash::{
        self,
        phc::{Output, PasswordHash, Salt},
    },
};
use zeroize::Zeroizing;

use crate::{CramMd5Keys, Password, PasswordError};

/// What one hash costs. The default is OWASP's first choice for argon2id: 19 MiB, 2 passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashCost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
}

impl Default for HashCost {
    fn default() -> Self {
        Self { memory_kib: Params::DEFAULT_M_COST, passes: Params::DEFAULT_T_COST }
    }
}

impl HashCost {
    fn hasher(self) -> Result<Argon2<'static>, password_hash::Error> {
        let params = Params::new(self.memory_kib, self.passes, ONE_LANE, None)?;
        Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
    }
}

/// A password that somebody wants to have from now on: long enough to be stored.
#[derive(Clone, Debug)]
pub struct NewPassword {
    password: Password,
    is_for_cram_md5: bool,
}

impl NewPassword {
    /// The fewest characters of a new password.
    pub const MIN_CHARS: usize = 8;

    /// Checks a new password as it was typed.
    ///
    /// # Errors
    /// [`NewPasswordError`] tells the person who typed it what to change.
    pub fn new(text: &str) -> Result<Self, NewPasswordError> {
        let password = Password::new(text)?;
        match password.reveal().chars().count() {
            0..Self::MIN_CHARS => Err(NewPasswordError::TooShort),
            _ => Ok(Self { password, is_for_cram_md5: false }),
        }
    }

    /// The same password, to be kept for CRAM-MD5 (RFC 2195) too, for clients that know nothing
    /// better. Who reads what is kept for it can log in by CRAM-MD5, and can try passwords against
    /// it at the speed of MD5.
    #[must_use]
    pub fn kept_for_cram_md5(self) -> Self {
        Self { is_for_cram_md5: true, ..self }
    }

    pub(crate) const fn password(&self) -> &Password {
        &self.password
    }

    /// What is to be kept for CRAM-MD5, if anything is.
    pub(crate) fn cram_md5(&self) -> Option<CramMd5Keys> {
        self.is_for_cram_md5.then(|| CramMd5Keys::of(&self.password))
    }
}

/// Why a new password is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NewPasswordError {
    /// Under [`NewPassword::MIN_CHARS`].
    #[error("the password is too short: it needs at least 8 characters")]
    TooShort,
    /// No client could log in with it.
    #[error(transparent)]
    Unusable(#[from] PasswordError),
}

/// An argon2 hash, read and found usable. `Display` is not offered: it goes to one file only.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct StoredPassword {
    /// The PHC string. Read anew for each check, for the parts of it could not be wiped.
    text: Zeroizing<Box<str>>,
    cost: (u32, u32, u32),
}

impl fmt::Debug for StoredPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoredPassword(hidden)")
    }
}

impl StoredPassword {
    /// Hashes a new password with a fresh random salt.
    pub(crate) fn of(new: &NewPassword, cost: HashCost) -> Result<Self, password_hash::Error> {
        let hash: PasswordHash = cost.hasher()?.hash_password(new.password.reveal().as_bytes())?;
        Self::from_hash(&hash)
    }

    /// A hash of nothing: random salt, random output, so that no password matches it.
    ///
    /// Checking a password against it costs what checking one against a real hash costs.
    pub(crate) fn decoy(cost: HashCost) -> Result<Self, password_hash::Error> {
        let mut random = [0; DECOY_SALT + DECOY_OUTPUT];
        getrandom::fill(&mut random).map_err(|_| password_hash::Error::Crypto)?;
        let (salt, output) = random.split_at(DECOY_SALT);
        Self::from_hash(&PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: cost.hasher()?.params().try_into()?,
            salt: Some(Salt::new(salt)?),
            hash: Some(Output::new(output)?),
        })
    }

    /// Reads the PHC string of an argon2id hash.
    ///
    /// A hash that would cost more than [`MAX_MEMORY_KIB`] or [`MAX_PASSES`] is refused: one such
    /// line would let anybody who knows the name stop the machine.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let hash = PasswordHash::new(text).map_err(|_| "the password hash is malformed")?;
        match hash.algorithm == Algorithm::Argon2id.ident() {
            true => Self::usable(text, &hash),
            false => Err("the password hash is not argon2id"),
        }
    }

    /// As [`Self::parse`], but argon2i is taken too, as Dovecot's `{ARGON2I}` is.
    pub(crate) fn parse_any(text: &str) -> Result<Self, &'static str> {
        let hash = PasswordHash::new(text).map_err(|_| "the password hash is malformed")?;
        let known = [Algorithm::Argon2id, Algorithm::Argon2i];
        match known.iter().any(|algorithm| algorithm.ident() == hash.algorithm) {
            true => Self::usable(text, &hash),
            false => Err("the password hash is neither argon2id nor argon2i"),
        }
    }

    fn usable(text: &str, hash: &PasswordHash) -> Result<Self, &'static str> {
        if hash.salt.is_none() || hash.hash.is_none() {
            return Err("the password hash lacks its salt or its output");
        }
        let params = Params::try_from(hash).map_err(|_| "the costs of the hash are malformed")?;
        let too_dear = params.m_cost() > MAX_MEMORY_KIB
            || params.t_cost() > MAX_PASSES
            || params.p_cost() > MAX_LANES;
        if too_dear {
            return Err("the password hash is too dear to check");
        }
        Ok(Self { text: Zeroizing::new(text.into()), cost: cost_of(&params) })
    }

    /// Whether `password` is the one that was hashed. Slow.
    ///
    /// # Errors
    /// The check itself could not be made, for want of memory say: that is no "no".
    pub(crate) fn matches(&self, password: &Password) -> Result<bool, password_hash::Error> {
        let hash = PasswordHash::new(&self.text)?;
        match Argon2::default().verify_password(password.reveal().as_bytes(), &hash) {
            Ok(()) => Ok(true),
            Err(password_hash::Error::PasswordInvalid) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The PHC string, for the users file.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// What decides over the time of a check: memory, passes and lanes.
    pub(crate) const fn cost(&self) -> (u32, u32, u32) {
        self.cost
    }

    fn from_hash(hash: &PasswordHash) -> Result<Self, password_hash::Error> {
        let params = Params::try_from(hash)?;
        Ok(Self { text: Zeroizing::new(hash.to_string().into()), cost: cost_of(&params) })
    }
}

const fn cost_of(params: &Params) -> (u32, u32, u32) {
    (params.m_cost(), params.t_cost(), params.p_cost())
}

const ONE_LANE: u32 = 1;
const MAX_MEMORY_KIB: u32 = 256 * 1_024;
const MAX_PASSES: u32 = 16;
const MAX_LANES: u32 = 16;
const DECOY_SALT: usize = 16;
const DECOY_OUTPUT: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: HashCost = HashCost { memory_kib: 8, passes: 1 };

    #[test]
    fn c7_what_is_stored_is_argon2id_and_matches_only_its_password() {
        let stored = StoredPassword::of(&NewPassword::new("correct horse").unwrap(), CHEAP);
        let stored = stored.unwrap();
        assert!(stored.as_str().starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{}", stored.as_str());
        assert!(!stored.as_str().contains("correct"));
        let read_back = StoredPassword::parse(stored.as_str()).unwrap();
        assert!(read_back == stored);
        assert_eq!(read_back.matches(&Password::new("correct horse").unwrap()), Ok(true));
        assert_eq!(read_back.matches(&Password::new("Correct horse").unwrap()), Ok(false));
    }

    #[test]
    fn the_default_cost_is_19_mib_and_two_passes() {
        assert_eq!(HashCost::default(), HashCost { memory_kib: 19 * 1_024, passes: 2 });
    }

    #[test]
    fn c1_a_decoy_has_the_cost_of_a_real_hash_and_matches_nothing() {
        let real = StoredPassword::of(&NewPassword::new("correct horse").unwrap(), CHEAP).unwrap();
        let decoy = StoredPassword::decoy(CHEAP).unwrap();
        assert_eq!(decoy.cost(), real.cost());
        assert_eq!(decoy.as_str().len(), real.as_str().len());
        assert!(StoredPassword::parse(decoy.as_str()).unwrap() == decoy);
        assert_eq!(decoy.matches(&Password::new("correct horse").unwrap()), Ok(false));
    }

    #[test]
    fn a_short_password_is_counted_in_characters() {
        assert_eq!(NewPassword::new("1234567").unwrap_err(), NewPasswordError::TooShort);
        assert_eq!(
            NewPassword::new("\u{e9}\u{e9}\u{e9}\u{e9}").unwrap_err(),
            NewPasswordError::TooShort
        );
        assert!(NewPassword::new("\u{10d0}\u{10d1}\u{10d2}\u{10d3}\u{10d4}\u{10d5}78").is_ok());
        assert_eq!(
            NewPassword::new("1234567\0").unwrap_err(),
            NewPasswordError::Unusable(PasswordError::Forbidden)
        );
    }

    #[test]
    fn hashes_that_cannot_be_checked_are_told_apart() {
        let salt_and_output = "c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA";
        for (bad, what) in [
            ("".to_owned(), "malformed"),
            ("secret".to_owned(), "malformed"),
            (format!("$argon2i$v=19$m=8,t=1,p=1${salt_and_output}"), "not argon2id"),
            ("$argon2id$v=19$m=8,t=1,p=1".to_owned(), "lacks"),
            (format!("$argon2id$v=19$m=4194304,t=1,p=1${salt_and_output}"), "too dear"),
            (format!("$argon2id$v=19$m=8,t=4000000,p=1${salt_and_output}"), "too dear"),
            (format!("$argon2id$v=19$m=8,t=0,p=1${salt_and_output}"), "costs"),
        ] {
            let Err(reason) = StoredPassword::parse(&bad) else { panic!("{bad:?} was taken") };
            assert!(reason.contains(what), "{bad:?} gave {reason:?}");
        }
    }
}
