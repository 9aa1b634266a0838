//! Every symbol has a producer: one that nothing makes would be a promise in a file of weights that nobody keeps.

use std::{collections::BTreeSet, path::Path};

use super::*;

/// Who makes a symbol.
#[derive(Debug, PartialEq, Eq)]
enum Maker {
    /// This module, of results of checks.
    Findings,
    /// [`crate::evidence`], of what the mail shows by itself.
    Evidence,
}

fn maker(symbol: Symbol) -> Maker {
    // From the first field that a sender writes to the last attachment; the classifier stands behind them.
    let is_shown = (Symbol::FromNameSpoofsUser..=Symbol::Macros).contains(&symbol);
    if is_shown { Maker::Evidence } else { Maker::Findings }
}

#[test]
fn every_symbol_of_a_check_is_made() {
    let made: BTreeSet<Symbol> = [lists(), connection(), judges(), authentication::all()]
        .iter()
        .flatten()
        .map(Finding::symbol)
        .collect();
    let expected: BTreeSet<Symbol> =
        Symbol::ALL.iter().copied().filter(|symbol| maker(*symbol) == Maker::Findings).collect();
    assert_eq!(made, expected);
}

#[test]
fn every_symbol_that_a_mail_shows_by_itself_is_made_by_a_source_of_evidence() {
    let mut sources = String::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/evidence"), &mut sources);
    for symbol in Symbol::ALL.iter().filter(|symbol| maker(**symbol) == Maker::Evidence) {
        let made = format!("Symbol::{symbol:?}");
        let is_made = sources.match_indices(&made).any(|(at, _)| {
            let behind = &sources[at + made.len()..];
            !behind.starts_with(|next: char| next.is_ascii_alphanumeric())
        });
        assert!(is_made, "nothing in src/evidence makes {symbol}");
    }
}

/// The sources below a folder, without tests.
#[expect(clippy::disallowed_methods, reason = "the sources of this crate are what is looked at")]
fn read(folder: &Path, sources: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.file_name().unwrap().to_str().unwrap() {
            "tests" | "tests.rs" => {}
            _ if path.is_dir() => read(&path, sources),
            _ => *sources += &String::from_utf8(std::fs::read(&path).unwrap()).unwrap(),
        }
    }
}
