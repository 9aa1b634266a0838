//! A content filter that changes nothing: bytes go to where it hands mail back, and replies come from there.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// It runs until it is dropped.
pub struct PassThrough {
    address: SocketAddr,
    back: Arc<OnceLock<SocketAddr>>,
    connections: Arc<AtomicUsize>,
    _tasks: JoinSet<()>,
}

impl PassThrough {
    /// Listens. Whoever connects before [`Self::hand_back_to`] is turned away.
    ///
    /// # Panics
    /// If no port is free.
    pub async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("loopback");
        let address = listener.local_addr().expect("a bound socket");
        let (back, connections) = (Arc::<OnceLock<SocketAddr>>::default(), Arc::default());
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, Arc::clone(&back), Arc::clone(&connections)));
        Self { address, back, connections, _tasks: tasks }
    }

    /// Where it takes mail.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Hands mail back there from now on. Once.
    pub fn hand_back_to(&self, back: SocketAddr) {
        let _ = self.back.set(back);
    }

    /// How many connections it had.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

async fn serve(
    listener: TcpListener,
    back: Arc<OnceLock<SocketAddr>>,
    connections: Arc<AtomicUsize>,
) {
    let mut tubes = JoinSet::new();
    while let Ok((mut stream, _)) = listener.accept().await {
        let Some(back) = back.get().copied() else { continue };
        connections.fetch_add(1, Ordering::Relaxed);
        tubes.spawn(async move {
            if let Ok(mut onward) = TcpStream::connect(back).await {
                let _ = copy_bidirectional(&mut stream, &mut onward).await;
            }
        });
    }
}
