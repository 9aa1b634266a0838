//! `[[policy_server]]`: where a Postfix in front asks which mail needs an approval.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    num::NonZeroU32,
    path::PathBuf,
    time::Duration,
};

use mailweir_mail::Network;
use mailweir_policy::FilterTarget;

use super::{
    Listener, Mode, ModerationRule,
    check::{Written, positive},
    choice::WrittenPolicyAction,
    listener::is_public_crowd,
    nearest::nearest,
    problem::Problems,
    raw::RawTable,
    schema::PolicyServerSection,
    setting::{Refusal, Setting},
    value::RawValue,
};

/// A place where a Postfix asks. At least one of `bind` and `socket` is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyServer {
    /// The addresses and ports to listen on.
    pub bind: Vec<SocketAddr>,
    /// The local socket to listen on, and its mode.
    pub socket: Option<(PathBuf, u32)>,
    /// Who may ask by TCP.
    pub networks: Vec<Network>,
    /// The listener whose rules are asked.
    pub listener: Box<str>,
    /// What is answered for mail that may need an approval.
    pub action: PolicyAction,
    /// The most connections at once.
    pub connection_limit: NonZeroU32,
    /// How long a connection may say nothing.
    pub timeout: Duration,
}

/// What is answered for mail that may need an approval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyAction {
    /// FILTER: it comes to us.
    Filter(FilterTarget),
    /// HOLD: it stays there.
    Hold,
}

/// Permissions of a file, as chmod(1) takes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileMode(u32);

impl Setting for FileMode {
    const ALLOWED: &'static str = "permissions as chmod takes them, such as \"0660\"";
    const EXAMPLE: &'static str = "\"0660\"";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        let text = value.text()?;
        match u32::from_str_radix(text, 8) {
            Ok(mode) if mode <= 0o777 && !text.starts_with('+') => Ok(Self(mode)),
            _ => Refusal::new(value, format_args!("{text:?} are no permissions")).alone(),
        }
    }
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
    for (index, Written { table, section }) in written.iter().enumerate() {
        let mut before = written.iter().take(index);
        let first =
            before.find(|one| one.section.socket.is_some() && one.section.socket == section.socket);
        if let Some(first) = first {
            let message = format!("{} has this socket already", first.table.path_of(""));
            problems.error(table, "socket", message);
        }
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
    check_places(written, problems);
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
    Some(PolicyServer {
        bind: section.bind.clone(),
        socket: section.socket.clone().map(|path| (path, section.socket_mode.0)),
        networks: section.networks.clone(),
        listener: listener?.name.clone(),
        action: action?,
        connection_limit: section.connection_limit,
        timeout: section.timeout,
    })
}

fn check_places(
    Written { table, section }: &Written<PolicyServerSection>,
    problems: &mut Problems<'_>,
) {
    if section.bind.is_empty() && section.socket.is_none() && !problems.blame(table, "bind") {
        problems
            .error(table, "bind", "neither bind nor socket is written: nobody could ask")
            .help("bind = [\"127.0.0.1:10040\"]");
    }
    if table.has("socket_mode") && section.socket.is_none() && !problems.blame(table, "socket") {
        problems.error(table, "socket_mode", "has no effect: there is no socket");
    }
    let crowds = section.networks.iter().enumerate().filter(|(_, one)| is_public_crowd(one));
    for (index, network) in crowds {
        let message = format!("{network} is a good part of the internet; Postfix is not");
        problems.element_error(table, "networks", index, message).help("list your Postfix");
    }
    let Some(open) = section.bind.iter().find(|bind| !bind.ip().is_loopback()) else { return };
    let is_far = |network: &Network| !network.address().is_loopback();
    let message = match section.networks.iter().any(is_far) {
        true => format!("{open}: questions and answers cross the network unprotected"),
        false => format!("{open}: only this machine may ask, by networks"),
    };
    problems.warning(table, "bind", message);
}

/// The listener of this name, if rules are asked there.
fn find_listener<'l>(
    table: &RawTable,
    name: &str,
    listeners: &'l [Listener],
    problems: &mut Problems<'_>,
) -> Option<&'l Listener> {
    let names = || listeners.iter().map(|listener| &*listener.name);
    let Some(found) = listeners.iter().find(|listener| *listener.name == *name) else {
        let message = match nearest(name, names()) {
            Some(known) => format!("no listener is named {name:?}; did you mean {known:?}?"),
            None => format!("no listener is named {name:?}"),
        };
        let known: Vec<_> = names().map(|name| format!("{name:?}")).collect();
        problems.error(table, "listener", message).allowed(known.join(", "));
        return None;
    };
    if matches!(found.mode, Mode::Filter | Mode::Lmtp) {
        let message = format!(
            "no rule is asked at {name:?}: its mode is {:?}, for mail that was filtered",
            found.mode.as_str()
        );
        problems.error(table, "listener", message).help("set its mode to \"mx\"");
        return None;
    }
    Some(found)
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
    let bind = listener.bind.first()?;
    let host = match bind.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => format!("[{}]", Ipv4Addr::LOCALHOST),
        IpAddr::V4(ip) => format!("[{ip}]"),
        IpAddr::V6(ip) if ip.is_unspecified() => format!("[ipv6:{}]", Ipv6Addr::LOCALHOST),
        IpAddr::V6(ip) => format!("[ipv6:{ip}]"),
    };
    FilterTarget::parse(&format!("smtp:{host}:{}", bind.port())).ok()
}

impl PolicyServer {
    /// Whether a peer may ask.
    #[must_use]
    pub fn admits(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.networks.iter().any(|network| network.contains(peer))
    }

    /// Where it is asked, whose rules, and what it answers.
    pub(super) fn describe(&self) -> [String; 3] {
        let places = self.bind.iter().map(ToString::to_string);
        let socket =
            self.socket.iter().map(|(path, mode)| format!("{} ({mode:04o})", path.display()));
        let places: Vec<_> = places.chain(socket).collect();
        let action = match &self.action {
            PolicyAction::Filter(target) => format!("FILTER {target}"),
            PolicyAction::Hold => "HOLD".to_owned(),
        };
        [places.join(" "), format!("rules of {}", self.listener), action]
    }
}

/// Postfix `smtpd_policy_service_max_idle`.
const POSTFIX_IDLE: Duration = Duration::from_secs(300);
