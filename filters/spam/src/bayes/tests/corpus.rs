//! The goal itself, on real mail: at least 97 in 100 spam mails caught, at most 2 in 1,000 good mails taken for spam.
//!
//! The mail is not part of the repository: where it is not there, or cannot be unpacked, nothing is tested, and that is said.

use std::path::{Path, PathBuf};

use super::*;

#[test]
fn spam_is_caught_and_good_mail_is_not_lost() {
    let Some(archive) = unpacked() else { return skip() };
    let mails = mails(&archive);
    assert!(mails.len() > 2_000, "{} mails in the archive", mails.len());
    let (mut ham, mut wrong, mut spam, mut caught) = (0, 0, 0, 0);
    for fold in 0..FOLDS {
        let mut model = Model::new(Limits::default());
        for (_, class, tokens) in mails.iter().filter(|(number, ..)| number % FOLDS != fold) {
            model.learn(tokens, *class);
        }
        for (_, class, tokens) in mails.iter().filter(|(number, ..)| number % FOLDS == fold) {
            let is_caught = usize::from(model.judge(tokens).probability >= QUARANTINE);
            match class {
                Class::Ham => (ham, wrong) = (ham + 1, wrong + is_caught),
                Class::Spam => (spam, caught) = (spam + 1, caught + is_caught),
            }
        }
    }
    assert!(wrong * 1_000 <= ham * 2, "{wrong} of {ham} good mails are taken for spam");
    assert!(caught * 100 >= spam * 97, "{caught} of {spam} spam mails are caught");
}

/// All mails, with their numbers among those of their class.
fn mails(archive: &[u8]) -> Vec<(usize, Class, Tokens)> {
    let (mut ham, mut spam) = (0, 0);
    let mut mails = Vec::new();
    for (name, content) in files(archive) {
        let (class, number) = match name.split('/').find(|part| matches!(*part, "ham" | "spam")) {
            Some("ham") => (Class::Ham, &mut ham),
            Some(_) => (Class::Spam, &mut spam),
            None => continue,
        };
        mails.push((*number, class, of_mail(content)));
        *number += 1;
    }
    mails
}

/// The plain files of a tar archive (POSIX ustar), by name.
fn files(archive: &[u8]) -> Vec<(String, &[u8])> {
    let mut files = Vec::new();
    let mut rest = archive;
    while let Some((head, behind)) = rest.split_at_checked(512) {
        let text = |range: std::ops::Range<usize>| {
            let text = String::from_utf8_lossy(&head[range]).into_owned();
            text.trim_matches(['\0', ' ']).to_owned()
        };
        let size = usize::from_str_radix(&text(124..136), 8).unwrap_or(0);
        if matches!(head[156], b'0' | 0) && size > 0 {
            files.push((text(0..100), &behind[..size]));
        }
        rest = behind.get(size.next_multiple_of(512)..).unwrap_or_default();
    }
    files.sort_by(|one, other| one.0.cmp(&other.0));
    files
}

#[expect(clippy::disallowed_types, reason = "xz of the system unpacks; no crate here reads it")]
fn unpacked() -> Option<Vec<u8>> {
    let archive = archive()?;
    let mut xz = std::process::Command::new("xz");
    let output = xz.arg("-dc").arg(archive).output().ok()?;
    output.status.success().then_some(output.stdout)
}

#[expect(clippy::disallowed_methods, reason = "where the test data is")]
fn archive() -> Option<PathBuf> {
    let told = std::env::var_os("MAILWEIR_TESTDATA").map(PathBuf::from);
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let beside = above.map(|folder| folder.join("shared/testdata"));
    let folders = told.into_iter().chain(beside);
    folders.map(|folder| folder.join("spam/train.tar.xz")).find(|archive| archive.is_file())
}

#[expect(clippy::disallowed_macros, reason = "a test that is skipped says so")]
fn skip() {
    eprintln!("skipped: shared/testdata/spam/train.tar.xz is not there, or xz is not");
}

const FOLDS: usize = 5;

/// Where the documentation of `Opinion` suggests to quarantine.
const QUARANTINE: f64 = 0.95;
