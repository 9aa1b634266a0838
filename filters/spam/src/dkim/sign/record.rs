//! The record by which others find a public key (RFC 6376 section 3.6.1, RFC 8463 section 4).

use base64::{Engine as _, prelude::BASE64_STANDARD};
use mailweir_mail::Domain;

use super::super::signature::{Algorithm, key_name};

/// A TXT record to be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its name, without a dot at the end.
    pub name: Box<str>,
    /// What it says, in one piece.
    pub text: Box<str>,
}

impl Record {
    pub(super) fn new(
        algorithm: Algorithm,
        selector: &str,
        domain: &Domain,
        public: &[u8],
    ) -> Self {
        let kind = match algorithm {
            Algorithm::RsaSha256 => "rsa",
            Algorithm::Ed25519Sha256 => "ed25519",
        };
        let key = BASE64_STANDARD.encode(public);
        let name = key_name(selector, domain).into();
        Self { name, text: format!("v=DKIM1; k={kind}; p={key}").into() }
    }

    /// The text in strings of at most 255 bytes, of which such a record consists (RFC 1035 section 3.3).
    pub fn strings(&self) -> impl Iterator<Item = &str> {
        let mut rest = &*self.text;
        std::iter::from_fn(move || {
            // All of it is ASCII.
            let (string, behind) = rest.split_at_checked(MOST_STRING).unwrap_or((rest, ""));
            rest = behind;
            (!string.is_empty()).then_some(string)
        })
    }

    /// A line of a zone file (RFC 1035 section 5).
    #[must_use]
    pub fn zone_line(&self) -> String {
        let strings: Vec<_> = self.strings().map(|string| format!("\"{string}\"")).collect();
        format!("{}. IN TXT ( {} )", self.name, strings.join(" "))
    }
}

const MOST_STRING: usize = 255;
