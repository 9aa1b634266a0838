//! SCRAM (RFC 5802, RFC 7677), the server's side, with and without channel binding.
//!
//! Ours, because the SASL library's panics on short messages and cannot wait for keys
//! (`docs/decisions/0010-scram-is-ours.md`). Each message is signed as it stood on the wire.

use std::fmt;

use aws_lc_rs::{constant_time, digest, hmac};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use crate::{
    Conducted, Denial, DirectoryError, Mechanism, ScramHash, ScramKeys, TlsExporter, UserName,
    exchange::{Exchange, ExchangeError, Progress},
};

/// A question for the keys of a user, in the middle of an exchange.
#[derive(Debug)]
#[must_use = "the client waits for the challenge"]
pub struct KeyQuery {
    start: Start,
    first: ClientFirst,
}

/// The keys to go on with.
#[derive(Debug)]
pub enum FoundKeys {
    /// The user's.
    Real(ScramKeys),
    /// Those of nobody, and why: the exchange goes on as if they were somebody's, and fails in the
    /// end.
    Decoy(ScramKeys, DirectoryError),
    /// A back end has them, and conducts the exchange itself from here on.
    Elsewhere(Conducted),
}

/// Our part of a nonce: random, and never the same again.
#[derive(Clone, Copy)]
pub struct ServerNonce([u8; 18]);

/// What a SCRAM exchange waits for.
pub(super) enum Scram {
    /// The client's first message.
    First(Start),
    /// The client's proof.
    Proof(Box<ProofDue>),
    /// The empty message that answers our signature (RFC 4954 section 4).
    Confirmation(Mechanism, UserName, ScramKeys),
}

/// What the client has chosen, and what was offered to it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Start {
    /// With the channel.
    Bound(ScramHash, TlsExporter),
    /// Without, and whether it could have had it.
    Free(ScramHash, Offered),
}

/// Whether channel binding was offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Offered {
    Binding,
    NoBinding,
}

/// The client has its challenge.
pub(super) struct ProofDue {
    start: Start,
    first: ClientFirst,
    challenge: String,
    nonce: String,
    keys: ScramKeys,
    /// Why the keys are nobody's, if they are.
    decoy: Option<DirectoryError>,
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
    pub(super) fn begin(
        mechanism: Mechanism,
        channel: Option<TlsExporter>,
    ) -> Result<Self, ExchangeError> {
        Ok(Self::First(match (mechanism, channel) {
            (Mechanism::ScramPlus(hash), Some(channel)) => Start::Bound(hash, channel),
            (Mechanism::Scram(hash), Some(_)) => Start::Free(hash, Offered::Binding),
            (Mechanism::Scram(hash), None) => Start::Free(hash, Offered::NoBinding),
            (Mechanism::ScramPlus(_), None)
            | (
                Mechanism::External
                | Mechanism::OAuthBearer
                | Mechanism::XOAuth2
                | Mechanism::Plain
                | Mechanism::Login
                | Mechanism::CramMd5,
                _,
            ) => return Err(ExchangeError::Broken),
        }))
    }

    pub(super) const fn mechanism(&self) -> Mechanism {
        match self {
            Self::First(start) => start.mechanism(),
            Self::Proof(due) => due.start.mechanism(),
            Self::Confirmation(mechanism, ..) => *mechanism,
        }
    }

    pub(super) const fn claimant(&self) -> Option<&UserName> {
        match self {
            Self::Proof(due) => Some(&due.first.user),
            Self::First(_) | Self::Confirmation(..) => None,
        }
    }

    pub(super) fn answer(self, message: &[u8]) -> Result<Progress, ExchangeError> {
        match self {
            Self::First(start) => {
                let first = ClientFirst::parse(message, start)?;
                Ok(Progress::NeedKeys(KeyQuery { start, first }))
            }
            Self::Proof(due) => due.check(message),
            Self::Confirmation(mechanism, user, keys) if message.is_empty() => {
                Ok(Progress::Proven { user, mechanism, keys })
            }
            Self::Confirmation(..) => {
                Err(ExchangeError::Malformed("SCRAM ends with an empty message"))
            }
        }
    }
}

impl Start {
    const fn mechanism(self) -> Mechanism {
        match self {
            Self::Bound(hash, _) => Mechanism::ScramPlus(hash),
            Self::Free(hash, _) => Mechanism::Scram(hash),
        }
    }

    const fn hash(self) -> ScramHash {
        match self {
            Self::Bound(hash, _) | Self::Free(hash, _) => hash,
        }
    }

