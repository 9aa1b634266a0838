//! Who has no key reads nothing, who has no record's key reads that record no more, and both can tell whether the
//! archive is what was written.

use std::{
    io::{Cursor, Read},
    path::PathBuf,
    sync::mpsc,
};

use super::{
    erasing::{payload_of, wanted},
    *,
};
use crate::{
    Encryption, MasterKeys, WriteError,
    erase::{Target, finish},
    frame::{KeysHead, Packing},
    payload::{Packed, UnpackError},
    verify::Keys,
};

#[test]
fn what_is_encrypted_can_be_read_with_the_key_file_and_stands_nowhere_in_the_clear() {
    let mut home = Home::with(encrypted(1));
    let group = vec![
        draft(Kind::Capture, About::Itself, "the word is swordfish"),
        draft(Kind::Outcome, About::OfGroup(0), "sent to swordfish"),
        draft(Kind::Access, About::OfGroup(0), "who looked for swordfish"),
    ];
    let written = home.archive().append(group, now()).unwrap();
    home.restart();
    for (record, text) in written.iter().zip(["the word is", "sent to", "who looked for"]) {
        assert_eq!(record.head.packing, Packing::Encrypted);
        assert_eq!(
            read_with(&home, Some(keys(1)), record.place).unwrap(),
            format!("{text} swordfish")
        );
        let [without, with_another] =
            [None, Some(keys(2))].map(|keys| read_with(&home, keys, record.place).unwrap_err());
        assert!(matches!(without, ReadError::Payload(UnpackError::NoKey)), "{without}");
        assert!(matches!(with_another, ReadError::OtherKey { .. }), "{with_another}");
        assert!(without.is_out_of_reach() && with_another.is_out_of_reach());
    }
    for path in [home.places().segment(1), home.places().keys_of(1)] {
        let bytes = fs::read(path).unwrap();
        // What can be told from outside: numbers, times and sizes.
        assert!(!contains(&bytes, b"swordfish") && !contains(&bytes, b"summary"));
        assert!(
            !contains(&bytes, &[0x28, 0xb5, 0x2f, 0xfd]),
            "no frame of Zstandard begins anywhere"
        );
        assert!(!contains(&bytes, &[1; 32]), "nor is the key there");
    }
    let report = home.verify();
    assert_eq!((report.findings, report.records), (vec![], 3));
}

#[test]
fn a_key_file_may_get_new_keys_and_encryption_may_begin_and_end_later() {
    let mut home = Home::new();
    let mut written = home.write(&["in the clear"]);
    let both = newer_keys();
    for (encryption, text) in [
        (Encryption::On(keys(1)), "with the first key"),
        (Encryption::On(both.clone()), "with the second key"),
        (Encryption::NoLonger(both.clone()), "in the clear again"),
        (Encryption::On(both.clone()), "with the second key again"),
    ] {
        home.stop();
        home.options.encryption = encryption;
        home.start();
        written.extend(home.write(&[text]));
    }
    let packing: Vec<_> = written.iter().map(|it| it.head.packing).collect();
    let (clear, secret) = (Packing::Zstd, Packing::Encrypted);
    assert_eq!(packing, [clear, secret, secret, clear, secret]);
    assert_eq!(
        read_with(&home, Some(both.clone()), written[1].place).unwrap(),
        "with the first key"
    );
    assert_eq!(
        read_with(&home, Some(both), written[4].place).unwrap(),
        "with the second key again"
    );
    assert_eq!(home.verify().findings, []);
}

#[test]
fn who_has_encrypted_mail_writes_on_with_its_key_only() {
    let mut home = Home::with(encrypted(1));
    home.write(&["one"]);
    home.stop();
    let open = |encryption| {
        let options = Options { encryption, ..Options::default() };
        Archive::open(home.place.path(), options, now()).map(|_| ()).unwrap_err()
    };
    let error = open(Encryption::Never);
    assert!(matches!(&error, OpenError::NoKey(_)) && error.to_string().contains("no key file"));
    for encryption in [Encryption::On(keys(2)), Encryption::NoLonger(keys(2))] {
        let error = open(encryption);
        assert!(matches!(error, OpenError::OtherKey { .. }), "{error}");
    }
    assert_eq!(home.verify().findings, [], "whoever verifies needs no key");
}

