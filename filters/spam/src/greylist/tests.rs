use std::time::Duration;

use mailweir_mail::Timestamp;
use proptest::prelude::*;

use super::{Answer, Counts, Greylist, HashKey, Key, Settings, StoredError};

/// Seconds after the first mail of a test.
fn at(seconds: u64) -> Timestamp {
    Timestamp::from_secs(START + seconds)
}

fn secret() -> HashKey {
    HashKey::new([7; 32])
}

fn greylist(settings: Settings) -> Greylist {
    Greylist::new(settings, secret())
}

fn key<'a>(client: &str, sender: &'a str, recipient: &'a str) -> Key<'a> {
    Key { client: client.parse().unwrap(), sender, recipient }
}

fn ann() -> Key<'static> {
    key("192.0.2.1", "ann@a.example", "bob@b.example")
}

/// Lets a triple pass that comes first at `from`.
fn pass(greylist: &mut Greylist, key: &Key<'_>, from: u64) {
    assert!(matches!(greylist.ask(key, at(from)), Answer::Wait { .. }), "{key:?}");
    assert_eq!(
        greylist.ask(key, at(from + DELAY)),
        Answer::Pass { after: Some(Duration::from_secs(DELAY)) }
    );
}

const fn wait(since: u64) -> Answer {
    Answer::Wait {
        since: Timestamp::from_secs(START + since),
        until: Timestamp::from_secs(START + since + DELAY),
    }
}

const KNOWN: Answer = Answer::Pass { after: None };
const START: u64 = 1_800_000_000;
const DELAY: u64 = 300;
const WINDOW: u64 = 2 * 86_400;
const KEEP: u64 = 35 * 86_400;
const HOUR: u64 = 3_600;

#[test]
fn a_stranger_waits_and_passes_from_the_end_of_the_delay_on() {
    let mut greylist = greylist(Settings::default());
    assert_eq!(greylist.ask(&ann(), at(0)), wait(0));
    assert_eq!(greylist.ask(&ann(), at(1)), wait(0), "coming too early does not begin anew");
    assert_eq!(greylist.ask(&ann(), Timestamp::from_micros(at(DELAY).as_micros() - 1)), wait(0));
    assert_eq!(
        greylist.ask(&ann(), at(DELAY)),
        Answer::Pass { after: Some(Duration::from_secs(DELAY)) }
    );
    assert_eq!(greylist.ask(&ann(), at(DELAY)), KNOWN);
    assert_eq!(greylist.counts(), Counts { waiting: 0, passed: 1, networks: 1, correspondents: 0 });
}

#[test]
fn who_comes_again_after_the_window_is_new() {
    let mut list = greylist(Settings::default());
    list.ask(&ann(), at(0));
    assert_eq!(
        list.ask(&ann(), at(WINDOW)),
        Answer::Pass { after: Some(Duration::from_secs(WINDOW)) }
    );
    let mut list = greylist(Settings::default());
    list.ask(&ann(), at(0));
    assert_eq!(list.ask(&ann(), at(WINDOW + 1)), wait(WINDOW + 1));
}

#[test]
fn who_has_passed_is_known_for_so_long_after_the_last_mail() {
    let mut list = greylist(Settings::default());
    pass(&mut list, &ann(), 0);
    let last = DELAY + KEEP;
    assert_eq!(list.ask(&ann(), at(last)), KNOWN);
    assert_eq!(list.ask(&ann(), at(last + KEEP)), KNOWN, "each mail counts");
    assert_eq!(list.ask(&ann(), at(last + 2 * KEEP + 1)), wait(last + 2 * KEEP + 1));
}

#[test]
fn without_a_delay_nobody_waits() {
    let mut list = greylist(Settings { delay: Duration::ZERO, ..Settings::default() });
    assert_eq!(list.ask(&ann(), at(0)), Answer::Pass { after: Some(Duration::ZERO) });
}

