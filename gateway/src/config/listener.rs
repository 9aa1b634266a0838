//! A listener as the gateway serves it: who is expected, with which trust, under which limits.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    num::NonZeroU32,
    path::PathBuf,
    time::Duration,
};

use mailweir_auth::Mechanism;
use mailweir_mail::Network;

use super::{
    BareNewline, ByteSize, CheckTables, Checks, Limits, ListenerRestrictions, ListenerTls, Mode,
    Surroundings,
    check::{self, Written},
    checks,
    problem::Problems,
    restrictions::CommonLists,
    schema::ListenerSection,
    setting::Setting,
};

/// One place where mail comes in. The checks have passed: no listener relays for strangers.
#[derive(Clone, Debug)]
pub struct Listener {
    /// The label of logs; unique.
    pub name: Box<str>,
    /// The addresses and ports to listen on; at least one, and on no other listener.
    pub bind: Vec<SocketAddr>,
    /// Who is expected.
    pub mode: Mode,
    /// What is done about TLS.
    pub tls: ListenerTls,
    /// The authorities that vouch for clients, in PEM; `None`: clients are asked for no
    /// certificate.
    pub client_ca_file: Option<PathBuf>,
    /// Peers that may relay without AUTH; in the modes filter and lmtp, the only peers (not empty
    /// there).
    pub networks: Vec<Network>,
    /// Whether AUTH is offered without TLS.
    pub auth_in_clear: bool,
    /// The SASL mechanisms to offer, in this order; those that not every connection has come
    /// first.
    pub auth_mechanisms: Option<Vec<Mechanism>>,
    /// Whether they are also announced as `AUTH=...`.
    pub broken_sasl_auth_clients: bool,
    /// Whether clients must greet before MAIL.
    pub helo_required: bool,
    /// Whether VRFY is refused.
    pub disable_vrfy_command: bool,
    /// Peers that may say XCLIENT.
    pub xclient_hosts: Vec<Network>,
    /// Peers that may say XFORWARD.
    pub xforward_hosts: Vec<Network>,
    /// Whether connections begin with a PROXY header, and who may send one.
    pub proxy: ProxyProtocol,
    /// What a lone LF or CR means.
    pub forbid_bare_newline: BareNewline,
    /// Peers that are exempt from `forbid_bare_newline`.
    pub bare_newline_excluded: Vec<Network>,
    /// What one client may cost.
    pub limits: ListenerLimits,
    /// Who may connect, greet, send and be written to; `None`: nothing is restricted but relaying.
    pub restrictions: Option<ListenerRestrictions>,
    /// Whether recipients that tables say do not exist are refused at RCPT.
    pub reject_unlisted_recipient: bool,
    /// What the content of mail is held against.
    pub checks: CheckTables,
}

/// What holds for all listeners unless one says otherwise.
pub(super) struct Common<'a> {
    limits: &'a Limits,
    /// The largest mail that a filter hands back.
    handed_back: ByteSize,
    checks: &'a Checks,
    lists: &'a CommonLists,
}

impl<'a> Common<'a> {
    /// What the sections say that are not a listener's own.
    pub(super) fn of(
        listeners: &[Written<ListenerSection>],
        (limits, checks): (&'a Limits, &'a Checks),
        lists: &'a CommonLists,
    ) -> Self {
        Self { limits, handed_back: handed_back(listeners, limits), checks, lists }
    }
}

impl Listener {
    /// Whether a client at `address` may relay anywhere without logging in.
    #[must_use]
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(address))
    }
}

/// What precedes the first byte of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProxyProtocol {
    /// Nothing: the peer is the client.
    Off,
    /// A PROXY header (version 1 or 2) from one of these peers (not empty); others are turned away.
    From(Vec<Network>),
}

/// The limits of `[limits]`, with what the listener overrides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListenerLimits {
    /// The largest mail in bytes (Postfix `message_size_limit`). 0: no limit.
    pub message_size_limit: ByteSize,
    /// The most recipients of one mail (Postfix `smtpd_recipient_limit`).
    pub recipient_limit: NonZeroU32,
    /// The most sessions of one client address at once (Postfix
    /// `smtpd_client_connection_count_limit`). 0: no limit.
    pub client_connection_count_limit: u32,
    /// Errors until 421 (Postfix `smtpd_hard_error_limit`).
    pub hard_error_limit: NonZeroU32,
    /// Junk commands until each counts as an error (Postfix `smtpd_junk_command_limit`).
    pub junk_command_limit: u32,
    /// How long we wait for the client (Postfix `smtpd_timeout`).
    pub timeout: Duration,
    /// Received headers until a mail is taken to go in circles (Postfix `hopcount_limit`).
    pub hopcount_limit: NonZeroU32,
}

