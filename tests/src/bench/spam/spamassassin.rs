//! SpamAssassin's spamd with the rules and plugins of its package, asked directly by its own protocol.

use std::{
    fs::{self, Permissions},
    io,
    net::{SocketAddr, TcpStream},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::Command,
    sync::Mutex,
};

use mailweir_test_servers::Daemon;
use tempfile::TempDir;

use super::{
    Checker, Lessons,
    load::ask,
    mails::{Letter, RECIPIENT_DOMAIN},
    names::Names,
};
use crate::{free_address, tools};

/// Its configuration, and what its classifier knows: for several servers.
pub(super) struct Site(TempDir);

impl Site {
    /// Has the classifier learn.
    pub(super) fn set_up(names: &Names, lessons: &Lessons) -> io::Result<Self> {
        let home = tempfile::Builder::new().prefix("spamassassin-").tempdir()?;
        for plugins in fs::read_dir(PACKAGE)?.flatten() {
            if plugins.path().extension().is_some_and(|kind| kind == "pre") {
                fs::copy(plugins.path(), home.path().join(plugins.file_name()))?;
            }
        }
        let bayes = home.path().join("bayes");
        fs::create_dir(&bayes)?;
        // The children of spamd are nobody.
        for folder in [home.path(), &bayes] {
            fs::set_permissions(folder, Permissions::from_mode(0o777))?;
        }
        let dns = names.address();
        let settings = format!(
            "dns_available yes\ndns_server {}:{}\ntrusted_networks 127.0.0.0/8\n\
             bayes_path {}/bayes\nbayes_file_mode 0777\nbayes_auto_learn 0\n",
            dns.ip(),
            dns.port(),
            bayes.display()
        );
        fs::write(home.path().join("local.cf"), settings)?;
        let site = Self(home);
        site.learn("--ham", &lessons.ham())?;
        site.learn("--spam", &lessons.spam())?;
        for file in fs::read_dir(&bayes)?.flatten() {
            fs::set_permissions(file.path(), Permissions::from_mode(0o666))?;
        }
        Ok(site)
    }

    fn learn(&self, class: &str, mails: &Path) -> io::Result<()> {
        let mut command = Command::new(tools::find("sa-learn").ok_or(io::ErrorKind::NotFound)?);
        let output = command.arg(self.option()).args([class, "--local"]).arg(mails).output()?;
        match output.status.success() {
            true => Ok(()),
            false => Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned())),
        }
    }

    fn option(&self) -> String {
        format!("--siteconfigpath={}", self.0.path().display())
    }
}

/// What it may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tests {
    /// Name servers as well.
    All,
    /// Nobody (`spamd --local`).
    Local,
}

/// Running, with two children.
pub(super) struct Spamd {
    tests: Tests,
    address: SocketAddr,
    daemon: Daemon,
    last: Mutex<String>,
}

impl Spamd {
    pub(super) fn start(site: &Site, tests: Tests) -> io::Result<Self> {
        let address = free_address()?;
        let name = match tests {
            Tests::All => "all",
            Tests::Local => "local",
        };
        let place = |kind: &str| site.0.path().join(format!("{name}.{kind}"));
        let mut command = Command::new(tools::find("spamd").ok_or(io::ErrorKind::NotFound)?);
        command
            .args(["--nouser-config", "--syslog=stderr", "--username=nobody"])
            .args(["--max-children=2", "--min-children=2", "--min-spare=1", "--max-spare=2"])
            .arg(format!("--listen={address}"))
            .arg(site.option())
            .arg(format!("--helper-home-dir={}", site.0.path().display()))
            .arg(format!("--pidfile={}", place("pid").display()));
        if tests == Tests::Local {
            command.arg("--local");
        }
        let is_ready = || TcpStream::connect(address).is_ok();
        let daemon = Daemon::start(&mut command, &place("log"), is_ready);
        Ok(Self { tests, address, daemon, last: Mutex::default() })
    }
}

impl Checker for Spamd {
    fn name(&self) -> &'static str {
        match self.tests {
            Tests::All => "SpamAssassin",
            Tests::Local => "SpamAssassin, local",
        }
    }

    fn clients(&self) -> usize {
        CLIENTS
    }

    /// With the fields on top by which a mail server tells it who the client is.
    fn hand_in(&self, letter: &Letter) -> io::Result<()> {
        let Letter { client, host, sender, content, .. } = letter;
        let trace = format!(
            "Return-Path: <{sender}>\r\nReceived: from {host} ({host} [{client}])\r\n\
             \tby gate.bench.test.example (Postfix) with ESMTP id 4jYMz04Hszz1\r\n\
             \tfor <user@{RECIPIENT_DOMAIN}>; {}\r\n",
            super::sites::now().rfc5322()
        );
        let length = trace.len() + content.len();
        let head = format!("SYMBOLS SPAMC/1.5\r\nUser: nobody\r\nContent-length: {length}\r\n\r\n");
        let answer = ask(self.address, &[head.as_bytes(), trace.as_bytes(), content].concat())?;
        if !answer.contains("EX_OK") || !answer.contains("Spam: ") {
            return Err(io::Error::other(format!("spamd answers: {answer}")));
        }
        if letter.is_signed {
            *self.last.lock().expect("nobody panics") = answer;
        }
        Ok(())
    }

    fn settle(&self) -> io::Result<()> {
        Ok(())
    }

    fn processes(&self) -> Vec<u32> {
        vec![self.daemon.id()]
    }

    fn proofs(&self) -> &'static [&'static str] {
        match self.tests {
            Tests::All => &["BAYES_", "DKIM_VALID_AU"],
            Tests::Local => &["BAYES_"],
        }
    }

    fn said(&self) -> String {
        self.last.lock().expect("nobody panics").clone()
    }
}

/// Twice as many as it has children: there is always one that waits.
const CLIENTS: usize = 4;

/// Where Debian keeps what it is set to.
const PACKAGE: &str = "/etc/spamassassin";
