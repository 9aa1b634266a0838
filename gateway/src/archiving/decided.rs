//! Who decided about a mail, for the record of its end. It is written with what they decided, in one commit.

use bytes::Bytes;
use mailweir_archive::entry::{self, Decided};
use mailweir_mail::Timestamp;
use mailweir_moderation::{
    case::{Actor, By, Case, Decision, Entry, Proof, QueueDeed, State, Step},
    case_file::CaseFile,
};
use mailweir_queue::Annex;

/// Tells the archive who has decided about the mail of a case: all who did, unless it was decided `before`.
/// Then they were told already.
pub(crate) fn tell(annex: &mut Annex, before: &Case, after: &CaseFile) {
    put(annex, &decisions(before, after));
}

fn decisions(before: &Case, after: &CaseFile) -> Vec<Decided> {
    let Case { plan, progress } = &after.case;
    let told = match before.progress.state {
        State::Closed(_) => before.progress.all_steps(),
        State::Pending | State::Scheduled { .. } => 0,
    };
    let new = progress.all_steps().saturating_sub(told);
    let entries = progress.history.iter().rev().take(new).rev();
    // What an operator does closes the case, and that is no decision besides.
    let is_operators = entries.clone().any(|entry| matches!(entry.step, Step::InQueue(_)));
    let decisions = entries.filter(|entry| !is_operators || !matches!(entry.step, Step::Closed(_)));
    let decisions = decisions.filter_map(|entry| {
        let Entry { at, by: By { who, proof, .. }, step, .. } = entry;
        Some(Decided {
            decision: word(step, who)?.into(),
            by: match (step, who) {
                (Step::InQueue(_), Actor::Administrator(name)) => operator(name),
                (_, who) => who.to_string().into(),
            },
            proof: proven(*proof).into(),
            at: *at,
            rule: Some(plan.rule.name.clone()),
        })
    });
    decisions.collect()
}

/// Tells the archive what an operator does with a mail, unless it hears of it already.
pub(crate) fn tell_of_operator(annex: &mut Annex, decision: &str, by: &str, at: Timestamp) {
    if !annex.tells_archive() {
        let (decision, by) = (decision.into(), operator(by));
        let proof = Proof::CommandLine.as_str().into();
        put(annex, &[Decided { decision, by, proof, at, rule: None }]);
    }
}

/// What [`tell`] has written. What another version wrote is left out: it stands in nobody's way.
pub(super) fn read(told: &[Bytes]) -> Vec<Decided> {
    told.iter().flat_map(|told| entry::decode::<Vec<Decided>>(told).unwrap_or_default()).collect()
}

fn put(annex: &mut Annex, decisions: &[Decided]) {
    // There is nothing in it but words and times: it can always be written.
    if let Ok(told) = entry::encode(&decisions)
        && !decisions.is_empty()
    {
        annex.tell_archive(told.into());
    }
}

/// What was decided with a step; `None`: nothing.
const fn word(step: &Step, who: &Actor) -> Option<&'static str> {
    Some(match step {
        Step::Closed(Decision::Damaged) => "damaged",
        Step::Closed(decision) => decision.as_str(),
        Step::InQueue(QueueDeed::Released) => "released",
        Step::InQueue(QueueDeed::Deleted) => "deleted",
        Step::Scheduled(_) if matches!(who, Actor::Clock) => return None,
        Step::Approved | Step::Scheduled(_) => "approved",
        Step::Opened
        | Step::NextLevel
        | Step::Commented
        | Step::Forwarded(_)
        | Step::Reminded
        | Step::RemindedTimes(_)
        | Step::Escalated
        | Step::Warned
        | Step::Passed(_)
        | Step::Trusted(_)
        | Step::Distrusted => return None,
    })
}

fn operator(name: &str) -> Box<str> {
    format!("operator {name}").into()
}

const fn proven(proof: Proof) -> &'static str {
    match proof {
        Proof::Gateway => "clock",
        Proof::Link | Proof::Reply | Proof::Login | Proof::Api | Proof::CommandLine => {
            proof.as_str()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mailweir_moderation::case::Command;

    use super::*;
    use crate::moderation::sample_case;

    #[test]
    fn nobody_decides_when_time_has_passed_and_that_is_said() {
        let before = sample_case();
        let now = before.case.due().unwrap();
        let (after, _) = before.take(&Command::Clock, now).unwrap();
        let [decided] = &decisions(&before.case, &after)[..] else { panic!("one decision") };
        assert_eq!((&*decided.decision, &*decided.by), ("expired", "nobody"));
        assert_eq!((&*decided.proof, decided.rule.as_deref()), ("clock", Some("r")));
        assert_eq!(decided.at, now);
    }

    #[test]
    fn what_was_told_is_not_told_again() {
        let opened = sample_case();
        let mut before = opened.clone();
        before.also_held = Some("a table".into());
        let now = before.case.progress.opened.plus(Duration::from_secs(1));
        let by = By { who: Actor::Administrator("root".into()), proof: Proof::Api, from: None };
        let (comment, only, at, trust_days) = ("".into(), None, None, 0);
        let approve = Command::Approve { by, comment, only, at, trust_days };
        let (approved, _) = before.take(&approve, now).unwrap();
        let [first] = &decisions(&before.case, &approved)[..] else { panic!("one decision") };
        assert_eq!(
            (&*first.decision, &*first.by, &*first.proof),
            ("released", "administrator root", "api")
        );
        let after = approved.operated(QueueDeed::Deleted, "kim", now).unwrap();
        let [second] = &decisions(&approved.case, &after)[..] else { panic!("one decision") };
        assert_eq!((&*second.decision, &*second.by), ("deleted", "operator kim"));
    }

    #[test]
    fn a_case_that_hears_nothing_new_leaves_the_word_to_the_operator() {
        let mut annex = Annex::default();
        let case = sample_case();
        tell(&mut annex, &case.case, &case);
        assert!(!annex.tells_archive());
        let now = Timestamp::from_secs(7);
        tell_of_operator(&mut annex, "requeued", "kim", now);
        assert!(annex.tells_archive());
    }

    #[test]
    fn what_cannot_be_read_is_left_out() {
        let one = Decided {
            decision: "released".into(),
            by: "operator kim".into(),
            proof: "command_line".into(),
            at: Timestamp::from_secs(7),
            rule: None,
        };
        let sound = entry::encode(&vec![one.clone()]).unwrap();
        assert_eq!(read(&[Bytes::from_static(b"rot"), sound.into()]), [one]);
    }
}
