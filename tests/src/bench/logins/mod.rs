//! Log-ins: how many a second, what they cost others, and what their time tells a stranger.

mod client;
mod scram;

use std::{
    fs, io,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use mailweir_test_servers::Dovecot;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};

use self::{client::Client, scram::Keys};
use super::figures::{Figure, Pair};
use crate::{
    installation::{Installation, Plan},
    postfix::{Postfix, Settings},
};

/// Runs all rows for about `seconds` each; `rounds` of those that have a contestant.
///
/// # Errors
/// If a server cannot be started, or refuses what it should take.
pub fn run(rounds: usize, seconds: f64, progress: &mut dyn FnMut(&str)) -> io::Result<Report> {
    let time = Duration::from_secs_f64(seconds);
    let place = tempfile::tempdir()?;
    let certificate = Certificate::write(place.path())?;
    let scram = (0..rounds).map(|_| scram_rate(time)).collect::<io::Result<Vec<_>>>()?;
    let scram = Figure::of("SCRAM-SHA-256 log-ins", "a second", scram, "at least 3,000");
    progress(&scram.to_string());
    let (mut theirs, mut ours) = (Vec::new(), Vec::new());
    for round in 1..=rounds {
        theirs.push(postfix_submissions(&certificate, time)?);
        ours.push(our_submissions(&certificate, time)?);
        let (theirs, ours) = (theirs.last().unwrap_or(&0.0), ours.last().unwrap_or(&0.0));
        progress(&format!(
            "submission {round}/{rounds}:  Postfix {theirs:.0}/s  Mailweir {ours:.0}/s"
        ));
    }
    let submission = Pair::new("submission", theirs, Some(ours));
    let guesses = under_guessing(time, progress)?;
    let timing = known_and_unknown(progress)?;
    Ok(Report { scram, submission, alone: [guesses, timing].concat() })
}

/// The figures of a run.
#[derive(Clone, Debug)]
pub struct Report {
    /// Log-ins by SCRAM, each on a connection of its own, without TLS.
    pub scram: Figure,
    /// One mail on one connection: STARTTLS with a full handshake, AUTH PLAIN against the same
    /// Dovecot, MAIL to the end of data, QUIT.
    pub submission: Pair,
    /// What others notice of guessing, and what its time tells.
    pub alone: Vec<Figure>,
}

impl Report {
    /// The table for people.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text =
            format!("{:34} {:>10} {:>10} {:>8}  wanted\n", "", "Postfix", "Mailweir", "ratio");
        text += &self.submission.line("TLS submission, mails/s (median)", "");
        text += &self.scram.line();
        self.alone.iter().for_each(|figure| text += &figure.line());
        text
    }

    /// The same figures with every round, one JSON object per line.
    #[must_use]
    pub fn json_lines(&self) -> String {
        let alone: String = self.alone.iter().map(Figure::json).collect();
        self.scram.json() + &self.submission.json() + &alone
    }
}

fn scram_rate(time: Duration) -> io::Result<f64> {
    let gateway = plan().listener("in", IN_CLEAR).user("ann", PASSWORD).start();
    let server = gateway.at("in");
    rate(time, |worker, turn, keys: &mut Option<Keys>| {
        let keys = keys.get_or_insert_with(|| Keys::new("ann", PASSWORD));
        let mut client = Client::connect(server, Ipv4Addr::UNSPECIFIED)?;
        client.scram(keys, &format!("nonce{worker}x{turn}"))?;
        client.quit()
    })
}

fn postfix_submissions(certificate: &Certificate, time: Duration) -> io::Result<f64> {
    let dovecot = Dovecot::with_users(&[("ann", PASSWORD)]);
    let postfix: Postfix = Settings::new()
        .relay_to(crate::free_address()?)
        .parameter("smtpd_tls_chain_files", &certificate.chain())
        .parameter("smtpd_tls_security_level", "may")
        .parameter("smtpd_tls_auth_only", "yes")
        .parameter("smtpd_sasl_auth_enable", "yes")
        .parameter("smtpd_sasl_type", "dovecot")
        .parameter("smtpd_sasl_path", &format!("inet:{}", dovecot.address()))
        .start()?;
    submissions(postfix.address(), certificate, time)
}

