use std::{
    io::{self, Write},
    sync::{Arc, Condvar, Mutex},
    time::Duration,
};

use mailweir_mail::{
    Address, Client, ConnectFailure, Cutoff, Delays, DeliveryReport, Enhanced, HeldBy, HoldReason,
    Login, MailEvent, Points, ProbeStatus, Protocol, QueueId, Received, Refused, Reply, ReportKind,
    ReversePath, RuleAction, RuleApplied, Scored, ScoredBy, SessionEvent, SpamAction, Timestamp,
    TlsSummary, TransactionSummary,
};
use regex::Regex;

use super::{ArchiveGauges, Gauges, Level, LogFormat, LogInGauges, LogOptions, Observer};

#[test]
fn every_event_has_the_line_that_postfix_would_write() {
    assert_golden(&log_of_everything(LogFormat::Text), include_str!("golden/log.txt"));
}

#[test]
fn every_event_has_a_json_object() {
    let log = log_of_everything(LogFormat::Json);
    assert_golden(&log, include_str!("golden/log.jsonl"));
    for line in log.lines() {
        let object: serde_json::Value = serde_json::from_str(line).expect(line);
        assert!(["ts", "level", "event"].iter().all(|key| object[key].is_string()), "{line}");
    }
}

#[test]
fn the_sample_line_of_the_manual_about_a_score_is_that_of_its_sample_field() {
    let manual = include_str!("../../../docs/spam.md");
    let (_, field) = manual.split_once("\nX-Mailweir-Spam: ").unwrap();
    let field = field.split_once("\n```").unwrap().0.replace("\n\t", " ");
    let mut items = field.split("; ");
    let points = |text: &str| Points::from_tenths(text.replace('.', "").parse().unwrap());
    let score = points(items.next().unwrap());
    let reasons = items.map(|item| {
        let (symbol, item) = item.split_once(' ').unwrap();
        let (adds, seen) = item.split_once(' ').unwrap_or((item, ""));
        let symbol = symbol.to_owned().leak();
        ScoredBy { symbol, adds: points(adds), seen: seen.trim_matches('"').into() }
    });
    let scored = Scored {
        id: id(1),
        listener: "mx".into(),
        score,
        reasons: reasons.collect(),
        action: SpamAction::Quarantine,
        transaction: TransactionSummary {
            sender: address("x@other.example").into(),
            recipient: Some(address("ann@example.org")),
            helo: "mx.other.example".into(),
            ..transaction()
        },
    };
    assert!(scored.reasons.len() > 3, "{:?}", scored.reasons);
    let line = logged(LogFormat::Text, |observer| {
        observer.mail(&MailEvent::Scored(Box::new(scored.clone())));
    });
    let said = line.split_once(": quarantine: ").unwrap().1.trim_end();
    assert!(manual.contains(&format!(": quarantine: {said}\n")), "docs/spam.md should say: {said}");
}

#[test]
fn every_event_is_counted() {
    let observer = observer(LogFormat::Text, Level::Info, Sink::default());
    observe_everything(&observer);
    let gauges = Gauges {
        ready: 1,
        delivering: 2,
        deferred: 3,
        held: 4,
        corrupt: 5,
        oldest: Duration::from_millis(1_500),
        uptime: Duration::from_secs(60),
        logins: LogInGauges {
            waiting_addresses: 6,
            waiting_accounts: 7,
            throttled: 8,
            backends: vec![("users".into(), true), ("ldap".into(), true)],
        },
        archive: Some(ArchiveGauges {
            waiting: 9,
            lag: Duration::from_millis(2_500),
            is_writable: true,
            not_indexed: Some(3),
            last_record: Some(10),
        }),
        ..Gauges::default()
    };
    let text = observer.render(&gauges).replace(env!("CARGO_PKG_VERSION"), "0.0.0");
    assert_golden(&text, include_str!("golden/metrics.txt"));
    let zero: Vec<_> = text.lines().filter(|line| line.ends_with(" 0")).collect();
    let quiet = ["mailweir_sessions 0", "mailweir_connections 0", "mailweir_log_lost_total 0"];
    let unexpected = zero.iter().filter(|line| {
        !quiet.contains(line) && !line.contains("_bucket{") && !line.contains("_fsync_")
    });
    assert_eq!(unexpected.count(), 0, "an event without a counter: {zero:#?}");
}

