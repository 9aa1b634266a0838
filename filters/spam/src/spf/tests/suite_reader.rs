//! Reads the suite of openspf.org: the little of YAML that it is written in, by the depth of its lines.
//!
//! A dependency that reads all of YAML would weigh more. Whatever is not understood panics, and the number of cases
//! is counted, so nothing is left out in silence.

use std::collections::BTreeMap;

/// A document: questions about one set of names.
#[derive(Debug, Default)]
pub(super) struct Scenario {
    pub(super) cases: Vec<Case>,
    /// What is known of each name, in lower case.
    pub(super) names: BTreeMap<String, Vec<Entry>>,
}

#[derive(Debug, Default)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) helo: String,
    pub(super) host: String,
    pub(super) mail_from: String,
    /// Any of them is right.
    pub(super) results: Vec<String>,
    pub(super) explanation: Option<String>,
}

#[derive(Debug)]
pub(super) enum Entry {
    /// A type and its value; one of several strings or of a preference and a name has a list.
    Record(String, Vec<String>),
    /// No answer for the types that are not given.
    Timeout,
}

enum Section {
    Tests,
    Names,
    Other,
}

pub(super) fn scenarios(text: &str) -> Vec<Scenario> {
    let documents = text.split("\n---\n").skip(1);
    documents.map(scenario).collect()
}

fn scenario(text: &str) -> Scenario {
    let mut scenario = Scenario::default();
    let mut section = Section::Other;
    let mut name = String::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let line = line.trim_end();
        let depth = line.len() - line.trim_start().len();
        match (depth, &section, line.trim_start()) {
            (0, _, "tests:") => section = Section::Tests,
            (0, _, "zonedata:") => section = Section::Names,
            (0, ..) => section = Section::Other,
            (2, Section::Tests, key) => {
                let name = key.strip_suffix(':').unwrap().to_owned();
                scenario.cases.push(Case { name, ..Case::default() });
            }
            (4, Section::Tests, field) => scenario.cases.last_mut().unwrap().set(field),
            // What goes on from the line above: prose.
            (6.., Section::Tests, _) | (_, Section::Other, _) => {}
            (2, Section::Names, key) => {
                name = scalar(key.strip_suffix(':').unwrap()).to_ascii_lowercase();
                scenario.names.entry(name.clone()).or_default();
            }
            (4, Section::Names, item) => {
                let item = item.strip_prefix("- ").unwrap_or_else(|| panic!("{item}"));
                scenario.names.get_mut(&name).unwrap().push(Entry::read(item));
            }
            (depth, Section::Tests | Section::Names, line) => panic!("at depth {depth}: {line}"),
        }
    }
    scenario
}

impl Case {
    fn set(&mut self, field: &str) {
        let (key, value) = field.split_once(':').unwrap_or_else(|| panic!("{field}"));
        let value = value.trim();
        match key {
            "helo" => self.helo = scalar(value),
            "host" => self.host = scalar(value),
            "mailfrom" => self.mail_from = scalar(value),
            "result" => self.results = list(value),
            "explanation" => self.explanation = Some(scalar(value)),
            "description" | "comment" | "spec" | "strict" => {}
            other => panic!("{other}"),
        }
    }
}

impl Entry {
    fn read(item: &str) -> Self {
        match item.split_once(':') {
            None if item == "TIMEOUT" => Self::Timeout,
            Some((kind, value)) => Self::Record(kind.to_owned(), list(value.trim())),
            None => panic!("{item}"),
        }
    }
}

fn list(text: &str) -> Vec<String> {
    match text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(inner) if inner.trim().is_empty() => Vec::new(),
        // No item of the suite has a comma.
        Some(inner) => inner.split(',').map(|item| scalar(item.trim())).collect(),
        None => vec![scalar(text)],
    }
}

fn scalar(text: &str) -> String {
    if let Some(inner) = text.strip_prefix('\'') {
        return inner.strip_suffix('\'').unwrap().to_owned();
    }
    match text.strip_prefix('"') {
        Some(inner) => unescaped(inner.strip_suffix('"').unwrap()),
        None => text.to_owned(),
    }
}

fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, if c == '\\' { chars.next() } else { None }) {
            ('\\', Some('0')) => out.push('\0'),
            ('\\', Some('x')) => {
                let digits: String = chars.by_ref().take(2).collect();
                out.push(char::from(u8::from_str_radix(&digits, 16).unwrap()));
            }
            ('\\', other) => panic!("{other:?} in {text}"),
            (c, _) => out.push(c),
        }
    }
    out
}

#[test]
fn the_yaml_of_the_suite_is_read_with_its_escapes_lists_and_prose() {
    let text = "# a comment\n---\ndescription: one\ntests:\n  first:\n    description: >-\n      Prose: with\n      \
                colons.\n    helo: \"[192.0.2.1]\"\n    host: 192.0.2.1\n    mailfrom: \"\"\n    result: [fail,none]\n    \
                explanation: a b: c\nzonedata:\n  \"A b.Example\":\n    - SPF: [ \"v=spf1 \", \"-all\" ]\n    \
                - TXT: 'x\\y'\n    - TXT: \"\\xEF\\0\"\n    - TIMEOUT\n";
    let [scenario] = <[_; 1]>::try_from(scenarios(text)).unwrap();
    let case = &scenario.cases[0];
    assert_eq!((case.helo.as_str(), case.mail_from.as_str()), ("[192.0.2.1]", ""));
    assert_eq!(case.results, ["fail", "none"]);
    assert_eq!(case.explanation.as_deref(), Some("a b: c"));
    let entries = format!("{:?}", scenario.names["a b.example"]);
    let expected = r#"[Record("SPF", ["v=spf1 ", "-all"]), Record("TXT", ["x\\y"]), Record("TXT", ["ï\0"]), Timeout]"#;
    assert_eq!(entries, expected);
}
