//! What attachments are found to be, and to hold. `archives` writes them.

mod archives;
mod bombs;
mod kinds;
mod names;
mod random;
mod tar;
mod zip;

use super::{Budget, Finding, Inspector, Limits};
use crate::decode::charset::Fallbacks;

/// What was found in one attachment, in words: `name a.zip!b.exe`, `type a.zip application/zip`,
/// `limit a.zip Depth`.
fn findings(bytes: &[u8]) -> Vec<String> {
    findings_within(Limits::default(), bytes)
}

fn findings_within(limits: Limits, bytes: &[u8]) -> Vec<String> {
    let (mut budget, mut inspector) =
        (Budget::new(limits, Fallbacks::default()), Inspector::default());
    let mut all = Vec::new();
    let mut note = |finding: Finding<'_>| all.push(in_words(&finding));
    inspector.feed(bytes, &mut budget, &mut note);
    inspector.finish(&mut budget, &mut note);
    all
}

fn in_words(finding: &Finding<'_>) -> String {
    match finding {
        Finding::Name { name, path } => {
            let mut way = path.to_vec();
            way.push((*name).to_owned());
            format!("name {}", way.join("!"))
        }
        Finding::Type { kind, path } => format!("type {} {}", path.join("!"), kind.mime_type()),
        Finding::Limit { limit, path } => format!("limit {} {limit:?}", path.join("!")),
    }
}

/// The types of the attachment itself.
fn types(bytes: &[u8]) -> Vec<String> {
    let all = findings(bytes);
    all.iter().filter_map(|words| words.strip_prefix("type  ")).map(str::to_owned).collect()
}

#[track_caller]
fn assert_finds(bytes: &[u8], expected: &[&str]) {
    let all = findings(bytes);
    for words in expected {
        assert!(all.iter().any(|found| found == words), "no {words:?} in {all:#?}");
    }
}

#[track_caller]
fn assert_finds_no(bytes: &[u8], unexpected: &str) {
    let all = findings(bytes);
    assert!(!all.iter().any(|found| found.contains(unexpected)), "{unexpected:?} in {all:#?}");
}
