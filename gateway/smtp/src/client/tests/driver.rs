//! A driver without a socket and without a clock: what a client sends is collected, time is told.

use std::{
    collections::VecDeque,
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use mailweir_mail::{
    Address, Domain, Envelope, Forwarded, Recipient, Reply, ReversePath, TlsSummary,
};

use crate::client::{
    Attempt, Cause, Client, Closed, ContentText, Encoder, Loss, Outgoing, Reports, Settings, Step,
    TlsPolicy,
};

/// A mail to send: what the client is told, and what the driver streams.
#[derive(Clone)]
pub(crate) struct Mail {
    pub(crate) serial: u32,
    pub(crate) envelope: Envelope,
    pub(crate) text: ContentText,
    pub(crate) size: Option<u64>,
    pub(crate) content: Vec<u8>,
    pub(crate) is_probe: bool,
    pub(crate) forwarded: Option<Forwarded>,
}

/// A mail from `sender@from.example` with one line of content. Its recipients are words, each the
/// local part of an address at `x.example`.
pub(crate) fn mail(serial: u32, recipients: &str) -> Mail {
    let sender = ReversePath::Mailbox(Address::parse("sender@from.example").unwrap());
    let mut envelope = Envelope::from_sender(sender);
    let address = |local: &str| Address::parse(&format!("{local}@x.example")).unwrap();
    let words = recipients.split_whitespace();
    envelope.recipients = words.map(|local| Recipient::new(address(local))).collect();
    let content = format!("mail {serial}\r\n").into_bytes();
    let text = ContentText::SevenBit;
    Mail { serial, envelope, text, size: None, content, is_probe: false, forwarded: None }
}

/// A question whether mail to this recipient would be taken.
pub(crate) fn probe(serial: u32, recipient: &str) -> Mail {
    Mail { is_probe: true, ..mail(serial, recipient) }
}

impl Mail {
    pub(crate) fn outgoing(&self) -> Outgoing {
        if self.is_probe {
            return Outgoing::probe(Arc::new(self.envelope.clone()), 0);
        }
        let size = self.size.unwrap_or(self.content.len() as u64);
        let outgoing = Outgoing::to_all(Arc::new(self.envelope.clone()), size, self.text);
        match &self.forwarded {
            None => outgoing,
            Some(from) => outgoing.forwarded(Arc::new(from.clone())),
        }
    }

    /// What became of each recipient, one line each.
    fn describe(&self, attempts: &[Attempt]) -> Vec<String> {
        let recipients = &self.envelope.recipients;
        assert_eq!(recipients.len(), attempts.len(), "one outcome per recipient");
        let line = |(to, attempt): (&Recipient, &Attempt)| {
            format!("{self} <{}> {}: {}", to.address, name(attempt), attempt.reply())
        };
        recipients.iter().zip(attempts).map(line).collect()
    }
}

impl fmt::Display for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mail {}", self.serial)
    }
}

/// Settings without TLS and without a log-in.
pub(crate) fn plain_settings() -> Settings {
    let hostname = Domain::parse("mail.example").unwrap();
    Settings { tls: TlsPolicy::None, ..Settings::new(hostname) }
}

/// Drives one client, and gives it one mail after the other.
pub(crate) struct Driver {
    pub(crate) client: Client,
    pub(crate) now: Instant,
    mails: VecDeque<Mail>,
    pub(crate) in_hand: Option<Mail>,
    quits: bool,
    /// What was sent since it was last looked at.
    pub(crate) wire: Vec<u8>,
    /// What the client said about mails and about its end, one line each.
    pub(crate) told: Vec<String>,
}

/// What a driver waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Halt {
    Read,
    Tls,
    Content,
    Ready,
    Closed,
}

