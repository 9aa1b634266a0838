//! `mailweir explain`: what it prints of a mail's way, to the letter. No server runs, nothing is
//! sent, and the data directory stays untouched.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    io::{ErrorKind, Write as _},
    net::TcpListener,
    process::{Command, Stdio},
};

use mailweir_tests::program;
use tempfile::TempDir;

#[test]
fn a_mail_that_is_rewritten_and_held_is_told_step_by_step() {
    let Some(bench) = Bench::new() else { return };
    let words = ["--from", "old@a.example", "--to", "x@own.example", "--to", "b@else.example", "-"];
    let (told, status) = bench.explain(&words, MAIL);
    assert_eq!(
        told,
        "h.example[192.0.2.1] at listener \"mx\"\n\
         \n\
         connect   192.0.2.1                         ok\n\
         EHLO      client.invalid                    ok\n\
         MAIL      <old@a.example>                   ok\n\
         RCPT      <x@own.example>                   ok\n\
         RCPT      <b@else.example>                  554 5.7.1 <b@else.example>: Relay access denied\n\
         \u{20} reject    RCPT\n\
         \u{20}           by reject_unauth_destination\n\
         DATA                                        ok\n\
         content   111 bytes                         ok\n\
         \u{20} hold      decoded header Subject: \u{ad11}\u{ace0}\n\
         \u{20}           advertising\n\
         \u{20}           by pcre:decoded, line 1\n\
         \u{20} strip     header X-Strip: 1\n\
         \u{20}           by pcre:headers, line 2\n\
         \u{20} info      header X-Info: a\n\
         \u{20}           hm\n\
         \u{20}           by pcre:headers, line 3\n\
         \u{20} ignore    header X-Quiet: b\n\
         \u{20}           by pcre:headers, line 5\n\
         \u{20} rewrite   header\n\
         \u{20}           old@a.example -> new@a.example\n\
         \u{20}           by canonical_maps: texthash:canonical, line 1\n\
         \u{20} rewrite   envelope\n\
         \u{20}           old@a.example -> new@a.example\n\
         \u{20}           by canonical_maps: texthash:canonical, line 1\n\
         \u{20} rewrite   envelope\n\
         \u{20}           x@own.example -> y@own.example, z@far.example\n\
         \u{20}           by virtual_alias_maps: texthash:aliases, line 2\n\
         \u{20} rewrite   envelope\n\
         \u{20}           copy to all@own.example\n\
         \u{20}           by always_bcc\n\
         \n\
         sender    <new@a.example>\n\
         recipient <y@own.example>, written as <x@own.example>\n\
         \u{20}           lmtp to [127.0.0.1], by [[route]] number 1\n\
         recipient <z@far.example>, written as <x@own.example>\n\
         \u{20}           smtp to [relay.example]:2525, by transport_maps: texthash:transport, line 1\n\
         recipient <all@own.example>\n\
         \u{20}           lmtp to [127.0.0.1], by [[route]] number 1\n\
         held      advertising\n\
         \n\
         accepted, and held for a person\n"
    );
    assert_eq!(status, Some(1));
    assert!(!bench.directory.path().join("data").exists(), "something was stored");
}

#[test]
fn the_verdict_and_the_status_say_what_becomes_of_it() {
    let Some(bench) = Bench::new() else { return };
    for (words, mail, status, verdict, rule) in [
        ("--from a@a.example --to b@own.example", "Subject: hi\n\nhi\n", 0, "\naccepted\n", ""),
        (
            "--from a@a.example --to b@own.example",
            "Subject: bad\n\n",
            1,
            "\nrefused\n",
            "content   14 bytes                          550 5.7.1 no bad\n",
        ),
        (
            "--from a@a.example --to b@own.example --client 192.0.2.7",
            "",
            1,
            "\nrefused\n",
            "by check_client_access: texthash:clients, line 1\n",
        ),
        (
            "--from a@a.example --to b@own.example --client 192.0.2.8",
            "",
            1,
            "\nput off: the client would try again\n",
            "by check_client_access: texthash:clients, line 2\n",
        ),
        (
            "--from a@a.example --to b@own.example",
            "X-Drop: 1\n\n",
            1,
            "\nthrown away; the client would not know\n",
            "by pcre:headers, line 4\n",
        ),
        (
            "--from <> --to q@far.example --login al@own.example",
            "",
            0,
            "\naccepted\n",
            "  permit    permit_sasl_authenticated\n",
        ),
        (
            "--from a@a.example --to b@own.example --client 192.0.2.9",
            "",
            0,
            "\naccepted\n",
            "  permit    check_client_access\n            by texthash:clients, line 3\n",
        ),
    ] {
        let mut words: Vec<_> = words.split(' ').collect();
        words.push("-");
        let (told, code) = bench.explain(&words, mail);
        assert_eq!(code, Some(status), "{words:?}: {told}");
        assert!(told.ends_with(verdict), "{words:?}: {told}");
        assert!(told.contains(rule), "{words:?}: {told}");
    }
}

