//! `mailweir chain-check`: the way of a mail hop by hop, in words, in JSON and as an exit status.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fs, path::PathBuf, process::Command};

use mailweir_tests::{installation::feed, program};
use tempfile::TempDir;

#[test]
fn a_mail_through_our_own_servers_is_trusted_hop_by_hop() {
    let Some(bench) = Bench::new() else { return };
    let (told, status) = bench.check(&["ours.eml", "--peer", "192.0.2.4"]);
    assert_eq!(status, Some(0), "{told}");
    let expected = "hop  0  192.0.2.4  trusted    listed as ^192\\.0\\.2\\.[1-4]$\n\
                    hop  1  127.0.0.1  trusted    listed as 127.0.0.1  (header ";
    assert!(told.starts_with(expected), "{told}");
    assert!(told.ends_with("\ntrusted: every hop is\n"), "{told}");
}

#[test]
fn a_stranger_in_front_of_between_or_behind_our_servers_is_named() {
    let Some(bench) = Bench::new() else { return };
    for (file, peer, last) in [
        ("in_front.eml", "192.0.2.4", "untrusted at hop 3: not one of the trusted hosts\n"),
        ("between.eml", "192.0.2.4", "untrusted at hop 2: not one of the trusted hosts\n"),
        ("ours.eml", "203.0.113.9", "untrusted at hop 0: not one of the trusted hosts\n"),
        ("hostile.eml", "192.0.2.4", "untrusted at hop 1: unreadable: "),
    ] {
        let (told, status) = bench.check(&[file, "--peer", peer]);
        assert_eq!(status, Some(1), "{told}");
        assert!(told.lines().last().unwrap().starts_with(last.trim_end()), "{file}: {told}");
        assert!(told.chars().all(|c| c == '\n' || (' '..='~').contains(&c)), "{file}: {told:?}");
    }
}

#[test]
fn hosts_of_the_command_line_need_no_configuration_and_add_to_one() {
    let Some(bench) = Bench::new() else { return };
    let words = ["ours.eml", "--peer", "192.0.2.4", "--trusted", "192.0.2.0/24"];
    assert_eq!(bench.check(&words).1, Some(1), "127.0.0.1 is listed in the configuration alone");
    assert_eq!(bench.check(&[&words[..], &["--trusted", "127.0.0.1"]].concat()).1, Some(0));
    assert_eq!(bench.check(&[&words[..], &["-c", "mailweir.toml"]].concat()).1, Some(0));
    let (told, status) = bench.check(&[
        "in_front.eml",
        "--peer",
        "192.0.2.4",
        "--trusted",
        "^203.",
        "-c",
        "mailweir.toml",
    ]);
    assert_eq!(status, Some(0), "{told}");
    assert!(told.contains("warning: \"^203.\": a dot without a backslash"), "{told}");
}

#[test]
fn a_mail_from_our_queue_has_our_own_header_on_top() {
    let Some(bench) = Bench::new() else { return };
    let words = ["accepted.eml", "--peer", "192.0.2.4", "--own-received", "--json"];
    let (told, status) = bench.check(&words);
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!((status, &told["verdict"], &told["hop"]), (Some(0), &"trusted".into(), &().into()));
    assert_eq!((told["received"].as_u64(), told["hops"].as_array().unwrap().len()), (Some(2), 2));
    assert_eq!(told["hops"][1]["address"], "192.0.2.1");
    assert_eq!(told["hops"][1]["sha256"].as_str().unwrap().len(), 64);
}

#[test]
fn mistakes_have_their_statuses() {
    let Some(bench) = Bench::new() else { return };
    for (words, expected, said) in [
        (&["ours.eml"][..], 64, "--peer"),
        (&["ours.eml", "--peer", "mail.example.org"], 64, "invalid IP address"),
        (
            &["ours.eml", "--peer", "::1", "--trusted", "10.0.0.1/8"],
            64,
            "bits set behind the prefix",
        ),
        (&["ours.eml", "--peer", "::1", "-c", "missing.toml"], 78, "cannot be read"),
        (&["missing.eml", "--peer", "::1"], 1, "missing.eml"),
    ] {
        let (told, status) = bench.check(words);
        assert_eq!(status, Some(expected), "{words:?}: {told}");
        assert!(told.contains(said), "{words:?}: {told}");
    }
}

struct Bench {
    directory: TempDir,
    mailweir: PathBuf,
}

impl Bench {
    fn new() -> Option<Self> {
        let mailweir = program::require()?;
        let directory = tempfile::tempdir().unwrap();
        let ours = hop("127.0.0.1") + &hop("192.0.2.3") + &hop("192.0.2.1");
        let stranger = hop("203.0.113.9");
        for (file, content) in [
            ("mailweir.toml", CONFIG.to_owned()),
            ("ours.eml", format!("{ours}Subject: x\n\nReceived: in the body\n")),
            ("in_front.eml", hop("192.0.2.3") + &hop("192.0.2.1") + &stranger),
            ("between.eml", hop("192.0.2.3") + &stranger + &hop("192.0.2.1")),
            ("hostile.eml", "Received: from \u{1b}[2J ([192.0.2.1]) by x; \u{202e}\n".to_owned()),
            ("accepted.eml", hop("192.0.2.4") + &hop("192.0.2.1")),
        ] {
            fs::write(directory.path().join(file), content).unwrap();
        }
        Some(Self { directory, mailweir })
    }

    /// All that is printed, and the exit status.
    fn check(&self, words: &[&str]) -> (String, Option<i32>) {
        let mut command = Command::new(&self.mailweir);
        let said =
            feed(command.arg("chain-check").args(words).current_dir(&self.directory), "").unwrap();
        (said.text, said.status)
    }
}

/// What Postfix writes of a client of this address.
fn hop(address: &str) -> String {
    format!(
        "Received: from host.example.org (host.example.org [{address}])\n\
         \tby mx.example.org (Postfix) with ESMTPS id 4FqPZz1;\n\
         \tSat, 21 Nov 2026 10:00:00 +0900 (JST)\n"
    )
}

const CONFIG: &str = r#"
[server]
hostname = "gate.example.org"
data_dir = "data"
[domains]
relay = ["own.example"]
[[listener]]
name = "mx"
bind = ["127.0.0.1:2525"]
mode = "mx"
[moderation]
trusted_hosts = ["127.0.0.1", '^192\.0\.2\.[1-4]$']
"#;
