//! Mailweir as an administrator has it: a configuration file, a data directory, users, a log, and
//! the program that runs on them.
//!
//! It lives in a temporary directory and listens on loopback only; scenarios name listeners and
//! next hops, never ports. Time is the machine's. For what can be shown without a process there
//! are faster tools.

use std::{
    fs,
    io::{self, Write as _},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::{
    free_address,
    peers::Said,
    program::{self, Program},
    wait,
};

/// An installation yet to be made.
#[derive(Debug)]
pub struct Plan {
    binary: PathBuf,
    listeners: Vec<(String, SocketAddr)>,
    admin: Option<SocketAddr>,
    sections: String,
    users: Vec<(String, String)>,
}

impl Plan {
    /// A gateway that serves the domain `own.example` and tries deferred mail every minute.
    /// `None` after one line that says why, if there is no program to run.
    #[must_use]
    pub fn new() -> Option<Self> {
        let binary = program::require()?;
        let sections = String::new();
        Some(Self { binary, listeners: Vec::new(), admin: None, sections, users: Vec::new() })
    }

    /// Adds a listener with these keys of `[[listener]]`.
    ///
    /// # Panics
    /// If the system has no port left.
    #[must_use]
    pub fn listener(mut self, name: &str, keys: &str) -> Self {
        let address = free_address().expect("a free port");
        self.listeners.push((name.to_owned(), address));
        self.section(&format!("[[listener]]\nname = {name:?}\nbind = [\"{address}\"]\n{keys}"))
    }

    /// Adds a listener for the mail servers of the internet that trusts this machine.
    #[must_use]
    pub fn mx(self) -> Self {
        self.listener("mx", "mode = \"mx\"\ntls = \"optional\"\nnetworks = [\"127.0.0.1/32\"]")
    }

    /// Passes all mail to this server, by SMTP.
    #[must_use]
    pub fn next_hop(self, server: SocketAddr) -> Self {
        self.section(&format!("[[route]]\nfor = [\"*\"]\nto = \"smtp://{server}\""))
    }

    /// Opens the admin listener; [`Installation::admin`] is where.
    ///
    /// # Panics
    /// If the system has no port left.
    #[must_use]
    pub fn with_admin(mut self) -> Self {
        self.admin = Some(free_address().expect("a free port"));
        self
    }

    /// Adds a section of the configuration.
    #[must_use]
    pub fn section(mut self, text: &str) -> Self {
        self.sections.push_str(text);
        self.sections.push('\n');
        self
    }

    /// Adds a user.
    #[must_use]
    pub fn user(mut self, name: &str, password: &str) -> Self {
        self.users.push((name.to_owned(), password.to_owned()));
        self
    }

    /// Writes the files and does not start the program.
    ///
    /// # Panics
    /// If they cannot be written, or a user cannot be added.
    #[must_use]
    pub fn install(self) -> Installation {
        let directory = tempfile::Builder::new().prefix("mailweir-").tempdir().expect("a place");
        let text = self.configuration(directory.path());
        let Self { binary, listeners, admin, users, .. } = self;
        let installation = Installation { binary, directory, listeners, admin, program: None };
        installation.configure(&text);
        for (name, password) in users {
            let said = installation.feed(&["user", "add", &name], &format!("{password}\n"));
            let _ = said.expect_content();
        }
        installation
    }

    /// Writes the files, starts the program, and returns when it listens.
    ///
    /// # Panics
    /// If it does not start; says what it logged.
    #[must_use]
    pub fn start(self) -> Installation {
        let mut installation = self.install();
        installation.start();
        installation
    }

    fn configuration(&self, root: &Path) -> String {
        let admin = self.admin.map(|address| format!("\"{address}\"")).unwrap_or_default();
        format!(
            "[server]\nhostname = \"gate.test.example\"\ndata_dir = \"{}\"\n\
             [domains]\nrelay = [\"own.example\"]\n\
             [admin]\nbind = [{admin}]\npublic_url = \"https://gate.example\"\n[log]\nformat = \"text\"\n\
             [queue]\nminimal_backoff_time = \"60s\"\n{}",
            root.join("data").display(),
            self.sections
        )
    }
}

/// A Mailweir that is installed, at work or not. Dropping it kills it and removes its files.
#[derive(Debug)]
pub struct Installation {
    binary: PathBuf,
    directory: TempDir,
    listeners: Vec<(String, SocketAddr)>,
    admin: Option<SocketAddr>,
    program: Option<Program>,
}

impl Installation {
    /// Where this listener is.
    ///
    /// # Panics
    /// If there is none of that name.
    #[must_use]
    pub fn at(&self, listener: &str) -> SocketAddr {
        let named = self.listeners.iter().find(|(name, _)| name == listener);
        named.expect("a listener of this name").1
    }

    /// Where the pages for administrators are.
    ///
    /// # Panics
    /// If the plan had no admin listener.
    #[must_use]
    pub fn admin(&self) -> SocketAddr {
        self.admin.expect("an admin listener")
    }

    /// Starts the program and returns when it listens.
    ///
    /// # Panics
    /// If it does not start; says what it logged.
    pub fn start(&mut self) {
        let listener = self.listeners.first().expect("a listener").1;
        let started = Program::start(&self.binary, &self.config(), &self.path("log"), listener);
        let mut program = started.expect("a program that can be run");
        let listens = program.wait_listening();
        assert!(listens.is_ok(), "{listens:?}\n{}", self.log());
        self.program = Some(program);
    }

    /// Ends the program by SIGTERM.
    ///
    /// # Panics
    /// If it does not run, or does not end in order; says what it logged.
    pub fn stop(&mut self) {
        let stopped = self.program.take().expect("a running program").stop();
        assert!(stopped.is_ok(), "{stopped:?}\n{}", self.log());
    }

    /// Ends the program as a crash would.
    ///
    /// # Panics
    /// If it does not run.
    pub fn kill(&mut self) {
        let program = self.program.take().expect("a running program");
        program.kill().expect("a process of ours");
    }

    /// Sends a signal to the program.
    ///
    /// # Panics
    /// If it does not run.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.process(), signal).expect("a process of ours");
    }

    /// The process that the program runs in.
    ///
    /// # Panics
    /// If it does not run.
    #[must_use]
    pub fn process(&self) -> Pid {
        let id = self.program.as_ref().expect("a running program").id();
        Pid::from_raw(id.cast_signed()).expect("the number of a process")
    }

    /// What the program printed so far: its summary and its log.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// Waits for a line of the log that contains `text`, and returns it.
    ///
    /// # Panics
    /// If none comes; says what was logged.
    #[must_use]
    pub fn expect_log(&self, text: &str) -> String {
        let found = wait::within(wait::PATIENCE, || {
            self.log().lines().find(|line| line.contains(text)).map(str::to_owned)
        });
        found.unwrap_or_else(|| panic!("{text:?} is not in the log:\n{}", self.log()))
    }

    /// Runs `mailweir` with these words and this installation's configuration.
    ///
    /// # Panics
    /// If it cannot be run.
    #[must_use]
    pub fn run(&self, words: &[&str]) -> Said {
        self.feed(words, "")
    }

    /// The same, with something to read on standard input.
    ///
    /// # Panics
    /// If it cannot be run.
    #[must_use]
    pub fn feed(&self, words: &[&str], input: &str) -> Said {
        let mut command = Command::new(&self.binary);
        command.args(words).arg("-c").arg(self.config());
        feed(&mut command, input).expect("a program that can be run")
    }

    /// Waits until no mail is queued.
    ///
    /// # Panics
    /// If there still is some in the end; says which, and what was logged.
    pub fn expect_empty_queue(&self) {
        let list = || self.run(&["queue", "list"]).text;
        let empty =
            wait::within(wait::PATIENCE, || list().contains("queue is empty").then_some(()));
        assert!(empty.is_some(), "mail is left:\n{}\n{}", list(), self.log());
    }

    /// The queued mails as `queue list --json` tells of them, oldest first.
    ///
    /// # Panics
    /// If the list cannot be had or read.
    #[must_use]
    pub fn queue(&self) -> Vec<serde_json::Value> {
        let said = self.run(&["queue", "list", "--json"]).expect_content();
        said.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    /// Writes another configuration in place of the old one. Nobody is told.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn configure(&self, text: &str) {
        fs::write(self.config(), text).expect("a directory of ours");
    }

    /// The configuration file.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.path("mailweir.toml")
    }

    /// The data directory.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.path("data")
    }

    /// The program itself.
    #[must_use]
    pub fn binary(&self) -> &Path {
        &self.binary
    }

    /// A file or directory beside the configuration.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

/// Runs a program with something to read, and returns what it said.
///
/// # Errors
/// If it cannot be run.
pub fn feed(command: &mut Command, input: &str) -> io::Result<Said> {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    // A program that reads nothing may have ended by now; what it says is what counts.
    let _ = child.stdin.take().map(|mut stdin| stdin.write_all(input.as_bytes()));
    Ok(Said::from_output(&child.wait_with_output()?))
}
