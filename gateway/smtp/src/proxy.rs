//! The PROXY protocol, versions 1 and 2: who the client behind a load balancer is.
//!
//! A pure parser of the header that comes before any other byte. Whether a peer may send one
//! is decided by the listener (`attacks.md` A20).

use std::net::SocketAddr;

/// What the first bytes of a connection are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proxy {
    /// Perhaps a header; read more.
    Incomplete,
    /// A whole header.
    Header {
        /// Whom it speaks for. `None`: the proxy itself (`LOCAL`, `UNKNOWN`).
        route: Option<Route>,
        /// How many bytes it takes.
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
    let _ = input;
    Proxy::Invalid
}
