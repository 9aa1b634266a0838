//! The restrictions of one session: asked at each step, with what the steps before have left.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use mailweir_filters::restrictions::{
    Certificate, Decision, DecisionKind, Effects, HostName, Instance, Memory, Outcome,
    ProtocolState, Restrictions, Transaction, evaluate,
};
use mailweir_mail::{
    MailEvent, QueueId, Recipient, Reply, ReversePath, RuleAction, RuleApplied, TransactionSummary,
};
use mailweir_smtp::{
    replies::Refusal,
    server::{Session, ShownCertificate},
};
use mailweir_tables::PatternSteps;

use super::{ListenerRestrictions, Snapshot, budget::Budget, facts::World};
use crate::{
    ingress::{client_name::ClientName, listener::Listener, policy_services::PolicyServices},
    observe::Detail,
};

/// What a session remembers of the restrictions.
pub(in crate::ingress) struct SessionRestrictions {
    lists: Arc<Restrictions>,
    snapshot: Arc<Snapshot>,
    memory: Memory,
    budget: Budget,
    /// The same for all that policy servers are asked about one mail.
    instance: u64,
    /// What the patterns of tables may take for this mail.
    name: ClientName,
    /// The rules that refused something the log has not heard of yet.
    refusals: VecDeque<(Reply, Box<str>)>,
}

impl SessionRestrictions {
    /// `lists`: those of `restrictions` that count.
    pub(in crate::ingress) fn new(
        restrictions: &ListenerRestrictions,
        lists: Arc<Restrictions>,
        name: ClientName,
        services: &PolicyServices,
    ) -> Self {
        Self {
            lists,
            snapshot: restrictions.current(),
            memory: Memory::default(),
            budget: Budget::full(),
            instance: services.begin(),
            name,
            refusals: VecDeque::new(),
        }
    }

    /// A mail begins: nothing is left of the one before.
    pub(in crate::ingress) fn begin_mail(
        &mut self,
        restrictions: &ListenerRestrictions,
        services: &PolicyServices,
    ) {
        self.snapshot = restrictions.current();
        self.instance = services.begin();
        self.memory.end_transaction();
    }

    /// What tables asked for besides, for the mail as a whole.
    pub(in crate::ingress) const fn effects(&self) -> &Effects {
        self.memory.effects()
    }

    /// Whether the mail is to be thrown away: then nothing is judged any more, for nothing is sent.
    pub(in crate::ingress) const fn discards(&self) -> bool {
        self.memory.effects().discard.is_some()
    }

    /// Whether there is a list to ask at this step.
    pub(in crate::ingress) fn ask_at(&self, step: ProtocolState) -> bool {
        self.lists.ask_at(step)
    }

    /// Asks the lists that are due at this step.
    ///
    /// # Errors
    /// What the peer hears instead of success.
    pub(in crate::ingress) async fn judge(
        &mut self,
        step: ProtocolState,
        session: &Session,
        recipient: Option<&Recipient>,
        queue_id: Option<QueueId>,
        (listener, steps): (&Listener, &PatternSteps),
    ) -> Result<(), Refusal> {
        let queue_id = queue_id.map(|id| id.to_string()).unwrap_or_default();
        let transaction = Transaction {
            instance: listener.shared().policy_services.instance(self.instance),
            queue_id: &queue_id,
            ..transaction(&self.name, session, recipient, listener)
        };
        let world = World {
            listener,
            snapshot: &self.snapshot,
            trusted: session.rights().trusted,
            recipient: recipient.map(|recipient| &recipient.address),
            budget: &self.budget,
            steps,
        };
        let outcome = evaluate(&self.lists, step, &transaction, &mut self.memory, &world).await;
        self.tell(&outcome, step, session, recipient, listener);
        delay(&outcome, listener).await;
        let denied = self.budget.take_denied();
        if let Some(refusal) = outcome.ruling.refusal() {
            let rule = match &refusal.place {
                Some(place) => format!("{}: {place}", refusal.restriction),
                None => refusal.restriction.to_string(),
            };
            self.refusals.push_back((refusal.reply.clone(), rule.into()));
            return Err(Refusal::Rule(refusal.reply.clone()));
        }
        if denied {
            let client = session.client();
            listener.warn(format!("{client} makes us ask others too much: put off"));
            return Err(Refusal::TableUnavailable);
        }
        if step == ProtocolState::Rcpt {
            self.budget.refill();
        }
        Ok(())
    }

    /// The rule that a refusal comes from, if it comes from one. To be asked of each refusal once,
    /// in their order.
    pub(in crate::ingress) fn rule_of(&mut self, reply: &Reply) -> Option<Box<str>> {
        let at = self.refusals.iter().position(|(known, _)| known == reply)?;
        self.refusals.drain(..=at).next_back().map(|(_, rule)| rule)
    }

    /// The log hears of everything but refusals, which have a line already.
    fn tell(
        &self,
        outcome: &Outcome,
        step: ProtocolState,
        session: &Session,
        recipient: Option<&Recipient>,
        listener: &Listener,
    ) {
        for permission in &outcome.permissions {
            listener.shared().observer.detail(Detail::Permitted(permission));
        }
        for decision in &outcome.decisions {
            match action(decision.kind) {
                Some(action) => {
                    let summary = summary(session, recipient);
                    let event = event(decision, action, step, listener, summary);
                    let observer = &listener.shared().observer;
                    observer.mail(&MailEvent::RuleApplied(Box::new(event)));
                }
                None if decision.kind == DecisionKind::Trouble => {
                    listener.warn(format!("{}: {}", decision.restriction, decision.text));
                }
                None => {}
            }
        }
    }
}

