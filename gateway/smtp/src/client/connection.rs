//! The connection as its driver sees it: bytes and time in, [`Step`]s out.
//!
//! This file joins set-up and session and keeps the deadline. It knows no command and no reply
//! code but what tells the two apart.

use std::{sync::Arc, time::Instant};

use mailweir_mail::{Enhanced, Reply, ReplyClass, TlsSummary};

use super::{
    capabilities::Capabilities,
    commands::{self, put},
    outcome::{Cause, Closed},
    outgoing::Outgoing,
    phase::Phase,
    reply::{MAX_BYTES, ReplyParser},
    session::{Outbox, Session, Wait},
    settings::{Pipelining, Settings, TlsPolicy},
    setup::{Context, Next, Setup},
    step::{Loss, Step},
    transaction::{Breakdown, Nonsense, Terms, Told},
};

/// One connection to a next hop, from the greeting to QUIT. See [`Step`] for how to drive it.
pub struct Client {
    settings: Arc<Settings>,
    peer: Box<str>,
    state: State,
    /// The mail that comes next.
    waiting: Option<Outgoing>,
    replies: ReplyParser,
    /// What came while content was sent: it cannot answer what is not sent yet.
    early: Vec<u8>,
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
            waiting: None,
            replies: ReplyParser::default(),
            early: Vec::new(),
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
        match self.outbox.told.pop_front() {
            Some(Told::Finished(finished)) => return Step::Finished(finished),
            Some(Told::Returned(mail)) => return Step::Returned(mail),
            None => {}
        }
        match &self.state {
            State::Setup(Setup::Handshake) => Step::StartTls,
            State::Setup(_) => Step::Read,
            State::Session(session) => match session.wait() {
                Wait::Reply | Wait::Nothing => Step::Read,
                Wait::Content(id) => Step::Content(id),
                Wait::Mail => Step::Ready,
            },
            State::Closed(closed) => Step::Close(closed),
        }
    }

    /// Bytes from the peer.
    pub fn receive(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() && self.is_open() {
            if self.sends_content() {
                return self.hold_back(rest);
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
        self.hear_early_refusal();
        self.break_off(&Breakdown::Lost(how));
    }

    /// Gives up if the deadline has come.
    pub fn expire(&mut self, now: Instant) {
        if self.deadline().is_some_and(|deadline| deadline <= now) {
            self.hear_early_refusal();
            self.break_off(&Breakdown::TimedOut);
        }
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

    /// Whether [`Client::begin`] takes a mail now.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.waiting.is_none()
            && match &self.state {
                State::Setup(_) => true,
                State::Session(session) => session.has_room(),
                State::Closed(_) => false,
            }
    }

    /// Takes a mail: the first one at any time, even before the greeting; the next one when
    /// [`Client::has_room`] says so. With [`Pipelining::Lookahead`] that is while the content of
    /// the mail before it is not even sent, and its commands then follow that content.
    ///
    /// # Errors
    /// The mail comes back if there is no room for it.
    pub fn begin(&mut self, mail: Outgoing) -> Result<(), Outgoing> {
        if !self.has_room() {
            return Err(mail);
        }
        self.waiting = Some(mail);
        self.advance();
        Ok(())
    }

    /// Whether content is due right now. `false` in the midst of sending it means that the connection
    /// came to its end meanwhile: the driver sends no more of it.
    #[must_use]
    pub fn sends_content(&self) -> bool {
        matches!(&self.state, State::Session(session) if matches!(session.wait(), Wait::Content(_)))
    }

    /// Some of the content was sent.
    pub fn content_progress(&mut self, now: Instant) {
        if self.sends_content() {
            self.timer = Timer::Restart;
            self.arm(now);
        }
    }

    /// All of the content was sent, the final dot included; or stands in the driver's buffer. To be
    /// called before [`Client::receive`] gets what was read after that.
    pub fn content_sent(&mut self) {
        if !self.sends_content() {
            return;
        }
        if !self.early.is_empty() {
            return self.answered_early();
        }
        let State::Session(session) = &mut self.state else { return };
        session.content_sent();
        self.timer = Timer::Restart;
        self.advance();
    }

    /// The content cannot be sent to its end, by our fault. The connection must not be used any
    /// more: what the peer has is no whole mail. `reply` is what the recipients are deferred with.
    pub fn content_failed(&mut self, reply: Reply) {
        if let State::Session(session) = &mut self.state
            && session.refuse_content(&reply, Cause::Local, &mut self.outbox)
        {
            self.close(Closed::Faulty { reply, cause: Cause::Broken(Phase::Content) });
        }
    }

    /// Sends QUIT when the mails that were taken are through, and takes no more.
    pub fn quit(&mut self) {
        match &mut self.state {
            State::Setup(_) => {
                self.outbox.bytes.clear();
                self.leave(Closed::Quit);
            }
            State::Session(session) => {
                session.quit();
                self.advance();
            }
            State::Closed(_) => {}
        }
    }

    /// What the peer offers, once the connection is set up.
    #[must_use]
    pub const fn capabilities(&self) -> Option<&Capabilities> {
        match &self.state {
            State::Session(session) => Some(&session.terms().capabilities),
            State::Setup(_) | State::Closed(_) => None,
        }
    }

    /// The TLS layer under the conversation.
    #[must_use]
    pub const fn tls(&self) -> Option<&TlsSummary> {
        self.tls.as_ref()
    }

    /// The settings of this connection.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }
}

impl Client {
    const fn is_open(&self) -> bool {
        !matches!(self.state, State::Closed(_))
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
            State::Session(session) => match session.reply(reply, &mut self.outbox) {
                Ok(()) => self.advance(),
                Err(why) => self.break_off(&why),
            },
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
        let pipelining =
            if capabilities.pipelining { self.settings.pipelining } else { Pipelining::Off };
        self.state = State::Session(Box::new(Session::new(Terms {
            peer: self.peer.clone(),
            dialect: self.settings.dialect,
            pipelining,
            capabilities,
        })));
        self.advance();
    }

    fn advance(&mut self) {
        let State::Session(session) = &mut self.state else { return };
        if session.advance(&mut self.waiting, &mut self.outbox) {
            self.timer = Timer::Restart;
        }
        if matches!(session.wait(), Wait::Nothing) {
            self.state = State::Closed(Closed::Quit);
        }
    }

    fn hold_back(&mut self, bytes: &[u8]) {
        self.early.extend_from_slice(bytes);
        if self.early.len() > MAX_BYTES {
            self.break_off(&Breakdown::Nonsense(Nonsense::Flood));
        }
    }

    /// An answer that came before the final dot was sent may be a refusal. Success it cannot be,
    /// and whether another answer follows nobody knows: the connection is of no more use.
    fn answered_early(&mut self) {
        self.hear_early_refusal();
        if let State::Session(session) = &mut self.state {
            session.content_sent();
        }
        self.break_off(&Breakdown::UNSOLICITED);
    }

    /// A peer that has heard enough of a content may say why and hang up.
    fn hear_early_refusal(&mut self) {
        let early = std::mem::take(&mut self.early);
        let Ok(Some(reply)) = self.replies.read(&mut &*early) else { return };
        let refusal = matches!(reply.class(), ReplyClass::Transient | ReplyClass::Permanent);
        if let State::Session(session) = &mut self.state
            && refusal
        {
            session.refuse_content(&reply, Cause::Replied(Phase::Content), &mut self.outbox);
        }
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
        self.leave(closed);
    }

    fn leave(&mut self, closed: Closed) {
        self.state = State::Closed(closed);
        self.timer = Timer::Restart;
        self.outbox.told.extend(self.waiting.take().map(Told::Returned));
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
        Closed::Quit | Closed::RetryInClear { .. } => false,
        Closed::Faulty { reply, cause } => {
            matches!(cause, Cause::Local | Cause::Replied(_)) && reply.code != 421
        }
    }
}
