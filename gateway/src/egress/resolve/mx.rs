//! From answers to candidates: which hosts are tried, in which order (RFC 5321 section 5.1).
//!
//! Pure: answers and a random seed go in. [`exchangers`] turns the MX answer into hosts to look
//! up, [`candidates`] their addresses into the order of attempts. Hosts of equal preference are
//! shuffled, the two address families alternate within a preference, and nothing here is as long
//! as the owner of a domain would like to make it (`attacks.md` D5, D10, D11, G1, K3).

use std::{
    collections::HashSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use mailweir_mail::{Domain, Reply};

use super::{Answer, Exchange, Mx, Policy, Trouble, dice::Dice, replies};

/// Where mail for a destination goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NextHops {
    /// Try these, in this order. Never empty, at most [`MAX_ADDRESSES`].
    Hosts(Vec<Candidate>),
    /// Never: bounce with this reply (5yz).
    Fail {
        /// Our own words.
        reply: Reply,
    },
    /// Not now: try again with this reply as the reason (4yz).
    Defer {
        /// Our own words.
        reply: Reply,
    },
}

/// One address to try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The host name; the address itself if no name was looked up.
    pub name: Box<str>,
    /// The address.
    pub address: IpAddr,
    /// The preference of its MX record; 0 without one.
    pub preference: u16,
}

/// What an MX answer leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exchangers {
    /// Look these hosts up.
    LookUp(Search),
    /// No look-up can change this.
    Settled(NextHops),
}

/// The hosts to look up for a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    /// In the order of attempts. Never empty, at most [`MAX_HOSTS`].
    pub hosts: Vec<Host>,
    /// The preference at which the domain lists us, who are then a backup for better hosts.
    pub own_preference: Option<u16>,
}

/// A mail exchanger whose addresses are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Its name.
    pub name: Domain,
    /// Lower is tried first.
    pub preference: u16,
}

/// A host and what the look-ups of its addresses came to.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The host.
    pub host: Host,
    /// Its IPv4 addresses.
    pub a: Answer<Ipv4Addr>,
    /// Its IPv6 addresses.
    pub aaaa: Answer<Ipv6Addr>,
}

/// The hosts that an MX answer names, best first, equals shuffled.
///
/// Only a definite "no such record" makes the domain its own mail exchanger. If the answer lists
/// us, hosts that are not better than we are go: they would send the mail back to us.
#[must_use]
pub fn exchangers(domain: &Domain, answer: &Answer<Mx>, policy: &Policy, seed: u64) -> Exchangers {
    let hosts = match answer {
        Answer::Found(records) => match named_hosts(domain, records) {
            Ok(hosts) => hosts,
            Err(settled) => return Exchangers::Settled(settled),
        },
        Answer::NoRecords => vec![Host { name: domain.clone(), preference: 0 }],
        Answer::NoSuchDomain => return Exchangers::Settled(replies::not_found(domain, "MX")),
        Answer::Temporary(trouble) => {
            return Exchangers::Settled(replies::try_again(domain, "MX", trouble));
        }
    };
    let own_preference = lowest(hosts.iter().filter(|host| policy.is_our_name(&host.name)));
    let hosts = in_order(better_than(own_preference, hosts), seed);
    if hosts.is_empty() {
        return Exchangers::Settled(replies::loops_back(domain));
    }
    Exchangers::LookUp(Search { hosts, own_preference })
}

/// The addresses to try for the hosts that [`exchangers`] named.
///
/// `resolved` keeps the order of `Search::hosts`. A host whose look-up failed is passed over as
/// long as another one has an address; if none has, trouble with one of them defers.
#[must_use]
pub fn candidates(
    domain: &Domain,
    own_preference: Option<u16>,
    resolved: &[Resolved],
    policy: &Policy,
    seed: u64,
) -> NextHops {
    let mut dice = Dice::new(seed);
    let mut found: Vec<Candidate> = resolved
        .chunk_by(|one, next| one.host.preference == next.host.preference)
        .flat_map(|equals| alternating(equals, &mut dice))
        .collect();
    let ours = found.iter().filter(|candidate| policy.is_our_address(candidate.address));
    let own_preference = ours.map(|c| c.preference).chain(own_preference).min();
    if let Some(own) = own_preference {
        found.retain(|candidate| candidate.preference < own);
        if found.is_empty() {
            return without_better(domain, own, resolved);
        }
    }
    let stray = found.first().map(|candidate| candidate.address);
    found.retain(|candidate| policy.reach.allows(candidate.address));
    if found.is_empty() {
        return nothing_found(domain, resolved, stray);
    }
    NextHops::Hosts(bounded(found))
}

/// The candidate for an address literal, `user@[192.0.2.1]` (RFC 5321 section 4.1.3).
#[must_use]
pub fn literal(domain: &Domain, address: IpAddr, policy: &Policy) -> NextHops {
    if policy.is_our_address(address) {
        return replies::loops_back(domain);
    }
    if !policy.reach.allows(address) {
        return replies::out_of_reach(domain, address);
    }
    written(address)
}

/// The candidates for a host that the administrator wrote into a route: wherever it is, even
/// here.
#[must_use]
pub fn fixed(resolved: &Resolved, seed: u64) -> NextHops {
    let found = alternating(std::slice::from_ref(resolved), &mut Dice::new(seed));
    if found.is_empty() {
        return nothing_found(&resolved.host.name, std::slice::from_ref(resolved), None);
    }
    NextHops::Hosts(bounded(found))
}

