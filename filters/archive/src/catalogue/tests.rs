//! What is known of records after groups, crashes, damage and losses.

use std::{
    fs,
    os::unix::fs::{FileExt, symlink},
};

use mailweir_mail::{QueueId, Timestamp};
use tempfile::TempDir;

use super::*;
use crate::{
    About, Archive, Draft, Encryption, MasterKeys, Options,
    entry::{Ending, Fared},
    payload::Packer,
    sample,
};

#[test]
fn a_mail_is_found_by_its_number_and_by_its_name() {
    let mut home = Home::new();
    let one = home.capture(1, Some(30));
    let two = home.capture(2, None);
    home.end(two, 2, Ending::Failed);
    let rows = home.catalogue().rows();
    let (first, second) = (rows.get(one).unwrap().unwrap(), rows.get(two).unwrap().unwrap());
    let today = u32::try_from(now().as_secs() / 86_400).unwrap();
    assert_eq!(first.mail.keep_until(), Some(today + 31));
    assert_eq!((first.mail.ended, second.mail.keep_until()), (None, None));
    assert_eq!(second.mail.ended, Some((3, Ending::Failed)));
    assert_eq!(rows.of_mail(id(1)).unwrap(), Some(first));
    assert_eq!(rows.of_mail(id(2)).unwrap(), Some(second));
    assert_eq!(rows.of_mail(id(3)).unwrap(), None);
    for seq in [0, 4, u64::MAX / 128] {
        assert_eq!(rows.get(seq).unwrap(), None);
        assert_eq!(rows.look(seq).unwrap(), None);
    }
    assert_eq!(rows.from(1).map(|row| row.unwrap().seq).collect::<Vec<_>>(), [1, 2, 3]);
}

#[test]
fn a_mail_is_found_by_its_name_among_thousands_and_when_the_clock_was_set_back() {
    let mut home = Home::new();
    for serial in 0..4_000 {
        home.capture(serial, None);
    }
    // It came, by its name, a day after it was written.
    let late = QueueId::new(Timestamp::from_secs(now().as_secs() + 86_400), 1);
    let seq = home.capture_of(late, None);
    let rows = home.catalogue().rows();
    for serial in [0, 1, 1_023, 1_024, 2_500, 3_999] {
        assert_eq!(rows.of_mail(id(serial)).unwrap().unwrap().seq, u64::from(serial) + 1);
    }
    assert_eq!(rows.of_mail(late).unwrap().unwrap().seq, seq);
}

#[test]
fn after_a_start_it_knows_the_same_whatever_a_crash_left_of_it() {
    let mut home = Home::new();
    let early = home.capture(1, Some(1));
    home.seal();
    home.catalogue().keep().unwrap();
    let held = home.hold(Kind::Hold);
    home.seal();
    home.catalogue().keep().unwrap();
    home.end(early, 1, Ending::Delivered);
    home.erase(early);
    let lifted = home.hold(Kind::Lifted);
    let before = home.all();
    let file = home.archive().places().catalogue();
    let whole = fs::read(&file).unwrap();
    // What stands behind the checkpoint may be there, in part or not at all.
    for cut in (0..=whole.len()).rev().step_by(16) {
        home.stop();
        let mut bytes = whole.clone();
        bytes.truncate(cut);
        fs::write(&file, &bytes).unwrap();
        assert_eq!(home.all(), before, "cut at {cut}");
        let holds: Vec<_> = home.catalogue().rows().holds().unwrap();
        assert_eq!(holds.iter().map(|row| row.seq).collect::<Vec<_>>(), [held, lifted]);
    }
    for place in 0..whole.len() {
        home.stop();
        let mut bytes = whole.clone();
        bytes[place] ^= 1;
        fs::write(&file, &bytes).unwrap();
        assert_eq!(home.all(), before, "byte {place}");
        let holds: Vec<_> = home.catalogue().rows().holds().unwrap();
        assert_eq!(holds.iter().map(|row| row.seq).collect::<Vec<_>>(), [held, lifted]);
    }
}

