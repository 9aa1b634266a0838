use mailweir_mail::{
    Address, BodyType, Domain, Enhanced, EnvelopeId, Notify, OriginalRecipient, QueueId, Return,
    ReversePath, Timestamp,
};
use proptest::prelude::*;

use super::{Attempt, Composed, DEFAULT_SIZE_LIMIT, Diagnostic, Onward, Original, Outcome, Report};

#[test]
fn a_failure_looks_like_this() {
    let sample = Sample::default();
    assert_golden(&sample.failure(), include_str!("golden/failure.eml"));
}

#[test]
fn a_delay_looks_like_this() {
    let sample = Sample::default();
    let outcome = Outcome::Delayed {
        retry_until: ARRIVAL.plus(std::time::Duration::from_secs(432_000)),
        recipients: vec![Attempt {
            status: Enhanced(4, 4, 1),
            diagnostic: Diagnostic::Local("connect to mx.y.example[203.0.113.5]:25: timed out"),
            ..sample.attempt(&sample.recipient)
        }],
    };
    assert_golden(&sample.report(outcome).compose(), include_str!("golden/delay.eml"));
}

#[test]
fn a_success_looks_like_this() {
    let sample = Sample::default();
    let attempt = Attempt {
        status: Enhanced(2, 0, 0),
        diagnostic: Diagnostic::Peer { mta: "mx.y.example", reply: "250 2.0.0 OK" },
        ..sample.attempt(&sample.recipient)
    };
    let local = Attempt { recipient: &sample.sender, ..attempt.clone() };
    let outcome = Outcome::Succeeded(vec![(attempt, Onward::Relayed), (local, Onward::Delivered)]);
    assert_golden(&sample.report(outcome).compose(), include_str!("golden/success.eml"));
}

#[test]
fn an_international_failure_looks_like_this() {
    let sample = Sample {
        recipient: address("사용자@한국.example"),
        sender: address("jürgen@bücher.example"),
        content:
            "Subject: =?utf-8?b?7JWI64WV?=\r\nFrom: Jürgen <jürgen@bücher.example>\r\n\r\nHallo\r\n"
                .into(),
        ..Sample::default()
    };
    let mut report = sample.report(Outcome::Failed(vec![Attempt {
        diagnostic: Diagnostic::Peer { mta: "mx.y.example", reply: "550 5.1.1 없는 사용자" },
        ..sample.attempt(&sample.recipient)
    }]));
    report.smtputf8 = true;
    let composed = report.compose();
    assert!(composed.envelope.smtputf8);
    assert_eq!(composed.envelope.body, BodyType::EightBitMime);
    assert_golden(&composed, include_str!("golden/international.eml"));
}

#[test]
fn a_report_is_never_answered() {
    let composed = Sample::default().failure();
    assert_eq!(composed.envelope.sender, ReversePath::Null);
    assert_eq!(composed.envelope.recipients[0].notify, Notify::Never);
    assert!(text(&composed).contains("\r\nAuto-Submitted: auto-replied\r\n"));
}

#[test]
fn one_report_tells_of_a_thousand_recipients_and_stays_small() {
    let sample = Sample { content: vec![b'x'; 10_000_000], ..Sample::default() };
    let reply = "550 5.7.1 ".to_owned() + &"no ".repeat(2_000);
    let attempt = Attempt {
        diagnostic: Diagnostic::Peer { mta: "mx.y.example", reply: &reply },
        ..sample.attempt(&sample.recipient)
    };
    let composed = sample.report(Outcome::Failed(vec![attempt; 1_000])).compose();
    assert_eq!(text(&composed).matches("Final-Recipient:").count(), 1_000);
    assert!(composed.content.len() < 8 * DEFAULT_SIZE_LIMIT, "{}", composed.content.len());
}

