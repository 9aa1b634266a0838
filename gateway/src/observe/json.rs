//! The JSON log: one object a line for every event.
//!
//! The keys are stable: `ts`, `level`, `event`, `qid`, `client`, `sasl_user`, `from`, `to`,
//! `relay`, `dsn`, `status`, `reply`, `rule` and `ms` (`conventions.md`, section 6), and a few
//! that only single events have. A key without a value is left out.

use std::net::SocketAddr;

use mailweir_mail::{
    Client, ConnectFailure, Cutoff, DeliveryReport, HeldBy, MailEvent, QueueId, Received, Refused,
    ReportKind, RuleApplied, Scored, ScoredBy, SessionEvent, TransactionSummary,
};

use super::{Stamp, line::Line};

/// Appends the object of `event`.
pub(super) fn mail(event: &MailEvent, stamp: &Stamp<'_>, out: &mut Vec<u8>) {
    let mut object = Object::begin(stamp, mail_name(event), out);
    match event {
        MailEvent::Received(received) => object.received(received),
        MailEvent::Held { id, reason, by: HeldBy::Rule(transaction) } => {
            object.id(*id).text("rule", reason.as_str()).transaction(transaction)
        }
        MailEvent::Held { id, reason, by: HeldBy::Order } => {
            object.id(*id).text("rule", reason.as_str())
        }
        MailEvent::RuleApplied(rule) => object.rule(rule),
        MailEvent::Scored(scored) => object.scored(scored),
        MailEvent::Discarded { id, reason, transaction } => {
            object.id(*id).text("rule", reason).transaction(transaction)
        }
        MailEvent::Released { id, by }
        | MailEvent::Requeued { id, by }
        | MailEvent::Deleted { id, by } => object.id(*id).text("by", by),
        MailEvent::Delivered(report) => object.delivery("sent", report),
        MailEvent::Deferred(report) => object.delivery("deferred", report),
        MailEvent::Bounced(report) => object.delivery("bounced", report),
        MailEvent::Expired(report) => object.delivery("expired", report),
        MailEvent::Probed { report, status } => object.delivery(status.as_str(), report),
        MailEvent::AnswerLost { id, relay } => object.id(*id).text("relay", relay),
        MailEvent::Reported { id, report, kind } => {
            object.id(*id).shown("report", report).text("kind", kind_name(*kind))
        }
        MailEvent::Removed { id } => object.id(*id),
        MailEvent::Corrupt { id, reason } => object.id(*id).text("reason", reason),
    }
    .end();
}

/// Appends the object of `event`.
pub(super) fn session(event: &SessionEvent, stamp: &Stamp<'_>, out: &mut Vec<u8>) {
    let mut object = Object::begin(stamp, session_name(event), out);
    match event {
        SessionEvent::Connected { listener, client } => object.peer(listener, client),
        SessionEvent::Disconnected { listener, client, tally } => {
            object.peer(listener, client).text("tally", tally)
        }
        SessionEvent::Lost { listener, client, after, cause } => {
            object.peer(listener, client).text("after", after).text("cause", cutoff_name(*cause))
        }
        SessionEvent::Refused(refused) => object.refused(refused),
        SessionEvent::AuthFailed { listener, client, mechanism, reason } => {
            object.peer(listener, client).text("mechanism", mechanism).text("reason", reason)
        }
        SessionEvent::NameUnconfirmed { listener, client, name } => {
            object.peer(listener, client).text("name", name)
        }
        SessionEvent::ConnectFailed { peer, failure } => {
            object.text("relay", peer).text("reason", failure_name(failure))
        }
        SessionEvent::TlsAgreed { peer, inbound, trust, summary } => object
            .text(side(*inbound), peer)
            .text("trust", trust)
            .text("version", &summary.version)
            .text("cipher", &summary.cipher)
            .number("bits", summary.bits),
        SessionEvent::TlsFailed { peer, inbound, reason } => {
            object.shown::<SocketAddr>(side(*inbound), peer).text("reason", reason)
        }
        SessionEvent::Judged { listener, told, text } => {
            object.text("listener", listener).text("told", told).text("text", text)
        }
        SessionEvent::Warning { part, text } | SessionEvent::Notice { part, text } => {
            object.text("part", part).text("text", text)
        }
    }
    .end();
}

