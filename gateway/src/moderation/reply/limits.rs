//! How often somebody is told what came of their answers. A machine that does not say that it is one, or
//! somebody who forges answers, makes us write no more than that. What is decided is decided anyway.
//!
//! Pure but for memory. Bounded by the notices that were sent: only their readers are counted.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use mailweir_mail::{Address, QueueId, Timestamp};

/// What was told of late, by case and person.
#[derive(Debug, Default)]
pub(crate) struct Answers(HashMap<QueueId, Vec<Told>>);

#[derive(Debug)]
struct Told {
    person: Address,
    /// Whether they know that answers come that are not proven.
    not_proven: bool,
    lately: VecDeque<Timestamp>,
}

impl Answers {
    /// Whether a person may be told now of an answer about a case; then it counts.
    pub(super) fn admit(
        &mut self,
        case: QueueId,
        person: &Address,
        is_proven: bool,
        now: Timestamp,
    ) -> bool {
        let told = self.told(case, person);
        if !is_proven {
            return !std::mem::replace(&mut told.not_proven, true);
        }
        told.lately.retain(|at| now.since(*at) < SPAN);
        let has_room = told.lately.len() < MOST;
        if has_room {
            told.lately.push_back(now);
        }
        has_room
    }

    /// They could not be told.
    pub(super) fn withdraw(&mut self, case: QueueId, person: &Address, is_proven: bool) {
        let told = self.told(case, person);
        if is_proven {
            told.lately.pop_back();
        } else {
            told.not_proven = false;
        }
    }

    fn told(&mut self, case: QueueId, person: &Address) -> &mut Told {
        let people = self.0.entry(case).or_default();
        let at = people.iter().position(|told| told.person == *person).unwrap_or_else(|| {
            let (person, lately) = (person.clone(), VecDeque::new());
            people.push(Told { person, not_proven: false, lately });
            people.len() - 1
        });
        &mut people[at]
    }

    /// The case is no more.
    pub(in crate::moderation) fn forget(&mut self, case: QueueId) {
        self.0.remove(&case);
    }
}

/// So many answers are answered within [`SPAN`].
const MOST: usize = 5;

const SPAN: Duration = Duration::from_secs(3_600);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_told_so_often_of_a_case_and_no_more_until_an_hour_is_over() {
        let mut answers = Answers::default();
        let at = |second: u64| Timestamp::from_secs(1_000_000 + second);
        let (one, other) = (QueueId::new(at(0), 1), QueueId::new(at(0), 2));
        let (ann, bob): (Address, Address) =
            ("ann@x.example".parse().unwrap(), "bob@x.example".parse().unwrap());
        let told = (0..10).filter(|second| answers.admit(one, &ann, true, at(*second))).count();
        assert_eq!(told, MOST);
        assert!(answers.admit(other, &ann, true, at(9)) && answers.admit(one, &bob, true, at(9)));
        assert!(!answers.admit(one, &ann, true, at(3_599)));
        assert!(answers.admit(one, &ann, true, at(3_600)), "the first is an hour old");
        // Of forgeries once.
        assert!(answers.admit(one, &bob, false, at(9)) && !answers.admit(one, &bob, false, at(9)));
        assert!(!answers.admit(one, &bob, false, at(99_999)));
        answers.withdraw(one, &bob, false);
        assert!(answers.admit(one, &bob, false, at(9)) && !answers.admit(one, &bob, false, at(9)));
        answers.forget(one);
        assert!(answers.admit(one, &bob, false, at(9)));
    }
}
