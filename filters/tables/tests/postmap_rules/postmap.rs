//! `postmap -q` with a configuration of its own, and what we say to the same table and keys.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, SystemTime},
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
        let settings = "smtputf8_enable = no\ncompatibility_level = 3.7\n";
        let file = directory.path().join("main.cf");
        fs::write(&file, settings).expect("main.cf");
        // Of a file that was just written Postfix waits for more.
        let file = fs::File::options().write(true).open(file).expect("main.cf");
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 30)).expect("a time");
        Self { directory, program: tools::find("postmap").expect("it was asked for") }
    }

    /// Asks Postfix. `mode` is `-q`, or `-hmq` for keys that are headers. `None` if it does not
    /// end: there are patterns with which the GNU C library never comes to an end.
    pub fn ask(&self, kind: &str, table: &[u8], mode: &str, input: &[u8]) -> Option<Answers> {
        let file = self.directory.path().join("table");
        fs::write(&file, table).expect("the table");
        let mut child = Command::new("timeout")
            .arg(ENOUGH)
            .arg(&self.program)
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
        let written = writer.join().expect("the writer ends");
        if output.status.code() == Some(TIMED_OUT) {
            return None;
        }
        written.expect("postmap reads");
        let said = text(&output.stderr);
        assert!(!said.contains("fatal") && !said.contains("panic"), "{said}");
        Some(Answers {
            lines: text(&output.stdout).lines().map(str::to_owned).collect(),
            warnings: said.lines().filter_map(|line| warning(line, &file)).collect(),
        })
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

/// Compares both; returns how many keys matched. `mode` is as for [`Postmap::ask`].
///
/// # Errors
/// What is different.
pub fn compare(
    postmap: &Postmap,
    kind: &str,
    table: &[u8],
    mode: &str,
    keys: &[Vec<u8>],
) -> Result<usize, String> {
    let input = [&keys.join(&b'\n')[..], b"\n"].concat();
    let Some(theirs) = postmap.ask(kind, table, mode, &input) else { return Ok(0) };
    let ours = ours(kind, table, keys);
    if ours == theirs {
        return Ok(ours.lines.len());
    }
    let only = |left: &Answers, right: &Answers| {
        let lines = left.lines.iter().filter(|line| !right.lines.contains(line));
        let warnings = left.warnings.iter().filter(|warning| !right.warnings.contains(warning));
        let warnings = warnings.map(|(line, words)| format!("warning, line {line}: {words}"));
        lines.cloned().chain(warnings).collect::<Vec<_>>().join("\n")
    };
    let (more, less) = (only(&ours, &theirs), only(&theirs, &ours));
    Err(format!("only we say:\n{more}\nonly postmap says:\n{less}\nof {kind}:\n{}", text(table)))
}

/// Each byte a character, so that nothing is lost.
pub fn text(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect()
}

/// The line and the words of a warning about a line of the table.
fn warning(line: &str, file: &Path) -> Option<(u32, String)> {
    let about = line.split_once(&format!("map {}, line ", file.display()))?.1;
    let (number, words) = about.split_once(": ")?;
    // This is about a key.
    if words.starts_with("nested recursion") {
        return None;
    }
    Some((number.parse().ok()?, comparable(words)))
}

/// Of some things Postfix does not say in which table and line they are.
fn names_its_line(words: &str) -> bool {
    let without = ["empty macro name", "truncated macro reference", "logical line must not start"];
    !without.iter().any(|start| words.starts_with(start))
}

/// The words that do not depend on the version of PCRE2.
fn comparable(words: &str) -> String {
    match words.find("error in regex") {
        Some(start) => words[..start + "error in regex".len()].to_owned(),
        None => words.to_owned(),
    }
}

/// Seconds, as timeout(1) takes them.
const ENOUGH: &str = "5";
/// What timeout(1) returns then.
const TIMED_OUT: i32 = 124;
