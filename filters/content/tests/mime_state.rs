//! Our reading beside that of Postfix's own MIME engine, which Debian's package brings as a library:
//! classes of headers, offsets of body lines, troubles, all limits.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    reason = "a test, and one that asks Postfix's library through Python"
)]

mod mails;

use std::{
    fmt::Write as _,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
    thread,
};

use mailweir_content::mime::{HeaderClass, MimeLimits, MimeTrouble, Piece};
use mailweir_test_servers::tools;

use mails::Chance;

#[test]
fn every_piece_is_the_one_that_postfix_sees() {
    if !tools::require(&["python3"]) {
        return;
    }
    if !Path::new(LIBRARY).exists() {
        return tools::skip("Postfix's library is not installed");
    }
    let asked = questions();
    let answers = ask_postfix(&asked);
    assert_eq!(answers.len(), asked.len(), "Postfix answered for every mail");
    for ((mail, limits), theirs) in asked.iter().zip(&answers) {
        let ours = our_answer(mail, limits);
        let differs = ours.lines().zip(theirs.lines()).find(|(ours, theirs)| ours != theirs);
        assert!(ours == *theirs, "{differs:?}\n{limits:?}\n{}", mail.escape_ascii());
    }
}

fn questions() -> Vec<(Vec<u8>, MimeLimits)> {
    let corpus = mails::corpus().into_iter().map(|(_, mail)| mail);
    let mails = corpus.chain((0..MADE).map(mails::odd_mail));
    mails.zip(0..).map(|(mail, seed)| (line_ends(mail, seed), limits(seed))).collect()
}

/// Every other mail with the line ends of SMTP.
fn line_ends(mail: Vec<u8>, seed: u64) -> Vec<u8> {
    if seed.is_multiple_of(2) {
        return mail;
    }
    let ended = |line: &[u8]| match line.strip_suffix(b"\n") {
        Some(line) => [line, b"\r\n"].concat(),
        None => line.to_vec(),
    };
    mail.split_inclusive(|&byte| byte == b'\n').flat_map(ended).collect()
}

/// The limits of Postfix, or some that are met often.
fn limits(seed: u64) -> MimeLimits {
    let chance = &mut Chance(seed ^ 0x5eed);
    let mut limits = MimeLimits { mailbox_lines: false, ..MimeLimits::default() };
    if chance.below(2) == 0 {
        return limits;
    }
    limits.header_size = 1 + chance.below(100);
    limits.line_length = 1 + chance.below(90);
    limits.nesting = chance.below(4);
    limits.boundary_length = chance.below(4);
    limits.mime = chance.below(8) != 0;
    limits
}

fn ask_postfix(asked: &[(Vec<u8>, MimeLimits)]) -> Vec<String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mime_state.py");
    let mut python = Command::new("python3")
        .args([script.as_os_str(), LIBRARY.as_ref()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut question = python.stdin.take().unwrap();
    let output = thread::scope(|scope| {
        scope.spawn(move || {
            for (mail, limits) in asked {
                let MimeLimits { header_size, line_length, nesting, boundary_length, mime, .. } =
                    limits;
                let (length, mime) = (mail.len(), u8::from(*mime));
                writeln!(
                    question,
                    "{length} {header_size} {line_length} {nesting} {boundary_length} {mime}"
                )
                .unwrap();
                question.write_all(mail).unwrap();
            }
        });
        python.wait_with_output().unwrap()
    });
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    let mut answers = vec![String::new()];
    for line in said.lines() {
        let answer = answers.last_mut().unwrap();
        *answer = format!("{answer}{line}\n");
        if line.starts_with('T') {
            answers.push(String::new());
        }
    }
    answers.pop();
    answers
}

/// What we see, in the words of `mime_state.py`.
fn our_answer(mail: &[u8], limits: &MimeLimits) -> String {
    let mut said = String::new();
    let mut lacks_empty_line = false;
    let largest = [1, 7, 100, 100_000][mail.len() % 4];
    let mut show = |piece: Piece<'_>| {
        if lacks_empty_line {
            // Postfix puts one there.
            said += "B 0 \n";
        }
        lacks_empty_line = piece == Piece::HeaderEnd(b"");
        match piece {
            Piece::Header { class, text, .. } => {
                let class = match class {
                    HeaderClass::Primary => 1,
                    HeaderClass::Mime => 2,
                    HeaderClass::Nested => 3,
                };
                writeln!(said, "H {class} {}", hex(text)).unwrap();
            }
            Piece::HeaderRest(_) => {}
            Piece::HeaderEnd(b"") => said += "E\n",
            Piece::HeaderEnd(_) => said += "E\nB 0 \n",
            Piece::Body { text, offset, .. } => writeln!(said, "B {offset} {}", hex(text)).unwrap(),
            Piece::Unseen(_) => said += "B 0 \n",
        }
    };
    let MimeTrouble { nesting, header_cut, encoding_domain, .. } =
        mails::read(mail, limits, largest, &mut show);
    let flags = u8::from(nesting) | u8::from(header_cut) << 1 | u8::from(encoding_domain) << 4;
    said + &format!("T {flags}\n")
}

fn hex(text: &[u8]) -> String {
    text.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

const LIBRARY: &str = "/usr/lib/postfix/libpostfix-global.so";
const MADE: u64 = 5_000;
