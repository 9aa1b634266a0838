//! The one question a session asks: may these credentials in?
//!
//! Puts the throttle before the directory and keeps both consistent. What a failure means for the
//! peer is three cases; why it failed is a text for the log, never for the peer (`attacks.md` C1).

#[cfg(test)]
mod tests;

use std::{
    collections::HashSet,
    fmt,
    ops::ControlFlow,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use crate::{
    Attempt, Chain, Channel, Check, Conducted, Counted, CramMd5Claim, Credentials, Decoys, Denial,
    Directory, DirectoryError, Exchange, ExchangeError, FoundKeys, Identity, KeyQuery, Mechanism,
    Progress, Scope, ScramKeys, ServerNonce, Subject, Throttle, ThrottleLimits, UserName, Waiting,
    Whom, chain::NotProven,
};

/// Carries log-ins through: throttle first, then the directory. One for the whole gateway.
pub struct Authenticator {
    chain: Chain,
    decoys: Decoys,
    throttle: Mutex<Throttle>,
    /// Whose attempt under way is the only one that may be made now.
    alone: Mutex<HashSet<Subject>>,
    scope: Option<Scope>,
    throttled: AtomicU64,
    on_pause: Box<dyn Fn(&Counted) + Send + Sync>,
}

impl Authenticator {
    /// An authenticator that asks `chain`, shows `decoys` for who has no SCRAM keys, and brakes
    /// guessing by `limits`.
    #[must_use]
    pub fn new(chain: Chain, decoys: Decoys, limits: ThrottleLimits) -> Self {
        Self {
            chain,
            decoys,
            throttle: Mutex::new(Throttle::new(limits)),
            alone: Mutex::default(),
            scope: None,
            throttled: AtomicU64::new(0),
            on_pause: Box::new(|_| {}),
        }
    }

    /// Tells clients whose token is refused which scope to ask their issuer for (RFC 7628 section
    /// 3.2.2).
    #[must_use]
    pub fn naming_scope(self, scope: Option<Scope>) -> Self {
        Self { scope, ..self }
    }

    /// `tell` hears of everybody who begins to wait.
    #[must_use]
    pub fn telling(self, tell: impl Fn(&Counted) + Send + Sync + 'static) -> Self {
        Self { on_pause: Box::new(tell), ..self }
    }

    /// The back ends that are asked.
    #[must_use]
    pub const fn chain(&self) -> &Chain {
        &self.chain
    }

    /// Everybody whose failures are counted, as [`Throttle::list`].
    #[must_use]
    pub fn counted(&self, now: Instant) -> Vec<Counted> {
        self.throttle().list(now)
    }

    /// How many have to wait, as [`Throttle::waiting`].
    #[must_use]
    pub fn waiting(&self, now: Instant) -> Waiting {
        self.throttle().waiting(now)
    }

    /// Forgets failures, as [`Throttle::lift`].
    pub fn lift(&self, now: Instant, whom: &Whom) -> usize {
        self.throttle().lift(now, whom)
    }

    /// How many attempts were refused without a look since the start.
    #[must_use]
    pub fn throttled(&self) -> u64 {
        self.throttled.load(Ordering::Relaxed)
    }

    /// Begins a log-in. `initial` and `channel` as in [`Exchange::start`].
    pub async fn start(
        &self,
        mechanism: Mechanism,
        initial: Option<&[u8]>,
        channel: Channel,
        attempt: &Attempt,
    ) -> Step {
        self.go_on(Exchange::start(mechanism, initial, channel), attempt).await
    }

    /// Goes on with the client's next message, decoded from base64.
    pub async fn respond(&self, exchange: Exchange, message: &[u8], attempt: &Attempt) -> Step {
        // Before a proof is judged: many sessions may have got their challenges before the first
        // of them failed.
        let admitted = exchange.claimant().map(|user| self.admit(user, attempt)).transpose();
        match admitted {
            Ok(_until_counted) => self.go_on(exchange.respond(message), attempt).await,
            Err(failure) => Step::Refused(failure),
        }
    }

    async fn go_on(&self, progress: Result<Progress, ExchangeError>, attempt: &Attempt) -> Step {
        let progress = match progress {
            Ok(Progress::NeedChallenge(query)) => with_nonce(|nonce| Ok(query.answer(nonce))),
            Ok(Progress::NeedKeys(query)) => match self.admit(query.user(), attempt) {
                Ok(_) => {
                    let found = self.find_keys(&query, attempt).await;
                    with_nonce(|nonce| query.answer(found, nonce))
                }
                Err(failure) => return Step::Refused(failure),
            },
            other => other,
        };
        match progress {
            Ok(progress) => self.settle(progress, attempt).await,
            Err(error) => Step::Refused(error.into()),
        }
    }

    /// What the client hears of an exchange that wants nothing more to go on.
    async fn settle(&self, progress: Progress, attempt: &Attempt) -> Step {
        match progress {
            Progress::Challenge(exchange) => Step::Challenge(exchange),
            Progress::PassOn { user, mechanism, conducted, message } => {
                self.pass_on(user, mechanism, conducted, &message, attempt).await
            }
            Progress::Verify(credentials) => match self.verify(&credentials, attempt).await {
                Ok(identity) => Step::LoggedIn(identity, credentials.mechanism()),
                Err(failure) => self.refused(credentials.mechanism(), failure),
            },
            Progress::CramMd5(claim) => match self.prove(&claim, attempt).await {
                Ok(identity) => Step::LoggedIn(identity, Mechanism::CramMd5),
                Err(failure) => Step::Refused(failure),
            },
            Progress::Proven { user, mechanism, keys } => {
                let holder = self.holder(&user, &keys).await;
                self.count_outcome(&user, mechanism, holder, attempt)
            }
            Progress::Disproven { user, error } => {
                Step::Refused(self.failed(&user, error, attempt))
            }
            Progress::Denied(denial) => Step::Refused(AuthFailure::Denied(denial)),
            // No mechanism asks for two of them in a row.
            Progress::NeedChallenge(_) | Progress::NeedKeys(_) => {
                Step::Refused(ExchangeError::Broken.into())
            }
        }
    }

    /// Goes on with an exchange that a back end conducts. Who is proven is who it says.
    async fn pass_on(
        &self,
        user: UserName,
        mechanism: Mechanism,
        conducted: Conducted,
        message: &[u8],
        attempt: &Attempt,
    ) -> Step {
        match self.chain.pass_on(conducted, message).await {
            Ok(ControlFlow::Continue(conducted)) => {
                Step::Challenge(Exchange::conducted(mechanism, user, conducted))
            }
            Ok(ControlFlow::Break(identity)) => {
                self.count_outcome(&user, mechanism, Ok(identity), attempt)
            }
            Err(error) => Step::Refused(self.failed(&user, error, attempt)),
        }
    }

    fn count_outcome(
        &self,
        user: &UserName,
        mechanism: Mechanism,
        outcome: Result<Identity, DirectoryError>,
        attempt: &Attempt,
    ) -> Step {
        match outcome {
            Ok(identity) => {
                self.succeeded(user, &identity, attempt);
                Step::LoggedIn(identity, mechanism)
            }
            Err(error) => Step::Refused(self.failed(user, error, attempt)),
        }
    }

    /// A client whose token is denied hears so within the exchange first. It is counted already:
    /// who hangs up now has failed too.
    fn refused(&self, mechanism: Mechanism, failure: AuthFailure) -> Step {
        let last = match failure {
            AuthFailure::Denied(denial) => Exchange::denied(mechanism, denial, self.scope.as_ref()),
            AuthFailure::Throttled { .. }
            | AuthFailure::Temporary(_)
            | AuthFailure::Exchange(_) => None,
        };
        last.map_or(Step::Refused(failure), Step::Challenge)
    }

    async fn verify(
        &self,
        credentials: &Credentials,
        attempt: &Attempt,
    ) -> Result<Identity, AuthFailure> {
        let question = self.chain.find_identity(credentials, attempt);
        self.ask(credentials.user(), question, attempt).await
    }

    async fn prove(
        &self,
        claim: &CramMd5Claim,
        attempt: &Attempt,
    ) -> Result<Identity, AuthFailure> {
        self.ask(claim.user(), self.chain.prove(claim), attempt).await
    }

    /// Asks about a claim of `user` that is complete, if the throttle lets it be asked about.
    async fn ask(
        &self,
        user: &UserName,
        question: impl Future<Output = Result<Identity, NotProven>>,
        attempt: &Attempt,
    ) -> Result<Identity, AuthFailure> {
        let _until_counted = self.admit(user, attempt)?;
        match question.await {
            Ok(identity) => {
                self.succeeded(user, &identity, attempt);
                Ok(identity)
            }
            Err(NotProven { error, is_guess }) => {
                let failure = self.failed(user, error, attempt);
                // It may be right for a back end that cannot be asked, and it was a guess for one
                // that could be.
                if is_guess && !matches!(failure, AuthFailure::Denied(_)) {
                    self.count(user, attempt);
                }
                Err(failure)
            }
        }
    }

    /// Who has these keys now. A password that was changed while the client made its proof is a
    /// wrong one; roles that were taken away meanwhile are gone.
    async fn holder(&self, user: &UserName, keys: &ScramKeys) -> Result<Identity, DirectoryError> {
        let found = self.chain.keys(user, keys.hash()).await?;
        match found.keys == *keys {
            true => Ok(found.identity),
            false => Err(Denial::WrongPassword.into()),
        }
    }

    /// What the proof will be judged by; if there is nothing, a decoy, and why.
    ///
    /// Also if somebody could not be asked: users whom the others know would get a challenge now,
    /// and so who gets none would be known to be no such user.
    async fn find_keys(&self, query: &KeyQuery, attempt: &Attempt) -> FoundKeys {
        let (user, hash) = (query.user(), query.hash());
        // Made for everybody, so that who exists takes no less time.
        let decoy = self.decoys.keys(hash, user);
        match self.chain.begin_scram(query, attempt).await {
            Ok(found) => found,
            Err(error) => FoundKeys::Decoy(decoy, error),
        }
    }

    /// Whether the throttle lets the directory be asked about `user`. What is returned is held
    /// until the answer is counted.
    fn admit(&self, user: &UserName, attempt: &Attempt) -> Result<Option<Alone<'_>>, AuthFailure> {
        let checked = self.throttle().check(attempt.now, attempt.client, user);
        let until = match checked {
            Check::Allowed => return Ok(None),
            Check::AllowedAlone(subjects) => match Alone::begin(&self.alone, subjects) {
                Some(alone) => return Ok(Some(alone)),
                None => attempt.now,
            },
            Check::Refused { until } => until,
        };
        self.throttled.fetch_add(1, Ordering::Relaxed);
        Err(AuthFailure::Throttled { until })
    }

    /// The user is familiar from now on, by the name that was claimed and by the one that the back
    /// end has for it.
    fn succeeded(&self, claimed: &UserName, identity: &Identity, attempt: &Attempt) {
        let mut throttle = self.throttle();
        throttle.succeeded(attempt.now, attempt.client, claimed);
        if identity.user() != claimed {
            throttle.succeeded(attempt.now, attempt.client, identity.user());
        }
    }

    fn failed(&self, user: &UserName, error: DirectoryError, attempt: &Attempt) -> AuthFailure {
        match error {
            DirectoryError::Denied(denial) => {
                self.count(user, attempt);
                AuthFailure::Denied(denial)
            }
            DirectoryError::Unavailable(reason) => AuthFailure::Temporary(reason),
            DirectoryError::Busy => AuthFailure::Temporary(DirectoryError::Busy.to_string().into()),
        }
    }

    fn count(&self, user: &UserName, attempt: &Attempt) {
        // Told outside of the lock.
        let paused = self.throttle().failed(attempt.now, attempt.client, user);
        paused.iter().for_each(&self.on_pause);
    }

    /// Counts are numbers that are complete at every step, so a panic elsewhere leaves them sound.
    fn throttle(&self) -> MutexGuard<'_, Throttle> {
        self.throttle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Goes on with fresh randomness.
fn with_nonce(
    next: impl FnOnce(ServerNonce) -> Result<Progress, ExchangeError>,
) -> Result<Progress, ExchangeError> {
    ServerNonce::random().map_err(|_| ExchangeError::Broken).and_then(next)
}

/// Those of whom one attempt alone may be made. Dropping it ends that.
struct Alone<'a> {
    all: &'a Mutex<HashSet<Subject>>,
    own: Vec<Subject>,
}

