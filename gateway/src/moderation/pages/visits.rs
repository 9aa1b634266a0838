//! Who has opened pages of a case: for people to see, and counted as nothing. In memory and bounded, so
//! that a hundred thousand visits cost no write and no room.

use std::{collections::BTreeMap, net::IpAddr, time::Duration};

use mailweir_admin_ui::approval::Visit;
use mailweir_mail::{QueueId, Timestamp};
use mailweir_moderation::notice::clean;

/// Visits of late.
#[derive(Debug, Default)]
pub(super) struct Visits {
    cases: BTreeMap<QueueId, Vec<Visit>>,
}

impl Visits {
    /// Notes a visit at `now`. `sent`: when the notice was made that the link stands in.
    pub(super) fn note(
        &mut self,
        id: QueueId,
        sent: Option<Timestamp>,
        now: Timestamp,
        from: IpAddr,
        agent: &str,
    ) {
        let agent = clean::line(agent, MOST_AGENT).into_boxed_str();
        if self.cases.len() >= MOST_CASES && !self.cases.contains_key(&id) {
            // The oldest mail: whoever waits for it has seen it.
            self.cases.pop_first();
        }
        let visits = self.cases.entry(id).or_default();
        if let Some(visit) = visits.iter_mut().find(|one| one.from == from && one.agent == agent) {
            visit.last = now;
            visit.times = visit.times.saturating_add(1);
        } else if visits.len() < MOST_VISITS {
            let is_scanner = sent.is_some_and(|sent| now.since(sent) < TOO_SOON);
            visits.push(Visit { first: now, last: now, times: 1, from, agent, is_scanner });
        }
    }

    pub(super) fn of(&self, id: QueueId) -> Vec<Visit> {
        self.cases.get(&id).cloned().unwrap_or_default()
    }
}

/// No person has read a notice so soon.
const TOO_SOON: Duration = Duration::from_secs(15);

/// Cases whose visits are known.
const MOST_CASES: usize = 2_000;

/// Programs and addresses of one case.
const MOST_VISITS: usize = 20;

/// Characters of what a program calls itself.
const MOST_AGENT: usize = 120;

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u64) -> QueueId {
        QueueId::new(second(number), 1)
    }

    fn second(seconds: u64) -> Timestamp {
        Timestamp::from_secs(1_000_000 + seconds)
    }

    fn from(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
    }

    #[test]
    fn a_visit_seconds_after_the_notice_is_that_of_a_scanner_and_a_later_one_is_not() {
        let mut visits = Visits::default();
        let sent = Some(second(100));
        visits.note(id(1), sent, second(102), from(1), "scanner\u{202e}\r\n1.0");
        visits.note(id(1), sent, second(400), from(2), "browser");
        visits.note(id(1), sent, second(500), from(2), "browser");
        visits.note(id(2), None, second(500), from(2), "browser");
        let seen = visits.of(id(1));
        assert_eq!(seen.len(), 2);
        assert!(seen[0].is_scanner && !seen[1].is_scanner && !visits.of(id(2))[0].is_scanner);
        assert_eq!(&*seen[0].agent, "scanner� 1.0");
        assert_eq!((seen[1].times, seen[1].first, seen[1].last), (2, second(400), second(500)));
    }

    #[test]
    fn any_number_of_visits_takes_the_same_room() {
        let mut visits = Visits::default();
        for number in 0..100_000_u64 {
            let agent = format!("agent {number} {}", "x".repeat(300));
            let last = u8::try_from(number % 250).unwrap();
            visits.note(id(number % 5_000), None, second(number), from(last), &agent);
        }
        assert!(visits.cases.len() <= MOST_CASES);
        for seen in visits.cases.values() {
            assert!(seen.len() <= MOST_VISITS);
            assert!(seen.iter().all(|visit| visit.agent.chars().count() <= MOST_AGENT + 1));
        }
    }
}
