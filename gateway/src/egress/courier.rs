//! One connection at work for a lane: takes batches, sends them, records what became of them.
//!
//! The result of each recipient is durable before the courier takes its next mail. A connection is
//! kept open while there is work for it, and a little longer.

use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

use futures_util::future::join_all;
use mailweir_mail::{Enhanced, Reply, SessionEvent};
use mailweir_queue::{Claim, Content, RecipientIndex};
use mailweir_smtp::client::{Attempt, Cause, Closed, ContentText, Outgoing, Settings, TlsPolicy};
use tokio::{sync::OwnedSemaphorePermit, time::Instant};

use super::{
    Egress,
    connection::{Connection, OpenError, Sent, Target},
    failover::Failover,
    lane::{Batch, Job, Lane, Staff},
    outcome::{Health, NoHost, Outcome, Told, tell},
    resolve::{self, NextHops},
    route::LiveRoute,
};
use crate::clock;

/// Works for one lane until there is nothing to do for a while.
pub(super) struct Courier {
    egress: Arc<Egress>,
    lane: Arc<Lane>,
    route: Arc<LiveRoute>,
    connection: Option<Held>,
}

/// An open connection, counted among all connections to next hops.
struct Held {
    connection: Connection,
    _permit: OwnedSemaphorePermit,
}

impl Courier {
    /// Starts a courier for `lane`.
    pub(super) fn start(egress: Arc<Egress>, lane: Arc<Lane>, route: Arc<LiveRoute>) {
        let tasks = egress.tasks.clone();
        tasks.spawn(Self { egress, lane, route, connection: None }.work());
    }

    async fn work(mut self) {
        let stop = self.egress.stop.clone();
        let patience = self.route.idle_time();
        while let Some(Some(job)) = stop.run_until_cancelled(self.lane.next_job(patience)).await {
            if self.lane.staff() == Staff::Hire {
                Self::start(
                    Arc::clone(&self.egress),
                    Arc::clone(&self.lane),
                    Arc::clone(&self.route),
                );
            }
            match job {
                Job::Deliver(batch) => self.deliver(batch).await,
                Job::PutOff { batches, reason } => self.put_off(batches, &reason).await,
            }
        }
        self.leave().await;
    }

    async fn deliver(&mut self, batch: Batch) {
        let Batch { claim, mut recipients } = batch;
        let content = match self.egress.queue.body(claim.id, &claim.body).await {
            Ok(content) => content,
            Err(error) => {
                self.lane.abandoned();
                return self.egress.unreadable(&claim, &error);
            }
        };
        loop {
            let (outcome, health) = self.attempt(&claim, &recipients, &content).await;
            recipients = self.settle(&claim, &recipients, outcome).await;
            if recipients.is_empty() {
                return match health {
                    Health::Reached => self.lane.succeeded(),
                    Health::Unreached(reason) => self.lane.failed(&reason),
                };
            }
        }
    }

    /// Tries the open connection first, then one host after the other.
    async fn attempt(
        &mut self,
        claim: &Arc<Claim>,
        recipients: &[RecipientIndex],
        content: &Content,
    ) -> (Outcome, Health) {
        if let Some(outcome) = self.send(claim, recipients, content).await {
            return outcome;
        }
        let mut hosts = match self.hosts().await {
            Ok(hosts) => hosts,
            Err(none) => return none.outcome(recipients.len()),
        };
        let mut last = None;
        while let Some(target) = hosts.next(self.lane.destination().port) {
            match self.connect(&target).await {
                Ok(held) => self.connection = Some(held),
                Err(none) => {
                    last = Some(none);
                    continue;
                }
            }
            hosts.failover.offered();
            if let Some(outcome) = self.send(claim, recipients, content).await {
                return outcome;
            }
            last = Some(NoHost::lost(&target));
        }
        last.unwrap_or_else(NoHost::no_address).outcome(recipients.len())
    }

    /// Sends over the connection there is. `None` if it was not tried: the connection is over.
    async fn send(
        &mut self,
        claim: &Arc<Claim>,
        recipients: &[RecipientIndex],
        content: &Content,
    ) -> Option<(Outcome, Health)> {
        if self.connection.as_ref().is_some_and(|held| !self.route.may_reuse(&held.connection)) {
            self.leave().await;
        }
        let connection = &mut self.connection.as_mut()?.connection;
        let first = connection.mails() == 0;
        let setup = if first { connection.setup() } else { Duration::ZERO };
        let relay: Box<str> = connection.relay().into();
        let started = Instant::now();
        let sent = connection.send(outgoing(claim, recipients), content).await;
        let transmission = started.elapsed();
        let outcome = |attempts| Outcome { attempts, relay: Some(relay), setup, transmission };
        match sent {
            Sent::Finished(attempts) => Some((outcome(attempts), Health::Reached)),
            Sent::Returned(closed) => {
                self.connection = None;
                // Only a connection made for this mail tells something about the destination.
                let Closed::Faulty { reply, .. } = &closed else { return None };
                let reason = reply.to_string().into();
                let attempts = vec![closed.attempt(); recipients.len()];
                first.then(|| (outcome(attempts), Health::Unreached(reason)))
            }
            Sent::Unreadable(error) => {
                self.connection = None;
                let reply = Reply::with_text(451, Enhanced(4, 3, 0), error.to_string());
                let cause = Cause::Local;
                let attempt = Attempt::Deferred { reply, cause };
                Some((outcome(vec![attempt; recipients.len()]), Health::Reached))
            }
        }
    }

