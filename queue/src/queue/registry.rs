//! What the queue knows without asking the store: the indexes, and the mails that are being worked on.
//!
//! A mail is in [`Registry::mails`] while it is handed out, waits to be handed out from memory, or
//! has a change that is not yet durable. All other mails are only ids in an index. The registry
//! lives behind one lock that is held for moments and never across a wait.

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;
use mailweir_mail::{Envelope, Origin, QueueId, Timestamp};

use super::{
    Stats,
    archive::{Keep, Kept},
    due::Due,
};
use crate::{
    body::{Body, SpoolFile},
    progress::{ArchivePart, Place, Progress, ReportKind, State},
    record::{BodyLocation, BodyRecord, encode_envelope},
    schedule::Schedule,
    spool::Spool,
    state::Terms,
};

/// The indexes and the mails in memory.
pub(crate) struct Registry {
    pub(super) mails: HashMap<QueueId, Entry>,
    pub(super) due: Due,
    pub(super) stats: Stats,
    /// Bytes of content in [`Entry::content`].
    pub(super) cached: usize,
    pub(super) kept: Kept,
    /// The latest time that was seen, to notice a clock that was set back.
    pub(super) seen: Timestamp,
    pub(super) phase: Phase,
    /// The last id and lease that were given out.
    pub(super) last_id: QueueId,
    pub(super) last_lease: u64,
}

/// Whether the queue is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Open,
    Closing,
}

/// A mail in memory.
pub(super) struct Entry {
    pub(super) envelope: Arc<Envelope>,
    pub(super) origin: Arc<Origin>,
    pub(super) body: BodyRecord,
    /// For the archive, if it is to keep the mail.
    pub(super) note: Option<Bytes>,
    /// Small content, kept until the first attempt is over, and then perhaps for the archive.
    pub(super) content: Option<Bytes>,
    pub(super) progress: Progress,
    /// Changes that are not durable yet.
    pub(super) unwritten: u32,
    /// Operations that need the mail to stay in memory.
    pub(super) pins: u32,
    pub(super) task: Task,
    /// Reports that are being written, each with its lease.
    pub(super) reporting: Vec<(ReportKind, u64)>,
    pub(super) keep: Keep,
}

/// Who works on a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Task {
    /// Nobody.
    Idle,
    /// Nobody yet; it is kept in memory for whoever comes next.
    Waiting,
    /// The holder of this lease.
    Leased(u64),
}

impl Entry {
    /// What of it does not change, as it is stored.
    pub(super) fn envelope_record(&self) -> Vec<u8> {
        encode_envelope(&self.envelope, &self.origin, self.body, self.note.as_deref())
    }

    /// A mail that was read from the store or is about to be written to it; nobody works on it.
    pub(super) fn new(
        envelope: Arc<Envelope>,
        origin: Arc<Origin>,
        body: BodyRecord,
        note: Option<Bytes>,
        progress: Progress,
    ) -> Self {
        Self {
            envelope,
            origin,
            body,
            note,
            content: None,
            progress,
            unwritten: 0,
            pins: 0,
            task: Task::Idle,
            reporting: Vec::new(),
            keep: Keep::No,
        }
    }

    pub(super) fn terms<'a>(&'a self, id: QueueId, schedule: &'a Schedule) -> Terms<'a> {
        Terms { id, envelope: &self.envelope, schedule }
    }

    /// Where the content is, as far as can be said without reading.
    pub(super) fn body(&self, id: QueueId, spool: &Spool) -> Body {
        match (&self.content, self.body.location) {
            (Some(content), _) => Body::Memory(content.clone()),
            (None, BodyLocation::Store) => Body::Stored,
            (None, BodyLocation::Spool) => Body::Spool(SpoolFile {
                path: spool.path(id).into(),
                size: self.body.size,
                checksum: self.body.checksum,
            }),
        }
    }

    /// What the archive can be given now. What is not durable yet may never have happened.
    pub(super) fn debt(&self) -> Option<ArchivePart> {
        match self.keep {
            Keep::No | Keep::Waiting if self.unwritten == 0 => self.progress.to_archive(),
            _ => None,
        }
    }

    fn is_needed(&self) -> bool {
        let is_busy = self.unwritten > 0 || self.pins > 0 || self.task != Task::Idle;
        is_busy || !self.reporting.is_empty() || self.keep != Keep::No
    }
}

impl Registry {
    /// When the oldest mail arrived that is neither on hold nor done. Looks at every mail: at those in
    /// memory, and at the ids of those that wait in an index.
    pub(super) fn oldest(&self) -> Option<Timestamp> {
        let moving =
            |entry: &&Entry| !matches!(entry.progress.place(), Place::Held | Place::Archiving);
        let in_memory = self.mails.values().filter(moving).map(|entry| entry.origin.arrival);
        in_memory.chain(self.due.oldest().map(QueueId::arrival)).min()
    }

    /// An empty registry that gives out ids later than `last_id`.
    pub(super) fn new(last_id: QueueId, now: Timestamp) -> Self {
        Self {
            mails: HashMap::new(),
            due: Due::default(),
            stats: Stats::default(),
            cached: 0,
            kept: Kept::default(),
            seen: now,
            phase: Phase::Open,
            last_id,
            last_lease: 0,
        }
    }

