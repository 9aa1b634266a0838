//! What an index says of itself, and what it does when its disk lies or refuses.

use std::path::Path;

use super::*;

#[test]
fn there_is_one_writer_and_its_heap_is_checked() {
    let bench = Bench::new();
    assert!(matches!(bench.index.indexer(HEAP), Err(IndexError::InUse)));
    drop(bench.indexer);
    for heap in [0, 14_999_999, usize::MAX] {
        assert!(matches!(bench.index.indexer(heap), Err(IndexError::Heap(_))), "{heap}");
    }
    assert!(bench.index.indexer(DEFAULT_HEAP).is_ok());
}

#[test]
fn an_index_knows_how_far_it_is() {
    let mut bench = Bench::new();
    assert_eq!(bench.index.indexed_up_to().unwrap(), None);
    assert_eq!(bench.index.standing(None).unwrap(), Standing::Current);
    assert_eq!(bench.index.standing(Some(0)).unwrap(), Standing::Behind(1));
    bench.add(&[mail(0), mail(4)]);
    bench.commit(7);
    assert_eq!(bench.index.standing(Some(7)).unwrap(), Standing::Current);
    assert_eq!(bench.index.standing(Some(17)).unwrap(), Standing::Behind(10));
    assert_eq!(bench.index.standing(Some(5)).unwrap(), Standing::Ahead(2));
    assert_eq!(bench.index.standing(None).unwrap(), Standing::Ahead(8));
}

#[test]
fn an_index_knows_its_archive_again_by_the_mark_of_the_last_record() {
    let mut bench = Bench::new();
    assert_eq!(bench.index.mark().unwrap(), "");
    bench.commit(3);
    assert_eq!(
        (bench.index.mark().unwrap().as_str(), bench.index.indexed_up_to().unwrap()),
        ("", Some(3))
    );
    bench.indexer.commit_marked(9, "5dc9da79").unwrap();
    assert_eq!(bench.index.mark().unwrap(), "5dc9da79");
    assert_eq!(bench.index.indexed_up_to().unwrap(), Some(9));
    // Merges keep it.
    bench.add(&[mail(10), mail(11)]);
    bench.indexer.remove(10).unwrap();
    bench.indexer.commit_marked(12, "aa").unwrap();
    assert_eq!(bench.indexer.forget().unwrap(), 0);
    assert_eq!(bench.index.mark().unwrap(), "aa");
}

#[test]
fn of_forgotten_mail_no_word_is_in_the_files() {
    let mut bench = Bench::new();
    for round in 0..3 {
        let erased = Document {
            subject: "unforgettable 秘密保持契約",
            text: &["the password is xyzzy"],
            files: &["plans.pdf"],
            from: &[BOSS],
            owners: &["boss@secret.example"],
            message_id: Some("<erased@secret.example>"),
            id: "4erased",
            ..mail(3 * round + 1)
        };
        let kept = Document { text: &["the word stays"], to: &[HANS], ..mail(3 * round + 2) };
        bench.add(&[erased, kept]);
    }
    // A segment of nothing but erased mail.
    bench.add(&[Document { text: &["xyzzy"], ..mail(20) }]);
    const WORDS: [&str; 7] =
        ["unforgettable", "xyzzy", "密保", "plans", "boss", "4erased", "erased@secret.example"];
    let terms = terms_in_files(&bench);
    assert!(WORDS.iter().all(|word| terms.contains(*word)), "{terms:?}");
    for seq in [1, 4, 7, 20] {
        bench.indexer.remove(seq).unwrap();
    }
    bench.commit(20);
    assert_eq!(bench.find("xyzzy"), [0; 0]);
    assert!(terms_in_files(&bench).contains("xyzzy"), "hidden, and not gone yet");
    assert_eq!(bench.indexer.forget().unwrap(), 0);
    let terms = terms_in_files(&bench);
    assert!(!terms.iter().any(|term| WORDS.iter().any(|word| term.contains(word))), "{terms:?}");
    assert!(terms.contains("stays"));
    assert_eq!(bench.find("stays"), [8, 5, 2]);
    assert!(bench.index.verify().unwrap().is_empty());
    // Nothing to do any more.
    assert_eq!(bench.indexer.forget().unwrap(), 0);
    bench.add(&[Document { text: &["xyzzy again"], ..mail(21) }]);
    assert_eq!(bench.find("xyzzy"), [21]);
}

/// All words of all fields in the files of the index. They are in no other form in a file (the dictionary
/// shares the letters of words), and no file of a segment is there that is not looked into.
fn terms_in_files(bench: &Bench) -> std::collections::BTreeSet<String> {
    let index = tantivy::Index::open_in_dir(bench.path()).unwrap();
    let searcher = index.reader().unwrap().searcher();
    let mut terms = std::collections::BTreeSet::new();
    let mut segments = Vec::new();
    for segment in searcher.segment_readers() {
        segments.push(segment.segment_id().uuid_string());
        for (field, entry) in index.schema().fields() {
            if !entry.is_indexed() {
                continue;
            }
            let inverted = segment.inverted_index(field).unwrap();
            let mut stream = inverted.terms().stream().unwrap();
            while stream.advance() {
                terms.insert(String::from_utf8_lossy(stream.key()).into_owned());
            }
        }
    }
    for file in std::fs::read_dir(bench.path()).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let is_known = segments.iter().any(|segment| name.starts_with(segment.as_str()));
        let is_segment = !name.starts_with('.') && name != "meta.json";
        assert!(is_known || !is_segment, "{name} is of no living segment");
    }
    terms
}

