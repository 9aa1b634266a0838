//! Mail goes through programs, as by pipe(8) of Postfix, and comes back by a listener. Rows A4, F1, F7, I5.

use std::{
    fs::{self, File, Permissions},
    io::{self, BufRead as _, BufReader},
    os::{
        linux::net::SocketAddrExt as _,
        unix::{
            fs::{MetadataExt as _, PermissionsExt as _},
            net,
        },
    },
    path::{Path, PathBuf},
    process::Command,
};

use mailweir::control::operation::Place;
use mailweir_tests::{
    filter_readme,
    gateway::{Gateway, Setup, mail_to},
    program,
    sink::{Script, Sink},
    wait,
};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// What the author of postfix-archiver shows of his filter, for the Python of today.
const ARCHIVER: &str = r#"
import sys
import smtplib
import email

EX_OK = 0
EX_TEMPFAIL = 75
EX_UNAVAILABLE = 69

def main():
    host, port, sender, recipient = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4:]
    msg = email.message_from_string(sys.stdin.read())
    msg['X-Archive-Status'] = 'Archived'

    server = smtplib.SMTP(host, port)
    for r in recipient:
        server.sendmail(sender, r, msg.as_string())
    server.quit()

if __name__ == '__main__':
    try:
        main()
        sys.exit(EX_OK)
    except Exception as e:
        print(e)
        sys.exit(EX_TEMPFAIL)
"#;

const BACK: &str = "mode = \"filter\"\nnetworks = [\"127.0.0.0/8\"]";

/// A directory in which programs of any user may write.
struct Open(TempDir);

impl Open {
    fn new() -> Self {
        let directory = TempDir::new().unwrap();
        fs::set_permissions(directory.path(), Permissions::from_mode(0o777)).unwrap();
        Self(directory)
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        path
    }

    fn fifo(&self, name: &str) -> PathBuf {
        let path = self.path().join(name);
        let made = Command::new("mkfifo").args(["-m", "666"]).arg(&path).status();
        assert!(made.unwrap().success());
        path
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).unwrap_or_default()
    }
}

/// Root needs a user for a program, and nobody else may choose one.
fn user() -> &'static str {
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    if is_root { "user = \"nobody\"" } else { "" }
}

/// A filter that is a script of the shell, with these arguments.
fn script(name: &str, script: &str, arguments: &[&str], more: &str) -> String {
    let script = script.replace('$', "$$");
    let command = [&["/bin/sh", "-c", &script, name], arguments].concat();
    format!(
        "[[filter]]\nname = {name:?}\ntype = \"pipe\"\ncommand = {command:?}\n{}\n{more}\n",
        user()
    )
}

async fn behind(sink: &Sink, sections: &str) -> Gateway {
    let setup = Setup::before(sink).listener("mx", "mode = \"mx\"").listener("back", BACK);
    Gateway::start(&setup.sections(sections)).await
}

fn returning(text: &str) -> String {
    format!("{text}\nreturns_to = \"back\"\n")
}

#[tokio::test]
async fn a4_the_archiver_of_the_source_runs_as_it_is() {
    let place = Open::new();
    let archiver = place.file("archiver.py", ARCHIVER);
    let call = format!(
        "exec python3 {} \"${{MAILWEIR_RETURN%:*}}\" \"${{MAILWEIR_RETURN##*:}}\" \"$@\"",
        archiver.display()
    );
    let settings = "flags = \"Rq\"\nnull_sender = \"\"\nrecipient_limit = 50";
    let filter = script("archiver", &call, &["${sender}", "${recipient}"], &returning(settings));
    for sender in ["bob@far.example", ""] {
        let sink = Sink::start(Script::smtp()).await;
        let gateway = behind(&sink, &filter).await;
        gateway.accept(mail_to("ann").to("eve@local.example").from(sender)).await;
        let all = sink.expect(2).await;
        let mut recipients: Vec<_> = all.iter().flat_map(|one| one.recipients()).collect();
        recipients.sort_unstable();
        assert_eq!(recipients, ["ann@local.example", "eve@local.example"]);
        for one in &all {
            let text = one.text();
            assert!(text.contains(&format!("Return-Path: <{sender}>\r\n")), "{text}");
            assert!(text.contains("\r\nX-Archive-Status: Archived\r\n"), "{text}");
            assert!(!text.contains("X-Mailweir-Slip"), "{text}");
            assert_eq!(one.sender(), sender);
        }
        gateway.queue().expect_empty().await;
        let _ = gateway.log().expect("relay=archiver, ").await;
    }
}

