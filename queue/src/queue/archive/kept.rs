//! Mail that stays in memory until the archive has it, and what of it: a bounded part. All other mail
//! that is owed is ids in the index.

use bytes::Bytes;
use mailweir_mail::{QueueId, Timestamp};

use crate::{
    progress::{ArchiveDebt, ArchivePart},
    queue::registry::{Entry, Registry, Task},
};

/// Whether a mail stays in memory for the archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::queue) enum Keep {
    No,
    /// Until it is handed out: so nothing has to be read for it.
    Waiting,
    /// The holder of this lease has it.
    Leased(u64),
    /// The archive has it, and that is not durable yet.
    Clearing,
}

/// The mails in memory that are kept for the archive.
#[derive(Debug, Default)]
pub(in crate::queue) struct Kept {
    pub(in crate::queue) mails: usize,
    /// Bytes of their content.
    bytes: usize,
    /// The most bytes of content that wait.
    pub(in crate::queue) most_bytes: usize,
}

#[cfg(test)]
impl Kept {
    pub(in crate::queue) const fn counts(&self) -> (usize, usize) {
        (self.mails, self.bytes)
    }
}

impl Registry {
    /// Puts a mail into the index of the archive, if it is owed something and nobody gives it just
    /// now. Whether that is news to somebody who waits for debts.
    pub(in crate::queue) fn list_debt(&mut self, id: QueueId) -> bool {
        let Some(entry) = self.mails.get(&id) else { return false };
        let Some(part) = entry.debt() else {
            if entry.keep == Keep::Waiting {
                self.keep(id, Keep::No);
            }
            return false;
        };
        let news = self.due.archive.insert(id, &entry.progress);
        self.keep_waiting(id, part);
        news
    }

    /// Keeps a mail with which nobody else has to do in memory, as far as there is room: most are
    /// handed out in a moment. All others are read again in their turn.
    fn keep_waiting(&mut self, id: QueueId, part: ArchivePart) {
        self.keep(id, Keep::No);
        let Some(entry) = self.mails.get_mut(&id) else { return };
        if entry.task != Task::Idle || self.kept.mails >= MOST_KEPT {
            return;
        }
        let size = entry.content.as_ref().map_or(0, Bytes::len);
        let is_wanted = part != ArchivePart::Outcome;
        if !is_wanted || self.kept.bytes + size > self.kept.most_bytes {
            entry.content = None;
            self.cached = self.cached.saturating_sub(size);
        }
        self.keep(id, Keep::Waiting);
    }

    /// Keeps a mail in memory for the archive, or no longer.
    pub(super) fn keep(&mut self, id: QueueId, keep: Keep) {
        let Some(entry) = self.mails.get_mut(&id) else { return };
        let size = entry.content.as_ref().map_or(0, Bytes::len);
        let before = std::mem::replace(&mut entry.keep, keep);
        if before == Keep::No && keep != Keep::No {
            self.kept.mails += 1;
            self.kept.bytes += size;
        }
        if before != Keep::No && keep == Keep::No {
            self.kept.mails = self.kept.mails.saturating_sub(1);
            self.kept.bytes = self.kept.bytes.saturating_sub(size);
        }
    }

    /// Nobody gives the mail to the archive any more. Whether something else is owed of it, and is
    /// news.
    pub(super) fn cleared(&mut self, id: QueueId) -> bool {
        self.keep(id, Keep::No);
        let news = self.list_debt(id);
        self.evict(id);
        news
    }

    /// When the oldest mail arrived of which the archive is owed something, handed out or not. Looks at
    /// every mail in memory.
    pub(in crate::queue) fn oldest_owed_to_archive(&self) -> Option<Timestamp> {
        let is_given = |(_, entry): &(_, &Entry)| matches!(entry.keep, Keep::Leased(_));
        let given = self.mails.iter().filter(is_given).map(|(id, _)| *id);
        given.chain(self.due.archive.oldest()).min().map(QueueId::arrival)
    }

    /// The first mails that are owed and not in memory.
    pub(super) fn absent_debts(&self, most: usize) -> Vec<QueueId> {
        let owed = self.due.archive.owed().take(most);
        owed.filter(|id| !self.mails.contains_key(id)).collect()
    }

    /// A mail changes: nothing of it is handed out before that is durable.
    pub(in crate::queue) fn unlist_debt(&mut self, id: QueueId, debt: ArchiveDebt) {
        if debt != ArchiveDebt::Nothing {
            self.due.archive.remove(id);
        }
    }
}

/// Mails that wait in memory for the archive.
pub(in crate::queue) const MOST_KEPT: usize = 2_048;
