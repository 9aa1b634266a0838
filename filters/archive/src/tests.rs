//! What an archive is after crashes, failing disks and people who change it.

mod encryption;
mod erasing;
mod gone;
mod harm;
mod model;
mod newer;
mod sealing;

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::symlink,
    path::Path,
};

use mailweir_mail::{QueueId, Timestamp};
use tempfile::TempDir;

use self::encryption::encrypted;
use crate::{
    About, Archive, Draft, Left, Options, Place, Places, ReadError, Reader, Written,
    archive::OpenError,
    frame::{Head, Kind, Mark, Seal, SegmentHead, Unread},
    hash::Hash,
    payload::{Packed, Packer},
    records,
    roots::{self, Root},
    verify::{Finding, Known, Report, What, verify},
};

#[test]
fn what_was_written_is_there_after_every_start() {
    let mut home = Home::new();
    let one = home.write(&["first", "second"]);
    home.restart();
    let two = home.write(&["third"]);
    home.restart();
    home.restart();
    let three = home.write(&["fourth"]);
    let written = [one, two, three].concat();
    assert_eq!(written.iter().map(|it| it.head.seq).collect::<Vec<_>>(), [1, 2, 3, 4]);
    for (record, text) in written.iter().zip(["first", "second", "third", "fourth"]) {
        assert_eq!(home.text(record), text);
    }
    let report = home.verify();
    assert_eq!((report.findings, report.records, report.last), (vec![], 4, 4));
    assert_eq!(home.roots().len(), 2, "what a start finds unsealed is sealed");
}

#[test]
fn a_record_says_what_it_is_about() {
    let mut home = Home::new();
    home.write(&["before"]);
    let group = vec![
        draft(Kind::Capture, About::Itself, "mail"),
        draft(Kind::Outcome, About::OfGroup(0), "sent"),
        draft(Kind::Outcome, About::Record(1), "sent too"),
        draft(Kind::Access, About::Nothing, "a search"),
    ];
    let written = home.archive().append(group, now()).unwrap();
    let about: Vec<_> = written.iter().map(|it| (it.head.kind, it.head.about)).collect();
    let expected = [(Kind::Capture, 2), (Kind::Outcome, 2), (Kind::Outcome, 1), (Kind::Access, 0)];
    assert_eq!(about, expected);
    assert_eq!(home.archive().append(Vec::new(), now()).unwrap(), []);
}

#[test]
fn a_segment_that_is_large_or_of_yesterday_is_sealed_and_the_next_one_goes_on() {
    let mut home = Home::with(of_size(400));
    for number in 0..9 {
        home.write(&[&format!("mail {number}")]);
    }
    let sealed = home.roots().len();
    assert!(sealed >= 2, "{sealed}");
    let tomorrow = Timestamp::from_secs(now().as_secs() + 86_400);
    home.archive().append(vec![draft(Kind::Capture, About::Itself, "x")], tomorrow).unwrap();
    assert_eq!(home.roots().len(), sealed + 1);
    assert_eq!(home.verify().findings, []);
}

#[test]
fn records_are_read_from_any_number_on_and_behind_any_other() {
    let mut home = Home::with(of_size(700));
    for number in 0..12 {
        home.write(&[&format!("mail {number}"), "and another one"]);
    }
    let read = |records: io::Result<records::Records>| {
        records.unwrap().map(|record| record.unwrap()).collect::<Vec<_>>()
    };
    let all = read(records::Records::all(home.places()));
    assert_eq!(all.len(), 24);
    assert!(home.places().numbers().unwrap().len() > 3);
    for (place, record) in all.iter().enumerate() {
        assert_eq!(read(records::Records::from(home.places(), record.0.seq)), all[place..]);
        assert_eq!(read(records::Records::behind(home.places(), *record)), all[place + 1..]);
    }
    assert_eq!(read(records::Records::from(home.places(), 0)), all);
    assert_eq!(read(records::Records::from(home.places(), 25)), []);
    let last = all[23];
    let more = home.write(&["one more"]);
    let found = read(records::Records::behind(home.places(), last));
    assert_eq!(found, [(more[0].head, more[0].place)]);
}

