//! `mailweir postmap` beside the real one (Debian's Postfix 3.7): the same tables, keys, options
//! and mails, the same output, warnings and exit statuses. Skipped where Postfix is not installed.
//!
//! Lists (`-s`) are compared sorted: Postfix's order is that of its hash, by chance of each run.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    thread,
    time::{Duration, SystemTime},
};

use mailweir_tests::{program, tools};
use tempfile::TempDir;

#[test]
fn answers_to_keys_are_those_of_postmap() {
    let Some(bench) = Bench::new() else { return };
    let mut questions = Vec::new();
    for table in TABLES {
        for key in KEYS {
            questions.push(Question::new(&["-q", key, table], b""));
        }
        let keys = KEYS.join("\n");
        questions.push(Question::new(&["-q", "-", table], keys.as_bytes()));
        questions.push(Question::new(&["-fq", "-", table], keys.as_bytes()));
        questions.push(Question::new(&["-q-", "texthash:text", table], keys.as_bytes()));
    }
    bench.compare(&questions);
}

#[test]
fn what_is_wrong_is_said_as_postmap_says_it() {
    let Some(bench) = Bench::new() else { return };
    let commands = WRONG.iter().map(|words| {
        let words: Vec<_> = words.split('|').collect();
        Question::new(&words, b"a\n")
    });
    bench.compare(&commands.collect::<Vec<_>>());
    bench.compare(&[
        Question::new(&[], b""),
        Question::new(&["-q", "", "texthash:text"], b""),
        Question::new(&["-q", "", "pcre:{{/^$/ x}}"], b""),
        Question::new(&["-q", "-", "texthash:missing"], b""),
        Question::new(&["-q", "-", "texthash:text", "pcre:{{/./ x}}"], b"a\0b\n\xff\n\nk"),
        Question::new(&["-uq", "-", "pcre:{{/./ x}}"], b"a\n\xff\n"),
    ]);
}

#[test]
fn a_list_has_what_postmap_lists() {
    let Some(bench) = Bench::new() else { return };
    for table in ["texthash:text", "inline:{a=1,{ b = 2 3 },C=4}", "btree:plain", "hash:plain"] {
        if !table.starts_with("texthash") && !table.starts_with("inline") {
            let made = bench.run(&bench.postmap, &Question::new(&[table], b""));
            assert!(made.status.success(), "{made:?}");
        }
        let question = Question::new(&["-s", table], b"");
        let [ours, theirs] = bench.both(&question).map(|output| {
            let mut lines: Vec<_> = output.stdout.split(|&byte| byte == b'\n').collect();
            if !table.starts_with("btree:") {
                lines.sort_unstable();
            }
            (lines.join(&b'\n'), output.status.code())
        });
        assert_eq!(ours, theirs, "{table}");
    }
}

#[test]
fn headers_and_lines_of_mails_are_those_of_postmap() {
    let Some(bench) = Bench::new() else { return };
    let mut mails = corpus();
    if mails.is_empty() {
        eprintln!("skipped: the corpus of mime4j is not there");
    }
    mails.extend(MAILS.iter().map(|mail| mail.as_bytes().to_vec()));
    let mut questions = Vec::new();
    for mail in &mails {
        for options in ["-hmq", "-bmq", "-hbmq"] {
            questions.push(Question::new(&[options, "-", EVERYTHING], mail));
        }
        questions.push(Question::new(&["-hbq", "-", "pcre:rules", EVERYTHING], mail));
    }
    bench.compare(&questions);
}

#[test]
fn called_as_postmap_the_program_is_postmap_and_makes_no_database() {
    let Some(mailweir) = program::require() else { return };
    let directory = tempfile::tempdir().unwrap();
    let postmap = directory.path().join("postmap");
    std::os::unix::fs::symlink(mailweir, &postmap).unwrap();
    let run = |words: &[&str]| {
        let output = Command::new(&postmap).args(words).current_dir(&directory).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (text(&output.stdout), text(&output.stderr), output.status.code())
    };
    fs::write(directory.path().join("access"), "a OK\n").unwrap();
    assert_eq!(run(&["-q", "a", "access"]), ("OK\n".to_owned(), String::new(), Some(0)));
    let (printed, said, status) = run(&["access"]);
    assert_eq!((&*printed, status), ("", Some(1)));
    assert!(
        said.starts_with("postmap: fatal: hash:access: there is no database to make"),
        "{said}"
    );
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);
    assert!(run(&["--help"]).0.contains("-hmq"));
}

/// A directory with tables, and both programs.
struct Bench {
    directory: TempDir,
    mailweir: PathBuf,
    postmap: PathBuf,
}

struct Question {
    words: Vec<String>,
    input: Vec<u8>,
}

impl Question {
    fn new(words: &[&str], input: &[u8]) -> Self {
        Self { words: words.iter().map(|&word| word.to_owned()).collect(), input: input.to_vec() }
    }
}

impl Bench {
    /// `None`, after a line that says so, if one of the programs is not there.
    fn new() -> Option<Self> {
        if !tools::require(&["postmap"]) {
            return None;
        }
        let (mailweir, postmap) = (program::require()?, tools::find("postmap")?);
        let directory = tempfile::tempdir().unwrap();
        for (file, content) in FILES {
            let path = directory.path().join(file);
            fs::write(&path, content).unwrap();
            // Postfix reads a texthash: file that was just written again until it has cooled.
            let before = SystemTime::now() - Duration::from_hours(1);
            let aged = File::options().write(true).open(path);
            aged.and_then(|file| file.set_modified(before)).unwrap();
        }
        Some(Self { directory, mailweir, postmap })
    }

