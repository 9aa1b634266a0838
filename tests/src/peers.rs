//! Programs of other people that speak SMTP with us: Postfix's `smtp-sink` and `smtp-source`, swaks,
//! msmtp, gsasl, curl and Python's smtplib.
//!
//! Each runs as a process and gives back what it printed; what that should say is the test's part.

use std::{
    io::{self, Read, Write as _},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Child, Command, Output, Stdio},
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use crate::{certificates::Certificate, free_address, installation::feed, tools, wait};

/// What a peer printed and whether it was content.
#[derive(Clone, Debug)]
pub struct Said {
    /// Whether the program ended with status 0.
    pub content: bool,
    /// The status it ended with; `None` if a signal ended it.
    pub status: Option<i32>,
    /// Standard output, then standard error.
    pub text: String,
}

impl Said {
    pub(crate) fn from_output(output: &Output) -> Self {
        let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.push_str(&String::from_utf8_lossy(&output.stderr));
        Self { content: output.status.success(), status: output.status.code(), text }
    }

    /// The text, if the program was content.
    ///
    /// # Panics
    /// With the text, if it was not.
    #[must_use]
    pub fn expect_content(self) -> String {
        assert!(self.content, "the peer was not content:\n{}", self.text);
        self.text
    }

    /// The text, if the program was not content.
    ///
    /// # Panics
    /// With the text, if it was.
    #[must_use]
    pub fn expect_refused(self) -> String {
        assert!(!self.content, "the peer was content:\n{}", self.text);
        self.text
    }
}

/// Runs `swaks` against a server. `arguments` are what a person would write after the server's name.
///
/// # Errors
/// If the program cannot be started.
pub fn swaks(server: SocketAddr, arguments: &[&str]) -> io::Result<Said> {
    let output = command("swaks")
        .arg("--server")
        .arg(format!("{}:{}", server.ip(), server.port()))
        .args(["--helo", "swaks.test.example", "--timeout", "30s"])
        .args(arguments)
        .output()?;
    Ok(Said::from_output(&output))
}

/// Sends a mail with `msmtp`, logged in by this mechanism in its spelling, `scram-sha-256`, over
/// STARTTLS.
///
/// # Errors
/// If the program cannot be started.
pub fn msmtp(server: SocketAddr, mechanism: &str, user: &str, password: &str) -> io::Result<Said> {
    msmtp_with(
        server,
        &[
            &format!("--auth={mechanism}"),
            &format!("--user={user}"),
            &format!("--passwordeval=echo '{password}'"),
        ],
    )
}

/// Sends a mail with `msmtp`, logged in by its certificate, over STARTTLS. It has to be told its
/// name: without one it takes the empty challenge for the end.
///
/// # Errors
/// If the program cannot be started.
pub fn msmtp_certified(
    server: SocketAddr,
    certificate: &Certificate,
    user: &str,
) -> io::Result<Said> {
    msmtp_with(
        server,
        &[
            "--auth=external",
            &format!("--user={user}"),
            &format!("--tls-cert-file={}", certificate.file.display()),
            &format!("--tls-key-file={}", certificate.key.display()),
        ],
    )
}