/// The candidate for an address that the administrator wrote into a route.
#[must_use]
pub fn written(address: IpAddr) -> NextHops {
    let name = address.to_string().into();
    NextHops::Hosts(vec![Candidate { name, address, preference: 0 }])
}

/// The hosts of an MX answer in no order, each once.
fn named_hosts(domain: &Domain, records: &[Mx]) -> Result<Vec<Host>, NextHops> {
    let mut hosts = Vec::new();
    let mut malformed = None;
    for Mx { preference, exchange } in records {
        match exchange {
            Exchange::Host(name) if !is_numeric(name) => {
                hosts.push(Host { name: name.clone(), preference: *preference });
            }
            Exchange::Host(name) => malformed = Some(name.as_str()),
            Exchange::Malformed(text) => malformed = Some(text),
            Exchange::Null => {}
        }
    }
    match malformed {
        _ if !hosts.is_empty() => Ok(hosts),
        Some(example) => Err(replies::malformed(domain, example)),
        None => Err(replies::null_mx(domain)),
    }
}

/// `10 192.0.2.1` is a common mistake in MX records. No top-level domain is a number.
fn is_numeric(name: &Domain) -> bool {
    let last = name.as_ascii().rsplit('.').next().unwrap_or_default();
    name.literal().is_some() || last.bytes().all(|byte| byte.is_ascii_digit())
}

fn lowest<'a>(hosts: impl Iterator<Item = &'a Host>) -> Option<u16> {
    hosts.map(|host| host.preference).min()
}

fn better_than(own: Option<u16>, mut hosts: Vec<Host>) -> Vec<Host> {
    if let Some(own) = own {
        hosts.retain(|host| host.preference < own);
    }
    hosts
}

/// Best first, equals shuffled, each name once at its best preference, no more than a few.
fn in_order(mut hosts: Vec<Host>, seed: u64) -> Vec<Host> {
    Dice::new(seed).shuffle(&mut hosts);
    hosts.sort_by_key(|host| host.preference);
    let mut seen = HashSet::new();
    hosts.retain(|host| seen.insert(host.name.clone()));
    hosts.truncate(MAX_HOSTS);
    hosts
}

/// The addresses of hosts of equal preference. The families take turns, so that a network whose
/// IPv6 (or IPv4) is dead costs one failed attempt before each good one, not all of them first.
fn alternating(equals: &[Resolved], dice: &mut Dice) -> Vec<Candidate> {
    let v4 = addresses(equals, |resolved| resolved.a.records(), dice);
    let v6 = addresses(equals, |resolved| resolved.aaaa.records(), dice);
    let (first, second) = if dice.coin() { (v4, v6) } else { (v6, v4) };
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut turns = Vec::with_capacity(first.len() + second.len());
    while first.len() + second.len() > 0 {
        turns.extend(first.next());
        turns.extend(second.next());
    }
    turns
}

fn addresses<T: Copy + Into<IpAddr>>(
    equals: &[Resolved],
    records: impl Fn(&Resolved) -> &[T],
    dice: &mut Dice,
) -> Vec<Candidate> {
    let mut all = Vec::new();
    for resolved in equals {
        let Host { name, preference } = &resolved.host;
        let mut own: Vec<Candidate> = records(resolved)
            .iter()
            .map(|&address| Candidate {
                name: name.as_ascii().into(),
                address: address.into(),
                preference: *preference,
            })
            .collect();
        dice.shuffle(&mut own);
        all.append(&mut own);
    }
    all
}

/// Each address once, and no more than a delivery could ever try.
fn bounded(mut found: Vec<Candidate>) -> Vec<Candidate> {
    let mut seen = HashSet::new();
    found.retain(|candidate| seen.insert(candidate.address));
    found.truncate(MAX_ADDRESSES);
    found
}

/// We are listed, and no better host has an address: either there is none, or it cannot be found.
fn without_better(domain: &Domain, own: u16, resolved: &[Resolved]) -> NextHops {
    match lowest(resolved.iter().map(|resolved| &resolved.host)) {
        Some(best) if best < own => replies::no_primary(domain),
        _ => replies::loops_back(domain),
    }
}

/// Why there is no address to try; `stray` is one that mail must not go to. Trouble with any host
/// outweighs definite answers about the others.
fn nothing_found(domain: &Domain, resolved: &[Resolved], stray: Option<IpAddr>) -> NextHops {
    if let Some((name, kind, trouble)) = resolved.iter().find_map(trouble) {
        return replies::try_again(name, kind, trouble);
    }
    if let Some(address) = stray {
        return replies::out_of_reach(domain, address);
    }
    if let Some(bare) = resolved.iter().find(|host| !matches!(host.a, Answer::NoSuchDomain)) {
        return replies::no_data(&bare.host.name, "AAAA");
    }
    replies::not_found(resolved.first().map_or(domain, |missing| &missing.host.name), "A")
}

fn trouble(resolved: &Resolved) -> Option<(&Domain, &'static str, &Trouble)> {
    match (&resolved.a, &resolved.aaaa) {
        (Answer::Temporary(trouble), _) => Some((&resolved.host.name, "A", trouble)),
        (_, Answer::Temporary(trouble)) => Some((&resolved.host.name, "AAAA", trouble)),
        _ => None,
    }
}

/// How many mail exchangers of one domain are looked up.
pub const MAX_HOSTS: usize = 20;

/// How many addresses of one domain are kept.
pub const MAX_ADDRESSES: usize = 100;

#[cfg(test)]
mod tests;
