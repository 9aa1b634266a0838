//! Fast hashes of a password, with a salt or without: what LDAP servers have kept (RFC 2307).

use aws_lc_rs::{constant_time::verify_slices_are_equal, digest};
use md5::{Digest as _, Md5};
use zeroize::Zeroizing;

use crate::{
    Password,
    secrets::scheme::{Digest, Encoding, Salting},
};

/// A hash of the password and then the salt, which may be empty.
pub(super) struct SaltedDigest {
    digest: Digest,
    hash: Zeroizing<Vec<u8>>,
    salt: Zeroizing<Vec<u8>>,
}

impl SaltedDigest {
    /// Reads hash and salt, in base64 or hexadecimal. Without `encoding`, an unsalted hash is
    /// hexadecimal if it has the length of it, as Dovecot decides too.
    pub(super) fn parse(
        digest: Digest,
        salting: Salting,
        encoding: Option<Encoding>,
        text: &str,
    ) -> Result<Self, &'static str> {
        let length = digest.length();
        let usual = match salting {
            Salting::Unsalted if text.len() == 2 * length => Encoding::Hex,
            Salting::Unsalted | Salting::Salted => Encoding::Base64,
        };
        let bytes = encoding.unwrap_or(usual).decode(text);
        let bytes = bytes.ok_or("the password hash is neither base64 nor hexadecimal")?;
        let (hash, salt) =
            bytes.split_at_checked(length).ok_or("the password hash is too short")?;
        match salting {
            Salting::Unsalted if !salt.is_empty() => Err("the password hash is too long"),
            Salting::Salted if salt.is_empty() => Err("the password hash lacks its salt"),
            Salting::Unsalted | Salting::Salted => {
                Ok(Self { digest, hash: hash.to_vec().into(), salt: salt.to_vec().into() })
            }
        }
    }

    /// Whether `password` is the one that was hashed.
    pub(super) fn matches(&self, password: &Password) -> bool {
        let found = self.digest.of(password.reveal().as_bytes(), &self.salt);
        verify_slices_are_equal(&found, &self.hash).is_ok()
    }
}

impl Digest {
    fn of(self, password: &[u8], salt: &[u8]) -> Zeroizing<Vec<u8>> {
        let algorithm = match self {
            Self::Md5 => {
                let hash = Md5::new().chain_update(password).chain_update(salt).finalize();
                return Zeroizing::new(hash.to_vec());
            }
            Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => &digest::SHA256,
            Self::Sha512 => &digest::SHA512,
        };
        let mut context = digest::Context::new(algorithm);
        context.update(password);
        context.update(salt);
        Zeroizing::new(context.finish().as_ref().to_vec())
    }

    const fn length(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}