#[test]
fn a_day_ends_though_nothing_more_comes() {
    let mut home = Home::new();
    home.archive().end_day(now()).unwrap();
    home.write(&["x"]);
    let midnight = now().as_secs() / 86_400 * 86_400 + 86_400;
    home.archive().end_day(Timestamp::from_secs(midnight - 1)).unwrap();
    assert_eq!(home.roots().len(), 0, "its day is not over");
    home.archive().end_day(Timestamp::from_secs(midnight)).unwrap();
    home.archive().end_day(Timestamp::from_secs(midnight + 86_400)).unwrap();
    assert_eq!(home.roots().len(), 1, "a day without mail has nothing to seal");
    home.write(&["y"]);
    assert_eq!(home.verify().findings, []);
}

#[test]
fn a_root_that_could_not_be_listed_is_listed_at_the_end_of_a_day() {
    let mut home = Home::new();
    home.write(&["x"]);
    let list = home.place.path().join("roots");
    fs::create_dir(&list).unwrap();
    assert!(home.archive().seal(now()).is_err());
    fs::remove_dir(&list).unwrap();
    home.archive().end_day(now()).unwrap();
    assert_eq!(home.roots().len(), 1);
}

#[test]
fn one_process_writes() {
    let mut home = Home::new();
    home.write(&["x"]);
    let second = Archive::open(home.place.path(), Options::default(), now());
    assert!(matches!(second, Err(OpenError::InUse(_))));
}

#[test]
fn every_flipped_bit_of_a_sealed_archive_is_found() {
    for home in [sealed(), sealed_with("mail 4", encrypted(1))] {
        for path in home.files() {
            let sound = fs::read(&path).unwrap();
            for at in 0..sound.len() {
                let mut flipped = sound.clone();
                flipped[at] ^= 1 << (at % 8);
                fs::write(&path, &flipped).unwrap();
                assert!(!home.verify().is_sound(), "{} byte {at}", path.display());
            }
            fs::write(&path, sound).unwrap();
        }
        assert_eq!(home.verify().findings, []);
    }
}

#[test]
fn every_truncation_of_a_sealed_archive_is_found() {
    for home in [sealed(), sealed_with("mail 4", encrypted(1))] {
        for path in home.files() {
            let sound = fs::read(&path).unwrap();
            for len in 0..sound.len() {
                fs::write(&path, &sound[..len]).unwrap();
                assert!(!home.verify().is_sound(), "{} cut to {len}", path.display());
            }
            fs::remove_file(&path).unwrap();
            assert!(!home.verify().is_sound(), "{} is gone", path.display());
            fs::write(&path, sound).unwrap();
        }
    }
}

#[test]
fn a_record_that_was_taken_out_is_named() {
    let home = sealed();
    let place = home.written[3].place;
    let path = home.places().segment(place.segment);
    let sound = fs::read(&path).unwrap();
    let from = usize::try_from(place.at).unwrap();
    let to = from + Head::LEN + usize::try_from(home.written[3].head.stored).unwrap();
    fs::write(&path, [&sound[..from], &sound[to..]].concat()).unwrap();
    let missing = What::Missing { first: 4, last: 4 };
    let report = home.verify();
    assert!(report.findings.iter().any(|found| found.what == missing), "{report:?}");
    assert_eq!(report.records, 7, "the others can be read");
}

#[test]
fn damage_is_shown_where_it_is_and_what_is_behind_it_is_read() {
    let home = sealed();
    let place = home.written[2].place;
    let path = home.places().segment(place.segment);
    let mut changed = fs::read(&path).unwrap();
    let at = usize::try_from(place.at).unwrap();
    changed[at + 9] ^= 1;
    fs::write(&path, changed).unwrap();
    let report = home.verify();
    let bytes = Head::LEN as u64 + home.written[2].head.stored;
    let found = |at, what| Finding { segment: place.segment, at, what };
    let why = Unread::Damaged;
    assert_eq!(report.findings[0], found(Some(place.at), What::Unreadable { bytes, why }));
    let missing = What::Missing { first: 3, last: 3 };
    assert!(report.findings.iter().any(|it| it.what == missing), "{report:?}");
    assert_eq!(report.records, 7);
    assert_eq!(home.text(&home.written[3]), "mail 3");
}

