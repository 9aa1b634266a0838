use std::{
    cell::RefCell,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
};

use mailweir_tables::{Matching, Spec, Step, TableError};

use super::{Derived, Tables, live::LiveTable};
use crate::observe::{Level, LogFormat, LogOptions, Observer};

/// A table in a file, and what was said about it.
struct Story {
    _directory: tempfile::TempDir,
    path: PathBuf,
    table: LiveTable,
    said: RefCell<Vec<String>>,
}

impl Story {
    fn begin(kind: &str, text: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("table");
        fs::write(&path, text).unwrap();
        let spec = Spec::parse(&format!("{kind}:{}", path.display())).unwrap();
        let said = RefCell::new(Vec::new());
        let table = LiveTable::open(&spec, Matching::Bytes, &|text| said.borrow_mut().push(text));
        Self { _directory: directory, path, table: table.unwrap(), said }
    }

    /// As an editor does: the name leads to another file at once.
    fn replace(&self, text: &str) {
        let new = self.path.with_extension("new");
        fs::write(&new, text).unwrap();
        fs::rename(new, &self.path).unwrap();
    }

    fn look(&self) -> bool {
        let tell = |text| self.said.borrow_mut().push(text);
        self.table.look(&tell, &tell)
    }

    fn value(&self, key: &str) -> Option<String> {
        let table = self.table.current();
        let Step::Done(answer) = table.lookup(key.as_bytes()) else { panic!("a local table") };
        let found = answer.unwrap();
        found.map(|found| String::from_utf8(found.value.into_owned()).unwrap())
    }

    /// What was said since the last time, without the name of the file.
    fn said(&self) -> Vec<String> {
        let name = format!("{}", self.path.display());
        self.said.take().iter().map(|text| text.replace(&name, "table")).collect()
    }
}

#[test]
fn a_change_counts_once_the_file_rests() {
    let story = Story::begin("texthash", "a one\n");
    assert!(!story.look());
    story.replace("a two\n");
    assert!(!story.look());
    assert_eq!(story.value("a").as_deref(), Some("one"));
    assert!(story.look());
    assert_eq!(story.value("a").as_deref(), Some("two"));
    assert_eq!(story.said(), ["texthash:table: changed, and read again"]);
    assert!(!story.look());
}

#[test]
fn i2_a_file_that_is_being_written_is_not_taken_half() {
    let story = Story::begin("texthash", "a one\nb two\nc three\nd four\n");
    fs::write(&story.path, "").unwrap();
    for _ in 0..10 {
        assert!(!story.look(), "{:?}", story.said());
    }
    assert_eq!(story.value("d").as_deref(), Some("four"));
    fs::write(&story.path, "a one\nb two\nc three\nd five\n").unwrap();
    assert!(!story.look() && !story.look());
    assert!(story.look());
    assert_eq!(story.value("d").as_deref(), Some("five"));
}

#[test]
fn a_table_that_somebody_has_emptied_for_good_is_empty() {
    let story = Story::begin("texthash", "a one\n");
    fs::write(&story.path, "").unwrap();
    assert_eq!((0..30).filter(|_| story.look()).count(), 1);
    assert_eq!(story.value("a"), None);
}

#[test]
fn a_mail_keeps_the_table_that_it_began_with() {
    let story = Story::begin("texthash", "a one\n");
    let before = story.table.current();
    story.replace("a two\n");
    assert!(!story.look() && story.look());
    let Step::Done(Ok(Some(found))) = before.lookup(b"a") else { panic!("a local table") };
    assert_eq!(&*found.value, b"one");
}

#[test]
fn i2_a_file_that_is_gone_leaves_what_it_said_in_force_and_is_named_once() {
    let story = Story::begin("pcre", "/^a/ REJECT no\n");
    fs::remove_file(&story.path).unwrap();
    assert!(!story.look() && !story.look() && !story.look());
    assert_eq!(story.value("abc").as_deref(), Some("REJECT no"));
    let said = story.said();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].starts_with("pcre:table: what it said before stays in force: "), "{said:?}");
    story.replace("/^a/ WARN back\n");
    assert!(!story.look() && story.look());
    assert_eq!(story.value("abc").as_deref(), Some("WARN back"));
}

#[test]
fn i2_a_database_in_the_place_of_its_source_is_not_taken() {
    let story = Story::begin("hash", "a one\n");
    story.replace("\0\0\0\0\x01\0\0\0\0\0\0\0\x61\x15\x06\0\x09\0\0\0");
    assert!(!story.look() && !story.look());
    assert!(story.said()[0].contains("name the source that postmap(1) reads"));
    assert_eq!(story.value("a").as_deref(), Some("one"));
}

#[test]
fn i3_lines_that_do_not_count_are_named_when_the_table_is_read() {
    let story = Story::begin("pcre", "/good/ OK\n/bad(/ OK\n");
    let said = story.said();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("line 2"), "{said:?}");
    assert!(Path::new(&story.path).exists());
}

#[test]
fn what_is_made_of_tables_is_made_anew_when_one_has_changed() {
    let options =
        LogOptions { format: LogFormat::Text, level: Level::Error, hostname: "".into(), pid: 1 };
    let observer = Observer::start(options, Box::new(io::sink()), Arc::new(crate::clock::now));
    let tables = Tables::new(observer.unwrap());
    let made = Derived::new(&tables, || Ok(1)).unwrap();
    assert_eq!(*made.current(|| Ok(2)), 1);
    tables.changes.fetch_add(1, Ordering::Release);
    let fails = || Err(TableError::TooLarge { table: "hash:/x".into() });
    assert_eq!(*made.current(fails), 1);
    assert_eq!(*made.current(|| Ok(3)), 3);
    assert_eq!(*made.current(|| Ok(4)), 3);
}
