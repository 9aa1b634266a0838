//! How a change becomes durable: applied under the lock, written by the committer, then acted on.
//!
//! The order in which changes are applied is the order in which they are written, since both
//! happen under the registry's lock. What follows from a change is done on the committer's thread
//! once it is durable, so a caller that loses interest loses nothing.

use std::sync::{Arc, MutexGuard};

use bytes::Bytes;
use mailweir_mail::{MailEvent, QueueId};
use tokio::sync::oneshot;

use super::{
    ChangeError, Recorded, Shared,
    registry::{Entry, Phase, Registry, Task},
};
use crate::{
    committer::{Done, Unsent, Urgency},
    intake::{IntakeError, Newcomer, Prepared, Receipt, Ticket},
    progress::{AttemptResult, Place, State},
    record::BodyLocation,
    state::{Change, Effects, apply},
    store::{Batch, Space, StoreError},
};

impl Shared {
    /// The name of a mail that begins to come in.
    pub(crate) fn new_id(&self) -> Result<QueueId, IntakeError> {
        let mut registry = self.lock();
        if registry.phase == Phase::Closing {
            return Err(IntakeError::Closed);
        }
        Ok(registry.new_id(self.clock.now()))
    }

    /// Commits a new mail and hands it on in memory. The write is begun at once.
    pub(crate) fn commit_new(
        self: &Arc<Self>,
        prepared: Prepared,
    ) -> impl Future<Output = Result<Receipt, IntakeError>> + Send + 'static + use<> {
        let committed = self.commit_together([prepared], Batch::default());
        async move { committed.await.map(|[receipt]| receipt) }
    }

    /// The same for some mails, and what belongs to them: all of it in one batch.
    pub(crate) fn commit_together<const N: usize>(
        self: &Arc<Self>,
        mails: [Prepared; N],
        with: Batch,
    ) -> impl Future<Output = Result<[Receipt; N], IntakeError>> + Send + 'static + use<N> {
        let (mut all, mut newcomers) = (Batch::default(), Vec::with_capacity(N));
        let tickets = mails.map(|Prepared { newcomer, ticket, batch }| {
            all.append(batch);
            newcomers.push((ticket.id, newcomer));
            ticket
        });
        all.append(with);
        let (answer, fate) = oneshot::channel();
        let shared = self.clone();
        let done: Done = Box::new(move |written| {
            let receipts = tickets.map(|ticket| shared.admit(ticket, written.clone()));
            drop(answer.send(receipts));
        });
        let begun = self.submit_new(newcomers, all, done);
        async move {
            begun?;
            let receipts = fate.await.map_err(|_| StoreError::Stopped)?;
            // Of one batch all were written, or none.
            let receipts: Result<Vec<Receipt>, StoreError> = receipts.into_iter().collect();
            <[Receipt; N]>::try_from(receipts?).map_err(|_| StoreError::Stopped.into())
        }
    }

    fn submit_new(
        &self,
        newcomers: Vec<(QueueId, Newcomer)>,
        batch: Batch,
        done: Done,
    ) -> Result<(), IntakeError> {
        let mut registry = self.lock();
        if registry.phase == Phase::Closing {
            return Err(IntakeError::Closed);
        }
        for (id, newcomer) in newcomers {
            self.enter(&mut registry, id, newcomer);
        }
        let refused = self.committer.submit(batch, Urgency::Urgent, done);
        drop(registry);
        refused.unwrap_or_else(Unsent::refuse);
        Ok(())
    }

    /// Takes a new mail into memory. It is in no index until it is durable.
    pub(super) fn enter(&self, registry: &mut Registry, id: QueueId, newcomer: Newcomer) {
        let Newcomer { envelope, origin, body, note, progress, content } = newcomer;
        let place = progress.place();
        let mut entry = Entry::new(envelope, origin, body, note, progress);
        entry.unwritten = 1;
        // What is kept for the archive takes no place of mail that is to be delivered.
        let active = registry.mails.len().saturating_sub(registry.kept.mails);
        if matches!(place, Place::Ready | Place::Screening)
            && active < self.options.qmgr_message_active_limit
        {
            entry.task = Task::Waiting;
        }
        if entry.task == Task::Waiting || entry.note.is_some() {
            let room = self.options.handover_cache.saturating_sub(registry.cached);
            entry.content = content.filter(|content| content.len() <= room);
            registry.cached += entry.content.as_ref().map_or(0, Bytes::len);
        }
        registry.mails.insert(id, entry);
        registry.count(None, Some(place));
    }

    /// The fate of a new mail is known.
    pub(super) fn admit(
        &self,
        ticket: Ticket,
        written: Result<(), StoreError>,
    ) -> Result<Receipt, StoreError> {
        let id = ticket.id;
        let receipt = ticket.redeem(written)?;
        self.enter_indexes(id);
        Ok(receipt)
    }

    /// Applies a change to a mail that is in memory and has it written. `join` may add to the
    /// batch under the lock; `answer` hears on the committer's thread what came of it.
    pub(super) fn change(
        self: &Arc<Self>,
        mut registry: MutexGuard<'_, Registry>,
        wanted: impl Into<Wanted>,
        join: impl FnOnce(&mut Registry, &mut Batch),
        answer: impl FnOnce(Result<Changed, StoreError>) + Send + 'static,
    ) -> Result<(), ChangeError> {
        let Wanted { id, change, told, decision } = wanted.into();
        let urgency = urgency(&change);
        let (mut changed, mut batch) = self.take_step(&mut registry, id, change, decision)?;
        changed.effects.events.splice(0..0, told);
        join(&mut registry, &mut batch);
        let shared = self.clone();
        let done: Done = Box::new(move |written| {
            answer(written.map(|()| shared.settle(id, changed)));
        });
        // Under the lock, so that changes are written in the order in which they were applied.
        let refused = self.committer.submit(batch, urgency, done);
        drop(registry);
        refused.unwrap_or_else(Unsent::refuse);
        Ok(())
    }

    /// The same, waiting until it is durable.
    pub(super) async fn change_and_wait(
        self: &Arc<Self>,
        id: QueueId,
        change: Change,
    ) -> Result<Changed, ChangeError> {
        let (answer, fate) = oneshot::channel();
        let answer = move |changed| drop(answer.send(changed));
        self.change(self.lock(), (id, change), |_, _| {}, answer)?;
        Ok(fate.await.map_err(|_| StoreError::Stopped)??)
    }

    /// Applies a change in memory. The mail leaves its index at once, so that nobody hands it out
    /// on grounds that no longer hold; it enters the next one when the change is durable.
    fn take_step(
        &self,
        registry: &mut Registry,
        id: QueueId,
        change: Change,
        decision: Option<Bytes>,
    ) -> Result<(Changed, Batch), ChangeError> {
        let settled = match &change {
            Change::Settle { kind, .. } => Some(*kind),
            _ => None,
        };
        let entry = registry.mails.get_mut(&id).ok_or(ChangeError::NotFound(id))?;
        let is_damage = matches!(change, Change::Damage(_));
        if entry.progress.is_over() || entry.progress.is_done() && !is_damage {
            return Err(ChangeError::NotFound(id));
        }
        let now = self.clock.now();
        let terms = entry.terms(id, &self.options.schedule);
        let (mut progress, effects) = apply(terms, &entry.progress, change, now)?;
        decision.into_iter().for_each(|decision| progress.keep_decision(decision));
        entry.reporting.retain(|(kind, _)| Some(*kind) != settled);
        let old = std::mem::replace(&mut entry.progress, progress);
        entry.unwritten += 1;
        if old.state != entry.progress.state && !is_underway(&entry.progress.state) {
            entry.task = Task::Idle;
        }
        let is_new = effects.remove || old != entry.progress;
        let batch = if is_new { batch(id, entry, &effects) } else { Batch::default() };
        let changed = Changed::new(entry, effects);
        registry.due.unlist(id, &old.state);
        registry.unlist_debt(id, old.archive);
        let to = if changed.effects.remove { None } else { Some(changed.place) };
        registry.count(Some(old.place()), to);
        Ok((changed, batch))
    }

    /// A change is durable: the mail enters its next index, or is gone.
    fn settle(&self, id: QueueId, changed: Changed) -> Changed {
        self.enter_indexes(id);
        self.clear_away(id, &changed);
        changed
    }

    fn enter_indexes(&self, id: QueueId) {
        let mut registry = self.lock();
        let is_owed = registry.written(id);
        registry.evict(id);
        drop(registry);
        self.wake.notify_one();
        if is_owed {
            self.archive_wake.notify_one();
        }
    }

    /// What is left to do once a change is durable.
    pub(super) fn clear_away(&self, id: QueueId, changed: &Changed) {
        if changed.effects.remove && changed.location == BodyLocation::Spool {
            self.spool.remove(id);
        }
        self.tell(&changed.effects.events);
    }

    pub(super) fn tell(&self, events: &[MailEvent]) {
        for event in events {
            (self.options.observer)(event);
        }
    }
}