#[test]
fn a_triple_is_a_network_a_sender_and_a_recipient() {
    let settings = Settings { passes: 0, ..Settings::default() };
    for (same, is_same) in [
        (key("192.0.2.255", "ann@a.example", "bob@b.example"), true),
        (key("::ffff:192.0.2.9", "ann@a.example", "bob@b.example"), true),
        (key("192.0.2.1", "Ann@A.example", "BOB@b.Example"), true),
        (key("192.0.3.1", "ann@a.example", "bob@b.example"), false),
        (key("192.0.2.1", "anne@a.example", "bob@b.example"), false),
        (key("192.0.2.1", "ann@a2.example", "bob@b.example"), false),
        (key("192.0.2.1", "", "bob@b.example"), false),
        (key("192.0.2.1", "ann@a.example", "bob2@b.example"), false),
        (key("192.0.2.1", "ann@a.exampleb", "ob@b.example"), false),
        (key("2001:db8::1", "ann@a.example", "bob@b.example"), false),
    ] {
        let mut list = greylist(settings);
        pass(&mut list, &ann(), 0);
        assert_eq!(list.ask(&same, at(DELAY)) == KNOWN, is_same, "{same:?}");
    }
}

#[test]
fn networks_are_as_wide_as_the_settings_say() {
    let pass_as = |settings: Settings, first: &str, second: &str| {
        let mut list = greylist(settings);
        pass(&mut list, &key(first, "a@a.example", "b@b.example"), 0);
        list.ask(&key(second, "a@a.example", "b@b.example"), at(DELAY)) == KNOWN
    };
    let default = Settings::default();
    assert!(pass_as(default, "2001:db8::1", "2001:db8::ffff:0:0:1"));
    assert!(!pass_as(default, "2001:db8::1", "2001:db8:0:1::1"));
    let narrow = Settings { ip4_prefix: 32, ip6_prefix: 128, ..default };
    assert!(!pass_as(narrow, "192.0.2.1", "192.0.2.2"));
    assert!(pass_as(narrow, "192.0.2.1", "192.0.2.1"));
    assert!(!pass_as(narrow, "2001:db8::1", "2001:db8::2"));
    let wide = Settings { ip4_prefix: 0, ip6_prefix: 0, ..default };
    assert!(pass_as(wide, "192.0.2.1", "203.0.113.9"));
    assert!(!pass_as(wide, "192.0.2.1", "2001:db8::1"));
    let beyond = Settings { ip4_prefix: 200, ip6_prefix: 200, ..default };
    assert!(!pass_as(beyond, "192.0.2.1", "192.0.2.2"), "as if it were 32");
}

#[test]
fn senders_that_number_their_mails_are_one_sender() {
    let is_same = |first: &str, second: &str| {
        let mut list = greylist(Settings { passes: 0, ..Settings::default() });
        pass(&mut list, &key("192.0.2.1", first, "b@b.example"), 0);
        list.ask(&key("192.0.2.1", second, "b@b.example"), at(DELAY)) == KNOWN
    };
    for (first, second) in [
        ("bounce-77-a1b2@l.example", "bounce-78-c3d4e5@l.example"),
        ("list-return-1234-bob=b.example@l.example", "LIST-return-1235-bob=b.example@l.example"),
        ("SRS0=hH3a=T5=c.example=ann@l.example", "SRS0=k9zz=T6=c.example=ann@l.example"),
        ("prvs=4123456789=ann@l.example", "prvs=51ab=ann@l.example"),
        ("1@l.example", "22@l.example"),
    ] {
        assert!(is_same(first, second), "{first} {second}");
    }
    for (first, second) in [
        ("bounce-77@l.example", "bounce@l.example"),
        ("bounce-77@l.example", "bounces-77@l.example"),
        ("bounce-77@l1.example", "bounce-77@l2.example"),
        ("a-1@l.example", "1-a@l.example"),
    ] {
        assert!(!is_same(first, second), "{first} {second}");
    }
}

