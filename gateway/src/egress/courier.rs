//! One connection at work for a lane: takes batches, sends them, records what became of them.
//!
//! The results of a mail are written while the courier goes on with the next, so that many share a sync; a few of
//! them at most ([`Unrecorded`]), since a crash sends those mails again. A connection is kept open while there is work
//! for it, and a little longer.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::future::join_all;
use mailweir_filters::rewriting::RewriteError;
use mailweir_mail::{Enhanced, Forwarded, Reply};
use mailweir_queue::{AttemptResult, BodyError, Claim, Content, RecipientIndex};
use mailweir_smtp::client::{Closed, ContentText, Outgoing};
use tokio::time::Instant;

use super::{
    Egress,
    connection::{Letter, Sent, Target},
    contact::Held,
    filters,
    hosts::Hosts,
    lane::{Batch, Job, Post},
    outcome::{Health, NoHost, Outcome, Relay, Told, tell},
    replies::UNCLEAR,
    route::LiveRoute,
    shown::{Leaves, Shown},
    unrecorded::Unrecorded,
};
use crate::observe::FilterOutcome;

/// Works for one lane until there is nothing to do for a while.
pub(super) struct Courier {
    egress: Arc<Egress>,
    post: Post,
    connection: Option<Held>,
    unrecorded: Unrecorded,
}

/// What came of offering a mail over the connection there is.
enum Offer {
    /// The peer, or what became of the connection, says this.
    Answered(Outcome, Health),
    /// It was not offered: there is no connection, or it was over already.
    NotMade,
    /// Its content cannot be read.
    Unreadable(BodyError),
}

/// Where a delivery stands.
enum Stand {
    /// All have a result, but these, who are to be sent a further transaction at once.
    Settled(Vec<RecipientIndex>, Health),
    /// The content cannot be read: nobody has a result.
    Unreadable(BodyError),
}

impl Courier {
    /// Fills a post with a new courier.
    pub(super) fn start(egress: Arc<Egress>, post: Post) {
        let tasks = egress.tasks.clone();
        let unrecorded = Unrecorded::none();
        tasks.spawn(Self { egress, post, connection: None, unrecorded }.work());
    }

