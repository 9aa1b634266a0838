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

/// Asks the servers of tables.
pub(crate) struct RemoteServers {
    idle: Mutex<HashMap<Server, Vec<Idle>>>,
    /// A permit for each question that is open.
    questions: Semaphore,
}

/// Where a table is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Server {
    Inet(Box<str>, u16),
    Unix(PathBuf),
}

type Connection = Box<dyn Stream>;

/// A connection that waits for the next question.
struct Idle {
    connection: Connection,
    since: Instant,
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Default for RemoteServers {
    fn default() -> Self {
        Self { idle: Mutex::default(), questions: Semaphore::new(MOST_QUESTIONS) }
    }
}

impl RemoteMaps for RemoteServers {
    fn ask<'a>(&'a self, map: &'a RemoteMap, key: &'a [u8]) -> RemoteAnswer<'a> {
        Box::pin(async move {
            let reason = match timeout(PATIENCE, self.put(map, key)).await {
                Ok(Ok(Reply::Found(value))) => return Ok(Some(value)),
                Ok(Ok(Reply::NotFound)) => return Ok(None),
                Ok(Ok(Reply::Failed(reason))) => reason,
                Ok(Err(error)) => error.to_string().into(),
                Err(_) => "no answer in time".into(),
            };
            Err(LookupError::Remote { table: Arc::from(map.to_string()), reason })
        })
    }
}

impl RemoteServers {
    /// Puts the question; a second time if a kept connection turns out to be closed.
    async fn put(&self, map: &RemoteMap, key: &[u8]) -> io::Result<Reply> {
        let _permit = self.questions.acquire().await.map_err(io::Error::other)?;
        let server = Server::of(map);
        let request = remote::request(map, key);
        if let Some(mut kept) = self.take(&server)
            && let Ok(reply) = exchange(&mut kept, map, &request).await
        {
            self.keep(server, kept);
            return Ok(reply);
        }
        let mut fresh = server.connect().await?;
        let reply = exchange(&mut fresh, map, &request).await?;
        self.keep(server, fresh);
        Ok(reply)
    }

    fn take(&self, server: &Server) -> Option<Connection> {
        let mut idle = self.lock();
        let waiting = idle.get_mut(server)?;
        waiting.retain(|idle| idle.since.elapsed() < KEEP);
        waiting.pop().map(|idle| idle.connection)
    }

    fn keep(&self, server: Server, connection: Connection) {
        let mut idle = self.lock();
        let waiting = idle.entry(server).or_default();
        if waiting.len() < MOST_IDLE {
            waiting.push(Idle { connection, since: Instant::now() });
        }
    }

    /// What the lock guards is changed by single calls, so a panic elsewhere leaves it sound.
    fn lock(&self) -> MutexGuard<'_, HashMap<Server, Vec<Idle>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
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

/// How long a question may take, with connecting. The peer of the session waits meanwhile.
const PATIENCE: Duration = Duration::from_secs(30);

/// Questions to all servers at once; more wait for their turn.
const MOST_QUESTIONS: usize = 100;

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
            let Err(LookupError::Remote { table, reason: said }) =
                servers.ask(&map, key.as_bytes()).await
            else {
                panic!("{key} was answered")
            };
            assert!(table.starts_with("tcp:127.0.0.1:"), "{table}");
            assert_eq!(&*said, reason);
        }
        serving.abort();
        let _ = serving.await;
        assert!(servers.ask(&map, b"nobody").await.is_err());
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
