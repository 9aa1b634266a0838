//! The users of a real Dovecot, and what a broken one may do.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod scram_client;

use std::{
    io::Write as _,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use mailweir_auth::{
    Attempt, Conversation, ConversationStep, Credentials, Denial, Directory, DirectoryError,
    Dovecot, DovecotServer, DovecotSettings, Mechanism, Password, Proof, RequestLimits, ScramHash,
};
use mailweir_test_servers::{Dovecot as Server, tools};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    net::{
        UnixListener,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    task::JoinSet,
};

use crate::scram_client::scram_proof;

#[tokio::test]
async fn who_knows_the_password_comes_in_and_nobody_else() {
    if !tools::require(&["dovecot"]) {
        return;
    }
    let server = Server::with_users(USERS);
    let by_tcp = DovecotServer::Tcp(server.address().to_string().into());
    for at in [DovecotServer::Unix(server.socket()), by_tcp] {
        let directory = Dovecot::new(DovecotSettings::new(at));
        for (user, password) in USERS {
            assert_eq!(log_in(&directory, user, password).await.as_deref(), Ok(*user));
        }
        for (user, password) in [("ann", "wrong"), ("zed", "secret")] {
            let answer = log_in(&directory, user, password).await;
            assert_eq!(answer, Err(Denial::WrongPassword.into()), "{user} {password}");
        }
    }
    assert!(server.log().contains("passwd-file(zed,127.0.0.1): unknown user"), "{}", server.log());
}

#[tokio::test]
async fn dovecot_says_who_the_user_is_and_whether_it_may_log_in() {
    if !tools::require(&["dovecot"]) {
        return;
    }
    let server = Server::with_users(USERS);
    server.add_user_line("bob:{PLAIN}secret::::::user=robert");
    server.add_user_line("dora:{PLAIN}secret::::::nologin reason=moved");
    let directory = directory(&server.socket());
    assert_eq!(log_in(&directory, "bob", "secret").await.as_deref(), Ok("robert"));
    assert_eq!(log_in(&directory, "dora", "secret").await, Err(Denial::NotPermitted.into()));
}

/// Else three log-ins of one user would make Dovecot look as if it were down.
#[tokio::test]
async fn a_user_whom_nobody_here_can_name_is_denied() {
    if !tools::require(&["dovecot"]) {
        return;
    }
    let server = Server::with_users(USERS);
    server.add_user_line("eve:{PLAIN}secret::::::user=#eve");
    let directory = directory(&server.socket());
    let Err(DirectoryError::Denied(odd)) = log_in(&directory, "eve", "secret").await else {
        panic!("`#eve` is no user name");
    };
    assert!(matches!(odd, Denial::OddEntry(text) if text.contains("Dovecot")), "{odd}");
    assert!(!odd.to_string().contains("eve"), "{odd}");
    let wrong = log_in(&directory, "eve", "wrong").await;
    assert_eq!(wrong, Err(Denial::WrongPassword.into()));
}

#[tokio::test]
async fn what_dovecot_announces_is_what_is_served() {
    if !tools::require(&["dovecot"]) {
        return;
    }
    let served = |directory: &Dovecot| -> Vec<Mechanism> {
        Mechanism::ALL.into_iter().filter(|&mechanism| directory.serves(mechanism)).collect()
    };
    let by_password = [Mechanism::Plain, Mechanism::Login];

    let all = Server::with_users(USERS);
    let directory_of_all = directory(&all.socket());
    assert_eq!(directory_of_all.mechanisms(), None);
    assert_eq!(served(&directory_of_all), by_password);
    directory_of_all.connect().await.unwrap();
    let announced = directory_of_all.mechanisms().unwrap().join(" ");
    assert_eq!(announced, "PLAIN LOGIN CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256");
    assert_eq!(served(&directory_of_all), by_password);

    let only_cram = Server::with_mechanisms(USERS, "cram-md5 anonymous");
    let directory_of_cram = directory(&only_cram.socket());
    let answer = log_in(&directory_of_cram, "ann", "secret").await;
    assert_eq!(answer, Err(Denial::OtherProof.into()));
    assert_eq!(directory_of_cram.mechanisms().unwrap().join(" "), "CRAM-MD5");
    assert_eq!(served(&directory_of_cram), []);
}

#[tokio::test]
async fn passwords_go_by_login_where_there_is_no_plain() {
    if !tools::require(&["dovecot"]) {
        return;
    }
    let server = Server::with_mechanisms(USERS, "login");
    let directory = directory(&server.socket());
    assert_eq!(log_in(&directory, "ann", "secret").await.as_deref(), Ok("ann"));
    assert_eq!(log_in(&directory, "ann", "wrong").await, Err(Denial::WrongPassword.into()));
    assert!(directory.serves(Mechanism::Plain));
}

#[tokio::test]
async fn dovecot_conducts_scram_and_proves_itself() {
    if !tools::require(&["dovecot"]) {
        return;
    }
    let server = Server::with_users(USERS);
    let directory = directory(&server.socket());
    for hash in [ScramHash::Sha256, ScramHash::Sha1] {
        let answer = scram(&directory, hash, "ann", "secret").await;
        assert_eq!(answer.as_deref(), Ok("ann"), "{hash:?}");
        for (user, password) in [("ann", "wrong"), ("zed", "secret")] {
            let answer = scram(&directory, hash, user, password).await;
            assert_eq!(answer, Err(Denial::WrongPassword.into()), "{hash:?} {user}");
        }
    }
}

#[tokio::test]
async fn dovecot_conducts_cram_md5() {
    if !tools::require(&["dovecot", "python3"]) {
        return;
    }
    let server = Server::with_users(USERS);
    let directory = directory(&server.socket());
    assert_eq!(cram_md5(&directory, "ann", "secret").await.as_deref(), Ok("ann"));
    let answer = cram_md5(&directory, "ann", "wrong").await;
    assert_eq!(answer, Err(Denial::WrongPassword.into()));
}

#[tokio::test]
async fn a_mechanism_that_dovecot_does_not_have_disturbs_nobody() {
    if !tools::require(&["dovecot"]) {
        return;
    }
    let server = Server::with_users(USERS);
    let directory = directory(&server.socket());
    let waits = challenged(directory.converse("cram-md5", None, &attempt()).await);
    for odd in ["XYZZY", "PLAIN\tx", "", "ANONYMOUS"] {
        let refused = directory.converse(odd, None, &attempt()).await.unwrap_err();
        assert_eq!(refused, Denial::OtherProof.into(), "{odd:?}");
    }
    let long = vec![b'x'; 9_217];
    let refused = directory.converse("PLAIN", Some(&long), &attempt()).await.unwrap_err();
    assert_eq!(refused, Denial::OtherProof.into());
    let answer = waits.answer(b"ann 00000000000000000000000000000000").await;
    assert_eq!(answer.unwrap_err(), Denial::WrongPassword.into());
    assert!(!server.log().contains("BUG"), "{}", server.log());
}

#[tokio::test]
async fn two_directories_of_one_process_do_not_disturb_each_other() {
    if !tools::require(&["dovecot"]) {
        return;
    }
    let server = Server::with_users(USERS);
    let (first, second) = (directory(&server.socket()), directory(&server.socket()));
    for directory in [&first, &second, &first] {
        assert_eq!(log_in(directory, "ann", "secret").await.as_deref(), Ok("ann"));
    }
    assert!(!server.log().contains("BUG"), "{}", server.log());
}

#[tokio::test]
async fn a_dovecot_that_stops_denies_nobody_and_is_asked_again_when_it_is_back() {
    if !tools::require(&["dovecot"]) {
        return;
    }
    let mut server = Server::with_users(USERS);
    let directory = directory(&server.socket());
    assert_eq!(log_in(&directory, "ann", "secret").await.as_deref(), Ok("ann"));
    let begun = challenged(directory.converse("CRAM-MD5", None, &attempt()).await);
    server.stop();
    let reason = unavailable(begun.answer(b"ann 00").await);
    assert!(reason.contains("broke the connection off"), "{reason}");
    let reason = unavailable(log_in(&directory, "ann", "secret").await);
    assert!(reason.contains(server.socket().to_str().unwrap()), "{reason}");
    assert!(reason.contains("is it running"), "{reason}");
    server.start();
    assert_eq!(log_in(&directory, "ann", "secret").await.as_deref(), Ok("ann"));
    server.stop();
    server.start();
    assert_eq!(log_in(&directory, "ann", "secret").await.as_deref(), Ok("ann"));
}

#[tokio::test]
async fn a_dovecot_that_cannot_check_denies_nobody() {
    if !tools::require(&["dovecot"]) {
        return;
    }
    let server = Server::with_users(USERS);
    let reason = unavailable(log_in(&directory(&server.socket()), Server::UNLUCKY, "secret").await);
    assert!(reason.contains("its log says why") && !reason.contains("secret"), "{reason}");
}

#[tokio::test]
async fn a_socket_for_something_else_is_named_as_the_mistake() {
    if !tools::require(&["dovecot"]) {
        return;
    }
    let server = Server::with_users(USERS);
    let reason = unavailable(log_in(&directory(&server.wrong_socket()), "ann", "secret").await);
    assert!(reason.contains("is it an auth-client listener"), "{reason}");
}

#[tokio::test]
async fn fifty_log_ins_at_a_time_each_get_their_own_answer() {
    if !tools::require(&["dovecot"]) {
        return;
    }
    let names: Vec<String> = (0..25).map(|number| format!("user{number}")).collect();
    let users: Vec<_> = names.iter().map(|name| (name.as_str(), "secret")).collect();
    let server = Server::with_users(&users);
    let directory = Arc::new(directory(&server.socket()));
    let mut log_ins = JoinSet::new();
    for name in &names {
        for password in ["secret", "wrong"] {
            let (directory, name) = (Arc::clone(&directory), name.clone());
            log_ins.spawn(async move {
                let answer = log_in(&directory, &name, password).await;
                let denied = Err(Denial::WrongPassword.into());
                assert_eq!(answer, if password == "secret" { Ok(name) } else { denied });
            });
        }
    }
    assert_eq!(log_ins.join_all().await.len(), 50);
}

#[tokio::test]
async fn answers_may_come_in_any_order() {
    let fake = Fake::new();
    let directory = fake.directory();
    let server = async {
        let mut server = fake.accept().await;
        let (first, second) = (server.request().await, server.request().await);
        server.say(&format!("OK\t{second}\tuser=second\nFAIL\t{first}\n")).await;
        server
    };
    let (first, second) = (log_in(&directory, "ann", "a"), log_in(&directory, "ann", "b"));
    let (first, second, _server) = tokio::join!(first, second, server);
    assert_eq!(first, Err(Denial::WrongPassword.into()));
    assert_eq!(second.as_deref(), Ok("second"));
}

#[tokio::test]
async fn a_connection_that_breaks_before_the_answer_is_no_answer() {
    for (greeting, answer, expected) in [
        ("", "", "closed the connection"),
        ("VERSION\t1\t2\nMECH\tPLAIN\n", "", "closed the connection"),
        ("VERSION\t2\t0\nMECH\tPLAIN\nDONE\n", "", "another version"),
        ("VERSION\t1\t1\nSPID\t1\n", "", "announces no mechanism"),
        ("+OK POP3 ready\r\n", "", "closed the connection"),
        (GREETING, "", "closed the connection"),
        (GREETING, "OK\t1\tuser=an", "closed the connection"),
        (GREETING, "OK\n", "leaves a number out"),
        (GREETING, "OK\t1\n", "does not say whom"),
        (GREETING, "CONT\t1\tYQ==\n", "more than a name and a password"),
        (GREETING, "FAIL\t1\ttemp\n", "cannot check log-ins now"),
    ] {
        let fake = Fake::new();
        let directory = fake.directory();
        let server = async {
            let mut server = fake.connected().await;
            server.say(greeting).await;
            if greeting == GREETING {
                server.request().await;
                server.say(answer).await;
            }
        };
        let (outcome, ()) = tokio::join!(log_in(&directory, "ann", "secret"), server);
        let reason = unavailable(outcome);
        assert!(reason.contains(expected), "{greeting:?} {answer:?}: {reason}");
        assert!(reason.contains(fake.socket().to_str().unwrap()), "{reason}");
    }
}

#[tokio::test]
async fn a_line_without_end_ends_the_connection() {
    let fake = Fake::new();
    let directory = fake.directory();
    let server = async {
        let mut server = fake.accept().await;
        server.request().await;
        server.say(&"x".repeat(16_385)).await;
        server
    };
    let (outcome, _server) = tokio::join!(log_in(&directory, "ann", "secret"), server);
    assert!(unavailable(outcome).contains("too long"));
}

#[tokio::test]
async fn a_connection_that_has_died_is_replaced_once() {
    let fake = Fake::new();
    let directory = fake.directory();
    let server = async {
        let mut server = fake.accept().await;
        server.accept_request().await;
        server.request().await;
        drop(server);
        let mut server = fake.accept().await;
        server.accept_request().await;
        server.request().await;
        drop(server);
        fake.accept().await.request().await;
    };
    let client = async {
        for _ in 0..2 {
            assert_eq!(log_in(&directory, "ann", "secret").await.as_deref(), Ok("ann"));
        }
        assert!(unavailable(log_in(&directory, "ann", "secret").await).contains("broke"));
    };
    tokio::join!(server, client);
}

#[tokio::test]
async fn a_caller_that_stops_waiting_is_forgotten_and_its_request_cancelled() {
    let fake = Fake::new();
    let mut settings = DovecotSettings::new(DovecotServer::Unix(fake.socket()));
    settings.limits = RequestLimits { at_once: 1.try_into().unwrap(), waiting: 0 };
    let directory = Arc::new(Dovecot::new(settings));
    let waits = Arc::clone(&directory);
    let waits = tokio::spawn(async move { log_in(&waits, "ann", "secret").await });
    let mut server = fake.accept().await;
    let id = server.request().await;
    assert_eq!(log_in(&directory, "ann", "secret").await, Err(DirectoryError::Busy));
    waits.abort();
    assert!(waits.await.unwrap_err().is_cancelled());
    assert_eq!(server.hear().await, format!("CANCEL\t{id}"));

    let next = async {
        server.say(&format!("OK\t{id}\tuser=late\n")).await;
        server.accept_request().await;
    };
    let (answer, ()) = tokio::join!(log_in(&directory, "ann", "secret"), next);
    assert_eq!(answer.as_deref(), Ok("ann"));
}

#[tokio::test]
async fn a_conversation_that_is_dropped_is_cancelled() {
    let fake = Fake::new();
    let directory = fake.directory();
    let server = async {
        let mut server = fake.accept().await;
        let id = server.request().await;
        server.say(&format!("CONT\t{id}\tYQ==\n")).await;
        (id, server)
    };
    let at = attempt();
    let (step, (id, mut server)) = tokio::join!(directory.converse("PLAIN", None, &at), server);
    let conversation = challenged(step);
    assert_eq!(conversation.challenge(), b"a");
    drop(conversation);
    assert_eq!(server.hear().await, format!("CANCEL\t{id}"));
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_has_fallen_silent_gets_no_more_requests() {
    let fake = Fake::new();
    let directory = fake.directory();
    let first = async {
        let mut server = fake.accept().await;
        server.accept_request().await;
        server
    };
    let (answer, mut silent) = tokio::join!(log_in(&directory, "ann", "secret"), first);
    assert_eq!(answer.as_deref(), Ok("ann"));
    let patience = Duration::from_secs(5);
    let given_up = tokio::time::timeout(patience, log_in(&directory, "ann", "secret")).await;
    assert!(given_up.is_err());
    let second = async {
        let mut server = fake.accept().await;
        server.accept_request().await;
    };
    let (answer, ()) = tokio::join!(log_in(&directory, "ann", "secret"), second);
    assert_eq!(answer.as_deref(), Ok("ann"));
    // The first one is given up as a whole.
    let id = silent.request().await;
    assert_eq!(silent.hear().await, format!("CANCEL\t{id}"));
    assert_eq!(silent.lines.next_line().await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn an_old_connection_is_left_lest_it_be_to_a_process_of_before_a_reload() {
    let fake = Fake::new();
    let directory = fake.directory();
    let server = async {
        let mut old = fake.accept().await;
        old.accept_request().await;
        old.accept_request().await;
        let mut new = fake.accept().await;
        assert_eq!(old.lines.next_line().await.unwrap(), None);
        new.accept_request().await;
    };
    let client = async {
        for age in [0, 59, 1] {
            tokio::time::advance(Duration::from_secs(age)).await;
            assert_eq!(log_in(&directory, "ann", "secret").await.as_deref(), Ok("ann"));
        }
    };
    tokio::join!(server, client);
}

/// A Dovecot that does what a test says.
struct Fake {
    home: TempDir,
    listener: UnixListener,
}

/// One connection to it.
struct FakeConnection {
    lines: Lines<BufReader<OwnedReadHalf>>,
    writer: OwnedWriteHalf,
}

impl Fake {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(home.path().join("auth")).unwrap();
        Self { home, listener }
    }

    fn socket(&self) -> PathBuf {
        self.home.path().join("auth")
    }

    fn directory(&self) -> Dovecot {
        directory(&self.socket())
    }

    /// Takes a connection and hears the client's greeting.
    async fn connected(&self) -> FakeConnection {
        let (stream, _) = self.listener.accept().await.unwrap();
        let (reader, writer) = stream.into_split();
        let mut connection = FakeConnection { lines: BufReader::new(reader).lines(), writer };
        assert_eq!(connection.hear().await, "VERSION\t1\t2");
        assert!(connection.hear().await.starts_with("CPID\t"));
        connection
    }

    /// Takes a connection and greets.
    async fn accept(&self) -> FakeConnection {
        let mut connection = self.connected().await;
        connection.say(GREETING).await;
        connection
    }
}

impl FakeConnection {
    async fn hear(&mut self) -> String {
        self.lines.next_line().await.unwrap().expect("a line")
    }

    /// The number of the next request.
    async fn request(&mut self) -> u32 {
        let line = self.hear().await;
        let mut words = line.split('\t');
        assert_eq!(words.next(), Some("AUTH"), "{line}");
        words.next().unwrap().parse().unwrap()
    }

    /// Lets Ann in.
    async fn accept_request(&mut self) {
        let id = self.request().await;
        self.say(&format!("OK\t{id}\tuser=ann\n")).await;
    }

    async fn say(&mut self, text: &str) {
        self.writer.write_all(text.as_bytes()).await.unwrap();
    }
}

fn directory(socket: &Path) -> Dovecot {
    Dovecot::new(DovecotSettings::new(DovecotServer::Unix(socket.into())))
}

/// The name of who was proven.
async fn log_in(directory: &Dovecot, user: &str, password: &str) -> Result<String, DirectoryError> {
    let proof = Proof::Password(Password::new(password).unwrap());
    let credentials = Credentials::new(Mechanism::Plain, user.parse().unwrap(), proof);
    let identity = directory.verify(&credentials, &attempt()).await?;
    Ok(identity.user().to_string())
}

fn attempt() -> Attempt {
    Attempt {
        client: Ipv4Addr::LOCALHOST.into(),
        listener: "submission".into(),
        tls: true,
        now: Instant::now(),
    }
}

async fn cram_md5(
    directory: &Dovecot,
    user: &str,
    password: &str,
) -> Result<String, DirectoryError> {
    let conversation = challenged(directory.converse("CRAM-MD5", None, &attempt()).await);
    let response = cram_md5_response(conversation.challenge(), user, password);
    proven(conversation.answer(response.as_bytes()).await?)
}

/// The client's answer to a challenge of CRAM-MD5 (RFC 2195). Python has MD5.
fn cram_md5_response(challenge: &[u8], user: &str, password: &str) -> String {
    let script = "import hmac, sys; challenge = sys.stdin.buffer.read(); \
                  print(hmac.new(sys.argv[1].encode(), challenge, 'md5').hexdigest())";
    let mut python = Command::new("python3");
    python.args(["-c", script, password]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = python.spawn().unwrap();
    child.stdin.take().unwrap().write_all(challenge).unwrap();
    let digest = child.wait_with_output().unwrap().stdout;
    format!("{user} {}", str::from_utf8(&digest).unwrap().trim())
}

/// The client's side of SCRAM (RFC 5802); fails the test if the server cannot prove itself.
async fn scram(
    directory: &Dovecot,
    hash: ScramHash,
    user: &str,
    password: &str,
) -> Result<String, DirectoryError> {
    let bare = format!("n={user},r=rOprNGfwEbeRWgbNEkqO");
    let first = format!("n,,{bare}");
    let mechanism = Mechanism::Scram(hash).as_str();
    let step = directory.converse(mechanism, Some(first.as_bytes()), &attempt()).await?;
    let conversation = challenged(Ok(step));
    let challenge = str::from_utf8(conversation.challenge()).unwrap().to_owned();
    let (last, signature) = scram_proof(hash, "n,,", &bare, &challenge, password);
    let last_challenge = challenged(Ok(conversation.answer(last.as_bytes()).await?));
    assert_eq!(str::from_utf8(last_challenge.challenge()).unwrap(), signature);
    proven(last_challenge.answer(b"").await?)
}

#[track_caller]
fn challenged(step: Result<ConversationStep, DirectoryError>) -> Conversation {
    match step {
        Ok(ConversationStep::Challenge(conversation)) => conversation,
        other => panic!("{other:?}"),
    }
}

fn proven(step: ConversationStep) -> Result<String, DirectoryError> {
    match step {
        ConversationStep::Proven(identity) => Ok(identity.user().to_string()),
        ConversationStep::Challenge(more) => panic!("{more:?}"),
    }
}

#[track_caller]
fn unavailable<T: std::fmt::Debug>(answer: Result<T, DirectoryError>) -> Box<str> {
    match answer {
        Err(DirectoryError::Unavailable(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

const USERS: &[(&str, &str)] = &[("ann", "secret"), ("bea@example.org", "p\u{e9} ss+,=")];
const GREETING: &str = "VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nSPID\t7\nCUID\t1\nDONE\n";
