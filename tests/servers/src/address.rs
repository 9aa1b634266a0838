//! Ports for servers that cannot be told to take any.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::atomic::{AtomicU32, Ordering},
};

/// A loopback address with a port that was free a moment ago and that this process has not given
/// out before. Below the ports that the system gives to connections; each process begins elsewhere,
/// so that tests that run side by side do not take it from each other.
///
/// # Errors
/// If no port is left.
pub fn free_address() -> io::Result<SocketAddr> {
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    let begin = std::process::id().wrapping_mul(PORTS_OF_A_PROCESS);
    for _ in 0..PORTS {
        let given = GIVEN.fetch_add(1, Ordering::Relaxed);
        let port = FIRST_PORT + begin.wrapping_add(given) % PORTS;
        let port = u16::try_from(port).map_err(io::Error::other)?;
        if let Ok(socket) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            return socket.local_addr();
        }
    }
    Err(io::ErrorKind::AddrInUse.into())
}

const FIRST_PORT: u32 = 10_240;
const PORTS: u32 = 20_480;
const PORTS_OF_A_PROCESS: u32 = 16;
