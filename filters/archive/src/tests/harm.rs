//! An archive that is harmed in each way: what is found, all of it, and in which words.

use super::{encryption::SLOT, newer::make_newer, *};
use crate::frame::KeysHead;

#[test]
fn what_is_wrong_with_the_head_of_a_segment_is_named() {
    let home = three();
    let segment = home.places().segment(2);
    home.harmed(
        || flip(&segment, 20),
        &[(2, Some(0), What::Head(Unread::Damaged), "the head of the segment: it is damaged")],
    );
    let newer = "the head of the segment: a newer version of Mailweir has written it";
    home.harmed(
        || make_newer(&segment, SegmentHead::LEN),
        &[(2, Some(0), What::Head(Unread::Newer), newer)],
    );
    let other_root = || {
        let mut bytes = fs::read(&segment).unwrap();
        let head = SegmentHead::decode(bytes.first_chunk().unwrap()).unwrap();
        let other = SegmentHead { root_before: Hash::of(b"another"), ..head };
        bytes[..SegmentHead::LEN].copy_from_slice(&other.encode());
        fs::write(&segment, bytes).unwrap();
    };
    let not_bound = "the segment does not go on where the one before it ends";
    home.harmed(other_root, &[(2, Some(0), What::NotBound, not_bound)]);
}

#[test]
fn what_is_wrong_with_records_is_named() {
    let home = three();
    let [one, two, three, four] = home.written[..] else { panic!() };
    let twice = || {
        let path = home.places().segment(1);
        let bytes = fs::read(&path).unwrap();
        let [from, to, end] = [one.place.at, two.place.at, end_of(&two)].map(index);
        fs::write(&path, [&bytes[..end], &bytes[from..to], &bytes[end..]].concat()).unwrap();
    };
    let misplaced = What::Misplaced { seq: 1 };
    home.harmed(twice, &[(1, Some(end_of(&two)), misplaced, "record 1 is not in its place")]);

    let key = "the key of record 2 is missing or damaged: nobody can read it";
    home.harmed(
        || flip(&home.places().keys_of(1), KeysHead::LEN + SLOT + 9),
        &[(1, Some(two.place.at), What::KeyLost { seq: 2 }, key)],
    );

    let last = home.roots()[2].seal.root;
    let cut = || cut(&home.places().segment(3), four.place.at + Head::LEN as u64 + 5);
    let seal = format!(
        "the seal is missing or damaged; the list of roots has the root, and it is not that of the records: {last}"
    );
    home.harmed(
        cut,
        &[
            (3, None, What::SealLost { listed: last, is_whole: false }, &seal),
            (3, Some(four.place.at), What::Cut { seq: 4 }, "record 4 is cut off"),
        ],
    );

    let at = Timestamp::from_secs(1);
    let changed = || put_head(&home, &three, Head { at, ..three.head }.encode());
    let mark = end_of(&three);
    home.harmed(
        changed,
        &[
            (
                2,
                Some(mark),
                What::NotChained { before: 3 },
                "records up to 3 do not follow from those before them",
            ),
            (2, Some(mark + Mark::LEN as u64), What::Seal, "the seal does not fit the records"),
        ],
    );

    let newer = || {
        let mut head = three.head.encode();
        head[10] = 200;
        let checksum = crc32fast::hash(&head[..Head::LEN - 4]).to_le_bytes();
        head[Head::LEN - 4..].copy_from_slice(&checksum);
        put_head(&home, &three, head);
    };
    let bytes = mark - three.place.at;
    let said = format!("{bytes} bytes: a newer version of Mailweir has written them");
    home.harmed(
        newer,
        &[
            (2, Some(three.place.at), What::Unreadable { bytes, why: Unread::Newer }, &said),
            (2, Some(mark), What::Missing { first: 3, last: 3 }, "record 3 is missing"),
        ],
    );
}

