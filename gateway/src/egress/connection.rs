//! A connection to a next hop: moves bytes between a socket and a [`Client`].
//!
//! Knows no command and no reply. What is written is collected and leaves in as few packets as the
//! conversation allows; a large content is streamed piece by piece.

use std::{fmt, io, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::FutureExt;
use mailweir_filters::rewriting::{HeaderRewriter, RewriteError};
use mailweir_mail::{Enhanced, Reply, TlsSummary};
use mailweir_queue::{BodyError, Content, ContentReader};
use mailweir_smtp::client::{
    Attempt, Client, Closed, Encoder, Loss, Outgoing, Settings, Step, TlsPolicy,
};
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    time::{Instant, timeout, timeout_at},
};

use crate::{
    clock,
    rewriting::LiveRewriting,
    tls::{ClientTls, Trust},
    wire::Wire,
};

/// A connection on which the next mail can be sent.
pub(crate) struct Connection {
    wire: Wire,
    client: Client,
    tls: Arc<ClientTls>,
    /// The name that a certificate must bear.
    server: Box<str>,
    trust: Option<Trust>,
    /// What waits to be written.
    output: Vec<u8>,
    relay: Box<str>,
    opened: Instant,
    setup: Duration,
    mails: u32,
}

/// Where a connection goes.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// The name that was looked up; TLS certificates are compared with it.
    pub(crate) name: Box<str>,
    /// The address and port.
    pub(crate) address: SocketAddr,
}

impl fmt::Display for Target {
    /// As Postfix logs a relay: `name[address]:port`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]:{}", self.name, self.address.ip(), self.address.port())
    }
}

impl<'c> From<&'c Content> for Letter<'c> {
    /// The content as it is.
    fn from(content: &'c Content) -> Self {
        Self { content, top: Bytes::new(), headers: None }
    }
}

/// What became of a mail that was given to a connection.
pub(crate) enum Sent {
    /// Each recipient has its outcome, in the order of [`Outgoing::indices`].
    Finished(Vec<Attempt>),
    /// It was not tried; the connection is over.
    Returned(Closed),
    /// Its content cannot be read. The connection is over, the final dot was not sent.
    Unreadable(BodyError),
    /// A table cannot tell how an address in its header looks to others; likewise.
    Unclear(RewriteError),
}

/// A content to send, and what changes its header on the way.
pub(crate) struct Letter<'c> {
    pub(super) content: &'c Content,
    /// What stands above it.
    pub(super) top: Bytes,
    pub(super) headers: Option<(HeaderRewriter, Arc<LiveRewriting>)>,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    /// Nobody answered.
    #[error("{0}")]
    Unreachable(io::Error),
    /// The peer answered and does not want us, or is not what we need.
    #[error("{}", .0.attempt().reply())]
    Refused(Closed),
}

/// What the conversation has come to.
enum Turn {
    Ready,
    Finished(Vec<Attempt>),
    Returned,
    Closed(Closed),
}

impl Connection {
    /// Connects, greets, encrypts and logs in, as the settings say.
    pub(crate) async fn open(
        target: &Target,
        settings: Arc<Settings>,
        tls: Arc<ClientTls>,
    ) -> Result<Self, OpenError> {
        let implicit = settings.tls == TlsPolicy::Implicit;
        let opened = Instant::now();
        let deadline = opened + settings.timeouts.connect;
        let tcp = match timeout_at(deadline, TcpStream::connect(target.address)).await {
            Err(_) => return Err(OpenError::Unreachable(io::ErrorKind::TimedOut.into())),
            Ok(Err(error)) => return Err(OpenError::Unreachable(error)),
            Ok(Ok(tcp)) => tcp,
        };
        // Without it the kernel waits for more to send; failing to set it costs time only.
        let _ = tcp.set_nodelay(true);
        let relay: Box<str> = target.to_string().into();
        let mut connection = Self {
            wire: Wire::Plain(tcp),
            client: Client::new(settings, relay.clone(), clock::monotonic()),
            tls,
            server: target.name.clone(),
            trust: None,
            output: Vec::new(),
            relay,
            opened,
            setup: Duration::ZERO,
            mails: 0,
        };
        if implicit {
            connection.start_tls().await;
        }
        match connection.advance(&mut None).await {
            Turn::Ready => {
                connection.setup = opened.elapsed();
                Ok(connection)
            }
            Turn::Closed(closed) => Err(OpenError::Refused(closed)),
            Turn::Finished(_) | Turn::Returned => Err(OpenError::Refused(Closed::Quit)),
        }
    }

