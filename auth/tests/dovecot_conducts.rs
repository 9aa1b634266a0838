//! Exchanges that a real Dovecot conducts in a chain of back ends.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod scram_client;

use std::{
    net::Ipv4Addr,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use mailweir_auth::{
    Attempt, AuthFailure, Authenticator, Backend, Chain, Channel, Checks, Decoys, Denial,
    Directory, Dovecot, DovecotServer, DovecotSettings, Exchange, ExchangeError, HashCost,
    HashLimits, Mechanism, NewPassword, ScramHash, Step, ThrottleLimits, TlsExporter, UserStore,
};
use mailweir_test_servers::{Dovecot as Server, tools};
use tempfile::TempDir;
use tokio::{io::AsyncWriteExt as _, net::UnixListener};

use crate::scram_client::scram_proof;

#[tokio::test]
async fn by_scram_users_of_the_store_and_of_dovecot_come_in_through_one_chain() {
    if !tools::require(&["dovecot"]) {
        return;
    }
    let server = Server::with_users(USERS);
    server.add_user_line("bob:{PLAIN}secret::::::user=robert");
    for order in [Order::StoreFirst, Order::DovecotFirst] {
        let gateway = Gateway::new(&server, order);
        for (user, password, name) in
            [("ann", "secret", "ann"), ("carl", STORED, "carl"), ("bob", "secret", "robert")]
        {
            let step = gateway.log_in(user, password, "n").await;
            let Step::LoggedIn(identity, mechanism) = step else { panic!("{user}: {step:?}") };
            assert_eq!((identity.user().as_str(), mechanism), (name, SCRAM));
        }
        let step = gateway.log_in("ann", "secret", "y").await;
        assert!(matches!(step, Step::LoggedIn(..)), "{step:?}");
        for user in ["ann", "carl"] {
            let denial = denied(gateway.log_in(user, "wrong", "n").await);
            assert_eq!(denial, Denial::WrongPassword, "{user}");
        }
    }
}

#[tokio::test]
async fn c1_whom_nobody_knows_gets_a_challenge_and_no_further() {
    if !tools::require(&["dovecot"]) {
        return;
    }
    let server = Server::with_users(USERS);
    let gateway = Gateway::new(&server, Order::StoreFirst);
    let exchange = gateway.challenged("zed", "n").await;
    let salt = |exchange: &Exchange| {
        let text = str::from_utf8(exchange.challenge()).unwrap().to_owned();
        text.split(",s=").nth(1).unwrap().to_owned()
    };
    assert_eq!(salt(&exchange), salt(&gateway.challenged("zed", "n").await), "a decoy");
    let denial = denied(gateway.prove(exchange, "zed", "n", "secret").await);
    assert_eq!(denial, Denial::UnknownUser);
    assert!(server.log().contains("passwd-file(zed,127.0.0.1): unknown user"), "{}", server.log());
}

#[tokio::test]
async fn c2_a_proof_for_dovecot_is_not_passed_on_while_its_account_has_to_wait() {
    if !tools::require(&["dovecot"]) {
        return;
    }
    let server = Server::with_users(USERS);
    let gateway = Gateway::new(&server, Order::StoreFirst);
    let waiting = gateway.challenged("ann", "n").await;
    let mut failures = 0;
    while !matches!(gateway.start("ann", "n").await, Step::Refused(_)) {
        let step = gateway.log_in("ann", "wrong", "n").await;
        assert_eq!(denied(step), Denial::WrongPassword);
        failures += 1;
    }
    // Each counted once: see the limits that the store's own users have.
    assert_eq!(failures, 21);
    let step = gateway.prove(waiting, "ann", "n", "secret").await;
    assert!(matches!(step, Step::Refused(AuthFailure::Throttled { .. })), "{step:?}");
}

/// Nobody listens, so whatever were passed on would end as a temporary failure.
#[tokio::test]
async fn c4_dovecot_is_not_asked_about_what_is_unsound_or_bound_to_the_channel() {
    let gateway = Gateway::of(Path::new("/nonexistent/auth"), |_, dovecot| vec![dovecot]);
    let begin = async |mechanism, first: &[u8]| {
        let exporter = Some(TlsExporter([7; 32]));
        let channel = Channel { exporter, certified: Vec::new() };
        gateway.authenticator.start(mechanism, Some(first), channel, &attempt()).await
    };
    let plus = Mechanism::ScramPlus(ScramHash::Sha256);
    let downgraded = begin(SCRAM, b"y,,n=ann,r=abc").await;
    let is_seen =
        matches!(downgraded, Step::Refused(AuthFailure::Exchange(ExchangeError::Downgraded)));
    assert!(is_seen, "{downgraded:?}");
    let odd = begin(SCRAM, b"n,,n=ann").await;
    assert!(matches!(odd, Step::Refused(AuthFailure::Exchange(_))), "{odd:?}");
    let bound = begin(plus, b"p=tls-exporter,,n=ann,r=abc").await;
    let bound = gateway.disprove(bound).await;
    assert!(matches!(bound, Step::Refused(AuthFailure::Denied(_))), "{bound:?}");
    let sound = begin(SCRAM, b"n,,n=ann,r=abc").await;
    let sound = gateway.disprove(sound).await;
    assert!(matches!(sound, Step::Refused(AuthFailure::Temporary(_))), "{sound:?}");
}

#[tokio::test]
async fn dovecot_that_stops_in_the_midst_of_an_exchange_is_nobodys_wrong_password() {
    if !tools::require(&["dovecot"]) {
        return;
    }
    let mut server = Server::with_users(USERS);
    let gateway = Gateway::new(&server, Order::StoreFirst);
    let exchange = gateway.challenged("ann", "n").await;
    server.stop();
    let cut_off = gateway.prove(exchange, "ann", "n", "secret").await;
    // A decoy: users whom the store knows get a challenge too.
    let next = gateway.disprove(gateway.start("ann", "n").await).await;
    for step in [cut_off, next] {
        let Step::Refused(AuthFailure::Temporary(reason)) = step else { panic!("{step:?}") };
        assert!(reason.starts_with("dovecot: "), "{reason}");
    }
    let step = gateway.log_in("carl", STORED, "n").await;
    assert!(matches!(step, Step::LoggedIn(..)), "{step:?}");
}

#[tokio::test(start_paused = true)]
async fn a_dovecot_that_falls_silent_in_the_midst_of_an_exchange_is_not_waited_for() {
    let home = tempfile::tempdir().unwrap();
    let socket = home.path().join("auth");
    let listener = UnixListener::bind(&socket).unwrap();
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"VERSION\t1\t2\nMECH\tSCRAM-SHA-256\nSPID\t7\nDONE\n").await.unwrap();
        stream.write_all(b"CONT\t1\tcj1hYmM=\n").await.unwrap();
        stream
    };
    let gateway = Gateway::of(&socket, |_, dovecot| vec![dovecot]);
    let (step, _silent) = tokio::join!(gateway.start("ann", "n"), server);
    let Step::Challenge(exchange) = step else { panic!("{step:?}") };
    let step = gateway.authenticator.respond(exchange, b"c=biws", &attempt()).await;
    let Step::Refused(AuthFailure::Temporary(reason)) = step else { panic!("{step:?}") };
    assert_eq!(&*reason, "dovecot: no answer within 5 s");
}

