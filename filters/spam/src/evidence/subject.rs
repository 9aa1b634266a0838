//! What subjects are made to look like.

use crate::{
    links::skeleton::is_disguised,
    symbols::{Finding, Symbol},
};

/// What is odd about the decoded value of Subject. `is_answer` is whether another field says that the mail answers one
/// (In-Reply-To, References).
#[must_use]
pub fn of_subject(subject: &str, is_answer: IsAnswer) -> Vec<Finding> {
    let subject = subject.get(..subject.floor_char_boundary(LONGEST)).unwrap_or(subject);
    let (is_reply, rest) = without_marks(subject);
    let found = [
        (Symbol::SubjectAllCapitals, is_all_capitals(rest)),
        (Symbol::SubjectFakeReply, is_reply && is_answer == IsAnswer::NotSaid),
        (Symbol::SubjectSpacedLetters, has_spaced_letters(rest)),
        (Symbol::SubjectGapCode, ends_in_code(subject)),
        (Symbol::SubjectHomograph, rest.split_whitespace().any(is_disguised)),
        (Symbol::SubjectAdvertisement, is_advertisement(rest)),
    ];
    found
        .into_iter()
        .filter(|(_, is_so)| *is_so)
        .map(|(symbol, _)| Finding::new(symbol, subject))
        .collect()
}

/// Whether another field than Subject says that the mail is an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IsAnswer {
    /// In-Reply-To or References does.
    Said,
    /// None does.
    NotSaid,
}

/// Whether it begins with the mark of an answer, and what stands behind that and the name of a list.
fn without_marks(subject: &str) -> (bool, &str) {
    let mut rest = subject.trim_start();
    let mut is_reply = false;
    for _ in 0..MOST_MARKS {
        let (mark, behind) = rest.split_once(':').unwrap_or(("", rest));
        if REPLIES.iter().any(|reply| reply.eq_ignore_ascii_case(mark.trim())) {
            is_reply = true;
            rest = behind.trim_start();
            continue;
        }
        let list = rest.strip_prefix('[').and_then(|inner| inner.split_once(']'));
        match list {
            Some((name, behind)) if name.is_ascii() && !behind.trim().is_empty() => {
                rest = behind.trim_start()
            }
            _ => break,
        }
    }
    (is_reply, rest)
}

/// Words of capitals throughout. Acronyms and names of files are short or single.
fn is_all_capitals(subject: &str) -> bool {
    let cased = || subject.chars().filter(|letter| letter.is_uppercase() || letter.is_lowercase());
    let words = subject
        .split_whitespace()
        .filter(|word| word.chars().filter(|letter| letter.is_uppercase()).count() > 2);
    cased().count() >= FEWEST_CAPITALS
        && words.count() >= FEWEST_WORDS
        && cased().all(char::is_uppercase)
}

/// `V I A G R A`, `f.r.e.e`: letters that stand alone, one behind the other.
fn has_spaced_letters(subject: &str) -> bool {
    let mut run = 0;
    let mut letters = subject.chars().peekable();
    while let Some(letter) = letters.next() {
        let is_gap =
            |character: &char| matches!(character, ' ' | '.' | '-' | '_' | '*' | '\'' | '`');
        if !letter.is_alphabetic() {
            continue;
        }
        let mut gap = 0;
        while letters.next_if(is_gap).is_some() {
            gap += 1;
        }
        run = if gap == 1 { run + 1 } else { 0 };
        if run >= FEWEST_SPACED {
            return true;
        }
    }
    false
}

/// A wide gap and then one word of letters and digits: a number that makes each copy of a mailing another.
fn ends_in_code(subject: &str) -> bool {
    let before = subject.trim_end();
    let Some(gap) = before.rfind("     ") else { return false };
    let (text, code) = before.split_at_checked(gap).unwrap_or((before, ""));
    let code = code.trim_start();
    !text.trim().is_empty()
        && !code.is_empty()
        && code.len() <= LONGEST_CODE
        && !code.contains(char::is_whitespace)
}

/// The words that some laws demand, also broken up so that filters do not find them.
fn is_advertisement(subject: &str) -> bool {
    let marks = subject
        .chars()
        .filter(|character| !matches!(character, ' ' | '.' | '_' | '-' | '*' | ':' | '/'));
    let start: String = marks.take(LONGEST_MARK).flat_map(char::to_lowercase).collect();
    let brackets = ['(', '[', '<', '{', '\u{3010}', '\u{3014}'];
    let word = start.trim_start_matches(brackets);
    let is_bracketed = word.len() < start.len();
    let is_labelled =
        subject.trim_start().get(..4).is_some_and(|label| label.eq_ignore_ascii_case("adv:"));
    is_labelled
        || is_bracketed
            && [
                "\u{ad11}\u{ace0}",
                "\u{5e7f}\u{544a}",
                "\u{5ee3}\u{544a}",
                "\u{5e83}\u{544a}",
                "\u{672a}\u{627f}\u{8afe}",
            ]
            .iter()
            .any(|mark| word.starts_with(mark))
}

/// The marks of answers in the languages of large mail programs; `Fwd:` is none.
const REPLIES: [&str; 9] = [
    "re",
    "aw",
    "sv",
    "antw",
    "odp",
    "rif",
    "\u{56de}\u{590d}",
    "\u{56de}\u{8986}",
    "\u{b2f5}\u{c7a5}",
];
/// Marks in front of a subject that are taken away.
const MOST_MARKS: usize = 8;
/// Bytes of a subject that are looked at; RFC 5322 wants lines below 1,000.
const LONGEST: usize = 2000;
/// Letters of a subject in capitals: shorter ones are names and acronyms.
const FEWEST_CAPITALS: usize = 10;
/// Words of it: one long word is the name of something.
const FEWEST_WORDS: usize = 2;
/// Letters in a row with a gap behind each: initials are three or four.
const FEWEST_SPACED: usize = 5;
/// Bytes of a code at the end of a subject.
const LONGEST_CODE: usize = 24;
/// Characters at the front in which the mark of an advertisement stands.
const LONGEST_MARK: usize = 8;
