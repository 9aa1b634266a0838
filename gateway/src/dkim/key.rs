//! A public key as a domain publishes it (RFC 6376 section 3.6.1, RFC 8463).

use aws_lc_rs::signature::{
    ED25519, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, UnparsedPublicKey,
    VerificationAlgorithm,
};

use super::{
    Fault,
    signature::{Algorithm, Signature},
    tags::{Tags, base64, words},
};

/// A key record.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Key {
    algorithm: Option<Algorithm>,
    /// Empty: revoked.
    bytes: Vec<u8>,
    /// Whether it may be used for this: mail, hashed with SHA-256.
    is_for_mail: bool,
    /// `t=y`.
    is_testing: bool,
    /// `t=s`: the domain itself, none below it.
    is_strict: bool,
}

impl Key {
    /// Reads a record; `None`: it is something else.
    pub(super) fn read(text: &str) -> Option<Self> {
        let tags = Tags::read(text)?;
        let has_version = tags.get("v").is_some();
        if has_version && (tags.first() != Some("v") || tags.get("v") != Some("DKIM1")) {
            return None;
        }
        let key = tags.get("p")?;
        let has =
            |name, one: &str| tags.get(name).is_some_and(|list| words(list).any(|w| w == one));
        Some(Self {
            algorithm: match tags.get("k").unwrap_or("rsa") {
                "rsa" => Some(Algorithm::RsaSha256),
                "ed25519" => Some(Algorithm::Ed25519Sha256),
                _ => None,
            },
            bytes: base64(key)?,
            is_for_mail: (tags.get("h").is_none() || has("h", "sha256"))
                && (tags.get("s").is_none() || has("s", "*") || has("s", "email")),
            is_testing: has("t", "y"),
            is_strict: has("t", "s"),
        })
    }

    /// Whether such a signature may be made with it.
    pub(super) fn is_for(&self, signature: &Signature) -> Result<(), Fault> {
        let refuse = |reason| Err(Fault::Key(reason));
        if self.bytes.is_empty() {
            return refuse("it was revoked");
        }
        if self.algorithm != Some(signature.algorithm) {
            return refuse("it is of another kind");
        }
        if !self.is_for_mail {
            return refuse("it is for something else");
        }
        // Mail signed with it must be taken as if it were not (RFC 6376 section 3.6.1).
        if self.is_testing {
            return refuse("its domain tests it");
        }
        if self.is_strict && signature.agent != signature.domain {
            return refuse("it is not for names below its domain");
        }
        Ok(())
    }

    /// Whether a signature of `bytes` was made with it.
    pub(super) fn verifies(&self, signature: &Signature, bytes: &[u8]) -> Result<bool, Fault> {
        let verified = |algorithm: &'static dyn VerificationAlgorithm, bytes: &[u8]| {
            UnparsedPublicKey::new(algorithm, &self.bytes).verify(bytes, &signature.bytes).is_ok()
        };
        match signature.algorithm {
            Algorithm::RsaSha256 => {
                // Fewer than 1024 bits are broken by anybody (RFC 8301 section 3.2).
                Ok(verified(&RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, bytes))
            }
            // Of the hash, not of the bytes (RFC 8463 section 3).
            Algorithm::Ed25519Sha256 if self.bytes.len() == 32 => {
                let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
                Ok(verified(&ED25519, hash.as_ref()))
            }
            Algorithm::Ed25519Sha256 => Err(Fault::Key("it has another length")),
        }
    }
}
