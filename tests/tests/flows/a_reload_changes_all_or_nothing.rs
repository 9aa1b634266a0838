//! Row K4: another configuration is taken as a whole or not at all, and no session is lost.

use mailweir_tests::{
    gateway::{Gateway, Setup, mail},
    sink::{Script, Sink},
};

#[tokio::test]
async fn k4_listeners_domains_and_routes_change_and_sessions_go_on() {
    let (old, new) = (Sink::start(Script::smtp()).await, Sink::start(Script::smtp()).await);
    let mut gateway = Gateway::start(&Setup::before(&old)).await;
    let mut session = gateway.connect().await;
    session.greet().await;
    session.ask("MAIL FROM:<a@client.example>", "250 *").await;

    let changed = Setup::before(&new)
        .serving("new.example")
        .listener("mx", "mode = \"mx\"")
        .listener("second", "mode = \"mx\"");
    gateway.reload(&changed).await.unwrap();
    gateway.log().expect("configuration reloaded").await;
    session.ask("RCPT TO:<user@local.example>", "250 *").await;
    session.ask("RCPT TO:<user@new.example>", "554 5.7.1 *").await;
    session.ask("DATA", "354 *").await;
    session.ask("x\r\n.", "250 *").await;

    let mut second = gateway.connect_to("second").await;
    second.greet().await;
    let _ = second.send(&mail().to("user@new.example")).await.expect_accepted();
    gateway.submit(mail().to("user@local.example")).await.expect_refused("554 5.7.1 *");
    assert_eq!(new.expect(2).await.len(), 2, "all mail takes the new route");
    old.expect_nothing();
}

#[tokio::test]
async fn k4_a_listener_that_is_gone_takes_no_more_connections() {
    let sink = Sink::start(Script::smtp()).await;
    let two = Setup::before(&sink).listener("mx", "mode = \"mx\"");
    let two = two.listener("second", "mode = \"mx\"");
    let mut gateway = Gateway::start(&two).await;
    let second = gateway.address("second");
    let mut session = gateway.connect_to("second").await;
    session.greet().await;
    gateway.reload(&Setup::before(&sink)).await.unwrap();
    mailweir_tests::wait::until_true("a closed port", async || {
        tokio::net::TcpStream::connect(second).await.is_err()
    })
    .await;
    let _ = session.send(&mail()).await.expect_accepted();
    sink.expect_one().await;
}

#[tokio::test]
async fn k4_a_bad_configuration_changes_nothing_and_the_log_says_why() {
    let sink = Sink::start(Script::smtp()).await;
    let mut gateway = Gateway::start(&Setup::before(&sink)).await;
    let typo = Setup::before(&sink).serving("new.example").section("queue", "queue_minfre = 0");
    let unknown = Setup::before(&sink).serving("new.example").listener("mx", "mode = \"submit\"");
    for (bad, why) in [(typo, "queue_minfre"), (unknown, "mode")] {
        let error = gateway.reload(&bad).await.unwrap_err();
        assert!(error.contains(why), "{error}");
        let line = gateway.log().expect("warning: configuration not reloaded").await;
        assert!(line.contains("the old one stays in force"), "{line}");
    }
    gateway.submit(mail().to("user@new.example")).await.expect_refused("554 5.7.1 *");
    let _ = gateway.submit(mail()).await.expect_accepted();
    sink.expect_one().await;
}
