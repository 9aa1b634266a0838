//! PostgreSQL (Debian: `postgresql`).

use std::{
    fs,
    io::Write as _,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::{Daemon, account, free_address, tools};

/// A PostgreSQL server with a database `mail` and a user `mailweir`, who has a password over TCP
/// and none over the UNIX socket. It offers TLS by the certificate of [`Self::authority`].
#[derive(Debug)]
pub struct PostgreSql {
    directory: TempDir,
    address: SocketAddr,
    running: Option<Daemon>,
}

impl PostgreSql {
    /// The password of the user `mailweir`.
    pub const PASSWORD: &str = "postgres-knows-me";

    /// Makes a database and starts its server. Takes some seconds. Begin the test with
    /// `tools::require(&["postgres", "setpriv"])`.
    ///
    /// # Panics
    /// If the server does not start.
    #[must_use]
    pub fn start() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        account::open(directory.path());
        let address = free_address().expect("a free port");
        let mut server = Self { directory, address, running: None };
        server.make();
        server.start_again();
        server.run_in("postgres", "CREATE DATABASE mail");
        let password = Self::PASSWORD;
        server.run(&format!("CREATE USER mailweir PASSWORD '{password}'"));
        server
    }

    /// Where it is by TCP, without a password: `postgres://mailweir@127.0.0.1:.../mail`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://mailweir@{}/mail", self.address)
    }

    /// Where its UNIX socket is.
    #[must_use]
    pub fn socket_url(&self) -> String {
        let (directory, port) = (self.place("socket"), self.address.port());
        format!("postgres://mailweir@localhost:{port}/mail?host={}", directory.display())
    }

    /// The certificate (PEM) that its own can be verified by. It is for `127.0.0.1` and
    /// `localhost`.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.place("server.crt")
    }

    /// Runs SQL in the database `mail` as its superuser, and gives back what it answers.
    ///
    /// # Panics
    /// If the SQL fails; the message shows why.
    pub fn run(&self, sql: &str) -> String {
        self.run_in("mail", sql)
    }

    /// Stops it at once; who is connected is thrown out.
    pub fn stop(&mut self) {
        if let Some(daemon) = self.running.take() {
            end_sessions(&daemon);
            daemon.stop();
        }
    }

    /// Starts it with its data, at the same address.
    ///
    /// # Panics
    /// If it does not start.
    pub fn start_again(&mut self) {
        let mut command = account::command_as(USER, &program("postgres"));
        command.arg("-D").arg(self.place("data"));
        let log = self.place("log");
        let sockets = self.place("socket");
        let port = self.address.port().to_string();
        self.running = Some(Daemon::start(&mut command, &log, || {
            let mut asked = Command::new(program("pg_isready"));
            asked.args(["-q", "-U", USER, "-p", &port, "-h"]).arg(&sockets);
            asked.status().is_ok_and(|status| status.success())
        }));
    }

    fn make(&self) {
        for name in ["data", "socket"] {
            let place = self.place(name);
            fs::create_dir(&place).expect("a directory");
            account::give(&place, USER);
        }
        let mut command = account::command_as(USER, &program("initdb"));
        command.args(["--no-sync", "--username", USER, "--encoding=UTF8", "--locale=C.UTF-8"]);
        command.args(["--auth-local=trust", "--auth-host=scram-sha-256", "-D"]);
        let made = command.arg(self.place("data")).output().expect("initdb runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        self.make_certificate();
        let configuration = format!(
            "port = {}\nunix_socket_directories = '{}'\n\
             ssl_cert_file = '{}'\nssl_key_file = '{}'\n{SETTINGS}",
            self.address.port(),
            self.place("socket").display(),
            self.authority().display(),
            self.place("server.key").display(),
        );
        let file = self.place("data").join("postgresql.conf");
        fs::write(file, configuration).expect("a configuration");
    }

    fn make_certificate(&self) {
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
        fs::write(self.authority(), made.cert.pem()).expect("a certificate");
        let key = self.place("server.key");
        fs::write(&key, made.signing_key.serialize_pem()).expect("a key");
        let only_the_owner = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        fs::set_permissions(&key, only_the_owner).expect("a key of ours");
        account::give(&key, USER);
    }

    fn run_in(&self, database: &str, sql: &str) -> String {
        let mut psql = Command::new(program("psql"));
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", USER, "-d", database]);
        psql.args(["-p", &self.address.port().to_string(), "-h"]).arg(self.place("socket"));
        psql.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut running = psql.spawn().expect("psql runs");
        running.stdin.take().expect("its input").write_all(sql.as_bytes()).expect("it reads");
        let said = running.wait_with_output().expect("psql ends");
        assert!(said.status.success(), "{sql}: {}", String::from_utf8_lossy(&said.stderr));
        String::from_utf8_lossy(&said.stdout).trim().to_owned()
    }

    fn place(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

impl Drop for PostgreSql {
    fn drop(&mut self) {
        self.stop();
    }
}

/// SIGINT is PostgreSQL's "fast shutdown"; SIGTERM waits until everybody has gone.
fn end_sessions(daemon: &Daemon) {
    if let Some(id) = i32::try_from(daemon.id()).ok().and_then(Pid::from_raw) {
        let _ = kill_process(id, Signal::INT);
    }
}

fn program(name: &str) -> PathBuf {
    tools::find(name).unwrap_or_else(|| Path::new(name).to_owned())
}

const USER: &str = "postgres";
const SETTINGS: &str = "listen_addresses = '127.0.0.1'
ssl = on
fsync = off
synchronous_commit = off
full_page_writes = off
autovacuum = off
shared_buffers = 16MB
max_connections = 40
logging_collector = off
";
