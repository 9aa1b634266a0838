//! The text log: every event as the line, or lines, that Postfix would write.
//!
//! pflogsumm, fail2ban and Postfix exporters read these shapes (`conventions.md`, section 6);
//! `tests/tests/pflogsumm.rs` and `super::tests` hold them to it. The service in the tag of a
//! listener is `smtpd`, `submission/smtpd` or `smtps/smtpd`, since the tools know no other; the
//! label of the listener is in the JSON log.

use mailweir_mail::{
    ConnectFailure, Cutoff, DeliveryReport, HeldBy, MailEvent, Points, ProbeStatus, QueueId,
    Received, Refused, ReportKind, RuleApplied, Scored, ScoredBy, SessionEvent, TransactionSummary,
};

use super::{OWN_MAIL, Stamp, line::Line};

/// Appends the lines of `event`.
pub(super) fn mail(event: &MailEvent, stamp: &Stamp<'_>, out: &mut Vec<u8>) {
    let mut log = Log { stamp, out };
    match event {
        MailEvent::Received(received) => log.received(received),
        MailEvent::Held { id, reason, by: HeldBy::Rule(transaction) } => {
            log.end_of_message(*id, "hold", reason.as_str(), transaction);
        }
        MailEvent::Held { id, reason, by: HeldBy::Order } => log.line("postsuper", |line| {
            line.id(*id).raw("placed on hold: ").peer(reason.as_str());
        }),
        MailEvent::RuleApplied(rule) => log.rule(rule),
        MailEvent::Scored(scored) => log.scored(scored),
        MailEvent::Discarded { id, reason, transaction } => {
            log.end_of_message(*id, "discard", reason, transaction);
        }
        MailEvent::Released { id, by } => log.operated(*id, "released from hold", by),
        MailEvent::Requeued { id, by } => log.operated(*id, "requeued", by),
        MailEvent::Deleted { id, by } => log.operated(*id, "removed", by),
        MailEvent::Delivered(report) => log.delivery("smtp", "sent", report),
        MailEvent::Deferred(report) => log.delivery("smtp", "deferred", report),
        MailEvent::Bounced(report) => log.delivery("smtp", "bounced", report),
        MailEvent::Expired(report) => log.delivery("qmgr", "expired, returned to sender", report),
        MailEvent::Probed { report, status } => log.delivery("smtp", probed(*status), report),
        MailEvent::AnswerLost { id, relay } => log.line("smtp", |line| {
            line.id(*id).raw("lost connection with ").peer(relay);
            line.raw(" while sending end of data -- message may be sent more than once");
        }),
        MailEvent::Reported { id, report, kind } => log.line("bounce", |line| {
            line.id(*id).raw(notification(*kind)).raw(": ").value(report);
        }),
        MailEvent::Removed { id } => log.line("qmgr", |line| {
            line.id(*id).raw("removed");
        }),
        MailEvent::Corrupt { id, reason } => log.line("qmgr", |line| {
            line.raw("error: ").id(*id).raw("message is corrupt and kept for rescue: ");
            line.peer(reason);
        }),
    }
}

/// Appends the line of `event`.
pub(super) fn session(event: &SessionEvent, stamp: &Stamp<'_>, out: &mut Vec<u8>) {
    let mut log = Log { stamp, out };
    match event {
        SessionEvent::Connected { listener, client } => log.line(smtpd(listener), |line| {
            line.raw("connect from ").client(client);
        }),
        SessionEvent::Disconnected { listener, client, tally } => {
            log.line(smtpd(listener), |line| {
                line.raw("disconnect from ").client(client).raw(" ").peer(tally);
            });
        }
        SessionEvent::Lost { listener, client, after, cause } => {
            log.line(smtpd(listener), |line| {
                line.raw(cutoff(*cause)).raw(" after ").raw(after).raw(" from ").client(client);
            })
        }
        SessionEvent::Refused(refused) if refused.id.is_some() => {}
        SessionEvent::Refused(refused) => log.refused(refused),
        SessionEvent::AuthFailed { listener, client, mechanism, reason } => {
            log.line(smtpd(listener), |line| {
                line.raw("warning: ").client(client).raw(": SASL ").peer(mechanism);
                line.raw(" authentication failed: ").peer(reason);
            });
        }
        SessionEvent::NameUnconfirmed { listener, client, name } => {
            log.line(smtpd(listener), |line| {
                line.raw("warning: hostname ").peer(name);
                line.raw(" does not resolve to address ").value(client.ip());
            });
        }
        SessionEvent::ConnectFailed { peer, failure } => log.line("smtp", |line| {
            line.raw("connect to ").peer(peer).raw(": ").peer(connect_failure(failure));
        }),
        SessionEvent::TlsAgreed { peer, inbound, trust, summary } => {
            let (service, direction) = if *inbound { ("smtpd", "from") } else { ("smtp", "to") };
            log.line(service, |line| {
                line.raw(trust).raw(" TLS connection established ").raw(direction).raw(" ");
                line.peer(peer).raw(": ").peer(&summary.version).raw(" with cipher ");
                line.peer(&summary.cipher).raw(" (").value(summary.bits).raw("/");
                line.value(summary.bits).raw(" bits)");
            });
        }
        SessionEvent::TlsFailed { peer, inbound: true, reason } => log.line("smtpd", |line| {
            line.raw("SSL_accept error from unknown[").value(peer.ip().to_canonical());
            line.raw("]: ").peer(reason);
        }),
        SessionEvent::TlsFailed { peer, inbound: false, reason } => log.line("smtp", |line| {
            line.raw("SSL_connect error to ").value(peer).raw(": ").peer(reason);
        }),
        SessionEvent::Judged { text, .. } => log.line("milter", |line| {
            line.peer(text);
        }),
        SessionEvent::Warning { part, text } => log.line(part, |line| {
            line.raw("warning: ").peer(text);
        }),
        SessionEvent::Notice { part, text } => log.line(part, |line| {
            line.peer(text);
        }),
    }
}