impl<'a> Alone<'a> {
    /// `None` if there is such an attempt already.
    fn begin(all: &'a Mutex<HashSet<Subject>>, own: Vec<Subject>) -> Option<Self> {
        let mut known = all.lock().unwrap_or_else(PoisonError::into_inner);
        if own.iter().any(|subject| known.contains(subject)) {
            return None;
        }
        known.extend(own.iter().cloned());
        Some(Self { all, own })
    }
}

impl Drop for Alone<'_> {
    fn drop(&mut self) {
        let mut known = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        for subject in &self.own {
            known.remove(subject);
        }
    }
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authenticator").field("chain", &self.chain).finish_non_exhaustive()
    }
}

/// Where a log-in stands after a message of the client.
#[derive(Debug)]
pub enum Step {
    /// Send the challenge (`334`) and give the answer to [`Authenticator::respond`].
    Challenge(Exchange),
    /// `235`: who it is, and by which mechanism.
    LoggedIn(Identity, Mechanism),
    /// It is over.
    Refused(AuthFailure),
}

/// Why nobody is logged in. `Display` is the reason for the log; it never quotes a credential.
///
/// To the peer, `Denied` has one text whatever its reason (`535 5.7.8`); the other two are
/// `454 4.7.0`, and depend on nothing that tells whether a user exists.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthFailure {
    /// The claim is false.
    #[error("{0}")]
    Denied(Denial),
    /// Too many failures before; the credentials were not looked at.
    #[error("too many failures from this address or for this account")]
    Throttled {
        /// When the next attempt will be looked at.
        until: Instant,
    },
    /// We cannot tell now.
    #[error("{0}")]
    Temporary(Box<str>),
    /// The exchange came to nothing. As to a wrong password.
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
}