#[test]
fn every_flipped_bit_of_keys_is_found() {
    let mut home = Home::with(encrypted(1));
    let written = home.write(&["one", "two"]);
    home.archive().seal(now()).unwrap();
    let path = home.places().keys_of(1);
    let sound = fs::read(&path).unwrap();
    for at in 0..sound.len() {
        let mut flipped = sound.clone();
        flipped[at] ^= 1 << (at % 8);
        fs::write(&path, &flipped).unwrap();
        assert!(!home.verify().is_sound(), "byte {at}");
        let found = written.iter().filter(|it| read_with(&home, Some(keys(1)), it.place).is_ok());
        // Without the head of the file keys are found by that of the segment.
        assert_eq!(found.count(), if at < KeysHead::LEN { 2 } else { 1 }, "byte {at}");
    }
    for len in 0..sound.len() {
        fs::write(&path, &sound[..len]).unwrap();
        assert!(!home.verify().is_sound(), "cut to {len}");
    }
    fs::remove_file(&path).unwrap();
    assert_eq!(home.verify().findings[0].what, What::NoKeys);
}

/// Such a file gives nothing where no memory is, as a disk does with a bad block.
#[test]
fn keys_on_a_bad_block_are_damaged_and_keep_no_archive_closed() {
    let mut home = Home::with(encrypted(1));
    let written = home.write(&["one", "two"]);
    home.archive().seal(now()).unwrap();
    home.stop();
    let path = home.places().keys_of(1);
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink("/proc/self/mem", &path).unwrap();
    home.start();
    let error = read_with(&home, Some(keys(1)), written[0].place).unwrap_err();
    assert!(matches!(error, ReadError::KeyLost { .. }), "it is not said to be erased: {error}");
    assert!(error.is_out_of_reach(), "a backup may have them");
    let found: Vec<_> = home.verify().findings.into_iter().map(|found| found.what).collect();
    let lost = What::KeysLost { first: 1, last: 2, records: 2 };
    assert_eq!(found, [What::KeysHead, lost]);
    home.write(&["three"]);
}

/// The directory is gone, one of its files, or the end of one.
#[test]
fn lost_keys_are_found_with_and_without_the_key_file_once_for_each_segment() {
    let mut home = Home::with(Options { segment_size: 1_000, ..encrypted(1) });
    let written: Vec<_> = (0..8).flat_map(|_| home.write(&["a mail"; 5])).collect();
    home.archive().seal(now()).unwrap();
    let last = home.places().numbers().unwrap().pop().unwrap();
    assert!(last > 2);
    let found = |asked| {
        let known = Known { keys: asked, ..Known::default() };
        let findings = verify(home.places(), known, &mut |_, _| {}).unwrap().findings;
        findings.into_iter().map(|found| (found.segment, found.at, found.what)).collect::<Vec<_>>()
    };
    let key_file = keys(1);
    let of_segment_1: Vec<_> = written.iter().filter(|it| it.place.segment == 1).collect();
    let path = home.places().keys_of(1);
    let sound = fs::read(&path).unwrap();

    fs::write(&path, &sound[..KeysHead::LEN + 2 * SLOT + 75]).unwrap();
    let seq = of_segment_1.len() as u64;
    let what = What::KeysLost { first: 3, last: seq, records: seq - 2 };
    for asked in [Keys::There, Keys::Fit(&key_file)] {
        assert_eq!(found(asked), [(1, None, what.clone())]);
    }
    fs::remove_file(&path).unwrap();
    for asked in [Keys::There, Keys::Fit(&key_file)] {
        assert_eq!(found(asked), [(1, None, What::NoKeys)]);
    }
    fs::remove_dir_all(home.places().keys()).unwrap();
    for asked in [Keys::There, Keys::Fit(&key_file)] {
        let each: Vec<_> = (1..=last).map(|segment| (segment, None, What::NoKeys)).collect();
        assert_eq!(found(asked), each);
    }
    assert_eq!(found(Keys::NotAsked), [], "who has a copy without any can prove it all the same");
}

#[test]
fn what_was_erased_needs_no_key() {
    let mut home = Home::with(encrypted(1));
    let written = home.write(&["one", "two"]);
    home.stop();
    home.options.encryption = Encryption::NoLonger(keys(1));
    home.start();
    home.erase(&written);
    fs::remove_dir_all(home.places().keys()).unwrap();
    assert_eq!(home.erased(), (2, vec![]));
}

