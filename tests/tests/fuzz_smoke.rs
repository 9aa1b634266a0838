//! A short run of every fuzz target: the kept corpus (`tests/fuzz/corpus/<target>`), and changed
//! copies of it, always the same ones. A long run needs `cargo fuzz` (`tests/fuzz/Cargo.toml`).
//!
//! A finding is written as hex to `target/tmp/fuzz/`; the message says where. Turn it back into
//! bytes with `xxd -r -p` and keep it in the corpus, so that it is tried for ever.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

use std::{
    fmt::Write as _,
    fs,
    panic::{self, AssertUnwindSafe},
    path::{Path, PathBuf},
};

use mailweir_tests::{
    dialog::{Dialog, Event},
    fuzz_address, fuzz_archive, fuzz_client, fuzz_config, fuzz_decode, fuzz_extract, fuzz_milter,
    fuzz_pair, fuzz_policy, fuzz_queue, fuzz_scanners, fuzz_search, fuzz_server,
};

#[test]
fn address() {
    smoke("address", fuzz_address::address, 40_000);
}

#[test]
fn archive_manifest() {
    smoke("archive_manifest", fuzz_archive::archive_manifest, 5_000);
}

#[test]
fn archive_segment() {
    smoke("archive_segment", fuzz_archive::archive_segment, 3_000);
}

#[test]
fn client_reply_bytes() {
    smoke("client_reply_bytes", fuzz_client::client_reply_bytes, 30_000);
}

#[test]
fn command_round_trip() {
    smoke("command_round_trip", fuzz_pair::command_round_trip, 10_000);
}

#[test]
fn config() {
    smoke("config", fuzz_config::config, 2_000);
}

#[test]
fn content_round_trip() {
    smoke("content_round_trip", fuzz_client::content_round_trip, 20_000);
}

#[test]
fn decode() {
    smoke("decode", fuzz_decode::decode, 5_000);
}

#[test]
fn extract() {
    smoke("extract", fuzz_extract::extract_document, 20_000);
}

#[test]
fn mailbox() {
    smoke("mailbox", fuzz_archive::mailbox, 5_000);
}

#[test]
fn milter_client_bytes() {
    smoke("milter_client_bytes", fuzz_milter::milter_client_bytes, 20_000);
}

#[test]
fn milter_server_bytes() {
    smoke("milter_server_bytes", fuzz_milter::milter_server_bytes, 20_000);
}

#[test]
fn policy_request() {
    smoke("policy_request", fuzz_policy::policy_request, 40_000);
}

#[test]
fn proxy_header() {
    smoke("proxy_header", fuzz_server::proxy_header, 60_000);
}

#[test]
fn queue_commands() {
    smoke("queue_commands", fuzz_queue::queue_commands, 30_000);
}

#[test]
fn reply_round_trip() {
    smoke("reply_round_trip", fuzz_pair::reply_round_trip, 20_000);
}

#[test]
fn scanner_answer() {
    smoke("scanner_answer", fuzz_scanners::scanner_answer, 40_000);
}

#[test]
fn search_query() {
    smoke("search_query", fuzz_search::search_query, 20_000);
}

#[test]
fn smtp_pair() {
    smoke("smtp_pair", fuzz_pair::smtp_pair, 15_000);
}

#[test]
fn smtp_server_bytes() {
    let mut seeds = corpus("smtp_server_bytes");
    seeds.extend(dialogs());
    run("smtp_server_bytes", fuzz_server::smtp_server_bytes, &seeds, 15_000);
}

#[test]
fn smtp_server_commands() {
    smoke("smtp_server_commands", fuzz_server::smtp_server_commands, 15_000);
}

#[test]
fn stored_record() {
    smoke("stored_record", fuzz_queue::stored_record, 60_000);
}

#[test]
fn every_target_has_a_corpus_a_stub_and_a_smoke_test() {
    let manifest = fs::read_to_string(fuzz_folder().join("Cargo.toml")).unwrap();
    let own = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz_smoke.rs"));
    let own = own.unwrap();
    for target in names(&fuzz_folder().join("fuzz_targets")) {
        let target = target.strip_suffix(".rs").unwrap();
        assert!(manifest.contains(&format!("name = \"{target}\"")), "{target} is no binary");
        assert!(own.contains(&format!("fn {target}()")), "{target} has no smoke test");
        assert!(!corpus(target).is_empty());
    }
    let stubs = names(&fuzz_folder().join("fuzz_targets")).len();
    assert_eq!(names(&fuzz_folder().join("corpus")).len(), stubs, "corpora and stubs");
}

