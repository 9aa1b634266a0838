//! The users of a real saslauthd.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::{net::Ipv4Addr, path::Path, sync::Arc, time::Instant};

use mailweir_auth::{
    Attempt, Credentials, Denial, Directory, DirectoryError, Identity, Mechanism, Password, Proof,
    RequestLimits, Saslauthd, SaslauthdSettings, ScramHash,
};
use mailweir_test_servers::{Saslauthd as Server, testsaslauthd_accepts, tools};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{UnixListener, UnixSocket, UnixStream},
    task::JoinSet,
};

#[test]
fn the_fixture_is_what_testsaslauthd_believes_in() {
    if !tools::require(&["saslauthd", "testsaslauthd"]) {
        return;
    }
    let server = Server::with_users(USERS);
    assert!(testsaslauthd_accepts(&server.socket(), "ann", "secret"));
    assert!(!testsaslauthd_accepts(&server.socket(), "ann", "wrong"));
    assert!(!testsaslauthd_accepts(&server.socket(), "zed", "secret"));
    assert!(server.log().contains("auth success: [user=ann]"), "{}", server.log());
}

#[tokio::test]
async fn who_knows_the_password_comes_in_and_nobody_else() {
    if !tools::require(&["saslauthd"]) {
        return;
    }
    let server = Server::with_users(USERS);
    let directory = directory(&server.socket());
    for (user, password) in USERS {
        assert_eq!(log_in(&directory, user, password).await.as_deref(), Ok(*user));
    }
    for (user, password) in [("ann", "wrong"), ("zed", "secret"), ("ann@other.example", "secret")] {
        let answer = log_in(&directory, user, password).await;
        assert_eq!(answer, Err(Denial::WrongPassword.into()), "{user} {password}");
    }
}

#[tokio::test]
async fn a_domain_is_the_realm_if_it_is_named_as_one() {
    if !tools::require(&["saslauthd"]) {
        return;
    }
    let server = Server::with_users(USERS);
    let ask = async |realms: &[&str], realm: &str, user| {
        let mut settings = SaslauthdSettings::new(server.socket());
        settings.realms = realms.iter().map(|&realm| realm.into()).collect();
        settings.realm = realm.into();
        log_in(&Saslauthd::new(settings).unwrap(), user, "hunter2").await
    };
    let bob = Ok("bob@example.org".into());
    assert_eq!(ask(&["example.org"], "", "bob@example.org").await, bob);
    assert_eq!(ask(&[], "", "bob@example.org").await, bob);
    // The server puts login and realm together (-r).
    assert_eq!(ask(&[], "example.org", "bob").await, Ok("bob".into()));
    let denied = Err(Denial::WrongPassword.into());
    assert_eq!(ask(&["example.org"], "", "bob").await, denied);
    assert_eq!(ask(&[], "example.org", "bob@example.org").await, denied);
    assert!(server.log().contains("[user=bob@example.org@example.org]"), "{}", server.log());
}

#[tokio::test]
async fn nobody_chooses_a_domain_where_saslauthd_passes_realms_over() {
    if !tools::require(&["saslauthd"]) {
        return;
    }
    let server = Server::without_realms(USERS);
    let mut settings = SaslauthdSettings::new(server.socket());
    settings.realms = vec!["example.org".into()];
    let directory = Saslauthd::new(settings).unwrap();
    for user in ["ann", "ann@example.org"] {
        assert_eq!(log_in(&directory, user, "secret").await.as_deref(), Ok(user));
    }
    for user in ["ann@other.example", "ann@sub.example.org", "ann@example.org@x", "ann@"] {
        let answer = log_in(&directory, user, "secret").await;
        assert_eq!(answer, Err(Denial::WrongPassword.into()), "{user}");
    }
    assert!(server.log().contains("[user=ann@other.example]"), "{}", server.log());
}

#[tokio::test]
async fn a_password_that_saslauthd_does_not_read_is_a_wrong_one() {
    if !tools::require(&["saslauthd"]) {
        return;
    }
    let server = Server::with_users(USERS);
    let longest = "x".repeat(Password::MAX_BYTES);
    let answer = log_in(&directory(&server.socket()), "ann", &longest).await;
    assert_eq!(answer, Err(Denial::WrongPassword.into()));
    assert!(server.log().contains("exceeded MAX_REQ_LEN"), "{}", server.log());
}

#[tokio::test]
async fn a_saslauthd_that_stops_denies_nobody_and_is_asked_again_when_it_is_back() {
    if !tools::require(&["saslauthd"]) {
        return;
    }
    let mut server = Server::with_users(USERS);
    let directory = directory(&server.socket());
    server.stop();
    let reason = unavailable(log_in(&directory, "ann", "secret").await);
    assert!(reason.contains(server.socket().to_str().unwrap()), "{reason}");
    assert!(reason.contains("is it running"), "{reason}");
    server.start();
    assert_eq!(log_in(&directory, "ann", "secret").await.as_deref(), Ok("ann"));
}

#[tokio::test]
async fn a_socket_that_is_not_there_is_named() {
    let home = tempfile::tempdir().unwrap();
    let socket = home.path().join("mux");
    let reason = unavailable(log_in(&directory(&socket), "ann", "secret").await);
    assert!(
        reason.contains(socket.to_str().unwrap()) && reason.contains("No such file"),
        "{reason}"
    );
}

#[tokio::test]
async fn a_saslauthd_that_cannot_check_denies_nobody() {
    if !tools::require(&["saslauthd"]) {
        return;
    }
    let mut server = Server::with_users(USERS);
    server.lose_its_users();
    let reason = unavailable(log_in(&directory(&server.socket()), "ann", "secret").await);
    assert!(reason.contains("[ALERT] Couldn't contact"), "{reason}");
    assert!(!reason.contains("secret"), "{reason}");
}