#[test]
fn keys_are_destroyed_though_the_head_of_their_file_is_damaged() {
    let mut home = Home::with(encrypted(1));
    let written = home.write(&["one", "two", "three"]);
    let [segment, slots] = [home.places().segment(1), home.places().keys_of(1)];
    flip(&slots, 20);
    let known = Known { keys: Keys::Fit(&keys(1)), ..Known::default() };
    let findings = verify(home.places(), known, &mut |_, _| {}).unwrap().findings;
    assert_eq!(findings, [Finding { segment: 1, at: None, what: What::KeysHead }]);
    home.erase(&written[..1]);
    let of = |record: usize| KeysHead::LEN + record * SLOT..KeysHead::LEN + (record + 1) * SLOT;
    let is_destroyed = |record| fs::read(&slots).unwrap()[of(record)].iter().all(|byte| *byte == 0);
    assert!(is_destroyed(0) && !is_destroyed(1));
    assert_eq!(home.verify().erased, 1);
    assert_eq!(read_with(&home, Some(keys(1)), written[1].place).unwrap(), "two");

    // Nobody can tell any more which key is whose: it is not said to be done.
    flip(&segment, 20);
    assert_eq!(read_with(&home, Some(keys(1)), written[1].place).unwrap(), "two");
    flip(&segment, SegmentHead::LEN + 20);
    let done = home.archive().erase(&[wanted(&written[1])], now()).unwrap();
    let error = done.left.unwrap();
    assert!(error.to_string().contains("0000000001.keys: its head"), "{error}");
    assert!(!is_destroyed(1));
    let bytes = fs::read(&segment).unwrap();
    assert!(bytes[payload_of(&written[1])].iter().all(|byte| *byte == 0), "nobody reads it here");
    let is_left = |found: &Finding| found.what == What::NotErased { seq: 2 };
    assert!(home.erased().1.iter().any(is_left));
    flip(&segment, SegmentHead::LEN + 20);
    home.archive().release().unwrap();
    assert!(is_destroyed(1));
    assert_eq!(home.verify().erased, 2);
}

/// The keys of one segment cannot be written to. Those of another can.
#[test]
fn mails_that_can_be_erased_are_whatever_becomes_of_others() {
    let mut home = Home::with(Options { segment_size: 1, ..encrypted(1) });
    let written = [home.write(&["one"])[0], home.write(&["two"])[0]];
    let said = written.iter().map(wanted).collect::<Vec<_>>();
    fs::remove_file(home.places().keys_of(1)).unwrap();
    fs::create_dir(home.places().keys_of(1)).unwrap();
    let done = home.archive().erase(&said, now()).unwrap();
    assert!(done.left.is_some());
    for record in &written {
        let bytes = fs::read(home.places().segment(record.place.segment)).unwrap();
        assert!(bytes[payload_of(record)].iter().all(|byte| *byte == 0), "{:?}", record.place);
    }
    let one = Target { seq: 1, place: written[0].place };
    assert_eq!(home.archive().unreleased().targets().collect::<Vec<_>>(), [one]);
    fs::remove_dir(home.places().keys_of(1)).unwrap();
    home.archive().release().unwrap();
    assert!(home.archive().unreleased().is_empty());
}

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn keys_and_payloads_that_changed_places_open_nothing() {
    let mut home = Home::with(encrypted(1));
    let written = home.write(&["one", "two"]);
    home.archive().seal(now()).unwrap();
    let (segment, slots) = (home.places().segment(1), home.places().keys_of(1));
    let [payload_1, payload_2] = [payload_of(&written[0]), payload_of(&written[1])];
    assert_eq!(payload_1.len(), payload_2.len());
    let (slot, head) = (SLOT, KeysHead::LEN);
    for (path, one, two) in
        [(segment, payload_1, payload_2), (slots, head..head + slot, head + slot..head + 2 * slot)]
    {
        let sound = fs::read(&path).unwrap();
        let mut swapped = sound.clone();
        swapped[one.clone()].copy_from_slice(&sound[two.clone()]);
        swapped[two].copy_from_slice(&sound[one]);
        fs::write(&path, swapped).unwrap();
        assert!(!home.verify().is_sound(), "{}", path.display());
        let reader = Reader::new(home.places().clone()).with_keys(Some(keys(1)));
        for record in &written {
            let read = reader.read(record.place).and_then(|mut it| Ok(it.payload.summary()?));
            assert!(read.is_err(), "{}", path.display());
        }
        fs::write(path, sound).unwrap();
    }
    assert_eq!(home.verify().findings, []);
}