/// An object that is being written. Keys are our own words and need no escaping.
struct Object<'a> {
    line: Line<'a>,
}

impl<'a> Object<'a> {
    fn begin(stamp: &Stamp<'_>, event: &str, out: &'a mut Vec<u8>) -> Self {
        let mut line = Line::new(out);
        let time = stamp.time;
        line.raw("{\"ts\":\"").raw(time.second());
        line.value(format_args!(".{:06}Z", time.micros()));
        line.raw("\",\"level\":\"").raw(stamp.level.as_str());
        line.raw("\",\"event\":\"").raw(event).raw("\"");
        Self { line }
    }

    fn end(&mut self) {
        self.line.raw("}\n");
    }

    fn key(&mut self, key: &str) -> &mut Line<'a> {
        self.line.raw(",\"").raw(key).raw("\":")
    }

    fn text(&mut self, key: &str, value: &str) -> &mut Self {
        self.key(key).json(value);
        self
    }

    fn text_if(&mut self, key: &str, value: Option<&str>) -> &mut Self {
        if let Some(value) = value {
            self.text(key, value);
        }
        self
    }

    fn number(&mut self, key: &str, value: impl Into<u64>) -> &mut Self {
        self.key(key).value(value.into());
        self
    }

    /// A value whose text needs no escaping.
    fn shown<T: std::fmt::Display>(&mut self, key: &str, value: &T) -> &mut Self {
        self.key(key).raw("\"").value(value).raw("\"");
        self
    }

    fn id(&mut self, id: QueueId) -> &mut Self {
        self.shown("qid", &id)
    }

    fn client(&mut self, client: &Client) -> &mut Self {
        self.text("client", &client.to_string())
    }

    fn peer(&mut self, listener: &str, client: &Client) -> &mut Self {
        self.text("listener", listener).client(client)
    }

    fn received(&mut self, mail: &Received) -> &mut Self {
        let login = mail.login.as_ref();
        self.id(mail.id)
            .peer(&mail.listener, &mail.client)
            .text_if("sasl_method", login.map(|login| &*login.mechanism))
            .text_if("sasl_user", login.map(|login| &*login.user))
            .text("from", mail.sender.as_str())
            .text_if("message_id", mail.message_id.as_deref())
            .number("size", mail.size)
            .number("nrcpt", mail.recipients as u64)
    }

    fn transaction(&mut self, transaction: &TransactionSummary) -> &mut Self {
        self.client(&transaction.client)
            .text("from", transaction.sender.as_str())
            .text_if("to", transaction.recipient.as_ref().map(|to| to.as_str()))
            .text("proto", transaction.protocol.as_str())
            .text("helo", &transaction.helo)
    }

    fn rule(&mut self, rule: &RuleApplied) -> &mut Self {
        if let Some(id) = rule.id {
            self.id(id);
        }
        self.text("listener", &rule.listener)
            .text("action", rule.action.as_str())
            .text("about", &rule.about)
            .text("rule", &rule.rule)
            .text_if("text", Some(&*rule.text).filter(|text| !text.is_empty()))
            .transaction(&rule.transaction)
    }

    fn scored(&mut self, scored: &Scored) -> &mut Self {
        self.id(scored.id).text("listener", &scored.listener);
        self.text("action", scored.action.as_str());
        self.key("score").value(scored.score);
        self.key("symbols").raw("[");
        for (nth, ScoredBy { symbol, adds, seen }) in scored.reasons.iter().enumerate() {
            self.line.raw(if nth > 0 { "," } else { "" }).raw("{\"symbol\":\"").raw(symbol);
            self.line.raw("\",\"adds\":").value(adds).raw(",\"seen\":").json(seen).raw("}");
        }
        self.line.raw("]");
        self.transaction(&scored.transaction)
    }

    fn delivery(&mut self, status: &str, report: &DeliveryReport) -> &mut Self {
        let original = report.original.as_ref().filter(|to| **to != report.to);
        self.id(report.id)
            .text("to", report.to.as_str())
            .text_if("orig_to", original.map(|to| to.as_str()))
            .text_if("relay", report.relay.as_deref())
            .shown("dsn", &report.dsn)
            .text("status", status)
            .text("reply", &report.text)
            .number("ms", u64::try_from(report.delays.total().as_millis()).unwrap_or(u64::MAX))
    }

    fn refused(&mut self, refused: &Refused) -> &mut Self {
        if let Some(id) = refused.id {
            self.id(id);
        }
        self.peer(&refused.listener, &refused.client)
            .text("command", refused.command)
            .text_if("from", refused.sender.as_ref().map(|sender| sender.as_str()))
            .text_if("to", refused.recipient.as_ref().map(|to| to.as_str()))
            .shown("dsn", &refused.reply.enhanced_or_general())
            .text("reply", &refused.reply.to_string())
            .text_if("proto", refused.protocol.map(|protocol| protocol.as_str()))
            .text_if("helo", refused.helo.as_deref())
            .text_if("rule", refused.rule.as_deref())
    }
}

