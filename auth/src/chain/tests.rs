//! A chain of directories that fail on request.

use std::{
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use tokio::time::advance;

use super::*;
use crate::{Password, Proof as Claimed, ScramKeys};

#[tokio::test]
async fn who_is_denied_by_one_is_asked_for_at_the_next() {
    let (first, second) = (Knows::user("ann", "right"), Knows::user("bob", "right"));
    let chain = chain([&first, &second]);
    for user in ["ann", "bob"] {
        assert_eq!(try_login(&chain, user, "right").await, Ok(name(user)));
    }
    assert_eq!(try_login(&chain, "ann", "wrong").await, Err(Denial::WrongPassword.into()));
    assert_eq!(try_login(&chain, "carl", "right").await, Err(Denial::UnknownUser.into()));
}

#[tokio::test]
async fn a_back_end_that_cannot_be_asked_makes_a_denial_uncertain_and_harms_no_success() {
    let (down, works) = (Knows::nothing(Mood::Down), Knows::user("ann", "right"));
    for order in [[&down, &works], [&works, &down]] {
        let chain = chain(order);
        assert_eq!(try_login(&chain, "ann", "right").await, Ok(name("ann")));
        let Err(DirectoryError::Unavailable(reason)) = try_login(&chain, "bob", "x").await else {
            panic!("nobody can tell about Bob");
        };
        assert!(reason.ends_with(": connection refused"), "{reason}");
    }
    assert_eq!(try_login(&chain([&works]), "bob", "x").await, Err(Denial::UnknownUser.into()));
}

#[tokio::test]
async fn c2_a_guess_is_a_guess_also_while_another_cannot_be_asked() {
    let (down, knows) = (Knows::nothing(Mood::Down), Knows::user("ann", "right"));
    for order in [[&down, &knows], [&knows, &down]] {
        let chain = chain(order);
        for (user, is_guess) in [("ann", true), ("user-of-the-other", false)] {
            let refusal = chain.find_identity(&claim(user, "wrong"), &attempt()).await.unwrap_err();
            assert!(matches!(refusal.error, DirectoryError::Unavailable(_)), "{refusal:?}");
            assert_eq!(refusal.is_guess, is_guess, "{user}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_does_not_answer_is_waited_for_only_so_long_and_soon_not_at_all() {
    let (silent, works) = (Knows::nothing(Mood::Silent), Knows::user("ann", "right"));
    let chain = chain([&silent, &works]);
    for waited in [TIMEOUT, TIMEOUT, TIMEOUT, Duration::ZERO] {
        let start = Instant::now();
        assert_eq!(try_login(&chain, "ann", "right").await, Ok(name("ann")));
        assert_eq!(start.elapsed(), waited);
    }
    assert_eq!(silent.asked(), 3);
    let down = Health::Down { reason: "0: no answer within 5 s".into() };
    assert_eq!(chain.health(), [("0", down), ("1", Health::Up)]);
}

#[tokio::test(start_paused = true)]
async fn one_that_comes_back_is_found_and_both_are_told_once() {
    let knows = Knows::user("ann", "right");
    knows.set(Mood::Down);
    let told = Arc::new(Mutex::new(Vec::new()));
    let hears = Arc::clone(&told);
    let backends = vec![backend(0, &knows, Duration::ZERO)];
    let chain = Chain::new(backends, move |change| lock(&hears).push(change)).unwrap();
    for _ in 0..10 {
        assert!(try_login(&chain, "ann", "right").await.is_err());
    }
    assert_eq!(knows.asked(), 3, "nobody asks one that is down");
    knows.set(Mood::Well);
    assert!(try_login(&chain, "ann", "right").await.is_err(), "the pause is not over");
    advance(Duration::from_secs(2)).await;
    assert!(try_login(&chain, "ann", "right").await.is_ok());
    let healths: Vec<_> = lock(&told).iter().map(|change| change.health.clone()).collect();
    let down = Health::Down { reason: "0: connection refused".into() };
    assert_eq!(healths, [down, Health::Up]);
}

#[tokio::test]
async fn whom_our_own_store_has_disabled_comes_in_by_no_other() {
    let (disables, knows) = (Knows::nothing(Mood::Disables), Knows::keys_of("ann"));
    let disabled = DirectoryError::Denied(Denial::Disabled);
    assert_eq!(try_login(&chain([&disables, &knows]), "ann", "right").await, Err(disabled.clone()));
    assert_eq!(knows.asked(), 0);
    let down = Knows::nothing(Mood::Down);
    let chain = chain([&down, &disables, &knows]);
    let told = try_login(&chain, "ann", "right").await;
    assert_eq!(told, Err(disabled.clone()), "and that is certain");
    let report = chain.report(&claim("ann", "right"), &attempt()).await;
    assert_eq!((report.outcome, knows.asked()), (Err(disabled), 0));
}

#[tokio::test]
async fn one_that_is_busy_is_not_down() {
    let busy = Knows::nothing(Mood::Busy);
    let chain = chain([&busy]);
    for _ in 0..10 {
        assert_eq!(try_login(&chain, "ann", "right").await, Err(DirectoryError::Busy));
    }
    assert_eq!((busy.asked(), chain.health()), (10, vec![("0", Health::Up)]));
}

#[tokio::test(start_paused = true)]
async fn a_success_is_remembered_for_a_while_and_a_failure_never() {
    let knows = Knows::user("ann", "right");
    let backends = vec![backend(0, &knows, Duration::from_secs(60))];
    let chain = Chain::new(backends, |_| {}).unwrap();
    for _ in 0..2 {
        assert!(try_login(&chain, "ann", "wrong").await.is_err());
    }
    assert_eq!(knows.asked(), 2);
    for _ in 0..5 {
        assert!(try_login(&chain, "ann", "right").await.is_ok());
    }
    assert_eq!(knows.asked(), 3);
    let elsewhere = Attempt { client: Ipv4Addr::new(192, 0, 2, 9).into(), ..attempt() };
    let claim = claim("ann", "right");
    assert!(chain.verify(&claim, &elsewhere).await.is_ok());
    assert_eq!(knows.asked(), 4, "from another address it is another attempt");
    advance(Duration::from_secs(60)).await;
    assert!(try_login(&chain, "ann", "right").await.is_ok());
    assert_eq!(knows.asked(), 5);
}

#[tokio::test]
async fn scram_is_offered_only_if_all_who_have_a_password_can_use_it() {
    let scram = Mechanism::Scram(ScramHash::Sha256);
    let (plain, both) = (Knows::user("ann", "right"), Knows::keys_of("bob"));
    for (backends, offered, served) in [
        (vec![&both], true, true),
        (vec![&plain], false, false),
        (vec![&plain, &both], false, true),
        (vec![], false, false),
    ] {
        let chain = chain(backends);
        assert_eq!((chain.offers(scram), chain.serves(scram)), (offered, served), "{chain:?}");
    }
    let chain = chain([&plain, &both]);
    assert!(chain.keys(&name("bob"), ScramHash::Sha256).await.is_ok());
    assert_eq!(chain.keys(&name("ann"), ScramHash::Sha256).await, Err(Denial::UnknownUser.into()));
    assert_eq!(plain.asked(), 0, "who cannot do it is not asked");
}

#[tokio::test]
async fn a_report_tells_what_each_says_until_one_accepts() {
    let (down, silly) = (Knows::nothing(Mood::Down), Knows::user("carl", "right"));
    let (works, last) = (Knows::keys_of("ann"), Knows::user("ann", "wrong"));
    let chain = chain([&down, &silly, &works, &last]);
    let report = chain.report(&claim("ann", "right"), &attempt()).await;
    let accepted = Ok(Identity::proven(name("ann")));
    assert_eq!(report.outcome, accepted);
    let unavailable = DirectoryError::Unavailable("0: connection refused".into());
    let verdicts = [Err(unavailable.clone()), Err(Denial::UnknownUser.into()), accepted];
    let said: Vec<_> = report.backends.iter().map(|backend| said(&backend.answer)).collect();
    assert_eq!(said, verdicts.iter().map(Some).chain([None]).collect::<Vec<_>>());
    assert_eq!(report.backends[3].answer, BackendAnswer::NotAsked);
    assert_eq!((&*report.backends[3].name, last.asked()), ("3", 0));
    let report = chain.report(&claim("ann", "other"), &attempt()).await;
    assert_eq!(report.outcome, Err(unavailable), "one that is down makes a denial uncertain");
}

#[tokio::test]
async fn a_report_tries_a_password_against_the_keys_of_scram() {
    let (plain, both) = (Knows::user("ann", "right"), Knows::keys_of("ann"));
    let chain = chain([&plain, &both]);
    for (password, outcome) in
        [("right", Ok(Identity::proven(name("ann")))), ("wrong", Err(Denial::WrongPassword.into()))]
    {
        let password = Claimed::Password(Password::new(password).unwrap());
        let mechanism = Mechanism::Scram(ScramHash::Sha256);
        let claim = Credentials::new(mechanism, name("ann"), password);
        let report = chain.report(&claim, &attempt()).await;
        assert_eq!(report.backends[0].answer, BackendAnswer::CannotServe);
        assert_eq!(said(&report.backends[1].answer), Some(&outcome));
        assert_eq!(report.outcome, outcome);
    }
}

const fn said(answer: &BackendAnswer) -> Option<&Result<Identity, DirectoryError>> {
    match answer {
        BackendAnswer::Said { verdict, .. } => Some(verdict),
        BackendAnswer::NotAsked | BackendAnswer::CannotServe => None,
    }
}

#[tokio::test]
async fn external_is_offered_if_any_can_do_it() {
    let plain = Knows::user("ann", "right");
    for (holders, offered) in [(false, false), (true, true)] {
        let mut backends = vec![backend(0, &plain, Duration::ZERO)];
        if holders {
            let directory = Box::new(crate::CertificateHolders);
            backends.push(Backend { directory, ..backend(1, &plain, Duration::ZERO) });
        }
        let chain = Chain::new(backends, |_| {}).unwrap();
        assert_eq!(chain.offers(Mechanism::External), offered);
        let claim = Credentials::new(Mechanism::External, name("bob"), Claimed::Certificate);
        assert_eq!(chain.verify(&claim, &attempt()).await.is_ok(), offered);
    }
    assert_eq!(plain.asked(), 0, "who cannot do it is not asked");
}

/// What a directory does when it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    Well,
    Down,
    Silent,
    Busy,
    Disables,
}

/// A directory of one user.
#[derive(Debug)]
struct Knows {
    user: &'static str,
    password: &'static str,
    keys: Option<ScramKeys>,
    mood: Mutex<Mood>,
    asked: AtomicU32,
}

impl Knows {
    fn user(user: &'static str, password: &'static str) -> Arc<Self> {
        let (mood, asked) = (Mutex::new(Mood::Well), AtomicU32::new(0));
        Arc::new(Self { user, password, keys: None, mood, asked })
    }

    fn nothing(mood: Mood) -> Arc<Self> {
        let knows = Self::user("", "");
        knows.set(mood);
        knows
    }

    fn keys_of(user: &'static str) -> Arc<Self> {
        let password = Password::new("right").unwrap();
        let keys = ScramKeys::derive(ScramHash::Sha256, &password, b"salt", 4_096);
        let (mood, asked) = (Mutex::new(Mood::Well), AtomicU32::new(0));
        Arc::new(Self { user, password: "right", keys: Some(keys), mood, asked })
    }

    fn set(&self, mood: Mood) {
        *lock(&self.mood) = mood;
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::Relaxed)
    }

    async fn answer<T>(&self, answer: Result<T, DirectoryError>) -> Result<T, DirectoryError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let mood = *lock(&self.mood);
        match mood {
            Mood::Well => answer,
            Mood::Down => Err(DirectoryError::Unavailable("connection refused".into())),
            Mood::Silent => std::future::pending().await,
            Mood::Busy => Err(DirectoryError::Busy),
            Mood::Disables => Err(Denial::Disabled.into()),
        }
    }
}

impl Directory for Arc<Knows> {
    fn serves(&self, mechanism: Mechanism) -> bool {
        match mechanism {
            Mechanism::Scram(_) | Mechanism::ScramPlus(_) => self.keys.is_some(),
            Mechanism::Plain | Mechanism::Login => true,
            Mechanism::External
            | Mechanism::OAuthBearer
            | Mechanism::XOAuth2
            | Mechanism::CramMd5 => false,
        }
    }

    fn verify<'a>(&'a self, credentials: &'a Credentials, _: &'a Attempt) -> Verification<'a> {
        let password = credentials.password().unwrap().reveal();
        Box::pin(self.answer(match (credentials.user().as_str(), password) {
            (user, password) if (user, password) == (self.user, self.password) => {
                Ok(Identity::proven(credentials.user().clone()))
            }
            (user, _) if user == self.user => Err(Denial::WrongPassword.into()),
            _ => Err(Denial::UnknownUser.into()),
        }))
    }

    fn keys<'a>(&'a self, user: &'a UserName, _: ScramHash) -> KeySearch<'a> {
        let keys = self.keys.clone().filter(|_| user.as_str() == self.user);
        let found =
            keys.map(|keys| KeyedIdentity { identity: Identity::proven(user.clone()), keys });
        Box::pin(self.answer(found.ok_or_else(|| Denial::UnknownUser.into())))
    }
}

