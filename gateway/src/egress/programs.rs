//! Programs that mail is handed to (Postfix pipe(8)): what is tried, and what their end says.

mod process;

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use mailweir_external::pipe::{Content as Piped, Mail, To, Verdict, verdict};
use mailweir_mail::{Domain, Recipient, Transport};
use mailweir_queue::{BodyError, Claim, RecipientIndex};
use mailweir_smtp::client::{Attempt, Cause, Reports};
use mailweir_tables::keys::Extensions;
use tokio::{sync::Semaphore, time::Instant};

use self::process::{Letter, Process};
use super::{
    Egress, filters,
    outcome::{NoHost, Outcome, Relay, Told, tell},
    replies,
    route::Through,
    unrecorded::Unrecorded,
};
use crate::{
    config::{Filter, PipeFilter},
    observe::FilterOutcome,
};

/// A program that is a filter.
pub(super) struct Program {
    pub(super) through: Through,
    settings: PipeFilter,
    time_limit: Duration,
    recipient_limit: usize,
    concurrency_limit: NonZeroU32,
    /// A permit for each that runs.
    room: Arc<Semaphore>,
    /// Results of those that have ended which the disk may not know yet: a crash runs those programs again.
    unrecorded: Unrecorded,
    extensions: Extensions,
}

/// A mail for a program, and who of it goes there.
struct Batch {
    claim: Arc<Claim>,
    recipients: Vec<RecipientIndex>,
    next_hop: Box<str>,
}

impl Program {
    pub(super) fn new(filter: &Filter, settings: &PipeFilter, extensions: Extensions) -> Self {
        Self {
            through: Through::of(filter),
            settings: settings.clone(),
            time_limit: filter.time_limit,
            recipient_limit: filter.recipient_limit.get() as usize,
            concurrency_limit: filter.concurrency_limit,
            room: Arc::new(Semaphore::new(filter.concurrency_limit.get() as usize)),
            unrecorded: Unrecorded::none(),
            extensions,
        }
    }

    /// Counts those that run since before a reload, too.
    pub(super) fn share_room(&mut self, before: &Self) {
        if before.concurrency_limit == self.concurrency_limit {
            self.room = Arc::clone(&before.room);
        }
    }

    /// Where it is.
    pub(super) fn path(&self) -> &str {
        &self.settings.command.program
    }

    /// What `${nexthop}` is for a recipient at `domain`; nothing where no argument names it, so that mail stays together.
    pub(super) fn next_hop(&self, transport: &Transport, domain: &Domain) -> Box<str> {
        match transport.next_hop() {
            _ if !self.settings.command.name_next_hop() => "".into(),
            "" => domain.as_str().into(),
            named => named.into(),
        }
    }

    /// Hands copies of a mail over, as soon as there is room.
    pub(super) fn hand_over(
        self: &Arc<Self>,
        egress: &Arc<Egress>,
        claim: &Arc<Claim>,
        recipients: &[RecipientIndex],
        next_hop: &str,
    ) {
        for part in recipients.chunks(self.recipient_limit) {
            let batch = Batch {
                claim: Arc::clone(claim),
                recipients: part.to_vec(),
                next_hop: next_hop.into(),
            };
            let (program, egress) = (Arc::clone(self), Arc::clone(egress));
            egress.tasks.clone().spawn(async move { program.take(&egress, batch).await });
        }
    }

    async fn take(&self, egress: &Arc<Egress>, batch: Batch) {
        let permit = egress.stop.run_until_cancelled(self.room.acquire()).await;
        // The semaphore is never closed.
        let Some(Ok(permit)) = permit else { return };
        if self.is_replaced(egress, &batch).await {
            return;
        }
        let began = Instant::now();
        let verdict = match self.run(egress, &batch).await {
            Ok(verdict) => verdict,
            Err(error) => return egress.unreadable(&batch.claim, &error).await,
        };
        // Others need not wait until the disk knows, but for a disk that does not answer.
        let _unwritten = self.unrecorded.add().await;
        drop(permit);
        let outcome = |attempt| Outcome {
            attempts: vec![attempt; batch.recipients.len()],
            relay: Some(Relay::Program(self.through.name.clone())),
            setup: Duration::ZERO,
            transmission: began.elapsed(),
        };
        let said = self.said(verdict);
        egress.observer.filter_asked(&self.through.name, said.came_to(), Some(began.elapsed()));
        match said {
            Said::OfTheMail(attempt) => {
                record(egress, &batch.claim, &batch.recipients, &outcome(attempt)).await;
            }
            Said::Nothing(attempt) => self.settle_failure(egress, &batch, outcome(attempt)).await,
        }
    }

