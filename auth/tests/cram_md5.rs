//! Log-ins by CRAM-MD5 (RFC 2195), answered as OpenSSL and Dovecot compute them.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::{
    fs,
    net::Ipv4Addr,
    sync::Arc,
    time::{Duration, Instant},
};

use mailweir_auth::{
    Attempt, AuthFailure, Authenticator, Backend, Chain, Channel, Checks, Decoys, Denial,
    Directory, Exchange, ExchangeError, HashCost, HashLimits, Mechanism, NewPassword, PasswordFile,
    PasswordFileSettings, Step, ThrottleLimits, UserStore,
};
use mailweir_test_servers::{passwords, tools};
use tempfile::TempDir;

#[tokio::test]
async fn users_of_every_file_log_in_and_nobody_else_does() {
    if !tools::require(NEEDS) {
        return;
    }
    let gateway = Gateway::new();
    for (user, password) in
        [("ann", "ann's secret"), ("bob", "bob's secret"), ("carl", "carl's secret")]
    {
        let step = gateway.log_in(user, password).await;
        let Step::LoggedIn(identity, mechanism) = step else { panic!("{user}: {step:?}") };
        assert_eq!((identity.user().as_str(), mechanism), (user, Mechanism::CramMd5));
    }
    for (user, password, denial) in [
        ("ann", "wrong", Denial::WrongPassword),
        ("carl", "wrong", Denial::WrongPassword),
        ("zed", "ann's secret", Denial::UnknownUser),
        ("dora", "dora's secret", Denial::NoCramMd5Keys),
        ("emil", "emil's secret", Denial::NoCramMd5Keys),
    ] {
        let step = gateway.log_in(user, password).await;
        let is_denied = matches!(&step, Step::Refused(AuthFailure::Denied(why)) if *why == denial);
        assert!(is_denied, "{user}: {step:?}");
    }
}

#[tokio::test]
async fn two_of_one_name_in_two_files_each_log_in() {
    if !tools::require(NEEDS) {
        return;
    }
    let gateway = Gateway::new();
    for password in ["first fred", "other fred"] {
        let step = gateway.log_in("fred", password).await;
        assert!(matches!(step, Step::LoggedIn(..)), "{password}: {step:?}");
    }
}

#[tokio::test]
async fn it_is_served_and_offered_to_nobody_unasked() {
    if !tools::require(NEEDS) {
        return;
    }
    let gateway = Gateway::new();
    let chain = gateway.authenticator.chain();
    assert!(chain.serves(Mechanism::CramMd5) && !chain.offers(Mechanism::CramMd5));
}

#[tokio::test]
async fn c2_failures_count_and_an_answer_is_for_one_challenge_alone() {
    if !tools::require(NEEDS) {
        return;
    }
    let gateway = Gateway::new();
    let first = gateway.answer(&gateway.challenged().await, "ann", "ann's secret");
    let mut failures = 0;
    loop {
        let replayed = gateway.respond(gateway.challenged().await, &first).await;
        match replayed {
            Step::Refused(AuthFailure::Denied(Denial::WrongPassword)) => failures += 1,
            Step::Refused(AuthFailure::Throttled { .. }) => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(failures, 21);
    let step = gateway.log_in("ann", "ann's secret").await;
    assert!(matches!(step, Step::Refused(AuthFailure::Throttled { .. })), "{step:?}");
}

#[tokio::test]
async fn c5_odd_answers_are_errors_and_no_failures_of_a_user() {
    if !tools::require(NEEDS) {
        return;
    }
    let gateway = Gateway::new();
    for _ in 0..30 {
        let step = gateway.respond(gateway.challenged().await, "ann").await;
        let Step::Refused(AuthFailure::Exchange(error)) = step else { panic!("{step:?}") };
        assert!(matches!(error, ExchangeError::Malformed(_)), "{error}");
    }
    let step = gateway.log_in("ann", "ann's secret").await;
    assert!(matches!(step, Step::LoggedIn(..)), "{step:?}");
}

/// A gateway that asks its own users, where Ann and Dora are, and those of a Dovecot's passwd-file,
/// where the others are. Fred is in both.
struct Gateway {
    authenticator: Authenticator,
    home: TempDir,
}

impl Gateway {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let (users, path) = (home.path().join("users"), home.path().join("passwords"));
        let checks = Arc::new(Checks::new(HashLimits::default()));
        let cost = HashCost { memory_kib: 8, passes: 1 };
        let store = UserStore::open_with(&users, cost, Arc::clone(&checks)).unwrap();
        let new = |password: &str| NewPassword::new(password).unwrap();
        let kept = |password: &str| new(password).kept_for_cram_md5();
        store.add(&"ann".parse().unwrap(), &kept("ann's secret")).unwrap();
        store.add(&"dora".parse().unwrap(), &new("dora's secret")).unwrap();
        store.add(&"fred".parse().unwrap(), &kept("first fred")).unwrap();
        let lines = [
            ("bob", "PLAIN", "bob's secret"),
            ("carl", "CRAM-MD5", "carl's secret"),
            ("emil", "SSHA512", "emil's secret"),
            ("fred", "CRAM-MD5", "other fred"),
        ];
        let line = |(user, scheme, password): (&str, &str, &str)| {
            format!("{user}:{}\n", passwords::doveadm_pw(scheme, password))
        };
        fs::write(&path, lines.map(line).concat()).unwrap();
        let decoys = Decoys::open(&users).unwrap();
        let settings = PasswordFileSettings { path, default_scheme: None, scram: false };
        let file = PasswordFile::open(settings, checks, decoys.clone());
        let backends = vec![backend("store", Box::new(store)), backend("file", Box::new(file))];
        let chain = Chain::new(backends, |_| {}).unwrap();
        let authenticator = Authenticator::new(chain, decoys, ThrottleLimits::default());
        Self { authenticator, home }
    }

    async fn challenged(&self) -> Exchange {
        match self
            .authenticator
            .start(Mechanism::CramMd5, None, Channel::default(), &attempt())
            .await
        {
            Step::Challenge(exchange) => exchange,
            other => panic!("{other:?}"),
        }
    }

    fn answer(&self, exchange: &Exchange, user: &str, password: &str) -> String {
        let challenge = self.home.path().join("challenge");
        fs::write(&challenge, exchange.challenge()).unwrap();
        format!("{user} {}", passwords::hmac_md5(password, &challenge).trim())
    }

    async fn respond(&self, exchange: Exchange, answer: &str) -> Step {
        self.authenticator.respond(exchange, answer.as_bytes(), &attempt()).await
    }

    async fn log_in(&self, user: &str, password: &str) -> Step {
        let exchange = self.challenged().await;
        let answer = self.answer(&exchange, user, password);
        self.respond(exchange, &answer).await
    }
}

fn backend(name: &str, directory: Box<dyn Directory>) -> Backend {
    let (timeout, cache_ttl) = (Duration::from_secs(5), Duration::ZERO);
    Backend { name: name.into(), directory, timeout, cache_ttl }
}

fn attempt() -> Attempt {
    Attempt {
        client: Ipv4Addr::LOCALHOST.into(),
        listener: "submission".into(),
        tls: false,
        now: Instant::now(),
    }
}

const NEEDS: &[&str] = &["doveadm", "openssl"];
