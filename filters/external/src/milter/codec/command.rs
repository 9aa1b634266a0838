//! What a mail server says to a filter (`SMFIC_*`).

use std::net::{IpAddr, SocketAddr};

use super::{
    super::Fault,
    Options,
    fields::{Fields, Writer},
};

/// What a mail server says to a filter. Texts are bytes as the client sent them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// OPTNEG: what it offers.
    OptNeg(Options),
    /// CONNECT: a client.
    Connect(Peer),
    /// HELO: what the client calls itself.
    Helo(Box<[u8]>),
    /// MAIL: the sender in angle brackets, and the parameters.
    Mail(Vec<Box<[u8]>>),
    /// RCPT: the recipient in angle brackets, and the parameters.
    Rcpt(Vec<Box<[u8]>>),
    /// DATA.
    Data,
    /// HEADER: a field.
    Header {
        /// Without the colon.
        name: Box<[u8]>,
        /// Its lines divided by LF.
        value: Box<[u8]>,
    },
    /// EOH: the end of the header.
    Eoh,
    /// BODY: a part of it, at most [`super::CHUNK`] bytes.
    Body(Box<[u8]>),
    /// BODYEOB: the end of the mail; some servers send the last part of the body with it.
    BodyEob(Box<[u8]>),
    /// MACRO: names and values for the command that follows.
    Macro {
        /// The type of that command.
        of: u8,
        /// Names and values in turn.
        values: Vec<Box<[u8]>>,
    },
    /// ABORT: this mail is given up.
    Abort,
    /// QUIT: the connection ends.
    Quit,
    /// QUIT_NC: this client is done, and another follows.
    QuitNc,
    /// UNKNOWN: a command of SMTP that the server does not know.
    Unknown(Box<[u8]>),
}

/// A client of the mail server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its name, or its address in square brackets.
    pub name: Box<[u8]>,
    /// Where it is.
    pub address: PeerAddress,
}

/// Where a client is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeerAddress {
    /// Not known.
    Unknown,
    /// At a socket of this machine.
    Unix(Box<[u8]>),
    /// On the network; the port is 0 if it is not known.
    Ip(SocketAddr),
}

impl Command {
    /// Reads a packet.
    ///
    /// # Errors
    /// It is of no known type, or what is in it is not what must be.
    pub fn decode(packet: &[u8]) -> Result<Self, Fault> {
        let (code, rest) = packet.split_first().ok_or(Fault::Empty)?;
        let mut fields = Fields::new(name_of(*code).ok_or(Fault::UnknownPacket(*code))?, rest);
        let command = match code {
            b'O' => return Options::read(fields).map(Self::OptNeg),
            b'C' => Self::Connect(Peer::read(&mut fields)?),
            b'H' => Self::Helo(fields.text()?),
            b'M' => Self::Mail(path(&mut fields)?),
            b'R' => Self::Rcpt(path(&mut fields)?),
            b'T' => Self::Data,
            b'L' => Self::Header { name: fields.text()?, value: fields.text()? },
            b'N' => Self::Eoh,
            b'B' => Self::Body(fields.bytes()),
            b'E' => Self::BodyEob(fields.bytes()),
            b'D' => macros(&mut fields)?,
            b'A' => Self::Abort,
            b'Q' => Self::Quit,
            b'K' => Self::QuitNc,
            _ => Self::Unknown(fields.text()?),
        };
        fields.end().map(|()| command)
    }

    /// Writes the packet behind what is in `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::OptNeg(options) => options.write(out),
            Self::Connect(peer) => peer.write(Writer::new(b'C', out)),
            Self::Helo(name) => Writer::new(b'H', out).text(name).end(),
            Self::Mail(texts) => Writer::new(b'M', out).texts(texts).end(),
            Self::Rcpt(texts) => Writer::new(b'R', out).texts(texts).end(),
            Self::Data => Writer::new(b'T', out).end(),
            Self::Header { name, value } => Writer::new(b'L', out).text(name).text(value).end(),
            Self::Eoh => Writer::new(b'N', out).end(),
            Self::Body(bytes) => Writer::new(b'B', out).bytes(bytes).end(),
            Self::BodyEob(bytes) => Writer::new(b'E', out).bytes(bytes).end(),
            Self::Macro { of, values } => Writer::new(b'D', out).byte(*of).texts(values).end(),
            Self::Abort => Writer::new(b'A', out).end(),
            Self::Quit => Writer::new(b'Q', out).end(),
            Self::QuitNc => Writer::new(b'K', out).end(),
            Self::Unknown(line) => Writer::new(b'U', out).text(line).end(),
        }
    }
}

impl Peer {
    fn read(fields: &mut Fields<'_>) -> Result<Self, Fault> {
        let name = fields.text()?;
        let address = match fields.byte()? {
            b'U' => {
                // Some servers send a port and an empty address all the same.
                fields.bytes();
                PeerAddress::Unknown
            }
            b'L' => {
                fields.short()?;
                PeerAddress::Unix(fields.text()?)
            }
            family @ (b'4' | b'6') => {
                let port = fields.short()?;
                let ip = ip(&fields.text()?).filter(|ip| ip.is_ipv4() == (family == b'4'));
                let ip = ip.ok_or(Fault::Value(fields.packet(), "its address"))?;
                PeerAddress::Ip(SocketAddr::new(ip, port))
            }
            _ => return Err(Fault::Value(fields.packet(), "the family of its address")),
        };
        Ok(Self { name, address })
    }

    fn write(&self, writer: Writer<'_>) {
        let writer = writer.text(&self.name);
        match &self.address {
            PeerAddress::Unknown => writer.byte(b'U').end(),
            PeerAddress::Unix(path) => writer.byte(b'L').short(0).text(path).end(),
            PeerAddress::Ip(socket) => {
                let family = if socket.is_ipv4() { b'4' } else { b'6' };
                let ip = socket.ip().to_string();
                writer.byte(family).short(socket.port()).text(ip.as_bytes()).end();
            }
        }
    }
}

/// Sendmail writes `IPv6:` before such addresses, Postfix does not.
fn ip(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?;
    let bare = text.get(..5).filter(|tag| tag.eq_ignore_ascii_case("IPv6:"));
    bare.map_or(text, |tag| &text[tag.len()..]).parse().ok()
}

fn path(fields: &mut Fields<'_>) -> Result<Vec<Box<[u8]>>, Fault> {
    let texts = fields.texts()?;
    if texts.is_empty() { Err(Fault::Short(fields.packet())) } else { Ok(texts) }
}

fn macros(fields: &mut Fields<'_>) -> Result<Command, Fault> {
    let (of, values) = (fields.byte()?, fields.texts()?);
    if !values.len().is_multiple_of(2) {
        return Err(Fault::Short(fields.packet()));
    }
    Ok(Command::Macro { of, values })
}

const fn name_of(code: u8) -> Option<&'static str> {
    Some(match code {
        b'O' => "OPTNEG",
        b'C' => "CONNECT",
        b'H' => "HELO",
        b'M' => "MAIL",
        b'R' => "RCPT",
        b'T' => "DATA",
        b'L' => "HEADER",
        b'N' => "EOH",
        b'B' => "BODY",
        b'E' => "BODYEOB",
        b'D' => "MACRO",
        b'A' => "ABORT",
        b'Q' => "QUIT",
        b'K' => "QUIT_NC",
        b'U' => "UNKNOWN",
        _ => return None,
    })
}
