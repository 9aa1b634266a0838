//! Whose signature a mail has: DKIM (RFC 6376, RFC 8301, RFC 8463), as proof of who wrote it.
//!
//! Stricter than a mail system that only scores: here a signature decides, so whatever is not beyond
//! doubt proves nothing. A body of which a part is signed (`l=`) may have been added to; an unsigned
//! From may be anybody's; a key under test, a short key, a name server that does not answer: not proven.
//! The mail flows past and is hashed as it came; nothing of it is kept but its header. See
//! docs/decisions/0022.

mod canonical;
mod header;
mod key;
mod signature;
mod tags;
#[cfg(test)]
pub(crate) mod tests;

use std::time::Duration;

use mailweir_mail::{Address, Domain, Timestamp};
use tokio::time::timeout;

pub(crate) use self::header::{Field, Header};
use self::{
    canonical::{BodyHash, Canonical},
    header::HeaderReader,
    key::Key,
    signature::Signature,
};
use crate::egress::resolve::{Answer, Resolver};

/// Reads a mail as it flows past, with CRLF line ends.
#[derive(Default)]
pub(crate) struct SignatureReader {
    header: HeaderReader,
    /// Once the header is complete.
    body: Option<BodyReader>,
}

/// What is hashed of the body, for the signatures that may count.
struct BodyReader {
    header: Header,
    signatures: Vec<Result<Signature, Fault>>,
    simple: Option<BodyHash>,
    relaxed: Option<BodyHash>,
}

/// A mail that was read to its end. What its signatures are worth is asked of [`SignedMail::verify`].
pub(crate) struct SignedMail {
    header: Header,
    signatures: Vec<Result<Signature, Fault>>,
    simple: Option<[u8; 32]>,
    relaxed: Option<[u8; 32]>,
}

/// A signature that holds: its domain answers for all fields that it names and for the whole body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Proof {
    /// The domain that signed (`d=`).
    pub(crate) domain: Domain,
    /// Its key (`s=`).
    pub(crate) selector: Box<str>,
    /// The names of the signed fields, in lower case.
    fields: Vec<Box<str>>,
}

/// Why a signature proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    #[error("the signature is malformed: {0}")]
    Malformed(&'static str),
    #[error("the algorithm {0:?} is not accepted")]
    Algorithm(Box<str>),
    #[error("it leaves a part of the body unsigned (l=)")]
    PartOfBody,
    #[error("it does not sign the From field")]
    FromNotSigned,
    #[error("it has expired")]
    Expired,
    #[error("the body was changed")]
    BodyChanged,
    #[error("the header was changed, or somebody else signed")]
    HeaderChanged,
    #[error("there is no key {0}")]
    NoKey(Box<str>),
    #[error("the key is not usable: {0}")]
    Key(&'static str),
    #[error("the name server does not tell the key")]
    Unclear,
}

/// What came of one signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Checked {
    /// Who claims to have signed; absent where it cannot be read.
    pub(crate) domain: Option<Domain>,
    pub(crate) result: Result<Proof, Fault>,
}

impl SignatureReader {
    /// Takes the next piece of content.
    pub(crate) fn feed(&mut self, piece: &[u8]) {
        let rest = match &self.body {
            None => self.header.feed(piece),
            Some(_) => piece,
        };
        if self.body.is_none() && self.header.is_complete() {
            self.body = Some(BodyReader::new(std::mem::take(&mut self.header).finish()));
        }
        if let Some(body) = &mut self.body {
            body.feed(rest);
        }
    }

    /// The mail is over.
    pub(crate) fn finish(self) -> SignedMail {
        let header = self.header;
        let body = self.body.unwrap_or_else(|| BodyReader::new(header.finish()));
        SignedMail {
            header: body.header,
            signatures: body.signatures,
            simple: body.simple.map(BodyHash::finish),
            relaxed: body.relaxed.map(BodyHash::finish),
        }
    }
}

impl BodyReader {
    fn new(header: Header) -> Self {
        let fields = header.named("dkim-signature").take(MOST_SIGNATURES);
        let signatures: Vec<_> = fields.map(Signature::read).collect();
        let wanted = |form| {
            let mut sound = signatures.iter().flatten();
            sound.any(|signature| signature.body == form).then(|| BodyHash::new(form))
        };
        let (simple, relaxed) = (wanted(Canonical::Simple), wanted(Canonical::Relaxed));
        Self { header, signatures, simple, relaxed }
    }

