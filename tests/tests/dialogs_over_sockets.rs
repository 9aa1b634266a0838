//! All dialogs of `tests/dialogs`, had with the real gateway over TCP and TLS.
//!
//! The gateway is configured as the rig of the pure session is; what it queued is what arrives at a
//! sink behind it. What cannot be had so stands in [`PURE_ONLY`] with the reason. The clock of the
//! runtime is moved where a dialog says `timeout`, so nothing waits.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends")]

use std::{fs, path::PathBuf, time::Duration};

use mailweir_tests::{
    certificates::Authority,
    dialog::{Dialog, Event, Mail, Pattern},
    gateway::{Gateway, Peer, Setup, Stopping, TRUSTED, USER},
    sink::{Received, Script, Sink},
};
use tokio::task::LocalSet;

#[tokio::test]
async fn every_dialog_goes_as_written_over_a_socket() {
    let mut failures = Vec::new();
    let tasks = LocalSet::new();
    for (name, dialog) in dialogs().filter(|(name, _)| reason(name).is_none()) {
        let run = Box::pin(async move { Run::start(&dialog).await.finish(&dialog).await });
        // A task of its own, since what goes otherwise than written panics.
        let run = tasks.run_until(async { tokio::task::spawn_local(run).await }).await;
        failures.extend(run.err().map(|_| name));
    }
    assert!(failures.is_empty(), "{} failed: {failures:?}", failures.len());
}

#[test]
fn what_is_had_with_the_pure_session_only_has_a_reason_and_exists() {
    let names: Vec<String> = dialogs().map(|(name, _)| name).collect();
    for (name, reason) in PURE_ONLY {
        assert!(names.iter().any(|known| known == name), "no dialog {name}, {reason}");
    }
    assert!(PURE_ONLY.len() * 5 < names.len(), "most dialogs are had over sockets too");
}

/// A dialog under way.
struct Run {
    gateway: Gateway,
    sink: Sink,
    authority: Authority,
    peer: Peer,
    /// Lines like this may come before the next line that is expected.
    skipped: Option<Pattern>,
    /// Lines like these must not come before the next line is sent.
    banned: Vec<Pattern>,
    stopping: Option<Stopping>,
}

impl Run {
    async fn start(dialog: &Dialog) -> Self {
        let sink = Sink::start(Script::smtp()).await;
        let authority = Authority::new();
        let gateway = Gateway::start(&setup(dialog, &sink, &authority)).await;
        let mut peer = match dialog.events.first() {
            Some((_, Event::Send { bytes, .. })) => {
                Peer::connect_talking(gateway.address("dialog"), bytes)
            }
            _ => gateway.connect_from(address(dialog), "dialog").await,
        };
        if value(dialog, "tls") == Some("implicit") {
            peer.handshake().await;
        }
        let (banned, skipped, stopping) = (Vec::new(), None, None);
        Self { gateway, sink, authority, peer, skipped, banned, stopping }
    }

    async fn finish(mut self, dialog: &Dialog) {
        let early = matches!(dialog.events.first(), Some((_, Event::Send { .. })));
        for (line, event) in dialog.events.iter().skip(usize::from(early)) {
            self.event(*line, event).await;
        }
        self.peer.hang_up().await;
        self.peer.expect_closed().await;
        self.gateway.expect_no_sessions().await;
        if let Some(stopping) = self.stopping.take() {
            stopping.finished().await;
            self.gateway.start_again().await;
        }
        self.gateway.queue().expect_empty().await;
        self.compare_queued(dialog);
        self.gateway.stop().await;
    }

    async fn event(&mut self, number: usize, event: &Event) {
        match event {
            Event::Send { bytes, .. } => {
                self.banned.clear();
                self.peer.write(bytes).await;
            }
            Event::Expect(pattern) => self.expect(number, pattern).await,
            Event::ExpectMany(pattern) => self.skipped = Some(pattern.clone()),
            Event::ExpectNone(pattern) => self.banned.push(pattern.clone()),
            Event::Tls { certified: false } => self.peer.handshake().await,
            Event::Tls { certified: true } => self.show_certificate().await,
            Event::HangUp => self.peer.hang_up().await,
            Event::Timeout => pass(TIMEOUT).await,
            Event::ShutDown => self.stopping = Some(self.gateway.begin_to_stop().await),
            Event::Closed => self.peer.expect_closed().await,
            // Compared at the end, when the sink has it.
            Event::Queued(_) => {}
        }
    }

