//! The short way back from programs: a local socket beside each address that filters of this machine hand mail back to.
//!
//! A program makes a connection for each mail, and one of these costs the machine half of what one over TCP costs. The name
//! is abstract (unix(7)), so that nothing of it lies on the disk and it is gone with this process, and random, so that nobody has it
//! before. Whoever comes that way counts as a client on this machine, and is held to the same rules.

use std::{
    collections::HashMap,
    fmt, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    os::{linux::net::SocketAddrExt as _, unix::net},
    str::FromStr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use aws_lc_rs::rand;
use rustix::{
    net::{
        AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with,
        sockopt::socket_peercred,
    },
    process::geteuid,
};
use tokio::net::UnixListener;

/// The names of those that are open, by the address that each is beside.
#[derive(Debug, Default)]
pub(crate) struct WaysBack(Mutex<HashMap<SocketAddr, String>>);

/// One of them, which is open until this is dropped.
#[derive(Debug)]
pub(crate) struct WayBack {
    pub(crate) socket: UnixListener,
    address: SocketAddr,
    name: String,
    all: Arc<WaysBack>,
}

impl WaysBack {
    /// Opens one beside an address that has none.
    ///
    /// # Errors
    /// What the system says. Programs come by TCP then.
    pub(crate) fn open(self: &Arc<Self>, address: SocketAddr) -> io::Result<WayBack> {
        let mut secret = [0; 16];
        rand::fill(&mut secret).map_err(|_| io::Error::other("no random numbers"))?;
        let name = format!("mailweir-{:032x}", u128::from_ne_bytes(secret));
        let socket = net::UnixListener::bind_addr(&net::SocketAddr::from_abstract_name(&name)?)?;
        socket.set_nonblocking(true)?;
        let socket = UnixListener::from_std(socket)?;
        self.lock().insert(address, name.clone());
        Ok(WayBack { socket, address, name, all: Arc::clone(self) })
    }

    /// The one beside `address` in words for a program, if there is one.
    pub(crate) fn beside(&self, address: SocketAddr) -> Option<Directions> {
        let name = self.lock().get(&address)?.clone();
        Some(Directions {
            address: reached_at(address).to_string(),
            name,
            server: geteuid().as_raw(),
        })
    }

    /// What the lock guards is changed by single calls, so a panic elsewhere leaves it sound.
    fn lock(&self) -> MutexGuard<'_, HashMap<SocketAddr, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for WayBack {
    fn drop(&mut self) {
        // Another may have been opened in its place.
        let mut all = self.all.lock();
        if all.get(&self.address) == Some(&self.name) {
            all.remove(&self.address);
        }
    }
}

/// What a program is told: `ADDRESS,NAME,USER`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Directions {
    /// The address that this is beside: somebody who is sent elsewhere goes there.
    pub(crate) address: String,
    name: String,
    /// The user that the server has: somebody else may have taken the name since it ended.
    server: u32,
}

impl fmt::Display for Directions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{},{}", self.address, self.name, self.server)
    }
}

impl FromStr for Directions {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.split(',');
        let mut part = || parts.next().ok_or(());
        let (address, name) = (part()?.to_owned(), part()?.to_owned());
        Ok(Self { address, name, server: part()?.parse().map_err(drop)? })
    }
}

impl Directions {
    /// Connects, and never waits for that.
    ///
    /// # Errors
    /// Nobody is there, too many are, or it is somebody else.
    pub(crate) fn connect(&self) -> io::Result<net::UnixStream> {
        let name = SocketAddrUnix::new_abstract_name(self.name.as_bytes())?;
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        connect(&socket, &name)?;
        if socket_peercred(&socket)?.uid.as_raw() != self.server {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let stream = net::UnixStream::from(socket);
        stream.set_nonblocking(false)?;
        Ok(stream)
    }
}

/// The variable that tells a program where it hands mail back.
pub(crate) const RETURN: &str = "MAILWEIR_RETURN";

/// The one that tells the short way there.
pub(crate) const WAY_BACK: &str = "MAILWEIR_WAY_BACK";

/// Where a program of this machine reaches an address.
pub(crate) fn reached_at(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

/// Where a program of this machine comes from that has reached `address`, as the system has it for TCP.
pub(crate) fn client_at(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_loopback() => Ipv4Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, 0)
}

#[cfg(test)]
mod tests {
    use rustix::net::{bind, listen};

    use super::*;

    #[tokio::test]
    async fn a_way_back_is_there_as_long_as_it_is_open() {
        let ways = Arc::new(WaysBack::default());
        let address = SocketAddr::from(([0, 0, 0, 0], 10_026));
        assert_eq!(ways.beside(address), None);
        let way = ways.open(address).unwrap();
        let told: Directions = ways.beside(address).unwrap().to_string().parse().unwrap();
        assert_eq!(told.address, "127.0.0.1:10026");
        let client = told.connect().unwrap();
        way.socket.accept().await.unwrap();
        let somebody = Directions { server: told.server + 1, ..told.clone() };
        assert_eq!(somebody.connect().unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        let anew = ways.open(address).unwrap();
        drop((client, way));
        assert!(told.connect().is_err());
        assert!(ways.beside(address).is_some_and(|now| now != told));
        drop(anew);
        assert_eq!(ways.beside(address), None);
    }

    #[test]
    fn nobody_waits_for_a_server_that_takes_no_more() {
        let name = format!("mailweir-busy-{}", std::process::id());
        let socket =
            socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None);
        let socket = socket.unwrap();
        bind(&socket, &SocketAddrUnix::new_abstract_name(name.as_bytes()).unwrap()).unwrap();
        listen(&socket, 1).unwrap();
        let server = geteuid().as_raw();
        let busy = Directions { address: "127.0.0.1:10026".into(), name, server };
        let waiting: Vec<_> = (0..100).map_while(|_| busy.connect().ok()).collect();
        assert!((1..100).contains(&waiting.len()), "{}", waiting.len());
        assert_eq!(busy.connect().unwrap_err().kind(), io::ErrorKind::WouldBlock);
    }
}
