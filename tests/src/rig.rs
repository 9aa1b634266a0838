//! A pure session with a small gateway around it: it serves one domain and knows one user.
//!
//! No sockets and no clock. What a real gateway would decide is decided here by fixed rules, so
//! that the same dialogs can be had with a real one that is configured alike:
//! `local.example` is served and has every user but `unknown`; trusted peers and `alice` with the
//! password `secret` may relay; `@refused.example` may not send; for senders of `@full.example`
//! the disk is full; content with the line `X-Test: reject` is refused at its end. What binds those
//! who log in is off unless a dialog asks for it: see [`Bounds`].

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use mailweir_mail::{
    Address, Client, Enhanced, Envelope, Login, QueueId, Recipient, Reply, Timestamp, TlsSummary,
    header_from::HeaderFrom,
};
use mailweir_smtp::{
    replies::{RecipientTable, Refusal},
    server::{
        Answer, Peer, Question, Refused, Rights, Session, Settings, Step, TlsMode, Unfinished,
    },
};

use crate::dialog::Mail;

mod run;

pub use run::run;

/// A session, what it said, and what it queued.
#[derive(Debug)]
pub struct Rig {
    session: Session,
    now: Instant,
    /// What the session wrote and nobody has read yet.
    pub output: Vec<u8>,
    /// The mails it queued.
    pub queued: Vec<Mail>,
    /// What it refused.
    pub refused: Vec<Refused>,
    /// Where the connection stands.
    pub link: Link,
    intake: Option<Vec<u8>>,
    exchange: Option<Exchange>,
    bounds: Bounds,
    /// What `alice` has sent: mails, and recipients.
    sent: (usize, usize),
}

/// What binds `alice`, once logged in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// `alice@local.example` is hers and `bob@local.example` is not; both need a log-in. She may
    /// use no other address, in the envelope and in From.
    pub senders: bool,
    /// She may send no more mails.
    pub messages: Option<usize>,
    /// She may send to no more recipients in all.
    pub recipients: Option<usize>,
}

/// Where the connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// The session wants to read.
    Open,
    /// The session wants a TLS handshake.
    Handshake,
    /// The session has closed.
    Closed,
}

/// A log-in in progress.
#[derive(Debug)]
enum Exchange {
    External,
    Plain,
    LoginUser,
    LoginPassword(Vec<u8>),
}

/// How packets are divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Division {
    /// Not at all.
    Whole,
    /// Into single bytes.
    Bytes,
    /// Into two, after so many bytes.
    After(usize),
}

impl Rig {
    /// A session that is about to greet.
    #[must_use]
    pub fn new(settings: Settings, rights: Rights, now: Instant) -> Self {
        let tls = settings.tls;
        let peer = Peer {
            client: Client::unnamed(([192, 0, 2, 1], 4711).into()),
            local: ([192, 0, 2, 25], 25).into(),
            rights,
        };
        let mut session = Session::new(Arc::new(settings), peer, now);
        if tls == TlsMode::Implicit {
            session.tls_started(tls_summary());
        }
        Self {
            session,
            now,
            output: Vec::new(),
            queued: Vec::new(),
            refused: Vec::new(),
            link: Link::Open,
            intake: None,
            exchange: None,
            bounds: Bounds::default(),
            sent: (0, 0),
        }
    }

    /// The same, with bounds.
    #[must_use]
    pub fn bound(self, bounds: Bounds) -> Self {
        Self { bounds, ..self }
    }

    /// The session.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Whether mail content is open that was neither queued nor dropped.
    #[must_use]
    pub fn has_open_intake(&self) -> bool {
        self.intake.is_some()
    }

    /// Gives bytes to the session and does all it wants.
    pub fn receive(&mut self, bytes: &[u8]) {
        let mut input = bytes;
        loop {
            let step = match self.session.next(&mut input, self.now) {
                Step::Ask(question) => Some(question),
                Step::Write(bytes) => {
                    self.output.extend(bytes);
                    None
                }
                Step::Content(piece) => {
                    assert!(!piece.is_empty(), "an empty piece of content");
                    self.intake.as_mut().expect("content without an intake").extend(piece);
                    None
                }
                Step::Abandoned(Unfinished::Content) => {
                    self.intake.take().expect("no intake to drop");
                    None
                }
                Step::Abandoned(Unfinished::Auth) => {
                    self.exchange.take().expect("no log-in to drop");
                    None
                }
                Step::Read => return self.rest(Link::Open, input),
                Step::StartTls => return self.rest(Link::Handshake, input),
                Step::Close => return self.rest(Link::Closed, input),
            };
            if let Some(question) = step {
                let answer = self.decide(question);
                self.session.answer(answer);
            }
            self.refused.extend(std::iter::from_fn(|| self.session.take_refusal()));
        }
    }