#[test]
fn the_patterns_of_the_postfix_exporter_match() {
    let log = log_of_everything(LogFormat::Text);
    for line in log.lines() {
        assert!(regex(r" ?(postfix)(/([\w_\.+/-]+))?\[\d+\]: (.*)").is_match(line), "{line}");
    }
    let bodies: Vec<_> = log.lines().filter_map(|line| Some(line.split_once("]: ")?.1)).collect();
    for (pattern, matches) in [
        (r"^connect from ", 1),
        (r"^disconnect from ", 1),
        (r": client=.*, sasl_method=(\S+)", 1),
        (r"^NOQUEUE: reject: RCPT from \S+: ([0-9]+) ", 1),
        (r"^(?:NOQUEUE: )?lost connection after (\w+) from ", 1),
        (r"^warning: \S+: SASL \S+ authentication failed: ", 1),
        (r"^warning: hostname \S+ does not resolve to address ", 1),
        (
            r"^(\S+) TLS connection established from \S+: (\S+) with cipher (\S+) \((\d+)/(\d+) bits\)",
            1,
        ),
        (
            r"^(\S+) TLS connection established to \S+: (\S+) with cipher (\S+) \((\d+)/(\d+) bits\)",
            1,
        ),
        (r"^connect\s+to\s+(.*)\[(.*)\]:(\d+):\s+(Connection timed out)$", 1),
        (r": message-id=<", 2),
        (r":.*, size=(\d+), nrcpt=(\d+) ", 2),
        (r": removed$", 1),
        (r":.*, status=(expired|force-expired), returned to sender", 1),
        (
            r", relay=(\S+), .*, delays=([0-9\.]+)/([0-9\.]+)/([0-9\.]+)/([0-9\.]+), dsn=(\d\.\d+\.\d+), status=(\w+) ",
            6,
        ),
        (r": sender non-delivery notification: ", 1),
    ] {
        let pattern = regex(pattern);
        let found = bodies.iter().filter(|body| pattern.is_match(body)).count();
        assert_eq!(found, matches, "{pattern}");
    }
}

#[test]
fn the_stock_patterns_of_fail2ban_match() {
    let log = log_of_everything(LogFormat::Text);
    let prefix = r"(?:\S+ )?postfix(-\w+)?/\w+(?:/smtp[ds])?(?:\[\d+\])?:?\s+";
    let host = r"\[192\.0\.2\.1\]";
    for content in [
        format!(
            r"\w+: (?:milter-)?reject: [A-Z]{{4}} from [^\[]*{host}: [45][50][04] [45]\.\d\.\d+ (?:(?:<[^>]*>)?: )?(?:(?:Helo command|(?:Sender|Recipient) address) rejected: )?(?:Service unavailable|(?:Client host|Command|Data command) rejected|Relay access denied|(?:Host|Domain) not found|need fully-qualified hostname|match)\b"
        ),
        format!(r"(?:improper command pipelining|too many errors) after \S+ from [^\[]*{host}:?"),
        format!(
            r"warning: [^\[]*{host}: SASL (?i:LOGIN|PLAIN|(?:CRAM|DIGEST)-MD5) authentication failed:"
        ),
        r"disconnect from \S+(?: \S+=\d+)* auth=0/(?:[1-9]|\d\d+)".to_owned(),
    ] {
        let pattern = regex(&format!("(?m)^.{{15}} {prefix}{content}"));
        assert!(pattern.is_match(&log), "{pattern}");
    }
}

#[test]
fn what_peers_say_stays_on_one_line_and_commands_no_terminal() {
    let nasty = "a\r\nNov 20 21:30:05 gate postfix/qmgr[1]: x: removed\u{1b}[2J\u{9b}31m\u{202e}\0";
    let event = |_: ()| {
        SessionEvent::Refused(Box::new(Refused {
            listener: "mx".into(),
            client: Client { name: Some(nasty.into()), ..stranger() },
            command: "RCPT",
            reply: Reply::with_text(550, Enhanced(5, 1, 1), nasty.to_owned()),
            sender: None,
            recipient: None,
            protocol: Some(Protocol::Esmtp),
            helo: Some(nasty.into()),
            rule: Some(nasty.into()),
            id: None,
        }))
    };
    for format in [LogFormat::Text, LogFormat::Json] {
        let log = logged(format, |observer| observer.session(&event(())));
        assert_eq!(log.lines().count(), 1, "{log}");
        assert!(log.ends_with('\n'));
        assert!(!log.trim_end().contains(|c: char| c.is_control() || c == '\u{202e}'), "{log:?}");
    }
}

