//! Senders that need no approval, and whom nobody binds to their addresses: whoever claims such an
//! address is past the rules.

use super::WrittenModeration;
use crate::config::{
    Mode, SenderPolicy, Senders, Unauthenticated, check::Written, choice::RuleAction,
    listener::Listener, problem::Problems, schema::RuleSection,
};

/// Warns of rules that let mail go by its sender, and of trusted senders, where rules behind them would
/// hold mail of somebody who can claim to be that sender.
pub(in crate::config) fn check(
    written: &WrittenModeration,
    listeners: &[Listener],
    senders: &Senders,
    problems: &mut Problems<'_>,
) {
    let Written { table, section } = &written.section;
    if !section.trusted_senders.is_empty() {
        let claimants = Claimants::of(&written.rules, listeners, &[], senders);
        claimants.warn(|message| {
            problems.warning(table, "trusted_senders", message).help(INSTEAD_OF_TRUST);
        });
    }
    for (number, Written { table, section: rule }) in written.rules.iter().enumerate() {
        if !goes(rule) || !rule.logins.is_empty() || !rule.credentials.is_empty() {
            continue;
        }
        let behind = written.rules.get(number + 1..).unwrap_or_default();
        let claimants = Claimants::of(behind, listeners, &rule.listeners, senders);
        let in_groups = !rule.groups.is_empty() && !section.group_maps.is_empty();
        for (key, is_asked) in [("senders", !rule.senders.is_empty()), ("groups", in_groups)] {
            if is_asked {
                claimants.warn(|message| {
                    problems.warning(table, key, message).help(INSTEAD_OF_SENDERS);
                });
            }
        }
    }
}

/// Who may use any sender, and would have to wait under their own.
#[derive(Default)]
struct Claimants<'a> {
    /// Whoever logs in.
    logged_in: bool,
    /// Whoever comes to this listener.
    strangers: Option<&'a str>,
}

impl<'a> Claimants<'a> {
    /// `behind`: the rules that would mean their mail; `only`: the names of listeners, if it is not for
    /// all.
    fn of(
        behind: &[Written<RuleSection>],
        listeners: &'a [Listener],
        only: &[String],
        senders: &Senders,
    ) -> Self {
        let is_among = |names: &[String], one: &Listener| {
            names.is_empty() || names.iter().any(|name| **name == *one.name)
        };
        let is_held = |one: &Listener, is_stranger: bool| {
            behind.iter().map(|rule| &rule.section).any(|rule| {
                let is_of_log_ins = !rule.logins.is_empty() || !rule.credentials.is_empty();
                let passes_strangers = rule.outside || is_of_log_ins;
                !goes(rule) && is_among(&rule.listeners, one) && !(is_stranger && passes_strangers)
            })
        };
        let moderated = |one: &&Listener| match one.mode {
            Mode::Mx | Mode::Submission => is_among(only, one),
            Mode::Filter | Mode::Lmtp => false,
        };
        let mut all = listeners.iter().filter(moderated);
        let mut open = all.clone().filter(|one| one.mode == Mode::Mx && is_held(one, true));
        Self {
            logged_in: senders.policy == SenderPolicy::Any && all.any(|one| is_held(one, false)),
            strangers: match senders.unauthenticated {
                Unauthenticated::Accept => open.next().map(|one| &*one.name),
                Unauthenticated::Reject => None,
            },
        }
    }

    fn warn(&self, mut tell: impl FnMut(String)) {
        if self.logged_in {
            tell(
                "whoever logs in can claim such an address and needs no approval: \
                 auth.senders.policy is \"any\""
                    .to_owned(),
            );
        }
        if let Some(listener) = self.strangers {
            tell(format!(
                "strangers can claim such an address and need no approval: listener {listener:?} \
                 takes mail under any sender"
            ));
        }
    }
}

/// Whether mail goes that this rule means.
fn goes(rule: &RuleSection) -> bool {
    match rule.action {
        RuleAction::Accept | RuleAction::Notice => true,
        RuleAction::Approval | RuleAction::Delay | RuleAction::Confirmation => false,
    }
}

const INSTEAD_OF_SENDERS: &str = "name logins instead, or bind addresses to log-ins: policy = \"own\" in \
                                  [auth.senders], and listeners = [\"submission\"] in the rule";

const INSTEAD_OF_TRUST: &str = "write a rule with action = \"accept\" and logins instead; for partners, \
                                dkim_domains; or bind addresses to log-ins: policy = \"own\" and \
                                unauthenticated = \"reject\" in [auth.senders]";
