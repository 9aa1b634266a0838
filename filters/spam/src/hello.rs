//! What a client calls itself in HELO or EHLO, and whether that can be true.
//!
//! RFC 5321 section 4.1.1.1 asks for a name that leads to the client, or for its address in brackets where it has no
//! name, and section 4.1.4 forbids to refuse mail because the name does not fit. So this is evidence, and nothing else.
//! What the reverse name of a client looks like is in [`crate::iprev::Look`].

use std::net::IpAddr;

use mailweir_mail::Domain;

use crate::{
    dns::{Answer, Dns, is_name},
    links::OwnDomains,
};

/// Who calls itself what.
#[derive(Clone, Copy, Debug)]
pub struct Hello<'a> {
    /// The client's address.
    pub client: IpAddr,
    /// What it said; empty if that is not known, as it may be of a client that a relay names.
    pub said: &'a str,
    /// The name that leads back to the client, if there is one ([`Iprev::name`](crate::iprev::Iprev::name)): it needs no
    /// look-up.
    pub proven: Option<&'a str>,
}

/// What we are called.
#[derive(Clone, Copy, Debug)]
pub struct Ourselves<'a> {
    /// The name that we greet with.
    pub name: &'a str,
    /// The address that the client is connected to, if it is known.
    pub address: Option<IpAddr>,
    /// The domains that are ours: nobody else has names in them.
    pub domains: &'a OwnDomains,
}

/// What a name in HELO comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Helo {
    /// It leads to the client.
    Fits,
    /// It is a name, and does not lead to the client.
    Other,
    /// There is no such name: it has neither address nor mail exchanger.
    Unknown,
    /// Nobody knows, or nothing was said.
    Unclear,
    /// It is an address in brackets.
    Address,
    /// It is neither a name with a dot nor an address in brackets.
    NotAName,
    /// It is our name or address, or in a domain of ours, and does not lead to the client.
    OurName,
}

impl Helo {
    /// Finds out. At most three look-ups, and none for what is no name or is proven.
    pub async fn check(hello: &Hello<'_>, ours: &Ourselves<'_>, dns: &impl Dns) -> Self {
        let said = hello.said.trim();
        if said.is_empty() {
            return Self::Unclear;
        }
        if let Some(address) = bracketed(said) {
            let is_ours = ours.address.is_some_and(|ours| ours.to_canonical() == address);
            let is_own = hello.client.to_canonical() == address;
            return if is_ours && !is_own { Self::OurName } else { Self::Address };
        }
        let Some(name) = name(said) else { return Self::NotAName };
        let name = name.as_ascii();
        if hello.proven.is_some_and(|proven| proven.eq_ignore_ascii_case(name)) {
            return Self::Fits;
        }
        if ours.name.eq_ignore_ascii_case(name) {
            return Self::OurName;
        }
        match look_up(name, hello.client.to_canonical(), dns).await {
            Self::Other | Self::Unknown if ours.domains.has(name) => Self::OurName,
            found => found,
        }
    }
}

/// The address in brackets. Some leave out the tag of IPv6 (RFC 5321 section 4.1.3), which says no less.
fn bracketed(said: &str) -> Option<IpAddr> {
    let inner = said.strip_prefix('[')?.strip_suffix(']')?;
    let literal = || Domain::parse(said).ok()?.literal();
    inner.parse().ok().or_else(literal).map(|address| address.to_canonical())
}

/// A name of two labels or more whose last one is not a number, as that of an address is (RFC 3696 section 2).
fn name(said: &str) -> Option<Domain> {
    let domain = Domain::parse(said).ok()?;
    let (_, top) = domain.as_ascii().rsplit_once('.')?;
    let is_number = top.bytes().all(|byte| byte.is_ascii_digit());
    (!is_number && is_name(domain.as_ascii())).then_some(domain)
}

/// The client's own family first, which is all that most names need.
async fn look_up(name: &str, client: IpAddr, dns: &impl Dns) -> Helo {
    let own = match client {
        IpAddr::V4(client) => led(&dns.a(name).await, |found| found.contains(&client)),
        IpAddr::V6(client) => led(&dns.aaaa(name).await, |found| found.contains(&client)),
    };
    let other = match (own, client) {
        (Led::Nowhere, IpAddr::V4(_)) => led(&dns.aaaa(name).await, |_| false),
        (Led::Nowhere, IpAddr::V6(_)) => led(&dns.a(name).await, |_| false),
        (found, _) => found,
    };
    let found = match other {
        // A name that only takes mail is one all the same (Postfix reject_unknown_helo_hostname).
        Led::Nowhere => led(&dns.mx(name).await, |_| false),
        found => found,
    };
    match found {
        Led::ToClient => Helo::Fits,
        Led::Elsewhere => Helo::Other,
        Led::Nowhere | Led::NoSuchName => Helo::Unknown,
        Led::Unclear => Helo::Unclear,
    }
}

/// Where one type of record leads.
enum Led {
    ToClient,
    Elsewhere,
    /// There is no such record; there may be others.
    Nowhere,
    NoSuchName,
    Unclear,
}

fn led<T>(answer: &Answer<T>, is_client: impl Fn(&[T]) -> bool) -> Led {
    match answer {
        Answer::Found(found) if is_client(found) => Led::ToClient,
        Answer::Found(_) => Led::Elsewhere,
        Answer::NoRecords => Led::Nowhere,
        Answer::NoSuchName => Led::NoSuchName,
        Answer::Unclear | Answer::NotAsked => Led::Unclear,
    }
}

#[cfg(test)]
mod tests;