#[test]
fn a_refusal_that_a_rule_has_logged_is_counted_and_has_no_second_line() {
    let SessionEvent::Refused(refused) =
        refusal("END-OF-MESSAGE", Reply::new(550, Enhanced(5, 7, 1), "no"))
    else {
        unreachable!()
    };
    let event = SessionEvent::Refused(Box::new(Refused { id: Some(id(1)), ..*refused }));
    let sink = Sink::default();
    let observer = observer(LogFormat::Text, Level::Info, sink.clone());
    observer.session(&event);
    assert!(observer.flush(PATIENCE));
    assert_eq!(sink.text(), "");
    let counted = "mailweir_refused_total{command=\"END-OF-MESSAGE\",code=\"550\"} 1";
    assert!(observer.render(&Gauges::default()).contains(counted));
    let json = logged(LogFormat::Json, |observer| observer.session(&event));
    assert!(json.contains(&format!("\"qid\":\"{}\"", id(1))), "{json}");
}

#[test]
fn delays_are_printed_with_two_digits_as_postfix_does() {
    for (micros, text) in [
        (0, "0"),
        (4_999, "0"),
        (5_000, "0.01"),
        (20_000, "0.02"),
        (500_000, "0.5"),
        (994_999, "0.99"),
        (995_000, "1"),
        (1_240_000, "1.2"),
        (9_949_999, "9.9"),
        (9_950_000, "10"),
        (12_345_678, "12"),
        (86_400_000_000, "86400"),
    ] {
        let mut out = Vec::new();
        super::line::Line::new(&mut out).seconds(Duration::from_micros(micros));
        assert_eq!(String::from_utf8(out).unwrap(), text, "{micros}");
    }
}

#[test]
fn a_level_leaves_out_what_matters_less() {
    let sink = Sink::default();
    let observer = observer(LogFormat::Text, Level::Warning, sink.clone());
    observe_everything(&observer);
    assert!(observer.flush(PATIENCE));
    let log = sink.text();
    assert!(log.contains("authentication failed"), "{log}");
    assert!(log.contains("error: "), "{log}");
    assert!(!log.contains("status=sent"), "{log}");
}

#[test]
fn a_log_that_nobody_reads_holds_up_no_mail_and_what_it_lost_is_counted() {
    let sink = Sink::default();
    sink.block();
    let observer = observer(LogFormat::Text, Level::Info, sink.clone());
    let event = MailEvent::Removed { id: id(1) };
    for _ in 0..100_000 {
        observer.mail(&event);
    }
    assert!(!observer.flush(Duration::ZERO));
    sink.unblock();
    assert!(observer.flush(PATIENCE));
    let lost = metric(&observer, "mailweir_log_lost_total");
    let written = sink.text().lines().filter(|line| line.ends_with("removed")).count() as u64;
    assert!(lost > 0);
    assert_eq!(lost + written, 100_000);
    assert_eq!(metric(&observer, "postfix_qmgr_messages_removed_total"), 100_000);
    observer.mail(&event);
    assert!(observer.flush(PATIENCE));
    assert!(sink.text().contains(&format!("warning: {lost} log events were lost")));
}

#[test]
fn a_full_disk_loses_lines_and_nothing_else() {
    let sink = Sink::default();
    sink.fail(true);
    let observer = observer(LogFormat::Text, Level::Info, sink.clone());
    observer.mail(&MailEvent::Removed { id: id(1) });
    assert!(observer.flush(PATIENCE));
    assert_eq!(metric(&observer, "mailweir_log_lost_total"), 1);
    sink.fail(false);
    observer.mail(&MailEvent::Removed { id: id(2) });
    assert!(observer.flush(PATIENCE));
    assert!(sink.text().ends_with("removed\n"), "{}", sink.text());
}