/// What it said nobody knows: it may have been a legal hold.
#[test]
fn a_record_that_is_damaged_is_missed_at_every_start() {
    let mut home = Home::new();
    home.capture(1, None);
    let held = home.hold(Kind::Hold);
    home.capture(2, None);
    home.seal();
    let place = home.catalogue().rows().get(held).unwrap().unwrap().place;
    home.capture(3, None);
    home.stop();
    assert_eq!(home.catalogue().missing(), []);
    home.stop();
    home.damage_head(place);
    fs::remove_file(home.places().catalogue()).unwrap();
    assert_eq!(home.catalogue().missing(), [Span::of(held)]);
    home.catalogue().keep().unwrap();
    home.stop();
    assert_eq!(home.catalogue().missing(), [Span::of(held)], "behind the checkpoint, too");
}

/// Its row was all that was left of it.
#[test]
fn a_record_that_rots_while_the_archive_is_open_is_missed_once_rows_are_made_anew() {
    for (is_last, is_sealed) in [(false, false), (true, false), (false, true), (true, true)] {
        let mut home = Home::new();
        home.capture(1, None);
        let held = home.hold(Kind::Hold);
        if !is_last {
            home.capture(2, None);
        }
        if is_sealed {
            home.seal();
        }
        home.catalogue().keep().unwrap();
        let place = home.catalogue().rows().get(held).unwrap().unwrap().place;
        home.damage_head(place);
        assert_eq!(home.catalogue().missing(), []);
        home.catalogue().begin_anew().unwrap();
        home.catalogue().make_up(&mut |_| {}).unwrap();
        assert_eq!(home.catalogue().rows().holds().unwrap(), []);
        assert_eq!(home.catalogue().missing(), [Span::of(held)], "{is_last}, {is_sealed}");
        home.capture(3, None);
        assert_eq!(home.catalogue().missing(), [Span::of(held)], "{is_last}, {is_sealed}");
    }
}

/// The row of a hold could not be written, and then the record is damaged before it is read for another try.
#[test]
fn a_record_that_never_got_its_row_is_missed() {
    let mut home = Home::new();
    home.capture(1, None);
    let written = home.write(2, None);
    let full = fs::File::open("/dev/null").unwrap();
    let sound = mem::replace(&mut home.catalogue().file, full);
    assert!(home.catalogue().note(&written).is_err());
    home.catalogue().file = sound;
    home.damage_head(written[0].0.place);
    home.catalogue().note(&[]).unwrap();
    assert_eq!(home.catalogue().missing(), [Span::of(2)]);
}

#[test]
fn a_start_makes_what_is_behind_the_checkpoint_and_no_more() {
    let mut home = Home::new();
    for serial in 0..10 {
        home.capture(serial, None);
    }
    home.seal();
    home.capture(10, None);
    home.catalogue().keep().unwrap();
    home.stop();
    assert_eq!(home.start(), Found { made: 1, ..Found::default() });
    home.stop();
    fs::remove_file(home.places().catalogue()).unwrap();
    assert_eq!(home.start(), Found { made: 11, ..Found::default() });
}

#[test]
fn an_archive_that_was_cut_off_or_put_back_is_noticed() {
    let mut home = Home::new();
    home.capture(1, None);
    home.seal();
    let early = home.capture(2, None);
    home.seal();
    home.catalogue().keep().unwrap();
    home.capture(3, None);
    home.end(early, 2, Ending::Delivered);
    home.seal();
    home.catalogue().keep().unwrap();
    home.stop();
    fs::remove_file(home.places().segment(3)).unwrap();
    forget_last_root(&home);
    let found = home.start();
    assert_eq!((found.lost, found.unanswered), (Some((2, 4)), spans(&["3..4"])));
    assert_eq!(home.all().len(), 2);
    assert_eq!(home.catalogue().rows().get(early).unwrap().unwrap().mail.ended, None);
    home.stop();
    let found = home.start();
    assert_eq!(found.lost, None, "it is said once");
    assert_eq!(found.unanswered, spans(&["3..4"]), "and stays so");
    lost::write(&home.places(), &[]).unwrap();
    home.stop();
    assert_eq!(home.start().unanswered, []);
}

