//! What is sent, what the server decides at each question, and what must come of it.

use std::sync::Arc;

use mailweir_mail::{BodyType, Domain, Envelope, ReversePath};
use mailweir_smtp::{
    client::{self, ContentText, Credentials, Dialect, Outgoing, TlsPolicy},
    server::{self, Mode, TlsMode},
};

use crate::fuzz_client::normalised;

/// A conversation.
#[derive(Clone, Debug)]
pub struct Plan {
    /// SMTP or LMTP.
    pub dialect: Dialect,
    /// Whether the client sees that the server offers PIPELINING. Some firewalls hide it.
    pub pipelining: bool,
    /// Whether STARTTLS is offered and taken.
    pub tls: bool,
    /// The log-in, if there is one.
    pub log_in: Option<LogIn>,
    /// Bytes of content that the server takes; 0: any number.
    pub message_size: u64,
    /// Recipients of one mail that the server takes.
    pub recipients: usize,
    /// What the server says to the connection.
    pub connect: Say,
    /// What it says to the greeting.
    pub hello: Say,
    /// The mails, in the order they are sent.
    pub mails: Vec<Letter>,
}

/// A log-in at the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogIn {
    /// The mechanism that is offered.
    pub mechanism: &'static str,
    /// What the server says to the credentials, which are right.
    pub say: Say,
}

/// A mail, and what the server says to it.
#[derive(Clone, Debug)]
pub struct Letter {
    /// Sender and recipients.
    pub envelope: Envelope,
    /// The content as it stands in the queue: any bytes.
    pub content: Vec<u8>,
    /// What the server says to MAIL.
    pub sender: Say,
    /// To each RCPT.
    pub judgements: Vec<Say>,
    /// To DATA.
    pub opening: Say,
    /// To the end of data.
    pub end: Say,
}

/// An answer of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Say {
    /// Go on.
    Yes,
    /// 4xx.
    Later,
    /// 5xx.
    Never,
    /// 421, and the server closes.
    Leave,
}

/// What becomes of a recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The server took it and the client knows.
    Delivered,
    /// The server said not now.
    Deferred,
    /// The server said never, or the mail does not fit it.
    Failed,
    /// For another transaction.
    Postponed,
    /// The client cannot know.
    Uncertain,
    /// The mail was not tried.
    Untried,
}

impl Plan {
    /// These mails, over SMTP in clear to a server that takes everything.
    #[must_use]
    pub fn of(mails: Vec<Letter>) -> Self {
        Self {
            dialect: Dialect::Smtp,
            pipelining: true,
            tls: false,
            log_in: None,
            message_size: 0,
            recipients: 1000,
            connect: Say::Yes,
            hello: Say::Yes,
            mails,
        }
    }

    /// Whether a mail can be sent to this server at all.
    #[must_use]
    pub fn fits(&self, mail: usize) -> bool {
        let size = self.mails.get(mail).map_or(0, |mail| mail.content.len() as u64);
        self.message_size == 0 || size <= self.message_size
    }

    /// What must become of each recipient of each mail if the wire holds.
    #[must_use]
    pub fn verdicts(&self) -> Vec<Vec<Verdict>> {
        let log_in = self.log_in.as_ref().map_or(Say::Yes, |log_in| log_in.say);
        let mut open = [self.connect, self.hello, log_in].iter().all(|&say| say == Say::Yes);
        let mut fresh = true;
        let judge = |(at, mail): (usize, &Letter)| {
            let count = mail.judgements.len();
            match (open, self.fits(at)) {
                (false, _) => vec![Verdict::Untried; count],
                (true, false) => vec![Verdict::Failed; count],
                // A server may close a connection between mails, and 421 to MAIL says that it does.
                (true, true) if mail.sender == Say::Leave && !fresh => {
                    open = false;
                    vec![Verdict::Untried; count]
                }
                (true, true) => {
                    let (verdicts, stays) = self.judge(mail, fresh);
                    fresh = false;
                    open = stays;
                    verdicts
                }
            }
        };
        self.mails.iter().enumerate().map(judge).collect()
    }