#[test]
fn many_lines_share_a_write() {
    let sink = Sink::default();
    sink.block();
    let observer = observer(LogFormat::Json, Level::Info, sink.clone());
    for _ in 0..1_000 {
        observer.mail(&MailEvent::Removed { id: id(1) });
    }
    sink.unblock();
    assert!(observer.flush(PATIENCE));
    assert_eq!(sink.text().lines().count(), 1_000);
    assert!(sink.writes() <= 2, "{} writes", sink.writes());
}

#[test]
fn the_words_of_the_configuration_are_read() {
    assert_eq!("plain".parse(), Ok(LogFormat::Text));
    assert_eq!("json".parse(), Ok(LogFormat::Json));
    assert_eq!("warning".parse(), Ok(Level::Warning));
    let error = "verbose".parse::<Level>().unwrap_err();
    assert_eq!(error.to_string(), "expected one of: error, warning, info");
}

/// Compares line by line.
fn assert_golden(actual: &str, expected: &str) {
    for (number, (actual, expected)) in actual.lines().zip(expected.lines()).enumerate() {
        assert_eq!(actual, expected, "line {}", number + 1);
    }
    assert_eq!(actual.lines().count(), expected.lines().count());
}

fn log_of_everything(format: LogFormat) -> String {
    logged(format, observe_everything)
}

fn logged(format: LogFormat, observe: impl FnOnce(&Observer)) -> String {
    let sink = Sink::default();
    let observer = observer(format, Level::Info, sink.clone());
    observe(&observer);
    assert!(observer.flush(PATIENCE));
    sink.text()
}

fn observer(format: LogFormat, level: Level, sink: Sink) -> Observer {
    let options = LogOptions { format, level, hostname: "gate".into(), pid: 7 };
    let clock = Arc::new(|| Timestamp::from_micros(1_795_210_205_000_042));
    Observer::start(options, Box::new(sink), clock).unwrap()
}

