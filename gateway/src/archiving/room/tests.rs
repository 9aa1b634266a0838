//! What people see of an archive that no server writes.

use std::io::Read as _;

use mailweir_archive::entry::Capture;

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

fn with_mail(place: &std::path::Path, capture: Capture, content: &str) -> Room {
    let settings = config::Archive::in_dir(place);
    let (mut shelf, _) = Shelf::open(&settings, clock::now()).unwrap();
    let capture = Capture { size: content.len() as u64, ..capture };
    let content = bytes::Bytes::copy_from_slice(content.as_bytes());
    shelf.bring(&[(capture, content.into())], clock::now()).unwrap();
    shelf.seal(clock::now()).unwrap();
    drop(shelf);
    Room::of_files(&settings).unwrap().0
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