#[test]
fn a_network_of_which_enough_triples_passed_waits_no_more() {
    let mut list = greylist(Settings::default());
    let senders = ["a", "b", "c", "d", "e"].map(|name| format!("{name}@a.example"));
    for (count, sender) in senders.iter().enumerate() {
        pass(&mut list, &key("192.0.2.1", sender, "b@b.example"), count as u64 * HOUR);
    }
    let now = 4 * HOUR + DELAY;
    let stranger = key("192.0.2.200", "new@a.example", "c@b.example");
    assert_eq!(list.ask(&stranger, at(now)), KNOWN);
    assert_eq!(list.ask(&key("192.0.3.200", "new@a.example", "c@b.example"), at(now)), wait(now));
    // Known for as long after its last mail as a triple.
    assert_eq!(list.ask(&stranger, at(now + KEEP)), KNOWN);
    let now = now + KEEP;
    assert_eq!(list.ask(&stranger, at(now + KEEP)), KNOWN);
    assert_eq!(list.ask(&stranger, at(now + 2 * KEEP + 1)), wait(now + 2 * KEEP + 1));
    pass(&mut list, &key("192.0.2.1", "x@a.example", "b@b.example"), now + 2 * KEEP + HOUR);
    let again = now + 2 * KEEP + 2 * HOUR;
    assert_eq!(
        list.ask(&key("192.0.2.1", "y@a.example", "b@b.example"), at(again)),
        wait(again),
        "it begins at one"
    );
}

#[test]
fn triples_of_one_hour_count_as_one_and_the_same_triple_counts_once() {
    let allowed_by = |gap: u64| {
        let mut list = greylist(Settings { passes: 2, ..Settings::default() });
        pass(&mut list, &key("192.0.2.1", "a@a.example", "b@b.example"), 0);
        pass(&mut list, &key("192.0.2.1", "b@a.example", "b@b.example"), gap);
        list.ask(&key("192.0.2.1", "c@a.example", "b@b.example"), at(gap + DELAY)) == KNOWN
    };
    assert!(!allowed_by(0));
    assert!(!allowed_by(HOUR - 1));
    assert!(allowed_by(HOUR));
    let mut list = greylist(Settings { passes: 2, ..Settings::default() });
    pass(&mut list, &ann(), 0);
    assert_eq!(list.ask(&ann(), at(2 * HOUR)), KNOWN);
    let stranger = key("192.0.2.1", "c@a.example", "b@b.example");
    assert_eq!(list.ask(&stranger, at(2 * HOUR)), wait(2 * HOUR));
}

#[test]
fn with_passes_of_zero_no_network_is_allowed() {
    let mut list = greylist(Settings { passes: 0, ..Settings::default() });
    pass(&mut list, &ann(), 0);
    pass(&mut list, &key("192.0.2.1", "other@a.example", "bob@b.example"), HOUR);
}

#[test]
fn a_clock_that_goes_back_makes_nobody_wait_longer_than_the_delay() {
    let mut list = greylist(Settings { passes: 2, ..Settings::default() });
    assert_eq!(list.ask(&ann(), at(KEEP)), wait(KEEP));
    pass(&mut list, &ann(), 0);
    // Known in what is now the future, and counted there.
    let other = key("192.0.2.1", "other@a.example", "bob@b.example");
    pass(&mut list, &other, 10 * HOUR);
    let mut list = greylist(Settings { passes: 2, ..Settings::default() });
    pass(&mut list, &ann(), KEEP);
    assert_eq!(list.ask(&ann(), at(0)), KNOWN);
    pass(&mut list, &other, 0);
    assert_eq!(
        list.ask(&key("192.0.2.1", "third@a.example", "bob@b.example"), at(HOUR)),
        KNOWN,
        "both counted"
    );
    assert!(list.expire(at(0), usize::MAX));
    assert_eq!(list.counts(), Counts { waiting: 0, passed: 2, networks: 1, correspondents: 0 });
}

