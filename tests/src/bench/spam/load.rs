//! Mail after mail to a server that checks it, by as many clients as keep it busy.

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use super::mails::{Letter, RECIPIENT_DOMAIN};

/// How many mails were answered, and in how many seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Done {
    pub(super) mails: usize,
    pub(super) seconds: f64,
}

/// The mails in turn, for so long; `next` says which comes first, and goes on in the round after.
pub(super) fn load(
    letters: &[Letter],
    next: &AtomicUsize,
    clients: usize,
    time: Duration,
    hand_in: impl Fn(&Letter) -> io::Result<()> + Sync,
) -> io::Result<Done> {
    let (done, failed) = (AtomicUsize::new(0), Mutex::new(None));
    let started = Instant::now();
    let client = || {
        while started.elapsed() < time && failed.lock().is_ok_and(|failed| failed.is_none()) {
            let number = next.fetch_add(1, Ordering::Relaxed) % letters.len();
            match hand_in(&letters[number]) {
                Ok(()) => drop(done.fetch_add(1, Ordering::Relaxed)),
                Err(error) => *failed.lock().expect("no client panics") = Some(error),
            }
        }
    };
    thread::scope(|scope| (0..clients).for_each(|_| drop(scope.spawn(client))));
    let seconds = started.elapsed().as_secs_f64();
    match failed.into_inner().expect("no client panics") {
        Some(error) => Err(error),
        None => Ok(Done { mails: done.into_inner(), seconds }),
    }
}

/// By SMTP behind a PROXY header, so that the server takes the client for the stranger it is. Returns when the mail is
/// acknowledged.
pub(super) fn by_smtp(server: SocketAddr, letter: &Letter) -> io::Result<()> {
    let stream = connect(server)?;
    let mut replies = BufReader::new(&stream);
    let mut say = |text: &[u8], codes: &[&str]| -> io::Result<()> {
        (&stream).write_all(text)?;
        codes.iter().try_for_each(|code| expect(&mut replies, code))
    };
    let Letter { client, host, sender, content, .. } = letter;
    say(proxied(*client).as_bytes(), &["220"])?;
    say(format!("EHLO {host}\r\n").as_bytes(), &["250"])?;
    let envelope = format!("MAIL FROM:<{sender}>\r\nRCPT TO:<user@{RECIPIENT_DOMAIN}>\r\nDATA\r\n");
    say(envelope.as_bytes(), &["250", "250", "354"])?;
    // No line of the load begins with a dot.
    say(&[content, b".\r\n".as_slice()].concat(), &["250"])?;
    say(b"QUIT\r\n", &["221"])
}

/// Whether a server says 220 behind a PROXY header.
pub(super) fn greets(server: SocketAddr) -> io::Result<()> {
    let stream = connect(server)?;
    (&stream).write_all(proxied(Ipv4Addr::LOCALHOST).as_bytes())?;
    expect(&mut BufReader::new(&stream), "220")
}

fn proxied(client: Ipv4Addr) -> String {
    format!("PROXY TCP4 {client} 192.0.2.254 40000 25\r\n")
}

/// A request that says itself where it ends; everything that comes back until the server closes.
pub(super) fn ask(server: SocketAddr, request: &[u8]) -> io::Result<String> {
    let mut stream = connect(server)?;
    stream.write_all(request)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

fn connect(server: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(server)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// One reply, of as many lines as it has.
fn expect(replies: &mut BufReader<&TcpStream>, code: &str) -> io::Result<()> {
    let mut line = String::new();
    loop {
        line.clear();
        replies.read_line(&mut line)?;
        if !line.starts_with(code) {
            return Err(io::Error::other(format!("{code} expected, and this came: {line}")));
        }
        if line.as_bytes().get(3) != Some(&b'-') {
            return Ok(());
        }
    }
}

const PATIENCE: Duration = Duration::from_secs(60);
