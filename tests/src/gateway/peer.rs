//! A client of a gateway that speaks as it is told to, and remembers the dialogue.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use mailweir::{
    clock,
    tls::{Authorities, ClientTls, PeerCheck},
};
use mailweir_mail::QueueId;
use rustls::ClientConfig;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::timeout,
};
use tokio_rustls::TlsConnector;

use super::Mail;
use crate::dialog::Pattern;

/// A connection to a gateway. What is expected and does not come fails the test, with the dialogue
/// so far.
pub struct Peer {
    wire: Wire,
    unread: Vec<u8>,
    dialogue: Vec<String>,
}

enum Wire {
    Plain(TcpStream),
    Tls(Box<dyn Stream>),
    /// Between the two.
    Changing,
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

impl Peer {
    /// Connects from this loopback address.
    ///
    /// # Panics
    /// If nobody listens there.
    pub async fn connect(to: SocketAddr, from: IpAddr) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind((from, 0).into()).expect("a loopback address");
        let stream = socket.connect(to).await.expect("the gateway listens");
        Self::over(stream)
    }

    /// Connects and speaks before the server can greet. The server must be in the same runtime,
    /// and the runtime have one thread: it is held up meanwhile.
    ///
    /// # Panics
    /// If nobody listens there.
    #[must_use]
    pub fn connect_talking(to: SocketAddr, early: &[u8]) -> Self {
        let mut stream = std::net::TcpStream::connect(to).expect("the gateway listens");
        std::io::Write::write_all(&mut stream, early).expect("a new connection takes some bytes");
        stream.set_nonblocking(true).expect("a socket");
        Self::over(TcpStream::from_std(stream).expect("a socket"))
    }

    fn over(stream: TcpStream) -> Self {
        stream.set_nodelay(true).expect("a socket");
        Self { wire: Wire::Plain(stream), unread: Vec::new(), dialogue: Vec::new() }
    }

    /// Reads the greeting and says EHLO.
    pub async fn greet(&mut self) {
        self.hear("220 *").await;
        self.ask("EHLO client.example", "250 *").await;
    }

    /// Says a line and reads the reply, whose last line must be like `pattern`. Returns the whole
    /// reply.
    pub async fn ask(&mut self, line: &str, pattern: &str) -> String {
        self.say(line).await;
        self.hear(pattern).await
    }

    /// Says a line.
    pub async fn say(&mut self, line: &str) {
        self.write(format!("{line}\r\n").as_bytes()).await;
    }

    /// Reads a reply, whose last line must be like `pattern`. Returns the whole reply.
    ///
    /// # Panics
    /// If it is not.
    pub async fn hear(&mut self, pattern: &str) -> String {
        let reply = self.reply().await;
        let last = reply.lines().last().unwrap_or_default();
        assert!(Pattern::new(pattern).matches(last), "expected {pattern:?}\n{self}");
        reply
    }

    /// Reads a reply. Its lines are divided by `\n`.
    ///
    /// # Panics
    /// If the server closes instead.
    pub async fn reply(&mut self) -> String {
        let mut reply = String::new();
        loop {
            let line = self.line().await;
            let line = line.unwrap_or_else(|| panic!("the server closed\n{self}"));
            let more = line.as_bytes().get(3) == Some(&b'-');
            reply.push_str(&line);
            if !more {
                return reply;
            }
            reply.push('\n');
        }
    }