#[test]
fn it_says_which_rule_of_moderation_would_hold_the_mail_and_why() {
    let Some(bench) = Bench::new() else { return };
    let rule = "[[moderation.rule]]\nname = \"secrets\"\naction = \"approval\"\n\
                moderators = [\"boss@own.example\"]\nsubject = [\"secret\"]\n";
    fs::write(bench.directory.path().join("mailweir.toml"), format!("{CONFIG}\n{rule}")).unwrap();
    let words = ["--from", "a@a.example", "--to", "b@own.example", "-"];
    let (told, code) = bench.explain(&words, "Subject: a secret\n\nhi\n");
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("hold      moderation\n            subject \"a secret\"\n"), "{told}");
    assert!(told.contains(": secrets\n"), "{told}");
    assert!(told.ends_with("\naccepted, and held for a person\n"), "{told}");
}

#[test]
fn it_says_hop_by_hop_which_way_the_mail_came() {
    let Some(bench) = Bench::new() else { return };
    let moderation = "[moderation]\ntrusted_chain = true\ntrusted_hosts = [\"192.0.2.1\", \"192.168.10.0/24\"]\n\
                      [[moderation.rule]]\nname = \"all\"\naction = \"approval\"\n\
                      moderators = [\"boss@own.example\"]\n";
    let config = bench.directory.path().join("mailweir.toml");
    fs::write(config, format!("{CONFIG}\n{moderation}")).unwrap();
    let words = ["--from", "a@a.example", "--to", "b@own.example", "-"];
    let received = concat!(env!("CARGO_MANIFEST_DIR"), "/data/received/");
    let mail = |name| fs::read_to_string(format!("{received}{name}.eml")).unwrap();
    let (told, code) = bench.explain(&words, &mail("stranger_between"));
    assert_eq!(code, Some(1), "{told}");
    for hop in [
        "trusted   hop 0\n            192.0.2.1: listed as 192.0.2.1\n",
        "trusted   hop 1\n            192.168.10.5: listed as 192.168.10.0/24\n",
        "untrusted hop 2\n            203.0.113.9: not one of the trusted hosts\n",
    ] {
        assert!(told.contains(hop), "{hop}\n{told}");
    }
    assert!(told.ends_with("\naccepted, and held for a person\n"), "{told}");
    let (told, code) = bench.explain(&words, &mail("local_servers"));
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("trusted   hop 3\n"), "{told}");
}

#[test]
fn it_says_who_waits_and_who_does_not() {
    let Some(bench) = Bench::new() else { return };
    let rule = "[[moderation.rule]]\nname = \"boss\"\naction = \"approval\"\nsplit = true\n\
                moderators = [\"boss@own.example\"]\nrecipients = [\"b@own.example\"]\n";
    fs::write(bench.directory.path().join("mailweir.toml"), format!("{CONFIG}\n{rule}")).unwrap();
    let words = ["--from", "a@a.example", "--to", "b@own.example", "--to", "c@own.example", "-"];
    let (told, code) = bench.explain(&words, "Subject: hi\n\nhi\n");
    assert_eq!(code, Some(1), "{told}");
    let parts: Vec<&str> = told.split("\nsender    ").collect();
    assert_eq!(parts.len(), 3, "{told}");
    assert!(parts[1].contains("recipient <c@own.example>"), "{told}");
    assert!(!parts[1].contains("held      "), "{told}");
    assert!(parts[2].contains("recipient <b@own.example>"), "{told}");
    assert!(parts[2].contains("held      moderation rule \"boss\""), "{told}");
    assert!(told.ends_with("\naccepted; for some recipients it is held for a person\n"), "{told}");
}

#[test]
fn addresses_are_not_probed_and_what_is_known_of_them_is_only_read() {
    let Some(bench) = Bench::new() else { return };
    let list = "relay = [\"permit_sasl_authenticated, reject_unauth_destination\"]\n";
    let verifying = CONFIG.replace(
        list,
        &format!(
            "{list}recipient = [\"reject_unverified_recipient\"]\n\
             unverified_recipient_reject_code = 550\n"
        ),
    );
    fs::write(bench.directory.path().join("mailweir.toml"), verifying).unwrap();
    let cache = bench.directory.path().join("data/verify_cache");
    fs::create_dir(cache.parent().unwrap()).unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let known = format!("good@own.example\t0:0:{now}:250 ok\nbad@own.example\t2:0:{now}:no such\n");
    fs::write(&cache, &known).unwrap();
    for (recipient, reply) in [
        ("good@own.example", "ok\n"),
        (
            "bad@own.example",
            "550 5.1.1 <bad@own.example>: Recipient address rejected: undeliverable address: no such",
        ),
        (
            "new@own.example",
            "450 4.1.1 <new@own.example>: Recipient address rejected: unverified address: the address would be probed",
        ),
    ] {
        let (told, _) = bench.explain(&["--from", "a@a.example", "--to", recipient], "");
        assert!(told.contains(reply), "{told}");
    }
    assert_eq!(fs::read_to_string(&cache).unwrap(), known);
    assert_eq!(fs::read_dir(cache.parent().unwrap()).unwrap().count(), 1, "something was stored");
}

