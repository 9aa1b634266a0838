//! What the archive is owed: handed out in groups, and cleared when the archive has it.
//!
//! A mail that the archive is to keep was accepted with that debt, in one commit. Until the debt is
//! cleared nothing of the mail goes, also when nobody else has to do with it any more. After a crash
//! the same may be handed out again: the archive knows what it has.

mod index;
mod kept;

use std::{sync::Arc, time::Duration};

use mailweir_mail::QueueId;
use tokio::sync::oneshot;

#[cfg(test)]
pub(super) use self::kept::MOST_KEPT;
pub(super) use self::{
    index::ArchiveIndex,
    kept::{Keep, Kept},
};
use super::{
    Queue, Shared,
    change::{self, Changed},
    dispatch::Purpose,
    registry::{Phase, Registry},
};
use crate::{
    committer::{Done, Unsent, Urgency},
    progress::{ArchivePart, Place, State},
    state::{Change, apply},
    store::{Batch, StoreError},
    work::{Ending, ToArchive},
};

impl Queue {
    /// Waits until the archive is owed something that [`Self::next_to_archive`] hands out. `false`
    /// after [`Self::shutdown`], or after the store failed. Cancel safe.
    pub async fn archive_is_owed(&self) -> bool {
        let shared = &self.shared;
        loop {
            let pause = match shared.look_for_debts() {
                Debts::Due => {
                    // There may be more than one who waits.
                    shared.archive_wake.notify_one();
                    return true;
                }
                Debts::Quiet(pause) => pause,
                Debts::End => {
                    shared.archive_wake.notify_one();
                    return false;
                }
            };
            let _ = tokio::time::timeout(pause, shared.archive_wake.notified()).await;
        }
    }

    /// At most `most` mails of which the archive is owed something, the oldest first; none if there
    /// are none just now. A mail is handed out once, until it is dropped. Cancel safe.
    pub async fn next_to_archive(&self, most: usize) -> Vec<ToArchive> {
        let mut given = Vec::new();
        while let Some(absent) = self.shared.lease_to_archive(most, &mut given) {
            self.shared.load(absent).await;
        }
        given
    }

    /// The archive has these for good: the debts are cleared in one batch, and mails that are done
    /// are gone. Durable when the future is ready; begun at once and brought to its end even if the
    /// future is dropped. It rides along with other writes, so it may take some milliseconds.
    ///
    /// # Errors
    /// The store failed, or is closed: all of them may be owed again after a restart.
    pub fn archived(
        &self,
        group: Vec<ToArchive>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send + 'static + use<> {
        let (answer, fate) = oneshot::channel();
        self.shared.clear_debts(&group, move |written| drop(answer.send(written)));
        group.into_iter().for_each(|mail| mail.lease.end());
        async move { fate.await.map_err(|_| StoreError::Stopped)? }
    }
}

/// Whether somebody who waits for debts has something to do.
enum Debts {
    Due,
    /// Not for so long, as far as is known.
    Quiet(Duration),
    End,
}

impl Shared {
    fn look_for_debts(&self) -> Debts {
        let now = self.clock.now();
        let registry = &mut *self.lock();
        if registry.phase == Phase::Closing || self.committer.is_stopped() {
            return Debts::End;
        }
        self.notice_clock(registry, now);
        match registry.due.archive.next(now) {
            Some(at) if at <= now => Debts::Due,
            next => Debts::Quiet(self.pause_until(next, now)),
        }
    }

    /// Hands out what is in memory. Gives the next mails that have to be read first; they stay in
    /// the index.
    fn lease_to_archive(
        self: &Arc<Self>,
        most: usize,
        given: &mut Vec<ToArchive>,
    ) -> Option<Vec<QueueId>> {
        let now = self.clock.now();
        let registry = &mut *self.lock();
        if registry.phase == Phase::Closing || self.committer.is_stopped() {
            return None;
        }
        self.notice_clock(registry, now);
        registry.due.archive.advance(now);
        while given.len() < most {
            let id = registry.due.archive.owed().next()?;
            if !registry.mails.contains_key(&id) {
                return Some(registry.absent_debts((most - given.len()).min(READ_AT_ONCE)));
            }
            registry.due.archive.remove(id);
            given.extend(self.lease_debt(registry, id));
        }
        None
    }

