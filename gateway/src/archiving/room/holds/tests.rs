use std::{fs, os::unix::fs::FileExt as _};

use bytes::Bytes;
use mailweir_archive::{Place, Places, catalogue::Rows, frame::Head};
use mailweir_mail::QueueId;
use tokio::sync::mpsc;

use super::*;
use crate::{
    archiving::{indexing::Sight, sample::imported, words::Ask},
    config,
};

/// What of a record is damaged.
#[derive(Clone, Copy, Debug)]
enum Harm {
    Head,
    Payload,
}

#[tokio::test]
async fn what_may_be_a_hold_stops_erasing_until_somebody_answers_for_it() {
    for harm in [Harm::Head, Harm::Payload] {
        let place = tempfile::tempdir().unwrap();
        let settings = config::Archive::in_dir(place.path());
        let ids = leave(&settings);
        damage(&settings, harm);
        let room = Room::of_files(&settings).unwrap().0;
        let [Told::Kept { why, .. }] = &erase(&room, ids[0]).await[..] else { panic!() };
        assert!(why.contains("mailweir archive hold lift --record 2 ends"), "{harm:?}: {why}");
        let listed = ask(&room, Ask::Holds).await;
        let [Told::Hold(other), Told::Unread { records, .. }] = &listed[..] else { panic!() };
        assert_eq!((&*other.case, *records), ("other", Span::of(2)), "{harm:?}");
        for readable in ["1", "2..3", "4", "99"] {
            let told = lift(&room, unread(readable)).await;
            assert!(matches!(&told[..], [Told::Failed { .. }]), "{readable}: {told:?}");
        }
        let told = lift(&room, unread("2")).await;
        assert!(matches!(&told[..], [Told::Done { .. }]), "{told:?}");
        assert!(matches!(erase(&room, ids[0]).await[..], [Told::Erased { .. }]));
        assert!(matches!(lift(&room, unread("2")).await[..], [Told::Failed { .. }]), "it is done");
        drop(room);
        let room = Room::of_files(&settings).unwrap().0;
        assert!(matches!(erase(&room, ids[1]).await[..], [Told::Erased { .. }]));
        let [Told::Kept { why, .. }] = &erase(&room, ids[2]).await[..] else { panic!() };
        assert_eq!(&**why, "legal hold other", "it can be read");
        let listed = ask(&room, Ask::Holds).await;
        let [Told::Hold(_), Told::Lifted { lifted, .. }] = &listed[..] else {
            panic!("{listed:?}")
        };
        assert_eq!((&lifted.what, &*lifted.by), (&Lift::Unread(Span::of(2)), "Ann"));
    }
}

/// Whoever is told that mail is held can rely on it.
#[tokio::test]
async fn mail_that_is_erased_is_not_said_to_be_held() {
    let place = tempfile::tempdir().unwrap();
    let settings = config::Archive::in_dir(place.path());
    let ids = leave(&settings);
    let room = Room::of_files(&settings).unwrap().0;
    let told = lift(&room, Lift::Case("one".into())).await;
    assert!(matches!(told[..], [Told::Done { .. }]));
    assert!(matches!(erase(&room, ids[1]).await[..], [Told::Erased { .. }]));
    let hold = |ids: &[QueueId]| {
        Ask::Hold(Hold {
            case: "late".into(),
            reason: "a court asked".into(),
            ids: ids.to_vec(),
            query: None,
            utc_offset: 0,
            people: Vec::new(),
        })
    };
    let [Told::Failed { reason }] = &ask(&room, hold(&ids[1..2])).await[..] else { panic!() };
    assert!(reason.contains("erased already"), "{reason}");
    let [Told::Done { text }] = &ask(&room, hold(&ids[1..])).await[..] else { panic!() };
    assert_eq!(&**text, "legal hold late: it means 1 mail; 1 mail was erased already");
}