#[test]
fn what_is_too_old_to_matter_is_forgotten_and_nothing_else() {
    let mut list = greylist(Settings::default());
    list.ask(&ann(), at(0));
    pass(&mut list, &key("203.0.113.1", "a@a.example", "b@b.example"), 0);
    let full = Counts { waiting: 1, passed: 1, networks: 1, correspondents: 0 };
    assert!(list.expire(at(WINDOW), usize::MAX));
    assert_eq!(list.counts(), full);
    assert!(list.expire(at(WINDOW + 1), usize::MAX));
    assert_eq!(list.counts(), Counts { waiting: 0, ..full });
    assert!(list.expire(at(DELAY + KEEP), usize::MAX));
    assert_eq!(list.counts(), Counts { waiting: 0, ..full });
    assert!(list.expire(at(DELAY + KEEP + 1), usize::MAX));
    assert_eq!(list.counts(), Counts { waiting: 0, passed: 0, networks: 0, correspondents: 0 });
}

#[test]
fn when_it_is_full_the_oldest_of_its_kind_goes() {
    let mut list = greylist(Settings { most: 2, passes: 0, ..Settings::default() });
    let keys = ["a@a.example", "b@a.example", "c@a.example"]
        .map(|sender| key("192.0.2.1", sender, "b@b.example"));
    for (place, key) in keys.iter().enumerate() {
        assert_eq!(list.ask(key, at(place as u64)), wait(place as u64));
    }
    assert_eq!(list.counts().waiting, 2);
    assert_eq!(
        list.ask(&keys[1], at(DELAY + 1)),
        Answer::Pass { after: Some(Duration::from_secs(DELAY)) }
    );
    assert_eq!(list.ask(&keys[0], at(DELAY + 1)), wait(DELAY + 1), "it was the oldest");
    // The flood of those that wait takes nothing from those that passed.
    for number in 0..10_u8 {
        let sender = format!("{}@flood.example", char::from(b'a' + number));
        list.ask(&key("203.0.113.1", &sender, "b@b.example"), at(DELAY + 2));
    }
    assert_eq!(list.ask(&keys[1], at(DELAY + 3)), KNOWN);
    assert_eq!(list.counts(), Counts { waiting: 2, passed: 1, networks: 1, correspondents: 0 });
    // Of those that passed, the one goes that came last the longest ago.
    let mut list = greylist(Settings { most: 2, passes: 0, ..Settings::default() });
    pass(&mut list, &keys[0], 0);
    pass(&mut list, &keys[1], 1);
    assert_eq!(list.ask(&keys[0], at(DELAY + 2)), KNOWN);
    pass(&mut list, &keys[2], 2);
    assert_eq!(list.ask(&keys[0], at(DELAY + 3)), KNOWN);
    assert_eq!(list.ask(&keys[1], at(DELAY + 3)), wait(DELAY + 3));
    let mut smallest = greylist(Settings { most: 0, ..Settings::default() });
    pass(&mut smallest, &keys[0], 0);
}

#[test]
fn to_whom_our_people_have_written_is_known_for_as_long_as_a_triple() {
    let mut list = greylist(Settings::default());
    assert!(!list.is_correspondent("ann@a.example", at(0)));
    list.note_correspondent("Ann@A.example", "us@b.example", at(0));
    assert!(list.is_correspondent("ann@a.example", at(KEEP)));
    assert!(!list.is_correspondent("ann@a.example", at(KEEP + 1)));
    assert!(!list.is_correspondent("ann-1@a.example", at(0)));
    list.note_correspondent("ann@a.example", "us@b.example", at(KEEP));
    assert!(list.expire(at(2 * KEEP), usize::MAX));
    assert!(list.is_correspondent("ann@a.example", at(2 * KEEP)));
    assert!(list.expire(at(2 * KEEP + 1), usize::MAX));
    assert_eq!(list.counts().correspondents, 0);
}

#[test]
fn other_settings_count_for_what_is_remembered_already() {
    let mut list = some();
    list.change(Settings { delay: Duration::from_secs(10), ..Settings::default() });
    assert_eq!(list.ask(&ann(), at(10)), Answer::Pass { after: Some(Duration::from_secs(10)) });
    list.change(Settings { most: 1, ..Settings::default() });
    let one = Counts { waiting: 0, passed: 1, networks: 1, correspondents: 1 };
    assert_eq!(list.counts(), one, "the oldest go");
    list.change(Settings { most: 0, ..Settings::default() });
    assert_eq!(list.counts(), one);
}

