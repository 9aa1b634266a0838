//! OpenDMARC: a milter that judges mail by the policy of its author's domain.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpStream},
    process::Command,
};

use tempfile::TempDir;

use crate::{Daemon, free_address, tools};

/// A private opendmarc that believes what others have found out about SPF, and refuses what a policy wants refused; needs the
/// command `opendmarc`, and root.
#[derive(Debug)]
pub struct OpenDmarc {
    address: SocketAddr,
    // Ends before its directory goes.
    _daemon: Daemon,
    _home: TempDir,
}

impl OpenDmarc {
    /// Starts one that asks this name server, at its port 53, and no other: it sees a file of its own as `/etc/resolv.conf`.
    /// `None` after one line that says why: not every machine allows that.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start(name_server: Ipv4Addr) -> Option<Self> {
        let tried = Command::new("unshare").args(["--mount", "true"]).output();
        if !tried.is_ok_and(|tried| tried.status.success()) {
            tools::note("nothing can be mounted for one process alone");
            return None;
        }
        let home = tempfile::tempdir().expect("a directory");
        let address = free_address().expect("a free port");
        let path = |name: &str| home.path().join(name).display().to_string();
        let write = |name: &str, text: String| fs::write(path(name), text).expect("a file");
        write("resolv.conf", format!("nameserver {name_server}\n"));
        // By default it does not judge what comes from this machine.
        write("nobody", "192.0.2.255\n".to_owned());
        let settings = format!(
            "AuthservID gate.example\nTrustedAuthservIDs gate.example\nSocket inet:{}@{}\nUserID root\n\
             PidFile {}\nIgnoreHosts {}\nRejectFailures true\nSPFSelfValidate false\nSyslog false\n",
            address.port(),
            address.ip(),
            path("pid"),
            path("nobody")
        );
        write("opendmarc.conf", settings);
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c"]);
        command.arg(r#"mount --bind "$1" /etc/resolv.conf && exec "$0" -f -c "$2""#);
        command.arg(tools::find("opendmarc").unwrap_or_else(|| "opendmarc".into()));
        command.args([path("resolv.conf"), path("opendmarc.conf")]);
        let ready = || TcpStream::connect(address).is_ok();
        let daemon = Daemon::start(&mut command, path("log").as_ref(), ready);
        Some(Self { address, _daemon: daemon, _home: home })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}
