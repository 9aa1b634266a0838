//! A token: read, then verified, then judged. Each step is a type of its own.

use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::decode_header;

use crate::backends::oauth::{algorithm::SignatureAlgorithm, claims::Claims, keys::Key};

/// A token as it came. Nothing in it may be believed yet, but for finding the key to check it.
pub(super) struct Unverified<'a> {
    algorithm: SignatureAlgorithm,
    key_id: Option<String>,
    signed: &'a str,
    payload: &'a str,
    signature: &'a str,
}

/// What the issuer has signed. Whether it is for us, now, is open.
pub(super) struct Signed {
    claims: Claims,
    fingerprint: Fingerprint,
}

/// What tells a token from all others: the hash of what is signed. (Not of the whole token: one
/// signature can be written in two ways.)
pub(super) type Fingerprint = [u8; 32];

impl<'a> Unverified<'a> {
    pub(super) fn read(token: &'a str) -> Result<Self, TokenFault> {
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenFault::Malformed)?;
        let (_, payload) = signed.split_once('.').ok_or(TokenFault::Malformed)?;
        let header = decode_header(token).map_err(|_| TokenFault::Malformed)?;
        // An extension that must be understood (RFC 7515 section 4.1.11): we know none.
        if header.crit.is_some() {
            return Err(TokenFault::Malformed);
        }
        let is_ours = |kind: &String| TYPES.iter().any(|known| known.eq_ignore_ascii_case(kind));
        if !header.typ.as_ref().is_some_and(is_ours) {
            return Err(TokenFault::Type);
        }
        let algorithm = SignatureAlgorithm::of(header.alg).ok_or(TokenFault::Algorithm)?;
        Ok(Self { algorithm, key_id: header.kid, signed, payload, signature })
    }

    pub(super) const fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    pub(super) fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// Checks the signature by this key, which must be for the token's algorithm.
    pub(super) fn verify(self, key: &Key) -> Result<Signed, TokenFault> {
        key.verify(self.algorithm, self.signed.as_bytes(), &decode(self.signature)?)?;
        let claims = Claims::read(&decode(self.payload)?).ok_or(TokenFault::Malformed)?;
        let mut fingerprint = [0; 32];
        let hash = digest::digest(&digest::SHA256, self.signed.as_bytes());
        fingerprint.copy_from_slice(hash.as_ref());
        Ok(Signed { claims, fingerprint })
    }
}

impl Signed {
    pub(super) const fn claims(&self) -> &Claims {
        &self.claims
    }

    pub(super) const fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }
}

/// What is wrong with an access token: for the administrator's log, never for the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenFault {
    /// It is no JWT (RFC 7519), or signed in a way that nobody here knows, or not signed at all.
    #[error("the token is no JSON Web Token with a signature by a public key")]
    Malformed,
    /// `typ` is neither `at+jwt` nor `JWT` (RFC 9068 section 2.1).
    #[error("the token is of another type than an access token")]
    Type,
    /// The algorithm is not allowed, or the key is for another one.
    #[error("the token is signed by an algorithm that is not allowed or that its key is not for")]
    Algorithm,
    /// `kid` names no key of the issuer; or there is none, and the issuer has several keys.
    #[error("the issuer has no key by the name that stands in the token")]
    UnknownKey,
    /// The signature is not by this key.
    #[error("the token's signature is wrong")]
    Signature,
    /// There is no `exp`, or it is no number.
    #[error("the token has no time of expiry")]
    NoExpiry,
    /// `exp` has passed.
    #[error("the token has expired")]
    Expired,
    /// `nbf` has not come.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// `iss` is another.
    #[error("the token is of another issuer")]
    Issuer,
    /// `aud` does not name us.
    #[error("the token is for another audience")]
    Audience,
    /// `scope` lacks what is required.
    #[error("the token lacks the required scope")]
    Scope,
    /// The claim with the user's name is not there, or can be no name, or is not verified.
    #[error("the token names no user in the configured claim")]
    NoUser,
    /// The token is somebody else's.
    #[error("the token is of another user")]
    OtherUser,
    /// The token was used before, and counts once.
    #[error("the token was used before")]
    Used,
}

fn decode(part: &str) -> Result<Vec<u8>, TokenFault> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenFault::Malformed)
}

/// `application/` may be left out (RFC 7515 section 4.1.9).
const TYPES: [&str; 4] = ["at+jwt", "application/at+jwt", "JWT", "application/JWT"];
