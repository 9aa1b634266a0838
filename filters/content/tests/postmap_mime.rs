//! Our reading beside that of the tool an administrator tests rules with: `postmap -hmq -` and
//! `postmap -bmq -`, with a table that matches everything.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    reason = "a test, and one that runs postmap with a configuration of its own"
)]

mod mails;

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
};

use mailweir_content::mime::{MimeLimits, Piece};
use mailweir_test_servers::tools;

/// What `postmap` is asked to show.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keys {
    Headers,
    Body,
}

#[test]
fn postmap_sees_the_same_lines_in_the_corpus() {
    let corpus = mails::corpus();
    if corpus.is_empty() {
        return;
    }
    compare(
        corpus.into_iter().map(|(path, mail)| (path.display().to_string(), mail)).collect(),
        &POSTFIX_LIMITS,
    );
}

#[test]
fn postmap_sees_the_same_lines_in_odd_mails() {
    compare(made(0..MADE), &POSTFIX_LIMITS);
}

#[test]
fn postmap_sees_the_same_lines_where_limits_are_met() {
    let limits = MimeLimits { header_size: 40, nesting: 1, boundary_length: 2, ..POSTFIX_LIMITS };
    compare(made(MADE..MADE + MADE / 4), &limits);
}

fn made(seeds: std::ops::Range<u64>) -> Vec<(String, Vec<u8>)> {
    seeds.map(|seed| (format!("mail {seed}"), mails::odd_mail(seed))).collect()
}

fn compare(mut mails: Vec<(String, Vec<u8>)>, limits: &MimeLimits) {
    if !tools::require(&["postmap"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let MimeLimits { header_size, nesting, boundary_length, .. } = limits;
    let main_cf = format!(
        "compatibility_level = 3.6\nheader_size_limit = {header_size}\nmime_nesting_limit = {nesting}\n\
         mime_boundary_length_limit = {boundary_length}\n"
    );
    fs::write(folder.path().join("main.cf"), main_cf).unwrap();
    // What stands before LF is a matter of SMTP: postmap reads files.
    mails.iter_mut().for_each(|(_, mail)| mail.retain(|&byte| byte != b'\r'));
    let half = mails.len() / 2;
    thread::scope(|scope| {
        for mails in [&mails[..half], &mails[half..]] {
            let folder = folder.path();
            scope.spawn(move || {
                for (name, mail) in mails {
                    for keys in [Keys::Headers, Keys::Body] {
                        let (ours, theirs) =
                            (our_keys(mail, limits, keys), postmap(mail, folder, keys));
                        assert!(
                            ours == theirs,
                            "{name}: {}\nwe see:\n{}\npostmap sees:\n{}",
                            mail.escape_ascii(),
                            ours.escape_ascii(),
                            theirs.escape_ascii()
                        );
                    }
                }
            });
        }
    });
}

/// Each line that is looked up, followed by what the table says of all of them.
fn our_keys(mail: &[u8], limits: &MimeLimits, keys: Keys) -> Vec<u8> {
    let mut seen = Vec::new();
    let mut lacks_empty_line = false;
    let mut see = |text: &[u8]| seen.extend([text, FOUND].concat());
    mails::read(mail, limits, 50, &mut |piece| {
        // Postfix puts an empty line where the one after the header is missing. It also looks empty
        // lines up here, which the checks do not.
        if lacks_empty_line && keys == Keys::Body {
            see(b"");
        }
        lacks_empty_line = piece == Piece::HeaderEnd(b"");
        match (piece, keys) {
            (Piece::Header { text, .. }, Keys::Headers)
            | (Piece::Body { text, .. }, Keys::Body) => see(text),
            (Piece::HeaderEnd(raw) | Piece::Unseen(raw), Keys::Body) if !raw.is_empty() => see(b""),
            _ => {}
        }
    });
    seen
}

fn postmap(mail: &[u8], folder: &Path, keys: Keys) -> Vec<u8> {
    let program = tools::find("postmap").unwrap_or_else(|| PathBuf::from("postmap"));
    let mut postmap = Command::new(program)
        .arg("-c")
        .arg(folder)
        .arg(if keys == Keys::Headers { "-hmq" } else { "-bmq" })
        .args(["-", "regexp:{ {/^/ @@seen@@} }"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut question = postmap.stdin.take().unwrap();
    let output = thread::scope(|scope| {
        scope.spawn(move || question.write_all(mail).unwrap());
        postmap.wait_with_output().unwrap()
    });
    assert!(output.stderr.is_empty(), "{output:?}");
    output.stdout
}

const FOUND: &[u8] = b"\t@@seen@@\n";
const MADE: u64 = 500;
/// postmap reads lines of any length, and knows nothing of smtpd's mailbox lines.
const POSTFIX_LIMITS: MimeLimits = MimeLimits {
    header_size: 102_400,
    line_length: usize::MAX,
    nesting: 100,
    boundary_length: 2_048,
    mime: true,
    mailbox_lines: false,
};