    /// The verdicts on a mail that is tried, and whether the server stays.
    fn judge(&self, mail: &Letter, fresh: bool) -> (Vec<Verdict>, bool) {
        let mut slots: Vec<Option<Verdict>> = vec![None; mail.judgements.len()];
        for slot in slots.iter_mut().skip(self.recipients.max(1)) {
            *slot = Some(Verdict::Postponed);
        }
        if let Some(verdict) = mail.sender.verdict() {
            return (settled(slots, verdict), mail.sender != Say::Leave);
        }
        for (slot, say) in slots.iter_mut().zip(&mail.judgements).take(self.recipients.max(1)) {
            match say.verdict() {
                Some(verdict) if *say == Say::Leave => {
                    // Replies may have been shifted since the mail before: none is final.
                    if !fresh {
                        forget(&mut slots);
                    }
                    return (settled(slots, verdict), false);
                }
                verdict => *slot = verdict,
            }
        }
        if !slots.contains(&None) {
            return (settled(slots, Verdict::Deferred), true);
        }
        if mail.opening != Say::Yes && !fresh {
            // The last recipient may be the one that was refused.
            return (vec![Verdict::Untried; slots.len()], false);
        }
        if let Some(verdict) = mail.opening.verdict() {
            return (settled(slots, verdict), mail.opening != Say::Leave);
        }
        if self.message_size > 0 && mail.received().len() as u64 > self.message_size {
            return (settled(slots, Verdict::Failed), true);
        }
        if self.dialect == Dialect::Lmtp && mail.end == Say::Leave {
            // The first reply says that no more will come; that more do come is not relied on.
            if let Some(first) = slots.iter_mut().find(|slot| slot.is_none()) {
                *first = Some(Verdict::Deferred);
            }
            return (settled(slots, Verdict::Uncertain), false);
        }
        let verdict = mail.end.verdict().unwrap_or(Verdict::Delivered);
        (settled(slots, verdict), mail.end != Say::Leave)
    }

    pub(super) fn client_settings(&self) -> client::Settings {
        let mut settings = client::Settings::new(domain("mail.example"));
        settings.dialect = self.dialect;
        settings.tls = if self.tls { TlsPolicy::Required } else { TlsPolicy::None };
        settings.credentials = self.log_in.as_ref().map(|_| Credentials {
            user: "relay".into(),
            password: "sesame".into(),
            allow_clear: true,
        });
        settings
    }

    pub(super) fn server_settings(&self) -> server::Settings {
        let mut settings = server::Settings::new(domain("gate.example"));
        settings.mode = match self.dialect {
            Dialect::Smtp => Mode::Mx,
            Dialect::Lmtp => Mode::Lmtp,
        };
        settings.tls = if self.tls { TlsMode::Required } else { TlsMode::None };
        settings.mechanisms = self.log_in.iter().map(|log_in| log_in.mechanism.into()).collect();
        settings.auth_in_clear = true;
        settings.limits.message_size = self.message_size;
        settings.limits.recipients = self.recipients.max(1);
        settings.limits.hard_errors = u32::MAX;
        settings
    }
}

impl Letter {
    /// A mail from `a@from.example` to so many recipients, which the server takes.
    #[must_use]
    pub fn to(recipients: usize, content: impl Into<Vec<u8>>) -> Self {
        let sender = ReversePath::Mailbox("a@from.example".parse().expect("an address"));
        let envelope = (0..recipients).fold(Envelope::from_sender(sender), |envelope, number| {
            envelope.to(format!("r{number}@to.example").parse().expect("an address"))
        });
        Self {
            envelope,
            content: content.into(),
            sender: Say::Yes,
            judgements: vec![Say::Yes; recipients],
            opening: Say::Yes,
            end: Say::Yes,
        }
    }

    /// The content as the server must get it: whole lines of at most 998 bytes, no stray CR or LF.
    #[must_use]
    pub fn received(&self) -> Vec<u8> {
        let mut content = Vec::with_capacity(self.content.len());
        for line in normalised(&self.content) {
            content.extend_from_slice(&line);
            content.extend_from_slice(b"\r\n");
        }
        content
    }

    /// What the server must read as BODY.
    #[must_use]
    pub fn body(&self) -> BodyType {
        if self.content.is_ascii() { BodyType::SevenBit } else { BodyType::EightBitMime }
    }

    pub(super) fn outgoing(&self) -> Outgoing {
        let text =
            if self.content.is_ascii() { ContentText::SevenBit } else { ContentText::EightBit };
        let size = self.content.len() as u64;
        Outgoing::to_all(Arc::new(self.envelope.clone()), size, text)
    }
}

impl Say {
    /// What the answer means to those who wait for it; `None`: they go on.
    const fn verdict(self) -> Option<Verdict> {
        match self {
            Self::Yes => None,
            Self::Never => Some(Verdict::Failed),
            Self::Later | Self::Leave => Some(Verdict::Deferred),
        }
    }
}

/// What was said of recipients counts no more; who is for another transaction stays so.
fn forget(slots: &mut [Option<Verdict>]) {
    let postponed = |slot: &Option<Verdict>| *slot == Some(Verdict::Postponed);
    slots.iter_mut().filter(|slot| !postponed(slot)).for_each(|slot| *slot = None);
}

fn settled(slots: Vec<Option<Verdict>>, rest: Verdict) -> Vec<Verdict> {
    slots.into_iter().map(|slot| slot.unwrap_or(rest)).collect()
}

fn domain(name: &str) -> Domain {
    Domain::parse(name).expect("a name")
}
