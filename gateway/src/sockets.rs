//! The bound addresses of the listeners, and how a reload exchanges them ([`crate::places`]).

use std::{collections::HashSet, io, net::SocketAddr, sync::Arc};

use anyhow::{Context, anyhow};
use tokio::net::{TcpListener, TcpSocket};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    ingress::{Listener, listen, listen_to_programs},
    places::{self, Open, Places},
    ways_back::{WayBack, WaysBack},
};

/// All bound addresses.
#[derive(Default)]
pub(crate) struct Sockets(Places<SocketAddr, Listener>);

/// What [`Sockets::install`] needs. Dropping it changes nothing.
pub(crate) type Prepared = places::Prepared<SocketAddr, Bound, Listener>;

/// What is listened at for an address.
pub(crate) struct Bound {
    tcp: TcpListener,
    way_back: Option<WayBack>,
}

impl Sockets {
    /// Binds those of the `wanted` addresses that are not bound yet.
    ///
    /// # Errors
    /// An address cannot be bound; if one of our own is in the way, it says so.
    pub(crate) fn prepare(
        &self,
        wanted: Vec<(SocketAddr, Arc<Listener>)>,
        ways_back: &Arc<WaysBack>,
    ) -> anyhow::Result<Prepared> {
        self.0.prepare(wanted, |address, listener, bound| {
            let tcp = bind(*address).map_err(|error| explained(error, *address, bound));
            let tcp = tcp
                .with_context(|| format!("listener {:?} cannot bind {address}", listener.name()))?;
            let address = tcp.local_addr()?;
            // Where the system gives none, programs come by TCP.
            let way_back = listener.has_way_back().then(|| ways_back.open(address).ok());
            Ok((address, Bound { tcp, way_back: way_back.flatten() }))
        })
    }

    /// Listens on what was prepared, and on nothing else from now on. `services` runs the new
    /// sockets until `stop`.
    pub(crate) fn install(
        &self,
        prepared: Prepared,
        services: &TaskTracker,
        stop: &CancellationToken,
    ) {
        let run = |address: &SocketAddr, Bound { tcp, way_back }, open: Open<Listener>| {
            if let Some(way_back) = way_back {
                let Open { current, close } = open.clone();
                services.spawn(listen_to_programs(way_back, *address, current, close));
            }
            let Open { current, close } = open;
            services.spawn(listen(tcp, *address, current, close));
        };
        self.0.install(prepared, stop, |_, _| {}, run);
    }

    /// The bound addresses with the names of their listeners, by address.
    pub(crate) fn bound(&self) -> Vec<(Box<str>, SocketAddr)> {
        let mut bound = self.0.map(|address, listener| (listener.name().into(), *address));
        bound.sort_by_key(|(_, address)| *address);
        bound
    }
}

/// Binds an address. An IPv6 socket takes IPv6 only, as the file says: `[::]:25` and `0.0.0.0:25`
/// are two addresses. Its connections send at once what they are given (TCP_NODELAY, inherited).
///
/// # Errors
/// What the system says.
pub(crate) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => {
            let socket = TcpSocket::new_v6()?;
            rustix::net::sockopt::set_ipv6_v6only(&socket, true)?;
            socket
        }
    };
    socket.set_reuseaddr(true)?;
    socket.set_nodelay(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Why `address` cannot be bound. Ours that is in the way is closed only when all else has
/// succeeded, so only a restart helps.
fn explained(error: io::Error, address: SocketAddr, bound: &HashSet<SocketAddr>) -> anyhow::Error {
    match bound.iter().find(|own| overlap(**own, address)) {
        Some(own) if error.kind() == io::ErrorKind::AddrInUse => {
            anyhow!("it overlaps {own}, which this server has bound; this change needs a restart")
        }
        _ => error.into(),
    }
}

/// Whether the system takes two addresses for one: the same port, of all addresses.
fn overlap(one: SocketAddr, other: SocketAddr) -> bool {
    let (a, b) = (one.ip(), other.ip());
    one.port() == other.port()
        && a.is_ipv4() == b.is_ipv4()
        && (a == b || a.is_unspecified() || b.is_unspecified())
}

/// Connections that the system may hold for us while we are busy.
const BACKLOG: u32 = 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unspecified_address_overlaps_all_of_its_family_at_its_port() {
        let overlap = |a: &str, b: &str| overlap(a.parse().unwrap(), b.parse().unwrap());
        assert!(overlap("127.0.0.1:25", "0.0.0.0:25"));
        assert!(overlap("[::]:25", "[2001:db8::1]:25"));
        assert!(!overlap("127.0.0.1:25", "0.0.0.0:26"));
        assert!(!overlap("127.0.0.1:25", "[::]:25"));
        assert!(!overlap("127.0.0.1:25", "127.0.0.2:25"));
    }
}
