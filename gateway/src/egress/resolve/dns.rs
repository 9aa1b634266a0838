//! The resolver that asks name servers, over UDP and TCP, with a bounded cache.
//!
//! The questions are carried by `hickory-resolver`; this file chooses its settings and reads its
//! outcomes strictly. Two of them need a second look: a referral is no answer, and an endless
//! chain of aliases looks like "no records" (`attacks.md` G1, G6). No search domains and no hosts
//! file: what a mail's next hop is must not depend on them.

use std::{
    collections::HashSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use hickory_resolver::{
    TokioResolver,
    config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts},
    net::{DnsError, NetError, NoRecords, runtime::TokioRuntimeProvider},
    proto::{
        op::ResponseCode,
        rr::{Name, RData, Record, RecordType},
    },
    system_conf::read_system_conf,
};
use mailweir_mail::Domain;

use super::{Answer, Exchange, Lookup, Mx, Resolver, Trouble};

/// Asks name servers. See [`Resolver`] for the contract.
///
/// A look-up ends within `2 * timeout * attempts` of its [`Settings`].
pub struct DnsResolver {
    resolver: TokioResolver,
    limit: Duration,
}

/// Whom to ask, and how patiently.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whom to ask.
    pub name_servers: NameServers,
    /// How long one attempt waits for an answer.
    pub timeout: Duration,
    /// How often a question is put before it counts as unanswered; at least once.
    pub attempts: usize,
    /// How many answers are remembered. One answer has up to 64 KiB on the wire.
    pub cache_size: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            name_servers: NameServers::System,
            timeout: Duration::from_secs(5),
            attempts: 2,
            cache_size: CACHED_NAMES,
        }
    }
}

/// Whom to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameServers {
    /// Those of `/etc/resolv.conf`.
    System,
    /// These, by UDP, and by TCP where an answer is too long.
    Listed(Vec<SocketAddr>),
}