/// Somebody who has the program makes the whole archive anew, with one mail changed.
#[test]
fn an_archive_that_was_made_anew_is_not_the_one_whose_roots_were_kept() {
    let (home, forged) = (sealed(), sealed_with("mail 4, changed", Options::default()));
    let kept = home.roots();
    let known = Known { roots: &kept, ..Known::default() };
    assert_eq!(forged.verify().findings, [], "it is sound in itself");
    let report = verify(forged.places(), known, &mut |_, _| {}).unwrap();
    let is_root = |found: &Finding| matches!(found.what, What::Root { .. });
    assert!(report.findings.iter().any(is_root), "{report:?}");
    assert_eq!(verify(home.places(), known, &mut |_, _| {}).unwrap().findings, []);
}

#[test]
fn a_root_that_was_replaced_in_the_list_is_found() {
    let home = sealed();
    let list = home.places().roots();
    let mut root = home.roots()[0];
    root.seal.root = Hash::of(b"another");
    let text = fs::read_to_string(&list).unwrap();
    let rest = text.split_once('\n').unwrap().1;
    fs::write(&list, format!("{root}\n{rest}")).unwrap();
    let report = home.verify();
    let [Finding { segment: 1, what: What::Root { listed, found: Some(_) }, .. }] =
        report.findings.as_slice()
    else {
        panic!("{report:?}")
    };
    assert_eq!(*listed, root.seal.root);
}

#[test]
fn records_that_were_cut_off_before_a_seal_are_missed_by_whoever_knows_of_them() {
    let mut home = Home::new();
    home.write(&["one"]);
    let (_, first) = home.only_segment();
    home.write(&["two"]);
    let path = home.places().segment(1);
    OpenOptions::new().write(true).open(&path).unwrap().set_len(first).unwrap();
    let known = Known { last: 2, ..Known::default() };
    let report = verify(home.places(), known, &mut |_, _| {}).unwrap();
    assert_eq!(report.findings[0].what, What::Missing { first: 2, last: 2 });
}

/// The machine stops while a group is written, after any of its bytes.
#[test]
fn whatever_of_a_group_reached_the_disk_what_was_promised_is_there_and_the_archive_goes_on() {
    let mut home = Home::new();
    home.write(&["one", "two"]);
    let (_, promised) = home.only_segment();
    home.write(&["three"]);
    let (bytes, whole) = home.only_segment();
    for len in promised..whole {
        let mut crashed = Home::new();
        crashed.stop();
        let path = crashed.places().segment(1);
        fs::write(&path, &bytes[..usize::try_from(len).unwrap()]).unwrap();
        let left = crashed.start();
        assert_eq!(left.torn.as_ref().map_or(0, |(bytes, _)| *bytes), len - promised);
        assert_eq!(left.damaged, None);
        let again = crashed.write(&["three"]);
        assert_eq!(again[0].head.seq, 3, "cut at {len}");
        assert_eq!(crashed.text(&again[0]), "three");
        let report = crashed.verify();
        assert_eq!((report.findings, report.last, report.torn), (vec![], 3, 0), "cut at {len}");
        if let Some((_, copy)) = left.torn {
            let cut = &bytes[usize::try_from(promised).unwrap()..usize::try_from(len).unwrap()];
            let with_head = [&bytes[..SegmentHead::LEN], cut].concat();
            assert_eq!(fs::read(copy).unwrap(), with_head, "it is read as a segment is");
        }
    }
}

/// Blocks of a file reach the disk in any order.
#[test]
fn a_group_whose_end_reached_the_disk_before_its_beginning_was_not_promised() {
    let mut home = Home::new();
    home.write(&["one"]);
    let (_, promised) = home.only_segment();
    home.write(&["two"]);
    let (mut bytes, _) = home.only_segment();
    home.stop();
    let from = usize::try_from(promised).unwrap() + Head::LEN;
    bytes[from..from + 8].fill(0);
    fs::write(home.places().segment(1), &bytes).unwrap();
    let left = home.start();
    // Its mark is there, and says that it was written: nothing is thrown away.
    assert_eq!((left.torn, left.damaged), (None, Some(home.places().segment(1))));
    assert_eq!(home.write(&["three"])[0].head.seq, 3);
    let changed = home.verify().findings;
    assert_eq!(changed.len(), 1, "{changed:?}");
    assert_eq!(changed[0].what, What::Changed { seq: 2 });
}

