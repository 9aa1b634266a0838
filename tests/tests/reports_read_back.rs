//! Python's email package reads our reports as RFC 3464 means them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::Command;

use mailweir::egress::report::{
    Attempt, DEFAULT_SIZE_LIMIT, Diagnostic, Original, Outcome, Report,
};
use mailweir_mail::{
    Address, Domain, Enhanced, EnvelopeId, OriginalRecipient, QueueId, Return, Timestamp,
};
use mailweir_tests::{interop, tools};
use serde_json::{Value, json};

#[test]
fn a_failure_reads_back_with_the_whole_original() {
    let Some(read) = read_back(&Sample::default()) else { return };
    assert_eq!(read["from"], json!(["Mail Delivery System", "MAILER-DAEMON@gate.example.org"]));
    assert_eq!(read["to"], json!(["", "alice@b.example"]));
    assert_eq!(read["subject"], "Undelivered Mail Returned to Sender");
    assert_eq!(read["auto_submitted"], "auto-replied");
    assert_eq!(read["in_reply_to"], "<1@b.example>");
    assert_eq!(read["type"], "multipart/report");
    assert_eq!(read["report_type"], "delivery-status");
    assert_eq!(read["defects"], json!([]));
    assert_eq!(read["parts"], json!(["text/plain", "message/delivery-status", "message/rfc822"]));
    assert!(read["text"].as_str().unwrap().contains("There is no such mailbox."));
    assert_eq!(read["original"]["subject"], "Quarterly figures");
    assert_eq!(read["original"]["body"], "Dear all,\r\n.\r\nGr\u{fc}\u{df}e\r\n");
}

#[test]
fn programs_find_every_recipient_and_what_became_of_it() {
    let Some(read) = read_back(&Sample::default()) else { return };
    let status = &read["status"];
    assert_eq!(status[0]["Reporting-MTA"], "dns; gate.example.org");
    assert_eq!(status[0]["Original-Envelope-Id"], "QQ314159");
    assert_eq!(status[1]["Original-Recipient"], "rfc822; info@b.example");
    assert_eq!(status[1]["Final-Recipient"], "rfc822; x@y.example");
    assert_eq!(status[1]["Action"], "failed");
    assert_eq!(status[1]["Status"], "5.1.1");
    assert_eq!(status[2]["Action"], "failed");
    assert_eq!(status.as_array().unwrap().len(), 3);
}

#[test]
fn a_hostile_reply_changes_nothing_but_its_own_text() {
    let reply = "550 5.1.1 no\r\nAction: delivered\r\n\r\nFinal-Recipient: rfc822; v@x.example\0";
    let Some(read) = read_back(&Sample { reply, ..Sample::default() }) else { return };
    assert_eq!(read["defects"], json!([]));
    let status = &read["status"];
    assert_eq!(status.as_array().unwrap().len(), 3);
    assert_eq!(status[1]["Action"], "failed");
    let quoted = "smtp; 550 5.1.1 no Action: delivered Final-Recipient: rfc822; v@x.example?";
    assert_eq!(status[1]["Diagnostic-Code"].as_str().unwrap().replace("\r\n", ""), quoted);
}

#[test]
fn only_the_header_comes_back_if_the_sender_wants_no_more() {
    let sample = Sample { ret: Some(Return::Headers), ..Sample::default() };
    let Some(read) = read_back(&sample) else { return };
    assert_eq!(
        read["parts"],
        json!(["text/plain", "message/delivery-status", "text/rfc822-headers"])
    );
}

struct Sample {
    reply: &'static str,
    ret: Option<Return>,
}

impl Default for Sample {
    fn default() -> Self {
        Self { reply: "550 5.1.1 No such user", ret: None }
    }
}

/// What Python finds in the report; nothing if there is no Python.
fn read_back(sample: &Sample) -> Option<Value> {
    tools::require(&["python3"]).then(|| {
        let output = interop::run(Command::new("python3").args(["-c", READER]), compose(sample));
        serde_json::from_str(&output).unwrap()
    })
}

fn compose(sample: &Sample) -> Vec<u8> {
    let (first, second) = (address("x@y.example"), address("z@y.example"));
    let (host, sender) = (Domain::parse("gate.example.org").unwrap(), address("alice@b.example"));
    let envid = EnvelopeId::new("QQ314159");
    let original = OriginalRecipient::new("rfc822;info@b.example");
    let attempt = Attempt {
        recipient: &first,
        original: original.as_ref(),
        status: Enhanced(5, 1, 1),
        diagnostic: Diagnostic::Peer { mta: "mx.y.example", reply: sample.reply },
        last_attempt: Some(ARRIVAL),
    };
    let other = Attempt { recipient: &second, original: None, ..attempt.clone() };
    let content = "From: alice@b.example\r\nSubject: Quarterly figures\r\n\
                   Message-ID: <1@b.example>\r\nContent-Type: text/plain; charset=utf-8\r\n\
                   Content-Transfer-Encoding: 8bit\r\n\r\nDear all,\r\n.\r\nGrüße\r\n";
    let report = Report {
        outcome: Outcome::Failed(vec![attempt, other]),
        reporting_mta: &host,
        id: QueueId::new(ARRIVAL, 7),
        sender: &sender,
        arrival: ARRIVAL,
        envid: envid.as_ref(),
        ret: sample.ret,
        smtputf8: false,
        original: Original { content: content.as_bytes(), size: content.len() as u64 },
        now: ARRIVAL,
        seed: 0x5eed,
        size_limit: DEFAULT_SIZE_LIMIT,
    };
    report.compose().content
}

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

const ARRIVAL: Timestamp = Timestamp::from_secs(1_795_210_205);

const READER: &str = r#"
import email, email.policy, email.utils, json, sys
mail = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.SMTP)
defects = [repr(d) for part in mail.walk() for d in part.defects]
text, status, original = mail.get_payload()
answer = {
    "from": email.utils.parseaddr(mail["From"]), "to": email.utils.parseaddr(mail["To"]),
    "subject": mail["Subject"], "auto_submitted": mail["Auto-Submitted"],
    "in_reply_to": mail["In-Reply-To"], "type": mail.get_content_type(),
    "report_type": mail.get_param("report-type"), "defects": defects,
    "parts": [part.get_content_type() for part in mail.get_payload()],
    "text": text.get_content(),
    "status": [dict(block.items()) for block in status.get_payload()],
}
if original.get_content_type() == "message/rfc822":
    inner = original.get_payload()[0]
    body = inner.get_payload(decode=True).decode("utf-8")
    answer["original"] = {"subject": inner["Subject"], "body": body}
print(json.dumps(answer))
"#;
