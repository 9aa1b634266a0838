//! Mail that waits for people, as an administrator and a program meet it: `mailweir moderation`, and
//! the examples of `docs/moderation.md`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::Command,
};

use mailweir_tests::{
    installation::{Installation, Plan},
    peers::Said,
    program,
    sink::{Script, Sink},
    tools, wait,
};
use serde_json::Value;

#[test]
fn the_command_line_lists_and_finds_what_waits() {
    let Some(plan) = plan() else { return };
    let gateway = plan.section(NOWHERE).start();
    let none = moderation(&gateway, &["list"]);
    assert_eq!((none.status, none.text.trim()), (DONE, "No mail is found that waits for anybody"));
    let (first, second) = (hold(&gateway), hold(&gateway));
    let list = moderation(&gateway, &["list"]).expect_content();
    let lines: Vec<&str> = list.lines().collect();
    assert_eq!(lines.len(), 3, "{list}");
    assert!(lines[1].starts_with(&format!("{first}  waiting   20")), "{list}");
    assert!(lines[1].ends_with("<ann@own.example> to <them@far.example> and 1 more: the invoice"));
    let found = moderation(&gateway, &["list", "--search", &second]).expect_content();
    assert_eq!(found.lines().count(), 2, "{found}");
    let json = moderation(&gateway, &["list", "--json", "--limit", "1"]).expect_content();
    let case: Value = serde_json::from_str(json.trim()).unwrap();
    assert_eq!((&case["id"], &case["state"]), (&Value::from(&*first), &"waiting".into()));
    for wrong in [&["approve", "x"][..], &["list", "--state", "sent"], &["return", &first]] {
        assert_eq!(moderation(&gateway, wrong).status, WRONG_WORDS, "{wrong:?}");
    }
}

#[test]
fn the_command_line_decides_shows_who_did_and_keeps_a_journal() {
    let Some(plan) = plan() else { return };
    let gateway = plan.section(NOWHERE).start();
    let (first, second) = (hold(&gateway), hold(&gateway));
    assert_eq!(moderation(&gateway, &["comment", &first, "hm"]).status, DONE);
    let nobody = moderation(&gateway, &["approve", &first, "--only", "x@far.example"]);
    assert_eq!(nobody.status, REFUSED);
    assert!(nobody.text.contains("the mail is not to <x@far.example>"), "{}", nobody.text);
    let later = ["approve", &first, "--at", "2099-01-01T08:00+09:00", "--comment", "fine"];
    assert_eq!(moderation(&gateway, &later).status, DONE);
    let shown = moderation(&gateway, &["show", &first]).expect_content();
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
    for words in [
        ", sent 2098-12-31 23:00 UTC",
        "rule          invoices",
        "level 1       1 of boss@own.example",
        "comment by administrator ",
        "recipient     <them@far.example>, outside",
    ] {
        assert!(shown.contains(words), "{words}\n{shown}");
    }
    assert_eq!(moderation(&gateway, &["cancel", &first]).status, DONE);
    assert_eq!(moderation(&gateway, &["reject", &second, "--reason", "no"]).status, DONE);
    let late = moderation(&gateway, &["approve", &second]);
    assert_eq!(late.status, REFUSED);
    let told = "it was decided before: rejected by administrator ";
    assert!(late.text.contains(told), "{}", late.text);
    assert_eq!(moderation(&gateway, &["show", "4jWT59000pz7"]).status, REFUSED);
    expect_journal(gateway, &first);
}

