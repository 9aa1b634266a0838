//! The index on disk: what is found, by whom, in which order, and what it says of itself.

use std::path::Path;

use proptest::prelude::*;

use super::{
    Added, Address, Count, DEFAULT_HEAP, Direction, Document, Found, Index, IndexError, Indexer,
    MAX_MAIL_TEXT, Opened, Page, Scope, SearchError, Standing,
};
use crate::query::Query;

const HEAP: usize = 15_000_000;
const HANS: Address<'_> = Address { name: "Hans Müller", address: "Hans@mail.Example.com" };
const JI: Address<'_> = Address { name: "김지훈", address: "ji@example.co.kr" };
const BOSS: Address<'_> = Address { name: "The Boss", address: "boss@secret.example" };

/// An index in a directory of its own.
struct Bench {
    index: Index,
    indexer: Indexer,
    dir: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let index = Index::create(&dir.path().join("index")).unwrap();
        let indexer = index.indexer(HEAP).unwrap();
        Self { index, indexer, dir }
    }

    fn holding(documents: &[Document<'_>]) -> Self {
        let mut bench = Self::new();
        bench.add(documents);
        bench
    }

    fn add(&mut self, documents: &[Document<'_>]) {
        for document in documents {
            assert_eq!(self.indexer.add(document).unwrap(), Added::Whole);
        }
        self.commit(documents.last().map_or(0, |document| document.seq));
    }

    fn commit(&mut self, up_to: u64) {
        self.indexer.commit(up_to).unwrap();
        self.index.searcher().refresh().unwrap();
    }

    fn search(&self, query: &str, scope: Scope<'_>) -> Result<Found, SearchError> {
        let query = Query::parse(query).unwrap();
        self.index.searcher().search(&query, &scope, &Page::default(), &|_| true)
    }

    fn find(&self, query: &str) -> Vec<u64> {
        self.search(query, Scope::WithBcc).unwrap().seqs
    }

    fn path(&self) -> std::path::PathBuf {
        self.dir.path().join("index")
    }
}

fn mail(seq: u64) -> Document<'static> {
    Document { seq, ..Document::default() }
}

/// A mail with everything, and one with little.
fn rich_and_poor() -> Bench {
    Bench::holding(&[
        Document {
            seq: 1,
            time: 1_768_435_200, // 2026-01-15 00:00 UTC
            size: 20_480,
            subject: "見積書の件",
            text: &["Bonjour, le café est prêt.", "text of a sheet"],
            files: &["Rapport annuel.pdf"],
            has_attachment: true,
            from: &[HANS],
            to: &[JI],
            cc: &[Address { name: "Cécile", address: "cecile@example.fr" }],
            login: Some("Hans"),
            ip: "2001:db8::1".parse().ok(),
            message_id: Some("<AbC@mail.example.com>"),
            id: "4XyZ",
            direction: Some(Direction::Out),
            ..Document::default()
        },
        Document { seq: 2, size: 10, time: 1_768_521_600, text: &["nothing of that"], ..mail(2) },
    ])
}

#[test]
fn every_field_is_found_by_its_own_words() {
    let bench = rich_and_poor();
    for query in [
        "見積",
        "書の",
        "件",
        "subject:見積書",
        "cafe",
        "text:café",
        "\"le café est\"",
        "sheet",
        "file:annuel",
        "*nnue*",
        "rapp*",
        "from:hans",
        "from:müller",
        "from:muller",
        "from:hans@mail.example.com",
        "from:@example.com",
        "from:@mail.example.com",
        "from:mail.example",
        "to:지훈",
        "to:@co.kr",
        "cc:cecile",
        "hans@mail.example.com",
        "login:hans",
        "ip:2001:DB8::1",
        "ip:2001:*",
        "message-id:<abc@mail.example.com>",
        "id:4xyz",
        "direction:out",
        "has:attachment",
        "larger:20K",
        "date:2026-01-15",
        "before:2026-01-16",
        "-nothing",
        "ji OR nothing to:ji",
        "(见 OR 見積) -draft",
    ] {
        assert_eq!(bench.find(query), [1], "{query}");
    }
    for query in [
        "from:ji",
        "to:hans",
        "cc:hans",
        "subject:cafe",
        "text:見積",
        "file:見積",
        "from:hans@example.com",
        "to:@kr",
        "id:4xy",
        "direction:in",
        "date:2026-01-14",
        "\"est café\"",
        "积书",
    ] {
        assert_eq!(bench.find(query), [0; 0], "{query}");
    }
    for query in ["", "after:2026-01-15", "larger:1", "hans OR nothing", "-draft"] {
        assert_eq!(bench.find(query), [2, 1], "{query}");
    }
    for query in ["smaller:20K", "after:2026-01-16", "-has:attachment", "\"nothing of\""] {
        assert_eq!(bench.find(query), [2], "{query}");
    }
}

