//! What is erased is gone, whatever comes in between, and everything else is as provable as before.

use std::{
    io::{Cursor, Read as _},
    sync::mpsc,
};

use super::{
    encryption::{Broken, SLOT, encrypted, newer_keys, noise},
    *,
};
use crate::{
    Encryption,
    entry::{Erased, Erasure, decode},
    erase::{Erase, EraseError, Target, finish},
    frame::{Begins, KeysHead},
    payload::Packed,
};

#[test]
fn what_is_erased_is_gone_and_all_else_is_as_it_was() {
    for is_sealed in [false, true] {
        let mut home = Home::new();
        let written = home.write(&["one", "two", "three"]);
        if is_sealed {
            home.archive().seal(now()).unwrap();
        }
        let (before, len) = home.only_segment();
        let said = home.erase(&written[1..2]);
        let (after, _) = home.only_segment();
        let gone = payload_of(&written[1]);
        assert!(after[gone.clone()].iter().all(|byte| *byte == 0), "the payload is zeros");
        assert_eq!(after[..gone.start], before[..gone.start]);
        let len = usize::try_from(len).unwrap();
        assert_eq!(after[gone.end..len], before[gone.end..]);

        let reader = Reader::new(home.places().clone());
        let place = written[1].place;
        assert!(matches!(reader.read(place), Err(ReadError::Erased { seq: 2, .. })));
        assert!(matches!(reader.read_sound(place), Err(ReadError::Erased { seq: 2, .. })));
        assert_eq!(home.text(&written[2]), "three");
        let head = said[0].head;
        assert_eq!((head.kind, head.about, head.id), (Kind::Erased, 2, written[1].head.id));
        let summary = reader.read_sound(said[0].place).unwrap().payload.summary().unwrap();
        let Erased { why, by, content, .. } = decode(&summary).unwrap();
        assert_eq!(
            (why, by.as_deref()),
            (Erasure::Requested { reason: "GDPR 17".into() }, Some("ann"))
        );
        assert_eq!(content, Hash::of(b"content"));

        assert_eq!(home.erased(), (1, vec![]));
        home.write(&["four"]);
        home.restart();
        home.write(&["five"]);
        assert_eq!(home.erased(), (1, vec![]));
        // Erased twice is erased.
        home.erase(&written[1..2]);
        assert_eq!(home.erased(), (1, vec![]));
    }
}

#[test]
fn mails_of_many_segments_are_erased_at_once_and_nobody_who_reads_all_misses_the_others() {
    let mut home = Home::with(of_size(700));
    let written: Vec<_> =
        (0..9).flat_map(|number| home.write(&[&format!("mail {number}")])).collect();
    let (gone, kept): (Vec<_>, Vec<_>) = written.iter().partition(|it| it.head.seq % 2 == 0);
    home.erase(&gone);
    assert_eq!(home.erased(), (4, vec![]));
    for record in kept {
        assert_eq!(home.text(&record), format!("mail {}", record.head.seq - 1));
    }
    let all = records::Records::sound_of_last(home.places(), 99).unwrap();
    assert_eq!(all.count(), 13, "who asks what the archive has hears of erased mail, too");
    let wanted = written.iter().map(|it| it.head.seq).filter(|seq| seq % 3 == 0).collect();
    let found = records::locate(home.places(), &wanted).unwrap();
    let expected = [2, 5, 8].map(|index| (written[index].head, written[index].place));
    assert_eq!(found, expected);
}

/// The machine stops while the record is written that says so, after any of its bytes.
#[test]
fn nothing_is_erased_before_a_record_says_so() {
    let mut home = Home::new();
    let written = home.write(&["one", "two"]);
    let (promised, len) = home.only_segment();
    home.erase(&written[..1]);
    let (whole, end) = home.only_segment();
    home.stop();
    let len = usize::try_from(len).unwrap();
    for cut in len..usize::try_from(end).unwrap() {
        let bytes = [&promised[..], &whole[len..cut]].concat();
        let mut crashed = Home::new();
        crashed.stop();
        fs::write(crashed.places().segment(1), bytes).unwrap();
        crashed.start();
        assert_eq!(crashed.text(&written[0]), "one", "cut at {cut}");
        assert_eq!(crashed.erased(), (0, vec![]), "cut at {cut}");
    }
}

