//! A score as people read it: a field of the header, a line of the log, rows of a page.
//!
//! What is shown first is what contributes most. Evidence is printable and on one line already ([`Finding`]); here
//! it is put between quotes, and for the header made ASCII, so that nothing in it can end a field, a line or a quote.

use super::{Contribution, Points, Score, Symbol};

/// One row of the explanation, as a page or a program shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row<'s> {
    /// What it adds.
    pub points: Points,
    /// What it would add without the limit of its group, if that is more.
    pub unlimited: Option<Points>,
    /// What was noticed.
    pub symbol: Symbol,
    /// What that means.
    pub description: &'s str,
    /// What was seen; may be empty. Printable text of strangers on one line: whoever puts it into HTML escapes it.
    pub evidence: &'s str,
}

impl Score {
    /// The value of a header field, `4.2; SPF_FAIL 2.0 "..."; ...`, folded with CRLF and a blank so that no line is
    /// longer than 78 characters where that is possible (RFC 5322 section 2.1.1). ASCII, of at most some 4 kB.
    #[must_use]
    pub fn header_value(&self) -> String {
        let mut value = Folded::beginning_with(self.total().to_string());
        for each in self.contributions().iter().take(MOST_IN_HEADER) {
            value.add(&item(each));
        }
        if self.contributions().len() > MOST_IN_HEADER {
            value.add("...");
        }
        value.text
    }

    /// One line for the log: `score=4.2 SPF_FAIL=2.0 "..." ...`, in UTF-8, of what counts at all.
    #[must_use]
    pub fn log_line(&self) -> String {
        let mut line = format!("score={}", self.total());
        let mut counted = self.contributions().iter().filter(|each| each.unlimited != Points::ZERO);
        for each in counted.by_ref().take(MOST_IN_LOG) {
            line.push_str(&format!(" {}={}", each.finding.symbol(), each.points));
            if !each.finding.evidence().is_empty() {
                line.push_str(&format!(" {}", quoted(each.finding.evidence())));
            }
        }
        match counted.count() {
            0 => {}
            more => line.push_str(&format!(" and {more} more")),
        }
        line
    }

    /// All rows, what contributes most first.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.contributions().iter().map(|each| Row {
            points: each.points,
            unlimited: (each.unlimited != each.points).then_some(each.unlimited),
            symbol: each.finding.symbol(),
            description: &each.description,
            evidence: each.finding.evidence(),
        })
    }
}

/// The value of a field in lines, each item on lines of its own.
struct Folded {
    text: String,
}

impl Folded {
    const fn beginning_with(text: String) -> Self {
        Self { text }
    }

    fn add(&mut self, item: &str) {
        self.text.push_str(";\r\n\t");
        let mut column = TAB;
        for (nth, word) in item.split(' ').flat_map(pieces).enumerate() {
            if nth > 0 && column + 1 + word.len() > LONGEST_LINE {
                self.text.push_str("\r\n\t");
                column = TAB;
            } else if nth > 0 {
                self.text.push(' ');
                column += 1;
            }
            self.text.push_str(word);
            column += word.len();
        }
    }
}

/// A word that is too long for a line, in pieces that are not. It is ASCII.
fn pieces(word: &str) -> impl Iterator<Item = &str> {
    let mut rest = word;
    std::iter::from_fn(move || {
        let (piece, more) = rest.split_at_checked(rest.floor_char_boundary(LONGEST_LINE - TAB))?;
        rest = more;
        (!piece.is_empty()).then_some(piece)
    })
}

fn item(each: &Contribution) -> String {
    let (symbol, points) = (each.finding.symbol(), each.points);
    match each.finding.evidence() {
        "" => format!("{symbol} {points}"),
        evidence => format!("{symbol} {points} {}", quoted_ascii(evidence)),
    }
}

/// Between quotes, with no quote inside: there is nothing that a reader would have to unescape.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "'"))
}

fn quoted_ascii(text: &str) -> String {
    let escaped = |character: char| match character {
        '\u{2026}' => "...".to_owned(),
        other if other.is_ascii() => other.to_string(),
        other => other.escape_unicode().collect(),
    };
    quoted(&text.chars().map(escaped).collect::<String>())
}

/// Characters of a header line without its end (RFC 5322 section 2.1.1: should).
const LONGEST_LINE: usize = 78;
/// As some programs count a tab, and no less than any does.
const TAB: usize = 8;
/// Contributions in a header. Beyond them the log has the rest.
const MOST_IN_HEADER: usize = 20;
/// Contributions on a line of the log.
const MOST_IN_LOG: usize = 40;
