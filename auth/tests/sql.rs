//! Users in real PostgreSQL and MariaDB servers: each story is told to both.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use mailweir_auth::{
    Attempt, Checks, Credentials, Decoys, Denial, Directory as _, DirectoryError, HashLimits,
    Identity, KeyedIdentity, Mechanism, Password, Proof, Role, ScramHash, Sql, SqlSettings,
    UserName,
};
use mailweir_test_servers::{MariaDb, PostgreSql, tools, wait};

#[tokio::test(flavor = "multi_thread")]
async fn postgresql() {
    if !tools::require(&["postgres", "setpriv"]) {
        return;
    }
    let mut server = Server::PostgreSql(PostgreSql::start());
    stories(&mut server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mariadb() {
    if !tools::require(&["mariadbd", "mariadb-install-db", "setpriv"]) {
        return;
    }
    let mut server = Server::MariaDb(MariaDb::start());
    stories(&mut server).await;
}

async fn stories(server: &mut Server) {
    server.run(&table());
    stories_of_users(server).await;
    stories_of_the_database(server).await;
    match server {
        Server::PostgreSql(postgresql) => {
            tls_is_verified(postgresql).await;
            a_value_of_another_type_is_not_quoted(postgresql).await;
        }
        Server::MariaDb(mariadb) => loose_comparison_needs_the_name(mariadb).await,
    }
    a_server_that_is_down_comes_back(server).await;
}

async fn stories_of_users(server: &Server) {
    passwords_are_checked(server).await;
    names_are_values_and_never_text(server).await;
    local_and_domain_are_values_too(server).await;
    nobody_chooses_a_domain_that_the_query_leaves_open(server).await;
    rows_that_log_nobody_in(server).await;
    a_row_says_who_it_is_and_what_it_may(server).await;
    what_is_odd_about_one_user_is_a_denial(server).await;
    scram_keys_are_found(server).await;
    keys_for_cram_md5_are_found(server).await;
    secrets_may_be_bytes_or_padded(server).await;
    several_rows_are_a_denial(server).await;
    c1_an_unknown_user_costs_a_check(server).await;
}

async fn stories_of_the_database(server: &Server) {
    a_socket_will_do(server).await;
    a_query_can_only_read(server).await;
    a_changed_table_disturbs_nobody(server).await;
    names_in_another_alphabet_are_unknown(server).await;
    fifty_log_in_at_once(server).await;
    too_many_questions_are_busy(server).await;
    a_late_answer_is_none(server).await;
    a_dropped_question_holds_no_connection(server).await;
    mistakes_in_the_query_are_told(server).await;
    a_killed_connection_is_made_anew(server).await;
    a_wrong_password_of_the_gateway_is_told(server).await;
}

async fn passwords_are_checked(server: &Server) {
    let users = server.users(BY_NAME);
    assert_eq!(
        log_in(&users, "ann@example.org", "correct horse").await,
        Ok(who("ann@example.org"))
    );
    assert_eq!(
        log_in(&users, "Ann@Example.ORG", "correct horse").await,
        Ok(who("ann@example.org"))
    );
    for (name, password, denial) in [
        ("ann@example.org", "Correct horse", Denial::WrongPassword),
        ("bob@example.org", "correct horse", Denial::UnknownUser),
    ] {
        assert_eq!(log_in(&users, name, password).await, denied(denial), "{name}");
    }
    assert!(users.serves(Mechanism::Plain) && users.serves(Mechanism::Login));
    assert!(!users.serves(Mechanism::Scram(ScramHash::Sha256)));
}

async fn names_are_values_and_never_text(server: &Server) {
    let users = server.users(BY_NAME);
    for no_name in ["' OR 1=1 --", "ann\0", "ann@example.org' --", "a:b"] {
        assert!(no_name.parse::<UserName>().is_err(), "no client can be called {no_name:?}");
    }
    let odd = [
        "'/**/or/**/1=1--",
        "'or'1'='1",
        "\\",
        "\\'/**/or/**/1=1#",
        "\\\\'or'1",
        "\"or\"\"=\"",
        "ann@example.org'--",
        "ann@example.org';delete/**/from/**/users;--",
        "%",
        "_nn@example.org",
        "$1",
        "?",
        "{user}",
        "@@version",
        "j\u{fc}rgen@b\u{fc}cher.example",
        "\u{540d}\u{524d}@example.org",
    ];
    for name in odd {
        let answer = log_in(&users, name, "correct horse").await;
        assert_eq!(answer, denied(Denial::UnknownUser), "{name}");
    }
    for name in odd {
        server.add(name, &format!("{}, NULL, NULL, NULL, NULL", text(CORRECT_HORSE)));
        assert_eq!(log_in(&users, name, "correct horse").await, Ok(who(name)), "{name}");
        assert_eq!(log_in(&users, name, "wrong").await, denied(Denial::WrongPassword), "{name}");
        server.run(&format!("DELETE FROM users WHERE login = {}", server.literal(name)));
    }
    assert_eq!(server.run("SELECT count(*) FROM users"), "1", "Ann is still there, and alone");
}

async fn local_and_domain_are_values_too(server: &Server) {
    let users = server.users(
        "SELECT password FROM users WHERE login = concat({local}, '@', {domain}) \
         AND {user} = login AND {local} <> '';",
    );
    assert!(log_in(&users, "ann@example.org", "correct horse").await.is_ok());
    assert_eq!(log_in(&users, "ann", "correct horse").await, denied(Denial::UnknownUser));
    let name = "ann'@'example.org";
    assert_eq!(log_in(&users, name, "correct horse").await, denied(Denial::UnknownUser));
}

async fn nobody_chooses_a_domain_that_the_query_leaves_open(server: &Server) {
    let columns = format!("{}, 1, {}, NULL, NULL", text(CORRECT_HORSE), text(PENCIL_KEYS));
    server.add("local", &columns);
    let mut settings =
        server.settings("SELECT password, scram_sha_256 FROM users WHERE login = {local}");
    settings.scram = true;
    let users = open(&settings);
    let horse = "correct horse";
    assert_eq!(log_in(&users, "local", horse).await, Ok(who("local")));
    assert_eq!(log_in(&users, "local@any.example", horse).await, denied(Denial::NoName));
    let wrong = log_in(&users, "local@any.example", "wrong").await;
    assert_eq!(wrong, denied(Denial::WrongPassword));
    assert!(keys_of(&users, "local").await.is_ok());
    assert_eq!(keys_of(&users, "local@any.example").await, Err(Denial::NoName.into()));
    let users = server.users(
        "SELECT password, concat(login, '@example.org') AS name FROM users WHERE login = {local}",
    );
    for name in ["local", "local@any.example"] {
        assert_eq!(log_in(&users, name, horse).await, Ok(who("local@example.org")), "{name}");
    }
}

async fn rows_that_log_nobody_in(server: &Server) {
    let users =
        server.users("SELECT password, enabled, scram_sha_256 FROM users WHERE login = {user}");
    let horse = text(CORRECT_HORSE);
    let keys = text(PENCIL_KEYS);
    for (name, columns, denial) in [
        ("null", format!("NULL, 1, {keys}, NULL, NULL"), Denial::NoPassword),
        ("empty", format!("'', 1, {keys}, NULL, NULL"), Denial::NoPassword),
        ("plain", format!("'correct horse', 1, {keys}, NULL, NULL"), Denial::NoPassword),
        ("locked", format!("'{{LOCKED}}*', 1, {keys}, NULL, NULL"), Denial::NoPassword),
        ("off", format!("{horse}, 0, {keys}, NULL, NULL"), Denial::Suspended),
        ("unsaid", format!("{horse}, NULL, {keys}, NULL, NULL"), Denial::Suspended),
    ] {
        server.add(name, &columns);
        let answer = log_in(&users, name, "correct horse").await;
        assert_eq!(answer, denied(denial), "{name}");
        assert_eq!(keys_of(&users, name).await, Err(denial.into()), "{name}");
    }
    assert_eq!(log_in(&users, "off", "wrong").await, denied(Denial::WrongPassword));
    server.add("on", &format!("{horse}, 1, NULL, NULL, NULL"));
    assert!(log_in(&users, "on", "correct horse").await.is_ok());
    for words in [
        "enabled = 1 AS enabled",
        "CASE enabled WHEN 1 THEN 'yes' ELSE 'N' END AS enabled",
        "CAST(enabled AS CHAR(5)) AS enabled",
    ] {
        let users = format!("SELECT password, {words} FROM users WHERE login = {{user}}");
        let users = server.users(&users);
        assert!(log_in(&users, "on", "correct horse").await.is_ok(), "{words}");
        let off = log_in(&users, "off", "correct horse").await;
        assert_eq!(off, denied(Denial::Suspended), "{words}");
    }
}

async fn a_row_says_who_it_is_and_what_it_may(server: &Server) {
    let users = server.users("SELECT password, name, roles FROM users WHERE login = {user}");
    let horse = text(CORRECT_HORSE);
    server.add("alias", &format!("{horse}, 1, NULL, 'Ann@example.org', 'moderator, auditor'"));
    let ann = log_in(&users, "alias", "correct horse").await.unwrap();
    assert_eq!(ann.user().as_str(), "ann@example.org");
    assert_eq!(ann.roles().iter().collect::<Vec<_>>(), [Role::Moderator, Role::Auditor]);
    server.add("king", &format!("{horse}, 1, NULL, NULL, 'king'"));
    let Err(DirectoryError::Denied(odd)) = log_in(&users, "king", "correct horse").await else {
        panic!("a role that is not known");
    };
    assert!(matches!(odd, Denial::OddEntry(text) if text.contains("`roles`")), "{odd}");
    assert_eq!(log_in(&users, "king", "wrong").await, denied(Denial::WrongPassword));
}

/// Else three log-ins of one user would make the database look as if it were down.
async fn what_is_odd_about_one_user_is_a_denial(server: &Server) {
    let plain = text("{PLAIN}tanstaaftanstaaf");
    let mut settings = server.settings(
        "SELECT password, scram_sha_256, name, roles, enabled = 1 AS was, \
         CASE login WHEN 'odd-enabled' THEN 'maybe' ELSE 'yes' END AS enabled \
         FROM users WHERE login = {user}",
    );
    settings.scram = true;
    let users = open(&settings);
    let keys = text(PENCIL_KEYS);
    for (name, rest, column) in [
        ("odd-roles", "NULL, 'king'", "`roles`"),
        ("odd-name", "'a b', NULL", "`name`"),
        ("odd-enabled", "NULL, NULL", "`enabled`"),
    ] {
        server.add(name, &format!("{plain}, 1, {keys}, {rest}"));
        let user: UserName = name.parse().unwrap();
        let answers = [
            log_in(&users, name, "tanstaaftanstaaf").await,
            keys_of(&users, name).await.map(|found| found.identity),
            users.cram_md5(&user).await.map(|found| found.identity),
        ];
        for answer in answers {
            let Err(DirectoryError::Denied(odd)) = answer else { panic!("{name}: {answer:?}") };
            assert!(matches!(odd, Denial::OddEntry(text) if text.contains(column)), "{odd}");
        }
        assert_eq!(log_in(&users, name, "wrong").await, denied(Denial::WrongPassword), "{name}");
    }
}

async fn scram_keys_are_found(server: &Server) {
    let horse = text(CORRECT_HORSE);
    server.add("keys", &format!("{horse}, 1, {}, NULL, NULL", text(PENCIL_KEYS)));
    let braced = text(&format!("{{SCRAM-SHA-256}}{PENCIL_KEYS}"));
    server.add("braced", &format!("{braced}, 1, NULL, 'other', NULL"));
    let mut settings =
        server.settings("SELECT password, scram_sha_256 FROM users WHERE login = {user}");
    settings.scram = true;
    let users = open(&settings);
    assert!(users.serves(Mechanism::Scram(ScramHash::Sha256)));
    for name in ["keys", "braced"] {
        assert_eq!(keys_of(&users, name).await.unwrap().keys.hash(), ScramHash::Sha256);
        let name: UserName = name.parse().unwrap();
        let none = users.keys(&name, ScramHash::Sha512).await;
        assert_eq!(none, Err(Denial::NoKeys.into()));
    }
    assert_eq!(keys_of(&users, "nobody").await, Err(Denial::UnknownUser.into()));
    assert_eq!(keys_of(&users, "ann@example.org").await, Err(Denial::NoKeys.into()));
    let only_keys = server.users("SELECT scram_sha_256 FROM users WHERE login = {user}");
    assert!(keys_of(&only_keys, "keys").await.is_ok());
    let password = log_in(&only_keys, "keys", "wrong").await;
    assert!(matches!(password, Err(DirectoryError::Denied(_))), "{password:?}");
    let named = server.users("SELECT password, name FROM users WHERE login = {user}");
    let identity = keys_of(&named, "braced").await.unwrap().identity;
    assert_eq!(identity.user().as_str(), "other");
}

async fn keys_for_cram_md5_are_found(server: &Server) {
    for (name, password) in [("clear", "{PLAIN}tanstaaftanstaaf"), ("md5", CRAM_MD5)] {
        server.add(name, &format!("{}, 1, NULL, NULL, NULL", text(password)));
    }
    let users = server.users(BY_NAME);
    assert!(users.serves(Mechanism::CramMd5));
    // The example of RFC 2195.
    let (challenge, answer) =
        ("<1896.697170952@postoffice.reston.mci.net>", "b913a602c7eda7a495b4e6e7334d3890");
    for name in ["clear", "md5"] {
        let found = users.cram_md5(&name.parse().unwrap()).await.unwrap();
        assert!(found.keys.prove(challenge.as_bytes(), answer), "{name}");
        assert_eq!(found.identity.user().as_str(), name);
    }
    for (name, denial) in
        [("nobody", Denial::UnknownUser), ("ann@example.org", Denial::NoCramMd5Keys)]
    {
        let found = users.cram_md5(&name.parse().unwrap()).await;
        assert_eq!(found.map(|found| found.identity), Err(denial.into()), "{name}");
    }
}

async fn secrets_may_be_bytes_or_padded(server: &Server) {
    let mut settings = server.settings("");
    settings.default_scheme = "ARGON2ID".parse().ok();
    let bare = CORRECT_HORSE.trim_start_matches("{ARGON2ID}").to_owned();
    server.add("bare", &format!("{}, 1, NULL, NULL, NULL", text(&bare)));
    for column in server.casts() {
        settings.query =
            format!("SELECT {column} AS PassWord FROM users WHERE login = {{user}}").into();
        let users = open(&settings);
        for name in ["bare", "ann@example.org"] {
            assert!(log_in(&users, name, "correct horse").await.is_ok(), "{name}, {column}");
        }
        assert_eq!(log_in(&users, "bare", "wrong").await, denied(Denial::WrongPassword));
    }
}

async fn several_rows_are_a_denial(server: &Server) {
    let users = server.users("SELECT password FROM users WHERE login = {user} OR 1 = 1");
    for _ in 0..CONNECTIONS * 2 {
        let answer = log_in(&users, "ann@example.org", "correct horse").await;
        assert_eq!(answer, denied(Denial::SeveralUsers));
    }
    assert!(Denial::SeveralUsers.to_string().contains("several"));
}

async fn a_socket_will_do(server: &Server) {
    let mut settings = server.settings(BY_NAME);
    settings.url = server.socket_url().into();
    let users = open(&settings);
    assert!(log_in(&users, "ann@example.org", "correct horse").await.is_ok());
}

async fn fifty_log_in_at_once(server: &Server) {
    let users = server.users(BY_NAME);
    let attempts = (0..50).map(|number| {
        let users = &users;
        async move {
            let password = if number % 2 == 0 { "correct horse" } else { "wrong" };
            (number, log_in(users, "ann@example.org", password).await)
        }
    });
    for (number, answer) in join_all(attempts).await {
        let expected = match number % 2 {
            0 => Ok(who("ann@example.org")),
            _ => denied(Denial::WrongPassword),
        };
        assert_eq!(answer, expected);
    }
    // Those of earlier stories may still be on their way out.
    let few = async || (1..=CONNECTIONS).contains(&server.count(server.sessions()));
    wait::until_true("no more connections than allowed", few).await;
}

async fn a_dropped_question_holds_no_connection(server: &Server) {
    let slow = format!("SELECT password, {} FROM users WHERE login = {{user}}", server.pause());
    let users = server.users(&slow);
    let ask = || (0..CONNECTIONS * 2).map(|_| log_in(&users, "ann@example.org", "correct horse"));
    // One of an earlier story that ends while these begin would leave the sum short for ever.
    server.run(server.kill());
    let none_asks = async || server.count(server.slow_sessions()) == 0;
    wait::until_true("those of earlier stories are gone", none_asks).await;
    for before in [0, CONNECTIONS] {
        let all_ask = async || server.count(server.slow_sessions()) == before + CONNECTIONS;
        tokio::select! {
            answers = join_all(ask()) => panic!("{answers:?}"),
            () = wait::until_true("all connections are in use", all_ask) => {}
        }
    }
    assert_eq!(log_in(&users, "nobody", "wrong").await, denied(Denial::UnknownUser));
}

/// Who waits for others is no sign of a database that is down.
async fn too_many_questions_are_busy(server: &Server) {
    let slow = format!("SELECT password, {} FROM users WHERE login = {{user}}", server.pause());
    for (waiting, timeout) in [(0, 60), (1, 6)] {
        let mut settings = server.settings(&slow);
        settings.connections = 1.try_into().unwrap();
        settings.waiting = waiting;
        settings.timeout = Duration::from_secs(timeout);
        let users = open(&settings);
        let before = server.count(server.slow_sessions());
        let is_asked = async || server.count(server.slow_sessions()) > before;
        let ask = || log_in(&users, "ann@example.org", "correct horse");
        let others = async {
            wait::until_true("the one connection is in use", is_asked).await;
            let too_many = join_all((0..=waiting).map(|_| ask())).await;
            assert!(too_many.iter().all(|answer| *answer == Err(DirectoryError::Busy)));
        };
        tokio::select! {
            biased;
            () = others => {}
            answer = ask() => panic!("{answer:?}"),
        }
    }
}

async fn a_late_answer_is_none(server: &Server) {
    let slow = format!("SELECT password, {} FROM users WHERE login = {{user}}", server.pause());
    let mut settings = server.settings(&slow);
    settings.timeout = Duration::from_millis(300);
    let before = server.count(server.slow_sessions());
    let answer = log_in(&open(&settings), "ann@example.org", "correct horse").await;
    expect_unavailable(answer, &["no answer within 300ms"]);
    let no_more = async || server.count(server.slow_sessions()) <= before;
    wait::until_true("the database gives up too", no_more).await;
}

async fn c1_an_unknown_user_costs_a_check(server: &Server) {
    let checks = Arc::new(Checks::new(HashLimits::default()));
    let users = Sql::new(&server.settings(BY_NAME), Arc::clone(&checks), decoys()).unwrap();
    for (number, name) in ["nobody", "null", "ann@example.org"].into_iter().enumerate() {
        assert!(log_in(&users, name, "wrong").await.is_err());
        assert_eq!(checks.count(), number as u64 + 1, "{name}");
    }
}

async fn mistakes_in_the_query_are_told(server: &Server) {
    for (query, told) in [
        ("SELECT password FROM nowhere WHERE login = {user}", "nowhere"),
        ("SELEC password FROM users WHERE login = {user}", "correct the query"),
        ("SELECT login FROM users WHERE login = {user}", "column `password`"),
        ("SELECT password, password FROM users WHERE login = {user}", "`password` twice"),
    ] {
        let users = server.users(query);
        let answer = log_in(&users, "ann@example.org", "correct horse").await;
        expect_unavailable(answer, &[told, &server.shown()]);
    }
}

async fn a_query_can_only_read(server: &Server) {
    let sql = "UPDATE users SET enabled = 0 WHERE login = {user}";
    let sql = server.and_give(sql);
    for _ in 0..2 {
        let answer = log_in(&server.users(&sql), "on", "correct horse").await;
        expect_unavailable(answer, &["correct the query"]);
    }
    assert_eq!(server.run("SELECT enabled FROM users WHERE login = 'on'"), "1");
}

/// A name that the database cannot hold is nobody's, and no reason for an alarm.
async fn names_in_another_alphabet_are_unknown(server: &Server) {
    let (settings, table) = server.latin_table();
    server.run(&table);
    let users = open(&settings);
    for _ in 0..2 {
        for name in ["\u{540d}\u{524d}@example.org", "\u{105}nn@example.org"] {
            let answer = log_in(&users, name, "correct horse").await;
            assert_eq!(answer, denied(Denial::UnknownUser), "{name}");
        }
        for name in ["ann@example.org", "j\u{fc}rgen@example.org"] {
            assert_eq!(log_in(&users, name, "correct horse").await, Ok(who(name)), "{name}");
        }
    }
}

async fn a_changed_table_disturbs_nobody(server: &Server) {
    let users = server.users("SELECT * FROM users WHERE login = {user}");
    assert!(log_in(&users, "on", "correct horse").await.is_ok());
    server.run("ALTER TABLE users ADD COLUMN note varchar(99)");
    assert!(log_in(&users, "on", "correct horse").await.is_ok());
}

async fn a_wrong_password_of_the_gateway_is_told(server: &Server) {
    for settings in [
        SqlSettings::new(&server.url(), BY_NAME).with_password("do not tell"),
        SqlSettings::new(&server.url(), BY_NAME),
    ] {
        let users = open(&settings);
        let answer = log_in(&users, "ann@example.org", "correct horse").await;
        expect_unavailable(answer, &["refuses the gateway itself", &server.shown()]);
        let shown = format!("{users:?} {settings:?}");
        assert!(!shown.contains("do not tell"), "{shown}");
    }
}

async fn a_killed_connection_is_made_anew(server: &Server) {
    let users = server.users(BY_NAME);
    for _ in 0..2 {
        assert!(log_in(&users, "ann@example.org", "correct horse").await.is_ok());
        server.run(server.kill());
    }
    assert!(log_in(&users, "ann@example.org", "correct horse").await.is_ok());
}

async fn tls_is_verified(server: &PostgreSql) {
    let by = |url: String| {
        let settings = SqlSettings::new(&url, BY_NAME).with_password(PostgreSql::PASSWORD);
        open(&settings)
    };
    let authority = server.authority().display().to_string();
    let verified = by(format!("{}?sslmode=verify-full&sslrootcert={authority}", server.url()));
    assert!(log_in(&verified, "ann@example.org", "correct horse").await.is_ok());
    let unverified = by(format!("{}?sslmode=verify-full", server.url()));
    let answer = log_in(&unverified, "ann@example.org", "correct horse").await;
    expect_unavailable(answer, &["TLS failed", "sslrootcert"]);
    let plain = by(format!("{}?sslmode=disable", server.url()));
    assert!(log_in(&plain, "ann@example.org", "correct horse").await.is_ok());
}

/// PostgreSQL's own text is: invalid input syntax for type integer: "{ARGON2ID}...".
async fn a_value_of_another_type_is_not_quoted(server: &PostgreSql) {
    let query = "SELECT password::int AS password FROM users WHERE login = {user}";
    let settings = SqlSettings::new(&server.url(), query).with_password(PostgreSql::PASSWORD);
    let answer = log_in(&open(&settings), "ann@example.org", "correct horse").await;
    expect_unavailable(answer, &["another type", "22P02", "correct the query"]);
}

/// To MariaDB's usual collations `ann` and `änn` are one name.
async fn loose_comparison_needs_the_name(server: &MariaDb) {
    let by = |query| open(&SqlSettings::new(&server.url(), query).with_password(MariaDb::PASSWORD));
    let stranger = "\u{e4}nn@example.org";
    let named = by("SELECT password, login AS name FROM users WHERE login = {user}");
    let answer = log_in(&named, stranger, "correct horse").await;
    assert_eq!(answer, Ok(who("ann@example.org")), "the row says who it is");
    assert_eq!(keys_of(&named, stranger).await, Err(Denial::NoKeys.into()));
    let exact = by("SELECT password FROM users WHERE login = {user} COLLATE utf8mb4_bin");
    let answer = log_in(&exact, stranger, "correct horse").await;
    assert_eq!(answer, denied(Denial::UnknownUser));
    assert!(log_in(&exact, "ann@example.org", "correct horse").await.is_ok());
}

async fn a_server_that_is_down_comes_back(server: &mut Server) {
    let before = server.users(BY_NAME);
    assert!(log_in(&before, "ann@example.org", "correct horse").await.is_ok());
    server.stop();
    let while_down = server.users(BY_NAME);
    for users in [&before, &while_down] {
        let answer = log_in(users, "ann@example.org", "correct horse").await;
        expect_unavailable(answer, &["cannot be reached", "start it", &server.shown()]);
        let unavailable = keys_of(users, "ann@example.org").await;
        assert!(matches!(unavailable, Err(DirectoryError::Unavailable(_))));
    }
    server.start_again();
    for users in [&before, &while_down] {
        assert!(log_in(users, "ann@example.org", "correct horse").await.is_ok());
    }
    // Nobody asked while it was away, so that the connection is a dead one.
    server.stop();
    server.start_again();
    assert!(log_in(&before, "ann@example.org", "correct horse").await.is_ok());
}

enum Server {
    PostgreSql(PostgreSql),
    MariaDb(MariaDb),
}

impl Server {
    fn users(&self, query: &str) -> Sql {
        open(&self.settings(query))
    }

    fn settings(&self, query: &str) -> SqlSettings {
        let mut settings = SqlSettings::new(&self.url(), query).with_password(match self {
            Self::PostgreSql(_) => PostgreSql::PASSWORD,
            Self::MariaDb(_) => MariaDb::PASSWORD,
        });
        settings.timeout = Duration::from_secs(60);
        settings
    }

    fn add(&self, name: &str, columns: &str) {
        let name = self.literal(name);
        self.run(&format!("INSERT INTO users VALUES ({name}, {columns})"));
    }

    /// The name as a literal that needs no escapes.
    fn literal(&self, name: &str) -> String {
        let hex: String = name.bytes().map(|byte| format!("{byte:02x}")).collect();
        match self {
            Self::PostgreSql(_) => format!("convert_from('\\x{hex}', 'UTF8')"),
            Self::MariaDb(_) => format!("convert(x'{hex}' USING utf8mb4)"),
        }
    }

    fn casts(&self) -> [&'static str; 4] {
        match self {
            Self::PostgreSql(_) => [
                "password",
                "convert_to(password, 'UTF8')",
                "password::char(200)",
                "password::varchar(200)",
            ],
            Self::MariaDb(_) => [
                "password",
                "CAST(password AS BINARY)",
                "CAST(password AS CHAR(200))",
                "convert(password USING latin1)",
            ],
        }
    }

    fn count(&self, sql: &str) -> usize {
        self.run(sql).parse().unwrap()
    }

    /// Ends all sessions of the gateway.
    fn kill(&self) -> &'static str {
        match self {
            Self::PostgreSql(_) => {
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'mailweir'"
            }
            Self::MariaDb(_) => "KILL USER mailweir",
        }
    }

    fn slow_sessions(&self) -> &'static str {
        match self {
            Self::PostgreSql(_) => {
                "SELECT count(*) FROM pg_stat_activity \
                 WHERE usename = 'mailweir' AND wait_event = 'PgSleep'"
            }
            Self::MariaDb(_) => {
                "SELECT count(*) FROM information_schema.processlist \
                 WHERE user = 'mailweir' AND state = 'User sleep'"
            }
        }
    }

    fn sessions(&self) -> &'static str {
        match self {
            Self::PostgreSql(_) => {
                "SELECT count(*) FROM pg_stat_activity WHERE usename = 'mailweir'"
            }
            Self::MariaDb(_) => {
                "SELECT count(*) FROM information_schema.processlist WHERE user = 'mailweir'"
            }
        }
    }

    /// An expression that takes ten minutes.
    fn pause(&self) -> &'static str {
        match self {
            Self::PostgreSql(_) => "pg_sleep(600)",
            Self::MariaDb(_) => "sleep(600)",
        }
    }

    /// A statement that changes something and gives a row, as far as there is such a thing.
    fn and_give(&self, update: &str) -> String {
        match self {
            Self::PostgreSql(_) => format!("{update} RETURNING password"),
            Self::MariaDb(_) => update.to_owned(),
        }
    }

    /// A table `latin` of Latin 1 names, as SQL, and the settings to ask it.
    fn latin_table(&self) -> (SqlSettings, String) {
        let mut settings = self.settings("SELECT password FROM latin WHERE login = {user}");
        let (begin, login) = match self {
            Self::PostgreSql(_) => {
                settings.url = format!("{}latin", settings.url.trim_end_matches("mail")).into();
                let begin = "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' \
                             TEMPLATE template0;\n\\connect latin\n";
                (begin, "varchar(99)")
            }
            Self::MariaDb(_) => ("", "varchar(99) CHARACTER SET latin1"),
        };
        let (ann, jurgen) =
            (self.literal("ann@example.org"), self.literal("j\u{fc}rgen@example.org"));
        let table = format!(
            "{begin}CREATE TABLE latin (login {login}, password varchar(200));\n\
             GRANT SELECT ON latin TO mailweir;\n\
             INSERT INTO latin VALUES ({ann}, '{CORRECT_HORSE}'), ({jurgen}, '{CORRECT_HORSE}');\n"
        );
        (settings, table)
    }

    fn shown(&self) -> String {
        format!("database {}: ", self.url())
    }

    fn url(&self) -> String {
        match self {
            Self::PostgreSql(server) => server.url(),
            Self::MariaDb(server) => server.url(),
        }
    }

    fn socket_url(&self) -> String {
        match self {
            Self::PostgreSql(server) => server.socket_url(),
            Self::MariaDb(server) => server.socket_url(),
        }
    }

    fn run(&self, sql: &str) -> String {
        match self {
            Self::PostgreSql(server) => server.run(sql),
            Self::MariaDb(server) => server.run(sql),
        }
    }

    fn stop(&mut self) {
        match self {
            Self::PostgreSql(server) => server.stop(),
            Self::MariaDb(server) => server.stop(),
        }
    }

    fn start_again(&mut self) {
        match self {
            Self::PostgreSql(server) => server.start_again(),
            Self::MariaDb(server) => server.start_again(),
        }
    }
}

