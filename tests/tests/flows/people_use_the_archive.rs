//! Auditors and operators look at archived mail, hold it for a court, and erase it; and the archive knows who did
//! what. Row A2 of the mission.

use mailweir::archiving::words::{Ask, Hold, Shown, Told};
use mailweir_archive::entry::{AccessDeed, Ending, Erasure, Lift};
use mailweir_mail::QueueId;
use mailweir_tests::{
    gateway::{Gateway, mail_to},
    program, wait,
};

#[tokio::test]
async fn what_is_looked_at_is_shown_whole_and_who_looked_is_written_down() {
    let (gateway, archive, _sink) = Gateway::archiving("").await;
    let id = gateway.accept(mail_to("user").to("hidden@local.example")).await;
    archive.expect_ended(id).await;
    let shown = show(&gateway, id).await;
    let capture = shown.capture.unwrap();
    assert_eq!(capture.envelope.recipients.len(), 2);
    assert_eq!(shown.outcomes[0].end, Ending::Delivered);
    assert!(shown.accesses.is_empty() && shown.damage.is_empty());
    let again = show(&gateway, id).await;
    let [(_, access)] = &again.accesses[..] else { panic!("{again:?}") };
    assert_eq!((&*access.by, &access.deed), ("operator", &AccessDeed::Viewed { hidden: true }));
    let unknown = QueueId::new(id.arrival(), 77);
    expect_failed(&gateway, Ask::Show { id: unknown }, "no such mail").await;
    assert_eq!(archive.expect_sound(), 4);
}

#[tokio::test]
async fn what_a_legal_hold_means_is_not_erased_until_it_is_lifted() {
    let (mut gateway, archive, _sink) = Gateway::archiving("").await;
    let named = gateway.accept(mail_to("user")).await;
    let of_ann = gateway.accept(mail_to("user").from("ann@own.example")).await;
    let other = gateway.accept(mail_to("other")).await;
    for id in [named, of_ann, other] {
        archive.expect_ended(id).await;
    }
    hold(&gateway, "one", vec![named], &[]).await;
    hold(&gateway, "all of ann", vec![], &["ANN@own.example"]).await;
    // Holds are records, and not of one life.
    gateway.restart().await;
    let cases = gateway.queue().ask_archive(Ask::Holds).await;
    let names: Vec<_> = cases.iter().map(|case| format!("{case:?}")).collect();
    assert!(names.len() == 2 && names[0].contains("all of ann") && names[1].contains("one"));
    assert_eq!(show(&gateway, named).await.legal_holds, ["one".into()]);

    let erased = erase(&gateway, vec![named, of_ann, other]).await;
    assert!(matches!(&erased[0], Told::Kept { why, .. } if why.contains("one")), "{erased:?}");
    assert!(matches!(&erased[1], Told::Kept { why, .. } if why.contains("all of ann")));
    assert!(matches!(&erased[2], Told::Erased { record: Some(_), .. }));
    let case = "one".into();
    gateway
        .queue()
        .ask_archive(Ask::Lift { what: Lift::Case(case), reason: "it is over".into() })
        .await;
    assert!(matches!(erase(&gateway, vec![named]).await[0], Told::Erased { .. }));
    let lift = Ask::Lift { what: Lift::Case("one".into()), reason: "again".into() };
    expect_failed(&gateway, lift, "no legal hold").await;
    assert_eq!(archive.expect_sound(), 14);
}

#[tokio::test]
async fn what_is_erased_is_gone_and_that_it_was_there_can_be_proven() {
    let (mut gateway, archive, _sink) = Gateway::archiving("").await;
    let id = gateway.accept(mail_to("user")).await;
    let other = gateway.accept(mail_to("other")).await;
    let content = archive.expect_ended(id).await.capture.content;
    archive.expect_ended(other).await;
    assert!(archive.has_bytes_of(id));
    assert!(matches!(erase(&gateway, vec![id]).await[0], Told::Erased { .. }));
    assert!(!archive.has_bytes_of(id) && archive.has_bytes_of(other));
    gateway.restart().await;
    let shown = show(&gateway, id).await;
    let (_, erased) = shown.erased.unwrap();
    assert_eq!(erased.content, content);
    assert_eq!(erased.by.as_deref(), Some("operator"));
    assert_eq!(erased.why, Erasure::Requested { reason: "request 17".into() });
    assert!(shown.capture.is_none() && shown.outcomes.is_empty() && shown.damage.is_empty());
    let again = erase(&gateway, vec![id]).await;
    assert!(matches!(&again[0], Told::Kept { why, .. } if why.contains("already")), "{again:?}");
    assert!(show(&gateway, other).await.capture.is_some());
    assert_eq!(archive.expect_sound(), 8);
}

