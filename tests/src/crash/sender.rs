//! A client that sends mail after mail over one connection, and connects again when it breaks.
//!
//! Blocking and small on purpose: the program under test must not be judged by its own code.

use std::{
    io::{self, BufRead as _, BufReader, Write as _},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use super::{Ledger, content};
use crate::{chance::Chance, wait};

/// One of the clients.
#[derive(Debug)]
pub(super) struct Sender {
    server: SocketAddr,
    ledger: Arc<Ledger>,
    chance: Chance,
}

impl Sender {
    pub(super) fn new(server: SocketAddr, ledger: Arc<Ledger>, chance: Chance) -> Self {
        Self { server, ledger, chance }
    }

    /// Sends until told to stop. A broken connection is the purpose of the run, so no error.
    pub(super) fn send_until(mut self, stop: &AtomicBool) {
        while !stop.load(Ordering::Acquire) {
            if self.converse(stop).is_err() {
                wait::pause(BEFORE_CONNECTING_AGAIN);
            }
        }
    }

    fn converse(&mut self, stop: &AtomicBool) -> io::Result<()> {
        let mut talk = Talk::connect(self.server)?;
        talk.command("EHLO sender.example", "250")?;
        while !stop.load(Ordering::Acquire) {
            self.send_one(&mut talk)?;
        }
        talk.command("QUIT", "221").map(drop)
    }

    fn send_one(&mut self, talk: &mut Talk) -> io::Result<()> {
        let recipients = 1 + self.chance.below(3);
        let lines = if self.chance.one_in(40) { LARGE } else { self.chance.below(120) };
        let number = self.ledger.begin(recipients as usize);

        talk.command(&format!("MAIL FROM:<{number}@sender.example>"), "250")?;
        for recipient in 0..recipients {
            talk.command(&format!("RCPT TO:<{recipient}@recipient.example>"), "250")?;
        }
        talk.command("DATA", "354")?;
        let mail = content::compose(number, lines);
        if self.chance.one_in(30) {
            // Goes away in the middle: nothing of it may arrive.
            talk.write(&mail.as_bytes()[..mail.len() / 2])?;
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        talk.write(mail.as_bytes())?;
        self.ledger.finish(number);
        talk.write(b".\r\n")?;
        self.ledger.answer(number, &talk.reply()?);
        Ok(())
    }
}

/// A connection, one command and one reply at a time.
#[derive(Debug)]
pub(super) struct Talk {
    stream: BufReader<TcpStream>,
}

impl Talk {
    pub(super) fn connect(server: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(server)?;
        stream.set_read_timeout(Some(wait::PATIENCE))?;
        stream.set_nodelay(true)?;
        let mut talk = Self { stream: BufReader::new(stream) };
        talk.expect("220")?;
        Ok(talk)
    }

    pub(super) fn command(&mut self, line: &str, expected: &str) -> io::Result<String> {
        self.write(format!("{line}\r\n").as_bytes())?;
        self.expect(expected)
    }

    fn expect(&mut self, code: &str) -> io::Result<String> {
        let reply = self.reply()?;
        if reply.starts_with(code) { Ok(reply) } else { Err(io::Error::other(reply)) }
    }

    /// The last line of a reply, which tells as much as all of them.
    pub(super) fn reply(&mut self) -> io::Result<String> {
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line)?;
            if !line.ends_with('\n') {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if line.as_bytes().get(3) != Some(&b'-') {
                return Ok(line.trim_end().to_owned());
            }
        }
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes)
    }
}

const BEFORE_CONNECTING_AGAIN: Duration = Duration::from_millis(2);
/// Lines of a large mail: about 200 KiB, over the threshold of spool files.
const LARGE: u64 = 3_500;