#[tokio::test]
async fn f1_the_script_of_the_filter_readme_runs_as_it_is() {
    let Some(program) = program::require() else { return };
    let place = Open::new();
    fs::copy(program, place.path().join("mailweir")).unwrap();
    let sendmail = format!("{}/mailweir sendmail", place.path().display());
    let forbids = r"grep -q forbidden <in.$$ && {
   echo Message content rejected; exit $EX_UNAVAILABLE; }";
    let simple = filter_readme::simple(place.path(), &sendmail, "", forbids);
    let simple = place.file("simple", &simple);
    let call = format!("exec {} \"$@\"", simple.display());
    let arguments = ["-f", "${sender}", "--", "${recipient}"];
    let filter = script("simple", &call, &arguments, &returning("flags = \"Rq\""));
    let sink = Sink::start(Script::smtp()).await;
    let gateway = behind(&sink, &filter).await;

    let content = "Subject: x\r\n\r\n.\r\nFrom here\r\n";
    let good = || mail_to("ann").from("bob@far.example").content(content);
    gateway.accept(good().to("eve@local.example")).await;
    let one = sink.expect_one().await;
    assert_eq!(one.recipients(), ["ann@local.example", "eve@local.example"]);
    assert!(one.text().ends_with(content), "{}", one.text());
    assert!(!one.text().contains("X-Mailweir-Slip"), "{}", one.text());
    // To one recipient it is said at once.
    gateway.accept(good()).await;
    let other = sink.expect(2).await.remove(1);
    assert_eq!(other.recipients(), ["ann@local.example"]);
    assert!(other.text().ends_with(content), "{}", other.text());
    gateway.log().expect("ehlo=1 mail=1 rcpt=1 bdat=1 quit=1 commands=5").await;

    gateway.accept(mail_to("ann").from("bob@far.example").content("forbidden\r\n")).await;
    let report = sink.expect(3).await.remove(2);
    assert_eq!((report.sender(), report.recipients()), ("", vec!["bob@far.example"]));
    assert!(report.text().contains("Message content rejected"), "{}", report.text());
    gateway.queue().expect_empty().await;
}

#[tokio::test]
async fn f1_the_end_of_a_program_says_what_becomes_of_the_mail() {
    for (end, place, said) in [
        ("exit 0", None, "status=sent (delivered via says service)"),
        ("echo spoke; exit 0", None, "status=sent (delivered via says service (spoke))"),
        (
            "echo later; exit 75",
            Some(Place::Deferred),
            "dsn=4.3.0, status=deferred (temporary failure. Command output: later)",
        ),
        ("exit 1", Some(Place::Hold), "the filter says failed: it ended with status 1"),
        ("kill -9 $$", Some(Place::Hold), "the filter says failed: "),
        ("sleep 1000", Some(Place::Hold), "the filter says failed: "),
        ("cat; yes", Some(Place::Hold), "the filter says failed: "),
    ] {
        let sink = Sink::start(Script::smtp()).await;
        let settings = "if_failed = \"hold\"\ntime_limit = \"2s\"";
        let gateway = behind(&sink, &script("says", end, &[], settings)).await;
        let id = gateway.accept(mail_to("user").from("bob@far.example")).await;
        match place {
            Some(place) => gateway.queue().expect(id, place).await,
            None => gateway.queue().expect_empty().await,
        }
        let _ = gateway.log().expect(said).await;
        sink.expect_nothing();
    }
}

#[tokio::test]
async fn i5_a_process_that_starts_programs_and_is_stopped_is_replaced() {
    let place = Open::new();
    let once = place.path().join("once").display().to_string();
    let stops = format!("test -e {once} && exit 0; touch {once}; kill -STOP $PPID");
    let settings = "if_failed = \"hold\"\ntime_limit = \"2s\"";
    let sink = Sink::start(Script::smtp()).await;
    let gateway = behind(&sink, &script("stops", &stops, &[], settings)).await;
    let first = gateway.accept(mail_to("user").from("bob@far.example")).await;
    gateway.queue().expect(first, Place::Hold).await;
    gateway.accept(mail_to("user").from("bob@far.example")).await;
    let _ = gateway.log().expect("status=sent (delivered via stops service)").await;
    sink.expect_nothing();
}

