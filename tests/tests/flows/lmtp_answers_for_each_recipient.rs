//! Row K2 over LMTP: after the dot each recipient has an answer of its own (RFC 2033).

use mailweir_tests::{
    gateway::{Gateway, Setup, mail},
    sink::{Point, Script, Sink},
};

#[tokio::test]
async fn k2_each_recipient_becomes_what_lmtp_says_of_it() {
    let script = Script::lmtp()
        .replying_for("full@local.example", Point::Dot, "452 4.2.2 Mailbox full")
        .replying_for("gone@local.example", Point::Dot, "550 5.1.1 No such mailbox");
    let lmtp = Sink::start(script).await;
    let rest = Sink::start(Script::smtp()).await;
    let setup = Setup::default()
        .route("local.example", &format!("lmtp://{}", lmtp.address()), "")
        .route("*", &format!("smtp://{}", rest.address()), "");
    let gateway = Gateway::start(&setup).await;
    let mail = mail().to("here@local.example").to("full@local.example").to("gone@local.example");
    let id = gateway.submit(mail).await.expect_accepted();
    for (to, outcome) in [
        ("here", "dsn=2.1.5, status=sent (250 "),
        ("full", "dsn=4.2.2, status=deferred (452 4.2.2 "),
        ("gone", "dsn=5.1.1, status=bounced (550 5.1.1 "),
    ] {
        gateway.log().expect(&format!("{id}: to=<{to}@local.example>*{outcome}")).await;
    }
    assert!(rest.expect_one().await.text().contains("Final-Recipient: rfc822; gone@"));
    assert!(lmtp.commands(0)[0].starts_with("LHLO gate.example"));

    lmtp.expect_ended(1).await;
    lmtp.change(Script::lmtp());
    gateway.queue().flush().await;
    gateway.queue().expect_empty().await;
    assert_eq!(lmtp.expect(2).await[1].recipients(), ["full@local.example"]);
}

#[tokio::test]
async fn mail_comes_in_by_lmtp_with_one_answer_for_each_recipient() {
    let sink = Sink::start(Script::smtp()).await;
    let lines = "mode = \"lmtp\"\nnetworks = [\"127.0.0.1\"]";
    let gateway = Gateway::start(&Setup::before(&sink).listener("lmtp", lines)).await;
    let mut peer = gateway.connect().await;
    peer.hear("220 gate.example LMTP *").await;
    peer.ask("LHLO client.example", "250 *").await;
    peer.ask("MAIL FROM:<a@client.example>", "250 *").await;
    peer.ask("RCPT TO:<one@other.example>", "250 *").await;
    peer.ask("RCPT TO:<two@other.example>", "250 *").await;
    peer.ask("DATA", "354 *").await;
    peer.ask("x\r\n.", "250 2.0.0 Ok: queued as *").await;
    peer.hear("250 2.0.0 Ok: queued as *").await;
    let arrived = sink.expect_one().await;
    assert_eq!(arrived.recipients(), ["one@other.example", "two@other.example"]);
}
