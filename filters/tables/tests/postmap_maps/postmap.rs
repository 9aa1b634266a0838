//! Runs postmap, and says what we say to the same questions.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::PathBuf,
    process::{Command, Output, Stdio},
    time::{Duration, SystemTime},
};

use mailweir_tables::{LookupError, Matching, Spec, Step, Table, Warning};
use mailweir_test_servers::tools;
use tempfile::TempDir;

/// A directory of sources, and postmap beside it with a configuration of its own.
pub(crate) struct Bench {
    directory: TempDir,
    postmap: PathBuf,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        fs::write(directory.path().join("main.cf"), "compatibility_level = 3.6\n")
            .expect("written");
        Self { directory, postmap: tools::find("postmap").expect("required before") }
    }

    /// A file, as old as Postfix wants it: it reads a texthash: file that was just written again
    /// and again until it has cooled.
    pub(crate) fn write(&self, file: &str, source: &[u8]) {
        let path = self.directory.path().join(file);
        fs::write(&path, source).expect("written");
        let before = SystemTime::now() - Duration::from_hours(1);
        File::options()
            .write(true)
            .open(path)
            .and_then(|file| file.set_modified(before))
            .expect("aged");
    }

    /// A table of this type, whose source is a file here.
    pub(crate) fn spec(&self, kind: &str, file: &str) -> String {
        format!("{kind}:{}", self.directory.path().join(file).display())
    }

    /// Makes the database of a source, anew.
    pub(crate) fn make(&self, kind: &str, file: &str) -> Vec<String> {
        let _ = fs::remove_file(self.directory.path().join(format!("{file}.db")));
        let output = self.run(&[&self.spec(kind, file)], b"");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        lines_of(&output.stderr)
    }

    /// The answers to all keys must be the same, and what is said about the source.
    pub(crate) fn compare(&self, spec: &str, keys: &[Vec<u8>], seed: u64) {
        let (table, warnings) = self.load(spec).unwrap_or_else(|error| panic!("{spec}: {error}"));
        let output = self.ask(spec, keys);
        assert_same(&answers(&table, keys), &output.stdout, spec, seed);
        let said = lines_of(&output.stderr);
        let said: Vec<&String> = said.iter().filter(|line| !is_about_a_key(line)).collect();
        let ours: Vec<String> = warnings.iter().map(|warning| self.as_postmap(warning)).collect();
        assert_eq!(ours.iter().collect::<Vec<_>>(), said, "seed {seed}: warnings about {spec}");
    }

    /// The answers to all keys must be the same, or both must refuse the table.
    pub(crate) fn compare_answers(&self, spec: &str, keys: &[Vec<u8>], seed: u64) {
        let output = self.ask(spec, keys);
        let said = String::from_utf8_lossy(&output.stderr);
        match self.load(spec) {
            Ok((table, _)) => {
                assert!(!said.contains("fatal:"), "seed {seed}: {spec} is refused: {said}");
                assert_same(&answers(&table, keys), &output.stdout, spec, seed);
            }
            Err(error) => {
                assert!(
                    said.contains("fatal:"),
                    "seed {seed}: {spec} is only refused here: {error}"
                );
            }
        }
    }

    /// What `postmap -q -` prints.
    pub(crate) fn ask(&self, spec: &str, keys: &[Vec<u8>]) -> Output {
        let mut input = keys.join(&b'\n');
        input.push(b'\n');
        self.run(&["-q", "-", spec], &input)
    }

    pub(crate) fn load(&self, spec: &str) -> Result<(Table, Vec<Warning>), String> {
        let spec = Spec::parse(spec).map_err(|error| error.to_string())?;
        let loaded = Table::load(&spec, Matching::Bytes, &mut |path| fs::read(path));
        let loaded = loaded.map_err(|error| error.to_string())?;
        Ok((loaded.table, loaded.warnings))
    }

    fn run(&self, arguments: &[&str], input: &[u8]) -> Output {
        let mut child = Command::new(&self.postmap)
            .arg("-c")
            .arg(self.directory.path())
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("postmap runs");
        match child.stdin.take().expect("piped").write_all(input) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => panic!("{error}"),
            _ => {}
        }
        child.wait_with_output().expect("postmap ends")
    }

    /// A warning as postmap prints it. It does not give the line of what continues nothing.
    fn as_postmap(&self, warning: &Warning) -> String {
        let (kind, file) = warning.table.split_once(':').expect("type:name");
        let text = &warning.text;
        match warning.line.filter(|_| !text.starts_with("logical line must not")) {
            Some(line) if kind == "cidr" => {
                format!("postmap: warning: cidr map {file}, line {line}: {text}")
            }
            Some(line) => format!("postmap: warning: {file}, line {line}: {text}"),
            None => format!("postmap: warning: {file}: {text}"),
        }
    }
}

/// What `postmap -q -` would print if it were us. Postfix prints an empty value and warns; to us
/// it is an error.
fn answers(table: &Table, keys: &[Vec<u8>]) -> Vec<u8> {
    let mut printed = Vec::new();
    for key in keys {
        let value = match table.lookup(key) {
            Step::Done(Ok(None)) => continue,
            Step::Done(Ok(Some(found))) => found.value.into_owned(),
            Step::Done(Err(LookupError::Value { reason, .. })) if reason.starts_with("empty") => {
                Vec::new()
            }
            other => panic!("{}: {other:?}", String::from_utf8_lossy(key)),
        };
        printed.extend_from_slice(key);
        printed.push(b'\t');
        printed.extend_from_slice(&value);
        printed.push(b'\n');
    }
    printed
}

fn assert_same(ours: &[u8], theirs: &[u8], spec: &str, seed: u64) {
    let (ours, theirs) = (String::from_utf8_lossy(ours), String::from_utf8_lossy(theirs));
    let difference = ours.lines().zip(theirs.lines()).find(|(ours, theirs)| ours != theirs);
    assert!(
        ours == theirs,
        "seed {seed}: {spec}\nfirst difference (ours, postmap's): {difference:?}\n\
         ours:\n{ours}\npostmap's:\n{theirs}"
    );
}

fn lines_of(bytes: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(bytes).lines().map(str::to_owned).collect()
}

/// What postmap says about a question, not about the source.
fn is_about_a_key(line: &str) -> bool {
    line.contains("non-UTF-8 key")
        || line.contains("empty string result")
        || line.contains("should return NO RESULT")
}
