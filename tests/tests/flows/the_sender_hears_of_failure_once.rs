//! Rows D6 and D8: one report for a mail, from the null sender, and never a report about a report.

use mailweir_tests::{
    gateway::{Gateway, Setup, mail},
    sink::{Point, Received, Script, Sink},
};

#[tokio::test]
async fn a_bounce_arrives_at_the_sender_and_says_who_said_what() {
    let (gateway, sink) = gateway_before_refusing_sink("user@local.example").await;
    let mail = mail().saying("ENVID=QQ1 RET=HDRS").to("user@local.example");
    let id = gateway.submit(mail.asking("ORCPT=rfc822;old@local.example")).await.expect_accepted();
    let report = sink.expect_one().await;
    assert_eq!(report.mail, format!("FROM:<> SIZE={}", report.content().len()));
    assert_eq!(report.recipients(), ["sender@client.example"]);
    let text = report.text();
    for line in [
        "From: Mail Delivery System <MAILER-DAEMON@gate.example>",
        "To: <sender@client.example>",
        "Auto-Submitted: auto-replied",
        "Content-Type: multipart/report; report-type=delivery-status;",
        "Reporting-MTA: dns; gate.example",
        "Original-Envelope-Id: QQ1",
        &format!("X-Mailweir-Queue-ID: {id}"),
        "Original-Recipient: rfc822; old@local.example",
        "Final-Recipient: rfc822; user@local.example",
        "Action: failed",
        "Status: 5.1.1",
        "Diagnostic-Code: smtp; 550 5.1.1 No such user",
        "Subject: a mail",
    ] {
        assert!(text.lines().any(|found| found == line), "{line:?} is not in\n{text}");
    }
    assert!(!text.contains("\r\ntext\r\n"), "only the header was wanted\n{text}");
    gateway.queue().expect_empty().await;
}

#[tokio::test]
async fn d8_many_recipients_that_fail_together_make_one_report() {
    let script = Script::smtp()
        .replying_for("sender@client.example", Point::Rcpt, "250 2.1.5 Ok")
        .replying(Point::Rcpt, "550 5.7.1 Not for you");
    let sink = Sink::start(script).await;
    let gateway = Gateway::start(&Setup::before(&sink)).await;
    let mail = (0..120).fold(mail(), |mail, n| mail.to(&format!("user{n}@local.example")));
    let id = gateway.submit(mail).await.expect_accepted();
    let report = sink.expect_one().await.text();
    gateway.queue().expect_empty().await;
    sink.expect_one().await;
    assert_eq!(report.matches("Final-Recipient: ").count(), 120);
    assert!(report.len() < 100_000, "{} bytes", report.len());
    gateway.log().expect(&format!("{id}: sender non-delivery notification: ")).await;
    assert_eq!(gateway.log().count("sender non-delivery notification"), 1);
}

#[tokio::test]
async fn d6_a_report_that_cannot_be_delivered_makes_no_report() {
    let script = Script::smtp().replying(Point::Rcpt, "550 5.1.1 Nobody here");
    let sink = Sink::start(script).await;
    let gateway = Gateway::start(&Setup::before(&sink)).await;
    let from_nobody = gateway.submit(mail().from("")).await.expect_accepted();
    let from_somebody = gateway.submit(mail()).await.expect_accepted();
    gateway.log().expect_times(3, "status=bounced").await;
    gateway.queue().expect_empty().await;
    gateway.log().expect_times(1, &format!("{from_somebody}: sender non-delivery")).await;
    gateway.log().expect_none(&format!("{from_nobody}: sender non-delivery"));
    assert_eq!(gateway.log().count("sender non-delivery notification"), 1);
    sink.expect_nothing();
}

