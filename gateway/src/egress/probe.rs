//! What a next hop says about a recipient without getting a mail: the probe of address verification
//! (Postfix's `ADDRESS_VERIFICATION_README`).
//!
//! A probe goes the way that a mail would go, with its rewriting, aliases, tables, routes and
//! hosts, and ends with the answer to RCPT. As in Postfix nobody gets copies of it and no content
//! filter sees it. When it is made, and how long its answer is good for, is not decided here.

mod words;

use std::{sync::Arc, time::Duration};

use mailweir_mail::{
    Address, Delays, DeliveryReport, Enhanced, Envelope, MailEvent, QueueId, Reply, ReversePath,
};
use mailweir_queue::RecipientIndex;
use mailweir_smtp::client::{Attempt, Cause, Outgoing};
use tokio::time::{Instant, timeout_at};

pub(crate) use mailweir_mail::ProbeStatus;

use super::{
    Egress,
    by_tables::{Chosen, chosen},
    connection::Target,
    contact::Room,
    destination::Destination,
    dispatch::{Goal, goal},
    hosts::Hosts,
    outcome::{NoHost, Outcome, Relay},
    replies::UNCLEAR,
    route::{LiveRoute, LiveRoutes},
    shown::{Leaves, Shown},
    transport::End,
};
use crate::clock;

/// What a next hop says about a recipient without getting a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Probed {
    /// What it means.
    pub(crate) status: ProbeStatus,
    /// One line of at most 500 bytes, as verify(8) keeps it: `250 2.1.5 Ok`, or `host
    /// mx.example[192.0.2.1] said: 550 5.1.1 unknown (in reply to RCPT TO command)`, or our words.
    pub(crate) text: Box<str>,
}

impl Egress {
    /// Asks where mail from `sender` would go whether it would be taken for `recipient`. Of an alias
    /// it is enough that one of its addresses is deliverable. Takes a place among all connections to
    /// next hops while it talks, and two minutes at most. `None`: there was no such place in time, so
    /// nobody was asked, and nothing is known.
    pub(crate) async fn probe(
        self: &Arc<Self>,
        sender: &ReversePath,
        recipient: &Address,
    ) -> Option<Probed> {
        let probe = Probe::new(self, recipient);
        let whole = probe.began + LONGEST;
        match timeout_at(whole, Box::pin(probe.run(sender))).await {
            Ok(probed) => probed,
            Err(_) => Some(probe.conclude(recipient, NoHost::not_now(NO_TIME).outcome(1).0)),
        }
    }
}

/// One question at work.
struct Probe<'p> {
    egress: &'p Egress,
    /// Who was asked for.
    recipient: &'p Address,
    /// For the log alone: the queue gives no mail the serial number 0.
    id: QueueId,
    began: Instant,
}

impl<'p> Probe<'p> {
    fn new(egress: &'p Egress, recipient: &'p Address) -> Self {
        let id = QueueId::new(clock::now(), 0);
        Self { egress, recipient, id, began: Instant::now() }
    }

    async fn run(&self, sender: &ReversePath) -> Option<Probed> {
        let asked = Envelope::from_sender(sender.clone()).to(self.recipient.clone());
        let envelope = match self.egress.rewriting().address_own_mail(asked).await {
            Ok(envelope) => Arc::new(envelope),
            Err(error) => return Some(self.conclude(self.recipient, self.unclear(&error))),
        };
        let mut best: Option<Probed> = None;
        for (index, recipient) in (0..).map(RecipientIndex).zip(&envelope.recipients) {
            let Some(outcome) = self.ask_about(&envelope, index).await else {
                self.egress.warn(format!("{}: {NO_ROOM} <{}>", self.id, self.recipient));
                return None;
            };
            let probed = self.conclude(&recipient.address, outcome);
            let so_far = best.map_or(probed.clone(), |best| best.or(probed));
            if so_far.status == ProbeStatus::Deliverable || Instant::now() >= self.deadline() {
                return Some(so_far);
            }
            best = Some(so_far);
        }
        let nobody = || self.conclude(self.recipient, NoHost::no_address().outcome(1).0);
        Some(best.unwrap_or_else(nobody))
    }