    /// Whether the client's flag goes with what it chose.
    fn check(self, flag: &str) -> Result<(), ExchangeError> {
        match (self, flag) {
            (Self::Bound(..), "p=tls-exporter") | (Self::Free(..), "n") => Ok(()),
            (Self::Free(_, Offered::NoBinding), "y") => Ok(()),
            (Self::Free(_, Offered::Binding), "y") => Err(ExchangeError::Downgraded),
            (Self::Bound(..), "n" | "y") => Err(NOT_BOUND),
            (_, flag) if flag.starts_with("p=") => Err(OTHER_BINDING),
            _ => Err(NOT_SCRAM),
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
        self.start.hash()
    }

    /// Of which mechanism the exchange is.
    #[must_use]
    pub const fn mechanism(&self) -> Mechanism {
        self.start.mechanism()
    }

    /// The client's first message, byte for byte.
    #[must_use]
    pub fn message(&self) -> String {
        format!("{}{}", self.first.header, self.first.bare)
    }

    /// Goes on with keys and a nonce that was never used, or with the challenge of whoever has the
    /// keys.
    ///
    /// # Errors
    /// The keys are not for [`Self::hash`].
    pub fn answer(self, found: FoundKeys, ours: ServerNonce) -> Result<Progress, ExchangeError> {
        let (keys, decoy) = match found {
            FoundKeys::Real(keys) => (keys, None),
            FoundKeys::Decoy(keys, why) => (keys, Some(why)),
            FoundKeys::Elsewhere(conducted) => {
                let mechanism = self.mechanism();
                let exchange = Exchange::conducted(mechanism, self.first.user, conducted);
                return Ok(Progress::Challenge(exchange));
            }
        };
        if keys.hash() != self.hash() {
            return Err(ExchangeError::Broken);
        }
        let nonce = format!("{}{}", self.first.nonce, ours.text());
        let salt = STANDARD.encode(keys.salt());
        let challenge = format!("r={nonce},s={salt},i={}", keys.iterations());
        let sent = challenge.clone().into_bytes();
        let Self { start, first } = self;
        let due = ProofDue { start, first, challenge, nonce, keys, decoy };
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

    /// In base64.
    pub(super) fn text(self) -> String {
        STANDARD.encode(self.0)
    }
}

impl fmt::Debug for ServerNonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerNonce(..)")
    }
}

impl ClientFirst {
    fn parse(message: &[u8], start: Start) -> Result<Self, ExchangeError> {
        let text = str::from_utf8(message).map_err(|_| NOT_SCRAM)?;
        let (flag, rest) = text.split_once(',').ok_or(NOT_SCRAM)?;
        let (acting_as, bare) = rest.split_once(',').ok_or(NOT_SCRAM)?;
        start.check(flag)?;
        // What may follow the nonce are extensions; the mandatory ones come first, where the name
        // is wanted.
        let mut fields = bare.split(',');
        let mut field = |key| fields.next().and_then(|field| field.strip_prefix(key));
        let (Some(user), Some(nonce)) = (field("n="), field("r=")) else { return Err(NOT_SCRAM) };
        if nonce.is_empty() || !nonce.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(NOT_SCRAM);
        }
        let user: UserName = unescape(user).ok_or(NOT_SCRAM)?.parse()?;
        if !acting_as.is_empty() {
            let other = acting_as.strip_prefix("a=").and_then(unescape).ok_or(NOT_SCRAM)?;
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
        let is_ours = header == self.binding() && nonce == self.nonce;
        let signed = format!("{},{},{said}", self.first.bare, self.challenge);
        let fits = self.fits(&proof, signed.as_bytes());
        let (hash, user) = (self.keys.hash(), self.first.user);
        if !is_ours || !fits || self.decoy.is_some() {
            let error = self.decoy.unwrap_or(Denial::WrongPassword.into());
            return Ok(Progress::Disproven { user, error });
        }
        let key = hmac::Key::new(hash.hmac(), self.keys.server_key());
        let signature = STANDARD.encode(hmac::sign(&key, signed.as_bytes()));
        let confirmation = Scram::Confirmation(self.start.mechanism(), user, self.keys);
        Ok(Progress::Challenge(Exchange::ask_scram(
            format!("v={signature}").into_bytes(),
            confirmation,
        )))
    }

    /// What a client on this very channel repeats with its proof.
    fn binding(&self) -> String {
        let mut bound = self.first.header.clone().into_bytes();
        match &self.start {
            Start::Bound(_, channel) => bound.extend_from_slice(&channel.0),
            Start::Free(..) => {}
        }
        STANDARD.encode(bound)
    }

    /// Whether the proof holds the client key whose hash we know (RFC 5802 section 3).
    fn fits(&self, proof: &[u8], signed: &[u8]) -> bool {
        let stored = self.keys.stored_key();
        let key = hmac::Key::new(self.keys.hash().hmac(), stored);
        let mask = hmac::sign(&key, signed);
        if proof.len() != mask.as_ref().len() {
            return false;
        }
        // It is as good as the password.
        let client_key: Zeroizing<Vec<u8>> =
            Zeroizing::new(proof.iter().zip(mask.as_ref()).map(|(a, b)| a ^ b).collect());
        let hashed = digest::digest(self.keys.hash().digest(), &client_key);
        constant_time::verify_slices_are_equal(hashed.as_ref(), stored).is_ok()
    }
}

/// `=2C` is a comma and `=3D` an equals sign; nothing else is escaped (RFC 5802 section 5.1).
pub(super) fn unescape(name: &str) -> Option<String> {
    let mut pieces = name.split('=');
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (character, rest) = match (piece.strip_prefix("2C"), piece.strip_prefix("3D")) {
            (Some(rest), _) => (',', rest),
            (None, Some(rest)) => ('=', rest),
            (None, None) => return None,
        };
        plain.push(character);
        plain.push_str(rest);
    }
    Some(plain)
}

const NOT_SCRAM: ExchangeError = ExchangeError::Malformed("this is no SCRAM message of RFC 5802");
const NOT_BOUND: ExchangeError =
    ExchangeError::Malformed("the client chose channel binding and does not use it");
const OTHER_BINDING: ExchangeError =
    ExchangeError::Malformed("the client binds to what was not offered; tls-exporter is");
