use std::{fs, path::Path};

use bytes::Bytes;
use mailweir_archive::{
    Places, ReadError,
    catalogue::MOST_GAPS,
    entry::{Erasure, LegalHold, Lift, Lifted},
};

use super::{super::sample::imported, *};

#[test]
fn what_cannot_be_released_keeps_no_mail_waiting() {
    let place = tempfile::tempdir().unwrap();
    let mut shelf = open(place.path());
    // What lies there is looked through for more of the same mails.
    let torn = place.path().join("torn");
    fs::write(&torn, "").unwrap();
    shelf.end_day(clock::now()).unwrap();
    let [first, second] = [1, 2].map(|serial| bring(&mut shelf, serial));
    assert!(matches!(erase(&mut shelf, first), Ok(Fate::Left(3, _))));
    assert_eq!(shelf.archive.unreleased().targets().next(), None, "only copies may be left");
    let now = clock::monotonic();
    shelf.retry(now);
    shelf.end_day(clock::now()).unwrap();
    let third = bring(&mut shelf, 3);
    // It keeps nobody from having another one erased.
    assert!(matches!(erase(&mut shelf, second), Ok(Fate::Left(5, _))));
    assert!(matches!(erase(&mut shelf, first), Ok(Fate::Left(3, _))), "still");
    fs::remove_file(torn).unwrap();
    shelf.retry(now + RETRY_PAUSE);
    assert!(matches!(erase(&mut shelf, third), Ok(Fate::Erased(6))));
    assert_eq!(erase(&mut shelf, first).unwrap(), Fate::Already);
    assert_eq!(erase(&mut shelf, second).unwrap(), Fate::Already);
}

#[test]
fn what_came_back_and_could_not_be_released_is_tried_again_also_by_the_next_start() {
    let place = tempfile::tempdir().unwrap();
    let mut shelf = open(place.path());
    let mail = bring(&mut shelf, 1);
    shelf.seal(clock::now()).unwrap();
    let segment = Places::new(place.path()).segment(1);
    let before = fs::read(&segment).unwrap();
    assert!(matches!(erase(&mut shelf, mail), Ok(Fate::Erased(2))));
    let after = fs::read(&segment).unwrap();
    for restarts in [false, true] {
        assert!(!shelf.has_unreleased());
        // Nothing can be written to it.
        fs::remove_file(&segment).unwrap();
        fs::create_dir(&segment).unwrap();
        assert!(matches!(erase(&mut shelf, mail), Ok(Fate::Left(2, _))));
        assert!(shelf.has_unreleased());
        for serial in 2..5 {
            bring(&mut shelf, serial);
            shelf.seal(clock::now()).unwrap();
        }
        fs::remove_dir(&segment).unwrap();
        fs::write(&segment, &before).unwrap();
        if restarts {
            drop(shelf);
            shelf = open(place.path());
        } else {
            shelf.retry(clock::monotonic() + RETRY_PAUSE);
        }
        assert!(!shelf.has_unreleased());
        assert!(fs::read(&segment).unwrap() == after, "restarts: {restarts}");
        assert!(!place.path().join("unreleased").exists());
    }
}

#[test]
fn what_was_erased_and_is_there_again_is_erased_again() {
    let place = tempfile::tempdir().unwrap();
    let mut shelf = open(place.path());
    let [mail, held] = [1, 2].map(|serial| bring(&mut shelf, serial));
    shelf.seal(clock::now()).unwrap();
    let segment = Places::new(place.path()).segment(1);
    let before = fs::read(&segment).unwrap();
    let Ok(Fate::Erased(said)) = erase(&mut shelf, mail) else { panic!() };
    assert!(matches!(erase(&mut shelf, held), Ok(Fate::Erased(_))));
    let after = fs::read(&segment).unwrap();
    fs::write(&segment, &before).unwrap();
    assert_eq!(erase(&mut shelf, mail).unwrap(), Fate::Again(said));
    assert_eq!(erase(&mut shelf, mail).unwrap(), Fate::Already);
    shelf.hold(hold_of(held), clock::now()).unwrap();
    let Ok(Fate::Kept(why)) = erase(&mut shelf, held) else { panic!() };
    assert_eq!(&*why, "legal hold case", "nothing that a hold means is erased");
    let what = Lift::Case("case".into());
    let lifted = Lifted { what, by: "Ann".into(), reason: "over".into() };
    shelf.lift(&lifted, clock::now()).unwrap();
    assert!(matches!(erase(&mut shelf, held), Ok(Fate::Again(_))));
    assert!(fs::read(&segment).unwrap() == after);
}