    /// A new id: later than every id before it, even if the clock steps back.
    pub(super) fn new_id(&mut self, now: Timestamp) -> QueueId {
        self.last_id = next_id(self.last_id, now);
        self.last_id
    }

    pub(super) const fn new_lease(&mut self) -> u64 {
        self.last_lease += 1;
        self.last_lease
    }

    /// A mail was found in the store at start.
    pub(super) fn list_found(&mut self, id: QueueId, progress: &Progress) {
        self.count(None, Some(progress.place()));
        self.due.list(id, progress, &[]);
        if progress.to_archive().is_some() {
            self.due.archive.insert(id, progress);
        }
    }

    /// One more change of a mail is durable. With the last one it enters its indexes. Whether that
    /// is news to somebody who waits for debts to the archive.
    pub(super) fn written(&mut self, id: QueueId) -> bool {
        let Some(entry) = self.mails.get_mut(&id) else { return false };
        entry.unwritten = entry.unwritten.saturating_sub(1);
        if entry.unwritten > 0 || entry.progress.is_over() {
            return false;
        }
        match entry.task {
            Task::Waiting => self.due.list_waiting(id, &entry.progress, &entry.reporting),
            Task::Idle | Task::Leased(_) => {
                self.due.list(id, &entry.progress, &entry.reporting);
            }
        }
        self.list_debt(id)
    }

    /// Makes all mail that waits for its next attempt due at once, also what was put off and is
    /// not durable yet; gives its number.
    pub(super) fn flush(&mut self, now: Timestamp) -> usize {
        let mut moved = self.due.ready.hasten(Timestamp::from_micros(0));
        for entry in self.mails.values_mut() {
            if let State::Ready { not_before } = entry.progress.state
                && not_before > now
                && entry.unwritten > 0
                && entry.task == Task::Idle
            {
                entry.task = Task::Waiting;
                moved += 1;
            }
        }
        moved
    }

    /// Takes a damaged mail out of the indexes, and counts it as corrupt; whether that is news.
    pub(super) fn condemn(
        &mut self,
        id: QueueId,
        progress: Option<&Progress>,
        now: Timestamp,
    ) -> bool {
        // Where it stands is then known by the indexes alone.
        let until = if progress.is_some() { now } else { Timestamp::from_micros(u64::MAX) };
        let Some(place) = self.due.discard(id, until) else { return false };
        if let Some(progress) = progress {
            self.due.unlist(id, &progress.state);
        }
        self.count(Some(progress.map_or(place, Progress::place)), Some(Place::Corrupt));
        true
    }

    /// Counts a mail that went from one place to another; `None` is outside the queue.
    pub(super) fn count(&mut self, from: Option<Place>, to: Option<Place>) {
        if let Some(from) = from {
            let count = self.stats.of(from);
            *count = count.saturating_sub(1);
        }
        if let Some(to) = to {
            *self.stats.of(to) += 1;
        }
    }

    /// Forgets the content of a mail, and the mail itself if nobody needs it in memory.
    pub(super) fn evict(&mut self, id: QueueId) {
        let Some(entry) = self.mails.get_mut(&id) else { return };
        if entry.task == Task::Idle && entry.keep == Keep::No {
            let freed = entry.content.take().map_or(0, |content| content.len());
            self.cached = self.cached.saturating_sub(freed);
        }
        if !entry.is_needed() {
            self.mails.remove(&id);
        }
    }
}

/// The first id after `last` for a mail that arrives at `now`.
pub(super) fn next_id(last: QueueId, now: Timestamp) -> QueueId {
    if now > last.arrival() {
        return QueueId::new(now, 1);
    }
    match last_serial(last).checked_add(1) {
        Some(serial) => QueueId::new(last.arrival(), serial),
        None => QueueId::new(Timestamp::from_micros(last.arrival().as_micros() + 1), 1),
    }
}

fn last_serial(id: QueueId) -> u32 {
    let key = id.to_key();
    u32::from_be_bytes([key[8], key[9], key[10], key[11]])
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mailweir_mail::HoldReason;

    use crate::queue::tests::harness::*;

    #[tokio::test(start_paused = true)]
    async fn the_oldest_mail_is_found_also_when_it_only_waits_in_an_index() {
        let it = Fixture::new();
        assert_eq!(it.queue.oldest(), None);
        let first = it.accept(mail(1)).await;
        let claim = it.claim().await;
        it.record_all(&claim, deferred()).await;
        drop(claim);
        assert_eq!(it.queue.oldest(), Some(first.arrival()), "deferred");
        tokio::time::advance(Duration::from_secs(10)).await;
        let second = it.accept(mail(1)).await;
        let claim = it.claim().await;
        it.record_all(&claim, deferred()).await;
        assert_eq!(it.queue.oldest(), Some(first.arrival()), "older than another");
        it.queue.hold(first, HoldReason::new("operator")).await.unwrap();
        assert_eq!(it.queue.oldest(), Some(second.arrival()), "the first is on hold");
        let it = it.restart().await;
        assert_eq!(it.queue.oldest(), Some(second.arrival()), "after a restart");
    }
}
