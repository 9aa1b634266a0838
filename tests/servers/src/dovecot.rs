//! Dovecot's authentication service.

use std::{
    fmt::Write as _,
    fs,
    net::{SocketAddr, TcpStream},
    os::unix::{fs::PermissionsExt as _, net::UnixStream, process::CommandExt as _},
    path::PathBuf,
    process::Command,
};

use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;

use crate::{Daemon, free_address, tools, wait};

/// A real Dovecot that serves no mailboxes, only log-ins, with users of its own; needs the command
/// `dovecot` and root.
///
/// Passwords are kept in clear, so that CRAM-MD5 and SCRAM work. It answers failures at once and
/// does not slow clients down (`auth_failure_delay`, auth penalty).
#[derive(Debug)]
pub struct Dovecot {
    home: TempDir,
    address: SocketAddr,
    daemon: Option<Daemon>,
}

impl Dovecot {
    /// A running Dovecot that knows these users, by name and password, and all mechanisms of
    /// [`Self::MECHANISMS`].
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn with_users(users: &[(&str, &str)]) -> Self {
        Self::with_mechanisms(users, Self::MECHANISMS)
    }

    /// The same with other mechanisms (its setting `auth_mechanisms`).
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn with_mechanisms(users: &[(&str, &str)], mechanisms: &str) -> Self {
        let home = tempfile::tempdir().expect("a directory");
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).expect("its mode");
        let address = free_address().expect("a free port");
        let mut dovecot = Self { home, address, daemon: None };
        dovecot.write(
            "users",
            &users.iter().fold(String::new(), |mut lines, (user, password)| {
                let _ = writeln!(lines, "{user}:{{PLAIN}}{password}");
                lines
            }),
        );
        // What checkpassword(8) calls a temporary problem.
        dovecot.write("cannot-tell", "exit 111\n");
        dovecot.write("dovecot.conf", &dovecot.configuration(mechanisms));
        dovecot.start();
        dovecot
    }

    /// All mechanisms for passwords that it has.
    pub const MECHANISMS: &str = "plain login cram-md5 scram-sha-1 scram-sha-256";

    /// The socket for authentication clients.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.home.path().join("auth-client")
    }

    /// The same on loopback.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// A socket of it that is for something else (user look-ups), which is easily mistaken.
    #[must_use]
    pub fn wrong_socket(&self) -> PathBuf {
        self.home.path().join("base/auth-userdb")
    }

    /// What it has logged.
    #[must_use]
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.home.path().join("log")).unwrap_or_default()).into()
    }

    /// Adds a user by a line of Dovecot's `passwd-file`, such as
    /// `bob:{PLAIN}secret::::::user=robert`.
    ///
    /// # Panics
    /// If the file cannot be written.
    pub fn add_user_line(&self, line: &str) {
        let users = self.home.path().join("users");
        let known = fs::read_to_string(&users).expect("the users");
        // Another file, so that a change within a second is seen.
        fs::remove_file(&users).expect("the users");
        self.write("users", &format!("{known}{line}\n"));
    }

    /// Ends it and its sockets, also for clients that are connected: by itself its authentication
    /// process would stay with them.
    pub fn stop(&mut self) {
        let Some(daemon) = self.daemon.take() else { return };
        let processes = group(&daemon);
        daemon.stop();
        end(processes);
        wait::until("dovecot to end", wait::PATIENCE, || {
            TcpStream::connect(self.address).is_err().then_some(())
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
        let mut command = Command::new(tools::find("dovecot").expect("dovecot is installed"));
        command.arg("-F").arg("-c").arg(self.home.path().join("dovecot.conf"));
        command.process_group(0);
        let is_ready = move || UnixStream::connect(&socket).is_ok();
        let log = self.home.path().join("start.log");
        self.daemon = Some(Daemon::start(&mut command, &log, is_ready));
    }

    /// Somebody for whom it cannot tell, whatever the password (PLAIN and LOGIN).
    pub const UNLUCKY: &str = "unlucky";

    fn write(&self, name: &str, text: &str) {
        let file = self.home.path().join(name);
        fs::write(&file, text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }

    fn configuration(&self, mechanisms: &str) -> String {
        let home = self.home.path().display();
        let unlucky = Self::UNLUCKY;
        let (ip, port) = (self.address.ip(), self.address.port());
        format!(
            "base_dir = {home}/base
state_dir = {home}/state
log_path = {home}/log
instance_name = {home}
protocols =
ssl = no
auth_verbose = yes
auth_mechanisms = {mechanisms}
auth_failure_delay = 0
passdb {{
  driver = checkpassword
  args = /bin/sh {home}/cannot-tell
  username_filter = {unlucky}
}}
passdb {{
  driver = passwd-file
  args = {home}/users
}}
userdb {{
  driver = static
  args = uid=65534 gid=65534 home=/nonexistent
}}
service auth {{
  # The directory of a test is root's.
  user = root
  unix_listener {home}/auth-client {{
    mode = 0666
  }}
  inet_listener {{
    address = {ip}
    port = {port}
  }}
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
"
        )
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        // Without the second that it takes to end in order.
        end(self.daemon.as_ref().and_then(group));
    }
}

/// It and its children.
fn group(daemon: &Daemon) -> Option<Pid> {
    i32::try_from(daemon.id()).ok().and_then(Pid::from_raw)
}

fn end(group: Option<Pid>) {
    let _ = group.map(|group| kill_process_group(group, Signal::KILL));
}
