//! What people see of an archive that no server writes.

use std::{fs, io::Read as _, ops::RangeInclusive, os::unix::fs::FileExt as _};

use mailweir_archive::{
    entry::{Capture, LegalHold},
    frame::Head,
};

use super::*;
use crate::archiving::sample::{self, imported};

/// Everybody whom the header names owns the mail that came from a file, and the copy may be that of somebody hidden.
#[tokio::test]
async fn the_content_of_imported_mail_tells_nobody_who_got_it_hidden() {
    let to_bob = "To: bob@own.example\r\nSubject: x\r\n";
    for (header, hidden, is_told) in [
        ("", None, true),
        ("Delivered-To: bob@own.example\r\n", None, true),
        ("Delivered-To: carol@own.example\r\n", Some("carol@own.example"), false),
        ("Bcc: Carol <carol@own.example>\r\n", Some("carol@own.example"), false),
        ("Received: from a by b for <carol@own.example>; x\r\n", None, false),
        // Of a journal report: the mail itself does not say so.
        ("", Some("carol@own.example"), true),
    ] {
        let content = format!("{header}{to_bob}\r\nwords\r\n");
        let recipients: Vec<_> = [Some("bob@own.example"), hidden].into_iter().flatten().collect();
        let id = QueueId::new(clock::now(), 1);
        let capture = Capture { envelope: sample::envelope(&recipients), ..imported(id, None) };
        let place = tempfile::tempdir().unwrap();
        let room = with_mail(place.path(), capture, &content);

        let told = content_of(&room, &bob(), id).await;
        match is_told {
            true => assert_eq!(told.unwrap(), content),
            false => {
                let error = told.unwrap_err();
                assert!(matches!(error, RoomError::NamesHidden(_)), "{header}: {error}");
                assert!(!error.to_string().contains("carol"), "{error}");
            }
        }
        assert_eq!(content_of(&room, &auditor(), id).await.unwrap(), content);
    }
}

/// What everybody got as it is, is told as it is.
#[tokio::test]
async fn the_content_of_accepted_mail_is_what_everybody_got() {
    let id = QueueId::new(clock::now(), 1);
    let envelope = sample::envelope(&["bob@own.example", "carol@own.example"]);
    let capture = Capture { id, envelope, ..sample::capture() };
    let content = "Bcc: carol@own.example\r\nTo: bob@own.example\r\n\r\nwords\r\n";
    let place = tempfile::tempdir().unwrap();
    let room = with_mail(place.path(), capture, content);
    assert_eq!(content_of(&room, &bob(), id).await.unwrap(), content);
}

/// The queue brings a mail again whose record was damaged before it was known to be written.
#[tokio::test]
async fn a_mail_that_is_there_twice_is_shown_by_the_record_that_can_be_read() {
    let place = tempfile::tempdir().unwrap();
    let settings = config::Archive::in_dir(place.path());
    let id = QueueId::new(clock::now(), 1);
    let envelope = sample::envelope(&["bob@own.example"]);
    let capture = Capture { id, envelope, ..sample::capture() };
    for _ in 0..2 {
        leave(&settings, capture.clone(), "Subject: x\r\n\r\nwords\r\n");
    }
    damage(&settings, 1);
    let room = Room::of_files(&settings).unwrap().0;
    for visitor in [auditor(), bob()] {
        let content = content_of(&room, &visitor, id).await.unwrap();
        assert_eq!(content, "Subject: x\r\n\r\nwords\r\n");
    }
    let shown = room.show(&auditor(), id).await.unwrap();
    assert_eq!((shown.seq, shown.capture.is_some(), shown.damage.len()), (Some(2), true, 1));
    damage(&settings, 2);
    let error = content_of(&room, &auditor(), id).await.unwrap_err();
    assert!(error.to_string().contains("record 1 was changed"), "{error}");
    let error = content_of(&room, &bob(), id).await.unwrap_err();
    assert!(matches!(error, RoomError::NoSuchMail(_)), "{error}");
}

/// A hold names the number of a mail: that needs no content.
#[tokio::test]
async fn a_damaged_mail_says_that_it_is_held_and_what_is_not_certain() {
    let place = tempfile::tempdir().unwrap();
    let settings = config::Archive::in_dir(place.path());
    let id = QueueId::new(clock::now(), 1);
    leave(&settings, Capture { id, ..sample::capture() }, "words");
    hold(&settings, "case-17", 1);
    hold(&settings, "case-18", 1);
    damage(&settings, 1);
    let room = Room::of_files(&settings).unwrap().0;
    let shown = room.show(&auditor(), id).await.unwrap();
    let both = ["case-17".into(), "case-18".into()];
    assert!(shown.capture.is_none() && shown.legal_hold_doubt.is_none());
    assert_eq!(shown.legal_holds, both);
    let holds = room.with(|shelf| shelf.known_holds().holds.clone()).await.unwrap();
    let lines =
        room.read(move |reading| reading.lines(&[1], &Sight::WithBcc, &holds)).await.unwrap();
    assert_eq!((&*lines[0].status, &lines[0].legal_holds[..]), ("damaged", &both[..]));

    drop(room);
    damage(&settings, 3);
    let room = Room::of_files(&settings).unwrap().0;
    let shown = room.show(&auditor(), id).await.unwrap();
    assert_eq!(shown.legal_holds, ["case-17".into()]);
    let doubt = shown.legal_hold_doubt.unwrap();
    assert!(doubt.contains("record 3 cannot be read and may be a legal hold"), "{doubt}");
}

