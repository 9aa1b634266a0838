//! The scripted mail server itself: what it claims to do, a client without mercy sees it do.

#![allow(clippy::unwrap_used, reason = "a test")]

use mailweir_tests::sink::{Act, Outcome, Point, Script, Sink};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

#[tokio::test]
async fn a_mail_is_recorded_to_the_byte() {
    let sink = Sink::start(Script::smtp()).await;
    let dialogue = "EHLO client.test\r\nMAIL FROM:<a@a.test> SIZE=9\r\nRCPT TO:<b@b.test>\r\n\
                    DATA\r\n..dot\r\nline\r\n.\r\nQUIT\r\n";
    let replies = talk(&sink, dialogue).await;
    assert!(replies.starts_with("220 sink.test ESMTP\r\n250-sink.test\r\n250-PIPELINING\r\n"));
    assert!(replies.ends_with("250 2.0.0 Ok: queued as SINK\r\n221 2.0.0 Bye\r\n"));
    let mail = sink.expect_one().await;
    assert_eq!((mail.hello.as_str(), mail.sender()), ("client.test", "a@a.test"));
    assert_eq!(mail.mail, "FROM:<a@a.test> SIZE=9");
    assert_eq!(mail.recipients(), ["b@b.test"]);
    assert_eq!(mail.wire, b"..dot\r\nline\r\n.\r\n");
    assert_eq!(mail.text(), ".dot\r\nline\r\n");
    sink.expect_ended(1).await;
    assert_eq!(sink.bytes(0), dialogue.as_bytes());
    assert_eq!(sink.commands(0).last().unwrap(), "QUIT");
}

#[tokio::test]
async fn only_cr_lf_dot_cr_lf_ends_the_content() {
    let sink = Sink::start(Script::smtp()).await;
    talk(&sink, &mail_to(&["b@b.test"], "a\n.\r\nb\r\n.\nc\r\n")).await;
    let mail = sink.expect_one().await;
    assert_eq!(mail.wire, b"a\n.\r\nb\r\n.\nc\r\n.\r\n");
    assert_eq!(mail.content(), b"a\n.\r\nb\r\n\nc\r\n");
}

#[tokio::test]
async fn recipients_are_answered_one_by_one() {
    let script = Script::smtp()
        .replying_for("later@b.test", Point::Rcpt, "450 4.2.0 Later")
        .replying_for("never@b.test", Point::Rcpt, "550 5.1.1 Never");
    let sink = Sink::start(script).await;
    let replies =
        talk(&sink, &mail_to(&["ok@b.test", "later@b.test", "never@b.test"], "x\r\n")).await;
    assert!(replies.contains("250 2.1.5 Ok\r\n450 4.2.0 Later\r\n550 5.1.1 Never\r\n354 "));
    assert_eq!(sink.expect_one().await.recipients(), ["ok@b.test"]);
}

#[tokio::test]
async fn lmtp_answers_the_dot_for_each_recipient() {
    let script = Script::lmtp().replying_for("full@b.test", Point::Dot, "452 4.2.2 Full");
    let sink = Sink::start(script).await;
    let dialogue = mail_to(&["ok@b.test", "full@b.test"], "x\r\n").replace("EHLO", "LHLO");
    let replies = talk(&sink, &dialogue).await;
    assert!(replies.contains("\r\n250 2.1.5 Ok\r\n452 4.2.2 Full\r\n221 "), "{replies}");
    let mail = sink.expect_one().await;
    assert_eq!(mail.outcome, Outcome::Accepted(vec!["ok@b.test".into()]));
}

#[tokio::test]
async fn every_point_can_refuse() {
    for point in [
        Point::Connect,
        Point::Hello,
        Point::Mail,
        Point::Rcpt,
        Point::Data,
        Point::Dot,
        Point::Quit,
    ] {
        let sink = Sink::start(Script::smtp().replying(point, "451 4.3.0 Not now")).await;
        let replies = talk(&sink, &mail_to(&["b@b.test"], "x\r\n")).await;
        assert!(replies.contains("451 4.3.0 Not now\r\n"), "{point:?}: {replies}");
    }
}

