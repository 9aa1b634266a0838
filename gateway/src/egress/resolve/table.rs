//! A resolver that reads its answers from a table: for tests, and for places without DNS.
//!
//! What the table does not list does not exist. Nothing here waits.

use std::{
    collections::HashMap,
    future::ready,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use mailweir_mail::Domain;

use super::{Answer, Lookup, Mx, Resolver, Trouble};

/// Answers by name. See [`Resolver`] for the contract.
#[derive(Clone, Debug, Default)]
pub struct TableResolver {
    names: HashMap<Domain, Entry>,
    addresses: HashMap<IpAddr, Vec<Domain>>,
}

impl TableResolver {
    /// A table in which nothing exists.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a mail exchanger to a domain.
    #[must_use]
    pub fn mx(mut self, domain: Domain, mx: Mx) -> Self {
        self.records(domain).mx.push(mx);
        self
    }

    /// Adds an address, IPv4 or IPv6, to a host.
    #[must_use]
    pub fn address(mut self, host: Domain, address: IpAddr) -> Self {
        let records = self.records(host);
        match address {
            IpAddr::V4(address) => records.a.push(address),
            IpAddr::V6(address) => records.aaaa.push(address),
        }
        self
    }

    /// Adds a name server to a domain.
    #[must_use]
    pub fn ns(mut self, domain: Domain, server: Domain) -> Self {
        self.records(domain).ns.push(server);
        self
    }

    /// Adds a text to a name.
    #[must_use]
    pub fn txt(mut self, name: Domain, text: &str) -> Self {
        self.records(name).txt.push(text.into());
        self
    }

    /// Adds a name to an address.
    #[must_use]
    pub fn ptr(mut self, address: IpAddr, name: Domain) -> Self {
        self.addresses.entry(address).or_default().push(name);
        self
    }

    /// Lets a name exist without any record.
    #[must_use]
    pub fn bare(mut self, name: Domain) -> Self {
        self.records(name);
        self
    }

    /// Lets every look-up of a name fail, whatever records it has.
    #[must_use]
    pub fn trouble(mut self, name: Domain, trouble: Trouble) -> Self {
        self.names.entry(name).or_default().trouble = Some(trouble);
        self
    }

    fn records(&mut self, name: Domain) -> &mut Records {
        &mut self.names.entry(name).or_default().records
    }

    fn answer<T: Clone>(&self, name: &Domain, pick: impl Fn(&Records) -> &Vec<T>) -> Answer<T> {
        let Some(Entry { trouble, records }) = self.names.get(name) else {
            return Answer::NoSuchDomain;
        };
        match (trouble, pick(records)) {
            (Some(trouble), _) => Answer::Temporary(trouble.clone()),
            (None, none) if none.is_empty() => Answer::NoRecords,
            (None, records) => Answer::Found(records.clone()),
        }
    }
}

impl Resolver for TableResolver {
    fn mx<'a>(&'a self, domain: &'a Domain) -> Lookup<'a, Mx> {
        Box::pin(ready(self.answer(domain, |records| &records.mx)))
    }

    fn a<'a>(&'a self, host: &'a Domain) -> Lookup<'a, Ipv4Addr> {
        Box::pin(ready(self.answer(host, |records| &records.a)))
    }

    fn aaaa<'a>(&'a self, host: &'a Domain) -> Lookup<'a, Ipv6Addr> {
        Box::pin(ready(self.answer(host, |records| &records.aaaa)))
    }

    fn ns<'a>(&'a self, domain: &'a Domain) -> Lookup<'a, Domain> {
        Box::pin(ready(self.answer(domain, |records| &records.ns)))
    }

    fn txt<'a>(&'a self, name: &'a Domain) -> Lookup<'a, Box<str>> {
        Box::pin(ready(self.answer(name, |records| &records.txt)))
    }

    fn ptr(&self, address: IpAddr) -> Lookup<'_, Domain> {
        let names = self.addresses.get(&address);
        let answer = names.map_or(Answer::NoSuchDomain, |names| Answer::Found(names.clone()));
        Box::pin(ready(answer))
    }
}

#[derive(Clone, Debug, Default)]
struct Entry {
    trouble: Option<Trouble>,
    records: Records,
}

#[derive(Clone, Debug, Default)]
struct Records {
    mx: Vec<Mx>,
    a: Vec<Ipv4Addr>,
    aaaa: Vec<Ipv6Addr>,
    ns: Vec<Domain>,
    txt: Vec<Box<str>>,
}
