//! The real application in this process, for scenarios: started, spoken to, reloaded, stopped.
//!
//! A [`Gateway`] is what `mailweir serve` starts, with a configuration from text, a temporary data
//! directory, loopback addresses of its own and a log in memory. A scenario says what a person
//! would say; which ports are used, and how long something takes, is decided here. Clients come
//! from 127.0.0.1, a stranger, unless they are told to come from [`TRUSTED`].

mod archive;
mod import;
mod log;
mod mail;
mod peer;
mod queue;
mod setup;
mod teaching;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use mailweir::{
    app::App,
    archiving::{Finder, words::Doubles},
    clock,
    config::Config,
    control,
    extraction::Program,
    moderation::Moderation,
    observe::{Level, LogFormat, LogOptions, Observer},
    store::Store,
};
use mailweir_mail::QueueId;
use tempfile::TempDir;

use self::setup::Home;
pub use self::{
    archive::{Archive, Archived},
    import::{Import, brought},
    log::Log,
    mail::{Mail, mail, mail_to},
    peer::{Answer, Peer},
    queue::Queue,
    setup::{AUDITOR, Setup, TRUSTED, USER, USER_OFFICE, USER_PASSWORD, USER_TV, loopback_address},
};
use crate::{
    program,
    sink::{Script, Sink},
    wait,
};

/// A gateway at work, or at rest between [`Gateway::stop`] and [`Gateway::start_again`].
pub struct Gateway {
    home: Home,
    /// Boxed: it is large, and futures carry it along.
    config: Box<Config>,
    log: Log,
    app: Option<Arc<App>>,
    _directory: TempDir,
}

