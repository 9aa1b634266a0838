//! What single mechanisms ask name servers, and how much they may (RFC 7208 sections 4.6.4 and 5).
//!
//! A name that cannot be asked for, such as one with an empty label, has no records: nothing matches it, and nothing
//! is asked (section 4.3; the suite of openspf.org leaves it open).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{
    cause::{Cause, Flaw},
    evaluate::{Evaluation, Open, Step, Stop},
    expand::Values,
    macros::{Letter, MacroString},
    record::{Mechanism, Prefix, Record, shown},
    reverse::is_within,
};
use crate::dns::{Answer, Dns, is_name};

/// Whether a name has an address of the client's network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Held {
    Matches,
    MatchesNot,
    /// There is no address at all.
    Void,
}

impl<D: Dns> Evaluation<'_, D> {
    /// Whether a mechanism in the record of a domain matches.
    pub(super) async fn look_at(
        &mut self,
        mechanism: &Mechanism,
        domain: &str,
    ) -> Result<Step, Stop> {
        let is_match = match (mechanism, self.subject.client) {
            (Mechanism::All, _) => true,
            (Mechanism::Ip4(network, prefix), IpAddr::V4(client)) => {
                share4(client, *network, *prefix)
            }
            (Mechanism::Ip6(network, prefix), IpAddr::V6(client)) => {
                share6(client, *network, *prefix)
            }
            (Mechanism::Ip4(..) | Mechanism::Ip6(..), _) => false,
            (Mechanism::A { target, prefix }, _) => {
                self.a(target.as_ref(), *prefix, domain).await?
            }
            (Mechanism::Mx { target, prefix }, _) => {
                self.mx(target.as_ref(), *prefix, domain).await?
            }
            (Mechanism::Exists(target), _) => self.exists(target, domain).await?,
            (Mechanism::Ptr(target), _) => self.ptr(target.as_ref(), domain).await?,
            (Mechanism::Include(target), _) => {
                return self.other_record(target, domain).await.map(Step::Include);
            }
        };
        Ok(if is_match { Step::Matches } else { Step::MatchesNot })
    }

    /// The record that an `include` or a `redirect` in the record of a domain leads to.
    pub(super) async fn other_record(
        &mut self,
        target: &MacroString,
        domain: &str,
    ) -> Result<Open, Stop> {
        self.count_lookup(domain)?;
        let name = self.name(target, domain).await?;
        let record = if is_asked_for(&name) { self.record_of(&name).await? } else { None };
        match record {
            Some(record) => Ok(Open::new(&name, record)),
            None => Err(wrong(domain, Flaw::NoRecord(shown(&name)))),
        }
    }

    /// The one record of a domain, if it has one.
    pub(super) async fn record_of(&mut self, domain: &str) -> Result<Option<Record>, Stop> {
        let texts = match self.dns.txt(domain).await {
            Answer::Found(texts) => texts,
            Answer::NoSuchName | Answer::NoRecords => return Ok(None),
            Answer::Unclear => return Err(unclear(domain)),
            Answer::NotAsked => return Err(wrong(domain, Flaw::TooMuchAsked)),
        };
        let mut records = texts.iter().filter(|text| Record::is_meant(text));
        let Some(record) = records.next() else {
            return Ok(None);
        };
        if records.next().is_some() {
            return Err(wrong(domain, Flaw::TwoRecords));
        }
        if record.len() > MOST_RECORD {
            return Err(wrong(domain, Flaw::TooLong));
        }
        let read = Record::parse(record);
        read.map(Some).map_err(|(term, error)| wrong(domain, Flaw::Term { term, error }))
    }

    /// The name that a macro string in the record of a domain comes to.
    pub(super) async fn name(&mut self, of: &MacroString, domain: &str) -> Result<String, Stop> {
        let validated = self.validated(of, domain).await;
        Ok(of.name(&self.values(domain, &validated)))
    }

    /// What `%{p}` stands for, if it is there; `unknown` if no name leads back, or nobody knows (RFC 7208 section 7.3).
    pub(super) async fn validated(&mut self, of: &MacroString, domain: &str) -> Box<str> {
        if !of.has(Letter::ValidatedName) {
            return UNKNOWN.into();
        }
        let name = self.reverse.name_for(domain, self.subject.client, self.dns).await;
        name.unwrap_or_else(|| UNKNOWN.into())
    }

    pub(super) fn values<'v>(&'v self, domain: &'v str, validated: &'v str) -> Values<'v> {
        Values { subject: self.subject, domain, validated }
    }

    async fn a(
        &mut self,
        target: Option<&MacroString>,
        prefix: Prefix,
        domain: &str,
    ) -> Result<bool, Stop> {
        let Some(name) = self.asked_for(target, domain).await? else { return Ok(false) };
        match self.addresses(&name, prefix).await? {
            Held::Matches => Ok(true),
            Held::MatchesNot => Ok(false),
            Held::Void => self.count_void(domain),
        }
    }

    /// The exchangers are tried in turn, so the first that matches ends it. However many of them have no address,
    /// that is one void look-up, since terms are counted.
    async fn mx(
        &mut self,
        target: Option<&MacroString>,
        prefix: Prefix,
        domain: &str,
    ) -> Result<bool, Stop> {
        let Some(name) = self.asked_for(target, domain).await? else { return Ok(false) };
        let hosts = match self.dns.mx(&name).await {
            Answer::Found(hosts) => hosts,
            Answer::NoSuchName | Answer::NoRecords => return self.count_void(domain),
            Answer::Unclear => return Err(unclear(&name)),
            Answer::NotAsked => return Err(wrong(domain, Flaw::TooMuchAsked)),
        };
        if hosts.len() > MOST_MX {
            return Err(wrong(domain, Flaw::TooManyMx));
        }
        let mut is_void = false;
        for host in hosts.iter().filter(|host| is_asked_for(host)) {
            match self.addresses(host, prefix).await? {
                Held::Matches => return Ok(true),
                Held::MatchesNot => {}
                Held::Void => is_void = true,
            }
        }
        if is_void { self.count_void(domain) } else { Ok(false) }
    }

    /// Asks for IPv4 addresses, whatever the client has (RFC 7208 section 5.7).
    async fn exists(&mut self, target: &MacroString, domain: &str) -> Result<bool, Stop> {
        let Some(name) = self.asked_for(Some(target), domain).await? else { return Ok(false) };
        match self.dns.a(&name).await {
            Answer::Found(_) => Ok(true),
            Answer::NoSuchName | Answer::NoRecords => self.count_void(domain),
            Answer::Unclear => Err(unclear(&name)),
            Answer::NotAsked => Err(wrong(domain, Flaw::TooMuchAsked)),
        }
    }

    async fn ptr(&mut self, target: Option<&MacroString>, domain: &str) -> Result<bool, Stop> {
        self.count_lookup(domain)?;
        let target = self.target(target, domain).await?;
        let is_wished = |name: &str| is_within(name, &target);
        let proven = self.reverse.find(self.subject.client, is_wished, self.dns).await;
        Ok(proven.is_some())
    }

    /// Counts a term that asks: what it asks for. None if that cannot be asked for.
    async fn asked_for(
        &mut self,
        target: Option<&MacroString>,
        domain: &str,
    ) -> Result<Option<String>, Stop> {
        self.count_lookup(domain)?;
        let name = self.target(target, domain).await?;
        Ok(Some(name).filter(|name| is_asked_for(name)))
    }

    async fn target(&mut self, target: Option<&MacroString>, domain: &str) -> Result<String, Stop> {
        match target {
            Some(target) => self.name(target, domain).await,
            None => Ok(domain.to_owned()),
        }
    }

    /// Of the client's family only (RFC 7208 section 5).
    async fn addresses(&self, name: &str, prefix: Prefix) -> Result<Held, Stop> {
        match self.subject.client {
            IpAddr::V4(client) => {
                held(&self.dns.a(name).await, name, |of| share4(client, *of, prefix.ip4))
            }
            IpAddr::V6(client) => {
                held(&self.dns.aaaa(name).await, name, |of| share6(client, *of, prefix.ip6))
            }
        }
    }

    fn count_lookup(&mut self, domain: &str) -> Result<(), Stop> {
        let less = self.left.lookups.checked_sub(1);
        self.left.lookups = less.ok_or_else(|| wrong(domain, Flaw::TooManyLookups))?;
        Ok(())
    }

    /// A term that asked for what does not exist. It does not match.
    fn count_void(&mut self, domain: &str) -> Result<bool, Stop> {
        let less = self.left.void_lookups.checked_sub(1);
        self.left.void_lookups = less.ok_or_else(|| wrong(domain, Flaw::TooManyVoidLookups))?;
        Ok(false)
    }
}

