use proptest::prelude::*;

use super::*;

fn table(source: &str) -> (KeyedTable, Vec<String>) {
    let (table, warnings) =
        KeyedTable::parse(&"t".into(), source.as_bytes(), Case::Ignored).unwrap();
    (table, warnings.iter().map(ToString::to_string).collect())
}

fn get(table: &KeyedTable, key: &str) -> Option<(String, Option<u32>)> {
    let (value, line) = table.get(key.as_bytes())?;
    Some((String::from_utf8_lossy(value).into_owned(), line))
}

fn found(value: &str, line: u32) -> Option<(String, Option<u32>)> {
    Some((value.to_owned(), Some(line)))
}

#[test]
fn a_key_is_found_whatever_its_case_with_its_value_and_line() {
    let (table, warnings) = table("# access\nUser@Example.com   550 no, \n   thanks\t\nb OK\r\n");
    assert_eq!(get(&table, "user@example.COM"), found("550 no,    thanks", 2));
    assert_eq!(get(&table, "b"), found("OK", 4));
    assert_eq!(get(&table, "c"), None);
    assert_eq!(warnings, [] as [&str; 0]);
}

#[test]
fn an_empty_table_has_no_key() {
    assert_eq!(get(&table("\n# nothing\n").0, ""), None);
}

#[test]
fn quotes_and_backslashes_keep_white_space_in_the_key_and_stay_there() {
    let (table, warnings) = table(
        "\"quoted key\" a\n\"a\\\"b\" b\n\"q\"@dom c\na\"b c\"d d\na\\ b e\n\\a f\nq\\\"r\" s\" g\n",
    );
    assert_eq!(get(&table, "\"quoted key\""), found("a", 1));
    assert_eq!(get(&table, "quoted key"), None);
    assert_eq!(get(&table, "\"a\\\"b\""), found("b", 2));
    assert_eq!(get(&table, "\"q\"@dom"), found("c", 3));
    assert_eq!(get(&table, "a\"b c\"d"), found("d", 4));
    assert_eq!(get(&table, "a\\ b"), found("e", 5));
    assert_eq!(get(&table, "\\a"), found("f", 6));
    assert_eq!(get(&table, "q\\\"r\" s\""), found("g", 7));
    assert_eq!(warnings, [] as [&str; 0]);
}

#[test]
fn of_a_key_that_stands_twice_the_first_value_counts() {
    let (table, warnings) = table("a@b.c one\nA@B.C two\n");
    assert_eq!(get(&table, "a@b.c"), found("one", 1));
    assert_eq!(warnings, ["t, line 2: duplicate entry: \"A@B.C\""]);
}

#[test]
fn a_line_that_is_no_key_and_value_is_skipped_and_said() {
    let (table, warnings) = table("novalue\nkey: x\nunbal\"anced x\na\\\n  stray\n\"\" y\n");
    assert_eq!(get(&table, "novalue"), None);
    assert_eq!(get(&table, "key:"), found("x", 2));
    assert_eq!(get(&table, "unbal\"anced"), None);
    assert_eq!(get(&table, "\"\""), found("y", 6));
    assert_eq!(
        warnings,
        [
            "t, line 1: expected format: key whitespace value -- ignoring this line",
            "t, line 2: record is in \"key: value\" format; is this an alias file?",
            "t, line 3: unbalanced '\"' in 'unbal\"anced x' -- ignoring this line",
        ]
    );
    // The backslash takes the first blank of the continuation into the key.
    assert_eq!(get(&table, "a\\ "), found("stray", 4));
}

#[test]
fn a_line_that_is_no_utf8_is_skipped_and_what_follows_a_nul_is_not_read() {
    let source = b"caf\xe9 x\nnul\0x value\nk v\0w\n";
    let (table, warnings) = KeyedTable::parse(&"t".into(), source, Case::Ignored).unwrap();
    assert_eq!(get(&table, "k"), found("v", 3));
    let warnings: Vec<&str> = warnings.iter().map(|warning| &*warning.text).collect();
    assert_eq!(
        warnings,
        [
            "non-UTF-8 input \"caf? x\" -- ignoring this line",
            "expected format: key whitespace value -- ignoring this line",
        ]
    );
}

#[test]
fn of_inline_pairs_the_last_value_counts() {
    let pairs = [("a", "1"), ("b", "2"), ("A", "3")].map(|(key, value)| (key.into(), value.into()));
    let table = KeyedTable::of_pairs(&pairs, Case::Ignored).unwrap();
    assert_eq!(get(&table, "a"), Some(("3".to_owned(), None)));
    let entries: Vec<_> = table.entries().collect();
    assert_eq!(entries, [(b"b".as_slice(), b"2".as_slice()), (b"a", b"3")]);
}

proptest! {
    #[test]
    fn every_key_has_the_value_of_its_first_line(
        keys in prop::collection::vec("[a-eA-E]{1,3}", 0..200)
    ) {
        let mut model = std::collections::BTreeMap::new();
        let mut source = String::new();
        for (number, key) in keys.iter().enumerate() {
            source.push_str(&format!("{key} value {number}\n"));
            model.entry(key.to_ascii_lowercase()).or_insert(number);
        }
        let (table, warnings) = table(&source);
        prop_assert_eq!(warnings.len(), keys.len() - model.len());
        prop_assert_eq!(table.entries().count(), model.len());
        for key in keys {
            let number = model[&key.to_ascii_lowercase()];
            let line = u32::try_from(number).unwrap() + 1;
            prop_assert_eq!(get(&table, &key), found(&format!("value {number}"), line));
        }
    }

    #[test]
    fn no_source_and_no_key_makes_it_panic(
        source in prop::collection::vec(prop::sample::select(b"ab \t\n\"\\#:\0\xc3\xa9".to_vec()), 0..200),
        key in prop::collection::vec(any::<u8>(), 0..8),
    ) {
        let (table, _) = KeyedTable::parse(&"t".into(), &source, Case::Ignored).unwrap();
        table.get(&key);
        for (key, value) in table.entries() {
            prop_assert_eq!(table.get(key).unwrap().0, value);
        }
    }
}