    /// Sends one mail.
    pub(crate) async fn send(&mut self, mail: Outgoing, letter: Letter<'_>) -> Sent {
        if self.begin(mail).is_err() {
            return Sent::Returned(Closed::Quit);
        }
        self.converse(&mut Some(Source::of(letter))).await
    }

    /// Sends one mail, and waits for answers until the deadline. What the peer has said of a recipient by then stands, and the
    /// connection is over.
    pub(super) async fn send_until(
        &mut self,
        deadline: Instant,
        mail: Outgoing,
        letter: Letter<'_>,
    ) -> Sent {
        match timeout_at(deadline, self.send(mail, letter)).await {
            Ok(sent) => sent,
            Err(_) => {
                self.break_off();
                self.client.give_up();
                self.converse(&mut None).await
            }
        }
    }

    /// Goes on until the mail in hand is settled.
    async fn converse(&mut self, source: &mut Option<Source>) -> Sent {
        loop {
            let turn = self.advance(source).await;
            if let Some(trouble) = source.as_mut().and_then(|source| source.trouble.take()) {
                return match trouble {
                    Trouble::Body(error) => Sent::Unreadable(error),
                    Trouble::Header(error) => Sent::Unclear(error),
                };
            }
            match turn {
                Turn::Finished(attempts) => return Sent::Finished(attempts),
                Turn::Closed(closed) => return Sent::Returned(closed),
                // The step behind says why.
                Turn::Returned | Turn::Ready => {}
            }
        }
    }

    /// Asks about a recipient. Without an outcome for it the connection is over.
    pub(super) async fn ask(&mut self, probe: Outgoing) -> Result<Vec<Attempt>, Closed> {
        if self.begin(probe).is_err() {
            return Err(Closed::Quit);
        }
        loop {
            match self.advance(&mut None).await {
                Turn::Finished(attempts) => return Ok(attempts),
                Turn::Closed(closed) => return Err(closed),
                // The step behind says why.
                Turn::Returned | Turn::Ready => {}
            }
        }
    }

    fn begin(&mut self, mail: Outgoing) -> Result<(), Outgoing> {
        self.mails += 1;
        if self.mails > 1 {
            self.hear_out();
        }
        self.client.begin(mail)
    }

    /// Takes in what the peer said since the last mail: nothing, or a good-bye. A reply too many
    /// would pass for the answer to our next command, and each recipient get that of another
    /// (`attacks.md` K1); it ends the connection instead.
    fn hear_out(&mut self) {
        match self.wire.read_some(READ_BUFFER).now_or_never() {
            None => {}
            Some(Ok(bytes)) if bytes.is_empty() => self.client.input_closed(Loss::Closed),
            Some(Ok(bytes)) => self.client.receive(&bytes),
            Some(Err(error)) => self.lose(&error),
        }
    }

    /// A peer that takes no more of a content may have said why.
    async fn hear_last_words(&mut self) {
        let _ = timeout(LAST_WORDS, async {
            while let Ok(bytes) = self.wire.read_some(READ_BUFFER).await
                && !bytes.is_empty()
            {
                self.client.receive(&bytes);
            }
        })
        .await;
    }

    /// Says good-bye and closes. A peer that takes no bytes is not waited for.
    pub(crate) async fn quit(mut self) {
        let _ = timeout(FAREWELL, async {
            self.client.quit();
            let _ = self.advance(&mut None).await;
            self.wire.shutdown().await
        })
        .await;
    }

    /// The peer as logs name it: `name[address]:port`.
    pub(super) fn relay(&self) -> &str {
        &self.relay
    }

