//! The PROXY protocol, versions 1 and 2: who the client behind a load balancer is.
//!
//! A pure parser of the header that comes before any other byte, after HAProxy's
//! `proxy-protocol.txt`. Whether a peer may send one at all is decided by the listener
//! (`attacks.md` A20). Checksums and other extensions (TLVs) of version 2 are skipped.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// What the first bytes of a connection are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proxy {
    /// Perhaps a header; read more. Never said of [`MAX_HEADER`] bytes or more.
    Incomplete,
    /// A whole header.
    Header {
        /// Whom it speaks for. `None`: the proxy itself, or a connection that is not TCP over IP
        /// (`LOCAL`, `UNKNOWN`).
        route: Option<Route>,
        /// How many bytes it takes; what follows belongs to the session.
        consumed: usize,
    },
    /// No header. Close.
    Invalid,
}

/// The connection that the proxy accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// The client.
    pub source: SocketAddr,
    /// What the client connected to.
    pub destination: SocketAddr,
}

/// Reads a header from the start of `input`.
#[must_use]
pub fn parse(input: &[u8]) -> Proxy {
    let is_start = |mark: &[u8]| {
        let shared = mark.len().min(input.len());
        mark[..shared] == input[..shared]
    };
    if is_start(SIGNATURE_2) {
        return parse_2(input).unwrap_or(Proxy::Invalid);
    }
    if is_start(SIGNATURE_1) {
        return parse_1(input).unwrap_or(Proxy::Invalid);
    }
    Proxy::Invalid
}

/// `PROXY TCP4 192.0.2.1 192.0.2.25 4711 25`; `None` if invalid.
fn parse_1(input: &[u8]) -> Option<Proxy> {
    let seen = &input[..input.len().min(MAX_HEADER_1)];
    let Some(end) = seen.windows(2).position(|pair| pair == b"\r\n") else {
        return (input.len() < MAX_HEADER_1).then_some(Proxy::Incomplete);
    };
    let line = std::str::from_utf8(seen.get(SIGNATURE_1.len()..end)?).ok()?;
    let mut words = line.split(' ');
    let route = match words.next()? {
        "UNKNOWN" => return Some(Proxy::Header { route: None, consumed: end + 2 }),
        "TCP4" => route_1(&mut words, |word| word.parse().ok().map(IpAddr::V4))?,
        "TCP6" => route_1(&mut words, |word| word.parse().ok().map(IpAddr::V6))?,
        _ => return None,
    };
    words.next().is_none().then_some(Proxy::Header { route: Some(route), consumed: end + 2 })
}

fn route_1<'a>(
    words: &mut impl Iterator<Item = &'a str>,
    address: impl Fn(&str) -> Option<IpAddr>,
) -> Option<Route> {
    let source = address(words.next()?)?;
    let destination = address(words.next()?)?;
    let source = SocketAddr::new(source, port_1(words.next()?)?);
    let destination = SocketAddr::new(destination, port_1(words.next()?)?);
    Some(Route { source, destination })
}

fn port_1(word: &str) -> Option<u16> {
    let digits = word.bytes().all(|byte| byte.is_ascii_digit());
    (digits && (word == "0" || !word.starts_with('0'))).then(|| word.parse().ok())?
}

/// Signature, command, family, length, addresses; `None` if invalid.
fn parse_2(input: &[u8]) -> Option<Proxy> {
    let Some(&[command, family, high, low]) = input.get(SIGNATURE_2.len()..FIXED_2) else {
        return Some(Proxy::Incomplete);
    };
    let consumed = FIXED_2 + usize::from(u16::from_be_bytes([high, low]));
    if consumed > MAX_HEADER {
        return None;
    }
    let Some(body) = input.get(FIXED_2..consumed) else {
        return Some(Proxy::Incomplete);
    };
    let route = match (command, family) {
        (LOCAL, _) | (PROXY, UNSPECIFIED | UNIX_STREAM) => None,
        (PROXY, TCP_4) => Some(route_2::<4>(body)?),
        (PROXY, TCP_6) => Some(route_2::<16>(body)?),
        _ => return None,
    };
    Some(Proxy::Header { route, consumed })
}

fn route_2<const LENGTH: usize>(body: &[u8]) -> Option<Route>
where
    [u8; LENGTH]: IntoAddress,
{
    let (source, rest) = body.split_first_chunk::<LENGTH>()?;
    let (destination, rest) = rest.split_first_chunk::<LENGTH>()?;
    let (source_port, rest) = rest.split_first_chunk::<2>()?;
    let (destination_port, _) = rest.split_first_chunk::<2>()?;
    Some(Route {
        source: SocketAddr::new(source.into_address(), u16::from_be_bytes(*source_port)),
        destination: SocketAddr::new(
            destination.into_address(),
            u16::from_be_bytes(*destination_port),
        ),
    })
}

/// Bytes in network order that are an address.
trait IntoAddress {
    fn into_address(self) -> IpAddr;
}

impl IntoAddress for [u8; 4] {
    fn into_address(self) -> IpAddr {
        Ipv4Addr::from(self).into()
    }
}

impl IntoAddress for [u8; 16] {
    fn into_address(self) -> IpAddr {
        Ipv6Addr::from(self).into()
    }
}

/// The longest header that is read, in bytes: addresses of version 2 and 500 bytes of TLVs.
pub const MAX_HEADER: usize = 536;

/// The longest line of version 1, line end included.
const MAX_HEADER_1: usize = 107;

const SIGNATURE_1: &[u8] = b"PROXY ";
const SIGNATURE_2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// Bytes before the addresses of version 2.
const FIXED_2: usize = 16;

const LOCAL: u8 = 0x20;
const PROXY: u8 = 0x21;
const UNSPECIFIED: u8 = 0x00;
const TCP_4: u8 = 0x11;
const TCP_6: u8 = 0x21;
const UNIX_STREAM: u8 = 0x31;

#[cfg(test)]
mod tests;
