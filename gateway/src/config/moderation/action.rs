//! What a rule does: the keys that belong to its `action`, and what they say together.

use std::time::Duration;

use mailweir_mail::Address;
use mailweir_moderation::{
    action::{Action, Approval, ApprovalLevel, End, EscalateTo, Hold, Patience, Wait},
    case::{AtExpiry, OwnMail},
    person::is_among,
};

use super::{ExpireAfter, settings::level};
use crate::config::{
    check::{Written, positive},
    choice::{RuleAction, WrittenAtExpiry},
    problem::Problems,
    raw::RawTable,
    schema::RuleSection,
    units::shown,
};

/// Checks the keys of the action.
pub(super) fn check(written: &Written<RuleSection>, problems: &mut Problems<'_>) -> Action {
    let Written { table, section } = written;
    refuse_keys_of_others(table, section.action, problems);
    let wait = match section.action {
        RuleAction::Accept => return Action::Accept,
        RuleAction::Notice => {
            let who = "moderators";
            need(table, section.moderators.is_empty(), who, section.action, problems);
            return Action::Notice(section.moderators.clone());
        }
        RuleAction::Approval => Wait::Approval(approval(written, problems)),
        RuleAction::Delay => {
            positive(table, &[("delay", section.delay)], problems);
            Wait::Delay(section.delay)
        }
        RuleAction::Confirmation => Wait::Confirmation(patience(written, problems)),
    };
    Action::Hold(Hold { wait, tells_sender: section.tells_sender })
}

/// A key that does nothing was meant to do something.
fn refuse_keys_of_others(table: &RawTable, action: RuleAction, problems: &mut Problems<'_>) {
    for (key, actions) in KEYS {
        if table.has(key) && !actions.contains(&action) && !problems.blame(table, key) {
            let of: Vec<_> =
                actions.iter().map(|action| format!("{:?}", action.as_str())).collect();
            let message = format!("has no meaning with action {:?}", action.as_str());
            problems.error(table, key, message).help(format!("it is of action {}", of.join(" | ")));
        }
    }
}

fn approval(written: &Written<RuleSection>, problems: &mut Problems<'_>) -> Approval {
    let Written { table, section } = written;
    let own_mail = if section.own_mail { OwnMail::Allowed } else { OwnMail::Never };
    let patience = patience(written, problems);
    Approval {
        levels: levels(written, problems),
        own_mail,
        escalation: escalation(table, section, &patience, problems),
        patience,
    }
}

fn levels(
    Written { table, section }: &Written<RuleSection>,
    problems: &mut Problems<'_>,
) -> Vec<ApprovalLevel> {
    if table.has("levels") && !problems.blame(table, "levels") {
        if table.has("moderators") {
            let message = "moderators stand there as well: is that one more level?";
            problems.error(table, "levels", message).help("write moderators into the levels");
        }
        if table.has("needed") {
            let message = "each level has its own: write needed into the levels";
            problems.error(table, "needed", message);
        }
        if section.levels.is_empty() {
            problems.error(table, "levels", "nobody could approve").help(LEVELS);
        }
        return section.levels.iter().map(|level| level.0.clone()).collect();
    }
    let is_absent = section.moderators.is_empty() && !table.has("levels");
    need(table, is_absent, "moderators or levels", section.action, problems);
    if section.moderators.is_empty() {
        return Vec::new();
    }
    vec![level(section.moderators.clone(), section.needed).unwrap_or_else(
        |(key, index, message)| {
            match index {
                Some(index) => problems.element_error(table, key, index, message),
                None => problems.error(table, key, message),
            };
            ApprovalLevel { moderators: section.moderators.clone(), needed: 1 }
        },
    )]
}

fn escalation(
    table: &RawTable,
    section: &RuleSection,
    patience: &Patience,
    problems: &mut Problems<'_>,
) -> Option<EscalateTo> {
    let (after, people) = match (section.escalate_after, &section.escalate_to) {
        (Some(after), people) if !people.is_empty() => (after, people.clone()),
        (after, _) => {
            let pair = ["escalate_after", "escalate_to"];
            let (there, absent) = if after.is_some() { pair.into() } else { (pair[1], pair[0]) };
            if table.has(there) && !problems.blame(table, absent) && !problems.blame(table, there) {
                problems.error(table, there, format!("{absent} is missing: the two go together"));
            }
            return None;
        }
    };
    positive(table, &[("escalate_after", after)], problems);
    if let Some(end) = patience.end.filter(|end| end.after <= after) {
        let message =
            format!("the mail waits for {} only: nobody would be asked", shown(end.after));
        problems.error(table, "escalate_after", message);
    }
    no_one_twice(table, "escalate_to", &people, problems);
    Some(EscalateTo { after, people })
}

