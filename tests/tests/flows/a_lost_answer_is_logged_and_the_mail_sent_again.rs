//! Row K1, promise 2: a mail is sent twice only if the answer to its final dot was lost.

use mailweir_mail::QueueId;
use mailweir_tests::{
    gateway::{Gateway, Setup, mail},
    sink::{Act, Outcome, Point, Script, Sink},
};

#[tokio::test]
async fn k1_a_peer_that_hangs_up_after_the_dot_gets_the_mail_once_more_and_the_log_says_so() {
    expect_sent_twice(Act::Drop).await;
}

#[tokio::test]
async fn k1_a_peer_that_says_nothing_after_the_dot_gets_the_mail_once_more() {
    expect_sent_twice(Act::Hang).await;
}

#[tokio::test]
async fn k1_a_peer_that_answers_the_dot_twice_gets_each_mail_once() {
    let twice = Script::smtp().at(Point::Dot, Act::ReplyTwice("250 2.0.0 Ok".into()));
    let sink = Sink::start(twice).await;
    let kept = "connection_cache_time_limit = \"2s\"";
    let gateway = Gateway::start(&Setup::before(&sink).section("smtp", kept)).await;
    for to in ["one@local.example", "two@local.example"] {
        let _ = gateway.submit(mail().to(to)).await.expect_accepted();
        gateway.queue().expect_empty().await;
    }
    assert_eq!(sink.attempts().len(), 2, "{}", sink.transcript());
    gateway.log().expect_none("message may be sent more than once");
}

#[tokio::test]
async fn k1_a_mail_put_off_after_the_dot_is_tried_once_in_each_turn() {
    let sink = Sink::start(Script::smtp().replying(Point::Dot, "451 4.3.0 Later")).await;
    let gateway = Gateway::start(&Setup::before(&sink)).await;
    let id = gateway.submit(mail()).await.expect_accepted();
    expect_put_off(&gateway, id).await;
    assert_eq!(sink.attempts().len(), 1);
    sink.expect_ended(1).await;
    sink.change(Script::smtp());
    gateway.queue().flush().await;
    sink.expect_one().await;
    gateway.queue().expect_empty().await;
    assert_eq!(sink.attempts().len(), 2, "{}", sink.transcript());
    gateway.log().expect_none("message may be sent more than once");
}

async fn expect_sent_twice(act: Act) {
    let sink = Sink::start_with(vec![Script::smtp().at(Point::Dot, act), Script::smtp()]).await;
    let patience = "data_done_timeout = \"100ms\"";
    let gateway = Gateway::start(&Setup::before(&sink).section("smtp", patience)).await;
    let id = gateway.submit(mail()).await.expect_accepted();
    expect_put_off(&gateway, id).await;
    gateway.log().expect(&format!("{id}: *message may be sent more than once")).await;
    gateway.queue().flush().await;
    let second = sink.expect_one().await;
    gateway.queue().expect_empty().await;
    let attempts = sink.attempts();
    assert_eq!(attempts.len(), 2, "{}", sink.transcript());
    assert_eq!(attempts[0].outcome, Outcome::Unanswered);
    assert_eq!(attempts[0].content(), second.content(), "the same to the last byte");
}

async fn expect_put_off(gateway: &Gateway, id: QueueId) {
    gateway.log().expect(&format!("{id}: to=<user@local.example>*status=deferred")).await;
}
