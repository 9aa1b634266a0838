//! A Postfix and a gateway side by side, with the same tables in front of the same sinks.

use std::{collections::BTreeMap, fs, net::SocketAddr, path::Path};

use mailweir::control::operation::Place;
use mailweir_tests::{
    free_address,
    gateway::{Gateway, Peer, Setup, mail},
    postfix::{Postfix, Settings},
    sink::{Script, Sink},
    tools, wait,
};
use tempfile::TempDir;

use crate::outcome::{Outcome, said};

/// Tables that are in force at one place: parameter, type of table, and what is in it.
pub(crate) struct RuleSet {
    pub(crate) name: &'static str,
    pub(crate) tables: &'static [(&'static str, &'static str, &'static str)],
}

/// The two of them.
pub(crate) struct Beside {
    postfix: Postfix,
    gateway: Gateway,
    next: Sink,
    scan: Sink,
    /// Where Postfix has each rule set.
    doors: BTreeMap<&'static str, SocketAddr>,
    sent: BTreeMap<String, Both>,
    _tables: TempDir,
}

/// What became of one mail at both.
#[derive(Clone, Debug, Default)]
pub(crate) struct Both {
    pub(crate) postfix: Outcome,
    pub(crate) gateway: Outcome,
}

impl Beside {
    /// Starts both; `None` after a line that says why, where there is no Postfix.
    pub(crate) async fn start(sets: &[RuleSet]) -> Option<Self> {
        if !tools::require(&["postfix"]) {
            return None;
        }
        let tables = tempfile::Builder::new().prefix("tables-").tempdir().unwrap();
        let (next, scan) = (Sink::start(Script::smtp()).await, Sink::start(Script::smtp()).await);
        let mut settings = patient_postfix().relay_to(next.address());
        let mut setup = Setup::before(&next)
            .section("limits", "hard_error_limit = 100000\njunk_command_limit = 100000")
            .section("smtp", "connection_cache_time_limit = \"2s\"");
        let mut doors = BTreeMap::new();
        for set in sets {
            let written = write(set, tables.path(), scan.address());
            let door = free_address().unwrap();
            doors.insert(set.name, door);
            let options = |(key, table): &(&str, String)| format!(" -o {key}={table}");
            let options: String = written.iter().map(options).collect();
            let name = set.name;
            settings = settings
                .service(&format!("{door} inet n - n - - smtpd -o cleanup_service_name={name}"))
                .service(&format!("{name} unix n - n - 0 cleanup{options}"));
            let keys = |(key, table): &(&str, String)| format!("{key} = [\"{table}\"]\n");
            let keys: String = written.iter().map(keys).collect();
            setup = setup.listener(name, &format!("mode = \"mx\"\n{keys}"));
        }
        let postfix = settings.start().unwrap();
        let gateway = Gateway::start(&setup).await;
        Some(Self { postfix, gateway, next, scan, doors, sent: BTreeMap::new(), _tables: tables })
    }

    /// Sends each content to both, in one session each; the sender says which mail it is.
    pub(crate) async fn send(&mut self, set: &str, mails: &[(String, Vec<u8>)]) {
        let mut to_postfix =
            Peer::connect(self.doors[set], std::net::Ipv4Addr::LOCALHOST.into()).await;
        let mut to_gateway = self.gateway.connect_to(set).await;
        to_postfix.greet().await;
        to_gateway.greet().await;
        for (sender, content) in mails {
            let mail = mail()
                .from(sender)
                .saying("BODY=8BITMIME")
                .to("user@local.example")
                .to("other@local.example")
                .content(content);
            let (postfix, gateway) = tokio::join!(to_postfix.send(&mail), to_gateway.send(&mail));
            let both = self.sent.entry(sender.clone()).or_default();
            both.postfix.reply = said(postfix.reply());
            both.gateway.reply = said(gateway.reply());
        }
        to_postfix.leave().await;
        to_gateway.leave().await;
    }

    /// Waits until all has been delivered that is not on hold; then releases what is, and waits
    /// again. Returns what became of each mail, by its sender.
    pub(crate) async fn outcomes(mut self) -> BTreeMap<String, Both> {
        self.settle().await;
        self.note_held().await;
        self.release().await;
        self.settle().await;
        for (name, sink) in [("the next hop", &self.next), ("the filter", &self.scan)] {
            for mail in sink.attempts() {
                let both = self.sent.get_mut(mail.sender()).expect("a mail of ours");
                match mail.hello.as_str() {
                    POSTFIX => both.postfix.add(name, &mail, POSTFIX),
                    GATEWAY => both.gateway.add(name, &mail, GATEWAY),
                    other => panic!("who is {other}?"),
                }
            }
        }
        self.note_log();
        self.sent
    }

