//! Access tokens that an identity provider has signed (JWT, RFC 9068), for OAUTHBEARER and XOAUTH2.
//!
//! A token is judged here, without asking the issuer: `token` reads it and `claims` holds it
//! against the settings, with the time as an argument; `keys` are the issuer's, and `source` gets
//! them from a file or over the network (`fetch`) when `schedule` says so. Nobody else's key, and
//! no algorithm that the key is not for, is ever tried (RFC 8725).
//!
//! A bearer token proves its user to whoever receives it until it expires, and mail clients use one
//! for many log-ins: that is what it is made for. What bounds a stolen one is its life, which the
//! issuer sets. [`OAuthSettings::one_use`] is for issuers that make one token for one log-in
//! (`attacks.md` C8).

mod algorithm;
mod claims;
mod fetch;
mod keys;
mod schedule;
mod source;
mod token;
mod url;
mod used;

use std::{
    path::PathBuf,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use crate::{
    Attempt, Credentials, Denial, Directory, DirectoryError, Identity, KeySearch, Mechanism, Proof,
    Scope, ScramHash, UserName, Verification,
    backends::oauth::{
        claims::UnixTime,
        keys::Key,
        source::{Source, Wanted},
        token::{Signed, Unverified},
        used::UsedTokens,
    },
};

pub use self::{
    algorithm::{SignatureAlgorithm, UnknownAlgorithm},
    token::TokenFault,
    url::{JwksUrl, JwksUrlError},
};

/// A directory that knows no users: whoever brings a token that its issuer has signed for us and
/// for this user is that user.
#[derive(Debug)]
pub struct OAuth {
    settings: OAuthSettings,
    source: Source,
    used: Mutex<UsedTokens>,
}

/// Which tokens count. `Debug` holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OAuthSettings {
    /// The claim `iss` of the tokens, letter by letter (Dovecot: `issuers`).
    pub issuer: Box<str>,
    /// The claim `aud` has to hold one of these: the names by which the issuer knows this gateway.
    /// Without it, a token that was given to any other service of the issuer would do here.
    pub audience: Vec<Box<str>>,
    /// Where the issuer's keys are.
    pub jwks: JwksSource,
    /// PEM file of the authorities that may vouch for the host of the keys' URL. Default: those of
    /// the Mozilla root programme, as of the build.
    pub ca_file: Option<PathBuf>,
    /// The claim with the user's name, compared as user names are; one that begins with `/` is a
    /// JSON pointer (RFC 6901). Default: `email`, for that is what mail clients know a user by; it
    /// does not count if the token says that it is not verified. Where users can set their own
    /// address at the issuer without proof, take another one (Dovecot: `username_attribute`).
    pub user_claim: Box<str>,
    /// The claim with the user's roles, as [`Self::user_claim`]: one name or a list, in which names
    /// that are no [`Role`](crate::Role) are left out. Default: none, and so every user sends.
    pub roles_claim: Option<Box<str>>,
    /// What `scope` or `scp` has to hold. Default: nothing (Dovecot: `scope`).
    pub required_scope: Option<Scope>,
    /// The algorithms that count, as far as the issuer's keys are for them. Default: RS256, PS256,
    /// ES256, ES384, EdDSA.
    pub algorithms: Vec<SignatureAlgorithm>,
    /// By how much the issuer's clock may differ from ours. Default: 60 s.
    pub leeway: Duration,
    /// Whether a token counts once only. Default: no. Switch it on where the issuer makes one token
    /// for one log-in: mail programs use theirs for an hour, and would be refused. What was used is
    /// forgotten when the gateway stops.
    pub one_use: bool,
}

/// Where the issuer's keys are: a JWK Set (RFC 7517).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JwksSource {
    /// A file, looked at at most once a second and read again when it has changed.
    File(PathBuf),
    /// The issuer's own place (`jwks_uri` in its metadata, RFC 8414). Kept as long as the answer's
    /// `Cache-Control: max-age` says, but at least 5 minutes and at most 24 hours; asked again at
    /// most once a minute when a token names a key that is not known. Old keys go on counting while
    /// they are renewed and if that fails; only the first log-in for long waits for the renewal.
    Url(JwksUrl),
}

impl OAuthSettings {
    /// The settings for tokens of `issuer` for `audience`, with all defaults.
    #[must_use]
    pub fn new(issuer: &str, audience: &str, jwks: JwksSource) -> Self {
        Self {
            issuer: issuer.into(),
            audience: vec![audience.into()],
            jwks,
            ca_file: None,
            user_claim: "email".into(),
            roles_claim: None,
            required_scope: None,
            algorithms: SignatureAlgorithm::DEFAULT.to_vec(),
            leeway: Duration::from_secs(60),
            one_use: false,
        }
    }
}

