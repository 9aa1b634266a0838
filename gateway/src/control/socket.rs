//! The control socket: one request a connection, a line of JSON; one line of JSON per answer, and
//! one that says that this was all. Behind some requests come mails.

use std::{io, os::unix::fs::PermissionsExt, path::Path, time::Duration};

use anyhow::Context as _;
use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};
use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    net::{
        UnixListener, UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::mpsc,
};
use tokio_util::sync::CancellationToken;

use super::{
    BACKLOG, import,
    operation::{Answer, Line, Operation, Request, Sent},
    patient::Patient,
    perform::{Operated, Target, perform},
    spam,
};

/// Whether somebody listened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A server did, and has answered.
    Server,
    /// Nobody did.
    Nobody,
}

/// What a client says cannot be understood.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotHeard {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("what is sent makes no sense: {0}")]
    Senseless(#[from] serde_json::Error),
    #[error("what is sent is too long: a line has more than {0} bytes")]
    TooLong(u64),
}

/// Opens the socket and answers until `stop` is cancelled.
///
/// # Errors
/// The socket cannot be made.
pub async fn serve(path: &Path, operated: Operated, stop: CancellationToken) -> io::Result<()> {
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
        let operated = operated.clone();
        // Whoever asked has gone if this fails; what was done stays done.
        tokio::spawn(async move { answer(stream, Target::Running(&operated)).await });
    }
    std::fs::remove_file(path)
}

/// Answers the one request of a connection.
pub(super) async fn answer(stream: UnixStream, target: Target<'_>) -> io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(Patient::new(read));
    match read_line::<Request>(&mut read, LONGEST_REQUEST).await {
        Ok(request) => {
            let (answers, waiting) = mpsc::channel(BACKLOG);
            let done = async move {
                match request.operation {
                    Operation::Import { doubles } => {
                        import::import(&mut read, target, &request.by, doubles, &answers).await
                    }
                    Operation::Spam(ask) => {
                        spam::take(&mut read, target, &request.by, ask, &answers).await
                    }
                    _ => perform(target, &request, answers).await,
                }
            };
            // It can fail only when the writer has failed.
            let (_, written) = tokio::join!(done, pass_on(waiting, &mut write));
            written?;
        }
        Err(NotHeard::Io(error)) => return Err(error),
        Err(error) => {
            let answer = Answer::Failed { reason: error.to_string().into() };
            say(&mut write, &Line::Answer(answer)).await?;
        }
    }
    say(&mut write, &Line::End).await
}

async fn pass_on(
    mut waiting: mpsc::Receiver<Answer>,
    write: &mut OwnedWriteHalf,
) -> io::Result<()> {
    while let Some(answer) = waiting.recv().await {
        say(write, &Line::Answer(answer)).await?;
    }
    Ok(())
}

/// What a client says with a line of at most so many bytes.
///
/// # Errors
/// [`NotHeard`].
pub(super) async fn read_line<T: DeserializeOwned>(
    read: &mut (impl AsyncBufRead + Unpin),
    longest: u64,
) -> Result<T, NotHeard> {
    let mut line = Vec::new();
    let length = read.take(longest).read_until(b'\n', &mut line).await?;
    if length as u64 == longest && !line.ends_with(b"\n") {
        return Err(NotHeard::TooLong(longest));
    }
    Ok(serde_json::from_slice(&line)?)
}

pub(super) async fn say(
    write: &mut (impl AsyncWrite + Unpin),
    what: &impl Serialize,
) -> io::Result<()> {
    let mut line = serde_json::to_vec(what)?;
    line.push(b'\n');
    write.write_all(&line).await
}

/// Puts a request to the server that listens at `path`, if one does.
pub(super) async fn ask(
    path: &Path,
    request: &Request,
    tell: &mut impl FnMut(Answer) -> io::Result<()>,
) -> anyhow::Result<Found> {
    let Some((read, _write)) = put(path, request).await? else { return Ok(Found::Nobody) };
    hear(read, &request.operation, tell).await?;
    Ok(Found::Server)
}

