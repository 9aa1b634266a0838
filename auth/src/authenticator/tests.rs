//! What becomes of log-ins, with one directory that knows Ann.

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
    let step =
        authenticator.start(Mechanism::Plain, Some(message), Channel::default(), &attempt).await;
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
    let authenticator =
        authenticator().telling(move |counted| hears.lock().unwrap().push(counted.who.to_string()));
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
    let step =
        authenticator.start(mechanism, Some(first.as_bytes()), Channel::default(), &at(now)).await;
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
    let step =
        |attempt| authenticator.start(Mechanism::XOAuth2, Some(right), Channel::default(), attempt);
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
    let step = authenticator.start(mechanism, Some(message), Channel::default(), &attempt).await;
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
    let mut step =
        authenticator.start(mechanism, Some(first.as_bytes()), Channel::default(), &attempt).await;
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
