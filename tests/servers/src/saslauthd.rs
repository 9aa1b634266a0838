//! Cyrus saslauthd.

use std::{
    fs,
    os::unix::{fs::PermissionsExt as _, net::UnixStream, process::CommandExt as _},
    path::{Path, PathBuf},
    process::Command,
};

use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;

use crate::{Daemon, accounts::Accounts, tools, wait};

/// A real saslauthd with users of its own; needs the command `saslauthd`.
///
/// Its mechanism is `rimap`, the only one that leaves the accounts and files of the machine alone:
/// it asks an IMAP server, which is a thread here. With `-r` it sees `ann@example.org` for login
/// `ann` in realm `example.org`, so users may have a domain.
#[derive(Debug)]
pub struct Saslauthd {
    home: TempDir,
    accounts: Option<Accounts>,
    daemon: Option<Daemon>,
    upstream: String,
    realms: &'static [&'static str],
}

impl Saslauthd {
    /// A running saslauthd that knows these users, by name and password.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn with_users(users: &[(&str, &str)]) -> Self {
        Self::run(users, &["-r"])
    }

    /// One without `-r`, which passes the realm over: login `ann` is Ann in whatever realm. That is
    /// how saslauthd comes, with PAM say.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn without_realms(users: &[(&str, &str)]) -> Self {
        Self::run(users, &[])
    }

    fn run(users: &[(&str, &str)], realms: &'static [&'static str]) -> Self {
        let home = tempfile::tempdir().expect("a directory");
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).expect("its mode");
        let accounts = Accounts::of(users);
        let upstream = format!("{}/{}", accounts.address().ip(), accounts.address().port());
        let mut saslauthd = Self { home, accounts: Some(accounts), daemon: None, upstream, realms };
        saslauthd.start();
        saslauthd
    }

    /// The socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.home.path().join("mux")
    }

    /// What it said since it was last started.
    #[must_use]
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.home.path().join("log")).unwrap_or_default()).into()
    }

    /// Ends it at once. Its socket stays behind, as after a crash.
    ///
    /// By SIGKILL to it and its children: saslauthd writes its log in the handler of SIGTERM, and
    /// now and then waits there for ever.
    pub fn stop(&mut self) {
        let Some(daemon) = self.daemon.take() else { return };
        let group = i32::try_from(daemon.id()).ok().and_then(Pid::from_raw);
        let _ = group.map(|group| kill_process_group(group, Signal::KILL));
        drop(daemon);
        let socket = self.socket();
        wait::until("saslauthd to end", wait::PATIENCE, || {
            UnixStream::connect(&socket).is_err().then_some(())
        });
    }

    /// Starts it again with the same users, if it does not run.
    ///
    /// # Panics
    /// If it does not start.
    pub fn start(&mut self) {
        if self.daemon.is_some() {
            return;
        }
        let socket = self.socket();
        let mut command = Command::new(tools::find("saslauthd").expect("saslauthd is installed"));
        command
            .arg("-d")
            .args(self.realms)
            .args(["-n", "5", "-a", "rimap", "-O", &self.upstream, "-m"])
            .arg(self.home.path())
            // When it ends it signals its whole process group: not that of the test.
            .process_group(0);
        let log = self.home.path().join("log");
        let is_ready = move || UnixStream::connect(&socket).is_ok();
        self.daemon = Some(Daemon::start(&mut command, &log, is_ready));
    }

    /// From now on it cannot ask anybody for the users: it runs, and answers `NO [ALERT]`.
    pub fn lose_its_users(&mut self) {
        self.accounts = None;
    }
}

impl Drop for Saslauthd {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Whether `testsaslauthd` (a command of the same package) is told that the password is right.
///
/// # Panics
/// If it cannot be run.
#[must_use]
pub fn testsaslauthd_accepts(socket: &Path, user: &str, password: &str) -> bool {
    let command = tools::find("testsaslauthd").expect("testsaslauthd is installed");
    let mut test = Command::new(command);
    test.arg("-f").arg(socket).args(["-u", user, "-p", password, "-s", "smtp"]);
    test.output().expect("testsaslauthd runs").stdout.starts_with(b"0: OK")
}
