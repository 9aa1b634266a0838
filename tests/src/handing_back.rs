//! A content filter that takes a mail whole, hands it back as it is told to, and answers then.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};

use crate::gateway::{Peer, mail};

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
    /// Instead of all.
    recipients: Option<&'static [&'static str]>,
}

/// It runs until it is dropped.
pub struct HandingBack {
    address: SocketAddr,
    back: watch::Sender<Option<SocketAddr>>,
    _tasks: JoinSet<()>,
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
        Self { copies: vec![Copy { change, recipients: None }], says: None }
    }

    /// Hands nothing back.
    #[must_use]
    pub const fn keeping() -> Self {
        Self { copies: Vec::new(), says: None }
    }

    /// Hands a copy back for these alone, whoever it was for.
    #[must_use]
    pub fn and_for(mut self, recipients: &'static [&'static str]) -> Self {
        self.copies.push(Copy { change: |content| content, recipients: Some(recipients) });
        self
    }

    /// Hands it back once more.
    #[must_use]
    pub fn and_again(mut self) -> Self {
        self.copies.push(Copy { change: |content| content, recipients: None });
        self
    }

    /// Answers this at last, whatever it heard.
    #[must_use]
    pub fn saying(self, reply: &'static str) -> Self {
        Self { says: Some(reply), ..self }
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
        let back = watch::Sender::default();
        let (mut tasks, to) = (JoinSet::new(), back.subscribe());
        tasks.spawn(async move {
            let mut sessions = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (plan, to) = (plan.clone(), to.clone());
                sessions.spawn(async move {
                    let _ = Session::new(stream, plan, to).run().await;
                });
            }
        });
        Self { address, back, _tasks: tasks }
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
}

struct Session {
    stream: BufReader<TcpStream>,
    plan: Plan,
    back: watch::Receiver<Option<SocketAddr>>,
    sender: String,
    recipients: Vec<String>,
}

impl Session {
    fn new(stream: TcpStream, plan: Plan, back: watch::Receiver<Option<SocketAddr>>) -> Self {
        let stream = BufReader::new(stream);
        Self { stream, plan, back, sender: String::new(), recipients: Vec::new() }
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
                    let heard = self.hand_back(content).await;
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

    /// What it heard of the last copy.
    async fn hand_back(&mut self, content: String) -> String {
        let mut heard = "250 2.0.0 Ok: kept".to_owned();
        for Copy { change, recipients } in self.plan.copies.clone() {
            let to = self.back.wait_for(Option::is_some).await.ok().and_then(|back| *back);
            let Some(to) = to else { break };
            let mut peer = Peer::connect(to, IpAddr::from(Ipv4Addr::LOCALHOST)).await;
            peer.greet().await;
            let all: Vec<&str> = match recipients {
                Some(these) => these.to_vec(),
                None => self.recipients.iter().map(String::as_str).collect(),
            };
            let copy = mail().from(&self.sender).content(change(content.clone()));
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
