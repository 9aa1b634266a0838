//! What those say of a mail who have read all of it: the classifier, and scanners of other people.

use crate::{
    bayes::Opinion,
    symbols::{Finding, Symbol},
};

/// A scanner whose score joins in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scanner {
    /// Rspamd.
    Rspamd,
    /// SpamAssassin's spamd.
    SpamAssassin,
}

/// What the classifier thinks, with the clues that speak most for it; nothing if it cannot tell.
#[must_use]
pub fn of_opinion(opinion: &Opinion) -> Option<Finding> {
    let symbol = Symbol::of_probability(opinion.probability)?;
    let clues = if opinion.probability < 0.5 { &opinion.ham } else { &opinion.spam };
    let clues: Vec<&str> = clues.iter().take(MOST_CLUES).map(|clue| &*clue.text).collect();
    let evidence = format!("{:.1} %: {}", opinion.probability * 100.0, clues.join(", "));
    Some(Finding::new(symbol, &evidence))
}

/// What a scanner says, as strong as its score is over its own threshold; nothing without a threshold to go by.
#[must_use]
pub fn of_scanner(scanner: Scanner, score: f64, threshold: f64) -> Option<Finding> {
    if !score.is_finite() || !threshold.is_finite() || threshold <= 0.0 {
        return None;
    }
    let symbol = match scanner {
        Scanner::Rspamd => Symbol::Rspamd,
        Scanner::SpamAssassin => Symbol::SpamAssassin,
    };
    #[expect(clippy::cast_possible_truncation, reason = "with_strength bounds it")]
    let strength = (score / threshold) as f32;
    let evidence = format!("{score:.1}, spam from {threshold:.1} on");
    Some(Finding::new(symbol, &evidence).with_strength(strength))
}

/// A scanner whose own decision is to keep the mail from its recipients, `action` in its words: at least as strong as it takes
/// to quarantine by default, whatever its score, for such a decision may stand on more than points. Nothing without a threshold
/// to go by.
#[must_use]
pub fn of_objecting_scanner(
    scanner: Scanner,
    action: &str,
    score: f64,
    threshold: f64,
) -> Option<Finding> {
    let found = of_scanner(scanner, score, threshold)?;
    let evidence = format!("{action}, {}", found.evidence());
    let strength = found.strength().max(OBJECTS);
    Some(Finding::new(found.symbol(), &evidence).with_strength(strength))
}

/// A scanner of malware has found something of this name. Where the name says that it is a guess, an unwanted program, or a text
/// that people should not fall for, it is no known malware, and nothing that may be thrown away unseen.
#[must_use]
pub fn malware(name: &str) -> Finding {
    let symbol = if is_suspicion(name) { Symbol::MalwareSuspected } else { Symbol::Malware };
    Finding::new(symbol, name)
}

/// By the names of ClamAV's own signatures, and of those that others make for it: words with dots between them.
fn is_suspicion(name: &str) -> bool {
    // `Phishing-7`, `phish_bank`
    let word = |part: &str| {
        let word = part.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
        word.to_ascii_lowercase()
    };
    let words: Vec<String> = name.split('.').map(word).collect();
    let has = |wanted: &[&str]| words.iter().any(|word| wanted.contains(&word.as_str()));
    if has(&["phishing", "phish", "spam"]) {
        return true;
    }
    match words.first().map(String::as_str) {
        Some("heuristics" | "pua") => true,
        Some("sanesecurity") => !has(&["malware", "trojan"]),
        Some(_) | None => false,
    }
}

/// As strong as it takes to reach [`Points::QUARANTINE`](crate::symbols::Points::QUARANTINE) by the built-in weights.
const OBJECTS: f32 = 4.0 / 3.0;

/// Of the clues so many are told: what fits on a line of evidence.
const MOST_CLUES: usize = 6;