impl Listener {
    /// Checks what one listener says by itself.
    pub(super) fn check(
        written: &Written<ListenerSection>,
        common: &Common<'_>,
        around: &Surroundings<'_>,
        problems: &mut Problems<'_>,
    ) -> Self {
        let Written { table, section } = written;
        check_bind(written, problems);
        check_trust(written, problems);
        check_auth(written, problems);
        checks::check_listener(written, around, problems);
        if section.timeout.is_some_and(|timeout| timeout.is_zero()) {
            problems.error(table, "timeout", "must be longer than zero");
        }
        Self {
            name: section.name.0.clone(),
            bind: section.bind.clone(),
            mode: section.mode,
            tls: section.tls,
            client_ca_file: check_client_ca(written, around, problems),
            networks: section.networks.clone(),
            auth_in_clear: section.auth_in_clear,
            auth_mechanisms: section.auth_mechanisms.clone(),
            broken_sasl_auth_clients: section.broken_sasl_auth_clients,
            helo_required: section.helo_required,
            disable_vrfy_command: section.disable_vrfy_command,
            xclient_hosts: section.xclient_hosts.clone(),
            xforward_hosts: section.xforward_hosts.clone(),
            proxy: check_proxy(written, problems),
            forbid_bare_newline: section.forbid_bare_newline,
            bare_newline_excluded: section.bare_newline_excluded.clone(),
            limits: ListenerLimits::of(section, common),
            restrictions: common.lists.of(written, around, problems),
            reject_unlisted_recipient: common.lists.reject_unlisted_recipient(),
            checks: CheckTables::of(section, common.checks),
        }
    }
}

impl ListenerLimits {
    fn of(section: &ListenerSection, Common { limits, handed_back, .. }: &Common<'_>) -> Self {
        let usual_size = match section.mode {
            Mode::Filter | Mode::Lmtp => *handed_back,
            Mode::Mx | Mode::Submission => limits.message_size_limit,
        };
        Self {
            message_size_limit: section.message_size_limit.unwrap_or(usual_size),
            recipient_limit: section.recipient_limit.unwrap_or(limits.recipient_limit),
            client_connection_count_limit: section
                .client_connection_count_limit
                .unwrap_or(limits.client_connection_count_limit),
            hard_error_limit: section.hard_error_limit.unwrap_or(limits.hard_error_limit),
            junk_command_limit: section.junk_command_limit.unwrap_or(limits.junk_command_limit),
            timeout: section.timeout.unwrap_or(limits.timeout),
            hopcount_limit: limits.hopcount_limit,
        }
    }
}

/// The largest mail that a filter hands back where nobody says how large it may be: as large as the largest that comes in, and
/// what it has got on its way. Else mail that was just not too large would be refused on its way back.
fn handed_back(listeners: &[Written<ListenerSection>], limits: &Limits) -> ByteSize {
    let in_front = listeners.iter().map(|written| &written.section);
    let in_front = in_front.filter(|section| !matches!(section.mode, Mode::Filter | Mode::Lmtp));
    let size =
        |section: &ListenerSection| section.message_size_limit.unwrap_or(limits.message_size_limit);
    let sizes: Vec<u64> = in_front.map(|section| size(section).bytes()).collect();
    let largest = sizes.iter().copied().max().unwrap_or(limits.message_size_limit.bytes());
    match largest {
        // Without a limit.
        0 => ByteSize(0),
        _ if sizes.contains(&0) => ByteSize(0),
        largest => ByteSize(largest.saturating_add(ADDED_ON_THE_WAY)),
    }
}

/// Bytes that a mail may have more when a filter hands it back: our own fields, the filter's, and some lines of text.
const ADDED_ON_THE_WAY: u64 = 1 << 20;

fn check_bind(written: &Written<ListenerSection>, problems: &mut Problems<'_>) {
    let Written { table, section } = written;
    if section.bind.is_empty() && !problems.blame(table, "bind") {
        problems.error(table, "bind", "the list is empty").allowed(Vec::<SocketAddr>::ALLOWED);
    }
    let on = |port| section.bind.iter().any(|address| address.port() == port);
    let message = match section.tls {
        ListenerTls::Implicit if on(25) || on(587) => {
            "clients of ports 25 and 587 do not begin with TLS; they will hang"
        }
        ListenerTls::None | ListenerTls::Optional | ListenerTls::Required if on(465) => {
            "clients of port 465 begin with TLS (RFC 8314); they will hang"
        }
        ListenerTls::Required if section.mode == Mode::Mx && on(25) => {
            "mail servers without TLS cannot reach us; a public MX must not require it (RFC 3207)"
        }
        _ => return,
    };
    problems.warning(table, "tls", message);
}

/// Nobody may become trusted by accident: the lists of peers name peers, not the internet.
fn check_trust(written: &Written<ListenerSection>, problems: &mut Problems<'_>) {
    let Written { table, section } = written;
    let lists = [
        ("networks", &section.networks, "could relay through us to anywhere"),
        ("xclient_hosts", &section.xclient_hosts, "could pass for any client and any user"),
        ("xforward_hosts", &section.xforward_hosts, "could write false clients into the log"),
        ("proxy_hosts", &section.proxy_hosts, "could pass for any client"),
    ];
    for (key, networks, consequence) in lists {
        let crowds = networks.iter().enumerate().filter(|(_, network)| is_public_crowd(network));
        for (index, network) in crowds {
            let message = format!("{network} is a good part of the internet, which {consequence}");
            problems.element_error(table, key, index, message).help("list the peers you know");
        }
    }
    if section.networks.is_empty()
        && matches!(section.mode, Mode::Filter | Mode::Lmtp)
        && !problems.blame(table, "networks")
    {
        let message =
            format!("missing; mode {:?} is for trusted peers only", section.mode.as_str());
        problems
            .error(table, "networks", message)
            .allowed(Vec::<Network>::ALLOWED)
            .help("list the peers that may connect, such as [\"127.0.0.1\"]");
    }
}