fn our_submissions(certificate: &Certificate, time: Duration) -> io::Result<f64> {
    let dovecot = Dovecot::with_users(&[("ann", PASSWORD)]);
    let nowhere = crate::free_address()?;
    let gateway = plan()
        .listener("in", "mode = \"submission\"\ntls = \"required\"")
        .next_hop(nowhere)
        .section(&certificate.section())
        // Asked for every log-in, as Postfix does.
        .section(&format!(
            "[[auth.backend]]\ntype = \"dovecot\"\nsocket = \"{}\"\ncache_ttl = \"0s\"",
            dovecot.address()
        ))
        .start();
    submissions(gateway.at("in"), certificate, time)
}

fn submissions(server: SocketAddr, certificate: &Certificate, time: Duration) -> io::Result<f64> {
    let tls = certificate.client()?;
    rate(time, |_, _, _: &mut ()| {
        let mut client = Client::connect(server, Ipv4Addr::UNSPECIFIED)?.start_tls(&tls)?;
        let reply = client.plain("ann", PASSWORD)?;
        if !reply.starts_with("235") {
            return Err(io::Error::other(reply));
        }
        client.mail("ann@own.example", MAIL)?;
        client.quit()
    })
}

/// What a session of a trusted peer takes while strangers guess as fast as they can, and before.
fn under_guessing(time: Duration, progress: &mut dyn FnMut(&str)) -> io::Result<Vec<Figure>> {
    let gateway = plan()
        .listener("relay", "mode = \"mx\"\ntls = \"none\"\nnetworks = [\"127.0.0.1/32\"]")
        .listener("in", IN_CLEAR)
        .next_hop(crate::free_address()?)
        .user("ann", PASSWORD)
        .start();
    let before = p99(&sessions(gateway.at("relay"), time)?);
    let stop = AtomicBool::new(false);
    let tried = AtomicU32::new(0);
    let during = thread::scope(|scope| {
        for worker in 0..GUESSERS {
            let (server, stop, tried) = (gateway.at("in"), &stop, &tried);
            scope.spawn(move || {
                for turn in 0_u32.. {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let guess = worker * 1_000_000 + turn;
                    if guess_once(server, guess, &format!("nobody{guess}")).is_ok() {
                        tried.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
        let during = sessions(gateway.at("relay"), time);
        stop.store(true, Ordering::Relaxed);
        during
    })?;
    let during = p99(&during);
    let tried = f64::from(tried.into_inner()) / time.as_secs_f64();
    progress(&format!(
        "under guessing: p99 of a relayed mail {:.1} ms before, {:.1} ms during {tried:.0} guesses a second",
        millis(before),
        millis(during)
    ));
    let growth = millis(during) - millis(before);
    Ok(vec![
        Figure::once("p99 of others before guessing", "ms", millis(before), ""),
        Figure::once("growth of p99 under guessing", "ms", growth, "under 50"),
    ])
}

/// The time of each of many sessions with one mail, one after the other on two connections' worth
/// of clients.
fn sessions(server: SocketAddr, time: Duration) -> io::Result<Vec<Duration>> {
    let end = Instant::now() + time;
    let mut times = Vec::new();
    while Instant::now() < end {
        let start = Instant::now();
        let mut client = Client::connect(server, Ipv4Addr::UNSPECIFIED)?;
        client.mail("someone@own.example", MAIL)?;
        client.quit()?;
        times.push(start.elapsed());
    }
    Ok(times)
}

/// Wrong passwords for users that exist and for names that nobody has, in turn.
fn known_and_unknown(progress: &mut dyn FnMut(&str)) -> io::Result<Vec<Figure>> {
    let gateway = plan().listener("in", IN_CLEAR).user("known0", PASSWORD).start();
    let known = TRIES / TRIES_OF_ONE;
    copy_user(&gateway, known)?;
    let (mut of_known, mut of_unknown) = (Vec::new(), Vec::new());
    for turn in 0..TRIES {
        let account = turn % known;
        let guess = |guess, name: &str| -> io::Result<Duration> {
            guess_once(gateway.at("in"), guess, name)
        };
        of_known.push(guess(2 * turn, &format!("known{account}"))?);
        of_unknown.push(guess(2 * turn + 1, &format!("nobody{account}"))?);
    }
    let (known, unknown) = (millis(median(&of_known)), millis(median(&of_unknown)));
    progress(&format!(
        "{TRIES} wrong passwords each: median {known:.3} ms for a known user, {unknown:.3} ms for an unknown one"
    ));
    let apart = (known - unknown).abs();
    Ok(vec![Figure::once("known and unknown user apart", "ms", apart, "under 1")])
}

/// The time of one wrong password, from an address that has guessed little before.
fn guess_once(server: SocketAddr, guess: u32, user: &str) -> io::Result<Duration> {
    let address = guess / GUESSES_OF_ONE + 1;
    let [_, b, c, d] = address.to_be_bytes();
    let mut client = Client::connect(server, Ipv4Addr::new(127, b.wrapping_add(1), c, d))?;
    let start = Instant::now();
    let reply = client.plain(user, "not this one")?;
    let time = start.elapsed();
    match reply.starts_with("535") || reply.starts_with("454") {
        true => Ok(time),
        false => Err(io::Error::other(reply)),
    }
}

/// The same password for many names: adding each by the program would take minutes.
fn copy_user(gateway: &Installation, names: u32) -> io::Result<()> {
    let file = gateway.data_dir().join("users");
    let text = fs::read_to_string(&file)?;
    let (_, secret) = text.trim_end().split_once(':').ok_or(io::ErrorKind::InvalidData)?;
    let lines: String = (0..names).map(|name| format!("known{name}:{secret}\n")).collect();
    fs::write(&file, lines)?;
    // The file is looked at once a second.
    crate::wait::pause(Duration::from_millis(1_100));
    Ok(())
}

/// How often a second `session` can be had, by as many clients at a time as keep the server busy.
fn rate<T: Default>(
    time: Duration,
    session: impl Fn(u32, u32, &mut T) -> io::Result<()> + Sync,
) -> io::Result<f64> {
    let failed = Mutex::new(None);
    let done = AtomicU32::new(0);
    let start = Instant::now();
    thread::scope(|scope| {
        for worker in 0..CLIENTS {
            let (session, failed, done) = (&session, &failed, &done);
            scope.spawn(move || {
                let mut own = T::default();
                for turn in 0.. {
                    if start.elapsed() >= time {
                        break;
                    }
                    match session(worker, turn, &mut own) {
                        Ok(()) => drop(done.fetch_add(1, Ordering::Relaxed)),
                        Err(error) => return *failed.lock().expect("no panic") = Some(error),
                    }
                }
            });
        }
    });
    match failed.into_inner().expect("no panic") {
        Some(error) => Err(error),
        None => Ok(f64::from(done.into_inner()) / start.elapsed().as_secs_f64()),
    }
}

fn plan() -> Plan {
    Plan::new().expect("a program").section("[limits]\nclient_connection_count_limit = 0")
}

fn p99(times: &[Duration]) -> Duration {
    sorted(times).get(times.len() * 99 / 100).copied().unwrap_or_default()
}

fn median(times: &[Duration]) -> Duration {
    sorted(times).get(times.len() / 2).copied().unwrap_or_default()
}

fn sorted(times: &[Duration]) -> Vec<Duration> {
    let mut times = times.to_vec();
    times.sort();
    times
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// A certificate that both servers show and the client trusts.
struct Certificate {
    certificate: String,
    key: String,
}

impl Certificate {
    fn write(place: &Path) -> io::Result<Self> {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()])
            .map_err(io::Error::other)?;
        let path = |name: &str| place.join(name).display().to_string();
        let this = Self { certificate: path("cert.pem"), key: path("key.pem") };
        fs::write(&this.certificate, made.cert.pem())?;
        fs::write(&this.key, made.signing_key.serialize_pem())?;
        Ok(this)
    }

    fn chain(&self) -> String {
        format!("{} {}", self.key, self.certificate)
    }

    fn section(&self) -> String {
        let Self { certificate, key } = self;
        format!("[tls]\ncertificate_file = \"{certificate}\"\nkey_file = \"{key}\"")
    }

    /// Without a memory of sessions: every handshake is a full one.
    fn client(&self) -> io::Result<Arc<ClientConfig>> {
        let mut roots = RootCertStore::empty();
        let certificate =
            CertificateDer::from_pem_file(&self.certificate).map_err(io::Error::other)?;
        roots.add(certificate).map_err(io::Error::other)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.resumption = rustls::client::Resumption::disabled();
        Ok(Arc::new(config))
    }
}

const IN_CLEAR: &str = "mode = \"submission\"\ntls = \"none\"\nauth_in_clear = true";
const PASSWORD: &str = "correct horse battery";
const MAIL: &str = "From: ann@own.example\r\nTo: anybody@elsewhere.example\r\nSubject: bench\r\n\r\n\
A line of text.\r\n.";
const CLIENTS: u32 = 16;
const GUESSERS: u32 = 40;
/// Below what an address and an account have for free.
const GUESSES_OF_ONE: u32 = 10;
const TRIES: u32 = 2_000;
const TRIES_OF_ONE: u32 = 10;