#[test]
fn what_is_wrong_with_a_seal_is_named() {
    let home = three();
    let [_, _, three, four] = home.written[..] else { panic!() };
    let listed = home.roots()[1].seal;
    let [place, last] = [&three, &four].map(|record| end_of(record) + Mark::LEN as u64);
    let segment = home.places().segment(2);
    let other = Hash::of(b"another");
    let other_seal = || {
        let mut bytes = fs::read(&segment).unwrap();
        let seal = Seal { root: other, ..listed }.encode(three.head.brand);
        bytes[index(place)..].copy_from_slice(&seal);
        fs::write(&segment, bytes).unwrap();
    };
    let said = format!("the root is {other}; the list of roots says {}", listed.root);
    home.harmed(
        other_seal,
        &[
            (2, None, What::Root { listed: listed.root, found: Some(other) }, &said),
            (2, Some(place), What::Seal, "the seal does not fit the records"),
            (3, Some(0), What::NotBound, "the segment does not go on where the one before it ends"),
        ],
    );

    let whole = "the seal is missing or damaged; the list of roots has the root, and it is that of the records";
    let lost = |listed| What::SealLost { listed, is_whole: true };
    home.harmed(
        || cut(&segment, place),
        &[
            (2, None, What::NotSealed, "the segment was sealed, and its seal is missing"),
            (2, None, lost(listed.root), whole),
        ],
    );
    let damaged = What::Unreadable { bytes: Seal::LEN as u64, why: Unread::Damaged };
    home.harmed(
        || flip(&home.places().segment(3), index(last) + 20),
        &[
            (3, None, lost(home.roots()[2].seal.root), whole),
            (3, Some(last), damaged, "94 bytes are damaged"),
        ],
    );
    let behind = || {
        let mut file = OpenOptions::new().append(true).open(&segment).unwrap();
        file.write_all(b"more").unwrap();
    };
    let place = place + Seal::LEN as u64;
    home.harmed(behind, &[(2, Some(place), What::BehindSeal, "something stands behind the seal")]);
}

#[test]
fn what_is_wrong_with_the_list_of_roots_is_named() {
    let home = three();
    let list = home.places().roots();
    let lines = home.roots();
    let not_listed = "the segment is sealed and not in the list of roots";
    let without = || fs::write(&list, format!("{}\n{}\n", lines[0], lines[2])).unwrap();
    home.harmed(without, &[(2, None, What::NotListed, not_listed)]);

    let [first, second, third] = &lines[..] else { panic!() };
    let no_line = || fs::write(&list, format!("{first}\nx\n{second}\n{third}\n")).unwrap();
    let why = What::List("no line of a list of roots: \"x\"".into());
    let said =
        r#"the list of roots has a line that makes no sense: "no line of a list of roots: \"x\"""#;
    home.harmed(no_line, &[(0, None, why, said)]);

    let listed = third.seal.root;
    let said = format!("the segment is missing; the list of roots has its root, {listed}");
    home.harmed(
        || fs::remove_file(home.places().segment(3)).unwrap(),
        &[(3, None, What::Root { listed, found: None }, &said)],
    );
}

/// Three sealed segments with records 1 and 2, 3, and 4.
fn three() -> Home {
    let mut home = Home::with(Options { segment_size: 1, ..encrypted(1) });
    for texts in [&["one", "two"][..], &["three"], &["four"]] {
        let written = home.write(texts);
        home.written.extend(written);
    }
    home.archive().seal(now()).unwrap();
    home.stop();
    home
}

impl Home {
    /// Verifies once this is done, and then undoes it.
    fn harmed(&self, harm: impl Fn(), expected: &[(u64, Option<u64>, What, &str)]) {
        let mut files = self.files();
        files.extend((1..=3).map(|segment| self.places.keys_of(segment)));
        let sound: Vec<_> = files.iter().map(|path| fs::read(path).unwrap()).collect();
        harm();
        let findings = self.verify().findings;
        let found = findings.iter().map(|it| (it.segment, it.at, it.what.clone()));
        let wanted = expected.iter().map(|(segment, at, what, _)| (*segment, *at, what.clone()));
        assert_eq!(found.collect::<Vec<_>>(), wanted.collect::<Vec<_>>());
        let said = findings.iter().map(|found| found.what.to_string());
        assert_eq!(said.collect::<Vec<_>>(), expected.iter().map(|it| it.3).collect::<Vec<_>>());
        files.iter().zip(sound).for_each(|(path, bytes)| fs::write(path, bytes).unwrap());
        assert_eq!(self.verify().findings, []);
    }
}

fn end_of(record: &Written) -> u64 {
    record.place.at + Head::LEN as u64 + record.head.stored
}

fn put_head(home: &Home, record: &Written, head: [u8; Head::LEN]) {
    let path = home.places().segment(record.place.segment);
    let mut bytes = fs::read(&path).unwrap();
    bytes[index(record.place.at)..][..Head::LEN].copy_from_slice(&head);
    fs::write(path, bytes).unwrap();
}

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 1;
    fs::write(path, bytes).unwrap();
}

fn cut(path: &Path, len: u64) {
    OpenOptions::new().write(true).open(path).unwrap().set_len(len).unwrap();
}

fn index(at: u64) -> usize {
    usize::try_from(at).unwrap()
}
