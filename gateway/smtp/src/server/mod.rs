//! The receiving side of the conversation.
//!
//! A [`Session`] is pulled: the driver calls [`Session::next`] with what it has read and does
//! what the [`Step`] says. All verbs, their order, limits and replies are in here; sockets, TLS,
//! time and every decision about who may send what are in the driver. One file per state:
//!
//! `greeting` -> `commands` dispatches to `transaction`, `chunking`, `auth`, `forwarded` and
//! `proxied` -> `content` -> the end of data, and back. `state` says which states there are.

use std::{net::SocketAddr, sync::Arc, time::Instant};

use mailweir_mail::{Address, Client, Envelope, Forwarded, Login, Protocol, TlsSummary};

use crate::replies::{Fault, Refusal};

use self::{
    clock::Clock,
    dialog::{Dialog, Identity},
    lines::{Limit, LineBuffer},
    state::{Asked, Effect, State},
};

mod attributes;
mod auth;
mod chunking;
mod clock;
mod command;
mod commands;
mod content;
mod dialog;
mod forwarded;
mod framing;
mod greeting;
mod lines;
mod parameters;
mod path;
mod proxied;
mod refused;
mod settings;
mod shown_certificate;
mod state;
mod step;
mod tally;
mod transaction;
mod xtext;

pub use refused::{Cause, Refused};
pub use settings::{BareNewline, Limits, Mode, Needs, Offer, Peer, Rights, Settings, TlsMode};
pub use shown_certificate::ShownCertificate;
pub use step::{Answer, Question, Step, Unfinished};
pub use tally::Tally;

/// One conversation with one peer.
///
/// ```
/// # use std::{sync::Arc, time::Instant};
/// # use mailweir_smtp::server::{Answer, Peer, Question, Rights, Session, Settings, Step};
/// # use mailweir_mail::{Client, Domain};
/// let settings = Arc::new(Settings::new(Domain::parse("gate.example")?));
/// let peer = Peer {
///     client: Client::unnamed(([192, 0, 2, 1], 4711).into()),
///     local: ([192, 0, 2, 25], 25).into(),
///     rights: Rights::NONE,
/// };
/// let now = Instant::now();
/// let mut session = Session::new(settings, peer, now);
/// let mut input: &[u8] = b"";
/// assert_eq!(session.next(&mut input, now), Step::Ask(Question::Connect));
/// session.answer(Answer::Proceed);
/// assert_eq!(session.next(&mut input, now), Step::Write(b"220 gate.example ESMTP Mailweir\r\n"));
/// assert_eq!(session.next(&mut input, now), Step::Read);
/// # Ok::<(), mailweir_mail::AddressError>(())
/// ```
#[derive(Debug)]
pub struct Session {
    state: State,
    dialog: Dialog,
    lines: LineBuffer,
}

impl Session {
    /// A session that has not greeted yet.
    #[must_use]
    pub fn new(settings: Arc<Settings>, peer: Peer, now: Instant) -> Self {
        let clock = Clock::new(&settings.limits, now);
        Self {
            state: State::Asked(Asked::Connect),
            dialog: Dialog::new(settings, peer, clock),
            lines: LineBuffer::default(),
        }
    }

    /// The next thing to do. Takes from `input` what it needs; with [`Step::Read`] all is taken.
    ///
    /// Bytes that came before the greeting are an offence unless [`Settings::may_talk_ahead`]. To see
    /// them, the driver passes what a read without waiting yields when it calls this the first time
    /// after the answer to [`Question::Connect`].
    pub fn next<'s, 'i: 's>(&'s mut self, input: &mut &'i [u8], now: Instant) -> Step<'s> {
        self.dialog.outbox.settle();
        loop {
            if let Some(unfinished) = self.dialog.abandoned.take() {
                return Step::Abandoned(unfinished);
            }
            let step = match self.turn(input) {
                Effect::Continue => continue,
                Effect::Ask(question) => return Step::Ask(question),
                Effect::Content(bytes) => return Step::Content(bytes),
                Effect::Read => Step::Read,
                Effect::StartTls => Step::StartTls,
                Effect::Close => Step::Close,
            };
            self.dialog.clock.wait(&self.dialog.settings.limits, now);
            if self.dialog.outbox.is_empty() {
                return step;
            }
            return Step::Write(self.dialog.outbox.lend());
        }
    }

    /// The answer to [`Step::Ask`]. Without a question it changes nothing.
    pub fn answer(&mut self, answer: Answer) {
        self.dialog.clock.rest();
        self.state = match std::mem::replace(&mut self.state, State::Closing) {
            State::Asked(asked) => asked.answer(answer, &mut self.dialog),
            other => other,
        };
    }

