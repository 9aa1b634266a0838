//! The real clamd, spamd and Rspamd, asked by our clients over a plain socket.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpStream},
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use mailweir_external::{
    scanners::{
        Course, Wrong,
        clamd::{self, Scan, TooLarge},
        rspamd::{self, About, Options},
        spamd,
    },
    verdict::{Decision, Edit, Verdict},
};
use mailweir_mail::{
    Client, Envelope, Login, Origin, Protocol, QueueId, ReversePath, Timestamp, TlsSummary,
};
use mailweir_tests::{
    scanners::{Clamd, Rspamd, Spamd},
    tools,
};

#[test]
fn clamd_finds_the_test_file_wherever_it_is_and_nothing_else() {
    if !tools::require(&["clamd"]) {
        return;
    }
    let clamd = Clamd::start();
    let found = clamd::Answer::Infected(Clamd::FOUND.into());
    // clamd takes a file for a mail by its first field. A mail that came here begins with this one.
    let attached = format!(
        "Received: from a by b; Mon, 1 Jun 2026 10:00:00 +0000\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhello\r\n--b\r\n\
         Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n--b--\r\n",
        BASE64_STANDARD.encode(Clamd::eicar())
    );
    let in_the_text = mail("lunch", &Clamd::eicar());
    let clean = [b"Subject: zeros\r\n\r\n".as_slice(), &[0; 200_000]].concat();
    for (mail, expected) in [
        (attached.as_bytes(), found.clone()),
        (in_the_text.as_bytes(), found),
        (mail("lunch", "Shall we meet?").as_bytes(), clamd::Answer::Clean),
        (&clean, clamd::Answer::Clean),
        (b"", clamd::Answer::Clean),
    ] {
        let shown = String::from_utf8_lossy(&mail[..mail.len().min(400)]);
        assert_eq!(scan(clamd.address(), mail), Ok(expected), "{shown}");
    }
    let policy = clamd::Policy {
        infected: Course::Reject,
        too_large: TooLarge::Fail,
        largest: Clamd::MOST,
        mark: None,
    };
    let answer = scan(clamd.address(), attached.as_bytes()).unwrap();
    let Decision::Refuse(reply) = policy.verdict(&answer).unwrap().decision else { panic!() };
    let expected = "554 5.7.1 Message is infected: Eicar-Test-Signature.UNOFFICIAL";
    assert_eq!(reply.to_string(), expected);
}

#[test]
fn clamd_says_that_a_mail_is_too_large_and_nothing_of_one_that_is_not_whole() {
    if !tools::require(&["clamd"]) {
        return;
    }
    let clamd = Clamd::start();
    let most = usize::try_from(Clamd::MOST).unwrap();
    assert_eq!(scan(clamd.address(), &vec![b'x'; most]), Ok(clamd::Answer::Clean));
    for size in [most + 1, 16 * most] {
        assert_eq!(scan(clamd.address(), &vec![b'x'; size]), Ok(clamd::Answer::TooLarge), "{size}");
    }
    let mut half = Scan::default();
    let mut request = Vec::new();
    half.head(&mut request);
    half.piece(Clamd::eicar().as_bytes(), &mut request);
    exchange(clamd.address(), &request, Some(Shutdown::Write), |piece| {
        half.receive(piece).unwrap();
    });
    assert_eq!(half.end().unwrap_err().wrong, Wrong::Silent);
}

#[test]
fn clamd_says_that_it_is_there_and_what_it_is() {
    if !tools::require(&["clamd"]) {
        return;
    }
    let clamd = Clamd::start();
    assert_eq!(said(clamd.address(), clamd::PING), clamd::PONG);
    let version = clamd::version(&said(clamd.address(), clamd::VERSION)).unwrap();
    assert!(version.starts_with("ClamAV "), "{version}");
}

