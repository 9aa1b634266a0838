use std::{cell::RefCell, collections::BTreeMap};

use super::*;

/// Files by name, and which were read.
fn load_with(text: &str, files: &[(&str, &[u8])]) -> Result<Loaded, TableError> {
    let files: BTreeMap<&Path, &[u8]> =
        files.iter().map(|(path, content)| (Path::new(*path), *content)).collect();
    let mut read = |path: &Path| match files.get(path) {
        Some(content) => Ok(content.to_vec()),
        None => Err(io::Error::from(io::ErrorKind::NotFound)),
    };
    Table::load(&Spec::parse(text).unwrap(), Matching::Bytes, &mut read)
}

fn load(text: &str) -> Table {
    load_with(text, &[]).unwrap().table
}

/// The value and where it stands, or why there is none.
type Answer = Result<Option<(String, String)>, String>;

/// The answer of a table that asks nobody.
fn answer(table: &Table, key: &str) -> Answer {
    match table.lookup(key.as_bytes()) {
        Step::Done(result) => read_answer(result),
        Step::Ask(ask) => panic!("{} asks for {:?}", table.name(), ask.key()),
    }
}

fn read_answer(result: Result<Option<Found<'_>>, LookupError>) -> Answer {
    let found = result.map_err(|error| error.to_string())?;
    Ok(found
        .map(|found| (String::from_utf8_lossy(&found.value).into_owned(), found.place.to_string())))
}

fn found(value: &str, place: &str) -> Answer {
    Ok(Some((value.to_owned(), place.to_owned())))
}

/// The value of a lookup for which `server` answers.
fn ask(
    table: &Table,
    key: &str,
    server: impl Fn(&str, &str) -> Result<Option<Vec<u8>>, LookupError>,
) -> (Answer, Vec<String>) {
    let asked = RefCell::new(Vec::new());
    let mut step = table.lookup(key.as_bytes());
    loop {
        step = match step {
            Step::Done(result) => return (read_answer(result), asked.into_inner()),
            Step::Ask(ask) => {
                let RemoteMap::Tcp { host, .. } = ask.map() else { panic!("{:?}", ask.map()) };
                let key = String::from_utf8_lossy(ask.key()).into_owned();
                asked.borrow_mut().push(format!("{host} {key}"));
                let answer = server(host, &key);
                ask.answer(answer, &PatternSteps::all())
            }
        };
    }
}

/// A server that has `host/key` for every key but `no`.
fn server(host: &str, key: &str) -> Result<Option<Vec<u8>>, LookupError> {
    match key {
        "no" => Ok(None),
        "broken" => Err(LookupError::Remote { table: host.into(), reason: "gone".into() }),
        "empty" => Ok(Some(Vec::new())),
        key => Ok(Some(format!("{host}/{key}").into_bytes())),
    }
}

#[test]
fn a_text_table_says_in_which_line_it_found_a_key() {
    let files = [("/etc/access", b"# who\nuser@example.com REJECT\n".as_slice())];
    let loaded = load_with("hash:/etc/access", &files).unwrap();
    let table = loaded.table;
    assert_eq!(answer(&table, "User@Example.com"), found("REJECT", "hash:/etc/access, line 2"));
    assert_eq!(answer(&table, "example.com"), Ok(None));
    assert!(table.takes_partial_keys());
    assert_eq!(loaded.files, [PathBuf::from("/etc/access")]);
    assert_eq!(loaded.warnings, []);
}

#[test]
fn warnings_and_files_of_all_tables_of_a_union_are_listed() {
    let files = [("/a", b"x\n".as_slice()), ("/b", b"1.2.3.4/24 x\n")];
    let loaded = load_with("unionmap:{btree:/a, pipemap:{static:x, cidr:/b}}", &files).unwrap();
    let warnings: Vec<_> = loaded.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(warnings.len(), 2);
    assert!(warnings[0].starts_with("btree:/a, line 1: expected format"), "{warnings:?}");
    assert!(warnings[1].starts_with("cidr:/b, line 1: non-null host"), "{warnings:?}");
    assert_eq!(loaded.files, [PathBuf::from("/a"), PathBuf::from("/b")]);
}

#[test]
fn a_file_that_is_missing_or_no_text_is_an_error() {
    let error = load_with("hash:/none", &[]).unwrap_err();
    assert!(error.to_string().starts_with("/none: "), "{error}");
    let mut database = vec![0; 64];
    database[12..16].copy_from_slice(&[0x61, 0x15, 0x06, 0x00]);
    let error = load_with("hash:/a.db", &[("/a.db", &database)]).unwrap_err();
    assert!(matches!(error, TableError::NotText { .. }), "{error}");
}