/// Why no resolver could be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DnsSetupError {
    /// The configuration lists no name server.
    #[error("the list of name servers is empty; name one, or leave the list out")]
    NoNameServers,
    /// The system's configuration cannot be used.
    #[error("/etc/resolv.conf cannot be used; list name servers in the configuration")]
    System(#[source] NetError),
    /// The library refused the settings.
    #[error("the resolver could not be set up")]
    Library(#[source] NetError),
}

impl DnsResolver {
    /// A resolver with an empty cache. Opens no connection yet.
    ///
    /// # Errors
    /// If no name server is known.
    pub fn new(settings: &Settings) -> Result<Self, DnsSetupError> {
        let servers = match &settings.name_servers {
            NameServers::System => {
                read_system_conf().map_err(DnsSetupError::System)?.0.name_servers
            }
            NameServers::Listed(addresses) => addresses.iter().copied().map(server).collect(),
        };
        if servers.is_empty() {
            return Err(DnsSetupError::NoNameServers);
        }
        let config = ResolverConfig::from_name_servers(servers);
        let resolver = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
            .with_options(options(settings))
            .build()
            .map_err(DnsSetupError::Library)?;
        let attempts = u32::try_from(settings.attempts.max(1)).unwrap_or(u32::MAX);
        Ok(Self { resolver, limit: settings.timeout.saturating_mul(attempts).saturating_mul(2) })
    }

    async fn ask_domain<T>(&self, domain: &Domain, kind: RecordType, read: Read<T>) -> Answer<T> {
        match absolute(domain) {
            Some(name) => self.ask(name, kind, read).await,
            None => Answer::NoSuchDomain,
        }
    }

    async fn ask<T>(&self, name: Name, kind: RecordType, read: Read<T>) -> Answer<T> {
        let answer = tokio::time::timeout(self.limit, self.ask_patiently(name, kind, read)).await;
        answer.unwrap_or(Answer::Temporary(Trouble::Timeout))
    }

    async fn ask_patiently<T>(&self, name: Name, kind: RecordType, read: Read<T>) -> Answer<T> {
        match self.resolver.lookup(name.clone(), kind).await {
            Ok(lookup) => found(&name, lookup.answers(), read),
            Err(NetError::Dns(DnsError::NoRecordsFound(none))) => self.nothing(name, &none).await,
            Err(error) => Answer::Temporary(trouble(&error)),
        }
    }

    /// What an answer without records means.
    async fn nothing<T>(&self, name: Name, none: &NoRecords) -> Answer<T> {
        match none.response_code {
            ResponseCode::NXDomain => Answer::NoSuchDomain,
            ResponseCode::NoError if none.soa.is_none() && none.ns.is_some() => {
                Answer::Temporary(Trouble::Lame)
            }
            ResponseCode::NoError if none.authorities.is_some() => Answer::NoRecords,
            ResponseCode::NoError => self.end_of_aliases(name).await,
            code => Answer::Temporary(error_code(code)),
        }
    }

    /// Follows the aliases of a name to tell an end without records from no end at all, which the
    /// library reports alike.
    async fn end_of_aliases<T>(&self, mut name: Name) -> Answer<T> {
        let mut seen = HashSet::new();
        while seen.len() < MAX_ALIASES {
            let target = match self.resolver.lookup(name.clone(), RecordType::CNAME).await {
                Ok(lookup) => alias(&name, lookup.answers()),
                Err(NetError::Dns(DnsError::NoRecordsFound(_))) => None,
                Err(error) => return Answer::Temporary(trouble(&error)),
            };
            let Some(target) = target else { return Answer::NoRecords };
            if !seen.insert(std::mem::replace(&mut name, target)) {
                break;
            }
        }
        Answer::Temporary(Trouble::AliasLoop)
    }
}

impl Resolver for DnsResolver {
    fn mx<'a>(&'a self, domain: &'a Domain) -> Lookup<'a, Mx> {
        Box::pin(self.ask_domain(domain, RecordType::MX, |data| match data {
            RData::MX(mx) => {
                Some(Mx { preference: mx.preference, exchange: exchange(&mx.exchange) })
            }
            _ => None,
        }))
    }

    fn a<'a>(&'a self, host: &'a Domain) -> Lookup<'a, Ipv4Addr> {
        Box::pin(self.ask_domain(host, RecordType::A, |data| match data {
            RData::A(address) => Some(address.0),
            _ => None,
        }))
    }

    fn aaaa<'a>(&'a self, host: &'a Domain) -> Lookup<'a, Ipv6Addr> {
        Box::pin(self.ask_domain(host, RecordType::AAAA, |data| match data {
            RData::AAAA(address) => Some(address.0),
            _ => None,
        }))
    }

    fn ns<'a>(&'a self, domain: &'a Domain) -> Lookup<'a, Domain> {
        Box::pin(self.ask_domain(domain, RecordType::NS, |data| match data {
            RData::NS(name) => Domain::parse(&name.0.to_ascii()).ok(),
            _ => None,
        }))
    }

    fn txt<'a>(&'a self, name: &'a Domain) -> Lookup<'a, Box<str>> {
        Box::pin(self.ask_domain(name, RecordType::TXT, |data| match data {
            RData::TXT(text) => Some(joined(&text.txt_data)),
            _ => None,
        }))
    }

    fn ptr(&self, address: IpAddr) -> Lookup<'_, Domain> {
        Box::pin(self.ask(Name::from(address.to_canonical()), RecordType::PTR, |data| match data {
            RData::PTR(name) => Domain::parse(&name.0.to_ascii()).ok(),
            _ => None,
        }))
    }
}

/// Takes what is wanted out of a record.
type Read<T> = fn(&RData) -> Option<T>;