fn some() -> Greylist {
    let mut list = greylist(Settings::default());
    list.ask(&ann(), at(0));
    pass(&mut list, &key("203.0.113.1", "a@a.example", "b@b.example"), 0);
    pass(&mut list, &key("2001:db8::1", "", "b@b.example"), HOUR);
    list.note_correspondent("ann@a.example", "us@b.example", at(HOUR));
    list
}

#[test]
fn a_flood_of_one_site_makes_its_own_triples_new_again_and_nobody_else_s() {
    let mut list = greylist(Settings { most: 10, passes: 0, ..Settings::default() });
    assert_eq!(list.ask(&ann(), at(0)), wait(0));
    let flood: Vec<_> = ('a'..='z').map(|name| format!("{name}@flood.example")).collect();
    for (number, sender) in (0_u16..).zip(&flood) {
        // As many networks as it likes, of its own.
        let client = format!("2001:db8:0:{number}::1");
        assert_eq!(list.ask(&key(&client, sender, "b@b.example"), at(1)), wait(1));
    }
    assert_eq!(list.counts().waiting, 10);
    let waited = Answer::Pass { after: Some(Duration::from_secs(DELAY)) };
    assert_eq!(list.ask(&ann(), at(DELAY)), waited);
    let first = key("2001:db8:0:0::1", "a@flood.example", "b@b.example");
    assert_eq!(list.ask(&first, at(DELAY + 1)), wait(DELAY + 1), "it went for the last");
}

#[test]
fn a_triple_that_has_passed_makes_room_for_others_of_its_site() {
    let mut list = greylist(Settings { most: 2, passes: 0, ..Settings::default() });
    pass(&mut list, &ann(), 0);
    let others = ["b", "c"].map(|name| format!("{name}@a.example"));
    for sender in &others {
        list.ask(&key("192.0.2.1", sender, "b@b.example"), at(DELAY + 1));
    }
    assert_eq!(list.counts().waiting, 2);
}

#[test]
fn whoever_writes_to_very_many_loses_its_own_and_takes_nothing_from_others() {
    let mut list = greylist(Settings { most: 4, ..Settings::default() });
    list.note_correspondent("ann@a.example", "us@b.example", at(0));
    // To write to whom others have written makes nobody one's own.
    list.note_correspondent("ann@a.example", "flood@b.example", at(1));
    for name in 'a'..='z' {
        list.note_correspondent(&format!("{name}@c.example"), "flood@b.example", at(2));
    }
    assert!(list.is_correspondent("ann@a.example", at(3)));
    let of_flood =
        ('a'..='z').filter(|one| list.is_correspondent(&format!("{one}@c.example"), at(3)));
    assert_eq!(of_flood.count(), 3);
    assert_eq!(list.counts().correspondents, 4);
}

#[test]
fn what_is_too_old_is_forgotten_in_steps() {
    let mut list = greylist(Settings::default());
    for name in 'a'..='e' {
        list.ask(&key("192.0.2.1", &format!("{name}@a.example"), "b@b.example"), at(0));
    }
    assert!(!list.expire(at(WINDOW + 1), 2));
    assert!(!list.expire(at(WINDOW + 1), 2));
    assert_eq!(list.counts().waiting, 1);
    assert!(list.expire(at(WINDOW + 1), 2));
    assert_eq!(list.counts().waiting, 0);
}

