//! `reject_unverified_recipient` and `reject_unverified_sender`: the next hop is asked before mail
//! is accepted, once, and what it says is remembered.

use mailweir_tests::{
    gateway::{Gateway, Setup, mail},
    sink::{Act, Point, Script, Sink},
};

const REFUSED: &str = "550 5.1.1 no such user";

fn choosy() -> Script {
    Script::smtp().replying_for("nobody@local.example", Point::Rcpt, REFUSED).replying_for(
        "later@local.example",
        Point::Rcpt,
        "450 4.2.0 greylisted",
    )
}

fn verifying(sink: &Sink) -> Setup {
    let recipient = "recipient = [\"reject_unverified_recipient\"]";
    Setup::before(sink)
        .section("restrictions", recipient)
        .section("restrictions", "unverified_recipient_reject_code = 550")
}

#[tokio::test]
async fn the_next_hop_decides_and_is_asked_once_for_each_address() {
    let sink = Sink::start(choosy()).await;
    let gateway = Gateway::start(&verifying(&sink)).await;
    let host = "127.0.0.1[127.0.0.1]";
    let mut peer = gateway.connect().await;
    peer.greet().await;
    peer.ask("MAIL FROM:<a@client.example>", "250 *").await;
    for _ in 0..2 {
        let refused = format!(
            "550 5.1.1 <nobody@local.example>: Recipient address rejected: undeliverable address: \
             host {host} said: {REFUSED} (in reply to RCPT TO command)"
        );
        peer.ask("RCPT TO:<nobody@local.example>", &refused).await;
        let deferred = format!(
            "450 4.1.1 <later@local.example>: Recipient address rejected: unverified address: \
             host {host} said: 450 4.2.0 greylisted (in reply to RCPT TO command)"
        );
        peer.ask("RCPT TO:<later@local.example>", &deferred).await;
        peer.ask("RCPT TO:<user@local.example>", "250 *").await;
    }
    assert_eq!(sink.connections(), 3, "{}", sink.transcript());
    sink.expect_nothing();
    let command = "MAIL FROM:<double-bounce@gate.example>";
    assert!(sink.transcript().contains(command), "{}", sink.transcript());
    assert!(!sink.transcript().contains("DATA"), "{}", sink.transcript());
    let _ = gateway.submit(mail()).await.expect_accepted();
    sink.expect_one().await;
}

#[tokio::test]
async fn what_was_learnt_is_still_known_after_a_restart() {
    let sink = Sink::start(choosy()).await;
    let mut gateway = Gateway::start(&verifying(&sink)).await;
    gateway.submit(mail().to("nobody@local.example")).await.expect_refused("550 5.1.1 *");
    sink.change(Script::smtp().at(Point::Connect, Act::Drop));
    gateway.restart().await;
    let known = "550 5.1.1 *undeliverable address: *no such user*";
    gateway.submit(mail().to("nobody@local.example")).await.expect_refused(known);
    assert_eq!(sink.connections(), 1, "{}", sink.transcript());
}

#[tokio::test]
async fn a_next_hop_that_does_not_answer_makes_clients_come_again() {
    let sink = Sink::start(Script::smtp().at(Point::Connect, Act::Hang)).await;
    let setup = verifying(&sink).section("address_verify", "poll_count = 1");
    let gateway = Gateway::start(&setup).await;
    let waits = "450 4.1.1 <user@local.example>: Recipient address rejected: unverified address: \
                 Address verification in progress";
    for _ in 0..3 {
        gateway.submit(mail()).await.expect_refused(waits);
    }
    sink.expect_connections(1).await;
}

#[tokio::test]
async fn a_reload_changes_how_addresses_are_tried_out() {
    let sink = Sink::start(choosy()).await;
    let mut gateway = Gateway::start(&verifying(&sink)).await;
    gateway.submit(mail().to("nobody@local.example")).await.expect_refused("550 5.1.1 *");
    let null = verifying(&sink)
        .section("restrictions", "unverified_recipient_reject_reason = \"not here\"")
        .section("address_verify", "sender = \"<>\"");
    gateway.reload(&null).await.unwrap();
    let refused = "550 5.1.1 *: Recipient address rejected: undeliverable address: not here";
    gateway.submit(mail().to("nobody@local.example")).await.expect_refused(refused);
    let _ = gateway.submit(mail()).await.expect_accepted();
    assert!(sink.transcript().contains("MAIL FROM:<>"), "{}", sink.transcript());
}

#[tokio::test]
async fn whoever_asks_about_the_sender_of_probes_hears_yes_and_its_mail_goes_nowhere() {
    let sink = Sink::start(choosy()).await;
    let lists = "client = [\"reject\"]\nsender = [\"reject_unverified_sender\"]";
    let gateway = Gateway::start(&Setup::before(&sink).section("restrictions", lists)).await;
    let mut peer = gateway.connect().await;
    peer.greet().await;
    peer.ask("MAIL FROM:<>", "250 *").await;
    peer.ask("RCPT TO:<Double-Bounce@gate.example>", "250 *").await;
    peer.ask("RCPT TO:<double-bounce@local.example>", "554 *").await;
    peer.ask("DATA", "354 *").await;
    peer.ask("Subject: hello\r\n\r\n.", "250 *").await;
    let dropped = "to=<Double-Bounce@gate.example>, *status=sent (*discarded)";
    gateway.log().expect(dropped).await;
    gateway.queue().expect_empty().await;
    assert_eq!(sink.connections(), 0, "{}", sink.transcript());
}

/// A sender that the configuration names may be a person, who gets mail by a route or an alias.
#[tokio::test]
async fn mail_to_another_sender_of_probes_goes_its_way() {
    for sender in ["probe", "info"] {
        let sink = Sink::start(Script::smtp()).await;
        let store = Sink::start(Script::smtp()).await;
        let setup = Setup::default()
            .route("gate.example", &format!("smtp://{}", store.address()), "")
            .route("*", &format!("smtp://{}", sink.address()), "")
            .section("address_verify", &format!("sender = {sender:?}"))
            .section(
                "rewriting",
                "virtual_alias_maps = [\"inline:{ {all@local.example = info@gate.example} }\"]",
            );
        let gateway = Gateway::start(&setup).await;
        let _ = gateway.submit(mail().to("all@local.example")).await.expect_accepted();
        store.expect_one().await;
        let mut peer = gateway.connect().await;
        peer.greet().await;
        peer.ask("MAIL FROM:<>", "250 *").await;
        peer.ask(&format!("RCPT TO:<{sender}@gate.example>"), "554 5.7.1 *").await;
    }
}

/// What a stranger sends to the sender of probes must not come out as a report to somebody else.
#[tokio::test]
async fn nobody_gets_a_report_of_mail_to_the_sender_of_probes() {
    let sink = Sink::start(Script::smtp()).await;
    let setup = Setup::before(&sink).section("restrictions", "client = [\"reject\"]");
    let gateway = Gateway::start(&setup).await;
    let mut peer = gateway.connect().await;
    peer.greet().await;
    peer.ask("MAIL FROM:<victim@local.example> RET=FULL", "250 *").await;
    let wanted = "RCPT TO:<double-bounce@gate.example> NOTIFY=SUCCESS,FAILURE,DELAY";
    peer.ask(wanted, "250 *").await;
    peer.ask("DATA", "354 *").await;
    peer.ask("Subject: hello\r\n\r\n.", "250 *").await;
    gateway.log().expect("to=<double-bounce@gate.example>, *status=sent (*discarded)").await;
    gateway.queue().expect_empty().await;
    assert_eq!(sink.connections(), 0, "{}", sink.transcript());
}
