//! SpamAssassin's daemon.

use std::{
    fs,
    net::{SocketAddr, TcpStream},
    process::Command,
};

use tempfile::TempDir;

use crate::{Daemon, account, free_address, tools};

/// A private `spamd` on loopback with the rules of its package, but without Bayes, network tests and what it has learned;
/// needs the command `spamd`.
#[derive(Debug)]
pub struct Spamd {
    _home: TempDir,
    address: SocketAddr,
    _daemon: Daemon,
}

impl Spamd {
    /// Starts one.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start() -> Self {
        let home = tempfile::tempdir().expect("a directory");
        let address = free_address().expect("a free port");
        let path = |name: &str| home.path().join(name);
        // Its children are nobody, who reads here.
        account::open(home.path());
        fs::write(path("init.pre"), PLUGINS).expect("init.pre");
        fs::write(path("local.cf"), SETTINGS).expect("local.cf");
        let mut command = Command::new(tools::find("spamd").unwrap_or_else(|| "spamd".into()));
        command
            .args(["--local", "--nouser-config", "--syslog=stderr", "--max-children=2"])
            .args(["--min-children=1", "--min-spare=1", "--max-spare=1"])
            .arg(format!("--listen={address}"))
            .arg(format!("--siteconfigpath={}", home.path().display()))
            .arg(format!("--helper-home-dir={}", home.path().display()))
            .arg(format!("--pidfile={}", path("pid").display()));
        if rustix::process::geteuid().is_root() {
            command.arg("--username=nobody");
        }
        let ready = || TcpStream::connect(address).is_ok();
        let daemon = Daemon::start(&mut command, &path("log"), ready);
        Self { _home: home, address, _daemon: daemon }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A line that SpamAssassin and Rspamd take for spam, wherever it stands in a mail.
    #[must_use]
    pub fn gtube() -> String {
        ["XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE", "-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"].concat()
    }
}

/// What the rules without network need.
const PLUGINS: &str = "\
loadplugin Mail::SpamAssassin::Plugin::Check
loadplugin Mail::SpamAssassin::Plugin::HeaderEval
loadplugin Mail::SpamAssassin::Plugin::BodyEval
loadplugin Mail::SpamAssassin::Plugin::MIMEEval
";

const SETTINGS: &str = "\
dns_available no
skip_rbl_checks 1
use_bayes 0
";