/// The same, with mails behind the request, each behind its `line`.
pub(super) async fn bring<M>(
    path: &Path,
    request: &Request,
    mails: &mut mpsc::Receiver<M>,
    line: impl Fn(M) -> (Sent, Bytes),
    tell: &mut impl FnMut(Answer) -> io::Result<()>,
) -> anyhow::Result<Found> {
    let Some((read, mut write)) = put(path, request).await? else { return Ok(Found::Nobody) };
    let hearing = hear(read, &request.operation, tell);
    tokio::pin!(hearing);
    tokio::select! {
        heard = &mut hearing => heard?,
        // Sent or not: what came of it is in the answers.
        _ = import::send(&mut write, mails, line) => hearing.await?,
    }
    Ok(Found::Server)
}

async fn put(
    path: &Path,
    request: &Request,
) -> anyhow::Result<Option<(OwnedReadHalf, OwnedWriteHalf)>> {
    let stream = match UnixStream::connect(path).await {
        Ok(stream) => stream,
        Err(error) if is_nobody(&error) => return Ok(None),
        Err(error) => return Err(out_of_reach(path, &error)),
    };
    let (read, mut write) = stream.into_split();
    say(&mut write, request).await.with_context(|| went_away(&request.operation))?;
    Ok(Some((read, write)))
}

/// All answers, to the last line.
async fn hear(
    read: OwnedReadHalf,
    asked: &Operation,
    tell: &mut impl FnMut(Answer) -> io::Result<()>,
) -> anyhow::Result<()> {
    let mut lines = BufReader::new(read).lines();
    while let Some(line) = lines.next_line().await.with_context(|| went_away(asked))? {
        match serde_json::from_str(&line).map_err(|error| unreadable(&error, asked))? {
            Line::Answer(answer) => tell(answer)?,
            Line::End => return Ok(()),
        }
    }
    anyhow::bail!(went_away(asked))
}

/// No socket, or one that was left behind by a process that died.
fn is_nobody(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused)
}

fn out_of_reach(path: &Path, error: &io::Error) -> anyhow::Error {
    let advice = match error.kind() {
        io::ErrorKind::PermissionDenied => "; run this as the user that runs the server",
        _ => "",
    };
    let path = path.display();
    anyhow::anyhow!("cannot ask the server at {path}: {error}{advice}")
}

fn unreadable(error: &serde_json::Error, asked: &Operation) -> anyhow::Error {
    match error.is_eof() {
        true => anyhow::anyhow!(went_away(asked)),
        false => anyhow::anyhow!("{STRANGE} ({error})"),
    }
}

/// The server has died, and where it is seen what was done before.
fn went_away(asked: &Operation) -> String {
    let look = match asked {
        Operation::List { .. }
        | Operation::Show { .. }
        | Operation::Hold { .. }
        | Operation::Release { .. }
        | Operation::Requeue { .. }
        | Operation::Delete { .. }
        | Operation::Flush
        | Operation::Quarantine(_) => ", then look at the queue",
        Operation::Bans { .. }
        | Operation::Lift { .. }
        | Operation::Cases { .. }
        | Operation::Case { .. }
        | Operation::Decide { .. }
        | Operation::Trusted
        | Operation::Distrust { .. }
        | Operation::Journal { .. }
        | Operation::Archive(_)
        | Operation::Import { .. }
        | Operation::Reindex
        | Operation::Spam(_) => "",
    };
    format!("the server went away before it had answered all; see its log{look}")
}

const STRANGE: &str =
    "the server's answer makes no sense; are this program and the server of the same version?";

/// A line: a request names at most some ten thousand mails.
const LONGEST_REQUEST: u64 = 1024 * 1024;

/// How long to wait when no connection can be accepted.
const AFTER_ERROR: Duration = Duration::from_millis(100);