fn metric(observer: &Observer, name: &str) -> u64 {
    let text = observer.render(&Gauges::default());
    let line = text.lines().find(|line| line.starts_with(&format!("{name} "))).expect(name);
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

fn observe_everything(observer: &Observer) {
    session_events().iter().for_each(|event| observer.session(event));
    mail_events().iter().for_each(|event| observer.mail(event));
}

fn session_events() -> Vec<SessionEvent> {
    let listener = || "submission".into();
    let mut events = vec![
        SessionEvent::Connected { listener: "mx".into(), client: named() },
        SessionEvent::NameUnconfirmed {
            listener: "mx".into(),
            client: stranger(),
            name: "forged.example".into(),
        },
        SessionEvent::TlsAgreed {
            peer: "mail.example.net[192.0.2.10]".into(),
            inbound: true,
            trust: "Anonymous",
            summary: tls(),
        },
        SessionEvent::TlsAgreed {
            peer: "mx.y.example[203.0.113.5]:25".into(),
            inbound: false,
            trust: "Untrusted",
            summary: tls(),
        },
        refusal("RCPT", Reply::new(554, Enhanced(5, 7, 1), "<x@y.example>: Relay access denied")),
        refusal("END-OF-MESSAGE", Reply::new(550, Enhanced(5, 7, 1), "Too many\nhops")),
        SessionEvent::AuthFailed {
            listener: listener(),
            client: stranger(),
            mechanism: "LOGIN".into(),
            reason: "wrong password".into(),
        },
        SessionEvent::ConnectFailed {
            peer: "mx.y.example[203.0.113.5]:25".into(),
            failure: ConnectFailure::TimedOut,
        },
        SessionEvent::ConnectFailed {
            peer: "mx.y.example[2001:db8::5]:25".into(),
            failure: ConnectFailure::Other("Connection refused".into()),
        },
        SessionEvent::Disconnected {
            listener: "submissions".into(),
            client: stranger(),
            tally: "ehlo=1 auth=0/1 commands=1/2".into(),
        },
        SessionEvent::Judged {
            listener: "mx".into(),
            told: "quarantine",
            text: "4c1 of 127.0.0.1: quarantine: a rule".into(),
        },
        SessionEvent::Warning { part: "smtpd", text: "the disk is nearly full".into() },
        SessionEvent::Notice { part: "master", text: "daemon started".into() },
    ];
    let causes = [
        Cutoff::LostConnection,
        Cutoff::Timeout,
        Cutoff::TooManyErrors,
        Cutoff::ImproperPipelining,
    ];
    events.extend(causes.map(|cause| SessionEvent::Lost {
        listener: "mx".into(),
        client: stranger(),
        after: "DATA",
        cause,
    }));
    events.extend([true, false].map(|inbound| SessionEvent::TlsFailed {
        peer: "192.0.2.1:4711".parse().unwrap(),
        inbound,
        reason: "handshake failure".into(),
    }));
    events
}

fn refusal(command: &'static str, reply: Reply) -> SessionEvent {
    SessionEvent::Refused(Box::new(Refused {
        listener: "mx".into(),
        client: stranger(),
        command,
        reply,
        sender: Some(ReversePath::Mailbox(address("a@b.example"))),
        recipient: Some(address("x@y.example")),
        protocol: Some(Protocol::Esmtp),
        helo: Some("h.example".into()),
        rule: None,
        id: None,
    }))
}

fn applied(id: Option<QueueId>, action: RuleAction) -> MailEvent {
    let (about, rule, text) = match id {
        Some(_) => {
            ("header Subject: cheap", "pcre:/etc/mailweir/header_checks, line 3", "looks odd")
        }
        None => ("RCPT", "check_client_access cidr:/etc/mailweir/clients, line 1", ""),
    };
    MailEvent::RuleApplied(Box::new(RuleApplied {
        id,
        listener: "mx".into(),
        action,
        about: about.into(),
        rule: rule.into(),
        text: text.into(),
        transaction: transaction(),
    }))
}

fn mail_events() -> Vec<MailEvent> {
    let mut events = vec![
        MailEvent::Received(Box::new(Received {
            id: id(1),
            listener: "submission".into(),
            client: named(),
            login: Some(Login { user: "alice@b.example".into(), mechanism: "PLAIN".into() }),
            message_id: Some("<1@b.example>".into()),
            sender: address("a@b.example").into(),
            size: 1_234,
            recipients: 2,
        })),
        MailEvent::Received(Box::new(Received {
            id: id(2),
            listener: "report".into(),
            client: stranger(),
            login: None,
            message_id: None,
            sender: ReversePath::Null,
            size: 999,
            recipients: 1,
        })),
        MailEvent::Held {
            id: id(1),
            reason: HoldReason::new("rule \"external attachments\""),
            by: HeldBy::Rule(Box::new(transaction())),
        },
        MailEvent::Held {
            id: id(1),
            reason: HoldReason::new("to be looked at (alice)"),
            by: HeldBy::Order,
        },
        applied(Some(id(1)), RuleAction::Warn),
        applied(None, RuleAction::Hold),
        applied(Some(id(1)), RuleAction::Ignore),
        MailEvent::Scored(Box::new(Scored {
            id: id(1),
            listener: "mx".into(),
            score: Points::from_tenths(53),
            reasons: vec![
                ScoredBy {
                    symbol: "SPF_FAIL",
                    adds: Points::from_tenths(55),
                    seen: "192.0.2.7 may not send for \"x.example\"".into(),
                },
                ScoredBy { symbol: "SPF_NONE", adds: Points::ZERO, seen: "".into() },
                ScoredBy { symbol: "DKIM_VALID", adds: Points::from_tenths(-2), seen: "".into() },
            ],
            action: SpamAction::Tag,
            transaction: transaction(),
        })),
        MailEvent::Discarded {
            id: id(3),
            reason: "rule \"spam\"".into(),
            transaction: Box::new(transaction()),
        },
        MailEvent::Released { id: id(1), by: "alice".into() },
        MailEvent::Requeued { id: id(1), by: "alice".into() },
        MailEvent::Deleted { id: id(1), by: "alice".into() },
        MailEvent::Delivered(attempt(Enhanced(2, 0, 0), "250 2.0.0 OK")),
        MailEvent::Deferred(attempt(Enhanced(4, 2, 2), "452 4.2.2 Mailbox full")),
        MailEvent::Bounced(DeliveryReport {
            original: Some(address("alias@y.example")),
            ..attempt(Enhanced(5, 1, 1), "550 5.1.1 No such user")
        }),
        MailEvent::Expired(DeliveryReport {
            relay: None,
            ..attempt(Enhanced(4, 4, 7), "delivery time expired")
        }),
        MailEvent::AnswerLost { id: id(1), relay: "mx.y.example[203.0.113.5]:25".into() },
    ];
    events.extend(probes());
    let kinds = [ReportKind::Failure, ReportKind::Delay, ReportKind::Success];
    let reported = |kind| MailEvent::Reported { id: id(1), report: id(2), kind };
    events.extend(kinds.map(reported));
    events.push(MailEvent::Removed { id: id(1) });
    events.push(MailEvent::Corrupt { id: id(1), reason: "checksum differs".into() });
    events
}

fn probes() -> [MailEvent; 3] {
    let refusal =
        "host mx.y.example[203.0.113.5] said: 550 5.1.1 unknown (in reply to RCPT TO command)";
    let unreached = "connect to mx.y.example[203.0.113.5]:25: Connection refused";
    let unreached = DeliveryReport { relay: None, ..attempt(Enhanced(4, 4, 1), unreached) };
    [
        (attempt(Enhanced(2, 1, 5), "250 2.1.5 Ok"), ProbeStatus::Deliverable),
        (attempt(Enhanced(5, 1, 1), refusal), ProbeStatus::Undeliverable),
        (unreached, ProbeStatus::Deferred),
    ]
    .map(|(report, status)| MailEvent::Probed { report, status })
}

fn attempt(dsn: Enhanced, text: &str) -> DeliveryReport {
    DeliveryReport {
        id: id(1),
        to: address("x@y.example"),
        original: None,
        relay: Some("mx.y.example[203.0.113.5]:25".into()),
        delays: Delays {
            before_queue: Duration::from_millis(100),
            in_queue: Duration::from_millis(20),
            setup: Duration::from_millis(500),
            transmission: Duration::from_millis(620),
        },
        dsn,
        text: text.into(),
    }
}

fn id(serial: u32) -> QueueId {
    QueueId::new(Timestamp::from_micros(1_795_210_205_000_042), serial)
}

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn stranger() -> Client {
    Client::unnamed("192.0.2.1:4711".parse().unwrap())
}

fn named() -> Client {
    Client { address: "192.0.2.10:4711".parse().unwrap(), name: Some("mail.example.net".into()) }
}

fn tls() -> TlsSummary {
    TlsSummary { version: "TLSv1.3".into(), cipher: "TLS_AES_256_GCM_SHA384".into(), bits: 256 }
}

fn transaction() -> TransactionSummary {
    TransactionSummary {
        client: named(),
        sender: address("a@b.example").into(),
        recipient: Some(address("x@y.example")),
        protocol: Protocol::Esmtp,
        helo: "h.example".into(),
    }
}

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).unwrap()
}

