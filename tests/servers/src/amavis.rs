//! amavisd-new: a content filter by SMTP.

use std::{
    fs,
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use crate::{
    Daemon,
    account::{give, open},
    tools,
};

/// A private amavisd that asks a clamd and nobody else; needs the command `amavisd`, and root.
///
/// It refuses a mail with an attachment whose name ends in `.exe` (`D_REJECT`), throws away what is infected (`D_DISCARD`),
/// and lets everything else pass. It looks for no spam.
#[derive(Debug)]
pub struct Amavis {
    log: PathBuf,
    // Ends before its directory goes.
    _daemon: Daemon,
    _home: TempDir,
}

impl Amavis {
    /// Starts one that listens at `address`. `lines`: those of its configuration that say so, and where it hands mail back.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start(address: SocketAddr, clamd: SocketAddr, lines: &str) -> Self {
        let home = tempfile::tempdir().expect("a directory");
        let (work, settings) = (home.path().join("work"), home.path().join("amavisd.conf"));
        fs::create_dir(&work).expect("a directory to work in");
        open(home.path());
        give(&work, "amavis");
        fs::write(&settings, configuration(&work, clamd, lines)).expect("amavisd.conf");
        let mut command = Command::new(tools::find("amavisd").unwrap_or_else(|| "amavisd".into()));
        command.arg("-c").arg(settings).arg("foreground");
        let log = home.path().join("log");
        let ready = || TcpStream::connect(address).is_ok();
        let daemon = Daemon::start(&mut command, &log, ready);
        Self { log, _daemon: daemon, _home: home }
    }

    /// What it has logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }
}

fn configuration(work: &Path, clamd: SocketAddr, lines: &str) -> String {
    let work = work.display();
    format!(
        r#"use strict;
$MYHOME = '{work}'; $TEMPBASE = $MYHOME; $db_home = $MYHOME;
$pid_file = "$MYHOME/pid"; $lock_file = "$MYHOME/lock";
$daemon_user = 'amavis'; $daemon_group = 'amavis';
$mydomain = 'local.example'; $myhostname = 'amavis.local.example';
$max_servers = 2; $enable_db = 0; $enable_zmq = 0; $enable_dkim_verification = 0;
$do_syslog = 0; $log_level = 1;
$inet_socket_bind = '127.0.0.1'; @local_domains_maps = (1);
@bypass_spam_checks_maps = (1);
@decoders = (['mail', \&do_mime_decode]);
@av_scanners = (['clamd', \&ask_daemon, ["CONTSCAN {{}}\n", '{clamd}'],
  qr/\bOK$/m, qr/\bFOUND$/m, qr/^.*?: (?!Infected Archive)(.*) FOUND$/m]);
$banned_filename_re = new_RE(qr'\.exe$'i);
$final_banned_destiny = D_REJECT; $final_virus_destiny = D_DISCARD; $final_bad_header_destiny = D_PASS;
$virus_quarantine_method = undef; $banned_files_quarantine_method = undef;
{lines}
1;
"#
    )
}