fn patience(written: &Written<RuleSection>, problems: &mut Problems<'_>) -> Patience {
    let Written { table, section } = written;
    let end = end(written, problems);
    if let Some(every) = section.remind_every {
        if every < SHORTEST_REMINDER {
            let message = format!("{} would fill mailboxes", shown(every));
            problems.error(table, "remind_every", message).allowed("at least 1 min");
        } else if end.is_some_and(|end| end.after <= every) {
            let message = "the mail does not wait so long: nobody is reminded";
            problems.warning(table, "remind_every", message);
        }
    }
    Patience { remind_every: section.remind_every, end }
}

fn end(
    Written { table, section }: &Written<RuleSection>,
    problems: &mut Problems<'_>,
) -> Option<End> {
    let after = match section.expire_after {
        ExpireAfter::After(after) => after,
        ExpireAfter::Never => {
            for key in ["at_expiry", "warn_before"] {
                if table.has(key) {
                    problems.error(table, key, "has no meaning: expire_after is \"never\"");
                }
            }
            return None;
        }
    };
    positive(table, &[("expire_after", after)], problems);
    let warn_before = section.warn_before.unwrap_or_else(|| (after / 2).min(USUAL_WARNING));
    if section.warn_before.is_some_and(|before| before >= after) {
        let message = format!("the mail waits for {} only", shown(after));
        problems.error(table, "warn_before", message).help("warn_before is below expire_after");
    }
    let action = match section.at_expiry {
        WrittenAtExpiry::Reject => AtExpiry::Reject,
        WrittenAtExpiry::Release => AtExpiry::Release,
        WrittenAtExpiry::Discard => AtExpiry::Discard,
    };
    Some(End { after, warn_before: (!warn_before.is_zero()).then_some(warn_before), action })
}

/// Reports that somebody is missing whom the action needs.
fn need(
    table: &RawTable,
    is_absent: bool,
    what: &str,
    action: RuleAction,
    problems: &mut Problems<'_>,
) {
    if is_absent && !problems.blame(table, "moderators") && !problems.blame(table, "levels") {
        let message = format!("{what} missing: action {:?} needs people", action.as_str());
        problems.error(table, "moderators", message).help("moderators = [\"boss@example.org\"]");
    }
}

fn no_one_twice(table: &RawTable, key: &str, people: &[Address], problems: &mut Problems<'_>) {
    for (index, one) in people.iter().enumerate() {
        if is_among(one, &people[..index]) {
            problems.element_error(table, key, index, format!("{one} is listed twice"));
        }
    }
}

use RuleAction::{Approval as OfApproval, Confirmation, Delay, Notice};

/// Which keys are of which actions.
const KEYS: [(&str, &[RuleAction]); 15] = [
    ("moderators", &[OfApproval, Notice]),
    ("needed", &[OfApproval]),
    ("levels", &[OfApproval]),
    ("own_mail", &[OfApproval]),
    ("remind_every", &[OfApproval, Confirmation]),
    ("escalate_after", &[OfApproval]),
    ("escalate_to", &[OfApproval]),
    ("expire_after", &[OfApproval, Confirmation]),
    ("at_expiry", &[OfApproval, Confirmation]),
    ("warn_before", &[OfApproval, Confirmation]),
    ("delay", &[Delay]),
    ("tells_sender", &[OfApproval, Delay, Confirmation]),
    ("attach", &[OfApproval, Confirmation, Notice]),
    ("split", &[OfApproval, Delay, Confirmation]),
    ("sensitive", &[OfApproval, Confirmation]),
];

const LEVELS: &str = "levels = [{ moderators = [\"boss@example.org\"], needed = 1 }]";

const SHORTEST_REMINDER: Duration = Duration::from_secs(60);

const USUAL_WARNING: Duration = Duration::from_secs(86_400);