#[tokio::test]
async fn i5_what_becomes_of_a_mail_whose_program_fails_is_as_configured() {
    let why = "the filter says failed: it ended with status 1";
    for (word, place) in [("defer", Place::Deferred), ("hold", Place::Hold)] {
        let sink = Sink::start(Script::smtp()).await;
        let if_failed = format!("if_failed = {word:?}");
        let gateway = behind(&sink, &script("says", "exit 1", &[], &if_failed)).await;
        let id = gateway.accept(mail_to("user").from("bob@far.example")).await;
        gateway.queue().expect(id, place).await;
        let _ = gateway.log().expect(why).await;
        sink.expect_nothing();
    }
    for (word, to) in [("pass", "user@local.example"), ("reject", "bob@far.example")] {
        let sink = Sink::start(Script::smtp()).await;
        let if_failed = format!("if_failed = {word:?}");
        let gateway = behind(&sink, &script("says", "exit 1", &[], &if_failed)).await;
        gateway.accept(mail_to("user").from("bob@far.example").content("x\r\n")).await;
        let got = sink.expect_one().await;
        assert_eq!(got.recipients(), [to]);
        assert_eq!(got.text().contains(why), word == "reject", "{}", got.text());
        gateway.queue().expect_empty().await;
    }
}

#[tokio::test]
async fn f1_a_mail_that_a_program_refuses_goes_back_with_what_it_said() {
    let sink = Sink::start(Script::smtp()).await;
    let refuses = "cat > /dev/null; echo Message content rejected; exit 69";
    let gateway = behind(&sink, &script("says", refuses, &[], "")).await;
    gateway.accept(mail_to("user").from("bob@far.example")).await;
    let report = sink.expect_one().await;
    assert_eq!((report.sender(), report.recipients()), ("", vec!["bob@far.example"]));
    assert!(report.text().contains("Message content rejected"), "{}", report.text());
}

#[tokio::test]
async fn i5_who_reads_nothing_may_have_it_all_the_same() {
    let sink = Sink::start(Script::smtp()).await;
    let gateway = behind(&sink, &script("blind", "exit 0", &[], "")).await;
    gateway.accept(mail_to("user").content("0123456789\r\n".repeat(600_000))).await;
    gateway.queue().expect_empty().await;
    sink.expect_nothing();
}

#[tokio::test]
async fn i5_nothing_of_a_program_lives_longer_than_it_may() {
    let place = Open::new();
    let sink = Sink::start(Script::smtp()).await;
    let life = place.fifo("life");
    let hangs = format!("sleep 1000 > {} & wait", life.display());
    let gateway = behind(&sink, &script("hangs", &hangs, &[], "time_limit = \"1s\"")).await;
    let id = gateway.accept(mail_to("user")).await;
    // It ends when nobody has it open any more.
    let ended = tokio::task::spawn_blocking(move || fs::read(life)).await;
    assert!(ended.unwrap().unwrap().is_empty());
    gateway.queue().expect(id, Place::Deferred).await;
}

#[tokio::test]
async fn a_program_hands_mail_back_by_the_local_socket_that_it_was_told() {
    let place = Open::new();
    let program = place.file("back.py", BY_LOCAL_SOCKET);
    let call = format!("exec python3 {} \"$@\"", program.display());
    let filter = script("here", &call, &["${sender}", "${recipient}"], &returning(""));
    let sink = Sink::start(Script::smtp()).await;
    let setup = Setup::before(&sink).listener("mx", "mode = \"mx\"");
    // TLS is for what leaves the machine.
    let setup = setup.listener("back", &format!("{BACK}\ntls = \"required\"\n"));
    let gateway = Gateway::start(&setup.sections(&filter)).await;
    gateway.accept(mail_to("ann").from("bob@far.example")).await;
    let received = sink.expect_one().await;
    assert_eq!(
        (received.sender(), received.recipients()),
        ("bob@far.example", vec!["ann@local.example"])
    );
    assert!(!received.text().contains("X-Mailweir-Slip"), "{}", received.text());
    gateway.queue().expect_empty().await;
    let log = gateway.log();
    log.expect("relay=here, ").await;
    log.expect("connect from unknown[127.0.0.1]").await;
}

