//! The one question a session asks: may these credentials in?
//!
//! Puts the throttle before the directory and keeps both consistent. What a failure means for the
//! peer is three cases; why it failed is a text for the log, never for the peer (`attacks.md` C1).

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

    async fn go_on(
        &self,
        mut progress: Result<Progress, ExchangeError>,
        attempt: &Attempt,
    ) -> Step {
        loop {
            progress = match progress {
                Ok(Progress::Challenge(exchange)) => return Step::Challenge(exchange),
                Ok(Progress::NeedChallenge(query)) => ServerNonce::random()
                    .map_err(|_| ExchangeError::Broken)
                    .map(|nonce| query.answer(nonce)),
                Ok(Progress::NeedKeys(query)) => {
                    if let Err(failure) = self.admit(query.user(), attempt) {
                        return Step::Refused(failure);
                    }
                    let found = self.find_keys(&query, attempt).await;
                    ServerNonce::random()
                        .map_err(|_| ExchangeError::Broken)
                        .and_then(|nonce| query.answer(found, nonce))
                }
                Ok(Progress::PassOn { user, mechanism, conducted, message }) => {
                    return self.pass_on(user, mechanism, conducted, &message, attempt).await;
                }
                Ok(Progress::Verify(credentials)) => {
                    return match self.verify(&credentials, attempt).await {
                        Ok(identity) => Step::LoggedIn(identity, credentials.mechanism()),
                        Err(failure) => self.refused(credentials.mechanism(), failure),
                    };
                }
                Ok(Progress::CramMd5(claim)) => {
                    return match self.prove(&claim, attempt).await {
                        Ok(identity) => Step::LoggedIn(identity, Mechanism::CramMd5),
                        Err(failure) => Step::Refused(failure),
                    };
                }
                Ok(Progress::Denied(denial)) => {
                    return Step::Refused(AuthFailure::Denied(denial));
                }
                Ok(Progress::Proven { user, mechanism, keys }) => {
                    return match self.holder(&user, &keys).await {
                        Ok(identity) => {
                            self.succeeded(&user, &identity, attempt);
                            Step::LoggedIn(identity, mechanism)
                        }
                        Err(error) => Step::Refused(self.failed(&user, error, attempt)),
                    };
                }
                Ok(Progress::Disproven { user, error }) => {
                    return Step::Refused(self.failed(&user, error, attempt));
                }
                Err(error) => return Step::Refused(error.into()),
            };
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
                self.succeeded(&user, &identity, attempt);
                Step::LoggedIn(identity, mechanism)
            }
            Err(error) => Step::Refused(self.failed(&user, error, attempt)),
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

#[cfg(test)]
mod tests {
    use std::{
        net::IpAddr,
        sync::{
            Arc,
            atomic::{AtomicU32, Ordering},
        },
        time::Duration,
    };

    use super::*;
    use crate::{
        Backend, KeySearch, KeyedIdentity, Password, Proof, Role, Roles, ScramHash, Verification,
        exchange::scram_tests::Client,
    };

    #[tokio::test]
    async fn a_proven_user_is_logged_in_by_name_and_mechanism() {
        let authenticator = authenticator();
        let (message, attempt) = (b"\0Ann\0right", at(Instant::now()));
        let step = authenticator
            .start(Mechanism::Plain, Some(message), Channel::default(), &attempt)
            .await;
        let Step::LoggedIn(identity, mechanism) = step else { panic!("logged in: {step:?}") };
        assert_eq!((identity.user().as_str(), mechanism), ("ann", Mechanism::Plain));
    }

    #[tokio::test]
    async fn c1_an_unknown_user_and_a_wrong_password_are_one_kind_of_failure() {
        let authenticator = authenticator();
        let now = Instant::now();
        let unknown = authenticator.verify(&claim("nobody", "right"), &at(now)).await;
        let wrong = authenticator.verify(&claim("ann", "wrong"), &at(now)).await;
        assert_eq!(unknown, Err(AuthFailure::Denied(Denial::UnknownUser)));
        assert_eq!(wrong, Err(AuthFailure::Denied(Denial::WrongPassword)));
    }

    #[tokio::test]
    async fn c2_after_too_many_failures_the_directory_is_not_even_asked() {
        let directory = Arc::new(OnlyAnn::default());
        let authenticator = authenticator_of(directory.clone());
        let now = Instant::now();
        for _ in 0..21 {
            let failure = authenticator.verify(&claim("ann", "wrong"), &at(now)).await;
            assert_eq!(failure, Err(AuthFailure::Denied(Denial::WrongPassword)));
        }
        let refused = authenticator.verify(&claim("ann", "right"), &at(now)).await;
        let until = now + Duration::from_secs(30);
        assert_eq!(refused, Err(AuthFailure::Throttled { until }));
        assert_eq!(directory.asked.load(Ordering::Relaxed), 21);
        assert!(authenticator.verify(&claim("ann", "right"), &at(until)).await.is_ok());
    }

    #[tokio::test]
    async fn c2_after_a_pause_one_guess_is_due_and_not_as_many_as_can_be_made_at_once() {
        let directory = Arc::new(OnlyAnn::default());
        let authenticator = authenticator_of(directory.clone());
        let now = Instant::now();
        for _ in 0..21 {
            let failure = authenticator.verify(&claim("ann", "wrong"), &at(now)).await;
            assert_eq!(failure, Err(AuthFailure::Denied(Denial::WrongPassword)));
        }
        let later = at(now + Duration::from_secs(30));
        let elsewhere = Attempt { client: [192, 0, 2, 77].into(), ..later.clone() };
        let guess = claim("ann", "wrong");
        let (first, second, third) = tokio::join!(
            authenticator.verify(&guess, &later),
            authenticator.verify(&guess, &later),
            authenticator.verify(&guess, &elsewhere),
        );
        assert_eq!(first, Err(AuthFailure::Denied(Denial::WrongPassword)));
        for burst in [second, third] {
            assert!(matches!(burst, Err(AuthFailure::Throttled { .. })), "{burst:?}");
        }
        assert_eq!(directory.asked.load(Ordering::Relaxed), 22);
        let after = at(now + Duration::from_secs(30 + 60));
        assert!(authenticator.verify(&claim("ann", "right"), &after).await.is_ok());
    }

    #[tokio::test]
    async fn c2_who_begins_to_wait_is_told_and_what_is_not_looked_at_is_counted() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let hears = Arc::clone(&told);
        let authenticator = authenticator()
            .telling(move |counted| hears.lock().unwrap().push(counted.who.to_string()));
        let now = Instant::now();
        for _ in 0..25 {
            let _ = authenticator.verify(&claim("ann", "wrong"), &at(now)).await;
        }
        assert_eq!(*told.lock().unwrap(), ["192.0.2.1", "ann"]);
        assert_eq!(authenticator.throttled(), 4);
        assert_eq!(authenticator.waiting(now), Waiting { addresses: 1, accounts: 1 });
        assert_eq!(authenticator.lift(now, &Whom::All), 2);
        assert_eq!(authenticator.counted(now), []);
        assert!(authenticator.verify(&claim("ann", "right"), &at(now)).await.is_ok());
    }

    #[tokio::test]
    async fn c2_a_proof_is_not_judged_while_its_account_has_to_wait() {
        let (authenticator, now) = (authenticator(), Instant::now());
        let client = Client::new(ScramHash::Sha256, "ann", "right");
        let mechanism = Mechanism::Scram(ScramHash::Sha256);
        let first = client.first();
        let step = authenticator
            .start(mechanism, Some(first.as_bytes()), Channel::default(), &at(now))
            .await;
        let Step::Challenge(waiting) = step else { panic!("a challenge: {step:?}") };
        let (proof, _) = client.answer(waiting.challenge());
        for _ in 0..21 {
            let failure = authenticator.verify(&claim("ann", "wrong"), &at(now)).await;
            assert_eq!(failure, Err(AuthFailure::Denied(Denial::WrongPassword)));
        }
        let step = authenticator.respond(waiting, proof.as_bytes(), &at(now)).await;
        assert!(matches!(step, Step::Refused(AuthFailure::Throttled { .. })), "{step:?}");
    }

    #[tokio::test]
    async fn a_password_that_is_changed_in_the_midst_of_an_exchange_is_a_wrong_one() {
        let directory = Arc::new(OnlyAnn::default());
        let change = || directory.asked.store(CHANGED, Ordering::Relaxed);
        let step = prove(&authenticator_of(directory.clone()), change).await;
        let denied = matches!(step, Step::Refused(AuthFailure::Denied(Denial::WrongPassword)));
        assert!(denied, "{step:?}");
    }

    #[tokio::test]
    async fn a_proof_gives_the_roles_that_the_user_has_when_it_is_confirmed() {
        let directory = Arc::new(OnlyAnn::default());
        directory.give(Role::Administrator);
        let change = || directory.give(Role::Auditor);
        let step = prove(&authenticator_of(directory.clone()), change).await;
        let Step::LoggedIn(identity, _) = step else { panic!("logged in: {step:?}") };
        assert_eq!(identity.roles(), Role::Auditor.into());
    }

    #[tokio::test]
    async fn a_back_end_that_is_down_is_temporary_and_nobody_is_to_blame() {
        let authenticator = authenticator();
        let now = Instant::now();
        for _ in 0..30 {
            let failure = authenticator.verify(&claim("down", "x"), &at(now)).await;
            assert_eq!(failure, Err(AuthFailure::Temporary("ann: the back end is down".into())));
        }
    }

    #[tokio::test]
    async fn a_denied_token_is_answered_in_json_and_counts_once_whatever_follows() {
        let directory = Arc::new(OnlyAnn::default());
        let scope = Scope::new("mail");
        let authenticator = authenticator_of(directory.clone()).naming_scope(scope);
        let now = Instant::now();
        for (mechanism, message, challenge, answer) in [
            (
                Mechanism::OAuthBearer,
                &b"n,a=ann,\x01auth=Bearer wrong\x01\x01"[..],
                &br#"{"status":"invalid_token","scope":"mail"}"#[..],
                Some(&b"\x01"[..]),
            ),
            (
                Mechanism::XOAuth2,
                b"user=ann\x01auth=Bearer wrong\x01\x01",
                br#"{"status":"401","schemes":"bearer","scope":"mail"}"#,
                Some(b"user=ann\x01auth=Bearer right\x01\x01"),
            ),
            // As curl does it: it hangs up.
            (
                Mechanism::XOAuth2,
                b"user=ann\x01auth=Bearer wrong\x01\x01",
                br#"{"status":"401","schemes":"bearer","scope":"mail"}"#,
                None,
            ),
        ]
        .into_iter()
        .cycle()
        .take(21)
        {
            let step =
                authenticator.start(mechanism, Some(message), Channel::default(), &at(now)).await;
            let Step::Challenge(last) = step else { panic!("a challenge: {step:?}") };
            assert_eq!(last.challenge(), challenge);
            assert_eq!(last.denial(), Some(Denial::WrongPassword));
            let Some(answer) = answer else { continue };
            let step = authenticator.respond(last, answer, &at(now)).await;
            let denied = matches!(step, Step::Refused(AuthFailure::Denied(Denial::WrongPassword)));
            assert!(denied, "{step:?}");
        }
        // 21 failures, as with passwords: see c2 above. 21 challenges more would brake earlier.
        assert_eq!(directory.asked.load(Ordering::Relaxed), 21);
        let right = b"user=ann\x01auth=Bearer right\x01\x01";
        let step = |attempt| {
            authenticator.start(Mechanism::XOAuth2, Some(right), Channel::default(), attempt)
        };
        let until = now + Duration::from_secs(30);
        let (early, late) = (at(now), at(until));
        let braked = step(&early).await;
        let is_braked = matches!(&braked, Step::Refused(AuthFailure::Throttled { until: end })
            if *end == until);
        assert!(is_braked, "{braked:?}");
        let later = step(&late).await;
        assert!(matches!(later, Step::LoggedIn(..)), "{later:?}");
    }

    #[tokio::test]
    async fn a_token_that_cannot_be_judged_now_is_refused_at_once() {
        let authenticator = authenticator();
        let message = b"n,a=down,\x01auth=Bearer right\x01\x01";
        let attempt = at(Instant::now());
        let mechanism = Mechanism::OAuthBearer;
        let step =
            authenticator.start(mechanism, Some(message), Channel::default(), &attempt).await;
        assert!(matches!(step, Step::Refused(AuthFailure::Temporary(_))), "{step:?}");
    }

    #[derive(Debug, Default)]
    struct OnlyAnn {
        asked: AtomicU32,
        roles: Mutex<Roles>,
    }

    impl OnlyAnn {
        fn give(&self, role: Role) {
            *self.roles.lock().unwrap() = role.into();
        }
    }

    impl Directory for Arc<OnlyAnn> {
        fn serves(&self, _mechanism: Mechanism) -> bool {
            true
        }

        fn verify<'a>(
            &'a self,
            credentials: &'a Credentials,
            _attempt: &'a Attempt,
        ) -> Verification<'a> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            let user = credentials.user();
            let secret = match credentials.proof() {
                Proof::Password(password) => password.reveal(),
                Proof::Token(token) => token.reveal(),
                Proof::Certificate => "",
            };
            let answer = match (user.as_str(), secret) {
                ("down", _) => Err(DirectoryError::Unavailable("the back end is down".into())),
                ("ann", "right") => Ok(Identity::proven(user.clone())),
                ("ann", _) => Err(Denial::WrongPassword.into()),
                (_, _) => Err(Denial::UnknownUser.into()),
            };
            // As with any other back end, others come meanwhile.
            Box::pin(async {
                tokio::task::yield_now().await;
                answer
            })
        }

        fn keys<'a>(&'a self, user: &'a UserName, hash: ScramHash) -> KeySearch<'a> {
            let changed = self.asked.load(Ordering::Relaxed) == CHANGED;
            let salt: &[u8] = if changed { b"another salt" } else { b"salt" };
            let keys = ScramKeys::derive(hash, &Password::new("right").unwrap(), salt, 4_096);
            let identity = Identity::proven(user.clone()).with_roles(*self.roles.lock().unwrap());
            Box::pin(std::future::ready(match user.as_str() {
                "down" => Err(DirectoryError::Unavailable("the back end is down".into())),
                "ann" => Ok(KeyedIdentity { identity, keys }),
                _ => Err(Denial::UnknownUser.into()),
            }))
        }
    }

    fn authenticator() -> Authenticator {
        authenticator_of(Arc::new(OnlyAnn::default()))
    }

    fn authenticator_of(directory: Arc<OnlyAnn>) -> Authenticator {
        let home = tempfile::tempdir().unwrap();
        let decoys = Decoys::open(&home.path().join("users")).unwrap();
        let backend = Backend {
            name: "ann".into(),
            directory: Box::new(directory),
            timeout: Duration::from_secs(5),
            cache_ttl: Duration::ZERO,
        };
        let chain = Chain::new(vec![backend], |_| {}).unwrap();
        Authenticator::new(chain, decoys, ThrottleLimits::default())
    }

    /// Ann's log-in by SCRAM to its end; `meanwhile` happens between the challenge and the proof.
    async fn prove(authenticator: &Authenticator, meanwhile: impl FnOnce()) -> Step {
        let client = Client::new(ScramHash::Sha256, "ann", "right");
        let (mechanism, attempt) = (Mechanism::Scram(ScramHash::Sha256), at(Instant::now()));
        let first = client.first();
        let mut step = authenticator
            .start(mechanism, Some(first.as_bytes()), Channel::default(), &attempt)
            .await;
        let mut answers = Vec::new();
        if let Step::Challenge(exchange) = &step {
            answers = vec![client.answer(exchange.challenge()).0, String::new()];
        }
        meanwhile();
        for answer in answers {
            let Step::Challenge(exchange) = step else { panic!("a challenge: {step:?}") };
            step = authenticator.respond(exchange, answer.as_bytes(), &attempt).await;
        }
        step
    }

    fn at(now: Instant) -> Attempt {
        Attempt { client: CLIENT, listener: "submission".into(), tls: true, now }
    }

    fn claim(user: &str, password: &str) -> Credentials {
        let password = Password::new(password).unwrap();
        Credentials::new(Mechanism::Login, user.parse().unwrap(), Proof::Password(password))
    }

    /// So often asked, [`OnlyAnn`] has another password for Ann.
    const CHANGED: u32 = u32::MAX;

    const CLIENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
}