    /// What was agreed on TLS, and how far the peer's certificate can be trusted.
    pub(super) fn security(&self) -> Option<(Trust, &TlsSummary)> {
        self.trust.zip(self.client.tls())
    }

    /// How long it took until the first mail could be sent.
    pub(super) const fn setup(&self) -> Duration {
        self.setup
    }

    /// How many mails it has carried.
    pub(super) const fn mails(&self) -> u32 {
        self.mails
    }

    /// How long it has been open.
    pub(super) fn age(&self) -> Duration {
        self.opened.elapsed()
    }

    async fn advance(&mut self, content: &mut Option<Source>) -> Turn {
        loop {
            match self.client.next(clock::monotonic()) {
                Step::Write(bytes) => self.output.extend_from_slice(bytes),
                Step::Read => self.read().await,
                Step::StartTls => self.start_tls().await,
                Step::Content => self.stream(content).await,
                Step::Finished(attempts) => return Turn::Finished(attempts),
                Step::Returned => return Turn::Returned,
                Step::Ready => {
                    self.flush().await;
                    return Turn::Ready;
                }
                Step::Close(closed) => {
                    let closed = closed.clone();
                    self.flush().await;
                    return Turn::Closed(closed);
                }
            }
        }
    }

    async fn read(&mut self) {
        self.flush().await;
        let deadline = self.deadline();
        match timeout_at(deadline, self.wire.read_some(READ_BUFFER)).await {
            Err(_) => self.client.expire(clock::monotonic()),
            Ok(Ok(bytes)) if bytes.is_empty() => self.client.input_closed(Loss::Closed),
            Ok(Ok(bytes)) => self.client.receive(&bytes),
            Ok(Err(error)) => self.lose(&error),
        }
    }

    fn lose(&mut self, error: &io::Error) {
        self.client.input_closed(Loss::Failed(error.to_string().into()));
    }

    /// When the peer must have answered. Between mails the client names no deadline; then nothing
    /// is read either.
    fn deadline(&self) -> Instant {
        self.client.deadline().map_or_else(|| Instant::now() + PATIENCE, Instant::from_std)
    }

    async fn start_tls(&mut self) {
        self.flush().await;
        let deadline = self.deadline();
        let Some(tcp) = self.wire.take_plain() else {
            return self.client.tls_failed("TLS is active already");
        };
        match timeout_at(deadline, self.tls.connect(&self.server, tcp, clock::now())).await {
            Ok(Ok((stream, summary, trust))) => {
                self.wire = Wire::Tls(Box::new(stream.into()));
                self.trust = Some(trust);
                self.client.tls_started(summary);
            }
            Ok(Err(error)) => self.client.tls_failed(&error.to_string()),
            Err(_) => self.client.tls_failed("the handshake took too long"),
        }
    }

    /// Sends the content through the encoder, small pieces together, large ones as they are.
    async fn stream(&mut self, content: &mut Option<Source>) {
        let Some(source) = content else { return self.client.content_failed(unreadable()) };
        let mut encoder = Encoder::new();
        loop {
            let chunk = match source.next().await {
                Ok(Some(chunk)) => chunk,
                Ok(None) => break,
                Err(error) => {
                    source.trouble = Some(error);
                    self.break_off();
                    return self.client.content_failed(unreadable());
                }
            };
            for piece in encoder.encode(&chunk) {
                self.output.extend_from_slice(piece);
                if self.output.len() >= WRITE_BUFFER {
                    if !self.write_content().await {
                        return;
                    }
                    self.client.content_progress(clock::monotonic());
                }
            }
        }
        self.output.extend_from_slice(encoder.finish());
        if self.write_content().await {
            self.client.content_sent();
        }
    }

    /// Writes what there is of the content; whether it could be written. It is of the content to the
    /// last byte of the final dot: what cannot be written does not arrive.
    async fn write_content(&mut self) -> bool {
        let Err(unwritten) = self.write_out().await else { return true };
        self.hear_last_words().await;
        self.give_up(&unwritten);
        false
    }

