//! Milters hear a session from its beginning, refuse what they do not want, and change mail. Rows I7 and I8: whatever one does,
//! no mail is lost, and none passes by accident.

use std::{
    net::SocketAddr,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
};

use mailweir::control::operation::Place;
use mailweir_external::{
    milter::{Actions, Answer, Heard, Server, Wishes},
    verdict::{Decision, Edit, Verdict},
};
use mailweir_mail::{Enhanced, Reply};
use mailweir_tests::{
    free_address,
    gateway::{Gateway, Setup, mail_to},
    handing_back::{HandingBack, Plan},
    scanners::Rspamd,
    sink::{Script, Sink},
    tools, wait,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// What a milter does when it hears a step whose name begins so.
#[derive(Clone)]
struct Does {
    at: &'static str,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Says(Answer),
    Bytes(&'static [u8]),
    Hangs,
    Closes,
}

/// A milter of ours, and what it has heard.
struct Milter {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
    _tasks: JoinSet<()>,
}

impl Milter {
    async fn that(does: Vec<Does>, end: Verdict) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let (keeps, mut tasks) = (Arc::clone(&heard), JoinSet::new());
        tasks.spawn(async move {
            let mut sessions = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (does, end, keeps) = (does.clone(), end.clone(), Arc::clone(&keeps));
                sessions.spawn(converse(stream, does, end, keeps));
            }
        });
        Self { address, heard, _tasks: tasks }
    }

    async fn ending(end: Verdict) -> Self {
        Self::that(Vec::new(), end).await
    }

    fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }

    fn section(&self, more: &str) -> String {
        section(self.address, more)
    }
}

fn section(at: SocketAddr, more: &str) -> String {
    format!("[[filter]]\nname = \"judge\"\ntype = \"milter\"\nserver = \"inet:{at}\"\n{more}\n")
}

async fn converse(
    mut stream: TcpStream,
    does: Vec<Does>,
    end: Verdict,
    keeps: Arc<Mutex<Vec<String>>>,
) {
    let mut server = Server::new(Wishes { actions: Actions::ALL, ..Wishes::default() });
    let (mut buffer, mut out) = ([0; 65_536], Vec::new());
    loop {
        let Ok(read @ 1..) = stream.read(&mut buffer).await else { return };
        let mut input = &buffer[..read];
        while let Some(heard) = server.receive(&mut input, &mut out).unwrap() {
            let told = told(&heard, &server);
            let what = does.iter().find(|it| told.starts_with(it.at)).map(|it| it.what.clone());
            keeps.lock().unwrap().push(told);
            match what {
                Some(What::Says(answer)) => server.answer(&answer, &mut out).unwrap(),
                Some(What::Bytes(bytes)) => out.extend_from_slice(bytes),
                Some(What::Hangs) => std::future::pending().await,
                Some(What::Closes) => return,
                None if heard == Heard::EndOfBody => server.finish(&end, &mut out).unwrap(),
                None if server.owes_answer() => {
                    server.answer(&Answer::Continue, &mut out).unwrap();
                }
                None => {}
            }
        }
        if stream.write_all(&out).await.is_err() {
            return;
        }
        out.clear();
    }
}

fn told(heard: &Heard, server: &Server) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let words =
        |words: &[Box<[u8]>]| words.iter().map(|word| text(word)).collect::<Vec<_>>().join(" ");
    match heard {
        Heard::Connect(peer) => {
            format!("connect {} {}", text(&peer.name), server.macro_value("j").unwrap_or_default())
        }
        Heard::Helo(name) => format!("helo {}", text(name)),
        Heard::Mail(of) => format!("mail {}", words(of)),
        Heard::Rcpt(of) => format!("rcpt {}", words(of)),
        Heard::Data => "data".to_owned(),
        Heard::Header { name, value } => format!("header {}:{}", text(name), text(value)),
        Heard::EndOfHeader => "eoh".to_owned(),
        Heard::Body(bytes) => format!("body {}", bytes.len()),
        Heard::EndOfBody => "eob".to_owned(),
        Heard::Abort => "abort".to_owned(),
        Heard::Quit { .. } => "quit".to_owned(),
        Heard::Unknown(_) => "unknown".to_owned(),
    }
}

/// A program that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn pass() -> Verdict {
    Verdict { decision: Decision::Pass, edits: Vec::new(), reason: "".into() }
}