fn open(settings: &SqlSettings) -> Sql {
    let limits = HashLimits { waiting: 64, ..HashLimits::default() };
    Sql::new(settings, Arc::new(Checks::new(limits)), decoys()).unwrap()
}

async fn log_in(users: &Sql, name: &str, password: &str) -> Result<Identity, DirectoryError> {
    let proof = Proof::Password(Password::new(password).unwrap());
    let claim = Credentials::new(Mechanism::Plain, name.parse().unwrap(), proof);
    let attempt = Attempt {
        client: [127, 0, 0, 1].into(),
        listener: "submission".into(),
        tls: true,
        now: Instant::now(),
    };
    users.verify(&claim, &attempt).await
}

async fn keys_of(users: &Sql, name: &str) -> Result<KeyedIdentity, DirectoryError> {
    let name: UserName = name.parse().unwrap();
    users.keys(&name, ScramHash::Sha256).await
}

fn expect_unavailable(answer: Result<Identity, DirectoryError>, told: &[&str]) {
    let Err(DirectoryError::Unavailable(text)) = answer else { panic!("{answer:?}") };
    for part in told {
        assert!(text.contains(part), "no {part:?} in {text:?}");
    }
    for secret in [PostgreSql::PASSWORD, MariaDb::PASSWORD, "do not tell", "argon2id", "horse"] {
        assert!(!text.contains(secret), "{text:?}");
    }
}

