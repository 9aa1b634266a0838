use std::fs;

use bytes::Bytes;
use mailweir_archive::entry::Erasure;
use mailweir_mail::{HoldReason, QueueId};
use mailweir_queue::{Disposition, NewMail};
use tempfile::TempDir;

use super::{shelf::Fate, *};
use crate::store::Store;

#[tokio::test]
async fn whoever_asked_for_what_came_to_no_end_is_not_told_that_the_server_ends() {
    let (_place, archiver) = archiver();
    let end = archiver.end.clone();
    let running = tokio::spawn(Arc::clone(&archiver).run());
    let fault = archiver.with(|shelf| assert_eq!(shelf.last(), 7, "a fault")).await;
    let why = fault.unwrap_err().to_string();
    assert!(why.contains("a fault of this program"), "{why}");
    end.cancel();
    running.await.unwrap();
    let why = archiver.with(|_| ()).await.unwrap_err().to_string();
    assert!(why.contains("the server ends"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn what_is_erased_and_not_gone_is_tried_again_though_people_never_stop_asking() {
    let (place, archiver) = archiver();
    tokio::spawn(Arc::clone(&archiver).run());
    // What lies there is looked through for more of the same mail.
    let torn = place.path().join("archive/torn");
    let fates = archiver.with({
        let torn = torn.clone();
        move |shelf| {
            let now = clock::now();
            let mails = [(sample::imported(QueueId::new(now, 1), None), Bytes::new().into())];
            let mail = shelf.bring(&mails, now).unwrap()[0].head.seq;
            fs::write(torn, "").unwrap();
            shelf.erase(&[mail], &Erasure::Requested { reason: "".into() }, None, now).unwrap()
        }
    });
    assert!(matches!(fates.await.unwrap()[..], [Fate::Left(2, _)]));
    ask_every_half_minute(&archiver).await;
    assert!(archiver.with(|shelf| shelf.has_unreleased()).await.unwrap(), "it cannot be yet");
    fs::remove_file(torn).unwrap();
    ask_every_half_minute(&archiver).await;
    assert!(!archiver.with(|shelf| shelf.has_unreleased()).await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn mail_that_was_put_aside_is_taken_later_though_people_never_stop_asking() {
    let (_place, archiver) = archiver();
    let mail = NewMail {
        envelope: sample::envelope(&["bob@own.example"]),
        origin: sample::capture().origin,
        // What is under way is not owed yet.
        disposition: Disposition::Held(HoldReason::new("rule")),
        archive: Some(Bytes::new()),
    };
    let mut intake = archiver.queue.intake(0).unwrap();
    intake.write(b"words\r\n").await.unwrap();
    intake.commit(mail).await.unwrap();
    let owed = archiver.queue.next_to_archive(1).await.pop().unwrap();
    archiver.put_aside(owed, &"a disk");
    tokio::spawn(Arc::clone(&archiver).run());
    ask_every_half_minute(&archiver).await;
    assert_eq!(archiver.with(|shelf| shelf.last()).await, Ok(1));
}

/// For three minutes.
async fn ask_every_half_minute(archiver: &Archiver) {
    for _ in 0..6 {
        tokio::time::sleep(Duration::from_secs(30)).await;
        archiver.with(|_| ()).await.unwrap();
    }
}

fn archiver() -> (TempDir, Arc<Archiver>) {
    let place = tempfile::tempdir().unwrap();
    let queue = Store::in_dir(place.path()).open(|_| {}).unwrap();
    let settings = config::Archive::in_dir(&place.path().join("archive"));
    let (observer, end) = (Observer::heard_by(|_| {}).unwrap(), CancellationToken::new());
    let archiver = Archiver::new(settings, queue, observer, end);
    (place, Arc::new(archiver))
}