/// It may be whole, and nobody can ask it whether a hold means it.
#[test]
fn what_came_back_and_the_disk_does_not_give_is_kept_while_a_hold_may_mean_it() {
    for is_back in [true, false] {
        let place = tempfile::tempdir().unwrap();
        let mut shelf = open(place.path());
        let mail = bring(&mut shelf, 1);
        shelf.seal(clock::now()).unwrap();
        let segment = Places::new(place.path()).segment(1);
        let before = fs::read(&segment).unwrap();
        let Ok(Fate::Erased(said)) = erase(&mut shelf, mail) else { panic!() };
        let people = vec!["ann@own.example".parse().unwrap()];
        let hold = LegalHold { mails: Vec::new(), people, ..hold_of(mail) };
        shelf.hold(hold, clock::now()).unwrap();
        // Nothing can be read of it, or it is on a disk that is not mounted.
        fs::remove_file(&segment).unwrap();
        if is_back {
            fs::create_dir(&segment).unwrap();
        }
        let Ok(Fate::Kept(why)) = erase(&mut shelf, mail) else { panic!() };
        assert!(why.starts_with("whether a legal hold means it cannot be told: segment 1: "));
        assert!(!shelf.has_unreleased(), "nothing is to be done later");
        let _ = fs::remove_dir(&segment);
        fs::write(&segment, &before).unwrap();
        let Ok(Fate::Kept(why)) = erase(&mut shelf, mail) else { panic!() };
        assert_eq!(&*why, "legal hold case");
        assert!(fs::read(&segment).unwrap() == before);
        let lifted =
            Lifted { what: Lift::Case("case".into()), by: "Ann".into(), reason: "over".into() };
        shelf.lift(&lifted, clock::now()).unwrap();
        assert_eq!(erase(&mut shelf, mail).unwrap(), Fate::Again(said));
    }
}

/// As long as no hold names it: nobody will ever read it again.
#[test]
fn what_came_back_damaged_is_erased_again_whatever_holds_there_are() {
    let place = tempfile::tempdir().unwrap();
    let mut shelf = open(place.path());
    let mail = bring(&mut shelf, 1);
    let at = usize::try_from(row(&shelf, mail).place.at).unwrap();
    shelf.seal(clock::now()).unwrap();
    let segment = Places::new(place.path()).segment(1);
    let mut bytes = fs::read(&segment).unwrap();
    let Ok(Fate::Erased(said)) = erase(&mut shelf, mail) else { panic!() };
    let people = vec!["ann@own.example".parse().unwrap()];
    shelf.hold(LegalHold { mails: Vec::new(), people, ..hold_of(mail) }, clock::now()).unwrap();
    bytes[at + Head::LEN + 30] ^= 1;
    fs::write(&segment, &bytes).unwrap();
    assert_eq!(erase(&mut shelf, mail).unwrap(), Fate::Again(said));
}

/// The end of a mail cannot be erased as long as nobody finds it: its capture is, and so is every other mail.
#[test]
fn a_damaged_record_of_an_end_keeps_no_mail_from_being_erased() {
    let place = tempfile::tempdir().unwrap();
    let mut shelf = open(place.path());
    let [mail, other] = [1, 2].map(|serial| bring(&mut shelf, serial));
    let end = end(&mut shelf, mail);
    shelf.seal(clock::now()).unwrap();
    let segment = Places::new(place.path()).segment(1);
    let before = fs::read(&segment).unwrap();
    let head = usize::try_from(end.place.at).unwrap()..;
    let mut damaged = before.clone();
    damaged[head][..Head::LEN].fill(0);
    fs::write(&segment, damaged).unwrap();
    let erased = erase_all(&mut shelf, &[mail, other]);
    assert_eq!(erased, [Fate::Erased(4), Fate::Erased(5)]);
    assert!(matches!(
        shelf.reader.read_sound(row(&shelf, mail).place),
        Err(ReadError::Erased { .. })
    ));
}

#[test]
fn an_archive_of_holes_erases_nothing() {
    let place = tempfile::tempdir().unwrap();
    let mut shelf = open(place.path());
    let mail = bring(&mut shelf, 1);
    shelf.hold(hold_of(mail), clock::now()).unwrap();
    let holes = vec![Span::of(7); MOST_GAPS + 1];
    shelf.known_holds = KnownHolds::of(&shelf.rows().holds().unwrap(), &shelf.reader, &holes, &[]);
    assert!(shelf.known_holds().unread.is_empty(), "nothing can be lifted");
    assert_eq!(shelf.known_holds().holds.cases().len(), 1, "what can be read is shown");
    let Ok(Fate::Kept(why)) = erase(&mut shelf, mail) else { panic!() };
    assert!(why.contains("more than 10000 places"), "{why}");
}