    async fn settle(&self) {
        wait::until("Postfix to deliver", wait::PATIENCE, || {
            (self.postfix.moving() == 0).then_some(())
        });
        wait::until_true("the gateway to deliver", async || {
            let mails = self.gateway.queue().list().await;
            mails.iter().all(|mail| mail.queue_name == Place::Hold)
        })
        .await;
    }

    async fn note_held(&mut self) {
        for entry in self.postfix.queue().unwrap() {
            let entry: serde_json::Value = serde_json::from_str(&entry).unwrap();
            assert_eq!(entry["queue_name"], "hold", "{entry}");
            let sender = entry["sender"].as_str().unwrap();
            self.sent.get_mut(sender).unwrap().postfix.was_held = true;
        }
        for entry in self.gateway.queue().list().await {
            self.sent.get_mut(&*entry.sender).unwrap().gateway.was_held = true;
        }
    }

    async fn release(&self) {
        let released = self.postfix.command("postsuper").args(["-H", "ALL"]).output().unwrap();
        assert!(released.status.success(), "{released:?}");
        self.postfix.command("postqueue").arg("-f").output().unwrap();
        for entry in self.gateway.queue().list().await {
            self.gateway.queue().release(entry.queue_id).await;
        }
    }

    fn note_log(&mut self) {
        let of_gateway = self.gateway.log().to_string();
        for (sender, line) in self.postfix.log().lines().filter_map(rule_line) {
            self.sent.get_mut(&sender).unwrap().postfix.log.push(line);
        }
        for (sender, line) in of_gateway.lines().filter_map(rule_line) {
            // Only ours names the rule.
            let line = line.rsplit_once(" (").map_or(line.clone(), |(line, _)| line.to_owned());
            self.sent.get_mut(&sender).unwrap().gateway.log.push(line);
        }
        for Both { postfix, gateway } in self.sent.values_mut() {
            postfix.log.truncate(MOST_LOGGED);
            gateway.log.truncate(MOST_LOGGED);
        }
    }
}

/// Sender, and what was done to what and with which text.
fn rule_line(line: &str) -> Option<(String, String)> {
    let (_, line) = line.split_once("/cleanup")?;
    let (_, line) = line.split_once("]: ")?;
    let (_, line) = line.split_once(": ")?;
    let (about, rest) = line.rsplit_once("; from=<")?;
    let (sender, rest) = rest.split_once('>')?;
    let (_, text) = rest.split_once(&format!("helo=<{CLIENT}>"))?;
    let about = about.rsplit_once(" from ").map_or(about, |(about, _)| about);
    Some((sender.to_owned(), without_odd_characters(&format!("{about}{text}"))))
}

/// One `?` for each run of what is not shown: of a character that was cut Postfix shows a part.
fn without_odd_characters(text: &str) -> String {
    let mut plain = text.replace(char::REPLACEMENT_CHARACTER, "?");
    while plain.contains("??") {
        plain = plain.replace("??", "?");
    }
    plain
}

/// Who makes no haste and forgives, so that one session brings many refused mails.
fn patient_postfix() -> Settings {
    Settings::new()
        .parameter("smtpd_soft_error_limit", "100000")
        .parameter("smtpd_hard_error_limit", "100000")
        .parameter("smtpd_error_sleep_time", "0s")
        .parameter("local_header_rewrite_clients", "")
        .parameter("append_dot_mydomain", "no")
        .parameter("smtp_tls_security_level", "none")
        .parameter("in_flow_delay", "0")
}

fn write(set: &RuleSet, place: &Path, scan: SocketAddr) -> Vec<(&'static str, String)> {
    let scan = format!("[{}]:{}", scan.ip(), scan.port());
    let write = |&(key, kind, text): &(&'static str, &str, &str)| {
        let file = place.join(format!("{}.{key}", set.name));
        fs::write(&file, text.replace("SCAN", &scan)).unwrap();
        (key, format!("{kind}:{}", file.display()))
    };
    set.tables.iter().map(write).collect()
}

/// Of a mail that matches in every line we log the first and count the rest.
const MOST_LOGGED: usize = 100;

const POSTFIX: &str = "postfix.test.example";
const GATEWAY: &str = "gate.example";
const CLIENT: &str = "client.example";
