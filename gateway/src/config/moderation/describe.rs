//! The rules in a few lines, for `mailweir check`.

use std::time::Duration;

use mailweir_mail::Address;
use mailweir_moderation::{
    action::{Action, ApprovalLevel, Hold, Wait},
    case::AtExpiry,
    rule::Rule,
};

use super::{Bypass, Moderation, ModerationRule, Moderator, rule::asked};
use crate::{config::units::shown, time_zone::TimeZone};

impl Moderation {
    /// Mail that needs nobody, if there is any.
    pub(in crate::config) fn describe_bypass(&self) -> Option<String> {
        let Bypass { senders, credentials, chain, dkim_domains } = &self.bypass;
        let counted = |count: usize, one: &str| match count {
            0 => None,
            1 => Some(format!("of 1 {one}")),
            _ => Some(format!("of {count} {one}s")),
        };
        let ways = [
            counted(senders.len(), "sender"),
            counted(credentials.len(), "credential"),
            chain.then(|| "through trusted hosts only".to_owned()),
            match dkim_domains.len() {
                0 => None,
                1 => Some("signed by 1 domain".to_owned()),
                count => Some(format!("signed by one of {count} domains")),
            },
        ];
        let ways: Vec<String> = ways.into_iter().flatten().collect();
        (!ways.is_empty()).then(|| format!("mail {}", ways.join(", or ")))
    }
}

impl Moderator {
    pub(in crate::config) fn describe(&self, of_server: &TimeZone) -> [String; 3] {
        let name = self.name.as_ref().map_or("", |name| &*name.0);
        let mut parts = vec![self.language.tag().to_owned()];
        if *self.login != *self.person.address.as_str() {
            parts.push(format!("log-in {}", self.login));
        }
        if self.time_zone != *of_server {
            parts.push(self.time_zone.to_string());
        }
        if let Some(deputy) = &self.person.deputy {
            parts.push(format!("deputy {deputy}"));
        }
        if !self.person.absent.is_empty() {
            let days: Vec<_> = self.person.absent.iter().map(ToString::to_string).collect();
            parts.push(format!("absent {}", days.join(" ")));
        }
        [self.person.address.to_string(), name.to_owned(), parts.join(", ")]
    }
}

impl ModerationRule {
    pub(in crate::config) fn describe(&self) -> [String; 3] {
        let mut does = match &self.action {
            Action::Accept => "goes".to_owned(),
            Action::Notice(people) => format!("goes, notice to {}", named(people)),
            Action::Hold(hold) => held(hold),
        };
        if self.split {
            does += "; others get it at once";
        }
        if self.sensitive {
            does += "; after a log-in only";
        }
        [self.rule.name.name.to_string(), conditions(&self.rule), does]
    }
}

fn conditions(rule: &Rule) -> String {
    let asked = asked(rule);
    let keys: Vec<&str> = asked.iter().filter(|asked| asked.1).map(|asked| asked.0).collect();
    if keys.is_empty() { "all mail".to_owned() } else { keys.join(" + ") }
}

fn held(hold: &Hold) -> String {
    match &hold.wait {
        Wait::Delay(delay) => format!("waits {}", shown(*delay)),
        Wait::Confirmation(patience) => {
            format!("sender confirms{}", end(patience.end.map(|end| (end.after, end.action))))
        }
        Wait::Approval(approval) => {
            let levels: Vec<_> = approval.levels.iter().map(level).collect();
            let escalation = approval.escalation.as_ref().map_or_else(String::new, |escalation| {
                format!("; {} too after {}", named(&escalation.people), shown(escalation.after))
            });
            let end = end(approval.patience.end.map(|end| (end.after, end.action)));
            format!("approval by {}{escalation}{end}", levels.join(", then "))
        }
    }
}

fn level(level: &ApprovalLevel) -> String {
    let ApprovalLevel { moderators, needed } = level;
    if moderators.len() == 1 {
        return named(moderators);
    }
    format!("{needed} of {}", named(moderators))
}

fn end(end: Option<(Duration, AtExpiry)>) -> String {
    let Some((after, action)) = end else { return "; waits for ever".to_owned() };
    let what = match action {
        AtExpiry::Reject => "rejected",
        AtExpiry::Release => "sent",
        AtExpiry::Discard => "thrown away",
    };
    format!("; {what} after {}", shown(after))
}

fn named(people: &[Address]) -> String {
    if people.len() > MOST_NAMED {
        return format!("{} people", people.len());
    }
    people.iter().map(Address::as_str).collect::<Vec<_>>().join(" ")
}

/// Of a long list, the number is more telling.
const MOST_NAMED: usize = 3;
