//! Access tables for the servers of a domain: its addresses, mail exchangers or name servers
//! (postconf(5), `check_sender_mx_access` and the like).

use std::net::IpAddr;

use mailweir_tables::{Spec, keys};

use super::{
    access::Access,
    evaluator::{Context, Evaluator, Judgement, Opinion},
    facts::{DnsError, Facts, Record, RecordKind},
    hostname,
    hosts::is_null_mx,
    memory::Answer,
    outcome::Refusal,
    replies::Who,
    restriction::Servers,
    subject::Subject,
};

impl<'a, F: Facts> Evaluator<'a, F> {
    pub(super) async fn check_servers(
        &mut self,
        subject: Subject,
        servers: Servers,
        table: &Spec,
        context: Context<'_>,
    ) -> Judgement {
        let t = self.transaction;
        let client = context.client(t);
        let (name, value) = match subject {
            Subject::Client => (t.name.known(), &*client),
            Subject::ReverseClient => (t.reverse_name.known(), t.reverse_name.or_unknown()),
            Subject::Helo => (t.helo, t.helo.unwrap_or_default()),
            Subject::Sender => (t.sender, t.sender.unwrap_or_default()),
            Subject::Recipient => (t.recipient, t.recipient.unwrap_or_default()),
            Subject::Certificate | Subject::Login | Subject::Data | Subject::EndOfData => {
                return Ok(Opinion::Dunno);
            }
        };
        let Some(name) = name.filter(|name| !name.is_empty()) else { return Ok(Opinion::Dunno) };
        let domain = hostname::domain_of(name);
        let who = Who { subject, value };
        let access = if domain.starts_with('[') {
            self.literal_access(domain, servers, table, who, context).await?
        } else {
            self.servers_access(domain, servers, table, who, context).await?
        };
        self.forbid_permit(access.opinion(), context.who)
    }

    /// An address literal is its own exchanger; nobody serves its name.
    async fn literal_access(
        &mut self,
        literal: &str,
        servers: Servers,
        table: &Spec,
        who: Who<'_>,
        context: Context<'_>,
    ) -> Result<Access, Box<Refusal>> {
        let inner = literal.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let address = inner.and_then(hostname::literal_address);
        let address = address.and_then(|address| address.parse::<IpAddr>().ok());
        match (servers, address) {
            (Servers::NameServers, _) | (_, None) => Ok(Access::Missed),
            (_, Some(address)) => {
                self.access(table, &keys::network(&address.to_string()), who, context).await
            }
        }
    }

    async fn servers_access(
        &mut self,
        domain: &str,
        servers: Servers,
        table: &Spec,
        who: Who<'_>,
        context: Context<'_>,
    ) -> Result<Access, Box<Refusal>> {
        let mut addresses_left = MOST_ADDRESSES;
        for host in self.servers_of(&hostname::to_ascii(domain), servers).await {
            if let Ok(address) = host.parse::<IpAddr>() {
                let address = address.to_string();
                let access = self.access(table, &keys::network(&address), who, context).await?;
                if matches!(access, Access::Found(_)) {
                    return Ok(access);
                }
                continue;
            }
            if servers != Servers::Addresses {
                let names = keys::host(&host, self.rules.settings.parents());
                let access = self.access(table, &names, who, context).await?;
                if matches!(access, Access::Found(_)) {
                    return Ok(access);
                }
            }
            for address in self.addresses(&host).await.unwrap_or_default() {
                if addresses_left == 0 {
                    self.trouble(&format!(
                        "server address count limit ({MOST_ADDRESSES}) exceeded for {} {} -- \
                         ignoring the remainder",
                        who.subject.words(),
                        who.value
                    ));
                    return Ok(Access::Missed);
                }
                addresses_left -= 1;
                let address = address.to_string();
                let access = self.access(table, &keys::network(&address), who, context).await?;
                if matches!(access, Access::Found(_)) {
                    return Ok(access);
                }
            }
        }
        Ok(Access::Missed)
    }

    /// The servers by name. A domain that cannot be looked up has none: no restriction then.
    async fn servers_of(&mut self, domain: &str, servers: Servers) -> Vec<Box<str>> {
        let found = match servers {
            Servers::Addresses => return vec![domain.into()],
            Servers::MailExchangers => match self.records(domain, RecordKind::Mx).await {
                Err(DnsError::DoesNotExist) => return vec![domain.into()],
                found => found,
            },
            Servers::NameServers => self.name_servers(domain).await,
        };
        match found {
            Ok(records) if is_null_mx(&records) => Vec::new(),
            Ok(records) => records.iter().filter_map(host).take(MOST_ADDRESSES).collect(),
            Err(error) => {
                self.trouble(&format!("Unable to look up {} for {domain}: {error}", kind(servers)));
                Vec::new()
            }
        }
    }

    /// The name servers of a domain or of what it is part of.
    async fn name_servers(&mut self, domain: &str) -> Answer {
        let mut part = domain;
        for _ in 0..MOST_ADDRESSES {
            match (self.records(part, RecordKind::Ns).await, part.split_once('.')) {
                (Err(DnsError::DoesNotExist), Some((_, parent))) if !parent.is_empty() => {
                    part = parent;
                }
                (answer, _) => return answer,
            }
        }
        Err(DnsError::DoesNotExist)
    }
}

fn host(record: &Record) -> Option<Box<str>> {
    match record {
        Record::Mx { host, .. } | Record::Ns(host) => Some(host.clone()),
        Record::A(_) | Record::Aaaa(_) | Record::Txt(_) => None,
    }
}

const fn kind(servers: Servers) -> &'static str {
    match servers {
        Servers::Addresses => "A host",
        Servers::MailExchangers => "MX host",
        Servers::NameServers => "NS host",
    }
}

/// Postfix `dns_rr_list_limit` (its default): more servers or addresses are not looked at.
const MOST_ADDRESSES: usize = 100;
