//! Promise 5; rows E9 and E11: the bytes of a mail leave as they came, below one new header.

use mailweir_tests::{
    gateway::{Gateway, Setup, mail},
    sink::{Script, Sink},
};

#[tokio::test]
async fn accepted_mail_is_relayed_with_one_header_on_top_and_else_as_it_came() {
    let sink = Sink::start(Script::smtp()).await;
    let gateway = Gateway::start(&Setup::before(&sink)).await;
    let content =
        b"Subject: dots and 8 bits\r\nX-Odd:\t \r\n\r\n.\r\n..two\r\n.\x80\xff\r\n\r\n ".to_vec();
    let content = [content, b"x".repeat(997), b"\r\nend\r\n".to_vec()].concat();
    let id = gateway.submit(mail().content(&content)).await.expect_accepted();
    let relayed = sink.expect_one().await.content();
    let body = relayed.strip_suffix(&content[..]).expect("the content as it came");
    let header = String::from_utf8(body.to_vec()).unwrap();
    assert!(header.starts_with("Received: from client.example (unknown [127.0.0.1])\r\n"));
    assert!(header.contains(&format!("by gate.example (Mailweir) with ESMTP id {id}\r\n")));
    assert!(header.contains("for <user@local.example>; "));
    gateway.queue().expect_empty().await;
    gateway.log().expect(&format!("{id}: removed")).await;
}
