//! Keys of one domain, as each program wants them.

use std::{fs, path::Path};

use aws_lc_rs::{
    encoding::AsDer as _,
    rsa::{KeyPair, KeySize},
    signature::Ed25519KeyPair,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use mailweir_spam::dkim::{
    Algorithm,
    sign::{Record, SigningKey},
};

/// Who signs.
pub const DOMAIN: &str = "a.example";

/// A private key of [`DOMAIN`].
pub struct PrivateKey {
    selector: &'static str,
    algorithm: Algorithm,
    /// PKCS #8.
    der: Vec<u8>,
}

impl PrivateKey {
    /// A new RSA key.
    #[must_use]
    pub fn rsa(selector: &'static str, size: KeySize) -> Self {
        let pair = KeyPair::generate(size).unwrap();
        let der = pair.as_der().unwrap().as_ref().to_vec();
        Self { selector, algorithm: Algorithm::RsaSha256, der }
    }

    /// A new Ed25519 key.
    #[must_use]
    pub fn ed25519(selector: &'static str) -> Self {
        let der = Ed25519KeyPair::generate().unwrap().to_pkcs8v1().unwrap().as_ref().to_vec();
        Self { selector, algorithm: Algorithm::Ed25519Sha256, der }
    }

    /// One of each kind, with 2048 bits of RSA.
    #[must_use]
    pub fn of_each_kind() -> [Self; 2] {
        [Self::rsa("r", KeySize::Rsa2048), Self::ed25519("e")]
    }

    /// `s=`
    #[must_use]
    pub fn selector(&self) -> &'static str {
        self.selector
    }

    /// `a=`
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// As our signer has it.
    #[must_use]
    pub fn signing_key(&self) -> SigningKey {
        SigningKey::from_pkcs8(&DOMAIN.parse().unwrap(), self.selector, &self.der).unwrap()
    }

    /// What we print for it.
    #[must_use]
    pub fn record(&self) -> Record {
        self.signing_key().record()
    }

    /// The file `key.pem` for other programs.
    pub(super) fn write(&self, place: &Path) {
        let text = BASE64_STANDARD.encode(&self.der);
        let lines: Vec<&str> =
            text.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect();
        let mark = |word: &str| format!("-----{word} PRIVATE KEY-----\n");
        let pem = format!("{}{}\n{}", mark("BEGIN"), lines.join("\n"), mark("END"));
        fs::write(place.join("key.pem"), pem).unwrap();
    }
}