fn msmtp_with(server: SocketAddr, log_in: &[&str]) -> io::Result<Said> {
    let mut child = command("msmtp")
        .args(["--file=/dev/null", "--tls=on", "--tls-certcheck=off", "--timeout=30", "--debug"])
        .arg(format!("--host={}", server.ip()))
        .arg(format!("--port={}", server.port()))
        .args(log_in)
        .args(["--from=a@own.example", "c@other.example"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut stdin = child.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
    stdin.write_all(b"Subject: by msmtp\r\n\r\ntext\r\n")?;
    drop(stdin);
    Ok(Said::from_output(&child.wait_with_output()?))
}

/// Logs in with `gsasl` and leaves: in clear, or over STARTTLS if it is given a certificate to
/// believe, which has to be for `localhost`.
///
/// # Errors
/// If the program cannot be started.
pub fn gsasl(
    server: SocketAddr,
    certificate: Option<&Path>,
    mechanism: &str,
    user: &str,
    password: &str,
) -> io::Result<Said> {
    let mut gsasl = command("gsasl");
    match certificate {
        None => gsasl.arg("--no-starttls"),
        Some(file) => gsasl.arg("--starttls").arg(format!("--x509-ca-file={}", file.display())),
    };
    let output = gsasl
        .args(["--smtp", "--verbose"])
        .arg(format!("--connect=localhost:{}", server.port()))
        .arg(format!("--mechanism={mechanism}"))
        .arg(format!("--authentication-id={user}"))
        .arg(format!("--password={password}"))
        .stdin(Stdio::null())
        .output()?;
    Ok(Said::from_output(&output))
}

/// Logs in with `gsasl` by its certificate and leaves, over STARTTLS. The server's certificate must
/// be one of `authority` for `localhost`. An empty `acting_as` leaves the name to the server.
///
/// # Errors
/// If the program cannot be started.
pub fn gsasl_certified(
    server: SocketAddr,
    authority: &Path,
    certificate: &Certificate,
    acting_as: &str,
) -> io::Result<Said> {
    let output = command("gsasl")
        .args(["--smtp", "--verbose", "--starttls", "--mechanism=EXTERNAL"])
        .arg(format!("--connect=localhost:{}", server.port()))
        .arg(format!("--x509-ca-file={}", authority.display()))
        .arg(format!("--x509-cert-file={}", certificate.file.display()))
        .arg(format!("--x509-key-file={}", certificate.key.display()))
        .arg(format!("--authorization-id={acting_as}"))
        .stdin(Stdio::null())
        .output()?;
    Ok(Said::from_output(&output))
}

/// Sends a mail with `curl`, logged in by this mechanism, over STARTTLS. The server's certificate
/// must be one of `authority` for `localhost`. `secret` is a token for the mechanisms that take
/// tokens, and else a password.
///
/// # Errors
/// If the program cannot be started.
pub fn curl(
    server: SocketAddr,
    authority: &Path,
    mechanism: &str,
    user: &str,
    secret: &str,
) -> io::Result<Said> {
    let mut curl = command("curl");
    curl.args(["--silent", "--show-error", "--verbose", "--max-time", "30", "--noproxy", "*"]);
    match mechanism {
        "OAUTHBEARER" | "XOAUTH2" => curl.args(["--user", user, "--oauth2-bearer", secret]),
        _ => curl.arg("--user").arg(format!("{user}:{secret}")),
    };
    curl.arg("--ssl-reqd")
        .arg("--cacert")
        .arg(authority)
        .args(["--login-options", &format!("AUTH={mechanism}")])
        .args(["--mail-from", "a@own.example", "--mail-rcpt", "c@other.example"])
        .args(["--upload-file", "-"])
        .arg(format!("smtp://localhost:{}/client.example", server.port()));
    feed(&mut curl, "Subject: by curl\r\n\r\ntext\r\n")
}

/// Runs Postfix's `smtp-source` against a server.
///
/// # Errors
/// If the program cannot be started.
pub fn smtp_source(server: SocketAddr, arguments: &[&str]) -> io::Result<Said> {
    let output = command("smtp-source").args(arguments).arg(endpoint(server)).output()?;
    Ok(Said::from_output(&output))
}

/// Runs a Python program. It finds `smtplib`, `ssl`, `HOST` and `PORT` defined.
///
/// # Errors
/// If Python cannot be started.
pub fn python(server: SocketAddr, program: &str) -> io::Result<Said> {
    let (host, port) = (server.ip().to_string(), server.port());
    let head = format!("import smtplib, ssl\nHOST = {host:?}\nPORT = {port}\n");
    let mut child = command("python3")
        .args(["-I", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut stdin = child.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
    stdin.write_all(head.as_bytes())?;
    stdin.write_all(program.as_bytes())?;
    drop(stdin);
    Ok(Said::from_output(&child.wait_with_output()?))
}

/// A running `smtp-sink`: takes every mail, keeps none, counts them.
#[derive(Debug)]
pub struct SmtpSink {
    child: Child,
    address: SocketAddr,
    count: Arc<Count>,
}

impl SmtpSink {
    /// Starts one on a port of its own and returns when it answers.
    ///
    /// # Errors
    /// If the program cannot be started or does not begin to listen.
    pub fn start() -> io::Result<Self> {
        Self::start_with(&[])
    }

    /// As [`SmtpSink::start`], with more arguments of smtp-sink(1).
    ///
    /// # Errors
    /// If the program cannot be started or does not begin to listen.
    pub fn start_with(arguments: &[&str]) -> io::Result<Self> {
        let address = free_address()?;
        let mut command = command("smtp-sink");
        // It refuses to stay root. -c prints a line of counters after every mail.
        if rustix::process::geteuid().is_root() {
            command.args(["-u", "nobody"]);
        }
        let mut child = command
            .arg("-c")
            .args(arguments)
            .arg(endpoint(address))
            .arg(BACKLOG)
            .stdout(Stdio::piped())
            .spawn()?;
        let printed = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let count = Arc::new(Count::default());
        let counted = Arc::clone(&count);
        std::thread::spawn(move || counted.follow(printed));
        let sink = Self { child, address, count };
        wait::within(wait::PATIENCE, || TcpStream::connect(address).ok())
            .ok_or_else(|| io::Error::other("smtp-sink does not listen"))?;
        Ok(sink)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many mails it has taken.
    #[must_use]
    pub fn taken(&self) -> u64 {
        self.count.mails.load(Ordering::Acquire)
    }

    /// Waits until it has taken `mails` in all, and returns when that was; `None` if no further
    /// mail came for `patience`.
    #[must_use]
    pub fn wait_taken(&self, mails: u64, patience: Duration) -> Option<Instant> {
        self.count.wait(mails, patience)
    }
}

impl Drop for SmtpSink {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The mails an smtp-sink has taken, as its counters say: `sess=1 quit=1 mesg=1` and a CR.
#[derive(Debug, Default)]
struct Count {
    mails: AtomicU64,
    changed: Condvar,
    guard: Mutex<()>,
}

impl Count {
    fn follow(&self, mut printed: impl Read) {
        let mut line = Vec::new();
        let mut buffer = [0; 64 * 1024];
        while let Ok(length @ 1..) = printed.read(&mut buffer) {
            line.extend_from_slice(&buffer[..length]);
            let Some(end) = line.iter().rposition(|byte| *byte == b'\r') else { continue };
            if let Some(mails) = last_count(&line[..end]) {
                self.mails.store(mails, Ordering::Release);
                drop(self.guard.lock());
                self.changed.notify_all();
            }
            line.drain(..=end);
        }
    }

    fn wait(&self, mails: u64, patience: Duration) -> Option<Instant> {
        let mut guard = self.guard.lock().ok()?;
        loop {
            let seen = self.mails.load(Ordering::Acquire);
            if seen >= mails {
                return Some(Instant::now());
            }
            let (next, waited) = self.changed.wait_timeout(guard, patience).ok()?;
            guard = next;
            if waited.timed_out() && self.mails.load(Ordering::Acquire) == seen {
                return None;
            }
        }
    }
}

fn last_count(printed: &[u8]) -> Option<u64> {
    let text = String::from_utf8_lossy(printed);
    text.rsplit("mesg=").next()?.trim().parse().ok()
}

fn command(name: &str) -> Command {
    Command::new(tools::find(name).unwrap_or_else(|| name.into()))
}

fn endpoint(address: SocketAddr) -> String {
    format!("{}:{}", address.ip(), address.port())
}

const BACKLOG: &str = "256";