fn changing(edits: Vec<Edit>) -> Verdict {
    Verdict { edits, ..pass() }
}

async fn hearing(sink: &Sink, sections: &str) -> Gateway {
    Gateway::start(&Setup::before(sink).listener("mx", "mode = \"mx\"").sections(sections)).await
}

#[tokio::test]
async fn a_milter_hears_all_of_a_session_but_our_own_header() {
    let sink = Sink::start(Script::smtp()).await;
    let milter = Milter::ending(pass()).await;
    let gateway = hearing(&sink, &milter.section("")).await;
    let content =
        format!("Subject: x\r\nX-Long: a\r\n b\r\n\r\n{}", "0123456789\r\n".repeat(20_000));
    let mail = mail_to("user").to("eve@local.example").from("bob@far.example").content(&content);
    gateway.accept(mail).await;
    assert!(sink.expect_one().await.text().ends_with(&content));
    let heard = milter.heard();
    let expected = [
        "connect [127.0.0.1] gate.example",
        "helo client.example",
        "mail <bob@far.example>",
        "rcpt <user@local.example>",
        "rcpt <eve@local.example>",
        "data",
        "header Subject:x",
        "header X-Long:a\n b",
        "eoh",
    ];
    let shown: Vec<_> = heard.iter().take(expected.len()).map(|it| it.replace(": ", ":")).collect();
    assert_eq!(shown, expected);
    let bodies = heard.iter().filter_map(|it| it.strip_prefix("body ")?.parse::<usize>().ok());
    assert_eq!(bodies.sum::<usize>(), 240_000);
}

#[tokio::test]
async fn a_milter_sees_and_changes_what_tables_put_above_our_own_header() {
    let value = |text: &str| text.as_bytes().into();
    let milter = Milter::ending(changing(vec![
        Edit::Insert { above: 0, name: "X-Top".into(), value: value(" 1") },
        Edit::Insert { above: 2, name: "X-Below".into(), value: value(" 2") },
        Edit::Change { name: "x-policy".into(), nth: 1, value: value(" read") },
        Edit::Remove { name: "Received".into(), nth: Some(1) },
    ]))
    .await;
    let rest = "X-Below: 2\r\nSubject: x\r\n\r\ntext\r\n";
    let content = "Received: by them\r\nSubject: x\r\n\r\ntext\r\n";
    // What a rule leaves of our own is our own.
    for (checks, ours) in [
        ("static:DUNNO", "Received: from client.example "),
        ("pcre:{ {/^Received: .*by gate/ REPLACE Received: by us} }", "Received: by us\r\n"),
        ("pcre:{ {/^Received: .*by gate/ IGNORE} }", ""),
    ] {
        let sink = Sink::start(Script::smtp()).await;
        let setup = Setup::before(&sink)
            .listener("mx", &format!("mode = \"mx\"\nheader_checks = [{checks:?}]"))
            .section("archive", "enabled = true\nmark = true")
            .section("restrictions", "sender = [\"check_sender_access inline:{ {local.example = PREPEND X-Policy: seen} }\"]")
            .sections(&milter.section(""));
        let gateway = Gateway::start(&setup).await;
        let before = milter.heard().len();
        gateway.accept(mail_to("user").content(content)).await;
        let heard = milter.heard().split_off(before);
        let shown: Vec<_> = heard.iter().filter_map(|it| it.strip_prefix("header ")).collect();
        assert_eq!(shown, ["X-Policy: seen", "Received: by them", "Subject: x"], "{checks}");
        let text = sink.expect_one().await.text();
        let top = "X-Archive-Status: Archived\r\nX-Top: 1\r\nx-policy: read\r\n";
        assert!(text.starts_with(&format!("{top}{ours}")), "{text}");
        assert!(text.ends_with(rest) && !text.contains("by them"), "{text}");
    }
}