/// A bad block has the catalogue made anew while the server runs, and by then nobody can read the hold.
#[test]
fn a_hold_that_loses_its_row_keeps_mail_as_a_damaged_one_does() {
    let place = tempfile::tempdir().unwrap();
    let mut shelf = open(place.path());
    let mail = bring(&mut shelf, 1);
    shelf.hold(hold_of(mail), clock::now()).unwrap();
    let Row { place: held, .. } = row(&shelf, 2);
    let segment = Places::new(place.path()).segment(held.segment);
    let mut bytes = fs::read(&segment).unwrap();
    bytes[usize::try_from(held.at).unwrap()..][..Head::LEN].fill(0);
    fs::write(&segment, bytes).unwrap();
    let places = shelf.archive.places().clone();
    fs::remove_file(places.catalogue()).unwrap();
    let next = shelf.archive.next();
    let anew = Catalogue::open(&places, shelf.reader.clone(), next, &mut |_| {}).unwrap();
    shelf.catalogue = anew.0;
    let lift = |what| Lifted { what, by: "Ann".into(), reason: "over".into() };
    shelf.lift(&lift(Lift::Unread(Span::of(7))), clock::now()).unwrap();
    let Ok(Fate::Kept(why)) = erase(&mut shelf, mail) else { panic!() };
    assert!(why.starts_with("record 2 cannot be read and may be a legal hold"), "{why}");
    shelf.lift(&lift(Lift::Unread(Span::of(2))), clock::now()).unwrap();
    assert!(matches!(erase(&mut shelf, mail), Ok(Fate::Erased(_))));
}

#[test]
fn doubt_about_holds_ends_once_they_can_be_read() {
    let place = tempfile::tempdir().unwrap();
    let mut shelf = open(place.path());
    let mail = bring(&mut shelf, 1);
    shelf.hold(hold_of(mail), clock::now()).unwrap();
    let catalogue = Places::new(place.path()).catalogue();
    let sound = fs::read(&catalogue).unwrap();
    let now = clock::monotonic();
    for (serial, by_hand) in [(2, true), (3, false)] {
        fs::write(&catalogue, b"rot").unwrap();
        shelf.read_holds();
        assert!(shelf.holds().unwrap_err().contains("reads them again"));
        fs::write(&catalogue, &sound).unwrap();
        match by_hand {
            true => shelf.hold(hold_of(mail), clock::now()).unwrap(),
            false => shelf.retry(now + serial * RETRY_PAUSE),
        }
        let holds = shelf.holds().unwrap();
        assert_eq!(holds.cases().count(), 1, "{by_hand}");
    }
}

fn open(place: &Path) -> Shelf {
    Shelf::open(&config::Archive::in_dir(place), clock::now()).unwrap().0
}

fn hold_of(mail: Seq) -> LegalHold {
    LegalHold {
        case: "case".into(),
        by: "Ann".into(),
        reason: "a court asked".into(),
        mails: vec![mail],
        people: Vec::new(),
    }
}

fn bring(shelf: &mut Shelf, serial: u32) -> Seq {
    let mail = imported(QueueId::new(clock::now(), serial), None);
    shelf.bring(&[(mail, Bytes::new().into())], clock::now()).unwrap()[0].head.seq
}

/// What became of a mail.
fn end(shelf: &mut Shelf, mail: Seq) -> Row {
    let id = row(shelf, mail).queue_id().unwrap();
    let end = Ending::Delivered;
    let outcome = Outcome { id, end, recipients: Vec::new(), decisions: Vec::new() };
    let payload = shelf.packer.pack(&entry::encode(&outcome).unwrap(), b"").unwrap();
    let draft = Draft::new(Kind::Outcome, About::Record(mail), Some(id), payload);
    let written = shelf.add(vec![(draft, Facts::Outcome(end))], clock::now()).unwrap();
    row(shelf, written[0].head.seq)
}

fn row(shelf: &Shelf, seq: Seq) -> Row {
    shelf.rows().get(seq).unwrap().unwrap()
}

fn erase_all(shelf: &mut Shelf, mails: &[Seq]) -> Vec<Fate> {
    shelf.erase(mails, &Erasure::Expired, None, clock::now()).unwrap()
}

fn erase(shelf: &mut Shelf, seq: Seq) -> Result<Fate, ShelfError> {
    let why = Erasure::Requested { reason: "request 7".into() };
    let fates = shelf.erase(&[seq], &why, Some("Ann"), clock::now())?;
    Ok(fates.into_iter().next().unwrap())
}
