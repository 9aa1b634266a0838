//! Senders that need no approval, and whom nobody binds to their addresses: whoever claims such an
//! address is past the rules.

use mailweir_auth::LoginMap;
use mailweir_moderation::rule::AddressPattern;

use super::WrittenModeration;
use crate::config::{
    Mode, SenderPolicy, Senders, Surroundings, Unauthenticated, check::Written, choice::RuleAction,
    listener::Listener, problem::Problems, schema::RuleSection,
};

/// Warns of rules that let mail go by its sender, and of trusted senders, where rules behind them would
/// hold mail of somebody who can claim to be that sender.
pub(in crate::config) fn check(
    written: &WrittenModeration,
    listeners: &[Listener],
    senders: &Senders,
    around: &Surroundings<'_>,
    problems: &mut Problems<'_>,
) {
    let Written { table, section } = &written.section;
    let binding = Binding::of(senders, around);
    if !section.trusted_senders.is_empty() {
        let binds = binding.binds_strangers(&section.trusted_senders);
        let claimants = Claimants::of(&written.rules, listeners, &[], senders, binds);
        claimants.warn(|message| {
            problems.warning(table, "trusted_senders", message).help(INSTEAD_OF_TRUST);
        });
    }
    for (number, Written { table, section: rule }) in written.rules.iter().enumerate() {
        if !goes(rule) || !rule.logins.is_empty() || !rule.credentials.is_empty() {
            continue;
        }
        let behind = written.rules.get(number + 1..).unwrap_or_default();
        let in_groups = !rule.groups.is_empty() && !section.group_maps.is_empty();
        // Who is in a group is known only once somebody asks.
        let binds = !rule.senders.is_empty() && binding.binds_strangers(&rule.senders);
        let claimants = Claimants::of(behind, listeners, &rule.listeners, senders, binds);
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
    /// Whoever comes to this listener from one of its `networks`.
    neighbours: Option<&'a str>,
}

/// Which senders are for those alone who log in.
struct Binding {
    owners: LoginMap,
    refuses_strangers: bool,
}

impl Binding {
    /// A file that cannot be read binds nobody; it is told elsewhere.
    fn of(senders: &Senders, around: &Surroundings<'_>) -> Self {
        let file = senders.login_maps_file.as_ref();
        let text = file.and_then(|file| String::from_utf8((around.files)(file).ok()?).ok());
        Self {
            owners: text.map_or_else(LoginMap::default, |text| LoginMap::parse(&text).0),
            refuses_strangers: senders.unauthenticated == Unauthenticated::Reject,
        }
    }

    /// Whether strangers are refused under each of these senders, which is so for what the file names.
    fn binds_strangers(&self, senders: &[AddressPattern]) -> bool {
        let is_named = |pattern: &AddressPattern| match pattern {
            AddressPattern::Address(address) => self.owners.find(address).is_some(),
            AddressPattern::Domain(domain) => self.owners.names_domain(domain),
            AddressPattern::Below(_) | AddressPattern::Any | AddressPattern::Expression(_) => false,
        };
        self.refuses_strangers && senders.iter().all(is_named)
    }
}

impl<'a> Claimants<'a> {
    /// `behind`: the rules that would mean their mail; `only`: the names of listeners, if it is not for
    /// all; `binds`: whether strangers are refused under such senders.
    fn of(
        behind: &[Written<RuleSection>],
        listeners: &'a [Listener],
        only: &[String],
        senders: &Senders,
        binds: bool,
    ) -> Self {
        let is_among = |names: &[String], one: &Listener| {
            names.is_empty() || names.iter().any(|name| **name == *one.name)
        };
        let is_held = |one: &Listener, who: Who| {
            behind.iter().map(|rule| &rule.section).any(|rule| {
                let is_of_log_ins = !rule.logins.is_empty() || !rule.credentials.is_empty();
                let means_them = match who {
                    Who::LoggedIn => true,
                    Who::Neighbour => !is_of_log_ins,
                    // They send nothing to the outside.
                    Who::Stranger => !is_of_log_ins && !rule.outside,
                };
                !goes(rule) && is_among(&rule.listeners, one) && means_them
            })
        };
        let moderated = |one: &&Listener| match one.mode {
            Mode::Mx | Mode::Submission => is_among(only, one),
            Mode::Filter | Mode::Lmtp => false,
        };
        let all = || listeners.iter().filter(moderated);
        let mut open = all().filter(|one| one.mode == Mode::Mx && is_held(one, Who::Stranger));
        let mut near = all().filter(|one| !one.networks.is_empty() && is_held(one, Who::Neighbour));
        let is_free = senders.policy == SenderPolicy::Any;
        Self {
            logged_in: is_free && all().any(|one| is_held(one, Who::LoggedIn)),
            strangers: open.next().map(|one| &*one.name).filter(|_| !binds),
            neighbours: near.next().map(|one| &*one.name),
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
                 takes mail under such a sender from whoever did not log in"
            ));
        }
        if let Some(listener) = self.neighbours {
            tell(format!(
                "clients in networks can claim such an address and need no approval: listener \
                 {listener:?} takes mail from them under any sender"
            ));
        }
    }
}

/// Who claims to be somebody.
#[derive(Clone, Copy)]
enum Who {
    LoggedIn,
    /// From one of `networks`.
    Neighbour,
    Stranger,
}

/// Whether mail goes that this rule means.
fn goes(rule: &RuleSection) -> bool {
    match rule.action {
        RuleAction::Accept | RuleAction::Notice => true,
        RuleAction::Approval | RuleAction::Delay | RuleAction::Confirmation => false,
    }
}

const INSTEAD_OF_SENDERS: &str = "name logins instead, or bind addresses to log-ins: policy = \"own\" in \
                                  [auth.senders], and listeners = [\"submission\"] in the rule; clients \
                                  in networks are bound to none";

const INSTEAD_OF_TRUST: &str = "write a rule with action = \"accept\" and logins instead; for partners, \
                                dkim_domains; or bind addresses to log-ins: policy = \"own\", \
                                unauthenticated = \"reject\", and each address in the login_maps_file of \
                                [auth.senders]; clients in networks are bound to none";