/// What is known at this moment. Talking ahead where it is forbidden ends the session before any
/// list is asked, so `reject_unauth_pipelining` has nothing left to refuse.
fn transaction<'a>(
    name: &'a ClientName,
    session: &'a Session,
    recipient: Option<&'a Recipient>,
    listener: &Listener,
) -> Transaction<'a> {
    let envelope = session.transaction();
    let only = || match envelope?.recipients.as_slice() {
        [only] => Some(only),
        _ => None,
    };
    let told = session.client().name.as_deref();
    let (verified, reverse) = match told {
        Some(told) if *name == ClientName::Unknown => (known(told), known(told)),
        Some(told) => (known(told), name.reverse()),
        None => (name.verified(), name.reverse()),
    };
    Transaction {
        address: session.client().ip(),
        port: session.client().address.port(),
        server: session.local(),
        name: verified,
        reverse_name: reverse,
        helo: session.helo(),
        protocol: session.protocol(),
        tls: session.tls(),
        certificate: session.certificate().map(certificate),
        login: session.login().map(|login| &*login.user),
        mechanism: session.login().map_or("", |login| &*login.mechanism),
        sender: envelope.map(|envelope| envelope.sender.as_str()),
        recipient: recipient.or_else(only).map(|recipient| shown(recipient, listener)),
        recipients: envelope.map_or(0, |envelope| envelope.recipients.len()),
        instance: Instance::default(),
        queue_id: "",
        size: match session.content_bytes() {
            0 => session.declared_size().unwrap_or(0),
            real => real,
        },
        smtputf8: envelope.is_some_and(|envelope| envelope.smtputf8),
        pipelined: false,
    }
}

fn certificate(shown: &ShownCertificate) -> Certificate<'_> {
    Certificate {
        fingerprint: &shown.fingerprint,
        key_fingerprint: &shown.key_fingerprint,
        name: &shown.name,
        issuer: &shown.issuer,
        trusted: shown.trusted,
    }
}

/// Our own postmaster is accepted as `postmaster`, whatever the lists say (RFC 5321 section 4.5.1).
fn shown<'a>(recipient: &'a Recipient, listener: &Listener) -> &'a str {
    match listener.served().has_postmaster(&recipient.address) {
        true => "postmaster",
        false => recipient.address.as_str(),
    }
}

const fn known(name: &str) -> HostName<'_> {
    HostName::Known(name)
}

/// The restriction `sleep`, as far as the session's time limit allows; a stop is not waited for.
async fn delay(outcome: &Outcome, listener: &Listener) {
    if outcome.delay > 0 {
        let delay = Duration::from_secs(outcome.delay).min(listener.timeout());
        let stopped = listener.shared().stop.cancelled();
        // Either way it is time to answer.
        let _ = tokio::time::timeout(delay, stopped).await;
    }
}

fn event(
    decision: &Decision,
    action: RuleAction,
    step: ProtocolState,
    listener: &Listener,
    transaction: TransactionSummary,
) -> RuleApplied {
    let Decision { text, restriction, place, .. } = decision;
    let rule = match place {
        Some(place) => format!("{restriction}: {place}"),
        None => restriction.to_string(),
    };
    RuleApplied {
        id: None,
        listener: listener.name().into(),
        action,
        about: stage(step).into(),
        rule: rule.into(),
        text: text.clone(),
        transaction,
    }
}

fn summary(session: &Session, recipient: Option<&Recipient>) -> TransactionSummary {
    let envelope = session.transaction();
    let first = || envelope?.recipients.first();
    TransactionSummary {
        client: session.client().clone(),
        sender: envelope.map_or(ReversePath::Null, |envelope| envelope.sender.clone()),
        recipient: recipient.or_else(first).map(|recipient| recipient.address.clone()),
        protocol: session.protocol(),
        helo: session.helo().unwrap_or("unknown").into(),
    }
}

/// What the log calls the step.
const fn stage(step: ProtocolState) -> &'static str {
    match step {
        ProtocolState::Connect => "CONNECT",
        ProtocolState::Helo => "HELO",
        ProtocolState::Mail => "MAIL",
        ProtocolState::Rcpt => "RCPT",
        ProtocolState::Data => "DATA",
        ProtocolState::EndOfMessage => "END-OF-MESSAGE",
    }
}

/// The event's word for a decision; none for those that have a line of another kind.
const fn action(kind: DecisionKind) -> Option<RuleAction> {
    Some(match kind {
        DecisionKind::Reject | DecisionKind::Trouble => return None,
        DecisionKind::RejectWarning => RuleAction::RejectWarning,
        DecisionKind::Filter => RuleAction::Filter,
        DecisionKind::Hold => RuleAction::Hold,
        DecisionKind::Discard => RuleAction::Discard,
        DecisionKind::Redirect => RuleAction::Redirect,
        DecisionKind::Bcc => RuleAction::Bcc,
        DecisionKind::Prepend => RuleAction::Prepend,
        DecisionKind::Info => RuleAction::Info,
        DecisionKind::Warn => RuleAction::Warn,
    })
}
