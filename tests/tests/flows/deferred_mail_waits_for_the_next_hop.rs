//! Row K3: the next hop is down; mail waits, over a restart too, and goes out when told.

use mailweir::control::operation::Place;
use mailweir_tests::{
    gateway::{Gateway, Setup, mail},
    sink::{Point, Script, Sink},
};

#[tokio::test]
async fn mail_for_a_next_hop_that_is_down_is_delivered_when_it_is_up_again() {
    let address = Sink::start(Script::smtp()).await.address();
    let mut gateway = Gateway::start(&Setup::to(&format!("smtp://{address}"), "")).await;
    let id = gateway.submit(mail()).await.expect_accepted();
    gateway
        .log()
        .expect(&format!("{id}: to=*relay=none*status=deferred (*Connection refused"))
        .await;
    gateway.queue().expect(id, Place::Deferred).await;
    gateway.restart().await;
    gateway.queue().expect(id, Place::Deferred).await;

    let sink = Sink::start_at(address, Script::smtp()).await;
    gateway.queue().flush().await;
    sink.expect_one().await;
    gateway.queue().expect_empty().await;
}

#[tokio::test]
async fn a_next_hop_that_refuses_to_talk_now_is_asked_again() {
    let sink = Sink::start(Script::smtp().replying(Point::Connect, "421 4.3.2 Too busy")).await;
    let gateway = Gateway::start(&Setup::before(&sink)).await;
    let id = gateway.submit(mail()).await.expect_accepted();
    gateway.log().expect(&format!("{id}: to=*status=deferred (*421 4.3.2 Too busy")).await;
    sink.expect_ended(1).await;
    sink.change(Script::smtp());
    gateway.queue().flush().await;
    sink.expect_one().await;
}
