//! From a question to its answer: what the rules foresee, and what is said of it.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use mailweir_mail::{
    Address, Client, MailEvent, Protocol, ReversePath, RuleAction, RuleApplied, TransactionSummary,
};
use mailweir_moderation::{action::Need, case::RuleName};
use mailweir_policy::{Action, Request, Stage};
use tokio::time::timeout;

use super::notes::{self, Notes};
use crate::{
    config::{self, PolicyAction},
    ingress::{
        Listener,
        foresight::{self, Enquiry, Foreseen},
    },
    observe::Observer,
};

/// A `[[policy_server]]` at work.
pub(crate) struct PolicyServer {
    /// What is configured.
    pub(super) rules: config::PolicyServer,
    /// Whose rules are asked.
    pub(super) listener: Arc<Listener>,
    /// What is known of mails.
    pub(super) notes: Arc<Notes>,
    /// Where events go.
    pub(super) observer: Observer,
}

impl PolicyServer {
    /// What Postfix is told.
    ///
    /// # Errors
    /// Why nothing can be said: then the connection is closed, and Postfix puts the mail off.
    pub(super) async fn answer(&self, request: &Request) -> Result<Action, String> {
        match request.stage {
            Stage::NoMail => return Ok(Action::Dunno),
            Stage::Early => return Err(TOO_EARLY.to_owned()),
            Stage::Mail | Stage::Rcpt | Stage::Data | Stage::EndOfMessage => {}
        }
        if let Some(action) = self.notes.said(request) {
            // At RCPT the mail may have had no id yet.
            self.expect(request, &action);
            return Ok(action);
        }
        let Foreseen { need, addresses, is_answer } = self.foresee(request).await?;
        let action = self.action(need.as_ref());
        self.notes.answered(request, addresses, &action);
        if let (Action::Filter(_) | Action::Hold(_), Some((rule, _))) = (&action, &need) {
            self.tell(request, rule, &action);
        }
        if is_answer {
            // It is routed to us, whatever we say.
            self.notes.expect(request);
        }
        self.expect(request, &action);
        Ok(action)
    }

    fn expect(&self, request: &Request, action: &Action) {
        if let Action::Filter(_) = action {
            self.notes.expect(request);
        }
    }

    async fn foresee(&self, request: &Request) -> Result<Foreseen, String> {
        let enquiry = Enquiry {
            sender: &request.sender,
            login: notes::login(request),
            recipients: self.notes.recipients(request),
            size: (request.stage == Stage::EndOfMessage).then_some(request.size),
        };
        match timeout(LONGEST, foresight::foresee(&self.listener, enquiry)).await {
            Ok(foreseen) => foreseen.map_err(|error| error.to_string()),
            Err(_) => Err("tables do not answer in time".to_owned()),
        }
    }

    fn action(&self, need: Option<&(RuleName, Need)>) -> Action {
        match (&self.rules.action, need) {
            (_, None) | (PolicyAction::Hold, Some((_, Need::Notice))) => Action::Dunno,
            (PolicyAction::Filter(target), Some(_)) => Action::Filter(target.clone()),
            (PolicyAction::Hold, Some((rule, Need::Hold))) => Action::Hold(shown(rule).into()),
        }
    }

    fn tell(&self, request: &Request, rule: &RuleName, action: &Action) {
        let id = if request.queue_id.is_empty() { "" } else { " as " };
        self.observer.mail(&MailEvent::RuleApplied(Box::new(RuleApplied {
            id: None,
            listener: self.listener.name().into(),
            action: match action {
                Action::Hold(_) => RuleAction::Hold,
                Action::Filter(_) | Action::Dunno => RuleAction::Filter,
            },
            about: request.stage.as_str().into(),
            rule: shown(rule).into(),
            text: format!("Postfix has it{id}{} and is told {action}", request.queue_id).into(),
            transaction: summary(request),
        })));
    }
}

fn shown(RuleName { name, place }: &RuleName) -> String {
    format!("moderation rule {name:?} ({place})")
}

fn summary(request: &Request) -> TransactionSummary {
    let ip = request.client_address.unwrap_or(std::net::Ipv4Addr::UNSPECIFIED.into());
    let name = Some(request.client_name.clone());
    TransactionSummary {
        client: Client {
            address: SocketAddr::new(ip, request.client_port),
            name: name.filter(|name| !name.is_empty() && **name != *"unknown"),
        },
        sender: Address::parse(&request.sender).map_or(ReversePath::Null, ReversePath::Mailbox),
        recipient: Address::parse(&request.recipient).ok(),
        protocol: match &*request.protocol {
            "ESMTP" => Protocol::Esmtp,
            _ => Protocol::Smtp,
        },
        helo: request.helo.clone(),
    }
}

const TOO_EARLY: &str = "it asks before MAIL, when there is no mail to be judged; \
                         put check_policy_service into smtpd_data_restrictions";

/// Less than Postfix waits (`smtpd_policy_service_timeout`, 100 s).
const LONGEST: Duration = Duration::from_secs(60);
