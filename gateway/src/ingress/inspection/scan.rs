//! One question to a scanner: a connection, the mail, the answer.

use std::io;

use mailweir_external::{
    scanners::{Fault, clamd, rspamd, spamd},
    verdict::Verdict,
};
use mailweir_policy::client::Server;
use mailweir_queue::Content;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpStream, UnixStream},
};

use super::{Shown, Trouble, failed};
use crate::config::{Scanner, ScannerFilter};

/// What all scanners are asked like.
trait Exchange {
    /// Adds what comes before the mail.
    fn head(&mut self, out: &mut Vec<u8>);
    /// Adds the next piece of the mail.
    fn piece(&mut self, piece: &[u8], out: &mut Vec<u8>);
    /// Adds what comes behind the mail.
    fn finish(&mut self, out: &mut Vec<u8>);
    /// Takes what comes back. Whether that is all.
    fn receive(&mut self, piece: &[u8]) -> Result<bool, Fault>;
}

/// Asks about a mail.
pub(super) async fn ask(filter: &ScannerFilter, mail: Shown<'_>) -> Result<Verdict, Trouble> {
    let size = mail.content.size();
    match &filter.scanner {
        Scanner::Clamd(policy) => {
            let answer = over(&filter.server, clamd::Scan::default(), mail.content).await?.end()?;
            Ok(policy.verdict(&answer)?)
        }
        Scanner::Spamd(policy) => {
            let check = spamd::Check::new(size, None).map_err(|error| failed(error.to_string()))?;
            let answer = over(&filter.server, check, mail.content).await?.end()?;
            Ok(policy.verdict(&answer))
        }
        Scanner::Rspamd(options) => {
            let Shown { id, envelope, origin, .. } = mail;
            let about = rspamd::About { id, envelope, origin };
            let check = rspamd::Check::new(size, &about, options);
            Ok(over(&filter.server, check, mail.content).await?.end()?.verdict())
        }
    }
}

/// Carries an exchange out. Gives it back with what came.
async fn over<E: Exchange>(server: &Server, exchange: E, content: &Content) -> Result<E, Trouble> {
    let unreached = |error: io::Error| failed(format!("no connection to it: {error}"));
    match server {
        Server::Inet(host, port) => {
            let stream = TcpStream::connect((&**host, *port)).await.map_err(unreached)?;
            // Without it things are only slower.
            let _ = stream.set_nodelay(true);
            carry(stream, exchange, content).await
        }
        Server::Unix(path) => {
            let stream = UnixStream::connect(path).await.map_err(unreached)?;
            carry(stream, exchange, content).await
        }
    }
}

async fn carry<E: Exchange>(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    mut exchange: E,
    content: &Content,
) -> Result<E, Trouble> {
    write(&mut stream, &mut exchange, content).await?;
    let mut piece = [0; PIECE];
    loop {
        match stream.read(&mut piece).await {
            Ok(0) => return Ok(exchange),
            Ok(read) if exchange.receive(&piece[..read])? => return Ok(exchange),
            Ok(_) => {}
            Err(error) => return Err(failed(format!("the connection to it broke: {error}"))),
        }
    }
}

/// Writes a question. Who does not read it to its end may have answered: that is for whoever reads to see.
async fn write(
    stream: &mut (impl AsyncWrite + Unpin),
    exchange: &mut impl Exchange,
    content: &Content,
) -> Result<(), Trouble> {
    let mut reader = content.reader();
    let mut out = Vec::new();
    exchange.head(&mut out);
    loop {
        let piece = reader.next().await.map_err(Trouble::Unreadable)?;
        match &piece {
            Some(piece) => exchange.piece(piece, &mut out),
            None => exchange.finish(&mut out),
        }
        if stream.write_all(&out).await.is_err() || piece.is_none() {
            return Ok(());
        }
        out.clear();
    }
}

impl Exchange for clamd::Scan {
    fn head(&mut self, out: &mut Vec<u8>) {
        Self::head(self, out);
    }

    fn piece(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        Self::piece(self, piece, out);
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        Self::finish(self, out);
    }

    fn receive(&mut self, piece: &[u8]) -> Result<bool, Fault> {
        Self::receive(self, piece)
    }
}

impl Exchange for spamd::Check {
    fn head(&mut self, out: &mut Vec<u8>) {
        Self::head(self, out);
    }

    fn piece(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        Self::piece(self, piece, out);
    }

    fn finish(&mut self, _out: &mut Vec<u8>) {}

    fn receive(&mut self, piece: &[u8]) -> Result<bool, Fault> {
        Self::receive(self, piece)
    }
}

impl Exchange for rspamd::Check {
    fn head(&mut self, out: &mut Vec<u8>) {
        Self::head(self, out);
    }

    fn piece(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        Self::piece(self, piece, out);
    }

    fn finish(&mut self, _out: &mut Vec<u8>) {}

    fn receive(&mut self, piece: &[u8]) -> Result<bool, Fault> {
        Self::receive(self, piece)
    }
}

/// As much of an answer as is read at once.
const PIECE: usize = 4_096;
