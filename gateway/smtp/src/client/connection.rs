//! The connection as its driver sees it: bytes and time in, [`Step`]s out.
//!
//! This file joins set-up and session and keeps the deadline. It knows no command and no reply
//! code but what tells the two apart.

use std::{sync::Arc, time::Instant};

use mailweir_mail::{Enhanced, Reply, TlsSummary};

use super::{
    capabilities::Capabilities,
    commands::{self, put},
    outcome::{Cause, Closed},
    outgoing::Outgoing,
    phase::Phase,
    reply::ReplyParser,
    session::{Outbox, Session},
    settings::{Settings, TlsPolicy},
    setup::{Context, Next, Setup},
    step::{Loss, Step},
    transaction::{Breakdown, Content, SHUTTING_DOWN, Terms, Told, Transaction},
};

/// One connection to a next hop, from the greeting to QUIT. See [`Step`] for how to drive it.
pub struct Client {
    settings: Arc<Settings>,
    peer: Box<str>,
    state: State,
    replies: ReplyParser,
    outbox: Outbox,
    /// What the last [`Step::Write`] lent out.
    lent: Vec<u8>,
    tls: Option<TlsSummary>,
    timer: Timer,
}

enum State {
    Setup(Setup),
    Session(Box<Session>),
    Closed(Closed),
}

/// Counts from the last thing that the peer or we did.
enum Timer {
    /// Something was done: the next [`Client::next`] sets the time.
    Restart,
    At(Option<Instant>),
}

impl Client {
    /// A connection that was just opened to `peer`, which is `name[address]` as our own words
    /// quote it.
    #[must_use]
    pub fn new(settings: Arc<Settings>, peer: impl Into<Box<str>>, now: Instant) -> Self {
        let state = State::Setup(Setup::new(settings.tls));
        let mut client = Self {
            settings,
            peer: peer.into(),
            state,
            replies: ReplyParser::default(),
            outbox: Outbox::default(),
            lent: Vec::new(),
            tls: None,
            timer: Timer::Restart,
        };
        client.arm(now);
        client
    }

