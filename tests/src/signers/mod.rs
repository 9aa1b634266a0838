//! Who signs and verifies mail by DKIM: we, the real opendkim and dkimpy, each in the same way; and random
//! mails and keys for all of them.
//!
//! A mail is bytes with CRLF. Files and processes are of one call each, and end with it.

mod damage;
mod dkimpy;
mod keys;
mod mails;
mod opendkim;
mod ours;
mod published;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

pub use self::{
    damage::changed,
    dkimpy::Dkimpy,
    keys::{DOMAIN, PrivateKey},
    mails::{Census, Mails},
    opendkim::{OpenDkim, without_fold_before_signature},
    ours::Ours,
    published::Published,
};

/// How a mail is to be signed.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    /// Of header and body (`c=`).
    pub canonical: &'static str,
    /// Whether the length of the body is told (`l=`).
    pub has_length: bool,
}

impl Form {
    /// All that there are.
    pub const ALL: [Self; 8] = [
        Self { canonical: "simple/simple", has_length: false },
        Self { canonical: "simple/simple", has_length: true },
        Self { canonical: "simple/relaxed", has_length: false },
        Self { canonical: "simple/relaxed", has_length: true },
        Self { canonical: "relaxed/simple", has_length: false },
        Self { canonical: "relaxed/simple", has_length: true },
        Self { canonical: "relaxed/relaxed", has_length: false },
        Self { canonical: "relaxed/relaxed", has_length: true },
    ];

    /// Whether the header is signed byte for byte.
    #[must_use]
    pub fn has_simple_header(&self) -> bool {
        self.canonical.starts_with("simple/")
    }
}

/// What a verifier says of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A signature holds.
    Taken,
    /// None does; why, in its words.
    Refused(String),
    /// It cannot be asked about this one.
    NotAsked,
}

/// Files of these contents, with their names in the same order.
fn write_all(place: &Path, mails: &[Vec<u8>]) -> Vec<String> {
    let write = |(number, mail): (usize, &Vec<u8>)| {
        let name = format!("{number}.eml");
        fs::write(place.join(&name), mail).unwrap();
        name
    };
    mails.iter().enumerate().map(write).collect()
}

/// Runs a program in a directory, and ends it if it takes far too long.
fn run(program: PathBuf, place: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new("timeout");
    command.args(["--kill-after=5", MOST_SECONDS]).arg(program).args(arguments);
    command.current_dir(place).output().unwrap()
}

const MOST_SECONDS: &str = "90";
