//! Policy servers: what they are told of a mail, and what comes of their answer (SMTPD_POLICY_README).
//!
//! An answer is obeyed as the value of an access table is. Without one the mail waits, or what the administrator
//! wants instead of an answer is done.

use std::{borrow::Cow, net::SocketAddr, sync::Arc};

use mailweir_mail::{Address, Protocol};
use mailweir_policy::client::{
    Certificate, Encryption, Inquiry, Login, Mail, Moment, Peer, Service, Terms, Trouble,
};

use super::{
    access::Entry,
    evaluator::{Context, Evaluator, Judgement, Opinion},
    facts::Facts,
    outcome::DecisionKind,
    transaction::{ProtocolState, Transaction},
};

impl<F: Facts> Evaluator<'_, F> {
    pub(super) async fn check_policy_service(
        &mut self,
        service: &Service,
        context: Context<'_>,
    ) -> Judgement {
        let terms = service.terms(&self.rules.settings.policy_service);
        let question = question(self.state, self.transaction, &terms.context);
        let place = Arc::from(service.name());
        match self.facts.ask_policy(service, &terms, &question).await {
            Ok(action) => self.obey(Entry::new(&action, &place), context.who, context).await,
            Err(trouble @ Trouble::Supposed) => {
                self.log(DecisionKind::Info, &format!("policy server {service} {trouble}"));
                Ok(Opinion::Dunno)
            }
            Err(trouble) => {
                self.trouble(&format!("policy server {service} {trouble}"));
                self.do_without_answer(&terms, &place, context).await
            }
        }
    }

    /// A default action may be a class that asks a policy server again: then there is no second one.
    async fn do_without_answer(
        &mut self,
        terms: &Terms,
        place: &Arc<str>,
        context: Context<'_>,
    ) -> Judgement {
        let action = match self.lacks_answer {
            false => &*terms.default_action,
            true => Terms::DEFAULT_ACTION,
        };
        let lacked = std::mem::replace(&mut self.lacks_answer, true);
        let judged = self.obey(Entry::new(action, place), context.who, context).await;
        self.lacks_answer = lacked;
        judged
    }
}

fn question(state: ProtocolState, t: &Transaction<'_>, context: &str) -> Vec<u8> {
    let sender = unquoted(t.sender.unwrap_or_default());
    let recipient = unquoted(t.recipient.unwrap_or_default());
    let instance = t.instance.to_string();
    let inquiry = Inquiry {
        moment: moment(state, t.protocol),
        protocol: t.protocol.as_str(),
        client: Peer {
            address: SocketAddr::new(t.address, t.port),
            name: t.name.or_unknown(),
            reverse_name: t.reverse_name.or_unknown(),
        },
        server: t.server,
        helo: t.helo.unwrap_or_default(),
        mail: Mail {
            sender: &sender,
            recipient: &recipient,
            recipient_count: t.recipients,
            queue_id: t.queue_id,
            instance: &instance,
            size: t.size,
        },
        login: Login { method: t.mechanism, username: t.login.unwrap_or_default() },
        certificate: t.certificate.as_ref().map(certificate).unwrap_or_default(),
        encryption: t.tls.map(encryption).unwrap_or_default(),
        context,
    };
    inquiry.to_bytes()
}

/// An address without the quotes of RFC 5321, as policy servers know it from Postfix.
fn unquoted(address: &str) -> Cow<'_, str> {
    let Ok(read) = Address::parse(address) else { return address.into() };
    match read.unquoted_local_part() {
        Cow::Borrowed(local) if local == read.local_part() => address.into(),
        local => format!("{local}{}", &address[read.local_part().len()..]).into(),
    }
}

const fn moment(state: ProtocolState, protocol: Protocol) -> Moment {
    match (state, protocol) {
        (ProtocolState::Connect, _) => Moment::Connect,
        (ProtocolState::Helo, Protocol::Smtp) => Moment::Helo,
        (ProtocolState::Helo, Protocol::Esmtp | Protocol::Lmtp) => Moment::Ehlo,
        (ProtocolState::Mail, _) => Moment::Mail,
        (ProtocolState::Rcpt, _) => Moment::Rcpt,
        (ProtocolState::Data, _) => Moment::Data,
        (ProtocolState::EndOfMessage, _) => Moment::EndOfMessage,
    }
}

/// Names of certificates that nobody we trust has signed say nothing (Postfix `TLS_CERT_IS_TRUSTED`).
fn certificate<'t>(shown: &super::Certificate<'t>) -> Certificate<'t> {
    let (subject, issuer) = if shown.trusted { (shown.name, shown.issuer) } else { ("", "") };
    let super::Certificate { fingerprint, key_fingerprint, .. } = *shown;
    Certificate { subject, issuer, fingerprint, key_fingerprint }
}

fn encryption(tls: &mailweir_mail::TlsSummary) -> Encryption<'_> {
    Encryption { protocol: &tls.version, cipher: &tls.cipher, keysize: tls.bits }
}
