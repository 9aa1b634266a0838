use std::{fs, path::Path};

use bytes::Bytes;
use mailweir_archive::{catalogue::MOST_GAPS, entry::LegalHold};

use super::{super::sample::imported, *};
use crate::clock;

#[test]
fn what_cannot_be_released_keeps_no_mail_waiting() {
    let place = tempfile::tempdir().unwrap();
    let mut shelf = open(place.path());
    // What lies there is looked through for more of the same mails.
    let torn = place.path().join("torn");
    fs::write(&torn, "").unwrap();
    shelf.end_day(clock::now()).unwrap();
    let [first, second] = [1, 2].map(|serial| bring(&mut shelf, serial));
    assert!(matches!(erase(&mut shelf, first), Err(ShelfError::NotReleased(_))));
    shelf.release();
    shelf.end_day(clock::now()).unwrap();
    bring(&mut shelf, 3);
    assert!(matches!(erase(&mut shelf, second), Err(ShelfError::NotReleased(_))));
    fs::remove_file(torn).unwrap();
    shelf.release();
    assert!(matches!(erase(&mut shelf, second), Ok(Fate::Erased(_))));
    assert_eq!(erase(&mut shelf, first).unwrap(), Fate::Already);
}

#[test]
fn an_archive_of_holes_erases_nothing() {
    let place = tempfile::tempdir().unwrap();
    let mut shelf = open(place.path());
    let mail = bring(&mut shelf, 1);
    let hold = LegalHold {
        case: "case".into(),
        by: "Ann".into(),
        reason: "a court asked".into(),
        mails: vec![mail],
        people: Vec::new(),
    };
    shelf.hold(hold, clock::now()).unwrap();
    shelf.missing = vec![Span::of(7); MOST_GAPS + 1];
    shelf.read_holds();
    assert!(shelf.known_holds().unread.is_empty(), "nothing can be lifted");
    assert_eq!(shelf.known_holds().holds.cases().len(), 1, "what can be read is shown");
    let Ok(Fate::Kept(why)) = erase(&mut shelf, mail) else { panic!() };
    assert!(why.contains("more than 10000 places"), "{why}");
}

fn open(place: &Path) -> Shelf {
    Shelf::open(&config::Archive::in_dir(place), clock::now()).unwrap().0
}

fn bring(shelf: &mut Shelf, serial: u32) -> Seq {
    let mail = imported(QueueId::new(clock::now(), serial), None);
    shelf.bring(&[(mail, Bytes::new().into())], clock::now()).unwrap()[0].head.seq
}

fn erase(shelf: &mut Shelf, seq: Seq) -> Result<Fate, ShelfError> {
    let why = Erasure::Requested { reason: "request 7".into() };
    let fates = shelf.erase(&[seq], &why, Some("Ann"), clock::now())?;
    Ok(fates.into_iter().next().unwrap())
}