/// A network that no one person can vouch for: more than a /16 (IPv6: /32) of public addresses.
pub(super) fn is_public_crowd(network: &Network) -> bool {
    let smallest = if network.address().is_ipv4() { 16 } else { 32 };
    let holds_all_of_ipv4 = network.contains(Ipv4Addr::UNSPECIFIED.into())
        && network.contains(Ipv4Addr::BROADCAST.into());
    holds_all_of_ipv4 || network.prefix() < smallest && !is_private(network)
}

fn is_private(network: &Network) -> bool {
    let holds = |(first, prefix): &(IpAddr, u8)| {
        let private = Network::around(*first, *prefix);
        network.prefix() >= *prefix && private.is_ok_and(|p| p.contains(network.address()))
    };
    PRIVATE.iter().any(holds)
}

/// Loopback, RFC 1918, RFC 6598, and unique and link-local IPv6 addresses.
const PRIVATE: [(IpAddr, u8); 7] = [
    (IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0)), 8),
    (IpAddr::V4(Ipv4Addr::new(10, 0, 0, 0)), 8),
    (IpAddr::V4(Ipv4Addr::new(172, 16, 0, 0)), 12),
    (IpAddr::V4(Ipv4Addr::new(192, 168, 0, 0)), 16),
    (IpAddr::V4(Ipv4Addr::new(100, 64, 0, 0)), 10),
    (IpAddr::V6(Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0)), 7),
    (IpAddr::V6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0)), 10),
];

fn check_auth(written: &Written<ListenerSection>, problems: &mut Problems<'_>) {
    let Written { table, section } = written;
    let local = section.bind.iter().all(|address| address.ip().is_loopback());
    if section.auth_in_clear && !local {
        problems.warning(table, "auth_in_clear", "passwords will cross the network readable");
    }
    if section.auth_mechanisms.iter().flatten().any(|&chosen| chosen == Mechanism::CramMd5) {
        problems
            .warning(
                table,
                "auth_mechanisms",
                "CRAM-MD5 needs passwords kept so that a thief of \
                the file can log in with what it holds",
            )
            .help("leave it out as soon as the last client can do SCRAM-SHA-256");
    }
    if section.mode == Mode::Submission
        && section.tls == ListenerTls::None
        && !section.auth_in_clear
        && !problems.blame(table, "tls")
    {
        problems
            .warning(table, "tls", "nobody can log in here: AUTH is offered inside TLS only")
            .help("set tls = \"required\", or auth_in_clear = true on a network you trust");
    }
}

/// Whether the authorities of clients can be read, and clients can show a certificate at all.
fn check_client_ca(
    written: &Written<ListenerSection>,
    around: &Surroundings<'_>,
    problems: &mut Problems<'_>,
) -> Option<PathBuf> {
    let Written { table, section } = written;
    let chosen = section.auth_mechanisms.iter().flatten();
    let Some(path) = &section.client_ca_file else {
        let chosen = chosen.enumerate().find(|(_, chosen)| **chosen == Mechanism::External);
        if let Some((index, _)) = chosen
            && !problems.blame(table, "client_ca_file")
        {
            let place = table.place_of_element("auth_mechanisms", index);
            let message = "EXTERNAL is never offered here: clients are asked for no certificate";
            problems
                .warning_at(place, table.path_of("auth_mechanisms"), message)
                .help("set client_ca_file to the authorities that vouch for your clients");
        }
        return None;
    };
    check::pem(table, "client_ca_file", path, "CERTIFICATE", around, problems);
    if section.tls == ListenerTls::None && !problems.blame(table, "tls") {
        problems
            .error(table, "client_ca_file", "clients show certificates in TLS, and tls is \"none\"")
            .help("set tls = \"required\", \"implicit\" or \"optional\"");
    }
    Some(path.clone())
}

fn check_proxy(written: &Written<ListenerSection>, problems: &mut Problems<'_>) -> ProxyProtocol {
    let Written { table, section } = written;
    match (section.proxy_protocol, section.proxy_hosts.is_empty()) {
        (true, false) => return ProxyProtocol::From(section.proxy_hosts.clone()),
        (false, true) => {}
        (true, true) if problems.blame(table, "proxy_hosts") => {}
        (true, true) => {
            problems
                .error(table, "proxy_hosts", "missing; without it no proxy could connect")
                .allowed(Vec::<Network>::ALLOWED);
        }
        (false, false) => {
            problems.warning(table, "proxy_hosts", "has no effect while proxy_protocol is false");
        }
    }
    ProxyProtocol::Off
}