    async fn hosts(&self) -> Result<Hosts, NoHost> {
        let destination = self.lane.destination();
        let egress = &self.egress;
        let seed = egress.seed();
        let policy = &egress.policy;
        match resolve::next_hops(&*egress.resolver, &destination.next_hop, policy, seed).await {
            NextHops::Hosts(candidates) => {
                let failures = egress.failures.lock().unwrap_or_else(PoisonError::into_inner);
                let now = clock::monotonic();
                let port = destination.port;
                let limits = self.route.failover_limits();
                Ok(Hosts { failover: Failover::new(candidates, port, &failures, now, limits) })
            }
            NextHops::Fail { reply } => Err(NoHost::never(reply)),
            NextHops::Defer { reply } => Err(NoHost::not_now(reply)),
        }
    }

    async fn connect(&self, target: &Target) -> Result<Held, NoHost> {
        let Ok(permit) = Arc::clone(&self.egress.sessions).acquire_owned().await else {
            return Err(NoHost::no_address());
        };
        let settings = Arc::clone(&self.route.client);
        let mut outcome = self.open(target, settings).await;
        if let Err(OpenError::Refused(Closed::RetryInClear { reply })) = &outcome {
            self.egress.warn(format!("{target}: {reply}; trying without TLS"));
            let clear = Settings { tls: TlsPolicy::None, ..(*self.route.client).clone() };
            outcome = self.open(target, Arc::new(clear)).await;
        }
        let error = match outcome {
            Ok(connection) => {
                self.egress.reached(target, true);
                self.log_tls(&connection);
                return Ok(Held { connection, _permit: permit });
            }
            Err(error) => error,
        };
        Err(match error {
            OpenError::Unreachable(error) => {
                self.egress.reached(target, false);
                NoHost::unreachable(target, &error, &self.egress)
            }
            OpenError::Refused(closed) => NoHost::refused(target, &closed),
        })
    }

    async fn open(
        &self,
        target: &Target,
        settings: Arc<Settings>,
    ) -> Result<Connection, OpenError> {
        Connection::open(target, settings, Arc::clone(&self.route.tls)).await
    }

    fn log_tls(&self, connection: &Connection) {
        let Some((trust, summary)) = connection.security() else { return };
        self.egress.observer.session(&SessionEvent::TlsAgreed {
            peer: connection.relay().into(),
            inbound: false,
            trust: trust.as_str(),
            summary: summary.clone(),
        });
    }

    /// Records and logs an outcome. Returns who has to be sent a further transaction.
    async fn settle(
        &self,
        claim: &Claim,
        recipients: &[RecipientIndex],
        outcome: Outcome,
    ) -> Vec<RecipientIndex> {
        let Told { results, events, postponed } = tell(claim, recipients, &outcome);
        self.egress.record(claim, results, events).await;
        postponed
    }

    /// Defers what waits for a dead destination; all of it in as few syncs as possible.
    async fn put_off(&self, batches: Vec<Batch>, reason: &str) {
        let text = format!("delivery temporarily suspended: {reason}");
        let reply = Reply::with_text(450, Enhanced(4, 4, 1), text);
        let records = batches.iter().map(|Batch { claim, recipients }| {
            let none = NoHost::not_now(reply.clone());
            let (outcome, _) = none.outcome(recipients.len());
            let Told { results, events, .. } = tell(claim, recipients, &outcome);
            self.egress.record(claim, results, events)
        });
        join_all(records).await;
    }

    async fn leave(&mut self) {
        if let Some(held) = self.connection.take() {
            held.connection.quit().await;
        }
    }
}

/// The hosts that are still to be tried.
struct Hosts {
    failover: Failover,
}

impl Hosts {
    fn next(&mut self, port: u16) -> Option<Target> {
        let candidate = self.failover.next_candidate()?;
        let address = std::net::SocketAddr::new(candidate.address, port);
        Some(Target { name: candidate.name, address })
    }
}

fn outgoing(claim: &Claim, recipients: &[RecipientIndex]) -> Outgoing {
    let indices = recipients.iter().map(|index| index.as_usize());
    let envelope = Arc::clone(&claim.envelope);
    let text = match (claim.envelope.smtputf8, claim.envelope.body) {
        (true, _) => ContentText::Utf8Header,
        (false, mailweir_mail::BodyType::EightBitMime) => ContentText::EightBit,
        (false, mailweir_mail::BodyType::SevenBit) => ContentText::SevenBit,
    };
    Outgoing::new(claim.id, envelope, indices, claim.size, text)
}
