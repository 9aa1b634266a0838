//! MariaDB (Debian: `mariadb-server`), which stands for MySQL too.

use std::{
    fs,
    io::Write as _,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;

use crate::{Daemon, account, free_address, tools};

/// A MariaDB server with a database `mail` and a user `mailweir`, who has a password.
#[derive(Debug)]
pub struct MariaDb {
    directory: TempDir,
    address: SocketAddr,
    running: Option<Daemon>,
}

impl MariaDb {
    /// The password of the user `mailweir`.
    pub const PASSWORD: &str = "maria-knows-me";

    /// Makes a database and starts its server. Takes some seconds. Begin the test with
    /// `tools::require(&["mariadbd", "mariadb-install-db", "setpriv"])`.
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
        server.run_in("mysql", "CREATE DATABASE mail CHARACTER SET utf8mb4");
        let password = Self::PASSWORD;
        server.run(&format!("CREATE USER mailweir IDENTIFIED BY '{password}'"));
        server
    }

    /// Where it is by TCP, without a password: `mysql://mailweir@127.0.0.1:.../mail`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("mysql://mailweir@{}/mail", self.address)
    }

    /// Where its UNIX socket is.
    #[must_use]
    pub fn socket_url(&self) -> String {
        format!("mysql://mailweir@localhost/mail?socket={}", self.socket().display())
    }

    /// Runs SQL in the database `mail` as root, and gives back what it answers.
    ///
    /// # Panics
    /// If the SQL fails; the message shows why.
    pub fn run(&self, sql: &str) -> String {
        self.run_in("mail", sql)
    }

    /// Stops it; who is connected is thrown out.
    pub fn stop(&mut self) {
        if let Some(daemon) = self.running.take() {
            daemon.stop();
        }
    }

    /// Starts it with its data, at the same address.
    ///
    /// # Panics
    /// If it does not start.
    pub fn start_again(&mut self) {
        let mut command = account::command_as(USER, &program("mariadbd"));
        command.arg("--no-defaults");
        command.arg(format!("--datadir={}", self.data().display()));
        command.arg(format!("--socket={}", self.socket().display()));
        command.arg(format!("--pid-file={}", self.data().join("pid").display()));
        command.arg(format!("--port={}", self.address.port()));
        command.args(SETTINGS);
        let (log, socket) = (self.directory.path().join("log"), self.socket());
        self.running = Some(Daemon::start(&mut command, &log, || {
            let mut asked = client("mariadb-admin", &socket);
            asked.stdout(Stdio::null()).stderr(Stdio::null()).arg("ping");
            socket.exists() && asked.status().is_ok_and(|status| status.success())
        }));
    }

    fn make(&self) {
        fs::create_dir(self.data()).expect("a directory");
        account::give(&self.data(), USER);
        let mut command = account::command_as(USER, &program("mariadb-install-db"));
        command.arg("--no-defaults").arg(format!("--datadir={}", self.data().display()));
        // The test database comes with users without a name, who would stand before ours.
        command.args(["--auth-root-authentication-method=normal", "--skip-test-db"]);
        let made = command.output().expect("mariadb-install-db runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }

    fn run_in(&self, database: &str, sql: &str) -> String {
        let mut client = client("mariadb", &self.socket());
        client.args(["--batch", "--skip-column-names", database]);
        client.args(["--default-character-set=utf8mb4"]);
        client.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut running = client.spawn().expect("mariadb runs");
        running.stdin.take().expect("its input").write_all(sql.as_bytes()).expect("it reads");
        let said = running.wait_with_output().expect("mariadb ends");
        assert!(said.status.success(), "{sql}: {}", String::from_utf8_lossy(&said.stderr));
        String::from_utf8_lossy(&said.stdout).trim().to_owned()
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    fn socket(&self) -> PathBuf {
        self.data().join("socket")
    }
}

fn client(name: &str, socket: &Path) -> Command {
    let mut client = Command::new(program(name));
    client.args(["--no-defaults", "--user=root"]);
    client.arg(format!("--socket={}", socket.display()));
    client
}

fn program(name: &str) -> PathBuf {
    tools::find(name).unwrap_or_else(|| Path::new(name).to_owned())
}

const USER: &str = "mysql";
const SETTINGS: [&str; 6] = [
    "--bind-address=127.0.0.1",
    "--skip-name-resolve",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-flush-method=nosync",
    "--innodb-buffer-pool-size=16M",
    "--innodb-log-file-size=4M",
];