#[test]
fn who_verifies_with_the_key_file_hears_what_cannot_be_read_with_it() {
    let mut home = Home::with(Options { segment_size: 1, ..encrypted(1) });
    home.write(&["one", "two"]);
    home.stop();
    let both = MasterKeys::parse(&format!("{}\n{}", hexadecimal(2), hexadecimal(1))).unwrap();
    home.options.encryption = Encryption::On(both.clone());
    home.start();
    home.write(&["three"]);
    let with = |keys: &MasterKeys| {
        let known = Known { keys: Keys::Fit(keys), ..Known::default() };
        verify(home.places(), known, &mut |_, _| {}).unwrap().findings
    };
    assert_eq!(with(&both), []);
    for (key, segment) in [(1, 2), (2, 1)] {
        let findings = with(&keys(key));
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert_eq!((findings[0].segment, findings[0].at), (segment, None));
        assert!(matches!(findings[0].what, What::OtherKey { .. }));
    }
    // Somebody has swapped two keys, and knows how checksums are made: that of the keys of another archive.
    let mut other = Home::with(encrypted(3));
    other.write(&["one", "two"]);
    let path = home.places().keys_of(1);
    let (head, slots) = (fs::read(&path).unwrap(), fs::read(other.places().keys_of(1)).unwrap());
    let forged = [&head[..KeysHead::LEN], &slots[KeysHead::LEN..]].concat();
    fs::write(path, forged).unwrap();
    assert_eq!(home.verify().findings, []);
    let lost = with(&both).into_iter().map(|found| found.what).collect::<Vec<_>>();
    assert_eq!(lost, [What::KeysLost { first: 1, last: 2, records: 2 }]);
}

/// Somebody has kept a copy of the segment, in a backup.
#[test]
fn what_was_erased_cannot_be_read_in_a_copy_either() {
    let mut home = Home::with(encrypted(1));
    let written = home.write(&["one", "two"]);
    let [segment, slots] = [home.places().segment(1), home.places().keys_of(1)];
    let [before, keys_before] = [&segment, &slots].map(|path| fs::read(path).unwrap());
    home.erase(&written[..1]);
    home.archive().seal(now()).unwrap();
    assert_eq!(home.erased(), (1, vec![]));
    let reader = Reader::new(home.places().clone()).with_keys(Some(keys(1)));
    assert!(matches!(reader.read_sound(written[0].place), Err(ReadError::Erased { seq: 1, .. })));

    let after = fs::read(&segment).unwrap();
    fs::write(&segment, [&before[..], &after[before.len()..]].concat()).unwrap();
    assert!(matches!(reader.read_sound(written[0].place), Err(ReadError::Erased { seq: 1, .. })));
    assert_eq!(read_with(&home, Some(keys(1)), written[1].place).unwrap(), "two");
    let at = Some(written[0].place.at);
    let not_erased = vec![Finding { segment: 1, at, what: What::NotErased { seq: 1 } }];
    assert_eq!(home.erased(), (0, not_erased.clone()));

    // The keys were put back, too; then the keys alone.
    fs::write(&slots, &keys_before).unwrap();
    assert_eq!(home.erased(), (0, not_erased.clone()));
    fs::write(&segment, &after).unwrap();
    assert_eq!(home.erased(), (0, not_erased));
    finish(home.places(), &[Target { seq: 1, place: written[0].place }]).unwrap();
    assert_eq!(home.erased(), (1, vec![]));
}

