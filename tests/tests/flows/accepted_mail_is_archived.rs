//! What was accepted is in the archive, with its envelope and what became of it; and while the archive
//! cannot be written nothing is lost. Rows A1 and A2 of the mission.

use std::fs;

use mailweir::control::operation::Place;
use mailweir_archive::entry::{Direction, Ending, Fared};
use mailweir_mail::QueueId;
use mailweir_moderation::case::{Actor, By, Command, Proof};
use mailweir_tests::{
    gateway::{Archive, Gateway, Setup, USER, USER_PASSWORD, mail, mail_to},
    sink::{Point, Script, Sink},
};

#[tokio::test]
async fn a1_a_mail_is_archived_with_all_who_got_it_and_where_it_was_delivered() {
    let sink = Sink::start(Script::smtp()).await;
    let archive = Archive::new();
    let submission = "mode = \"submission\"\ntls = \"none\"\nauth_in_clear = true";
    let setup = Setup::before(&sink).listener("submission", submission);
    let setup = setup.section("auth.senders", "policy = \"any\"");
    let gateway = Gateway::start(&setup.section("archive", &archive.section())).await;
    let mut alice = gateway.connect_to("submission").await;
    alice.greet().await;
    alice.log_in(USER, USER_PASSWORD, "235 2.7.0 *").await;
    let sent = mail()
        .from("ann@local.example")
        .to("them@far.example")
        .to("hidden@far.example")
        .content("To: them@far.example\r\nSubject: the offer\r\n\r\nHello.\r\n");
    let id = alice.send(&sent).await.expect_accepted();

    let found = archive.expect_ended(id).await;
    let envelope = &found.capture.envelope;
    assert_eq!(envelope.sender.to_string(), "ann@local.example");
    let to: Vec<_> = envelope.recipients.iter().map(|one| one.address.as_str()).collect();
    assert_eq!(to, ["them@far.example", "hidden@far.example"]);
    let origin = &found.capture.origin;
    assert_eq!((&*origin.listener, &*origin.login.as_ref().unwrap().user), ("submission", USER));
    assert_eq!(found.capture.note.direction, Direction::Outbound);
    // What the recipients got, byte for byte.
    assert_eq!(sink.expect_one().await.content(), found.content);
    assert_eq!(found.capture.size, found.content.len() as u64);
    let outcome = found.outcome.unwrap();
    assert_eq!(outcome.end, Ending::Delivered);
    assert_eq!(outcome.recipients.len(), 2);
    for fared in &outcome.recipients {
        assert!(fared.delivered && fared.relay.is_some() && fared.at.is_some(), "{fared:?}");
    }
    gateway.queue().expect_empty().await;
    assert_eq!(archive.expect_sound(), 2);
}

/// Of two recipients both are refused, or the second alone.
#[tokio::test]
async fn a1_a_mail_that_somebody_does_not_get_has_failed_and_its_record_says_who_said_what() {
    let script = Script::smtp()
        .replying_for("gone@local.example", Point::Rcpt, "550 5.1.1 No such user")
        .replying_for("moved@local.example", Point::Rcpt, "551 5.1.6 Moved away");
    let sink = Sink::start(script).await;
    let archive = Archive::new();
    let gateway =
        Gateway::start(&Setup::before(&sink).section("archive", &archive.section())).await;
    for (one, other) in [("gone", "moved"), ("here", "gone")] {
        let mail = mail_to(one).to(&format!("{other}@local.example"));
        let id = gateway.accept(mail.from("")).await;
        let outcome = archive.expect_ended(id).await.outcome.unwrap();
        assert_eq!(outcome.end, Ending::Failed, "{one} and {other}");
        assert_eq!(outcome.recipients.len(), 2);
        for (fared, who) in outcome.recipients.iter().zip([one, other]) {
            let Fared { delivered, relay, reply, at } = fared;
            assert_eq!(*delivered, who == "here", "{who}");
            let place = format!("[{}]:{}", sink.address().ip(), sink.address().port());
            assert!(relay.as_ref().unwrap().ends_with(&place), "{relay:?}");
            let said = match who {
                "gone" => "550 5.1.1 No such user",
                "moved" => "551 5.1.6 Moved away",
                _ => "250 2.0.0 ",
            };
            assert!(reply.as_ref().unwrap().to_string().starts_with(said), "{who}: {reply:?}");
            assert!(at.is_some());
        }
    }
    gateway.queue().expect_empty().await;
    assert_eq!(archive.expect_sound(), 4);
}

