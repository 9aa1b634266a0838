//! Several directories as one: asked in order, each watched, none waited for longer than it may take.
//!
//! A user may be in any of them; who is denied by one is asked for at the next. If nobody proved
//! the claim and one could not be asked, we cannot tell, and say so: "denied" would be a lie.

mod health;
mod report;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    hint::black_box,
    ops::ControlFlow,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::{Instant, timeout};

pub use self::report::{BackendAnswer, BackendReport, Report};
use crate::{
    Attempt, Conversation, ConversationStep, CramMd5Claim, CramMd5Keys, Credentials, Denial,
    Directory, DirectoryError, FoundKeys, Identity, KeyQuery, KeySearch, KeyedIdentity, Mechanism,
    ScramHash, UserName, Verification,
    chain::health::Pulse,
    lock::lock,
    proven::{Proof, ProofKey, Proven},
};

/// Directories in the order in which they are asked.
pub struct Chain {
    links: Vec<Arc<Link>>,
    proof_key: ProofKey,
    on_change: Box<dyn Fn(HealthChange) + Send + Sync>,
}

/// A directory and how it is treated.
#[derive(Debug)]
pub struct Backend {
    /// The name in logs and metrics.
    pub name: Box<str>,
    /// Who knows the users.
    pub directory: Box<dyn Directory>,
    /// How long it may take to answer.
    pub timeout: Duration,
    /// How long a password that it accepted is accepted again, from the same address at the same
    /// listener, without asking. Zero: always ask.
    pub cache_ttl: Duration,
}

/// Whether a back end answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// It does, or was not asked yet.
    Up,
    /// It does not.
    Down {
        /// What happened when it was last asked, for the administrator.
        reason: Box<str>,
    },
}

/// The health of a back end has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthChange {
    /// Its name.
    pub backend: Box<str>,
    /// Its health from now on.
    pub health: Health,
}

/// An exchange that one of the back ends conducts ([`Directory::converse`]). Dropping it cancels
/// it.
#[must_use = "the client waits for the challenge"]
pub struct Conducted {
    link: Arc<Link>,
    conversation: Conversation,
}

impl Conducted {
    /// The bytes to send to the client, not yet in base64.
    #[must_use]
    pub fn challenge(&self) -> &[u8] {
        self.conversation.challenge()
    }
}

impl fmt::Debug for Conducted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let backend = &self.link.backend.name;
        f.debug_struct("Conducted").field("backend", backend).finish_non_exhaustive()
    }
}

struct Link {
    backend: Backend,
    pulse: Mutex<Pulse>,
    proven: Mutex<Proven<Identity>>,
}

