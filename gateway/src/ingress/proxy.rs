//! Reads the PROXY header in front of a connection, and not one byte more: what follows belongs
//! to SMTP or to the TLS handshake.

use std::{io, net::SocketAddr};

use mailweir_smtp::proxy::{Proxy, parse};
use tokio::{io::AsyncReadExt, net::TcpStream};

/// The client and what it connected to; `None` if the proxy speaks for itself (`LOCAL`).
pub(super) async fn read_header(
    tcp: &mut TcpStream,
) -> io::Result<Option<(SocketAddr, SocketAddr)>> {
    let mut header = Vec::with_capacity(128);
    loop {
        let missing = missing(&header);
        let start = header.len();
        header.resize(start + missing, 0);
        tcp.read_exact(&mut header[start..]).await?;
        match parse(&header) {
            Proxy::Incomplete if header.len() < MOST => {}
            Proxy::Header { route, .. } => {
                return Ok(route.map(|route| (route.source, route.destination)));
            }
            Proxy::Incomplete | Proxy::Invalid => {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "malformed header"));
            }
        }
    }
}

/// How many bytes the header has at least beyond those in hand. Version 1 ends with a line, so it
/// is read byte by byte; version 2 tells its length in bytes 14 and 15.
fn missing(header: &[u8]) -> usize {
    let binary = header.first() == Some(&0x0d);
    match header.get(14..16) {
        _ if !binary => 1,
        None => FIXED - header.len(),
        Some(length) => {
            let whole = FIXED + usize::from(u16::from_be_bytes([length[0], length[1]]));
            whole.min(MOST).saturating_sub(header.len()).max(1)
        }
    }
}

/// The fixed part of a version 2 header.
const FIXED: usize = 16;

/// Longer headers are not read to their end.
const MOST: usize = 4 * 1024;
