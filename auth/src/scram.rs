//! The keys of SCRAM (RFC 5802, RFC 7677): what a server keeps to check a password it never sees.
//!
//! Keys are no password: who steals them cannot log in, but can try passwords against them, at
//! 32,768 rounds of PBKDF2 each.

use std::{fmt, num::NonZeroU32};

use aws_lc_rs::{constant_time::verify_slices_are_equal, digest, hmac, pbkdf2};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use crate::Password;

/// The hash function of a SCRAM mechanism.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScramHash {
    /// SHA-1, for clients that know no other.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

impl ScramHash {
    /// All of them; the one that most clients have first.
    pub const ALL: [Self; 3] = [Self::Sha256, Self::Sha512, Self::Sha1];

    pub(crate) const fn digest(self) -> &'static digest::Algorithm {
        match self {
            Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => &digest::SHA256,
            Self::Sha512 => &digest::SHA512,
        }
    }

    pub(crate) const fn hmac(self) -> hmac::Algorithm {
        match self {
            Self::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => hmac::HMAC_SHA256,
            Self::Sha512 => hmac::HMAC_SHA512,
        }
    }

    const fn pbkdf2(self) -> pbkdf2::Algorithm {
        match self {
            Self::Sha1 => pbkdf2::PBKDF2_HMAC_SHA1,
            Self::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
            Self::Sha512 => pbkdf2::PBKDF2_HMAC_SHA512,
        }
    }

    fn length(self) -> usize {
        self.digest().output_len()
    }
}

/// What SCRAM checks a user against, wiped when dropped. `Debug` shows no key.
///
/// Its text is that of Dovecot's `{SCRAM-SHA-256}`: iterations, salt, stored key and server key,
/// divided by commas, the last three in base64.
#[derive(Clone, PartialEq, Eq)]
pub struct ScramKeys {
    hash: ScramHash,
    iterations: u32,
    salt: Box<[u8]>,
    stored_key: Zeroizing<Box<[u8]>>,
    server_key: Zeroizing<Box<[u8]>>,
}

impl ScramKeys {
    /// The keys of a password, with a fresh random salt. Slow: 32,768 rounds of PBKDF2.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn of(hash: ScramHash, password: &Password) -> Result<Self, getrandom::Error> {
        let mut salt = [0; SALT];
        getrandom::fill(&mut salt)?;
        Ok(Self::derive(hash, password, &salt, ITERATIONS))
    }

    /// The keys of a password for this salt and so many rounds of PBKDF2 (RFC 5802 section 3).
    #[must_use]
    pub fn derive(hash: ScramHash, password: &Password, salt: &[u8], iterations: u32) -> Self {
        let mut salted = Zeroizing::new(vec![0; hash.length()]);
        let secret = password.reveal().as_bytes();
        let rounds = NonZeroU32::new(iterations).unwrap_or(NonZeroU32::MIN);
        pbkdf2::derive(hash.pbkdf2(), rounds, salt, secret, &mut salted);
        let key = hmac::Key::new(hash.hmac(), &salted);
        let client_key = hmac::sign(&key, b"Client Key");
        Self {
            hash,
            iterations,
            salt: salt.into(),
            stored_key: wiped(digest::digest(hash.digest(), client_key.as_ref()).as_ref()),
            server_key: wiped(hmac::sign(&key, b"Server Key").as_ref()),
        }
    }

    /// Keys that no password has, always the same for the same secret and name: what a user is
    /// asked with who does not exist (`attacks.md` C1).
    #[must_use]
    pub fn decoy(hash: ScramHash, secret: &[u8], name: &str) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA512, secret);
        let part = |what: &str, length: usize| -> Box<[u8]> {
            let text = format!("{what} {hash:?} {name}");
            let made = hmac::sign(&key, text.as_bytes());
            made.as_ref().iter().copied().take(length).collect()
        };
        Self {
            hash,
            iterations: ITERATIONS,
            salt: part("salt", SALT),
            stored_key: part("stored key", hash.length()).into(),
            server_key: part("server key", hash.length()).into(),
        }
    }

    /// Reads the text of keys for this hash.
    ///
    /// # Errors
    /// What is wrong with it; never a part of it.
    pub fn parse(hash: ScramHash, text: &str) -> Result<Self, &'static str> {
        let mut fields = text.split(',');
        let mut next = || fields.next().ok_or("SCRAM keys are four fields divided by commas");
        let (iterations, salt, stored_key, server_key) = (next()?, next()?, next()?, next()?);
        if fields.next().is_some() {
            return Err("SCRAM keys are four fields divided by commas");
        }
        let iterations = iterations.parse().ok();
        let iterations =
            iterations.filter(|count| (LEAST_ITERATIONS..=MOST_ITERATIONS).contains(count));
        let bytes = |field| STANDARD.decode(field).map_err(|_| "a SCRAM key is no base64");
        let keys = Self {
            hash,
            iterations: iterations.ok_or("SCRAM iterations are a number from 4096 to 10000000")?,
            salt: bytes(salt)?.into(),
            stored_key: bytes(stored_key)?.into_boxed_slice().into(),
            server_key: bytes(server_key)?.into_boxed_slice().into(),
        };
        let fits = |key: &[u8]| key.len() == hash.length();
        if keys.salt.is_empty() || !fits(&keys.stored_key) || !fits(&keys.server_key) {
            return Err("a SCRAM salt is empty, or a key has the length of another hash");
        }
        Ok(keys)
    }

    /// Whether they are the keys of `password`. Slow: as many rounds of PBKDF2 as they have.
    pub(crate) fn matches(&self, password: &Password) -> bool {
        let found = Self::derive(self.hash, password, &self.salt, self.iterations);
        verify_slices_are_equal(&found.stored_key, &self.stored_key).is_ok()
    }

    /// Whether they are of the form of [`Self::decoy`], so that nobody can tell them from those of
    /// nobody by what a client is asked with.
    pub(crate) fn look_like_decoys(&self) -> bool {
        self.iterations == ITERATIONS && self.salt.len() == SALT
    }

    /// The hash that they are for.
    #[must_use]
    pub const fn hash(&self) -> ScramHash {
        self.hash
    }

    pub(crate) const fn iterations(&self) -> u32 {
        self.iterations
    }

    pub(crate) fn salt(&self) -> &[u8] {
        &self.salt
    }

    pub(crate) fn stored_key(&self) -> &[u8] {
        &self.stored_key
    }

    pub(crate) fn server_key(&self) -> &[u8] {
        &self.server_key
    }

    /// The text for the users file, and for nothing else.
    pub(crate) fn to_text(&self) -> String {
        let [salt, stored, server] = [&*self.salt, &**self.stored_key, &**self.server_key]
            .map(|bytes| STANDARD.encode(bytes));
        format!("{},{salt},{stored},{server}", self.iterations)
    }
}

