//! Held mail goes nowhere, whatever else happens, until a person releases it.

use mailweir::control::operation::Place;
use mailweir_mail::QueueId;
use mailweir_tests::{
    gateway::{Gateway, Setup, mail},
    sink::{Point, Script, Sink},
};

#[tokio::test]
async fn neither_a_flush_nor_a_restart_sends_held_mail_and_a_release_does() {
    let (mut gateway, sink, id) = held_mail().await;
    sink.change(Script::smtp());
    gateway.queue().flush().await;
    let other = gateway.submit(mail().to("other@local.example")).await.expect_accepted();
    gateway.log().expect(&format!("{other}: removed")).await;
    gateway.restart().await;
    gateway.queue().flush().await;
    gateway.queue().expect(id, Place::Hold).await;
    assert_eq!(
        gateway.queue().show(id).await.entry.hold_reason.unwrap().as_str(),
        "by hand (operator)"
    );
    assert_eq!(sink.expect_one().await.recipients(), ["other@local.example"]);

    gateway.queue().release(id).await;
    gateway.log().expect(&format!("{id}: released from hold (operator)")).await;
    assert_eq!(sink.expect(2).await[1].recipients(), ["user@local.example"]);
    gateway.queue().expect_empty().await;
}

#[tokio::test]
async fn held_mail_can_be_deleted_and_never_leaves_then() {
    let (mut gateway, sink, id) = held_mail().await;
    sink.change(Script::smtp());
    gateway.queue().delete(id).await;
    gateway.log().expect(&format!("{id}: removed (operator)")).await;
    gateway.queue().expect_empty().await;
    gateway.restart().await;
    gateway.queue().expect_empty().await;
    sink.expect_nothing();
}

#[tokio::test]
async fn requeued_mail_starts_over_at_once() {
    let (gateway, sink, id) = held_mail().await;
    sink.change(Script::smtp());
    gateway.queue().requeue(id).await;
    gateway.log().expect(&format!("{id}: requeued (operator)")).await;
    sink.expect_one().await;
    gateway.queue().expect_empty().await;
}

/// A gateway with a mail on hold that nobody has seen yet.
async fn held_mail() -> (Gateway, Sink, QueueId) {
    let sink = Sink::start(Script::smtp().replying(Point::Mail, "450 4.0.0 Not yet")).await;
    let gateway = Gateway::start(&Setup::before(&sink)).await;
    let id = gateway.submit(mail()).await.expect_accepted();
    gateway.queue().expect(id, Place::Deferred).await;
    sink.expect_ended(1).await;
    gateway.queue().hold(id).await;
    gateway.queue().expect(id, Place::Hold).await;
    (gateway, sink, id)
}