/// A copy of an archive that was written to meanwhile may have a later list than segments.
#[test]
fn what_the_list_of_roots_knows_and_no_segment_has_is_missing_and_gets_no_other_records() {
    for (has_catalogue, has_segments) in
        [(true, true), (false, true), (true, false), (false, false)]
    {
        let mut home = Home::new();
        home.capture(1, None);
        home.seal();
        home.hold(Kind::Hold);
        home.seal();
        home.catalogue().keep().unwrap();
        home.stop();
        fs::remove_file(home.places().segment(2)).unwrap();
        if !has_segments {
            fs::remove_file(home.places().segment(1)).unwrap();
        }
        if !has_catalogue {
            fs::remove_file(home.places().catalogue()).unwrap();
        }
        let missing = spans(if has_segments { &["2"] } else { &["1..2"] });
        for _ in 0..2 {
            let found = home.start();
            assert_eq!((found.lost, found.unanswered), (None, vec![]));
            assert_eq!(home.catalogue().missing(), missing);
            home.stop();
        }
        assert_eq!(home.capture(3, None), 3);
        home.stop();
        assert_eq!(home.catalogue().missing(), missing);
    }
}

/// All of it was put back to what it was.
fn forget_last_root(home: &Home) {
    let roots = fs::read_to_string(home.places().roots()).unwrap();
    let (before, _) = roots.trim_end().rsplit_once('\n').unwrap();
    fs::write(home.places().roots(), format!("{before}\n")).unwrap();
}

/// Numbers that were lost are given again, and may be lost again.
#[test]
fn what_was_lost_stays_so_until_somebody_answers_for_it() {
    let mut home = Home::new();
    home.capture(1, None);
    home.seal();
    for _ in 0..2 {
        home.hold(Kind::Hold);
        home.stop();
        fs::remove_file(home.places().segment(2)).unwrap();
        assert_eq!(home.start().unanswered, spans(&["2"]));
    }
    for serial in 2..5 {
        home.capture(serial, None);
    }
    home.stop();
    fs::remove_file(home.places().segment(2)).unwrap();
    assert_eq!(home.start().unanswered, spans(&["2", "3..4"]));
    home.capture(2, None);
    home.stop();
    let lost = home.places().lost();
    for rot in [&b""[..], b"2", b"2\n3-4\n", b"2\n\n", b"\xff\n"] {
        fs::write(&lost, rot).unwrap();
        assert_eq!(home.start().unanswered, spans(&["1..2"]), "{rot:?}");
        home.stop();
    }
}

/// It was promised: a mark stands behind it.
#[test]
fn the_last_record_of_all_is_missed_too() {
    for is_known in [true, false] {
        let mut home = Home::new();
        home.capture(1, None);
        let held = home.hold(Kind::Hold);
        let place = home.catalogue().rows().get(held).unwrap().unwrap().place;
        home.stop();
        home.damage_head(place);
        if !is_known {
            fs::remove_file(home.places().catalogue()).unwrap();
        }
        let found = home.start();
        assert_eq!((found.lost, found.unanswered), (None, vec![]));
        let is_hold = home.catalogue().rows().holds().unwrap().iter().any(|row| row.seq == held);
        let is_missed = home.catalogue().missing() == [Span::of(held)];
        assert_eq!((is_hold, is_missed), (is_known, !is_known));
    }
}