    /// Finds the way of one recipient, and asks there. `None`: there was no room.
    async fn ask_about(&self, envelope: &Arc<Envelope>, index: RecipientIndex) -> Option<Outcome> {
        let Some(recipient) = envelope.recipients.get(index.as_usize()) else {
            return Some(NoHost::no_address().outcome(1).0);
        };
        let routes = self.egress.routes();
        let chosen = self.chosen(&routes, &envelope.sender, &recipient.address).await;
        match goal(&routes, chosen, recipient.address.domain()) {
            Goal::To(destination, route) => self.go(envelope, index, &destination, route).await,
            Goal::End(end) => Some(ended(end)),
            // Programs are filters, and probes pass none.
            Goal::Program(..) => Some(NoHost::no_address().outcome(1).0),
        }
    }

    async fn chosen(
        &self,
        routes: &LiveRoutes,
        sender: &ReversePath,
        recipient: &Address,
    ) -> Chosen {
        let live = self.egress.rewriting();
        let may_relay = routes.is_left_to_relays(recipient.domain());
        match live.current().way(sender, recipient, may_relay, live.remote()).await {
            Ok(way) => chosen(way),
            Err(error) => {
                self.egress.warn(format!("{}: {error}", self.id));
                Chosen::End(End::Deferred(UNCLEAR))
            }
        }
    }

    /// Asks one host after the other until one does not defer, as a mail is offered. `None`: there
    /// was no room to ask even the first.
    async fn go(
        &self,
        envelope: &Arc<Envelope>,
        index: RecipientIndex,
        destination: &Destination,
        route: &LiveRoute,
    ) -> Option<Outcome> {
        let live = self.egress.rewriting();
        let to = (destination.protocol, Leaves::ForGood);
        let shown = match Shown::to(to, envelope, &[index], live).await {
            Ok(shown) => shown,
            Err(error) => return Some(self.unclear(&error)),
        };
        let mut hosts = match self.egress.hosts(destination, route).await {
            Ok(hosts) => hosts,
            Err(none) => return Some(none.outcome(1).0),
        };
        let mut last = None;
        while let Some(target) = hosts.next() {
            // Only from then on is it the host that keeps us waiting.
            let Some(room) = self.room().await else { return last };
            let question = Outgoing::probe(Arc::clone(&shown.envelope), index.as_usize());
            let asking = self.ask(room, &target, &mut hosts, route, question);
            let until = self.deadline().min(Instant::now() + PATIENCE);
            let outcome = match timeout_at(until, asking).await {
                Ok(outcome) => outcome,
                Err(_) => NoHost::not_now(no_answer(&target)).outcome(1).0,
            };
            let is_deferred = matches!(outcome.attempts[..], [Attempt::Deferred { .. }]);
            last = Some(outcome);
            if !is_deferred || Instant::now() >= self.deadline() {
                break;
            }
        }
        Some(last.unwrap_or_else(|| NoHost::no_address().outcome(1).0))
    }

    /// Room for a connection, if there is some while a host that is asked then has its time.
    async fn room(&self) -> Option<Room> {
        timeout_at(self.deadline() - PATIENCE, self.egress.room()).await.ok()?.ok()
    }

    /// Connects to a host and asks it.
    async fn ask(
        &self,
        room: Room,
        target: &Target,
        hosts: &mut Hosts,
        route: &LiveRoute,
        question: Outgoing,
    ) -> Outcome {
        let mut held = match self.egress.connect(room, target, route).await {
            Ok(held) => held,
            Err(none) => return none.outcome(1).0,
        };
        hosts.offered();
        let relay = Some(Relay::Peer(held.connection.relay().into()));
        let setup = held.connection.setup();
        let started = Instant::now();
        let answer = held.connection.ask(question).await;
        let transmission = started.elapsed();
        // Whoever waits for the answer need not wait for the good-bye.
        self.egress.tasks.spawn(held.leave());
        let attempts = answer.unwrap_or_else(|closed| vec![closed.attempt()]);
        Outcome { attempts, relay, setup, transmission }
    }