impl Gateway {
    /// Starts a gateway.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn start(setup: &Setup) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let home = Home::new(directory.path());
        setup::write_users(directory.path());
        let config = home.configure(setup).unwrap_or_else(|problems| panic!("{problems}"));
        let mut gateway = Self { home, config, log: Log::new(), app: None, _directory: directory };
        gateway.start_again().await;
        gateway
    }

    /// Starts a gateway in front of a sink that archives all mail, with these sections besides.
    pub async fn archiving(sections: &str) -> (Self, Archive, Sink) {
        let sink = Sink::start(Script::smtp()).await;
        let archive = Archive::new();
        let setup = Setup::before(&sink).section("archive", &archive.section()).sections(sections);
        (Self::start(&setup).await, archive, sink)
    }

    /// Starts a second gateway on the same data directory, and returns why it does not start.
    ///
    /// # Panics
    /// If it does.
    pub async fn expect_no_second(&self) -> String {
        let observer = observer(&Log::new());
        match start((*self.config).clone(), observer).await {
            Ok(_) => panic!("a second gateway took the same queue"),
            Err(error) => error,
        }
    }

    /// Starts a gateway that was stopped, on the same data.
    ///
    /// # Panics
    /// If it runs, or does not start.
    pub async fn start_again(&mut self) {
        assert!(self.app.is_none(), "the gateway runs already");
        let app = start((*self.config).clone(), observer(&self.log)).await;
        self.app = Some(app.unwrap_or_else(|error| panic!("{error}\n{}", self.log)));
        let control = self.store().control_socket();
        wait::until_true("the control socket", async || control::is_served(&control)).await;
    }

    /// Is to start with another configuration the next time.
    ///
    /// # Panics
    /// If it is wrong.
    pub fn configure(&mut self, setup: &Setup) {
        self.config = self.home.configure(setup).unwrap_or_else(|problems| panic!("{problems}"));
    }

    /// Stops as SIGTERM does, and waits for the end.
    ///
    /// # Panics
    /// If it does not run.
    pub async fn stop(&mut self) {
        let app = self.app.take().expect("the gateway runs");
        app.stop(PATIENCE).await;
    }

    /// Begins to stop as SIGTERM does. What is in flight goes on.
    ///
    /// # Panics
    /// If it does not run.
    pub async fn begin_to_stop(&mut self) -> Stopping {
        let app = self.app.take().expect("the gateway runs");
        let stopping = Stopping(tokio::spawn(async move { app.stop(PATIENCE).await }));
        self.log.expect("stopping").await;
        stopping
    }

    /// Stops and starts again.
    pub async fn restart(&mut self) {
        self.stop().await;
        self.start_again().await;
    }

    /// Takes another configuration, as SIGHUP does.
    ///
    /// # Errors
    /// Why the old one stays in force; the log says it too.
    pub async fn reload(&mut self, setup: &Setup) -> Result<(), String> {
        let app = self.app.as_ref().expect("the gateway runs");
        let taken = match self.home.configure(setup) {
            Ok(config) => {
                let taken = app.reload((*config).clone()).await;
                taken.map(|()| config).map_err(|error| format!("{error:#}"))
            }
            Err(problems) => Err(problems),
        };
        self.config = taken.inspect_err(|problem| app.refuse_reload(problem))?;
        Ok(())
    }

    /// Writes another file of sender addresses and their owners. The gateway is not told.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn change_owners(&self, text: &str) {
        let file = self.config.auth.senders.login_maps_file.as_ref().expect("a file of owners");
        std::fs::write(file, text).expect("a writable directory");
    }

    /// The mail that waits for people.
    ///
    /// # Panics
    /// If it does not run.
    #[must_use]
    pub fn moderation(&self) -> Arc<Moderation> {
        Arc::clone(self.app.as_ref().expect("the gateway runs").moderation())
    }

    /// Who finds mail in its archive.
    ///
    /// # Panics
    /// If it does not run, or makes no index.
    #[must_use]
    pub fn finder(&self) -> Finder {
        self.app.as_ref().expect("the gateway runs").finder().expect("an index").clone()
    }

    /// What it logs.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// What an operator sees and does.
    #[must_use]
    pub fn queue(&self) -> Queue<'_> {
        Queue::of(self)
    }

    /// Submits a mail at the first listener, as a stranger would.
    pub async fn submit(&self, mail: Mail) -> Answer {
        let mut peer = self.connect().await;
        peer.greet().await;
        let answer = peer.send(&mail).await;
        peer.leave().await;
        answer
    }

    /// Submits a mail that must be accepted.
    pub async fn accept(&self, mail: Mail) -> QueueId {
        self.submit(mail).await.expect_accepted()
    }

    /// Begins to bring mail into its archive.
    ///
    /// # Panics
    /// If it archives nothing.
    #[must_use]
    pub fn begin_import(&self, doubles: Doubles) -> Import {
        let settings = self.config.archive.clone().expect("an archive");
        Import::begin(self.store(), settings, doubles)
    }

    /// Connects to the first listener.
    pub async fn connect(&self) -> Peer {
        let first = &self.config.listeners[0];
        Peer::connect(first.bind[0], STRANGER).await
    }

    /// Connects to the listener of this name.
    pub async fn connect_to(&self, listener: &str) -> Peer {
        Peer::connect(self.address(listener), STRANGER).await
    }

    /// Connects to the listener of this name, from a loopback address such as [`TRUSTED`].
    ///
    /// # Panics
    /// If `from` is no address.
    pub async fn connect_from(&self, from: &str, listener: &str) -> Peer {
        Peer::connect(self.address(listener), from.parse().expect("an address")).await
    }

    /// Where a listener listens, for other programs and as a next hop.
    ///
    /// # Panics
    /// If there is no listener of this name.
    #[must_use]
    pub fn address(&self, listener: &str) -> SocketAddr {
        let found = self.config.listeners.iter().find(|known| &*known.name == listener);
        found.unwrap_or_else(|| panic!("no listener {listener}")).bind[0]
    }

    /// How many sessions it has with clients.
    #[must_use]
    pub fn sessions(&self) -> usize {
        // In this order: the log grows meanwhile, and no session ends before it begins.
        let disconnects = self.log.count("smtpd[*]: disconnect from");
        self.log.count("smtpd[*]: connect from") - disconnects
    }

    /// Waits until no client has a session: then everything they brought is durable or dropped.
    pub async fn expect_no_sessions(&self) {
        wait::until_true("the end of all sessions", async || self.sessions() == 0).await;
    }

    /// Removes the file of a large mail, as a failing disk might.
    ///
    /// # Panics
    /// If it has none.
    pub fn remove_spool_file(&self, id: QueueId) {
        let spool = self.config.server.data_dir.join("queue/spool");
        let files = std::fs::read_dir(&spool).expect("a spool").flatten();
        let named = files.map(|directory| directory.path().join(id.to_string()));
        let file = named.into_iter().find(|file| file.is_file()).expect("a file of its own");
        std::fs::remove_file(file).expect("a file that can be removed");
    }

    /// The store of a gateway that is at rest, until this is dropped.
    ///
    /// # Panics
    /// If the gateway runs, or the store cannot be opened.
    #[must_use]
    pub fn open_store(&self) -> mailweir_queue::Queue {
        assert!(self.app.is_none(), "the gateway runs");
        self.store().open(|_| {}).unwrap_or_else(|error| panic!("{error:#}"))
    }

    /// Where all that it keeps is.
    #[must_use]
    pub fn data_dir(&self) -> &std::path::Path {
        &self.config.server.data_dir
    }

    /// Where its queue and its control socket are.
    #[must_use]
    pub fn store(&self) -> Store {
        Store::of(&self.config)
    }
}

/// A gateway that is coming to its end.
pub struct Stopping(tokio::task::JoinHandle<()>);

impl Stopping {
    /// Waits for the end.
    ///
    /// # Panics
    /// If it does not come.
    pub async fn finished(self) {
        let end = tokio::time::timeout(wait::PATIENCE, self.0).await;
        end.expect("the gateway does not stop").expect("the gateway stops");
    }
}

/// The program itself reads mail for the index.
async fn start(config: Config, observer: Observer) -> Result<Arc<App>, String> {
    let mailweir = program::find().map_or_else(Program::this, |path| Program::at(&path));
    let started = App::start_beside(config, observer, mailweir).await;
    started.map_err(|error| format!("{error:#}"))
}

fn observer(log: &Log) -> Observer {
    let options = LogOptions {
        format: LogFormat::Text,
        level: Level::Info,
        hostname: "gate".into(),
        pid: std::process::id(),
    };
    Observer::start(options, log.sink(), Arc::new(clock::now)).expect("a thread for the log")
}

/// Clients are strangers unless said otherwise.
const STRANGER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// How long what is in flight may take when a gateway stops.
const PATIENCE: Duration = Duration::from_secs(20);
