//! A mail over one connection, to all of its recipients or to nobody.
//!
//! A program that is told of a failure sends the mail again, or gives it back to its sender: whoever had got it by then
//! would get it twice, or be named as one who did not.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpStream, ToSocketAddrs as _},
    os::unix::net::UnixStream,
    sync::Arc,
    thread,
    time::Duration,
};

use mailweir_mail::{Domain, Enhanced, Reply};
use mailweir_smtp::client::{Attempt, Client, Encoder, Loss, Outgoing, Settings, Step, TlsPolicy};

use crate::{clock, ways_back::Directions};

/// Connects to the first address of `HOST:PORT` that answers.
pub(super) fn connect(to: &str) -> io::Result<TcpStream> {
    let mut last = io::ErrorKind::AddrNotAvailable.into();
    for address in to.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, CONNECT_TIMEOUT) {
            Ok(stream) => {
                // Without it the kernel waits for more to send; failing to set it costs time only.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// A connection to a server.
pub(super) enum Stream {
    Tcp(TcpStream),
    /// To a server on this machine.
    Local(UnixStream),
}

impl Stream {
    /// Connects by the `way_back`, or else as [`connect`] does.
    pub(super) fn connect(to: &str, way_back: Option<&Directions>) -> io::Result<Self> {
        let local = way_back.and_then(|way_back| way_back.connect().ok());
        local.map_or_else(|| connect(to).map(Self::Tcp), |local| Ok(Self::Local(local)))
    }

    fn set_read_timeout(&self, limit: Duration) -> io::Result<()> {
        match self {
            Self::Tcp(tcp) => tcp.set_read_timeout(Some(limit)),
            Self::Local(local) => local.set_read_timeout(Some(limit)),
        }
    }

    fn set_write_timeout(&self, limit: Duration) -> io::Result<()> {
        match self {
            Self::Tcp(tcp) => tcp.set_write_timeout(Some(limit)),
            Self::Local(local) => local.set_write_timeout(Some(limit)),
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(tcp) => tcp.read(buffer),
            Self::Local(local) => local.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(tcp) => tcp.write(bytes),
            Self::Local(local) => local.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Sends one mail and returns one outcome per recipient, in the order of the envelope. If one is refused, nobody gets it.
///
/// # Errors
/// If the content cannot be read. Nobody gets it then.
pub(super) fn send(
    stream: Stream,
    to: &str,
    hostname: Domain,
    mail: Outgoing,
    content: impl Read,
) -> io::Result<Vec<Attempt>> {
    let settings = Settings { tls: TlsPolicy::None, ..Settings::new(hostname) };
    let recipients = mail.indices().len();
    let mut conversation = Conversation {
        client: Client::new(Arc::new(settings), to, clock::monotonic()),
        stream: Some(stream),
        output: Vec::new(),
        content,
        unreadable: None,
    };
    let attempts = conversation.run(mail, recipients);
    conversation.unreadable.map_or(Ok(attempts), Err)
}

/// Passes bytes between this program's input and output and a server, until the server is done.
pub(super) fn pass(
    mut stream: &TcpStream,
    mut input: impl Read + Send + 'static,
) -> io::Result<()> {
    let mut up = stream.try_clone()?;
    thread::spawn(move || {
        // Whatever went wrong, the server hears that nothing follows.
        let _ = io::copy(&mut input, &mut up);
        let _ = up.shutdown(Shutdown::Write);
    });
    let mut out = io::stdout().lock();
    let mut buffer = vec![0; READ_BUFFER];
    loop {
        let length = stream.read(&mut buffer)?;
        if length == 0 {
            return Ok(());
        }
        out.write_all(&buffer[..length])?;
        out.flush()?;
    }
}

struct Conversation<C> {
    client: Client,
    /// `None` once nothing may follow what was written.
    stream: Option<Stream>,
    output: Vec<u8>,
    content: C,
    unreadable: Option<io::Error>,
}

impl<C: Read> Conversation<C> {
    fn run(&mut self, mail: Outgoing, recipients: usize) -> Vec<Attempt> {
        let mut mail = Some(mail);
        let mut outcome = None;
        loop {
            match self.client.next(clock::monotonic()) {
                Step::Write(bytes) => self.output.extend_from_slice(bytes),
                Step::Read => self.read(),
                Step::StartTls => self.client.tls_failed("TLS was not asked for"),
                Step::Content => self.stream_content(),
                Step::Finished(attempts) => outcome = Some(attempts),
                // The step behind says why.
                Step::Returned => {}
                Step::Ready => match mail.take() {
                    // A mail that is not taken stays without an outcome, and the connection is over.
                    Some(mail) => drop(self.client.begin(mail)),
                    None => self.client.quit(),
                },
                Step::Close(closed) => {
                    let attempt = closed.attempt();
                    self.flush();
                    return outcome.unwrap_or_else(|| vec![attempt; recipients]);
                }
            }
        }
    }

    fn read(&mut self) {
        self.flush();
        let mut buffer = [0; READ_BUFFER];
        match self.read_some(&mut buffer) {
            Ok(0) => self.client.input_closed(Loss::Closed),
            Ok(length) => self.client.receive(&buffer[..length]),
            Err(error) if is_time_out(&error) => self.client.expire(clock::monotonic()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => self.lose(&error),
        }
    }

    fn read_some(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let patience = self.patience();
        let stream = self.stream.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        stream.set_read_timeout(patience)?;
        stream.read(buffer)
    }

    /// How long the server may take. Never zero, which would mean for ever.
    fn patience(&self) -> Duration {
        let left =
            self.client.deadline().map(|at| at.saturating_duration_since(clock::monotonic()));
        left.unwrap_or(PATIENCE).max(Duration::from_millis(1))
    }

    fn stream_content(&mut self) {
        if !self.client.is_for_all() {
            self.stream = None;
            return self.client.content_failed(NOT_FOR_ALL);
        }
        let mut encoder = Encoder::new();
        let mut chunk = vec![0; WRITE_BUFFER];
        loop {
            let length = match self.content.read(&mut chunk) {
                Ok(0) => break,
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    self.unreadable = Some(error);
                    self.stream = None;
                    return self.client.content_failed(UNREADABLE);
                }
            };
            encoder.encode_into(&chunk[..length], &mut self.output);
            if !self.write_content() {
                return;
            }
            self.client.content_progress(clock::monotonic());
        }
        self.output.extend_from_slice(encoder.finish());
        if self.write_content() {
            self.client.content_sent();
        }
    }

    /// Whether all that there is of the content was written. If not, the server may have said why.
    fn write_content(&mut self) -> bool {
        let Err(error) = self.write_out() else { return true };
        if let Some(stream) = &mut self.stream {
            hear_last_words(stream, |words| self.client.receive(words));
        }
        self.give_up(&error);
        false
    }

    fn flush(&mut self) {
        if let Err(error) = self.write_out() {
            self.give_up(&error);
        }
    }

    fn write_out(&mut self) -> io::Result<()> {
        let output = std::mem::take(&mut self.output);
        if output.is_empty() {
            return Ok(());
        }
        let patience = self.patience();
        let stream = self.stream.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        stream.set_write_timeout(patience)?;
        stream.write_all(&output)
    }

    /// Part of what was to be written is on its way and the rest never will be: nothing may follow it.
    fn give_up(&mut self, error: &io::Error) {
        self.output.clear();
        self.stream = None;
        self.lose(error);
    }

    fn lose(&mut self, error: &io::Error) {
        self.client.input_closed(Loss::Failed(error.to_string().into()));
    }
}

/// Passes on what is there or comes soon, up to an end that whoever talks on and on does not put off.
fn hear_last_words(stream: &mut Stream, mut hear: impl FnMut(&[u8])) {
    let mut buffer = [0; READ_BUFFER];
    let end = clock::monotonic() + LAST_WORDS;
    loop {
        let left = end.saturating_duration_since(clock::monotonic());
        if left.is_zero() || stream.set_read_timeout(left).is_err() {
            return;
        }
        match stream.read(&mut buffer) {
            Ok(length @ 1..) => hear(&buffer[..length]),
            Ok(0) | Err(_) => return,
        }
    }
}

fn is_time_out(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

/// What those are put off with whom the server would have taken.
pub(super) const NOT_FOR_ALL: Reply =
    Reply::new(450, Enhanced(4, 3, 0), "not sent, since the server does not take all recipients");

const UNREADABLE: Reply = Reply::new(451, Enhanced(4, 3, 0), "the mail cannot be read");

const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// Longer than any of the client's own deadlines.
const PATIENCE: Duration = Duration::from_secs(600);

/// What a server said before it stopped reading is there at once.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// Replies are short.
const READ_BUFFER: usize = 4 << 10;

/// Content is sent in pieces of about this size.
const WRITE_BUFFER: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn last_words_have_an_end_though_the_server_talks_on() {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut stream = Stream::connect(&server.local_addr().unwrap().to_string(), None).unwrap();
        let (mut peer, _) = server.accept().unwrap();
        peer.write_all(b"554 5.7.1 no\r\n").unwrap();
        let talking = thread::spawn(move || while peer.write_all(b"554-").is_ok() {});
        let mut heard = Vec::new();
        hear_last_words(&mut stream, |words| {
            if heard.len() < READ_BUFFER {
                heard.extend_from_slice(words);
            }
        });
        assert!(heard.starts_with(b"554 5.7.1 no\r\n"), "{}", heard.escape_ascii());
        drop(stream);
        talking.join().unwrap();
    }
}
