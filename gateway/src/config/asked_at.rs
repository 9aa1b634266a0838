//! Places where other mail servers ask us: `[[policy_server]]`, `[[milter_server]]`.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    num::NonZeroU32,
    path::{Path, PathBuf},
    time::Duration,
};

use mailweir_mail::Network;

use super::{
    Listener, MilterServer, Mode, ModerationRule, PolicyServer,
    check::{Written, all},
    listener::is_public_crowd,
    milter_server,
    nearest::no_listener,
    policy_server,
    problem::Problems,
    raw::{RawConfig, RawTable},
    schema::{MilterServerSection, PolicyServerSection},
    setting::{Refusal, Setting},
    value::RawValue,
};

/// Where other mail servers ask, and which. At least one of `bind` and `socket` is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedAt {
    /// The addresses and ports to listen on.
    pub bind: Vec<SocketAddr>,
    /// The local socket to listen on, and its mode.
    pub socket: Option<(PathBuf, u32)>,
    /// Who may ask by TCP.
    pub networks: Vec<Network>,
    /// The most connections at once.
    pub connection_limit: NonZeroU32,
    /// How long a connection may say nothing.
    pub timeout: Duration,
}

/// All sections of that kind.
pub(super) struct Asked {
    policy_servers: Vec<Written<PolicyServerSection>>,
    milter_servers: Vec<Written<MilterServerSection>>,
}

impl AskedAt {
    /// Whether a peer may ask.
    #[must_use]
    pub fn admits(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.networks.iter().any(|network| network.contains(peer))
    }

    /// Where.
    pub(super) fn describe(&self) -> String {
        let places = self.bind.iter().map(ToString::to_string);
        let socket =
            self.socket.iter().map(|(path, mode)| format!("{} ({mode:04o})", path.display()));
        let places: Vec<_> = places.chain(socket).collect();
        places.join(" ")
    }
}

impl From<&PolicyServerSection> for AskedAt {
    fn from(section: &PolicyServerSection) -> Self {
        Self {
            bind: section.bind.clone(),
            socket: section.socket.clone().map(|path| (path, section.socket_mode.0)),
            networks: section.networks.clone(),
            connection_limit: section.connection_limit,
            timeout: section.timeout,
        }
    }
}

impl From<&MilterServerSection> for AskedAt {
    fn from(section: &MilterServerSection) -> Self {
        Self {
            bind: section.bind.clone(),
            socket: section.socket.clone().map(|path| (path, section.socket_mode.0)),
            networks: section.networks.clone(),
            connection_limit: section.connection_limit,
            timeout: section.timeout,
        }
    }
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

/// Checks where one of them is asked. `example`: such an address.
pub(super) fn check(table: &RawTable, at: &AskedAt, example: &str, problems: &mut Problems<'_>) {
    if at.bind.is_empty() && at.socket.is_none() && !problems.blame(table, "bind") {
        problems
            .error(table, "bind", "neither bind nor socket is written: nobody could ask")
            .help(format!("bind = [\"{example}\"]"));
    }
    if table.has("socket_mode") && at.socket.is_none() && !problems.blame(table, "socket") {
        problems.error(table, "socket_mode", "has no effect: there is no socket");
    }
    let crowds = at.networks.iter().enumerate().filter(|(_, one)| is_public_crowd(one));
    for (index, network) in crowds {
        let message = format!("{network} is a good part of the internet; Postfix is not");
        problems.element_error(table, "networks", index, message).help("list your Postfix");
    }
    let Some(open) = at.bind.iter().find(|bind| !bind.ip().is_loopback()) else { return };
    let is_far = |network: &Network| !network.address().is_loopback();
    let message = match at.networks.iter().any(is_far) {
        true => format!("{open}: questions and answers cross the network unprotected"),
        false => format!("{open}: only this machine may ask, by networks"),
    };
    problems.warning(table, "bind", message);
}

impl Asked {
    pub(super) fn read(raw: &RawConfig, problems: &mut Problems<'_>) -> Self {
        Self { policy_servers: all(raw, problems), milter_servers: all(raw, problems) }
    }

    /// Checks them all. `rules`: those of moderation.
    pub(super) fn check(
        &self,
        listeners: &[Listener],
        rules: &[ModerationRule],
        problems: &mut Problems<'_>,
    ) -> (Vec<PolicyServer>, Vec<MilterServer>) {
        self.check_sockets(problems);
        let policy_servers = policy_server::check(&self.policy_servers, listeners, rules, problems);
        (policy_servers, milter_server::check(&self.milter_servers, listeners, problems))
    }

    /// The addresses of all.
    pub(super) fn binds(&self) -> impl Iterator<Item = (&RawTable, &Vec<SocketAddr>)> {
        let policy = self.policy_servers.iter().map(|one| (&one.table, &one.section.bind));
        policy.chain(self.milter_servers.iter().map(|one| (&one.table, &one.section.bind)))
    }

    /// Each local socket is listened on once.
    fn check_sockets(&self, problems: &mut Problems<'_>) {
        let policy = self.policy_servers.iter().map(|one| (&one.table, &one.section.socket));
        let milter = self.milter_servers.iter().map(|one| (&one.table, &one.section.socket));
        let mut taken: HashMap<&Path, &RawTable> = HashMap::new();
        for (table, socket) in policy.chain(milter) {
            let Some(socket) = socket.as_deref() else { continue };
            match taken.get(socket) {
                Some(first) => {
                    let message = format!("{} has this socket already", first.path_of(""));
                    problems.error(table, "socket", message);
                }
                None => {
                    taken.insert(socket, table);
                }
            }
        }
    }
}

/// The listener of this name, if rules are asked there.
pub(super) fn find_listener<'l>(
    table: &RawTable,
    name: &str,
    listeners: &'l [Listener],
    problems: &mut Problems<'_>,
) -> Option<&'l Listener> {
    let names = || listeners.iter().map(|listener| &*listener.name);
    let Some(found) = listeners.iter().find(|listener| *listener.name == *name) else {
        let message = no_listener(name, names());
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