#[test]
fn a_day_begins_where_the_reader_is() {
    let bench = Bench::holding(&[Document { time: 1_768_435_200 - 3_600, ..mail(1) }]);
    let query = Query::parse("date:2026-01-15").unwrap();
    let find = |utc_offset| {
        let page = Page { utc_offset, ..Page::default() };
        bench.index.searcher().search(&query, &Scope::WithBcc, &page, &|_| true).unwrap().seqs
    };
    assert_eq!(find(0), [0; 0]);
    assert_eq!(find(9 * 3_600), [1], "in Seoul it is the 15th already");
}

#[test]
fn nobody_without_the_right_learns_of_bcc() {
    let bench = Bench::holding(&[
        Document { from: &[HANS], to: &[JI], bcc: &[BOSS], text: &["offer"], ..mail(1) },
        Document { from: &[HANS], to: &[JI], text: &["offer"], ..mail(2) },
    ]);
    for query in [
        "boss",
        "bcc:boss",
        "bcc:@secret.example",
        "boss@secret.example",
        "secre*",
        "*ecret*",
        "bcc:*oss",
    ] {
        assert_eq!(bench.find(query), [1], "{query}");
    }
    let without = |query: &str| bench.search(query, Scope::WithoutBcc);
    for query in ["boss", "boss@secret.example", "secre*", "*ecret*", "\"the boss\""] {
        assert_eq!(without(query).unwrap().count, Count::Exactly(0), "{query}");
        assert_eq!(
            without(&format!("offer -{query}")).unwrap().count,
            Count::Exactly(2),
            "{query}"
        );
    }
    for query in
        ["bcc:boss", "offer -bcc:boss", "offer OR bcc:@secret.example", "bcc:boss@secret.example"]
    {
        assert!(matches!(without(query), Err(SearchError::BccNotAllowed)), "{query}");
    }
}

const H: &str = "hans@mail.example.com";
const J: &str = "ji@example.co.kr";
const B: &str = "boss@secret.example";

fn offer(seq: u64) -> Document<'static> {
    Document { text: &["offer"], ..mail(seq) }
}

#[test]
fn people_find_their_own_mail_and_their_own_bcc_only() {
    let bench = Bench::holding(&[
        Document { from: &[HANS], to: &[JI], bcc: &[BOSS], owners: &[H, J, B], ..offer(1) },
        Document { from: &[JI], bcc: &[HANS, BOSS], owners: &[J, H, B], ..offer(2) },
        // A header that names others makes nobody an owner.
        Document { from: &[HANS], to: &[HANS], owners: &[B], ..offer(3) },
        Document { owners: &["Hans"], ..offer(4) },
    ]);
    let of = |query: &str, own: &[&str]| bench.search(query, Scope::Addresses(own)).unwrap().seqs;
    let hans: &[&str] = &["HANS@mail.example.com", "hans"];
    assert_eq!(of("offer", hans), [4, 2, 1]);
    assert_eq!(of("bcc:hans", hans), [2]);
    assert_eq!(of("bcc:@example.com", hans), [2]);
    assert_eq!(of("bcc:hans@mail.example.com", hans), [2]);
    assert_eq!(of("hans@mail.example.com", hans), [2, 1]);
    for query in ["boss", "bcc:boss", "bcc:@secret.example", "secre*", "*oss*"] {
        assert_eq!(of(query, hans), [0; 0], "{query}");
        assert_eq!(of(&format!("offer -{query}"), hans), [4, 2, 1], "{query}");
    }
    assert_eq!(of("offer", &[B]), [3, 2, 1]);
    assert_eq!(of("offer", &[J, "hans"]), [4, 2, 1]);
    assert_eq!(of("offer", &[]), [0; 0]);
    assert_eq!(of("", &["nobody@example.com"]), [0; 0]);
}

#[test]
fn pages_follow_each_other_and_counts_say_how_far_they_went() {
    let mut bench = Bench::new();
    for round in 0..5 {
        let batch: Vec<Document<'_>> =
            (0..20).map(|i| Document { text: &["offer"], ..mail(round * 20 + i) }).collect();
        bench.add(&batch);
    }
    let query = Query::parse("offer").unwrap();
    let search = |page: &Page| {
        bench.index.searcher().search(&query, &Scope::WithBcc, page, &|seq| seq % 2 == 0).unwrap()
    };
    let mut all: Vec<u64> = Vec::new();
    let mut page = Page { size: 7, count_to: 20, ..Page::default() };
    let first = search(&page);
    assert_eq!(first.count, Count::MoreThan(20));
    loop {
        let found = search(&page);
        all.extend(&found.seqs);
        page.before = found.next;
        if found.next.is_none() {
            assert_eq!(found.count, Count::Exactly(found.seqs.len() as u64));
            break;
        }
        assert_eq!(found.seqs.len(), 7);
    }
    assert_eq!(all, (0..50).rev().map(|i| i * 2).collect::<Vec<u64>>());
    assert_eq!(search(&Page { before: Some(0), ..page }).count, Count::Exactly(0));
    assert_eq!(
        search(&Page { size: 50, count_to: 0, before: None, ..page }).count,
        Count::Exactly(50)
    );
}

