//! What all states of a session share: who the peer is, the replies that wait to be sent, the
//! counts, and the refusals that wait to be logged.

use std::{collections::VecDeque, sync::Arc};

use mailweir_mail::{Domain, Forwarded, Login, Protocol, Reply, TlsSummary};

use super::{
    BareNewline, Cause, Mode, Needs, Peer, Refused, Settings, ShownCertificate, TlsMode,
    Unfinished, clock::Clock, command::Verb, state::State, tally::Tally,
};
use crate::replies::{self, Fault, Positive, Refusal};

#[derive(Debug)]
pub(super) struct Dialog {
    pub(super) settings: Arc<Settings>,
    pub(super) peer: Peer,
    pub(super) identity: Identity,
    pub(super) forwarded: Option<Box<Forwarded>>,
    pub(super) outbox: Outbox,
    pub(super) clock: Clock,
    pub(super) score: Score,
    /// The command that is being answered.
    pub(super) verb: Verb,
    /// Its name for the log; `END-OF-MESSAGE` is a name too.
    pub(super) stage: &'static str,
    pub(super) refusals: VecDeque<Refused>,
    /// What the driver has yet to be told to drop.
    pub(super) abandoned: Option<Unfinished>,
    /// The server is stopping.
    pub(super) stopping: bool,
}

/// What the peer said and proved about itself. Forgotten when TLS starts (`attacks.md` B3).
#[derive(Debug, Default)]
pub(super) struct Identity {
    pub(super) hello: Option<Hello>,
    pub(super) login: Option<Login>,
    pub(super) tls: Option<TlsSummary>,
    /// A certificate shown in TLS proves who the client is. That entitles it to nothing but to log
    /// in by it.
    pub(super) certified: bool,
    /// The certificate itself, where rules ask for it.
    pub(super) certificate: Option<Box<ShownCertificate>>,
}

impl Identity {
    /// Whether the connection has what a mechanism needs.
    pub(super) fn meets(&self, needs: Needs) -> bool {
        match needs {
            Needs::Nothing => true,
            Needs::Tls13 => self.tls.as_ref().is_some_and(|tls| &*tls.version == "TLSv1.3"),
            Needs::Certificate => self.certified,
        }
    }
}

/// A greeting: HELO, EHLO or LHLO.
#[derive(Debug)]
pub(super) struct Hello {
    pub(super) name: Box<str>,
    pub(super) protocol: Protocol,
}

/// What counts against a peer.
#[derive(Debug, Default)]
pub(super) struct Score {
    pub(super) tally: Tally,
    /// Errors since the last mail.
    errors: u32,
    /// Commands since the last mail that did nothing.
    junk: u32,
}

impl Dialog {
    pub(super) fn new(settings: Arc<Settings>, peer: Peer, clock: Clock) -> Self {
        Self {
            settings,
            peer,
            identity: Identity::default(),
            forwarded: None,
            outbox: Outbox::default(),
            clock,
            score: Score::default(),
            verb: Verb::Unknown,
            stage: "CONNECT",
            refusals: VecDeque::new(),
            abandoned: None,
            stopping: false,
        }
    }

    pub(super) fn hostname(&self) -> &Domain {
        &self.settings.hostname
    }

    pub(super) fn protocol(&self) -> Protocol {
        self.identity.hello.as_ref().map_or(Protocol::Smtp, |hello| hello.protocol)
    }

    /// The rule for this peer.
    pub(super) fn bare_newline(&self) -> BareNewline {
        if self.peer.rights.bare_newline { BareNewline::No } else { self.settings.bare_newline }
    }

    pub(super) fn needs_tls_first(&self) -> bool {
        self.settings.tls == TlsMode::Required && self.identity.tls.is_none()
    }

    pub(super) fn needs_login_first(&self) -> bool {
        self.settings.mode == Mode::Submission
            && self.identity.login.is_none()
            && !self.peer.rights.trusted
    }

    pub(super) fn may_log_in(&self) -> bool {
        self.settings.allows_login(&self.identity)
    }

