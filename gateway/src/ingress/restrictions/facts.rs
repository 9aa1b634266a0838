//! What restrictions ask of the world, answered by the gateway's own parts.

use std::{borrow::Cow, net::IpAddr};

use mailweir_filters::{
    ForOneMail, look_up,
    restrictions::{AddressClass, Destination, DnsError, Facts, Record, RecordKind},
    verification,
};
use mailweir_mail::{Address, Domain};
use mailweir_moderation::reply::address::Meant;
use mailweir_policy::client::{Answer as PolicyAnswer, Service, Terms, Trouble};
use mailweir_tables::{Found, LookupError, PatternSteps, Spec};

use super::{Snapshot, budget::Budget};
use crate::{
    egress::resolve::{Answer, Exchange, Mx},
    ingress::{listener::Listener, recipients},
};

/// The world as a session sees it.
pub(super) struct World<'a> {
    pub(super) listener: &'a Listener,
    pub(super) snapshot: &'a Snapshot,
    /// Whether the client is in a trusted network.
    pub(super) trusted: bool,
    /// The recipient in question: mostly it is what is asked about.
    pub(super) recipient: Option<&'a Address>,
    pub(super) budget: &'a Budget,
    pub(super) steps: &'a PatternSteps,
}

impl World<'_> {
    fn lookups(&self) -> ForOneMail<'_> {
        ForOneMail { remote: self.listener.remote_maps(), steps: self.steps }
    }

    /// What lists call by this text; `None` if it is no address.
    fn address(&self, text: &str) -> Option<Cow<'_, Address>> {
        match self.recipient.filter(|recipient| recipient.as_str() == text) {
            Some(recipient) => Some(Cow::Borrowed(recipient)),
            None => Address::parse(text).ok().map(Cow::Owned),
        }
    }
}

impl Facts for World<'_> {
    async fn look_up<'a>(
        &'a self,
        table: &'a Spec,
        key: &'a [u8],
    ) -> Result<Option<Found<'a>>, LookupError> {
        match self.snapshot.table(table) {
            Some(table) => look_up(table, key, &self.lookups()).await,
            None => Ok(None),
        }
    }

    fn takes_partial_keys(&self, table: &Spec) -> bool {
        self.snapshot.table(table).is_some_and(mailweir_tables::Table::takes_partial_keys)
    }

    async fn records(&self, name: &str, kind: RecordKind) -> Result<Vec<Record>, DnsError> {
        let domain = Domain::parse(name).map_err(|_| DnsError::Malformed)?;
        if !self.budget.spend() {
            return Err(DnsError::Temporary);
        }
        let resolver = &*self.listener.shared().resolver;
        match kind {
            RecordKind::A => records(resolver.a(&domain).await, Record::A),
            RecordKind::Aaaa => records(resolver.aaaa(&domain).await, Record::Aaaa),
            RecordKind::Ns => {
                records(resolver.ns(&domain).await, |name| Record::Ns(name.as_ascii().into()))
            }
            RecordKind::Txt => records(resolver.txt(&domain).await, Record::Txt),
            RecordKind::Mx => exchangers(resolver.mx(&domain).await),
        }
    }

    async fn is_trusted(&self, _client: IpAddr, _name: &str) -> Result<bool, LookupError> {
        Ok(self.trusted)
    }

    fn is_own_address(&self, address: IpAddr) -> bool {
        self.listener.shared().addresses.contains(&address)
    }

    fn is_own_name(&self, host: &str) -> bool {
        Domain::parse(host).is_ok_and(|host| host == self.listener.shared().hostname)
    }

    async fn destination(&self, address: &str) -> Result<Destination, LookupError> {
        let Some(address) = self.address(address) else {
            return Ok(Destination { class: AddressClass::Default, routed: false });
        };
        let served = self.listener.served();
        let class = if served.serve(address.domain()) {
            AddressClass::Relay
        } else if served.has_postmaster(&address) || takes_answers(self.listener, &address) {
            AddressClass::Local
        } else if recipients::is_of_aliases(self.listener, &address, &self.lookups()).await? {
            AddressClass::VirtualAlias
        } else {
            AddressClass::Default
        };
        Ok(Destination { class, routed: address.asks_for_routing() })
    }

    async fn is_listed(&self, address: &str, _class: Destination) -> Result<bool, LookupError> {
        let Some(address) = self.address(address) else { return Ok(true) };
        if takes_answers(self.listener, &address) {
            return Ok(true);
        }
        recipients::is_listed(self.listener, &address, &self.lookups()).await
    }

    async fn verified(&self, address: &str) -> verification::Answer {
        let unknown = verification::Answer::in_progress;
        let Some(address) = self.address(address) else { return unknown() };
        let stop = &self.listener.shared().stop;
        let asked = stop.run_until_cancelled(self.listener.verification().ask(&address)).await;
        asked.unwrap_or_else(unknown)
    }

    async fn ask_policy(
        &self,
        service: &Service,
        terms: &Terms,
        question: &[u8],
    ) -> Result<Box<str>, Trouble> {
        if !self.budget.spend() {
            return Err(Trouble::Denied);
        }
        // Also during a stop: mail in flight is finished, and what is done without an answer may let it pass unasked.
        let policy_services = &self.listener.shared().policy_services;
        let PolicyAnswer { action, is_more } =
            policy_services.ask(service, terms, question).await?;
        if is_more {
            self.listener.warn(format!(
                "policy server {service} says more than one answer: the connection is closed"
            ));
        }
        Ok(action)
    }

    async fn owners(&self, sender: &str) -> Result<Option<Box<str>>, LookupError> {
        let Ok(sender) = Address::parse(sender) else { return Ok(None) };
        let owners = self.listener.policy().owners().await;
        Ok(owners.find(&sender).map(|entry| entry.owners().to_string().into()))
    }
}

/// Whether it is where notices are answered: ours, whatever the domain. If the code in it is good, is
/// asked later.
fn takes_answers(listener: &Listener, address: &Address) -> bool {
    let meant = listener.moderation().map(|moderation| moderation.meant(address));
    matches!(meant, Some(Meant::Answer(_) | Meant::Garbled))
}

fn records<T>(answer: Answer<T>, read: impl Fn(T) -> Record) -> Result<Vec<Record>, DnsError> {
    match answer {
        Answer::Found(found) => Ok(found.into_iter().map(read).collect()),
        Answer::NoSuchDomain | Answer::NoRecords => Err(DnsError::DoesNotExist),
        Answer::Temporary(_) => Err(DnsError::Temporary),
    }
}

/// Records that name no host are passed over, unless there are no others.
fn exchangers(answer: Answer<Mx>) -> Result<Vec<Record>, DnsError> {
    let Answer::Found(found) = answer else {
        return records(answer, |mx| Record::Mx { preference: mx.preference, host: "".into() });
    };
    let read = |mx: Mx| {
        let host = match mx.exchange {
            Exchange::Host(host) => host.as_ascii().into(),
            Exchange::Null => "".into(),
            Exchange::Malformed(_) => return None,
        };
        Some(Record::Mx { preference: mx.preference, host })
    };
    let usable: Vec<Record> = found.into_iter().filter_map(read).collect();
    if usable.is_empty() { Err(DnsError::Malformed) } else { Ok(usable) }
}