#[tokio::test]
async fn a_mail_is_sent_again_as_it_was_and_is_not_archived_twice() {
    let (gateway, archive, sink) = Gateway::archiving("").await;
    let id = gateway.accept(mail_to("user").to("hidden@local.example")).await;
    let content = archive.expect_ended(id).await.content;
    sink.expect(1).await;
    gateway.queue().expect_empty().await;
    let to = vec!["lost@local.example".parse().unwrap()];
    let told = gateway.queue().ask_archive(Ask::Restore { id, to }).await;
    assert!(matches!(&told[..], [Told::Done { text }] if text.contains("lost@")), "{told:?}");
    let sent = sink.expect(2).await;
    let again = sent.iter().find(|mail| mail.recipients() == ["lost@local.example"]).unwrap();
    let sent_again = again.content().to_vec();
    let (block, rest) = sent_again.split_at(sent_again.len() - content.len());
    assert_eq!(rest, content, "nothing of it has changed");
    let block = String::from_utf8_lossy(block);
    for field in ["Resent-Date: ", "Resent-From: postmaster@", "Resent-To: lost@local.example\r\n"]
    {
        assert!(block.contains(field), "{block}");
    }
    gateway.queue().expect_empty().await;
    let [access] = &archive.accesses()[..] else { panic!("one access") };
    assert!(
        matches!(&access.deed, AccessDeed::Restored { to, .. } if &**to == "lost@local.example")
    );
    assert_eq!(archive.expect_sound(), 3, "the mail, its end, and that it was sent again");
}

/// What is found now is held, and nothing that comes later.
#[tokio::test]
async fn a_search_says_what_a_legal_hold_means() {
    if program::require().is_none() {
        return;
    }
    let (gateway, archive, _sink) = Gateway::archiving("").await;
    let found = gateway.accept(mail_to("user").content("Subject: contract\r\n\r\nx\r\n")).await;
    let other = gateway.accept(mail_to("user").content("Subject: lunch\r\n\r\nx\r\n")).await;
    for id in [found, other] {
        archive.expect_ended(id).await;
    }
    let (case, reason) = ("one".into(), "a court asked".into());
    let (ids, people) = (Vec::new(), Vec::new());
    let hold =
        Hold { case, reason, ids, query: Some("subject:contract".into()), utc_offset: 0, people };
    let hold = async || {
        let told = gateway.queue().ask_archive(Ask::Hold(hold.clone())).await;
        matches!(&told[..], [Told::Done { text }] if text.contains("it means 1 mail"))
    };
    wait::until_true("the index", hold).await;
    let later = gateway.accept(mail_to("user").content("Subject: contract\r\n\r\nx\r\n")).await;
    archive.expect_ended(later).await;
    let erased = erase(&gateway, vec![found, other, later]).await;
    let is_erased: Vec<_> = erased.iter().map(|told| matches!(told, Told::Erased { .. })).collect();
    assert_eq!(is_erased, [false, true, true], "{erased:?}");
}

async fn show(gateway: &Gateway, id: QueueId) -> Shown {
    let told = gateway.queue().ask_archive(Ask::Show { id }).await;
    let [Told::Shown(shown)] = &told[..] else { panic!("{told:?}\n{}", gateway.log()) };
    (**shown).clone()
}

async fn hold(gateway: &Gateway, case: &str, ids: Vec<QueueId>, people: &[&str]) {
    let people = people.iter().map(|person| person.parse().unwrap()).collect();
    let (case, reason) = (case.into(), "a court asked".into());
    let hold = Hold { case, reason, ids, query: None, utc_offset: 0, people };
    let told = gateway.queue().ask_archive(Ask::Hold(hold)).await;
    assert!(matches!(told[..], [Told::Done { .. }]), "{told:?}");
}

async fn erase(gateway: &Gateway, ids: Vec<QueueId>) -> Vec<Told> {
    gateway.queue().ask_archive(Ask::Erase { ids, reason: "request 17".into() }).await
}

async fn expect_failed(gateway: &Gateway, ask: Ask, words: &str) {
    let told = gateway.queue().ask_archive(ask).await;
    assert!(matches!(&told[..], [Told::Failed { reason }] if reason.contains(words)), "{told:?}");
}