/// The machine stops when the record is there, and the payload was released in part or not at all.
#[test]
fn what_a_crash_came_into_is_shown_and_done_at_the_next_start() {
    let mut home = Home::new();
    let written = home.write(&["one", "two"]);
    let (before, len) = home.only_segment();
    home.erase(&written[..1]);
    let (after, _) = home.only_segment();
    let gone = payload_of(&written[0]);
    for released in 0..gone.len() {
        let mut bytes = after.clone();
        let still = gone.start + released..gone.end;
        bytes[still.clone()].copy_from_slice(&before[still]);
        for later in [false, true] {
            let mut crashed = Home::new();
            crashed.stop();
            fs::write(crashed.places().segment(1), &bytes).unwrap();
            let place = Some(written[0].place.at);
            let what = What::NotErased { seq: 1 };
            let expected = Finding { segment: 1, at: place, what };
            assert_eq!(crashed.erased(), (0, vec![expected]), "{released} bytes released");
            assert_eq!(crashed.start(), Left::default());
            if later {
                // The segment was sealed by the start; another one has begun.
                crashed.write(&["three"]);
                crashed.restart();
            }
            assert_eq!(crashed.erased(), (1, vec![]), "{released} bytes released");
            let (bytes, _) = crashed.only_segment();
            assert_eq!(
                bytes[..usize::try_from(len).unwrap()],
                after[..usize::try_from(len).unwrap()]
            );
        }
    }
}

/// Only the process ended, and now the disk fails: what says so may be in memory alone.
#[test]
fn a_start_releases_nothing_before_what_says_so_is_on_the_disk() {
    let mut home = Home::new();
    let written = home.write(&["one", "two"]);
    let (before, len) = home.only_segment();
    home.erase(&written[..1]);
    let (after, _) = home.only_segment();
    home.stop();
    let unreleased = [&before[..], &after[usize::try_from(len).unwrap()..]].concat();
    fs::write(home.places().segment(1), &unreleased).unwrap();
    // It is a segment that was begun, and that cannot be synced.
    let next = home.places().segment(2);
    symlink("/dev/full", &next).unwrap();
    home.start();
    assert_eq!(home.only_segment().0[..unreleased.len()], unreleased);
    let one = Target { seq: 1, place: written[0].place };
    assert_eq!(home.archive().unreleased().targets().collect::<Vec<_>>(), [one]);
    home.stop();
    fs::remove_file(next).unwrap();
    home.start();
    assert_eq!(home.erased(), (1, vec![]));
}

/// As above, and the segments that say so are not among the last ones any more when a start can do it.
#[test]
fn what_a_start_could_not_release_is_known_to_all_later_ones() {
    let mut home = Home::new();
    let written = home.write(&["one", "two"]);
    let (before, len) = home.only_segment();
    home.erase(&written[..1]);
    let (after, _) = home.only_segment();
    home.stop();
    let unreleased = [&before[..], &after[usize::try_from(len).unwrap()..]].concat();
    fs::write(home.places().segment(1), &unreleased).unwrap();
    let next = home.places().segment(2);
    symlink("/dev/full", &next).unwrap();
    home.start();
    fs::remove_file(next).unwrap();
    for text in ["three", "four", "five"] {
        home.write(&[text]);
        home.archive().seal(now()).unwrap();
    }
    assert_eq!(home.only_segment().0[..unreleased.len()], unreleased);
    home.restart();
    assert_eq!(home.erased(), (1, vec![]));
    assert!(!home.places().unreleased().exists());
}

/// Its segment, or that of the record that says so, is on a disk that is not mounted; or that record needs a key
/// that the key file does not have.
#[test]
fn what_no_start_can_release_now_is_kept_for_one_that_can() {
    for away in [1, 2] {
        let mut home = Home::with(of_size(1));
        let [one, other] = [home.write(&["one"])[0], home.write(&["other"])[0]];
        let said = erased_and_put_back(&mut home, one);
        assert_eq!(said.segment, 3);
        let away = home.places().segment(if away == 1 { 1 } else { said.segment });
        let aside = home.place.path().join("aside");
        fs::rename(&away, &aside).unwrap();
        home.restart();
        assert!(home.archive().unreleased().is_empty(), "nothing that could be tried each minute");
        // Whatever is erased meanwhile.
        home.erase(&[other]);
        home.restart();
        assert!(home.places().unreleased().exists());
        fs::rename(&aside, &away).unwrap();
        home.restart();
        assert_eq!(home.erased(), (2, vec![]));
        assert!(!home.places().unreleased().exists());
    }

    let mut home = Home::with(Options { segment_size: 1, ..encrypted(1) });
    let one = home.write(&["one"])[0];
    let Place { segment, at } = erased_and_put_back(&mut home, one);
    home.stop();
    let both = Options { encryption: Encryption::On(newer_keys()), ..home.options.clone() };
    home.options = both.clone();
    home.start();
    home.write(&["with the new key"]);
    home.archive().seal(now()).unwrap();
    home.stop();
    fs::write(home.places().unreleased(), format!("{segment} {at}\n")).unwrap();
    home.options = Options { segment_size: 1, ..encrypted(2) };
    home.restart();
    assert!(home.places().unreleased().exists());
    home.stop();
    home.options = both;
    home.restart();
    assert_eq!(home.erased(), (1, vec![]));
    assert!(!home.places().unreleased().exists());
}

