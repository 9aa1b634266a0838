//! Dovecot's `{PBKDF2}`: `$1$salt$rounds$hash`, PBKDF2 (RFC 8018) with HMAC-SHA-1.

use std::num::NonZeroU32;

use aws_lc_rs::pbkdf2;
use zeroize::Zeroizing;

use crate::{Password, secrets::scheme::Encoding};

/// A password as PBKDF2 leaves it.
pub(super) struct Pbkdf2 {
    salt: Zeroizing<Vec<u8>>,
    rounds: NonZeroU32,
    hash: Zeroizing<Vec<u8>>,
}

impl Pbkdf2 {
    /// Reads the text. Over [`MAX_ROUNDS`] it is refused.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        const MALFORMED: &str = "the password hash is not `$1$salt$rounds$hash`";
        let fields = text.strip_prefix("$1$").ok_or(MALFORMED)?;
        let (salt, rest) = fields.split_once('$').ok_or(MALFORMED)?;
        let (rounds, hash) = rest.split_once('$').ok_or(MALFORMED)?;
        let rounds: NonZeroU32 = rounds.parse().map_err(|_| MALFORMED)?;
        if rounds.get() > MAX_ROUNDS {
            return Err("the password hash is too dear to check");
        }
        let hash = Encoding::Hex.decode(hash).filter(|hash| hash.len() == SHA1);
        Ok(Self { salt: salt.as_bytes().to_vec().into(), rounds, hash: hash.ok_or(MALFORMED)? })
    }

    /// Whether `password` is the one that was hashed. Slow.
    pub(super) fn matches(&self, password: &Password) -> bool {
        let (secret, algorithm) = (password.reveal().as_bytes(), pbkdf2::PBKDF2_HMAC_SHA1);
        pbkdf2::verify(algorithm, self.rounds, &self.salt, secret, &self.hash).is_ok()
    }

    /// How dear a check is.
    pub(super) const fn rounds(&self) -> u32 {
        self.rounds.get()
    }
}

/// Under a second of work.
pub(super) const MAX_ROUNDS: u32 = 2_000_000;
const SHA1: usize = 20;