    /// What to do next. To be called until it says [`Step::Read`], [`Step::Ready`] or
    /// [`Step::Close`], and again after each call of another method.
    pub fn next(&mut self, now: Instant) -> Step<'_> {
        self.arm(now);
        self.lent.clear();
        if !self.outbox.bytes.is_empty() {
            std::mem::swap(&mut self.lent, &mut self.outbox.bytes);
            return Step::Write(&self.lent);
        }
        match self.outbox.told.take() {
            Some(Told::Finished(attempts)) => return Step::Finished(attempts),
            Some(Told::Returned) => return Step::Returned,
            None => {}
        }
        match &self.state {
            State::Setup(Setup::Handshake) => Step::StartTls,
            State::Setup(_) => Step::Read,
            State::Session(session) => match session.mail() {
                Some(Transaction::Envelope(_) | Transaction::Ending(_)) => Step::Read,
                Some(Transaction::Content(_)) => Step::Content,
                None => Step::Ready,
            },
            State::Closed(closed) => Step::Close(closed),
        }
    }

    /// Bytes from the peer.
    pub fn receive(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() && self.is_open() {
            if let Some(content) = self.content() {
                return match content.hold_back(rest) {
                    Ok(()) => {}
                    Err(why) => self.break_off(&why),
                };
            }
            match self.replies.read(&mut rest) {
                Ok(Some(reply)) => self.take_reply(reply, rest.is_empty()),
                Ok(None) => {}
                Err(error) => self.break_off(&error.into()),
            }
        }
    }

    /// The connection is gone.
    pub fn input_closed(&mut self, how: Loss) {
        self.break_off(&Breakdown::Lost(how));
    }

    /// Gives up if the deadline has come.
    pub fn expire(&mut self, now: Instant) {
        if self.deadline().is_some_and(|deadline| deadline <= now) {
            self.break_off(&Breakdown::TimedOut);
        }
    }

    /// Gives up as if the deadline had come.
    pub fn give_up(&mut self) {
        self.break_off(&Breakdown::TimedOut);
    }

    /// Until when the peer has to answer or to take bytes. `None` between mails: how long a
    /// connection is kept open is the driver's choice.
    #[must_use]
    pub const fn deadline(&self) -> Option<Instant> {
        match self.timer {
            Timer::Restart => None,
            Timer::At(deadline) => deadline,
        }
    }

    /// The handshake of [`Step::StartTls`] is done. Also to be called once at the start of
    /// a connection with [`TlsPolicy::Implicit`].
    pub fn tls_started(&mut self, summary: TlsSummary) {
        self.tls = Some(summary);
        self.replies = ReplyParser::default();
        self.with_setup(|setup, context| Next::Wait(setup.tls_started(context)));
    }

    /// The handshake of [`Step::StartTls`] failed. Where TLS is a choice the driver is told to
    /// connect again without.
    pub fn tls_failed(&mut self, why: &str) {
        if !matches!(self.state, State::Setup(_)) {
            return;
        }
        let why = why.replace(char::is_control, " ");
        let text = format!("Cannot start TLS: handshake failure with {}: {why}", self.peer);
        let reply = Reply::with_text(454, Enhanced(4, 7, 5), text);
        self.close(match self.settings.tls {
            TlsPolicy::Opportunistic => Closed::RetryInClear { reply },
            TlsPolicy::None | TlsPolicy::Required | TlsPolicy::Implicit => {
                Closed::Faulty { reply, cause: Cause::Broken(Phase::StartTls) }
            }
        });
    }

    /// Takes the next mail in hand. To be called at [`Step::Ready`].
    ///
    /// # Errors
    /// At any other time the mail comes back. So it does if the peer has begun to say something: its
    /// end would pass for an answer to this mail. The connection is over then.
    pub fn begin(&mut self, mail: Outgoing) -> Result<(), Outgoing> {
        let State::Session(session) = &mut self.state else { return Err(mail) };
        if session.mail().is_none() && self.replies.is_midway() {
            self.break_off(&Breakdown::UNSOLICITED);
            return Err(mail);
        }
        session.begin(mail, &mut self.outbox)?;
        self.timer = Timer::Restart;
        Ok(())
    }

    /// Some of the content was sent.
    pub fn content_progress(&mut self, now: Instant) {
        if self.content().is_some() {
            self.timer = Timer::Restart;
            self.arm(now);
        }
    }

    /// Whether the content that is due is for all recipients of the mail in hand: nobody was refused. For a driver that
    /// sends to all or to nobody; if not, it calls [`Client::content_failed`] at [`Step::Content`].
    #[must_use]
    pub fn is_for_all(&self) -> bool {
        let State::Session(session) = &self.state else { return false };
        matches!(session.mail(), Some(Transaction::Content(content)) if content.is_for_all())
    }

    /// All of the content was sent, the final dot included; or stands in the driver's buffer. To be
    /// called before [`Client::receive`] gets what was read after that.
    pub fn content_sent(&mut self) {
        let State::Session(session) = &mut self.state else { return };
        let Some(heard) = session.content_sent() else { return };
        self.timer = Timer::Restart;
        if let Err(why) = heard {
            self.break_off(&why);
        }
    }

    /// The content cannot be sent to its end, by our fault. The connection must not be used any
    /// more: what the peer has is no whole mail. `reply` is what the recipients are deferred with.
    pub fn content_failed(&mut self, reply: Reply) {
        if let State::Session(session) = &mut self.state
            && let Some(told) = session.content_failed(&reply)
        {
            self.outbox.told = Some(told);
            self.close(Closed::Faulty { reply, cause: Cause::Broken(Phase::Content) });
        }
    }

    /// Says QUIT and ends the connection. To be called at [`Step::Ready`]; does nothing at any
    /// other time.
    pub fn quit(&mut self) {
        if matches!(&self.state, State::Session(session) if session.mail().is_none()) {
            self.close(Closed::Quit);
        }
    }

    /// The TLS layer under the conversation.
    #[must_use]
    pub const fn tls(&self) -> Option<&TlsSummary> {
        self.tls.as_ref()
    }
}

