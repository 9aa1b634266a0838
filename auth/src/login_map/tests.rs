use std::{fs, sync::Arc, time::Duration};

use proptest::prelude::*;

use super::*;

const TABLE: &str = "\
# who may write as whom
Ann@Example.org   ann, BOB@example.org
sales@example.org\tann
   bob@example.org   # no comment, but a login that cannot be
@shop.example     shop
team+de@example.org carol
";

fn map(text: &str) -> LoginMap {
    let (map, problems) = LoginMap::parse(text);
    assert_eq!(problems, []);
    map
}

fn owns(map: &LoginMap, login: &str, sender: &str) -> Option<bool> {
    let entry = map.find(&Address::parse(sender).unwrap())?;
    Some(entry.owners().contain(&login.parse().unwrap()))
}

#[test]
fn addresses_come_before_extensions_and_those_before_domains() {
    let map = map("a@x.example one\na+b@x.example two\n@x.example three\n");
    for (sender, owner) in [
        ("a@x.example", "one"),
        ("A@X.example.", "one"),
        ("a+c@x.example", "one"),
        ("a+b@x.example", "two"),
        ("+b@x.example", "three"),
        ("other@x.example", "three"),
    ] {
        for login in ["one", "two", "three"] {
            assert_eq!(owns(&map, login, sender), Some(login == owner), "{login} {sender}");
        }
    }
    assert_eq!(owns(&map, "three", "a@sub.x.example"), None);
}

#[test]
fn several_logins_own_an_address_over_several_lines_and_are_compared_as_logins() {
    let map = map("a@x.example Ann,bob@x.example\n\t carol\n  ,dave,\n");
    for login in ["ann", "ANN", "Bob@X.example", "carol", "dave"] {
        assert_eq!(owns(&map, login, "a@x.example"), Some(true), "{login}");
    }
    assert_eq!(owns(&map, "eve", "a@x.example"), Some(false));
}

#[test]
fn lines_that_make_no_sense_are_named_and_the_others_count() {
    let (map, problems) = LoginMap::parse(
        "ann ann\nb@x.example\nc@x.example c:d\n\nd@x.example dora\nD@x.example eve\n@ eve\n",
    );
    let named: Vec<String> = problems.iter().map(ToString::to_string).collect();
    for (line, part) in [
        (1, "\"ann\": the address has no domain; expected user@domain or @domain"),
        (2, "no login stands behind the address"),
        (3, "login \"c:d\": "),
        (6, "D@x.example stands above already; the first line counts"),
        (7, "\"@\": "),
    ] {
        let start = format!("line {line}: {part}");
        assert!(named.iter().any(|problem| problem.starts_with(&start)), "{start}\n{named:?}");
    }
    assert_eq!(named.len(), 5);
    assert_eq!(owns(&map, "dora", "d@x.example"), Some(true));
    let (_, problems) = LoginMap::parse(TABLE);
    assert_eq!(problems.len(), 1, "{problems:?}");
}

#[tokio::test(start_paused = true)]
async fn a_changed_file_is_read_within_a_second_and_a_missing_one_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("logins");
    fs::write(&path, "a@x.example one\n").unwrap();
    let told = Arc::new(std::sync::Mutex::new(Vec::new()));
    let tell = Arc::clone(&told);
    let file = LoginMapFile::open(&path, move |text| tell.lock().unwrap().push(text)).unwrap();
    fs::write(&path, "a@x.example other\nbroken\n").unwrap();
    tokio::time::advance(Duration::from_millis(1_001)).await;
    assert_eq!(owns(&*file.current().await, "other", "a@x.example"), Some(true));
    assert!(told.lock().unwrap().remove(0).contains("logins: line 2: no login"));

    fs::remove_file(&path).unwrap();
    for _ in 0..3 {
        tokio::time::advance(Duration::from_millis(1_001)).await;
        assert_eq!(owns(&*file.current().await, "other", "a@x.example"), Some(true));
    }
    let warnings = told.lock().unwrap().clone();
    let [once] = warnings.as_slice() else { panic!("{warnings:?}") };
    assert!(once.contains("cannot be read, what it said last stays in force"), "{once}");
    assert!(LoginMapFile::open(&path, |_| ()).is_err());

    fs::write(&path, "a@x.example third\n").unwrap();
    tokio::time::advance(Duration::from_millis(1_001)).await;
    assert_eq!(owns(&*file.current().await, "third", "a@x.example"), Some(true));
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "([ -~\\t\n]|\\PC){0,200}") {
        let (map, problems) = LoginMap::parse(&text);
        let lines = map.addresses.len() + map.domains.len() + problems.len();
        prop_assert!(lines <= text.lines().count());
    }
}