#[test]
fn what_is_added_twice_is_there_once() {
    let mut bench = Bench::new();
    bench.add(&[mail(3), mail(5)]);
    for seq in [5, 4, 3] {
        assert_eq!(bench.indexer.add(&mail(seq)).unwrap(), Added::Already);
    }
    bench.commit(9);
    assert_eq!(bench.indexer.add(&mail(9)).unwrap(), Added::Already);
    assert_eq!(bench.find(""), [5, 3]);
}

#[test]
fn a_mail_taken_out_is_not_found_any_more() {
    let mut bench = Bench::new();
    bench.add(&[Document { text: &["offer"], ..mail(1) }, mail(2)]);
    bench.indexer.remove(1).unwrap();
    bench.commit(3);
    assert_eq!(bench.find(""), [2]);
    assert_eq!(bench.find("offer"), [0; 0]);
    assert_eq!(bench.find("-draft"), [2]);
    bench.indexer.finish().unwrap();
    assert!(matches!(Index::open(&bench.dir.path().join("index")), Opened::Ready(_)));
}

#[test]
fn a_mail_with_more_text_than_agreed_is_cut_and_said_to_be() {
    let mut bench = Bench::new();
    let long = "漢字 ".repeat(MAX_MAIL_TEXT / 7 + 1) + " end";
    let document = Document { subject: "offer", text: &["start", &long, "more"], ..mail(1) };
    assert_eq!(bench.indexer.add(&document).unwrap(), Added::Cut);
    bench.commit(1);
    assert_eq!(bench.find("offer start 漢字"), [1]);
    assert_eq!(bench.find("end"), [0; 0]);
}

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
fn what_was_not_committed_is_gone_after_a_crash_and_can_be_added_again() {
    let mut bench = Bench::new();
    bench.add(&[mail(1)]);
    let before = copied(&bench.path());
    // More than the heap holds, so that segments are on the disk without a commit.
    let text: String = (0..60_000).map(|i| format!("{i:x}q{i} ")).collect();
    for seq in 2..22 {
        let _ = bench.indexer.add(&Document { text: &[&text], ..mail(seq) }).unwrap();
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
    let text: String = (0..60_000).map(|i| format!("{i:x}q{i} ")).collect();
    let mut refused = false;
    for seq in 2..100 {
        let document = Document { text: &[&text], ..mail(seq) };
        refused = refused || matches!(bench.indexer.add(&document), Err(IndexError::Write(_)));
    }
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    /// Segments come and merge as they like: what is found is what a list would give.
    #[test]
    fn order_and_pages_hold_over_commits_and_merges(
        gaps in prop::collection::vec((1u64..5, 0u8..4, any::<bool>()), 1..80),
        size in 1usize..9, before in prop::option::of(0u64..200),
    ) {
        let mut bench = Bench::new();
        let mut model = Vec::new();
        let mut seq = 0;
        for (gap, word, commit) in gaps {
            seq += gap;
            let texts = [&["alpha gamma"] as &[&str], &["beta delta"], &["beta alpha gamma"], &[]];
            let text = texts[usize::from(word)];
            let _ = bench.indexer.add(&Document { text, ..mail(seq) }).unwrap();
            model.push((seq, word == 0 || word == 2));
            if commit {
                bench.indexer.commit(seq).unwrap();
            }
        }
        bench.commit(seq);
        let Bench { index, indexer, dir } = bench;
        let check = |index: &Index| {
            let expected: Vec<u64> = model.iter().rev()
                .filter(|(seq, alpha)| *alpha && before.is_none_or(|before| *seq < before))
                .map(|(seq, _)| *seq).collect();
            let page = Page { size, before, ..Page::default() };
            for query in ["alpha", "\"alpha gamma\"", "al* -delta", "alpha (gamma OR beta)"] {
                let query = Query::parse(query).unwrap();
                let found = index.searcher().search(&query, &Scope::WithBcc, &page, &|_| true).unwrap();
                assert_eq!(found.seqs, expected[..size.min(expected.len())]);
                assert_eq!(found.count, Count::Exactly(expected.len() as u64));
                assert_eq!(found.next, (expected.len() > size).then(|| expected[size - 1]));
            }
        };
        check(&index);
        indexer.finish().unwrap();
        index.searcher().refresh().unwrap();
        check(&index);
        drop(index);
        let Opened::Ready(index) = Index::open(&dir.path().join("index")) else { panic!("not ready") };
        check(&index);
    }
}