/// The machine stops when the record is there that says so, before or while the key is destroyed, or before the
/// payload is released.
#[test]
fn whatever_a_crash_left_of_an_erased_mail_goes_at_the_next_start() {
    let mut home = Home::with(encrypted(1));
    let written = home.write(&["one", "two"]);
    let [segment, slots] = [home.places().segment(1), home.places().keys_of(1)];
    let [before, keys_before] = [&segment, &slots].map(|path| fs::read(path).unwrap());
    home.erase(&written[..1]);
    let [after, keys_after] = [&segment, &slots].map(|path| fs::read(path).unwrap());
    home.stop();
    let unreleased = [&before[..], &after[before.len()..]].concat();
    for destroyed in 0..=SLOT {
        let mut keys_then = keys_after.clone();
        let still = KeysHead::LEN + destroyed..KeysHead::LEN + SLOT;
        keys_then[still.clone()].copy_from_slice(&keys_before[still]);
        let mut crashed = Home::with(encrypted(1));
        crashed.stop();
        fs::create_dir_all(crashed.places().keys()).unwrap();
        fs::write(crashed.places().segment(1), &unreleased).unwrap();
        fs::write(crashed.places().keys_of(1), &keys_then).unwrap();
        assert_eq!(crashed.erased().0, 0, "{destroyed} bytes destroyed");
        assert_eq!(crashed.start(), Left::default());
        assert_eq!(crashed.erased(), (1, vec![]), "{destroyed} bytes destroyed");
        // Without those that no record has.
        let used = &keys_after[..KeysHead::LEN + 3 * SLOT];
        assert_eq!(fs::read(crashed.places().keys_of(1)).unwrap(), used);
        assert_eq!(read_with(&crashed, Some(keys(1)), written[1].place).unwrap(), "two");
    }
}

/// The machine stops while the keys of the next records are made.
#[test]
fn a_crash_while_keys_are_made_costs_no_record() {
    let mut home = Home::with(encrypted(1));
    home.write(&["one"]);
    let [segment, slots] = [home.places().segment(1), home.places().keys_of(1)];
    let [bytes, made] = [&segment, &slots].map(|path| fs::read(path).unwrap());
    home.stop();
    let needed = KeysHead::LEN + SLOT;
    let ends = (0..=needed).map(|len| (len, SegmentHead::LEN));
    // With the keys of the record there, so may be the record.
    let ends = ends.chain((needed..needed + 2 * SLOT).map(|len| (len, bytes.len())));
    for (len, written) in ends {
        let mut crashed = Home::with(encrypted(1));
        crashed.stop();
        fs::create_dir_all(crashed.places().keys()).unwrap();
        fs::write(crashed.places().segment(1), &bytes[..written]).unwrap();
        fs::write(crashed.places().keys_of(1), &made[..len]).unwrap();
        crashed.start();
        let two = crashed.write(&["two"]);
        assert_eq!(read_with(&crashed, Some(keys(1)), two[0].place).unwrap(), "two");
        assert_eq!(crashed.verify().findings, [], "{len} bytes of keys");
    }
}

#[test]
fn keys_are_made_many_at_once_and_those_that_no_record_needs_are_destroyed() {
    let mut home = Home::with(encrypted(1));
    let slots = |home: &Home| {
        let len = fs::metadata(home.places().keys_of(1)).unwrap().len();
        (usize::try_from(len).unwrap() - KeysHead::LEN) / SLOT
    };
    let (mut last, mut made) = (Vec::new(), Vec::new());
    for group in 1..=100 {
        last = home.write(&["a mail"; 20]);
        assert!((20 * group..=40 * group + 64).contains(&slots(&home)), "{}", slots(&home));
        made.push(slots(&home));
    }
    made.dedup();
    assert!(made.len() < 8, "{made:?}");
    home.archive().seal(now()).unwrap();
    assert_eq!(slots(&home), 2_000);
    assert_eq!(read_with(&home, Some(keys(1)), last[19].place).unwrap(), "a mail");
    let report = home.verify();
    assert_eq!((report.findings, report.records), (vec![], 2_000));
}

/// The machine stops before they are, with the segment sealed or not.
#[test]
fn keys_that_no_record_has_are_destroyed_at_the_next_start() {
    for is_sealed in [false, true] {
        let mut home = Home::with(encrypted(1));
        let written = home.write(&["one", "two"]);
        let made = fs::read(home.places().keys_of(1)).unwrap();
        assert!(made.len() > KeysHead::LEN + 2 * SLOT);
        if is_sealed {
            home.archive().seal(now()).unwrap();
            fs::write(home.places().keys_of(1), &made).unwrap();
        }
        home.restart();
        let left = fs::read(home.places().keys_of(1)).unwrap();
        assert_eq!(left, made[..KeysHead::LEN + 2 * SLOT]);
        assert_eq!(read_with(&home, Some(keys(1)), written[1].place).unwrap(), "two");
        // After a failed sync, too.
        home.write(&["three"]);
        home.archive().abandon();
        home.write(&["four"]);
        home.restart();
        let len = fs::metadata(home.places().keys_of(2)).unwrap().len();
        assert_eq!(usize::try_from(len).unwrap(), KeysHead::LEN + SLOT);
        assert_eq!(home.verify().findings, []);
    }
}