struct Log<'a> {
    stamp: &'a Stamp<'a>,
    out: &'a mut Vec<u8>,
}

impl Log<'_> {
    /// One line: `Nov 20 21:30:00 host postfix/service[pid]: ...`.
    fn line(&mut self, service: &str, write: impl FnOnce(&mut Line<'_>)) {
        let options = self.stamp.options;
        let mut line = Line::new(self.out);
        line.raw(self.stamp.time.second()).raw(" ").raw(&options.hostname).raw(" postfix/");
        line.raw(service).raw("[").value(options.pid).raw("]: ");
        write(&mut line);
        line.raw("\n");
    }

    fn received(&mut self, mail: &Received) {
        // As in Postfix, mail of our own has no client and is no received mail.
        if &*mail.listener != OWN_MAIL {
            self.line(smtpd(&mail.listener), |line| {
                line.id(mail.id).raw("client=").client(&mail.client);
                if let Some(login) = &mail.login {
                    line.raw(", sasl_method=").peer(&login.mechanism);
                    line.raw(", sasl_username=").peer(&login.user);
                }
            });
        }
        self.line("cleanup", |line| {
            let message_id = mail.message_id.as_deref().unwrap_or("<>");
            line.id(mail.id).raw("message-id=").peer(message_id);
        });
        self.line("qmgr", |line| {
            line.id(mail.id).raw("from=<").peer(mail.sender.as_str()).raw(">, size=");
            line.value(mail.size).raw(", nrcpt=").value(mail.recipients).raw(" (queue active)");
        });
    }

    fn end_of_message(
        &mut self,
        id: QueueId,
        action: &str,
        rule: &str,
        transaction: &TransactionSummary,
    ) {
        self.line("cleanup", |line| {
            line.id(id).raw(action).raw(": END-OF-MESSAGE from ").client(&transaction.client);
            line.raw(": ").peer(rule);
            of_transaction(transaction, line);
        });
    }

    /// What adds nothing is not worth the room.
    fn scored(&mut self, scored: &Scored) {
        self.line("spam", |line| {
            line.id(scored.id).raw(scored.action.as_str()).raw(": score=").value(scored.score);
            let mut reasons = scored.reasons.iter().filter(|one| one.adds != Points::ZERO);
            for ScoredBy { symbol, adds, seen } in reasons.by_ref().take(MOST_REASONS) {
                line.raw(" ").raw(symbol).raw("=").value(adds);
                if !seen.is_empty() {
                    line.raw(" \"").peer(&seen.replace('"', "'")).raw("\"");
                }
            }
            if let more @ 1.. = reasons.count() {
                line.raw(" and ").value(more).raw(" more");
            }
            of_transaction(&scored.transaction, line);
        });
    }

    /// As Postfix's cleanup and smtpd say it: the one puts the text behind the transaction, the other
    /// in front. The rule itself, which they do not name, comes last.
    fn rule(&mut self, rule: &RuleApplied) {
        let service = if rule.id.is_some() { "cleanup" } else { smtpd(&rule.listener) };
        self.line(service, |line| {
            match rule.id {
                Some(id) => line.id(id),
                None => line.raw("NOQUEUE: "),
            };
            line.raw(rule.action.as_str()).raw(": ").peer(&rule.about);
            line.raw(" from ").client(&rule.transaction.client);
            if rule.id.is_none() && !rule.text.is_empty() {
                line.raw(": ").peer(&rule.text);
            }
            of_transaction(&rule.transaction, line);
            if rule.id.is_some() && !rule.text.is_empty() {
                line.raw(": ").peer(&rule.text);
            }
            line.raw(" (").peer(&rule.rule).raw(")");
        });
    }

    fn operated(&mut self, id: QueueId, what: &str, by: &str) {
        self.line("postsuper", |line| {
            line.id(id).raw(what).raw(" (").peer(by).raw(")");
        });
    }

    fn delivery(&mut self, service: &str, status: &str, report: &DeliveryReport) {
        let delays = &report.delays;
        self.line(service, |line| {
            line.id(report.id).raw("to=<").peer(report.to.as_str()).raw(">");
            if let Some(original) = report.original.as_ref().filter(|to| **to != report.to) {
                line.raw(", orig_to=<").peer(original.as_str()).raw(">");
            }
            line.raw(", relay=");
            line.peer(report.relay.as_deref().unwrap_or("none"));
            line.raw(", delay=").seconds(delays.total());
            line.raw(", delays=").seconds(delays.before_queue).raw("/").seconds(delays.in_queue);
            line.raw("/").seconds(delays.setup).raw("/").seconds(delays.transmission);
            line.raw(", dsn=").value(report.dsn).raw(", status=").raw(status);
            line.raw(" (").peer(&report.text).raw(")");
        });
    }

    fn refused(&mut self, refused: &Refused) {
        let reply = &refused.reply;
        self.line(smtpd(&refused.listener), |line| {
            line.raw("NOQUEUE: reject: ").raw(refused.command).raw(" from ");
            line.client(&refused.client).raw(": ").value(reply.code).raw(" ");
            line.value(reply.enhanced_or_general());
            reply.text.lines().for_each(|text| {
                line.raw(" ").peer(text);
            });
            let mut mark = ";";
            let mut detail = |name: &str, value: &str, close: &str| {
                line.raw(std::mem::take(&mut mark)).raw(name).peer(value).raw(close);
            };
            if let Some(sender) = &refused.sender {
                detail(" from=<", sender.as_str(), ">");
            }
            if let Some(recipient) = &refused.recipient {
                detail(" to=<", recipient.as_str(), ">");
            }
            if let Some(protocol) = refused.protocol {
                detail(" proto=", protocol.as_str(), "");
            }
            if let Some(helo) = &refused.helo {
                detail(" helo=<", helo, ">");
            }
            if let Some(rule) = &refused.rule {
                line.raw(" (").peer(rule).raw(")");
            }
        });
    }
}