/// Who comes first.
#[derive(Clone, Copy)]
enum Order {
    StoreFirst,
    DovecotFirst,
}

/// What a gateway asks: its own users (Carl is one), and those of a Dovecot.
struct Gateway {
    authenticator: Authenticator,
    _home: TempDir,
}

impl Gateway {
    fn new(server: &Server, order: Order) -> Self {
        Self::of(&server.socket(), |store, dovecot| match order {
            Order::StoreFirst => vec![store, dovecot],
            Order::DovecotFirst => vec![dovecot, store],
        })
    }

    fn of(socket: &Path, chain: impl FnOnce(Backend, Backend) -> Vec<Backend>) -> Self {
        let home = tempfile::tempdir().unwrap();
        let users = home.path().join("users");
        let cost = HashCost { memory_kib: 8, passes: 1 };
        let checks = Arc::new(Checks::new(HashLimits::default()));
        let store = UserStore::open_with(&users, cost, checks).unwrap();
        store.add(&"carl".parse().unwrap(), &NewPassword::new(STORED).unwrap()).unwrap();
        let mut settings = DovecotSettings::new(DovecotServer::Unix(socket.into()));
        settings.scram = true;
        let dovecot = backend("dovecot", Box::new(Dovecot::new(settings)));
        let backends = chain(backend("store", Box::new(store)), dovecot);
        let chain = Chain::new(backends, |_| {}).unwrap();
        let decoys = Decoys::open(&users).unwrap();
        let authenticator = Authenticator::new(chain, decoys, ThrottleLimits::default());
        Self { authenticator, _home: home }
    }

