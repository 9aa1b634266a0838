//! Rows C2 and C7: who guesses too often waits, an administrator sees it, and may end it.

use std::net::Ipv4Addr;

use mailweir_tests::{
    gateway::Peer,
    installation::{Installation, Plan},
};

#[tokio::test]
async fn c2_the_administrator_sees_who_waits_and_lets_them_in_again() {
    let Some(plan) = submission() else { return };
    let gateway = plan.start();
    fail(&gateway, 21, "535 5.7.8 *").await;
    fail(&gateway, 4, "454 4.7.0 *").await;
    log_in(&gateway, PASSWORD, "454 4.7.0 *").await;

    let list = gateway.run(&["ban", "list"]).expect_content();
    let lines: Vec<_> = list.lines().skip(1).collect();
    assert!(list.starts_with("---Has to wait- Failures  --Address/Account"), "{list}");
    assert!(lines[0].ends_with(" s       21  127.0.0.1"), "{list}");
    assert!(lines[1].ends_with(" s       21  alice"), "{list}");
    assert_eq!(lines.len(), 2, "{list}");
    for waits in ["127.0.0.1 has to wait 600 s, until ", "alice has to wait 600 s, until "] {
        let line = gateway.expect_log(waits);
        assert!(line.ends_with(": 21 failed log-ins"), "{line}");
        assert_eq!(gateway.log().matches(waits).count(), 1, "{}", gateway.log());
    }

    let lifted = gateway.run(&["ban", "lift", "127.0.0.1"]).expect_content();
    assert_eq!(lifted, "mailweir: 127.0.0.1: failed log-ins forgotten\n");
    log_in(&gateway, PASSWORD, "454 4.7.0 *").await;
    let lifted = gateway.run(&["ban", "lift", "Alice"]).expect_content();
    assert_eq!(lifted, "mailweir: alice: failed log-ins forgotten\n");
    log_in(&gateway, PASSWORD, "235 2.7.0 *").await;
    let _ = gateway.expect_log("failed log-ins as alice are forgotten (");

    assert_eq!(
        gateway.run(&["ban", "list", "--all"]).expect_content(),
        "No log-in has failed lately\n"
    );
    let nothing = gateway.run(&["ban", "lift", "alice"]);
    assert_eq!(nothing.status, Some(1), "{nothing:?}");
    assert_eq!(nothing.text, "mailweir: alice: no failed log-ins are counted\n");
}

#[tokio::test]
async fn c2_the_lines_that_fail2ban_reads_come_with_every_attempt() {
    let Some(plan) = submission() else { return };
    let gateway = plan.start();
    fail(&gateway, 21, "535 *").await;
    fail(&gateway, 2, "454 *").await;
    let _ = gateway.expect_log("authentication failed: too many failures");
    let log = gateway.log();
    let said = "warning: unknown[127.0.0.1]: SASL PLAIN authentication failed: ";
    assert_eq!(log.matches(said).count(), 23, "{log}");
    assert!(!log.contains("guess"), "a password is in the log: {log}");
}

#[tokio::test]
async fn failures_below_the_limit_are_listed_on_request_and_as_json() {
    let Some(plan) = submission() else { return };
    let gateway = plan.start();
    log_in(&gateway, PASSWORD, "235 *").await;
    fail(&gateway, 2, "535 *").await;
    assert_eq!(gateway.run(&["ban", "list"]).expect_content(), "Nobody has to wait\n");
    let list = gateway.run(&["ban", "list", "--all", "--json"]).expect_content();
    let familiar = r#"{"kind":"familiar","address":"127.0.0.1","account":"alice","failures":2,"wait_seconds":0}"#;
    assert_eq!(list, format!("{familiar}\n"));
    let lifted = gateway.run(&["ban", "lift", "--all", "--json"]).expect_content();
    assert_eq!(lifted, "{\"lifted\":{\"bans\":1}}\n");
    assert_eq!(gateway.run(&["ban", "list", "--all", "--json"]).expect_content(), "");
}

#[tokio::test]
async fn the_limits_are_those_of_the_configuration() {
    let Some(plan) = submission() else { return };
    let limits = "failures_per_account = 2\nexempt = [\"127.0.0.0/8\"]";
    let gateway = plan.section(limits).start();
    fail(&gateway, 3, "535 *").await;
    fail(&gateway, 1, "454 *").await;
    let _ = gateway.expect_log("alice has to wait 600 s, until ");
    let list = gateway.run(&["ban", "list", "--all"]).expect_content();
    assert_eq!(list.lines().count(), 2, "the address is exempt: {list}");
    assert!(list.ends_with("        3  alice\n"), "{list}");
}

#[test]
fn without_a_running_server_there_are_no_bans_and_words_that_make_no_sense_are_explained() {
    let Some(plan) = submission() else { return };
    let gateway = plan.install();
    for words in [&["ban", "list"][..], &["ban", "lift", "--all"]] {
        let said = gateway.run(words);
        assert_eq!(said.status, Some(1), "{said:?}");
        assert!(said.text.starts_with("mailweir: no server runs on "), "{said:?}");
    }
    for words in [&["ban", "lift"][..], &["ban", "lift", "192.0.2.1/8"], &["ban", "lift", "a b"]] {
        assert_eq!(gateway.run(words).status, Some(64), "{words:?}");
    }
}

/// Its section `[auth.throttle]` is open.
fn submission() -> Option<Plan> {
    let lines = "mode = \"submission\"\ntls = \"required\"";
    let plan = Plan::new()?.listener("submission", lines).user(USER, PASSWORD);
    // Longer than any test takes.
    Some(plan.section("[auth.throttle]\nfirst_pause = \"10 min\""))
}

/// So many wrong passwords, a few in each session.
async fn fail(gateway: &Installation, times: usize, reply: &str) {
    let mut left = times;
    while left > 0 {
        let mut guesser = in_tls(gateway).await;
        let now = left.min(5);
        for _ in 0..now {
            guesser.log_in(USER, "guess", reply).await;
        }
        guesser.leave().await;
        left -= now;
    }
}

async fn log_in(gateway: &Installation, password: &str, reply: &str) {
    let mut alice = in_tls(gateway).await;
    alice.log_in(USER, password, reply).await;
    alice.leave().await;
}

async fn in_tls(gateway: &Installation) -> Peer {
    let mut peer = Peer::connect(gateway.at("submission"), Ipv4Addr::LOCALHOST.into()).await;
    peer.greet().await;
    peer.start_tls().await;
    peer
}

const USER: &str = "alice";
const PASSWORD: &str = "wonderland looking glass";