/// A change that is asked for.
pub(super) struct Wanted {
    pub(super) id: QueueId,
    pub(super) change: Change,
    /// What the caller has to tell of it: told once it is durable, before anything that follows.
    pub(super) told: Vec<MailEvent>,
    /// Who decided it, for the archive.
    pub(super) decision: Option<Bytes>,
}

impl From<(QueueId, Change)> for Wanted {
    fn from((id, change): (QueueId, Change)) -> Self {
        Self { id, change, told: Vec::new(), decision: None }
    }
}

/// What a change led to.
pub(super) struct Changed {
    pub(super) place: Place,
    pub(super) effects: Effects,
    location: BodyLocation,
}

impl Changed {
    pub(super) fn new(entry: &Entry, effects: Effects) -> Self {
        Self { place: entry.progress.place(), effects, location: entry.body.location }
    }

    pub(super) const fn recorded(&self) -> Recorded {
        match self.place {
            _ if self.effects.remove => Recorded::Removed,
            Place::Delivering => Recorded::Underway,
            place => Recorded::Kept(place),
        }
    }
}

const fn is_underway(state: &State) -> bool {
    matches!(state, State::Delivering { .. })
}

/// A deferral that is lost in a crash is found again by the next attempt, which comes too early; a
/// delivery that is lost sends the mail twice.
fn urgency(change: &Change) -> Urgency {
    match change {
        Change::Results(results)
            if results.iter().all(|(_, it)| matches!(it, AttemptResult::Deferred { .. })) =>
        {
            Urgency::Idle
        }
        Change::Results(_) => Urgency::Soon,
        _ => Urgency::Urgent,
    }
}

/// What is written of a change.
pub(super) fn batch(id: QueueId, entry: &Entry, effects: &Effects) -> Batch {
    let mut batch = Batch::default();
    if !effects.remove {
        batch.put(Space::States, id, entry.progress.encode());
        return batch;
    }
    batch.delete(Space::Envelopes, id);
    batch.delete(Space::States, id);
    match entry.body.location {
        BodyLocation::Store => batch.delete(Space::Bodies, id),
        BodyLocation::Spool => {}
    }
    batch
}
