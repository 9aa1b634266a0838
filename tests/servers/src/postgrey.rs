//! postgrey: a greylisting policy server.

use std::{
    net::{SocketAddr, TcpStream},
    process::Command,
};

use tempfile::TempDir;

use crate::{Daemon, free_address, tools};

/// A postgrey that knows nobody.
#[derive(Debug)]
pub struct Postgrey {
    address: SocketAddr,
    // Ends before its directory goes.
    _daemon: Daemon,
    _directory: TempDir,
}

impl Postgrey {
    /// Starts one that lets a mail pass so many seconds after it came first.
    #[must_use]
    pub fn start(delay: u32) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let address = free_address().expect("a free address");
        let path = |name: &str| directory.path().join(name);
        let option = |name: &str, value: &str| format!("--{name}={value}");
        let name = |id: u32| if id == 0 { "root".to_owned() } else { id.to_string() };
        // It takes the number 0 for none.
        let user = name(rustix::process::geteuid().as_raw());
        let group = name(rustix::process::getegid().as_raw());
        // Whoever stands in the lists of the package is not greylisted.
        std::fs::write(path("nobody"), "").expect("a writable directory");
        let nobody = path("nobody").display().to_string();
        let mut command = Command::new(tools::find("postgrey").expect("postgrey"));
        command.args([
            option("inet", &address.to_string()),
            option("delay", &delay.to_string()),
            option("dbdir", &directory.path().display().to_string()),
            option("pidfile", &path("pid").display().to_string()),
            option("user", &user),
            option("group", &group),
            option("whitelist-clients", &nobody),
            option("whitelist-recipients", &nobody),
        ]);
        let is_ready = || TcpStream::connect(address).is_ok();
        let daemon = Daemon::start(&mut command, &path("log"), is_ready);
        Self { address, _daemon: daemon, _directory: directory }
    }

    /// Where it is asked.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}
