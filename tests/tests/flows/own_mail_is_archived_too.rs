//! Reports and notices of the gateway itself are in the archive if it is told so, and rules are asked about
//! them as about other mail. Row A2 of the mission.

use mailweir_archive::entry::Direction;
use mailweir_mail::QueueId;
use mailweir_tests::{
    gateway::{Archive, Archived, Gateway, Setup, mail},
    sink::{Point, Script, Sink},
};

#[tokio::test]
async fn a_report_to_the_sender_and_a_notice_to_moderators_are_kept() {
    let (gateway, archive, sink) = start("own = true", NOTHING).await;
    let refused = submit(&gateway, "nobody", "plain").await;
    let held = submit(&gateway, "user", "a secret").await;
    let found = archive.expect_mails(4).await;
    let own: Vec<&Archived> = found.iter().filter(|one| is_own(one)).collect();
    assert_eq!((own.len(), found.len()), (2, 4));
    for one in &own {
        assert_eq!(one.capture.envelope.sender.to_string(), "");
        assert_eq!(one.capture.note.keep_days, None);
    }
    let to = |name: &str| {
        let is = |one: &&&Archived| one.capture.envelope.recipients[0].address.as_str() == name;
        *own.iter().find(is).unwrap()
    };
    let report = to("ann@local.example");
    assert_eq!(&*report.capture.origin.listener, "report");
    assert!(String::from_utf8_lossy(&report.content).contains("5.1.1"));
    let notice = to("boss@local.example");
    assert_eq!(&*notice.capture.origin.listener, "moderation");
    // What is kept is what was sent.
    let sent = sink.expect(2).await;
    assert!(sent.iter().any(|one| one.content() == notice.content));
    assert!([refused, held].iter().all(|id| archive.find(*id).is_some()));
    archive.expect_ended(notice.capture.id).await;
}

#[tokio::test]
async fn rules_say_which_own_mail_is_kept_and_for_how_long() {
    let rules = "[[archive.rule]]\nname = \"notices\"\naction = \"skip\"\ndirections = [\"own\"]\n\
                 recipients = [\"boss@local.example\"]\n\
                 [[archive.rule]]\nname = \"reports\"\nkeep = \"30 d\"\ndirections = [\"own\"]\n\
                 headers = ['Content-Type: multipart/report']\n";
    let (gateway, archive, sink) = start("own = true", rules).await;
    submit(&gateway, "user", "a secret").await;
    sink.expect(1).await;
    submit(&gateway, "nobody", "plain").await;
    let found = archive.expect_mails(3).await;
    let own: Vec<&Archived> = found.iter().filter(|one| is_own(one)).collect();
    let [report] = &own[..] else { panic!("{own:?}") };
    let note = &report.capture.note;
    assert_eq!((note.rule.as_deref(), note.keep_days), (Some("reports"), Some(30)));
}

#[tokio::test]
async fn nothing_of_it_is_kept_unless_that_is_switched_on_and_a_reload_does_so() {
    let (mut gateway, archive, sink) = start("", NOTHING).await;
    submit(&gateway, "user", "a secret").await;
    sink.expect(1).await;
    archive.expect_mails(1).await;
    gateway.reload(&setup(&sink, &archive, "own = true", NOTHING)).await.unwrap();
    submit(&gateway, "user", "a secret").await;
    let found = archive.expect_mails(3).await;
    assert_eq!(found.iter().filter(|one| is_own(one)).count(), 1);
}

fn is_own(one: &Archived) -> bool {
    one.capture.note.direction == Direction::Own
}

async fn start(lines: &str, sections: &str) -> (Gateway, Archive, Sink) {
    let refuses = "550 5.1.1 no such user";
    let script = Script::smtp().replying_for("nobody@local.example", Point::Rcpt, refuses);
    let sink = Sink::start(script).await;
    let archive = Archive::new();
    (Gateway::start(&setup(&sink, &archive, lines, sections)).await, archive, sink)
}

fn setup(sink: &Sink, archive: &Archive, lines: &str, sections: &str) -> Setup {
    let moderation = "[[moderation.rule]]\nname = \"secrets\"\naction = \"approval\"\n\
        subject = [\"secret\"]\nmoderators = [\"boss@local.example\"]\ntells_sender = \"never\"\n";
    let setup = Setup::before(sink).section("archive", &archive.with(lines));
    setup.sections(&format!("{sections}{moderation}"))
}

async fn submit(gateway: &Gateway, to: &str, subject: &str) -> QueueId {
    let content = format!("Subject: {subject}\r\n\r\nx\r\n");
    let mail = mail().from("ann@local.example").to(&format!("{to}@local.example"));
    gateway.submit(mail.content(content)).await.expect_accepted()
}

const NOTHING: &str = "";
