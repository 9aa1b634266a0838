//! The control socket: one request a connection, a line of JSON; one line of JSON per answer.

use std::{io, os::unix::fs::PermissionsExt, path::Path, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
};
use tokio_util::sync::CancellationToken;

use super::{
    operation::{Answer, Request},
    perform,
};
use crate::egress::Egress;

/// Whether somebody listened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A server did, and has answered.
    Server,
    /// Nobody did.
    Nobody,
}

/// Opens the socket and answers until `stop` is cancelled.
///
/// # Errors
/// The socket cannot be made.
pub async fn serve(path: &Path, egress: Arc<Egress>, stop: CancellationToken) -> io::Result<()> {
    // The store is locked by us: what lies there was left behind by a process that died.
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else {
            // Out of descriptors, most likely: to ask again at once would only burn time.
            tokio::time::sleep(AFTER_ERROR).await;
            continue;
        };
        let egress = Arc::clone(&egress);
        // Whoever asked has gone if this fails; what was done stays done.
        tokio::spawn(async move { answer(stream, &egress).await });
    }
    std::fs::remove_file(path)
}

async fn answer(stream: UnixStream, egress: &Egress) -> io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut line = String::new();
    BufReader::new(read.take(LONGEST_REQUEST)).read_line(&mut line).await?;
    let (lines, mut waiting) = tokio::sync::mpsc::unbounded_channel();
    let mut tell = |answer: Answer| lines.send(answer).map_err(io::Error::other);
    match serde_json::from_str::<Request>(&line) {
        Ok(request) => {
            let flush = || egress.flush();
            perform::perform(egress.queue(), &request, &flush, &mut tell).await?;
        }
        Err(error) => tell(Answer::Failed { reason: error.to_string().into() })?,
    }
    drop(lines);
    while let Some(answer) = waiting.recv().await {
        let mut line = serde_json::to_vec(&answer)?;
        line.push(b'\n');
        write.write_all(&line).await?;
    }
    Ok(())
}

/// Puts a request to the server that listens at `path`, if one does.
pub(super) async fn ask(
    path: &Path,
    request: &Request,
    tell: &mut impl FnMut(Answer) -> io::Result<()>,
) -> io::Result<Found> {
    let Ok(stream) = UnixStream::connect(path).await else { return Ok(Found::Nobody) };
    let (read, mut write) = stream.into_split();
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    write.write_all(&line).await?;
    let mut lines = BufReader::new(read).lines();
    while let Some(line) = lines.next_line().await? {
        tell(serde_json::from_str(&line)?)?;
    }
    Ok(Found::Server)
}

/// A request names at most some ten thousand mails.
const LONGEST_REQUEST: u64 = 1024 * 1024;

/// How long to wait when no connection can be accepted.
const AFTER_ERROR: Duration = Duration::from_millis(100);
