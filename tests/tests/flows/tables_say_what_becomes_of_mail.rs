//! Access tables do more than refuse: what they ask for happens to the whole mail at its end, and
//! the log names the rule.

use mailweir::control::operation::Place;
use mailweir_tests::{
    gateway::{Gateway, Mail, Setup, mail},
    sink::{Script, Sink},
};

#[tokio::test]
async fn hold_keeps_the_mail_and_says_why() {
    let (gateway, sink) = with("a@client.example = HOLD looks odd").await;
    let id = gateway.submit(from_a()).await.expect_accepted();
    gateway.queue().expect(id, Place::Hold).await;
    let reason = gateway.queue().show(id).await.entry.hold_reason.unwrap();
    assert!(reason.as_str().starts_with("looks odd (inline:"), "{}", reason.as_str());
    gateway
        .log()
        .expect(
            "NOQUEUE: hold: RCPT from unknown[127.0.0.1]: <a@client.example>: Sender address looks \
             odd; from=<a@client.example> to=<user@local.example> proto=ESMTP helo=<client.example> \
             (check_sender_access: inline:",
        )
        .await;
    sink.expect_nothing();
}

#[tokio::test]
async fn discard_says_yes_and_keeps_nothing() {
    let (gateway, sink) = with("a@client.example = DISCARD").await;
    let _ = gateway.submit(from_a()).await.expect_accepted();
    gateway.queue().expect_empty().await;
    let line = "NOQUEUE: discard: RCPT from unknown[127.0.0.1]: <a@client.example>: Sender address \
                triggers DISCARD action; from=";
    gateway.log().expect(line).await;
    let _ = gateway.submit(mail()).await.expect_accepted();
    assert_eq!(sink.expect_one().await.sender(), "sender@client.example");
}

#[tokio::test]
async fn redirect_and_bcc_change_who_gets_it() {
    let (gateway, sink) = with("a@client.example = BCC copy@local.example").await;
    let _ = gateway.submit(from_a().to("b@local.example")).await.expect_accepted();
    assert_eq!(sink.expect_one().await.recipients(), ["b@local.example", "copy@local.example"]);
    let (gateway, sink) = with("a@client.example = REDIRECT boss@local.example").await;
    let two = from_a().to("b@local.example").to("c@local.example");
    let _ = gateway.submit(two).await.expect_accepted();
    assert_eq!(sink.expect_one().await.recipients(), ["boss@local.example"]);
}

#[tokio::test]
async fn filter_sends_it_another_way() {
    let scanner = Sink::start(Script::smtp()).await;
    let filter = format!("a@client.example = FILTER smtp:[127.0.0.1]:{}", scanner.address().port());
    let (gateway, sink) = with(&filter).await;
    let _ = gateway.submit(from_a()).await.expect_accepted();
    assert_eq!(scanner.expect_one().await.sender(), "a@client.example");
    sink.expect_nothing();
}

#[tokio::test]
async fn what_a_table_asks_for_is_for_its_mail_and_not_for_the_next() {
    let (gateway, sink) = with("a@client.example = BCC copy@local.example").await;
    let mut peer = gateway.connect().await;
    peer.greet().await;
    peer.ask("MAIL FROM:<a@client.example>", "250 *").await;
    peer.ask("RCPT TO:<b@local.example>", "250 *").await;
    peer.ask("RSET", "250 *").await;
    let _ = peer.send(&mail().to("b@local.example")).await.expect_accepted();
    assert_eq!(sink.expect_one().await.recipients(), ["b@local.example"]);
}

#[tokio::test]
async fn a_detour_that_leads_nowhere_puts_the_mail_off() {
    for action in ["REDIRECT a@b@c@", "FILTER \u{1}:x"] {
        let (gateway, sink) = with(&format!("a@client.example = {action}")).await;
        gateway.submit(from_a()).await.expect_refused("451 4.3.0 Temporary lookup failure");
        gateway.log().expect("warning: the mail is put off: inline:").await;
        gateway.queue().expect_empty().await;
        sink.expect_nothing();
    }
}

#[tokio::test]
async fn i2_a_table_that_cannot_answer_lets_nobody_through() {
    let sink = Sink::start(Script::smtp()).await;
    let lists = "sender = [\"check_sender_access fail:broken\"]";
    let gateway = Gateway::start(&Setup::before(&sink).section("restrictions", lists)).await;
    let refused = "451 4.3.5 <a@client.example>: Sender address rejected: Server configuration \
                   error";
    gateway.submit(from_a()).await.expect_refused(refused);
    gateway.queue().expect_empty().await;
}

#[tokio::test]
async fn a_refusal_names_its_rule_in_the_log_and_not_to_the_client() {
    let (gateway, _sink) = with("client.example = REJECT no").await;
    let said = "554 5.7.1 <a@client.example>: Sender address rejected: no";
    gateway.submit(from_a()).await.expect_refused(said);
    let line = format!(
        "NOQUEUE: reject: RCPT from unknown[127.0.0.1]: {said}; from=<a@client.example> \
         to=<user@local.example> proto=ESMTP helo=<client.example> (check_sender_access: inline:"
    );
    gateway.log().expect(&line).await;
}

#[tokio::test]
async fn warn_if_reject_and_warn_only_tell_the_log() {
    let sink = Sink::start(Script::smtp()).await;
    let lists = "sender = [\"warn_if_reject check_sender_access static:REJECT\"]\n\
                 recipient = [\"check_recipient_access inline:{ {local.example = WARN look} }\"]";
    let gateway = Gateway::start(&Setup::before(&sink).section("restrictions", lists)).await;
    let _ = gateway.submit(from_a()).await.expect_accepted();
    let warned = "NOQUEUE: reject_warning: RCPT from unknown[127.0.0.1]: 554 5.7.1 \
                  <a@client.example>: Sender address rejected: Access denied; from=";
    gateway.log().expect(warned).await;
    gateway.log().expect("NOQUEUE: warning: RCPT from unknown[127.0.0.1]: look; from=").await;
}

#[tokio::test]
async fn a_changed_table_counts_without_a_reload() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("access");
    std::fs::write(&file, "other.example REJECT\n").unwrap();
    let sink = Sink::start(Script::smtp()).await;
    let lists = format!("sender = [\"check_sender_access texthash:{}\"]", file.display());
    let gateway = Gateway::start(&Setup::before(&sink).section("restrictions", &lists)).await;
    let _ = gateway.submit(from_a()).await.expect_accepted();
    std::fs::write(&file, "client.example REJECT\n").unwrap();
    gateway.log().expect("changed, and read again").await;
    gateway.submit(from_a()).await.expect_refused("554 5.7.1 *");
}

/// A gateway that looks senders up in a table with one line.
async fn with(line: &str) -> (Gateway, Sink) {
    let sink = Sink::start(Script::smtp()).await;
    let rule = format!("check_sender_access inline:{{ {{{line}}} }}");
    let lists = format!("sender = [{rule:?}]").replace("\\u{1}", "\\u0001");
    let gateway = Gateway::start(&Setup::before(&sink).section("restrictions", &lists)).await;
    (gateway, sink)
}

fn from_a() -> Mail {
    mail().from("a@client.example")
}