    async fn start(&self, user: &str, flag: &str) -> Step {
        let first = format!("{flag},,{}", bare(user));
        self.authenticator
            .start(SCRAM, Some(first.as_bytes()), Channel::default(), &attempt())
            .await
    }

    /// Answers a challenge with a proof of nothing.
    async fn disprove(&self, step: Step) -> Step {
        let Step::Challenge(exchange) = step else { panic!("a challenge: {step:?}") };
        self.authenticator.respond(exchange, b"c=biws,r=abc,p=AAAA", &attempt()).await
    }

    async fn challenged(&self, user: &str, flag: &str) -> Exchange {
        match self.start(user, flag).await {
            Step::Challenge(exchange) => exchange,
            other => panic!("{user}: {other:?}"),
        }
    }

    /// Proves the password; the server has to prove that it knows it too.
    async fn prove(&self, exchange: Exchange, user: &str, flag: &str, password: &str) -> Step {
        let challenge = str::from_utf8(exchange.challenge()).unwrap().to_owned();
        let header = format!("{flag},,");
        let (proof, signature) =
            scram_proof(ScramHash::Sha256, &header, &bare(user), &challenge, password);
        let step = self.authenticator.respond(exchange, proof.as_bytes(), &attempt()).await;
        let Step::Challenge(exchange) = step else { return step };
        assert_eq!(str::from_utf8(exchange.challenge()).unwrap(), signature);
        self.authenticator.respond(exchange, b"", &attempt()).await
    }

    async fn log_in(&self, user: &str, password: &str, flag: &str) -> Step {
        let exchange = self.challenged(user, flag).await;
        self.prove(exchange, user, flag, password).await
    }
}

fn backend(name: &str, directory: Box<dyn Directory>) -> Backend {
    let (timeout, cache_ttl) = (Duration::from_secs(5), Duration::ZERO);
    Backend { name: name.into(), directory, timeout, cache_ttl }
}

fn bare(user: &str) -> String {
    format!("n={user},r=rOprNGfwEbeRWgbNEkqO")
}

fn attempt() -> Attempt {
    Attempt {
        client: Ipv4Addr::LOCALHOST.into(),
        listener: "submission".into(),
        tls: true,
        now: Instant::now(),
    }
}

#[track_caller]
fn denied(step: Step) -> Denial {
    match step {
        Step::Refused(AuthFailure::Denied(denial)) => denial,
        other => panic!("{other:?}"),
    }
}

const SCRAM: Mechanism = Mechanism::Scram(ScramHash::Sha256);
const STORED: &str = "stored secret";
const USERS: &[(&str, &str)] = &[("ann", "secret")];
