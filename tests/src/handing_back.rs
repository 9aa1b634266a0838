//! A content filter that takes a mail whole, hands it back as it is told to, and answers then.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::timeout,
};

use crate::{
    gateway::{Peer, mail},
    wait,
};

/// What a filter does with each mail.
#[derive(Clone, Debug)]
pub struct Plan {
    copies: Vec<Copy>,
    says: Option<&'static str>,
}

/// A copy that it hands back.
#[derive(Clone, Copy, Debug)]
struct Copy {
    change: fn(String) -> String,
    /// Instead of the one that it came with.
    sender: Option<&'static str>,
    /// Instead of all.
    recipients: Option<&'static [&'static str]>,
}

/// It runs until it is dropped.
pub struct HandingBack {
    address: SocketAddr,
    back: watch::Sender<Option<SocketAddr>>,
    book: watch::Sender<Book>,
    _tasks: JoinSet<()>,
}

/// A mail as it came to the filter.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Empty for the null sender.
    pub sender: String,
    /// In their order.
    pub recipients: Vec<String>,
    /// Header and body.
    pub content: String,
}

/// What came.
#[derive(Default)]
struct Book {
    shown: Vec<Shown>,
    /// Mails that have no answer yet.
    open: usize,
    /// The most of them that there were.
    most_open: usize,
}

impl Plan {
    /// Hands it back as it came, and answers what it heard.
    #[must_use]
    pub fn passing() -> Self {
        Self::changing(|content| content)
    }

    /// Hands it back with another content.
    #[must_use]
    pub fn changing(change: fn(String) -> String) -> Self {
        Self::keeping().with(change, None)
    }

    /// Hands nothing back.
    #[must_use]
    pub const fn keeping() -> Self {
        Self { copies: Vec::new(), says: None }
    }

    /// Hands a copy back for these alone, whoever it was for.
    #[must_use]
    pub fn and_for(self, recipients: &'static [&'static str]) -> Self {
        self.with(|content| content, Some(recipients))
    }

    /// Hands it back once more.
    #[must_use]
    pub fn and_again(self) -> Self {
        self.with(|content| content, None)
    }

    /// Hands it back from this sender and for these recipients alone, whoever it was from and for.
    #[must_use]
    pub fn between(mut self, sender: &'static str, recipients: &'static [&'static str]) -> Self {
        for copy in &mut self.copies {
            (copy.sender, copy.recipients) = (Some(sender), Some(recipients));
        }
        self
    }

    /// Answers this at last, whatever it heard.
    #[must_use]
    pub fn saying(self, reply: &'static str) -> Self {
        Self { says: Some(reply), ..self }
    }

    fn with(
        mut self,
        change: fn(String) -> String,
        recipients: Option<&'static [&'static str]>,
    ) -> Self {
        self.copies.push(Copy { change, sender: None, recipients });
        self
    }
}

impl HandingBack {
    /// Listens. Mail that it gets before [`Self::hand_back_to`] waits for that.
    ///
    /// # Panics
    /// If no port is free.
    pub async fn start(plan: Plan) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("loopback");
        let address = listener.local_addr().expect("a bound socket");
        let (back, book) = (watch::Sender::default(), watch::Sender::default());
        let (mut tasks, to, keeps) = (JoinSet::new(), back.subscribe(), book.clone());
        tasks.spawn(async move {
            let mut sessions = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let session = Session::new(stream, plan.clone(), to.clone(), keeps.clone());
                sessions.spawn(async move {
                    let _ = session.run().await;
                });
            }
        });
        Self { address, back, book, _tasks: tasks }
    }

    /// Where it takes mail.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Hands mail back there from now on.
    pub fn hand_back_to(&self, back: SocketAddr) {
        self.back.send_replace(Some(back));
    }

    /// All mails that it got whole so far.
    #[must_use]
    pub fn shown(&self) -> Vec<Shown> {
        self.book.borrow().shown.clone()
    }

    /// Waits until it has got a mail whole.
    ///
    /// # Panics
    /// If none comes.
    pub async fn expect_mail(&self) {
        let mut book = self.book.subscribe();
        let one = book.wait_for(|book| !book.shown.is_empty());
        let came = timeout(wait::PATIENCE, one).await.is_ok();
        assert!(came, "waited for a mail at the filter at {}", self.address);
    }

    /// The most mails that it had at once.
    #[must_use]
    pub fn most_at_once(&self) -> usize {
        self.book.borrow().most_open
    }
}

