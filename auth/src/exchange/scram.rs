//! SCRAM (RFC 5802, RFC 7677), the server's side without channel binding.
//!
//! Ours, because the SASL library's panics on short messages and cannot wait for keys
//! (`docs/decisions/0010-scram-is-ours.md`). Each message is signed as it stood on the wire.

use std::fmt;

use aws_lc_rs::{constant_time, digest, hmac};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{
    Denial, Mechanism, ScramHash, ScramKeys, UserName,
    exchange::{Exchange, ExchangeError, Progress},
};

/// A question for the keys of a user, in the middle of an exchange.
#[derive(Debug)]
#[must_use = "the client waits for the challenge"]
pub struct KeyQuery {
    hash: ScramHash,
    first: ClientFirst,
}

/// The keys to go on with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FoundKeys {
    /// The user's.
    Real(ScramKeys),
    /// Those of nobody, and why: the exchange goes on as if they were somebody's, and fails in the
    /// end.
    Decoy(ScramKeys, Denial),
}

/// Our part of a nonce: random, and never the same again.
#[derive(Clone, Copy)]
pub struct ServerNonce([u8; 18]);

/// What a SCRAM exchange waits for.
pub(super) enum Scram {
    /// The client's first message.
    First(ScramHash),
    /// The client's proof.
    Proof(Box<ProofDue>),
    /// The empty message that answers our signature (RFC 4954 section 4).
    Confirmation(ScramHash, UserName),
}

/// The client has its challenge.
pub(super) struct ProofDue {
    first: ClientFirst,
    challenge: String,
    nonce: String,
    keys: ScramKeys,
    /// What a proof means that does not fit, or that fits keys of nobody.
    otherwise: Denial,
    is_decoy: bool,
}

/// The client's first message.
#[derive(Debug)]
struct ClientFirst {
    user: UserName,
    /// What comes back with the proof: the binding flag and the name to act as.
    header: String,
    /// The message behind the header.
    bare: String,
    nonce: String,
}

impl Scram {
    pub(super) const fn hash(&self) -> ScramHash {
        match self {
            Self::First(hash) | Self::Confirmation(hash, _) => *hash,
            Self::Proof(due) => due.keys.hash(),
        }
    }

    pub(super) fn answer(self, message: &[u8]) -> Result<Progress, ExchangeError> {
        match self {
            Self::First(hash) => {
                let first = ClientFirst::parse(message)?;
                Ok(Progress::NeedKeys(KeyQuery { hash, first }))
            }
            Self::Proof(due) => due.check(message),
            Self::Confirmation(hash, user) if message.is_empty() => {
                Ok(Progress::Proven { user, mechanism: Mechanism::Scram(hash) })
            }
            Self::Confirmation(..) => {
                Err(ExchangeError::Malformed("SCRAM ends with an empty message"))
            }
        }
    }
}

impl KeyQuery {
    /// Whose keys are wanted.
    #[must_use]
    pub const fn user(&self) -> &UserName {
        &self.first.user
    }

    /// For which hash.
    #[must_use]
    pub const fn hash(&self) -> ScramHash {
        self.hash
    }

    /// Goes on with keys and a nonce that was never used.
    ///
    /// # Errors
    /// The keys are not for [`Self::hash`].
    pub fn answer(self, found: FoundKeys, ours: ServerNonce) -> Result<Progress, ExchangeError> {
        let (keys, otherwise, is_decoy) = match found {
            FoundKeys::Real(keys) => (keys, Denial::WrongPassword, false),
            FoundKeys::Decoy(keys, denial) => (keys, denial, true),
        };
        if keys.hash() != self.hash {
            return Err(ExchangeError::Broken);
        }
        let nonce = format!("{}{}", self.first.nonce, STANDARD.encode(ours.0));
        let salt = STANDARD.encode(keys.salt());
        let challenge = format!("r={nonce},s={salt},i={}", keys.iterations());
        let sent = challenge.clone().into_bytes();
        let first = self.first;
        let due = ProofDue { first, challenge, nonce, keys, otherwise, is_decoy };
        Ok(Progress::Challenge(Exchange::ask_scram(sent, Scram::Proof(due.into()))))
    }
}

impl ServerNonce {
    /// A fresh one.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 18];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }
}

impl fmt::Debug for ServerNonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerNonce(..)")
    }
}