/// Nobody says anything: the time of the mail is over.
#[tokio::test]
async fn a_mail_that_reached_nobody_in_its_time_has_failed_without_a_relay() {
    let archive = Archive::new();
    let setup = Setup::to("smtp://127.0.0.1:1", "")
        .section("queue", "maximal_queue_lifetime = \"0s\"")
        .section("archive", &archive.section());
    let gateway = Gateway::start(&setup).await;
    let id = gateway.accept(mail_to("user")).await;
    let outcome = archive.expect_ended(id).await.outcome.unwrap();
    assert_eq!(outcome.end, Ending::Failed);
    let [Fared { delivered: false, relay: None, .. }] = &outcome.recipients[..] else {
        panic!("{outcome:?}")
    };
}

#[tokio::test]
async fn a2_what_rules_leave_out_is_not_there_and_what_they_keep_names_them() {
    let rules = "[[archive.rule]]\nname = \"root\"\naction = \"skip\"\nrecipients = [\"root@local.example\"]\n\
                 [[archive.rule]]\nname = \"cron\"\naction = \"skip\"\nheaders = ['X-Cron-Env']\n\
                 [[archive.rule]]\nname = \"legal\"\nkeep = \"10 y\"\nrecipients = [\"legal@local.example\"]\n";
    let (gateway, archive, _sink) = Gateway::archiving(rules).await;
    let to_root = gateway.accept(mail_to("root")).await;
    let cron = mail_to("user").content("X-Cron-Env: <A=1>\r\nSubject: x\r\n\r\nx\r\n");
    let of_cron = gateway.accept(cron).await;
    let legal = gateway.accept(mail_to("legal").to("root@local.example")).await;
    let other = gateway.accept(mail_to("user")).await;
    let kept = archive.expect_ended(legal).await.capture.note;
    assert_eq!((kept.rule.as_deref(), kept.keep_days), (Some("legal"), Some(3_660)));
    let kept = archive.expect_ended(other).await.capture.note;
    assert_eq!((kept.rule, kept.keep_days), (None, None));
    gateway.queue().expect_empty().await;
    assert!(archive.find(to_root).is_none() && archive.find(of_cron).is_none());
    assert_eq!(archive.expect_sound(), 4);
}

/// The next hop does not answer; the archive has the mail before it leaves, and its end once there is one.
#[tokio::test]
async fn a_mail_that_waits_is_archived_already_and_after_a_restart_its_end_is_added_to_it() {
    let sink = Sink::start(Script::smtp()).await;
    let archive = Archive::new();
    let setup = Setup::before(&sink).section("archive", &archive.section());
    let unreachable = Setup::to("smtp://127.0.0.1:1", "").section("archive", &archive.section());
    let mut gateway = Gateway::start(&unreachable).await;
    let id = gateway.accept(mail_to("user")).await;
    assert!(archive.expect(id).await.outcome.is_none());
    gateway.stop().await;
    gateway.configure(&setup);
    gateway.start_again().await;
    gateway.queue().flush().await;
    let found = archive.expect_ended(id).await;
    assert_eq!(found.outcome.unwrap().end, Ending::Delivered);
    gateway.queue().expect_empty().await;
    gateway.restart().await;
    let next = gateway.accept(mail_to("user")).await;
    archive.expect_ended(next).await;
    assert_eq!(archive.expect_sound(), 4);
}

#[tokio::test]
async fn held_mail_is_archived_when_it_comes_and_so_is_that_it_was_refused() {
    let rules = "[[moderation.rule]]\nname = \"secrets\"\naction = \"approval\"\nsubject = [\"secret\"]\n\
                 moderators = [\"boss@local.example\"]\ntells_sender = \"never\"\n";
    let (gateway, archive, _sink) = Gateway::archiving(rules).await;
    let id = gateway.accept(mail_to("user").content("Subject: a secret\r\n\r\nx\r\n")).await;
    let found = archive.expect(id).await;
    assert!(found.capture.note.held.unwrap().contains("secrets"));
    assert!(found.outcome.is_none());
    let by = By {
        who: Actor::Moderator("boss@local.example".parse().unwrap()),
        proof: Proof::Link,
        from: None,
    };
    gateway.moderation().take(id, Command::Reject { by, reason: "no".into() }).await.unwrap();
    let outcome = archive.expect_ended(id).await.outcome.unwrap();
    assert_eq!(outcome.end, Ending::Deleted);
    assert!(!outcome.recipients[0].delivered);
}

/// What waits for people and what goes at once are one mail: rules see all who get it.
#[tokio::test]
async fn of_a_mail_that_is_divided_both_parts_are_kept_for_whoever_gets_one_of_them() {
    let rules = "[[archive.rule]]\nname = \"root\"\naction = \"skip\"\nrecipients = [\"root@local.example\"]\n\
                 [[moderation.rule]]\nname = \"one\"\naction = \"approval\"\nsplit = true\n\
                 recipients = [\"held@local.example\"]\nmoderators = [\"boss@local.example\"]\n\
                 tells_sender = \"never\"\n";
    let (gateway, archive, _sink) = Gateway::archiving(rules).await;
    let answer = gateway.submit(mail_to("root").to("held@local.example")).await;
    let reply = answer.reply().to_owned();
    let sent = answer.expect_accepted();
    let (_, held) = reply.split_once(" and ").expect("two mails");
    let held: QueueId = held.split(' ').next().unwrap().parse().unwrap();
    assert!(archive.expect_ended(sent).await.capture.note.held.is_none());
    assert!(archive.expect(held).await.capture.note.held.is_some());
}