impl fmt::Debug for ScramKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScramKeys").field("hash", &self.hash).finish_non_exhaustive()
    }
}

fn wiped(bytes: &[u8]) -> Zeroizing<Box<[u8]>> {
    Zeroizing::new(bytes.into())
}

/// Rounds of PBKDF2 for new keys. The client pays them at each log-in that does not remember the
/// outcome; RFC 7677 asks for at least 4,096.
const ITERATIONS: u32 = 32_768;

const LEAST_ITERATIONS: u32 = 4_096;
/// More would keep a client busy for minutes.
const MOST_ITERATIONS: u32 = 10_000_000;
const SALT: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 5802 section 5 and RFC 7677 section 3: user `user`, password `pencil`.
    /// Keys and proofs are checked together in the tests of the exchange.
    #[test]
    fn keys_are_those_of_the_rfc() {
        let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let keys = ScramKeys::derive(ScramHash::Sha256, &pencil(), &salt, LEAST_ITERATIONS);
        assert_eq!(
            keys.to_text(),
            "4096,W22ZaJ0SNY7soEsUEjb6gQ==,WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=,\
             wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
        );
    }

    #[test]
    fn keys_are_read_as_they_are_written() {
        for hash in ScramHash::ALL {
            let keys = ScramKeys::derive(hash, &pencil(), b"some salt", LEAST_ITERATIONS);
            assert_eq!(ScramKeys::parse(hash, &keys.to_text()), Ok(keys));
        }
    }

    #[test]
    fn odd_keys_are_refused_and_never_quoted() {
        let good = ScramKeys::derive(ScramHash::Sha256, &pencil(), b"salt", LEAST_ITERATIONS);
        let good = good.to_text();
        for bad in [
            String::new(),
            "4096".into(),
            good.replace("4096", "4095"),
            good.replace("4096", "10000001"),
            good.replace("4096", "-1"),
            good.replace("4096,", "4096,,"),
            format!("{good},"),
            good.replace('=', "!"),
        ] {
            assert!(ScramKeys::parse(ScramHash::Sha256, &bad).is_err(), "{bad}");
        }
        assert!(ScramKeys::parse(ScramHash::Sha512, &good).is_err(), "keys of another hash");
        assert!(ScramKeys::parse(ScramHash::Sha1, &good).is_err(), "keys of another hash");
    }

    #[test]
    fn c1_a_decoy_is_stable_and_looks_like_any_keys() {
        let of = |secret: &[u8], name| ScramKeys::decoy(ScramHash::Sha512, secret, name);
        assert_eq!(of(b"secret", "ann"), of(b"secret", "ann"));
        assert_ne!(of(b"secret", "ann").salt(), of(b"secret", "bob").salt());
        assert_ne!(of(b"secret", "ann").salt(), of(b"other", "ann").salt());
        let real = ScramKeys::of(ScramHash::Sha512, &pencil()).unwrap();
        let decoy = of(b"secret", "ann");
        assert_eq!(decoy.salt().len(), real.salt().len());
        assert_eq!(decoy.iterations(), real.iterations());
        assert!(ScramKeys::parse(ScramHash::Sha512, &decoy.to_text()).is_ok());
    }

    #[test]
    fn c7_debug_output_shows_no_key() {
        let keys = ScramKeys::derive(ScramHash::Sha1, &pencil(), b"salt", LEAST_ITERATIONS);
        assert_eq!(format!("{keys:?}"), "ScramKeys { hash: Sha1, .. }");
    }

    fn pencil() -> Password {
        Password::new("pencil").unwrap()
    }
}
