//! Who decided about a mail stands in the record of its end, with how that was proven. Row A2 of the
//! mission.

use mailweir::control::operation::Place;
use mailweir_archive::entry::{Decided, Ending};
use mailweir_mail::QueueId;
use mailweir_moderation::case::{Actor, By, Command, Proof};
use mailweir_tests::gateway::{Archive, Gateway, Setup, mail};

#[tokio::test]
async fn of_two_who_must_agree_both_are_named_also_after_a_restart() {
    let (mut gateway, archive, _sink) = Gateway::archiving(TWO).await;
    let id = submit(&gateway, "a secret").await;
    approve(&gateway, id, by("boss", Proof::Link)).await;
    gateway.restart().await;
    approve(&gateway, id, by("other", Proof::Reply)).await;
    let outcome = archive.expect_ended(id).await.outcome.unwrap();
    assert_eq!(outcome.end, Ending::Delivered);
    assert_eq!(
        shown(&outcome.decisions),
        [
            "approved by moderator boss@local.example (link), secrets",
            "released by moderator other@local.example (reply), secrets",
        ]
    );
    assert!(outcome.decisions[0].at < outcome.decisions[1].at);
    let captured = archive.find(id).unwrap().capture.origin.arrival;
    assert!(captured < outcome.decisions[0].at);
}

#[tokio::test]
async fn one_who_rejects_is_named() {
    let (gateway, archive, _sink) = Gateway::archiving(TWO).await;
    let id = submit(&gateway, "a secret").await;
    let reject = Command::Reject { by: by("other", Proof::Login), reason: "no".into() };
    gateway.moderation().take(id, reject).await.unwrap();
    let outcome = archive.expect_ended(id).await.outcome.unwrap();
    assert_eq!(outcome.end, Ending::Deleted);
    let decided = ["rejected by moderator other@local.example (login), secrets"];
    assert_eq!(shown(&outcome.decisions), decided);
}

/// An operator decides past those who were asked, of whom one had agreed.
#[tokio::test]
async fn an_operator_who_is_faster_is_named_with_who_agreed_before() {
    let (gateway, archive, _sink) = Gateway::archiving(TWO).await;
    let id = submit(&gateway, "a secret").await;
    approve(&gateway, id, by("boss", Proof::Api)).await;
    gateway.queue().delete(id).await;
    let outcome = archive.expect_ended(id).await.outcome.unwrap();
    assert_eq!(outcome.end, Ending::Deleted);
    assert_eq!(
        shown(&outcome.decisions),
        [
            "approved by moderator boss@local.example (api), secrets",
            "deleted by operator operator (command_line), secrets",
        ]
    );
}

/// People let it go, and a table had it wait for the operator as well.
#[tokio::test]
async fn an_operator_who_has_the_last_word_is_named_behind_the_others() {
    let table =
        "[checks]\nheader_checks = [\"regexp:{ {/^Subject: .*secret/ HOLD look at it} }\"]\n";
    let (gateway, archive, _sink) = Gateway::archiving(&format!("{table}{TWO}")).await;
    let id = submit(&gateway, "a secret").await;
    approve(&gateway, id, by("boss", Proof::Link)).await;
    approve(&gateway, id, by("other", Proof::Link)).await;
    gateway.queue().expect(id, Place::Hold).await;
    gateway.queue().release(id).await;
    let outcome = archive.expect_ended(id).await.outcome.unwrap();
    assert_eq!(
        shown(&outcome.decisions),
        [
            "approved by moderator boss@local.example (link), secrets",
            "released by moderator other@local.example (link), secrets",
            "released by operator operator (command_line), secrets",
        ]
    );
}

/// No rule has asked anybody.
#[tokio::test]
async fn what_an_operator_does_with_other_mail_is_there_too() {
    let archive = Archive::new();
    let unreachable = Setup::to("smtp://127.0.0.1:1", "").section("archive", &archive.section());
    let gateway = Gateway::start(&unreachable).await;
    let id = submit(&gateway, "plain").await;
    gateway.queue().expect(id, Place::Deferred).await;
    gateway.queue().hold(id).await;
    gateway.queue().release(id).await;
    gateway.queue().expect(id, Place::Deferred).await;
    gateway.queue().delete(id).await;
    let outcome = archive.expect_ended(id).await.outcome.unwrap();
    assert_eq!(outcome.end, Ending::Deleted);
    assert_eq!(
        shown(&outcome.decisions),
        [
            "released by operator operator (command_line), -",
            "deleted by operator operator (command_line), -",
        ]
    );
}

async fn submit(gateway: &Gateway, subject: &str) -> QueueId {
    let content = format!("Subject: {subject}\r\n\r\nx\r\n");
    let mail = mail().from("ann@local.example").to("user@local.example").content(content);
    gateway.submit(mail).await.expect_accepted()
}

async fn approve(gateway: &Gateway, id: QueueId, by: By) {
    let (comment, only, at, trust_days) = ("".into(), None, None, 0);
    let approve = Command::Approve { by, comment, only, at, trust_days };
    gateway.moderation().take(id, approve).await.unwrap();
}

fn by(name: &str, proof: Proof) -> By {
    let address = format!("{name}@local.example").parse().unwrap();
    By { who: Actor::Moderator(address), proof, from: None }
}

fn shown(decisions: &[Decided]) -> Vec<String> {
    let shown = decisions.iter().map(|Decided { decision, by, proof, rule, .. }| {
        format!("{decision} by {by} ({proof}), {}", rule.as_deref().unwrap_or("-"))
    });
    shown.collect()
}

const TWO: &str = "[[moderation.rule]]\nname = \"secrets\"\naction = \"approval\"\n\
    subject = [\"secret\"]\nmoderators = [\"boss@local.example\", \"other@local.example\"]\n\
    needed = 2\ntells_sender = \"never\"\n";
