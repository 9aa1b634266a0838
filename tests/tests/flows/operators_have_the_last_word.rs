//! Mail that waits for people, and that an operator must look at as well; and operators who are faster.

use mailweir::control::operation::{Answer, Operation, Place, Selection};
use mailweir_mail::QueueId;
use mailweir_moderation::{
    case::{Actor, By, Command, Proof},
    deed::Deed,
    search::{Query, StateFilter},
};
use mailweir_tests::{
    gateway::{Gateway, Setup, mail},
    sink::{Script, Sink},
};

#[tokio::test]
async fn who_was_left_out_gets_nothing_and_the_sender_hears_only_when_it_is_sent() {
    let (gateway, sink) = start(HELD_TWICE).await;
    let id = submit(&gateway).await;
    let asked = sink.expect(2).await;
    let mut asked = recipients(&asked);
    asked.sort();
    assert_eq!(asked, ["boss@local.example", "sender@local.example"]);
    let only = Some(vec!["one@local.example".parse().unwrap()]);
    decide(&gateway, id, Deed::Approve { comment: "".into(), only, at: None, trust_days: 0 }).await;
    gateway
        .log()
        .expect(&format!("{id}: approved (administrator operator), still on hold: "))
        .await;
    gateway.queue().expect(id, Place::Hold).await;
    let details = gateway.queue().show(id).await;
    let reason = details.entry.hold_reason.unwrap();
    assert!(!reason.as_str().contains("moderation"), "{reason:?}");
    let file = gateway.moderation().case(id).unwrap();
    assert_eq!(file.state_name(), "approved");
    assert_eq!(found(&gateway, &Query::default()).await, [id], "an operator is to do something");
    assert_eq!(found(&gateway, &by_state(StateFilter::Approved)).await, [id]);
    assert_eq!(found(&gateway, &by_state(StateFilter::Released)).await, []);
    assert_eq!(sink.expect(3).await[2].recipients(), ["boss@local.example"]);

    gateway.queue().release(id).await;
    let all = sink.expect(5).await;
    let mut later = recipients(&all[3..]);
    later.sort();
    assert_eq!(later, ["one@local.example", "sender@local.example"]);
    gateway.queue().expect_empty().await;
    let file = gateway.moderation().case(id).unwrap();
    assert_eq!(
        file.standing(),
        "approved by administrator operator, released by operator operator"
    );
}

#[tokio::test]
async fn what_an_operator_deletes_after_an_approval_is_not_said_to_be_sent() {
    let (gateway, sink) = start(HELD_TWICE).await;
    let id = submit(&gateway).await;
    sink.expect(2).await;
    let approve = Deed::Approve { comment: "".into(), only: None, at: None, trust_days: 0 };
    decide(&gateway, id, approve).await;
    gateway.queue().delete(id).await;
    gateway.queue().expect_empty().await;
    assert_eq!(gateway.moderation().case(id).unwrap().state_name(), "discarded");
    assert_eq!(found(&gateway, &by_state(StateFilter::Discarded)).await, [id]);
    assert_eq!(found(&gateway, &Query::default()).await, []);
    assert_eq!(recipients(&sink.expect(3).await)[2], "boss@local.example");
}

#[tokio::test]
async fn an_operator_who_is_faster_ends_the_case_at_once_and_people_hear_of_it() {
    for (is_sent, state, mails) in [(true, "released", 5), (false, "discarded", 3)] {
        let (gateway, sink) = start("").await;
        let id = submit(&gateway).await;
        sink.expect(2).await;
        match is_sent {
            true => gateway.queue().release(id).await,
            false => gateway.queue().delete(id).await,
        }
        let file = gateway.moderation().case(id).unwrap();
        assert_eq!(file.standing(), format!("{state} by administrator operator"));
        gateway.queue().expect_empty().await;
        let told = recipients(&sink.expect(mails).await[2..]);
        assert!(told.contains(&"boss@local.example".to_owned()), "{told:?}");
    }
}

#[tokio::test]
async fn only_who_names_a_mail_that_waits_releases_or_deletes_it_and_nobody_requeues_it() {
    let (gateway, sink) = start("").await;
    let id = submit(&gateway).await;
    sink.expect(2).await;
    let requeue = Operation::Requeue { mails: Selection::Ids(vec![id]) };
    let told = gateway.queue().ask(requeue).await;
    let [Answer::Refused { reason, .. }] = &told[..] else { panic!("{told:?}") };
    for way in ["mailweir moderation approve", "mailweir queue release"] {
        assert!(reason.contains(&format!("`{way} {id}`")), "{reason}");
    }
    let all = || Selection::All;
    for wish in [
        Operation::Requeue { mails: all() },
        Operation::Release { mails: all() },
        Operation::Delete { mails: all() },
    ] {
        assert_eq!(gateway.queue().ask(wish).await, [Answer::Skipped { mails: 1 }]);
    }
    assert_eq!(gateway.queue().show(id).await.entry.queue_name, Place::Hold);
    assert_eq!(gateway.moderation().case(id).unwrap().state_name(), "waiting");
    gateway.queue().release(id).await;
    gateway.queue().expect_empty().await;
    assert!(recipients(&sink.expect(5).await).contains(&"one@local.example".to_owned()));
}

