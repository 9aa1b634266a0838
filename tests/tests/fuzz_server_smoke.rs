//! A short run of the fuzz targets of the receiving side: chosen and random inputs, always the
//! same ones.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

use std::{fs, path::PathBuf};

use mailweir_tests::{
    dialog::{Dialog, Event},
    fuzz_server::{proxy_header, smtp_server_bytes, smtp_server_commands},
};

#[test]
fn no_random_bytes_break_the_session() {
    let mut random = Random(0x6d61_696c);
    for _ in 0..10_000 {
        let input = random.bytes(120);
        smtp_server_bytes(&input);
        smtp_server_commands(&input);
        proxy_header(&input);
    }
}

#[test]
fn no_changed_dialog_breaks_the_session() {
    let mut random = Random(0x7765_6972);
    for sent in dialogs() {
        for _ in 0..20 {
            let mut input = random.bytes(3);
            input.resize(3, 0);
            input.extend_from_slice(&sent);
            for _ in 0..random.below(4) {
                let at = 3 + random.below(sent.len());
                input[at] = b"\r\n. <>@\0A9"[random.below(10)];
            }
            smtp_server_bytes(&input);
        }
    }
}

/// What the client says in each dialog, as far as it is short.
fn dialogs() -> impl Iterator<Item = Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("dialogs");
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().map(|path| said(&path)).filter(|said| (1..3000).contains(&said.len()))
}

fn said(path: &std::path::Path) -> Vec<u8> {
    let dialog = Dialog::parse(&fs::read_to_string(path).unwrap()).unwrap();
    let sends = dialog.events.into_iter().filter_map(|(_, event)| match event {
        Event::Send { bytes, .. } => Some(bytes),
        _ => None,
    });
    sends.flatten().collect()
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
        usize::try_from(self.next() % u64::try_from(limit).unwrap()).unwrap()
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        let length = self.below(most);
        (0..length).map(|_| self.next().to_be_bytes()[3]).collect()
    }
}
