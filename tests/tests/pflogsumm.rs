//! pflogsumm reads our log as if Postfix had written it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fs::File, process::Command, sync::Arc, time::Duration};

use mailweir::observe::{Level, LogFormat, LogOptions, Observer};
use mailweir_mail::{
    Address, Client, Delays, DeliveryReport, Enhanced, HeldBy, HoldReason, MailEvent, ProbeStatus,
    Protocol, QueueId, Received, Refused, Reply, ReversePath, RuleAction, RuleApplied,
    SessionEvent, Timestamp, TransactionSummary,
};
use mailweir_tests::{interop, tools};

#[test]
fn pflogsumm_finds_the_right_totals() {
    if !tools::require(&["pflogsumm"]) {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("mail.log");
    write_log(File::create(&path).unwrap());
    let summary = interop::run(Command::new("pflogsumm").arg(&path), Vec::new());
    for total in [
        "5 received",
        "3 delivered",
        "1 deferred (2 deferrals)",
        "1 bounced",
        "3 rejected (42%)",
        "1 held",
        "1 discarded (14%)",
        "5000 bytes received",
        "3000 bytes delivered",
        "2 senders",
        "2 sending hosts/domains",
        "2 recipients",
        "1 recipient hosts/domains",
    ] {
        let is_total = |line: &str| line.split_whitespace().eq(total.split_whitespace());
        assert!(summary.lines().any(is_total), "{total}:\n{summary}");
    }
    for detail in [
        "4.2.2 Mailbox full",
        "No such user",
        "Relay access denied",
        "low on space",
        "Subject: advert",
    ] {
        assert!(summary.contains(detail), "{detail}:\n{summary}");
    }
}

fn write_log(file: File) {
    let options =
        LogOptions { format: LogFormat::Text, level: Level::Info, hostname: "gate".into(), pid: 7 };
    let clock = Arc::new(|| Timestamp::from_secs(1_795_210_205));
    let observer = Observer::start(options, Box::new(file), clock).unwrap();
    session_events().iter().for_each(|event| observer.session(event));
    mail_events().iter().for_each(|event| observer.mail(event));
    assert!(observer.flush(Duration::from_secs(60)));
}

/// Five mails: three are delivered, one is deferred twice, one bounces; one more is discarded, and a
/// last one refused for its content.
fn mail_events() -> Vec<MailEvent> {
    let listeners = ["mx", "submission", "submissions", "any label", "smtp"];
    let mut events: Vec<_> = (1..).zip(listeners).map(received).collect();
    events.extend([1, 2, 3].map(|mail| MailEvent::Delivered(attempt(mail, "250 2.0.0 OK"))));
    events.extend([4, 4].map(|mail| MailEvent::Deferred(attempt(mail, "452 4.2.2 Mailbox full"))));
    events.push(MailEvent::Bounced(attempt(5, "550 5.1.1 No such user")));
    // A recipient that a next hop was asked about is no mail.
    events.push(MailEvent::Probed {
        report: attempt(8, "250 2.1.5 Ok"),
        status: ProbeStatus::Deliverable,
    });
    events.push(MailEvent::Held {
        id: id(4),
        reason: HoldReason::new("external attachments"),
        by: HeldBy::Rule(Box::new(transaction())),
    });
    events.push(MailEvent::Discarded {
        id: id(6),
        reason: "spam".into(),
        transaction: Box::new(transaction()),
    });
    events.push(MailEvent::RuleApplied(Box::new(RuleApplied {
        id: Some(id(7)),
        listener: "mx".into(),
        action: RuleAction::Reject,
        about: "header Subject: advert".into(),
        rule: "pcre:/etc/mailweir/header_checks, line 1".into(),
        text: "5.7.1 no adverts".into(),
        transaction: transaction(),
    })));
    events.extend([1, 2, 3, 5].map(|mail| MailEvent::Removed { id: id(mail) }));
    events
}

fn session_events() -> Vec<SessionEvent> {
    let refused = |listener: &str, command, id| {
        SessionEvent::Refused(Box::new(Refused {
            listener: listener.into(),
            client: client(),
            command,
            reply: Reply::new(554, Enhanced(5, 7, 1), "<x@y.example>: Relay access denied"),
            sender: Some(address("a@b.example").into()),
            recipient: Some(address("x@y.example")),
            protocol: Some(Protocol::Esmtp),
            helo: Some("h.example".into()),
            rule: None,
            id,
        }))
    };
    let warning = SessionEvent::Warning { part: "smtpd", text: "low on space".into() };
    vec![
        SessionEvent::Connected { listener: "mx".into(), client: client() },
        refused("mx", "RCPT", None),
        refused("submission", "RCPT", None),
        refused("mx", "END-OF-MESSAGE", Some(id(7))),
        warning,
    ]
}

fn received((mail, listener): (u32, &str)) -> MailEvent {
    let sender = if mail == 1 { "other@c.example" } else { "a@b.example" };
    MailEvent::Received(Box::new(Received {
        id: id(mail),
        listener: listener.into(),
        client: client(),
        login: None,
        message_id: Some("<1@b.example>".into()),
        sender: ReversePath::Mailbox(address(sender)),
        size: 1_000,
        recipients: 1,
    }))
}

fn attempt(mail: u32, text: &str) -> DeliveryReport {
    let recipient = if mail == 3 { "z@y.example" } else { "x@y.example" };
    DeliveryReport {
        id: id(mail),
        to: address(recipient),
        original: None,
        relay: Some("mx.y.example[203.0.113.5]:25".into()),
        delays: Delays { in_queue: Duration::from_secs(2), ..Delays::default() },
        dsn: text[4..9].parse().unwrap(),
        text: text.into(),
    }
}

fn transaction() -> TransactionSummary {
    TransactionSummary {
        client: client(),
        sender: address("a@b.example").into(),
        recipient: Some(address("x@y.example")),
        protocol: Protocol::Esmtp,
        helo: "h.example".into(),
    }
}

fn client() -> Client {
    Client { address: "192.0.2.10:4711".parse().unwrap(), name: Some("mail.example.net".into()) }
}

fn id(serial: u32) -> QueueId {
    QueueId::new(Timestamp::from_secs(1_795_210_205), serial)
}

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}
