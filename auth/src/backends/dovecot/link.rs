//! One connection to a Dovecot, shared by many requests.
//!
//! A task of its own reads and writes. A request holds the link that it was made on; the connection
//! ends when nobody holds it any more, or when the server closes it or breaks the protocol, and all
//! that still wait on it hear why.

use std::{
    collections::HashMap,
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpStream, UnixStream},
    sync::{mpsc, oneshot},
    time::{Duration, Instant},
};

use crate::backends::dovecot::{
    DovecotServer,
    protocol::{self, Answer, Line, MAJOR_VERSION, Malformed, Message},
};

/// An open connection, its handshake done.
#[derive(Debug)]
pub(super) struct Link {
    mechanisms: Arc<[Box<str>]>,
    /// Not bounded here: each request has one message in it at most, and one more when it ends.
    outgoing: mpsc::UnboundedSender<Message>,
    waiting: Arc<Mutex<Waiting>>,
    last_id: AtomicU32,
    since: Instant,
    retired: AtomicBool,
}

/// A request that was begun on a link. Dropping it gives it up.
#[derive(Debug)]
pub(super) struct Request {
    link: Arc<Link>,
    id: u32,
    stage: Stage,
}

/// Why there is no answer: what the connection, or the attempt to make one, came to.
#[derive(Debug, thiserror::Error)]
pub(super) enum LinkError {
    #[error("cannot be reached ({0}): is it running, and may this process connect there?")]
    Unreachable(io::Error),
    #[error("has no room for another connection")]
    Full,
    #[error("{0}; is it an auth-client listener of Dovecot?")]
    NotDovecot(&'static str),
    #[error("broke the connection off ({0}); its log says why")]
    Broken(Box<str>),
}

impl From<io::Error> for LinkError {
    /// Of a connection that was open.
    fn from(error: io::Error) -> Self {
        Self::Broken(error.to_string().into())
    }
}

impl Link {
    /// Connects and goes through the handshake.
    pub(super) async fn connect(server: &DovecotServer) -> Result<Self, LinkError> {
        let (mut reader, mut writer) = open(server).await.map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => LinkError::Full,
            _ => LinkError::Unreachable(error),
        })?;
        writer.write_all(protocol::hello(std::process::id()).as_bytes()).await?;
        let mechanisms = handshake(&mut reader).await?;
        let (outgoing, messages) = mpsc::unbounded_channel();
        let waiting = Arc::new(Mutex::new(Waiting::default()));
        tokio::spawn(serve(reader, writer, messages, Arc::clone(&waiting)));
        let (last_id, retired) = (AtomicU32::new(0), AtomicBool::new(false));
        Ok(Self { mechanisms, outgoing, waiting, last_id, since: Instant::now(), retired })
    }

    /// The mechanisms that the server announced for clients, in capitals.
    pub(super) const fn mechanisms(&self) -> &Arc<[Box<str>]> {
        &self.mechanisms
    }

    /// Whether another request may be begun on it.
    pub(super) fn is_open(&self) -> bool {
        let is_retired = self.since.elapsed() >= MAX_AGE || self.retired.load(Ordering::Relaxed);
        !is_retired && lock(&self.waiting).end.is_none()
    }
}

impl Request {
    /// A request of which nothing was sent yet.
    pub(super) fn new(link: Arc<Link>) -> Self {
        let id = link.last_id.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        Self { link, id, stage: Stage::Over }
    }

    /// Sends what `message` makes of the request's number, and waits for the answer.
    pub(super) async fn ask(
        &mut self,
        message: impl FnOnce(u32) -> Message,
    ) -> Result<Answer, LinkError> {
        let (sender, answer) = oneshot::channel();
        lock(&self.link.waiting).add(self.id, sender)?;
        self.stage = Stage::Asked(Instant::now());
        // If the task is gone, so is the sender that it would answer by.
        let _ = self.link.outgoing.send(message(self.id));
        let answer = answer.await;
        self.stage = Stage::Over;
        let answer = answer.map_err(|_| lock(&self.link.waiting).reason())?;
        if matches!(answer, Answer::Challenge(_)) {
            self.stage = Stage::Challenged;
        }
        Ok(answer)
    }
}

impl Drop for Request {
    /// The server forgets the request, and its late answer finds nobody.
    fn drop(&mut self) {
        match self.stage {
            Stage::Over => return,
            Stage::Challenged => {}
            Stage::Asked(since) => {
                let mut waiting = lock(&self.link.waiting);
                waiting.requests.remove(&self.id);
                let was_silent = waiting.heard.is_none_or(|heard| heard <= since);
                if was_silent && since.elapsed() >= SILENCE {
                    self.link.retired.store(true, Ordering::Relaxed);
                }
            }
        }
        let _ = self.link.outgoing.send(protocol::cancel(self.id));
    }
}

/// Where a request stands.
#[derive(Clone, Copy, Debug)]
enum Stage {
    /// The server knows nothing of it, or nothing more.
    Over,
    /// The server has not answered since then.
    Asked(Instant),
    /// The server waits for the client.
    Challenged,
}

/// Who waits for an answer on a link.
#[derive(Debug, Default)]
struct Waiting {
    requests: HashMap<u32, oneshot::Sender<Answer>>,
    /// When the server last said anything.
    heard: Option<Instant>,
    /// Why the connection ended.
    end: Option<Box<str>>,
}