impl ClientFirst {
    fn parse(message: &[u8]) -> Result<Self, ExchangeError> {
        let text = str::from_utf8(message).map_err(|_| NOT_SCRAM)?;
        let (flag, rest) = text.split_once(',').ok_or(NOT_SCRAM)?;
        let (acting_as, bare) = rest.split_once(',').ok_or(NOT_SCRAM)?;
        match flag {
            "n" | "y" => {}
            _ if flag.starts_with("p=") => return Err(NO_BINDING),
            _ => return Err(NOT_SCRAM),
        }
        // What may follow the nonce are extensions; the mandatory ones come first, where the name
        // is wanted.
        let mut fields = bare.split(',');
        let mut field = |key| fields.next().and_then(|field| field.strip_prefix(key));
        let (Some(user), Some(nonce)) = (field("n="), field("r=")) else { return Err(NOT_SCRAM) };
        if nonce.is_empty() || !nonce.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(NOT_SCRAM);
        }
        let user: UserName = unescape(user)?.parse()?;
        if !acting_as.is_empty() {
            let other = unescape(acting_as.strip_prefix("a=").ok_or(NOT_SCRAM)?)?;
            if other.parse().as_ref() != Ok(&user) {
                return Err(ExchangeError::OtherIdentity);
            }
        }
        let header = format!("{flag},{acting_as},");
        Ok(Self { user, header, bare: bare.into(), nonce: nonce.into() })
    }
}

impl ProofDue {
    fn check(self, message: &[u8]) -> Result<Progress, ExchangeError> {
        let text = str::from_utf8(message).map_err(|_| NOT_SCRAM)?;
        let (said, proof) = text.rsplit_once(",p=").ok_or(NOT_SCRAM)?;
        let proof = STANDARD.decode(proof).map_err(|_| NOT_SCRAM)?;
        let mut fields = said.split(',');
        let mut field = |key| fields.next().and_then(|field| field.strip_prefix(key));
        let (Some(header), Some(nonce)) = (field("c="), field("r=")) else { return Err(NOT_SCRAM) };
        let is_ours = header == STANDARD.encode(&self.first.header) && nonce == self.nonce;
        let signed = format!("{},{},{said}", self.first.bare, self.challenge);
        let fits = self.fits(&proof, signed.as_bytes());
        let (hash, user) = (self.keys.hash(), self.first.user);
        if !is_ours || !fits || self.is_decoy {
            return Ok(Progress::Disproven { user, denial: self.otherwise });
        }
        let key = hmac::Key::new(hash.hmac(), self.keys.server_key());
        let signature = STANDARD.encode(hmac::sign(&key, signed.as_bytes()));
        let confirmation = Scram::Confirmation(hash, user);
        Ok(Progress::Challenge(Exchange::ask_scram(
            format!("v={signature}").into_bytes(),
            confirmation,
        )))
    }

    /// Whether the proof holds the client key whose hash we know (RFC 5802 section 3).
    fn fits(&self, proof: &[u8], signed: &[u8]) -> bool {
        let stored = self.keys.stored_key();
        let key = hmac::Key::new(self.keys.hash().hmac(), stored);
        let mask = hmac::sign(&key, signed);
        if proof.len() != mask.as_ref().len() {
            return false;
        }
        let client_key: Vec<u8> = proof.iter().zip(mask.as_ref()).map(|(a, b)| a ^ b).collect();
        let hashed = digest::digest(self.keys.hash().digest(), &client_key);
        constant_time::verify_slices_are_equal(hashed.as_ref(), stored).is_ok()
    }
}

/// `=2C` is a comma and `=3D` an equals sign; nothing else is escaped (RFC 5802 section 5.1).
fn unescape(name: &str) -> Result<String, ExchangeError> {
    let mut pieces = name.split('=');
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (character, rest) = match (piece.strip_prefix("2C"), piece.strip_prefix("3D")) {
            (Some(rest), _) => (',', rest),
            (None, Some(rest)) => ('=', rest),
            (None, None) => return Err(NOT_SCRAM),
        };
        plain.push(character);
        plain.push_str(rest);
    }
    Ok(plain)
}

const NOT_SCRAM: ExchangeError = ExchangeError::Malformed("this is no SCRAM message of RFC 5802");
const NO_BINDING: ExchangeError =
    ExchangeError::Malformed("the client wants channel binding, which was not offered");