/// Its segment goes while the program runs.
#[test]
fn what_is_not_there_when_it_is_released_is_released_when_it_comes_back() {
    let mut home = Home::with(of_size(1));
    let one = home.write(&["one"])[0];
    let said = erased_and_put_back(&mut home, one);
    fs::remove_file(home.places().unreleased()).unwrap();
    let (path, aside) = (home.places().segment(1), home.place.path().join("aside"));
    fs::rename(&path, &aside).unwrap();
    let target = Target { seq: 1, place: one.place };
    home.archive().erase_again([target], [said]).unwrap();
    fs::rename(&aside, &path).unwrap();
    home.restart();
    assert_eq!(home.erased(), (1, vec![]));
    assert!(!home.places().unreleased().exists());
}

/// Such a file gives nothing where no memory is, as a disk does with a bad block.
#[test]
fn a_bad_block_under_what_could_not_be_released_keeps_no_archive_closed() {
    let mut home = Home::with(of_size(1));
    let one = home.write(&["one"])[0];
    let said = erased_and_put_back(&mut home, one);
    home.stop();
    let path = home.places().unreleased();
    let damaged = path.with_extension("damaged");
    fs::remove_file(&path).unwrap();
    symlink("/proc/self/mem", &path).unwrap();
    for _ in 0..2 {
        let left = Left { unreleased: Some(damaged.clone()), ..Left::default() };
        assert_eq!(home.start(), left, "until somebody answers for it");
        assert!(damaged.is_symlink() && !path.exists());
        home.stop();
    }
    let what = What::NotErased { seq: 1 };
    assert_eq!(home.erased(), (0, vec![Finding { segment: 1, at: Some(one.place.at), what }]));
    // The disk gives it after all.
    fs::remove_file(&damaged).unwrap();
    fs::write(&damaged, format!("{} {}\n", said.segment, said.at)).unwrap();
    home.start();
    assert_eq!(home.erased(), (1, vec![]));
    home.stop();
    fs::remove_file(&damaged).unwrap();
    home.start();
}

/// A mail that is erased, and is there again, behind so many other segments that only `unreleased` knows it. Gives
/// where the record is that says so.
fn erased_and_put_back(home: &mut Home, mail: Written) -> Place {
    let path = home.places().segment(mail.place.segment);
    let before = fs::read(&path).unwrap();
    home.archive().seal(now()).unwrap();
    let sealed = fs::read(&path).unwrap();
    assert_eq!(sealed[..before.len()], before);
    let said = home.erase(&[mail])[0].place;
    for text in ["more", "and more", "and still more"] {
        home.write(&[text]);
    }
    home.archive().seal(now()).unwrap();
    fs::write(path, sealed).unwrap();
    fs::write(home.places().unreleased(), format!("{} {}\n", said.segment, said.at)).unwrap();
    said
}

#[test]
fn a_payload_that_somebody_wiped_or_put_back_is_found() {
    let mut home = Home::with(of_size(1));
    let [one, two] = [home.write(&["one"])[0], home.write(&["two"])[0]];
    let path = home.places().segment(1);
    let sound = fs::read(&path).unwrap();
    home.erase(&[two]);
    let mut wiped = sound.clone();
    wiped[payload_of(&one)].fill(0);
    fs::write(&path, wiped).unwrap();
    let found = |record: &Written, what| Finding {
        segment: record.place.segment,
        at: Some(record.place.at),
        what,
    };
    assert_eq!(home.erased(), (1, vec![found(&one, What::Changed { seq: 1 })]));
    fs::write(&path, sound).unwrap();

    home.erase(&[one]);
    assert_eq!(home.erased(), (2, vec![]));
    let erased = fs::read(&path).unwrap();
    let mut changed = erased.clone();
    changed[payload_of(&one).end - 1] = 1;
    fs::write(&path, &changed).unwrap();
    assert_eq!(home.erased(), (1, vec![found(&one, What::NotErased { seq: 1 })]));
    finish(home.places(), &[Target { seq: 1, place: one.place }]).unwrap();
    assert_eq!(fs::read(&path).unwrap(), erased);
    assert_eq!(home.erased(), (2, vec![]));
}

