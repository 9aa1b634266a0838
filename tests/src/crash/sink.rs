//! The next hop of a crash run: takes everything, and says what came before it answers.

use std::{
    io::{self, BufRead as _, BufReader, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use crate::wait;

/// Who hears of a mail and its recipients, before it is answered.
pub(super) type Taker = Arc<dyn Fn(&[String], &[String]) + Send + Sync>;

/// The running sink. Its threads end with the process.
#[derive(Debug)]
pub(super) struct Sink {
    open: Arc<AtomicUsize>,
}

impl Sink {
    pub(super) fn start(address: SocketAddr, taker: Taker) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        let open = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&open);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (taker, open) = (Arc::clone(&taker), Arc::clone(&counted));
                open.fetch_add(1, Ordering::AcqRel);
                thread::spawn(move || {
                    // A peer that dies in the middle is the purpose of the run.
                    let _ = converse(stream, &taker);
                    open.fetch_sub(1, Ordering::AcqRel);
                });
            }
        });
        Ok(Self { open })
    }

    /// Waits until every connection of the program that was killed has been read to its end.
    pub(super) fn wait_quiet(&self) {
        wait::until("the sink to read all that was sent", wait::PATIENCE, || {
            (self.open.load(Ordering::Acquire) == 0).then_some(())
        });
    }
}

fn converse(stream: TcpStream, taker: &Taker) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut answers = stream.try_clone()?;
    let mut lines = Lines { reader: BufReader::new(stream) };
    let mut recipients = Vec::new();
    answers.write_all(b"220 sink.example ESMTP\r\n")?;
    while let Some(line) = lines.next()? {
        let answer: &[u8] = match line.get(..4).unwrap_or_default() {
            "EHLO" => b"250-sink.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE\r\n",
            "MAIL" | "RSET" => {
                recipients.clear();
                b"250 2.1.0 Ok\r\n"
            }
            "RCPT" => {
                recipients.extend(recipient(&line));
                b"250 2.1.5 Ok\r\n"
            }
            "DATA" => {
                answers.write_all(b"354 Go on\r\n")?;
                let Some(mail) = lines.content()? else { return Ok(()) };
                taker(&mail, &recipients);
                recipients.clear();
                b"250 2.0.0 Ok\r\n"
            }
            "QUIT" => return answers.write_all(b"221 2.0.0 Bye\r\n"),
            _ => b"250 2.0.0 Ok\r\n",
        };
        answers.write_all(answer)?;
    }
    Ok(())
}

/// What stands in the angle brackets of RCPT.
fn recipient(line: &str) -> Option<String> {
    Some(line.split_once('<')?.1.split_once('>')?.0.to_owned())
}

struct Lines {
    reader: BufReader<TcpStream>,
}

impl Lines {
    /// The next line without its end; `None` when the peer has gone, even in the middle of a line.
    fn next(&mut self) -> io::Result<Option<String>> {
        let mut line = Vec::new();
        self.reader.read_until(b'\n', &mut line)?;
        let whole = line.strip_suffix(b"\r\n");
        Ok(whole.map(|line| String::from_utf8_lossy(line).into_owned()))
    }

    /// The lines up to the dot, unstuffed; `None` when the peer went before it.
    fn content(&mut self) -> io::Result<Option<Vec<String>>> {
        let mut mail = Vec::new();
        while let Some(line) = self.next()? {
            if line == "." {
                return Ok(Some(mail));
            }
            mail.push(line.strip_prefix('.').map(str::to_owned).unwrap_or(line));
        }
        Ok(None)
    }
}
