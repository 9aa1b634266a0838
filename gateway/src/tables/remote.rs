//! Tables that other servers have: `socketmap:` and `tcp:` (socketmap_table(5), tcp_table(5)).
//!
//! The words are in `mailweir_tables::remote`; here are the connections. One carries one question
//! at a time and is kept for the next. A server that does not answer makes the mail wait.

use std::{
    collections::HashMap,
    io,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use mailweir_filters::{RemoteAnswer, RemoteMaps};
use mailweir_tables::{
    LookupError, RemoteMap,
    remote::{self, Reply},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpStream, UnixStream},
    sync::Semaphore,
    time::{Instant, timeout},
};

/// Asks the servers of tables. What one server does, or does not, is nothing to the others.
#[derive(Default)]
pub(crate) struct RemoteServers {
    known: Mutex<HashMap<Server, Arc<Asked>>>,
}

/// Where a table is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Server {
    Inet(Box<str>, u16),
    Unix(PathBuf),
}

/// A server that was asked before.
struct Asked {
    /// A permit for each question that is open.
    questions: Semaphore,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    idle: Vec<Idle>,
    /// It was silent lately: until then nobody waits for it.
    shunned_until: Option<Instant>,
}

type Connection = Box<dyn Stream>;

/// A connection that waits for the next question.
struct Idle {
    connection: Connection,
    since: Instant,
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl RemoteMaps for RemoteServers {
    fn ask<'a>(&'a self, map: &'a RemoteMap, key: &'a [u8]) -> RemoteAnswer<'a> {
        Box::pin(async move {
            let server = Server::of(map);
            let asked = self.asked(&server);
            let table = || Arc::from(map.to_string());
            match asked.patiently(&server, map, key).await {
                Ok(Reply::Found(value)) => Ok(Some(value)),
                Ok(Reply::NotFound) => Ok(None),
                Ok(Reply::Failed(reason)) => Err(LookupError::Declined { table: table(), reason }),
                Err(error) => {
                    let reason = error.to_string().into();
                    Err(LookupError::Remote { table: table(), reason })
                }
            }
        })
    }
}

impl RemoteServers {
    fn asked(&self, server: &Server) -> Arc<Asked> {
        let mut known = lock(&self.known);
        if let Some(asked) = known.get(server) {
            return Arc::clone(asked);
        }
        let (questions, state) = (Semaphore::new(MOST_QUESTIONS), Mutex::default());
        let asked = Arc::new(Asked { questions, state });
        known.insert(server.clone(), Arc::clone(&asked));
        asked
    }
}

impl Asked {
    /// Puts the question in bounded time. A server that was silent is not waited for again at once,
    /// so that a thousand questions do not wait a thousand times.
    async fn patiently(&self, server: &Server, map: &RemoteMap, key: &[u8]) -> io::Result<Reply> {
        let shunned = lock(&self.state).shunned_until;
        if shunned.is_some_and(|until| Instant::now() < until) {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "no answer a moment ago"));
        }
        let waiting = timeout(PATIENCE, self.questions.acquire()).await;
        let Ok(Ok(_permit)) = waiting else {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "too many questions are open"));
        };
        let answer = timeout(PATIENCE, self.put(server, map, key)).await;
        answer.unwrap_or_else(|_| {
            lock(&self.state).shunned_until = Some(Instant::now() + SHUN);
            Err(io::Error::new(io::ErrorKind::TimedOut, "no answer in time"))
        })
    }

    /// Puts the question; a second time if a kept connection turns out to be closed.
    async fn put(&self, server: &Server, map: &RemoteMap, key: &[u8]) -> io::Result<Reply> {
        let request = remote::request(map, key);
        if let Some(mut kept) = self.take()
            && let Ok(reply) = exchange(&mut kept, map, &request).await
        {
            self.keep(kept);
            return Ok(reply);
        }
        let mut fresh = server.connect().await?;
        let reply = exchange(&mut fresh, map, &request).await?;
        self.keep(fresh);
        Ok(reply)
    }

    fn take(&self) -> Option<Connection> {
        let mut state = lock(&self.state);
        state.idle.retain(|idle| idle.since.elapsed() < KEEP);
        state.idle.pop().map(|idle| idle.connection)
    }

    fn keep(&self, connection: Connection) {
        let mut state = lock(&self.state);
        state.idle.retain(|idle| idle.since.elapsed() < KEEP);
        if state.idle.len() < MOST_IDLE {
            state.idle.push(Idle { connection, since: Instant::now() });
        }
    }
}

/// What the locks guard is changed by single calls, so a panic elsewhere leaves it sound.
fn lock<T>(guarded: &Mutex<T>) -> MutexGuard<'_, T> {
    guarded.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Server {
    fn of(map: &RemoteMap) -> Self {
        match map {
            RemoteMap::Tcp { host, port } | RemoteMap::SocketmapInet { host, port, .. } => {
                Self::Inet(host.clone(), *port)
            }
            RemoteMap::SocketmapUnix { path, .. } => Self::Unix(path.clone()),
        }
    }

    async fn connect(&self) -> io::Result<Connection> {
        match self {
            Self::Inet(host, port) => {
                let tcp = TcpStream::connect((&**host, *port)).await?;
                tcp.set_nodelay(true)?;
                Ok(Box::new(tcp))
            }
            Self::Unix(path) => Ok(Box::new(UnixStream::connect(path).await?)),
        }
    }
}

