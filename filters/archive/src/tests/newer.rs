//! What a newer version has written is refused by name, and left as it is.

use super::{encryption::keys, *};
use crate::{Encryption, erase::Target, erase::finish, frame::KeysHead};

/// A newer version was tried out, and then the old one is started again.
#[test]
fn an_archive_of_a_newer_version_is_refused_by_name_and_nothing_is_changed_k7() {
    for (segments, newer) in
        [(1, Newer::Segment(1)), (2, Newer::Segment(2)), (2, Newer::Segment(1))]
    {
        for encryption in [Encryption::Never, Encryption::On(keys(1))] {
            is_refused(segments, newer, encryption);
        }
    }
    for newer in [Newer::Keys(2), Newer::Keys(1)] {
        is_refused(2, newer, Encryption::On(keys(1)));
    }
}

#[derive(Clone, Copy, Debug)]
enum Newer {
    Segment(u64),
    Keys(u64),
}

fn is_refused(segments: u64, newer: Newer, encryption: Encryption) {
    let mut home = Home::with(Options { segment_size: 1, encryption });
    (0..segments).for_each(|_| drop(home.write(&["a mail"])));
    home.stop();
    let (path, number) = match newer {
        Newer::Segment(number) => (home.places().segment(number), number),
        Newer::Keys(number) => (home.places().keys_of(number), number),
    };
    let len = if let Newer::Segment(_) = newer { SegmentHead::LEN } else { KeysHead::LEN };
    make_newer(&path, len);
    if number < segments {
        // It is looked at only because the last one has nothing that says where the archive ends.
        if let Newer::Segment(_) = newer {
            fs::write(home.places().segment(segments), b"").unwrap();
        }
        let _ = fs::remove_file(home.places().keys_of(segments));
    }
    let before = all_files(&home);
    let opened = Archive::open(home.place.path(), home.options.clone(), now());
    let error = opened.map(|_| ()).unwrap_err();
    assert!(matches!(&error, OpenError::Newer(of) if *of == path), "{newer:?}: {error}");
    assert!(error.to_string().contains("newer version of Mailweir"), "{error}");
    assert_eq!(all_files(&home), before, "{newer:?}");
}

#[test]
fn keys_of_a_newer_version_are_neither_destroyed_nor_cut() {
    let mut home = Home::with(Options { segment_size: 1, ..encrypted(1) });
    let written = home.write(&["a mail", "another"]);
    home.write(&["a mail of the next segment"]);
    let slots = home.places().keys_of(1);
    make_newer(&slots, KeysHead::LEN);
    let mut bytes = fs::read(&slots).unwrap();
    bytes.extend([7; 500]);
    fs::write(&slots, &bytes).unwrap();
    let error = finish(home.places(), &[Target { seq: 1, place: written[0].place }]).unwrap_err();
    assert!(error.to_string().contains("0000000001.keys: a newer version"), "{error}");
    assert!(crate::keys::trim(home.places(), 1, 1, 2).is_err());
    assert_eq!(fs::read(&slots).unwrap(), bytes);
    let findings = home.verify().findings;
    let said = Finding { segment: 1, at: None, what: What::NewerKeys };
    assert!(findings.contains(&said), "{findings:?}");
}

/// The head of a file says that it is of the next format.
pub(super) fn make_newer(path: &Path, len: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[7] += 1;
    let checksum = crc32fast::hash(&bytes[..len - 4]).to_le_bytes();
    bytes[len - 4..len].copy_from_slice(&checksum);
    fs::write(path, bytes).unwrap();
}

/// All that is in the archive, by names.
fn all_files(home: &Home) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let places = home.places();
    let mut files = Vec::new();
    for directory in [places.directory().to_owned(), places.segments(), places.keys()] {
        let Ok(entries) = fs::read_dir(directory) else { continue };
        let paths = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
        files.extend(paths.map(|path| (path.clone(), fs::read(path).unwrap())));
    }
    files.sort();
    files
}