/// The disk will never give it again: it keeps no archive closed. A disk that fails otherwise may be mended.
#[test]
fn what_stands_on_a_bad_block_is_damaged_and_all_else_is_waited_for() {
    let failed = |errno: rustix::io::Errno| {
        let io = ReadError::Io { segment: 1, error: errno.into() };
        let payload = ReadError::Payload(UnpackError::Io(errno.into()));
        [io, payload].map(|error| there::<()>(Err(error)).map_err(|error| error.raw_os_error()))
    };
    assert_eq!(failed(rustix::io::Errno::IO), [Ok(None), Ok(None)]);
    for errno in [rustix::io::Errno::STALE, rustix::io::Errno::ACCESS] {
        assert_eq!(failed(errno), [(); 2].map(|()| Err(Some(errno.raw_os_error()))));
    }
}

/// Such a file gives nothing where no memory is, as a disk does with a bad block.
#[test]
fn a_catalogue_on_bad_blocks_is_begun_anew_and_said_to_nobody_as_whole() {
    let mut home = Home::new();
    home.capture(1, Some(30));
    home.hold(Kind::Hold);
    home.seal();
    home.catalogue().keep().unwrap();
    let before = home.all();
    home.stop();
    let path = home.places().catalogue();
    fs::remove_file(&path).unwrap();
    symlink(NOTHING, &path).unwrap();
    let rows = Rows::open(&path).unwrap();
    assert_eq!(rows.there(1).unwrap(), There::Damage);
    for error in [rows.look(1).unwrap_err(), rows.get(1).unwrap_err()] {
        assert!(is_bad_block(&error), "whoever asks for it hears why it is not there: {error}");
    }
    assert!(rows.holds().is_err());
    assert_eq!(home.start(), Found { made: 2, ..Found::default() });
    assert_eq!(home.all(), before);
    assert!(!path.is_symlink(), "nothing is written to bad blocks");
}

#[test]
fn rows_that_go_bad_while_it_is_written_are_made_anew() {
    let mut home = Home::new();
    let one = home.capture(1, Some(30));
    home.seal();
    home.capture(2, None);
    home.catalogue().keep().unwrap();
    let bad = Rows::open(Path::new(NOTHING)).unwrap();
    home.catalogue().rows = bad;
    let (recipients, decisions) = (Vec::new(), Vec::new());
    let outcome = Outcome { id: id(1), end: Ending::Delivered, recipients, decisions };
    let draft = draft(Kind::Outcome, About::Record(one), Some(id(1)), &outcome);
    let written = home.archive().append(vec![draft], now()).unwrap()[0];
    assert!(home.catalogue().note(&[(written, Facts::Outcome(Ending::Delivered))]).is_err());
    home.catalogue().note(&[]).unwrap();
    let row = home.catalogue().rows().get(one).unwrap().unwrap();
    assert_eq!(row.mail.ended, Some((3, Ending::Delivered)));
}

/// The old line was removed from the key file, and then the catalogue was made anew.
#[test]
fn how_a_mail_stands_that_needs_an_old_key_is_known_once_the_key_is_back() {
    let mut home = Home::new();
    let with_keys = |home: &mut Home, keys: &[u8]| {
        home.stop();
        home.encryption = Encryption::On(key_file(keys));
        home.start()
    };
    with_keys(&mut home, &[1]);
    let (one, two) = (home.capture(1, Some(30)), home.capture(2, Some(30)));
    home.end(one, 1, Ending::Delivered);
    home.erase(two);
    with_keys(&mut home, &[2, 1]);
    home.capture(3, Some(30));
    home.seal();
    home.capture(4, None);
    home.catalogue().keep().unwrap();
    let known = home.all();

    home.stop();
    fs::remove_file(home.places().catalogue()).unwrap();
    let found = with_keys(&mut home, &[2]);
    let [NeededKey { id, records: 2 }] = found.needed_keys[..] else { panic!("{found:?}") };
    assert!(key_file(&[1]).has(id));
    let unknown = home.catalogue().rows().get(one).unwrap().unwrap().mail;
    assert_eq!(unknown, Standing { noted: None, ended: None });
    home.catalogue().keep().unwrap();
    assert_eq!(with_keys(&mut home, &[2]).needed_keys, found.needed_keys, "at each start");

    let (segment, away) = (home.places().segment(1), home.place.path().join("away"));
    fs::rename(&segment, &away).unwrap();
    assert_eq!(with_keys(&mut home, &[2, 1]), Found { made: 1, ..Found::default() });
    assert_eq!(home.catalogue().rows().get(one).unwrap().unwrap().mail, unknown, "not yet");
    fs::rename(&away, &segment).unwrap();

    let found = with_keys(&mut home, &[2, 1]);
    assert_eq!(found, Found { made: 1, ..Found::default() }, "nothing is begun anew");
    let mut all = home.all();
    // What was erased says nothing any more.
    for row in [&mut all, &mut known.clone()].map(|rows| rows.remove(1).unwrap()) {
        assert!(row.erased.is_some());
    }
    all.insert(1, known[1]);
    assert_eq!(all, known);
}

