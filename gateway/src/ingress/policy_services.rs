//! Policy servers are asked here (`check_policy_service`): connections, and how long one waits.
//!
//! The words are in [`mailweir_policy::client`]. A connection carries one question at a time and is kept for the next;
//! one on which more comes than was asked for is never used again.

use std::{
    collections::HashMap,
    io,
    os::fd::AsFd as _,
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use mailweir_filters::restrictions::Instance;
use mailweir_mail::Timestamp;
use mailweir_policy::client::{Answer, AnswerReader, Server, Service, Terms, Trouble};
use rustix::{
    io::Errno,
    net::{RecvFlags, recv},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpStream, UnixStream},
    sync::Semaphore,
    time::{Instant, sleep, sleep_until, timeout},
};

/// Asks policy servers. What one does, or does not, is nothing to the others.
pub(crate) struct PolicyServices {
    /// `None`: nobody is asked, for mails are only supposed.
    known: Option<Mutex<HashMap<Server, Arc<Asked>>>>,
    /// What no other process has in its instances, and how many there were.
    started: String,
    instances: AtomicU64,
}

/// A server that was asked before.
struct Asked {
    server: Server,
    /// A permit for each question that is open.
    questions: Semaphore,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    idle: Vec<Idle>,
    /// Whether a task closes those whose time is over.
    is_watched: bool,
}

/// A connection that waits for the next question.
struct Idle {
    line: Line,
    /// When it is not good for a question any more.
    until: Instant,
}

/// A connection, and what it was used for.
struct Line {
    stream: Stream,
    made: Instant,
    questions: u32,
}

enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// What came of a question on one connection.
struct Exchanged {
    answer: Answer,
    line: Line,
}

impl PolicyServices {
    /// Nobody was asked yet. `now` sets its instances apart from those of other runs.
    pub(crate) fn new(now: Timestamp) -> Self {
        Self {
            known: Some(Mutex::default()),
            started: format!("{:x}.{:x}", std::process::id(), now.as_micros()),
            instances: AtomicU64::new(0),
        }
    }

    /// Asks nobody.
    pub(crate) fn supposed() -> Self {
        Self { known: None, started: "0".to_owned(), instances: AtomicU64::new(0) }
    }

    /// A mail begins: the number of its instance.
    pub(crate) fn begin(&self) -> u64 {
        self.instances.fetch_add(1, Ordering::Relaxed)
    }

    /// A name for what is asked about that mail, that no other mail ever has.
    pub(crate) const fn instance(&self, number: u64) -> Instance<'_> {
        Instance { run: self.started.as_str(), number }
    }

    /// Asks, on the terms, until there is an answer.
    ///
    /// # Errors
    /// There is none, and why the last time.
    pub(crate) async fn ask(
        &self,
        service: &Service,
        terms: &Terms,
        question: &[u8],
    ) -> Result<Answer, Trouble> {
        let Some(known) = &self.known else { return Err(Trouble::Supposed) };
        let asked = asked(known, service.server());
        let Ok(Ok(_permit)) = timeout(terms.timeout, asked.questions.acquire()).await else {
            return Err(Trouble::Crowded(MOST_QUESTIONS));
        };
        let mut tries = 1;
        loop {
            let answered = timeout(terms.timeout, asked.put(terms, question)).await;
            let silent = |_| {
                asked.forget_all();
                Err(Trouble::Silent(terms.timeout))
            };
            match answered.unwrap_or_else(silent) {
                Err(_) if tries < terms.try_limit => {
                    tries += 1;
                    sleep(terms.retry_delay).await;
                }
                done => return done,
            }
        }
    }
}

fn asked(known: &Mutex<HashMap<Server, Arc<Asked>>>, server: &Server) -> Arc<Asked> {
    let mut known = lock(known);
    if let Some(asked) = known.get(server) {
        return Arc::clone(asked);
    }
    let asked = Arc::new(Asked {
        server: server.clone(),
        questions: Semaphore::new(MOST_QUESTIONS),
        kept: Mutex::default(),
    });
    known.insert(server.clone(), Arc::clone(&asked));
    asked
}

impl Asked {
    /// Puts the question. A kept connection that the server has closed meanwhile is nobody's fault: then a new one is
    /// made at once.
    async fn put(self: &Arc<Self>, terms: &Terms, question: &[u8]) -> Result<Answer, Trouble> {
        let exchanged = match self.take() {
            Some(kept) => match kept.exchange(question).await {
                Err(Trouble::Closed | Trouble::Broken(_)) => self.put_anew(question).await?,
                done => done?,
            },
            None => self.put_anew(question).await?,
        };
        let Exchanged { answer, line } = exchanged;
        if !answer.is_more {
            self.keep(line, terms);
        }
        Ok(answer)
    }