#[test]
fn a_large_original_or_a_wish_for_less_returns_the_header_only() {
    let large = [b"Subject: big\r\n\r\n".as_slice(), &[b'x'; 60_000]].concat();
    let of_large = Sample { content: large, ..Sample::default() }.failure();
    let wish = Sample { ret: Some(Return::Headers), ..Sample::default() };
    let cut = Sample { size: Some(1_000_000), ..Sample::default() };
    for composed in [of_large, wish.failure(), cut.failure()] {
        assert!(text(&composed).contains("text/rfc822-headers"));
        assert!(!text(&composed).contains("message/rfc822"));
        assert!(composed.content.len() < 5_000);
    }
    let full = Sample { ret: Some(Return::Full), ..Sample::default() };
    assert!(text(&full.failure()).contains("message/rfc822"));
}

#[test]
fn a_header_without_end_is_cut_at_a_line() {
    let content = "X-Long: header\r\n".repeat(10_000).into_bytes();
    let composed = Sample { content, ..Sample::default() }.failure();
    assert!(composed.content.len() < DEFAULT_SIZE_LIMIT + 5_000);
    assert!(text(&composed).contains("X-Long: header\r\n\r\n--"));
}

#[test]
fn the_boundary_occurs_in_no_part() {
    let plain = text(&Sample::default().failure());
    let boundary = plain.split_once("boundary=\"").unwrap().1.split_once('"').unwrap().0;
    let content = format!("Subject: x\r\n\r\n--{boundary}--\r\n").into_bytes();
    let composed = Sample { content, ..Sample::default() }.failure();
    assert!(!text(&composed).contains(&format!("boundary=\"{boundary}\"")));
}

proptest! {
    /// `attacks.md` E8: whatever peers and senders say, they add no field and no line.
    #[test]
    fn foreign_text_adds_no_header_field(
        reply in nasty(), mta in nasty(), words in nasty(), subject in nasty(),
        envid in ".{0,100}", content in any::<Vec<u8>>(),
    ) {
        let sample = Sample {
            content: [b"Subject: ", subject.as_bytes(), b"\r\nMessage-ID: ", mta.as_bytes(),
                b"\r\n\r\n", &content].concat(),
            envid: EnvelopeId::new(&envid),
            ..Sample::default()
        };
        let peer = Attempt {
            diagnostic: Diagnostic::Peer { mta: &mta, reply: &reply },
            ..sample.attempt(&sample.recipient)
        };
        let local = Attempt { diagnostic: Diagnostic::Local(&words), ..peer.clone() };
        let composed = sample.report(Outcome::Failed(vec![peer, local])).compose();
        assert_sound(&composed);
    }
}

fn nasty() -> impl Strategy<Value = String> {
    let evil = prop_oneof![
        Just("\r\nBcc: <victim@x.example>\r\n".to_owned()),
        Just("\r\n\r\n--".to_owned()),
        Just("\0\u{1b}[2J\u{202e}".to_owned()),
        Just("a".repeat(3_000)),
        Just("한".repeat(1_000)),
        any::<String>(),
    ];
    prop::collection::vec(evil, 0..4).prop_map(|parts| parts.concat())
}

/// Our own header and the fields for programs hold only what we put there.
fn assert_sound(composed: &Composed) {
    let known = [
        "Date",
        "From",
        "To",
        "Subject",
        "Message-ID",
        "In-Reply-To",
        "References",
        "Auto-Submitted",
        "MIME-Version",
        "Content-Type",
        "Content-Transfer-Encoding",
        "Content-Description",
        "Reporting-MTA",
        "Original-Envelope-Id",
        "X-Mailweir-Queue-ID",
        "X-Mailweir-Sender",
        "Arrival-Date",
        "Final-Recipient",
        "Original-Recipient",
        "Action",
        "Status",
        "Remote-MTA",
        "Diagnostic-Code",
        "Last-Attempt-Date",
    ];
    let text = String::from_utf8_lossy(&composed.content);
    let (ours, _) = text.split_once("Content-Description: Undelivered").unwrap();
    assert!(!ours.contains(|c: char| c.is_control() && !"\r\n\t".contains(c)), "{ours:?}");
    assert!(ours.split("\r\n").all(|line| !line.contains(['\r', '\n']) && line.len() <= 998));
    let (_, words) = ours.split_once("text/plain").unwrap();
    let (_, status) = words.split_once("\r\n--=_").unwrap();
    let header = ours.split_once("\r\n\r\n").unwrap().0;
    let fields = header.lines().chain(status.lines().skip(1));
    for line in fields.filter(|line| !line.is_empty() && !line.starts_with([' ', '\t'])) {
        let name = line.split_once(':').map_or(line, |(name, _)| name);
        assert!(known.contains(&name) || line.starts_with("--=_"), "{line:?}");
    }
}

