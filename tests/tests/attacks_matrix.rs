//! `docs/attacks.md` cannot rot: each row is there once, and what is said to show it exists.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

#[test]
fn every_row_of_the_list_has_its_place_in_the_table_once() {
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    for row in rows() {
        *found.entry(row.name).or_default() += 1;
    }
    let listed = SECTIONS.iter().flat_map(|(section, numbers)| {
        numbers.iter().map(move |number| (format!("{section}{number}"), 1))
    });
    assert_eq!(found, listed.collect());
}

#[test]
fn what_is_said_to_show_a_row_exists() {
    let mut missing = Vec::new();
    for row in rows() {
        let absent = row.evidence.iter().filter(|evidence| !exists(evidence));
        missing.extend(absent.map(|evidence| format!("{}: {evidence}", row.name)));
    }
    assert!(missing.is_empty(), "not in the tree:\n{}", missing.join("\n"));
}

#[test]
fn a_row_without_a_test_says_who_will_bring_it() {
    for row in rows() {
        let later = row.shown_by.split_once("not yet: ").map(|(_, later)| later);
        let issue = later.map(|later| later.contains("issue"));
        assert!(issue.unwrap_or(!row.evidence.is_empty()), "{}: {}", row.name, row.shown_by);
    }
}

/// A line of the table.
struct Row {
    name: String,
    shown_by: String,
    /// What stands between backticks in the last column.
    evidence: Vec<String>,
}

fn rows() -> Vec<Row> {
    let page = fs::read_to_string(root().join("docs/attacks.md")).unwrap();
    let rows = page.lines().filter_map(|line| {
        let cells: Vec<&str> = line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ").collect();
        let [name, _, _, shown_by] = cells[..] else { panic!("not four columns: {line}") };
        let evidence = shown_by.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        Some(Row { name: name.to_owned(), shown_by: shown_by.to_owned(), evidence })
    });
    rows.filter(|row| row.name != "row").collect()
}

/// Whether a file is there, and in it the test that is named behind `::`.
fn exists(evidence: &str) -> bool {
    let (path, test) = match evidence.split_once("::") {
        Some((path, test)) => (path, Some(test)),
        None => (evidence, None),
    };
    match (fs::read_to_string(root().join(path)), test) {
        (Err(_), _) => false,
        (Ok(_), None) => true,
        (Ok(source), Some(test)) => is_test(&source, test),
    }
}

/// Whether `source` has a function of this name, and above it the mark of a test.
fn is_test(source: &str, name: &str) -> bool {
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let head = format!("fn {name}(");
    let at = lines
        .iter()
        .position(|line| line.strip_prefix("async ").unwrap_or(line).starts_with(&head));
    let above =
        at.map(|at| lines[..at].iter().rev().take_while(|line| is_about_what_follows(line)));
    above
        .is_some_and(|mut above| above.any(|line| line.contains("test]") || line.contains("test(")))
}

fn is_about_what_follows(line: &str) -> bool {
    line.starts_with("#[") || line.starts_with("//")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The rows that a mail gateway without filters, moderation and signatures answers for.
const SECTIONS: [(&str, &[u8]); 11] = [
    ("A", &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]),
    ("B", &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
    ("C", &[1, 2, 3, 4, 5, 6, 7, 8]),
    ("D", &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
    ("E", &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
    ("F", &[1, 2, 3, 4, 5, 6, 7, 8, 9]),
    ("G", &[1, 2, 3, 4, 5, 6]),
    ("H", &[1, 2, 3, 4, 5, 6, 9, 10, 11, 12, 13]),
    ("I", &[1, 2, 3, 4, 5, 6, 7, 8]),
    ("J", &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]),
    ("K", &[1, 2, 3, 4, 5, 6, 7, 8]),
];
