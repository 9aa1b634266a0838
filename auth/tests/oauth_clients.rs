//! Token log-ins of other people's mail clients, against an SMTP server that knows AUTH only.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    process::Command,
    time::Duration,
    time::Instant,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use mailweir_auth::{
    Attempt, AuthFailure, Authenticator, Backend, Chain, Channel, Credentials, Decoys, Denial,
    Directory, Identity, KeySearch, Mechanism, Proof, ScramHash, Step, ThrottleLimits, TokenFault,
    UserName, Verification,
};
use mailweir_test_servers::tools;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    net::{
        TcpListener,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    task::spawn_blocking,
};

#[tokio::test]
async fn curl_logs_in_by_both_mechanisms_and_fails_with_a_bad_token() {
    if !tools::require(&["curl"]) {
        return;
    }
    for mechanism in [Mechanism::OAuthBearer, Mechanism::XOAuth2] {
        let curl = |token: &'static str| {
            move |address: SocketAddr| {
                let mut command = Command::new("curl");
                command.args(["--silent", "--show-error", "--max-time", "30", "--noproxy", "*"]);
                command.args(["--user", "ann@example.org", "--oauth2-bearer", token]);
                command.args(["--login-options", &format!("AUTH={mechanism}")]);
                command.args(["--request", "NOOP", &format!("smtp://{address}/client.example")]);
                command
            }
        };
        let (good, succeeded) = session(mechanism, curl("good")).await;
        assert!(succeeded && good.is_logged_in("ann@example.org", mechanism), "{good:?}");
        let (bad, succeeded) = session(mechanism, curl("bad")).await;
        assert!(!succeeded);
        match mechanism {
            Mechanism::OAuthBearer => assert!(bad.is_denied_after(b"\x01"), "{bad:?}"),
            // It does not wait for the end.
            _ => assert!(bad.end.is_none() && bad.acknowledgement.is_none(), "{bad:?}"),
        }
    }
}

#[tokio::test]
async fn msmtp_logs_in_by_both_mechanisms_and_fails_with_a_bad_token() {
    if !tools::require(&["msmtp"]) {
        return;
    }
    for mechanism in [Mechanism::OAuthBearer, Mechanism::XOAuth2] {
        let msmtp = |token: &'static str| {
            move |address: SocketAddr| {
                let mut command = Command::new("msmtp");
                let method = mechanism.as_str().to_ascii_lowercase();
                command.args(["--file=/dev/null", "--tls=off", "--timeout=30", "--host=127.0.0.1"]);
                command.arg(format!("--port={}", address.port())).arg(format!("--auth={method}"));
                command.args(["--user=ann@example.org", &format!("--passwordeval=echo {token}")]);
                command.args(["--from=ann@example.org", "bob@example.org"]);
                command
            }
        };
        let (good, _) = session(mechanism, msmtp("good")).await;
        assert!(good.is_logged_in("ann@example.org", mechanism), "{good:?}");
        let (bad, succeeded) = session(mechanism, msmtp("bad")).await;
        assert!(!succeeded && bad.is_denied_after(b""), "{bad:?}");
    }
}

/// What became of a client's log-in.
#[derive(Debug, Default)]
struct Outcome {
    /// What the client said to the news that its token is refused.
    acknowledgement: Option<Vec<u8>>,
    end: Option<Step>,
}

impl Outcome {
    fn is_logged_in(&self, user: &str, by: Mechanism) -> bool {
        matches!(&self.end, Some(Step::LoggedIn(identity, mechanism))
            if identity.user().as_str() == user && *mechanism == by)
    }

    fn is_denied_after(&self, acknowledgement: &[u8]) -> bool {
        let denied = AuthFailure::Denied(Denial::Token(TokenFault::Signature));
        matches!(&self.end, Some(Step::Refused(failure)) if *failure == denied)
            && self.acknowledgement.as_deref() == Some(acknowledgement)
    }
}

/// Runs a client against a server that offers this mechanism; also whether the client is content.
async fn session(
    mechanism: Mechanism,
    client: impl FnOnce(SocketAddr) -> Command,
) -> (Outcome, bool) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let mut client = client(listener.local_addr().unwrap());
    let client = spawn_blocking(move || client.stdin(std::process::Stdio::null()).output());
    let (stream, _) = listener.accept().await.unwrap();
    let (reader, writer) = stream.into_split();
    let outcome = Server { lines: BufReader::new(reader).lines(), writer }.serve(mechanism).await;
    let output = client.await.unwrap().unwrap();
    eprintln!("{}", String::from_utf8_lossy(&output.stderr));
    (outcome, output.status.success())
}

