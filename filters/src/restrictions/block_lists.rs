//! Block lists and permit lists in DNS at work (RFC 5782).

use std::{net::Ipv4Addr, sync::Arc};

use mailweir_spam::lists::is_error_code;

use super::{
    dns_list::DnsList,
    evaluator::{Evaluator, Judgement, Opinion},
    facts::{DnsError, Facts, Record, RecordKind},
    hostname,
    outcome::Refusal,
    rbl_reply::{self, Attributes},
    replies::{Reason, Who},
    restriction::Party,
    settings::DEFAULT_RBL_REPLY,
    subject::Subject,
    transaction::ProtocolState,
};

/// What a list says.
enum Listing {
    Listed,
    NotListed,
    /// It cannot be asked now.
    Unclear,
}

impl<'a, F: Facts> Evaluator<'a, F> {
    pub(super) async fn reject_rbl_client(&mut self, list: &DnsList) -> Judgement {
        let address = self.transaction.address;
        let what = address.to_string();
        let name = list.name_of_address(address);
        self.reject_listed(list, &name, Who { subject: Subject::Client, value: &what }).await
    }

    pub(super) async fn reject_rhsbl(&mut self, subject: Subject, list: &DnsList) -> Judgement {
        let t = self.transaction;
        let what = match subject {
            Subject::Client => t.name.known(),
            Subject::ReverseClient => t.reverse_name.known(),
            Subject::Helo => t.helo,
            Subject::Sender => t.sender,
            Subject::Recipient => t.recipient,
            Subject::Certificate | Subject::Login | Subject::Data | Subject::EndOfData => None,
        };
        match what.and_then(|what| Some((what, domain_to_ask(what)?))) {
            Some((value, domain)) => {
                let name = list.name_of_domain(&domain);
                self.reject_listed(list, &name, Who { subject, value }).await
            }
            None => Ok(Opinion::Dunno),
        }
    }

    pub(super) async fn permit_dnswl_client(&mut self, list: &DnsList) -> Judgement {
        let address = self.transaction.address;
        let what = address.to_string();
        let name = list.name_of_address(address);
        self.permit_listed(list, &name, Who { subject: Subject::Client, value: &what }).await
    }

    pub(super) async fn permit_rhswl_client(&mut self, list: &DnsList) -> Judgement {
        let client = self.transaction.name.known();
        match client.and_then(|name| Some((name, domain_to_ask(name)?))) {
            Some((value, domain)) => {
                let name = list.name_of_domain(&domain);
                self.permit_listed(list, &name, Who { subject: Subject::Client, value }).await
            }
            None => Ok(Opinion::Dunno),
        }
    }

    async fn reject_listed(&mut self, list: &DnsList, name: &str, who: Who<'_>) -> Judgement {
        match self.listing(list, name).await {
            // We cannot refuse all mail because a list is out of order.
            Listing::NotListed | Listing::Unclear => Ok(Opinion::Dunno),
            Listing::Listed => {
                let texts = self.records(name, RecordKind::Txt).await;
                let why = texts.map(|texts| joined(&texts)).unwrap_or_default();
                let (code, status, text) = self.reply_of(list, &why, who).await?;
                self.refuse(Reason::BlockList(code, status, &text), who)
            }
        }
    }

    /// Never permits a recipient that we do not serve: a permit list is no licence to relay.
    async fn permit_listed(&mut self, list: &DnsList, name: &str, who: Who<'_>) -> Judgement {
        if self.state == ProtocolState::Rcpt
            && let Some(recipient) = self.address_in_question(Party::Recipient)
            && !self.destination(recipient).await?.is_served()
        {
            return Ok(Opinion::Dunno);
        }
        match self.listing(list, name).await {
            Listing::Listed => Ok(Opinion::Permit),
            Listing::NotListed => Ok(Opinion::Dunno),
            Listing::Unclear => self.defer_if_reject(Reason::PermitListUnclear, who),
        }
    }

