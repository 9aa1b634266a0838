//! A policy server of the tests: it answers as a script says, remembers what it was asked, and can be
//! ended and started again at its place.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};

use crate::free_address;

/// A server. Dropping it ends it.
#[derive(Debug)]
pub struct PolicyService {
    address: SocketAddr,
    script: Script,
    book: Arc<Mutex<Book>>,
    serving: JoinHandle<()>,
}

/// What it does with the question of this number, beginning with 0.
pub type Script = fn(usize, &Question) -> Said;

/// What is done with a question.
#[derive(Clone, Debug)]
pub enum Said {
    /// The action is the answer.
    Action(&'static str),
    /// These bytes are sent, whatever they mean.
    Bytes(Vec<u8>),
    /// The same, and then the connection is closed.
    Last(Vec<u8>),
    /// Nothing is said, ever.
    Nothing,
}

/// A question: its attributes in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Question(pub Vec<(String, String)>);

#[derive(Debug, Default)]
struct Book {
    questions: Vec<Question>,
    connections: usize,
}

impl PolicyService {
    /// Starts a server.
    ///
    /// # Panics
    /// If it cannot.
    pub async fn start(script: Script) -> Self {
        let address = free_address().expect("a free address");
        let book = Arc::default();
        let serving = serve(address, script, Arc::clone(&book)).await;
        Self { address, script, book, serving }
    }

    /// Ends it, with all its connections, and starts it again.
    pub async fn restart(&mut self) {
        self.serving.abort();
        let _ = (&mut self.serving).await;
        self.serving = serve(self.address, self.script, Arc::clone(&self.book)).await;
    }

    /// Ends it.
    pub async fn stop(&mut self) {
        self.serving.abort();
        let _ = (&mut self.serving).await;
    }

    /// Where it is, as a restriction names it.
    #[must_use]
    pub fn name(&self) -> String {
        format!("inet:{}", self.address)
    }

    /// What it was asked so far.
    #[must_use]
    pub fn questions(&self) -> Vec<Question> {
        lock(&self.book).questions.clone()
    }

    /// How many connections there were so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        lock(&self.book).connections
    }
}

impl Drop for PolicyService {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Question {
    /// The value of an attribute; empty if there is none.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    /// The names of all attributes.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| &**name).collect()
    }
}

async fn serve(address: SocketAddr, script: Script, book: Arc<Mutex<Book>>) -> JoinHandle<()> {
    let socket = TcpListener::bind(address).await.expect("the address is free");
    tokio::spawn(async move {
        // They end with this.
        let mut connections = JoinSet::new();
        while let Ok((tcp, _)) = socket.accept().await {
            lock(&book).connections += 1;
            connections.spawn(answer(BufReader::new(tcp), script, Arc::clone(&book)));
        }
    })
}

async fn answer(mut tcp: BufReader<TcpStream>, script: Script, book: Arc<Mutex<Book>>) {
    while let Some(question) = read(&mut tcp).await {
        let said = {
            let mut book = lock(&book);
            book.questions.push(question.clone());
            script(book.questions.len() - 1, &question)
        };
        let (bytes, is_last) = match said {
            Said::Action(action) => (format!("action={action}\n\n").into_bytes(), false),
            Said::Bytes(bytes) => (bytes, false),
            Said::Last(bytes) => (bytes, true),
            Said::Nothing => continue,
        };
        if tcp.write_all(&bytes).await.is_err() || is_last {
            return;
        }
    }
}

async fn read(tcp: &mut BufReader<TcpStream>) -> Option<Question> {
    let mut question = Question::default();
    loop {
        let mut line = String::new();
        if tcp.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        match line.trim_end_matches('\n').split_once('=') {
            Some((name, value)) => question.0.push((name.to_owned(), value.to_owned())),
            None => return Some(question),
        }
    }
}

/// What the lock guards is changed by single calls, so a panic elsewhere leaves it sound.
fn lock(book: &Mutex<Book>) -> MutexGuard<'_, Book> {
    book.lock().unwrap_or_else(PoisonError::into_inner)
}
