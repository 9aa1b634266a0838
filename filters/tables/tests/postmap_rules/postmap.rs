//! `postmap -q` with a configuration of its own, and what we say to the same table and keys.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use mailweir_tables::{Loaded, LookupError, Matching, Spec, Step, Table};
use mailweir_test_servers::tools;

/// Postfix's tool.
pub struct Postmap {
    directory: tempfile::TempDir,
    program: PathBuf,
}

/// What a table says to keys, as `postmap -q -` prints it, and its warnings with their lines.
#[derive(Debug, PartialEq, Eq)]
pub struct Answers {
    pub lines: Vec<String>,
    pub warnings: Vec<(u32, String)>,
}

impl Postmap {
    pub fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        // Keys that are not UTF-8 are keys too.
        fs::write(
            directory.path().join("main.cf"),
            "smtputf8_enable = no\ncompatibility_level = 3.7\n",
        )
        .expect("main.cf");
        Self { directory, program: tools::find("postmap").expect("it was asked for") }
    }

    /// Asks Postfix. `mode` is `-q`, or `-hmq` for keys that are headers.
    pub fn ask(&self, kind: &str, table: &[u8], mode: &str, input: &[u8]) -> Answers {
        let file = self.directory.path().join("table");
        fs::write(&file, table).expect("the table");
        let mut child = Command::new(&self.program)
            .arg("-c")
            .arg(self.directory.path())
            .args([mode, "-"])
            .arg(format!("{kind}:{}", file.display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("postmap starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        let input = input.to_vec();
        let writer = std::thread::spawn(move || stdin.write_all(&input));
        let output = child.wait_with_output().expect("postmap ends");
        writer.join().expect("the writer ends").expect("postmap reads");
        let said = text(&output.stderr);
        assert!(!said.contains("fatal") && !said.contains("panic"), "{said}");
        Answers {
            lines: text(&output.stdout).lines().map(str::to_owned).collect(),
            warnings: said.lines().filter_map(|line| warning(line, &file)).collect(),
        }
    }
}

/// What we say to the same.
pub fn ours(kind: &str, table: &[u8], keys: &[Vec<u8>]) -> Answers {
    let loaded = load(kind, table);
    let mut lines = Vec::new();
    for key in keys {
        let value = match answer(&loaded.table, key) {
            Ok(None) => continue,
            Ok(Some(value)) => value,
            Err(LookupError::Value { .. }) => String::new(),
            Err(error) => panic!("{error} for {:?}", text(key)),
        };
        lines.extend(format!("{}\t{value}", text(key)).lines().map(str::to_owned));
    }
    let warnings = loaded.warnings.iter().filter(|warning| names_its_line(&warning.text));
    let warnings = warnings.map(|warning| {
        let is_shown = |character: char| character.is_ascii_graphic() || character == ' ';
        let shown = warning.text.replace(|character| !is_shown(character), "?");
        (warning.line.expect("a line"), comparable(&shown))
    });
    Answers { lines, warnings: warnings.collect() }
}

pub fn load(kind: &str, table: &[u8]) -> Loaded {
    let spec = Spec::parse(&format!("{kind}:/table")).expect("a table");
    let mut read = |_: &Path| Ok(table.to_vec());
    Table::load(&spec, Matching::Bytes, &mut read).expect("the table loads")
}

pub fn answer(table: &Table, key: &[u8]) -> Result<Option<String>, LookupError> {
    match table.lookup(key) {
        Step::Done(done) => Ok(done?.map(|found| text(&found.value))),
        Step::Ask(_) => panic!("a table of patterns asks nobody"),
    }
}

/// Compares both; returns how many keys matched.
pub fn assert_same(
    postmap: &Postmap,
    kind: &str,
    table: &[u8],
    keys: &[Vec<u8>],
    what: &str,
) -> usize {
    let theirs = postmap.ask(kind, table, "-q", &keys.join(&b'\n'));
    let ours = ours(kind, table, keys);
    let shown = || format!("{what}, {kind}:\n{}", text(table));
    assert_eq!(ours.warnings, theirs.warnings, "warnings (left: ours) of {}", shown());
    if ours.lines != theirs.lines {
        let of = |left: &[String], right: &[String]| {
            left.iter().filter(|line| !right.contains(line)).cloned().collect::<Vec<_>>().join("\n")
        };
        panic!(
            "only ours:\n{}\nonly postmap's:\n{}\nof {}",
            of(&ours.lines, &theirs.lines),
            of(&theirs.lines, &ours.lines),
            shown()
        );
    }
    ours.lines.len()
}

/// Each byte a character, so that nothing is lost.
pub fn text(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect()
}

/// The line and the words of a warning about a line of the table.
fn warning(line: &str, file: &Path) -> Option<(u32, String)> {
    let about = line.split_once(&format!("map {}, line ", file.display()))?.1;
    let (number, words) = about.split_once(": ")?;
    Some((number.parse().ok()?, comparable(words)))
}

/// What is wrong with a result is said without table and line by Postfix, but for the end of it.
fn names_its_line(words: &str) -> bool {
    !words.starts_with("empty macro name") && !words.starts_with("truncated macro reference")
}

/// The words that do not depend on the version of PCRE2.
fn comparable(words: &str) -> String {
    match words.find("error in regex") {
        Some(start) => words[..start + "error in regex".len()].to_owned(),
        None => words.to_owned(),
    }
}
