//! `[[policy_server]]`: where a Postfix in front asks which mail needs an approval.

use std::{net::IpAddr, time::Duration};

use mailweir_policy::FilterTarget;

use super::{
    Listener, ModerationRule,
    asked_at::{self, AskedAt, find_listener},
    check::{Written, positive},
    choice::WrittenPolicyAction,
    problem::Problems,
    raw::RawTable,
    schema::PolicyServerSection,
    setting::{Refusal, Setting},
    value::RawValue,
};
use crate::ways_back::reached_at;

/// A place where a Postfix asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyServer {
    /// Where it is asked, and by whom.
    pub at: AskedAt,
    /// The listener whose rules are asked.
    pub listener: Box<str>,
    /// What is answered for mail that may need an approval.
    pub action: PolicyAction,
}

/// What is answered for mail that may need an approval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyAction {
    /// FILTER: it comes to us.
    Filter(FilterTarget),
    /// HOLD: it stays there.
    Hold,
}

impl Setting for FilterTarget {
    const ALLOWED: &'static str =
        "a transport of master.cf and a next hop, such as \"smtp:[127.0.0.1]:10025\"";
    const EXAMPLE: &'static str = "\"smtp:[127.0.0.1]:10025\"";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        let text = value.text()?;
        Self::parse(text)
            .or_else(|error| Refusal::new(value, format_args!("{text:?}: {error}")).alone())
    }
}

/// Checks the sections.
pub(super) fn check(
    written: &[Written<PolicyServerSection>],
    listeners: &[Listener],
    rules: &[ModerationRule],
    problems: &mut Problems<'_>,
) -> Vec<PolicyServer> {
    for Written { table, .. } in written {
        if rules.is_empty() && !problems.blame_section("moderation.rule") {
            let message =
                "there is no [[moderation.rule]]: no mail needs anybody, and each answer is DUNNO";
            problems.warning(table, "listener", message);
        }
    }
    written.iter().filter_map(|one| check_one(one, listeners, rules, problems)).collect()
}

fn check_one(
    written: &Written<PolicyServerSection>,
    listeners: &[Listener],
    rules: &[ModerationRule],
    problems: &mut Problems<'_>,
) -> Option<PolicyServer> {
    let Written { table, section } = written;
    asked_at::check(table, &section.into(), "127.0.0.1:10040", problems);
    positive(table, &[("timeout", section.timeout)], problems);
    if section.timeout < POSTFIX_IDLE {
        let message = "Postfix keeps a connection for 300 s without a question; if it is closed before, \
                       it asks again, after a second";
        problems.warning(table, "timeout", message);
    }
    let listener = find_listener(table, &section.listener, listeners, problems);
    if let (Some(listener), WrittenPolicyAction::Filter) = (listener, section.action) {
        warn_of_listener(table, listener, rules, problems);
    }
    let action = match (section.action, &section.filter) {
        (WrittenPolicyAction::Filter, Some(target)) => Some(PolicyAction::Filter(target.clone())),
        (WrittenPolicyAction::Filter, None) => {
            listener.and_then(target_of).map(PolicyAction::Filter)
        }
        (WrittenPolicyAction::Hold, target) => {
            if target.is_some() {
                problems.error(table, "filter", "has no effect: the action is \"hold\"");
            }
            Some(PolicyAction::Hold)
        }
    };
    Some(PolicyServer { at: section.into(), listener: listener?.name.clone(), action: action? })
}

/// Whether the listener takes what a Postfix hands over, and hears who logged in there.
fn warn_of_listener(
    table: &RawTable,
    listener: &Listener,
    rules: &[ModerationRule],
    problems: &mut Problems<'_>,
) {
    let name = &listener.name;
    if listener.networks.is_empty() {
        let message =
            format!("the listener {name:?} trusts nobody: the Postfix cannot hand mail over");
        problems.warning(table, "listener", message).help("list the Postfix in its networks");
    }
    let asks = |rule: &ModerationRule| {
        let who = &rule.rule.who;
        !who.logins.is_empty() || !who.groups.is_empty()
    };
    if listener.xforward_hosts.is_empty() && rules.iter().any(asks) {
        let message = format!(
            "the listener {name:?} does not hear who logged in at the Postfix: rules with logins hold all mail"
        );
        problems.warning(table, "listener", message).help("list the Postfix in its xforward_hosts");
    }
}

/// The listener as the next hop of a Postfix on this machine.
fn target_of(listener: &Listener) -> Option<FilterTarget> {
    let address = reached_at(*listener.bind.first()?);
    let host = match address.ip() {
        IpAddr::V4(ip) => format!("[{ip}]"),
        IpAddr::V6(ip) => format!("[ipv6:{ip}]"),
    };
    FilterTarget::parse(&format!("smtp:{host}:{}", address.port())).ok()
}

impl PolicyServer {
    /// Where it is asked, whose rules, and what it answers.
    pub(super) fn describe(&self) -> [String; 3] {
        let action = match &self.action {
            PolicyAction::Filter(target) => format!("FILTER {target}"),
            PolicyAction::Hold => "HOLD".to_owned(),
        };
        [self.at.describe(), format!("rules of {}", self.listener), action]
    }
}

/// Postfix `smtpd_policy_service_max_idle`.
const POSTFIX_IDLE: Duration = Duration::from_secs(300);
