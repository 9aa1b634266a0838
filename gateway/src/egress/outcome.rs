//! How deliveries went: from attempts, or the lack of a host, to what the queue stores and the log
//! says.
//!
//! Plain functions. What is tried next is decided in [`super::courier`].

use std::time::Duration;

use mailweir_mail::{
    ConnectFailure, Delays, DeliveryReport, Enhanced, MailEvent, Reply, SessionEvent,
};
use mailweir_queue::{AttemptResult, Claim, RecipientIndex, ReportDuty};
use mailweir_smtp::client::{Attempt, Cause, Closed, Reports};

use super::{Egress, connection::Target};
use crate::clock;

/// How a batch went: one attempt per recipient, in order, and what to log with them.
pub(super) struct Outcome {
    pub(super) attempts: Vec<Attempt>,
    pub(super) relay: Option<Relay>,
    pub(super) setup: Duration,
    pub(super) transmission: Duration,
}

/// Who had the mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Relay {
    /// This peer, as Postfix logs it: `name[address]:port`.
    Peer(Box<str>),
    /// A program of this name, whose end we put into words.
    Program(Box<str>),
}

impl Relay {
    const fn name(&self) -> &str {
        match self {
            Self::Peer(name) | Self::Program(name) => name,
        }
    }

    /// Who speaks for itself.
    pub(super) const fn peer(&self) -> Option<&str> {
        match self {
            Self::Peer(name) => Some(name),
            Self::Program(_) => None,
        }
    }
}

impl Outcome {
    /// Divides it into what stands and what another host may answer otherwise: the deferred. A
    /// recipient whose answer was lost is none of these: another host would deliver it twice.
    pub(super) fn split(
        self,
        recipients: &[RecipientIndex],
    ) -> ((Vec<RecipientIndex>, Self), (Vec<RecipientIndex>, Self)) {
        let deferred = |attempt: &Attempt| matches!(attempt, Attempt::Deferred { .. });
        let both = recipients.iter().copied().zip(self.attempts);
        let (open, stands): (Vec<_>, Vec<_>) = both.partition(|(_, attempt)| deferred(attempt));
        let (stand_for, stand) = stands.into_iter().unzip();
        let (open_for, open) = open.into_iter().unzip();
        let part = |attempts| Self {
            attempts,
            relay: self.relay.clone(),
            setup: self.setup,
            transmission: self.transmission,
        };
        ((stand_for, part(stand)), (open_for, part(open)))
    }
}

impl Outcome {
    /// What is left of it for others than these recipients.
    pub(super) fn without(
        self,
        recipients: &[RecipientIndex],
        these: &[RecipientIndex],
    ) -> (Vec<RecipientIndex>, Self) {
        let all = recipients.iter().copied().zip(self.attempts);
        let (stand_for, attempts) = all.filter(|(index, _)| !these.contains(index)).unzip();
        (stand_for, Self { attempts, ..self })
    }
}

/// What an outcome says about the destination.
pub(super) enum Health {
    /// It talked about the mail.
    Reached,
    /// It did not get that far.
    Unreached(Box<str>),
}

impl Health {
    /// What two hosts say together: the destination lives if one of them does.
    pub(super) fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Reached, _) | (_, Self::Reached) => Self::Reached,
            (Self::Unreached(_), later @ Self::Unreached(_)) => later,
        }
    }
}

/// Why no host of the destination takes the mail now.
pub(super) struct NoHost {
    /// What each recipient gets.
    attempt: Attempt,
    relay: Option<Box<str>>,
}

impl NoHost {
    /// For now, in our own words.
    pub(super) const fn not_now(reply: Reply) -> Self {
        Self { attempt: Attempt::Deferred { reply, cause: Cause::Local }, relay: None }
    }

    /// For good, in our own words: the domain does not exist, say.
    pub(super) const fn never(reply: Reply) -> Self {
        Self { attempt: Attempt::Failed { reply, cause: Cause::Local }, relay: None }
    }

    pub(super) fn unreachable(target: &Target, error: &std::io::Error, egress: &Egress) -> Self {
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
        Self::not_now(Reply::with_text(450, Enhanced(4, 4, 1), text))
    }

    pub(super) fn refused(target: &Target, closed: &Closed) -> Self {
        Self { attempt: closed.attempt(), relay: Some(target.to_string().into()) }
    }

    pub(super) fn lost(target: &Target) -> Self {
        let text = format!("lost connection with {target}");
        let reply = Reply::with_text(450, Enhanced(4, 4, 2), text);
        Self { relay: Some(target.to_string().into()), ..Self::not_now(reply) }
    }