impl Chain {
    /// A chain of these back ends. `on_change` hears when one goes down or comes back.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn new(
        backends: Vec<Backend>,
        on_change: impl Fn(HealthChange) + Send + Sync + 'static,
    ) -> Result<Self, getrandom::Error> {
        let links = backends.into_iter().map(|backend| {
            Arc::new(Link {
                pulse: Mutex::default(),
                proven: Mutex::new(Proven::new(backend.cache_ttl)),
                backend,
            })
        });
        Ok(Self {
            links: links.collect(),
            proof_key: ProofKey::random()?,
            on_change: Box::new(on_change),
        })
    }

    /// Whether a mechanism may be offered to everybody.
    ///
    /// A client takes the strongest mechanism that it is offered and does not try another when it
    /// fails. So SCRAM is for all who have a password or for nobody: it is offered if every back
    /// end that checks passwords can do it. CRAM-MD5 is for nobody who was not told to use it.
    #[must_use]
    pub fn offers(&self, mechanism: Mechanism) -> bool {
        let by_password = |link: &&Arc<Link>| link.backend.directory.serves(Mechanism::Plain);
        match mechanism {
            Mechanism::ScramPlus(_) | Mechanism::Scram(_) => {
                let mut links = self.links.iter().filter(by_password);
                self.serves(mechanism) && links.all(|link| link.backend.directory.serves(mechanism))
            }
            // A client that has no certificate is not offered EXTERNAL and takes another.
            Mechanism::External
            | Mechanism::OAuthBearer
            | Mechanism::XOAuth2
            | Mechanism::Plain
            | Mechanism::Login => self.serves(mechanism),
            Mechanism::CramMd5 => false,
        }
    }

    /// All back ends by name, in order, and whether they answer.
    #[must_use]
    pub fn health(&self) -> Vec<(&str, Health)> {
        let health = |link: &Arc<Link>| match lock(&link.pulse).reason() {
            Some(reason) => Health::Down { reason: reason.into() },
            None => Health::Up,
        };
        self.links.iter().map(|link| (&*link.backend.name, health(link))).collect()
    }

    /// Finds what the proof of a user by SCRAM will be judged by: keys, or the back end that conducts the
    /// exchange from here on.
    ///
    /// # Errors
    /// As [`Directory::keys`] and [`Directory::converse`].
    pub(crate) async fn begin_scram(
        &self,
        query: &KeyQuery,
        attempt: &Attempt,
    ) -> Result<FoundKeys, DirectoryError> {
        let (mechanism, first) = (query.mechanism(), query.message());
        let mut verdict = Verdict::default();
        for link in self.able(mechanism) {
            let directory = &link.backend.directory;
            let found = if directory.conducts(mechanism) {
                let question = directory.converse(mechanism, first.as_bytes(), attempt);
                self.ask(link, question).await.map(|conversation| {
                    FoundKeys::Elsewhere(Conducted { link: Arc::clone(link), conversation })
                })
            } else {
                let question = directory.keys(query.user(), query.hash());
                self.ask(link, question).await.map(|found| FoundKeys::Real(found.keys))
            };
            match found {
                Ok(found) => return Ok(found),
                Err(error) => verdict.hear(error),
            }
            if verdict.is_final() {
                break;
            }
        }
        Err(verdict.error())
    }

    /// Passes the client's message on to the back end that conducts the exchange: who is proven,
    /// or the exchange with its next challenge.
    ///
    /// # Errors
    /// As [`Conversation::answer`].
    pub(crate) async fn pass_on(
        &self,
        conducted: Conducted,
        message: &[u8],
    ) -> Result<ControlFlow<Identity, Conducted>, DirectoryError> {
        let Conducted { link, conversation } = conducted;
        Ok(match self.ask(&link, conversation.answer(message)).await? {
            ConversationStep::Challenge(conversation) => {
                ControlFlow::Continue(Conducted { link, conversation })
            }
            ConversationStep::Proven(identity) => ControlFlow::Break(identity),
        })
    }

    /// Checks a claim by CRAM-MD5, against the keys of each back end in turn.
    ///
    /// # Errors
    /// As [`Directory::cram_md5`]; [`Denial::WrongPassword`] if keys were found and none fits.
    pub(crate) async fn prove(&self, claim: &CramMd5Claim) -> Result<Identity, NotProven> {
        let mut verdict = Verdict::default();
        for link in self.able(Mechanism::CramMd5) {
            match self.ask(link, link.backend.directory.cram_md5(claim.user())).await {
                Ok(found) if claim.fits(&found.keys) => return Ok(found.identity),
                Ok(_) => verdict.hear(Denial::WrongPassword.into()),
                Err(error) => {
                    // So that who exists takes no more time.
                    black_box(claim.fits(&CramMd5Keys::nobody()));
                    verdict.hear(error);
                }
            }
            if verdict.is_final() {
                break;
            }
        }
        Err(verdict.not_proven())
    }

    /// Checks `credentials` as [`Directory::verify`] does, and says more of a refusal.
    pub(crate) async fn find_identity(
        &self,
        credentials: &Credentials,
        attempt: &Attempt,
    ) -> Result<Identity, NotProven> {
        let proof = self.proof(credentials, attempt);
        if let Some(identity) = proof.and_then(|proof| self.remembered(&proof)) {
            return Ok(identity);
        }
        let mut verdict = Verdict::default();
        for link in self.able(credentials.mechanism()) {
            let question = link.backend.directory.verify(credentials, attempt);
            match self.ask(link, question).await {
                Ok(identity) => {
                    if let Some(proof) = proof {
                        lock(&link.proven).remember(proof, identity.clone(), Instant::now());
                    }
                    return Ok(identity);
                }
                Err(error) => verdict.hear(error),
            }
            if verdict.is_final() {
                break;
            }
        }
        Err(verdict.not_proven())
    }

    async fn find_keys(
        &self,
        user: &UserName,
        hash: ScramHash,
    ) -> Result<KeyedIdentity, DirectoryError> {
        let (mechanism, mut verdict) = (Mechanism::Scram(hash), Verdict::default());
        let has_keys = |link: &&Arc<Link>| !link.backend.directory.conducts(mechanism);
        for link in self.able(mechanism).filter(has_keys) {
            match self.ask(link, link.backend.directory.keys(user, hash)).await {
                Ok(found) => return Ok(found),
                Err(error) => verdict.hear(error),
            }
            if verdict.is_final() {
                break;
            }
        }
        Err(verdict.error())
    }

    fn able(&self, mechanism: Mechanism) -> impl Iterator<Item = &Arc<Link>> {
        self.links.iter().filter(move |link| link.backend.directory.serves(mechanism))
    }

    /// Before any is asked: a user of the last back end does not wait for the first ones.
    fn remembered(&self, proof: &Proof) -> Option<Identity> {
        let now = Instant::now();
        self.links.iter().find_map(|link| lock(&link.proven).find(proof, now))
    }

    /// What a success is remembered by; only passwords are.
    fn proof(&self, credentials: &Credentials, attempt: &Attempt) -> Option<Proof> {
        let password = credentials.password()?.reveal();
        let (user, client) = (credentials.user().as_str(), attempt.client.to_string());
        Some(self.proof_key.proof(&[user, password, &client, &attempt.listener]))
    }

    async fn ask<T>(
        &self,
        link: &Link,
        question: impl Future<Output = Result<T, DirectoryError>>,
    ) -> Result<T, DirectoryError> {
        let Backend { name, timeout: patience, .. } = &link.backend;
        let asked = lock(&link.pulse).ask(Instant::now()).map_err(DirectoryError::Unavailable)?;
        let reason = match timeout(*patience, question).await {
            // It says nothing of the server, which was not asked.
            Ok(Err(DirectoryError::Busy)) => return Err(DirectoryError::Busy),
            Ok(Err(DirectoryError::Unavailable(reason))) => format!("{name}: {reason}"),
            Err(_) => format!("{name}: no answer within {} s", patience.as_secs_f32()),
            Ok(answer) => {
                if lock(&link.pulse).answered() {
                    self.tell(link, Health::Up);
                }
                return answer;
            }
        };
        if lock(&link.pulse).failed(asked, &reason, Instant::now()) {
            self.tell(link, Health::Down { reason: reason.as_str().into() });
        }
        Err(DirectoryError::Unavailable(reason.into()))
    }

    fn tell(&self, link: &Link, health: Health) {
        (self.on_change)(HealthChange { backend: link.backend.name.clone(), health });
    }
}