    async fn show_certificate(&mut self) {
        let alice = self.authority.client(&[USER]);
        self.peer.handshake_showing(alice.client_tls(&self.authority.file())).await;
    }

    async fn expect(&mut self, number: usize, pattern: &Pattern) {
        let skipped = self.skipped.take();
        loop {
            let Some(line) = self.peer.line().await else {
                panic!("line {number}: the server closed, not `{pattern}`\n{}", self.peer);
            };
            let banned = self.banned.iter().any(|banned| banned.matches(&line));
            assert!(!banned, "line {number}: {line:?} came\n{}", self.peer);
            if pattern.matches(&line) {
                return;
            }
            let may_come = skipped.as_ref().is_some_and(|skipped| skipped.matches(&line));
            assert!(may_come, "line {number}: {line:?}, not `{pattern}`\n{}", self.peer);
        }
    }

    /// The sink has the mails that the dialog names and no others, below a Received header each.
    fn compare_queued(&self, dialog: &Dialog) {
        let mut named: Vec<Mail> = Vec::new();
        for (_, event) in &dialog.events {
            if let Event::Queued(mail) = event {
                named.push(Mail { content: broken(&mail.content), ..mail.clone() });
            }
        }
        let mut queued: Vec<Mail> = self.sink.attempts().iter().map(arrived).collect();
        // Mails that are delivered side by side may arrive in any order.
        let key = |mail: &Mail| (mail.envelope.clone(), mail.content.clone());
        named.sort_by_key(key);
        queued.sort_by_key(key);
        assert_eq!(queued, named, "{}", self.peer);
    }
}

fn arrived(mail: &Received) -> Mail {
    let to = mail.recipients().into_iter().map(|to| format!(" <{to}>"));
    let envelope = format!("<{}> ->{}", mail.sender(), to.collect::<String>());
    Mail { envelope, content: without_received(&mail.content()).to_vec() }
}

/// As content leaves: lines of more than 998 bytes are broken, and go on behind a space.
fn broken(content: &[u8]) -> Vec<u8> {
    let mut lines = Vec::new();
    for line in content.split_inclusive(|&byte| byte == b'\n') {
        let mut rest = line;
        while rest.len() > LONGEST_LINE + 2 {
            let room = if rest.len() == line.len() { LONGEST_LINE } else { LONGEST_LINE - 1 };
            lines.extend_from_slice(&rest[..room]);
            lines.extend_from_slice(b"\r\n ");
            rest = &rest[room..];
        }
        lines.extend_from_slice(rest);
    }
    lines
}

/// The content behind the header that the gateway put on top, which ends with a date.
fn without_received(content: &[u8]) -> &[u8] {
    assert!(content.starts_with(b"Received: from "));
    let end = content.windows(7).position(|end| end == b"+0000\r\n");
    &content[end.expect("the date in a Received header") + 7..]
}

fn setup(dialog: &Dialog, sink: &Sink, authority: &Authority) -> Setup {
    let mut lines = format!("timeout = \"{}s\"\n", TIMEOUT.as_secs());
    let mut keys = vec![("mode", "mx"), ("tls", "none")];
    for (key, value) in &dialog.listener {
        keys.retain(|(known, _)| known != key);
        keys.push((key, value));
    }
    let mut setup = Setup::before(sink).sections(match dialog.config.as_str() {
        "" => RULES_OF_THE_RIG,
        rules => rules,
    });
    if dialog.events.iter().any(is_checked) {
        setup = setup.sections(CHECKS_OF_THE_RIG);
    }
    for (key, value) in keys {
        lines += &match key {
            "senders" => {
                setup = setup.owners(OWNERS).section("auth.senders", SENDERS);
                continue;
            }
            "messages_per_hour" | "recipients_per_hour" => {
                setup = setup.section("auth.limits", &format!("{key}_hard = {value}"));
                continue;
            }
            "mode" | "tls" => format!("{key} = {value:?}\n"),
            "bare_newline" => format!("forbid_bare_newline = {value:?}\n"),
            "auth_in_clear" | "broken_sasl_auth_clients" | "helo_required" => {
                format!("{key} = true\n")
            }
            "disable_vrfy" => "disable_vrfy_command = true\n".to_owned(),
            "message_size" => format!("message_size_limit = {value}\n"),
            "recipients" => format!("recipient_limit = {value}\n"),
            "hard_errors" => format!("hard_error_limit = {value}\n"),
            "junk_commands" => format!("junk_command_limit = {value}\n"),
            "auth" => {
                let names: Vec<_> = value.split(',').collect();
                format!("auth_mechanisms = {names:?}\n")
            }
            _ => panic!("{key}={value} cannot be configured: a reason is missing in PURE_ONLY"),
        };
    }
    for right in rights(dialog) {
        let key = match right {
            "trusted" => "networks",
            "xclient" => "xclient_hosts",
            "xforward" => "xforward_hosts",
            "bare_newline" => "bare_newline_excluded",
            _ => panic!("{right} is no right"),
        };
        lines += &format!("{key} = [\"{TRUSTED}\"]\n");
    }
    let certified = Event::Tls { certified: true };
    if dialog.events.iter().all(|(_, event)| *event != certified) {
        return setup.listener("dialog", &lines);
    }
    lines += &format!("client_ca_file = {:?}\n", authority.file());
    let tls = authority.tls_section("gate.example");
    setup.listener("dialog", &lines).section("tls", &tls)
}

