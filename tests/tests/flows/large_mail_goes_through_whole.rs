//! Row A10: large mail is streamed, and what is too large is refused as early as can be.

use mailweir_tests::{
    gateway::{Gateway, Setup, mail},
    sink::{Act, Point, Script, Sink},
};

#[tokio::test]
async fn a10_twenty_megabytes_arrive_byte_by_byte() {
    let sink = Sink::start(Script::smtp()).await;
    let limits = "message_size_limit = \"30 MB\"";
    let gateway = Gateway::start(&Setup::before(&sink).section("limits", limits)).await;
    let content = large(20_000_000);
    let id = gateway.submit(mail().content(&content)).await.expect_accepted();
    let arrived = sink.expect_one().await.content();
    assert!(arrived.ends_with(&content), "{id} arrived otherwise than it came");
    gateway.queue().expect_empty().await;
}

#[tokio::test]
async fn a10_mail_over_the_limit_is_refused_and_leaves_nothing_behind() {
    let sink = Sink::start(Script::smtp()).await;
    let limits = "message_size_limit = \"100 kB\"";
    let gateway = Gateway::start(&Setup::before(&sink).section("limits", limits)).await;
    let announced = mail().saying("SIZE=100001");
    gateway.submit(announced).await.expect_refused("552 5.3.4 *");
    gateway.submit(mail().content(large(200_000))).await.expect_refused("552 5.3.4 *");
    let mut peer = gateway.connect().await;
    peer.greet().await;
    peer.ask("MAIL FROM:<a@client.example>", "250 *").await;
    peer.ask("RCPT TO:<user@local.example>", "250 *").await;
    peer.say("BDAT 200000 LAST").await;
    peer.write(&large(200_000)[..200_000]).await;
    peer.hear("552 5.3.4 Chunk exceeds message size limit").await;
    peer.leave().await;
    assert!(gateway.queue().list().await.is_empty());
    let _ = gateway.submit(mail().content(large(90_000))).await.expect_accepted();
    sink.expect_one().await;
}

#[tokio::test]
async fn a10_a_next_hop_that_refuses_in_the_midst_of_the_content_is_heard() {
    let refusal = Act::CutShort("552 5.3.4 Too large for us".into());
    let sink =
        Sink::start_with(vec![Script::smtp().at(Point::Data, refusal), Script::smtp()]).await;
    let limits = "message_size_limit = \"30 MB\"";
    let gateway = Gateway::start(&Setup::before(&sink).section("limits", limits)).await;
    let id = gateway.submit(mail().content(large(20_000_000))).await.expect_accepted();
    gateway.log().expect(&format!("{id}: to=*status=bounced*552 5.3.4 Too large for us*")).await;
}

/// At least so many bytes, in lines that are all different.
fn large(bytes: usize) -> Vec<u8> {
    let mut content = b"Subject: large\r\n\r\n".to_vec();
    for line in 0_usize.. {
        if content.len() >= bytes {
            break;
        }
        let width = 10 + line % 900;
        content.extend_from_slice(format!("{line:>width$}\r\n").as_bytes());
    }
    content
}