#[test]
fn spamd_knows_spam_and_lets_normal_mail_pass() {
    if !tools::require(&["spamd"]) {
        return;
    }
    let spamd = Spamd::start();
    let ask = |mail: &str, user| {
        let mut check = spamd::Check::new(mail.len() as u64, user).unwrap();
        let mut request = Vec::new();
        check.head(&mut request);
        check.piece(mail.as_bytes(), &mut request);
        exchange(spamd.address(), &request, None, |piece| {
            check.receive(piece).unwrap();
        });
        check.end()
    };
    let policy = spamd::Policy { reject_from: Some(15.0), hold_from: Some(6.0), mark: true };

    let normal = ask(&mail("lunch", "Shall we meet at noon?"), Some("nobody")).unwrap();
    assert!(!normal.is_spam && normal.score < 5.0, "{normal:?}");
    let verdict = policy.verdict(&normal);
    assert_eq!(verdict.decision, Decision::Pass);
    assert!(field(&verdict, "X-Spam-Status").starts_with(" No, score="), "{verdict:?}");

    let spam = ask(&mail("lunch", &Spamd::gtube()), None).unwrap();
    assert!(spam.is_spam && spam.score >= 1_000.0, "{spam:?}");
    assert!((spam.required - 5.0).abs() < 0.01, "{spam:?}");
    assert!(spam.symbols.iter().any(|symbol| &**symbol == "GTUBE"), "{spam:?}");
    let Decision::Refuse(reply) = policy.verdict(&spam).decision else { panic!() };
    assert_eq!(reply.to_string(), "554 5.7.1 Spam message rejected");

    // A mail that is shorter than was said.
    let whole = mail("lunch", "short");
    let mut check = spamd::Check::new(whole.len() as u64 + 10, None).unwrap();
    let mut request = Vec::new();
    check.head(&mut request);
    check.piece(whole.as_bytes(), &mut request);
    exchange(spamd.address(), &request, Some(Shutdown::Write), |piece| {
        check.receive(piece).unwrap();
    });
    let wrong = check.end().unwrap_err().wrong;
    let Wrong::Failed(why) = wrong else { panic!("{wrong:?}") };
    assert!(why.starts_with("76 Bad header line: (Content-Length mismatch"), "{why}");
}

#[test]
fn rspamd_knows_spam_and_lets_normal_mail_pass() {
    if !tools::require(&["rspamd"]) {
        return;
    }
    let rspamd = Rspamd::start();
    let ask = |subject: &str, text: &str| check(&rspamd, &to_one(), &mail(subject, text));

    let normal = ask("lunch", "Shall we meet at noon?").unwrap();
    assert_eq!((&normal.decision, &normal.edits[..]), (&Decision::Pass, &[][..]));
    let Decision::Refuse(reply) = ask("lunch", &Rspamd::pattern('X')).unwrap().decision else {
        panic!()
    };
    assert_eq!(reply.to_string(), "554 5.7.1 Gtube pattern");
    let marked = ask("lunch", &Rspamd::pattern('Y')).unwrap();
    assert_eq!((&marked.decision, &*field(&marked, "X-Spam")), (&Decision::Pass, " Yes"));
    let rewritten = ask("lunch", &Rspamd::pattern('Z')).unwrap();
    assert_eq!(field(&rewritten, "Subject"), " *** SPAM *** lunch");
    // Not ASCII: it comes in encoded words, from Rspamd or from here.
    let rewritten = ask("=?utf-8?q?d=C3=A9jeuner?=", &Rspamd::pattern('Z')).unwrap();
    let subject = field(&rewritten, "Subject");
    assert!(subject.is_ascii() && subject.contains("=?"), "{subject}");

    for (action, expected) in
        [("reject", "554 5.7.1 because of it"), ("soft reject", "451 4.7.1 because of it")]
    {
        let verdict = ask(&format!("action={action}"), "").unwrap();
        let Decision::Refuse(reply) = verdict.decision else { panic!("{verdict:?}") };
        assert_eq!(reply.to_string(), expected);
    }
    for action in ["no action", "greylist"] {
        let verdict = ask(&format!("action={action}"), "").unwrap();
        assert_eq!(verdict.decision, Decision::Pass);
    }
}

#[test]
fn rspamd_gets_its_changes_made() {
    if !tools::require(&["rspamd"]) {
        return;
    }
    let rspamd = Rspamd::start();
    let verdict = check(&rspamd, &to_one(), &mail("changes", "")).unwrap();
    assert_eq!(verdict.decision, Decision::Pass);
    let reason = "no action, 3.5 of 15.0 points: SUBJECT_WANTS(3.5)";
    assert_eq!(&*verdict.reason, reason);
    assert_eq!(field(&verdict, "X-Folded"), " a\r\n\tb");
    assert_eq!(field(&verdict, "X-Named"), " b\r\n\tBcc: c@own.example");
    let to = |text: &str| text.parse().unwrap();
    for edit in [
        Edit::Remove { name: "X-Gone".into(), nth: None },
        Edit::Insert { above: 1, name: "X-Place".into(), value: (*b" two").into() },
        Edit::Insert { above: 1, name: "X-Twice".into(), value: (*b" a").into() },
        Edit::Append { name: "X-Twice".into(), value: (*b" b").into() },
        Edit::Sender(ReversePath::Mailbox(to("new@own.example"))),
        Edit::AddRecipient(to("c@own.example")),
        Edit::RemoveRecipient(to("b@own.example")),
    ] {
        assert!(verdict.edits.contains(&edit), "{edit:?} in {verdict:?}");
    }
    assert_eq!(verdict.edits.len(), 9, "{verdict:?}");
}

