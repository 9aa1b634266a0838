//! A content filter by SMTP that changes nothing: bytes go on to where it hands mail back, and replies come from there.
//!
//! A thread for each direction of a connection does nothing but read and write, so that there is no smaller filter.

use std::{
    io,
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use crate::{
    bench::contestant::{Contestant, NextHop, Running},
    free_address,
};

/// It runs as long as the process.
#[derive(Debug)]
pub(super) struct Tube {
    address: SocketAddr,
    connections: Arc<AtomicU64>,
}

impl Tube {
    /// Connects each client to a connection of its own to `back`.
    pub(super) fn start(back: SocketAddr) -> io::Result<Self> {
        let address = free_address()?;
        let listener = TcpListener::bind(address)?;
        let connections = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&connections);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                counted.fetch_add(1, Ordering::Relaxed);
                // A client whose mail cannot go on sees its connection end.
                thread::spawn(move || pass(stream, back));
            }
        });
        Ok(Self { address, connections })
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many clients it has had.
    pub(super) fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }
}

fn pass(mut client: TcpStream, back: SocketAddr) -> io::Result<()> {
    let mut server = TcpStream::connect(back)?;
    for stream in [&client, &server] {
        stream.set_nodelay(true)?;
    }
    let (mut replies, mut to_client) = (server.try_clone()?, client.try_clone()?);
    thread::spawn(move || one_way(&mut replies, &mut to_client));
    one_way(&mut client, &mut server);
    Ok(())
}

/// Until either end is gone.
fn one_way(from: &mut TcpStream, to: &mut TcpStream) {
    let _ = io::copy(from, to);
    let _ = to.shutdown(Shutdown::Write);
}

/// The filter with no server around it, straight before the next hop.
pub(super) struct Alone;

impl Contestant for Alone {
    fn name(&self) -> &'static str {
        "filter"
    }

    fn start(&self, next_hop: NextHop) -> io::Result<Box<dyn Running>> {
        match next_hop {
            NextHop::Sink(sink) => Ok(Box::new(Tube::start(sink)?)),
            NextHop::Nowhere => Err(io::Error::other("it keeps no mail")),
        }
    }
}

impl Running for Tube {
    fn address(&self) -> SocketAddr {
        self.address
    }

    fn wait_drained(&self) -> io::Result<()> {
        Ok(())
    }

    fn stop(self: Box<Self>) -> io::Result<()> {
        Ok(())
    }
}
