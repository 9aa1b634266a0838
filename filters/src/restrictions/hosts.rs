//! Checks of names: what a client calls itself, and the domains of addresses.

use std::{net::IpAddr, sync::Arc};

use super::{
    evaluator::{Evaluator, Judgement, Opinion},
    facts::{DnsError, Facts, Record, RecordKind},
    hostname,
    memory::Answer,
    replies::{Reason, Who},
    restriction::Party,
    subject::Subject,
};

impl<'a, F: Facts> Evaluator<'a, F> {
    pub(super) fn reject_invalid_helo(&mut self) -> Judgement {
        let Some(who) = self.helo_in_question() else { return Ok(Opinion::Dunno) };
        if who.value.starts_with('[') {
            return self.reject_invalid_literal(who);
        }
        let name = hostname::without_final_dot(who.value);
        let valid = hostname::is_hostname(name) || hostname::is_address(name);
        self.refuse_if(!valid, Reason::BadHostname, who)
    }

    pub(super) fn reject_non_fqdn_helo(&mut self) -> Judgement {
        let Some(who) = self.helo_in_question() else { return Ok(Opinion::Dunno) };
        if who.value.starts_with('[') {
            return self.reject_invalid_literal(who);
        }
        let qualified = self.is_qualified(who.value);
        self.refuse_if(!qualified, Reason::HostnameNotQualified, who)
    }

    pub(super) async fn reject_unknown_helo(&mut self) -> Judgement {
        let Some(who) = self.helo_in_question() else { return Ok(Opinion::Dunno) };
        if who.value.starts_with('[') {
            return self.reject_invalid_literal(who);
        }
        // A host that only sends may have the null MX.
        match self.any_record(who.value, [RecordKind::A, RecordKind::Aaaa, RecordKind::Mx]).await {
            Ok(_) => Ok(Opinion::Dunno),
            Err(DnsError::DoesNotExist) => self.refuse(Reason::HostUnknown, who),
            Err(DnsError::Malformed) => self.refuse(Reason::HostMalformed, who),
            Err(DnsError::Temporary) => {
                let waits = self.rules.settings.unknown_helo_waits;
                self.defer_if_permit(waits, Reason::HostUnclear, who)
            }
        }
    }

    pub(super) fn reject_non_fqdn(&mut self, party: Party) -> Judgement {
        let Some(who) = self.address_in_question(party) else { return Ok(Opinion::Dunno) };
        let domain = who.value.rsplit_once('@').map_or("", |(_, domain)| domain);
        if is_literal(domain) {
            return Ok(Opinion::Dunno);
        }
        let qualified = self.is_qualified(domain);
        self.refuse_if(!qualified, Reason::AddressNotQualified, who)
    }

    pub(super) async fn reject_unknown_domain(&mut self, party: Party) -> Judgement {
        let Some(who) = self.address_in_question(party) else { return Ok(Opinion::Dunno) };
        let Some((_, domain)) = who.value.rsplit_once('@') else { return Ok(Opinion::Dunno) };
        if self.destination(who).await?.is_final() || is_literal(domain) {
            return Ok(Opinion::Dunno);
        }
        self.reject_unknown_mail_host(&hostname::to_ascii(domain), who).await
    }

    async fn reject_unknown_mail_host(&mut self, domain: &str, who: Who<'_>) -> Judgement {
        let found = match self.records(domain, RecordKind::Mx).await {
            Ok(exchangers) if is_null_mx(&exchangers) => {
                return self.refuse(Reason::NullMx(domain), who);
            }
            Ok(_) => return Ok(Opinion::Dunno),
            Err(DnsError::Malformed) => Err(DnsError::Malformed),
            Err(error) => {
                let addresses = [RecordKind::A, RecordKind::Aaaa];
                self.any_record(domain, addresses).await.map_err(|other| graver(error, other))
            }
        };
        match found {
            Ok(_) => Ok(Opinion::Dunno),
            Err(DnsError::DoesNotExist) => self.refuse(Reason::DomainUnknown, who),
            Err(DnsError::Malformed) => self.refuse(Reason::DomainMalformed, who),
            Err(DnsError::Temporary) => {
                let waits = self.rules.settings.unknown_address_waits;
                self.defer_if_permit(waits, Reason::DomainUnclear, who)
            }
        }
    }

