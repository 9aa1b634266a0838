//! A mail server on loopback that takes mail, or fails at any point a script names.
//!
//! It stands for the next hop in tests of delivery (`attacks.md` K1 to K3). It records every
//! command and byte, and waits on events, never on time; a wait that lasts too long fails the test
//! and prints the dialogues so far.

mod log;
mod script;
mod session;

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{net::TcpListener, sync::watch, task::JoinSet};

use self::{
    log::{Connection, Line, Log},
    session::Session,
};
pub use self::{
    log::{Outcome, Received},
    script::{Act, Point, Script},
};

/// A running sink. Dropping it ends all its connections.
pub struct Sink {
    address: SocketAddr,
    log: Arc<watch::Sender<Log>>,
    scripts: Arc<Mutex<Scripts>>,
    _tasks: JoinSet<()>,
}

/// The scripts of the connections to come; the last one stays.
struct Scripts(Vec<Script>);

impl Scripts {
    fn next(&mut self) -> Script {
        if self.0.len() > 1 { self.0.remove(0) } else { self.0[0].clone() }
    }
}

impl Sink {
    /// Starts a sink that follows this script in every connection.
    pub async fn start(script: Script) -> Self {
        Self::start_with(vec![script]).await
    }

    /// Starts a sink that follows the first script in the first connection, and so on; the last
    /// one in all others.
    ///
    /// # Panics
    /// If there is no script, or no port is free.
    pub async fn start_with(scripts: Vec<Script>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("loopback");
        Self::serve(listener, scripts)
    }

    /// Starts a sink at an address, such as one of `127.0.0.0/8` with a port in common with others.
    ///
    /// # Panics
    /// If the address is taken.
    pub async fn start_at(address: SocketAddr, script: Script) -> Self {
        Self::serve(TcpListener::bind(address).await.expect("a free address"), vec![script])
    }

    fn serve(listener: TcpListener, scripts: Vec<Script>) -> Self {
        assert!(!scripts.is_empty(), "a sink needs a script");
        let address = listener.local_addr().expect("a bound socket has an address");
        let log = Arc::new(watch::Sender::new(Log::default()));
        let scripts = Arc::new(Mutex::new(Scripts(scripts)));
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, log.clone(), scripts.clone()));
        Self { address, log, scripts, _tasks: tasks }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Follows another script in connections that come from now on.
    pub fn change(&self, script: Script) {
        *self.scripts.lock().unwrap() = Scripts(vec![script]);
    }

    /// Waits for a mail that is accepted.
    ///
    /// # Panics
    /// If none comes, or more than one has come.
    pub async fn expect_one(&self) -> Received {
        self.expect(1).await.remove(0)
    }

    /// Waits until this many mails have been accepted, and returns them in order.
    ///
    /// # Panics
    /// If fewer come, or more have come.
    pub async fn expect(&self, count: usize) -> Vec<Received> {
        let what = format!("{count} accepted mails");
        self.wait_for(&what, |log| log.accepted().len() >= count).await;
        let log = self.log.borrow();
        let accepted: Vec<Received> = log.accepted().into_iter().cloned().collect();
        assert_eq!(accepted.len(), count, "more mail than expected\n{}", *log);
        accepted
    }

    /// Waits until this many mails have reached their final dot, whatever was answered, and
    /// returns all that have.
    ///
    /// # Panics
    /// If fewer come.
    pub async fn expect_attempts(&self, count: usize) -> Vec<Received> {
        let what = format!("{count} mails up to the dot");
        self.wait_for(&what, |log| log.messages.len() >= count).await;
        self.attempts()
    }

    /// Waits until a connection has sent a command that starts with `command`.
    ///
    /// # Panics
    /// If it does not come.
    pub async fn expect_command(&self, command: &str) {
        let begins = |line: &Line| matches!(line, Line::Theirs(text) if text.starts_with(command));
        let seen = |connection: &Connection| connection.lines.iter().any(begins);
        self.wait_for(command, |log| log.connections.iter().any(seen)).await;
    }

    /// Waits until this many connections have been opened, open ones and ended ones together.
    ///
    /// # Panics
    /// If fewer are opened.
    pub async fn expect_connections(&self, count: usize) {
        let what = format!("{count} connections");
        self.wait_for(&what, |log| log.connections.len() >= count).await;
    }

    /// Waits until this many connections have ended.
    ///
    /// # Panics
    /// If fewer end.
    pub async fn expect_ended(&self, count: usize) {
        let what = format!("the end of {count} connections");
        self.wait_for(&what, |log| log.ended() >= count).await;
    }

    /// Fails if any mail has reached its final dot so far. Waits for nothing: it means something
    /// only after an event that would have brought the mail.
    ///
    /// # Panics
    /// If there is mail.
    pub fn expect_nothing(&self) {
        let log = self.log.borrow();
        assert!(log.messages.is_empty(), "there is mail\n{}", *log);
    }

    /// All mails that have reached their final dot, whatever was answered.
    #[must_use]
    pub fn attempts(&self) -> Vec<Received> {
        self.log.borrow().messages.clone()
    }

    /// How many connections were opened so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.log.borrow().connections.len()
    }

    /// The commands of a connection, counted from 0; none if there is no such connection.
    #[must_use]
    pub fn commands(&self, connection: usize) -> Vec<String> {
        let log = self.log.borrow();
        let lines = log.connections.get(connection).map_or(&[][..], |seen| &seen.lines);
        let theirs = |line: &Line| match line {
            Line::Theirs(text) => Some(text.clone()),
            Line::Ours(_) => None,
        };
        lines.iter().filter_map(theirs).collect()
    }

    /// The exact bytes a connection has brought, counted from 0.
    #[must_use]
    pub fn bytes(&self, connection: usize) -> Vec<u8> {
        let log = self.log.borrow();
        log.connections.get(connection).map_or_else(Vec::new, |seen| seen.bytes.clone())
    }

    /// The dialogues so far, to print when a scenario fails.
    #[must_use]
    pub fn transcript(&self) -> String {
        self.log.borrow().to_string()
    }

    async fn wait_for(&self, what: &str, condition: impl FnMut(&Log) -> bool) {
        let mut log = self.log.subscribe();
        let waited = tokio::time::timeout(PATIENCE, log.wait_for(condition)).await.is_ok();
        assert!(waited, "waited in vain for {what}\n{}", self.transcript());
    }
}

async fn accept(listener: TcpListener, log: Arc<watch::Sender<Log>>, scripts: Arc<Mutex<Scripts>>) {
    let mut sessions = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let mut number = 0;
        log.send_modify(|log| {
            number = log.connections.len();
            log.connections.push(Connection::default());
        });
        let script = scripts.lock().unwrap().next();
        sessions.spawn(Session::new(stream, log.clone(), number, script).run());
    }
}

/// How long a wait may last before the test fails: long enough for the slowest machine.
const PATIENCE: Duration = Duration::from_secs(30);
