//! A rule with `split` holds the mail of the recipients that it means; the others get it at once.

use mailweir::control::operation::{Answer, Operation, Place, Selection};
use mailweir_mail::QueueId;
use mailweir_moderation::{
    case::{Actor, By, Command, Proof},
    case_file::Split,
};
use mailweir_tests::{
    gateway::{Gateway, Mail, Setup, mail},
    sink::{Point, Received, Script, Sink},
};

#[tokio::test]
async fn those_whom_the_rule_means_wait_and_the_others_have_it_at_once() {
    let (mut gateway, sink) = moderated("recipients = [\"boss@local.example\"]").await;
    let (sent, held) = split(&gateway, all()).await;
    // What was sent, the question, and the word to the sender.
    let first = sink.expect(3).await;
    let mails: Vec<_> = first.iter().filter(|mail| !mail.sender().is_empty()).collect();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].recipients(), ["user@local.example", "other@local.example"]);
    let request = first.iter().find(|mail| mail.recipients() == ["ann@local.example"]).unwrap();
    let request = request.text().replace("=\r\n", "");
    assert!(request.contains("2 other recipients (already sent)"), "{request}");
    gateway.queue().expect(held, Place::Hold).await;
    let reason = gateway.queue().show(held).await.entry.hold_reason.unwrap();
    assert!(reason.as_str().ends_with(&format!(", split from {sent}")), "{}", reason.as_str());
    gateway.log().expect(&format!("{held}: hold: END-OF-MESSAGE")).await;

    let case = gateway.moderation().case(held).unwrap();
    assert_eq!(case.split, Some(Split { sent_as: sent, recipients: 2 }));
    assert_eq!(case.case.plan.recipients, 1);
    assert_eq!(case.mail.recipients[0].address.as_str(), "boss@local.example");
    assert!(case.mail.recipients[0].is_hidden, "no header names them");
    assert!(gateway.moderation().case(sent).is_none());

    gateway.restart().await;
    gateway.queue().expect(held, Place::Hold).await;
    gateway.moderation().take(held, approve()).await.unwrap();
    let all = sink.expect(5).await;
    let late = all[3..].iter().find(|mail| !mail.sender().is_empty()).unwrap();
    assert_eq!(late.recipients(), ["boss@local.example"]);
    // The same content, but for the line that names the mail.
    let body = |text: &str| text.split_once("Subject:").unwrap().1.to_owned();
    assert_eq!(body(&late.text()), body(&mails[0].text()));
    gateway.queue().expect_empty().await;
}

#[tokio::test]
async fn a_large_mail_is_split_too() {
    let (gateway, sink) = moderated("recipients = [\"boss@local.example\"]").await;
    let content = format!("Subject: x\r\n\r\n{}", "0123456789\r\n".repeat(50_000));
    let (sent, held) = split(&gateway, all().content(&content)).await;
    sink.expect(3).await;
    gateway.log().expect(&format!("{sent}: removed")).await;
    gateway.moderation().take(held, approve()).await.unwrap();
    let all = sink.expect(5).await;
    let late = all[3..].iter().find(|mail| !mail.sender().is_empty()).unwrap();
    assert!(late.text().ends_with(&content));
    gateway.queue().expect_empty().await;
}

#[tokio::test]
async fn the_request_shows_who_is_hidden_from_the_others() {
    let (gateway, sink) = moderated("subject = [\".\"]").await;
    let header = "To: user@local.example\r\nCc: Other <other@local.example>";
    let _ = gateway.submit(all().header(header)).await.expect_accepted();
    let notices = sink.expect(2).await;
    let asks = |mail: &&mailweir_tests::sink::Received| mail.recipients() == ["ann@local.example"];
    let request = notices.iter().find(asks).unwrap().text();
    assert!(request.contains("boss@local.example [Bcc]"), "{request}");
    assert_eq!(request.matches("[Bcc]").count(), 1, "{request}");
}

#[tokio::test]
async fn a_rejection_takes_nothing_from_those_who_have_it() {
    let (gateway, sink) = moderated("recipients = [\"boss@local.example\"]").await;
    let (_, held) = split(&gateway, all()).await;
    sink.expect(3).await;
    let by = by();
    gateway.moderation().take(held, Command::Reject { by, reason: "no".into() }).await.unwrap();
    sink.expect(4).await;
    gateway.queue().expect_empty().await;
    let attempts = sink.attempts();
    let mut got = attempts.iter().flat_map(|mail| mail.recipients());
    assert!(got.all(|recipient| recipient != "boss@local.example"));
}

