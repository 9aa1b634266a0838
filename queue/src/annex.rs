//! What moderation keeps beside mail, opaque to the queue: written in one batch with a change of the
//! queue, or not at all.

use mailweir_mail::QueueId;

use crate::{
    record::seal_case,
    store::{Batch, Space},
};

/// Cases, journal entries and acquaintances that are to be written.
#[derive(Clone, Debug, Default)]
pub struct Annex {
    pub(crate) batch: Batch,
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
    pub fn append(&mut self, entry: impl Into<bytes::Bytes>) {
        self.batch.append_journal(entry);
    }

    pub(crate) fn into_batch(self) -> Batch {
        self.batch
    }
}