    /// Reads a line, without its CRLF; `None` if the server has closed.
    ///
    /// # Panics
    /// If nothing comes, or half a line and then the end.
    pub async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(at) = self.unread.windows(2).position(|pair| pair == b"\r\n") {
                let line = String::from_utf8_lossy(&self.unread[..at]).into_owned();
                self.unread.drain(..at + 2);
                self.dialogue.push(format!("S: {line}"));
                return Some(line);
            }
            if !self.read_more().await {
                assert!(self.unread.is_empty(), "half a line: {:?}\n{self}", self.unread);
                return None;
            }
        }
    }

    async fn read_more(&mut self) -> bool {
        self.unread.reserve(READ);
        let unread = &mut self.unread;
        let read = match &mut self.wire {
            Wire::Plain(stream) => timeout(PATIENCE, stream.read_buf(unread)).await,
            Wire::Tls(stream) => timeout(PATIENCE, stream.read_buf(unread)).await,
            Wire::Changing => return false,
        };
        let read = read.unwrap_or_else(|_| panic!("the server says nothing\n{self}"));
        // A server that closes while bytes are on their way to it resets the connection.
        read.unwrap_or(0) > 0
    }

    /// Sends bytes as they are. A server that has closed is heard when it is listened to.
    pub async fn write(&mut self, bytes: &[u8]) {
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned();
        self.dialogue.push(format!("C: {}", shown.escape_debug()));
        let _may_have_closed = match &mut self.wire {
            Wire::Plain(stream) => stream.write_all(bytes).await,
            Wire::Tls(stream) => {
                async {
                    stream.write_all(bytes).await?;
                    stream.flush().await
                }
                .await
            }
            Wire::Changing => Ok(()),
        };
    }

    /// Makes the TLS handshake, whatever the certificate.
    ///
    /// # Panics
    /// If it fails.
    pub async fn handshake(&mut self) {
        let Wire::Plain(stream) = std::mem::replace(&mut self.wire, Wire::Changing) else {
            panic!("TLS is up already\n{self}");
        };
        let tls = ClientTls::new(PeerCheck::Any, Authorities::public()).expect("TLS");
        let handshake = tls.connect("gate.example", stream, clock::now()).await;
        let (stream, ..) = handshake.unwrap_or_else(|error| panic!("{error}\n{self}"));
        self.wire = Wire::Tls(Box::new(stream));
    }

    /// Makes the TLS handshake with a certificate to show, if the server asks for one; `tls` is
    /// what [`Certificate::client_tls`](crate::certificates::Certificate::client_tls) gives.
    ///
    /// # Panics
    /// If it fails.
    pub async fn handshake_showing(&mut self, tls: Arc<ClientConfig>) {
        let Wire::Plain(stream) = std::mem::replace(&mut self.wire, Wire::Changing) else {
            panic!("TLS is up already\n{self}");
        };
        let name = "gate.example".try_into().expect("a name");
        let handshake = TlsConnector::from(tls).connect(name, stream).await;
        let stream = handshake.unwrap_or_else(|error| panic!("{error}\n{self}"));
        self.wire = Wire::Tls(Box::new(stream));
    }

    /// Says STARTTLS, makes the handshake with a certificate to show, and greets anew. Returns the
    /// reply to EHLO.
    pub async fn start_tls_showing(&mut self, tls: Arc<ClientConfig>) -> String {
        self.ask("STARTTLS", "220 *").await;
        self.handshake_showing(tls).await;
        self.ask("EHLO client.example", "250 *").await
    }

    /// Says STARTTLS, makes the handshake, and greets anew.
    pub async fn start_tls(&mut self) {
        self.ask("STARTTLS", "220 *").await;
        self.handshake().await;
        self.ask("EHLO client.example", "250 *").await;
    }

    /// Logs in by AUTH PLAIN; the reply must be like `pattern`.
    pub async fn log_in(&mut self, user: &str, password: &str, pattern: &str) {
        let response = base64(format!("\0{user}\0{password}").as_bytes());
        self.ask(&format!("AUTH PLAIN {response}"), pattern).await;
    }

    /// Sends a mail, command by command, and tells what it was answered.
    pub async fn send(&mut self, mail: &Mail) -> Answer {
        self.say(&format!("MAIL FROM:{}", mail.sender)).await;
        let reply = self.reply().await;
        if !reply.starts_with('2') {
            return self.answer(reply);
        }
        let mut last = reply;
        let mut takers = 0;
        for recipient in mail.recipients() {
            self.say(&format!("RCPT TO:{recipient}")).await;
            last = self.reply().await;
            takers += usize::from(last.starts_with('2'));
        }
        if takers == 0 {
            return self.answer(last);
        }
        self.say("DATA").await;
        let reply = self.reply().await;
        if !reply.starts_with('3') {
            return self.answer(reply);
        }
        self.write(&mail.wire()).await;
        let reply = self.reply().await;
        self.answer(reply)
    }

    /// Says QUIT and waits for the end.
    pub async fn leave(mut self) {
        self.say("QUIT").await;
        while self.line().await.is_some() {}
    }

    /// Waits for the server to close, which must not say anything more.
    ///
    /// # Panics
    /// If it does.
    pub async fn expect_closed(&mut self) {
        let line = self.line().await;
        assert_eq!(line, None, "the server should have closed\n{self}");
    }

    /// Closes its side; what the server still says can be heard.
    pub async fn hang_up(&mut self) {
        self.dialogue.push("(hangs up)".to_owned());
        let _may_have_closed = match &mut self.wire {
            Wire::Plain(stream) => stream.shutdown().await,
            Wire::Tls(stream) => stream.shutdown().await,
            Wire::Changing => Ok(()),
        };
    }

    fn answer(&self, reply: String) -> Answer {
        Answer { reply, dialogue: self.to_string() }
    }
}

impl fmt::Display for Peer {
    /// The dialogue so far.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.dialogue.iter().try_for_each(|line| writeln!(f, "  {line}"))
    }
}

/// What a mail was answered: the reply to its end, or the one that stopped it before.
#[derive(Debug)]
#[must_use]
pub struct Answer {
    reply: String,
    dialogue: String,
}

impl Answer {
    /// The reply as it came, its lines divided by `\n`.
    #[must_use]
    pub fn reply(&self) -> &str {
        &self.reply
    }

    /// The mail is in the queue.
    ///
    /// # Panics
    /// If it is not.
    pub fn expect_accepted(self) -> QueueId {
        let words = self.reply.rsplit_once("queued as ").map(|(_, words)| words);
        // A mail that waits for people is taken, too.
        let id = words.and_then(|words| words.split(' ').next()).map(str::parse);
        let Some(Ok(id)) = id.filter(|_| self.reply.starts_with("250")) else {
            panic!("not accepted: {}\n{}", self.reply, self.dialogue);
        };
        id
    }

    /// The mail was refused, like this.
    ///
    /// # Panics
    /// If it was not.
    pub fn expect_refused(self, pattern: &str) {
        let matches = Pattern::new(pattern).matches(&self.reply);
        assert!(matches, "expected {pattern:?}\n{}", self.dialogue);
    }
}

/// RFC 4648 section 4.
#[must_use]
pub(super) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
        let bits = bits << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let index = (bits >> (18 - 6 * place)) & 63;
            let digit = ALPHABET[index as usize];
            text.push(if place <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

/// Far above what any reply takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// Replies are read in pieces of about this size.
const READ: usize = 4 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn responses_are_written_in_base64() {
        assert_eq!(base64(b"\0alice\0secret"), "AGFsaWNlAHNlY3JldA==");
        assert_eq!((base64(b"a"), base64(b"abc")), ("YQ==".to_owned(), "YWJj".to_owned()));
    }
}