async fn exchange(
    connection: &mut Connection,
    map: &RemoteMap,
    request: &[u8],
) -> io::Result<Reply> {
    connection.write_all(request).await?;
    connection.flush().await?;
    let mut input = Vec::with_capacity(512);
    loop {
        if connection.read_buf(&mut input).await? == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server hung up"));
        }
        // What is no reply is refused before it outgrows the limit of the protocol.
        let read = remote::reply(map, &input).map_err(io::Error::other)?;
        match read {
            // Nobody has asked for more: whose answer would that be?
            Some((_, length)) if length < input.len() => {
                return Err(io::Error::other("the server says more than it was asked"));
            }
            Some((reply, _)) => return Ok(reply),
            None => {}
        }
    }
}

/// How long a question may wait for its turn, and how long for its answer. The peer of the session
/// waits meanwhile.
const PATIENCE: Duration = Duration::from_secs(15);

/// How long nobody waits for a server that was silent.
const SHUN: Duration = Duration::from_secs(5);

/// Questions to one server at once; more wait for their turn.
const MOST_QUESTIONS: usize = 50;

/// Connections to one server that wait for the next question.
const MOST_IDLE: usize = 20;

/// How long a connection waits (Postfix `ipc_idle` and its like).
const KEEP: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncBufReadExt as _, BufReader},
        net::{TcpListener, UnixListener},
        task::JoinHandle,
    };

    use super::*;

    /// Answers each line by what `answer` makes of it, on as many connections as come; ends a
    /// connection after `each` lines.
    async fn server(
        each: usize,
        answer: fn(&str) -> &'static str,
    ) -> (RemoteMap, JoinHandle<usize>) {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = socket.local_addr().unwrap().port();
        let serving = tokio::spawn(async move {
            let mut connections = 0;
            while let Ok((tcp, _)) = socket.accept().await {
                connections += 1;
                let mut tcp = BufReader::new(tcp);
                for _ in 0..each {
                    let mut line = String::new();
                    match tcp.read_line(&mut line).await {
                        Ok(0) | Err(_) => break,
                        Ok(_) if line == "get stop\n" => return connections,
                        Ok(_) => tcp.write_all(answer(&line).as_bytes()).await.unwrap(),
                    }
                }
            }
            connections
        });
        (RemoteMap::Tcp { host: "127.0.0.1".into(), port }, serving)
    }

    fn table(line: &str) -> &'static str {
        match line {
            "get user@a.example\n" => "200 b@b.example\n",
            "get odd\n" => "nonsense\n",
            "get broken\n" => "400 disk%20full\n",
            "get twice\n" => "500 no\n500 no\n",
            _ => "500 no\n",
        }
    }

    #[tokio::test]
    async fn a_server_is_asked_on_a_connection_that_is_kept() {
        let (map, serving) = server(100, table).await;
        let servers = RemoteServers::default();
        for _ in 0..3 {
            let value = servers.ask(&map, b"user@a.example").await;
            assert_eq!(value, Ok(Some(b"b@b.example".to_vec())));
            assert_eq!(servers.ask(&map, b"nobody").await, Ok(None));
        }
        let _ = servers.ask(&map, b"stop").await;
        assert_eq!(serving.await.unwrap(), 1);
    }

    #[tokio::test]
    async fn a_connection_that_the_server_has_closed_is_made_anew() {
        let (map, _serving) = server(1, table).await;
        let servers = RemoteServers::default();
        for _ in 0..3 {
            assert_eq!(servers.ask(&map, b"nobody").await, Ok(None));
        }
    }

    #[tokio::test]
    async fn a_server_that_cannot_tell_talks_nonsense_or_is_gone_is_no_silent_no() {
        let (map, serving) = server(100, table).await;
        let servers = RemoteServers::default();
        for (key, reason) in [
            ("broken", "the server reports a temporary error: disk full"),
            ("odd", "the reply is malformed"),
            ("twice", "the server says more than it was asked"),
        ] {
            let error = servers.ask(&map, key.as_bytes()).await.expect_err(key);
            let (LookupError::Remote { table, reason: said }
            | LookupError::Declined { table, reason: said }) = &error
            else {
                panic!("{key}: {error}")
            };
            assert_eq!(matches!(error, LookupError::Declined { .. }), key == "broken");
            assert!(table.starts_with("tcp:127.0.0.1:"), "{table}");
            assert_eq!(&**said, reason);
        }
        serving.abort();
        let _ = serving.await;
        assert!(servers.ask(&map, b"nobody").await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_is_silent_is_nothing_to_others_and_not_waited_for_twice() {
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = silent.local_addr().unwrap().port();
        let dead = RemoteMap::Tcp { host: "127.0.0.1".into(), port };
        let servers = RemoteServers::default();
        let began = Instant::now();
        let asked = servers.asked(&Server::of(&dead));
        let _all = asked.questions.acquire_many(MOST_QUESTIONS as u32 - 1).await.unwrap();
        assert!(servers.ask(&dead, b"a").await.is_err());
        assert!(began.elapsed() >= PATIENCE);
        let began = Instant::now();
        assert!(servers.ask(&dead, b"b").await.is_err());
        assert!(began.elapsed() < PATIENCE, "nobody waits for it again at once");
        let other = servers.asked(&Server::Inet("127.0.0.1".into(), 1));
        assert_eq!(other.questions.available_permits(), MOST_QUESTIONS);
    }

    #[tokio::test]
    async fn a_socketmap_is_asked_by_its_name() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("maps");
        let socket = UnixListener::bind(&path).unwrap();
        let serving = tokio::spawn(async move {
            let (mut unix, _) = socket.accept().await.unwrap();
            let mut asked = [0; 12];
            unix.read_exact(&mut asked).await.unwrap();
            unix.write_all(b"4:OK b,").await.unwrap();
            asked
        });
        let map = RemoteMap::SocketmapUnix { path, map: "aliases".into() };
        let servers = RemoteServers::default();
        assert_eq!(servers.ask(&map, b"a").await, Ok(Some(b"b".to_vec())));
        assert_eq!(&serving.await.unwrap(), b"9:aliases a,");
    }
}