#[tokio::test]
async fn what_a_milter_refuses_is_refused_there_and_for_that_alone() {
    let sink = Sink::start(Script::smtp()).await;
    let reply = Reply::with_text(550, Enhanced(5, 7, 1), "not that one".to_owned());
    let refuses = |at| Does { at, what: What::Says(Answer::Refuse(reply.clone())) };
    let milter = Milter::that(vec![refuses("mail <bad@"), refuses("rcpt <bad@")], pass()).await;
    let gateway = hearing(&sink, &milter.section("")).await;
    let mut peer = gateway.connect().await;
    peer.greet().await;
    peer.ask("MAIL FROM:<bad@far.example>", "550 5.7.1 not that one").await;
    peer.ask("MAIL FROM:<good@far.example>", "250 *").await;
    peer.ask("RCPT TO:<bad@local.example>", "550 5.7.1 not that one").await;
    peer.ask("RCPT TO:<user@local.example>", "250 *").await;
    peer.ask("DATA", "354 *").await;
    peer.say("Subject: x\r\n\r\nx\r\n.").await;
    peer.hear("250 2.0.0 *").await;
    assert_eq!(sink.expect_one().await.recipients(), ["user@local.example"]);
    // What was said of the last mail is not said of this one.
    peer.ask("MAIL FROM:<bad@far.example>", "550 5.7.1 not that one").await;
}

#[tokio::test]
async fn a_milter_changes_header_body_and_envelope() {
    let sink = Sink::start(Script::smtp()).await;
    let field = |name: &str| name.into();
    let value = |text: &str| text.as_bytes().into();
    let milter = Milter::ending(changing(vec![
        Edit::Insert { above: 0, name: field("X-First"), value: value(" 1") },
        Edit::Append { name: field("X-Last"), value: value(" 9") },
        Edit::Change { name: field("subject"), nth: 1, value: value(" another") },
        Edit::Remove { name: field("X-Gone"), nth: Some(1) },
        Edit::Body(value("new body\n")),
        Edit::AddRecipient("more@local.example".parse().unwrap()),
        Edit::RemoveRecipient("user@local.example".parse().unwrap()),
        Edit::Sender(mailweir_mail::ReversePath::Null),
    ]))
    .await;
    let gateway = hearing(&sink, &milter.section("")).await;
    let content = "Subject: x\r\nX-Gone: yes\r\nX-Stays: yes\r\n\r\nold body\r\n";
    gateway.accept(mail_to("user").content(content)).await;
    let received = sink.expect_one().await;
    assert_eq!((received.sender(), received.recipients()), ("", vec!["more@local.example"]));
    let text = received.text();
    let (_, rest) = text.split_once("X-First: 1\r\n").unwrap();
    let expected = "subject: another\r\nX-Stays: yes\r\nX-Last: 9\r\n\r\nnew body\r\n";
    assert_eq!(rest, expected);
    assert!(text.starts_with("Received: from "), "{text}");
}

#[tokio::test]
async fn quarantine_holds_and_discard_throws_away() {
    let sink = Sink::start(Script::smtp()).await;
    let reason = "looks odd".into();
    let holds = Milter::ending(Verdict { decision: Decision::Hold, reason, ..pass() }).await;
    let gateway = hearing(&sink, &holds.section("")).await;
    let id = gateway.accept(mail_to("user")).await;
    gateway.queue().expect(id, Place::Hold).await;
    let _ = gateway.log().expect(": looks odd (the filter judge)").await;

    let early = Does { at: "rcpt", what: What::Says(Answer::Discard) };
    for discards in [
        Milter::ending(Verdict { decision: Decision::Discard, ..pass() }).await,
        Milter::that(vec![early], pass()).await,
    ] {
        let gateway = hearing(&sink, &discards.section("")).await;
        let said = gateway.submit(mail_to("user")).await;
        assert!(said.reply().starts_with("250 2.0.0 "), "{}", said.reply());
        gateway.queue().expect_empty().await;
    }
    sink.expect_nothing();
}