#[tokio::test]
async fn fifty_log_ins_at_a_time_are_all_answered() {
    if !tools::require(&["saslauthd"]) {
        return;
    }
    let server = Server::with_users(USERS);
    let directory = Arc::new(directory(&server.socket()));
    let mut log_ins = JoinSet::new();
    for number in 0..50 {
        let directory = Arc::clone(&directory);
        log_ins.spawn(async move {
            let password = if number % 2 == 0 { "secret" } else { "wrong" };
            (number % 2 == 0, log_in(&directory, "ann", password).await)
        });
    }
    for (is_right, answer) in log_ins.join_all().await {
        let expected = if is_right { Ok("ann".into()) } else { Err(Denial::WrongPassword.into()) };
        assert_eq!(answer, expected);
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_no_answer() {
    let home = tempfile::tempdir().unwrap();
    let socket = home.path().join("mux");
    for (reply, expected) in [
        (&b""[..], "before it answered"),
        (b"\0", "before it answered"),
        (b"\0\x0aOK Succ", "before it answered"),
        (b"\0\0", "is it one?"),
        (b"220 mail.example ESMTP\r\n", "is it one?"),
    ] {
        let listener = UnixListener::bind(&socket).unwrap();
        let server = tokio::spawn(async move { answer(&listener, reply).await });
        let reason = unavailable(log_in(&directory(&socket), "ann", "secret").await);
        assert!(reason.contains(expected), "{reply:?}: {reason}");
        assert_eq!(server.await.unwrap(), b"\0\x03ann\0\x06secret\0\x04smtp\0\0");
        std::fs::remove_file(&socket).unwrap();
    }
}

#[tokio::test]
async fn one_connection_too_many_is_told_busy() {
    let home = tempfile::tempdir().unwrap();
    let socket = home.path().join("mux");
    let listener = UnixListener::bind(&socket).unwrap();
    let mut settings = SaslauthdSettings::new(&socket);
    settings.limits = RequestLimits { at_once: 1.try_into().unwrap(), waiting: 0 };
    let directory = Arc::new(Saslauthd::new(settings).unwrap());
    let first = {
        let directory = Arc::clone(&directory);
        tokio::spawn(async move { log_in(&directory, "ann", "secret").await })
    };
    let (mut connection, _) = listener.accept().await.unwrap();
    assert_eq!(log_in(&directory, "ann", "secret").await, Err(DirectoryError::Busy));

    // A caller that stops waiting leaves neither its place nor its connection behind.
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    let mut sent = Vec::new();
    connection.read_to_end(&mut sent).await.unwrap();
    let server = tokio::spawn(async move { answer(&listener, b"\0\x02OK").await });
    assert_eq!(log_in(&directory, "ann", "secret").await.as_deref(), Ok("ann"));
    server.await.unwrap();
}

#[tokio::test]
async fn a_full_queue_of_connections_means_busy() {
    let home = tempfile::tempdir().unwrap();
    let socket = home.path().join("mux");
    let server = UnixSocket::new_stream().unwrap();
    server.bind(&socket).unwrap();
    let _nobody_accepts = server.listen(0).unwrap();
    let mut queue = Vec::new();
    while let Ok(connection) = UnixStream::connect(&socket).await {
        queue.push(connection);
    }
    let answer = log_in(&directory(&socket), "ann", "secret").await;
    assert_eq!(answer, Err(DirectoryError::Busy));
}

#[tokio::test]
async fn it_serves_passwords_only() {
    let directory = directory(Path::new("/nowhere"));
    let served: Vec<_> = Mechanism::ALL.into_iter().filter(|&m| directory.serves(m)).collect();
    assert_eq!(served, [Mechanism::Plain, Mechanism::Login]);
    let keys = directory.keys(&"ann".parse().unwrap(), ScramHash::Sha256).await;
    assert!(matches!(keys, Err(DirectoryError::Denied(Denial::NoKeys))));
}

/// Takes one connection, reads the request, sends `reply` and closes.
async fn answer(listener: &UnixListener, reply: &[u8]) -> Vec<u8> {
    let (mut connection, _) = listener.accept().await.unwrap();
    let mut request = Vec::new();
    for _ in 0..4 {
        let length = connection.read_u16().await.unwrap();
        let mut field = vec![0; length.into()];
        connection.read_exact(&mut field).await.unwrap();
        request.extend(length.to_be_bytes());
        request.extend(field);
    }
    connection.write_all(reply).await.unwrap();
    request
}

fn directory(socket: &Path) -> Saslauthd {
    Saslauthd::new(SaslauthdSettings::new(socket)).unwrap()
}

/// The name of who was proven.
async fn log_in(
    directory: &Saslauthd,
    user: &str,
    password: &str,
) -> Result<String, DirectoryError> {
    let proof = Proof::Password(Password::new(password).unwrap());
    let credentials = Credentials::new(Mechanism::Plain, user.parse().unwrap(), proof);
    let attempt = Attempt {
        client: Ipv4Addr::LOCALHOST.into(),
        listener: "submission".into(),
        tls: true,
        now: Instant::now(),
    };
    let identity: Identity = directory.verify(&credentials, &attempt).await?;
    Ok(identity.user().to_string())
}

fn unavailable(answer: Result<String, DirectoryError>) -> Box<str> {
    match answer {
        Err(DirectoryError::Unavailable(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

const USERS: &[(&str, &str)] =
    &[("ann", "secret"), ("bob@example.org", "hunter2"), ("carol", "a \"quoted\\ p\u{e9}")];
