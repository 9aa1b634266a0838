//! A moderator's answer by mail: the first word decides, and whatever is not clear decides nothing.
//!
//! Only words stand here. Whether the mail may be believed (the address it came to, who proved to
//! have sent it) is another question, and asked first.

pub mod address;
mod quoted;

use unicode_normalization::UnicodeNormalization;

/// What an answer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Send it.
    Approve {
        /// What else was written; may be empty.
        comment: Box<str>,
    },
    /// Do not send it.
    Reject {
        /// Why; may be empty.
        reason: Box<str>,
    },
    /// The sender is to correct it.
    Return {
        /// What; may be empty, and then it is not enough.
        reason: Box<str>,
    },
    /// It may mean anything: nothing is changed, and who wrote it is told how to answer.
    Unclear,
}

/// Reads the text of an answer, its lines decoded.
///
/// The first word of the first line that is not quoted decides. `ok`, `yes` and `no` begin many
/// sentences and must stand alone on their line; behind the other words, what follows is the comment,
/// up to the quoted mail or a signature. A sign must divide it from a word that approves, and from
/// Korean and Japanese words: there "not" stands behind. In French a blank stands before some signs.
#[must_use]
pub fn read<'a>(lines: impl IntoIterator<Item = &'a str>) -> Answer {
    let mut lines = quoted::own_words(lines.into_iter()).into_iter();
    let Some(first) = lines.find(|line| !line.trim().is_empty()) else { return Answer::Unclear };
    let first: String = first.nfkc().collect();
    let first = first.trim();
    let Some((meaning, rest)) = meaning(first) else { return Answer::Unclear };
    let mut words = rest.trim_start_matches(is_divider).trim_end().to_owned();
    for line in lines.take(MOST_LINES) {
        words.push('\n');
        words.push_str(line.trim_end());
    }
    let words = shortened(words.trim());
    match meaning {
        Meaning::Approve => Answer::Approve { comment: words },
        Meaning::Reject => Answer::Reject { reason: words },
        Meaning::Return => Answer::Return { reason: words },
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    Approve,
    Reject,
    Return,
}

/// What the line means, and what stands behind the word that says so.
fn meaning(line: &str) -> Option<(Meaning, &str)> {
    let lower = line.to_lowercase();
    let alone = lower.trim_matches(is_divider);
    if let Some((_, meaning)) = SHORT.iter().find(|(word, _)| *word == alone) {
        return Some((*meaning, ""));
    }
    let (word, meaning) = WORDS.iter().find(|(word, _)| lower.starts_with(word))?;
    // Lower case may have another length than what was written; these words have not.
    let rest = line.get(word.len()..)?;
    let ends = rest.chars().next().is_none_or(|c| {
        let needs_sign = *meaning == Meaning::Approve || !word.is_ascii();
        let spaced = || rest.trim_start().starts_with([':', ';', '!']);
        is_sign(c) || c.is_whitespace() && (!needs_sign || spaced())
    });
    // What speaks of the opposite too is not clear, nor is a question.
    let later = rest.to_lowercase();
    let contradicts = |(other, means): &(&str, Meaning)| {
        (*means == Meaning::Approve) != (*meaning == Meaning::Approve) && later.contains(other)
    };
    let contradicts = WORDS.iter().any(contradicts);
    (ends && !contradicts && !line.ends_with(['?', '？'])).then_some((*meaning, rest))
}

fn is_divider(c: char) -> bool {
    c.is_whitespace() || is_sign(c)
}

fn is_sign(c: char) -> bool {
    matches!(c, '.' | ',' | ':' | ';' | '!' | '-' | '–' | '—' | '、' | '。')
}

fn shortened(words: &str) -> Box<str> {
    let end = words.char_indices().nth(MOST_CHARACTERS).map_or(words.len(), |(at, _)| at);
    words[..end].into()
}

/// Words that begin many sentences, and so must stand alone.
const SHORT: [(&str, Meaning); 9] = [
    ("ok", Meaning::Approve),
    ("okay", Meaning::Approve),
    ("yes", Meaning::Approve),
    ("oui", Meaning::Approve),
    ("はい", Meaning::Approve),
    ("네", Meaning::Approve),
    ("no", Meaning::Reject),
    ("non", Meaning::Reject),
    ("아니오", Meaning::Reject),
];

/// Words that decide, the longer of two that begin alike first.
const WORDS: [(&str, Meaning); 23] = [
    ("approved", Meaning::Approve),
    ("approve", Meaning::Approve),
    ("승인", Meaning::Approve),
    ("承認", Meaning::Approve),
    ("approuver", Meaning::Approve),
    ("approuvé", Meaning::Approve),
    ("valider", Meaning::Approve),
    ("validé", Meaning::Approve),
    ("rejected", Meaning::Reject),
    ("reject", Meaning::Reject),
    ("반려", Meaning::Reject),
    ("거부", Meaning::Reject),
    ("却下", Meaning::Reject),
    ("refuser", Meaning::Reject),
    ("rejeter", Meaning::Reject),
    ("return", Meaning::Return),
    ("수정 요청", Meaning::Return),
    ("수정요청", Meaning::Return),
    ("差戻し", Meaning::Return),
    ("差し戻し", Meaning::Return),
    ("renvoyer", Meaning::Return),
    ("à corriger", Meaning::Return),
    ("corriger", Meaning::Return),
];

/// A reason is no letter.
const MOST_CHARACTERS: usize = 2000;

/// Lines of it.
const MOST_LINES: usize = 50;

#[cfg(test)]
mod tests;