#[test]
fn rspamd_takes_a_mail_to_very_many_and_one_from_nobody() {
    if !tools::require(&["rspamd"]) {
        return;
    }
    let rspamd = Rspamd::start();
    let text = mail("lunch", "hello");
    let to = |number: usize| format!("recipient-number-{number:05}@own.example").parse().unwrap();
    let many = (0..5_000).fold(to_one(), |envelope, number| envelope.to(to(number)));
    assert_eq!(check(&rspamd, &many, &text).unwrap().decision, Decision::Pass);
    let bounce = Envelope::from_sender(ReversePath::Null).to("b@own.example".parse().unwrap());
    assert_eq!(check(&rspamd, &bounce, &text).unwrap().decision, Decision::Pass);
    let quoted =
        Envelope::from_sender(ReversePath::Mailbox("\"a \\\" b\"@own.example".parse().unwrap()))
            .to("\"c d\"@own.example".parse().unwrap());
    assert_eq!(check(&rspamd, &quoted, &text).unwrap().decision, Decision::Pass);
}

fn scan(clamd: SocketAddr, mail: &[u8]) -> Result<clamd::Answer, Wrong> {
    let mut scan = Scan::default();
    let mut request = Vec::new();
    scan.head(&mut request);
    mail.chunks(10_000).for_each(|piece| scan.piece(piece, &mut request));
    scan.finish(&mut request);
    let mut answer = Vec::new();
    exchange(clamd, &request, None, |piece| answer.extend_from_slice(piece));
    scan.receive(&answer).unwrap();
    scan.end().map_err(|fault| fault.wrong)
}

fn check(server: &Rspamd, envelope: &Envelope, mail: &str) -> Result<Verdict, Wrong> {
    let origin = Origin {
        listener: "mx".into(),
        client: Client::unnamed("192.0.2.7:40123".parse().unwrap()),
        helo: "helo.example".into(),
        protocol: Protocol::Esmtp,
        login: Some(Login { user: "ann".into(), mechanism: "PLAIN".into() }),
        tls: Some(TlsSummary {
            version: "TLSv1.3".into(),
            cipher: "TLS_AES_256_GCM_SHA384".into(),
            bits: 256,
        }),
        forwarded: None,
        arrival: Timestamp::from_secs(1_795_210_205),
    };
    let id = QueueId::new(origin.arrival, 1);
    let about = About { id, envelope, origin: &origin };
    let mut check = rspamd::Check::new(mail.len() as u64, &about, &Options::default());
    let mut request = Vec::new();
    check.head(&mut request);
    check.piece(mail.as_bytes(), &mut request);
    exchange(server.address(), &request, None, |piece| {
        check.receive(piece).unwrap();
    });
    check.end().map(rspamd::Answer::verdict).map_err(|fault| fault.wrong)
}

fn said(server: SocketAddr, request: &[u8]) -> Vec<u8> {
    let mut answer = Vec::new();
    exchange(server, request, None, |piece| answer.extend_from_slice(piece));
    answer
}

/// Sends as much as the server takes, and reads until it closes.
fn exchange(
    server: SocketAddr,
    request: &[u8],
    then: Option<Shutdown>,
    mut receive: impl FnMut(&[u8]),
) {
    let mut socket = TcpStream::connect(server).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    socket.set_write_timeout(Some(Duration::from_secs(60))).unwrap();
    let _ = socket.write_all(request);
    if let Some(which) = then {
        socket.shutdown(which).unwrap();
    }
    let mut buffer = [0; 1_000];
    loop {
        match socket.read(&mut buffer) {
            Ok(0) => return,
            Ok(length) => receive(&buffer[..length]),
            // What it did not read of a mail that it does not take.
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return,
            Err(error) => panic!("{error}"),
        }
    }
}

/// The value that the last edit of a field gives it.
fn field(verdict: &Verdict, wanted: &str) -> String {
    let value = verdict.edits.iter().rev().find_map(|edit| match edit {
        Edit::Append { name, value } | Edit::Insert { name, value, .. } if &**name == wanted => {
            Some(value)
        }
        Edit::Change { name, value, .. } if &**name == wanted => Some(value),
        _ => None,
    });
    String::from_utf8(value.unwrap_or_else(|| panic!("no {wanted} in {verdict:?}")).to_vec())
        .unwrap()
}

fn to_one() -> Envelope {
    let sender = ReversePath::Mailbox("a@own.example".parse().unwrap());
    Envelope::from_sender(sender).to("b@own.example".parse().unwrap())
}

fn mail(subject: &str, text: &str) -> String {
    format!(
        "From: a@own.example\r\nTo: b@own.example\r\nSubject: {subject}\r\n\
         Date: Mon, 1 Jun 2026 10:00:00 +0000\r\nMessage-ID: <1@own.example>\r\n\r\n{text}\r\n"
    )
}