struct Session {
    stream: BufReader<TcpStream>,
    plan: Plan,
    book: watch::Sender<Book>,
    back: watch::Receiver<Option<SocketAddr>>,
    sender: String,
    recipients: Vec<String>,
}

impl Session {
    fn new(
        stream: TcpStream,
        plan: Plan,
        back: watch::Receiver<Option<SocketAddr>>,
        book: watch::Sender<Book>,
    ) -> Self {
        let stream = BufReader::new(stream);
        Self { stream, plan, book, back, sender: String::new(), recipients: Vec::new() }
    }

    async fn run(mut self) -> std::io::Result<()> {
        self.say("220 filter.test ESMTP").await?;
        loop {
            let line = self.line().await?;
            let address = || line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
            match line.get(..4).unwrap_or_default().to_ascii_uppercase().as_str() {
                "EHLO" => self.say("250-filter.test\r\n250-8BITMIME\r\n250 PIPELINING").await?,
                "MAIL" => {
                    self.sender = address();
                    self.say("250 2.1.0 Ok").await?;
                }
                "RCPT" => {
                    self.recipients.push(address());
                    self.say("250 2.1.5 Ok").await?;
                }
                "DATA" => {
                    self.say("354 go on").await?;
                    let content = self.content().await?;
                    let heard = self.take(content).await;
                    self.say(self.plan.says.unwrap_or(&heard)).await?;
                }
                "QUIT" => return self.say("221 2.0.0 Bye").await,
                _ => self.say("250 2.0.0 Ok").await?,
            }
        }
    }

    async fn content(&mut self) -> std::io::Result<String> {
        let mut content = String::new();
        loop {
            let line = self.line().await?;
            match line.strip_prefix('.') {
                Some("") => return Ok(content),
                Some(rest) => content.push_str(rest),
                None => content.push_str(&line),
            }
            content.push_str("\r\n");
        }
    }

    /// A whole mail. What it heard of it.
    async fn take(&mut self, content: String) -> String {
        let (sender, recipients) = (self.sender.clone(), self.recipients.clone());
        let shown = Shown { sender, recipients, content: content.clone() };
        self.book.send_modify(|book| {
            book.shown.push(shown);
            book.open += 1;
            book.most_open = book.most_open.max(book.open);
        });
        let heard = self.hand_back(content).await;
        // Before the answer, which makes room for the next.
        self.book.send_modify(|book| book.open -= 1);
        heard
    }

    /// What it heard of the last copy.
    async fn hand_back(&mut self, content: String) -> String {
        let mut heard = "250 2.0.0 Ok: kept".to_owned();
        for Copy { change, sender, recipients } in self.plan.copies.clone() {
            let to = self.back.wait_for(Option::is_some).await.ok().and_then(|back| *back);
            let Some(to) = to else { break };
            let mut peer = Peer::connect(to, IpAddr::from(Ipv4Addr::LOCALHOST)).await;
            peer.greet().await;
            let all: Vec<&str> = match recipients {
                Some(these) => these.to_vec(),
                None => self.recipients.iter().map(String::as_str).collect(),
            };
            let sender = sender.unwrap_or(&self.sender);
            let copy = mail().from(sender).content(change(content.clone()));
            let copy = all.into_iter().fold(copy, |copy, one| copy.to(one));
            peer.send(&copy).await.reply().clone_into(&mut heard);
            peer.leave().await;
        }
        heard
    }

    async fn line(&mut self) -> std::io::Result<String> {
        let mut line = String::new();
        match self.stream.read_line(&mut line).await? {
            0 => Err(std::io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(line.trim_end_matches(['\r', '\n']).to_owned()),
        }
    }

    async fn say(&mut self, line: &str) -> std::io::Result<()> {
        self.stream.write_all(format!("{line}\r\n").as_bytes()).await
    }
}