#[tokio::test]
async fn a_mail_is_whole_where_the_rule_means_all_who_get_it() {
    for condition in ["subject = [\".\"]", "recipients = [\"local.example\"]"] {
        let (gateway, _sink) = moderated(condition).await;
        let answer = gateway.submit(all()).await;
        let reply = answer.reply().to_owned();
        let id = answer.expect_accepted();
        assert_eq!(reply, format!("250 2.0.0 Ok: queued as {id} (held for approval)"));
        assert_eq!(gateway.moderation().case(id).unwrap().split, None);
        assert_eq!(gateway.queue().list().await.iter().filter(|one| one.queue_id == id).count(), 1);
    }
}

/// A rule of a table holds all of it: whoever approves the one half releases neither.
#[tokio::test]
async fn what_an_operator_must_see_waits_in_both_halves() {
    let sink = Sink::start(Script::smtp()).await;
    let tables = tempfile::tempdir().unwrap();
    let headers = tables.path().join("headers");
    std::fs::write(&headers, "/^Subject: hello/ HOLD look at it\n").unwrap();
    let checks = format!("header_checks = [\"pcre:{}\"]", headers.display());
    let setup = setup(&sink, "recipients = [\"boss@local.example\"]").section("checks", &checks);
    let gateway = Gateway::start(&setup).await;
    let (sent, held) = split(&gateway, all()).await;
    gateway.queue().expect(sent, Place::Hold).await;
    gateway.moderation().take(held, approve()).await.unwrap();
    gateway.queue().expect(held, Place::Hold).await;
}

/// Each half is a mail of its own to operators, too.
#[tokio::test]
async fn operators_change_one_half_and_leave_the_other_alone() {
    let (gateway, sink) = moderated("recipients = [\"boss@local.example\"]").await;
    sink.change(Script::smtp().replying(Point::Mail, "421 4.0.0 Not yet"));
    let (sent, held) = split(&gateway, all()).await;
    gateway.queue().expect(sent, Place::Deferred).await;
    gateway.queue().hold(sent).await;
    sink.change(Script::smtp());
    let requeue = Operation::Requeue { mails: Selection::All };
    let told = gateway.queue().ask(requeue).await;
    assert!(told.contains(&Answer::Changed { id: sent }), "{told:?}");
    assert_eq!(told.last(), Some(&Answer::Skipped { mails: 1 }));
    gateway.log().expect(&format!("{sent}: removed")).await;
    assert_eq!(gateway.moderation().case(held).unwrap().state_name(), "waiting");

    gateway.queue().release(held).await;
    gateway.log().expect(&format!("{held}: removed")).await;
    let file = gateway.moderation().case(held).unwrap();
    assert_eq!(file.standing(), "released by administrator operator");
    gateway.queue().expect_empty().await;
    let attempts = sink.attempts();
    let got = |mail: &&Received| mail.recipients().contains(&"boss@local.example");
    assert_eq!(attempts.iter().filter(got).count(), 1);
}

fn all() -> Mail {
    let mail = mail().from("a@local.example").to("user@local.example").to("boss@local.example");
    mail.to("other@local.example").content("Subject: hello\r\n\r\ntext\r\n")
}

async fn moderated(condition: &str) -> (Gateway, Sink) {
    let sink = Sink::start(Script::smtp()).await;
    (Gateway::start(&setup(&sink, condition)).await, sink)
}

fn setup(sink: &Sink, condition: &str) -> Setup {
    Setup::before(sink).in_front_of_us().sections(&format!(
        "[[moderation.rule]]\nname = \"boss\"\naction = \"approval\"\nsplit = true\n\
         moderators = [\"ann@local.example\"]\n{condition}\n"
    ))
}

async fn split(gateway: &Gateway, mail: Mail) -> (QueueId, QueueId) {
    let answer = gateway.submit(mail).await;
    let reply = answer.reply();
    let names = reply.strip_prefix("250 2.0.0 Ok: queued as ").expect(reply);
    let names: Vec<&str> = names.split(' ').collect();
    let (sent, held) = (names[0], names[2]);
    let expected = format!("250 2.0.0 Ok: queued as {sent} and {held} ({held} held for approval)");
    assert_eq!(reply, expected);
    (sent.parse().unwrap(), held.parse().unwrap())
}

fn by() -> By {
    let who = Actor::Moderator("ann@local.example".parse().unwrap());
    By { who, proof: Proof::Link, from: None }
}

fn approve() -> Command {
    Command::Approve { by: by(), comment: "".into(), only: None, at: None, trust_days: 0 }
}
