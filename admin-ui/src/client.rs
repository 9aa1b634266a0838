//! From where a request comes: the peer, or whom a proxy of ours has it from; and whether a page of
//! ours made a browser send it.

use std::net::{IpAddr, SocketAddr};

use axum::{
    extract::ConnectInfo,
    http::{
        Extensions, HeaderMap, HeaderName, HeaderValue,
        header::{HOST, ORIGIN},
    },
};

use crate::AllowedHosts;

/// From where a request comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// The client.
    pub address: IpAddr,
    /// Whether it reached this program on this machine, by a proxy or not: nobody else listened.
    pub is_local: bool,
}

/// Reverse proxies that are believed when they say whom they speak for.
pub struct Proxies(Box<dyn Fn(IpAddr) -> bool + Send + Sync>);

impl Proxies {
    /// Those for whom `is_ours` holds.
    #[must_use]
    pub fn new(is_ours: impl Fn(IpAddr) -> bool + Send + Sync + 'static) -> Self {
        Self(Box::new(is_ours))
    }

    /// None: the peer is the client.
    #[must_use]
    pub fn none() -> Self {
        Self::new(|_| false)
    }

    /// Where a request comes from. A proxy writes whom it serves at the end of `X-Forwarded-For`; what
    /// stands before that may be anybody's invention, unless that one is a proxy of ours as well.
    pub(crate) fn source(&self, headers: &HeaderMap, extensions: &Extensions) -> Option<Source> {
        let peer = extensions.get::<ConnectInfo<SocketAddr>>()?.0.ip().to_canonical();
        let fields = headers.get_all(FORWARDED_FOR).iter();
        let said: Vec<&str> =
            fields.flat_map(|field| field.to_str().unwrap_or("?").split(',')).collect();
        let mut client = peer;
        for hop in said.iter().rev().take(MOST_HOPS) {
            if !(self.0)(client) {
                break;
            }
            let Some(address) = address(hop.trim()) else { break };
            client = address;
        }
        Some(Source { address: client, is_local: peer.is_loopback() })
    }
}

/// An address, perhaps with a port, as proxies write it.
fn address(text: &str) -> Option<IpAddr> {
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    let in_brackets = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let address = text.parse().ok().or_else(with_port).or_else(in_brackets);
    address.map(|address: IpAddr| address.to_canonical())
}

/// What a browser says of the page that made it send a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sender {
    /// A page of ours, or nothing is said: programs name none.
    Ours,
    /// One that hides itself: a sandbox, or a page that forbids a `Referer` as ours do.
    Hidden,
    /// Another site, or it makes no sense.
    Foreign,
}

impl Sender {
    pub(crate) fn of(headers: &HeaderMap, hosts: &AllowedHosts) -> Self {
        let one = |name: &HeaderName| {
            let mut all = headers.get_all(name).iter();
            (all.next(), all.next())
        };
        match one(&SEC_FETCH_SITE) {
            (None, _) => {}
            (Some(site), None) if site == "same-origin" || site == "none" => {}
            _ => return Self::Foreign,
        }
        match one(&ORIGIN) {
            (None, _) => Self::Ours,
            (Some(origin), None) if origin == "null" => Self::Hidden,
            (Some(origin), None) if is_ours(origin, headers, hosts) => Self::Ours,
            _ => Self::Foreign,
        }
    }
}

/// Whether an origin is where the request went. Behind a proxy the name that people use may stand in
/// `Origin` alone.
fn is_ours(origin: &HeaderValue, headers: &HeaderMap, hosts: &AllowedHosts) -> bool {
    let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
    let (Some((_, authority)), Some(host)) = (origin, headers.get(HOST)) else { return false };
    host.as_bytes().eq_ignore_ascii_case(authority.as_bytes()) || hosts.is_public(authority)
}

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Proxies one behind the other.
const MOST_HOPS: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_proxies_of_ours_are_believed_and_only_about_whom_they_serve() {
        let proxies = Proxies::new(|address| address.to_string().starts_with("192.0.2."));
        for (peer, said, client) in [
            ("192.0.2.1", "203.0.113.9", "203.0.113.9"),
            ("192.0.2.1", "10.0.0.1, 203.0.113.9", "203.0.113.9"),
            ("192.0.2.1", "203.0.113.9, 192.0.2.2", "203.0.113.9"),
            ("192.0.2.1", "203.0.113.9:4711", "203.0.113.9"),
            ("192.0.2.1", "[2001:db8::1]:4711", "2001:db8::1"),
            ("192.0.2.1", "::ffff:203.0.113.9", "203.0.113.9"),
            ("192.0.2.1", "unknown", "192.0.2.1"),
            ("192.0.2.1", "", "192.0.2.1"),
            ("198.51.100.7", "203.0.113.9", "198.51.100.7"),
            ("127.0.0.1", "203.0.113.9", "127.0.0.1"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(FORWARDED_FOR, said.parse().unwrap());
            let mut extensions = Extensions::new();
            extensions.insert(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 1)));
            let found = proxies.source(&headers, &extensions).unwrap();
            let expected =
                Source { address: client.parse().unwrap(), is_local: peer == "127.0.0.1" };
            assert_eq!(found, expected, "{peer} {said}");
        }
    }
}