#[test]
fn nothing_but_mails_and_their_outcomes_is_erased_and_only_where_they_are() {
    let mut home = Home::new();
    let group = vec![
        draft(Kind::Capture, About::Itself, "mail"),
        draft(Kind::Outcome, About::OfGroup(0), "sent"),
        draft(Kind::Access, About::OfGroup(0), "looked at"),
    ];
    let written = home.archive().append(group, now()).unwrap();
    let (before, _) = home.only_segment();
    let access = home.archive().erase(&[wanted(&written[2])], now()).unwrap_err();
    assert!(matches!(access, EraseError::Kept { seq: 3, kind: Kind::Access }), "{access}");
    let elsewhere = Erase { place: written[1].place, ..wanted(&written[0]) };
    let other = home.archive().erase(&[wanted(&written[1]), elsewhere], now()).unwrap_err();
    assert!(matches!(other, EraseError::Misplaced { wanted: 1, found: 2 }), "{other}");
    let nowhere = Erase { place: Place { segment: 9, at: 100 }, ..wanted(&written[0]) };
    assert!(matches!(home.archive().erase(&[nowhere], now()), Err(EraseError::Read(_))));
    for (target, place) in [(&written[2], written[2].place), (&written[0], written[1].place)] {
        finish(home.places(), &[Target { seq: target.head.seq, place }]).unwrap();
    }
    assert_eq!(home.only_segment().0, before);
    home.erase(&written[..2]);
    assert_eq!(home.erased(), (2, vec![]));
}

/// Somebody who can write records, and wants one to be gone that is never erased.
#[test]
fn a_record_that_says_more_than_it_may_excuses_nothing() {
    let mut home = Home::new();
    let group = vec![
        draft(Kind::Access, About::Nothing, "looked at"),
        draft(Kind::Erased, About::Record(1), "it was erased"),
        draft(Kind::Erased, About::Record(77), "what never was"),
    ];
    let written = home.archive().append(group, now()).unwrap();
    assert_eq!(home.erased(), (0, vec![]));
    let (mut bytes, _) = home.only_segment();
    bytes[payload_of(&written[0])].fill(0);
    fs::write(home.places().segment(1), bytes).unwrap();
    let findings = home.erased().1;
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].what, What::Changed { seq: 1 });
}

/// One mail that was read already, and one that was not; what says so comes behind all that is read, or not.
#[test]
fn what_is_erased_while_somebody_verifies_is_no_damage() {
    for options in [of_size(1), Options { segment_size: 1, ..encrypted(1) }, of_size(700)] {
        for moment in 0..4 {
            let mut home = Home::with(options.clone());
            let written: Vec<_> = (0..9).flat_map(|_| home.write(&["a mail"])).collect();
            let places = home.places().clone();
            let mut told = 0;
            let mut progress = |_, _| {
                if told == moment {
                    home.erase(&[written[0], written[6]]);
                }
                told += 1;
            };
            let report = verify(&places, Known::default(), &mut progress).unwrap();
            assert_eq!(report.findings, [], "erased at {moment}");
            assert_eq!(home.erased(), (if told > moment { 2 } else { 0 }, vec![]));
        }
    }
}

/// The segment of an erased mail is gone altogether: that is for `verify` to say, and keeps nobody from writing.
#[test]
fn a_start_does_not_need_what_was_erased() {
    let mut home = Home::with(of_size(1));
    let one = home.write(&["one"]);
    home.write(&["two"]);
    home.erase(&one);
    home.stop();
    fs::remove_file(home.places().segment(1)).unwrap();
    home.start();
    home.write(&["three"]);
    let is_missing = |found: &Finding| matches!(found.what, What::NoSegment { .. });
    assert!(home.erased().1.iter().any(is_missing));
}