#[tokio::test]
async fn every_point_can_end_the_connection() {
    for point in [Point::Connect, Point::Hello, Point::Mail, Point::Rcpt, Point::Data, Point::Dot] {
        let close = Act::Close("421 4.3.2 Shutting down".into());
        let sink = Sink::start(Script::smtp().at(point, close)).await;
        let replies = talk(&sink, &mail_to(&["b@b.test"], "x\r\n")).await;
        assert!(replies.ends_with("421 4.3.2 Shutting down\r\n"), "{point:?}: {replies}");
        let sink = Sink::start(Script::smtp().at(point, Act::Drop)).await;
        talk(&sink, &mail_to(&["b@b.test"], "x\r\n")).await;
        sink.expect_ended(1).await;
    }
}

#[tokio::test]
async fn k1_a_dot_may_stay_without_an_answer_or_have_two() {
    let hang = Script::smtp().at(Point::Dot, Act::Hang);
    let drop = Script::smtp().at(Point::Dot, Act::Drop);
    let twice = Script::smtp().at(Point::Dot, Act::ReplyTwice("250 2.0.0 Ok".into()));
    let sink = Sink::start_with(vec![hang, drop, twice]).await;
    for _ in 0..2 {
        let replies = talk(&sink, &mail_to(&["b@b.test"], "x\r\n")).await;
        assert!(replies.contains("\r\n354 ") && !replies.contains("queued"), "{replies}");
    }
    let replies = talk(&sink, &mail_to(&["b@b.test"], "x\r\n")).await;
    assert!(replies.contains("250 2.0.0 Ok\r\n250 2.0.0 Ok\r\n"), "{replies}");
    sink.expect_one().await;
    let outcomes: Vec<Outcome> = sink.attempts().into_iter().map(|mail| mail.outcome).collect();
    assert_eq!(outcomes[..2], [Outcome::Unanswered, Outcome::Unanswered]);
    assert_eq!(sink.connections(), 3);
}

#[tokio::test]
async fn passwords_are_asked_for_and_believed() {
    let sink = Sink::start(Script::smtp().offering(&["AUTH PLAIN LOGIN"])).await;
    let replies = talk(&sink, "EHLO c\r\nAUTH LOGIN\r\ndQ==\r\ncA==\r\nQUIT\r\n").await;
    assert!(
        replies.contains("250 AUTH PLAIN LOGIN\r\n334 VXNlcm5hbWU6\r\n334 UGFzc3dvcmQ6\r\n235 ")
    );
    assert_eq!(sink.commands(0), ["EHLO c", "AUTH LOGIN", "dQ==", "cA==", "QUIT"]);
    sink.expect_nothing();
}

#[tokio::test]
async fn commands_out_of_order_are_refused() {
    let sink = Sink::start(Script::smtp()).await;
    let replies =
        talk(&sink, "MAIL FROM:<>\r\nLHLO c\r\nRCPT TO:<a@b>\r\nDATA\r\nWHAT\r\nQUIT\r\n").await;
    let codes: Vec<&str> = replies.lines().map(|line| &line[..3]).collect();
    assert_eq!(codes, ["220", "503", "500", "503", "554", "500", "221"]);
}

fn mail_to(recipients: &[&str], content: &str) -> String {
    let rcpt: String = recipients.iter().map(|to| format!("RCPT TO:<{to}>\r\n")).collect();
    format!("EHLO client.test\r\nMAIL FROM:<>\r\n{rcpt}DATA\r\n{content}.\r\nQUIT\r\n")
}

/// Sends everything at once, says that nothing more will come, and returns all replies.
async fn talk(sink: &Sink, dialogue: &str) -> String {
    let mut stream = TcpStream::connect(sink.address()).await.unwrap();
    let _may_be_gone = stream.write_all(dialogue.as_bytes()).await;
    let _may_be_gone = stream.shutdown().await;
    let mut replies = Vec::new();
    let _may_be_reset = stream.read_to_end(&mut replies).await;
    String::from_utf8(replies).unwrap()
}