/// The record of the hold is the last of all, and the archive ends before it.
#[tokio::test]
async fn a_hold_that_was_lost_stops_erasing_until_somebody_answers_for_it() {
    let place = tempfile::tempdir().unwrap();
    let settings = config::Archive::in_dir(place.path());
    let ids = leave(&settings);
    let last = lose_the_last(&settings);
    for _ in 0..2 {
        let room = Room::of_files(&settings).unwrap().0;
        let [Told::Kept { why, .. }] = &erase(&room, ids[2]).await[..] else { panic!() };
        assert!(why.contains("mailweir archive hold lift --lost 5 ends"), "{why}");
        let listed = ask(&room, Ask::Holds).await;
        let [Told::Hold(one), Told::Lost { records, .. }] = &listed[..] else {
            panic!("{listed:?}")
        };
        assert_eq!((&*one.case, *records), ("one", last));
    }
    let room = Room::of_files(&settings).unwrap().0;
    let hold = Hold {
        case: "other".into(),
        reason: "a court asked".into(),
        ids: vec![ids[2]],
        query: None,
        utc_offset: 0,
        people: Vec::new(),
    };
    // It gets the number of the one that was lost.
    assert!(matches!(ask(&room, Ask::Hold(hold)).await[..], [Told::Done { .. }]));
    for other in ["4", "5..6", "6"] {
        let told = lift(&room, lost(other)).await;
        assert!(matches!(&told[..], [Told::Failed { .. }]), "{other}: {told:?}");
    }
    assert!(matches!(lift(&room, lost("5")).await[..], [Told::Done { .. }]));
    assert!(matches!(lift(&room, lost("5")).await[..], [Told::Failed { .. }]), "it is done");
    drop(room);
    let room = Room::of_files(&settings).unwrap().0;
    let listed = ask(&room, Ask::Holds).await;
    let [Told::Hold(one), Told::Hold(other), Told::Lifted { lifted, .. }] = &listed[..] else {
        panic!("{listed:?}")
    };
    assert_eq!((&*one.case, &*other.case), ("one", "other"));
    assert_eq!((&lifted.what, &*lifted.by), (&Lift::Lost(last), "Ann"));
    assert!(matches!(erase(&room, ids[1]).await[..], [Told::Erased { .. }]));
    let [Told::Kept { why, .. }] = &erase(&room, ids[2]).await[..] else { panic!() };
    assert_eq!(&**why, "legal hold other", "another record has the number of a lost one");
}

/// Cuts off the last segment before its last group, as a disk may that was put back.
fn lose_the_last(settings: &config::Archive) -> Span {
    let places = Places::new(&settings.directory);
    let Place { segment, at } =
        Rows::open(&places.catalogue()).unwrap().get(5).unwrap().unwrap().place;
    let file = fs::OpenOptions::new().write(true).open(places.segment(segment)).unwrap();
    file.set_len(at).unwrap();
    fs::remove_file(places.roots()).unwrap();
    Span::of(5)
}

/// Leaves three mails, of which the first is held by record 2, and the last by record 5.
fn leave(settings: &config::Archive) -> [QueueId; 3] {
    let (mut shelf, _) = Shelf::open(settings, clock::now()).unwrap();
    let ids = [1, 2, 3].map(|serial| QueueId::new(clock::now(), serial));
    let bring = |shelf: &mut Shelf, id| {
        let written =
            shelf.bring(&[(imported(id, None), Bytes::new().into())], clock::now()).unwrap();
        written[0].head.seq
    };
    let hold = |case: &str, seq| LegalHold {
        case: case.into(),
        by: "Ann".into(),
        reason: "a court asked".into(),
        mails: vec![seq],
        people: Vec::new(),
    };
    let first = bring(&mut shelf, ids[0]);
    shelf.hold(hold("one", first), clock::now()).unwrap();
    bring(&mut shelf, ids[1]);
    let last = bring(&mut shelf, ids[2]);
    shelf.hold(hold("other", last), clock::now()).unwrap();
    shelf.seal(clock::now()).unwrap();
    ids
}

fn damage(settings: &config::Archive, harm: Harm) {
    let places = Places::new(&settings.directory);
    let rows = Rows::open(&places.catalogue()).unwrap();
    let Place { segment, at } = rows.get(2).unwrap().unwrap().place;
    let byte = match harm {
        Harm::Head => {
            fs::remove_file(places.catalogue()).unwrap();
            at + 8
        }
        Harm::Payload => at + Head::LEN as u64 + 8,
    };
    let mut file = fs::OpenOptions::new();
    let file = file.read(true).write(true).open(places.segment(segment)).unwrap();
    let mut bytes = [0];
    file.read_exact_at(&mut bytes, byte).unwrap();
    file.write_all_at(&[bytes[0] ^ 1], byte).unwrap();
}

async fn erase(room: &Room, id: QueueId) -> Vec<Told> {
    ask(room, Ask::Erase { ids: vec![id], reason: "request 7".into() }).await
}

async fn lift(room: &Room, what: Lift) -> Vec<Told> {
    ask(room, Ask::Lift { what, reason: "the disk failed".into() }).await
}

fn unread(records: &str) -> Lift {
    Lift::Unread(records.parse().unwrap())
}

fn lost(records: &str) -> Lift {
    Lift::Lost(records.parse().unwrap())
}

async fn ask(room: &Room, ask: Ask) -> Vec<Told> {
    let (answers, mut told) = mpsc::channel(16);
    let visitor = Visitor { by: "Ann".into(), from: None, sight: Sight::WithBcc };
    room.ask(&visitor, ask, &answers).await.unwrap();
    drop(answers);
    let mut all = Vec::new();
    while let Some(one) = told.recv().await {
        all.push(one);
    }
    all
}