#[tokio::test]
async fn a_damaged_record_of_a_use_hides_no_other() {
    let place = tempfile::tempdir().unwrap();
    let settings = config::Archive::in_dir(place.path());
    let id = QueueId::new(clock::now(), 1);
    leave(&settings, Capture { id, ..sample::capture() }, "words");
    let room = Room::of_files(&settings).unwrap().0;
    for _ in 0..4 {
        room.show(&auditor(), id).await.unwrap();
    }
    drop(room);
    damage(&settings, 3);
    forget(&settings, 4..=4);
    let room = Room::of_files(&settings).unwrap().0;
    let expected = ["a look", "record 4 cannot be read", "record 3 cannot be read", "a look"];
    assert_eq!(accesses(&room, 10).await, expected);
    assert_eq!(accesses(&room, 3).await, expected[..3]);
}

#[tokio::test]
async fn damaged_records_at_the_end_hide_no_use() {
    let place = tempfile::tempdir().unwrap();
    let settings = config::Archive::in_dir(place.path());
    let id = QueueId::new(clock::now(), 1);
    leave(&settings, Capture { id, ..sample::capture() }, "words");
    let room = Room::of_files(&settings).unwrap().0;
    for _ in 0..3 {
        room.show(&auditor(), id).await.unwrap();
    }
    room.with(|shelf| shelf.seal(clock::now())).await.unwrap().unwrap();
    drop(room);
    for (lost, expected) in [
        (3..=4, &["record 3..4 cannot be read", "a look"][..]),
        (1..=2, &["record 1..4 cannot be read"]),
    ] {
        forget(&settings, lost);
        let room = Room::of_files(&settings).unwrap().0;
        assert_eq!(accesses(&room, 10).await, expected);
    }
}

/// Who used the archive, the latest first, in short.
async fn accesses(room: &Room, limit: usize) -> Vec<String> {
    let (answers, mut told) = mpsc::channel(16);
    room.accesses(limit, &answers).await.unwrap();
    drop(answers);
    let mut seen = Vec::new();
    while let Some(one) = told.recv().await {
        seen.push(match one {
            Told::Access { .. } => "a look".to_owned(),
            Told::UnreadAccess { why, .. } => why.split(": ").next().unwrap().to_owned(),
            other => panic!("{other:?}"),
        });
    }
    seen
}

/// Leaves a single mail.
fn with_mail(place: &std::path::Path, capture: Capture, content: &str) -> Room {
    let settings = config::Archive::in_dir(place);
    leave(&settings, capture, content);
    Room::of_files(&settings).unwrap().0
}

fn leave(settings: &config::Archive, capture: Capture, content: &str) {
    let (mut shelf, _) = Shelf::open(settings, clock::now()).unwrap();
    let capture = Capture { size: content.len() as u64, ..capture };
    let content = bytes::Bytes::copy_from_slice(content.as_bytes());
    shelf.bring(&[(capture, content.into())], clock::now()).unwrap();
    shelf.seal(clock::now()).unwrap();
}

fn hold(settings: &config::Archive, case: &str, seq: Seq) {
    let (mut shelf, _) = Shelf::open(settings, clock::now()).unwrap();
    let (case, by, reason) = (case.into(), "Ann".into(), "a court asked".into());
    let hold = LegalHold { case, by, reason, mails: vec![seq], people: Vec::new() };
    shelf.hold(hold, clock::now()).unwrap();
}

/// Damages the payload of a record.
fn damage(settings: &config::Archive, seq: Seq) {
    let places = Places::new(&settings.directory);
    let row = Rows::open(&places.catalogue()).unwrap().get(seq).unwrap().unwrap();
    flip(&places.segment(row.place.segment), row.place.at + Head::LEN as u64 + 1);
}

/// Damages the heads of records, so that nobody knows what they were.
fn forget(settings: &config::Archive, seqs: RangeInclusive<Seq>) {
    let places = Places::new(&settings.directory);
    let rows = Rows::open(&places.catalogue()).unwrap();
    for seq in seqs {
        let place = rows.get(seq).unwrap().unwrap().place;
        flip(&places.segment(place.segment), place.at + 20);
    }
    fs::remove_file(places.catalogue()).unwrap();
}

fn flip(file: &std::path::Path, at: u64) {
    let file = fs::File::options().read(true).write(true).open(file).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ 1], at).unwrap();
}

async fn content_of(room: &Room, visitor: &Visitor, id: QueueId) -> Result<String, RoomError> {
    let (size, mut payload) = room.content(visitor, id).await?;
    let mut content = String::new();
    payload.read_to_string(&mut content).unwrap();
    assert_eq!(size, content.len() as u64);
    Ok(content)
}

fn bob() -> Visitor {
    let sight = Sight::Own(vec!["bob@own.example".to_owned()]);
    Visitor { by: "bob".into(), from: None, sight }
}

fn auditor() -> Visitor {
    Visitor { by: "Ann".into(), from: None, sight: Sight::WithBcc }
}
