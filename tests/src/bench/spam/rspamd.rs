//! Rspamd with the configuration of its package: asked directly, and as milter of a Postfix.

use std::{
    fs, io,
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    process::Command,
    sync::Mutex,
};

use mailweir_test_servers::Daemon;
use tempfile::TempDir;

use super::{
    Checker,
    load::{ask, by_smtp},
    mails::{Letter, RECIPIENT_DOMAIN},
    names::Names,
};
use crate::{
    free_address,
    peers::SmtpSink,
    postfix::{Postfix, Settings},
    tools,
};

/// Running, with two processes for each way in.
pub(super) struct Rspamd {
    daemon: Daemon,
    scanner: SocketAddr,
    milter: SocketAddr,
    log: PathBuf,
    _home: TempDir,
}

impl Rspamd {
    /// Returns when its expressions are compiled and every process has them.
    pub(super) fn start(names: &Names) -> io::Result<Self> {
        let home = tempfile::Builder::new().prefix("rspamd-").tempdir()?;
        let (scanner, milter) = (free_address()?, free_address()?);
        let place = |name: &str| home.path().join(name);
        for folder in ["local.d", "db", "run", "log"] {
            fs::create_dir(place(folder))?;
        }
        for (file, text) in settings(names.address(), scanner, milter) {
            fs::write(place("local.d").join(file), text)?;
        }
        let program = tools::find("rspamd").ok_or(io::ErrorKind::NotFound)?;
        let mut command = Command::new(program);
        command.args(["--no-fork", "--insecure", "--config=/etc/rspamd/rspamd.conf"]);
        for (variable, folder) in
            [("DBDIR", "db"), ("RUNDIR", "run"), ("LOGDIR", "log"), ("LOCAL_CONFDIR", "")]
        {
            command.arg(format!("--var={variable}={}", place(folder).display()));
        }
        let log = place("said");
        let is_ready = || TcpStream::connect(scanner).is_ok() && loaded(&log) >= 2 * PROCESSES;
        let daemon = Daemon::start(&mut command, &log, is_ready);
        Ok(Self { daemon, scanner, milter, log, _home: home })
    }

    fn said(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }
}

/// How many processes that take mail have the compiled expressions.
fn loaded(log: &PathBuf) -> usize {
    let said = String::from_utf8_lossy(&fs::read(log).unwrap_or_default()).into_owned();
    let takes_mail = |line: &&str| line.contains("(normal)") || line.contains("(rspamd_proxy)");
    said.lines().filter(takes_mail).filter(|line| line.contains(LOADED)).count()
}

/// What differs from the package: addresses, the number of processes, the name server, and nothing is asked elsewhere. No mail is
/// refused, since each has to take the whole way.
fn settings(
    dns: SocketAddr,
    scanner: SocketAddr,
    milter: SocketAddr,
) -> [(&'static str, String); 6] {
    let worker = |address| format!("bind_socket = \"{address}\";\ncount = {PROCESSES};\n");
    [
        (
            "options.inc",
            format!(
                "dns {{ nameserver = [\"{}:{}\"]; }}\nfilters = \"chartable,dkim,regexp\";\n",
                dns.ip(),
                dns.port()
            ),
        ),
        ("worker-normal.inc", worker(scanner)),
        ("worker-proxy.inc", worker(milter) + "upstream \"local\" { self_scan = yes; }\n"),
        ("worker-controller.inc", "enabled = false;\n".into()),
        ("logging.inc", "type = \"console\";\n".into()),
        ("actions.conf", "reject = 1000;\n".into()),
    ]
}

/// By HTTP, as fast as it is asked.
pub(super) struct Asked<'r> {
    rspamd: &'r Rspamd,
    last: Mutex<String>,
}

impl<'r> Asked<'r> {
    pub(super) fn new(rspamd: &'r Rspamd) -> Self {
        Self { rspamd, last: Mutex::default() }
    }
}

impl Checker for Asked<'_> {
    fn name(&self) -> &'static str {
        "Rspamd"
    }

    fn clients(&self) -> usize {
        super::MAIL_CLIENTS
    }

    fn hand_in(&self, letter: &Letter) -> io::Result<()> {
        let Letter { client, host, sender, content, .. } = letter;
        let head = format!(
            "POST /checkv2 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nIP: {client}\r\nHelo: {host}\r\n\
             Hostname: {host}\r\nFrom: {sender}\r\nRcpt: user@{RECIPIENT_DOMAIN}\r\nContent-Length: {}\r\n\r\n",
            content.len()
        );
        let answer = ask(self.rspamd.scanner, &[head.as_bytes(), content].concat())?;
        if !answer.starts_with("HTTP/1.1 200") || !answer.contains("\"action\":") {
            return Err(io::Error::other(format!("Rspamd answers: {answer}")));
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
        vec![self.rspamd.daemon.id()]
    }

    fn proofs(&self) -> &'static [&'static str] {
        PROOFS
    }

    fn said(&self) -> String {
        self.last.lock().expect("nobody panics").clone()
    }
}

/// A Postfix that takes mail, asks Rspamd as milter, queues the mail and passes it on.
pub(super) struct Behind<'r> {
    rspamd: &'r Rspamd,
    postfix: Postfix,
    _sink: SmtpSink,
}

impl<'r> Behind<'r> {
    pub(super) fn start(rspamd: &'r Rspamd) -> io::Result<Self> {
        let sink = SmtpSink::start()?;
        let milter = rspamd.milter;
        let postfix = Settings::new()
            .relay_to(sink.address())
            .parameter("relay_domains", RECIPIENT_DOMAIN)
            .parameter("smtpd_milters", &format!("inet:{}:{}", milter.ip(), milter.port()))
            .parameter("milter_default_action", "tempfail")
            // Its look-ups go to the name servers of the machine.
            .parameter("smtpd_peername_lookup", "no")
            .at_listener("smtpd_upstream_proxy_protocol", "haproxy")
            .start()?;
        Ok(Self { rspamd, postfix, _sink: sink })
    }
}

impl Checker for Behind<'_> {
    fn name(&self) -> &'static str {
        "Postfix with Rspamd"
    }

    fn clients(&self) -> usize {
        super::MAIL_CLIENTS
    }

    fn hand_in(&self, letter: &Letter) -> io::Result<()> {
        by_smtp(self.postfix.address(), letter)
    }

    fn settle(&self) -> io::Result<()> {
        crate::bench::contestant::drained(|| self.postfix.queued() == 0)
    }

    fn processes(&self) -> Vec<u32> {
        self.postfix.master().into_iter().chain([self.rspamd.daemon.id()]).collect()
    }

    fn proofs(&self) -> &'static [&'static str] {
        PROOFS
    }

    fn said(&self) -> String {
        let said = self.rspamd.said();
        said.lines().filter(|line| line.contains("(rspamd_proxy)")).collect()
    }
}

const PROOFS: &[&str] = &["R_SPF_ALLOW", "R_DKIM_ALLOW", "DMARC_POLICY_ALLOW"];

/// As many as there are processors.
const PROCESSES: usize = 2;

const LOADED: &str = "full hyperscan database";
