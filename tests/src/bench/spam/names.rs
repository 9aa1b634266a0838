//! The name server of the run: the tests' own, with a memory in front of it that answers at once.
//!
//! Some servers ask sixty questions about a mail and keep no answer: what the name server takes for them would count as
//! theirs. So a question that was asked before is answered by the bytes that were sent then, in one thread.

use std::{
    collections::HashMap,
    io,
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use rustix::net::sockopt::set_socket_recv_buffer_size_force;
use tokio::runtime::{self, Runtime};

use crate::dns::FakeDns;

/// It answers as long as the process runs, by UDP alone: nothing it has is too long for that.
pub(super) struct Names {
    address: SocketAddr,
    asked: Arc<AtomicU64>,
    _origin: FakeDns,
    _runtime: Runtime,
}

impl Names {
    /// For a zone in the form of [`FakeDns::start`].
    pub(super) fn start(zone: &str) -> io::Result<Self> {
        let runtime =
            runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let origin = runtime.block_on(FakeDns::start(zone));
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        // Twenty mails at once bring more questions than a socket holds by default.
        set_socket_recv_buffer_size_force(&socket, WAITING_BYTES)?;
        let behind = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        behind.connect(origin.address())?;
        behind.set_read_timeout(Some(PATIENCE))?;
        let (address, asked) = (socket.local_addr()?, Arc::new(AtomicU64::new(0)));
        let memory = Memory { behind, answers: HashMap::new() };
        let counted = Arc::clone(&asked);
        thread::spawn(move || memory.serve(&socket, &counted));
        Ok(Self { address, asked, _origin: origin, _runtime: runtime })
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many questions it has had.
    pub(super) fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }
}

struct Memory {
    behind: UdpSocket,
    /// By the question without its number, in lower case.
    answers: HashMap<Vec<u8>, Vec<u8>>,
}

impl Memory {
    fn serve(mut self, socket: &UdpSocket, asked: &AtomicU64) {
        let mut datagram = [0; LARGEST];
        loop {
            let Ok((length, peer)) = socket.recv_from(&mut datagram) else { continue };
            asked.fetch_add(1, Ordering::Relaxed);
            if let Some(answer) = self.answer(&datagram[..length]) {
                let _gone = socket.send_to(&answer, peer);
            }
        }
    }

    fn answer(&mut self, question: &[u8]) -> Option<Vec<u8>> {
        let key = question.get(2..)?.to_ascii_lowercase();
        let known = match self.answers.get(&key) {
            Some(known) => known,
            None => {
                let answer = self.ask(question)?;
                self.answers.entry(key).or_insert(answer)
            }
        };
        repeated(known, question)
    }

    fn ask(&self, question: &[u8]) -> Option<Vec<u8>> {
        self.behind.send(question).ok()?;
        let mut answer = [0; LARGEST];
        loop {
            let length = self.behind.recv(&mut answer).ok()?;
            // Not one to a question that was given up.
            if answer.get(..2) == question.get(..2) {
                return Some(answer[..length].to_vec());
            }
        }
    }
}

/// The answer to another question of the same kind: with its number, and with its name as it is written there.
fn repeated(answer: &[u8], question: &[u8]) -> Option<Vec<u8>> {
    let mut answer = answer.to_vec();
    let end = end_of_name(question)?;
    for part in [0..2, HEADER..end] {
        answer.get_mut(part.clone())?.copy_from_slice(question.get(part)?);
    }
    Some(answer)
}

/// Where the name of the first question ends (RFC 1035 section 4.1.2). A question compresses nothing.
fn end_of_name(message: &[u8]) -> Option<usize> {
    let mut at = HEADER;
    loop {
        let length = usize::from(*message.get(at)?);
        at += 1 + length;
        if length == 0 {
            return Some(at);
        }
    }
}

const HEADER: usize = 12;
const LARGEST: usize = 4_096;
const WAITING_BYTES: usize = 8 << 20;
const PATIENCE: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_repeated_with_the_number_and_the_spelling_of_the_question() {
        let names = Names::start("a.test A 192.0.2.1").unwrap();
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.connect(names.address()).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let ask = |question: &[u8]| {
            let mut answer = [0; 512];
            let length = socket.send(question).and_then(|_| socket.recv(&mut answer)).unwrap();
            answer[..length].to_vec()
        };
        let first = ask(b"\x01\x02\x01\0\0\x01\0\0\0\0\0\0\x01a\x04test\0\0\x01\0\x01");
        let again = ask(b"\x03\x04\x01\0\0\x01\0\0\0\0\0\0\x01A\x04TeSt\0\0\x01\0\x01");
        assert!(first.starts_with(b"\x01\x02") && first.ends_with(&[192, 0, 2, 1]), "{first:?}");
        assert!(again.starts_with(b"\x03\x04") && again.ends_with(&[192, 0, 2, 1]), "{again:?}");
        assert_eq!(again.get(12..20), Some(&b"\x01A\x04TeSt\0"[..]));
        assert_eq!(names.asked(), 2);
    }
}
