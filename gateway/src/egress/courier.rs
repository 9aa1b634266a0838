//! One connection at work for a lane: takes batches, sends them, records what became of them.
//!
//! The result of each recipient is durable before the courier takes its next mail. A connection is
//! kept open while there is work for it, and a little longer.

use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

use mailweir_mail::{
    ConnectFailure, Delays, DeliveryReport, Enhanced, MailEvent, Reply, SessionEvent,
};
use mailweir_queue::{AttemptResult, Claim, Content, RecipientIndex, ReportDuty};
use mailweir_smtp::client::{Attempt, Closed, ContentText, Outgoing, Reports, Settings, TlsPolicy};
use tokio::time::Instant;

use super::{
    Egress,
    connection::{Connection, OpenError, Sent, Target},
    failover::Failover,
    lane::{Batch, Job, Lane, Staff},
    resolve::{self, NextHops},
    route::LiveRoute,
};
use crate::clock;

/// Works for one lane until there is nothing to do for a while.
pub(super) struct Courier {
    egress: Arc<Egress>,
    lane: Arc<Lane>,
    route: Arc<LiveRoute>,
    connection: Option<Connection>,
}

/// How a batch went: one attempt per recipient, in order, and what to log with them.
struct Outcome {
    attempts: Vec<Attempt>,
    relay: Option<Box<str>>,
    setup: Duration,
    transmission: Duration,
}

/// What an outcome says about the destination.
enum Health {
    /// It talked about the mail.
    Reached,
    /// It did not get that far.
    Unreached(Box<str>),
}

/// Why no host of the destination takes the mail now.
struct NoHost {
    reply: Reply,
    relay: Option<Box<str>>,
    /// Whether the answer is final, as for a domain that does not exist.
    permanent: bool,
}

impl Courier {
    /// Starts a courier for `lane`.
    pub(super) fn start(egress: Arc<Egress>, lane: Arc<Lane>, route: Arc<LiveRoute>) {
        let tasks = egress.tasks.clone();
        tasks.spawn(Self { egress, lane, route, connection: None }.work());
    }

    async fn work(mut self) {
        let patience = self.route.idle_time();
        while let Some(job) = self.lane.next_job(patience).await {
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
            match health {
                Health::Reached => self.lane.succeeded(),
                Health::Unreached(reason) => self.lane.failed(&reason),
            }
            let postponed = self.settle(&claim, &recipients, outcome).await;
            if postponed.is_empty() {
                return;
            }
            recipients = postponed;
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
                Ok(connection) => self.connection = Some(connection),
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
        if self.connection.as_ref().is_some_and(|open| !self.route.may_reuse(open)) {
            self.leave().await;
        }
        let connection = self.connection.as_mut()?;
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
                let cause = mailweir_smtp::client::Cause::Local;
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
            NextHops::Fail { reply } => Err(NoHost { reply, relay: None, permanent: true }),
            NextHops::Defer { reply } => Err(NoHost { reply, relay: None, permanent: false }),
        }
    }

    async fn connect(&self, target: &Target) -> Result<Connection, NoHost> {
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
                return Ok(connection);
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
        let mut postponed = Vec::new();
        let mut results = Vec::with_capacity(recipients.len());
        let mut events = Vec::with_capacity(recipients.len());
        for (&index, attempt) in recipients.iter().zip(&outcome.attempts) {
            if matches!(attempt, Attempt::Postponed { .. }) {
                postponed.push(index);
                continue;
            }
            results.push((index, result(attempt, outcome.relay.as_deref())));
            events.extend(event(claim, index, attempt, &outcome));
            if let (Attempt::Uncertain { .. }, Some(relay)) = (attempt, &outcome.relay) {
                events.push(MailEvent::AnswerLost { id: claim.id, relay: relay.clone() });
            }
        }
        self.egress.record(claim, results, events).await;
        postponed
    }

    async fn put_off(&self, batches: Vec<Batch>, reason: &str) {
        for batch in batches {
            let text = format!("delivery temporarily suspended: {reason}");
            let none = NoHost {
                reply: Reply::with_text(450, Enhanced(4, 4, 1), text),
                relay: None,
                permanent: false,
            };
            let (outcome, _) = none.outcome(batch.recipients.len());
            let _ = self.settle(&batch.claim, &batch.recipients, outcome).await;
        }
    }