/// A mail may be a segment of another archive, or look like one.
#[test]
fn what_a_mail_brings_is_no_part_of_the_archive() {
    let mut other = Home::new();
    other.write(&["forged", "forged too"]);
    other.stop();
    let forged = fs::read(other.places().segment(1)).unwrap();
    let mark = forged.len() - Mark::LEN;
    assert_eq!(&forged[mark..mark + 2], b"MM");
    let mut home = Home::new();
    home.write(&["one"]);
    let (mut bytes, promised) = home.only_segment();
    home.stop();
    // It was being written: its head would have come last.
    bytes.truncate(usize::try_from(promised).unwrap());
    bytes.extend([0; Head::LEN]);
    bytes.extend(&forged[SegmentHead::LEN..]);
    fs::write(home.places().segment(1), &bytes).unwrap();
    let left = home.start();
    let torn = left.torn.map(|(bytes, _)| bytes);
    assert_eq!((torn, left.damaged), (Some(bytes.len() as u64 - promised), None));
    assert_eq!(home.write(&["two"])[0].head.seq, 2);
    assert_eq!(home.verify().findings, []);
    // The head of the segment that has it is damaged: what comes first says what is its own.
    let mail = mail_with(&forged);
    let written = home.archive().append(vec![mail], now()).unwrap()[0];
    home.write(&["four"]);
    home.stop();
    let path = home.places().segment(2);
    let mut bytes = fs::read(&path).unwrap();
    let head_of_mail = usize::try_from(written.place.at).unwrap();
    let last_mark = &forged[mark..mark + Mark::LEN];
    assert!(bytes.windows(Mark::LEN).any(|part| part == last_mark), "it is there as it was sent");
    bytes[10] ^= 1;
    bytes[head_of_mail + 20] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let seqs = |record: io::Result<(Head, Place)>| record.unwrap().0.seq;
    let found: Vec<_> = records::Records::all(home.places()).unwrap().map(seqs).collect();
    assert_eq!(found, [1, 2, 4]);
}

/// It is in the first mail of a segment, and both of their heads are damaged.
#[test]
fn a_segment_without_a_head_is_known_by_its_end() {
    let mut other = Home::new();
    other.write(&["forged", "forged too"]);
    let (forged, _) = other.only_segment();
    for is_sealed in [false, true] {
        let mut home = Home::new();
        home.archive().append(vec![mail_with(&forged)], now()).unwrap();
        home.write(&["two"]);
        if is_sealed {
            home.archive().seal(now()).unwrap();
        }
        let (mut bytes, _) = home.only_segment();
        bytes[10] ^= 1;
        bytes[SegmentHead::LEN + 20] ^= 1;
        fs::write(home.places().segment(1), &bytes).unwrap();
        let found = records::Records::all(home.places()).unwrap();
        let found: Vec<_> = found.map(|record| record.unwrap().0.seq).collect();
        assert_eq!(found, [2], "sealed: {is_sealed}");
    }
}

/// A mail has what a newer version would write, in another archive.
#[test]
fn what_is_newer_in_another_archive_is_nothing_in_this_one() {
    let mut other = Home::new();
    let mut newer = other.write(&["x"])[0].head.encode();
    newer[10] = 200;
    let end = Head::LEN - 4;
    let checksum = crc32fast::hash(&newer[..end]).to_le_bytes();
    newer[end..].copy_from_slice(&checksum);
    assert_eq!(Head::decode(&newer), Err(Unread::Newer));
    let mut home = Home::new();
    let written = home.archive().append(vec![mail_with(&newer)], now()).unwrap()[0];
    let (mut bytes, _) = home.only_segment();
    bytes[SegmentHead::LEN + 20] ^= 1;
    fs::write(home.places().segment(1), &bytes).unwrap();
    let unreadable =
        What::Unreadable { bytes: Head::LEN as u64 + written.head.stored, why: Unread::Damaged };
    assert_eq!(home.verify().findings[0].what, unreadable);
}