#[tokio::test]
async fn i7_a_milter_that_fails_lets_nothing_pass_unless_that_is_said() {
    let nobody = free_address().unwrap();
    let ways: Vec<Option<Does>> = [
        ("", None),
        ("eob", Some(What::Hangs)),
        ("eoh", Some(What::Closes)),
        ("data", Some(What::Bytes(b"\0\0\0\x01c\0\0\0\x01c"))),
        ("rcpt", Some(What::Bytes(b"\xff\xff\xff\xffc"))),
        ("mail", Some(What::Bytes(b"\0\0\0\x01!"))),
        ("eob", Some(What::Bytes(b"\0\0\0\x05y999\0"))),
        ("helo", Some(What::Closes)),
    ]
    .into_iter()
    .map(|(at, what)| what.map(|what| Does { at, what }))
    .collect();
    for does in ways {
        let milter = match &does {
            None => None,
            Some(does) => Some(Milter::that(vec![does.clone()], pass()).await),
        };
        let at = milter.as_ref().map_or(nobody, |milter| milter.address);
        let failing =
            |becomes: &str| section(at, &format!("if_failed = {becomes:?}\ntime_limit = \"1s\""));
        let sink = Sink::start(Script::smtp()).await;
        let gateway = hearing(&sink, &failing("hold")).await;
        let id = gateway.accept(mail_to("user")).await;
        gateway.queue().expect(id, Place::Hold).await;
        sink.expect_nothing();
        let gateway = hearing(&sink, &failing("pass")).await;
        gateway.accept(mail_to("user")).await;
        sink.expect_one().await;
        let _ = gateway.log().expect("the filter judge failed: ").await;
    }
    let sink = Sink::start(Script::smtp()).await;
    let gateway = hearing(&sink, &section(nobody, "")).await;
    let mut peer = gateway.connect().await;
    peer.hear("220 *").await;
    for command in ["EHLO client.example", "HELO client.example", "MAIL FROM:<ann@local.example>"] {
        peer.ask(command, "451 4.7.1 Service unavailable - try again later").await;
    }
    let _ = gateway.log().expect("the filter judge failed: no connection to it: ").await;
    assert_eq!(gateway.log().count("the filter judge failed"), 1, "{}", gateway.log());
    let gateway = hearing(&sink, &section(nobody, "if_failed = \"reject\"")).await;
    gateway.connect().await.hear("550 5.7.1 Service unavailable").await;
}

#[tokio::test]
async fn i7_a_header_that_is_too_long_for_a_milter_is_the_fault_of_its_mail() {
    let sink = Sink::start(Script::smtp()).await;
    let reply = Reply::with_text(550, Enhanced(5, 7, 1), "not that one".to_owned());
    let refuses = Does { at: "rcpt <bad@", what: What::Says(Answer::Refuse(reply)) };
    let milter = Milter::that(vec![refuses], pass()).await;
    let gateway = hearing(&sink, &milter.section("if_failed = \"pass\"")).await;
    let long = format!("{}\r\nx\r\n.", "X-Field: x\r\n".repeat(100_000));
    let mut peer = gateway.connect().await;
    peer.greet().await;
    // More often than a milter may fail before it is left alone.
    for _ in 0..6 {
        peer.ask("MAIL FROM:<a@far.example>", "250 *").await;
        peer.ask("RCPT TO:<user@local.example>", "250 *").await;
        peer.ask("DATA", "354 *").await;
        peer.say(&long).await;
        peer.hear("552 5.3.4 *").await;
    }
    peer.ask("MAIL FROM:<a@far.example>", "250 *").await;
    peer.ask("RCPT TO:<bad@local.example>", "550 5.7.1 not that one").await;
    gateway.log().expect_none("the filter judge failed");
    sink.expect_nothing();
}

#[tokio::test]
async fn i7_a_milter_that_fails_again_and_again_is_left_alone() {
    for at in ["helo", "eob"] {
        let sink = Sink::start(Script::smtp()).await;
        let closes = Milter::that(vec![Does { at, what: What::Closes }], pass()).await;
        let gateway = hearing(&sink, &closes.section("if_failed = \"pass\"")).await;
        for _ in 0..7 {
            gateway.accept(mail_to("user")).await;
        }
        sink.expect(7).await;
        assert_eq!(closes.heard().iter().filter(|it| it.starts_with("connect")).count(), 5, "{at}");
        let expected = "failed: it was not asked, for it has failed 5 times in a row; the mail goes on without it";
        let _ = gateway.log().expect_times(2, expected).await;
    }
}

#[tokio::test]
async fn i8_a_milter_that_adds_ten_thousand_fields_has_failed_and_the_mail_is_as_it_was() {
    let field = Edit::Append { name: "X-Much".into(), value: b" 1".as_slice().into() };
    let milter = Milter::ending(changing(vec![field; 10_000])).await;
    let sink = Sink::start(Script::smtp()).await;
    let gateway = hearing(&sink, &milter.section("")).await;
    let said = gateway.submit(mail_to("user")).await;
    said.expect_refused("451 4.7.1 Service unavailable - try again later");
    let gateway = hearing(&sink, &milter.section("if_failed = \"pass\"")).await;
    let content = format!("{}\r\ntext\r\n", "X-Much: 0\r\n".repeat(10_000));
    gateway.accept(mail_to("user").content(&content)).await;
    let text = sink.expect_one().await.text();
    assert!(text.ends_with(&content) && !text.contains("X-Much: 1"));
}