fn key_file(keys: &[u8]) -> MasterKeys {
    let lines: String =
        keys.iter().map(|key| format!("{}\n", format!("{key:02x}").repeat(32))).collect();
    MasterKeys::parse(&lines).unwrap()
}

fn spans(texts: &[&str]) -> Vec<Span> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

#[test]
fn the_catalogue_of_another_archive_is_not_believed() {
    let mut other = Home::new();
    for serial in 0..5 {
        other.capture(serial, Some(1));
        other.seal();
    }
    other.catalogue().keep().unwrap();
    let mut home = Home::new();
    for serial in 0..8 {
        home.capture(serial + 100, None);
        home.seal();
    }
    let before = home.all();
    home.stop();
    fs::copy(other.places().catalogue(), home.places().catalogue()).unwrap();
    assert_eq!(home.start(), Found { made: 8, ..Found::default() });
    assert_eq!(home.all(), before);
}

#[test]
fn what_could_not_be_written_is_made_up_for() {
    let mut home = Home::new();
    home.capture(1, None);
    let full = fs::File::open("/dev/null").unwrap();
    let sound = std::mem::replace(&mut home.catalogue().file, full);
    let written = home.write(2, Some(4));
    assert!(home.catalogue().note(&written).is_err(), "it cannot be written");
    home.catalogue().file = sound;
    let three = home.capture(3, None);
    assert_eq!((three, home.all().iter().flatten().count()), (3, 3));
}

#[test]
fn a_row_of_zeros_or_in_a_wrong_place_is_none() {
    let mut home = Home::new();
    home.capture(1, None);
    home.capture(2, None);
    let catalogue = home.catalogue();
    let mut row = [0; Row::LEN];
    catalogue.file.read_exact_at(&mut row, offset(1)).unwrap();
    catalogue.file.write_all_at(&row, offset(2)).unwrap();
    assert_eq!(catalogue.rows().get(2).unwrap(), None);
    catalogue.file.write_all_at(&[0; Row::LEN], offset(1)).unwrap();
    assert_eq!(catalogue.rows().get(1).unwrap(), None);
}

/// An archive and its catalogue.
pub(crate) struct Home {
    place: TempDir,
    encryption: Encryption,
    open: Option<(Archive, Catalogue)>,
}

impl Home {
    pub(crate) fn new() -> Self {
        let (place, encryption) = (tempfile::tempdir().unwrap(), Encryption::Never);
        let mut home = Self { place, encryption, open: None };
        home.start();
        home
    }

    pub(crate) fn places(&self) -> Places {
        Places::new(self.place.path())
    }

    pub(crate) fn start(&mut self) -> Found {
        let encryption = self.encryption.clone();
        let reader = Reader::new(self.places()).with_keys(encryption.keys().cloned());
        let options = Options { encryption, ..Options::default() };
        let (archive, _) = Archive::open(self.place.path(), options, now()).unwrap();
        let next = archive.next();
        let opened = Catalogue::open(archive.places(), reader, next, &mut |_| {});
        let (catalogue, found) = opened.unwrap();
        self.open = Some((archive, catalogue));
        found
    }

