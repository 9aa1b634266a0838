use std::{fs, sync::Arc, time::Duration};

use proptest::prelude::*;

use super::*;

const TABLE: &str = "\
# who may write as whom
Ann@Example.org   ann, BOB@example.org
sales@example.org\tann
   bob@example.org   # no comment, and no login either
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
fn lines_without_a_readable_address_are_skipped_and_the_others_count() {
    let (map, problems) =
        LoginMap::parse("ann ann\n\nd@x.example dora\nD@x.example eve\n@ eve\nb\n");
    let named: Vec<String> = problems.iter().map(ToString::to_string).collect();
    let expected = [
        (1, "\"ann\": the address has no domain; expected user@domain or @domain"),
        (4, "D@x.example stands above already; the first line counts"),
        (5, "\"@\": "),
        (6, "\"b\": the address has no domain"),
    ];
    assert_eq!(named.len(), expected.len(), "{named:?}");
    for (problem, (line, part)) in named.iter().zip(expected) {
        assert!(problem.starts_with(&format!("line {line}: {part}")), "{problem}");
        assert!(problem.ends_with("; the line is skipped"), "{problem}");
    }
    assert_eq!(owns(&map, "dora", "d@x.example"), Some(true));
    assert_eq!(owns(&map, "eve", "d@x.example"), Some(false));
}

#[test]
fn c6_an_address_with_an_unreadable_login_does_not_fall_to_a_wider_rule() {
    let (map, problems) = LoginMap::parse(
        "@x.example ann\nboss@x.example c:d, bob e:f\nsales@x.example c:d\nhall@x.example\n\
         desk@x.example bob # not ann\n@y.example c:d\n",
    );
    for (sender, owner) in [
        ("boss@x.example", Some("bob")),
        ("boss+tag@x.example", Some("bob")),
        ("sales@x.example", None),
        ("hall@x.example", None),
        ("desk@x.example", Some("bob")),
        ("any@y.example", None),
        ("any@x.example", Some("ann")),
    ] {
        for login in ["ann", "bob", "not"] {
            assert_eq!(owns(&map, login, sender), Some(owner == Some(login)), "{login} {sender}");
        }
    }
    let named: Vec<String> = problems.iter().map(ToString::to_string).collect();
    let expected = [
        ("line 2: login \"c:d\": ", "; only the other logins count"),
        ("line 3: login \"c:d\": ", "; nobody may use the address"),
        ("line 4: no login stands behind it", "; nobody may use the address"),
        ("line 5: a comment has a line of its own", "; only the other logins count"),
        ("line 6: login \"c:d\": ", "; nobody may use the address"),
    ];
    assert_eq!(named.len(), expected.len(), "{named:?}");
    for (problem, (start, end)) in named.iter().zip(expected) {
        assert!(problem.starts_with(start) && problem.ends_with(end), "{problem}");
    }
}

#[test]
fn a_comment_in_a_line_is_named_and_its_words_are_no_logins() {
    let (map, problems) = LoginMap::parse(TABLE);
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!(owns(&map, "bob@example.org", "sales@example.org"), Some(true));
    assert_eq!(owns(&map, "login", "sales@example.org"), Some(false));
    assert_eq!(owns(&map, "shop", "any@shop.example"), Some(true));
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
    assert!(told.lock().unwrap().remove(0).contains("logins: line 2: \"broken\": "));

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
        let lines = text.lines().count();
        prop_assert!(map.addresses.len() + map.domains.len() <= lines);
        prop_assert!(problems.is_sorted_by(|a, b| a.line < b.line));
        prop_assert!(problems.iter().all(|problem| problem.line <= lines));
    }
}
