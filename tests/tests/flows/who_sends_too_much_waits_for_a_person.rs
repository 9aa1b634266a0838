//! Row C6: an account that sends more than it may is slowed down, and nothing it sent is lost.

use mailweir::control::operation::Place;
use mailweir_tests::{
    gateway::{Gateway, Peer, Setup, USER, USER_PASSWORD, mail},
    sink::{Script, Sink},
};

#[tokio::test]
async fn over_the_soft_limit_mail_is_held_until_released_and_over_the_hard_one_put_off() {
    let lines = "messages_per_hour_soft = 1\nmessages_per_hour_hard = 2";
    let (mut gateway, sink) = limited(lines).await;
    let mut alice = logged_in(&gateway).await;
    alice.send(&mail().to("first@local.example")).await.expect_accepted();
    let held = alice.send(&mail().to("second@local.example")).await.expect_accepted();
    let enough = "450 4.7.1 <alice>: Login name rejected: more than 2 messages in an hour, *";
    alice.send(&mail().to("third@local.example")).await.expect_refused(enough);
    // It is the login that has sent enough, not the session.
    logged_in(&gateway).await.send(&mail()).await.expect_refused(enough);
    alice.leave().await;

    assert_eq!(sink.expect_one().await.recipients(), ["first@local.example"]);
    gateway.queue().expect(held, Place::Hold).await;
    let reason = gateway.queue().show(held).await.entry.hold_reason.unwrap();
    let expected = format!(
        "alice has sent more than 1 messages in an hour (auth.limits.messages_per_hour_soft); \
         `mailweir queue release {held}` sends it on"
    );
    assert_eq!(reason.as_str(), expected);
    let line = format!("{held}: hold: END-OF-MESSAGE from unknown[127.0.0.1]: alice has sent more");
    gateway.log().expect(&line).await;

    gateway.queue().release(held).await;
    assert_eq!(sink.expect(2).await[1].recipients(), ["second@local.example"]);
    // A restart forgets what was sent.
    gateway.restart().await;
    let mut alice = logged_in(&gateway).await;
    alice.send(&mail().to("fourth@local.example")).await.expect_accepted();
    sink.expect(3).await;
}

#[tokio::test]
async fn a_mail_that_is_refused_does_not_count_and_recipients_count_each() {
    let (gateway, sink) = limited("recipients_per_day_hard = 3\nmessages_per_day_hard = 2").await;
    let mut alice = logged_in(&gateway).await;
    for _ in 0..3 {
        let mut circling = mail();
        for hop in 0..60 {
            circling = circling.header(&format!("Received: by hop{hop}.example"));
        }
        alice.send(&circling).await.expect_refused("554 5.4.6 *");
    }
    let two = mail().to("a@local.example").to("b@local.example");
    alice.send(&two).await.expect_accepted();
    alice.ask("MAIL FROM:<alice@local.example>", "250 *").await;
    alice.ask("RCPT TO:<c@local.example>", "250 *").await;
    let enough = "450 4.7.1 <alice>: Login name rejected: more than 3 recipients in a day, *";
    alice.ask("RCPT TO:<d@local.example>", enough).await;
    alice.leave().await;
    assert_eq!(sink.expect_one().await.recipients(), ["a@local.example", "b@local.example"]);
}

#[tokio::test]
async fn sessions_side_by_side_do_not_get_more_than_one_after_the_other() {
    let (gateway, sink) = limited("messages_per_hour_hard = 1").await;
    let mut sessions = Vec::new();
    for _ in 0..3 {
        let mut alice = logged_in(&gateway).await;
        alice.ask("MAIL FROM:<alice@local.example>", "250 *").await;
        alice.ask("RCPT TO:<user@local.example>", "250 *").await;
        alice.ask("DATA", "354 *").await;
        sessions.push(alice);
    }
    let (mut taken, mut put_off) = (0, 0);
    for mut alice in sessions {
        let answer = alice.ask("text\r\n.", "*").await;
        taken += usize::from(answer.starts_with("250 2.0.0 "));
        put_off += usize::from(answer.starts_with("450 4.7.1 <alice>: "));
    }
    assert_eq!((taken, put_off), (1, 2));
    sink.expect_one().await;
}

async fn limited(limits: &str) -> (Gateway, Sink) {
    let sink = Sink::start(Script::smtp()).await;
    let listener = "mode = \"submission\"\ntls = \"none\"\nauth_in_clear = true";
    let setup = Setup::before(&sink).listener("submission", listener);
    let gateway = Gateway::start(&setup.section("auth.limits", limits)).await;
    (gateway, sink)
}

async fn logged_in(gateway: &Gateway) -> Peer {
    let mut alice = gateway.connect().await;
    alice.greet().await;
    alice.log_in(USER, USER_PASSWORD, "235 2.7.0 *").await;
    alice
}
