//! swaks, as a person tries a gateway: in clear, with TLS, with a log-in, by LMTP.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::SocketAddr;

use mailweir_tests::{
    installation::{Installation, Plan},
    peers,
    sink::{Received, Script, Sink},
    tools,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_mail_arrives_as_swaks_wrote_it() {
    let Some((gateway, sink)) = gateway().await else { return };
    let body = ["--body", "first line\n.a dot\n\nlast line"];
    let said = swaks(gateway.at("mx"), &[&TO_OWN, &body]).expect_content();
    assert!(said.contains("250 2.0.0 Ok: queued as"), "{said}");
    let mail = sink.expect_one().await;
    assert_eq!(mail.sender(), "a@sender.example");
    assert_eq!(mail.recipients(), ["b@own.example"]);
    assert!(mail.text().contains("\r\n\r\nfirst line\r\n.a dot\r\n\r\nlast line\r\n"), "{mail:?}");
    assert_received_with(&mail, "ESMTP");
    gateway.expect_empty_queue();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_arrives_over_starttls() {
    let Some((gateway, sink)) = gateway().await else { return };
    let said = swaks(gateway.at("mx"), &[&TO_OWN, &["--tls"]]).expect_content();
    assert!(said.contains("TLS started with cipher TLSv1.3"), "{said}");
    let mail = sink.expect_one().await;
    assert!(mail.text().contains("using TLSv1.3"), "{}", mail.text());
    assert_received_with(&mail, "ESMTPS");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_cannot_relay() {
    let Some((gateway, sink)) = gateway().await else { return };
    let said = swaks(gateway.at("strangers"), &[&TO_OTHERS]).expect_refused();
    assert!(said.contains("554 5.7.1 <c@other.example>: Relay access denied"), "{said}");
    sink.expect_nothing();
    let line = gateway.expect_log("NOQUEUE: reject: RCPT from unknown[127.0.0.1]: 554 5.7.1");
    assert!(line.contains("to=<c@other.example>"), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_and_login_work_over_starttls() {
    for mechanism in ["PLAIN", "LOGIN"] {
        let Some((gateway, sink)) = gateway().await else { return };
        let login =
            ["--tls", "--auth", mechanism, "--auth-user", USER, "--auth-password", PASSWORD];
        let said = swaks(gateway.at("submission"), &[&TO_OTHERS, &login]).expect_content();
        assert!(said.contains("235 2.7.0 Authentication successful"), "{said}");
        assert_received_with(&sink.expect_one().await, "ESMTPSA");
        let line = gateway.expect_log("sasl_username=alice@own.example");
        assert!(line.contains(&format!("sasl_method={mechanism}")), "{line}");
        assert!(line.contains("postfix/submission/smtpd["), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_works_inside_implicit_tls() {
    let Some((gateway, sink)) = gateway().await else { return };
    let login = ["--tlsc", "--auth-user", USER, "--auth-password", PASSWORD];
    let said = swaks(gateway.at("submissions"), &[&TO_OTHERS, &login]).expect_content();
    assert!(!said.contains("STARTTLS"), "{said}");
    assert_eq!(sink.expect_one().await.recipients(), ["c@other.example"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_password_is_refused_and_logged_without_it() {
    let Some((gateway, sink)) = gateway().await else { return };
    let login = ["--tls", "--auth", "PLAIN", "--auth-user", USER, "--auth-password", "wrong horse"];
    let said = swaks(gateway.at("submission"), &[&TO_OTHERS, &login]).expect_refused();
    assert!(said.contains("535 5.7.8 "), "{said}");
    sink.expect_nothing();
    let line = gateway.expect_log("SASL PLAIN authentication failed");
    assert!(line.contains("warning: unknown[127.0.0.1]: "), "{line}");
    assert!(!gateway.log().contains("wrong horse"), "{}", gateway.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn c6_a_login_cannot_write_as_another_in_the_envelope_or_in_from() {
    let own = "[auth.senders]\npolicy = \"own\"";
    let Some((gateway, sink)) = gateway_with(own).await else { return };
    let submit = |arguments: &[&str]| swaks(gateway.at("submission"), &[&LOGIN, arguments]);
    let to = "c@other.example";
    let said = submit(&["--from", "bob@own.example", "--to", to]).expect_refused();
    let reply = "553 5.7.1 <bob@own.example>: Sender address rejected: not owned by user";
    assert!(said.contains(&format!("{reply} {USER}")), "{said}");
    let line = gateway.expect_log("NOQUEUE: reject: RCPT from unknown[127.0.0.1]: 553 5.7.1");
    assert!(line.contains("from=<bob@own.example> to=<c@other.example>"), "{line}");
    let forged = ["--from", USER, "--to", to, "--header", "From: Boss <boss@own.example>"];
    let said = submit(&forged).expect_refused();
    assert!(said.contains("550 5.7.1 <boss@own.example>: From header rejected: "), "{said}");
    sink.expect_nothing();
    let tagged = "alice+shop@own.example";
    let _ = submit(&["--from", tagged, "--to", to, "--h-From", tagged]).expect_content();
    assert_eq!(sink.expect_one().await.sender(), tagged);
}

#[tokio::test(flavor = "multi_thread")]
async fn c6_mail_over_the_soft_limit_leaves_when_a_person_releases_it() {
    let limits = "[auth.limits]\nmessages_per_day_soft = 1\nmessages_per_day_hard = 2";
    let Some((gateway, sink)) = gateway_with(limits).await else { return };
    let submit = || swaks(gateway.at("submission"), &[&TO_OTHERS, &LOGIN]);
    let _ = submit().expect_content();
    sink.expect_one().await;
    let _ = submit().expect_content();
    let said = submit().expect_refused();
    let enough =
        "450 4.7.1 <alice@own.example>: Login name rejected: more than 2 messages in a day";
    assert!(said.contains(enough), "{said}");

    let held = gateway.queue().remove(0);
    let id = held["queue_id"].as_str().unwrap();
    let reason = held["hold_reason"].as_str().unwrap();
    assert!(reason.contains("auth.limits.messages_per_day_soft"), "{reason}");
    let command = reason.split('`').nth(1).unwrap();
    assert_eq!(command, format!("mailweir queue release {id}"));
    let words: Vec<&str> = command.split(' ').skip(1).collect();
    assert!(gateway.run(&words).expect_content().contains("released from hold"));
    assert_eq!(sink.expect(2).await[1].recipients(), ["c@other.example"]);
    gateway.expect_empty_queue();
}

#[tokio::test(flavor = "multi_thread")]
async fn submission_without_tls_or_login_is_refused() {
    let Some((gateway, sink)) = gateway().await else { return };
    let said = swaks(gateway.at("submission"), &[&TO_OTHERS]).expect_refused();
    assert!(said.contains("530 5.7.0 Must issue a STARTTLS command first"), "{said}");
    let said = swaks(gateway.at("submission"), &[&TO_OTHERS, &["--tls"]]).expect_refused();
    assert!(said.contains("530 5.7.0 Authentication required"), "{said}");
    sink.expect_nothing();
}

#[tokio::test(flavor = "multi_thread")]
async fn pipelined_commands_are_answered_in_order() {
    let Some((gateway, sink)) = gateway().await else { return };
    let to = ["--from", "a@sender.example", "--to", "b@own.example,c@own.example,d@own.example"];
    let said = swaks(gateway.at("mx"), &[&to, &["--pipeline"]]).expect_content();
    assert!(said.contains("PIPELINING"), "{said}");
    let mail = sink.expect_one().await;
    assert_eq!(mail.recipients(), ["b@own.example", "c@own.example", "d@own.example"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn lmtp_answers_for_each_recipient() {
    let Some((gateway, sink)) = gateway().await else { return };
    let to = ["--from", "a@sender.example", "--to", "b@own.example,c@own.example"];
    let said = swaks(gateway.at("lmtp"), &[&to, &["--protocol", "LMTP"]]).expect_content();
    assert!(said.contains("LHLO swaks.test.example"), "{said}");
    let queued = said.lines().filter(|line| line.contains("250 2.0.0 ")).count();
    assert_eq!(queued, 2, "{said}");
    assert_received_with(&sink.expect_one().await, "LMTP");
}

#[tokio::test(flavor = "multi_thread")]
async fn smtp_on_an_lmtp_listener_is_refused() {
    let Some((gateway, sink)) = gateway().await else { return };
    let said = swaks(gateway.at("lmtp"), &[&TO_OWN]).expect_refused();
    assert!(said.contains("500 5.5.1 Error: command not recognized, use LHLO"), "{said}");
    sink.expect_nothing();
}

/// A gateway with a listener of each kind, and the sink behind it.
async fn gateway() -> Option<(Installation, Sink)> {
    gateway_with("").await
}

/// The same, with these sections besides.
async fn gateway_with(sections: &str) -> Option<(Installation, Sink)> {
    if !tools::require(&["swaks"]) {
        return None;
    }
    let sink = Sink::start(Script::smtp()).await;
    let gateway = Plan::new()?
        .mx()
        .listener("strangers", "mode = \"mx\"\ntls = \"optional\"")
        .listener("submission", "mode = \"submission\"\ntls = \"required\"")
        .listener("submissions", "mode = \"submission\"\ntls = \"implicit\"")
        .listener("lmtp", "mode = \"lmtp\"\ntls = \"none\"\nnetworks = [\"127.0.0.1/32\"]")
        .section(sections)
        .next_hop(sink.address())
        .user(USER, PASSWORD)
        .start();
    Some((gateway, sink))
}

fn swaks(server: SocketAddr, arguments: &[&[&str]]) -> peers::Said {
    peers::swaks(server, &arguments.concat()).unwrap()
}

fn assert_received_with(mail: &Received, protocol: &str) {
    let with = format!("(Mailweir) with {protocol} id ");
    assert!(mail.text().contains(&with), "{with}:\n{}", mail.text());
}

const USER: &str = "alice@own.example";
const PASSWORD: &str = "correct horse";
const LOGIN: [&str; 7] =
    ["--tls", "--auth", "PLAIN", "--auth-user", USER, "--auth-password", PASSWORD];
const TO_OWN: [&str; 4] = ["--from", "a@sender.example", "--to", "b@own.example"];
const TO_OTHERS: [&str; 4] = ["--from", "alice@own.example", "--to", "c@other.example"];