/// What the one that is asked last has made of a mail is what leaves, so that one who signs stands last.
#[tokio::test]
async fn i8_filters_see_a_mail_in_the_order_of_the_file_and_nothing_is_changed_behind_the_last() {
    let subject = Edit::Change { name: "Subject".into(), nth: 1, value: (*b" other").into() };
    let changes = Milter::ending(changing(vec![subject])).await;
    let signature = Edit::Insert { above: 0, name: "X-Signed".into(), value: (*b" yes").into() };
    let signs = Milter::ending(changing(vec![signature])).await;
    let named = |milter: &Milter, name: &str| milter.section("").replace("judge", name);
    let (changing, signing) = (named(&changes, "changes"), named(&signs, "signs"));
    for (filters, signed, left) in [
        (changing.clone() + &signing, "header Subject: other", "X-Signed: yes\r\nSubject: other"),
        (signing + &changing, "header Subject: x", "X-Signed: yes\r\nSubject: other"),
    ] {
        let sink = Sink::start(Script::smtp()).await;
        let gateway = hearing(&sink, &filters).await;
        let before = (changes.heard().len(), signs.heard().len());
        gateway.accept(mail_to("user").content("Subject: x\r\n\r\ntext\r\n")).await;
        let (seen, heard) =
            (changes.heard().split_off(before.0), signs.heard().split_off(before.1));
        assert!(heard.iter().any(|it| it == signed), "{heard:?}");
        // Who comes later sees what was signed, and breaks it.
        let sees_it = seen.iter().any(|it| it == "header X-Signed: yes");
        assert_eq!(sees_it, signed == "header Subject: x", "{seen:?}");
        let text = sink.expect_one().await.text();
        assert!(text.ends_with(&format!("\r\n{left}\r\n\r\ntext\r\n")), "{text}");
    }
}

/// A proxy has the mail as a milter has made it, and what it hands back is all that becomes of it.
#[tokio::test]
async fn i8_who_gets_a_mail_by_the_word_of_a_milter_stands_in_what_a_proxy_is_given() {
    let sink = Sink::start(Script::smtp()).await;
    let milter = Milter::ending(changing(vec![
        Edit::AddRecipient("more@local.example".parse().unwrap()),
        Edit::RemoveRecipient("user@local.example".parse().unwrap()),
        Edit::RemoveRecipient("postmaster@gate.example".parse().unwrap()),
        Edit::Sender(mailweir_mail::ReversePath::Null),
    ]))
    .await;
    let proxy = HandingBack::start(Plan::keeping().and_for(&["other@local.example"])).await;
    let section = format!(
        "[[filter]]\nname = \"one\"\ntype = \"proxy\"\nto = \"smtp://{}\"\nreturns_to = \"back\"\n",
        proxy.address()
    );
    let setup = Setup::before(&sink)
        .listener("mx", "mode = \"mx\"")
        .listener("back", "mode = \"filter\"\nnetworks = [\"127.0.0.0/8\"]")
        .section("domains", "postmaster = \"ann@local.example\"")
        .sections(&(milter.section("") + &section));
    let gateway = Gateway::start(&setup).await;
    proxy.hand_back_to(gateway.address("back"));
    let mail = mail_to("user").to("third@local.example").to("other@local.example");
    gateway.accept(mail.to("postmaster")).await;
    let [shown] = &proxy.shown()[..] else { panic!("asked once") };
    let given = ["third@local.example", "other@local.example", "more@local.example"];
    assert_eq!((&*shown.sender, &shown.recipients[..]), ("", &given.map(str::to_owned)[..]));
    let mail = sink.expect_one().await;
    assert_eq!((mail.sender(), mail.recipients()), ("", vec!["other@local.example"]));
}