/// A mail with these bytes: among what cannot be compressed they stand there as they were sent.
fn mail_with(bytes: &[u8]) -> Draft {
    let mut random = vec![0; 50_000];
    getrandom::fill(&mut random).unwrap();
    let content = [&random[..], bytes, &random[..100]].concat();
    let mail = Packed::later(b"a mail".to_vec(), io::Cursor::new(content)).unwrap();
    Draft::new(Kind::Capture, About::Itself, None, mail)
}

#[test]
fn a_segment_that_was_begun_and_no_more_is_begun_again() {
    for len in [0, 5, SegmentHead::LEN] {
        let mut home = Home::with(of_size(1));
        home.write(&["one"]);
        home.write(&["two"]);
        home.stop();
        let path = home.places().segment(2);
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..len]).unwrap();
        home.start();
        let again = home.write(&["two"]);
        assert_eq!((again[0].head.seq, again[0].place.segment), (2, 2), "{len} bytes");
        let report = home.verify();
        assert_eq!((report.findings, report.last), (vec![], 2), "{len} bytes");
        // The first of all.
        let mut home = Home::new();
        home.write(&["one"]);
        home.stop();
        let (bytes, _) = home.only_segment();
        fs::write(home.places().segment(1), &bytes[..len]).unwrap();
        home.start();
        let again = home.write(&["one"])[0];
        assert_eq!((again.head.seq, again.place.segment), (1, 1), "{len} bytes");
        assert_eq!(home.verify().findings, [], "{len} bytes");
    }
}

#[test]
fn a_crash_in_a_seal_or_before_its_root_is_listed_is_made_good() {
    let mut home = Home::new();
    home.write(&["one"]);
    let (unsealed, len) = home.only_segment();
    home.restart();
    let (sealed, _) = home.only_segment();
    assert_eq!(sealed.len(), unsealed.len() + Seal::LEN);
    for cut in usize::try_from(len).unwrap()..=sealed.len() {
        home.stop();
        fs::remove_file(home.places().roots()).unwrap();
        fs::write(home.places().segment(1), &sealed[..cut]).unwrap();
        home.start();
        let report = home.verify();
        assert_eq!((report.findings, report.last), (vec![], 1), "cut at {cut}");
        assert_eq!(home.roots().len(), 1);
    }
}

/// Damage in the first group, and a second time in what was written in its place.
#[test]
fn a_first_group_that_was_put_aside_is_never_written_over() {
    let mut home = Home::new();
    home.write(&["one"]);
    let (mut bytes, len) = home.only_segment();
    home.stop();
    bytes[usize::try_from(len).unwrap() - 1] ^= 1;
    let path = home.places().segment(1);
    let mut copies = Vec::new();
    for _ in 0..2 {
        bytes[usize::try_from(len).unwrap() - 2] ^= 1;
        fs::write(&path, &bytes).unwrap();
        copies.push((home.start().torn.unwrap().1, bytes.clone()));
        home.stop();
    }
    assert_eq!(copies[0].0, home.places().torn(1, SegmentHead::LEN as u64));
    copies.iter().for_each(|(copy, bytes)| assert_eq!(fs::read(copy).unwrap(), *bytes));
    home.start();
    let again = home.write(&["again"])[0];
    assert_eq!((again.place.segment, again.head.seq), (2, 1));
    assert_eq!(home.verify().findings, []);
}

/// Neither the head of a segment nor a mark can be read: there are records all the same.
#[test]
fn records_whose_segment_says_nothing_are_left_as_they_are() {
    let mut home = Home::with(encrypted(1));
    home.write(&["one"]);
    let (mut bytes, len) = home.only_segment();
    let slots = fs::read(home.places().keys_of(1)).unwrap();
    home.stop();
    bytes[20] ^= 1;
    bytes[usize::try_from(len).unwrap() - 1] ^= 1;
    let path = home.places().segment(1);
    fs::write(&path, &bytes).unwrap();
    for _ in 0..2 {
        assert_eq!(home.start(), Left { damaged: Some(path.clone()), ..Left::default() });
        home.stop();
    }
    home.start();
    assert_eq!(home.write(&["again"])[0].place.segment, 2);
    assert_eq!(home.only_segment().0, bytes);
    assert_eq!(fs::read(home.places().keys_of(1)).unwrap(), slots);
}