#[expect(clippy::disallowed_methods, reason = "a switch for the person who runs the test")]
fn assert_golden(composed: &Composed, expected: &str) {
    let text = text(composed);
    assert!(text.split("\r\n").all(|line| !line.contains(['\r', '\n'])), "bare CR or LF");
    if let Some(directory) = std::env::var_os("UPDATE_GOLDEN") {
        let subject = text.split_once("\r\nSubject: ").unwrap().1.lines().next().unwrap();
        let name = if text.contains("global") { "International" } else { subject };
        let path = std::path::Path::new(&directory).join(name);
        std::fs::write(path, text.replace("\r\n", "\n")).unwrap();
        return;
    }
    for (number, (actual, expected)) in text.lines().zip(expected.lines()).enumerate() {
        assert_eq!(actual, expected, "line {}", number + 1);
    }
    assert_eq!(text.lines().count(), expected.lines().count());
}

fn text(composed: &Composed) -> String {
    String::from_utf8_lossy(&composed.content).into_owned()
}

struct Sample {
    host: Domain,
    sender: Address,
    recipient: Address,
    original_recipient: Option<OriginalRecipient>,
    envid: Option<EnvelopeId>,
    ret: Option<Return>,
    content: Vec<u8>,
    size: Option<u64>,
}

impl Default for Sample {
    fn default() -> Self {
        Self {
            host: Domain::parse("gate.example.org").unwrap(),
            sender: address("alice@b.example"),
            recipient: address("x@y.example"),
            original_recipient: OriginalRecipient::new("rfc822;info@b.example"),
            envid: EnvelopeId::new("QQ314159"),
            ret: None,
            content: b"From: Alice <alice@b.example>\r\nTo: info@b.example\r\n\
                       Subject: Quarterly figures\r\nMessage-ID: <1@b.example>\r\n\r\n\
                       Dear all,\r\n.\r\nsee you.\r\n"
                .into(),
            size: None,
        }
    }
}

impl Sample {
    fn failure(&self) -> Composed {
        self.report(Outcome::Failed(vec![self.attempt(&self.recipient)])).compose()
    }

    fn attempt<'a>(&'a self, recipient: &'a Address) -> Attempt<'a> {
        Attempt {
            recipient,
            original: self.original_recipient.as_ref(),
            status: Enhanced(5, 1, 1),
            diagnostic: Diagnostic::Peer {
                mta: "mx.y.example",
                reply: "550 5.1.1 <x@y.example>: Recipient address rejected: User unknown in \
                        virtual mailbox table",
            },
            last_attempt: Some(Timestamp::from_secs(1_795_210_210)),
        }
    }

    fn report<'a>(&'a self, outcome: Outcome<'a>) -> Report<'a> {
        Report {
            outcome,
            reporting_mta: &self.host,
            id: QueueId::new(ARRIVAL, 7),
            sender: &self.sender,
            arrival: ARRIVAL,
            envid: self.envid.as_ref(),
            ret: self.ret,
            smtputf8: false,
            original: Original {
                content: &self.content,
                size: self.size.unwrap_or(self.content.len() as u64),
            },
            now: Timestamp::from_secs(1_795_210_211),
            seed: 0x5eed,
            size_limit: DEFAULT_SIZE_LIMIT,
        }
    }
}

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

const ARRIVAL: Timestamp = Timestamp::from_micros(1_795_210_205_000_042);