impl Line<'_> {
    fn id(&mut self, id: QueueId) -> &mut Self {
        self.value(id).raw(": ")
    }
}

/// What Postfix appends to a line about what was decided in a transaction.
fn of_transaction(transaction: &TransactionSummary, line: &mut Line<'_>) {
    line.raw("; from=<").peer(transaction.sender.as_str()).raw(">");
    if let Some(recipient) = &transaction.recipient {
        line.raw(" to=<").peer(recipient.as_str()).raw(">");
    }
    line.raw(" proto=").raw(transaction.protocol.as_str());
    line.raw(" helo=<").peer(&transaction.helo).raw(">");
}

fn smtpd(listener: &str) -> &'static str {
    match listener {
        "submission" => "submission/smtpd",
        "submissions" | "smtps" => "smtps/smtpd",
        _ => "smtpd",
    }
}

const fn cutoff(cause: Cutoff) -> &'static str {
    match cause {
        Cutoff::LostConnection => "lost connection",
        Cutoff::Timeout => "timeout",
        Cutoff::TooManyErrors => "too many errors",
        Cutoff::ImproperPipelining => "improper command pipelining",
    }
}

fn connect_failure(failure: &ConnectFailure) -> &str {
    match failure {
        ConnectFailure::TimedOut => "Connection timed out",
        ConnectFailure::Other(reason) => reason,
    }
}

/// Postfix has one word for all that is not good; the status code in front of it tells.
const fn probed(status: ProbeStatus) -> &'static str {
    match status {
        ProbeStatus::Deliverable => "deliverable",
        ProbeStatus::Undeliverable | ProbeStatus::Deferred => "undeliverable",
    }
}

const fn notification(kind: ReportKind) -> &'static str {
    match kind {
        ReportKind::Failure => "sender non-delivery notification",
        ReportKind::Delay => "sender delay notification",
        ReportKind::Success => "sender delivery status notification",
    }
}

/// Parts of a score on one line.
const MOST_REASONS: usize = 40;
