//! Rows J5 and J11: no mail is taken that there is no room for, and nobody else has the queue.

use mailweir_tests::{
    gateway::{Gateway, Setup, mail},
    sink::{Script, Sink},
};

#[tokio::test]
async fn j5_without_room_mail_is_put_off_and_what_is_queued_still_leaves() {
    let address = Sink::start(Script::smtp()).await.address();
    let roomy = Setup::to(&format!("smtp://{address}"), "");
    let mut gateway = Gateway::start(&roomy).await;
    let id = gateway.submit(mail()).await.expect_accepted();
    gateway.log().expect(&format!("{id}: *status=deferred")).await;

    gateway.stop().await;
    gateway.configure(&roomy.section("queue", "queue_minfree = \"1000000 TB\""));
    gateway.start_again().await;
    gateway.submit(mail()).await.expect_refused("452 4.3.1 Insufficient system storage");
    let sink = Sink::start_at(address, Script::smtp()).await;
    gateway.queue().flush().await;
    sink.expect_one().await;
    gateway.queue().expect_empty().await;
}

#[tokio::test]
async fn j11_a_second_gateway_on_the_same_queue_does_not_start() {
    let sink = Sink::start(Script::smtp()).await;
    let gateway = Gateway::start(&Setup::before(&sink)).await;
    let error = gateway.expect_no_second().await;
    assert!(error.contains("another instance uses the queue"), "{error}");
    let _ = gateway.submit(mail()).await.expect_accepted();
    sink.expect_one().await;
}