#[test]
fn what_was_not_committed_is_gone_after_a_crash_and_can_be_added_again() {
    let mut bench = Bench::new();
    bench.add(&[mail(1)]);
    let before = copied(&bench.path());
    // More than the heap holds, so that a segment is on the disk without a commit.
    for seq in 2..12 {
        let _ = bench.indexer.add(&Document { text: &[&words_of(seq)], ..mail(seq) }).unwrap();
    }
    // The disk as a killed process leaves it.
    let dir = copied(&bench.path());
    let files = |dir: &tempfile::TempDir| std::fs::read_dir(dir.path()).unwrap().count();
    assert!(files(&dir) > files(&before), "nothing was written before the end");
    let Opened::Ready(index) = Index::open(dir.path()) else { panic!("not ready") };
    assert_eq!(index.indexed_up_to().unwrap(), Some(1));
    let mut indexer = index.indexer(HEAP).unwrap();
    assert_eq!(indexer.add(&mail(1)).unwrap(), Added::Already);
    assert_eq!(indexer.add(&mail(2)).unwrap(), Added::Whole);
    indexer.commit(2).unwrap();
    indexer.finish().unwrap();
    index.searcher().refresh().unwrap();
    assert_eq!(index.searcher().mails(), 2);
}

#[test]
fn a_disk_that_refuses_is_an_error_and_no_wait() {
    let mut bench = Bench::holding(&[mail(1)]);
    std::fs::remove_dir_all(bench.path()).unwrap();
    let refused = (2..60).any(|seq| {
        let document = Document { text: &[&words_of(seq)], ..mail(seq) };
        matches!(bench.indexer.add(&document), Err(IndexError::Write(_)))
    });
    assert!(refused || matches!(bench.indexer.commit(100), Err(IndexError::Write(_))));
    assert!(matches!(Index::open(&bench.path()), Opened::Absent));
}

#[test]
fn what_is_not_there_or_not_ours_is_said_to_be_so() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(Index::open(&dir.path().join("none")), Opened::Absent));
    assert!(matches!(Index::open(dir.path()), Opened::Absent));
    let other = dir.path().join("other");
    std::fs::create_dir(&other).unwrap();
    let mut schema = tantivy::schema::Schema::builder();
    schema.add_u64_field("seq", tantivy::schema::FAST);
    tantivy::Index::create_in_dir(&other, schema.build()).unwrap();
    assert!(matches!(Index::open(&other), Opened::OtherFormat));
    assert!(matches!(Index::create(&other), Err(IndexError::NotEmpty(_))));
}

/// Some thousand words that no other mail has.
fn words_of(seq: u64) -> String {
    (0..40_000).map(|i| format!("{seq}x{i} ")).collect()
}

fn copied(path: &Path) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(path).unwrap() {
        let entry = entry.unwrap();
        // A file may go while others are copied; one that is needed does not.
        let _ = std::fs::copy(entry.path(), dir.path().join(entry.file_name()));
    }
    dir
}

/// Copies an index, changes one file by `change`, and says what becomes of it.
fn judged(path: &Path, file: &Path, change: impl FnOnce(&mut Vec<u8>)) -> Result<Found, String> {
    let dir = copied(path);
    let target = dir.path().join(file.file_name().unwrap());
    let mut bytes = std::fs::read(&target).unwrap();
    change(&mut bytes);
    std::fs::write(&target, bytes).unwrap();
    let index = match Index::open(dir.path()) {
        Opened::Ready(index) => index,
        Opened::Damaged(why) => return Err(why),
        Opened::OtherFormat | Opened::Absent => return Err("other".to_owned()),
    };
    // Whatever it says, it may not panic.
    let verified = index.verify();
    let query =
        Query::parse("offer -draft \"common words\" 見積書 見 comm* *mmo* larger:1").unwrap();
    let found = index.searcher().search(&query, &Scope::WithBcc, &Page::default(), &|_| true);
    match verified {
        Ok(damaged) if damaged.is_empty() => found.map_err(|error| error.to_string()),
        Ok(damaged) => Err(format!("damaged: {damaged:?}")),
        Err(error) => Err(error.to_string()),
    }
}

#[test]
fn a_damaged_file_is_found_and_ends_nothing() {
    let mut bench = Bench::new();
    for round in 0..3 {
        let text: &[&str] = &["offer with common words", "見積書をお送りします"];
        let batch: Vec<_> = (1..200)
            .map(|i| Document { text, size: i, from: &[HANS], ..mail(round * 200 + i) })
            .collect();
        bench.add(&batch);
    }
    let path = bench.path();
    bench.indexer.finish().unwrap();
    let files: Vec<_> = std::fs::read_dir(&path)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| !path.file_name().unwrap().to_string_lossy().starts_with('.'))
        .collect();
    assert!(files.len() > 3);
    for file in &files {
        judged(&path, file, |_| {}).unwrap();
        let name = file.display();
        assert!(judged(&path, file, Vec::clear).is_err(), "{name} empty");
        assert!(
            judged(&path, file, |bytes| bytes.truncate(bytes.len() / 2)).is_err(),
            "{name} cut"
        );
        for part in [0, 1, 2, 3] {
            let flip = |bytes: &mut Vec<u8>| {
                let at = (bytes.len() - 1) * part / 3;
                bytes[at] ^= 0x55;
            };
            assert!(judged(&path, file, flip).is_err(), "{name} changed in part {part}");
        }
    }
}