/// Two groups, the first of which is damaged: nothing is cut off, and nothing is written behind it.
#[test]
fn a_damaged_segment_stays_as_it_is_and_the_next_one_goes_on() {
    let mut home = Home::new();
    let one = home.write(&["one", "two"]);
    home.write(&["three"]);
    let (mut bytes, _) = home.only_segment();
    home.stop();
    bytes[usize::try_from(one[0].place.at).unwrap() + 20] ^= 4;
    fs::write(home.places().segment(1), &bytes).unwrap();
    let left = home.start();
    assert_eq!(left, Left { damaged: Some(home.places().segment(1)), ..Left::default() });
    let four = home.write(&["four"]);
    assert_eq!((four[0].head.seq, four[0].place.segment), (4, 2));
    assert_eq!(fs::read(home.places().segment(1)).unwrap(), bytes);
    let findings = home.verify().findings;
    assert!(findings.iter().all(|found| found.segment == 1), "{findings:?}");
    assert!(findings.iter().any(|it| it.what == What::Missing { first: 1, last: 1 }));
}

/// The second segment is on a disk that is full, then is gone.
#[test]
fn a_group_that_cannot_be_written_is_no_part_of_the_archive_and_is_written_later() {
    let mut home = Home::with(of_size(1));
    home.write(&["one"]);
    let path = home.places().segment(2);
    symlink("/dev/full", &path).unwrap();
    let group = || vec![draft(Kind::Capture, About::Itself, "two")];
    for _ in 0..3 {
        home.archive().append(group(), now()).unwrap_err();
    }
    fs::remove_file(&path).unwrap();
    let two = home.archive().append(group(), now()).unwrap();
    assert_eq!((two[0].head.seq, two[0].place.segment), (2, 2));
    let report = home.verify();
    assert_eq!((report.findings, report.last), (vec![], 2));
}

/// A sync has failed, and what it was to bring to the disk is there all the same, whole or damaged.
#[test]
fn a_segment_that_can_be_written_to_no_longer_is_left_and_the_next_one_goes_on() {
    let mut whole = Home::new();
    whole.write(&["one"]);
    let (_, promised) = whole.only_segment();
    let lost = whole.write(&["never promised", "nor this"]);
    let (bytes, whole) = whole.only_segment();
    let flipped = |record: &Written, byte| {
        let mut bytes = bytes.clone();
        bytes[usize::try_from(record.place.at).unwrap() + byte] ^= 1;
        bytes
    };
    let in_payload = Head::LEN + 3;
    for left in [bytes.clone(), flipped(&lost[0], 7), flipped(&lost[1], in_payload)] {
        let mut home = Home::new();
        home.write(&["one"]);
        home.archive().abandon();
        let path = home.places().segment(1);
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(&left[usize::try_from(promised).unwrap()..]).unwrap();
        let two = home.write(&["two"]);
        assert_eq!((two[0].head.seq, two[0].place.segment), (2, 2));
        let report = home.verify();
        assert_eq!((report.findings, report.last), (vec![], 2));
        home.stop();
        // It is sealed then, once what was never promised is put aside.
        let (bytes, copy) = home.start().torn.unwrap();
        assert_eq!((bytes, copy), (whole - promised, home.places().torn(1, promised)));
        home.write(&["three"]);
        assert_eq!(home.verify().findings, []);
        // What was promised before still counts.
        let mut changed = fs::read(&path).unwrap();
        changed[SegmentHead::LEN + in_payload] ^= 1;
        fs::write(&path, changed).unwrap();
        assert_eq!(home.verify().findings[0].what, What::Changed { seq: 1 });
    }
}

