//! The text part: complete by itself. Lines are not wrapped: the screen of the reader does that.

use super::document::{Block, Document, Fact, Link, Value};

/// The document as text, with CRLF.
pub(super) fn render(document: &Document) -> String {
    let mut lines = vec![format!("[{}] {}", document.tag, document.opening), String::new()];
    for block in &document.blocks {
        self::block(block, document.colon, &mut lines);
        lines.push(String::new());
    }
    lines.push("-- ".to_owned());
    lines.extend(document.footer.iter().cloned());
    lines.push(String::new());
    lines.join("\r\n")
}

fn block(block: &Block, colon: &str, lines: &mut Vec<String>) {
    match block {
        Block::Note(sentence) => lines.push(sentence.clone()),
        Block::Facts(facts) | Block::Details(facts) => {
            facts.iter().for_each(|one| fact(one, colon, lines))
        }
        Block::Quote { label, lines: quoted } => {
            lines.push(format!("{label}{}", colon.trim_end_matches(' ')));
            lines.extend(quoted.iter().map(|line| format!("| {line}").trim_end().to_owned()));
        }
        Block::Entry { heading, facts, link } => {
            lines.push(format!("* {heading}"));
            facts.iter().for_each(|one| fact(one, colon, lines));
            link.iter().for_each(|one| self::link(one, colon, lines));
        }
        // Their addresses come next.
        Block::Buttons(_) => {
            lines.pop();
        }
        Block::Links { links, .. } => links.iter().for_each(|one| link(one, colon, lines)),
    }
}

fn fact(fact: &Fact, colon: &str, lines: &mut Vec<String>) {
    match fact.values.as_slice() {
        [one] => lines.push(format!("{}{colon}{}", fact.label, value(one))),
        several => {
            lines.push(format!("{}{}", fact.label, colon.trim_end_matches(' ')));
            lines.extend(several.iter().map(|one| format!("  - {}", value(one))));
        }
    }
}

fn value(value: &Value) -> String {
    value.marks.iter().fold(value.text.clone(), |text, mark| format!("{text} [{mark}]"))
}

/// The address alone on its line, so that every program finds where it ends.
fn link(link: &Link, colon: &str, lines: &mut Vec<String>) {
    lines.push(format!("{}{}", link.text, colon.trim_end_matches(' ')));
    lines.push(link.url.clone());
}
