//! A name server on loopback that answers from a few lines of text, and fails where they say so.
//!
//! It speaks UDP and TCP on one port. See [`FakeDns::start`] for the lines. It answers like a
//! recursive server: aliases are followed as far as its zone goes.

mod zone;

use std::{
    collections::HashMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
};

use hickory_proto::{op::Message, rr::Name};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, UdpSocket},
    task::JoinSet,
};

use self::zone::{Reaction, Transport, Zone};

/// A running name server. Dropping it stops it.
pub struct FakeDns {
    address: SocketAddr,
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

impl FakeDns {
    /// Starts a server for a zone of one record or fault a line:
    ///
    /// ```text
    /// example.test      MX 10 mx1.example.test
    /// mx1.example.test  300 A 192.0.2.1          # an optional TTL; AAAA, CNAME, PTR, NS likewise
    /// list.test         TXT some words
    /// long.test.        IN TXT ( "several " "strings" )   # as in a zone file
    /// bare.test         EXISTS                   # NODATA for every type
    /// broken.test       SERVFAIL                 # every look-up of this name
    /// half.test         TIMEOUT AAAA             # only look-ups of this type
    /// ```
    ///
    /// Faults: `SERVFAIL`, `REFUSED`, `FORMERR`, `NOTIMP`, `TIMEOUT` (no answer), `TRUNCATED` (by
    /// UDP; TCP answers), `TRUNCATED-FOR-GOOD` (TCP fails too), `WRONG-ID`, `GARBAGE`,
    /// `REFERRAL` (name servers instead of an answer), `NXDOMAIN`, `NODATA`, `NODATA-WITHOUT-SOA`,
    /// `ABOUT-SOMETHING-ELSE`. A name that no line mentions does not exist.
    ///
    /// # Panics
    /// If a line cannot be read.
    pub async fn start(zone: &str) -> Self {
        Self::on(sockets().await, zone)
    }

    /// As [`Self::start`], at this address: port 53 is for root.
    ///
    /// # Panics
    /// As there; or it cannot be had.
    pub async fn start_at(address: SocketAddr, zone: &str) -> Self {
        let udp = UdpSocket::bind(address).await.expect("the address");
        Self::on((udp, TcpListener::bind(address).await.expect("the address")), zone)
    }

    fn on((udp, tcp): (UdpSocket, TcpListener), zone: &str) -> Self {
        let address = udp.local_addr().expect("a bound socket has an address");
        let shared =
            Arc::new(Shared { zone: Mutex::new(Zone::parse(zone)), seen: Mutex::default() });
        let mut tasks = JoinSet::new();
        tasks.spawn(serve_udp(udp, shared.clone()));
        tasks.spawn(serve_tcp(tcp, shared.clone()));
        Self { address, shared, _tasks: tasks }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers from another zone from now on.
    pub fn change(&self, zone: &str) {
        *self.shared.zone.lock().unwrap() = Zone::parse(zone);
    }

    /// How often a name was asked for, with a type such as `MX`, over UDP and TCP together.
    #[must_use]
    pub fn queries(&self, name: &str, kind: &str) -> usize {
        let key = (zone::name(name), kind.to_owned());
        self.shared.seen.lock().unwrap().get(&key).copied().unwrap_or(0)
    }

    /// How many questions were asked at all.
    #[must_use]
    pub fn all_queries(&self) -> usize {
        self.shared.seen.lock().unwrap().values().sum()
    }
}

struct Shared {
    zone: Mutex<Zone>,
    seen: Mutex<HashMap<(Name, String), usize>>,
}

impl Shared {
    fn react(&self, question: &[u8], transport: Transport) -> Reaction {
        let Ok(question) = Message::from_vec(question) else { return Reaction::Silence };
        if let Some(query) = question.queries.first() {
            let key = (query.name().to_lowercase(), query.query_type().to_string());
            *self.seen.lock().unwrap().entry(key).or_default() += 1;
        }
        self.zone.lock().unwrap().react(&question, transport)
    }
}

/// A UDP and a TCP socket on the same port.
async fn sockets() -> (UdpSocket, TcpListener) {
    loop {
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("loopback");
        let address = tcp.local_addr().expect("a bound socket has an address");
        if let Ok(udp) = UdpSocket::bind(address).await {
            return (udp, tcp);
        }
    }
}

async fn serve_udp(socket: UdpSocket, shared: Arc<Shared>) {
    let mut datagram = [0; 4096];
    loop {
        let Ok((length, peer)) = socket.recv_from(&mut datagram).await else { continue };
        if let Reaction::Answer(answer) = shared.react(&datagram[..length], Transport::Udp) {
            let _gone = socket.send_to(&answer, peer).await;
        }
    }
}

async fn serve_tcp(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(converse(stream, shared.clone()));
    }
}

/// Questions and answers with a length in front (RFC 1035 section 4.2.2), until one side ends it.
async fn converse(mut stream: TcpStream, shared: Arc<Shared>) {
    while let Ok(length) = stream.read_u16().await {
        let mut question = vec![0; usize::from(length)];
        if stream.read_exact(&mut question).await.is_err() {
            return;
        }
        let answer = match shared.react(&question, Transport::Tcp) {
            Reaction::Answer(answer) => answer,
            Reaction::Silence => continue,
            Reaction::Close => return,
        };
        let length = u16::try_from(answer.len()).expect("an answer fits into a DNS message");
        let framed = [&length.to_be_bytes(), answer.as_slice()].concat();
        if stream.write_all(&framed).await.is_err() {
            return;
        }
    }
}