/// Somebody may have a copy of what is missing or damaged here.
#[test]
fn the_key_of_what_is_not_found_any_more_is_destroyed_nevertheless() {
    let mut home = Home::with(encrypted(1));
    let written = home.write(&["one", "two"]);
    let [segment, slots] = [home.places().segment(1), home.places().keys_of(1)];
    let keys = fs::read(&slots).unwrap();
    home.erase(&written[..1]);
    let (bytes, without) = (fs::read(&segment).unwrap(), fs::read(&slots).unwrap());
    let one = Target { seq: 1, place: written[0].place };
    let mut damaged = bytes.clone();
    damaged[payload_of(&written[0]).start - Head::LEN + 20] ^= 1;
    for found in [Some(&bytes), Some(&damaged), None] {
        fs::write(&slots, &keys).unwrap();
        match found {
            Some(bytes) => fs::write(&segment, bytes).unwrap(),
            None => fs::remove_file(&segment).unwrap(),
        }
        finish(home.places(), &[one]).unwrap();
        assert!(fs::read(&slots).unwrap() == without, "is there: {}", found.is_some());
    }
}

/// What was never promised was brought again; both are erased.
#[test]
fn copies_of_a_mail_that_a_crash_or_a_failed_sync_has_left_go_with_it() {
    let [ann, bob] = [7, 8].map(|serial| QueueId::new(now(), serial));
    let of = |id, text| Draft { id: Some(id), ..draft(Kind::Capture, About::Itself, text) };
    for options in [Options::default(), encrypted(1)] {
        let mut whole = Home::with(options.clone());
        whole.write(&["before"]);
        let (_, promised) = whole.only_segment();
        let group = vec![of(ann, "to ann"), of(bob, "to bob")];
        let lost = whole.archive().append(group, now()).unwrap();
        let (bytes, _) = whole.only_segment();
        whole.stop();
        let promised = usize::try_from(promised).unwrap();
        let (to_ann, to_bob) = (payload_of(&lost[0]), payload_of(&lost[1]));

        // A failed sync, and all of it is on the disk all the same.
        let mut home = Home::with(options.clone());
        home.write(&["before"]);
        home.archive().abandon();
        let path = home.places().segment(1);
        let begin = fs::read(&path).unwrap();
        let bytes = branded_as(&begin, &bytes, promised);
        fs::write(&path, [&begin[..], &bytes[promised..]].concat()).unwrap();
        let again = home.archive().append(vec![of(ann, "to ann")], now()).unwrap();
        home.erase(&again);
        let left = fs::read(&path).unwrap();
        assert!(left[to_ann.clone()].iter().all(|byte| *byte == 0));
        assert_eq!(left[to_bob.clone()], bytes[to_bob]);
        assert_eq!(left[..promised], begin);
        assert_eq!(home.erased(), (1, vec![]));

        // A crash: what no mark stands behind was put aside.
        let mut home = Home::with(options);
        home.write(&["before"]);
        home.stop();
        let path = home.places().segment(1);
        let begin = fs::read(&path).unwrap();
        let bytes = branded_as(&begin, &bytes, promised);
        let torn = &bytes[promised..to_ann.end];
        fs::write(&path, [&begin[..], torn].concat()).unwrap();
        let (_, copy) = home.start().torn.unwrap();
        let again =
            [ann, bob].map(|id| home.archive().append(vec![of(id, "again")], now()).unwrap()[0]);
        home.erase(&again[1..]);
        let kept = fs::read(&copy).unwrap();
        assert_eq!(kept[SegmentHead::LEN..], *torn, "it has nothing of that mail");
        home.erase(&again[..1]);
        assert!(!copy.exists());
        assert_eq!(home.erased(), (2, vec![]));
    }
}

/// A segment whose records and marks from a byte on bear the brand of another one.
fn branded_as(other: &[u8], segment: &[u8], from: usize) -> Vec<u8> {
    let brand = SegmentHead::decode(other.first_chunk().unwrap()).unwrap().brand;
    let mut branded = segment[..from].to_vec();
    while let Some(rest) = segment.get(branded.len()..).filter(|rest| !rest.is_empty()) {
        match Begins::of([rest[0], rest[1]]).unwrap() {
            Begins::Record => {
                let head = Head::decode(rest.first_chunk().unwrap()).unwrap();
                let end = Head::LEN + usize::try_from(head.stored).unwrap();
                branded.extend(Head { brand, ..head }.encode());
                branded.extend(&rest[Head::LEN..end]);
            }
            Begins::Mark => {
                let (_, mark) = Mark::decode(rest.first_chunk().unwrap()).unwrap();
                branded.extend(mark.encode(brand));
            }
            Begins::Seal => {
                let (_, seal) = Seal::decode(rest.first_chunk().unwrap()).unwrap();
                branded.extend(seal.encode(brand));
            }
        }
    }
    branded
}

