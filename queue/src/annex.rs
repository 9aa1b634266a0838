//! What moderation keeps beside mail, opaque to the queue: written in one batch with a change of the
//! queue, or not at all.

use bytes::Bytes;
use mailweir_mail::QueueId;

use crate::{
    record::seal_case,
    store::{Batch, Space},
};

/// Cases, journal entries and acquaintances that are to be written.
#[derive(Clone, Debug, Default)]
pub struct Annex {
    pub(crate) batch: Batch,
    /// What the archive is to hear of the change.
    decision: Option<Bytes>,
}

impl Annex {
    /// Sets the case of a mail, which may be gone already.
    pub fn put_case(&mut self, id: QueueId, case: &[u8]) {
        self.batch.put(Space::Cases, id, seal_case(case));
    }

    /// Removes the case of a mail.
    pub fn remove_case(&mut self, id: QueueId) {
        self.batch.delete(Space::Cases, id);
    }

    /// Appends an entry to the journal.
    pub fn append(&mut self, entry: impl Into<Bytes>) {
        self.batch.append_journal(entry);
    }

    /// Sets what the archive is to hear of the mail that is changed, with its end: who decided this. Nobody
    /// hears it of a mail that the archive is not to keep.
    pub fn tell_archive(&mut self, decision: Bytes) {
        self.decision = Some(decision);
    }

    /// Whether the archive is to hear something.
    #[must_use]
    pub const fn tells_archive(&self) -> bool {
        self.decision.is_some()
    }

    /// What the archive is to hear.
    pub(crate) fn take_decision(&mut self) -> Option<Bytes> {
        self.decision.take()
    }

    pub(crate) fn into_batch(self) -> Batch {
        self.batch
    }
}
