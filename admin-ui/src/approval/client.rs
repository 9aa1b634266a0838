//! From where a request comes: the peer, or whom a proxy of ours has it from.

use std::net::{IpAddr, SocketAddr};

use axum::{
    extract::ConnectInfo,
    http::{Extensions, HeaderMap, HeaderName},
};

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

    /// The client of a request. A proxy writes whom it serves at the end of `X-Forwarded-For`; what
    /// stands before that may be anybody's invention, unless that one is a proxy of ours as well.
    pub(super) fn client(&self, headers: &HeaderMap, extensions: &Extensions) -> Option<IpAddr> {
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
        Some(client)
    }
}

/// An address, perhaps with a port, as proxies write it.
fn address(text: &str) -> Option<IpAddr> {
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    let in_brackets = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let address = text.parse().ok().or_else(with_port).or_else(in_brackets);
    address.map(|address: IpAddr| address.to_canonical())
}

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

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
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(FORWARDED_FOR, said.parse().unwrap());
            let mut extensions = Extensions::new();
            extensions.insert(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 1)));
            let found = proxies.client(&headers, &extensions);
            assert_eq!(found, Some(client.parse().unwrap()), "{peer} {said}");
        }
    }
}