    /// The records of a name. DNS is asked once for each transaction, and never for what is no host
    /// name: such a name does not exist.
    pub(super) async fn records(&mut self, name: &str, kind: RecordKind) -> Answer {
        let name = hostname::without_final_dot(name);
        if !hostname::is_hostname(name) {
            return Err(DnsError::DoesNotExist);
        }
        let key = (kind, name.to_ascii_lowercase().into_boxed_str());
        if let Some(known) = self.memory.records.get(&key) {
            return known.clone();
        }
        let answer = self.facts.records(&key.1, kind).await.map(Arc::from);
        let answer = answer.and_then(|records: Arc<[Record]>| {
            if records.is_empty() { Err(DnsError::DoesNotExist) } else { Ok(records) }
        });
        if self.memory.records.len() >= MOST_REMEMBERED {
            self.memory.records.clear();
        }
        self.memory.records.insert(key, answer.clone());
        answer
    }

    /// The addresses of a host, IPv4 first.
    pub(super) async fn addresses(&mut self, host: &str) -> Result<Vec<IpAddr>, DnsError> {
        let four = self.records(host, RecordKind::A).await;
        let six = self.records(host, RecordKind::Aaaa).await;
        let (four, six) = match (four, six) {
            (Err(four), Err(six)) => return Err(graver(four, six)),
            pair => pair,
        };
        let records = [four.ok(), six.ok()];
        let records = records.iter().flatten().flat_map(|records| records.iter());
        Ok(records.filter_map(address).collect())
    }

    async fn any_record<const N: usize>(
        &mut self,
        name: &str,
        kinds: [RecordKind; N],
    ) -> Result<(), DnsError> {
        let mut gravest = DnsError::DoesNotExist;
        for kind in kinds {
            match self.records(name, kind).await {
                Ok(_) => return Ok(()),
                Err(error) => gravest = graver(gravest, error),
            }
        }
        Err(gravest)
    }

    fn reject_invalid_literal(&mut self, who: Who<'_>) -> Judgement {
        let inner = who.value.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let address = inner.filter(|inner| !inner.is_empty()).unwrap_or(who.value);
        let valid = hostname::literal_address(address).is_some();
        self.refuse_if(!valid, Reason::BadAddressLiteral, who)
    }

    fn is_qualified(&self, name: &str) -> bool {
        let name = hostname::without_final_dot(name);
        name.contains('.') && hostname::is_international_hostname(name, self.transaction.smtputf8)
    }

    fn helo_in_question(&self) -> Option<Who<'a>> {
        self.transaction.helo.map(|value| Who { subject: Subject::Helo, value })
    }

    /// The sender, unless it is `<>`, or the recipient.
    pub(super) fn address_in_question(&self, party: Party) -> Option<Who<'a>> {
        let subject = party.subject();
        let value = match party {
            Party::Sender => self.transaction.sender.filter(|sender| !sender.is_empty()),
            Party::Recipient => self.transaction.recipient,
        };
        value.map(|value| Who { subject, value })
    }
}

/// RFC 7505: one exchanger without a name.
pub(super) fn is_null_mx(exchangers: &[Record]) -> bool {
    matches!(exchangers, [Record::Mx { host, .. }] if host.is_empty() || &**host == ".")
}

pub(super) fn is_literal(domain: &str) -> bool {
    domain.starts_with('[') && domain.ends_with(']')
}

fn address(record: &Record) -> Option<IpAddr> {
    match record {
        Record::A(address) => Some(IpAddr::V4(*address)),
        Record::Aaaa(address) => Some(IpAddr::V6(*address)),
        Record::Mx { .. } | Record::Ns(_) | Record::Txt(_) => None,
    }
}

/// What two failures come to: that a thing may exist weighs more than that another does not.
const fn graver(left: DnsError, right: DnsError) -> DnsError {
    match (left, right) {
        (DnsError::Temporary, _) | (_, DnsError::Temporary) => DnsError::Temporary,
        (DnsError::Malformed, _) | (_, DnsError::Malformed) => DnsError::Malformed,
        (DnsError::DoesNotExist, DnsError::DoesNotExist) => DnsError::DoesNotExist,
    }
}

/// A client that names ever new hosts must not fill the memory.
const MOST_REMEMBERED: usize = 1_000;