#[test]
fn a_static_table_has_its_value_for_every_key() {
    let table = load("static:{ a b }");
    assert_eq!(answer(&table, ""), found("a b", "static:{ a b }"));
    assert!(table.takes_partial_keys());
}

#[test]
fn the_values_of_a_random_table_take_turns() {
    let table = load("randmap:{a, b, c}");
    let mut values: Vec<_> = (0..6).map(|_| answer(&table, "x").unwrap().unwrap().0).collect();
    values.sort();
    assert_eq!(values, ["a", "a", "b", "b", "c", "c"]);
    assert!(!table.takes_partial_keys());
}

#[test]
fn every_lookup_in_a_fail_table_is_an_error() {
    let table = load("fail:test");
    assert_eq!(answer(&table, "x"), Err("fail:test: every lookup in such a table fails".into()));
}

#[test]
fn an_empty_value_is_an_error_and_never_an_answer() {
    let table = load("inline:{a=, b=c}");
    let error = answer(&table, "a").unwrap_err();
    assert_eq!(error, "inline:{a=, b=c}: empty string result is not allowed");
    assert_eq!(answer(&table, "b"), found("c", "inline:{a=, b=c}"));
}

#[test]
fn a_union_joins_what_its_tables_have_and_names_the_one_or_itself() {
    let table = load("unionmap:{inline:{a=1,b=2,e=},inline:{a=3,c=4}}");
    let name = table.name().to_string();
    assert_eq!(answer(&table, "A"), found("1,3", &name));
    assert_eq!(answer(&table, "b"), found("2", "inline:{a=1,b=2,e=}"));
    assert_eq!(answer(&table, "c"), found("4", "inline:{a=3,c=4}"));
    assert_eq!(answer(&table, "e"), Ok(None));
    assert_eq!(answer(&table, "d"), Ok(None));
}

#[test]
fn a_pipe_asks_each_table_for_what_the_one_before_found_and_ends_at_nothing() {
    let table = load("pipemap:{inline:{a=B,c=d,e=},inline:{b=1}}");
    assert_eq!(answer(&table, "A"), found("1", "inline:{b=1}"));
    assert_eq!(answer(&table, "c"), Ok(None));
    assert_eq!(answer(&table, "e"), Ok(None));
    assert_eq!(answer(&load("pipemap:{inline:{e=},static:x}"), "e"), found("x", "static:x"));
}

#[test]
fn an_error_of_one_table_is_the_answer_of_the_whole() {
    for text in [
        "unionmap:{fail:x,static:y}",
        "unionmap:{static:y,fail:x}",
        "pipemap:{static:y,fail:x}",
        "pipemap:{fail:x,static:y}",
    ] {
        assert!(answer(&load(text), "a").is_err(), "{text}");
    }
    assert_eq!(answer(&load("pipemap:{inline:{a=b},fail:x}"), "b"), Ok(None));
}

#[test]
fn a_union_or_pipe_takes_parts_of_keys_if_its_first_table_does() {
    assert!(load("unionmap:{static:x,randmap:{y}}").takes_partial_keys());
    assert!(!load("unionmap:{randmap:{y},static:x}").takes_partial_keys());
    assert!(!load("pipemap:{tcp:host:9,static:x}").takes_partial_keys());
}

#[test]
fn a_lookup_stops_wherever_another_server_is_asked_and_goes_on_with_its_answer() {
    let table = load("unionmap:{tcp:a:9,static:s,tcp:b:9}");
    let (value, asked) = ask(&table, "k", server);
    assert_eq!(value, found("a/k,s,b/k", table.name()));
    assert_eq!(asked, ["a k", "b k"]);
    let (value, _) = ask(&table, "no", server);
    assert_eq!(value, found("s", "static:s"));

    let table = load("pipemap:{inline:{x=y},tcp:a:9,unionmap:{static:1,tcp:b:9},tcp:c:9}");
    let (value, asked) = ask(&table, "X", server);
    assert_eq!(value, found("c/1,b/a/y", "tcp:c:9"));
    assert_eq!(asked, ["a y", "b a/y", "c 1,b/a/y"]);

    let table = load("unionmap:{pipemap:{tcp:a:9,inline:{a/k=z}},tcp:b:9}");
    assert_eq!(ask(&table, "k", server).0, found("z,b/k", table.name()));
    assert_eq!(ask(&table, "q", server).0, found("b/q", "tcp:b:9"));
}

#[test]
fn an_error_of_another_server_ends_the_lookup() {
    let table = load("unionmap:{static:s,tcp:a:9,tcp:b:9}");
    let (value, asked) = ask(&table, "broken", server);
    assert_eq!(value, Err("a: gone".into()));
    assert_eq!(asked, ["a broken"]);
    let (value, _) = ask(&load("tcp:a:9"), "empty", server);
    assert_eq!(value, Err("tcp:a:9: empty string result is not allowed".into()));
}

