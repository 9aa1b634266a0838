//! Places where other mail servers ask us: sockets, and how a reload exchanges them. What is said there is
//! [`crate::policy`]'s and [`crate::milter`]'s, a reload [`crate::places`]'.

mod local;

use std::{fmt, io, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use anyhow::Context as _;
use arc_swap::ArcSwap;
use futures_util::future::BoxFuture;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream, UnixStream},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::local::LocalSocket;
use crate::{
    config::AskedAt,
    places::{self, Open, Places},
    sockets,
};

/// Who answers at such places.
///
/// One value is what is configured; a reload puts another in its place, and connections that are open
/// go on with that one.
pub(crate) trait Answerer: Send + Sync + Sized + 'static {
    /// What it is called.
    const NAME: &'static str;

    /// Where it is asked, and by whom.
    fn at(&self) -> &AskedAt;

    /// Tells the administrator.
    fn warn(&self, text: &str);

    /// Answers one connection until its peer (as the log shows it) has no more questions, or `close` is
    /// cancelled.
    fn serve(
        stream: Stream,
        peer: String,
        current: Arc<ArcSwap<Self>>,
        close: CancellationToken,
    ) -> BoxFuture<'static, ()>;
}

/// A connection of whoever asks.
pub(crate) type Stream = Box<dyn Duplex>;

/// What bytes go through in both directions.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl Duplex for TcpStream {}

impl Duplex for UnixStream {}

/// All places where an answerer is asked.
pub(crate) struct AskedSockets<S>(Places<Place, S>);

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

/// What [`AskedSockets::install`] needs. Dropping it changes nothing.
pub(crate) struct Prepared<S>(places::Prepared<Place, Bound, S>);

impl<S> Default for AskedSockets<S> {
    fn default() -> Self {
        Self(Places::default())
    }
}

impl<S: Answerer> AskedSockets<S> {
    /// Opens those of the wanted places that are not open yet.
    ///
    /// # Errors
    /// A place cannot be opened.
    pub(crate) fn prepare(&self, wanted: Vec<S>) -> anyhow::Result<Prepared<S>> {
        let wanted = wanted.into_iter().map(Arc::new).flat_map(|server| {
            let places: Vec<Place> = places(server.at()).collect();
            places.into_iter().map(move |place| (place, Arc::clone(&server)))
        });
        let prepared = self.0.prepare(wanted, |place, server, _| {
            let bound = bind(place, mode(server.at()))
                .with_context(|| format!("the {} cannot be asked at {place}", S::NAME))?;
            Ok((place.clone(), bound))
        });
        prepared.map(Prepared)
    }

    /// Answers at what was prepared, and nowhere else from now on. `services` runs it until `stop`.
    pub(crate) fn install(
        &self,
        prepared: Prepared<S>,
        services: &TaskTracker,
        stop: &CancellationToken,
    ) {
        let keep = |place: &Place, server: &S| {
            if let Place::Local(path) = place
                && let Err(error) = local::set_mode(path, mode(server.at()))
            {
                server.warn(&format!("{place} keeps its permissions: {error}"));
            }
        };
        let run = |_: &Place, bound, Open { current, close }| {
            services.spawn(listen(bound, current, services.clone(), close));
        };
        self.0.install(prepared.0, stop, keep, run);
    }
}

/// Accepts connections until `close` is cancelled.
async fn listen<S: Answerer>(
    bound: Bound,
    current: Arc<ArcSwap<S>>,
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
        if peer.is_some_and(|peer| !server.at().admits(peer.ip())) {
            server.warn(&format!("{} may not ask here: it is not one of networks", Peer(peer)));
            continue;
        }
        let limit = server.at().connection_limit;
        if open.len() >= limit.get() as usize {
            server.warn(&format!("{} is turned away: {limit} connections are open", Peer(peer)));
            continue;
        }
        let serving = S::serve(stream, Peer(peer).to_string(), Arc::clone(&current), close.clone());
        services.spawn(open.track_future(serving));
    }
}

fn places(at: &AskedAt) -> impl Iterator<Item = Place> {
    let tcp = at.bind.iter().map(|address| Place::Tcp(*address));
    let local = at.socket.iter().map(|(path, _)| Place::Local(path.clone()));
    tcp.chain(local)
}

/// The permissions of its local socket.
fn mode(at: &AskedAt) -> u32 {
    at.socket.as_ref().map_or(0o600, |(_, mode)| *mode)
}

impl Bound {
    /// A connection, and the address of a peer that has one.
    async fn accept(&self) -> io::Result<(Stream, Option<SocketAddr>)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                Ok((Box::new(stream), Some(peer)))
            }
            Self::Local(listener) => Ok((Box::new(listener.accept().await?), None)),
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
