//! A connection to the server that gets a mail.

use std::{
    io::{self, Read, Write},
    net::{TcpStream, ToSocketAddrs as _},
    os::unix::net::UnixStream,
    time::Duration,
};

use crate::{clock, ways_back::Directions};

/// Connects to the first address of `HOST:PORT` that answers.
pub(super) fn connect(to: &str) -> io::Result<TcpStream> {
    let mut last = io::ErrorKind::AddrNotAvailable.into();
    for address in to.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, CONNECT_TIMEOUT) {
            Ok(stream) => {
                // Without it the kernel waits for more to send; failing to set it costs time only.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// A connection to a server.
pub(super) enum Stream {
    Tcp(TcpStream),
    /// To the gateway that runs us as a filter.
    Local(UnixStream),
}

impl Stream {
    /// Connects by the `way_back`, or else as [`connect`] does.
    pub(super) fn connect(to: &str, way_back: Option<&Directions>) -> io::Result<Self> {
        let local = way_back.and_then(|way_back| way_back.connect().ok());
        local.map_or_else(|| connect(to).map(Self::Tcp), |local| Ok(Self::Local(local)))
    }

    pub(super) fn set_read_timeout(&self, limit: Duration) -> io::Result<()> {
        match self {
            Self::Tcp(tcp) => tcp.set_read_timeout(Some(limit)),
            Self::Local(local) => local.set_read_timeout(Some(limit)),
        }
    }

    pub(super) fn set_write_timeout(&self, limit: Duration) -> io::Result<()> {
        match self {
            Self::Tcp(tcp) => tcp.set_write_timeout(Some(limit)),
            Self::Local(local) => local.set_write_timeout(Some(limit)),
        }
    }

    /// Passes on what is there or comes soon, up to an end that whoever talks on and on does not put off.
    pub(super) fn hear_last_words(&mut self, mut hear: impl FnMut(&[u8])) {
        let mut buffer = [0; READ_BUFFER];
        let end = clock::monotonic() + LAST_WORDS;
        loop {
            let left = end.saturating_duration_since(clock::monotonic());
            if left.is_zero() || self.set_read_timeout(left).is_err() {
                return;
            }
            match self.read(&mut buffer) {
                Ok(length @ 1..) => hear(&buffer[..length]),
                Ok(0) | Err(_) => return,
            }
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(tcp) => tcp.read(buffer),
            Self::Local(local) => local.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(tcp) => tcp.write(bytes),
            Self::Local(local) => local.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(super) fn is_time_out(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// What a server said before it stopped reading is there at once.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// Replies are short.
pub(super) const READ_BUFFER: usize = 4 << 10;

#[cfg(test)]
mod tests {
    use std::{net::TcpListener, thread};

    use super::*;

    #[test]
    fn last_words_have_an_end_though_the_server_talks_on() {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut stream = Stream::connect(&server.local_addr().unwrap().to_string(), None).unwrap();
        let (mut peer, _) = server.accept().unwrap();
        peer.write_all(b"554 5.7.1 no\r\n").unwrap();
        let talking = thread::spawn(move || while peer.write_all(b"554-").is_ok() {});
        let mut heard = Vec::new();
        stream.hear_last_words(|words| {
            if heard.len() < READ_BUFFER {
                heard.extend_from_slice(words);
            }
        });
        assert!(heard.starts_with(b"554 5.7.1 no\r\n"), "{}", heard.escape_ascii());
        drop(stream);
        talking.join().unwrap();
    }
}