impl Directory for Chain {
    fn serves(&self, mechanism: Mechanism) -> bool {
        self.able(mechanism).next().is_some()
    }

    fn verify<'a>(
        &'a self,
        credentials: &'a Credentials,
        attempt: &'a Attempt,
    ) -> Verification<'a> {
        Box::pin(async move {
            let found = self.find_identity(credentials, attempt).await;
            found.map_err(|refusal| refusal.error)
        })
    }

    fn keys<'a>(&'a self, user: &'a UserName, hash: ScramHash) -> KeySearch<'a> {
        Box::pin(self.find_keys(user, hash))
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let backends = self.links.iter().map(|link| &link.backend);
        f.debug_list().entries(backends).finish()
    }
}

/// Why nobody is proven by what several back ends were asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NotProven {
    /// What it comes to.
    pub(crate) error: DirectoryError,
    /// Whether one of them knows the user, and the proof is not that user's.
    pub(crate) is_guess: bool,
}

/// What several refusals come to.
#[derive(Default)]
struct Verdict {
    gravest: Option<DirectoryError>,
    is_guess: bool,
}

impl Verdict {
    fn hear(&mut self, error: DirectoryError) {
        self.is_guess |= matches!(&error, DirectoryError::Denied(denial)
            if *denial != Denial::UnknownUser);
        if self.gravest.as_ref().is_none_or(|gravest| weight(gravest) < weight(&error)) {
            self.gravest = Some(error);
        }
    }

    /// Whether nobody else is asked. Back ends behind may know everybody who has a certificate or
    /// a token, and roles are read here alone; whom our own store shuts out shall not come in by
    /// them.
    fn is_final(&self) -> bool {
        self.gravest.as_ref().is_some_and(is_final)
    }

    fn error(self) -> DirectoryError {
        self.gravest.unwrap_or(DirectoryError::Denied(Denial::OtherProof))
    }

    fn not_proven(self) -> NotProven {
        NotProven { is_guess: self.is_guess, error: self.error() }
    }
}

const fn is_final(error: &DirectoryError) -> bool {
    matches!(error, DirectoryError::Denied(Denial::Disabled | Denial::UnreadableRoles(_)))
}

/// A back end that could not be asked outweighs all denials; one that knows the user says more
/// about it than one that does not. Whom our own store shuts out is denied for certain.
const fn weight(error: &DirectoryError) -> u8 {
    match error {
        DirectoryError::Denied(Denial::UnknownUser) => 0,
        DirectoryError::Denied(Denial::Disabled | Denial::UnreadableRoles(_)) => 4,
        DirectoryError::Denied(_) => 1,
        DirectoryError::Busy => 2,
        DirectoryError::Unavailable(_) => 3,
    }
}