    /// What two next hops say together: one that may have a host later decides.
    pub(super) fn or(self, later: Self) -> Self {
        if self.attempt.is_final() { later } else { self }
    }

    /// The same for a filter of other people: whatever keeps it from being reached, nothing was said of the mail.
    pub(super) fn of_filter(self) -> Self {
        let Attempt::Failed { mut reply, cause } = self.attempt else { return self };
        if cause == Cause::Local {
            let Enhanced(_, subject, detail) = reply.enhanced_or_general();
            reply = Reply { code: 450, enhanced: Some(Enhanced(4, subject, detail)), ..reply };
        }
        Self { attempt: Attempt::Deferred { reply, cause }, ..self }
    }

    pub(super) fn no_address() -> Self {
        let words = "no address of the next hop is left to try";
        Self::not_now(Reply::new(450, Enhanced(4, 4, 4), words))
    }

    pub(super) fn outcome(self, recipients: usize) -> (Outcome, Health) {
        let health = match self.attempt.is_final() {
            true => Health::Reached,
            false => Health::Unreached(said(&self.attempt)),
        };
        let outcome = Outcome {
            attempts: vec![self.attempt; recipients],
            relay: self.relay.map(Relay::Peer),
            setup: Duration::ZERO,
            transmission: Duration::ZERO,
        };
        (outcome, health)
    }
}

/// An outcome in the words of the queue and of the log.
pub(super) struct Told {
    pub(super) results: Vec<(RecipientIndex, AttemptResult)>,
    pub(super) events: Vec<MailEvent>,
    /// Who has to be sent a further transaction at once.
    pub(super) postponed: Vec<RecipientIndex>,
}

pub(super) fn tell(claim: &Claim, recipients: &[RecipientIndex], outcome: &Outcome) -> Told {
    let mut told = Told {
        results: Vec::with_capacity(recipients.len()),
        events: Vec::with_capacity(recipients.len()),
        postponed: Vec::new(),
    };
    for (&index, attempt) in recipients.iter().zip(&outcome.attempts) {
        if matches!(attempt, Attempt::Postponed { .. }) {
            told.postponed.push(index);
            continue;
        }
        let peer = outcome.relay.as_ref().and_then(Relay::peer);
        told.results.push((index, result(attempt, peer)));
        told.events.extend(event(claim, index, attempt, outcome));
        if let (Attempt::Uncertain { .. }, Some(relay)) = (attempt, peer) {
            told.events.push(MailEvent::AnswerLost { id: claim.id, relay: relay.into() });
        }
    }
    told
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
        // Who was only asked about has no mail yet.
        Attempt::Accepted { .. }
        | Attempt::Deferred { .. }
        | Attempt::Uncertain { .. }
        | Attempt::Postponed { .. } => AttemptResult::Deferred { reply, relay },
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
        original: recipient.original.clone(),
        relay: outcome.relay.as_ref().map(|relay| relay.name().into()),
        delays: Delays {
            before_queue: claim.claimed_at.since(claim.arrival),
            in_queue: spent.saturating_sub(outcome.setup + outcome.transmission),
            setup: outcome.setup,
            transmission: outcome.transmission,
        },
        dsn: reply.enhanced_or_general(),
        text: match &outcome.relay {
            Some(Relay::Program(_)) => reply.text.as_ref().into(),
            Some(Relay::Peer(_)) | None => said(attempt),
        },
    };
    Some(match attempt {
        Attempt::Delivered { .. } => MailEvent::Delivered(report),
        Attempt::Failed { .. } => MailEvent::Bounced(report),
        Attempt::Accepted { .. }
        | Attempt::Deferred { .. }
        | Attempt::Uncertain { .. }
        | Attempt::Postponed { .. } => MailEvent::Deferred(report),
    })
}

/// A peer's reply with its code; our own words without, as Postfix logs them.
fn said(attempt: &Attempt) -> Box<str> {
    let reply = attempt.reply();
    match attempt {
        Attempt::Delivered { .. }
        | Attempt::Accepted { .. }
        | Attempt::Deferred { cause: Cause::Replied(_), .. }
        | Attempt::Failed { cause: Cause::Replied(_), .. } => reply.to_string().into(),
        Attempt::Deferred { .. }
        | Attempt::Failed { .. }
        | Attempt::Uncertain { .. }
        | Attempt::Postponed { .. } => reply.text.as_ref().into(),
    }
}

/// An error of the operating system without its number: `Connection refused`.
fn plain_words(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split_once(" (os error").map_or_else(|| text.clone(), |(words, _)| words.to_owned())
}