const fn mail_name(event: &MailEvent) -> &'static str {
    match event {
        MailEvent::Received(_) => "received",
        MailEvent::Held { .. } => "held",
        MailEvent::RuleApplied(_) => "rule_applied",
        MailEvent::Scored(_) => "scored",
        MailEvent::Discarded { .. } => "discarded",
        MailEvent::Released { .. } => "released",
        MailEvent::Requeued { .. } => "requeued",
        MailEvent::Deleted { .. } => "deleted",
        MailEvent::Delivered(_) => "delivered",
        MailEvent::Deferred(_) => "deferred",
        MailEvent::Bounced(_) => "bounced",
        MailEvent::Expired(_) => "expired",
        MailEvent::Probed { .. } => "probed",
        MailEvent::AnswerLost { .. } => "answer_lost",
        MailEvent::Reported { .. } => "reported",
        MailEvent::Removed { .. } => "removed",
        MailEvent::Corrupt { .. } => "corrupt",
    }
}

const fn session_name(event: &SessionEvent) -> &'static str {
    match event {
        SessionEvent::Connected { .. } => "connected",
        SessionEvent::Disconnected { .. } => "disconnected",
        SessionEvent::Lost { .. } => "lost",
        SessionEvent::Refused(_) => "refused",
        SessionEvent::AuthFailed { .. } => "auth_failed",
        SessionEvent::NameUnconfirmed { .. } => "name_unconfirmed",
        SessionEvent::ConnectFailed { .. } => "connect_failed",
        SessionEvent::TlsAgreed { .. } => "tls_agreed",
        SessionEvent::TlsFailed { .. } => "tls_failed",
        SessionEvent::Judged { .. } => "judged",
        SessionEvent::Warning { .. } => "warning",
        SessionEvent::Notice { .. } => "notice",
    }
}

const fn kind_name(kind: ReportKind) -> &'static str {
    match kind {
        ReportKind::Failure => "failure",
        ReportKind::Delay => "delay",
        ReportKind::Success => "success",
    }
}

const fn cutoff_name(cause: Cutoff) -> &'static str {
    match cause {
        Cutoff::LostConnection => "lost connection",
        Cutoff::Timeout => "timeout",
        Cutoff::TooManyErrors => "too many errors",
        Cutoff::ImproperPipelining => "improper pipelining",
    }
}

fn failure_name(failure: &ConnectFailure) -> &str {
    match failure {
        ConnectFailure::TimedOut => "timed out",
        ConnectFailure::Other(reason) => reason,
    }
}

const fn side(inbound: bool) -> &'static str {
    if inbound { "client" } else { "relay" }
}
