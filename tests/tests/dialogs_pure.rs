//! All dialogs of `tests/dialogs`, had with the pure session, divided in every way.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

use std::{fs, path::PathBuf};

use mailweir_tests::{
    dialog::{Dialog, Event},
    rig::{self, Division},
};

#[test]
fn every_dialog_goes_as_written_however_packets_are_divided() {
    let mut failures = Vec::new();
    // Rules of an administrator are not a session's business.
    for (name, dialog) in dialogs().filter(|(_, dialog)| dialog.config.is_empty()) {
        let failed = divisions(&dialog).find_map(|division| rig::run(&dialog, division).err());
        failures.extend(failed.map(|error| format!("{name} ({})\n  {error}", dialog.title)));
    }
    assert!(failures.is_empty(), "{}\n{} failed", failures.join("\n\n"), failures.len());
}

#[test]
fn there_is_a_dialog_for_every_row_of_the_list_that_a_session_answers_for() {
    let titles: Vec<String> = dialogs().map(|(_, dialog)| dialog.title).collect();
    let rows = (1..=20)
        .map(|row| format!("A{row}"))
        .chain(["B1", "B3", "C4", "C5", "D1", "D2", "D3", "D4"].map(str::to_owned));
    let is_named = |title: &String, row: &str| title.split([' ', ',']).any(|word| word == row);
    let missing: Vec<String> =
        rows.filter(|row| !titles.iter().any(|title| is_named(title, row))).collect();
    assert!(missing.is_empty(), "no dialog for {missing:?}");
}

/// The whole packets, single bytes, and a cut at every place of the longest packet that is short
/// enough to be worth it.
fn divisions(dialog: &Dialog) -> impl Iterator<Item = Division> {
    let lengths = dialog.events.iter().filter_map(|(_, event)| match event {
        Event::Send { bytes, .. } => Some(bytes.len()),
        _ => None,
    });
    let longest = lengths.max().unwrap_or(0).min(LONGEST_CUT);
    [Division::Whole, Division::Bytes].into_iter().chain((1..longest).map(Division::After))
}

fn dialogs() -> impl Iterator<Item = (String, Dialog)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("dialogs");
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().filter(|path| path.extension().is_some_and(|end| end == "smtp")).map(|path| {
        let text = fs::read_to_string(&path).unwrap();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let dialog = Dialog::parse(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        (name, dialog)
    })
}

const LONGEST_CUT: usize = 200;