/// SMTP as far as a log-in needs it.
struct Server {
    lines: Lines<BufReader<OwnedReadHalf>>,
    writer: OwnedWriteHalf,
}

impl Server {
    async fn serve(mut self, mechanism: Mechanism) -> Outcome {
        let home = tempfile::tempdir().unwrap();
        let decoys = Decoys::open(&home.path().join("users")).unwrap();
        let backend = Backend {
            name: "tokens".into(),
            directory: Box::new(GoodTokens),
            timeout: Duration::from_secs(10),
            cache_ttl: Duration::ZERO,
        };
        let chain = Chain::new(vec![backend], |_| {}).unwrap();
        let authenticator = Authenticator::new(chain, decoys, ThrottleLimits::default());
        let mut outcome = Outcome::default();
        self.say("220 server.example ESMTP").await;
        while let Some(line) = self.hear().await {
            let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
            match verb.to_ascii_uppercase().as_str() {
                "EHLO" => self.say(&format!("250-server.example\r\n250 AUTH {mechanism}")).await,
                "AUTH" => {
                    outcome = self.log_in(&authenticator, rest).await;
                    let reply = match &outcome.end {
                        Some(Step::LoggedIn(..)) => "235 2.7.0 Authentication successful",
                        _ => "535 5.7.8 Authentication failed",
                    };
                    self.say(reply).await;
                }
                "QUIT" => self.say("221 2.0.0 Bye").await,
                "DATA" => self.say("554 5.5.1 This server takes no mail").await,
                _ => self.say("250 2.0.0 Ok").await,
            }
        }
        outcome
    }

    async fn log_in(&mut self, authenticator: &Authenticator, command: &str) -> Outcome {
        let (name, initial) = match command.split_once(' ') {
            Some((name, initial)) => (name, Some(STANDARD.decode(initial).unwrap())),
            None => (command, None),
        };
        let attempt = attempt();
        let mechanism = name.parse().unwrap();
        let mut outcome = Outcome::default();
        let mut step =
            authenticator.start(mechanism, initial.as_deref(), Channel::default(), &attempt).await;
        loop {
            let Step::Challenge(exchange) = step else {
                outcome.end = Some(step);
                return outcome;
            };
            let is_refusal = !exchange.challenge().is_empty();
            self.say(&format!("334 {}", STANDARD.encode(exchange.challenge()))).await;
            let Some(answer) = self.hear().await.and_then(|line| STANDARD.decode(line).ok()) else {
                return outcome;
            };
            step = authenticator.respond(exchange, &answer, &attempt).await;
            outcome.acknowledgement = is_refusal.then_some(answer);
        }
    }

    async fn hear(&mut self) -> Option<String> {
        let line = self.lines.next_line().await.ok()?;
        line.inspect(|line| eprintln!("C: {line}"))
    }

    async fn say(&mut self, line: &str) {
        eprintln!("S: {line}");
        // A client that has gone is noticed when it says no more.
        let _ = self.writer.write_all(format!("{line}\r\n").as_bytes()).await;
    }
}

/// A directory in which the token `good` proves anybody.
#[derive(Debug)]
struct GoodTokens;

impl Directory for GoodTokens {
    fn serves(&self, _mechanism: Mechanism) -> bool {
        true
    }

    fn verify<'a>(
        &'a self,
        credentials: &'a Credentials,
        _attempt: &'a Attempt,
    ) -> Verification<'a> {
        let answer = match credentials.proof() {
            Proof::Token(token) if token.reveal() == "good" => {
                Ok(Identity::proven(credentials.user().clone()))
            }
            _ => Err(TokenFault::Signature.into()),
        };
        Box::pin(std::future::ready(answer))
    }

    fn keys<'a>(&'a self, _user: &'a UserName, _hash: ScramHash) -> KeySearch<'a> {
        Box::pin(std::future::ready(Err(Denial::OtherProof.into())))
    }
}

fn attempt() -> Attempt {
    let client = IpAddr::V4(Ipv4Addr::LOCALHOST);
    Attempt { client, listener: "submission".into(), tls: true, now: Instant::now() }
}