impl OAuth {
    /// A directory for these tokens. Reads the files that the settings name, and blocks for that;
    /// it does not ask the network, so that the gateway starts while the issuer is down.
    ///
    /// # Errors
    /// [`OAuthError`]: the settings leave no token that could count, or a file cannot be read.
    pub fn open(settings: OAuthSettings) -> Result<Self, OAuthError> {
        if settings.issuer.is_empty() {
            return Err(OAuthError::NoIssuer);
        }
        if !settings.audience.iter().any(|name| !name.is_empty()) {
            return Err(OAuthError::NoAudience);
        }
        if settings.algorithms.is_empty() {
            return Err(OAuthError::NoAlgorithm);
        }
        let source = Source::open(&settings.jwks, settings.ca_file.as_deref())?;
        Ok(Self { settings, source, used: Mutex::default() })
    }

    /// Why the issuer's keys could not be renewed when that was last tried: worth a warning, for
    /// the keys known until then go on counting.
    #[must_use]
    pub fn problem(&self) -> Option<Box<str>> {
        self.source.problem()
    }

    async fn check(
        &self,
        credentials: &Credentials,
        attempt: &Attempt,
    ) -> Result<Identity, DirectoryError> {
        let Proof::Token(token) = credentials.proof() else {
            return Err(Denial::OtherProof.into());
        };
        let token = Unverified::read(token.reveal())?;
        if !self.settings.algorithms.contains(&token.algorithm()) {
            return Err(TokenFault::Algorithm.into());
        }
        let key = self.key(&token, attempt.now).await?;
        let token = token.verify(&key)?;
        self.judge(&token, credentials.user(), unix_time()?)
    }

    /// The issuer's key for this token; one that is not known may be new.
    async fn key(&self, token: &Unverified<'_>, now: Instant) -> Result<Key, DirectoryError> {
        let known = self.source.keys(Wanted::Any, now).await?;
        match known.find(token.key_id(), token.algorithm()) {
            Err(TokenFault::UnknownKey) => {
                let renewed = self.source.keys(Wanted::New, now).await?;
                match (renewed.find(token.key_id(), token.algorithm()), self.problem()) {
                    // The issuer may know the key, if only it could be asked. Anybody can name any
                    // key: that must not make the back end look as if it were down for everybody.
                    (Err(TokenFault::UnknownKey), Some(_)) => Err(DirectoryError::Busy),
                    (found, _) => Ok(found?.clone()),
                }
            }
            found => Ok(found?.clone()),
        }
    }

    fn judge(
        &self,
        token: &Signed,
        user: &UserName,
        now: UnixTime,
    ) -> Result<Identity, DirectoryError> {
        let approved = token.claims().approve(&self.settings, now)?;
        if approved.user != *user {
            return Err(TokenFault::OtherUser.into());
        }
        if self.settings.one_use {
            let until = approved.expiry.saturating_add(self.settings.leeway.as_secs());
            self.used.lock().unwrap_or_else(PoisonError::into_inner).use_up(
                token.fingerprint(),
                until,
                now,
            )?;
        }
        Ok(Identity::proven(approved.user).with_roles(approved.roles))
    }
}

impl Directory for OAuth {
    fn serves(&self, mechanism: Mechanism) -> bool {
        match mechanism {
            Mechanism::OAuthBearer | Mechanism::XOAuth2 => true,
            Mechanism::External
            | Mechanism::ScramPlus(_)
            | Mechanism::Scram(_)
            | Mechanism::Plain
            | Mechanism::Login
            | Mechanism::CramMd5 => false,
        }
    }

    fn verify<'a>(
        &'a self,
        credentials: &'a Credentials,
        attempt: &'a Attempt,
    ) -> Verification<'a> {
        Box::pin(self.check(credentials, attempt))
    }

    fn keys<'a>(&'a self, _user: &'a UserName, _hash: ScramHash) -> KeySearch<'a> {
        Box::pin(std::future::ready(Err(Denial::OtherProof.into())))
    }
}

impl From<TokenFault> for DirectoryError {
    fn from(fault: TokenFault) -> Self {
        Denial::Token(fault).into()
    }
}

/// Why no token can be judged with these settings. All are the configuration's fault.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OAuthError {
    /// `issuer` is empty.
    #[error("the issuer of the tokens is not named")]
    NoIssuer,
    /// `audience` is empty.
    #[error("no audience is named: tokens for other services would count here")]
    NoAudience,
    /// `algorithms` is empty.
    #[error("no signature algorithm is allowed")]
    NoAlgorithm,
    /// The file with the keys cannot be read, or holds none that can be used.
    #[error("cannot take the issuer's keys from {}: {reason}", path.display())]
    Jwks {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: Box<str>,
    },
    /// The file with the authorities cannot be read, or holds none.
    #[error("cannot take authorities from {}: {reason}", path.display())]
    Authorities {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: Box<str>,
    },
    /// TLS cannot be set up: our own fault.
    #[error("TLS could not be set up; please report this: {0}")]
    Tls(Box<str>),
}

/// The time that tokens are held against.
#[expect(
    clippy::disallowed_methods,
    reason = "the issuer's times are of the calendar, which an attempt does not know"
)]
fn unix_time() -> Result<UnixTime, DirectoryError> {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let before = "the clock of this machine stands before 1970, so that no token can be judged";
    since.map(|time| time.as_secs()).map_err(|_| DirectoryError::Unavailable(before.into()))
}