#[tokio::test]
async fn the_local_socket_of_a_listener_is_for_filters_only() {
    let place = Open::new();
    let sink = Sink::start(Script::smtp()).await;
    let tells = format!("echo $MAILWEIR_WAY_BACK > {}", place.path().join("told").display());
    let filter = script("tells", &tells, &["${recipient}"], &returning(""));
    let mut gateway = behind(&sink, &filter).await;
    gateway.accept(mail_to("ann").from("bob@far.example")).await;
    gateway.queue().expect_empty().await;
    let told = place.read("told");
    let name = told.split(',').nth(1).unwrap();
    let said = "EHLO a\r\nMAIL FROM:<bob@far.example>\r\nRCPT TO:<ann@local.example>\r\nBDAT 3 LAST\r\nx\r\nQUIT\r\n";
    let heard = said_locally(name, said).await;
    let codes: Vec<_> = heard.lines().filter(|line| line.as_bytes()[3] == b' ').collect();
    let codes: Vec<_> = codes.iter().map(|line| &line[..3]).collect();
    assert_eq!(codes, ["220", "250", "250", "250", "250", "221"], "{heard}");
    sink.expect_one().await;

    // The mail of a program that was killed is tried again.
    io::Write::write_all(&mut local(name), said.as_bytes()).unwrap();
    gateway.log().expect("lost connection after END-OF-MESSAGE from unknown[127.0.0.1]").await;
    gateway.queue().expect_empty().await;

    let another = Setup::before(&sink).listener("mx", "mode = \"mx\"");
    gateway.reload(&another.listener("back", "mode = \"mx\"")).await.unwrap();
    assert_eq!(said_locally(name, said).await, "");
}

fn local(name: &str) -> net::UnixStream {
    let address = net::SocketAddr::from_abstract_name(name).unwrap();
    net::UnixStream::connect_addr(&address).unwrap()
}

/// Says all of this by the local socket of that name, and gives all that is answered.
async fn said_locally(name: &str, said: &str) -> String {
    let stream = local(name);
    stream.set_nonblocking(true).unwrap();
    let mut stream = tokio::net::UnixStream::from_std(stream).unwrap();
    let mut heard = Vec::new();
    // One that is closed takes nothing, and says nothing.
    let _ = stream.write_all(said.as_bytes()).await;
    let _ = stream.read_to_end(&mut heard).await;
    String::from_utf8(heard).unwrap()
}

/// Hands its mail back by the socket whose name stands in the environment, and wants a server there that offers no TLS.
const BY_LOCAL_SOCKET: &str = r#"
import os, smtplib, socket, sys

class Local(smtplib.SMTP):
    def _get_socket(self, host, port, timeout):
        line = socket.socket(socket.AF_UNIX)
        line.connect("\0" + host)
        return line

server = Local(os.environ["MAILWEIR_WAY_BACK"].split(",")[1])
server.ehlo("local")
sys.exit(1) if server.has_extn("starttls") else None
server.sendmail(sys.argv[1], sys.argv[2:], sys.stdin.buffer.read())
server.quit()
"#;

#[tokio::test]
async fn i5_a_program_is_somebody_else_and_knows_little() {
    let place = Open::new();
    let sink = Sink::start(Script::smtp()).await;
    let tells = "{ id -u; id -G; pwd; env; printf '%s\\n' \"$@\"; } > ".to_owned()
        + &place.path().join("told").display().to_string();
    let arguments = ["-f", "${sender}", "--", "${recipient}", "$(id) `id`; id"];
    let filter = script("tells", &tells, &arguments[..4], &returning(""));
    let gateway = behind(&sink, &filter).await;
    gateway.accept(mail_to("user").from("\"a b;$(id)\"@far.example")).await;
    gateway.queue().expect_empty().await;
    let told = place.read("told");
    let mut lines = told.lines();
    if !user().is_empty() {
        assert_ne!(lines.next(), Some("0"), "{told}");
        assert_ne!(lines.next(), Some("0"), "{told}");
        assert_eq!(lines.next(), Some("/"), "{told}");
    }
    let known = ["PATH=", "PWD=", "OLDPWD=", "SHLVL=", "_=", "TZ=", "LANG="];
    let known = [&known[..], &["MAILWEIR_RETURN=", "MAILWEIR_WAY_BACK="]].concat();
    let variables =
        lines.by_ref().take_while(|line| *line != "-f").filter(|line| line.contains('='));
    for variable in variables {
        assert!(known.iter().any(|name| variable.starts_with(name)), "{variable}");
    }
    let rest: Vec<_> = lines.collect();
    assert_eq!(rest, ["a b;$(id)@far.example", "--", "user@local.example"], "{told}");
}