    /// postmap sleeps for a second before it ends with an error: many side by side.
    fn compare(&self, questions: &[Question]) {
        assert!(!questions.is_empty());
        thread::scope(|scope| {
            for part in questions.chunks(questions.len().div_ceil(SIDE_BY_SIDE)) {
                scope.spawn(move || part.iter().for_each(|question| self.compare_one(question)));
            }
        });
    }

    fn compare_one(&self, question: &Question) {
        let words = question.words.join(" ");
        let [ours, theirs] = self.both(question).map(|output| {
            let text = |bytes: &[u8]| bytes.escape_ascii().to_string().replace("\\n", "\n");
            (text(&output.stdout), text(&output.stderr), output.status.code())
        });
        assert!(
            ours == theirs,
            "postmap {words} < {}\nours:\n{ours:#?}\npostmap's:\n{theirs:#?}",
            question.input.escape_ascii()
        );
    }

    fn both(&self, question: &Question) -> [Output; 2] {
        [self.run(&self.mailweir, question), self.run(&self.postmap, question)]
    }

    fn run(&self, program: &Path, question: &Question) -> Output {
        let mut command = Command::new(program);
        if program == self.mailweir {
            command.arg("postmap");
        }
        command.arg("-c").arg(self.directory.path()).args(&question.words);
        command.current_dir(&self.directory);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        thread::scope(|scope| {
            // Who has nothing to ask does not read.
            scope.spawn(move || drop(stdin.write_all(&question.input)));
            child.wait_with_output().unwrap()
        })
    }
}

/// The mails of the public corpus beside the repository. Lines end with LF, since to postmap a CR
/// is part of the line.
fn corpus() -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/testdata/mime4j/core/src/test/resources");
    let folders = ["mimetools-testmsgs", "testmsgs"].map(|folder| root.join(folder));
    let files = folders.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten();
    let mails = files.map(|file| file.path());
    let mails = mails.filter(|path| path.extension().is_some_and(|end| end == "msg"));
    let mut mails: Vec<_> = mails.map(|path| fs::read(path).unwrap()).collect();
    mails.iter_mut().for_each(|mail| mail.retain(|&byte| byte != b'\r'));
    mails.sort_unstable();
    mails
}

const SIDE_BY_SIDE: usize = 8;

const EVERYTHING: &str = "regexp:{ {/^/ @@seen@@} }";

const FILES: [(&str, &str); 6] = [
    ("main.cf", "compatibility_level = 3.6\n"),
    (
        "text",
        "# comment\na b\nb c\nUser@Example.org  hello\n x  y\nempty\na dup\n\"q q\"@x z\nk: v\n\
         \u{d55c}\u{ae00} korean\n",
    ),
    ("plain", "a b\nUser@Example.org hello\nz y x\n"),
    (
        "rules",
        "/^subject:/ HOLD subject\n/^a(.*)$/ got $1\nbad\n/(/ x\nif /@/\n/^([^@]+)@(.*)$/ $2 $1\n\
         endif\n!/k/ REPLACE no k\n/(?<=k)l(?=m)/ around\n  goes on\n/(z)\\1/ twice\n",
    ),
    ("posix", "/^(a|b)+$/ posix $1\n/[[:digit:]]/ digit\nif !/x/\n/q/ no x\nendif\n/^user@/i as\n"),
    (
        "nets",
        "10.0.0.0/8 ten\n10.0.0.1/8 bad\n192.0.2.1 one\n2001:db8::/32 six\n!127.0.0.0/8 far\n",
    ),
];

const TABLES: [&str; 12] = [
    "texthash:text",
    "pcre:rules",
    "regexp:posix",
    "cidr:nets",
    "inline:{a=1, { b = 2 3 }, A=4, empty=}",
    "static:always",
    "static:{ two words }",
    "unionmap:{texthash:plain, static:s, inline:{a=u}}",
    "unionmap:{inline:{A=u}}",
    "pipemap:{texthash:plain, inline:{b=piped, hello=w}}",
    "pcre:{ {/^A$/ x}, {/(b?)/ $1} }",
    "randmap:{only}",
];

const KEYS: [&str; 16] = [
    "a",
    "A",
    "b",
    "empty",
    "user@example.org",
    "USER@example.ORG",
    "User@Example.org",
    "\"q q\"@x",
    "k:",
    "klm",
    "zz",
    "\u{d55c}\u{ae00}",
    "10.1.2.3",
    "192.0.2.1",
    "2001:db8::1",
    "Subject: hello",
];

/// Words are divided by `|`.
const WRONG: [&str; 28] = [
    "-q",
    "-q|a",
    "-c",
    "-Z",
    "-q|a|nosuch:t",
    "-q|a|texthash:missing",
    "-q|a|pcre:missing",
    "-q|a|cidr:missing",
    "-q|a|texthash:missing|static:x",
    "-q|a|static:x|texthash:missing",
    "-q|a|:x",
    "-q|a|x:",
    "-q|a|static:",
    "-q|a|static:{ x",
    "-q|a|unionmap:{a",
    "-q|a|inline:{}",
    "-q|a|fail:x",
    "-q|a|inline:{b=c}|fail:x",
    "-q|a|-s|texthash:text",
    "-s|-q|a|texthash:text",
    "-hq|a|texthash:text",
    "-h|texthash:text",
    "-mq|-|texthash:text",
    "-s",
    "-s|pcre:rules",
    "-s|cidr:nets",
    "-s|static:x",
    "-q|a|--|texthash:text",
];

const MAILS: [&str; 6] = [
    "",
    "\n",
    "Subject: x\n\nabody\n",
    "Subject : folded\n\tline\nno header\n\nbody",
    "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n\nSubject: in\n\
     \ninner\n--b--\nepilogue\n",
    "Subject: \u{d55c}\n\n\u{d55c}\n",
];