/// The mark behind promised mail is damaged: it is put aside, and nothing but its key can read it.
#[test]
fn what_was_put_aside_keeps_its_keys_at_every_start() {
    for groups in [0, 1] {
        let mut home = Home::with(encrypted(1));
        (0..groups).for_each(|_| drop(home.write(&["before"])));
        home.write(&["to ann", "to bob"]);
        let [segment, slots] = [home.places().segment(1), home.places().keys_of(1)];
        let kept = fs::read(&slots).unwrap()[KeysHead::LEN..][..(groups + 2) * SLOT].to_vec();
        let has_keys = || fs::read(&slots).unwrap()[KeysHead::LEN..].starts_with(&kept);
        home.stop();
        flip(&segment, usize::try_from(home.only_segment().1).unwrap() - 1);
        let (_, copy) = home.start().torn.unwrap();
        assert!(has_keys());
        home.restart();
        assert!(has_keys());
        // A crash came before its seal.
        home.stop();
        let bytes = fs::read(&segment).unwrap();
        if groups > 0 {
            fs::write(&segment, &bytes[..bytes.len() - Seal::LEN]).unwrap();
            fs::remove_file(home.places().roots()).unwrap();
        }
        home.restart();
        assert!(has_keys());
        let again = home.write(&["again"])[0];
        assert_eq!((again.place.segment, again.head.seq), (2, groups as u64 + 1));
        home.restart();
        assert!(has_keys() && copy.exists());
        assert_eq!(read_with(&home, Some(keys(1)), again.place).unwrap(), "again");
        assert_eq!(home.verify().findings, []);
    }
}

/// The first time the content of a large mail cannot be read to its end, when a part of the group has reached the disk.
#[test]
fn a_group_that_is_offered_again_never_has_the_same_nonces() {
    let mut home = Home::with(encrypted(1));
    home.write(&["before"]);
    let (before, _) = home.only_segment();
    let group = |content: Box<dyn Read + Send>| {
        let large = Packed::later(b"summary".to_vec(), content).unwrap();
        let large = Draft::new(Kind::Capture, About::Itself, None, large);
        vec![draft(Kind::Capture, About::Itself, "small"), large]
    };
    let text = noise(5_000_000);
    let (tell, hear) = mpsc::channel();
    let broken = Broken { segment: home.places().segment(1), tell };
    let broken = Cursor::new(text.clone()).take(4_000_000).chain(broken);
    let error = home.archive().append(group(Box::new(broken)), now()).unwrap_err();
    assert!(matches!(error, WriteError::Content { place: 1, .. }), "{error}");
    assert_eq!(home.only_segment().0, before, "nothing is left of it");
    let first = hear.recv().unwrap();

    let written = home.archive().append(group(Box::new(Cursor::new(text.clone()))), now()).unwrap();
    let (second, _) = home.only_segment();
    for record in &written {
        let begin = payload_of(record).start;
        assert!(first.len() > before.len() + 900_000);
        assert_ne!(first[begin..begin + 19], second[begin..begin + 19]);
    }
    assert_eq!(read_with(&home, Some(keys(1)), written[0].place).unwrap(), "small");
    assert!(read_with(&home, Some(keys(1)), written[1].place).unwrap().into_bytes() == text);
    assert_eq!(home.verify().findings, []);
}

/// Content that cannot be read. Says what the segment is at that moment.
pub(super) struct Broken {
    pub(super) segment: PathBuf,
    pub(super) tell: mpsc::Sender<Vec<u8>>,
}

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        self.tell.send(fs::read(&self.segment).unwrap()).unwrap();
        Err(std::io::Error::other("the disk is broken"))
    }
}

/// Letters that compression does not make much smaller than half.
pub(super) fn noise(len: usize) -> Vec<u8> {
    let mut seed = 1_u64;
    let letters = std::iter::repeat_with(|| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        b'a' + (seed >> 60) as u8
    });
    letters.take(len).collect()
}