    async fn listing(&mut self, list: &DnsList, name: &str) -> Listing {
        let answers = match self.records(name, RecordKind::A).await {
            Ok(answers) => answers,
            Err(DnsError::DoesNotExist) => return Listing::NotListed,
            Err(error) => {
                self.trouble(&format!("{name}: RBL lookup error: {error}"));
                return Listing::Unclear;
            }
        };
        let codes: Vec<_> = answers.iter().filter_map(code).collect();
        if let Some(error) = codes.iter().find(|&&code| is_error_code(code)) {
            self.trouble(&format!("{name}: the list answers with the error code {error}"));
            return Listing::NotListed;
        }
        let listed = codes.iter().any(|&code| list.counts(code));
        if listed { Listing::Listed } else { Listing::NotListed }
    }

    /// The reply of the list, from its own template or from that of all lists.
    async fn reply_of(
        &mut self,
        list: &DnsList,
        reason: &str,
        who: Who<'_>,
    ) -> Result<(u16, mailweir_mail::Enhanced, String), Box<Refusal>> {
        let own = self.template_of(list, who).await?;
        let attributes = Attributes {
            code: self.rules.settings.codes.maps_rbl,
            domain: list.domain(),
            what: who.value,
            class: who.subject.words(),
            reason,
            transaction: self.transaction,
        };
        if let Some(own) = own {
            if let Some(reply) = rbl_reply::expand(&own, &attributes) {
                return Ok(reply);
            }
            let domain = list.as_str();
            self.trouble(&format!("bad rbl reply template for domain {domain}: {own}"));
        }
        let settings = &self.rules.settings;
        let reply = rbl_reply::expand(&settings.default_rbl_reply, &attributes)
            .or_else(|| rbl_reply::expand(DEFAULT_RBL_REPLY, &attributes));
        let unavailable = (450, mailweir_mail::Enhanced(4, 7, 1), "Service unavailable".to_owned());
        Ok(reply.unwrap_or(unavailable))
    }

    async fn template_of(
        &mut self,
        list: &DnsList,
        who: Who<'_>,
    ) -> Result<Option<String>, Box<Refusal>> {
        let rules = self.rules;
        let mut keys = vec![list.as_str()];
        keys.extend((list.as_str() != list.domain()).then(|| list.domain()));
        for key in keys {
            for table in &rules.settings.rbl_reply_maps {
                match self.facts.look_up(table, key.as_bytes()).await {
                    Ok(Some(found)) => {
                        return Ok(Some(String::from_utf8_lossy(&found.value).into_owned()));
                    }
                    Ok(None) => {}
                    Err(error) => {
                        self.trouble(&error.to_string());
                        return Err(self.refuse_for_good(Reason::Configuration, who));
                    }
                }
            }
        }
        Ok(None)
    }
}

/// The domain that a list is asked about, in ASCII. None is asked about an address literal, or a
/// name that ends in a number: some lists take that for a question about an address.
fn domain_to_ask(what: &str) -> Option<String> {
    let domain = hostname::domain_of(what);
    let last = domain.rsplit('.').next().unwrap_or(domain);
    if domain.starts_with('[') || last.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let domain = hostname::to_ascii(domain);
    hostname::is_hostname(&domain).then_some(domain)
}

fn code(record: &Record) -> Option<Ipv4Addr> {
    match record {
        Record::A(code) => Some(*code),
        Record::Aaaa(_) | Record::Mx { .. } | Record::Ns(_) | Record::Txt(_) => None,
    }
}

/// The texts of a list, up to a limit: they go into a reply.
fn joined(records: &Arc<[Record]>) -> String {
    let texts: Vec<&str> = records
        .iter()
        .filter_map(|record| match record {
            Record::Txt(text) => Some(&**text),
            Record::A(_) | Record::Aaaa(_) | Record::Mx { .. } | Record::Ns(_) => None,
        })
        .take(MOST_TEXT)
        .collect();
    let mut joined = texts.join(" / ");
    joined.truncate(joined.floor_char_boundary(MOST_TEXT));
    joined
}

/// Postfix takes that much, in bytes.
const MOST_TEXT: usize = 500;
