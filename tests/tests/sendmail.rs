//! `mailweir sendmail` as scripts, cron and programs call it: what arrives, and how it ends.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::SocketAddr,
    os::{
        linux::net::SocketAddrExt as _,
        unix::{fs::symlink, net},
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use mailweir_tests::{
    free_address,
    installation::{Installation, Plan, feed},
    peers::Said,
    program,
    sink::{Act, Point, Received, Script, Sink},
    tools,
    wait::PATIENCE,
};
use rustix::process::geteuid;

const TAKEN: Option<i32> = Some(0);
const WRONG_WORDS: Option<i32> = Some(64);
const BAD_MAIL: Option<i32> = Some(65);
const REFUSED: Option<i32> = Some(69);
const INPUT_FAILED: Option<i32> = Some(74);
const LATER: Option<i32> = Some(75);
const BAD_CONFIGURATION: Option<i32> = Some(78);

const LETTER: &str =
    "Subject: x\r\nFrom: a@b.example\r\nTo: b@own.example\r\n\r\nFrom here\r\n.\r\n..\r\nend\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn the_filter_script_of_postfix_hands_mail_back_unchanged() {
    let Some(plan) = Plan::new() else { return };
    let sink = Sink::start(Script::smtp()).await;
    let gateway = plan.mx().next_hop(sink.address()).start();
    let script = filter_script(&gateway.path("script"), gateway.binary());
    let run = |recipients: &[&str]| {
        let mut command = Command::new("sh");
        command.arg(&script).args(["-f", "a+b@sender.example", "--"]).args(recipients);
        feed(command.env("MAILWEIR_RETURN", gateway.at("mx").to_string()), LETTER).unwrap()
    };
    let said = run(&["b@own.example", "\"-q q\"@own.example"]);
    assert_eq!((said.status, &*said.text), (TAKEN, ""));
    let received = sink.expect_one().await;
    assert_eq!(received.sender(), "a+b@sender.example");
    assert_eq!(received.recipients(), ["b@own.example", "\"-q q\"@own.example"]);
    assert!(received.text().ends_with(LETTER), "{}", received.text());
    assert_eq!(fields(&received, "Message-ID").len(), 0, "{}", received.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_takes_the_way_back_where_there_is_one() {
    let Some(binary) = program::require() else { return };
    let sink = Sink::start(Script::smtp()).await;
    let run = |words: &[&str], to: SocketAddr, way_back: &str| {
        let mut command = Command::new(&binary);
        command.arg("sendmail").args(words).arg("b@own.example");
        command.env("MAILWEIR_RETURN", to.to_string()).env("MAILWEIR_WAY_BACK", way_back);
        feed(&mut command, LETTER).unwrap().status
    };
    let name = format!("mailweir-test-{}", std::process::id());
    let nobody = free_address().unwrap();
    let user = geteuid().as_raw();
    let told = |address: SocketAddr, user: u32| format!("{address},{name},{user}");
    assert_eq!(run(&[], nobody, &told(nobody, user)), LATER);
    assert_eq!(run(&[], sink.address(), &told(sink.address(), user)), TAKEN, "by TCP");

    let socket = net::SocketAddr::from_abstract_name(&name).unwrap();
    let socket = net::UnixListener::bind_addr(&socket).unwrap();
    let to = sink.address();
    let named = ["--to", &to.to_string()];
    assert_eq!(run(&named, nobody, &told(nobody, user)), TAKEN, "the server that was named");
    assert_eq!(run(&[], to, &told(nobody, user)), TAKEN, "the way to another");
    assert_eq!(run(&[], nobody, "nonsense"), LATER);
    let good = "220 a\r\n250 a\r\n250 a\r\n250 a\r\n250 a\r\n221 a\r\n";
    for (answer, status) in [
        (good, TAKEN),
        ("220 a\r\n250 a\r\n250 a\r\n550 no\r\n503 no\r\n221 a\r\n", REFUSED),
        ("220 a\r\n250 a\r\n250 a\r\n250 a\r\n451 wait\r\n", LATER),
        ("554 5.5.0 not so\r\n", LATER),
        ("220 a\r\n250 a\r\n", LATER),
        ("", LATER),
    ] {
        let heard = std::thread::scope(|scope| {
            let heard = scope.spawn(|| hear_all(&socket, answer));
            assert_eq!(run(&["-G", "-i"], nobody, &told(nobody, user)), status, "{answer:?}");
            heard.join().unwrap()
        });
        let content = format!("BDAT {} LAST\r\n{LETTER}QUIT\r\n", LETTER.len());
        assert!(heard.ends_with(&content), "{heard}");
    }
    let refusing = std::thread::spawn(move || {
        let (mut client, _) = socket.accept().unwrap();
        client.write_all(b"421 4.3.2 not now\r\n").unwrap();
    });
    assert_eq!(run(&[], nobody, &told(nobody, user)), LATER);
    refusing.join().unwrap();
    assert_eq!(sink.expect(3).await.len(), 3);
}

/// Hears all of a mail that is said at once, and answers only then.
fn hear_all(socket: &net::UnixListener, answer: &str) -> String {
    let (mut client, _) = socket.accept().unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut heard = Vec::new();
    while !heard.ends_with(b"QUIT\r\n") {
        let mut piece = [0; 512];
        let length = client.read(&mut piece).unwrap();
        assert!(length > 0, "{}", heard.escape_ascii());
        heard.extend_from_slice(&piece[..length]);
    }
    client.write_all(answer.as_bytes()).unwrap();
    String::from_utf8(heard).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_hears_what_the_listener_says_of_its_mail() {
    let Some(binary) = program::require() else { return };
    let refusing = |reply: &str| Sink::start(Script::smtp().replying(Point::Dot, reply));
    let (never, later) = (refusing("554 5.7.1 no").await, refusing("451 4.3.0 wait").await);
    let nobody = free_address().unwrap();
    let mute = Sink::start(Script::smtp().at(Point::Dot, Act::Drop)).await;
    let place = tempfile::tempdir().unwrap();
    let script = filter_script(place.path(), &binary);
    for (server, status, words) in [
        (never.address(), REFUSED, "<b@own.example>: 554 5.7.1 no"),
        (later.address(), LATER, "<b@own.example>: 451 4.3.0 wait"),
        (mute.address(), LATER, "lost connection"),
        (nobody, LATER, "does not answer"),
    ] {
        let mut command = Command::new("sh");
        command.arg(&script).args(["-f", "", "--", "b@own.example"]);
        let said = feed(command.env("MAILWEIR_RETURN", server.to_string()), LETTER).unwrap();
        assert_eq!(said.status, status, "{said:?}");
        assert!(said.text.starts_with("sendmail: ") && said.text.contains(words), "{said:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_of_cron_finds_a_listener_and_gets_what_its_header_lacks() {
    let Some(plan) = Plan::new() else { return };
    let sink = Sink::start(Script::smtp()).await;
    let plan = plan.listener("submission", "mode = \"submission\"\ntls = \"none\"");
    let gateway = plan.mx().next_hop(sink.address()).start();
    let said = sendmail(&gateway, &["-FCron Daemon", "-i", "ann"], "From cron Mon\nhello\n.\n");
    assert_eq!((said.status, &*said.text), (TAKEN, ""));
    let received = sink.expect_one().await;
    assert_eq!(received.recipients(), ["ann@gate.test.example"]);
    let sender = received.sender().to_owned();
    assert!(sender.ends_with("@gate.test.example"), "{sender}");
    assert_eq!(fields(&received, "From"), [format!("Cron Daemon <{sender}>")]);
    assert_eq!(fields(&received, "Date").len(), 1);
    assert!(fields(&received, "Message-ID")[0].ends_with("@gate.test.example>"));
    assert!(received.text().ends_with("\r\n\r\nhello\r\n.\r\n"), "{}", received.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn recipients_of_the_header_get_the_mail_and_hidden_ones_stay_hidden() {
    let Some(binary) = program::require() else { return };
    let sink = Sink::start(Script::smtp()).await;
    let letter = "From: Ann <ann@own.example>\nTo: b@own.example,\n c@own.example\n\
                  Bcc: hidden@own.example,\n\tmore@own.example\nCc: b@Own.example\n\ntext\n";
    let words = ["-ti", "-f", "<>", "-N", "never", "-R", "hdrs", "-V", "job 7", "d@own.example"];
    let said = to_server(&binary, sink.address(), &words, letter);
    assert_eq!((said.status, &*said.text), (TAKEN, ""));
    let received = sink.expect_one().await;
    assert_eq!(received.sender(), "");
    let expected = ["d", "b", "c", "hidden", "more"].map(|local| format!("{local}@own.example"));
    assert_eq!(received.recipients(), expected);
    assert!(received.mail.contains("RET=HDRS ENVID=job+207"), "{}", received.mail);
    assert!(received.rcpt[0].contains("NOTIFY=NEVER"), "{:?}", received.rcpt);
    let text = received.text();
    assert!(text.contains("To: b@own.example,\r\n c@own.example\r\nCc: "), "{text}");
    assert!(!text.contains("hidden") && !text.contains("more@"), "{text}");
    assert_eq!(fields(&received, "From"), ["Ann <ann@own.example>"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn hidden_recipients_stay_hidden_whoever_gets_the_mail() {
    let Some(binary) = program::require() else { return };
    let sink = Sink::start(Script::smtp()).await;
    let letter = "To: b@own.example\nBcc: hidden@own.example,\n\tmore@own.example\n\
                  resent-bcc: again@own.example\nSubject: Bcc: stays\n\nBcc: text\n";
    for words in [&["b@own.example"][..], &["-G", "-i", "b@own.example"]] {
        let said = to_server(&binary, sink.address(), words, letter);
        assert_eq!((said.status, &*said.text), (TAKEN, ""), "{words:?}");
    }
    for received in sink.expect(2).await {
        assert_eq!(received.recipients(), ["b@own.example"]);
        let text = received.text();
        let end = "To: b@own.example\r\nSubject: Bcc: stays\r\n\r\nBcc: text\r\n";
        assert!(text.ends_with(end) && !text.contains("hidden"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lone_dot_is_the_end_or_content() {
    let Some(binary) = program::require() else { return };
    let sink = Sink::start(Script::smtp()).await;
    let letter = "Subject: x\n\n..\nhi\n.\nmore\n";
    for words in [&["-G", "b@own.example"][..], &["-G", "-oi", "b@own.example"]] {
        let said = to_server(&binary, sink.address(), words, letter);
        assert_eq!((said.status, &*said.text), (TAKEN, ""), "{words:?}");
    }
    let received = sink.expect(2).await;
    assert_eq!(received[0].text(), "Subject: x\r\n\r\n..\r\nhi\r\n");
    assert_eq!(received[1].text(), "Subject: x\r\n\r\n..\r\nhi\r\n.\r\nmore\r\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_goes_to_all_recipients_or_to_nobody() {
    let Some(binary) = program::require() else { return };
    let offers = [Script::smtp(), Script::smtp().offering(&["SIZE"])];
    let refusals =
        [("550 5.1.1 no", REFUSED), ("450 4.2.0 wait", LATER), ("452 4.5.3 many", LATER)];
    for script in offers {
        for (reply, status) in refusals {
            let script = script.clone().replying_for("c@own.example", Point::Rcpt, reply);
            let sink = Sink::start(script).await;
            let recipients = ["b@own.example", "c@own.example", "d@own.example"];
            let said = to_server(&binary, sink.address(), &recipients, "Subject: x\n\nhi\n");
            assert_eq!(said.status, status, "{said:?}");
            assert!(said.text.contains(&format!("<c@own.example>: {reply}")), "{said:?}");
            assert!(said.text.contains("<b@own.example>: 450 4.3.0 not sent"), "{said:?}");
            sink.expect_ended(1).await;
            sink.expect_nothing();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_mail_arrives_byte_for_byte() {
    let Some(binary) = program::require() else { return };
    let sink = Sink::start(Script::smtp()).await;
    let line = format!(".{}\r\n", "x".repeat(70));
    let letter = format!("Subject: x\r\n\r\n{}", line.repeat(100_000));
    let said = to_server(&binary, sink.address(), &["-G", "-i", "b@own.example"], &letter);
    assert_eq!((said.status, &*said.text), (TAKEN, ""));
    let received = sink.expect_one().await;
    assert!(received.mail.contains(&format!("SIZE={}", letter.len())), "{}", received.mail);
    assert!(received.text() == letter);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_cannot_be_read_to_its_end_is_not_sent() {
    let Some(binary) = program::require() else { return };
    let sink = Sink::start(Script::smtp()).await;
    let directory = tempfile::tempdir().unwrap();
    let server = sink.address().to_string();
    let run = |words: &[&str], returns_to: &str| {
        let mut command = Command::new(&binary);
        command.arg("sendmail").args(words).arg("b@own.example").env("MAILWEIR_RETURN", returns_to);
        command.stdin(File::open(&directory).unwrap()).output().unwrap()
    };
    let output = run(&["--to", &server], "");
    assert_eq!(output.status.code(), INPUT_FAILED, "{output:?}");
    assert_eq!(run(&[], &server).status.code(), LATER);
    assert_eq!(sink.connections(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_speaks_smtp_is_passed_to_the_listener() {
    let Some(plan) = Plan::new() else { return };
    let sink = Sink::start(Script::smtp()).await;
    let gateway = plan.mx().next_hop(sink.address()).start();
    let mut command = Command::new(gateway.binary());
    command.args(["sendmail", "-bs", "-C"]).arg(gateway.config());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut replies = BufReader::new(child.stdout.take().unwrap()).lines();
    for (line, expected) in [
        ("", "220"),
        ("EHLO local.example\r\n", "250"),
        ("MAIL FROM:<a@b.example>\r\n", "250"),
        ("RCPT TO:<b@own.example>\r\n", "250"),
        ("DATA\r\n", "354"),
        ("Subject: x\r\n\r\nhi\r\n.\r\n", "250"),
        ("QUIT\r\n", "221"),
    ] {
        input.write_all(line.as_bytes()).unwrap();
        let mut lines = replies.by_ref().map(Result::unwrap);
        let last = lines.find(|line| line.as_bytes()[3] == b' ').unwrap();
        assert!(last.starts_with(expected), "{line}: {last}");
    }
    assert_eq!(child.wait().unwrap().code(), TAKEN);
    assert!(sink.expect_one().await.text().ends_with("Subject: x\r\n\r\nhi\r\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_queue_is_listed_and_flushed() {
    let Some(plan) = Plan::new() else { return };
    let later = free_address().unwrap();
    let gateway = plan.mx().next_hop(later).start();
    assert_eq!(sendmail(&gateway, &["-bp"], "").text, "Mail queue is empty\n");
    let said = sendmail(&gateway, &["-f", "a@b.example", "b@own.example"], "Subject: x\n\nhi\n");
    assert_eq!(said.status, TAKEN, "{said:?}");
    let _ = gateway.expect_log("status=deferred");
    assert!(sendmail(&gateway, &["-bp"], "").text.contains("a@b.example"));
    let sink = Sink::start_at(later, Script::smtp()).await;
    let said = sendmail(&gateway, &["-q"], "");
    assert!(said.content && said.text.contains("due now"), "{said:?}");
    assert_eq!(sink.expect_one().await.recipients(), ["b@own.example"]);
}

#[test]
fn without_a_listener_for_this_machine_it_says_what_to_do() {
    let Some(plan) = Plan::new() else { return };
    let gateway = plan.listener("mx", "mode = \"mx\"").install();
    let said = sendmail(&gateway, &["b@own.example"], LETTER);
    assert_eq!(said.status, BAD_CONFIGURATION, "{said:?}");
    assert!(said.text.contains("networks = [\"127.0.0.1\"]"), "{said:?}");
    fs::remove_file(gateway.config()).unwrap();
    let said = sendmail(&gateway, &["b@own.example"], LETTER);
    assert_eq!(said.status, BAD_CONFIGURATION, "{said:?}");
    for words in ["cannot be read", "-C FILE", "--to HOST:PORT", "MAILWEIR_RETURN"] {
        assert!(said.text.contains(words), "{words}: {said:?}");
    }
}

#[test]
fn words_that_make_no_sense_end_as_sysexits_has_it_and_in_a_filter_let_mail_wait() {
    let Some(binary) = program::require() else { return };
    let nobody = free_address().unwrap().to_string();
    let called = Called::new(&binary);
    for words in WRONG {
        let words: Vec<_> = words.split_whitespace().collect();
        assert_eq!(called.run(&words, None).status, WRONG_WORDS, "{words:?}");
        let said = called.run(&words, Some(&nobody));
        assert_eq!(said.status, LATER, "{words:?}: {said:?}");
        assert!(said.text.starts_with("sendmail: "), "{said:?}");
    }
    for words in [&["-t"][..], &["@"], &["-f", "a@", "b@own.example"]] {
        let said = called.run(words, Some(&nobody));
        assert_eq!(said.status, BAD_MAIL, "{words:?}: {said:?}");
    }
    let said = called.run(&["--help"], None);
    assert!(said.content && said.text.contains("-f, -r SENDER"), "{said:?}");
}

/// Every mistake ends Postfix's sendmail with 75, as it does ours in a filter.
#[test]
fn the_sendmail_of_postfix_takes_the_same_words_for_wrong() {
    if !tools::require(&["sendmail", "postconf"]) {
        return;
    }
    for words in WRONG.iter().filter(|words| !words.contains("-b") && !words.contains("-XV")) {
        let mut command = Command::new(tools::find("sendmail").unwrap());
        let said = feed(command.args(words.split_whitespace()), "Subject: x\n\nhi\n").unwrap();
        assert_eq!(said.status, LATER, "{words}: {said:?}");
    }
}

/// None of these sends anything, whoever takes them.
const WRONG: [&str; 10] =
    ["", "-i", "-Z", "-f", "-f a@b", "-B 9BIT b@own.example", "-bx", "-bv", "-qx", "--frob"];

/// The program under the name of `sendmail`.
struct Called {
    directory: tempfile::TempDir,
}

impl Called {
    fn new(binary: &Path) -> Self {
        let directory = tempfile::tempdir().unwrap();
        symlink(binary, directory.path().join("sendmail")).unwrap();
        Self { directory }
    }

    fn run(&self, words: &[&str], returns_to: Option<&str>) -> Said {
        let mut command = Command::new(self.directory.path().join("sendmail"));
        command.args(words);
        returns_to.map(|to| command.env("MAILWEIR_RETURN", to));
        feed(&mut command, "Subject: x\n\nhi\n").unwrap()
    }
}

/// The script of Postfix's `FILTER_README`, with its two lines for each site filled in and without a filter.
fn filter_script(place: &Path, mailweir: &Path) -> PathBuf {
    fs::create_dir_all(place).unwrap();
    let text = format!(
        r#"#!/bin/sh
INSPECT_DIR={place}
SENDMAIL="{mailweir} sendmail -G -i"
EX_TEMPFAIL=75
EX_UNAVAILABLE=69
trap "rm -f in.$$" 0 1 2 3 15
cd $INSPECT_DIR || {{ echo $INSPECT_DIR does not exist; exit $EX_TEMPFAIL; }}
cat >in.$$ || {{ echo Cannot save mail to file; exit $EX_TEMPFAIL; }}
$SENDMAIL "$@" <in.$$
exit $?
"#,
        place = place.display(),
        mailweir = mailweir.display(),
    );
    let path = place.join("filter.sh");
    fs::write(&path, text).unwrap();
    path
}

/// Calls it with the configuration of a gateway.
fn sendmail(gateway: &Installation, words: &[&str], input: &str) -> Said {
    let mut command = Command::new(gateway.binary());
    command.args(["sendmail", "-C"]).arg(gateway.config()).args(words);
    feed(&mut command, input).unwrap()
}

/// Calls it with a server for its mail.
fn to_server(binary: &Path, server: SocketAddr, words: &[&str], input: &str) -> Said {
    let mut command = Command::new(binary);
    command.args(["sendmail", "--to", &server.to_string()]).args(words);
    feed(&mut command, input).unwrap()
}

/// The values of the header fields of this name.
fn fields(received: &Received, name: &str) -> Vec<String> {
    let text = received.text();
    let header = text.split("\r\n\r\n").next().unwrap().replace("\r\n ", " ");
    let fields = header.split("\r\n").filter_map(|line| line.split_once(": "));
    fields
        .filter(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.to_owned())
        .collect()
}
