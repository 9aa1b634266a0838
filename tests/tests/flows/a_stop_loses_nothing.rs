//! Row K6: SIGTERM lets mail in flight come to its end, and tells idle peers to come again.

use mailweir_tests::{
    gateway::{Gateway, Setup, mail},
    policy_service::{PolicyService, Said},
    sink::{Act, Point, Script, Sink},
};

#[tokio::test]
async fn k6_mail_on_its_way_in_is_taken_and_idle_sessions_hear_421() {
    let sink = Sink::start(Script::smtp()).await;
    let mut gateway = Gateway::start(&Setup::before(&sink)).await;
    let mut idle = gateway.connect().await;
    idle.greet().await;
    let mut busy = gateway.connect().await;
    busy.greet().await;
    busy.ask("MAIL FROM:<a@client.example>", "250 *").await;
    busy.ask("RCPT TO:<user@local.example>", "250 *").await;
    busy.ask("DATA", "354 *").await;
    busy.say("Subject: in flight").await;

    let stopping = gateway.begin_to_stop().await;
    idle.hear("421 4.3.2 gate.example Service shutting down - try again later").await;
    idle.expect_closed().await;
    busy.ask("\r\ntext\r\n.", "250 2.0.0 Ok: queued as *").await;
    busy.hear("421 4.3.2 *").await;
    busy.expect_closed().await;
    stopping.finished().await;
    gateway.start_again().await;
    assert!(sink.expect_one().await.text().contains("Subject: in flight"));
    gateway.queue().expect_empty().await;
    assert_eq!(sink.attempts().len(), 1, "{}", sink.transcript());
}

#[tokio::test]
async fn k6_a_stop_lets_no_mail_pass_by_a_policy_server() {
    let service = PolicyService::start(|_, question| match question.get("sender") {
        "bad@client.example" => Said::Action("550 5.7.1 not this one"),
        _ => Said::Action("DUNNO"),
    })
    .await;
    let list = format!(
        "end_of_data = [\"check_policy_service {{ {}, default_action = DUNNO }}\"]",
        service.name()
    );
    let sink = Sink::start(Script::smtp()).await;
    let mut gateway = Gateway::start(&Setup::before(&sink).section("restrictions", &list)).await;
    let mut peers = Vec::new();
    for (sender, reply) in [("bad", "550 5.7.1 *not this one"), ("good", "250 2.0.0 Ok: *")] {
        let mut peer = gateway.connect().await;
        peer.greet().await;
        peer.ask(&format!("MAIL FROM:<{sender}@client.example>"), "250 *").await;
        peer.ask("RCPT TO:<user@local.example>", "250 *").await;
        peer.ask("DATA", "354 *").await;
        peers.push((peer, reply));
    }
    let stopping = gateway.begin_to_stop().await;
    for (mut peer, reply) in peers {
        peer.ask("Subject: x\r\n\r\ntext\r\n.", reply).await;
        peer.hear("421 4.3.2 *").await;
    }
    stopping.finished().await;
    assert_eq!(service.questions().len(), 2);
    gateway.start_again().await;
    assert_eq!(sink.expect_one().await.sender(), "good@client.example");
}

#[tokio::test]
async fn k6_mail_on_its_way_out_is_delivered_once() {
    let kept = "connection_cache_time_limit = \"60s\"";
    let sink = Sink::start(Script::smtp()).await;
    let mut gateway = Gateway::start(&Setup::before(&sink).section("smtp", kept)).await;
    let _ = gateway.submit(mail()).await.expect_accepted();
    sink.expect_attempts(1).await;
    gateway.restart().await;
    gateway.queue().expect_empty().await;
    assert_eq!(sink.attempts().len(), 1, "{}", sink.transcript());
    assert_eq!(sink.commands(0).last().unwrap(), "QUIT", "connections are closed politely");
}

#[tokio::test]
async fn k6_a_delivery_that_hangs_does_not_hold_the_stop_up_for_ever() {
    let sink = Sink::start(Script::smtp().at(Point::Mail, Act::Hang)).await;
    let mut gateway = Gateway::start(&Setup::before(&sink)).await;
    let _ = gateway.submit(mail()).await.expect_accepted();
    sink.expect_command("MAIL").await;
    let stopping = gateway.begin_to_stop().await;
    tokio::time::pause();
    tokio::time::advance(std::time::Duration::from_secs(25)).await;
    tokio::time::resume();
    stopping.finished().await;
    gateway.log().expect("some work was cut off").await;
}