#[test]
fn the_form_is_the_one_that_is_written_down() {
    let (mut list, hash) = (greylist(Settings { passes: 0, ..Settings::default() }), secret());
    list.ask(&ann(), Timestamp::from_micros(0x11));
    let zoe = key("203.0.113.1", "zoe@a.example", "bob@b.example");
    list.ask(&zoe, Timestamp::from_micros(0x22));
    let passed = DELAY * 1_000_000 + 0x22;
    list.ask(&zoe, Timestamp::from_micros(passed));
    list.note_correspondent("ann@a.example", "us@b.example", Timestamp::from_micros(0x33));
    let network = |key: &Key<'_>| hash.network(key, &Settings::default());
    let numbers = [
        hash.mark(),
        1,
        hash.triple(&ann(), network(&ann())),
        0x11,
        hash.site(ann().client),
        1,
        hash.triple(&zoe, network(&zoe)),
        passed,
        1,
        network(&zoe),
        passed,
    ];
    let mut expected = b"MWGL\x01".to_vec();
    numbers.iter().for_each(|number| expected.extend_from_slice(&number.to_le_bytes()));
    expected.extend_from_slice(b"\x01\0\0\0");
    let numbers = [passed, 1, hash.address("ann@a.example"), 0x33, hash.owner("us@b.example")];
    numbers.iter().for_each(|number| expected.extend_from_slice(&number.to_le_bytes()));
    let checksum = crc32fast::hash(&expected);
    expected.extend_from_slice(&checksum.to_le_bytes());
    assert_eq!(list.to_bytes(), expected);
    // Of the key with 32 bytes of 7: what is hashed, and how, belongs to the form.
    let hashes = [hash.mark(), hash.triple(&ann(), network(&ann())), hash.site(ann().client)];
    let expected = [0x4156_04c8_66dd_980f, 0x2ba2_be13_d7f6_2aad, 0xca55_a34e_76b9_7fac];
    assert_eq!(hashes, expected);
}

#[test]
fn what_is_stored_reads_back_and_goes_on() {
    let bytes = some().to_bytes();
    assert_eq!(bytes.len(), 49 + 2 * 16 + 2 * 24 + 2 * 28);
    let mut read = Greylist::from_bytes(&bytes, Settings::default(), secret()).unwrap();
    assert_eq!(read.to_bytes(), bytes);
    assert_eq!(
        read.ask(&ann(), at(DELAY)),
        Answer::Pass { after: Some(Duration::from_secs(DELAY)) }
    );
    assert_eq!(read.ask(&key("203.0.113.1", "a@a.example", "b@b.example"), at(HOUR)), KNOWN);
    assert!(read.is_correspondent("ann@a.example", at(HOUR)));
    let allowing = Settings { passes: 1, ..Settings::default() };
    let mut read = Greylist::from_bytes(&bytes, allowing, secret()).unwrap();
    assert_eq!(read.ask(&key("203.0.113.9", "new@a.example", "b@b.example"), at(HOUR)), KNOWN);
    let empty = greylist(Settings::default()).to_bytes();
    assert_eq!(
        Greylist::from_bytes(&empty, Settings::default(), secret()).unwrap().counts().passed,
        0
    );
}

#[test]
fn what_is_read_into_less_room_loses_the_oldest() {
    let less = Settings { most: 1, ..Settings::default() };
    let mut read = Greylist::from_bytes(&some().to_bytes(), less, secret()).unwrap();
    assert_eq!(read.counts(), Counts { waiting: 1, passed: 1, networks: 1, correspondents: 1 });
    assert_eq!(read.ask(&key("2001:db8::1", "", "b@b.example"), at(2 * HOUR)), KNOWN);
}

#[test]
fn damaged_bytes_are_told_apart() {
    let bytes = some().to_bytes();
    let read = |bytes: &[u8]| Greylist::from_bytes(bytes, Settings::default(), secret()).err();
    for end in 0..bytes.len() {
        let expected = if end < 4 { StoredError::NotOne } else { StoredError::Damaged };
        assert_eq!(read(&bytes[..end]), Some(expected), "{end}");
    }
    for place in 0..bytes.len() {
        let mut other = bytes.clone();
        other[place] ^= 0x10;
        let expected = match place {
            0..4 => StoredError::NotOne,
            4 => StoredError::Version(0x11),
            _ => StoredError::Damaged,
        };
        assert_eq!(read(&other), Some(expected), "{place}");
    }
    assert_eq!(read(&[&bytes[..], b"\0"].concat()), Some(StoredError::Damaged));
    let other = Greylist::from_bytes(&bytes, Settings::default(), HashKey::new([8; 32]));
    assert_eq!(other.err(), Some(StoredError::OtherKey));
}

