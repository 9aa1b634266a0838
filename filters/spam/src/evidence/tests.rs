mod attachments;
mod corpus;
mod headers;
mod markup;
mod texts;

use crate::symbols::{Finding, Symbol};

/// The symbols of findings, in the order of the list of symbols.
fn symbols(found: &[Finding]) -> Vec<Symbol> {
    let mut symbols: Vec<Symbol> = found.iter().map(Finding::symbol).collect();
    symbols.sort_unstable();
    symbols
}
