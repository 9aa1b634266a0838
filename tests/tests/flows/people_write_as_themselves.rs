//! Row C6: who logs in as one writes as that one, in the envelope and in From, by rules that change
//! while the gateway runs.

use std::time::Duration;

use mailweir_tests::{
    gateway::{Gateway, Mail, Peer, Setup, USER, USER_PASSWORD, mail},
    sink::{Script, Sink},
};

#[tokio::test]
async fn c6_another_sender_is_refused_at_rcpt_and_in_from_and_the_log_says_so() {
    let (gateway, sink) = submission("policy = \"own\"").await;
    let mut alice = logged_in(&gateway).await;
    let refused = "553 5.7.1 <bob@local.example>: Sender address rejected: not owned by user alice";
    alice.send(&from("bob@local.example", "alice@local.example")).await.expect_refused(refused);
    alice.ask("RSET", "250 *").await;
    let refused = "550 5.7.1 <bob@local.example>: From header rejected: not owned by user alice";
    alice.send(&from("alice@local.example", "bob@local.example")).await.expect_refused(refused);
    let line = "NOQUEUE: reject: RCPT from unknown[127.0.0.1]: 553 5.7.1 <bob@local.example>: \
                Sender address rejected: not owned by user alice; from=<bob@local.example> \
                to=<user@local.example> proto=ESMTP helo=<";
    gateway.log().expect(line).await;
    gateway
        .log()
        .expect("reject: END-OF-MESSAGE from *: 550 5.7.1 <bob@local.example>: From")
        .await;
    sink.expect_nothing();
    alice.send(&from("alice@local.example", "alice@local.example")).await.expect_accepted();
    sink.expect_one().await;
}

#[tokio::test]
async fn c6_from_may_be_left_alone_and_any_sender_is_the_default() {
    let (gateway, sink) = submission("policy = \"own\"\nheader_from = false").await;
    let mut alice = logged_in(&gateway).await;
    alice.send(&from("alice@local.example", "bob@local.example")).await.expect_accepted();
    sink.expect_one().await;

    let (gateway, sink) = submission("").await;
    let mut alice = logged_in(&gateway).await;
    alice.send(&from("bob@local.example", "carol@local.example")).await.expect_accepted();
    sink.expect_one().await;
}

#[tokio::test]
async fn c6_a_changed_file_of_owners_counts_without_a_reload_and_a_bad_line_is_named() {
    let (gateway, _sink) = submission("policy = \"maps\"").await;
    let mut alice = logged_in(&gateway).await;
    gateway.change_owners("bob@local.example alice\nnobody\n");
    a_second_goes_by().await;
    alice.ask("MAIL FROM:<bob@local.example>", "250 *").await;
    alice.ask("RCPT TO:<user@local.example>", "250 *").await;
    alice.ask("RSET", "250 *").await;
    gateway.log().expect("warning: *owners: line 2: *; the line is skipped").await;
    alice.send(&from("alice@local.example", "bob@local.example")).await.expect_refused("553 *");
}

#[tokio::test]
async fn c6_a_reload_changes_the_policy_for_new_sessions_or_nothing() {
    let (mut gateway, sink) = submission("policy = \"any\"").await;
    let mut before = logged_in(&gateway).await;
    gateway.reload(&setup(&sink, "policy = \"own\"")).await.unwrap();
    before.send(&from("bob@local.example", "bob@local.example")).await.expect_accepted();
    let mut after = logged_in(&gateway).await;
    after.send(&from("bob@local.example", "bob@local.example")).await.expect_refused("553 *");
    let missing = Setup::before(&sink)
        .listener("submission", LISTENER)
        .section("auth.senders", "login_maps_file = \"/nonexistent/owners\"");
    let problem = gateway.reload(&missing).await.unwrap_err();
    assert!(problem.contains("/nonexistent/owners cannot be read"), "{problem}");
    let mut still = logged_in(&gateway).await;
    still.send(&from("bob@local.example", "bob@local.example")).await.expect_refused("553 *");
}

fn from(sender: &str, header: &str) -> Mail {
    mail().from(sender).header(&format!("From: <{header}>"))
}

async fn submission(senders: &str) -> (Gateway, Sink) {
    let sink = Sink::start(Script::smtp()).await;
    let gateway = Gateway::start(&setup(&sink, senders)).await;
    (gateway, sink)
}

fn setup(sink: &Sink, senders: &str) -> Setup {
    Setup::before(sink)
        .listener("submission", LISTENER)
        .owners("alice@local.example alice\nbob@local.example bob\n")
        .section("auth.senders", senders)
}

async fn logged_in(gateway: &Gateway) -> Peer {
    let mut alice = gateway.connect().await;
    alice.greet().await;
    alice.log_in(USER, USER_PASSWORD, "235 2.7.0 *").await;
    alice
}

/// The file is looked at once a second.
async fn a_second_goes_by() {
    tokio::time::pause();
    tokio::time::advance(Duration::from_millis(1_001)).await;
    tokio::time::resume();
}

const LISTENER: &str = "mode = \"submission\"\ntls = \"none\"\nauth_in_clear = true";