/// Whether something is sent that the rig refuses for what it says.
fn is_checked((_, event): &(usize, Event)) -> bool {
    matches!(event, Event::Send { bytes, .. } if bytes.starts_with(b"X-Test:"))
}

/// The rights of the peer; LMTP is for trusted peers only.
fn rights(dialog: &Dialog) -> Vec<&str> {
    let mut rights: Vec<&str> = dialog.peer.iter().map(String::as_str).collect();
    if value(dialog, "mode") == Some("lmtp") {
        rights.push("trusted");
    }
    rights
}

fn address(dialog: &Dialog) -> &'static str {
    if rights(dialog).is_empty() { "127.0.0.1" } else { TRUSTED }
}

fn value<'a>(dialog: &'a Dialog, key: &str) -> Option<&'a str> {
    dialog.listener.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
}

/// Lets so much time go by, and what is then due happen.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

fn reason(name: &str) -> Option<&'static str> {
    PURE_ONLY.iter().find(|(dialog, _)| *dialog == name).map(|(_, reason)| *reason)
}

fn dialogs() -> impl Iterator<Item = (String, Dialog)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("dialogs");
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|end| end == "smtp")).collect();
    paths.sort();
    paths.into_iter().map(|path| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        (name, Dialog::parse(&fs::read_to_string(&path).unwrap()).unwrap())
    })
}

/// RFC 5321 section 4.5.3.1.6, without the line end.
const LONGEST_LINE: usize = 998;

/// As `Bounds::senders` of the pure session.
const SENDERS: &str = "policy = \"own\"\nunauthenticated = \"reject\"";
const OWNERS: &str = "alice@local.example alice\nbob@local.example bob\n";

/// What the rig of the pure session refuses, as rules.
const RULES_OF_THE_RIG: &str = r#"
[restrictions]
delay_reject = false
helo = ["check_helo_access inline:{ {refused.example = 504 5.5.2 need fully-qualified hostname} }"]
sender = ["check_sender_access inline:{refused.example=REJECT}"]
recipient = ["check_recipient_access inline:{ {unknown@local.example = 550 5.1.1 User unknown in relay recipient table} }"]
"#;

/// And of content. A mail that is checked gets the empty line that it may lack, so only where a
/// dialog is about that.
const CHECKS_OF_THE_RIG: &str = r#"
[checks]
header_checks = ["regexp:{ {/^X-Test: reject/ REJECT Content refused} }"]
"#;

/// `limits.timeout` of the listeners.
const TIMEOUT: Duration = Duration::from_secs(300);

const PROGRAMS_ONLY: &str =
    "only who comes by the local socket may, and that is no client of the network";

/// Dialogs that a real gateway cannot be made to have, and why.
const PURE_ONLY: &[(&str, &str)] = &[
    ("auth_where_there_is_none", "an mx listener lets people log in"),
    ("bdat_when_the_disk_is_full", "a full disk is refused at MAIL already"),
    ("data_when_the_disk_is_full", "a full disk is refused at MAIL already"),
    ("far_too_many_recipients", "the overshoot is no key of the configuration"),
    ("talking_ahead", PROGRAMS_ONLY),
    ("talking_ahead_has_its_limits", PROGRAMS_ONLY),
    ("talking_ahead_of_a_refusal", PROGRAMS_ONLY),
    ("lmtp_answers_per_recipient", "no rule refuses content where LMTP is spoken"),
];