impl Client {
    const fn is_open(&self) -> bool {
        !matches!(self.state, State::Closed(_))
    }

    /// The content, while it is due.
    fn content(&mut self) -> Option<&mut Content> {
        match &mut self.state {
            State::Session(session) => session.content(),
            State::Setup(_) | State::Closed(_) => None,
        }
    }

    /// `last`: nothing was read behind the reply.
    fn take_reply(&mut self, reply: Reply, last: bool) {
        self.timer = Timer::Restart;
        match &mut self.state {
            State::Setup(_) => {
                self.with_setup(|setup, context| setup.reply(reply, context));
                if !last && self.is_open() {
                    self.break_off(&Breakdown::UNSOLICITED);
                }
            }
            State::Session(session) => {
                if let Err(why) = session.reply(reply, &mut self.outbox) {
                    self.break_off(&why);
                }
            }
            State::Closed(_) => {}
        }
    }

    fn with_setup(&mut self, step: impl FnOnce(Setup, &mut Context<'_>) -> Next) {
        let setup = match std::mem::replace(&mut self.state, State::Closed(Closed::Quit)) {
            State::Setup(setup) => setup,
            other => return self.state = other,
        };
        let mut context =
            Context { settings: &self.settings, peer: &self.peer, out: &mut self.outbox.bytes };
        self.timer = Timer::Restart;
        match step(setup, &mut context) {
            Next::Wait(setup) => self.state = State::Setup(setup),
            Next::Ready(capabilities) => self.set_up(capabilities),
            Next::Closed(closed) => self.close(closed),
        }
    }

    fn set_up(&mut self, capabilities: Capabilities) {
        self.state = State::Session(Box::new(Session::new(Terms {
            peer: self.peer.clone(),
            dialect: self.settings.dialect,
            capabilities,
        })));
    }

    fn break_off(&mut self, why: &Breakdown) {
        self.outbox.bytes.clear();
        match std::mem::replace(&mut self.state, State::Closed(Closed::Quit)) {
            State::Setup(setup) => {
                let (reply, cause) = why.during(setup.phase(), &self.peer);
                self.close(Closed::Faulty { reply, cause });
            }
            State::Session(session) => {
                let closed = session.break_off(why, &mut self.outbox);
                self.close(closed);
            }
            closed @ State::Closed(_) => self.state = closed,
        }
    }

    /// Ends the connection, with QUIT if the peer may still listen.
    fn close(&mut self, closed: Closed) {
        if is_polite(&closed) {
            put(&mut self.outbox.bytes, &[commands::QUIT]);
        }
        self.state = State::Closed(closed);
        self.timer = Timer::Restart;
    }

    fn arm(&mut self, now: Instant) {
        if let Timer::Restart = self.timer {
            let limit = match &self.state {
                State::Setup(setup) => setup.phase().timeout(&self.settings.timeouts),
                State::Session(session) => session.phase().timeout(&self.settings.timeouts),
                State::Closed(_) => Some(self.settings.timeouts.quit),
            };
            self.timer = Timer::At(limit.and_then(|limit| now.checked_add(limit)));
        }
    }
}

fn is_polite(closed: &Closed) -> bool {
    match closed {
        Closed::Quit => true,
        Closed::RetryInClear { .. } => false,
        Closed::Faulty { reply, cause } => {
            matches!(cause, Cause::Local | Cause::Replied(_)) && reply.code != SHUTTING_DOWN
        }
    }
}
