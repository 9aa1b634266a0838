//! Segments that are not there, on a disk that is not mounted or half put back: when they are there again, all of it
//! can be read as before.

use super::{
    encryption::{keys, read_with},
    *,
};

#[test]
fn the_last_segment_is_not_there_and_its_number_and_keys_are_left_to_it() {
    for is_sealed in [true, false] {
        let mut home = five(is_sealed);
        let (path, away) = (home.places().segment(5), home.place.path().join("away"));
        let slots = fs::read(home.places().keys_of(5)).unwrap();
        fs::rename(&path, &away).unwrap();
        for _ in 0..2 {
            assert_eq!(home.start(), Left { damaged: Some(path.clone()), ..Left::default() });
            home.stop();
        }
        home.start();
        let after = home.write(&["after"])[0];
        assert_eq!(after.place.segment, 6);
        assert_eq!(
            after.head.seq,
            if is_sealed { 6 } else { 5 },
            "only the list knows what it had"
        );
        assert_eq!(fs::read(home.places().keys_of(5)).unwrap(), slots);
        home.restart();
        fs::rename(&away, &path).unwrap();
        home.written.push(after);
        assert_eq!(home.texts(), ["one", "two", "three", "four", "five", "after"]);
        let found = home.verify().findings;
        if is_sealed {
            assert_eq!(found, [], "nothing is missing any more");
        } else {
            let what = What::NotCounted { first: 5, last: 5 };
            let said =
                "record 5 stands here and does not count: the next segment begins with this number";
            assert_eq!(what.to_string(), said);
            assert_eq!(found, [Finding { segment: 5, at: Some(108), what }]);
        }
    }
}

/// What was promised in its groups is there, and nobody finds it.
#[test]
fn what_stands_behind_the_place_where_the_next_segment_goes_on_is_named() {
    let mut home = Home::new();
    home.write(&["one", "two"]);
    home.write(&["three"]);
    home.stop();
    let (path, away) = (home.places().segment(1), home.place.path().join("away"));
    fs::rename(&path, &away).unwrap();
    home.start();
    home.write(&["other"]);
    home.stop();
    // Without keys and a root nobody knew that there was one; somebody gives it the next number.
    fs::rename(&path, home.places().segment(2)).unwrap();
    let mut other = fs::read(home.places().segment(2)).unwrap();
    let head = SegmentHead::decode(other.first_chunk().unwrap()).unwrap();
    let head = SegmentHead { number: 2, ..head }.encode();
    other[..SegmentHead::LEN].copy_from_slice(&head);
    fs::write(home.places().segment(2), other).unwrap();
    fs::rename(&away, &path).unwrap();
    let what = What::NotCounted { first: 1, last: 3 };
    let said = "records 1 to 3 stand here and do not count: the next segment begins with number 1";
    assert_eq!(what.to_string(), said);
    let found = home.verify().findings;
    assert_eq!(found, [Finding { segment: 1, at: Some(108), what }]);
}

#[test]
fn segments_that_are_all_on_a_disk_that_is_not_mounted_keep_their_numbers_and_keys() {
    for has_list in [true, false] {
        let mut home = five(true);
        if !has_list {
            fs::remove_file(home.places().roots()).unwrap();
        }
        let away = home.place.path().join("away");
        fs::rename(home.places().segments(), &away).unwrap();
        let first = home.places().segment(1);
        assert_eq!(home.start(), Left { damaged: Some(first), ..Left::default() });
        let after = home.write(&["after"])[0];
        assert_eq!(after.place.segment, 6);
        home.stop();
        fs::rename(home.places().segment(6), away.join("0000000006.seg")).unwrap();
        fs::remove_dir(home.places().segments()).unwrap();
        fs::rename(&away, home.places().segments()).unwrap();
        home.written.push(after);
        assert_eq!(home.texts(), ["one", "two", "three", "four", "five", "after"]);
        if has_list {
            assert_eq!(home.verify().findings, [], "nothing is missing any more");
        }
    }
}

/// What was put aside was promised, if a mark was damaged.
#[test]
fn a_segment_of_which_nothing_is_left_but_what_was_put_aside_is_not_begun_again() {
    let mut home = Home::new();
    home.write(&["one"]);
    home.stop();
    fs::create_dir(home.places().all_torn()).unwrap();
    fs::rename(home.places().segment(1), home.places().torn(1, 108)).unwrap();
    assert_eq!(home.start().damaged, Some(home.places().segment(1)));
    assert_eq!(home.write(&["two"])[0].place.segment, 2);
    // Nobody makes so many: the name of the next one would be no name of a segment.
    home.stop();
    fs::write(home.places().torn(9_999_999_999, 108), b"a stray file").unwrap();
    assert_eq!(home.start(), Left::default());
    assert_eq!(home.write(&["three"])[0].place.segment, 3);
}

/// Of 0 bytes, as a check of the file system leaves it: a crash leaves no keys of a segment without a head.
#[test]
fn an_empty_segment_that_has_keys_is_left() {
    let mut home = five(false);
    let path = home.places().segment(5);
    let (bytes, slots) = (fs::read(&path), fs::read(home.places().keys_of(5)).unwrap());
    fs::write(&path, b"").unwrap();
    assert_eq!(home.start(), Left { damaged: Some(path.clone()), ..Left::default() });
    assert_eq!(home.write(&["after"])[0].place.segment, 6);
    assert_eq!(fs::read(home.places().keys_of(5)).unwrap(), slots);
    fs::write(&path, bytes.unwrap()).unwrap();
    assert_eq!(home.texts(), ["one", "two", "three", "four", "five"]);
}

/// While the server runs.
#[test]
fn what_somebody_puts_back_meanwhile_is_not_written_over() {
    let group = || vec![draft(Kind::Capture, About::Itself, "a mail")];
    let mut home = Home::with(Options { segment_size: 1, ..encrypted(1) });
    home.write(&["one"]);
    fs::write(home.places().keys_of(2), b"keys").unwrap();
    home.archive().append(group(), now()).unwrap_err();
    assert_eq!(home.archive().append(group(), now()).unwrap()[0].place.segment, 3);
    assert_eq!(fs::read(home.places().keys_of(2)).unwrap(), b"keys");
    assert_eq!(home.verify().findings, []);

    let (path, bytes) = (home.places().segment(4), vec![b'x'; SegmentHead::LEN + 1]);
    fs::write(&path, &bytes).unwrap();
    let error = home.archive().append(group(), now()).unwrap_err();
    assert!(error.to_string().contains("was not there when the archive was opened"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), bytes);
    fs::remove_file(&path).unwrap();
    assert_eq!(home.archive().append(group(), now()).unwrap()[0].place.segment, 4);
}

/// Five segments, encrypted, the last one sealed or not.
fn five(is_sealed: bool) -> Home {
    let mut home = Home::with(Options { segment_size: 1, ..encrypted(1) });
    for text in ["one", "two", "three", "four", "five"] {
        let written = home.write(&[text]);
        home.written.extend(written);
    }
    if is_sealed {
        home.archive().seal(now()).unwrap();
    }
    home.stop();
    home
}

impl Home {
    /// All that was written, as it can be read now.
    fn texts(&self) -> Vec<String> {
        let read = |record: &Written| read_with(self, Some(keys(1)), record.place).unwrap();
        self.written.iter().map(read).collect()
    }
}