    async fn put_anew(&self, question: &[u8]) -> Result<Exchanged, Trouble> {
        let unreachable = |error: io::Error| Trouble::Unreachable(error.to_string().into());
        let stream = Stream::connect(&self.server).await.map_err(unreachable)?;
        Line { stream, made: Instant::now(), questions: 0 }.exchange(question).await
    }

    /// A connection that is good for a question: its time is not over, and nothing has come on it.
    fn take(&self) -> Option<Line> {
        let mut kept = lock(&self.kept);
        kept.forget_old(Instant::now());
        while let Some(Idle { line, .. }) = kept.idle.pop() {
            if line.stream.is_quiet() {
                return Some(line);
            }
        }
        None
    }

    fn keep(self: &Arc<Self>, line: Line, terms: &Terms) {
        let now = Instant::now();
        let until = (now + terms.max_idle).min(line.made + terms.max_ttl);
        let is_used_up = terms.request_limit > 0 && line.questions >= terms.request_limit;
        if is_used_up || until <= now {
            return;
        }
        let mut kept = lock(&self.kept);
        kept.idle.push(Idle { line, until });
        if !std::mem::replace(&mut kept.is_watched, true) {
            tokio::spawn(Arc::clone(self).close_old());
        }
    }

    /// Closes all that are kept: a server that is silent on one may be so on the others, and the next question is not to
    /// find that out one by one.
    fn forget_all(&self) {
        lock(&self.kept).idle.clear();
    }

    /// Closes what nobody needs any more, until there is nothing left.
    async fn close_old(self: Arc<Self>) {
        while let Some(next) = self.close_now() {
            sleep_until(next).await;
        }
    }

    /// Closes those whose time is over; when the next one's is.
    fn close_now(&self) -> Option<Instant> {
        let mut kept = lock(&self.kept);
        kept.forget_old(Instant::now());
        let next = kept.idle.iter().map(|idle| idle.until).min();
        kept.is_watched = next.is_some();
        next
    }
}

impl Kept {
    fn forget_old(&mut self, now: Instant) {
        self.idle.retain(|idle| idle.until > now);
    }
}

/// What the locks guard is changed by single calls, so a panic elsewhere leaves it sound.
fn lock<T>(guarded: &Mutex<T>) -> MutexGuard<'_, T> {
    guarded.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Line {
    async fn exchange(mut self, question: &[u8]) -> Result<Exchanged, Trouble> {
        self.questions = self.questions.saturating_add(1);
        self.stream.write(question).await.map_err(|error| broken(&error))?;
        let mut reader = AnswerReader::default();
        let mut input = [0; 1_024];
        loop {
            let read = self.stream.read(&mut input).await.map_err(|error| broken(&error))?;
            if read == 0 {
                return Err(Trouble::Closed);
            }
            if let Some(answer) = reader.read(&input[..read])? {
                return Ok(Exchanged { answer, line: self });
            }
        }
    }
}

impl Stream {
    async fn connect(server: &Server) -> io::Result<Self> {
        match server {
            Server::Inet(host, port) => {
                let tcp = TcpStream::connect((&**host, *port)).await?;
                tcp.set_nodelay(true)?;
                Ok(Self::Tcp(tcp))
            }
            Server::Unix(path) => Ok(Self::Unix(UnixStream::connect::<&Path>(path).await?)),
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Tcp(tcp) => tcp.write_all(bytes).await,
            Self::Unix(unix) => unix.write_all(bytes).await,
        }
    }

    async fn read(&mut self, input: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(tcp) => tcp.read(input).await,
            Self::Unix(unix) => unix.read(input).await,
        }
    }

    /// Whether nothing has come, and it is not closed. The kernel is asked: the runtime may not have heard yet of what
    /// is there.
    fn is_quiet(&self) -> bool {
        let fd = match self {
            Self::Tcp(tcp) => tcp.as_fd(),
            Self::Unix(unix) => unix.as_fd(),
        };
        let peeked = recv(fd, &mut [0; 1], RecvFlags::PEEK | RecvFlags::DONTWAIT);
        peeked.is_err_and(|error| error == Errno::WOULDBLOCK)
    }
}

/// A connection that was reset is closed.
fn broken(error: &io::Error) -> Trouble {
    match error.kind() {
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => Trouble::Closed,
        _ => Trouble::Broken(error.to_string().into()),
    }
}

/// Questions to one server at once, and so connections; more wait for their turn. As many as Postfix has processes
/// (`default_process_limit`), each with a connection of its own.
const MOST_QUESTIONS: usize = 100;

#[cfg(test)]
mod tests;