fn held<T>(answer: &Answer<T>, name: &str, is_match: impl Fn(&T) -> bool) -> Result<Held, Stop> {
    match answer {
        Answer::Found(addresses) if addresses.iter().any(is_match) => Ok(Held::Matches),
        Answer::Found(_) => Ok(Held::MatchesNot),
        Answer::NoSuchName | Answer::NoRecords => Ok(Held::Void),
        Answer::Unclear => Err(unclear(name)),
        Answer::NotAsked => Err(wrong(name, Flaw::TooMuchAsked)),
    }
}

/// Whether name servers can be asked for a name. `%_` and local parts bring spaces into names, which DNS allows.
pub(super) fn is_asked_for(name: &str) -> bool {
    is_name(&name.replace(' ', "_"))
}

fn share4(one: Ipv4Addr, other: Ipv4Addr, prefix: u8) -> bool {
    let behind = Ipv4Addr::BITS.saturating_sub(prefix.into());
    (one.to_bits() ^ other.to_bits()).checked_shr(behind).unwrap_or(0) == 0
}

fn share6(one: Ipv6Addr, other: Ipv6Addr, prefix: u8) -> bool {
    let behind = Ipv6Addr::BITS.saturating_sub(prefix.into());
    (one.to_bits() ^ other.to_bits()).checked_shr(behind).unwrap_or(0) == 0
}

fn unclear(name: &str) -> Stop {
    Stop::Unclear(Cause::unclear(name))
}

fn wrong(domain: &str, flaw: Flaw) -> Stop {
    Stop::Wrong(Cause::wrong(domain, flaw))
}

const UNKNOWN: &str = "unknown";

/// RFC 7208 section 4.6.4.
const MOST_MX: usize = 10;

/// Bytes of a record or an explanation. Answers of 512 bytes are what RFC 7208 section 3.4 hopes for; a record of many
/// networks has a few thousand.
pub(super) const MOST_RECORD: usize = 16 * 1024;