#[test]
fn for_programs_there_is_json_and_mistakes_have_their_statuses() {
    let Some(bench) = Bench::new() else { return };
    let words = ["--json", "--from", "a@a.example", "--to", "x@own.example"];
    let (told, status) = bench.explain(&words, "");
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!((status, told["verdict"].as_str()), (Some(0), Some("accepted")));
    assert_eq!(told["steps"][3]["step"], "RCPT");
    assert_eq!(told["mail"]["recipients"][0]["original"], "x@own.example");
    let content = &told["steps"][5]["decisions"][0];
    assert_eq!(content["rule"], "virtual_alias_maps: texthash:aliases, line 2");
    for (words, expected) in [
        (&["--from", "a", "--to", "b@c.example"][..], Some(64)),
        (&["--from", "a@b.example"], Some(64)),
        (&["--from", "<>", "--to", "b@c.example", "--listener", "no"], Some(1)),
        (&["--from", "<>", "--to", "b@c.example", "-c", "missing.toml"], Some(78)),
    ] {
        assert_eq!(bench.explain(words, "").1, expected, "{words:?}");
    }
}
#[test]
fn a_policy_server_is_not_asked_and_it_is_said_that_it_would_be() {
    let Some(bench) = Bench::new() else { return };
    // Whoever listens there would hear it.
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    server.set_nonblocking(true).unwrap();
    let name = format!("inet:{}", server.local_addr().unwrap());
    let lists = format!("[restrictions]\nrecipient = [\"check_policy_service {name}\"]");
    let config = CONFIG.replace("[restrictions]", &lists);
    fs::write(bench.directory.path().join("mailweir.toml"), config).unwrap();
    let words = ["--from", "old@a.example", "--to", "x@own.example"];
    let (told, status) = bench.explain(&words, "");
    assert!(told.contains(&format!("policy server {name} would be asked\n")), "{told}");
    assert_eq!(status, Some(0), "{told}");
    assert_eq!(server.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
}

struct Bench {
    directory: TempDir,
    mailweir: std::path::PathBuf,
}

impl Bench {
    fn new() -> Option<Self> {
        let mailweir = program::require()?;
        let directory = tempfile::tempdir().unwrap();
        for (file, content) in FILES {
            fs::write(directory.path().join(file), content).unwrap();
        }
        Some(Self { directory, mailweir })
    }

    /// What is printed on standard output, and the exit status.
    fn explain(&self, words: &[&str], mail: &str) -> (String, Option<i32>) {
        let mut command = Command::new(&self.mailweir);
        // A name is given, so that no name server is asked.
        command.args(["explain", "--name", "h.example"]).args(words);
        command.current_dir(&self.directory);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // Who has words that make no sense does not read.
        let _ = child.stdin.take().unwrap().write_all(mail.as_bytes());
        let output = child.wait_with_output().unwrap();
        (String::from_utf8(output.stdout).unwrap(), output.status.code())
    }
}

const MAIL: &str = "From: old@a.example\r\nSubject: =?utf-8?B?6rSR6rOg?=\r\nX-Strip: 1\r\nX-Info: a\r\nX-Quiet: b\r\n\r\n\
                    hello\r\n.dot\r\n.\r\nlast\r\n";

const FILES: [(&str, &str); 7] = [
    ("mailweir.toml", CONFIG),
    (
        "headers",
        "/^Subject: bad/ REJECT no bad\n/^X-Strip/ STRIP\n/^X-Info/ INFO hm\n/^X-Drop/ DISCARD\n\
         /^X-Quiet/ IGNORE\n",
    ),
    ("decoded", "/\u{ad11}\u{ace0}/ HOLD advertising\n"),
    ("clients", "192.0.2.7 REJECT go away\n192.0.2.8 DEFER later\n192.0.2.9 OK\n"),
    ("aliases", "# aliases\nx@own.example y@own.example, z@far.example\n"),
    ("canonical", "old@a.example new@a.example\n"),
    ("transport", "far.example smtp:[relay.example]:2525\n"),
];

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
tls = "none"
[[listener]]
name = "submission"
bind = ["127.0.0.1:2526"]
mode = "submission"
[[route]]
for = ["own.example"]
to = "lmtp://127.0.0.1:24"
[checks]
header_checks = ["pcre:headers"]
decoded_header_checks = ["pcre:decoded"]
[restrictions]
client = ["check_client_access texthash:clients"]
relay = ["permit_sasl_authenticated, reject_unauth_destination"]
[rewriting]
virtual_alias_maps = ["texthash:aliases"]
transport_maps = ["texthash:transport"]
canonical_maps = ["texthash:canonical"]
local_header_rewrite_clients = ["static:all"]
always_bcc = "all@own.example"
"#;
