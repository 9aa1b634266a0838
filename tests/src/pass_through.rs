//! A content filter that changes nothing: bytes go to where it hands mail back, and replies come from there.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::timeout,
};

use crate::wait;

/// It runs until it is dropped.
pub struct PassThrough {
    address: SocketAddr,
    back: watch::Sender<Option<SocketAddr>>,
    connections: watch::Sender<usize>,
    _tasks: JoinSet<()>,
}

impl PassThrough {
    /// Listens. Whoever connects before [`Self::hand_back_to`] waits for it, with the mail it has begun.
    ///
    /// # Panics
    /// If no port is free.
    pub async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("loopback");
        let address = listener.local_addr().expect("a bound socket");
        let (back, connections) = (watch::Sender::default(), watch::Sender::default());
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, back.subscribe(), connections.clone()));
        Self { address, back, connections, _tasks: tasks }
    }

    /// Where it takes mail.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Hands mail back there from now on.
    pub fn hand_back_to(&self, back: SocketAddr) {
        self.back.send_replace(Some(back));
    }

    /// Waits until somebody has connected.
    ///
    /// # Panics
    /// If nobody does.
    pub async fn expect_connection(&self) {
        let mut connections = self.connections.subscribe();
        let one = connections.wait_for(|count| *count > 0);
        let came = timeout(wait::PATIENCE, one).await.is_ok();
        assert!(came, "waited for a connection to the filter at {}", self.address);
    }

    /// How many connections it had.
    #[must_use]
    pub fn connections(&self) -> usize {
        *self.connections.borrow()
    }
}

async fn serve(
    listener: TcpListener,
    back: watch::Receiver<Option<SocketAddr>>,
    connections: watch::Sender<usize>,
) {
    let mut tubes = JoinSet::new();
    while let Ok((mut stream, _)) = listener.accept().await {
        connections.send_modify(|count| *count += 1);
        let mut back = back.clone();
        tubes.spawn(async move {
            let Ok(back) = back.wait_for(Option::is_some).await.map(|back| *back) else { return };
            let Some(back) = back else { return };
            if let Ok(mut onward) = TcpStream::connect(back).await {
                let _ = copy_bidirectional(&mut stream, &mut onward).await;
            }
        });
    }
}
