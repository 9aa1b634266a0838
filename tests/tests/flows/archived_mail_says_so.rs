//! Mail that is archived goes on with a field that says so, if that is switched on, and whoever writes that
//! field is not believed. Row A3 of the mission.

use mailweir_moderation::case::{Actor, By, Command, Proof};
use mailweir_tests::{
    gateway::{Archive, Gateway, Setup, mail_to},
    sink::{Script, Sink},
};

#[tokio::test]
async fn a3_archived_mail_is_marked_as_it_goes_on_and_in_the_archive() {
    let (gateway, archive, sink) = start("mark = true", "").await;
    let id = gateway.accept(mail_to("user").content(FORGED)).await;
    let sent = sink.expect_one().await.content();
    let found = archive.expect_ended(id).await;
    assert_eq!(sent, found.content);
    assert_eq!(found.capture.size, sent.len() as u64);
    let text = String::from_utf8(sent).unwrap();
    assert!(text.starts_with("X-Archive-Status: Archived\r\nReceived: "), "{text}");
    let (header, body) = text.split_once("\r\n\r\n").unwrap();
    assert_eq!(header.to_ascii_lowercase().matches("archive-status").count(), 1, "{header}");
    assert!(header.ends_with("Subject: x\r\nTo: y"), "{header}");
    assert_eq!(body, "X-Archive-Status: in the text\r\n");
}

#[tokio::test]
async fn a3_what_is_left_out_of_the_archive_has_no_mark_however_large_it_is() {
    let rules = "[[archive.rule]]\nname = \"root\"\naction = \"skip\"\n\
                 recipients = [\"root@local.example\"]\n\
                 [[archive.rule]]\nname = \"large\"\naction = \"skip\"\nlarger_than = \"1 MiB\"\n";
    let (gateway, archive, sink) = start("mark = true", rules).await;
    let line = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789\r\n";
    let large = format!("{FORGED}{}", line.repeat(40_000));
    let ids = [
        gateway.accept(mail_to("root").content(FORGED)).await,
        gateway.accept(mail_to("user").content(&large)).await,
    ];
    for sent in sink.expect(2).await {
        let text = sent.text();
        assert!(text.starts_with("Received: "), "{}", &text[..100]);
        let (header, _) = text.split_once("\r\n\r\n").unwrap();
        assert!(!header.to_ascii_lowercase().contains("archive-status"), "{header}");
        assert!(header.ends_with("Subject: x\r\nTo: y"), "{header}");
    }
    gateway.queue().expect_empty().await;
    assert!(ids.iter().all(|id| archive.find(*id).is_none()));
}

/// It lies in a file of its own.
#[tokio::test]
async fn a3_a_large_mail_is_marked_like_any_other() {
    let (gateway, archive, sink) = start("mark = true", "").await;
    let line = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789\r\n";
    let large = format!("{FORGED}{}", line.repeat(40_000));
    let id = gateway.accept(mail_to("user").content(&large)).await;
    let sent = sink.expect_one().await.content();
    assert!(archive.expect_ended(id).await.content == sent);
    assert!(sent.starts_with(b"X-Archive-Status: Archived\r\nReceived: "));
    assert!(sent.ends_with(format!("in the text\r\n{}", line.repeat(40_000)).as_bytes()));
}

#[tokio::test]
async fn unless_it_is_switched_on_nothing_is_added_or_taken_out() {
    let (mut gateway, archive, sink) = start("", "").await;
    let id = gateway.accept(mail_to("user").content(FORGED)).await;
    let sent = sink.expect_one().await.text();
    assert!(sent.ends_with(FORGED) && sent.starts_with("Received: "), "{sent}");
    archive.expect_ended(id).await;
    gateway.reload(&setup(&sink, &archive, "mark = true", "")).await.unwrap();
    gateway.accept(mail_to("user").content(FORGED)).await;
    let sent = sink.expect(2).await[1].text();
    assert!(sent.starts_with("X-Archive-Status: Archived\r\n"), "{sent}");
}

/// What moderators have seen is what is released, with the mark or without it.
#[tokio::test]
async fn held_mail_is_released_as_it_is_stored() {
    let rules = "[[archive.rule]]\nname = \"root\"\naction = \"skip\"\n\
                 recipients = [\"root@local.example\"]\n\
                 [[moderation.rule]]\nname = \"all\"\naction = \"approval\"\nsubject = [\"x\"]\n\
                 moderators = [\"boss@local.example\"]\ntells_sender = \"never\"\n";
    let (gateway, _archive, sink) = start("mark = true\nown = true", rules).await;
    for (number, name) in (1..).zip(["user", "root"]) {
        let id = gateway.accept(mail_to(name).content(FORGED)).await;
        let by = By {
            who: Actor::Moderator("boss@local.example".parse().unwrap()),
            proof: Proof::Link,
            from: None,
        };
        let (comment, only, at, trust_days) = ("".into(), None, None, 0);
        let approve = Command::Approve { by, comment, only, at, trust_days };
        gateway.moderation().take(id, approve).await.unwrap();
        let to = format!("{name}@local.example");
        let all = sink.expect(2 * number).await;
        let sent = all.iter().find(|one| one.recipients() == [&*to]).unwrap().text();
        let is_marked = sent.starts_with("X-Archive-Status: Archived\r\n");
        assert_eq!(is_marked, name == "user", "{sent}");
        // Notices of our own are archived, and so they say it.
        let notice = all.iter().find(|one| one.recipients() == ["boss@local.example"]).unwrap();
        assert!(notice.text().starts_with("X-Archive-Status: Archived\r\n"), "{}", notice.text());
    }
}

async fn start(lines: &str, sections: &str) -> (Gateway, Archive, Sink) {
    let sink = Sink::start(Script::smtp()).await;
    let archive = Archive::new();
    (Gateway::start(&setup(&sink, &archive, lines, sections)).await, archive, sink)
}

fn setup(sink: &Sink, archive: &Archive, lines: &str, sections: &str) -> Setup {
    Setup::before(sink).section("archive", &archive.with(lines)).sections(sections)
}

const FORGED: &str = "X-Archive-Status: Archived\r\nSubject: x\r\nx-archive-status : no\r\n folded\r\n\
                      To: y\r\n\r\nX-Archive-Status: in the text\r\n";
