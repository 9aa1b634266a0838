//! Reads a mail as it flows past: keeps its header and hashes its body, as its signatures need it and as
//! one of ours would.

use super::{
    digest::{BodyDigests, BodyReader, SignedBody},
    header::{Header, HeaderReader},
    signature::{Kind, Seen},
};

/// Reads a mail as it flows past, with CRLF line ends.
#[derive(Default)]
pub struct SignatureReader {
    header: HeaderReader,
    /// Whether the hash of the body is wanted that our own signature will need.
    is_to_be_signed: bool,
    /// Once the header is complete.
    behind: Option<Behind>,
}

/// What is read behind the header.
struct Behind {
    header: Header,
    signatures: Signatures,
    body: BodyReader,
}

/// The signatures that a header has.
pub(super) struct Signatures {
    pub(super) dkim: Vec<Seen>,
    /// So many are too many.
    pub(super) not_looked_at: usize,
    /// ARC-Message-Signature fields, from the top.
    pub(super) arc: Vec<Seen>,
}

/// A mail that was read to its end. What its signatures are worth is asked of [`SignedMail::verify`].
pub struct SignedMail {
    header: Header,
    pub(super) signatures: Signatures,
    pub(super) body: BodyDigests,
}

impl SignatureReader {
    /// A reader that also hashes the body as a [`Signer`](super::Signer) needs it.
    #[must_use]
    pub fn for_signing() -> Self {
        Self { is_to_be_signed: true, ..Self::default() }
    }

    /// Takes the next piece of content.
    pub fn feed(&mut self, piece: &[u8]) {
        let rest = match &self.behind {
            None => self.header.feed(piece),
            Some(_) => piece,
        };
        if self.behind.is_none() && self.header.is_complete() {
            let header = std::mem::take(&mut self.header).finish();
            self.behind = Some(Behind::new(header, self.is_to_be_signed));
        }
        if let Some(behind) = &mut self.behind {
            behind.body.feed(rest);
        }
    }

    /// The mail is over.
    #[must_use]
    pub fn finish(self) -> SignedMail {
        let Self { header, is_to_be_signed, behind } = self;
        let behind = behind.unwrap_or_else(|| Behind::new(header.finish(), is_to_be_signed));
        let Behind { header, signatures, body } = behind;
        SignedMail { header, signatures, body: body.finish() }
    }
}

impl Behind {
    fn new(header: Header, is_to_be_signed: bool) -> Self {
        let signatures = Signatures::read(&header);
        let seen = signatures.dkim.iter().chain(&signatures.arc);
        let sound = seen.filter_map(|seen| seen.signature.as_ref().ok());
        let bodies: Vec<SignedBody> = sound.map(|signature| signature.body).collect();
        Self { header, signatures, body: BodyReader::new(&bodies, is_to_be_signed) }
    }
}

impl Signatures {
    fn read(header: &Header) -> Self {
        let (mut dkim, mut arc, mut not_looked_at) = (Vec::new(), Vec::new(), 0);
        for field in header.fields() {
            if field.is("DKIM-Signature") {
                match dkim.len() < MOST_SIGNATURES {
                    true => dkim.push(Seen::read(field, Kind::Dkim)),
                    false => not_looked_at += 1,
                }
            } else if field.is("ARC-Message-Signature") && arc.len() < MOST_INSTANCES {
                arc.push(Seen::read(field, Kind::ArcMessage));
            }
        }
        Self { dkim, not_looked_at, arc }
    }
}

impl SignedMail {
    /// The header as it came.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The hash of the body for [`Signer::sign`](super::Signer::sign), if a reader
    /// [`for_signing`](SignatureReader::for_signing) read it.
    #[must_use]
    pub fn body_hash(&self) -> Option<[u8; 32]> {
        self.body.relaxed()
    }

    pub(crate) fn arc_signatures(&self) -> &[Seen] {
        &self.signatures.arc
    }

    pub(crate) const fn body(&self) -> &BodyDigests {
        &self.body
    }
}

/// As many as are looked at, from the top. Good mail has one to four.
pub(super) const MOST_SIGNATURES: usize = 10;

/// RFC 8617 section 4.2.1: no chain has more sets.
pub(crate) const MOST_INSTANCES: usize = 50;