#[test]
fn lengths_that_are_not_true_are_damage_even_with_the_right_checksum() {
    let bytes = some().to_bytes();
    let body = &bytes[..bytes.len() - 4];
    let mut longer = body.to_vec();
    longer.push(0);
    let mut others = vec![longer];
    for length in [0, 2, 1_000, u64::MAX] {
        let mut other = body.to_vec();
        other[13..21].copy_from_slice(&u64::to_le_bytes(length));
        others.push(other);
    }
    for mut other in others {
        let checksum = crc32fast::hash(&other);
        other.extend_from_slice(&checksum.to_le_bytes());
        let read = Greylist::from_bytes(&other, Settings::default(), secret());
        assert_eq!(read.err(), Some(StoredError::Damaged), "{other:?}");
    }
}

#[test]
fn nothing_that_is_stored_or_shown_names_anybody() {
    let list = some();
    let (bytes, shown) = (list.to_bytes(), format!("{list:?}"));
    assert!(!bytes.windows(9).any(|window| window == b"a.example") && !shown.contains("example"));
    assert!(!shown.contains("7, 7, 7") && shown.contains("HashKey(secret)"));
    assert_ne!(
        Greylist::new(Settings::default(), HashKey::new([8; 32])).to_bytes(),
        greylist(Settings::default()).to_bytes()
    );
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), is_framed in any::<bool>()) {
        let framed = [b"MWGL\x01", &HashKey::new([7; 32]).mark().to_le_bytes()[..], &bytes].concat();
        let mut all = if is_framed { framed } else { bytes };
        let _ = Greylist::from_bytes(&all, Settings::default(), secret());
        let checksum = crc32fast::hash(&all);
        all.extend_from_slice(&checksum.to_le_bytes());
        let _ = Greylist::from_bytes(&all, Settings::default(), secret());
    }

    #[test]
    fn a_flood_of_one_site_takes_the_first_time_from_nobody_who_has_less(
        others in prop::collection::vec((1..30_u8, 0..3_u8), 0..20),
        flood in 1..100_u8,
    ) {
        // No other site has more than 3 of them, so that there is room for 3 of the flood.
        let mut list = greylist(Settings { most: others.len() + 3, passes: 0, ..Settings::default() });
        let sender = |one: u8| format!("{}@a.example", char::from(b'a' + one));
        for (site, one) in &others {
            let sender = sender(*one);
            list.ask(&Key { client: [192, 0, *site, 1].into(), sender: &sender, recipient: "b@b.example" }, at(0));
        }
        for number in 0..flood {
            let sender = format!("x{}@a.example", "y".repeat(number.into()));
            list.ask(&Key { client: [203, 0, 113, number].into(), sender: &sender, recipient: "b@b.example" }, at(1));
        }
        for (site, one) in &others {
            let sender = sender(*one);
            let key = Key { client: [192, 0, *site, 1].into(), sender: &sender, recipient: "b@b.example" };
            prop_assert_eq!(list.ask(&key, at(1)), wait(0));
        }
    }

    #[test]
    fn whatever_comes_in_whatever_order_nobody_waits_beyond_the_delay_and_the_table_stays_small(
        steps in prop::collection::vec((0..6_u8, "[a-e]@a\\.example", 0..2 * KEEP), 1..60),
    ) {
        let settings = Settings { most: 3, passes: 2, ..Settings::default() };
        let mut list = greylist(settings);
        for (client, sender, time) in steps {
            let key = Key { client: [192, 0, client, 1].into(), sender: &sender, recipient: "b@b.example" };
            if let Answer::Wait { since, until } = list.ask(&key, at(time)) {
                prop_assert!(since <= at(time) && until > at(time));
                prop_assert!(until <= at(time).plus(Duration::from_secs(DELAY)));
            }
            list.note_correspondent(&sender, "us@b.example", at(time));
            let Counts { waiting, passed, networks, correspondents } = list.counts();
            prop_assert!(waiting <= 3 && passed <= 3 && networks <= 3 && correspondents <= 3);
            let read = Greylist::from_bytes(&list.to_bytes(), settings, secret());
            prop_assert_eq!(read.unwrap().to_bytes(), list.to_bytes());
        }
    }
}
