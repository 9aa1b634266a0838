//! Private keys.

use std::fmt;

use aws_lc_rs::{
    digest::Digest,
    encoding::{AsDer as _, PublicKeyX509Der},
    error::KeyRejected,
    rsa::KeyPair as RsaKeyPair,
    signature::{Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256},
};
use mailweir_mail::Domain;
use rustls_pki_types::{PrivateKeyDer, pem::PemObject as _};
use zeroize::Zeroizing;

use super::{
    super::signature::{Algorithm, domain, selector},
    Record,
};

/// A private key, and under which name the public one is found.
pub struct SigningKey {
    domain: Domain,
    selector: Box<str>,
    pair: Pair,
    /// As it is published.
    public: Vec<u8>,
}

enum Pair {
    Rsa(RsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// Why a key cannot be used. All of them are for whoever configured it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Only names of at least two labels sign.
    #[error("the domain cannot sign")]
    Domain,
    /// It becomes a part of a name (RFC 6376 section 3.1).
    #[error("the selector must be letters, digits, hyphens and dots")]
    Selector,
    /// The text has no private key in it.
    #[error("there is no private key in it (PEM)")]
    NoKey,
    /// There is nobody to ask for the password.
    #[error("the private key is encrypted; it must be stored without a password")]
    Encrypted,
    /// Elliptic curves other than Ed25519, for example.
    #[error("the private key is neither RSA nor Ed25519")]
    OtherKind,
    /// RFC 8301 section 3.2 asks signers for 2048 bits.
    #[error("the RSA key has less than 2048 bits")]
    TooShort,
    /// RFC 8301 section 3.2: nobody need verify it.
    #[error("the RSA key has more than 4096 bits")]
    TooLong,
}

impl SigningKey {
    /// Reads the first private key of a PEM text, in the form of PKCS #8 (RSA, Ed25519) or PKCS #1 (RSA).
    ///
    /// # Errors
    /// Says what is wrong with the key or its name.
    pub fn from_pem(domain: &Domain, selector: &str, pem: &[u8]) -> Result<Self, KeyError> {
        let key = match PrivateKeyDer::from_pem_slice(pem) {
            Ok(key) => Zeroizing::new(key),
            Err(_) if memchr::memmem::find(pem, b"ENCRYPTED").is_some() => {
                return Err(KeyError::Encrypted);
            }
            Err(_) => return Err(KeyError::NoKey),
        };
        match &*key {
            PrivateKeyDer::Pkcs8(key) => Self::from_pkcs8(domain, selector, key.secret_pkcs8_der()),
            PrivateKeyDer::Pkcs1(key) => {
                let pair = RsaKeyPair::from_der(key.secret_pkcs1_der()).map_err(rejected)?;
                Self::new(domain, selector, Pair::Rsa(pair))
            }
            _ => Err(KeyError::OtherKind),
        }
    }

    /// Reads a private key in the form of PKCS #8, as generators give it.
    ///
    /// # Errors
    /// Says what is wrong with the key or its name.
    pub fn from_pkcs8(domain: &Domain, selector: &str, der: &[u8]) -> Result<Self, KeyError> {
        if let Ok(pair) = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der) {
            return Self::new(domain, selector, Pair::Ed25519(pair));
        }
        let pair = RsaKeyPair::from_pkcs8(der).map_err(rejected)?;
        Self::new(domain, selector, Pair::Rsa(pair))
    }

    fn new(signer: &Domain, name: &str, pair: Pair) -> Result<Self, KeyError> {
        let selector = selector(name).ok_or(KeyError::Selector)?;
        let domain = domain(signer.as_str()).ok_or(KeyError::Domain)?;
        let public = match &pair {
            Pair::Rsa(pair) if pair.public_modulus_len() > MOST_BYTES => {
                return Err(KeyError::TooLong);
            }
            Pair::Rsa(pair) => {
                let der: PublicKeyX509Der<'_> =
                    pair.public_key().as_der().map_err(|_| KeyError::OtherKind)?;
                der.as_ref().to_vec()
            }
            Pair::Ed25519(pair) => pair.public_key().as_ref().to_vec(),
        };
        Ok(Self { domain, selector, pair, public })
    }

    /// The domain that signs (`d=`).
    #[must_use]
    pub const fn domain(&self) -> &Domain {
        &self.domain
    }

    /// The name of the key in the domain (`s=`).
    #[must_use]
    pub const fn selector(&self) -> &str {
        &self.selector
    }

    /// How it signs.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        match &self.pair {
            Pair::Rsa(_) => Algorithm::RsaSha256,
            Pair::Ed25519(_) => Algorithm::Ed25519Sha256,
        }
    }

    /// The record to be published before anything is signed with the key.
    #[must_use]
    pub fn record(&self) -> Record {
        Record::new(self.algorithm(), &self.selector, &self.domain, &self.public)
    }

    /// The signature of a hash; `None` only if the library fails.
    pub(super) fn sign(&self, digest: &Digest) -> Option<Vec<u8>> {
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign_digest(&RSA_PKCS1_SHA256, digest, &mut signature).ok()?;
                Some(signature)
            }
            // Of the hash, not of the bytes (RFC 8463 section 3).
            Pair::Ed25519(pair) => Some(pair.try_sign(digest.as_ref()).ok()?.as_ref().to_vec()),
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = super::super::signature::key_name(&self.selector, &self.domain);
        write!(f, "SigningKey({name}, {})", self.algorithm().as_str())
    }
}

/// The library tells by a word why it takes no key.
fn rejected(reason: KeyRejected) -> KeyError {
    match reason.to_string().as_str() {
        "TooSmall" => KeyError::TooShort,
        "TooLarge" => KeyError::TooLong,
        _ => KeyError::OtherKind,
    }
}

const MOST_BYTES: usize = 4_096 / 8;
