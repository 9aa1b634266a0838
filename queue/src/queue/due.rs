//! The indexes: which mail is due for what. All that the scheduler looks at.

use mailweir_mail::{QueueId, Timestamp};

use super::archive::ArchiveIndex;
use crate::{
    progress::{Place, Progress, ReportKind, State},
    schedule::DueIndex,
};

/// What waits to be handed out.
#[derive(Default)]
pub(super) struct Due {
    /// Mail that is ready. Nothing else is ever in here; held mail least of all.
    pub(super) ready: DueIndex<QueueId>,
    /// Mail that a stage has to look at.
    pub(super) screening: DueIndex<QueueId>,
    /// Reports that are owed.
    pub(super) reports: DueIndex<(QueueId, ReportKind)>,
    /// Mail that the archive is owed, wherever it stands.
    pub(super) archive: ArchiveIndex,
}

impl Due {
    /// Puts a mail in the indexes that its durable progress asks for. Its reports under way, with
    /// their leases, are not asked for again.
    pub(super) fn list(
        &mut self,
        id: QueueId,
        progress: &Progress,
        reporting: &[(ReportKind, u64)],
    ) {
        match progress.state {
            State::Ready { not_before } => self.ready.insert(not_before, id),
            State::Screening { .. } => self.screening.insert_at_once(id),
            State::Held { .. } | State::Delivering { .. } | State::Finished(_) | State::Corrupt => {
            }
        }
        self.list_debts(id, progress, reporting);
    }

    /// The same for a mail that is in memory and waits for nothing but a free hand.
    pub(super) fn list_waiting(
        &mut self,
        id: QueueId,
        progress: &Progress,
        reporting: &[(ReportKind, u64)],
    ) {
        if let State::Ready { .. } = progress.state {
            self.ready.insert_at_once(id);
            self.list_debts(id, progress, reporting);
        } else {
            self.list(id, progress, reporting);
        }
    }

    fn list_debts(&mut self, id: QueueId, progress: &Progress, reporting: &[(ReportKind, u64)]) {
        for kind in progress.debts() {
            if !reporting.iter().any(|(found, _)| *found == kind) {
                self.reports.insert_at_once((id, kind));
            }
        }
    }

    /// Takes a mail out of the index that its state put it in: from here nobody hands it out.
    pub(super) fn unlist(&mut self, id: QueueId, state: &State) {
        match state {
            State::Ready { not_before } => {
                self.ready.remove(*not_before, id);
            }
            State::Screening { .. } => {
                self.screening.remove(Timestamp::from_micros(0), id);
            }
            State::Held { .. } | State::Delivering { .. } | State::Finished(_) | State::Corrupt => {
            }
        }
    }

    /// Takes a mail that cannot be worked on out of the indexes in which it is due. Gives the place
    /// that they had it in.
    pub(super) fn discard(&mut self, id: QueueId, now: Timestamp) -> Option<Place> {
        let ready = self.ready.discard(now, id).then_some(Place::Ready);
        let screening = self.screening.discard(now, id).then_some(Place::Screening);
        let reports = ReportKind::ALL.map(|kind| self.reports.discard(now, (id, kind)));
        let finished = reports.contains(&true).then_some(Place::Finished);
        let archiving = self.archive.remove(id).then_some(Place::Archiving);
        ready.or(screening).or(finished).or(archiving)
    }

    /// Puts off what is due of a mail.
    pub(super) fn postpone(&mut self, id: QueueId, now: Timestamp, until: Timestamp) {
        if self.ready.discard(now, id) {
            self.ready.insert(until, id);
        }
        if self.screening.discard(now, id) {
            self.screening.insert(until, id);
        }
        for kind in ReportKind::ALL {
            if self.reports.discard(now, (id, kind)) {
                self.reports.insert(until, (id, kind));
            }
        }
        self.archive.postpone(id, until);
    }

    /// The first mail of all that are ready or to be looked at: ids grow with the arrival.
    pub(super) fn oldest(&self) -> Option<QueueId> {
        [&self.ready, &self.screening].into_iter().filter_map(DueIndex::least).min()
    }
}
