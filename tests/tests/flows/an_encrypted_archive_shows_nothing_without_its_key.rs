//! The archive lies on a disk that others get to see, and its key does not.

use std::fs;

use mailweir_tests::{
    gateway::{Archive, Gateway, Mail, Setup, mail},
    sink::{Script, Sink},
};

#[tokio::test]
async fn words_of_a_mail_stand_nowhere_and_with_the_key_it_is_there() {
    let sink = Sink::start(Script::smtp()).await;
    let archive = Archive::encrypted();
    let setup = Setup::before(&sink).section("archive", &archive.section());
    let gateway = Gateway::start(&setup).await;
    gateway.log().expect("can be read by others than its owner: chmod 600").await;
    let small = gateway.accept(secret("")).await;
    // One that is too large to be kept in memory.
    let line = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789\r\n";
    let large = gateway.accept(secret(&line.repeat(40_000))).await;
    for (id, least) in [(small, 40), (large, 2_000_000)] {
        let found = archive.expect_ended(id).await;
        assert_eq!(found.capture.envelope.recipients[0].address.as_str(), "elder@local.example");
        let content = String::from_utf8(found.content).unwrap();
        assert!(content.contains("swordfish") && content.len() > least);
    }
    assert_eq!(archive.expect_sound(), 4);
    for words in ["swordfish", "elder@local.example", "sworn@local.example"] {
        assert!(!archive.has_in_the_clear(words), "{words}");
    }
    sink.expect(2).await;
}

/// Somebody has taken the key out of the configuration, or has brought another one.
#[tokio::test]
async fn without_its_key_it_is_not_written_and_mail_is_deferred() {
    let sink = Sink::start(Script::smtp()).await;
    let archive = Archive::encrypted();
    let setup = |section: &str| Setup::before(&sink).section("archive", section);
    let mut gateway = Gateway::start(&setup(&archive.section())).await;
    let first = gateway.accept(secret("")).await;
    archive.expect_ended(first).await;
    gateway.stop().await;

    gateway.configure(&setup(&archive.without_key()));
    gateway.start_again().await;
    gateway
        .log()
        .expect("ALARM: archive: * is encrypted, and no key file is given; new mail is deferred")
        .await;
    gateway.submit(secret("")).await.expect_refused("451 4.3.0 *");
    gateway.stop().await;

    let key = fs::read_to_string(archive.key_file()).unwrap();
    fs::write(archive.key_file(), "77".repeat(32)).unwrap();
    gateway.configure(&setup(&archive.section()));
    gateway.start_again().await;
    gateway
        .log()
        .expect("ALARM: archive: * the key file does not have that one; new mail is deferred")
        .await;
    gateway.stop().await;

    // With the old key behind the new one, both are good.
    fs::write(archive.key_file(), format!("{}\n{key}\n", "77".repeat(32))).unwrap();
    gateway.configure(&setup(&archive.section()));
    gateway.start_again().await;
    let second = gateway.accept(secret("")).await;
    let archive = archive.with_key(&"77".repeat(32));
    archive.expect_ended(second).await;
    archive.expect_ended(first).await;
    assert_eq!(archive.expect_sound(), 4);
}

fn secret(more: &str) -> Mail {
    let content = format!("Subject: what nobody may know\r\n\r\nThe word is swordfish.\r\n{more}");
    mail().from("sworn@local.example").to("elder@local.example").content(content)
}