#[tokio::test]
async fn all_means_a_mail_that_people_let_go_and_that_an_operator_must_see() {
    for wish in
        [Operation::Requeue { mails: Selection::All }, Operation::Release { mails: Selection::All }]
    {
        let (gateway, sink) = start(HELD_TWICE).await;
        let id = submit(&gateway).await;
        sink.expect(2).await;
        let approve = Deed::Approve { comment: "".into(), only: None, at: None, trust_days: 0 };
        decide(&gateway, id, approve).await;
        sink.expect(3).await;
        assert_eq!(gateway.queue().ask(wish).await, [Answer::Changed { id }]);
        let standing = gateway.moderation().case(id).unwrap().standing();
        assert!(standing.ends_with(", released by operator operator"), "{standing}");
    }
}

#[tokio::test]
async fn administrators_find_forward_and_take_back_what_waits() {
    let (gateway, sink) = start("").await;
    let (first, second) = (submit(&gateway).await, submit(&gateway).await);
    sink.expect(4).await;
    let all = Query::default();
    assert_eq!(found(&gateway, &all).await, [first, second]);
    let forward = Deed::Forward { to: "lee@local.example".parse().unwrap() };
    decide(&gateway, second, forward).await;
    let mine = |who: &str| Query { mine: Some(who.parse().unwrap()), ..Query::default() };
    assert_eq!(found(&gateway, &mine("lee@local.example")).await, [second]);
    assert_eq!(found(&gateway, &mine("boss@local.example")).await, [first, second]);
    decide(&gateway, first, Deed::Cancel).await;
    assert_eq!(found(&gateway, &by_state(StateFilter::Cancelled)).await, [first]);
    let words =
        |words: &str| Query { words: words.into(), state: StateFilter::All, ..Query::default() };
    assert_eq!(found(&gateway, &words("ONE@local secret")).await, [first, second]);
    assert_eq!(found(&gateway, &words(&second.to_string())).await, [second]);
    assert_eq!(found(&gateway, &words("nothing")).await, []);

    // Who comes late hears who was first, and when.
    let operation = Operation::Decide { id: first, deed: Deed::Cancel };
    let [Answer::Refused { reason, .. }] = &gateway.queue().ask(operation).await[..] else {
        panic!("decided twice")
    };
    let told = "it was decided before: cancelled by administrator operator, ";
    assert!(reason.starts_with(told), "{reason}");
}

#[tokio::test]
async fn the_journal_of_a_running_gateway_is_whole_and_says_who() {
    let (gateway, sink) = start("").await;
    let id = submit(&gateway).await;
    sink.expect(2).await;
    let who = Actor::Moderator("boss@local.example".parse().unwrap());
    let by = By { who, proof: Proof::Link, from: Some([127, 0, 0, 1].into()) };
    let reject = Command::Reject { by, reason: "not so".into() };
    gateway.moderation().take(id, reject).await.unwrap();
    let told = gateway.queue().ask(Operation::Journal { id: Some(id), verdict: false }).await;
    let [Answer::JournalEntry(_), Answer::JournalEntry(last), Answer::JournalVerdict(end)] =
        &told[..]
    else {
        panic!("{told:?}")
    };
    for part in ["boss@local.example", "\"link\"", "127.0.0.1", "rejected", "not so"] {
        assert!(last.text.contains(part), "{part}: {}", last.text);
    }
    assert_eq!((end.entries, &end.broken, &*end.missing), (2, &None, &[][..]));
}

async fn start(more: &str) -> (Gateway, Sink) {
    let sink = Sink::start(Script::smtp()).await;
    let setup = Setup::before(&sink).in_front_of_us().sections(RULE);
    (Gateway::start(&setup.sections(more)).await, sink)
}

async fn submit(gateway: &Gateway) -> QueueId {
    let mail = mail().from("sender@local.example").to("one@local.example").to("two@local.example");
    let answer = gateway.submit(mail.content("Subject: a secret\r\n\r\ntext\r\n")).await;
    answer.expect_accepted()
}

async fn decide(gateway: &Gateway, id: QueueId, deed: Deed) {
    let told = gateway.queue().ask(Operation::Decide { id, deed }).await;
    assert!(matches!(told[..], [Answer::Changed { .. }]), "{told:?}");
}

fn by_state(state: StateFilter) -> Query {
    Query { state, ..Query::default() }
}

async fn found(gateway: &Gateway, query: &Query) -> Vec<QueueId> {
    let told = gateway.queue().ask(Operation::Cases { query: query.clone(), limit: 9 }).await;
    let id = |answer| match answer {
        Answer::Case { id, .. } => id,
        other => panic!("{other:?}"),
    };
    told.into_iter().map(id).collect()
}

fn recipients(mails: &[mailweir_tests::sink::Received]) -> Vec<String> {
    mails.iter().flat_map(|mail| mail.recipients().to_vec()).map(|one| one.to_string()).collect()
}

const RULE: &str = "[[moderation.rule]]\nname = \"secrets\"\naction = \"approval\"\n\
     subject = [\"secret\"]\nmoderators = [\"boss@local.example\"]\n";

const HELD_TWICE: &str =
    "[checks]\nheader_checks = [\"regexp:{ {/^Subject: .*secret/ HOLD look at it} }\"]\n";