    fn rest(&mut self, link: Link, input: &[u8]) {
        assert!(input.is_empty(), "input was left over");
        self.refused.extend(std::iter::from_fn(|| self.session.take_refusal()));
        if link == Link::Closed {
            self.intake = None;
            self.exchange = None;
        }
        self.link = link;
    }

    /// Gives a packet to the session, divided.
    pub fn receive_divided(&mut self, packet: &[u8], division: Division) {
        let pieces: Vec<&[u8]> = match division {
            Division::Whole => vec![packet],
            Division::Bytes => packet.chunks(1).collect(),
            Division::After(at) => {
                let (a, b) = packet.split_at(at.min(packet.len()));
                vec![a, b]
            }
        };
        for piece in pieces {
            // What was sent in clear after STARTTLS is lost in the handshake.
            if self.link == Link::Open {
                self.receive(piece);
            }
        }
    }

    /// The handshake; the client may show a certificate of `alice`.
    pub fn start_tls(&mut self, certified: bool) {
        assert_eq!(self.link, Link::Handshake, "the session wants no handshake");
        self.session.tls_started(tls_summary());
        if certified {
            self.session.client_certified();
        }
        self.receive(b"");
    }

    /// The client is gone.
    pub fn hang_up(&mut self) {
        self.session.input_closed();
        self.receive(b"");
    }

    /// The deadline passes.
    pub fn time_out(&mut self) {
        self.now = self.session.deadline();
        self.session.expire(self.now);
        self.receive(b"");
    }

    /// Time passes; `true` if the session is out of time.
    pub fn pass(&mut self, time: Duration) -> bool {
        self.now += time;
        self.now >= self.session.deadline()
    }

    /// The server is told to stop.
    pub fn shut_down(&mut self) {
        self.session.shut_down();
        self.receive(b"");
    }

    fn decide(&mut self, question: Question) -> Answer {
        match question {
            // After XCLIENT the client keeps the rights of a stranger.
            Question::Connect => Answer::Proceed,
            Question::Hello => self.judge_hello(),
            Question::Sender => self.judge_sender(),
            Question::Recipient(recipient) => self.judge_recipient(recipient),
            Question::Content => self.open_intake(),
            Question::EndOfData => self.commit(),
            Question::AuthStart { mechanism, initial } => self.begin_login(&mechanism, initial),
            Question::AuthResponse(response) => self.go_on_with_login(response),
        }
    }

    fn judge_hello(&self) -> Answer {
        match self.session.helo() {
            Some("refused.example") => {
                Answer::Refuse(Refusal::HelloNotQualified("refused.example".into()))
            }
            _ => Answer::Proceed,
        }
    }

    fn judge_sender(&self) -> Answer {
        let sender = &self.session.transaction().expect("a sender without envelope").sender;
        if sender.as_str().ends_with("@refused.example") {
            return Answer::Refuse(Refusal::SenderRejected(sender.clone(), "Access denied".into()));
        }
        let messages = self.sent.0 + 1;
        match (self.session.login(), self.bounds.messages) {
            (Some(login), Some(limit)) if messages > limit => {
                let limit = format!("more than {limit} messages in an hour");
                Answer::Refuse(Refusal::SentEnough(login.user.clone(), limit.into()))
            }
            _ => Answer::Proceed,
        }
    }

    /// Who may use which sender is judged for each recipient, as Postfix does.
    fn judge_bounds(&self) -> Result<(), Refusal> {
        let envelope = self.session.transaction().expect("a recipient without envelope");
        let login = self.session.login().map(|login| login.user.clone());
        if let (true, Some(sender)) = (self.bounds.senders, envelope.sender.address()) {
            let refused = match login {
                Some(_) if is_alice(sender) => None,
                Some(ref login) => {
                    Some(Refusal::SenderNotOwned(sender.clone().into(), login.clone()))
                }
                None if self.session.rights().trusted || !is_owned(sender) => None,
                None => Some(Refusal::SenderNotLoggedIn(sender.clone().into())),
            };
            refused.map_or(Ok(()), Err)?;
        }
        let recipients = self.sent.1 + envelope.recipients.len() + 1;
        match (login, self.bounds.recipients) {
            (Some(login), Some(limit)) if recipients > limit => {
                let limit = format!("more than {limit} recipients in an hour");
                Err(Refusal::SentEnough(login, limit.into()))
            }
            _ => Ok(()),
        }
    }