fn smoke(target: &str, body: fn(&[u8]), mutations: u32) {
    run(target, body, &corpus(target), mutations);
}

/// Tries each seed, changed copies of the seeds, and some noise.
fn run(target: &str, body: fn(&[u8]), seeds: &[Vec<u8>], mutations: u32) {
    seeds.iter().for_each(|seed| attempt(target, body, seed));
    let mut random = Random(0x6d61_696c_7765_6972);
    for number in 0..mutations {
        let input = match number % 8 {
            0 => random.bytes(120),
            _ => random.mutated(seeds),
        };
        attempt(target, body, &input);
    }
}

fn attempt(target: &str, body: fn(&[u8]), input: &[u8]) {
    let caught = panic::catch_unwind(AssertUnwindSafe(|| body(input)));
    if let Err(cause) = caught {
        eprintln!("{target}: the input is in {}", keep(target, input).display());
        panic::resume_unwind(cause);
    }
}

/// Writes a finding down.
fn keep(target: &str, input: &[u8]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz");
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join(format!("{target}.hex"));
    let mut hex = String::new();
    for line in input.chunks(32) {
        line.iter().for_each(|byte| write!(hex, "{byte:02x}").unwrap());
        hex.push('\n');
    }
    fs::write(&path, hex).unwrap();
    path
}

fn fuzz_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|_| panic!("no {}", folder.display()));
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = fuzz_folder().join("corpus").join(target);
    let seeds = names(&folder).into_iter().map(|name| fs::read(folder.join(name)).unwrap());
    seeds.collect()
}

/// What the client says in each dialog that is short, behind the choice of a listener.
fn dialogs() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("dialogs");
    let said = |name: &String| {
        let dialog = Dialog::parse(&fs::read_to_string(folder.join(name)).unwrap()).unwrap();
        let sends = dialog.events.into_iter().filter_map(|(_, event)| match event {
            Event::Send { bytes, .. } => Some(bytes),
            _ => None,
        });
        let kind = u8::try_from(name.len()).unwrap_or(0);
        let head = vec![kind.wrapping_mul(37), kind, 7];
        std::iter::once(head).chain(sends).flatten().collect::<Vec<u8>>()
    };
    names(&folder).iter().map(said).filter(|said| said.len() < 2_000).collect()
}

/// xorshift64: the same numbers every time.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit.max(1)).unwrap()).unwrap()
    }

    fn byte(&mut self) -> u8 {
        self.next().to_be_bytes()[3]
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        let length = self.below(most);
        (0..length).map(|_| self.byte()).collect()
    }

    /// A seed with a few changes.
    fn mutated(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut input = seeds[self.below(seeds.len())].clone();
        for _ in 0..=self.below(4) {
            self.change(&mut input, seeds);
        }
        input
    }

    fn change(&mut self, input: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        let at = self.below(input.len() + 1);
        let there = at < input.len();
        match self.below(7) {
            0 if there => input[at] = self.byte(),
            1 if there => input[at] ^= 1 << self.below(8),
            2 if there => drop(input.remove(at)),
            3 => input.truncate(at),
            4 => {
                let length = self.below(input.len() - at + 1).min(64);
                let piece = input[at..at + length].to_vec();
                input.splice(at..at, piece);
            }
            5 => {
                let other = &seeds[self.below(seeds.len())];
                let from = self.below(other.len() + 1);
                input.truncate(at);
                input.extend_from_slice(&other[from..]);
            }
            _ => {
                let token = TOKENS[self.below(TOKENS.len())];
                input.splice(at..at, token.iter().copied());
            }
        }
        input.truncate(MOST);
    }
}

/// What stands at the edges of protocols and records.
const TOKENS: [&[u8]; 16] = [
    b"\r\n",
    b"\n",
    b"\r",
    b".",
    b"\r\n.\r\n",
    b"\0",
    b"\xff\xff\xff\xff",
    b"\x7f",
    b" ",
    b"-",
    b"<>@:",
    b"[",
    b"\"",
    b"99999999999999999999",
    b"\xc3\xbc",
    b"\x80",
];

/// Inputs do not grow for ever.
const MOST: usize = 8_000;