/// A sink that keeps what is written, and can be made to block or to fail.
#[derive(Clone, Default)]
struct Sink {
    shared: Arc<(Mutex<SinkState>, Condvar)>,
}

#[derive(Default)]
struct SinkState {
    bytes: Vec<u8>,
    writes: usize,
    blocked: bool,
    failing: bool,
}

impl Sink {
    fn set(&self, change: impl FnOnce(&mut SinkState)) {
        change(&mut self.shared.0.lock().unwrap());
        self.shared.1.notify_all();
    }

    fn block(&self) {
        self.set(|state| state.blocked = true);
    }

    fn unblock(&self) {
        self.set(|state| state.blocked = false);
    }

    fn fail(&self, failing: bool) {
        self.set(|state| state.failing = failing);
    }

    fn text(&self) -> String {
        String::from_utf8(self.shared.0.lock().unwrap().bytes.clone()).unwrap()
    }

    fn writes(&self) -> usize {
        self.shared.0.lock().unwrap().writes
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let state = self.shared.0.lock().unwrap();
        let mut state = self.shared.1.wait_while(state, |state| state.blocked).unwrap();
        if state.failing {
            return Err(io::ErrorKind::StorageFull.into());
        }
        state.writes += 1;
        state.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Longer than any machine needs.
const PATIENCE: Duration = Duration::from_secs(60);