fn denied(denial: Denial) -> Result<Identity, DirectoryError> {
    Err(denial.into())
}

fn who(name: &str) -> Identity {
    Identity::proven(name.parse().unwrap())
}

fn text(text: &str) -> String {
    format!("'{text}'")
}

fn table() -> String {
    format!(
        "CREATE TABLE users (login varchar(255), password varchar(200), enabled smallint, \
         scram_sha_256 varchar(200), name varchar(255), roles varchar(99));\n\
         GRANT SELECT, UPDATE ON users TO mailweir;\n\
         INSERT INTO users VALUES ('ann@example.org', '{CORRECT_HORSE}', 1, NULL, NULL, NULL);\n"
    )
}

const BY_NAME: &str = "SELECT password FROM users WHERE login = {user}";
const CONNECTIONS: usize = 4;
/// Of "correct horse", at the least cost.
const CORRECT_HORSE: &str = "{ARGON2ID}$argon2id$v=19$m=8,t=1,p=1$j1HP2ZsruKafmnCHBVP3vA$N47m7Ky2AIMMTGcG0DT3w5AdPE2EZyEZidYpadaerg8";
/// Of "pencil": the example of RFC 7677.
const PENCIL_KEYS: &str = "4096,W22ZaJ0SNY7soEsUEjb6gQ==,\
    WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=,wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";

fn decoys() -> Decoys {
    let home = tempfile::tempdir().unwrap();
    Decoys::open(&home.path().join("users")).unwrap()
}
/// `doveadm pw -s CRAM-MD5 -p tanstaaftanstaaf`.
const CRAM_MD5: &str = "{CRAM-MD5}d06d4e1b26fccaa4b0b61801132340a354b21152711fb604ca3e035e7015116b";