    fn feed(&mut self, piece: &[u8]) {
        for hash in self.simple.iter_mut().chain(&mut self.relaxed) {
            hash.feed(piece);
        }
    }
}

impl SignedMail {
    /// The header as it came.
    pub(crate) const fn header(&self) -> &Header {
        &self.header
    }

    /// Checks the signatures of domains that are `wanted`, in the order in which they stand. Ends within
    /// [`TIME`].
    pub(crate) async fn verify(
        &self,
        wanted: impl Fn(&Domain) -> bool,
        resolver: &dyn Resolver,
        now: Timestamp,
    ) -> Vec<Checked> {
        let mut checked = Vec::new();
        let check = async {
            for signature in &self.signatures {
                match signature {
                    Err(fault) => {
                        checked.push(Checked { domain: None, result: Err(fault.clone()) });
                    }
                    Ok(signature) if wanted(&signature.domain) => {
                        let result = self.check(signature, resolver, now).await;
                        let domain = Some(signature.domain.clone());
                        checked.push(Checked { domain, result });
                    }
                    Ok(_) => {}
                }
            }
        };
        if timeout(TIME, check).await.is_err() {
            checked.push(Checked { domain: None, result: Err(Fault::Unclear) });
        }
        checked
    }

    /// The cheap questions first: most forgeries cost no look-up.
    async fn check(
        &self,
        signature: &Signature,
        resolver: &dyn Resolver,
        now: Timestamp,
    ) -> Result<Proof, Fault> {
        if signature.expires.is_some_and(|end| end <= now.as_secs()) {
            return Err(Fault::Expired);
        }
        let hash = match signature.body {
            Canonical::Simple => self.simple,
            Canonical::Relaxed => self.relaxed,
        };
        if hash != Some(signature.body_hash) {
            return Err(Fault::BodyChanged);
        }
        let key = key_of(signature, resolver).await?;
        let signed = signature.signed_bytes(&self.header);
        if !key.verifies(signature, &signed)? {
            return Err(Fault::HeaderChanged);
        }
        Ok(Proof {
            domain: signature.domain.clone(),
            selector: signature.selector.clone(),
            fields: signature.fields.clone(),
        })
    }
}

impl Proof {
    /// Whether the fields of this name are signed.
    pub(crate) fn covers(&self, field: &str) -> bool {
        self.fields.iter().any(|signed| **signed == *field)
    }
}

/// Whether a signature of `signer` counts for mail from `author`, if it holds: of the same domain, or of
/// one above it. DMARC's relaxed alignment also takes a sister of the domain; for that one must know which
/// names everybody may have names below.
pub(crate) fn is_aligned(signer: &Domain, author: &Address) -> bool {
    signer.literal().is_none() && author.domain().is_within(signer)
}

async fn key_of(signature: &Signature, resolver: &dyn Resolver) -> Result<Key, Fault> {
    let name = format!("{}._domainkey.{}", signature.selector, signature.domain.as_ascii());
    let no_key = || Fault::NoKey(name.as_str().into());
    let domain = Domain::parse(&name).map_err(|_| no_key())?;
    match resolver.txt(&domain).await {
        Answer::Found(texts) => {
            let keys: Vec<Key> = texts.iter().filter_map(|text| Key::read(text)).collect();
            match <[Key; 1]>::try_from(keys) {
                Ok([key]) => key.is_for(signature).map(|()| key),
                // Other texts under the name are passed over; of two keys nobody knows which.
                Err(keys) if keys.is_empty() => Err(no_key()),
                Err(_) => Err(Fault::Key("there are several under one name")),
            }
        }
        Answer::NoSuchDomain | Answer::NoRecords => Err(no_key()),
        Answer::Temporary(_) => Err(Fault::Unclear),
    }
}

/// As many as are looked at, from the top.
const MOST_SIGNATURES: usize = 8;

/// In which all keys must be found. The peer waits for it.
const TIME: Duration = Duration::from_secs(10);
