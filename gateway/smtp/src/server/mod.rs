//! The receiving side of the conversation.

use std::{sync::Arc, time::Instant};

use mailweir_mail::{Client, Envelope, Login, Protocol, TlsSummary};

mod forwarded;
mod refused;
mod settings;
mod step;
mod tally;

pub use forwarded::Forwarded;
pub use refused::{Cause, Refused};
pub use settings::{BareNewline, Limits, Mode, Peer, Rights, Settings, TlsMode};
pub use step::{Answer, Question, Step, Unfinished};
pub use tally::Tally;

/// One conversation with one peer.
#[derive(Debug)]
pub struct Session {
    peer: Peer,
    tally: Tally,
    deadline: Instant,
    helo: Option<Box<str>>,
    protocol: Protocol,
    tls: Option<TlsSummary>,
}

impl Session {
    /// A session that has not greeted yet.
    #[must_use]
    pub fn new(settings: Arc<Settings>, peer: Peer, now: Instant) -> Self {
        let deadline = now + settings.limits.timeout;
        Self {
            peer,
            tally: Tally::default(),
            deadline,
            helo: None,
            protocol: Protocol::Smtp,
            tls: None,
        }
    }

    /// The next thing to do, given what was read. Takes from `input` what it needs.
    pub fn next<'a>(&'a mut self, input: &mut &'a [u8], now: Instant) -> Step<'a> {
        let _ = (input, now);
        Step::Close
    }

    /// The answer to [`Step::Ask`].
    pub fn answer(&mut self, answer: Answer) {
        let _ = answer;
    }

    /// TLS is up: after [`Step::StartTls`], or before the first [`Self::next`] (implicit TLS).
    pub fn tls_started(&mut self, summary: TlsSummary) {
        self.tls = Some(summary);
    }

    /// What the client's address allows it; asked for anew after XCLIENT.
    pub fn grant(&mut self, rights: Rights) {
        self.peer.rights = rights;
    }

    /// The verified name of the client, found after the session began.
    pub fn name_client(&mut self, name: Option<Box<str>>) {
        self.peer.client.name = name;
    }

    /// When the peer must have done something.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// The deadline is reached: 421 4.4.2, then close.
    pub fn expire(&mut self) {}

    /// The server is stopping: 421 4.3.2 now, or after the mail that is in flight.
    pub fn shut_down(&mut self) {}

    /// The peer hung up.
    pub fn input_closed(&mut self) {}

    /// What was refused since the last call, one at a time, oldest first.
    pub fn take_refusal(&mut self) -> Option<Refused> {
        None
    }

    /// The client: the peer, or whom PROXY or XCLIENT named.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.peer.client
    }

    /// What the client connected to.
    #[must_use]
    pub fn local(&self) -> std::net::SocketAddr {
        self.peer.local
    }

    /// What the client's address allows it.
    #[must_use]
    pub fn rights(&self) -> Rights {
        self.peer.rights
    }

    /// What the client called itself.
    #[must_use]
    pub fn helo(&self) -> Option<&str> {
        self.helo.as_deref()
    }

    /// The protocol in use.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// Who logged in.
    #[must_use]
    pub fn login(&self) -> Option<&Login> {
        None
    }

    /// The TLS layer.
    #[must_use]
    pub fn tls(&self) -> Option<&TlsSummary> {
        self.tls.as_ref()
    }

    /// The envelope so far: from MAIL (also while its sender is asked about) to the answer to
    /// the end of data.
    #[must_use]
    pub fn transaction(&self) -> Option<&Envelope> {
        None
    }

    /// The envelope by value, while [`Question::EndOfData`] waits for its answer.
    pub fn take_envelope(&mut self) -> Option<Envelope> {
        None
    }

    /// What MAIL said about the size, in bytes.
    #[must_use]
    pub fn declared_size(&self) -> Option<u64> {
        None
    }

    /// Where the mail came from by the word of a trusted relay (XFORWARD). For logs only.
    #[must_use]
    pub fn forwarded(&self) -> Option<&Forwarded> {
        None
    }

    /// What was asked and done, as Postfix logs it at the end.
    #[must_use]
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The last command, for `lost connection after`.
    #[must_use]
    pub fn stage(&self) -> &'static str {
        "CONNECT"
    }

    /// Bytes of content received in the current transaction.
    #[must_use]
    pub fn content_bytes(&self) -> u64 {
        0
    }
}