    fn lease_debt(self: &Arc<Self>, registry: &mut Registry, id: QueueId) -> Option<ToArchive> {
        let number = registry.new_lease();
        let leased = self.debt(registry, id, number);
        match leased {
            Some(_) => registry.keep(id, Keep::Leased(number)),
            None => registry.evict(id),
        }
        leased
    }

    fn debt(self: &Arc<Self>, registry: &Registry, id: QueueId, lease: u64) -> Option<ToArchive> {
        let entry = registry.mails.get(&id)?;
        let part = entry.debt()?;
        let ending = match (part, &entry.progress.state) {
            (ArchivePart::Both | ArchivePart::Outcome, State::Finished(outcome)) => Some(Ending {
                outcome: *outcome,
                recipients: entry.progress.recipients.clone(),
                decisions: entry.progress.decisions.clone(),
            }),
            _ => None,
        };
        Some(ToArchive {
            id,
            part,
            ending,
            envelope: entry.envelope.clone(),
            origin: entry.origin.clone(),
            note: entry.note.clone().unwrap_or_default(),
            arrival: entry.origin.arrival,
            size: entry.body.size,
            body: entry.body(id, &self.spool),
            lease: self.lease(id, Purpose::Archive, lease),
        })
    }

    /// Has the debts of a group cleared. `answer` hears on the committer's thread when that is
    /// durable.
    fn clear_debts(
        self: &Arc<Self>,
        group: &[ToArchive],
        answer: impl FnOnce(Result<(), StoreError>) + Send + 'static,
    ) {
        let mut registry = self.lock();
        let (mut batch, mut cleared) = (Batch::default(), Vec::with_capacity(group.len()));
        for mail in group {
            match self.clear_debt(&mut registry, mail, &mut batch) {
                Some(changed) => cleared.push((mail.id, changed)),
                // A mail that proved damaged meanwhile stays as it is.
                None => self.give_back_debt(&mut registry, mail.id, mail.lease.number()),
            }
        }
        let shared = self.clone();
        let done: Done = Box::new(move |written| {
            answer(written.map(|()| shared.settle_group(cleared)));
        });
        // Under the lock, so that changes are written in the order in which they were applied.
        let refused = self.committer.submit(batch, Urgency::Idle, done);
        drop(registry);
        refused.unwrap_or_else(Unsent::refuse);
    }

    /// Nothing but the debt changes: a mail that is under way goes on as if nothing had happened.
    fn clear_debt(
        &self,
        registry: &mut Registry,
        mail: &ToArchive,
        batch: &mut Batch,
    ) -> Option<Changed> {
        let id = mail.id;
        let entry = registry.mails.get_mut(&id)?;
        if entry.keep != Keep::Leased(mail.lease.number()) {
            return None;
        }
        let terms = entry.terms(id, &self.options.schedule);
        let change = Change::Archived(mail.part);
        let (progress, effects) = apply(terms, &entry.progress, change, self.clock.now()).ok()?;
        entry.progress = progress;
        batch.append(change::batch(id, entry, &effects));
        let changed = Changed::new(entry, effects);
        if changed.effects.remove {
            registry.count(Some(Place::Archiving), None);
        }
        registry.keep(id, Keep::Clearing);
        Some(changed)
    }

    fn settle_group(&self, cleared: Vec<(QueueId, Changed)>) {
        let mut registry = self.lock();
        let news = cleared.iter().fold(false, |news, (id, _)| registry.cleared(*id) || news);
        drop(registry);
        if news {
            self.archive_wake.notify_one();
        }
        for (id, changed) in cleared {
            self.clear_away(id, &changed);
        }
    }

    /// A mail was handed out and is owed again.
    pub(super) fn give_back_debt(&self, registry: &mut Registry, id: QueueId, lease: u64) {
        let holds = registry.mails.get(&id).is_some_and(|entry| entry.keep == Keep::Leased(lease));
        if holds && registry.cleared(id) {
            self.archive_wake.notify_one();
        }
    }
}

/// Mails read at once.
const READ_AT_ONCE: usize = 64;
