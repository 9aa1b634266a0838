mod attachments;
mod headers;
mod markup;
mod texts;

use mailweir_content::decode::charset::Fallbacks;

use crate::{
    reading::{Limits, Listener, read},
    symbols::{Finding, Symbol},
};

/// Reads a mail of one part.
fn hear(content_type: &str, body: &str, listener: &mut dyn Listener) {
    let mail = format!("Content-Type: {content_type}\r\n\r\n{body}");
    read(mail.as_bytes(), Limits::default(), Fallbacks::default(), listener);
}

/// The symbols of findings, in the order of the list of symbols.
fn symbols(found: &[Finding]) -> Vec<Symbol> {
    let mut symbols: Vec<Symbol> = found.iter().map(Finding::symbol).collect();
    symbols.sort_unstable();
    symbols
}