/// It reads the same from the running gateway and at rest.
fn expect_journal(mut gateway: Installation, first: &str) {
    let running = moderation(&gateway, &["journal", first]).expect_content();
    let steps = ["held", "comment by", "approved by", "cancelled by administrator "];
    for (line, step) in running.lines().zip(steps) {
        assert!(line.contains(step) && line.contains(first), "{step}: {line}");
    }
    let verified = moderation(&gateway, &["journal", "--verify"]).expect_content();
    assert!(verified.starts_with("mailweir: 6 entries, whole; the last is "), "{verified}");
    gateway.stop();
    assert_eq!(moderation(&gateway, &["journal", first]).expect_content(), running);
    let at_rest = moderation(&gateway, &["list"]);
    assert_ne!(at_rest.status, DONE);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_for_programs_do_what_the_page_says() {
    let (Some(plan), true) = (plan(), tools::require(&["curl", "sh"])) else { return };
    let binary = program::require().unwrap();
    let made = Command::new(binary).args(["api-token", "crm", "--decide"]).output().unwrap();
    let made = String::from_utf8(made.stdout).unwrap();
    let token = made.lines().find_map(|line| line.strip_prefix("#   ")).unwrap();
    let sink = Sink::start(Script::smtp()).await;
    let plan = plan.next_hop(sink.address()).section(&made).with_admin();
    let gateway = plan.user("ann@own.example", "wonderland looking glass").start();
    let page =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/moderation.md"));
    let page = page.unwrap();
    let examples: Vec<&str> = examples(&page);
    assert_eq!(examples.len(), 5, "{examples:?}");
    let (first, second) = (hold(&gateway), hold(&gateway));
    let ask = |example: &str, id: &str| {
        let output = Command::new("sh")
            .args(["-euc", example])
            .env("API", format!("http://{}/api/v1", gateway.admin()))
            .env("TOKEN", token)
            .env("ID", id)
            .env("LOGIN", "ann@own.example")
            .env("PASSWORD", "wonderland looking glass")
            .output();
        let said = String::from_utf8(output.unwrap().stdout).unwrap();
        serde_json::from_str::<Value>(&said).unwrap_or_else(|_| panic!("{example}\n{said}"))
    };
    assert_eq!(ask(examples[0], "")["held"][1]["id"], Value::from(&*second));
    assert_eq!(ask(examples[1], &first)["levels"][0]["moderators"][0], "boss@own.example");
    assert_eq!(ask(examples[2], &first)["state"], "waiting");
    let approved = ask(examples[3], &first);
    assert_eq!(approved["standing"], "released by administrator crm", "{approved}");
    assert_eq!(approved["recipients"][1]["included"], false);
    // What moderators say to each other is for those who decide.
    let (whole, own) = (ask(examples[1], &first), ask(examples[2], &first));
    assert_eq!(whole["decision"]["words"], "checked", "{whole}");
    let decision = &own["decision"];
    assert_eq!((&decision["what"], &decision["words"]), (&"released".into(), &"".into()), "{own}");
    assert_eq!(ask(examples[4], &second)["state"], "cancelled");
    let sent = || sink.attempts().into_iter().find(|mail| !mail.sender().is_empty());
    let sent = wait::within(wait::PATIENCE, sent).unwrap();
    assert_eq!(sent.recipients(), ["them@far.example"]);
}

/// The commands of the section about programs, one each.
fn examples(page: &str) -> Vec<&str> {
    let (_, section) = page.split_once("## Programs").unwrap();
    let (_, rest) = section.split_once("```sh\n").unwrap();
    let (block, _) = rest.split_once("```").unwrap();
    let mut commands = Vec::new();
    let mut rest = block;
    while let Some(begin) = rest.find("curl ") {
        let command = &rest[begin..];
        let end = command
            .match_indices('\n')
            .find(|(at, _)| !command[..*at].ends_with('\\'))
            .map_or(command.len(), |(at, _)| at);
        commands.push(&command[..end]);
        rest = &command[end..];
    }
    commands
}

fn plan() -> Option<Plan> {
    let rule = "[[moderation.rule]]\nname = \"invoices\"\naction = \"approval\"\n\
                subject = [\"invoice\"]\nmoderators = [\"boss@own.example\"]\ntells_sender = \"never\"";
    Some(Plan::new()?.mx().section(rule))
}

fn moderation(gateway: &Installation, words: &[&str]) -> Said {
    gateway.run(&[&["moderation"], words].concat())
}

/// Hands in a mail of Ann's that waits, and gives its id.
fn hold(gateway: &Installation) -> String {
    let mut smtp = BufReader::new(TcpStream::connect(at(gateway)).unwrap());
    let mut last = String::new();
    for line in [
        "",
        "HELO client.example\r\n",
        "MAIL FROM:<ann@own.example>\r\n",
        "RCPT TO:<them@far.example>\r\n",
        "RCPT TO:<others@far.example>\r\n",
        "DATA\r\n",
        "Subject: the invoice\r\n\r\ntext\r\n.\r\n",
    ] {
        smtp.get_mut().write_all(line.as_bytes()).unwrap();
        last.clear();
        smtp.read_line(&mut last).unwrap();
    }
    let (_, rest) = last.split_once("queued as ").unwrap_or_else(|| panic!("{last}"));
    assert!(rest.contains("(held for approval)"), "{last}");
    rest.split(' ').next().unwrap().to_owned()
}

fn at(gateway: &Installation) -> SocketAddr {
    gateway.at("mx")
}

const NOWHERE: &str = "[[route]]\nfor = [\"*\"]\nto = \"smtp://127.0.0.1:9\"";

const DONE: Option<i32> = Some(0);
const REFUSED: Option<i32> = Some(1);
const WRONG_WORDS: Option<i32> = Some(64);