    async fn leave(&mut self) {
        if let Some(connection) = self.connection.take() {
            connection.quit().await;
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

impl NoHost {
    fn unreachable(target: &Target, error: &std::io::Error, egress: &Egress) -> Self {
        let timed_out = error.kind() == std::io::ErrorKind::TimedOut;
        let words = match timed_out {
            true => "Connection timed out".to_owned(),
            false => plain_words(error),
        };
        egress.observer.session(&SessionEvent::ConnectFailed {
            peer: target.to_string().into(),
            failure: match timed_out {
                true => ConnectFailure::TimedOut,
                false => ConnectFailure::Other(words.as_str().into()),
            },
        });
        let text = format!("connect to {target}: {words}");
        let reply = Reply::with_text(450, Enhanced(4, 4, 1), text);
        Self { reply, relay: None, permanent: false }
    }

    fn refused(target: &Target, closed: &Closed) -> Self {
        let attempt = closed.attempt();
        let permanent = attempt.is_final();
        Self { reply: attempt.reply().clone(), relay: Some(target.to_string().into()), permanent }
    }

    fn lost(target: &Target) -> Self {
        let text = format!("lost connection with {target}");
        let reply = Reply::with_text(450, Enhanced(4, 4, 2), text);
        Self { reply, relay: Some(target.to_string().into()), permanent: false }
    }

    fn no_address() -> Self {
        let reply = Reply::new(450, Enhanced(4, 4, 4), "no address of the next hop is left to try");
        Self { reply, relay: None, permanent: false }
    }

    fn outcome(self, recipients: usize) -> (Outcome, Health) {
        let cause = mailweir_smtp::client::Cause::Local;
        let reason: Box<str> = self.reply.text.as_ref().into();
        let reply = self.reply;
        let (attempt, health) = match self.permanent {
            true => (Attempt::Failed { reply, cause }, Health::Reached),
            false => (Attempt::Deferred { reply, cause }, Health::Unreached(reason)),
        };
        let outcome = Outcome {
            attempts: vec![attempt; recipients],
            relay: self.relay,
            setup: Duration::ZERO,
            transmission: Duration::ZERO,
        };
        (outcome, health)
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

/// What the queue stores of an attempt.
fn result(attempt: &Attempt, relay: Option<&str>) -> AttemptResult {
    let reply = attempt.reply().clone();
    let relay = relay.map(Into::into);
    match attempt {
        Attempt::Delivered { reports: Reports::PassedOn, .. } => {
            AttemptResult::Delivered { reply, relay, duty: ReportDuty::PassedOn }
        }
        Attempt::Delivered { reports: Reports::Ours, .. } => {
            AttemptResult::Delivered { reply, relay, duty: ReportDuty::Ours }
        }
        Attempt::Failed { .. } => AttemptResult::Failed { reply, relay },
        Attempt::Deferred { .. } | Attempt::Uncertain { .. } | Attempt::Postponed { .. } => {
            AttemptResult::Deferred { reply, relay }
        }
    }
}

/// What the log says of an attempt.
fn event(
    claim: &Claim,
    index: RecipientIndex,
    attempt: &Attempt,
    outcome: &Outcome,
) -> Option<MailEvent> {
    let recipient = claim.envelope.recipients.get(index.as_usize())?;
    let reply = attempt.reply();
    let spent = clock::now().since(claim.claimed_at);
    let report = DeliveryReport {
        id: claim.id,
        to: recipient.address.clone(),
        relay: outcome.relay.clone(),
        delays: Delays {
            before_queue: claim.claimed_at.since(claim.arrival),
            in_queue: spent.saturating_sub(outcome.setup + outcome.transmission),
            setup: outcome.setup,
            transmission: outcome.transmission,
        },
        dsn: reply.enhanced_or_general(),
        text: reply.to_string().into(),
    };
    Some(match attempt {
        Attempt::Delivered { .. } => MailEvent::Delivered(report),
        Attempt::Failed { .. } => MailEvent::Bounced(report),
        Attempt::Deferred { .. } | Attempt::Uncertain { .. } | Attempt::Postponed { .. } => {
            MailEvent::Deferred(report)
        }
    })
}

/// An error of the operating system without its number: `Connection refused`.
fn plain_words(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split_once(" (os error").map_or_else(|| text.clone(), |(words, _)| words.to_owned())
}