    async fn work(mut self) {
        let stop = self.egress.stop.clone();
        let patience = self.route().idle_time();
        while let Some(Some(job)) = stop.run_until_cancelled(self.post.next_job(patience)).await {
            if let Some(post) = self.post.lane().staff() {
                Self::start(Arc::clone(&self.egress), post);
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
        let protocol = self.post.lane().destination().protocol;
        let envelope = &claim.envelope;
        let through = self.route().filter.as_ref();
        let leaves = match through.is_some() || envelope.filter.is_some() {
            true => Leaves::ToComeBack,
            false => Leaves::ForGood,
        };
        let live = self.egress.rewriting();
        let slip = through.map(|through| filters::slip(&claim, through, &self.egress.routes()));
        let forwarded = self.route().xforward.then(|| Arc::new(filters::came_from(&claim)));
        let shown = Shown::to((protocol, leaves), envelope, &recipients, live).await;
        let shown = match shown {
            Ok(shown) => shown,
            Err(error) => return self.unclear(&claim, &recipients, &error).await,
        };
        let content = match self.egress.queue.body(claim.id, &claim.body).await {
            Ok(content) => content,
            Err(error) => {
                self.post.abandoned();
                return self.egress.warn(format!("{}: content not readable: {error}", claim.id));
            }
        };
        let top = slip.unwrap_or_default();
        let mail = Mail { claim: &claim, shown: &shown, content: &content, top, forwarded };
        loop {
            match self.attempt(&mail, recipients).await {
                Stand::Unreadable(error) => {
                    self.post.abandoned();
                    return self.egress.unreadable(&claim, &error).await;
                }
                Stand::Settled(again, Health::Reached) if again.is_empty() => {
                    self.filter_left_alone(false);
                    return self.post.succeeded();
                }
                Stand::Settled(again, Health::Unreached(reason)) if again.is_empty() => {
                    return self.post.failed(&reason);
                }
                Stand::Settled(again, _) => recipients = again,
            }
        }
    }

    /// A table cannot tell how the mail looks to others: it is not offered.
    async fn unclear(
        &mut self,
        claim: &Arc<Claim>,
        recipients: &[RecipientIndex],
        error: &RewriteError,
    ) {
        self.post.abandoned();
        self.egress.warn(put_off(claim, error));
        let (outcome, _) = NoHost::not_now(UNCLEAR).outcome(recipients.len());
        self.settle(claim, recipients, outcome).await;
    }

    /// Tries the open connection first, then one host after the other. Whom a host defers is
    /// offered to the next one (Postfix `smtp_mx_session_limit`); who has a result that stands has
    /// it recorded meanwhile.
    async fn attempt(&mut self, mail: &Mail<'_>, recipients: Vec<RecipientIndex>) -> Stand {
        let claim = mail.claim;
        match self.offer(mail, &recipients).await {
            Offer::NotMade => {}
            Offer::Unreadable(error) => return Stand::Unreadable(error),
            Offer::Answered(outcome, health) => {
                return Stand::Settled(self.settle(claim, &recipients, outcome).await, health);
            }
        }
        let lane = self.post.lane();
        let mut hosts = match self.egress.hosts(lane.destination(), lane.route()).await {
            Ok(hosts) => hosts,
            Err(none) => {
                let (outcome, health) = self.unreached(none).outcome(recipients.len());
                return Stand::Settled(self.settle(claim, &recipients, outcome).await, health);
            }
        };
        let mut left = recipients;
        let mut again = Vec::new();
        let (mut last, mut health) = NoHost::no_address().outcome(left.len());
        while let Some(target) = hosts.next() {
            let (outcome, reached) = match self.offer_to(&target, &mut hosts, mail, &left).await {
                Offer::Answered(outcome, reached) => (outcome, reached),
                Offer::NotMade => NoHost::lost(&target).outcome(left.len()),
                Offer::Unreadable(error) => return Stand::Unreadable(error),
            };
            health = health.or(reached);
            let (settled, deferred) = outcome.split(&left);
            again.extend(self.settle(claim, &settled.0, settled.1).await);
            (left, last) = deferred;
            if left.is_empty() {
                return Stand::Settled(again, health);
            }
        }
        again.extend(self.settle(claim, &left, last).await);
        Stand::Settled(again, health)
    }

    /// Connects to a host and offers the mail.
    async fn offer_to(
        &mut self,
        target: &Target,
        hosts: &mut Hosts,
        mail: &Mail<'_>,
        recipients: &[RecipientIndex],
    ) -> Offer {
        self.leave().await;
        let held = match self.egress.room().await {
            Ok(room) => self.egress.connect(room, target, self.route()).await,
            Err(none) => Err(none),
        };
        match held {
            Ok(held) => self.connection = Some(held),
            Err(none) => {
                let (outcome, health) = self.unreached(none).outcome(recipients.len());
                return Offer::Answered(outcome, health);
            }
        }
        hosts.offered();
        self.offer(mail, recipients).await
    }

    /// A filter that is not reached says nothing of the mail, other than a destination.
    fn unreached(&self, none: NoHost) -> NoHost {
        match self.route().filter {
            Some(_) => none.of_filter(),
            None => none,
        }
    }

    /// Offers the mail over the connection there is.
    async fn offer(&mut self, mail: &Mail<'_>, recipients: &[RecipientIndex]) -> Offer {
        let worn = |held: &Held| !self.route().may_reuse(&held.connection);
        if self.connection.as_ref().is_some_and(worn) {
            self.leave().await;
        }
        let Some(Held { connection, .. }) = &mut self.connection else { return Offer::NotMade };
        let first = connection.mails() == 0;
        let setup = if first { connection.setup() } else { Duration::ZERO };
        let relay = Relay::Peer(connection.relay().into());
        let started = Instant::now();
        let sent = connection.send(mail.outgoing(recipients), mail.letter()).await;
        let transmission = started.elapsed();
        let outcome = |attempts| Outcome { attempts, relay: Some(relay), setup, transmission };
        match sent {
            Sent::Finished(attempts) => Offer::Answered(outcome(attempts), Health::Reached),
            Sent::Unreadable(error) => {
                self.connection = None;
                Offer::Unreadable(error)
            }
            Sent::Unclear(error) => {
                self.connection = None;
                self.egress.warn(put_off(mail.claim, &error));
                let (outcome, _) = NoHost::not_now(UNCLEAR).outcome(recipients.len());
                Offer::Answered(outcome, Health::Reached)
            }
            Sent::Returned(closed) => {
                self.connection = None;
                match &closed {
                    // Only a connection made for this mail tells something about the destination.
                    Closed::Faulty { reply, .. } if first => {
                        let reason = reply.to_string().into();
                        let attempts = vec![closed.attempt(); recipients.len()];
                        Offer::Answered(outcome(attempts), Health::Unreached(reason))
                    }
                    Closed::Faulty { .. } | Closed::Quit | Closed::RetryInClear { .. } => {
                        Offer::NotMade
                    }
                }
            }
        }
    }

    /// Has an outcome recorded and logged. Returns who has to be sent a further transaction.
    async fn settle(
        &self,
        claim: &Arc<Claim>,
        recipients: &[RecipientIndex],
        outcome: Outcome,
    ) -> Vec<RecipientIndex> {
        let came_to = filters::outcome_of(&outcome.attempts);
        if let Some((filter, came_to)) = self.route().filter.as_ref().zip(came_to) {
            let took = outcome.setup + outcome.transmission;
            self.egress.observer.filter_asked(&filter.name, came_to, Some(took));
        }
        self.settle_unasked(claim, recipients, outcome).await
    }

    async fn settle_unasked(
        &self,
        claim: &Arc<Claim>,
        recipients: &[RecipientIndex],
        mut outcome: Outcome,
    ) -> Vec<RecipientIndex> {
        let Some(through) = &self.route().filter else {
            return self.record(claim, recipients, &outcome).await;
        };
        let passing =
            filters::settle_failure(&self.egress, through, claim, recipients, &mut outcome).await;
        if passing.is_empty() {
            return self.record(claim, recipients, &outcome).await;
        }
        let ahead = self.egress.routes().ahead_behind(through, &claim.envelope);
        let (stand_for, stand) = outcome.without(recipients, &passing);
        let postponed = self.record(claim, &stand_for, &stand).await;
        filters::go_on(&self.egress, claim, passing, ahead);
        postponed
    }

    async fn record(
        &self,
        claim: &Arc<Claim>,
        recipients: &[RecipientIndex],
        outcome: &Outcome,
    ) -> Vec<RecipientIndex> {
        let Told { results, events, postponed } = tell(claim, recipients, outcome);
        let is_deferred = |(_, result): &_| matches!(result, AttemptResult::Deferred { .. });
        // A deferral that a crash forgets costs nothing.
        let unwritten = match results.iter().all(is_deferred) {
            true => None,
            false => Some(self.unrecorded.add().await),
        };
        let (egress, claim) = (Arc::clone(&self.egress), Arc::clone(claim));
        self.egress.tasks.spawn(async move {
            egress.record(&claim, results, events).await;
            drop(unwritten);
        });
        postponed
    }

    /// Defers what waits for a dead destination; all of it in as few syncs as possible.
    async fn put_off(&self, batches: Vec<Batch>, reason: &str) {
        let text = format!("delivery temporarily suspended: {reason}");
        let reply = Reply::with_text(450, Enhanced(4, 4, 1), text);
        self.filter_left_alone(true);
        let records = batches.iter().map(|Batch { claim, recipients }| {
            let none = NoHost::not_now(reply.clone());
            let (outcome, _) = none.outcome(recipients.len());
            if let Some(filter) = &self.route().filter {
                let observer = &self.egress.observer;
                observer.filter_asked(&filter.name, FilterOutcome::LeftAlone, None);
            }
            self.settle_unasked(claim, recipients, outcome)
        });
        join_all(records).await;
    }

    fn filter_left_alone(&self, is_left_alone: bool) {
        if let Some(filter) = &self.route().filter {
            self.egress.observer.filter_left_alone(&filter.name, is_left_alone);
        }
    }

    fn route(&self) -> &Arc<LiveRoute> {
        self.post.lane().route()
    }

    async fn leave(&mut self) {
        if let Some(held) = self.connection.take() {
            held.leave().await;
        }
    }
}

/// A mail in a courier's hands.
struct Mail<'m> {
    claim: &'m Arc<Claim>,
    shown: &'m Shown,
    content: &'m Content,
    /// What stands above it, if it goes to a filter.
    top: Bytes,
    /// Where it came from, if who gets it is to be told.
    forwarded: Option<Arc<Forwarded>>,
}

impl Mail<'_> {
    fn outgoing(&self, recipients: &[RecipientIndex]) -> Outgoing {
        let indices = recipients.iter().map(|index| index.as_usize());
        let envelope = Arc::clone(&self.shown.envelope);
        let text = match (envelope.smtputf8, envelope.body) {
            (true, _) => ContentText::Utf8Header,
            (false, mailweir_mail::BodyType::EightBitMime) => ContentText::EightBit,
            (false, mailweir_mail::BodyType::SevenBit) => ContentText::SevenBit,
        };
        let size = self.claim.size + self.top.len() as u64;
        let outgoing = Outgoing::new(envelope, indices, size, text);
        match &self.forwarded {
            Some(from) => outgoing.forwarded(Arc::clone(from)),
            None => outgoing,
        }
    }

    fn letter(&self) -> Letter<'_> {
        Letter { top: self.top.clone(), ..self.shown.letter(self.content) }
    }
}

fn put_off(claim: &Claim, error: &RewriteError) -> String {
    format!("{}: the mail is put off: {error}", claim.id)
}