/// The wanted records of a name and of what it is an alias of. Anything else that came along is
/// somebody's attempt to be believed.
fn found<T>(name: &Name, answers: &[Record], read: Read<T>) -> Answer<T> {
    let mut names = HashSet::from([name.clone()]);
    let mut last = name.clone();
    while let Some(target) = alias(&last, answers) {
        if !names.insert(target.clone()) {
            break;
        }
        last = target;
    }
    let wanted = answers.iter().filter(|record| names.contains(&record.name));
    let records: Vec<T> = wanted.filter_map(|record| read(&record.data)).collect();
    if records.is_empty() {
        return Answer::Temporary(Trouble::Network("the answer is about something else".into()));
    }
    Answer::Found(records)
}

/// The name that `name` is an alias of, according to these records.
fn alias(name: &Name, answers: &[Record]) -> Option<Name> {
    answers.iter().filter(|record| record.name == *name).find_map(|record| match &record.data {
        RData::CNAME(target) => Some(target.0.clone()),
        _ => None,
    })
}

fn joined(strings: &[Box<[u8]>]) -> Box<str> {
    String::from_utf8_lossy(&strings.concat()).into()
}

fn exchange(name: &Name) -> Exchange {
    if name.is_root() {
        return Exchange::Null;
    }
    let text = name.to_ascii();
    match Domain::parse(&text) {
        Ok(host) => Exchange::Host(host),
        Err(_) => Exchange::Malformed(text.into()),
    }
}

/// The domain as an absolute name; `None` for what no name server can know.
fn absolute(domain: &Domain) -> Option<Name> {
    if domain.literal().is_some() {
        return None;
    }
    let labels = domain.as_ascii().split('.').map(str::as_bytes);
    let mut name = Name::from_labels(labels).ok()?;
    name.set_fqdn(true);
    Some(name)
}

fn trouble(error: &NetError) -> Trouble {
    match error {
        NetError::Timeout => Trouble::Timeout,
        NetError::Truncated => Trouble::Truncated,
        NetError::Dns(DnsError::ResponseCode(code)) => error_code(*code),
        other => Trouble::Network(other.to_string().into()),
    }
}

fn error_code(code: ResponseCode) -> Trouble {
    match code {
        ResponseCode::ServFail => Trouble::ServerFailure,
        other => Trouble::ErrorCode(other.to_string().into()),
    }
}

fn server(address: SocketAddr) -> NameServerConfig {
    let at_port = |mut connection: ConnectionConfig| {
        connection.port = address.port();
        connection
    };
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(at_port).into();
    NameServerConfig::new(address.ip(), true, connections)
}

fn options(settings: &Settings) -> ResolverOpts {
    let mut options = ResolverOpts::default();
    options.timeout = settings.timeout;
    // The library counts what comes after the first attempt.
    options.attempts = settings.attempts.saturating_sub(1);
    options.cache_size = settings.cache_size;
    options.use_hosts_file = ResolveHosts::Never;
    options.positive_min_ttl = Some(MIN_TTL);
    options.positive_max_ttl = Some(MAX_TTL);
    options.negative_max_ttl = Some(MAX_NEGATIVE_TTL);
    // Needed to see which records belong to the name that was asked for.
    options.preserve_intermediates = true;
    options
}

/// Some 30 names are asked for about one mail of a stranger whose links and addresses are looked up in lists, and most of them are
/// asked for again by the next mail of its sender.
const CACHED_NAMES: u64 = 16_384;

/// A TTL of 0 would ask anew for each of a thousand recipients.
const MIN_TTL: Duration = Duration::from_secs(5);

/// Nothing is believed longer than a day, whatever its TTL claims.
const MAX_TTL: Duration = Duration::from_secs(86_400);

/// A domain that did not exist may have been created since.
const MAX_NEGATIVE_TTL: Duration = Duration::from_secs(300);

/// How many aliases in a row are followed. RFC 1034 section 3.6.2 asks for none.
const MAX_ALIASES: usize = 8;
