//! How long a group gathers before it is written.

use std::time::Duration;

/// How many come together of late, and how long a sync takes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Company {
    /// Those of the last group that somebody waits for.
    last: usize,
    /// The most in a group, in sixteenths; each group since takes a tenth off.
    most: usize,
    /// What a sync takes, the last ones counting most.
    sync: Duration,
}

/// What a group waits for before it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gathering {
    /// No longer than this.
    pub(super) span: Duration,
    /// Until this many have come that somebody waits for.
    pub(super) enough: usize,
}

impl Company {
    /// What the next group waits for. `None` if the last one was alone: then nobody else is expected.
    ///
    /// A sync and what goes with it, threads that are woken above all, costs the machine as much as some mails do, and the same
    /// for many as for one (PostgreSQL's `commit_delay` and `commit_siblings`). Who waits a little for as many as came together
    /// of late has fewer syncs, and everybody is served sooner.
    pub(super) fn expected(&self) -> Option<Gathering> {
        let span = (self.sync * SYNCS).min(LONGEST);
        (self.last > 1)
            .then(|| Gathering { span, enough: (self.most + SIXTEENTHS / 2) / SIXTEENTHS })
    }

    /// A group was written.
    pub(super) fn met(&mut self, urgent: usize, sync: Duration) {
        self.last = urgent;
        self.most = (urgent * SIXTEENTHS).max(self.most - self.most / 10);
        self.sync = if self.sync.is_zero() { sync } else { (self.sync * 7 + sync) / 8 };
    }
}

const SIXTEENTHS: usize = 16;

/// How many syncs a group waits at most: those who come within that time would have had as many of their own.
const SYNCS: u32 = 3;

/// On a slow disk enough come while it writes.
const LONGEST: Duration = Duration::from_millis(1);

#[cfg(test)]
mod tests {
    use super::*;

    const SYNC: Duration = Duration::from_micros(300);

    fn after(groups: &[usize]) -> Option<Gathering> {
        let mut company = Company::default();
        groups.iter().for_each(|&urgent| company.met(urgent, SYNC));
        company.expected()
    }

    #[test]
    fn who_came_alone_expects_nobody() {
        assert_eq!([after(&[]), after(&[1]), after(&[20, 1]), after(&[20, 0])], [None; 4]);
    }

    #[test]
    fn a_group_expects_as_many_as_came_of_late() {
        let enough = |groups| after(groups).unwrap().enough;
        assert_eq!([enough(&[2]), enough(&[8]), enough(&[8, 9]), enough(&[8, 7])], [2, 8, 9, 7]);
        assert_eq!(enough(&[20, 5]), 18);
        assert_eq!(enough(&[20, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5]), 5);
    }

    #[test]
    fn a_group_waits_no_longer_than_a_few_syncs_take() {
        assert_eq!(after(&[2, 2]).unwrap().span, 3 * SYNC);
        let mut company = Company::default();
        company.met(2, Duration::from_millis(20));
        assert_eq!(company.expected().unwrap().span, LONGEST);
        for _ in 0..100 {
            company.met(2, SYNC);
        }
        assert!(company.expected().unwrap().span < 4 * SYNC);
    }
}