    /// A command came.
    pub(super) fn begin(&mut self, verb: Verb) {
        self.verb = verb;
        self.stage = verb.name();
        self.score.tally.asked(verb);
        if verb.is_junk() {
            self.score.junk = self.score.junk.saturating_add(1);
            if self.score.junk > self.settings.limits.junk_commands {
                self.score.errors = self.score.errors.saturating_add(1);
            }
        }
    }

    /// A reply that does not end its command.
    pub(super) fn say(&mut self, positive: Positive<'_>) {
        self.outbox.put(positive);
    }

    /// The reply that ends a command well.
    pub(super) fn succeed(&mut self, positive: Positive<'_>) {
        self.outbox.put(positive);
        self.score.tally.done(self.verb);
    }

    /// Refuses a command; the state is `back` if the connection stays open.
    pub(super) fn refuse(&mut self, fault: &Fault, back: State) -> State {
        self.refuse_because(fault, Cause::Protocol, back)
    }

    /// As [`Self::refuse`], with a cause that is worth a warning.
    pub(super) fn refuse_because(&mut self, fault: &Fault, cause: Cause, back: State) -> State {
        let refused = self.refused(fault.reply(self.hostname()), cause, &back);
        self.put_refused(refused, back)
    }

    /// Refuses by the word of the driver.
    pub(super) fn refuse_by_policy(&mut self, refusal: &Refusal, back: State) -> State {
        let refused = self.refused(refusal.reply(self.hostname()), Cause::Policy, &back);
        self.put_refused(refused, back)
    }

    /// An entry for the log, about the transaction of `state`.
    pub(super) fn refused(&self, reply: Reply, cause: Cause, state: &State) -> Refused {
        let sender = state.envelope().map(|envelope| envelope.sender.clone());
        Refused { command: self.stage, reply, sender, recipient: None, cause }
    }

    /// Sends and records a refusal, and counts it as an error.
    pub(super) fn put_refused(&mut self, refused: Refused, back: State) -> State {
        self.score.errors = self.score.errors.saturating_add(1);
        self.put_forgiven(refused, back)
    }

    /// Sends and records a refusal that is no error of the peer.
    pub(super) fn put_forgiven(&mut self, refused: Refused, back: State) -> State {
        self.outbox.put_reply(&refused.reply);
        let closes = CLOSING.contains(&refused.reply.code);
        self.refusals.push_back(refused);
        if closes { State::Closing } else { back }
    }

    /// Says why the session ends. Nothing was refused: the log has other words for it.
    pub(super) fn farewell(&mut self, reply: &Reply) {
        self.outbox.put_reply(reply);
    }

    pub(super) fn has_too_many_errors(&self) -> bool {
        self.score.errors >= self.settings.limits.hard_errors
    }

    /// A mail was accepted: what counted against the peer counts no more.
    pub(super) fn forgive(&mut self) {
        self.score.errors = 0;
        self.score.junk = 0;
    }
}

/// Replies that wait to be sent.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    bytes: Vec<u8>,
    /// Whether the driver has seen `bytes` and sends them.
    lent: bool,
}

impl Outbox {
    pub(super) fn put(&mut self, positive: Positive<'_>) {
        self.settle();
        positive.write(&mut self.bytes);
    }

    pub(super) fn put_reply(&mut self, reply: &Reply) {
        self.settle();
        replies::write(reply, &mut self.bytes);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lent || self.bytes.is_empty()
    }

    /// Gives all replies out.
    pub(super) fn lend(&mut self) -> &[u8] {
        self.lent = true;
        &self.bytes
    }

    /// Forgets what was given out. A large buffer is not kept for a peer that may stay idle.
    pub(super) fn settle(&mut self) {
        if !self.lent {
            return;
        }
        self.lent = false;
        if self.bytes.capacity() > KEPT {
            self.bytes = Vec::new();
        }
        self.bytes.clear();
    }

    /// Bytes of memory in use.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

/// Replies after which the connection is closed (RFC 5321 section 3.8; Postfix closes after 521).
const CLOSING: [u16; 3] = [221, 421, 521];

/// Bytes of an empty outbox that are kept.
const KEPT: usize = 512;