#[tokio::test]
async fn a_sender_whom_rules_lead_in_circles_hears_of_it_at_the_address_as_written() {
    let script = Script::smtp().replying_for("user@local.example", Point::Rcpt, "550 5.1.1 No");
    let sink = Sink::start(script).await;
    let rules = "virtual_alias_maps = [\"inline:{sender@client.example=sender+x@client.example}\"]\n\
                 recipient_delimiter = \"+\"\nvirtual_alias_recursion_limit = 5";
    let gateway = Gateway::start(&Setup::before(&sink).section("rewriting", rules)).await;
    let id = gateway.submit(mail()).await.expect_accepted();
    assert_eq!(sink.expect_one().await.recipients(), ["sender@client.example"]);
    let warned =
        format!("{id}: report goes to the sender's address as written: virtual_alias_maps");
    gateway.log().expect(&warned).await;
    gateway.queue().expect_empty().await;
}

#[tokio::test]
async fn who_asks_not_to_be_told_is_not_told() {
    let (gateway, sink) = gateway_before_refusing_sink("user@local.example").await;
    let mail = mail().to("user@local.example").asking("NOTIFY=NEVER");
    let id = gateway.submit(mail).await.expect_accepted();
    gateway.log().expect(&format!("{id}: *status=bounced")).await;
    gateway.queue().expect_empty().await;
    sink.expect_nothing();
}

#[tokio::test]
async fn mail_that_is_too_old_is_given_up_with_a_report() {
    let (gateway, sink) = {
        let script = Script::smtp().replying_for("user@local.example", Point::Rcpt, "450 4.2.0 No");
        let sink = Sink::start(script).await;
        let lifetime = "maximal_queue_lifetime = \"0s\"";
        (Gateway::start(&Setup::before(&sink).section("queue", lifetime)).await, sink)
    };
    let id = gateway.submit(mail()).await.expect_accepted();
    gateway.log().expect(&format!("{id}: *status=expired, returned to sender")).await;
    let report = sink.expect_one().await.text();
    assert!(report.contains("Action: failed\r\nStatus: 4.2.0\r\n"), "{report}");
}

#[tokio::test]
async fn success_is_reported_where_the_next_hop_cannot_do_it() {
    let offers = ["PIPELINING", "8BITMIME", "ENHANCEDSTATUSCODES"];
    let sink = Sink::start(Script::smtp().offering(&offers)).await;
    let gateway = Gateway::start(&Setup::before(&sink)).await;
    let mail = mail().to("user@local.example").asking("NOTIFY=SUCCESS,FAILURE");
    let _ = gateway.submit(mail).await.expect_accepted();
    let arrived = sink.expect(2).await;
    let report = only_report(&arrived);
    let text = report.text();
    assert!(text.contains("Action: relayed\r\nStatus: 2.0.0\r\n"), "{text}");
    assert_eq!(report.recipients(), ["sender@client.example"]);
}

#[tokio::test]
async fn what_a_sender_wants_to_hear_is_passed_on_to_a_next_hop_that_can_tell() {
    let sink = Sink::start(Script::smtp()).await;
    let gateway = Gateway::start(&Setup::before(&sink)).await;
    let mail = mail().saying("ENVID=QQ+2B1 RET=HDRS").to("user@local.example");
    let mail = mail.asking("NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;old@local.example");
    let _ = gateway.submit(mail).await.expect_accepted();
    let arrived = sink.expect_one().await;
    gateway.queue().expect_empty().await;
    assert!(arrived.mail.contains(" ENVID=QQ+2B1") && arrived.mail.contains(" RET=HDRS"));
    let wanted = "TO:<user@local.example> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;old@local.example";
    assert_eq!(arrived.rcpt, [wanted]);
    assert_eq!(sink.attempts().len(), 1, "the report is the next hop's business now");
}

async fn gateway_before_refusing_sink(refused: &str) -> (Gateway, Sink) {
    let script = Script::smtp().replying_for(refused, Point::Rcpt, "550 5.1.1 No such user");
    let sink = Sink::start(script).await;
    (Gateway::start(&Setup::before(&sink)).await, sink)
}

fn only_report(mails: &[Received]) -> &Received {
    let reports: Vec<&Received> = mails.iter().filter(|mail| mail.sender().is_empty()).collect();
    assert_eq!(reports.len(), 1);
    reports[0]
}