    async fn flush(&mut self) {
        if let Err(unwritten) = self.write_out().await {
            self.give_up(&unwritten);
        }
    }

    async fn write_out(&mut self) -> Result<(), Unwritten> {
        if self.output.is_empty() {
            return Ok(());
        }
        let output = std::mem::take(&mut self.output);
        let deadline = self.deadline();
        let written = timeout_at(deadline, async {
            self.wire.write_all(&output).await?;
            self.wire.flush().await
        });
        match written.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Unwritten::Failed(error)),
            Err(_) => Err(Unwritten::TimedOut),
        }
    }

    fn give_up(&mut self, unwritten: &Unwritten) {
        self.break_off();
        match unwritten {
            Unwritten::Failed(error) => self.lose(error),
            Unwritten::TimedOut => self.client.expire(clock::monotonic()),
        }
    }

    /// Part of what was to be written is on its way and the rest never will be: nothing may follow
    /// it, least of all a final dot.
    fn break_off(&mut self) {
        self.output.clear();
        self.wire = Wire::Gone;
    }
}

/// Why the peer did not take all bytes.
enum Unwritten {
    Failed(io::Error),
    TimedOut,
}

/// The content on its way, and why it cannot go on.
struct Source {
    /// Until it is sent.
    top: Bytes,
    reader: ContentReader,
    /// Until the end of the content.
    headers: Option<(HeaderRewriter, Arc<LiveRewriting>)>,
    trouble: Option<Trouble>,
}

/// Why a content cannot be sent to its end.
enum Trouble {
    Body(BodyError),
    Header(RewriteError),
}

impl Source {
    fn of(letter: Letter<'_>) -> Self {
        let Letter { content, top, headers } = letter;
        Self { top, reader: content.reader(), headers, trouble: None }
    }

    /// The next piece as others see it; `None` after the last.
    async fn next(&mut self) -> Result<Option<Bytes>, Trouble> {
        if !self.top.is_empty() {
            return Ok(Some(std::mem::take(&mut self.top)));
        }
        let piece = self.reader.next().await.map_err(Trouble::Body)?;
        match (&mut self.headers, piece) {
            (Some((headers, live)), Some(piece)) if !headers.is_done() => {
                let mut shown = Vec::with_capacity(piece.len());
                Box::pin(headers.feed(&piece, &mut shown, live.remote())).await;
                match headers.error() {
                    Some(error) => Err(Trouble::Header(error.clone())),
                    None => Ok(Some(shown.into())),
                }
            }
            (_, Some(piece)) => Ok(Some(piece)),
            (_, None) => self.rest().await,
        }
    }

    /// What rewriting holds back until the content has ended.
    async fn rest(&mut self) -> Result<Option<Bytes>, Trouble> {
        let Some((headers, live)) = self.headers.take() else { return Ok(None) };
        let mut shown = Vec::new();
        let finished = Box::pin(headers.finish(&mut shown, live.remote())).await;
        finished.map(|_| (!shown.is_empty()).then(|| shown.into())).map_err(Trouble::Header)
    }
}

/// What recipients are deferred with when our own disk fails us.
const fn unreadable() -> Reply {
    Reply::new(451, Enhanced(4, 3, 0), "the stored mail cannot be read")
}

/// How long a peer may take to take our good-bye.
const FAREWELL: Duration = Duration::from_secs(5);

/// What a peer said before it stopped reading is there at once.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// Longer than any of the client's own deadlines.
const PATIENCE: Duration = Duration::from_secs(600);

/// Replies are short.
const READ_BUFFER: usize = 2 * 1024;

/// Content is written in pieces of about this size.
const WRITE_BUFFER: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relays_are_logged_as_postfix_logs_them() {
        let relay = |address: &str| Target {
            name: "mx.example".into(),
            address: SocketAddr::new(address.parse().unwrap(), 25),
        };
        assert_eq!(relay("192.0.2.1").to_string(), "mx.example[192.0.2.1]:25");
        assert_eq!(relay("2001:db8::1").to_string(), "mx.example[2001:db8::1]:25");
    }
}
