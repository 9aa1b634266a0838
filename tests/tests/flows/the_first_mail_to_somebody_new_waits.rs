//! Who has had mail of whom is remembered with the mail: only somebody new makes a mail wait.

use mailweir::control::operation::Place;
use mailweir_mail::QueueId;
use mailweir_moderation::case::{Actor, By, Command, Proof};
use mailweir_queue::{Annex, Day, Pair};
use mailweir_tests::{
    gateway::{Gateway, Mail, Setup, mail},
    sink::{Script, Sink},
};

#[tokio::test]
async fn the_first_waits_and_once_it_is_approved_the_next_one_goes_also_after_a_restart() {
    let (mut gateway, sink) = gateway("").await;
    let first = held(&gateway, to("user")).await;
    let second = held(&gateway, to("user")).await;
    gateway.moderation().take(first, approve(None)).await.unwrap();
    passes(&gateway, to("user")).await;
    held(&gateway, to("somebody")).await;
    gateway.restart().await;
    passes(&gateway, to("user")).await;
    passes(&gateway, to("USER")).await;
    held(&gateway, to("somebody")).await;
    gateway.moderation().take(second, reject()).await.unwrap();
    passes(&gateway, to("user")).await;
    drop(sink);
}

#[tokio::test]
async fn who_was_refused_stays_new() {
    let (gateway, _sink) = gateway("").await;
    let id = held(&gateway, to("user")).await;
    gateway.moderation().take(id, reject()).await.unwrap();
    held(&gateway, to("user")).await;
}

#[tokio::test]
async fn of_a_mail_that_is_approved_for_some_only_they_are_known() {
    let (gateway, _sink) = gateway("").await;
    let id = held(&gateway, to("user").to("other@local.example")).await;
    gateway.moderation().take(id, approve(Some(vec![1]))).await.unwrap();
    passes(&gateway, to("other")).await;
    held(&gateway, to("user")).await;
}

/// Mail counts once it goes, whoever let it go.
#[tokio::test]
async fn whom_an_operator_lets_mail_go_to_is_known_too_and_of_deleted_mail_nobody() {
    let (mut gateway, _sink) = gateway("").await;
    let (sent, deleted) = (held(&gateway, to("user")).await, held(&gateway, to("other")).await);
    gateway.queue().release(sent).await;
    gateway.queue().delete(deleted).await;
    passes(&gateway, to("user")).await;
    let later = held(&gateway, to("other")).await;
    gateway.stop().await;
    gateway.queue().release(later).await;
    gateway.start_again().await;
    passes(&gateway, to("other")).await;
}

/// Whoever answers is nobody new, and neither is whoever is answered.
#[tokio::test]
async fn a_mail_that_came_makes_both_known() {
    let (gateway, _sink) = gateway("senders = [\"@local.example\"]").await;
    passes(&gateway, mail().from("them@far.example").to("ann@local.example")).await;
    passes(&gateway, mail().from("ann@local.example").to("them@far.example")).await;
    held(&gateway, mail().from("bob@local.example").to("them@far.example")).await;
    held(&gateway, mail().from("ann@local.example").to("they@far.example")).await;
}

#[tokio::test]
async fn those_who_are_known_have_it_at_once_if_the_rule_splits() {
    let (gateway, _sink) = gateway("split = true").await;
    let id = held(&gateway, to("user")).await;
    gateway.moderation().take(id, approve(None)).await.unwrap();
    let answer = gateway.submit(to("user").to("other@local.example")).await;
    let reply = answer.reply().to_owned();
    let sent = answer.expect_accepted();
    let (_, held) = reply.split_once(" and ").expect("two mails");
    let held: QueueId = held.split(' ').next().unwrap().parse().unwrap();
    let case = gateway.moderation().case(held).unwrap();
    assert_eq!(case.mail.recipients[0].address.as_str(), "other@local.example");
    gateway.moderation().take(held, approve(None)).await.unwrap();
    gateway.log().expect(&format!("{sent}: removed")).await;
    passes(&gateway, to("user").to("other@local.example")).await;
}

/// What no rule asks for is not remembered; what needs nobody is, if a rule asks.
#[tokio::test]
async fn it_is_remembered_while_a_rule_asks_for_it_and_of_all_mail() {
    let sink = Sink::start(Script::smtp()).await;
    let trusted = "trusted_senders = [\"news@local.example\"]";
    let asking = setup(&sink, "").section("moderation", trusted);
    let mut gateway = Gateway::start(&Setup::before(&sink)).await;
    passes(&gateway, to("user")).await;
    gateway.reload(&asking).await.unwrap();
    held(&gateway, to("user")).await;
    passes(&gateway, mail().from("news@local.example").to("user@local.example")).await;
    gateway.reload(&setup(&sink, "")).await.unwrap();
    passes(&gateway, mail().from("news@local.example").to("user@local.example")).await;
    held(&gateway, mail().from("news@local.example").to("other@local.example")).await;
}

/// Whoever approves does not send what an operator must look at as well.
#[tokio::test]
async fn whom_a_mail_was_approved_for_is_new_until_an_operator_sends_it() {
    let sink = Sink::start(Script::smtp()).await;
    let gateway = Gateway::start(&setup(&sink, "").sections(HELD_BY_TABLE)).await;
    let secret = to("user").content("Subject: a secret\r\n\r\ntext\r\n");
    let id = gateway.submit(secret).await.expect_accepted();
    gateway.moderation().take(id, approve(None)).await.unwrap();
    held(&gateway, to("user")).await;
    gateway.queue().release(id).await;
    passes(&gateway, to("user")).await;
}

