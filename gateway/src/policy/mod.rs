//! Where a Postfix in front asks which mail needs an approval (`[[policy_server]]`): sockets, and how a
//! reload exchanges them.
//!
//! The protocol is [`mailweir_policy`]'s, what the rules say [`crate::ingress::foresight`]'s, and a reload
//! [`crate::places`]'.

mod answer;
mod connection;
mod local;
mod notes;

use std::{fmt, io, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use anyhow::Context as _;
use arc_swap::ArcSwap;
use futures_util::{FutureExt as _, future::BoxFuture};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub(crate) use self::{answer::PolicyServer, notes::Notes};
use self::{connection::warn, local::LocalSocket};
use crate::{
    config,
    ingress::Listener,
    observe::Observer,
    places::{self, Open, Places},
    sockets,
};

/// All places where we are asked.
#[derive(Default)]
pub(crate) struct PolicySockets(Places<Place, PolicyServer>);

/// Where we are asked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Place {
    Tcp(SocketAddr),
    Local(PathBuf),
}

/// A socket at such a place.
enum Bound {
    Tcp(TcpListener),
    Local(LocalSocket),
}

/// What [`PolicySockets::install`] needs. Dropping it changes nothing.
pub(crate) struct Prepared(places::Prepared<Place, Bound, PolicyServer>);

impl PolicyServer {
    /// A server that asks the rules of `listener`.
    pub(crate) const fn new(
        rules: config::PolicyServer,
        listener: Arc<Listener>,
        notes: Arc<Notes>,
        observer: Observer,
    ) -> Self {
        Self { rules, listener, notes, observer }
    }

    fn places(&self) -> impl Iterator<Item = Place> {
        let tcp = self.rules.bind.iter().map(|address| Place::Tcp(*address));
        let local = self.rules.socket.iter().map(|(path, _)| Place::Local(path.clone()));
        tcp.chain(local)
    }

    /// The permissions of its local socket.
    fn mode(&self) -> u32 {
        self.rules.socket.as_ref().map_or(0o600, |(_, mode)| *mode)
    }
}

impl PolicySockets {
    /// Opens those of the wanted places that are not open yet.
    ///
    /// # Errors
    /// A place cannot be opened.
    pub(crate) fn prepare(&self, wanted: Vec<PolicyServer>) -> anyhow::Result<Prepared> {
        let wanted = wanted.into_iter().map(Arc::new).flat_map(|server| {
            let places: Vec<Place> = server.places().collect();
            places.into_iter().map(move |place| (place, Arc::clone(&server)))
        });
        let prepared = self.0.prepare(wanted, |place, server, _| {
            let bound = bind(place, server.mode())
                .with_context(|| format!("the policy server cannot be asked at {place}"))?;
            Ok((place.clone(), bound))
        });
        prepared.map(Prepared)
    }

    /// Answers at what was prepared, and nowhere else from now on. `services` runs it until `stop`.
    pub(crate) fn install(
        &self,
        prepared: Prepared,
        services: &TaskTracker,
        stop: &CancellationToken,
    ) {
        let keep = |place: &Place, server: &PolicyServer| {
            if let Place::Local(path) = place
                && let Err(error) = local::set_mode(path, server.mode())
            {
                warn(server, &format!("{place} keeps its permissions: {error}"));
            }
        };
        let run = |_: &Place, bound, Open { current, close }| {
            services.spawn(listen(bound, current, services.clone(), close));
        };
        self.0.install(prepared.0, stop, keep, run);
    }
}

/// Accepts connections until `close` is cancelled.
async fn listen(
    bound: Bound,
    current: Arc<ArcSwap<PolicyServer>>,
    services: TaskTracker,
    close: CancellationToken,
) {
    let open = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            () = close.cancelled() => break,
            accepted = bound.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(_) => {
                // Out of descriptors, most likely: to ask again at once would only burn time.
                tokio::time::sleep(AFTER_ERROR).await;
                continue;
            }
        };
        let server = current.load_full();
        if peer.is_some_and(|peer| !server.rules.admits(peer.ip())) {
            let text = format!("{} may not ask here: it is not one of networks", Peer(peer));
            warn(&server, &text);
            continue;
        }
        if open.len() >= server.rules.connection_limit.get() as usize {
            let limit = server.rules.connection_limit;
            warn(&server, &format!("{} is turned away: {limit} connections are open", Peer(peer)));
            continue;
        }
        let serving = stream.serve(Peer(peer).to_string(), Arc::clone(&current), close.clone());
        services.spawn(open.track_future(serving));
    }
}

enum Stream {
    Tcp(TcpStream),
    Local(UnixStream),
}

impl Stream {
    fn serve(
        self,
        peer: String,
        server: Arc<ArcSwap<PolicyServer>>,
        close: CancellationToken,
    ) -> BoxFuture<'static, ()> {
        match self {
            Self::Tcp(stream) => connection::serve(stream, peer, server, close).boxed(),
            Self::Local(stream) => connection::serve(stream, peer, server, close).boxed(),
        }
    }
}

impl Bound {
    /// A connection, and the address of a peer that has one.
    async fn accept(&self) -> io::Result<(Stream, Option<SocketAddr>)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                Ok((Stream::Tcp(stream), Some(peer)))
            }
            Self::Local(listener) => {
                let stream = listener.accept().await?;
                Ok((Stream::Local(stream), None))
            }
        }
    }
}

fn bind(place: &Place, mode: u32) -> io::Result<Bound> {
    match place {
        Place::Tcp(address) => sockets::bind(*address).map(Bound::Tcp),
        Place::Local(path) => LocalSocket::bind(path, mode).map(Bound::Local),
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "{address}"),
            Self::Local(path) => write!(f, "{}", path.display()),
        }
    }
}

/// Whoever asks.
struct Peer(Option<SocketAddr>);

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(address) => write!(f, "{}", address.ip().to_canonical()),
            None => f.write_str("a process of this machine"),
        }
    }
}

/// How long to wait when no connection can be accepted.
const AFTER_ERROR: Duration = Duration::from_millis(100);
