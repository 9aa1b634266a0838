//! A mail over one connection, to all of its recipients or to nobody.
//!
//! A program that is told of a failure sends the mail again, or gives it back to its sender: whoever had got it by then
//! would get it twice, or be named as one who did not.

use std::{
    io::{self, Read, Write as _},
    net::{Shutdown, TcpStream},
    sync::Arc,
    thread,
    time::Duration,
};

use mailweir_mail::{Domain, Enhanced, Reply};
use mailweir_smtp::client::{
    AtOnce, Attempt, Client, Encoder, Loss, Outgoing, Settings, Step, TlsPolicy,
};

use super::{
    at_once,
    stream::{READ_BUFFER, Stream, is_time_out},
};
use crate::clock;

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
    if matches!(stream, Stream::Local(_)) && AtOnce::suits(&mail) {
        return at_once::send(stream, to, &hostname, &mail, content).map(|attempt| vec![attempt]);
    }
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
            stream.hear_last_words(|words| self.client.receive(words));
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

/// What those are put off with whom the server would have taken.
pub(super) const NOT_FOR_ALL: Reply =
    Reply::new(450, Enhanced(4, 3, 0), "not sent, since the server does not take all recipients");

const UNREADABLE: Reply = Reply::new(451, Enhanced(4, 3, 0), "the mail cannot be read");

/// For the steps that have no deadline.
const PATIENCE: Duration = Duration::from_secs(600);

/// Content is sent in pieces of about this size.
const WRITE_BUFFER: usize = 64 << 10;
