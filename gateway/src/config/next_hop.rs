//! The next hop of a route: `smtp://host:port`, `smtps://`, `lmtp://`, `mx` or `discard`.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use mailweir_mail::Domain;

use super::{
    nearest::nearest,
    setting::{Refusal, Setting},
    value::RawValue,
};

/// Where mail goes next.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum NextHop {
    /// One host: a smart host, the existing Postfix, or an LMTP server.
    Relay(Relay),
    /// The mail servers of the recipient's domain, by DNS.
    Mx,
    /// Nowhere; the mail counts as delivered.
    Discard,
}

/// One host that takes our mail.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Relay {
    /// What is spoken.
    pub protocol: RelayProtocol,
    /// The host. A name is looked up by A and AAAA, never by MX (Postfix `[host]`).
    pub host: Host,
    /// The TCP port.
    pub port: u16,
}

/// What is spoken to a [`Relay`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RelayProtocol {
    /// SMTP; TLS by STARTTLS. Port 25 unless said otherwise.
    Smtp,
    /// SMTP inside TLS (RFC 8314). Port 465 unless said otherwise.
    Smtps,
    /// LMTP over TCP (RFC 2033). Port 24 unless said otherwise.
    Lmtp,
}

impl RelayProtocol {
    const ALL: [Self; 3] = [Self::Smtp, Self::Smtps, Self::Lmtp];

    /// The scheme of the URL.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Smtp => "smtp",
            Self::Smtps => "smtps",
            Self::Lmtp => "lmtp",
        }
    }

    const fn default_port(self) -> u16 {
        match self {
            Self::Smtp => 25,
            Self::Smtps => 465,
            Self::Lmtp => 24,
        }
    }
}

/// A host by name or by address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// A name, looked up by A and AAAA.
    Name(Domain),
    /// An address.
    Ip(IpAddr),
}

impl fmt::Display for NextHop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Relay(relay) => write!(f, "{relay}"),
            Self::Mx => f.write_str("mx"),
            Self::Discard => f.write_str("discard"),
        }
    }
}

impl fmt::Display for Relay {
    /// As the file writes it, with the port.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}:{}", self.protocol.as_str(), self.host, self.port)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "{name}"),
            Self::Ip(IpAddr::V4(ip)) => write!(f, "{ip}"),
            Self::Ip(IpAddr::V6(ip)) => write!(f, "[{ip}]"),
        }
    }
}

impl Setting for NextHop {
    const ALLOWED: &'static str = "\"smtp://host:port\" | \"smtps://host:port\" | \"lmtp://host:port\" | \"mx\" | \"discard\"";
    const EXAMPLE: &'static str = "\"smtp://postfix.internal:25\"";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        let text = value.text()?;
        match text {
            "mx" => return Ok(Self::Mx),
            "discard" => return Ok(Self::Discard),
            _ => {}
        }
        if text.contains('@') {
            let message = "a login does not stand here, but in username and password_file";
            return Refusal::new(value, message).secret().alone();
        }
        let refuse = |message| Refusal::new(value, format_args!("{text:?} {message}"));
        let Some((scheme, rest)) = text.split_once("://") else {
            let meant = authority(text, RelayProtocol::Smtp).map(|relay| format!("\"{relay}\""));
            return refuse("is no next hop").maybe(meant).alone();
        };
        if rest.starts_with("unix:") || rest.starts_with('/') {
            return refuse("is a local socket; the next hop is reached by TCP").alone();
        }
        let Some(protocol) = protocol(scheme) else {
            let known = RelayProtocol::ALL.map(RelayProtocol::as_str);
            let meant = nearest(scheme, known).map(|scheme| format!("\"{scheme}://{rest}\""));
            return refuse("has a protocol that mail is not delivered by").maybe(meant).alone();
        };
        match authority(rest.strip_suffix('/').unwrap_or(rest), protocol) {
            Some(relay) => Ok(Self::Relay(relay)),
            None => refuse("names no host and port").alone(),
        }
    }
}

fn protocol(scheme: &str) -> Option<RelayProtocol> {
    RelayProtocol::ALL.into_iter().find(|protocol| protocol.as_str().eq_ignore_ascii_case(scheme))
}

/// `host`, `host:port`, `[host]:port`, `[2001:db8::1]:port`.
fn authority(text: &str, protocol: RelayProtocol) -> Option<Relay> {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port.parse().ok().filter(|&p| p != 0)?),
        _ => (text, protocol.default_port()),
    };
    Some(Relay { protocol, host: parse_host(host)?, port })
}

fn parse_host(text: &str) -> Option<Host> {
    let bracketed = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    if let Some(ip) = bracketed.and_then(|inner| inner.parse::<Ipv6Addr>().ok()) {
        return Some(Host::Ip(ip.into()));
    }
    let text = bracketed.unwrap_or(text);
    match text.parse::<Ipv4Addr>() {
        Ok(ip) => Some(Host::Ip(ip.into())),
        Err(_) if text.starts_with('[') => None,
        Err(_) => Domain::parse(text).ok().map(Host::Name),
    }
}