#[tokio::test]
async fn i5_a_program_ends_with_the_process_that_starts_programs_and_there_is_another() {
    let place = Open::new();
    let sink = Sink::start(Script::smtp()).await;
    let life = place.fifo("life");
    // It has the whole mail, and so the gateway knows it, before anybody hears of it.
    let hangs = format!(
        "cat > /dev/null; test \"$1\" = other@local.example && exit; exec > {}; echo $PPID; sleep 1000 & wait",
        life.display()
    );
    let filter = script("hangs", &hangs, &["${recipient}"], "if_failed = \"hold\"");
    let gateway = behind(&sink, &filter).await;
    let id = gateway.accept(mail_to("user")).await;
    let ended = tokio::task::spawn_blocking(move || {
        let mut lines = BufReader::new(File::open(life).unwrap()).lines();
        let starter: i32 = lines.next().unwrap().unwrap().parse().unwrap();
        let starter = Pid::from_raw(starter).unwrap();
        assert_ne!(Some(starter), Pid::from_raw(std::process::id().cast_signed()));
        kill_process(starter, Signal::KILL).unwrap();
        lines.next().is_none()
    });
    assert!(ended.await.unwrap());
    gateway.queue().expect(id, Place::Hold).await;
    let _ = gateway.log().expect("nobody knows how it ended: ").await;
    gateway.accept(mail_to("other")).await;
    let _ = gateway.log().expect("status=sent (delivered via hangs service)").await;
}

#[tokio::test]
async fn i5_the_process_that_starts_programs_keeps_nothing_of_them() {
    // Nobody else may look into that process.
    if user().is_empty() {
        return;
    }
    let place = Open::new();
    let sink = Sink::start(Script::smtp()).await;
    let tells =
        format!("echo $PPID >> {}; echo $(ls /proc/self/fd)", place.path().join("told").display());
    let gateway = behind(&sink, &script("tells", &tells, &[], "")).await;
    let mut open = None;
    for _ in 0..4 {
        gateway.accept(mail_to("user")).await;
        gateway.queue().expect_empty().await;
        // The last is what lists them.
        let _ = gateway.log().expect("via tells service (0 1 2 3)").await;
        let told = place.read("told");
        let starters: Vec<_> = told.lines().collect();
        assert!(starters.iter().all(|starter| *starter == starters[0]), "{told}");
        let held = || fs::read_dir(format!("/proc/{}/fd", starters[0])).map(Iterator::count).ok();
        match open {
            None => {
                let settled = || held().filter(|held| *held < 12);
                open = Some(wait::until("the end of a first program", wait::PATIENCE, settled));
            }
            Some(before) => {
                wait::until("no more than before", wait::PATIENCE, || {
                    (held()? <= before).then_some(())
                });
            }
        }
    }
}

#[tokio::test]
async fn f7_an_action_names_a_program_and_its_next_hop() {
    let place = Open::new();
    let told = place.path().join("told").display().to_string();
    let tells = format!("echo \"$@\" >> {told}");
    let filter = script("named", &tells, &["${nexthop}", "${user}"], "only_by_action = true");
    for (action, expected) in
        [("named:dummy", "dummy user other"), ("named:", "local.example user other")]
    {
        let sink = Sink::start(Script::smtp()).await;
        let rule = format!("mode = \"mx\"\nheader_checks = [\"static:FILTER {action}\"]");
        let setup = Setup::before(&sink).listener("mx", &rule).listener("back", BACK);
        let many = format!("{filter}recipient_limit = 10\n");
        let gateway = Gateway::start(&setup.sections(&many)).await;
        gateway.accept(mail_to("user").to("other@local.example")).await;
        gateway.queue().expect_empty().await;
        assert_eq!(place.read("told").lines().next_back(), Some(expected));
        sink.expect_nothing();
    }
}
