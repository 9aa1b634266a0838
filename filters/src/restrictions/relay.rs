//! Who may send through us: destinations that we serve, and those that we are a backup for.

use std::net::IpAddr;

use super::{
    apply::permit_if,
    evaluator::{Evaluator, Judgement, Opinion},
    facts::{Destination, DnsError, Facts, Record, RecordKind},
    hostname,
    hosts::is_literal,
    outcome::Refusal,
    replies::{Reason, Who},
    restriction::Party,
};

impl<'a, F: Facts> Evaluator<'a, F> {
    /// Where mail to an address goes. If that cannot be told, the mail waits.
    pub(super) async fn destination(&mut self, who: Who<'_>) -> Result<Destination, Box<Refusal>> {
        match self.facts.destination(who.value).await {
            Ok(destination) => Ok(destination),
            Err(error) => Err(self.lookup_failed(&error, who)),
        }
    }

    pub(super) async fn permit_auth_destination(&mut self) -> Judgement {
        match self.address_in_question(Party::Recipient) {
            Some(who) => Ok(permit_if(self.destination(who).await?.is_served())),
            None => Ok(Opinion::Dunno),
        }
    }

    pub(super) async fn reject_unauth_destination(&mut self, reason: Reason<'_>) -> Judgement {
        match self.address_in_question(Party::Recipient) {
            Some(who) => {
                let served = self.destination(who).await?.is_served();
                self.refuse_if(!served, reason, who)
            }
            None => Ok(Opinion::Dunno),
        }
    }

    /// Permits what we serve, and domains that name us as an exchanger, but not as the first.
    pub(super) async fn permit_mx_backup(&mut self) -> Judgement {
        let Some(who) = self.address_in_question(Party::Recipient) else {
            return Ok(Opinion::Dunno);
        };
        let destination = self.destination(who).await?;
        let domain = hostname::domain_of(who.value);
        if destination.routed || is_literal(domain) {
            return Ok(Opinion::Dunno);
        }
        if destination.is_served() {
            return Ok(Opinion::Permit);
        }
        match self.records(&hostname::to_ascii(domain), RecordKind::Mx).await {
            Ok(records) => self.permit_backup_among(&records, who).await,
            Err(error @ DnsError::Temporary) => {
                self.defer_if_reject(Reason::ExchangersUnclear(&error.to_string()), who)
            }
            Err(DnsError::DoesNotExist | DnsError::Malformed) => Ok(Opinion::Dunno),
        }
    }

    async fn permit_backup_among(&mut self, records: &[Record], who: Who<'_>) -> Judgement {
        let mut exchangers: Vec<_> = records.iter().filter_map(exchanger).collect();
        exchangers.sort_unstable();
        exchangers.truncate(MOST_EXCHANGERS);
        let best = exchangers.first().map(|&(preference, _)| preference);
        let split = exchangers.partition_point(|&(preference, _)| Some(preference) == best);
        let (first, others) = exchangers.split_at(split);
        let is_backup = !self.are_we_among(first, who).await?
            && self.are_we_among(others, who).await?
            && self.are_all_in_backup_networks(first, who).await?;
        Ok(permit_if(is_backup))
    }

    async fn are_we_among(
        &mut self,
        exchangers: &[(u16, &str)],
        who: Who<'_>,
    ) -> Result<bool, Box<Refusal>> {
        if exchangers.iter().any(|&(_, host)| self.facts.is_own_name(host)) {
            return Ok(true);
        }
        for &(_, host) in exchangers {
            match self.addresses(host).await {
                Ok(addresses) => {
                    if addresses.iter().any(|&address| self.facts.is_own_address(address)) {
                        return Ok(true);
                    }
                }
                Err(error) => {
                    let why = error.to_string();
                    self.defer_if_reject(Reason::OwnExchangerUnclear(host, &why), who)?;
                }
            }
        }
        Ok(false)
    }

    async fn are_all_in_backup_networks(
        &mut self,
        exchangers: &[(u16, &str)],
        who: Who<'_>,
    ) -> Result<bool, Box<Refusal>> {
        if self.rules.settings.mx_backup_networks.is_empty() {
            return Ok(true);
        }
        for &(_, host) in exchangers {
            match self.addresses(host).await {
                Ok(addresses) => {
                    if !addresses.iter().all(|&address| self.is_in_backup_networks(address)) {
                        return Ok(false);
                    }
                }
                Err(error) => {
                    let why = error.to_string();
                    self.defer_if_reject(Reason::ExchangerUnclear(host, &why), who)?;
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    fn is_in_backup_networks(&self, address: IpAddr) -> bool {
        self.rules.settings.mx_backup_networks.iter().any(|network| network.contains(address))
    }
}

fn exchanger(record: &Record) -> Option<(u16, &str)> {
    match record {
        Record::Mx { preference, host } => Some((*preference, host)),
        Record::A(_) | Record::Aaaa(_) | Record::Ns(_) | Record::Txt(_) => None,
    }
}

/// More exchangers than these are not looked at.
const MOST_EXCHANGERS: usize = 100;
