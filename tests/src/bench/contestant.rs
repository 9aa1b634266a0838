//! The servers that are compared: how each is started, waited for and stopped. Nothing else about
//! them is known elsewhere.

use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use crate::{
    free_address,
    postfix::{Postfix, Settings},
    program::Program,
    wait,
};

/// Where a server passes mail to.
#[derive(Clone, Copy, Debug)]
pub(super) enum NextHop {
    /// This SMTP server.
    Sink(SocketAddr),
    /// Nowhere: mail is accepted and stays.
    Nowhere,
}

/// A kind of server. Each start is a fresh one, with an empty queue of its own.
pub(super) trait Contestant {
    fn name(&self) -> &'static str;
    fn start(&self, next_hop: NextHop) -> io::Result<Box<dyn Running>>;
}

/// A running server.
pub(super) trait Running {
    /// Where it accepts mail from loopback, for any domain.
    fn address(&self) -> SocketAddr;
    /// Returns when its queue is empty.
    fn wait_drained(&self) -> io::Result<()>;
    /// Ends it and removes its directory.
    fn stop(self: Box<Self>) -> io::Result<()>;
}

/// Postfix as Debian ships it, but for some parameters.
#[derive(Clone, Debug, Default)]
pub(super) struct StockPostfix(Settings);

impl StockPostfix {
    /// The same with one more parameter of main.cf.
    pub(super) fn with(self, name: &str, value: &str) -> Self {
        Self(self.0.parameter(name, value))
    }

    /// The same with one more line of master.cf.
    pub(super) fn with_service(self, line: &str) -> Self {
        Self(self.0.service(line))
    }

    /// The same with one more parameter for the server that takes the load.
    pub(super) fn with_at_listener(self, name: &str, value: &str) -> Self {
        Self(self.0.at_listener(name, value))
    }

    pub(super) fn run(&self, next_hop: NextHop) -> io::Result<Postfix> {
        let address = match next_hop {
            NextHop::Sink(address) => address,
            NextHop::Nowhere => free_address()?,
        };
        self.0.clone().relay_to(address).start()
    }
}

impl Contestant for StockPostfix {
    fn name(&self) -> &'static str {
        "Postfix"
    }

    fn start(&self, next_hop: NextHop) -> io::Result<Box<dyn Running>> {
        Ok(Box::new(self.run(next_hop)?))
    }
}

impl Running for Postfix {
    fn address(&self) -> SocketAddr {
        self.address()
    }

    fn wait_drained(&self) -> io::Result<()> {
        drained(|| self.queued() == 0)
    }

    fn stop(self: Box<Self>) -> io::Result<()> {
        Ok(())
    }
}

/// Our own program.
#[derive(Clone, Debug)]
pub(super) struct Mailweir {
    binary: PathBuf,
    listener_keys: String,
    sections: String,
}

impl Mailweir {
    pub(super) fn new(binary: &Path) -> Self {
        let listener_keys = "networks = [\"127.0.0.1/32\"]".to_owned();
        Self { binary: binary.to_owned(), listener_keys, sections: String::new() }
    }

    /// The same with these keys for its listener, in place of the one that trusts this machine.
    pub(super) fn with_listener(self, keys: &str) -> Self {
        Self { listener_keys: keys.to_owned(), ..self }
    }

    /// The same with more sections of its configuration.
    pub(super) fn with(self, sections: &str) -> Self {
        Self { sections: self.sections + sections, ..self }
    }

    /// A fresh data directory with its configuration, not started yet.
    pub(super) fn lay_out(&self, next_hop: NextHop) -> io::Result<Instance> {
        let directory = tempfile::Builder::new().prefix("mailweir-").tempdir()?;
        let instance = Instance {
            binary: self.binary.clone(),
            listener: free_address()?,
            next_hop: match next_hop {
                NextHop::Sink(address) => address,
                NextHop::Nowhere => free_address()?,
            },
            listener_keys: self.listener_keys.clone(),
            sections: self.sections.clone(),
            directory,
        };
        fs::write(instance.configuration(), instance.text())?;
        Ok(instance)
    }
}

impl Contestant for Mailweir {
    fn name(&self) -> &'static str {
        "Mailweir"
    }

    fn start(&self, next_hop: NextHop) -> io::Result<Box<dyn Running>> {
        let instance = self.lay_out(next_hop)?;
        let program = instance.start()?;
        Ok(Box::new(RunningMailweir { program, instance }))
    }
}

/// A data directory of Mailweir, whether it runs or not.
#[derive(Debug)]
pub(super) struct Instance {
    binary: PathBuf,
    directory: TempDir,
    listener: SocketAddr,
    next_hop: SocketAddr,
    listener_keys: String,
    sections: String,
}

impl Instance {
    pub(super) fn listener(&self) -> SocketAddr {
        self.listener
    }

    /// Starts the program and returns when it greets.
    pub(super) fn start(&self) -> io::Result<Program> {
        let mut program = self.launch()?;
        program.wait_listening()?;
        Ok(program)
    }

    /// Starts the program, and does not wait.
    pub(super) fn launch(&self) -> io::Result<Program> {
        Program::start(&self.binary, &self.configuration(), &self.log(), self.listener)
    }

    pub(super) fn data_dir(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    pub(super) fn configuration(&self) -> PathBuf {
        self.directory.path().join("mailweir.toml")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.directory.path().join("log")
    }

    /// Runs another command of the program on it.
    pub(super) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.args(words).arg("-c").arg(self.configuration());
        command
    }

    /// Returns when its queue is empty.
    pub(super) fn wait_drained(&self) -> io::Result<()> {
        drained(|| self.is_empty())
    }

    fn is_empty(&self) -> bool {
        let list = self.command(&["queue", "list", "--json"]).output();
        list.is_ok_and(|list| {
            list.status.success() && !String::from_utf8_lossy(&list.stdout).contains("queue_id")
        })
    }

    fn text(&self) -> String {
        let Self { listener, listener_keys, next_hop, sections, .. } = self;
        format!(
            r#"[server]
hostname = "bench.test.example"
data_dir = "{data}"
[[listener]]
name = "in"
bind = ["{listener}"]
mode = "mx"
tls = "optional"
{listener_keys}
[limits]
message_size_limit = "200 MiB"
client_connection_count_limit = 0
[[route]]
for = ["*"]
to = "smtp://{next_hop}"
tls = "opportunistic"
[admin]
bind = []
{sections}"#,
            data = self.data_dir().display(),
        )
    }
}

struct RunningMailweir {
    program: Program,
    instance: Instance,
}

impl Running for RunningMailweir {
    fn address(&self) -> SocketAddr {
        self.instance.listener
    }

    fn wait_drained(&self) -> io::Result<()> {
        self.instance.wait_drained()
    }

    fn stop(self: Box<Self>) -> io::Result<()> {
        self.program.stop()
    }
}

pub(super) fn drained(mut is_empty: impl FnMut() -> bool) -> io::Result<()> {
    wait::within(wait::PATIENCE, || is_empty().then_some(()))
        .ok_or_else(|| io::Error::other("the queue does not run empty"))
}