impl Driver {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test begins at some moment; later ones are reckoned from it"
    )]
    pub(crate) fn new(settings: Settings, mails: Vec<Mail>, quits: bool) -> Self {
        let now = Instant::now();
        Self {
            client: Client::new(Arc::new(settings), "mx.example[192.0.2.1]", now),
            now,
            mails: mails.into(),
            in_hand: None,
            quits,
            wire: Vec::new(),
            told: Vec::new(),
        }
    }

    /// Does what the client says until it waits for something.
    pub(crate) fn run(&mut self) -> Halt {
        loop {
            match self.client.next(self.now) {
                Step::Write(bytes) => self.wire.extend_from_slice(bytes),
                Step::Finished(attempts) => {
                    let mail = self.in_hand.take().expect("a mail in hand");
                    self.told.extend(mail.describe(&attempts));
                }
                Step::Returned => {
                    let mail = self.in_hand.take().expect("a mail in hand");
                    self.told.push(format!("{mail} returned"));
                }
                Step::Read => return Halt::Read,
                Step::StartTls => return Halt::Tls,
                Step::Content => return Halt::Content,
                Step::Ready => match self.mails.pop_front() {
                    Some(mail) => {
                        self.client.begin(mail.outgoing()).unwrap();
                        self.in_hand = Some(mail);
                    }
                    None if self.quits => self.client.quit(),
                    None => return Halt::Ready,
                },
                Step::Close(closed) => {
                    let line = describe_end(closed);
                    if self.told.last() != Some(&line) {
                        self.told.push(line);
                    }
                    return Halt::Closed;
                }
            }
        }
    }

    /// Hears these replies, each when it waits for one.
    pub(crate) fn hear(&mut self, replies: &[&str]) {
        for reply in replies {
            assert_eq!(self.run(), Halt::Read);
            self.client.receive(format!("{reply}\r\n").as_bytes());
        }
    }

    /// Goes on to the content of the first mail, which has one recipient, with a peer that offers
    /// nothing.
    pub(crate) fn lead_to_content(&mut self) {
        self.hear(&["220 mx", "250 mx", "250 ok", "250 ok", "354 go"]);
        assert_eq!(self.run(), Halt::Content);
    }

    /// Streams the content that the client asked for, in chunks of this size.
    pub(crate) fn send_content(&mut self, chunk: usize) {
        assert_eq!(self.client.next(self.now), Step::Content);
        let mail = self.in_hand.as_ref().expect("a mail in hand");
        let mut encoder = Encoder::new();
        for part in mail.content.chunks(chunk.max(1)) {
            encoder.encode_into(part, &mut self.wire);
            self.client.content_progress(self.now);
        }
        self.wire.extend_from_slice(encoder.finish());
        self.client.content_sent();
    }

    pub(crate) fn start_tls(&mut self) {
        let (version, cipher) = ("TLSv1.3".into(), "TLS_AES_256_GCM_SHA384".into());
        self.client.tls_started(TlsSummary { version, cipher, bits: 256 });
    }

    pub(crate) fn lose(&mut self) {
        self.client.input_closed(Loss::Closed);
    }

    /// Lets the time pass that the client gives its peer.
    pub(crate) fn wait_in_vain(&mut self) {
        let deadline = self.client.deadline().expect("the client waits for ever");
        self.client.expire(deadline - Duration::from_millis(1));
        self.now = deadline;
        self.client.expire(deadline);
    }
}

fn name(attempt: &Attempt) -> String {
    match attempt {
        Attempt::Delivered { reports: Reports::Ours, .. } => "delivered".to_owned(),
        Attempt::Delivered { reports: Reports::PassedOn, .. } => "delivered with dsn".to_owned(),
        Attempt::Accepted { .. } => "accepted".to_owned(),
        Attempt::Deferred { cause, .. } => format!("deferred {}", origin(*cause)),
        Attempt::Failed { cause, .. } => format!("failed {}", origin(*cause)),
        Attempt::Uncertain { .. } => "uncertain".to_owned(),
        Attempt::Postponed { .. } => "postponed".to_owned(),
    }
}

fn origin(cause: Cause) -> String {
    match cause {
        Cause::Replied(phase) => format!("by {phase:?}"),
        Cause::Broken(phase) => format!("broken in {phase:?}"),
        Cause::Local => "locally".to_owned(),
    }
}

fn describe_end(closed: &Closed) -> String {
    match closed {
        Closed::Quit => "quit".to_owned(),
        Closed::RetryInClear { reply } => format!("retry in clear: {reply}"),
        Closed::Faulty { reply, cause } => format!("closed {}: {reply}", origin(*cause)),
    }
}

/// A reply as a server writes it.
pub(crate) fn wire(reply: &Reply) -> Vec<u8> {
    let lines: Vec<&str> = reply.text.split('\n').collect();
    let enhanced = reply.enhanced.map(|code| format!("{code} ")).unwrap_or_default();
    let line = |(at, text): (usize, &&str)| {
        let mark = if at + 1 < lines.len() { '-' } else { ' ' };
        format!("{}{mark}{enhanced}{text}\r\n", reply.code)
    };
    lines.iter().enumerate().map(line).collect::<String>().into_bytes()
}
