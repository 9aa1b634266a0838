//! A public key as a domain publishes it (RFC 6376 section 3.6.1, RFC 8463), and what it proves.

use aws_lc_rs::{
    digest::Digest,
    signature::{ED25519, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, UnparsedPublicKey},
};

use super::{
    der::modulus_bits,
    outcome::{Fault, Weakness},
    signature::Algorithm,
    tags::{Tags, base64, words},
};
use crate::dns::{Answer, Dns, is_name};

/// A key record. Tags that are not defined any more (`g=`) say nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
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

/// What is to be proven by a key.
pub(crate) struct Made<'a> {
    pub(crate) algorithm: Algorithm,
    /// Of the header.
    pub(crate) digest: Digest,
    pub(crate) signature: &'a [u8],
    /// Whether `i=` is the domain itself, and no name below it.
    pub(crate) is_by_domain_itself: bool,
}

/// Why a key proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// Its `p=` is empty.
    #[error("it was revoked")]
    Revoked,
    /// RSA for Ed25519, the other way round, or of a kind that nobody knows.
    #[error("it is of another kind")]
    OtherKind,
    /// `s=` is without mail, or `h=` without SHA-256.
    #[error("it is for something else")]
    OtherUse,
    /// `t=s`, and `i=` is below the domain.
    #[error("it is not for names below its domain")]
    NotBelow,
    /// The bytes are no key.
    #[error("it is none that can be read")]
    Unreadable,
    /// Anybody can break it (RFC 8301 section 3.2).
    #[error("it has {bits} bits only")]
    TooShort {
        /// Of the modulus, below 1024.
        bits: u32,
    },
    /// It costs more than a mail is worth (RFC 6376 section 3.3.3 asks for 2048, `attacks.md` F2).
    #[error("it has {bits} bits")]
    TooLong {
        /// Of the modulus, above 4096.
        bits: u32,
    },
}

impl Key {
    /// Reads a record; `None`: it is something else.
    pub(crate) fn read(text: &str) -> Option<Self> {
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

    /// Whether it made a signature, and what is weak about that.
    fn proves(&self, made: &Made<'_>) -> Result<Vec<Weakness>, Fault> {
        self.is_for(made)?;
        let mut found = match made.algorithm {
            Algorithm::RsaSha256 => self.proves_by_rsa(made)?,
            Algorithm::Ed25519Sha256 => self.proves_by_ed25519(made)?,
        };
        found.extend(self.is_testing.then_some(Weakness::TestingKey));
        Ok(found)
    }

    /// Whether such a signature may be made with it.
    fn is_for(&self, made: &Made<'_>) -> Result<(), KeyFault> {
        match self {
            Self { bytes, .. } if bytes.is_empty() => Err(KeyFault::Revoked),
            Self { algorithm, .. } if *algorithm != Some(made.algorithm) => {
                Err(KeyFault::OtherKind)
            }
            Self { is_for_mail: false, .. } => Err(KeyFault::OtherUse),
            Self { is_strict: true, .. } if !made.is_by_domain_itself => Err(KeyFault::NotBelow),
            Self { .. } => Ok(()),
        }
    }

    /// The length is looked at first: whoever chooses a key must not choose how long we calculate.
    fn proves_by_rsa(&self, made: &Made<'_>) -> Result<Vec<Weakness>, Fault> {
        let bits = modulus_bits(&self.bytes).ok_or(KeyFault::Unreadable)?;
        if bits < LEAST_BITS {
            return Err(KeyFault::TooShort { bits }.into());
        }
        if bits > MOST_BITS {
            return Err(KeyFault::TooLong { bits }.into());
        }
        let key =
            UnparsedPublicKey::new(&RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, &self.bytes);
        let verified = key.verify_digest(&made.digest, made.signature);
        verified.map_err(|_| Fault::HeaderChanged)?;
        let is_short = bits < GOOD_BITS;
        Ok(is_short.then_some(Weakness::ShortKey { bits }).into_iter().collect())
    }

    /// Of the hash, not of the bytes (RFC 8463 section 3).
    fn proves_by_ed25519(&self, made: &Made<'_>) -> Result<Vec<Weakness>, Fault> {
        if self.bytes.len() != 32 {
            return Err(KeyFault::Unreadable.into());
        }
        let key = UnparsedPublicKey::new(&ED25519, &self.bytes);
        let verified = key.verify(made.digest.as_ref(), made.signature);
        verified.map(|()| Vec::new()).map_err(|_| Fault::HeaderChanged)
    }
}

/// All keys under a name; at least one. Other texts there are passed over.
pub(crate) async fn look_up(name: String, dns: &impl Dns) -> Result<Vec<Key>, Fault> {
    if !is_name(&name) {
        return Err(Fault::NoKey(name.into()));
    }
    let keys: Vec<Key> = match dns.txt(&name).await {
        Answer::Found(texts) => texts.iter().filter_map(|text| Key::read(text)).collect(),
        Answer::NoSuchName | Answer::NoRecords => Vec::new(),
        Answer::Unclear => return Err(Fault::Unclear),
        Answer::NotAsked => return Err(Fault::NotAsked),
    };
    if keys.is_empty() { Err(Fault::NoKey(name.into())) } else { Ok(keys) }
}

/// Whether one of the keys made a signature, and what is weak about that. Else what the first one says.
pub(crate) fn prove(keys: &[Key], made: &Made<'_>) -> Result<Vec<Weakness>, Fault> {
    let mut first = None;
    for key in keys.iter().take(MOST_KEYS) {
        match key.proves(made) {
            Ok(mut found) => {
                found.extend((keys.len() > 1).then_some(Weakness::SeveralKeys));
                return Ok(found);
            }
            Err(fault) => first = first.or(Some(fault)),
        }
    }
    Err(first.unwrap_or(Fault::HeaderChanged))
}

/// Of several under one name: enough for one of each kind, while keys are exchanged.
const MOST_KEYS: usize = 4;

/// RFC 8301 section 3.2: less must not be accepted.
const LEAST_BITS: u32 = 1_024;

/// RFC 8301 section 3.2: signers should have so many.
const GOOD_BITS: u32 = 2_048;

/// RFC 8301 section 3.2: verifiers must be able to use keys up to this. Twice of it would take four times as long.
const MOST_BITS: u32 = 4_096;
