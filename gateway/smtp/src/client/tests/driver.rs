//! A driver without a socket and without a clock: what a client sends is collected, time is told.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use mailweir_mail::{
    Address, Domain, Envelope, QueueId, Recipient, Reply, ReversePath, Timestamp, TlsSummary,
};

use crate::client::{
    Attempt, Cause, Client, Closed, ContentText, Encoder, Finished, Loss, Outgoing, Pipelining,
    Reports, Settings, Step, TlsPolicy,
};

/// A mail to send: what the client is told, and what the driver streams.
#[derive(Clone)]
pub(crate) struct Mail {
    pub(crate) serial: u32,
    pub(crate) envelope: Envelope,
    pub(crate) text: ContentText,
    pub(crate) size: Option<u64>,
    pub(crate) content: Vec<u8>,
}

/// A mail from `sender@from.example` with one word of content.
pub(crate) fn mail(serial: u32, recipients: &[&str]) -> Mail {
    let sender = ReversePath::Mailbox(Address::parse("sender@from.example").unwrap());
    let mut envelope = Envelope::from_sender(sender);
    let recipient = |text: &&str| Recipient::new(Address::parse(text).unwrap());
    envelope.recipients = recipients.iter().map(recipient).collect();
    let content = format!("mail {serial}\r\n").into_bytes();
    Mail { serial, envelope, text: ContentText::SevenBit, size: None, content }
}

impl Mail {
    pub(crate) fn outgoing(&self) -> Outgoing {
        let size = self.size.unwrap_or(self.content.len() as u64);
        Outgoing::to_all(id(self.serial), Arc::new(self.envelope.clone()), size, self.text)
    }
}

/// Settings without TLS and without a log-in, with all the pipelining there is.
pub(crate) fn plain_settings() -> Settings {
    Settings {
        tls: TlsPolicy::None,
        pipelining: Pipelining::Lookahead,
        ..Settings::new(Domain::parse("mail.example").unwrap())
    }
}

/// Settings without pipelining too.
pub(crate) fn lockstep() -> Settings {
    Settings { pipelining: Pipelining::Off, ..plain_settings() }
}

/// Drives one client. Mails are given as early as the client takes them.
pub(crate) struct Driver {
    pub(crate) client: Client,
    pub(crate) now: Instant,
    mails: VecDeque<Mail>,
    begun: Vec<Mail>,
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
            begun: Vec::new(),
            quits,
            wire: Vec::new(),
            told: Vec::new(),
        }
    }

    /// Does what the client says until it waits for something.
    pub(crate) fn run(&mut self) -> Halt {
        loop {
            self.offer_mail();
            match self.client.next(self.now) {
                Step::Write(bytes) => self.wire.extend_from_slice(bytes),
                Step::Finished(finished) => self.told.extend(describe(&finished)),
                Step::Returned(mail) => self.told.push(format!("{} returned", label(&mail))),
                Step::Read => return Halt::Read,
                Step::StartTls => return Halt::Tls,
                Step::Content(_) => return Halt::Content,
                Step::Ready if self.mails.is_empty() && self.quits => self.client.quit(),
                Step::Ready => return Halt::Ready,
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

    /// Streams the content that the client asked for, in chunks of this size.
    pub(crate) fn send_content(&mut self, chunk: usize) {
        let Step::Content(id) = self.client.next(self.now) else { panic!("no content is due") };
        let mail = self.begun.iter().find(|mail| mail.outgoing().id() == id).unwrap();
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

    fn offer_mail(&mut self) {
        while self.client.has_room()
            && let Some(mail) = self.mails.pop_front()
        {
            self.client.begin(mail.outgoing()).unwrap();
            self.begun.push(mail);
        }
    }
}

fn describe(finished: &Finished) -> Vec<String> {
    let recipients = finished.mail.recipients();
    assert_eq!(recipients.len(), finished.attempts.len(), "one outcome per recipient");
    let id = label(&finished.mail);
    let line = |(to, attempt): (&Recipient, &Attempt)| {
        format!("{id} <{}> {}: {}", to.address, name(attempt), attempt.reply())
    };
    recipients.zip(&finished.attempts).map(line).collect()
}

/// `mail 7` for the mail with the serial number 7.
fn label(mail: &Outgoing) -> String {
    let serial = (0..10).find(|&serial| mail.id() == id(serial));
    format!("mail {}", serial.expect("a serial number of one digit"))
}

fn id(serial: u32) -> QueueId {
    QueueId::new(Timestamp::from_secs(0), serial)
}

fn name(attempt: &Attempt) -> String {
    match attempt {
        Attempt::Delivered { reports: Reports::Ours, .. } => "delivered".to_owned(),
        Attempt::Delivered { reports: Reports::PassedOn, .. } => "delivered with dsn".to_owned(),
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