#[test]
fn another_server_sees_the_key_as_it_is() {
    let (_, asked) = ask(&load("tcp:a:9"), "User", server);
    assert_eq!(asked, ["a User"]);
    let (_, asked) = ask(&load("unionmap:{tcp:a:9,static:x}"), "User", server);
    assert_eq!(asked, ["a User"]);
    // A table that takes parts of keys comes first: the union folds, as Postfix does.
    let (_, asked) = ask(&load("unionmap:{static:x,tcp:a:9}"), "User", server);
    assert_eq!(asked, ["a user"]);
}

#[test]
fn the_keys_of_a_table_are_listed_in_the_order_of_the_source() {
    let files = [("/a", b"b 1\nA 2\nb 3\n".as_slice())];
    let loaded = load_with("hash:/a", &files).unwrap();
    let entries: Vec<_> = loaded.table.entries().unwrap().collect();
    assert_eq!(entries, [(b"b".as_slice(), b"1".as_slice()), (b"a", b"2")]);
    assert!(load("static:x").entries().is_none());
}

#[test]
fn without_folding_case_counts_and_a_database_of_postmap_has_small_letters_only() {
    let load = |text: &str| {
        let mut read = |_: &Path| Ok(b"User@Example.org a\n".to_vec());
        let spec = Spec::parse(text).unwrap();
        Table::load_unfolded(&spec, Matching::Bytes, &mut read).unwrap().table
    };
    let found = |text: &str, key: &str| match load(text).lookup(key.as_bytes()) {
        Step::Done(Ok(found)) => found.is_some(),
        other => panic!("{other:?}"),
    };
    for (text, as_written, small) in [
        ("texthash:/x", true, false),
        ("hash:/x", false, true),
        ("inline:{User@Example.org=a}", true, false),
        ("unionmap:{inline:{User@Example.org=a}}", true, false),
    ] {
        assert_eq!(found(text, "User@Example.org"), as_written, "{text}");
        assert_eq!(found(text, "user@example.org"), small, "{text}");
    }
}

#[test]
fn the_values_of_a_table_are_shown_with_their_places() {
    let values = |text: &str, source: &[u8]| {
        let spec = Spec::parse(text).unwrap();
        let loaded = Table::load(&spec, Matching::Bytes, &mut |_: &Path| Ok(source.to_vec()));
        let table = loaded.unwrap().table;
        let mut seen = Vec::new();
        table.each_value(&mut |place, value| {
            seen.push((place.line, String::from_utf8_lossy(value).into_owned()));
        });
        (table.rule_count(), seen)
    };
    let rules = b"if /x/\n/(a)/ REJECT ${1}!\nendif\n/b/ OK\n";
    let seen = vec![(Some(2), "REJECT $1!".to_owned()), (Some(4), "OK".to_owned())];
    assert_eq!(values("pcre:/x", rules), (Some(2), seen));
    let seen = vec![(Some(1), "c".to_owned())];
    assert_eq!(values("hash:/x", b"b c\n"), (Some(1), seen.clone()));
    assert_eq!(values("pipemap:{static:x,hash:/x}", b"b c\n"), (Some(2), seen));
    assert_eq!(values("tcp:localhost:9", b""), (None, Vec::new()));
}

#[test]
fn what_never_fits_text_is_told_with_what_to_write() {
    let warnings = |text: &str, matching, source: &str| {
        let spec = Spec::parse(text).unwrap();
        let loaded = Table::load(&spec, matching, &mut |_: &Path| Ok(source.as_bytes().to_vec()));
        loaded.unwrap().warnings.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let rules = "/광고/ REJECT\nif /（광고）/\n!/cafe\u{301}/ REJECT\nendif\n";
    for kind in ["pcre:/x", "regexp:/x"] {
        assert_eq!(warnings(kind, Matching::Bytes, rules), [""; 0]);
        let [first, second] = &warnings(kind, Matching::Text, rules)[..] else { panic!("{kind}") };
        assert!(first.starts_with(&format!("{kind}, line 2: this pattern is not in NFKC")));
        assert!(first.ends_with("write \"\\(광고\\)\""), "{first}");
        assert!(second.starts_with(&format!("{kind}, line 3: ")) && second.ends_with("\"café\""));
    }
    let keys = "a REJECT\nｖirus．exe REJECT\n";
    assert_eq!(warnings("hash:/x", Matching::Bytes, keys), [""; 0]);
    let [one] = &warnings("hash:/x", Matching::Text, keys)[..] else { panic!("one key") };
    assert!(one.starts_with("hash:/x, line 2: this key ") && one.ends_with("\"virus.exe\""));
    assert_eq!(warnings("inline:{ａ=b}", Matching::Text, "").len(), 1);
}
