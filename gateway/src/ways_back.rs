//! The short way back from programs: a local socket beside each address that filters of this machine hand mail back to.
//!
//! A program makes a connection for each mail, and one of these costs the machine half of what one over TCP costs. The name
//! is abstract (unix(7)) and random: nothing of it lies on the disk, it is gone with this process, and only the programs that this
//! process starts hear of it. Who comes that way counts as a client on this machine; all rules of the listener hold.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    os::{linux::net::SocketAddrExt as _, unix::net},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use aws_lc_rs::rand;
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

    /// The name of the one beside `address`, if there is one.
    pub(crate) fn beside(&self, address: SocketAddr) -> Option<String> {
        self.lock().get(&address).cloned()
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

/// The variable that names the way back to a program; `mailweir sendmail` takes it.
pub(crate) const WAY_BACK: &str = "MAILWEIR_WAY_BACK";

/// Where a program of this machine counts as coming from, as the system has it for one that connects to `address` by TCP.
pub(crate) fn client_at(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_loopback() || ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_way_back_has_a_name_as_long_as_it_is_open_and_nobody_guesses_it() {
        let ways = Arc::new(WaysBack::default());
        let address = SocketAddr::from(([127, 0, 0, 1], 10_026));
        assert_eq!(ways.beside(address), None);
        let way = ways.open(address).unwrap();
        let name = ways.beside(address).unwrap();
        let other = Arc::new(WaysBack::default());
        let _beside = other.open(address).unwrap();
        assert_ne!(other.beside(address).unwrap(), name);
        let to = net::SocketAddr::from_abstract_name(&name).unwrap();
        let client = net::UnixStream::connect_addr(&to).unwrap();
        way.socket.accept().await.unwrap();
        let anew = ways.open(address).unwrap();
        drop((client, way));
        assert!(net::UnixStream::connect_addr(&to).is_err());
        assert!(ways.beside(address).is_some_and(|now| now != name));
        drop(anew);
        assert_eq!(ways.beside(address), None);
    }
}
