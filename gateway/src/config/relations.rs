//! What sections say about each other: names and addresses used twice, routes that lead back to
//! us, routes that are never taken, listeners that nobody can use.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use mailweir_mail::Domain;

use super::{
    Admin, Domains, Host, Listener, Metrics, Mode, NextHop, Relay,
    asked_at::Asked,
    check::Written,
    choice::{BackendType, RuleAction},
    problem::Problems,
    raw::{RawConfig, RawTable},
    schema::{BackendSection, ListenerSection, RouteSection, RuleSection},
    value::Place,
};

/// There is a listener, names are used once, and an MX serves some domain.
pub(super) fn check_listeners(
    raw: &RawConfig,
    listeners: &[Written<ListenerSection>],
    domains: &Written<Domains>,
    problems: &mut Problems<'_>,
) {
    if raw.all("listener").is_empty() && !problems.blame_section("listener") {
        problems
            .error_at(
                &Place::Default,
                "listener",
                "there is no [[listener]]: no mail could come in",
            )
            .help("[[listener]]\nname = \"mx\"\nbind = [\"0.0.0.0:25\"]\nmode = \"mx\"");
    }
    let mut names = HashMap::new();
    for Written { table, section } in listeners {
        let name = section.name.0.to_ascii_lowercase();
        if let Some(first) = names.insert(name, table.path_of("")) {
            let message = format!("{:?} is the name of {first} already", section.name.0);
            problems.error(table, "name", message);
        }
    }
    if !domains.section.relay.is_empty() || problems.blame(&domains.table, "relay") {
        return;
    }
    for Written { table, section } in listeners {
        if section.mode == Mode::Mx && section.networks.is_empty() {
            problems
                .warning(table, "mode", "this listener refuses all mail: domains.relay is empty")
                .help("[domains]\nrelay = [\"example.org\"]");
        }
    }
}

/// Some listener asks clients for the certificates that a back end is for.
pub(super) fn check_certificate_backends(
    backends: &[Written<BackendSection>],
    listeners: &[Listener],
    problems: &mut Problems<'_>,
) {
    if listeners.iter().any(|listener| listener.client_ca_file.is_some()) {
        return;
    }
    for Written { table, section } in backends {
        if section.kind == BackendType::Certificate {
            let message = "nobody can log in by this: no listener asks for certificates";
            problems
                .warning(table, "type", message)
                .help("set client_ca_file of a listener to the authorities you trust");
        }
    }
}

/// Every address and port is listened on once.
pub(super) fn check_binds(
    listeners: &[Written<ListenerSection>],
    asked: &Asked,
    admin: &Written<Admin>,
    metrics: &Written<Metrics>,
    problems: &mut Problems<'_>,
) {
    let of_listeners = listeners.iter().map(|written| (&written.table, &written.section.bind));
    let of_others = [(&admin.table, &admin.section.bind), (&metrics.table, &metrics.section.bind)];
    let mut taken: Vec<(SocketAddr, &RawTable)> = Vec::new();
    for (table, bind) in of_listeners.chain(asked.binds()).chain(of_others) {
        for (index, address) in bind.iter().enumerate() {
            if let Some((other, owner)) = taken.iter().find(|(other, _)| collide(*other, *address))
            {
                let message = format!("{address}: {} has {other} already", owner.path_of(""));
                problems.element_error(table, "bind", index, message);
            }
            taken.push((*address, table));
        }
    }
    if let Some(open) = admin.section.bind.iter().find(|address| !address.ip().is_loopback()) {
        problems
            .warning(
                &admin.table,
                "bind",
                format!("{open} can be reached from the network, without TLS"),
            )
            .help("bind to 127.0.0.1 and put a proxy with TLS in front");
    }
}

/// Those who decide about mail can open the pages that notices lead to.
pub(super) fn check_links(
    rules: &[Written<RuleSection>],
    admin: &Written<Admin>,
    problems: &mut Problems<'_>,
) {
    let holds = rules.iter().any(|rule| match rule.section.action {
        RuleAction::Approval | RuleAction::Delay | RuleAction::Confirmation => true,
        RuleAction::Accept | RuleAction::Notice => false,
    });
    if holds && admin.section.public_url.is_none() && !problems.blame(&admin.table, "public_url") {
        let message = "mail waits for people, and notices have no links to pages that decide";
        problems
            .warning(&admin.table, "public_url", message)
            .help("[admin]\npublic_url = \"https://mail.example.org\"");
    }
}

/// No route leads back to us, and each can be taken.
pub(super) fn check_routes(
    routes: &[Written<RouteSection>],
    listeners: &[Written<ListenerSection>],
    hostname: &Domain,
    problems: &mut Problems<'_>,
) {
    for Written { table, section } in routes {
        let NextHop::Relay(relay) = &section.to else { continue };
        let own =
            listeners.iter().find(|listener| leads_to(relay, &listener.section.bind, hostname));
        if let Some(own) = own {
            let name = &own.section.name.0;
            problems
                .error(
                    table,
                    "to",
                    format!("{relay} is our own listener {name:?}: mail would go in circles"),
                )
                .help("name the server that mail goes to after us");
        }
    }
    for (index, Written { table, section }) in routes.iter().enumerate() {
        for (place, pattern) in section.domains.iter().enumerate() {
            let covers = |earlier: &&Written<RouteSection>| {
                earlier.section.domains.iter().any(|known| known.covers(pattern))
            };
            if let Some(first) = routes[..index].iter().find(covers) {
                let first = first.table.path_of("");
                let message = format!("\"{pattern}\" is never used: {first} takes its mail");
                problems
                    .warning_at(table.place_of_element("for", place), table.path_of("for"), message)
                    .help("the first route that matches is taken");
            }
        }
    }
}

/// Whether both cannot be listened on at once. `[::]` and `0.0.0.0` may go together.
fn collide(a: SocketAddr, b: SocketAddr) -> bool {
    let same_family = a.is_ipv4() == b.is_ipv4();
    let same_address = a.ip() == b.ip() || a.ip().is_unspecified() || b.ip().is_unspecified();
    a.port() != 0 && a.port() == b.port() && same_family && same_address
}

/// Whether a connection to the relay would be one to ourselves, as far as that can be known
/// without asking DNS.
fn leads_to(relay: &Relay, bind: &[SocketAddr], hostname: &Domain) -> bool {
    let reaches = |own: &SocketAddr| match &relay.host {
        Host::Ip(ip) => ends_at(own.ip(), *ip),
        Host::Name(name) if name.as_ascii() == "localhost" => {
            LOCALHOST.iter().any(|ip| ends_at(own.ip(), *ip))
        }
        Host::Name(name) => name == hostname,
    };
    bind.iter().any(|own| own.port() == relay.port && reaches(own))
}

/// Whether a connection from here to `ip` ends at a socket bound to `own`.
fn ends_at(own: IpAddr, ip: IpAddr) -> bool {
    own == ip || own.is_unspecified() && (ip.is_loopback() || ip.is_unspecified())
}

const LOCALHOST: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