/// Its head is written last: until then nothing says whose the bytes are.
#[test]
fn a_large_mail_of_which_a_crash_left_a_part_goes_with_the_next_that_is_erased() {
    for options in [Options::default(), encrypted(1)] {
        let mut home = Home::with(options.clone());
        home.write(&["before"]);
        let part = part_of_a_large_mail(&mut home, Vec::new());
        let (_, len) = home.only_segment();
        assert!(part.len() as u64 > len + 1_000_000);

        // The machine stops there.
        home.stop();
        fs::write(home.places().segment(1), &part).unwrap();
        let (bytes, copy) = home.start().torn.unwrap();
        assert_eq!(bytes, part.len() as u64 - len);
        let [other, again] = [home.write(&["other"])[0], home.write(&["again"])[0]];
        assert!(copy.exists(), "nothing was erased");
        home.erase(&[other]);
        assert!(!copy.exists());
        assert_eq!(home.erased(), (1, vec![]));
        // What is put aside at a start is nothing of what was erased before.
        home.stop();
        let path = home.places().segment(2);
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(&part[usize::try_from(len).unwrap()..]).unwrap();
        let (_, copy) = home.start().torn.unwrap();
        // Nor does a start alone erase anything.
        let put_aside = fs::read(&copy).unwrap();
        home.restart();
        assert!(fs::read(&copy).unwrap() == put_aside);
        home.erase(&[again]);
        assert!(!copy.exists());

        // A failed sync: it is in the segment still.
        let mut home = Home::with(options);
        home.write(&["before"]);
        home.archive().abandon();
        let path = home.places().segment(1);
        let begin = fs::read(&path).unwrap();
        fs::write(&path, [&begin[..], &part[begin.len()..]].concat()).unwrap();
        let again = home.write(&["again"]);
        home.erase(&again);
        let left = fs::read(&path).unwrap();
        assert_eq!(left[..begin.len()], begin);
        assert!(left[begin.len()..].iter().all(|byte| *byte == 0));
        assert_eq!(home.erased(), (1, vec![]));
    }
}

/// What a segment is while a large mail is written to it, behind others of its group.
fn part_of_a_large_mail(home: &mut Home, mut group: Vec<Draft>) -> Vec<u8> {
    let (tell, hear) = mpsc::channel();
    let broken = Broken { segment: home.places().segment(1), tell };
    let content = Cursor::new(noise(4_500_000)).chain(broken);
    let payload = Packed::later(b"summary".to_vec(), content).unwrap();
    group.push(Draft::new(Kind::Capture, About::Itself, None, payload));
    home.archive().append(group, now()).unwrap_err();
    hear.recv().unwrap()
}

/// The mark behind promised mail is damaged: it is put aside, and can be read as long as it is not erased.
#[test]
fn whole_mail_that_was_put_aside_keeps_its_key_and_loses_it_when_it_is_erased() {
    let ann = QueueId::new(now(), 7);
    let of_ann = || Draft { id: Some(ann), ..draft(Kind::Capture, About::Itself, "to ann") };
    let mut home = Home::with(encrypted(1));
    home.write(&["before"]);
    home.archive().append(vec![of_ann()], now()).unwrap();
    let (mut bytes, len) = home.only_segment();
    let slots = fs::read(home.places().keys_of(1)).unwrap();
    home.stop();
    bytes[usize::try_from(len).unwrap() - 1] ^= 1;
    fs::write(home.places().segment(1), &bytes).unwrap();
    let (_, copy) = home.start().torn.unwrap();
    let other = home.write(&["other"]);
    home.erase(&other);
    let kept = |slots: usize| KeysHead::LEN + slots * SLOT;
    assert!(copy.exists());
    assert_eq!(fs::read(home.places().keys_of(1)).unwrap(), slots[..kept(2)]);
    let again = home.archive().append(vec![of_ann()], now()).unwrap();
    home.erase(&again);
    assert!(!copy.exists());
    let left = fs::read(home.places().keys_of(1)).unwrap();
    assert_eq!(left[..kept(1)], slots[..kept(1)]);
    assert!(left[kept(1)..].iter().all(|byte| *byte == 0));
    assert_eq!(home.erased(), (2, vec![]));
}