#[test]
fn whoever_verifies_hears_how_far_it_is() {
    let home = sealed();
    let mut told = Vec::new();
    let report = verify(home.places(), Known::default(), &mut |done, all| told.push((done, all)));
    let bytes = report.unwrap().bytes;
    assert_eq!(told.last(), Some(&(bytes, bytes)));
    assert!(told.is_sorted());
}

/// An archive of some segments, all of them sealed.
fn sealed() -> Home {
    sealed_with("mail 4", Options::default())
}

fn sealed_with(fifth: &str, options: Options) -> Home {
    let mut home = Home::with(Options { segment_size: 700, ..options });
    let texts = ["mail 0", "mail 1", "mail 2", "mail 3", fifth, "mail 5", "mail 6", "mail 7"];
    for pair in texts.chunks(2) {
        let written = home.write(pair);
        home.written.extend(written);
    }
    home.archive().seal(now()).unwrap();
    assert!(home.roots().len() >= 2);
    assert_eq!(home.verify().findings, []);
    home
}

#[test]
fn the_records_of_a_mail_are_found_wherever_they_are() {
    let mut home = Home::with(of_size(1));
    let [ann, bob] = [7, 8].map(|serial| QueueId::new(now(), serial));
    for (kind, id, text) in [
        (Kind::Capture, Some(ann), "of ann"),
        (Kind::Capture, Some(bob), "of bob"),
        (Kind::Access, None, "a search"),
        (Kind::Outcome, Some(ann), "sent"),
    ] {
        let draft = Draft { id, ..draft(kind, About::Nothing, text) };
        home.archive().append(vec![draft], now()).unwrap();
    }
    let found = |id| {
        let found = records::find(home.places(), id).unwrap();
        found.iter().map(|(head, place)| (head.kind, place.segment)).collect::<Vec<_>>()
    };
    assert_eq!(found(ann), [(Kind::Capture, 1), (Kind::Outcome, 4)]);
    assert_eq!(found(bob), [(Kind::Capture, 2)]);
    assert_eq!(found(QueueId::new(now(), 9)), []);
    let all = records::Records::all(home.places()).unwrap();
    assert_eq!(all.map(|record| record.unwrap().0.seq).collect::<Vec<_>>(), [1, 2, 3, 4]);
}

/// Neither what a failed sync has left, nor what no mark stands behind.
#[test]
fn whoever_reads_records_sees_those_that_count() {
    let mut whole = Home::new();
    whole.write(&["one"]);
    let (_, promised) = whole.only_segment();
    whole.write(&["never promised"]);
    let (bytes, _) = whole.only_segment();
    let mut home = Home::new();
    home.write(&["one"]);
    home.archive().abandon();
    let mut file = OpenOptions::new().append(true).open(home.places().segment(1)).unwrap();
    file.write_all(&bytes[usize::try_from(promised).unwrap()..]).unwrap();
    home.write(&["two"]);
    let last = home.write(&["three"]);
    let count = |places: &Places| records::Records::all(places).unwrap().count();
    let all = records::Records::all(home.places()).unwrap();
    let seen: Vec<_> = all.map(|it| it.unwrap()).map(|(head, at)| (head.seq, at.segment)).collect();
    assert_eq!(seen, [(1, 1), (2, 2), (3, 2)]);
    let first = records::Records::all(home.places()).unwrap().next().unwrap().unwrap();
    for records in [
        records::Records::behind(home.places(), first).unwrap(),
        records::Records::from(home.places(), 2).unwrap(),
    ] {
        let seen: Vec<_> = records.map(|it| it.unwrap().1.segment).collect();
        assert_eq!(seen, [2, 2]);
    }
    // The last group, but for its mark.
    let path = home.places().segment(2);
    let len = fs::metadata(&path).unwrap().len();
    OpenOptions::new().write(true).open(&path).unwrap().set_len(len - 1).unwrap();
    assert_eq!(count(home.places()), 2);
    let mut changed = fs::read(&path).unwrap();
    changed[SegmentHead::LEN + Head::LEN + 2] ^= 1;
    fs::write(&path, changed).unwrap();
    let sound = records::Records::sound_of_last(home.places(), 2).unwrap();
    assert_eq!(sound.map(|it| it.unwrap().0.seq).collect::<Vec<_>>(), [1]);
    let reader = Reader::new(home.places().clone());
    assert!(matches!(reader.read_sound(home.first_of(2)), Err(ReadError::Changed { seq: 2, .. })));
    assert_eq!(last[0].head.seq, 3);
}