/// The directory of keys cannot be made; later it is gone: nothing is written in the clear instead.
#[test]
fn without_keys_nothing_is_written_until_they_can_be_made() {
    let mut home = Home::with(Options { segment_size: 1, ..encrypted(1) });
    let (obstacle, elsewhere) = (home.places().keys(), home.place.path().join("elsewhere"));
    for number in 1..=2 {
        if number == 2 {
            fs::rename(&obstacle, &elsewhere).unwrap();
        }
        symlink("/dev/full", &obstacle).unwrap();
        for _ in 0..3 {
            let group = vec![draft(Kind::Capture, About::Itself, "a mail")];
            home.archive().append(group, now()).unwrap_err();
        }
        assert_eq!(home.archive().seal(now()).unwrap(), None, "it has no records");
        fs::remove_file(&obstacle).unwrap();
        if number == 2 {
            fs::rename(&elsewhere, &obstacle).unwrap();
        }
        let one = home.write(&["a mail"])[0];
        assert_eq!((one.head.seq, one.place.segment), (number, number));
        assert_eq!(one.head.packing, Packing::Encrypted);
        assert_eq!(read_with(&home, Some(keys(1)), one.place).unwrap(), "a mail");
        assert_eq!(home.verify().findings, []);
    }
}

/// What a failed sync makes of it: nothing is written to the segment any more, and its keys are left as they are.
#[test]
fn behind_a_segment_that_was_left_the_next_one_has_keys_of_its_own() {
    let mut home = Home::with(Options { segment_size: 1, ..encrypted(1) });
    home.write(&["one"]);
    let two = home.write(&["two"])[0];
    home.archive().abandon();
    let three = home.write(&["three"])[0];
    assert_eq!((three.head.seq, three.place.segment), (3, 3));
    for (record, text) in [(two, "two"), (three, "three")] {
        assert_eq!(read_with(&home, Some(keys(1)), record.place).unwrap(), text);
    }
    assert_eq!(home.verify().findings, []);
}

#[test]
fn a_large_mail_is_written_piece_by_piece_whether_it_is_encrypted_or_not() {
    for options in [Options::default(), encrypted(1)] {
        let mut home = Home::with(options);
        let content = noise(5_000_000);
        let payload = Packed::later(b"summary".to_vec(), Cursor::new(content.clone())).unwrap();
        let large = Draft::new(Kind::Capture, About::Itself, None, payload);
        let group = vec![draft(Kind::Capture, About::Itself, "before"), large];
        let written = home.archive().append(group, now()).unwrap();
        assert_eq!(written[1].head.unpacked, 5_000_007);
        assert!(written[1].head.stored > 2_000_000);
        home.write(&["behind"]);
        home.restart();
        assert_eq!(home.verify().findings, []);
        let reader = Reader::new(home.places().clone()).with_keys(Some(keys(1)));
        let mut read = reader.read_sound(written[1].place).unwrap();
        assert_eq!(read.payload.summary().unwrap(), b"summary");
        assert!(read.payload.content(1 << 23).unwrap() == content);
        let done = home.archive().erase(&[wanted(&written[1])], now()).unwrap();
        assert!(done.left.is_none());
        assert_eq!(home.erased(), (1, vec![]));
    }
}

pub(super) fn encrypted(key: u8) -> Options {
    Options { encryption: Encryption::On(keys(key)), ..Options::default() }
}

pub(super) fn keys(key: u8) -> MasterKeys {
    MasterKeys::parse(&hexadecimal(key)).unwrap()
}

/// A key file to which a second key came.
pub(super) fn newer_keys() -> MasterKeys {
    MasterKeys::parse(&format!("{}\n{}\n", hexadecimal(2), hexadecimal(1))).unwrap()
}

fn hexadecimal(key: u8) -> String {
    format!("{key:02x}").repeat(32)
}

pub(super) fn read_with(
    home: &Home,
    keys: Option<MasterKeys>,
    place: Place,
) -> Result<String, ReadError> {
    let mut record = Reader::new(home.places().clone()).with_keys(keys).read_sound(place)?;
    assert_eq!(record.payload.summary()?, b"summary");
    Ok(String::from_utf8(record.payload.content(1 << 24)?).unwrap())
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// Bytes of a wrapped key with its checksum.
pub(super) const SLOT: usize = 24 + 32 + 16 + 4;
