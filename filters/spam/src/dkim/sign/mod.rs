//! Signs mail (RFC 6376 section 5, RFC 8463): one DKIM-Signature field for each key, relaxed in header and
//! body, so that what mail servers do to white space on the way does no harm.
//!
//! Which fields are signed, and which also against being added, is the [`Coverage`]. Keys come as PEM or
//! DER; making them needs chance, which is the caller's. A mail must be signed as it leaves, behind
//! everything that changes it.

mod coverage;
mod fold;
mod key;
mod record;

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use mailweir_mail::Timestamp;

use self::fold::Folder;
pub use self::{
    coverage::{BadField, Coverage},
    key::{KeyError, SigningKey},
    record::Record,
};
use super::{
    canonical::Canonical,
    header::{FieldsByName, Header},
    signature::header_digest,
};

/// Signs mail with one key or several, for example an RSA and an Ed25519 key of one domain.
#[derive(Debug)]
pub struct Signer {
    keys: Vec<SigningKey>,
    coverage: Coverage,
}

/// Why a mail was not signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// Of the mail: a signature without it would count for nothing (RFC 6376 section 5.4).
    #[error("the mail has no From field")]
    NoFrom,
    /// Of the mail: nobody would verify a signature of so many fields.
    #[error("the header has too many fields that are to be signed")]
    TooManyFields,
    /// Of the mail: its header is longer than what is read of it.
    #[error("the header is too long")]
    HeaderTooLong,
    /// Of the machine: the key was good when it was read.
    #[error("the key did not sign")]
    Refused,
}

impl Signer {
    /// A signer; its fields stand in the order of the keys.
    #[must_use]
    pub const fn new(keys: Vec<SigningKey>, coverage: Coverage) -> Self {
        Self { keys, coverage }
    }

    /// The keys, in their order.
    #[must_use]
    pub fn keys(&self) -> &[SigningKey] {
        &self.keys
    }

    /// One DKIM-Signature field for each key, with CRLF at its end, to be put on top of the mail. Lines
    /// have at most 78 characters, but for a domain or selector that is longer.
    ///
    /// `body` is [`SignedMail::body_hash`](super::SignedMail::body_hash). With a lifetime the signatures say
    /// when they expire (`x=`).
    ///
    /// # Errors
    /// Whose fault it is: see [`SignError`]. Then the mail is as it was; it can go without a signature.
    pub fn sign(
        &self,
        header: &Header,
        body: [u8; 32],
        now: Timestamp,
        lifetime: Option<Duration>,
    ) -> Result<Vec<Vec<u8>>, SignError> {
        if header.is_cut() {
            return Err(SignError::HeaderTooLong);
        }
        let fields = header.by_name();
        let names = self.coverage.names(&fields)?;
        let times = Times { made: now, expires: lifetime.map(|span| now.plus(span)) };
        let sign = |key| field(key, &names, &fields, body, times);
        self.keys.iter().map(sign).collect()
    }
}

#[derive(Clone, Copy)]
struct Times {
    made: Timestamp,
    expires: Option<Timestamp>,
}

fn field(
    key: &SigningKey,
    names: &[Box<str>],
    fields: &FieldsByName<'_>,
    body: [u8; 32],
    times: Times,
) -> Result<Vec<u8>, SignError> {
    let mut field = unsigned(key, names, body, times);
    let digest = header_digest(Canonical::Relaxed, names, fields, field.bytes());
    let signature = key.sign(&digest).ok_or(SignError::Refused)?;
    field.base64(&signature);
    Ok(field.finish())
}

/// The field up to the signature, which is empty when it is signed.
fn unsigned(key: &SigningKey, names: &[Box<str>], body: [u8; 32], times: Times) -> Folder {
    let mut field = Folder::new("DKIM-Signature:");
    field.word("v=1;");
    field.word(&format!("a={};", key.algorithm().as_str()));
    field.word("c=relaxed/relaxed;");
    field.word(&format!("d={};", key.domain().as_ascii()));
    field.word(&format!("s={};", key.selector()));
    field.word(&format!("t={};", times.made.as_secs()));
    if let Some(expires) = times.expires {
        field.word(&format!("x={};", expires.as_secs()));
    }
    let last = names.len().saturating_sub(1);
    for (number, name) in names.iter().enumerate() {
        let end = if number == last { ";" } else { ":" };
        match number {
            0 => field.word(&format!("h={name}{end}")),
            _ => field.glued(&format!("{name}{end}")),
        }
    }
    field.word(&format!("bh={};", BASE64_STANDARD.encode(body)));
    field.word("b=");
    field
}