    /// TLS is up: after [`Step::StartTls`], or before the first [`Self::next`] (implicit TLS).
    /// What the peer said before is forgotten (RFC 3207 section 4.2).
    pub fn tls_started(&mut self, summary: TlsSummary) {
        self.dialog.identity = Identity { tls: Some(summary), ..Identity::default() };
        self.dialog.forwarded = None;
        self.dialog.clock.rest();
        self.lines.clear();
        if matches!(self.state, State::StartTls) {
            self.state = State::Ready;
        }
    }

    /// The client has shown a certificate in the TLS handshake that proves who it is: mechanisms
    /// with [`Needs::Certificate`] are offered from now on. Call it after [`Self::tls_started`].
    pub fn client_certified(&mut self) {
        self.dialog.identity.certified = true;
    }

    /// What rules may ask of the certificate that the client has shown in the TLS handshake,
    /// whatever it is worth. Call it after [`Self::tls_started`]; XCLIENT takes it away.
    pub fn certificate_shown(&mut self, certificate: ShownCertificate) {
        self.dialog.identity.certificate = Some(Box::new(certificate));
    }

    /// The client's certificate, if [`Self::certificate_shown`] told of one.
    #[must_use]
    pub fn certificate(&self) -> Option<&ShownCertificate> {
        self.dialog.identity.certificate.as_deref()
    }

    /// Takes a log-in that the driver vouches for, such as one that is only supposed.
    pub fn suppose_login(&mut self, login: Login) {
        self.dialog.identity.login = Some(login);
    }

    /// What the client's address allows it. XCLIENT takes all rights away: grant anew before the
    /// answer to the [`Question::Connect`] that follows. A client without a known address gets
    /// [`Rights::NONE`], whatever networks the driver trusts (`attacks.md` A20).
    pub fn grant(&mut self, rights: Rights) {
        self.dialog.peer.rights = if self.address_known() { rights } else { Rights::NONE };
    }

    /// The verified name of the client, found after the session began.
    pub fn name_client(&mut self, name: Option<Box<str>>) {
        self.dialog.peer.client.name = name;
    }

    /// When the peer must have done something: valid after [`Step::Read`], [`Step::Write`] and
    /// [`Step::StartTls`]. Then [`Self::expire`].
    #[must_use]
    pub fn deadline(&self) -> Instant {
        self.dialog.clock.deadline()
    }

    /// The deadline is reached: 421 4.4.2, then close. What was in flight is dropped.
    pub fn expire(&mut self, now: Instant) {
        if !matches!(self.state, State::Closing) {
            self.dialog.farewell(&Fault::Timeout.reply(self.dialog.hostname()));
            self.state = State::Closing;
        }
        self.dialog.clock.last_moment(now);
    }

    /// The server is stopping: 421 4.3.2 now, or after the mail that is in flight.
    pub fn shut_down(&mut self) {
        self.dialog.stopping = true;
    }

    /// The peer hung up: close, and say nothing.
    pub fn input_closed(&mut self) {
        self.dialog.outbox.clear();
        self.state = State::Closing;
    }

    /// What was refused since the last call, one at a time, oldest first. Ask after every step.
    pub fn take_refusal(&mut self) -> Option<Refused> {
        self.dialog.refusals.pop_front()
    }