    /// Whether a reload has taken it out, or put another in its place, while a mail waited for room. The mail waits on, or goes
    /// there.
    async fn is_replaced(&self, egress: &Arc<Egress>, batch: &Batch) -> bool {
        let Batch { claim, recipients, next_hop } = batch;
        let name = &self.through.name;
        match egress.routes().program(name) {
            Some(now) if std::ptr::eq(&**now, self) => return false,
            Some(now) => now.hand_over(egress, claim, recipients, next_hop),
            None => {
                let reply = replies::no_filter(name);
                let (outcome, _) = NoHost::not_now(reply).outcome(recipients.len());
                record(egress, claim, recipients, &outcome).await;
            }
        }
        true
    }

    async fn settle_failure(&self, egress: &Arc<Egress>, batch: &Batch, mut outcome: Outcome) {
        let (through, Batch { claim, recipients, .. }) = (&self.through, batch);
        let passing =
            filters::settle_failure(egress, through, claim, recipients, &mut outcome).await;
        if passing.is_empty() {
            return record(egress, claim, recipients, &outcome).await;
        }
        let ahead = egress.routes().ahead_behind(through, &claim.envelope);
        filters::go_on(egress, claim, passing, ahead);
    }

    /// Runs it once for a mail.
    async fn run(&self, egress: &Egress, batch: &Batch) -> Result<Verdict, BodyError> {
        let Batch { claim, recipients, next_hop } = batch;
        if self.settings.size_limit.is_some_and(|limit| claim.size > limit) {
            return Ok(Verdict::Failed("the mail is larger than its size_limit".into()));
        }
        let envelope = &claim.envelope;
        let to: Vec<&Recipient> = recipients
            .iter()
            .filter_map(|index| envelope.recipients.get(index.as_usize()))
            .collect();
        let locals: Vec<_> = to.iter().map(|to| to.address.unquoted_local_part()).collect();
        let people: Vec<To<'_>> = to
            .iter()
            .zip(&locals)
            .map(|(to, local)| {
                let (user, extension) = self.extensions.split(local).unwrap_or((local, ""));
                let extension = extension.get(1..).unwrap_or_default();
                To { address: &to.address, original: to.original.as_ref(), user, extension }
            })
            .collect();
        let mail =
            Mail { id: claim.id, envelope, origin: &claim.origin, size: claim.size, next_hop };
        let arguments = match self.settings.command.about(&mail, &people) {
            Ok(arguments) => arguments,
            Err(part) => return Ok(Verdict::Refused(replies::looks_like_option(&part))),
        };
        let only = match people.as_slice() {
            [to] => Some((to.address, to.original.unwrap_or(to.address))),
            _ => None,
        };
        let form = &self.settings.form;
        let mut top = form.top(&envelope.sender, only, claim.arrival);
        let routes = egress.routes();
        let mut slip = Piped::new(form);
        slip.feed(&filters::slip(claim, &self.through, &routes), &mut top);
        let content = egress.queue.body(claim.id, &claim.body).await?;
        let letter = Letter { top, form, content: content.reader() };
        let way_back = self.settings.back.and_then(|back| egress.ways_back.beside(back));
        let process =
            Process { settings: &self.settings, arguments, way_back, limit: self.time_limit };
        let (ended, output) = process.run(&egress.starter, letter).await?;
        Ok(verdict(&ended, &output))
    }

    fn said(&self, verdict: Verdict) -> Said {
        match verdict {
            Verdict::Taken(said) => {
                let reply = replies::delivered_via(&self.through.name, &said);
                Said::OfTheMail(Attempt::Delivered { reply, reports: Reports::Ours })
            }
            Verdict::Deferred(reply) => {
                Said::OfTheMail(Attempt::Deferred { reply, cause: Cause::Local })
            }
            Verdict::Refused(reply) => {
                Said::OfTheMail(Attempt::Failed { reply, cause: Cause::Local })
            }
            Verdict::Failed(why) => {
                let reply = replies::program_failed(&why);
                Said::Nothing(Attempt::Deferred { reply, cause: Cause::Local })
            }
        }
    }
}

/// What a program has said.
enum Said {
    /// This, of the mail.
    OfTheMail(Attempt),
    /// Nothing: it has failed.
    Nothing(Attempt),
}

impl Said {
    const fn came_to(&self) -> FilterOutcome {
        match self {
            Self::Nothing(_) => FilterOutcome::Failed,
            Self::OfTheMail(Attempt::Failed { .. }) => FilterOutcome::Refused,
            Self::OfTheMail(Attempt::Deferred { .. }) => FilterOutcome::Deferred,
            Self::OfTheMail(_) => FilterOutcome::Passed,
        }
    }
}

async fn record(egress: &Egress, claim: &Claim, recipients: &[RecipientIndex], outcome: &Outcome) {
    let Told { results, events, .. } = tell(claim, recipients, outcome);
    egress.record(claim, results, events).await;
}