    fn judge_from(&self, content: &[u8]) -> Result<(), Refusal> {
        let Some(login) = self.session.login().filter(|_| self.bounds.senders) else {
            return Ok(());
        };
        let mut from = HeaderFrom::default();
        from.feed(content);
        let named =
            from.addresses().map_err(|doubt| Refusal::FromUnclear(doubt.to_string().into()))?;
        let other = named.into_iter().find(|address| !is_alice(address));
        other.map_or(Ok(()), |other| Err(Refusal::FromNotOwned(other, login.user.clone())))
    }

    fn judge_recipient(&self, recipient: Recipient) -> Answer {
        let Recipient { address, .. } = recipient;
        if let Err(refusal) = self.judge_bounds() {
            return Answer::Refuse(refusal);
        }
        let trusted = self.session.rights().trusted || self.session.login().is_some();
        if !trusted && !is_served(&address) {
            return Answer::Refuse(Refusal::RelayDenied(address));
        }
        if address.local_part() == "unknown" {
            return Answer::Refuse(Refusal::UnknownRecipient(address, RecipientTable::Relay));
        }
        Answer::Proceed
    }

    fn open_intake(&mut self) -> Answer {
        assert!(self.intake.is_none(), "two intakes at once");
        let envelope = self.session.transaction().expect("content without envelope");
        assert!(!envelope.recipients.is_empty(), "content without recipients");
        if envelope.sender.as_str().ends_with("@full.example") {
            return Answer::Refuse(Refusal::InsufficientStorage);
        }
        self.intake = Some(Vec::new());
        Answer::Proceed
    }

    fn commit(&mut self) -> Answer {
        let content = self.intake.take().expect("an end without an intake");
        if content.split(|&byte| byte == b'\n').any(|line| line == b"X-Test: reject\r") {
            let text = "Content refused";
            return Answer::Refuse(Refusal::Rule(Reply::new(550, Enhanced(5, 7, 1), text)));
        }
        if let Err(refusal) = self.judge_from(&content) {
            return Answer::Refuse(refusal);
        }
        assert_eq!(self.session.content_bytes(), content.len() as u64);
        let envelope = self.session.take_envelope().expect("a mail without envelope");
        self.sent = (self.sent.0 + 1, self.sent.1 + envelope.recipients.len());
        self.queued.push(Mail { envelope: shown(&envelope), content });
        let arrival = Timestamp::from_secs(1_795_210_205);
        let serial = u32::try_from(self.queued.len()).expect("few mails");
        Answer::Accepted(QueueId::new(arrival, serial))
    }

    fn begin_login(&mut self, mechanism: &str, initial: Option<Vec<u8>>) -> Answer {
        self.exchange = Some(match mechanism {
            "EXTERNAL" => Exchange::External,
            "PLAIN" => Exchange::Plain,
            _ => Exchange::LoginUser,
        });
        match (initial, mechanism) {
            (Some(response), _) => self.go_on_with_login(response),
            (None, "EXTERNAL" | "PLAIN") => Answer::Challenge(Vec::new()),
            (None, _) => Answer::Challenge(b"Username:".to_vec()),
        }
    }

    fn go_on_with_login(&mut self, response: Vec<u8>) -> Answer {
        let (mechanism, right) = match self.exchange.take().expect("a response without log-in") {
            Exchange::External => ("EXTERNAL", response.is_empty() || response == b"alice"),
            Exchange::Plain => ("PLAIN", response == b"\0alice\0secret"),
            Exchange::LoginUser => {
                self.exchange = Some(Exchange::LoginPassword(response));
                return Answer::Challenge(b"Password:".to_vec());
            }
            Exchange::LoginPassword(user) => ("LOGIN", user == b"alice" && response == b"secret"),
        };
        if !right {
            return Answer::Refuse(Refusal::AuthFailed);
        }
        Answer::LoggedIn(Login { user: "alice".into(), mechanism: mechanism.into() })
    }
}

fn is_served(address: &Address) -> bool {
    let served = address.domain().as_ascii() == "local.example"
        || address.is_postmaster() && address.domain().as_ascii() == "gate.example";
    served && !address.asks_for_routing()
}

fn is_alice(address: &Address) -> bool {
    address.as_str().eq_ignore_ascii_case("alice@local.example")
}

fn is_owned(address: &Address) -> bool {
    is_alice(address) || address.as_str() == "bob@local.example"
}

fn shown(envelope: &Envelope) -> String {
    let to = envelope.recipients.iter().map(|to| format!(" <{}>", to.address));
    format!("<{}> ->{}", envelope.sender, to.collect::<String>())
}

fn tls_summary() -> TlsSummary {
    TlsSummary { version: "TLSv1.3".into(), cipher: "TLS_AES_256_GCM_SHA384".into(), bits: 256 }
}
