//! A mail that a rule holds goes nowhere until those whom the rule names have decided.

use std::net::Ipv4Addr;

use mailweir::{control::operation::Place, moderation::TakeError};
use mailweir_mail::QueueId;
use mailweir_moderation::{
    case::{Actor, By, Command, Decision, Proof, Refused, State},
    token::{Purpose, Token},
};
use mailweir_tests::{
    gateway::{Gateway, Setup, mail},
    sink::{Received, Script, Sink},
};

#[tokio::test]
async fn it_is_held_people_are_asked_and_an_approval_sends_it() {
    let (mut gateway, sink) = moderated(RULE).await;
    let (id, notices) = held(&gateway, &sink).await;
    gateway.queue().expect(id, Place::Hold).await;
    let reason = gateway.queue().show(id).await.entry.hold_reason.unwrap();
    assert_eq!(reason.as_str(), "moderation rule \"secrets\" (mailweir.toml:24)");
    gateway.log().expect(&format!("{id}: hold: END-OF-MESSAGE from unknown[127.0.0.1]")).await;

    // Each has a token of their own, and the file knows whose it is.
    let tokens: Vec<String> = notices.iter().map(token).collect();
    assert_ne!(tokens[0], tokens[1]);
    for (notice, token) in notices.iter().zip(&tokens) {
        assert_eq!(notice.sender(), "");
        let hash = token.parse::<Token>().unwrap().hash();
        let (case, _, grant) = gateway.moderation().find(hash).unwrap();
        assert_eq!((case, grant.purpose), (id, Purpose::Decide));
        assert_eq!(notice.recipients(), [grant.person.as_str()]);
    }

    gateway.restart().await;
    gateway.queue().expect(id, Place::Hold).await;
    gateway.moderation().take(id, approve("ann@local.example")).await.unwrap();
    let line = format!("{id}: released from hold (moderator ann@local.example)");
    gateway.log().expect(&line).await;
    let all = sink.expect(4).await;
    let (news, sent): (Vec<_>, Vec<_>) = all[2..].iter().partition(|mail| mail.sender().is_empty());
    assert_eq!(sent[0].recipients(), ["user@local.example"]);
    assert_eq!(news[0].recipients(), ["bob@local.example"], "who decided needs no news");
    gateway.queue().expect_empty().await;
    // What was sent is not sent again.
    gateway.restart().await;
    gateway.queue().expect_empty().await;
    assert_eq!(sink.attempts().len(), 4);
}