#[test]
fn a_segment_of_which_only_the_beginning_was_begun_is_no_damage() {
    let mut home = Home::with(of_size(1));
    home.write(&["one"]);
    home.archive().seal(now()).unwrap();
    fs::write(home.places().segment(2), b"MWARCH").unwrap();
    let report = home.verify();
    assert_eq!((report.findings, report.torn), (vec![], 6));
    fs::write(home.places().segments().join("20261122.seg"), b"a stray file").unwrap();
    assert_eq!(home.verify().findings, []);
}

/// An archive, and where it is.
struct Home {
    place: TempDir,
    options: Options,
    archive: Option<Archive>,
    places: Places,
    written: Vec<Written>,
}

impl Home {
    fn new() -> Self {
        Self::with(Options::default())
    }

    fn with(options: Options) -> Self {
        let place = tempfile::tempdir().unwrap();
        let places = Places::new(place.path());
        let mut home = Self { place, options, archive: None, places, written: Vec::new() };
        assert_eq!(home.start(), Left::default());
        home
    }

    fn start(&mut self) -> Left {
        self.start_at(now())
    }

    fn start_at(&mut self, now: Timestamp) -> Left {
        let (archive, left) = Archive::open(self.place.path(), self.options.clone(), now).unwrap();
        self.archive = Some(archive);
        left
    }

    fn stop(&mut self) {
        self.archive = None;
    }

    fn restart(&mut self) {
        self.stop();
        assert_eq!(self.start(), Left::default());
    }

    fn archive(&mut self) -> &mut Archive {
        self.archive.as_mut().unwrap()
    }

    const fn places(&self) -> &Places {
        &self.places
    }

    /// A group of these texts.
    fn write(&mut self, texts: &[&str]) -> Vec<Written> {
        let drafts = texts.iter().map(|text| draft(Kind::Capture, About::Itself, text));
        let group = drafts.collect();
        self.archive().append(group, now()).unwrap()
    }

    fn text(&self, record: &Written) -> String {
        let mut read = Reader::new(self.places.clone()).read(record.place).unwrap();
        assert_eq!(read.head, record.head);
        assert_eq!(read.payload.summary().unwrap(), b"summary");
        String::from_utf8(read.payload.content(1 << 20).unwrap()).unwrap()
    }

    fn verify(&self) -> Report {
        verify(&self.places, Known::default(), &mut |_, _| {}).unwrap()
    }

    fn roots(&self) -> Vec<Root> {
        roots::read(&self.places.roots()).unwrap().into_iter().map(Result::unwrap).collect()
    }

    /// Where the first record of a segment is.
    fn first_of(&self, segment: u64) -> Place {
        Place { segment, at: SegmentHead::LEN as u64 }
    }

    /// The bytes of the first segment, and how many.
    fn only_segment(&self) -> (Vec<u8>, u64) {
        let bytes = fs::read(self.places.segment(1)).unwrap();
        let len = bytes.len() as u64;
        (bytes, len)
    }

    /// What makes a sealed archive.
    fn files(&self) -> Vec<std::path::PathBuf> {
        let segments = self.places.numbers().unwrap().into_iter();
        let segments = segments.map(|number| self.places.segment(number));
        segments.chain([self.places.roots()]).collect()
    }
}

fn of_size(segment_size: u64) -> Options {
    Options { segment_size, ..Options::default() }
}

fn draft(kind: Kind, about: About, text: &str) -> Draft {
    let payload = Packer::new().unwrap().pack(b"summary", text.as_bytes()).unwrap();
    Draft::new(kind, about, None, payload)
}

fn now() -> Timestamp {
    Timestamp::from_secs(1_795_210_205)
}

/// Paths are made of numbers only.
#[test]
fn segments_have_names_that_sort() {
    let places = Places::new(Path::new("archive"));
    assert_eq!(places.segment(12), Path::new("archive/segments/0000000012.seg"));
}