fn chain<'a>(directories: impl IntoIterator<Item = &'a Arc<Knows>>) -> Chain {
    let numbered = directories.into_iter().enumerate();
    let backends = numbered.map(|(at, knows)| backend(at, knows, Duration::ZERO)).collect();
    Chain::new(backends, |_| {}).unwrap()
}

fn backend(at: usize, knows: &Arc<Knows>, cache_ttl: Duration) -> Backend {
    let directory = Box::new(Arc::clone(knows));
    Backend { name: at.to_string().into(), directory, timeout: TIMEOUT, cache_ttl }
}

async fn try_login(chain: &Chain, user: &str, password: &str) -> Result<UserName, DirectoryError> {
    let identity = chain.verify(&claim(user, password), &attempt()).await?;
    Ok(identity.user().clone())
}

fn claim(user: &str, password: &str) -> Credentials {
    let password = Claimed::Password(Password::new(password).unwrap());
    Credentials::new(Mechanism::Plain, name(user), password)
}

fn attempt() -> Attempt {
    Attempt {
        client: Ipv4Addr::LOCALHOST.into(),
        listener: "submission".into(),
        tls: true,
        now: std::time::Instant::now(),
    }
}

fn name(text: &str) -> UserName {
    text.parse().unwrap()
}

const TIMEOUT: Duration = Duration::from_secs(5);
