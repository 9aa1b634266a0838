//! A mail client of the bench: blocking, and no faster or slower for one server than for another.

use std::{
    io::{self, BufRead as _, BufReader, Read, Write},
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream},
    sync::Arc,
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rustix::net::{AddressFamily, SocketType, bind, connect, socket};
use rustls::{ClientConfig, ClientConnection, StreamOwned, pki_types::ServerName};

use super::scram::Keys;

/// A connection, in clear or under TLS, greeted with EHLO.
pub(super) struct Client(BufReader<Wire>);

enum Wire {
    Clear(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

/// A reply other than the one that was hoped for.
fn unexpected(line: &str) -> io::Error {
    io::Error::other(format!("unexpected reply: {line}"))
}

impl Client {
    /// Connects from any address of 127.0.0.0/8, so that each can be a client of its own.
    pub(super) fn connect(server: SocketAddr, from: Ipv4Addr) -> io::Result<Self> {
        let socket = socket(AddressFamily::INET, SocketType::STREAM, None)?;
        if !from.is_unspecified() {
            bind(&socket, &SocketAddr::new(IpAddr::V4(from), 0))?;
        }
        connect(&socket, &server)?;
        let tcp = TcpStream::from(socket);
        tcp.set_nodelay(true)?;
        tcp.set_read_timeout(Some(PATIENCE))?;
        let mut client = Self(BufReader::new(Wire::Clear(tcp)));
        client.expect("220")?;
        client.ask("EHLO client.example", "250")?;
        Ok(client)
    }

    /// STARTTLS, a full handshake, EHLO.
    pub(super) fn start_tls(mut self, config: &Arc<ClientConfig>) -> io::Result<Self> {
        self.ask("STARTTLS", "220")?;
        let Wire::Clear(tcp) = self.0.into_inner() else { return Err(io::ErrorKind::Other.into()) };
        let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
        let state = ClientConnection::new(Arc::clone(config), name).map_err(io::Error::other)?;
        let mut client = Self(BufReader::new(Wire::Tls(StreamOwned::new(state, tcp).into())));
        client.ask("EHLO client.example", "250")?;
        Ok(client)
    }

    /// AUTH PLAIN; the code of the reply.
    pub(super) fn plain(&mut self, user: &str, password: &str) -> io::Result<String> {
        let message = STANDARD.encode(format!("\0{user}\0{password}"));
        self.send(&format!("AUTH PLAIN {message}"))?;
        self.reply()
    }

    /// AUTH SCRAM-SHA-256 with keys that were derived before.
    pub(super) fn scram(&mut self, keys: &mut Keys, nonce: &str) -> io::Result<()> {
        let first = STANDARD.encode(keys.first(nonce));
        let challenge = self.ask(&format!("AUTH SCRAM-SHA-256 {first}"), "334")?;
        let proof = keys.answer(nonce, &decoded(&challenge)?)?;
        let signature = self.ask(&STANDARD.encode(proof.message), "334")?;
        if decoded(&signature)? != proof.expected {
            return Err(io::Error::other("the server did not prove itself"));
        }
        self.ask("", "235").map(drop)
    }

    /// One mail in one transaction, from MAIL to the reply to its end.
    pub(super) fn mail(&mut self, from: &str, body: &str) -> io::Result<()> {
        self.ask(&format!("MAIL FROM:<{from}>"), "250")?;
        self.ask("RCPT TO:<anybody@elsewhere.example>", "250")?;
        self.ask("DATA", "354")?;
        self.ask(body, "250").map(drop)
    }

    /// QUIT.
    pub(super) fn quit(mut self) -> io::Result<()> {
        self.ask("QUIT", "221").map(drop)
    }

    fn ask(&mut self, command: &str, code: &str) -> io::Result<String> {
        self.send(command)?;
        self.expect(code)
    }

    fn send(&mut self, command: &str) -> io::Result<()> {
        let wire = self.0.get_mut();
        wire.write_all(format!("{command}\r\n").as_bytes())?;
        wire.flush()
    }

    fn expect(&mut self, code: &str) -> io::Result<String> {
        let line = self.reply()?;
        if line.starts_with(code) { Ok(line) } else { Err(unexpected(&line)) }
    }

    /// The last line of a reply.
    fn reply(&mut self) -> io::Result<String> {
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if line.as_bytes().get(3) != Some(&b'-') {
                return Ok(line.trim_end().to_owned());
            }
        }
    }
}

fn decoded(line: &str) -> io::Result<String> {
    let text = line.get(4..).unwrap_or_default();
    let bytes = STANDARD.decode(text).map_err(io::Error::other)?;
    String::from_utf8(bytes).map_err(io::Error::other)
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Clear(tcp) => tcp.read(buffer),
            Self::Tls(tls) => tls.read(buffer),
        }
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Clear(tcp) => tcp.write(bytes),
            Self::Tls(tls) => tls.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Clear(tcp) => tcp.flush(),
            Self::Tls(tls) => tls.flush(),
        }
    }
}

const PATIENCE: Duration = Duration::from_secs(60);
