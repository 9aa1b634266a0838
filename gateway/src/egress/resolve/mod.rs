//! Finding the next hop: from a destination to an ordered list of addresses.
//!
//! [`Resolver`] asks; [`mx`] decides, without asking anybody; [`next_hops`] connects the two.
//! The one rule that everything here serves: trouble with name service is never read as "does
//! not exist" (`attacks.md` G1). Mail bounces only on a definite answer.

mod dice;
pub mod dns;
pub mod mx;
mod next_hops;
mod reach;
mod replies;
pub mod table;

use std::{
    future::Future,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    pin::Pin,
};

use mailweir_mail::Domain;

pub use self::{
    mx::{Candidate, NextHops},
    next_hops::{Ourselves, Policy, next_hops},
    reach::Reach,
};

/// Asks about names. Two implementations: [`dns::DnsResolver`] and [`table::TableResolver`].
///
/// Contract:
/// - A name is asked for exactly as it is given, from the root: no search domains, no hosts file.
///   Aliases (CNAME) are followed; a chain of aliases that does not end is trouble.
/// - Every look-up ends within a bounded time, which the implementation states.
/// - The outcome is exact: see [`Answer`].
/// - An address literal is no name; asking for one yields [`Answer::NoSuchDomain`].
/// - Look-ups may run at the same time and may be dropped half-way.
pub trait Resolver: Send + Sync {
    /// The mail exchangers of a domain (RFC 5321 section 5.1), in no particular order.
    fn mx<'a>(&'a self, domain: &'a Domain) -> Lookup<'a, Mx>;

    /// The IPv4 addresses of a host.
    fn a<'a>(&'a self, host: &'a Domain) -> Lookup<'a, Ipv4Addr>;

    /// The IPv6 addresses of a host.
    fn aaaa<'a>(&'a self, host: &'a Domain) -> Lookup<'a, Ipv6Addr>;

    /// The name servers of a domain.
    fn ns<'a>(&'a self, domain: &'a Domain) -> Lookup<'a, Domain>;

    /// The texts of a name, each with its strings put together (RFC 1035 section 3.3.14); bytes
    /// that are no UTF-8 are replaced.
    fn txt<'a>(&'a self, name: &'a Domain) -> Lookup<'a, Box<str>>;

    /// The names of an address. Whoever owns the address chose them: nothing is proven until the
    /// name leads back to the address.
    fn ptr(&self, address: IpAddr) -> Lookup<'_, Domain>;
}

/// A look-up in progress.
pub type Lookup<'a, T> = Pin<Box<dyn Future<Output = Answer<T>> + Send + 'a>>;

/// What came of a look-up. Exactly one of four, since each leads somewhere else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer<T> {
    /// At least one record.
    Found(Vec<T>),
    /// The name does not exist, for any type of record (NXDOMAIN, RFC 2308 section 2.1).
    NoSuchDomain,
    /// The name exists, but has no record of this type (NODATA, RFC 2308 section 2.2).
    NoRecords,
    /// We do not know. Ask again later; never conclude anything from it.
    Temporary(Trouble),
}

impl<T> Answer<T> {
    /// The records; none unless there are some.
    #[must_use]
    pub fn records(&self) -> &[T] {
        match self {
            Self::Found(records) => records,
            Self::NoSuchDomain | Self::NoRecords | Self::Temporary(_) => &[],
        }
    }
}

/// One mail exchanger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mx {
    /// Lower is tried first.
    pub preference: u16,
    /// The host.
    pub exchange: Exchange,
}

/// The host that an MX record names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exchange {
    /// A host name.
    Host(Domain),
    /// `.`: this domain takes no mail (RFC 7505).
    Null,
    /// No host name: an IP address, or characters that host names do not have.
    Malformed(Box<str>),
}

/// Why nothing is known. Not the mail's fault and not proof of anything.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Trouble {
    /// SERVFAIL: the name server could not find out, or DNSSEC validation failed there.
    #[error("the name server failed (SERVFAIL)")]
    ServerFailure,
    /// Any other error code: REFUSED, FORMERR, NOTIMP, ...
    #[error("the name server answered {0}")]
    ErrorCode(Box<str>),
    /// No answer in time.
    #[error("no name server answered in time")]
    Timeout,
    /// The answer did not fit into a datagram and could not be had over TCP either.
    #[error("the answer was truncated")]
    Truncated,
    /// Aliases that lead to aliases without end.
    #[error("the chain of CNAME records does not end")]
    AliasLoop,
    /// A referral where an answer was due.
    #[error("the name server does not know the answer (lame delegation)")]
    Lame,
    /// Anything else between us and the name server.
    #[error("{0}")]
    Network(Box<str>),
}