    pub(crate) fn stop(&mut self) {
        self.open = None;
    }

    pub(crate) fn archive(&mut self) -> &mut Archive {
        if self.open.is_none() {
            self.start();
        }
        &mut self.open.as_mut().unwrap().0
    }

    pub(crate) fn catalogue(&mut self) -> &mut Catalogue {
        if self.open.is_none() {
            self.start();
        }
        &mut self.open.as_mut().unwrap().1
    }

    fn damage_head(&self, place: Place) {
        let segment = self.places().segment(place.segment);
        let mut bytes = fs::read(&segment).unwrap();
        bytes[usize::try_from(place.at).unwrap() + 8] ^= 1;
        fs::write(&segment, &bytes).unwrap();
    }

    pub(crate) fn seal(&mut self) {
        self.archive().seal(now()).unwrap();
    }

    /// Everything that is known, by number.
    fn all(&mut self) -> Vec<Option<Row>> {
        let rows = self.catalogue().rows();
        (1..rows.next().unwrap()).map(|seq| rows.get(seq).unwrap()).collect()
    }

    fn write(&mut self, serial: u32, keep_days: Option<u32>) -> Vec<(Written, Facts)> {
        self.write_of(id(serial), keep_days)
    }

    fn write_of(&mut self, id: QueueId, keep_days: Option<u32>) -> Vec<(Written, Facts)> {
        let capture = capture(id, keep_days);
        let draft = draft(Kind::Capture, About::Itself, Some(id), &capture);
        let written = self.archive().append(vec![draft], now()).unwrap();
        vec![(written[0], Facts::of_capture(&capture.note, now()))]
    }

    pub(crate) fn capture(&mut self, serial: u32, keep_days: Option<u32>) -> Seq {
        self.capture_of(id(serial), keep_days)
    }

    fn capture_of(&mut self, id: QueueId, keep_days: Option<u32>) -> Seq {
        let written = self.write_of(id, keep_days);
        self.catalogue().note(&written).unwrap();
        written[0].0.head.seq
    }

    pub(crate) fn end(&mut self, about: Seq, serial: u32, end: Ending) {
        let fared = Fared { delivered: true, relay: None, reply: None, at: None };
        let outcome =
            Outcome { id: id(serial), end, recipients: vec![fared], decisions: Vec::new() };
        let draft = draft(Kind::Outcome, About::Record(about), Some(id(serial)), &outcome);
        self.put(draft, Facts::Outcome(end));
    }

    fn erase(&mut self, about: Seq) {
        self.put(draft(Kind::Erased, About::Record(about), None, &"gone"), Facts::Nothing);
    }

    fn hold(&mut self, kind: Kind) -> Seq {
        self.put(draft(kind, About::Nothing, None, &"case"), Facts::Nothing)
    }

    fn put(&mut self, draft: Draft, facts: Facts) -> Seq {
        let written = self.archive().append(vec![draft], now()).unwrap()[0];
        self.catalogue().note(&[(written, facts)]).unwrap();
        written.head.seq
    }
}

fn draft(kind: Kind, about: About, id: Option<QueueId>, summary: &impl serde::Serialize) -> Draft {
    let summary = entry::encode(summary).unwrap();
    Draft::new(kind, about, id, Packer::new().unwrap().pack(&summary, b"").unwrap())
}

fn capture(id: QueueId, keep_days: Option<u32>) -> Capture {
    let mut capture = Capture { id, ..sample::capture() };
    capture.note.keep_days = keep_days;
    capture
}

fn id(serial: u32) -> QueueId {
    QueueId::new(now(), serial)
}

pub(crate) fn now() -> Timestamp {
    Timestamp::from_secs(1_795_210_205)
}

/// At its beginning it is read as a bad block is: `EIO`.
const NOTHING: &str = "/proc/self/mem";
