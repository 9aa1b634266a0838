//! Row C7: secrets stand nowhere but where they are kept on purpose, whoever logs in by what.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::Path,
};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use mailweir_test_servers::{Person, PostgreSql, Slapd, issuer::Issuer};
use mailweir_tests::{
    free_address,
    installation::Plan,
    sink::{Point, Script},
    tools,
};

use crate::{
    backends::{issuer, ldap_that_reads, oauth_of, sql, token},
    clients::{Claim, Client},
    setting::{Setting, USER},
};

#[tokio::test(flavor = "multi_thread")]
async fn c7_no_secret_of_a_log_in_is_written_anywhere() {
    let clients = ["swaks", "msmtp", "gsasl", "curl", "python3", "openssl", "postgres", "setpriv"];
    if !tools::require(&[&clients[..], &Slapd::NEEDS].concat()) {
        return;
    }
    let Some(mut world) = World::build().await else { return };
    let failed =
        ["SASL SCRAM-SHA-256 authentication failed", r#""auth_failed","listener":"submission""#];
    for (format, failed) in ["text", "json"].into_iter().zip(failed) {
        world.start(format);
        world.drive();
        world.search(&[failed, USER, CAROL, DAVE]);
        world.setting.gateway.stop();
    }
    // What is said about a back end that cannot be asked names no secret of ours either.
    world.start("text");
    world.slapd.stop();
    world.postgresql.stop();
    for _ in 0..3 {
        let said = Client::Swaks.log_in(&world.setting, claim("PLAIN", DAVE, PASSWORDS[2]));
        assert!(said.expect_refused().contains(" 454 4.7.0 "));
    }
    for backend in ["ldap", "sql"] {
        let _ = world.setting.gateway.expect_log(&format!("back end {backend} does not answer"));
    }
    world.search(&[]);
}

#[test]
fn a_secret_is_found_in_clear_and_in_base64_wherever_it_begins() {
    for before in ["", "a", "ab", "abc", "\0alice\0"] {
        for after in ["", "\u{1}", "\u{1}\u{1}", "xyz"] {
            let text = format!("{before}{}{after}", PASSWORDS[0]);
            let sent = format!("AUTH PLAIN {}=", STANDARD_NO_PAD.encode(&text));
            assert!(shows(sent.as_bytes(), PASSWORDS[0]), "{sent}");
            assert!(shows(text.as_bytes(), PASSWORDS[0]), "{text}");
            assert!(!shows(sent.as_bytes(), PASSWORDS[1]), "{sent}");
        }
    }
}

/// A gateway with back ends of every kind that has secrets; mail stays in its queue.
struct World {
    setting: Setting,
    slapd: Slapd,
    postgresql: PostgreSql,
    /// One that is good, and one that is not.
    tokens: [String; 2],
    metrics: SocketAddr,
    app_password: String,
    configuration: String,
    /// Where the passwords of our own accounts are, and the keys of the issuer.
    _home: (tempfile::TempDir, Issuer),
}

impl World {
    async fn build() -> Option<Self> {
        let person = Person { uid: "carol", password: PASSWORDS[1], mail: CAROL, also: "" };
        let slapd = Slapd::with_people(&[person]);
        let postgresql = PostgreSql::start();
        postgresql.run(&format!(
            "CREATE TABLE users (login varchar(255), password varchar(255));\n\
             GRANT SELECT ON users TO mailweir;\n\
             INSERT INTO users VALUES ('{DAVE}', '{{PLAIN}}{}');\n",
            PASSWORDS[2]
        ));
        let (issuer, place) = (issuer(), tempfile::tempdir().unwrap());
        let metrics = free_address().unwrap();
        let backends = format!(
            "[metrics]\nbind = [\"{metrics}\"]\n\
             [[auth.backend]]\ntype = \"users\"\n\
             [[auth.backend]]\n{}\ndefault_scheme = \"PLAIN\"\n[[auth.backend]]\n{}\n{}",
            ldap_that_reads(&slapd, place.path()),
            sql(&postgresql.url(), PostgreSql::PASSWORD, place.path()),
            oauth_of(&issuer),
        );
        let plan = Plan::new()?.user(USER, PASSWORDS[0]);
        let setting = Setting::installed(plan, &backends).await;
        setting.sink.change(Script::smtp().replying(Point::Mail, "450 4.2.0 later"));
        let configuration = fs::read_to_string(setting.gateway.config()).unwrap();
        let app_password = app_password(&setting);
        let tokens = ["known", "stranger"].map(|key| token(&issuer, key));
        let _home = (place, issuer);
        Some(Self {
            setting,
            slapd,
            postgresql,
            tokens,
            metrics,
            app_password,
            configuration,
            _home,
        })
    }

    fn start(&mut self, format: &str) {
        let from = "[log]\nformat = \"text\"";
        assert!(self.configuration.contains(from));
        let text = self.configuration.replace(from, &format!("[log]\nformat = {format:?}"));
        self.setting.gateway.configure(&text);
        let _ = fs::remove_file(self.setting.gateway.path("log"));
        self.setting.gateway.start();
    }

    /// Right and wrong log-ins by every mechanism, at every back end.
    fn drive(&self) {
        for (client, mechanism) in BY_PASSWORD {
            for (user, password) in [USER, CAROL, DAVE].into_iter().zip(PASSWORDS) {
                self.expect(true, client, claim(mechanism, user, password));
            }
            self.expect(false, client, claim(mechanism, USER, WRONG));
        }
        self.expect(true, Client::Swaks, claim("PLAIN", USER, &self.app_password));
        for (client, mechanism) in BY_TOKEN {
            self.expect(true, client, claim(mechanism, USER, &self.tokens[0]));
            self.expect(false, client, claim(mechanism, USER, &self.tokens[1]));
        }
    }

    fn expect(&self, content: bool, client: Client, claim: Claim<'_>) {
        let said = client.log_in(&self.setting, claim);
        assert_eq!(said.content, content, "{client:?} {claim:?}\n{}", said.text);
    }

    /// Looks for all secrets everywhere. `told` is what the log has to tell.
    fn search(&self, told: &[&str]) {
        let gateway = &self.setting.gateway;
        let log = gateway.log();
        for told in told {
            assert!(log.contains(told), "{told:?} is not in the log:\n{log}");
        }
        let metrics = page(self.metrics);
        assert!(metrics.contains("# TYPE "), "{metrics}");
        self.expect_none("the log", log.as_bytes());
        self.expect_none("the metrics", metrics.as_bytes());
        for words in [&["check"][..], &["queue", "list", "--json"], &["user", "list"]] {
            let said = gateway.run(words).expect_content();
            self.expect_none(&words.join(" "), said.as_bytes());
        }
        let (mut files, mut mails) = (0, 0);
        each_file(&gateway.data_dir(), &mut |file, text| {
            files += 1;
            mails += usize::from(contains(text, b"Subject: by msmtp"));
            self.expect_none(&file.display().to_string(), text);
        });
        assert!(files > 2 && mails > 0, "{files} files, {mails} with mail of msmtp");
    }

    fn expect_none(&self, place: &str, text: &[u8]) {
        let without_hyphens = self.app_password.replace('-', "");
        let services = [Slapd::READERS_PASSWORD, PostgreSql::PASSWORD];
        let signatures = self.tokens.iter().filter_map(|token| token.rsplit('.').next());
        let secrets = PASSWORDS.into_iter().chain(services).chain(signatures);
        for secret in secrets.chain([WRONG, &self.app_password, &without_hyphens]) {
            let shown = String::from_utf8_lossy(text);
            assert!(!shows(text, secret), "{secret:?} stands in {place}:\n{shown}");
        }
    }
}

/// Makes an app password of [`USER`].
fn app_password(setting: &Setting) -> String {
    let words = ["user", "app-password", "add", USER, "--label", "tv"];
    let said = setting.gateway.run(&words).expect_content();
    let password = said.lines().find(|line| line.matches('-').count() == 7);
    password.unwrap_or_else(|| panic!("no app password:\n{said}")).trim().to_owned()
}

/// Whether a text holds the secret, as it is or in base64, whatever stands before it there.
fn shows(text: &[u8], secret: &str) -> bool {
    let in_base64 = |before: usize| {
        let encoded = STANDARD_NO_PAD.encode([&vec![0; before][..], secret.as_bytes()].concat());
        // Characters that also depend on what stands before and after.
        let first = (before * 8).div_ceil(6);
        let last = (before + secret.len()) * 8 / 6;
        encoded[first..last].to_owned()
    };
    let all = (0..3).map(in_base64).chain([secret.to_owned()]);
    all.into_iter().any(|form| contains(text, form.as_bytes()))
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

fn each_file(place: &Path, look: &mut impl FnMut(&Path, &[u8])) {
    for entry in fs::read_dir(place).unwrap().flatten() {
        let path = entry.path();
        match entry.file_type().unwrap() {
            kind if kind.is_dir() => each_file(&path, look),
            // A file that is gone by now was of a mail.
            kind if kind.is_file() => look(&path, &fs::read(&path).unwrap_or_default()),
            _ => {}
        }
    }
}

fn page(server: SocketAddr) -> String {
    let mut stream = TcpStream::connect(server).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

const fn claim<'a>(mechanism: &'a str, user: &'a str, secret: &'a str) -> Claim<'a> {
    Claim { mechanism, user, secret }
}

const BY_PASSWORD: [(Client, &str); 6] = [
    (Client::Swaks, "PLAIN"),
    (Client::Msmtp, "LOGIN"),
    (Client::Msmtp, "SCRAM-SHA-256"),
    (Client::Gsasl, "SCRAM-SHA-1"),
    (Client::Gsasl, "SCRAM-SHA-256-PLUS"),
    (Client::OpenSsl, "SCRAM-SHA-512-PLUS"),
];

const BY_TOKEN: [(Client, &str); 4] = [
    (Client::Curl, "OAUTHBEARER"),
    (Client::Msmtp, "OAUTHBEARER"),
    (Client::Curl, "XOAUTH2"),
    (Client::Msmtp, "XOAUTH2"),
];

/// Of the LDAP server.
const CAROL: &str = "carol@own.example";
/// Of the database.
const DAVE: &str = "dave@own.example";
/// Of [`USER`], [`CAROL`] and [`DAVE`].
const PASSWORDS: [&str; 3] = ["heard-by-nobody", "seen-by-nobody-else", "told-to-no-log"];
const WRONG: &str = "a-guess-is-no-word-either";
