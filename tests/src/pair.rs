//! Our client meets our server in memory: no sockets, and time passes only when it is told to.
//!
//! A [`Plan`] says what is sent and what the server decides at each question. [`Pair::run`] carries
//! the bytes between both, divided as a [`Division`] says, over a wire that may break. What comes
//! of it is an [`Outcome`]; what it must be is known to the plan ([`Plan::verdicts`]).

use std::time::{Duration, Instant};

use mailweir_mail::TlsSummary;

pub mod outcome;
pub mod plan;
mod receiving;
mod sending;
mod wire;

pub use outcome::Outcome;
pub use plan::{Letter, LogIn, Plan, Say, Verdict};
pub use receiving::Taken;
pub use sending::Ending;
pub use wire::{Division, Trouble};

use self::{receiving::Receiver, sending::Sender, wire::Wire};

/// A client, a server, and the wire between them.
#[derive(Debug)]
pub struct Pair {
    sender: Sender,
    receiver: Receiver,
    wire: Wire,
    now: Instant,
    start: Instant,
    /// How long the wire takes for each piece.
    pace: Duration,
}

impl Pair {
    /// A conversation that goes as planned over a sound wire that does not divide what it carries.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        let now = Instant::now();
        Self {
            sender: Sender::new(plan, now),
            receiver: Receiver::new(plan, now),
            wire: Wire::default(),
            now,
            start: now,
            pace: Duration::ZERO,
        }
    }

    /// Divides what is carried, both ways.
    #[must_use]
    pub fn divided(mut self, division: &Division) -> Self {
        self.wire.divide(division);
        self
    }

    /// A wire that breaks.
    #[must_use]
    pub fn with_trouble(mut self, trouble: Trouble) -> Self {
        self.wire.trouble = Some(trouble);
        self
    }

    /// A wire that takes so long for each piece.
    #[must_use]
    pub fn with_pace(mut self, pace: Duration) -> Self {
        self.pace = pace;
        self
    }

    /// Carries bytes until both sides have closed.
    ///
    /// # Panics
    /// If one of them never does.
    #[must_use]
    pub fn run(mut self) -> Outcome {
        for _ in 0..PATIENCE {
            self.act();
            if self.sender.has_closed() && self.receiver.has_closed() {
                return self.outcome();
            }
            if !self.shake_hands() && !self.carry() {
                self.wait();
            }
        }
        panic!("the conversation does not end: {self:?}");
    }

    /// Both do what they can without word from the other.
    fn act(&mut self) {
        self.sender.act(self.now, &mut self.wire.to_server);
        self.receiver.act(self.now, &mut self.wire.to_client);
    }

    fn shake_hands(&mut self) -> bool {
        let agreed = self.sender.wants_tls() && self.receiver.wants_tls() && self.wire.is_empty();
        if agreed {
            self.sender.start_tls(tls_summary());
            self.receiver.start_tls(tls_summary());
        }
        agreed
    }

    /// Moves one piece each way, or tells one side that the other is gone. `false`: nothing moves.
    fn carry(&mut self) -> bool {
        match self.wire.break_if_due() {
            Some(Trouble::LostAfter(_)) => {
                self.sender.lose();
                self.receiver.lose();
                return true;
            }
            Some(Trouble::SilentAfter(_)) => return false,
            None => {}
        }
        let (up, down) = self.wire.take();
        let moves = !up.is_empty() || !down.is_empty();
        if moves {
            self.pass(self.pace);
            self.receiver.receive(&up, self.now, &mut self.wire.to_client);
            self.sender.receive(&down);
            return true;
        }
        self.part()
    }

    /// Tells who is left that the other has closed, once all it said has come.
    fn part(&mut self) -> bool {
        if self.receiver.has_closed() && !self.sender.has_closed() {
            self.sender.lose();
            return true;
        }
        if self.sender.has_closed() && !self.receiver.has_closed() {
            self.receiver.lose();
            return true;
        }
        false
    }

    /// Nothing moves: time passes until one of them has had enough.
    fn wait(&mut self) {
        let sender = self.sender.deadline();
        let receiver = self.receiver.deadline();
        let next = [sender, receiver].into_iter().flatten().min();
        let deadline = next.expect("nobody watches the clock");
        self.pass(deadline.saturating_duration_since(self.now));
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        self.sender.expire(self.now);
        self.receiver.expire(self.now);
    }

    fn outcome(self) -> Outcome {
        Outcome {
            took: self.now - self.start,
            up: self.wire.to_server.moved(),
            down: self.wire.to_client.moved(),
            commands: String::from_utf8_lossy(&self.sender.commands).into_owned(),
            closed: self.sender.closed,
            endings: self.sender.endings,
            taken: self.receiver.taken,
        }
    }
}

fn tls_summary() -> TlsSummary {
    TlsSummary { version: "TLSv1.3".into(), cipher: "TLS_AES_256_GCM_SHA384".into(), bits: 256 }
}

/// Turns after which a conversation is said to hang.
const PATIENCE: u32 = 200_000;