#[tokio::test]
async fn of_many_decisions_in_the_same_moment_one_counts_and_all_others_hear_which() {
    let (gateway, sink) = moderated(RULE).await;
    let (id, _) = held(&gateway, &sink).await;
    let moderation = gateway.moderation();
    let mut tasks = Vec::new();
    for number in 0..40 {
        let who = if number % 2 == 0 { "ann@local.example" } else { "bob@local.example" };
        let command = if number % 4 < 2 { approve(who) } else { reject(who) };
        let moderation = std::sync::Arc::clone(&moderation);
        tasks.push(tokio::spawn(async move { (who, moderation.take(id, command).await) }));
    }
    let (mut winner, mut told) = (None, Vec::new());
    for task in tasks {
        match task.await.unwrap() {
            (who, Ok(_)) => assert_eq!(winner.replace(who), None, "two decisions"),
            (_, Err(TakeError::Refused(Refused::Closed(closing)))) => told.push(closing),
            (_, Err(other)) => panic!("{other}"),
        }
    }
    let closing = match &moderation.case(id).unwrap().case.progress.state {
        State::Closed(closing) => closing.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(closing.by.who, Actor::Moderator(winner.unwrap().parse().unwrap()));
    assert_eq!(told.len(), 39);
    assert!(told.iter().all(|heard| *heard == closing));
    let released = closing.decision == Decision::Released;
    sink.expect(3 + usize::from(released)).await;
    gateway.queue().expect_empty().await;
    let sent = sink.attempts().iter().filter(|mail| !mail.sender().is_empty()).count();
    assert_eq!(sent, usize::from(released));
}

#[tokio::test]
async fn a_rejection_sends_nothing_but_the_news() {
    let (gateway, sink) = moderated(RULE).await;
    let (id, _) = held(&gateway, &sink).await;
    gateway.moderation().take(id, reject("bob@local.example")).await.unwrap();
    gateway.log().expect(&format!("{id}: removed (moderator bob@local.example)")).await;
    assert_eq!(sink.expect(3).await[2].recipients(), ["ann@local.example"]);
    gateway.queue().expect_empty().await;
}

#[tokio::test]
async fn what_an_operator_deleted_at_rest_is_over() {
    let (mut gateway, sink) = moderated(RULE).await;
    let (id, _) = held(&gateway, &sink).await;
    gateway.stop().await;
    gateway.queue().delete(id).await;
    gateway.start_again().await;
    let refused = gateway.moderation().take(id, approve("ann@local.example")).await;
    let Err(TakeError::Refused(Refused::Closed(closing))) = refused else { panic!("{refused:?}") };
    assert_eq!(closing.decision, Decision::Discarded);
    assert_eq!(closing.by.who, Actor::Administrator("operator".into()));
}

#[tokio::test]
async fn mail_that_needs_nobody_passes_at_once() {
    let (gateway, sink) = moderated(RULE).await;
    let plain = mail().from("a@other.example").content("Subject: nothing\r\n\r\ntext\r\n");
    gateway.submit(plain).await.expect_accepted();
    let report = mail().from("").content(SECRET);
    let answer = gateway.submit(report).await;
    assert!(!answer.reply().contains("held"), "{}", answer.reply());
    sink.expect(2).await;
}

#[tokio::test]
async fn a_delay_ends_by_itself_also_after_a_restart() {
    let rule = "action = \"delay\"\ndelay = \"2 s\"\nsubject = [\"secret\"]";
    let (mut gateway, sink) = moderated(rule).await;
    let answer = gateway.submit(mail().from("a@local.example").content(SECRET)).await;
    let id = answer.expect_accepted();
    gateway.restart().await;
    gateway.log().expect(&format!("{id}: released from hold (moderation: its time")).await;
    let all = sink.expect(3).await;
    assert!(all.iter().any(|mail| mail.recipients() == ["user@local.example"]));
}

#[tokio::test]
async fn a_notice_rule_tells_and_holds_nothing() {
    let rule = "action = \"notice\"\nmoderators = [\"ann@local.example\"]\nsubject = [\"secret\"]";
    let (gateway, sink) = moderated(rule).await;
    let answer = gateway.submit(mail().from("a@other.example").content(SECRET)).await;
    assert!(!answer.reply().contains("held"), "{}", answer.reply());
    let all = sink.expect(2).await;
    assert!(all.iter().any(|mail| mail.recipients() == ["user@local.example"]));
    let notice = all.iter().find(|mail| mail.recipients() == ["ann@local.example"]).unwrap();
    assert_eq!(notice.sender(), "");
    gateway.queue().expect_empty().await;
}

const RULE: &str = "action = \"approval\"\nsubject = [\"secret\"]\n\
     moderators = [\"ann@local.example\", \"bob@local.example\"]";

const SECRET: &str = "Subject: a secret\r\n\r\ntext\r\n";

async fn moderated(rule: &str) -> (Gateway, Sink) {
    let sink = Sink::start(Script::smtp()).await;
    let rule = format!("[[moderation.rule]]\nname = \"secrets\"\n{rule}\n");
    let setup = Setup::before(&sink)
        .in_front_of_us()
        .section("admin", "bind = []\npublic_url = \"https://mail.local.example\"")
        .sections(&rule);
    (Gateway::start(&setup).await, sink)
}

/// A mail that waits, and the two requests.
async fn held(gateway: &Gateway, sink: &Sink) -> (QueueId, Vec<Received>) {
    let answer = gateway.submit(mail().from("a@other.example").content(SECRET)).await;
    let reply = answer.reply().to_owned();
    let id = answer.expect_accepted();
    assert_eq!(reply, format!("250 2.0.0 Ok: queued as {id} (held for approval)"));
    (id, sink.expect(2).await)
}

fn token(notice: &Received) -> String {
    let text = notice.text();
    let text = text.replace("=\r\n", "").replace("=\n", "").replace("=3D", "=");
    let (_, rest) = text.split_once("https://mail.local.example/m/").expect("a link");
    rest.chars().take_while(char::is_ascii_alphanumeric).collect()
}

fn by(moderator: &str) -> By {
    let who = Actor::Moderator(moderator.parse().unwrap());
    By { who, proof: Proof::Link, from: Some(Ipv4Addr::LOCALHOST.into()) }
}

fn approve(moderator: &str) -> Command {
    let (by, comment) = (by(moderator), "fine".into());
    Command::Approve { by, comment, only: None, at: None, trust_days: 0 }
}

fn reject(moderator: &str) -> Command {
    Command::Reject { by: by(moderator), reason: "no".into() }
}