impl Waiting {
    fn add(&mut self, id: u32, sender: oneshot::Sender<Answer>) -> Result<(), LinkError> {
        if self.end.is_some() {
            return Err(self.reason());
        }
        self.requests.insert(id, sender);
        Ok(())
    }

    fn deliver(&mut self, id: u32, answer: Answer) {
        self.heard = Some(Instant::now());
        if let Some(sender) = self.requests.remove(&id) {
            let _ = sender.send(answer);
        }
    }

    fn end(&mut self, reason: &str) {
        self.end = Some(reason.into());
        self.requests.clear();
    }

    fn reason(&self) -> LinkError {
        LinkError::Broken(self.end.as_deref().unwrap_or("the connection is gone").into())
    }
}

/// Tells whoever waits that the connection has ended, however the task ends.
struct LastWords(Arc<Mutex<Waiting>>);

impl Drop for LastWords {
    fn drop(&mut self) {
        let mut waiting = lock(&self.0);
        if waiting.end.is_none() {
            waiting.end("we are shutting down");
        }
    }
}

async fn serve(
    reader: Lines,
    writer: Writer,
    messages: mpsc::UnboundedReceiver<Message>,
    waiting: Arc<Mutex<Waiting>>,
) {
    let last_words = LastWords(waiting);
    let reason = tokio::select! {
        reason = listen(reader, &last_words.0) => reason,
        reason = speak(writer, messages) => reason,
    };
    lock(&last_words.0).end(&reason);
}

/// Delivers answers until the server has no more.
async fn listen(mut reader: Lines, waiting: &Mutex<Waiting>) -> Box<str> {
    loop {
        match reader.next().await {
            Ok(Line::Answer(id, answer)) => lock(waiting).deliver(id, answer),
            Ok(_) => lock(waiting).heard = Some(Instant::now()),
            Err(LinkError::Broken(reason)) => return reason,
            Err(LinkError::NotDovecot(how)) => return format!("it {how}").into(),
            Err(error) => return error.to_string().into(),
        }
    }
}

/// Writes messages until nobody is left who could send one.
async fn speak(mut writer: Writer, mut messages: mpsc::UnboundedReceiver<Message>) -> Box<str> {
    while let Some(message) = messages.recv().await {
        if let Err(error) = writer.write_all(message.as_bytes()).await {
            return error.to_string().into();
        }
    }
    "nobody uses it".into()
}

/// Reads the server's side of the handshake; its mechanisms.
async fn handshake(reader: &mut Lines) -> Result<Arc<[Box<str>]>, LinkError> {
    let mut mechanisms = Vec::new();
    for _ in 0..MAX_HANDSHAKE {
        match reader.next().await? {
            Line::Version(MAJOR_VERSION) => {}
            Line::Version(_) => {
                return Err(LinkError::NotDovecot("speaks another version of the protocol"));
            }
            Line::Mechanism(name) => mechanisms.push(name),
            // After it, a listener for masters waits for us to speak.
            Line::ServerProcess if mechanisms.is_empty() => {
                return Err(LinkError::NotDovecot("announces no mechanism"));
            }
            Line::Done => return Ok(mechanisms.into()),
            Line::ServerProcess | Line::Other => {}
            Line::Answer(..) => {
                return Err(LinkError::NotDovecot("answers before it was asked"));
            }
        }
    }
    Err(LinkError::NotDovecot("does not end its greeting"))
}

/// The lines that the server sends.
struct Lines {
    stream: Box<dyn AsyncRead + Send + Unpin>,
    received: Vec<u8>,
}

type Writer = Box<dyn AsyncWrite + Send + Unpin>;

impl Lines {
    fn new(stream: impl AsyncRead + Send + Unpin + 'static) -> Self {
        Self { stream: Box::new(stream), received: Vec::new() }
    }

    async fn next(&mut self) -> Result<Line, LinkError> {
        let not_dovecot = |Malformed(how)| LinkError::NotDovecot(how);
        loop {
            if let Some(line) = protocol::take_line(&mut self.received).map_err(not_dovecot)? {
                return protocol::parse(&line).map_err(not_dovecot);
            }
            if self.stream.read_buf(&mut self.received).await? == 0 {
                return Err(LinkError::Broken("it closed the connection".into()));
            }
        }
    }
}

async fn open(server: &DovecotServer) -> io::Result<(Lines, Writer)> {
    match server {
        DovecotServer::Unix(path) => {
            let (reader, writer) = UnixStream::connect(path).await?.into_split();
            Ok((Lines::new(reader), Box::new(writer)))
        }
        DovecotServer::Tcp(address) => {
            let stream = TcpStream::connect(&**address).await?;
            stream.set_nodelay(true)?;
            let (reader, writer) = stream.into_split();
            Ok((Lines::new(reader), Box::new(writer)))
        }
    }
}

/// What this lock guards is complete at every step, so a panic elsewhere leaves it sound.
fn lock(waiting: &Mutex<Waiting>) -> MutexGuard<'_, Waiting> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How long requests are begun on a connection. Dovecot's process stays with its clients, and with
/// its old configuration, after Dovecot was told to stop or reload.
const MAX_AGE: Duration = Duration::from_secs(60);

/// A connection on which a request that was given up had waited so long, and heard nothing of
/// any other, gets no more of them. Twice the pause that Dovecot makes before it says no
/// (`auth_failure_delay`).
const SILENCE: Duration = Duration::from_secs(4);

/// The most lines of a handshake.
const MAX_HANDSHAKE: usize = 200;