#[tokio::test]
async fn an_action_that_names_a_milter_changes_nothing_and_is_told() {
    let sink = Sink::start(Script::smtp()).await;
    let milter = Milter::ending(pass()).await;
    let setup = Setup::before(&sink)
        .listener("mx", "mode = \"mx\"\nheader_checks = [\"static:FILTER judge:\"]")
        .sections(&milter.section(""));
    let gateway = Gateway::start(&setup).await;
    let id = gateway.accept(mail_to("user")).await;
    sink.expect_one().await;
    let told = format!(
        "{id}: FILTER judge: is passed over, for a milter hears a session from its beginning"
    );
    let _ = gateway.log().expect(&told).await;
    assert_eq!(milter.heard().iter().filter(|it| *it == "eob").count(), 1);
}

/// The real one, which signs what it gets from this machine.
#[tokio::test(flavor = "multi_thread")]
async fn opendkim_signs_mail_below_our_own_header() {
    if !tools::require(&["opendkim", "openssl"]) {
        return;
    }
    let place = TempDir::new().unwrap();
    let file = |name: &str| place.path().join(name).display().to_string();
    let key = file("key.pem");
    let made = Command::new("openssl").args(["genrsa", "-out", &key, "2048"]).output().unwrap();
    assert!(made.status.success());
    let at = free_address().unwrap();
    let settings = format!(
        "Domain local.example\nSelector one\nKeyFile {key}\nMode s\nInternalHosts 127.0.0.0/8\n\
         Socket inet:{}@{}\nUserID root\nRequireSafeKeys no\nPidFile {}\n",
        at.port(),
        at.ip(),
        file("pid")
    );
    std::fs::write(file("conf"), settings).unwrap();
    let mut opendkim = Command::new("opendkim");
    opendkim.args(["-f", "-x", &file("conf")]).stderr(Stdio::null());
    let _opendkim = Running(opendkim.spawn().unwrap());
    wait::until_true("opendkim", async || TcpStream::connect(at).await.is_ok()).await;

    let sink = Sink::start(Script::smtp()).await;
    let gateway = hearing(&sink, &section(at, "")).await;
    let content = "From: ann@local.example\r\nSubject: x\r\n\r\nhello\r\n";
    gateway.accept(mail_to("user").from("ann@local.example").content(content)).await;
    let text = sink.expect_one().await.text();
    let (ours, rest) = text.split_once("DKIM-Signature: v=1; a=rsa-sha256; ").unwrap();
    assert!(ours.starts_with("Received: from ") && ours.ends_with("\r\n"), "{text}");
    assert!(rest.contains("d=local.example; s=one;") && rest.ends_with(content), "{text}");
}

/// The real one, which scans by itself what its proxy hears.
#[tokio::test(flavor = "multi_thread")]
async fn rspamd_is_a_milter_that_marks_clean_mail_and_refuses_spam() {
    if !tools::require(&["rspamd"]) {
        return;
    }
    let rspamd = tokio::task::spawn_blocking(Rspamd::start_as_milter).await.unwrap();
    let sink = Sink::start(Script::smtp()).await;
    let gateway = hearing(&sink, &section(rspamd.address(), "")).await;
    let content = |subject: &str, text: &str| {
        format!("From: ann@far.example\r\nSubject: {subject}\r\nX-Gone: x\r\n\r\n{text}\r\n")
    };
    let send = async |subject: &str, text: &str| {
        gateway.submit(mail_to("user").content(content(subject, text))).await
    };
    send("lunch", "Shall we meet?").await.expect_accepted();
    let text = sink.expect_one().await.text();
    let (before, behind) = text.split_once("X-Spamd-Bar: /\r\n").unwrap();
    assert!(format!("{before}{behind}").ends_with(&content("lunch", "Shall we meet?")), "{text}");

    send("lunch", &Rspamd::pattern('X')).await.expect_refused("554 5.7.1 Gtube pattern");
    send("action=soft reject", "").await.expect_refused("451 4.7.1 *");

    // Every change that it can ask for.
    send("changes", "").await.expect_accepted();
    let changed = &sink.expect(2).await[1];
    assert_eq!(changed.sender(), "new@own.example");
    assert!(changed.recipients().contains(&"c@own.example"), "{changed:?}");
    let text = changed.text();
    assert!(text.contains("\r\nX-Folded: a\r\n\tb\r\n") && !text.contains("X-Gone"), "{text}");
    gateway.queue().expect_empty().await;
}