    /// What an outcome means, which is logged.
    fn conclude(&self, recipient: &Address, outcome: Outcome) -> Probed {
        let Outcome { attempts, relay, setup, transmission } = outcome;
        let Some(attempt) = attempts.into_iter().next() else {
            return Probed { status: ProbeStatus::Deferred, text: NO_TIME.text.as_ref().into() };
        };
        let status = status(&attempt);
        let relay = relay.as_ref().and_then(Relay::peer);
        let text = words::said(&attempt, relay);
        let in_queue = self.began.elapsed().saturating_sub(setup + transmission);
        let report = DeliveryReport {
            id: self.id,
            to: recipient.clone(),
            original: Some(self.recipient.clone()),
            relay: relay.map(Into::into),
            delays: Delays { before_queue: Duration::ZERO, in_queue, setup, transmission },
            dsn: code(status, attempt.reply()),
            text: text.clone(),
        };
        self.egress.observer.mail(&MailEvent::Probed { report, status });
        Probed { status, text }
    }

    /// A table cannot tell.
    fn unclear(&self, error: &dyn std::error::Error) -> Outcome {
        self.egress.warn(format!("{}: {error}", self.id));
        NoHost::not_now(UNCLEAR).outcome(1).0
    }

    /// Until when hosts are talked to.
    fn deadline(&self) -> Instant {
        self.began + TALK
    }
}

impl Probed {
    /// What two addresses of an alias come to.
    fn or(self, other: Self) -> Self {
        let rank = |probed: &Self| match probed.status {
            ProbeStatus::Deliverable => 2,
            ProbeStatus::Deferred => 1,
            ProbeStatus::Undeliverable => 0,
        };
        if rank(&other) > rank(&self) { other } else { self }
    }
}

/// Mail that goes no further has its answer here.
fn ended(end: End) -> Outcome {
    let cause = Cause::Local;
    let attempt = match end {
        End::Discarded(reply) | End::Unread(reply) => Attempt::Accepted { reply },
        End::Failed(reply) => Attempt::Failed { reply, cause },
        End::Deferred(reply) => Attempt::Deferred { reply, cause },
    };
    let (setup, transmission) = (Duration::ZERO, Duration::ZERO);
    Outcome { attempts: vec![attempt], relay: None, setup, transmission }
}

const fn status(attempt: &Attempt) -> ProbeStatus {
    match attempt {
        Attempt::Accepted { .. } | Attempt::Delivered { .. } => ProbeStatus::Deliverable,
        Attempt::Failed { .. } => ProbeStatus::Undeliverable,
        Attempt::Deferred { .. } | Attempt::Uncertain { .. } | Attempt::Postponed { .. } => {
            ProbeStatus::Deferred
        }
    }
}

/// As in Postfix its class says what is made of the reply: a greeting with 5xx only defers.
fn code(status: ProbeStatus, reply: &Reply) -> Enhanced {
    let Enhanced(_, subject, detail) = reply.enhanced_or_general();
    let class = match status {
        ProbeStatus::Deliverable => 2,
        ProbeStatus::Undeliverable => 5,
        ProbeStatus::Deferred => 4,
    };
    Enhanced(class, subject, detail)
}

fn no_answer(target: &Target) -> Reply {
    Reply::with_text(450, Enhanced(4, 4, 1), format!("no answer from {target} in time"))
}

const NO_ROOM: &str = "all connections are taken, and no next hop was asked about";

const NO_TIME: Reply = Reply::new(450, Enhanced(4, 4, 1), "the next hop was not found in time");

/// How long one host has to answer. Longer than most of those who make strangers wait, and not so
/// long that a host that never answers keeps the next one from being asked.
const PATIENCE: Duration = Duration::from_secs(50);

/// How long all hosts together have.
const TALK: Duration = Duration::from_secs(110);

/// How long all of it may take: tables and name servers may be slow too.
const LONGEST: Duration = Duration::from_secs(120);

#[cfg(test)]
mod tests;