#[tokio::test]
async fn whom_an_operator_lets_mail_go_to_that_waited_for_nobody_else_is_known() {
    let sink = Sink::start(Script::smtp()).await;
    let trusted = "trusted_senders = [\"ann@local.example\"]";
    let with_table = |setup: Setup| setup.sections(HELD_BY_TABLE);
    let trusting = with_table(setup(&sink, "")).section("moderation", trusted);
    let mut gateway = Gateway::start(&trusting).await;
    let secret = |user| to(user).content("Subject: a secret\r\n\r\ntext\r\n");
    let sent = gateway.submit(secret("user")).await.expect_accepted();
    let waits = gateway.submit(secret("other")).await.expect_accepted();
    assert!([sent, waits].iter().all(|id| gateway.moderation().case(*id).is_none()));
    gateway.queue().release(sent).await;
    gateway.reload(&with_table(setup(&sink, ""))).await.unwrap();
    passes(&gateway, to("user")).await;
    held(&gateway, to("other")).await;
}

/// An approval left somebody out; the mail is held again by hand, and released past the case.
#[tokio::test]
async fn whom_an_approval_left_out_stays_new_whoever_releases_the_mail_later() {
    let sink = Sink::start(Script::smtp()).await;
    let unreachable = setup(&sink, "");
    drop(sink);
    let gateway = Gateway::start(&unreachable).await;
    let id = held(&gateway, to("user").to("other@local.example")).await;
    gateway.moderation().take(id, approve(Some(vec![0]))).await.unwrap();
    gateway.queue().expect(id, Place::Deferred).await;
    gateway.queue().hold(id).await;
    gateway.queue().release(id).await;
    passes(&gateway, to("user")).await;
    held(&gateway, to("other")).await;
}

/// No rule is asked about trusted mail, so nothing is known of its recipients until it is stored.
#[tokio::test]
async fn trusted_mail_leaves_a_later_day_as_it_is() {
    let sink = Sink::start(Script::smtp()).await;
    let trusted = "trusted_senders = [\"ann@local.example\"]";
    let mut gateway = Gateway::start(&setup(&sink, "").section("moderation", trusted)).await;
    passes(&gateway, to("user")).await;
    gateway.queue().expect_empty().await;
    gateway.stop().await;
    let (pair, today) = only_pair(&gateway);
    let ahead = today + 300;
    let store = gateway.open_store();
    let mut clock_was_ahead = Annex::default();
    clock_was_ahead.put_acquaintance(pair, ahead);
    store.write(clock_was_ahead).await.unwrap();
    store.shutdown().await;
    drop(store);
    gateway.start_again().await;
    passes(&gateway, to("user")).await;
    gateway.queue().expect_empty().await;
    gateway.stop().await;
    assert_eq!(only_pair(&gateway), (pair, ahead));
}

/// The only two who had mail of each other, and when they had it last.
fn only_pair(gateway: &Gateway) -> (Pair, Day) {
    let page = gateway.open_store().all_acquaintances(Pair::default(), 9).unwrap();
    let [(pair, last)] = page.pairs.as_slice() else { panic!("{} pairs", page.pairs.len()) };
    (*pair, *last.as_ref().unwrap())
}

const HELD_BY_TABLE: &str =
    "[checks]\nheader_checks = [\"regexp:{ {/^Subject: .*secret/ HOLD look at it} }\"]\n";

fn to(user: &str) -> Mail {
    mail().from("ann@local.example").to(&format!("{user}@local.example"))
}

fn setup(sink: &Sink, condition: &str) -> Setup {
    let trusted = "mode = \"mx\"\nnetworks = [\"127.0.0.0/8\"]";
    Setup::before(sink).listener("mx", trusted).sections(&format!(
        "[[moderation.rule]]\nname = \"new\"\naction = \"approval\"\nnew_correspondent = true\n\
         moderators = [\"boss@local.example\"]\ntells_sender = \"never\"\n{condition}\n"
    ))
}

async fn gateway(condition: &str) -> (Gateway, Sink) {
    let sink = Sink::start(Script::smtp()).await;
    (Gateway::start(&setup(&sink, condition)).await, sink)
}

async fn held(gateway: &Gateway, mail: Mail) -> QueueId {
    let answer = gateway.submit(mail).await;
    assert!(answer.reply().ends_with(" (held for approval)"), "{}", answer.reply());
    answer.expect_accepted()
}

async fn passes(gateway: &Gateway, mail: Mail) {
    let answer = gateway.submit(mail).await;
    assert!(!answer.reply().contains("held"), "{}", answer.reply());
    let _ = answer.expect_accepted();
}

fn by() -> By {
    let who = Actor::Moderator("boss@local.example".parse().unwrap());
    By { who, proof: Proof::Link, from: None }
}

fn approve(only: Option<Vec<u32>>) -> Command {
    Command::Approve { by: by(), comment: "".into(), only, at: None, trust_days: 0 }
}

fn reject() -> Command {
    Command::Reject { by: by(), reason: "no".into() }
}
