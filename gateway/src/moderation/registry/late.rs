//! What could not be done and is tried again: what the clock asks of a case, and each of its notices by
//! itself, so that neither waits for the other.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use mailweir_mail::{QueueId, Timestamp};

use super::Registry;

/// What could not be done, and is tried again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Late {
    failures: u32,
    pub(super) again: Timestamp,
    /// How long before that the last failure was.
    pause: Duration,
}

impl Registry {
    /// What time asks of a case could not be done: it is tried again, ever later, and within the hour.
    /// Says when.
    pub(in crate::moderation) fn postpone(&mut self, id: QueueId, now: Timestamp) -> Timestamp {
        let late = Late::after(self.late.get(&id), now);
        self.shift(id, |registry| {
            registry.late.insert(id, late);
        });
        late.again
    }

    /// A notice could not be sent: it is tried again like [`Self::postpone`], and others of the case go
    /// meanwhile. Says when.
    pub(in crate::moderation) fn postpone_notice(
        &mut self,
        (id, number): (QueueId, u32),
        now: Timestamp,
    ) -> Timestamp {
        let before = self.late_notices.get(&id).and_then(|notices| notices.get(&number));
        let late = Late::after(before, now);
        self.shift(id, |registry| {
            registry.late_notices.entry(id).or_default().insert(number, late);
        });
        late.again
    }

    /// What is to be tried again is, however far the clock was set back since it failed: after no longer a
    /// pause than it would be now. And what a clock that was ahead has put off for long is looked at.
    pub(in crate::moderation) fn look_at_clock(&mut self, now: Timestamp) {
        if self.now.replace(now).is_some_and(|was| was <= now) {
            return;
        }
        let ahead = self.cases.iter().filter(|(_, kept)| kept.file.case.is_ahead(now));
        let ahead: Vec<QueueId> = ahead.map(|(id, _)| *id).collect();
        for id in ahead {
            self.shift(id, |registry| {
                registry.ahead.insert(id);
            });
        }
        let notices = self.late_notices.iter();
        let notices = notices.flat_map(|(id, all)| all.values().map(move |late| (id, late)));
        let late = self.late.iter().chain(notices).filter(|(_, late)| late.is_too_late(now));
        let late: BTreeSet<QueueId> = late.map(|(id, _)| *id).collect();
        for id in late {
            self.shift(id, |registry| {
                let notices = registry.late_notices.get_mut(&id);
                let notices = notices.into_iter().flat_map(BTreeMap::values_mut);
                let late = registry.late.get_mut(&id).into_iter().chain(notices);
                late.for_each(|late| late.again = late.again.min(now.plus(late.pause)));
            });
        }
    }

    /// The clock has looked at a case, and nothing in it is ahead any more.
    pub(in crate::moderation) fn looked_at(&mut self, id: QueueId) {
        if self.ahead.contains(&id) {
            self.shift(id, |registry| {
                registry.ahead.remove(&id);
            });
        }
    }
}

impl Late {
    /// One more failure.
    fn after(before: Option<&Self>, now: Timestamp) -> Self {
        let failures = before.map_or(0, |late| late.failures);
        let pause = FIRST_PAUSE.saturating_mul(1 << failures.min(20)).min(LONGEST_PAUSE);
        Self { failures: failures.saturating_add(1), again: now.plus(pause), pause }
    }

    fn is_too_late(&self, now: Timestamp) -> bool {
        self.again > now.plus(self.pause)
    }
}

const FIRST_PAUSE: Duration = Duration::from_secs(5);

const LONGEST_PAUSE: Duration = Duration::from_secs(3_600);
