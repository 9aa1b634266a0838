use mailweir_mail::{
    Client, Envelope, Login, Origin, Protocol, QueueId, Reply, ReversePath, Timestamp, TlsSummary,
};
use proptest::prelude::*;

use super::*;
use crate::verdict::{Decision, Edit, Verdict};

fn said(bytes: &[u8]) -> Result<Verdict, Wrong> {
    let mut check = Check(Exchange::new(Program::Rspamd, Vec::new(), 0, MOST_ANSWER));
    check.head(&mut Vec::new());
    check.receive(bytes).and_then(|_| check.end()).map(Answer::verdict).map_err(|fault| {
        assert_eq!(fault.program, Program::Rspamd);
        fault.wrong
    })
}

fn http(body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 200 OK\r\nConnection: close\r\nServer: rspamd/3.4\r\nDate: Sun, 22 Nov 2026 23:44:34 GMT\r\n\
         Content-Length: {}\r\nContent-Type: application/json\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// The verdict for an answer with these members.
fn wants(members: &str) -> Result<Verdict, Wrong> {
    said(&http(&format!("{{\"score\":1.5,\"required_score\":15.0,{members}}}")))
}

fn refused(members: &str) -> Reply {
    match wants(members).unwrap() {
        Verdict { decision: Decision::Refuse(reply), edits, .. } if edits.is_empty() => reply,
        other => panic!("{other:?}"),
    }
}

/// The edits in a short form.
fn edits(members: &str) -> Vec<String> {
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let show = |edit: &Edit| match edit {
        Edit::Append { name, value } => format!("{name}:{}", text(value)),
        Edit::Insert { above, name, value } => format!("{above} {name}:{}", text(value)),
        Edit::Change { name, nth, value } => format!("={nth} {name}:{}", text(value)),
        Edit::Remove { name, nth } => format!("-{name} {nth:?}"),
        Edit::Body(_) => "body".into(),
        Edit::Sender(sender) => format!("<{sender}>"),
        Edit::AddRecipient(address) => format!("+{address}"),
        Edit::RemoveRecipient(address) => format!("-{address}"),
    };
    let verdict = wants(members).unwrap();
    verdict.edits.iter().map(show).collect()
}

fn unclear(result: Result<Verdict, Wrong>) -> String {
    match result {
        Err(Wrong::Unclear(why)) => why.into(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_rspamd_3_4_says() {
    let clean = r#"{"is_skipped":false,"score":0.0,"required_score":15.0,"action":"no action","symbols":{},"messages":{},"message-id":"1@own.example","time_real":0.096046}"#;
    let verdict = said(&http(clean)).unwrap();
    assert_eq!(
        (verdict.decision, verdict.edits, &*verdict.reason),
        (Decision::Pass, Vec::new(), "no action, 0.0 of 15.0 points")
    );
    let gtube = r#"{"is_skipped":true,"score":15.0,"required_score":15.0,"action":"reject","symbols":{"GTUBE":{"name":"GTUBE","score":0.0,"metric_score":0.0}},"messages":{"smtp_message":"Gtube pattern"},"message-id":"1@own.example","time_real":0.000196}"#;
    let verdict = said(&http(gtube)).unwrap();
    let Decision::Refuse(reply) = verdict.decision else { panic!() };
    assert_eq!(reply.to_string(), "554 5.7.1 Gtube pattern");
    assert_eq!(&*verdict.reason, "reject, 15.0 of 15.0 points: GTUBE(0.0)");
    let failed = b"HTTP/1.1 500 invalid command\r\nConnection: close\r\nServer: rspamd/3.4\r\nContent-Length: 59\r\n\r\n{\"error\":\"invalid command\",\"error_domain\":\"protocol-error\"}";
    assert_eq!(said(failed), Err(Wrong::Failed("500 invalid command".into())));
    assert_eq!(said(b""), Err(Wrong::Silent));
}

#[test]
fn every_action_has_its_verdict() {
    let decision = |members: &str| wants(members).unwrap().decision;
    for action in ["no action", "greylist", "add header"] {
        assert_eq!(decision(&format!("\"action\":{action:?}")), Decision::Pass, "{action}");
    }
    assert_eq!(decision(r#""action":"rewrite subject","subject":"x""#), Decision::Pass);
    assert_eq!(decision(r#""action":"quarantine""#), Decision::Hold);
    assert_eq!(decision(r#""action":"discard""#), Decision::Discard);
    let reply = refused(r#""action":"soft reject""#);
    assert_eq!(reply.to_string(), "451 4.7.1 Try again later");
    let reply = refused(r#""action":"soft reject","messages":{"smtp_message":"Greylisted"}"#);
    assert_eq!(reply.to_string(), "451 4.7.1 Greylisted");
    let reply = refused(r#""action":"reject","messages":[]"#);
    assert_eq!(reply.to_string(), "554 5.7.1 Spam message rejected");
}

#[test]
fn its_settings_for_milters_count_here_too() {
    let decision = |members: &str| wants(members).unwrap().decision;
    assert_eq!(decision(r#""action":"reject","milter":{"reject":"quarantine"}"#), Decision::Hold);
    assert_eq!(decision(r#""action":"reject","milter":{"reject":"discard"}"#), Decision::Discard);
    assert_eq!(
        decision(r#""action":"soft reject","milter":{"reject":"discard"}"#),
        Decision::Refuse(Reply::new(451, mailweir_mail::Enhanced(4, 7, 1), "Try again later"))
    );
    let no_action = r#""action":"reject","milter":{"no_action":true,"add_headers":{"X-A":"b"}}"#;
    assert_eq!(decision(no_action), Decision::Pass);
    assert_eq!(edits(no_action), ["X-A: b", "0 X-Rspamd-Action: reject"]);
}

#[test]
fn what_it_wants_changed_is_changed() {
    // As Rspamd 3.4 writes it; the order of fields at one place is that of their names.
    let block = r#""action":"no action","milter":{"reject":"quarantine","remove_headers":{"X-Gone":0,"X-Second":2},"no_action":false,"change_from":"new@own.example","spam_header":"Yes, really","add_rcpt":["c@own.example"],"add_headers":{"X-Own":"one","X-Two":{"value":"two","order":1},"X-Three":[{"value":"a","order":1},{"value":"b","order":-1}]},"del_rcpt":["<b@own.example>"]}"#;
    assert_eq!(
        edits(block),
        [
            "-X-Gone None",
            "-X-Second Some(2)",
            "X-Own: one",
            "1 X-Three: a",
            "X-Three: b",
            "1 X-Two: two",
            "<new@own.example>",
            "+c@own.example",
            "-b@own.example",
        ]
    );
    assert_eq!(edits(r#""action":"no action","milter":{"change_from":"<>"}"#), ["<>"]);
    let empty = r#""action":"no action","milter":{"add_headers":[],"remove_headers":[]}"#;
    assert_eq!(edits(empty), [""; 0]);
    assert_eq!(
        edits(r#""action":"quarantine","dkim-signature":"v=1; b=a\r\n\tb""#),
        ["0 DKIM-Signature: v=1; b=a\r\n\tb"]
    );
    assert_eq!(
        edits(r#""action":"no action","dkim-signature":["v=1; d=a","v=1; d=b"]"#),
        ["0 DKIM-Signature: v=1; d=a", "1 DKIM-Signature: v=1; d=b"]
    );
}

#[test]
fn a_mail_is_marked_as_rspamds_own_milter_does_it() {
    assert_eq!(edits(r#""action":"add header""#), ["-X-Spam None", "0 X-Spam: Yes"]);
    assert_eq!(
        edits(r#""action":"add header","milter":{"spam_header":"Yes, really"}"#),
        ["-X-Spam None", "0 X-Spam: Yes, really"]
    );
    assert_eq!(
        edits(r#""action":"add header","milter":{"spam_header":{"X-Junk":"1"}}"#),
        ["-X-Junk None", "0 X-Junk: 1"]
    );
    assert_eq!(
        edits(r#""action":"rewrite subject","subject":"*** SPAM *** lunch""#),
        ["=1 Subject: *** SPAM *** lunch"]
    );
    assert_eq!(
        edits(r#""action":"rewrite subject","subject":"=?UTF-8?Q?=C3=BC?=""#),
        ["=1 Subject: =?UTF-8?Q?=C3=BC?="]
    );
    assert_eq!(
        edits(r#""action":"rewrite subject","subject":"ü""#),
        ["=1 Subject: =?UTF-8?B?w7w=?="]
    );
}

#[test]
fn what_it_does_not_say_rightly_says_nothing_of_the_mail() {
    for members in [
        r#""action":"nonsense""#,
        r#""action":"Reject""#,
        r#""action":1"#,
        r#""action":"reject","action":"no action""#,
        r#""action":"no action","score":1.0"#,
        r#""action":"no action","symbols":{"A":1}"#,
        r#""action":"no action","symbols":{"A":{"score":"1"}}"#,
        r#""action":"no action","symbols":{"A":{"score":1},"A":{"score":2}}"#,
        r#""action":"no action","symbols":[{"score":1}]"#,
        r#""action":"rewrite subject""#,
        r#""action":"rewrite subject","subject":["x"]"#,
        r#""action":"no action","milter":"x""#,
        r#""action":"no action","milter":{"no_action":"no"}"#,
        r#""action":"no action","milter":{"reject":true}"#,
        r#""action":"no action","milter":{"add_headers":{"X Y":"z"}}"#,
        r#""action":"no action","milter":{"add_headers":{"X: y\r\nZ":"z"}}"#,
        r#""action":"no action","milter":{"add_headers":{"":"z"}}"#,
        r#""action":"no action","milter":{"add_headers":{"X":1}}"#,
        r#""action":"no action","milter":{"add_headers":{"X":{"order":1}}}"#,
        r#""action":"no action","milter":{"remove_headers":{"X":-1}}"#,
        r#""action":"no action","milter":{"remove_headers":{"X":"1"}}"#,
        r#""action":"no action","milter":{"change_from":"no address"}"#,
        r#""action":"no action","milter":{"add_rcpt":["a@b.example\r\nBcc: x"]}"#,
        r#""action":"no action","milter":{"del_rcpt":["<>"]}"#,
        r#""action":"quarantine","milter":{"add_headers":{"X Y":"z"}}"#,
        r#""action":"reject","milter":{"reject":"quarantine","add_headers":{"X":1}}"#,
        r#""action":"reject","milter":{"no_action":true,"add_rcpt":["no address"]}"#,
        r#""action":"no action","dkim-signature":1"#,
        r#""symbols":{}"#,
    ] {
        assert!(matches!(wants(members), Err(Wrong::Unclear(_))), "{members}");
    }
    let why = unclear(wants(r#""action":"nonsense""#));
    assert!(why.starts_with("unknown variant `nonsense`, expected one of"), "{why}");
    for body in [
        "",
        "{}",
        "[]",
        "[\"reject\",1]",
        "null",
        "{\"action\":",
        "{\"action\":\"reject\",\"score\":nan}",
    ] {
        unclear(said(&http(body)));
    }
    // No depth exhausts the stack: what is not known here is passed over, and what is has a bound.
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    wants(&format!("\"action\":\"no action\",\"x\":{deep}")).unwrap();
    unclear(wants(&format!("\"action\":\"no action\",\"messages\":{{\"x\":{deep}}}")));
}

#[test]
fn a_refusal_stands_whatever_else_is_wanted() {
    for wrong in [
        r#""milter":{"add_headers":{"X Y":"z"}}"#,
        r#""milter":{"add_headers":{"X":1}}"#,
        r#""milter":{"remove_headers":[1]}"#,
        r#""milter":{"change_from":"no address"}"#,
        r#""milter":{"add_rcpt":7,"spam_header":7}"#,
        r#""dkim-signature":1"#,
        r#""subject":["x"]"#,
        r#""messages":{"smtp_message":["x"]}"#,
    ] {
        let reply = refused(&format!(r#""action":"reject",{wrong}"#));
        assert_eq!(reply.to_string(), "554 5.7.1 Spam message rejected", "{wrong}");
        let reply = refused(&format!(r#""action":"soft reject",{wrong}"#));
        assert_eq!(reply.to_string(), "451 4.7.1 Try again later", "{wrong}");
        let discarded = wants(&format!(r#""action":"discard",{wrong}"#)).unwrap();
        assert_eq!((discarded.decision, discarded.edits), (Decision::Discard, Vec::new()));
    }
    for nothing in [r#""messages":{"smtp_message":["x"]}"#, r#""milter":null"#] {
        let verdict = wants(&format!(r#""action":"no action",{nothing}"#)).unwrap();
        assert_eq!((verdict.decision, verdict.edits), (Decision::Pass, Vec::new()));
    }
}

#[test]
fn http_is_read_in_one_way() {
    let ok = r#"{"action":"no action","score":0}"#;
    let with =
        |head: &str| said(format!("{head}\r\nContent-Length: {}\r\n\r\n{ok}", ok.len()).as_bytes());
    assert_eq!(with("HTTP/1.1 200 OK").unwrap().decision, Decision::Pass);
    assert_eq!(with("HTTP/1.0 200").unwrap().decision, Decision::Pass);
    assert_eq!(with("HTTP/1.1 204 No Content"), Err(Wrong::Failed("204 No Content".into())));
    assert_eq!(with("HTTP/1.1 100 Continue"), Err(Wrong::Failed("100 Continue".into())));
    for head in [
        "HTTP/2 200 OK",
        "SPAMD/1.1 0 EX_OK",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked",
        "HTTP/1.1 200 OK\r\nContent-Encoding: zstd",
        "HTTP/1.1 200 OK\r\nContent-Length: 3",
    ] {
        unclear(with(head));
    }
    let mut twice = http(ok);
    twice.extend_from_slice(&http(ok));
    assert_eq!(said(&twice), Err(Wrong::Twice));
    twice.truncate(http(ok).len() - 1);
    assert_eq!(said(&twice), Err(Wrong::CutShort));
    assert_eq!(said(b"HTTP/1.1 200 OK\r\n"), Err(Wrong::CutShort));
}

#[test]
fn an_answer_that_comes_too_early_or_without_end_does_not_count() {
    let mut check = Check(Exchange::new(Program::Rspamd, Vec::new(), 9, MOST_ANSWER));
    check.head(&mut Vec::new());
    assert_eq!(check.receive(&http(r#"{"action":"no action","score":0}"#)), Ok(true));
    check.piece(b"123456789", &mut Vec::new());
    let fault = check.end().unwrap_err();
    assert_eq!(fault.to_string(), "Rspamd answered before it had the whole mail");

    let mut check = Check(Exchange::new(Program::Rspamd, Vec::new(), 0, MOST_ANSWER));
    check.head(&mut Vec::new());
    assert_eq!(check.receive(&vec![b'x'; MOST_ANSWER]), Ok(false));
    assert_eq!(check.receive(b"x").unwrap_err().wrong, Wrong::TooLong(MOST_ANSWER));
}

#[test]
fn a_mail_is_not_changed_without_end() {
    let many: Vec<String> = (0..501).map(|number| format!("\"X-{number}\":\"a\"")).collect();
    let block = |fields: &str| {
        wants(&format!(r#""action":"no action","milter":{{"add_headers":{{{fields}}}}}"#))
    };
    assert_eq!(block(&many[..500].join(",")).unwrap().edits.len(), 500);
    unclear(block(&many.join(",")));
    let large: Vec<String> =
        (0..5).map(|number| format!("\"X-{number}\":\"{}\"", "a".repeat(60_000))).collect();
    unclear(block(&large.join(",")));
}

#[test]
fn the_log_names_the_heaviest_tests() {
    let symbols: Vec<String> =
        (0..60).map(|number| format!("\"T{number}\":{{\"score\":{number}}}")).collect();
    let members = format!(
        "\"action\":\"greylist\",\"symbols\":{{\"GOOD\":{{\"score\":-99.25}},{}}}",
        symbols.join(",")
    );
    let reason = wants(&members).unwrap().reason;
    let expected = "greylist, 1.5 of 15.0 points: GOOD(-99.2), T59(59.0), T58(58.0), ";
    assert!(reason.starts_with(expected), "{reason}");
    assert!(reason.ends_with(", T11(11.0)") && reason.matches('(').count() == 50, "{reason}");
}

fn origin() -> Origin {
    Origin {
        listener: "mx".into(),
        client: Client {
            address: "[::ffff:192.0.2.7]:40123".parse().unwrap(),
            name: Some("mail.far.example".into()),
        },
        helo: "helo.example".into(),
        protocol: Protocol::Esmtp,
        login: None,
        tls: None,
        forwarded: None,
        arrival: Timestamp::from_secs(1_795_210_205),
    }
}

fn head(envelope: &Envelope, origin: &Origin, options: &Options) -> String {
    let about =
        About { id: QueueId::new(Timestamp::from_secs(1_795_210_205), 1), envelope, origin };
    let mut out = Vec::new();
    Check::new(42, &about, options).head(&mut out);
    String::from_utf8(out).unwrap()
}

fn from_bob() -> Envelope {
    let sender = ReversePath::Mailbox("Bob@Far.example".parse().unwrap());
    Envelope::from_sender(sender)
}

#[test]
fn the_request_says_where_the_mail_comes_from_and_whom_it_is_for() {
    let mut origin = origin();
    let one = from_bob().to("\"a b\"@own.example".parse().unwrap());
    let said = head(&one, &origin, &Options::default());
    let (start, rest) = said.split_once("Queue-Id: ").unwrap();
    assert_eq!(
        start,
        "POST /checkv2 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 42\r\n"
    );
    let (id, rest) = rest.split_once("\r\n").unwrap();
    assert!(id.parse::<QueueId>().is_ok(), "{id}");
    assert_eq!(
        rest,
        "IP: 192.0.2.7\r\nHostname: mail.far.example\r\nHelo: helo.example\r\nFrom: <Bob@Far.example>\r\n\
         Deliver-To: <\"a b\"@own.example>\r\nRcpt: <\"a b\"@own.example>\r\n\r\n"
    );

    origin.client.name = None;
    origin.helo = "".into();
    origin.login = Some(Login { user: "ann".into(), mechanism: "PLAIN".into() });
    origin.tls = Some(TlsSummary {
        version: "TLSv1.3".into(),
        cipher: "TLS_AES_256_GCM_SHA384".into(),
        bits: 256,
    });
    let two = Envelope::from_sender(ReversePath::Null)
        .to("x@own.example".parse().unwrap())
        .to("y@own.example".parse().unwrap());
    let options = Options {
        password: Some("secret".into()),
        tag: Some("edge".into()),
        settings: Some("strict".into()),
        every_test: true,
    };
    let said = head(&two, &origin, &options);
    let (before, after) = said.split_once("Queue-Id: ").unwrap();
    let wanted = "Password: secret\r\nMTA-Tag: edge\r\nSettings-ID: strict\r\nPass: all\r\n";
    assert!(before.ends_with(wanted), "{said}");
    assert!(
        after.ends_with(
            "\r\nIP: 192.0.2.7\r\nUser: ann\r\nTLS-Cipher: TLS_AES_256_GCM_SHA384\r\nTLS-Version: TLSv1.3\r\n\
             From: <>\r\nRcpt: <x@own.example>\r\nRcpt: <y@own.example>\r\n\r\n"
        ),
        "{said}"
    );
}

#[test]
fn a_mail_to_very_many_has_a_head_that_rspamd_takes() {
    let address = |number: usize| {
        format!("{}{number:05}@{}.example", "u".repeat(55), "d".repeat(60)).parse().unwrap()
    };
    let envelope = (0..5_000).fold(from_bob(), |envelope, number| envelope.to(address(number)));
    let said = head(&envelope, &origin(), &Options::default());
    assert!((60_000..=64 * 1024).contains(&said.len()), "{}", said.len());
    assert!(said.ends_with(".example>\r\n\r\n"));
}

proptest! {
    #[test]
    fn nobody_adds_a_field_to_the_request(helo in any::<String>(), user in any::<String>(), name in any::<String>()) {
        let mut origin = origin();
        let plain = head(&from_bob(), &origin, &Options::default());
        origin.helo = format!("h{helo}\r\nX-A: b").into();
        origin.client.name = Some(format!("n{name}").into());
        let with = head(&from_bob(), &origin, &Options::default());
        prop_assert_eq!(with.split("\r\n").count(), plain.split("\r\n").count());
        origin.login = Some(Login { user: user.into(), mechanism: "PLAIN".into() });
        let with = head(&from_bob(), &origin, &Options::default());
        prop_assert_eq!(with.split("\r\n").count(), plain.split("\r\n").count() + 1);
        prop_assert!(!with.replace("\r\n", "").contains(char::is_control));
    }

    #[test]
    fn no_answer_ends_a_header_or_a_reply(
        text in any::<String>(), name in any::<String>(), action in prop::sample::select(vec![
            "add header", "reject", "soft reject", "rewrite subject", "quarantine"])
    ) {
        let body = serde_json::json!({
            "action": action, "score": 1, "subject": text, "messages": {"smtp_message": text},
            "symbols": {name.clone(): {"score": 1}}, "dkim-signature": text,
            "milter": {"add_headers": {"X-A": text, "X-B": {"value": text, "order": 0}}, "spam_header": {"X-C": text}},
        });
        let verdict = said(&http(&body.to_string())).unwrap();
        prop_assert!(!verdict.reason.contains(char::is_control));
        if let Decision::Refuse(reply) = &verdict.decision {
            prop_assert!(reply.text.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{}", reply);
        }
        for edit in verdict.edits {
            if let Edit::Append { value, .. } | Edit::Insert { value, .. } | Edit::Change { value, .. } = edit {
                let value = String::from_utf8(value.into()).unwrap();
                let bare = value.replace("\r\n\t", "").replace("\r\n ", "").replace('\t', "");
                prop_assert!(!bare.contains(char::is_control), "{:?}", value);
            }
        }
    }
}