/// A rule adds a copy to somebody elsewhere: the mail is between people of ours all the same.
#[tokio::test]
async fn which_way_a_mail_goes_is_what_its_sender_wrote() {
    let sink = Sink::start(Script::smtp()).await;
    let archive = Archive::new();
    let setup = Setup::before(&sink)
        .listener("mx", "mode = \"mx\"\nnetworks = [\"127.0.0.0/8\"]")
        .section("rewriting", "always_bcc = \"copy@far.example\"")
        .section("archive", &archive.section());
    let gateway = Gateway::start(&setup).await;
    let id = gateway.accept(mail_to("user")).await;
    let found = archive.expect(id).await.capture;
    assert_eq!(found.envelope.recipients.len(), 2);
    assert_eq!(found.note.direction, Direction::Internal);
}

#[tokio::test]
async fn while_the_archive_cannot_be_written_mail_is_deferred_and_then_taken() {
    let sink = Sink::start(Script::smtp()).await;
    let archive = Archive::new();
    // A file stands where its directory should be.
    let obstacle = archive.path().join("a");
    fs::write(&obstacle, "").unwrap();
    let setup = Setup::before(&sink).section("archive", &archive.section());
    let gateway = Gateway::start(&setup).await;
    gateway.log().expect("ALARM: archive: * new mail is deferred").await;
    gateway.submit(mail_to("user")).await.expect_refused("451 4.3.0 *");
    fs::remove_file(&obstacle).unwrap();
    gateway.log().expect("archive: it can be written again").await;
    let id = gateway.accept(mail_to("user")).await;
    archive.expect_ended(id).await;
    gateway.queue().expect_empty().await;
}

#[tokio::test]
async fn where_mail_is_accepted_all_the_same_it_waits_for_the_archive() {
    let sink = Sink::start(Script::smtp()).await;
    let archive = Archive::new();
    let obstacle = archive.path().join("a");
    fs::write(&obstacle, "").unwrap();
    let accept = archive.with("if_unwritable = \"accept\"");
    let mut gateway = Gateway::start(&Setup::before(&sink).section("archive", &accept)).await;
    gateway.log().expect("ALARM: archive: * accepted").await;
    let id = gateway.accept(mail_to("user")).await;
    sink.expect(1).await;
    gateway.restart().await;
    assert!(archive.find(id).is_none());
    fs::remove_file(&obstacle).unwrap();
    assert_eq!(archive.expect_ended(id).await.outcome.unwrap().end, Ending::Delivered);
    assert_eq!(archive.expect_sound(), 2);
}

/// Larger than what is kept in memory: it lies in a file of its own until the archive has it.
#[tokio::test]
async fn a_large_mail_is_archived_byte_for_byte() {
    let (gateway, archive, sink) = Gateway::archiving("").await;
    let line = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789\r\n";
    let large = mail_to("user").content(format!("Subject: large\r\n\r\n{}", line.repeat(40_000)));
    let id = gateway.accept(large).await;
    let found = archive.expect_ended(id).await;
    let sent = sink.expect_one().await;
    assert!(sent.content() == found.content, "{} bytes", found.content.len());
    gateway.queue().expect_empty().await;
}

/// Its file is gone before the archive can be written: it is damaged, and no other mail waits for it.
#[tokio::test]
async fn a_mail_whose_content_is_gone_holds_up_no_other() {
    let archive = Archive::new();
    let obstacle = archive.path().join("a");
    fs::write(&obstacle, "").unwrap();
    let accept = archive.with("if_unwritable = \"accept\"");
    let unreachable = Setup::to("smtp://127.0.0.1:1", "").section("archive", &accept);
    let mut gateway = Gateway::start(&unreachable).await;
    let line = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789\r\n";
    let large = mail_to("user").content(format!("Subject: large\r\n\r\n{}", line.repeat(40_000)));
    let gone = gateway.accept(large).await;
    let whole = gateway.accept(mail_to("user")).await;
    gateway.stop().await;
    gateway.remove_spool_file(gone);
    fs::remove_file(&obstacle).unwrap();
    gateway.start_again().await;
    archive.expect(whole).await;
    gateway.queue().expect(gone, Place::Corrupt).await;
    let next = gateway.accept(mail_to("user")).await;
    archive.expect(next).await;
    assert_eq!(gateway.log().count("its content is damaged"), 1);
    assert!(archive.find(gone).is_none());
}
