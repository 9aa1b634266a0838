//! Row K2: the next hop takes one recipient, refuses one, and puts one off.

use mailweir_mail::QueueId;
use mailweir_tests::{
    gateway::{Gateway, Setup, mail},
    sink::{Point, Script, Sink},
};

#[tokio::test]
async fn of_three_recipients_one_is_delivered_one_bounced_and_one_tried_again() {
    let script = Script::smtp()
        .replying_for("gone@local.example", Point::Rcpt, "550 5.1.1 No such user")
        .replying_for("busy@local.example", Point::Rcpt, "450 4.2.1 Mailbox busy");
    let sink = Sink::start(script).await;
    let gateway = Gateway::start(&Setup::before(&sink)).await;
    let three = ["here@local.example", "gone@local.example", "busy@local.example"];
    let mail = three.iter().fold(mail(), |mail, to| mail.to(to));
    let id = gateway.submit(mail).await.expect_accepted();
    let log = gateway.log();
    log.expect(&format!("{id}: to=<{}>*dsn=2.0.0, status=sent (250 2.0.0", three[0])).await;
    log.expect(&format!("{id}: to=<{}>*dsn=5.1.1, status=bounced (550 5.1.1", three[1])).await;
    log.expect(&format!("{id}: to=<{}>*dsn=4.2.1, status=deferred (450 4.2.1", three[2])).await;
    log.expect(&format!("{id}: sender non-delivery notification: ")).await;
    expect_waiting(&gateway, id, three[2]).await;

    // The report may have had a connection of its own.
    sink.expect_ended(sink.connections()).await;
    sink.change(Script::smtp());
    gateway.queue().flush().await;
    log.expect(&format!("{id}: to=<{}>*status=sent", three[2])).await;
    gateway.queue().expect_empty().await;
    for to in three {
        let finals = log.count(&format!("{id}: to=<{to}>*status=sent"))
            + log.count(&format!("{id}: to=<{to}>*status=bounced"));
        assert_eq!(finals, 1, "{to}\n{log}");
    }
    let arrived = sink.attempts();
    let times = |to| arrived.iter().filter(|mail| mail.recipients().contains(&to)).count();
    assert_eq!(three.map(times), [1, 0, 1]);
}

/// Only the recipient that was put off is left in the queue.
async fn expect_waiting(gateway: &Gateway, id: QueueId, recipient: &str) {
    let entry = gateway.queue().show(id).await.entry;
    let waiting: Vec<&str> = entry.recipients.iter().map(|left| &*left.address).collect();
    assert_eq!(waiting, [recipient]);
    assert!(entry.recipients[0].delay_reason.as_deref().unwrap().contains("Mailbox busy"));
}