/// The mark behind promised mails is damaged, or the last of them has no head: each goes when its own time comes.
#[test]
fn what_was_put_aside_of_others_stays_when_a_mail_is_erased() {
    let [ann, bob] = [7, 8].map(|serial| QueueId::new(now(), serial));
    let of = |id, text| Draft { id: Some(id), ..draft(Kind::Capture, About::Itself, text) };
    for (options, is_large) in [
        (Options::default(), false),
        (Options::default(), true),
        (encrypted(1), false),
        (encrypted(1), true),
    ] {
        let is_encrypted = options.encryption.keys().is_some();
        let mut home = Home::with(options);
        home.write(&["before"]);
        let (_, promised) = home.only_segment();
        let group = || vec![of(ann, "to ann"), of(bob, "to bob")];
        let part = is_large.then(|| part_of_a_large_mail(&mut home, group()));
        let lost = home.archive().append(group(), now()).unwrap();
        let slots = is_encrypted.then(|| fs::read(home.places().keys_of(1)).unwrap());
        let (mut bytes, len) = home.only_segment();
        bytes[usize::try_from(len).unwrap() - 1] ^= 1;
        let bytes = part.unwrap_or(bytes);
        home.stop();
        fs::write(home.places().segment(1), &bytes).unwrap();
        let (_, copy) = home.start().torn.unwrap();
        let put_aside = fs::read(&copy).unwrap();
        let [to_ann, to_bob] = [0, 1].map(|place| {
            let payload = payload_of(&lost[place]);
            let moved = usize::try_from(promised).unwrap() - SegmentHead::LEN;
            payload.start - moved..payload.end - moved
        });

        let other = home.write(&["other"]);
        home.erase(&other);
        let stray = if is_large { to_bob.end } else { put_aside.len() };
        let left = fs::read(&copy).unwrap();
        assert_eq!(left[..stray], put_aside[..stray], "it has nothing of that mail");
        assert!(left[stray..].iter().all(|byte| *byte == 0), "nobody can tell whose it was");

        let again =
            [ann, bob].map(|id| home.archive().append(vec![of(id, "again")], now()).unwrap());
        home.erase(&again[0]);
        let left = fs::read(&copy).unwrap();
        assert!(left[to_ann.clone()].iter().all(|byte| *byte == 0));
        assert_eq!(left[to_ann.end..to_bob.end], put_aside[to_ann.end..to_bob.end]);
        let slot =
            |number: usize| KeysHead::LEN + number * SLOT..KeysHead::LEN + (number + 1) * SLOT;
        if let Some(slots) = &slots {
            let left = fs::read(home.places().keys_of(1)).unwrap();
            assert!(left[slot(1)].iter().all(|byte| *byte == 0));
            assert_eq!(left[slot(0)], slots[slot(0)]);
            assert_eq!(left[slot(2)], slots[slot(2)]);
        }
        home.erase(&again[1]);
        assert!(!copy.exists(), "nothing of any mail is left in it");
        if is_encrypted {
            let left = fs::read(home.places().keys_of(1)).unwrap();
            assert!(left[slot(2)].iter().all(|byte| *byte == 0));
        }
        assert_eq!(home.erased(), (3, vec![]));
    }
}

impl Home {
    pub(super) fn erase(&mut self, records: &[impl std::borrow::Borrow<Written>]) -> Vec<Written> {
        let wanted: Vec<_> = records.iter().map(|record| wanted(record.borrow())).collect();
        let done = self.archive().erase(&wanted, now()).unwrap();
        assert!(done.left.is_none(), "{:?}", done.left);
        done.written
    }

    pub(super) fn erased(&self) -> (u64, Vec<Finding>) {
        let report = self.verify();
        (report.erased, report.findings)
    }
}

pub(super) fn wanted(record: &Written) -> Erase {
    Erase {
        seq: record.head.seq,
        place: record.place,
        why: Erasure::Requested { reason: "GDPR 17".into() },
        by: Some("ann".into()),
        content: Hash::of(b"content"),
    }
}

pub(super) fn payload_of(record: &Written) -> std::ops::Range<usize> {
    let from = usize::try_from(record.place.at).unwrap() + Head::LEN;
    from..from + usize::try_from(record.head.stored).unwrap()
}