    /// The client: the peer, or whom PROXY or XCLIENT named.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.dialog.peer.client
    }

    /// Whether the client's address is known. A proxy that knows none says so in XCLIENT
    /// (`ADDR=[UNAVAILABLE]`); [`Self::client`] then has the unspecified address.
    #[must_use]
    pub fn address_known(&self) -> bool {
        !self.client().ip().is_unspecified()
    }

    /// What the client connected to.
    #[must_use]
    pub fn local(&self) -> SocketAddr {
        self.dialog.peer.local
    }

    /// What the client's address allows it.
    #[must_use]
    pub fn rights(&self) -> Rights {
        self.dialog.peer.rights
    }

    /// What the client called itself.
    #[must_use]
    pub fn helo(&self) -> Option<&str> {
        self.dialog.identity.hello.as_ref().map(|hello| &*hello.name)
    }

    /// The protocol in use: SMTP until EHLO or LHLO.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        self.dialog.protocol()
    }

    /// Who logged in.
    #[must_use]
    pub fn login(&self) -> Option<&Login> {
        self.dialog.identity.login.as_ref()
    }

    /// Whether the peer is offered a mechanism that not every connection has.
    #[must_use]
    pub fn offers(&self, needs: Needs) -> bool {
        self.dialog.settings.offers(needs, &self.dialog.identity)
    }

    /// The TLS layer.
    #[must_use]
    pub fn tls(&self) -> Option<&TlsSummary> {
        self.dialog.identity.tls.as_ref()
    }

    /// The envelope so far: from MAIL (also while its sender is asked about) to the answer to
    /// the end of data.
    #[must_use]
    pub fn transaction(&self) -> Option<&Envelope> {
        self.state.envelope()
    }

    /// The envelope by value, once, while [`Question::EndOfData`] waits for its answer. A refusal
    /// after that is recorded without its sender.
    pub fn take_envelope(&mut self) -> Option<Envelope> {
        match &mut self.state {
            State::Asked(Asked::EndOfData(complete)) => complete.take_envelope(),
            _ => None,
        }
    }

    /// Takes the recipients out that are meant, while [`Question::EndOfData`] waits for its answer: the
    /// mail has come to them. Says how many are left.
    pub fn drop_recipients(&mut self, is_meant: impl Fn(&Address) -> bool) -> usize {
        match &mut self.state {
            State::Asked(Asked::EndOfData(complete)) => complete.drop_recipients(is_meant),
            _ => 0,
        }
    }

    /// What MAIL said about the size, in bytes.
    #[must_use]
    pub fn declared_size(&self) -> Option<u64> {
        self.state.declared_size()
    }

    /// Whether a line of the mail that waits for [`Question::EndOfData`] ended in LF alone.
    /// For the log, with [`BareNewline::Note`].
    #[must_use]
    pub fn saw_bare_newline(&self) -> bool {
        match &self.state {
            State::Asked(Asked::EndOfData(complete)) => complete.saw_bare_newline(),
            _ => false,
        }
    }

    /// Where the mail came from by the word of a trusted relay (XFORWARD). For logs only.
    #[must_use]
    pub fn forwarded(&self) -> Option<&Forwarded> {
        self.dialog.forwarded.as_deref()
    }

    /// What was asked and done, as Postfix logs it at the end.
    #[must_use]
    pub fn tally(&self) -> &Tally {
        &self.dialog.score.tally
    }

    /// The last command, for `lost connection after`.
    #[must_use]
    pub fn stage(&self) -> &'static str {
        self.dialog.stage
    }

    /// Bytes of content received in the current transaction.
    #[must_use]
    pub fn content_bytes(&self) -> u64 {
        self.state.content_bytes()
    }

    /// One turn of the current state.
    fn turn<'a>(&mut self, input: &mut &'a [u8]) -> Effect<'a> {
        let Self { state, dialog, lines } = self;
        let (next, effect) = match std::mem::replace(state, State::Closing) {
            State::Asked(asked) => {
                let question = asked.question();
                (State::Asked(asked), Effect::Ask(question))
            }
            State::Greeting => (greeting::greet(dialog, input), Effect::Continue),
            State::Content(content) => content.turn(input, dialog),
            State::Chunk(chunk) => chunk.turn(input, dialog),
            State::Discard(discard) => discard.turn(input, dialog),
            State::StartTls => {
                // Plaintext that was sent along is not for our ears (CVE-2011-0411).
                *input = &[];
                (State::StartTls, Effect::StartTls)
            }
            State::Closing => {
                *input = &[];
                (State::Closing, Effect::Close)
            }
            open => read_line(open, input, dialog, lines),
        };
        *state = next;
        effect
    }
}

/// A turn of a state that reads lines: [`State::Ready`], [`State::Transaction`],
/// [`State::Chunked`] and [`State::Auth`].
fn read_line<'a>(
    state: State,
    input: &mut &'a [u8],
    dialog: &mut Dialog,
    lines: &mut LineBuffer,
) -> (State, Effect<'a>) {
    if dialog.stopping && !matches!(state, State::Chunked(_)) {
        dialog.farewell(&Refusal::ShuttingDown.reply(dialog.hostname()));
        return (State::Closing, Effect::Continue);
    }
    if dialog.has_too_many_errors() {
        dialog.refuse_because(&Fault::TooManyErrors, Cause::TooManyErrors, state);
        return (State::Closing, Effect::Continue);
    }
    let limit = match state {
        State::Auth(_) => Limit::AuthResponse,
        _ => Limit::Command(dialog.settings.limits.line_length),
    };
    let Some(line) = lines.take(input, limit) else {
        return (state, Effect::Read);
    };
    dialog.clock.rest();
    let next = match state {
        State::Auth(exchange) => exchange.response(line, dialog),
        open => commands::execute(open, line, input, dialog),
    };
    (next, Effect::Continue)
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "a test begins at some moment; later ones are reckoned from it"
)]
mod tests;
